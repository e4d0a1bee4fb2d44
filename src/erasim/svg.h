/* svg: a run as one picture: a lane a node, its era above and its gate below,
 * faults, adoptions, and the epochs as a grid. Stands alone: no script, no
 * reference to anything outside. Its size is bounded: what lies closer than the
 * eye sees is merged, and lanes beyond SVG_LANES_MAX are only counted. */
#ifndef ERA_ERASIM_SVG_H
#define ERA_ERASIM_SVG_H

#include <stdio.h>

#include "src/erasim/sim.h"

#define SVG_LANES_MAX 200
#define SVG_MARKS_MAX 400 /* a lane; and of the row for what strikes all */

struct svg;

/* Watches s from now on. title: copied, any text. Freed after s has run. */
struct svg *svg_new(struct sim *s, const char *title);
void svg_free(struct svg *v); /* NULL-safe */
void svg_write(const struct svg *v, FILE *out);

#endif
