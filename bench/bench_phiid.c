/* bench_phiid.c - the time of all-pairs PhiID: nanoseconds a pair-prompt.

   cc -O2 -I.. -pthread bench_phiid.c -o bench_phiid -lm
   ./bench_phiid                  N = 64 ... 4096, T = 100; 1 and 2 threads
   ./bench_phiid 1152 60 100      one job in full: units, prompts, samples; seconds and megabytes
   ./bench_phiid 336 60 100 100   the last: so many circular shifts of it, against the observed;
                                  with `binary` behind it under that estimator

   Beside it, numpy on the same formula: numpy_phiid.py. */
#define SYNERGY_IMPLEMENTATION
#define SYNERGY_NO_MODEL
#define SYNERGY_THREADS
#include "synergy.h"

#include <stdlib.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* (time, unit) float32: autoregressive, as norms of heads are */
static float *make_norms(size_t units, size_t samples)
{
    float *norm = (float *)malloc(units * samples * sizeof(float));
    uint64_t state = 1;
    size_t t, u;
    for (t = 0; t < samples; t++)
        for (u = 0; u < units; u++) {
            double noise, phi = 0.8 * (double)(u % 13) / 13;
            state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            noise = (double)(state >> 11) / 9007199254740992.0 - 0.5;
            norm[t * units + u] =
                (float)((t ? phi * ((double)norm[(t - 1) * units + u] - 8) : 0) + 8 + noise);
        }
    return norm;
}

static bool drop(void *user, size_t first, size_t pairs, const double *atom, const uint8_t *flag)
{
    *(double *)user += atom[0] + (double)first * 0 + (double)pairs * 0 + flag[0];
    return true;
}

/* processor: of all threads together, which a busy machine does not lengthen much */
typedef struct outcome {
    double seconds, processor;
    size_t bytes;
    uint64_t careful;
} outcome;

static outcome measure(size_t units, size_t prompts, size_t samples, bool atoms,
                       syn_redundancy redundancy, const syn_parallel *parallel, int simd)
{
    outcome out = {0, 0, 0, 0};
    syn_pairs pairs;
    syn_pairs_desc desc;
    syn_series series;
    syn_arena arena = syn_arena_measure();
    syn_error err;
    double sink = 0, start;
    clock_t clocks;
    float *norm = make_norms(units, samples);
    void *block;
    size_t p;
    memset(&desc, 0, sizeof desc);
    memset(&series, 0, sizeof series);
    desc.units = units;
    desc.samples = samples;
    desc.prompts = prompts;
    desc.phiid.redundancy = redundancy;
    desc.parallel = *parallel;
    desc.careful = 1;
    desc.simd = simd;
    desc.atoms = atoms ? drop : NULL;
    desc.user = &sink;
    series.data = norm;
    series.type = SYN_NUMBER_F32;
    series.units = units;
    series.samples = samples;
    if (syn_pairs_open(&pairs, &desc, &arena, &err)) exit(1);
    out.bytes = arena.used;
    block = malloc(arena.used + SYN_ALIGN);
    arena = syn_arena_on(block, arena.used + SYN_ALIGN);
    if (!block || syn_pairs_open(&pairs, &desc, &arena, &err)) exit(1);
    start = now();
    clocks = clock();
    for (p = 0; p < prompts; p++)
        if (syn_pairs_add(&pairs, &series, &err)) printf("%s\n", err.text);
    out.seconds = now() - start;
    out.processor = (double)(clock() - clocks) / CLOCKS_PER_SEC;
    out.careful = pairs.careful;
    free(block);
    free(norm);
    return out;
}

typedef struct work {
    const char *name;
    bool atoms;
    syn_redundancy redundancy;
} work;
static const work kind[] = {
    {"sts and rtr", false, SYN_MMI}, {"16 atoms", true, SYN_MMI}, {"CCS", false, SYN_CCS}};

