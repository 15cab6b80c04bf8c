/* stage.h - what others may use of report/: pages about one result folder, and about several. */
#ifndef SYNERGY_REPORT_STAGE_H
#define SYNERGY_REPORT_STAGE_H

#include "report/compare.h"

/* Bytes of the page and of all figures. */
double report_disk_bytes(size_t units, size_t prompts, bool interventions);
typedef struct report_options {
    const char *directory;
    const char *title;         /* of the page; NULL: the model's name */
    const char *output;        /* the page alone goes there, and nothing to the folder; NULL: DIR/report.html
                                  and DIR/figures/ */
    const char *interventions; /* the folder with what ablate -o and perturb -o wrote; NULL: DIR */
    bool        force;         /* `output` may be replaced */
} report_options;
/* Writes the page from what lies in a result folder. */
bool report_run(const report_options *o, problem *why);
/* Which conclusions hold under every estimator: writes DIR/robustness.csv and says it in lines; nothing
   where there are no results of other estimators. */
bool report_robustness_tell(FILE *to, const char *directory, problem *why);
/* Where the page is, on standard output: one path that holds from everywhere. */
void report_print_path(const report_options *o);

#endif
