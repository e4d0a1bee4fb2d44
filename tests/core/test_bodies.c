/* Envelopes behind items: in memory until they are durable, and read again after. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "proto/limits.h"
#include "src/core/bodies.h"
#include "tests/core/peer.h"

static const struct era_siphash_key secret = {{1}};

TestSuite(bodies, .fini = peers_free);

static struct era_hash item(uint32_t n)
{
    struct era_hash h = {{0}};
    era_put_be32(h.b, n);
    return h;
}

struct disk {
    size_t reads;
    bool broken;
    struct era_bytes says;
};

static bool read_disk(void *ctx, const struct era_hash *id, uint32_t kind, struct era_bytes *out)
{
    struct disk *d = ctx;
    (void)id, (void)kind;
    d->reads++;
    *out = d->says;
    return !d->broken;
}

static void keep(struct era_bodies *b, uint32_t n, const char *text)
{
    struct era_hash id = item(n);
    era_bodies_put(b, &id, (struct era_bytes){(const uint8_t *)text, strlen(text)});
}

static void settle(struct era_bodies *b, uint32_t n)
{
    struct era_hash id = item(n);
    era_bodies_settle(b, &id);
}

static const char *get(const struct era_bodies *b, uint32_t n)
{
    static char text[64];
    struct era_hash id = item(n);
    struct era_bytes body;
    if (!era_bodies_get(b, &id, ERA_KIND_READINESS, &body))
        return "none";
    memcpy(text, body.data, body.len);
    text[body.len] = '\0';
    return text;
}

Test(bodies, what_is_not_durable_stays_in_memory)
{
    struct disk d = {.broken = true};
    struct era_bodies *b = era_bodies_new(&secret);
    era_bodies_read_with(b, read_disk, &d);
    for (uint32_t n = 0; n < 2 * ERA_BODIES_RECENT_MAX; n++)
        keep(b, n, "pending");
    for (uint32_t n = 0; n < 2 * ERA_BODIES_RECENT_MAX; n++)
        cr_assert_str_eq(get(b, n), "pending");
    cr_expect_eq(d.reads, 0);
    era_bodies_free(b);
}

Test(bodies, of_what_is_durable_the_last_few_stay_and_others_are_read)
{
    struct disk d = {.says = {(const uint8_t *)"disk", 4}};
    struct era_bodies *b = era_bodies_new(&secret);
    era_bodies_read_with(b, read_disk, &d);
    for (uint32_t n = 0; n <= ERA_BODIES_RECENT_MAX; n++) {
        keep(b, n, "memory");
        settle(b, n);
    }
    cr_expect_str_eq(get(b, 0), "disk");
    cr_expect_str_eq(get(b, 1), "memory");
    cr_expect_str_eq(get(b, ERA_BODIES_RECENT_MAX), "memory");
    cr_expect_eq(d.reads, 1);
    struct era_hash one = item(1);
    era_bodies_drop(b, &one);
    cr_expect_str_eq(get(b, 1), "disk");
    d.broken = true;
    cr_expect_str_eq(get(b, 0), "none");
    era_bodies_free(b);
}

Test(bodies, after_a_rest_all_that_is_durable_is_read)
{
    struct disk disk = {.says = {(const uint8_t *)"disk", 4}};
    struct era_bodies *b = era_bodies_new(&secret);
    era_bodies_read_with(b, read_disk, &disk);
    keep(b, 1, "one");
    keep(b, 2, "two");
    settle(b, 1);
    cr_assert_str_eq(get(b, 1), "one");
    era_bodies_rest(b);
    cr_assert_str_eq(get(b, 1), "disk");
    cr_assert_str_eq(get(b, 2), "two", "it is not durable");
    settle(b, 2);
    cr_assert_str_eq(get(b, 2), "two");
    era_bodies_free(b);
}

Test(bodies, without_a_disk_memory_holds_them_all)
{
    struct era_bodies *b = era_bodies_new(&secret);
    for (uint32_t n = 0; n <= ERA_BODIES_RECENT_MAX; n++) {
        keep(b, n, "memory");
        settle(b, n);
    }
    cr_expect_str_eq(get(b, 0), "memory");
    era_bodies_free(b);
}

/* ---- in a ledger ---- */

/* Everything offered that was accepted: a disk that holds it all. */
struct archive {
    const struct era_charter *c;
    struct era_bytes bodies[200];
    size_t count, reads;
    bool broken;
};

static bool read_archive(void *ctx, const struct era_hash *id, uint32_t kind, struct era_bytes *out)
{
    struct archive *a = ctx;
    (void)kind;
    a->reads++;
    for (size_t i = 0; i < a->count && !a->broken; i++) {
        struct era_hash named = given_item(a->c, a->bodies[i]);
        if (era_hash_eq(&named, id)) {
            *out = a->bodies[i];
            return true;
        }
    }
    return false;
}

static void take_in(struct peer *p, struct archive *a, struct era_bytes envelope)
{
    cr_assert_lt(a->count, 200);
    cr_assert_eq(take(p, envelope), ERA_ACCEPTED);
    a->bodies[a->count++] = envelope;
}

/* Votes of so many validators that the first are read again for the certificate. */
static void votes(struct archive *a, struct peer **p, const struct era_proposal **of)
{
    static char validators[4096];
    char who[16];
    size_t len = 0;
    for (int i = 0; i < 150; i++)
        len += (size_t)sprintf(validators + len, "%sv%03d:1", i ? " " : "", i);
    struct era_charter *c = given_charter(validators, "network k=1 signers=s1,s2");
    *p = given_peer(c);
    *of = given_soft(given_proposal(c, "network", 1), 10, "1.1.0");
    a->c = c;
    era_ledger_read_with((*p)->ledger, read_archive, a);
    take_in(*p, a, given_proposed(c, "s1", *of));
    for (int i = 0; i < 150; i++) {
        sprintf(who, "v%03d", i);
        take_in(*p, a, given_ready(c, who, *of));
    }
    take_in(*p, a, given_approve(c, "s2", *of));
}

Test(bodies, R6_a_certificate_is_made_of_signatures_read_again)
{
    static struct archive a;
    struct peer *p;
    const struct era_proposal *of;
    votes(&a, &p, &of);
    size_t before = a.reads;
    cr_expect_eq(assemble(p), 1);
    cr_expect_gt(a.reads, before);
    cr_expect_eq(era_ledger_floor(p->ledger, 0), 1);
}

Test(bodies, R6_one_whose_parts_cannot_be_read_is_made_when_they_can)
{
    static struct archive a;
    struct peer *p;
    const struct era_proposal *of;
    uint32_t kind;
    uint8_t *bytes;
    votes(&a, &p, &of);
    a.broken = true;
    struct era_candidate *c = era_ledger_assemblable(p->ledger, &kind);
    cr_assert_not_null(c);
    cr_assert_eq(kind, ERA_KIND_CERTIFICATE);
    cr_expect_eq(era_ledger_assemble(p->ledger, c, kind, &bytes), 0);
    cr_expect_null(bytes);
    a.broken = false;
    take_in(p, &a, given_reject(a.c, "s1", of, "no"));
    cr_expect_eq(assemble(p), 1, "with the next word");
}
