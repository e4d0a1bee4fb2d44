/* What a peer may cost us, and what it loses when it takes more. Everything is
 * charged to the link that brought it, never to the key that signed it.
 *
 *   score   penalties add up and halve every ERA_SCORE_HALF_MS
 *   mute    from ERA_SCORE_MUTE on, for ERA_MUTE_MS: what it sends is dropped unread
 *   close   from ERA_SCORE_CLOSE on, and
 *   ban     its key, and its host unless that is loopback or ipc, where many
 *           live: for ERA_BAN_MIN_MS, twice as long each time again
 *   budget  what one link may send: beyond it, it is dropped and charged.
 *           A statement that was accepted costs nothing, whatever their number;
 *           who brings more than we can use because we asked is not charged.
 *   checks  signatures checked of what was of no use, however true it is: of all links so many, and when
 * these are spent of each a few; then what it brings is dropped, and charged a little, for in a large network
 *           honest words come too late by the thousand
 *   reading what was read and is no news, dropped or refused or no statement: of all links so
 *           much, and when this is spent of each a little; then it rests: it is not read for a
 *           while, and waits where it comes from. So all strangers together cost so much, however
 *           many they are and whatever they send. It is no charge, and nothing is lost. Useful
 *           links, see era_gossip_is_useful, and who teaches us are free
 *   silence what is owed and does not come: at ERA_SILENCES_MAX in a row the
 *           link loses its place in the active view
 *   hosts   how often one may make links, which cost a handshake and a hello, or streams that never become
 *           one. Of a host that is banned, or has spent its share, streams are closed at accept
 *
 * Anchors are muted, but neither closed nor banned: who they are is the operator's to say. */
#include "p2p/gossip_internal.h"

#include <assert.h>
#include <string.h>

#define SITE_BYTES 6 /* /48 */

/* ---- budgets: tokens that come back with time ---- */

static const struct {
    uint64_t burst, per_s;
} budgets[ERA_BUDGETS] = {
    [ERA_BUDGET_STATEMENTS] = {ERA_BUDGET_STATEMENTS_BURST, ERA_BUDGET_STATEMENTS_PER_S},
    [ERA_BUDGET_TAUGHT] = {ERA_BUDGET_TAUGHT_BURST, ERA_BUDGET_TAUGHT_PER_S},
    [ERA_BUDGET_FRAMES] = {ERA_BUDGET_FRAMES_BURST, ERA_BUDGET_FRAMES_PER_S},
    [ERA_BUDGET_BYTES] = {ERA_BUDGET_BYTES_BURST, ERA_BUDGET_BYTES_PER_S},
    [ERA_BUDGET_REQUESTS] = {ERA_BUDGET_REQUESTS_BURST, ERA_BUDGET_REQUESTS_PER_S},
    [ERA_BUDGET_IDS] = {ERA_BUDGET_IDS_BURST, ERA_BUDGET_IDS_PER_S},
    [ERA_BUDGET_CELLS] = {ERA_BUDGET_CELLS_BURST, ERA_BUDGET_CELLS_PER_S},
    [ERA_BUDGET_PEERS] = {ERA_BUDGET_PEERS_BURST, ERA_BUDGET_PEERS_PER_S},
    [ERA_BUDGET_SHUFFLES] = {ERA_BUDGET_SHUFFLES_BURST, ERA_BUDGET_SHUFFLES_PER_S},
    [ERA_BUDGET_CHECKS] = {ERA_BUDGET_CHECKS_BURST, ERA_BUDGET_CHECKS_PER_S},
    [ERA_BUDGET_READING] = {ERA_BUDGET_READING_BURST, ERA_BUDGET_READING_PER_S},
};

/* What has not come back by now. */
static uint64_t spent_still(const struct era_bucket *b, uint64_t now_ms, uint64_t per_s)
{
    uint64_t back = now_ms > b->at_ms ? era_mul_sat(now_ms - b->at_ms, per_s) : 0;
    return b->spent - (back < b->spent ? back : b->spent);
}

static bool has(const struct era_bucket *b, uint64_t now_ms, uint64_t burst, uint64_t per_s)
{
    return spent_still(b, now_ms, per_s) + 1000 <= 1000 * burst;
}

