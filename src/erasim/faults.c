#include "src/erasim/faults.h"

#include <assert.h>
#include <string.h>

struct kind {
    const char *name, *text;
};

static const struct kind kinds[] = {
#define X(id, name, text) {name, text},
    SIM_FAULTS(X)
#undef X
};

const char *sim_fault_name(enum sim_fault f)
{
    assert(f < SIM_FAULT_KINDS);
    return kinds[f].name;
}

const char *sim_fault_text(enum sim_fault f)
{
    assert(f < SIM_FAULT_KINDS);
    return kinds[f].text;
}

static bool word_is(const char *word, size_t len, const char *name)
{
    return strlen(name) == len && memcmp(word, name, len) == 0;
}

/* The set that a word without its sign names. False: it names none. */
static bool word_set(const char *word, size_t len, sim_faults_t *set)
{
    if (word_is(word, len, "all")) {
        *set = SIM_FAULTS_ALL;
        return true;
    }
    if (word_is(word, len, "none")) {
        *set = 0;
        return true;
    }
    for (size_t i = 0; i < SIM_FAULT_KINDS; i++)
        if (word_is(word, len, kinds[i].name)) {
            *set = (sim_faults_t)1 << i;
            return true;
        }
    return false;
}

bool sim_faults_parse(const char *list, sim_faults_t *out, const char **word, size_t *word_len)
{
    sim_faults_t faults = 0;
    for (const char *at = list;; at++) {
        size_t len = strcspn(at, ",");
        bool less = len > 0 && *at == '-';
        sim_faults_t set;
        if (!word_set(at + less, len - less, &set)) {
            *word = at;
            *word_len = len;
            return false;
        }
        faults = less ? faults & ~set : faults | set;
        at += len;
        if (*at == '\0')
            break;
    }
    *out = faults;
    return true;
}
