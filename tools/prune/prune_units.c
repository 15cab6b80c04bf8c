/* prune_units.c - which units a result folder has, with what score, and which of them go. */
#include "prune/stage.h"

#include "engine/folder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the folder -------------------------------------------------------------------------- */

static bool shape_of_model(prune_units *u, const loaded_model *m, bool experts)
{
    const syn_model *model = &m->model;
    u->experts = experts;
    u->first_layer = experts ? model->dense_layers : 0;
    u->layers = model->layers - u->first_layer;
    u->per_layer = experts ? model->experts : model->heads;
    u->count = u->ranked = u->layers * u->per_layer;
    return u->count > 0;
}

/* The shared experts of a layer, where they were recorded, are its last unit. */
static void add_shared(prune_units *u, const loaded_model *m, size_t rows)
{
    if (!u->experts || !m->model.experts_shared || rows != u->count + u->layers) return;
    u->per_layer++;
    u->count = rows;
    u->shared = true;
}

void prune_unit_name(const prune_units *u, size_t unit, char to[UNIT_NAME])
{
    unit_name(u->experts, u->first_layer + unit / u->per_layer, unit % u->per_layer, to);
}

bool prune_unit_is_shared(const prune_units *u, size_t unit)
{
    return u->shared && unit % u->per_layer == u->per_layer - 1;
}

bool prune_units_of_model(prune_units *u, const loaded_model *m, bool experts, problem *why)
{
    memset(u, 0, sizeof *u);
    if (shape_of_model(u, m, experts)) return true;
    return problem_set(why, "%s: the model has no experts", m->path);
}

static bool no_column(const csv *c, const char *path, const char *name, problem *why)
{
    text columns = {0};
    for (size_t i = 0; i < c->columns; i++) text_print(&columns, "%s%s", i ? " " : "", c->head[i]);
    problem_set(why, "%s: has no column '%s'; it has %s", path, name,
                columns.at ? columns.at : "none");
    text_free(&columns);
    return false;
}

/* Row i must be unit i of the model: layer after layer, each with all its units. */
static bool check_rows(const prune_units *u, const csv *c, const char *path, problem *why)
{
    const int layer = csv_column(c, "layer"), index = csv_column(c, "index");
    if (layer < 0 || index < 0) return no_column(c, path, layer < 0 ? "layer" : "index", why);
    if (!u->count || c->rows != u->count)
        return problem_set(why, "%s: %zu units; the model has %zu %s in %zu layers", path, c->rows,
                           u->count, choice_name(CHOICE_UNITS, u->experts), u->layers);
    for (size_t i = 0; i < c->rows; i++) {
        double l, k;
        if (!csv_double(csv_cell(c, i, layer), &l) || !csv_double(csv_cell(c, i, index), &k) ||
            !(l == (double)(u->first_layer + i / u->per_layer)) ||
            !(k == (double)(i % u->per_layer))) {
            char name[UNIT_NAME];
            prune_unit_name(u, i, name);
            return problem_set(why, "%s: row %zu is not unit %s", path, i + 1, name);
        }
    }
    return true;
}

static bool read_scores(prune_units *u, const csv *c, const char *path, problem *why)
{
    const int at = csv_column(c, u->score_name);
    if (at < 0) return no_column(c, path, u->score_name, why);
    u->score = tool_alloc(u->count, sizeof *u->score);
    for (size_t i = 0; i < u->count; i++)
        if (!csv_double(csv_cell(c, i, at), &u->score[i]))
            return problem_set(why, "%s: row %zu, column %s: '%.40s' is not a number", path, i + 1,
                               u->score_name, csv_cell(c, i, at));
    return true;
}

static bool read_table(prune_units *u, const loaded_model *m, const char *directory, problem *why)
{
    char path[TOOL_PATH_BYTES];
    csv c;
    if (!path_join(path, directory, "units.csv", why)) return false;
    if (!path_exists(path))
        return problem_set(why, "%s: holds no units.csv (synergy phiid writes it)", directory);
    if (!csv_read(&c, path, why)) return false;
    add_shared(u, m, c.rows);
    const bool good = check_rows(u, &c, path, why) && read_scores(u, &c, path, why);
    csv_free(&c);
    return good;
}

bool prune_units_read(prune_units *u, const loaded_model *m, const char *directory,
                      const char *score, problem *why)
{
    json_file description;
    memset(u, 0, sizeof *u);
    folder_column(score ? score : "score", u->score_name);
    if (!folder_describe(&description, directory, why)) return false;
    const bool good = folder_check_model(description.root, m, directory, why);
    if (good) shape_of_model(u, m, folder_has_experts(description.root));
    json_free(&description);
    if (good && read_table(u, m, directory, why)) return true;
    prune_units_free(u);
    return false;
}

void prune_units_free(prune_units *u)
{
    free(u->score);
    u->score = NULL;
}

/* ---- the choice -------------------------------------------------------------------------- */

typedef struct scored {
    double score;
    size_t unit;
} scored;

static int by_score(const void *a, const void *b)
{
    const scored *x = a, *y = b;
    if (x->score < y->score || x->score > y->score) return x->score < y->score ? -1 : 1;
    return x->unit < y->unit ? -1 : x->unit > y->unit;
}

bool prune_choose(const prune_units *u, size_t count, bool highest, bool *chosen, problem *why)
{
    scored *list = tool_alloc(u->count, sizeof *list);
    size_t known = 0;
    for (size_t i = 0; i < u->count; i++) {
        if (isnan(u->score[i]) || prune_unit_is_shared(u, i)) continue;
        list[known].score = highest ? -u->score[i] : u->score[i];
        list[known++].unit = i;
    }
    qsort(list, known, sizeof *list, by_score);
    for (size_t i = 0; i < count && i < known; i++) chosen[list[i].unit] = true;
    free(list);
    if (count <= known) return true;
    return problem_set(why, "%zu units should go, but only %zu of %zu have a value in column %s",
                       count, known, u->ranked, u->score_name);
}

bool prune_choose_list(const prune_units *u, const char *list, bool *chosen, problem *why)
{
    return unit_list_parse(list, u->experts, u->first_layer, u->layers, u->per_layer, chosen, why);
}
