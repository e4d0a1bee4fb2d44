/* svg_draw: what pictures are drawn with. Coordinates are tenths of a pixel and angles parts of a turn, both
 * whole numbers: a picture is the same to the byte whatever the machine's floating point. */
#ifndef ERA_ERASIM_SVG_DRAW_H
#define ERA_ERASIM_SVG_DRAW_H

#include <stdint.h>
#include <stdio.h>

#define SVG_TURN 65536 /* a whole turn; 0 is at twelve o'clock, and it goes as clocks do */

struct svg_point {
    int64_t x, y; /* tenths of a pixel */
};

/* A text's characters, as XML wants them. */
void svg_escape(FILE *out, const char *text);
/* "12.3" for 123. */
void svg_tenths(FILE *out, int64_t tenths);
/* So far from the middle (tenths) in that direction. */
struct svg_point svg_polar(struct svg_point middle, int64_t angle, int64_t radius);
/* " 12.3 45.6" */
void svg_point(FILE *out, struct svg_point p);

#endif
