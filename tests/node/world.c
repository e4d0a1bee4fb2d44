#include "tests/node/world_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/record.h"
#include "store/store_mem.h"

/* Until a commit is done: longer than a push waits, so that what leaves too early is seen. */
#define STORE_MS       20
#define START_MS       ((uint64_t)WORLD_EPOCH * 1000)
#define DELAY_MS       5 /* of a link, at least */
#define JITTER_MS      10
#define EARLY_MS       6000   /* before WORLD_EPOCH: a running network started */
#define SETTLE_MS      30000  /* until keys are unlocked, at most */
#define STEPS_A_MS_MAX 200000 /* a world that stands still is a bug */

void world_grow(void **at, size_t *cap, size_t count, size_t size)
{
    if (count < *cap)
        return;
    *cap = *cap ? 2 * *cap : 16;
    *at = realloc(*at, *cap * size);
    if (!*at)
        abort();
}

_Noreturn void world_wrong(const char *what)
{
    fprintf(stderr, "world: %s\n", what);
    abort();
}

/* ---- what will happen ---- */

static bool before(const struct happening *a, const struct happening *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void swap(struct happening *a, struct happening *b)
{
    struct happening t = *a;
    *a = *b;
    *b = t;
}

static void schedule(struct world *w, struct happening h)
{
    h.order = w->next_order++;
    ADD(&w->happenings) = h;
    struct happening *heap = w->happenings.at;
    for (size_t i = w->happenings.count - 1; i > 0 && before(&heap[i], &heap[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&heap[i], &heap[(i - 1) / 2]);
}

static struct happening take(struct world *w)
{
    struct happening *heap = w->happenings.at, first = heap[0];
    size_t n = --w->happenings.count;
    heap[0] = heap[n];
    for (size_t i = 0, least; 2 * i + 1 < n; i = least) {
        least = 2 * i + 1;
        if (least + 1 < n && before(&heap[least + 1], &heap[least]))
            least++;
        if (!before(&heap[least], &heap[i]))
            break;
        swap(&heap[least], &heap[i]);
    }
    return first;
}

static uint64_t delay(struct world *w)
{
    return w->now_ms + DELAY_MS + era_prng_below(&w->prng, JITTER_MS);
}

/* ---- effects ---- */

static struct link *link_of(struct world *w, uint64_t number)
{
    return &w->links.at[number - 1];
}

static int end_of(const struct link *l, size_t node)
{
    return l->end[1] == node;
}

static void send_frame(struct world_node *n, uint64_t number, struct era_bytes bytes)
{
    struct world *w = n->world;
    struct link *l = link_of(w, number);
    int me = end_of(l, n->number);
    world_hear(w, n->number, bytes);
    if (!l->open || l->left[me])
        return;
    uint64_t at = delay(w);
    if (at < l->last_ms[!me])
        at = l->last_ms[!me];
    l->last_ms[!me] = at;
    uint8_t *copy = malloc(bytes.len + 1);
    if (!copy)
        abort();
    memcpy(copy, bytes.data, bytes.len);
    struct world_node *peer = &w->nodes[l->end[!me]];
    schedule(w, (struct happening){.at_ms = at,
                                   .kind = FRAME,
                                   .node = peer->number,
                                   .life = peer->life,
                                   .link = number,
                                   .bytes = copy,
                                   .len = bytes.len});
    schedule(w, (struct happening){.at_ms = w->now_ms + 1,
                                   .kind = SENT,
                                   .node = n->number,
                                   .life = n->life,
                                   .link = number,
                                   .len = bytes.len});
}

/* What was sent before arrives before. */
static void leave_link(struct world_node *n, uint64_t number)
{
    struct world *w = n->world;
    struct link *l = link_of(w, number);
    int me = end_of(l, n->number);
    if (!l->open || l->left[me])
        return;
    l->left[me] = true;
    struct world_node *peer = &w->nodes[l->end[!me]];
    uint64_t at = delay(w);
    schedule(w, (struct happening){.at_ms = at < l->last_ms[!me] ? l->last_ms[!me] : at,
                                   .kind = END,
                                   .node = peer->number,
                                   .life = peer->life,
                                   .link = number});
}

static void dial(struct world_node *n, const char *address)
{
    struct world *w = n->world;
    size_t peer = 0;
    while (peer < w->node_count && strcmp(w->nodes[peer].address, address) != 0)
        peer++;
    if (peer == w->node_count)
        world_wrong("a node dials an address that nobody has");
    schedule(w, (struct happening){
                    .at_ms = delay(w), .kind = DIAL, .node = n->number, .life = n->life, .peer = peer});
}

static struct era_bytes copy_span(struct era_bytes b)
{
    if (!b.data)
        return b;
    uint8_t *copy = malloc(b.len + 1);
    if (!copy)
        abort();
    memcpy(copy, b.data, b.len);
    return (struct era_bytes){copy, b.len};
}

static void queue_commit(struct world_node *n, const struct era_effect *e)
{
    if (n->commit_count == n->commit_cap) {
        n->commit_cap = n->commit_cap ? 2 * n->commit_cap : 4;
        n->commits = realloc(n->commits, n->commit_cap * sizeof *n->commits);
    }
    struct world_commit *c = n->commits ? &n->commits[n->commit_count++] : NULL;
    if (!c)
        abort();
    *c = (struct world_commit){
        .token = e->token, .puts = calloc(e->count + 1, sizeof *c->puts), .count = e->count};
    for (size_t i = 0; i < e->count; i++)
        c->puts[i] = (struct era_store_put){copy_span(e->puts[i].key), copy_span(e->puts[i].value)};
    n->oversized_batches += e->count > ERA_STORE_BATCH_MAX;
    schedule(n->world,
             (struct happening){
                 .at_ms = n->world->now_ms + STORE_MS, .kind = COMMIT, .node = n->number, .life = n->life});
}

static void commit_free(struct world_commit *c)
{
    for (size_t i = 0; i < c->count; i++) {
        free((void *)c->puts[i].key.data);
        free((void *)c->puts[i].value.data);
    }
    free(c->puts);
}

static void keep_signal(struct world_node *n, const struct era_signal *s)
{
    struct world_signal *k = &ADD(&n->world->signals);
    *k = (struct world_signal){.node = n->number,
                               .at_ms = n->world->now_ms,
                               .kind = s->kind,
                               .component = s->component,
                               .epoch = s->epoch,
                               .seq = s->seq,
                               .epochs_left = s->gate.epochs_left,
                               .proposal = s->proposal,
                               .gate = s->gate.state,
                               .item_kind = s->item_kind,
                               .signer = s->signer,
                               .validator = s->validator,
                               .error = s->error};
    const struct era_entry *e = s->kind == ERA_SIG_GATE ? s->gate.cause : s->gate.current;
    if ((s->kind == ERA_SIG_GATE || s->kind == ERA_SIG_ERA) && e)
        era_text_set(k->version, sizeof k->version, e->record.version);
    if (s->kind == ERA_SIG_EVENT)
        snprintf(k->payload, sizeof k->payload, "%.*s", (int)s->event->payload_bytes,
                 (const char *)s->event->payload);
}

static void keep_reply(struct world_node *n, const struct era_reply *r)
{
    struct world_reply *k = calloc(1, sizeof *k);
    if (!k)
        abort();
    k->node = n->number;
    k->reply = *r;
    if (r->why)
        era_text_set(k->why, sizeof k->why, r->why);
    k->reply.why = r->why ? k->why : NULL;
    ADD(&n->world->replies) = k;
}

static void apply(struct world_node *n, const struct era_effect *e)
{
    switch (e->kind) {
    case ERA_EFF_STORE:
        queue_commit(n, e);
        break;
    case ERA_EFF_SEND:
        send_frame(n, e->link, e->bytes);
        break;
    case ERA_EFF_CLOSE:
        leave_link(n, e->link);
        break;
    case ERA_EFF_CONNECT:
        dial(n, e->text);
        break;
    case ERA_EFF_REPLY:
        keep_reply(n, &e->reply);
        break;
    case ERA_EFF_SIGNAL:
        keep_signal(n, &e->signal);
        break;
    case ERA_EFF_LOG:
        break;
    }
}

/* True: here the process ends. */
static bool at_crash(struct world_node *n)
{
    return ++n->boundaries == n->crash_at;
}

void world_step(struct world_node *n, struct era_event ev)
{
    const struct era_effect *effects;
    ev.now_ms = n->world->now_ms;
    ev.wall_ms = (uint64_t)((int64_t)n->world->now_ms + n->skew_ms);
    size_t count = era_node_step(n->node, &ev, &effects);
    for (size_t i = 0; i < count; i++) {
        if (at_crash(n)) {
            world_crash(n);
            return;
        }
        apply(n, &effects[i]);
    }
}

/* ---- what happens ---- */

static struct era_key link_key(const struct world_node *n)
{
    char name[32];
    snprintf(name, sizeof name, "node %zu", n->number);
    return given_key(name).key;
}

static void happen_dial(struct world *w, const struct happening *h)
{
    struct world_node *a = &w->nodes[h->node], *b = &w->nodes[h->peer];
    if (!b->node || w->apart[h->node][h->peer]) {
        world_step(a, (struct era_event){.kind = ERA_EV_DIAL_FAILED, .address = b->address});
        return;
    }
    ADD(&w->links) = (struct link){.end = {h->node, h->peer}, .open = true};
    uint64_t number = w->links.count;
    char from[ERA_ADDRESS_BYTES_MAX + 1];
    snprintf(from, sizeof from, "tcp://10.0.0.%zu:%u", a->number + 1, 40000 + (unsigned)number % 20000);
    unsigned life = b->life;
    struct era_key key_a = link_key(a), key_b = link_key(b);
    world_step(a, (struct era_event){.kind = ERA_EV_LINK_UP,
                                     .link = number,
                                     .outgoing = true,
                                     .address = b->address,
                                     .proven = key_b.b});
    if (b->node && b->life == life)
        world_step(b, (struct era_event){
                          .kind = ERA_EV_LINK_UP, .link = number, .address = from, .proven = key_a.b});
}

static void happen_commit(struct world_node *n)
{
    if (n->store_held || n->commit_count == 0)
        return;
    if (at_crash(n)) {
        world_crash(n);
        return;
    }
    struct world_commit c = n->commits[0];
    memmove(n->commits, n->commits + 1, --n->commit_count * sizeof *n->commits);
    int rc = era_store_commit(n->store, c.puts, c.count);
    schedule(n->world, (struct happening){.at_ms = n->world->now_ms + 1,
                                          .kind = STORED,
                                          .node = n->number,
                                          .life = n->life,
                                          .token = c.token,
                                          .error = rc});
    commit_free(&c);
    while (rc != 0 && n->commit_count > 0) { /* what builds on a lost batch is never stored without it */
        c = n->commits[0];
        memmove(n->commits, n->commits + 1, --n->commit_count * sizeof *n->commits);
        schedule(n->world, (struct happening){.at_ms = n->world->now_ms + 1,
                                              .kind = STORED,
                                              .node = n->number,
                                              .life = n->life,
                                              .token = c.token,
                                              .error = -ECANCELED});
        commit_free(&c);
    }
}

static void happen_stored(struct world_node *n, const struct happening *h)
{
    if (at_crash(n))
        world_crash(n);
    else
        world_step(n, (struct era_event){.kind = ERA_EV_STORED, .token = h->token, .error = h->error});
}

static void happen(struct world *w, const struct happening *h)
{
    struct world_node *n = &w->nodes[h->node];
    if (!n->node || n->life != h->life)
        return;
    struct link *l = h->link ? link_of(w, h->link) : NULL;
    if (l && h->kind != DOWN && (!l->open || l->left[end_of(l, h->node)]))
        return;
    switch (h->kind) {
    case DIAL:
        happen_dial(w, h);
        break;
    case FRAME:
        world_step(n, (struct era_event){.kind = ERA_EV_FRAME, .link = h->link, .bytes = {h->bytes, h->len}});
        break;
    case SENT:
        world_step(n, (struct era_event){.kind = ERA_EV_SENT, .link = h->link, .count = h->len});
        break;
    case END:
        l->open = false;
        world_step(n, (struct era_event){.kind = ERA_EV_LINK_DOWN, .link = h->link});
        break;
    case DOWN:
        world_step(n, (struct era_event){.kind = ERA_EV_LINK_DOWN, .link = h->link});
        break;
    case COMMIT:
        happen_commit(n);
        break;
    case STORED:
        happen_stored(n, h);
        break;
    }
}

/* The node whose timer comes first, not after `end`. */
static struct world_node *next_timer(struct world *w, uint64_t end, uint64_t *at_ms)
{
    struct world_node *first = NULL;
    for (size_t i = 0; i < w->node_count; i++) {
        uint64_t at = w->nodes[i].node ? era_node_deadline_ms(w->nodes[i].node) : UINT64_MAX;
        if (at < w->now_ms)
            at = w->now_ms;
        if (at <= end && (!first || at < *at_ms)) {
            first = &w->nodes[i];
            *at_ms = at;
        }
    }
    return first;
}

/* One thing, not after `end`. False when there is none: it is `end` then. */
static bool advance(struct world *w, uint64_t end)
{
    uint64_t at = 0;
    struct world_node *timer = next_timer(w, end, &at);
    if (w->happenings.count > 0 && w->happenings.at[0].at_ms <= end &&
        (!timer || w->happenings.at[0].at_ms <= at)) {
        struct happening h = take(w);
        if (h.at_ms > w->now_ms)
            w->now_ms = h.at_ms;
        happen(w, &h);
        free(h.bytes);
        return true;
    }
    if (!timer) {
        w->now_ms = end;
        return false;
    }
    w->now_ms = at;
    world_step(timer, (struct era_event){.kind = ERA_EV_TICK});
    return true;
}

bool world_run_until(struct world *w, world_condition *condition, void *ctx, uint64_t ms)
{
    uint64_t end = w->now_ms + ms, last_ms = w->now_ms, steps = 0;
    while (!condition || !condition(w, ctx)) {
        if (!advance(w, end))
            return condition && condition(w, ctx);
        steps = w->now_ms == last_ms ? steps + 1 : 0;
        last_ms = w->now_ms;
        if (steps > STEPS_A_MS_MAX)
            world_wrong("time stands still: a node's deadline never moves");
    }
    return true;
}

void world_run(struct world *w, uint64_t ms)
{
    world_run_until(w, NULL, NULL, ms);
}

static bool nobody_is_starting(struct world *w, void *unused)
{
    (void)unused;
    for (size_t i = 0; i < w->node_count; i++)
        if (w->nodes[i].node && era_node_lock(w->nodes[i].node) == ERA_LOCK_STARTING)
            return false;
    return true;
}

void world_settle(struct world *w)
{
    if (!world_run_until(w, nobody_is_starting, NULL, SETTLE_MS))
        world_wrong("a node's key stays locked: it never learned what its peers hold");
}

void world_run_to_epoch(struct world *w, uint64_t epoch)
{
    if (epoch * 1000 > w->now_ms)
        world_run(w, epoch * 1000 - w->now_ms);
}

uint64_t world_now_ms(const struct world *w)
{
    return w->now_ms;
}

/* ---- life ---- */

struct world *world_new(const struct era_charter *c, uint64_t seed)
{
    struct world *w = calloc(1, sizeof *w);
    if (!w)
        abort();
    w->charter = c;
    w->seed = seed;
    w->now_ms = START_MS;
    w->next_request = 1;
    era_prng_init(&w->prng, seed);
    return w;
}

struct world_node *world_add(struct world *w, struct world_setup setup)
{
    if (w->node_count == WORLD_NODES_MAX)
        world_wrong("too many nodes");
    struct world_node *n = &w->nodes[w->node_count];
    n->world = w;
    n->number = w->node_count++;
    n->setup = setup;
    if (!setup.software)
        n->setup.software = "1.0.0";
    if (setup.votes)
        n->setup.auto_announced = n->setup.auto_dropped = n->setup.auto_soft = n->setup.auto_breaking = true;
    if (setup.key) {
        struct given_key k = given_key(setup.key);
        n->secret.key = k.key;
        memcpy(n->secret.secret, k.secret, sizeof k.secret);
    }
    snprintf(n->address, sizeof n->address, "tcp://10.0.0.%zu:7711", n->number + 1);
    n->store = era_store_mem_new();
    if (!n->store)
        abort();
    return n;
}

void world_anchor(struct world_node *a, struct world_node *b)
{
    era_text_set(a->anchors[a->anchor_count++], sizeof a->anchors[0], b->address);
}

static int restore(void *ctx, struct era_bytes key, struct era_bytes value)
{
    era_node_restore(ctx, key, value);
    return 0;
}

struct era_versions world_software(const char *version)
{
    struct era_versions v;
    memset(&v, 0, sizeof v);
    if (version)
        era_text_set(v.v[ERA_VERSION_SOFTWARE], sizeof v.v[0], version);
    return v;
}

static int read_store(void *ctx, struct era_bytes key, struct era_bytes *value)
{
    const struct world_node *n = ctx;
    return era_store_read(n->store, key, value);
}

void world_start(struct world_node *n)
{
    const char *anchors[WORLD_NODES_MAX];
    char name[32];
    if (n->node)
        world_wrong("a node is started twice");
    for (size_t i = 0; i < n->anchor_count; i++)
        anchors[i] = n->anchors[i];
    n->life++;
    snprintf(name, sizeof name, "node %zu", n->number);
    struct era_node_config c = {.charter = n->world->charter,
                                .network = n->world->charter->hash,
                                .node_key = link_key(n),
                                .secret = n->setup.key ? &n->secret : NULL,
                                .versions = world_software(n->setup.software),
                                .staged = world_software(n->setup.staged),
                                .agent = "erad/test",
                                .listen = n->address,
                                .anchors = anchors,
                                .anchor_count = n->anchor_count,
                                .auto_announced = n->setup.auto_announced,
                                .auto_dropped = n->setup.auto_dropped,
                                .auto_soft = n->setup.auto_soft,
                                .auto_breaking = n->setup.auto_breaking,
                                .auto_charter = n->setup.charters,
                                .read = read_store,
                                .read_ctx = n,
                                .root = era_root_of_seed(n->world->seed + 1000 * n->number + n->life)};
    n->node = era_node_new(&c);
    n->boundaries = 0;
    if (era_store_walk(n->store, (struct era_bytes){0}, restore, n->node) != 0)
        world_wrong("a store cannot be walked");
    world_step(n, (struct era_event){.kind = ERA_EV_START});
}

void world_start_all(struct world *w)
{
    for (size_t i = 0; i < w->node_count; i++)
        if (!w->nodes[i].node)
            world_start(&w->nodes[i]);
}

void world_start_network(struct world *w)
{
    if (w->now_ms != START_MS || w->happenings.count > 0)
        world_wrong("a network starts after something else");
    w->now_ms -= EARLY_MS;
    world_start_all(w);
    world_settle(w);
    if (w->now_ms > START_MS)
        world_wrong("a network takes too long to start");
    world_run(w, START_MS - w->now_ms);
}

static void drop_commits(struct world_node *n)
{
    for (size_t i = 0; i < n->commit_count; i++)
        commit_free(&n->commits[i]);
    n->commit_count = 0;
}

/* Both ends hear of it, if they live. */
static void break_link(struct world *w, uint64_t number)
{
    struct link *l = link_of(w, number);
    if (!l->open)
        return;
    l->open = false;
    for (int i = 0; i < 2; i++) {
        struct world_node *n = &w->nodes[l->end[i]];
        if (n->node && !l->left[i])
            schedule(
                w, (struct happening){
                       .at_ms = w->now_ms, .kind = DOWN, .node = n->number, .life = n->life, .link = number});
    }
}

void world_crash(struct world_node *n)
{
    if (!n->node)
        return;
    era_node_free(n->node);
    n->node = NULL;
    n->crash_at = 0;
    drop_commits(n);
    for (size_t i = 0; i < n->world->links.count; i++)
        if (n->world->links.at[i].end[0] == n->number || n->world->links.at[i].end[1] == n->number)
            break_link(n->world, i + 1);
}

void world_lose_power(struct world_node *n)
{
    world_crash(n);
    struct era_store *found = era_store_mem_crash(n->store);
    if (!found)
        abort();
    era_store_close(n->store);
    n->store = found;
}

void world_free(struct world *w)
{
    for (size_t i = 0; i < w->node_count; i++) {
        era_node_free(w->nodes[i].node);
        drop_commits(&w->nodes[i]);
        free(w->nodes[i].commits);
        era_store_close(w->nodes[i].store);
    }
    for (size_t i = 0; i < w->happenings.count; i++)
        free(w->happenings.at[i].bytes);
    for (size_t i = 0; i < w->replies.count; i++)
        free(w->replies.at[i]);
    free(w->happenings.at);
    free(w->links.at);
    free(w->said.at);
    free(w->signals.at);
    free(w->replies.at);
    free(w);
}

/* ---- links ---- */

void world_cut(struct world_node *a, struct world_node *b)
{
    struct world *w = a->world;
    w->apart[a->number][b->number] = w->apart[b->number][a->number] = true;
    for (size_t i = 0; i < w->links.count; i++) {
        const struct link *l = &w->links.at[i];
        if ((l->end[0] == a->number && l->end[1] == b->number) ||
            (l->end[1] == a->number && l->end[0] == b->number))
            break_link(w, i + 1);
    }
}

void world_heal(struct world_node *a, struct world_node *b)
{
    a->world->apart[a->number][b->number] = a->world->apart[b->number][a->number] = false;
}

bool world_linked(const struct world_node *a, const struct world_node *b)
{
    const struct world *w = a->world;
    for (size_t i = 0; i < w->links.count; i++) {
        const struct link *l = &w->links.at[i];
        if (l->open && ((l->end[0] == a->number && l->end[1] == b->number) ||
                        (l->end[1] == a->number && l->end[0] == b->number)))
            return true;
    }
    return false;
}

void world_hold_store(struct world_node *n, bool held)
{
    n->store_held = held;
    for (size_t i = 0; !held && i < n->commit_count; i++)
        schedule(n->world, (struct happening){.at_ms = n->world->now_ms + STORE_MS,
                                              .kind = COMMIT,
                                              .node = n->number,
                                              .life = n->life});
}
