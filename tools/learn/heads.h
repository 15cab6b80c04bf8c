/* heads.h - the weights of chosen heads, and how heads are chosen. */
#ifndef SYNERGY_HEADS_H
#define SYNERGY_HEADS_H

#include "learn/optimiser.h"

/* A head's weights: its query rows (and their biases), its columns of the output matrix; and the
   key and value rows of its group (and their biases) where all heads of the group are chosen.
   chosen: (layer, head). */
typedef struct stretches {
    stretch *at;
    size_t count;
    bool *parts; /* (layer, SYN_PARTS): the tensors that they lie in */
} stretches;
stretches heads_weights(const net *n, const bool *chosen);
void stretches_free(stretches *s);

/* What a person may ask for. */
typedef struct heads_choice {
    const char *
        subset; /* core, periphery, random, matched, all, layer:N, or a list (engine/unit_list.h) */
    const char *directory; /* a result folder of the model */
    const char *score;     /* a column of its units.csv; NULL: what the folder chose */
    double share;          /* of all heads: core, periphery, random, matched */
    uint64_t seed;         /* of random, matched */
} heads_choice;

/* Marks chosen (layer, head); returns how many, 0: a problem. The column is told in `column`. */
size_t heads_choose(const net *n, const heads_choice *c, bool *chosen, char column[64],
                    problem *why);

#endif
