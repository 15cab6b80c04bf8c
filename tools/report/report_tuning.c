/* report_tuning.c - what training chosen units gains, by reward and by worked solutions. */
#include "report/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SUBSETS = 8, MOST_ROWS = 4096 };

/* ---- claims ------------------------------------------------------------------------------- */

static const json *test_of(const json *tuning, const json *claim, const char *a, const char *b)
{
    const json *list = json_get(tuning, "tests");
    for (const json *c = list ? list->child : NULL; c; c = c->next)
        if (!strcmp(json_text_of(c, "task", ""), json_text_of(claim, "task", "")) &&
            !strcmp(json_text_of(c, "method", ""), json_text_of(claim, "method", "")) &&
            !strcmp(json_text_of(c, "a", ""), a) && !strcmp(json_text_of(c, "b", ""), b))
            return c;
    return NULL;
}

static void test_words(page *p, const json *test, const char *words, const char *before)
{
    if (!test) return;
    page_put(p, before);
    page_put(p, words);
    page_put(p, " ");
    page_number(p, 100 * json_number_of(test, "difference", (double)NAN));
    page_put(p, " points");
    page_interval(p, 100 * json_number_of(test, "low", (double)NAN),
                  100 * json_number_of(test, "high", (double)NAN));
    const double chance = json_number_of(test, "p_seeds", (double)NAN);
    if (isfinite(chance))
        text_print(&p->html, ", p = %.2g over %.0f seeds", chance,
                   json_number_of(test, "seeds", 0));
}

static void claim_of(page *p, const report *r, const json *claim)
{
    const json *tuning = r->tuning.root;
    const bool sft = choice_is(CHOICE_METHOD, 0, json_text_of(claim, "method", ""));
    report_claim_begin(
        p,
        sft ? "Supervised fine-tuning gains as much from core, random and peripheral heads"
            : "Reinforcement learning of the core gains more than of random heads, and these more "
              "than the periphery",
        json_text_of(claim, "verdict", "open"));
    page_put(p, "task ");
    page_text(p, json_text_of(claim, "task", "?"));
    page_put(p, ", accuracy on held-out items at the end: ");
    test_words(p, test_of(tuning, claim, "core", "random"), "core \xe2\x88\x92 random", "");
    test_words(p, test_of(tuning, claim, "random", "periphery"), "random \xe2\x88\x92 periphery",
               "; ");
    test_words(p, test_of(tuning, claim, "core", "periphery"), "core \xe2\x88\x92 periphery", "; ");
    page_put(p, "; see <a href=\"#tuning\">tuning</a>");
    report_claim_end(p);
}

void report_tuning_claims(page *p, const report *r)
{
    const char *const method[2] = {choice_name(CHOICE_METHOD, 1), choice_name(CHOICE_METHOD, 0)};
    static const char *const untested[2] = {
        "Reinforcement learning of the core gains more than of other heads",
        "Supervised fine-tuning gains as much from any heads"};
    const json *claims = json_get(r->tuning.root, "claims");
    for (int k = 0; k < 2; k++) {
        bool found = false;
        for (const json *c = claims ? claims->child : NULL; c; c = c->next)
            if (!strcmp(json_text_of(c, "method", ""), method[k])) {
                claim_of(p, r, c);
                found = true;
            }
        if (found) continue;
        report_claim_begin(p, untested[k], "not tested");
        text_print(&p->html,
                   "<code>synergy tune MODEL DIR --method %s --subset core --task NAME</code> does "
                   "it, once for "
                   "each subset and seed",
                   method[k]);
        report_claim_end(p);
    }
}

/* ---- figures ------------------------------------------------------------------------------ */

static bool is_of(const csv *c, size_t row, const char *task, const char *method,
                  const char *subset)
{
    return csv_is_at(c, row, "task", task) && csv_is_at(c, row, "method", method) &&
           (!subset || csv_is_at(c, row, "subset", subset));
}

