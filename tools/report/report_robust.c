/* report_robust.c - which conclusions hold under every estimator? The folders DIR/estimators/NAME
   beside the main result, side by side: in the page, in the terminal and in robustness.csv. */
#include "report/report.h"
#include "report/stage.h"

#include "engine/estimators.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One estimator's result. */
typedef struct told {
    const estimator_row *row;
    bool main; /* the result folder itself */
    report r;
    double same[2]; /* Spearman of the unit scores with those of the main result, both readings */
} told;

typedef struct robust {
    const report *main;
    told at[ESTIMATOR_ROWS];
    size_t count;
} robust;

static const char *const reading[2] = {"rank-difference", "difference"};
static const unit_column reading_column[2] = {UNIT_RANK_DIFFERENCE, UNIT_DIFFERENCE_RANK};

/* ---- reading ------------------------------------------------------------------------------ */

/* Of the same recording, in the same way but for the estimator? */
static bool same_question(const json *a, const json *b)
{
    static const char *const key[] = {"input.sha256",     "settings.redundancy", "settings.flagged",
                                      "settings.detrend", "settings.prompts",    "settings.missing",
                                      "settings.null",    "settings.columns",    "settings.skip"};
    for (size_t k = 0; k < sizeof key / sizeof key[0]; k++)
        if (strcmp(json_text_of(a, key[k], ""), json_text_of(b, key[k], ""))) return false;
    return !(fabs(json_number_of(a, "settings.tau", 1) - json_number_of(b, "settings.tau", 1)) > 0);
}

static bool is_main(const report *r, const estimator_row *row)
{
    const json *root = r->phiid.root;
    return estimator_is(
        row,
        !strcmp(json_text_of(root, "settings.estimator", "gaussian"), "copula")   ? SYN_COPULA
        : !strcmp(json_text_of(root, "settings.estimator", "gaussian"), "binary") ? SYN_BINARY
                                                                                  : SYN_GAUSSIAN,
        strcmp(json_text_of(root, "settings.transform", "none"), "log") ? SYN_TRANSFORM_NONE
                                                                        : SYN_TRANSFORM_LOG);
}

static void robust_add(robust *all, const estimator_row *row)
{
    const report *main = all->main;
    char folder[TOOL_PATH_BYTES];
    problem ignored;
    told *t = &all->at[all->count];
    memset(t, 0, sizeof *t);
    t->row = row;
    t->main = is_main(main, row);
    if (!t->main && (!estimator_folder(row, main->directory, folder, &ignored) ||
                     !report_load_scores(&t->r, folder, &ignored)))
        return;
    const report *r = t->main ? main : &t->r;
    if (!t->main && (r->count != main->count || !same_question(r->phiid.root, main->phiid.root))) {
        report_close(&t->r);
        return;
    }
    for (int k = 0; k < 2; k++)
        t->same[k] =
            report_spearman(main, r->column[reading_column[k]], main->column[reading_column[k]]);
    all->count++;
}

/* What there is; nothing where only the main result is. */
static void robust_load(robust *all, const report *main)
{
    all->main = main;
    all->count = 0;
    for (size_t k = 0; k < ESTIMATOR_ROWS; k++) robust_add(all, &estimator_list[k]);
    if (all->count == 1) all->count = 0;
}

static void robust_free(robust *all)
{
    for (size_t k = 0; k < all->count; k++)
        if (!all->at[k].main) report_close(&all->at[k].r);
}

static const report *of(const robust *all, size_t k)
{
    return all->at[k].main ? all->main : &all->at[k].r;
}

/* ---- conclusions -------------------------------------------------------------------------- */

static answer answer_of_profile(const report *r, const char *score)
{
    const shape_evidence e = report_shape(r, score);
    return shape_of(&e) == SHAPE_NONE ? ANSWER_UNTESTED : report_shape_answer(&e);
}

static answer shape_by_text(const report *r)
{
    return answer_of_profile(r, reading[0]);
}
static answer shape_by_figures(const report *r)
{
    return answer_of_profile(r, reading[1]);
}

/* Is the mean over all pairs beyond that of surrogates? */
static answer beyond(const report *r, const char *seen, const char *null, const char *p)
{
    const double chance = report_number(r, p);
    if (!isfinite(chance)) return ANSWER_UNTESTED;
    if (chance <= 0.05) return ANSWER_YES;
    return report_number(r, seen) > report_number(r, null) ? ANSWER_OPEN : ANSWER_NO;
}

