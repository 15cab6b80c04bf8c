/* cmd_report.c - synergy report: one HTML page from a result folder. */
#include "report/stage.h"

#include <string.h>

static int run(const command *self, int argc, char **argv)
{
    report_options o;
    problem why;
    int code;
    memset(&o, 0, sizeof o);
    const option table[] = {
        {"title", 0, OPTION_TEXT, "TEXT", "the page's title (default: the model's name)", &o.title,
         0, 0, NULL},
        {"output", 'o', OPTION_TEXT, "FILE.html",
         "write the page there, with all figures in it, and nothing to DIR", &o.output, 0, 0, NULL},
        {"interventions", 0, OPTION_TEXT, "OTHER",
         "what ablate -o OTHER and perturb -o OTHER wrote (default: DIR)", &o.interventions, 0, 0,
         NULL},
        {"force", 0, OPTION_FLAG, NULL, "replace FILE.html", &o.force, 0, 0, NULL},
    };
    if (!args_parse(self, table, OPTION_COUNT(table), argc, argv, &o.directory, 1, 1, NULL, &code))
        return code;
    if (o.title && !*o.title) return tool_usage("--title: is empty");
    if (!report_run(&o, &why)) return tool_fail(&why);
    report_print_path(&o);
    return tool_finish_output();
}

const command command_report = {
    "report",
    "DIR",
    "write one self-contained HTML page about a result folder",
    "Reads phiid.json, units.csv, profile.csv, synergy.npy, "
    "redundancy.npy and, where they\n"
    "are there, run.json, graph.json and what synergy ablate and synergy perturb "
    "wrote. Writes\n"
    "DIR/report.html, and each figure to DIR/figures as SVG and PDF with its data as CSV; "
    "result.svg and\n"
    "result.pdf there are the whole result as one figure. The page holds the SVG and CSV, too. For "
    "PNG:\n"
    "rsvg-convert -d 300 -p 300 DIR/figures/result.svg -o result.png (or Inkscape).",
    run,
    "synergy report results"};
