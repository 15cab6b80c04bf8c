/* study.h - a set of edits of a model, laid out as curves: what `ablate` and `perturb` share. A
   study runs every point of every curve on the texts of a result folder, can be stopped and
   resumed, and writes STEM.csv, STEM_accuracy.csv and STEM.json. */
#ifndef SYNERGY_STUDY_H
#define SYNERGY_STUDY_H

#include "base/work.h"
#include "study/eval.h"
#include "study/subject.h"

/* A curve is one way to choose units; those of one name differ in their seed. */
typedef struct study_curve {
    const char *name;
    int seed;
    bool eval; /* also run the evaluation sets along it */
} study_curve;

/* A reading of "core": a column that orders units, and what the orders and groups by it are called.
   The first is the score that was chosen; unless one was asked for, both readings of the paper
   (rank(synergy) - rank(redundancy), and the rank of synergy - redundancy) are followed, and every
   claim answered for each. */
typedef struct study_reading {
    char title[64], column[64];
    char order[64], reverse[64], matched[64], core[64], periphery[64];
} study_reading;
enum { STUDY_READINGS = 3 };

typedef struct study study;
typedef struct curve_test curve_test;

/* What tells one kind of study from another. */
typedef struct study_kind {
    const char *stem;   /* of file names, and of the progress line */
    const char *curves; /* the column of the tables that names a curve: "order" */
    const char *points; /* and a point: "fraction" */
    bool units_first;   /* the number of units stands before the point, else behind it */
    const char *along;  /* "removing units in the order '%s'" */
    const char *claim;  /* "removing the core harms more ..." */
    void (*settings)(const study *a, json_out *j);
    /* Does the claim hold by this reading? Says why in the text. */
    bool (*verdict)(const study_reading *r, const curve_test *c, size_t n, text *t);
} study_kind;

struct study {
    const study_options *options;
    const study_kind *kind;
    const void *own; /* of the kind: its options */
    subject s;
    char units_hash[65]; /* of units.csv */
    intervener v;
    eval_bench bench;
    bool has_bench;
    study_reading reading[STUDY_READINGS];
    size_t readings;
    const char *(*pair)[2]; /* curves to compare */
    size_t pairs;
    study_curve *curve;
    size_t curves, points;
    double *x;          /* (point): 0, then rising */
    size_t *units;      /* (point): how many are changed */
    intervention *edit; /* (curve, point) */
    float **array;      /* what the edits point to */
    size_t arrays;
    divergence *result;   /* (text, curve, point) */
    eval_score *accuracy; /* (curve, point, set) */
    bool *measured;       /* (curve, point): accuracy is there */
    char identity[65];
    work log; /* finished pieces */
};

/* A list of numbers above `low` (or from 0 on) that rise, up to `high`; each goes to `take`. */
typedef bool number_fn(void *to, double value, problem *why);
bool study_numbers(const char *option_name, const char *list, double high, number_fn *take,
                   void *to, problem *why);
/* Opens model, folder, texts and evaluation sets. Then the kind adds curves and points, makes their
   edits and lets them run. */
bool study_open(study *a, const study_options *o, const study_kind *kind, problem *why);
void study_add_curve(study *a, const char *name, int seed, bool eval);
/* Two names of curves to be compared; they must last as long as the study. */
void study_add_pair(study *a, const char *x, const char *y);
void study_add_point(study *a, double x, size_t units);
/* Room for edits: none of them changes anything yet. */
void study_begin_edits(study *a);
intervention *study_edit(const study *a, size_t curve, size_t point);
/* Zeroed floats that live as long as the study. */
float *study_array(study *a, size_t count);
/* Runs what is not done yet, and writes the results. */
bool study_run(study *a, problem *why);
void study_close(study *a);

/* ---- orders of units (study_order.c): slots, first first; to be freed -------------------- */

/* By a column of units.csv, largest (sign 1) or smallest (-1) first; unknown values last. */
size_t *order_by(const subject *s, const double *key, double sign);
size_t *order_random(const study *a, int number);
/* Any units, but at every length as many of each layer as `core` takes. */
size_t *order_matched(const study *a, const size_t *core, int number);

/* ---- figures (study_stats.c) ------------------------------------------------------------- */

typedef struct spread {
    double mean, sd, low, high;
} spread; /* over prompts; 95 % bootstrap */

/* Mean over tokens of KL(intact || edited) at a point. */
spread study_kl(const study *a, size_t curve, size_t point);
divergence study_sum(const study *a, size_t curve, size_t point);
/* Area under that over x, by the largest x: the mean along the curve, nats. */
spread study_area(const study *a, size_t curve);
double study_area_mean(const study *a, size_t curve);

/* Is the area under the curves named a larger than under b (mean over the seeds of each)? */
struct curve_test {
    const char *a, *b;
    double difference, low, high; /* nats, 95 % bootstrap over prompts */
    double p_prompts;             /* two-sided, signs of the prompts' differences permuted */
    double p_orders; /* of a single curve a among several b: the share at or above it */
    int harm;        /* 1: a harms more, -1: less, 0: not told apart. Sure over prompts, and, where
                          there are several b, beyond every one of them: orders differ, too */
};
enum { STUDY_COMPARISONS = 32 };
/* Of fewer prompts than a conclusion over prompts needs anywhere (engine/shape.h): all is open. */
bool study_is_open(const study *a);
size_t study_comparisons(const study *a, curve_test to[STUDY_COMPARISONS]);
/* The comparison of a with b, or NULL. */
const curve_test *comparison_of(const curve_test *c, size_t n, const char *a, const char *b);
/* Does it say that a harms more? */
bool comparison_harms_more(const curve_test *c);

/* ---- results (study_write.c) -------------------------------------------------------------- */

/* The settings that are known before the run: what another one is compared with. */
void study_settings(const study *a, json_out *j);
bool study_write(const study *a, problem *why);
void study_print(const study *a, FILE *to);

#endif
