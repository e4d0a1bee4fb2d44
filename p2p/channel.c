#include "p2p/channel.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC       "erad"
#define MAGIC_BYTES 4
#define NAME        "erad-link"

/* ---- preambles ---- */

static void preamble_write(const struct era_channel_config *config, uint8_t out[ERA_CHANNEL_PREAMBLE_BYTES])
{
    memcpy(out, MAGIC, MAGIC_BYTES);
    era_put_be32(out + 4, config->protocol_min);
    era_put_be32(out + 8, config->protocol_max);
    memcpy(out + 12, config->network.b, ERA_HASH_BYTES);
}

static enum era_verdict preamble_check(const struct era_channel_config *config,
                                       const uint8_t in[ERA_CHANNEL_PREAMBLE_BYTES])
{
    uint32_t min = era_get_be32(in + 4), max = era_get_be32(in + 8);
    if (memcmp(in + 12, config->network.b, ERA_HASH_BYTES) != 0)
        return ERA_WRONG_NETWORK;
    if (min > max || min > config->protocol_max || max < config->protocol_min)
        return ERA_NO_COMMON_PROTOCOL;
    return ERA_ACCEPTED;
}

/* ---- life ---- */

static void out_add(struct era_channel *c, const uint8_t *bytes, size_t len)
{
    assert(c->out_len + len <= sizeof c->out);
    memcpy(c->out + c->out_len, bytes, len);
    c->out_len += len;
}

static void out_add_record(struct era_channel *c, const uint8_t *message, size_t len)
{
    uint8_t header[ERA_CHANNEL_RECORD_HEADER] = {(uint8_t)(len >> 8), (uint8_t)len};
    out_add(c, header, sizeof header);
    out_add(c, message, len);
}

void era_channel_init(struct era_channel *c, const struct era_channel_config *config, bool dialled,
                      const uint8_t ephemeral[ERA_NOISE_KEY_BYTES])
{
    memset(c, 0, sizeof *c);
    c->config = config;
    c->dialled = dialled;
    preamble_write(config, c->preambles[!dialled]);
    memcpy(c->ephemeral.secret, ephemeral, sizeof c->ephemeral.secret);
    if (!dialled)
        return; /* no work for a stranger */
    /* The first message is the ephemeral key in the clear, whatever the prologue will be. */
    era_noise_keypair(&c->ephemeral, ephemeral);
    out_add(c, c->preambles[0], ERA_CHANNEL_PREAMBLE_BYTES);
    out_add_record(c, c->ephemeral.key, sizeof c->ephemeral.key);
}

static void wipe(struct era_channel *c)
{
    era_noise_handshake_wipe(&c->noise);
    sodium_memzero(&c->ephemeral, sizeof c->ephemeral);
    sodium_memzero(&c->send, sizeof c->send);
    sodium_memzero(&c->receive, sizeof c->receive);
}

void era_channel_clear(struct era_channel *c)
{
    wipe(c);
    if (c->in != c->least)
        free(c->in);
    free(c->least);
    memset(c, 0, sizeof *c);
    c->state = ERA_CHANNEL_FAILED;
}

static void fail(struct era_channel *c, enum era_verdict why)
{
    wipe(c);
    c->state = ERA_CHANNEL_FAILED;
    c->verdict = why;
}

/* ---- handshake ---- */

static void handshake_begin(struct era_channel *c)
{
    uint8_t prologue[sizeof NAME - 1 + ERA_HASH_BYTES + sizeof c->preambles], *at = prologue;
    memcpy(at, NAME, sizeof NAME - 1);
    at += sizeof NAME - 1;
    memcpy(at, c->config->network.b, ERA_HASH_BYTES);
    memcpy(at + ERA_HASH_BYTES, c->preambles, sizeof c->preambles);
    era_noise_handshake_init(&c->noise, c->dialled, (struct era_bytes){prologue, sizeof prologue},
                             &c->config->mine, &c->ephemeral);
    sodium_memzero(&c->ephemeral, sizeof c->ephemeral);
}

