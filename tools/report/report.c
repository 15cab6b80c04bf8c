/* report.c - one HTML page from a result folder, with no script unless a map has thousands of
   units, and nothing loaded from elsewhere. Every figure is also written as its own SVG, and its
   data as CSV, to DIR/figures. */
#include "report/report.h"
#include "report/stage.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- panels: left out where the data are ------------------------------------------------ */

static void panel_profile(page *p, const report *r, const char *score, const char *name)
{
    figure f = {0};
    double *v = tool_alloc(r->layers, sizeof *v);
    if (report_profile(r, score, "mean", v) == r->layers) {
        figure_profile(r, score, name, &f);
        page_panel_of_whole(p, name, &f);
    }
    free(v);
}

static void panel_matrix(page *p, const report *r, const double *m, const char *name,
                         const char *what)
{
    figure f = {0};
    if (!m) return;
    figure_matrix(r, m, name, what, &f);
    page_panel_of_whole(p, name, &f);
    figure_matrix_values(p, r, m, name);
}

static void panel_scatter(page *p, const report *r, unit_column x, unit_column y, const char *name,
                          const char *x_label, const char *y_label)
{
    figure f = {0};
    if (!r->column[x] || !r->column[y]) return;
    figure_scatter(r, x, y, name, x_label, y_label, &f);
    page_panel(p, name, &f);
}

/* ---- figures in their order ----------------------------------------------------------- */

static void profile_table(page *p, const report *r, const char *score, const char *title)
{
    static const char *const column[] = {"depth", "mean", "minmax", "percentile", "low", "high"};
    static const char *const head[] = {
        "layer", "depth", "mean", "min\xe2\x80\x93max", "percentile", "95 % interval, from", "to"};
    enum { COLUMNS = sizeof column / sizeof column[0] };
    double *v = tool_alloc(r->layers * COLUMNS, sizeof *v);
    size_t n = 0;
    for (int c = 0; c < COLUMNS; c++)
        n = report_profile(r, score, column[c], v + (size_t)c * r->layers);
    page_table(p, NULL, "Profile as a table", title);
    for (int c = 0; c < COLUMNS + 1; c++) page_table_head(p, head[c]);
    page_table_body(p);
    for (size_t l = 0; l < n; l++) {
        text_print(&p->html, "<tr><th scope=\"row\">%zu</th>", r->first_layer + l);
        for (int c = 0; c < COLUMNS; c++) page_cell(p, v[(size_t)c * r->layers + l]);
        page_row_end(p);
    }
    page_table_end(p);
    free(v);
}

/* What the surrogates of this result keep and destroy. */
static const char *null_words_of(const report *r)
{
    const char *null = json_text_of(r->phiid.root, "settings.null", "shift");
    return !strcmp(null, "phase") ? "random phases, which keep each unit\xe2\x80\x99s spectrum and "
                                    "destroy coupling"
           : !strcmp(null, "shuffle")
               ? "shuffles of time, which destroy memory"
               : "circular shifts, which keep each unit\xe2\x80\x99s memory and "
                 "destroy coupling";
}

static void profiles(page *p, const report *r)
{
    page_put(p, "<h2 id=\"profile\">Profile over layers</h2>\n");
    if (r->layers < 3) {
        page_put(p, "<p>The recording has fewer than three layers: there is no profile.</p>\n");
        return;
    }
    page_figure(p);
    panel_profile(p, r, "rank-difference", "profile-rank-difference");
    panel_profile(p, r, "difference", "profile-difference");
    bool excess = r->column[UNIT_EXCESS] != NULL;
    if (excess) panel_profile(p, r, "excess", "profile-excess");
    const char *caption =
        "Two readings of the paper, side by side. Left, the rank difference that its text "
        "defines: the rank of a unit\xe2\x80\x99s mean synergy minus the rank of its mean "
        "redundancy. Right, the rank of the difference sts \xe2\x88\x92 rtr, from which its "
        "figures seem to be made. Points and line, axis on the left: the mean over a "
        "layer\xe2\x80\x99s "
        "units; rings, axis on the right: the percentile of the layer among layers; band: 95 % "
        "interval of the mean from drawing prompts with replacement; dashed: the parabola nearest "
        "to the means; shaded: the middle third of the depth.";
    text words_of = {NULL, 0, 0};
    text_add(&words_of, caption);
    if (excess)
        text_print(
            &words_of,
            " Below, what is left of synergy when its mean under surrogates is taken away: %s.",
            null_words_of(r));
    page_figure_end(p, words_of.at);
    text_free(&words_of);
    page_put(p, "<details><summary>The profiles as tables</summary>\n");
    profile_table(p, r, "rank-difference", "rank(synergy) \xe2\x88\x92 rank(redundancy)");
    profile_table(p, r, "difference", "rank(synergy \xe2\x88\x92 redundancy)");
    page_put(p, "</details>\n");
}

