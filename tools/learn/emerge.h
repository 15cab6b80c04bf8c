/* emerge.h - does the profile form by training? Checkpoints of one or several runs and two controls
   of each run read the same text; here is what is read, what the controls are, and what is said of
   the results. */
#ifndef SYNERGY_EMERGE_H
#define SYNERGY_EMERGE_H

#include "engine/shape.h"

enum { EMERGE_CHECKPOINT, EMERGE_RANDOM, EMERGE_SHUFFLED };
/* The readings of the score that are followed, by their names in phiid.json. */
enum { EMERGE_SCORES = 3 };
extern const char *const emerge_score[EMERGE_SCORES];

/* A model that reads the text. */
typedef struct emerge_point {
    char path[TOOL_PATH_BYTES]; /* of the checkpoint, or of the one that a control is made of */
    char folder[80];            /* in the output: RUN/step-8, RUN/random */
    size_t run;
    int kind;
    int64_t step;
    double loss, loss_se; /* nats a token */
    shape_evidence e[EMERGE_SCORES];
} emerge_point;

/* Runs (checkpoints in one folder are one run), each by rising step, its controls last. */
typedef struct emerge_list {
    emerge_point *at;
    size_t count, runs;
    char (*run)[64]; /* (runs): names */
} emerge_list;

/* The step stands in a file's name: what follows its last "step", else its last number. */
bool emerge_plan(emerge_list *l, const char *const *paths, size_t count, bool controls,
                 problem *why);
void emerge_free(emerge_list *l);

/* The text for a model with this vocabulary, (rows, length) ids: windows of a file, or held-out
   documents of the corpus (path NULL). *rows falls to what the file has. */
int32_t *emerge_text(const char *model, const char *path, uint64_t seed, size_t *rows,
                     size_t length, problem *why);

/* A control of a model, of any family, in F32: EMERGE_RANDOM normal weights of standard deviation
   1/sqrt(inputs), smaller by sqrt(2 layers) where they add to the stream, 0.05 of the embedding,
   norms 1, biases 0; EMERGE_SHUFFLED the weights of each tensor in a random order. */
bool emerge_control(const char *model, int kind, uint64_t seed, const char *to, problem *why);

/* Reads RUN/step-N/phiid.json and profile.csv of every point; writes emergence.csv,
   emergence_profile.csv and emergence.json with `settings` (JSON: {"settings": {...}}) and this
   identity. */
bool emerge_write(emerge_list *l, const char *directory, const char *settings, const char *identity,
                  problem *why);

#endif
