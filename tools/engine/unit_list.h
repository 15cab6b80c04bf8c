/* unit_list.h - how units are called: L12H3 (head 3 of layer 12), L1E40 (an expert). The names of
   older folders, 12.3, are read wherever a name is read, and lists have ranges and stars:
   L10-20H*,3.0-2. Two numbers with a point between them would be one number to whoever reads a
   table: 0.1 and 0.10. */
#ifndef SYNERGY_UNIT_LIST_H
#define SYNERGY_UNIT_LIST_H

#include "base/tool.h"

enum { UNIT_NAME = 48 };
void unit_name(bool experts, size_t layer, size_t index, char to[UNIT_NAME]);
/* The whole of `name`, in either form; false when it is no such name. */
bool unit_name_read(const char *name, size_t *layer, size_t *index);

/* Names for the rows of a units.csv, (rows): the table's own where it has them, else as above
   whatever the folder's age. To be freed with unit_names_free. */
char **unit_names(const csv *units, bool experts);
void unit_names_free(char **name, size_t count);
/* Can a table's own names stand for its units: all different, none empty, none to be taken for a
   number? */
bool unit_names_fit(char *const *name, size_t count);

/* Marks the named units in chosen (layers, per_layer). The text counts layers as the model does:
   the first one here is `first_layer`. Empty and malformed parts, units that are not there, and a
   name of the other kind (L1E4 among heads) are named. A unit may be named twice. */
bool unit_list_parse(const char *words, bool experts, size_t first_layer, size_t layers,
                     size_t per_layer, bool *chosen, problem *why);

#endif
