/* estimators.h - the estimators under which results are reported, and the folder of each one's own
   result. */
#ifndef SYNERGY_ESTIMATORS_H
#define SYNERGY_ESTIMATORS_H

#include "engine/engine.h"

typedef struct estimator_row {
    syn_estimator estimator;
    syn_transform transform;
    const char *folder; /* of a result folder: DIR/estimators/FOLDER */
    const char *title;
} estimator_row;

extern const estimator_row estimator_list[];
enum { ESTIMATOR_ROWS = 5 };

/* Ranks are the same with and without a logarithm. */
bool estimator_is(const estimator_row *row, int estimator, int transform);
/* DIR/estimators/FOLDER. */
bool estimator_folder(const estimator_row *row, const char *directory, char *to, problem *why);

#endif
