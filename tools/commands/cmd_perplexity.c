/* cmd_perplexity.c - `synergy perplexity`: how well a model predicts a text. */
#include "base/stop.h"
#include "engine/budget.h"
#include "study/stage.h"

#include <math.h>
#include <string.h>

static void print_json(const perplexity_options *o, const perplexity_result *r)
{
    json_out j;
    memset(&j, 0, sizeof j);
    json_object(&j, NULL);
    json_text(&j, "model", path_base(o->model));
    json_text(&j, "arithmetic", choice_name(CHOICE_ARITHMETIC, o->exact));
    json_text(&j, "positions", o->second_half ? "second half" : "all");
    json_int(&j, "tokens", (int64_t)r->tokens);
    json_int(&j, "scored", (int64_t)r->scored);
    json_int(&j, "windows", (int64_t)r->windows);
    json_int(&j, "window", (int64_t)r->window);
    json_number(&j, "nll", r->nll);
    json_number(&j, "nll_sd", r->sd);
    json_number(&j, "nll_se", r->se);
    json_number(&j, "perplexity", r->perplexity);
    json_number(&j, "low", r->low);
    json_number(&j, "high", r->high);
    json_object_end(&j);
    json_print(&j, stdout);
}

static void print_line(const perplexity_result *r)
{
    printf("perplexity %.6g", r->perplexity);
    if (isfinite(r->se)) printf(" +- %.3g", r->perplexity * r->se);
    printf(" (nll %.6g, %llu tokens, %llu window%s)\n", r->nll, (unsigned long long)r->scored,
           (unsigned long long)r->windows, r->windows == 1 ? "" : "s");
}

static int run(const command *self, int argc, char **argv)
{
    perplexity_options o;
    perplexity_result r;
    bool as_json = false;
    memset(&o, 0, sizeof o);
    const option options[] = {
        {"file", 'f', OPTION_TEXT, "FILE", "the text, any bytes; -: standard input", &o.file, 0, 0,
         NULL},
        {"tokens", 0, OPTION_TEXT, "IDS.npy", "ids in place of a text, [T] or [P, T], as they are",
         &o.tokens, 0, 0, NULL},
        {"context", 'c', OPTION_INT, "N",
         "tokens of a window (default: all, or the model's context)", &o.context, 2, 1 << 24, NULL},
        {"second-half", 0, OPTION_FLAG, NULL,
         "whole windows (default 512), their second halves only", &o.second_half, 0, 0, NULL},
        {"special", 0, OPTION_FLAG, NULL, "special tokens in the text are these tokens", &o.special,
         0, 0, NULL},
        OPTION_PRE(&o.pre),
        {"no-bos", 0, OPTION_FLAG, NULL, "no begin token", &o.no_bos, 0, 0, NULL},
        OPTION_RESUME(&o.resume),
        OPTION_FRESH(&o.fresh),
        OPTION_MEMORY(&o.memory),
        OPTION_CACHE(&o.cache),
        OPTION_THREADS(&o.threads),
        OPTION_EXACT(&o.exact),
        OPTION_JSON(&as_json),
    };
    double budget;
    int code;
    problem why;
    if (!args_parse(self, options, OPTION_COUNT(options), argc, argv, &o.model, 1, 1, NULL, &code))
        return code;
    if (!o.file == !o.tokens) return tool_usage("one of -f FILE and --tokens IDS.npy is needed");
    if (o.tokens && (o.special || o.no_bos))
        return tool_usage("--special and --no-bos are about texts: --tokens takes ids as they are");
    if (o.second_half && o.context && o.context < 3)
        return tool_usage("--second-half needs windows of 3 tokens or more (-c)");
    if (!budget_of(o.memory, &budget, &why)) return tool_usage("%s", why.text);
    stop_keeps("nothing is kept yet");
    if (!perplexity_run(&o, &r, &why)) return tool_fail(&why);
    if (as_json) print_json(&o, &r);
    else print_line(&r);
    return tool_finish_output();
}

const command command_perplexity = {
    "perplexity",
    "MODEL -f FILE [-c N] [--second-half]",
    "how well the model predicts a text",
    "exp of the mean of -log p(token | tokens before it) over all tokens but the first, in one\n"
    "window when the text fits the context that the model was trained for. Longer texts, and -c "
    "N:\n"
    "windows of N tokens without overlap, a shorter one at the end; where the tokenizer adds a\n"
    "begin token it takes the place of each window's first token. --second-half: whole windows\n"
    "only, of each the tokens behind its middle one, which is what llama-perplexity of llama.cpp\n"
    "computes. `tokens` in the line: how many were scored; behind +- stands the standard error.",
    run,
    "synergy perplexity model.gguf -f text.txt"};
