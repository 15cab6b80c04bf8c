/* cmd_gradient.c - `synergy gradient`: derivatives of a loss with respect to weights and heads. */
#include "learn/stage.h"

#include <string.h>

static void print_result(const gradient_result *r, bool as_json)
{
    json_out j;
    if (!as_json) {
        printf("loss %.6g over %zu positions\n", r->loss, r->positions);
        return;
    }
    memset(&j, 0, sizeof j);
    json_object_inline(&j, NULL);
    json_number(&j, "loss", r->loss);
    json_int(&j, "positions", (int64_t)r->positions);
    json_object_end(&j);
    json_print(&j, stdout);
}

static int run(const command *self, int argc, char **argv)
{
    gradient_options o;
    gradient_result r;
    bool as_json = false;
    memset(&o, 0, sizeof o);
    const option options[] = {
        {"tokens", 0, OPTION_TEXT, "IDS.npy", "rows of ids [P, T], -1 behind a row's end",
         &o.tokens, 0, 0, NULL},
        {"weights", 0, OPTION_TEXT, "W.npy", "weight of each predicted token (default: all 1)",
         &o.weights, 0, 0, NULL},
        {"output", 'o', OPTION_TEXT, "GRAD.gguf", "the gradients, F32 under the tensors' names",
         &o.output, 0, 0, NULL},
        {"heads", 0, OPTION_TEXT, "HEADS.csv", "gradient and importance of every head", &o.heads, 0,
         0, NULL},
        {"logits", 0, OPTION_TEXT, "LOGITS.npy", "the logits of every position [P, T, V]",
         &o.logits, 0, 0, NULL},
        OPTION_THREADS(&o.threads),
        OPTION_JSON(&as_json),
        {"force", 0, OPTION_FLAG, NULL, "replace output files that exist", &o.force, 0, 0, NULL},
    };
    int code;
    problem why;
    const char *operand[2] = {NULL, NULL};
    size_t found = 0;
    if (!args_parse(self, options, OPTION_COUNT(options), argc, argv, operand, 1, 2, &found, &code))
        return code;
    o.model = operand[0];
    if (found == 2) {
        if (o.tokens || o.weights || o.output || o.heads || o.logits)
            return tool_usage("DIR has the tokens, and its units.csv takes the result: no other "
                              "option goes with it");
        if (!gradient_folder(&o, operand[1], &r, &why)) return tool_fail(&why);
        print_result(&r, as_json);
        return tool_finish_output();
    }
    if (!o.tokens) return tool_usage("--tokens IDS.npy is needed");
    if (!o.output && !o.heads && !o.logits && !as_json)
        return tool_usage(
            "nothing to do: one of -o GRAD.gguf, --heads HEADS.csv and --json is needed");
    if (!gradient_run(&o, &r, &why)) return tool_fail(&why);
    print_result(&r, as_json);
    return tool_finish_output();
}

const command command_gradient = {
    "gradient",
    "MODEL --tokens IDS.npy [--weights W.npy] [-o GRAD.gguf] [--heads HEADS.csv] | MODEL DIR",
    "derivatives of a loss with respect to every weight and every head",
    "The loss is the mean over all predicted tokens (the second of a row and on) of\n"
    "weight * -log p(token | tokens before it). Gradients are written as F32 tensors under the "
    "names\n"
    "of the model's own, at the dequantised weights. HEADS.csv has for each head the derivative "
    "with\n"
    "respect to a factor on its output, at 1 (`gradient`), and the mean over rows of the "
    "magnitude\n"
    "of each row's part (`importance`, Michel et al. 2019). With a result folder of the\n"
    "model, both are measured on the folder's continuations and become columns of its units.csv, "
    "after\n"
    "which `ablate` has an order `gradient`. Families: llama, qwen2, qwen3.",
    run,
    "synergy gradient model.gguf results"};
