/* columns.c - tables whose heads come from the list, and the sidecar columns.json, whose keys are
   those of BIDS (Description, Units). */
#include "base/columns.h"

#include "base/csv.h"
#include "base/file.h"
#include "base/json.h"
#include "base/npy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the list ------------------------------------------------------------------------- */

static bool fits(const char *pattern, const char *name)
{
    const char *star = strchr(pattern, '*');
    if (!star) return !strcmp(pattern, name);
    const size_t before = (size_t)(star - pattern), after = strlen(star + 1), n = strlen(name);
    return n >= before + after && !memcmp(pattern, name, before) &&
           !strcmp(star + 1, name + n - after);
}

const file_row *columns_file(const char *file)
{
    for (size_t i = 0; i < file_list_rows; i++)
        if (fits(file_list[i].file, file)) return &file_list[i];
    return NULL;
}

static const column_row *find_in(const char *file, const char *column)
{
    for (int any = 0; any < 2; any++)
        for (size_t i = 0; i < column_list_rows; i++)
            if (fits(column_list[i].file, file) &&
                !strcmp(column_list[i].column, any ? "*" : column))
                return &column_list[i];
    return NULL;
}

/* What a figure draws from units.csv has the meaning that it has there. */
const column_row *columns_find(const char *file, const char *column)
{
    const column_row *row = find_in(file, column);
    return row || strncmp(file, "figures/", 8) ? row : find_in("units.csv", column);
}

/* ---- tables --------------------------------------------------------------------------- */

void table_begin(table_out *t, const char *file)
{
    memset(t, 0, sizeof *t);
    t->file = file;
}

static void fault(table_out *t, const char *what, const char *column)
{
    if (!t->fault[0]) snprintf(t->fault, sizeof t->fault, "column '%.60s' %s", column, what);
}

/* Where a cell of that name goes: into the first row, which makes the head, or behind it. */
static text *cell_of(table_out *t, const char *column)
{
    if (!t->headed) {
        if (!columns_find(t->file, column)) fault(t, "is not in the list of columns", column);
        t->name = tool_realloc(t->name, t->columns + 1, sizeof *t->name);
        t->name[t->columns++] = tool_copy(column);
        csv_text(&t->head, column);
        return &t->row;
    }
    if (t->cell >= t->columns || strcmp(t->name[t->cell], column))
        fault(t, "is out of place", column);
    t->cell++;
    return &t->to;
}

/* An empty cell that begins a row must still be seen. */
static void begin_empty(const table_out *t, text *to)
{
    if ((t->headed ? t->cell : t->columns) == 1) text_add(to, "\"\"");
}

void table_text(table_out *t, const char *column, const char *value)
{
    text *to = cell_of(t, column);
    csv_text(to, value);
    if (!*value) begin_empty(t, to);
}

void table_number(table_out *t, const char *column, double value)
{
    text *to = cell_of(t, column);
    csv_number(to, value);
    if (!isfinite(value)) begin_empty(t, to);
}

void table_int(table_out *t, const char *column, int64_t value)
{
    csv_int(cell_of(t, column), value);
}

void table_end_row(table_out *t)
{
    if (t->headed) {
        if (t->cell != t->columns)
            fault(t, "is the last of a row that is too short", t->name[t->cell]);
        csv_end_row(&t->to);
    } else {
        csv_end_row(&t->head);
        csv_end_row(&t->row);
        text_add_bytes(&t->to, t->head.at, t->head.length);
        text_add_bytes(&t->to, t->row.at, t->row.length);
        t->headed = true;
    }
    t->cell = 0;
}

void table_flush(table_out *t, FILE *to)
{
    if (t->to.length) fwrite(t->to.at, 1, t->to.length, to); /* an error stays with the stream */
    t->to.length = 0;
}

bool table_done(table_out *t, problem *why)
{
    if (t->fault[0]) return problem_set(why, "%s: %s (a fault of this program)", t->file, t->fault);
    if (t->headed) return true;
    const char *of = NULL;
    for (size_t i = 0; i < column_list_rows; i++) {
        if (!of && fits(column_list[i].file, t->file)) of = column_list[i].file;
        if (of && !strcmp(column_list[i].file, of) && strcmp(column_list[i].column, "*"))
            csv_text(&t->to, column_list[i].column);
    }
    csv_end_row(&t->to);
    t->headed = true;
    return true;
}

void table_free(table_out *t)
{
    for (size_t i = 0; i < t->columns; i++) free(t->name[i]);
    free(t->name);
    text_free(&t->to);
    text_free(&t->head);
    text_free(&t->row);
    memset(t, 0, sizeof *t);
}

bool table_write(table_out *t, const char *path, problem *why)
{
    const bool good = table_done(t, why) && file_write(path, t->to.at, t->to.length, why);
    table_free(t);
    return good;
}

/* ---- what may be written -------------------------------------------------------------- */

