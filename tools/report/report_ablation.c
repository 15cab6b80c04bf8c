/* report_ablation.c - what happens when units are removed, or disturbed by noise. */
#include "report/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ORDERS = 9, MOST_SETS = 12 };

/* An order or group: its key in the files, its name at the end of its line, its style. */
typedef struct order {
    const char *key, *name;
    int style;
} order;

static const order by_score[] = {{"score", "score", 0},
                                 {"reverse", "reverse", 1},
                                 {"random", "random", 12},
                                 {"matched", "random, layers", 3},
                                 {"difference", "difference", 2},
                                 {"difference-reverse", "diff. reverse", 5},
                                 {"rank-difference", "rank diff.", 4},
                                 {"rank-difference-reverse", "r. d. reverse", 7}};
static const order by_rivals[] = {{"synergy", "synergy", 2},   {"redundancy", "redundancy", 5},
                                  {"norm", "mean norm", 4},    {"sink", "sink", 7},
                                  {"gradient", "gradient", 6}, {"random", "random", 12}};
static const order by_few[] = {
    {"score", "score", 0},           {"reverse", "reverse", 1},
    {"norm", "mean norm", 4},        {"random", "random", 12},
    {"difference", "difference", 2}, {"rank-difference", "rank diff.", 5}};
static const order by_group[] = {{"core", "core", 0},
                                 {"periphery", "periphery", 1},
                                 {"random", "random", 12},
                                 {"difference-core", "diff. core", 2},
                                 {"difference-periphery", "diff. periphery", 5},
                                 {"rank-difference-core", "r. d. core", 4},
                                 {"rank-difference-periphery", "r. d. periphery", 7}};
static const order by_all[] = {{"score", "", 0},
                               {"reverse", "", 0},
                               {"random", "", 0},
                               {"matched", "", 0},
                               {"difference", "", 0},
                               {"difference-reverse", "", 0},
                               {"difference-matched", "", 0},
                               {"rank-difference", "", 0},
                               {"rank-difference-reverse", "", 0},
                               {"rank-difference-matched", "", 0},
                               {"synergy", "", 0},
                               {"redundancy", "", 0},
                               {"norm", "", 0},
                               {"sink", "", 0},
                               {"gradient", "", 0}};
#define ORDERS(table) (table), sizeof(table) / sizeof((table)[0])

/* What a chart shows of one file. */
typedef struct view {
    const csv *from;
    const char *key, *x, *y, *set; /* columns; one evaluation set or NULL */
    chart as;
} view;

static void panel(page *p, const view *v, const order *of, size_t count)
{
    line l[MOST_ORDERS];
    chart c = v->as;
    c.count = 0;
    for (size_t k = 0; k < count; k++) {
        line *to = &l[c.count];
        to->at = curve_of(v->from, v->key, of[k].key, v->set, v->x, v->y);
        to->name = of[k].name;
        to->style = of[k].style;
        to->points = !report_is_random(of[k].key);
        if (to->at.n) c.count++;
        else curve_free(&to->at);
    }
    /* the whole shows what a removal does; accuracies have their own figure */
    if (c.count) report_chart(p, &c, l, !v->set);
}

/* The highest value of a column, so that two panels can share an axis. */
static double highest(const csv *c, const char *column)
{
    int at = csv_column(c, column);
    double most = 0, v;
    for (size_t i = 0; i < c->rows && at >= 0; i++)
        if (csv_double(csv_cell(c, i, at), &v)) most = fmax(most, v);
    return most;
}

/* ---- evaluation sets -------------------------------------------------------------------- */

static size_t sets_of(const csv *c, const char *name[MOST_SETS])
{
    int at = csv_column(c, "set");
    size_t n = 0;
    for (size_t i = 0; i < c->rows && at >= 0; i++) {
        const char *s = csv_cell(c, i, at);
        if (*s && strcmp(s, "all")) report_add_name(name, &n, MOST_SETS, s);
    }
    return n;
}

static void set_panels(page *p, view v, const char *name, const order *of, size_t count)
{
    const char *set[MOST_SETS];
    size_t n = sets_of(v.from, set);
    if (n < 2) return;
    page_put(p, "<details><summary>Accuracy by set</summary>\n");
    page_figure(p);
    for (size_t k = 0; k < n; k++) {
        char id[64];
        snprintf(id, sizeof id, "%s-%zu", name,
                 k + 1); /* the name of a set need not fit a file's */
        v.set = set[k];
        v.as.id = id;
        v.as.title = set[k];
        panel(p, &v, of, count);
    }
    page_figure_end(
        p,
        "Accuracy on each evaluation set; bands: 95\xc2\xa0% interval (Wilson); of several random "
        "orders the mean, the smallest and the largest.");
    page_put(p, "</details>\n");
}

