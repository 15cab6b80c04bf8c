/* lanes.c - products in blocks that stay in cache, and the loops of lanes_body.h, for each
   level. */
#include "learn/lanes.h"

#include <float.h>
#include <math.h>
#include <string.h>

#if (defined(__x86_64__) || defined(__i386__)) && (defined(__GNUC__) || defined(__clang__)) &&     \
    !defined(LEARN_PLAIN)
#define LANES_X86
#include <immintrin.h>
#elif defined(__aarch64__) && defined(__ARM_NEON) && !defined(LEARN_PLAIN)
#define LANES_ARM
#include <arm_neon.h>
#endif

#if defined(__clang__)
#define LANES_UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__)
#define LANES_UNROLL _Pragma("GCC unroll 16")
#else
#define LANES_UNROLL
#endif

/* The nearest whole number without a branch, which would not become a vector: what is added to
   1.5 2^23 loses its fraction, unless numbers have more bits on their way (x87). */
#if FLT_EVAL_METHOD == 0
#define LANES_WHOLE(x) ((x) + 12582912.0f - 12582912.0f)
#else
#define LANES_WHOLE(x) floorf((x) + 0.5f)
#endif

/* ---- tiles ---------------------------------------------------------------------------- */

/* A tile of MR rows and NV vectors of W columns, all of it in registers: every step over `depth`
   broadcasts a number of each row of a and multiplies it into the vectors of b. Rows that do not
   exist repeat the last one, in a buffer that takes the place of c at the edges. */
#define LANES_TILE(name, TARGET, V, W, MR, NV, ZERO, LOAD, STORE, SET1, FMA)                       \
    TARGET static void name(size_t depth, const float *a, size_t a_row, size_t a_col, size_t rows, \
                            const float *b, float *c, size_t c_row, bool add)                      \
    {                                                                                              \
        const float *row[MR];                                                                      \
        V sum[MR][NV];                                                                             \
        LANES_UNROLL                                                                               \
        for (size_t i = 0; i < MR; i++) row[i] = a + (i < rows ? i : rows - 1) * a_row;            \
        LANES_UNROLL                                                                               \
        for (size_t i = 0; i < MR; i++) {                                                          \
            LANES_UNROLL                                                                           \
            for (size_t j = 0; j < NV; j++) sum[i][j] = add ? LOAD(c + i * c_row + j * W) : ZERO;  \
        }                                                                                          \
        for (size_t k = 0, at = 0; k < depth; k++, at += a_col, b += NV * W) {                     \
            V from[NV];                                                                            \
            LANES_UNROLL                                                                           \
            for (size_t j = 0; j < NV; j++) from[j] = LOAD(b + j * W);                             \
            LANES_UNROLL                                                                           \
            for (size_t i = 0; i < MR; i++) {                                                      \
                const V one = SET1(row[i][at]);                                                    \
                LANES_UNROLL                                                                       \
                for (size_t j = 0; j < NV; j++) sum[i][j] = FMA(one, from[j], sum[i][j]);          \
            }                                                                                      \
        }                                                                                          \
        LANES_UNROLL                                                                               \
        for (size_t i = 0; i < MR; i++) {                                                          \
            LANES_UNROLL                                                                           \
            for (size_t j = 0; j < NV; j++) STORE(c + i * c_row + j * W, sum[i][j]);               \
        }                                                                                          \
    }

#if defined(__GNUC__)
#define LANES_FETCH(at) __builtin_prefetch(at)
#define LANES_FETCH_TO_WRITE(at) __builtin_prefetch(at, 1)
#else
#define LANES_FETCH(at) ((void)(at))
#define LANES_FETCH_TO_WRITE(at) ((void)(at))
#endif

enum { PACK_AHEAD = 16 }; /* rows: about the time until a line comes from the third cache */

/* Rows of NV vectors of W columns, on their way into a panel. */
#define LANES_COPY(name, TARGET, V, W, NV, LOAD, STORE)                                            \
    TARGET static void name(const float *from, size_t row, size_t rows, float *to)                 \
    {                                                                                              \
        for (size_t i = 0; i < rows; i++, from += row, to += NV * W) {                             \
            if (i + PACK_AHEAD < rows) {                                                           \
                LANES_FETCH(from + PACK_AHEAD * row);                                              \
                LANES_FETCH(from + PACK_AHEAD * row + NV * W - 1);                                 \
            }                                                                                      \
            LANES_UNROLL                                                                           \
            for (size_t j = 0; j < NV; j++) {                                                      \
                const V some = LOAD(from + j * W);                                                 \
                STORE(to + j * W, some);                                                           \
            }                                                                                      \
        }                                                                                          \
    }

