/* model_cases.h - every reference model, and how far a context on one is from PyTorch (float64). */
#ifndef MODEL_CASES_H_INCLUDED
#define MODEL_CASES_H_INCLUDED

#include "model_case.h"

static const char *const cases[] = {
    "llama",          "llama-f16",      "llama-tied",      "llama-q8_0",         "llama-tied-q4_1",
    "gemma3",         "gemma3-f16",     "gemma3-q4_k",     "gemma3-q5_0",        "gemma3-linear",
    "qwen2",          "qwen3",          "qwen2-q4_0",      "qwen3-bf16",         "qwen2-q2_k",
    "llama-iq4_xs",   "gemma2",         "gptneox",         "gptneox-seq",        "gptneox-f16",
    "gptneox-q3_k",   "gpt2",           "gpt2-iq4_nl",     "llama-moe",          "llama-moe-q5_1",
    "qwen3moe",       "qwen3moe-q5_k",  "deepseek2",       "deepseek2-kvb",      "deepseek2-qlora",
    "deepseek2-q8_0", "deepseek2-q6_k", "olmo2",           "olmo2-q8_0",         "phi3",
    "phi3-q8_0",      "starcoder2",     "starcoder2-q4_0", "llama-bias",         "qwen3-yarn",
    "gemma2-tiny",    "qwen3moe-tiny",  "deepseek2-tiny",  "deepseek2-kvb-tiny", "gptneox-seq-tiny",
};
enum { CASES = sizeof cases / sizeof cases[0] };

/* Under the thread sanitizer, where all takes half an hour: one model of each family and kind. What
   the others add are types of tensors, which share nothing between threads. For the longest test,
   whose question is how rows are packed, these are enough under any sanitizer or emulator. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FEW_CASES
#endif
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define FEW_CASES
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED
#endif

static int is_among_few(const char *name)
{
    static const char *const few[] = {"llama-tied-q4_1", "qwen2-q4_0",     "gpt2-iq4_nl",
                                      "olmo2-q8_0",      "phi3-q8_0",      "gemma2-tiny",
                                      "qwen3moe-tiny",   "deepseek2-tiny", "gptneox-seq-tiny"};
    size_t i;
    for (i = 0; i < sizeof few / sizeof few[0]; i++)
        if (!strcmp(name, few[i])) return 1;
    return 0;
}

static inline int is_slow(void)
{
#if defined(SANITIZED) || defined(FEW_CASES)
    return 1;
#else
    return test_slow_machine();
#endif
}

typedef struct worst {
    double logits, norms;
    int other_top;
    double kl;
} worst;

static int top_of(const float *row, size_t n)
{
    size_t i, best = 0;
    for (i = 1; i < n; i++)
        if (row[i] > row[best]) best = i;
    return (int)best;
}

/* KL(reference || ours) of the next-token distributions of one row, in nats. */
static double kl_of(const float *reference, const float *ours, size_t n)
{
    const double a = (double)reference[top_of(reference, n)], b = (double)ours[top_of(ours, n)];
    double za = 0, zb = 0, kl = 0;
    size_t i;
    for (i = 0; i < n; i++) {
        za += exp((double)reference[i] - a);
        zb += exp((double)ours[i] - b);
    }
    for (i = 0; i < n; i++) {
        const double p = exp((double)reference[i] - a) / za;
        kl += p * (((double)reference[i] - a - log(za)) - ((double)ours[i] - b - log(zb)));
    }
    return kl;
}

static void compare_pass(const model_case *c, const syn_context *ctx, size_t at, worst *w)
{
    const size_t vocab = c->model.vocab, units = (size_t)c->model.layers * c->model.heads;
    size_t p, i;
    for (p = 0; p < ctx->rows; p++) {
        const float *logits = c->logits.f4 + (at + p) * vocab;
        const float *norms = c->head_norms.f4 + (at + p) * units;
        const float *ours = syn_context_logits(ctx, (int)p);
        for (i = 0; i < vocab; i++) {
            double off = fabs((double)ours[i] - (double)logits[i]);
            if (!(off <= w->logits)) w->logits = off;
        }
        for (i = 0; i < units; i++) {
            double off = fabs((double)syn_context_norms(ctx, (int)p)[i] - (double)norms[i]);
            if (!(off <= w->norms)) w->norms = off;
        }
        w->other_top += top_of(ours, vocab) != top_of(logits, vocab);
        w->kl += kl_of(logits, ours, vocab) / (double)case_length(c);
    }
}

/* Feeds the reference's tokens, `batch` at a time, and compares every position. */
static int run_case(model_case *c, syn_context *ctx, size_t batch, worst *w)
{
    syn_error err;
    int32_t ids[CASE_TOKENS];
    size_t at = 0, n = case_length(c);
    memset(w, 0, sizeof *w);
    while (at < n) {
        size_t take = n - at < batch ? n - at : batch, i;
        for (i = 0; i < take; i++) ids[i] = case_token(c, at + i);
        if (syn_context_step(ctx, ids, take, &err)) {
            printf("%s: %s\n", c->name, err.text);
            return 0;
        }
        compare_pass(c, ctx, at, w);
        at += take;
    }
    return 1;
}

/* Calls a test's body for every case, or for the few. */
static void for_cases(void (*body)(model_case *c), int few)
{
    case_each(cases, CASES, few ? 8 : 20, few ? is_among_few : NULL, body);
}

static void for_each_case(void (*body)(model_case *c))
{
#ifdef FEW_CASES
    for_cases(body, 1);
#else
    for_cases(body, 0);
#endif
}

#endif
