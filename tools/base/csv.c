/* csv.c - comma-separated values (RFC 4180): numbers that round-trip out, quoted cells in. */
#include "base/csv.h"
#include "base/file.h"
#include "base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- writing -------------------------------------------------------------------------- */

static bool row_begins(const text *t)
{
    return !t->length || t->at[t->length - 1] == '\n';
}

static void separate(text *t)
{
    if (!row_begins(t)) text_add(t, ",");
}

static bool is_formula(const char *cell)
{
    const char *first = cell + strspn(cell, "'");
    double number;
    return *first && strchr("=+-@\t\r", *first) && !csv_double(cell, &number);
}

const char *csv_name(const char *cell)
{
    return cell[0] == '\'' && is_formula(cell + 1) ? cell + 1 : cell;
}

void csv_text(text *t, const char *cell)
{
    const char *mark = is_formula(cell) ? "'" : "";
    if (!*cell) {
        csv_empty(t);
        return;
    }
    separate(t);
    if (!strpbrk(cell, ",\"\r\n")) {
        text_add(t, mark);
        text_add(t, cell);
        return;
    }
    text_add(t, "\"");
    text_add(t, mark);
    for (; *cell; cell++) {
        if (*cell == '"') text_add(t, "\"");
        text_add_bytes(t, cell, 1);
    }
    text_add(t, "\"");
}

void csv_number(text *t, double value)
{
    char s[32];
    if (!isfinite(value)) {
        csv_empty(t);
        return;
    }
    number_text(value, s);
    separate(t);
    text_add(t, s);
}

void csv_int(text *t, int64_t value)
{
    separate(t);
    text_print(t, "%lld", (long long)value);
}

/* At the beginning of a row it is quoted: of nothing at all, the next cell would be the first. */
void csv_empty(text *t)
{
    text_add(t, row_begins(t) ? "\"\"" : ",");
}

void csv_end_row(text *t)
{
    text_add(t, "\n"); /* LF alone, as Unix tools write it */
}

/* ---- reading -------------------------------------------------------------------------- */

typedef struct csv_scan {
    char *at, *end; /* the bytes, changed in place: quotes go, cells are NUL-terminated */
    size_t line;
    char separator; /* ' ': any run of blanks */
    const char *path;
    problem *why;
} csv_scan;

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool line_ends(const csv_scan *s)
{
    return s->at >= s->end || *s->at == '\n' || *s->at == '\r';
}

/* CRLF, LF or CR alone. */
static void skip_line_end(csv_scan *s)
{
    if (s->at >= s->end) return;
    s->at += *s->at == '\r' && s->at + 1 < s->end && s->at[1] == '\n' ? 2 : 1;
    s->line++;
}

static void skip_blanks(csv_scan *s)
{
    while (s->at < s->end && is_blank(*s->at)) s->at++;
}

/* What stands between quotes, to *to; false when they are not closed. */
static bool read_quoted(csv_scan *s, char **to)
{
    const size_t line = s->line;
    for (s->at++;; s->at++) {
        if (s->at >= s->end)
            return problem_set(s->why, "%s: line %zu: a quote is not closed", s->path, line);
        if (*s->at == '\n' || (*s->at == '\r' && s->at + 1 < s->end && s->at[1] != '\n')) s->line++;
        if (*s->at == '"') {
            if (s->at + 1 >= s->end || s->at[1] != '"') break;
            s->at++;
        }
        *(*to)++ = *s->at;
    }
    s->at++;
    return true;
}

/* Reads one cell and what ends it; *more tells whether its row goes on. NULL on an error. */
static const char *read_cell(csv_scan *s, bool *more)
{
    char *from = s->at, *to = from;
    if (s->separator == ' ') skip_blanks(s);
    while (s->at < s->end && *s->at == ' ') s->at++;
    if (s->at < s->end && *s->at == '"') {
        if (!read_quoted(s, &to)) return NULL;
    } else {
        s->at = s->separator == ' ' ? s->at : from;
    }
    while (!line_ends(s) && *s->at != s->separator && !(s->separator == ' ' && is_blank(*s->at)))
        *to++ = *s->at++;
    if (s->separator == ' ') skip_blanks(s);
    *more = !line_ends(s);
    if (!*more) skip_line_end(s);
    else if (s->separator != ' ') s->at++;
    *to = '\0';
    return from;
}

typedef struct csv_row {
    const char **cell;
    size_t count, room, line;
} csv_row;

static bool read_row(csv_scan *s, csv_row *row)
{
    bool more = true;
    row->line = s->line;
    for (row->count = 0; more; row->count++) {
        if (row->count == row->room) {
            row->room = row->room ? row->room * 2 : 64;
            row->cell = tool_realloc(row->cell, row->room, sizeof *row->cell);
        }
        row->cell[row->count] = read_cell(s, &more);
        if (!row->cell[row->count]) return false;
    }
    return true;
}

