#include "tests/erad/lone.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define TOKENS_MAX 64

static void step(struct lone *l, struct era_event ev)
{
    uint64_t tokens[TOKENS_MAX];
    size_t waiting = 0;
    bool given = true;
    while (given || waiting > 0) {
        const struct era_effect *effects;
        if (!given)
            ev = (struct era_event){.kind = ERA_EV_STORED, .token = tokens[--waiting]};
        given = false;
        ev.now_ms = ++l->now_ms;
        ev.wall_ms = l->wall_ms;
        size_t n = era_node_step(l->node, &ev, &effects);
        for (size_t i = 0; i < n; i++) {
            char topic[ERA_TOPIC_BYTES_MAX + 1];
            if (effects[i].kind == ERA_EFF_STORE)
                tokens[waiting++] = effects[i].token;
            if (effects[i].kind == ERA_EFF_REPLY)
                l->reply = effects[i].reply;
            if (effects[i].kind == ERA_EFF_SIGNAL) {
                json_t *o = era_report_signal(l->node, &effects[i].signal, topic);
                json_object_set_new(o, "at_topic", json_string(topic));
                json_array_append_new(l->signals, o);
            }
        }
        cr_assert_lt(waiting, TOKENS_MAX);
    }
}

struct lone *lone_new(struct era_charter *c, const char *who, const char *software, uint64_t epoch)
{
    struct lone *l = calloc(1, sizeof *l);
    cr_assert(l);
    l->charter = c;
    l->signals = json_array();
    l->wall_ms = epoch * 1000 + 500;
    l->info = (struct era_report_info){.pid = 42, .uptime_ms = 1500, .peers_configured = 3};
    l->info.node_key = given_key("node").key;
    era_text_set(l->versions.v[ERA_VERSION_SOFTWARE], sizeof l->versions.v[0], software);
    struct era_node_config config = {.charter = c,
                                     .network = c->hash,
                                     .node_key = l->info.node_key,
                                     .versions = l->versions,
                                     .agent = "erad/test",
                                     .listen = "",
                                     .root = era_root_of_seed(7)};
    if (who) {
        struct given_key k = given_key(who);
        l->secret.key = k.key;
        memcpy(l->secret.secret, k.secret, sizeof k.secret);
        config.secret = &l->secret;
    }
    l->node = era_node_new(&config);
    step(l, (struct era_event){.kind = ERA_EV_START});
    return l;
}

void lone_free(struct lone *l)
{
    era_node_free(l->node);
    json_decref(l->signals);
    free(l);
}

void lone_event(struct lone *l, struct era_event ev)
{
    step(l, ev);
}

void lone_to_epoch(struct lone *l, uint64_t epoch)
{
    uint64_t wall_ms = epoch * 1000 + 500;
    if (wall_ms > l->wall_ms) /* time passes: a clock that jumps is in doubt */
        l->now_ms += wall_ms - l->wall_ms;
    l->wall_ms = wall_ms;
    step(l, (struct era_event){.kind = ERA_EV_TICK});
}

void lone_runs(struct lone *l, const char *software)
{
    era_text_set(l->versions.v[ERA_VERSION_SOFTWARE], sizeof l->versions.v[0], software);
    step(l, (struct era_event){.kind = ERA_EV_VERSIONS, .versions = &l->versions, .staged = &l->staged});
}

void lone_command(struct lone *l, struct era_command command)
{
    l->reply = (struct era_reply){.verdict = ERA_VERDICT_COUNT};
    step(l, (struct era_event){.kind = ERA_EV_COMMAND, .command = &command});
    cr_assert_neq(l->reply.verdict, ERA_VERDICT_COUNT, "the command was not answered");
}

void lone_submit(struct lone *l, struct era_bytes envelope)
{
    lone_command(l, (struct era_command){.id = 1, .kind = ERA_CMD_SUBMIT, .bytes = envelope});
    cr_assert_eq(l->reply.verdict, ERA_ACCEPTED, "%s", era_verdict_code(l->reply.verdict));
}

json_t *lone_signal(const struct lone *l, const char *name)
{
    for (size_t i = json_array_size(l->signals); i-- > 0;) {
        json_t *o = json_array_get(l->signals, i);
        if (strcmp(json_string_value(json_object_get(o, "signal")), name) == 0)
            return o;
    }
    cr_assert(false, "no signal %s", name);
    return NULL;
}

json_t *at(json_t *json, const char *path)
{
    char copy[256], *rest = NULL;
    cr_assert_lt(strlen(path), sizeof copy);
    strcpy(copy, path);
    for (char *part = strtok_r(copy, ".", &rest); part && json; part = strtok_r(NULL, ".", &rest))
        json =
            json_is_array(json) ? json_array_get(json, strtoul(part, NULL, 10)) : json_object_get(json, part);
    cr_assert(json, "nothing at %s", path);
    return json;
}

const char *text_at(json_t *json, const char *path)
{
    const char *text = json_string_value(at(json, path));
    cr_assert(text, "no text at %s", path);
    return text;
}

long long number_at(json_t *json, const char *path)
{
    cr_assert(json_is_integer(at(json, path)), "no number at %s", path);
    return json_integer_value(at(json, path));
}

const char *keys_at(json_t *json, const char *path)
{
    static char keys[1024];
    const char *key;
    json_t *value;
    keys[0] = '\0';
    json_object_foreach(at(json, path), key, value)
    {
        strncat(keys, keys[0] ? "," : "", sizeof keys - strlen(keys) - 1);
        strncat(keys, key, sizeof keys - strlen(keys) - 1);
    }
    return keys;
}
