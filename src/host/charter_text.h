/* charter_text: a charter as people write it (libconfig syntax,
 * erad-charter(5)) <-> struct era_charter. What is read here has the right
 * form; whether it makes sense is core/charter's (era_charter_check).
 * Invariant: text -> struct -> text -> struct gives the same bytes, hence the same hash. */
#ifndef ERA_HOST_CHARTER_TEXT_H
#define ERA_HOST_CHARTER_TEXT_H

#include "proto/charter.h"
#include "src/host/error.h"
#include "src/host/settings.h"

/* 5,000 validators and 32 components of 64 signers, each line at its longest, take about 3 MB. */
#define ERA_CHARTER_TEXT_BYTES_MAX ((size_t)4 << 20)

/* The schema; its names are those of erad-charter(5). */
extern const struct era_setting_rule era_charter_rules[];

/* Read a text into canonical order, sealed. file: for err's where.
 * out   owned by the caller (era_charter_clear); untouched on failure. */
bool era_charter_from_text(const char *file, const char *text, size_t len, struct era_charter *out,
                           struct era_error *err);

/* The text of a charter, malloc'd (caller frees). */
char *era_charter_to_text(const struct era_charter *c);

/* Read a file that holds either form: a text, or the canonical bytes (charter.bin). */
bool era_charter_load(const char *path, struct era_charter *out, struct era_error *err);

#endif
