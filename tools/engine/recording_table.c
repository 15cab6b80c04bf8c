/* recording_table.c - text tables as recordings, and parts of arrays: which columns are units,
   which samples are left out, which columns only count. */
#include "engine/recording_table.h"
#include "engine/column_list.h"

#include <ctype.h>
#include <stdarg.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void recording_note(recording *r, const char *format, ...)
{
    char words[1024];
    va_list list;
    va_start(list, format);
    vsnprintf(words, sizeof words, format, list);
    va_end(list);
    tool_note("%s: %s", path_base(r->path), words);
    r->notes.at = tool_realloc(r->notes.at, r->notes.count + 1, sizeof *r->notes.at);
    r->notes.at[r->notes.count++] = tool_copy(words);
}

/* A recording of one prompt or several before anything is left out of it. */
typedef struct grid {
    size_t prompts, samples, columns;
    double *value; /* (prompt, sample, column); NaN: missing */
    bool *keep;    /* (column) */
    char **name;   /* (column), or NULL */
} grid;

/* ---- which columns ---------------------------------------------------------------------- */

static bool choose_columns(const recording *r, const recording_choice *choice, grid *g,
                           problem *why)
{
    bool *marked = tool_alloc(g->columns, sizeof *marked), good = true;
    size_t left = 0;
    if (choice->columns) {
        good = columns_choose("--columns", choice->columns, g->name, g->columns, marked, why);
        for (size_t i = 0; good && i < g->columns; i++) g->keep[i] = g->keep[i] && marked[i];
    }
    if (good && choice->skip) {
        good = columns_choose("--skip", choice->skip, g->name, g->columns, marked, why);
        for (size_t i = 0; good && i < g->columns; i++) g->keep[i] = g->keep[i] && !marked[i];
    }
    for (size_t i = 0; i < g->columns; i++) left += g->keep[i] ? 1 : 0;
    free(marked);
    return good && (left >= 2 || problem_set(why, "%s: holds %s, and pairs need two", r->path,
                                             left ? "one unit" : "no unit"));
}

/* ---- columns that only count ------------------------------------------------------------- */

static bool is_counting_name(const char *name)
{
    static const char *const word[] = {"time", "times",   "index",     "sample",  "samples", "t",
                                       "n",    "i",       "idx",       "frame",   "row",     "id",
                                       "no",   "step",    "timestamp", "seconds", "sec",     "s",
                                       "ms",   "unnamed", "obs",       "volume",  "tr",      "#"};
    size_t n = 0;
    while (isalpha((unsigned char)name[n])) n++;
    if (!n) return *name == '#' || *name == '\0';
    for (size_t k = 0; k < sizeof word / sizeof word[0]; k++)
        if (strlen(word[k]) == n && !strncasecmp(name, word[k], n)) return true;
    return false;
}

/* Does the first column grow by equal steps from row to row, to the rounding of written
   decimals? */
static bool counts_up(const grid *g)
{
    const double *v = g->value;
    size_t n = g->samples, c = g->columns, first = n, last = 0;
    for (size_t t = 0; t < n; t++) {
        if (!isfinite(v[t * c])) continue;
        if (first == n) first = t;
        last = t;
    }
    if (first >= last || last - first < 2) return false;
    const double begin = v[first * c], whole = v[last * c] - begin;
    const double step = whole / (double)(last - first);
    if (!(step > 0) || !isfinite(step)) return false;
    for (size_t t = first; t <= last; t++) {
        if (!isfinite(v[t * c])) continue;
        if (fabs(v[t * c] - begin - step * (double)(t - first)) > 0.01 * step) return false;
    }
    return true;
}

static void note_counting(recording *r, const grid *g, bool unnamed)
{
    if (!g->keep[0] || !(unnamed || is_counting_name(g->name[0])) || !counts_up(g)) return;
    recording_note(
        r,
        "Its first column (%s) grows by equal steps from row to row, as a count or a clock does, "
        "and is taken for a unit; --skip '%s' leaves it out.",
        g->name[0], g->name[0]);
}

/* ---- missing numbers --------------------------------------------------------------------- */

