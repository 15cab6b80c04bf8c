/* cmd_graph.c - synergy graph: topology of a result folder's networks, or of any matrix. */
#include "base/stop.h"
#include "engine/choices.h"
#include "graph/stage.h"

#include <math.h>
#include <string.h>

/* Weights that are there and are no edges. */
static void print_dropped(const json *n)
{
    double negative = json_number_of(n, "negative_weights", 0),
           unknown = json_number_of(n, "unknown_weights", 0);
    double changed = json_number_of(n, "pairs_symmetrised", 0),
           nodes = json_number_of(n, "nodes", 0);
    if (negative + unknown > 0)
        printf("  %.0f of %.0f pairs are no edges: %.0f negative, %.0f unknown\n",
               negative + unknown, nodes * (nodes - 1) / 2, negative, unknown);
    if (changed > 0)
        printf("  %.0f pairs with two different weights have the %s\n", changed,
               json_text_of(n, "symmetry", ""));
}

/* Figures of one network as lines of text. */
static void print_network(const json *n)
{
    static const char *const key[] = {"nodes",
                                      "edges",
                                      "mean_weight",
                                      "efficiency_weighted",
                                      "efficiency_weighted_normalised",
                                      "efficiency_over_mean_weight",
                                      "efficiency_binary_top10",
                                      "efficiency_weighted_top10",
                                      "louvain_q",
                                      "communities",
                                      "partition_q",
                                      "modularity_signed",
                                      "participation_mean",
                                      "local_efficiency_mean"};
    for (size_t k = 0; k < sizeof key / sizeof key[0]; k++) {
        double v = json_number_of(n, key[k], (double)NAN);
        if (isfinite(v)) printf("  %-32s%.6g\n", key[k], v);
    }
    print_dropped(n);
    const json *null = json_get(n, "null");
    for (const json *kind = null ? null->child : NULL; kind; kind = kind->next)
        for (const json *f = kind->child; f; f = f->next) {
            double z = json_number_of(f, "z", (double)NAN);
            if (isfinite(z)) printf("  %s, %s: z %.3g\n", kind->key, f->key, z);
        }
}

static void print_all(const json *root)
{
    static const char *const name[2] = {"synergy", "redundancy"};
    if (!json_get(root, name[0])) print_network(root);
    for (int k = 0; k < 2; k++) {
        const json *n = json_get(root, name[k]);
        if (!n) continue;
        printf("%s\n", name[k]);
        print_network(n);
    }
    const json *list = json_get(root, "conclusions");
    for (const json *c = list ? list->child : NULL; c; c = c->next)
        if (c->text) printf("%s- %s\n", c == list->child ? "\n" : "", c->text);
}

static int show(json_out *j, bool as_json)
{
    json_file f;
    problem why;
    if (as_json) {
        json_print(j, stdout);
        return tool_finish_output();
    }
    bool good = json_parse(&f, j->to.at, j->to.length, "graph.json", &why);
    text_free(&j->to);
    if (!good) return tool_fail(&why);
    print_all(f.root);
    json_free(&f);
    return tool_finish_output();
}

static int run(const command *self, int argc, char **argv)
{
    graph_options o;
    json_out j;
    problem why;
    double density[GRAPH_DENSITIES];
    size_t count;
    int code;
    bool as_json = false;
    memset(&j, 0, sizeof j);
    graph_defaults(&o);
    const option table[] = {
        {"output", 'o', OPTION_TEXT, "DIR", "where results go (default: an input folder)",
         &o.output, 0, 0, NULL},
        {"partition", 0, OPTION_TEXT, "P.npy",
         "whole numbers, the part of each node, for partition_q (default: a folder's layers)",
         &o.partition, 0, 0, NULL},
        {"symmetrise", 0, OPTION_CHOICE, choice_words(CHOICE_SYMMETRISE),
         "what the two weights of a pair become where they differ (default none: refused)",
         &o.symmetrise, 0, 0, NULL},
        {"nulls", 0, OPTION_INT, "N",
         "null networks of each kind (folders: 100, 20 above 500 nodes; matrices: none)", &o.nulls,
         0, 1e6, NULL},
        {"restarts", 0, OPTION_INT, "N", "starts of Louvain (default 50)", &o.restarts, 1, 1e6,
         NULL},
        {"gamma", 0, OPTION_NUMBER, "G", "resolution of the modularity (default 1)", &o.gamma, 1e-6,
         1e6, NULL},
        {"densities", 0, OPTION_TEXT, "LIST",
         "shares of the strongest edges (default 0.05,0.1,0.2,0.3)", &o.densities, 0, 0, NULL},
        {"graphml", 0, OPTION_FLAG, NULL, "also write NAME.graphml", &o.graphml, 0, 0, NULL},
        {"csv", 0, OPTION_FLAG, NULL, "also write NAME_edges.csv", &o.csv, 0, 0, NULL},
        {"keep", 0, OPTION_NUMBER, "D",
         "in those, only the strongest edges, a share D of all pairs (default 1)", &o.keep, 0, 1,
         NULL},
        OPTION_RESUME(&o.resume),
        OPTION_FRESH(&o.fresh),
        OPTION_SEED(&o.seed),
        OPTION_THREADS(&o.threads),
        OPTION_JSON(&as_json),
        OPTION_FORCE(&o.force),
    };
    if (!args_parse(self, table, OPTION_COUNT(table), argc, argv, &o.input, 1, 1, NULL, &code))
        return code;
    if (!graph_densities(o.densities, density, &count))
        return tool_usage("--densities: '%.100s' is not up to %d numbers above 0 and up to 1, "
                          "separated by commas",
                          o.densities, GRAPH_DENSITIES);
    if ((o.graphml || o.csv) && !o.output && !path_is_directory(o.input))
        return tool_usage("-o DIR is missing: where should the exported network go?");
    stop_keeps("nothing is kept yet");
    if (!graph_run(&o, &j, &why)) {
        text_free(&j.to);
        return tool_fail(&why);
    }
    return show(&j, as_json);
}

const command command_graph = {
    "graph",
    "DIR|W.npy|W.csv [OPTIONS]",
    "topology: efficiency and modularity against null networks",
    "DIR is a result folder: its synergy.npy and redundancy.npy are measured, compared with null\n"
    "networks and with each other, and DIR/graph.json is written. W is any symmetric matrix of\n"
    "weights, as floats or integers or as text with or without names around it; of a matrix with "
    "one\n"
    "empty triangle the other counts for both. GraphML opens in Gephi, Cytoscape, igraph and "
    "networkx.",
    run,
    "synergy graph results --graphml"};
