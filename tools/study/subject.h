/* subject.h - a model together with a result folder of it: its units, their scores, and the texts
   that it wrote. What `ablate` and `perturb` work on. */
#ifndef SYNERGY_SUBJECT_H
#define SYNERGY_SUBJECT_H

#include "study/intervene.h"

typedef struct subject {
    loaded_model m;
    const char *directory;
    json_file run;            /* its description: run.json */
    const char *hash;         /* SHA-256 of the model, in it */
    csv units;                /* units.csv */
    bool experts;             /* the units: heads, or experts */
    size_t layers, per_layer; /* of the model */
    size_t count;             /* rows of units.csv that are units of the model */
    size_t *unit;             /* (count): layer * per_layer + index */
    size_t *line;             /* (count): row of units.csv */
    forced_text *text;        /* (texts): prompt and continuation */
    size_t texts, longest;
} subject;

/* Opens the model, checks that the folder is one of it, and takes `prompts` of its prompts, evenly
   spread (0: all). */
bool subject_open(subject *s, const char *model, const char *pre, const char *directory,
                  int64_t prompts, problem *why);
void subject_close(subject *s);
/* A column of units.csv, (count), NaN for empty cells; a missing column is a problem. */
bool subject_column(const subject *s, const char *name, double *to, problem *why);
bool subject_has_column(const subject *s, const char *name);

/* An edit that sets the gain of units; gain (layers, per_layer) is the caller's. Fills in the
   lowest layer at which it is not 1. */
intervention subject_gains(const subject *s, const float *gain);
/* Units without a layer's offset: what syn_edit's arrays hold. */
size_t subject_slots(const subject *s);

/* Texts of their own from an .npy of ids [T] or [P, T]; positions from - 1 on are predicted. */
bool texts_from_ids(const char *path, int64_t from, uint32_t vocab, forced_text **text,
                    size_t *count, problem *why);
void texts_free(forced_text *text, size_t count);

#endif
