/* phiid_null.c - surrogates: the same analysis of series whose coupling (or time) is destroyed;
   tests of units and pairs against them, and the small-sample bias. */
#include "phiid/phiid.h"

#include "base/work.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- making surrogates, prompts side by side ------------------------------------------- */

typedef struct maker {
    const phiid_work *w;
    syn_surrogate kind;
    uint64_t seed;
    size_t surrogate;
    size_t *prompt;    /* (used): its number in the file */
    uint64_t *key;     /* (used, unit): what the draws of a unit depend on */
    double *made;      /* (used prompt, unit, sample) */
    double *work;      /* (used prompt, SYN_SURROGATE_WORK, sample) */
    double *pooled[2]; /* with --pool: the observed and the surrogate as one series each */
} maker;

typedef struct made_of {
    const maker *m;
    size_t used;
} made_of;

/* One series of a prompt (phiid_make_fn). */
static void make_series(const void *user, const syn_series *from, double *to, double *scratch)
{
    const made_of *of = user;
    const maker *m = of->m;
    const syn_surrogate_desc what = {m->kind, m->seed, m->surrogate, m->prompt[of->used],
                                     m->key + of->used * m->w->from.units};
    syn_surrogate_make(from, &what, to, scratch);
}

/* Job: one prompt. The surrogate depends on the prompt's number in the file, not on who counts. */
static void make_prompt(void *arg, int index)
{
    const maker *m = arg;
    const size_t used = (size_t)index, samples = phiid_row_samples(m->w);
    const made_of of = {m, used};
    double *to = m->made + used * m->w->from.units * samples;
    if (m->w->from.at) {
        phiid_surrogate_with_gaps(m->w, m->prompt[used], m->kind, make_series, &of, to);
        return;
    }
    syn_series s = phiid_kept(m->w, used, m->prompt[used], m->w->all);
    make_series(&of, &s, to, m->work + used * SYN_SURROGATE_WORK * samples);
}

static void make_all(const maker *m)
{
    const syn_parallel *parallel = &m->w->parallel;
    int jobs = (int)m->w->used;
    if (parallel->run && parallel->threads > 1)
        parallel->run(parallel->user, jobs, make_prompt, (void *)(uintptr_t)m);
    else
        for (int k = 0; k < jobs; k++) make_prompt((void *)(uintptr_t)m, k);
}

static void maker_open(maker *m, const phiid_work *w, syn_surrogate kind)
{
    size_t used = 0, n = w->from.units, cells = n * phiid_row_samples(w);
    memset(m, 0, sizeof *m);
    m->w = w;
    m->kind = kind;
    m->seed = (uint64_t)w->options->seed;
    m->prompt = tool_alloc(w->used, sizeof *m->prompt);
    m->made = tool_alloc(w->used * cells, sizeof *m->made);
    m->work = tool_alloc(w->used * SYN_SURROGATE_WORK * phiid_row_samples(w), sizeof *m->work);
    m->key = tool_alloc(w->used * n, sizeof *m->key);
    for (size_t p = 0; p < w->from.prompts; p++) {
        if (!phiid_is_long_enough(w, p)) continue;
        syn_series s = phiid_kept(w, used, p, w->all);
        syn_surrogate_keys(&s, m->key + used * n);
        m->prompt[used++] = p;
    }
    for (int k = 0; w->options->pool && k < 2; k++)
        m->pooled[k] = tool_alloc(n * 2 * phiid_pooled_half(w), sizeof(double));
    if (w->options->pool) phiid_pooled(w, w->all, m->pooled[0]);
}

static void maker_close(maker *m)
{
    free(m->prompt);
    free(m->key);
    free(m->made);
    free(m->work);
    for (int k = 0; k < 2; k++) free(m->pooled[k]);
}

/* The sums of all pairs of one surrogate, over what is sound as observed. */
static bool add_surrogate(const maker *m, syn_pairs *pairs, problem *why)
{
    const phiid_work *w = m->w;
    syn_error err;
    syn_status status = SYN_OK;
    make_all(m);
    syn_pairs_clear(pairs);
    if (w->options->pool) {
        syn_series s = phiid_pooled(w, m->made, m->pooled[1]), seen = s;
        seen.data = m->pooled[0];
        status = syn_pairs_add_surrogate(pairs, &s, &seen, &err);
    }
    for (size_t p = 0; !w->options->pool && status == SYN_OK && p < w->used; p++) {
        syn_series s = phiid_kept(w, p, m->prompt[p], m->made);
        syn_series seen = phiid_kept(w, p, m->prompt[p], w->all);
        status = syn_pairs_add_surrogate(pairs, &s, &seen, &err);
    }
    return status == SYN_OK || problem_engine(why, "surrogates", &err);
}

