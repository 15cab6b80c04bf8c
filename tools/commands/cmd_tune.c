/* cmd_tune.c - `synergy tune`: training chosen heads only. */
#include "engine/choices.h"
#include "learn/stage.h"
#include "report/stage.h"

#include <string.h>

static int run(const command *self, int argc, char **argv)
{
    tune_options o;
    const char *operand[2];
    size_t found;
    int code;
    problem why;
    tune_defaults(&o);
    o.subset = "core";
    const option options[] = {
        {"method", 0, OPTION_CHOICE, choice_words(CHOICE_METHOD),
         "by worked solutions (default), or by reward", &o.method, 0, 0, NULL},
        {"subset", 0, OPTION_TEXT, "core|periphery|random|matched|all|layer:N|LIST",
         "which heads; matched: random, as many of each layer as the core (default core)",
         &o.subset, 0, 0, NULL},
        {"share", 0, OPTION_NUMBER, "X", "of all heads, above 0 to 1 (default 0.5)", &o.share, 0, 1,
         NULL},
        {"score", 0, OPTION_TEXT, "COLUMN",
         "of units.csv that makes the core (default: what DIR chose)", &o.score, 0, 0, NULL},
        {"task", 0, OPTION_TEXT, "NAME", "of synergy corpus, whose rule verifies answers", &o.task,
         0, 0, NULL},
        {"check", 0, OPTION_CHOICE, choice_words(CHOICE_CHECK),
         "what is right: the whole answer (default), or its last number or word", &o.check, 0, 0,
         NULL},
        {"shots", 0, OPTION_INT, "N",
         "solved questions before each, for a model that was not made for the task (default 0)",
         &o.shots, 0, 64, NULL},
        {"steps", 0, OPTION_INT, "K", "in all (default 40)", &o.optimiser.steps, 1, 1e9, NULL},
        {"batch", 0, OPTION_INT, "B", "questions a step (default 8)", &o.batch, 1, 4096, NULL},
        {"group", 0, OPTION_INT, "G", "grpo: answers to each question (default 8)", &o.group, 2,
         1024, NULL},
        {"updates", 0, OPTION_INT, "N", "grpo: updates on each step's samples (default 2)",
         &o.updates, 1, 64, NULL},
        {"most", 0, OPTION_INT, "N", "tokens of an answer (default 96)", &o.most, 1, 4096, NULL},
        {"lr", 0, OPTION_NUMBER, "X", "learning rate (default 5e-4)", &o.optimiser.lr, 0, 1e3,
         NULL},
        {"schedule", 0, OPTION_CHOICE, choice_words(CHOICE_SCHEDULE),
         "of the learning rate (default constant)", &o.optimiser.schedule, 0, 0, NULL},
        {"warmup", 0, OPTION_INT, "N", "steps of rising rate (default 0)", &o.optimiser.warmup, 0,
         1e9, NULL},
        {"weight-decay", 0, OPTION_NUMBER, "X", "of the chosen heads' matrices (default 0)",
         &o.optimiser.decay, 0, 1e3, NULL},
        {"clip", 0, OPTION_NUMBER, "X",
         "largest norm of the chosen heads' gradient, 0: any (default 1)", &o.optimiser.clip, 0,
         1e9, NULL},
        {"clip-ratio", 0, OPTION_NUMBER, "X", "grpo: how far the ratio counts from 1 (default 0.2)",
         &o.clip_ratio, 0, 1e3, NULL},
        {"kl", 0, OPTION_NUMBER, "X", "grpo: weight of the KL to the start model (default 0.04)",
         &o.kl, 0, 1e3, NULL},
        {"temp", 0, OPTION_NUMBER, "T", "grpo: temperature of the answers (default 1)",
         &o.temperature, 0.01, 10, NULL},
        {"evaluate", 0, OPTION_INT, "N", "accuracy every N steps (default: a quarter of them)",
         &o.evaluate, 1, 1e9, NULL},
        {"items", 0, OPTION_INT, "N", "held-out items (default 100)", &o.items, 1, 100000, NULL},
        {"keep-samples", 0, OPTION_FLAG, NULL,
         "grpo: leave the first step's ids, weights and gradient", &o.keep_samples, 0, 0, NULL},
        OPTION_SEED(&o.seed),
        OPTION_THREADS(&o.threads),
        {"output", 'o', OPTION_TEXT, "OUT",
         "where the run goes (default DIR/tune/TASK-METHOD-SUBSET-SEED)", &o.output, 0, 0, NULL},
        OPTION_RESUME(&o.resume),
        OPTION_FRESH(&o.fresh),
        OPTION_FORCE(&o.force),
    };
    o.optimiser.lr = 5e-4;
    if (!args_parse(self, options, OPTION_COUNT(options), argc, argv, operand, 2, 2, &found, &code))
        return code;
    o.model = operand[0];
    o.directory = operand[1];
    if (!o.task) {
        text names = {0};
        tune_tasks(&names);
        code = tool_usage("--task NAME is needed: %s", names.at);
        text_free(&names);
        return code;
    }
    if (!(o.share > 0)) return tool_usage("--share %g: expected above 0 to 1", o.share);
    if (!(o.optimiser.lr > 0)) return tool_usage("--lr %g: expected above 0", o.optimiser.lr);
    if (!tune_run(&o, &why)) return tool_fail(&why);
    return tool_finish_output();
}

const command command_tune = {
    "tune",
    "MODEL DIR --method sft|grpo --subset WHICH --task NAME",
    "trains chosen heads only, on a task with a rule",
    "DIR is a result folder of MODEL, whose scores say which heads are core and periphery. A "
    "head's weights\n"
    "are its query rows and its columns of the output matrix, and the key and value rows of its "
    "group\n"
    "where the whole group is chosen; every other weight stays as it is, bit for bit. sft learns "
    "worked\n"
    "solutions; grpo samples groups of answers, which the task's rule rewards (Shao et al. 2024).\n"
    "Questions are combinations that the corpus has, accuracy is greedy on held-out ones. Leaves\n"
    "OUT/model.gguf (F32), steps.csv, accuracy.csv, tune.json and state.gguf, from which the same "
    "command\n"
    "goes on. Runs in DIR/tune are compared in DIR/tuning.csv and tuning.json, and in the report "
    "of DIR.",
    run,
    "synergy tune model.gguf results --method grpo --task words"};
