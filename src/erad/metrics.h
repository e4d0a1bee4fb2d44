/* metrics: the node in Prometheus' text form (exposition 0.0.4), clean under
 * `promtool check metrics`. One pass over what the node keeps anyway. */
#ifndef ERA_ERAD_METRICS_H
#define ERA_ERAD_METRICS_H

#include "src/erad/report.h"

/* The whole page, malloc'd (caller frees), NUL-terminated; *len without the NUL. */
char *era_metrics_text(const struct era_node *n, const struct era_report_info *info, size_t *len);

#endif
