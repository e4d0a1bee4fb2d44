/* Push trees among peers that lie. */
#include <criterion/criterion.h>
#include <sodium.h>

#include "tests/p2p/probe.h"

/* The hello that the gossip sends on a new link. */
static struct era_frame_hello hello_on(struct probe *p, uint64_t link)
{
    const struct era_gossip_action *actions;
    struct era_frame_hello hello = {0};
    struct era_frame frame;
    struct era_frame_part part;
    probe_look(p);
    probe_link(p, link, false, "tcp://10.0.0.9:4000");
    size_t count = era_gossip_take_actions(p->g, &actions);
    for (size_t i = 0; i < count; i++) {
        if (actions[i].kind != ERA_GOSSIP_SEND)
            continue;
        cr_assert_eq(era_frame_decode(actions[i].bytes, &frame), ERA_ACCEPTED);
        for (struct era_frame_cursor c = era_frame_first(&frame); era_frame_next(&c, &part);)
            if (part.kind == ERA_FRAME_HELLO)
                hello = part.u.hello;
    }
    return hello;
}

/* ---- the generator, backwards ---- */

static uint64_t inverse(uint64_t odd)
{
    uint64_t x = odd;
    for (int i = 0; i < 6; i++)
        x *= 2 - odd * x;
    return x;
}

static uint64_t unshift(uint64_t z, int by)
{
    uint64_t x = z;
    for (int i = 0; i < 64 / by + 1; i++)
        x = z ^ (x >> by);
    return x;
}

/* Of a number that xoshiro256** gives first, when splitmix64 seeded it. */
static uint64_t seed_of_first(uint64_t number)
{
    uint64_t z = number * inverse(9);
    z = (z >> 7 | z << 57) * inverse(5);
    z = unshift(z, 31) * inverse(0x94D049BB133111EB);
    z = unshift(z, 27) * inverse(0xBF58476D1CE4E5B9);
    return unshift(z, 30) - 2 * 0x9E3779B97F4A7C15u;
}

Test(broadcast_abuse, what_a_hello_says_leads_back_to_no_seed)
{
    struct probe *p = probe_new(1000);
    struct era_frame_hello hello = hello_on(p, 1);
    uint64_t seed = seed_of_first(era_get_be64(hello.salt));
    struct era_prng prng;
    era_prng_init(&prng, seed);
    cr_assert_eq(era_prng_next(&prng), era_get_be64(hello.salt)); /* it would be the one */
    cr_expect_neq(era_prng_next(&prng), era_get_be64(hello.salt + 8), "the seed is %llu",
                  (unsigned long long)seed);
    probe_free(p);
}
