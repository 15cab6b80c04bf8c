/* report.c - one HTML page from a result folder: no script, nothing loaded from elsewhere. Every
   figure is also written as its own SVG, and its data as CSV, to DIR/figures. */
#include "report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct page {
    const report *r;
    text     html;
    unsigned figures, tables; /* numbered as they come */
    problem *why;
    bool     good;            /* false after a figure could not be written */
} page;

/* ---- small pieces --------------------------------------------------------------------- */

static void put(page *p, const char *html) {
    text_add(&p->html, html);
}

static void put_text(page *p, const char *words) {
    xml_text(&p->html, words);
}

/* Sentences from phiid.json are plain ASCII: here they get a true minus sign and a true <=. */
static void put_sentence(page *p, const char *words) {
    const char *from = words, *s = words;
    while (*s) {
        bool minus = *s == '-' && (s[1] == ' ' || (s[1] >= '0' && s[1] <= '9'));
        bool at_most = *s == '<' && s[1] == '=';
        if (!minus && !at_most) {
            s++;
            continue;
        }
        xml_text_bytes(&p->html, from, (size_t)(s - from));
        put(p, minus ? "\xe2\x88\x92" : "\xe2\x89\xa4");
        s += minus ? 1 : 2;
        from = s;
    }
    xml_text(&p->html, from);
}

/* Numbers for reading: three digits, a true minus sign, a dash for nothing. */
static void put_number(page *p, double v) {
    char s[32];
    if (!isfinite(v)) {
        put(p, "\xe2\x80\x93");
        return;
    }
    snprintf(s, sizeof s, fabs(v) >= 1000 && fabs(v) < 1e7 ? "%.0f" : "%.3g", fabs(v));
    if (v < 0) put(p, "\xe2\x88\x92");
    put(p, s);
}

static double number_at(const page *p, const char *path) {
    return json_number_of(p->r->phiid.root, path, (double)NAN);
}

/* ---- figures -------------------------------------------------------------------------- */

/* The drawing alone: with its own size, style and hatching. */
static bool write_svg(const page *p, const char *name, const text *svg) {
    text t = {NULL, 0, 0};
    char path[TOOL_PATH_BYTES], file[128];
    const char *head_end = strchr(svg->at, '>');
    size_t head = (size_t)(head_end - svg->at);
    text_add_bytes(&t, svg->at, head);
    text_add(&t, " xmlns=\"http://www.w3.org/2000/svg\">\n<style>");
    text_add(&t, report_figure_style);
    text_add(&t, "svg{background:var(--paper)}</style>");
    text_add(&t, report_figure_defs);
    text_add(&t, head_end + 1);
    snprintf(file, sizeof file, "figures/%s.svg", name);
    bool good = path_join(path, p->r->directory, file, p->why) &&
                file_write(path, t.at, t.length, p->why);
    text_free(&t);
    return good;
}

static bool write_data(const page *p, const char *name, const text *data) {
    char path[TOOL_PATH_BYTES], file[128];
    if (!data->length) return true;
    snprintf(file, sizeof file, "figures/%s.csv", name);
    return path_join(path, p->r->directory, file, p->why) &&
           file_write(path, data->at, data->length, p->why);
}

static void add_panel(page *p, const char *name, figure *f) {
    put(p, "<div>");
    text_add_bytes(&p->html, f->svg.at, f->svg.length);
    put(p, "</div>\n");
    p->good = p->good && write_svg(p, name, &f->svg) && write_data(p, name, &f->data);
    figure_free(f);
}

static void begin_figure(page *p) {
    put(p, "<figure>\n<div class=\"panels\">\n");
}

static void end_figure(page *p, const char *caption) {
    text_print(&p->html, "</div>\n<figcaption><b>Figure %u.</b> ", ++p->figures);
    put(p, caption);
    put(p, "</figcaption>\n</figure>\n");
}

static void panel_profile(page *p, const char *score, const char *name) {
    figure f = {{NULL, 0, 0}, {NULL, 0, 0}};
    double *v = tool_alloc(p->r->layers, sizeof *v);
    if (report_profile(p->r, score, "mean", v) == p->r->layers) {
        figure_profile(p->r, score, name, &f);
        add_panel(p, name, &f);
    }
    free(v);
}

static void panel_map(page *p, unit_column column, const char *name, const char *what,
                      const char *unit, bool diverging) {
    figure f = {{NULL, 0, 0}, {NULL, 0, 0}};
    if (!p->r->column[column]) return;
    figure_map(p->r, column, name, what, unit, diverging, &f);
    add_panel(p, name, &f);
}

static void panel_matrix(page *p, const double *m, const char *name, const char *what) {
    figure f = {{NULL, 0, 0}, {NULL, 0, 0}};
    if (!m) return;
    figure_matrix(p->r, m, name, what, &f);
    add_panel(p, name, &f);
}

static void panel_scatter(page *p, unit_column x, unit_column y, const char *name,
                          const char *x_label, const char *y_label) {
    figure f = {{NULL, 0, 0}, {NULL, 0, 0}};
    if (!p->r->column[x] || !p->r->column[y]) return;
    figure_scatter(p->r, x, y, name, x_label, y_label, &f);
    add_panel(p, name, &f);
}

