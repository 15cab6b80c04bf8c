/* report_topology.c - the networks: drawn, measured, and against null networks (graph.json). */
#include "report/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the networks drawn ------------------------------------------------------------------ */

static void panel_network(page *p, const report *r, const double *m, const char *name,
                          const char *what)
{
    figure f = {0};
    if (!m) return;
    figure_network(r, m, name, what, &f);
    page_panel_of_whole(p, name, &f);
}

void report_network(page *p, const report *r)
{
    char caption[600];
    if (r->count < 4 || (!r->synergy && !r->redundancy)) return;
    page_put(p, "<h2 id=\"network\">The strongest edges</h2>\n");
    page_figure(p);
    panel_network(p, r, r->synergy, "network-synergy", "Synergy");
    panel_network(p, r, r->redundancy, "network-redundancy", "Redundancy");
    size_t edges = figure_network_edges(r, r->synergy ? r->synergy : r->redundancy);
    snprintf(
        caption, sizeof caption,
        "The %zu strongest of %zu pairs. The %s stand on a ring, clockwise from the top, layer "
        "after layer, coloured by score (orange: more synergistic, blue: more redundant, the "
        "middle "
        "colour at the median); large where many of these edges end. The more solid an edge, "
        "the stronger.",
        edges, r->count * (r->count - 1) / 2, r->many);
    page_figure_end(p, caption);
}

/* ---- tables ------------------------------------------------------------------------------ */

static const struct {
    const char *key, *what;
} topology_row[] = {{"mean_weight", "mean weight, nats"},
                    {"efficiency_weighted", "global efficiency, raw weights"},
                    {"efficiency_over_mean_weight", "the same over the mean weight"},
                    {"efficiency_weighted_normalised", "the same over the largest weight"},
                    {"efficiency_weighted_top10", "strongest tenth of the pairs, weighted"},
                    {"efficiency_binary_top10", "strongest tenth of the pairs, without weights"},
                    {"louvain_q", "modularity, best that Louvain finds"},
                    {"communities", "parts in it"},
                    {"partition_q", "modularity of the given parts"}};

static const struct {
    const char *kind, *figure, *what;
} null_row[] = {
    {"weight_shuffling", "efficiency_weighted", "weights dealt out anew: efficiency"},
    {"weight_shuffling", "louvain_q", "weights dealt out anew: modularity"},
    {"degree_preserving_rewiring", "efficiency_binary_top",
     "strongest tenth, rewired: efficiency without weights"},
    {"degree_preserving_rewiring", "louvain_q", "strongest tenth, rewired: modularity"}};
enum { NULL_ROWS = sizeof null_row / sizeof null_row[0] };

static void topology_table(page *p, const report *r, const json *net[2])
{
    char title[300];
    snprintf(title, sizeof title, "The two networks; parts given: %s.",
             json_text_of(r->graph.root, "settings.partition", "none"));
    page_table(p, NULL, "Topology", title);
    page_table_head_words(p, "measure");
    page_table_head(p, "synergy");
    page_table_head(p, "redundancy");
    page_table_body(p);
    for (size_t k = 0; k < sizeof topology_row / sizeof topology_row[0]; k++) {
        page_row(p, topology_row[k].what);
        for (int n = 0; n < 2; n++)
            page_cell(p, json_number_of(net[n], topology_row[k].key, (double)NAN));
        page_row_end(p);
    }
    page_table_end(p);
}

static const json *null_of(const json *net, size_t k)
{
    return json_get(json_get(json_get(net, "null"), null_row[k].kind), null_row[k].figure);
}

static void null_table(page *p, const report *r, const json *net[2])
{
    static const char *const key[] = {"observed", "mean", "z"};
    char title[120];
    snprintf(title, sizeof title, "Against %.0f null networks of each kind.",
             json_number_of(json_get(r->graph.root, "settings"), "nulls", 0));
    page_table(p, NULL, "Null networks", title);
    page_table_head_words(p, "null and figure");
    for (int n = 0; n < 2; n++) {
        page_table_head(p, n ? "redundancy" : "synergy");
        page_table_head(p, "null mean");
        page_table_head(p, "z");
    }
    page_table_body(p);
    for (size_t k = 0; k < NULL_ROWS; k++) {
        page_row(p, null_row[k].what);
        for (int n = 0; n < 2; n++)
            for (int c = 0; c < 3; c++)
                page_cell(p, json_number_of(null_of(net[n], k), key[c], (double)NAN));
        page_row_end(p);
    }
    page_table_end(p);
}

/* ---- the figure: each figure over its mean in null networks ------------------------------ */

typedef struct null_mark {
    double ratio, low, high, z;
} null_mark;

/* NaN where there is no null, or a figure that is not above zero and has no ratio. */
static null_mark null_mark_of(const json *net, size_t k)
{
    const json *f = null_of(net, k);
    double seen = json_number_of(f, "observed", (double)NAN),
           mean = json_number_of(f, "mean", (double)NAN);
    double sd = json_number_of(f, "sd", (double)NAN);
    null_mark m = {(double)NAN, (double)NAN, (double)NAN, json_number_of(f, "z", (double)NAN)};
    if (!(seen > 0) || !(mean > 0)) return m;
    m.ratio = seen / mean;
    m.low = 1 - 2 * sd / mean;
    m.high = 1 + 2 * sd / mean;
    return m;
}

static void null_range(plot *p, const json *net[2])
{
    p->x0 = 0.8;
    p->x1 = 1.25;
    for (size_t k = 0; k < NULL_ROWS; k++)
        for (int n = 0; n < 2; n++) {
            null_mark m = null_mark_of(net[n], k);
            p->x0 = fmin(p->x0, fmin(m.ratio, m.low > 0.1 ? m.low : m.ratio) /
                                    1.08); /* NaN is left aside */
            p->x1 = fmax(p->x1, fmax(m.ratio, m.high) * 1.08);
        }
}

