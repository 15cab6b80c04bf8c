/* capture_work.h - the pieces of a capture, for the files of this room. */
#ifndef SYNERGY_CAPTURE_WORK_H
#define SYNERGY_CAPTURE_WORK_H

#include "record/capture.h"

/* The pieces of it: the model and the units; the folder; the context; the units (layer, unit) of a
   row of the last pass; run.json of a run without prompts. */
bool capture_open(capture_job *job, const capture_options *o, problem *why);
/* Finds the run's identity, makes the folder, and refuses one that holds another run. */
bool capture_check_folder(capture_job *job, problem *why);
bool capture_open_context(capture_job *job, problem *why);
/* Removes a result file of an earlier run that this one does not write. */
void capture_remove(const capture_job *job, const char *name);
void capture_copy_norms(const capture_job *job, size_t row, float *to);
/* Attention to the first token, of heads: sums over rows, then their mean (layer, head). A run that
   records no heads has neither: sums NULL. */
double *capture_sinks(const capture_job *job);
void capture_sinks_add(const capture_job *job, size_t row, double *sums);
void capture_sinks_mean(const capture_job *job, const double *sums, size_t positions, float *to);
bool capture_forced_json(capture_job *job, uint64_t prompts, uint64_t tokens, problem *why);

#endif
