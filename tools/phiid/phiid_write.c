/* phiid_write.c - the files of the information stage, and when they may replace others. */
#include "phiid/phiid.h"

#include "base/columns.h"
#include "base/sha256.h"
#include "base/work.h"
#include "engine/unit_list.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- may this folder be written to? --------------------------------------------------- */

static void choice_json(json_out *j, const char *key, const char *words)
{
    if (words) json_text(j, key, words);
    else json_null(j, key);
}

/* What another run must share for its results to be replaced without --force. Threads and the
   wish for atoms are not among them. */
static void settings_json(const phiid_work *w, json_out *j)
{
    const phiid_options *o = w->options;
    json_object(j, "settings");
    json_int(j, "tau", (int64_t)w->tau);
    json_text(j, "redundancy", syn_redundancy_name((syn_redundancy)o->redundancy));
    json_text(j, "estimator", syn_estimator_name((syn_estimator)o->estimator));
    json_text(j, "transform", syn_transform_name((syn_transform)o->transform));
    json_text(j, "score", syn_score_name((syn_score)o->score));
    json_text(j, "flagged", choice_name(CHOICE_FLAGGED, o->flagged));
    if (w->from.has_lengths || o->min_length_given) json_int(j, "min_length", o->min_length);
    else json_null(j, "min_length");
    json_int(j, "seed", o->seed);
    json_int(j, "resamples", o->resamples);
    json_int(j, "surrogates", o->surrogates);
    json_text(j, "null", syn_surrogate_name((syn_surrogate)o->null));
    json_text(j, "detrend", choice_name(CHOICE_DETREND, o->detrend));
    json_text(j, "prompts", w->from.is_cov || o->pool ? "pooled" : "averaged");
    json_bool(j, "bias_corrected", o->bias_correct);
    json_text(j, "normalise", choice_name(CHOICE_NORMALISE, o->normalise));
    json_text(j, "missing", choice_name(CHOICE_MISSING, o->take.missing));
    choice_json(j, "columns", o->take.columns);
    choice_json(j, "skip", o->take.skip);
    json_object_end(j);
}

char *phiid_settings(phiid_work *w)
{
    const recording *r = &w->from;
    json_out j;
    memset(&j, 0, sizeof j);
    json_object(&j, NULL);
    json_text(&j, "version", tool_version());
    settings_json(w, &j);
    json_text(&j, "recording_sha256", r->hash);
    json_text(&j, "model_sha256", json_text_of(r->run.root, "model.sha256", ""));
    json_int(&j, "layers", (int64_t)r->layers);
    json_int(&j, "first_layer", (int64_t)r->first_layer);
    json_bool(&j, "experts", r->experts);
    json_object_end(&j);
    sha256_of(j.to.at, j.to.length, w->identity);
    return j.to.at;
}

static const setting_word setting_words[] = {{"tau", "--tau"},
                                             {"redundancy", "--redundancy"},
                                             {"estimator", "--estimator"},
                                             {"transform", "--transform"},
                                             {"score", "--score"},
                                             {"flagged", "--flagged"},
                                             {"min_length", "--min-length"},
                                             {"seed", "--seed"},
                                             {"resamples", "--resamples"},
                                             {"surrogates", "--surrogates"},
                                             {"null", "--null"},
                                             {"detrend", "--detrend"},
                                             {"normalise", "--normalise"},
                                             {"bias_corrected", "--bias-correct"},
                                             {"missing", "--missing"},
                                             {"columns", "--columns"},
                                             {"skip", "--skip"},
                                             {"recording_sha256", "recording (sha256)"},
                                             {"model_sha256", NULL},
                                             {NULL, NULL}};

const setting_word *phiid_setting_words(void)
{
    return setting_words;
}

static bool compare_with(const phiid_work *w, const json *old, const char *path, problem *why)
{
    json_out j;
    if (strcmp(json_text_of(old, "input.sha256", ""), w->from.hash))
        return problem_set(why, "%s: is the result of another recording (--force replaces it)",
                           path);
    memset(&j, 0, sizeof j);
    json_object(&j, NULL);
    settings_json(w, &j);
    json_object_end(&j);
    return settings_same(&j, json_get(old, "settings"), phiid_setting_words(), path, why);
}

