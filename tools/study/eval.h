/* eval.h - small evaluation sets of our own, to see what an intervention does to behaviour.

   Every item is a context and two to four choices, of which one is right; a choice's score is its
   log likelihood after the context, and the most likely is the model's answer (a tie is a wrong
   one). Scores are sums over tokens, not means a byte: the choices of an item differ in a word, and
   items come in frames in which each choice is right as often as the others (two sentences with the
   same two words, four questions to one sentence, answers of as many digits), so that a preference
   for the shorter, the more frequent, the larger or the first is right only as often as chance. */
#ifndef SYNERGY_EVAL_H
#define SYNERGY_EVAL_H

#include "base/work.h"
#include "study/stage.h"

typedef struct eval_item {
    int set, text; /* which: index in eval_bench.set, in its texts */
    int choices, right;
    size_t stem; /* ids that all choices share: preamble, context and more */
    size_t length[EVAL_CHOICES];
    int32_t *ids[EVAL_CHOICES]; /* (length): the stem and the rest */
} eval_item;

typedef struct eval_bench {
    int sets;
    eval_set set[EVAL_SETS];
    size_t items;
    eval_item *item;        /* (items), set after set */
    uint32_t vocab, window; /* of the model */
    uint32_t tokens;
    uint64_t positions;
    progress *bar; /* NULL, or stepped by a run, in positions */
    work *log;     /* NULL, or an open log: an item is a piece, and what it has is not run */
} eval_bench;

/* names: "all" or "arithmetic,grammar"; limit: most items of each set, 0: all (a limit takes a
   fixed selection of whole frames, at least one, so that it is balanced, too). */
bool eval_open(eval_bench *e, const loaded_model *m, const char *names, int64_t limit,
               const chat *asked,
               problem *why); /* asked: items are messages of this chat; NULL: plain text */
void eval_close(eval_bench *e);

/* Tokens, sequences and batch of a context for it, as far as the memory goes (see budget_of). */
bool eval_layout(const eval_bench *e, const loaded_model *m, const char *memory,
                 syn_context_desc *desc, problem *why);
/* Tells what a run takes: one pass is timed, and the items of e->log do not count. */
bool eval_announce(const eval_bench *e, const loaded_model *m, syn_context *ctx, problem *why);
/* scores[e->sets]; ctx: as eval_layout has it, or more. Edits are whatever the caller has set in
   ctx->edit. */
bool eval_run(const eval_bench *e, syn_context *ctx, eval_score *scores, problem *why);
uint64_t eval_positions(const eval_bench *e); /* positions that a run feeds: for progress */

/* The same in two parts: log likelihoods in nats (item, EVAL_CHOICES) of what an item's choices do
   not share (their differences are those of the whole texts), and what comes of them. */
bool eval_likelihoods(const eval_bench *e, syn_context *ctx, double *likelihood, problem *why);
void eval_count(const eval_bench *e, const double *likelihood, eval_score *scores);
/* Log likelihood of the right choice less that of the best wrong one. */
double eval_margin(const eval_item *item, const double *likelihood);
/* A score from its counts; margin: the mean over items. */
void eval_score_set(eval_score *s, const eval_bench *e, int set, int items, int correct,
                    double margin);
/* All sets as one, named "all". */
eval_score eval_sum(const eval_score *scores, size_t sets);
/* The share of right answers of who guesses. */
double eval_chance(const eval_bench *e, int set);

#endif
