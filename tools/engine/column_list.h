/* column_list.h - columns of a recording named on the command line: a list or a pattern. */
#ifndef SYNERGY_COLUMN_LIST_H
#define SYNERGY_COLUMN_LIST_H

#include "base/tool.h"

/* Marks the columns that `words` names: names and numbers from 0 with ranges, divided by commas
   ("Cz,Pz,4-7"; a name with a comma in quotes), or where those are not all there an extended
   regular expression (POSIX) that names contain. `name` NULL: there are none, only numbers. `flag`
   is for the problem. */
bool columns_choose(const char *flag, const char *words, char *const *name, size_t columns,
                    bool *chosen, problem *why);

#endif
