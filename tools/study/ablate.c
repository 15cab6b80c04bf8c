/* ablate.c - the study of removal: in which orders, how many units at each point, and what
   follows. */
#include "study/study.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FRACTIONS = 8, MOST_POINTS = 4096 };

void ablate_defaults(ablate_options *o)
{
    memset(o, 0, sizeof *o);
    study_defaults(&o->study);
    o->most = 0.4;
}

/* ---- points --------------------------------------------------------------------------- */

static bool add_point(study *a, double units, problem *why)
{
    const size_t n = (size_t)floor(units + 0.5);
    if (a->points == MOST_POINTS) return problem_set(why, "more than %d points", (int)MOST_POINTS);
    if (a->points && n == a->units[a->points - 1]) return true; /* two fractions of a small model */
    study_add_point(a, (double)n / (double)a->s.count, n);
    return true;
}

static bool add_fraction(void *to, double fraction, problem *why)
{
    study *a = to;
    return add_point(a, fraction * (double)a->s.count, why);
}

static bool add_points(study *a, const ablate_options *o, problem *why)
{
    const double most = o->most * (double)a->s.count;
    bool good = add_point(a, 0, why);
    if (o->fractions)
        good = good && study_numbers("--fractions", o->fractions, 1, add_fraction, a, why);
    for (double n = (double)o->step; good && !o->fractions && o->step && n <= most + 0.5;
         n += (double)o->step)
        good = add_point(a, n, why);
    for (int i = 1; good && !o->fractions && !o->step && i <= FRACTIONS; i++)
        good = add_point(a, most * i / FRACTIONS, why);
    if (!good) return false;
    return a->points > 1 || problem_set(why, "nothing is removed of %zu units", a->s.count);
}

/* ---- curves --------------------------------------------------------------------------- */

typedef struct orders {
    size_t **slot;
    size_t count;
} orders;

static void add_order(study *a, orders *all, const char *name, int seed, size_t *slot, bool eval)
{
    all->slot = tool_realloc(all->slot, all->count + 1, sizeof *all->slot);
    all->slot[all->count++] = slot;
    study_add_curve(a, name, seed, eval);
}

static bool some_known(const double *key, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isnan(key[i])) return true;
    return false;
}

/* Along a column of units.csv, when it has it and it is not empty. */
static bool add_column(study *a, orders *all, const char *name, const char *column, problem *why)
{
    if (!subject_has_column(&a->s, column)) return true;
    double *key = tool_alloc(a->s.count, sizeof *key);
    const bool good = subject_column(&a->s, column, key, why);
    if (good && some_known(key, a->s.count))
        add_order(a, all, name, 0, order_by(&a->s, key, 1), false);
    free(key);
    return good;
}

static bool add_reading(study *a, orders *all, const study_reading *r, problem *why)
{
    double *key = tool_alloc(a->s.count, sizeof *key);
    bool good = subject_column(&a->s, r->column, key, why);
    if (good && !some_known(key, a->s.count))
        good = problem_set(why, "%s/units.csv: no unit has a value in the column %s",
                           a->s.directory, r->column);
    if (good) {
        add_order(a, all, r->order, 0, order_by(&a->s, key, 1), true);
        add_order(a, all, r->reverse, 0, order_by(&a->s, key, -1), true);
    }
    free(key);
    return good;
}

/* Random orders within the layers that each reading takes: the place in `all` of reading k is 2
   k. */
static void add_matched(study *a, orders *all)
{
    for (size_t k = 0; k < a->readings; k++)
        for (int i = 0; i < a->options->seeds; i++)
            add_order(a, all, a->reading[k].matched, i,
                      order_matched(a, all->slot[2 * k], i + 2000 * (int)k), false);
}

static void add_pairs(study *a)
{
    static const char *const rival[] = {"synergy", "redundancy", "norm", "sink", "gradient"};
    for (size_t k = 0; k < a->readings; k++) {
        const study_reading *r = &a->reading[k];
        const char *const other[] = {"random", r->matched, r->reverse, "norm"};
        for (size_t i = 0; i < 4; i++) study_add_pair(a, r->order, other[i]);
        study_add_pair(a, r->order, "gradient");
        study_add_pair(a, r->reverse, "random");
        if (k) study_add_pair(a, a->reading[0].order, r->order);
    }
    for (size_t i = 0; i < sizeof rival / sizeof rival[0]; i++)
        study_add_pair(a, rival[i], "random");
}

