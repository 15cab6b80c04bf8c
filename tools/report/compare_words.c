/* compare_words.c - a comparison in sentences, as text and as JSON. */
#include "report/compare.h"

#include <math.h>
#include <string.h>

/* ---- sentences -------------------------------------------------------------------------- */

void compare_finding(const comparison *c, text *to)
{
    size_t above = 0, bent = 0, tested = 0, open = 0;
    double least = (double)NAN, most = (double)NAN;
    for (size_t k = 0; k < c->count; k++) {
        const shape_evidence *e = &c->at[k].shape;
        const bool high = shape_surely_high(e, 1);
        tested += isfinite(e->middle.low) && !shape_is_open(e) ? 1 : 0;
        open += shape_is_open(e) ? 1 : 0;
        above += high ? 1 : 0;
        bent += high && shape_surely_bent(e, 1) ? 1 : 0;
    }
    for (size_t i = 0; i < c->count; i++)
        for (size_t j = i + 1; j < c->count; j++) {
            least = fmin(least, c->pair[i][j].spearman.value);
            most = fmax(most, c->pair[i][j].spearman.value);
        }
    if (tested)
        text_print(
            to,
            "Of %zu result%s with intervals, %zu %s a middle third of the layers surely above the "
            "outer thirds, and %zu of these a profile that surely bends downwards",
            tested, tested == 1 ? "" : "s", above, above == 1 ? "has" : "have", bent);
    else if (open < c->count && c->count == 1) text_add(to, "The result has no intervals");
    else if (open < c->count) text_print(to, "None of the %zu results has intervals", c->count);
    else if (c->count == 1) text_add(to, "The shape of the profile is open");
    else text_print(to, "The shapes of all %zu profiles are open", c->count);
    if (open && open < c->count)
        text_print(to, "; of %zu result%s the shape is open", open, open == 1 ? "" : "s");
    if (open) text_print(to, ", since fewer than %d prompts cannot tell", (int)SHAPE_LEAST_PROMPTS);
    if (isfinite(least) && c->count > 2)
        text_print(to, "; they agree in rank at Spearman %.2f to %.2f", least, most);
    else if (isfinite(least)) text_print(to, "; they agree in rank at Spearman %.2f", least);
    text_add(to, ".");
}

/* Settings that make results hard to compare where they differ. `of`: where they stand. */
static const struct {
    bool run;
    const char *path, *what;
} setting_row[] = {{false, "settings.tau", "tau"},
                   {false, "settings.redundancy", "redundancy"},
                   {false, "settings.flagged", "flagged pairs"},
                   {false, "settings.detrend", "detrending"},
                   {false, "settings.prompts", "pooling of prompts"},
                   {false, "settings.bias_corrected", "bias correction"},
                   {false, "settings.normalise", "normalising"},
                   {false, "settings.null", "the null"},
                   {false, "settings.surrogates", "surrogates"},
                   {false, "input.samples", "samples a prompt"},
                   {false, "input.prompts_used", "prompts used"},
                   {true, "settings.units", "units"},
                   {true, "settings.tokens", "tokens"},
                   {true, "settings.prompts", "the set of prompts"},
                   {true, "settings.eos", "end tokens"},
                   {true, "settings.chat", "chat format"},
                   {true, "settings.arithmetic", "arithmetic"},
                   {true, "settings.temperature", "temperature"},
                   {true, "settings.seed", "seed of the generation"}};

static const char *setting_of(const compared *f, size_t row)
{
    const json *root = setting_row[row].run ? f->r.run.root : f->r.phiid.root;
    const json *v = json_at(root, setting_row[row].path);
    if (!v) return NULL;
    return v->kind == JSON_TRUE    ? "yes"
           : v->kind == JSON_FALSE ? "no"
           : v->kind == JSON_NULL  ? "none"
                                   : v->text;
}

static const char *told(const char *value)
{
    return value ? value : "not told";
}

/* "Different tau: 1 in A, C; 2 in B." What is told of one folder only is no difference. */
static void note_setting(const comparison *c, size_t row, text *t)
{
    const char *value[COMPARE_MOST], *known = NULL;
    bool differs = false;
    for (size_t k = 0; k < c->count; k++) {
        value[k] = setting_of(&c->at[k], row);
        if (!known) known = value[k];
        differs = differs || (value[k] && strcmp(known, value[k]));
    }
    if (!differs) return;
    text_print(t, "Different %s:", setting_row[row].what);
    for (size_t k = 0; k < c->count; k++) {
        bool named = false;
        for (size_t i = 0; i < k; i++) named = named || !strcmp(told(value[i]), told(value[k]));
        if (named) continue;
        text_print(t, "%s %.60s in", k ? ";" : "", told(value[k]));
        for (size_t i = k; i < c->count; i++)
            if (!strcmp(told(value[i]), told(value[k])))
                text_print(t, "%s %s", i > k ? "," : "", c->at[i].label);
    }
    text_add(t, ".");
}

