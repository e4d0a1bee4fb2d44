#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "src/base/prng.h"
#include "src/base/verdict.h"
#include "src/host/dirhash.h"
#include "tests/host/given_directory.h"

#define HASH_OF_NOTHING "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

/* What people without erad run (T2). */
#define H1_PIPELINE \
    "cd tree && find . -type f -print0 | LC_ALL=C sort -z | xargs -0r sha256sum -z |" \
    " LC_ALL=C sed -z 's|^\\(.\\{64\\}  \\)\\./|\\1|' | tr '\\0' '\\n' | sha256sum | cut -c1-64 |" \
    " tr a-f A-F | basenc -d --base16 | base64 | sed 's/^/h1:/'"
#define M1_PIPELINE \
    "cd tree && paste -z -d ' '" \
    " <(find . -type f -print0 | LC_ALL=C sort -z | xargs -0r stat --printf '%A\\0' |" \
    "   sed -z 's/.*[xst].*/0755/;t;s/.*/0644/')" \
    " <(find . -type f -print0 | LC_ALL=C sort -z | xargs -0r sha256sum -z |" \
    "   LC_ALL=C sed -z 's|^\\(.\\{64\\}  \\)\\./|\\1|') |" \
    " tr '\\0' '\\n' | sha256sum | cut -c1-64 | tr a-f A-F | basenc -d --base16 | base64 | sed 's/^/m1:/'"

static const char *vanishing;

/* Stands before the C library's: the file named by `vanishing` goes just before it would be opened. */
int openat(int parent, const char *name, int flags, ...)
{
    if (vanishing != NULL && strcmp(name, vanishing) == 0)
        syscall(SYS_unlinkat, parent, name, 0);
    va_list more;
    va_start(more, flags);
    unsigned mode = (flags & O_CREAT) != 0 ? va_arg(more, unsigned) : 0;
    va_end(more);
    return (int)syscall(SYS_openat, parent, name, flags, mode);
}

static void (*meanwhile)(void);

/* Likewise: something happens between the first look at a file and its reading. */
int fstat(int fd, struct stat *st)
{
    void (*happens)(void) = meanwhile;
    int rc = (int)syscall(SYS_fstat, fd, st);
    meanwhile = NULL;
    if (happens != NULL)
        happens();
    return rc;
}

static void given_tree(void)
{
    given_directory();
    vanishing = NULL;
    meanwhile = NULL;
    cr_assert_eq(mkdir("tree", 0755), 0);
}

TestSuite(tree, .init = given_tree, .fini = remove_directory);
TestSuite(digest, .init = given_tree, .fini = remove_directory);

static void shell_says(const char *command, char out[ERA_DIGEST_BYTES_MAX + 1])
{
    char quoted[2000];
    setenv("COMMAND", command, 1);
    snprintf(quoted, sizeof quoted, "bash -o pipefail -c \"$COMMAND\"");
    FILE *pipe = popen(quoted, "r");
    cr_assert_not_null(pipe);
    cr_assert_not_null(fgets(out, ERA_DIGEST_BYTES_MAX + 1, pipe), "%s", command);
    cr_assert_eq(pclose(pipe), 0);
    out[strcspn(out, "\n")] = '\0';
}

static void agrees_with_the_shell(void)
{
    char ours[ERA_DIGEST_BYTES_MAX + 1], shell[ERA_DIGEST_BYTES_MAX + 1];
    struct era_error err;
    cr_assert(era_dirhash_tree("tree", ERA_DIGEST_H1, ours, &err), "%s: %s", err.where, err.text);
    shell_says(H1_PIPELINE, shell);
    cr_expect_str_eq(ours, shell);
    cr_assert(era_dirhash_tree("tree", ERA_DIGEST_M1, ours, &err), "%s: %s", err.where, err.text);
    shell_says(M1_PIPELINE, shell);
    cr_expect_str_eq(ours, shell);
}

static void refused(int status, const char *where, const char *text)
{
    char out[ERA_DIGEST_BYTES_MAX + 1] = "untouched";
    struct era_error err;
    cr_assert(!era_dirhash_tree("tree", ERA_DIGEST_H1, out, &err));
    cr_expect_eq(err.status, status);
    cr_expect_str_eq(err.where, where);
    cr_expect_str_eq(err.text, text);
    cr_expect_str_eq(out, "untouched");
}