static void handshake_write(struct era_channel *c)
{
    uint8_t message[96];
    size_t len;
    bool sent_before = c->noise.done == 0; /* beside the preamble */
    if (!era_noise_handshake_write(&c->noise, (struct era_bytes){message, 0}, message, &len))
        fail(c, ERA_NOT_AUTHENTIC);
    else if (!sent_before)
        out_add_record(c, message, len);
}

static void handshake_end(struct era_channel *c)
{
    c->in = c->least = malloc(ERA_CHANNEL_IN_LEAST);
    assert(c->in != NULL);
    era_noise_handshake_split(&c->noise, &c->send, &c->receive);
    memcpy(c->peer, c->noise.peer, sizeof c->peer);
    /* The peer may have written on already. */
    c->raw_end -= c->raw_start;
    memcpy(c->in, c->early + c->raw_start, c->raw_end);
    c->raw_start = 0;
    c->in_size = ERA_CHANNEL_IN_LEAST;
    c->state = ERA_CHANNEL_OPEN;
}

/* The next of `early`. False: it is not whole yet, or the channel failed. */
static bool early_unit(struct era_channel *c, size_t len, const uint8_t **unit)
{
    if (c->raw_end - c->raw_start < len)
        return false;
    *unit = c->early + c->raw_start;
    c->raw_start += len;
    return true;
}

static bool take_preamble(struct era_channel *c)
{
    const uint8_t *preamble;
    size_t have = c->raw_end - c->raw_start;
    if (memcmp(c->early + c->raw_start, MAGIC, have < MAGIC_BYTES ? have : MAGIC_BYTES) != 0) {
        fail(c, ERA_MALFORMED);
        return false;
    }
    if (!early_unit(c, ERA_CHANNEL_PREAMBLE_BYTES, &preamble))
        return false;
    memcpy(c->preambles[c->dialled], preamble, ERA_CHANNEL_PREAMBLE_BYTES);
    if (!c->dialled) /* also to say why, if it is the last word */
        out_add(c, c->preambles[1], ERA_CHANNEL_PREAMBLE_BYTES);
    enum era_verdict verdict = preamble_check(c->config, preamble);
    if (verdict != ERA_ACCEPTED) {
        fail(c, verdict);
        return false;
    }
    c->state = ERA_CHANNEL_HANDSHAKE;
    if (c->dialled) {
        handshake_begin(c);
        handshake_write(c);
    }
    return c->state == ERA_CHANNEL_HANDSHAKE;
}

static bool take_message(struct era_channel *c)
{
    size_t want = era_noise_message_overhead(c->noise.done), len, have = c->raw_end - c->raw_start;
    const uint8_t *record = c->early + c->raw_start;
    uint8_t payload[1];
    if (have < ERA_CHANNEL_RECORD_HEADER)
        return false;
    if ((size_t)record[0] << 8 != (want & 0xFF00) || record[1] != (want & 0xFF)) {
        fail(c, ERA_MALFORMED);
        return false;
    }
    if (have < ERA_CHANNEL_RECORD_HEADER + want)
        return false;
    c->waits = c->held && c->noise.done == 0;
    if (c->waits || !early_unit(c, ERA_CHANNEL_RECORD_HEADER + want, &record))
        return false;
    if (!c->dialled && c->noise.done == 0) { /* only now is this stranger worth a key */
        era_noise_keypair(&c->ephemeral, c->ephemeral.secret);
        handshake_begin(c);
    }
    struct era_bytes message = {record + ERA_CHANNEL_RECORD_HEADER, want};
    if (!era_noise_handshake_read(&c->noise, message, payload, &len)) {
        fail(c, ERA_NOT_AUTHENTIC);
        return false;
    }
    if (era_noise_handshake_writes(&c->noise))
        handshake_write(c);
    if (c->state == ERA_CHANNEL_HANDSHAKE && era_noise_handshake_done(&c->noise))
        handshake_end(c);
    return c->state == ERA_CHANNEL_HANDSHAKE;
}