static bool add_row(csv *c, const csv_scan *s, const csv_row *row, size_t *room)
{
    const size_t n = row->count;
    if (c->columns == 0) {
        c->columns = n;
        c->head = tool_alloc(n, sizeof *c->head);
        memcpy(c->head, row->cell, n * sizeof *c->head);
        c->head_line = row->line;
        return true;
    }
    if (n != c->columns)
        return problem_set(s->why, "%s: line %zu: %zu cell%s, the header has %zu", s->path,
                           row->line, n, n == 1 ? "" : "s", c->columns);
    if (c->rows == *room) {
        *room = *room ? *room * 2 : 64;
        c->cell = tool_realloc(c->cell, *room, n * sizeof *c->cell);
        c->line = tool_realloc(c->line, *room, sizeof *c->line);
    }
    c->line[c->rows] = row->line;
    memcpy(c->cell + c->rows++ * n, row->cell, n * sizeof *c->cell);
    return true;
}

/* A line of nothing but blanks: those at the end do not count as lines between rows. */
static bool skip_empty_line(csv_scan *s)
{
    char *at = s->at;
    while (s->at < s->end && is_blank(*s->at) && *s->at != s->separator) s->at++;
    if (s->separator == ' ') skip_blanks(s);
    if (line_ends(s)) {
        skip_line_end(s);
        return true;
    }
    s->at = at;
    return false;
}

bool csv_parse(csv *c, char *bytes, size_t size, const csv_form *form, const char *path,
               problem *why)
{
    csv_scan s = {bytes + form->from, bytes + size, form->first_line, form->separator, path, why};
    csv_row row = {NULL, 0, 0, 0};
    size_t room = 0, empty = 0, empty_line = 0;
    bool good = true;
    memset(c, 0, sizeof *c);
    c->bytes = bytes;
    while (good && s.at < s.end) {
        const size_t line = s.line;
        if (skip_empty_line(&s)) {
            if (c->rows && !empty++) empty_line = line;
            continue;
        }
        good = read_row(&s, &row) && add_row(c, &s, &row, &room);
        if (empty && !c->empty_lines) c->empty_line = empty_line;
        c->empty_lines += empty;
        empty = 0;
    }
    free(row.cell);
    if (good && c->columns == 0) good = problem_set(why, "%s: no header line", path);
    if (!good) csv_free(c);
    return good;
}

char *csv_bytes(const char *path, size_t *size, problem *why)
{
    file_view view;
    if (!file_map(&view, path, why)) return NULL;
    char *bytes = tool_alloc(view.size + 1, 1);
    if (view.size) memcpy(bytes, view.bytes, view.size);
    *size = view.size;
    file_unmap(&view);
    return bytes;
}

bool csv_read(csv *c, const char *path, problem *why)
{
    csv_form form = {0, 1, ','};
    size_t size;
    memset(c, 0, sizeof *c);
    char *bytes = csv_bytes(path, &size, why);
    if (!bytes) return false;
    if (size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) form.from = 3;
    if (!memchr(bytes, '\0', size)) return csv_parse(c, bytes, size, &form, path, why);
    free(bytes);
    return problem_set(why, "%s: holds zero bytes, not a CSV file", path);
}

void csv_free(csv *c)
{
    free(c->head);
    free(c->cell);
    free(c->line);
    free(c->bytes);
    memset(c, 0, sizeof *c);
}

int csv_column(const csv *c, const char *name)
{
    for (size_t i = 0; i < c->columns; i++)
        if (strcmp(c->head[i], name) == 0) return (int)i;
    return -1;
}

const char *csv_cell(const csv *c, size_t row, int column)
{
    return column < 0 ? "" : c->cell[row * c->columns + (size_t)column];
}

bool csv_double(const char *cell, double *value)
{
    char *end = NULL;
    while (*cell == ' ' || *cell == '\t') cell++;
    *value = (double)NAN;
    if (!*cell) return true;
    *value = strtod(cell, &end);
    while (*end == ' ' || *end == '\t') end++;
    return end != cell && *end == '\0';
}

const char *csv_at(const csv *c, size_t row, const char *column)
{
    return csv_cell(c, row, csv_column(c, column));
}

double csv_number_at(const csv *c, size_t row, const char *column)
{
    double v;
    return csv_double(csv_at(c, row, column), &v) ? v : (double)NAN;
}

bool csv_is_at(const csv *c, size_t row, const char *column, const char *value)
{
    return !strcmp(csv_at(c, row, column), value);
}