static void digest_is(enum era_digest_kind kind, const char *expected)
{
    char out[ERA_DIGEST_BYTES_MAX + 1];
    struct era_error err;
    cr_assert(era_dirhash_tree("tree", kind, out, &err), "%s: %s", err.where, err.text);
    cr_expect_str_eq(out, expected);
}

Test(tree, T2_has_a_fixed_digest)
{
    cr_assert_eq(mkdir("tree/bin", 0755), 0);
    given_file("tree/bin/erad", "binary\n");
    given_file("tree/README", "read me\n");
    cr_assert_eq(chmod("tree/bin/erad", 0700), 0);
    digest_is(ERA_DIGEST_H1, "h1:JFmpDDDKOiKzkwuQW3xR/vZZUz6WybWU41yN4UpXACE=");
    digest_is(ERA_DIGEST_M1, "m1:Z4VIZh2GTXtZaiP1pUHLxgLkuYPVkbWW1e7nf7Dl0CE=");
    agrees_with_the_shell();
}

Test(tree, T2_without_files_is_the_hash_of_nothing)
{
    digest_is(ERA_DIGEST_H1, "h1:" HASH_OF_NOTHING);
    digest_is(ERA_DIGEST_M1, "m1:" HASH_OF_NOTHING);
    cr_assert_eq(mkdir("tree/empty", 0755), 0);
    cr_assert_eq(mkdir("tree/empty/within", 0755), 0);
    digest_is(ERA_DIGEST_H1, "h1:" HASH_OF_NOTHING);
    agrees_with_the_shell();
}

Test(tree, T2_agrees_with_the_shell_for_every_name)
{
    static const char *const names[] = {
        "plain", "with space", "  two spaces", "back\\slash", "\\n", "carriage\rreturn", "tab\tbed", "-x",
        "--help", "'quote'", "\"double\"", "$HOME", "`id`", "*", "#", "~", "\xc3\xa9t\xc3\xa9", "\xff\xfe",
        "\xc3", "\x01", "\x7f", "UPPER", "upper", ".hidden", "...", "a%sb", "trailing "};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[300];
        snprintf(path, sizeof path, "tree/%s", names[i]);
        given_file(path, names[i]);
        if (i % 3 == 0)
            cr_assert_eq(chmod(path, 0711), 0);
    }
    agrees_with_the_shell();
}

/* '/' is below most bytes but not below '-', '!' or ' ': a sort per directory would differ. */
Test(tree, T2_is_sorted_by_whole_paths)
{
    cr_assert_eq(mkdir("tree/a", 0755), 0);
    cr_assert_eq(mkdir("tree/a!", 0755), 0);
    given_file("tree/a/b", "1");
    given_file("tree/a-b", "2");
    given_file("tree/a!/b", "3");
    given_file("tree/a.b", "4");
    given_file("tree/a0", "5");
    given_file("tree/a b", "6");
    agrees_with_the_shell();
}

Test(tree, T2_holds_large_and_empty_files)
{
    static char large[300000];
    memset(large, 'x', sizeof large);
    given_bytes("tree/large", large, sizeof large);
    given_bytes("tree/exact", large, 65536);
    given_bytes("tree/over", large, 65537);
    given_file("tree/empty", "");
    agrees_with_the_shell();
}

/* Build tree/LONG/LONG/… of n levels of 200 bytes and stay in the deepest; the way back is the caller's. */
static void descend(int levels, size_t name_bytes)
{
    char name[256];
    memset(name, 'd', name_bytes);
    name[name_bytes] = '\0';
    cr_assert_eq(chdir("tree"), 0);
    for (int i = 0; i < levels; i++) {
        cr_assert_eq(mkdir(name, 0755), 0);
        cr_assert_eq(chdir(name), 0);
    }
}

Test(tree, T2_holds_long_paths)
{
    int home = open(".", O_RDONLY | O_DIRECTORY);
    descend(18, 200);
    given_file("deep", "down");
    cr_assert_eq(fchdir(home), 0);
    close(home);
    agrees_with_the_shell();
}

