/* phiid_series.c - series as they are analysed: which prompts count, trends taken out, all prompts
   as one, lagged covariances to and from files. */
#include "phiid/phiid.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

bool phiid_is_long_enough(const phiid_work *w, size_t prompt)
{
    const phiid_options *o = w->options;
    size_t n = w->from.length[prompt];
    if ((w->from.has_lengths || o->min_length_given) && n < (size_t)o->min_length) return false;
    return recording_pairs(&w->from, prompt, w->tau) >= LEAST_SAMPLES;
}

/* Is it laid out as the pairs that count (pasts, then futures), since samples are left out of
   it? */
static bool has_gaps(const phiid_work *w)
{
    return w->from.at != NULL;
}

size_t phiid_row_samples(const phiid_work *w)
{
    return has_gaps(w) ? 2 * w->from.samples : w->from.samples;
}

/* Where samples are left out, each that is there has one rank, though it may stand in two pairs:
   ranks are taken here, before samples become pairs. */
static bool ranks_here(const phiid_work *w)
{
    return has_gaps(w) && w->options->estimator == SYN_COPULA;
}

/* Places of a prompt's samples in the file; NULL: they follow each other. */
static const size_t *times_of(const phiid_work *w, size_t prompt)
{
    return has_gaps(w) ? w->from.at + prompt * w->from.samples : NULL;
}

syn_pairs_desc phiid_pairs_desc(const phiid_work *w)
{
    syn_pairs_desc d;
    memset(&d, 0, sizeof d);
    d.units = w->from.units;
    d.samples = w->from.is_cov ? w->tau + LEAST_SAMPLES : phiid_row_samples(w);
    if (w->from.at) d.samples += w->tau; /* room for as many pairs as there are samples */
    d.prompts = w->rows;
    d.phiid.tau = w->tau;
    d.phiid.redundancy = (syn_redundancy)w->options->redundancy;
    d.phiid.estimator =
        (syn_estimator)w->options->estimator; /* logarithms are taken in fill_rows */
    if (ranks_here(w)) d.phiid.estimator = SYN_GAUSSIAN;
    d.flagged = (syn_flagged)w->options->flagged;
    d.cells = w->options->surrogates > 0 || w->options->bias_correct;
    d.parallel = w->parallel;
    if (w->options->pool) {
        if (d.phiid.estimator == SYN_COPULA)
            d.phiid.estimator = SYN_GAUSSIAN; /* phiid_pooled ranks */
        d.phiid.tau = phiid_pooled_half(w);
        d.samples = 2 * phiid_pooled_half(w);
    }
    return d;
}

/* ---- trends --------------------------------------------------------------------------- */

static bool all_finite(const double *v, size_t n)
{
    for (size_t t = 0; t < n; t++)
        if (!isfinite(v[t])) return false;
    return true;
}

/* The same at times that are not evenly spaced: x and x^2 are made orthogonal first. */
static void take_polynomial_at(double *v, size_t n, const size_t *at, bool quadratic, double mean)
{
    double *x = tool_alloc(n, sizeof *x), *q = tool_alloc(n, sizeof *q);
    double middle = 0, square = 0, xx = 0, xxx = 0, qq = 0, xv = 0, qv = 0;
    for (size_t t = 0; t < n; t++) middle += (double)at[t] / (double)n;
    for (size_t t = 0; t < n; t++) {
        x[t] = (double)at[t] - middle;
        square += x[t] * x[t] / (double)n;
        xx += x[t] * x[t];
        xxx += x[t] * x[t] * x[t];
    }
    for (size_t t = 0; t < n; t++) {
        q[t] = x[t] * x[t] - square - xxx / xx * x[t];
        qq += q[t] * q[t];
        xv += x[t] * (v[t] - mean);
        qv += q[t] * (v[t] - mean);
    }
    for (size_t t = 0; t < n; t++)
        v[t] -= xv / xx * x[t] + (quadratic && qq > 0 ? qv / qq * q[t] : 0);
    free(x);
    free(q);
}

/* Takes the straight line or the parabola of least squares out and leaves the mean. x = time from
   the middle and q = x^2 - its mean are orthogonal to each other and to a constant. */