/* Norms in the folder that are not the ones being analysed belong to another model or run. */
static bool check_norms(const phiid_work *w, problem *why)
{
    char path[TOOL_PATH_BYTES];
    recording there;
    if (!path_join(path, w->output, "norms.npy", why)) return false;
    if (!path_exists(path) || strcmp(path, w->from.path) == 0) return true;
    if (!recording_open(&there, path, why)) return false;
    bool same = strcmp(there.hash, w->from.hash) == 0;
    recording_close(&there);
    return same || problem_set(why,
                               "%s: the folder holds other norms than %s (--force writes beside "
                               "them)",
                               w->output, w->from.path);
}

static bool check_results(const phiid_work *w, const char *path, problem *why)
{
    json_file old;
    problem ignored;
    if (!path_exists(path)) return true;
    if (!json_read(&old, path, &ignored))
        return problem_set(why, "%s: is not one of our results (--force replaces it)", path);
    bool good = compare_with(w, old.root, path, why);
    json_free(&old);
    return good;
}

bool phiid_output_check(const phiid_work *w, problem *why)
{
    char path[TOOL_PATH_BYTES];
    if (!path_join(path, w->output, "phiid.json", why)) return false;
    if (!w->options->force && !(check_norms(w, why) && check_results(w, path, why))) return false;
    if (!directory_writable(w->output, why) || !columns_free(w->output, why) ||
        !columns_not_input(w->output, "phiid", w->from.path, why) ||
        !output_not_input(w->options->save_cov, w->from.path, why))
        return false;
    if (!w->options->force) return true;
    unlink(path);                          /* it is the mark that the files belong together */
    static const char *const optional[] = {/* of the old settings */
                                           "atoms.npy",
                                           "flags.npy",
                                           "quantiles.npy",
                                           "synergy_q.npy",
                                           "redundancy_q.npy",
                                           "synergy_quantile.npy",
                                           "redundancy_quantile.npy",
                                           "local.npy",
                                           "pairs.csv",
                                           "graph.json"};
    for (size_t i = 0; i < sizeof optional / sizeof optional[0]; i++)
        if (path_join(path, w->output, optional[i], why)) unlink(path);
    return true;
}

/* ---- matrices ------------------------------------------------------------------------- */

static bool write_matrices(const phiid_work *w, problem *why)
{
    char path[TOOL_PATH_BYTES];
    size_t n = w->from.units;
    uint64_t shape[2] = {n, n};
    double *matrix = tool_alloc(n * n, sizeof *matrix);
    syn_pairs_matrices(&w->pairs, matrix, NULL);
    bool good = path_join(path, w->output, "synergy.npy", why) &&
                npy_write(path, NPY_F64, 2, shape, matrix, why);
    if (good) {
        syn_pairs_matrices(&w->pairs, NULL, matrix);
        good = path_join(path, w->output, "redundancy.npy", why) &&
               npy_write(path, NPY_F64, 2, shape, matrix, why);
    }
    free(matrix);
    return good;
}

/* One number a pair as a symmetric matrix; NaN on the diagonal, where there is no pair. */
static bool write_pair_matrix(const phiid_work *w, const char *name, const double *pair,
                              problem *why)
{
    char path[TOOL_PATH_BYTES];
    size_t n = w->from.units, at = 0;
    uint64_t shape[2] = {n, n};
    double *matrix = tool_alloc(n * n, sizeof *matrix);
    for (size_t i = 0; i < n; i++) {
        matrix[i * n + i] = (double)NAN;
        for (size_t k = i + 1; k < n; k++, at++) matrix[i * n + k] = matrix[k * n + i] = pair[at];
    }
    bool good =
        path_join(path, w->output, name, why) && npy_write(path, NPY_F64, 2, shape, matrix, why);
    free(matrix);
    return good;
}

static bool write_pair_matrices(const phiid_work *w, problem *why)
{
    bool good = true;
    if (w->null.surrogates)
        good = write_pair_matrix(w, "synergy_q.npy", w->null.pair_q[0], why) &&
               write_pair_matrix(w, "redundancy_q.npy", w->null.pair_q[1], why);
    if (good && w->quantile.table)
        good = write_pair_matrix(w, "synergy_quantile.npy", w->quantile.sum[0], why) &&
               write_pair_matrix(w, "redundancy_quantile.npy", w->quantile.sum[1], why);
    return good;
}