/* ---- head: what was looked at, and the finding ---------------------------------------- */

static void identity_item(page *p, bool *first, const char *words) {
    if (!*words) return;
    if (!*first) put(p, " \xc2\xb7 ");
    put_text(p, words);
    *first = false;
}

static const json *model_of(const report *r) {
    const json *m = json_get(r->run.root, "model");
    return m ? m : json_get(r->phiid.root, "model");
}

static void identity(page *p) {
    char s[160], size[32];
    bool first = true;
    const json *m = model_of(p->r);
    put(p, "<p class=\"identity\">");
    if (m) {
        identity_item(p, &first, json_text_of(m, "file", ""));
        identity_item(p, &first, json_text_of(m, "architecture", ""));
        double bytes = json_number_of(m, "bytes", (double)NAN);
        bytes_text(bytes, size, sizeof size);
        if (isfinite(bytes)) identity_item(p, &first, size);
        const char *hash = json_text_of(m, "sha256", "");
        snprintf(s, sizeof s, "SHA-256 %.12s\xe2\x80\xa6", hash);
        if (*hash) identity_item(p, &first, s);
    } else {
        identity_item(p, &first, json_text_of(p->r->phiid.root, "input.file", ""));
        snprintf(s, sizeof s, "SHA-256 %.12s\xe2\x80\xa6",
                 json_text_of(p->r->phiid.root, "input.sha256", "unknown"));
        identity_item(p, &first, s);
    }
    snprintf(s, sizeof s, "%zu layers of %zu %s", p->r->layers, p->r->per_layer, p->r->many);
    identity_item(p, &first, s);
    snprintf(s, sizeof s, "%.0f prompts of %.0f samples", number_at(p, "input.prompts_used"),
             number_at(p, "input.samples"));
    identity_item(p, &first, s);
    put(p, "</p>\n");
}

static void fact(page *p, const char *term, double value, const char *after) {
    if (!isfinite(value)) return;
    put(p, "<div><dt>");
    put_text(p, term);
    put(p, "</dt><dd>");
    put_number(p, value);
    if (*after) {
        put(p, " <small>");
        put_text(p, after);
        put(p, "</small>");
    }
    put(p, "</dd></div>\n");
}

static double flagged_count(const page *p) {
    double sum = 0;
    const json *list = json_at(p->r->phiid.root, "pair_prompts.flagged");
    for (const json *c = list ? list->child : NULL; c; c = c->next) sum += c->number;
    return sum;
}

static void facts(page *p) {
    const report *r = p->r;
    double all = number_at(p, "pair_prompts.sound") + flagged_count(p);
    char of[64];
    put(p, "<dl class=\"facts\">\n");
    fact(p, "Mean synergy", number_at(p, "means_nats.synergy"), "nats");
    fact(p, "Mean redundancy", number_at(p, "means_nats.redundancy"), "nats");
    fact(p, "Synergy with redundancy",
         report_spearman(r, r->column[UNIT_SYNERGY], r->column[UNIT_REDUNDANCY]), "Spearman");
    fact(p, "Synergy with memory",
         report_spearman(r, r->column[UNIT_SYNERGY], r->column[UNIT_SELF]), "Spearman");
    fact(p, "Rank difference with difference",
         report_spearman(r, r->column[UNIT_RANK_DIFFERENCE], r->column[UNIT_DIFFERENCE_RANK]),
         "Spearman");
    fact(p, "Reliability, rank difference", number_at(p, "scores.rank-difference.reliability"),
         "split half");
    fact(p, "Reliability, difference", number_at(p, "scores.difference.reliability"), "split half");
    snprintf(of, sizeof of, "of %.0f", all);
    fact(p, "Flagged pair-prompts", flagged_count(p), of);
    put(p, "</dl>\n");
}

/* ---- in words ------------------------------------------------------------------------- */

static int by_score_down(const void *a, const void *b) {
    const double *x = *(const double *const *)a, *y = *(const double *const *)b;
    if (*x != *y) return *x > *y ? -1 : 1;
    return x < y ? -1 : 1; /* equal scores in the order of units */
}

/* Units with a score, the highest first; the caller frees. */
static size_t *order_of_score(const report *r, const double *score, size_t *count) {
    const double **at = tool_alloc(r->count, sizeof *at);
    size_t *order = tool_alloc(r->count, sizeof *order), n = 0;
    for (size_t i = 0; score && i < r->count; i++)
        if (isfinite(score[i])) at[n++] = &score[i];
    qsort(at, n, sizeof *at, by_score_down);
    for (size_t i = 0; i < n; i++) order[i] = (size_t)(at[i] - score);
    free(at);
    *count = n;
    return order;
}

