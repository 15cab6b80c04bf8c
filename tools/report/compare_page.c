/* compare_page.c - a comparison as one HTML page. */
#include "report/compare.h"

#include <math.h>
#include <string.h>

/* ---- profiles --------------------------------------------------------------------------- */

static void panel(page *p, const comparison *c, const char *id, const char *title,
                  const char *y_label, bool percentiles)
{
    line l[COMPARE_MOST];
    figure f = {0};
    char desc[160];
    for (size_t k = 0; k < c->count; k++) {
        l[k].name = c->at[k].mark;
        l[k].at = percentiles ? c->at[k].percentile : c->at[k].raw;
        l[k].style = (int)k;
        l[k].points = c->count <= 4;
    }
    snprintf(desc, sizeof desc,
             "%s of %zu results over normalised depth, a line each with its 95 %% "
             "interval.",
             title, c->count);
    chart ch = {id,
                title,
                desc,
                "depth, %",
                y_label,
                0,
                percentiles ? 1 : 0,
                CHART_PERCENT_X | (percentiles ? CHART_PERCENT_Y : 0),
                l,
                c->count};
    figure_lines(&ch, &f);
    page_panel(p, id, &f);
}

static void profiles(page *p, const comparison *c)
{
    char axis[64];
    const char *unit = report_score_unit(c->score);
    page_put(p, "<h2 id=\"profiles\">Profiles over depth</h2>\n");
    page_figure(p);
    panel(p, c, "compare-percentile", "Percentile of the layer mean", "percentile of the layer, %",
          true);
    snprintf(axis, sizeof axis, "mean of the layer%s%s", *unit ? ", " : "", unit);
    panel(p, c, "compare-mean", "Layer mean", axis, false);
    page_figure_end(
        p, "Depth 0\xc2\xa0% is the first layer, 100\xc2\xa0% the last. Left: where a "
           "layer\xe2\x80\x99s mean stands "
           "among the layers of its result; the band is where the ends of its 95\xc2\xa0% interval "
           "over prompts would stand. Right: the means themselves, with that interval.");
}

/* ---- tables ----------------------------------------------------------------------------- */

static void cell_interval(page *p, const syn_interval *v)
{
    page_cell_estimate(p, v->value, v->low, v->high);
}

static void results_table(page *p, const comparison *c)
{
    static const char *const head[] = {"layers",   "units",      "prompts",
                                       "samples",  "peak depth", "middle \xe2\x88\x92 outer",
                                       "curvature"};
    page_table(p, NULL, "Results", "The results; 95 % intervals over prompts in parentheses.");
    page_table_head_words(p, "result");
    page_table_head_words(p, "model");
    for (size_t k = 0; k < sizeof head / sizeof head[0]; k++) page_table_head(p, head[k]);
    page_table_body(p);
    for (size_t k = 0; k < c->count; k++) {
        const compared *f = &c->at[k];
        char row[COMPARE_LABEL + 24];
        snprintf(row, sizeof row, "%zu %s", k + 1, f->label);
        page_row(p, row);
        page_cell_words(p, f->r.name);
        page_cell(p, (double)f->r.layers);
        page_cell(p, (double)f->r.count);
        page_cell(p, report_number(&f->r, "input.prompts_used"));
        page_cell(p, report_number(&f->r, "input.samples"));
        cell_interval(p, &f->peak);
        cell_interval(p, &f->middle);
        cell_interval(p, &f->curvature);
        page_row_end(p);
    }
    page_table_end(p);
}

static void matrix_table(page *p, const comparison *c)
{
    page_table(p, "matrix", "Agreement", "Spearman rank correlation between the results.");
    page_put(p, "<td></td>");
    for (size_t k = 0; k < c->count; k++) page_table_head(p, c->at[k].mark);
    page_table_body(p);
    for (size_t a = 0; a < c->count; a++) {
        page_row(p, c->at[a].mark);
        for (size_t b = 0; b < c->count; b++)
            page_cell_correlation(p, a == b  ? 1
                                     : a < b ? c->pair[a][b].spearman.value
                                             : c->pair[b][a].spearman.value);
        page_row_end(p);
    }
    page_table_end(p);
}

static void pair_row(page *p, const comparison *c, size_t a, size_t b)
{
    const agreement *g = &c->pair[a][b];
    char row[112];
    snprintf(row, sizeof row, "%s, %s", c->at[a].mark, c->at[b].mark);
    page_row(p, row);
    page_cell_words(p, g->by_units ? "units" : "profiles");
    page_cell(p, (double)g->count);
    cell_interval(p, &g->spearman);
    if (g->quarter) {
        snprintf(row, sizeof row, "%zu of %zu", g->shared, g->quarter);
        page_put(p, "<td>");
        page_text(p, row);
        page_put(p, "</td>");
        cell_interval(p, &g->jaccard);
        cell_interval(p, &g->chance);
        page_cell(p, g->p);
    } else {
        for (int k = 0; k < 4; k++) page_cell(p, (double)NAN);
    }
    page_row_end(p);
}

