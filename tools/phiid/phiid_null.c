/* phiid_null.c - surrogates: the same analysis of series whose coupling (or time) is destroyed; tests of
   units and pairs against them, and the small-sample bias. */
#include "phiid/phiid.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- making surrogates, prompts side by side ------------------------------------------- */

typedef struct maker {
    const phiid_work *w;
    syn_surrogate kind;
    uint64_t seed;
    size_t   surrogate;
    size_t  *prompt;  /* (used): its number in the file */
    double  *made;    /* (used prompt, unit, sample) */
    double  *work;    /* (used prompt, 4 samples) */
} maker;

/* Job: one prompt. The surrogate depends on the prompt's number in the file, not on who counts. */
static void make_prompt(void *arg, int index) {
    const maker *m = arg;
    size_t used = (size_t)index, samples = m->w->from.samples;
    syn_series s = phiid_kept(m->w, used, m->prompt[used], m->w->all);
    syn_surrogate_make(m->made + used * m->w->from.units * samples, &s, m->kind, m->seed,
                       m->surrogate, m->prompt[used], m->work + used * 4 * samples);
}

static void make_all(const maker *m) {
    const syn_parallel *parallel = &m->w->parallel;
    int jobs = (int)m->w->used;
    if (parallel->run && parallel->threads > 1)
        parallel->run(parallel->user, jobs, make_prompt, (void *)(uintptr_t)m);
    else
        for (int k = 0; k < jobs; k++) make_prompt((void *)(uintptr_t)m, k);
}

static void maker_open(maker *m, const phiid_work *w, syn_surrogate kind) {
    size_t used = 0, cells = w->from.units * w->from.samples;
    memset(m, 0, sizeof *m);
    m->w = w;
    m->kind = kind;
    m->seed = (uint64_t)w->options->seed;
    m->prompt = tool_alloc(w->used, sizeof *m->prompt);
    m->made = tool_alloc(w->used * cells, sizeof *m->made);
    m->work = tool_alloc(w->used * 4 * w->from.samples, sizeof *m->work);
    for (size_t p = 0; p < w->from.prompts; p++)
        if (phiid_is_long_enough(w, p)) m->prompt[used++] = p;
}

static void maker_close(maker *m) {
    free(m->prompt);
    free(m->made);
    free(m->work);
}

/* The sums of all pairs of one surrogate. */
static bool add_surrogate(const maker *m, syn_pairs *pairs, double *pooled, problem *why) {
    const phiid_work *w = m->w;
    syn_error err;
    make_all(m);
    syn_pairs_clear(pairs);
    if (pooled) {
        syn_series s = phiid_pooled(w, m->made, pooled);
        return syn_pairs_add(pairs, &s, &err) == SYN_OK || problem_engine(why, "surrogates", &err);
    }
    for (size_t p = 0; p < w->used; p++) {
        syn_series s = phiid_kept(w, p, m->prompt[p], m->made);
        if (syn_pairs_add(pairs, &s, &err) != SYN_OK) return problem_engine(why, "surrogates", &err);
    }
    return true;
}

/* Calls `take` with the sums of each of `count` surrogates. */
typedef void take_fn(void *user, const syn_pairs *pairs);

static bool each_surrogate(phiid_work *w, syn_surrogate kind, size_t count, const char *label,
                           take_fn *take, void *user, problem *why) {
    progress bar;
    maker m;
    syn_pairs pairs;
    void *block = NULL;
    syn_pairs_desc desc = phiid_pairs_desc(w);
    double *pooled = NULL;
    phiid_keep_all(w);
    if (w->options->pool)
        pooled = tool_alloc(w->from.units * 2 * phiid_pooled_half(w), sizeof *pooled);
    bool good = phiid_open_pairs(&desc, &pairs, &block, why);
    maker_open(&m, w, kind);
    progress_begin(&bar, label, (double)count);
    for (size_t s = 0; good && s < count; s++) {
        progress_step(&bar, (double)s);
        m.surrogate = s;
        good = add_surrogate(&m, &pairs, pooled, why);
        if (good) take(user, &pairs);
    }
    progress_end(&bar);
    maker_close(&m);
    free(block);
    free(pooled);
    return good;
}

/* ---- tests against them ----------------------------------------------------------------- */

static void take_excess(void *user, const syn_pairs *pairs) {
    syn_excess_add(user, pairs);
}

static bool open_excess(phiid_work *w, problem *why) {
    syn_error err;
    null_figures *f = &w->null;
    syn_arena arena = syn_arena_measure();
    if (syn_excess_open(&f->excess, &w->pairs, true, &arena, &err) != SYN_OK)
        return problem_engine(why, NULL, &err);
    arena = block_for(&arena, &f->block);
    return syn_excess_open(&f->excess, &w->pairs, true, &arena, &err) == SYN_OK ||
           problem_engine(why, NULL, &err);
}

