/* family.h - what the learner reads of a model's row in the header's table of families: which steps
   a layer takes. Only engine.c sees the table itself, so that there is one definition of a
   model. */
#ifndef SYNERGY_FAMILY_H
#define SYNERGY_FAMILY_H

#include "engine/engine.h"

typedef struct family_steps {
    bool rms_norm, silu;
    bool rope, rope_halves; /* rotated at all; pairs (i, i + n/2), else (2i, 2i + 1) */
    bool plain;             /* none of the quirks that change a dense layer */
} family_steps;

family_steps family_steps_of(const syn_family *family);
/* The i-th row of the table, NULL past the last (as syn_model_family, which gives its name). */
const syn_family *family_row(int i);
const char *family_name(const syn_family *family);
/* Bits of syn_part that a layer must have, and may have. */
uint64_t family_needed(const syn_family *family);
uint64_t family_parts(const syn_family *family);
/* The tensor's name, behind "blk.N." for a layer's. */
const char *family_part_name(syn_part part);
const char *family_global_name(syn_global global);

#endif
