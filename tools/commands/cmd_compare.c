/* cmd_compare.c - synergy compare: profiles and ranks of several result folders side by side. */
#include "base/columns.h"
#include "report/stage.h"

#include <stdlib.h>
#include <string.h>

/* The folder's own name, without slashes at its end. */
static void folder_name(const char *directory, char to[COMPARE_LABEL])
{
    size_t n = strlen(directory), from;
    while (n > 1 && directory[n - 1] == '/') n--;
    for (from = n; from > 0 && directory[from - 1] != '/'; from--) continue;
    if (from == n) from = 0; /* the root */
    snprintf(to, COMPARE_LABEL, "%.*s", (int)(n - from), directory + from);
}

/* Names of folders; where two are alike, all are told by their whole path. */
static void labels_of_folders(compare_options *o)
{
    bool alike = false;
    for (size_t k = 0; k < o->count; k++) {
        folder_name(o->directory[k], o->label[k]);
        for (size_t i = 0; i < k; i++) alike = alike || !strcmp(o->label[i], o->label[k]);
    }
    for (size_t k = 0; k < o->count && alike; k++)
        snprintf(o->label[k], COMPARE_LABEL, "%s", o->directory[k]);
}

static bool labels_given(compare_options *o)
{
    size_t n = 0;
    for (const char *s = o->labels;; s += strcspn(s, ",") + 1) {
        size_t length = strcspn(s, ",");
        if (n == o->count || length == 0) return false;
        snprintf(o->label[n++], COMPARE_LABEL, "%.*s", (int)length, s);
        if (!s[length]) return n == o->count;
    }
}

/* The files of the results that are compared are not to be replaced. */
static bool outputs_not_results(const compare_options *o, const char *data, problem *why)
{
    for (size_t k = 0; k < o->count; k++)
        for (size_t i = 0; i < file_list_rows; i++) {
            char path[TOOL_PATH_BYTES];
            if (!path_join(path, o->directory[k], file_list[i].file, why)) return false;
            if (!output_not_input(o->output, path, why) || !output_not_input(data, path, why))
                return false;
        }
    return true;
}

static bool outputs_free(const compare_options *o, problem *why)
{
    char data[TOOL_PATH_BYTES];
    return compare_data_name(o->output, data, why) && outputs_not_results(o, data, why) &&
           output_file_check(o->output, o->force, why) && output_file_check(data, o->force, why);
}

static int tell(const comparison *c, bool as_json)
{
    if (as_json) {
        json_out j;
        memset(&j, 0, sizeof j);
        compare_json(c, &j);
        json_print(&j, stdout);
    } else {
        compare_print(c, stdout);
    }
    return tool_finish_output();
}

static int compare_folders(const compare_options *o, bool as_json)
{
    problem why;
    comparison *c = outputs_free(o, &why) ? compare_open(o, &why) : NULL;
    int code = c && compare_write(c, &why) ? tell(c, as_json) : tool_fail(&why);
    compare_close(c);
    return code;
}

static int run(const command *self, int argc, char **argv)
{
    compare_options o;
    bool as_json = false;
    problem why;
    int code;
    memset(&o, 0, sizeof o);
    const option table[] = {
        {"output", 'o', OPTION_TEXT, "FILE.html", "the page; FILE.csv beside it holds the profiles",
         &o.output, 0, 0, NULL},
        {"score", 0, OPTION_TEXT, "NAME", "which score (default: that of the first folder)",
         &o.score, 0, 0, NULL},
        {"paper", 0, OPTION_MAYBE, "NAME",
         "beside the paper's figures: of the same model or the nearest, or of NAME", &o.paper, 0, 0,
         NULL},
        {"labels", 0, OPTION_TEXT, "A,B,...", "a name for each folder (default: the folders' own)",
         &o.labels, 0, 0, NULL},
        OPTION_JSON(&as_json),
        {"force", 0, OPTION_FLAG, NULL, "replace files that exist", &o.force, 0, 0, NULL},
    };
    if (!args_parse(self, table, OPTION_COUNT(table), argc, argv, o.directory, 1, COMPARE_MOST,
                    &o.count, &code))
        return code;
    compare_take_paper(&o);
    if (o.count < (o.paper ? 1 : 2))
        return tool_usage("an argument is missing: %s, or one folder with --paper", self->usage);
    if (!o.output) return tool_usage("-o FILE.html is missing: where should the page go?");
    if (o.labels && !labels_given(&o))
        return tool_usage("--labels: '%.200s' is not %zu names separated by commas", o.labels,
                          o.count);
    if (!o.labels) labels_of_folders(&o);
    if (o.paper && !paper_name_check(o.paper, &why)) return tool_usage("%s", why.text);
    return compare_folders(&o, as_json);
}

const command command_compare = {
    "compare",
    "D1 D2 ... -o FILE.html",
    "profiles and ranks of several result folders side by side",
    "Each D (up to 12) is a result folder with phiid.json, units.csv "
    "and profile.csv: models, checkpoints,\n"
    "quantisations, settings. Folders of one architecture with the "
    "same layers and units are compared\n"
    "unit by unit, others by their profiles over normalised depth.\n"
    "With --paper each stands also beside the paper's own figure, read from "
    "the paper; one folder is enough then.",
    run,
    "synergy compare results whole -o compare.html"};
