/* estimators.c - the estimators under which results are reported. */
#include "engine/estimators.h"

const estimator_row estimator_list[ESTIMATOR_ROWS] = {
    {SYN_GAUSSIAN, SYN_TRANSFORM_NONE, "gaussian", "Gaussian"},
    {SYN_GAUSSIAN, SYN_TRANSFORM_LOG, "gaussian-log", "Gaussian of logarithms"},
    {SYN_COPULA, SYN_TRANSFORM_NONE, "copula", "ranks (copula)"},
    {SYN_BINARY, SYN_TRANSFORM_NONE, "binary", "two levels"},
    {SYN_BINARY, SYN_TRANSFORM_LOG, "binary-log", "two levels of logarithms"}};

bool estimator_is(const estimator_row *row, int estimator, int transform)
{
    return (int)row->estimator == estimator &&
           (row->estimator == SYN_COPULA || (int)row->transform == transform);
}

bool estimator_folder(const estimator_row *row, const char *directory, char *to, problem *why)
{
    char name[64];
    snprintf(name, sizeof name, "estimators/%s", row->folder);
    return path_join(to, directory, name, why);
}
