/* study_order.c - units in the orders in which studies take them. */
#include "study/study.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct keyed {
    double key;
    size_t slot;
} keyed;

/* Largest first, unknown values last, the lower unit first among equals. */
static int by_key(const void *pa, const void *pb)
{
    const keyed *a = pa, *b = pb;
    const bool a_known = !isnan(a->key), b_known = !isnan(b->key);
    if (a_known != b_known) return a_known ? -1 : 1;
    if (a_known && a->key > b->key) return -1;
    if (a_known && a->key < b->key) return 1;
    return (a->slot > b->slot) - (a->slot < b->slot);
}

size_t *order_by(const subject *s, const double *key, double sign)
{
    keyed *all = tool_alloc(s->count, sizeof *all);
    size_t *slot = tool_alloc(s->count, sizeof *slot);
    for (size_t i = 0; i < s->count; i++) {
        all[i].key = sign * key[i];
        all[i].slot = s->unit[i];
    }
    qsort(all, s->count, sizeof *all, by_key);
    for (size_t i = 0; i < s->count; i++) slot[i] = all[i].slot;
    free(all);
    return slot;
}

/* Fisher and Yates. */
static void shuffle(size_t *at, size_t n, uint64_t *state)
{
    for (size_t i = n; i > 1; i--) {
        const size_t k = (size_t)(random_bits(state) % i), swap = at[k];
        at[k] = at[i - 1];
        at[i - 1] = swap;
    }
}

static uint64_t seed_of(const study *a, int number)
{
    return (uint64_t)a->options->seed * UINT64_C(1000003) + (uint64_t)number;
}

size_t *order_random(const study *a, int number)
{
    uint64_t state = seed_of(a, number);
    size_t *slot = tool_alloc(a->s.count, sizeof *slot);
    memcpy(slot, a->s.unit, a->s.count * sizeof *slot);
    shuffle(slot, a->s.count, &state);
    return slot;
}

/* The layers in the order in which `core` takes them, with any unit of each layer: at every point
   as many of each layer are gone as there. */
size_t *order_matched(const study *a, const size_t *core, int number)
{
    const size_t n = a->s.count, per_layer = a->s.per_layer;
    size_t *mixed = order_random(a, number + 1000), *slot = tool_alloc(n, sizeof *slot);
    size_t *next = tool_alloc(a->s.layers, sizeof *next);
    for (size_t i = 0; i < n; i++) {
        const size_t layer = core[i] / per_layer;
        while (mixed[next[layer]] / per_layer != layer) next[layer]++;
        slot[i] = mixed[next[layer]++];
    }
    free(next);
    free(mixed);
    return slot;
}