void compare_notes(const comparison *c, void (*say)(void *to, const char *note), void *to)
{
    size_t by_units = 0, pairs = 0, sizes = 0;
    for (size_t row = 0; row < sizeof setting_row / sizeof setting_row[0]; row++) {
        text t = {NULL, 0, 0};
        note_setting(c, row, &t);
        if (t.length) say(to, t.at);
        text_free(&t);
    }
    for (size_t i = 0; i < c->count; i++) {
        sizes += c->at[i].r.count != c->at[0].r.count ? 1 : 0;
        for (size_t j = i + 1; j < c->count; j++, pairs++)
            by_units += c->pair[i][j].by_units ? 1 : 0;
    }
    if (sizes && !strcmp(report_score_unit(c->score), "ranks"))
        say(to, "The results have different numbers of units: ranks, and so raw means, are on "
                "different "
                "scales; percentiles are not.");
    if (by_units < pairs)
        say(to, by_units ? "Results of other models, or of other numbers of layers or units, are "
                           "ranked by their "
                           "profiles, interpolated over depth, all others unit by unit."
                         : "Results of different models are ranked by their profiles, interpolated "
                           "over depth.");
}

/* ---- text ------------------------------------------------------------------------------- */

static void print_interval(FILE *to, const syn_interval *v, int width)
{
    char s[64];
    if (!isfinite(v->value)) snprintf(s, sizeof s, "-");
    else if (!isfinite(v->low)) snprintf(s, sizeof s, "%.3g", v->value);
    else snprintf(s, sizeof s, "%.3g (%.3g to %.3g)", v->value, v->low, v->high);
    fprintf(to, "  %-*s", width, s);
}

static void print_note(void *to, const char *note)
{
    fprintf(to, "- %s\n", note);
}

static void print_pair(FILE *to, size_t i, size_t j, const agreement *g)
{
    fprintf(to, "%zu, %zu by %s: Spearman", i + 1, j + 1, g->by_units ? "units" : "profiles");
    print_interval(to, &g->spearman, 0);
    if (g->quarter)
        fprintf(
            to,
            "; top quarters share %zu of %zu, Jaccard %.2f (%.2f to %.2f), by chance %.2f (%.2f to "
            "%.2f), p = %.2g",
            g->shared, g->quarter, g->jaccard.value, g->jaccard.low, g->jaccard.high,
            g->chance.value, g->chance.low, g->chance.high, g->p);
    fputc('\n', to);
}

static void print_paper(const comparison *c, FILE *to)
{
    for (size_t k = 0; k < c->count; k++) {
        text words = {NULL, 0, 0};
        paper_words(&c->paper[k], &words);
        fprintf(to, "%zu beside the paper: %s\n", k + 1, words.at);
        text_free(&words);
    }
}

void compare_print(const comparison *c, FILE *to)
{
    text finding = {NULL, 0, 0};
    int wide = 8;
    for (size_t k = 0; k < c->count; k++)
        if ((int)strlen(c->at[k].label) > wide) wide = (int)strlen(c->at[k].label);
    fprintf(to, "Score: %s. 95 %% intervals in parentheses.\n\n", c->score);
    fprintf(to, "    %-*s  layers  units  %-22s  %-24s  %s\n", wide, "", "peak depth",
            "middle - outer", "curvature");
    for (size_t k = 0; k < c->count; k++) {
        const compared *f = &c->at[k];
        fprintf(to, "%2zu  %-*s  %6zu  %5zu", k + 1, wide, f->label, f->r.layers, f->r.count);
        print_interval(to, &f->peak, 22);
        print_interval(to, &f->middle, 24);
        print_interval(to, &f->curvature, 0);
        fputc('\n', to);
    }
    fputc('\n', to);
    for (size_t i = 0; i < c->count; i++)
        for (size_t j = i + 1; j < c->count; j++) print_pair(to, i, j, &c->pair[i][j]);
    compare_finding(c, &finding);
    if (c->options->paper) print_paper(c, to);
    fprintf(to, "\n%s\n", finding.at);
    text_free(&finding);
    compare_notes(c, print_note, to);
}

/* ---- JSON ------------------------------------------------------------------------------- */

