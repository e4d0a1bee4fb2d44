/* sign: what propose, approve and reject share: the key, the network it signs
 * for, and where the signed statement goes. */
#ifndef ERA_ERACTL_SIGN_H
#define ERA_ERACTL_SIGN_H

#include "src/core/author.h"
#include "src/eractl/network.h"

struct era_signing {
    struct era_secret secret;
};

/* --key is there; --offline comes with -o; no contradictions. Status. */
int era_signing_check_options(const struct era_cli *cli);
/* From --offline FILE or the daemon, with proposal id if not NULL. Status. */
int era_signing_material(const struct era_cli *cli, const char *id, struct era_material *out);
/* era_network_open under the key's pinned network. Status. */
int era_signing_network(const struct era_cli *cli, const struct era_material *m, struct era_network *out);

/* Load --key, which must be a signer of the component. Status. */
int era_signing_open(const struct era_cli *cli, const struct era_network *n, struct era_signing *out);
void era_signing_close(struct era_signing *s); /* zeroes the secret */

/* Sign, then submit it or write it to -o; prints its id.
 * more   further members of the JSON form, taken over; NULL: none. Status. */
int era_signing_send(const struct era_cli *cli, const struct era_network *n, const struct era_signing *s,
                     const struct era_statement *statement, json_t *more);

#endif
