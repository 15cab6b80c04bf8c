/* main.c - the program `synergy`: finds the sub-command and hands over. */
#include "engine/engine.h"
#include "base/work.h"

#include <locale.h>
#include <signal.h>
#include <string.h>

/* In the order of the data, which is the order of --help. A new command is a new row here and
   a new file cmd_NAME.c that defines `command_NAME`. */
#define COMMANDS(X) \
    X(info)         \
    X(tokenize)     \
    X(detokenize)   \
    X(run)          \
    X(capture)      \
    X(merge)        \
    X(phiid)        \
    X(graph)        \
    X(perplexity)   \
    X(eval)         \
    X(prune)        \
    X(ablate)       \
    X(perturb)      \
    X(gradient)     \
    X(corpus)       \
    X(train)        \
    X(analyze)      \
    X(report)       \
    X(compare)

#define DECLARE(name) extern const command command_##name;
#define ROW(name) &command_##name,
COMMANDS(DECLARE)
static const command *const command_table[] = {COMMANDS(ROW)};
enum { COMMAND_COUNT = sizeof command_table / sizeof command_table[0] };

static void print_help(FILE *to) {
    fputs("Usage: synergy COMMAND [OPTIONS] ...\n\n"
          "Which heads of a language model work as a synergistic core, and which as a redundant\n"
          "periphery? Runs a GGUF model, records the norm of every head, and decomposes the\n"
          "information that each pair of heads carries (Gaussian PhiID).\n\nCommands:\n", to);
    for (int i = 0; i < COMMAND_COUNT; i++)
        fprintf(to, "  %-12s%s\n", command_table[i]->name, command_table[i]->summary);
    fputs("\nsynergy COMMAND --help tells more. Results go to standard output or files, notes to\n"
          "standard error. Exit code: 0 done, 1 failed, 2 usage.\n", to);
}

int main(int argc, char **argv) {
    setlocale(LC_CTYPE, ""); /* numbers keep the point of the C locale */
    tool_version_set(SYNERGY_VERSION);
    stop_begin(argc, argv);
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is a failed write: results in files are finished */
    const char *name = argc > 1 ? argv[1] : "";
    if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
        print_help(stdout);
        return tool_finish_output();
    }
    if (!strcmp(name, "--version")) {
        printf("synergy %s\n", tool_version());
        return tool_finish_output();
    }
    for (int i = 0; i < COMMAND_COUNT; i++)
        if (!strcmp(name, command_table[i]->name))
            return command_table[i]->run(command_table[i], argc - 1, argv + 1);
    if (argc < 2) return tool_usage("a command is missing");
    return tool_usage("unknown command '%s'", name);
}
