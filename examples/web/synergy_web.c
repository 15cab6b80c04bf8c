/* What the page calls: a model in the browser that generates, the norm of every head at each token,
   and the decomposition of all pairs so far. WebAssembly without imports: no main, no files, no
   output, two blocks of memory. Built into one page by `make -C examples/web`.

   The page puts bytes or text where web_file or web_text say, calls, and reads numbers where
   web_norms and web_table say. What fails returns -1, and web_error has the line.
   Test: none (tests/cli_web.sh opens the page in a browser) */
#define SYNERGY_NO_STDIO
#define SYNERGY_SIMD 0 /* plain C, whose loops the compiler turns into vectors of 128 bits */
#define SYNERGY_IMPLEMENTATION
#include "synergy.h"
#include <stdlib.h>

#ifdef __wasm__
#define WEB_API(name) __attribute__((export_name(#name)))
#else
#define WEB_API(name)
#endif

enum { TOKENS = 256, TEXT = 8192 };

static syn_source file;
static void *file_bytes;
static syn_model model;
static syn_context ctx;
static syn_error err;
static syn_rank rank;
static syn_arena work; /* of tokenizing and of ranking, in turn */
static char text[TEXT];
static int32_t ids[TOKENS];
static size_t units, taken;    /* heads; tokens generated */
static float *norms;           /* (token, unit) */
static double *pairs_of[2];    /* (unit, unit): synergy, redundancy */
static double *layer_means[2]; /* (layer): of the rank difference, of the rank of the difference */
static syn_detokenizer letters;

static int fail(const char *words)
{
    err.status = SYN_ERROR_ARGUMENT;
    strcpy(err.text, words);
    return -1;
}

WEB_API(web_text) char *web_text(void)
{
    return text;
}

WEB_API(web_error) const char *web_error(void)
{
    return err.text;
}

/* Room for a model file; NULL where there is none. */
WEB_API(web_file) void *web_file(size_t bytes)
{
    file_bytes = malloc(bytes);
    return file_bytes;
}

/* All pairs of the series so far, then the scores; on a measuring arena only its size. */
static syn_status decompose(syn_arena *arena, size_t samples)
{
    syn_pairs pairs;
    syn_pairs_desc desc;
    syn_series series = {NULL, SYN_NUMBER_F32, 0, 0, 0, 0, 0};
    syn_status status;
    size_t k;
    memset(&desc, 0, sizeof desc);
    desc.units = series.units = units;
    desc.samples = series.samples = samples;
    series.data = norms;
    status = syn_pairs_open(&pairs, &desc, arena, &err);
    if (!status) status = syn_rank_open(&rank, units, arena, &err);
    if (status || !arena->base) return status;
    status = syn_pairs_add(&pairs, &series, &err);
    if (status) return status;
    syn_rank_pairs(&rank, &pairs);
    syn_pairs_matrices(&pairs, pairs_of[0], pairs_of[1]);
    for (k = 0; k < 2; k++)
        syn_rank_profile(
            syn_rank_score(&rank, k ? SYN_SCORE_DIFFERENCE : SYN_SCORE_RANK_DIFFERENCE), units,
            model.layers, layer_means[k], NULL, NULL);
    return SYN_OK;
}

/* The model that lies in the room of web_file; the number of heads. */
WEB_API(web_open) int web_open(size_t bytes)
{
    syn_context_desc desc;
    syn_arena measured = syn_arena_measure();
    size_t need, k;
    memset(&desc, 0, sizeof desc);
    desc.tokens = TOKENS;
    desc.norms = true;
    desc.arithmetic = SYN_EXACT;
    file = syn_source_memory(file_bytes, bytes);
    if (syn_open_measure(&file, 1, NULL, &desc, &model, &ctx, &need, &err) ||
        syn_open_block(&file, 1, NULL, &desc, malloc(need), need, &model, &ctx, &err))
        return -1;
    units = (size_t)model.layers * model.heads;
    norms = (float *)malloc(TOKENS * units * sizeof *norms);
    for (k = 0; k < 2; k++) {
        pairs_of[k] = (double *)malloc(units * units * sizeof(double));
        layer_means[k] = (double *)malloc(model.layers * sizeof(double));
        if (!pairs_of[k] || !layer_means[k]) return fail("no memory for the pairs");
    }
    if (!norms || decompose(&measured, TOKENS)) return fail("no memory for the pairs");
    need = measured.used;
    if (need < syn_tokenize_bytes(&model.tokenizer, text, TEXT, SYN_PARSE_SPECIAL))
        need = syn_tokenize_bytes(&model.tokenizer, text, TEXT, SYN_PARSE_SPECIAL);
    work = syn_arena_on(malloc(need), need);
    return work.base ? (int)units : fail("no memory for the pairs");
}

WEB_API(web_layers) int web_layers(void)
{
    return (int)model.layers;
}

/* Reads the prompt that stands in web_text; how many tokens may follow it. */
WEB_API(web_begin) int web_begin(size_t length)
{
    syn_arena once = work;
    size_t n = 0;
    taken = 0;
    memset(&letters, 0, sizeof letters);
    if (length > TEXT) return fail("the prompt is too long");
    if (syn_context_rewind(&ctx, 0, 0, &err) ||
        syn_tokenize(&model.tokenizer, text, length, SYN_PARSE_SPECIAL, ids, TOKENS, &n, &once,
                     &err))
        return -1;
    if (!n) return fail("the prompt is empty");
    if (syn_context_step(&ctx, ids, n, &err)) return -1;
    return TOKENS - (int)n;
}

/* One token more: its text goes to web_text, its bytes are returned; its norms are recorded. An end
   of text is not chosen, so that the series goes on. */
WEB_API(web_next) int web_next(void)
{
    syn_sampler greedy = {0, 0, 0, 0, 0, NULL, 0};
    size_t length;
    int32_t id;
    greedy.banned = model.tokenizer.end;
    greedy.banned_count = (uint32_t)model.tokenizer.ends;
    id = syn_sample(&greedy, syn_context_logits(&ctx, SYN_LAST_ROW), model.vocab);
    if (syn_context_step(&ctx, &id, 1, &err)) return -1;
    memcpy(norms + taken * units, syn_context_norms(&ctx, SYN_LAST_ROW), units * sizeof *norms);
    ids[taken++] = id;
    if (syn_detokenizer_push(&letters, &model.tokenizer, id, 0, text, TEXT, &length, &err))
        return -1;
    return (int)length;
}

/* The ids of the generated tokens. */
WEB_API(web_ids) const int32_t *web_ids(void)
{
    return ids;
}

/* (unit): of the last token. */
WEB_API(web_norms) const float *web_norms(void)
{
    return norms + (taken ? taken - 1 : 0) * units;
}

/* Decomposes all pairs of heads over the tokens so far; how many tokens that are. */
WEB_API(web_rank) int web_rank(void)
{
    syn_arena once = work;
    return decompose(&once, taken) ? -1 : (int)taken;
}

/* After web_rank. (unit): 0 synergy, 1 redundancy, 2 rank difference, 3 rank of the difference;
   (layer): 4 and 5, the means of 2 and 3; (unit, unit): 6 synergy, 7 redundancy. */
WEB_API(web_table) const double *web_table(int which)
{
    const double *const table[8] = {rank.synergy,         rank.redundancy, rank.rank_difference,
                                    rank.difference_rank, layer_means[0],  layer_means[1],
                                    pairs_of[0],          pairs_of[1]};
    return which >= 0 && which < 8 ? table[which] : NULL;
}
