/* style.h - the palette and the looks of the elements of drawings. */
#ifndef SYNERGY_STYLE_H
#define SYNERGY_STYLE_H

#include "base/tool.h"

/* A colour by name: on a light screen, on a dark one, on paper. */
typedef struct paint {
    const char *name, *light, *dark, *print;
} paint;
extern const paint palette_list[];

/* What a class means. Colours are names of the palette, "s" (that of the group), "none", "hatch" or
   NULL: as the element itself says. */
typedef struct look {
    const char *name, *fill, *stroke;
    double width;
    const char *dash;
    double fill_opacity, stroke_opacity;
    double size; /* of writing, px; 0: none */
    int weight;
} look;
const look *look_find(const char *class_name, size_t n);
const char *paint_light(const char *name); /* "#c2571a"; what is no name comes back */
const char *line_style_paint(int style);   /* of class "s3" */
const char *line_style_dash(int style);    /* NULL: none */

#endif
