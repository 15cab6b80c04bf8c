/* cmd_ablate.c - synergy ablate: what a model's predictions lose without some of its units. */
#include "study/stage.h"
#include "engine/unit_list.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- one set of units on given ids ---------------------------------------------------- */

typedef struct one_set {
    const char *model, *directory, *tokens, *heads;
    int64_t from, prompts, threads;
    int units, replace;
    bool exact, json;
} one_set;

static bool choose(const subject *s, const char *list, float *gain, size_t *chosen, problem *why)
{
    const size_t first = s->experts ? s->m.model.dense_layers : 0;
    bool *mark = tool_alloc(subject_slots(s), sizeof *mark);
    const bool good = unit_list_parse(list, s->experts, first, s->layers - first, s->per_layer,
                                      mark + first * s->per_layer, why);
    *chosen = 0;
    for (size_t i = 0; i < subject_slots(s); i++) {
        gain[i] = mark[i] ? 0.0f : 1.0f;
        *chosen += mark[i];
    }
    free(mark);
    return good;
}

static bool open_texts(subject *s, const one_set *o, problem *why)
{
    if (!o->tokens) return subject_open(s, o->model, NULL, o->directory, o->prompts, why);
    memset(s, 0, sizeof *s);
    if (!model_load_weights(&s->m, o->model, why)) return false;
    s->experts = o->units == 1;
    s->layers = s->m.model.layers;
    s->per_layer = s->experts ? s->m.model.experts : s->m.model.heads;
    if (s->experts && !s->per_layer)
        return problem_set(why, "%s: the model (%s) has no experts", o->model,
                           s->m.model.architecture);
    if (!texts_from_ids(o->tokens, o->from, s->m.model.vocab, &s->text, &s->texts, why))
        return false;
    s->longest = s->text[0].count;
    return true;
}

static void print_one(const one_set *o, const subject *s, size_t chosen, const divergence *d)
{
    if (!o->json) {
        printf("KL(intact || ablated) %.6g nats, %zu %s removed, %.0f positions; the likeliest "
               "token stays at "
               "%.3g %%\n",
               d[0].kl / d[0].positions, chosen, choice_name(CHOICE_UNITS, s->experts),
               d[0].positions, 100 * d[0].same_top / d[0].positions);
        return;
    }
    json_out j = {0};
    json_object(&j, NULL);
    json_number(&j, "kl", d[0].kl / d[0].positions);
    json_number(&j, "nll", d[0].nll / d[0].positions);
    json_number(&j, "nll_intact", d[1].nll / d[1].positions);
    json_number(&j, "top1", d[0].same_top / d[0].positions);
    json_number(&j, "positions", d[0].positions);
    json_int(&j, "units", (int64_t)chosen);
    json_text(&j, "replace", choice_name(CHOICE_REPLACE, o->replace));
    json_text(&j, "arithmetic", choice_name(CHOICE_ARITHMETIC, o->exact));
    json_object_end(&j);
    json_print(&j, stdout);
}

static bool run_texts(const one_set *o, subject *s, intervener *v, const intervention edits[2],
                      divergence sum[2], problem *why)
{
    memset(sum, 0, 2 * sizeof *sum);
    for (size_t i = 0; i < s->texts; i++) {
        divergence d[2];
        if (!intervene_text(v, &s->text[i], edits, 2, d, why)) return false;
        for (int k = 0; k < 2; k++) divergence_add(&sum[k], &d[k]);
    }
    if (isfinite(sum[0].kl)) return true;
    return problem_set(why, "%s: the model's logits are not finite numbers", o->model);
}

static bool ablate_one(const one_set *o, problem *why)
{
    subject s;
    intervener v;
    divergence sum[2];
    size_t chosen = 0;
    float *gain = NULL, *mean = NULL;
    memset(&v, 0, sizeof v);
    bool good = open_texts(&s, o, why);
    if (good) gain = tool_alloc(subject_slots(&s), sizeof *gain);
    good = good && choose(&s, o->heads, gain, &chosen, why) &&
           intervene_open(&v, &s.m, s.longest, o->exact, o->threads, why);
    if (good && o->replace) {
        mean = tool_alloc(subject_slots(&s) * (s.experts ? s.m.model.embd : s.m.model.value_size),
                          sizeof *mean);
        good = intervene_means(&v, s.text, s.texts, s.experts, mean, why);
    }
    if (good) {
        intervention edits[2] = {subject_gains(&s, gain), {.layer = s.m.model.layers}};
        if (s.experts) edits[0].edit.expert_mean = mean;
        else edits[0].edit.head_mean = mean;
        good = run_texts(o, &s, &v, edits, sum, why);
    }
    if (good) print_one(o, &s, chosen, sum);
    intervene_close(&v);
    subject_close(&s);
    free(gain);
    free(mean);
    return good;
}

/* ---- the command ---------------------------------------------------------------------- */

