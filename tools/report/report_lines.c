/* report_lines.c - a chart of lines. Each has its own colour and dash, a band where it has one, and
   its name at its end, so that no legend has to be looked up. */
#include "report/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL_ROOM = 96, LABEL_STEP = 13, KEY_ROOM = 18, MOST_LINES = 16, MOST_POINTS = 60 };

/* ---- axes ------------------------------------------------------------------------------- */

/* Where x stands along the axis: powers of two of steps stand evenly, and step 0 has a place. */
static double place_of(const chart *c, double x)
{
    return c->how & CHART_STEPS ? log2(1 + x) : x;
}

static void axis_range(const chart *c, plot *p)
{
    double low = (double)NAN, high = (double)NAN;
    p->x0 = p->x1 = (double)NAN;
    for (size_t k = 0; k < c->count; k++) {
        const curve *v = &c->lines[k].at;
        for (size_t i = 0; i < v->n; i++) { /* fmin and fmax leave NaN aside */
            p->x0 = fmin(p->x0, place_of(c, v->x[i]));
            p->x1 = fmax(p->x1, place_of(c, v->x[i]));
            low = fmin(low, fmin(v->y[i], v->low[i]));
            high = fmax(high, fmax(v->y[i], v->high[i]));
        }
    }
    if (c->y0 < c->y1) {
        low = fmin(low, c->y0);
        high = fmax(high, c->y1);
    }
    if (!isfinite(low)) low = high = 0;
    double room = high > low ? 0.04 * (high - low) : 0.5;
    p->y1 = high + room;
    p->y0 = low >= 0 && low < 0.3 * high ? 0 : low - room;
    if (!isfinite(p->x0)) p->x0 = p->x1 = 0;
    if (!(p->x1 > p->x0)) p->x1 = p->x0 + 1;
}

static double times_x(const chart *c)
{
    return c->how & CHART_PERCENT_X ? 100 : 1;
}

static double times_y(const chart *c)
{
    return c->how & CHART_PERCENT_Y ? 100 : 1;
}

/* Of steps: 0 and the decades. */
static void axis_steps(const chart *c, const plot *p)
{
    plot_label_x(p, c->x_label);
    for (double v = 0; place_of(c, v) <= p->x1; v = v > 0 ? 10 * v : 1)
        if (place_of(c, v) >= p->x0) plot_tick_x(p, place_of(c, v), v);
}

static void axis_x(const chart *c, const plot *p)
{
    plot shown = *p;
    shown.x0 *= times_x(c);
    shown.x1 *= times_x(c);
    ticks x = ticks_linear(shown.x0, shown.x1, 6);
    if (c->how & CHART_STEPS) axis_steps(c, p);
    else plot_axis_x(&shown, &x, c->x_label);
}

static void axis_y(const chart *c, const plot *p)
{
    plot shown = *p;
    shown.y0 *= times_y(c);
    shown.y1 *= times_y(c);
    ticks y = ticks_linear(shown.y0, shown.y1, 6);
    plot_axis_y(&shown, &y, c->y_label);
}

/* ---- one line --------------------------------------------------------------------------- */

static bool has_area(const curve *v)
{
    size_t ends = 0;
    for (size_t i = 0; i < v->n; i++) ends += isfinite(v->low[i]) && isfinite(v->high[i]) ? 1 : 0;
    return ends >= 2;
}

static void draw_area(const chart *c, const plot *p, const curve *v)
{
    if (!has_area(v)) return;
    text_add(p->to, "<path class=\"area\" d=\"");
    for (size_t k = 0, pen = 0; k < 2 * v->n; k++) {
        size_t i = k < v->n ? k : 2 * v->n - 1 - k;
        if (!isfinite(v->low[i]) || !isfinite(v->high[i])) continue;
        text_add(p->to, pen++ ? "L" : "M");
        svg_coordinate(p->to, plot_x(p, place_of(c, v->x[i])));
        text_add(p->to, " ");
        svg_coordinate(p->to, plot_y(p, k < v->n ? v->high[i] : v->low[i]));
    }
    text_add(p->to, "Z\"/>");
}

static void draw_path(const chart *c, const plot *p, const curve *v)
{
    bool pen = false;
    text_add(p->to, "<path class=\"line\" d=\"");
    for (size_t i = 0; i < v->n; i++) {
        if (isfinite(v->y[i])) {
            text_add(p->to, pen ? "L" : "M");
            svg_coordinate(p->to, plot_x(p, place_of(c, v->x[i])));
            text_add(p->to, " ");
            svg_coordinate(p->to, plot_y(p, v->y[i]));
        }
        pen = isfinite(v->y[i]);
    }
    text_add(p->to, "\"/>");
}

static void draw_dots(const chart *c, const plot *p, const line *l)
{
    const curve *v = &l->at;
    for (size_t i = 0; i < v->n && v->n <= MOST_POINTS; i++) {
        if (!isfinite(v->y[i])) continue;
        text_add(p->to, "<circle class=\"end\" cx=\"");
        svg_coordinate(p->to, plot_x(p, place_of(c, v->x[i])));
        text_add(p->to, "\" cy=\"");
        svg_coordinate(p->to, plot_y(p, v->y[i]));
        text_add(p->to, "\" r=\"2.2\"><title>");
        xml_text(p->to, l->name);
        const double y = times_y(c);
        text_print(p->to, ", %.3g%s: %.4g", times_x(c) * v->x[i],
                   c->how & CHART_PERCENT_X ? " %" : "", y * v->y[i]);
        if (isfinite(v->low[i]))
            text_print(p->to, " (%.4g to %.4g)", y * v->low[i], y * v->high[i]);
        if (c->how & CHART_PERCENT_Y) text_add(p->to, " %");
        text_add(p->to, "</title></circle>");
    }
}

