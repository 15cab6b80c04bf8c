/* report.h - what the report knows (report_data.c, report_curves.c), draws (report_figures.c,
   report_maps.c, report_network.c, report_lines.c, on the scales of report_scale.c) and says,
   section after section (the others). report.c puts the page together. */
#ifndef SYNERGY_REPORT_H
#define SYNERGY_REPORT_H

#include "engine/shape.h"
#include "engine/engine.h"
#include "draw/page.h"

/* A column of units.csv as numbers; NULL when the file has no such column. */
typedef enum unit_column {
    UNIT_SYNERGY,
    UNIT_REDUNDANCY,
    UNIT_SYNERGY_RANK,
    UNIT_REDUNDANCY_RANK,
    UNIT_RANK_DIFFERENCE,
    UNIT_DIFFERENCE,
    UNIT_DIFFERENCE_RANK,
    UNIT_BALANCE,
    UNIT_SCORE,
    UNIT_SCORE_LOW,
    UNIT_SCORE_HIGH,
    UNIT_EXCESS,
    UNIT_MEAN_NORM,
    UNIT_SELF,
    UNIT_AUTOCORRELATION,
    UNIT_TREND,
    UNIT_SINK,
    UNIT_COLUMNS
} unit_column;

typedef struct report {
    const char *directory, *interventions;
    csv units, profile;
    json_file phiid, run, graph; /* run, graph: root NULL when there is no such file */
    json_file ablation, perturb; /* the same */
    csv ablation_curves, ablation_accuracy, perturb_curves, perturb_accuracy; /* or no rows */
    json_file emergence; /* of synergy emerge: the same */
    csv emergence_rows, emergence_profiles;
    json_file tuning; /* of synergy tune: the same */
    csv tuning_rows;
    bool ablation_outdated, perturb_outdated; /* of units that other scores chose: left out */
    size_t count, layers, per_layer, first_layer;
    char **unit; /* (unit): names */
    double *column[UNIT_COLUMNS];
    double *synergy, *redundancy; /* (unit, unit), NULL when the files are not there */
    const char *score;            /* name of the chosen one */
    const char *one, *many;       /* "head", "heads" */
    char name[200];               /* of the model or recording */
} report;

/* `interventions`: the folder with what ablate and perturb wrote; NULL: the same. */
bool report_load(report *r, const char *directory, const char *interventions, problem *why);
/* The same without matrices and interventions: what a comparison needs. */
bool report_load_scores(report *r, const char *directory, problem *why);
void report_close(report *r);
/* Over units; NaN when one of the columns is not there. */
double report_spearman(const report *r, const double *a, const double *b);
/* Of mean synergy with self-information. */
double report_memory(const report *r);
/* A number of phiid.json by its dotted path, NaN when it is not there. */
double report_number(const report *r, const char *path);
/* The model as run.json or phiid.json tell it; NULL for other recordings. */
const json *report_model(const report *r);
/* The rows of profile.csv of one score: how many layers there are, 0 when it is not there. */
size_t report_profile(const report *r, const char *score, const char *column, double *to);
const char *report_column_name(unit_column column);
/* A column of units.csv by name; the caller frees; NULL when it is not there or holds words. */
double *report_column(const report *r, const char *name);
/* The column of units.csv that holds a score of that name ("difference" is told by its rank). */
const char *report_score_column(const char *score);
const char *report_score_title(const char *score);
const char *report_score_unit(const char *score);
/* Units with a value, the highest first; the caller frees. */
size_t *report_order(const report *r, const double *value, size_t *count);

/* y = c0 + c1 x + c2 x^2 over x = depth - 1/2, nearest to the values; false when it is not
   defined. */
bool report_parabola(const double *value, size_t layers, double c[3]);
/* What the judgement over a profile's shape rests on. */
shape_evidence report_shape(const report *r, const char *score);
syn_interval report_interval(const json *from, const char *key);

/* Whether profile.csv has a score for every layer. */
bool report_has_profile(const report *r, const char *score);

/* ---- interventions (report_curves.c) ---------------------------------------------------- */

/* A line with a band. Several seeds give their mean, with the smallest and the largest; one seed
   the interval that stands in the file. */
typedef struct curve {
    size_t n;
    double *x, *y, *low, *high;
} curve;

/* Rows of a table whose column `key` is `value` (and `set` is `of_set`, unless that is NULL). */
curve curve_of(const csv *c, const char *key, const char *value, const char *of_set, const char *x,
               const char *y);
void curve_free(curve *c);
curve curve_new(size_t n);      /* of n points, all 0 */
curve curve_begin(size_t most); /* of none, with room for so many */
void curve_add(curve *c, double x, double y, double low, double high);
/* Adds a name that the list does not have, as long as there is room. */
void report_add_name(const char **name, size_t *count, size_t most, const char *one);
/* The test of a against b in ablation.json or perturb.json; NULL when there is none. */
const json *report_test(const json *from, const char *a, const char *b);
/* What a test sets against each other, in words; its interval as a cell, times a factor. */
void report_test_pair(const json *test, char words[160]);
void report_test_interval(page *p, const json *test, double factor);
/* Mean over seeds of the mean KL along the curves of one order; NaN without. `which`: 0 the mean,
   -1 the smallest, 1 the largest. */
double report_auc(const json *ablation, const char *order, int which);
const char *report_order_words(const char *order); /* "by mean norm" */
bool report_is_random(const char *order);          /* drawn, several times: random, matched */

/* ---- agreement in rank (compare_chance.c) ----------------------------------------------- */

/* 95 % interval of a Spearman correlation by Fisher's z with the variance (1 + rho^2 / 2) / (n - 3)
   (Bonett and Wright 2000); NaN below 4. */