/* ---- what an interrupted run has ---------------------------------------------------------- */

enum { BIAS_SHUFFLES = 100 };

/* Means of shuffles added up: for pairs, and for units in every prompt; and over how many, since a
   shuffle may leave a pair without a value (a window that became constant). */
struct bias_sums {
    size_t pairs, cells;
    double *pair[2], *cell[2];
    uint32_t *pair_count, *cell_count;
};

static size_t shuffles_of(const phiid_work *w)
{
    const size_t surrogates = (size_t)w->options->surrogates;
    return !w->options->bias_correct ? 0 : surrogates ? surrogates : BIAS_SHUFFLES;
}

size_t phiid_null_count(const phiid_work *w)
{
    return (size_t)w->options->surrogates + shuffles_of(w);
}

/* The state: as many numbers of each kind as there are, as they lie in memory. A mark at its
   beginning tells a machine of another byte order or size, which starts over. */
typedef struct span {
    void *at;
    size_t bytes;
} span;
enum { SPANS = 20 };
static const uint64_t state_mark = UINT64_C(0x0102030405060700) + sizeof(size_t);

static size_t state_spans(phiid_work *w, span to[SPANS])
{
    const size_t n = w->from.units, pairs = n * (n - 1) / 2, cells = w->rows * n;
    null_figures *f = &w->null;
    bias_sums *b = w->sums;
    size_t count = 0;
    if (w->options->surrogates) {
        syn_excess *e = &f->excess;
        to[count++] = (span){&e->surrogates, sizeof e->surrogates};
        to[count++] = (span){f->whole_above, sizeof f->whole_above};
        to[count++] = (span){&f->whole_count, sizeof f->whole_count};
        to[count++] = (span){e->count, n * sizeof *e->count};
        to[count++] = (span){e->pair_count, pairs * sizeof *e->pair_count};
        for (int k = 0; k < 2; k++) {
            to[count++] = (span){e->mean[k], n * sizeof *e->mean[k]};
            to[count++] = (span){e->spread[k], n * sizeof *e->spread[k]};
            to[count++] = (span){e->above[k], n * sizeof *e->above[k]};
            to[count++] = (span){e->pair_above[k], pairs * sizeof *e->pair_above[k]};
        }
    }
    for (int k = 0; w->options->bias_correct && k < 2; k++) {
        to[count++] = (span){b ? b->pair[k] : NULL, pairs * sizeof *b->pair[k]};
        to[count++] = (span){b ? b->cell[k] : NULL, cells * sizeof *b->cell[k]};
    }
    if (w->options->bias_correct) {
        to[count++] = (span){b ? b->pair_count : NULL, pairs * sizeof *b->pair_count};
        to[count++] = (span){b ? b->cell_count : NULL, cells * sizeof *b->cell_count};
    }
    return count;
}

size_t phiid_null_state_bytes(const phiid_work *w)
{
    phiid_work shape = *w; /* only sizes are asked for */
    span of[SPANS];
    size_t bytes = sizeof state_mark;
    const size_t count = state_spans(&shape, of);
    for (size_t i = 0; i < count; i++) bytes += of[i].bytes;
    return bytes;
}

static bool save_state(phiid_work *w, size_t done, problem *why)
{
    span of[SPANS];
    text to = {NULL, 0, 0};
    const size_t count = state_spans(w, of);
    text_add_bytes(&to, (const char *)&state_mark, sizeof state_mark);
    for (size_t i = 0; i < count; i++) text_add_bytes(&to, of[i].at, of[i].bytes);
    const bool good = work_save(w->log, done, to.at, why);
    text_free(&to);
    return good;
}

static void load_state(phiid_work *w)
{
    span of[SPANS];
    text from = {NULL, 0, 0};
    size_t at = sizeof state_mark;
    const size_t count = state_spans(w, of);
    const bool whole = work_state(w->log, &from) && from.length == w->log->desc.state_bytes &&
                       !memcmp(from.at, &state_mark, sizeof state_mark);
    for (size_t i = 0; whole && i < count; at += of[i++].bytes)
        memcpy(of[i].at, from.at + at, of[i].bytes);
    if (!whole) w->log->done = 0;
    text_free(&from);
}

/* Calls `take` with the sums of each of `count` surrogates; those of units only where `units`. The
   log counts them from `before` on. */
typedef void take_fn(void *user, const syn_pairs *pairs);

