/* problem.h - why something failed, notes to the user, memory; below everything else in tools/. C99
   and POSIX, libc and libm only. */
#ifndef SYNERGY_PROBLEM_H
#define SYNERGY_PROBLEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define TOOL_FORMAT(a, b) __attribute__((format(printf, a, b)))
#else
#define TOOL_FORMAT(a, b)
#endif

/* Why something failed: one line that names the file, the place and what to do. */
typedef struct problem {
    char text[1024];
} problem;

bool problem_set(problem *why, const char *format, ...) TOOL_FORMAT(2, 3); /* always false */
bool problem_errno(problem *why, const char *path, const char *doing);     /* + strerror */

/* Prints "synergy NAME: text" on standard error and returns the exit code 1. */
int tool_fail(const problem *why);
int tool_fail_text(const char *format, ...) TOOL_FORMAT(1, 2);
/* The same with exit code 2 and a pointer to --help. */
int tool_usage(const char *format, ...) TOOL_FORMAT(1, 2);
/* A note on standard error (always printed; one line). */
void tool_note(const char *format, ...) TOOL_FORMAT(1, 2);
void tool_name_set(const char *name); /* the prefix of the above */
const char *tool_name(void);
/* The program has the version of the library: SYNERGY_VERSION, a number; as text "1.2.3". */
void tool_version_set(int version);
const char *tool_version(void);

/* Zeroed memory; ends the program with one line and exit code 1 when there is none. Sizes are
   multiplied with a check. */
void *tool_alloc(size_t count, size_t bytes_each);
void *tool_realloc(void *old, size_t count, size_t bytes_each);
char *tool_copy(const char *text);

/* SplitMix64 (Steele et al. 2014): 64 bits, and the state moves on. */
uint64_t random_bits(uint64_t *state);

/* Flushes standard output; a full disk is a failure. Returns the exit code. */
int tool_finish_output(void);
/* Has the reader of standard output gone (head)? That is no failure, and there is no more to do. */
bool tool_output_closed(void);

#endif