static bool take(const struct era_gossip *g, struct era_bucket *b, uint64_t amount, uint64_t burst,
                 uint64_t per_s)
{
    b->spent = spent_still(b, g->now_ms, per_s);
    b->at_ms = g->now_ms;
    if (b->spent + 1000 * amount > 1000 * burst)
        return false;
    b->spent += 1000 * amount;
    return true;
}

static bool spend(const struct era_gossip *g, struct era_link *link, enum era_budget which, uint64_t amount)
{
    return take(g, &link->spent[which], amount, budgets[which].burst, budgets[which].per_s);
}

static void owe(const struct era_gossip *g, struct era_bucket *b, uint64_t amount, uint64_t per_s)
{
    b->spent = era_add_sat(spent_still(b, g->now_ms, per_s), era_mul_sat(amount, 1000));
    b->at_ms = g->now_ms;
}

void era_budget_refund(struct era_link *link)
{
    uint64_t *spent = &link->spent[ERA_BUDGET_STATEMENTS].spent;
    *spent -= *spent < 1000 ? *spent : 1000;
}

void era_budget_refund_taught(struct era_gossip *g, struct era_link *link)
{
    if (spend(g, link, ERA_BUDGET_TAUGHT, 1))
        era_budget_refund(link);
}

static void count_limited(struct era_gossip *g, struct era_link *link)
{
    link->info.limited_in++;
    g->totals.limited_in++;
}

static bool over(struct era_gossip *g, struct era_link *link)
{
    count_limited(g, link);
    era_link_charge(g, link, ERA_RATE_LIMITED);
    return false;
}

/* What was dropped may have been a part of a statement: the parts that follow are no fault of the sender. */
static bool drop(struct era_gossip *g, struct era_link *link)
{
    era_defence_read(g, link, 1);
    era_reassembly_clear(&link->partial);
    link->partial.lost = true;
    return false;
}

/* ---- what is read for nothing ---- */

static bool is_useful(const struct era_gossip *g, const struct era_link *link)
{
    bool brings = link->brought > 0 && g->now_ms - link->brought_ms < ERA_USEFUL_MS;
    return link->info.state == ERA_PEER_UP && (brings || era_link_is_anchor(g, link));
}

bool era_gossip_is_useful(const struct era_gossip *g, uint64_t link)
{
    const struct era_link *l = era_link_find(g, link);
    return l != NULL && is_useful(g, l);
}

static bool is_teacher(const struct era_gossip *g, const struct era_link *link)
{
    bool is = false;
    for (size_t i = 0; i < ERA_SETS; i++)
        is = is || g->teacher[i].link == link->info.link;
    return is;
}

/* How long it takes until it may be read again. */
static uint64_t rest_ms(const struct era_gossip *g, const struct era_link *link)
{
    const uint64_t burst = 1000 * (uint64_t)ERA_BUDGET_READING_BURST;
    uint64_t spent = spent_still(&link->spent[ERA_BUDGET_READING], g->now_ms, ERA_BUDGET_READING_PER_S);
    uint64_t ms =
        spent > burst ? (spent - burst + ERA_BUDGET_READING_PER_S - 1) / ERA_BUDGET_READING_PER_S : 0;
    return ms < ERA_LINK_REST_MS ? ms : ERA_LINK_REST_MS;
}

uint64_t era_gossip_rest_ms(const struct era_gossip *g, uint64_t link)
{
    const struct era_link *l = era_link_find(g, link);
    return l != NULL && !is_useful(g, l) ? rest_ms(g, l) : 0;
}

void era_defence_begin(const struct era_gossip *g, struct era_link *link)
{
    link->spent[ERA_BUDGET_READING] =
        (struct era_bucket){1000 * (ERA_BUDGET_READING_BURST - ERA_BUDGET_READING_FIRST), g->now_ms};
}

void era_defence_read(struct era_gossip *g, struct era_link *link, uint64_t amount)
{
    if (is_useful(g, link) || is_teacher(g, link) ||
        take(g, &g->reading, amount, ERA_READING_BURST, ERA_READING_PER_S))
        return;
    uint64_t before_ms = rest_ms(g, link);
    owe(g, &link->spent[ERA_BUDGET_READING], amount, ERA_BUDGET_READING_PER_S);
    uint64_t longer_ms = rest_ms(g, link) - before_ms;
    link->info.rested_ms += longer_ms;
    g->totals.rested_ms += longer_ms;
}

