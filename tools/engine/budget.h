/* budget.h - how many sequences run side by side: as many as a memory budget holds. */
#ifndef SYNERGY_BUDGET_H
#define SYNERGY_BUDGET_H

#include "engine/model.h"

#define OPTION_MEMORY(to)                                                                          \
    {                                                                                              \
        "memory", 0, OPTION_TEXT, "SIZE",                                                          \
            "for texts side by side: 512M, 2G (default: a quarter of the free memory)", (to), 0,   \
            0, NULL                                                                                \
    }

/* Bytes of "512M" and the like, which the option `flag` was given. */
bool size_of(const char *flag, const char *words, double *bytes, problem *why);
/* Bytes of "512M" and the like (a number, then nothing, K, M or G; powers of 1024); NULL: a quarter
   of the memory that is free. */
bool budget_of(const char *words, double *bytes, problem *why);

/* Sets desc->sequences to the most, 1 to `most`, whose context and `each` further bytes a sequence
   stay within the budget (one sequence is always tried), and desc->batch to a pass that suits
   them. */
bool budget_sequences(const loaded_model *m, syn_context_desc *desc, size_t most, double each,
                      double bytes, problem *why);

/* Says how many texts run side by side, and in how much memory. */
void budget_note(const char *what, size_t sequences, double bytes);

#endif