/* ---- tables ----------------------------------------------------------------------------- */

static void auc_row(page *p, const json *ablation, const order *o)
{
    double auc = report_auc(ablation, o->key, 0);
    if (!isfinite(auc)) return;
    const json *list = json_get(ablation, "curves"), *only = NULL;
    size_t seeds = 0;
    for (const json *c = list->child; c; c = c->next)
        if (!strcmp(json_text_of(c, "order", ""), o->key)) {
            only = c;
            seeds++;
        }
    page_row(p, report_order_words(o->key));
    page_cell(p, auc);
    if (seeds == 1) {
        page_cell_interval(p, json_number_of(only, "auc_low", (double)NAN),
                           json_number_of(only, "auc_high", (double)NAN));
        page_cell_words(p, "95 % interval over prompts");
    } else {
        char what[64];
        page_cell_interval(p, report_auc(ablation, o->key, -1), report_auc(ablation, o->key, 1));
        snprintf(what, sizeof what, "range of %zu draws", seeds);
        page_cell_words(p, what);
    }
    page_row_end(p);
}

static void auc_table(page *p, const json *from, const char *what, const char *caption,
                      const order *of, size_t count)
{
    const json *list = json_get(from, "curves");
    if (!list || list->kind != JSON_ARRAY || !list->child) return;
    page_table(p, NULL, caption, caption);
    page_table_head_words(p, what);
    page_table_head(p, "mean KL");
    page_table_head(p, "interval");
    page_table_head_words(p, "of what");
    page_table_body(p);
    for (size_t k = 0; k < count; k++) auc_row(p, from, &of[k]);
    page_table_end(p);
}

static void test_table(page *p, const json *from, const char *caption)
{
    const json *list = json_get(from, "tests");
    if (!list || list->kind != JSON_ARRAY || !list->child) return;
    page_table(p, NULL, "Tests", caption);
    page_table_head_words(p, "against each other");
    page_table_head(p, "difference");
    page_table_head(p, "95 % interval");
    page_table_head(p, "p over prompts");
    page_table_head(p, "p over orders");
    page_table_body(p);
    for (const json *c = list->child; c; c = c->next) {
        char row[160];
        report_test_pair(c, row);
        page_row(p, row);
        page_cell(
            p, json_number_of(c, "auc_difference", json_number_of(c, "difference", (double)NAN)));
        report_test_interval(p, c, 1);
        page_cell(p, json_number_of(c, "p_prompts", (double)NAN));
        page_cell(p, json_number_of(c, "p_orders", (double)NAN));
        page_row_end(p);
    }
    page_table_end(p);
}

static void words_of(page *p, const json *from)
{
    page_put(p, "<ul class=\"two\">\n");
    page_list(p, from, "words");
    page_put(p, "</ul>\n");
}

/* ---- ablation --------------------------------------------------------------------------- */

static void ablation_curves(page *p, const report *r)
{
    const char *removed = "units removed, %";
    double most = highest(&r->ablation_curves, "high");
    view v = {
        &r->ablation_curves,
        "order",
        "fraction",
        "kl",
        NULL,
        {"ablation-score", "KL, by score and at random",
         "Mean divergence of the next-token distributions against the share of units removed, by "
         "score, in reverse and at random.",
         removed, "KL, nats", 0, most, CHART_PERCENT_X | CHART_DRAWS, NULL, 0}};
    page_figure(p);
    panel(p, &v, ORDERS(by_score));
    v.as.id = "ablation-rivals";
    v.as.title = "KL, by other orders";
    v.as.desc =
        "The same for removal by synergy, redundancy, mean norm and attention to the first token.";
    panel(p, &v, ORDERS(by_rivals));
    v.y = "top1";
    v.as.id = "ablation-top1";
    v.as.title = "Same likeliest token";
    v.as.desc =
        "Share of positions whose likeliest token stays, against the share of units removed.";
    v.as.y_label = "positions, %";
    v.as.how = CHART_PERCENT_X | CHART_PERCENT_Y | CHART_RANGES;
    v.as.y0 = v.as.y1 = 0;
    panel(p, &v, ORDERS(by_few));
    view a = {&r->ablation_accuracy,
              "order",
              "fraction",
              "accuracy",
              "all",
              {"ablation-accuracy", "Accuracy, all sets",
               "Share of evaluation items answered rightly, against the share of units removed.",
               removed, "accuracy, %", 0, 0, CHART_PERCENT_X | CHART_PERCENT_Y | CHART_DRAWS, NULL,
               0}};
    panel(p, &a, ORDERS(by_few));
    page_figure_end(
        p,
        "What a removal changes. KL: mean over tokens of KL(intact\xc2\xa0||\xc2\xa0"
        "ablated), the text being the intact model\xe2\x80\x99s own; bands: 95\xc2\xa0% interval "
        "over prompts, for accuracy that of Wilson. <i>random</i> and <i>random, "
        "layers</i> (as many from each layer as the score takes): of several orders the mean, "
        "the band from the smallest to the largest.");
    set_panels(p, a, "ablation-accuracy", ORDERS(by_few));
}

