/* tune_results.c - what several runs of tune say together: accuracy over steps, and each pair of
   subsets compared over the seeds that both have. */
#include "learn/tune.h"

#include "base/columns.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct tuned {
    json_file told;
    csv accuracy;
    char group[400]; /* what must be the same to be compared */
    const char *task, *method, *subset;
    int64_t seed;
} tuned;

typedef struct tuned_list {
    tuned *at;
    size_t count;
} tuned_list;

/* ---- reading ------------------------------------------------------------------------------ */

static bool read_run(tuned_list *l, const char *folder, problem *why)
{
    char path[TOOL_PATH_BYTES], table[TOOL_PATH_BYTES];
    if (!path_join(path, folder, "tune.json", why) ||
        !path_join(table, folder, "accuracy.csv", why))
        return false;
    if (!path_exists(path) || !path_exists(table)) return true; /* not finished */
    l->at = tool_realloc(l->at, l->count + 1, sizeof *l->at);
    tuned *t = &l->at[l->count];
    memset(t, 0, sizeof *t);
    if (!json_read(&t->told, path, why)) return false;
    if (!csv_read(&t->accuracy, table, why)) {
        json_free(&t->told);
        return false;
    }
    const json *j = t->told.root;
    t->task = json_text_of(j, "task", "?");
    t->method = json_text_of(j, "method", "?");
    t->subset = json_text_of(j, "subset", "?");
    t->seed = (int64_t)json_number_of(j, "seed", 0);
    snprintf(
        t->group, sizeof t->group, "%s %s %s %s %.12s %g %g %g %g %g %g %g %g", t->task, t->method,
        json_text_of(j, "score", ""), json_text_of(j, "check", ""), json_text_of(j, "sha256", ""),
        json_number_of(j, "share", 0), json_number_of(j, "steps", 0), json_number_of(j, "batch", 0),
        json_number_of(j, "group", 0), json_number_of(j, "lr", 0), json_number_of(j, "items", 0),
        json_number_of(j, "kl", 0), json_number_of(j, "shots", 0));
    l->count++;
    return true;
}

static bool read_runs(tuned_list *l, const char *directory, problem *why)
{
    char tune[TOOL_PATH_BYTES], folder[TOOL_PATH_BYTES];
    folder_names names = {NULL, 0};
    bool good = path_join(tune, directory, "tune", why) && folder_list(&names, tune, why);
    for (size_t i = 0; i < names.count && good; i++)
        good = path_join(folder, tune, names.at[i], why) && read_run(l, folder, why);
    folder_list_free(&names);
    return good;
}

/* ---- one comparison ------------------------------------------------------------------------- */

static double last_accuracy(const tuned *t)
{
    const csv *c = &t->accuracy;
    return c->rows ? csv_number_at(c, c->rows - 1, "accuracy") : (double)NAN;
}

/* "items 0110...": which items were right at the end. */
static const char *last_right(const tuned *t)
{
    const csv *c = &t->accuracy;
    const char *cell = c->rows ? csv_at(c, c->rows - 1, "right") : "";
    return strncmp(cell, "items ", 6) ? "" : cell + 6;
}

static const tuned *find(const tuned_list *l, const char *group, const char *subset, int64_t seed)
{
    for (size_t i = 0; i < l->count; i++)
        if (!strcmp(l->at[i].group, group) && !strcmp(l->at[i].subset, subset) &&
            l->at[i].seed == seed)
            return &l->at[i];
    return NULL;
}

typedef struct paired {
    size_t seeds, items;
    double difference, low, high, p_seeds, p_items;
} paired;

/* The share of 10 000 random signs of the items' differences whose sum is as far from 0. */
static double sign_p(const double *d, size_t n, size_t *told)
{
    enum { DRAWS = 10000 };
    double sum = 0;
    size_t far = 0;
    uint64_t state = 20260111;
    for (size_t i = 0; i < n; i++) sum += d[i];
    for (int k = 0; k < DRAWS; k++) {
        double drawn = 0;
        for (size_t i = 0; i < n; i++) drawn += random_bits(&state) >> 63 ? d[i] : -d[i];
        far += fabs(drawn) >= fabs(sum) - 1e-12;
    }
    *told = n;
    return (1 + (double)far) / (1 + DRAWS);
}

