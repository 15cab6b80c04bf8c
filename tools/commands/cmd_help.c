/* cmd_help.c - synergy help and synergy version. */
#include "base/tool.h"

#include <string.h>

static void print_commands(void)
{
    size_t count;
    const command *const *all = commands_all(&count);
    printf("Example: %s\n\n"
           "Usage: synergy COMMAND [OPTIONS] ...\n\n"
           "Which heads of a language model work as a synergistic core, and which as a redundant\n"
           "periphery? Runs a GGUF model, records the norm of every head, and decomposes the\n"
           "information that each pair of heads carries (Gaussian PhiID).\n\n"
           "Start with analyze: it does all of it. The other commands are its steps, and what goes "
           "further.\n\n"
           "Commands:\n",
           all[0]->example);
    for (size_t i = 0; i < count; i++) printf("  %-12s%s\n", all[i]->name, all[i]->summary);
    printf("\nsynergy help COMMAND tells more. Results go to standard output or files, notes to "
           "standard\n"
           "error. Exit code: 0 done, 1 failed, 2 usage.\n");
}

static int run_help(const command *self, int argc, char **argv)
{
    const char *name = NULL, *meant;
    size_t found = 0;
    int code;
    if (!args_parse(self, NULL, 0, argc, argv, &name, 0, 1, &found, &code)) return code;
    if (!found) {
        print_commands();
        return tool_finish_output();
    }
    const command *of = command_find(name, &meant);
    if (of) return command_help_print(of);
    if (meant) return tool_usage("unknown command '%s': did you mean '%s'?", name, meant);
    return tool_usage("unknown command '%s'", name);
}

static int run_version(const command *self, int argc, char **argv)
{
    const char *none[1];
    int code;
    if (!args_parse(self, NULL, 0, argc, argv, none, 0, 0, NULL, &code)) return code;
    return print_version();
}

const command command_help = {"help", "[COMMAND]", "all commands, or all about one",
                              NULL,   run_help,    "synergy help analyze"};
const command command_version = {"version", "",          "the program's version",
                                 NULL,      run_version, "synergy version"};