static bool is_missing(const grid *g, size_t row, size_t column)
{
    return g->keep[column] && isnan(g->value[row * g->columns + column]);
}

static bool row_is_missing(const grid *g, size_t row)
{
    for (size_t i = 0; i < g->columns; i++)
        if (is_missing(g, row, i)) return true;
    return false;
}

/* Numbers of rows from 1, a few of them: "3, 17 and 4 more". */
static void add_place(text *t, size_t count, size_t place)
{
    if (count < 8) text_print(t, "%s%zu", count ? ", " : "", place);
}

static void end_places(text *t, size_t count)
{
    if (count > 8) text_print(t, " and %zu more", count - 8);
}

/* Leaves the samples with a missing number out: what is left of each prompt moves together, and
   `at` keeps where it was, so that no pair spans a gap. */
static void drop_samples(recording *r, grid *g)
{
    text places = {NULL, 0, 0};
    size_t dropped = 0, longest = 0, row_bytes = g->columns * sizeof(double);
    text_add(&places, "");
    r->at = tool_alloc(g->prompts * g->samples, sizeof *r->at);
    for (size_t p = 0; p < g->prompts; p++) {
        size_t kept = 0;
        for (size_t t = 0; t < r->length[p]; t++) {
            const size_t row = p * g->samples + t;
            if (row_is_missing(g, row)) {
                add_place(&places, dropped++, t + 1);
                continue;
            }
            memmove(g->value + (p * g->samples + kept) * g->columns, g->value + row * g->columns,
                    row_bytes);
            r->at[p * g->samples + kept++] = t;
        }
        r->length[p] = kept;
        longest = kept > longest ? kept : longest;
    }
    end_places(&places, dropped);
    if (!dropped) {
        free(r->at);
        r->at = NULL;
    } else if (g->prompts == 1) {
        recording_note(
            r,
            "%zu of %zu samples have a missing number and are left out (row %s); no pair spans a "
            "gap.",
            dropped, g->samples, places.at);
    } else {
        recording_note(
            r,
            "%zu samples of %zu prompts have a missing number and are left out; no pair spans a "
            "gap.",
            dropped, g->prompts);
    }
    text_free(&places);
}

static bool drop_units(recording *r, grid *g, problem *why)
{
    text gone = {NULL, 0, 0};
    size_t count = 0, left = 0;
    for (size_t i = 0; i < g->columns; i++) {
        bool missing = false;
        for (size_t p = 0; p < g->prompts; p++)
            for (size_t t = 0; t < r->length[p]; t++)
                missing = missing || is_missing(g, p * g->samples + t, i);
        if (missing && g->name && count < 8)
            text_print(&gone, "%s%.60s", count ? ", " : "", g->name[i]);
        else if (missing && count < 8) text_print(&gone, "%s%zu", count ? ", " : "", i);
        if (missing) {
            g->keep[i] = false;
            count++;
        }
        left += g->keep[i] ? 1 : 0;
    }
    end_places(&gone, count);
    if (count && left >= 2)
        recording_note(r, "%zu unit%s with a missing number %s left out: %s.", count,
                       count == 1 ? "" : "s", count == 1 ? "is" : "are", gone.at);
    text_free(&gone);
    return left >= 2 ||
           problem_set(why,
                       "%s: --missing unit leaves %s, and pairs need two (--missing drop "
                       "leaves out the samples)",
                       r->path, left ? "one unit" : "no unit");
}

/* What is kept becomes the recording: columns close up, prompts are as long as the longest is
   left. */
