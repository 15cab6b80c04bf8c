/* recording.h - series of units as somebody recorded them: norms.npy, any other array, a text
   table, or a covariance. */
#ifndef SYNERGY_RECORDING_H
#define SYNERGY_RECORDING_H

#include "engine/engine.h"

/* Series of N units, prompt after prompt, from .npy ([P, T, L, U], [P, T, N] or [T, N]) or a text
   table; or a lagged covariance of N channels (the format of syn_cov_save), which has no series. */
typedef struct recording {
    char path[TOOL_PATH_BYTES];
    char hash[65]; /* SHA-256 of the file (and of lengths.npy where there is one) */
    char type[16]; /* "float32", ..., "csv" */
    size_t prompts, samples, layers, per_layer, units;
    size_t first_layer;   /* of the model, as run.json beside it says (dense layers before) */
    bool experts;         /* the units are experts, as that file says */
    size_t *length;       /* (prompt): samples that count, at most `samples` */
    size_t *at;           /* (prompt, samples): their places in the file; NULL: none was left out */
    size_t span;          /* samples in the file: `samples` and those left out */
    bool has_lengths;     /* a lengths.npy stood beside it */
    bool is_npy, doubles; /* doubles: read as double, else as float */
    npy array;
    double *table; /* (prompt, sample, unit) where it is not read from the file itself */
    char **name;   /* (unit), UTF-8, each once; NULL where the file has none */
    json_file run; /* run.json beside it; its root is NULL where there is none */
    bool is_cov;   /* a covariance: `view` holds it, tau is its own */
    file_view view;
    size_t tau;
    text_list notes; /* what a person should know of it, in sentences */
} recording;

/* What to take of a table. Zero: everything; a missing number is refused in text, and is a fault of
   its unit in .npy. */
enum { MISSING_REFUSE, MISSING_DROP, MISSING_UNIT };
typedef struct recording_choice {
    const char *columns, *skip; /* lists or patterns (column_list.h); NULL: all, none */
    int missing;
    bool missing_given;
} recording_choice;

bool recording_open(recording *r, const char *path, problem *why);
/* The same of a part of it. Notes go to standard error, too. */
bool recording_open_part(recording *r, const char *path, const recording_choice *choice,
                         problem *why);
/* Divides the units of a recording that has one layer into `layers` of them. */
bool recording_layers(recording *r, int64_t layers, problem *why);
void recording_close(recording *r);
/* Opens sinks.npy beside the norms, (prompt, layer, unit) each prompt's mean attention to the first
   token; *found is false where capture left none. */
bool recording_sinks(const recording *r, npy *a, bool *found, problem *why);
/* One prompt, (sample, unit), as double or float (see `doubles`): in the mapped file where it can
   be used there, else in the buffer. */
size_t recording_buffer_bytes(const recording *r);
const void *recording_prompt(const recording *r, size_t prompt, void *buffer);
/* How many pairs of samples (k, k + tau) of a prompt lie tau apart with none left out between. */
size_t recording_pairs(const recording *r, size_t prompt, size_t tau);
bool recording_is_pair(const recording *r, size_t prompt, size_t k, size_t tau);

#endif
