/* frame_peers: the parts of a frame that speak of peers: Neighbour, Walk,
 * Shuffle. Only for frame.c. Strict as the others: bounds of limits.h, and a
 * record's place is 4 or 16 bytes of IP and a port of 16 bits. */
#ifndef ERA_PROTO_FRAME_PEERS_H
#define ERA_PROTO_FRAME_PEERS_H

#include "proto/peer_record.h"
#include "proto/wire.h"

enum era_verdict era_neighbour_read(struct era_bytes in, enum era_neighbour_word *out);
enum era_verdict era_walk_read(struct era_bytes in, struct era_peer_walk *out);
enum era_verdict era_shuffle_read(struct era_bytes in, struct era_peer_shuffle *out);
/* As era_wire_write: of enum era_neighbour_word, struct era_peer_walk, struct era_peer_shuffle. */
void era_neighbour_write(struct era_wire_out *out, const void *word);
void era_walk_write(struct era_wire_out *out, const void *walk);
void era_shuffle_write(struct era_wire_out *out, const void *shuffle);

#endif
