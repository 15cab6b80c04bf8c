/* args.c - GNU-style options from a table; --help is written from the same table. */
#include "base/args.h"
#include "base/near.h"
#include "base/stop.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- all commands ---------------------------------------------------------------------- */

static const command *const *all;
static size_t all_count;

void commands_set(const command *const *table, size_t count)
{
    all = table;
    all_count = count;
}

const command *const *commands_all(size_t *count)
{
    *count = all_count;
    return all;
}

const command *command_find(const char *name, const char **meant)
{
    near_search near;
    near_begin(&near, name, strlen(name));
    for (size_t i = 0; i < all_count; i++) {
        if (!strcmp(name, all[i]->name)) return all[i];
        near_offer(&near, all[i]->name);
    }
    *meant = near.best;
    return NULL;
}

/* Who asks for a table of options: args_parse gives it to them and ends the command. */
static options_taker taker;
static void *taker_user;

void command_options(const command *self, options_taker take, void *user)
{
    char name[32];
    char *argv[2] = {name, NULL};
    snprintf(name, sizeof name, "%s", self->name);
    taker = take;
    taker_user = user;
    self->run(self, 1, argv);
    taker = NULL;
}

/* ---- help ----------------------------------------------------------------------------- */

bool option_takes_value(const option *o)
{
    return o->kind != OPTION_FLAG && o->kind != OPTION_NOFLAG && o->kind != OPTION_MAYBE;
}

void option_words(const option *o, char to[128])
{
    int n = 0;
    if (o->letter) n = snprintf(to, 128, "-%c%s", o->letter, o->name ? ", " : "");
    if (o->name) n += snprintf(to + n, 128 - (size_t)n, "--%s", o->name);
    if (option_takes_value(o) && o->meta)
        snprintf(to + n, 128 - (size_t)n, "%s%s", o->name ? "=" : " ", o->meta);
    else if (o->kind == OPTION_MAYBE) snprintf(to + n, 128 - (size_t)n, "[=%s]", o->meta);
}

int print_version(void)
{
    printf("synergy %s\n", tool_version());
    return tool_finish_output();
}

/* A text that begins in column 32, in lines of up to 100 columns as the rest of a help. */
static void print_folded(const char *words)
{
    enum { ROOM = 100 - 32 };
    while (strlen(words) > ROOM) {
        size_t n = ROOM;
        while (n && words[n] != ' ') n--;
        if (!n) break;
        printf("%.*s\n%32s", (int)n, words, "");
        words += n + 1;
    }
    printf("%s\n", words);
}

static void print_option(const option *o)
{
    char left[128], words[128];
    option_words(o, words);
    const int n = snprintf(left, sizeof left, "%s%s", o->letter ? "  " : "      ", words);
    if (n > 30) printf("%s\n%32s", left, "");
    else printf("%-32s", left);
    print_folded(o->help);
}

static void print_help(const command *self, const option *options, size_t count, void *user)
{
    (void)user;
    if (self->example) printf("Example: %s\n\n", self->example);
    printf("Usage: synergy %s%s%s\n\n%s\n", self->name, *self->usage ? " " : "", self->usage,
           self->summary);
    if (self->about) printf("\n%s\n", self->about);
    printf("\nOptions:\n");
    for (size_t i = 0; i < count; i++) print_option(&options[i]);
    printf("  -h, --help                    this text\n");
    printf("  -V, --version                 the program's version\n");
}

int command_help_print(const command *self)
{
    command_options(self, print_help, NULL);
    return tool_finish_output();
}

/* ---- values --------------------------------------------------------------------------- */

static void option_title(const option *o, char to[64])
{
    if (o->name) snprintf(to, 64, "--%s", o->name);
    else snprintf(to, 64, "-%c", o->letter);
}

static bool choice_set(const option *o, const char *value)
{
    const char *word = o->meta;
    size_t length = strlen(value);
    for (int index = 0;; index++) {
        size_t n = strcspn(word, "|");
        if (n == length && memcmp(word, value, n) == 0) {
            *(int *)o->to = index;
            return true;
        }
        if (!word[n]) return false;
        word += n + 1;
    }
}

static void range_text(const option *o, char to[96])
{
    to[0] = '\0';
    if (o->min < o->max) snprintf(to, 96, " from %.15g to %.15g", o->min, o->max);
}

static bool in_range(const option *o, double value)
{
    return !(o->min < o->max) || (value >= o->min && value <= o->max);
}

/* Stores one value; on failure prints the usage error and returns 2. */
static int value_set(const option *o, const char *value)
{
    char title[64], range[96], *end = NULL;
    option_title(o, title);
    range_text(o, range);
    errno = 0;
    if (o->kind == OPTION_TEXT) {
        *(const char **)o->to = value;
    } else if (o->kind == OPTION_LIST) {
        text_list *list = o->to;
        list->at = tool_realloc(list->at, list->count + 1, sizeof *list->at);
        list->at[list->count++] = value;
    } else if (o->kind == OPTION_CHOICE) {
        if (!choice_set(o, value))
            return tool_usage("%s: '%s' is not one of %s", title, value, o->meta);
    } else if (o->kind == OPTION_INT) {
        long long n = strtoll(value, &end, 10);
        if (end == value || *end || errno || !in_range(o, (double)n))
            return tool_usage("%s: '%s' is not a whole number%s", title, value, range);
        *(int64_t *)o->to = n;
    } else {
        double x = strtod(value, &end);
        if (end == value || *end || !isfinite(x) || !in_range(o, x))
            return tool_usage("%s: '%s' is not a number%s", title, value, range);
        *(double *)o->to = x;
    }
    return 0;
}

