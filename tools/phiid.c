/* phiid.c - the information stage: norms in; pair matrices, unit scores, profile and diagnostics
   out. The numbers are the header's; here they are read, asked for and written down. */
#include "phiid.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void phiid_defaults(phiid_options *o) {
    memset(o, 0, sizeof *o);
    o->tau = 1;
    o->min_length = 32;
    o->seed = 1;
    o->resamples = 1000;
    o->redundancy = SYN_MMI;
    o->score = SYN_SCORE_RANK_DIFFERENCE;
    o->flagged = SYN_FLAGGED_EXCLUDE;
}

/* ---- memory from the header's measuring arena ----------------------------------------- */

/* A block for what a measuring pass counted; the arena's start may cost up to an alignment. */
syn_arena block_for(const syn_arena *measured, void **block) {
    size_t bytes = measured->used + SYN_ALIGN;
    *block = tool_alloc(bytes, 1);
    return syn_arena_on(*block, bytes);
}

static bool open_pairs(const syn_pairs_desc *desc, syn_pairs *pairs, void **block, problem *why) {
    syn_error err;
    syn_arena arena = syn_arena_measure();
    *block = NULL;
    if (syn_pairs_open(pairs, desc, &arena, &err) != SYN_OK)
        return problem_engine(why, NULL, &err);
    arena = block_for(&arena, block);
    if (syn_pairs_open(pairs, desc, &arena, &err) != SYN_OK)
        return problem_engine(why, NULL, &err);
    return true;
}

/* ---- which prompts count -------------------------------------------------------------- */

enum { LEAST_SAMPLES = 5 }; /* of a window: four variables and their mean */

static bool is_long_enough(const phiid_work *w, size_t prompt) {
    const phiid_options *o = w->options;
    size_t n = w->from.length[prompt];
    if ((w->from.has_lengths || o->min_length_given) && n < (size_t)o->min_length) return false;
    return n >= (size_t)o->tau + LEAST_SAMPLES;
}

static bool choose_prompts(phiid_work *w, problem *why) {
    const phiid_options *o = w->options;
    size_t longest = 0;
    for (size_t p = 0; p < w->from.prompts; p++) {
        if (w->from.length[p] > longest) longest = w->from.length[p];
        if (!is_long_enough(w, p)) continue;
        if (!w->used++ || w->from.length[p] < w->shortest) w->shortest = w->from.length[p];
    }
    if (w->used) return true;
    if (longest < (size_t)o->tau + LEAST_SAMPLES)
        return problem_set(why, "%s: %zu samples are too few for tau %lld (at least %lld)",
                           w->from.path, longest, (long long)o->tau,
                           (long long)o->tau + LEAST_SAMPLES);
    return problem_set(why, "%s: no series is as long as --min-length %lld (the longest has %zu)",
                       w->from.path, (long long)o->min_length, longest);
}

/* ---- all 16 atoms, streamed ----------------------------------------------------------- */

typedef struct atom_files {
    bool    open;
    npy_out atoms, flags;
    problem why;
    bool    failed;
} atom_files;

static bool take_atoms(void *user, size_t first, size_t pairs, const double *atom,
                       const uint8_t *flag) {
    atom_files *f = user;
    (void)first;
    f->failed = !npy_add(&f->atoms, atom, (uint64_t)pairs * SYN_ATOMS, &f->why) ||
                !npy_add(&f->flags, flag, pairs, &f->why);
    return !f->failed;
}

static bool begin_atoms(atom_files *f, const phiid_work *w, problem *why) {
    char path[TOOL_PATH_BYTES];
    size_t n = w->from.units;
    uint64_t shape[3] = {w->from.prompts, (uint64_t)n * (n - 1) / 2, SYN_ATOMS};
    if (!path_join(path, w->output, "atoms.npy", why)) return false;
    if (!npy_begin(&f->atoms, path, NPY_F64, 3, shape, why)) return false;
    f->open = path_join(path, w->output, "flags.npy", why) &&
              npy_begin(&f->flags, path, NPY_U8, 2, shape, why);
    if (!f->open) npy_abandon(&f->atoms);
    return f->open;
}

static void abandon_atoms(atom_files *f) {
    if (!f->open) return;
    npy_abandon(&f->atoms);
    npy_abandon(&f->flags);
    f->open = false;
}