static void one_job(size_t units, size_t prompts, size_t samples, const syn_parallel *parallel)
{
    size_t k;
    int threads;
    double count = (double)prompts * (double)units * (double)(units - 1) / 2;
    printf("%zu units, %zu prompts, %zu samples: %.3g pair-prompts\n", units, prompts, samples,
           count);
    for (k = 0; k < sizeof kind / sizeof kind[0]; k++)
        for (threads = 1; threads <= 2; threads++) {
            syn_parallel p = *parallel;
            outcome out;
            p.threads = threads;
            out = measure(units, prompts, samples, kind[k].atoms, kind[k].redundancy, &p, 0);
            printf("%-12s %d thread%s  %7.3f s (processor %7.3f s)  %7.1f ns a pair-prompt"
                   "  %6.1f MB  %llu careful\n",
                   kind[k].name, threads, threads > 1 ? "s" : " ", out.seconds, out.processor,
                   1e9 * out.seconds / count, (double)out.bytes / 1e6,
                   (unsigned long long)out.careful);
        }
}

static void table(const syn_parallel *parallel)
{
    static const char *const level[] = {"best", "plain", "AVX2", "AVX-512"};
    size_t units, k;
    int simd;
    printf("ns a pair-prompt, T = 100\nunits");
    for (k = 0; k < sizeof kind / sizeof kind[0]; k++) printf("  %11s 1t       2t", kind[k].name);
    printf("\n");
    for (units = 64; units <= 4096; units *= 2) {
        double count = (double)units * (double)(units - 1) / 2;
        printf("%5zu", units);
        for (k = 0; k < sizeof kind / sizeof kind[0]; k++) {
            int threads;
            for (threads = 1; threads <= 2; threads++) {
                double pairs = kind[k].redundancy == SYN_CCS ? 5e5 : 4e6;
                size_t prompts = (size_t)(pairs / count) + 1;
                syn_parallel p = *parallel;
                outcome out;
                p.threads = threads;
                out = measure(units, prompts, 100, kind[k].atoms, kind[k].redundancy, &p, 0);
                printf(threads > 1 ? " %8.1f" : "  %14.1f",
                       1e9 / (double)prompts / count * out.seconds);
                fflush(stdout);
            }
        }
        printf("\n");
    }
    printf("kernels, 512 units, sts and rtr, 1 thread:");
    for (simd = 1; simd < 4; simd++) {
        syn_parallel serial;
        outcome out;
        memset(&serial, 0, sizeof serial);
        out = measure(512, 5, 100, false, SYN_MMI, &serial, simd);
        printf("  %s %.1f", level[simd], 1e9 / 5 / (512 * 511 / 2.0) * out.seconds);
    }
    printf("\n");
}

/* ---- surrogates: made and added as the tool does ---- */

typedef struct null_work {
    syn_pairs seen, made;
    syn_excess excess;
    size_t units, prompts, samples, number;
    float *norm;   /* (prompt, time, unit) */
    double *shift; /* (prompt, unit, time) */
    double *work;  /* (prompt, SYN_SURROGATE_WORK, time) */
    uint64_t *key; /* (prompt, unit) */
} null_work;

static syn_series series_of(const null_work *w, size_t prompt)
{
    syn_series s;
    memset(&s, 0, sizeof s);
    s.data = w->norm + prompt * w->units * w->samples;
    s.type = SYN_NUMBER_F32;
    s.units = w->units;
    s.samples = w->samples;
    return s;
}

static void shift_job(void *arg, int index)
{
    null_work *w = (null_work *)arg;
    size_t p = (size_t)index;
    syn_series s = series_of(w, p);
    syn_surrogate_desc what = {SYN_SURROGATE_SHIFT, 1, w->number, p, w->key + p * w->units};
    syn_surrogate_make(&s, &what, w->shift + p * w->units * w->samples,
                       w->work + p * SYN_SURROGATE_WORK * w->samples);
}

/* The same calls on a measuring arena, then on memory. */
static void null_open(null_work *w, syn_estimator estimator, const syn_parallel *parallel)
{
    syn_arena arena = syn_arena_measure();
    syn_error err;
    syn_pairs_desc desc;
    int pass;
    for (pass = 0; pass < 2; pass++) {
        if (pass) arena = syn_arena_on(malloc(arena.used), arena.used);
        memset(&desc, 0, sizeof desc);
        desc.units = w->units;
        desc.samples = w->samples;
        desc.prompts = w->prompts;
        desc.phiid.estimator = estimator;
        desc.parallel = *parallel;
        desc.cells = true;
        if (syn_pairs_open(&w->seen, &desc, &arena, &err)) exit(1);
        desc.cells = false;
        desc.lean = true;
        desc.like = &w->seen;
        if (syn_pairs_open(&w->made, &desc, &arena, &err)) exit(1);
    }
}

