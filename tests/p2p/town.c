#include "tests/p2p/town.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LETTER_MS 20

const struct era_hash town_network = {{0x77}};

/* ---- records ---- */

static struct era_signature town_sign(const struct era_key *key, const struct era_hash *digest)
{
    struct era_signature s = {{0}};
    for (size_t i = 0; i < ERA_KEY_BYTES; i++)
        s.b[i] = key->b[i] ^ digest->b[i];
    return s;
}

bool town_fits(void *ctx, const struct era_key *key, const struct era_hash *digest,
               const struct era_signature *signature)
{
    (void)ctx;
    struct era_signature s = town_sign(key, digest);
    return memcmp(&s, signature, sizeof s) == 0;
}

static struct era_key key_of(uint16_t node)
{
    return (struct era_key){{(uint8_t)(node >> 8), (uint8_t)node, 1}};
}

struct era_peer_record town_record(uint16_t node, const char *address, uint64_t made_ms)
{
    struct era_peer_record r = {.node = key_of(node), .made_ms = made_ms};
    cr_assert(era_place_parse(address, &r.place), "%s", address);
    struct era_hash digest = era_peer_record_digest(&town_network, &r);
    r.signature = town_sign(&r.node, &digest);
    return r;
}

/* ---- life ---- */

struct town *town_new(uint64_t seed)
{
    struct town *t = calloc(1, sizeof *t);
    t->now_ms = 1000;
    t->seed = seed;
    return t;
}

void town_free(struct town *t)
{
    for (size_t i = 0; i < t->count; i++)
        era_overlay_free(t->houses[i].overlay);
    for (size_t i = 0; i < t->letter_count; i++)
        free(t->letters[t->letter_head + i].action.shuffle);
    free(t->letters);
    free(t->links);
    free(t);
}

size_t town_add(struct town *t, const char *address)
{
    cr_assert_lt(t->count, TOWN_MAX);
    struct town_house *h = &t->houses[t->count];
    snprintf(h->address, sizeof h->address, "tcp://10.%zu.%zu.1:7711", t->count / 256, t->count % 256);
    if (address != NULL)
        era_text_set(h->address, sizeof h->address, address);
    h->record = town_record((uint16_t)t->count, h->address, 1);
    struct era_overlay_config config = {.network = town_network,
                                        .node = h->record.node,
                                        .listen = h->address,
                                        .target = 7,
                                        .root = era_root_of_seed(t->seed * 1000 + t->count),
                                        .fits = town_fits};
    h->overlay = era_overlay_new(&config);
    era_overlay_set_record(h->overlay, &h->record);
    return t->count++;
}

/* ---- links ---- */

static struct town_link *link_of(const struct town *t, uint64_t number)
{
    struct town_link *l = number / 2 - 1 < t->link_count ? &t->links[number / 2 - 1] : NULL;
    return l != NULL && l->open ? l : NULL;
}

bool town_linked(const struct town *t, size_t a, size_t b)
{
    for (size_t i = 0; i < t->link_count; i++) {
        const struct town_link *l = &t->links[i];
        if (l->open && ((l->end[0] == a && l->end[1] == b) || (l->end[0] == b && l->end[1] == a)))
            return true;
    }
    return false;
}

static void link_up(struct town *t, size_t a, size_t b, bool anchor)
{
    char from[ERA_ADDRESS_BYTES_MAX + 1];
    if (town_linked(t, a, b)) {
        era_overlay_dial_failed(t->houses[a].overlay, t->now_ms, t->houses[b].address);
        return;
    }
    if (t->link_count == t->link_cap) {
        t->link_cap = t->link_cap == 0 ? 256 : 2 * t->link_cap;
        t->links = realloc(t->links, t->link_cap * sizeof *t->links);
    }
    struct town_link *l = &t->links[t->link_count++];
    *l = (struct town_link){true, {a, b}, {2 * t->link_count, 2 * t->link_count + 1}};
    struct era_place place = t->houses[a].record.place;
    place.port = (uint16_t)(30000 + t->link_count % 30000);
    era_overlay_up(t->houses[a].overlay, t->now_ms, l->number[0], &t->houses[b].record.node,
                   t->houses[b].address, true, anchor, false);
    era_overlay_up(t->houses[b].overlay, t->now_ms, t->links[t->link_count - 1].number[1],
                   &t->houses[a].record.node, era_place_text(&place, from), false, false, false);
}

void town_join(struct town *t, size_t a, size_t b)
{
    era_overlay_add_anchor(t->houses[a].overlay, t->houses[b].address);
    link_up(t, a, b, true);
}

static void link_down(struct town *t, struct town_link *l, bool gone)
{
    l->open = false;
    for (size_t i = 0; i < 2; i++)
        if (t->houses[l->end[i]].overlay != NULL)
            era_overlay_down(t->houses[l->end[i]].overlay, t->now_ms, l->number[i], gone);
}

void town_vanish(struct town *t, size_t house)
{
    era_overlay_free(t->houses[house].overlay);
    t->houses[house].overlay = NULL;
    for (size_t i = 0; i < t->link_count; i++)
        if (t->links[i].open && (t->links[i].end[0] == house || t->links[i].end[1] == house))
            link_down(t, &t->links[i], true);
}

/* ---- carrying ---- */

