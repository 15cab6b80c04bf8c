/* gradient.h - the gradient of a loss with respect to every weight and every head's output. */
#ifndef SYNERGY_GRADIENT_H
#define SYNERGY_GRADIENT_H

#include "base/tool.h"

typedef struct gradient_options {
    const char *model;
    const char *tokens, *weights;        /* .npy; weights NULL: all 1 */
    const char *output, *heads, *logits; /* GRAD.gguf, HEADS.csv, LOGITS.npy; NULL: not written */
    int64_t threads;
    bool force;
} gradient_options;

typedef struct gradient_result {
    double loss;
    size_t positions;
} gradient_result;

/* Importance of the heads on a result folder's own continuations: the loss is the mean over the
   tokens that the model wrote; columns `gradient` and `importance` of its units.csv are added or
   replaced. */
bool gradient_folder(const gradient_options *o, const char *directory, gradient_result *r,
                     problem *why);

bool gradient_run(const gradient_options *o, gradient_result *r, problem *why);

#endif
