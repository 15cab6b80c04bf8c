/* ggml_types.c - the products of bench_kernels with ggml, the library of llama.cpp and its forks:
   one position over 64 MB of matrices of 1536 x 768, and 128 positions with one matrix.
   bench/compare.sh compiles it against theirs.

   ./ggml_types THREADS        prints, a line a type: name, GB/s of weights, billions of
                               multiply-adds a second */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ggml.h"
#ifndef OLD_GGML /* forks that have all of it in one header */
#include "ggml-cpu.h"
#endif

enum { ROWS = 1536, COLS = 768, POSITIONS = 128, MATRICES = 220 };

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds of `matrices` products, the best of the runs that fit into a fifth of a second (at least
 * three). */
static double best_time(enum ggml_type type, int matrices, int positions, int threads)
{
    struct ggml_init_params params = {0};
    params.mem_size = (size_t)matrices * (ggml_row_size(type, COLS) * ROWS +
                                          (size_t)ROWS * (size_t)positions * 4) +
                      ((size_t)64 << 20);
    struct ggml_context *ctx = ggml_init(params);
    struct ggml_cgraph *graph = ggml_new_graph(ctx);
    struct ggml_tensor *x = ggml_new_tensor_2d(ctx, GGML_TYPE_F32, COLS, positions);
    for (int i = 0; i < COLS * positions; i++) ((float *)x->data)[i] = (float)(i % 17) - 8.0f;
    for (int m = 0; m < matrices; m++) {
        struct ggml_tensor *w = ggml_new_tensor_2d(ctx, type, COLS, ROWS);
        unsigned char *bytes = w->data;
        for (size_t i = 0; i < ggml_nbytes(w); i++)
            bytes[i] = (unsigned char)(i * 2654435761u >> 24 & 0x3b);
        ggml_build_forward_expand(graph, ggml_mul_mat(ctx, w, x));
    }
    double best = 1e9, start = seconds();
    for (int run = 0; run < 3 || seconds() - start < 0.2; run++) {
        double t = seconds();
        ggml_graph_compute_with_ctx(ctx, graph, threads);
        t = seconds() - t;
        if (t < best) best = t;
    }
    ggml_free(ctx);
    return best;
}

int main(int argc, char **argv)
{
    static const enum ggml_type types[] = {
        GGML_TYPE_F32,     GGML_TYPE_F16,    GGML_TYPE_BF16,  GGML_TYPE_Q4_0,    GGML_TYPE_Q4_1,
        GGML_TYPE_Q5_0,    GGML_TYPE_Q5_1,   GGML_TYPE_Q8_0,  GGML_TYPE_Q2_K,    GGML_TYPE_Q3_K,
        GGML_TYPE_Q4_K,    GGML_TYPE_Q5_K,   GGML_TYPE_Q6_K,  GGML_TYPE_IQ4_NL,  GGML_TYPE_IQ4_XS,
        GGML_TYPE_IQ2_XXS, GGML_TYPE_IQ2_XS, GGML_TYPE_IQ2_S, GGML_TYPE_IQ3_XXS, GGML_TYPE_IQ3_S,
        GGML_TYPE_IQ1_S,   GGML_TYPE_IQ1_M,
#ifndef OLD_GGML
        GGML_TYPE_TQ1_0,   GGML_TYPE_TQ2_0,
#endif
        GGML_TYPE_MXFP4};
    int threads = argc > 1 ? atoi(argv[1]) : 1;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        const double bytes = (double)ggml_row_size(types[i], COLS) * ROWS;
        int many = (int)((double)((size_t)64 << 20) / bytes);
        if (many > MATRICES) many = MATRICES;
        printf("%s %.2f %.2f\n", ggml_type_name(types[i]),
               bytes * many / best_time(types[i], many, 1, threads) / 1e9,
               (double)ROWS * COLS * POSITIONS / best_time(types[i], 1, POSITIONS, threads) / 1e9);
        fflush(stdout);
    }
    return 0;
}
