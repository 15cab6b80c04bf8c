/* Every call that takes memory from an arena, a row each: measured it says how much it takes; in
   that much it ends well; in less, of whatever size, it says MEMORY, takes nothing, and writes
   nothing behind the end. (That a model does so is in test_model.c.) */
#define SYNERGY_SIMD 0 /* no kernel is tested here: twice as fast to compile */
#define SYNERGY_IMPLEMENTATION
#include "synergy.h"

#include "model_case.h"

enum { GUARD = 64 }; /* bytes behind the end */

typedef syn_status call(syn_arena *arena, syn_error *err);

static int guarded(const unsigned char *at)
{
    int i;
    for (i = 0; i < GUARD; i++)
        if (at[i] != 0xA5) return 0;
    return 1;
}

/* All sizes from 0 on, or an even choice of them and the largest that is too small. */
static void every_size(const char *what, call *run)
{
    syn_arena arena = syn_arena_measure();
    syn_error err;
    unsigned char *block;
    size_t bytes, n, step, wrong = 0;
    REQUIRE_OK(run(&arena, &err), err);
    bytes = arena.used;
    block = (unsigned char *)malloc(bytes + GUARD);
    CHECK(bytes > 0);
    REQUIRE(block != NULL);
    step = 1 + bytes / (test_slow_machine() ? 50 : 300);
    for (n = 0; n < bytes; n += n + step < bytes || n + 1 == bytes ? step : bytes - 1 - n) {
        syn_status status;
        memset(block, 0xA5, bytes + GUARD);
        arena = syn_arena_on(block, n);
        status = run(&arena, &err);
        wrong += status != SYN_ERROR_MEMORY || err.status != status || !err.text[0] || arena.used ||
                 !guarded(block + n);
    }
    memset(block, 0xA5, bytes + GUARD);
    arena = syn_arena_on(block, bytes);
    CHECK_OK(run(&arena, &err), err);
    CHECK(guarded(block + bytes));
    if (wrong) printf("  %s: %lu sizes\n", what, (unsigned long)wrong);
    CHECK(wrong == 0);
    free(block);
}

/* ------------------------------------------------------------------ contexts */

static model_case loaded;
static syn_context_desc wanted;

static syn_status open_context(syn_arena *arena, syn_error *err)
{
    syn_context context;
    return syn_context_open(&context, &loaded.model, &wanted, arena, err);
}

static syn_status open_both(syn_arena *arena, syn_error *err)
{
    syn_model model;
    syn_context context;
    syn_model_desc desc;
    size_t bytes;
    syn_status status;
    memset(&desc, 0, sizeof desc);
    desc.no_tokenizer = true;
    status = syn_open_measure(&loaded.source, 1, &desc, &wanted, &model, &context, &bytes, err);
    if (status || !arena->base) {
        arena->used = status ? 0 : bytes;
        return status;
    }
    return syn_open_block(&loaded.source, 1, &desc, &wanted, arena->base, arena->size, &model,
                          &context, err);
}

/* Families that differ in what a context holds, under settings that add to it. */
TEST(contexts)
{
    static const char *const names[] = {"llama-tied-q4_1",  "gemma2-tiny",        "qwen3moe-tiny",
                                        "deepseek2-tiny",   "deepseek2-kvb-tiny", "gpt2-iq4_nl",
                                        "gptneox-seq-tiny", "phi3-q8_0"};
    size_t i;
    int k;
    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        test_path_buffer path;
        const char *folder = case_folder(path, names[i]);
        REQUIRE(folder && case_load(&loaded, folder));
        for (k = 0; k < 4; k++) {
            memset(&wanted, 0, sizeof wanted);
            wanted.tokens = 32;
            wanted.batch = k == 1 ? 1 : 4;
            wanted.arithmetic = k == 2 ? SYN_EXACT : SYN_FAST;
            wanted.cache = k == 3 ? SYN_CACHE_F16 : SYN_CACHE_F32;
            wanted.sequences = k == 3 ? 3 : 1;
            wanted.norms = wanted.sinks = wanted.all_logits = k > 1;
            if (k > 1 && syn_model_has_experts(&loaded.model, loaded.model.layers - 1))
                wanted.expert_norms = k == 2 ? SYN_EXPERTS_ALL : SYN_EXPERTS_WEIGHTED;
            every_size(names[i], open_context);
            if (k == 2) every_size(names[i], open_both);
        }
        case_free(&loaded);
    }
}

