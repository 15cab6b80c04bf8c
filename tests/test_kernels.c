/* Products of every type on every level that this machine has, against double arithmetic and
   against plain C; the vector functions; the thread pool. */
#define SYNERGY_STATIC
#define SYNERGY_THREADS
#define SYNERGY_NO_PHIID
#define SYNERGY_IMPLEMENTATION
#include "../synergy.h"
#include <time.h>
#include "test.h"

enum {
    TYPES = (int)(sizeof synp_types / sizeof synp_types[0]),
    ROWS_MAX = 11,
    POSITIONS_MAX = 9,
    POSITIONS_MANY = 16 /* from here on every level multiplies strips */
};

static uint32_t random_state = 12345;

static uint32_t random_bits(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

/* About normal: the sum of four uniform numbers. */
static float random_float(void)
{
    float sum = 0;
    int i;
    for (i = 0; i < 4; i++) sum += (float)(random_bits() >> 8) / 16777216.0f - 0.5f;
    return sum * 1.7f;
}

/* A block of random bytes whose weights are all finite and below 1e6. */
static void random_block(const syn_type *type, unsigned char *block)
{
    float value[SYN_BLOCK_MAX];
    size_t i;
    bool sane;
    do {
        sane = true;
        for (i = 0; i < type->bytes; i++) block[i] = (unsigned char)(random_bits() >> 11);
        syn_type_to_float(type, block, value, type->block);
        for (i = 0; i < type->block; i++) sane = sane && fabsf(value[i]) < 1e6f;
    } while (!sane);
}

/* Rows of weights, activations, and room for the products. */
typedef struct problem {
    const syn_type *type;
    size_t rows, cols, positions;
    unsigned char *weights, *unaligned;
    float *x, *y;
    void *acts;
    synp_acts_quad *seen; /* the activations as the kernels round them; (position, quad) */
} problem;

static problem problem_make(const syn_type *type, size_t rows, size_t cols, size_t positions)
{
    problem p;
    size_t bytes = (size_t)syn_type_bytes(type, cols) * rows, at, i;
    p.type = type;
    p.rows = rows;
    p.cols = cols;
    p.positions = positions;
    p.unaligned = (unsigned char *)malloc(bytes + 1);
    p.weights = p.unaligned + 1; /* reads past the end are seen by the sanitizer */
    p.x = (float *)malloc(cols * positions * sizeof(float));
    p.y = (float *)malloc(rows * positions * sizeof(float));
    p.acts = malloc(synp_acts_bytes(cols, positions, SYN_FAST));
    p.seen = (synp_acts_quad *)malloc((cols + 127) / 128 * positions * sizeof *p.seen);
    for (at = 0; at < bytes; at += type->bytes) random_block(type, p.weights + at);
    for (i = 0; i < cols * positions; i++) p.x[i] = random_float();
    return p;
}

static void problem_free(problem *p)
{
    free(p->unaligned);
    free(p->x);
    free(p->y);
    free(p->acts);
    free(p->seen);
}

/* The scratch is as large as it is said to be, so that the sanitizer sees what is written behind
   it, and full of garbage. */
static void multiply(const problem *p, const synp_kernels *kernels, syn_arithmetic arithmetic,
                     float *y)
{
    synp_acts *acts = (synp_acts *)p->acts;
    size_t bytes = synp_gemm_scratch_bytes(kernels, p->cols, p->positions), across, i;
    void *scratch = malloc(bytes);
    memset(scratch, 0xff, bytes);
    synp_acts_set(kernels, acts, p->x, p->positions, p->cols, arithmetic);
    synp_gemm_rows(kernels, p->type, p->weights, p->rows, p->cols, acts, y, p->rows, scratch);
    free(scratch);
    across = (p->cols + 127) / 128;
    for (i = 0; i < p->positions && !(p->cols % 32); i++)
        kernels->quantise(p->x + i * p->cols, p->cols, p->seen + i * across);
}

/* The activations as the kernels see them. */
static double seen_activation(const problem *p, size_t position, size_t col)
{
    const synp_acts *acts = (const synp_acts *)p->acts;
    const synp_acts_quad *quad;
    size_t j = col % 128 / 32, k = col % 32, at = (k < 16 ? 0 : 64) + 16 * j + k % 16;
    if ((!acts->quads && !acts->tiles) || p->type->floats)
        return (double)acts->x[position * acts->cols + col];
    quad = p->seen + position * acts->across + col / 128;
    return (double)quad->scale[j] * (double)(256 * quad->q[at] + quad->r[at]);
}

/* Each product within 4 units of the sum of its terms' sizes: w, for the float roundings of a
   sum of n terms in lanes, grows slowly with n; minima add their own size. */
static void check_against_double(const problem *p, const float *y)
{
    float *weight = (float *)malloc(p->cols * sizeof(float));
    size_t row_bytes = (size_t)syn_type_bytes(p->type, p->cols), r, i, at;
    for (r = 0; r < p->rows; r++) {
        syn_type_to_float(p->type, p->weights + r * row_bytes, weight, p->cols);
        for (at = 0; at < p->positions; at++) {
            double sum = 0, size = 0, bound;
            for (i = 0; i < p->cols; i++) {
                double term = (double)weight[i] * seen_activation(p, at, i);
                sum += term;
                size += fabs(term);
            }
            if (p->type->minimum) size *= 8; /* scale * code and minimum cancel */
            bound = (4.0 + sqrt((double)p->cols)) * 6e-8 * size + 1e-30;
            CHECK_NEAR(y[at * p->rows + r], sum, bound);
        }
    }
    free(weight);
}

/* The same element from other numbers of rows and positions must have the same bits. */
static void check_independent(const problem *p, const synp_kernels *kernels,
                              syn_arithmetic arithmetic, const float *y)
{
    synp_acts *acts = (synp_acts *)p->acts;
    size_t row_bytes = (size_t)syn_type_bytes(p->type, p->cols), r, at;
    void *scratch = malloc(synp_gemm_scratch_bytes(kernels, p->cols, 1));
    for (at = 0; at < p->positions; at++) {
        synp_acts_set(kernels, acts, p->x + at * p->cols, 1, p->cols, arithmetic);
        for (r = 0; r < p->rows; r++) {
            float one;
            synp_gemm_rows(kernels, p->type, p->weights + r * row_bytes, 1, p->cols, acts, &one, 1,
                           scratch);
            CHECK(memcmp(&one, &y[at * p->rows + r], sizeof one) == 0);
        }
    }
    free(scratch);
}

static void check_problem(const syn_type *type, size_t rows, size_t cols, size_t positions)
{
    problem p = problem_make(type, rows, cols, positions);
    int level, exact;
    for (level = SYN_SIMD_PLAIN; level < SYN_SIMD_LEVELS; level++) {
        const synp_kernels *kernels = synp_kernels_pick((syn_simd)level);
        if (!kernels) continue;
        for (exact = 0; exact < 2; exact++) {
            syn_arithmetic arithmetic = exact ? SYN_EXACT : SYN_FAST;
            multiply(&p, kernels, arithmetic, p.y);
            check_against_double(&p, p.y);
            check_independent(&p, kernels, arithmetic, p.y);
        }
    }
    problem_free(&p);
}

TEST(levels_of_this_machine)
{
    int level;
    CHECK(syn_simd_name(SYN_SIMD_PLAIN) != NULL);
    CHECK(syn_simd_name(SYN_SIMD_AUTO) != NULL);
    CHECK(synp_kernels_pick(SYN_SIMD_LEVELS) == NULL);
    for (level = SYN_SIMD_PLAIN; level < SYN_SIMD_LEVELS; level++) {
        if (syn_simd_name((syn_simd)level)) printf("  level: %s\n", syn_simd_name((syn_simd)level));
    }
}

TEST(every_type_every_level)
{
    static const size_t blocks[] = {1, 2, 3, 4, 5, 9, 18}, odd[] = {1, 15, 16, 33, 48, 100, 576};
    int i;
    size_t k;
    for (i = 0; i < TYPES; i++) {
        const syn_type *type = &synp_types[i];
        if (!syn_type_computes(type)) continue;
        for (k = 0; k < 7; k++) {
            size_t cols = type->block == 1 ? odd[k] : blocks[k] * type->block;
            if (type->block == 256 && k > 3) continue;
            check_problem(type, 1 + random_bits() % ROWS_MAX, cols,
                          1 + random_bits() % POSITIONS_MAX);
            check_problem(type, 1 + random_bits() % (4 * ROWS_MAX), cols,
                          POSITIONS_MANY + random_bits() % POSITIONS_MAX);
        }
    }
}

/* Every count of rows and positions, on one type of each kind. */
TEST(every_shape)
{
    static const uint32_t id[] = {0, 3, 8, 12, 14, 20};
    size_t i, rows, positions;
    for (i = 0; i < sizeof id / sizeof id[0]; i++) {
        const syn_type *type = syn_type_find(id[i]);
        for (rows = 1; rows <= ROWS_MAX; rows += 2) {
            for (positions = 1; positions <= POSITIONS_MAX; positions += 1 + rows % 3) {
                check_problem(type, rows, 256, positions);
                check_problem(type, 3 * rows, 256, POSITIONS_MANY - 1 + positions);
            }
        }
        check_problem(type, 5, 2048, 33);
        check_problem(type, 70, 2304, 30);
    }
}

/* Scales are the same on all levels; a code may differ by one, where a compiler makes one
   rounding of x * inverse + shift; the sums are those of the codes. Columns that are not there
   are zero. */
static void check_quads(const synp_acts_quad *got, const synp_acts_quad *want, size_t quads)
{
    size_t i, j, k;
    for (i = 0; i < quads; i++) {
        CHECK(memcmp(got[i].scale, want[i].scale, sizeof got[i].scale) == 0);
        for (j = 0; j < 4; j++) {
            int32_t low = 0, high = 0;
            for (k = 16 * j; k < 16 * j + 16; k++) {
                int32_t a = 256 * got[i].q[k] + got[i].r[k], b = 256 * want[i].q[k] + want[i].r[k];
                int32_t c = 256 * got[i].q[64 + k] + got[i].r[64 + k];
                int32_t d = 256 * want[i].q[64 + k] + want[i].r[64 + k];
                CHECK(a - b <= 1 && b - a <= 1 && c - d <= 1 && d - c <= 1);
                CHECK(got[i].q[k] >= -127 && got[i].r[k] >= -127);
                low += a;
                high += c;
            }
            CHECK(got[i].low[j] == low && got[i].high[j] == high && got[i].all[j] == low + high);
        }
    }
}

TEST(quantised_activations_are_the_same)
{
    enum { COLS = 32 * 37 };
    float *x = (float *)malloc(COLS * sizeof(float));
    synp_acts_quad *want = (synp_acts_quad *)calloc(10, sizeof *want);
    synp_acts_quad *got = (synp_acts_quad *)calloc(10, sizeof *got);
    int level, round, i;
    for (round = 0; round < 50; round++) {
        size_t cols = 32 * (1 + random_bits() % 37), quads = (cols + 127) / 128;
        for (i = 0; i < (int)cols; i++)
            x[i] = random_float() * ldexpf(1.0f, (int)(random_bits() % 8));
        if (round == 0) memset(x, 0, cols * sizeof(float));
        if (round == 1) x[cols - 1] = 0.5f * (x[0] = 127.0f); /* a tie */
        if (round == 2) x[3] = 1e-35f;
        synp_plain_quantise(x, cols, want);
        for (level = SYN_SIMD_PLAIN; level < SYN_SIMD_LEVELS; level++) {
            const synp_kernels *kernels = synp_kernels_pick((syn_simd)level);
            if (!kernels) continue;
            memset(got, 0x55, 10 * sizeof *got);
            kernels->quantise(x, cols, got);
            check_quads(got, want, quads);
        }
    }
    free(x);
    free(want);
    free(got);
}

/* What is not finite does not crash and does not become a plausible number. */
TEST(not_finite)
{
    static const uint32_t id[] = {0, 1, 2, 3, 8, 12, 14, 20};
    size_t i, k;
    int level;
    for (i = 0; i < sizeof id / sizeof id[0]; i++) {
        problem p = problem_make(syn_type_find(id[i]), 5, 512, 3);
        for (level = SYN_SIMD_PLAIN; level < SYN_SIMD_LEVELS; level++) {
            const synp_kernels *kernels = synp_kernels_pick((syn_simd)level);
            if (!kernels) continue;
            p.x[512 + 77] = level & 1 ? HUGE_VALF : (float)NAN;
            multiply(&p, kernels, SYN_FAST, p.y);
            for (k = 0; k < 5; k++) {
                CHECK(fabsf(p.y[k]) < HUGE_VALF);
                CHECK(!(fabsf(p.y[5 + k]) < HUGE_VALF));
                CHECK(fabsf(p.y[10 + k]) < HUGE_VALF);
            }
            p.x[512 + 77] = 1.0f;
        }
        memset(p.weights, 0xff, (size_t)syn_type_bytes(p.type, 512) * 5);
        for (level = SYN_SIMD_PLAIN; level < SYN_SIMD_LEVELS; level++) {
            if (synp_kernels_pick((syn_simd)level)) {
                multiply(&p, synp_kernels_pick((syn_simd)level), SYN_FAST, p.y);
                CHECK(p.y[0] != p.y[0] || id[i] == 20);
            }
        }
        problem_free(&p);
    }
}

TEST(exponential)
{
    uint32_t step;
    for (step = 0; step < 400000; step++) {
        volatile float x = -86.9f + 175.6f * (float)step / 400000.0f; /* volatile: x87 rounds it */
        double want = exp((double)x), off = fabs((double)synp_exp(x) - want) / want;
        CHECK(off < 1.2e-7 * 2);
    }
    CHECK(synp_exp(0.0f) == 1.0f);
    CHECK(synp_exp(89.0f) == HUGE_VALF);
    CHECK(synp_exp(HUGE_VALF) == HUGE_VALF);
    CHECK(synp_exp(-90.0f) == 0.0f);
    CHECK(synp_exp(-HUGE_VALF) == 0.0f);
    CHECK(synp_exp((float)NAN) != synp_exp((float)NAN));
}

static void check_vectors(const synp_kernels *kernels, size_t n)
{
    float *a = (float *)malloc((n + 1) * sizeof(float)),
          *b = (float *)malloc((n + 1) * sizeof(float));
    float *c = (float *)malloc((n + 1) * sizeof(float));
    double dot = 0, size = 0, most = -1e30, sum = 0;
    synp_softened soft;
    size_t i;
    for (i = 0; i < n; i++) {
        a[i] = 4.0f * random_float();
        b[i] = random_float();
        dot += (double)a[i] * (double)b[i];
        size += fabs((double)a[i] * (double)b[i]);
        most = (double)a[i] > most ? (double)a[i] : most;
    }
    CHECK_NEAR(kernels->dot_f32(a, b, n), dot, 1e-6 * size);

    memcpy(c, b, n * sizeof(float));
    c[n] = 7.0f;
    kernels->axpy(c, 0.3f, a, n);
    for (i = 0; i < n; i++) CHECK_NEAR(c[i], (double)b[i] + (double)0.3f * (double)a[i], 1e-6);
    memcpy(c, b, n * sizeof(float));
    kernels->silu_mul(a, c, n);
    for (i = 0; i < n; i++) {
        double x = (double)a[i], want = x / (1 + exp(-x)) * (double)b[i];
        CHECK_NEAR(c[i], want, 5e-7 * fabs(want) + 1e-35);
    }
    memcpy(c, b, n * sizeof(float));
    kernels->gelu_mul(a, c, n);
    for (i = 0; i < n; i++) {
        double x = (double)a[i], u = 0.79788456080286536 * (x + 0.044715 * x * x * x);
        double want = x / (1 + exp(-2 * u)) * (double)b[i];
        CHECK_NEAR(c[i], want, (5e-7 + 8e-7 * fabs(u)) * fabs(want) + 1e-35);
    }
    memcpy(c, a, n * sizeof(float));
    soft = kernels->softmax(c, n, 1.0f);
    CHECK(fabs((double)soft.top - most) <= 0);
    for (i = 0; i < n; i++) sum += exp((double)a[i] - most);
    CHECK_NEAR(soft.sum, sum, 1.5e-6 * sum);
    for (i = 0; i < n; i++) {
        double want = exp((double)a[i] - most) / sum;
        CHECK_NEAR(c[i], want, (1.5e-6 + 1.3e-7 * (most - (double)a[i])) * want);
    }
    CHECK(c[n] == 7.0f); /* nothing written behind the end */
    free(a);
    free(b);
    free(c);
}

TEST(vector_functions)
{
    int level;
    size_t n;
    for (level = SYN_SIMD_PLAIN; level < SYN_SIMD_LEVELS; level++) {
        const synp_kernels *kernels = synp_kernels_pick((syn_simd)level);
        for (n = 1; kernels && n < 70; n++) check_vectors(kernels, n);
        if (kernels) check_vectors(kernels, 1536);
    }
}

TEST(attention_functions)
{
    enum { COUNT = 39, STRIDE = 144 };
    float q[STRIDE], k[COUNT * STRIDE], out[STRIDE], weight[COUNT], score[COUNT];
    int level, i, j, n;
    for (i = 0; i < STRIDE; i++) q[i] = random_float();
    for (i = 0; i < COUNT * STRIDE; i++) k[i] = random_float();
    for (i = 0; i < COUNT; i++) weight[i] = random_float();
    for (level = SYN_SIMD_PLAIN; level < SYN_SIMD_LEVELS; level++) {
        const synp_kernels *kernels = synp_kernels_pick((syn_simd)level);
        for (n = 1; kernels && n <= STRIDE; n += n < 20 ? 1 : 9) {
            kernels->dots(q, k, STRIDE, COUNT, (size_t)n, score);
            for (i = 0; i < COUNT; i++) {
                float one = kernels->dot_f32(q, k + i * STRIDE, (size_t)n);
                CHECK(memcmp(&one, &score[i], sizeof one) == 0);
            }
            memcpy(out, q, sizeof out);
            kernels->mix(weight, k, STRIDE, COUNT, (size_t)n, out);
            for (j = 0; j < STRIDE; j++) {
                double want = (double)q[j], size = fabs(want);
                for (i = 0; i < COUNT && j < n; i++) {
                    want += (double)weight[i] * (double)k[i * STRIDE + j];
                    size += fabs((double)weight[i] * (double)k[i * STRIDE + j]);
                }
                CHECK_NEAR(out[j], want, (4.0 + sqrt((double)COUNT)) * 6e-8 * size);
            }
        }
    }
}

/* Four queries side by side have the bits of each alone; nothing is written beside them. */
static void check_queries(const synp_kernels *kernels, size_t n, size_t count)
{
    enum { SLABS = 3, KEYS = SLABS * SYNP_SLAB, STRIDE = 144, APART = KEYS + 5 };
    static float q[SYNP_QUERIES][STRIDE], k[KEYS * STRIDE], turned[KEYS * STRIDE];
    static float score[SYNP_QUERIES * APART], one[KEYS];
    static float out[SYNP_QUERIES][STRIDE], want[STRIDE];
    const float *ask[SYNP_QUERIES], *share[SYNP_QUERIES];
    float *to[SYNP_QUERIES];
    size_t i, j, m;
    for (i = 0; i < KEYS * STRIDE; i++) k[i] = random_float();
    for (m = 0; m < SYNP_QUERIES; m++)
        for (i = 0; i < STRIDE; i++) q[m][i] = out[m][i] = random_float();
    for (i = 0; i < KEYS; i++)
        for (j = 0; j < n; j++)
            turned[(i / SYNP_SLAB * n + j) * SYNP_SLAB + i % SYNP_SLAB] = k[i * STRIDE + j];
    for (i = 0; i < SYNP_QUERIES * APART; i++) score[i] = 7.0f;
    for (m = 0; m < SYNP_QUERIES; m++) {
        ask[m] = q[m];
        to[m] = out[m];
        share[m] = score + m * APART;
    }
    kernels->dots_turned(ask, turned, SLABS, n, score, APART);
    for (m = 0; m < SYNP_QUERIES; m++) {
        kernels->dots(q[m], k, STRIDE, KEYS, n, one);
        CHECK(memcmp(one, score + m * APART, sizeof one) == 0);
        for (i = KEYS; i < APART; i++) CHECK(score[m * APART + i] == 7.0f);
    }
    kernels->mix_many(share, k, STRIDE, count, n, to);
    for (m = 0; m < SYNP_QUERIES; m++) {
        memcpy(want, q[m], sizeof want);
        kernels->mix(share[m], k, STRIDE, count, n, want);
        CHECK(memcmp(want, out[m], sizeof want) == 0);
    }
}

TEST(queries_side_by_side_give_the_same_bits)
{
    int level, levels = 0;
    size_t n;
    for (level = SYN_SIMD_PLAIN; level < SYN_SIMD_LEVELS; level++) {
        const synp_kernels *kernels = synp_kernels_pick((syn_simd)level);
        if (!kernels || !kernels->dots_turned) continue;
        levels++;
        for (n = 1; n <= 144; n += n < 36 ? 1 : 12) check_queries(kernels, n, n % 48 + 1);
    }
    if (!levels) SKIP("plain C takes one query at a time");
}

TEST(half_floats_on_every_level)
{
    unsigned char *bits = (unsigned char *)malloc(2 * 65536);
    float *want = (float *)malloc(65536 * sizeof(float)),
          *got = (float *)malloc(65536 * sizeof(float));
    size_t i;
    int level;
    for (i = 0; i < 65536; i++) {
        bits[2 * i] = (unsigned char)(i & 255);
        bits[2 * i + 1] = (unsigned char)(i >> 8);
    }
    synp_floats_f16(bits, want, 65536);
    for (level = SYN_SIMD_PLAIN; level < SYN_SIMD_LEVELS; level++) {
        const synp_kernels *kernels = synp_kernels_pick((syn_simd)level);
        if (!kernels) continue;
        kernels->widen(syn_type_find(1), bits, got, 65535); /* not a multiple of a vector */
        for (i = 0; i < 65535; i++) {
            CHECK(memcmp(&got[i], &want[i], 4) == 0 || (got[i] != got[i] && want[i] != want[i]));
        }
    }
    free(bits);
    free(want);
    free(got);
}

/* ------------------------------------------------ threads */

typedef struct tally {
    uint32_t count[300];
    long sum;
} tally;

static void count_job(void *arg, int index)
{
    ((tally *)arg)->count[index]++;
}

TEST(pool_runs_each_job_once)
{
    static const int threads[] = {1, 2, 3, 4};
    syn_error err;
    int t, round, jobs, i;
    for (t = 0; t < 4; t++) {
        syn_pool pool;
        syn_parallel parallel;
        REQUIRE_OK(syn_pool_start(&pool, threads[t], &err), err);
        parallel = syn_pool_parallel(&pool);
        CHECK(parallel.threads == threads[t]);
        for (round = 0; round < 300; round++) {
            tally tallied;
            memset(&tallied, 0, sizeof tallied);
            jobs = (int)(random_bits() % 300);
            if (round == 7) { /* let the workers fall asleep */
                clock_t until = clock() + CLOCKS_PER_SEC / 50;
                while (clock() < until) {}
            }
            parallel.run(parallel.user, jobs, count_job, &tallied);
            for (i = 0; i < 300; i++) CHECK(tallied.count[i] == (uint32_t)(i < jobs));
        }
        syn_pool_stop(&pool);
    }
}

TEST(pool_refuses_silly_numbers)
{
    syn_pool pool;
    syn_error err;
    CHECK_FAILS(syn_pool_start(&pool, 0, &err), SYN_ERROR_ARGUMENT, err);
    CHECK_FAILS(syn_pool_start(&pool, SYN_POOL_THREADS + 1, &err), SYN_ERROR_ARGUMENT, err);
    syn_pool_stop(&pool);
}

TEST_MAIN("kernels")
