#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/base/verdict.h"
#include "src/host/files.h"
#include "tests/host/given_directory.h"

TestSuite(file, .init = given_directory, .fini = remove_directory);
TestSuite(directory, .init = given_directory, .fini = remove_directory);
TestSuite(lock, .init = given_directory, .fini = remove_directory);

static unsigned mode_of(const char *path)
{
    struct stat st;
    cr_assert_eq(stat(path, &st), 0, "%s", path);
    return (unsigned)st.st_mode & 07777;
}

static void holds(const char *path, const char *expected)
{
    uint8_t *data;
    size_t len;
    cr_assert_eq(era_file_read(path, 1000, &data, &len), 0);
    cr_assert_str_eq((char *)data, expected);
    cr_assert_eq(len, strlen(expected));
    free(data);
}

static size_t names_here(void)
{
    size_t n = 0;
    DIR *here = opendir(".");
    while (readdir(here) != NULL)
        n++;
    closedir(here);
    return n - 2;
}

Test(file, is_read_up_to_its_cap_and_not_a_byte_more)
{
    uint8_t *data = NULL;
    size_t len = 0;
    given_bytes("f", "a\0cd", 4);
    cr_assert_eq(era_file_read("f", 4, &data, &len), 0);
    cr_assert_eq(len, 4);
    cr_assert_arr_eq(data, "a\0cd", 5); /* and a NUL behind */
    free(data);
    data = NULL;
    cr_assert_eq(era_file_read("f", 3, &data, &len), -EFBIG);
    cr_assert_eq(era_file_read("f", 0, &data, &len), -EFBIG);
    cr_assert_null(data);
}

Test(file, that_is_empty_is_read_as_nothing)
{
    given_file("f", "");
    holds("f", "");
}

Test(file, that_tells_no_size_is_read_whole)
{
    uint8_t *data = NULL;
    size_t len = 0;
    cr_assert_eq(era_file_read("/proc/self/status", 100000, &data, &len), 0);
    cr_assert_gt(len, 100);
    cr_assert_eq(strlen((char *)data), len);
    free(data);
    cr_assert_eq(era_file_read("/proc/self/status", 100, &data, &len), -EFBIG);
}

Test(file, that_is_none_is_not_read)
{
    uint8_t *data;
    size_t len;
    cr_assert_eq(era_file_read("none", 10, &data, &len), -ENOENT);
    cr_assert_eq(era_file_read(".", 10, &data, &len), -EISDIR);
    cr_assert_eq(mkfifo("fifo", 0600), 0);
    cr_assert_eq(era_file_read("fifo", 10, &data, &len), -EINVAL); /* and does not hang */
}

Test(file, is_written_whole_with_its_mode_and_leaves_nothing_beside_it)
{
    umask(077);
    cr_assert_eq(era_file_write("f", "one", 3, 0644), 0);
    holds("f", "one");
    cr_assert_eq(mode_of("f"), 0644);
    cr_assert_eq(era_file_write("f", "second", 6, 0600), 0);
    holds("f", "second");
    cr_assert_eq(mode_of("f"), 0600);
    cr_assert_eq(names_here(), 1);
}

Test(file, is_replaced_not_rewritten)
{
    struct stat before, after;
    given_file("f", "old");
    cr_assert_eq(link("f", "other"), 0);
    cr_assert_eq(stat("f", &before), 0);
    cr_assert_eq(era_file_write("f", "new", 3, 0600), 0);
    cr_assert_eq(stat("f", &after), 0);
    cr_assert_neq(before.st_ino, after.st_ino);
    holds("other", "old");
}

Test(file, that_cannot_be_written_leaves_nothing_behind)
{
    cr_assert_eq(era_file_write("none/f", "x", 1, 0600), -ENOENT);
    cr_assert_eq(mkdir("d", 0700), 0);
    cr_assert_eq(era_file_write("d", "x", 1, 0600), -EISDIR);
    cr_assert_eq(names_here(), 1);
}

Test(file, is_created_only_where_nothing_is)
{
    cr_assert_eq(era_file_create("f", "one", 3, 0600), 0);
    cr_assert_eq(era_file_create("f", "two", 3, 0600), -EEXIST);
    holds("f", "one");
    cr_assert_eq(names_here(), 1);
    cr_assert_eq(symlink("nowhere", "link"), 0);
    cr_assert_eq(era_file_create("link", "two", 3, 0600), -EEXIST);
}

Test(file, grows_by_whole_lines)
{
    cr_assert_eq(era_file_append_line("log", "first"), 0);
    cr_assert_eq(era_file_append_line("log", ""), 0);
    cr_assert_eq(era_file_append_line("log", "third"), 0);
    holds("log", "first\n\nthird\n");
    cr_assert_eq(mode_of("log"), 0600);
    cr_assert_eq(era_file_append_line("log", "two\nlines"), -EINVAL);
    cr_assert_eq(era_file_append_line("none/log", "x"), -ENOENT);
}

Test(file, torn_by_a_crash_does_not_spoil_the_next_line)
{
    given_file("log", "first\nhal");
    cr_assert_eq(era_file_append_line("log", "second"), 0);
    holds("log", "first\nhal\nsecond\n");
}