static void json_interval(json_out *j, const char *key, const syn_interval *v)
{
    json_object_inline(j, key);
    json_number(j, "value", v->value);
    json_number(j, "low", v->low);
    json_number(j, "high", v->high);
    json_object_end(j);
}

static void json_folder(const compared *f, json_out *j)
{
    json_object(j, NULL);
    json_text(j, "label", f->label);
    json_text(j, "directory", f->directory);
    json_text(j, "model", f->r.name);
    json_int(j, "layers", (int64_t)f->r.layers);
    json_int(j, "units_per_layer", (int64_t)f->r.per_layer);
    json_int(j, "units", (int64_t)f->r.count);
    json_interval(j, "peak_depth", &f->peak);
    json_interval(j, "middle_minus_outer", &f->middle);
    json_interval(j, "curvature", &f->curvature);
    json_object_end(j);
}

static void json_matrix(const comparison *c, json_out *j)
{
    json_array(j, "spearman");
    for (size_t a = 0; a < c->count; a++) {
        json_array_inline(j, NULL);
        for (size_t b = 0; b < c->count; b++)
            json_number(j, NULL,
                        a == b  ? 1
                        : a < b ? c->pair[a][b].spearman.value
                                : c->pair[b][a].spearman.value);
        json_array_end(j);
    }
    json_array_end(j);
}

static void json_pair(const comparison *c, size_t a, size_t b, json_out *j)
{
    const agreement *g = &c->pair[a][b];
    json_object(j, NULL);
    json_text(j, "a", c->at[a].label);
    json_text(j, "b", c->at[b].label);
    json_text(j, "by", g->by_units ? "units" : "profiles");
    json_int(j, "ranked", (int64_t)g->count);
    json_interval(j, "spearman", &g->spearman);
    if (g->quarter) {
        json_int(j, "top_quarter", (int64_t)g->quarter);
        json_int(j, "shared", (int64_t)g->shared);
        json_interval(j, "jaccard", &g->jaccard);
        json_interval(j, "jaccard_by_chance", &g->chance);
        json_number(j, "p", g->p);
    }
    json_object_end(j);
}

/* "same" model, same "shape", or the "nearest" of the paper's five. */
static void json_beside(const comparison *c, size_t k, json_out *j)
{
    static const char *const kin[] = {"same", "shape", "nearest"};
    const paper_beside *b = &c->paper[k];
    text words = {NULL, 0, 0};
    paper_words(b, &words);
    json_object(j, NULL);
    json_text(j, "label", c->at[k].label);
    json_text(j, "model", b->model->name);
    json_text(j, "kin", kin[b->kin]);
    json_bool(j, "asked", b->asked);
    json_text(j, "source", PAPER_WORDS);
    json_text(j, "layers_from", b->model->source);
    json_text(j, "heads_from", b->model->units_source ? b->model->units_source : "");
    json_array(j, "scores");
    for (size_t i = 0; i < b->count; i++) {
        const paper_score *s = &b->at[i];
        json_object(j, NULL);
        json_text(j, "score", s->score);
        json_int(j, "layers", (int64_t)s->layers_ranked);
        json_interval(j, "spearman_layers", &s->layers);
        json_int(j, "heads", (int64_t)s->units_ranked);
        json_interval(j, "spearman_heads", &s->units);
        json_object_end(j);
    }
    json_array_end(j);
    json_text(j, "words", words.at);
    json_object_end(j);
    text_free(&words);
}

static void json_note(void *to, const char *note)
{
    json_text(to, NULL, note);
}

void compare_json(const comparison *c, json_out *j)
{
    text finding = {NULL, 0, 0};
    compare_finding(c, &finding);
    json_object(j, NULL);
    json_text(j, "program", "synergy compare");
    json_text(j, "version", tool_version());
    json_text(j, "score", c->score);
    json_array(j, "results");
    for (size_t k = 0; k < c->count; k++) json_folder(&c->at[k], j);
    json_array_end(j);
    json_matrix(c, j);
    json_array(j, "agreement");
    for (size_t a = 0; a < c->count; a++)
        for (size_t b = a + 1; b < c->count; b++) json_pair(c, a, b, j);
    json_array_end(j);
    if (c->options->paper) {
        json_array(j, "paper");
        for (size_t k = 0; k < c->count; k++) json_beside(c, k, j);
        json_array_end(j);
    }
    json_text(j, "finding", finding.at);
    json_array(j, "notes");
    compare_notes(c, json_note, j);
    json_array_end(j);
    json_object_end(j);
    text_free(&finding);
}
