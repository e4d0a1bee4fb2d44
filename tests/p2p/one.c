#include "tests/p2p/one.h"

#include <criterion/criterion.h>

struct one given_one(const char *address)
{
    struct one t = {.now_ms = 1000};
    t.record = town_record(9999, address, 1);
    struct era_overlay_config config = {.network = town_network,
                                        .node = t.record.node,
                                        .listen = address,
                                        .target = 7,
                                        .root = era_root_of_seed(3),
                                        .fits = town_fits};
    t.o = era_overlay_new(&config);
    era_overlay_set_record(t.o, &t.record);
    return t;
}

void one_look(struct one *t)
{
    const struct era_overlay_action *a;
    size_t n = era_overlay_take_actions(t->o, &a);
    t->yes = t->no = t->asks = t->walks = t->shuffles = t->dials = t->parts = 0;
    for (size_t i = 0; i < n; i++) {
        t->yes += a[i].kind == ERA_OVERLAY_WORD && a[i].word == ERA_NEIGHBOUR_YES;
        if (a[i].kind == ERA_OVERLAY_WORD && a[i].word == ERA_NEIGHBOUR_NO)
            t->no++, t->told_no = a[i].link;
        if (a[i].kind == ERA_OVERLAY_WORD && a[i].word <= ERA_NEIGHBOUR_ASK_ALONE)
            t->asks++, t->asked = a[i].link;
        t->walks += a[i].kind == ERA_OVERLAY_WALK;
        if (a[i].kind == ERA_OVERLAY_SHUFFLE)
            t->shuffles++, t->shuffle = *a[i].shuffle, t->shuffle_to = a[i].link;
        if (a[i].kind == ERA_OVERLAY_DIAL)
            t->dials++, t->dialled = a[i].place;
        t->parts += a[i].kind == ERA_OVERLAY_PART;
    }
}

void one_wait(struct one *t, uint64_t ms)
{
    t->now_ms += ms;
    era_overlay_tick(t->o, t->now_ms);
    one_look(t);
}

void one_up(struct one *t, uint64_t link, uint16_t node, const char *address, bool outgoing, bool anchor)
{
    struct era_key key = town_record(node, address, 1).node;
    era_overlay_up(t->o, t->now_ms, link, &key, address, outgoing, anchor, false);
}

void one_asks(struct one *t, uint64_t link, enum era_neighbour_word word)
{
    cr_assert_eq(era_overlay_word(t->o, t->now_ms, link, word), ERA_ACCEPTED);
    one_look(t);
}

enum era_verdict one_tell(struct one *t, uint64_t link, const struct era_peer_record *r)
{
    struct era_peer_shuffle s = {.count = 1, .records = {*r}};
    enum era_verdict v = era_overlay_shuffle(t->o, t->now_ms, link, &s);
    one_look(t);
    return v;
}

size_t one_known(const struct one *t)
{
    return era_overlay_counts(t->o).known;
}
