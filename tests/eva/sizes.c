/* What Frama-C's Eva runs: the functions that compute sizes, offsets and places, on every input.
   A number is any that its type has; a file is a callback that gives any bytes, of any size; an
   arena is a block of any size, or a measuring one. Eva shows that no path overflows (unsigned
   arithmetic included, where it is a size's) and none reads or writes out of bounds; the alarms
   that it cannot settle stand in alarms.txt, each with its reason. Run by ./run. */
#define SYNERGY_SIMD 0
#define SYNERGY_IMPLEMENTATION
#include "synergy.h"

#include "__fc_builtin.h"

volatile int any_int;

static uint32_t any_u32(void)
{
    return (uint32_t)Frama_C_unsigned_int_interval(0, UINT32_MAX);
}

static uint64_t any_u64(void)
{
    return (uint64_t)any_u32() << 32 | any_u32();
}

static size_t any_size(void)
{
    return (size_t)any_u64();
}

static bool any_bool(void)
{
    return any_int != 0;
}

/* A file of which nothing is known: reading gives any bytes, or fails. */
static bool any_read(void *user, uint64_t offset, void *to, size_t n)
{
    (void)user;
    (void)offset;
    if (any_bool()) return false;
    Frama_C_make_unknown((char *)to, n);
    return true;
}

static syn_source any_file(void)
{
    return syn_source_callback(any_read, NULL, any_u64());
}

enum { BLOCK = 4096 };
static unsigned char block[BLOCK];

/* A measuring arena, or one on a part of the block, some of it used. */
static syn_arena any_arena(void)
{
    const size_t size = any_size();
    syn_arena arena =
        any_bool() ? syn_arena_measure() : syn_arena_on(block, size <= BLOCK ? size : BLOCK);
    return arena;
}

static void eva_arena(void)
{
    syn_arena arena = any_arena();
    void *piece;
    arena.used = any_size();
    if (arena.used > arena.size) return;
    synp_take(&arena, any_u64(), 1, "a", &piece, NULL);
    synp_take(&arena, any_u64(), 24, "b", &piece, NULL);
    synp_count(any_u64(), any_u64());
    synp_size(any_u64());
}

static void eva_types(void)
{
    const syn_type *type = syn_type_find(any_u32());
    if (type) syn_type_bytes(type, any_u64());
}

static void eva_gguf(void)
{
    const syn_source file = any_file();
    syn_gguf gguf;
    syn_gguf_open(&gguf, &file, NULL);
}

/* A model whose numbers a file may have set to anything. */
static syn_model model;

static void any_model(void)
{
    uint32_t *const number[] = {&model.layers,      &model.embd,         &model.heads,
                                &model.kv_heads,    &model.key_size,     &model.value_size,
                                &model.ff,          &model.context,      &model.vocab,
                                &model.rope_size,   &model.experts,      &model.experts_used,
                                &model.expert_ff,   &model.shared_ff,    &model.q_lora,
                                &model.kv_lora,     &model.dense_layers, &model.window,
                                &model.cache_heads, &model.cache_key,    &model.cache_value};
    size_t i;
    model.family = &synp_families[Frama_C_interval(
        0, (int)(sizeof synp_families / sizeof synp_families[0]) - 1)];
    for (i = 0; i < sizeof number / sizeof number[0]; i++) *number[i] = any_u32();
    if (model.layers > SYN_MODEL_LAYERS) model.layers = SYN_MODEL_LAYERS;
    Frama_C_make_unknown((char *)model.layer_heads, sizeof model.layer_heads);
    Frama_C_make_unknown((char *)model.layer_kv_heads, sizeof model.layer_kv_heads);
    model.parts_found = any_u64();
    model.globals_found = any_u64();
    model.max_row_bytes = any_u64();
    model.streamed = any_bool();
}

/* Shapes that the numbers ask for, held against those that a file has. */
static void eva_model(void)
{
    const syn_source file = any_file();
    syn_gguf gguf;
    syn_gguf_tensor found;
    syn_tensor place;
    const synp_shape *shape = &synp_parts[Frama_C_interval(0, SYN_PARTS - 1)];
    any_model();
    memset(&gguf, 0, sizeof gguf);
    memset(&place, 0, sizeof place);
    gguf.source = &file;
    if (syn_gguf_tensor_at(&gguf, any_u64(), &found, NULL)) return;
    synp_tensor_place(&model, any_bool() ? &place : NULL,
                      (uint32_t)Frama_C_interval(0, SYN_MODEL_LAYERS - 1), shape, &gguf, &found,
                      shape->name, NULL);
}