static bool each_surrogate(phiid_work *w, syn_surrogate kind, size_t before, size_t count,
                           bool units, const char *label, take_fn *take, void *user, problem *why)
{
    progress bar;
    maker m;
    syn_pairs pairs;
    void *block = NULL;
    size_t s = w->log->done > before ? w->log->done - before : 0;
    if (s >= count) return true; /* all of them were in the log */
    syn_pairs_desc desc = phiid_pairs_desc(w);
    desc.cells = false;
    desc.lean = !units;
    desc.like = &w->pairs;
    phiid_keep_all(w);
    bool good = phiid_open_pairs(&desc, &pairs, &block, why);
    maker_open(&m, w, kind);
    progress_begin(&bar, label, (double)count);
    progress_skip(&bar, (double)s);
    while (good && s < count) {
        progress_step(&bar, (double)s);
        m.surrogate = s++;
        good = add_surrogate(&m, &pairs, why);
        if (good) take(user, &pairs);
        if (good && work_due(w->log)) good = save_state(w, before + s, why);
    }
    progress_end(&bar);
    maker_close(&m);
    free(block);
    return good;
}

/* ---- tests against them ----------------------------------------------------------------- */

/* The mean over all pairs, observed and of the surrogate, each pair over the prompts that both
   have. */
static void count_whole(null_figures *f, const syn_pairs *made)
{
    const syn_pairs *seen = made->desc.like;
    const double *of[2][2] = {{seen->synergy, seen->redundancy}, {made->synergy, made->redundancy}};
    double sum[2][2] = {{0, 0}, {0, 0}};
    size_t pairs = 0;
    for (size_t i = 0; i < made->pairs; i++) {
        const double count = (double)(made->prompts - made->left_out[i]);
        if (!(count > 0)) continue;
        for (int k = 0; k < 2; k++) {
            sum[0][k] += (of[0][k][i] - made->lost[k][i]) / count;
            sum[1][k] += of[1][k][i] / count;
        }
        pairs++;
    }
    if (!pairs) return;
    for (int k = 0; k < 2; k++) f->whole_above[k] += sum[1][k] >= sum[0][k] ? 1 : 0;
    f->whole_count++;
}

static void take_excess(void *user, const syn_pairs *pairs)
{
    syn_error never; /* whole surrogates of the observed: nothing can be refused */
    null_figures *f = user;
    syn_excess_add(&f->excess, pairs, &never);
    count_whole(f, pairs);
}