bool era_defence_frame(struct era_gossip *g, struct era_link *link, size_t bytes)
{
    era_defence_read(g, link, 1 + bytes / ERA_READING_BYTES);
    if (spend(g, link, ERA_BUDGET_FRAMES, 1) && spend(g, link, ERA_BUDGET_BYTES, bytes))
        return true;
    over(g, link);
    return drop(g, link);
}

/* It brings what we asked for: pages, or items by their ids. */
static bool teaches(const struct era_gossip *g, const struct era_link *link)
{
    bool does = link->requests > 0;
    for (size_t i = 0; i < ERA_SETS; i++)
        does = does || link->sync[i].taking || g->teacher[i].link == link->info.link;
    return does;
}

void era_gossip_wasted(struct era_gossip *g, uint64_t now_ms, uint64_t link, uint64_t signatures)
{
    era_gossip_advance(g, now_ms);
    struct era_link *l = era_link_find(g, link);
    owe(g, &g->checks, signatures, ERA_CHECKS_PER_S);
    g->totals.wasted_in += signatures;
    if (l == NULL)
        return;
    owe(g, &l->spent[ERA_BUDGET_CHECKS], signatures, ERA_BUDGET_CHECKS_PER_S);
    l->info.wasted_in += signatures;
}

/* What it brings next may be worth its signatures. */
static bool is_worth_checking(struct era_gossip *g, struct era_link *link)
{
    if (has(&link->spent[ERA_BUDGET_CHECKS], g->now_ms, ERA_BUDGET_CHECKS_BURST, ERA_BUDGET_CHECKS_PER_S) ||
        has(&g->checks, g->now_ms, ERA_CHECKS_BURST, ERA_CHECKS_PER_S))
        return true;
    count_limited(g, link);
    if (g->now_ms - link->checks_charged_ms >= ERA_CHECKS_CHARGE_MS) {
        link->checks_charged_ms = g->now_ms;
        era_link_charge(g, link, ERA_RATE_LIMITED);
    }
    return false;
}

static bool statement_fits(struct era_gossip *g, struct era_link *link)
{
    if (!is_worth_checking(g, link))
        return drop(g, link);
    if (!spend(g, link, ERA_BUDGET_STATEMENTS, 1)) {
        if (teaches(g, link))
            count_limited(g, link); /* reconciliation brings it again */
        else
            over(g, link);
        return drop(g, link);
    }
    return true;
}

bool era_defence_part(struct era_gossip *g, struct era_link *link, const struct era_frame_part *part)
{
    bool fits = true, mutable = true, carries = false;
    if (part->kind != ERA_FRAME_STATEMENT && part->kind != ERA_FRAME_FRAGMENT)
        era_defence_read(g, link, 1); /* a statement may be news: what becomes of it, says */
    switch (part->kind) {
    case ERA_FRAME_HELLO:
    case ERA_FRAME_REFUSAL:
        mutable = false;
        break;
    case ERA_FRAME_STATUS:
        mutable = false;
        fits = spend(g, link, ERA_BUDGET_PEERS, 1);
        break;
    case ERA_FRAME_STATEMENT:
    case ERA_FRAME_FRAGMENT:
        carries = true;
        if (!statement_fits(g, link))
            return false;
        break;
    case ERA_FRAME_ASK:
        fits = spend(g, link, ERA_BUDGET_REQUESTS, 1) &&
               spend(g, link, ERA_BUDGET_IDS,
                     (part->u.ask.ids.len + part->u.ask.offers.len) / ERA_FRAME_SHORT_BYTES);
        break;
    case ERA_FRAME_CELLS:
        break; /* of a round of ours alone, and bounded by it */
    case ERA_FRAME_SPREAD:
        fits = spend(g, link, ERA_BUDGET_REQUESTS,
                     1 + (part->u.spread.announced.len + part->u.spread.orders.len) /
                             (ERA_SPREAD_ENTRY_BYTES * ERA_SPREAD_ENTRIES_REQUEST));
        break;
    case ERA_FRAME_NEIGHBOUR:
    case ERA_FRAME_WALK:
        fits = spend(g, link, ERA_BUDGET_PEERS, 1);
        break;
    case ERA_FRAME_SHUFFLE: /* up to eight signatures */
        fits = spend(g, link, ERA_BUDGET_PEERS, 1) && spend(g, link, ERA_BUDGET_SHUFFLES, 1);
        break;
    default: /* whatever else makes us look something up and answer */
        fits = spend(g, link, ERA_BUDGET_REQUESTS, 1);
        break;
    }
    if (!fits)
        return over(g, link);
    if (mutable && link->info.muted_until_ms > g->now_ms) {
        link->info.muted_in++;
        g->totals.muted_in++;
        return carries ? drop(g, link) : false;
    }
    return true;
}

