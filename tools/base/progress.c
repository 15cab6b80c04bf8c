/* progress.c - the progress of long work: a bar in a terminal, lines in a log. */
#include "base/term.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BAR = 24 };
/* In a log: a line every so many per cent, but not more often than twice a second, or after so many
   seconds. */
static const double log_step = 0.05, log_least = 0.5, log_most = 30;
/* The time left is told from this share of the work on: what is done before may be a few pieces
   that end together, or the start of it all, and says nothing. The plan was told before (work.c).
 */
static const double left_least = 0.01;

static bool hushed; /* work within a work that has a bar of its own */

void progress_hush(bool hush)
{
    hushed = hush;
}

bool progress_hushed(void)
{
    return hushed;
}

void progress_begin(progress *p, const char *label, double total)
{
    memset(p, 0, sizeof *p);
    p->label = label;
    p->total = total > 0 ? total : 1;
    p->started = clock_seconds();
    p->last = -1;
    p->shown = isatty(fileno(stderr)) == 1;
    p->mute = hushed;
}

void progress_skip(progress *p, double done)
{
    p->first = done;
    p->told = done / p->total;
}

static void time_left(const progress *p, double done, double spent, char *to, size_t room)
{
    char time[32];
    const double ours = done - p->first;
    to[0] = '\0';
    if (!(ours >= left_least * (p->total - p->first)) || spent <= 0.5 || done >= p->total) return;
    duration_text(spent * (p->total - done) / ours, time, sizeof time);
    snprintf(to, room, ", %s left", time);
}

/* What fits into the terminal's line: first the bar becomes shorter, then the time goes, then the
   bar. */
static void draw(const progress *p, double done, double spent)
{
    char left[64], bar[BAR + 1];
    const double share = done / p->total;
    const int columns = term_columns(stderr) - 1, label = (int)strlen(p->label);
    time_left(p, done, spent, left, sizeof left);
    int room = columns - label - 9 - (int)strlen(left); /* " [" "] 100 %" */
    if (room < 5) {
        room += (int)strlen(left);
        left[0] = '\0';
    }
    const int width = room > BAR ? BAR : room;
    for (int i = 0; i < width; i++) bar[i] = (i + 0.5) / width < share ? '#' : '.';
    if (width >= 3) {
        bar[width] = '\0';
        fprintf(stderr, "\r%s [%s] %3.0f %%%s\033[K", p->label, bar, 100 * share, left);
    } else {
        fprintf(stderr, "\r%.*s %3.0f %%\033[K", columns > 7 ? columns - 7 : 1, p->label,
                100 * share);
    }
    fflush(stderr);
}

static void log_line(progress *p, double done, double spent)
{
    char left[64], time[32];
    time_left(p, done, spent, left, sizeof left);
    duration_text(spent, time, sizeof time);
    fprintf(stderr, "%s: %.0f %%, %s%s\n", p->label, 100 * done / p->total, time, left);
    fflush(stderr);
    p->told = done / p->total;
}

/* At most ten times a second: drawing must cost nothing beside the work. */
void progress_step(progress *p, double done)
{
    if (p->mute) return;
    const double now = clock_seconds(), spent = now - p->started;
    if (p->shown) {
        if (p->last >= 0 && now - p->last < 0.1 && done < p->total) return;
        p->last = now;
        draw(p, done, spent);
        return;
    }
    const double since = p->last < 0 ? spent : now - p->last, step = done / p->total - p->told;
    if (since < log_least ||
        (step < log_step && since < log_most && (done < p->total || step <= 0)))
        return;
    p->last = now;
    log_line(p, done, spent);
}

void progress_end(progress *p)
{
    if (!p->shown || p->last < 0) return;
    fprintf(stderr, "\r\033[K");
    fflush(stderr);
    p->shown = false;
}
