/* What a frame that says nothing costs a node, by how many links it has: whoever floods one with them must
 * not make it look at all the others each time. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "proto/frame.h"
#include "src/node/node.h"
#include "tests/bench/load.h"

#define FRAMES   400000
#define SENT_MAX 16  /* frames of one step that are told to be written; the others wait */
#define LIMIT    4.0 /* with 250 links, in what one costs with 10 */

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* As a driver does: it arms its timer after every step, and does what it is told. */
static void step(struct era_node *n, struct era_event event)
{
    const struct era_effect *effects;
    struct era_event written[SENT_MAX];
    event.now_ms = now_ms();
    event.wall_ms = 1800000000000 + event.now_ms;
    size_t count = era_node_step(n, &event, &effects), sent = 0;
    for (size_t i = 0; i < count; i++)
        if (effects[i].kind == ERA_EFF_SEND && sent < SENT_MAX) /* they are gone with the next step */
            written[sent++] = (struct era_event){
                .kind = ERA_EV_SENT, .link = effects[i].link, .count = effects[i].bytes.len};
    for (size_t i = 0; i < sent; i++)
        step(n, written[i]);
    if (era_node_deadline_ms(n) <= event.now_ms)
        step(n, (struct era_event){.kind = ERA_EV_TICK});
}

static void link_up(struct era_node *n, const struct load *l, uint64_t link)
{
    static uint8_t buffer[ERA_FRAME_BYTES_MAX];
    struct era_frame_builder b;
    struct era_frame_hello hello = {.protocol_min = ERA_PROTOCOL_MIN,
                                    .protocol_max = ERA_PROTOCOL_MAX,
                                    .network = l->charter.hash,
                                    .agent = "bench"};
    char address[64];
    snprintf(address, sizeof address, "tcp://10.0.%u.1:7711", (unsigned)link);
    hello.node.b[0] = (uint8_t)link;
    hello.node.b[1] = 1;
    era_frame_begin(&b, buffer);
    era_frame_add_hello(&b, &hello);
    step(n, (struct era_event){.kind = ERA_EV_LINK_UP,
                               .link = link,
                               .outgoing = true,
                               .address = address,
                               .proven = hello.node.b});
    step(n, (struct era_event){.kind = ERA_EV_FRAME, .link = link, .bytes = era_frame_bytes(&b)});
}

/* Microseconds of CPU time a frame, and a tick that a driver is told to make now and then. */
static double measure(const struct load *l, size_t links)
{
    static const uint8_t nothing[] = {0x48, 0x00}; /* a part that nobody knows */
    struct era_node_config c = {.charter = &l->charter,
                                .network = l->charter.hash,
                                .agent = "bench",
                                .listen = "",
                                .root = era_root_of_seed(1)};
    struct era_node *n = era_node_new(&c);
    step(n, (struct era_event){.kind = ERA_EV_START});
    for (size_t i = 1; i <= links; i++)
        link_up(n, l, i);
    double begin = cpu_s();
    for (size_t i = 0; i < FRAMES; i++)
        step(n, (struct era_event){
                    .kind = ERA_EV_FRAME, .link = 1 + i % links, .bytes = {nothing, sizeof nothing}});
    double us = (cpu_s() - begin) / FRAMES * 1e6;
    era_node_free(n);
    return us;
}

int main(void)
{
    struct load l;
    load_init(&l, 4);
    double few = measure(&l, 10), many = measure(&l, 250);
    printf("{\"bench\":\"frames\",\"us_at_10_links\":%.2f,\"us_at_250_links\":%.2f,\"ratio\":%.2f,\"limit\":%"
           ".1f}\n",
           few, many, many / few, LIMIT);
    printf("\n  CPU time of a frame that says nothing: %.2f us with 10 links, %.2f us with 250\n", few, many);
    printf("  ratio %.2f, limit %.1f: %s\n\n", many / few, LIMIT, many <= LIMIT * few ? "held" : "broken");
    load_release(&l);
    return many <= LIMIT * few ? EXIT_SUCCESS : EXIT_FAILURE;
}
