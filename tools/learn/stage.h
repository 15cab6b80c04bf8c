/* stage.h - what others may use of learn/: gradients, training, the corpus. */
#ifndef SYNERGY_LEARN_STAGE_H
#define SYNERGY_LEARN_STAGE_H

#include "learn/corpus.h"
#include "learn/emerge.h"
#include "learn/gradient.h"
#include "learn/train.h"
#include "learn/tune.h"

#endif
