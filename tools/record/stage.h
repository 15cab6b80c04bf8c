/* stage.h - what others may use of record/: a model's norms into a folder, in one process or in
   shards. */
#ifndef SYNERGY_RECORD_STAGE_H
#define SYNERGY_RECORD_STAGE_H

#include "engine/budget.h"
#include "engine/chat.h"

/* ---- generating from prompts, or feeding given tokens (capture.c) --------------------- */

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

void capture_defaults(capture_options *o);

/* What a run will be, known before its first token. */
typedef struct capture_facts {
    const char *model; /* the file's name */
    double model_bytes;
    size_t prompts, all_prompts; /* of this shard, of all */
    uint32_t layers, per_layer;
    size_t units;                    /* layers * per_layer */
    size_t longest;                  /* tokens of the longest prompt */
    double memory_bytes, disk_bytes; /* the mapped model not counted; all files, with the log */
    double token_seconds,
        all_seconds; /* of a generated token, measured on a few; of what is left */
} capture_facts;

/* Is called when the work begins: says what it will take, and may refuse. */
typedef bool capture_announce(const capture_facts *facts, const void *user, problem *why);

/* Generates (or goes on) and writes norms.npy, tokens.npy, run.json, timing.json, lengths.npy.
   `facts` tells about the run afterwards, the seconds left out; prompts 0: there are more shards
   than prompts, and nothing was written. */
bool capture_prompts(const capture_options *o, capture_announce *announce, const void *user,
                     capture_facts *facts, problem *why);

/* --tokens: given ids, every position recorded. */
bool capture_tokens(const capture_options *o, problem *why);

/* ---- joining the parts of a distributed run (merge.c, merge_cov.c) -------------------- */

/* Shards of a capture: folders, or folders of such folders. The result is byte for byte that of one
   process. */
bool merge_run(const text_list *from, const char *output, bool force, problem *why);

/* Lagged covariances (the format of syn_cov_save) of several recordings into one file. */
bool merge_is_covariance(const char *path);
bool merge_covariances(const text_list *from, const char *output, bool force, problem *why);

#endif
