/* bpe.h - a byte-level BPE vocabulary learnt from a text (Sennrich et al. 2016, 1508.07909). */
#ifndef SYNERGY_BPE_H
#define SYNERGY_BPE_H

#include "learn/stage.h"

typedef struct bpe {
    size_t size;          /* tokens */
    uint32_t (*merge)[2]; /* (size - 257): the tokens that token 257 + i joins */
} bpe;

/* Token 0 ends a text, 1 + b is the byte b, the rest are merges, the most frequent pair first, the
   lower ids first among equals. Words are cut as the header's pre-tokenizer "smollm" cuts them in
   ASCII: letters with the space before them, single digits, runs of other signs, white space.
   Refuses a text without enough different pairs. */
bool bpe_learn(bpe *b, const char *words, size_t length, size_t size, problem *why);
void bpe_free(bpe *b);
/* A token as GGUF holds it: bytes as GPT-2's printable letters. */
void bpe_token_text(const bpe *b, size_t id, text *to);

extern const char bpe_end_text[];

#endif