static answer synergy_beyond(const report *r)
{
    return beyond(r, "means_nats.synergy_beside_null", "means_nats.synergy_null",
                  "means_nats.synergy_p");
}

static answer redundancy_beyond(const report *r)
{
    return beyond(r, "means_nats.redundancy_beside_null", "means_nats.redundancy_null",
                  "means_nats.redundancy_p");
}

/* Does the ranking by synergy follow memory? */
static answer follows_memory(const report *r)
{
    const double rho = report_memory(r);
    return !isfinite(rho) ? ANSWER_UNTESTED
           : rho >= 0.8   ? ANSWER_YES
           : rho >= 0.4   ? ANSWER_PART
                          : ANSWER_NO;
}

static answer by_graph(const report *r, const char *key)
{
    const char *verdict =
        json_text_of(json_get(json_get(r->graph.root, "claims"), key), "verdict", "");
    return !*verdict                 ? ANSWER_UNTESTED
           : !strcmp(verdict, "yes") ? ANSWER_YES
           : !strcmp(verdict, "no")  ? ANSWER_NO
                                     : ANSWER_PART;
}

static answer more_efficient(const report *r)
{
    return by_graph(r, "synergy_more_efficient");
}
static answer more_modular(const report *r)
{
    return by_graph(r, "redundancy_more_modular");
}

static const struct {
    const char *claim, *column;
    answer (*of)(const report *r);
} claim_row[] = {
    {"an inverted U of the rank difference", "inverted_u_rank_difference", shape_by_text},
    {"an inverted U of the rank of the difference", "inverted_u_difference", shape_by_figures},
    {"more synergy than in surrogates", "synergy_beyond_null", synergy_beyond},
    {"more redundancy than in surrogates", "redundancy_beyond_null", redundancy_beyond},
    {"a ranking by synergy that follows memory", "follows_memory", follows_memory},
    {"a synergistic network that is the more efficient one", "synergy_more_efficient",
     more_efficient},
    {"a redundant network that is the more modular one", "redundancy_more_modular", more_modular}};
enum { CLAIM_ROWS = sizeof claim_row / sizeof claim_row[0] };

/* "under every estimator", "under none", or under which; false where nothing was tested. */
static bool holds_words(const robust *all, size_t claim, text *t)
{
    size_t tested = 0, first = ESTIMATOR_ROWS;
    bool alike = true;
    for (size_t k = 0; k < all->count; k++) {
        const answer a = claim_row[claim].of(of(all, k));
        if (a == ANSWER_UNTESTED) continue;
        if (!tested++) first = k;
        alike = alike && a == claim_row[claim].of(of(all, first));
    }
    if (!tested) return false;
    if (alike && tested > 1) {
        text_print(t, "%s under all %zu estimators",
                   report_answer_word(claim_row[claim].of(of(all, first))), tested);
        return true;
    }
    text_add(t, tested > 1 ? "it depends on the estimator: " : "");
    for (int a = ANSWER_YES, groups = 0; a < ANSWER_UNTESTED; a++) {
        size_t n = 0;
        for (size_t k = 0; k < all->count; k++) {
            if ((int)claim_row[claim].of(of(all, k)) != a) continue;
            if (!n)
                text_print(t, "%s%s under ", groups++ ? "; " : "", report_answer_word((answer)a));
            text_print(t, "%s%s", n++ ? ", " : "", all->at[k].row->title);
        }
    }
    return true;
}

/* ---- the page ----------------------------------------------------------------------------- */

static void conclusions_table(page *p, const robust *all)
{
    page_table(p, NULL, "Conclusions under each estimator",
               "Which conclusions hold under every estimator? Each is asked of each one's own "
               "scores, profile and surrogates.");
    page_table_head_words(p, "conclusion");
    for (size_t k = 0; k < all->count; k++) page_table_head_words(p, all->at[k].row->title);
    page_table_head_words(p, "so");
    page_table_body(p);
    for (size_t c = 0; c < CLAIM_ROWS; c++) {
        text so = {NULL, 0, 0};
        if (!holds_words(all, c, &so)) continue;
        page_row(p, claim_row[c].claim);
        for (size_t k = 0; k < all->count; k++)
            page_cell_words(p, report_answer_word(claim_row[c].of(of(all, k))));
        page_cell_words(p, strncmp(so.at, "it depends", 10) ? so.at : "depends");
        page_row_end(p);
        text_free(&so);
    }
    page_table_end(p);
}

