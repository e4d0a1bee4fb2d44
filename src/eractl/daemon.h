/* daemon: finding erad's socket, asking it, and passing on what it says. */
#ifndef ERA_ERACTL_DAEMON_H
#define ERA_ERACTL_DAEMON_H

#include "proto/control.h"
#include "src/eractl/cli.h"

#define ERA_ASK_MS      30000
#define ERA_ASK_LONG_MS (3600 * 1000) /* the daemon hashes a whole tree */

struct era_answer {
    struct era_response response;
    json_t *json; /* an object; NULL when the daemon sent none */
    int error;    /* negative errno of a failed call, 0: it answered */
};

/* Ask. 0 and *answer (era_answer_clear), or the status of an error already printed. */
int era_ask(const struct era_cli *cli, const struct era_request *request, struct era_answer *answer);
/* The same, but prints nothing. On failure *answer may hold the daemon's
 * refusal, and is to be cleared in any case; era_ask_failed says it then. */
int era_ask_quietly(const struct era_cli *cli, const struct era_request *request, struct era_answer *answer);
int era_ask_quietly_for(const struct era_cli *cli, const struct era_request *request, int timeout_ms,
                        struct era_answer *answer);
/* Print why a quiet question failed. Returns the status. */
int era_ask_failed(const struct era_cli *cli, const struct era_answer *answer);
void era_answer_clear(struct era_answer *answer); /* NULL-safe */

/* Print the daemon's JSON as it came. */
int era_pass_json(const struct era_cli *cli, const struct era_answer *answer);

/* The socket named `name` ("signal.sock") beside the control socket; malloc'd. NULL: an error was printed. */
char *era_socket_beside(const struct era_cli *cli, const char *name, int *status);
/* An unreachable daemon: prints why. Returns the status. */
int era_fail_socket(const struct era_cli *cli, int negative_errno, const char *path);

#endif
