/* Generates text with a GGUF model: opens it, asks how many bytes the rest takes, takes one block
   of that size, and prints as tokens come. The file is not loaded: a callback reads what is needed
   from it, row by row, so that the block and a small stack are all the memory there is. (Mapping
   the file is faster: syn_source_memory.)

   cc -std=c99 -O2 -I.. generate.c -o generate -lm
   ./generate model.gguf "Once upon a time" 40
   Test: MODEL the_rain 12 -> ^the_rain.*$ */
#define SYNERGY_IMPLEMENTATION
#include "synergy.h"
#include <limits.h>
#include <stdlib.h>

enum { TOKENS = 512 };

/* Files beyond 2 GB need fseeko or _fseeki64 where a long has 32 bits. */
static bool read_at(void *file, uint64_t offset, void *to, size_t n)
{
    if (offset > LONG_MAX || fseek((FILE *)file, (long)offset, SEEK_SET)) return false;
    return fread(to, 1, n, (FILE *)file) == n;
}

/* What tokenizing needs is measured, too; the block goes back at once. */
static syn_status ids_of(const syn_tokenizer *t, const char *prompt, int32_t *ids, size_t *n,
                         syn_error *err)
{
    const size_t need = syn_tokenize_bytes(t, prompt, strlen(prompt), SYN_PARSE_SPECIAL);
    void *block = malloc(need);
    syn_arena work = syn_arena_on(block, need);
    syn_status status =
        syn_tokenize(t, prompt, strlen(prompt), SYN_PARSE_SPECIAL, ids, TOKENS, n, &work, err);
    free(block);
    return status;
}

static syn_status generate(syn_context *ctx, const char *prompt, int tokens, syn_error *err)
{
    const syn_tokenizer *t = &ctx->model->tokenizer;
    syn_sampler sampler = {0, 0, 0, 0, 0, NULL, 0}; /* greedy */
    syn_detokenizer stream = {{0}, 0};              /* holds back half a character */
    int32_t ids[TOKENS];
    size_t n = 0, length;
    char text[1024];
    syn_status status = ids_of(t, prompt, ids, &n, err);
    printf("%s", prompt);
    for (; !status && tokens > 0; tokens--, n = 1) {
        status = syn_context_step(ctx, ids, n, err);
        if (status) break;
        ids[0] = syn_sample(&sampler, syn_context_logits(ctx, SYN_LAST_ROW), ctx->model->vocab);
        if (syn_token_is_end(t, ids[0])) break;
        status = syn_detokenizer_push(&stream, t, ids[0], SYN_HIDE_SPECIAL, text, sizeof text,
                                      &length, err);
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
    syn_context_desc desc;
    syn_error err = {SYN_OK, ""};
    syn_source source;
    syn_status status;
    size_t bytes;
    void *block;
    if (!file || fseek(file, 0, SEEK_END)) {
        fprintf(stderr, "usage: generate MODEL PROMPT TOKENS, MODEL a GGUF file\n");
        return 1;
    }
    source = syn_source_callback(read_at, file, (uint64_t)ftell(file));
    memset(&desc, 0, sizeof desc); /* zero is the default everywhere */
    desc.tokens = TOKENS;
    desc.stream_bytes = 1 << 16; /* as many rows at a time as fit */
    status = syn_open_measure(&source, 1, NULL, &desc, &model, &ctx, &bytes, &err);
    block = status ? NULL : malloc(bytes);
    if (!status) {
        fprintf(stderr, "%lu bytes of memory\n", (unsigned long)bytes);
        status = syn_open_block(&source, 1, NULL, &desc, block, bytes, &model, &ctx, &err);
    }
    if (!status) status = generate(&ctx, argv[2], atoi(argv[3]), &err);
    if (status)
        fprintf(stderr, "%s: %s\n", argv[1], err.status ? err.text : syn_status_text(status));
    free(block);
    fclose(file);
    return status != SYN_OK;
}
