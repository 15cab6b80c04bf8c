/* merge.h - joining parts of a distributed run. */
#ifndef SYNERGY_MERGE_H
#define SYNERGY_MERGE_H

#include "engine/engine.h"

/* Shards of a capture: folders, or folders of such folders. The result is byte for byte that of one
   process. */
bool merge_run(const text_list *from, const char *output, bool force, problem *why);

/* Lagged covariances (the format of syn_cov_save) of several recordings into one file. */
bool merge_is_covariance(const char *path);
bool merge_covariances(const text_list *from, const char *output, bool force, problem *why);

#endif
