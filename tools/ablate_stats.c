/* ablate_stats.c - curves with their uncertainty over prompts, and comparisons between orders. */
#include "ablate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RESAMPLES = 2000, PERMUTATIONS = 9999 };

/* A figure is a ratio of sums over texts: nats by tokens. */
typedef struct per_text { double *sum, *weight; size_t n; } per_text;

static per_text per_text_make(size_t n) {
    return (per_text){tool_alloc(n, sizeof(double)), tool_alloc(n, sizeof(double)), n};
}

static void per_text_free(per_text *t) {
    free(t->sum);
    free(t->weight);
}

static double ratio(const per_text *t) {
    double sum = 0, weight = 0;
    for (size_t i = 0; i < t->n; i++) {
        sum += t->sum[i];
        weight += t->weight[i];
    }
    return sum / weight;
}

static int ascending(const void *pa, const void *pb) {
    const double a = *(const double *)pa, b = *(const double *)pb;
    return (a > b) - (a < b);
}

/* Percentile interval of resampled texts (Efron 1979). */
static void interval(const per_text *t, double *low, double *high) {
    double *drawn = tool_alloc(RESAMPLES, sizeof *drawn);
    uint64_t state = 1;
    for (size_t k = 0; k < RESAMPLES; k++) {
        double sum = 0, weight = 0;
        for (size_t i = 0; i < t->n; i++) {
            const size_t pick = (size_t)(random_bits(&state) % t->n);
            sum += t->sum[pick];
            weight += t->weight[pick];
        }
        drawn[k] = sum / weight;
    }
    qsort(drawn, RESAMPLES, sizeof *drawn, ascending);
    *low = drawn[RESAMPLES / 40];
    *high = drawn[RESAMPLES - 1 - RESAMPLES / 40];
    free(drawn);
}

static spread spread_of(const per_text *t) {
    spread s = {ratio(t), 0, NAN, NAN};
    for (size_t i = 0; i < t->n; i++) {
        const double off = t->sum[i] / t->weight[i] - s.mean;
        s.sd += off * off;
    }
    s.sd = t->n > 1 ? sqrt(s.sd / (double)(t->n - 1)) : (double)NAN;
    if (t->n > 1) interval(t, &s.low, &s.high);
    return s;
}

static const divergence *at(const ablation *a, size_t row, size_t curve, size_t point) {
    return &a->result[(row * a->curves + curve) * a->points + point];
}

spread ablate_kl(const ablation *a, size_t curve, size_t point) {
    per_text t = per_text_make(a->s.texts);
    for (size_t i = 0; i < t.n; i++) {
        t.sum[i] = at(a, i, curve, point)->kl;
        t.weight[i] = at(a, i, curve, point)->positions;
    }
    const spread s = spread_of(&t);
    per_text_free(&t);
    return s;
}

/* Trapezoids over the removed units, from 0 on. */
static double text_area(const ablation *a, size_t row, size_t curve) {
    double area = 0;
    for (size_t p = 1; p < a->points; p++)
        area += (double)(a->removed[p] - a->removed[p - 1]) *
                (at(a, row, curve, p)->kl + at(a, row, curve, p - 1)->kl) / 2;
    return area / (double)a->removed[a->points - 1];
}

spread ablate_auc(const ablation *a, size_t curve) {
    per_text t = per_text_make(a->s.texts);
    for (size_t i = 0; i < t.n; i++) {
        t.sum[i] = text_area(a, i, curve);
        t.weight[i] = at(a, i, curve, 0)->positions;
    }
    const spread s = spread_of(&t);
    per_text_free(&t);
    return s;
}

/* ---- comparisons ---------------------------------------------------------------------- */

/* The mean over the curves of one name; returns how many there are. */
static size_t mean_area(const ablation *a, size_t row, const char *order, double *area) {
    size_t n = 0;
    *area = 0;
    for (size_t c = 0; c < a->curves; c++) {
        if (strcmp(a->curve[c].order, order)) continue;
        *area += text_area(a, row, c);
        n++;
    }
    *area /= n ? (double)n : 1;
    return n;
}

/* Under the null hypothesis each text's difference is as likely the other way round. */
static double sign_flips(const per_text *t) {
    const double observed = fabs(ratio(t));
    uint64_t state = 2;
    size_t as_far = 1;
    double weight = 0;
    for (size_t i = 0; i < t->n; i++) weight += t->weight[i];
    for (size_t k = 0; k < PERMUTATIONS; k++) {
        double sum = 0;
        for (size_t i = 0; i < t->n; i++) sum += random_bits(&state) >> 63 ? t->sum[i] : -t->sum[i];
        as_far += fabs(sum / weight) >= observed * (1 - 1e-12);
    }
    return (double)as_far / (PERMUTATIONS + 1);
}

/* The rank of a single order among random ones. */
static double among_orders(const ablation *a, const char *x, const char *y) {
    size_t n = 0, above = 0, of_x = 0;
    double own = 0;
    for (size_t c = 0; c < a->curves; c++)
        if (!strcmp(a->curve[c].order, x)) {
            own = ablate_auc(a, c).mean;
            of_x++;
        }
    for (size_t c = 0; c < a->curves; c++) {
        if (strcmp(a->curve[c].order, y)) continue;
        above += ablate_auc(a, c).mean >= own;
        n++;
    }
    return of_x == 1 && n > 1 ? (double)(above + 1) / (double)(n + 1) : (double)NAN;
}

static bool compare(const ablation *a, const char *x, const char *y, comparison *to) {
    per_text t = per_text_make(a->s.texts);
    bool both = true;
    for (size_t i = 0; i < t.n; i++) {
        double of_x, of_y;
        both = mean_area(a, i, x, &of_x) && mean_area(a, i, y, &of_y) && both;
        t.sum[i] = of_x - of_y;
        t.weight[i] = at(a, i, 0, 0)->positions;
    }
    const spread s = spread_of(&t);
    *to = (comparison){x, y, s.mean, s.low, s.high, t.n > 1 ? sign_flips(&t) : (double)NAN, NAN};
    if (both) to->p_orders = among_orders(a, x, y);
    per_text_free(&t);
    return both;
}

size_t ablate_comparisons(const ablation *a, comparison to[16]) {
    static const char *const pairs[][2] = {
        {"score", "random"}, {"score", "matched"}, {"score", "reverse"}, {"score", "norm"},
        {"synergy", "random"}, {"redundancy", "random"}, {"norm", "random"}, {"sink", "random"},
        {"reverse", "random"},
    };
    size_t n = 0;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        n += compare(a, pairs[i][0], pairs[i][1], &to[n]);
    return n;
}