static size_t units_scored(const report *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->count; i++) n += isfinite(r->column[UNIT_SYNERGY][i]) ? 1 : 0;
    return n;
}

static void interval_cell(page *p, const syn_interval *v)
{
    page_cell(p, v->value);
    page_cell_interval(p, v->low, v->high);
}

static void figures_table(page *p, const robust *all)
{
    static const char *const head[] = {"units scored", "synergy, nats", "in surrogates",
                                       "redundancy, nats", "in surrogates"};
    static const char *const each[] = {
        "middle \xe2\x88\x92 outer",  "95 % interval", "curvature", "95 % interval", "reliability",
        "units as in the main result"};
    static const char *const after[2] = {" (rank difference)", " (difference)"};
    char title[80];
    page_table(p, NULL, "Figures under each estimator",
               "The figures behind it. The last column of each reading is Spearman's correlation "
               "of the unit scores "
               "with those of the main result.");
    page_table_head_words(p, "estimator");
    for (size_t k = 0; k < sizeof head / sizeof head[0]; k++) page_table_head(p, head[k]);
    for (int s = 0; s < 2; s++)
        for (size_t k = 0; k < sizeof each / sizeof each[0]; k++) {
            snprintf(title, sizeof title, "%s%s", each[k],
                     k == 0 || k == 2 || k >= 4 ? after[s] : "");
            page_table_head(p, title);
        }
    page_table_body(p);
    for (size_t k = 0; k < all->count; k++) {
        const report *r = of(all, k);
        page_row(p, all->at[k].row->title);
        page_cell(p, (double)units_scored(r));
        page_cell(p, report_number(r, "means_nats.synergy"));
        page_cell(p, report_number(r, "means_nats.synergy_null"));
        page_cell(p, report_number(r, "means_nats.redundancy"));
        page_cell(p, report_number(r, "means_nats.redundancy_null"));
        for (int s = 0; s < 2; s++) {
            const shape_evidence e = report_shape(r, reading[s]);
            char path[64];
            snprintf(path, sizeof path, "scores.%s.reliability", reading[s]);
            interval_cell(p, &e.middle);
            interval_cell(p, &e.curvature);
            page_cell(p, report_number(r, path));
            page_cell_correlation(p, all->at[k].same[s]);
        }
        page_row_end(p);
    }
    page_table_end(p);
}

/* The profile of one reading, a line an estimator. */
static void profile_panel(page *p, const robust *all, int s)
{
    static const char *const id[2] = {"robust-rank-difference", "robust-difference"};
    static const char *const title[2] = {"Rank difference", "Rank of the difference"};
    line l[ESTIMATOR_ROWS];
    chart c = {id[s],
               title[s],
               "The profile over layers under each estimator.",
               "layer",
               "percentile of the layer, %",
               0,
               1,
               CHART_PERCENT_Y,
               l,
               0};
    figure f = {0};
    for (size_t k = 0; k < all->count; k++) {
        const report *r = of(all, k);
        curve at = {0, tool_alloc(r->layers, sizeof(double)), tool_alloc(r->layers, sizeof(double)),
                    tool_alloc(r->layers, sizeof(double)), tool_alloc(r->layers, sizeof(double))};
        at.n = report_profile(r, reading[s], "percentile", at.y);
        bool whole = at.n == r->layers;
        for (size_t i = 0; i < at.n; i++) {
            at.x[i] = (double)(r->first_layer + i);
            at.low[i] = at.high[i] = (double)NAN; /* those of the file are of the means */
            whole = whole && isfinite(at.y[i]);
        }
        if (whole) l[c.count++] = (line){all->at[k].row->folder, at, (int)k, true};
        else curve_free(&at);
    }
    if (c.count) {
        figure_lines(&c, &f);
        page_panel(p, id[s], &f);
    }
    for (size_t k = 0; k < c.count; k++) curve_free(&l[k].at);
}

bool report_has_robustness(const report *r)
{
    robust all;
    robust_load(&all, r);
    robust_free(&all);
    return all.count > 0;
}

