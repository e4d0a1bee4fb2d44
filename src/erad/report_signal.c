/* Signals: what happened, for subscribers and hooks. */
#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "src/erad/report_parts.h"

static const char *const names[] = {
    [ERA_SIG_GATE] = "gate",
    [ERA_SIG_ERA] = "era",
    [ERA_SIG_EPOCH] = "epoch",
    [ERA_SIG_PROPOSAL] = "proposal",
    [ERA_SIG_APPROVED] = "approved",
    [ERA_SIG_ADOPTED] = "adopted",
    [ERA_SIG_FAILED] = "failed",
    [ERA_SIG_ARMED] = "armed",
    [ERA_SIG_EVENT] = "event",
    [ERA_SIG_STORE] = "store",
    [ERA_SIG_EQUIVOCATION] = "equivocation",
};

static void put_gate(const struct era_node *n, json_t *o, const struct era_signal *s)
{
    json_t *gate = report_object();
    report_gate_put(n, gate, s->component, &s->gate);
    report_put(o, "before", report_text(era_gate_name(s->before)));
    report_put(o, "gate", gate);
}

static void put_proposal(const struct era_node *n, json_t *o, const struct era_signal *s)
{
    struct era_proposal *p = malloc(sizeof *p);
    assert(p);
    report_put(o, "id", report_hash(&s->proposal));
    report_put(o, "seq", report_number(s->seq));
    const struct era_ledger *l = era_report_ledger_of(n, &s->proposal);
    bool known = l && era_ledger_proposal(l, &s->proposal, p);
    report_put(o, "version", known ? report_text(report_main_entry(&p->plan)->record.version) : json_null());
    report_put(o, "text", known ? report_text(p->text) : json_null());
    free(p);
}

static json_t *base64_of(const uint8_t *data, size_t len)
{
    char text[sodium_base64_ENCODED_LEN(ERA_EVENT_PAYLOAD_BYTES_MAX, sodium_base64_VARIANT_ORIGINAL)];
    sodium_bin2base64(text, sizeof text, data, len, sodium_base64_VARIANT_ORIGINAL);
    return report_text(text);
}

static json_t *payload_text(const struct era_event_statement *e)
{
    if (!era_utf8_valid((const char *)e->payload, e->payload_bytes, true))
        return json_null();
    json_t *v = json_stringn((const char *)e->payload, e->payload_bytes);
    assert(v);
    return v;
}

static const char *validator_name(const struct era_charter *c, int validator)
{
    if (validator < 0 || (size_t)validator >= (c->authority_only ? c->emitter_count : c->validator_count))
        return "";
    return c->authority_only ? c->emitters[validator].name : c->validators[validator].name;
}

/* Subscribers choose by topic: the event's own is part of it, as far as a topic reaches. */
static void put_event(const struct era_node *n, json_t *o, const struct era_signal *s, char *topic)
{
    const struct era_event_statement *e = s->event;
    size_t len = strlen(topic);
    topic[len++] = '.';
    for (size_t i = 0; e->topic[i] && len < ERA_TOPIC_BYTES_MAX; i++)
        topic[len++] = e->topic[i];
    topic[len] = '\0';
    report_put(o, "topic", report_text(e->topic));
    report_put(o, "from", report_text(validator_name(era_node_counting_charter(n), s->validator)));
    report_put(o, "seq", report_number(e->seq));
    report_put(o, "payload_base64", base64_of(e->payload, e->payload_bytes));
    report_put(o, "payload", payload_text(e));
}

/* An entry may be larger than a signal: then its lists stay out, and whoever needs them asks. */
static void fit(json_t *o)
{
    if (json_dumpb(o, NULL, 0, JSON_COMPACT) + ERA_TOPIC_BYTES_MAX + 2 <= ERA_SIGNAL_BYTES_MAX)
        return;
    json_t *gate = json_object_get(o, "gate");
    if (gate)
        report_put(gate, "cause", json_null());
    if (json_object_get(o, "entry"))
        report_put(o, "entry", json_null());
    report_put(o, "cut", report_bool(true));
}

json_t *era_report_signal(const struct era_node *n, const struct era_signal *s, char *topic)
{
    json_t *o = report_answer("signal");
    era_text_set(topic, ERA_TOPIC_BYTES_MAX + 1, names[s->kind]);
    report_put(o, "signal", report_text(names[s->kind]));
    report_put(o, "epoch", report_number(s->epoch));
    report_put(o, "component",
               s->component < 0 ? json_null()
                                : report_text(era_node_charter(n)->components[s->component].id));
    switch (s->kind) {
    case ERA_SIG_GATE:
        put_gate(n, o, s);
        break;
    case ERA_SIG_ERA:
        report_put(o, "entry", report_entry_of(n, s->component, s->gate.current));
        break;
    case ERA_SIG_EPOCH:
        break;
    case ERA_SIG_PROPOSAL:
    case ERA_SIG_APPROVED:
    case ERA_SIG_ADOPTED:
    case ERA_SIG_FAILED:
    case ERA_SIG_ARMED:
        put_proposal(n, o, s);
        break;
    case ERA_SIG_EVENT:
        put_event(n, o, s, topic);
        break;
    case ERA_SIG_EQUIVOCATION:
        report_put(o, "kind", report_text(era_kind_name(s->item_kind)));
        report_put(o, "by", report_text(s->by ? s->by : ""));
        report_put(o, "seq", report_number(s->seq));
        break;
    case ERA_SIG_STORE:
        report_put(o, "error", report_text(strerror(-s->error)));
        break;
    }
    fit(o);
    return o;
}
