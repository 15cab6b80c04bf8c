/* base.c - problems, notes, memory and growing text. */
#include "base/problem.h"
#include "base/text.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char name_now[32] = "";

void tool_name_set(const char *name)
{
    snprintf(name_now, sizeof name_now, "%s", name);
}

const char *tool_name(void)
{
    return name_now;
}

static char version_text[32] = "";

void tool_version_set(int version)
{
    snprintf(version_text, sizeof version_text, "%d.%d.%d", version / 10000, version / 100 % 100,
             version % 100);
}

const char *tool_version(void)
{
    return version_text;
}

/* ---- problems ------------------------------------------------------------------------- */

/* A problem is one line: file names and file contents may hold anything. */
static void make_one_line(char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f) *s = '?';
}

bool problem_set(problem *why, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(why->text, sizeof why->text, format, list);
    va_end(list);
    make_one_line(why->text);
    return false;
}

bool problem_errno(problem *why, const char *path, const char *doing)
{
    int number = errno;
    return problem_set(why, "%s: %s: %s", path, doing, strerror(number));
}

static void say(const char *kind, const char *words)
{
    fflush(stdout);
    fprintf(stderr, "synergy%s%s: %s%s\n", name_now[0] ? " " : "", name_now, kind, words);
}

int tool_fail(const problem *why)
{
    say("", why->text);
    return 1;
}

int tool_fail_text(const char *format, ...)
{
    problem why;
    va_list list;
    va_start(list, format);
    vsnprintf(why.text, sizeof why.text, format, list);
    va_end(list);
    make_one_line(why.text);
    return tool_fail(&why);
}

int tool_usage(const char *format, ...)
{
    problem why;
    va_list list;
    va_start(list, format);
    vsnprintf(why.text, sizeof why.text - 64, format, list);
    va_end(list);
    make_one_line(why.text);
    snprintf(why.text + strlen(why.text), 64, " (see synergy%s%s --help)", name_now[0] ? " " : "",
             name_now);
    say("", why.text);
    return 2;
}

void tool_note(const char *format, ...)
{
    problem why;
    va_list list;
    va_start(list, format);
    vsnprintf(why.text, sizeof why.text, format, list);
    va_end(list);
    make_one_line(why.text);
    say("note: ", why.text);
}

uint64_t random_bits(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* A pipe that nobody reads any more, as head leaves it. */
bool tool_output_closed(void)
{
    struct pollfd out = {STDOUT_FILENO, POLLOUT, 0};
    return ferror(stdout) && poll(&out, 1, 0) == 1 && (out.revents & POLLERR);
}

int tool_finish_output(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) return 0;
    if (tool_output_closed()) return 0;
    return tool_fail_text("standard output: %s", strerror(errno));
}

/* ---- memory --------------------------------------------------------------------------- */

static void *must_have(void *p, size_t count, size_t each)
{
    if (p) return p;
    fprintf(stderr, "synergy: out of memory (%.0f bytes wanted)\n", (double)count * (double)each);
    exit(1);
}

void *tool_alloc(size_t count, size_t bytes_each)
{
    if (count == 0) count = 1;
    if (bytes_each == 0) bytes_each = 1;
    return must_have(calloc(count, bytes_each), count, bytes_each);
}

void *tool_realloc(void *old, size_t count, size_t bytes_each)
{
    bool too_big = bytes_each && count > SIZE_MAX / bytes_each;
    size_t bytes = too_big ? 0 : count * bytes_each;
    return must_have(too_big ? NULL : realloc(old, bytes ? bytes : 1), count, bytes_each);
}

char *tool_copy(const char *s)
{
    size_t n = strlen(s) + 1;
    return memcpy(tool_alloc(n, 1), s, n);
}

/* ---- growing text --------------------------------------------------------------------- */

void text_add_bytes(text *t, const void *s, size_t n)
{
    if (n >= t->room - t->length || !t->at) {
        size_t room = t->room ? t->room : 256;
        while (room - t->length <= n) {
            if (room > SIZE_MAX / 2) must_have(NULL, n, 1);
            room *= 2;
        }
        t->at = tool_realloc(t->at, room, 1);
        t->room = room;
    }
    if (n) memcpy(t->at + t->length, s, n);
    t->length += n;
    t->at[t->length] = '\0';
}

void text_add(text *t, const char *s)
{
    text_add_bytes(t, s, strlen(s));
}

void text_print(text *t, const char *format, ...)
{
    char small[512];
    va_list list;
    va_start(list, format);
    int n = vsnprintf(small, sizeof small, format, list);
    va_end(list);
    if (n < 0) return;
    if ((size_t)n < sizeof small) {
        text_add_bytes(t, small, (size_t)n);
        return;
    }
    char *large = tool_alloc((size_t)n + 1, 1);
    va_start(list, format);
    vsnprintf(large, (size_t)n + 1, format, list);
    va_end(list);
    text_add_bytes(t, large, (size_t)n);
    free(large);
}

void text_free(text *t)
{
    free(t->at);
    t->at = NULL;
    t->length = t->room = 0;
}

size_t utf8_length(const unsigned char *s, size_t n)
{
    if (s[0] < 0x80) return 1;
    size_t length = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4 || length > n) return 0;
    for (size_t i = 1; i < length; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    if (s[0] == 0xe0 && s[1] < 0xa0) return 0;
    if (s[0] == 0xed && s[1] > 0x9f) return 0; /* surrogates */
    if (s[0] == 0xf0 && s[1] < 0x90) return 0;
    if (s[0] == 0xf4 && s[1] > 0x8f) return 0;
    return length;
}

char *utf8_put(char *to, uint32_t c)
{
    static const unsigned char lead[] = {0, 0xc0, 0xe0, 0xf0};
    const int more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    *to++ = (char)(lead[more] | c >> 6 * more);
    for (int i = more; i-- > 0;) *to++ = (char)(0x80 | (c >> 6 * i & 63));
    return to;
}
