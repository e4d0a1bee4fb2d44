/* Answers that are lists: eras, proposals, history, announcements, peers. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/textkey.h"
#include "src/core/charter.h"
#include "src/erad/report_parts.h"

/* Names of validators shown with one proposal in a list; `show` names all. */
#define LIST_NAMES_MAX 64

/* ---- eras ---- */

static json_t *component_eras(const struct era_node *n, int component)
{
    struct era_view v;
    json_t *o = report_object();
    era_node_view(n, component, &v);
    report_put(o, "id", report_text(era_node_charter(n)->components[component].id));
    report_put(o, "head", report_head(v.head));
    report_put(o, "forked", report_bool(v.forked));
    report_put(o, "void_seq", v.forked ? report_number(v.void_seq) : json_null());
    report_put(o, "current", v.current < 0 ? json_null() : report_number((uint64_t)v.current));
    report_put(o, "plan", report_plan(n, v.plan, v.current));
    return o;
}

json_t *era_report_eras(const struct era_node *n, int component)
{
    struct era_hash digest = era_view_digest(era_node_ledger(n));
    json_t *o = report_answer("eras"), *all = report_array();
    for (size_t i = 0; i < era_node_charter(n)->component_count; i++)
        if (component < 0 || (int)i == component)
            report_add(all, component_eras(n, (int)i));
    report_put(o, "epoch", report_number(era_node_epoch(n)));
    report_put(o, "view_digest", report_hash(&digest));
    report_put(o, "components", all);
    return o;
}

/* ---- proposals ---- */

json_t *era_report_proposals(const struct era_node *n)
{
    json_t *o = report_answer("proposals"), *all = report_array();
    for (size_t comp = 0; comp < era_node_charter(n)->component_count; comp++) {
        const struct era_slot *const *slots;
        size_t count = era_ledger_slots(era_node_ledger(n), (int)comp, &slots);
        for (size_t i = 0; i < count; i++)
            for (const struct era_candidate *c = slots[i]->candidates; c; c = c->slot_next)
                if (c->known)
                    report_add(all, report_proposal(n, c, LIST_NAMES_MAX));
    }
    report_put(o, "epoch", report_number(era_node_epoch(n)));
    report_put(o, "proposals", all);
    return o;
}

/* Above the head, or adopted under any charter of the chain (R10). */
json_t *era_report_show(const struct era_node *n, const struct era_hash *proposal)
{
    json_t *found = NULL;
    for (const struct era_ledger *l = era_node_ledger(n); l && !found; l = era_ledger_older(l))
        for (size_t comp = 0; comp < era_ledger_charter(l)->component_count && !found; comp++) {
            const struct era_adopted *all;
            size_t count = era_ledger_adopted(l, (int)comp, &all);
            for (size_t i = 0; i < count && !found; i++)
                if (era_hash_eq(&all[i].proposal, proposal))
                    found = report_adopted(n, l, (int)comp, &all[i]);
        }
    const struct era_candidate *c = era_ledger_candidate(era_node_ledger(n), proposal);
    if (!found && c && c->known)
        found = report_proposal(n, c, SIZE_MAX);
    if (!found)
        return NULL;
    json_t *o = report_answer("show");
    report_put(o, "proposal", found);
    return o;
}

/* ---- history ---- */

static json_t *log_entry(const struct era_node *n, const struct era_ledger *l, int component,
                         const struct era_adopted *all, size_t count, size_t i)
{
    const struct era_component *of = &era_ledger_charter(l)->components[component];
    const struct era_adopted *a = &all[i];
    int author = era_charter_signer_index(of, &a->author), current;
    struct era_proposal *p = malloc(sizeof *p);
    json_t *o = report_object();
    assert(p);
    bool known = era_ledger_proposal(l, &a->proposal, p);
    assert(known);
    report_is_head(n, of->id, a, &current);
    report_put(o, "component", report_text(of->id));
    report_put(o, "charter_version", report_number(a->charter_version));
    report_put(o, "seq", report_number(a->seq));
    report_put(o, "id", report_hash(&a->proposal));
    report_put(o, "author", report_text(author < 0 ? "" : of->signers[author].name));
    report_put(o, "urgent", report_bool(a->urgent));
    report_put(o, "void", report_bool(report_is_void(all, count, i)));
    report_put(o, "text", report_text(p->text));
    report_put(o, "plan", report_plan(n, a->plan, current));
    free(p);
    return o;
}

