/* phiid.c - the information stage: norms in; pair matrices, unit scores, profile and diagnostics
   out. The numbers are the header's; here they are read, asked for and written down. */
#include "phiid/phiid.h"

#include "base/work.h"

#include "engine/unit_list.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void phiid_defaults(phiid_options *o)
{
    memset(o, 0, sizeof *o);
    o->tau = 1;
    o->min_length = 32;
    o->seed = 1;
    o->resamples = 1000;
    o->redundancy = SYN_MMI;
    o->score = SYN_SCORE_RANK_DIFFERENCE;
    o->flagged = SYN_FLAGGED_EXCLUDE;
}

long long phiid_least_samples(const phiid_options *o)
{
    return (long long)o->tau + LEAST_SAMPLES;
}

/* Matrices; units.csv has some forty numbers a unit; profile.csv, phiid.json and columns.json. */
double phiid_disk_bytes(size_t units, size_t layers, bool surrogates)
{
    const double n = (double)units;
    return n * n * 8 * (surrogates ? 4 : 2) + 850 * n + 1000.0 * (double)layers + 100e3;
}

/* ---- which prompts count -------------------------------------------------------------- */

static bool choose_prompts(phiid_work *w, problem *why)
{
    const phiid_options *o = w->options;
    size_t longest = 0;
    for (size_t p = 0; p < w->from.prompts; p++) {
        if (w->from.length[p] > longest) longest = w->from.length[p];
        if (!phiid_is_long_enough(w, p)) continue;
        if (!w->used++ || w->from.length[p] < w->shortest) w->shortest = w->from.length[p];
    }
    w->rows = o->pool ? 1 : w->used;
    if (w->used) return true;
    if (w->from.at)
        return problem_set(why,
                           "%s: what is left of %zu samples has fewer than %d pairs at tau %zu",
                           w->from.path, w->from.span, LEAST_SAMPLES, w->tau);
    if (longest < w->tau + LEAST_SAMPLES)
        return problem_set(why, "%s: %zu samples are too few for tau %zu (at least %zu)",
                           w->from.path, longest, w->tau, w->tau + LEAST_SAMPLES);
    return problem_set(why, "%s: no series is as long as --min-length %lld (the longest has %zu)",
                       w->from.path, (long long)o->min_length, longest);
}

/* ---- all 16 atoms, streamed ----------------------------------------------------------- */

/* Where atoms go: into files, into quantiles, or both. */
typedef struct atom_files {
    phiid_work *w;
    bool open;
    npy_out atoms, flags, quantiles;
    problem why;
    bool failed;
} atom_files;

/* Quantiles of the atoms of some pairs of one prompt: sums, and where there is a file, all 16. */
static bool take_quantiles(atom_files *f, size_t first, size_t pairs, const double *atom,
                           const uint8_t *flag)
{
    quantile_figures *q = &f->w->quantile;
    bool good = true;
    for (size_t i = 0; i < pairs && good; i++) {
        const double *a = atom + i * SYN_ATOMS;
        double value[SYN_ATOMS], total = 0;
        for (int k = 0; k < SYN_ATOMS; k++) total += a[k];
        for (int k = 0; k < SYN_ATOMS; k++) {
            bool wanted = f->open || k == SYN_STS || k == SYN_RTR;
            value[k] = wanted && !flag[i] ? quantile_of(q->table, k, total, a[k]) : (double)NAN;
        }
        if (!flag[i]) {
            q->sum[0][first + i] += value[SYN_STS];
            q->sum[1][first + i] += value[SYN_RTR];
            q->count[first + i]++;
        }
        good = !f->open || npy_add(&f->quantiles, value, SYN_ATOMS, &f->why);
    }
    return good;
}

static bool take_atoms(void *user, size_t first, size_t pairs, const double *atom,
                       const uint8_t *flag)
{
    atom_files *f = user;
    f->failed = (f->open && (!npy_add(&f->atoms, atom, (uint64_t)pairs * SYN_ATOMS, &f->why) ||
                             !npy_add(&f->flags, flag, pairs, &f->why))) ||
                (f->w->quantile.table && !take_quantiles(f, first, pairs, atom, flag));
    return !f->failed;
}

