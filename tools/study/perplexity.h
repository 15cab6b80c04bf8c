/* perplexity.h - how likely a model finds given tokens: logits to log likelihoods, and the
   perplexity of a text or of given ids. */
#ifndef SYNERGY_PERPLEXITY_H
#define SYNERGY_PERPLEXITY_H

#include "engine/model.h"

/* log sum_i exp(row_i), in double: log p(id) = row[id] - logits_log_sum(row, n). */
double logits_log_sum(const float *row, size_t n);

/* nll[r] = -log p(id[r]) under row r of logits (rows, vocab), in nats; rows in parallel. A
   row with an id below 0 is passed over. */
void logits_nll(const float *logits, size_t vocab, const int32_t *id, size_t rows, double *nll,
                const syn_parallel *parallel);

typedef struct perplexity_options {
    const char *model;
    const char *file;   /* a text, "-": standard input; or */
    const char *tokens; /* ids, .npy [T] or [P, T], taken as they are */
    const char *pre;    /* pre-tokenizer in place of the file's own, or NULL */
    const char *memory; /* for windows side by side: budget_of */
    int64_t context;    /* tokens of a window; 0: the default */
    int64_t threads;    /* 0: all cores */
    int cache;          /* syn_cache_type */
    bool second_half, special, no_bos, exact;
} perplexity_options;

typedef struct perplexity_result {
    uint64_t tokens; /* in the text or the rows */
    uint64_t scored; /* of them, the n of the mean */
    uint64_t windows;
    uint64_t window;    /* tokens of the longest */
    double nll, sd, se; /* nats: mean of -log p, standard deviation and error (n = 1: NaN) */
    double perplexity;  /* exp(nll) */
    double low, high;   /* 95 %: exp(nll -+ 1.96 se) */
} perplexity_result;

bool perplexity_run(const perplexity_options *o, perplexity_result *r, problem *why);

#endif
