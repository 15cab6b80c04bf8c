/* The whole chain in a microcontroller: a trained model in flash, text in, text out with the norm
   of every head at every token, PhiID of every pair of heads, heads ranked. At most 256 KiB of RAM
   for variables, stack and everything, no heap, no stdio. The same file built for a host must print
   the same lines, to the last bit of every norm and every sum of atoms, but those on memory.

   CACHE is SYN_CACHE_F32 or SYN_CACHE_F16: what keys and values are kept in. */
#define SYNERGY_NO_STDIO
#define SYNERGY_SIMD 0
#define SYNERGY_IMPLEMENTATION
#include "../../synergy.h"
#include "board.h"

#ifndef CACHE
#define CACHE SYN_CACHE_F32
#endif

enum { PROMPT = 32, SAMPLES = 48, TOKENS = PROMPT + SAMPLES, UNITS = 48, SHOWN = 5 };

static const char prompt[] = "Fill the gap: The flat lamb (sit or sits). Answer:";

/* What is needed at the same time lies side by side: the series, the view of the model, and then
   the context while text is made, the pairs and the ranks afterwards. */
static float series[SAMPLES][UNITS];
static unsigned char memory[MEMORY] __attribute__((aligned(16)));
static syn_model model;
static syn_error err;

static int fail(void)
{
    board_puts(err.text);
    board_puts("\n");
    return 1;
}

/* FNV-1a of the bits of numbers: two programs that print the same have made the same numbers. */
static uint32_t hash;
static void hash_bytes(const void *bytes, size_t n)
{
    const unsigned char *p = (const unsigned char *)bytes;
    size_t i;
    for (i = 0; i < n; i++) hash = (hash ^ p[i]) * 16777619u;
}

static void put_hash(const char *before)
{
    char digit[10] = "00000000\n";
    int i;
    for (i = 0; i < 8; i++) digit[i] = "0123456789abcdef"[hash >> (28 - 4 * i) & 15];
    board_puts(before);
    board_puts(digit);
    hash = 2166136261u;
}

static void context_wishes(syn_context_desc *desc, uint32_t tokens, syn_cache_type cache)
{
    memset(desc, 0, sizeof *desc);
    desc->tokens = tokens;
    desc->batch = 1;
    desc->arithmetic = SYN_EXACT;
    desc->cache = cache;
    desc->norms = true;
}

static void pairs_wishes(syn_pairs_desc *desc, size_t units, size_t samples)
{
    memset(desc, 0, sizeof *desc);
    desc->units = units;
    desc->samples = samples;
    desc->careful = units * (units - 1) / 2; /* one pair after the other: the least memory */
}

/* Bytes that a context and that the analysis of its heads take, from measuring arenas. */
static long context_bytes(uint32_t tokens, syn_cache_type cache)
{
    syn_arena arena = syn_arena_measure();
    syn_context_desc desc;
    syn_context context;
    context_wishes(&desc, tokens, cache);
    return syn_context_open(&context, &model, &desc, &arena, &err) ? -1 : (long)arena.used;
}

static long analysis_bytes(size_t units, size_t samples)
{
    syn_arena arena = syn_arena_measure();
    syn_pairs_desc desc;
    syn_pairs pairs;
    syn_rank rank;
    pairs_wishes(&desc, units, samples);
    if (syn_pairs_open(&pairs, &desc, &arena, &err)) return -1;
    return syn_rank_open(&rank, units, &arena, &err) ? -1 : (long)arena.used;
}

static void put_table(long model_bytes_taken)
{
    static const uint32_t tokens[] = {32, 64, 128, 256, 512}, units[] = {2, 8, 30, 64, 128};
    size_t i;
    put_number("memory model ", model_bytes_taken);
    board_puts("\n");
    for (i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        put_number("memory context of ", (long)tokens[i]);
        put_number(" tokens, keys and values in floats ", context_bytes(tokens[i], SYN_CACHE_F32));
        put_number(", in halves ", context_bytes(tokens[i], SYN_CACHE_F16));
        board_puts("\n");
    }
    for (i = 0; i < sizeof units / sizeof units[0]; i++) {
        put_number("memory analysis of ", (long)units[i]);
        put_number(" units, ", analysis_bytes(units[i], SAMPLES));
        put_number(", and their series of 48 floats ", (long)(units[i] * SAMPLES * sizeof(float)));
        board_puts("\n");
    }
}

