/* cmd_completion.c - synergy completion bash|zsh: commands, options and the words that an option
   takes, from the tables of --help. */
#include "base/tool.h"

#include <string.h>

/* Words divided by '|' are choices; "FILE|builtin" is a file or a word. */
static bool is_choice(const option *o)
{
    return o->kind == OPTION_CHOICE;
}

static void put_choices(const char *meta)
{
    for (; *meta; meta++) putchar(*meta == '|' ? ' ' : *meta);
}

static void put_names(void)
{
    size_t count;
    const command *const *all = commands_all(&count);
    for (size_t i = 0; i < count; i++) printf("%s%s", i ? " " : "", all[i]->name);
}

/* ---- bash ----------------------------------------------------------------------------- */

static void bash_words(const command *self, const option *options, size_t count, void *user)
{
    (void)user;
    printf("            %s) words='", self->name);
    for (size_t i = 0; i < count; i++) {
        const option *o = &options[i];
        if (o->name) printf("--%s ", o->name);
        else printf("-%c ", o->letter);
    }
    puts("--help --version' ;;");
}

/* Options that take a value: a row for each that has words; with `user`, the others in one pattern,
   without words, which makes the shell offer files. */
static void bash_values(const command *self, const option *options, size_t count, void *user)
{
    bool *first = user;
    for (size_t i = 0; i < count; i++) {
        const option *o = &options[i];
        if (!option_takes_value(o) || is_choice(o) == (first != NULL)) continue;
        fputs(!first ? "        " : *first ? "        " : "|", stdout);
        if (o->name) printf("%s:--%s", self->name, o->name);
        if (o->letter) printf("%s%s:-%c", o->name ? "|" : "", self->name, o->letter);
        if (first) {
            *first = false;
        } else {
            fputs(") value=1 words='", stdout);
            put_choices(o->meta);
            puts("' ;;");
        }
    }
}

static void bash_command(const command *self)
{
    bool first = true;
    command_options(self, bash_values, NULL);
    command_options(self, bash_values, &first);
    if (!first) puts(") value=1 ;;");
}

static void put_bash(void)
{
    size_t count;
    const command *const *all = commands_all(&count);
    fputs("# bash completion of synergy: eval \"$(synergy completion bash)\"\n"
          "_synergy() {\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} words='' "
          "value=''\n"
          "    COMPREPLY=()\n"
          "    # the shell divides --option=word at the sign\n"
          "    if [ \"$cur\" = = ]; then cur=; elif [ \"$prev\" = = ]; then "
          "prev=${COMP_WORDS[COMP_CWORD - 2]}; fi\n"
          "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        words='",
          stdout);
    put_names();
    puts(" --help --version'\n"
         "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
         "        return\n"
         "    fi\n"
         "    case ${COMP_WORDS[1]}:$prev in");
    for (size_t i = 0; i < count; i++) bash_command(all[i]);
    fputs("        completion:completion) value=1 words='bash zsh' ;;\n"
          "        help:help) value=1 words='",
          stdout);
    put_names();
    puts("' ;;\n"
         "    esac\n"
         "    if [ -z \"$value\" ]; then\n"
         "        case $cur in -*) ;; *) return ;; esac\n"
         "        case ${COMP_WORDS[1]} in");
    for (size_t i = 0; i < count; i++) command_options(all[i], bash_words, NULL);
    puts("        esac\n"
         "    fi\n"
         "    [ -z \"$words\" ] || mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
         "}\n"
         "complete -o default -F _synergy synergy");
}

/* ---- zsh ------------------------------------------------------------------------------ */

/* Text inside of '...[here]...': quotes, brackets and colons have a meaning there. */
static void put_zsh(const char *s)
{
    for (; *s; s++) {
        if (*s == '\'') fputs("'\\''", stdout);
        else if (strchr("[]:\\", *s)) printf("\\%c", *s);
        else putchar(*s);
    }
}

static void zsh_option(const option *o)
{
    const bool takes = option_takes_value(o);
    fputs("            ", stdout);
    if (o->kind == OPTION_LIST) fputs("\\*", stdout);
    else if (o->letter && o->name) printf("'(-%c --%s)'", o->letter, o->name);
    if (o->letter && o->name)
        printf("{-%c%s,--%s%s}", o->letter, takes ? "+" : "", o->name, takes ? "=" : "");
    else if (o->name) printf("--%s%s", o->name, takes ? "=" : "");
    else printf("-%c%s", o->letter, takes ? "+" : "");
    fputs("'[", stdout);
    put_zsh(o->help);
    putchar(']');
    if (takes) {
        putchar(':');
        put_zsh(is_choice(o) ? o->name ? o->name : "value" : o->meta ? o->meta : "value");
        putchar(':');
        if (is_choice(o)) {
            putchar('(');
            put_choices(o->meta);
            putchar(')');
        } else if (o->kind == OPTION_TEXT || o->kind == OPTION_LIST) {
            fputs("_files", stdout);
        } else {
            putchar(' ');
        }
    }
    puts("' \\");
}

static void zsh_command(const command *self, const option *options, size_t count, void *user)
{
    (void)user;
    printf("        %s) _arguments -s \\\n", self->name);
    for (size_t i = 0; i < count; i++) zsh_option(&options[i]);
    puts("            '(- *)'{-h,--help}'[this text]' \\\n"
         "            '(- *)'{-V,--version}'[the version of the program]' \\");
    if (!strcmp(self->name, "help")) {
        fputs("            '1:command:(", stdout);
        put_names();
        puts(")' ;;");
    } else if (!strcmp(self->name, "completion")) {
        puts("            '1:shell:(bash zsh)' ;;");
    } else {
        puts("            '*:file:_files' ;;");
    }
}

static void put_zsh_script(void)
{
    size_t count;
    const command *const *all = commands_all(&count);
    puts("#compdef synergy\n"
         "# zsh completion of synergy: a file _synergy in a folder of $fpath, or source <(synergy "
         "completion zsh)\n"
         "_synergy() {\n"
         "    local -a commands\n"
         "    commands=(");
    for (size_t i = 0; i < count; i++) {
        printf("        '%s:", all[i]->name);
        put_zsh(all[i]->summary);
        puts("'");
    }
    puts("    )\n"
         "    if (( CURRENT == 2 )); then\n"
         "        _describe command commands\n"
         "        return\n"
         "    fi\n"
         "    shift words\n"
         "    (( CURRENT-- ))\n"
         "    case $words[1] in");
    for (size_t i = 0; i < count; i++) command_options(all[i], zsh_command, NULL);
    puts("    esac\n"
         "}\n"
         "if [[ $funcstack[1] == _synergy ]]; then _synergy \"$@\"; else compdef _synergy synergy; "
         "fi");
}

static int run(const command *self, int argc, char **argv)
{
    const char *shell;
    int code;
    if (!args_parse(self, NULL, 0, argc, argv, &shell, 1, 1, NULL, &code)) return code;
    if (!strcmp(shell, "bash")) put_bash();
    else if (!strcmp(shell, "zsh")) put_zsh_script();
    else return tool_usage("'%s' is not one of bash|zsh", shell);
    return tool_finish_output();
}

const command command_completion = {
    "completion",
    "bash|zsh",
    "what makes a shell complete commands and options",
    "For the shell that runs now:\n\n"
    "    eval \"$(synergy completion bash)\"\n    source <(synergy completion zsh)\n\n"
    "make install puts both where the shells look.",
    run,
    "eval \"$(synergy completion bash)\""};