#define LANES_PLAIN_LOAD(p) (*(p))
#define LANES_PLAIN_STORE(p, x) (*(p) = (x))
#define LANES_PLAIN_SET1(x) (x)
#define LANES_PLAIN_FMA(x, y, z) ((x) * (y) + (z))

LANES_TILE(tile_plain, , float, 1, 4, 4, 0.0f, LANES_PLAIN_LOAD, LANES_PLAIN_STORE,
           LANES_PLAIN_SET1, LANES_PLAIN_FMA)
LANES_COPY(copy_plain, , float, 1, 4, LANES_PLAIN_LOAD, LANES_PLAIN_STORE)

#define LANES_TARGET
#define LANES_NAME(x) x##_plain
#define LANES_LEVEL SYN_SIMD_PLAIN
#define LANES_TILE_MR 4
#define LANES_TILE_FEW 4
#define LANES_TILE_NR 4
#define LANES_TILE_NARROW 4
#define tile_narrow_plain tile_plain
#define tile_few_plain tile_plain
#define tile_few_narrow_plain tile_plain
#define copy_narrow_plain copy_plain
#include "learn/lanes_body.h"
#undef LANES_TARGET
#undef LANES_NAME
#undef LANES_LEVEL
#undef LANES_TILE_MR
#undef LANES_TILE_FEW
#undef LANES_TILE_NR
#undef LANES_TILE_NARROW

#if defined(LANES_X86)

#define LANES_AVX2 __attribute__((target("avx2,fma")))
#define LANES_AVX512 __attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")))

#define LANES_TILE_AVX2(name, MR, NV)                                                              \
    LANES_TILE(name, LANES_AVX2, __m256, 8, MR, NV, _mm256_setzero_ps(), _mm256_loadu_ps,          \
               _mm256_storeu_ps, _mm256_set1_ps, _mm256_fmadd_ps)
#define LANES_TILE_AVX512(name, MR, NV)                                                            \
    LANES_TILE(name, LANES_AVX512, __m512, 16, MR, NV, _mm512_setzero_ps(), _mm512_loadu_ps,       \
               _mm512_storeu_ps, _mm512_set1_ps, _mm512_fmadd_ps)

LANES_TILE_AVX2(tile_avx2, 6, 2)
LANES_TILE_AVX2(tile_narrow_avx2, 6, 1)
LANES_TILE_AVX2(tile_few_avx2, 4, 2)
LANES_TILE_AVX2(tile_few_narrow_avx2, 4, 1)
LANES_TILE_AVX512(tile_avx512, 12, 2)
LANES_TILE_AVX512(tile_narrow_avx512, 12, 1)
LANES_TILE_AVX512(tile_few_avx512, 8, 2)
LANES_TILE_AVX512(tile_few_narrow_avx512, 8, 1)
LANES_COPY(copy_avx2, LANES_AVX2, __m256, 8, 2, _mm256_loadu_ps, _mm256_storeu_ps)
LANES_COPY(copy_narrow_avx2, LANES_AVX2, __m256, 8, 1, _mm256_loadu_ps, _mm256_storeu_ps)
LANES_COPY(copy_avx512, LANES_AVX512, __m512, 16, 2, _mm512_loadu_ps, _mm512_storeu_ps)
LANES_COPY(copy_narrow_avx512, LANES_AVX512, __m512, 16, 1, _mm512_loadu_ps, _mm512_storeu_ps)

#define LANES_TARGET LANES_AVX2
#define LANES_NAME(x) x##_avx2
#define LANES_LEVEL SYN_SIMD_AVX2
#define LANES_TILE_MR 6
#define LANES_TILE_FEW 4
#define LANES_TILE_NR 16
#define LANES_TILE_NARROW 8
#include "learn/lanes_body.h"
#undef LANES_TARGET
#undef LANES_NAME
#undef LANES_LEVEL
#undef LANES_TILE_MR
#undef LANES_TILE_FEW
#undef LANES_TILE_NR
#undef LANES_TILE_NARROW

#define LANES_TARGET LANES_AVX512
#define LANES_NAME(x) x##_avx512
#define LANES_LEVEL SYN_SIMD_AVX512
#define LANES_TILE_MR 12
#define LANES_TILE_FEW 8
#define LANES_TILE_NR 32
#define LANES_TILE_NARROW 16
#include "learn/lanes_body.h"
#undef LANES_TARGET
#undef LANES_NAME
#undef LANES_LEVEL
#undef LANES_TILE_MR
#undef LANES_TILE_FEW
#undef LANES_TILE_NR
#undef LANES_TILE_NARROW