static bool open_excess(phiid_work *w, problem *why)
{
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
static void finish_pairs(null_figures *f, size_t pairs)
{
    size_t *sorted = tool_alloc(pairs, sizeof *sorted);
    for (int k = 0; k < 2; k++) {
        f->pair_q[k] = tool_alloc(pairs, sizeof(double));
        for (size_t i = 0; i < pairs; i++)
            f->pair_q[k][i] = syn_excess_pair_p(&f->excess, (syn_measure)k, i);
        syn_rank_fdr(f->pair_q[k], pairs, f->pair_q[k], sorted);
        for (size_t i = 0; i < pairs; i++) f->found[k] += f->pair_q[k][i] <= 0.05 ? 1 : 0;
    }
    free(sorted);
}

/* Means over the units that have a null: the two sides of 'observed against shifted'. */
static void whole_means(null_figures *f, size_t n)
{
    for (int k = 0; k < 2; k++) {
        double units = 0;
        f->seen[k] = f->whole[k] = 0;
        for (size_t i = 0; i < n; i++) {
            if (!f->count[i]) continue;
            f->seen[k] += f->excess.seen[k][i];
            f->whole[k] += f->mean[k][i];
            units++;
        }
        f->seen[k] = units > 0 ? f->seen[k] / units : (double)NAN;
        f->whole[k] = units > 0 ? f->whole[k] / units : (double)NAN;
    }
}

bool phiid_surrogates(phiid_work *w, problem *why)
{
    null_figures *f = &w->null;
    size_t n = w->from.units, count = (size_t)w->options->surrogates;
    if (!count) return true;
    if (!each_surrogate(w, (syn_surrogate)w->options->null, 0, count, false, "surrogates",
                        take_excess, f, why))
        return false;
    f->surrogates = count;
    f->count = tool_alloc(n, sizeof *f->count);
    for (int k = 0; k < 2; k++) {
        f->mean[k] = tool_alloc(n, sizeof(double));
        f->z[k] = tool_alloc(n, sizeof(double));
        f->p[k] = tool_alloc(n, sizeof(double));
        for (size_t i = 0; i < n; i++) {
            syn_excess_unit u = syn_excess_of(&f->excess, (syn_measure)k, i);
            f->count[i] = u.surrogates;
            f->mean[k][i] = u.mean;
            f->z[k][i] = u.z;
            f->p[k][i] = u.p;
        }
    }
    whole_means(f, n);
    finish_pairs(f, w->pairs.pairs);
    syn_excess_rank(&f->excess, &w->rank);
    return true;
}

/* ---- small-sample bias ------------------------------------------------------------------ */

static void take_bias(void *user, const syn_pairs *p)
{
    bias_sums *b = user;
    for (size_t i = 0; i < b->pairs; i++) {
        const double count = (double)(p->prompts - p->left_out[i]);
        if (!(count > 0)) continue;
        b->pair[0][i] += p->synergy[i] / count;
        b->pair[1][i] += p->redundancy[i] / count;
        b->pair_count[i]++;
    }
    for (size_t i = 0; i < b->cells; i++) {
        const double count = (double)p->unit_sound[i];
        if (!(count > 0)) continue;
        b->cell[0][i] += p->unit_synergy[i] / count;
        b->cell[1][i] += p->unit_redundancy[i] / count;
        b->cell_count[i]++;
    }
}

/* From the sums over prompts of every pair, and over pairs of every unit and prompt: means, ranks,
   profiles and intervals all follow from these. The bias is that of the pairs and prompts that
   are in the sum, as often as they are. */
static void subtract(phiid_work *w, const bias_sums *b, size_t shuffles)
{
    const syn_pairs *p = &w->pairs;
    double before[2], *pair[2] = {p->synergy, p->redundancy};
    double *cell[2] = {p->unit_synergy, p->unit_redundancy};
    before[0] = mean_finite(w->rank.synergy, w->from.units);
    before[1] = mean_finite(w->rank.redundancy, w->from.units);
    for (int k = 0; k < 2; k++) {
        for (size_t i = 0; i < b->pairs; i++)
            if (b->pair_count[i])
                pair[k][i] -=
                    b->pair[k][i] / b->pair_count[i] * (double)(p->prompts - p->left_out[i]);
        for (size_t i = 0; i < b->cells; i++)
            if (b->cell_count[i])
                cell[k][i] -= b->cell[k][i] / b->cell_count[i] * (double)p->unit_sound[i];
    }
    syn_rank_pairs(&w->rank, &w->pairs);
    w->bias.mean[0] = before[0] - mean_finite(w->rank.synergy, w->from.units);
    w->bias.mean[1] = before[1] - mean_finite(w->rank.redundancy, w->from.units);
    w->bias.shuffles = shuffles;
}

static void open_sums(phiid_work *w)
{
    bias_sums *b = w->sums = tool_alloc(1, sizeof *b);
    b->pairs = w->pairs.pairs;
    b->cells = w->rows * w->from.units;
    b->pair_count = tool_alloc(b->pairs, sizeof *b->pair_count);
    b->cell_count = tool_alloc(b->cells, sizeof *b->cell_count);
    for (int k = 0; k < 2; k++) {
        b->pair[k] = tool_alloc(b->pairs, sizeof(double));
        b->cell[k] = tool_alloc(b->cells, sizeof(double));
    }
}

static void free_sums(bias_sums *b)
{
    if (!b) return;
    for (int k = 0; k < 2; k++) {
        free(b->pair[k]);
        free(b->cell[k]);
    }
    free(b->pair_count);
    free(b->cell_count);
    free(b);
}

bool phiid_null_begin(phiid_work *w, problem *why)
{
    if (!phiid_null_count(w)) return true;
    if (w->options->surrogates && !open_excess(w, why)) return false;
    if (w->options->bias_correct) open_sums(w);
    load_state(w);
    return true;
}

bool phiid_bias(phiid_work *w, problem *why)
{
    const size_t shuffles = shuffles_of(w);
    if (!shuffles) return true;
    if (!each_surrogate(w, SYN_SURROGATE_SHUFFLE, (size_t)w->options->surrogates, shuffles, true,
                        "bias", take_bias, w->sums, why))
        return false;
    subtract(w, w->sums, shuffles);
    return true;
}

void phiid_null_free(phiid_work *w)
{
    for (int k = 0; k < 2; k++) {
        free(w->null.mean[k]);
        free(w->null.z[k]);
        free(w->null.p[k]);
        free(w->null.pair_q[k]);
    }
    free(w->null.count);
    free(w->null.block);
    free_sums(w->sums);
}
