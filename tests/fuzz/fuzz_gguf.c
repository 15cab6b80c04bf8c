/* Any bytes as a model file: open it and, when it opens, run three tokens.
   clang -g -O1 -fsanitize=fuzzer,address,undefined fuzz_gguf.c -o fuzz_gguf -lm && ./fuzz_gguf
   -max_total_time=60 CORPUS */
#include "../../synergy.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(const syn_model *model)
{
    static const int32_t ids[] = {1, 2, 3};
    syn_context_desc desc;
    syn_context context;
    syn_arena arena = syn_arena_measure();
    syn_error err;
    void *memory;
    memset(&desc, 0, sizeof desc);
    desc.tokens = 4;
    desc.batch = 2;
    if (syn_context_open(&context, model, &desc, &arena, &err) != SYN_OK) return;
    if (arena.used > (1u << 26)) return;
    memory = malloc(arena.used);
    if (!memory) return;
    arena = syn_arena_on(memory, arena.used);
    if (syn_context_open(&context, model, &desc, &arena, &err) == SYN_OK)
        syn_context_step(&context, ids, 3, &err);
    free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    syn_source source = syn_source_memory(data, size);
    syn_model model;
    syn_arena arena = syn_arena_measure();
    syn_error err;
    void *memory;
    if (syn_model_open(&model, &source, 1, NULL, &arena, &err) != SYN_OK) return 0;
    if (arena.used > 64 * size + 65536) abort(); /* memory out of proportion to the file */
    memory = malloc(arena.used ? arena.used : 1);
    if (!memory) return 0;
    arena = syn_arena_on(memory, arena.used);
    {
        syn_status status = syn_model_open(&model, &source, 1, NULL, &arena, &err);
        if (status == SYN_ERROR_MEMORY) abort(); /* more than was measured */
        if (status == SYN_OK) run(&model);
    }
    free(memory);
    return 0;
}
