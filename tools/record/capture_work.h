/* capture_work.h - the pieces of a capture, for the files of this room. */
#ifndef SYNERGY_CAPTURE_WORK_H
#define SYNERGY_CAPTURE_WORK_H

#include "base/work.h"
#include "record/stage.h"

/* A prompt as it is fed. */
typedef struct capture_prompt {
    char *category, *text; /* category "" where there is none */
    int32_t *ids;
    size_t count;
} capture_prompt;

/* Everything that is settled before the first token: the model, the prompts, the shape. */
typedef struct capture_job {
    const capture_options *options;
    loaded_model m;
    chat chat; /* how prompts are written */
    syn_context ctx;
    syn_context_desc desc;
    capture_prompt *prompt;      /* (prompts): those of this shard */
    size_t prompts, all_prompts; /* prompts 0: more shards than prompts, nothing to do */
    uint32_t layers, first_layer, per_layer; /* of the recorded units */
    size_t units;                            /* layers * per_layer */
    size_t longest;                          /* tokens of the longest prompt */
    char hash[65];                           /* of the model */
    char identity[65];                       /* of model, settings and all prompts */
    char prompts_hash[65];                   /* of the texts and ids alone */
    char *told;            /* JSON: what run.json says of the run before its results */
    char folder[65];       /* of what the folder holds: the same, or of this shard of it */
    const int32_t *forced; /* (forced_count): ids given with --tokens, else NULL */
    size_t forced_count, forced_length; /* all of them; in a row */
    struct capture_slot *slot;          /* (sequences): the prompts under way */
    uint64_t norms_written, norms_odd;  /* odd: NaN or infinite */
    float *shared;                      /* (row, layer): norms of shared experts, from the probe */
} capture_job;

/* The pieces of it: the model and the units; the folder; the context; the units (layer, unit) of a
   row of the last pass; run.json of a run without prompts. */
bool capture_open(capture_job *job, const capture_options *o, problem *why);
/* Finds the run's identity, makes the folder, and refuses one that holds another run. */
bool capture_check_folder(capture_job *job, problem *why);
bool capture_open_context(capture_job *job, problem *why);
/* The work of it: pieces of a kind, so many in all. */
const setting_word *capture_setting_words(void);
work_desc capture_work_of(const capture_job *job, const char *pieces, size_t total);
/* Removes a result file of an earlier run that this one does not write. */
void capture_remove(const capture_job *job, const char *name);
void capture_copy_norms(const capture_job *job, size_t row, float *to);
/* Norms that are no finite numbers among those of some positions: counted, then noted. */
void capture_count_norms(capture_job *job, const float *norms, size_t positions);
void capture_note_norms(const capture_job *job);
/* Attention to the first token, of heads: sums over rows, then their mean (layer, head). A run that
   records no heads has neither: sums NULL. */
double *capture_sinks(const capture_job *job);
void capture_sinks_add(const capture_job *job, size_t row, double *sums);
void capture_sinks_mean(const capture_job *job, const double *sums, size_t positions, float *to);
void capture_free(capture_job *job);
/* Numbers as the log has them, little-endian. */
void floats_to_bytes(const float *values, size_t n, unsigned char *to);
void floats_from_bytes(const unsigned char *from, size_t n, float *values);
bool capture_forced_json(capture_job *job, uint64_t prompts, uint64_t tokens, problem *why);

#endif
