#include "src/host/error.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "src/base/bytes.h"
#include "src/base/verdict.h"

/* Bytes of the clean character at s, 0 when it must be escaped. */
static size_t clean_character(const char *s, size_t rest)
{
    if (s[0] == '\\')
        return 0;
    for (size_t n = 1; n <= 4 && n <= rest; n++)
        if (era_utf8_valid(s, n, false))
            return n;
    return 0;
}

const char *era_text_escape(const char *text, char *out, size_t size)
{
    size_t used = 0, len = strlen(text);
    assert(size > 0);
    for (size_t i = 0; i < len;) {
        char one[5] = "\\x";
        size_t n = clean_character(text + i, len - i), shown = n;
        if (n > 0) {
            memcpy(one, text + i, n);
        } else {
            era_hex((const uint8_t *)text + i, 1, one + 2);
            n = 1;
            shown = 4;
        }
        if (used + shown >= size)
            break;
        memcpy(out + used, one, shown);
        used += shown;
        i += n;
    }
    out[used] = '\0';
    return out;
}

bool era_error_set(struct era_error *err, int status, const char *where, const char *cure, const char *format,
                   ...)
{
    assert(status != ERA_EXIT_OK);
    if (err == NULL)
        return false;
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    err->status = status;
    era_text_escape(where, err->where, sizeof err->where);
    snprintf(err->cure, sizeof err->cure, "%s", cure);
    return false;
}

static const struct {
    int number, status;
    const char *cure;
} rows[] = {
    {ENOENT, ERA_EXIT_NO_INPUT, "check the name"},
    {ENOTDIR, ERA_EXIT_NO_INPUT, "check the name"},
    {EISDIR, ERA_EXIT_NO_INPUT, "name a file, not a directory"},
    {EINVAL, ERA_EXIT_NO_INPUT, "name a regular file"},
    {ELOOP, ERA_EXIT_NO_INPUT, "name the file itself, not a link"},
    {EFBIG, ERA_EXIT_DATA, "make it smaller, or check that it is the right file"},
    {EACCES, ERA_EXIT_PERMISSION, "run it as the file's owner, or change the permissions"},
    {EPERM, ERA_EXIT_PERMISSION, "run it as the file's owner, or change the permissions"},
    {EWOULDBLOCK, ERA_EXIT_TRY_LATER, "stop the other program that uses it"},
    {EMFILE, ERA_EXIT_TRY_LATER, "raise the limit of open files"},
    {ENOMEM, ERA_EXIT_TRY_LATER, "free some memory"},
    {EEXIST, ERA_EXIT_CANNOT_WRITE, "choose another name, or move the old one away"},
    {ENOSPC, ERA_EXIT_CANNOT_WRITE, "free disk space"},
    {EDQUOT, ERA_EXIT_CANNOT_WRITE, "free disk space"},
    {EROFS, ERA_EXIT_CANNOT_WRITE, "choose a directory that can be written"},
};

bool era_error_errno(struct era_error *err, int negative_errno, const char *where, const char *doing)
{
    int status = ERA_EXIT_CANNOT_WRITE;
    const char *cure = "";
    assert(negative_errno < 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].number == -negative_errno) {
            status = rows[i].status;
            cure = rows[i].cure;
        }
    return era_error_set(err, status, where, cure, "cannot %s: %s", doing, strerror(-negative_errno));
}
