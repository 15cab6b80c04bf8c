/* stop.h - Ctrl-C and its like: whoever stops the program is told in one line what is kept. */
#ifndef SYNERGY_STOP_H
#define SYNERGY_STOP_H

#include <stddef.h>

#include "base/problem.h"

/* Called by main: remembers the command, and takes SIGINT, SIGTERM and SIGHUP. */
void stop_begin(int argc, char **argv);
/* What is kept, for the one line that a stop leaves; NULL: nothing worth telling. The line goes on
   with the command that takes up the work. */
void stop_keeps(const char *format, ...) TOOL_FORMAT(1, 2);
/* Files that a stop or an exit removes: what is being written beside its name, what is of use to
   the program alone. */
void stop_removes(const char *path);
void stop_spares(const char *path);
/* A mapped file: should its bytes go while they are read (it was cut short, the disk failed), the
   program says so in one line and ends with exit code 1. */
void stop_reads(const void *bytes, size_t size, const char *path);
void stop_reads_no_more(const void *bytes);
/* The command as it was given, quoted for a shell, without --fresh. */
const char *stop_command(void);

#endif
