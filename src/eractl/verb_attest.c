/* attest, ready, unlock. The digest is the daemon's to compute: no option takes one (T5). */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/eractl/daemon.h"
#include "src/eractl/print.h"
#include "src/eractl/text.h"
#include "src/eractl/verbs.h"
#include "src/host/dirhash.h"

#define COPY_BYTES   65536
#define WALK_FDS_MAX 32

static int no_id(const struct era_cli *cli)
{
    return era_fail(cli, ERA_EXIT_USAGE, NULL, cli->args[0], "give 8 to 64 digits; `eractl inbox` shows them",
                    "this is no id of a proposal");
}

static int fail_errno(const struct era_cli *cli, const char *where, const char *doing)
{
    struct era_error err;
    era_error_errno(&err, -errno, where, doing);
    return era_fail_error(cli, &err);
}

/* ---- a fresh place to build in ---- */

struct workshop {
    char root[PATH_MAX]; /* of the temporary tree */
    char *source, *out;  /* ROOT/source, where the command runs; ROOT/out, where its output is expected */
    char source_digest[ERA_DIGEST_BYTES_MAX + 1]; /* "" without --source */
};

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    return remove(path);
}

static void workshop_close(struct workshop *w)
{
    nftw(w->root, remove_one, WALK_FDS_MAX, FTW_DEPTH | FTW_PHYS);
    free(w->source);
    free(w->out);
}

static int workshop_open(const struct era_cli *cli, struct workshop *w)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(w->root, sizeof w->root, "%s/eractl-build.XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(w->root))
        return fail_errno(cli, w->root, "make a directory to build in");
    w->source = era_text_format("%s/source", w->root);
    w->out = era_text_format("%s/out", w->root);
    w->source_digest[0] = '\0';
    /* The daemon may run as another user: it has to reach `out`, and need not list what is here. */
    if (chmod(w->root, 0711) == 0 && mkdir(w->source, 0700) == 0)
        return 0;
    int status = fail_errno(cli, w->root, "make a directory to build in");
    workshop_close(w);
    return status;
}

static bool copy_bytes(int from, int to)
{
    char *buffer = malloc(COPY_BYTES);
    ssize_t n;
    assert(buffer);
    while ((n = read(from, buffer, COPY_BYTES)) > 0)
        for (ssize_t done = 0, w; done < n; done += w)
            if ((w = write(to, buffer + done, (size_t)(n - done))) < 0) {
                free(buffer);
                return false;
            }
    free(buffer);
    return n == 0;
}

static bool copy_file(const char *from, const char *to, mode_t mode)
{
    int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    int out = in < 0 ? -1 : open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok = out >= 0 && copy_bytes(in, out) && fchmod(out, mode & 0777) == 0;
    int kept = errno;
    if (in >= 0)
        close(in);
    if (out >= 0 && close(out) != 0)
        ok = false;
    errno = kept;
    return ok;
}

/* nftw gives its callback no argument of ours. */
static struct {
    const char *to;
    size_t from_len;
} copying;

static int copy_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    char *to = era_text_format("%s%s", copying.to, path + copying.from_len);
    bool ok = false;
    if (walk->level == 0)
        ok = type == FTW_D; /* is there already */
    else if (type == FTW_D)
        ok = mkdir(to, 0700) == 0;
    else if (type == FTW_F && S_ISREG(st->st_mode))
        ok = copy_file(path, to, st->st_mode);
    else
        errno = EINVAL; /* links, devices: the digest refuses them too */
    free(to);
    return ok ? 0 : -1;
}

/* A copy, and the digest of that very copy: what is built is what is named. */
static int copy_source(const struct era_cli *cli, const char *from, struct workshop *w)
{
    struct era_error err;
    char *whole = realpath(from, NULL);
    if (!whole)
        return fail_errno(cli, from, "read the source");
    copying.to = w->source;
    copying.from_len = strlen(whole);
    int status = 0;
    /* First the digest of the original: it names what cannot be copied. */
    if (!era_dirhash_tree(whole, ERA_DIGEST_H1, w->source_digest, &err))
        status = era_fail_error(cli, &err);
    else if (nftw(whole, copy_one, WALK_FDS_MAX, FTW_PHYS) != 0)
        status = fail_errno(cli, from, "copy the source");
    else if (!era_dirhash_tree(w->source, ERA_DIGEST_H1, w->source_digest, &err))
        status = era_fail_error(cli, &err);
    free(whole);
    return status;
}

