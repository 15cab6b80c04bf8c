/* Numbers from outside: weights, scales and norms that are NaN, infinite, denormal, as large as can
   be or all zero, in every tensor or in one, at every instruction set that is here, exact and
   fast. A file is refused, or a step ends; what it leaves is never an index: experts are chosen
   among those that there are, tokens among the vocabulary. NaN in all weights are NaN in the logits
   and the norms, and flagged by PhiID. */
#define SYNERGY_IMPLEMENTATION
#include "synergy.h"

#include "gguf_parts.h"
#include "test.h"

enum { STEPS = 8, IDS = 6 };

typedef struct pattern {
    const char *name;
    unsigned char bytes[4]; /* over and over: as floats, as halves, as scales and codes */
} pattern;

static const pattern patterns[] = {
    {"NaN", {0xff, 0xff, 0xff, 0xff}},
    {"infinite", {0x00, 0x00, 0x80, 0x7f}},
    {"zero", {0, 0, 0, 0}},
    {"denormal", {0x01, 0, 0, 0}},
    {"infinite halves", {0, 0x7c, 0, 0x7c}},
    {"the largest", {0xff, 0xff, 0x7f, 0x7f}},
};
enum { PATTERNS = sizeof patterns / sizeof patterns[0] };

static const char *const bases[] = {
    "models/llama-moe-q5_1",  "models/gemma2-tiny", "models/deepseek2-tiny", "models/gpt2-iq4_nl",
    "models/starcoder2-q4_0", "models/phi3-q8_0",   "families/gptoss",       "families/granitemoe"};
enum { BASES = sizeof bases / sizeof bases[0] };

static size_t tensor_bytes(const tensor_at *t)
{
    uint64_t n = 1;
    uint32_t d;
    for (d = 0; d < t->dims; d++) n *= t->ne[d];
    return (size_t)syn_type_bytes(syn_type_find(t->type), n);
}

static void fill(const parts *g, unsigned char *file, size_t tensor, const pattern *p)
{
    const tensor_at *t = &g->tensor[tensor];
    unsigned char *at = file + g->data + t->offset;
    size_t i, n = tensor_bytes(t);
    for (i = 0; i < n; i++) at[i] = p->bytes[i % 4];
}

/* What a step left: how many logits and norms are finite, of how many. */
typedef struct left {
    size_t logits, finite_logits, norms, finite_norms;
} left;

static void look(const syn_context *ctx, left *l)
{
    const float *logits = syn_context_logits(ctx, SYN_LAST_ROW);
    const float *norms = syn_context_norms(ctx, SYN_LAST_ROW);
    syn_sampler sampler;
    size_t i;
    int k;
    memset(l, 0, sizeof *l);
    memset(&sampler, 0, sizeof sampler);
    l->logits = ctx->model->vocab;
    l->norms = (size_t)ctx->model->layers * ctx->model->heads;
    for (i = 0; i < l->logits; i++) l->finite_logits += isfinite(logits[i]) ? 1 : 0;
    for (i = 0; i < l->norms; i++) l->finite_norms += isfinite(norms[i]) ? 1 : 0;
    for (k = 0; k < STEPS; k++) {
        int32_t id;
        sampler.temperature = (float)(k % 3);
        sampler.top_k = k % 2 ? 5 : 0;
        sampler.top_p = k % 4 ? 0 : 0.9f;
        id = syn_sample(&sampler, logits, l->logits);
        CHECK(id >= 0 && (size_t)id < l->logits);
    }
}

static syn_status run(const unsigned char *file, size_t bytes, syn_simd simd,
                      syn_arithmetic arithmetic, left *l, syn_error *err)
{
    const int32_t ids[IDS] = {5, 7, 100, 7, 9, 200};
    syn_source source = syn_source_memory(file, bytes);
    syn_model_desc no_words;
    syn_context_desc desc;
    syn_model model;
    syn_context ctx;
    size_t need;
    void *block = NULL;
    syn_status status;
    memset(&no_words, 0, sizeof no_words);
    memset(&desc, 0, sizeof desc);
    no_words.no_tokenizer = true;
    desc.tokens = 16;
    desc.batch = IDS;
    desc.simd = simd;
    desc.arithmetic = arithmetic;
    desc.norms = desc.sinks = true;
    status = syn_open_measure(&source, 1, &no_words, &desc, &model, &ctx, &need, err);
    if (!status && model.experts) {
        desc.expert_norms = SYN_EXPERTS_WEIGHTED;
        status = syn_open_measure(&source, 1, &no_words, &desc, &model, &ctx, &need, err);
    }
    if (!status) {
        block = malloc(need + SYN_BLOCK_ALIGN);
        status = syn_open_block(&source, 1, &no_words, &desc, block, need + SYN_BLOCK_ALIGN, &model,
                                &ctx, err);
    }
    if (!status) status = syn_context_step(&ctx, ids, IDS, err);
    if (!status) status = syn_context_step(&ctx, ids, 1, err);
    if (!status) look(&ctx, l);
    free(block);
    return status;
}

