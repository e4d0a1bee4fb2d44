#include "proto/frame.h"

#include <assert.h>
#include <string.h>

#include "proto/frame_peers.h"
#include "proto/wire.h"

/* Singular parts: a second one is refused. */
static const uint32_t singular = 1u << ERA_FRAME_HELLO | 1u << ERA_FRAME_REFUSAL | 1u << ERA_FRAME_DIGEST |
                                 1u << ERA_FRAME_CELLS | 1u << ERA_FRAME_ASK | 1u << ERA_FRAME_STATUS |
                                 1u << ERA_FRAME_NEIGHBOUR | 1u << ERA_FRAME_WALK | 1u << ERA_FRAME_SHUFFLE |
                                 1u << ERA_FRAME_SPREAD;
static const uint32_t repeated = 1u << ERA_FRAME_STATEMENT | 1u << ERA_FRAME_FRAGMENT;

static bool is_known_part(uint32_t field)
{
    return field < 32 && ((singular | repeated) >> field & 1) != 0;
}

/* ---- reading ---- */

static enum era_verdict read_versions(struct era_bytes in, struct era_versions *out)
{
    static const struct era_wire_shape shape = {.types = "bbbbb", .skip_unknown = true};
    struct era_wire_value v[ERA_VERSION_KINDS];
    enum era_verdict verdict = era_wire_read(in, &shape, v);
    for (size_t i = 0; i < ERA_VERSION_KINDS && verdict == ERA_ACCEPTED; i++)
        verdict = era_wire_text(v[i].span, out->v[i], sizeof out->v[i], false);
    return verdict;
}

static enum era_verdict read_hello(struct era_bytes in, struct era_frame_hello *out)
{
    static const struct era_wire_shape shape = {
        .types = "uubbbbfbbfb", .required = 0x4DF, .skip_unknown = true};
    struct era_wire_value v[11];
    enum era_verdict verdict = era_wire_read(in, &shape, v);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    out->protocol_min = (uint32_t)v[0].number;
    out->protocol_max = (uint32_t)v[1].number;
    out->blocked = v[6].number;
    out->alone = v[9].there && v[9].number;
    verdict = era_wire_fixed(v[2].span, out->network.b, sizeof out->network.b);
    if (verdict == ERA_ACCEPTED)
        verdict = era_wire_fixed(v[3].span, out->node.b, sizeof out->node.b);
    if (verdict == ERA_ACCEPTED)
        verdict = read_versions(v[4].span, &out->versions);
    if (verdict == ERA_ACCEPTED)
        verdict = era_wire_text(v[5].span, out->listen, sizeof out->listen, false);
    if (verdict == ERA_ACCEPTED)
        verdict = era_wire_text(v[7].span, out->agent, sizeof out->agent, false);
    memset(out->salt, 0, sizeof out->salt);
    if (verdict == ERA_ACCEPTED && v[8].there)
        verdict = era_wire_fixed(v[8].span, out->salt, sizeof out->salt);
    if (verdict == ERA_ACCEPTED)
        verdict = era_wire_fixed(v[10].span, out->sync_salt, sizeof out->sync_salt);
    if (verdict == ERA_ACCEPTED && out->protocol_min > out->protocol_max)
        verdict = ERA_BAD_VALUE;
    return verdict;
}

static enum era_verdict read_refusal(struct era_bytes in, struct era_frame_refusal *out)
{
    static const struct era_wire_shape shape = {.types = "ub", .required = 3, .skip_unknown = true};
    struct era_wire_value v[2];
    enum era_verdict verdict = era_wire_read(in, &shape, v);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    out->verdict = (uint32_t)v[0].number;
    return era_wire_text(v[1].span, out->text, sizeof out->text, false);
}

static bool fragment_fits(const struct era_frame_fragment *f)
{
    return f->data.len >= 1 && f->data.len <= ERA_FRAGMENT_BYTES_MAX &&
           f->total_bytes <= ERA_STATEMENT_BYTES_MAX && f->offset <= f->total_bytes &&
           f->data.len <= f->total_bytes - f->offset;
}

static enum era_verdict read_fragment(struct era_bytes in, struct era_frame_fragment *out)
{
    static const struct era_wire_shape shape = {.types = "uub", .required = 7, .skip_unknown = true};
    struct era_wire_value v[3];
    enum era_verdict verdict = era_wire_read(in, &shape, v);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    *out = (struct era_frame_fragment){(uint32_t)v[0].number, (uint32_t)v[1].number, v[2].span};
    if (out->total_bytes > ERA_STATEMENT_BYTES_MAX)
        return ERA_OVERSIZED;
    return fragment_fits(out) ? ERA_ACCEPTED : ERA_BAD_VALUE;
}

