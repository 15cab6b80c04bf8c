/* report_answer.c - a row of the claims. */
#include "report/report.h"

#include <string.h>

void report_claim_begin(page *p, const char *claim, const char *verdict)
{
    const char *class_name = !strcmp(verdict, "yes")  ? "yes"
                             : !strcmp(verdict, "no") ? "no"
                                                      : "open";
    page_put(p, "<div><dt>");
    page_text(p, claim);
    text_print(&p->html, "</dt><dd><b class=\"%s\">%s</b> ", class_name, verdict);
}

void report_claim_end(page *p)
{
    page_put(p, "</dd></div>\n");
}
