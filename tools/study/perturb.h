/* perturb.h - `synergy perturb`: weight noise in the core, in the periphery, in random units. */
#ifndef SYNERGY_PERTURB_H
#define SYNERGY_PERTURB_H

#include "study/options.h"

typedef struct perturb_options {
    study_options study;
    const char *
        strengths; /* "0.1,0.25,0.5,1": standard deviations of the noise, in those of the weights */
    double share;  /* of the units, in each group */
} perturb_options;

void perturb_defaults(perturb_options *o);
bool perturb_run(const perturb_options *o, problem *why);

#endif