/* The prompt, then SAMPLES greedy tokens, whose text is printed and whose norms go to `series`. */
static int generate(syn_arena *arena)
{
    static syn_context context;
    static syn_sampler greedy;
    syn_context_desc desc;
    syn_detokenizer text;
    int32_t id, ids[PROMPT];
    size_t count, length;
    int t;
    context_wishes(&desc, TOKENS, CACHE);
    if (syn_tokenize(&model.tokenizer, prompt, sizeof prompt - 1, 0, ids, PROMPT, &count, arena,
                     &err) ||
        syn_context_open(&context, &model, &desc, arena, &err) ||
        syn_context_step(&context, ids, count, &err))
        return fail();
    memset(&text, 0, sizeof text);
    board_puts(prompt);
    for (t = 0; t < SAMPLES; t++) {
        char piece[64];
        id = syn_sample(&greedy, syn_context_logits(&context, SYN_LAST_ROW), model.vocab);
        if (syn_context_step(&context, &id, 1, &err) ||
            syn_detokenizer_push(&text, &model.tokenizer, id, 0, piece, sizeof piece - 1, &length,
                                 &err))
            return fail();
        piece[length] = 0;
        board_puts(piece);
        memcpy(series[t], syn_context_norms(&context, SYN_LAST_ROW),
               (size_t)model.layers * model.heads * sizeof(float));
        hash_bytes(syn_context_norms(&context, SYN_LAST_ROW),
                   (size_t)model.layers * model.heads * sizeof(float));
    }
    put_hash("\nnorms ");
    return 0;
}

/* Every pair of heads, then the heads by their score, the most synergistic first. */
static int analyse(syn_arena *arena)
{
    static syn_pairs pairs;
    syn_pairs_desc desc;
    syn_series of;
    syn_rank rank;
    const size_t units = (size_t)model.layers * model.heads;
    size_t i, k;
    pairs_wishes(&desc, units, SAMPLES);
    memset(&of, 0, sizeof of);
    of.data = series;
    of.type = SYN_NUMBER_F32;
    of.units = units;
    of.samples = SAMPLES;
    of.time_stride = UNITS;
    of.unit_stride = 1;
    if (syn_pairs_open(&pairs, &desc, arena, &err) || syn_pairs_add(&pairs, &of, &err) ||
        syn_rank_open(&rank, units, arena, &err))
        return fail();
    syn_rank_pairs(&rank, &pairs);
    hash_bytes(pairs.synergy, pairs.pairs * sizeof(double));
    hash_bytes(pairs.redundancy, pairs.pairs * sizeof(double));
    put_number("pairs ", (long)pairs.pairs);
    put_hash(" atoms ");
    for (i = 0; i < units; i++) { /* the place of each: how many are before it */
        size_t place = 0;
        for (k = 0; k < units; k++)
            place += rank.rank_difference[k] > rank.rank_difference[i] ||
                     (!(rank.rank_difference[k] < rank.rank_difference[i]) && k < i);
        rank.order[place] = i;
    }
    board_puts("most synergistic heads");
    for (i = 0; i < units; i++) {
        if (i == SHOWN) i = units - SHOWN;
        if (i == units - SHOWN) board_puts("\nmost redundant heads");
        put_number(" L", (long)(rank.order[i] / model.heads));
        put_number("H", (long)(rank.order[i] % model.heads));
    }
    board_puts("\n");
    return 0;
}

int main(void)
{
    syn_source flash = syn_source_memory(model_bytes, (size_t)(model_end - model_bytes));
    syn_arena arena = syn_arena_on(memory, sizeof memory);
    size_t kept;
    hash = 2166136261u;
    if (syn_model_open(&model, &flash, 1, NULL, &arena, &err)) return fail();
    if ((size_t)model.layers * model.heads > UNITS) {
        board_puts("more heads than there is room for\n");
        return 1;
    }
    put_table((long)arena.used);
    kept = arena.used;
    if (generate(&arena)) return 1;
    put_number("memory used for text ", (long)arena.used);
    board_puts("\n");
    arena.used = kept; /* the context has done its work */
    if (analyse(&arena)) return 1;
    put_number("memory used for the analysis ", (long)arena.used);
    board_puts("\n");
    return 0;
}
