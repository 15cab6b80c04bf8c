/* cmd_ablate.c - synergy ablate: what a model's predictions lose without some of its units. */
#include "study/stage.h"

static void print_text(const ablate_set_result *r)
{
    printf("KL(intact || ablated) %.6g nats, %zu %s removed, %.0f positions; the likeliest token "
           "stays at %.3g %%\n",
           r->kl, r->units, choice_name(CHOICE_UNITS, r->experts), r->positions, 100 * r->same_top);
}

static void print_json(const ablate_set *o, const ablate_set_result *r)
{
    json_out j = {0};
    json_object(&j, NULL);
    json_number(&j, "kl", r->kl);
    json_number(&j, "nll", r->nll);
    json_number(&j, "nll_intact", r->nll_intact);
    json_number(&j, "top1", r->same_top);
    json_number(&j, "positions", r->positions);
    json_int(&j, "units", (int64_t)r->units);
    json_text(&j, "replace", choice_name(CHOICE_REPLACE, o->replace));
    json_text(&j, "arithmetic", choice_name(CHOICE_ARITHMETIC, o->exact));
    json_object_end(&j);
    json_print(&j, stdout);
}

static int one_set(const ablate_set *o, bool as_json)
{
    ablate_set_result r;
    problem why;
    if (!ablate_set_run(o, &r, &why)) return tool_fail(&why);
    if (as_json) print_json(o, &r);
    else print_text(&r);
    return tool_finish_output();
}

static int run(const command *self, int argc, char **argv)
{
    ablate_options o;
    ablate_set one = {.from = 1};
    int units = 0;
    const char *operand[2];
    bool as_json = false, most_given = false, step_given = false, units_given = false,
         from_given = false;
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
         &one.list, 0, 0, NULL},
        {"units", 0, OPTION_CHOICE, choice_words(CHOICE_UNITS),
         "what --heads counts, with --tokens (default heads)", &units, 0, 0, &units_given},
        OPTION_MEMORY(&o.study.memory),
        OPTION_THREADS(&o.study.threads),
        OPTION_EXACT(&o.study.exact),
        OPTION_SEED(&o.study.seed),
        OPTION_RESUME(&o.study.resume),
        OPTION_FRESH(&o.study.fresh),
        OPTION_JSON(&as_json),
        OPTION_FORCE(&o.study.force),
    };
    size_t found;
    int code;
    problem why;
    if (!args_parse(self, options, OPTION_COUNT(options), argc, argv, operand, 1, 2, &found, &code))
        return code;
    if (one.tokens && !one.list) return tool_usage("--tokens needs --heads");
    if (!one.tokens && found < 2)
        return tool_usage("a result folder, or --tokens with --heads, is needed");
    if (one.tokens && found > 1) return tool_usage("either a result folder or --tokens");
    if (!one.tokens && (from_given || units_given))
        return tool_usage("--from and --units go with --tokens");
    if (as_json && !one.list) return tool_usage("--json goes with --heads");
    if (one.list && (o.fractions || step_given || most_given || o.study.resume || o.study.output ||
                     o.study.score))
        return tool_usage(
            "--heads is one set: no --fractions, --step, --most, --score, --resume, -o");
    if (o.fractions && (step_given || most_given))
        return tool_usage("either --fractions, or --step and --most");
    o.study.model = one.model = operand[0];
    o.study.directory = one.directory = found > 1 ? operand[1] : NULL;
    if (!o.study.output) o.study.output = o.study.directory;
    one.memory = o.study.memory;
    one.threads = o.study.threads;
    one.prompts = o.study.prompts;
    one.exact = o.study.exact;
    one.replace = o.replace;
    one.experts = units == 1;
    if (one.list) return one_set(&one, as_json);
    return ablate_run(&o, &why) ? tool_finish_output() : tool_fail(&why);
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
