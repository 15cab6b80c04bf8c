/* report_data.c - reads a result folder. What is missing is left out of the report. */
#include "report/report.h"

#include "engine/choices.h"
#include "engine/unit_list.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const column_name[UNIT_COLUMNS] = {"synergy",
                                                      "redundancy",
                                                      "synergy_rank",
                                                      "redundancy_rank",
                                                      "rank_difference",
                                                      "difference",
                                                      "difference_rank",
                                                      "balance",
                                                      "score",
                                                      "score_low",
                                                      "score_high",
                                                      "excess",
                                                      "mean_norm",
                                                      "self_information",
                                                      "autocorrelation",
                                                      "trend",
                                                      "sink"};

const char *report_column_name(unit_column column)
{
    return column_name[column];
}

static bool read_columns(report *r, problem *why)
{
    for (int k = 0; k < UNIT_COLUMNS; k++) {
        int at = csv_column(&r->units, column_name[k]);
        if (at < 0) continue;
        r->column[k] = tool_alloc(r->count, sizeof(double));
        for (size_t i = 0; i < r->count; i++)
            if (!csv_double(csv_cell(&r->units, i, at), &r->column[k][i]))
                return problem_set(why, "%s/units.csv: row %zu, column %s: not a number",
                                   r->directory, i + 1, column_name[k]);
    }
    if (r->column[UNIT_SYNERGY] && r->column[UNIT_REDUNDANCY]) return true;
    return problem_set(why, "%s/units.csv: has no columns synergy and redundancy", r->directory);
}

/* Units stand layer after layer, every layer with as many; else all are in one layer. */
static void find_layers(report *r)
{
    int layer = csv_column(&r->units, "layer");
    double first = 0, last = 0;
    if (layer >= 0 && r->count) {
        csv_double(csv_cell(&r->units, 0, layer), &first);
        csv_double(csv_cell(&r->units, r->count - 1, layer), &last);
    }
    bool good = first >= 0 && last >= first && last - first < (double)r->count;
    r->layers = good ? (size_t)(last - first) + 1 : 1;
    r->first_layer = good ? (size_t)first : 0;
    if (r->count % r->layers) r->layers = 1;
    r->per_layer = r->count / r->layers;
}

/* A matrix that is not there is no fault; one of another size is. */
static bool read_matrix(const report *r, const char *name, double **to, problem *why)
{
    char path[TOOL_PATH_BYTES];
    npy a;
    if (!path_join(path, r->directory, name, why)) return false;
    if (!path_exists(path)) return true;
    if (!npy_open(&a, path, why)) return false;
    bool good = npy_is_float(&a) && a.dims == 2 && a.shape[0] == r->count && a.shape[1] == r->count;
    if (good) {
        *to = tool_alloc(r->count * r->count, sizeof **to);
        npy_doubles(&a, 0, a.count, *to);
    } else {
        problem_set(why, "%s: is not a matrix of the %zu units of units.csv", path, r->count);
    }
    npy_close(&a);
    return good;
}

static void find_names(report *r)
{
    const json *run = r->run.root, *phiid = r->phiid.root;
    const char *name = json_text_of(run, "model.name", "");
    if (!*name) name = json_text_of(phiid, "model.name", "");
    if (!*name) name = json_text_of(run, "model.file", "");
    if (!*name) name = json_text_of(phiid, "model.file", "");
    if (!*name) name = json_text_of(phiid, "input.file", r->directory);
    snprintf(r->name, sizeof r->name, "%s", name);
    const char *kind = json_text_of(run, "settings.units", json_text_of(phiid, "units_are", ""));
    bool model = run || json_get(phiid, "model");
    bool experts = choice_is_experts(kind);
    r->one = experts ? "expert" : model ? "head" : "unit";
    r->many = experts ? "experts" : model ? "heads" : "units";
    r->score = json_text_of(phiid, "settings.score", "rank-difference");
    r->unit = unit_names(&r->units, experts);
}

