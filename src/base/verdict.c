#include "src/base/verdict.h"

#include <assert.h>

static const struct {
    const char *code, *text, *cure;
    int penalty, status;
} rows[] = {
#define X(name, code, text, cure, penalty, status) {code, text, cure, penalty, status},
    ERA_VERDICTS(X)
#undef X
};

const char *era_verdict_code(enum era_verdict v)
{
    assert(v < ERA_VERDICT_COUNT);
    return rows[v].code;
}

const char *era_verdict_text(enum era_verdict v)
{
    assert(v < ERA_VERDICT_COUNT);
    return rows[v].text;
}

const char *era_verdict_cure(enum era_verdict v)
{
    assert(v < ERA_VERDICT_COUNT);
    return rows[v].cure;
}

int era_verdict_penalty(enum era_verdict v)
{
    assert(v < ERA_VERDICT_COUNT);
    return rows[v].penalty;
}

int era_verdict_exit(enum era_verdict v)
{
    assert(v < ERA_VERDICT_COUNT);
    return rows[v].status;
}