/* The table's own name of a unit where it has good ones, else L12H3. */
static const char *name_of(const phiid_work *w, size_t i, char computed[UNIT_NAME])
{
    if (w->own_names) return w->from.name[i];
    unit_name(w->from.experts, w->from.first_layer + i / w->from.per_layer, i % w->from.per_layer,
              computed);
    return computed;
}

/* ---- pairs.csv ------------------------------------------------------------------------ */

static void pair_row(const phiid_work *w, table_out *t, size_t i, size_t k, size_t pair)
{
    static const char *const column[2][3] = {
        {"synergy_p", "synergy_q", "synergy_quantile"},
        {"redundancy_p", "redundancy_q", "redundancy_quantile"}};
    char name[UNIT_NAME];
    double prompts = (double)(w->pairs.prompts - w->pairs.left_out[pair]);
    table_text(t, "x", name_of(w, i, name));
    table_text(t, "y", name_of(w, k, name));
    table_number(t, "synergy", prompts > 0 ? w->pairs.synergy[pair] / prompts : (double)NAN);
    table_number(t, "redundancy", prompts > 0 ? w->pairs.redundancy[pair] / prompts : (double)NAN);
    for (int q = 0; w->null.surrogates && q < 2; q++) {
        table_number(t, column[q][0], syn_excess_pair_p(&w->null.excess, (syn_measure)q, pair));
        table_number(t, column[q][1], w->null.pair_q[q][pair]);
    }
    for (int q = 0; w->quantile.table && q < 2; q++)
        table_number(t, column[q][2], w->quantile.sum[q][pair]);
    table_end_row(t);
}

static bool write_pairs_csv(const phiid_work *w, problem *why)
{
    char path[TOOL_PATH_BYTES];
    file_out out;
    table_out t;
    size_t pair = 0;
    if (!w->options->pairs_csv) return true;
    if (!path_join(path, w->output, "pairs.csv", why) || !file_begin(&out, path, why)) return false;
    table_begin(&t, "pairs.csv");
    for (size_t i = 0; i < w->from.units; i++) {
        for (size_t k = i + 1; k < w->from.units; k++) pair_row(w, &t, i, k, pair++);
        table_flush(&t, out.stream);
    }
    bool good = table_done(&t, why);
    if (good) good = file_commit(&out, why);
    else file_abandon(&out);
    table_free(&t);
    return good;
}

/* ---- units.csv ------------------------------------------------------------------------ */

static void interval_cells(table_out *t, const char *low, const char *high, const score_figures *f,
                           size_t unit)
{
    table_number(t, low, f->low ? f->low[unit] : (double)NAN);
    table_number(t, high, f->high ? f->high[unit] : (double)NAN);
}

static void unit_scores(const phiid_work *w, table_out *t, size_t i)
{
    const syn_rank *r = &w->rank;
    const score_figures *f = w->score;
    table_number(t, "synergy", r->synergy[i]);
    table_number(t, "redundancy", r->redundancy[i]);
    table_number(t, "synergy_rank", r->synergy_rank[i]);
    table_number(t, "redundancy_rank", r->redundancy_rank[i]);
    table_number(t, "rank_difference", r->rank_difference[i]);
    table_number(t, "difference", r->difference[i]);
    table_number(t, "difference_rank", r->difference_rank[i]);
    table_number(t, "balance", r->balance[i]);
    table_number(t, "score", syn_rank_score(r, (syn_score)w->options->score)[i]);
    interval_cells(t, "score_low", "score_high", &f[w->options->score], i);
    interval_cells(t, "synergy_low", "synergy_high", &f[SYN_SCORE_SYNERGY], i);
    interval_cells(t, "redundancy_low", "redundancy_high", &f[SYN_SCORE_REDUNDANCY], i);
    interval_cells(t, "rank_difference_low", "rank_difference_high", &f[SYN_SCORE_RANK_DIFFERENCE],
                   i);
    interval_cells(t, "difference_rank_low", "difference_rank_high", &f[SYN_SCORE_DIFFERENCE], i);
    interval_cells(t, "balance_low", "balance_high", &f[SYN_SCORE_BALANCE], i);
}

