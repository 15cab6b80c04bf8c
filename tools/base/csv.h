/* csv.h - tables of our own, comma separated. */
#ifndef SYNERGY_CSV_H
#define SYNERGY_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/problem.h"
#include "base/text.h"

/* A comma stands before every cell of a row but the first. */
void csv_text(text *t, const char *cell); /* quoted where needed; see csv_name */
void csv_number(text *t, double value);   /* round-trips; not finite: an empty cell */
void csv_int(text *t, int64_t value);
void csv_empty(text *t);
void csv_end_row(text *t);

typedef struct csv {
    size_t columns, rows; /* rows without the header */
    const char **head;    /* [columns] */
    const char **cell;    /* [rows][columns] */
    size_t *line;         /* [rows]: where it begins in the file, from 1 */
    size_t head_line;
    size_t empty_lines, empty_line; /* between rows: how many, and the first of them */
    char *bytes;
} csv;
bool csv_read(csv *c, const char *path, problem *why);
/* The same of bytes that become the table's (one more than `size`, from csv_bytes or malloc). */
typedef struct csv_form {
    size_t from, first_line; /* where the header begins */
    char separator;          /* ' ': any run of blanks */
} csv_form;
bool csv_parse(csv *c, char *bytes, size_t size, const csv_form *form, const char *path,
               problem *why);
char *csv_bytes(const char *path, size_t *size, problem *why); /* a copy with room for one more */
void csv_free(csv *c);
int csv_column(const csv *c, const char *name);             /* -1: none */
const char *csv_cell(const csv *c, size_t row, int column); /* "" when column is -1 */
/* The text that csv_text was given. A text that a spreadsheet would take for a formula (it begins
   with = + - @, a tab or a carriage return and is no number) is written with an apostrophe before
   it, and so is a text that is such a one behind apostrophes of its own, so that taking one away
   always gives the text. */
const char *csv_name(const char *cell);
/* An empty cell is NaN; false when a cell is not a number. */
bool csv_double(const char *cell, double *value);
/* By the column's name: "" or NaN where there is no such column, or no number. */
const char *csv_at(const csv *c, size_t row, const char *column);
double csv_number_at(const csv *c, size_t row, const char *column);
bool csv_is_at(const csv *c, size_t row, const char *column, const char *value);

#endif
