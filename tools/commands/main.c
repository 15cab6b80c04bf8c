/* main.c - the program `synergy`: finds the sub-command and hands over. */
#include "engine/engine.h"
#include "base/work.h"

#include <locale.h>
#include <signal.h>
#include <string.h>

/* First what most people want, then in the order of the data, which is the order of --help. A new
   command is a new row here and a new file cmd_NAME.c that defines `command_NAME`. */
#define COMMANDS(X)                                                                                \
    X(analyze)                                                                                     \
    X(info)                                                                                        \
    X(tokenize)                                                                                    \
    X(detokenize)                                                                                  \
    X(run)                                                                                         \
    X(capture)                                                                                     \
    X(merge)                                                                                       \
    X(phiid)                                                                                       \
    X(graph)                                                                                       \
    X(perplexity)                                                                                  \
    X(eval)                                                                                        \
    X(prune)                                                                                       \
    X(ablate)                                                                                      \
    X(perturb)                                                                                     \
    X(gradient)                                                                                    \
    X(corpus)                                                                                      \
    X(train)                                                                                       \
    X(emerge)                                                                                      \
    X(tune)                                                                                        \
    X(report)                                                                                      \
    X(compare)                                                                                     \
    X(completion)                                                                                  \
    X(manual)                                                                                      \
    X(version)                                                                                     \
    X(help)

#define DECLARE(name) extern const command command_##name;
#define ROW(name) &command_##name,
COMMANDS(DECLARE)
static const command *const command_table[] = {COMMANDS(ROW)};
enum { COMMAND_COUNT = sizeof command_table / sizeof command_table[0] };

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, ""); /* numbers keep the point of the C locale */
    tool_version_set(SYNERGY_VERSION);
    commands_set(command_table, COMMAND_COUNT);
    stop_begin(argc, argv);
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is a failed write: results in files are finished */
    if (argc < 2)
        return tool_usage("a command is missing: start with synergy analyze MODEL -o DIR");
    const char *name = argv[1], *meant;
    if (!strcmp(name, "--help") || !strcmp(name, "-h")) name = "help";
    if (!strcmp(name, "--version") || !strcmp(name, "-V")) name = "version";
    const command *found = command_find(name, &meant);
    if (found) return found->run(found, argc - 1, argv + 1);
    if (meant) return tool_usage("unknown command '%s': did you mean '%s'?", name, meant);
    return tool_usage("unknown command '%s'", name);
}
