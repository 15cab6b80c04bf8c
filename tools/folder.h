/* folder.h - what a result folder says of the model that it was measured on. */
#ifndef SYNERGY_FOLDER_H
#define SYNERGY_FOLDER_H

#include "model.h"

/* Reads run.json (of capture), else phiid.json: one of them names the model. */
bool folder_describe(json_file *f, const char *directory, problem *why);
/* Refuses a folder of another model than this very file (SHA-256). */
bool folder_check_model(const json *description, const loaded_model *m, const char *directory, problem *why);
/* Are the units experts? Else they are heads. */
bool folder_has_experts(const json *description);

#endif
