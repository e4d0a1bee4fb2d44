#include "src/erad/http_head.h"

#include <string.h>
#include <strings.h>

#include "proto/limits.h"

/* "GET /path?query HTTP/1.1". Too long a path is cut: no page has so long a name. */
static bool read_request_line(const char *line, struct era_http_head *h)
{
    const char *target = strchr(line, ' '), *version = strrchr(line, ' ');
    if (!target || version <= target + 1)
        return false;
    size_t method = (size_t)(target++ - line), path = strcspn(target, "? ");
    if (method == 0 || method >= sizeof h->method || target + strcspn(target, " ") != version)
        return false;
    memcpy(h->method, line, method);
    memcpy(h->path, target, path < sizeof h->path ? path : sizeof h->path - 1);
    h->http10 = strcmp(version + 1, "HTTP/1.0") == 0;
    return h->http10 || strcmp(version + 1, "HTTP/1.1") == 0;
}

static bool read_header(const char *line, struct era_http_head *h)
{
    const char *colon = strchr(line, ':');
    if (!colon || colon == line || line[0] == ' ' || line[0] == '\t' || colon[-1] == ' ' || colon[-1] == '\t')
        return false;
    const char *value = colon + 1 + strspn(colon + 1, " \t");
    size_t name = (size_t)(colon - line), len = strlen(value);
    while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
        len--;
    if (name == 4 && strncasecmp(line, "Host", 4) == 0) {
        if (h->has_host || len >= sizeof h->host)
            return false;
        h->has_host = true;
        memcpy(h->host, value, len);
    } else if (name == 14 && strncasecmp(line, "Content-Length", 14) == 0) {
        h->has_body |= strspn(value, "0") != len || len == 0;
    } else if (name == 17 && strncasecmp(line, "Transfer-Encoding", 17) == 0) {
        h->has_body = true;
    }
    return true;
}

/* The next line without its end, "\n" or "\r\n". NULL: there is no whole line, or one with a NUL in it. */
static const char *next_line(const char **bytes, const char *end, char *line)
{
    const char *newline = memchr(*bytes, '\n', (size_t)(end - *bytes));
    if (!newline)
        return NULL;
    size_t len = (size_t)(newline - *bytes);
    if (len > 0 && newline[-1] == '\r')
        len--;
    memcpy(line, *bytes, len);
    line[len] = '\0';
    *bytes = newline + 1;
    return strlen(line) == len ? line : NULL;
}

/* Just past the empty line that ends a head, or NULL. */
static const char *end_of_head(const char *bytes, size_t len)
{
    const char *end = bytes + len;
    for (const char *at = bytes; (at = memchr(at, '\n', (size_t)(end - at)));) {
        at++;
        if (at < end && at[0] == '\n')
            return at + 1;
        if (end - at >= 2 && at[0] == '\r' && at[1] == '\n')
            return at + 2;
    }
    return NULL;
}

static bool read_lines(const char *bytes, const char *end, struct era_http_head *h)
{
    char buffer[ERA_HTTP_HEADER_BYTES_MAX + 1];
    const char *line = next_line(&bytes, end, buffer);
    if (!line || !read_request_line(line, h))
        return false;
    while ((line = next_line(&bytes, end, buffer)) && line[0])
        if (!read_header(line, h))
            return false;
    return line;
}

enum era_http_head_state era_http_head_read(const char *bytes, size_t len, struct era_http_head *h)
{
    *h = (struct era_http_head){0};
    if (len == 0)
        return ERA_HTTP_HEAD_PART;
    if (len > ERA_HTTP_HEADER_BYTES_MAX)
        len = ERA_HTTP_HEADER_BYTES_MAX;
    const char *end = end_of_head(bytes, len);
    if (!end)
        return len == ERA_HTTP_HEADER_BYTES_MAX ? ERA_HTTP_HEAD_LARGE : ERA_HTTP_HEAD_PART;
    if (read_lines(bytes, end, h))
        return ERA_HTTP_HEAD_WHOLE;
    *h = (struct era_http_head){0};
    return ERA_HTTP_HEAD_BAD;
}
