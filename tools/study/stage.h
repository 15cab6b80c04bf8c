/* stage.h - what others may use of study/: ablation, noise, accuracy on evaluation sets,
 * perplexity. */
#ifndef SYNERGY_STUDY_STAGE_H
#define SYNERGY_STUDY_STAGE_H

#include "study/ablate.h"
#include "study/eval.h"
#include "study/perplexity.h"
#include "study/perturb.h"
#include "study/subject.h"
#endif
