#include "src/eractl/merge.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- lists ascending by name ---- */

static const struct era_flag *find_flag(const struct era_record *r, const char *name)
{
    for (size_t i = 0; i < r->flag_count; i++)
        if (strcmp(r->flags[i].name, name) == 0)
            return &r->flags[i];
    return NULL;
}

static const struct era_dependency *find_dependency(const struct era_record *r, const char *name)
{
    for (size_t i = 0; i < r->dependency_count; i++)
        if (strcmp(r->dependencies[i].name, name) == 0)
            return &r->dependencies[i];
    return NULL;
}

/* Put one element where its name (its first member) belongs, over one of that name. False: the list is full.
 */
static bool put(void *list, size_t *count, size_t max, size_t size, const void *element)
{
    char *items = list;
    size_t at = 0;
    while (at < *count && strcmp(items + at * size, element) < 0)
        at++;
    if (at == *count || strcmp(items + at * size, element) != 0) {
        if (*count == max)
            return false;
        memmove(items + (at + 1) * size, items + at * size, (*count - at) * size);
        (*count)++;
    }
    memcpy(items + at * size, element, size);
    return true;
}

static bool put_flag(struct era_record *r, const struct era_flag *f)
{
    return put(r->flags, &r->flag_count, ERA_FLAGS_MAX, sizeof *f, f);
}

static bool put_dependency(struct era_record *r, const struct era_dependency *d)
{
    return put(r->dependencies, &r->dependency_count, ERA_DEPENDENCIES_MAX, sizeof *d, d);
}

static bool put_artefact(struct era_record *r, const struct era_artefact *a)
{
    struct era_artefact whole = *a;
    for (size_t i = 0; i < r->artefact_count && (!*a->digest || !*a->link); i++)
        if (strcmp(r->artefacts[i].name, a->name) == 0) {
            if (!*a->digest)
                memcpy(whole.digest, r->artefacts[i].digest, sizeof whole.digest);
            if (!*a->link && strcmp(whole.digest, r->artefacts[i].digest) == 0)
                memcpy(whole.link, r->artefacts[i].link, sizeof whole.link);
        }
    return put(r->artefacts, &r->artefact_count, ERA_ARTEFACTS_MAX, sizeof whole, &whole);
}

/* ---- a new record ---- */

static void set_text(char *field, size_t size, const char *said)
{
    if (said)
        era_text_set(field, size, said);
}

static void set_era(const struct era_record *before, enum era_class class, const char *name,
                    struct era_record *r)
{
    /* An override that names an era begins it; else it stays in the one before it. */
    bool next = class == ERA_CLASS_BREAKING || (class == ERA_CLASS_OVERRIDE && name);
    r->era = before->era + next;
    if (!next)
        memcpy(r->era_name, before->era_name, sizeof r->era_name);
    else if (name)
        era_text_set(r->era_name, sizeof r->era_name, name);
    else
        snprintf(r->era_name, sizeof r->era_name, "era-%" PRIu64, r->era);
}

bool era_merge_change(const struct era_record *before, const struct era_record *source, enum era_class class,
                      const struct era_change *change, struct era_record *out)
{
    const char *era_name = change->era_name;
    *out = source ? *source : *before;
    if (!era_name && source && source->era != before->era)
        era_name = source->era_name;
    if (!source && change->version && strcmp(change->version, before->version) != 0) {
        out->artefact_count = 0;
        memset(out->artefacts, 0, sizeof out->artefacts);
        memset(out->source_digest, 0, sizeof out->source_digest);
        memset(out->link, 0, sizeof out->link);
    }
    set_text(out->version, sizeof out->version, change->version);
    set_text(out->link, sizeof out->link, change->link);
    set_text(out->source_digest, sizeof out->source_digest, change->source_digest);
    for (int k = 0; k < ERA_VERSION_KINDS; k++)
        set_text(out->requires.v[k], sizeof out->requires.v[k], change->requires[k]);
    bool room = true;
    for (size_t i = 0; i < change->flag_count; i++)
        room = put_flag(out, &change->flags[i]) && room;
    for (size_t i = 0; i < change->dependency_count; i++)
        room = put_dependency(out, &change->dependencies[i]) && room;
    for (size_t i = 0; i < change->artefact_count; i++)
        room = put_artefact(out, &change->artefacts[i]) && room;
    set_era(before, class, era_name, out);
    return room;
}

