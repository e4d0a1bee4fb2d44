#include "src/erasim/svg_draw.h"

#define ONE 1000000 /* of a sine */

void svg_escape(FILE *out, const char *text)
{
    for (const char *c = text; *c; c++)
        switch (*c) {
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '&':
            fputs("&amp;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        default:
            fputc((unsigned char)*c < 0x20 ? ' ' : *c, out);
        }
}

void svg_tenths(FILE *out, int64_t tenths)
{
    int64_t size = tenths < 0 ? -tenths : tenths;
    fprintf(out, "%s%lld.%lld", tenths < 0 ? "-" : "", (long long)(size / 10), (long long)(size % 10));
}

void svg_point(FILE *out, struct svg_point p)
{
    fputc(' ', out);
    svg_tenths(out, p.x);
    fputc(' ', out);
    svg_tenths(out, p.y);
}

/* sin of a quarter's part, 0 … SVG_TURN / 4: x (1.570627 - 0.643229 x^2 + 0.072710 x^4), right to 1e-4. */
static int64_t sine_of_quarter(int64_t angle)
{
    int64_t x = angle * ONE / (SVG_TURN / 4), square = x * x / ONE;
    int64_t sum = 1570627 - 643229 * square / ONE + 72710 * (square * square / ONE) / ONE;
    return x * sum / ONE;
}

static int64_t sine(int64_t angle)
{
    int64_t at = (angle % SVG_TURN + SVG_TURN) % SVG_TURN, half = at % (SVG_TURN / 2);
    int64_t quarter = half > SVG_TURN / 4 ? SVG_TURN / 2 - half : half;
    return at < SVG_TURN / 2 ? sine_of_quarter(quarter) : -sine_of_quarter(quarter);
}

struct svg_point svg_polar(struct svg_point middle, int64_t angle, int64_t radius)
{
    return (struct svg_point){middle.x + radius * sine(angle) / ONE,
                              middle.y - radius * sine(angle + SVG_TURN / 4) / ONE};
}
