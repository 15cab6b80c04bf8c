/* bench_model.c - tokens a second of one model: a prompt in one pass after the other, then
   generation.

   cc -O2 -pthread bench_model.c -o bench_model -lm
   ./bench_model MODEL [THREADS [PROMPT [TOKENS [RUNS [DEPTH [f16]]]]]]      1 512 64 3 0

   Prints, a run a line: tokens a second of the prompt, tokens a second of generation behind it,
   with the norms of every head recorded. Ids are arbitrary: speed does not depend on them. With
   DEPTH as many positions stand before the prompt, keys and values of zeros; f16: kept as halves.
 */
#define _POSIX_C_SOURCE 200809L
#define SYNERGY_THREADS
#define SYNERGY_IMPLEMENTATION
#include "../synergy.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Tokens a second of n ids from *id on, `at_once` a step. */
static double speed(syn_context *ctx, int32_t *id, size_t n, size_t at_once, syn_error *err)
{
    double start = seconds();
    int32_t ids[512];
    size_t done = 0, step, i;
    while (done < n) {
        step = n - done < at_once ? n - done : at_once;
        for (i = 0; i < step; i++) ids[i] = 100 + (*id)++ * 7 % 1000;
        if (syn_context_step(ctx, ids, step, err)) return 0;
        done += step;
    }
    return (double)n / (seconds() - start);
}

static syn_status open_all(syn_model *model, syn_context *ctx, const syn_source *source,
                           const syn_context_desc *desc, syn_arena *arena, syn_error *err)
{
    syn_status status = syn_model_open(model, source, 1, NULL, arena, err);
    return status ? status : syn_context_open(ctx, model, desc, arena, err);
}

int main(int argc, char **argv)
{
    static syn_pool pool;
    syn_model model;
    syn_context ctx;
    syn_context_desc desc;
    syn_arena arena = syn_arena_measure();
    syn_error err = {SYN_OK, ""};
    syn_source source;
    struct stat info;
    int file = argc > 1 ? open(argv[1], O_RDONLY) : -1, threads = argc > 2 ? atoi(argv[2]) : 1;
    size_t prompt = argc > 3 ? (size_t)atoi(argv[3]) : 512,
           tokens = argc > 4 ? (size_t)atoi(argv[4]) : 64;
    int runs = argc > 5 ? atoi(argv[5]) : 3, run;
    uint32_t depth = argc > 6 ? (uint32_t)atoi(argv[6]) : 0;
    void *map, *block;

    if (file < 0 || fstat(file, &info)) {
        fprintf(stderr,
                "usage: bench_model MODEL [THREADS [PROMPT [TOKENS [RUNS [DEPTH [f16]]]]]]\n");
        return 2;
    }
    map = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, file, 0);
    if (map == MAP_FAILED) return 1;
    source = syn_source_memory(map, (uint64_t)info.st_size);
    memset(&desc, 0, sizeof desc);
    desc.tokens = (uint32_t)(prompt + tokens) + depth;
    desc.cache = argc > 7 ? SYN_CACHE_F16 : SYN_CACHE_F32;
    desc.batch = 128;
    desc.norms = true;
    if (syn_pool_start(&pool, threads, &err)) goto failed;
    desc.parallel = syn_pool_parallel(&pool);
    if (open_all(&model, &ctx, &source, &desc, &arena, &err)) goto failed;
    block = malloc(arena.used);
    if (!block) return 1;
    memset(block, 0, arena.used); /* pages of its own, and finite keys and values */
    arena = syn_arena_on(block, arena.used);
    if (open_all(&model, &ctx, &source, &desc, &arena, &err)) goto failed;
    for (run = 0; run < runs; run++) {
        int32_t id = 0;
        double first;
        ctx.work->at[0] = depth;
        first = speed(&ctx, &id, prompt, desc.batch, &err);
        printf("%9.2f %9.2f\n", first, speed(&ctx, &id, tokens, 1, &err));
        fflush(stdout);
        if (err.status || syn_context_rewind(&ctx, 0, 0, &err)) goto failed;
    }
    syn_pool_stop(&pool);
    return 0;
failed:
    fprintf(stderr, "%s: %s\n", argv[1], err.text);
    return 1;
}