static int load(parts *g, const char *name)
{
    test_path_buffer folder, path;
    return take_apart(g, test_join(path, test_path(folder, name), "model.gguf"));
}

/* Every level that is here, both arithmetics. `all`: everything was NaN. */
static void at_every_level(const parts *g, const unsigned char *file, const char *what, int all)
{
    int level, exact;
    for (level = SYN_SIMD_PLAIN; level < SYN_SIMD_LEVELS; level++)
        for (exact = 0; exact < 2; exact++) {
            const unsigned long before = test_.failures;
            syn_error err;
            left l;
            syn_status status;
            memset(&err, 0, sizeof err);
            status = run(file, g->bytes, (syn_simd)level, exact ? SYN_EXACT : SYN_FAST, &l, &err);
            if (status == SYN_ERROR_ARGUMENT && strstr(err.text, "not there")) continue;
            CHECK(!status || err.text[0]);
            if (!status && all) CHECK(l.finite_logits == 0 && l.finite_norms == 0);
            if (test_.failures != before)
                printf("  %s, %s, %s: %s; %lu of %lu logits and %lu of %lu norms are finite\n",
                       what, syn_simd_name((syn_simd)level), exact ? "exact" : "fast", err.text,
                       (unsigned long)l.finite_logits, (unsigned long)l.logits,
                       (unsigned long)l.finite_norms, (unsigned long)l.norms);
        }
}

TEST(weights_of_any_kind_end_in_numbers_or_an_error)
{
    int b;
    size_t p, i;
    for (b = 0; b < BASES; b++) {
        static parts g;
        REQUIRE(load(&g, bases[b]));
        for (p = 0; p < PATTERNS; p++) {
            unsigned char *file = (unsigned char *)malloc(g.bytes);
            char what[96];
            memcpy(file, g.file, g.bytes);
            for (i = 0; i < g.tensors; i++) fill(&g, file, i, &patterns[p]);
            snprintf(what, sizeof what, "%s, all %s", bases[b], patterns[p].name);
            at_every_level(&g, file, what, p == 0);
            free(file);
        }
        free(g.file);
    }
}

TEST(one_tensor_of_any_kind_ends_in_numbers_or_an_error)
{
    int b;
    size_t p, i;
    for (b = 0; b < BASES; b++) {
        static parts g;
        REQUIRE(load(&g, bases[b]));
        for (i = 0; i < g.tensors; i++)
            for (p = 0; p < 2; p++) {
                unsigned char *file;
                char what[160];
                if (!strncmp(g.tensor[i].name, "blk.1.", 6)) continue;
                file = (unsigned char *)malloc(g.bytes);
                memcpy(file, g.file, g.bytes);
                fill(&g, file, i, &patterns[p]);
                snprintf(what, sizeof what, "%s, %s %s", bases[b], g.tensor[i].name,
                         patterns[p].name);
                at_every_level(&g, file, what, 0);
                free(file);
            }
        free(g.file);
    }
}

/* A series with a NaN or an infinity gives no numbers, and says so. */
TEST(series_that_are_not_finite_are_flagged)
{
    const double wrong[] = {(double)NAN, HUGE_VAL, -HUGE_VAL};
    double x[40], y[40], atom[SYN_ATOMS];
    syn_phiid_desc desc;
    size_t k, i;
    memset(&desc, 0, sizeof desc);
    for (k = 0; k < sizeof wrong / sizeof wrong[0]; k++) {
        for (i = 0; i < 40; i++) {
            x[i] = (double)(i * 7 % 13);
            y[i] = (double)(i * 5 % 11);
        }
        CHECK(!(syn_phiid_pair(x, y, 40, &desc, atom) & SYN_FLAG_NONFINITE));
        x[17] = wrong[k];
        CHECK(syn_phiid_pair(x, y, 40, &desc, atom) & SYN_FLAG_NONFINITE);
        for (i = 0; i < SYN_ATOMS; i++) CHECK(isnan(atom[i]));
    }
}

TEST_MAIN("outside")