static bool add_orders(study *a, orders *all, problem *why)
{
    for (size_t k = 0; k < a->readings; k++)
        if (!add_reading(a, all, &a->reading[k], why)) return false;
    if (!add_column(a, all, "synergy", "synergy", why) ||
        !add_column(a, all, "redundancy", "redundancy", why) ||
        !add_column(a, all, "norm", "mean_norm", why) || !add_column(a, all, "sink", "sink", why) ||
        !add_column(a, all, "gradient", "importance", why))
        return false;
    for (int i = 0; i < a->options->seeds; i++)
        add_order(a, all, "random", i, order_random(a, i), i == 0);
    add_matched(a, all);
    add_pairs(a);
    return true;
}

/* ---- edits ---------------------------------------------------------------------------- */

static bool take_means(study *a, const ablate_options *o, float **mean, problem *why)
{
    const syn_model *model = &a->s.m.model;
    *mean = NULL;
    if (!o->replace) return true;
    *mean = study_array(a, subject_slots(&a->s) * (a->s.experts ? model->embd : model->value_size));
    return intervene_means(&a->v, a->s.text, a->s.texts, a->s.experts, *mean, why);
}

static void remove_units(study *a, size_t c, size_t point, const size_t *slot, const float *mean)
{
    float *gain = study_array(a, subject_slots(&a->s));
    for (size_t i = 0; i < subject_slots(&a->s); i++) gain[i] = 1;
    for (size_t i = 0; i < a->units[point]; i++) gain[slot[i]] = 0;
    intervention *v = study_edit(a, c, point);
    *v = subject_gains(&a->s, gain);
    if (a->s.experts) v->edit.expert_mean = mean;
    else v->edit.head_mean = mean;
}

static bool make_edits(study *a, const ablate_options *o, const orders *all, problem *why)
{
    float *mean;
    if (!take_means(a, o, &mean, why)) return false;
    study_begin_edits(a);
    for (size_t c = 0; c < a->curves; c++)
        for (size_t p = 1; p < a->points; p++) remove_units(a, c, p, all->slot[c], mean);
    return true;
}

/* ---- what follows --------------------------------------------------------------------- */

static const char *yes(const curve_test *c)
{
    return comparison_harms_more(c) ? "yes" : "no";
}

/* The paper's claim (arXiv 2601.06851: the core matters more than random and redundant units), as
   far as these curves go. */
static bool verdict(const study_reading *r, const curve_test *c, size_t n, text *t)
{
    const curve_test *random = comparison_of(c, n, r->order, "random");
    const curve_test *matched = comparison_of(c, n, r->order, r->matched);
    const curve_test *reverse = comparison_of(c, n, r->order, r->reverse);
    const curve_test *norm = comparison_of(c, n, r->order, "norm");
    text_print(t,
               "more harm than random units: %s; than random units of the same layers: %s; than "
               "the reverse "
               "order: %s",
               yes(random), yes(matched), yes(reverse));
    if (norm) text_print(t, "; than the mean norm, a cheap rival: %s", yes(norm));
    return comparison_harms_more(random) && comparison_harms_more(matched) &&
           comparison_harms_more(reverse);
}

static void settings(const study *a, json_out *j)
{
    const ablate_options *o = a->own;
    json_text(j, "replace", choice_name(CHOICE_REPLACE, o->replace));
    json_array_inline(j, "removed");
    for (size_t p = 0; p < a->points; p++) json_int(j, NULL, (int64_t)a->units[p]);
    json_array_end(j);
}

static const study_kind removal = {
    "ablation",
    "order",
    "fraction",
    true,
    "Removing units in the order",
    "The claim that the core matters more",
    settings,
    verdict,
};

bool ablate_run(const ablate_options *o, problem *why)
{
    study a;
    orders all = {NULL, 0};
    memset(&a, 0, sizeof a);
    a.own = o;
    const bool good = study_open(&a, &o->study, &removal, why) && add_orders(&a, &all, why) &&
                      add_points(&a, o, why) && make_edits(&a, o, &all, why) && study_run(&a, why);
    for (size_t c = 0; c < all.count; c++) free(all.slot[c]);
    free(all.slot);
    study_close(&a);
    return good;
}
