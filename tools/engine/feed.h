/* feed.h - given texts through a model, many in one pass over the weights: perplexity, capture
   --tokens, the passes of ablate and perturb.

   The texts are fed as if they stood one behind the other, cut into passes of `batch` rows; each
   has a sequence of its own. What a pass gives therefore comes in the order of texts and positions,
   whatever its size. */
#ifndef SYNERGY_FEED_H
#define SYNERGY_FEED_H

#include "engine/budget.h"

typedef struct fed_text {
    const int32_t *ids;
    size_t count;
    const float *stream;    /* (count, embd), in place of ids, where a feed starts at a layer */
    const syn_edit *edit;   /* of its rows; NULL: that of the context */
    const uint32_t *behind; /* it goes on from what this sequence holds; NULL: it begins */
} fed_text;

typedef struct feed {
    syn_context *ctx;
    const char *path;                   /* of the model, for messages */
    uint32_t layer;                     /* where streams enter */
    uint32_t first_sequence, sequences; /* those that texts take in turn */
    const fed_text *given;              /* (texts) */
    size_t texts;
    size_t text, at;        /* what is fed next */
    uint32_t sequence;      /* of the text under way */
    size_t begun;           /* texts, so far */
    syn_row *rows;          /* (batch) */
    size_t first, first_at; /* text and position of the last pass's first row */
    size_t count;           /* rows of the last pass */
} feed;

/* Tokens are set in desc, the longest text's. Finds the pass that fits the budget (`row_bytes`:
   what a row takes beside the context), and as many sequences as fill it. */
bool feed_layout(const loaded_model *m, syn_context_desc *desc, size_t texts, double row_bytes,
                 const char *memory, problem *why);
/* `texts`, their array and the context must last as long. Texts take all sequences in turn, which
   may be narrowed before the first pass. */
void feed_begin(feed *f, syn_context *ctx, const char *path, const fed_text *given, size_t texts);
/* One pass; no rows (count 0): all is fed. */
bool feed_pass(feed *f, problem *why);
void feed_end(feed *f);

/* Steps through the rows of the last pass: text and position of row 0 are first and first_at. */
void feed_next_row(const feed *f, size_t *which, size_t *at);

#endif
