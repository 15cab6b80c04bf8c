/* ablate_write.c - ablation.csv, ablation_accuracy.csv, ablation.json, and the same in words. */
#include "ablate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_COMPARISONS = 16, SENTENCE = 400 };

static double fraction_at(const ablation *a, size_t point) {
    return (double)a->removed[point] / (double)a->s.count;
}

/* ---- tables --------------------------------------------------------------------------- */

static bool write_text(const ablation *a, const char *name, text *t, problem *why) {
    char path[TOOL_PATH_BYTES];
    const bool good = path_join(path, a->options->output, name, why) &&
                      file_write(path, t->at, t->length, why);
    text_free(t);
    return good;
}

static void point_columns(const ablation *a, size_t curve, size_t point, text *t) {
    csv_text(t, a->curve[curve].order);
    csv_int(t, a->curve[curve].seed);
    csv_int(t, (int64_t)a->removed[point]);
    csv_number(t, fraction_at(a, point));
}

static divergence sum_of(const ablation *a, size_t curve, size_t point) {
    divergence sum = {0, 0, 0, 0};
    for (size_t i = 0; i < a->s.texts; i++)
        divergence_add(&sum, &a->result[(i * a->curves + curve) * a->points + point]);
    return sum;
}

static bool write_curves(const ablation *a, problem *why) {
    text t = {0};
    text_add(&t, "order,seed,units,fraction,kl,kl_sd,low,high,top1,nll\n");
    for (size_t c = 0; c < a->curves; c++)
        for (size_t p = 0; p < a->points; p++) {
            const spread kl = ablate_kl(a, c, p);
            const divergence sum = sum_of(a, c, p);
            point_columns(a, c, p, &t);
            csv_number(&t, kl.mean);
            csv_number(&t, kl.sd);
            csv_number(&t, kl.low);
            csv_number(&t, kl.high);
            csv_number(&t, sum.same_top / sum.positions);
            csv_number(&t, sum.nll / sum.positions);
            csv_end_row(&t);
        }
    return write_text(a, "ablation.csv", &t, why);
}

static bool write_accuracy(const ablation *a, problem *why) {
    text t = {0};
    if (!a->has_bench) {
        char path[TOOL_PATH_BYTES];
        if (path_join(path, a->options->output, "ablation_accuracy.csv", why)) remove(path);
        return true;
    }
    text_add(&t, "order,seed,units,fraction,set,items,correct,accuracy,low,high\n");
    for (size_t k = 0; k < a->curves * a->points; k++) {
        if (!a->measured[k]) continue;
        eval_score all = eval_sum(a->accuracy + k * (size_t)a->bench.sets, (size_t)a->bench.sets);
        for (int s = 0; s <= a->bench.sets; s++) {
            const eval_score *score = s < a->bench.sets ? &a->accuracy[k * (size_t)a->bench.sets + (size_t)s] : &all;
            point_columns(a, k / a->points, k % a->points, &t);
            csv_text(&t, score->set);
            csv_int(&t, score->items);
            csv_int(&t, score->correct);
            csv_number(&t, score->accuracy);
            csv_number(&t, score->low);
            csv_number(&t, score->high);
            csv_end_row(&t);
        }
    }
    return write_text(a, "ablation_accuracy.csv", &t, why);
}

/* ---- words ---------------------------------------------------------------------------- */

static void sentence(text *t, const comparison *c) {
    const char *harm = !(c->p_prompts < 0.05) ? "no clearly other harm" : c->difference > 0 ? "more harm" : "less harm";
    text_print(t, "Removing units in the order '%s' does %s than '%s': %+.3g nats a token along the curve (95 %% %.3g "
               "to %.3g over prompts, p %.2g", c->x, harm, c->y, c->difference, c->low, c->high, c->p_prompts);
    if (!isnan(c->p_orders)) text_print(t, "; among the single orders p %.2g", c->p_orders);
    text_add(t, ").");
}

/* Which single order does most harm: a cheap rival may. */
static void strongest(const ablation *a, text *t) {
    size_t best = 0;
    double most = -1;
    for (size_t c = 0; c < a->curves; c++) {
        const double area = ablate_auc(a, c).mean;
        if (area > most) {
            most = area;
            best = c;
        }
    }
    text_print(t, "The most harmful order is '%s' (%.3g nats a token along the curve); by the score it is %.3g.",
               a->curve[best].order, most, ablate_auc(a, 0).mean);
}

static const comparison *find(const comparison *c, size_t n, const char *x, const char *y) {
    for (size_t i = 0; i < n; i++)
        if (!strcmp(c[i].x, x) && !strcmp(c[i].y, y)) return &c[i];
    return NULL;
}

static bool harms_more(const comparison *c) {
    return c && c->difference > 0 && c->p_prompts < 0.05;
}

/* The paper's claim (arXiv 2601.06851: the core matters more than random and redundant units), as far as
   these curves go. */
static void verdict(const comparison *c, size_t n, text *t) {
    const bool random = harms_more(find(c, n, "score", "random")), matched = harms_more(find(c, n, "score", "matched"));
    const bool reverse = harms_more(find(c, n, "score", "reverse")), norm = harms_more(find(c, n, "score", "norm"));
    if (random && matched && reverse)
        text_add(t, "The claim that the core matters more holds here: more harm than random units, than random "
                 "units of the same layers, and than the reverse order");
    else
        text_print(t, "The claim that the core matters more is not plainly there: more harm than random units %s, "
                   "than random units of the same layers %s, than the reverse order %s", random ? "yes" : "no",
                   matched ? "yes" : "no", reverse ? "yes" : "no");
    if (find(c, n, "score", "norm"))
        text_print(t, "; %s than the mean norm, a cheap rival.", norm ? "more" : "not more");
    else text_add(t, ".");
}