/* Oldest charter first. */
static void put_log(const struct era_node *n, const struct era_ledger *l, json_t *entries)
{
    const struct era_ledger *chain[ERA_CHARTER_VERSION_MAX + 1];
    size_t length = 0;
    for (; l; l = era_ledger_older(l))
        chain[length++] = l;
    while (length-- > 0)
        for (size_t comp = 0; comp < era_ledger_charter(chain[length])->component_count; comp++) {
            const struct era_adopted *all;
            size_t count = era_ledger_adopted(chain[length], (int)comp, &all);
            for (size_t i = 0; i < count; i++)
                report_add(entries, log_entry(n, chain[length], (int)comp, all, count, i));
        }
}

json_t *era_report_log(const struct era_node *n)
{
    json_t *o = report_answer("log"), *entries = report_array();
    put_log(n, era_node_ledger(n), entries);
    report_put(o, "entries", entries);
    return o;
}

/* ---- head, charter ---- */

/* The lowest seq above whatever was proposed, as far as the signers' window reaches (R2); when somebody
 * spoke at its end, the highest one still free. */
static uint64_t next_seq(const struct era_node *n, int component)
{
    const struct era_slot *const *slots;
    uint64_t floor = era_ledger_floor(era_node_ledger(n), component), most = floor + ERA_SIGN_WINDOW_SEQS;
    size_t count = era_ledger_slots(era_node_ledger(n), component, &slots);
    bool taken[ERA_SIGN_WINDOW_SEQS + 1] = {false};
    for (size_t i = 0; i < count; i++)
        for (const struct era_candidate *c = slots[i]->candidates; c; c = c->slot_next)
            if (c->known && c->seq > floor && c->seq <= most)
                taken[c->seq - floor] = true;
    uint64_t highest = ERA_SIGN_WINDOW_SEQS;
    while (highest > 0 && !taken[highest])
        highest--;
    if (highest < ERA_SIGN_WINDOW_SEQS)
        return floor + highest + 1;
    for (uint64_t at = ERA_SIGN_WINDOW_SEQS; at > 0; at--)
        if (!taken[at])
            return floor + at;
    return most + 1;
}

json_t *era_report_head(const struct era_node *n, int component)
{
    json_t *o = report_answer("head");
    report_put(o, "epoch", report_number(era_node_epoch(n)));
    report_put(o, "next_seq", report_number(next_seq(n, component)));
    report_put(o, "head", report_head(era_ledger_head(era_node_ledger(n), component)));
    report_put(o, "floor", report_number(era_ledger_floor(era_node_ledger(n), component)));
    return o;
}

json_t *era_report_charter(const struct era_node *n)
{
    const struct era_charter *c = era_node_charter(n);
    json_t *o = report_answer("charter");
    report_put(o, "name", report_text(c->name));
    report_put(o, "hash", report_hash(&c->hash));
    report_put(o, "version", report_number(c->version));
    return o;
}

/* ---- announcements (M6) ---- */

static json_t *announced(const struct era_node *n, size_t validator, const struct era_hash *digest)
{
    const struct era_charter *c = era_node_counting_charter(n);
    struct era_announcement *a = calloc(1, sizeof *a);
    assert(a);
    bool said = era_ledger_announcement(era_node_counting_ledger(n), (int)validator, UINT64_MAX, a) != NULL;
    json_t *o = report_object();
    report_put(o, "name", report_text(c->validators[validator].name));
    report_put(o, "stake", report_stake(c->validators[validator].stake));
    report_put(o, "epoch", said ? report_number(a->epoch) : json_null());
    report_put(o, "fresh", report_bool(said && report_is_fresh(n, a->epoch)));
    report_put(o, "versions", report_versions(&a->versions));
    report_put(o, "blocked", report_bool(said && a->blocked));
    report_put(o, "staged", report_bool(said && a->staged));
    enum era_view_word word = said ? era_view_word(a, digest, era_node_view_since(n)) : ERA_VIEW_UNSAID;
    report_put(o, "same_view", word == ERA_VIEW_UNSAID ? json_null() : report_bool(word == ERA_VIEW_SAME));
    free(a);
    return o;
}

json_t *era_report_announcements(const struct era_node *n)
{
    struct era_hash digest = era_view_digest(era_node_ledger(n));
    json_t *o = report_answer("announcements"), *all = report_array();
    for (size_t v = 0; v < era_node_counting_charter(n)->validator_count; v++)
        report_add(all, announced(n, v, &digest));
    report_put(o, "epoch", report_number(era_node_epoch(n)));
    report_put(o, "validators", all);
    return o;
}

/* ---- peers ---- */

