/* Stack that public calls use, as a Markdown table: each runs on a thread whose stack was painted,
   and the deepest byte that is no longer paint is its high-water mark; below 256 bytes it cannot be
   told from the frame that calls. Every call runs once before it is measured, so that the linker's
   work at a first call is not in it. Of calls that choose an instruction set: the best one's and
   plain C's. bench/build/bench_stack MODEL.gguf   such as examples/models/synergy-mini.Q8_0.gguf */
#define _POSIX_C_SOURCE 200809L
#define SYNERGY_IMPLEMENTATION
#include "synergy.h"
#include <pthread.h>
#include <stdlib.h>

enum {
    FRAME = 256,
    STACK = 1 << 18,
    PAINT = 0xA5,
    UNITS = 64,
    SAMPLES = 100,
    PROMPTS = 2,
    TEXT = 600
};

/* What the calls work on; all of it is made before anything is measured. */
typedef struct bench {
    syn_source source;
    syn_model model;
    syn_context ctx;
    syn_context_desc desc;
    syn_model_desc model_desc;
    void *block;
    size_t block_bytes;
    int32_t ids[TEXT];
    size_t count;
    char text[TEXT * 8];
    float *data; /* (prompt, unit, sample) */
    syn_series series[PROMPTS], over;
    syn_pairs pairs, null;
    void *pairs_block;
    syn_redundancy redundancy;
    syn_rank rank;
    syn_cov cov;
    double x[SAMPLES], y[SAMPLES], made[UNITS * SAMPLES], work[SYN_SURROGATE_WORK * SAMPLES];
    uint64_t key[UNITS];
    double matrix[UNITS * UNITS], other[UNITS * UNITS], value[4 * UNITS];
    size_t order[UNITS];
    int32_t part[UNITS];
    void *scratch;
    size_t scratch_bytes;
    syn_surrogate surrogate;
    syn_simd simd;
    syn_arithmetic arithmetic;
    const char *failed;
} bench;

static bench b;
static unsigned char *painted;
static size_t deep;

static void demand(syn_status status, const char *what)
{
    if (status) b.failed = what;
}

static syn_arena scratch(void)
{
    return syn_arena_on(b.scratch, b.scratch_bytes);
}