/* Where the top quarter lies: the plainest picture of a core. */
static void quarter_words(page *p, unit_column column, const char *name) {
    const report *r = p->r;
    size_t n, third[3] = {0, 0, 0}, size[3] = {0, 0, 0};
    size_t *order = order_of_score(r, r->column[column], &n);
    size_t top = n / 4;
    for (size_t i = 0; i < n; i++) {
        size_t layer = order[i] / r->per_layer;
        size_t k = 3 * layer < r->layers - 1 ? 0 : 3 * layer > 2 * (r->layers - 1) ? 2 : 1;
        size[k]++;
        if (i < top) third[k]++;
    }
    free(order);
    if (r->layers < 6 || top < 4) return;
    char s[300];
    snprintf(s, sizeof s,
             "Of the %zu %s in the top quarter by %s, %zu lie in the first third of the layers, "
             "%zu in "
             "the middle third and %zu in the last (by chance: %.0f, %.0f and %.0f).",
             top, r->many, name, third[0], third[1], third[2],
             (double)top * (double)size[0] / (double)n, (double)top * (double)size[1] / (double)n,
             (double)top * (double)size[2] / (double)n);
    put(p, "<li>");
    put_text(p, s);
    put(p, "</li>\n");
}

static void list_of(page *p, const json *root, const char *key) {
    const json *list = json_get(root, key);
    if (!list || list->kind != JSON_ARRAY) return;
    for (const json *c = list->child; c; c = c->next) {
        if (c->kind != JSON_TEXT) continue;
        put(p, "<li>");
        put_sentence(p, c->text);
        put(p, "</li>\n");
    }
}

static void words(page *p) {
    put(p, "<h2 id=\"words\">What the figures say</h2>\n<ul class=\"two\">\n");
    list_of(p, p->r->phiid.root, "conclusions");
    quarter_words(p, UNIT_RANK_DIFFERENCE, "rank difference");
    quarter_words(p, UNIT_DIFFERENCE_RANK, "rank of the difference");
    list_of(p, p->r->phiid.root, "notes");
    put(p, "</ul>\n");
}

/* ---- figures in their order ----------------------------------------------------------- */

static void profile_table(page *p, const char *score, const char *title) {
    static const char *const column[] = {"depth", "mean", "minmax", "percentile", "low", "high"};
    enum { COLUMNS = sizeof column / sizeof column[0] };
    const report *r = p->r;
    double *v = tool_alloc(r->layers * COLUMNS, sizeof *v);
    size_t n = 0;
    for (int c = 0; c < COLUMNS; c++)
        n = report_profile(r, score, column[c], v + (size_t)c * r->layers);
    put(p, "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Profile as a table\">"
           "<table><caption>");
    put_text(p, title);
    put(p, "</caption><thead><tr><th scope=\"col\">layer</th><th scope=\"col\">depth</th><th "
           "scope=\"col\">mean</th><th scope=\"col\">min\xe2\x80\x93max</th><th scope=\"col\">"
           "percentile</th><th scope=\"col\">95 % low</th><th scope=\"col\">high</th></tr></thead>"
           "<tbody>\n");
    for (size_t l = 0; l < n; l++) {
        text_print(&p->html, "<tr><th scope=\"row\">%zu</th>", l);
        for (int c = 0; c < COLUMNS; c++) {
            put(p, "<td>");
            put_number(p, v[(size_t)c * r->layers + l]);
            put(p, "</td>");
        }
        put(p, "</tr>\n");
    }
    put(p, "</tbody></table></div>\n");
    free(v);
}

/* What the surrogates of this result keep and destroy. */
static const char *null_words_of(const page *p) {
    const char *null = json_text_of(p->r->phiid.root, "settings.null", "shift");
    return !strcmp(null, "phase") ? "random phases, which keep each unit\xe2\x80\x99s spectrum and "
                                    "destroy coupling"
           : !strcmp(null, "shuffle") ? "shuffles of time, which destroy memory"
                                      : "circular shifts, which keep each unit\xe2\x80\x99s memory and "
                                        "destroy coupling";
}

static void profiles(page *p) {
    put(p, "<h2 id=\"profile\">Profile over layers</h2>\n");
    if (p->r->layers < 3) {
        put(p, "<p>The recording has fewer than three layers: there is no profile.</p>\n");
        return;
    }
    begin_figure(p);
    panel_profile(p, "rank-difference", "profile-rank-difference");
    panel_profile(p, "difference", "profile-difference");
    bool excess = p->r->column[UNIT_EXCESS] != NULL;
    if (excess) panel_profile(p, "excess", "profile-excess");
    const char *caption =
        "Two readings of the paper, side by side. Left, the rank difference that its text "
        "defines: the rank of a unit\xe2\x80\x99s mean synergy minus the rank of its mean "
        "redundancy. Right, the rank of the difference sts \xe2\x88\x92 rtr, from which its "
        "figures seem to be made. Points and line: the mean over a layer\xe2\x80\x99s units, "
        "scaled so that the lowest layer is 0 and the highest 1; rings: the percentile of the "
        "layer among layers; band: 95 % interval from drawing prompts with replacement; dashed: "
        "the parabola nearest to the means; shaded: the middle third of the depth. The axis on "
        "the right has the score\xe2\x80\x99s own unit.";
    text words_of = {NULL, 0, 0};
    text_add(&words_of, caption);
    if (excess)
        text_print(&words_of,
                   " Below, what is left of synergy when its mean under surrogates is taken away: %s.",
                   null_words_of(p));
    end_figure(p, words_of.at);
    text_free(&words_of);
    put(p, "<details><summary>The profiles as tables</summary>\n");
    profile_table(p, "rank-difference", "rank(synergy) \xe2\x88\x92 rank(redundancy)");
    profile_table(p, "difference", "rank(synergy \xe2\x88\x92 redundancy)");
    put(p, "</details>\n");
}