static bool begin_atoms(atom_files *f, const phiid_work *w, problem *why)
{
    char path[TOOL_PATH_BYTES];
    size_t n = w->from.units;
    uint64_t prompts = w->options->pool ? 1 : w->from.prompts;
    uint64_t shape[3] = {prompts, (uint64_t)n * (n - 1) / 2, SYN_ATOMS};
    if (!path_join(path, w->output, "atoms.npy", why) ||
        !npy_begin(&f->atoms, path, NPY_F64, 3, shape, why))
        return false;
    f->open = path_join(path, w->output, "flags.npy", why) &&
              npy_begin(&f->flags, path, NPY_U8, 2, shape, why);
    if (!f->open) npy_abandon(&f->atoms);
    if (!f->open || !w->quantile.table) return f->open;
    f->open = path_join(path, w->output, "quantiles.npy", why) &&
              npy_begin(&f->quantiles, path, NPY_F64, 3, shape, why);
    if (f->open) return true;
    npy_abandon(&f->atoms);
    npy_abandon(&f->flags);
    return false;
}

static void abandon_atoms(atom_files *f)
{
    if (!f->open) return;
    npy_abandon(&f->atoms);
    npy_abandon(&f->flags);
    if (f->w->quantile.table) npy_abandon(&f->quantiles);
    f->open = false;
}

static bool end_atoms(atom_files *f, problem *why)
{
    if (!f->open) return true;
    bool good = npy_end(&f->atoms, why) && npy_end(&f->flags, why) &&
                (!f->w->quantile.table || npy_end(&f->quantiles, why));
    if (!good) abandon_atoms(f);
    f->open = false;
    return good;
}

/* A prompt that does not count keeps its place: NaN, and the flag of a series too short. */
static bool skip_atoms(atom_files *f, const phiid_work *w, problem *why)
{
    double nothing[SYN_ATOMS];
    const uint8_t flag = SYN_FLAG_TOO_SHORT;
    size_t n = w->from.units, pairs = n * (n - 1) / 2;
    for (int a = 0; a < SYN_ATOMS; a++) nothing[a] = (double)NAN;
    for (size_t i = 0; i < pairs; i++)
        if (!npy_add(&f->atoms, nothing, SYN_ATOMS, why) || !npy_add(&f->flags, &flag, 1, why) ||
            (w->quantile.table && !npy_add(&f->quantiles, nothing, SYN_ATOMS, why)))
            return false;
    return true;
}

/* ---- every pair of every prompt ------------------------------------------------------- */

static bool add_prompts(phiid_work *w, syn_pairs *pairs, atom_files *files, problem *why)
{
    syn_error err;
    progress bar;
    bool good = true;
    void *buffer = tool_alloc(recording_buffer_bytes(&w->from), 1);
    double *made = tool_alloc(phiid_series_bytes(w), 1);
    progress_begin(&bar, "pairs", (double)w->from.prompts);
    for (size_t p = 0; good && p < w->from.prompts; p++) {
        progress_step(&bar, (double)p);
        if (!phiid_is_long_enough(w, p)) {
            good = !files->open || skip_atoms(files, w, why);
            continue;
        }
        syn_series s = phiid_series(w, p, buffer, made);
        if (syn_pairs_add(pairs, &s, &err) == SYN_OK) continue;
        good = false;
        if (files->failed) *why = files->why;
        else problem_engine(why, w->from.path, &err);
    }
    progress_end(&bar);
    free(buffer);
    free(made);
    return good;
}

/* Mean, lag-1 autocorrelation and trend are figures of single prompts: they come from a pass over
   prompts, which the pooled series, not one in time, cannot give. */
static bool prompt_confounds(phiid_work *w, const syn_confound *of, size_t count, int estimator,
                             problem *why)
{
    phiid_options plain = *w->options;
    const phiid_options *given = w->options;
    atom_files none;
    syn_pairs pairs;
    void *block;
    memset(&none, 0, sizeof none);
    plain.pool = false;
    plain.estimator = estimator;
    w->options = &plain;
    w->rows = w->used;
    syn_pairs_desc desc = phiid_pairs_desc(w);
    bool good = phiid_open_pairs(&desc, &pairs, &block, why) && add_prompts(w, &pairs, &none, why);
    w->options = given;
    w->rows = given->pool ? 1 : w->used;
    for (size_t k = 0; good && k < count; k++)
        syn_pairs_confound(&pairs, of[k], w->confound[of[k]]);
    free(block);
    return good;
}

