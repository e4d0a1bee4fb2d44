#include "src/host/keyfile.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/textkey.h"
#include "src/base/verdict.h"
#include "src/host/files.h"

#define KEYFILE_BYTES_MAX 256 /* one line of 65, and room to say what is wrong with a longer one */

static bool random_ready(struct era_error *err)
{
    return sodium_init() >= 0 || era_error_set(err, ERA_EXIT_UNAVAILABLE, "", "", "cannot start libsodium");
}

/* One text of ERA_KEY_TEXT_BYTES and its newline, as a new file. */
static bool create(const char *path, char text[ERA_KEY_TEXT_BYTES + 1], mode_t mode, struct era_error *err)
{
    text[ERA_KEY_TEXT_BYTES - 1] = '\n';
    int rc = era_file_create(path, text, ERA_KEY_TEXT_BYTES, mode);
    return rc == 0 || era_error_errno(err, rc, path, "write the key");
}

static bool free_name(const char *path, struct era_error *err)
{
    struct stat st;
    if (lstat(path, &st) < 0 && errno == ENOENT)
        return true;
    return era_error_set(err, ERA_EXIT_CANNOT_WRITE, path, "choose another name, or move the old key away",
                         "something is there already; a key file is never overwritten");
}

static bool write_pair(const char *path, const char *public_path, const struct era_keypair *pair,
                       struct era_error *err)
{
    char text[ERA_KEY_TEXT_BYTES + 1];
    struct era_seed seed;
    crypto_sign_ed25519_sk_to_seed(seed.b, pair->secret);
    era_seed_text(&seed, text);
    bool ok = create(path, text, 0600, err);
    sodium_memzero(text, sizeof text);
    sodium_memzero(&seed, sizeof seed);
    if (!ok)
        return false;
    era_key_text(&pair->key, text);
    if (create(public_path, text, 0644, err))
        return true;
    unlink(path); /* ours, a moment old, never used */
    return false;
}

bool era_keyfile_generate(const char *path, struct era_keypair *out, struct era_error *err)
{
    struct era_keypair pair;
    char *public_path;
    if (!random_ready(err))
        return false;
    if (asprintf(&public_path, "%s.pub", path) < 0)
        return era_error_errno(err, -ENOMEM, path, "write the key");
    bool ok = free_name(path, err) && free_name(public_path, err);
    if (ok) {
        crypto_sign_keypair(pair.key.b, pair.secret);
        ok = write_pair(path, public_path, &pair, err);
        if (ok && out != NULL)
            *out = pair;
        era_keypair_clear(&pair);
    }
    free(public_path);
    return ok;
}

/* Meant as a key, well-formed or not. A secret typed in the wrong place must not
 * come back in an error, and from there in a log. */
static bool is_key_text(const char *text, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncasecmp(text, prefix, n) == 0 && text[n] == '1';
}

/* The text of a file that holds one line, its newline cut off; false when it holds more. */
static bool single_line(uint8_t *data, size_t len, char **out)
{
    if (len > 0 && data[len - 1] == '\n')
        data[--len] = '\0';
    *out = (char *)data;
    return strcspn(*out, "\n") == len;
}

bool era_keyfile_load(const char *path, struct era_keypair *out, struct era_error *err)
{
    uint8_t *data;
    size_t len;
    char *line;
    struct era_seed seed;
    const char *why = "it is not one line of text";
    if (is_key_text(path, ERA_SEED_PREFIX))
        return era_error_set(err, ERA_EXIT_DATA, "", "write the key to a file of mode 0600 and name that",
                             "this is a secret key itself where the name of its file is wanted");
    if (!random_ready(err) || !era_file_read_private(path, KEYFILE_BYTES_MAX, &data, &len, err))
        return false;
    bool ok = single_line(data, len, &line) && era_seed_from_text(line, &seed, &why) == ERA_ACCEPTED;
    if (ok)
        crypto_sign_seed_keypair(out->key.b, out->secret, seed.b);
    sodium_memzero(&seed, sizeof seed);
    sodium_memzero(data, len);
    free(data);
    return ok || era_error_set(err, ERA_EXIT_DATA, path,
                               "a key file is one line, erasec1…; make one with `eractl keygen`",
                               "not a secret key: %s", why);
}

static bool public_text(const char *text, const char *where, struct era_key *out, struct era_error *err)
{
    const char *why;
    enum era_verdict v = era_key_from_text(text, out, &why);
    return v == ERA_ACCEPTED ||
           era_error_set(err, era_verdict_exit(v), where, "a public key is one word that begins with erapub1",
                         "not a public key: %s", why);
}

bool era_keyfile_public(const char *text_or_path, struct era_key *out, struct era_error *err)
{
    uint8_t *data;
    size_t len;
    char *line;
    if (!random_ready(err))
        return false;
    if (is_key_text(text_or_path, ERA_KEY_PREFIX))
        return public_text(text_or_path, text_or_path, out, err);
    if (is_key_text(text_or_path, ERA_SEED_PREFIX))
        return public_text(text_or_path, "", out, err);
    int rc = era_file_read(text_or_path, KEYFILE_BYTES_MAX, &data, &len);
    if (rc < 0)
        return era_error_errno(err, rc, text_or_path, "read the public key");
    bool ok = single_line(data, len, &line)
                  ? public_text(line, text_or_path, out, err)
                  : era_error_set(err, ERA_EXIT_DATA, text_or_path,
                                  "a public key file is one line that begins with erapub1",
                                  "it is not one line of text");
    sodium_memzero(data, len); /* it may have been a secret key's file */
    free(data);
    return ok;
}

void era_keypair_clear(struct era_keypair *pair)
{
    if (pair != NULL)
        sodium_memzero(pair, sizeof *pair);
}