static void unit_nulls(const phiid_work *w, table_out *t, size_t i)
{
    static const char *const column[2][3] = {{"synergy_null", "synergy_z", "synergy_p"},
                                             {"redundancy_null", "redundancy_z", "redundancy_p"}};
    table_number(t, "excess", w->rank.excess[i]);
    for (int k = 0; k < 2; k++) {
        table_number(t, column[k][0], w->null.mean[k][i]);
        table_number(t, column[k][1], w->null.z[k][i]);
        table_number(t, column[k][2], w->null.p[k][i]);
    }
    table_int(t, "surrogates", (int64_t)w->null.count[i]);
}

static void unit_row(const phiid_work *w, table_out *t, size_t i)
{
    char name[UNIT_NAME];
    table_text(t, "unit", name_of(w, i, name));
    table_int(t, "layer", (int64_t)(w->from.first_layer + i / w->from.per_layer));
    table_int(t, "index", (int64_t)(i % w->from.per_layer));
    unit_scores(w, t, i);
    for (int c = 0; c < SYN_CONFOUNDS; c++)
        table_number(t, syn_confound_name((syn_confound)c), w->confound[c][i]);
    table_number(t, "active", w->active[i]);
    if (w->null.surrogates) unit_nulls(w, t, i);
    if (w->quantile.table) table_number(t, "synergy_quantile", w->quantile.unit[0][i]);
    if (w->quantile.table) table_number(t, "redundancy_quantile", w->quantile.unit[1][i]);
    if (w->sink) table_number(t, "sink", w->sink[i]);
    if (w->from.name) table_text(t, "name", w->from.name[i]);
    table_end_row(t);
}

static bool write_units(const phiid_work *w, problem *why)
{
    table_out t;
    char path[TOOL_PATH_BYTES];
    if (!path_join(path, w->output, "units.csv", why)) return false;
    table_begin(&t, "units.csv");
    for (size_t i = 0; i < w->from.units; i++) unit_row(w, &t, i);
    return table_write(&t, path, why);
}

/* ---- profile.csv ---------------------------------------------------------------------- */

static void profile_rows(const phiid_work *w, table_out *t, int score)
{
    const score_figures *f = &w->score[score];
    size_t layers = w->from.layers;
    for (size_t l = 0; f->mean && l < layers; l++) {
        table_text(t, "score_name", syn_score_name((syn_score)score));
        table_int(t, "layer", (int64_t)(w->from.first_layer + l));
        table_number(t, "depth", layers > 1 ? (double)l / (double)(layers - 1) : (double)NAN);
        table_number(t, "mean", f->mean[l]);
        table_number(t, "minmax", f->minmax[l]);
        table_number(t, "percentile", layers > 1 ? f->percentile[l] : (double)NAN);
        table_number(t, "low", f->layer_low ? f->layer_low[l] : (double)NAN);
        table_number(t, "high", f->layer_high ? f->layer_high[l] : (double)NAN);
        table_end_row(t);
    }
}

static bool write_profile(const phiid_work *w, problem *why)
{
    table_out t;
    char path[TOOL_PATH_BYTES];
    if (!path_join(path, w->output, "profile.csv", why)) return false;
    table_begin(&t, "profile.csv");
    profile_rows(w, &t, w->options->score);
    for (int s = 0; s < SYN_SCORES; s++)
        if (s != w->options->score) profile_rows(w, &t, s);
    return table_write(&t, path, why);
}

/* ---- phiid.json ----------------------------------------------------------------------- */

static void interval_json(json_out *j, const char *key, const syn_interval *v)
{
    json_object_inline(j, key);
    json_number(j, "value", v->value);
    json_number(j, "low", v->low);
    json_number(j, "high", v->high);
    json_object_end(j);
}

