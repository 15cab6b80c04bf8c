/* SmolLM2-135M-Instruct (Q4_1) and Gemma 3 270M (Q4_K_M) against PyTorch in float64: the 64 largest
   logits, their log-sum-exp and every head norm, at every position. Needs the models
   (tools/fetch_model.sh all) and their references (tests/data/real or the shared fixtures). */
#define SYNERGY_THREADS
#define SYNERGY_NO_PHIID
#define SYNERGY_IMPLEMENTATION
#include "synergy.h"

#include "npy.h"
#include "test.h"

typedef struct real_model {
    unsigned char *file, *index;
    size_t file_bytes;
    syn_source source;
    syn_model model;
    void *block;
    test_path_buffer folder;
} real_model;

static int real_open(real_model *r, const char *gguf, const char *folder)
{
    test_path_buffer path, models;
    syn_arena arena = syn_arena_measure();
    syn_error err;
    size_t bytes;
    memset(r, 0, sizeof *r);
    if (!test_models() || !test_exists(test_join(path, test_models(), gguf))) return 0;
    if (!test_join(r->folder, "data/real", folder) ||
        !test_exists(test_join(models, r->folder, "index.json"))) {
        if (!test_fixtures()) return 0;
        test_join(models, test_fixtures(), "models/real");
        test_join(r->folder, models, folder);
    }
    r->file = file_load(path, &r->file_bytes);
    r->index = file_load(test_join(models, r->folder, "index.json"), NULL);
    if (!r->file || !r->index) return 0;
    r->source = syn_source_memory(r->file, r->file_bytes);
    if (syn_model_open(&r->model, &r->source, 1, NULL, &arena, &err)) return 0;
    bytes = arena.used;
    r->block = malloc(bytes);
    arena = syn_arena_on(r->block, bytes);
    return !syn_model_open(&r->model, &r->source, 1, NULL, &arena, &err);
}

static void real_close(real_model *r)
{
    free(r->file);
    free(r->index);
    free(r->block);
}

typedef struct prompt {
    npy tokens, generated, norms, top_ids, top_logits, logsumexp;
} prompt;

static int prompt_load(prompt *p, const real_model *r, const char *key)
{
    static const char *const name[] = {"tokens",  "gen_tokens", "head_norms",
                                       "top_ids", "top_logits", "logsumexp"};
    npy *const array[] = {&p->tokens,  &p->generated,  &p->norms,
                          &p->top_ids, &p->top_logits, &p->logsumexp};
    int i;
    memset(p, 0, sizeof *p);
    for (i = 0; i < 6; i++) {
        char file[64];
        test_path_buffer path;
        snprintf(file, sizeof file, "%s.%s.npy", key, name[i]);
        if (!test_exists(test_join(path, r->folder, file))) return 0;
        if (!npy_load(array[i], path, i == 0 || i == 1 || i == 3 ? NPY_I4 : NPY_F4)) return 0;
    }
    return 1;
}

static void prompt_free(prompt *p)
{
    npy_free(&p->tokens);
    npy_free(&p->generated);
    npy_free(&p->norms);
    npy_free(&p->top_ids);
    npy_free(&p->top_logits);
    npy_free(&p->logsumexp);
}

/* "tolerance": { "logits": x, "head_norms": y } of a prompt in index.json */
static double prompt_tolerance(const real_model *r, const char *key, const char *what)
{
    char text[64];
    const char *at;
    snprintf(text, sizeof text, "\"key\": \"%s\"", key);
    at = strstr((const char *)r->index, text);
    at = at ? strstr(at, "\"tolerance\"") : NULL;
    snprintf(text, sizeof text, "\"%s\":", what);
    at = at ? strstr(at, text) : NULL;
    return at ? atof(at + strlen(text)) : 0;
}

typedef struct result {
    double logits, norms, kl;
    int rows, other_top;
} result;

static double log_sum_exp(const float *x, size_t n)
{
    double top = (double)x[0], sum = 0;
    size_t i;
    for (i = 1; i < n; i++) top = fmax(top, (double)x[i]);
    for (i = 0; i < n; i++) sum += exp((double)x[i] - top);
    return top + log(sum);
}

/* KL over the 64 largest and the rest as one: a lower bound that is tight, the rest being small. */
static void compare_row(const prompt *p, size_t row, const float *logits, size_t vocab, result *r)
{
    const size_t top = p->top_ids.shape[1];
    const int32_t *ids = p->top_ids.i4 + row * top;
    const float *reference = p->top_logits.f4 + row * top;
    const double z = (double)p->logsumexp.f4[row], ours = log_sum_exp(logits, vocab);
    double rest_p = 1, rest_q = 1;
    size_t i, best = 0;
    for (i = 1; i < vocab; i++)
        if (logits[i] > logits[best]) best = i;
    r->other_top += (int32_t)best != ids[0];
    r->rows++;
    r->logits = fmax(r->logits, fabs(ours - z));
    for (i = 0; i < top; i++) {
        const double lp = (double)reference[i] - z, lq = (double)logits[ids[i]] - ours;
        r->logits = fmax(r->logits, fabs((double)logits[ids[i]] - (double)reference[i]));
        r->kl += exp(lp) * (lp - lq);
        rest_p -= exp(lp);
        rest_q -= exp(lq);
    }
    if (rest_p > 1e-9 && rest_q > 1e-9) r->kl += rest_p * log(rest_p / rest_q);
}

