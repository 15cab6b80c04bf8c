/* tune.h - what the runs of `synergy tune` in one folder have found. */
#ifndef SYNERGY_TUNE_H
#define SYNERGY_TUNE_H

#include "learn/stage.h"

/* DIR/tune becomes DIR/tuning.csv and DIR/tuning.json (tune_results.c). */
bool tune_collect(const char *directory, problem *why);

#endif
