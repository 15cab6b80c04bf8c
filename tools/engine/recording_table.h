/* recording_table.h - between recording.c and recording_table.c: text tables, and parts of
   arrays. */
#ifndef SYNERGY_RECORDING_TABLE_H
#define SYNERGY_RECORDING_TABLE_H

#include "engine/recording.h"

/* Fills a recording from the text table at r->path. */
bool recording_open_table(recording *r, const recording_choice *choice, problem *why);
/* Applies a choice to an array that is open: what is chosen is copied, where anything is asked. */
bool recording_choose_npy(recording *r, const recording_choice *choice, problem *why);

/* Tells the person now and keeps it for the results. */
void recording_note(recording *r, const char *format, ...) TOOL_FORMAT(2, 3);

#endif