static void flag_set(const option *o, const char *value)
{
    if (o->kind == OPTION_MAYBE) *(const char **)o->to = value ? value : "";
    else *(bool *)o->to = o->kind == OPTION_FLAG;
}

/* ---- the walk over argv --------------------------------------------------------------- */

typedef struct arg_walk {
    const command *self;
    const option *options;
    size_t count;
    int argc, at;
    char **argv;
} arg_walk;

enum { GO_ON = -1 };

/* Another long name that is near is told. `-output` is --output, too. */
static int unknown_option(const arg_walk *w, const char *name, size_t length, int dashes)
{
    near_search near;
    near_begin(&near, name, length);
    if (length > 1) {
        for (size_t i = 0; i < w->count; i++)
            if (w->options[i].name) near_offer(&near, w->options[i].name);
        near_offer(&near, "help");
        near_offer(&near, "version");
    }
    const char *dash = &"--"[2 - dashes];
    const int shown = dashes == 1 && !near.best ? 1 : (int)length;
    if (near.best)
        return tool_usage("unknown option %s%.*s: did you mean --%s?", dash, shown, name,
                          near.best);
    return tool_usage("unknown option %s%.*s", dash, shown, name);
}

/* "--name", "--name=value" or "--name value". */
static int long_option(arg_walk *w)
{
    const char *name = w->argv[w->at] + 2;
    size_t length = strcspn(name, "=");
    const char *value = name[length] ? name + length + 1 : NULL;
    for (size_t i = 0; i < w->count; i++) {
        const option *o = &w->options[i];
        if (!o->name || strlen(o->name) != length || memcmp(o->name, name, length)) continue;
        if (o->given) *o->given = true;
        if (!option_takes_value(o)) {
            if (value && o->kind != OPTION_MAYBE) return tool_usage("--%s takes no value", o->name);
            flag_set(o, value);
            return GO_ON;
        }
        if (!value && w->at + 1 >= w->argc) return tool_usage("--%s needs a value", o->name);
        if (!value) value = w->argv[++w->at];
        int code = value_set(o, value);
        return code ? code : GO_ON;
    }
    return unknown_option(w, name, length, 2);
}

/* "-x", "-x value", "-xvalue"; flags may be joined: "-ab". */
static int short_options(arg_walk *w)
{
    for (const char *s = w->argv[w->at] + 1; *s; s++) {
        const option *o = NULL;
        for (size_t i = 0; i < w->count && !o; i++)
            if (w->options[i].letter == *s) o = &w->options[i];
        if (!o && *s == 'h') {
            print_help(w->self, w->options, w->count, NULL);
            return tool_finish_output();
        }
        if (!o && *s == 'V') return print_version();
        if (!o)
            return s == w->argv[w->at] + 1 ? unknown_option(w, s, strcspn(s, "="), 1)
                                           : tool_usage("unknown option -%c", *s);
        if (o->given) *o->given = true;
        if (!option_takes_value(o)) {
            flag_set(o, NULL);
            continue;
        }
        const char *value = s[1] ? s + 1 : NULL;
        if (value && *value == '=') value++;
        if (!value && w->at + 1 >= w->argc) return tool_usage("-%c needs a value", *s);
        if (!value) value = w->argv[++w->at];
        int code = value_set(o, value);
        return code ? code : GO_ON;
    }
    return GO_ON;
}

static int one_option(arg_walk *w)
{
    const char *s = w->argv[w->at];
    if (strcmp(s, "--help") == 0) {
        print_help(w->self, w->options, w->count, NULL);
        return tool_finish_output();
    }
    if (strcmp(s, "--version") == 0) return print_version();
    return s[1] == '-' ? long_option(w) : short_options(w);
}

bool args_parse(const command *self, const option *options, size_t count, int argc, char **argv,
                const char **operands, size_t least, size_t most, size_t *found, int *code)
{
    arg_walk w = {self, options, count, argc, 1, argv};
    bool only_operands = false;
    size_t n = 0;
    if (taker) {
        taker(self, options, count, taker_user);
        *code = 0;
        return false;
    }
    tool_name_set(self->name);
    stop_keeps(NULL); /* its line has the name */
    *code = GO_ON;
    for (; w.at < argc && *code == GO_ON; w.at++) {
        const char *s = argv[w.at];
        if (!only_operands && strcmp(s, "--") == 0) only_operands = true;
        else if (!only_operands && s[0] == '-' && s[1]) *code = one_option(&w);
        else if (n < most) operands[n++] = s;
        else *code = tool_usage("one argument too many: '%s'", s);
    }
    if (*code == GO_ON && n < least) *code = tool_usage("an argument is missing: %s", self->usage);
    if (found) *found = n;
    return *code == GO_ON;
}
