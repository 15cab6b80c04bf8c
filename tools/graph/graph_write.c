/* graph_write.c - graph.json: figures of one network or two, and when it may be replaced. */
#include "graph/graph.h"

#include "base/columns.h"
#include "base/sha256.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const figure_name[GRAPH_FIGURES] = {
    "efficiency_weighted", "efficiency_weighted_top", "efficiency_binary_top", "louvain_q"};
static const char *const null_name[2] = {"weight_shuffling",
                                         "degree_preserving_rewiring"}; /* [syn_null] */

/* What another run must share for its graph.json to be replaced without --force. */
static void settings_json(const graph_work *w, json_out *j)
{
    const graph_options *o = w->options;
    json_object(j, "settings");
    if (w->partition) json_text(j, "partition", w->partition_name);
    else json_null(j, "partition");
    json_number(j, "gamma", o->gamma);
    json_int(j, "restarts", o->restarts);
    json_int(j, "nulls", (int64_t)w->nulls);
    json_int(j, "null_restarts", (int64_t)w->null_restarts);
    json_text(j, "densities", o->densities);
    json_int(j, "seed", o->seed);
    json_text(j, "symmetrise", choice_name(CHOICE_SYMMETRISE, o->symmetrise));
    json_object_end(j);
}

char *graph_settings(graph_work *w)
{
    sha256 hash;
    json_out j;
    memset(&j, 0, sizeof j);
    json_object(&j, NULL);
    json_text(&j, "version", tool_version());
    settings_json(w, &j);
    json_text(&j, "matrix_sha256", w->net[0].hash);
    if (w->folder) json_text(&j, "redundancy_sha256", w->net[1].hash);
    json_object_end(&j);
    sha256_begin(&hash);
    sha256_add(&hash, j.to.at, j.to.length);
    for (size_t i = 0; w->partition && i < w->nodes; i++) {
        char number[16];
        const int n = snprintf(number, sizeof number, "%ld,", (long)w->partition[i]);
        sha256_add(&hash, number, (size_t)n);
    }
    sha256_end(&hash, w->identity);
    return j.to.at;
}

const setting_word graph_setting_words[] = {
    {"gamma", "--gamma"},           {"restarts", "--restarts"},
    {"nulls", "--nulls"},           {"null_restarts", NULL},
    {"densities", "--densities"},   {"seed", "--seed"},
    {"symmetrise", "--symmetrise"}, {"matrix_sha256", "matrix (sha256)"},
    {"redundancy_sha256", NULL},    {NULL, NULL}};

static bool same_settings(const graph_work *w, const json *old, const char *path, problem *why)
{
    json_out j;
    memset(&j, 0, sizeof j);
    json_object(&j, NULL);
    settings_json(w, &j);
    json_object_end(&j);
    return settings_same(&j, json_get(old, "settings"), graph_setting_words, path, why);
}

/* In its own folder graph.json follows the matrices; elsewhere it must be theirs. */
static bool same_input(const graph_work *w, const json *old, const char *path, problem *why)
{
    if (w->folder && strcmp(w->output, w->options->input) == 0) return true;
    const char *hash =
        w->folder ? json_text_of(old, "synergy.sha256", "") : json_text_of(old, "sha256", "");
    return strcmp(hash, w->net[0].hash) == 0 ||
           problem_set(why, "%s: is the result of another matrix (--force replaces it)", path);
}

bool graph_output_check(const graph_work *w, problem *why)
{
    char path[TOOL_PATH_BYTES];
    json_file old;
    problem ignored;
    if (!directory_writable(w->output, why) || !columns_free(w->output, why) ||
        !columns_not_input(w->output, "graph", w->folder ? NULL : w->options->input, why) ||
        !columns_not_input(w->output, "graph", w->options->partition, why) ||
        !path_join(path, w->output, "graph.json", why))
        return false;
    if (w->options->force || !path_exists(path)) return true;
    if (!json_read(&old, path, &ignored))
        return problem_set(why, "%s: is not one of our results (--force replaces it)", path);
    bool good = same_input(w, old.root, path, why) && same_settings(w, old.root, path, why);
    json_free(&old);
    return good;
}

/* ---- figures -------------------------------------------------------------------------- */

static void densities_json(const graph_work *w, const network *n, json_out *j)
{
    json_array(j, "densities");
    for (size_t k = 0; k < w->densities; k++) {
        json_object_inline(j, NULL);
        json_number(j, "density", w->density[k]);
        json_int(j, "edges", (int64_t)n->kept[k]);
        json_number(j, "efficiency_binary", n->binary[k]);
        json_number(j, "efficiency_weighted", n->weighted[k]);
        json_object_end(j);
    }
    json_array_end(j);
}