static void call_open(void)
{
    b.desc.simd = b.simd;
    b.desc.arithmetic = b.arithmetic;
    demand(
        syn_open_block(&b.source, 1, NULL, &b.desc, b.block, b.block_bytes, &b.model, &b.ctx, NULL),
        "syn_open_block");
}
static void call_step(void)
{
    demand(syn_context_rewind(&b.ctx, 0, 0, NULL), "syn_context_rewind");
    demand(syn_context_step(&b.ctx, b.ids, b.count < 40 ? b.count : 40, NULL), "syn_context_step");
}
static void call_sample(void)
{
    syn_sampler sampler = {0.8f, 40, 0.9f, 0.05f, 1, NULL, 0};
    (void)syn_sample(&sampler, syn_context_logits(&b.ctx, SYN_LAST_ROW), b.model.vocab);
}
static void call_tokenize(void)
{
    static const char text[] = "Once upon a time, in 1234, there was a caf\xc3\xa9 <s>.";
    syn_arena work = scratch();
    demand(syn_tokenize(&b.model.tokenizer, text, sizeof text - 1, SYN_PARSE_SPECIAL, b.ids, TEXT,
                        &b.count, &work, NULL),
           "syn_tokenize");
}
static void call_detokenize(void)
{
    size_t length;
    demand(
        syn_detokenize(&b.model.tokenizer, b.ids, b.count, 0, b.text, sizeof b.text, &length, NULL),
        "syn_detokenize");
}
static void call_phiid_pair(void)
{
    syn_phiid_desc desc;
    double atom[SYN_ATOMS];
    memset(&desc, 0, sizeof desc);
    desc.redundancy = b.redundancy;
    (void)syn_phiid_pair(b.x, b.y, SAMPLES, &desc, atom);
}
static void call_cov_add(void)
{
    const double sample[2] = {b.x[0], b.y[0]};
    syn_cov_add(&b.cov, sample);
}
static void call_cov_pair(void)
{
    double atom[SYN_ATOMS];
    (void)syn_cov_pair(&b.cov, 0, 1, NULL, atom);
}
static void call_pairs_add(void)
{
    int p;
    syn_pairs_clear(&b.pairs);
    for (p = 0; p < PROMPTS; p++)
        demand(syn_pairs_add(&b.pairs, &b.series[p], NULL), "syn_pairs_add");
}
static void call_surrogate(void)
{
    syn_surrogate_desc desc;
    memset(&desc, 0, sizeof desc);
    desc.kind = b.surrogate;
    desc.key = b.key;
    syn_surrogate_keys(&b.series[0], b.key);
    syn_surrogate_make(&b.series[0], &desc, b.made, b.work);
}
static void call_add_surrogate(void)
{
    syn_pairs_clear(&b.null);
    demand(syn_pairs_add_surrogate(&b.null, &b.over, &b.series[0], NULL),
           "syn_pairs_add_surrogate");
}
static void call_rank_pairs(void)
{
    syn_rank_pairs(&b.rank, &b.pairs);
}
static void call_rank_profile(void)
{
    syn_rank_profile(syn_rank_score(&b.rank, SYN_SCORE_SYNERGY), UNITS, 8, b.value, b.value + UNITS,
                     b.value + 2 * UNITS);
    (void)syn_rank_shape(b.value, 8);
}
static syn_resample_desc resamples(void)
{
    syn_resample_desc desc;
    memset(&desc, 0, sizeof desc);
    desc.layers = 8;
    desc.resamples = 20;
    return desc;
}
static void call_bootstrap(void)
{
    const syn_resample_desc desc = resamples();
    syn_arena arena = scratch();
    syn_bootstrap boot;
    demand(syn_rank_bootstrap(&boot, &b.pairs, SYN_SCORE_SYNERGY, &desc, &arena, NULL),
           "syn_rank_bootstrap");
}
static void call_reliability(void)
{
    const syn_resample_desc desc = resamples();
    syn_arena arena = scratch();
    demand(syn_rank_reliability(&b.pairs, SYN_SCORE_SYNERGY, &desc, b.value, &arena, NULL),
           "syn_rank_reliability");
}
static void call_permutation(void)
{
    const syn_resample_desc desc = resamples();
    syn_arena arena = scratch();
    syn_permutation test;
    demand(syn_rank_permutation(&test, syn_rank_score(&b.rank, SYN_SCORE_SYNERGY), UNITS, &desc,
                                &arena, NULL),
           "syn_rank_permutation");
}
static void call_spearman(void)
{
    (void)syn_rank_spearman(b.rank.synergy, b.rank.redundancy, UNITS, b.value, b.order);
}
static void call_fdr(void)
{
    syn_rank_fdr(b.rank.balance, UNITS, b.value, b.order);
}
static syn_graph_desc graph(void)
{
    syn_graph_desc desc;
    memset(&desc, 0, sizeof desc);
    desc.nodes = UNITS;
    desc.restarts = 3;
    return desc;
}
static void call_graph(void)
{
    const syn_graph_desc desc = graph();
    syn_arena arena = scratch();
    syn_graph g;
    demand(syn_graph_measure(&g, b.matrix, &desc, &arena, NULL), "syn_graph_measure");
}
static void call_communities(void)
{
    const syn_graph_desc desc = graph();
    syn_arena arena = scratch();
    double q;
    demand(syn_graph_communities_signed(b.matrix, &desc, b.part, &q, &arena, NULL),
           "syn_graph_communities_signed");
}
static void call_local_efficiency(void)
{
    syn_arena arena = scratch();
    demand(syn_graph_local_efficiency(b.matrix, UNITS, NULL, b.value, &arena, NULL),
           "syn_graph_local_efficiency");
}
static void call_null(void)
{
    syn_arena arena = scratch();
    demand(syn_graph_null(b.matrix, UNITS, SYN_NULL_REWIRE, 1, b.other, &arena, NULL),
           "syn_graph_null");
}
static void call_threshold(void)
{
    syn_arena arena = scratch();
    size_t kept;
    demand(syn_graph_threshold(b.matrix, UNITS, 0.1, b.other, &kept, &arena, NULL),
           "syn_graph_threshold");
}

