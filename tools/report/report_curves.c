/* report_curves.c - what ablate and perturb have written, as curves and numbers. */
#include "report/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct curve_row {
    double x, y, low, high;
} curve_row;

static int by_x(const void *a, const void *b)
{
    const curve_row *p = a, *q = b;
    return p->x < q->x ? -1 : p->x > q->x;
}

/* The rows that are asked for; a row without numbers is left out. */
static curve_row *rows_of(const csv *c, const char *key, const char *value, const char *of_set,
                          const char *x, const char *y, size_t *count)
{
    int at_key = csv_column(c, key), at_set = csv_column(c, "set"), at_x = csv_column(c, x);
    int at_y = csv_column(c, y), at_low = csv_column(c, "low"), at_high = csv_column(c, "high");
    bool has_interval = strcmp(y, "kl") == 0 || strcmp(y, "accuracy") == 0;
    curve_row *row = tool_alloc(c->rows + 1, sizeof *row);
    *count = 0;
    for (size_t i = 0; i < c->rows && at_x >= 0 && at_y >= 0; i++) {
        curve_row *w = &row[*count];
        if (strcmp(csv_cell(c, i, at_key), value)) continue;
        if (of_set && strcmp(csv_cell(c, i, at_set), of_set)) continue;
        w->low = w->high = (double)NAN;
        if (!csv_double(csv_cell(c, i, at_x), &w->x) || !csv_double(csv_cell(c, i, at_y), &w->y))
            continue;
        if (!isfinite(w->x) || !isfinite(w->y)) continue;
        if (has_interval && (!csv_double(csv_cell(c, i, at_low), &w->low) ||
                             !csv_double(csv_cell(c, i, at_high), &w->high)))
            w->low = w->high = (double)NAN;
        (*count)++;
    }
    return row;
}

/* Rows at one x are seeds of one order: their mean, the smallest and the largest. */
static void merge_seeds(const curve_row *row, size_t n, curve *to)
{
    for (size_t i = 0, next; i < n; i = next) {
        double sum = 0, low = row[i].y, high = row[i].y;
        for (next = i; next < n && row[next].x == row[i].x; next++) {
            sum += row[next].y;
            low = fmin(low, row[next].y);
            high = fmax(high, row[next].y);
        }
        const bool seeds = next - i > 1;
        curve_add(to, row[i].x, sum / (double)(next - i), seeds ? low : row[i].low,
                  seeds ? high : row[i].high);
    }
}

curve curve_of(const csv *c, const char *key, const char *value, const char *of_set, const char *x,
               const char *y)
{
    size_t n;
    curve_row *row = rows_of(c, key, value, of_set, x, y, &n);
    curve to = curve_begin(n);
    qsort(row, n, sizeof *row, by_x);
    merge_seeds(row, n, &to);
    free(row);
    return to;
}

curve curve_new(size_t n)
{
    curve c = {n, tool_alloc(n, sizeof(double)), tool_alloc(n, sizeof(double)),
               tool_alloc(n, sizeof(double)), tool_alloc(n, sizeof(double))};
    return c;
}

curve curve_begin(size_t most)
{
    curve c = curve_new(most);
    c.n = 0;
    return c;
}

void curve_add(curve *c, double x, double y, double low, double high)
{
    c->x[c->n] = x;
    c->y[c->n] = y;
    c->low[c->n] = low;
    c->high[c->n++] = high;
}

void report_add_name(const char **name, size_t *count, size_t most, const char *one)
{
    for (size_t k = 0; k < *count; k++)
        if (!strcmp(name[k], one)) return;
    if (*count < most) name[(*count)++] = one;
}

void curve_free(curve *c)
{
    free(c->x);
    free(c->y);
    free(c->low);
    free(c->high);
    memset(c, 0, sizeof *c);
}

const json *report_test(const json *from, const char *a, const char *b)
{
    const json *list = json_get(from, "tests");
    for (const json *c = list ? list->child : NULL; c; c = c->next)
        if (!strcmp(json_text_of(c, "a", ""), a) && !strcmp(json_text_of(c, "b", ""), b)) return c;
    return NULL;
}

void report_test_pair(const json *test, char words[160])
{
    snprintf(words, 160, "%.60s \xe2\x88\x92 %.60s", json_text_of(test, "a", "?"),
             json_text_of(test, "b", "?"));
}

void report_test_interval(page *p, const json *test, double factor)
{
    page_cell_interval(p, factor * json_number_of(test, "low", (double)NAN),
                       factor * json_number_of(test, "high", (double)NAN));
}

double report_auc(const json *ablation, const char *order, int which)
{
    const json *list = json_get(ablation, "curves");
    double sum = 0, low = (double)NAN, high = (double)NAN;
    size_t n = 0;
    for (const json *c = list ? list->child : NULL; c; c = c->next) {
        double auc = json_number_of(c, "auc", (double)NAN);
        if (strcmp(json_text_of(c, "order", ""), order) || !isfinite(auc)) continue;
        sum += auc;
        low = fmin(low, auc);
        high = fmax(high, auc);
        n++;
    }
    return which < 0 ? low : which > 0 ? high : n ? sum / (double)n : (double)NAN;
}

bool report_is_random(const char *order)
{
    const size_t n = strlen(order);
    return !strcmp(order, "random") || (n >= 7 && !strcmp(order + n - 7, "matched"));
}

const char *report_order_words(const char *order)
{
    static const char *const word[][2] = {
        {"score", "by score"},
        {"reverse", "in reverse order of score"},
        {"synergy", "by synergy"},
        {"redundancy", "by redundancy"},
        {"norm", "by mean norm"},
        {"sink", "by attention to the first token"},
        {"gradient", "by importance for the loss"},
        {"random", "at random"},
        {"matched", "at random, as many from each layer"},
        {"core", "core: the highest scores"},
        {"periphery", "periphery: the lowest scores"},
        {"difference", "by the rank of the difference"},
        {"difference-reverse", "in reverse order of the rank of the difference"},
        {"difference-matched",
         "at random, as many from each layer as the rank of the difference takes"},
        {"difference-core", "core: the highest ranks of the difference"},
        {"difference-periphery", "periphery: the lowest ranks of the difference"},
        {"rank-difference", "by rank difference"},
        {"rank-difference-reverse", "in reverse order of rank difference"},
        {"rank-difference-matched",
         "at random, as many from each layer as the rank difference takes"},
        {"rank-difference-core", "core: the highest rank differences"},
        {"rank-difference-periphery", "periphery: the lowest rank differences"}};
    for (size_t k = 0; k < sizeof word / sizeof word[0]; k++)
        if (!strcmp(word[k][0], order)) return word[k][1];
    return "in another order";
}