static void take_polynomial(double *v, size_t n, const size_t *at, bool quadratic, double mean)
{
    double xx = 0, qq = 0, xv = 0, qv = 0, square = ((double)n * (double)n - 1) / 12;
    if (at) {
        take_polynomial_at(v, n, at, quadratic, mean);
        return;
    }
    for (size_t t = 0; t < n; t++) {
        double x = (double)t - ((double)n - 1) / 2, q = x * x - square;
        xx += x * x;
        qq += q * q;
        xv += x * (v[t] - mean);
        qv += q * (v[t] - mean);
    }
    for (size_t t = 0; t < n; t++) {
        double x = (double)t - ((double)n - 1) / 2, q = x * x - square;
        v[t] -= xv / xx * x + (quadratic && qq > 0 ? qv / qq * q : 0);
    }
}

/* What the other prompts show at the same position, apart from its own mean. */
static void take_position_mean(double *v, size_t n, const size_t *at, const double *position,
                               size_t stride)
{
    double mean = 0;
    for (size_t t = 0; t < n; t++) mean += position[(at ? at[t] : t) * stride] / (double)n;
    for (size_t t = 0; t < n; t++) v[t] -= position[(at ? at[t] : t) * stride] - mean;
}

/* One unit. What is left of a series that is all trend is rounding: it becomes a constant, which is
   flagged. A series with a NaN or an infinity stays as it is. */
static void detrend(const phiid_work *w, double *v, size_t n, const size_t *at, size_t unit)
{
    double mean = 0, size = 0, left = 0;
    if (!all_finite(v, n)) return;
    for (size_t t = 0; t < n; t++) {
        mean += v[t] / (double)n;
        if (fabs(v[t]) > size) size = fabs(v[t]);
    }
    if (w->options->detrend == PHIID_DETREND_MEAN)
        take_position_mean(v, n, at, w->position_mean + unit, w->from.units);
    else take_polynomial(v, n, at, w->options->detrend == PHIID_DETREND_QUADRATIC, mean);
    for (size_t t = 0; t < n; t++)
        if (fabs(v[t] - mean) > left) left = fabs(v[t] - mean);
    for (size_t t = 0; left <= 64 * DBL_EPSILON * size && t < n; t++) v[t] = mean;
}

/* The mean over the prompts that count and reach the position, where the value is a number. */
bool phiid_detrend_begin(phiid_work *w, problem *why)
{
    size_t n = w->from.units, cells = w->from.span * n;
    if (w->options->detrend != PHIID_DETREND_MEAN) return true;
    if (w->used < 2)
        return problem_set(why, "%s: --detrend mean needs at least two prompts, there is one",
                           w->from.path);
    w->position_mean = tool_alloc(cells, sizeof(double));
    uint32_t *count = tool_alloc(cells, sizeof *count);
    void *buffer = tool_alloc(recording_buffer_bytes(&w->from), 1);
    for (size_t p = 0; p < w->from.prompts; p++) {
        if (!phiid_is_long_enough(w, p)) continue;
        const void *from = recording_prompt(&w->from, p, buffer);
        const size_t *at = times_of(w, p);
        for (size_t k = 0; k < w->from.length[p] * n; k++) {
            double v =
                w->from.doubles ? ((const double *)from)[k] : (double)((const float *)from)[k];
            if (w->options->transform == SYN_TRANSFORM_LOG) v = v > 0 ? log(v) : (double)NAN;
            if (!isfinite(v)) continue;
            const size_t cell = at ? at[k / n] * n + k % n : k;
            w->position_mean[cell] += v;
            count[cell]++;
        }
    }
    for (size_t k = 0; k < cells; k++)
        if (count[k]) w->position_mean[k] /= (double)count[k];
    free(buffer);
    free(count);
    return true;
}

/* ---- one prompt ----------------------------------------------------------------------- */

/* Are series another thing than what lies in the file? */
static bool is_made(const phiid_work *w)
{
    return w->options->detrend || w->options->transform;
}

