/* driver: link_nng on real sockets, for tests: waiting is on its fd, with a deadline; nothing sleeps. */
#ifndef ERA_TESTS_P2P_DRIVER_H
#define ERA_TESTS_P2P_DRIVER_H

#include "p2p/link_nng.h"
#include "tests/p2p/rawlink.h"

#include <stdint.h>

#define DEADLINE_MS 60000

extern const struct era_hash driver_network;

int64_t driver_now_ms(void);
/* The next event; the test fails when none comes in time. */
struct era_link_event driver_next(struct era_link_driver *d);
/* The next event of that kind; any other is passed over. */
struct era_link_event driver_await(struct era_link_driver *d, enum era_link_event_kind kind);
/* A driver with a key of its own. */
struct era_link_driver *given_driver(size_t links_max);
/* A plain TCP client of address, for what no honest driver would send; from that address of loopback. */
int given_raw_client_of(uint32_t host, const char *address);
int given_raw_client(const char *address);
/* The same, its handshake done: d was asked for events meanwhile, and the only one is its UP. */
struct rawlink given_raw_link(struct era_link_driver *d, const char *address, struct era_link_event *up);
/* The other end has closed it. */
bool is_closed(int fd);

#endif
