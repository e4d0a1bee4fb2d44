/* channel: what stands between a byte stream and the frames of one link.
 * Pure: bytes come in, bytes go out, whoever owns it moves them.
 *
 *   preamble    both ends, in the clear: "erad", protocol range, network. The dialler sends its first
 *               handshake message along, so this costs no round trip. A wrong network, or no common
 *               protocol, is told by one's own preamble before any DH is spent.
 *   handshake   three records with the messages of Noise_XX_25519_ChaChaPoly_BLAKE2b, payloads empty.
 *               Prologue: "erad-link", network, the dialler's preamble, the listener's: who alters one of
 *               them on the way breaks the handshake.
 *   transport   records: a length (2 bytes, big-endian, of the Noise message) and the Noise message. Inside,
 *               frames one after the other, each a length (4 bytes, big-endian, 1 to ERA_FRAME_BYTES_MAX)
 *               and its body; records and frames do not begin or end together. Each direction rekeys after
 *               every ERA_CHANNEL_REKEY_RECORDS records.
 *
 * Invariants: lengths are checked before what they measure is stored; nothing is allocated before the
 * handshake is done, and then what the record and frame under way need, never more than ERA_CHANNEL_IN_BYTES;
 * a channel that failed gives and takes nothing more; frames come out only of what the proven peer wrote,
 * whole, once and in order. */
#ifndef ERA_P2P_CHANNEL_H
#define ERA_P2P_CHANNEL_H

#include "p2p/noise.h"
#include "proto/limits.h"
#include "src/base/verdict.h"

#define ERA_CHANNEL_PREAMBLE_BYTES 44
#define ERA_CHANNEL_FRAME_HEADER   4
#define ERA_CHANNEL_RECORD_HEADER  2
#define ERA_CHANNEL_RECORD_EXTRA   (ERA_CHANNEL_RECORD_HEADER + ERA_NOISE_TAG_BYTES)
#define ERA_CHANNEL_PLAIN_MAX      (ERA_NOISE_MESSAGE_MAX - ERA_NOISE_TAG_BYTES) /* bytes inside one record */
#define ERA_CHANNEL_REKEY_RECORDS  1024
/* A preamble and the longest message of the handshake: no end sends or waits for more at once. */
#define ERA_CHANNEL_EARLY_BYTES (ERA_CHANNEL_PREAMBLE_BYTES + ERA_CHANNEL_RECORD_HEADER + 96)
#define ERA_CHANNEL_IN_LEAST    ((size_t)4096) /* of an open channel with little to take */
/* A frame that is not whole, and a record that is not whole. */
#define ERA_CHANNEL_IN_BYTES                                                                                 \
    (ERA_CHANNEL_FRAME_HEADER + (size_t)ERA_FRAME_BYTES_MAX + ERA_CHANNEL_RECORD_HEADER +                    \
     ERA_NOISE_MESSAGE_MAX)

/* What a node is on all its links. */
struct era_channel_config {
    struct era_hash network;
    struct era_noise_keypair mine;
    uint32_t protocol_min, protocol_max;
};

enum era_channel_state {
    ERA_CHANNEL_PREAMBLE, /* waits for the peer's */
    ERA_CHANNEL_HANDSHAKE,
    ERA_CHANNEL_OPEN,
    ERA_CHANNEL_FAILED
};

struct era_channel {
    const struct era_channel_config *config; /* borrowed */
    enum era_channel_state state;
    enum era_verdict verdict; /* FAILED: why */
    bool dialled, held, waits;
    uint8_t preambles[2][ERA_CHANNEL_PREAMBLE_BYTES]; /* dialler's, listener's */
    struct era_noise_keypair ephemeral;
    struct era_noise_handshake noise;
    uint8_t peer[ERA_NOISE_KEY_BYTES]; /* OPEN: proven */

    struct era_noise_cipher send, receive;
    uint64_t records_sent, records_received;
    uint8_t *in;    /* OPEN: of in_size, owned; until then early */
    uint8_t *least; /* OPEN: owned, of ERA_CHANNEL_IN_LEAST; `in` when more is not needed */
    size_t in_size;
    size_t plain_start, plain_end, raw_start, raw_end; /* of in: decrypted, not yet decrypted */
    uint8_t early[ERA_CHANNEL_EARLY_BYTES];
    size_t out_len;
    uint8_t out[ERA_CHANNEL_EARLY_BYTES]; /* the handshake's, to be written */
};

/* ephemeral: fresh random bytes. The dialler has something to write at once. */
void era_channel_init(struct era_channel *c, const struct era_channel_config *config, bool dialled,
                      const uint8_t ephemeral[ERA_NOISE_KEY_BYTES]);
/* A listener's, at once after init: the dialler's first message is not answered, which takes all the DH there
 * is, before era_channel_go. */
void era_channel_hold(struct era_channel *c);
/* That message has come: nothing more is to be read before era_channel_go. */
bool era_channel_waits(const struct era_channel *c);
void era_channel_go(struct era_channel *c);
/* Wipes its secrets, frees its buffer. */
void era_channel_clear(struct era_channel *c);

/* ---- in ---- */
/* Where the next bytes of the stream go; *room >= 1 of them, once era_channel_next had no frame. */
uint8_t *era_channel_room(struct era_channel *c, size_t *room);
/* Nothing is to be read for a while: give back the room that is not needed, and what era_channel_next lent. */
void era_channel_rest(struct era_channel *c);
/* So many bytes were put there. May move the handshake on: see state, and era_channel_take. */
void era_channel_came(struct era_channel *c, size_t n);
/* The body of the next whole frame, borrowed until the next call of this or era_channel_room. False: none
 * yet, or the channel failed. */
bool era_channel_next(struct era_channel *c, struct era_bytes *body);
/* Forget what came and was not taken. */
void era_channel_drop(struct era_channel *c);
/* The stream would end in the middle of something. */
bool era_channel_is_amid(const struct era_channel *c);

/* ---- out ---- */
/* What the handshake wants written now, a last preamble of a channel that failed too. Returns its length. */
size_t era_channel_take(struct era_channel *c, uint8_t out[ERA_CHANNEL_EARLY_BYTES]);
/* OPEN: make a record of len (1 to ERA_CHANNEL_PLAIN_MAX) bytes of frames that lie at record +
 * ERA_CHANNEL_RECORD_HEADER, in place; record holds ERA_CHANNEL_RECORD_EXTRA more. Returns its length;
 * 0: no nonce is left, the channel has failed. */
size_t era_channel_seal(struct era_channel *c, uint8_t *record, size_t len);

#endif