static void nulls_json(const network *n, json_out *j)
{
    json_object(j, "null");
    for (int kind = 0; kind < 2; kind++) {
        json_object(j, null_name[kind]);
        for (int f = 0; f < GRAPH_FIGURES; f++) {
            const null_figure *v = &n->null[kind][f];
            /* the rewired network is the strongest tenth itself: its whole is its top */
            if (kind == SYN_NULL_REWIRE && f == GRAPH_EFFICIENCY) continue;
            json_object_inline(j, figure_name[f]);
            json_number(j, "observed", v->seen);
            json_number(j, "mean", v->mean);
            json_number(j, "sd", v->sd);
            json_number(j, "z", v->z);
            json_number(j, "p", v->p);
            json_object_end(j);
        }
        json_object_end(j);
    }
    json_object_end(j);
}

/* A figure of every node, and its mean. */
static void nodes_json(json_out *j, const char *key, const double *value, size_t n)
{
    char mean_key[64];
    double sum = 0;
    if (!value) return;
    for (size_t i = 0; i < n; i++) sum += value[i];
    snprintf(mean_key, sizeof mean_key, "%s_mean", key);
    json_number(j, mean_key, sum / (double)n);
    json_array_inline(j, key);
    for (size_t i = 0; i < n; i++) json_number(j, NULL, value[i]);
    json_array_end(j);
}

static void network_json(const graph_work *w, const network *n, json_out *j)
{
    const syn_graph *g = &n->graph;
    json_text(j, "file", path_base(n->path));
    json_text(j, "sha256", n->hash);
    json_int(j, "nodes", (int64_t)g->nodes);
    json_int(j, "edges", (int64_t)g->edges);
    json_int(j, "unknown_weights", (int64_t)n->unknown);
    json_int(j, "negative_weights", (int64_t)n->negative);
    json_int(j, "dropped_weights", (int64_t)(n->unknown + n->negative));
    json_text(j, "symmetry",
              n->completed                          ? "one triangle, completed"
              : n->changed == 0                     ? "symmetric"
              : w->options->symmetrise == GRAPH_MAX ? "larger of two"
                                                    : "mean of two");
    json_int(j, "pairs_symmetrised", (int64_t)n->changed);
    json_number(j, "mean_weight", g->mean_weight);
    json_number(j, "largest_weight", g->largest_weight);
    json_number(j, "efficiency_weighted", g->efficiency_weighted);
    json_number(j, "efficiency_weighted_normalised", g->efficiency_weighted_normalised);
    json_number(j, "efficiency_over_mean_weight", g->efficiency_over_mean_weight);
    json_int(j, "edges_top10", (int64_t)g->kept);
    json_number(j, "efficiency_binary_top10", g->efficiency_binary_top);
    json_number(j, "efficiency_weighted_top10", g->efficiency_weighted_top);
    densities_json(w, n, j);
    json_number(j, "louvain_q", g->louvain_q);
    json_int(j, "communities", (int64_t)g->communities);
    json_array_inline(j, "community");
    for (size_t i = 0; i < w->nodes; i++) json_int(j, NULL, g->community[i]);
    json_array_end(j);
    json_number(j, "partition_q", n->partition_q);
    json_text(j, "parts_of_nodes", w->partition ? w->partition_name : "communities");
    json_number(j, "modularity_signed", n->signed_q);
    if (n->signed_part) { /* what Louvain finds where negative weights repel */
        json_number(j, "louvain_q_signed", n->signed_best);
        json_array_inline(j, "community_signed");
        for (size_t i = 0; i < w->nodes; i++) json_int(j, NULL, n->signed_part[i]);
        json_array_end(j);
    }
    nodes_json(j, "participation", n->participation, w->nodes);
    nodes_json(j, "local_efficiency", n->local, w->nodes);
    if (w->name) {
        json_array_inline(j, "names");
        for (size_t i = 0; i < w->nodes; i++) json_text(j, NULL, w->name[i]);
        json_array_end(j);
    }
    if (w->nulls) nulls_json(n, j);
}

void graph_json(const graph_work *w, json_out *j)
{
    json_object(j, NULL);
    json_text(j, "program", "synergy graph");
    json_text(j, "version", tool_version());
    if (w->output) json_text(j, "identity", w->identity);
    settings_json(w, j);
    if (!w->folder) network_json(w, &w->net[0], j);
    for (int k = 0; w->folder && k < 2; k++) {
        json_object(j, w->net[k].name);
        network_json(w, &w->net[k], j);
        json_object_end(j);
    }
    if (w->folder) graph_words(w, j);
    json_object_end(j);
}

bool graph_write(const graph_work *w, problem *why)
{
    char path[TOOL_PATH_BYTES];
    json_out j;
    if (!graph_export(w, why) || !path_join(path, w->output, "graph.json", why)) return false;
    memset(&j, 0, sizeof j);
    graph_json(w, &j);
    if (!json_write(&j, path, why)) return false;
    return !w->folder || columns_write(w->output, why);
}
