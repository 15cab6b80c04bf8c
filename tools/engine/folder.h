/* folder.h - what a result folder says of the model that it was measured on. */
#ifndef SYNERGY_FOLDER_H
#define SYNERGY_FOLDER_H

#include "engine/model.h"

/* Reads run.json (of capture), else phiid.json: one of them names the model. */
bool folder_describe(json_file *f, const char *directory, problem *why);
/* Refuses a folder of another model than this very file (SHA-256). */
bool folder_check_model(const json *description, const loaded_model *m, const char *directory,
                        problem *why);
/* Are the units experts? Else they are heads. */
bool folder_has_experts(const json *description);

/* The column of units.csv that a score's name means: "rank-difference" is rank_difference, "norm"
   mean_norm. */
void folder_column(const char *score, char to[64]);

#endif
