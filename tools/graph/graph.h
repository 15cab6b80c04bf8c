/* graph.h - topology of networks: what is measured (graph.c), written (graph_write.c), said
   (graph_words.c) and exported (graph_export.c). */
#ifndef SYNERGY_GRAPH_TOOL_H
#define SYNERGY_GRAPH_TOOL_H

#include "base/work.h"
#include "engine/engine.h"
#include "graph/stage.h"

/* What null networks are compared in. */
typedef enum graph_figure {
    GRAPH_EFFICIENCY,   /* weighted, of the whole network */
    GRAPH_TOP_WEIGHTED, /* weighted, of the strongest tenth of the edges */
    GRAPH_TOP_BINARY,   /* the same, every edge of length 1 */
    GRAPH_Q,            /* modularity that Louvain finds */
    GRAPH_FIGURES
} graph_figure;

/* One figure against its null: seen as measured in the way the nulls are. */
typedef struct null_figure {
    double seen, mean, sd, z, p;
} null_figure;

typedef struct network {
    const char *name; /* "synergy", "redundancy", or the file's */
    char path[TOOL_PATH_BYTES], hash[65];
    size_t nodes;
    size_t unknown, negative; /* pairs that are NaN, or below 0: no edges */
    size_t changed;           /* pairs whose two weights differed, and were made one */
    bool completed;           /* one triangle was empty, and is the other now */
    double *weight;           /* (node, node), symmetric */
    char **label;             /* (node), of a text matrix with names, else NULL */
    syn_graph graph;          /* its communities lie in `block` */
    void *block;
    double partition_q; /* NaN without a partition */
    double signed_q;    /* of the partition, else of the communities: negative weights repel */
    int32_t
        *signed_part; /* (node): parts that Louvain on it finds, NULL where no weight is negative */
    double signed_best;    /* their Q* */
    double *participation; /* (node) over the same parts */
    double *local;         /* (node) local efficiency; NULL of a network too large for it */
    double binary[GRAPH_DENSITIES], weighted[GRAPH_DENSITIES];
    size_t kept[GRAPH_DENSITIES];
    null_figure null[2][GRAPH_FIGURES]; /* [syn_null] */
} network;

typedef struct graph_work {
    const graph_options *options;
    const char *output; /* folder, NULL: nothing is written */
    bool folder;        /* a result folder: two networks */
    network net[2];
    int networks;
    size_t nodes, per_layer, layers; /* layers 0: unknown */
    size_t first_layer;              /* number of the first one in the model */
    char **name;                     /* (node): names of units, NULL: nodes are numbered */
    int32_t *partition;              /* (node), NULL: none */
    char partition_name[256];
    double density[GRAPH_DENSITIES];
    size_t densities, nulls, null_restarts;
    char identity[65]; /* of settings, matrices and partition: what decides the figures */
    work log;          /* figures of null networks, where there are any */
    syn_parallel parallel;
} graph_work;

/* Reads a square matrix from .npy (any numbers) or text, with or without names around it; one
   triangle is completed, any other asymmetry refused unless `how` says what to do.
   (graph_read.c) */
bool network_read(network *n, const char *path, const char *name, int how, problem *why);
void network_free(network *n);

bool graph_output_check(const graph_work *w, problem *why);
/* What decides the figures, as a JSON object that is to be freed; sets w->identity. */
char *graph_settings(graph_work *w);
extern const setting_word graph_setting_words[]; /* as the command line calls them */
bool graph_write(const graph_work *w, problem *why);
void graph_json(const graph_work *w, json_out *j);
/* The claims of the paper, and what may be said about them, into the JSON. */
void graph_words(const graph_work *w, json_out *j);
bool graph_export(const graph_work *w, problem *why);

#endif
