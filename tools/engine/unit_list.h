/* unit_list.h - units named on the command line: 12.3, ranges and stars (10-20.*,3.0-2). */
#ifndef SYNERGY_UNIT_LIST_H
#define SYNERGY_UNIT_LIST_H

#include "base/tool.h"

/* Marks the named units in chosen (layers, per_layer). The text counts layers as the model does: the
   first one here is `first_layer`. Empty and malformed parts, and units that are not there, are
   named together with the range. A unit may be named twice. */
bool unit_list_parse(const char *words, size_t first_layer, size_t layers, size_t per_layer,
                     bool *chosen, problem *why);

#endif
