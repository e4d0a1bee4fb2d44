/* link_address: NNG's addresses and results in erad's words. */
#ifndef ERA_P2P_LINK_ADDRESS_H
#define ERA_P2P_LINK_ADDRESS_H

#include "p2p/link_nng.h"

#include <nng/nng.h>

/* One IPv4 address, one IPv6 /64, or all of ipc: what a stranger has only one of. */
struct era_link_host {
    uint8_t b[9];
};

/* An NNG result as 0 or a negative errno. */
int era_link_errno(int nng_result);
/* 0; -EINVAL for another scheme, -ENAMETOOLONG. */
int era_link_address_check(const char *address);
/* The text of an internet address, one of IPv4 as such on a listener of both families too; fallback for any
 * other. */
void era_link_address_text(const nng_sockaddr *sa, const char *fallback, char out[ERA_ADDRESS_BYTES_MAX + 1]);
struct era_link_host era_link_host(const nng_sockaddr *sa);

#endif