bool era_defence_cells(struct era_gossip *g, struct era_link *link, uint64_t cells)
{
    if (cells <= ERA_SYNC_CELLS_MAX && spend(g, link, ERA_BUDGET_CELLS, cells))
        return true;
    count_limited(g, link);
    return false;
}

/* ---- score ---- */

int era_score_now(const struct era_gossip *g, const struct era_link *link)
{
    uint64_t halves = (g->now_ms - link->score_ms) / ERA_SCORE_HALF_MS;
    return halves < 31 ? link->info.score >> halves : 0;
}

static void decay(const struct era_gossip *g, struct era_link *link)
{
    link->info.score = era_score_now(g, link);
    link->score_ms =
        link->info.score == 0 ? g->now_ms : g->now_ms - (g->now_ms - link->score_ms) % ERA_SCORE_HALF_MS;
}

static void count_charge(struct era_gossip *g, struct era_link *link, enum era_verdict why)
{
    link->info.charges[why]++;
    g->totals.charged[why]++;
}

static void ban(struct era_gossip *g, struct era_link *link, enum era_verdict why);
static void ban_broken(struct era_gossip *g, struct era_link *link, enum era_verdict why);

void era_link_charge(struct era_gossip *g, struct era_link *link, enum era_verdict why)
{
    if (link->closing || era_verdict_penalty(why) == 0)
        return;
    era_gossip_stir(g); /* it may lose its place */
    decay(g, link);
    link->info.score += era_verdict_penalty(why);
    count_charge(g, link, why);
    if (link->info.score >= ERA_SCORE_MUTE) {
        link->info.muted_until_ms = era_add_sat(g->now_ms, ERA_MUTE_MS);
        era_ties_demote(g, link);
    }
    if (link->info.score < ERA_SCORE_CLOSE)
        return;
    if (era_link_is_anchor(g, link)) {
        link->info.score = ERA_SCORE_CLOSE - 1;
        return;
    }
    ban(g, link, why);
    era_link_close(g, link, why);
}

void era_link_break(struct era_gossip *g, struct era_link *link, enum era_verdict why)
{
    count_charge(g, link, why);
    ban_broken(g, link, why);
    era_link_close(g, link, why);
}

/* A stream that was cut, a driver out of patience, or what somebody on the way altered is the network's fault
 * as easily as the peer's. */
void era_link_broke(struct era_gossip *g, struct era_link *link, enum era_verdict why)
{
    bool at_fault = why != ERA_TRUNCATED && why != ERA_TIMEOUT && era_verdict_penalty(why) > 0;
    if (at_fault) {
        count_charge(g, link, why);
        if (why != ERA_NOT_AUTHENTIC)
            ban_broken(g, link, why);
    }
    era_link_leave(g, link, at_fault ? why : ERA_ACCEPTED);
}

void era_link_silent(struct era_gossip *g, struct era_link *link)
{
    if (link->silent_ms != 0 && g->now_ms - link->silent_ms < ERA_SILENCE_MS)
        return;
    link->silent_ms = g->now_ms;
    if (++link->silences >= ERA_SILENCES_MAX) {
        link->silences = 0;
        era_ties_demote(g, link);
    }
    era_link_charge(g, link, ERA_TIMEOUT);
}

void era_link_answered(struct era_link *link)
{
    link->silences = link->replaced = 0;
}

/* ---- bans ---- */

/* Whether a ban of the host would strike the one alone. */
static bool host_is_its_own(const char *address)
{
    struct era_place place;
    if (strncmp(address, "ipc:", 4) == 0)
        return false;
    return !era_place_parse(address, &place) || era_place_class(&place) != ERA_PLACE_LOOPBACK;
}

static struct era_ban *ban_find(const struct era_gossip *g, const char *host, const struct era_key *key)
{
    for (size_t i = 0; i < g->ban_count; i++) {
        const struct era_ban *b = &g->bans[i];
        if (host != NULL ? strcmp(b->host, host) == 0 : b->host[0] == '\0' && era_key_eq(&b->key, key))
            return (struct era_ban *)(uintptr_t)b;
    }
    return NULL;
}