/* A file that is not there is no fault. */
static bool read_json_if(const char *folder, const char *name, json_file *to, problem *why)
{
    char path[TOOL_PATH_BYTES];
    if (!path_join(path, folder, name, why)) return false;
    return !path_exists(path) || json_read(to, path, why);
}

static bool read_csv_if(const char *folder, const char *name, csv *to, problem *why)
{
    char path[TOOL_PATH_BYTES];
    if (!path_join(path, folder, name, why)) return false;
    return !path_exists(path) || csv_read(to, path, why);
}

/* Interventions on units that another units.csv chose say nothing of this one: they are left out.
   Files of older versions do not tell which (settings.units_sha256), and are taken. */
static bool drop_outdated(json_file *told, csv *curves, csv *accuracy, const char *units_sha256)
{
    const char *made_for =
        json_text_of(json_get(told->root, "settings"), "units_sha256", units_sha256);
    if (!strcmp(made_for, units_sha256)) return false;
    json_free(told);
    csv_free(curves);
    csv_free(accuracy);
    return true;
}

static bool read_interventions(report *r, problem *why)
{
    char path[TOOL_PATH_BYTES], hash[65];
    const char *from = r->interventions ? r->interventions : r->directory;
    file_view units;
    if (!path_is_directory(from))
        return problem_set(why, "--interventions %s: is not a folder", from);
    if (!read_json_if(from, "ablation.json", &r->ablation, why) ||
        !read_json_if(from, "perturb.json", &r->perturb, why) ||
        !read_csv_if(from, "ablation.csv", &r->ablation_curves, why) ||
        !read_csv_if(from, "ablation_accuracy.csv", &r->ablation_accuracy, why) ||
        !read_csv_if(from, "perturb.csv", &r->perturb_curves, why) ||
        !read_csv_if(from, "perturb_accuracy.csv", &r->perturb_accuracy, why) ||
        !path_join(path, r->directory, "units.csv", why) || !file_map(&units, path, why))
        return false;
    if (r->interventions && !r->ablation.root && !r->perturb.root) {
        file_unmap(&units);
        return problem_set(why, "--interventions %s: holds neither ablation.json nor perturb.json",
                           from);
    }
    sha256_of(units.bytes, units.size, hash);
    file_unmap(&units);
    r->ablation_outdated =
        drop_outdated(&r->ablation, &r->ablation_curves, &r->ablation_accuracy, hash);
    r->perturb_outdated =
        drop_outdated(&r->perturb, &r->perturb_curves, &r->perturb_accuracy, hash);
    return true;
}

static bool read_scores(report *r, problem *why)
{
    char path[TOOL_PATH_BYTES];
    if (!path_is_directory(r->directory))
        return problem_set(why, "%s: is not a folder with results", r->directory);
    if (!path_join(path, r->directory, "phiid.json", why)) return false;
    if (!path_exists(path)) {
        char other[TOOL_PATH_BYTES];
        if (path_join(other, r->directory, "ablation.json", why) && path_exists(other))
            return problem_set(why,
                               "%s: holds interventions and no scores; synergy report DIR "
                               "--interventions %s, where DIR "
                               "has the scores",
                               r->directory, r->directory);
        return problem_set(why, "%s: holds no phiid.json (synergy phiid writes it)", r->directory);
    }
    if (!json_read(&r->phiid, path, why)) return false;
    if (!path_join(path, r->directory, "units.csv", why) || !csv_read(&r->units, path, why))
        return false;
    r->count = r->units.rows;
    if (r->count < 2) return problem_set(why, "%s: holds fewer than two units", path);
    if (!path_join(path, r->directory, "profile.csv", why) || !csv_read(&r->profile, path, why) ||
        !read_json_if(r->directory, "run.json", &r->run, why) ||
        !read_json_if(r->directory, "graph.json", &r->graph, why))
        return false;
    find_layers(r);
    find_names(r);
    return read_columns(r, why);
}

