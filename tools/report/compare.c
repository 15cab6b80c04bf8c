/* compare.c - reads several result folders and sets them against each other. */
#include "report/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- profiles --------------------------------------------------------------------------- */

/* Where a value would stand among the other layers' means: 0 below all, 1 above all. */
static double percentile_among(const curve *raw, size_t layer, double value)
{
    double below = 0, others = 0;
    if (!isfinite(value)) return (double)NAN;
    for (size_t l = 0; l < raw->n; l++) {
        if (l == layer || !isfinite(raw->y[l])) continue;
        below += raw->y[l] < value ? 1 : raw->y[l] == value ? 0.5 : 0;
        others += 1;
    }
    return others > 0 ? below / others : (double)NAN;
}

static void read_profile(compared *f, const char *score)
{
    const report *r = &f->r;
    f->raw = curve_new(r->layers);
    f->percentile = curve_new(r->layers);
    report_profile(r, score, "mean", f->raw.y);
    report_profile(r, score, "low", f->raw.low);
    report_profile(r, score, "high", f->raw.high);
    report_profile(r, score, "percentile", f->percentile.y);
    for (size_t l = 0; l < r->layers; l++) {
        f->raw.x[l] = f->percentile.x[l] = (double)l / (double)(r->layers - 1);
        f->percentile.low[l] = percentile_among(&f->raw, l, f->raw.low[l]);
        f->percentile.high[l] = percentile_among(&f->raw, l, f->raw.high[l]);
    }
}

/* ---- one folder ------------------------------------------------------------------------- */

/* Width of a letter of the figures in units, from common sans serif fonts: a guess on the safe
   side. */
static double letter_width(const char *s)
{
    if ((unsigned char)*s >= 0x80) return 11;
    if (strchr("mwMW@%", *s)) return 11;
    if (strchr("ijl.,:;'|!fIt()[]-/ ", *s)) return 4.8;
    return *s >= 'A' && *s <= 'Z' ? 8.2 : 7;
}

/* "2 a long lab..." that fits beside a line. */
static void shorten(const char *label, size_t number, char to[48])
{
    enum { ROOM = 92 };
    int n = snprintf(to, 48, "%zu ", number);
    double width = 7.0 * n;
    const char *s = label;
    while (*s && n < 40) {
        const char *next = s + 1;
        while (((unsigned char)*next & 0xc0) == 0x80) next++;
        if (width + letter_width(s) > (*next ? ROOM - 10 : ROOM)) break;
        width += letter_width(s);
        memcpy(to + n, s, (size_t)(next - s));
        n += (int)(next - s);
        s = next;
    }
    snprintf(to + n, 48 - (size_t)n, "%s", *s ? "\xe2\x80\xa6" : "");
}

static bool open_folder(comparison *c, size_t k, problem *why)
{
    compared *f = &c->at[k];
    f->directory = c->options->directory[k];
    f->label = c->options->label[k];
    if (!report_load_scores(&f->r, f->directory, why)) return false;
    c->count = k + 1;
    if (!c->score) c->score = c->options->score ? c->options->score : f->r.score;
    if (f->r.layers < 3)
        return problem_set(why, "%s: has %zu layer%s; a profile needs at least 3", f->directory,
                           f->r.layers, f->r.layers == 1 ? "" : "s");
    if (!report_has_profile(&f->r, c->score))
        return problem_set(why, "%s/profile.csv: has no profile of '%.60s' (%s)", f->directory,
                           c->score,
                           strcmp(c->score, "excess") ? "see synergy phiid --help for the scores"
                                                      : "synergy phiid --surrogates makes it");
    f->unit = report_column(&f->r, report_score_column(c->score));
    if (!f->unit)
        return problem_set(why, "%s/units.csv: has no column '%s' of numbers", f->directory,
                           report_score_column(c->score));
    const json *scores = json_get(json_get(f->r.phiid.root, "scores"), c->score);
    f->peak = report_interval(scores, "peak_depth");
    f->middle = report_interval(scores, "middle_minus_outer");
    f->curvature = report_interval(scores, "curvature");
    f->shape = report_shape(&f->r, c->score);
    read_profile(f, c->score);
    shorten(f->label, k + 1, f->mark);
    return true;
}

/* ---- two folders ------------------------------------------------------------------------ */

/* The same units: as many layers and heads of one architecture. Checkpoints and quantisations of a
   model are the same in this; a model of another family is not, even with as many heads. */
static bool same_units(const report *a, const report *b)
{
    const json *x = report_model(a), *y = report_model(b);
    if (a->layers != b->layers || a->per_layer != b->per_layer || a->first_layer != b->first_layer)
        return false;
    if (strcmp(a->many, b->many) || !x != !y) return false;
    return !strcmp(json_text_of(x, "architecture", ""), json_text_of(y, "architecture", "")) &&
           json_number_of(x, "parameters", 0) == json_number_of(y, "parameters", 0);
}

/* Marks the quarter with the highest score among the units that have one in both. */
static void mark_quarter(const report *r, const double *score, const double *other, size_t quarter,
                         unsigned char bit, unsigned char *mark)
{
    size_t n, taken = 0;
    size_t *order = report_order(r, score, &n);
    for (size_t i = 0; i < n && taken < quarter; i++) {
        if (!isfinite(other[order[i]])) continue;
        mark[order[i]] = (unsigned char)(mark[order[i]] | bit);
        taken++;
    }
    free(order);
}

