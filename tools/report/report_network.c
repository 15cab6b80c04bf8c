/* report_network.c - the strongest edges of a network, its units on a ring. */
#include "report/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_EDGES = 300, EDGE_ROOM = 4 * MOST_EDGES };

typedef struct edge {
    double weight;
    size_t a, b;
} edge;
typedef struct edges {
    edge at[EDGE_ROOM];
    size_t count, wanted;
} edges;

/* ---- which edges ------------------------------------------------------------------------ */

static int by_weight_down(const void *x, const void *y)
{
    const edge *a = x, *b = y;
    if (a->weight != b->weight) return a->weight > b->weight ? -1 : 1;
    if (a->a != b->a) return a->a < b->a ? -1 : 1;
    return a->b < b->b ? -1 : a->b > b->b;
}

static void keep_strongest(edges *e)
{
    qsort(e->at, e->count, sizeof *e->at, by_weight_down);
    if (e->count > e->wanted) e->count = e->wanted;
}

/* At most a quarter of all pairs, so that a small network is still a choice. Weights at or below
   zero are no edges. A full room is cut back to the strongest, below which nothing enters any
   more. */
static edges *strongest(const report *r, const double *m)
{
    edges *e = tool_alloc(1, sizeof *e);
    size_t n = r->count, quarter = n * (n - 1) / 8;
    double least = 0;
    e->wanted = quarter < MOST_EDGES ? quarter : MOST_EDGES;
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++) {
            double w = m[i * n + j];
            if (!(w > least)) continue; /* NaN is none */
            e->at[e->count].weight = w;
            e->at[e->count].a = i;
            e->at[e->count++].b = j;
            if (e->count < EDGE_ROOM) continue;
            keep_strongest(e);
            if (e->count) least = e->at[e->count - 1].weight;
        }
    keep_strongest(e);
    return e;
}

size_t figure_network_edges(const report *r, const double *m)
{
    edges *e = strongest(r, m);
    size_t n = e->count;
    free(e);
    return n;
}

/* Share of all pairs of units that lie in one layer. */
static double share_within(const report *r)
{
    return r->count > 1 ? (double)(r->per_layer - 1) / (double)(r->count - 1) : 0;
}

/* ---- the ring --------------------------------------------------------------------------- */

static const double centre_x = PANEL / 2.0, centre_y = 222, radius = 166;

/* Clockwise from the top, with a gap between the last layer and the first. */
static double angle_of(const report *r, double unit)
{
    const double turn = 6.283185307179586476925, gap = 0.02;
    return turn * (gap + (1 - 2 * gap) * (unit + 0.5) / (double)r->count - 0.25);
}

static void coordinates(text *t, double x, double y)
{
    svg_coordinate(t, x);
    text_add(t, " ");
    svg_coordinate(t, y);
}

/* A curve drawn towards the centre, the more so the farther apart its ends are. */
static void draw_edge(text *t, const report *r, const edge *e, double strength)
{
    double a = angle_of(r, (double)e->a), b = angle_of(r, (double)e->b);
    double x0 = centre_x + radius * cos(a), y0 = centre_y + radius * sin(a);
    double x1 = centre_x + radius * cos(b), y1 = centre_y + radius * sin(b);
    double pull = 0.9 - 0.6 * hypot(x1 - x0, y1 - y0) / (2 * radius);
    text_add(t, "<path class=\"edge\" d=\"M");
    coordinates(t, x0, y0);
    text_add(t, "Q");
    coordinates(t, centre_x + pull * ((x0 + x1) / 2 - centre_x),
                centre_y + pull * ((y0 + y1) / 2 - centre_y));
    text_add(t, " ");
    coordinates(t, x1, y1);
    text_print(t, "\" stroke-opacity=\"%.2f\">", 0.15 + 0.6 * strength);
    svg_title(t, "%.80s \xe2\x80\x93 %.80s: %.4g nats", r->unit[e->a], r->unit[e->b], e->weight);
    text_add(t, "</path>");
}

static void draw_edges(text *t, const report *r, const edges *e, const char *class_name)
{
    text_print(t, "<g class=\"%s\">", class_name);
    for (size_t k = e->count; k-- > 0;) /* the strongest last, on top */
        draw_edge(t, r, &e->at[k], 1 - (double)k / (double)e->count);
    text_add(t, "</g>\n");
}

