/* prune_zero.h - weights that become exactly zero in the tensor type they are stored in. */
#ifndef SYNERGY_PRUNE_ZERO_H
#define SYNERGY_PRUNE_ZERO_H

#ifndef SYNERGY_THREADS
#define SYNERGY_THREADS /* as everywhere in the tools */
#endif
#include "synergy.h"

/* Weights in a row of this type can be made exactly zero in runs that begin and end at multiples of
   this number: 1, 16, 32 or the type's block. */
uint32_t prune_zero_grain(const syn_type *type);

/* Makes weights from .. to - 1 of a row zero and leaves the others as they are; false, with nothing
   changed, when the run does not fit the grain. */
bool prune_zero(const syn_type *type, unsigned char *row, uint64_t from, uint64_t to);

#endif