/* What the sums of pairs do not have, or have of ranks where it is asked of samples. */
static bool missing_confounds(phiid_work *w, problem *why)
{
    static const syn_confound of[] = {SYN_CONFOUND_AUTOCORRELATION, SYN_CONFOUND_TREND,
                                      SYN_CONFOUND_MEAN};
    const phiid_options *o = w->options;
    const bool ranked = o->estimator == SYN_COPULA && w->from.at;
    return (!o->pool || prompt_confounds(w, of, 3, o->estimator, why)) &&
           (!ranked || prompt_confounds(w, of + 2, 1, SYN_GAUSSIAN, why));
}

static bool add_pooled(phiid_work *w, atom_files *files, problem *why)
{
    syn_error err;
    double *to = tool_alloc(w->from.units * 2 * phiid_pooled_half(w), sizeof *to);
    syn_series s = phiid_pooled(w, w->all, to);
    bool good = syn_pairs_add(&w->pairs, &s, &err) == SYN_OK;
    if (!good && files->failed) *why = files->why;
    else if (!good) problem_engine(why, w->from.path, &err);
    free(to);
    return good;
}

static bool add_covariance(phiid_work *w, atom_files *files, problem *why)
{
    syn_error err;
    syn_cov cov;
    void *block;
    bool good = phiid_load_covariance(w, &cov, &block, why);
    if (good && syn_pairs_add_cov(&w->pairs, &cov, &err) != SYN_OK) {
        good = false;
        if (files->failed) *why = files->why;
        else problem_engine(why, w->from.path, &err);
    }
    free(block);
    return good;
}

static void open_quantiles(phiid_work *w)
{
    size_t n = w->from.units, pairs = n * (n - 1) / 2;
    if (!w->options->normalise) return;
    w->quantile.table = quantile_make((uint64_t)w->options->seed);
    w->quantile.sum[0] = tool_alloc(pairs, sizeof(double));
    w->quantile.sum[1] = tool_alloc(pairs, sizeof(double));
    w->quantile.count = tool_alloc(pairs, sizeof(uint32_t));
}

/* Sums to means over prompts, and means over the pairs of each unit. */
static void finish_quantiles(phiid_work *w)
{
    quantile_figures *q = &w->quantile;
    size_t n = w->from.units, pair = 0;
    if (!q->table) return;
    uint32_t *count = tool_alloc(n, sizeof *count);
    for (int k = 0; k < 2; k++) q->unit[k] = tool_alloc(n, sizeof(double));
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++, pair++) {
            for (int k = 0; k < 2; k++) {
                q->sum[k][pair] = q->count[pair] ? q->sum[k][pair] / q->count[pair] : (double)NAN;
                if (!q->count[pair]) continue;
                q->unit[k][i] += q->sum[k][pair];
                q->unit[k][j] += q->sum[k][pair];
            }
            count[i] += q->count[pair] ? 1 : 0;
            count[j] += q->count[pair] ? 1 : 0;
        }
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < n; i++)
            q->unit[k][i] = count[i] ? q->unit[k][i] / count[i] : (double)NAN;
    free(count);
}

static bool run_pairs(phiid_work *w, problem *why)
{
    atom_files files;
    memset(&files, 0, sizeof files);
    files.w = w;
    open_quantiles(w);
    syn_pairs_desc desc = phiid_pairs_desc(w);
    if (w->options->atoms || w->quantile.table) {
        desc.atoms = take_atoms;
        desc.user = &files;
    }
    if (!phiid_open_pairs(&desc, &w->pairs, &w->pairs_block, why)) return false;
    if (w->options->atoms && !begin_atoms(&files, w, why)) return false;
    bool good = w->from.is_cov     ? add_covariance(w, &files, why)
                : w->options->pool ? add_pooled(w, &files, why)
                                   : add_prompts(w, &w->pairs, &files, why);
    good = good && end_atoms(&files, why);
    abandon_atoms(&files);
    finish_quantiles(w);
    return good;
}

