/* phiid.h - what the information stage holds between computing (phiid.c) and writing
   (phiid_write.c). */
#ifndef SYNERGY_PHIID_H
#define SYNERGY_PHIID_H

#include "engine.h"

/* One score: its profile and how far it can be trusted. NULL and NaN where not defined. */
typedef struct score_figures {
    double *mean, *minmax, *percentile; /* (layer); NULL: this score is not there */
    double *layer_low, *layer_high;     /* (layer), 95 % intervals of the mean */
    double *low, *high;                 /* (unit) */
    syn_interval peak, middle, curvature;
    double reliability;
    syn_permutation permutation;
} score_figures;

/* Units under circular shifts; [0] synergy, [1] redundancy; each column is (unit). */
typedef struct null_figures {
    size_t  surrogates;
    double *sum[2], *square[2], *above[2];
    double *mean[2], *z[2], *p[2];
} null_figures;

typedef struct phiid_work {
    const phiid_options *options;
    const char   *output; /* folder */
    recording     from;
    size_t        used;   /* prompts that count */
    size_t        shortest; /* samples of the shortest of them */
    syn_parallel  parallel;
    syn_pairs     pairs;
    syn_rank      rank;
    double       *confound[SYN_CONFOUNDS]; /* (unit) */
    double       *active;  /* (unit): share of its samples that are not 0 */
    score_figures score[SYN_SCORES];
    null_figures  null;
    void         *pairs_block, *rank_block;
} phiid_work;

syn_arena block_for(const syn_arena *measured, void **block);

/* Makes the folder; refuses one that holds results of another recording or other settings. */
bool phiid_output_check(const phiid_work *w, problem *why);
bool phiid_write(const phiid_work *w, problem *why);

/* What may be concluded, in sentences, one array of texts into the JSON (phiid_words.c). */
void phiid_words(const phiid_work *w, json_out *j);
/* Spearman of two columns over the units where both are known. */
double phiid_spearman(const double *a, const double *b, size_t n);

#endif