/* The command's own output is a message: it goes to our stderr. */
static int run_build(const struct era_cli *cli, const char *command, const struct workshop *w)
{
    int state;
    struct stat st;
    pid_t pid = fork();
    if (pid == 0) {
        if (chdir(w->source) == 0 && setenv("ERAD_OUT", w->out, 1) == 0 &&
            dup2(STDERR_FILENO, STDOUT_FILENO) >= 0)
            execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    if (pid < 0)
        return fail_errno(cli, command, "start the build");
    while (waitpid(pid, &state, 0) < 0)
        if (errno != EINTR)
            return fail_errno(cli, command, "wait for the build");
    if (!WIFEXITED(state) || WEXITSTATUS(state) != 0)
        return era_fail(
            cli, ERA_EXIT_DATA, "build-failed", command, "read what it said above; nothing was attested",
            WIFEXITED(state) ? "the build ended with status %d" : "the build was ended by signal %d",
            WIFEXITED(state) ? WEXITSTATUS(state) : WTERMSIG(state));
    if (lstat(w->out, &st) != 0 || !(S_ISDIR(st.st_mode) || S_ISREG(st.st_mode)))
        return era_fail(cli, ERA_EXIT_DATA, "build-failed", command,
                        "let it make a directory or a file named $ERAD_OUT",
                        "the build left nothing in $ERAD_OUT");
    return 0;
}

/* ---- attest ---- */

static int print_attested(const struct era_cli *cli, const struct era_answer *a)
{
    bool matched = era_json_true(a->json, "matched");
    if (cli->json) {
        json_t *o = json_deep_copy(a->json);
        if (!matched)
            json_object_set_new(
                o, "error",
                era_error_json(a->response.code, a->response.text, a->response.where, a->response.cure));
        era_print_json(cli, o);
        return matched ? ERA_EXIT_OK : ERA_EXIT_NEGATIVE;
    }
    era_print_pair("artefact", "%s", era_json_text(a->json, "artefact"));
    era_print_pair("plan", "%s", era_json_text(a->json, "expected"));
    era_print_pair("rebuilt", "%s", era_json_text(a->json, "digest"));
    return matched ? ERA_EXIT_OK : era_ask_failed(cli, a);
}

static int send_attest(const struct era_cli *cli, const char *path, const char *source_digest)
{
    char *whole = realpath(path, NULL);
    struct era_answer a;
    if (!whole)
        return fail_errno(cli, path, "read what was built");
    struct era_request request = {.verb = "attest",
                                  .id = cli->args[0],
                                  .path = whole,
                                  .artefact = era_cli_text(cli, ERA_OPT_ARTEFACT),
                                  .builder = era_cli_text(cli, ERA_OPT_BUILDER),
                                  .source_digest = source_digest};
    int status = era_ask_quietly_for(cli, &request, ERA_ASK_LONG_MS, &a);
    /* A mismatch is an answer: it was attested, and both digests are told. */
    if (status == 0 || (a.json && *era_json_text(a.json, "digest")))
        status = print_attested(cli, &a);
    else
        status = era_ask_failed(cli, &a);
    era_answer_clear(&a);
    free(whole);
    return status;
}

static int build_and_attest(const struct era_cli *cli, const char *command)
{
    const char *source = era_cli_text(cli, ERA_OPT_SOURCE);
    struct workshop w;
    int status = workshop_open(cli, &w);
    if (status != 0)
        return status;
    if (source)
        status = copy_source(cli, source, &w);
    if (status == 0)
        status = run_build(cli, command, &w);
    if (status == 0)
        status = send_attest(cli, w.out, w.source_digest);
    workshop_close(&w);
    return status;
}

static int check_path(const struct era_cli *cli, const char *path, bool directory)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return fail_errno(cli, path, "read what was built");
    if (directory != (S_ISDIR(st.st_mode) != 0))
        return era_fail(cli, ERA_EXIT_NO_INPUT, NULL, path,
                        directory ? "use --file for a file" : "use --dir for a directory",
                        directory ? "this is no directory" : "this is no file");
    return 0;
}

int era_run_attest(struct era_cli *cli)
{
    const char *dir = era_cli_text(cli, ERA_OPT_DIR), *file = era_cli_text(cli, ERA_OPT_FILE);
    const char *command = era_cli_text(cli, ERA_OPT_BUILD);
    if (!era_id_prefix_valid(cli->args[0]))
        return no_id(cli);
    if ((dir != NULL) + (file != NULL) + (command != NULL) != 1)
        return era_fail_usage(cli, "give one of --dir DIR, --file FILE, --build COMMAND", "what was built?");
    if (era_cli_has(cli, ERA_OPT_SOURCE) && !command)
        return era_fail_usage(cli, "add --build COMMAND, or leave --source out", "--source is for --build");
    if (command)
        return build_and_attest(cli, command);
    int status = check_path(cli, dir ? dir : file, dir != NULL);
    return status == 0 ? send_attest(cli, dir ? dir : file, NULL) : status;
}

/* ---- ready ---- */

int era_run_ready(struct era_cli *cli)
{
    struct era_answer a;
    if (!era_id_prefix_valid(cli->args[0]))
        return no_id(cli);
    int status = era_ask(cli, &(struct era_request){.verb = "ready", .id = cli->args[0]}, &a);
    if (status != 0)
        return status;
    if (cli->json)
        era_pass_json(cli, &a);
    else
        puts(era_json_text(a.json, "id"));
    era_answer_clear(&a);
    return ERA_EXIT_OK;
}

/* ---- unlock ---- */

int era_run_unlock(struct era_cli *cli)
{
    struct era_answer a;
    if (!era_confirm(cli, "What this key said and its store lacks it may then contradict, for all to see.\n"
                          "Is this store the newest, and the key used nowhere else? Unlock it?"))
        return era_fail(cli, ERA_EXIT_NEGATIVE, NULL, "", "", "not unlocked");
    int status = era_ask(cli, &(struct era_request){.verb = "unlock"}, &a);
    if (status != 0)
        return status;
    if (cli->json)
        era_pass_json(cli, &a);
    else
        puts(strcmp(era_json_text(a.json, "was"), "none") == 0 ? "the key was not locked" : "unlocked");
    era_answer_clear(&a);
    return ERA_EXIT_OK;
}
