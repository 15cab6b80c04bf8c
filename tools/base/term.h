/* term.h - the terminal, the clock, the machine. */
#ifndef SYNERGY_TERM_H
#define SYNERGY_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

double clock_seconds(void); /* monotonic */
int cores_count(void);
bool term_colours(FILE *stream);                           /* a terminal, and NO_COLOR is not set */
bool term_utf8(void);                                      /* the locale's character set */
int term_columns(FILE *stream);                            /* 80 when unknown */
void duration_text(double seconds, char *to, size_t room); /* "3 min 20 s" */
void bytes_text(double bytes, char *to, size_t room);      /* "12.3 MB" */

/* One line on standard error that is drawn again and again in a terminal; elsewhere (nohup, batch
   jobs) a line every few per cent or 30 seconds (progress.c). */
typedef struct progress {
    const char *label;
    double total, first, last, started;
    double told; /* share of the last line in a log */
    bool shown, mute;
} progress;
void progress_begin(progress *p, const char *label, double total);
/* Bars that begin while this is on show nothing: they are parts of a work that has one. */
void progress_hush(bool hush);
bool progress_hushed(void);
/* Work already done by an earlier run does not count for the estimate. */
void progress_skip(progress *p, double done);
void progress_step(progress *p, double done);
void progress_end(progress *p); /* clears the line */

/* Text from a file or a model: in a terminal its control characters, which could move the cursor,
   set a title or send keys, become '?'; into a file or a pipe the bytes go as they are. Line ends
   and tabs stay. */
void term_write(FILE *to, const char *bytes, size_t count);

/* A profile over layers as a small bar chart; NaN is a gap. `marks` may be NULL. */
void term_profile(FILE *to, const char *title, const double *value, size_t layers);

#endif
