/* lanes.h - the arithmetic of learning: float32, in one place, on the header's choice of
   instruction set. `lanes_product` is every matrix product there is; the rest are loops over rows.

   The element-wise functions and the sums of rows are the same C for every level, with a fixed
   order of summation (LANES partial sums), so that they agree bit for bit; the tiles of a product
   differ between levels by what a fused multiply-add rounds. On one level nothing depends on the
   number of threads: an element of a product is summed by one job, in order. */
#ifndef SYNERGY_LEARN_LANES_H
#define SYNERGY_LEARN_LANES_H

#include "engine/engine.h"

enum { LANES = 16, LANES_DEPTH = 192, LANES_MR = 12, LANES_NR = 32 };

/* c (rows, cols) = or += the product over `depth` of a (row, k) and b (k, col); strides in floats.
   b is packed: (depth, the kernel's width), zeros behind the last column. */
typedef void lanes_tile_fn(size_t depth, const float *a, size_t a_row, size_t a_col, size_t rows,
                           const float *b, float *c, size_t c_row, bool add);

/* Rows of as many floats as the kernel is wide, one behind the other. */
typedef void lanes_copy_fn(const float *from, size_t row, size_t rows, float *to);

typedef struct adam_step {
    float lr, beta1, beta2, eps,
        decay;                /* decay: lr times weight decay, 0 where a tensor has none */
    float scale;              /* of the gradient: clipping */
    float correct1, correct2; /* 1 - beta^step */
} adam_step;

typedef struct lanes {
    syn_simd level;
    size_t mr[2], nr[2];       /* rows and columns of a tile; of one for what is left */
    lanes_tile_fn *tile[2][2]; /* (few rows, few columns) */
    lanes_copy_fn *copy[2];
    /* y = x w / sqrt(mean(x^2) + eps) for rows of `width` at a stride; inverse (row) is kept */
    void (*norm)(const float *x, const float *w, size_t rows, size_t width, float eps, float *y,
                 float *inverse);
    /* dx += what reaches x, dw += what reaches w, of dy */
    void (*norm_back)(const float *dy, const float *x, const float *w, const float *inverse,
                      size_t rows, size_t width, float *dx, float *dw);
    /* out = silu(gate) up */
    void (*gate)(const float *gate, const float *up, size_t n, float *out);
    /* gate and up become their gradients, given that of out, which is made again */
    void (*gate_back)(const float *dout, size_t n, float *gate, float *up, float *out);
    /* x = exp(scale x - maximum of scale x) for the first n of a row, 0 up to width; returns the
       sum and leaves the maximum */
    float (*softmax)(float *x, size_t n, size_t width, float scale, float *maximum);
    void (*exp_row)(float *x, size_t n, size_t width, float scale,
                    float shift); /* exp(scale x - shift) */
    /* p (p dp - d) scale into dp */
    void (*softmax_back)(const float *p, float *dp, size_t n, float d, float scale);
    void (*scale)(float *x, size_t n, float by);
    void (*add)(float *x, const float *y, size_t n);
    void (*add_rows)(float *x, const float *row, size_t rows, size_t width); /* x += row */
    void (*sum_rows)(const float *x, size_t rows, size_t width, float *sum); /* sum += rows of x */
    float (*dot)(const float *x, const float *y, size_t n);
    void (*adam)(const adam_step *s, size_t n, const float *gradient, float *weight, float *m,
                 float *v);
} lanes;

/* The functions of a level (SYN_SIMD_AUTO: the best here). */
const lanes *lanes_of(syn_simd level);

/* A product: c = (or +=, when add) a b. */
typedef struct product {
    size_t m, n, depth;
    const float *a;
    size_t a_row, a_col;
    const float *b;
    size_t b_row, b_col; /* b_row: from k to k + 1; b_col: from column to column */
    float *c;
    size_t c_row;
    bool add;
} product;

/* On the calling thread, or in jobs. */
void lanes_product_alone(const lanes *l, const product *p);
void lanes_product(const lanes *l, const syn_parallel *parallel, const product *p);

/* The first number of `room` that begins a line of the cache: vectors across two lines cost twice.
   LANES_LINE numbers more are needed for it. */
enum { LANES_LINE = 64 / sizeof(float) };
static inline float *lanes_aligned(float *room)
{
    return room + (64 - (uintptr_t)room % 64) % 64 / sizeof *room;
}

/* Runs job(arg, 0 .. jobs - 1) on the threads there are. */
void lanes_run(const syn_parallel *parallel, size_t jobs, syn_job_fn *job, void *arg);

#endif