/* A bar where the null networks lie, a mark where the network lies, z beside the row. */
static void null_draw(const plot *p, double y, const null_mark *m, int n)
{
    char s[32];
    text_print(p->to, "<g class=\"s%d\">", n);
    if (isfinite(m->ratio)) {
        double x0 = plot_x(p, fmax(m->low, p->x0)), x1 = plot_x(p, fmin(m->high, p->x1));
        if (isfinite(m->low)) svg_box(p->to, "area", x0 - 1, y - 6, x1 - x0 + 2, 12);
        text_add(p->to, "<circle class=\"end\" cx=\"");
        svg_coordinate(p->to, plot_x(p, m->ratio));
        text_add(p->to, "\" cy=\"");
        svg_coordinate(p->to, y);
        text_print(p->to, "\" r=\"4\"><title>%s: %.4g of the null mean",
                   n ? "redundancy" : "synergy", m->ratio);
        if (isfinite(m->z)) text_print(p->to, ", z %.3g", m->z);
        text_add(p->to, "</title></circle>");
    }
    snprintf(s, sizeof s, "%s%.3g", m->z < 0 ? "\xe2\x88\x92" : "", fabs(m->z));
    svg_words(p->to, "key end", PANEL - 4, y + 4, "end", isfinite(m->z) ? s : "\xe2\x80\x93");
    text_add(p->to, "</g>\n");
}

static void null_data(figure *f, const json *net[2])
{
    figure_data(f, "figures/topology-null.csv");
    for (int n = 0; n < 2; n++)
        for (size_t k = 0; k < NULL_ROWS; k++) {
            static const char *const key[] = {"observed", "mean", "sd", "z"};
            static const char *const column[] = {"observed", "null_mean", "null_sd", "z"};
            table_text(&f->data, "network", n ? "redundancy" : "synergy");
            table_text(&f->data, "null", null_row[k].kind);
            table_text(&f->data, "figure", null_row[k].figure);
            for (int c = 0; c < 4; c++)
                table_number(&f->data, column[c],
                             json_number_of(null_of(net[n], k), key[c], (double)NAN));
            table_end_row(&f->data);
        }
}

static void figure_nulls(const json *net[2], figure *f)
{
    enum { ROW = 56 };
    plot p = {&f->svg, 16, 44, PANEL - 16 - 66, ROW * NULL_ROWS, 0, 0, 0, 1, true, false};
    null_range(&p, net);
    svg_begin(
        &f->svg, "topology-null", PANEL, p.top + p.height + 46, "Topology against null networks",
        "Efficiency and modularity of both networks, divided by their mean in null networks; the "
        "null networks lie in the bars around 1.");
    svg_words(&f->svg, "head", p.left, 14, "start", "Over the mean of null networks");
    text_add(&f->svg, "<g class=\"s0\">");
    svg_words(&f->svg, "key end", p.left, 32, "start", "\xe2\x97\x8f synergy");
    text_add(&f->svg, "</g><g class=\"s1\">");
    svg_words(&f->svg, "key end", p.left + 84, 32, "start", "\xe2\x97\x8f redundancy");
    text_add(&f->svg, "</g><g class=\"s12\">");
    svg_box(&f->svg, "area", p.left + 178, 23, 18, 10);
    text_add(&f->svg, "</g>");
    svg_words(&f->svg, "key", p.left + 201, 32, "start", "null mean \xc2\xb1 2 SD");
    svg_words(&f->svg, "tick", PANEL - 4, 32, "end", "z");
    ticks x = ticks_log(p.x0, p.x1);
    svg_line(&f->svg, "fit", plot_x(&p, 1), p.top, plot_x(&p, 1), p.top + p.height);
    for (size_t k = 0; k < NULL_ROWS; k++) {
        double top = p.top + ROW * (double)k;
        svg_words(&f->svg, "tick halo", p.left + 4, top + 13, "start", null_row[k].what);
        for (int n = 0; n < 2; n++) {
            null_mark m = null_mark_of(net[n], k);
            null_draw(&p, top + 26 + 16 * n, &m, n);
        }
    }
    svg_line(&f->svg, "axis", p.left, p.top + p.height, p.left + p.width, p.top + p.height);
    plot_axis_x(&p, &x, "observed / null mean, ratio");
    svg_end(&f->svg);
    null_data(f, net);
}

void report_topology(page *p, const report *r)
{
    const json *net[2] = {json_get(r->graph.root, "synergy"),
                          json_get(r->graph.root, "redundancy")};
    if (!net[0] || !net[1]) return;
    page_put(p, "<h2 id=\"topology\">Topology</h2>\n<ul class=\"two\">\n");
    page_list(p, r->graph.root, "conclusions");
    page_put(p, "</ul>\n");
    topology_table(p, r, net);
    if (json_get(net[0], "null")) {
        figure f = {0};
        figure_nulls(net, &f);
        page_figure(p);
        page_panel(p, "topology-null", &f);
        page_figure_end(
            p, "Efficiency and modularity of both networks over the mean of their null "
               "networks, on a logarithmic axis; bars: two standard deviations of the null "
               "networks to each side; at the right z.");
        null_table(p, r, net);
    }
    page_put(
        p,
        "<p>Global efficiency is the mean over pairs of one over the shortest way, an edge being "
        "as long as one over its weight; with raw weights it mostly restates the mean weight. A z "
        "is the distance from the mean of the null networks in their standard deviations; a dash "
        "where the null cannot change the figure.</p>\n");
}