/* Paints what lies below this frame, calls, and looks how deep the paint is gone; nothing else is
   called in between. The frame itself and the red zone below it are left alone. */
static void *on_thread(void *call)
{
    volatile unsigned char here = 0;
    volatile unsigned char *at;
    const uintptr_t top = (uintptr_t)&here;
    size_t i, below = (size_t)(top - (uintptr_t)painted) - FRAME;
    void (*run)(void);
    memcpy(&run, call, sizeof run);
    at = painted;
    for (i = 0; i < below; i++) at[i] = PAINT;
    run();
    for (i = 0; i < below && at[i] == PAINT; i++) {}
    deep = (size_t)(top - (uintptr_t)painted) - i;
    return NULL;
}

/* Bytes of stack below the frame that calls; the call has been made before. */
static size_t measured(void (*call)(void))
{
    pthread_attr_t attributes;
    pthread_t thread;
    call();
    if (pthread_attr_init(&attributes) || pthread_attr_setstack(&attributes, painted, STACK) ||
        pthread_create(&thread, &attributes, on_thread, &call) || pthread_join(thread, NULL)) {
        b.failed = "a thread";
        return 0;
    }
    pthread_attr_destroy(&attributes);
    return deep;
}

/* Series with memory and a common part. */
static void make_series(void)
{
    uint32_t state = 1;
    size_t i, t, u, p;
    double common = 0;
    for (p = 0; p < PROMPTS; p++) {
        for (u = 0; u < UNITS; u++) {
            float *row = b.data + (p * UNITS + u) * SAMPLES, value = 0;
            for (t = 0; t < SAMPLES; t++) {
                state = state * 1664525u + 1013904223u;
                value = 0.7f * value + (float)(state >> 8) / 16777216.0f;
                row[t] = value;
            }
        }
        memset(&b.series[p], 0, sizeof b.series[p]);
        b.series[p].data = b.data + p * UNITS * SAMPLES;
        b.series[p].type = SYN_NUMBER_F32;
        b.series[p].units = UNITS;
        b.series[p].samples = SAMPLES;
        b.series[p].time_stride = 1;
        b.series[p].unit_stride = SAMPLES;
    }
    for (t = 0; t < SAMPLES; t++) {
        common += (double)b.data[t];
        b.x[t] = (double)b.data[t];
        b.y[t] = (double)b.data[SAMPLES + t] + 0.001 * common;
    }
    for (i = 0; i < SAMPLES; i++) {
        const double sample[2] = {b.x[i], b.y[i]};
        syn_cov_add(&b.cov, sample);
    }
    b.over = b.series[0];
    b.over.data = b.made;
    b.over.type = SYN_NUMBER_F64;
}

static void *take(size_t bytes)
{
    void *block = calloc(1, bytes);
    if (!block) b.failed = "memory";
    return block;
}

