/* Stack that public calls use, as a Markdown table: each runs on a thread whose stack was painted,
   and the deepest byte that is no longer paint is its high-water mark; below 256 bytes it cannot be
   told from the frame that calls. Every call runs once before it is measured, so that the linker's
   work at a first call is not in it. Of calls that choose an instruction set: the best one's and
   plain C's. Calls of a kind share a row, which is the deepest of them; the shell script that runs
   this program looks that no public call is missing. bench/build/bench_stack MODEL.gguf   such as
   examples/models/synergy-mini.Q8_0.gguf */
#define _POSIX_C_SOURCE 200809L
#define SYNERGY_THREADS
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
    /* what calls make and throw away: not on the stack that is measured */
    syn_gguf gguf;
    syn_tokenizer tokenizer;
    syn_model another;
    syn_context another_ctx;
    syn_cov another_cov;
    unsigned char saved[4096];
    syn_pairs few;
    syn_rank another_rank;
    syn_excess excess;
    syn_pool pool;
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
static bool read_file(void *user, uint64_t offset, void *to, size_t n)
{
    memcpy(to, (const unsigned char *)user + offset, n);
    return true;
}
/* What only looks something up, or fills a struct. */
static void call_lookups(void)
{
    static volatile size_t sum;
    const syn_model *m = &b.model;
    const syn_tokenizer *t = &m->tokenizer;
    syn_score score;
    uint32_t i;
    for (i = 0; i < 48; i++) {
        const syn_type *type = syn_type_find(i);
        if (type) sum += syn_type_computes(type) + (size_t)syn_type_bytes(type, 256);
    }
    sum += (size_t)syn_version() + syn_arena_on(b.scratch, 64).size + syn_arena_measure().size;
    sum += (size_t)syn_source_memory(b.scratch, 8).size;
    sum += (size_t)syn_source_callback(read_file, b.scratch, 8).size;
    sum += strlen(syn_status_text(SYN_OK)) + strlen(syn_simd_name(SYN_SIMD_AUTO));
    sum += strlen(syn_atom_name(SYN_STS)) + strlen(syn_mi_name(SYN_MI_X_A));
    sum += strlen(syn_redundancy_name(SYN_MMI)) + strlen(syn_estimator_name(SYN_GAUSSIAN));
    sum += strlen(syn_transform_name(SYN_TRANSFORM_NONE)) + strlen(syn_flags_text(0));
    sum += strlen(syn_confound_name(SYN_CONFOUND_MEAN)) + strlen(syn_score_name(SYN_SCORE_SYNERGY));
    sum += syn_score_find("synergy", &score) + strlen(syn_surrogate_name(SYN_SURROGATE_SHIFT));
    sum += syn_tokenizer_outside(t, 0) != NULL;
    sum += syn_tokenizer_pre_name(0) != NULL;
    sum += (size_t)syn_token_find(t, "the", 3) + (size_t)syn_token_type_of(t, 1);
    sum += syn_token_is_end(t, 1) + strlen(syn_chat_name(syn_chat_guess(t)));
    sum += syn_model_part(m, 0, SYN_ATTN_Q) != NULL;
    sum += (size_t)syn_model_is_local(m, 0) + (size_t)syn_model_has_experts(m, 0);
    sum += syn_model_family(0) != NULL;
    sum += syn_model_unused_tensor(m, "blk.0.attn_q.weight") != NULL;
    sum += syn_model_unused_key(m, "general.name") != NULL;
    sum += syn_context_logits(&b.ctx, 0) != NULL;
    sum += syn_context_norms(&b.ctx, 0) != NULL;
    sum += syn_context_sinks(&b.ctx, 0) != NULL;
    sum += syn_context_expert_norms(&b.ctx, 0) != NULL;
    sum += syn_context_stream(&b.ctx, 0) != NULL;
    sum += syn_context_position(&b.ctx, 0);
    sum += (size_t)syn_cov_value(&b.cov, 0, 1) + syn_cov_bytes(&b.cov) + syn_pairs_index(8, 1, 2);
    sum += syn_rank_score(&b.rank, SYN_SCORE_SYNERGY) != NULL;
}
static void call_gguf_open(void)
{
    demand(syn_gguf_open(&b.gguf, &b.source, NULL), "syn_gguf_open");
}
static void call_gguf_keys(void)
{
    syn_gguf_value value;
    syn_gguf_key key;
    syn_gguf_tensor tensor;
    char text[32];
    bool present, flag;
    uint32_t number;
    float real;
    demand(syn_gguf_find(&b.gguf, "general.name", &value, &present, NULL), "syn_gguf_find");
    demand(syn_gguf_u32(&b.gguf, "llama.block_count", false, &number, NULL), "syn_gguf_u32");
    demand(syn_gguf_f32(&b.gguf, "llama.rope.freq_base", false, &real, NULL), "syn_gguf_f32");
    demand(syn_gguf_bool(&b.gguf, "tokenizer.ggml.add_bos_token", false, &flag, NULL),
           "syn_gguf_bool");
    demand(syn_gguf_text(&b.gguf, "general.name", false, text, sizeof text, NULL, NULL),
           "syn_gguf_text");
    demand(syn_gguf_key_at(&b.gguf, b.gguf.keys_at, &key, NULL), "syn_gguf_key_at");
    demand(syn_gguf_tensor_at(&b.gguf, b.gguf.tensors_at, &tensor, NULL), "syn_gguf_tensor_at");
}
static void call_types(void)
{
    uint32_t i;
    for (i = 0; i < 48; i++) {
        const syn_type *type = syn_type_find(i);
        if (type && syn_type_computes(type))
            syn_type_to_float(type, b.scratch, (float *)b.scratch + 4096, 256);
    }
}
static void call_tokenizer_open(void)
{
    syn_arena arena = scratch();
    demand(syn_tokenizer_open(&b.tokenizer, &b.model.gguf, NULL, &arena, NULL),
           "syn_tokenizer_open");
}
static void call_token_text(void)
{
    static syn_detokenizer to_text;
    size_t length;
    (void)syn_tokenize_bytes(&b.model.tokenizer, b.text, 40, 0);
    demand(syn_token_text(&b.model.tokenizer, b.ids[0], 0, b.text, sizeof b.text, &length, NULL),
           "syn_token_text");
    demand(syn_detokenizer_push(&to_text, &b.model.tokenizer, b.ids[0], 0, b.text, sizeof b.text,
                                &length, NULL),
           "syn_detokenizer_push");
    (void)syn_detokenizer_flush(&to_text, b.text);
}
static void call_chat(void)
{
    static const syn_chat_message said = {SYN_CHAT_USER, "Hello", 5};
    size_t length;
    demand(syn_chat_render(SYN_CHAT_LLAMA31, &said, 1, 0, b.text, sizeof b.text, &length, NULL),
           "syn_chat_render");
}
static void call_model_open(void)
{
    syn_arena arena = scratch();
    size_t bytes;
    demand(syn_open_measure(&b.source, 1, NULL, &b.desc, &b.another, &b.another_ctx, &bytes, NULL),
           "syn_open_measure");
    demand(syn_model_open(&b.another, &b.source, 1, NULL, &arena, NULL), "syn_model_open");
    demand(syn_context_open(&b.another_ctx, &b.another, &b.desc, &arena, NULL), "syn_context_open");
}
static void call_step_rows(void)
{
    syn_row row;
    memset(&row, 0, sizeof row);
    row.id = b.ids[0];
    row.stream = (const float *)b.scratch;
    demand(syn_context_rewind(&b.ctx, 0, 0, NULL), "syn_context_rewind");
    demand(syn_context_step_rows(&b.ctx, &row, 1, NULL), "syn_context_step_rows");
    demand(syn_context_step_from(&b.ctx, 1, &row, 1, NULL), "syn_context_step_from");
    demand(syn_context_copy(&b.ctx, 0, 1, NULL), "syn_context_copy");
}
static void call_noise(void)
{
    syn_edit_noise(1, SYN_NOISED_QUERY, 0, 0, 0, 0, 256, (float *)b.scratch + 4096);
    demand(syn_context_edit_head_sd(&b.ctx, 0, (float *)b.scratch + 4096, NULL),
           "syn_context_edit_head_sd");
}
/* Dense models have no expert; what it calls is what the call above calls. */
static void call_expert_sd(void)
{
    float sd[3];
    (void)syn_context_edit_expert_sd(&b.ctx, 0, 0, sd, NULL);
}
static void call_pool(void)
{
    demand(syn_pool_start(&b.pool, 2, NULL), "syn_pool_start");
    (void)syn_pool_parallel(&b.pool);
    syn_pool_stop(&b.pool);
}
static void call_cov_files(void)
{
    size_t channels, tau;
    syn_arena arena = scratch();
    demand(syn_cov_open(&b.another_cov, 2, 1, &arena, NULL), "syn_cov_open");
    demand(syn_cov_merge(&b.another_cov, &b.cov, NULL), "syn_cov_merge");
    demand(syn_cov_save(&b.another_cov, b.saved, sizeof b.saved, NULL), "syn_cov_save");
    demand(syn_cov_shape(b.saved, syn_cov_bytes(&b.another_cov), &channels, &tau, NULL),
           "syn_cov_shape");
    demand(syn_cov_load(&b.another_cov, b.saved, syn_cov_bytes(&b.another_cov), NULL),
           "syn_cov_load");
    syn_cov_break(&b.another_cov);
    syn_cov_clear(&b.another_cov);
}
static void call_phiid_others(void)
{
    static const uint64_t count[16] = {9, 3, 2, 5, 4, 8, 1, 2, 3, 4, 9, 2, 6, 1, 2, 7};
    static double cov[16], mi[SYN_MIS], atom[SYN_ATOMS];
    static syn_phiid_desc desc;
    int i;
    for (i = 0; i < 16; i++) cov[i] = i % 5 == 0 ? 1 : 0.1;
    (void)syn_phiid_covariance(cov, NULL, atom);
    (void)syn_phiid_counts(count, NULL, atom);
    syn_phiid_mmi(mi, atom);
    desc.estimator = SYN_COPULA;
    desc.work = b.made;
    syn_phiid_prepare(b.x, SAMPLES, &desc, b.value, b.made);
    (void)syn_phiid_pair(b.x, b.y, SAMPLES, &desc, atom);
}
static void call_phiid_float(void)
{
    double atom[SYN_ATOMS];
    (void)syn_phiid_pair_float(b.data, b.data + SAMPLES, SAMPLES, NULL, atom);
}
static void call_pairs_open(void)
{
    syn_arena arena = scratch();
    syn_pairs_desc desc;
    memset(&desc, 0, sizeof desc);
    desc.units = 2;
    desc.samples = SAMPLES;
    demand(syn_pairs_open(&b.few, &desc, &arena, NULL), "syn_pairs_open");
    demand(syn_pairs_add_cov(&b.few, &b.cov, NULL), "syn_pairs_add_cov");
    syn_pairs_confound(&b.few, SYN_CONFOUND_MEAN, b.value);
    syn_pairs_matrices(&b.few, b.value, b.value + 4);
    demand(syn_rank_open(&b.another_rank, 2, &arena, NULL), "syn_rank_open");
}
static void call_rank_others(void)
{
    syn_rank_means(&b.rank, b.matrix, b.matrix + UNITS);
    syn_rank_average(b.rank.synergy, UNITS, b.value, b.order);
}
static void call_surrogate_parts(void)
{
    syn_surrogate_shift(b.x, SAMPLES, 7, b.made);
    syn_surrogate_phase(b.x, SAMPLES, b.y, b.made, b.work);
}
static void call_excess(void)
{
    syn_arena arena = scratch();
    demand(syn_excess_open(&b.excess, &b.pairs, true, &arena, NULL), "syn_excess_open");
    demand(syn_excess_add(&b.excess, &b.null, NULL), "syn_excess_add");
    (void)syn_excess_of(&b.excess, SYN_SYNERGY, 0);
    (void)syn_excess_pair_p(&b.excess, SYN_SYNERGY, 0);
    syn_excess_rank(&b.excess, &b.rank);
}
static void call_modularity(void)
{
    syn_arena arena = scratch();
    double q;
    demand(syn_graph_modularity(b.matrix, UNITS, b.part, 1, &q, &arena, NULL),
           "syn_graph_modularity");
    demand(syn_graph_modularity_signed(b.matrix, UNITS, b.part, &q, &arena, NULL),
           "syn_graph_modularity_signed");
    demand(syn_graph_participation(b.matrix, UNITS, b.part, b.value, &arena, NULL),
           "syn_graph_participation");
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
    int p;
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
    for (p = 0; p < PROMPTS; p++)
        demand(syn_pairs_add_surrogate(&b.null, &b.over, &b.series[p], NULL),
               "syn_pairs_add_surrogate");
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
    b.desc.sequences = 2;
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
    } rows[] = {
        {"`syn_open_block`", call_open, SYN_FAST, 0, 0, 1},
        {"`syn_context_step`, 40 tokens", call_step, SYN_FAST, 0, 0, 1},
        {"`syn_context_step`, 40 tokens, exact", call_step, SYN_EXACT, 0, 0, 1},
        {"what only looks up or names", call_lookups, SYN_FAST, 0, 0, 0},
        {"`syn_gguf_open`", call_gguf_open, SYN_FAST, 0, 0, 0},
        {"the other `syn_gguf_`", call_gguf_keys, SYN_FAST, 0, 0, 0},
        {"`syn_type_to_float`, every type", call_types, SYN_FAST, 0, 0, 0},
        {"`syn_tokenizer_open`", call_tokenizer_open, SYN_FAST, 0, 0, 0},
        {"`syn_token_text`, `syn_detokenizer_`", call_token_text, SYN_FAST, 0, 0, 0},
        {"`syn_chat_render`", call_chat, SYN_FAST, 0, 0, 0},
        {"`syn_model_open`, `syn_context_open`, measured and placed", call_model_open, SYN_FAST, 0,
         0, 0},
        {"`syn_context_step_rows`, `_from`, `_copy`", call_step_rows, SYN_FAST, 0, 0, 1},
        {"`syn_edit_noise`, `syn_context_edit_head_sd`", call_noise, SYN_FAST, 0, 0, 0},
        {"`syn_context_edit_expert_sd`, refused", call_expert_sd, SYN_FAST, 0, 0, 0},
        {"`syn_pool_start`, `_stop`", call_pool, SYN_FAST, 0, 0, 0},
        {"`syn_sample`", call_sample, SYN_FAST, 0, 0, 0},
        {"`syn_tokenize`", call_tokenize, SYN_FAST, 0, 0, 0},
        {"`syn_detokenize`", call_detokenize, SYN_FAST, 0, 0, 0},
        {"`syn_cov_add`", call_cov_add, 0, 0, 0, 0},
        {"`syn_cov_pair`", call_cov_pair, 0, 0, 0, 0},
        {"`syn_cov_open`, `_merge`, `_save`, `_load`", call_cov_files, 0, 0, 0, 0},
        {"`syn_phiid_covariance`, `_counts`, `_prepare`, a pair of normal scores",
         call_phiid_others, 0, 0, 0, 0},
        {"`syn_phiid_pair_float`", call_phiid_float, 0, 0, 0, 0},
        {"`syn_phiid_pair`, MMI", call_phiid_pair, 0, SYN_MMI, 0, 0},
        {"`syn_phiid_pair`, CCS", call_phiid_pair, 0, SYN_CCS, 0, 0},
        {"`syn_pairs_open`, `_add_cov`, `_matrices`, `_confound`", call_pairs_open, 0, 0, 0, 0},
        {"`syn_pairs_add`, MMI", call_pairs_add, 0, SYN_MMI, 0, 2},
        {"`syn_pairs_add`, CCS", call_pairs_add, 0, SYN_CCS, 0, 2},
        {"`syn_surrogate_make`, shift", call_surrogate, 0, 0, SYN_SURROGATE_SHIFT, 0},
        {"`syn_surrogate_make`, phase", call_surrogate, 0, 0, SYN_SURROGATE_PHASE, 0},
        {"`syn_surrogate_make`, shuffle", call_surrogate, 0, 0, SYN_SURROGATE_SHUFFLE, 0},
        {"`syn_surrogate_make`, iaaft", call_surrogate, 0, 0, SYN_SURROGATE_IAAFT, 0},
        {"`syn_surrogate_shift`, `_phase`", call_surrogate_parts, 0, 0, 0, 0},
        {"`syn_excess_open`, `_add`, `_of`, `_pair_p`, `_rank`", call_excess, 0, 0, 0, 0},
        {"`syn_pairs_add_surrogate`", call_add_surrogate, 0, SYN_MMI, 0, 2},
        {"`syn_rank_means`, `_average`", call_rank_others, 0, 0, 0, 0},
        {"`syn_rank_pairs`", call_rank_pairs, 0, 0, 0, 0},
        {"`syn_rank_profile` and `_shape`", call_rank_profile, 0, 0, 0, 0},
        {"`syn_rank_bootstrap`", call_bootstrap, 0, 0, 0, 0},
        {"`syn_rank_reliability`", call_reliability, 0, 0, 0, 0},
        {"`syn_rank_permutation`", call_permutation, 0, 0, 0, 0},
        {"`syn_rank_spearman`", call_spearman, 0, 0, 0, 0},
        {"`syn_rank_fdr`", call_fdr, 0, 0, 0, 0},
        {"`syn_graph_measure`", call_graph, 0, 0, 0, 0},
        {"`syn_graph_modularity`, `_signed`, `_participation`", call_modularity, 0, 0, 0, 0},
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