/* ------------------------------------------------------------------ series */

enum { UNITS = 8, LAYERS = 4, PROMPTS = 4, SAMPLES = 40 };

static double data[PROMPTS][SAMPLES * UNITS], weight[UNITS * UNITS], scores[UNITS];
static syn_pairs_desc desc_of_pairs;
static syn_pairs added;
static syn_resample_desc resample;
static int32_t part[UNITS];

static uint32_t state = 1;

static double draw(void)
{
    state = state * 1664525u + 1013904223u;
    return (double)(state >> 8) / 16777216.0 - 0.5;
}

static syn_series series_of(int prompt)
{
    syn_series s;
    memset(&s, 0, sizeof s);
    s.data = data[prompt];
    s.type = SYN_NUMBER_F64;
    s.units = UNITS;
    s.samples = SAMPLES;
    return s;
}

static syn_status open_pairs(syn_arena *arena, syn_error *err)
{
    syn_pairs pairs;
    return syn_pairs_open(&pairs, &desc_of_pairs, arena, err);
}

static syn_status open_cov(syn_arena *arena, syn_error *err)
{
    syn_cov cov;
    return syn_cov_open(&cov, UNITS, 2, arena, err);
}

static syn_status open_rank(syn_arena *arena, syn_error *err)
{
    syn_rank rank;
    return syn_rank_open(&rank, UNITS, arena, err);
}

static syn_status bootstrap(syn_arena *arena, syn_error *err)
{
    syn_bootstrap boot;
    return syn_rank_bootstrap(&boot, &added, SYN_SCORE_RANK_DIFFERENCE, &resample, arena, err);
}

static syn_status reliability(syn_arena *arena, syn_error *err)
{
    double value;
    return syn_rank_reliability(&added, SYN_SCORE_DIFFERENCE, &resample, &value, arena, err);
}

static syn_status permutation(syn_arena *arena, syn_error *err)
{
    syn_permutation test;
    return syn_rank_permutation(&test, scores, UNITS, &resample, arena, err);
}

static syn_status open_excess(syn_arena *arena, syn_error *err)
{
    syn_excess excess;
    return syn_excess_open(&excess, &added, false, arena, err);
}

static syn_status open_excess_of_pairs(syn_arena *arena, syn_error *err)
{
    syn_excess excess;
    return syn_excess_open(&excess, &added, true, arena, err);
}

static bool take_atoms(void *user, size_t first, size_t pairs, const double *atom,
                       const uint8_t *flag)
{
    (void)user, (void)first, (void)pairs, (void)atom, (void)flag;
    return true;
}

static void make_data(void)
{
    int p, t, i;
    for (p = 0; p < PROMPTS; p++)
        for (t = 0; t < SAMPLES; t++)
            for (i = 0; i < UNITS; i++)
                data[p][t * UNITS + i] =
                    (t ? 0.5 * data[p][(t - 1) * UNITS + (i + 1) % UNITS] : 0) + draw() + 2;
    for (i = 0; i < UNITS; i++) {
        scores[i] = draw();
        part[i] = i % 3;
        for (t = 0; t < i; t++) weight[i * UNITS + t] = weight[t * UNITS + i] = draw();
    }
}

static void pairs_defaults(void)
{
    memset(&desc_of_pairs, 0, sizeof desc_of_pairs);
    desc_of_pairs.units = UNITS;
    desc_of_pairs.samples = SAMPLES;
    desc_of_pairs.prompts = PROMPTS;
    desc_of_pairs.cells = true;
}