static paired compare(const tuned_list *l, const char *group, const char *a, const char *b)
{
    paired p = {0, 0, (double)NAN, (double)NAN, (double)NAN, (double)NAN, (double)NAN};
    double sum = 0, square = 0, *item = NULL;
    for (size_t i = 0; i < l->count; i++) {
        const tuned *x = &l->at[i];
        if (strcmp(x->group, group) || strcmp(x->subset, a)) continue;
        const tuned *y = find(l, group, b, x->seed);
        if (!y) continue;
        const double d = last_accuracy(x) - last_accuracy(y);
        const char *rx = last_right(x), *ry = last_right(y);
        const size_t n = strlen(rx);
        if (!p.seeds) {
            p.items = n;
            item = tool_alloc(n + 1, sizeof *item);
        }
        for (size_t k = 0; k < p.items && n == p.items && strlen(ry) == n; k++)
            item[k] += (double)(rx[k] - ry[k]);
        sum += d;
        square += d * d;
        p.seeds++;
    }
    if (p.seeds) {
        const double mean = sum / (double)p.seeds, se = student_error(sum, square, p.seeds);
        p.difference = mean;
        if (p.seeds > 1) {
            const double t = se > 0 ? mean / se : mean > 0 || mean < 0 ? (double)INFINITY : 0;
            p.low = mean - student_reach(sum, square, p.seeds);
            p.high = mean + student_reach(sum, square, p.seeds);
            p.p_seeds = student_p(t, p.seeds - 1);
        }
        if (p.items) p.p_items = sign_p(item, p.items, &p.items);
    }
    free(item);
    return p;
}

/* ---- writing -------------------------------------------------------------------------------- */

static bool write_table(const tuned_list *l, const char *directory, problem *why)
{
    char path[TOOL_PATH_BYTES];
    table_out out;
    table_begin(&out, "tuning.csv");
    for (size_t i = 0; i < l->count; i++) {
        const tuned *t = &l->at[i];
        for (size_t r = 0; r < t->accuracy.rows; r++) {
            static const char *const number[] = {"step", "accuracy", "low", "high"};
            table_text(&out, "task", t->task);
            table_text(&out, "method", t->method);
            table_text(&out, "subset", t->subset);
            table_int(&out, "seed", t->seed);
            for (size_t k = 0; k < 4; k++) {
                const double v = csv_number_at(&t->accuracy, r, number[k]);
                if (k) table_number(&out, number[k], v);
                else table_int(&out, number[k], (int64_t)v);
            }
            table_int(&out, "items", (int64_t)json_number_of(t->told.root, "items", 0));
            table_int(&out, "heads", (int64_t)json_number_of(t->told.root, "heads", 0));
            table_end_row(&out);
        }
    }
    if (path_join(path, directory, "tuning.csv", why)) return table_write(&out, path, why);
    table_free(&out);
    return false;
}

static void test_json(json_out *j, const tuned *of, const char *a, const char *b, const paired *p)
{
    json_object_inline(j, NULL);
    json_text(j, "task", of->task);
    json_text(j, "method", of->method);
    json_text(j, "a", a);
    json_text(j, "b", b);
    json_int(j, "seeds", (int64_t)p->seeds);
    json_number(j, "difference", p->difference);
    json_number(j, "low", p->low);
    json_number(j, "high", p->high);
    json_number(j, "p_seeds", p->p_seeds);
    json_int(j, "items", (int64_t)p->items);
    json_number(j, "p_items", p->p_items);
    json_object_end(j);
}

/* Of the subsets of a group, each once, in the order of their names in the list. */
static size_t subsets_of(const tuned_list *l, const char *group, const char **to, size_t most)
{
    static const char *const first[] = {"core", "random", "periphery", "matched", "all"};
    size_t n = 0;
    for (size_t k = 0; k < sizeof first / sizeof first[0]; k++)
        for (size_t i = 0; i < l->count; i++)
            if (!strcmp(l->at[i].group, group) && !strcmp(l->at[i].subset, first[k])) {
                to[n++] = first[k];
                break;
            }
    for (size_t i = 0; i < l->count && n < most; i++) {
        bool known = strcmp(l->at[i].group, group) != 0;
        for (size_t k = 0; k < n; k++) known = known || !strcmp(to[k], l->at[i].subset);
        if (!known) to[n++] = l->at[i].subset;
    }
    return n;
}

static bool is_sure(const paired *p)
{
    return p->seeds > 1 && p->p_seeds < 0.05;
}

/* RL: the core over random heads, and these over the periphery. SFT: none of the three differs.
   Fewer than three seeds leave both open. */
