/* text: small things that people type. Pure. */
#ifndef ERA_ERACTL_TEXT_H
#define ERA_ERACTL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "500ms", "30s", "5m", "2h": whole numbers, a unit. At most a year. False otherwise, *ms untouched. */
bool era_duration_parse(const char *text, uint64_t *ms);

/* "NAME=VALUE": the name into name[size], *value after the first '='. False when
 * there is no '=', no name, or it does not fit. */
bool era_text_pair(const char *text, char *name, size_t size, const char **value);

/* 8 to 64 lowercase hex digits: the beginning of an id. */
bool era_id_prefix_valid(const char *text);

#endif
