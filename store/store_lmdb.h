/* store_lmdb: the contract of store.h on disk, over LMDB (driver).
 *
 * At start, before any thread is started:
 *   era_store_lmdb_check        in a child process, since a truncated file is a SIGBUS
 *   era_store_lmdb_move_aside   when it says -EBADMSG; the peers give back what is lost
 *   era_store_lmdb_open
 * The caller holds the lock of the state directory through all of it (one daemon a
 * directory), and opens a directory once a process: LMDB's own locks need that.
 * One thread writes and syncs; any may read.
 *
 * What the check cannot see: one bit in the transaction number of LMDB's head pages,
 * which gives back the state before the last commit (a rollback like a restored copy,
 * and met as one), and wrong page numbers inside the tree, which show when LMDB next
 * writes there, as a crash or at the next check. A wrong value is always seen. */
#ifndef ERA_STORE_STORE_LMDB_H
#define ERA_STORE_STORE_LMDB_H

#include <stddef.h>

#include "store/store.h"

#define ERA_STORE_MAP_BYTES  ((size_t)1 << 30) /* default; the file is sparse and grows with use */
#define ERA_STORE_WHY_BYTES  256
#define ERA_STORE_PATH_BYTES 4096
#define ERA_STORE_ASIDE_MAX  1000 /* damaged stores beside each other */

/* Look at the head pages, every record and its tag, and the lists of free pages of the
 * store in dir, in a child process.
 * 0: sound, or there is none. -EBADMSG: damaged. -EPROTONOSUPPORT: a newer version
 * made it; leave it. Other: it could not be looked at (-EACCES, -ENOMEM, …). */
int era_store_lmdb_check(const char *dir);

/* Rename dir to dir.damaged-N, N from 1, the first that is free. moved holds the new
 * path. Never replaces one: -EEXIST when ERA_STORE_ASIDE_MAX are there. */
int era_store_lmdb_move_aside(const char *dir, char moved[ERA_STORE_PATH_BYTES]);

/* Open the store in dir, made (0700) if missing.
 * map_bytes  upper bound of the file; commits beyond it are -ENOSPC.
 * why        what failed, when the result is not 0.
 * -EPROTONOSUPPORT: a newer version made it; its data are untouched.
 * -EBADMSG: it is no store of erad. -ENOSPC, -EACCES, … negative errno. */
int era_store_lmdb_open(const char *dir, size_t map_bytes, struct era_store **out,
                        char why[ERA_STORE_WHY_BYTES]);

#endif