static bool is_id_or_nothing(struct era_bytes span)
{
    return span.len == 0 || span.len == ERA_HASH_BYTES;
}

static bool digest_fits(const struct era_frame_digest *d)
{
    return d->print.len == ERA_SYNC_PRINT_BYTES && d->estimate.len == ERA_SYNC_ESTIMATE_BYTES &&
           is_id_or_nothing(d->upto);
}

static bool cells_fit(const struct era_frame_cells *c)
{
    size_t count = c->cells.len / ERA_SYNC_CELL_BYTES;
    return c->cells.len == count * ERA_SYNC_CELL_BYTES && count <= ERA_SYNC_CELLS_PER_FRAME_MAX &&
           (c->word == ERA_WORD_CELLS) == (count > 0) && (!c->more || count > 0) &&
           is_id_or_nothing(c->upto) &&
           (c->word == ERA_WORD_PAGES || c->word == ERA_WORD_SEND || c->upto.len == 0);
}

static bool short_ids_fit(struct era_bytes ids)
{
    return ids.len % ERA_FRAME_SHORT_BYTES == 0 &&
           ids.len / ERA_FRAME_SHORT_BYTES <= ERA_SYNC_IDS_PER_FRAME_MAX;
}

static bool ask_fits(const struct era_frame_ask *a)
{
    return short_ids_fit(a->ids) && short_ids_fit(a->offers);
}

static enum era_verdict read_digest(struct era_bytes in, struct era_frame_digest *out)
{
    static const struct era_wire_shape shape = {.types = "ununbbbf", .required = 0x3F, .skip_unknown = true};
    struct era_wire_value v[8];
    enum era_verdict verdict = era_wire_read(in, &shape, v);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    *out = (struct era_frame_digest){.set = (uint32_t)v[0].number,
                                     .round = v[1].number,
                                     .salt = (uint32_t)v[2].number,
                                     .count = v[3].number,
                                     .print = v[4].span,
                                     .estimate = v[5].span,
                                     .upto = v[6].span,
                                     .alone = v[7].number};
    return digest_fits(out) ? ERA_ACCEPTED : ERA_BAD_VALUE;
}

static enum era_verdict read_cells(struct era_bytes in, struct era_frame_cells *out)
{
    static const struct era_wire_shape shape = {.types = "unubfb", .required = 7, .skip_unknown = true};
    struct era_wire_value v[6];
    enum era_verdict verdict = era_wire_read(in, &shape, v);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    *out = (struct era_frame_cells){.set = (uint32_t)v[0].number,
                                    .round = v[1].number,
                                    .word = (enum era_frame_word)v[2].number,
                                    .cells = v[3].span,
                                    .more = v[4].number,
                                    .upto = v[5].span};
    if (out->cells.len / ERA_SYNC_CELL_BYTES > ERA_SYNC_CELLS_PER_FRAME_MAX)
        return ERA_OVERSIZED;
    return v[2].number >= ERA_WORD_COUNT || cells_fit(out) ? ERA_ACCEPTED : ERA_BAD_VALUE;
}

static enum era_verdict read_ask(struct era_bytes in, struct era_frame_ask *out)
{
    static const struct era_wire_shape shape = {.types = "unubbf", .required = 3, .skip_unknown = true};
    struct era_wire_value v[6];
    enum era_verdict verdict = era_wire_read(in, &shape, v);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    *out = (struct era_frame_ask){.set = (uint32_t)v[0].number,
                                  .round = v[1].number,
                                  .cells = (uint32_t)v[2].number,
                                  .ids = v[3].span,
                                  .offers = v[4].span,
                                  .done = v[5].number};
    if (out->ids.len / ERA_FRAME_SHORT_BYTES > ERA_SYNC_IDS_PER_FRAME_MAX ||
        out->offers.len / ERA_FRAME_SHORT_BYTES > ERA_SYNC_IDS_PER_FRAME_MAX)
        return ERA_OVERSIZED;
    return ask_fits(out) ? ERA_ACCEPTED : ERA_BAD_VALUE;
}

static enum era_verdict read_status(struct era_bytes in, struct era_frame_status *out)
{
    static const struct era_wire_shape shape = {.types = "fb", .required = 1, .skip_unknown = true};
    struct era_wire_value v[2];
    enum era_verdict verdict = era_wire_read(in, &shape, v);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    out->blocked = v[0].number;
    out->has_versions = v[1].there;
    return out->has_versions ? read_versions(v[1].span, &out->versions) : ERA_ACCEPTED;
}

