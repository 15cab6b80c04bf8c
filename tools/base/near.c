/* near.c - edit distance for 'did you mean'. */
#include "base/near.h"

#include <string.h>

enum { NEAR_WORD = 40, NEAR_PREFIX = 2 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment); b of at
   most NEAR_WORD. */
static size_t distance_of(const char *a, size_t n, const char *b, size_t m)
{
    size_t row[3][NEAR_WORD + 1];
    for (size_t j = 0; j <= m; j++) row[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            now[j] = least(least(last[j], now[j - 1]) + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], before[j - 2] + 1);
        }
    }
    return row[n % 3][m];
}

void near_begin(near_search *n, const char *given, size_t length)
{
    n->given = given;
    n->length = length;
    n->best = NULL;
    n->distance = length < 4 ? 1 : (length + 2) / 3; /* of these letters may be wrong */
}

void near_offer(near_search *n, const char *word)
{
    const size_t length = strlen(word);
    if (n->length > NEAR_WORD || length > NEAR_WORD) return;
    size_t d = distance_of(n->given, n->length, word, length);
    if (n->length >= NEAR_PREFIX && length > n->length && !memcmp(word, n->given, n->length)) d = 1;
    if (d < n->distance || (d == n->distance && !n->best)) {
        n->best = word;
        n->distance = d;
    }
}
