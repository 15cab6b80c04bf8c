/* graph_read.c - square matrices of weights, from .npy or text, and what to do where they are not
   symmetric. */
#include "graph/graph.h"

#include "base/npy.h"
#include "base/sha256.h"
#include "base/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- symmetry --------------------------------------------------------------------------- */

/* Two weights of a pair that differ by no more than this, of the largest weight, are one:
   rounding. */
static const double ROUNDING = 1e-9;

static double *at(const network *n, size_t i, size_t j)
{
    return &n->weight[i * n->nodes + j];
}

static double largest_weight(const network *n)
{
    double most = 0;
    for (size_t i = 0; i < n->nodes; i++)
        for (size_t j = 0; j < n->nodes; j++)
            if (i != j && fabs(*at(n, i, j)) > most) most = fabs(*at(n, i, j));
    return most;
}

static bool are_one(double a, double b, double slack)
{
    return isnan(a) || isnan(b) ? isnan(a) && isnan(b) : fabs(a - b) <= slack;
}

/* Is the triangle above the diagonal (or below it) nothing but zeros and unknowns? */
static bool is_empty(const network *n, bool above)
{
    for (size_t i = 0; i < n->nodes; i++)
        for (size_t j = i + 1; j < n->nodes; j++) {
            const double v = above ? *at(n, i, j) : *at(n, j, i);
            if (v < 0 || v > 0) return false;
        }
    return true;
}

static void complete(network *n, bool from_above)
{
    for (size_t i = 0; i < n->nodes; i++)
        for (size_t j = i + 1; j < n->nodes; j++) {
            if (from_above) *at(n, j, i) = *at(n, i, j);
            else *at(n, i, j) = *at(n, j, i);
        }
    n->completed = true;
    tool_note(
        "%s: not symmetric: the triangle %s the diagonal is empty; the other is taken for both",
        n->name, from_above ? "below" : "above");
}

/* The first pair whose weights differ; false: there is none. */
static bool find_difference(const network *n, double slack, size_t *i, size_t *j)
{
    for (*i = 0; *i < n->nodes; ++*i)
        for (*j = *i + 1; *j < n->nodes; ++*j)
            if (!are_one(*at(n, *i, *j), *at(n, *j, *i), slack)) return true;
    return false;
}

static void make_one(network *n, int how, double slack)
{
    for (size_t i = 0; i < n->nodes; i++)
        for (size_t j = i + 1; j < n->nodes; j++) {
            const double a = *at(n, i, j), b = *at(n, j, i);
            double one = a / 2 + b / 2;
            if (!are_one(a, b, slack)) {
                n->changed++;
                if (how == GRAPH_MAX) one = a > b || isnan(b) ? a : b; /* a known one before none */
            }
            *at(n, i, j) = *at(n, j, i) = one;
        }
}

static bool symmetrise(network *n, int how, problem *why)
{
    const double slack = ROUNDING * largest_weight(n);
    size_t i, j;
    if (find_difference(n, slack, &i, &j) && how == GRAPH_SYMMETRIC) {
        const bool above = is_empty(n, true), below = is_empty(n, false);
        if (above == below)
            return problem_set(
                why,
                "%s: not symmetric: row %zu, column %zu is %.6g, row %zu, column %zu is %.6g "
                "(rows from 0; --symmetrise mean or max makes one of both)",
                n->path, i, j, *at(n, i, j), j, i, *at(n, j, i));
        complete(n, below);
    }
    make_one(n, how, slack);
    return true;
}

/* Counts the pairs that are no edges though they are not 0. */
static bool check_weights(network *n, problem *why)
{
    for (size_t i = 0; i < n->nodes; i++)
        for (size_t j = 0; j < n->nodes; j++) {
            const double w = *at(n, i, j);
            if (i != j && isinf(w))
                return problem_set(why, "%s: the weight at row %zu, column %zu is infinite",
                                   n->path, i, j);
            if (i >= j) continue;
            n->unknown += isnan(w) ? 1 : 0;
            n->negative += w < 0 ? 1 : 0;
        }
    return true;
}

/* ---- .npy ------------------------------------------------------------------------------- */

static bool read_npy(network *n, problem *why)
{
    npy a;
    char shape[200];
    if (!npy_open(&a, n->path, why)) return false;
    npy_shape_text(&a, shape, sizeof shape);
    const bool good = a.dims == 2 && a.shape[0] == a.shape[1] && a.shape[0] >= 2;
    if (good) {
        n->nodes = (size_t)a.shape[0];
        n->weight = tool_alloc(n->nodes * n->nodes, sizeof *n->weight);
        npy_doubles(&a, 0, a.count, n->weight);
    } else {
        problem_set(why, "%s: is %s %s, not a square matrix with at least two rows", n->path,
                    npy_type_text(a.type), shape);
    }
    npy_close(&a);
    return good;
}

/* ---- text ------------------------------------------------------------------------------- */

/* The grid of cells, the first line included, and where the numbers begin in it. */
typedef struct grid {
    const text_table *t;
    size_t rows, columns, top, left;
} grid;

