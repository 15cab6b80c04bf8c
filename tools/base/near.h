/* near.h - the word that was probably meant. */
#ifndef SYNERGY_NEAR_H
#define SYNERGY_NEAR_H

#include <stddef.h>

typedef struct near_search {
    const char *given; /* of `length` bytes */
    size_t length;
    const char *best; /* NULL: none is near enough */
    size_t distance;
} near_search;

void near_begin(near_search *n, const char *given, size_t length);
/* Offers a word, which must live on; a word that begins with what was given is near, whatever its
   length. */
void near_offer(near_search *n, const char *word);

#endif