static void pairs_table(page *p, const comparison *c)
{
    static const char *const head[] = {"ranked",        "Spearman",  "top quarter shared",
                                       "Jaccard index", "by chance", "p"};
    page_table(p, NULL, "Agreement in detail",
               "Every two results, and the units that are in the top quarter "
               "of both; 95 % intervals in parentheses.");
    page_table_head_words(p, "results");
    page_table_head_words(p, "by");
    for (size_t k = 0; k < sizeof head / sizeof head[0]; k++) page_table_head(p, head[k]);
    page_table_body(p);
    for (size_t a = 0; a < c->count; a++)
        for (size_t b = a + 1; b < c->count; b++) pair_row(p, c, a, b);
    page_table_end(p);
}

static void agreements(page *p, const comparison *c)
{
    page_put(p, "<h2 id=\"agreement\">Agreement in rank</h2>\n");
    matrix_table(p, c);
    pairs_table(p, c);
    page_put(
        p,
        "<p>Where layers, units and architecture are the same (checkpoints or quantisations of one "
        "model), the scores of the units are ranked, and the Jaccard index tells how much of the "
        "two top "
        "quarters is shared: its interval is the exact binomial one (Clopper and Pearson) of the "
        "shared "
        "part, and chance is the exact distribution of two random quarters. Elsewhere the profiles "
        "are "
        "ranked, interpolated at the depths of the one with fewer layers. The interval of a "
        "Spearman "
        "correlation is Fisher\xe2\x80\x99s, with the variance of Bonett and Wright (2000); it "
        "takes units, or "
        "layers, as independent, which they are in part.</p>\n");
}

/* A panel for each result, and one table of all. */
static void beside_paper(page *p, const comparison *c)
{
    const char *label[COMPARE_MOST];
    page_put(p, "<h2 id=\"paper\">Beside the paper</h2>\n<ul>\n");
    for (size_t k = 0; k < c->count; k++) {
        text words = {NULL, 0, 0};
        label[k] = c->at[k].label;
        paper_words(&c->paper[k], &words);
        page_put(p, "<li>");
        page_text(p, c->at[k].label);
        page_put(p, ": ");
        page_sentence(p, words.at);
        page_put(p, "</li>\n");
        text_free(&words);
    }
    page_put(p, "</ul>\n");
    page_figure(p);
    for (size_t k = 0; k < c->count; k++) {
        char id[32], title[COMPARE_LABEL];
        figure f = {0};
        snprintf(id, sizeof id, "paper-%zu", k + 1);
        snprintf(title, sizeof title, "%.50s: %s", c->at[k].mark, c->paper[k].model->name);
        figure_paper(&c->paper[k], id, title, &f);
        page_panel(p, id, &f);
    }
    page_figure_end(p, paper_caption);
    paper_table(p, c->paper, label, c->count);
}

/* ---- the page --------------------------------------------------------------------------- */

static void page_note(void *to, const char *note)
{
    page_put(to, "<li>");
    page_sentence(to, note);
    page_put(to, "</li>\n");
}

static void repeat(page *p, const comparison *c)
{
    page_put(p, "<h2 id=\"repeat\">To repeat it</h2>\n<pre>synergy compare");
    for (size_t k = 0; k < c->count; k++) {
        page_put(p, " ");
        page_shell(p, c->at[k].directory);
    }
    page_put(p, " --score ");
    page_shell(p, c->score);
    if (c->options->labels) {
        page_put(p, " --labels ");
        page_shell(p, c->options->labels);
    }
    if (c->options->paper) page_put(p, *c->options->paper ? " --paper=" : " --paper");
    if (c->options->paper && *c->options->paper) page_shell(p, c->options->paper);
    page_put(p, " -o ");
    page_shell(p, c->options->output);
    page_put(p, "</pre>\n<p>The profiles stand beside this page as CSV.</p>\n");
}

static void build(page *p, const comparison *c)
{
    text finding = {NULL, 0, 0};
    page_begin(p, "Comparison", ": synergy and redundancy over depth");
    text_print(&p->html, "<header>\n<p class=\"eyebrow\">Comparison of %zu result%s</p>\n<h1>",
               c->count, c->count == 1 ? " with the paper" : "s");
    page_text(p, report_score_title(c->score));
    page_put(p, "</h1>\n</header>\n<main id=\"main\">\n<div class=\"finding\"><p>");
    compare_finding(c, &finding);
    page_sentence(p, finding.at);
    text_free(&finding);
    page_put(p, "</p></div>\n");
    profiles(p, c);
    if (c->options->paper) beside_paper(p, c);
    results_table(p, c);
    page_put(p, "<ul>\n");
    compare_notes(c, page_note, p);
    page_put(p, "</ul>\n");
    if (c->count > 1) agreements(p, c);
    repeat(p, c);
    page_end(p);
}

bool compare_page(const comparison *c, problem *why)
{
    page p = {.good = true, .why = why};
    build(&p, c);
    bool good = file_write(c->options->output, p.html.at, p.html.length, why);
    page_free(&p);
    return good;
}
