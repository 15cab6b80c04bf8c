/* Which heads of a model work together on a prompt? Generates 60 tokens, records the norm of every
   head at each, decomposes every pair of heads (PhiID), and prints the ten heads with the most
   synergy. One prompt is little to go by: `synergy analyze` takes sixty and says how far the
   numbers can be trusted.

   cc -std=c99 -O2 -I.. top_heads.c -o top_heads -lm
   ./top_heads model.gguf "Explain why the sky is blue."
   Test: MODEL the_rain -> ^ *1\. +head 0\.[01] +synergy [0-9.]+ */
#define SYNERGY_IMPLEMENTATION
#include "synergy.h"
#include <stdlib.h>

enum { TOKENS = 60, PROMPT = 512, TOP = 10 };

/* A block for exactly what the calls since `arena` began to measure would take. */
static syn_arena block_for(syn_arena measured)
{
    void *block = malloc(measured.used);
    return syn_arena_on(block, measured.used);
}

/* The whole file in memory: simple, where there is room. */
static syn_source load(const char *path)
{
    FILE *file = fopen(path, "rb");
    long size = file && !fseek(file, 0, SEEK_END) ? ftell(file) : 0;
    void *bytes = size > 0 ? malloc((size_t)size) : NULL;
    if (file) rewind(file);
    if (size > 0 && !bytes) fprintf(stderr, "no memory for the file\n");
    if (bytes && fread(bytes, 1, (size_t)size, file) != (size_t)size) size = 0;
    if (file) fclose(file);
    return syn_source_memory(bytes, bytes ? (size_t)size : 0);
}

/* One block for both, of the size that the first call tells. */
static syn_status open_all(syn_model *model, syn_context *ctx, const syn_source *file,
                           syn_error *err)
{
    syn_context_desc desc;
    size_t bytes;
    syn_status status;
    memset(&desc, 0, sizeof desc);
    desc.tokens = PROMPT + TOKENS;
    desc.norms = true;
    status = syn_open_measure(file, 1, NULL, &desc, model, ctx, &bytes, err);
    return status ? status
                  : syn_open_block(file, 1, NULL, &desc, malloc(bytes), bytes, model, ctx, err);
}

/* norms: (token, layer, head). End tokens are banned, so that the series has its full length. */
static syn_status record(syn_context *ctx, const char *prompt, float *norms, syn_error *err)
{
    const syn_model *model = ctx->model;
    const size_t units = (size_t)model->layers * model->heads, length = strlen(prompt);
    int32_t ids[PROMPT];
    size_t n = 0, need = syn_tokenize_bytes(&model->tokenizer, prompt, length, SYN_PARSE_SPECIAL);
    syn_sampler sampler = {0, 0, 0, 0, 0, NULL, 0};
    void *block = malloc(need);
    syn_arena work = syn_arena_on(block, need);
    syn_status status = syn_tokenize(&model->tokenizer, prompt, length, SYN_PARSE_SPECIAL, ids,
                                     PROMPT, &n, &work, err);
    int t;
    free(block);
    sampler.banned = model->tokenizer.end;
    sampler.banned_count = (uint32_t)model->tokenizer.ends;
    if (!status) status = syn_context_step(ctx, ids, n, err);
    for (t = 0; !status && t < TOKENS; t++) {
        ids[0] = syn_sample(&sampler, syn_context_logits(ctx, SYN_LAST_ROW), model->vocab);
        status = syn_context_step(ctx, ids, 1, err);
        if (!status)
            memcpy(norms + (size_t)t * units, syn_context_norms(ctx, SYN_LAST_ROW),
                   units * sizeof *norms);
    }
    return status;
}

/* Every pair of series, then the means of every unit over its pairs. */
static syn_status decompose(syn_rank *rank, const float *norms, size_t units, syn_arena *arena,
                            syn_error *err)
{
    syn_pairs pairs;
    syn_pairs_desc desc;
    syn_series series = {NULL, SYN_NUMBER_F32, 0, TOKENS, 0, 0, 0};
    syn_status status;
    memset(&desc, 0, sizeof desc);
    desc.units = series.units = units;
    desc.samples = TOKENS;
    series.data = norms;
    status = syn_pairs_open(&pairs, &desc, arena, err);
    if (!status) status = syn_rank_open(rank, units, arena, err);
    if (status || !arena->base) return status; /* measured */
    status = syn_pairs_add(&pairs, &series, err);
    if (!status) syn_rank_pairs(rank, &pairs);
    return status;
}

static void print_top(const syn_rank *rank, size_t heads)
{
    int place;
    for (place = 1; place <= TOP; place++) {
        size_t i, best = rank->units;
        for (i = 0; i < rank->units; i++) /* a head whose norm never varies has no synergy: NaN */
            if (rank->synergy[i] == rank->synergy[i] &&
                (best == rank->units || rank->synergy[i] > rank->synergy[best]))
                best = i;
        if (best == rank->units) break;
        printf("%2d. head %lu.%lu  synergy %.4f  redundancy %.4f nats\n", place,
               (unsigned long)(best / heads), (unsigned long)(best % heads), rank->synergy[best],
               rank->redundancy[best]);
        rank->synergy[best] = (double)NAN; /* out of the running */
    }
}

int main(int argc, char **argv)
{
    syn_source file = syn_source_memory(NULL, 0);
    syn_model model;
    syn_context ctx;
    syn_rank rank;
    syn_error err = {SYN_OK, ""};
    syn_arena rest = syn_arena_measure();
    syn_status status;
    if (argc != 3) {
        fprintf(stderr, "usage: top_heads MODEL PROMPT\n");
        return 1;
    }
    file = load(argv[1]);
    status = open_all(&model, &ctx, &file, &err);
    if (!status) {
        const size_t units = (size_t)model.layers * model.heads;
        float *norms = (float *)malloc(TOKENS * units * sizeof *norms);
        if (!norms)
            return fprintf(stderr, "no memory for %lu norms\n", (unsigned long)(TOKENS * units)), 1;
        status = record(&ctx, argv[2], norms, &err);
        if (!status) status = decompose(&rank, norms, units, &rest, &err);
        if (!status) {
            rest = block_for(rest);
            status = decompose(&rank, norms, units, &rest, &err);
        }
        if (!status) print_top(&rank, model.heads);
        free(norms);
    }
    if (status)
        fprintf(stderr, "%s: %s\n", argv[1], err.status ? err.text : syn_status_text(status));
    return status != SYN_OK; /* memory goes back with the program */
}