/* The maps in their order; `what` NULL: "Mean norm" of a model, "Mean value" of a recording. */
static const struct {
    unit_column column;
    const char *name, *what, *unit;
    bool diverging;
} map_row[] = {
    {UNIT_RANK_DIFFERENCE, "map-rank-difference", "Rank difference", "ranks", true},
    {UNIT_DIFFERENCE_RANK, "map-difference-rank", "Rank of the difference", "rank", true},
    {UNIT_SYNERGY, "map-synergy", "Mean synergy", "nats", false},
    {UNIT_REDUNDANCY, "map-redundancy", "Mean redundancy", "nats", false},
    {UNIT_EXCESS, "map-excess", "Excess synergy", "nats", true},
    {UNIT_MEAN_NORM, "map-mean-norm", NULL, "a.u.", false},
    {UNIT_SINK, "map-sink", "Attention to the first token", "share", false}};

static void maps(page *p, const report *r)
{
    text_print(&p->html, "<h2 id=\"maps\">Every %s</h2>\n", r->one);
    page_figure(p);
    for (size_t k = 0; k < sizeof map_row / sizeof map_row[0]; k++) {
        figure f = {0};
        if (!r->column[map_row[k].column]) continue;
        const char *what = map_row[k].what;
        if (!what) what = report_model(r) ? "Mean norm" : "Mean value";
        figure_map(r, map_row[k].column, map_row[k].name, what, map_row[k].unit,
                   map_row[k].diverging, &f);
        if (k < 2) page_panel_of_whole(p, map_row[k].name, &f);
        else page_panel(p, map_row[k].name, &f);
        figure_map_values(p, r, map_row[k].column, map_row[k].name, map_row[k].unit);
    }
    page_figure_end(
        p, "Layers from left to right. The scores in orange and blue have their middle colour at "
           "the median over all units; orange is more synergistic, blue more redundant. The "
           "values show on hover and stand in units.csv. Hatched: no value. a.u.: as recorded, in "
           "no unit.");
}

static void matrices(page *p, const report *r)
{
    char caption[700];
    size_t n = r->count, block = (n + 639) / 640;
    if (!r->synergy && !r->redundancy) return;
    page_put(p, "<h2 id=\"pairs\">Every pair</h2>\n");
    page_figure(p);
    panel_matrix(p, r, r->synergy, "matrix-synergy", "Synergy");
    panel_matrix(p, r, r->redundancy, "matrix-redundancy", "Redundancy");
    snprintf(
        caption, sizeof caption,
        "Synergy (sts) and redundancy (rtr) of each of the %zu pairs, averaged over prompts; %s "
        "in "
        "the order of layers. The brightest colour stands for the 99th percentile and above.%s%s",
        n * (n - 1) / 2, r->many, block > 1 ? " Each pixel is the mean over a block of pairs." : "",
        " Hatched: the diagonal and pairs without a value.");
    page_figure_end(p, caption);
}

static void scatters(page *p, const report *r)
{
    page_put(p, "<h2 id=\"confounds\">What else explains the scores</h2>\n");
    page_figure(p);
    panel_scatter(p, r, UNIT_REDUNDANCY, UNIT_SYNERGY, "scatter-redundancy-synergy",
                  "mean redundancy, nats", "mean synergy, nats");
    panel_scatter(p, r, UNIT_SELF, UNIT_SYNERGY, "scatter-memory-synergy",
                  "self-information (memory), nats", "mean synergy, nats");
    page_figure_end(
        p, "Left: a unit that shares much synergy tends to share much redundancy, or not. Right: "
           "synergy against how well a unit\xe2\x80\x99s own past predicts its own future; with "
           "MMI two unrelated series with memory have synergy, so a steep line means that the "
           "ranking is a ranking of memory. Axes have decades where values are very uneven.");
}

/* ---- the page ------------------------------------------------------------------------- */