Test(tree, T2_of_random_shape_agrees_with_the_shell)
{
    struct era_prng prng;
    era_prng_init(&prng, 7711);
    for (int i = 0; i < 60; i++) {
        char path[600] = "tree", content[32];
        int levels = (int)era_prng_below(&prng, 4);
        for (int l = 0; l <= levels; l++) {
            size_t n = strlen(path);
            path[n++] = '/';
            path[n++] = l < levels ? 'd' : 'f'; /* a name is a directory or a file, never both */
            for (uint64_t c = 1 + era_prng_below(&prng, 3); c > 0; c--) {
                char byte;
                do
                    byte = (char)era_prng_below(&prng, 256);
                while (byte == '\0' || byte == '/' || byte == '\n');
                path[n++] = byte;
            }
            path[n] = '\0';
            if (l < levels)
                cr_assert(mkdir(path, 0755) == 0 || errno == EEXIST);
        }
        snprintf(content, sizeof content, "%d", i);
        given_file(path, content);
        cr_assert_eq(chmod(path, era_prng_below(&prng, 2) ? 0644 : 0645), 0);
    }
    agrees_with_the_shell();
}

Test(tree, T2_changes_with_every_name_byte_and_mode_as_its_kind_says)
{
    char h1[ERA_DIGEST_BYTES_MAX + 1], m1[ERA_DIGEST_BYTES_MAX + 1];
    given_file("tree/f", "content");
    cr_assert(era_dirhash_tree("tree", ERA_DIGEST_H1, h1, NULL));
    cr_assert(era_dirhash_tree("tree", ERA_DIGEST_M1, m1, NULL));
    static const mode_t plain[] = {0600, 0444, 0666}, executable[] = {0700, 0744, 0654, 0645};
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(chmod("tree/f", plain[i]), 0);
        digest_is(ERA_DIGEST_H1, h1);
        digest_is(ERA_DIGEST_M1, m1);
    }
    for (size_t i = 0; i < 4; i++) {
        char out[ERA_DIGEST_BYTES_MAX + 1];
        cr_assert_eq(chmod("tree/f", executable[i]), 0);
        digest_is(ERA_DIGEST_H1, h1);
        cr_assert(era_dirhash_tree("tree", ERA_DIGEST_M1, out, NULL));
        cr_expect_str_neq(out, m1);
    }
}

Test(tree, T2_refuses_a_newline_by_name)
{
    given_file("tree/two\nlines", "");
    refused(ERA_EXIT_DATA, "tree/two\\x0alines", "its name holds a newline");
}

Test(tree, T2_refuses_a_newline_in_a_directory_by_name)
{
    cr_assert_eq(mkdir("tree/d\n", 0755), 0);
    refused(ERA_EXIT_DATA, "tree/d\\x0a", "its name holds a newline");
}

Test(tree, T2_refuses_links_by_name)
{
    cr_assert_eq(mkdir("tree/sub", 0755), 0);
    cr_assert_eq(symlink("/etc", "tree/sub/link"), 0);
    refused(ERA_EXIT_DATA, "tree/sub/link", "it is a symbolic link, and a tree's digest covers files only");
}

Test(tree, T2_refuses_fifos_by_name)
{
    cr_assert_eq(mkfifo("tree/fifo", 0644), 0);
    refused(ERA_EXIT_DATA, "tree/fifo", "it is a fifo, and a tree's digest covers files only");
}

Test(tree, T2_refuses_sockets_by_name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "tree/socket"};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
    refused(ERA_EXIT_DATA, "tree/socket", "it is a socket, and a tree's digest covers files only");
}

Test(tree, T2_refuses_devices_by_name)
{
    if (mknod("tree/device", S_IFCHR | 0600, 0x103) < 0)
        cr_skip("only root can make a device");
    refused(ERA_EXIT_DATA, "tree/device", "it is a device, and a tree's digest covers files only");
}

