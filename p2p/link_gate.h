/* link_gate: which strangers may come in, and whose handshake is worth the next DH.
 * A stranger is an accepted stream that has not been told UP.
 *
 * Pace: ERA_ACCEPTS_PER_S, after ERA_ACCEPTS_BURST at once. Even a connection that is closed on sight costs a
 * turn of every thread of NNG's; above that pace they wait in the system's queue, and at their own cost.
 * Whose host is known to be unwelcome is closed without a place or a handshake, and has a pace of its own,
 * ERA_TURNED_AWAY_PER_S after ERA_TURNED_AWAY_BURST at once: so he takes nobody's turn.
 *
 * Places: ERA_HANDSHAKES_MAX in all, ERA_HANDSHAKES_PER_ADDRESS_MAX for a host. When they are full, a
 * newcomer takes the place of another: of its own host's when that has its share, else in the net that has
 * the most, there in the site, there of the host that has; of one that is being turned away, then of one that
 * has not said what network it wants, then of the oldest. So nobody, however many streams he holds and
 * however many hosts he has in a row, keeps others out, and silence buys nothing.
 *
 * Work: a first message, which costs four DH to answer, waits until its turn: ERA_HANDSHAKES_PER_S, after
 * ERA_HANDSHAKES_BURST at once, the net first that was served least recently, there the site, there the host.
 * So whoever makes handshakes by the thousand waits for himself, and the processor is left to those who are
 * linked.
 *
 * A host is an IPv4 address, an IPv6 /64, or all of ipc; its site a /24, or /48; its net a /16, or /32.
 *
 * Invariants: a link is in the list of strangers exactly while it is one; who waits is in it. */
#ifndef ERA_P2P_LINK_GATE_H
#define ERA_P2P_LINK_GATE_H

#include "p2p/link_address.h"
#include "src/base/prng.h"

#define ERA_LINK_GATE_ROWS   256 /* hosts that share a row are counted as one */
#define ERA_LINK_GATE_LEVELS 3   /* net, site, host */

struct era_link_driver;
struct link;

/* How much of something was done; it comes back with time. */
struct era_link_pace {
    uint64_t spent, at_ms; /* thousandths */
};

struct era_link_gate {
    struct era_siphash_key key; /* so that nobody chooses whose row he shares */
    struct link *strangers[ERA_HANDSHAKES_MAX];
    size_t count;
    size_t waiting;                                            /* strangers whose first message has come */
    uint64_t served[ERA_LINK_GATE_LEVELS][ERA_LINK_GATE_ROWS]; /* the turn in which it was served last */
    uint64_t turn;
    struct era_link_pace accepts, turned_away, handshakes;
};

void era_link_gate_init(struct era_link_gate *gate);
/* May another connection be taken from the system's queue, whoever it is from? */
bool era_link_gate_opens(struct era_link_gate *gate);
/* One was; welcome: the screen kept it not out. */
void era_link_gate_took(struct era_link_gate *gate, bool welcome);
/* Makes a place for a stranger from there, if need be by shutting another. False: there is none now. */
bool era_link_gate_admit(struct era_link_driver *d, const struct era_link_host *host);
/* It is a stranger from now on; it was admitted. */
void era_link_gate_enter(struct era_link_driver *d, struct link *l);
/* It is told UP, or shut. Does nothing when it is no stranger. */
void era_link_gate_leave(struct era_link_driver *d, struct link *l);
/* Its first message has come, and waits. */
void era_link_gate_wait(struct era_link_driver *d, struct link *l);
/* Lets handshakes go on whose turn it is; now and whenever some time has passed. */
void era_link_gate_serve(struct era_link_driver *d);

#endif