static const char *verdict_of(const char *method, const paired p[3])
{
    for (int k = 0; k < 3; k++)
        if (p[k].seeds < 3) return "open";
    if (choice_is(CHOICE_METHOD, TUNE_SFT, method))
        return is_sure(&p[0]) || is_sure(&p[1]) || is_sure(&p[2]) ? "no" : "yes";
    const bool over_random = is_sure(&p[0]) && p[0].difference > 0,
               over_periphery = is_sure(&p[2]) && p[2].difference > 0;
    const bool below =
        (is_sure(&p[0]) && p[0].difference < 0) || (is_sure(&p[2]) && p[2].difference < 0);
    if (over_random && over_periphery) return "yes";
    return below ? "no" : over_random || over_periphery ? "in part" : "open";
}

enum { MOST_SUBSETS = 32 };

static void group_claim(const tuned_list *l, const tuned *of, json_out *j)
{
    const paired claim[3] = {compare(l, of->group, "core", "random"),
                             compare(l, of->group, "random", "periphery"),
                             compare(l, of->group, "core", "periphery")};
    if (!claim[0].seeds && !claim[2].seeds) return;
    json_object_inline(j, NULL);
    json_text(j, "task", of->task);
    json_text(j, "method", of->method);
    json_text(j, "verdict", verdict_of(of->method, claim));
    json_object_end(j);
}

static void group_means(const tuned_list *l, const tuned *of, json_out *j)
{
    const char *subset[MOST_SUBSETS];
    const size_t n = subsets_of(l, of->group, subset, MOST_SUBSETS);
    for (size_t a = 0; a < n; a++) {
        double sum = 0, start = 0;
        size_t seeds = 0;
        for (size_t i = 0; i < l->count; i++) {
            const csv *c = &l->at[i].accuracy;
            if (strcmp(l->at[i].group, of->group) || strcmp(l->at[i].subset, subset[a])) continue;
            start += c->rows ? csv_number_at(c, 0, "accuracy") : (double)NAN;
            sum += last_accuracy(&l->at[i]);
            seeds++;
        }
        json_object_inline(j, NULL);
        json_text(j, "task", of->task);
        json_text(j, "method", of->method);
        json_text(j, "subset", subset[a]);
        json_int(j, "seeds", (int64_t)seeds);
        json_number(j, "before", start / (double)seeds);
        json_number(j, "after", sum / (double)seeds);
        json_object_end(j);
    }
}

static void group_tests(const tuned_list *l, const tuned *of, json_out *j)
{
    const char *subset[MOST_SUBSETS];
    const size_t n = subsets_of(l, of->group, subset, MOST_SUBSETS);
    for (size_t a = 0; a < n; a++)
        for (size_t b = a + 1; b < n; b++) {
            const paired p = compare(l, of->group, subset[a], subset[b]);
            if (p.seeds) test_json(j, of, subset[a], subset[b], &p);
        }
}

static bool write_json(const tuned_list *l, const char *directory, problem *why)
{
    typedef void group_fn(const tuned_list *l, const tuned *of, json_out *j);
    static const struct {
        const char *key;
        group_fn *add;
    } of[3] = {{"claims", group_claim}, {"means", group_means}, {"tests", group_tests}};
    char path[TOOL_PATH_BYTES];
    json_out j;
    memset(&j, 0, sizeof j);
    json_object(&j, NULL);
    json_text(&j, "program", "synergy tune");
    json_text(&j, "version", tool_version());
    json_int(&j, "runs", (int64_t)l->count);
    for (int k = 0; k < 3; k++) {
        json_array(&j, of[k].key);
        for (size_t i = 0; i < l->count; i++) {
            bool known = false;
            for (size_t m = 0; m < i; m++) known = known || !strcmp(l->at[m].group, l->at[i].group);
            if (!known) of[k].add(l, &l->at[i], &j);
        }
        json_array_end(&j);
    }
    json_object_end(&j);
    if (path_join(path, directory, "tuning.json", why)) return json_write(&j, path, why);
    text_free(&j.to);
    return false;
}

bool tune_collect(const char *directory, problem *why)
{
    tuned_list l = {NULL, 0};
    bool good = read_runs(&l, directory, why);
    if (good && l.count)
        good = write_table(&l, directory, why) && write_json(&l, directory, why) &&
               columns_write(directory, why);
    for (size_t i = 0; i < l.count; i++) {
        json_free(&l.at[i].told);
        csv_free(&l.at[i].accuracy);
    }
    free(l.at);
    return good;
}
