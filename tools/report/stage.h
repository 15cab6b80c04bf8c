/* stage.h - what others may use of report/: pages about one result folder, and about several. */
#ifndef SYNERGY_REPORT_STAGE_H
#define SYNERGY_REPORT_STAGE_H

#include "base/tool.h"

/* Bytes of the page and of all figures. */
double report_disk_bytes(size_t units, size_t prompts, bool interventions);
typedef struct report_options {
    const char *directory;
    const char *title;         /* of the page; NULL: the model's name */
    const char *output;        /* the page alone goes there, and nothing to the folder;
                                  NULL: DIR/report.html and DIR/figures/ */
    const char *interventions; /* the folder with what ablate -o and perturb -o wrote; NULL: DIR */
    bool force;                /* `output` may be replaced */
} report_options;
/* Writes the page from what lies in a result folder. */
bool report_run(const report_options *o, problem *why);
/* Which conclusions hold under every estimator: writes DIR/robustness.csv and says it in lines;
   nothing where there are no results of other estimators. */
bool report_robustness_tell(FILE *to, const char *directory, problem *why);
/* Where the page is, on standard output: one path that holds from everywhere. */
void report_print_path(const report_options *o);

/* ---- several folders side by side ------------------------------------------------------ */

enum { COMPARE_MOST = 12, COMPARE_LABEL = 96 };

typedef struct compare_options {
    const char *directory[COMPARE_MOST];
    size_t count;
    const char *output; /* FILE.html; the profiles go to FILE.csv beside it */
    const char *score;  /* NULL: that of the first folder */
    const char *paper;  /* beside figures of the paper: a model's name or "", or NULL for not */
    const char *labels; /* as given, "A,B"; NULL: the folders' names */
    char label[COMPARE_MOST][COMPARE_LABEL];
    bool force;
} compare_options;

typedef struct comparison comparison;

/* With `paper` "", an operand that is no folder and a model of the paper is its name: "--paper
 * NAME".
 */
void compare_take_paper(compare_options *o);
/* False, with the names that there are, where no model of the paper has that name. */
bool paper_name_check(const char *name, problem *why);

/* Reads and compares all folders; NULL where that fails. compare_close frees it; NULL is fine. */
comparison *compare_open(const compare_options *o, problem *why);
void compare_close(comparison *c);
/* Writes FILE.csv, then FILE.html. */
bool compare_write(const comparison *c, problem *why);
/* FILE.html gives FILE.csv, any other name NAME.csv. */
bool compare_data_name(const char *output, char to[TOOL_PATH_BYTES], problem *why);
/* What was found, in lines or as JSON. */
void compare_print(const comparison *c, FILE *to);
void compare_json(const comparison *c, json_out *j);

#endif
