/* test_learn.c - the arithmetic of training, on a model made here: products at every level, the
   gradient beside differences of the loss, the order of jobs, rows that share their beginning, and
   what may be left out. Against PyTorch stands cli_learn.sh. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"

#include "../tools/learn/lanes.c"

#include "../tools/learn/attention.c"
#include "../tools/learn/net_pass.c"

/* ---- what these need of the rest of the program ------------------------------------------ */

const char *syn_simd_name(syn_simd level)
{
#if defined(LANES_X86)
    if (level == SYN_SIMD_AVX512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
                   ? "AVX-512"
                   : NULL;
    if (level == SYN_SIMD_AVX2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? "AVX2" : NULL;
#endif
    return level == SYN_SIMD_PLAIN ? "plain" : NULL;
}

void *tool_alloc(size_t count, size_t bytes_each)
{
    void *at = calloc(count ? count : 1, bytes_each);
    if (!at) exit(1);
    return at;
}

double clock_seconds(void)
{
    return 0;
}

void progress_step(progress *p, double done)
{
    (void)p;
    (void)done;
}

float *net_part(const net *n, float *array, size_t layer, syn_part part)
{
    const size_t at = n->at[layer * SYN_PARTS + (size_t)part];
    return at == NET_NONE || !array ? NULL : array + at;
}

float *net_global(const net *n, float *array, syn_global global)
{
    return n->global_at[global] == NET_NONE || !array ? NULL : array + n->global_at[global];
}

static float *all_weights; /* of the model that does not hold them */

void net_read_layer(const net *n, size_t layer, const syn_parallel *parallel, float *to)
{
    (void)parallel;
    memcpy(to, all_weights + n->layer_at[layer],
           (n->layer_at[layer + 1] - n->layer_at[layer]) * sizeof *to);
}

void net_embedding(const net *n, size_t id, float *to)
{
    memcpy(to, n->weight + n->global_at[SYN_TOKEN_EMBD] + id * n->embd, n->embd * sizeof *to);
}

size_t net_positions(const net_rows *r)
{
    size_t count = 0;
    for (size_t p = 0; p < r->rows; p++)
        for (size_t t = 1; t < r->length; t++) count += r->ids[p * r->length + t] >= 0;
    return count;
}

/* ---- a model ------------------------------------------------------------------------------ */

static uint32_t bits = 1;

static float number(void) /* -1 to 1 */
{
    bits = bits * 1664525u + 1013904223u;
    return (float)(bits >> 8) / 8388608.0f - 1.0f;
}

enum { LAYERS = 2, EMBD = 24, HEADS = 4, KV = 2, SIZE = 6, FF = 20, VOCAB = 31, PARAMS = 64 };

typedef struct model {
    net n;
    syn_parallel parallel;
    syn_real freq[SIZE / 2];
    size_t at[LAYERS * SYN_PARTS], layer_at[LAYERS + 1];
    size_t from[PARAMS], count[PARAMS], params; /* tensors */
} model;

static void tensor(model *m, size_t *at, size_t cols, size_t rows)
{
    m->from[m->params] = *at = m->n.parameters;
    m->count[m->params++] = cols * rows;
    m->n.parameters += cols * rows;
}

/* Every tensor that the passes know, but for biases of the feed-forward part. */
static void model_open(model *m)
{
    static const struct {
        syn_part part;
        size_t cols, rows;
    } part[] = {{SYN_ATTN_NORM, EMBD, 1},
                {SYN_ATTN_Q, EMBD, HEADS * SIZE},
                {SYN_ATTN_K, EMBD, KV * SIZE},
                {SYN_ATTN_V, EMBD, KV * SIZE},
                {SYN_ATTN_Q_BIAS, HEADS * SIZE, 1},
                {SYN_ATTN_K_BIAS, KV * SIZE, 1},
                {SYN_ATTN_V_BIAS, KV * SIZE, 1},
                {SYN_ATTN_Q_NORM, SIZE, 1},
                {SYN_ATTN_K_NORM, SIZE, 1},
                {SYN_ATTN_OUTPUT, HEADS * SIZE, EMBD},
                {SYN_FFN_NORM, EMBD, 1},
                {SYN_FFN_GATE, EMBD, FF},
                {SYN_FFN_UP, EMBD, FF},
                {SYN_FFN_DOWN, FF, EMBD}};
    net *n = &m->n;
    memset(m, 0, sizeof *m);
    n->layers = LAYERS;
    n->embd = EMBD;
    n->heads = HEADS;
    n->kv_heads = KV;
    n->key = n->value = n->rope = SIZE;
    n->ff = FF;
    n->vocab = VOCAB;
    n->q_size = n->heads_size = HEADS * SIZE;
    n->k_size = n->v_size = KV * SIZE;
    n->l = lanes_of(SYN_SIMD_AUTO);
    n->parallel = &m->parallel;
    n->at = m->at;
    n->layer_at = m->layer_at;
    n->file.model.norm_eps = 1e-5f;
    n->file.model.attn_scale = 0.4f;
    n->file.model.rope_amplitude = 1;
    n->file.model.rope_freq = m->freq;
    for (size_t i = 0; i < SIZE / 2; i++) m->freq[i] = (syn_real)pow(0.1, (double)i);
    for (size_t i = 0; i < LAYERS * SYN_PARTS; i++) m->at[i] = NET_NONE;
    for (size_t i = 0; i < SYN_GLOBALS; i++) n->global_at[i] = NET_NONE;
    tensor(m, &n->global_at[SYN_TOKEN_EMBD], EMBD, VOCAB);
    tensor(m, &n->global_at[SYN_OUTPUT_NORM], EMBD, 1);
    for (size_t i = 0; i < LAYERS; i++) {
        m->layer_at[i] = n->parameters;
        for (size_t k = 0; k < sizeof part / sizeof *part; k++)
            tensor(m, &m->at[i * SYN_PARTS + (size_t)part[k].part], part[k].cols, part[k].rows);
    }
    m->layer_at[LAYERS] = n->held = n->parameters;
    n->weight = (float *)tool_alloc(n->parameters, sizeof *n->weight);
    for (size_t i = 0; i < n->parameters; i++) n->weight[i] = 0.5f * number();
}

static void run_backwards(void *user, int jobs, syn_job_fn *job, void *arg)
{
    (void)user;
    for (int i = jobs; i-- > 0;) job(arg, i);
}

/* The loss of rows and, where asked for, its gradient. */
static double run(model *m, const net_rows *r, size_t count, net_wants wants, float *gradient)
{
    net_pass *pass = net_pass_open(&m->n, r->length + 3, r->rows, NET_TO_WEIGHTS);
    wants.gradient = gradient;
    if (gradient) memset(gradient, 0, m->n.parameters * sizeof *gradient);
    const double loss = net_run(pass, r, count, &wants);
    net_pass_close(pass);
    return loss;
}

/* As they are stored: a register of the x87 has more bits. */
static bool same(double a, double b)
{
    const volatile double x = a, y = b;
    return x == y;
}

static const net_wants all_of_it = {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL};

static void random_rows(int32_t *ids, float *weights, size_t rows, size_t length)
{
    for (size_t i = 0; i < rows * length; i++) {
        ids[i] = (int32_t)((double)VOCAB * (0.5 + 0.499 * (double)number()));
        weights[i] = number();
    }
    for (size_t i = length - 3; i < length; i++) ids[i] = -1; /* the first one ends early */
}

/* ---- tests -------------------------------------------------------------------------------- */

TEST(products_of_every_shape)
{
    enum { M = 37, N = 45, D = 200 };
    static float a[M * D], b[D * N], c[M * N], parts[M * N];
    const syn_simd level[] = {SYN_SIMD_PLAIN, SYN_SIMD_AVX2, SYN_SIMD_AVX512, SYN_SIMD_NEON};
    for (size_t i = 0; i < M * D; i++) a[i] = number();
    for (size_t i = 0; i < D * N; i++) b[i] = number();
    for (size_t k = 0; k < sizeof level / sizeof *level; k++)
        for (int turned = 0; turned < 4; turned++) {
            const lanes *l = lanes_of(level[k]);
            const size_t ar = turned & 1 ? 1 : D, ac = turned & 1 ? M : 1;
            const size_t br = turned & 2 ? 1 : N, bc = turned & 2 ? D : 1;
            const product p = {M, N, D, a, ar, ac, b, br, bc, c, N, true};
            product q = p;
            double worst = 0;
            q.c = parts;
            for (size_t i = 0; i < M * N; i++) c[i] = parts[i] = 1;
            const syn_parallel backwards = {run_backwards, NULL, 3};
            lanes_product_alone(l, &p);
            lanes_product(l, &backwards, &q);
            for (size_t i = 0; i < M; i++)
                for (size_t j = 0; j < N; j++) {
                    double sum = 1;
                    for (size_t d = 0; d < D; d++)
                        sum += (double)a[i * ar + d * ac] * (double)b[d * br + j * bc];
                    const double off = fabs(sum - (double)c[i * N + j]);
                    if (!(off <= worst)) worst = off;
                }
            CHECK(worst < 1e-4);
            CHECK(!memcmp(c, parts, sizeof c));
        }
}

TEST(a_gradient_is_what_differences_say)
{
    enum { ROWS = 3, LENGTH = 11 };
    int32_t ids[ROWS * LENGTH];
    float weights[ROWS * LENGTH];
    model m;
    model_open(&m);
    random_rows(ids, weights, ROWS, LENGTH);
    const net_rows r = {ids, weights, ROWS, LENGTH, NULL};
    float *gradient = (float *)tool_alloc(m.n.parameters, sizeof *gradient);
    run(&m, &r, 0, all_of_it, gradient);
    for (size_t k = 0; k < m.params; k++) {
        double largest = 0, worst = 0;
        for (size_t i = 0; i < m.count[k]; i++)
            if (fabs((double)gradient[m.from[k] + i]) > largest)
                largest = fabs((double)gradient[m.from[k] + i]);
        for (size_t i = 0; i < 2; i++) {
            const size_t at = m.from[k] + (i * 7919 + k) % m.count[k];
            const float kept = m.n.weight[at], step = 0.01f;
            m.n.weight[at] = kept + step;
            const double up = run(&m, &r, 0, all_of_it, NULL);
            m.n.weight[at] = kept - step;
            const double down = run(&m, &r, 0, all_of_it, NULL);
            m.n.weight[at] = kept;
            const double off = fabs((up - down) / (2 * (double)step) - (double)gradient[at]);
            if (!(off <= worst)) worst = off;
        }
        /* what a product of three steps of a hundredth, and of floats, may be off */
        CHECK_NEAR(worst, 0, 0.03 * largest + 5e-4);
        CHECK(largest > 1e-4);
    }
    free(gradient);
    free(m.n.weight);
}

/* Neither the order of jobs, nor rows that were there before, nor what is left out, is seen. */
TEST(the_same_bits)
{
    enum { ROWS = 22, LENGTH = 29 }; /* two groups, in two slots */
    static int32_t ids[ROWS * LENGTH];
    static float weights[ROWS * LENGTH];
    static bool wanted_tokens[ROWS * LENGTH];
    model m;
    bool *parts;
    model_open(&m);
    random_rows(ids, weights, ROWS, LENGTH);
    for (size_t i = 0; i < ROWS * LENGTH; i++) {
        wanted_tokens[i] = i % LENGTH > 19;
        if (!wanted_tokens[i]) weights[i] = 0;
    }
    const net_rows r = {ids, weights, ROWS, LENGTH, NULL};
    float *whole = (float *)tool_alloc(m.n.parameters, sizeof *whole);
    float *other = (float *)tool_alloc(m.n.parameters, sizeof *other);
    const double loss = run(&m, &r, 0, all_of_it, whole);
    const syn_parallel backwards = {run_backwards, NULL, 3};
    m.parallel = backwards;
    CHECK(same(run(&m, &r, 0, all_of_it, other), loss));
    CHECK(!memcmp(whole, other, m.n.parameters * sizeof *whole));

    /* memory that was made for longer rows */
    net_pass *pass = net_pass_open(&m.n, 2 * LENGTH, ROWS, NET_TO_WEIGHTS);
    net_wants wants = all_of_it;
    wants.gradient = other;
    memset(other, 0, m.n.parameters * sizeof *other);
    CHECK(same(net_run(pass, &r, 0, &wants), loss));
    CHECK(!memcmp(whole, other, m.n.parameters * sizeof *whole));
    net_pass_close(pass);

    /* the query and output weights of the upper layer, from the tokens that weigh something */
    parts = (bool *)tool_alloc(LAYERS * SYN_PARTS, sizeof *parts);
    parts[SYN_PARTS + SYN_ATTN_Q] = parts[SYN_PARTS + SYN_ATTN_OUTPUT] = true;
    wants = all_of_it;
    wants.parts = parts;
    wants.tokens = wanted_tokens;
    CHECK(same(run(&m, &r, 0, wants, other), loss));
    for (size_t i = 0; i < LAYERS * SYN_PARTS; i++) {
        if (m.at[i] == NET_NONE) continue;
        const size_t count = i % SYN_PARTS == SYN_ATTN_Q || i % SYN_PARTS == SYN_ATTN_OUTPUT
                                 ? EMBD * HEADS * SIZE
                                 : 1;
        const bool same = !memcmp(whole + m.at[i], other + m.at[i], count * sizeof *whole);
        CHECK(same == parts[i]);
    }
    free(parts);
    free(whole);
    free(other);
    free(m.n.weight);
}

/* Without weights' gradients, and with layers that are read when they are needed. */
TEST(gains_alone)
{
    enum { ROWS = 22, LENGTH = 29, GAINS = ROWS * LAYERS * HEADS };
    static int32_t ids[ROWS * LENGTH];
    static float weights[ROWS * LENGTH];
    static double gains[GAINS], other[GAINS];
    model m;
    model_open(&m);
    random_rows(ids, weights, ROWS, LENGTH);
    const net_rows r = {ids, weights, ROWS, LENGTH, NULL};
    float *gradient = (float *)tool_alloc(m.n.parameters, sizeof *gradient);
    net_wants wants = all_of_it;
    wants.gains = gains;
    const double loss = run(&m, &r, 0, wants, gradient);
    all_weights = m.n.weight;
    m.n.weight = (float *)tool_alloc(m.layer_at[0], sizeof *m.n.weight);
    memcpy(m.n.weight, all_weights, m.layer_at[0] * sizeof *m.n.weight);
    float *const few = m.n.weight;
    for (int apart = 0; apart < 2; apart++) {
        m.n.held = apart ? m.layer_at[0] : m.n.parameters;
        m.n.weight = apart ? few : all_weights;
        net_pass *pass = net_pass_open(&m.n, LENGTH, ROWS, NET_TO_HEADS);
        wants.gains = other;
        memset(other, 0, sizeof other);
        CHECK(same(net_run(pass, &r, 0, &wants), loss));
        CHECK(!memcmp(gains, other, sizeof gains));
        net_pass_close(pass);
    }
    CHECK(net_pass_bytes(&m.n, LENGTH, ROWS, NET_TO_HEADS) <
          net_pass_bytes(&m.n, LENGTH, ROWS, NET_TO_WEIGHTS));
    free(gradient);
    free(m.n.weight);
    free(all_weights);
}

/* Three texts in a row of one beginning, and as rows of their own. */
TEST(texts_that_begin_alike)
{
    enum { TEXTS = 3, STEM = 70, REST = 9, APART = STEM + REST, JOINED = STEM + TEXTS * REST + 2 };
    int32_t apart[TEXTS * APART], joined[JOINED];
    float w_apart[TEXTS * APART] = {0}, w_joined[JOINED] = {0};
    float nll_apart[TEXTS * APART] = {0}, nll_joined[JOINED] = {0};
    size_t start[JOINED], stem = STEM;
    model m;
    model_open(&m);
    for (size_t i = 0; i < JOINED; i++) {
        joined[i] = (int32_t)((i * 17 + i / 5) % VOCAB);
        start[i] = i < STEM ? 0 : STEM + (i - STEM) / REST * REST;
    }
    for (size_t i = JOINED - 2; i < JOINED; i++) {
        joined[i] = -1;
        start[i] = i;
    }
    for (size_t a = 0; a < TEXTS; a++) {
        memcpy(apart + a * APART, joined, STEM * sizeof *apart);
        for (size_t i = 0; i < REST; i++) {
            const size_t from = STEM + a * REST + i, to = a * APART + STEM + i;
            apart[to] = joined[from];
            if (i) w_apart[to] = w_joined[from] = number();
        }
    }
    const net_branches branches = {&stem, start};
    const net_rows rows_apart = {apart, w_apart, TEXTS, APART, NULL};
    const net_rows row_joined = {joined, w_joined, 1, JOINED, &branches};
    float *one = (float *)tool_alloc(m.n.parameters, sizeof *one);
    float *two = (float *)tool_alloc(m.n.parameters, sizeof *two);
    net_wants wants = all_of_it;
    wants.nll = nll_apart;
    const double loss = run(&m, &rows_apart, 100, wants, one);
    wants.nll = nll_joined;
    CHECK_NEAR(run(&m, &row_joined, 100, wants, two), loss, 1e-6);
    for (size_t a = 0; a < TEXTS; a++)
        for (size_t i = 1; i < REST; i++)
            CHECK_NEAR((double)nll_joined[STEM + a * REST + i],
                       (double)nll_apart[a * APART + STEM + i], 2e-5);
    for (size_t k = 0; k < m.params; k++) {
        double largest = 0, worst = 0;
        for (size_t i = m.from[k]; i < m.from[k] + m.count[k]; i++) {
            const double off = fabs((double)one[i] - (double)two[i]);
            if (!(off <= worst)) worst = off;
            if (fabs((double)one[i]) > largest) largest = fabs((double)one[i]);
        }
        CHECK(largest > 0);
        CHECK_NEAR(worst / largest, 0, 2e-5);
    }
    free(one);
    free(two);
    free(m.n.weight);
}

TEST_MAIN("learning")
