/* stage.h - what others may use of prune/: a model file without the influence of chosen heads or
   experts, and a plan of tensor types by unit score. */
#ifndef SYNERGY_PRUNE_STAGE_H
#define SYNERGY_PRUNE_STAGE_H

#include "engine/model.h"
#include "engine/unit_list.h"

/* ---- units (prune_units.c) ------------------------------------------------------------ */

/* The units of a result folder, or all those of a model. */
typedef struct prune_units {
    bool experts; /* else heads */
    bool shared;  /* the last unit of each layer is its shared experts */
    size_t first_layer, layers, per_layer, count;
    size_t ranked;       /* of count, those that are chosen by score: all but shared experts */
    double *score;       /* (unit) NaN where it has none; NULL without a folder */
    char score_name[64]; /* the column, for the records */
} prune_units;

/* Of DIR, which must have been measured on this very model (SHA-256). score: a column of units.csv
   with - for _, or "norm"; NULL: the column `score`. */
bool prune_units_read(prune_units *u, const loaded_model *m, const char *directory,
                      const char *score, problem *why);
bool prune_units_of_model(prune_units *u, const loaded_model *m, bool experts, problem *why);
void prune_units_free(prune_units *u);

void prune_unit_name(const prune_units *u, size_t unit, char to[UNIT_NAME]);
bool prune_unit_is_shared(const prune_units *u, size_t unit);

/* Marks the `count` units of lowest (or highest) score; ties go to the smaller layer, then index.
   Shared experts stay. */
bool prune_choose(const prune_units *u, size_t count, bool highest, bool *chosen, problem *why);
/* Marks the units of a list such as 10-20.*,3.0-2. */
bool prune_choose_list(const prune_units *u, const char *list, bool *chosen, problem *why);

/* ---- the smaller model (prune.c) ------------------------------------------------------- */

typedef struct prune_request {
    const char *output;
    const bool *chosen;        /* (unit) */
    const char *score, *order; /* for the keys synergy.pruned.score and .order */
    size_t all;      /* units that could be chosen: synergy.pruned.fraction is chosen / all */
    bool keep_shape; /* zero only, cut no groups */
} prune_request;

/* What was done. */
typedef struct prune_result {
    size_t removed;
    uint64_t tensors, zeroed, cut, rewritten;       /* tensors in all, and of each kind */
    char rewritten_type[16];                        /* the type of the first that became F32 */
    uint32_t groups, groups_cut, heads, heads_left; /* of a layer; cut from every layer */
    uint32_t groups_cut_in_all;
    const char *architecture; /* of the file that was written */
    char uncut[160];          /* why no group was cut, or "" */
    uint64_t bytes_before, bytes_after;
} prune_result;

bool prune_write(const prune_request *r, const prune_units *u, const loaded_model *m,
                 prune_result *result, problem *why);

/* ---- tensor types (quant_plan.c) ------------------------------------------------------- */

/* "q6_k,q5_k,q4_k" to three types; false when it is none. */
bool quant_plan_types(const char *words, const syn_type *type[3]);
/* Writes lines `name=type` for llama.cpp's quantizer (--tensor-type-file). *changed becomes the
   number of tensors whose rows are no whole blocks of their type and get another one. */
bool quant_plan_write(const char *path, const prune_units *u, const loaded_model *m,
                      const syn_type *const type[3], size_t *lines, size_t *changed, problem *why);

#endif