static bool read_all(report *r, problem *why)
{
    return read_scores(r, why) && read_interventions(r, why) &&
           read_json_if(r->directory, "emergence.json", &r->emergence, why) &&
           read_json_if(r->directory, "tuning.json", &r->tuning, why) &&
           read_csv_if(r->directory, "tuning.csv", &r->tuning_rows, why) &&
           read_csv_if(r->directory, "emergence.csv", &r->emergence_rows, why) &&
           read_csv_if(r->directory, "emergence_profile.csv", &r->emergence_profiles, why) &&
           read_matrix(r, "synergy.npy", &r->synergy, why) &&
           read_matrix(r, "redundancy.npy", &r->redundancy, why);
}

bool report_load(report *r, const char *directory, const char *interventions, problem *why)
{
    memset(r, 0, sizeof *r);
    r->directory = directory;
    r->interventions = interventions;
    bool good = read_all(r, why);
    if (!good) report_close(r);
    return good;
}

bool report_load_scores(report *r, const char *directory, problem *why)
{
    memset(r, 0, sizeof *r);
    r->directory = directory;
    bool good = read_scores(r, why);
    if (!good) report_close(r);
    return good;
}

void report_close(report *r)
{
    for (int k = 0; k < UNIT_COLUMNS; k++) free(r->column[k]);
    unit_names_free(r->unit, r->count);
    free(r->synergy);
    free(r->redundancy);
    csv_free(&r->units);
    csv_free(&r->profile);
    json_free(&r->phiid);
    json_free(&r->run);
    json_free(&r->graph);
    json_free(&r->ablation);
    json_free(&r->perturb);
    json_free(&r->emergence);
    json_free(&r->tuning);
    csv_free(&r->tuning_rows);
    csv_free(&r->ablation_curves);
    csv_free(&r->ablation_accuracy);
    csv_free(&r->perturb_curves);
    csv_free(&r->perturb_accuracy);
    csv_free(&r->emergence_rows);
    csv_free(&r->emergence_profiles);
    memset(r, 0, sizeof *r);
}

/* ---- numbers ------------------------------------------------------------------------------ */

double report_spearman(const report *r, const double *a, const double *b)
{
    return a && b ? spearman_of(a, b, r->count) : (double)NAN;
}

double report_memory(const report *r)
{
    return report_spearman(r, r->column[UNIT_SYNERGY], r->column[UNIT_SELF]);
}

double report_number(const report *r, const char *path)
{
    return json_number_of(r->phiid.root, path, (double)NAN);
}

const json *report_model(const report *r)
{
    const json *m = json_get(r->run.root, "model");
    return m ? m : json_get(r->phiid.root, "model");
}

double *report_column(const report *r, const char *name)
{
    int at = csv_column(&r->units, name);
    if (at < 0) return NULL;
    double *v = tool_alloc(r->count, sizeof *v);
    bool good = true;
    for (size_t i = 0; i < r->count && good; i++)
        good = csv_double(csv_cell(&r->units, i, at), &v[i]);
    if (good) return v;
    free(v);
    return NULL;
}

static int by_value_down(const void *a, const void *b)
{
    const double *x = *(const double *const *)a, *y = *(const double *const *)b;
    if (*x != *y) return *x > *y ? -1 : 1;
    return x < y ? -1 : 1; /* equal values in the order of units */
}

size_t *report_order(const report *r, const double *value, size_t *count)
{
    const double **at = tool_alloc(r->count, sizeof *at);
    size_t *order = tool_alloc(r->count, sizeof *order), n = 0;
    for (size_t i = 0; value && i < r->count; i++)
        if (isfinite(value[i])) at[n++] = &value[i];
    qsort(at, n, sizeof *at, by_value_down);
    for (size_t i = 0; i < n; i++) order[i] = (size_t)(at[i] - value);
    free(at);
    *count = n;
    return order;
}

/* ---- scores over depth -------------------------------------------------------------------- */

