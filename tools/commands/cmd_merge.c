/* cmd_merge.c - synergy merge: shards of a distributed run into one. */
#include "record/stage.h"

#include <stdlib.h>

enum { MOST_FOLDERS = 65536 };

static int run(const command *self, int argc, char **argv)
{
    const char *output = NULL;
    bool force = false, good;
    problem why;
    text_list from = {NULL, 0};
    int code;
    const option table[] = {OPTION_OUT(&output), OPTION_FORCE(&force)};
    from.at = tool_alloc(MOST_FOLDERS, sizeof *from.at);
    if (!args_parse(self, table, OPTION_COUNT(table), argc, argv, from.at, 1, MOST_FOLDERS,
                    &from.count, &code)) {
        free(from.at);
        return code;
    }
    if (!output) {
        free(from.at);
        return tool_usage("-o DIR is missing: where should the merged run go?");
    }
    good = merge_is_covariance(from.at[0]) ? merge_covariances(&from, output, force, &why)
                                           : merge_run(&from, output, force, &why);
    free(from.at);
    return good ? tool_finish_output() : tool_fail(&why);
}

const command command_merge = {
    "merge",
    "D1 D2 ... -o DIR",
    "joins the shards of a distributed run, or covariance files",
    "Each D is what capture wrote for one shard, or a folder of such folders (shard-I-of-K). "
    "Refuses\n"
    "shards of different models, settings or prompts, and names the missing ones. The result is\n"
    "byte for byte what one process would have written. When the D are covariance files of\n"
    "synergy phiid --save-cov, DIR is the file that holds all of them together.",
    run,
    "synergy merge parts -o whole"};
