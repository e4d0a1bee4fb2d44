/* lib_ipc: what the tests of the local sockets share. */
#ifndef ERA_TESTS_LIB_IPC_H
#define ERA_TESTS_LIB_IPC_H

#include <stdint.h>

#define DEADLINE_MS 60000

int64_t now_ms(void);

/* A directory of its own, and the path of one socket in it. */
struct place {
    char dir[32];
    char path[64];
};
struct place given_place(void);
/* Fails the test when something is left in the directory. */
void place_remove(const struct place *p);

/* A socket file nobody listens on, as a killed daemon leaves it. */
void given_stale_socket(const char *path);

#endif
