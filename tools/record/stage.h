/* stage.h - what others may use of record/: a model's norms into a folder, in one process or in
 * shards. */
#ifndef SYNERGY_RECORD_STAGE_H
#define SYNERGY_RECORD_STAGE_H

#include "record/capture.h"
#include "record/merge.h"

#endif
