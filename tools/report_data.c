/* report_data.c - reads a result folder. What is missing is left out of the report. */
#include "report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const column_name[UNIT_COLUMNS] = {
    "synergy", "redundancy", "synergy_rank", "redundancy_rank", "rank_difference", "difference",
    "difference_rank", "balance", "score", "score_low", "score_high", "excess", "mean_norm",
    "self_information", "autocorrelation", "trend"};

static bool read_columns(report *r, problem *why) {
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
static void find_layers(report *r) {
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
static bool read_matrix(const report *r, const char *name, double **to, problem *why) {
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

static void find_names(report *r) {
    const json *run = r->run.root, *phiid = r->phiid.root;
    const char *name = json_text_of(run, "model.name", "");
    if (!*name) name = json_text_of(phiid, "model.name", "");
    if (!*name) name = json_text_of(run, "model.file", "");
    if (!*name) name = json_text_of(phiid, "model.file", "");
    if (!*name) name = json_text_of(phiid, "input.file", r->directory);
    snprintf(r->name, sizeof r->name, "%s", name);
    const char *kind = json_text_of(run, "settings.units", json_text_of(phiid, "units_are", ""));
    bool model = run || json_get(phiid, "model");
    bool experts = strncmp(kind, "expert", 6) == 0;
    r->one = experts ? "expert" : model ? "head" : "unit";
    r->many = experts ? "experts" : model ? "heads" : "units";
    r->score = json_text_of(phiid, "settings.score", "rank-difference");
}

static bool read_all(report *r, problem *why) {
    char path[TOOL_PATH_BYTES];
    problem ignored;
    if (!path_is_directory(r->directory))
        return problem_set(why, "%s: is not a folder with results", r->directory);
    if (!path_join(path, r->directory, "phiid.json", why)) return false;
    if (!path_exists(path))
        return problem_set(why, "%s: holds no phiid.json (synergy phiid writes it)", r->directory);
    if (!json_read(&r->phiid, path, why)) return false;
    if (!path_join(path, r->directory, "units.csv", why) || !csv_read(&r->units, path, why))
        return false;
    r->count = r->units.rows;
    if (r->count < 2) return problem_set(why, "%s: holds fewer than two units", path);
    if (!path_join(path, r->directory, "profile.csv", why) || !csv_read(&r->profile, path, why))
        return false;
    if (path_join(path, r->directory, "run.json", &ignored) && path_exists(path) &&
        !json_read(&r->run, path, why))
        return false;
    if (path_join(path, r->directory, "graph.json", &ignored) && path_exists(path) &&
        !json_read(&r->graph, path, why))
        return false;
    find_layers(r);
    find_names(r);
    return read_columns(r, why) && read_matrix(r, "synergy.npy", &r->synergy, why) &&
           read_matrix(r, "redundancy.npy", &r->redundancy, why);
}

bool report_load(report *r, const char *directory, problem *why) {
    memset(r, 0, sizeof *r);
    r->directory = directory;
    bool good = read_all(r, why);
    if (!good) report_close(r);
    return good;
}

void report_close(report *r) {
    for (int k = 0; k < UNIT_COLUMNS; k++) free(r->column[k]);
    free(r->synergy);
    free(r->redundancy);
    csv_free(&r->units);
    csv_free(&r->profile);
    json_free(&r->phiid);
    json_free(&r->run);
    json_free(&r->graph);
    memset(r, 0, sizeof *r);
}

double report_spearman(const report *r, const double *a, const double *b) {
    if (!a || !b) return (double)NAN;
    double *work = tool_alloc(4 * r->count, sizeof *work);
    size_t *order = tool_alloc(r->count, sizeof *order);
    double rho = syn_rank_spearman(a, b, r->count, work, order);
    free(work);
    free(order);
    return rho;
}

size_t report_profile(const report *r, const char *score, const char *column, double *to) {
    int name = csv_column(&r->profile, "score_name"), at = csv_column(&r->profile, column);
    size_t n = 0;
    for (size_t i = 0; i < r->profile.rows && n < r->layers; i++)
        if (strcmp(csv_cell(&r->profile, i, name), score) == 0)
            csv_double(csv_cell(&r->profile, i, at), &to[n++]);
    return n;
}
