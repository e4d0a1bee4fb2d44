#include <criterion/criterion.h>
#include <sodium.h>
#include <string.h>

#include "src/base/textkey.h"

/* RFC 8032, test 1; the texts were made by an independent encoder. */
#define SEED_HEX "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
#define KEY_HEX "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
#define SEED_TEXT "erasec1n4smr800l4dxpw5yft6f9mpvc3zyn3tf0vexjxts8wkqx89w0asqy5c89r"
#define KEY_TEXT "erapub16adfsqvzky9t042tlmfujeq88g8wzuhnm2nzxfd0qgdx3ac82ydqvs7usn"

static void from_hex(const char *hex, uint8_t out[32])
{
    struct era_hash h;
    cr_assert(era_hash_from_text(hex, &h));
    memcpy(out, h.b, 32);
}

static void refuses_key(const char *text, enum era_verdict verdict, const char *why)
{
    struct era_key key = {{7}};
    const char *said = NULL;
    cr_expect_eq(era_key_from_text(text, &key, &said), verdict, "%s", text);
    cr_expect_str_eq(said, why, "%s: %s", text, said);
    cr_expect_eq(key.b[0], 7, "out was touched");
}

Test(textkey, writes_a_public_key_and_reads_it_again)
{
    struct era_key key, again;
    char text[ERA_KEY_TEXT_BYTES];
    const char *why;
    from_hex(KEY_HEX, key.b);

    cr_assert_str_eq(era_key_text(&key, text), KEY_TEXT);
    cr_assert_eq(era_key_from_text(KEY_TEXT, &again, &why), ERA_ACCEPTED);
    cr_assert(era_key_eq(&key, &again));
    cr_assert_str_eq(why, "");
}

Test(textkey, writes_a_seed_and_reads_it_again)
{
    struct era_seed seed, again;
    char text[ERA_KEY_TEXT_BYTES];
    from_hex(SEED_HEX, seed.b);

    cr_assert_str_eq(era_seed_text(&seed, text), SEED_TEXT);
    cr_assert_eq(era_seed_from_text(SEED_TEXT, &again, NULL), ERA_ACCEPTED);
    cr_assert_arr_eq(seed.b, again.b, ERA_SEED_BYTES);
}

Test(textkey, keeps_every_bit)
{
    for (int bit = 0; bit < 256; bit++) {
        struct era_seed seed = {{0}}, again;
        char text[ERA_KEY_TEXT_BYTES];
        seed.b[bit / 8] = (uint8_t)(1 << bit % 8);
        cr_assert_eq(era_seed_from_text(era_seed_text(&seed, text), &again, NULL), ERA_ACCEPTED);
        cr_assert_arr_eq(seed.b, again.b, ERA_SEED_BYTES);
    }
}

Test(textkey, upper_case_spells_the_same_key)
{
    struct era_key key;
    char text[ERA_KEY_TEXT_BYTES];
    const char *upper = "ERAPUB16ADFSQVZKY9T042TLMFUJEQ88G8WZUHNM2NZXFD0QGDX3AC82YDQVS7USN";
    cr_assert_eq(era_key_from_text(upper, &key, NULL), ERA_ACCEPTED);
    cr_assert_str_eq(era_key_text(&key, text), KEY_TEXT);
}

Test(textkey, finds_every_single_wrong_character)
{
    for (size_t i = strlen("erapub1"); i < strlen(KEY_TEXT); i++) {
        struct era_key key;
        char text[] = KEY_TEXT;
        text[i] = text[i] == 'q' ? 'p' : 'q';
        cr_expect_eq(era_key_from_text(text, &key, NULL), ERA_MALFORMED, "character %zu", i);
    }
}

Test(textkey, a_secret_in_the_place_of_a_public_key_is_called_one)
{
    refuses_key(SEED_TEXT, ERA_BAD_VALUE,
                "this is a secret key where a public key (erapub1…) is wanted; never show it to anyone");
    struct era_seed seed;
    const char *why;
    cr_assert_eq(era_seed_from_text(KEY_TEXT, &seed, &why), ERA_BAD_VALUE);
    cr_assert_str_eq(why, "this is a public key where a secret key (erasec1…) is wanted");
}

