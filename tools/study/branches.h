/* branches.h - edits as a tree: an edit that does the same as another below some layer goes on from
   that one's streams there, as both do from the intact model's below the first layer they change.
 */
#ifndef SYNERGY_BRANCHES_H
#define SYNERGY_BRANCHES_H

#include "study/intervene.h"

typedef struct branch {
    size_t edit;    /* of the job's */
    size_t owner;   /* whose streams it goes on from: 0, the intact model's, or of edit owner - 1 */
    uint32_t layer; /* from here on; layers: it ends as its owner does */
    bool whole;     /* others may go on from it */
} branch;

/* Finds owner and layer of n branches whose edits are set, and puts them in the order of layers, so
   that an owner stands before those that go on from it. At most `most` streams are asked for beside
   the intact model's. */
void branches_find(const syn_model *model, const intervention *edit, branch *branches, size_t n,
                   size_t most);

#endif
