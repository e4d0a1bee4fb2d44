/* Links and their ends: a table of places that are used again, under numbers that are not. */
#include <assert.h>
#include <stdlib.h>

#include "src/erasim/cast.h"
#include "src/erasim/parts.h"

#define PLACE_MASK (((uint64_t)1 << SIM_LINKS_BITS) - 1)

/* number: serial, place, which end. */
static size_t place_of(uint64_t number)
{
    return (size_t)(number >> 1 & PLACE_MASK);
}

static size_t free_place(struct sim_parts *p)
{
    if (p->free_count > 0)
        return p->free_links[--p->free_count];
    size_t old = p->link_cap, cap = old ? 2 * old : 64;
    assert(cap <= PLACE_MASK + 1);
    p->links = realloc(p->links, cap * sizeof(struct link *));
    p->free_links = realloc(p->free_links, cap * sizeof *p->free_links);
    if (!p->links || !p->free_links)
        abort();
    for (size_t i = old; i < cap; i++)
        p->links[i] = NULL;
    for (size_t i = cap; i-- > old + 1;)
        p->free_links[p->free_count++] = (uint32_t)i;
    p->link_cap = cap;
    return old;
}

static void join(struct sim *s, struct end *e)
{
    struct part *part = &s->parts->part[e->node];
    e->next = part->ends;
    if (e->next)
        e->next->prev = e;
    part->ends = e;
}

struct link *sim_link_new(struct sim *s, size_t a, size_t b)
{
    struct sim_parts *p = s->parts;
    size_t place = free_place(p);
    struct link *l = sim_alloc(sizeof *l);
    uint64_t base = (++p->next_link << (SIM_LINKS_BITS + 1)) | (uint64_t)place << 1;
    p->links[place] = l;
    for (size_t i = 0; i < 2; i++) {
        l->end[i] = (struct end){.number = base | i, .node = i ? b : a, .open = true, .outgoing = !i};
        if (l->end[i].node != SIM_NOBODY)
            join(s, &l->end[i]);
    }
    return l;
}

struct end *sim_end(const struct sim *s, uint64_t number)
{
    size_t place = place_of(number);
    struct link *l = place < s->parts->link_cap ? s->parts->links[place] : NULL;
    struct end *e = l ? &l->end[number & 1] : NULL;
    return e && e->number == number ? e : NULL;
}

struct link *sim_end_link(const struct sim *s, const struct end *e)
{
    return s->parts->links[place_of(e->number)];
}

struct end *sim_end_other(const struct sim *s, const struct end *e)
{
    return &sim_end_link(s, e)->end[!(e->number & 1)];
}

/* Links of the simulator are not encrypted: what an end would prove is its node key itself. */
struct era_key sim_end_key(const struct sim *s, const struct end *e)
{
    return e->node == SIM_NOBODY ? sim_peer_key(e->number) : s->nodes[e->node].link_secret.key;
}

struct era_key sim_peer_key(uint64_t link)
{
    struct era_key key = {{0}};
    era_put_be64(key.b, link);
    return key;
}

static void link_free(struct link *l)
{
    free(l->end[0].part);
    free(l->end[1].part);
    free(l);
}

void sim_end_leave(struct sim *s, struct end *e)
{
    struct sim_parts *p = s->parts;
    assert(e->open);
    e->open = false;
    if (e->node != SIM_NOBODY) {
        if (e->prev)
            e->prev->next = e->next;
        else
            p->part[e->node].ends = e->next;
        if (e->next)
            e->next->prev = e->prev;
    }
    struct link *l = sim_end_link(s, e);
    if (l->end[0].open || l->end[1].open)
        return;
    size_t place = place_of(e->number);
    p->links[place] = NULL;
    p->free_links[p->free_count++] = (uint32_t)place;
    link_free(l);
}

void sim_links_free(struct sim *s)
{
    struct sim_parts *p = s->parts;
    for (size_t i = 0; i < p->link_cap; i++)
        if (p->links[i])
            link_free(p->links[i]);
    free(p->links);
    free(p->free_links);
}