static int by_number(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Mean over seeds at every step, with its 95 % interval by Student's t; of one seed, that of the
   items. */
static curve subset_line(const csv *c, const char *task, const char *method, const char *subset)
{
    double *step = tool_alloc(c->rows + 1, sizeof *step);
    size_t steps = 0;
    for (size_t i = 0; i < c->rows; i++)
        if (is_of(c, i, task, method, subset)) step[steps++] = csv_number_at(c, i, "step");
    qsort(step, steps, sizeof *step, by_number);
    curve to = curve_begin(steps);
    for (size_t s = 0; s < steps; s++) {
        double sum = 0, square = 0, low = (double)NAN, high = (double)NAN;
        size_t n = 0;
        if (s && !(step[s] > step[s - 1])) continue;
        for (size_t i = 0; i < c->rows; i++) {
            const double v = csv_number_at(c, i, "accuracy");
            if (!is_of(c, i, task, method, subset) || csv_number_at(c, i, "step") < step[s] ||
                csv_number_at(c, i, "step") > step[s])
                continue;
            sum += v;
            square += v * v;
            low = csv_number_at(c, i, "low");
            high = csv_number_at(c, i, "high");
            n++;
        }
        const double mean = sum / (double)n;
        if (n > 1) {
            low = mean - student_reach(sum, square, n);
            high = mean + student_reach(sum, square, n);
        }
        curve_add(&to, step[s], mean, low, high);
    }
    free(step);
    return to;
}

static void method_panel(page *p, const report *r, const char *task, const char *method,
                         size_t number)
{
    const csv *c = &r->tuning_rows;
    const char *subset[MOST_SUBSETS];
    char id[64], title[200];
    line l[MOST_SUBSETS];
    size_t n = 0;
    for (size_t i = 0; i < c->rows; i++)
        if (is_of(c, i, task, method, NULL))
            report_add_name(subset, &n, MOST_SUBSETS, csv_at(c, i, "subset"));
    for (size_t k = 0; k < n; k++)
        l[k] = (line){subset[k], subset_line(c, task, method, subset[k]),
                      !strcmp(subset[k], "random") ? 12 : (int)k, true};
    snprintf(id, sizeof id, "tuning-%s-%zu", method, number);
    snprintf(title, sizeof title, "%s, %.100s",
             choice_is(CHOICE_METHOD, 0, method) ? "Worked solutions" : "Reward", task);
    chart as = {id,
                title,
                "Accuracy on held-out items over steps, by which heads were trained.",
                "training, steps",
                "accuracy, %",
                0,
                0,
                CHART_PERCENT_Y,
                NULL,
                n};
    report_chart(p, &as, l, false);
}

static void tests_table(page *p, const json *tuning)
{
    const json *list = json_get(tuning, "tests");
    if (!list || !list->child) return;
    page_table(p, NULL, "Tests",
               "Subsets against each other: accuracy at the end, points. p over seeds by "
               "Student\xe2\x80\x99s t of "
               "the pairs, over items by random signs of each item\xe2\x80\x99s differences.");
    page_table_head_words(p, "task, method");
    page_table_head_words(p, "against each other");
    page_table_head(p, "seeds");
    page_table_head(p, "difference");
    page_table_head(p, "95 % interval");
    page_table_head(p, "p over seeds");
    page_table_head(p, "p over items");
    page_table_body(p);
    for (const json *c = list->child; c; c = c->next) {
        char row[160];
        snprintf(row, sizeof row, "%.60s, %.20s", json_text_of(c, "task", "?"),
                 json_text_of(c, "method", "?"));
        page_row(p, row);
        report_test_pair(c, row);
        page_cell_words(p, row);
        page_cell(p, json_number_of(c, "seeds", (double)NAN));
        page_cell(p, 100 * json_number_of(c, "difference", (double)NAN));
        report_test_interval(p, c, 100);
        page_cell(p, json_number_of(c, "p_seeds", (double)NAN));
        page_cell(p, json_number_of(c, "p_items", (double)NAN));
        page_row_end(p);
    }
    page_table_end(p);
}

void report_tuning(page *p, const report *r)
{
    const csv *c = &r->tuning_rows;
    size_t number = 0;
    if (!r->tuning.root || !c->rows) return;
    page_put(p, "<h2 id=\"tuning\">Training chosen heads</h2>\n");
    page_figure(p);
    for (size_t i = 0; i < c->rows; i++) {
        bool known = false;
        for (size_t k = 0; k < i && !known; k++)
            known = is_of(c, k, csv_at(c, i, "task"), csv_at(c, i, "method"), NULL);
        if (!known) method_panel(p, r, csv_at(c, i, "task"), csv_at(c, i, "method"), number++);
    }
    page_figure_end(p, "Only the named heads were trained, all other weights stayed. Points: the "
                       "mean over seeds; bands: its "
                       "95\xc2\xa0% interval (of a single seed, that over items). <i>matched</i>: "
                       "random heads, as many of each layer "
                       "as the core; <i>layer:N</i>: the heads of one layer.");
    tests_table(p, r->tuning.root);
}
