#include "proto/peer_record.h"

#include <stdio.h>
#include <string.h>

#define V6_GROUPS 8

/* ---- text ---- */

/* Digits of a number up to max; leading zeros are refused: 010 is 8 for some readers. */
static bool read_number(const char **at, unsigned base, unsigned digits_max, unsigned max, unsigned *out)
{
    unsigned value = 0, digits = 0;
    for (; digits <= digits_max; digits++) {
        const char *all = "0123456789abcdef", *d = **at != '\0' ? strchr(all, **at) : NULL;
        if (d == NULL || (unsigned)(d - all) >= base)
            break;
        value = value * base + (unsigned)(d - all);
        (*at)++;
    }
    bool zeros = digits > 1 && (*at)[-(int)digits] == '0';
    *out = value;
    return digits > 0 && digits <= digits_max && value <= max && !zeros;
}

static bool read_v4(const char **at, struct era_place *out)
{
    out->len = 4;
    for (size_t i = 0; i < 4; i++) {
        unsigned byte;
        if ((i > 0 && *(*at)++ != '.') || !read_number(at, 10, 3, 255, &byte))
            return false;
        out->ip[i] = (uint8_t)byte;
    }
    return true;
}

/* Groups up to the end or a "::"; returns how many, -1 when one is ill-formed. */
static int read_groups(const char **at, int room, uint8_t *out)
{
    int count = 0;
    while (**at != ']' && **at != ':' && count < room) {
        unsigned group;
        if (!read_number(at, 16, 4, 0xFFFF, &group))
            return -1;
        out[2 * count] = (uint8_t)(group >> 8);
        out[2 * count + 1] = (uint8_t)group;
        count++;
        if (**at == ':' && (*at)[1] != ':')
            (*at)++;
    }
    return count;
}

static bool read_v6(const char **at, struct era_place *out)
{
    uint8_t tail[ERA_IP_BYTES_MAX] = {0};
    out->len = ERA_IP_BYTES_MAX;
    int head = read_groups(at, V6_GROUPS, out->ip);
    if (head < 0)
        return false;
    if (strncmp(*at, "::", 2) == 0) {
        *at += 2;
        int rest = read_groups(at, V6_GROUPS - 1 - head, tail);
        if (rest < 0)
            return false;
        memcpy(out->ip + ERA_IP_BYTES_MAX - 2 * rest, tail, (size_t)(2 * rest));
    } else if (head < V6_GROUPS) {
        return false;
    }
    return *(*at)++ == ']';
}

bool era_place_parse(const char *address, struct era_place *out)
{
    struct era_place place = {0};
    const char *at = address;
    unsigned port;
    if (strncmp(at, "tcp://", 6) != 0)
        return false;
    at += 6;
    bool fits = *at == '[' ? (at++, read_v6(&at, &place)) : read_v4(&at, &place);
    if (!fits || *at++ != ':' || !read_number(&at, 10, 5, 65535, &port) || *at != '\0')
        return false;
    place.port = (uint16_t)port;
    *out = place;
    return true;
}

const char *era_place_text(const struct era_place *place, char out[ERA_ADDRESS_BYTES_MAX + 1])
{
    const uint8_t *b = place->ip;
    size_t size = ERA_ADDRESS_BYTES_MAX + 1;
    if (place->len == 4) {
        snprintf(out, size, "tcp://%u.%u.%u.%u:%u", b[0], b[1], b[2], b[3], place->port);
        return out;
    }
    size_t len = (size_t)snprintf(out, size, "tcp://[");
    for (size_t i = 0; i < V6_GROUPS; i++)
        len += (size_t)snprintf(out + len, size - len, "%s%x", i == 0 ? "" : ":",
                                (unsigned)b[2 * i] << 8 | b[2 * i + 1]);
    snprintf(out + len, size - len, "]:%u", place->port);
    return out;
}

/* ---- what they are ---- */

bool era_place_eq(const struct era_place *a, const struct era_place *b)
{
    return a->len == b->len && a->port == b->port && memcmp(a->ip, b->ip, a->len) == 0;
}

static enum era_place_class class_v4(const uint8_t *b)
{
    if (b[0] == 0 || b[0] >= 224)
        return ERA_PLACE_UNUSABLE;
    if (b[0] == 127)
        return ERA_PLACE_LOOPBACK;
    bool inside = b[0] == 10 || (b[0] == 172 && b[1] >> 4 == 1) || (b[0] == 192 && b[1] == 168) ||
                  (b[0] == 100 && b[1] >> 6 == 1) || (b[0] == 169 && b[1] == 254);
    return inside ? ERA_PLACE_PRIVATE : ERA_PLACE_PUBLIC;
}

static enum era_place_class class_v6(const uint8_t *b)
{
    static const uint8_t zeros[ERA_IP_BYTES_MAX];
    if (memcmp(b, zeros, 15) == 0 && b[15] == 1)
        return ERA_PLACE_LOOPBACK;
    bool carries_v4 =
        memcmp(b, zeros, 10) == 0 && ((b[10] == 0 && b[11] == 0) || (b[10] == 255 && b[11] == 255));
    if (carries_v4 || b[0] == 0xFF) /* :: is among the first */
        return ERA_PLACE_UNUSABLE;
    return (b[0] & 0xFE) == 0xFC || (b[0] == 0xFE && b[1] >> 6 == 2) ? ERA_PLACE_PRIVATE : ERA_PLACE_PUBLIC;
}

enum era_place_class era_place_class(const struct era_place *place)
{
    if (place->port == 0 || (place->len != 4 && place->len != ERA_IP_BYTES_MAX))
        return ERA_PLACE_UNUSABLE;
    return place->len == 4 ? class_v4(place->ip) : class_v6(place->ip);
}

uint64_t era_place_group(const struct era_siphash_key *key, const struct era_place *place)
{
    uint8_t of[1 + ERA_IP_BYTES_MAX + 2] = {place->len};
    if (era_place_class(place) != ERA_PLACE_PUBLIC) {
        memcpy(of + 1, place->ip, place->len);
        of[1 + ERA_IP_BYTES_MAX] = (uint8_t)(place->port >> 8);
        of[2 + ERA_IP_BYTES_MAX] = (uint8_t)place->port;
    } else {
        memcpy(of + 1, place->ip, place->len == 4 ? 2 : 4);
    }
    return era_siphash(key, of, sizeof of);
}

struct era_hash era_peer_record_digest(const struct era_hash *network, const struct era_peer_record *record)
{
    static const char domain[] = "erad-peer-v1";
    uint8_t numbers[10];
    era_put_be64(numbers, record->made_ms);
    numbers[8] = (uint8_t)(record->place.port >> 8);
    numbers[9] = (uint8_t)record->place.port;
    const struct era_bytes parts[] = {
        {(const uint8_t *)domain, sizeof domain - 1}, {network->b, sizeof network->b},
        {record->node.b, sizeof record->node.b},      {numbers, sizeof numbers},
        {record->place.ip, record->place.len},
    };
    return era_hash_parts(parts, sizeof parts / sizeof parts[0]);
}

bool era_peer_record_is_current(const struct era_peer_record *record, uint64_t wall_ms)
{
    uint64_t made_ms = record->made_ms;
    uint64_t apart_ms = made_ms > wall_ms ? made_ms - wall_ms : wall_ms - made_ms;
    return wall_ms == 0 || apart_ms <= ERA_RECORD_AGE_MAX_MS;
}
