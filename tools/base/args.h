/* args.h - commands and their options. */
#ifndef SYNERGY_ARGS_H
#define SYNERGY_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/problem.h"

typedef enum option_kind {
    OPTION_FLAG,   /* bool *: true when given                                  */
    OPTION_NOFLAG, /* bool *: false when given                                 */
    OPTION_TEXT,   /* const char **                                            */
    OPTION_INT,    /* int64_t *, within [min, max]                             */
    OPTION_NUMBER, /* double *, within [min, max], finite                      */
    OPTION_CHOICE, /* int *: index in `meta`, words separated by '|'           */
    OPTION_LIST,   /* text_list *: may be given again and again                */
    OPTION_MAYBE   /* const char **: "--name=value", or "" of "--name" alone   */
} option_kind;

typedef struct text_list {
    const char **at;
    size_t count;
} text_list;

typedef struct option {
    const char *name; /* long name without dashes, or NULL */
    char letter;      /* short name, or 0 */
    option_kind kind;
    const char *meta; /* name of the value for --help, or the choices "mmi|ccs" */
    const char *help; /* one phrase */
    void *to;
    double min, max; /* of numbers; both 0: no limits */
    bool *given;     /* may be NULL; set when the option occurs */
} option;

typedef struct command {
    const char *name;
    const char *usage;   /* "NORMS.npy|DIR -o DIR" */
    const char *summary; /* one phrase for the list of commands */
    const char *about;   /* further lines of --help, or NULL */
    int (*run)(const struct command *self, int argc, char **argv);
    const char *example; /* one whole line for the shell, which --help begins with */
} command;

/* All commands, for help, completion and the manual; main sets them once. */
void commands_set(const command *const *table, size_t count);
const command *const *commands_all(size_t *count);
/* NULL when there is none of the name; then the name that was probably meant, or NULL,
   in *meant. */
const command *command_find(const char *name, const char **meant);

/* A command's own table of options, without --help and --version, which all have: calls the command
   only as far as args_parse. */
typedef void (*options_taker)(const command *self, const option *options, size_t count, void *user);
void command_options(const command *self, options_taker take, void *user);
/* "-o", "--output" or both with the name of the value, as --help shows them. */
void option_words(const option *o, char to[128]);
/* Whether a value must follow. */
bool option_takes_value(const option *o);
/* The help of a command on standard output; the exit code. */
int command_help_print(const command *self);
int print_version(void);

/* Reads argv (argv[0] is the command's name). Operands may stand between options, "--" ends
   the options. `operands` is filled with up to `most`; fewer than `least` or more than `most` is
   a usage error. Returns false when the command should return *code at once: 0 after --help or
   --version, 2 after a usage error. */
bool args_parse(const command *self, const option *options, size_t count, int argc, char **argv,
                const char **operands, size_t least, size_t most, size_t *found, int *code);

/* The options that several commands have: put OPTION_THREADS(&o) etc. into the table. */
#define OPTION_THREADS(to)                                                                         \
    {                                                                                              \
        "threads", 't', OPTION_INT, "N", "threads (default: all cores)", (to), 1, 256, NULL        \
    }
#define OPTION_EXACT(to)                                                                           \
    {                                                                                              \
        "exact", 0, OPTION_FLAG, NULL, "exact arithmetic, not int8 activations", (to), 0, 0, NULL  \
    }
#define OPTION_SEED(to)                                                                            \
    {                                                                                              \
        "seed", 0, OPTION_INT, "N", "seed of everything random (default 1)", (to), 0, 9e15, NULL   \
    }
#define OPTION_CONTEXT(to)                                                                         \
    {                                                                                              \
        "context", 'c', OPTION_INT, "N", "context length in tokens", (to), 1, 1 << 24, NULL        \
    }
#define OPTION_JSON(to)                                                                            \
    {                                                                                              \
        "json", 0, OPTION_FLAG, NULL, "print JSON", (to), 0, 0, NULL                               \
    }
#define OPTION_OUT(to)                                                                             \
    {                                                                                              \
        "output", 'o', OPTION_TEXT, "DIR", "where results go", (to), 0, 0, NULL                    \
    }
#define OPTION_FORCE(to)                                                                           \
    {                                                                                              \
        "force", 0, OPTION_FLAG, NULL, "replace results of another model or settings", (to), 0, 0, \
            NULL                                                                                   \
    }
#define OPTION_BEYOND(to)                                                                          \
    {                                                                                              \
        "beyond-context", 0, OPTION_FLAG, NULL,                                                    \
            "go on beyond the context that the model was trained for", (to), 0, 0, NULL            \
    }
#define OPTION_FRESH(to)                                                                           \
    {                                                                                              \
        "fresh", 0, OPTION_FLAG, NULL,                                                             \
            "start over; without it the same settings go on where a run was stopped", (to), 0, 0,  \
            NULL                                                                                   \
    }
#define OPTION_RESUME(to)                                                                          \
    {                                                                                              \
        "resume", 0, OPTION_FLAG, NULL, "go on where a stopped run was: the default", (to), 0, 0,  \
            NULL                                                                                   \
    }
#define OPTION_COUNT(table) (sizeof(table) / sizeof((table)[0]))

#endif
