#include "src/eractl/network.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/core/charter.h"
#include "src/core/epoch.h"
#include "src/core/plan.h"
#include "src/eractl/print.h"
#include "src/eractl/verbs.h"
#include "src/host/files.h"

bool era_network_of_charter(const struct era_material *m, struct era_hash *out)
{
    struct era_charter c;
    if (era_charter_decode((struct era_bytes){m->charter.data, m->charter.len}, &c) != ERA_ACCEPTED)
        return false;
    bool first = c.version == 0;
    *out = c.hash;
    era_charter_clear(&c);
    return first;
}

/* ---- the pin ---- */

static int wrong_network(const struct era_cli *cli, const char *where, const struct era_hash *pinned,
                         const struct era_hash *found)
{
    char a[ERA_HASH_TEXT_BYTES], b[ERA_HASH_TEXT_BYTES];
    return era_fail(cli, era_verdict_exit(ERA_WRONG_NETWORK), era_verdict_code(ERA_WRONG_NETWORK), where,
                    "ask the daemon of the network that this key signs for; a key belongs to one network",
                    "this is network %s, but the key signs for %s", era_hash_text(found, a),
                    era_hash_text(pinned, b));
}

static bool pin_from_file(const struct era_cli *cli, const char *path, const struct era_hash *found,
                          struct era_hash *pin, int *status)
{
    char text[ERA_HASH_TEXT_BYTES];
    uint8_t *bytes;
    size_t len;
    struct era_error err;
    int rc = era_file_read(path, 256, &bytes, &len);
    if (rc == -ENOENT) {
        era_hash_text(found, text);
        rc = era_file_create(path, era_hash_text(found, text), strlen(text), 0644);
        if (rc == 0) {
            era_notice("this key signs for network %s from now on (kept in %s)", text, path);
            *pin = *found;
            return true;
        }
    } else if (rc == 0) {
        char *line = (char *)bytes;
        line[strcspn(line, "\r\n")] = '\0';
        bool ok = era_hash_from_text(line, pin);
        free(bytes);
        if (!ok)
            *status = era_fail(cli, ERA_EXIT_DATA, NULL, path, "give --network ID, or repair the file",
                               "the file holds no network id");
        return ok;
    }
    era_error_errno(&err, rc, path, "keep the network id");
    *status = era_fail_error(cli, &err);
    return false;
}

bool era_network_pin(const struct era_cli *cli, const char *key_path, const struct era_hash *found,
                     struct era_hash *pin, int *status)
{
    const char *given = era_cli_text(cli, ERA_OPT_NETWORK);
    char *path = era_text_format("%s.network", key_path);
    bool ok = true;
    if (!given)
        ok = pin_from_file(cli, path, found, pin, status);
    else if (!era_hash_from_text(given, pin)) {
        *status = era_fail_usage(cli, "`eractl charter hash FILE` prints it", "--network is no network id");
        ok = false;
    }
    if (ok && !era_hash_eq(pin, found)) {
        *status = wrong_network(cli, given ? "--network" : path, pin, found);
        ok = false;
    }
    free(path);
    return ok;
}

/* ---- verifying ---- */

static int open_charter(const struct era_cli *cli, const struct era_material *m, const struct era_hash *pin,
                        struct era_network *out)
{
    struct era_bytes bytes = {m->charter.data, m->charter.len};
    enum era_verdict v = era_charter_decode(bytes, &out->charter);
    if (v != ERA_ACCEPTED)
        return era_fail_verdict(cli, v, "the charter", NULL);
    out->id = pin ? *pin : out->charter.hash;
    if (out->charter.version == 0 && !era_hash_eq(&out->id, &out->charter.hash))
        return wrong_network(cli, "the charter", &out->id, &out->charter.hash);
    out->verifier = era_verifier_new(&out->charter, &out->id);
    if (*m->component) {
        out->component = era_charter_component(&out->charter, m->component);
        if (!out->component)
            return era_fail_verdict(cli, ERA_UNKNOWN_COMPONENT, m->component, NULL);
    }
    return 0;
}