bool columns_not_input(const char *directory, const char *stage, const char *input, problem *why)
{
    char path[TOOL_PATH_BYTES];
    folder_names all = {NULL, 0};
    bool good = !input || folder_list(&all, directory, why);
    for (size_t i = 0; i < all.count && good; i++) {
        const file_row *f = columns_file(all.at[i]);
        if (!f || strcmp(f->stage, stage)) continue;
        good = path_join(path, directory, all.at[i], why) && output_not_input(path, input, why);
    }
    folder_list_free(&all);
    return good;
}

bool columns_free(const char *directory, problem *why)
{
    char path[TOOL_PATH_BYTES];
    for (size_t i = 0; i < file_list_rows; i++)
        if (path_join(path, directory, file_list[i].file, why) && path_is_directory(path))
            return problem_set(why, "%s: is a folder, and a file of this name would be written",
                               path);
    if (path_join(path, directory, "figures", why) && path_exists(path) && !path_is_directory(path))
        return problem_set(
            why, "%s: is a file, and figures would be written to a folder of this name", path);
    return true;
}

/* ---- columns.json --------------------------------------------------------------------- */

static bool array_json(json_out *j, const file_row *f, const char *path, problem *why)
{
    npy a;
    if (!npy_open(&a, path, why)) return false;
    json_text(j, "DataType", npy_type_text(a.type));
    json_array_inline(j, "Shape");
    for (int d = 0; d < a.dims; d++) json_int(j, NULL, (int64_t)a.shape[d]);
    json_array_end(j);
    json_array_inline(j, "Dimensions");
    for (const char *at = f->dims; *at;) {
        const size_t n = strcspn(at, ",");
        json_text_bytes(j, NULL, at, n);
        at += n + (at[n] == ',');
    }
    json_array_end(j);
    if (f->diagonal) json_text(j, "Diagonal", f->diagonal);
    npy_close(&a);
    return true;
}

static void column_json(json_out *j, const char *name, const column_row *row)
{
    json_object_inline(j, name);
    json_text(j, "Description", row ? row->meaning : "");
    json_text(j, "Units", row ? row->unit : "");
    json_object_end(j);
}

/* The next name of a head, as csv_text writes it; false at its end. */
static bool next_name(const char **at, const char *end, text *name)
{
    const bool quoted = *at < end && **at == '"';
    if (*at >= end) return false;
    name->length = 0;
    text_add(name, "");
    for (*at += quoted; *at < end; ++*at) {
        if (quoted && **at == '"' && (*at + 1 >= end || (*at)[1] != '"')) break;
        if (!quoted && **at == ',') break;
        *at += quoted && **at == '"';
        text_add_bytes(name, *at, 1);
    }
    *at += quoted;
    *at += *at < end; /* the comma */
    return true;
}

/* Of the head line alone: the rows may be many. */
static bool table_json(json_out *j, const char *file, const char *path, problem *why)
{
    file_view view;
    text name = {NULL, 0, 0};
    if (!file_map(&view, path, why)) return false;
    const char *at = (const char *)view.bytes;
    const char *stop = view.size ? memchr(at, '\n', view.size) : NULL;
    json_object(j, "Columns");
    while (stop && next_name(&at, stop, &name)) {
        const column_row *row = columns_find(file, name.at);
        const bool any = row && !strcmp(row->column, "*"); /* they are many and all the same */
        column_json(j, any ? "*" : name.at, row);
        if (any) break;
    }
    json_object_end(j);
    text_free(&name);
    file_unmap(&view);
    return true;
}

static bool file_json(json_out *j, const char *path, const char *file, problem *why)
{
    const file_row *f = columns_file(file);
    const size_t n = strlen(file);
    bool good = true;
    json_object(j, file);
    json_text(j, "Description", f->meaning);
    if (f->dims) json_text(j, "Units", f->unit);
    if (f->dims) good = array_json(j, f, path, why);
    else if (n > 4 && !strcmp(file + n - 4, ".csv")) good = table_json(j, file, path, why);
    json_object_end(j);
    return good;
}

/* Files of a folder that the list knows, "figures/x.csv" with its folder before it. */
static bool files_json(json_out *j, const char *directory, const char *before, problem *why)
{
    char path[TOOL_PATH_BYTES], name[TOOL_PATH_BYTES];
    folder_names all = {NULL, 0};
    bool good = folder_list(&all, directory, why);
    for (size_t i = 0; i < all.count && good; i++) {
        const int n = snprintf(name, sizeof name, "%s%s", before, all.at[i]);
        if (n < 0 || (size_t)n >= sizeof name || !columns_file(name)) continue;
        good = path_join(path, directory, all.at[i], why) &&
               (!path_is_file(path) || file_json(j, path, name, why));
    }
    folder_list_free(&all);
    return good;
}

bool columns_write(const char *directory, problem *why)
{
    char path[TOOL_PATH_BYTES], figures[TOOL_PATH_BYTES];
    json_out j = {0};
    json_object(&j, NULL);
    const bool good = path_join(path, directory, "columns.json", why) &&
                      path_join(figures, directory, "figures", why) &&
                      files_json(&j, directory, "", why) &&
                      files_json(&j, figures, "figures/", why);
    json_object_end(&j);
    if (good) return json_write(&j, path, why);
    text_free(&j.to);
    return false;
}
