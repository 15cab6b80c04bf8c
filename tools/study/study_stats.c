/* study_stats.c - curves with their uncertainty over prompts, and comparisons between orders. */
#include "study/study.h"

#include "engine/shape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RESAMPLES = 2000, PERMUTATIONS = 9999 };

/* A figure is a ratio of sums over texts: nats by tokens. */
typedef struct per_text {
    double *sum, *weight;
    size_t n;
} per_text;

static per_text per_text_make(size_t n)
{
    return (per_text){tool_alloc(n, sizeof(double)), tool_alloc(n, sizeof(double)), n};
}

static void per_text_free(per_text *t)
{
    free(t->sum);
    free(t->weight);
}

static double ratio(const per_text *t)
{
    double sum = 0, weight = 0;
    for (size_t i = 0; i < t->n; i++) {
        sum += t->sum[i];
        weight += t->weight[i];
    }
    return sum / weight;
}

static int ascending(const void *pa, const void *pb)
{
    const double a = *(const double *)pa, b = *(const double *)pb;
    return (a > b) - (a < b);
}

/* Percentile interval of resampled texts (Efron 1979). */
static void interval(const per_text *t, uint64_t seed, double *low, double *high)
{
    double *drawn = tool_alloc(RESAMPLES, sizeof *drawn);
    uint64_t state = seed;
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

static spread spread_of(const study *a, const per_text *t)
{
    spread s = {ratio(t), 0, (double)NAN, (double)NAN};
    for (size_t i = 0; i < t->n; i++) {
        const double off = t->sum[i] / t->weight[i] - s.mean;
        s.sd += off * off;
    }
    s.sd = t->n > 1 ? sqrt(s.sd / (double)(t->n - 1)) : (double)NAN;
    if (t->n > 1) interval(t, (uint64_t)a->options->seed, &s.low, &s.high);
    return s;
}

static const divergence *at(const study *a, size_t row, size_t curve, size_t point)
{
    return &a->result[(row * a->curves + curve) * a->points + point];
}

spread study_kl(const study *a, size_t curve, size_t point)
{
    per_text t = per_text_make(a->s.texts);
    for (size_t i = 0; i < t.n; i++) {
        t.sum[i] = at(a, i, curve, point)->kl;
        t.weight[i] = at(a, i, curve, point)->positions;
    }
    const spread s = spread_of(a, &t);
    per_text_free(&t);
    return s;
}

divergence study_sum(const study *a, size_t curve, size_t point)
{
    divergence sum = {0, 0, 0, 0};
    for (size_t i = 0; i < a->s.texts; i++) divergence_add(&sum, at(a, i, curve, point));
    return sum;
}

/* Trapezoids, from 0 on. */
static double text_area(const study *a, size_t row, size_t curve)
{
    double area = 0;
    for (size_t p = 1; p < a->points; p++)
        area +=
            (a->x[p] - a->x[p - 1]) * (at(a, row, curve, p)->kl + at(a, row, curve, p - 1)->kl) / 2;
    return area / a->x[a->points - 1];
}

static per_text areas(const study *a, size_t curve)
{
    per_text t = per_text_make(a->s.texts);
    for (size_t i = 0; i < t.n; i++) {
        t.sum[i] = text_area(a, i, curve);
        t.weight[i] = at(a, i, curve, 0)->positions;
    }
    return t;
}

spread study_area(const study *a, size_t curve)
{
    per_text t = areas(a, curve);
    const spread s = spread_of(a, &t);
    per_text_free(&t);
    return s;
}

double study_area_mean(const study *a, size_t curve)
{
    per_text t = areas(a, curve);
    const double mean = ratio(&t);
    per_text_free(&t);
    return mean;
}

/* ---- comparisons ---------------------------------------------------------------------- */

/* The mean over the curves of one name; returns how many there are. */
static size_t mean_area(const study *a, size_t row, const char *name, double *area)
{
    size_t n = 0;
    *area = 0;
    for (size_t c = 0; c < a->curves; c++) {
        if (strcmp(a->curve[c].name, name)) continue;
        *area += text_area(a, row, c);
        n++;
    }
    *area /= n ? (double)n : 1;
    return n;
}

/* Under the null hypothesis each text's difference is as likely the other way round. */
static double sign_flips(const per_text *t, uint64_t seed)
{
    const double observed = fabs(ratio(t));
    uint64_t state = ~seed;
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

bool study_is_open(const study *a)
{
    return a->s.texts < SHAPE_LEAST_PROMPTS;
}

/* Curves of one name with at least (or, to count below, at most) that area; equal within rounding
   counts. */
static size_t count_beyond(const study *a, const char *name, double area, bool above, size_t *all)
{
    const double slack = 1e-9 * fabs(area);
    size_t n = 0;
    *all = 0;
    for (size_t c = 0; c < a->curves; c++) {
        if (strcmp(a->curve[c].name, name)) continue;
        const double own = study_area_mean(a, c);
        n += above ? own >= area - slack : own <= area + slack;
        ++*all;
    }
    return n;
}

/* The mean of the curves named `a` among the single curves named `b`. */
static void among_orders(const study *s, curve_test *c, double area)
{
    size_t of_a, of_b;
    count_beyond(s, c->a, area, true, &of_a);
    const size_t above = count_beyond(s, c->b, area, true, &of_b);
    const size_t below = count_beyond(s, c->b, area, false, &of_b);
    c->harm = !(c->p_prompts < 0.05) || study_is_open(s) ? 0 : c->difference > 0 ? 1 : -1;
    if (of_b < 2) return;
    if ((c->harm > 0 && above) || (c->harm < 0 && below)) c->harm = 0;
    if (of_a == 1) c->p_orders = (double)(above + 1) / (double)(of_b + 1);
}

static bool compare(const study *a, const char *x, const char *y, curve_test *to)
{
    per_text t = per_text_make(a->s.texts);
    double area = 0, positions = 0;
    bool both = true;
    for (size_t i = 0; i < t.n; i++) {
        double of_x = 0, of_y = 0;
        both = mean_area(a, i, x, &of_x) && mean_area(a, i, y, &of_y) && both;
        t.sum[i] = of_x - of_y;
        t.weight[i] = at(a, i, 0, 0)->positions;
        area += of_x;
        positions += t.weight[i];
    }
    const spread s = spread_of(a, &t);
    *to = (curve_test){x, y, s.mean, s.low, s.high, (double)NAN, (double)NAN, 0};
    if (both && t.n > 1) to->p_prompts = sign_flips(&t, (uint64_t)a->options->seed);
    if (both) among_orders(a, to, area / positions);
    per_text_free(&t);
    return both;
}

size_t study_comparisons(const study *a, curve_test to[STUDY_COMPARISONS])
{
    size_t n = 0;
    for (size_t k = 0; k < a->pairs && n < STUDY_COMPARISONS; k++)
        n += compare(a, a->pair[k][0], a->pair[k][1], &to[n]);
    return n;
}

const curve_test *comparison_of(const curve_test *c, size_t n, const char *a, const char *b)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(c[i].a, a) && !strcmp(c[i].b, b)) return &c[i];
    return NULL;
}

bool comparison_harms_more(const curve_test *c)
{
    return c && c->harm > 0;
}
