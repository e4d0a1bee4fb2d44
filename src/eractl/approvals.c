#include "src/eractl/approvals.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/fraction.h"
#include "src/base/verdict.h"
#include "src/host/files.h"

#define RECORD_BYTES_MAX ((size_t)16 << 20)
#define LINE_BYTES_MAX   320

/* Split line at single spaces into exactly five words. */
static bool split(char *line, char *words[5])
{
    for (int i = 0; i < 5; i++) {
        words[i] = line;
        char *space = strchr(line, ' ');
        if (i < 4 ? !space : space != NULL)
            return false;
        if (space) {
            *space = '\0';
            line = space + 1;
        }
    }
    return true;
}

static bool parse_line(const char *text, size_t len, struct era_approval *out)
{
    char line[LINE_BYTES_MAX], *words[5];
    if (len >= sizeof line)
        return false;
    memcpy(line, text, len);
    line[len] = '\0';
    return strlen(line) == len && split(line, words) && era_hash_from_text(words[0], &out->network) &&
           *words[1] != '\0' && era_text_set(out->slot.component, sizeof out->slot.component, words[1]) &&
           era_u64_parse(words[2], ERA_SEQ_MAX, &out->slot.charter_version) &&
           era_u64_parse(words[3], ERA_SEQ_MAX, &out->slot.seq) &&
           era_hash_from_text(words[4], &out->proposal);
}

static void keep(struct era_approvals *a, const struct era_approval *one)
{
    a->list = realloc(a->list, (a->count + 1) * sizeof *a->list);
    assert(a->list);
    a->list[a->count++] = *one;
}

static bool parse(struct era_approvals *a, const char *text, size_t len, struct era_error *err)
{
    size_t number = 1;
    for (const char *line = text; line < text + len; number++) {
        struct era_approval one = {0};
        const char *end = memchr(line, '\n', len - (size_t)(line - text));
        char where[ERA_ERROR_WHERE_BYTES];
        snprintf(where, sizeof where, "%s:%zu", a->path, number);
        if (!end)
            return era_error_set(err, ERA_EXIT_DATA, where,
                                 "remove it: it was never finished, so its signature never left",
                                 "the last line of the record of approvals is cut short");
        if (!parse_line(line, (size_t)(end - line), &one))
            return era_error_set(err, ERA_EXIT_DATA, where,
                                 "restore the record from a backup; without it a key can contradict itself",
                                 "this line of the record of approvals is not understood");
        keep(a, &one);
        line = end + 1;
    }
    return true;
}

bool era_approvals_open(const char *key_path, struct era_approvals *out, struct era_error *err)
{
    uint8_t *bytes;
    size_t len;
    *out = (struct era_approvals){.lock = -1};
    if (asprintf(&out->path, "%s.approvals", key_path) < 0)
        abort();
    out->lock = era_lock_take(out->path);
    int rc = out->lock < 0 ? out->lock : era_file_read(out->path, RECORD_BYTES_MAX, &bytes, &len);
    bool ok = rc == 0;
    if (ok) {
        ok = parse(out, (const char *)bytes, len, err);
        free(bytes);
    } else {
        era_error_errno(err, rc, out->path, "open the record of approvals");
    }
    if (!ok)
        era_approvals_close(out);
    return ok;
}

void era_approvals_close(struct era_approvals *a)
{
    if (!a)
        return;
    if (a->lock >= 0)
        close(a->lock);
    free(a->path);
    free(a->list);
    *a = (struct era_approvals){.lock = -1};
}

static bool same_chain(const struct era_approval *a, const struct era_hash *network,
                       const struct era_slot_id *slot)
{
    return era_hash_eq(&a->network, network) && strcmp(a->slot.component, slot->component) == 0 &&
           a->slot.charter_version == slot->charter_version;
}

const struct era_approval *era_approvals_find(const struct era_approvals *a, const struct era_hash *network,
                                              const struct era_slot_id *slot)
{
    for (size_t i = 0; i < a->count; i++)
        if (same_chain(&a->list[i], network, slot) && a->list[i].slot.seq == slot->seq)
            return &a->list[i];
    return NULL;
}

uint64_t era_approvals_floor(const struct era_approvals *a, const struct era_hash *network,
                             const struct era_slot_id *slot)
{
    uint64_t floor = 0;
    for (size_t i = 0; i < a->count; i++)
        if (same_chain(&a->list[i], network, slot) && a->list[i].slot.seq > floor)
            floor = a->list[i].slot.seq;
    return floor;
}

bool era_approvals_add(struct era_approvals *a, const struct era_approval *approval, struct era_error *err)
{
    char line[LINE_BYTES_MAX], network[ERA_HASH_TEXT_BYTES], proposal[ERA_HASH_TEXT_BYTES];
    assert(!era_approvals_find(a, &approval->network, &approval->slot));
    snprintf(line, sizeof line, "%s %s %" PRIu64 " %" PRIu64 " %s",
             era_hash_text(&approval->network, network), approval->slot.component,
             approval->slot.charter_version, approval->slot.seq,
             era_hash_text(&approval->proposal, proposal));
    int rc = era_file_append_line(a->path, line);
    if (rc != 0)
        return era_error_errno(err, rc, a->path, "write down the approval");
    keep(a, approval);
    return true;
}
