/* table.h - tables of numbers as other programs write them. */
#ifndef SYNERGY_TABLE_H
#define SYNERGY_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/csv.h"
#include "base/problem.h"

/* Delimited text by content: comma, semicolon, tab, bar or blanks (or as a line "sep=;" says), any
   line end, quotes, a BOM; UTF-8, else Latin-1 (code page 1252), which is made UTF-8. What is no
   text (UTF-16, archives) is named. */
typedef struct text_table {
    csv cells;
    char separator, mark; /* mark: the decimal sign, ',' only where it does not separate */
    bool latin1;
} text_table;
bool text_table_read(text_table *t, const char *path, problem *why);
void text_table_free(text_table *t);
/* (columns): clean, none empty, none twice; *twice: the first that was changed for that, + 1. */
char **text_table_names(const text_table *t, size_t *twice);
/* What a cell is; a missing number ("", NA, n/a, nan, null, - ...) has the value NaN. */
typedef enum cell_kind { CELL_NUMBER, CELL_MISSING, CELL_WORDS } cell_kind;
cell_kind cell_number(const char *cell, char mark, double *value);

#endif
