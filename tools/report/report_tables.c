/* report_tables.c - tables: correlations, units, prompts, settings. */
#include "report/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- correlations ----------------------------------------------------------------------- */

/* The columns that phiid.json compares, and those of units.csv that came later. */
enum { MOST_COLUMNS = 24 };

static size_t correlated(const report *r, const char *name[MOST_COLUMNS])
{
    size_t n = 0;
    bool has_sink = false;
    const json *names = json_at(r->phiid.root, "spearman.columns");
    for (const json *c = names ? names->child : NULL; c && n < MOST_COLUMNS - 1; c = c->next) {
        if (c->kind != JSON_TEXT) continue;
        has_sink = has_sink || !strcmp(c->text, "sink");
        name[n++] = c->text;
    }
    if (r->column[UNIT_SINK] && !has_sink) name[n++] = "sink";
    return n;
}

/* What stands in phiid.json; NaN where it has no such row or column. */
static double correlation_told(const report *r, const char *which, size_t row, size_t column)
{
    const json *rows = json_get(json_get(r->phiid.root, "spearman"), which);
    const json *at = rows && rows->kind == JSON_ARRAY ? rows->child : NULL;
    for (size_t k = 0; at && k < row; k++) at = at->next;
    at = at ? at->child : NULL;
    for (size_t k = 0; at && k < column; k++) at = at->next;
    return at && at->kind == JSON_NUMBER ? at->number : (double)NAN;
}

/* Means of layers over what is finite; in place. */
static void layer_means(const report *r, double *v)
{
    for (size_t l = 0; l < r->layers; l++) v[l] = mean_finite(v + l * r->per_layer, r->per_layer);
}

static double correlation(const report *r, const char *which, const char *a, const char *b)
{
    double *x = report_column(r, a), *y = report_column(r, b), rho = (double)NAN;
    if (x && y) {
        bool units = !strcmp(which, "units");
        if (!units) {
            layer_means(r, x);
            layer_means(r, y);
        }
        rho = spearman_of(x, y, units ? r->count : r->layers);
    }
    free(x);
    free(y);
    return rho;
}

static void spearman_table(page *p, const report *r, const char *which, const char *title)
{
    const char *name[MOST_COLUMNS];
    size_t n = correlated(r, name);
    if (!n) return;
    page_table(p, "matrix", "Correlations", title);
    page_put(p, "<td></td>");
    for (size_t k = 0; k < n; k++) {
        page_put(p, "<th scope=\"col\">");
        page_name(p, name[k]);
        page_put(p, "</th>");
    }
    page_table_body(p);
    for (size_t i = 0; i < n; i++) {
        page_put(p, "<tr><th scope=\"row\">");
        page_name(p, name[i]);
        page_put(p, "</th>");
        for (size_t j = 0; j < n; j++) {
            double rho = correlation_told(r, which, i, j);
            page_cell_correlation(p, isfinite(rho) ? rho : correlation(r, which, name[i], name[j]));
        }
        page_row_end(p);
    }
    page_table_end(p);
}

void report_correlations(page *p, const report *r)
{
    spearman_table(p, r, "units", "Spearman correlations over units.");
    page_put(p, "<details><summary>The same over layer means</summary>\n");
    spearman_table(p, r, "layers", "Spearman correlations over layer means.");
    page_put(p, "</details>\n");
}

/* ---- tables of units ------------------------------------------------------------------ */

static const struct {
    unit_column column;
    const char *head;
} table_column[] = {{UNIT_RANK_DIFFERENCE, "rank difference"},
                    {UNIT_DIFFERENCE_RANK, "rank of difference"},
                    {UNIT_SYNERGY, "synergy, nats"},
                    {UNIT_REDUNDANCY, "redundancy, nats"},
                    {UNIT_SELF, "self-information, nats"},
                    {UNIT_MEAN_NORM, "mean norm"},
                    {UNIT_SINK, "attention to the first token"}};
enum { TABLE_COLUMNS = sizeof table_column / sizeof table_column[0] };

static void table_head(page *p, const report *r, const char *title, bool intervals)
{
    page_table(p, NULL, title, title);
    page_table_head(p, r->one);
    page_table_head(p, "score");
    if (intervals) page_table_head(p, "95 % interval");
    for (int c = 0; c < TABLE_COLUMNS; c++)
        if (r->column[table_column[c].column]) page_table_head(p, table_column[c].head);
    page_table_body(p);
}

static void table_row(page *p, const report *r, size_t unit, bool intervals)
{
    page_put(p, "<tr><th scope=\"row\">");
    page_text(p, r->unit[unit]);
    page_put(p, "</th>");
    page_cell(p, r->column[UNIT_SCORE] ? r->column[UNIT_SCORE][unit] : (double)NAN);
    if (intervals)
        page_cell_interval(p, r->column[UNIT_SCORE_LOW][unit], r->column[UNIT_SCORE_HIGH][unit]);
    for (int c = 0; c < TABLE_COLUMNS; c++) {
        const double *v = r->column[table_column[c].column];
        if (v) page_cell(p, v[unit]);
    }
    page_row_end(p);
}

