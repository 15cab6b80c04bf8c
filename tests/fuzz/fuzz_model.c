/* Any bytes as a model, opened and run in every way that there is: the last byte of the input
   chooses between mapped bytes and a callback (which may fail), one file and two, with and without
   a tokenizer, exact and fast arithmetic, norms of heads and experts. Nothing may be read or
   written out of bounds, memory stays in proportion to the file, and what was measured is enough.

   clang -g -O1 -fsanitize=fuzzer,address,undefined -I. fuzz/fuzz_model.c -o fuzz_model -lm
   SYN_WRITE_GGUF=corpus build/test_bad_gguf files_from_memory; ./fuzz_model -max_total_time=60
   -max_len=65536 corpus */
#include "../../synergy.h"
#include <stdlib.h>
#include <string.h>

typedef struct file_bytes {
    const uint8_t *p;
    size_t n;
    unsigned calls, fail_at; /* 0: never */
} file_bytes;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool read_bytes(void *user, uint64_t offset, void *to, size_t n)
{
    file_bytes *f = (file_bytes *)user;
    if (!n || offset > f->n || n > f->n - offset) abort(); /* promised by the header */
    if (++f->calls == f->fail_at) return false;
    memcpy(to, f->p + offset, n);
    return true;
}

static void check_error(syn_status status, const syn_error *err)
{
    size_t i;
    if (!status) return;
    for (i = 0; err->text[i]; i++)
        if (err->text[i] < 32 || err->text[i] > 126 || i >= SYN_ERROR_TEXT_BYTES) abort();
    if (!i) abort(); /* a failure says why */
}

static void run(const syn_model *model, unsigned options)
{
    static const int32_t ids[] = {1, 2, 3, 0};
    syn_context_desc desc;
    syn_context ctx;
    syn_arena arena = syn_arena_measure();
    syn_error err;
    syn_sampler sampler;
    syn_status status;
    void *memory;
    memset(&desc, 0, sizeof desc);
    memset(&sampler, 0, sizeof sampler);
    sampler.temperature = options & 1 ? 1.0f : 0.0f;
    desc.tokens = 6;
    desc.batch = options & 2 ? 1 : 3;
    desc.arithmetic = options & 32 ? SYN_EXACT : SYN_FAST;
    desc.norms = true;
    if (model->experts) desc.expert_norms = options & 64 ? SYN_EXPERTS_ALL : SYN_EXPERTS_WEIGHTED;
    desc.all_logits = (options & 64) != 0;
    status = syn_context_open(&ctx, model, &desc, &arena, &err);
    check_error(status, &err);
    if (status || arena.used > (1u << 26)) return;
    memory = malloc(arena.used);
    if (!memory) return;
    arena = syn_arena_on(memory, arena.used);
    status = syn_context_open(&ctx, model, &desc, &arena, &err);
    if (status == SYN_ERROR_MEMORY) abort(); /* more than was measured */
    if (!status) status = syn_context_step(&ctx, ids, 4, &err);
    if (!status) {
        const int32_t id =
            syn_sample(&sampler, syn_context_logits(&ctx, SYN_LAST_ROW), model->vocab);
        if (id < 0 || (uint32_t)id >= model->vocab) abort();
        status = syn_context_step(&ctx, &id, 1, &err);
    }
    check_error(status, &err);
    free(memory);
}

static void open_and_run(const syn_source *sources, size_t files, size_t size, unsigned options)
{
    syn_model_desc desc;
    syn_model model;
    syn_arena arena = syn_arena_measure();
    syn_error err;
    syn_status status;
    void *memory;
    memset(&desc, 0, sizeof desc);
    desc.no_tokenizer = (options & 8) != 0;
    status = syn_model_open(&model, sources, files, &desc, &arena, &err);
    check_error(status, &err);
    if (status) return;
    /* a layer's row of tensor views is all that a few bytes can claim: 1024 layers at most */
    if (arena.used > 64 * size + (4u << 20)) abort();
    memory = malloc(arena.used ? arena.used : 1);
    if (!memory) return;
    arena = syn_arena_on(memory, arena.used);
    status = syn_model_open(&model, sources, files, &desc, &arena, &err);
    check_error(status, &err);
    if (status == SYN_ERROR_MEMORY) abort(); /* more than was measured */
    if (!status) run(&model, options);
    free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    file_bytes file[2];
    syn_source source[2];
    uint8_t *copy[2];
    unsigned options;
    size_t first;
    int i, files;
    if (size < 3) return 0;
    options = data[--size];
    files = options & 16 ? 2 : 1;
    if (files == 2) size--;
    first = files == 2 ? (size_t)data[size] * size / 256 : size; /* where the second begins */
    for (i = 0; i < files; i++) { /* blocks of their own, so that the checker sees their ends */
        file[i].n = i ? size - first : first;
        copy[i] = (uint8_t *)malloc(file[i].n ? file[i].n : 1);
        if (!copy[i]) return 0;
        memcpy(copy[i], data + (i ? first : 0), file[i].n);
        file[i].p = copy[i];
        file[i].calls = 0;
        file[i].fail_at = options & 128 ? 40 + 13 * (options & 7) : 0;
        source[i] = options & (i ? 1u : 4u) ? syn_source_callback(read_bytes, &file[i], file[i].n)
                                            : syn_source_memory(copy[i], file[i].n);
    }
    open_and_run(source, (size_t)files, size, options);
    for (i = 0; i < files; i++) free(copy[i]);
    return 0;
}
