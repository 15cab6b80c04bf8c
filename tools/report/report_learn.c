/* report_learn.c - what emerge and tune have found: the profile over the steps of training, and
   what training chosen units gains. */
#include "report/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_RUNS = 6, MOST_LINES = MOST_RUNS + 2, MOST_STEPS = 7 };

/* ---- emergence: claims ------------------------------------------------------------------ */

static void counts_words(page *p, const json *c, const char *what)
{
    text_print(&p->html, "%.0f of %.0f %s", json_number_of(c, "inverted", 0),
               json_number_of(c, "models", 0), what);
    const double middle = json_number_of(c, "high_middle", 0),
                 hints = json_number_of(c, "hints", 0);
    if (middle > 0 || hints > 0)
        text_print(&p->html, " (%.0f more with a high middle, %.0f with a hint)", middle, hints);
}

void report_emergence_claims(page *p, const report *r)
{
    static const char *const score[2] = {"rank-difference", "difference"};
    static const char *const title[2] = {"the rank difference", "the rank of the difference"};
    const json *claims = json_get(r->emergence.root, "claims");
    char words[200];
    if (!claims) {
        report_claim_begin(p,
                           "The profile is absent at random initialisation, and formed by training",
                           "not tested");
        page_put(p, "<code>synergy emerge RUN/step-*.gguf -o DIR</code> does it, with checkpoints "
                    "of <code>synergy train</code> "
                    "or of others");
        report_claim_end(p);
        return;
    }
    for (int s = 0; s < 2; s++) {
        const json *c = json_get(claims, score[s]), *change = json_get(c, "change");
        snprintf(words, sizeof words, "The inverted U of %s is absent at random initialisation",
                 title[s]);
        report_claim_begin(p, words, json_text_of(c, "absent_at_random_initialisation", "open"));
        page_put(p, "an inverted U in ");
        counts_words(p, json_get(c, "untrained"), "untrained models");
        report_claim_end(p);
        snprintf(words, sizeof words, "The inverted U of %s is formed by training", title[s]);
        report_claim_begin(p, words, json_text_of(c, "formed_by_training", "open"));
        page_put(p, "an inverted U in ");
        counts_words(p, json_get(c, "trained"), "trained models");
        page_put(p, " and ");
        counts_words(p, json_get(c, "shuffled"), "with shuffled weights");
        page_put(p,
                 "; from the first to the last checkpoint middle minus outer thirds changes by ");
        page_number(p, json_number_of(change, "value", (double)NAN));
        page_put(p, " ranks");
        page_interval(p, json_number_of(change, "low", (double)NAN),
                      json_number_of(change, "high", (double)NAN));
        text_print(&p->html, " over %.0f run%s; see <a href=\"#emergence\">emergence</a>",
                   json_number_of(change, "runs", 0),
                   json_number_of(change, "runs", 0) == 1.0 ? "" : "s");
        report_claim_end(p);
    }
}

/* ---- emergence: figures ----------------------------------------------------------------- */

static size_t runs_of(const csv *c, const char *run[MOST_RUNS])
{
    size_t n = 0;
    for (size_t i = 0; i < c->rows; i++) report_add_name(run, &n, MOST_RUNS, csv_at(c, i, "run"));
    return n;
}

static curve run_line(const csv *c, const char *run, const char *score, const char *const column[3])
{
    curve to = curve_begin(c->rows);
    for (size_t i = 0; i < c->rows; i++) {
        if (!csv_is_at(c, i, "kind", "checkpoint") || !csv_is_at(c, i, "run", run) ||
            !csv_is_at(c, i, "score_name", score))
            continue;
        const bool band = column[1] != NULL;
        curve_add(&to, csv_number_at(c, i, "step"), csv_number_at(c, i, column[0]),
                  band ? csv_number_at(c, i, column[1]) : (double)NAN,
                  band ? csv_number_at(c, i, column[2]) : (double)NAN);
    }
    return to;
}

/* A control has no steps: a level line, the mean over runs, between the smallest and the
   largest. */
static curve control_line(const csv *c, const char *kind, const char *score, const char *column,
                          double x1)
{
    double sum = 0, low = (double)NAN, high = (double)NAN;
    size_t n = 0;
    curve to = curve_begin(2);
    for (size_t i = 0; i < c->rows; i++) {
        const double v = csv_number_at(c, i, column);
        if (!csv_is_at(c, i, "kind", kind) || !csv_is_at(c, i, "score_name", score) || !isfinite(v))
            continue;
        sum += v;
        low = fmin(low, v);
        high = fmax(high, v);
        n++;
    }
    for (int end = 0; end < 2 && n; end++) curve_add(&to, end ? x1 : 0, sum / (double)n, low, high);
    return to;
}

