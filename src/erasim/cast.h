/* cast: the people around the nodes. Honest signers propose, review and approve
 * as eractl does, each with a record of its own; builders rebuild and have
 * their node attest; hosts emit events through their node. The hostile hold
 * faulty keys (k - 1 signers of every component, validators of stake up to
 * floor((W - 1) / 3)) and links of their own, and say what they like.
 *
 * The engine (sim.c) calls these; they act through sim.h alone. */
#ifndef ERA_ERASIM_CAST_H
#define ERA_ERASIM_CAST_H

#include "src/erasim/sim.h"

/* Keys, charter 0, nodes and their anchors, as s->plan says. False and *why (static) when it does not fit. */
bool cast_make(struct sim *s, const char **why);
void cast_free(struct sim *s);

/* What is due at s->now_ms: people act, faults strike and end (strike.c). Returns when to call next. */
uint64_t cast_wake(struct sim *s);

/* The other end of a hostile link (sim_peer_dial below). */
void cast_peer_up(struct sim *s, uint64_t link);
void cast_peer_heard(struct sim *s, uint64_t link, struct era_bytes frame);
void cast_peer_down(struct sim *s, uint64_t link);

/* A reply to sim_ask came; a signal left a node. */
void cast_replied(struct sim *s, struct sim_node *n, const struct era_reply *r);
void cast_signalled(struct sim *s, struct sim_node *n, const struct era_signal *signal);

/* ---- the engine's, for hostile peers: a link between a node and nobody's node ---- */

/* Dial a node from an address of one's own; the number of the link, or 0 when the node is down or keeps that
 * host out. */
uint64_t sim_peer_dial(struct sim *s, struct sim_node *to, const char *address);
/* The node key that its end of the link proves. */
struct era_key sim_peer_key(uint64_t link);
/* A frame body (proto/frame.h) towards the node; it passes the net's latency but no fault. */
void sim_peer_send(struct sim *s, uint64_t link, struct era_bytes frame);
void sim_peer_close(struct sim *s, uint64_t link);
/* It ends by what it did to the stream, which the node's driver finds after what was sent before: a frame of
 * no length (ERA_MALFORMED) or too great a one (ERA_OVERSIZED), a record that is not authentic, or an end in
 * the middle of one (ERA_TRUNCATED). Closed as by sim_peer_close. */
void sim_peer_break(struct sim *s, uint64_t link, enum era_verdict verdict);

#endif
