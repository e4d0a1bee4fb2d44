#include "src/core/epoch_runs.h"

#include <string.h>

#include "proto/limits.h"

bool era_epoch_runs_has(const struct era_epoch_runs *r, uint64_t epoch)
{
    for (size_t i = 0; i < r->count; i++)
        if (epoch >= r->runs[i].first && epoch <= r->runs[i].last)
            return true;
    return false;
}

/* The run at i swallows the next one. */
static void join(struct era_epoch_runs *r, size_t i)
{
    r->runs[i].last = r->runs[i + 1].last;
    memmove(&r->runs[i + 1], &r->runs[i + 2], (r->count - i - 2) * sizeof r->runs[0]);
    r->count--;
}

void era_epoch_runs_add(struct era_epoch_runs *r, uint64_t epoch)
{
    size_t at = 0;
    if (era_epoch_runs_has(r, epoch))
        return;
    while (at < r->count && r->runs[at].last < epoch)
        at++;
    memmove(&r->runs[at + 1], &r->runs[at], (r->count - at) * sizeof r->runs[0]);
    r->runs[at].first = r->runs[at].last = epoch;
    r->count++;
    if (at + 1 < r->count && r->runs[at + 1].first == epoch + 1)
        join(r, at);
    if (at > 0 && r->runs[at - 1].last + 1 == epoch)
        join(r, at - 1);
    if (r->count > ERA_EPOCH_RUNS_MAX)
        join(r, 0);
}

size_t era_epoch_runs_encode(const struct era_epoch_runs *r, uint8_t out[ERA_EPOCH_RUNS_BYTES_MAX])
{
    for (size_t i = 0; i < r->count; i++) {
        era_put_be64(out + 16 * i, r->runs[i].first);
        era_put_be64(out + 16 * i + 8, r->runs[i].last);
    }
    return 16 * r->count;
}

bool era_epoch_runs_decode(struct era_bytes in, struct era_epoch_runs *out)
{
    memset(out, 0, sizeof *out);
    if (in.len % 16 != 0 || in.len > ERA_EPOCH_RUNS_BYTES_MAX)
        return false;
    for (size_t i = 0; i < in.len / 16; i++) {
        uint64_t first = era_get_be64(in.data + 16 * i), last = era_get_be64(in.data + 16 * i + 8);
        bool ascends = i == 0 || first > out->runs[i - 1].last + 1;
        if (first > last || last > ERA_EPOCH_MAX || !ascends) {
            memset(out, 0, sizeof *out);
            return false;
        }
        out->runs[i].first = first;
        out->runs[i].last = last;
        out->count++;
    }
    return true;
}
