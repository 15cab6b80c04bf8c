/* perplexity.h - logits to log likelihoods. */
#ifndef SYNERGY_PERPLEXITY_H
#define SYNERGY_PERPLEXITY_H

#include "study/stage.h"

/* log sum_i exp(row_i), in double: log p(id) = row[id] - logits_log_sum(row, n). */
double logits_log_sum(const float *row, size_t n);

/* nll[r] = -log p(id[r]) under row r of logits (rows, vocab), in nats; rows in parallel. A
   row with an id below 0 is passed over. */
void logits_nll(const float *logits, size_t vocab, const int32_t *id, size_t rows, double *nll,
                const syn_parallel *parallel);

#endif
