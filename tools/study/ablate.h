/* ablate.h - `synergy ablate` with a result folder: units removed one after the other, in several
 * orders. */
#ifndef SYNERGY_ABLATE_H
#define SYNERGY_ABLATE_H

#include "study/options.h"

typedef struct ablate_options {
    study_options study;
    const char *fractions; /* "0.05,0.1"; NULL: eight up to `most` */
    int64_t step;          /* units a point; 0: fractions */
    double most;           /* largest fraction */
    int replace;           /* 0 zero, 1 mean */
} ablate_options;

void ablate_defaults(ablate_options *o);
bool ablate_run(const ablate_options *o, problem *why);

#endif
