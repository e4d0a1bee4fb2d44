#include <criterion/criterion.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/verdict.h"
#include "src/host/keyfile.h"
#include "tests/host/given_directory.h"

/* RFC 8032, test 1. */
#define SEED_TEXT "erasec1n4smr800l4dxpw5yft6f9mpvc3zyn3tf0vexjxts8wkqx89w0asqy5c89r"
#define KEY_TEXT "erapub16adfsqvzky9t042tlmfujeq88g8wzuhnm2nzxfd0qgdx3ac82ydqvs7usn"
#define KEY_HEX "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"

TestSuite(keyfile, .init = given_directory, .fini = remove_directory);

static void has_line(const char *path, unsigned mode, const char *prefix)
{
    char line[200];
    struct stat st;
    FILE *f = fopen(path, "r");
    cr_assert_not_null(f, "%s", path);
    size_t n = fread(line, 1, sizeof line, f);
    fclose(f);
    cr_assert_eq(n, 66); /* 65 characters and a newline */
    cr_assert_eq(line[65], '\n');
    cr_assert_eq(strncmp(line, prefix, strlen(prefix)), 0);
    cr_assert_eq(stat(path, &st), 0);
    cr_assert_eq(st.st_mode & 07777, mode);
}

static void given_key(const char *path, const char *text)
{
    given_file(path, text);
    cr_assert_eq(chmod(path, 0600), 0);
}

Test(keyfile, is_generated_with_its_public_half_and_loads_again)
{
    struct era_keypair made, loaded;
    struct era_key public;
    struct era_error err;
    umask(0);
    cr_assert(era_keyfile_generate("k", &made, &err));
    has_line("k", 0600, "erasec1");
    has_line("k.pub", 0644, "erapub1");

    cr_assert(era_keyfile_load("k", &loaded, &err));
    cr_assert(era_key_eq(&made.key, &loaded.key));
    cr_assert_arr_eq(made.secret, loaded.secret, ERA_SECRET_BYTES);
    cr_assert(era_keyfile_public("k.pub", &public, &err));
    cr_assert(era_key_eq(&made.key, &public));
}

Test(keyfile, is_another_each_time)
{
    struct era_keypair a, b;
    struct era_error err;
    cr_assert(era_keyfile_generate("a", &a, &err));
    cr_assert(era_keyfile_generate("b", &b, &err));
    cr_assert(!era_key_eq(&a.key, &b.key));
}

Test(keyfile, is_never_overwritten)
{
    struct era_error err;
    given_file("a", "precious");
    cr_assert(!era_keyfile_generate("a", NULL, &err));
    cr_assert_eq(err.status, ERA_EXIT_CANNOT_WRITE);
    cr_assert_str_eq(err.where, "a");
    cr_assert_str_eq(err.text, "something is there already; a key file is never overwritten");
    cr_assert_neq(access("a.pub", F_OK), 0);

    given_file("b.pub", "precious");
    cr_assert(!era_keyfile_generate("b", NULL, &err));
    cr_assert_str_eq(err.where, "b.pub");
    cr_assert_str_eq(err.text, "something is there already; a key file is never overwritten");
    cr_assert_neq(access("b", F_OK), 0);
}

Test(keyfile, holds_the_secret_of_its_public_key)
{
    struct era_keypair pair;
    struct era_error err;
    char hex[65];
    given_key("k", SEED_TEXT "\n");
    cr_assert(era_keyfile_load("k", &pair, &err));
    era_hex(pair.key.b, 32, hex);
    cr_assert_str_eq(hex, KEY_HEX);

    uint8_t signature[crypto_sign_BYTES];
    crypto_sign_detached(signature, NULL, (const uint8_t *)"m", 1, pair.secret);
    cr_assert_eq(crypto_sign_verify_detached(signature, (const uint8_t *)"m", 1, pair.key.b), 0);
    given_key("k2", SEED_TEXT); /* without the newline */
    cr_assert(era_keyfile_load("k2", &pair, &err));
}