/* A prompt that does not count keeps its place: NaN, and the flag of a series too short. */
static bool skip_atoms(atom_files *f, const phiid_work *w, problem *why) {
    double nothing[SYN_ATOMS];
    const uint8_t flag = SYN_FLAG_TOO_SHORT;
    size_t n = w->from.units, pairs = n * (n - 1) / 2;
    for (int a = 0; a < SYN_ATOMS; a++) nothing[a] = (double)NAN;
    for (size_t i = 0; i < pairs; i++)
        if (!npy_add(&f->atoms, nothing, SYN_ATOMS, why) || !npy_add(&f->flags, &flag, 1, why))
            return false;
    return true;
}

/* ---- every pair of every prompt ------------------------------------------------------- */

static syn_pairs_desc pairs_desc(const phiid_work *w) {
    syn_pairs_desc d;
    memset(&d, 0, sizeof d);
    d.units = w->from.units;
    d.samples = w->from.samples;
    d.prompts = w->used;
    d.phiid.tau = (int)w->options->tau;
    d.phiid.redundancy = (syn_redundancy)w->options->redundancy;
    d.flagged = (syn_flagged)w->options->flagged;
    d.parallel = w->parallel;
    return d;
}

static syn_series series_of(const phiid_work *w, size_t prompt, const void *data) {
    syn_series s;
    memset(&s, 0, sizeof s);
    s.data = data;
    s.type = w->from.doubles ? SYN_NUMBER_F64 : SYN_NUMBER_F32;
    s.units = w->from.units;
    s.samples = w->from.length[prompt];
    return s;
}

static bool add_prompts(phiid_work *w, atom_files *files, problem *why) {
    syn_error err;
    progress bar;
    bool good = true;
    void *buffer = tool_alloc(recording_buffer_bytes(&w->from), 1);
    progress_begin(&bar, "pairs", (double)w->from.prompts);
    for (size_t p = 0; good && p < w->from.prompts; p++) {
        progress_step(&bar, (double)p);
        if (!is_long_enough(w, p)) {
            good = !files->open || skip_atoms(files, w, why);
            continue;
        }
        syn_series s = series_of(w, p, recording_prompt(&w->from, p, buffer));
        if (syn_pairs_add(&w->pairs, &s, &err) == SYN_OK) continue;
        good = false;
        if (files->failed) *why = files->why;
        else problem_engine(why, w->from.path, &err);
    }
    progress_end(&bar);
    free(buffer);
    return good;
}

static bool run_pairs(phiid_work *w, problem *why) {
    atom_files files;
    memset(&files, 0, sizeof files);
    syn_pairs_desc desc = pairs_desc(w);
    if (w->options->atoms) {
        desc.atoms = take_atoms;
        desc.user = &files;
    }
    if (!open_pairs(&desc, &w->pairs, &w->pairs_block, why)) return false;
    if (w->options->atoms && !begin_atoms(&files, w, why)) return false;
    bool good = add_prompts(w, &files, why);
    if (good && files.open) {
        files.open = false;
        good = npy_end(&files.atoms, why);
        if (good) good = npy_end(&files.flags, why);
        else npy_abandon(&files.flags);
    }
    abandon_atoms(&files);
    return good;
}

/* ---- scores, intervals, diagnostics --------------------------------------------------- */

