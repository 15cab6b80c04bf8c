/* fresh.h - a model with random weights, as a file. */
#ifndef SYNERGY_FRESH_H
#define SYNERGY_FRESH_H

#include "learn/bpe.h"

typedef struct fresh_shape {
    int64_t layers, width, heads, kv_heads, ff, context; /* ff 0: 8/3 width; kv_heads 0: heads */
    int64_t seed;
    const char *name;
} fresh_shape;

/* Writes a llama with tied embeddings, normal weights by seed, and this vocabulary. */
bool fresh_write(const fresh_shape *s, const bpe *vocabulary, const char *path, problem *why);

#endif