static size_t words(const ablation *a, text *to, size_t room) {
    comparison c[MOST_COMPARISONS];
    const size_t n = ablate_comparisons(a, c);
    size_t count = 0;
    if (count < room) verdict(c, n, &to[count++]);
    for (size_t i = 0; i < n && count < room; i++) sentence(&to[count++], &c[i]);
    if (count < room) strongest(a, &to[count++]);
    return count;
}

/* ---- JSON ----------------------------------------------------------------------------- */

static void settings_json(const ablation *a, json_out *j) {
    const ablate_options *o = a->options;
    json_object(j, "settings");
    json_text(j, "model", path_base(a->s.m.path));
    json_text(j, "sha256", a->s.hash);
    json_text(j, "units", a->s.experts ? "experts" : "heads");
    json_text(j, "score", a->score);
    json_text(j, "replace", o->replace ? "mean" : "zero");
    json_text(j, "arithmetic", o->exact ? "exact" : "fast");
    json_int(j, "prompts", (int64_t)a->s.texts);
    json_number(j, "positions", sum_of(a, 0, 0).positions);
    json_int(j, "units_in_all", (int64_t)a->s.count);
    json_array_inline(j, "removed");
    for (size_t p = 0; p < a->points; p++) json_int(j, NULL, (int64_t)a->removed[p]);
    json_array_end(j);
    json_int(j, "random_orders", o->seeds);
    json_int(j, "seed", o->seed);
    json_text(j, "eval", o->eval);
    json_int(j, "eval_items", o->items);
    json_object_end(j);
}

static void intact_json(const ablation *a, json_out *j) {
    const divergence d = sum_of(a, 0, 0);
    json_object(j, "intact");
    json_number(j, "nll", d.nll / d.positions);
    if (a->has_bench && a->measured[0]) {
        json_object(j, "accuracy");
        for (int s = 0; s < a->bench.sets; s++) json_number(j, a->accuracy[s].set, a->accuracy[s].accuracy);
        json_object_end(j);
    }
    json_object_end(j);
}

static void curves_json(const ablation *a, json_out *j) {
    json_array(j, "curves");
    for (size_t c = 0; c < a->curves; c++) {
        const spread area = ablate_auc(a, c);
        json_object_inline(j, NULL);
        json_text(j, "order", a->curve[c].order);
        json_int(j, "seed", a->curve[c].seed);
        json_number(j, "auc", area.mean);
        json_number(j, "auc_low", area.low);
        json_number(j, "auc_high", area.high);
        json_object_end(j);
    }
    json_array_end(j);
}

static void tests_json(const ablation *a, json_out *j) {
    comparison c[MOST_COMPARISONS];
    const size_t n = ablate_comparisons(a, c);
    json_array(j, "tests");
    for (size_t i = 0; i < n; i++) {
        json_object_inline(j, NULL);
        json_text(j, "a", c[i].x);
        json_text(j, "b", c[i].y);
        json_number(j, "auc_difference", c[i].difference);
        json_number(j, "low", c[i].low);
        json_number(j, "high", c[i].high);
        json_number(j, "p_prompts", c[i].p_prompts);
        json_number(j, "p_orders", c[i].p_orders);
        json_object_end(j);
    }
    json_array_end(j);
}

static bool write_json(const ablation *a, problem *why) {
    char path[TOOL_PATH_BYTES];
    json_out j = {0};
    text said[MOST_COMPARISONS + 2] = {{0}};
    const size_t n = words(a, said, MOST_COMPARISONS + 2);
    json_object(&j, NULL);
    json_text(&j, "version", tool_version());
    json_text(&j, "identity", a->identity);
    settings_json(a, &j);
    intact_json(a, &j);
    curves_json(a, &j);
    tests_json(a, &j);
    json_array(&j, "words");
    for (size_t i = 0; i < n; i++) json_text(&j, NULL, said[i].at);
    json_array_end(&j);
    json_object_end(&j);
    for (size_t i = 0; i < n; i++) text_free(&said[i]);
    if (path_join(path, a->options->output, "ablation.json", why)) return json_write(&j, path, why);
    text_free(&j.to);
    return false;
}

bool ablate_write(const ablation *a, problem *why) {
    return write_curves(a, why) && write_accuracy(a, why) && write_json(a, why);
}

/* ---- on standard output --------------------------------------------------------------- */

void ablate_print(const ablation *a, FILE *to) {
    text said[MOST_COMPARISONS + 2] = {{0}};
    fprintf(to, "Mean KL(intact || ablated) in nats a token, %zu prompts:\n  %-12s", a->s.texts, "removed");
    for (size_t p = 1; p < a->points; p++) fprintf(to, " %7.3g%%", 100 * fraction_at(a, p));
    fprintf(to, "      area\n");
    for (size_t c = 0; c < a->curves; c++) {
        char name[40];
        const bool many = !strcmp(a->curve[c].order, "random") || !strcmp(a->curve[c].order, "matched");
        snprintf(name, sizeof name, many ? "%s %d" : "%s", a->curve[c].order, a->curve[c].seed + 1);
        fprintf(to, "  %-12s", name);
        for (size_t p = 1; p < a->points; p++) fprintf(to, " %8.4g", ablate_kl(a, c, p).mean);
        fprintf(to, "  %8.4g\n", ablate_auc(a, c).mean);
    }
    const size_t n = words(a, said, MOST_COMPARISONS + 2);
    for (size_t i = 0; i < n; i++) {
        fprintf(to, "- %s\n", said[i].at);
        text_free(&said[i]);
    }
}