static bool entries_fit(struct era_bytes entries)
{
    return entries.len % ERA_SPREAD_ENTRY_BYTES == 0 &&
           entries.len / ERA_SPREAD_ENTRY_BYTES <= ERA_SPREAD_ENTRIES_MAX;
}

static enum era_verdict read_spread(struct era_bytes in, struct era_frame_spread *out)
{
    static const struct era_wire_shape shape = {.types = "bb", .skip_unknown = true};
    struct era_wire_value v[2];
    enum era_verdict verdict = era_wire_read(in, &shape, v);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    *out = (struct era_frame_spread){.announced = v[0].span, .orders = v[1].span};
    return entries_fit(out->announced) && entries_fit(out->orders) ? ERA_ACCEPTED : ERA_BAD_VALUE;
}

static enum era_verdict read_part(uint32_t field, const struct era_wire_value *value,
                                  struct era_frame_part *out)
{
    if (value->type != ERA_WIRE_SPAN)
        return ERA_MALFORMED;
    out->kind = (enum era_frame_part_kind)field;
    switch (out->kind) {
    case ERA_FRAME_HELLO:
        return read_hello(value->span, &out->u.hello);
    case ERA_FRAME_REFUSAL:
        return read_refusal(value->span, &out->u.refusal);
    case ERA_FRAME_STATEMENT:
        out->u.statement = value->span;
        return ERA_ACCEPTED;
    case ERA_FRAME_FRAGMENT:
        return read_fragment(value->span, &out->u.fragment);
    case ERA_FRAME_DIGEST:
        return read_digest(value->span, &out->u.digest);
    case ERA_FRAME_CELLS:
        return read_cells(value->span, &out->u.cells);
    case ERA_FRAME_ASK:
        return read_ask(value->span, &out->u.ask);
    case ERA_FRAME_STATUS:
        return read_status(value->span, &out->u.status);
    case ERA_FRAME_NEIGHBOUR:
        return era_neighbour_read(value->span, &out->u.neighbour);
    case ERA_FRAME_WALK:
        return era_walk_read(value->span, &out->u.walk);
    case ERA_FRAME_SHUFFLE:
        return era_shuffle_read(value->span, &out->u.shuffle);
    case ERA_FRAME_SPREAD:
        return read_spread(value->span, &out->u.spread);
    }
    return ERA_MALFORMED;
}

/* A word of a newer version is passed over, like a field. */
static bool is_known_word(const struct era_frame_part *part)
{
    if (part->kind == ERA_FRAME_NEIGHBOUR)
        return part->u.neighbour >= ERA_NEIGHBOUR_ASK && part->u.neighbour <= ERA_NEIGHBOUR_SPARE;
    return part->kind != ERA_FRAME_CELLS || part->u.cells.word < ERA_WORD_COUNT;
}

enum era_verdict era_frame_decode(struct era_bytes in, struct era_frame *out)
{
    *out = (struct era_frame){.bytes = in};
    if (in.len > ERA_FRAME_BYTES_MAX)
        return ERA_OVERSIZED;
    struct era_wire_in wire = era_wire_open(in);
    struct era_wire_value value;
    struct era_frame_part part;
    uint32_t field, seen = 0;
    size_t statements = 0;
    while (era_wire_next(&wire, &field, &value)) {
        if (!is_known_part(field)) {
            out->unknown_count++;
            continue;
        }
        enum era_verdict verdict = read_part(field, &value, &part);
        if (verdict != ERA_ACCEPTED)
            return verdict;
        if (seen & singular & 1u << field)
            return ERA_NOT_CANONICAL;
        seen |= 1u << field;
        *(is_known_word(&part) ? &out->part_count : &out->unknown_count) += 1;
        if (field == ERA_FRAME_STATEMENT && ++statements > ERA_FRAME_STATEMENTS_MAX)
            return ERA_OVERSIZED;
    }
    out->has_hello = seen & 1u << ERA_FRAME_HELLO;
    out->has_refusal = seen & 1u << ERA_FRAME_REFUSAL;
    return wire.verdict;
}

struct era_frame_cursor era_frame_first(const struct era_frame *frame)
{
    return (struct era_frame_cursor){frame->bytes};
}