Test(textkey, refuses_what_is_no_key_and_says_why)
{
    refuses_key("", ERA_MALFORMED, "it is empty");
    refuses_key("erapub16adfsqvzky9t042tlmfujeq88g8wzuhnm2nzxfd0qgdx3ac82ydqvs7usN", ERA_MALFORMED,
                "it mixes upper and lower case");
    refuses_key(KEY_TEXT " ", ERA_MALFORMED, "it holds a space, a control character or one outside ASCII");
    refuses_key(KEY_TEXT "\n", ERA_MALFORMED, "it holds a space, a control character or one outside ASCII");
    refuses_key("erapub16adfsqvzky9t042tlmfujeq88g8wzuhnm2nzxfd0qgdx3ac82ydqevws43", ERA_MALFORMED,
                "its checksum does not fit: a character is wrong, missing or swapped"); /* bech32m */
    refuses_key("npub16adfsqvzky9t042tlmfujeq88g8wzuhnm2nzxfd0qgdx3ac82ydqme0hce", ERA_BAD_VALUE,
                "this is no key of erad: it begins with neither erapub1 nor erasec1");
    refuses_key("erapub16adfsqvzky9t042tlmfujeq88g8wzuhnm2nzxfd0qgdx3ac82y0j58fm", ERA_BAD_VALUE,
                "it does not hold exactly 32 bytes"); /* 31 */
    refuses_key("erapub16adfsqvzky9t042tlmfujeq88g8wzuhnm2nzxfd0qgdx3ac82ydqqpq66rx", ERA_BAD_VALUE,
                "it does not hold exactly 32 bytes"); /* 33 */
    refuses_key("erapub16adfsqvzky9t042tlmfujeq88g8wzuhnm2nzxfd0qgdx3ac82ydp3x2fdp", ERA_BAD_VALUE,
                "it does not hold exactly 32 bytes"); /* a padding bit set: a second spelling of one key */
}

/* BIP-173's own vectors. */
Test(bech32, takes_the_valid_strings_of_BIP_173)
{
    static const char *const valid[] = {
        "A12UEL5L", "a12uel5l",
        "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
        "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
        "11qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqc8247j",
        "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w", "?1ezyfcl"};
    for (size_t i = 0; i < sizeof valid / sizeof valid[0]; i++)
        cr_expect_null(era_bech32_why(valid[i]), "%s: %s", valid[i], era_bech32_why(valid[i]));
}

Test(bech32, refuses_the_invalid_strings_of_BIP_173)
{
    static const struct {
        const char *text, *why;
    } invalid[] = {
        {" 1nwldj5", "it holds a space, a control character or one outside ASCII"},
        {"\x7f" "1axkwrx", "it holds a space, a control character or one outside ASCII"},
        {"\x80" "1eym55h", "it holds a space, a control character or one outside ASCII"},
        {"an84characterslonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1569pvx",
         "it is longer than 90 characters"},
        {"pzry9x0s0muk", "it has no prefix that ends in \"1\""},
        {"1pzry9x0s0muk", "it has no prefix that ends in \"1\""},
        {"10a06t8", "it has no prefix that ends in \"1\""},
        {"1qzzfhee", "it has no prefix that ends in \"1\""},
        {"x1b4n0q5v", "after the prefix it holds a character that no key has (b, i, o or a sign)"},
        {"li1dgmt3", "it is too short for its checksum"},
        {"de1lg7wt\xff", "it holds a space, a control character or one outside ASCII"},
        {"A1G7SGD8", "its checksum does not fit: a character is wrong, missing or swapped"},
        {"A12uEL5L", "it mixes upper and lower case"},
    };
    for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++) {
        const char *why = era_bech32_why(invalid[i].text);
        cr_assert_not_null(why, "%s was taken", invalid[i].text);
        cr_expect_str_eq(why, invalid[i].why, "%s: %s", invalid[i].text, why);
    }
}

/* The eight points of order 1, 2, 4 and 8, then encodings with y >= p, then a point off the curve,
 * then a sound key plus a point of order 8 (outside the prime-order group). */
static const char *const unsound[] = {
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "0200000000000000000000000000000000000000000000000000000000000000",
};

Test(key, is_not_sound_when_of_small_order_not_canonical_or_off_the_curve)
{
    for (size_t i = 0; i < sizeof unsound / sizeof unsound[0]; i++) {
        struct era_key key;
        from_hex(unsound[i], key.b);
        cr_expect(!era_key_is_sound(&key), "%s", unsound[i]);
    }
}

Test(key, is_not_sound_when_mixed_with_a_small_order_point)
{
    struct era_key key, small, mixed;
    from_hex(KEY_HEX, key.b);
    from_hex(unsound[4], small.b);
    cr_assert_eq(crypto_core_ed25519_add(mixed.b, key.b, small.b), 0);
    cr_assert(era_key_is_sound(&key));
    cr_assert(!era_key_is_sound(&mixed));
}

Test(key, of_small_order_is_refused_as_a_text_too)
{
    refuses_key("erapub1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq4fdenn", ERA_SMALL_ORDER_KEY,
                "the key is of small order or not on the curve");
}
