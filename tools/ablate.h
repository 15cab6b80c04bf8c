/* ablate.h - `synergy ablate`: units removed one after the other, in several orders, and what that does
   to a model's predictions. */
#ifndef SYNERGY_ABLATE_H
#define SYNERGY_ABLATE_H

#include "eval.h"
#include "subject.h"

typedef struct ablate_options {
    const char *model, *directory, *output; /* output NULL: the directory */
    const char *fractions;  /* "0.05,0.1"; NULL: eight up to `most` */
    const char *score;      /* a column of units.csv; NULL: the score that the folder chose */
    const char *eval;       /* evaluation sets, "none" for none */
    int64_t     step;       /* units a point; 0: fractions */
    double      most;       /* largest fraction */
    int64_t     seeds, prompts, items, seed, threads;
    int         replace;    /* 0 zero, 1 mean */
    bool        exact, resume, force;
} ablate_options;

/* An order of removal. `seed` tells the random ones apart. */
typedef struct removal {
    const char *order;
    int         seed;
    size_t     *slot;       /* (units that may be removed): first removed first */
    bool        eval;       /* also run the evaluation sets along it */
} removal;

typedef struct ablation {
    const ablate_options *options;
    subject      s;
    intervener   v;
    eval_bench   bench;
    bool         has_bench;
    const char  *score;      /* the column that orders the core */
    removal     *curve;
    size_t       curves;
    size_t      *removed;    /* (point): units, from 0 on, rising */
    size_t       points;
    float       *mean;       /* outputs that take the place of removed ones, NULL: zero */
    divergence  *result;     /* (text, curve, point) */
    eval_score  *accuracy;   /* (curve, point, set) */
    bool        *measured;   /* (curve, point) */
    char         identity[65];
    FILE        *part;       /* finished pieces, for --resume */
    char         part_path[TOOL_PATH_BYTES];
} ablation;

void ablate_defaults(ablate_options *o);
/* The whole command with a result folder. */
bool ablate_run(const ablate_options *o, problem *why);

/* ---- orders (ablate_order.c) ---------------------------------------------------------- */

bool ablate_curves(ablation *a, problem *why);
bool ablate_points(ablation *a, problem *why);

/* ---- figures (ablate_stats.c) --------------------------------------------------------- */

typedef struct spread { double mean, sd, low, high; } spread; /* over prompts; 95 % bootstrap */

/* Mean over tokens of KL(intact || ablated) at a point. */
spread ablate_kl(const ablation *a, size_t curve, size_t point);
/* Area under that over the fraction, by the largest fraction: the mean along the curve, nats. */
spread ablate_auc(const ablation *a, size_t curve);

/* Is the area under order x larger than under y (mean over the seeds of each)? */
typedef struct comparison {
    const char *x, *y;
    double difference, low, high; /* nats, 95 % bootstrap over prompts */
    double p_prompts;  /* two-sided, signs of the prompts' differences permuted */
    double p_orders;   /* of one order x among the random orders y: the share at or above it */
} comparison;
size_t ablate_comparisons(const ablation *a, comparison to[16]);

/* ---- results (ablate_write.c) --------------------------------------------------------- */

bool ablate_write(const ablation *a, problem *why);
void ablate_print(const ablation *a, FILE *to);

#endif
