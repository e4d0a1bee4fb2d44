/* Every carrier, in whichever of the three forms the bytes have. What decodes
 * has one encoding and counts every key once (R1, R6, R8, R10). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proto/statement.h"
#include "tests/fuzz/fuzz.h"

static void assert_ascending(const struct era_indexed_signature *list, size_t count)
{
    for (size_t i = 1; i < count; i++)
        assert(list[i - 1].key < list[i].key);
}

static uint8_t *room(size_t size)
{
    uint8_t *out = malloc(size);
    assert(out);
    return out;
}

/* Takes again. */
static void assert_same(uint8_t *again, size_t len, struct era_bytes in)
{
    assert(len == in.len);
    assert(memcmp(again, in.data, len) == 0);
    free(again);
}

static void look_at_carrier(struct era_bytes in)
{
    struct era_carrier c;
    if (era_carrier_decode(in, &c) == ERA_ACCEPTED) {
        assert_ascending(c.approvals, c.approval_count);
        assert_ascending(c.readiness, c.readiness_count);
        uint8_t *again = room(in.len);
        assert(era_carrier_bytes(&c) == in.len);
        assert_same(again, era_carrier_encode(&c, again, in.len), in);
    }
    era_carrier_clear(&c);
}

static void look_at_evidence(struct era_bytes in)
{
    struct era_evidence e;
    if (era_evidence_decode(in, &e) != ERA_ACCEPTED)
        return;
    assert(!era_kind_is_carrier(e.kind) && strcmp(era_kind_name(e.kind), "unknown") != 0);
    assert(e.payloads[0].len != e.payloads[1].len ||
           memcmp(e.payloads[0].data, e.payloads[1].data, e.payloads[0].len) < 0);
    uint8_t *again = room(in.len);
    assert(era_evidence_bytes(&e) == in.len);
    assert_same(again, era_evidence_encode(&e, again, in.len), in);
}

static void look_at_charter_certificate(struct era_bytes in)
{
    struct era_charter_certificate c;
    if (era_charter_certificate_decode(in, &c) == ERA_ACCEPTED) {
        bool closed[ERA_VALIDATORS_MAX] = {false};
        assert_ascending(c.old_approvals, c.old_approval_count);
        assert_ascending(c.new_approvals, c.new_approval_count);
        assert_ascending(c.accepts, c.accept_count);
        for (size_t i = 0; i < c.close_count; i++) {
            assert(c.closes[i].count > 0);
            assert_ascending(c.closes[i].signatures, c.closes[i].count);
            for (size_t k = 0; k < c.closes[i].count; k++) {
                assert(!closed[c.closes[i].signatures[k].key]);
                closed[c.closes[i].signatures[k].key] = true;
            }
        }
        uint8_t *again = room(in.len);
        assert(era_charter_certificate_bytes(&c) == in.len);
        assert_same(again, era_charter_certificate_encode(&c, again, in.len), in);
    }
    era_charter_certificate_clear(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct era_bytes in = {data, size};
    look_at_carrier(in);
    look_at_evidence(in);
    look_at_charter_certificate(in);
    return 0;
}