size_t phiid_series_bytes(const phiid_work *w)
{
    const size_t rows = w->from.units * sizeof(double);
    if (has_gaps(w)) return 3 * w->from.samples * rows; /* the pairs, and the series behind them */
    return is_made(w) ? w->from.samples * rows : 0;
}

static syn_series rows_of(const phiid_work *w, const double *rows, size_t samples)
{
    syn_series s;
    memset(&s, 0, sizeof s);
    s.data = rows;
    s.type = SYN_NUMBER_F64;
    s.units = w->from.units;
    s.samples = samples;
    s.time_stride = 1;
    s.unit_stride = samples;
    return s;
}

/* (unit, sample) doubles of a prompt as it lies in the file, (sample, unit). */
static void copy_rows(const phiid_work *w, const void *from, size_t samples, double *to)
{
    size_t n = w->from.units;
    for (size_t i = 0; i < n; i++)
        for (size_t t = 0; t < samples; t++)
            to[i * samples + t] = w->from.doubles ? ((const double *)from)[t * n + i]
                                                  : (double)((const float *)from)[t * n + i];
}

/* The pairs of samples that count, from rows of samples: pasts, then futures. */
static syn_series pairs_of(const phiid_work *w, size_t prompt, const double *rows, double *to)
{
    const size_t n = w->from.length[prompt], count = recording_pairs(&w->from, prompt, w->tau);
    for (size_t i = 0; i < w->from.units; i++) {
        const double *row = rows + i * n;
        double *past = to + i * 2 * count;
        for (size_t k = 0, at = 0; k < n; k++) {
            if (!recording_is_pair(&w->from, prompt, k, w->tau)) continue;
            past[at] = row[k];
            past[count + at++] = row[k + w->tau];
        }
    }
    syn_series s = rows_of(w, to, 2 * count);
    s.lag = count;
    return s;
}

static void rank_rows(const phiid_work *w, size_t samples, double *rows)
{
    syn_phiid_desc ranks;
    double *work = tool_alloc(samples, sizeof *work);
    memset(&ranks, 0, sizeof ranks);
    ranks.estimator = SYN_COPULA;
    for (size_t i = 0; i < w->from.units; i++)
        syn_phiid_prepare(rows + i * samples, samples, &ranks, rows + i * samples, work);
    free(work);
}

/* Rows of samples of one prompt: logarithms where asked, then trends taken out. */
static void fill_rows(const phiid_work *w, size_t prompt, const void *from, double *to)
{
    const size_t samples = w->from.length[prompt];
    syn_phiid_desc logarithm;
    copy_rows(w, from, samples, to);
    memset(&logarithm, 0, sizeof logarithm);
    logarithm.transform = (syn_transform)w->options->transform;
    for (size_t i = 0; w->options->transform && i < w->from.units; i++)
        syn_phiid_prepare(to + i * samples, samples, &logarithm, to + i * samples, NULL);
    for (size_t i = 0; w->options->detrend && i < w->from.units; i++)
        detrend(w, to + i * samples, samples, times_of(w, prompt), i);
}

syn_series phiid_series(const phiid_work *w, size_t prompt, void *buffer, double *made)
{
    const void *from = recording_prompt(&w->from, prompt, buffer);
    size_t samples = w->from.length[prompt];
    syn_series s;
    if (has_gaps(w)) {
        double *rows = made + 2 * w->from.samples * w->from.units;
        fill_rows(w, prompt, from, rows);
        if (ranks_here(w)) rank_rows(w, samples, rows);
        return pairs_of(w, prompt, rows, made);
    }
    memset(&s, 0, sizeof s);
    s.data = from;
    s.type = w->from.doubles ? SYN_NUMBER_F64 : SYN_NUMBER_F32;
    s.units = w->from.units;
    s.samples = samples;
    if (!is_made(w)) return s;
    fill_rows(w, prompt, from, made);
    return rows_of(w, made, samples);
}

/* ---- all prompts ---------------------------------------------------------------------- */

