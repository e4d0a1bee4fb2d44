/* rawlink: the dialling end of a link over a plain socket, for tests that say
 * what no honest driver would. Speaks the channel up to where a test departs
 * from it. */
#ifndef ERA_TESTS_P2P_RAWLINK_H
#define ERA_TESTS_P2P_RAWLINK_H

#include "p2p/channel.h"

struct rawlink {
    int fd; /* owned */
    struct era_channel_config config;
    struct era_channel channel;
    uint8_t first[ERA_CHANNEL_EARLY_BYTES]; /* preamble and first message */
    size_t first_len;
};

/* A key of its own, and both protocols of this version. */
struct era_channel_config rawlink_config(const struct era_hash *network);
/* A channel on a connected socket; nothing is written yet: r->first holds what should be. */
void rawlink_begin(struct rawlink *r, int fd, const struct era_channel_config *config);
void rawlink_end(struct rawlink *r); /* closes the socket */
/* Write all of it. False: the other end has closed, or takes nothing for ms. */
bool rawlink_write(int fd, const void *bytes, size_t len, int ms);
/* Read what comes within ms, and answer for the handshake. False: the stream ended. */
bool rawlink_step(struct rawlink *r, int ms);
/* From the first byte to the last message. False: it did not open. */
bool rawlink_shake(struct rawlink *r, int ms);
/* Bytes of frames, sealed into one record, to be sent or spoilt: returns its length.
 * record holds len + ERA_CHANNEL_RECORD_EXTRA. */
size_t rawlink_seal(struct rawlink *r, const void *bytes, size_t len, uint8_t *record);
/* Seal them, and write the record. */
bool rawlink_put(struct rawlink *r, const void *bytes, size_t len, int ms);

#endif
