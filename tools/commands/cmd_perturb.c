/* cmd_perturb.c - synergy perturb: what weight noise in the core does, and elsewhere. */
#include "study/stage.h"

static int run(const command *self, int argc, char **argv)
{
    perturb_options o;
    const char *operand[2];
    size_t found;
    int code;
    problem why;
    perturb_defaults(&o);
    const option options[] = {
        {"strengths", 0, OPTION_TEXT, "S,S,...",
         "standard deviations of the noise, in those of a unit's own weights (default "
         "0.1,0.25,0.5,1)",
         &o.strengths, 0, 0, NULL},
        {"share", 0, OPTION_NUMBER, "F", "share of the units in each group (default 0.25)",
         &o.share, 0, 1, NULL},
        {"score", 0, OPTION_TEXT, "COLUMN",
         "the column of units.csv that orders the core (default: score)", &o.study.score, 0, 0,
         NULL},
        {"seeds", 0, OPTION_INT, "N", "draws of noise, and random groups (default 3)",
         &o.study.seeds, 1, 1000, NULL},
        {"prompts", 0, OPTION_INT, "N", "prompts of DIR to use, evenly spread (default 24; 0: all)",
         &o.study.prompts, 0, 1 << 24, NULL},
        {"eval", 0, OPTION_TEXT, "all|none|NAMES", "evaluation sets (default all)", &o.study.eval,
         0, 0, NULL},
        {"items", 0, OPTION_INT, "N", "most items of each set (default 8; 0: all)", &o.study.items,
         0, 1 << 20, NULL},
        OPTION_OUT(&o.study.output),
        OPTION_MEMORY(&o.study.memory),
        OPTION_THREADS(&o.study.threads),
        OPTION_EXACT(&o.study.exact),
        OPTION_SEED(&o.study.seed),
        OPTION_PRE(&o.study.pre),
        OPTION_RESUME(&o.study.resume),
        OPTION_FRESH(&o.study.fresh),
        OPTION_FORCE(&o.study.force),
    };
    if (!args_parse(self, options, OPTION_COUNT(options), argc, argv, operand, 2, 2, &found, &code))
        return code;
    o.study.model = operand[0];
    o.study.directory = operand[1];
    if (!o.study.output) o.study.output = o.study.directory;
    return perturb_run(&o, &why) ? tool_finish_output() : tool_fail(&why);
}

const command command_perturb = {"perturb",
                                 "MODEL DIR [-o DIR]",
                                 "adds weight noise to core, periphery and random units",
                                 "Writes perturb.csv (mean KL(intact || noisy) on the model's own "
                                 "continuations), perturb_accuracy.csv and\n"
                                 "perturb.json. A head's noise is on its query rows and its "
                                 "columns of the output projection, an expert's\n"
                                 "on all its weights; the model and its file stay as they are.",
                                 run,
                                 "synergy perturb model.gguf results --prompts 6"};