static void nothing(void *user, int jobs, syn_job_fn *job, void *arg)
{
    (void)user;
    (void)jobs;
    (void)job;
    (void)arg;
}

static syn_parallel any_parallel(void)
{
    syn_parallel parallel;
    memset(&parallel, 0, sizeof parallel);
    parallel.threads = any_int;
    parallel.run = any_bool() ? nothing : NULL;
    return parallel;
}

static void eva_context(void)
{
    syn_arena arena = syn_arena_measure();
    syn_context_desc desc;
    syn_context ctx;
    any_model();
    memset(&desc, 0, sizeof desc);
    desc.tokens = any_u32();
    desc.sequences = any_u32();
    desc.batch = any_u32();
    desc.arithmetic = any_bool() ? SYN_EXACT : SYN_FAST;
    desc.cache = any_bool() ? SYN_CACHE_F16 : SYN_CACHE_F32;
    desc.norms = any_bool();
    desc.sinks = any_bool();
    desc.expert_norms = any_bool() ? SYN_EXPERTS_RAW : SYN_EXPERTS_NONE;
    desc.all_logits = any_bool();
    desc.stream_bytes = any_size();
    desc.parallel = any_parallel();
    syn_context_open(&ctx, &model, &desc, &arena, NULL);
}

static void eva_information(void)
{
    syn_arena arena = syn_arena_measure();
    syn_cov cov;
    syn_rank rank;
    static syn_pairs pairs;
    syn_pairs_desc desc;
    syn_cov_open(&cov, any_size(), any_size(), &arena, NULL);
    syn_rank_open(&rank, any_size(), &arena, NULL);
    memset(&desc, 0, sizeof desc);
    desc.units = any_size();
    desc.samples = any_size();
    desc.prompts = any_size();
    desc.careful = any_size();
    desc.phiid.tau = any_int;
    desc.phiid.estimator = (syn_estimator)Frama_C_interval(0, SYN_ESTIMATORS - 1);
    desc.phiid.transform = (syn_transform)Frama_C_interval(0, SYN_TRANSFORMS - 1);
    desc.phiid.redundancy = any_bool() ? SYN_CCS : SYN_MMI;
    desc.lean = any_bool();
    desc.atoms = any_bool();
    desc.cells = any_bool();
    syn_pairs_open(&pairs, &desc, &arena, NULL);
}

static void eva_resample(void)
{
    syn_arena arena = syn_arena_measure();
    synp_resample r;
    memset(&r, 0, sizeof r);
    r.units = any_size();
    r.layers = any_size();
    r.prompts = any_size();
    r.resamples = any_size();
    r.width = any_size();
    r.jobs = Frama_C_interval(1, INT32_MAX);
    synp_resample_take(&r, &arena, NULL);
}

static void eva_graph(void)
{
    syn_arena arena = syn_arena_measure();
    syn_parallel parallel = any_parallel();
    synp_communities parts;
    syn_graph_desc desc;
    size_t kept, nodes = any_size();
    double q;
    memset(&desc, 0, sizeof desc);
    desc.nodes = nodes;
    desc.parallel = parallel;
    synp_communities_open(&parts, &desc, &arena, NULL);
    syn_graph_threshold(NULL, nodes, 0.5, NULL, &kept, &arena, NULL);
    syn_graph_modularity(NULL, nodes, NULL, 1, &q, &arena, NULL);
    syn_graph_local_efficiency(NULL, nodes, &parallel, NULL, &arena, NULL);
    syn_graph_null(NULL, nodes, SYN_NULL_SHUFFLE, 0, NULL, &arena, NULL);
}

int main(void)
{
    switch (any_int) {
    case 0: eva_arena(); break;
    case 1: eva_types(); break;
    case 2: eva_gguf(); break;
    case 3: eva_model(); break;
    case 4: eva_context(); break;
    case 5: eva_information(); break;
    case 6: eva_resample(); break;
    default: eva_graph(); break;
    }
    return 0;
}