#elif defined(LANES_ARM)

#define LANES_NEON_FMA(x, y, z) vfmaq_f32(z, x, y)
#define LANES_TILE_NEON(name, MR, NV)                                                              \
    LANES_TILE(name, , float32x4_t, 4, MR, NV, vdupq_n_f32(0), vld1q_f32, vst1q_f32, vdupq_n_f32,  \
               LANES_NEON_FMA)

LANES_TILE_NEON(tile_neon, 8, 2)
LANES_TILE_NEON(tile_narrow_neon, 8, 1)
LANES_TILE_NEON(tile_few_neon, 4, 2)
LANES_TILE_NEON(tile_few_narrow_neon, 4, 1)
LANES_COPY(copy_neon, , float32x4_t, 4, 2, vld1q_f32, vst1q_f32)
LANES_COPY(copy_narrow_neon, , float32x4_t, 4, 1, vld1q_f32, vst1q_f32)

#define LANES_TARGET
#define LANES_NAME(x) x##_neon
#define LANES_LEVEL SYN_SIMD_NEON
#define LANES_TILE_MR 8
#define LANES_TILE_FEW 4
#define LANES_TILE_NR 8
#define LANES_TILE_NARROW 4
#include "learn/lanes_body.h"
#undef LANES_TARGET
#undef LANES_NAME
#undef LANES_LEVEL
#undef LANES_TILE_MR
#undef LANES_TILE_FEW
#undef LANES_TILE_NR
#undef LANES_TILE_NARROW

#endif

const lanes *lanes_of(syn_simd level)
{
#if defined(LANES_X86)
    if ((!level || level == SYN_SIMD_AVX512) && syn_simd_name(SYN_SIMD_AVX512))
        return &lanes_avx512;
    if ((!level || level == SYN_SIMD_AVX2) && syn_simd_name(SYN_SIMD_AVX2)) return &lanes_avx2;
#elif defined(LANES_ARM)
    if (level != SYN_SIMD_PLAIN) return &lanes_neon;
#endif
    (void)level;
    return &lanes_plain;
}

/* ---- products ------------------------------------------------------------------------- */

#if defined(__SSE__) && !defined(LEARN_PLAIN)
#include <xmmintrin.h>
/* to (4, 4) = from (4, 4) turned over; strides in floats */
static inline void turn_four(const float *from, size_t from_row, float *to, size_t to_row)
{
    __m128 a = _mm_loadu_ps(from), b = _mm_loadu_ps(from + from_row);
    __m128 c = _mm_loadu_ps(from + 2 * from_row), d = _mm_loadu_ps(from + 3 * from_row);
    _MM_TRANSPOSE4_PS(a, b, c, d);
    _mm_storeu_ps(to, a);
    _mm_storeu_ps(to + to_row, b);
    _mm_storeu_ps(to + 2 * to_row, c);
    _mm_storeu_ps(to + 3 * to_row, d);
}
#else
static inline void turn_four(const float *from, size_t from_row, float *to, size_t to_row)
{
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 4; j++) to[i * to_row + j] = from[j * from_row + i];
}
#endif

/* Columns of b as the tiles read them: (depth, width), zeros behind the last column. Widths are
   multiples of four. */
static void pack(const lanes *l, const product *p, size_t k, size_t depth, size_t col, size_t cols,
                 size_t width, float *to)
{
    const float *from = p->b + k * p->b_row + col * p->b_col;
    const size_t cols_by_four = cols / 4 * 4, depth_by_four = depth / 4 * 4;
    if (p->b_col == 1 && cols == width) {
        l->copy[width < l->nr[0]](from, p->b_row, depth, to);
        return;
    }
    if (p->b_row == 1) {
        for (size_t j = 0; j < cols_by_four; j += 4) {
            for (size_t i = 0; i < depth_by_four; i += 4)
                turn_four(from + j * p->b_col + i, p->b_col, to + i * width + j, width);
            for (size_t i = depth_by_four; i < depth; i++)
                for (size_t c = j; c < j + 4; c++) to[i * width + c] = from[c * p->b_col + i];
        }
    }
    for (size_t j = p->b_row == 1 ? cols_by_four : 0; j < width; j++)
        for (size_t i = 0; i < depth; i++)
            to[i * width + j] = j < cols ? from[j * p->b_col + i * p->b_row] : 0;
}

