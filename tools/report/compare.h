/* compare.h - several result folders side by side: what is read and computed (compare.c), shown
   (compare_page.c) and told (compare_words.c). */
#ifndef SYNERGY_COMPARE_H
#define SYNERGY_COMPARE_H

#include "report/report.h"

enum { COMPARE_MOST = 12, COMPARE_LABEL = 96 };

typedef struct compare_options {
    const char *directory[COMPARE_MOST];
    size_t      count;
    const char *output;      /* FILE.html; the profiles go to FILE.csv beside it */
    const char *score;       /* NULL: that of the first folder */
    const char *labels;      /* as given, "A,B"; NULL: the folders' names */
    char        label[COMPARE_MOST][COMPARE_LABEL];
    bool        force;
} compare_options;

/* One folder. Arrays are (layer). */
typedef struct compared {
    report       r;
    const char  *label, *directory;
    char         mark[48];   /* number and label, short enough to stand at the end of a line */
    curve        raw;        /* layer means over depth with their interval over prompts */
    curve        percentile; /* among the layers; band: what the ends of the interval would have */
    double      *unit;       /* (unit): the score */
    syn_interval peak, middle, curvature;
    shape_evidence shape;
} compared;

/* Two folders. */
typedef struct agreement {
    bool         by_units;   /* else by profiles, interpolated over depth */
    size_t       count;      /* units or depths that were ranked */
    syn_interval spearman;
    size_t       quarter, shared; /* units in a top quarter, and in both; 0 by profiles */
    syn_interval jaccard;
    syn_interval chance;     /* Jaccard index of two random quarters: mean, 2.5 and 97.5 % */
    double       p;          /* chance of so many shared, or more */
} agreement;

typedef struct comparison {
    const compare_options *options;
    const char *score;
    size_t      count;
    compared    at[COMPARE_MOST];
    agreement   pair[COMPARE_MOST][COMPARE_MOST]; /* (first, second), first < second */
} comparison;

bool compare_open(comparison *c, const compare_options *o, problem *why);
void compare_close(comparison *c);
/* Writes FILE.csv, then FILE.html. */
bool compare_write(const comparison *c, problem *why);
/* FILE.html gives FILE.csv, any other name NAME.csv. */
bool compare_data_name(const char *output, char to[TOOL_PATH_BYTES], problem *why);

bool compare_page(const comparison *c, problem *why);     /* compare_page.c */
void compare_print(const comparison *c, FILE *to);        /* compare_words.c */
void compare_json(const comparison *c, json_out *j);
/* The sentence about all of them; settings that differ, one sentence each, for `say`. */
void compare_finding(const comparison *c, text *to);
void compare_notes(const comparison *c, void (*say)(void *to, const char *note), void *to);

/* ---- chance (compare_chance.c) ----------------------------------------------------------- */

/* 95 % interval of a Spearman correlation by Fisher's z with the variance (1 + rho^2 / 2) / (n - 3)
   (Bonett and Wright 2000); NaN below 4. */
syn_interval chance_spearman(double rho, size_t n);
/* Fills quarter, shared -> jaccard, chance, p of two sets of `quarter` among `count` units. */
void         chance_overlap(agreement *a);

#endif