void report_robustness(page *p, const report *r)
{
    robust all;
    text t = {NULL, 0, 0};
    robust_load(&all, r);
    if (!all.count) return;
    page_put(p, "<h2 id=\"robustness\">Under other estimators</h2>\n<ul>\n");
    for (size_t c = 0; c < CLAIM_ROWS; c++) {
        t.length = 0;
        text_print(&t, "Is there %s? ", claim_row[c].claim);
        if (!holds_words(&all, c, &t)) continue;
        page_put(p, "<li>");
        page_text(p, t.at);
        page_put(p, ".</li>\n");
    }
    page_put(p, "</ul>\n");
    text_free(&t);
    conclusions_table(p, &all);
    if (r->layers >= 3) {
        page_figure(p);
        for (int s = 0; s < 2; s++) profile_panel(p, &all, s);
        page_figure_end(p, "The profile under each estimator: the percentile of each "
                           "layer\xe2\x80\x99s mean among layers, "
                           "in both readings.");
    }
    figures_table(p, &all);
    robust_free(&all);
}

/* ---- robustness.csv and the terminal ------------------------------------------------------ */

static void csv_row(table_out *t, const robust *all, size_t k)
{
    static const char *const column[2][8] = {
        {"middle_rank_difference", "middle_rank_difference_low", "middle_rank_difference_high",
         "p_middle_rank_difference", "curvature_rank_difference", "curvature_rank_difference_low",
         "curvature_rank_difference_high", "p_curvature_rank_difference"},
        {"middle_difference", "middle_difference_low", "middle_difference_high",
         "p_middle_difference", "curvature_difference", "curvature_difference_low",
         "curvature_difference_high", "p_curvature_difference"}};
    static const char *const same[2] = {"spearman_rank_difference", "spearman_difference"};
    const report *r = of(all, k);
    table_text(t, "estimator", syn_estimator_name(all->at[k].row->estimator));
    table_text(t, "transform", syn_transform_name(all->at[k].row->transform));
    table_text(t, "main", all->at[k].main ? "yes" : "no");
    table_int(t, "units", (int64_t)units_scored(r));
    table_number(t, "synergy", report_number(r, "means_nats.synergy"));
    table_number(t, "redundancy", report_number(r, "means_nats.redundancy"));
    table_number(t, "synergy_null", report_number(r, "means_nats.synergy_null"));
    table_number(t, "redundancy_null", report_number(r, "means_nats.redundancy_null"));
    table_number(t, "synergy_p", report_number(r, "means_nats.synergy_p"));
    table_number(t, "redundancy_p", report_number(r, "means_nats.redundancy_p"));
    for (int s = 0; s < 2; s++) {
        const shape_evidence e = report_shape(r, reading[s]);
        const double value[8] = {e.middle.value,   e.middle.low,      e.middle.high,
                                 e.p_middle,       e.curvature.value, e.curvature.low,
                                 e.curvature.high, e.p_curvature};
        for (int c = 0; c < 8; c++) table_number(t, column[s][c], value[c]);
        table_number(t, same[s], all->at[k].same[s]);
    }
    for (size_t c = 0; c < CLAIM_ROWS; c++)
        table_text(t, claim_row[c].column, report_answer_word(claim_row[c].of(r)));
    table_end_row(t);
}

static bool robustness_csv(const report *r, const robust *all, problem *why)
{
    char path[TOOL_PATH_BYTES];
    table_out t;
    if (!path_join(path, r->directory, "robustness.csv", why)) return false;
    table_begin(&t, "robustness.csv");
    for (size_t k = 0; k < all->count; k++) csv_row(&t, all, k);
    return table_write(&t, path, why);
}

bool report_robustness_tell(FILE *to, const char *directory, problem *why)
{
    report r;
    robust all;
    text t = {NULL, 0, 0};
    if (!report_load_scores(&r, directory, why)) return false;
    robust_load(&all, &r);
    bool good = !all.count || robustness_csv(&r, &all, why);
    if (good && all.count)
        fprintf(to, "\nUnder %zu estimators (robustness.csv, DIR/estimators):\n", all.count);
    for (size_t c = 0; good && all.count && c < CLAIM_ROWS; c++) {
        t.length = 0;
        if (holds_words(&all, c, &t)) fprintf(to, "- %s: %s\n", claim_row[c].claim, t.at);
    }
    text_free(&t);
    robust_free(&all);
    report_close(&r);
    return good;
}