static void maps(page *p) {
    text_print(&p->html, "<h2 id=\"maps\">Every %s</h2>\n", p->r->one);
    begin_figure(p);
    panel_map(p, UNIT_RANK_DIFFERENCE, "map-rank-difference", "Rank difference", "ranks", true);
    panel_map(p, UNIT_DIFFERENCE_RANK, "map-difference-rank", "Rank of the difference", "rank",
              true);
    panel_map(p, UNIT_SYNERGY, "map-synergy", "Mean synergy", "nats", false);
    panel_map(p, UNIT_REDUNDANCY, "map-redundancy", "Mean redundancy", "nats", false);
    if (p->r->column[UNIT_EXCESS])
        panel_map(p, UNIT_EXCESS, "map-excess", "Excess synergy", "nats", true);
    panel_map(p, UNIT_MEAN_NORM, "map-mean-norm",
              p->r->one[0] == 'u' ? "Mean value" : "Mean norm", "", false);
    end_figure(
        p, "Layers from left to right. The scores in orange and blue have their middle colour at "
           "the median over all units; orange is more synergistic, blue more redundant. The "
           "values show on hover and stand in units.csv. Hatched: no value.");
}

static void matrices(page *p) {
    char caption[700];
    size_t n = p->r->count, block = (n + 639) / 640;
    if (!p->r->synergy && !p->r->redundancy) return;
    put(p, "<h2 id=\"pairs\">Every pair</h2>\n");
    begin_figure(p);
    panel_matrix(p, p->r->synergy, "matrix-synergy", "Synergy");
    panel_matrix(p, p->r->redundancy, "matrix-redundancy", "Redundancy");
    snprintf(
        caption, sizeof caption,
        "Synergy (sts) and redundancy (rtr) of each of the %zu pairs, averaged over prompts; %s "
        "in "
        "the order of layers. The brightest colour stands for the 99th percentile and above.%s%s",
        n * (n - 1) / 2, p->r->many,
        block > 1 ? " Each pixel is the mean over a block of pairs." : "",
        " Hatched: the diagonal and pairs without a value.");
    end_figure(p, caption);
}

/* ---- topology, from graph.json -------------------------------------------------------- */

static const struct { const char *key, *what; } topology_row[] = {
    {"mean_weight", "mean weight, nats"},
    {"efficiency_weighted", "global efficiency, raw weights"},
    {"efficiency_over_mean_weight", "the same over the mean weight"},
    {"efficiency_weighted_normalised", "the same over the largest weight"},
    {"efficiency_weighted_top10", "strongest tenth of the pairs, weighted"},
    {"efficiency_binary_top10", "strongest tenth of the pairs, without weights"},
    {"louvain_q", "modularity, best that Louvain finds"},
    {"communities", "parts in it"},
    {"partition_q", "modularity of the given parts"}};

static const struct { const char *kind, *figure, *what; } null_row[] = {
    {"weight_shuffling", "efficiency_weighted", "weights dealt out anew: efficiency"},
    {"weight_shuffling", "louvain_q", "weights dealt out anew: modularity"},
    {"degree_preserving_rewiring", "efficiency_binary_top",
     "strongest tenth, rewired: efficiency without weights"},
    {"degree_preserving_rewiring", "louvain_q", "strongest tenth, rewired: modularity"}};

static void number_cell(page *p, double v) {
    put(p, "<td>");
    put_number(p, v);
    put(p, "</td>");
}

static void topology_table(page *p, const json *net[2]) {
    char title[160];
    snprintf(title, sizeof title, "The two networks; parts given: %s.",
             json_text_of(p->r->graph.root, "settings.partition", "none"));
    put(p, "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Topology\"><table>"
           "<caption>");
    text_print(&p->html, "<b>Table %u.</b> ", ++p->tables);
    put_text(p, title);
    put(p, "</caption><thead><tr><th scope=\"col\" class=\"words\">measure</th><th scope=\"col\">"
           "synergy</th><th scope=\"col\">redundancy</th></tr></thead><tbody>\n");
    for (size_t k = 0; k < sizeof topology_row / sizeof topology_row[0]; k++) {
        put(p, "<tr><th scope=\"row\" class=\"words\">");
        put_text(p, topology_row[k].what);
        put(p, "</th>");
        for (int n = 0; n < 2; n++)
            number_cell(p, json_number_of(net[n], topology_row[k].key, (double)NAN));
        put(p, "</tr>\n");
    }
    put(p, "</tbody></table></div>\n");
}