static void agree_units(agreement *g, const compared *a, const compared *b)
{
    unsigned char *mark = tool_alloc(a->r.count, 1);
    g->by_units = true;
    for (size_t i = 0; i < a->r.count; i++)
        g->count += isfinite(a->unit[i]) && isfinite(b->unit[i]) ? 1 : 0;
    g->spearman = chance_spearman(spearman_of(a->unit, b->unit, a->r.count), g->count);
    g->quarter = g->count / 4;
    mark_quarter(&a->r, a->unit, b->unit, g->quarter, 1, mark);
    mark_quarter(&b->r, b->unit, a->unit, g->quarter, 2, mark);
    for (size_t i = 0; i < a->r.count; i++) g->shared += mark[i] == 3 ? 1 : 0;
    if (g->quarter) chance_overlap(g);
    free(mark);
}

static void agree_profiles(agreement *g, const compared *a, const compared *b)
{
    g->spearman = curve_agreement(&a->raw, &b->raw, &g->count);
}

/* ---- all of them ------------------------------------------------------------------------ */

comparison *compare_open(const compare_options *o, problem *why)
{
    comparison *c = tool_alloc(1, sizeof *c);
    memset(c, 0, sizeof *c);
    c->options = o;
    for (size_t k = 0; k < o->count; k++)
        if (!open_folder(c, k, why)) {
            compare_close(c);
            return NULL;
        }
    for (size_t i = 0; i < c->count; i++)
        for (size_t j = i + 1; j < c->count; j++) {
            if (same_units(&c->at[i].r, &c->at[j].r))
                agree_units(&c->pair[i][j], &c->at[i], &c->at[j]);
            else agree_profiles(&c->pair[i][j], &c->at[i], &c->at[j]);
        }
    for (size_t k = 0; k < c->count && o->paper; k++)
        c->paper[k] = paper_compare(&c->at[k].r, paper_find(o->paper), c->score);
    return c;
}

void compare_close(comparison *c)
{
    if (!c) return;
    for (size_t k = 0; k < c->count; k++) {
        curve_free(&c->at[k].raw);
        curve_free(&c->at[k].percentile);
        free(c->at[k].unit);
        report_close(&c->at[k].r);
    }
    free(c);
}

bool compare_data_name(const char *output, char to[TOOL_PATH_BYTES], problem *why)
{
    size_t n = strlen(output);
    if (n > 5 && !strcmp(output + n - 5, ".html")) n -= 5;
    if (n + 5 > TOOL_PATH_BYTES) return problem_set(why, "%.100s...: the name is too long", output);
    snprintf(to, TOOL_PATH_BYTES, "%.*s.csv", (int)n, output);
    return true;
}

static void profile_rows(const compared *f, const char *score, table_out *t)
{
    static const char *const column[] = {
        "depth", "mean", "low", "high", "percentile", "percentile_low", "percentile_high"};
    for (size_t l = 0; l < f->raw.n; l++) {
        const double v[] = {f->raw.x[l],          f->raw.y[l],        f->raw.low[l],
                            f->raw.high[l],       f->percentile.y[l], f->percentile.low[l],
                            f->percentile.high[l]};
        table_text(t, "label", f->label);
        table_text(t, "directory", f->directory);
        table_text(t, "score", score);
        table_int(t, "layer", (int64_t)(f->r.first_layer + l));
        for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) table_number(t, column[i], v[i]);
        table_end_row(t);
    }
}

/* A model of the paper in the same columns: its figure has percentiles and no means. */
static void paper_rows_of(const paper_model *m, table_out *t)
{
    char label[COMPARE_LABEL];
    curve nothing = curve_new(m->layers), at = paper_percentile(m);
    for (size_t l = 0; l < m->layers; l++)
        nothing.x[l] = at.x[l], nothing.y[l] = nothing.low[l] = nothing.high[l] = (double)NAN;
    compared f;
    memset(&f, 0, sizeof f);
    f.r.first_layer = m->first_layer;
    f.label = label;
    f.directory = "";
    f.raw = nothing;
    f.percentile = at;
    snprintf(label, sizeof label, "paper: %s", m->name);
    profile_rows(&f, m->source, t);
    curve_free(&at);
    curve_free(&nothing);
}

bool compare_write(const comparison *c, problem *why)
{
    char path[TOOL_PATH_BYTES];
    table_out t;
    if (!compare_data_name(c->options->output, path, why)) return false;
    table_begin(&t, "compare.csv");
    for (size_t k = 0; k < c->count; k++) profile_rows(&c->at[k], c->score, &t);
    for (size_t k = 0; k < c->count && c->options->paper; k++) {
        bool done = false; /* a model that stands beside two results is written once */
        for (size_t i = 0; i < k; i++) done = done || c->paper[i].model == c->paper[k].model;
        if (!done) paper_rows_of(c->paper[k].model, &t);
    }
    return table_write(&t, path, why) && compare_page(c, why);
}