static bool has_intervals(const report *r)
{
    if (!r->column[UNIT_SCORE_LOW] || !r->column[UNIT_SCORE_HIGH]) return false;
    for (size_t i = 0; i < r->count; i++)
        if (isfinite(r->column[UNIT_SCORE_LOW][i])) return true;
    return false;
}

static void unit_table(page *p, const report *r, const char *title, const size_t *order,
                       size_t from, size_t to)
{
    bool intervals = has_intervals(r);
    table_head(p, r, title, intervals);
    for (size_t i = from; i < to; i++) table_row(p, r, order[i], intervals);
    page_table_end(p);
}

enum { SHOWN_UNITS = 10, MOST_TABLE_ROWS = 1200 };

void report_units(page *p, const report *r)
{
    char title[160];
    size_t n;
    size_t *order = report_order(r, r->column[UNIT_SCORE], &n);
    size_t shown = n < 2 * SHOWN_UNITS ? n / 2 : SHOWN_UNITS;
    text_print(&p->html, "<h2 id=\"units\">Highest and lowest %s</h2>\n", r->many);
    if (n == 0) page_put(p, "<p>No unit has a score.</p>\n");
    if (n) {
        snprintf(title, sizeof title, "The %zu %s with the highest score (%s).", shown, r->many,
                 r->score);
        unit_table(p, r, title, order, 0, shown);
        snprintf(title, sizeof title, "The %zu %s with the lowest score (%s).", shown, r->many,
                 r->score);
        unit_table(p, r, title, order, n - shown, n);
    }
    if (n && r->count <= MOST_TABLE_ROWS) {
        page_put(p, "<details><summary>All of them</summary>\n");
        snprintf(title, sizeof title, "All %zu %s with a score, the highest first.", n, r->many);
        unit_table(p, r, title, order, 0, n);
        page_put(p, "</details>\n");
    }
    free(order);
}

static void cell(page *p, const char *words)
{
    page_put(p, "<td class=\"words long\">");
    page_text(p, words);
    page_put(p, "</td>");
}

static const char *first_text(const json *object, const char *const *keys)
{
    for (; *keys; keys++) {
        const char *s = json_text_of(object, *keys, "");
        if (*s) return s;
    }
    return "";
}

/* At most n bytes, cut at a character, with an ellipsis. */
static void shortened(const char *s, size_t n, char *to)
{
    size_t length = strlen(s);
    if (length <= n) {
        memcpy(to, s, length + 1);
        return;
    }
    while (n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80) n--;
    memcpy(to, s, n);
    memcpy(to + n, "\xe2\x80\xa6", 4);
}

void report_prompts(page *p, const report *r)
{
    static const char *const text_keys[] = {"text", "prompt", NULL};
    static const char *const answer_keys[] = {"continuation", "output", "generated",
                                              "answer",       "first",  NULL};
    const json *list = json_get(r->run.root, "prompts");
    if (!list || list->kind != JSON_ARRAY || !list->child) return;
    bool answers = false, categories = false;
    for (const json *c = list->child; c; c = c->next) {
        answers = answers || *first_text(c, answer_keys);
        categories = categories || *json_text_of(c, "category", "");
    }
    page_put(p, "<h2 id=\"prompts\">Prompts</h2>\n");
    text_print(&p->html, "<details><summary>The %zu prompts%s</summary>\n", list->count,
               answers ? " and how the model went on" : "");
    page_table(p, NULL, "Prompts", "Prompts and what the model made of them.");
    page_table_head(p, "#");
    if (categories) page_table_head_words(p, "kind");
    page_table_head_words(p, "prompt");
    if (answers) page_table_head_words(p, "first tokens of the answer");
    page_table_body(p);
    size_t number = 0;
    for (const json *c = list->child; c; c = c->next) {
        char shown[408];
        text_print(&p->html, "<tr><th scope=\"row\">%zu</th>", number++);
        if (categories) page_cell_words(p, json_text_of(c, "category", ""));
        shortened(c->kind == JSON_TEXT ? c->text : first_text(c, text_keys), 400, shown);
        cell(p, shown);
        shortened(first_text(c, answer_keys), 200, shown);
        if (answers) cell(p, shown);
        page_row_end(p);
    }
    page_table_end(p);
    page_put(p, "</details>\n");
}

