/* stop.c - SIGINT, SIGTERM, SIGHUP and SIGBUS: one line says what is kept and how to go on,
   half-written files go, and the program ends as one that a signal ended. */
#include "base/stop.h"
#include "base/file.h"
#include "base/text.h"

#include <signal.h>
#include <stdio.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE = 8192, PARTS = 16, VIEWS = 64 };

/* The handler reads a line that is whole: the other one is being written meanwhile. */
static char stop_line[2][LINE];
static volatile sig_atomic_t shown;
static char half_file[PARTS][TOOL_PATH_BYTES];
static volatile sig_atomic_t half_used[PARTS];
static struct {
    const unsigned char *bytes;
    size_t size;
    char path[512];
} view[VIEWS];
static volatile sig_atomic_t view_used[VIEWS];
static text command_line;

static void put(const char *s)
{
    const size_t n = strlen(s);
    if (write(STDERR_FILENO, s, n) < 0) return; /* nobody listens */
}

static void unlink_halves(void)
{
    for (int i = 0; i < PARTS; i++)
        if (half_used[i]) unlink(half_file[i]);
}

static void remove_halves(void)
{
    unlink_halves();
    if (isatty(STDERR_FILENO)) put("\r\033[K");
}

/* A page of a mapped file that is not there. Any other SIGBUS is as without us. */
static void lost(int number, siginfo_t *info, void *context)
{
    const unsigned char *at = info->si_addr;
    (void)context;
    for (int i = 0; i < VIEWS; i++) {
        if (!view_used[i] || at < view[i].bytes || at >= view[i].bytes + view[i].size) continue;
        remove_halves();
        put("synergy");
        if (*tool_name()) put(" ");
        put(tool_name());
        put(": ");
        put(view[i].path);
        put(": cannot be read on: it was cut short while it was in use, or the disk failed\n");
        _exit(1);
    }
    signal(number, SIG_DFL);
    raise(number);
}

static void stopped(int number)
{
    remove_halves();
    put(stop_line[shown]);
    signal(number, SIG_DFL);
    raise(number);
}

static void write_line(const char *name, const char *kept)
{
    const int next = !shown;
    if (kept)
        snprintf(stop_line[next], LINE, "synergy%s%s: stopped; %s; to go on: %s\n",
                 *name ? " " : "", name, kept, stop_command());
    else snprintf(stop_line[next], LINE, "synergy%s%s: stopped\n", *name ? " " : "", name);
    shown = next;
}

void stop_keeps(const char *format, ...)
{
    char kept[2048];
    va_list list;
    if (!format) {
        write_line(tool_name(), NULL);
        return;
    }
    va_start(list, format);
    vsnprintf(kept, sizeof kept, format, list);
    va_end(list);
    write_line(tool_name(), kept);
}

/* ---- the command ---------------------------------------------------------------------- */

static void add_word(const char *word)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./,:=@%+";
    if (command_line.length) text_add(&command_line, " ");
    if (*word && !word[strspn(word, plain)]) {
        text_add(&command_line, word);
        return;
    }
    text_add(&command_line, "'");
    for (; *word; word++)
        if (*word == '\'') text_add(&command_line, "'\\''");
        else text_add_bytes(&command_line, (unsigned char)*word < 0x20 ? "?" : word, 1);
    text_add(&command_line, "'");
}

const char *stop_command(void)
{
    return command_line.at ? command_line.at : "synergy";
}

void stop_begin(int argc, char **argv)
{
    static const int number[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction bus;
    memset(&bus, 0, sizeof bus);
    bus.sa_sigaction = lost;
    bus.sa_flags = SA_SIGINFO;
    sigaction(SIGBUS, &bus, NULL);
    atexit(unlink_halves); /* memory that runs out ends the program wherever it is */
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--fresh")) add_word(argv[i]);
    write_line("", NULL);
    /* One at a time: who stops a group of processes (timeout, a shell) sends the signal twice, and
       the second must not end the program before the first has told its line. */
    struct sigaction whole, before;
    memset(&whole, 0, sizeof whole);
    whole.sa_handler = stopped;
    sigemptyset(&whole.sa_mask);
    for (size_t i = 0; i < sizeof number / sizeof number[0]; i++)
        sigaddset(&whole.sa_mask, number[i]);
    for (size_t i = 0; i < sizeof number / sizeof number[0]; i++)
        if (sigaction(number[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(number[i], &whole, NULL); /* ignored: nohup, background jobs */
}

/* ---- files ---------------------------------------------------------------------------- */

void stop_removes(const char *path)
{
    for (int i = 0; i < PARTS; i++) {
        if (half_used[i] || strlen(path) >= sizeof half_file[i]) continue;
        strcpy(half_file[i], path);
        half_used[i] = 1;
        return;
    }
}

void stop_spares(const char *path)
{
    for (int i = 0; i < PARTS; i++)
        if (half_used[i] && !strcmp(half_file[i], path)) half_used[i] = 0;
}

void stop_reads(const void *bytes, size_t size, const char *path)
{
    for (int i = 0; i < VIEWS; i++) {
        if (view_used[i]) continue;
        view[i].bytes = bytes;
        view[i].size = size;
        snprintf(view[i].path, sizeof view[i].path, "%s", path);
        view_used[i] = 1;
        return;
    }
}

void stop_reads_no_more(const void *bytes)
{
    for (int i = 0; i < VIEWS; i++)
        if (view_used[i] && view[i].bytes == bytes) view_used[i] = 0;
}
