/* tune.h - training chosen heads only, by worked solutions or by reward. */
#ifndef SYNERGY_TUNE_H
#define SYNERGY_TUNE_H

#include "learn/heads.h"

enum { TUNE_SFT, TUNE_GRPO };
/* What is right: the whole answer, steps included; or its last number (of an answer without one,
 * its last word). */
enum { CHECK_WHOLE, CHECK_FINAL };

typedef struct tune_options {
    const char *model, *directory, *output; /* output NULL: DIR/tune/TASK-METHOD-SUBSET-SEED */
    const char *task, *score;
    const char *subset;
    double share, clip_ratio, kl, temperature;
    int method, check;
    optimiser_options optimiser;
    int64_t batch, group, updates, most, shots, evaluate, items, seed, threads, save_seconds;
    bool keep_samples, resume, fresh, force;
} tune_options;

void tune_defaults(tune_options *o);
/* The tasks that can be asked for, with commas between. */
void tune_tasks(text *to);
bool tune_run(const tune_options *o, problem *why);

/* What the runs in DIR/tune have found, as DIR/tuning.csv and DIR/tuning.json (tune_results.c). */
bool tune_collect(const char *directory, problem *why);

#endif