/* A tile at the edge: in a buffer, of which only what exists goes to c. */
static void edge_tile(lanes_tile_fn *tile, const product *p, size_t depth, const float *a,
                      size_t rows, size_t cols, size_t width, const float *b, float *c, bool add)
{
    float whole[LANES_MR * LANES_NR];
    memset(whole, 0, sizeof whole);
    for (size_t i = 0; i < rows && add; i++)
        memcpy(whole + i * width, c + i * p->c_row, cols * sizeof *c);
    tile(depth, a, p->a_row, p->a_col, rows, b, whole, width, add);
    for (size_t i = 0; i < rows; i++) memcpy(c + i * p->c_row, whole + i * width, cols * sizeof *c);
}

/* A tile of c is written when its sums are done: until then it has come from the third cache. */
static void fetch_tile(const product *p, size_t rows, size_t cols, float *c)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < cols; j += 16) LANES_FETCH_TO_WRITE(c + i * p->c_row + j);
}

/* Rows m0 .. m1 and columns n0 .. n1 of a product. A panel of b, LANES_DEPTH by a tile's width, is
   packed once and stays in the first cache while all rows pass by. */
static void product_part(const lanes *l, const product *p, size_t m0, size_t m1, size_t n0,
                         size_t n1)
{
    float room[LANES_DEPTH * LANES_NR + LANES_LINE], *panel = lanes_aligned(room);
    for (size_t k = 0; k < p->depth; k += LANES_DEPTH) {
        const size_t depth = p->depth - k < LANES_DEPTH ? p->depth - k : LANES_DEPTH;
        const bool add = p->add || k > 0;
        for (size_t n = n0, width; n < n1; n += width) {
            const bool narrow = n1 - n <= l->nr[1];
            width = l->nr[narrow];
            const size_t cols = n1 - n < width ? n1 - n : width;
            pack(l, p, k, depth, n, cols, width, panel);
            for (size_t m = m0, rows; m < m1; m += rows) {
                const bool few = m1 - m <= l->mr[1];
                lanes_tile_fn *tile = l->tile[few][narrow];
                rows = m1 - m < l->mr[few] ? m1 - m : l->mr[few];
                const float *a = p->a + m * p->a_row + k * p->a_col;
                float *c = p->c + m * p->c_row + n;
                fetch_tile(p, rows, cols, c);
                if (rows == l->mr[few] && cols == width)
                    tile(depth, a, p->a_row, p->a_col, rows, panel, c, p->c_row, add);
                else edge_tile(tile, p, depth, a, rows, cols, width, panel, c, add);
            }
        }
    }
}

void lanes_product_alone(const lanes *l, const product *p)
{
    product_part(l, p, 0, p->m, 0, p->n);
}

void lanes_run(const syn_parallel *parallel, size_t jobs, syn_job_fn *job, void *arg)
{
    enum { MOST = 16384 }; /* a pool counts jobs in 16 bits; the jobs of one thread are few */
    if (parallel->run && jobs > 1 && jobs <= MOST) {
        parallel->run(parallel->user, (int)jobs, job, arg);
        return;
    }
    for (size_t i = 0; i < jobs; i++) job(arg, (int)i);
}

typedef struct product_jobs {
    const lanes *l;
    const product *p;
    size_t rows, cols, across;
} product_jobs;

static void product_job(void *arg, int index)
{
    const product_jobs *j = arg;
    const size_t m = (size_t)index / j->across * j->rows, n = (size_t)index % j->across * j->cols;
    const size_t m1 = m + j->rows < j->p->m ? m + j->rows : j->p->m;
    const size_t n1 = n + j->cols < j->p->n ? n + j->cols : j->p->n;
    product_part(j->l, j->p, m, m1, n, n1);
}

/* Parts of at most 512 rows, and of one that threads share about eight at least. More rows a part
   pack b less often; what an element is summed of does not depend on its part. */
void lanes_product(const lanes *l, const syn_parallel *parallel, const product *p)
{
    product_jobs j = {l, p, 0, 0, 0};
    size_t rows = parallel->run ? (p->m + 3) / 4 : p->m;
    if (rows > 512) rows = 512;
    if (rows < l->mr[0]) rows = l->mr[0];
    j.rows = (rows + l->mr[0] - 1) / l->mr[0] * l->mr[0];
    j.cols = p->n <= 256 ? (p->n + 1) / 2 : 256;
    j.cols = (j.cols + l->nr[0] - 1) / l->nr[0] * l->nr[0];
    j.across = (p->n + j.cols - 1) / j.cols;
    lanes_run(parallel, (p->m + j.rows - 1) / j.rows * j.across, product_job, &j);
}