static int run_prompt(const real_model *m, const prompt *p, syn_arithmetic arithmetic, size_t batch,
                      result *r)
{
    static syn_pool pool;
    const size_t total = p->tokens.count + p->generated.count;
    const size_t units = (size_t)m->model.layers * m->model.heads;
    syn_context ctx;
    syn_context_desc desc;
    syn_error err;
    syn_arena arena = syn_arena_measure();
    void *block;
    size_t at, i, j;
    memset(&desc, 0, sizeof desc);
    desc.tokens = (uint32_t)total;
    desc.batch = (uint32_t)batch;
    desc.arithmetic = arithmetic;
    desc.norms = desc.all_logits = true;
    if (syn_pool_start(&pool, 2, &err)) return 0;
    desc.parallel = syn_pool_parallel(&pool);
    if (syn_context_open(&ctx, &m->model, &desc, &arena, &err)) return 0;
    block = malloc(arena.used);
    arena = syn_arena_on(block, arena.used);
    if (syn_context_open(&ctx, &m->model, &desc, &arena, &err)) return 0;
    for (at = 0; at < total; at += ctx.rows) {
        int32_t ids[64];
        const size_t n = total - at < batch ? total - at : batch;
        for (i = 0; i < n; i++)
            ids[i] = at + i < p->tokens.count ? p->tokens.i4[at + i]
                                              : p->generated.i4[at + i - p->tokens.count];
        if (syn_context_step(&ctx, ids, n, &err)) return 0;
        for (i = 0; i < n; i++) {
            for (j = 0; j < units; j++)
                r->norms = fmax(r->norms, fabs((double)syn_context_norms(&ctx, (int)i)[j] -
                                               (double)p->norms.f4[(at + i) * units + j]));
            if (at + i + 1 >= p->tokens.count)
                compare_row(p, at + i + 1 - p->tokens.count, syn_context_logits(&ctx, (int)i),
                            m->model.vocab, r);
        }
    }
    free(block);
    syn_pool_stop(&pool);
    return 1;
}

static const char *const keys[] = {"p0", "p1", "p2", "c0", "c1", "c2"};

static void exact_model(const char *gguf, const char *folder)
{
    real_model m;
    size_t i;
    int ran = 0;
    if (!real_open(&m, gguf, folder)) SKIP("the model or its references are not here");
    for (i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        prompt p;
        result r;
        memset(&r, 0, sizeof r);
        if (prompt_load(&p, &m, keys[i])) {
            CHECK(run_prompt(&m, &p, SYN_EXACT, i % 2 ? 1 : 16, &r));
            CHECK_NEAR(r.logits, 0, prompt_tolerance(&m, keys[i], "logits"));
            CHECK_NEAR(r.norms, 0, prompt_tolerance(&m, keys[i], "head_norms"));
            CHECK(r.other_top == 0);
            ran++;
        }
        prompt_free(&p);
    }
    CHECK(ran >= 3);
    real_close(&m);
}

/* peer_kl and peer_top: what llama.cpp (natively built, the better of its F16 and F32 cache)
   reaches on the same file over the same positions against the same references. */
static void fast_model(const char *gguf, const char *folder, double peer_kl, int peer_top)
{
    real_model m;
    size_t i;
    result r;
    memset(&r, 0, sizeof r);
    if (!real_open(&m, gguf, folder)) SKIP("the model or its references are not here");
    for (i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        prompt p;
        if (prompt_load(&p, &m, keys[i])) CHECK(run_prompt(&m, &p, SYN_FAST, 16, &r));
        prompt_free(&p);
    }
    printf("  %s: mean KL %.3g nats (llama.cpp %.3g), another top token at %d of %d (%d)\n", folder,
           r.kl / r.rows, peer_kl, r.other_top, r.rows, peer_top);
    CHECK(r.kl / r.rows <= peer_kl);
    CHECK(r.other_top <= peer_top);
    real_close(&m);
}

TEST(smollm2_exact)
{
    exact_model(TEST_SMOLLM2, "smollm2-135m-instruct-q4_1");
}
TEST(gemma3_exact)
{
    exact_model(TEST_GEMMA3, "gemma-3-270m-q4_k_m");
}
TEST(smollm2_fast)
{
    fast_model(TEST_SMOLLM2, "smollm2-135m-instruct-q4_1", 0.00206, 5);
}
TEST(gemma3_fast)
{
    fast_model(TEST_GEMMA3, "gemma-3-270m-q4_k_m", 0.00334, 3);
}

TEST_MAIN("real")
