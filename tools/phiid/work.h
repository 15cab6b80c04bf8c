/* work.h - what the information stage holds between computing and writing, below all its parts. */
#ifndef SYNERGY_PHIID_WORK_H
#define SYNERGY_PHIID_WORK_H

#include "phiid/stage.h"

/* One score: its profile and how far it can be trusted. NULL and NaN where not defined. */
typedef struct score_figures {
    double *mean, *minmax, *percentile; /* (layer); NULL: this score is not there */
    double *layer_low, *layer_high;     /* (layer), 95 % intervals of the mean */
    double *low, *high;                 /* (unit) */
    syn_interval peak, middle, curvature;
    double reliability;
    syn_permutation permutation;
} score_figures;

/* Units under surrogates; [0] synergy, [1] redundancy; each column is (unit). */
typedef struct null_figures {
    size_t surrogates;
    syn_excess excess;
    size_t *count; /* (unit): surrogates in which it has a value */
    double *mean[2], *z[2], *p[2];
    double seen[2], whole[2]; /* means over the units with both: observed, surrogates */
    size_t whole_above[2]; /* surrogates whose mean over all pairs is at least the observed one */
    size_t whole_count;    /* of so many that have one */
    double *pair_q[2];     /* (pair): false discovery rates */
    size_t found[2];       /* pairs with q <= 0.05 */
    void *block;
} null_figures;

/* Small-sample bias: means over shuffled surrogates, which have neither memory nor coupling. */
typedef struct bias_figures {
    size_t shuffles; /* 0: not asked for */
    double mean[2];  /* over units, nats */
} bias_figures;

/* Quantiles among random systems of the same total information. */
typedef struct quantile_table quantile_table;
typedef struct quantile_figures {
    quantile_table *table; /* NULL: not asked for */
    double *sum[2];        /* (pair): synergy, redundancy */
    uint32_t *count;       /* (pair): prompts that count */
    double *unit[2];       /* (unit): means over pairs */
} quantile_figures;

typedef struct bias_sums bias_sums;

typedef struct phiid_work {
    const phiid_options *options;
    char identity[65];  /* of the input and the settings: what decides the numbers */
    struct work *log;   /* of surrogates, where there are any: a state, as phiid_null.c packs it */
    bias_sums *sums;    /* of shuffles, with --bias-correct */
    const char *output; /* folder */
    recording from;
    bool own_names; /* the table's own names of the units are good ones */
    size_t tau;
    size_t used;     /* prompts that count */
    size_t rows;     /* prompts in the sums of pairs: used, or 1 for one covariance */
    size_t shortest; /* samples of the shortest of them */
    syn_parallel parallel;
    double *position_mean; /* (sample, unit) over prompts, with --detrend mean */
    double *all;           /* (used prompt, unit, sample) as analysed, where kept */
    syn_pairs pairs;
    syn_rank rank;
    double *confound[SYN_CONFOUNDS]; /* (unit) */
    double *sink;   /* (unit): mean attention to the first token, NULL where not recorded */
    double *active; /* (unit): the share of samples where it is not 0 */
    score_figures score[SYN_SCORES];
    null_figures null;
    bias_figures bias;
    quantile_figures quantile;
    void *pairs_block, *rank_block;
} phiid_work;

enum { LEAST_SAMPLES = 5 }; /* of a window: four variables and their mean */

/* A block for what a measuring pass counted; the arena's start may cost up to an alignment. */
syn_arena block_for(const syn_arena *measured, void **block);
bool phiid_open_pairs(const syn_pairs_desc *desc, syn_pairs *pairs, void **block, problem *why);

#endif