bool era_frame_next(struct era_frame_cursor *cursor, struct era_frame_part *out)
{
    struct era_wire_in wire = era_wire_open(cursor->rest);
    struct era_wire_value value;
    uint32_t field;
    while (era_wire_next(&wire, &field, &value)) {
        if (!is_known_part(field))
            continue;
        enum era_verdict verdict = read_part(field, &value, out);
        assert(verdict == ERA_ACCEPTED);
        if (!is_known_word(out))
            continue;
        cursor->rest = (struct era_bytes){wire.at, (size_t)(wire.end - wire.at)};
        return true;
    }
    cursor->rest = (struct era_bytes){0};
    return false;
}

/* ---- writing ---- */

void era_frame_begin(struct era_frame_builder *b, uint8_t *buffer)
{
    *b = (struct era_frame_builder){.data = buffer};
}

struct era_bytes era_frame_bytes(const struct era_frame_builder *b)
{
    return (struct era_bytes){b->data, b->len};
}

/* Keep what was written into out, if all of it fitted. */
static bool commit(struct era_frame_builder *b, const struct era_wire_out *out)
{
    if (out->len > out->cap)
        return false;
    b->len = out->len;
    return true;
}

static struct era_wire_out open_out(struct era_frame_builder *b)
{
    return (struct era_wire_out){.data = b->data, .cap = ERA_FRAME_BYTES_MAX, .len = b->len};
}

static bool add_message(struct era_frame_builder *b, enum era_frame_part_kind kind, era_wire_write *write,
                        const void *message)
{
    uint32_t bit = 1u << kind;
    if (b->present & singular & bit)
        return false;
    struct era_wire_out out = open_out(b);
    era_wire_put_message(&out, kind, write, message);
    if (!commit(b, &out))
        return false;
    b->present |= bit;
    return true;
}

static void write_versions(struct era_wire_out *out, const void *message)
{
    const struct era_versions *versions = message;
    for (uint32_t i = 0; i < ERA_VERSION_KINDS; i++)
        era_wire_put_optional(out, i + 1, versions->v[i]);
}

static void write_hello(struct era_wire_out *out, const void *message)
{
    const struct era_frame_hello *hello = message;
    era_wire_put_number(out, 1, hello->protocol_min);
    era_wire_put_number(out, 2, hello->protocol_max);
    era_wire_put_span(out, 3, (struct era_bytes){hello->network.b, sizeof hello->network.b});
    era_wire_put_span(out, 4, (struct era_bytes){hello->node.b, sizeof hello->node.b});
    era_wire_put_message(out, 5, write_versions, &hello->versions);
    era_wire_put_optional(out, 6, hello->listen);
    era_wire_put_number(out, 7, hello->blocked);
    era_wire_put_text(out, 8, hello->agent);
    static const uint8_t none[ERA_SALT_BYTES];
    if (memcmp(hello->salt, none, sizeof none) != 0)
        era_wire_put_span(out, 9, (struct era_bytes){hello->salt, sizeof hello->salt});
    if (hello->alone)
        era_wire_put_number(out, 10, 1);
    era_wire_put_span(out, 11, (struct era_bytes){hello->sync_salt, sizeof hello->sync_salt});
}

bool era_frame_add_hello(struct era_frame_builder *b, const struct era_frame_hello *hello)
{
    assert(hello->protocol_min <= hello->protocol_max);
    return add_message(b, ERA_FRAME_HELLO, write_hello, hello);
}

static void write_refusal(struct era_wire_out *out, const void *message)
{
    const struct era_frame_refusal *refusal = message;
    era_wire_put_number(out, 1, refusal->verdict);
    era_wire_put_text(out, 2, refusal->text);
}

bool era_frame_add_refusal(struct era_frame_builder *b, enum era_verdict verdict, const char *text)
{
    struct era_frame_refusal refusal = {.verdict = verdict};
    bool fits = era_text_set(refusal.text, sizeof refusal.text, text);
    assert(fits);
    return add_message(b, ERA_FRAME_REFUSAL, write_refusal, &refusal);
}

bool era_frame_add_statement(struct era_frame_builder *b, struct era_bytes envelope)
{
    if (b->statement_count == ERA_FRAME_STATEMENTS_MAX)
        return false;
    struct era_wire_out out = open_out(b);
    era_wire_put_span(&out, ERA_FRAME_STATEMENT, envelope);
    if (!commit(b, &out))
        return false;
    b->statement_count++;
    return true;
}

static void write_fragment(struct era_wire_out *out, const void *message)
{
    const struct era_frame_fragment *fragment = message;
    era_wire_put_number(out, 1, fragment->total_bytes);
    era_wire_put_number(out, 2, fragment->offset);
    era_wire_put_span(out, 3, fragment->data);
}