static void steps_panel(page *p, const report *r, chart c, const char *score,
                        const char *const column[3])
{
    const csv *rows = &r->emergence_rows;
    const char *run[MOST_RUNS];
    line l[MOST_LINES];
    const size_t runs = runs_of(rows, run);
    double x1 = 0;
    for (size_t i = 0; i < rows->rows; i++)
        if (csv_is_at(rows, i, "kind", "checkpoint")) x1 = fmax(x1, csv_number_at(rows, i, "step"));
    for (size_t k = 0; k < runs; k++)
        l[k] = (line){run[k], run_line(rows, run[k], score, column), (int)k, true};
    c.count = runs;
    static const char *const control[2] = {"random", "shuffled"};
    for (int k = 0; k < 2; k++) {
        line *to = &l[c.count];
        *to = (line){control[k], control_line(rows, control[k], score, column[0], x1), k ? 6 : 12,
                     false};
        if (to->at.n) c.count++;
        else curve_free(&to->at);
    }
    c.x_label = "training, steps";
    report_chart(p, &c, l, false);
}

/* The profile at a few steps of the first run: the first, the last, and evenly between. */
static void profile_panel(page *p, const report *r, const char *score, const char *id,
                          const char *title)
{
    const csv *c = &r->emergence_profiles;
    const char *run[MOST_RUNS];
    char name[MOST_STEPS][32];
    line l[MOST_STEPS];
    double step[64], shown = -1;
    size_t steps = 0, lines = 0;
    if (!runs_of(c, run)) return;
    for (size_t i = 0; i < c->rows; i++) {
        const double at = csv_number_at(c, i, "step");
        if (!csv_is_at(c, i, "run", run[0]) || !csv_is_at(c, i, "kind", "checkpoint") ||
            at <= shown)
            continue;
        shown = at;
        if (steps < sizeof step / sizeof step[0]) step[steps++] = at;
    }
    const size_t wanted = steps < 5 ? steps : 5;
    for (size_t k = 0; k < wanted; k++) {
        const double at = step[wanted > 1 ? k * (steps - 1) / (wanted - 1) : 0];
        line *to = &l[lines++];
        snprintf(name[k], sizeof name[k], "step %.0f", at);
        *to = (line){name[k], curve_begin(c->rows), (int)k, true};
        for (size_t i = 0; i < c->rows; i++)
            if (csv_is_at(c, i, "run", run[0]) && csv_is_at(c, i, "kind", "checkpoint") &&
                csv_is_at(c, i, "score_name", score) && csv_number_at(c, i, "step") == at)
                curve_add(&to->at, csv_number_at(c, i, "layer"), csv_number_at(c, i, "mean"),
                          csv_number_at(c, i, "low"), csv_number_at(c, i, "high"));
    }
    chart as = {id,
                title,
                "The mean of each layer at some steps of the first run.",
                "layer",
                "mean of the layer, ranks",
                0,
                0,
                0,
                NULL,
                lines};
    report_chart(p, &as, l, false);
}

void report_emergence(page *p, const report *r)
{
    static const char *const middle[3] = {"middle_minus_outer", "middle_low", "middle_high"};
    static const char *const bend[3] = {"curvature", "curvature_low", "curvature_high"};
    static const char *const loss[3] = {"loss", NULL, NULL};
    if (!r->emergence_rows.rows) return;
    page_put(p, "<h2 id=\"emergence\">Over the steps of training</h2>\n");
    page_figure(p);
    chart c = {"emergence-loss",
               "Loss on the text",
               "Mean of -log p of the text that all models read, over steps.",
               NULL,
               "loss, nats a token",
               0,
               0,
               CHART_STEPS | CHART_RANGES,
               NULL,
               0};
    steps_panel(p, r, c, "rank-difference", loss);
    c.how = CHART_STEPS | CHART_DRAWS;
    static const struct {
        const char *score, *name, *title;
    } of[2] = {{"rank-difference", "rank-difference", "Rank difference"},
               {"difference", "difference", "Rank of the difference"}};
    for (int s = 0; s < 2; s++) {
        char id[3][64], title[3][80];
        snprintf(id[0], sizeof id[0], "emergence-middle-%s", of[s].name);
        snprintf(id[1], sizeof id[1], "emergence-curvature-%s", of[s].name);
        snprintf(id[2], sizeof id[2], "emergence-profile-%s", of[s].name);
        snprintf(title[0], sizeof title[0], "%s: middle \xe2\x88\x92 outer", of[s].title);
        snprintf(title[1], sizeof title[1], "%s: curvature", of[s].title);
        snprintf(title[2], sizeof title[2], "%s: profiles", of[s].title);
        c.id = id[0];
        c.title = title[0];
        c.desc =
            "The mean of the middle third of the depth minus that of the outer thirds, over steps.";
        c.y_label = "middle \xe2\x88\x92 outer, ranks";
        steps_panel(p, r, c, of[s].score, middle);
        c.id = id[1];
        c.title = title[1];
        c.desc = "The second coefficient of the parabola over depth, below 0 for an inverted U, "
                 "over steps.";
        c.y_label = "curvature, ranks";
        steps_panel(p, r, c, of[s].score, bend);
        profile_panel(p, r, of[s].score, id[2], title[2]);
    }
    page_figure_end(
        p, "All models read the same text. Bands: 95\xc2\xa0% interval over its rows; of the "
           "controls (<i>random</i>: fresh "
           "random weights, <i>shuffled</i>: the last weights of each run, shuffled "
           "within each tensor) the mean "
           "over runs, the band from the smallest to the largest. Profiles: some steps "
           "of the first run.");
}
