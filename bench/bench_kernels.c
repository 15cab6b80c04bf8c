/* bench_kernels.c - speed of the matrix products, a type and a level at a time, beside what the
   machine can do.

   cc -O2 -pthread bench_kernels.c -o bench_kernels -lm
   ./bench_kernels [THREADS [TYPE [LEVEL]]]
   (default: 1, every type, every level; a level by its name of syn_simd_name)

   The first line is what the memory gives to a plain sum over 64 MB in four streams: no product
   with one position can be faster, and tokens a second = GB/s over the bytes of the model. A
   level's line says how many multiply-adds of int8 (its dot product instructions alone) and of
   float it does, on one thread. Then, for each type: one position with matrices of 1536 x 768
   one after the other, more than the caches hold, in GB/s of weights and as a share of the
   memory's; 128 positions with one matrix, in billions of multiply-adds a second. An activation
   has two digits, so that a product of codes is two multiply-adds of int8: the share of the peak
   counts both. Types that hold numbers are compared with the float peak. Each figure is the best
   of many short runs. */
#define _POSIX_C_SOURCE 200809L
#define SYNERGY_STATIC
#define SYNERGY_THREADS
#define SYNERGY_IMPLEMENTATION
#include "../synergy.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROWS = 1536, COLS = 768, POSITIONS = 128, JOBS_MAX = 64, PEAK_ROUNDS = 20000 };

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
    size_t row_bytes = w->matrix_bytes / ROWS,
           room = synp_gemm_scratch_bytes(w->kernels, COLS, POSITIONS);
    for (m = 0; m < w->matrices; m++) {
        synp_gemm_rows(w->kernels, w->type, w->weights + m * w->matrix_bytes + from * row_bytes,
                       to - from, COLS, w->acts, w->y + from, ROWS,
                       w->scratch + (size_t)index * room);
    }
}

/* Four streams at once: the processor's own prefetcher follows each of them, and one alone does
   not fill the memory's lanes (22 against 30 GB/s on Zen 4). */
