/* Places and the records that name them. */
#include <criterion/criterion.h>

#include <string.h>

#include "proto/peer_record.h"

static struct era_place given_place(const char *address)
{
    struct era_place place;
    cr_assert(era_place_parse(address, &place), "%s", address);
    return place;
}

Test(place, a_text_reads_back_as_the_place_it_was_written_from)
{
    static const char *const texts[] = {"tcp://192.0.2.1:7711", "tcp://255.1.0.9:1",
                                        "tcp://[2001:db8:0:0:0:0:0:1]:65535", "tcp://[fe80:0:0:0:a:b:c:d]:1"};
    char out[ERA_ADDRESS_BYTES_MAX + 1];
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct era_place place = given_place(texts[i]);
        cr_expect_str_eq(era_place_text(&place, out), texts[i]);
    }
    struct era_place shorter = given_place("tcp://[2001:db8::1]:65535"), longer = given_place(texts[2]);
    cr_assert(era_place_eq(&shorter, &longer));
}

Test(place, names_and_other_forms_are_no_places)
{
    static const char *const texts[] = {
        "tcp://example.org:1",
        "ipc:///run/x.sock",
        "tcp://1.2.3:4",
        "tcp://1.2.3.4",
        "tcp://1.2.3.4:",
        "tcp://1.2.3.4:65536",
        "tcp://1.2.3.256:1",
        "tcp://01.2.3.4:1",
        "tcp://1.2.3.4:1x",
        "tcp://1.2.3.4.5:1",
        "tcp://[1:2:3:4:5:6:7]:1",
        "tcp://[1:2:3:4:5:6:7:8:9]:1",
        "tcp://[::1:1",
        "tcp://[1::2::3]:1",
        "tcp://[g::1]:1",
        "tcp://[:1]:1",
        "tcp://[12345::1]:1",
        "",
        "tcp://",
        "tcp://[1:2:3:4:5:6:7:]:1",
    };
    struct era_place place;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        cr_expect_not(era_place_parse(texts[i], &place), "%s", texts[i]);
}

Test(place, classes_follow_the_registries)
{
    static const struct {
        const char *address;
        enum era_place_class class;
    } rows[] = {
        {"tcp://192.0.2.1:7711", ERA_PLACE_PUBLIC},  {"tcp://10.1.2.3:1", ERA_PLACE_PRIVATE},
        {"tcp://172.16.0.1:1", ERA_PLACE_PRIVATE},   {"tcp://172.32.0.1:1", ERA_PLACE_PUBLIC},
        {"tcp://192.168.9.9:1", ERA_PLACE_PRIVATE},  {"tcp://100.64.0.1:1", ERA_PLACE_PRIVATE},
        {"tcp://100.128.0.1:1", ERA_PLACE_PUBLIC},   {"tcp://169.254.1.1:1", ERA_PLACE_PRIVATE},
        {"tcp://127.0.0.1:1", ERA_PLACE_LOOPBACK},   {"tcp://0.0.0.0:1", ERA_PLACE_UNUSABLE},
        {"tcp://224.0.0.1:1", ERA_PLACE_UNUSABLE},   {"tcp://255.255.255.255:1", ERA_PLACE_UNUSABLE},
        {"tcp://192.0.2.1:0", ERA_PLACE_UNUSABLE},   {"tcp://[::1]:1", ERA_PLACE_LOOPBACK},
        {"tcp://[::]:1", ERA_PLACE_UNUSABLE},        {"tcp://[ff02::1]:1", ERA_PLACE_UNUSABLE},
        {"tcp://[fe80::1]:1", ERA_PLACE_PRIVATE},    {"tcp://[fd00::1]:1", ERA_PLACE_PRIVATE},
        {"tcp://[2001:db8::1]:1", ERA_PLACE_PUBLIC}, {"tcp://[::ffff:7f00:1]:1", ERA_PLACE_UNUSABLE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct era_place place = given_place(rows[i].address);
        cr_expect_eq(era_place_class(&place), rows[i].class, "%s", rows[i].address);
    }
}

static uint64_t group(const char *address)
{
    static const struct era_siphash_key key = {{1}};
    struct era_place place = given_place(address);
    return era_place_group(&key, &place);
}

Test(place, a_prefix_is_a_group_and_a_private_place_is_its_own)
{
    cr_assert_eq(group("tcp://192.0.2.1:7711"), group("tcp://192.0.99.7:1"));
    cr_assert_neq(group("tcp://192.0.2.1:7711"), group("tcp://192.1.2.1:7711"));
    cr_assert_eq(group("tcp://[2001:db8::1]:1"), group("tcp://[2001:db8:9::2]:2"));
    cr_assert_neq(group("tcp://[2001:db8::1]:1"), group("tcp://[2001:db9::1]:1"));
    cr_assert_neq(group("tcp://10.0.0.1:1"), group("tcp://10.0.0.2:1"));
    cr_assert_neq(group("tcp://127.0.0.1:1"), group("tcp://127.0.0.1:2"));
}

Test(peer_record, its_digest_covers_every_part)
{
    struct era_hash network = {{7}}, other = {{8}};
    struct era_peer_record r = {.node = {{1}}, .place = given_place("tcp://192.0.2.1:7711"), .made_ms = 5}, s;
    struct era_hash digest = era_peer_record_digest(&network, &r), changed[5];
    changed[0] = era_peer_record_digest(&other, &r);
    s = r, s.node.b[31] = 1;
    changed[1] = era_peer_record_digest(&network, &s);
    s = r, s.made_ms = 6;
    changed[2] = era_peer_record_digest(&network, &s);
    s = r, s.place.port = 1;
    changed[3] = era_peer_record_digest(&network, &s);
    s = r, s.place.ip[3] = 2;
    changed[4] = era_peer_record_digest(&network, &s);
    for (size_t i = 0; i < 5; i++)
        cr_expect_not(era_hash_eq(&digest, &changed[i]), "%zu", i);
    s = r, s.signature.b[0] = 1;
    changed[0] = era_peer_record_digest(&network, &s);
    cr_assert(era_hash_eq(&digest, &changed[0]));
}