static void take(recording *r, grid *g)
{
    size_t longest = 0, units = 0, *column = tool_alloc(g->columns, sizeof *column);
    for (size_t i = 0; i < g->columns; i++)
        if (g->keep[i]) column[units++] = i;
    for (size_t p = 0; p < g->prompts; p++)
        longest = r->length[p] > longest ? r->length[p] : longest;
    if (!r->at) longest = g->samples; /* behind a length of lengths.npy nothing is read */
    r->table = tool_alloc(g->prompts * longest, units * sizeof(double));
    for (size_t p = 0; p < g->prompts; p++)
        for (size_t t = 0; t < r->length[p]; t++)
            for (size_t i = 0; i < units; i++)
                r->table[(p * longest + t) * units + i] =
                    g->value[(p * g->samples + t) * g->columns + column[i]];
    for (size_t p = 0; r->at && p < g->prompts; p++)
        memmove(r->at + p * longest, r->at + p * g->samples, longest * sizeof *r->at);
    if (g->name) r->name = tool_alloc(units, sizeof *r->name);
    for (size_t i = 0; g->name && i < units; i++) r->name[i] = tool_copy(g->name[column[i]]);
    r->prompts = g->prompts;
    r->span = g->samples;
    r->samples = longest;
    r->per_layer = r->units = units;
    if (r->layers > 1) r->per_layer = units / r->layers;
    r->doubles = true;
    free(column);
}

static bool settle_missing(recording *r, const recording_choice *choice, grid *g, problem *why)
{
    if (choice->missing == MISSING_UNIT && !drop_units(r, g, why)) return false;
    if (choice->missing == MISSING_DROP) drop_samples(r, g);
    take(r, g);
    return r->samples > 0 ||
           problem_set(why, "%s: every sample has a missing number: none is left", r->path);
}

static void grid_free(grid *g)
{
    for (size_t i = 0; g->name && i < g->columns; i++) free(g->name[i]);
    free(g->name);
    free(g->value);
    free(g->keep);
}

/* ---- text ------------------------------------------------------------------------------- */

static bool is_empty_column(const csv *c, size_t column)
{
    double v;
    for (size_t t = 0; t < c->rows; t++)
        if (cell_number(c->cell[t * c->columns + column], '.', &v) != CELL_MISSING) return false;
    return true;
}

/* A separator at the end of every line makes a last column that is none. */
static void forget_last_column(const text_table *t, grid *g)
{
    const csv *c = &t->cells;
    const size_t last = c->columns - 1;
    if (c->columns > 1 && !c->head[last][strspn(c->head[last], " \t")] && is_empty_column(c, last))
        g->keep[last] = false;
}

static bool row_is_blank(const text_table *t, const grid *g, size_t row)
{
    double v;
    for (size_t i = 0; i < g->columns; i++)
        if (g->keep[i] &&
            cell_number(t->cells.cell[row * g->columns + i], t->mark, &v) != CELL_MISSING)
            return false;
    return true;
}

/* Row `row` has a missing number in `column`: may it? */
static bool allow_missing(const recording *r, const recording_choice *choice, const text_table *t,
                          const grid *g, size_t row, size_t column, problem *why)
{
    const csv *c = &t->cells;
    const size_t line = c->line[row];
    if (choice->missing == MISSING_DROP) return true;
    if (row_is_blank(t, g, row))
        return problem_set(why, "%s: row %zu (line %zu) is blank (--missing drop leaves it out)",
                           r->path, row + 1, line);
    if (choice->missing == MISSING_UNIT) return true;
    return problem_set(
        why,
        "%s: row %zu (line %zu), column %zu (%.60s): '%.40s' is a missing number (--missing "
        "drop leaves out such samples, --missing unit such units)",
        r->path, row + 1, line, column + 1, g->name[column], c->cell[row * g->columns + column]);
}

static bool read_cells(const recording *r, const recording_choice *choice, const text_table *t,
                       grid *g, problem *why)
{
    const csv *c = &t->cells;
    g->value = tool_alloc(c->rows, c->columns * sizeof *g->value);
    for (size_t row = 0; row < c->rows; row++)
        for (size_t i = 0; i < c->columns; i++) {
            const char *cell = c->cell[row * c->columns + i];
            if (!g->keep[i]) continue;
            cell_kind kind = cell_number(cell, t->mark, &g->value[row * c->columns + i]);
            if (kind == CELL_MISSING && !allow_missing(r, choice, t, g, row, i, why)) return false;
            if (kind == CELL_WORDS)
                return problem_set(
                    why,
                    "%s: row %zu (line %zu), column %zu (%.60s): '%.40s' is not a number%s%s%s",
                    r->path, row + 1, c->line[row], i + 1, g->name[i], cell,
                    row ? "" : " (--skip '", row ? "" : g->name[i],
                    row ? "" : "' leaves such a column out)");
        }
    return true;
}