/* Benjamini and Hochberg over all pairs, for synergy and for redundancy. */
static void finish_pairs(null_figures *f, size_t pairs) {
    size_t *sorted = tool_alloc(pairs, sizeof *sorted);
    for (int k = 0; k < 2; k++) {
        f->pair_q[k] = tool_alloc(pairs, sizeof(double));
        for (size_t i = 0; i < pairs; i++) f->pair_q[k][i] = syn_excess_pair_p(&f->excess, k, i);
        syn_rank_fdr(f->pair_q[k], pairs, sorted, f->pair_q[k]);
        for (size_t i = 0; i < pairs; i++) f->found[k] += f->pair_q[k][i] <= 0.05 ? 1 : 0;
    }
    free(sorted);
}

bool phiid_surrogates(phiid_work *w, problem *why) {
    null_figures *f = &w->null;
    size_t n = w->from.units, count = (size_t)w->options->surrogates;
    if (!count) return true;
    if (!open_excess(w, why) ||
        !each_surrogate(w, (syn_surrogate)w->options->null, count, "surrogates", take_excess,
                        &f->excess, why))
        return false;
    f->surrogates = count;
    for (int k = 0; k < 2; k++) {
        f->mean[k] = tool_alloc(n, sizeof(double));
        f->z[k] = tool_alloc(n, sizeof(double));
        f->p[k] = tool_alloc(n, sizeof(double));
        for (size_t i = 0; i < n; i++) {
            syn_excess_unit u = syn_excess_of(&f->excess, k, i);
            f->mean[k][i] = u.mean;
            f->z[k][i] = u.z;
            f->p[k][i] = u.p;
        }
    }
    finish_pairs(f, w->pairs.pairs);
    syn_excess_rank(&f->excess, &w->rank);
    return true;
}

void phiid_null_free(phiid_work *w) {
    for (int k = 0; k < 2; k++) {
        free(w->null.mean[k]);
        free(w->null.z[k]);
        free(w->null.p[k]);
        free(w->null.pair_q[k]);
    }
    free(w->null.block);
}

/* ---- small-sample bias ------------------------------------------------------------------ */

enum { BIAS_SHUFFLES = 100 };

/* What shuffles add up to: for pairs, and for units in every prompt. */
typedef struct bias_sums {
    size_t  pairs, cells;
    double *pair[2], *cell[2];
} bias_sums;

static void take_bias(void *user, const syn_pairs *p) {
    bias_sums *b = user;
    for (size_t i = 0; i < b->pairs; i++) {
        b->pair[0][i] += p->synergy[i];
        b->pair[1][i] += p->redundancy[i];
    }
    for (size_t i = 0; i < b->cells; i++) {
        b->cell[0][i] += p->unit_synergy[i];
        b->cell[1][i] += p->unit_redundancy[i];
    }
}

static double mean_of(const double *v, size_t n) {
    double sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        sum += isfinite(v[i]) ? v[i] : 0;
        count += isfinite(v[i]) ? 1 : 0;
    }
    return count ? sum / (double)count : (double)NAN;
}

/* From the sums over prompts of every pair, and over pairs of every unit and prompt: means, ranks,
   profiles and intervals all follow from these. A shuffle moves no flag: the same pairs count. */
static void subtract(phiid_work *w, const bias_sums *b, size_t shuffles) {
    double before[2], *pair[2] = {w->pairs.synergy, w->pairs.redundancy};
    double *cell[2] = {w->pairs.unit_synergy, w->pairs.unit_redundancy};
    before[0] = mean_of(w->rank.synergy, w->from.units);
    before[1] = mean_of(w->rank.redundancy, w->from.units);
    for (int k = 0; k < 2; k++) {
        for (size_t i = 0; i < b->pairs; i++) pair[k][i] -= b->pair[k][i] / (double)shuffles;
        for (size_t i = 0; i < b->cells; i++) cell[k][i] -= b->cell[k][i] / (double)shuffles;
    }
    syn_rank_pairs(&w->rank, &w->pairs);
    w->bias.mean[0] = before[0] - mean_of(w->rank.synergy, w->from.units);
    w->bias.mean[1] = before[1] - mean_of(w->rank.redundancy, w->from.units);
    w->bias.shuffles = shuffles;
}

bool phiid_bias(phiid_work *w, problem *why) {
    bias_sums b;
    size_t shuffles = w->options->surrogates > 0 ? (size_t)w->options->surrogates : BIAS_SHUFFLES;
    if (!w->options->bias_correct) return true;
    b.pairs = w->pairs.pairs;
    b.cells = w->rows * w->from.units;
    for (int k = 0; k < 2; k++) {
        b.pair[k] = tool_alloc(b.pairs, sizeof(double));
        b.cell[k] = tool_alloc(b.cells, sizeof(double));
    }
    bool good = each_surrogate(w, SYN_SURROGATE_SHUFFLE, shuffles, "bias", take_bias, &b, why);
    if (good) subtract(w, &b, shuffles);
    for (int k = 0; k < 2; k++) {
        free(b.pair[k]);
        free(b.cell[k]);
    }
    return good;
}
