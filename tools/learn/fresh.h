/* fresh.h - a model with random weights, as a file. */
#ifndef SYNERGY_FRESH_H
#define SYNERGY_FRESH_H

#include "learn/bpe.h"
#include "learn/stage.h"

/* Writes a llama with tied embeddings, normal weights by seed, and this vocabulary. */
bool fresh_write(const fresh_shape *s, const bpe *vocabulary, const char *path, problem *why);

#endif
