#include "tests/erad/place.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];

const char *place_make(void)
{
    snprintf(dir, sizeof dir, "/tmp/erad-test-XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
    return dir;
}

const char *place_path(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

void place_write(const char *name, const void *data, size_t len, unsigned mode)
{
    FILE *f = fopen(place_path(name), "w");
    cr_assert_not_null(f);
    cr_assert_eq(fwrite(data, 1, len, f), len);
    cr_assert_eq(fclose(f), 0);
    cr_assert_eq(chmod(place_path(name), mode), 0);
}

const char *place_read(const char *name)
{
    static char text[8192];
    FILE *f = fopen(place_path(name), "r");
    text[f ? fread(text, 1, sizeof text - 1, f) : 0] = '\0';
    if (f)
        fclose(f);
    return text;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

void place_remove(void)
{
    cr_assert_eq(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}
