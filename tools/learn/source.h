/* source.h - rows of ids to learn from: given ones, windows of a text, or the corpus without end.
   Any row can be made at any time from its number, so that a stopped run goes on exactly. */
#ifndef SYNERGY_SOURCE_H
#define SYNERGY_SOURCE_H

#include "learn/net.h"

typedef struct source {
    const syn_tokenizer *tokenizer;
    size_t length; /* ids of a row */
    int32_t *ids;  /* given rows (rows, length), or the text (tokens) */
    size_t rows, tokens;
    bool given_order, corpus, held_out;
    uint64_t seed;
    uint32_t *order; /* (rows): of one time through */
    uint64_t epoch;  /* that it is of; UINT64_MAX: none yet */
} source;

/* --tokens */
bool source_tokens(source *s, const char *path, uint32_t vocab, problem *why);
/* --text: cut into windows of `length` ids, elsewhere each time through. The last 1/32 of a text is
   kept apart, for source_held_out. */
bool source_text(source *s, const syn_tokenizer *t, const char *path, size_t length, problem *why);
void source_corpus(source *s, const syn_tokenizer *t, uint64_t seed, size_t length);
/* Rows that are not learnt from, of the same kind; false: there are none (given ids). */
bool source_held_out(const source *s, source *held);
void source_close(source *s);
/* Rows number first, first + 1, ...: (count, length) ids, -1 behind a row's end. */
bool source_rows(source *s, uint64_t first, size_t count, int32_t *ids, problem *why);

#endif
