/* phiid_quantile.c - how much synergy is much? The quantile of an atom among random systems that
   have the same total information I(xy;ab), since that alone moves every atom.

   The random systems are two-variable autoregressions z' = g A z + e: A of independent standard
   normal numbers, the noise covariance V drawn from a Wishart distribution with three degrees of
   freedom, and g such that 1/2 ln(det S / det V) is the total information, S the stationary
   covariance (Liardi et al. 2024, arXiv 2410.11583, use the same idea). A table holds the sorted
   atoms of 1000 systems at each of 48 levels of information; between two levels the quantile is
   interpolated over their logarithm. */
#include "phiid/phiid.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double least_level = 1e-4, most_level = 5; /* nats */

struct quantile_table {
    double *sorted; /* (level, SYN_ATOMS, QUANTILE_SYSTEMS) */
};

/* ---- random numbers (Box and Muller 1958) -------------------------------- */

static double uniform(uint64_t *state)
{
    return ((double)(random_bits(state) >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(uint64_t *state)
{
    double radius = sqrt(-2 * log(uniform(state)));
    return radius * cos(6.283185307179586476925 * uniform(state));
}

/* ---- one random system ------------------------------------------------------------------- */

typedef struct random_system {
    double a[4], v[3]; /* v: xx, xy, yy */
} random_system;

static random_system draw(uint64_t *state)
{
    random_system s;
    memset(&s, 0, sizeof s);
    for (int k = 0; k < 4; k++) s.a[k] = normal(state);
    for (int k = 0; k < 3; k++) {
        double x = normal(state), y = normal(state);
        s.v[0] += x * x;
        s.v[1] += x * y;
        s.v[2] += y * y;
    }
    return s;
}

/* The largest absolute eigenvalue of a 2x2 matrix. */
static double radius_of(const double a[4])
{
    double half = (a[0] + a[3]) / 2, det = a[0] * a[3] - a[1] * a[2], d = half * half - det;
    return d < 0 ? sqrt(det) : fabs(half) + sqrt(d);
}

/* S = B S B' + V for B = g A: three linear equations in (xx, xy, yy), by elimination with
   pivots. */
static void stationary(const random_system *s, double g, double out[3])
{
    double a = g * s->a[0], b = g * s->a[1], c = g * s->a[2], d = g * s->a[3];
    double m[3][4] = {{1 - a * a, -2 * a * b, -b * b, s->v[0]},
                      {-a * c, 1 - a * d - b * c, -b * d, s->v[1]},
                      {-c * c, -2 * c * d, 1 - d * d, s->v[2]}};
    for (int k = 0; k < 3; k++) {
        int best = k;
        for (int r = k + 1; r < 3; r++)
            if (fabs(m[r][k]) > fabs(m[best][k])) best = r;
        for (int q = 0; q < 4; q++) {
            double held = m[k][q];
            m[k][q] = m[best][q];
            m[best][q] = held;
        }
        for (int r = 0; r < 3; r++) {
            double f = m[r][k] / m[k][k];
            for (int q = k; r != k && q < 4; q++) m[r][q] -= f * m[k][q];
        }
    }
    for (int k = 0; k < 3; k++) out[k] = m[k][3] / m[k][k];
}

static double information(const random_system *s, double g, double cov[3])
{
    stationary(s, g, cov);
    double det = cov[0] * cov[2] - cov[1] * cov[1], noise = s->v[0] * s->v[2] - s->v[1] * s->v[1];
    return 0.5 * log(det / noise);
}

/* The information grows with g from 0 to beyond all bounds at 1 / radius. */
static double find_gain(const random_system *s, double total, double cov[3])
{
    double low = 0, high = 1 / radius_of(s->a);
    for (int k = 0; k < 60; k++) {
        double g = (low + high) / 2, i = information(s, g, cov);
        if (i < total) low = g;
        else high = g;
    }
    information(s, low, cov);
    return low;
}

static void atoms_of(const random_system *s, double total, double atom[SYN_ATOMS])
{
    double p[3], c[16], cross[4];
    double g = find_gain(s, total, p);
    /* cov(past, future) = S (g A)' */
    cross[0] = g * (p[0] * s->a[0] + p[1] * s->a[1]);
    cross[1] = g * (p[0] * s->a[2] + p[1] * s->a[3]);
    cross[2] = g * (p[1] * s->a[0] + p[2] * s->a[1]);
    cross[3] = g * (p[1] * s->a[2] + p[2] * s->a[3]);
    for (int k = 0; k < 2; k++) {
        c[k * 10 + 0] = p[0];
        c[k * 10 + 1] = c[k * 10 + 4] = p[1];
        c[k * 10 + 5] = p[2];
    }
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) c[4 * i + 2 + j] = c[4 * (2 + j) + i] = cross[2 * i + j];
    syn_phiid_covariance(c, NULL, atom);
}

/* ---- the table --------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

quantile_table *quantile_make(uint64_t seed)
{
    quantile_table *t = tool_alloc(1, sizeof *t);
    uint64_t state = seed;
    random_system *system = tool_alloc(QUANTILE_SYSTEMS, sizeof *system);
    t->sorted = tool_alloc((size_t)QUANTILE_LEVELS * SYN_ATOMS * QUANTILE_SYSTEMS, sizeof(double));
    for (int k = 0; k < QUANTILE_SYSTEMS; k++) system[k] = draw(&state);
    for (int level = 0; level < QUANTILE_LEVELS; level++) {
        double share = (double)level / (QUANTILE_LEVELS - 1);
        double total = least_level * pow(most_level / least_level, share);
        double *at = t->sorted + (size_t)level * SYN_ATOMS * QUANTILE_SYSTEMS;
        for (int k = 0; k < QUANTILE_SYSTEMS; k++) {
            double atom[SYN_ATOMS];
            atoms_of(&system[k], total, atom);
            for (int a = 0; a < SYN_ATOMS; a++) at[a * QUANTILE_SYSTEMS + k] = atom[a];
        }
        for (int a = 0; a < SYN_ATOMS; a++)
            qsort(at + a * QUANTILE_SYSTEMS, QUANTILE_SYSTEMS, sizeof *at, ascending);
    }
    free(system);
    return t;
}

void quantile_free(quantile_table *t)
{
    if (t) free(t->sorted);
    free(t);
}

/* How many of v (ascending) are below x, half of those equal counted. */
static double rank_in(const double *v, double x)
{
    size_t below = 0, upto = 0;
    for (int pass = 0; pass < 2; pass++) {
        size_t low = 0, high = QUANTILE_SYSTEMS;
        while (low < high) {
            size_t middle = (low + high) / 2;
            if (pass ? v[middle] <= x : v[middle] < x) low = middle + 1;
            else high = middle;
        }
        if (pass) upto = low;
        else below = low;
    }
    return (double)(below + upto) / 2;
}

double quantile_of(const quantile_table *t, int atom, double total, double value)
{
    if (!isfinite(total) || !isfinite(value)) return (double)NAN;
    double place =
        total > least_level ? log(total / least_level) / log(most_level / least_level) : 0;
    if (place > 1) place = 1;
    double level = place * (QUANTILE_LEVELS - 1);
    size_t low = (size_t)level < QUANTILE_LEVELS - 1 ? (size_t)level : QUANTILE_LEVELS - 2;
    double part = level - (double)low;
    const double *at = t->sorted + (low * SYN_ATOMS + (size_t)atom) * QUANTILE_SYSTEMS;
    double a = rank_in(at, value), b = rank_in(at + SYN_ATOMS * QUANTILE_SYSTEMS, value);
    return (a + part * (b - a)) / QUANTILE_SYSTEMS;
}
