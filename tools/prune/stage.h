/* stage.h - what others may use of prune/: a model without some of its units, a plan of tensor
 * types. */
#ifndef SYNERGY_PRUNE_STAGE_H
#define SYNERGY_PRUNE_STAGE_H

#include "prune/prune.h"

#endif
