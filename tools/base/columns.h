/* columns.h - what every file of a result folder is: each table's columns and each array, with
   meaning and unit. The list (columns_list.c) is the one place for them: a table's head is written
   from names that must stand in it, and DIR/columns.json, which tells a reader what the folder
   holds, is written from it. */
#ifndef SYNERGY_COLUMNS_H
#define SYNERGY_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/problem.h"
#include "base/text.h"

/* A file by its name in the folder, one '*' stands for anything; the first row that fits is
   meant. */
typedef struct file_row {
    const char *stage; /* which writes it: "capture", "phiid", "graph", "study", "train" ... */
    const char *file;
    const char *dims;     /* of an array: "prompt,token,layer,unit"; NULL of anything else */
    const char *unit;     /* of an array's values; "" where they have none */
    const char *diagonal; /* of a square matrix: what stands there; else NULL */
    const char *meaning;
} file_row;

/* A column of a table; the name "*" stands for all that have no row of their own. */
typedef struct column_row {
    const char *file, *column, *unit, *meaning;
} column_row;

extern const file_row file_list[];
extern const size_t file_list_rows;
extern const column_row column_list[];
extern const size_t column_list_rows;

const file_row *columns_file(const char *file);
const column_row *columns_find(const char *file, const char *column);

/* A table (CSV) as it grows. Every cell is given with its column's name; those of the first row are
   the head, and the rows that follow must have the same. A name that is not in the list is a fault
   that table_done reports, so that no column goes out unexplained. */
typedef struct table_out {
    text to;          /* the head, once the first row is whole, then rows */
    const char *file; /* as in the list */
    text head, row;
    char **name; /* (columns) */
    size_t columns, cell;
    bool headed;
    char fault[200]; /* "" while all is well */
} table_out;

void table_begin(table_out *t, const char *file);
void table_text(table_out *t, const char *column, const char *value);
void table_number(table_out *t, const char *column, double value); /* not finite: an empty cell */
void table_int(table_out *t, const char *column, int64_t value);
void table_end_row(table_out *t);
/* For tables that are written in pieces: gives out what there is, and goes on. */
void table_flush(table_out *t, FILE *to);
/* False when something was written that the list does not have. A table without a row gets the
   columns of the list as its head. */
bool table_done(table_out *t, problem *why);
void table_free(table_out *t);
/* table_done, the file, and table_free. */
bool table_write(table_out *t, const char *path, problem *why);

/* Refuses an input that is a file which a stage would write to DIR, whatever it is called; NULL is
   passed over. */
bool columns_not_input(const char *directory, const char *stage, const char *input, problem *why);
/* Refuses a folder where a file that a stage would write cannot be: a folder has its name. */
bool columns_free(const char *directory, problem *why);
/* Writes DIR/columns.json: of every file that is there now. Holds no clock. */
bool columns_write(const char *directory, problem *why);

#endif
