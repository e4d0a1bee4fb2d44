/* http_head: what the observers' port reads of a request's head. Bytes in, a plain struct out: no sockets, no
 * memory of its own. Stricter than HTTP asks where a reader's doubt has been an attack: one Host, no folded
 * lines, no blanks around a name, no NUL. */
#ifndef ERA_ERAD_HTTP_HEAD_H
#define ERA_ERAD_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#define ERA_HTTP_NAME_BYTES 256 /* a path or a host, with its NUL */

struct era_http_head {
    char method[16], path[ERA_HTTP_NAME_BYTES], host[ERA_HTTP_NAME_BYTES];
    bool http10, has_host, has_body;
};

enum era_http_head_state {
    ERA_HTTP_HEAD_PART,  /* more bytes may make it one */
    ERA_HTTP_HEAD_WHOLE, /* h is filled */
    ERA_HTTP_HEAD_LARGE, /* no end within ERA_HTTP_HEADER_BYTES_MAX */
    ERA_HTTP_HEAD_BAD,
};

/* bytes: all that came so far, NULL if len is 0; what follows the head's empty line is not looked at. h is
 * all zero unless the head is whole. */
enum era_http_head_state era_http_head_read(const char *bytes, size_t len, struct era_http_head *h);

#endif
