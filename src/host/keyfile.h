/* keyfile: an Ed25519 key on disk. PATH, mode 0600, holds one line `erasec1…`;
 * PATH.pub beside it one line `erapub1…`. Never overwritten, never read when
 * group or others could read it too. Memory that held a secret is zeroed. */
#ifndef ERA_HOST_KEYFILE_H
#define ERA_HOST_KEYFILE_H

#include <stdbool.h>

#include "src/base/bytes.h"
#include "src/host/error.h"

/* Owner: era_keypair_clear when done. */
struct era_keypair {
    struct era_key key;
    uint8_t secret[ERA_SECRET_BYTES];
};

/* Make a new key, write PATH and PATH.pub. Refuses when either is there (73). out may be NULL. */
bool era_keyfile_generate(const char *path, struct era_keypair *out, struct era_error *err);
/* Load PATH. 66 not there, 77 open to others or another's, 65 malformed. PATH.pub is not read. */
bool era_keyfile_load(const char *path, struct era_keypair *out, struct era_error *err);
/* A public key: a text that begins with `erapub1`, else the file of that name.
 * 66 not there, 65 malformed, of small order, or a secret key (then named nowhere). */
bool era_keyfile_public(const char *text_or_path, struct era_key *out, struct era_error *err);
/* Zero it. NULL-safe. */
void era_keypair_clear(struct era_keypair *pair);

#endif
