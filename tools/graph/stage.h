/* stage.h - what others may use of graph/: the matrices of a result folder, or any other, as
   networks. */
#ifndef SYNERGY_GRAPH_STAGE_H
#define SYNERGY_GRAPH_STAGE_H

#include "base/tool.h"

typedef enum graph_symmetrise { GRAPH_SYMMETRIC, GRAPH_MEAN, GRAPH_MAX } graph_symmetrise;

typedef struct graph_options {
    const char *input;     /* a result folder, or a matrix */
    const char *partition; /* whole numbers, one a node; NULL: the layers of a folder */
    const char *output;    /* folder; NULL: the input folder, or nowhere */
    const char *densities; /* "0.05,0.1" */
    int symmetrise;        /* graph_symmetrise: what two different weights of a pair become */
    int64_t nulls;         /* -1: the default */
    int64_t restarts, seed, threads;
    double gamma, keep;
    bool graphml, csv, force;
    bool resume, fresh; /* resume: the default, and said again */
} graph_options;

void graph_defaults(graph_options *o);
/* Bytes of graph.json of a result folder. */
double graph_disk_bytes(size_t units);
/* Measures; writes graph.json and what is exported; leaves the JSON in j for printing. */
bool graph_run(const graph_options *o, json_out *j, problem *why);

/* "0.05,0.1,0.2"; false when it is not such a list. */
enum { GRAPH_DENSITIES = 16 };
bool graph_densities(const char *words, double *density, size_t *count);

#endif