static void post(struct town *t, const struct era_overlay_action *a)
{
    struct town_link *l = link_of(t, a->link);
    if (l == NULL)
        return;
    if (t->letter_head + t->letter_count == t->letter_cap) {
        if (t->letter_head > 0)
            memmove(t->letters, t->letters + t->letter_head, t->letter_count * sizeof *t->letters);
        t->letter_head = 0;
        if (t->letter_count == t->letter_cap) {
            t->letter_cap = t->letter_cap == 0 ? 256 : 2 * t->letter_cap;
            t->letters = realloc(t->letters, t->letter_cap * sizeof *t->letters);
        }
    }
    size_t side = a->link & 1;
    struct town_letter *letter = &t->letters[t->letter_head + t->letter_count++];
    *letter = (struct town_letter){t->now_ms + LETTER_MS, l->number[!side], l->end[!side], *a};
    t->letters_sent++;
    if (a->shuffle != NULL) {
        letter->action.shuffle = malloc(sizeof *a->shuffle);
        *letter->action.shuffle = *a->shuffle;
    }
}

static void dial(struct town *t, size_t from, const struct era_place *place)
{
    char address[ERA_ADDRESS_BYTES_MAX + 1];
    era_place_text(place, address);
    for (size_t i = 0; i < t->count; i++)
        if (t->houses[i].overlay != NULL && i != from && strcmp(t->houses[i].address, address) == 0) {
            link_up(t, from, i, false);
            return;
        }
    era_overlay_dial_failed(t->houses[from].overlay, t->now_ms, address);
}

static void do_all(struct town *t, size_t house)
{
    const struct era_overlay_action *actions;
    size_t n;
    while (t->houses[house].overlay != NULL &&
           (n = era_overlay_take_actions(t->houses[house].overlay, &actions)) > 0) {
        struct era_overlay_action *own = malloc(n * sizeof *own);
        struct era_place *places = malloc(n * sizeof *places);
        uint64_t *parts = malloc(n * sizeof *parts);
        size_t place_count = 0, part_count = 0;
        for (size_t i = 0; i < n; i++) {
            if (actions[i].kind == ERA_OVERLAY_DIAL)
                places[place_count++] = actions[i].place;
            else if (actions[i].kind == ERA_OVERLAY_PART)
                parts[part_count++] = actions[i].link;
            else
                post(t, &actions[i]);
        }
        for (size_t i = 0; i < part_count; i++)
            if (link_of(t, parts[i]) != NULL)
                link_down(t, link_of(t, parts[i]), false);
        for (size_t i = 0; i < place_count; i++)
            dial(t, house, &places[i]);
        free(own);
        free(places);
        free(parts);
    }
}

static void deliver(struct town *t, const struct town_letter *letter)
{
    struct town_house *h = &t->houses[letter->to];
    enum era_verdict v = ERA_ACCEPTED;
    const struct era_overlay_action *a = &letter->action;
    if (link_of(t, letter->to_link) == NULL || h->overlay == NULL)
        return;
    if (a->kind == ERA_OVERLAY_WORD)
        v = era_overlay_word(h->overlay, t->now_ms, letter->to_link, a->word);
    else if (a->kind == ERA_OVERLAY_WALK)
        v = era_overlay_walk(h->overlay, t->now_ms, letter->to_link, &a->walk);
    else
        v = era_overlay_shuffle(h->overlay, t->now_ms, letter->to_link, a->shuffle);
    h->refused += v != ERA_ACCEPTED;
}

static uint64_t next_time(const struct town *t)
{
    uint64_t next = t->letter_count > 0 ? t->letters[t->letter_head].at_ms : UINT64_MAX;
    for (size_t i = 0; i < t->count; i++)
        if (t->houses[i].overlay != NULL && era_overlay_deadline_ms(t->houses[i].overlay) < next)
            next = era_overlay_deadline_ms(t->houses[i].overlay);
    return next;
}

void town_run(struct town *t, uint64_t ms)
{
    uint64_t end = t->now_ms + ms;
    for (;;) {
        for (size_t i = 0; i < t->count; i++)
            do_all(t, i);
        uint64_t next = next_time(t);
        if (next > end)
            break;
        t->now_ms = next > t->now_ms ? next : t->now_ms;
        while (t->letter_count > 0 && t->letters[t->letter_head].at_ms <= t->now_ms) {
            struct town_letter letter = t->letters[t->letter_head++];
            t->letter_count--;
            deliver(t, &letter);
            free(letter.action.shuffle);
        }
        for (size_t i = 0; i < t->count; i++)
            if (t->houses[i].overlay != NULL && era_overlay_deadline_ms(t->houses[i].overlay) <= t->now_ms) {
                era_overlay_tick(t->houses[i].overlay, t->now_ms);
                cr_assert_gt(era_overlay_deadline_ms(t->houses[i].overlay), t->now_ms);
            }
    }
    t->now_ms = end;
}

/* ---- looking ---- */

static bool is_edge(const struct town *t, const struct town_link *l)
{
    return l->open && era_overlay_is_active(t->houses[l->end[0]].overlay, l->number[0]) &&
           era_overlay_is_active(t->houses[l->end[1]].overlay, l->number[1]);
}

size_t town_degree(const struct town *t, size_t house)
{
    size_t n = 0;
    for (size_t i = 0; i < t->link_count; i++)
        n += (t->links[i].end[0] == house || t->links[i].end[1] == house) && is_edge(t, &t->links[i]);
    return n;
}

size_t town_there(const struct town *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->count; i++)
        n += t->houses[i].overlay != NULL;
    return n;
}

size_t town_reach(const struct town *t)
{
    static bool seen[TOWN_MAX];
    memset(seen, 0, sizeof seen);
    size_t first = 0, count = 1;
    while (first < t->count && t->houses[first].overlay == NULL)
        first++;
    seen[first] = true;
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < t->link_count; i++) {
            const struct town_link *l = &t->links[i];
            if (!is_edge(t, l) || seen[l->end[0]] == seen[l->end[1]])
                continue;
            seen[l->end[0]] = seen[l->end[1]] = true;
            more = true;
            count++;
        }
    }
    return count;
}
