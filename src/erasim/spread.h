/* spread: how one statement came to every node, as it was seen at the wire: what
 * nodes read, from whom and when. Nothing is supposed: an edge is drawn because
 * a frame went over it. Which statement: the first that an honest node made and
 * stored of its own once half of the run had passed, so that the trees of
 * p2p/broadcast.h have formed.
 *
 * Invariant: copies == reached - 1 + duplicates, when all came from nodes. */
#ifndef ERA_ERASIM_SPREAD_H
#define ERA_ERASIM_SPREAD_H

#include <stdio.h>

#include "src/erasim/sim.h"

#define SPREAD_NONE SIZE_MAX

/* What came to a node over one link, one direction. */
struct spread_edge {
    size_t from;
    uint64_t at_ms;     /* since the statement was made: the first copy, or the first short id */
    uint32_t copies;    /* of the statement itself */
    uint32_t announced; /* its short id */
    bool asked;         /* a copy came after the receiver had asked for it */
    bool first;         /* the first copy of all came here */
};

struct spread_node {
    bool reached;
    uint64_t at_ms; /* since the statement was made */
    size_t from;    /* SPREAD_NONE: it made it, or no node brought it */
    unsigned hops;
    struct era_siphash_key salt; /* of the short ids that it is told, as its hellos say */
    size_t edge_count, edge_cap;
    struct spread_edge *edges; /* that lead to it */
};

struct spread_counts {
    size_t nodes, up, reached; /* up: at the end, or reached */
    uint64_t copies;           /* that came, from nodes */
    uint64_t duplicates;       /* of them, to nodes that had it */
    uint64_t asked;            /* of them, after the receiver had asked */
    uint64_t announced;        /* short ids that came */
    uint64_t foreign;          /* copies from peers that are no nodes */
    uint64_t half_ms, last_ms; /* since it was made: half of the nodes, all that were reached, had it */
    size_t eager, lazy;        /* pairs of nodes: with a copy between them, with short ids only */
};

struct spread {
    struct sim *s;
    size_t origin; /* SPREAD_NONE: no statement was made */
    uint32_t kind; /* of the statement */
    uint64_t made_ms;
    size_t statement_len;
    uint8_t *statement; /* its envelope */
    struct era_hash item;
    size_t node_count;
    struct spread_node *nodes;
    uint64_t foreign;
};

/* Watches s from now on. s has all its nodes. Freed after s has run. */
struct spread *spread_new(struct sim *s);
void spread_free(struct spread *v); /* NULL-safe */
struct spread_counts spread_count(const struct spread *v);
/* What came from one node to another; NULL: nothing. */
const struct spread_edge *spread_between(const struct spread *v, size_t from, size_t to);
/* A picture (spread_svg.c). title: any text. */
void spread_write(const struct spread *v, const char *title, FILE *out);

#endif
