/* json.h - JSON, written and read. */
#ifndef SYNERGY_JSON_H
#define SYNERGY_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/problem.h"
#include "base/text.h"

/* Writer. `key` is NULL inside arrays. Numbers have 17 significant digits where needed; a
   number that is not finite is written as null. Invalid UTF-8 becomes U+FFFD. */
typedef struct json_out {
    text to;
    int depth;
    bool comma;
    unsigned inline_bits; /* bit d: the container at depth d stays on one line */
} json_out;
void json_object(json_out *j, const char *key); /* one member a line */
void json_array(json_out *j, const char *key);
void json_array_inline(json_out *j, const char *key); /* all on one line */
void json_object_inline(json_out *j, const char *key);
void json_object_end(json_out *j);
void json_array_end(json_out *j);
void json_text(json_out *j, const char *key, const char *value);
void json_text_bytes(json_out *j, const char *key, const void *value, size_t n);
void json_number(json_out *j, const char *key, double value);
void json_int(json_out *j, const char *key, int64_t value);
void json_bool(json_out *j, const char *key, bool value);
void json_null(json_out *j, const char *key);
bool json_write(json_out *j, const char *path, problem *why); /* adds a newline, frees */
void json_print(json_out *j, FILE *to);                       /* adds a newline, frees */

/* The shortest of %.15g, %.16g, %.17g that reads back as the same double. */
void number_text(double value, char to[32]);

/* Reader: strict JSON (RFC 8259) to a tree. */
typedef enum json_kind {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_TEXT,
    JSON_ARRAY,
    JSON_OBJECT
} json_kind;
typedef struct json {
    json_kind kind;
    double number;
    const char *text; /* UTF-8, NUL-terminated; of JSON_TEXT, and of numbers as written */
    const char *key;  /* in an object, else NULL */
    size_t count;     /* children */
    struct json *child, *next;
} json;
typedef struct json_file {
    json *root;
    void *blocks;
} json_file;
bool json_parse(json_file *f, const char *bytes, size_t count, const char *name, problem *why);
bool json_read(json_file *f, const char *path, problem *why);
bool json_read_if_there(
    json_file *f, const char *path,
    problem *why); /* else the root is NULL, and lookups give what they give for it */
void json_free(json_file *f);
/* Lookups are tolerant: a NULL object, a missing key or another kind gives the default. */
const json *json_get(const json *object, const char *key);
const json *json_at(const json *object, const char *dotted_path); /* "model.name" */
const char *json_text_of(const json *object, const char *key, const char *otherwise);
double json_number_of(const json *object, const char *key, double otherwise);
bool json_bool_of(const json *object, const char *key, bool otherwise);
/* Numbers by value, arrays element by element; two objects pass for equal, their keys are compared
   one by one. */
bool json_equal(const json *a, const json *b);
/* The first key of `ours` whose value differs in `theirs` or is not there; NULL: none. */
const char *json_difference(const json *ours, const json *theirs);
/* Writes a value that was read, as this writer writes it: numbers as they stood, arrays of numbers
   on one line. */
void json_copy(json_out *j, const char *key, const json *value);

#endif