/* ---- perturbation ----------------------------------------------------------------------- */

static void perturb_curves(page *p, const report *r)
{
    const char *noise = "noise, standard deviations of the weights";
    view v = {
        &r->perturb_curves,
        "group",
        "strength",
        "kl",
        NULL,
        {"perturb-kl", "KL under noise",
         "Mean divergence of the next-token distributions against the strength of noise in core, "
         "periphery and random units.",
         noise, "KL, nats", 0, 0, CHART_DRAWS, NULL, 0}};
    page_figure(p);
    panel(p, &v, ORDERS(by_group));
    view a = {&r->perturb_accuracy,
              "group",
              "strength",
              "accuracy",
              "all",
              {"perturb-accuracy", "Accuracy under noise",
               "Share of evaluation items answered rightly, against the strength of noise.", noise,
               "accuracy, %", 0, 0, CHART_PERCENT_Y | CHART_DRAWS, NULL, 0}};
    panel(p, &a, ORDERS(by_group));
    page_figure_end(
        p, "Gaussian noise in the weights of a quarter of the units: those of the highest score "
           "(core), of the lowest (periphery), and random ones. Bands: of several draws the "
           "smallest and the largest, of one the 95\xc2\xa0% interval over prompts or items."
           "");
    set_panels(p, a, "perturb-accuracy", ORDERS(by_group));
}

/* ---- sections --------------------------------------------------------------------------- */

typedef struct intervention {
    const char *id, *title, *untested, *command;
    void (*curves)(page *p, const report *r);
    const char *what, *area, *tests; /* of the tables */
    const order *of;
    size_t count;
} intervention;

static void section(page *p, const report *r, const json *result, bool outdated,
                    const intervention *v)
{
    if (!result && !outdated && !report_model(r)) return;
    text_print(&p->html, "<h2 id=\"%s\">%s</h2>\n", v->id, v->title);
    if (!result) {
        text_print(&p->html,
                   "<p>%s has %s: <code>synergy %s MODEL DIR -o DIR%s</code> does it%s, and "
                   "<code>synergy report DIR</code> draws it here.</p>\n",
                   v->untested,
                   outdated ? "been tested for other scores only, not for those of this units.csv"
                            : "not been tested for this result",
                   v->command, outdated ? " --force" : "", outdated ? " again" : "");
        return;
    }
    words_of(p, result);
    v->curves(p, r);
    auc_table(p, result, v->what, v->area, v->of, v->count);
    test_table(p, result, v->tests);
}

void report_ablation(page *p, const report *r)
{
    static const intervention removal = {
        "ablation",
        "Removing units",
        "What the model loses when units are removed",
        "ablate",
        ablation_curves,
        "removed",
        "Mean KL along the curve, nats.",
        "Orders of removal against each other: mean KL along the curve, nats.",
        ORDERS(by_all)};
    section(p, r, r->ablation.root, r->ablation_outdated, &removal);
}

void report_perturb(page *p, const report *r)
{
    static const intervention noise = {"perturb",
                                       "Noise in the weights",
                                       "What noise in the weights does",
                                       "perturb",
                                       perturb_curves,
                                       "noise in",
                                       "Mean KL over the strengths, nats.",
                                       "Groups against each other: mean KL over strengths, nats.",
                                       ORDERS(by_group)};
    section(p, r, r->perturb.root, r->perturb_outdated, &noise);
}
