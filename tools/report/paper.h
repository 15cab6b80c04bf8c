/* paper.h - what the paper shows of its five models (paper.c), and a measured result beside it
   (report_paper.c). */
#ifndef SYNERGY_PAPER_H
#define SYNERGY_PAPER_H

#include "report/report.h"

typedef struct paper_model {
    const char *name, *title;
    const char *key;          /* in the model's or file's name, of which letters and digits count */
    const char *architecture; /* as GGUF names it */
    bool experts;             /* its units; else heads */
    size_t first_layer;       /* that has units */
    size_t layers, per_layer; /* that have units */
    double parameters;
    const char *source;         /* "Fig. 2c, ..." */
    const double *profile;      /* (layer): ranks of layer means, or these scaled from 0 to 1 */
    const unsigned char *units; /* (index, layer): colour levels; NULL where there is no figure */
    const char *units_source;
} paper_model;

extern const paper_model paper_list[];
extern const size_t paper_rows;
#define PAPER_WORDS "arXiv 2601.06851 (version 1)"

/* By name or key; NULL when there is none. */
const paper_model *paper_find(const char *name);

typedef enum paper_kin {
    PAPER_SAME,   /* the name says so, and layers and units agree */
    PAPER_SHAPE,  /* architecture, layers, units and parameters agree, the name does not */
    PAPER_NEAREST /* none of the five */
} paper_kin;

enum { PAPER_SCORES = 3 };

/* One score of the result against the paper's figure. */
typedef struct paper_score {
    const char *score;
    syn_interval layers, units; /* Spearman; NaN where there is nothing to rank */
    size_t layers_ranked, units_ranked;
} paper_score;

typedef struct paper_beside {
    const report *r;
    const paper_model *model;
    paper_kin kin;
    bool asked; /* by name, not recognised */
    paper_score at[PAPER_SCORES];
    size_t count;
} paper_beside;

/* The model of the paper that a result is from, or the nearest; `asked`: that one. `score`: a
   third one beside both readings, or NULL. */
paper_beside paper_compare(const report *r, const paper_model *asked, const char *score);
/* Which model stands beside which, and why; then how far they agree. */
void paper_words(const paper_beside *b, text *to);
/* The percentile of each layer's mean as the paper's figure has it. */
curve paper_percentile(const paper_model *m);
/* The chart of both, by the readings of the score. */
extern const char *const paper_caption; /* of a figure made of such charts */
void figure_paper(const paper_beside *b, const char *id, const char *title, figure *f);
/* The table that compare and the report show; `label` of each result: NULL where there is one. */
void paper_table(page *p, const paper_beside *b, const char *const *label, size_t count);

#endif