Test(tree, of_too_many_levels_is_refused)
{
    int home = open(".", O_RDONLY | O_DIRECTORY);
    struct era_error err;
    char out[ERA_DIGEST_BYTES_MAX + 1];
    descend(ERA_TREE_DEPTH_MAX, 1);
    cr_assert_eq(fchdir(home), 0);
    digest_is(ERA_DIGEST_H1, "h1:" HASH_OF_NOTHING);

    cr_assert_eq(rename("tree", "inner"), 0);
    cr_assert_eq(mkdir("tree", 0755), 0);
    cr_assert_eq(rename("inner", "tree/inner"), 0);
    cr_assert(!era_dirhash_tree("tree", ERA_DIGEST_H1, out, &err));
    cr_assert_eq(err.status, ERA_EXIT_DATA);
    cr_assert_str_eq(err.text, "the tree is too deep");
    close(home);
}

Test(tree, with_too_long_a_path_is_refused)
{
    int home = open(".", O_RDONLY | O_DIRECTORY);
    struct era_error err;
    char out[ERA_DIGEST_BYTES_MAX + 1];
    descend(21, 200);
    cr_assert_eq(fchdir(home), 0);
    cr_assert(!era_dirhash_tree("tree", ERA_DIGEST_H1, out, &err));
    cr_assert_eq(err.status, ERA_EXIT_DATA);
    cr_assert_str_eq(err.text, "a path below it is too long");
    close(home);
}

Test(tree, that_loses_a_file_meanwhile_is_an_error)
{
    given_file("tree/stays", "");
    given_file("tree/goes", "");
    vanishing = "goes";
    refused(ERA_EXIT_TRY_LATER, "tree/goes", "it vanished or changed while the tree was read");
}

Test(tree, that_is_not_there_or_no_directory_is_an_error)
{
    struct era_error err;
    char out[ERA_DIGEST_BYTES_MAX + 1];
    cr_assert(!era_dirhash_tree("none", ERA_DIGEST_H1, out, &err));
    cr_assert_eq(err.status, ERA_EXIT_NO_INPUT);
    cr_assert_str_eq(err.where, "none");
    given_file("file", "");
    cr_assert(!era_dirhash_tree("file", ERA_DIGEST_H1, out, &err));
    cr_assert_eq(err.status, ERA_EXIT_NO_INPUT);
    cr_assert_str_eq(err.text, "cannot open the directory: Not a directory");
}

Test(digest, T2_of_a_file_is_its_sha256)
{
    char out[ERA_DIGEST_BYTES_MAX + 1];
    struct era_error err;
    given_file("f", "abc");
    cr_assert(era_dirhash_file("f", out, &err));
    cr_assert_str_eq(out, "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

Test(digest, T2_of_what_is_no_file_is_an_error)
{
    char out[ERA_DIGEST_BYTES_MAX + 1];
    struct era_error err;
    cr_assert(!era_dirhash_file("none", out, &err));
    cr_assert_eq(err.status, ERA_EXIT_NO_INPUT);
    cr_assert(!era_dirhash_file("tree", out, &err));
    cr_assert_str_eq(err.text, "cannot read the file: Is a directory");
    cr_assert_eq(mkfifo("fifo", 0600), 0);
    cr_assert(!era_dirhash_file("fifo", out, &err));
    cr_assert_eq(err.cure[0], 'n'); /* name a regular file */
}

static void changed_meanwhile(const char *path)
{
    char out[ERA_DIGEST_BYTES_MAX + 1];
    struct era_error err;
    cr_assert(!era_dirhash_file(path, out, &err));
    cr_assert_eq(err.status, ERA_EXIT_TRY_LATER);
    cr_assert_str_eq(err.text, "it changed while it was read");
}

/* /proc/self/status says it is empty and is not: as a file that grows and grows. */
Test(digest, of_a_file_that_grows_meanwhile_is_an_error)
{
    changed_meanwhile("/proc/self/status");
}

static void long_ago(const char *path)
{
    const struct timespec times[2] = {{1000, 0}, {1000, 0}};
    cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void shrink(void)
{
    cr_assert_eq(truncate("f", 1), 0);
    long_ago("f");
}

Test(digest, of_a_file_that_shrinks_meanwhile_is_an_error)
{
    given_file("f", "abc");
    long_ago("f");
    meanwhile = shrink;
    changed_meanwhile("f");
}

static void rewrite(void)
{
    given_file("f", "xyz");
}

Test(digest, of_a_file_that_is_rewritten_meanwhile_is_an_error)
{
    given_file("f", "abc");
    long_ago("f");
    meanwhile = rewrite;
    changed_meanwhile("f");
}
