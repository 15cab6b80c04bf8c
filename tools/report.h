/* report.h - what the report knows (report_data.c), draws (report_figures.c) and says
   (report_page.c). */
#ifndef SYNERGY_REPORT_H
#define SYNERGY_REPORT_H

#include "draw.h"
#include "engine.h"

/* A column of units.csv as numbers; NULL when the file has no such column. */
typedef enum unit_column {
    UNIT_SYNERGY, UNIT_REDUNDANCY, UNIT_SYNERGY_RANK, UNIT_REDUNDANCY_RANK, UNIT_RANK_DIFFERENCE,
    UNIT_DIFFERENCE, UNIT_DIFFERENCE_RANK, UNIT_BALANCE, UNIT_SCORE, UNIT_SCORE_LOW,
    UNIT_SCORE_HIGH, UNIT_EXCESS, UNIT_MEAN_NORM, UNIT_SELF, UNIT_AUTOCORRELATION, UNIT_TREND,
    UNIT_COLUMNS
} unit_column;

typedef struct report {
    const char *directory;
    csv         units, profile;
    json_file   phiid, run, graph; /* run, graph: root NULL when there is no such file */
    size_t      count, layers, per_layer, first_layer;
    double     *column[UNIT_COLUMNS];
    double     *synergy, *redundancy; /* (unit, unit), NULL when the files are not there */
    const char *score;           /* name of the chosen one */
    const char *one, *many;      /* "head", "heads" */
    char        name[200];       /* of the model or recording */
} report;

bool report_load(report *r, const char *directory, problem *why);
void report_close(report *r);
double report_spearman(const report *r, const double *a, const double *b);
/* The rows of profile.csv of one score: how many layers there are, 0 when it is not there. */
size_t report_profile(const report *r, const char *score, const char *column, double *to);

/* ---- figures -------------------------------------------------------------------------- */

/* One picture: `svg` for the page and its own file, `data` for its CSV. */
typedef struct figure { text svg, data; } figure;

void figure_profile(const report *r, const char *score, const char *id, figure *f);
void figure_map(const report *r, unit_column column, const char *id, const char *what,
                const char *unit, bool diverging, figure *f);
void figure_matrix(const report *r, const double *matrix, const char *id, const char *what,
                   figure *f);
void figure_scatter(const report *r, unit_column x, unit_column y, const char *id,
                    const char *x_label, const char *y_label, figure *f);
void figure_free(figure *f);

/* ---- style ---------------------------------------------------------------------------- */

extern const char report_page_style[];   /* of the page */
extern const char report_figure_style[]; /* of the drawings, in the page and alone */
extern const char report_figure_defs[];  /* the hatching for what is missing */

#endif
