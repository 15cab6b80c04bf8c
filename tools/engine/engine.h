/* engine.h - what the commands share that know the header: the library itself, threads for it,
   recordings, and the stages that `analyze` runs one after the other. */
#ifndef SYNERGY_ENGINE_H
#define SYNERGY_ENGINE_H

/* the library first: it knows nothing of our names */
#define SYNERGY_THREADS
#include "synergy.h"

#include "base/tool.h"

/* Copies the library's line into a problem, after `where` (a file's name, or NULL); false. */
bool problem_engine(problem *why, const char *where, const syn_error *err);

/* A pool of `threads` (0: all cores); with one thread, or where the system gives none, serial.
   The pool must not move while it runs. */
typedef struct engine_pool { syn_pool pool; bool running; syn_parallel parallel; } engine_pool;
void engine_pool_start(engine_pool *p, int64_t threads);
void engine_pool_stop(engine_pool *p);

/* Spearman's correlation over the places where both are numbers. */
double spearman_of(const double *a, const double *b, size_t n);

/* ---- recordings (recording.c) --------------------------------------------------------- */

/* Series of N units, prompt after prompt, from .npy ([P, T, L, U], [P, T, N] or [T, N]) or a text
   table; or a lagged covariance of N channels (the format of syn_cov_save), which has no series. */
typedef struct recording {
    char     path[TOOL_PATH_BYTES];
    char     hash[65];          /* SHA-256 of the file (and of lengths.npy where there is one) */
    char     type[16];          /* "float32", ..., "csv" */
    size_t   prompts, samples, layers, per_layer, units;
    size_t   first_layer;       /* of the model, as run.json beside it says (dense layers before) */
    bool     experts;           /* the units are experts, as that file says */
    size_t  *length;            /* (prompt): samples that count, at most `samples` */
    size_t  *at;                /* (prompt, samples): their places in the file; NULL: none was left out */
    size_t   span;              /* samples in the file: `samples` and those left out */
    bool     has_lengths;       /* a lengths.npy stood beside it */
    bool     is_npy, doubles;   /* doubles: read as double, else as float */
    npy      array;
    double  *table;             /* (prompt, sample, unit) where it is not read from the file itself */
    char   **name;              /* (unit), UTF-8, each once; NULL where the file has none */
    bool     is_cov;            /* a covariance: `view` holds it, tau is its own */
    file_view view;
    size_t   tau;
    text_list notes;            /* what a person should know of it, in sentences */
} recording;

/* What to take of a table. Zero: everything; a missing number is refused in text, and is a fault of
   its unit in .npy. */
enum { MISSING_REFUSE, MISSING_DROP, MISSING_UNIT };
typedef struct recording_choice {
    const char *columns, *skip; /* lists or patterns (column_list.h); NULL: all, none */
    int         missing;
    bool        missing_given;
} recording_choice;

bool recording_open(recording *r, const char *path, problem *why);
/* The same of a part of it. Notes go to standard error, too. */
bool recording_open_part(recording *r, const char *path, const recording_choice *choice, problem *why);
/* Divides the units of a recording that has one layer into `layers` of them. */
bool recording_layers(recording *r, int64_t layers, problem *why);
void recording_close(recording *r);
/* Opens sinks.npy beside the norms, (prompt, layer, unit) each prompt's mean attention to the first
   token; *found is false where capture left none. */
bool recording_sinks(const recording *r, npy *a, bool *found, problem *why);
/* One prompt, (sample, unit), as double or float (see `doubles`): in the mapped file where it can
   be used there, else in the buffer. */
size_t      recording_buffer_bytes(const recording *r);
const void *recording_prompt(const recording *r, size_t prompt, void *buffer);
/* How many pairs of samples (k, k + tau) of a prompt lie tau apart with none left out between. */
size_t recording_pairs(const recording *r, size_t prompt, size_t tau);
bool   recording_is_pair(const recording *r, size_t prompt, size_t k, size_t tau);

/* ---- the information stage (phiid.c) -------------------------------------------------- */

typedef struct phiid_options {
    const char *input;     /* a recording, or a folder with norms.npy */
    const char *output;    /* folder; NULL: the input folder */
    int64_t     tau, min_length, seed, resamples, surrogates, threads;
    int         redundancy;      /* syn_redundancy */
    int         score;           /* syn_score */
    int         flagged;         /* syn_flagged */
    int         null;            /* syn_surrogate */
    int         detrend;         /* phiid_detrend */
    int         normalise;       /* 1: quantiles among random systems */
    int64_t     layers;          /* of a recording without them; 0: 1 */
    const char *local;           /* "A:B,C:D": pairs with local values, NULL: none */
    const char *save_cov;        /* file for the pooled lagged covariance, NULL: none */
    bool        min_length_given; /* also holds for series without a lengths.npy */
    bool        tau_given;       /* else that of a covariance file */
    recording_choice take;       /* columns, and what a missing number does */
    bool        pool, bias_correct, pairs_csv, atoms, force;
} phiid_options;

enum { PHIID_DETREND_NONE, PHIID_DETREND_LINEAR, PHIID_DETREND_QUADRATIC, PHIID_DETREND_MEAN };

void phiid_defaults(phiid_options *o);
/* Writes synergy.npy, redundancy.npy, units.csv, profile.csv, phiid.json, perhaps atoms.npy and
   flags.npy. */
bool phiid_run(const phiid_options *o, problem *why);

/* Prints what a result folder says: a few lines and the profile as bars. */
bool phiid_print(FILE *to, const char *directory, problem *why);

/* ---- topology (graph.c) --------------------------------------------------------------- */

typedef struct graph_options {
    const char *input;     /* a result folder, or a matrix */
    const char *partition; /* whole numbers, one a node; NULL: the layers of a folder */
    const char *output;    /* folder; NULL: the input folder, or nowhere */
    const char *densities; /* "0.05,0.1" */
    int64_t     nulls;     /* -1: the default */
    int64_t     restarts, seed, threads;
    double      gamma, keep;
    bool        graphml, csv, force;
} graph_options;

void graph_defaults(graph_options *o);
/* Measures; writes graph.json and what is exported; leaves the JSON in j for printing. */
bool graph_run(const graph_options *o, json_out *j, problem *why);

/* ---- the report (report.c) ------------------------------------------------------------ */

/* Writes DIR/report.html and DIR/figures/ from what lies in a result folder. */
bool report_run(const char *directory, problem *why);

#endif