static void excess_open(null_work *w)
{
    syn_arena arena = syn_arena_measure();
    syn_error err;
    if (syn_excess_open(&w->excess, &w->seen, true, &arena, &err)) exit(1);
    arena = syn_arena_on(malloc(arena.used), arena.used);
    if (syn_excess_open(&w->excess, &w->seen, true, &arena, &err)) exit(1);
}

static void add_surrogate(null_work *w, const syn_parallel *parallel)
{
    syn_error err;
    size_t p;
    parallel->run(parallel->user, (int)w->prompts, shift_job, w);
    syn_pairs_clear(&w->made);
    for (p = 0; p < w->prompts; p++) {
        syn_series seen = series_of(w, p), s = seen;
        s.data = w->shift + p * w->units * w->samples;
        s.type = SYN_NUMBER_F64;
        s.time_stride = 1;
        s.unit_stride = w->samples;
        if (syn_pairs_add_surrogate(&w->made, &s, &seen, &err)) printf("%s\n", err.text);
    }
    if (syn_excess_add(&w->excess, &w->made, &err)) printf("%s\n", err.text);
}

/* Prints a hash of every sum, too: it must not depend on threads, nor on the version. */
static void surrogates(null_work *w, size_t count, syn_estimator estimator,
                       const syn_parallel *parallel)
{
    uint64_t hash = 0, bits;
    double start, seconds;
    clock_t clocks;
    syn_error err;
    size_t p, cells = w->prompts * w->units, i;
    w->norm = make_norms(w->units, w->samples * w->prompts);
    w->shift = (double *)malloc(cells * w->samples * sizeof(double));
    w->work = (double *)malloc(w->prompts * w->samples * SYN_SURROGATE_WORK * sizeof(double));
    w->key = (uint64_t *)malloc(cells * sizeof(uint64_t));
    null_open(w, estimator, parallel);
    for (p = 0; p < w->prompts; p++) {
        syn_series s = series_of(w, p);
        syn_surrogate_keys(&s, w->key + p * w->units);
        if (syn_pairs_add(&w->seen, &s, &err)) printf("%s\n", err.text);
    }
    excess_open(w);
    start = now();
    clocks = clock();
    for (w->number = 0; w->number < count; w->number++) {
        add_surrogate(w, parallel);
        for (i = 0; i < w->made.pairs; i++) {
            memcpy(&bits, &w->made.synergy[i], sizeof bits);
            hash = (hash ^ bits) * UINT64_C(0x100000001b3);
            memcpy(&bits, &w->made.redundancy[i], sizeof bits);
            hash = (hash ^ bits) * UINT64_C(0x100000001b3);
        }
    }
    seconds = now() - start;
    printf("%zu surrogates, %d threads: %.3f s (processor %.3f s), hash %016llx\n", count,
           parallel->threads, seconds, (double)(clock() - clocks) / CLOCKS_PER_SEC,
           (unsigned long long)hash);
}

int main(int argc, char **argv)
{
    static syn_pool pool;
    syn_parallel parallel;
    syn_error err;
    memset(&parallel, 0, sizeof parallel);
    if (syn_pool_start(&pool, 2, &err)) {
        printf("%s\n", err.text);
        return 1;
    }
    parallel = syn_pool_parallel(&pool);
    if (argc > 4) {
        static null_work w;
        w.units = (size_t)atoi(argv[1]);
        w.prompts = (size_t)atoi(argv[2]);
        w.samples = (size_t)atoi(argv[3]);
        surrogates(&w, (size_t)atoi(argv[4]), argc > 5 ? SYN_BINARY : SYN_GAUSSIAN, &parallel);
    } else if (argc == 4)
        one_job((size_t)atoi(argv[1]), (size_t)atoi(argv[2]), (size_t)atoi(argv[3]), &parallel);
    else table(&parallel);
    syn_pool_stop(&pool);
    return 0;
}
