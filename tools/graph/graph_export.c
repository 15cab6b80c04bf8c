/* graph_export.c - networks for other programs: GraphML and edge lists. Nodes are numbered as the
   rows of the matrix; in a result folder they have the names and figures of units.csv. */
#include "graph/graph.h"

#include "base/columns.h"
#include "draw/draw.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The edges that are exported: all above 0, or the strongest. */
static bool kept_weights(const graph_work *w, const network *n, double *to, problem *why)
{
    syn_error err;
    size_t kept;
    void *block = NULL;
    syn_arena arena = syn_arena_measure();
    syn_status status = syn_graph_threshold(NULL, w->nodes, 1, NULL, &kept, &arena, &err);
    if (status == SYN_OK) {
        size_t bytes = arena.used + SYN_ALIGN;
        block = tool_alloc(bytes, 1);
        arena = syn_arena_on(block, bytes);
        status =
            syn_graph_threshold(n->weight, w->nodes, w->options->keep, to, &kept, &arena, &err);
    }
    free(block);
    return status == SYN_OK || problem_engine(why, NULL, &err);
}

static const char *node_name(const graph_work *w, size_t i, char number[48])
{
    if (w->name) return w->name[i];
    snprintf(number, 48, "%zu", i);
    return number;
}

/* Names may hold what XML uses itself, or what it does not allow. */
static void xml_name(const char *s, FILE *f)
{
    text t = {0};
    xml_text(&t, s);
    if (t.length) fwrite(t.at, 1, t.length, f);
    text_free(&t);
}

static void graphml_head(FILE *f)
{
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
          "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n"
          "  <key id=\"unit\" for=\"node\" attr.name=\"unit\" attr.type=\"string\"/>\n"
          "  <key id=\"layer\" for=\"node\" attr.name=\"layer\" attr.type=\"int\"/>\n"
          "  <key id=\"community\" for=\"node\" attr.name=\"community\" attr.type=\"int\"/>\n"
          "  <key id=\"strength\" for=\"node\" attr.name=\"strength\" attr.type=\"double\"/>\n"
          "  <key id=\"weight\" for=\"edge\" attr.name=\"weight\" attr.type=\"double\"/>\n"
          "  <graph edgedefault=\"undirected\">\n",
          f);
}

static void graphml_nodes(const graph_work *w, const network *n, const double *weight, FILE *f)
{
    char name[48], number[32];
    for (size_t i = 0; i < w->nodes; i++) {
        double strength = 0;
        for (size_t k = 0; k < w->nodes; k++) strength += weight[i * w->nodes + k];
        number_text(strength, number);
        fprintf(f, "    <node id=\"n%zu\"><data key=\"unit\">", i);
        xml_name(node_name(w, i, name), f);
        fputs("</data>", f);
        if (w->per_layer)
            fprintf(f, "<data key=\"layer\">%zu</data>", w->first_layer + i / w->per_layer);
        fprintf(f, "<data key=\"community\">%ld</data><data key=\"strength\">%s</data></node>\n",
                (long)n->graph.community[i], number);
    }
}

static bool graphml(const graph_work *w, const network *n, const double *weight, const char *path,
                    problem *why)
{
    file_out out;
    char number[32];
    if (!file_begin(&out, path, why)) return false;
    graphml_head(out.stream);
    graphml_nodes(w, n, weight, out.stream);
    for (size_t i = 0; i < w->nodes; i++)
        for (size_t k = i + 1; k < w->nodes; k++) {
            double v = weight[i * w->nodes + k];
            if (!(v > 0)) continue;
            number_text(v, number);
            fprintf(out.stream,
                    "    <edge source=\"n%zu\" target=\"n%zu\"><data key=\"weight\">%s</data>"
                    "</edge>\n",
                    i, k, number);
        }
    fputs("  </graph>\n</graphml>\n", out.stream);
    return file_commit(&out, why);
}

static bool edge_list(const graph_work *w, const double *weight, const char *path, problem *why)
{
    table_out t;
    char a[48], b[48];
    table_begin(&t, "network_edges.csv");
    for (size_t i = 0; i < w->nodes; i++)
        for (size_t k = i + 1; k < w->nodes; k++) {
            double v = weight[i * w->nodes + k];
            if (!(v > 0)) continue;
            table_text(&t, "source", node_name(w, i, a));
            table_text(&t, "target", node_name(w, k, b));
            table_number(&t, "weight", v);
            table_end_row(&t);
        }
    return table_write(&t, path, why);
}

/* "W.npy" gives W.graphml, "synergy" gives synergy.graphml. */
static bool export_path(const graph_work *w, const network *n, const char *ending, char *path,
                        problem *why)
{
    char file[TOOL_PATH_BYTES];
    size_t length = strlen(n->name);
    if (length > 4 && n->name[length - 4] == '.') length -= 4; /* .npy, .csv, .txt ... */
    snprintf(file, sizeof file, "%.*s%s", (int)length, n->name, ending);
    return path_join(path, w->output, file, why);
}

static bool export_one(const graph_work *w, const network *n, problem *why)
{
    char path[TOOL_PATH_BYTES];
    double *weight = tool_alloc(w->nodes * w->nodes, sizeof *weight);
    bool good = kept_weights(w, n, weight, why);
    if (good && w->options->graphml)
        good = export_path(w, n, ".graphml", path, why) && graphml(w, n, weight, path, why);
    if (good && w->options->csv)
        good = export_path(w, n, "_edges.csv", path, why) && edge_list(w, weight, path, why);
    free(weight);
    return good;
}

bool graph_export(const graph_work *w, problem *why)
{
    if (!w->options->graphml && !w->options->csv) return true;
    for (int k = 0; k < w->networks; k++)
        if (!export_one(w, &w->net[k], why)) return false;
    return true;
}