static void sum_job(void *arg, int index)
{
    work *w = (work *)arg;
    size_t words = w->matrices * w->matrix_bytes / 256 * 8, i; /* in each stream */
    const uint64_t *at = (const uint64_t *)(const void *)w->weights;
    size_t from = words / 8 * (size_t)index / (size_t)w->jobs * 8;
    size_t to = words / 8 * (size_t)(index + 1) / (size_t)w->jobs * 8;
    uint64_t s[8] = {0};
    for (; from < to; from += 8) {
        for (i = 0; i < 8; i++)
            s[i] += at[from + i] + at[words + from + i] + at[2 * words + from + i] +
                    at[3 * words + from + i];
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

/* ---- what the instructions alone can do: chains of dependent sums, more than the processor can
 * have under way */

#define TWELVE(one)                                                                                \
    one(0) one(1) one(2) one(3) one(4) one(5) one(6) one(7) one(8) one(9) one(10) one(11)

typedef struct peak {
    double dots, floats; /* thousand million multiply-adds a second */
} peak;

/* A function that runs PEAK_ROUNDS of twelve instructions on twelve sums. */
#define CHAINS(name, target, vector, zero, code)                                                   \
    target static void name(void)                                                                  \
    {                                                                                              \
        vector sum0 = zero, sum1 = zero, sum2 = zero, sum3 = zero, sum4 = zero, sum5 = zero,       \
               sum6 = zero, sum7 = zero, sum8 = zero, sum9 = zero, sum10 = zero, sum11 = zero,     \
               a = zero, b = zero;                                                                 \
        int round;                                                                                 \
        for (round = 0; round < PEAK_ROUNDS; round++) { TWELVE(code) }                             \
    }

#if defined(SYNP_X86)
#define FLOATS(k) __asm__ volatile("vfmadd231ps %1, %2, %0" : "+v"(sum##k) : "v"(a), "v"(b));
/* without a dot product: products of pairs in 16 bits, widened, added */
#define DOTS_AVX2(k)                                                                               \
    {                                                                                              \
        __m256i two;                                                                               \
        __asm__ volatile("vpmaddubsw %2, %3, %1; vpmaddwd %2, %1, %1; vpaddd %1, %0, %0"           \
                         : "+x"(sum##k), "=&x"(two)                                                \
                         : "x"(a), "x"(b));                                                        \
    }
CHAINS(floats_avx2, SYNP_256, __m256, _mm256_setzero_ps(), FLOATS)
CHAINS(dots_avx2, SYNP_256, __m256i, _mm256_setzero_si256(), DOTS_AVX2)
#endif
#if defined(SYNP_X86_512)
#define DOTS_512(k) __asm__ volatile("vpdpbusd %1, %2, %0" : "+v"(sum##k) : "v"(a), "v"(b));
CHAINS(floats_512, SYNP_512, __m512, _mm512_setzero_ps(), FLOATS)
CHAINS(dots_512, SYNP_512, __m512i, _mm512_setzero_si512(), DOTS_512)
#endif
#if defined(SYNP_ARM)
#define FLOATS_ARM(k) __asm__ volatile("fmla %0.4s, %1.4s, %2.4s" : "+w"(sum##k) : "w"(a), "w"(b));
#define DOTS_ARM(k) __asm__ volatile("sdot %0.4s, %1.16b, %2.16b" : "+w"(sum##k) : "w"(a), "w"(b));
CHAINS(floats_arm, , float32x4_t, vdupq_n_f32(0.0f), FLOATS_ARM)
#define MATRICES_ARM(k)                                                                            \
    __asm__ volatile("smmla %0.4s, %1.16b, %2.16b" : "+w"(sum##k) : "w"(a), "w"(b));
CHAINS(dots_arm, SYNP_DOTPROD, int32x4_t, vdupq_n_s32(0), DOTS_ARM)
CHAINS(matrices_arm, SYNP_I8MM, int32x4_t, vdupq_n_s32(0), MATRICES_ARM)
#endif

static double chain_speed(void (*chains)(void), double lanes)
{
    double best = 1e9;
    int run;
    for (run = 0; run < 100; run++) {
        double t = seconds();
        chains();
        t = seconds() - t;
        if (t < best) best = t;
    }
    return 12.0 * lanes * PEAK_ROUNDS / best / 1e9;
}

static peak peak_of(syn_simd level)
{
    peak p = {0, 0};
#if defined(SYNP_X86)
    if (level == SYN_SIMD_AVX2)
        p.dots = chain_speed(dots_avx2, 32), p.floats = chain_speed(floats_avx2, 8);
#endif
#if defined(SYNP_X86_512)
    if (level == SYN_SIMD_AVX512)
        p.dots = chain_speed(dots_512, 64), p.floats = chain_speed(floats_512, 16);
#endif
#if defined(SYNP_ARM)
    if (level == SYN_SIMD_DOTPROD) p.dots = chain_speed(dots_arm, 16);
    if (level == SYN_SIMD_I8MM) p.dots = chain_speed(matrices_arm, 32);
    if (level >= SYN_SIMD_NEON) p.floats = chain_speed(floats_arm, 4);
#endif
    return p;
}

static void print_share(double got, double of)
{
    if (of > 0) printf(" %6.0f %%", 100 * got / of);
    else printf(" %8s", "-");
}

static void bench_type(work *w, const syn_parallel *parallel, const syn_type *type, synp_acts *acts,
                       const float *x, double bandwidth, peak most)
{
    double memory, batch;
    w->type = type;
    w->matrix_bytes = (size_t)syn_type_bytes(type, COLS) * ROWS;
    w->acts = acts;
    synp_acts_set(w->kernels, acts, x, 1, COLS, SYN_FAST);
    w->matrices = ((size_t)64 << 20) / w->matrix_bytes;
    memory = gigabytes(w, fastest(parallel, multiply_job, w));
    w->matrices = 1;
    synp_acts_set(w->kernels, acts, x, POSITIONS, COLS, SYN_FAST);
    batch = (double)ROWS * COLS * POSITIONS / fastest(parallel, multiply_job, w) / 1e9;
    printf("%-8s %9.2f %9.1f", type->name, 8.0 * (double)type->bytes / (double)type->block, memory);
    print_share(memory, bandwidth);
    printf(" %9.1f", batch);
    print_share(batch, w->jobs * (type->codes ? most.dots / 2 : most.floats));
    printf("\n");
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
    double bandwidth;
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
    bandwidth = gigabytes(&w, fastest(&parallel, sum_job, &w));
    printf("threads %d memory %.1f GB/s\n", threads, bandwidth);
    for (level = SYN_SIMD_PLAIN; level < SYN_SIMD_LEVELS; level++) {
        peak most;
        w.kernels = synp_kernels_pick((syn_simd)level);
        if (!w.kernels || (argc > 3 && strcmp(argv[3], w.kernels->name))) continue;
        most = peak_of((syn_simd)level);
        printf("level %s: int8 %.1f GMAC/s, float %.1f GMAC/s, a thread\n", w.kernels->name,
               most.dots, most.floats);
        printf("%-8s %9s %9s %8s %9s %8s\n", "type", "bits", "1: GB/s", "share", "128: GMAC",
               "share");
        for (i = 0; i < sizeof synp_types / sizeof synp_types[0]; i++) {
            if (!syn_type_computes(&synp_types[i])) continue;
            if (argc > 2 && argv[2][0] && strcmp(argv[2], synp_types[i].name)) continue;
            bench_type(&w, &parallel, &synp_types[i], acts, x, bandwidth, most);
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
