/* csv.c - comma-separated values (RFC 4180): numbers that round-trip out, quoted cells in. */
#include "base/tool.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- writing -------------------------------------------------------------------------- */

static void separate(text *t) {
    if (t->length && t->at[t->length - 1] != '\n') text_add(t, ",");
}

void csv_text(text *t, const char *cell) {
    separate(t);
    if (!strpbrk(cell, ",\"\r\n")) {
        text_add(t, cell);
        return;
    }
    text_add(t, "\"");
    for (; *cell; cell++) {
        if (*cell == '"') text_add(t, "\"");
        text_add_bytes(t, cell, 1);
    }
    text_add(t, "\"");
}

void csv_number(text *t, double value) {
    char s[32] = "";
    if (isfinite(value)) number_text(value, s);
    separate(t);
    text_add(t, s);
}

void csv_int(text *t, int64_t value) {
    separate(t);
    text_print(t, "%lld", (long long)value);
}

void csv_empty(text *t) {
    separate(t);
}

void csv_end_row(text *t) {
    text_add(t, "\n"); /* LF alone, as Unix tools write it */
}

/* ---- reading -------------------------------------------------------------------------- */

typedef struct csv_scan {
    char       *at, *end; /* the bytes, changed in place: quotes go, cells are NUL-terminated */
    size_t      line;
    const char *path;
    problem    *why;
} csv_scan;

/* Reads one cell; *last tells whether it ends its row. NULL on an error. */
static const char *read_cell(csv_scan *s, bool *last) {
    char *from = s->at, *to = from;
    bool quoted = s->at < s->end && *s->at == '"';
    if (quoted) {
        s->at++;
        for (;; s->at++) {
            if (s->at >= s->end) {
                problem_set(s->why, "%s: line %llu: a quote is not closed", s->path,
                            (unsigned long long)s->line);
                return NULL;
            }
            if (*s->at == '\n') s->line++;
            if (*s->at == '"') {
                if (s->at + 1 >= s->end || s->at[1] != '"') break;
                s->at++;
            }
            *to++ = *s->at;
        }
        s->at++;
    }
    while (s->at < s->end && *s->at != ',' && *s->at != '\n') *to++ = *s->at++;
    *last = s->at >= s->end || *s->at == '\n';
    if (*last && to > from && to[-1] == '\r') to--;
    s->at++;
    *to = '\0';
    return from;
}

static bool add_row(csv *c, csv_scan *s, const char **cells, size_t n, size_t *room) {
    if (c->columns == 0) {
        c->columns = n;
        c->head = tool_alloc(n, sizeof *c->head);
        memcpy(c->head, cells, n * sizeof *cells);
        return true;
    }
    if (n != c->columns)
        return problem_set(s->why, "%s: line %llu: %llu cells, the header has %llu", s->path,
                           (unsigned long long)s->line, (unsigned long long)n,
                           (unsigned long long)c->columns);
    if (c->rows == *room) {
        *room = *room ? *room * 2 : 64;
        c->cell = tool_realloc(c->cell, *room, n * sizeof *c->cell);
    }
    memcpy(c->cell + c->rows++ * n, cells, n * sizeof *cells);
    return true;
}

static bool read_rows(csv *c, csv_scan *s) {
    const char **cells = NULL;
    size_t cells_room = 0, rows_room = 0, n = 0;
    bool good = true;
    while (good && s->at < s->end) {
        bool last = false;
        if (n == 0 &&
            (*s->at == '\n' || (*s->at == '\r' && s->at + 1 < s->end && s->at[1] == '\n'))) {
            s->at += *s->at == '\r' ? 2 : 1; /* an empty line */
            s->line++;
            continue;
        }
        if (n == cells_room) {
            cells_room = cells_room ? cells_room * 2 : 64;
            cells = tool_realloc(cells, cells_room, sizeof *cells);
        }
        cells[n] = read_cell(s, &last);
        good = cells[n++] != NULL;
        if (good && last) {
            good = add_row(c, s, cells, n, &rows_room);
            n = 0;
            s->line++;
        } else if (good && s->at >= s->end) { /* "a," at the very end: one more, empty, cell */
            s->at = s->end;
            *s->end = '\0';
            if (n == cells_room) cells = tool_realloc(cells, ++cells_room, sizeof *cells);
            cells[n++] = s->end;
            good = add_row(c, s, cells, n, &rows_room);
        }
    }
    free(cells);
    return good;
}

bool csv_read(csv *c, const char *path, problem *why) {
    file_view view;
    memset(c, 0, sizeof *c);
    if (!file_map(&view, path, why)) return false;
    c->bytes = tool_alloc(view.size + 1, 1);
    if (view.size) memcpy(c->bytes, view.bytes, view.size);
    csv_scan s = {c->bytes, c->bytes + view.size, 1, path, why};
    file_unmap(&view);
    if (s.end - s.at >= 3 && memcmp(s.at, "\xef\xbb\xbf", 3) == 0) s.at += 3;
    bool good = true;
    if (memchr(s.at, '\0', (size_t)(s.end - s.at)))
        good = problem_set(why, "%s: holds zero bytes, not a CSV file", path);
    good = good && read_rows(c, &s);
    if (good && c->columns == 0) good = problem_set(why, "%s: no header line", path);
    if (!good) csv_free(c);
    return good;
}

void csv_free(csv *c) {
    free(c->head);
    free(c->cell);
    free(c->bytes);
    memset(c, 0, sizeof *c);
}

int csv_column(const csv *c, const char *name) {
    for (size_t i = 0; i < c->columns; i++)
        if (strcmp(c->head[i], name) == 0) return (int)i;
    return -1;
}

const char *csv_cell(const csv *c, size_t row, int column) {
    return column < 0 ? "" : c->cell[row * c->columns + (size_t)column];
}

bool csv_double(const char *cell, double *value) {
    char *end = NULL;
    while (*cell == ' ' || *cell == '\t') cell++;
    *value = (double)NAN;
    if (!*cell) return true;
    *value = strtod(cell, &end);
    while (*end == ' ' || *end == '\t') end++;
    return end != cell && *end == '\0';
}