static void put_counters(json_t *o, const struct era_peer_info *p)
{
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {{"frames_in", p->frames_in},
                {"frames_out", p->frames_out},
                {"bytes_in", p->bytes_in},
                {"bytes_out", p->bytes_out},
                {"statements_in", p->statements_in},
                {"statements_out", p->statements_out},
                {"events_in", p->events_in},
                {"events_out", p->events_out},
                {"duplicates_in", p->duplicates_in},
                {"unknown_kinds_in", p->unknown_kinds_in},
                {"unknown_parts_in", p->unknown_parts_in},
                {"refused_in", p->refused_in},
                {"wasted_in", p->wasted_in},
                {"skipped_out", p->skipped_out},
                {"queued_bytes", p->queued_bytes},
                {"complete_rounds", p->complete_rounds},
                {"undecoded_rounds", p->undecoded_rounds},
                {"whole_sets_out", p->whole_sets_out},
                {"again_out", p->again_out},
                {"muted_in", p->muted_in},
                {"limited_in", p->limited_in},
                {"rested_ms", p->rested_ms},
                {"announced_in", p->spread.announced_in},
                {"announced_out", p->spread.announced_out},
                {"wants_in", p->spread.wants_in},
                {"wants_out", p->spread.wants_out},
                {"grafts_in", p->spread.grafts_in},
                {"grafts_out", p->spread.grafts_out},
                {"prunes_in", p->spread.prunes_in},
                {"prunes_out", p->spread.prunes_out},
                {"announcements_forgotten", p->spread.forgotten}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        report_put(o, rows[i].name, report_number(rows[i].value));
}

static uint64_t left_ms(uint64_t until_ms, uint64_t now_ms)
{
    return until_ms > now_ms ? until_ms - now_ms : 0;
}

/* By verdict, what the link was charged for. */
static json_t *charges(const struct era_peer_info *p)
{
    json_t *o = report_object();
    for (int v = ERA_ACCEPTED + 1; v < ERA_VERDICT_COUNT; v++)
        if (p->charges[v] > 0)
            report_put(o, era_verdict_code((enum era_verdict)v), report_number(p->charges[v]));
    return o;
}

static json_t *by_verdict(const uint64_t counts[ERA_VERDICT_COUNT])
{
    json_t *o = report_object();
    for (int v = ERA_ACCEPTED + 1; v < ERA_VERDICT_COUNT; v++)
        if (counts[v] > 0)
            report_put(o, era_verdict_code((enum era_verdict)v), report_number(counts[v]));
    return o;
}

/* What is counted of links that ended, and of those that never were one, too. */
static void put_totals(json_t *o, const struct era_node *n, const struct era_link_counts *links)
{
    static const uint64_t none[ERA_VERDICT_COUNT];
    const struct era_gossip_totals *t = era_gossip_totals(era_node_gossip(n));
    report_put(o, "links_ended", by_verdict(links ? links->ended : none));
    report_put(o, "refused", by_verdict(t->closed));
    report_put(o, "charged", by_verdict(t->charged));
    report_put(o, "muted_in", report_number(t->muted_in));
    report_put(o, "limited_in", report_number(t->limited_in));
    report_put(o, "rested_ms", report_number(t->rested_ms));
    report_put(o, "wasted_in", report_number(t->wasted_in));
    report_put(o, "unknown_kinds_in", report_number(t->unknown_kinds_in));
    report_put(o, "unknown_parts_in", report_number(t->unknown_parts_in));
    report_put(o, "undecoded_rounds", report_number(t->undecoded_rounds));
}

static json_t *bans(const struct era_node *n, uint64_t now_ms)
{
    char key[ERA_KEY_TEXT_BYTES];
    struct era_ban *list = calloc(ERA_BANS_MAX, sizeof *list);
    json_t *all = report_array();
    assert(list);
    size_t count = era_gossip_bans(era_node_gossip(n), list, ERA_BANS_MAX);
    for (size_t i = 0; i < count; i++) {
        bool is_host = list[i].host[0] != '\0';
        json_t *o = report_object();
        report_put(o, "host", report_text_or_null(list[i].host));
        report_put(o, "node", is_host ? json_null() : report_text(era_key_text(&list[i].key, key)));
        report_put(o, "from", report_text(list[i].from));
        report_put(o, "why", report_text(era_verdict_code(list[i].why)));
        report_put(o, "left_ms", report_number(left_ms(list[i].until_ms, now_ms)));
        report_put(o, "times", report_number(list[i].times));
        report_add(all, o);
    }
    free(list);
    return all;
}

static json_t *overlay(const struct era_node *n)
{
    const struct era_overlay *of = era_gossip_overlay(era_node_gossip(n));
    if (!of)
        return json_null();
    struct era_overlay_counts c = era_overlay_counts(of);
    json_t *o = report_object();
    report_put(o, "active", report_number(c.active));
    report_put(o, "active_dialled", report_number(c.active_dialled));
    report_put(o, "blocked", report_number(c.blocked));
    report_put(o, "leaves", report_number(c.leaves));
    report_put(o, "known", report_number(c.known));
    report_put(o, "dials", report_number(c.dials));
    report_put(o, "dials_failed", report_number(c.dials_failed));
    report_put(o, "dials_misled", report_number(c.dials_misled));
    report_put(o, "records_refused", report_number(c.records_refused));
    report_put(o, "records_of_us", report_number(c.records_of_us));
    report_put(o, "records_untimely", report_number(c.records_untimely));
    report_put(o, "parted", report_number(c.parted));
    return o;
}

static json_t *peer(const struct era_peer_info *p, uint64_t now_ms)
{
    char key[ERA_KEY_TEXT_BYTES];
    bool up = p->state == ERA_PEER_UP;
    json_t *o = report_object();
    report_put(o, "link", report_number(p->link));
    report_put(o, "state", report_text(up ? "up" : "handshake"));
    report_put(o, "outgoing", report_bool(p->outgoing));
    report_put(o, "blocked", report_bool(p->blocked));
    report_put(o, "active", report_bool(p->active));
    report_put(o, "anchor", report_bool(p->anchor));
    report_put(o, "anchor_keys", report_number(p->anchor_keys));
    report_put(o, "pinned", report_bool(p->pinned));
    report_put(o, "address", report_text(p->address));
    report_put(o, "listen", report_text_or_null(p->listen));
    report_put(o, "agent", report_text_or_null(p->agent));
    report_put(o, "node", up ? report_text(era_key_text(&p->node, key)) : json_null());
    report_put(o, "versions", report_versions(&p->versions));
    report_put(o, "protocol", report_number(p->protocol));
    report_put(o, "up_ms", report_number(up && now_ms > p->up_since_ms ? now_ms - p->up_since_ms : 0));
    report_put(o, "last_heard_ms", report_number(now_ms > p->last_heard_ms ? now_ms - p->last_heard_ms : 0));
    put_counters(o, p);
    report_put(o, "score", json_integer(p->score));
    report_put(o, "muted_ms", report_number(left_ms(p->muted_until_ms, now_ms)));
    report_put(o, "charges", charges(p));
    return o;
}

static json_t *other_keys(const struct era_node *n)
{
    char key[ERA_KEY_TEXT_BYTES];
    struct era_other_key others[ERA_PEERS_MAX];
    json_t *all = report_array();
    size_t count = era_gossip_other_keys(era_node_gossip(n), others, ERA_PEERS_MAX);
    for (size_t i = 0; i < count; i++) {
        json_t *o = report_object();
        report_put(o, "address", report_text(others[i].address));
        report_put(o, "configured", report_text(era_key_text(&others[i].wanted, key)));
        report_put(o, "answers", report_text(era_key_text(&others[i].answered, key)));
        report_put(o, "times", report_number(others[i].times));
        report_add(all, o);
    }
    return all;
}

json_t *era_report_peers(const struct era_node *n, const struct era_report_info *info)
{
    struct era_peer_info *peers = calloc(ERA_LINKS_MAX, sizeof *peers);
    uint64_t last_ms;
    json_t *o = report_answer("peers"), *all = report_array();
    assert(peers);
    size_t count = era_gossip_peers(era_node_gossip(n), peers, ERA_LINKS_MAX);
    for (size_t i = 0; i < count && i < ERA_LINKS_MAX; i++)
        report_add(all, peer(&peers[i], info->now_ms));
    uint64_t rounds = era_gossip_equal_rounds(era_node_gossip(n), &last_ms);
    report_put(o, "peers", all);
    report_put(o, "equal_rounds", report_number(rounds));
    report_put(o, "last_equal_ms_ago",
               rounds > 0 ? report_number(info->now_ms > last_ms ? info->now_ms - last_ms : 0) : json_null());
    put_totals(o, n, info->links);
    report_put(o, "overlay", overlay(n));
    report_put(o, "other_keys", other_keys(n));
    report_put(o, "bans", bans(n, info->now_ms));
    free(peers);
    return o;
}
