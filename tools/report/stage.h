/* stage.h - what others may use of report/: pages about one result folder, and about several. */
#ifndef SYNERGY_REPORT_STAGE_H
#define SYNERGY_REPORT_STAGE_H

#include "report/compare.h"

/* Writes DIR/report.html and DIR/figures/ from what lies in a result folder. */
bool report_run(const char *directory, problem *why);

#endif