/* An expert is 0 wherever the router did not choose it: how often is each unit something else? */
static void count_activity(phiid_work *w) {
    size_t n = w->from.units, samples = 0;
    void *buffer = tool_alloc(recording_buffer_bytes(&w->from), 1);
    w->active = tool_alloc(n, sizeof(double));
    for (size_t p = 0; p < w->from.prompts; p++) {
        if (!is_long_enough(w, p)) continue;
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

static bool rank_units(phiid_work *w, problem *why) {
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
    return true;
}

static syn_resample_desc resample_desc(const phiid_work *w) {
    syn_resample_desc d;
    memset(&d, 0, sizeof d);
    d.layers = w->from.layers;
    d.resamples = (size_t)w->options->resamples;
    d.seed = (uint64_t)w->options->seed;
    d.parallel = w->parallel;
    return d;
}

static double *copy_numbers(const double *from, size_t n) {
    return memcpy(tool_alloc(n, sizeof *from), from, n * sizeof *from);
}

static bool bootstrap(phiid_work *w, int score, problem *why) {
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

static bool reliability(phiid_work *w, int score, problem *why) {
    syn_error err;
    void *block = NULL;
    syn_resample_desc desc = resample_desc(w);
    desc.resamples = 0;
    syn_arena arena = syn_arena_measure();
    double *value = &w->score[score].reliability;
    syn_status status =
        syn_rank_reliability(value, &w->pairs, (syn_score)score, &desc, &arena, &err);
    if (status == SYN_OK) {
        arena = block_for(&arena, &block);
        status = syn_rank_reliability(value, &w->pairs, (syn_score)score, &desc, &arena, &err);
    }
    free(block);
    return status == SYN_OK || problem_engine(why, "reliability", &err);
}

static bool permutation(phiid_work *w, int score, problem *why) {
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

static void profile(phiid_work *w, int score) {
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

static void nothing_known(score_figures *f) {
    const double none = (double)NAN;
    memset(f, 0, sizeof *f);
    f->peak.value = f->peak.low = f->peak.high = none;
    f->middle = f->curvature = f->peak;
    f->reliability = none;
    f->permutation.p_middle = f->permutation.p_curvature = none;
}

static bool figures_of_scores(phiid_work *w, problem *why) {
    progress bar;
    bool good = true;
    bool several = w->used >= 2 && w->options->resamples > 0;
    progress_begin(&bar, "intervals", SYN_SCORES);
    for (int s = 0; good && s < SYN_SCORES; s++) {
        progress_step(&bar, s);
        nothing_known(&w->score[s]);
        if (s == SYN_SCORE_EXCESS && !w->null.surrogates) continue;
        profile(w, s);
        bool drawn = several && s != SYN_SCORE_EXCESS;
        if (drawn) good = bootstrap(w, s, why);
        if (good && drawn && w->used >= 4) good = reliability(w, s, why);
        if (good && w->from.layers >= 3 && w->options->resamples > 0)
            good = permutation(w, s, why);
    }
    progress_end(&bar);
    return good;
}

/* ---- surrogates: circular shifts ------------------------------------------------------ */

/* A number from its address (splitmix64), so that it does not depend on who asks when. */
static uint64_t mixed(uint64_t z) {
    z += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static size_t shift_of(const phiid_work *w, size_t surrogate, size_t prompt, size_t unit,
                       size_t n) {
    uint64_t z = mixed((uint64_t)w->options->seed);
    z = mixed(z ^ surrogate);
    z = mixed(z ^ prompt);
    return (size_t)(mixed(z ^ unit) % n);
}

/* Every unit keeps its own memory and loses its place in time beside the others. */
static void shift_prompt(const phiid_work *w, size_t surrogate, size_t prompt, const void *from,
                         void *to) {
    size_t units = w->from.units, n = w->from.length[prompt];
    for (size_t i = 0; i < units; i++) {
        size_t s = shift_of(w, surrogate, prompt, i, n);
        for (size_t t = 0; t < n; t++, s = s + 1 < n ? s + 1 : 0) {
            if (w->from.doubles)
                ((double *)to)[t * units + i] = ((const double *)from)[s * units + i];
            else ((float *)to)[t * units + i] = ((const float *)from)[s * units + i];
        }
    }
}

static void add_to_null(phiid_work *w, const syn_rank *rank) {
    null_figures *f = &w->null;
    for (size_t i = 0; i < w->from.units; i++) {
        f->sum[0][i] += rank->synergy[i];
        f->sum[1][i] += rank->redundancy[i];
        f->square[0][i] += rank->synergy[i] * rank->synergy[i];
        f->square[1][i] += rank->redundancy[i] * rank->redundancy[i];
        f->above[0][i] += rank->synergy[i] >= w->rank.synergy[i] ? 1 : 0;
        f->above[1][i] += rank->redundancy[i] >= w->rank.redundancy[i] ? 1 : 0;
    }
}

static bool one_surrogate(phiid_work *w, size_t surrogate, const syn_pairs_desc *desc,
                          void *buffer, void *shifted, problem *why) {
    syn_error err;
    syn_pairs pairs;
    syn_rank rank;
    void *pairs_block = NULL, *rank_block = NULL;
    bool good = open_pairs(desc, &pairs, &pairs_block, why);
    for (size_t p = 0; good && p < w->from.prompts; p++) {
        if (!is_long_enough(w, p)) continue;
        shift_prompt(w, surrogate, p, recording_prompt(&w->from, p, buffer), shifted);
        syn_series s = series_of(w, p, shifted);
        good = syn_pairs_add(&pairs, &s, &err) == SYN_OK || problem_engine(why, "surrogates", &err);
    }
    if (good) {
        syn_arena arena = syn_arena_measure();
        syn_rank_open(&rank, w->from.units, &arena, &err);
        arena = block_for(&arena, &rank_block);
        syn_rank_open(&rank, w->from.units, &arena, &err);
        syn_rank_pairs(&rank, &pairs);
        add_to_null(w, &rank);
    }
    free(pairs_block);
    free(rank_block);
    return good;
}

/* Means, spreads and p = (1 + surrogates at least as large) / (surrogates + 1). */
static void finish_null(phiid_work *w) {
    null_figures *f = &w->null;
    double s = (double)f->surrogates;
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < w->from.units; i++) {
            double mean = f->sum[k][i] / s, spread = f->square[k][i] / s - mean * mean;
            double seen = k ? w->rank.redundancy[i] : w->rank.synergy[i];
            double sd = sqrt(spread > 0 ? spread * s / (s > 1 ? s - 1 : 1) : 0);
            f->mean[k][i] = mean;
            f->z[k][i] = sd > 0 ? (seen - mean) / sd : (double)NAN;
            f->p[k][i] = isfinite(seen) && isfinite(mean) ? (1 + f->above[k][i]) / (s + 1)
                                                          : (double)NAN;
            if (k == 0) w->rank.excess[i] = seen - mean;
        }
}

static bool run_surrogates(phiid_work *w, problem *why) {
    progress bar;
    bool good = true;
    size_t n = w->from.units, count = (size_t)w->options->surrogates;
    if (!count) return true;
    syn_pairs_desc desc = pairs_desc(w);
    void *buffer = tool_alloc(recording_buffer_bytes(&w->from), 1);
    void *shifted =
        tool_alloc(w->from.samples * n, w->from.doubles ? sizeof(double) : sizeof(float));
    for (int k = 0; k < 2; k++) {
        double **column[6] = {&w->null.sum[k],  &w->null.square[k], &w->null.above[k],
                              &w->null.mean[k], &w->null.z[k],      &w->null.p[k]};
        for (int c = 0; c < 6; c++) *column[c] = tool_alloc(n, sizeof(double));
    }
    progress_begin(&bar, "surrogates", (double)count);
    for (size_t s = 0; good && s < count; s++) {
        progress_step(&bar, (double)s);
        good = one_surrogate(w, s, &desc, buffer, shifted, why);
    }
    progress_end(&bar);
    w->null.surrogates = count;
    if (good) finish_null(w);
    free(buffer);
    free(shifted);
    return good;
}

/* ---- the whole stage ------------------------------------------------------------------ */

static void free_figures(phiid_work *w) {
    for (int s = 0; s < SYN_SCORES; s++) {
        score_figures *f = &w->score[s];
        double *column[7] = {f->low,  f->high,   f->layer_low, f->layer_high,
                             f->mean, f->minmax, f->percentile};
        for (int c = 0; c < 7; c++) free(column[c]);
    }
    for (int k = 0; k < 2; k++) {
        double *column[6] = {w->null.sum[k],  w->null.square[k], w->null.above[k],
                             w->null.mean[k], w->null.z[k],      w->null.p[k]};
        for (int c = 0; c < 6; c++) free(column[c]);
    }
    for (int c = 0; c < SYN_CONFOUNDS; c++) free(w->confound[c]);
    free(w->active);
}

static void close_work(phiid_work *w) {
    free_figures(w);
    free(w->pairs_block);
    free(w->rank_block);
    recording_close(&w->from);
}

static bool run_stages(phiid_work *w, problem *why) {
    return choose_prompts(w, why) && phiid_output_check(w, why) && run_pairs(w, why) &&
           rank_units(w, why) && run_surrogates(w, why) && figures_of_scores(w, why) &&
           phiid_write(w, why);
}

bool phiid_run(const phiid_options *o, problem *why) {
    engine_pool pool;
    phiid_work *w = tool_alloc(1, sizeof *w);
    w->options = o;
    bool good = recording_open(&w->from, o->input, why);
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
