/* What nodes ask of the world, commands to them, and what they say of themselves. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/erasim/parts.h"

/* ---- commands ---- */

static const char *text_copy(uint8_t **at, const char *text)
{
    if (!text)
        return NULL;
    size_t size = strlen(text) + 1;
    char *copy = memcpy(*at, text, size);
    *at += size;
    return copy;
}

static size_t text_size(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

struct era_command *sim_command_copy(const struct era_command *c)
{
    size_t bytes = c->bytes.len + 1 + text_size(c->topic) + text_size(c->artefact) + text_size(c->digest) +
                   text_size(c->source_digest) + text_size(c->builder);
    struct era_command *copy = sim_alloc(sizeof *copy + bytes);
    uint8_t *at = (uint8_t *)(copy + 1);
    *copy = *c;
    copy->topic = text_copy(&at, c->topic);
    copy->artefact = text_copy(&at, c->artefact);
    copy->digest = text_copy(&at, c->digest);
    copy->source_digest = text_copy(&at, c->source_digest);
    copy->builder = text_copy(&at, c->builder);
    if (c->bytes.len > 0)
        memcpy(at, c->bytes.data, c->bytes.len);
    if (c->bytes.data)
        copy->bytes.data = at;
    return copy;
}

static struct reply *reply_place(const struct sim *s, uint64_t request)
{
    return &s->parts->replies[request % SIM_REPLIES_MAX];
}

uint64_t sim_ask(struct sim *s, struct sim_node *n, struct era_command command)
{
    assert(n->node);
    command.id = s->parts->next_request++;
    struct reply *place = reply_place(s, command.id);
    memset(place, 0, sizeof *place);
    place->kind = command.kind;
    struct happening *h = sim_happening(s, HAPPEN_COMMAND, n->number, 0, (struct era_bytes){0});
    h->command = sim_command_copy(&command);
    sim_schedule(s, s->now_ms, h);
    return command.id;
}

const struct era_reply *sim_reply(const struct sim *s, uint64_t request)
{
    const struct reply *place = reply_place(s, request);
    return place->reply.request == request ? &place->reply : NULL;
}

static void replied(struct sim *s, struct sim_node *n, const struct era_reply *r)
{
    struct reply *place = reply_place(s, r->request);
    place->reply = *r;
    if (r->why) {
        snprintf(place->why, sizeof place->why, "%s", r->why);
        place->reply.why = place->why;
    }
    if (place->kind == ERA_CMD_EMIT && r->verdict == ERA_ACCEPTED)
        s->counts.events_emitted++;
    if (s->people.replied)
        s->people.replied(s, n, &place->reply);
}

/* ---- signals ---- */

/* The proposal's place among those counted; NULL when there is no more room. */
static struct adopted_count *count_of(struct sim *s, const struct era_hash *proposal)
{
    struct sim_parts *p = s->parts;
    for (size_t i = p->adopted_count; i-- > 0;) /* the newest are asked for most */
        if (era_hash_eq(&p->adopted[i].proposal, proposal))
            return &p->adopted[i];
    if (p->adopted_count == SIM_PROPOSALS_KEPT)
        return NULL;
    struct adopted_count *a = &p->adopted[p->adopted_count++];
    a->proposal = *proposal;
    s->counts.proposals++;
    return a;
}

static size_t honest_up(const struct sim *s)
{
    size_t count = 0;
    for (size_t i = 0; i < s->node_count; i++)
        count += s->nodes[i].node && s->nodes[i].trust == SIM_HONEST;
    return count;
}

/* From the first node that says adopted to the last: what people call convergence. */
static void count_adopted(struct sim *s, const struct sim_node *n, const struct era_hash *proposal)
{
    struct adopted_count *a = count_of(s, proposal);
    if (!a || n->trust != SIM_HONEST)
        return;
    if (!a->adopted) {
        a->adopted = true;
        a->first_ms = s->now_ms;
        s->counts.adopted++;
    }
    if (++a->nodes != honest_up(s))
        return;
    uint64_t ms = s->now_ms - a->first_ms;
    s->counts.convergence_count++;
    s->counts.convergence_ms_sum += ms;
    if (ms > s->counts.convergence_ms_max)
        s->counts.convergence_ms_max = ms;
}

static const char *short_hash(const struct era_hash *h, char out[ERA_HASH_TEXT_BYTES])
{
    era_hash_text(h, out);
    out[12] = '\0';
    return out;
}

static void tell_gate(struct sim *s, struct sim_node *n, const struct era_signal *g, const char *component)
{
    const struct era_entry *cause = g->gate.cause;
    if (cause)
        sim_tell(s, n, "gate %s %s: %s era %llu, %llu epochs left", component, era_gate_name(g->gate.state),
                 cause->record.version, (unsigned long long)cause->record.era,
                 (unsigned long long)g->gate.epochs_left);
    else
        sim_tell(s, n, "gate %s %s", component, era_gate_name(g->gate.state));
}

static void tell_era(struct sim *s, struct sim_node *n, const struct era_signal *g, const char *component)
{
    const struct era_entry *e = g->gate.current;
    if (e)
        sim_tell(s, n, "era %s %llu \"%s\" %s in epoch %llu", component, (unsigned long long)e->record.era,
                 e->record.era_name, e->record.version, (unsigned long long)g->epoch);
    else
        sim_tell(s, n, "era %s none in epoch %llu", component, (unsigned long long)g->epoch);
}

static void tell_signal(struct sim *s, struct sim_node *n, const struct era_signal *g)
{
    char id[ERA_HASH_TEXT_BYTES];
    const char *component = g->component >= 0 ? era_node_charter(n->node)->components[g->component].id : "";
    switch (g->kind) {
    case ERA_SIG_GATE:
        tell_gate(s, n, g, component);
        break;
    case ERA_SIG_ERA:
        tell_era(s, n, g, component);
        break;
    case ERA_SIG_EPOCH:
        sim_tell(s, n, "epoch %llu", (unsigned long long)g->epoch);
        break;
    case ERA_SIG_PROPOSAL:
        sim_tell(s, n, "proposal %s %s", component, short_hash(&g->proposal, id));
        break;
    case ERA_SIG_APPROVED:
        sim_tell(s, n, "approved %s %s", component, short_hash(&g->proposal, id));
        break;
    case ERA_SIG_ADOPTED:
        sim_tell(s, n, "adopted %s %s", component, short_hash(&g->proposal, id));
        break;
    case ERA_SIG_ARMED:
        sim_tell(s, n, "armed %s %s", component, short_hash(&g->proposal, id));
        break;
    case ERA_SIG_FAILED:
        sim_tell(s, n, "failed %s %s", component, short_hash(&g->proposal, id));
        break;
    case ERA_SIG_EVENT:
        sim_tell(s, n, "event of validator %d, epoch %llu, seq %llu", g->validator,
                 (unsigned long long)g->event->epoch, (unsigned long long)g->event->seq);
        break;
    case ERA_SIG_EQUIVOCATION:
        sim_tell(s, n, "equivocation %s kind %u, signer %d, validator %d, seq %llu", component,
                 (unsigned)g->item_kind, g->signer, g->validator, (unsigned long long)g->seq);
        break;
    case ERA_SIG_STORE:
        sim_tell(s, n, "store failed: %d", g->error);
        break;
    }
}

static void signalled(struct sim *s, struct sim_node *n, const struct era_signal *g)
{
    if (g->kind == ERA_SIG_PROPOSAL)
        count_of(s, &g->proposal);
    if (g->kind == ERA_SIG_ADOPTED)
        count_adopted(s, n, &g->proposal);
    if (g->kind == ERA_SIG_EVENT)
        s->counts.events_delivered++;
    tell_signal(s, n, g);
    if (s->people.signalled)
        s->people.signalled(s, n, g);
}

/* ---- effects ---- */

void sim_apply(struct sim *s, struct sim_node *n, const struct era_effect *e)
{
    switch (e->kind) {
    case ERA_EFF_STORE:
        sim_disk_submit(s, n, e);
        break;
    case ERA_EFF_SEND:
        sim_net_send(s, n, e->link, e->bytes);
        break;
    case ERA_EFF_CLOSE:
        sim_net_close(s, n, e->link);
        break;
    case ERA_EFF_CONNECT:
        sim_net_dial(s, n, e->text);
        break;
    case ERA_EFF_REPLY:
        replied(s, n, &e->reply);
        break;
    case ERA_EFF_SIGNAL:
        signalled(s, n, &e->signal);
        break;
    case ERA_EFF_LOG:
        break; /* watches see it among the effects */
    }
}
