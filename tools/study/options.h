/* options.h - what `ablate` and `perturb` are both told. */
#ifndef SYNERGY_STUDY_OPTIONS_H
#define SYNERGY_STUDY_OPTIONS_H

#include "engine/engine.h"

typedef struct study_options {
    const char *model, *directory, *output; /* output NULL: the directory */
    const char *score;  /* a column of units.csv; NULL: the score that the folder chose */
    const char *eval;   /* evaluation sets, "none" for none */
    const char *memory; /* for items side by side: budget_of */
    const char *pre;    /* pre-tokenizer in place of the file's own, or NULL */
    int64_t seeds, prompts, items, seed, threads;
    bool exact, resume, fresh, force; /* resume: the default, and said again */
} study_options;

void study_defaults(study_options *o);

/* Bytes of the tables, the JSON and the log of a study of the default size. */
double study_disk_bytes(void);

#endif