static void note_table(recording *r, const text_table *t, const grid *g, size_t twice)
{
    const csv *c = &t->cells;
    double v;
    size_t numbers = 0;
    for (size_t i = 0; i < c->columns; i++)
        numbers += cell_number(c->head[i], t->mark, &v) == CELL_NUMBER ? 1 : 0;
    if (numbers == c->columns)
        recording_note(
            r, "Its first line holds only numbers and is taken for the names of the columns.");
    if (t->latin1) recording_note(r, "It is not UTF-8 and is read as Latin-1 (Windows-1252).");
    if (t->mark == ',') recording_note(r, "Numbers have a decimal comma.");
    if (twice)
        recording_note(r, "A name stands over two columns: column %zu is called %s here.", twice,
                       g->name[twice - 1]);
    if (c->empty_lines)
        recording_note(r, "%zu empty line%s between rows %s passed over, the first is line %zu.",
                       c->empty_lines, c->empty_lines == 1 ? "" : "s",
                       c->empty_lines == 1 ? "is" : "are", c->empty_line);
    note_counting(r, g, !c->head[0][strspn(c->head[0], " \t")]);
}

bool recording_open_table(recording *r, const recording_choice *choice, problem *why)
{
    text_table t;
    grid g;
    size_t twice;
    if (!text_table_read(&t, r->path, why)) return false;
    memset(&g, 0, sizeof g);
    g.prompts = 1;
    g.samples = t.cells.rows;
    g.columns = t.cells.columns;
    g.name = text_table_names(&t, &twice);
    g.keep = tool_alloc(g.columns, sizeof *g.keep);
    for (size_t i = 0; i < g.columns; i++) g.keep[i] = true;
    forget_last_column(&t, &g);
    r->layers = 1;
    snprintf(r->type, sizeof r->type, "csv");
    r->length = tool_alloc(1, sizeof *r->length);
    r->length[0] = g.samples;
    bool good = (g.samples > 0 || problem_set(why, "%s: no row follows the header", r->path)) &&
                choose_columns(r, choice, &g, why) && read_cells(r, choice, &t, &g, why);
    if (good) note_table(r, &t, &g, twice);
    good = good && settle_missing(r, choice, &g, why);
    grid_free(&g);
    text_table_free(&t);
    return good;
}

/* ---- arrays ----------------------------------------------------------------------------- */

static bool refuse_missing(const recording *r, const grid *g, problem *why)
{
    for (size_t p = 0; p < g->prompts; p++)
        for (size_t t = 0; t < r->length[p]; t++)
            for (size_t i = 0; i < g->columns; i++)
                if (is_missing(g, p * g->samples + t, i))
                    return problem_set(
                        why,
                        "%s: prompt %zu, sample %zu, unit %zu is not a number (--missing drop "
                        "leaves out such samples)",
                        r->path, p, t, i);
    return true;
}

bool recording_choose_npy(recording *r, const recording_choice *choice, problem *why)
{
    grid g;
    if (!choice->columns && !choice->skip && !choice->missing_given) return true;
    if (r->layers > 1 && (choice->columns || choice->skip || choice->missing == MISSING_UNIT))
        return problem_set(why, "%s: %s needs a recording of one layer, this one has %zu", r->path,
                           choice->columns ? "--columns"
                           : choice->skip  ? "--skip"
                                           : "--missing unit",
                           r->layers);
    memset(&g, 0, sizeof g);
    g.prompts = r->prompts;
    g.samples = r->samples;
    g.columns = r->units;
    g.keep = tool_alloc(g.columns, sizeof *g.keep);
    for (size_t i = 0; i < g.columns; i++) g.keep[i] = true;
    g.value = tool_alloc(g.prompts * g.samples, g.columns * sizeof *g.value);
    npy_doubles(&r->array, 0, r->array.count, g.value);
    bool good = choose_columns(r, choice, &g, why) &&
                (choice->missing != MISSING_REFUSE || !choice->missing_given ||
                 refuse_missing(r, &g, why)) &&
                settle_missing(r, choice, &g, why);
    grid_free(&g);
    return good;
}
