/* capture.h - generating from prompts, or feeding given tokens, with the norm of every unit
   recorded at every token. */
#ifndef SYNERGY_CAPTURE_H
#define SYNERGY_CAPTURE_H

#include "engine/budget.h"
#include "engine/chat.h"

typedef struct capture_options {
    const char *model, *prompts, *tokens, *output, *pre;
    chat_options chat;
    const char *memory; /* for texts side by side; NULL: a quarter of what is free */
    int64_t n, context, threads, seed, top_k, shard, shards; /* shards 0: not sharded */
    int64_t from; /* of given ids: the first position that is recorded */
    double temperature, top_p, min_p;
    int eos;   /* 0 ban, 1 stop */
    int units; /* 0 heads, 1 experts */
    int cache; /* syn_cache_type */
    bool raw_norm, all_experts, shared_experts, exact, logits, beyond_context;
    bool resume, fresh, force; /* resume: the default, and said again */
    bool quiet;                /* no lines of results on standard output */
} capture_options;

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
    float *shared;                      /* (row, layer): norms of shared experts, from the probe */
    bool (*announce)(struct capture_job *job, const void *user, problem *why); /* NULL, or called */
    const void *announce_to; /* when the work begins, with this: says what it will take */
} capture_job;

void capture_defaults(capture_options *o);
/* Opens the model, reads and tokenizes the prompts, checks the output folder. */
bool capture_prepare(capture_job *job, const capture_options *o, problem *why);
/* Generates (or goes on) and writes norms.npy, tokens.npy, run.json, timing.json, lengths.npy. */
bool capture_run(capture_job *job, problem *why);
void capture_free(capture_job *job);

bool capture_is_complete(const capture_job *job);
/* Seconds that a generated token takes, measured on a few, and all that are still to be generated.
 */
bool capture_seconds(capture_job *job, double *token, double *all, problem *why);
/* Bytes of memory (the mapped model not counted) and of all files that the run will take, its log
 * included. */
double capture_memory_bytes(const capture_job *job);
double capture_disk_bytes(const capture_job *job);

/* --tokens: given ids, every position recorded. */
bool capture_tokens(const capture_options *o, problem *why);

#endif
