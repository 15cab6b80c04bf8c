/* export.c - a drawing as a file of its own: literal SVG, and panels with letters. */
#include "draw/export.h"

#include "draw/draw.h"
#include "draw/page.h"
#include "draw/walk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- literal SVG ------------------------------------------------------------------------ */

static void colour_attribute(text *t, const char *name, const char *value)
{
    if (!strcmp(value, "hatch")) text_print(t, " %s=\"url(#hatch)\"", name);
    else text_print(t, " %s=\"%s\"", name, value);
}

static void painted(text *t, const element *e, int style)
{
    const looks k = walk_looks(e, style);
    colour_attribute(t, "fill", k.fill ? k.fill : k.own_fill);
    if (k.fill_opacity < 1) text_print(t, " fill-opacity=\"%g\"", k.fill_opacity);
    if (strcmp(k.stroke, "none")) {
        text_print(t, " stroke=\"%s\" stroke-width=\"%g\"", k.stroke, k.width);
        if (k.stroke_opacity < 1) text_print(t, " stroke-opacity=\"%g\"", k.stroke_opacity);
        if (k.dash) text_print(t, " stroke-dasharray=\"%s\"", k.dash);
        if (k.round) text_add(t, " stroke-linejoin=\"round\"");
    }
    if (!walk_is(e, "text")) return;
    text_print(t,
               " font-family=\"Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif\" "
               "font-size=\"%g\"",
               k.size);
    if (k.weight > 400) text_add(t, " font-weight=\"bold\"");
    if (k.halo) text_add(t, " paint-order=\"stroke\"");
}

static bool is_shape(const element *e)
{
    static const char *const name[] = {"rect", "line", "circle", "path", "text"};
    for (size_t i = 0; i < sizeof name / sizeof name[0]; i++)
        if (walk_is(e, name[i])) return true;
    return false;
}

static bool is_replaced(piece key)
{
    return piece_is(key, "class") || piece_is(key, "fill") || piece_is(key, "stroke-opacity");
}

static void element_svg(text *t, const element *e, int style)
{
    text_add(t, e->is_end ? "</" : "<");
    text_add_bytes(t, e->name.at, e->name.n);
    if (walk_is(e, "svg") && !e->is_end) {
        double size[2];
        export_size(e->name.at - 1, size);
        text_print(t,
                   " xmlns=\"http://www.w3.org/2000/svg\" "
                   "xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\"%g\" height=\"%g\"",
                   size[0], size[1]);
    }
    for (size_t i = 0; i < e->count; i++) {
        if (is_replaced(e->key[i])) continue;
        text_print(t, " %.*s=\"", (int)e->key[i].n, e->key[i].at);
        text_add_bytes(t, e->value[i].at, e->value[i].n);
        text_add(t, "\"");
    }
    if (is_shape(e) && !e->is_end) painted(t, e, style);
    if (walk_is(e, "g") && piece_is(walk_value(e, "class"), "cells"))
        text_add(t, " shape-rendering=\"crispEdges\"");
    if (walk_is(e, "image")) text_add(t, " style=\"image-rendering:pixelated\"");
    text_add(t, e->closes ? "/>" : ">");
    text_add_bytes(t, e->words.at, e->words.n);
}

void export_svg(text *to, const char *svg)
{
    int style[WALK_DEPTH] = {-1}, depth = 0;
    element e;
    bool headed = false;
    text_add(to, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    while (walk_next(&svg, &e)) {
        if (walk_is(&e, "g") && e.is_end && depth) depth--;
        element_svg(to, &e, style[depth]);
        if (walk_is(&e, "g") && !e.is_end && depth + 1 < WALK_DEPTH) {
            const int own = walk_style(&e);
            style[depth + 1] = own >= 0 ? own : style[depth];
            depth++;
        }
        if (!walk_is(&e, "desc") || !e.is_end || headed) continue;
        headed = true; /* behind what the drawing is called */
        text_add(to, report_figure_defs);
        text_add(to, "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n");
    }
}

/* ---- panels with letters ---------------------------------------------------------------- */

void export_size(const char *svg, double size[2])
{
    const char *box = strstr(svg, "viewBox=\"0 0 ");
    char *end = NULL;
    size[0] = size[1] = 0;
    if (!box) return;
    size[0] = strtod(box + 13, &end);
    size[1] = strtod(end, NULL);
}

enum { LETTER_ROOM = 22, PANEL_GAP = 18 };

/* A drawing without its own <svg>, title and description. */
static piece inside(const text *svg)
{
    const char *from = strstr(svg->at, "</desc>"), *to = from;
    for (const char *s = from; s && (s = strstr(s, "</svg>")) != NULL; s++) to = s;
    return from ? (piece){from + 7, (size_t)(to - from - 7)} : (piece){"", 0};
}

void export_panels(text *to, const text *svg, size_t count, size_t columns, const char *title)
{
    double *row = tool_alloc(count + 1, sizeof *row), wide = 0, size[2], y = PANEL_GAP;
    for (size_t i = 0; i < count; i++) {
        export_size(svg[i].at, size);
        wide = fmax(wide, size[0]);
        row[i / columns] = fmax(i % columns ? row[i / columns] : 0, size[1]);
    }
    double height = PANEL_GAP;
    for (size_t k = 0; k * columns < count; k++) height += row[k] + LETTER_ROOM + PANEL_GAP;
    svg_begin(to, "result", (double)columns * (wide + PANEL_GAP) + PANEL_GAP, height, title,
              "The figures of the result as panels with letters; each stands beside this file, "
              "with its data.");
    for (size_t i = 0; i < count; i++) {
        const double x = PANEL_GAP + (double)(i % columns) * (wide + PANEL_GAP);
        const char letter[2] = {(char)('a' + i % 26), '\0'};
        const piece p = inside(&svg[i]);
        svg_words(to, "letter", x, y + 14, "start", letter);
        text_print(to, "<g transform=\"translate(%g %g)\">", x, y + LETTER_ROOM);
        text_add_bytes(to, p.at, p.n);
        text_add(to, "</g>\n");
        if ((i + 1) % columns == 0) y += row[i / columns] + LETTER_ROOM + PANEL_GAP;
    }
    svg_end(to);
    free(row);
}