static void scores_json(const phiid_work *w, json_out *j)
{
    json_object(j, "scores");
    for (int s = 0; s < SYN_SCORES; s++) {
        const score_figures *f = &w->score[s];
        if (!f->mean) continue;
        json_object(j, syn_score_name((syn_score)s));
        json_number(j, "reliability", f->reliability);
        interval_json(j, "peak_depth", &f->peak);
        interval_json(j, "middle_minus_outer", &f->middle);
        interval_json(j, "curvature", &f->curvature);
        json_number(j, "p_middle", f->permutation.p_middle);
        json_number(j, "p_curvature", f->permutation.p_curvature);
        json_object_end(j);
    }
    json_object_end(j);
}

/* What is correlated with what: scores first, then what might explain them. */
enum { MOST_COLUMNS = 9 + SYN_CONFOUNDS };
typedef struct columns {
    const char *name[MOST_COLUMNS];
    const double *at[MOST_COLUMNS];
    int count;
} columns;

static void add_column(columns *c, const char *name, const double *at)
{
    c->name[c->count] = name;
    c->at[c->count++] = at;
}

static columns columns_of(const phiid_work *w)
{
    columns c;
    const syn_rank *r = &w->rank;
    c.count = 0;
    add_column(&c, "synergy", r->synergy);
    add_column(&c, "redundancy", r->redundancy);
    add_column(&c, "rank_difference", r->rank_difference);
    add_column(&c, "difference", r->difference);
    add_column(&c, "balance", r->balance);
    if (w->null.surrogates) add_column(&c, "excess", r->excess);
    if (w->quantile.table) add_column(&c, "synergy_quantile", w->quantile.unit[0]);
    if (w->quantile.table) add_column(&c, "redundancy_quantile", w->quantile.unit[1]);
    for (int k = 0; k < SYN_CONFOUNDS; k++)
        add_column(&c, syn_confound_name((syn_confound)k), w->confound[k]);
    if (w->sink) add_column(&c, "sink", w->sink);
    return c;
}

static void table_json(json_out *j, const char *key, const columns *c, size_t n)
{
    json_array(j, key);
    for (int a = 0; a < c->count; a++) {
        json_array_inline(j, NULL);
        for (int b = 0; b < c->count; b++) json_number(j, NULL, spearman_of(c->at[a], c->at[b], n));
        json_array_end(j);
    }
    json_array_end(j);
}

static void spearman_json(const phiid_work *w, json_out *j)
{
    columns units = columns_of(w), layers = units;
    size_t l = w->from.layers;
    json_object(j, "spearman");
    json_array_inline(j, "columns");
    for (int c = 0; c < units.count; c++) json_text(j, NULL, units.name[c]);
    json_array_end(j);
    table_json(j, "units", &units, w->from.units);
    if (l >= 3) {
        double *mean = tool_alloc(l * MOST_COLUMNS, sizeof *mean);
        for (int c = 0; c < layers.count; c++) {
            double *at = mean + (size_t)c * l;
            syn_rank_profile(units.at[c], w->from.units, l, at, NULL, NULL);
            layers.at[c] = at;
        }
        table_json(j, "layers", &layers, l);
        free(mean);
    }
    json_object_end(j);
}

/* Of the mean over all pairs against the same of surrogates; NaN with too few of them. */
static double whole_p(const null_figures *f, int which)
{
    if (f->whole_count < SYN_EXCESS_LEAST) return (double)NAN;
    return (1 + (double)f->whole_above[which]) / (1 + (double)f->whole_count);
}

static void means_json(const phiid_work *w, json_out *j)
{
    size_t n = w->from.units;
    json_object(j, "means_nats");
    json_number(j, "synergy", mean_finite(w->rank.synergy, n));
    json_number(j, "redundancy", mean_finite(w->rank.redundancy, n));
    if (w->null.surrogates) {
        json_number(j, "synergy_null", w->null.whole[0]);
        json_number(j, "redundancy_null", w->null.whole[1]);
        json_number(j, "synergy_beside_null", w->null.seen[0]); /* of the same units */
        json_number(j, "redundancy_beside_null", w->null.seen[1]);
        json_number(j, "synergy_p", whole_p(&w->null, 0)); /* of the mean over all pairs */
        json_number(j, "redundancy_p", whole_p(&w->null, 1));
    }
    if (w->bias.shuffles) {
        json_number(j, "synergy_bias_taken_off", w->bias.mean[0]);
        json_number(j, "redundancy_bias_taken_off", w->bias.mean[1]);
    }
    json_object_end(j);
}