static int run(const command *self, int argc, char **argv)
{
    ablate_options o;
    one_set one = {.from = 1};
    const char *operand[2];
    bool most_given = false, step_given = false, units_given = false, from_given = false;
    ablate_defaults(&o);
    const option options[] = {
        {"fractions", 0, OPTION_TEXT, "F,F,...",
         "shares of the units to remove (default: eight up to --most)", &o.fractions, 0, 0, NULL},
        {"step", 0, OPTION_INT, "UNITS", "a point every so many units instead (the paper: 5)",
         &o.step, 1, 1 << 24, &step_given},
        {"most", 0, OPTION_NUMBER, "F", "the largest share (default 0.4)", &o.most, 0, 1,
         &most_given},
        {"score", 0, OPTION_TEXT, "COLUMN",
         "the column of units.csv that orders the core (default: score)", &o.study.score, 0, 0,
         NULL},
        {"seeds", 0, OPTION_INT, "N",
         "random orders, and as many within the core's layers (default 5)", &o.study.seeds, 1, 1000,
         NULL},
        {"prompts", 0, OPTION_INT, "N", "prompts of DIR to use, evenly spread (default 24; 0: all)",
         &o.study.prompts, 0, 1 << 24, NULL},
        {"replace", 0, OPTION_CHOICE, choice_words(CHOICE_REPLACE),
         "what stands for a removed unit's output (default zero)", &o.replace, 0, 0, NULL},
        {"eval", 0, OPTION_TEXT, "all|none|NAMES",
         "evaluation sets run along score, reverse and one random order", &o.study.eval, 0, 0,
         NULL},
        {"items", 0, OPTION_INT, "N", "most items of each set (default 24; 0: all)", &o.study.items,
         0, 1 << 20, NULL},
        OPTION_OUT(&o.study.output),
        OPTION_PRE(&o.study.pre),
        {"tokens", 0, OPTION_TEXT, "IDS.npy",
         "one set of units on these ids, with --from and --heads", &one.tokens, 0, 0, NULL},
        {"from", 0, OPTION_INT, "POS", "first predicted position of --tokens (default 1)",
         &one.from, 1, 1 << 30, &from_given},
        {"heads", 0, OPTION_TEXT, "LIST", "one set of units: L12H3, L10-20H*, or 12.3, 10-20.*",
         &one.heads, 0, 0, NULL},
        {"units", 0, OPTION_CHOICE, choice_words(CHOICE_UNITS),
         "what --heads counts, with --tokens (default heads)", &one.units, 0, 0, &units_given},
        OPTION_MEMORY(&o.study.memory),
        OPTION_THREADS(&o.study.threads),
        OPTION_EXACT(&o.study.exact),
        OPTION_SEED(&o.study.seed),
        OPTION_RESUME(&o.study.resume),
        OPTION_FRESH(&o.study.fresh),
        OPTION_JSON(&one.json),
        OPTION_FORCE(&o.study.force),
    };
    size_t found;
    int code;
    problem why;
    if (!args_parse(self, options, OPTION_COUNT(options), argc, argv, operand, 1, 2, &found, &code))
        return code;
    if (one.tokens && !one.heads) return tool_usage("--tokens needs --heads");
    if (!one.tokens && found < 2)
        return tool_usage("a result folder, or --tokens with --heads, is needed");
    if (one.tokens && found > 1) return tool_usage("either a result folder or --tokens");
    if (!one.tokens && (from_given || units_given))
        return tool_usage("--from and --units go with --tokens");
    if (one.json && !one.heads) return tool_usage("--json goes with --heads");
    if (one.heads && (o.fractions || step_given || most_given || o.study.resume || o.study.output ||
                      o.study.score))
        return tool_usage(
            "--heads is one set: no --fractions, --step, --most, --score, --resume, -o");
    if (o.fractions && (step_given || most_given))
        return tool_usage("either --fractions, or --step and --most");
    o.study.model = one.model = operand[0];
    o.study.directory = one.directory = found > 1 ? operand[1] : NULL;
    if (!o.study.output) o.study.output = o.study.directory;
    one.threads = o.study.threads;
    one.prompts = o.study.prompts;
    one.exact = o.study.exact;
    one.replace = o.replace;
    const bool good = one.heads ? ablate_one(&one, &why) : ablate_run(&o, &why);
    return good ? tool_finish_output() : tool_fail(&why);
}

const command command_ablate = {
    "ablate",
    "MODEL DIR [-o DIR] | MODEL [DIR] --tokens IDS.npy --from POS --heads LIST",
    "removes units in several orders and measures the harm",
    "Writes ablation.csv (mean KL(intact || ablated) on the model's own continuations), "
    "ablation_accuracy.csv\n"
    "and ablation.json: by the score of units.csv, its reverse, synergy, redundancy, mean norm, "
    "attention to\n"
    "the first token, random orders, and random orders within the layers that the score takes.\n"
    "With --heads, one set: prints the mean over positions POS-1 .. T-2 of KL(intact || ablated), "
    "nats.",
    run,
    "synergy ablate model.gguf results --prompts 6"};
