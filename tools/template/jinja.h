/* jinja.h - a bounded interpreter of the part of Jinja in which chat templates are written.

   A template is a program that came with a file from somewhere, so it is run like one: with a limit
   of steps, of depth and of memory, without a way to anything outside, and with a line that names
   what is not known here instead of a guess. Expressions, if, for, set, macro, whitespace control,
   filters, tests and methods work as in Jinja 2 with the settings of transformers (trim_blocks,
   lstrip_blocks; raise_exception, strftime_now, tojson without HTML escapes), which is what models
   were trained with; tests/cli_chat.sh compares. Not known: include, import, extends, call, filter
   and with blocks, raw, recursive loops, macros in loops or macros, and upper, lower, title of
   letters beyond ASCII. */
#ifndef SYNERGY_JINJA_H
#define SYNERGY_JINJA_H

#include "base/tool.h"

typedef struct jinja_message {
    const char *role;
    const char *words;
    size_t length;
} jinja_message;

typedef struct jinja_date {
    int year, month, day;
} jinja_date;

typedef struct jinja_input {
    const jinja_message *message;
    size_t messages;
    const char *bos, *eos; /* texts of the begin and end tokens; NULL: there is none */
    bool open;             /* add_generation_prompt: the assistant's turn is opened */
    jinja_date date;       /* what strftime_now says, at midnight */
} jinja_input;

/* Renders a template; *out is added to. False with the line and what was wrong there: in the
   template, or said by the template itself (raise_exception). */
bool jinja_render(const char *source, size_t length, const jinja_input *input, text *out,
                  problem *why);

/* "2024-07-26"; false for what is no day of the calendar. */
bool jinja_date_read(const char *words, jinja_date *date);

#endif