static void setting_rows(page *p, const json *object, const char *of)
{
    if (!object || object->kind != JSON_OBJECT) return;
    for (const json *c = object->child; c; c = c->next) {
        if (c->kind == JSON_OBJECT || c->kind == JSON_ARRAY) continue;
        page_row(p, of);
        page_put(p, "<td class=\"words\">");
        page_name(p, c->key);
        page_put(p, "</td>");
        page_cell_words(p, c->kind == JSON_TRUE    ? "yes"
                           : c->kind == JSON_FALSE ? "no"
                           : c->kind == JSON_NULL  ? "\xe2\x80\x93"
                                                   : c->text);
        page_row_end(p);
    }
}

/* " --NAME value" as the settings have it; nothing where they have none. */
static void repeat_option(page *p, const json *settings, const char *key, const char *name)
{
    const json *v = json_get(settings, key);
    if (!v || (v->kind != JSON_NUMBER && v->kind != JSON_TEXT) || !v->text) return;
    text_print(&p->html, " --%s ", name);
    page_shell(p, v->text);
}

static void repeat_capture(page *p, const report *r)
{
    const json *settings = json_get(r->run.root, "settings");
    const char *told = json_text_of(r->run.root, "command", "");
    if (*told) {
        page_text(p, told);
    } else {
        page_put(p, "synergy capture ");
        page_shell(p, json_text_of(r->run.root, "model.file", "MODEL"));
        page_put(p, " -o DIR");
        repeat_option(p, settings, "prompts", "prompts");
        double samples = report_number(r, "input.samples");
        if (isfinite(samples)) text_print(&p->html, " -n %.0f", samples);
        repeat_option(p, settings, "units", "units");
        repeat_option(p, settings, "eos", "eos");
        repeat_option(p, settings, "temperature", "temp");
        repeat_option(p, settings, "seed", "seed");
        if (choice_is(CHOICE_ARITHMETIC, 1, json_text_of(settings, "arithmetic", "")))
            page_put(p, " --exact");
    }
    page_put(p, "\n");
}

static void repeat_commands(page *p, const report *r)
{
    static const char *const key[] = {"tau",  "redundancy", "score",      "flagged", "min_length",
                                      "seed", "resamples",  "surrogates", "null",    "detrend"};
    static const char *const name[] = {"tau",  "redundancy", "score",      "flagged", "min-length",
                                       "seed", "resamples",  "surrogates", "null",    "detrend"};
    const json *settings = json_get(r->phiid.root, "settings");
    page_put(p, "<pre>");
    if (r->run.root) repeat_capture(p, r);
    page_put(p, "synergy phiid ");
    page_shell(p, r->run.root ? "DIR" : json_text_of(r->phiid.root, "input.file", "NORMS.npy"));
    page_put(p, " -o DIR");
    for (size_t k = 0; k < sizeof key / sizeof key[0]; k++)
        repeat_option(p, settings, key[k], name[k]);
    if (!strcmp(json_text_of(settings, "prompts", ""), "pooled")) page_put(p, " --pool");
    if (json_bool_of(settings, "bias_corrected", false)) page_put(p, " --bias-correct");
    page_put(p, "\n");
    if (json_get(r->graph.root, "synergy")) {
        page_put(p, "synergy graph DIR");
        repeat_option(p, json_get(r->graph.root, "settings"), "nulls", "nulls");
        repeat_option(p, json_get(r->graph.root, "settings"), "seed", "seed");
        page_put(p, "\n");
    }
    if (r->ablation.root) page_put(p, "synergy ablate MODEL DIR -o DIR\n");
    if (r->perturb.root) page_put(p, "synergy perturb MODEL DIR -o DIR\n");
    page_put(p, "synergy report DIR</pre>\n");
}

void report_repeat(page *p, const report *r)
{
    page_put(p, "<h2 id=\"repeat\">To repeat it</h2>\n");
    repeat_commands(p, r);
    page_put(
        p, "<p>The numbers stand beside this page: <code>units.csv</code>, "
           "<code>profile.csv</code>, <code>synergy.npy</code>, <code>redundancy.npy</code>, "
           "<code>phiid.json</code>; each figure is <code>figures/NAME.svg</code> with its data in "
           "<code>figures/NAME.csv</code>.</p>\n<details><summary>All settings</summary>\n");
    page_table(p, NULL, "Settings", "All settings.");
    page_table_head_words(p, "of");
    page_table_head_words(p, "setting");
    page_table_head_words(p, "value");
    page_table_body(p);
    setting_rows(p, report_model(r), "model");
    setting_rows(p, json_get(r->run.root, "settings"), "capture");
    setting_rows(p, json_get(r->phiid.root, "input"), "norms");
    setting_rows(p, json_get(r->phiid.root, "settings"), "phiid");
    setting_rows(p, json_get(r->graph.root, "settings"), "graph");
    setting_rows(p, json_get(r->ablation.root, "settings"), "ablate");
    setting_rows(p, json_get(r->perturb.root, "settings"), "perturb");
    page_table_end(p);
    page_put(p, "</details>\n");
}