/* ---- scores, intervals, diagnostics --------------------------------------------------- */

/* An expert is 0 wherever the router did not choose it: how often is each unit something else? */
static void count_activity(phiid_work *w)
{
    size_t n = w->from.units, samples = 0;
    void *buffer = tool_alloc(recording_buffer_bytes(&w->from), 1);
    w->active = tool_alloc(n, sizeof(double));
    for (size_t i = 0; w->from.is_cov && i < n; i++) w->active[i] = (double)NAN;
    if (w->from.is_cov) { /* it does not tell */
        free(buffer);
        return;
    }
    for (size_t p = 0; p < w->from.prompts; p++) {
        if (!phiid_is_long_enough(w, p)) continue;
        const void *data = recording_prompt(&w->from, p, buffer);
        samples += w->from.length[p];
        for (size_t t = 0; t < w->from.length[p]; t++)
            for (size_t i = 0; i < n; i++) {
                const size_t at = t * n + i;
                const double v = w->from.doubles ? ((const double *)data)[at]
                                                 : (double)((const float *)data)[at];
                w->active[i] += v < 0 || v > 0 || isnan(v) ? 1 : 0;
            }
    }
    for (size_t i = 0; i < n; i++) w->active[i] /= (double)samples;
    free(buffer);
}

/* The mean over the prompts that count of what capture recorded beside the norms. */
static bool read_sinks(phiid_work *w, problem *why)
{
    npy a;
    bool found;
    const size_t n = w->from.units;
    if (!recording_sinks(&w->from, &a, &found, why)) return false;
    if (!found) return true;
    double *row = tool_alloc(n, sizeof *row);
    w->sink = tool_alloc(n, sizeof *w->sink);
    for (size_t p = 0; p < w->from.prompts; p++) {
        if (!phiid_is_long_enough(w, p)) continue;
        npy_doubles(&a, p * n, n, row);
        for (size_t i = 0; i < n; i++) w->sink[i] += row[i] / (double)w->used;
    }
    free(row);
    npy_close(&a);
    return true;
}

static bool rank_units(phiid_work *w, problem *why)
{
    syn_error err;
    syn_arena arena = syn_arena_measure();
    size_t n = w->from.units;
    if (syn_rank_open(&w->rank, n, &arena, &err) != SYN_OK) return problem_engine(why, NULL, &err);
    arena = block_for(&arena, &w->rank_block);
    if (syn_rank_open(&w->rank, n, &arena, &err) != SYN_OK) return problem_engine(why, NULL, &err);
    syn_rank_pairs(&w->rank, &w->pairs);
    count_activity(w);
    for (int c = 0; c < SYN_CONFOUNDS; c++) {
        w->confound[c] = tool_alloc(n, sizeof(double));
        syn_pairs_confound(&w->pairs, (syn_confound)c, w->confound[c]);
    }
    return read_sinks(w, why) && missing_confounds(w, why);
}

static syn_resample_desc resample_desc(const phiid_work *w)
{
    syn_resample_desc d;
    memset(&d, 0, sizeof d);
    d.layers = w->from.layers;
    d.resamples = (size_t)w->options->resamples;
    d.seed = (uint64_t)w->options->seed;
    d.parallel = w->parallel;
    return d;
}

static double *copy_numbers(const double *from, size_t n)
{
    return memcpy(tool_alloc(n, sizeof *from), from, n * sizeof *from);
}

static bool bootstrap(phiid_work *w, int score, problem *why)
{
    syn_error err;
    syn_bootstrap b;
    void *block = NULL;
    score_figures *f = &w->score[score];
    syn_resample_desc desc = resample_desc(w);
    syn_arena arena = syn_arena_measure();
    syn_status status = syn_rank_bootstrap(&b, &w->pairs, (syn_score)score, &desc, &arena, &err);
    if (status == SYN_OK) {
        arena = block_for(&arena, &block);
        status = syn_rank_bootstrap(&b, &w->pairs, (syn_score)score, &desc, &arena, &err);
    }
    bool good = status == SYN_OK;
    if (good) {
        f->low = copy_numbers(b.low, b.units);
        f->high = copy_numbers(b.high, b.units);
        f->layer_low = copy_numbers(b.layer_low, b.layers);
        f->layer_high = copy_numbers(b.layer_high, b.layers);
        f->peak = b.peak;
        f->middle = b.middle;
        f->curvature = b.curvature;
    } else {
        problem_engine(why, "intervals", &err);
    }
    free(block);
    return good;
}