/* ---- in ---- */

/* What was decrypted, then what was not, from the buffer's beginning. */
static void pack(struct era_channel *c)
{
    size_t plain = c->plain_end - c->plain_start, raw = c->raw_end - c->raw_start;
    uint8_t *in = c->in != NULL ? c->in : c->early;
    if (c->plain_start > 0) /* else a frame that comes byte by byte would be moved as often */
        memmove(in, in + c->plain_start, plain);
    memmove(in + plain, in + c->raw_start, raw);
    c->plain_start = 0;
    c->plain_end = c->raw_start = plain;
    c->raw_end = plain + raw;
}

/* The least room stays where it is: made anew in a burst, it would hold pages amid what the burst left. */
static void grow(struct era_channel *c, size_t size)
{
    uint8_t *in = realloc(c->in == c->least ? NULL : c->in, size);
    assert(in != NULL);
    if (c->in == c->least)
        memcpy(in, c->in, c->raw_end);
    c->in = in;
    c->in_size = size;
}

static void shrink(struct era_channel *c)
{
    free(c->in);
    c->in = c->least;
    c->in_size = ERA_CHANNEL_IN_LEAST;
}

/* Memory follows what came, twofold, up to what the record under way needs; it goes when all was taken. */
static void fit(struct era_channel *c)
{
    size_t raw = c->raw_end - c->raw_start, need = c->plain_end + ERA_CHANNEL_IN_LEAST;
    if (raw >= ERA_CHANNEL_RECORD_HEADER) {
        const uint8_t *record = c->in + c->raw_start;
        size_t whole = ERA_CHANNEL_RECORD_HEADER + ((size_t)record[0] << 8 | record[1]);
        need = c->plain_end + (whole > ERA_CHANNEL_IN_LEAST ? whole : ERA_CHANNEL_IN_LEAST);
    }
    if (need > 2 * (c->raw_end + ERA_CHANNEL_IN_LEAST))
        need = 2 * (c->raw_end + ERA_CHANNEL_IN_LEAST);
    if (need > ERA_CHANNEL_IN_BYTES)
        need = ERA_CHANNEL_IN_BYTES;
    if (need > c->in_size)
        grow(c, need);
    else if (c->raw_end == 0 && c->in != c->least)
        shrink(c);
}

uint8_t *era_channel_room(struct era_channel *c, size_t *room)
{
    if (c->state == ERA_CHANNEL_FAILED)
        era_channel_drop(c);
    pack(c);
    if (c->state == ERA_CHANNEL_OPEN)
        fit(c);
    size_t cap = c->in != NULL ? c->in_size : sizeof c->early;
    assert(c->raw_end < cap);
    *room = cap - c->raw_end;
    return (c->in != NULL ? c->in : c->early) + c->raw_end;
}

void era_channel_rest(struct era_channel *c)
{
    if (c->state != ERA_CHANNEL_OPEN || c->in == c->least)
        return;
    pack(c);
    if (c->raw_end > ERA_CHANNEL_IN_LEAST)
        return;
    memcpy(c->least, c->in, c->raw_end);
    shrink(c);
}

static void take_early(struct era_channel *c)
{
    bool more = true;
    while (more)
        switch (c->state) {
        case ERA_CHANNEL_PREAMBLE:
            more = take_preamble(c);
            break;
        case ERA_CHANNEL_HANDSHAKE:
            more = take_message(c);
            break;
        case ERA_CHANNEL_OPEN:
        case ERA_CHANNEL_FAILED:
            more = false;
            break;
        }
}

void era_channel_came(struct era_channel *c, size_t n)
{
    c->raw_end += n;
    assert(c->raw_end <= (c->in != NULL ? c->in_size : sizeof c->early));
    if (n > 0)
        take_early(c);
}

void era_channel_hold(struct era_channel *c)
{
    assert(!c->dialled && c->state == ERA_CHANNEL_PREAMBLE);
    c->held = true;
}

bool era_channel_waits(const struct era_channel *c)
{
    return c->waits && c->state == ERA_CHANNEL_HANDSHAKE;
}

