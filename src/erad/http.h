/* http: the observers' port: GET and HEAD only, loopback by default, with
 * bounds on header bytes, on the whole life of a connection and on the number
 * of connections, no bodies, and a check of Host. CONTRIBUTING.md says why
 * not evhttp. */
#ifndef ERA_ERAD_HTTP_H
#define ERA_ERAD_HTTP_H

#include <event2/event.h>

#include "src/erad/report.h"
#include "src/host/error.h"

struct era_http;

/* address "HOST:PORT" (port 0: any). node and fill are borrowed for the server's life; fill sets info anew
 * for each request. NULL with err filled when it cannot listen. */
struct era_http *era_http_new(struct event_base *base, const char *address, const struct era_node *node,
                              void (*fill)(void *ctx, struct era_report_info *info), void *ctx,
                              struct era_error *err);
/* Another limit than ERA_HTTP_DEADLINE_MS, for tests. */
void era_http_set_deadline_ms(struct era_http *h, uint64_t deadline_ms);
/* "127.0.0.1:7712" as bound. Borrowed. */
const char *era_http_bound(const struct era_http *h);
void era_http_free(struct era_http *h); /* NULL-safe */

#endif