syn_series phiid_kept(const phiid_work *w, size_t used_prompt, size_t file_prompt,
                      const double *from)
{
    const double *rows = from + used_prompt * w->from.units * phiid_row_samples(w);
    const size_t count = recording_pairs(&w->from, file_prompt, w->tau);
    if (!has_gaps(w)) return rows_of(w, rows, w->from.length[file_prompt]);
    syn_series s = rows_of(w, rows, 2 * count);
    s.lag = count;
    return s;
}

void phiid_keep_all(phiid_work *w)
{
    size_t each = w->from.units * phiid_row_samples(w), used = 0;
    if (w->all) return;
    w->all = tool_alloc(w->used * each, sizeof(double));
    void *buffer = tool_alloc(recording_buffer_bytes(&w->from), 1);
    double *made = tool_alloc(phiid_series_bytes(w), 1);
    for (size_t p = 0; p < w->from.prompts; p++) {
        if (!phiid_is_long_enough(w, p)) continue;
        double *to = w->all + used++ * each;
        if (has_gaps(w)) {
            syn_series s = phiid_series(w, p, buffer, made);
            memcpy(to, s.data, w->from.units * s.samples * sizeof *to);
        } else {
            fill_rows(w, p, recording_prompt(&w->from, p, buffer), to);
        }
    }
    free(made);
    free(buffer);
}

size_t phiid_pooled_half(const phiid_work *w)
{
    size_t half = 0;
    for (size_t p = 0; p < w->from.prompts; p++)
        if (phiid_is_long_enough(w, p)) half += recording_pairs(&w->from, p, w->tau);
    return half;
}

/* Centred twice, so that what rounding leaves of a large mean goes, too. A constant window becomes
   exact zeros. */
static void copy_centred(const double *from, size_t n, double *to)
{
    double mean = 0;
    bool constant = true;
    for (size_t t = 0; t < n; t++) {
        to[t] = from[t] - from[0];
        mean += to[t] / (double)n;
        if (to[t] < 0 || to[t] > 0) constant = false;
    }
    for (int pass = 0; !constant && pass < 2; pass++) {
        double rest = 0;
        for (size_t t = 0; t < n; t++) {
            to[t] -= mean;
            rest += to[t] / (double)n;
        }
        mean = rest;
    }
}

/* The ranks of --estimator copula are those of each prompt. */
syn_series phiid_pooled(const phiid_work *w, const double *all, double *to)
{
    size_t half = phiid_pooled_half(w), at = 0, used = 0;
    double *row = tool_alloc(2 * phiid_row_samples(w), sizeof *row);
    syn_phiid_desc ranks;
    memset(&ranks, 0, sizeof ranks);
    if (w->options->estimator == SYN_COPULA && !ranks_here(w)) ranks.estimator = SYN_COPULA;
    for (size_t p = 0; p < w->from.prompts; p++) {
        if (!phiid_is_long_enough(w, p)) continue;
        const syn_series s = phiid_kept(w, used++, p, all);
        const size_t lag = s.lag ? s.lag : w->tau, window = s.samples - lag;
        for (size_t i = 0; i < w->from.units; i++) {
            const double *from = (const double *)s.data + i * s.unit_stride;
            syn_phiid_prepare(from, s.samples, &ranks, row, row + s.samples);
            copy_centred(row, window, to + i * 2 * half + at);
            copy_centred(row + lag, window, to + i * 2 * half + half + at);
        }
        at += window;
    }
    free(row);
    return rows_of(w, to, 2 * half);
}

/* ---- surrogates of series with gaps ------------------------------------------------------- */

/* What a series is like: the process of first order that fills its gaps. */
typedef struct process {
    double mean, variance, memory;
} process;

/* Memory from samples at the shortest distance that five pairs have, as its root. */
static process process_of(const double *row, const size_t *at, size_t n)
{
    process p = {0, 0, 0};
    for (size_t k = 0; k < n; k++) p.mean += row[k] / (double)n;
    for (size_t k = 0; k < n; k++) p.variance += (row[k] - p.mean) * (row[k] - p.mean) / (double)n;
    for (size_t far = 1; far < n && p.variance > 0; far++) {
        double sum = 0, pairs = 0;
        for (size_t k = 0, j = 0; k < n; k++) {
            while (j < n && at[j] < at[k] + far) j++;
            if (j == n) break;
            if (at[j] != at[k] + far) continue;
            sum += (row[k] - p.mean) * (row[j] - p.mean);
            pairs++;
        }
        if (pairs < 5) continue;
        const double r = fmin(fabs(sum / pairs / p.variance), 0.999);
        p.memory = pow(r, 1 / (double)far);
        if (sum < 0) p.memory = far % 2 ? -p.memory : 0;
        break;
    }
    return p;
}

