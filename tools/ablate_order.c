/* ablate_order.c - in which orders units are removed, and at how many of them the model is looked at. */
#include "ablate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FRACTIONS = 8, MOST_POINTS = 4096 };

/* ---- orders --------------------------------------------------------------------------- */

typedef struct keyed { double key; size_t slot; } keyed;

/* Largest first, unknown values last, the lower unit first among equals. */
static int by_key(const void *pa, const void *pb) {
    const keyed *a = pa, *b = pb;
    const bool a_known = !isnan(a->key), b_known = !isnan(b->key);
    if (a_known != b_known) return a_known ? -1 : 1;
    if (a_known && a->key > b->key) return -1;
    if (a_known && a->key < b->key) return 1;
    return (a->slot > b->slot) - (a->slot < b->slot);
}

static size_t *order_by(const subject *s, const double *key, double sign) {
    keyed *all = tool_alloc(s->count, sizeof *all);
    size_t *slot = tool_alloc(s->count, sizeof *slot);
    for (size_t i = 0; i < s->count; i++) {
        all[i].key = sign * key[i];
        all[i].slot = s->unit[i];
    }
    qsort(all, s->count, sizeof *all, by_key);
    for (size_t i = 0; i < s->count; i++) slot[i] = all[i].slot;
    free(all);
    return slot;
}

/* Fisher and Yates. */
static void shuffle(size_t *at, size_t n, uint64_t *state) {
    for (size_t i = n; i > 1; i--) {
        const size_t k = (size_t)(random_bits(state) % i), swap = at[k];
        at[k] = at[i - 1];
        at[i - 1] = swap;
    }
}

static uint64_t seed_of(const ablation *a, int number) {
    return (uint64_t)a->options->seed * UINT64_C(1000003) + (uint64_t)number;
}

static size_t *order_random(const ablation *a, int number) {
    uint64_t state = seed_of(a, number);
    size_t *slot = tool_alloc(a->s.count, sizeof *slot);
    memcpy(slot, a->s.unit, a->s.count * sizeof *slot);
    shuffle(slot, a->s.count, &state);
    return slot;
}

/* The layers in the order in which `core` takes them, with any unit of each layer: at every point as
   many of each layer are gone as there. */
static size_t *order_matched(const ablation *a, const size_t *core, int number) {
    const size_t n = a->s.count, per_layer = a->s.per_layer;
    size_t *mixed = order_random(a, number + 1000), *slot = tool_alloc(n, sizeof *slot);
    size_t *next = tool_alloc(a->s.layers, sizeof *next);
    for (size_t i = 0; i < n; i++) {
        const size_t layer = core[i] / per_layer;
        while (mixed[next[layer]] / per_layer != layer) next[layer]++;
        slot[i] = mixed[next[layer]++];
    }
    free(next);
    free(mixed);
    return slot;
}

static void add(ablation *a, const char *order, int seed, size_t *slot, bool eval) {
    a->curve = tool_realloc(a->curve, a->curves + 1, sizeof *a->curve);
    a->curve[a->curves++] = (removal){order, seed, slot, eval};
}

/* An order along a column of units.csv, when it has it. */
static bool add_column(ablation *a, const char *order, const char *column, double *key, problem *why) {
    if (!subject_has_column(&a->s, column)) return true;
    if (!subject_column(&a->s, column, key, why)) return false;
    add(a, order, 0, order_by(&a->s, key, 1), false);
    return true;
}

bool ablate_curves(ablation *a, problem *why) {
    double *key = tool_alloc(a->s.count, sizeof *key);
    a->score = a->options->score ? a->options->score : "score";
    bool good = subject_column(&a->s, a->score, key, why);
    if (good) {
        add(a, "score", 0, order_by(&a->s, key, 1), true);
        add(a, "reverse", 0, order_by(&a->s, key, -1), true);
    }
    good = good && add_column(a, "synergy", "synergy", key, why) &&
           add_column(a, "redundancy", "redundancy", key, why) &&
           add_column(a, "norm", "mean_norm", key, why) && add_column(a, "sink", "sink", key, why);
    for (int i = 0; good && i < a->options->seeds; i++) add(a, "random", i, order_random(a, i), i == 0);
    for (int i = 0; good && i < a->options->seeds; i++)
        add(a, "matched", i, order_matched(a, a->curve[0].slot, i), false);
    free(key);
    return good;
}

/* ---- points --------------------------------------------------------------------------- */

static bool add_point(ablation *a, double units, problem *why) {
    const size_t n = (size_t)floor(units + 0.5);
    if (a->points == MOST_POINTS) return problem_set(why, "more than %d points", (int)MOST_POINTS);
    if (a->points && n == a->removed[a->points - 1]) return true; /* two fractions of a small model */
    a->removed = tool_realloc(a->removed, a->points + 1, sizeof *a->removed);
    a->removed[a->points++] = n;
    return true;
}

static bool given_fractions(ablation *a, problem *why) {
    double last = 0;
    for (const char *at = a->options->fractions; *at;) {
        char *end;
        const double f = strtod(at, &end);
        if (end == at || (*end && *end != ','))
            return problem_set(why, "--fractions: '%.40s' is not a list of numbers", at);
        if (!(f > 0 && f <= 1)) return problem_set(why, "--fractions: %g is not above 0 and at most 1", f);
        if (!(f > last)) return problem_set(why, "--fractions: %g does not rise", f);
        if (!add_point(a, f * (double)a->s.count, why)) return false;
        last = f;
        at = *end ? end + 1 : end;
    }
    return a->points > 1 || problem_set(why, "--fractions: nothing is removed of %zu units", a->s.count);
}

bool ablate_points(ablation *a, problem *why) {
    const ablate_options *o = a->options;
    const double n = (double)a->s.count, most = o->most * n;
    if (!add_point(a, 0, why)) return false;
    if (o->fractions) return given_fractions(a, why);
    if (o->step) {
        for (double units = (double)o->step; units <= most + 0.5; units += (double)o->step)
            if (!add_point(a, units, why)) return false;
    } else {
        for (int i = 1; i <= FRACTIONS; i++)
            if (!add_point(a, most * i / FRACTIONS, why)) return false;
    }
    return a->points > 1 || problem_set(why, "nothing is removed: %g of %zu units", o->most, a->s.count);
}