/* Accumulators of all pairs with `redundancy` on an instruction set, in memory of their own. */
static void open_pairs(syn_simd simd, syn_redundancy redundancy)
{
    syn_arena arena = syn_arena_measure();
    syn_pairs_desc desc, null;
    free(b.pairs_block);
    memset(&desc, 0, sizeof desc);
    desc.units = UNITS;
    desc.samples = SAMPLES;
    desc.prompts = PROMPTS;
    desc.cells = true;
    desc.simd = simd;
    desc.careful = 1;
    desc.phiid.redundancy = redundancy;
    null = desc;
    null.cells = false;
    null.lean = true;
    null.like = &b.pairs;
    demand(syn_pairs_open(&b.pairs, &desc, &arena, NULL), "syn_pairs_open");
    demand(syn_pairs_open(&b.null, &null, &arena, NULL), "syn_pairs_open");
    b.pairs_block = take(arena.used);
    arena = syn_arena_on(b.pairs_block, arena.used);
    demand(syn_pairs_open(&b.pairs, &desc, &arena, NULL), "syn_pairs_open");
    demand(syn_pairs_open(&b.null, &null, &arena, NULL), "syn_pairs_open");
    call_pairs_add();
    b.surrogate = SYN_SURROGATE_SHIFT;
    call_surrogate();
}

