/* choices.h - the words of every option that takes one of a few: one table for the options, for the
   settings in JSON and for whoever reads these again. The library's enums have its own names. */
#ifndef SYNERGY_CHOICES_H
#define SYNERGY_CHOICES_H

#include <stdbool.h>

typedef enum choice_set {
    CHOICE_REDUNDANCY, /* syn_redundancy, and so on */
    CHOICE_ESTIMATOR,
    CHOICE_TRANSFORM,
    CHOICE_SCORE,
    CHOICE_SURROGATE,
    CHOICE_ARITHMETIC, /* syn_arithmetic */
    CHOICE_CACHE,      /* syn_cache_type */
    CHOICE_UNITS,      /* 1: experts */
    CHOICE_EOS,        /* 1: stop */
    CHOICE_REPLACE,    /* 1: mean */
    CHOICE_FLAGGED,    /* syn_flagged */
    CHOICE_MISSING,    /* MISSING_... (recording.h) */
    CHOICE_DETREND,    /* PHIID_DETREND_... */
    CHOICE_NORMALISE,  /* 1: quantile */
    CHOICE_SYMMETRISE, /* graph_symmetrise */
    CHOICE_REMOVED,    /* 1: highest */
    CHOICE_CATEGORY,   /* CORPUS_... */
    CHOICE_SCHEDULE,   /* SCHEDULE_... */
    CHOICE_ROWS,       /* ORDER_... */
    CHOICE_METHOD,     /* TUNE_... */
    CHOICE_CHECK,      /* CHECK_... */
    CHOICES
} choice_set;

/* All words with '|' between, as an option shows them. */
const char *choice_words(choice_set c);
/* The i-th of them, or "". */
const char *choice_name(choice_set c, int i);
/* Is this the i-th? */
bool choice_is(choice_set c, int i, const char *word);
/* What kind of units a description names; other programs also write "expert". */
bool choice_is_experts(const char *word);

#endif