static bool reliability(phiid_work *w, int score, problem *why)
{
    syn_error err;
    void *block = NULL;
    syn_resample_desc desc = resample_desc(w);
    desc.resamples = 0;
    syn_arena arena = syn_arena_measure();
    double *value = &w->score[score].reliability;
    syn_status status =
        syn_rank_reliability(&w->pairs, (syn_score)score, &desc, value, &arena, &err);
    if (status == SYN_OK) {
        arena = block_for(&arena, &block);
        status = syn_rank_reliability(&w->pairs, (syn_score)score, &desc, value, &arena, &err);
    }
    free(block);
    return status == SYN_OK || problem_engine(why, "reliability", &err);
}

static bool permutation(phiid_work *w, int score, problem *why)
{
    syn_error err;
    void *block = NULL;
    syn_resample_desc desc = resample_desc(w);
    syn_arena arena = syn_arena_measure();
    syn_permutation *test = &w->score[score].permutation;
    const double *value = syn_rank_score(&w->rank, (syn_score)score);
    size_t n = w->from.units;
    syn_status status = syn_rank_permutation(test, value, n, &desc, &arena, &err);
    if (status == SYN_OK) {
        arena = block_for(&arena, &block);
        status = syn_rank_permutation(test, value, n, &desc, &arena, &err);
    }
    free(block);
    return status == SYN_OK || problem_engine(why, "permutation test", &err);
}

static void profile(phiid_work *w, int score)
{
    score_figures *f = &w->score[score];
    size_t layers = w->from.layers;
    f->mean = tool_alloc(layers, sizeof(double));
    f->minmax = tool_alloc(layers, sizeof(double));
    f->percentile = tool_alloc(layers, sizeof(double));
    syn_rank_profile(syn_rank_score(&w->rank, (syn_score)score), w->from.units, layers, f->mean,
                     f->minmax, f->percentile);
    syn_shape shape = syn_rank_shape(f->mean, layers);
    f->peak.value = shape.peak;
    f->middle.value = shape.middle;
    f->curvature.value = shape.curvature;
}

static void nothing_known(score_figures *f)
{
    const double none = (double)NAN;
    memset(f, 0, sizeof *f);
    f->peak.value = f->peak.low = f->peak.high = none;
    f->middle = f->curvature = f->peak;
    f->reliability = none;
    f->permutation.p_middle = f->permutation.p_curvature = none;
}

static bool figures_of_scores(phiid_work *w, problem *why)
{
    progress bar;
    bool good = true;
    bool several = w->rows >= 2 && w->options->resamples > 0;
    progress_begin(&bar, "intervals", SYN_SCORES);
    for (int s = 0; good && s < SYN_SCORES; s++) {
        progress_step(&bar, s);
        nothing_known(&w->score[s]);
        if (s == SYN_SCORE_EXCESS && !w->null.surrogates) continue;
        profile(w, s);
        bool drawn = several && s != SYN_SCORE_EXCESS;
        if (drawn) good = bootstrap(w, s, why);
        if (good && drawn && w->rows >= 4) good = reliability(w, s, why);
        if (good && w->from.layers >= 3 && w->options->resamples > 0) good = permutation(w, s, why);
    }
    progress_end(&bar);
    return good;
}

/* ---- the whole stage ------------------------------------------------------------------ */

static void free_figures(phiid_work *w)
{
    for (int s = 0; s < SYN_SCORES; s++) {
        score_figures *f = &w->score[s];
        double *column[7] = {f->low,  f->high,   f->layer_low, f->layer_high,
                             f->mean, f->minmax, f->percentile};
        for (int c = 0; c < 7; c++) free(column[c]);
    }
    for (int c = 0; c < SYN_CONFOUNDS; c++) free(w->confound[c]);
    free(w->sink);
    for (int k = 0; k < 2; k++) {
        free(w->quantile.sum[k]);
        free(w->quantile.unit[k]);
    }
    free(w->quantile.count);
    quantile_free(w->quantile.table);
    phiid_null_free(w);
}

