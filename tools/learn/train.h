/* train.h - learning from rows of ids: steps, checkpoints, going on. */
#ifndef SYNERGY_TRAIN_H
#define SYNERGY_TRAIN_H

#include "learn/optimiser.h"
#include "learn/fresh.h"

enum { ORDER_SHUFFLED, ORDER_GIVEN };

typedef struct train_options {
    const char *init;                 /* NULL: fresh random weights of `shape` */
    const char *tokens, *text;        /* one of these, or the corpus */
    int64_t corpus;                   /* its seed; -1: not the corpus */
    const char *output, *checkpoints; /* "0,1,2,4"; NULL: powers of two */
    optimiser_options optimiser;
    fresh_shape shape;
    int64_t vocab, batch, order, seed, threads, context, evaluate, until,
        save_seconds; /* until 0: to the end */
    bool resume, fresh, force;
} train_options;

bool train_run(const train_options *o, problem *why);

#endif
