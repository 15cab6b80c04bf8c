/* export.h - a drawing of ours (svg.c) for other programs: as SVG whose colours are literal
   attributes (no style sheet: Inkscape, rsvg, CairoSVG and word processors differ in what they know
   of CSS), as vector PDF with the standard fonts, and several drawings as one with letters. */
#ifndef SYNERGY_EXPORT_H
#define SYNERGY_EXPORT_H

#include "base/tool.h"

void export_svg(text *to, const char *svg);
void export_pdf(text *to, const char *svg);
/* Drawings side by side in `columns` columns, with the letters a, b, c ...: a drawing as svg.c
   makes them. */
void export_panels(text *to, const text *svg, size_t count, size_t columns, const char *title);
/* Width and height of a drawing. */
void export_size(const char *svg, double size[2]);

#endif
