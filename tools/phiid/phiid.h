/* phiid.h - what the information stage holds between computing (phiid.c) and writing
   (phiid_write.c). */
#ifndef SYNERGY_PHIID_H
#define SYNERGY_PHIID_H

#include "engine/engine.h"

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
    size_t     surrogates;
    syn_excess excess;
    size_t    *count;          /* (unit): surrogates in which it has a value */
    double    *mean[2], *z[2], *p[2];
    double     seen[2], whole[2]; /* means over the units with both: observed, surrogates */
    double    *pair_q[2];      /* (pair): false discovery rates */
    size_t     found[2];       /* pairs with q <= 0.05 */
    void      *block;
} null_figures;

/* Small-sample bias: means over shuffled surrogates, which have neither memory nor coupling. */
typedef struct bias_figures {
    size_t shuffles;           /* 0: not asked for */
    double mean[2];            /* over units, nats */
} bias_figures;

/* Quantiles among random systems of the same total information. */
typedef struct quantile_table quantile_table;
typedef struct quantile_figures {
    quantile_table *table;     /* NULL: not asked for */
    double   *sum[2];          /* (pair): synergy, redundancy */
    uint32_t *count;           /* (pair): prompts that count */
    double   *unit[2];         /* (unit): means over pairs */
} quantile_figures;

typedef struct phiid_work {
    const phiid_options *options;
    const char   *output;      /* folder */
    recording     from;
    bool          own_names;   /* the table's own names of the units are good ones */
    size_t        tau;
    size_t        used;        /* prompts that count */
    size_t        rows;        /* prompts in the sums of pairs: used, or 1 for one covariance */
    size_t        shortest;    /* samples of the shortest of them */
    syn_parallel  parallel;
    double       *position_mean; /* (sample, unit) over prompts, with --detrend mean */
    double       *all;         /* (used prompt, unit, sample) as analysed, where kept */
    syn_pairs     pairs;
    syn_rank      rank;
    double       *confound[SYN_CONFOUNDS]; /* (unit) */
    double       *sink;        /* (unit): mean attention to the first token, NULL where not recorded */
    double       *active;      /* (unit): the share of samples where it is not 0 */
    score_figures score[SYN_SCORES];
    null_figures  null;
    bias_figures  bias;
    quantile_figures quantile;
    void         *pairs_block, *rank_block;
} phiid_work;

syn_arena block_for(const syn_arena *measured, void **block);
bool phiid_open_pairs(const syn_pairs_desc *desc, syn_pairs *pairs, void **block, problem *why);
syn_pairs_desc phiid_pairs_desc(const phiid_work *w);

/* ---- series as they are analysed (phiid_series.c) --------------------------------------- */

bool   phiid_is_long_enough(const phiid_work *w, size_t prompt);
bool   phiid_detrend_begin(phiid_work *w, problem *why);
/* Bytes of the two buffers that phiid_series needs. */
size_t phiid_series_bytes(const phiid_work *w);
/* Prompt number `prompt` of the file, detrended where asked: in the file or in `made`. */
syn_series phiid_series(const phiid_work *w, size_t prompt, void *buffer, double *made);
/* Keeps every prompt that counts in w->all. */
void   phiid_keep_all(phiid_work *w);
syn_series phiid_kept(const phiid_work *w, size_t used_prompt, size_t file_prompt, const double *from);
/* All prompts as one: windows centred within their prompt, past after past, then future after
   future; at a lag of half its length it has the pooled covariance. Rows of `to` are units. */
size_t phiid_pooled_half(const phiid_work *w);
syn_series phiid_pooled(const phiid_work *w, const double *all, double *to);
/* --save-cov. */
bool   phiid_save_covariance(const phiid_work *w, problem *why);
bool   phiid_load_covariance(const phiid_work *w, syn_cov *cov, void **block, problem *why);

/* ---- surrogates (phiid_null.c) ---------------------------------------------------------- */

bool phiid_surrogates(phiid_work *w, problem *why);
/* --bias-correct: takes the mean of shuffles from every sum of w->pairs. */
bool phiid_bias(phiid_work *w, problem *why);
void phiid_null_free(phiid_work *w);

/* ---- quantiles (phiid_quantile.c) ------------------------------------------------------- */

quantile_table *quantile_make(uint64_t seed);
void   quantile_free(quantile_table *t);
/* Of one atom: the share of random systems of that total information that lie below. */
double quantile_of(const quantile_table *t, int atom, double total, double value);
enum { QUANTILE_SYSTEMS = 1000, QUANTILE_LEVELS = 48 };

/* ---- local values (phiid_local.c) ------------------------------------------------------- */

bool phiid_local(const phiid_work *w, problem *why);

/* ---- results (phiid_write.c) ------------------------------------------------------------ */

/* Makes the folder; refuses one that holds results of another recording or other settings. */
bool phiid_output_check(const phiid_work *w, problem *why);
bool phiid_write(const phiid_work *w, problem *why);

/* What may be concluded, in sentences, one array of texts into the JSON (phiid_words.c). */
void phiid_words(const phiid_work *w, json_out *j);
/* Spearman of two columns over the units where both are known. */
double phiid_spearman(const double *a, const double *b, size_t n);

#endif