Test(keyfile, open_to_others_is_refused_with_the_command_that_mends_it)
{
    struct era_keypair pair;
    struct era_error err;
    given_key("k", SEED_TEXT "\n");
    cr_assert_eq(chmod("k", 0644), 0);
    cr_assert(!era_keyfile_load("k", &pair, &err));
    cr_assert_eq(err.status, ERA_EXIT_PERMISSION);
    cr_assert_str_eq(err.cure, "chmod 600 k");
}

static void load_says(const char *text, const char *expected)
{
    struct era_keypair pair;
    struct era_error err;
    given_key("k", text);
    cr_assert(!era_keyfile_load("k", &pair, &err), "%s", text);
    cr_assert_str_eq(err.text, expected);
    cr_assert_eq(err.status, ERA_EXIT_DATA);
    cr_assert_str_eq(err.where, "k");
}

Test(keyfile, that_holds_something_else_is_refused_and_not_quoted)
{
    load_says("", "not a secret key: it is empty");
    load_says("\n", "not a secret key: it is empty");
    load_says(KEY_TEXT "\n",
              "not a secret key: this is a public key where a secret key (erasec1…) is wanted");
    load_says(SEED_TEXT "\n" SEED_TEXT "\n", "not a secret key: it is not one line of text");
    load_says(SEED_TEXT "\n\n", "not a secret key: it is not one line of text");
    load_says("erasec1n4smr800l4dxpw5yft6f9mpvc3zyn3tf0vexjxts8wkqx89w0asqy5c89q\n",
              "not a secret key: its checksum does not fit: a character is wrong, missing or swapped");
}

Test(keyfile, that_is_not_there_or_too_long_is_refused)
{
    struct era_keypair pair;
    struct era_error err;
    char long_text[300];
    cr_assert(!era_keyfile_load("none", &pair, &err));
    cr_assert_eq(err.status, ERA_EXIT_NO_INPUT);
    memset(long_text, 'q', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    given_key("k", long_text);
    cr_assert(!era_keyfile_load("k", &pair, &err));
    cr_assert_eq(err.status, ERA_EXIT_DATA);
    cr_assert_str_eq(err.text, "cannot read it: File too large");
}

Test(keyfile, typed_in_the_place_of_its_name_does_not_come_back_in_the_error)
{
    struct era_keypair pair;
    struct era_error err;
    cr_assert(!era_keyfile_load(SEED_TEXT, &pair, &err));
    cr_assert_str_eq(err.text, "this is a secret key itself where the name of its file is wanted");
    cr_assert_str_eq(err.where, "");
}

Test(public_key, is_read_from_its_text)
{
    struct era_key key;
    struct era_error err;
    char hex[65];
    cr_assert(era_keyfile_public(KEY_TEXT, &key, &err));
    era_hex(key.b, 32, hex);
    cr_assert_str_eq(hex, KEY_HEX);
}

Test(keyfile, in_the_place_of_a_public_key_is_refused_and_not_quoted)
{
    struct era_key key;
    struct era_error err;
    const char *said = "not a public key: this is a secret key where a public key (erapub1…) is wanted; "
                       "never show it to anyone";
    cr_assert(!era_keyfile_public(SEED_TEXT, &key, &err));
    cr_assert_str_eq(err.text, said);
    cr_assert_str_eq(err.where, "");
    cr_assert_eq(err.status, ERA_EXIT_DATA);

    given_key("k", SEED_TEXT "\n");
    cr_assert(!era_keyfile_public("k", &key, &err));
    cr_assert_str_eq(err.text, said);
    cr_assert_str_eq(err.where, "k");

    given_file("two.pub", KEY_TEXT "\n" KEY_TEXT "\n");
    cr_assert(!era_keyfile_public("two.pub", &key, &err));
    cr_assert_str_eq(err.text, "it is not one line of text");
    cr_assert(!era_keyfile_public("none.pub", &key, &err));
    cr_assert_eq(err.status, ERA_EXIT_NO_INPUT);
}

Test(keypair, is_zeroed_when_cleared)
{
    struct era_keypair pair, zero;
    memset(&pair, 7, sizeof pair);
    memset(&zero, 0, sizeof zero);
    era_keypair_clear(&pair);
    era_keypair_clear(NULL);
    cr_assert_arr_eq((uint8_t *)&pair, (uint8_t *)&zero, sizeof pair);
}
