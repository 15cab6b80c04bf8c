/* state.h - where a run of learning stands, in one file (weights, both moments, step, tables,
   settings): they cannot be of two steps. */
#ifndef SYNERGY_STATE_H
#define SYNERGY_STATE_H

#include "base/work.h"
#include "learn/optimiser.h"

typedef struct learn_state {
    const char *settings;      /* JSON: what makes two runs one */
    const setting_word *words; /* and how the command line calls them */
    text *table[2];            /* grown by the run, as text */
    net *n;
    optimiser *a;
} learn_state;

bool state_save(const learn_state *s, const char *path, problem *why);
/* Goes on from a file of the same settings. */
bool state_load(learn_state *s, const char *path, problem *why);

#endif
