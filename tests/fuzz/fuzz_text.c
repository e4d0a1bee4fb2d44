/* Texts that people write: three lines at most, each held against every parser
 * of src/base. What is read is written back to the same text; precedence is an
 * order, and a range of one version holds as that order says (M1). */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/fraction.h"
#include "src/base/semver.h"
#include "src/base/textkey.h"
#include "tests/fuzz/fuzz.h"

#define LINES 3

/* A block of exactly its size, so that a sanitizer sees one byte too far. */
static char *line_of(const uint8_t **at, const uint8_t *end)
{
    const uint8_t *start = *at, *stop = start;
    while (stop < end && *stop != '\n' && *stop != '\0')
        stop++;
    size_t len = (size_t)(stop - start);
    char *line = malloc(len + 1);
    assert(line);
    memcpy(line, start, len);
    line[len] = '\0';
    *at = stop < end ? stop + 1 : end;
    return line;
}

static bool range_of_one(const char *test, const char *bound, const char *version)
{
    size_t size = strlen(test) + strlen(bound) + 1;
    char *range = malloc(size);
    assert(range);
    snprintf(range, size, "%s%s", test, bound);
    assert(era_range_valid(range));
    bool holds = era_range_match(range, version);
    free(range);
    return holds;
}

static void order(const char *a, const char *b)
{
    if (!era_semver_valid(a) || !era_semver_valid(b))
        return;
    int order = era_semver_compare(a, b);
    assert(order >= -1 && order <= 1);
    assert(era_semver_compare(b, a) == -order);
    assert(range_of_one("", b, a) == (order == 0));
    assert(range_of_one(">", b, a) == (order > 0));
    assert(range_of_one(">=", b, a) == (order >= 0));
    assert(range_of_one("<", b, a) == (order < 0));
    assert(range_of_one("<=", b, a) == (order <= 0));
    assert(!range_of_one("^", b, a) || order >= 0);
    assert(!range_of_one("~", b, a) || range_of_one("^", b, a) || b[0] == '0');
}

static void orders(char *const line[LINES])
{
    for (size_t i = 0; i < LINES; i++)
        for (size_t j = 0; j < LINES; j++)
            order(line[i], line[j]);
    for (size_t i = 0; i < LINES; i++)
        if (!era_semver_valid(line[i]))
            return;
    if (era_semver_compare(line[0], line[1]) <= 0 && era_semver_compare(line[1], line[2]) <= 0)
        assert(era_semver_compare(line[0], line[2]) <= 0);
}

static void range(const char *text, const char *version)
{
    bool holds = era_range_match(text, version);
    assert(era_range_valid(text) == (era_range_why(text) == NULL));
    assert(era_range_valid(text) || !holds);
    assert(era_semver_valid(version) == (era_semver_why(version) == NULL));
    assert(!holds || text[0] == '\0' || era_semver_valid(version));
}

static bool same_in_lower(const char *text, const char *lower)
{
    size_t i = 0;
    for (; text[i] && lower[i]; i++)
        if ((text[i] >= 'A' && text[i] <= 'Z' ? text[i] + ('a' - 'A') : text[i]) != lower[i])
            return false;
    return text[i] == lower[i];
}

static void keys(const char *text)
{
    char again[ERA_KEY_TEXT_BYTES];
    struct era_key key;
    struct era_seed seed;
    const char *why;
    if (era_key_from_text(text, &key, &why) == ERA_ACCEPTED) {
        assert(era_key_is_sound(&key) && why[0] == '\0' && !era_bech32_why(text));
        assert(same_in_lower(text, era_key_text(&key, again)));
    } else {
        assert(why[0] != '\0');
    }
    if (era_seed_from_text(text, &seed, &why) == ERA_ACCEPTED) {
        assert(why[0] == '\0' && !era_bech32_why(text));
        assert(same_in_lower(text, era_seed_text(&seed, again)));
    } else {
        assert(why[0] != '\0');
    }
}

static void any_32_bytes_are_a_seed(const uint8_t *data)
{
    char text[ERA_KEY_TEXT_BYTES];
    struct era_seed seed, again;
    memcpy(seed.b, data, sizeof seed.b);
    enum era_verdict verdict = era_seed_from_text(era_seed_text(&seed, text), &again, NULL);
    assert(verdict == ERA_ACCEPTED && memcmp(seed.b, again.b, sizeof seed.b) == 0);
}

static void numbers(const char *text)
{
    char again[64];
    uint64_t value, part, whole;
    if (era_u64_parse(text, UINT64_MAX, &value)) {
        snprintf(again, sizeof again, "%" PRIu64, value);
        assert(strcmp(text, again) == 0);
        assert(era_u64_parse(text, value, &part) && part == value);
        assert(value == 0 || !era_u64_parse(text, value - 1, &part));
    }
    if (era_fraction_parse(text, &part, &whole)) {
        snprintf(again, sizeof again, "%" PRIu64 "/%" PRIu64, part, whole);
        if (!strchr(text, '/'))
            *strchr(again, '/') = '\0';
        assert(strcmp(text, again) == 0);
        assert(part <= whole && whole >= 1 && whole <= ERA_FRACTION_PART_MAX);
        for (uint64_t n = 0; n < 8; n++) {
            uint64_t least = era_fraction_ceil(part, whole, n);
            assert(least * whole >= part * n && (least == 0 || (least - 1) * whole < part * n));
        }
        assert(era_fraction_ceil(whole, whole, UINT64_MAX) == UINT64_MAX);
    }
}

static void bytes(const char *text)
{
    char again[ERA_HASH_TEXT_BYTES];
    struct era_hash hash;
    size_t len = strlen(text);
    if (era_hash_from_text(text, &hash))
        assert(strcmp(text, era_hash_text(&hash, again)) == 0);
    assert(!era_utf8_valid(text, len, false) || era_utf8_valid(text, len, true));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *line[LINES];
    const uint8_t *at = data;
    for (size_t i = 0; i < LINES; i++) {
        line[i] = line_of(&at, data + size);
        keys(line[i]);
        numbers(line[i]);
        bytes(line[i]);
    }
    orders(line);
    for (size_t i = 0; i < LINES; i++)
        range(line[i], line[(i + 1) % LINES]);
    if (size >= ERA_SEED_BYTES)
        any_32_bytes_are_a_seed(data);
    for (size_t i = 0; i < LINES; i++)
        free(line[i]);
    return 0;
}