static int open_proposal(const struct era_cli *cli, struct era_network *n, const struct era_blob *blob,
                         const char *what, struct era_known_proposal *out)
{
    const struct era_verified *verified;
    struct era_hash item;
    const char *why = NULL;
    struct era_bytes envelope = {blob->data, blob->len};
    enum era_verdict v = era_verify(n->verifier, envelope, &verified, &item, &why);
    if (v != ERA_ACCEPTED)
        return era_fail_verdict(cli, v, what, why);
    if (verified->kind != ERA_KIND_PROPOSAL)
        return era_fail_verdict(cli, ERA_UNEXPECTED, what, "it is no proposal");
    const struct era_proposal *p = &verified->statement->u.proposal;
    if (n->component && strcmp(p->slot.component, n->component->id) != 0)
        return era_fail_verdict(cli, ERA_UNEXPECTED, what, "it is of another component");
    out->proposal = malloc(sizeof *out->proposal);
    assert(out->proposal);
    *out->proposal = *p;
    out->id = verified->id;
    out->author = verified->key;
    out->envelope = envelope;
    return 0;
}

/* A daemon or a file may be stale or lie about the time; a wall clock can be compared. */
static void compare_clocks(const struct era_network *n)
{
    const struct era_clock_params *clock = &n->charter.clock;
    struct timespec now;
    if (clock->kind != ERA_CLOCK_WALL || clock_gettime(CLOCK_REALTIME, &now) != 0)
        return;
    uint64_t ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    uint64_t here = era_epoch_at(clock, ms);
    uint64_t apart = here > n->epoch ? here - n->epoch : n->epoch - here;
    if (apart > clock->tolerance_epochs)
        era_notice("by this machine's clock it is epoch %" PRIu64 ", by what is used here %" PRIu64, here,
                   n->epoch);
}

static int open_all(const struct era_cli *cli, const struct era_material *m, const struct era_hash *pin,
                    struct era_network *out)
{
    int status = open_charter(cli, m, pin, out);
    if (status == 0 && m->head.len > 0)
        status = open_proposal(cli, out, &m->head, "the head", &out->head);
    if (status == 0 && m->proposal.len > 0)
        status = open_proposal(cli, out, &m->proposal, "the proposal", &out->proposal);
    for (size_t i = 0; i < m->other_count && status == 0; i++) {
        status = open_proposal(cli, out, &m->others[i], "another proposal", &out->others[i]);
        out->other_count += status == 0;
    }
    return status;
}

int era_network_open(const struct era_cli *cli, const struct era_material *m, const struct era_hash *pin,
                     struct era_network *out)
{
    memset(out, 0, sizeof *out);
    out->epoch = m->epoch;
    int status = open_all(cli, m, pin, out);
    if (status != 0) {
        era_network_close(out);
        return status;
    }
    if (out->component) {
        out->plan = malloc(sizeof *out->plan);
        assert(out->plan);
        era_plan_initial(out->component, out->plan);
    }
    if (out->head.proposal) {
        const struct era_slot_id *slot = &out->head.proposal->slot;
        *out->plan = out->head.proposal->plan;
        out->head_ref = (struct era_head_ref){.some = true,
                                              .charter_version = slot->charter_version,
                                              .seq = slot->seq,
                                              .proposal = out->head.id};
    }
    compare_clocks(out);
    return 0;
}

void era_network_close(struct era_network *n)
{
    if (!n)
        return;
    era_verifier_free(n->verifier);
    era_charter_clear(&n->charter);
    free(n->head.proposal);
    free(n->proposal.proposal);
    for (size_t i = 0; i < n->other_count; i++)
        free(n->others[i].proposal);
    free(n->plan);
    memset(n, 0, sizeof *n);
}