/* Pairs beyond their null at a false discovery rate of 5 %, and quantiles among random systems. */
static void tests_json(const phiid_work *w, json_out *j)
{
    static const char *const name[2] = {"synergy", "redundancy"};
    if (w->null.surrogates) {
        json_object(j, "pairs_beyond_null");
        json_number(j, "false_discovery_rate", 0.05);
        json_number(j, "smallest_possible_p", 1 / ((double)w->null.surrogates + 1));
        for (int k = 0; k < 2; k++) json_int(j, name[k], (int64_t)w->null.found[k]);
        json_object_end(j);
    }
    if (!w->quantile.table) return;
    json_object(j, "quantiles_among_random_systems");
    json_int(j, "systems", QUANTILE_SYSTEMS);
    json_int(j, "levels", QUANTILE_LEVELS);
    for (int k = 0; k < 2; k++)
        json_number(j, name[k], mean_finite(w->quantile.unit[k], w->from.units));
    json_object_end(j);
}

/* Units that were 0 at every sample, such as experts that the router never chose. */
static void silent_json(const phiid_work *w, json_out *j)
{
    char name[UNIT_NAME];
    json_array_inline(j, "units_never_active");
    for (size_t i = 0; i < w->from.units; i++)
        if (w->active[i] <= 0) json_text(j, NULL, name_of(w, i, name));
    json_array_end(j);
}

/* Units without a p against the null, and why. */
static void untested_json(const phiid_work *w, json_out *j)
{
    char name[UNIT_NAME], why[160];
    if (!w->null.surrogates) return;
    json_array(j, "units_without_test");
    for (size_t i = 0; i < w->from.units; i++) {
        if (w->null.count[i] >= SYN_EXCESS_LEAST) continue;
        if (!isfinite(w->rank.synergy[i])) snprintf(why, sizeof why, "no pair of it is sound");
        else if (w->null.surrogates < SYN_EXCESS_LEAST)
            snprintf(why, sizeof why, "%zu surrogates were asked for, a test needs %d",
                     w->null.surrogates, SYN_EXCESS_LEAST);
        else
            snprintf(why, sizeof why,
                     "it has a value in %zu of %zu surrogates (in the others its series became "
                     "constant, or a function of another), a test needs %d",
                     w->null.count[i], w->null.surrogates, SYN_EXCESS_LEAST);
        json_object_inline(j, NULL);
        json_text(j, "unit", name_of(w, i, name));
        json_int(j, "surrogates", (int64_t)w->null.count[i]);
        json_text(j, "reason", why);
        json_object_end(j);
    }
    json_array_end(j);
}

static void flagged_json(const phiid_work *w, json_out *j)
{
    json_object(j, "pair_prompts");
    json_int(j, "sound", (int64_t)w->pairs.flagged[0]);
    json_object(j, "flagged");
    for (int k = 1; k < SYN_FLAG_KINDS; k++)
        if (w->pairs.flagged[k])
            json_int(j, syn_flags_text((syn_flags)1 << (k - 1)), (int64_t)w->pairs.flagged[k]);
    json_object_end(j);
    json_int(j, "careful_route", (int64_t)w->pairs.careful);
    json_object_end(j);
    size_t unscored = 0;
    for (size_t i = 0; i < w->from.units; i++) unscored += isfinite(w->rank.synergy[i]) ? 0 : 1;
    json_int(j, "units_without_a_sound_pair", (int64_t)unscored);
    silent_json(w, j);
    untested_json(w, j);
}

static void input_json(const phiid_work *w, json_out *j)
{
    const recording *r = &w->from;
    json_object(j, "input");
    json_text(j, "file", path_base(r->path));
    json_text(j, "sha256", r->hash);
    json_text(j, "type", r->type);
    json_int(j, "prompts", (int64_t)r->prompts);
    json_int(j, "samples", (int64_t)r->samples);
    json_int(j, "layers", (int64_t)r->layers);
    json_int(j, "units_per_layer", (int64_t)r->per_layer);
    json_int(j, "first_layer", (int64_t)r->first_layer);
    json_int(j, "units", (int64_t)r->units);
    json_int(j, "pairs", (int64_t)w->pairs.pairs);
    json_int(j, "prompts_used", (int64_t)w->used);
    json_int(j, "prompts_left_out", (int64_t)(r->prompts - w->used));
    json_bool(j, "lengths", r->has_lengths);
    if (r->at) json_int(j, "samples_in_file", (int64_t)r->span);
    if (r->name) json_array_inline(j, "names");
    for (size_t i = 0; r->name && i < r->units; i++) json_text(j, NULL, r->name[i]);
    if (r->name) json_array_end(j);
    json_object_end(j);
}

