/* Generates text with a GGUF model: opens it, asks how many bytes the rest takes, takes one block of that size,
   and prints as tokens come. The file is not loaded: a callback reads what is needed from it, row by row, so that
   the block and a small stack are all the memory there is. (Mapping the file is faster: syn_source_memory.)

   cc -std=c99 -O2 -I.. generate.c -o generate -lm
   ./generate model.gguf "Once upon a time" 40
   Test: MODEL the_rain 12 -> ^the_rain.*$ */
#define SYNERGY_IMPLEMENTATION
#include "synergy.h"
#include <limits.h>
#include <stdlib.h>

/* Files beyond 2 GB need fseeko or _fseeki64 where a long has 32 bits. */
static bool read_at(void *file, uint64_t offset, void *to, size_t n)
{
    if (offset > LONG_MAX || fseek((FILE *)file, (long)offset, SEEK_SET)) return false;
    return fread(to, 1, n, (FILE *)file) == n;
}

/* The model, and behind it the context: the same calls measure and, with memory, do it. */
static syn_status open_all(syn_model *model, syn_context *ctx, const syn_source *file, syn_arena *arena, syn_error *err)
{
    syn_context_desc desc;
    syn_status status = syn_model_open(model, file, 1, NULL, arena, err);
    memset(&desc, 0, sizeof desc);
    desc.tokens = 512;
    desc.stream_bytes = 1 << 16; /* as many rows at a time as fit */
    return status ? status : syn_context_open(ctx, model, &desc, arena, err);
}

static syn_status generate(syn_context *ctx, const char *prompt, int tokens, syn_arena *work, syn_error *err)
{
    const syn_tokenizer *t = &ctx->model->tokenizer;
    syn_sampler sampler = { 0, 0, 0, 0, 0, NULL, 0 }; /* greedy */
    syn_detokenizer stream = { { 0 }, 0 };            /* holds back half a character */
    int32_t ids[512];
    size_t n = 0, length;
    char text[1024];
    syn_status status = syn_tokenize(t, prompt, strlen(prompt), SYN_PARSE_SPECIAL, ids, 512, &n, work, err);
    printf("%s", prompt);
    for (; !status && tokens > 0; tokens--, n = 1) {
        status = syn_step(ctx, ids, n, err);
        if (status) break;
        ids[0] = syn_sample(&sampler, ctx->logits, ctx->model->vocab);
        if (syn_token_is_end(t, ids[0])) break;
        status = syn_detokenizer_push(&stream, t, ids[0], SYN_HIDE_SPECIAL, text, sizeof text, &length, err);
        if (!status) fwrite(text, 1, length, stdout);
        fflush(stdout);
    }
    printf("\n");
    return status;
}

int main(int argc, char **argv)
{
    FILE *file = argc == 4 ? fopen(argv[1], "rb") : NULL;
    syn_model model;
    syn_context ctx;
    syn_error err = { SYN_OK, "" };
    syn_arena arena = syn_arena_measure();
    syn_source source;
    syn_status status;
    size_t work;
    void *block;
    if (!file || fseek(file, 0, SEEK_END)) {
        fprintf(stderr, "usage: generate MODEL PROMPT TOKENS, MODEL a GGUF file\n");
        return 1;
    }
    source = syn_source_callback(read_at, file, (uint64_t)ftell(file));
    status = open_all(&model, &ctx, &source, &arena, &err);
    work = 64 * strlen(argv[2]) + 1024; /* more than tokenizing needs: see syn_tokenize_bytes */
    block = status ? NULL : malloc(arena.used + work);
    if (block) {
        fprintf(stderr, "%lu bytes of memory\n", (unsigned long)(arena.used + work));
        arena = syn_arena_on(block, arena.used + work);
        status = open_all(&model, &ctx, &source, &arena, &err);
        if (!status) status = generate(&ctx, argv[2], atoi(argv[3]), &arena, &err);
    }
    if (!block && !status) status = SYN_ERROR_MEMORY;
    if (status) fprintf(stderr, "%s: %s\n", argv[1], err.status ? err.text : syn_status_text(status));
    free(block);
    fclose(file);
    return status != SYN_OK;
}