static const char *cell(const grid *g, size_t row, size_t column)
{
    const csv *c = &g->t->cells;
    return row ? c->cell[(row - 1) * c->columns + column] : c->head[column];
}

static bool is_words(const grid *g, size_t row, size_t column)
{
    double v;
    return cell_number(cell(g, row, column), g->t->mark, &v) == CELL_WORDS;
}

/* Are the cells behind the corner, along the first line or column, 0, 1, 2 ... (or 1, 2 ...)? */
static bool counts(const grid *g, bool along_line)
{
    const size_t n = along_line ? g->columns : g->rows;
    double first = 0, v;
    for (size_t k = 1; k < n; k++) {
        if (cell_number(along_line ? cell(g, 0, k) : cell(g, k, 0), g->t->mark, &v) != CELL_NUMBER)
            return false;
        if (k == 1) first = v;
        if (!(v == first + (double)(k - 1)) || !(first >= 0 && first <= 1)) return false;
    }
    return true;
}

/* A line of names, a column of names, both, or neither: the numbers are square. In a square of
   cells an empty corner or words beside it tell that both are there. */
static bool find_numbers(grid *g)
{
    const bool corner = !cell(g, 0, 0)[strspn(cell(g, 0, 0), " \t")];
    const bool words = g->columns > 1 && g->rows > 1 && (is_words(g, 0, 1) || is_words(g, 1, 0));
    if (g->rows == g->columns) {
        const bool named =
            words || is_words(g, 0, 0) || (corner && counts(g, true) && counts(g, false));
        g->top = g->left = named ? 1 : 0;
    } else if (g->rows == g->columns + 1) {
        g->top = 1;
    } else if (g->rows + 1 == g->columns) {
        g->left = 1;
    } else {
        return false;
    }
    return g->rows - g->top >= 2;
}

static bool read_numbers(network *n, const grid *g, problem *why)
{
    n->nodes = g->rows - g->top;
    n->weight = tool_alloc(n->nodes * n->nodes, sizeof *n->weight);
    for (size_t i = 0; i < n->nodes; i++)
        for (size_t j = 0; j < n->nodes; j++) {
            const size_t row = i + g->top;
            const char *s = cell(g, row, j + g->left);
            if (cell_number(s, g->t->mark, at(n, i, j)) != CELL_WORDS) continue;
            return problem_set(why, "%s: line %zu, column %zu: '%.40s' is not a number", n->path,
                               row ? g->t->cells.line[row - 1] : g->t->cells.head_line,
                               j + g->left + 1, s);
        }
    return true;
}

/* Names of the nodes, from the first line if it has them, else from the first column. */
static void read_labels(network *n, const grid *g)
{
    size_t twice;
    if (!g->top && !g->left) return;
    n->label = tool_alloc(n->nodes, sizeof *n->label);
    if (g->top) {
        char **name = text_table_names(g->t, &twice);
        for (size_t i = 0; i < g->columns; i++) {
            if (i < g->left) free(name[i]);
            else n->label[i - g->left] = name[i];
        }
        free(name);
        return;
    }
    for (size_t i = 0; i < n->nodes; i++) n->label[i] = tool_copy(cell(g, i, 0));
}

static bool read_text(network *n, problem *why)
{
    text_table t;
    if (!text_table_read(&t, n->path, why)) return false;
    grid g = {&t, t.cells.rows + 1, t.cells.columns, 0, 0};
    bool good = find_numbers(&g) ||
                problem_set(why,
                            "%s: has %zu rows of %zu cells, not a square matrix with at "
                            "least two rows",
                            n->path, g.rows, g.columns);
    good = good && read_numbers(n, &g, why);
    if (good) read_labels(n, &g);
    text_table_free(&t);
    return good;
}

/* ---- both ------------------------------------------------------------------------------- */

static bool is_npy(const char *path)
{
    char head[6] = "";
    FILE *f = fopen(path, "rb");
    const size_t length = strlen(path), got = f ? fread(head, 1, sizeof head, f) : 0;
    if (f) fclose(f);
    if (length > 4 && !strcmp(path + length - 4, ".npy")) return true;
    return !f || (got == sizeof head && !memcmp(head, "\x93NUMPY", sizeof head));
}

bool network_read(network *n, const char *path, const char *name, int how, problem *why)
{
    file_view view;
    if (strlen(path) >= sizeof n->path) return problem_set(why, "%.200s...: too long", path);
    snprintf(n->path, sizeof n->path, "%s", path);
    n->name = name;
    if (!(is_npy(path) ? read_npy(n, why) : read_text(n, why)) || !symmetrise(n, how, why) ||
        !check_weights(n, why) || !file_map(&view, path, why))
        return false;
    sha256_of(view.bytes, view.size, n->hash);
    file_unmap(&view);
    return true;
}

void network_free(network *n)
{
    for (size_t i = 0; n->label && i < n->nodes; i++) free(n->label[i]);
    free(n->label);
    free(n->weight);
    free(n->block);
    free(n->participation);
    free(n->signed_part);
    free(n->local);
}
