/* cmd_train.c - `synergy train`: a small model from random weights, or further steps of one. */
#include "engine/choices.h"
#include "learn/stage.h"

#include <string.h>

static const char about[] =
    "AdamW on rows of ids, in float32, the same bytes for the same seed with any number of "
    "threads.\n"
    "Without --init the weights are random (by --seed), of a llama of the given shape, and the\n"
    "vocabulary is learnt from the text. Leaves DIR/model.gguf (F32), DIR/loss.csv (the loss "
    "before\n"
    "each step), DIR/heldout.csv (loss on text that is not learnt from), DIR/step-N.gguf and\n"
    "DIR/state.gguf, from which the same command goes on after a stop. Families: llama, qwen2, "
    "qwen3.";

static int run(const command *self, int argc, char **argv)
{
    train_options o;
    int order = ORDER_SHUFFLED;
    memset(&o, 0, sizeof o);
    o.corpus = -1;
    o.seed = 1;
    o.batch = 32;
    o.vocab = 1024;
    o.save_seconds = 60;
    o.optimiser = (optimiser_options){1e-3, 0.9, 0.95, 1e-8, 0.1, 1, SCHEDULE_COSINE, -1, 0};
    o.shape = (fresh_shape){8, 128, 8, 0, 0, 0, 0, "synergy"};
    const option options[] = {
        {"init", 0, OPTION_TEXT, "MODEL.gguf", "where to start (default: random weights)", &o.init,
         0, 0, NULL},
        {"tokens", 0, OPTION_TEXT, "IDS.npy", "rows of ids, -1 behind a row's end", &o.tokens, 0, 0,
         NULL},
        {"text", 0, OPTION_TEXT, "FILE", "a text, any UTF-8", &o.text, 0, 0, NULL},
        {"corpus", 0, OPTION_INT, "SEED", "text by rule without end (see synergy corpus)",
         &o.corpus, 0, 9e15, NULL},
        {"steps", 0, OPTION_INT, "K", "steps in all", &o.optimiser.steps, 1, 1e9, NULL},
        {"batch", 0, OPTION_INT, "B", "rows a step (default 32)", &o.batch, 1, 65536, NULL},
        {"lr", 0, OPTION_NUMBER, "X", "learning rate (default 1e-3)", &o.optimiser.lr, 0, 1e3,
         NULL},
        {"schedule", 0, OPTION_CHOICE, choice_words(CHOICE_SCHEDULE), "of the learning rate",
         &o.optimiser.schedule, 0, 0, NULL},
        {"warmup", 0, OPTION_INT, "N", "steps of rising rate (default: a fiftieth of them)",
         &o.optimiser.warmup, 0, 1e9, NULL},
        {"beta1", 0, OPTION_NUMBER, "X", "of the first moment (default 0.9)", &o.optimiser.beta1, 0,
         0.999999, NULL},
        {"beta2", 0, OPTION_NUMBER, "X", "of the second moment (default 0.95)", &o.optimiser.beta2,
         0, 0.999999, NULL},
        {"eps", 0, OPTION_NUMBER, "X", "beside the root (default 1e-8)", &o.optimiser.eps, 1e-30, 1,
         NULL},
        {"weight-decay", 0, OPTION_NUMBER, "X", "of matrices (default 0.1)", &o.optimiser.decay, 0,
         1e3, NULL},
        {"clip", 0, OPTION_NUMBER, "X", "largest norm of the gradient, 0: any (default 1)",
         &o.optimiser.clip, 0, 1e9, NULL},
        {"order", 0, OPTION_CHOICE, choice_words(CHOICE_ROWS), "of the rows", &order, 0, 0, NULL},
        {"checkpoints", 0, OPTION_TEXT, "LIST", "steps to keep (default: powers of two)",
         &o.checkpoints, 0, 0, NULL},
        {"until", 0, OPTION_INT, "N",
         "stop behind step N, as if stopped there; without it the command goes on", &o.until, 1,
         1e9, NULL},
        {"evaluate", 0, OPTION_INT, "N", "held-out loss every N steps (default: at checkpoints)",
         &o.evaluate, 1, 1e9, NULL},
        {"layers", 0, OPTION_INT, "N", "of a fresh model (default 8)", &o.shape.layers, 1, 256,
         NULL},
        {"width", 0, OPTION_INT, "N", "of its stream (default 128)", &o.shape.width, 2, 8192, NULL},
        {"heads", 0, OPTION_INT, "N", "a layer (default 8)", &o.shape.heads, 1, 512, NULL},
        {"kv-heads", 0, OPTION_INT, "N", "key heads a layer (default: as many)", &o.shape.kv_heads,
         1, 512, NULL},
        {"ff", 0, OPTION_INT, "N", "of its feed-forward part (default 8/3 width)", &o.shape.ff, 1,
         65536, NULL},
        {"vocab", 0, OPTION_INT, "N", "tokens of its vocabulary (default 1024)", &o.vocab,
         BPE_LEAST, BPE_MOST, NULL},
        {"name", 0, OPTION_TEXT, "NAME", "of a fresh model, as its file says it", &o.shape.name, 0,
         0, NULL},
        OPTION_CONTEXT(&o.context),
        OPTION_SEED(&o.seed),
        OPTION_THREADS(&o.threads),
        OPTION_OUT(&o.output),
        {"resume", 0, OPTION_FLAG, NULL, "go on where a stopped run was (the default)", &o.resume,
         0, 0, NULL},
        {"fresh", 0, OPTION_FLAG, NULL, "start over in a folder that holds a run", &o.fresh, 0, 0,
         NULL},
        OPTION_FORCE(&o.force),
    };
    int code;
    problem why;
    if (!args_parse(self, options, OPTION_COUNT(options), argc, argv, NULL, 0, 0, NULL, &code))
        return code;
    o.order = order;
    if (!o.output) return tool_usage("-o DIR is needed");
    if ((o.tokens != NULL) + (o.text != NULL) + (o.corpus >= 0) != 1)
        return tool_usage("one of --tokens IDS.npy, --text FILE and --corpus SEED is needed");
    if (o.tokens && !o.init)
        return tool_usage("--tokens needs the model whose ids they are: --init MODEL.gguf");
    if (!o.optimiser.steps) return tool_usage("--steps K is needed");
    if (o.resume && o.fresh) return tool_usage("--resume and --fresh exclude each other");
    if (!o.init && !o.context) o.context = 128;
    if (o.context == 1) return tool_usage("-c 1: a row of one token has nothing to predict");
    if (o.optimiser.warmup < 0) o.optimiser.warmup = o.optimiser.steps / 50;
    if (!train_run(&o, &why)) return tool_fail(&why);
    return tool_finish_output();
}

const command command_train = {
    "train",
    "[--init MODEL.gguf] --tokens IDS.npy|--text FILE|--corpus SEED --steps K -o DIR",
    "trains a small model from random weights, or goes on with one",
    about,
    run,
    "synergy train --corpus 1 --steps 100 -o trained"};
