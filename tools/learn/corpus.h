/* corpus.h - endless text by rule, in the six categories of the prompts: documents of one or a few
   sentences, of which the last part is an answer that the rule knows. */
#ifndef SYNERGY_CORPUS_H
#define SYNERGY_CORPUS_H

#include "base/tool.h"

enum {
    CORPUS_GRAMMAR,
    CORPUS_POS,
    CORPUS_NUMERIC,
    CORPUS_COMMONSENSE,
    CORPUS_CREATIVE,
    CORPUS_SOCIAL,
    CORPUS_CATEGORIES,
    CORPUS_ANY = CORPUS_CATEGORIES
};

const char *corpus_category(int category); /* "grammar", ... as the built-in prompts name them */

/* What a document asks, where it asks something that has one answer. */
typedef struct corpus_item {
    int category;
    const char *task; /* "agreement", "sum", ...; every document has one */
    size_t answer;    /* offset of the answer in the text; 0: nothing to answer */
} corpus_item;

/* Document `index` of a seed, without an end of line. Combinations that are held out occur only
   where held_out asks for them, and then in what the item asks. task NULL: any; category
   CORPUS_ANY: any. */
void corpus_document(uint64_t seed, uint64_t index, int category, const char *task, bool held_out,
                     text *to, corpus_item *item);

/* The i-th task that has an answer, and its category; NULL past the last. */
const char *corpus_task(size_t i, int *category);

#endif
