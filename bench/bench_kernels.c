/* bench_kernels.c - speed of the matrix products, a type and a level at a time.

   cc -O2 -pthread bench_kernels.c -o bench_kernels -lm && ./bench_kernels [threads] [TYPE]

   One position: GB/s of weights read, from memory (64 MB of matrices of 1536 x 768, one after
   the other, more than the caches hold) and from the cache (one matrix). 128 positions: billions
   of multiply-adds a second. The first line is what the memory gives to a plain sum over the
   same bytes: no product can be faster, and tokens a second = GB/s over the bytes of the model.
 */
#define _POSIX_C_SOURCE 200809L
#define SYNERGY_STATIC
#define SYNERGY_THREADS
#define SYNERGY_IMPLEMENTATION
#include "../synergy.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROWS = 1536, COLS = 768, POSITIONS = 128, JOBS_MAX = 64 };

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct work {
    const synp_kernels *kernels;
    const syn_type *type;
    const unsigned char *weights; /* (matrices, ROWS, COLS) */
    size_t matrices, matrix_bytes;
    const synp_acts *acts;
    float *y;
    unsigned char *scratch;
    int jobs;
    uint64_t sum[JOBS_MAX * 8]; /* a cache line each */
} work;

/* One job: its share of the rows of every matrix. */
static void multiply_job(void *arg, int index)
{
    const work *w = (const work *)arg;
    size_t from = (size_t)ROWS / 8 * (size_t)index / (size_t)w->jobs * 8;
    size_t to = (size_t)ROWS / 8 * (size_t)(index + 1) / (size_t)w->jobs * 8, m;
    size_t row_bytes = w->matrix_bytes / ROWS, room = synp_gemm_scratch_bytes(w->kernels, COLS, POSITIONS);
    for (m = 0; m < w->matrices; m++) {
        synp_gemm_rows(w->kernels, w->type, w->weights + m * w->matrix_bytes + from * row_bytes,
                       to - from, COLS, w->acts, w->y + from, ROWS,
                       w->scratch + (size_t)index * room);
    }
}

static void sum_job(void *arg, int index)
{
    work *w = (work *)arg;
    size_t words = w->matrices * w->matrix_bytes / 64 * 8, i;
    const uint64_t *at = (const uint64_t *)(const void *)w->weights;
    size_t from = words / 8 * (size_t)index / (size_t)w->jobs * 8;
    size_t to = words / 8 * (size_t)(index + 1) / (size_t)w->jobs * 8;
    uint64_t s[8] = { 0 };
    for (; from < to; from += 8) {
        for (i = 0; i < 8; i++) s[i] += at[from + i];
    }
    w->sum[8 * index] = s[0] + s[1] + s[2] + s[3] + s[4] + s[5] + s[6] + s[7];
}

/* Seconds of the fastest of the runs that fit into a fifth of a second (at least three). */
static double fastest(const syn_parallel *parallel, syn_job_fn *job, work *w)
{
    double best = 1e9, start = seconds();
    int runs = 0;
    while (runs < 3 || seconds() - start < 0.2) {
        double t = seconds();
        parallel->run(parallel->user, w->jobs, job, w);
        t = seconds() - t;
        if (t < best) best = t;
        runs++;
    }
    return best;
}

static double gigabytes(const work *w, double time)
{
    return (double)(w->matrices * w->matrix_bytes) / time / 1e9;
}

static void bench_type(work *w, const syn_parallel *parallel, const syn_type *type,
                       synp_acts *acts, const float *x)
{
    size_t many;
    double memory, cache, batch;
    w->type = type;
    w->matrix_bytes = (size_t)syn_type_bytes(type, COLS) * ROWS;
    many = ((size_t)64 << 20) / w->matrix_bytes;
    w->acts = acts;

    synp_acts_set(w->kernels, acts, x, 1, COLS, SYN_FAST);
    w->matrices = many;
    memory = gigabytes(w, fastest(parallel, multiply_job, w));
    w->matrices = 1;
    cache = gigabytes(w, fastest(parallel, multiply_job, w));
    synp_acts_set(w->kernels, acts, x, POSITIONS, COLS, SYN_FAST);
    batch = (double)ROWS * COLS * POSITIONS / fastest(parallel, multiply_job, w) / 1e9;
    printf("%-8s %6.2f bits %9.1f %9.1f %9.1f\n", type->name,
           8.0 * (double)type->bytes / (double)type->block, memory, cache, batch);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static work w;
    static syn_pool pool;
    syn_error err;
    syn_parallel parallel;
    size_t bytes = ((size_t)64 << 20) + 4096, i;
    unsigned char *weights = (unsigned char *)malloc(bytes);
    float *x = (float *)malloc(sizeof(float) * COLS * POSITIONS);
    synp_acts *acts = (synp_acts *)malloc(synp_acts_bytes(COLS, POSITIONS, SYN_FAST));
    int level, threads = argc > 1 ? atoi(argv[1]) : 1;

    w.jobs = threads;
    w.y = (float *)malloc(sizeof(float) * ROWS * POSITIONS);
    w.scratch = (unsigned char *)malloc((size_t)1 << 24);
    if (!weights || !x || !acts || !w.y || !w.scratch || threads > JOBS_MAX) return 1;
    if (syn_pool_start(&pool, threads, &err)) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    parallel = syn_pool_parallel(&pool);
    for (i = 0; i < bytes; i++) weights[i] = (unsigned char)(i * 2654435761u >> 24 & 0x3b);
    for (i = 0; i < (size_t)COLS * POSITIONS; i++) x[i] = (float)(i % 17) - 8.0f;
    w.weights = weights;
    w.matrices = 1;
    w.matrix_bytes = (size_t)64 << 20;
    printf("%d threads; memory: %.1f GB/s\n", threads,
           gigabytes(&w, fastest(&parallel, sum_job, &w)));
    for (level = SYN_SIMD_PLAIN; level < SYN_SIMD_LEVELS; level++) {
        w.kernels = synp_kernels_pick((syn_simd)level);
        if (!w.kernels) continue;
        printf("%s\n%-8s %11s %9s %9s %9s\n", w.kernels->name, "type", "", "memory", "cache",
               "batch");
        printf("%-8s %11s %9s %9s %9s\n", "", "", "GB/s", "GB/s", "GMAC/s");
        for (i = 0; i < sizeof synp_types / sizeof synp_types[0]; i++) {
            if (!syn_type_computes(&synp_types[i])) continue;
            if (argc > 2 && strcmp(argv[2], synp_types[i].name)) continue;
            bench_type(&w, &parallel, &synp_types[i], acts, x);
        }
    }
    syn_pool_stop(&pool);
    free(weights);
    free(x);
    free(acts);
    free(w.y);
    free(w.scratch);
    return 0;
}