syn_interval chance_spearman(double rho, size_t n);
/* Spearman correlation of two profiles over depth, with that interval, at the depths of the one
   with fewer layers, so that no value is counted twice; *count: how many were ranked. */
syn_interval curve_agreement(const curve *a, const curve *b, size_t *count);

/* ---- values to colours (report_scale.c) ------------------------------------------------- */

typedef struct scale {
    double low, high, middle;
    bool diverging;
} scale;

void value_range(const double *v, size_t n, double *low, double *high);
double *value_sorted(const double *v, size_t n,
                     size_t *count); /* of what is finite; the caller frees */
double value_quantile(const double *in_order, size_t n, double q);
/* From the smallest to the largest value; a diverging one has its centre at the median. */
scale scale_of(const double *v, size_t n, bool diverging);
colour scale_colour(const scale *s, double v);
/* Index of a palette of 255, 255 for what is missing. */
unsigned char scale_index(const scale *s, double v);
void scale_palette(bool diverging, colour palette[255]);
/* Below an area whose x counts layers from 0: as the model numbers them. */
void plot_axis_layers(const plot *p, const report *r);
/* To the right of an area, with ticks. */
void scale_bar(const plot *p, const scale *s, const char *label);

/* ---- figures -------------------------------------------------------------------------- */

enum { PANEL = 420 }; /* width of a panel, so that its writing stays readable on a narrow screen */
enum { MOST_BOXES = 2500 }; /* units that can have an element and a title each */

void figure_profile(const report *r, const char *score, const char *id, figure *f);
void figure_map(const report *r, unit_column column, const char *id, const char *what,
                const char *unit, bool diverging, figure *f);
/* Values of a map that is a picture, for report_value_script; nothing for a map of boxes. */
void figure_map_values(page *p, const report *r, unit_column column, const char *id,
                       const char *unit);
/* The same for a matrix. */
void figure_matrix_values(page *p, const report *r, const double *matrix, const char *id);
void report_value_script(page *p, const report *r);
void figure_matrix(const report *r, const double *matrix, const char *id, const char *what,
                   figure *f);
void figure_scatter(const report *r, unit_column x, unit_column y, const char *id,
                    const char *x_label, const char *y_label, figure *f);
/* The strongest edges between units on a ring, layer after layer. */
void figure_network(const report *r, const double *matrix, const char *id, const char *what,
                    figure *f);
size_t figure_network_edges(const report *r, const double *matrix);

/* A chart of lines (report_lines.c): each has its own colour and dash, a band, and its name at its
   end. */
typedef struct line {
    const char *name;
    curve at;
    int style; /* 0 .. LINE_STYLES - 1 */
    bool points;
} line;
enum { LINE_STYLES = 13 }; /* twelve of six colours and four dashes, and a grey one */

/* How a chart is drawn. */
enum {
    CHART_PERCENT_X = 1, /* a share, shown in per cent */
    CHART_PERCENT_Y = 2,
    CHART_STEPS = 4,  /* x are steps of training: log2(1 + x), so that 0 has a place */
    CHART_DRAWS = 8,  /* the bands of several draws or runs are their range, no interval */
    CHART_RANGES = 16 /* all bands are such ranges */
};

typedef struct chart {
    const char *id, *title, *desc, *x_label, *y_label;
    double y0, y1; /* both 0: from the lines; the axis has at least this range */
    unsigned how;  /* of the flags above */
    const line *lines;
    size_t count;
} chart;
void figure_lines(const chart *c, figure *f);
/* The same as a panel of the page's figure; the lines' points go. `whole`: it is part of the
   composite figure, too. */
void report_chart(page *p, const chart *c, line *l, bool whole);

/* ---- answers ---------------------------------------------------------------------------- */

typedef enum answer { ANSWER_YES, ANSWER_NO, ANSWER_PART, ANSWER_OPEN, ANSWER_UNTESTED } answer;
const char *report_answer_word(answer a);
/* The one judgement over a profile (engine/shape.h) as an answer to 'is it an inverted U'. */
answer report_shape_answer(const shape_evidence *e);

/* ---- sections in the order of the page ------------------------------------------------- */

void report_identity(page *p, const report *r); /* report_claims.c */
void report_finding(page *p, const report *r);
void report_facts(page *p, const report *r);
void report_claims(page *p, const report *r);
void report_robustness(page *p, const report *r); /* report_robust.c */
bool report_has_robustness(const report *r);
/* A row of the claims; verdict: yes, no, in part, open, not tested. Between the two stands the
   evidence. */
void report_claim_begin(page *p, const char *claim, const char *verdict); /* report_answer.c */
void report_claim_end(page *p);
void report_emergence_claims(page *p, const report *r); /* report_learn.c */
void report_emergence(page *p, const report *r);
void report_tuning_claims(page *p, const report *r); /* report_tuning.c */
void report_tuning(page *p, const report *r);
/* What was asked, found and how sure that is, for somebody who never heard of it
   (report_plain.c). */
void report_plain(page *p, const report *r);
extern const page_word report_word[];
void report_glossary(page *p, const report *r);
void report_paper(page *p, const report *r); /* report_paper.c */
bool report_has_paper(const report *r);
void report_words(page *p, const report *r); /* report_words.c */
void report_method(page *p, const report *r);
void report_network(page *p, const report *r); /* report_topology.c */
void report_topology(page *p, const report *r);
void report_ablation(page *p, const report *r); /* report_ablation.c */
void report_perturb(page *p, const report *r);
void report_correlations(page *p, const report *r); /* report_tables.c */
void report_units(page *p, const report *r);
void report_prompts(page *p, const report *r);
void report_repeat(page *p, const report *r);

#endif
