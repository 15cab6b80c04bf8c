/* phiid_cases.h - the tables under tests/data/phiid (written by tests/reference/phiid_tables.py),
   for the tests of covariance and phiid.

   table t;  if (table_load(&t, "cases.tsv")) for (r = 0; r < t.rows; r++) ... t.cell[r][c] ...
   An empty value is "-"; table_numbers gives whether the columns hold numbers. */
#ifndef PHIID_CASES_H_INCLUDED
#define PHIID_CASES_H_INCLUDED

#include "npy.h"
#include "test.h"

enum { TABLE_COLUMNS = 96, TABLE_ROWS = 128 };

typedef struct table {
    char *text;
    int rows, columns;
    char *cell[TABLE_ROWS][TABLE_COLUMNS];
} table;

enum { /* columns */
       CASE_NAME = 0,
       CASE_GROUP,
       CASE_FILE,
       CASE_T,
       CASE_TAU,
       CASE_COND,
       CASE_MARGIN,
       CASE_PEER_MMI,
       CASE_PEER_CCS,
       CASE_MI,
       CASE_CUM_MMI = CASE_MI + 9,
       CASE_CUM_CCS = CASE_CUM_MMI + 16,
       CASE_MMI = CASE_CUM_CCS + 16,
       CASE_CCS = CASE_MMI + 16,
       BAD_NAME = 0,
       BAD_FILE,
       BAD_T,
       BAD_TAU,
       BAD_STATUS,
       BAD_NOISE,
       BAD_MI,
       BAD_MMI = BAD_MI + 9,
       BAD_CCS = BAD_MMI + 16,
       COV_NAME = 0,
       COV_STATUS,
       COV_COND,
       COV_MATRIX,
       COV_MI = COV_MATRIX + 16,
       COV_MMI = COV_MI + 9
};

static inline int table_load_from(table *t, const char *path)
{
    char *p;
    memset(t, 0, sizeof *t);
    p = t->text = (char *)file_load(path, NULL);
    while (p && *p && t->rows < TABLE_ROWS) {
        char *end = strchr(p, '\n');
        int c = 0;
        if (end) *end++ = 0;
        if (*p != '#') {
            for (; p && c < TABLE_COLUMNS; c++) {
                t->cell[t->rows][c] = p;
                p = strchr(p, '\t');
                if (p) *p++ = 0;
            }
            t->columns = c;
            t->rows++;
        }
        p = end;
    }
    return t->rows;
}

static inline int table_load(table *t, const char *name)
{
    test_path_buffer folder, path;
    return table_load_from(t, test_join(path, test_path(folder, "phiid"), name));
}

static inline void table_free(table *t)
{
    free(t->text);
    memset(t, 0, sizeof *t);
}

static inline double table_number(const table *t, int row, int column)
{
    return strtod(t->cell[row][column], NULL);
}

static inline int table_numbers(const table *t, int row, int column, int count, double *value)
{
    for (int i = 0; i < count; i++) {
        if (!strcmp(t->cell[row][column + i], "-")) return 0;
        value[i] = table_number(t, row, column + i);
    }
    return 1;
}

/* x and y of a series file: (2, T) */
static inline int series_load(npy *a, const char *name)
{
    test_path_buffer folder, path;
    return npy_load(a, test_join(path, test_path(folder, "phiid"), name), NPY_F8) && a->dims == 2;
}

static inline double largest_of(const double *v, int count)
{
    double largest = 0;
    for (int i = 0; i < count; i++)
        if (fabs(v[i]) > largest) largest = fabs(v[i]);
    return largest;
}

static inline double ulp_of(double v)
{
    int e;
    frexp(v, &e);
    return v == 0 ? 0 : ldexp(1.0, e - 53);
}

/* The largest absolute difference; both NaN or the same infinity is none, one NaN is infinite. */
static inline double worst_of(const double *a, const double *b, int count)
{
    double worst = 0;
    for (int i = 0; i < count; i++) {
        double off = a[i] == b[i] || (isnan(a[i]) && isnan(b[i])) ? 0 : fabs(a[i] - b[i]);
        if (isnan(off)) off = (double)INFINITY;
        if (off > worst) worst = off;
    }
    return worst;
}

/* Says which case a failed bound belongs to, which CHECK cannot. */
static inline int within(const char *name, const char *what, double error, double allowed)
{
    if (error <= allowed) return 1;
    printf("%s, %s: error %.3g, allowed %.3g\n", name, what, error, allowed);
    return 0;
}

/* Reproducible numbers in [-1, 1) and roughly normal ones. */
static inline double uniform(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(int64_t)(*state >> 11) / 4503599627370496.0 - 1.0;
}

static inline double normal(uint64_t *state)
{
    double sum = 0;
    for (int i = 0; i < 12; i++) sum += uniform(state);
    return sum / 2;
}

#endif
