/* The channel: what a stranger writes to a listener (first byte even), and what a proven peer writes inside
 * good records (odd), in pieces whose sizes the input chooses. Whatever comes, every frame is within its
 * bounds, a channel that failed gives nothing more, and nothing is allocated before a handshake is done.
 *   byte 0   bit 0: which; bits 1 to 7: bytes a piece
 *   byte 1   a stranger's: so many bytes of a good first flight come before; a peer's: bytes a read
 *   rest     the stranger's bytes; the bytes inside the peer's records
 */
#include <assert.h>
#include <string.h>

#include "p2p/channel.h"
#include "tests/fuzz/fuzz.h"

struct fuzzed {
    struct era_channel_config config;
    struct era_channel dialler, listener;
};

static void begin(struct fuzzed *f)
{
    static const uint8_t secrets[3][ERA_NOISE_KEY_BYTES] = {{1}, {2}, {3}};
    memset(f, 0, sizeof *f);
    f->config = (struct era_channel_config){.network = {{7}}, .protocol_min = 1, .protocol_max = 1};
    era_noise_keypair(&f->config.mine, secrets[0]);
    era_channel_init(&f->dialler, &f->config, true, secrets[1]);
    era_channel_init(&f->listener, &f->config, false, secrets[2]);
}

static void take_frames(struct era_channel *c)
{
    struct era_bytes body;
    while (era_channel_next(c, &body))
        assert(body.len >= 1 && body.len <= ERA_FRAME_BYTES_MAX && c->state == ERA_CHANNEL_OPEN);
    assert(c->state != ERA_CHANNEL_FAILED || c->verdict != ERA_ACCEPTED);
}

static void feed(struct era_channel *c, const uint8_t *bytes, size_t len, size_t piece)
{
    while (len > 0) {
        size_t room;
        uint8_t *to = era_channel_room(c, &room);
        assert(room >= 1);
        size_t n = len < piece ? len : piece;
        n = n < room ? n : room;
        memcpy(to, bytes, n);
        era_channel_came(c, n);
        assert((c->in != NULL) == (c->state == ERA_CHANNEL_OPEN) || c->state == ERA_CHANNEL_FAILED);
        take_frames(c);
        bytes += n;
        len -= n;
    }
}

/* What one end wants written reaches the other. */
static void flow(struct era_channel *from, struct era_channel *to)
{
    uint8_t bytes[ERA_CHANNEL_EARLY_BYTES];
    feed(to, bytes, era_channel_take(from, bytes), sizeof bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzzed f;
    static uint8_t record[ERA_CHANNEL_PLAIN_MAX + ERA_CHANNEL_RECORD_EXTRA];
    uint8_t first[ERA_CHANNEL_EARLY_BYTES];
    if (size < 2)
        return 0;
    size_t piece = (size_t)(data[0] >> 1) * 97 + 1, len = size - 2;
    begin(&f);
    if (data[0] & 1) {
        for (int i = 0; i < 2; i++) {
            flow(&f.dialler, &f.listener);
            flow(&f.listener, &f.dialler);
        }
        assert(f.listener.state == ERA_CHANNEL_OPEN);
        len = len < ERA_CHANNEL_PLAIN_MAX ? len : ERA_CHANNEL_PLAIN_MAX;
        for (size_t at = 0, step; at < len; at += step) { /* records as large as pieces */
            step = len - at < piece ? len - at : piece;
            memcpy(record + ERA_CHANNEL_RECORD_HEADER, data + 2 + at, step);
            feed(&f.listener, record, era_channel_seal(&f.dialler, record, step), data[1] + 1);
        }
    } else {
        size_t honest = era_channel_take(&f.dialler, first);
        feed(&f.listener, first, data[1] < honest ? data[1] : honest, piece);
        feed(&f.listener, data + 2, len, piece);
        assert(f.listener.state != ERA_CHANNEL_OPEN); /* nobody guesses a handshake */
    }
    era_channel_clear(&f.dialler);
    era_channel_clear(&f.listener);
    return 0;
}