/* A copy of a JSON value, keys in order. */
static void copy_json(json_out *j, const char *key, const json *v)
{
    if (v->kind == JSON_OBJECT || v->kind == JSON_ARRAY) return; /* flat values only */
    if (v->kind == JSON_TEXT) json_text(j, key, v->text);
    else if (v->kind == JSON_NUMBER) json_number(j, key, v->number);
    else if (v->kind == JSON_NULL) json_null(j, key);
    else json_bool(j, key, v->kind == JSON_TRUE);
}

/* The model that the norms came from, when a run.json stands beside them. */
static void model_json(const phiid_work *w, json_out *j)
{
    const json *model = json_get(w->from.run.root, "model");
    if (model && model->kind == JSON_OBJECT) {
        json_object(j, "model");
        for (const json *c = model->child; c; c = c->next) copy_json(j, c->key, c);
        json_object_end(j);
    }
    const char *kind = json_text_of(w->from.run.root, "settings.units", "");
    if (*kind) json_text(j, "units_are", kind);
}

static void notes_json(const phiid_work *w, json_out *j)
{
    json_array(j, "notes");
    for (size_t k = 0; k < w->from.notes.count; k++) json_text(j, NULL, w->from.notes.at[k]);
    if (w->options->pool || w->from.is_cov)
        json_text(
            j, NULL,
            "There are no intervals and no split-half reliability: both are drawn over prompts, "
            "which are pooled into one covariance.");
    else if (w->used < 2 || w->options->resamples == 0)
        json_text(j, NULL,
                  "There are no intervals: they are drawn over prompts and need at least two.");
    else if (w->used < 10)
        json_text(j, NULL, "Intervals are rough: they are drawn from fewer than ten prompts.");
    if (w->used < 4 && !w->options->pool && !w->from.is_cov)
        json_text(j, NULL, "There is no split-half reliability: it needs at least four prompts.");
    if (w->from.layers < 3)
        json_text(j, NULL, "There is no shape of the profile: it needs at least three layers.");
    if (w->options->transform == SYN_TRANSFORM_LOG && w->pairs.flagged[3])
        json_text(j, NULL,
                  "A unit with a sample that is not above 0 has no logarithms there: its pairs are "
                  "flagged NONFINITE.");
    if (w->from.prompts > w->used) {
        char words[128];
        snprintf(words, sizeof words, "%zu of %zu series were too short and were left out.",
                 w->from.prompts - w->used, w->from.prompts);
        json_text(j, NULL, words);
    }
    json_array_end(j);
}

static bool write_json(const phiid_work *w, problem *why)
{
    json_out j;
    char path[TOOL_PATH_BYTES];
    memset(&j, 0, sizeof j);
    json_object(&j, NULL);
    json_text(&j, "program", "synergy phiid");
    json_text(&j, "version", tool_version());
    json_text(&j, "identity", w->identity);
    settings_json(w, &j);
    input_json(w, &j);
    model_json(w, &j);
    means_json(w, &j);
    tests_json(w, &j);
    flagged_json(w, &j);
    scores_json(w, &j);
    spearman_json(w, &j);
    phiid_words(w, &j);
    notes_json(w, &j);
    json_object_end(&j);
    if (path_join(path, w->output, "phiid.json", why)) return json_write(&j, path, why);
    text_free(&j.to);
    return false;
}

bool phiid_write(const phiid_work *w, problem *why)
{
    return write_matrices(w, why) && write_pair_matrices(w, why) && write_pairs_csv(w, why) &&
           write_units(w, why) && write_profile(w, why) && write_json(w, why) &&
           columns_write(w->output, why);
}
