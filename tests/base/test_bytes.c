#include <criterion/criterion.h>
#include <string.h>

#include "src/base/bytes.h"

static bool clean(const char *text)
{
    return era_utf8_valid(text, strlen(text), false);
}

Test(hash, R1_is_BLAKE2b_256_over_the_parts_as_if_joined)
{
    struct era_bytes parts[] = {{(const uint8_t *)"a", 1}, {NULL, 0}, {(const uint8_t *)"bc", 2}};
    struct era_hash h = era_hash_parts(parts, 3);
    char text[ERA_HASH_TEXT_BYTES];
    cr_assert_str_eq(era_hash_text(&h, text),
                     "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    h = era_hash_parts(NULL, 0);
    cr_assert_str_eq(era_hash_text(&h, text),
                     "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
}

Test(hash, reads_only_64_lowercase_hex_digits)
{
    struct era_hash h = {{7}};
    cr_assert(!era_hash_from_text("", &h));
    cr_assert(!era_hash_from_text("0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a", &h));
    cr_assert(!era_hash_from_text("0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a80", &h));
    cr_assert(!era_hash_from_text("0E5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8", &h));
    cr_assert(!era_hash_from_text("0g5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8", &h));
    cr_assert_eq(h.b[0], 7);
    cr_assert(era_hash_from_text("0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8", &h));
    cr_assert_eq(h.b[0], 0x0e);
    cr_assert_eq(h.b[31], 0xa8);
}

Test(hash, orders_by_unsigned_bytes)
{
    struct era_hash low = {{0x7f}}, high = {{0x80}}, zero = {{0}};
    cr_assert_lt(era_hash_cmp(&low, &high), 0);
    cr_assert_gt(era_hash_cmp(&high, &low), 0);
    cr_assert(era_hash_eq(&low, &low));
    cr_assert(!era_hash_eq(&low, &high));
    cr_assert(era_hash_is_zero(&zero));
    cr_assert(!era_hash_is_zero(&low));
}

Test(key, equals_itself_to_the_last_byte)
{
    struct era_key a = {{1}}, b = {{1}};
    cr_assert(era_key_eq(&a, &b));
    b.b[31] = 1;
    cr_assert(!era_key_eq(&a, &b));
}

Test(number, travels_big_endian)
{
    uint8_t bytes[8];
    const uint8_t four[4] = {0x01, 0x02, 0x03, 0xff};
    const uint8_t eight[8] = {0xf1, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08};
    era_put_be32(bytes, 0x010203ff);
    cr_assert_arr_eq(bytes, four, 4);
    era_put_be64(bytes, 0xf102030405060708);
    cr_assert_arr_eq(bytes, eight, 8);
    cr_assert_eq(era_get_be32(four), 0x010203ffu);
    cr_assert_eq(era_get_be64(eight), 0xf102030405060708u);
}

Test(utf8, takes_every_well_formed_character)
{
    cr_assert(clean(""));
    cr_assert(clean("plain ~ text"));
    cr_assert(clean("\xc2\xa0")); /* U+00A0 */
    cr_assert(clean("\xdf\xbf")); /* U+07FF */
    cr_assert(clean("\xe0\xa0\x80")); /* U+0800 */
    cr_assert(clean("\xed\x9f\xbf")); /* U+D7FF, below the surrogates */
    cr_assert(clean("\xee\x80\x80")); /* U+E000, above them */
    cr_assert(clean("\xf0\x90\x80\x80")); /* U+10000 */
    cr_assert(clean("\xf4\x8f\xbf\xbf")); /* U+10FFFF */
}

Test(utf8, refuses_what_is_not_well_formed)
{
    cr_assert(!clean("\x80"));
    cr_assert(!clean("\xc0\x80")); /* overlong NUL */
    cr_assert(!clean("\xc1\xbf"));
    cr_assert(!clean("\xe0\x9f\xbf")); /* overlong, three bytes */
    cr_assert(!clean("\xf0\x8f\xbf\xbf")); /* overlong, four bytes */
    cr_assert(!clean("\xed\xa0\x80")); /* surrogate */
    cr_assert(!clean("\xed\xbf\xbf"));
    cr_assert(!clean("\xf4\x90\x80\x80")); /* above U+10FFFF */
    cr_assert(!clean("\xf5\x80\x80\x80"));
    cr_assert(!era_utf8_valid("\xe2\x82\xac", 2, false)); /* the rest lies behind the end */
    cr_assert(!clean("\xe2\x82")); /* cut off */
    cr_assert(!clean("\xe2\x82z"));
    cr_assert(!clean("\xff"));
}

Test(utf8, refuses_what_would_lie_to_a_terminal)
{
    cr_assert(!era_utf8_valid("a\0b", 3, true));
    cr_assert(!clean("\x1b[2J"));
    cr_assert(!clean("\x7f"));
    cr_assert(!clean("\xc2\x9b")); /* C1: CSI in one character */
    cr_assert(!clean("\xe2\x80\xae")); /* right-to-left override */
    cr_assert(!clean("\xe2\x81\xa6")); /* isolate */
}

Test(utf8, takes_newline_and_tab_only_in_multiline_texts)
{
    cr_assert(era_utf8_valid("a\n\tb", 4, true));
    cr_assert(!era_utf8_valid("a\nb", 3, false));
    cr_assert(!era_utf8_valid("a\tb", 3, false));
    cr_assert(!era_utf8_valid("a\rb", 3, true));
}

Test(number, I15_saturates_instead_of_overflowing)
{
    cr_assert_eq(era_add_sat(1, 2), 3u);
    cr_assert_eq(era_add_sat(UINT64_MAX, 1), UINT64_MAX);
    cr_assert_eq(era_mul_sat(3, 4), 12u);
    cr_assert_eq(era_mul_sat((uint64_t)1 << 32, (uint64_t)1 << 32), UINT64_MAX);
}

Test(text, is_copied_whole_or_not_at_all)
{
    char field[4];
    cr_assert(era_text_set(field, sizeof field, "abc"));
    cr_assert_str_eq(field, "abc");
    cr_assert(!era_text_set(field, sizeof field, "abcd"));
    cr_assert_str_eq(field, "");
}