/* ---- following ---- */

static bool ranges_equal(const struct era_ranges *a, const struct era_ranges *b)
{
    for (int k = 0; k < ERA_VERSION_KINDS; k++)
        if (strcmp(a->v[k], b->v[k]) != 0)
            return false;
    return true;
}

bool era_merge_fits(const struct era_record *before, enum era_class class, const struct era_record *r)
{
    switch (class) {
    case ERA_CLASS_SOFT:
        return r->era == before->era && strcmp(r->era_name, before->era_name) == 0 &&
               ranges_equal(&r->requires, &before->requires);
    case ERA_CLASS_BREAKING:
        return r->era == before->era + 1;
    case ERA_CLASS_OVERRIDE:
        break;
    }
    return r->era == before->era || r->era == before->era + 1;
}

static bool follow_flags(const struct era_record *was, const struct era_record *before, struct era_record *r)
{
    for (size_t i = 0; i < before->flag_count; i++) {
        const struct era_flag *f = &before->flags[i], *own = find_flag(r, f->name),
                              *old = find_flag(was, f->name);
        if ((own ? old && own->on == old->on : !old) && !put_flag(r, f))
            return false;
    }
    return true;
}

static bool follow_dependencies(const struct era_record *was, const struct era_record *before,
                                struct era_record *r)
{
    for (size_t i = 0; i < before->dependency_count; i++) {
        const struct era_dependency *d = &before->dependencies[i];
        const struct era_dependency *own = find_dependency(r, d->name), *old = find_dependency(was, d->name);
        bool inherited =
            own ? old && strcmp(own->range, old->range) == 0 && strcmp(own->since, old->since) == 0 : !old;
        if (inherited && !put_dependency(r, d))
            return false;
    }
    return true;
}

bool era_merge_follow(const struct era_record *was, const struct era_record *before, enum era_class class,
                      struct era_record *r)
{
    char usual[ERA_NAME_BYTES_MAX + 1], name[ERA_NAME_BYTES_MAX + 1];
    bool next = r->era != was->era;
    for (int k = 0; k < ERA_VERSION_KINDS; k++)
        if (class == ERA_CLASS_SOFT || strcmp(r->requires.v[k], was->requires.v[k]) == 0)
            memcpy(r->requires.v[k], before->requires.v[k], sizeof r->requires.v[k]);
    /* "era-3" is a number, not a name that somebody chose. */
    snprintf(usual, sizeof usual, "era-%" PRIu64, r->era);
    bool named = next && strcmp(r->era_name, usual) != 0;
    memcpy(name, r->era_name, sizeof name);
    set_era(before, next ? ERA_CLASS_BREAKING : ERA_CLASS_SOFT, named ? name : NULL, r);
    return follow_flags(was, before, r) && follow_dependencies(was, before, r);
}

/* ---- undoing ---- */

bool era_merge_undoes(const struct era_record *from, const struct era_record *to,
                      const struct era_record *later, char *what, size_t size)
{
    for (size_t i = 0; i < to->flag_count; i++) {
        const struct era_flag *f = &to->flags[i], *old = find_flag(from, f->name),
                              *now = find_flag(later, f->name);
        bool was_on = old && old->on;
        if (f->on == was_on || (now && now->on == f->on))
            continue;
        snprintf(what, size, "flag %s goes back to %s", f->name, f->on ? "off" : "on");
        return true;
    }
    for (int k = 0; k < ERA_VERSION_KINDS; k++)
        if (strcmp(to->requires.v[k], from->requires.v[k]) != 0 &&
            strcmp(later->requires.v[k], from->requires.v[k]) == 0) {
            snprintf(what, size, "the range of %s goes back", era_version_kind_names[k]);
            return true;
        }
    return false;
}