/* ---- names at the ends ------------------------------------------------------------------ */

typedef struct end {
    const line *of;
    double x, from, y;
} end;

static int by_height(const void *a, const void *b)
{
    double x = ((const end *)a)->from, y = ((const end *)b)->from;
    return x < y ? -1 : x > y;
}

/* Names that would touch are pushed down, and all of them up again where the room ends. */
static void spread(end *e, size_t n, double top, double bottom)
{
    for (size_t k = 0; k < n; k++) e[k].y = fmax(k ? e[k - 1].y + LABEL_STEP : top, e[k].from);
    for (size_t k = n; k-- > 0;)
        e[k].y = fmin(e[k].y, k + 1 < n ? e[k + 1].y - LABEL_STEP : bottom);
}

static void draw_names(const chart *c, const plot *p)
{
    end e[MOST_LINES];
    size_t n = 0;
    double right = p->left + p->width;
    for (size_t k = 0; k < c->count && n < MOST_LINES; k++) {
        const curve *v = &c->lines[k].at;
        size_t last = v->n;
        while (last > 0 && !isfinite(v->y[last - 1])) last--;
        if (!last) continue;
        e[n].of = &c->lines[k];
        e[n].x = plot_x(p, place_of(c, v->x[last - 1]));
        e[n++].from = plot_y(p, v->y[last - 1]);
    }
    qsort(e, n, sizeof *e, by_height);
    spread(e, n, p->top, p->top + p->height);
    for (size_t k = 0; k < n; k++) {
        text_print(p->to, "<g class=\"s%d\">", e[k].of->style % LINE_STYLES);
        svg_line(p->to, "leader", e[k].x + 3, e[k].from, right + 12, e[k].y);
        svg_words(p->to, "key end", right + 15, e[k].y + 4, "start", e[k].of->name);
        text_add(p->to, "</g>\n");
    }
}

/* ---- the chart -------------------------------------------------------------------------- */

static void lines_data(const chart *c, figure *f)
{
    figure_data(f, "figures/.csv");
    for (size_t k = 0; k < c->count; k++) {
        const curve *v = &c->lines[k].at;
        for (size_t i = 0; i < v->n; i++) {
            table_text(&f->data, "line", c->lines[k].name);
            table_number(&f->data, "x", v->x[i]);
            table_number(&f->data, "y", v->y[i]);
            table_number(&f->data, "low", v->low[i]);
            table_number(&f->data, "high", v->high[i]);
            table_end_row(&f->data);
        }
    }
}

/* What the bands are, beside one. */
static void draw_key(const chart *c, const plot *p)
{
    text_add(p->to, "<g class=\"s12\">");
    svg_box(p->to, "area", p->left, 26, 18, 10);
    text_add(p->to, "</g>");
    svg_words(p->to, "key", p->left + 23, 35, "start",
              c->how & CHART_RANGES  ? "range of several draws or runs"
              : c->how & CHART_DRAWS ? "95 % interval; of several draws or runs, their range"
                                     : "95 % interval");
}

void figure_lines(const chart *c, figure *f)
{
    plot p = {&f->svg, 54, 30, PANEL - 54 - LABEL_ROOM - 14, 210, 0, 1, 0, 1, false, false};
    bool bands = false;
    for (size_t k = 0; k < c->count; k++) bands = bands || has_area(&c->lines[k].at);
    if (bands) p.top += KEY_ROOM;
    axis_range(c, &p);
    svg_begin(&f->svg, c->id, PANEL, p.top + p.height + 46, c->title, c->desc);
    svg_words(&f->svg, "head", p.left, 14, "start", c->title);
    if (bands) draw_key(c, &p);
    axis_y(c, &p);
    for (int pass = 0; pass < 2; pass++) /* all bands lie below all lines */
        for (size_t k = 0; k < c->count; k++) {
            text_print(&f->svg, "<g class=\"s%d\">", c->lines[k].style % LINE_STYLES);
            if (pass == 0) draw_area(c, &p, &c->lines[k].at);
            else draw_path(c, &p, &c->lines[k].at);
            if (pass == 1 && c->lines[k].points) draw_dots(c, &p, &c->lines[k]);
            text_add(&f->svg, "</g>\n");
        }
    plot_frame(&p);
    axis_x(c, &p);
    draw_names(c, &p);
    svg_end(&f->svg);
    lines_data(c, f);
}

void report_chart(page *p, const chart *c, line *l, bool whole)
{
    chart drawn = *c;
    figure f = {0};
    drawn.lines = l;
    figure_lines(&drawn, &f);
    if (whole) page_panel_of_whole(p, c->id, &f);
    else page_panel(p, c->id, &f);
    for (size_t k = 0; k < c->count; k++) curve_free(&l[k].at);
}