/* A free place, or that of the oldest of a key, or, for a host, of a host: keys cost nothing to make. NULL:
 * none. */
static struct era_ban *ban_place(struct era_gossip *g, bool of_host)
{
    if (g->ban_count < ERA_BANS_MAX)
        return &g->bans[g->ban_count++];
    struct era_ban *chosen = NULL;
    for (size_t i = 0; i < g->ban_count; i++) {
        struct era_ban *b = &g->bans[i];
        bool is_host = b->host[0] != '\0', chosen_is_host = chosen != NULL && chosen->host[0] != '\0';
        if (is_host && !of_host)
            continue;
        if (chosen == NULL || (chosen_is_host && !is_host) ||
            (chosen_is_host == is_host && b->at_ms < chosen->at_ms))
            chosen = b;
    }
    return chosen;
}

static void ban_one(struct era_gossip *g, const char *host, const struct era_key *key, const char *from,
                    enum era_verdict why)
{
    struct era_ban *b = ban_find(g, host, key);
    bool again = b != NULL && g->now_ms - b->at_ms < ERA_BAN_MEMORY_MS;
    unsigned times = again ? b->times : 0;
    uint64_t length = times < 16 ? (uint64_t)ERA_BAN_MIN_MS << times : ERA_BAN_MAX_MS;
    if (b == NULL)
        b = ban_place(g, host != NULL);
    if (b == NULL)
        return;
    *b = (struct era_ban){.at_ms = g->now_ms, .why = why, .times = times + 1};
    b->until_ms = era_add_sat(g->now_ms, length < ERA_BAN_MAX_MS ? length : ERA_BAN_MAX_MS);
    era_text_set(b->from, sizeof b->from, from);
    if (host != NULL)
        era_text_set(b->host, sizeof b->host, host);
    else
        b->key = *key;
}

/* Whatever else that key, or that host, has here. But anchors. */
static void close_others(struct era_gossip *g, const struct era_link *but, const char *host,
                         const struct era_key *key, enum era_verdict why)
{
    char other[ERA_ADDRESS_BYTES_MAX + 1];
    for (size_t i = 0; i < g->link_count; i++) {
        struct era_link *l = g->links[i];
        era_address_host(l->info.address, other);
        bool is_meant = (host != NULL && strcmp(host, other) == 0) ||
                        (key != NULL && l->info.state == ERA_PEER_UP && era_key_eq(&l->info.node, key));
        if (is_meant && l != but && !era_link_is_anchor(g, l))
            era_link_close(g, l, why);
    }
}

static void ban_host(struct era_gossip *g, const struct era_link *link, enum era_verdict why)
{
    char host[ERA_ADDRESS_BYTES_MAX + 1];
    era_address_host(link->info.address, host);
    if (!host_is_its_own(link->info.address) || era_host_is_anchor(g, host))
        return;
    ban_one(g, host, NULL, link->info.address, why);
    close_others(g, link, host, NULL, why);
}

static void ban_key(struct era_gossip *g, const struct era_link *link, enum era_verdict why)
{
    if (link->info.state != ERA_PEER_UP)
        return; /* it has not said who it is */
    ban_one(g, NULL, &link->info.node, link->info.address, why);
    close_others(g, link, NULL, &link->info.node, why);
}

static void ban(struct era_gossip *g, struct era_link *link, enum era_verdict why)
{
    ban_host(g, link, why);
    ban_key(g, link, why);
    if (link->info.state == ERA_PEER_UP && g->overlay != NULL)
        era_overlay_forget(g->overlay, &link->info.node);
}

/* A new key costs nothing, a new host does. */
static bool breaks_often(struct era_gossip *g, const struct era_link *link)
{
    char host[ERA_ADDRESS_BYTES_MAX + 1];
    era_address_host(link->info.address, host);
    uint64_t hash = era_siphash(&g->key, host, strlen(host));
    struct era_breaks *row = &g->breaks[hash % ERA_HOST_ROWS];
    if (row->host != hash || g->now_ms - row->at_ms >= ERA_BAN_MEMORY_MS)
        *row = (struct era_breaks){.host = hash};
    row->at_ms = g->now_ms;
    return ++row->count >= ERA_BREAKS_MAX;
}

