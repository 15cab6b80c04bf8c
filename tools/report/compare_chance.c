/* compare_chance.c - how sure is an agreement, and what does chance give? */
#include "report/compare.h"

#include <math.h>
#include <stdlib.h>

syn_interval chance_spearman(double rho, size_t n)
{
    syn_interval v = {rho, (double)NAN, (double)NAN};
    if (n < 4 || !isfinite(rho)) return v;
    double bounded = fmax(-1, fmin(1, rho));
    double z = atanh(bounded),
           half = 1.959963984540054 * sqrt((1 + rho * rho / 2) / (double)(n - 3));
    v.low = tanh(z - half);
    v.high = tanh(z + half);
    return v;
}

/* The value at a depth, on the straight line between its neighbours. */
static double at_depth(const curve *c, double depth)
{
    double place = depth * (double)(c->n - 1);
    size_t l = (size_t)place;
    if (l + 1 >= c->n) return c->y[c->n - 1];
    double part = place - (double)l;
    return part > 0 ? (1 - part) * c->y[l] + part * c->y[l + 1] : c->y[l];
}

syn_interval curve_agreement(const curve *a, const curve *b, size_t *count)
{
    const curve *few = a->n <= b->n ? a : b, *many = few == a ? b : a;
    double *there = tool_alloc(few->n, sizeof *there);
    *count = 0;
    for (size_t l = 0; l < few->n; l++) {
        there[l] = few->n == many->n ? many->y[l] : at_depth(many, few->x[l]);
        *count += isfinite(there[l]) && isfinite(few->y[l]) ? 1 : 0;
    }
    const syn_interval v = chance_spearman(spearman_of(few->y, there, few->n), *count);
    free(there);
    return v;
}

static double log_choose(double n, double k)
{
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1);
}

/* P(K = k) where two random sets of m among n share K: the hypergeometric distribution. */
static double shared_chance(size_t n, size_t m, size_t k)
{
    if (k > m || m - k > n - m) return 0;
    return exp(log_choose((double)m, (double)k) + log_choose((double)(n - m), (double)(m - k)) -
               log_choose((double)n, (double)m));
}

/* P(K >= k) of a binomial distribution of n draws. */
static double binomial_tail(size_t n, size_t k, double p)
{
    double sum = 0;
    for (size_t i = k; i <= n; i++)
        sum += exp(log_choose((double)n, (double)i) + (double)i * log(p) +
                   (double)(n - i) * log1p(-p));
    return fmin(sum, 1);
}

/* The share at which the tail from k on has this chance; the tail grows with the share. */
static double share_of_tail(size_t n, size_t k, double chance)
{
    double low = 0, high = 1;
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;
        if (binomial_tail(n, k, middle) < chance) low = middle;
        else high = middle;
    }
    return (low + high) / 2;
}

/* Of two sets of the same size that share the share q of their members. */
static double jaccard_of(double q)
{
    return q / (2 - q);
}

/* The interval is the exact one of a binomial share (Clopper and Pearson 1934) of one quarter's
   units that lie in the other. */
void chance_overlap(agreement *a)
{
    size_t m = a->quarter, k = a->shared;
    double below = 0, mean = 0, size = (double)m;
    a->jaccard.value = jaccard_of((double)k / size);
    a->jaccard.low = k == 0 ? 0 : jaccard_of(share_of_tail(m, k, 0.025));
    a->jaccard.high = k == m ? 1 : jaccard_of(share_of_tail(m, k + 1, 0.975));
    a->chance.low = a->chance.high = (double)NAN;
    a->p = 0;
    for (size_t i = 0; i <= m; i++) {
        double chance = shared_chance(a->count, m, i), jaccard = jaccard_of((double)i / size);
        mean += chance * jaccard;
        below += chance;
        if (!isfinite(a->chance.low) && below >= 0.025) a->chance.low = jaccard;
        if (!isfinite(a->chance.high) && below >= 0.975) a->chance.high = jaccard;
        if (i >= k) a->p += chance;
    }
    a->chance.value = mean;
    a->p = fmin(a->p, 1);
}