static double unit_normal(uint64_t *state)
{ /* Box and Muller */
    const double u = ((double)(random_bits(state) >> 11) + 0.5) / 9007199254740992.0;
    const double v = (double)(random_bits(state) >> 11) / 9007199254740992.0;
    return sqrt(-2 * log(u)) * cos(6.283185307179586476925 * v);
}

/* One sample on the way from `last` to `end`, which is m + 1 steps away: drawn given both. (A
   straight line would be smoother than the series is, and its surrogates would have too much
   memory.) */
static double on_the_way(const process *p, double last, double end, size_t m, uint64_t *state)
{
    const double a = p->memory, far = pow(a, 2 * (double)m), all = 1 - pow(a, 2 * (double)m + 2);
    const double mean =
        (a * (1 - far) * (last - p->mean) + pow(a, (double)m) * (1 - a * a) * (end - p->mean)) /
        all;
    const double variance = p->variance * (1 - a * a) * (1 - far) / all;
    return p->mean + mean + sqrt(variance) * unit_normal(state);
}

/* The series as it might be without gaps. The draws depend on the series alone. */
static void bridge(const double *row, const size_t *at, size_t n, double *to)
{
    const process p = process_of(row, at, n);
    uint64_t state = n;
    for (size_t k = 0; k < n; k++) {
        uint64_t bits;
        memcpy(&bits, &row[k], sizeof bits);
        state = random_bits(&state) ^ bits;
    }
    for (size_t k = 0; k + 1 < n; k++) {
        const size_t from = at[k] - at[0], next = at[k + 1] - at[0];
        to[from] = row[k];
        for (size_t t = from + 1; t < next; t++)
            to[t] = on_the_way(&p, to[t - 1], row[k + 1], next - t, &state);
    }
    to[at[n - 1] - at[0]] = row[n - 1];
}

/* Pasts and futures move alike, since the draw knows nothing of which half it is given. */
static void shift_pairs(const phiid_work *w, const double *pairs, size_t count, phiid_make_fn *make,
                        const void *user, double *to)
{
    double *half = tool_alloc(w->from.units * count, sizeof *half);
    double *work = tool_alloc(SYN_SURROGATE_WORK * count, sizeof *work);
    for (size_t k = 0; k < 2; k++) {
        syn_series s = rows_of(w, pairs + k * count, count);
        s.unit_stride = 2 * count;
        make(user, &s, half, work);
        for (size_t i = 0; i < w->from.units; i++)
            memcpy(to + (2 * i + k) * count, half + i * count, count * sizeof *to);
    }
    free(half);
    free(work);
}

/* Rows of samples in, rows of samples out, by way of the series whose gaps are bridged. */
static void turn_bridged(const phiid_work *w, double *rows, size_t n, const size_t *at,
                         phiid_make_fn *make, const void *user)
{
    const size_t span = at[n - 1] - at[0] + 1, units = w->from.units;
    double *whole = tool_alloc(units * span, sizeof *whole),
           *made = tool_alloc(units * span, sizeof *made);
    double *work = tool_alloc(SYN_SURROGATE_WORK * span, sizeof *work);
    for (size_t i = 0; i < units; i++) bridge(rows + i * n, at, n, whole + i * span);
    const syn_series s = rows_of(w, whole, span);
    make(user, &s, made, work);
    for (size_t i = 0; i < units; i++)
        for (size_t k = 0; k < n; k++) rows[i * n + k] = made[i * span + at[k] - at[0]];
    free(whole);
    free(made);
    free(work);
}