bool era_frame_add_fragment(struct era_frame_builder *b, const struct era_frame_fragment *fragment)
{
    assert(fragment_fits(fragment));
    return add_message(b, ERA_FRAME_FRAGMENT, write_fragment, fragment);
}

static void put_unless_empty(struct era_wire_out *out, uint32_t field, struct era_bytes span)
{
    if (span.len > 0)
        era_wire_put_span(out, field, span);
}

static void write_digest(struct era_wire_out *out, const void *message)
{
    const struct era_frame_digest *digest = message;
    era_wire_put_number(out, 1, digest->set);
    era_wire_put_number(out, 2, digest->round);
    era_wire_put_number(out, 3, digest->salt);
    era_wire_put_number(out, 4, digest->count);
    era_wire_put_span(out, 5, digest->print);
    era_wire_put_span(out, 6, digest->estimate);
    put_unless_empty(out, 7, digest->upto);
    if (digest->alone)
        era_wire_put_number(out, 8, true);
}

bool era_frame_add_digest(struct era_frame_builder *b, const struct era_frame_digest *digest)
{
    assert(digest_fits(digest));
    return add_message(b, ERA_FRAME_DIGEST, write_digest, digest);
}

static void write_cells(struct era_wire_out *out, const void *message)
{
    const struct era_frame_cells *cells = message;
    era_wire_put_number(out, 1, cells->set);
    era_wire_put_number(out, 2, cells->round);
    era_wire_put_number(out, 3, cells->word);
    put_unless_empty(out, 4, cells->cells);
    if (cells->more)
        era_wire_put_number(out, 5, true);
    put_unless_empty(out, 6, cells->upto);
}

bool era_frame_add_cells(struct era_frame_builder *b, const struct era_frame_cells *cells)
{
    assert(cells_fit(cells));
    return add_message(b, ERA_FRAME_CELLS, write_cells, cells);
}

static void write_ask(struct era_wire_out *out, const void *message)
{
    const struct era_frame_ask *ask = message;
    era_wire_put_number(out, 1, ask->set);
    era_wire_put_number(out, 2, ask->round);
    if (ask->cells > 0)
        era_wire_put_number(out, 3, ask->cells);
    put_unless_empty(out, 4, ask->ids);
    put_unless_empty(out, 5, ask->offers);
    if (ask->done)
        era_wire_put_number(out, 6, true);
}

bool era_frame_add_ask(struct era_frame_builder *b, const struct era_frame_ask *ask)
{
    assert(ask_fits(ask));
    return add_message(b, ERA_FRAME_ASK, write_ask, ask);
}

static void write_status(struct era_wire_out *out, const void *message)
{
    const struct era_frame_status *status = message;
    era_wire_put_number(out, 1, status->blocked);
    if (status->has_versions)
        era_wire_put_message(out, 2, write_versions, &status->versions);
}

bool era_frame_add_status(struct era_frame_builder *b, bool blocked, const struct era_versions *versions)
{
    struct era_frame_status status = {.blocked = blocked, .has_versions = versions != NULL};
    if (versions)
        status.versions = *versions;
    return add_message(b, ERA_FRAME_STATUS, write_status, &status);
}

bool era_frame_add_neighbour(struct era_frame_builder *b, enum era_neighbour_word word)
{
    return add_message(b, ERA_FRAME_NEIGHBOUR, era_neighbour_write, &word);
}

bool era_frame_add_walk(struct era_frame_builder *b, const struct era_peer_walk *walk)
{
    assert(walk->hops <= ERA_OVERLAY_WALK_HOPS);
    return add_message(b, ERA_FRAME_WALK, era_walk_write, walk);
}

bool era_frame_add_shuffle(struct era_frame_builder *b, const struct era_peer_shuffle *shuffle)
{
    assert(shuffle->count <= ERA_OVERLAY_SHUFFLE_MAX);
    return add_message(b, ERA_FRAME_SHUFFLE, era_shuffle_write, shuffle);
}

static void write_spread(struct era_wire_out *out, const void *message)
{
    const struct era_frame_spread *spread = message;
    if (spread->announced.len > 0)
        era_wire_put_span(out, 1, spread->announced);
    if (spread->orders.len > 0)
        era_wire_put_span(out, 2, spread->orders);
}

bool era_frame_add_spread(struct era_frame_builder *b, const struct era_frame_spread *spread)
{
    assert(entries_fit(spread->announced) && entries_fit(spread->orders));
    return add_message(b, ERA_FRAME_SPREAD, write_spread, spread);
}
