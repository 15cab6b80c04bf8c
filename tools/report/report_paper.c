/* report_paper.c - a measured result beside the figures of the paper: words, chart, table. */
#include "report/paper.h"

#include <math.h>
#include <string.h>

/* ---- words ------------------------------------------------------------------------------ */

static void names_of_all(text *to)
{
    for (size_t k = 0; k < paper_rows; k++)
        text_print(to, "%s%s",
                   k == 0               ? ""
                   : k + 1 < paper_rows ? ", "
                                        : " and ",
                   paper_list[k].title);
}

static void kin_words(const paper_beside *b, text *to)
{
    const paper_model *m = b->model;
    const char *own = b->r->name;
    if (b->kin == PAPER_SAME) {
        text_print(to, "%s is %s, a model of the paper", own, m->title);
    } else if (b->kin == PAPER_SHAPE) {
        text_print(to,
                   "%s has the architecture, layers, %s and parameters of %s, a model of the "
                   "paper; its name does not say that it is the same one",
                   own, b->r->many, m->title);
    } else if (report_model(b->r)) {
        text_print(to, "%s is none of the five models of the paper (", own);
        names_of_all(to);
        text_print(to, b->asked ? "); %s stands beside it, as asked" : "); the nearest is %s",
                   m->title);
    } else {
        text_print(to,
                   b->asked
                       ? "The result does not say which model it is from; %s stands beside it, "
                         "as asked"
                       : "The result does not say which model it is from; of the models of "
                         "the paper %s is the nearest by its layers",
                   m->title);
    }
    if (!strcmp(b->r->one, "expert") != m->experts)
        text_print(to, " (of which the paper shows %s, not %s)", m->experts ? "experts" : "heads",
                   b->r->many);
    text_print(to, ": %s, %s.", PAPER_WORDS, m->source);
}

static const char *score_words(const char *score)
{
    return !strcmp(score, "difference")        ? "the rank of the difference"
           : !strcmp(score, "rank-difference") ? "the rank difference"
                                               : score;
}

/* "Spearman over layers: the rank of the difference 0.70 (0.29 to 0.89), ..." */
static void spearman_words(const paper_beside *b, bool over_units, text *to)
{
    size_t told = 0;
    for (size_t k = 0; k < b->count; k++) {
        const paper_score *s = &b->at[k];
        const syn_interval *v = over_units ? &s->units : &s->layers;
        if (!isfinite(v->value)) continue;
        if (told++) text_add(to, ", ");
        else text_print(to, " Spearman over %s: ", over_units ? b->r->many : "layers");
        text_print(to, "%s %.2f", score_words(s->score), v->value);
        if (isfinite(v->low)) text_print(to, " (%.2f to %.2f)", v->low, v->high);
    }
    if (told) text_add(to, ".");
}

void paper_words(const paper_beside *b, text *to)
{
    kin_words(b, to);
    spearman_words(b, false, to);
    spearman_words(b, true, to);
    if (b->count && b->r->layers != b->model->layers)
        text_print(to, " %zu layers stand against %zu by their depth.", b->r->layers,
                   b->model->layers);
}

/* ---- chart ------------------------------------------------------------------------------ */

static curve percentile_of(const report *r, const char *score)
{
    curve c = curve_new(r->layers);
    report_profile(r, score, "percentile", c.y);
    for (size_t l = 0; l < c.n; l++) {
        c.x[l] = (double)l / (double)(c.n - 1);
        c.low[l] = c.high[l] = (double)NAN;
    }
    return c;
}

void figure_paper(const paper_beside *b, const char *id, const char *title, figure *f)
{
    static const char *const short_name[][2] = {{"difference", "difference"},
                                                {"rank-difference", "rank diff."}};
    enum { GREY = LINE_STYLES - 1 };
    line l[PAPER_SCORES + 1] = {{"paper", paper_percentile(b->model), GREY, true}};
    char desc[200];
    for (size_t k = 0; k < b->count; k++) {
        const char *score = b->at[k].score;
        l[k + 1] = (line){score, percentile_of(b->r, score), (int)k, false};
        for (size_t i = 0; i < sizeof short_name / sizeof short_name[0]; i++)
            if (!strcmp(score, short_name[i][0])) l[k + 1].name = short_name[i][1];
    }
    snprintf(desc, sizeof desc,
             "The percentile of each layer's mean over depth: %s in the paper, and as measured.",
             b->model->title);
    chart c = {id,
               title,
               desc,
               "depth, %",
               "percentile of the layer, %",
               0,
               1,
               CHART_PERCENT_X | CHART_PERCENT_Y,
               l,
               b->count + 1};
    figure_lines(&c, f);
    for (size_t k = 0; k <= b->count; k++) curve_free(&l[k].at);
}

/* ---- table ------------------------------------------------------------------------------ */

static void cell_spearman(page *p, const syn_interval *v, size_t ranked)
{
    const double none = (double)NAN;
    if (ranked) page_cell_estimate(p, v->value, v->low, v->high);
    else page_cell(p, none);
    page_cell(p, ranked ? (double)ranked : none);
}

void paper_table(page *p, const paper_beside *b, const char *const *label, size_t count)
{
    page_table(p, NULL, "Agreement with the paper",
               "Spearman rank correlation with the figures of the paper; 95 % intervals in "
               "parentheses.");
    if (label) page_table_head_words(p, "result");
    page_table_head_words(p, label ? "model of the paper" : "score");
    if (label) page_table_head_words(p, "score");
    page_table_head(p, "over layers");
    page_table_head(p, "layers ranked");
    page_table_head(p, "over heads");
    page_table_head(p, "heads ranked");
    page_table_body(p);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < b[i].count; k++) {
            const paper_score *s = &b[i].at[k];
            page_row(p, label ? label[i] : s->score);
            if (label) page_cell_words(p, b[i].model->name);
            if (label) page_cell_words(p, s->score);
            cell_spearman(p, &s->layers, s->layers_ranked);
            cell_spearman(p, &s->units, s->units_ranked);
            page_row_end(p);
        }
    page_table_end(p);
}

const char *const paper_caption =
    "The percentile of each layer\xe2\x80\x99s mean among the layers, over depth. Grey: the paper, "
    "read from its figure. The others: as measured, by both readings of the score. The figures of "
    "the paper seem to be made from the rank of the difference, its text defines the rank "
    "difference. The intervals of the Spearman correlations are Fisher\xe2\x80\x99s, with the "
    "variance of Bonett and Wright (2000); they take layers, or heads, as independent, which they "
    "are in part.";

/* ---- the report's section --------------------------------------------------------------- */

bool report_has_paper(const report *r)
{
    return report_model(r) && r->layers >= 3;
}

void report_paper(page *p, const report *r)
{
    figure f = {0};
    text words = {NULL, 0, 0};
    if (!report_has_paper(r)) return;
    const paper_beside b = paper_compare(r, NULL, NULL);
    if (!b.count) return;
    page_put(p, "<h2 id=\"paper\">Beside the paper\xe2\x80\x99s own figure</h2>\n<p>");
    paper_words(&b, &words);
    page_sentence(p, words.at);
    text_free(&words);
    page_put(p, "</p>\n");
    page_figure(p);
    figure_paper(&b, "profile-paper", b.model->title, &f);
    page_panel(p, "profile-paper", &f);
    page_figure_end(p, paper_caption);
    paper_table(p, &b, NULL, 1);
}
