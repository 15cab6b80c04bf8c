/* study_write.c - STEM.csv, STEM_accuracy.csv, STEM.json, and the same in words. */
#include "study/study.h"

#include "base/columns.h"
#include "engine/shape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SENTENCES = STUDY_COMPARISONS + 3 + STUDY_READINGS };

static bool path_of(const study *a, const char *end, char *path, problem *why)
{
    char name[80];
    snprintf(name, sizeof name, "%s%s", a->kind->stem, end);
    return path_join(path, a->options->output, name, why);
}

static bool write_table(const study *a, const char *end, table_out *t, problem *why)
{
    char path[TOOL_PATH_BYTES];
    if (path_of(a, end, path, why)) return table_write(t, path, why);
    table_free(t);
    return false;
}

/* A table of this study: "ablation.csv". */
static void begin_table(const study *a, const char *end, char name[80], table_out *t)
{
    snprintf(name, 80, "%s%s", a->kind->stem, end);
    table_begin(t, name);
}

/* ---- tables --------------------------------------------------------------------------- */

static void point_columns(const study *a, size_t curve, size_t point, bool units, table_out *t)
{
    table_text(t, a->kind->curves, a->curve[curve].name);
    table_int(t, "seed", a->curve[curve].seed);
    if (units && a->kind->units_first) table_int(t, "units", (int64_t)a->units[point]);
    table_number(t, a->kind->points, a->x[point]);
    if (units && !a->kind->units_first) table_int(t, "units", (int64_t)a->units[point]);
}

static bool write_curves(const study *a, problem *why)
{
    table_out t;
    char name[80];
    begin_table(a, ".csv", name, &t);
    for (size_t c = 0; c < a->curves; c++)
        for (size_t p = 0; p < a->points; p++) {
            const spread kl = study_kl(a, c, p);
            const divergence sum = study_sum(a, c, p);
            point_columns(a, c, p, true, &t);
            table_number(&t, "kl", kl.mean);
            table_number(&t, "kl_sd", kl.sd);
            table_number(&t, "low", kl.low);
            table_number(&t, "high", kl.high);
            table_number(&t, "top1", sum.same_top / sum.positions);
            table_number(&t, "nll", sum.nll / sum.positions);
            table_end_row(&t);
        }
    return write_table(a, ".csv", &t, why);
}

static void accuracy_row(const study *a, size_t k, const eval_score *score, table_out *t)
{
    point_columns(a, k / a->points, k % a->points, a->kind->units_first, t);
    table_text(t, "set", score->set);
    table_int(t, "items", score->items);
    table_int(t, "correct", score->correct);
    table_number(t, "accuracy", score->accuracy);
    table_number(t, "low", score->low);
    table_number(t, "high", score->high);
    table_end_row(t);
}

static bool write_accuracy(const study *a, problem *why)
{
    const size_t sets = (size_t)a->bench.sets;
    table_out t;
    char name[80];
    if (!a->has_bench) { /* of an earlier run */
        char path[TOOL_PATH_BYTES];
        if (path_of(a, "_accuracy.csv", path, why)) remove(path);
        return true;
    }
    begin_table(a, "_accuracy.csv", name, &t);
    for (size_t k = 0; k < a->curves * a->points; k++) {
        if (!a->measured[k]) continue;
        const eval_score all = eval_sum(a->accuracy + k * sets, sets);
        for (size_t s = 0; s < sets; s++) accuracy_row(a, k, &a->accuracy[k * sets + s], &t);
        accuracy_row(a, k, &all, &t);
    }
    return write_table(a, "_accuracy.csv", &t, why);
}

/* ---- words ---------------------------------------------------------------------------- */

static void sentence(const study *a, const curve_test *c, text *t)
{
    const char *harm = c->harm > 0   ? "more harm"
                       : c->harm < 0 ? "less harm"
                                     : "no clearly other harm";
    if (study_is_open(a))
        text_print(t,
                   "%s '%s': whether it does more or less harm than '%s' is open; %+.3g nats a "
                   "token along the curve",
                   a->kind->along, c->a, c->b, c->difference);
    else
        text_print(t, "%s '%s' does %s than '%s': %+.3g nats a token along the curve",
                   a->kind->along, c->a, harm, c->b, c->difference);
    if (isnan(c->p_prompts)) text_add(t, " (of one prompt)");
    else text_print(t, " (95 %% %.3g to %.3g over prompts, p %.2g", c->low, c->high, c->p_prompts);
    if (!isnan(c->p_orders))
        text_print(t, "%s among the single curves p %.2g", isnan(c->p_prompts) ? "," : ";",
                   c->p_orders);
    text_add(t, isnan(c->p_prompts) ? "." : ").");
}

static size_t namesakes(const study *a, const char *name)
{
    size_t n = 0;
    for (size_t c = 0; c < a->curves; c++) n += !strcmp(a->curve[c].name, name);
    return n;
}