static void ban_broken(struct era_gossip *g, struct era_link *link, enum era_verdict why)
{
    if (era_link_is_anchor(g, link))
        return;
    ban_key(g, link, why);
    if (breaks_often(g, link))
        ban_host(g, link, why);
}

/* NULL: its links are not counted. Where many live behind one address, as with bans, nobody is counted for
 * the others. */
static struct era_bucket *host_row(const struct era_gossip *g, const char *address)
{
    char host[ERA_ADDRESS_BYTES_MAX + 1];
    era_address_host(address, host);
    if (!host_is_its_own(address) || era_host_is_anchor(g, host))
        return NULL;
    const struct era_bucket *row = &g->hosts[era_siphash(&g->key, host, strlen(host)) % ERA_HOST_ROWS];
    return (struct era_bucket *)(uintptr_t)row;
}

/* Of IPv6: whoever has one host in a /48 may well have all 65,536, and each would have its share. NULL: of
 * another family. */
static struct era_bucket *site_row(const struct era_gossip *g, const char *address)
{
    struct era_place place;
    if (!era_place_parse(address, &place) || place.len != ERA_IP_BYTES_MAX)
        return NULL;
    const struct era_bucket *row = &g->sites[era_siphash(&g->key, place.ip, SITE_BYTES) % ERA_SITE_ROWS];
    return (struct era_bucket *)(uintptr_t)row;
}

bool era_host_may_link(struct era_gossip *g, const char *address)
{
    /* Else whoever has hosts enough could use up the shares of all rows, and so of everybody. */
    static_assert(ERA_ACCEPTS_PER_S < ERA_LINKS_ACCEPTED_PER_S * ERA_HOST_ROWS, "rows outlast the gate");
    static_assert(ERA_ACCEPTS_PER_S < ERA_SITE_LINKS_PER_S * ERA_SITE_ROWS, "rows outlast the gate");
    struct era_bucket *row = host_row(g, address), *site = row == NULL ? NULL : site_row(g, address);
    bool may = row == NULL || take(g, row, 1, ERA_LINKS_ACCEPTED_BURST, ERA_LINKS_ACCEPTED_PER_S);
    return may && (site == NULL || take(g, site, 1, ERA_SITE_LINKS_BURST, ERA_SITE_LINKS_PER_S));
}

static bool is_banned_at(const struct era_gossip *g, uint64_t now_ms, const char *address)
{
    char host[ERA_ADDRESS_BYTES_MAX + 1];
    era_address_host(address, host);
    const struct era_ban *b = ban_find(g, host, NULL);
    return b != NULL && b->until_ms > now_ms && !era_host_is_anchor(g, host);
}

bool era_host_is_banned(const struct era_gossip *g, const char *address)
{
    return is_banned_at(g, g->now_ms, address);
}

enum era_verdict era_gossip_screen(const struct era_gossip *g, uint64_t now_ms, const char *address)
{
    if (is_banned_at(g, now_ms, address))
        return ERA_TOO_MANY_LINKS;
    const struct era_bucket *row = host_row(g, address), *site = row == NULL ? NULL : site_row(g, address);
    bool may = row == NULL || has(row, now_ms, ERA_LINKS_ACCEPTED_BURST, ERA_LINKS_ACCEPTED_PER_S);
    may = may && (site == NULL || has(site, now_ms, ERA_SITE_LINKS_BURST, ERA_SITE_LINKS_PER_S));
    return may ? ERA_ACCEPTED : ERA_RATE_LIMITED;
}

void era_gossip_stranger_gone(struct era_gossip *g, uint64_t now_ms, const char *address)
{
    era_gossip_advance(g, now_ms);
    (void)era_host_may_link(g, address);
}

bool era_key_is_banned(const struct era_gossip *g, const struct era_key *key)
{
    const struct era_ban *b = ban_find(g, NULL, key);
    return b != NULL && b->until_ms > g->now_ms;
}

size_t era_gossip_bans(const struct era_gossip *g, struct era_ban *out, size_t cap)
{
    size_t n = 0;
    for (size_t i = 0; i < g->ban_count; i++)
        if (g->bans[i].until_ms > g->now_ms && n++ < cap)
            out[n - 1] = g->bans[i];
    return n;
}
