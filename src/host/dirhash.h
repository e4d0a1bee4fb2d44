/* dirhash: digests of build outputs that anyone can check without erad (T2).
 *   h1:BASE64    Go's dirhash Hash1 over names relative to the directory:
 *                SHA-256 over the lines `hex-sha256␠␠path\n`, ascending by the
 *                whole path's bytes, '/' between parts.
 *   m1:BASE64    the same over lines `mode␠hex-sha256␠␠path\n`, mode 0755
 *                when any x bit is set, else 0644.
 *   sha256:HEX   of one file.
 * Names are raw bytes. A newline in a name, and whatever is neither file nor
 * directory (links, devices, fifos, sockets) is refused by name. Empty
 * directories do not count. Bounded by ERA_TREE_* (proto/limits.h); no link is
 * ever followed below the directory; files are streamed. */
#ifndef ERA_HOST_DIRHASH_H
#define ERA_HOST_DIRHASH_H

#include <stdbool.h>

#include "proto/limits.h"
#include "src/host/error.h"

enum era_digest_kind { ERA_DIGEST_H1, ERA_DIGEST_M1 };

/* dir may itself be a link: the user named it. Not a snapshot: a file that
 * vanishes or changes while it is read is an error (75); what changes before or
 * after its turn is not seen. Refusals are 65, err->where names the entry. */
bool era_dirhash_tree(const char *dir, enum era_digest_kind kind, char out[ERA_DIGEST_BYTES_MAX + 1],
                      struct era_error *err);
/* "sha256:" and hex of one regular file. */
bool era_dirhash_file(const char *path, char out[ERA_DIGEST_BYTES_MAX + 1], struct era_error *err);

#endif