/* Which order does most harm: a cheap rival may. Of many random ones, one always does. */
static void strongest(const study *a, text *t)
{
    size_t best = 0;
    for (size_t c = 1; c < a->curves; c++)
        if (namesakes(a, a->curve[c].name) == 1 && study_area_mean(a, c) > study_area_mean(a, best))
            best = c;
    text_print(t, "'%s' does %.3g nats a token along the curve", a->curve[0].name,
               study_area_mean(a, 0));
    if (best)
        text_print(t, "; most harm of the orders that are not random does '%s', %.3g",
                   a->curve[best].name, study_area_mean(a, best));
    text_add(t, ".");
}

/* How far apart single curves of one name lie: what chance does. */
static void over_seeds(const study *a, text *t)
{
    for (size_t c = 0; c < a->curves; c++) {
        const char *name = a->curve[c].name;
        double low = (double)INFINITY, high = -(double)INFINITY, sum = 0;
        size_t n = 0;
        if (a->curve[c].seed) continue; /* told with the first of its name */
        for (size_t k = 0; k < a->curves; k++) {
            if (strcmp(a->curve[k].name, name)) continue;
            const double area = study_area_mean(a, k);
            low = fmin(low, area);
            high = fmax(high, area);
            sum += area;
            n++;
        }
        if (n > 1)
            text_print(t, "%s'%s' %.3g (%.3g to %.3g)",
                       t->length ? "; "
                                 : "Means along the curve over seeds, nats a "
                                   "token: ",
                       name, sum / (double)n, low, high);
    }
    text_add(t, t->length ? "." : "One seed of each.");
}

/* Where the readings agree, and where not: the first thing to be said. */
static void headline(const study *a, const curve_test *c, size_t n, text *t)
{
    size_t holding = 0;
    bool holds[STUDY_READINGS];
    for (size_t k = 0; k < a->readings; k++) {
        text ignored = {NULL, 0, 0};
        holds[k] = a->kind->verdict(&a->reading[k], c, n, &ignored);
        holding += holds[k] ? 1 : 0;
        text_free(&ignored);
    }
    if (study_is_open(a)) {
        text_print(t,
                   "%s is open: nothing can be concluded from %zu prompts, a test over prompts "
                   "needs at least "
                   "%d.",
                   a->kind->claim, a->s.texts, (int)SHAPE_LEAST_PROMPTS);
    } else if (a->readings == 1) {
        text_print(t, "%s %s.", a->kind->claim, holding ? "holds here" : "is not plainly there");
    } else if (holding == 0 || holding == a->readings) {
        text_print(t, "%s %s by %s of the %zu readings", a->kind->claim,
                   holding ? "holds here" : "is not plainly there", holding ? "each" : "any",
                   a->readings);
        for (size_t k = 0; k < a->readings; k++)
            text_print(t, "%s%s", k ? ", " : " (", a->reading[k].title);
        text_add(t, ").");
    } else {
        text_print(t, "The readings differ: %c%s", a->kind->claim[0] | 0x20, a->kind->claim + 1);
        for (size_t k = 0; k < a->readings; k++)
            text_print(t, "%s by %s it %s", k ? ";" : ":", a->reading[k].title,
                       holds[k] ? "holds here" : "is not plainly there");
        text_add(t, ".");
    }
}

static size_t words(const study *a, text to[SENTENCES])
{
    curve_test c[STUDY_COMPARISONS];
    const size_t n = study_comparisons(a, c);
    size_t said = 0;
    headline(a, c, n, &to[said++]);
    for (size_t k = 0; !study_is_open(a) && k < a->readings; k++) {
        text_print(&to[said], "By %s ('%s'): ", a->reading[k].title, a->reading[k].order);
        a->kind->verdict(&a->reading[k], c, n, &to[said]);
        text_add(&to[said++], ".");
    }
    for (size_t i = 0; i < n; i++) sentence(a, &c[i], &to[said++]);
    strongest(a, &to[said++]);
    over_seeds(a, &to[said++]);
    return said;
}

/* ---- JSON ----------------------------------------------------------------------------- */

void study_settings(const study *a, json_out *j)
{
    const study_options *o = a->options;
    json_text(j, "model", path_base(a->s.m.path));
    json_text(j, "sha256", a->s.hash);
    json_text(j, "units", choice_name(CHOICE_UNITS, a->s.experts));
    json_int(j, "units_in_all", (int64_t)a->s.count);
    json_text(j, "score", a->reading[0].column);
    json_text(j, "units_sha256", a->units_hash);
    a->kind->settings(a, j);
    json_text(j, "arithmetic", choice_name(CHOICE_ARITHMETIC, o->exact));
    json_int(j, "prompts", (int64_t)a->s.texts);
    json_int(j, "seeds", o->seeds);
    json_int(j, "seed", o->seed);
    json_text(j, "eval", o->eval);
    json_int(j, "eval_items", o->items);
}