static int open_all(const char *path)
{
    FILE *file = fopen(path, "rb");
    long size = file && !fseek(file, 0, SEEK_END) ? ftell(file) : 0;
    void *bytes = size > 0 ? malloc((size_t)size) : NULL;
    syn_arena arena = syn_arena_measure();
    size_t rank_bytes;
    if (!bytes || (rewind(file), fread(bytes, 1, (size_t)size, file)) != (size_t)size) return 0;
    fclose(file);
    b.source = syn_source_memory(bytes, (size_t)size);
    b.desc.norms = true;
    b.desc.tokens = 64;
    demand(syn_open_measure(&b.source, 1, NULL, &b.desc, &b.model, &b.ctx, &b.block_bytes, NULL),
           "the model");
    b.block_bytes *= 2; /* another instruction set may want more */
    b.block = take(b.block_bytes);
    b.scratch_bytes = 8 << 20;
    b.scratch = take(b.scratch_bytes);
    painted = (unsigned char *)take(STACK + 4096);
    b.data = (float *)take(PROMPTS * UNITS * SAMPLES * sizeof *b.data);
    demand(syn_rank_open(&b.rank, UNITS, &arena, NULL), "syn_rank_open");
    demand(syn_cov_open(&b.cov, 2, 1, &arena, NULL), "syn_cov_open");
    rank_bytes = arena.used;
    arena = syn_arena_on(take(rank_bytes), rank_bytes);
    if (b.failed) return 0;
    painted += (4096 - (size_t)((uintptr_t)painted % 4096)) % 4096;
    demand(syn_rank_open(&b.rank, UNITS, &arena, NULL), "syn_rank_open");
    demand(syn_cov_open(&b.cov, 2, 1, &arena, NULL), "syn_cov_open");
    make_series();
    call_open();
    call_tokenize();
    call_step();
    open_pairs(SYN_SIMD_AUTO, SYN_MMI);
    syn_pairs_matrices(&b.pairs, b.matrix, b.other);
    call_rank_pairs();
    return !b.failed;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*call)(void);
        int arithmetic, redundancy, surrogate, levels;
    } rows[] = {{"`syn_open_block`", call_open, SYN_FAST, 0, 0, 1},
                {"`syn_context_step`, 40 tokens", call_step, SYN_FAST, 0, 0, 1},
                {"`syn_context_step`, 40 tokens, exact", call_step, SYN_EXACT, 0, 0, 1},
                {"`syn_sample`", call_sample, SYN_FAST, 0, 0, 0},
                {"`syn_tokenize`", call_tokenize, SYN_FAST, 0, 0, 0},
                {"`syn_detokenize`", call_detokenize, SYN_FAST, 0, 0, 0},
                {"`syn_cov_add`", call_cov_add, 0, 0, 0, 0},
                {"`syn_cov_pair`", call_cov_pair, 0, 0, 0, 0},
                {"`syn_phiid_pair`, MMI", call_phiid_pair, 0, SYN_MMI, 0, 0},
                {"`syn_phiid_pair`, CCS", call_phiid_pair, 0, SYN_CCS, 0, 0},
                {"`syn_pairs_add`, MMI", call_pairs_add, 0, SYN_MMI, 0, 2},
                {"`syn_pairs_add`, CCS", call_pairs_add, 0, SYN_CCS, 0, 2},
                {"`syn_surrogate_make`, shift", call_surrogate, 0, 0, SYN_SURROGATE_SHIFT, 0},
                {"`syn_surrogate_make`, phase", call_surrogate, 0, 0, SYN_SURROGATE_PHASE, 0},
                {"`syn_surrogate_make`, shuffle", call_surrogate, 0, 0, SYN_SURROGATE_SHUFFLE, 0},
                {"`syn_surrogate_make`, iaaft", call_surrogate, 0, 0, SYN_SURROGATE_IAAFT, 0},
                {"`syn_pairs_add_surrogate`", call_add_surrogate, 0, SYN_MMI, 0, 2},
                {"`syn_rank_pairs`", call_rank_pairs, 0, 0, 0, 0},
                {"`syn_rank_profile` and `_shape`", call_rank_profile, 0, 0, 0, 0},
                {"`syn_rank_bootstrap`", call_bootstrap, 0, 0, 0, 0},
                {"`syn_rank_reliability`", call_reliability, 0, 0, 0, 0},
                {"`syn_rank_permutation`", call_permutation, 0, 0, 0, 0},
                {"`syn_rank_spearman`", call_spearman, 0, 0, 0, 0},
                {"`syn_rank_fdr`", call_fdr, 0, 0, 0, 0},
                {"`syn_graph_measure`", call_graph, 0, 0, 0, 0},
                {"`syn_graph_communities_signed`", call_communities, 0, 0, 0, 0},
                {"`syn_graph_local_efficiency`", call_local_efficiency, 0, 0, 0, 0},
                {"`syn_graph_null`", call_null, 0, 0, 0, 0},
                {"`syn_graph_threshold`", call_threshold, 0, 0, 0, 0}};
    size_t i;
    if (argc != 2 || !open_all(argv[1])) {
        fprintf(stderr, "bench_stack: %s\n",
                argc != 2  ? "one model, please"
                : b.failed ? b.failed
                           : "the model cannot be read");
        return argc == 2 ? 1 : 2;
    }
    printf("| call | bytes of stack | in plain C |\n|---|---:|---:|\n");
    for (i = 0; i < sizeof rows / sizeof rows[0] && !b.failed; i++) {
        size_t bytes[2] = {0, 0};
        int k;
        for (k = 0; k < (rows[i].levels ? 2 : 1); k++) {
            b.simd = k ? SYN_SIMD_PLAIN : SYN_SIMD_AUTO;
            b.arithmetic = (syn_arithmetic)rows[i].arithmetic;
            b.redundancy = (syn_redundancy)rows[i].redundancy;
            if (rows[i].levels == 1) call_open();
            if (rows[i].levels == 2) open_pairs(b.simd, b.redundancy);
            b.surrogate = (syn_surrogate)rows[i].surrogate;
            bytes[k] = measured(rows[i].call);
        }
        for (k = 0; k < 2; k++)
            if (bytes[k] < FRAME) bytes[k] = FRAME; /* no less can be told */
        printf("| %s | %lu |", rows[i].name, (unsigned long)bytes[0]);
        if (rows[i].levels) printf(" %lu |\n", (unsigned long)bytes[1]);
        else printf(" the same |\n");
        if (rows[i].levels == 1) {
            b.simd = SYN_SIMD_AUTO;
            b.arithmetic = SYN_FAST;
            call_open();
            call_step();
        }
    }
    if (b.failed) fprintf(stderr, "bench_stack: %s failed\n", b.failed);
    return b.failed != NULL;
}