static void close_work(phiid_work *w)
{
    free_figures(w);
    free(w->position_mean);
    free(w->active);
    free(w->all);
    free(w->pairs_block);
    free(w->rank_block);
    recording_close(&w->from);
}

/* A covariance has no samples: what needs them is refused in words. */
static bool check_covariance(phiid_work *w, problem *why)
{
    const phiid_options *o = w->options;
    const char *wanted = o->redundancy == SYN_CCS ? "--redundancy ccs"
                         : o->estimator           ? "--estimator"
                         : o->transform           ? "--transform"
                         : o->surrogates          ? "--surrogates"
                         : o->bias_correct        ? "--bias-correct"
                         : o->detrend             ? "--detrend"
                         : o->pool                ? "--pool"
                         : o->local               ? "--local"
                         : o->save_cov            ? "--save-cov"
                                                  : NULL;
    if (wanted)
        return problem_set(why, "%s: is a covariance, and %s needs the samples", w->from.path,
                           wanted);
    if (o->tau_given && (size_t)o->tau != w->from.tau)
        return problem_set(why, "%s: is a covariance at tau %zu, not %lld", w->from.path,
                           w->from.tau, (long long)o->tau);
    w->tau = w->from.tau;
    return true;
}

static bool prepare(phiid_work *w, problem *why)
{
    w->tau = (size_t)w->options->tau;
    if (w->from.is_cov && !check_covariance(w, why)) return false;
    if (!recording_layers(&w->from, w->options->layers, why) || !choose_prompts(w, why))
        return false;
    w->own_names = w->from.name && unit_names_fit(w->from.name, w->from.units);
    if (w->options->pool && 2 * phiid_pooled_half(w) > INT32_MAX)
        return problem_set(why, "%s: too many samples for --pool", w->from.path);
    return true;
}

static work_desc work_of(const phiid_work *w, const char *settings)
{
    const phiid_options *o = w->options;
    const work_desc d = {.directory = w->output,
                         .file = "phiid.part",
                         .settings = settings,
                         .identity = w->identity,
                         .words = phiid_setting_words(),
                         .pieces = "surrogates",
                         .total = phiid_null_count(w),
                         .state_bytes = phiid_null_state_bytes(w),
                         .fresh = o->fresh,
                         .force = o->force};
    return d;
}

/* Is the same there already, with every file that is asked for? */
static bool is_there(const phiid_work *w, const work_desc *started)
{
    const phiid_options *o = w->options;
    const struct {
        bool wanted;
        const char *name;
    } files[] = {{true, "synergy.npy"},
                 {true, "redundancy.npy"},
                 {true, "profile.csv"},
                 {o->atoms, "atoms.npy"},
                 {o->atoms, "flags.npy"},
                 {o->atoms && o->normalise, "quantiles.npy"},
                 {o->normalise != 0, "synergy_quantile.npy"},
                 {o->surrogates > 0, "synergy_q.npy"},
                 {o->pairs_csv, "pairs.csv"}};
    char path[TOOL_PATH_BYTES];
    problem ignored;
    work_desc d = *started;
    d.finished = "phiid.json";
    d.result = "units.csv";
    if (o->local || o->save_cov || !work_is_complete(&d)) return false;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        if (files[i].wanted &&
            (!path_join(path, w->output, files[i].name, &ignored) || !path_is_file(path)))
            return false;
    tool_note("%s/phiid.json is complete (--fresh makes it anew)", w->output);
    return true;
}

/* All pairs of a few units of the first prompt that counts, timed. */
static bool pair_seconds(const phiid_work *w, double *seconds, problem *why)
{
    enum { FEW = 64 };
    syn_error err;
    syn_pairs pairs;
    void *block;
    size_t p = 0;
    syn_pairs_desc desc = phiid_pairs_desc(w);
    void *buffer = tool_alloc(recording_buffer_bytes(&w->from), 1);
    double *made = tool_alloc(phiid_series_bytes(w), 1);
    while (!phiid_is_long_enough(w, p)) p++;
    syn_series s = phiid_series(w, p, buffer, made);
    s.units = desc.units = w->from.units < FEW ? w->from.units : FEW;
    desc.samples = phiid_row_samples(w) + w->tau;
    desc.phiid.tau = w->tau;
    desc.prompts = 1;
    desc.careful = 1;
    desc.cells = false;
    bool good = phiid_open_pairs(&desc, &pairs, &block, why);
    const double start = clock_seconds();
    if (good && syn_pairs_add(&pairs, &s, &err) != SYN_OK)
        good = problem_engine(why, w->from.path, &err);
    *seconds = (clock_seconds() - start) / ((double)s.units * (double)(s.units - 1) / 2);
    free(block);
    free(buffer);
    free(made);
    return good;
}