static void intact_json(const study *a, json_out *j)
{
    const divergence d = study_sum(a, 0, 0);
    json_object(j, "intact");
    json_number(j, "nll", d.nll / d.positions);
    if (a->has_bench && a->measured[0]) {
        json_object(j, "accuracy");
        for (int s = 0; s < a->bench.sets; s++)
            json_number(j, a->accuracy[s].set, a->accuracy[s].accuracy);
        json_object_end(j);
    }
    json_object_end(j);
}

static void curves_json(const study *a, json_out *j)
{
    json_array(j, "curves");
    for (size_t c = 0; c < a->curves; c++) {
        const spread area = study_area(a, c);
        json_object_inline(j, NULL);
        json_text(j, "order", a->curve[c].name);
        json_int(j, "seed", a->curve[c].seed);
        json_number(j, "auc", area.mean);
        json_number(j, "auc_low", area.low);
        json_number(j, "auc_high", area.high);
        json_object_end(j);
    }
    json_array_end(j);
}

static void tests_json(const study *a, json_out *j)
{
    curve_test c[STUDY_COMPARISONS];
    const size_t n = study_comparisons(a, c);
    json_array(j, "tests");
    for (size_t i = 0; i < n; i++) {
        json_object_inline(j, NULL);
        json_text(j, "a", c[i].a);
        json_text(j, "b", c[i].b);
        json_number(j, "auc_difference", c[i].difference);
        json_number(j, "low", c[i].low);
        json_number(j, "high", c[i].high);
        json_number(j, "p_prompts", c[i].p_prompts);
        json_number(j, "p_orders", c[i].p_orders);
        json_int(j, "harm", c[i].harm);
        json_object_end(j);
    }
    json_array_end(j);
}

/* Every claim for each reading: what its orders and groups are called, and whether it holds. */
static void readings_json(const study *a, json_out *j)
{
    curve_test c[STUDY_COMPARISONS];
    const size_t n = study_comparisons(a, c);
    json_array(j, "readings");
    for (size_t k = 0; k < a->readings; k++) {
        const study_reading *r = &a->reading[k];
        text ignored = {NULL, 0, 0};
        const bool holds = a->kind->verdict(r, c, n, &ignored);
        text_free(&ignored);
        json_object_inline(j, NULL);
        json_text(j, "reading", r->title);
        json_text(j, "column", r->column);
        json_text(j, "order", r->order);
        json_text(j, "reverse", r->reverse);
        json_text(j, "matched", r->matched);
        json_text(j, "core", r->core);
        json_text(j, "periphery", r->periphery);
        json_text(j, "claim", study_is_open(a) ? "open" : holds ? "yes" : "no");
        json_object_end(j);
    }
    json_array_end(j);
}

static void words_json(const study *a, json_out *j)
{
    text said[SENTENCES] = {{0}};
    const size_t n = words(a, said);
    json_text(j, "headline", said[0].at);
    json_array(j, "words");
    for (size_t i = 0; i < n; i++) {
        json_text(j, NULL, said[i].at);
        text_free(&said[i]);
    }
    json_array_end(j);
}

static bool write_json(const study *a, problem *why)
{
    char path[TOOL_PATH_BYTES];
    json_out j = {0};
    json_object(&j, NULL);
    json_text(&j, "version", tool_version());
    json_text(&j, "identity", a->identity);
    json_object(&j, "settings");
    study_settings(a, &j);
    json_number(&j, "positions", study_sum(a, 0, 0).positions);
    json_object_end(&j);
    intact_json(a, &j);
    curves_json(a, &j);
    tests_json(a, &j);
    readings_json(a, &j);
    words_json(a, &j);
    json_object_end(&j);
    if (path_of(a, ".json", path, why)) return json_write(&j, path, why);
    text_free(&j.to);
    return false;
}

bool study_write(const study *a, problem *why)
{
    return write_curves(a, why) && write_accuracy(a, why) && write_json(a, why) &&
           columns_write(a->options->output, why);
}

/* ---- on standard output --------------------------------------------------------------- */

static void print_curve(const study *a, size_t c, FILE *to)
{
    char name[80];
    snprintf(name, sizeof name, namesakes(a, a->curve[c].name) > 1 ? "%s %d" : "%s",
             a->curve[c].name, a->curve[c].seed + 1);
    fprintf(to, "  %-24s", name);
    for (size_t p = 1; p < a->points; p++) fprintf(to, " %8.4g", study_kl(a, c, p).mean);
    fprintf(to, "  %8.4g\n", study_area_mean(a, c));
}

void study_print(const study *a, FILE *to)
{
    text said[SENTENCES] = {{0}};
    fprintf(to, "Mean KL(intact || changed) in nats a token, %zu prompts:\n  %-24s", a->s.texts,
            a->kind->points);
    for (size_t p = 1; p < a->points; p++) fprintf(to, " %8.3g", a->x[p]);
    fprintf(to, "      area\n");
    for (size_t c = 0; c < a->curves; c++) print_curve(a, c, to);
    const size_t n = words(a, said);
    for (size_t i = 0; i < n; i++) {
        fprintf(to, "- %s\n", said[i].at);
        text_free(&said[i]);
    }
}
