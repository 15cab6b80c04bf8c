/* compare.h - several result folders side by side: what is read and computed (compare.c), shown
   (compare_page.c) and told (compare_words.c). */
#ifndef SYNERGY_COMPARE_H
#define SYNERGY_COMPARE_H

#include "report/paper.h"
#include "report/report.h"
#include "report/stage.h"

/* One folder. Arrays are (layer). */
typedef struct compared {
    report r;
    const char *label, *directory;
    char mark[48];    /* number and label, short enough to stand at the end of a line */
    curve raw;        /* layer means over depth with their interval over prompts */
    curve percentile; /* among the layers; band: what the ends of the interval would have */
    double *unit;     /* (unit): the score */
    syn_interval peak, middle, curvature;
    shape_evidence shape;
} compared;

/* Two folders. */
typedef struct agreement {
    bool by_units; /* else by profiles, interpolated over depth */
    size_t count;  /* units or depths that were ranked */
    syn_interval spearman;
    size_t quarter, shared; /* units in a top quarter, and in both; 0 by profiles */
    syn_interval jaccard;
    syn_interval chance; /* Jaccard index of two random quarters: mean, 2.5 and 97.5 % */
    double p;            /* chance of so many shared, or more */
} agreement;

struct comparison {
    const compare_options *options;
    const char *score;
    size_t count;
    compared at[COMPARE_MOST];
    agreement pair[COMPARE_MOST][COMPARE_MOST]; /* (first, second), first < second */
    paper_beside paper[COMPARE_MOST];           /* where it is asked for */
};

bool compare_page(const comparison *c, problem *why); /* compare_page.c */

/* compare_words.c */
/* The sentence about all of them; settings that differ, one sentence each, for `say`. */
void compare_finding(const comparison *c, text *to);
void compare_notes(const comparison *c, void (*say)(void *to, const char *note), void *to);

/* ---- chance (compare_chance.c) ----------------------------------------------------------- */

/* Fills quarter, shared -> jaccard, chance, p of two sets of `quarter` among `count` units. */
void chance_overlap(agreement *a);

#endif
