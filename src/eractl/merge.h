/* merge: records and how one follows another: inheriting, being added again,
 * undoing. Pure. False from change and follow: a list of the record is full. */
#ifndef ERA_ERACTL_MERGE_H
#define ERA_ERACTL_MERGE_H

#include "src/eractl/draft.h"

/* The record of a new entry: what was said, over what was announced (source,
 * NULL: nothing), over the entry before it. Artefacts and links describe one
 * version's bytes: they are inherited for the same version only. */
bool era_merge_change(const struct era_record *before, const struct era_record *source, enum era_class class,
                      const struct era_change *change, struct era_record *out);

/* May a record of this class stand after `before`, as far as eras go? */
bool era_merge_fits(const struct era_record *before, enum era_class class, const struct era_record *r);

/* Let r, which followed `was`, follow `before`: era and name, and whatever it
 * had only inherited from `was`. */
bool era_merge_follow(const struct era_record *was, const struct era_record *before, enum era_class class,
                      struct era_record *r);

/* Does `later` hold again what `from` held and `to` changed? what names the first such flag or range. */
bool era_merge_undoes(const struct era_record *from, const struct era_record *to,
                      const struct era_record *later, char *what, size_t size);

#endif