void phiid_surrogate_with_gaps(const phiid_work *w, size_t prompt, syn_surrogate kind,
                               phiid_make_fn *make, const void *user, double *to)
{
    const size_t n = w->from.length[prompt], units = w->from.units;
    double *rows = tool_alloc(units * n, sizeof *rows),
           *made = tool_alloc(units * 2 * n, sizeof *made);
    const bool turned = kind == SYN_SURROGATE_PHASE || kind == SYN_SURROGATE_IAAFT;
    fill_rows(w, prompt, recording_prompt(&w->from, prompt, NULL), rows);
    if (turned) turn_bridged(w, rows, n, times_of(w, prompt), make, user);
    if (ranks_here(w)) rank_rows(w, n, rows);
    if (turned) {
        pairs_of(w, prompt, rows, to);
    } else if (kind == SYN_SURROGATE_SHIFT) {
        const syn_series pairs = pairs_of(w, prompt, rows, made);
        shift_pairs(w, made, pairs.lag, make, user, to);
    } else {
        const syn_series s = rows_of(w, rows, n);
        double *work = tool_alloc(SYN_SURROGATE_WORK * n, sizeof *work);
        make(user, &s, made, work);
        pairs_of(w, prompt, made, to);
        free(work);
    }
    free(rows);
    free(made);
}

/* ---- covariance files ----------------------------------------------------------------- */

static bool open_cov(const phiid_work *w, syn_cov *cov, void **block, problem *why)
{
    syn_error err;
    syn_arena arena = syn_arena_measure();
    *block = NULL;
    if (syn_cov_open(cov, w->from.units, w->tau, &arena, &err) != SYN_OK)
        return problem_engine(why, NULL, &err);
    arena = block_for(&arena, block);
    return syn_cov_open(cov, w->from.units, w->tau, &arena, &err) == SYN_OK ||
           problem_engine(why, NULL, &err);
}

bool phiid_load_covariance(const phiid_work *w, syn_cov *cov, void **block, problem *why)
{
    syn_error err;
    return open_cov(w, cov, block, why) &&
           (syn_cov_load(cov, w->from.view.bytes, w->from.view.size, &err) == SYN_OK ||
            problem_engine(why, w->from.path, &err));
}

/* Every pair of samples (t, t + tau) of the pooled series as a recording of its own: past, whatever
   lies between, future. So the means that are taken out are those of each prompt's windows, and
   files of several recordings merge into what all prompts together would give. */
static void fill_cov(const phiid_work *w, syn_cov *cov, const syn_series *pooled)
{
    size_t n = w->from.units, half = pooled->samples / 2;
    const double *rows = pooled->data;
    double *sample = tool_alloc(n, sizeof *sample);
    progress bar;
    progress_begin(&bar, "covariance", (double)half);
    for (size_t t = 0; t < half; t++) {
        syn_cov_break(cov);
        for (size_t i = 0; i < n; i++) sample[i] = rows[i * 2 * half + t];
        for (size_t k = 0; k < w->tau; k++) syn_cov_add(cov, sample);
        for (size_t i = 0; i < n; i++) sample[i] = rows[i * 2 * half + half + t];
        syn_cov_add(cov, sample);
        progress_step(&bar, (double)t);
    }
    syn_cov_break(cov);
    progress_end(&bar);
    free(sample);
}

bool phiid_save_covariance(const phiid_work *w, problem *why)
{
    syn_error err;
    syn_cov cov;
    void *block;
    const char *path = w->options->save_cov;
    if (!path) return true;
    if (!output_file_check(path, w->options->force, why) || !open_cov(w, &cov, &block, why))
        return false;
    double *to = tool_alloc(w->from.units * 2 * phiid_pooled_half(w), sizeof *to);
    syn_series pooled = phiid_pooled(w, w->all, to);
    fill_cov(w, &cov, &pooled);
    size_t size = syn_cov_bytes(&cov);
    void *bytes = tool_alloc(size, 1);
    bool good =
        (syn_cov_save(&cov, bytes, size, &err) == SYN_OK || problem_engine(why, path, &err)) &&
        file_write(path, bytes, size, why);
    free(bytes);
    free(to);
    free(block);
    return good;
}