static void null_cells(page *p, const json *net, size_t k) {
    const json *f = json_get(json_get(json_get(net, "null"), null_row[k].kind), null_row[k].figure);
    number_cell(p, json_number_of(f, "observed", (double)NAN));
    number_cell(p, json_number_of(f, "mean", (double)NAN));
    number_cell(p, json_number_of(f, "z", (double)NAN));
}

static void null_table(page *p, const json *net[2]) {
    if (!json_get(net[0], "null")) return;
    put(p, "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Null networks\"><table>"
           "<caption>");
    text_print(&p->html, "<b>Table %u.</b> Against %.0f null networks of each kind.", ++p->tables,
               json_number_of(p->r->graph.root, "settings.nulls", 0));
    put(p, "</caption><thead><tr><th scope=\"col\" class=\"words\">null and figure</th>");
    for (int n = 0; n < 2; n++) {
        const char *name = n ? "redundancy" : "synergy";
        text_print(&p->html, "<th scope=\"col\">%s</th><th scope=\"col\">null mean</th>"
                             "<th scope=\"col\">z</th>", name);
    }
    put(p, "</tr></thead><tbody>\n");
    for (size_t k = 0; k < sizeof null_row / sizeof null_row[0]; k++) {
        put(p, "<tr><th scope=\"row\" class=\"words\">");
        put_text(p, null_row[k].what);
        put(p, "</th>");
        for (int n = 0; n < 2; n++) null_cells(p, net[n], k);
        put(p, "</tr>\n");
    }
    put(p, "</tbody></table></div>\n");
}

static void topology(page *p) {
    const json *net[2] = {json_get(p->r->graph.root, "synergy"),
                          json_get(p->r->graph.root, "redundancy")};
    if (!net[0] || !net[1]) return;
    put(p, "<h2 id=\"topology\">Topology</h2>\n<ul class=\"two\">\n");
    list_of(p, p->r->graph.root, "conclusions");
    put(p, "</ul>\n");
    topology_table(p, net);
    null_table(p, net);
    put(p, "<p>Global efficiency is the mean over pairs of one over the shortest way, an edge being "
           "as long as one over its weight; with raw weights it mostly restates the mean weight. A z "
           "is the distance from the mean of the null networks in their standard deviations; a dash "
           "where the null cannot change the figure.</p>\n");
}

static void scatters(page *p) {
    put(p, "<h2 id=\"confounds\">What else explains the scores</h2>\n");
    begin_figure(p);
    panel_scatter(p, UNIT_REDUNDANCY, UNIT_SYNERGY, "scatter-redundancy-synergy",
                  "mean redundancy, nats", "mean synergy, nats");
    panel_scatter(p, UNIT_SELF, UNIT_SYNERGY, "scatter-memory-synergy",
                  "self-information (memory), nats", "mean synergy, nats");
    end_figure(
        p, "Left: a unit that shares much synergy tends to share much redundancy, or not. Right: "
           "synergy against how well a unit\xe2\x80\x99s own past predicts its own future; with "
           "MMI two unrelated series with memory have synergy, so a steep line means that the "
           "ranking is a ranking of memory. Axes have decades where values are very uneven.");
}

/* "rank_difference" reads better as "rank difference". */
static void put_name(page *p, const char *name) {
    char s[64];
    snprintf(s, sizeof s, "%s", name);
    for (char *c = s; *c; c++)
        if (*c == '_') *c = ' ';
    put_text(p, s);
}

static void spearman_cell(page *p, double v) {
    char s[16];
    if (!isfinite(v)) {
        put(p, "<td>\xe2\x80\x93</td>");
        return;
    }
    colour c = colour_diverging(v);
    snprintf(s, sizeof s, "%s%.2f", v < -0.005 ? "\xe2\x88\x92" : "", fabs(v));
    text_print(&p->html, "<td style=\"background:#%02x%02x%02x;color:%s\">%s</td>", c.r, c.g, c.b,
               colour_is_dark(c) ? "#fff" : "#111", s);
}

static void spearman_table(page *p, const char *which, const char *title) {
    const json *root = json_get(p->r->phiid.root, "spearman");
    const json *names = json_get(root, "columns"), *rows = json_get(root, which);
    if (!names || !rows || names->kind != JSON_ARRAY || rows->kind != JSON_ARRAY) return;
    put(p, "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Correlations\"><table "
           "class=\"matrix\"><caption>");
    text_print(&p->html, "<b>Table %u.</b> ", ++p->tables);
    put_text(p, title);
    put(p, "</caption><thead><tr><td></td>");
    for (const json *n = names->child; n; n = n->next) {
        put(p, "<th scope=\"col\">");
        put_name(p, n->text ? n->text : "");
        put(p, "</th>");
    }
    put(p, "</tr></thead><tbody>\n");
    const json *row = rows->child;
    for (const json *n = names->child; n && row; n = n->next, row = row->next) {
        put(p, "<tr><th scope=\"row\">");
        put_name(p, n->text ? n->text : "");
        put(p, "</th>");
        for (const json *c = row->child; c; c = c->next)
            spearman_cell(p, c->kind == JSON_NUMBER ? c->number : (double)NAN);
        put(p, "</tr>\n");
    }
    put(p, "</tbody></table></div>\n");
}