void era_channel_go(struct era_channel *c)
{
    c->held = c->waits = false;
    take_early(c);
}

/* Both ends count, so both do it between the same two records. */
static void count_record(struct era_noise_cipher *cipher, uint64_t *records)
{
    if (++*records % ERA_CHANNEL_REKEY_RECORDS == 0)
        era_noise_rekey(cipher);
}

/* Decrypts the next record, behind what was decrypted before. False: it is not whole, or not authentic. */
static bool open_record(struct era_channel *c)
{
    uint8_t *record = c->in + c->raw_start;
    size_t have = c->raw_end - c->raw_start, len;
    if (have < ERA_CHANNEL_RECORD_HEADER)
        return false;
    struct era_bytes message = {record + ERA_CHANNEL_RECORD_HEADER, (size_t)record[0] << 8 | record[1]};
    if (message.len <= ERA_NOISE_TAG_BYTES) { /* the length is not encrypted: who is on the way can alter it */
        fail(c, ERA_NOT_AUTHENTIC);
        return false;
    }
    if (have < ERA_CHANNEL_RECORD_HEADER + message.len)
        return false;
    if (!era_noise_decrypt(&c->receive, (struct era_bytes){record, 0}, message,
                           record + ERA_CHANNEL_RECORD_HEADER, &len)) {
        fail(c, ERA_NOT_AUTHENTIC);
        return false;
    }
    count_record(&c->receive, &c->records_received);
    memmove(c->in + c->plain_end, message.data, len);
    c->plain_end += len;
    c->raw_start += ERA_CHANNEL_RECORD_HEADER + message.len;
    return true;
}

bool era_channel_next(struct era_channel *c, struct era_bytes *body)
{
    while (c->state == ERA_CHANNEL_OPEN) {
        size_t have = c->plain_end - c->plain_start;
        const uint8_t *frame = c->in + c->plain_start;
        uint32_t len = have >= ERA_CHANNEL_FRAME_HEADER ? era_get_be32(frame) : 1;
        if (len == 0 || len > ERA_FRAME_BYTES_MAX) {
            fail(c, len == 0 ? ERA_MALFORMED : ERA_OVERSIZED);
        } else if (have >= ERA_CHANNEL_FRAME_HEADER + (size_t)len) {
            c->plain_start += ERA_CHANNEL_FRAME_HEADER + (size_t)len;
            *body = (struct era_bytes){frame + ERA_CHANNEL_FRAME_HEADER, len};
            return true;
        } else if (!open_record(c)) {
            return false;
        }
    }
    return false;
}

void era_channel_drop(struct era_channel *c)
{
    c->plain_start = c->plain_end = c->raw_start = c->raw_end = 0;
}

bool era_channel_is_amid(const struct era_channel *c)
{
    return c->plain_end > c->plain_start || c->raw_end > c->raw_start;
}

/* ---- out ---- */

size_t era_channel_take(struct era_channel *c, uint8_t out[ERA_CHANNEL_EARLY_BYTES])
{
    size_t len = c->out_len;
    memcpy(out, c->out, len);
    c->out_len = 0;
    return len;
}

size_t era_channel_seal(struct era_channel *c, uint8_t *record, size_t len)
{
    uint8_t *plain = record + ERA_CHANNEL_RECORD_HEADER;
    size_t sealed;
    assert(len >= 1 && len <= ERA_CHANNEL_PLAIN_MAX);
    if (c->state != ERA_CHANNEL_OPEN)
        return 0;
    if (!era_noise_encrypt(&c->send, (struct era_bytes){record, 0}, (struct era_bytes){plain, len}, plain,
                           &sealed)) {
        fail(c, ERA_NOT_AUTHENTIC); /* nothing more could be */
        return 0;
    }
    count_record(&c->send, &c->records_sent);
    record[0] = (uint8_t)(sealed >> 8);
    record[1] = (uint8_t)sealed;
    return ERA_CHANNEL_RECORD_HEADER + sealed;
}