Test(file, of_secrets_is_read_only_when_closed_to_all_others)
{
    uint8_t *data;
    size_t len;
    struct era_error err;
    given_file("f", "secret");
    static const mode_t open_modes[] = {0640, 0604, 0620, 0602, 0610, 0601};
    for (size_t i = 0; i < 6; i++) {
        cr_assert_eq(chmod("f", open_modes[i]), 0);
        cr_assert(!era_file_read_private("f", 100, &data, &len, &err), "mode %o", open_modes[i]);
        cr_assert_eq(err.status, ERA_EXIT_PERMISSION);
        cr_assert_str_eq(err.where, "f");
        cr_assert_str_eq(err.cure, "chmod 600 f");
    }
    cr_assert_str_eq(err.text, "group or others may use it (mode 0601)");
    cr_assert_eq(chmod("f", 0600), 0);
    cr_assert(era_file_read_private("f", 100, &data, &len, &err));
    cr_assert_str_eq((char *)data, "secret");
    free(data);
}

Test(file, of_secrets_that_another_owns_is_not_read)
{
    uint8_t *data;
    size_t len;
    struct era_error err;
    given_file("f", "secret");
    cr_assert_eq(chmod("f", 0600), 0);
    if (chown("f", 12345, (gid_t)-1) < 0)
        cr_skip("only root can give a file away");
    cr_assert(!era_file_read_private("f", 100, &data, &len, &err));
    cr_assert_eq(err.status, ERA_EXIT_PERMISSION);
    cr_assert_str_eq(err.text, "it belongs to another user (uid 12345)");
    cr_assert_str_eq(err.cure, "chown 0 f");
}

Test(directory, is_made_for_its_owner_alone)
{
    struct era_error err;
    umask(0);
    cr_assert(era_dir_make("d", &err));
    cr_assert_eq(mode_of("d"), 0700);
    cr_assert(era_dir_make("d", &err));
}

Test(directory, that_is_open_or_none_is_not_taken)
{
    struct era_error err;
    cr_assert_eq(mkdir("d", 0750), 0);
    cr_assert(!era_dir_make("d", &err));
    cr_assert_eq(err.status, ERA_EXIT_PERMISSION);
    cr_assert_str_eq(err.text, "group or others may use the directory (mode 0750)");
    cr_assert_str_eq(err.cure, "chmod 700 d");

    given_file("f", "");
    cr_assert(!era_dir_make("f", &err));
    cr_assert_eq(err.status, ERA_EXIT_CANNOT_WRITE);
    cr_assert_str_eq(err.text, "it is there, and not a directory");

    cr_assert(!era_dir_make("none/d", &err));
    cr_assert_eq(err.status, ERA_EXIT_NO_INPUT);
    cr_assert_str_eq(err.text, "cannot make the directory: No such file or directory");
}

Test(directory, that_another_owns_is_not_taken)
{
    struct era_error err;
    cr_assert_eq(mkdir("d", 0700), 0);
    if (chown("d", 12345, (gid_t)-1) < 0)
        cr_skip("only root can give a directory away");
    cr_assert(!era_dir_make("d", &err));
    cr_assert_eq(err.status, ERA_EXIT_PERMISSION);
    cr_assert_str_eq(err.text, "the directory belongs to another user (uid 12345)");
}

static int take_in_a_child(void)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        int fd = era_lock_take("lock");
        _exit(fd >= 0 ? 0 : -fd);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    return WEXITSTATUS(status);
}

Test(lock, is_held_by_one_process_until_it_closes_it)
{
    int fd = era_lock_take("lock");
    cr_assert_geq(fd, 0);
    cr_assert_eq(mode_of("lock"), 0600);
    cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    cr_assert_eq(era_lock_take("lock"), -EWOULDBLOCK);
    cr_assert_eq(take_in_a_child(), EWOULDBLOCK);
    close(fd);
    cr_assert_eq(take_in_a_child(), 0);
    fd = era_lock_take("lock"); /* the child's end released it */
    cr_assert_geq(fd, 0);
    close(fd);
    cr_assert_eq(era_lock_take("none/lock"), -ENOENT);
}

Test(error, shows_no_bytes_that_could_lie_to_a_terminal)
{
    char out[64];
    cr_assert_str_eq(era_text_escape("a\x1b[2J\n\\\xff\xc3\xa9", out, sizeof out),
                     "a\\x1b[2J\\x0a\\x5c\\xff\xc3\xa9");
    char small[6];
    cr_assert_str_eq(era_text_escape("abc\n", small, sizeof small), "abc"); /* never half an escape */
    cr_assert_str_eq(era_text_escape("abcd\xc3\xa9", small, sizeof small), "abcd"); /* nor half a character */
}

Test(error, turns_an_errno_into_words_and_a_status)
{
    struct era_error err;
    cr_assert(!era_error_errno(&err, -EROFS, "a\nb", "write it"));
    cr_assert_eq(err.status, ERA_EXIT_CANNOT_WRITE);
    cr_assert_str_eq(err.text, "cannot write it: Read-only file system");
    cr_assert_str_eq(err.where, "a\\x0ab");
    cr_assert_str_eq(err.cure, "choose a directory that can be written");
    era_error_errno(&err, -EWOULDBLOCK, "", "lock it");
    cr_assert_eq(err.status, ERA_EXIT_TRY_LATER);
    era_error_errno(&err, -EFBIG, "", "read it");
    cr_assert_eq(err.status, ERA_EXIT_DATA);
    era_error_errno(&err, -EIO, "", "write it");
    cr_assert_eq(err.status, ERA_EXIT_CANNOT_WRITE);
    cr_assert(!era_error_errno(NULL, -EIO, "", "write it"));
}