/* ---- tables of units ------------------------------------------------------------------ */

static const struct { unit_column column; const char *head; } table_column[] = {
    {UNIT_RANK_DIFFERENCE, "rank difference"}, {UNIT_DIFFERENCE_RANK, "rank of difference"},
    {UNIT_SYNERGY, "synergy, nats"}, {UNIT_REDUNDANCY, "redundancy, nats"},
    {UNIT_SELF, "self-information, nats"}, {UNIT_MEAN_NORM, "mean norm"}};
enum { TABLE_COLUMNS = sizeof table_column / sizeof table_column[0] };

static void table_head(page *p, const char *title, bool intervals) {
    put(p, "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"");
    put_text(p, title);
    put(p, "\"><table><caption>");
    text_print(&p->html, "<b>Table %u.</b> ", ++p->tables);
    put_text(p, title);
    text_print(&p->html,
               "</caption><thead><tr><th scope=\"col\">%s</th><th scope=\"col\">score</th>",
               p->r->one);
    if (intervals) put(p, "<th scope=\"col\">95 % interval</th>");
    for (int c = 0; c < TABLE_COLUMNS; c++) {
        if (!p->r->column[table_column[c].column]) continue;
        put(p, "<th scope=\"col\">");
        put_text(p, table_column[c].head);
        put(p, "</th>");
    }
    put(p, "</tr></thead><tbody>\n");
}

static void table_row(page *p, size_t unit, bool intervals) {
    const report *r = p->r;
    text_print(&p->html, "<tr><th scope=\"row\">%zu.%zu</th><td>",
               r->first_layer + unit / r->per_layer,
               unit % r->per_layer);
    put_number(p, r->column[UNIT_SCORE] ? r->column[UNIT_SCORE][unit] : (double)NAN);
    put(p, "</td>");
    if (intervals) {
        put(p, "<td>");
        put_number(p, r->column[UNIT_SCORE_LOW][unit]);
        put(p, " to ");
        put_number(p, r->column[UNIT_SCORE_HIGH][unit]);
        put(p, "</td>");
    }
    for (int c = 0; c < TABLE_COLUMNS; c++) {
        const double *v = r->column[table_column[c].column];
        if (!v) continue;
        put(p, "<td>");
        put_number(p, v[unit]);
        put(p, "</td>");
    }
    put(p, "</tr>\n");
}

static bool has_intervals(const report *r) {
    if (!r->column[UNIT_SCORE_LOW] || !r->column[UNIT_SCORE_HIGH]) return false;
    for (size_t i = 0; i < r->count; i++)
        if (isfinite(r->column[UNIT_SCORE_LOW][i])) return true;
    return false;
}

static void unit_table(page *p, const char *title, const size_t *order, size_t from, size_t to) {
    bool intervals = has_intervals(p->r);
    table_head(p, title, intervals);
    for (size_t i = from; i < to; i++) table_row(p, order[i], intervals);
    put(p, "</tbody></table></div>\n");
}

enum { SHOWN_UNITS = 10, MOST_TABLE_ROWS = 1200 };

static void units_section(page *p) {
    const report *r = p->r;
    char title[160];
    size_t n;
    size_t *order = order_of_score(r, r->column[UNIT_SCORE], &n);
    size_t shown = n < 2 * SHOWN_UNITS ? n / 2 : SHOWN_UNITS;
    text_print(&p->html, "<h2 id=\"units\">Highest and lowest %s</h2>\n", r->many);
    if (n == 0) put(p, "<p>No unit has a score.</p>\n");
    if (n) {
        snprintf(title, sizeof title, "The %zu %s with the highest score (%s).", shown, r->many,
                 r->score);
        unit_table(p, title, order, 0, shown);
        snprintf(title, sizeof title, "The %zu %s with the lowest score (%s).", shown, r->many,
                 r->score);
        unit_table(p, title, order, n - shown, n);
    }
    if (n && r->count <= MOST_TABLE_ROWS) {
        put(p, "<details><summary>All of them</summary>\n");
        snprintf(title, sizeof title, "All %zu %s with a score, the highest first.", n, r->many);
        unit_table(p, title, order, 0, n);
        put(p, "</details>\n");
    }
    free(order);
}

/* ---- method, prompts, how to repeat ---------------------------------------------------- */

static void method(page *p) {
    const json *root = p->r->phiid.root;
    const char *redundancy = json_text_of(root, "settings.redundancy", "mmi");
    put(p, "<h2 id=\"limits\">Method and its limits</h2>\n<p>");
    text_print(&p->html,
               "For each prompt and each pair of %s, integrated information decomposition "
               "(Mediano et al. 2021) splits what the pair\xe2\x80\x99s past tells about its "
               "future, %.0f "
               "sample%s later, into sixteen atoms, the series taken as jointly Gaussian and the "
               "redundancy "
               "as ",
               p->r->many, number_at(p, "settings.tau"),
               number_at(p, "settings.tau") == 1.0 ? "" : "s");
    put(p, strcmp(redundancy, "ccs") ? "the minimum mutual information (MMI)"
                                     : "the common change in surprisal (CCS)");
    put(p, ". <i>Synergy</i> is the atom sts: what only both together hold, now and later. "
           "<i>Redundancy</i> is rtr: what each holds alone, now and later. The figure of a unit "
           "is the "
           "mean over its pairs and prompts.</p>\n<ul>\n");
    if (strcmp(redundancy, "ccs"))
        put(p, "<li>With MMI the synergy of two unrelated series is not zero: it is twice the "
               "smaller of "
               "their self-informations. A slow unit looks synergistic with everything. Only a "
               "null that "
               "keeps each unit\xe2\x80\x99s memory, such as circular shifts "
               "(<code>--surrogates</code>), "
               "tells coupling from memory.</li>\n");
    put(p, "<li>Short series are biased: at 100 samples independent white noise has about 0.0035 "
           "nats of "
           "synergy and 0.0006 of redundancy, and series with memory have more.</li>\n"
           "<li>Where mean synergy and mean redundancy of the units go together, their rank "
           "difference is "
           "a small difference of two large numbers; its reliability is stated above.</li>\n"
           "<li>Intervals are drawn over prompts: they say how the result would vary with other "
           "prompts of "
           "the same kind, not with another model or another way of measuring.</li>\n"
           "<li>A norm is one number of a unit\xe2\x80\x99s output. Units can share information "
           "that their "
           "norms do not show.</li>\n</ul>\n");
}

static void cell(page *p, const char *words) {
    put(p, "<td class=\"words long\">");
    put_text(p, words);
    put(p, "</td>");
}

static const char *first_text(const json *object, const char *const *keys) {
    for (; *keys; keys++) {
        const char *s = json_text_of(object, *keys, "");
        if (*s) return s;
    }
    return "";
}

/* At most n bytes, cut at a character, with an ellipsis. */
static void shortened(const char *s, size_t n, char *to) {
    size_t length = strlen(s);
    if (length <= n) {
        memcpy(to, s, length + 1);
        return;
    }
    while (n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80) n--;
    memcpy(to, s, n);
    memcpy(to + n, "\xe2\x80\xa6", 4);
}

static void prompts(page *p) {
    static const char *const text_keys[] = {"text", "prompt", NULL};
    static const char *const answer_keys[] = {"continuation", "output", "generated",
                                              "answer",       "first",  NULL};
    const json *list = json_get(p->r->run.root, "prompts");
    if (!list || list->kind != JSON_ARRAY || !list->child) return;
    bool answers = false, categories = false;
    for (const json *c = list->child; c; c = c->next) {
        answers = answers || *first_text(c, answer_keys);
        categories = categories || *json_text_of(c, "category", "");
    }
    put(p, "<h2 id=\"prompts\">Prompts</h2>\n");
    text_print(&p->html, "<details><summary>The %zu prompts%s</summary>\n", list->count,
               answers ? " and how the model went on" : "");
    put(p, "<div class=\"wide\" tabindex=\"0\" role=\"region\" "
           "aria-label=\"Prompts\"><table><thead><tr>"
           "<th scope=\"col\">#</th>");
    if (categories) put(p, "<th scope=\"col\" class=\"words\">kind</th>");
    put(p, "<th scope=\"col\" class=\"words\">prompt</th>");
    if (answers) put(p, "<th scope=\"col\" class=\"words\">first tokens of the answer</th>");
    put(p, "</tr></thead><tbody>\n");
    size_t number = 0;
    for (const json *c = list->child; c; c = c->next) {
        char shown[408];
        text_print(&p->html, "<tr><th scope=\"row\">%zu</th>", number++);
        if (categories) {
            put(p, "<td class=\"words\">");
            put_text(p, json_text_of(c, "category", ""));
            put(p, "</td>");
        }
        shortened(c->kind == JSON_TEXT ? c->text : first_text(c, text_keys), 400, shown);
        cell(p, shown);
        shortened(first_text(c, answer_keys), 200, shown);
        if (answers) cell(p, shown);
        put(p, "</tr>\n");
    }
    put(p, "</tbody></table></div>\n</details>\n");
}

static void setting_rows(page *p, const json *object, const char *of) {
    if (!object || object->kind != JSON_OBJECT) return;
    for (const json *c = object->child; c; c = c->next) {
        if (c->kind == JSON_OBJECT || c->kind == JSON_ARRAY) continue;
        put(p, "<tr><td class=\"words\">");
        put_text(p, of);
        put(p, "</td><td class=\"words\">");
        put_name(p, c->key);
        put(p, "</td><td class=\"words\">");
        put_text(p, c->kind == JSON_TRUE ? "yes" : c->kind == JSON_FALSE ? "no"
                 : c->kind == JSON_NULL ? "\xe2\x80\x93" : c->text);
        put(p, "</td></tr>\n");
    }
}

static void repeat_command(page *p) {
    const report *r = p->r;
    const json *root = r->phiid.root, *run = r->run.root;
    put(p, "<pre>");
    const char *told = json_text_of(run, "command", "");
    if (*told) {
        put_text(p, told);
        put(p, "\n");
    } else if (run) {
        put(p, "synergy capture ");
        put_text(p, json_text_of(run, "model.file", "MODEL"));
        text_print(&p->html, " --prompts %s -n %.0f -o DIR\n",
                   json_text_of(run, "settings.prompts", "builtin"), number_at(p, "input.samples"));
    }
    put(p, "synergy phiid ");
    put_text(p, run ? "DIR" : json_text_of(root, "input.file", "NORMS.npy"));
    text_print(&p->html,
               " -o DIR --tau %.0f --redundancy %s --score %s --flagged %s --seed %.0f "
               "--resamples %.0f --surrogates %.0f\nsynergy report DIR</pre>\n",
               number_at(p, "settings.tau"), json_text_of(root, "settings.redundancy", "mmi"),
               r->score, json_text_of(root, "settings.flagged", "exclude"),
               number_at(p, "settings.seed"), number_at(p, "settings.resamples"),
               number_at(p, "settings.surrogates"));
}

static void repeat(page *p) {
    put(p, "<h2 id=\"repeat\">To repeat it</h2>\n");
    repeat_command(p);
    put(p,
        "<p>The numbers stand beside this page: <code>units.csv</code>, "
        "<code>profile.csv</code>, "
        "<code>synergy.npy</code>, <code>redundancy.npy</code>, <code>phiid.json</code>; each "
        "figure "
        "is <code>figures/NAME.svg</code> with its data in <code>figures/NAME.csv</code>.</p>\n"
        "<details><summary>All settings</summary>\n<div class=\"wide\" tabindex=\"0\" "
        "role=\"region\" aria-label=\"Settings\"><table><thead><tr><th class=\"words\" "
        "scope=\"col\">of</th><th class=\"words\" scope=\"col\">setting</th><th class=\"words\" "
        "scope=\"col\">value</th></tr></thead><tbody>\n");
    setting_rows(p, model_of(p->r), "model");
    setting_rows(p, json_get(p->r->run.root, "settings"), "capture");
    setting_rows(p, json_get(p->r->phiid.root, "input"), "norms");
    setting_rows(p, json_get(p->r->phiid.root, "settings"), "phiid");
    setting_rows(p, json_get(p->r->graph.root, "settings"), "graph");
    put(p, "</tbody></table></div>\n</details>\n");
    text_print(&p->html, "<p class=\"identity\">Made by synergy %s.</p>\n", tool_version());
}

/* ---- the page ------------------------------------------------------------------------- */

static void head(page *p) {
    put(p, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta "
           "name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta "
           "name=\"color-scheme\" content=\"light dark\">\n<title>");
    put_text(p, p->r->name);
    put(p, ": synergy and redundancy</title>\n<style>\n");
    put(p, report_figure_style);
    put(p, report_page_style);
    put(p, "</style>\n</head>\n<body>\n<svg width=\"0\" height=\"0\" aria-hidden=\"true\" "
           "style=\"position:absolute;width:0;height:0\">");
    put(p, report_figure_defs);
    put(p, "</svg>\n<header>\n<p class=\"eyebrow\">Synergy and redundancy of ");
    text_print(&p->html, "%zu %s", p->r->count, p->r->many);
    put(p, "</p>\n<h1>");
    put_text(p, p->r->name);
    put(p, "</h1>\n");
    identity(p);
    put(p, "</header>\n<main>\n<p class=\"finding\">");
    put_sentence(p, json_text_of(p->r->phiid.root, "finding", ""));
    put(p, "</p>\n");
    facts(p);
    put(p, "<nav aria-label=\"Contents\"><a href=\"#profile\">Profile</a><a href=\"#words\">In "
           "words</a><a href=\"#maps\">Maps</a><a href=\"#pairs\">Pairs</a><a "
           "href=\"#confounds\">Confounds</a>");
    if (json_get(p->r->graph.root, "synergy")) put(p, "<a href=\"#topology\">Topology</a>");
    put(p, "<a href=\"#units\">Tables</a><a href=\"#limits\">Limits</a><a href=\"#repeat\">Repeat"
           "</a></nav>\n");
}

static void build(page *p) {
    head(p);
    profiles(p);
    words(p);
    maps(p);
    matrices(p);
    topology(p);
    scatters(p);
    spearman_table(p, "units", "Spearman correlations over units.");
    put(p, "<details><summary>The same over layer means</summary>\n");
    spearman_table(p, "layers", "Spearman correlations over layer means.");
    put(p, "</details>\n");
    units_section(p);
    method(p);
    prompts(p);
    repeat(p);
    put(p, "</main>\n</body>\n</html>\n");
}

bool report_run(const char *directory, problem *why) {
    report r;
    char path[TOOL_PATH_BYTES];
    if (!report_load(&r, directory, why)) return false;
    page p = {&r, {NULL, 0, 0}, 0, 0, why, true};
    p.good = path_join(path, directory, "figures", why) && directory_make(path, why);
    if (p.good) build(&p);
    p.good = p.good && path_join(path, directory, "report.html", why) &&
             file_write(path, p.html.at, p.html.length, why);
    text_free(&p.html);
    report_close(&r);
    return p.good;
}
