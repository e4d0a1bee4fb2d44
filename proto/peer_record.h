/* peer_record: where a node says it can be dialled, signed by its node key, so
 * that nobody can invent addresses for others. Places are numbers (IP and
 * port), never names: what is dialled on a stranger's word is what was checked.
 * Pure. */
#ifndef ERA_PROTO_PEER_RECORD_H
#define ERA_PROTO_PEER_RECORD_H

#include "proto/limits.h"
#include "src/base/bytes.h"
#include "src/base/prng.h"
#include "src/base/verdict.h"

#define ERA_IP_BYTES_MAX 16

/* What kind of network an address belongs to. */
enum era_place_class {
    ERA_PLACE_PUBLIC,
    ERA_PLACE_PRIVATE,  /* 10/8, 172.16/12, 192.168/16, 100.64/10, 169.254/16; fc00::/7, fe80::/10 */
    ERA_PLACE_LOOPBACK, /* 127/8; ::1 */
    ERA_PLACE_UNUSABLE  /* unspecified, multicast, broadcast, IPv4 inside IPv6, port 0: nobody can be there */
};

struct era_place {
    uint8_t len; /* 4 or 16; 0 = none */
    uint8_t ip[ERA_IP_BYTES_MAX];
    uint16_t port;
};

struct era_peer_record {
    struct era_key node;
    struct era_place place;
    uint64_t made_ms; /* Unix time, by its node's clock; one made later replaces one made earlier */
    struct era_signature signature;
};

/* ---- what peers say to each other about peers (messages Neighbour, Walk, Shuffle) ---- */

enum era_neighbour_word {
    ERA_NEIGHBOUR_ASK = 1,
    ERA_NEIGHBOUR_ASK_ALONE = 2, /* by one who has no neighbour */
    ERA_NEIGHBOUR_YES = 3,
    ERA_NEIGHBOUR_NO = 4,
    ERA_NEIGHBOUR_SPARE = 5 /* I have more than I want: if you do too, say no */
};

struct era_peer_walk {
    uint32_t hops; /* still to go, at most ERA_OVERLAY_WALK_HOPS */
    struct era_peer_record joiner;
};

struct era_peer_shuffle {
    bool reply;
    size_t count;
    struct era_peer_record records[ERA_OVERLAY_SHUFFLE_MAX];
};

/* ---- places ---- */

/* tcp://A.B.C.D:PORT or tcp://[IPv6]:PORT. False for everything else (names, ipc), out untouched. */
bool era_place_parse(const char *address, struct era_place *out);
/* The one text of a place; era_place_parse reads it back. Returns out. */
const char *era_place_text(const struct era_place *place, char out[ERA_ADDRESS_BYTES_MAX + 1]);
bool era_place_eq(const struct era_place *a, const struct era_place *b);
enum era_place_class era_place_class(const struct era_place *place);
/* Places that may well belong to one owner share a group: /16 of IPv4, /32 of IPv6. Loopback and private
 * places are a group each: there whole networks live under one prefix. Keyed, so that nobody can aim. */
uint64_t era_place_group(const struct era_siphash_key *key, const struct era_place *place);

/* What the signature covers: BLAKE2b-256("erad-peer-v1" | network | node | made_ms | port | ip). */
struct era_hash era_peer_record_digest(const struct era_hash *network, const struct era_peer_record *record);
/* Made within ERA_RECORD_AGE_MAX_MS of wall_ms, Unix time by the reader's own clock: a node that lives makes
 * a new one every ERA_RECORD_RENEW_MS, and nobody else can. True when wall_ms is 0, not known. */
bool era_peer_record_is_current(const struct era_peer_record *record, uint64_t wall_ms);

#endif