static void draw_nodes(text *t, const report *r, const edges *e)
{
    const double *score =
        r->column[UNIT_SCORE] ? r->column[UNIT_SCORE] : r->column[UNIT_RANK_DIFFERENCE];
    size_t *degree = tool_alloc(r->count, sizeof *degree), most = 1;
    scale s = scale_of(score, score ? r->count : 0, true);
    double room = 3.14159265 * radius / (double)r->count;
    for (size_t k = 0; k < e->count; k++) {
        size_t a = ++degree[e->at[k].a], b = ++degree[e->at[k].b];
        most = a > most ? a : b > most ? b : most;
    }
    for (size_t i = 0; i < r->count; i++) {
        double a = angle_of(r, (double)i), v = score ? score[i] : (double)NAN;
        if (!degree[i] && r->count > MOST_BOXES) continue;
        colour c = scale_colour(&s, v);
        double size = fmax(fmin(room, 3.2), 1) + 4.5 * sqrt((double)degree[i] / (double)most);
        text_add(t, "<circle class=\"node\" cx=\"");
        svg_coordinate(t, centre_x + radius * cos(a));
        text_add(t, "\" cy=\"");
        svg_coordinate(t, centre_y + radius * sin(a));
        text_print(t, "\" r=\"%.2g\"", size);
        if (isfinite(v)) text_print(t, " fill=\"#%02x%02x%02x\"", c.r, c.g, c.b);
        else text_add(t, " fill=\"url(#hatch)\"");
        text_add(t, ">");
        if (isfinite(v))
            svg_title(t, "%.80s: score %.4g, %zu of these edges", r->unit[i], v, degree[i]);
        else svg_title(t, "%.80s: no score, %zu of these edges", r->unit[i], degree[i]);
        text_add(t, "</circle>");
    }
    text_add(t, "\n");
    free(degree);
}

/* A mark at the beginning of every layer, numbers outside of some. */
static void draw_layers(text *t, const report *r)
{
    ticks at = ticks_whole(0, (double)r->layers - 1, 15);
    for (size_t l = 0; l < r->layers && r->layers <= 100; l++) {
        double a = angle_of(r, (double)(l * r->per_layer) - 0.5);
        svg_line(t, "axis", centre_x + (radius + 6) * cos(a), centre_y + (radius + 6) * sin(a),
                 centre_x + (radius + 11) * cos(a), centre_y + (radius + 11) * sin(a));
    }
    for (int k = 0; k < at.count; k++) {
        char s[32];
        double middle = (at.at[k] + 0.5) * (double)r->per_layer - 0.5, a = angle_of(r, middle);
        tick_text(at.at[k] + (double)r->first_layer, s);
        svg_words(t, "tick", centre_x + (radius + 20) * cos(a),
                  centre_y + (radius + 20) * sin(a) + 4, "middle", s);
    }
    svg_words(t, "label", centre_x, centre_y - radius - 28, "middle", "layer");
}

static void edges_data(figure *f, const report *r, const edges *e)
{
    figure_data(f, "figures/network-.csv");
    for (size_t k = 0; k < e->count; k++) {
        table_text(&f->data, "source", r->unit[e->at[k].a]);
        table_text(&f->data, "target", r->unit[e->at[k].b]);
        table_number(&f->data, "weight", e->at[k].weight);
        table_end_row(&f->data);
    }
}

void figure_network(const report *r, const double *m, const char *id, const char *what, figure *f)
{
    edges *e = strongest(r, m);
    char title[160], desc[320], foot[160];
    size_t within = 0;
    for (size_t k = 0; k < e->count; k++)
        within += e->at[k].a / r->per_layer == e->at[k].b / r->per_layer ? 1 : 0;
    double share = e->count ? 100 * (double)within / (double)e->count : 0;
    snprintf(title, sizeof title, "%s: the %zu strongest edges", what, e->count);
    snprintf(foot, sizeof foot, "from %.3g nats; within a layer %.0f %%, of all pairs %.0f %%",
             e->count ? e->at[e->count - 1].weight : 0, share, 100 * share_within(r));
    snprintf(desc, sizeof desc,
             "%zu %s on a ring in the order of layers, joined by the %zu strongest "
             "edges, %s.",
             r->count, r->many, e->count, foot);
    svg_begin(&f->svg, id, PANEL, 440, title, desc);
    svg_words(&f->svg, "head", 12, 14, "start", title);
    text_print(&f->svg, "<circle class=\"border\" cx=\"%g\" cy=\"%g\" r=\"%g\"/>", centre_x,
               centre_y, radius);
    draw_edges(&f->svg, r, e, !strcmp(what, "Synergy") ? "s0" : "s1");
    draw_layers(&f->svg, r);
    draw_nodes(&f->svg, r, e);
    svg_words(&f->svg, "tick", centre_x, 432, "middle", foot);
    svg_end(&f->svg);
    edges_data(f, r, e);
    free(e);
}
