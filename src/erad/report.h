/* report: what the daemon tells, as JSON, for the control socket and HTTP
 * alike: one maker of each answer. Reads a node between steps; changes nothing. */
#ifndef ERA_ERAD_REPORT_H
#define ERA_ERAD_REPORT_H

#include <jansson.h>

#include "p2p/link_nng.h"
#include "src/node/node.h"

/* What the node itself cannot know. */
struct era_report_info {
    int pid;
    uint64_t uptime_ms, now_ms;
    size_t peers_configured;
    struct era_key node_key;
    const struct era_link_counts *links; /* NULL: no links */
};

/* Each returns a new reference, {"schema":"erad.VERB/1", …}. component -1: all
 * (gate: the network's). Never NULL. */
json_t *era_report_status(const struct era_node *n, const struct era_report_info *info);
json_t *era_report_gate(const struct era_node *n, int component);
json_t *era_report_eras(const struct era_node *n, int component);
json_t *era_report_proposals(const struct era_node *n);
json_t *era_report_peers(const struct era_node *n, const struct era_report_info *info);
json_t *era_report_log(const struct era_node *n);
json_t *era_report_announcements(const struct era_node *n);
json_t *era_report_head(const struct era_node *n, int component);
json_t *era_report_charter(const struct era_node *n);
/* NULL when nothing here has that id. */
json_t *era_report_show(const struct era_node *n, const struct era_hash *proposal);
/* What a signal says to subscribers and hooks; topic is written to topic[ERA_TOPIC_BYTES_MAX + 1]. */
json_t *era_report_signal(const struct era_node *n, const struct era_signal *signal, char *topic);

/* "none", "starting", "missing" */
const char *era_report_lock_name(enum era_lock lock);
/* The ledger of the chain of charters that holds this proposal; NULL: none. */
const struct era_ledger *era_report_ledger_of(const struct era_node *n, const struct era_hash *proposal);

/* One sentence why the gate is as it is, and what unblocks it ("" when nothing need). */
void era_report_gate_words(const struct era_node *n, const struct era_gate *gate, int component, char *text,
                           size_t text_size, char *cure, size_t cure_size);

#endif