TEST(pairs_under_every_setting)
{
    int redundancy, estimator, transform, k;
    for (redundancy = SYN_MMI; redundancy <= SYN_CCS; redundancy++)
        for (estimator = SYN_GAUSSIAN; estimator <= SYN_BINARY; estimator++)
            for (transform = SYN_TRANSFORM_NONE; transform <= SYN_TRANSFORM_LOG; transform++)
                for (k = 0; k < 4; k++) {
                    pairs_defaults();
                    if (redundancy == SYN_CCS && estimator == SYN_BINARY) continue;
                    desc_of_pairs.phiid.redundancy = (syn_redundancy)redundancy;
                    desc_of_pairs.phiid.estimator = (syn_estimator)estimator;
                    desc_of_pairs.phiid.transform = (syn_transform)transform;
                    desc_of_pairs.careful = k & 1;
                    desc_of_pairs.lean = k == 2;
                    desc_of_pairs.cells = k == 3;
                    desc_of_pairs.atoms = k == 3 ? take_atoms : NULL;
                    every_size("pairs", open_pairs);
                }
}

TEST(ranks_and_surrogates)
{
    syn_arena arena = syn_arena_measure();
    syn_error err;
    void *block;
    int p;
    make_data();
    pairs_defaults();
    REQUIRE_OK(syn_pairs_open(&added, &desc_of_pairs, &arena, &err), err);
    block = malloc(arena.used);
    arena = syn_arena_on(block, arena.used);
    REQUIRE_OK(syn_pairs_open(&added, &desc_of_pairs, &arena, &err), err);
    for (p = 0; p < PROMPTS; p++) {
        const syn_series s = series_of(p);
        REQUIRE_OK(syn_pairs_add(&added, &s, &err), err);
    }
    resample.layers = LAYERS;
    resample.resamples = 20;
    every_size("cov", open_cov);
    every_size("rank", open_rank);
    every_size("bootstrap", bootstrap);
    every_size("reliability", reliability);
    every_size("permutation", permutation);
    every_size("excess", open_excess);
    every_size("excess of pairs", open_excess_of_pairs);
    free(block);
}

/* ------------------------------------------------------------------ networks */

static syn_status measure(syn_arena *arena, syn_error *err)
{
    syn_graph graph;
    syn_graph_desc desc;
    memset(&desc, 0, sizeof desc);
    desc.nodes = UNITS;
    desc.restarts = 3;
    return syn_graph_measure(&graph, weight, &desc, arena, err);
}

static syn_status modularity(syn_arena *arena, syn_error *err)
{
    double q;
    return syn_graph_modularity(weight, UNITS, part, 1, &q, arena, err);
}

static syn_status modularity_signed(syn_arena *arena, syn_error *err)
{
    double q;
    return syn_graph_modularity_signed(weight, UNITS, part, &q, arena, err);
}

static syn_status communities_signed(syn_arena *arena, syn_error *err)
{
    syn_graph_desc desc;
    int32_t found[UNITS];
    double q;
    memset(&desc, 0, sizeof desc);
    desc.nodes = UNITS;
    desc.restarts = 3;
    return syn_graph_communities_signed(weight, &desc, found, &q, arena, err);
}

static syn_status participation(syn_arena *arena, syn_error *err)
{
    double value[UNITS];
    return syn_graph_participation(weight, UNITS, part, value, arena, err);
}

static syn_status local_efficiency(syn_arena *arena, syn_error *err)
{
    double value[UNITS];
    return syn_graph_local_efficiency(weight, UNITS, NULL, value, arena, err);
}

static syn_status null_shuffle(syn_arena *arena, syn_error *err)
{
    double to[UNITS * UNITS];
    return syn_graph_null(weight, UNITS, SYN_NULL_SHUFFLE, 1, to, arena, err);
}

static syn_status null_rewire(syn_arena *arena, syn_error *err)
{
    double to[UNITS * UNITS];
    return syn_graph_null(weight, UNITS, SYN_NULL_REWIRE, 1, to, arena, err);
}

static syn_status threshold(syn_arena *arena, syn_error *err)
{
    double to[UNITS * UNITS];
    size_t kept;
    return syn_graph_threshold(weight, UNITS, 0.3, to, &kept, arena, err);
}

TEST(networks)
{
    make_data();
    every_size("measure", measure);
    every_size("modularity", modularity);
    every_size("signed modularity", modularity_signed);
    every_size("signed communities", communities_signed);
    every_size("participation", participation);
    every_size("local efficiency", local_efficiency);
    every_size("null, shuffle", null_shuffle);
    every_size("null, rewire", null_rewire);
    every_size("threshold", threshold);
}

TEST_MAIN("memory")
