/* A node's life: started as the daemon starts it, ended as processes and machines end. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/erasim/parts.h"
#include "store/store_mem.h"

static struct era_place place_of(const struct sim_node *n)
{
    struct era_place place;
    bool parsed = era_place_parse(n->address, &place);
    assert(parsed);
    (void)parsed;
    return place;
}

static int read_disk(void *ctx, struct era_bytes key, struct era_bytes *value)
{
    const struct sim_node *n = ctx;
    return era_store_read(n->disk.store, key, value);
}

void sim_start(struct sim *s, struct sim_node *n)
{
    const char *anchors[SIM_ANCHORS_MAX];
    char purpose[ERA_NAME_BYTES_MAX + 32];
    assert(!n->node && s->charter_count > 0);
    for (size_t i = 0; i < n->anchor_count; i++)
        anchors[i] = s->nodes[n->anchors[i]].address;
    if (n->life++ > 0)
        s->counts.restarts++;
    snprintf(purpose, sizeof purpose, "life %u of %s", n->life, n->name);
    struct era_prng prng = sim_stream(s, purpose);
    struct era_node_config c = {.charter = s->charters[0],
                                .network = s->charters[0]->hash,
                                .node_key = n->link_secret.key,
                                .secret = n->key ? &n->key->secret : NULL,
                                .versions = n->versions,
                                .staged = n->staged,
                                .agent = "erasim/1",
                                .listen = n->address,
                                .links_target = s->node_count > s->plan.neighbours ? s->plan.neighbours : 0,
                                .place = place_of(n),
                                .node_secret = &n->link_secret,
                                .anchors = anchors,
                                .anchor_count = n->anchor_count,
                                .auto_announced = n->auto_votes[0],
                                .auto_dropped = n->auto_votes[1],
                                .auto_soft = n->auto_votes[2],
                                .auto_breaking = n->auto_votes[3],
                                .auto_charter = n->auto_charter,
                                .read = read_disk,
                                .read_ctx = n,
                                .root = era_root_of_seed(era_prng_next(&prng))};
    sim_tell(s, n, n->life > 1 ? "starts again" : "starts");
    n->node = era_node_new(&c);
    sim_disk_restore(s, n);
    sim_step(s, n, (struct era_event){.kind = ERA_EV_START});
    SIM_WATCHED(s, started, s, n);
}

static void end(struct sim *s, struct sim_node *n, bool told)
{
    assert(!sim_part(s, n)->stepping);
    SIM_WATCHED(s, stopping, s, n);
    era_node_free(n->node);
    n->node = NULL;
    sim_timer_set(s, n);
    sim_disk_drop(s, n);
    sim_net_leave_all(s, n, told);
}

void sim_crash(struct sim *s, struct sim_node *n)
{
    if (!n->node)
        return;
    sim_strike(s, SIM_FAULT_CRASH, n, "the process ends");
    end(s, n, true);
}

static void lose_power(struct sim *s, struct sim_node *n)
{
    end(s, n, false);
    struct era_store *found = era_store_mem_crash(n->disk.store);
    if (!found)
        abort();
    era_store_close(n->disk.store);
    n->disk.store = found;
}

void sim_lose_power(struct sim *s, struct sim_node *n)
{
    if (!n->node)
        return;
    sim_strike(s, SIM_FAULT_POWER, n, "the machine ends");
    lose_power(s, n);
}

void sim_lose_power_torn(struct sim *s, struct sim_node *n)
{
    if (!n->node)
        return;
    era_store_mem_lose_synced(n->disk.store, true);
    sim_strike(s, SIM_FAULT_TORN, n, "the machine ends; its disk had not kept the last commit");
    lose_power(s, n);
    n->trust = SIM_FAULTY;
    if (n->key)
        n->key->trust = SIM_FAULTY;
}

void sim_versions(struct sim *s, struct sim_node *n)
{
    if (n->node)
        sim_step(s, n,
                 (struct era_event){.kind = ERA_EV_VERSIONS, .versions = &n->versions, .staged = &n->staged});
}
