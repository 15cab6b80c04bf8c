/* cmd_report.c - synergy report: one HTML page from a result folder. */
#include "report/stage.h"

static int run(const command *self, int argc, char **argv) {
    const char *directory = NULL;
    problem why;
    int code;
    if (!args_parse(self, NULL, 0, argc, argv, &directory, 1, 1, NULL, &code)) return code;
    if (!report_run(directory, &why)) return tool_fail(&why);
    report_print_path(directory);
    return tool_finish_output();
}

const command command_report = {"report", "DIR",
                                "write one self-contained HTML page about a result folder",
                                "Reads phiid.json, units.csv, profile.csv, synergy.npy, "
                                "redundancy.npy and, where they\n"
                                "are there, run.json, graph.json and what synergy ablate and synergy perturb "
                                "wrote. Writes\n"
                                "DIR/report.html, and each figure to "
                                "DIR/figures as SVG with its data as CSV.",
                                run,
    "synergy report results"};
