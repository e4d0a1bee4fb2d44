#include "src/base/semver.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

struct span {
    const char *s;
    size_t n;
};

struct semver {
    struct span number[3]; /* major, minor, patch: no leading zeros */
    struct span pre;       /* n = 0: a release */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_identifier_char(char c)
{
    return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-';
}

static bool is_numeric(struct span t)
{
    for (size_t i = 0; i < t.n; i++)
        if (!is_digit(t.s[i]))
            return false;
    return t.n > 0;
}

static struct span skip(struct span t, size_t n)
{
    return (struct span){t.s + n, t.n - n};
}

/* Cut what comes before the first of the stops (or the end) off *rest. */
static struct span cut(struct span *rest, const char *stops)
{
    size_t n = 0;
    while (n < rest->n && strchr(stops, rest->s[n]) == NULL)
        n++;
    struct span head = {rest->s, n};
    *rest = skip(*rest, n);
    return head;
}

static const char *number_why(struct span t)
{
    if (!is_numeric(t))
        return "it needs three numbers, MAJOR.MINOR.PATCH";
    if (t.n > 1 && t.s[0] == '0')
        return "a number has a leading zero";
    return NULL;
}

/* Dot-separated identifiers of a pre-release or of build metadata. */
static const char *identifiers_why(struct span list, bool pre)
{
    for (;;) {
        struct span one = cut(&list, ".");
        if (one.n == 0)
            return "a part between dots, after \"-\" or after \"+\" is empty";
        for (size_t i = 0; i < one.n; i++)
            if (!is_identifier_char(one.s[i]))
                return "a character is none of 0-9 A-Z a-z . - +";
        if (pre && is_numeric(one) && one.n > 1 && one.s[0] == '0')
            return "a numeric part of the pre-release has a leading zero";
        if (list.n == 0)
            return NULL;
        list = skip(list, 1);
    }
}

static const char *parse(struct span t, struct semver *out)
{
    if (t.n == 0)
        return "it is empty";
    if (t.n > 1 && (t.s[0] == 'v' || t.s[0] == 'V') && is_digit(t.s[1]))
        return "it begins with \"v\": write 1.2.3, not v1.2.3";
    *out = (struct semver){0};
    for (int i = 0; i < 3; i++) {
        out->number[i] = cut(&t, ".-+");
        const char *why = number_why(out->number[i]);
        if (why != NULL)
            return why;
        if (i < 2) {
            if (t.n == 0 || t.s[0] != '.')
                return "it needs three numbers, MAJOR.MINOR.PATCH";
            t = skip(t, 1);
        }
    }
    if (t.n > 0 && t.s[0] == '.')
        return "it has more than three numbers";
    if (t.n > 0 && t.s[0] == '-') {
        t = skip(t, 1);
        out->pre = cut(&t, "+");
        const char *why = identifiers_why(out->pre, true);
        if (why != NULL)
            return why;
    }
    return t.n > 0 ? identifiers_why(skip(t, 1), false) : NULL;
}

static struct span span_of(const char *text)
{
    return (struct span){text, strlen(text)};
}

static int sign(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

static int compare_numbers(struct span a, struct span b)
{
    if (a.n != b.n)
        return sign(a.n, b.n);
    int c = memcmp(a.s, b.s, a.n);
    return (c > 0) - (c < 0);
}

static int compare_identifiers(struct span a, struct span b)
{
    bool a_numeric = is_numeric(a), b_numeric = is_numeric(b);
    if (a_numeric && b_numeric)
        return compare_numbers(a, b);
    if (a_numeric != b_numeric)
        return a_numeric ? -1 : 1;
    int c = memcmp(a.s, b.s, a.n < b.n ? a.n : b.n);
    return c != 0 ? (c > 0) - (c < 0) : sign(a.n, b.n);
}

static int compare_pre(struct span a, struct span b)
{
    if (a.n == 0 || b.n == 0)
        return (a.n == 0) - (b.n == 0);
    for (;;) {
        int c = compare_identifiers(cut(&a, "."), cut(&b, "."));
        if (c != 0 || a.n == 0 || b.n == 0)
            return c != 0 ? c : (a.n > 0) - (b.n > 0);
        a = skip(a, 1);
        b = skip(b, 1);
    }
}

static int compare(const struct semver *a, const struct semver *b)
{
    for (int i = 0; i < 3; i++) {
        int c = compare_numbers(a->number[i], b->number[i]);
        if (c != 0)
            return c;
    }
    return compare_pre(a->pre, b->pre);
}

const char *era_semver_why(const char *text)
{
    struct semver v;
    return parse(span_of(text), &v);
}

bool era_semver_valid(const char *text)
{
    return era_semver_why(text) == NULL;
}

int era_semver_compare(const char *a, const char *b)
{
    struct semver x, y;
    const char *x_why = parse(span_of(a), &x);
    const char *y_why = parse(span_of(b), &y);
    assert(x_why == NULL && y_why == NULL);
    return compare(&x, &y);
}

enum op { OP_ANY, OP_EQ, OP_GT, OP_GE, OP_LT, OP_LE, OP_CARET, OP_TILDE };

struct test {
    enum op op;
    struct semver v;
};

static enum op cut_op(struct span *t)
{
    static const struct {
        const char *text;
        enum op op;
    } ops[] = {{">=", OP_GE}, {"<=", OP_LE},   {"=", OP_EQ},   {">", OP_GT},
               {"<", OP_LT},  {"^", OP_CARET}, {"~", OP_TILDE}};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        size_t n = strlen(ops[i].text);
        if (t->n >= n && memcmp(t->s, ops[i].text, n) == 0) {
            *t = skip(*t, n);
            return ops[i].op;
        }
    }
    return OP_EQ;
}

static const char *test_parse(struct span t, struct test *out)
{
    if (t.n == 1 && t.s[0] == '*') {
        out->op = OP_ANY;
        return NULL;
    }
    if (t.n == 1 && t.s[0] == '-')
        return "hyphen ranges are not supported: write >=A <=B";
    out->op = cut_op(&t);
    if (t.n == 0)
        return "an operator must stand directly before its version, without a space";
    if (strchr("=<>^~!", t.s[0]) != NULL)
        return "an operator is none of = > >= < <= ^ ~";
    return parse(t, &out->v);
}

/* How many leading numbers a version inside ^v must share with v: through the first that is not zero. */
static int caret_shared(const struct semver *v)
{
    for (int i = 0; i < 2; i++)
        if (v->number[i].s[0] != '0')
            return i + 1;
    return 3;
}

/* Equal leading numbers are the upper bound of ^ and ~: no pre-release of the next step has them. */
static bool within(const struct semver *v, const struct semver *low, int shared)
{
    for (int i = 0; i < shared; i++)
        if (compare_numbers(v->number[i], low->number[i]) != 0)
            return false;
    return compare(v, low) >= 0;
}

static bool test_holds(const struct test *t, const struct semver *v)
{
    switch (t->op) {
    case OP_ANY:
        return true;
    case OP_EQ:
        return compare(v, &t->v) == 0;
    case OP_GT:
        return compare(v, &t->v) > 0;
    case OP_GE:
        return compare(v, &t->v) >= 0;
    case OP_LT:
        return compare(v, &t->v) < 0;
    case OP_LE:
        return compare(v, &t->v) <= 0;
    case OP_CARET:
        return within(v, &t->v, caret_shared(&t->v));
    case OP_TILDE:
        return within(v, &t->v, 2);
    }
    assert(false);
    return false;
}

/* Cut one alternative off *rest. v may be NULL: only the form is checked. */
static const char *alternative(struct span *rest, const struct semver *v, bool *holds)
{
    size_t tests = 0;
    *holds = true;
    for (;;) {
        while (rest->n > 0 && rest->s[0] == ' ')
            *rest = skip(*rest, 1);
        if (rest->n == 0 || rest->s[0] == '|')
            break;
        struct test t;
        const char *why = test_parse(cut(rest, " |"), &t);
        if (why != NULL)
            return why;
        if (v != NULL && !test_holds(&t, v))
            *holds = false;
        tests++;
    }
    return tests > 0 ? NULL : "an alternative is empty: write * for any version";
}

/* The whole range, so that a range with a flaw anywhere is never half used. */
static const char *range_walk(const char *range, const struct semver *v, bool *holds)
{
    struct span rest = span_of(range);
    *holds = false;
    if (rest.n == 0)
        return NULL;
    for (;;) {
        bool one;
        const char *why = alternative(&rest, v, &one);
        if (why != NULL)
            return why;
        *holds = *holds || one;
        if (rest.n == 0)
            return NULL;
        if (rest.n < 2 || rest.s[1] != '|')
            return "alternatives are joined by \"||\"";
        rest = skip(rest, 2);
    }
}

const char *era_range_why(const char *range)
{
    bool holds;
    return range_walk(range, NULL, &holds);
}

bool era_range_valid(const char *range)
{
    return era_range_why(range) == NULL;
}

bool era_range_match(const char *range, const char *version)
{
    struct semver v;
    bool holds;
    if (range[0] == '\0')
        return true;
    return parse(span_of(version), &v) == NULL && range_walk(range, &v, &holds) == NULL && holds;
}