/* Files that the defaults do not have: atoms with flags and quantiles, a table of pairs, the state
   twice. */
static double disk_bytes(const phiid_work *w)
{
    const phiid_options *o = w->options;
    const double n = (double)w->from.units, pairs = n * (n - 1) / 2;
    const double prompts = o->pool ? 1 : (double)w->from.prompts;
    return phiid_disk_bytes(w->from.units, w->from.layers, o->surrogates > 0) +
           (o->atoms ? pairs * prompts * (SYN_ATOMS * 8.0 * (o->normalise ? 2 : 1) + 1) : 0) +
           (o->normalise ? 16 * n * n : 0) + (o->pairs_csv ? 120 * pairs : 0) +
           (phiid_null_count(w) ? 2 * (double)phiid_null_state_bytes(w) + 2000 : 0);
}

static bool announce(const phiid_work *w, problem *why)
{
    syn_pairs measured;
    syn_error err;
    syn_arena arena = syn_arena_measure();
    const syn_pairs_desc desc = phiid_pairs_desc(w);
    const double n = (double)w->from.units, pairs = n * (n - 1) / 2, used = (double)w->used;
    const double left = 1 + (double)(phiid_null_count(w) - w->log->done);
    double one = 0;
    char what[160];
    if (syn_pairs_open(&measured, &desc, &arena, &err) != SYN_OK)
        return problem_engine(why, NULL, &err);
    if (!w->from.is_cov && !pair_seconds(w, &one, why)) return false;
    snprintf(what, sizeof what, "%zu prompts x %.0f pairs x %zu surrogates", w->used, pairs,
             phiid_null_count(w));
    const work_plan p = {what,
                         w->output,
                         (double)arena.used * (phiid_null_count(w) ? 2 : 1),
                         disk_bytes(w),
                         0.3 * one * pairs * used * left,
                         1.5 * one * pairs * used * left + 0.2,
                         .unless = 1};
    return plan_announce(&p, why);
}

static bool run_all(phiid_work *w, problem *why)
{
    if (!announce(w, why)) return false;
    if (w->options->pool || w->options->save_cov) phiid_keep_all(w);
    return phiid_save_covariance(w, why) && run_pairs(w, why) && rank_units(w, why) &&
           phiid_null_begin(w, why) && phiid_surrogates(w, why) && phiid_bias(w, why) &&
           figures_of_scores(w, why) && phiid_local(w, why) && phiid_write(w, why);
}

static bool run_stages(phiid_work *w, problem *why)
{
    if (!prepare(w, why)) return false;
    char *settings = phiid_settings(w);
    const work_desc d = work_of(w, settings);
    work log = {0};
    bool good = is_there(w, &d);
    w->log = &log;
    if (!good) {
        const bool logged = d.total > 0;
        good = phiid_output_check(w, why) && phiid_detrend_begin(w, why) &&
               (!logged || work_open(&log, &d, why)) && run_all(w, why);
        if (logged) work_close(&log, good);
    }
    w->log = NULL; /* it goes with this function */
    free(settings);
    return good;
}

bool phiid_run(const phiid_options *o, problem *why)
{
    engine_pool pool;
    phiid_work *w = tool_alloc(1, sizeof *w);
    w->options = o;
    bool good = recording_open_part(&w->from, o->input, &o->take, why);
    if (good) {
        w->output = o->output ? o->output : o->input;
        engine_pool_start(&pool, o->threads);
        w->parallel = pool.parallel;
        good = run_stages(w, why);
        engine_pool_stop(&pool);
        close_work(w);
    }
    free(w);
    return good;
}
