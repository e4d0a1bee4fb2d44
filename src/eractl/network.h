/* network: what a signer must know before it signs: charter, head, proposals.
 * It comes from a daemon or, on a machine without one, from a file, and is
 * verified here either way: nobody is believed but signatures and the pinned
 * network id. */
#ifndef ERA_ERACTL_NETWORK_H
#define ERA_ERACTL_NETWORK_H

#include "proto/charter.h"
#include "src/core/verify.h"
#include "src/eractl/cli.h"

#define ERA_OTHERS_MAX 32

struct era_blob {
    uint8_t *data; /* owned */
    size_t len;    /* 0: absent */
};

/* Unverified. */
struct era_material {
    char component[ERA_NAME_BYTES_MAX + 1];
    uint64_t epoch, next_seq;
    struct era_blob charter, head, proposal; /* canonical bytes; envelopes */
    size_t other_count;                      /* further proposals of the component above its head */
    struct era_blob others[ERA_OTHERS_MAX];
    json_t *proposal_json; /* what the daemon says of the proposal; NULL offline */
};

/* From the daemon. id: of the proposal to take along, a prefix will do; NULL: none. Status; errors printed.
 */
int era_material_fetch(const struct era_cli *cli, const char *component, const char *id,
                       struct era_material *out);
int era_material_read(const struct era_cli *cli, const char *path, struct era_material *out);
int era_material_write(const struct era_cli *cli, const char *path, const struct era_material *m);
void era_material_clear(struct era_material *m); /* NULL-safe */

/* A proposal whose author's signature was verified. */
struct era_known_proposal {
    struct era_hash id;
    struct era_bytes envelope; /* borrowed from the material */
    struct era_key author;
    struct era_proposal *proposal; /* owned */
};

/* Verified. Borrows the material. */
struct era_network {
    struct era_charter charter;
    struct era_hash id; /* of the network */
    struct era_verifier *verifier;
    const struct era_component *component; /* NULL when the material names none */
    uint64_t epoch;
    struct era_head_ref head_ref;
    struct era_known_proposal head;     /* .proposal NULL: none adopted */
    struct era_known_proposal proposal; /* .proposal NULL: none asked for */
    size_t other_count;
    struct era_known_proposal others[ERA_OTHERS_MAX];
    struct era_plan *plan; /* the head's or the initial one; owned */
};

/* Verify the material. pin: the network id it must be of; NULL: whatever its
 * charter says (looking, not signing). Status; errors printed. */
int era_network_open(const struct era_cli *cli, const struct era_material *m, const struct era_hash *pin,
                     struct era_network *out);
void era_network_close(struct era_network *n); /* NULL-safe */

/* The network that --key signs for: --network, else the file KEY.network, made
 * at first use from found. false: an error was printed, *status set. */
bool era_network_pin(const struct era_cli *cli, const char *key_path, const struct era_hash *found,
                     struct era_hash *pin, int *status);

/* The network id that a charter's bytes stand for. False: not decodable, or not version 0 (then --network
 * says). */
bool era_network_of_charter(const struct era_material *m, struct era_hash *out);

#endif