size_t report_profile(const report *r, const char *score, const char *column, double *to)
{
    int name = csv_column(&r->profile, "score_name"), at = csv_column(&r->profile, column);
    size_t n = 0;
    for (size_t i = 0; i < r->profile.rows && n < r->layers; i++)
        if (strcmp(csv_cell(&r->profile, i, name), score) == 0)
            csv_double(csv_cell(&r->profile, i, at), &to[n++]);
    return n;
}

bool report_has_profile(const report *r, const char *score)
{
    double *v = tool_alloc(r->layers, sizeof *v);
    const size_t n = report_profile(r, score, "mean", v);
    free(v);
    return n == r->layers;
}

static const struct {
    const char *score, *column, *title, *unit;
} score_row[] = {
    {"rank-difference", "rank_difference", "rank(synergy) \xe2\x88\x92 rank(redundancy)", "ranks"},
    {"difference", "difference_rank", "rank(synergy \xe2\x88\x92 redundancy)", "ranks"},
    {"balance", "balance", "synergy / (synergy + redundancy)", "share"},
    {"synergy", "synergy", "synergy", "nats"},
    {"redundancy", "redundancy", "redundancy", "nats"},
    {"excess", "excess", "synergy \xe2\x88\x92 its mean under surrogates", "nats"}};
enum { SCORE_ROWS = sizeof score_row / sizeof score_row[0] };

const char *report_score_column(const char *score)
{
    for (size_t k = 0; k < SCORE_ROWS; k++)
        if (!strcmp(score_row[k].score, score)) return score_row[k].column;
    return score;
}

const char *report_score_title(const char *score)
{
    for (size_t k = 0; k < SCORE_ROWS; k++)
        if (!strcmp(score_row[k].score, score)) return score_row[k].title;
    return score;
}

const char *report_score_unit(const char *score)
{
    for (size_t k = 0; k < SCORE_ROWS; k++)
        if (!strcmp(score_row[k].score, score)) return score_row[k].unit;
    return "";
}

/* Least squares: three normal equations, whose matrix is positive definite, so that no pivoting is
   needed. */
bool report_parabola(const double *value, size_t layers, double c[3])
{
    double s[5] = {0}, b[3] = {0}, m[3][4];
    for (size_t l = 0; l < layers; l++) {
        double x = (double)l / (double)(layers - 1) - 0.5, power = 1;
        if (!isfinite(value[l])) continue;
        for (int k = 0; k < 5; k++, power *= x) {
            s[k] += power;
            if (k < 3) b[k] += power * value[l];
        }
    }
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) m[i][j] = s[i + j];
        m[i][3] = b[i];
    }
    for (int i = 0; i < 3; i++) {
        if (!(fabs(m[i][i]) > 1e-12)) return false;
        for (int k = 0; k < 3; k++) {
            double f = k == i ? 0 : m[k][i] / m[i][i];
            for (int j = i; j < 4; j++) m[k][j] -= f * m[i][j];
        }
    }
    for (int i = 0; i < 3; i++) c[i] = m[i][3] / m[i][i];
    return true;
}

shape_evidence report_shape(const report *r, const char *score)
{
    const json *s = json_get(json_get(r->phiid.root, "scores"), score);
    const double none = (double)NAN;
    double *mean = tool_alloc(r->layers, sizeof *mean);
    const size_t n = report_profile(r, score, "mean", mean);
    shape_evidence e;
    e.middle = report_interval(s, "middle_minus_outer");
    e.curvature = report_interval(s, "curvature");
    e.p_middle = json_number_of(s, "p_middle", none);
    e.p_curvature = json_number_of(s, "p_curvature", none);
    e.parabola = n == r->layers ? shape_parabola_share(mean, n) : none;
    e.prompts = report_number(r, "input.prompts_used");
    free(mean);
    return e;
}

syn_interval report_interval(const json *from, const char *key)
{
    const json *v = json_get(from, key);
    syn_interval i = {json_number_of(v, "value", (double)NAN),
                      json_number_of(v, "low", (double)NAN),
                      json_number_of(v, "high", (double)NAN)};
    return i;
}