static void contents(page *p, const report *r)
{
    page_put(p, "<nav aria-label=\"Contents\"><a href=\"#claims\">Claims</a><a "
                "href=\"#profile\">Profile</a>");
    if (report_has_paper(r)) page_put(p, "<a href=\"#paper\">Paper</a>");
    if (report_has_robustness(r)) page_put(p, "<a href=\"#robustness\">Estimators</a>");
    page_put(p, "<a href=\"#words\">In words</a><a href=\"#maps\">Maps</a>");
    if (r->synergy || r->redundancy) page_put(p, "<a href=\"#pairs\">Pairs</a>");
    if (r->count >= 4 && (r->synergy || r->redundancy))
        page_put(p, "<a href=\"#network\">Network</a>");
    if (json_get(r->graph.root, "synergy")) page_put(p, "<a href=\"#topology\">Topology</a>");
    if (report_model(r) || r->ablation.root || r->ablation_outdated)
        page_put(p, "<a href=\"#ablation\">Ablation</a>");
    if (r->emergence.root) page_put(p, "<a href=\"#emergence\">Emergence</a>");
    if (r->tuning.root) page_put(p, "<a href=\"#tuning\">Tuning</a>");
    page_put(p, "<a href=\"#confounds\">Confounds</a><a href=\"#units\">Tables</a><a "
                "href=\"#limits\">Limits</a><a href=\"#repeat\">Repeat</a><a "
                "href=\"#glossary\">Words</a><a href=\"#whole\">One figure</a></nav>\n");
}

static void top(page *p, const report *r, const char *title)
{
    page_begin(p, title, *r->name && title == r->name ? ": synergy and redundancy" : "");
    page_put(p, "<header>\n<p class=\"eyebrow\">Synergy and redundancy of ");
    text_print(&p->html, "%zu %s", r->count, r->many);
    page_put(p, "</p>\n<h1>");
    page_text(p, title);
    page_put(p, "</h1>\n");
    report_identity(p, r);
    page_put(p, "</header>\n<main id=\"main\">\n");
    report_plain(p, r);
    report_finding(p, r);
    report_facts(p, r);
    contents(p, r);
}

static void build(page *p, const report *r, const char *title)
{
    top(p, r, title);
    report_claims(p, r);
    profiles(p, r);
    report_paper(p, r);
    report_robustness(p, r);
    report_words(p, r);
    maps(p, r);
    matrices(p, r);
    report_network(p, r);
    report_topology(p, r);
    report_ablation(p, r);
    report_perturb(p, r);
    report_emergence(p, r);
    report_tuning(p, r);
    scatters(p, r);
    report_correlations(p, r);
    report_units(p, r);
    report_method(p, r);
    report_glossary(p, r);
    report_prompts(p, r);
    report_repeat(p, r);
    page_whole(p, "result", title);
    report_value_script(p, r);
    page_end(p);
}

/* The page as a path. */
static bool page_path(const report_options *o, char path[TOOL_PATH_BYTES], problem *why)
{
    if (!o->output) return path_join(path, o->directory, "report.html", why);
    if ((size_t)snprintf(path, TOOL_PATH_BYTES, "%s", o->output) < TOOL_PATH_BYTES) return true;
    return problem_set(why, "-o: the path is too long");
}

void report_print_path(const report_options *o)
{
    char path[TOOL_PATH_BYTES];
    problem ignored;
    if (!page_path(o, path, &ignored)) return;
    char here[TOOL_PATH_BYTES];
    if (path[0] == '/' || !getcwd(here, sizeof here)) printf("%s\n", path);
    else printf("%s/%s\n", here, path);
}

/* Matrices: the picture in the page, by itself, as PDF and in the figure of the whole result, its
   numbers as CSV (also within the page) and for the pointer. Units: boxes of maps, points, nodes,
   rows of tables, in the page and by themselves. The rest: edges, frames, words. */
double report_disk_bytes(size_t units, size_t prompts, bool interventions)
{
    const double n = (double)units, side = n < 640 ? n : 640, picture = side < 300 ? 300 : side;
    return 2 * picture * picture * 6.5 + 2 * side * side * (2 * 21 * 1.2 + 5) + 7 * 4 * 200 * n +
           900 * n + 1500 * (double)prompts + 1.3e6 + (interventions ? 1e6 : 0);
}

/* Where the page and its figures may go. */
static bool output_ready(const report_options *o, const char *to, problem *why)
{
    char path[TOOL_PATH_BYTES];
    if (!o->output)
        return path_join(path, o->directory, "figures", why) && directory_make(path, why);
    for (size_t i = 0; i < file_list_rows; i++)
        if (!path_join(path, o->directory, file_list[i].file, why) ||
            !output_not_input(to, path, why))
            return false;
    return output_file_check(to, o->force, why);
}

bool report_run(const report_options *o, problem *why)
{
    report r;
    char path[TOOL_PATH_BYTES];
    if (!page_path(o, path, why) || !report_load(&r, o->directory, o->interventions, why))
        return false;
    page p = {.directory = o->output ? NULL : o->directory,
              .glossary = report_word,
              .good = true,
              .why = why};
    p.good = output_ready(o, path, why);
    if (p.good) build(&p, &r, o->title ? o->title : r.name);
    p.good = p.good && file_write(path, p.html.at, p.html.length, why) &&
             (o->output || columns_write(o->directory, why));
    page_free(&p);
    report_close(&r);
    return p.good;
}
