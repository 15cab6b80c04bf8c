/* cmd_manual.c - synergy manual: the man page, from the same tables as --help. */
#include "base/tool.h"

#include <string.h>

/* Of the page; a clock would make two builds of one source differ. */
#define MANUAL_DATE "2026-11-28"

enum { WIDTH = 60 };

/* Text as roff shows it: no line is a request, a hyphen is one that can be copied, an argument can
   be in quotes. Lines break at a blank behind column `wide` (0: never), but for those that begin
   with a blank, which stay as they are. */
static void put_roff_bytes(const char *s, size_t n, size_t wide)
{
    size_t column = 0;
    bool literal = false;
    for (size_t i = 0; i < n; i++) {
        if (!column) literal = s[i] == ' ';
        const bool breaks = s[i] == '\n' || (wide && !literal && column >= wide && s[i] == ' ');
        if (!column && (s[i] == '.' || s[i] == '\'')) fputs("\\&", stdout);
        if (breaks) putchar('\n');
        else if (s[i] == '\\') fputs("\\e", stdout);
        else if (s[i] == '-') fputs("\\-", stdout);
        else if (s[i] == '"') fputs("\\(dq", stdout);
        else putchar(s[i]);
        column = breaks ? 0 : column + 1 + (s[i] == '-');
        while (breaks && s[i] == ' ' && i + 1 < n && s[i + 1] == ' ') i++;
    }
}

static void put_roff(const char *s)
{
    put_roff_bytes(s, strlen(s), 0);
}

/* Paragraphs; an empty line divides them. */
static void put_paragraphs(const char *s)
{
    for (const char *end;; s = end + 2) {
        end = strstr(s, "\n\n");
        puts(".PP");
        put_roff_bytes(s, end ? (size_t)(end - s) : strlen(s), WIDTH);
        putchar('\n');
        if (!end) return;
    }
}

/* A paragraph in bold, each line as it is. */
static void put_line(const char *before, const char *after)
{
    fputs(".PP\n.B \"", stdout);
    put_roff(before);
    put_roff(after);
    puts("\"");
}

static void put_options(const command *self, const option *options, size_t count, void *user)
{
    (void)self, (void)user;
    for (size_t i = 0; i < count; i++) {
        char words[128];
        option_words(&options[i], words);
        fputs(".TP\n.B \"", stdout);
        put_roff(words);
        puts("\"");
        put_roff_bytes(options[i].help, strlen(options[i].help), WIDTH);
        putchar('\n');
    }
}

static void put_command(const command *self)
{
    printf(".SS %s\n", self->name);
    put_roff(self->summary);
    putchar('\n');
    char usage[512];
    snprintf(usage, sizeof usage, "synergy %s%s", self->name, *self->usage ? " " : "");
    put_line(usage, self->usage);
    if (self->example) {
        puts(".PP\nExample:");
        fputs(".B \"", stdout);
        put_roff(self->example);
        puts("\"");
    }
    if (self->about) put_paragraphs(self->about);
    command_options(self, put_options, NULL);
}

static void put_page(void)
{
    size_t count;
    const command *const *all = commands_all(&count);
    printf(".TH SYNERGY 1 \"%s\" \"synergy %s\" \"User Commands\"\n", MANUAL_DATE, tool_version());
    puts(".SH NAME\nsynergy \\- the synergistic core of a language model, measured\n"
         ".SH SYNOPSIS\n.B synergy\n.I COMMAND\n.RI [ OPTIONS ]\n.PP\n.B synergy help\n.RI [ "
         "COMMAND ]\n"
         ".SH DESCRIPTION\n"
         "Which heads of a language model work as a synergistic core, and which as a\n"
         "redundant periphery? Runs a GGUF model, records the norm of every head (or\n"
         "expert), and decomposes the information that each pair of them carries about\n"
         "its own future (Gaussian integrated information decomposition).\n"
         "Results go to standard output or files, notes and progress to standard error.\n"
         ".PP\nStart with\n.BR analyze :\nit does all of it and ends in a report. The other "
         "commands are its steps,\n"
         "and what goes further.\n"
         ".PP\nEvery command has\n.BR \\-h ,\n.B \\-\\-help\nand\n.BR \\-V ,\n.BR \\-\\-version .\n"
         "A long option's value may follow in the next word;\n.B \\-\\-\nends the options.\n.SH "
         "COMMANDS");
    for (size_t i = 0; i < count; i++) put_command(all[i]);
    puts(".SH EXIT STATUS\n.TP\n.B 0\ndone\n.TP\n.B 1\nfailed; one line on standard error says why "
         "and where\n"
         ".TP\n.B 2\nusage\n"
         ".SH ENVIRONMENT\n.TP\n.B NO_COLOR\nwhen set, nothing is coloured on the terminal\n"
         ".TP\n.BR SLURM_PROCID \", \" OMPI_COMM_WORLD_RANK \" and the like\"\n"
         "which share of the prompts a process of a distributed\n.B capture\ntakes\n"
         ".SH SEE ALSO\n"
         "The paper: Urbina-Rodriguez et al.,\n"
         ".IR \"A Brain-like Synergistic Core in LLMs Drives Behaviour and Learning\" ,\n"
         "arXiv 2601.06851.");
}

static int run(const command *self, int argc, char **argv)
{
    const char *none[1];
    int code;
    if (!args_parse(self, NULL, 0, argc, argv, none, 0, 0, NULL, &code)) return code;
    put_page();
    return tool_finish_output();
}

const command command_manual = {"manual", "",  "the man page synergy.1, on standard output",
                                NULL,     run, "synergy manual | man -l -"};
