/* Interventions: weight noise against weights that were changed, means in place of outputs, steps
   that start above an edit, ablated work that is skipped, attention to the first token. */
#define SYNERGY_NO_PHIID
#define SYNERGY_IMPLEMENTATION
#include "synergy.h"

#include "model_case.h"

static const char *const cases[] = {
    "llama",
    "llama-f16",
    "llama-tied-q4_1",
    "gemma3",
    "gemma3-f16",
    "gemma3-q4_k",
    "qwen2-q4_0",
    "qwen3-bf16",
    "gemma2-tiny",
    "gptneox-f16",
    "gptneox-seq-tiny",
    "gpt2-iq4_nl",
    "llama-moe-q5_1",
    "qwen3moe-tiny",
    "deepseek2-tiny",
    "deepseek2-kvb-tiny",
    "deepseek2-q8_0",
    "olmo2",
    "phi3",
    "starcoder2",
};
enum { CASES = sizeof cases / sizeof cases[0], TOKENS = 12 };

static void for_each_case(void (*body)(model_case *c))
{
    case_each(cases, CASES, 16, NULL, body);
}

/* Feeds TOKENS ids at once from position 0 and keeps the logits. */
static float *logits_of(model_case *c, syn_context *ctx)
{
    const size_t bytes = (size_t)TOKENS * c->model.vocab * sizeof(float);
    float *logits = (float *)malloc(bytes);
    int32_t ids[TOKENS];
    syn_error err;
    size_t i;
    for (i = 0; i < TOKENS; i++) ids[i] = case_token(c, i);
    CHECK_OK(syn_context_rewind(ctx, 0, 0, &err), err);
    CHECK_OK(syn_context_step(ctx, ids, TOKENS, &err), err);
    memcpy(logits, syn_context_logits(ctx, 0), bytes);
    return logits;
}

static double difference(const float *a, const float *b, size_t n)
{
    double worst = 0;
    size_t i;
    for (i = 0; i < n; i++) worst = fmax(worst, fabs((double)a[i] - (double)b[i]));
    return worst;
}

/* ---- weight noise ---- */

/* A tensor as floats of our own, which the model then uses. */
static float *own_floats(model_case *c, uint32_t layer, syn_part part)
{
    syn_tensor *tensor = (syn_tensor *)(uintptr_t)syn_model_part(&c->model, layer, part);
    const size_t rows = (size_t)tensor->rows * tensor->count;
    float *own = (float *)malloc(rows * tensor->cols * sizeof(float));
    size_t r;
    for (r = 0; r < rows; r++)
        syn_type_to_float(tensor->type,
                          tensor->data + r * syn_type_bytes(tensor->type, tensor->cols),
                          own + r * tensor->cols, tensor->cols);
    tensor->type = syn_type_find(0);
    tensor->data = (const unsigned char *)own;
    return own;
}

static void add_noise(float *row, syn_noised matrix, uint32_t layer, uint32_t unit, uint32_t r,
                      size_t n, float sd)
{
    float *z = (float *)malloc(n * sizeof *z);
    size_t i;
    syn_edit_noise(7, matrix, layer, unit, r, 0, n, z);
    for (i = 0; i < n; i++) row[i] += sd * z[i];
    free(z);
}

static double spread_of(const float *w, size_t rows, size_t cols, size_t stride)
{
    double sum = 0, square = 0, n = (double)(rows * cols);
    size_t r, i;
    for (r = 0; r < rows; r++)
        for (i = 0; i < cols; i++) {
            sum += (double)w[r * stride + i];
            square += (double)w[r * stride + i] * (double)w[r * stride + i];
        }
    return sqrt(square / n - sum / n * (sum / n));
}

static syn_part query_part(const syn_model *m, uint32_t layer)
{
    if (syn_model_part(m, layer, SYN_ATTN_Q)) return SYN_ATTN_Q;
    return syn_model_part(m, layer, SYN_ATTN_QKV) ? SYN_ATTN_QKV : SYN_ATTN_Q_B;
}

/* Noise on two heads of the second layer equals the same numbers added to the weights. */
static void head_noise_body(model_case *c)
{
    const syn_model *m = &c->model;
    const uint32_t layer = 1, heads[2] = {0, m->heads - 1};
    const size_t units = (size_t)m->layers * m->heads, n = (size_t)TOKENS * m->vocab;
    float *noise = (float *)calloc(units * 2, sizeof *noise),
          *sd = (float *)malloc(m->heads * 2 * sizeof *sd);
    const syn_context_desc desc = exact_desc(16);
    float *plain, *noised, *expected, *query, *output;
    syn_context ctx;
    syn_error err;
    uint32_t h, r;
    size_t stride;
    REQUIRE(case_context(c, &ctx, &desc));
    plain = logits_of(c, &ctx);
    REQUIRE_OK(syn_context_edit_head_sd(&ctx, layer, sd, &err), err);
    for (h = 0; h < 2; h++)
        for (r = 0; r < 2; r++)
            noise[((size_t)layer * m->heads + heads[h]) * 2 + r] = 0.5f * sd[2 * heads[h] + r];
    ctx.edit.head_noise = noise;
    ctx.edit.noise_seed = 7;
    noised = logits_of(c, &ctx);
    memset(&ctx.edit, 0, sizeof ctx.edit);
    query = own_floats(c, layer, query_part(m, layer));
    output = own_floats(c, layer, SYN_ATTN_OUTPUT);
    stride = syn_model_part(m, layer, query_part(m, layer))->cols;
    for (h = 0; h < m->heads; h++) {
        const float *rows = query + (size_t)h * m->key_size * stride;
        CHECK_NEAR((double)sd[2 * h], spread_of(rows, m->key_size, stride, stride), 1e-6);
        CHECK_NEAR((double)sd[2 * h + 1],
                   spread_of(output + (size_t)h * m->value_size, m->embd, m->value_size,
                             (size_t)m->heads * m->value_size),
                   1e-6);
    }
    for (h = 0; h < 2; h++) {
        for (r = 0; r < m->key_size; r++)
            add_noise(query + ((size_t)heads[h] * m->key_size + r) * stride, SYN_NOISED_QUERY,
                      layer, heads[h], r, stride, 0.5f * sd[2 * heads[h]]);
        for (r = 0; r < m->embd; r++)
            add_noise(
                output + (size_t)r * m->heads * m->value_size + (size_t)heads[h] * m->value_size,
                SYN_NOISED_OUTPUT, layer, heads[h], r, m->value_size, 0.5f * sd[2 * heads[h] + 1]);
    }
    expected = logits_of(c, &ctx);
    CHECK_NEAR(difference(noised, expected, n), 0, 2e-4);
    CHECK(difference(noised, plain, n) > 20 * difference(noised, expected, n));
    if (difference(noised, expected, n) > 2e-4) printf("  in %s\n", c->name);
    free(plain), free(noised), free(expected), free(query), free(output), free(noise), free(sd);
}

TEST(noise_on_heads_is_noise_in_the_weights)
{
    for_each_case(head_noise_body);
}

static void expert_noise_body(model_case *c)
{
    const syn_model *m = &c->model;
    static const syn_part parts[3] = {SYN_FFN_GATE_EXPERTS, SYN_FFN_UP_EXPERTS,
                                      SYN_FFN_DOWN_EXPERTS};
    const uint32_t layer = m->layers - 1;
    const size_t n = (size_t)TOKENS * m->vocab;
    float *noise, *plain, *noised, *expected, *own[3];
    const syn_context_desc desc = exact_desc(16);
    syn_context ctx;
    syn_error err;
    uint32_t e, r;
    int i;
    if (!m->experts) return;
    noise = (float *)calloc((size_t)m->layers * m->experts * 3, sizeof *noise);
    REQUIRE(case_context(c, &ctx, &desc));
    plain = logits_of(c, &ctx);
    for (e = 0; e < m->experts; e += 2) {
        float *sd = noise + ((size_t)layer * m->experts + e) * 3;
        REQUIRE_OK(syn_context_edit_expert_sd(&ctx, layer, e, sd, &err), err);
    }
    ctx.edit.expert_noise = noise;
    ctx.edit.noise_seed = 7;
    noised = logits_of(c, &ctx);
    memset(&ctx.edit, 0, sizeof ctx.edit);
    for (i = 0; i < 3; i++) own[i] = own_floats(c, layer, parts[i]);
    for (e = 0; e < m->experts; e += 2)
        for (i = 0; i < 3; i++) {
            const syn_tensor *t = syn_model_part(m, layer, parts[i]);
            float *rows = own[i] + (size_t)e * t->rows * t->cols;
            const float sd = noise[((size_t)layer * m->experts + e) * 3 + (size_t)i];
            CHECK_NEAR((double)sd, spread_of(rows, t->rows, t->cols, t->cols), 1e-6);
            for (r = 0; r < t->rows; r++)
                add_noise(rows + (size_t)r * t->cols, (syn_noised)(SYN_NOISED_GATE + i), layer, e,
                          r, t->cols, sd);
        }
    expected = logits_of(c, &ctx);
    CHECK_NEAR(difference(noised, expected, n), 0, 2e-4);
    CHECK(difference(noised, plain, n) > 20 * difference(noised, expected, n));
    CHECK_FAILS(syn_context_edit_expert_sd(&ctx, layer, m->experts, noise, &err),
                SYN_ERROR_ARGUMENT, err);
    CHECK_FAILS(syn_context_edit_expert_sd(&ctx, m->layers, 0, noise, &err), SYN_ERROR_ARGUMENT,
                err);
    for (i = 0; i < 3; i++) free(own[i]);
    free(plain), free(noised), free(expected), free(noise);
}

TEST(noise_on_experts_is_noise_in_the_weights)
{
    for_each_case(expert_noise_body);
}

/* 10^6 draws: mean, variance, skewness and kurtosis within five of their standard errors, and no
   correlation between rows, units, layers, matrices or seeds. */
TEST(noise_is_normal_and_independent)
{
    enum { N = 1000000 };
    float *z = (float *)malloc(N * sizeof *z), *other = (float *)malloc(N * sizeof *other);
    double moment[5] = {0, 0, 0, 0, 0};
    int i, k;
    syn_edit_noise(1, SYN_NOISED_QUERY, 3, 2, 9, 0, N, z);
    for (i = 0; i < N; i++)
        for (k = 1; k < 5; k++) moment[k] += pow((double)z[i], k) / N;
    CHECK_NEAR(moment[1], 0, 5 * sqrt(1.0 / N));
    CHECK_NEAR(moment[2], 1, 5 * sqrt(2.0 / N));
    CHECK_NEAR(moment[3], 0, 5 * sqrt(15.0 / N));
    CHECK_NEAR(moment[4], 3, 5 * sqrt(96.0 / N));
    for (k = 0; k < 5; k++) {
        double product = 0;
        syn_edit_noise(k == 0 ? 2 : 1, k == 1 ? SYN_NOISED_OUTPUT : SYN_NOISED_QUERY,
                       k == 2 ? 2 : 3, k == 3 ? 3 : 2, k == 4 ? 8 : 9, 0, N, other);
        for (i = 0; i < N; i++) product += (double)z[i] * (double)other[i] / N;
        CHECK_NEAR(product, 0, 5 * sqrt(1.0 / N));
    }
    syn_edit_noise(1, SYN_NOISED_QUERY, 3, 2, 9, 500, 7,
                   other); /* from the middle: the same numbers */
    CHECK(!memcmp(other, z + 500, 7 * sizeof *z));
    free(z), free(other);
}

/* ---- means ---- */

typedef struct taken {
    float *head, *expert;
    uint32_t *times;
    const syn_model *m;
} taken;

static void take_outputs(void *user, const syn_probed *v)
{
    taken *t = (taken *)user;
    if (v->kind == SYN_PROBE_HEAD)
        memcpy(t->head + ((size_t)v->layer * t->m->heads + v->unit) * t->m->value_size, v->vector,
               v->length * sizeof *v->vector);
    if (v->kind == SYN_PROBE_EXPERT)
        memcpy(t->expert + ((size_t)v->layer * t->m->experts + v->unit) * t->m->embd, v->vector,
               v->length * sizeof *v->vector);
}

/* With a unit's own output as its mean, no gain changes anything; with another's, the gain 1 does
   not. */
static void mean_body(model_case *c)
{
    const syn_model *m = &c->model;
    const size_t heads = (size_t)m->layers * m->heads, experts = (size_t)m->layers * m->experts;
    float *gain = (float *)malloc((heads + experts + 1) * sizeof *gain), *plain;
    const syn_context_desc desc = exact_desc(1);
    const int32_t id = case_token(c, 0), other = case_token(c, 5);
    syn_context ctx;
    syn_error err;
    taken t;
    size_t i;
    int g;
    t.m = m;
    t.head = (float *)calloc(heads * m->value_size, sizeof(float));
    t.expert = (float *)calloc((experts + 1) * m->embd, sizeof(float));
    REQUIRE(case_context(c, &ctx, &desc));
    plain = (float *)malloc(m->vocab * sizeof *plain);
    ctx.probe.take = take_outputs;
    ctx.probe.user = &t;
    REQUIRE_OK(syn_context_step(&ctx, &id, 1, &err), err);
    memcpy(plain, syn_context_logits(&ctx, 0), m->vocab * sizeof *plain);
    memset(&ctx.probe, 0, sizeof ctx.probe);
    ctx.edit.head_mean = t.head;
    ctx.edit.head_gain = gain;
    if (m->experts) {
        ctx.edit.expert_mean = t.expert;
        ctx.edit.expert_gain = gain;
    }
    for (g = 0; g < 3; g++) {
        for (i = 0; i < heads + experts; i++) gain[i] = 0.5f * (float)g;
        REQUIRE_OK(syn_context_rewind(&ctx, 0, 0, &err), err);
        REQUIRE_OK(syn_context_step(&ctx, &id, 1, &err), err);
        CHECK_NEAR(difference(syn_context_logits(&ctx, 0), plain, m->vocab), 0, g == 2 ? 0 : 1e-4);
    }
    for (i = 0; i < heads + experts; i++) gain[i] = 0;
    memset(&ctx.edit, 0, sizeof ctx.edit);
    REQUIRE_OK(syn_context_rewind(&ctx, 0, 0, &err), err);
    REQUIRE_OK(syn_context_step(&ctx, &other, 1, &err), err);
    memcpy(plain, syn_context_logits(&ctx, 0), m->vocab * sizeof *plain);
    ctx.edit.head_mean = t.head;
    ctx.edit.head_gain = gain;
    REQUIRE_OK(syn_context_rewind(&ctx, 0, 0, &err), err);
    REQUIRE_OK(syn_context_step(&ctx, &other, 1, &err), err);
    CHECK(difference(syn_context_logits(&ctx, 0), plain, m->vocab) > 1e-3);
    free(gain), free(plain), free(t.head), free(t.expert);
}

TEST(a_mean_takes_the_place_of_an_output)
{
    for_each_case(mean_body);
}

/* ---- steps that start above ---- */

typedef struct streams {
    float *at;
    const syn_model *m;
} streams; /* (layer, position, embd) */

static void keep_stream(void *user, const syn_probed *v)
{
    streams *s = (streams *)user;
    if (v->kind == SYN_PROBE_RESIDUAL)
        memcpy(s->at + ((size_t)v->layer * TOKENS + v->position) * s->m->embd, v->vector,
               v->length * sizeof *v->vector);
}

/* The rows of sequence 0 as streams before a layer. */
static syn_status step_stream(syn_context *ctx, uint32_t layer, const float *stream, size_t n,
                              syn_error *err)
{
    syn_row rows[17];
    size_t i;
    memset(rows, 0, sizeof rows);
    for (i = 0; i < n; i++) rows[i].stream = stream + i * ctx->model->embd;
    return syn_context_step_from(ctx, layer, rows, n, err);
}

/* From every layer on, in passes of any size, the logits are those of a whole step, to the bit; an
   edit above the start as well. */
static void stream_body(model_case *c)
{
    const syn_model *m = &c->model;
    const size_t n = (size_t)TOKENS * m->vocab;
    float *gain = (float *)malloc((size_t)m->layers * m->heads * sizeof *gain), *plain, *edited;
    float *last = (float *)malloc((size_t)TOKENS * m->embd * sizeof *last);
    const syn_context_desc desc = exact_desc(16);
    syn_context ctx;
    syn_error err;
    streams s;
    uint32_t layer;
    size_t i;
    s.m = m;
    s.at = (float *)malloc((m->layers + (size_t)1) * TOKENS * m->embd * sizeof(float));
    REQUIRE(case_context(c, &ctx, &desc));
    ctx.probe.take = keep_stream;
    ctx.probe.user = &s;
    plain = logits_of(c, &ctx);
    CHECK(!memcmp(syn_context_stream(&ctx, 0), s.at + (size_t)m->layers * TOKENS * m->embd,
                  (size_t)TOKENS * m->embd * sizeof(float)));
    memset(&ctx.probe, 0, sizeof ctx.probe);
    for (i = 0; i < (size_t)m->layers * m->heads; i++)
        gain[i] = i < (size_t)(m->layers - 1) * m->heads ? 1.0f : 0.0f;
    ctx.edit.head_gain = gain;
    edited = logits_of(c, &ctx);
    for (layer = 0; layer <= m->layers; layer++) {
        const float *stream = s.at + (size_t)layer * TOKENS * m->embd;
        ctx.edit.head_gain = NULL;
        REQUIRE_OK(syn_context_rewind(&ctx, 0, 0, &err), err);
        REQUIRE_OK(step_stream(&ctx, layer, stream, TOKENS, &err), err);
        CHECK(!memcmp(syn_context_logits(&ctx, 0), plain, n * sizeof *plain));
        CHECK(syn_context_position(&ctx, 0) == (layer < m->layers ? TOKENS : 0));
        if (layer == m->layers) break;
        ctx.edit.head_gain = gain;
        REQUIRE_OK(syn_context_rewind(&ctx, 0, 0, &err), err);
        ctx.no_logits = true;
        REQUIRE_OK(step_stream(&ctx, layer, stream, TOKENS, &err), err);
        CHECK(syn_context_logits(&ctx, SYN_LAST_ROW) == NULL);
        ctx.no_logits = false;
        memcpy(last, syn_context_stream(&ctx, 0), (size_t)TOKENS * m->embd * sizeof *last);
        REQUIRE_OK(step_stream(&ctx, m->layers, last, TOKENS, &err), err);
        CHECK(!memcmp(syn_context_logits(&ctx, 0), edited, n * sizeof *plain));
    }
    CHECK_FAILS(step_stream(&ctx, m->layers + 1, s.at, 1, &err), SYN_ERROR_ARGUMENT, err);
    for (i = 0; i < 4; i++) REQUIRE_OK(step_stream(&ctx, 0, s.at, 16, &err), err);
    CHECK_FAILS(step_stream(&ctx, 0, s.at, 1, &err), SYN_ERROR_CONTEXT, err);
    CHECK(syn_context_position(&ctx, 0) == 64);
    CHECK_FAILS(step_stream(&ctx, m->layers, s.at, 17, &err), SYN_ERROR_ARGUMENT, err);
    free(plain), free(edited), free(gain), free(last), free(s.at);
}

TEST(a_step_may_start_at_any_layer)
{
    for_each_case(stream_body);
}

/* Work that is skipped changes nothing: with and without norms, ablated models agree to the bit. */
static void idle_body(model_case *c)
{
    const syn_model *m = &c->model;
    const size_t heads = (size_t)m->layers * m->heads, experts = (size_t)m->layers * m->experts;
    float *gain = (float *)malloc((heads + experts + 1) * sizeof *gain), *logits[2];
    int with;
    size_t i;
    for (i = 0; i < heads + experts; i++) gain[i] = i % 3 ? 1.0f : 0.0f;
    for (with = 0; with < 2; with++) {
        syn_context_desc desc = exact_desc(16);
        syn_context ctx;
        desc.norms = with;
        desc.expert_norms = with && m->experts ? SYN_EXPERTS_RAW : SYN_EXPERTS_NONE;
        REQUIRE(case_context(c, &ctx, &desc));
        ctx.edit.head_gain = gain;
        ctx.edit.expert_gain = m->experts ? gain : NULL;
        logits[with] = logits_of(c, &ctx);
    }
    CHECK(!memcmp(logits[0], logits[1], (size_t)TOKENS * m->vocab * sizeof(float)));
    free(gain), free(logits[0]), free(logits[1]);
}

TEST(ablated_work_is_skipped_without_a_trace)
{
    for_each_case(idle_body);
}

/* ---- attention to the first token ---- */

/* In the first layer a value depends on its token alone, so that out_1 = s v(a) + (1 - s) v(b) with
   v(a), v(b) the outputs of a and b as first tokens. (Not where positions are embedded.) */
static void sink_body(model_case *c)
{
    const syn_model *m = &c->model;
    const size_t size = (size_t)m->heads * m->value_size;
    float *v[3];
    syn_context_desc desc = exact_desc(2);
    syn_context ctx;
    syn_error err;
    taken t;
    const int32_t pair[2] = {case_token(c, 1), case_token(c, 6)};
    int i;
    uint32_t h;
    if (m->global[SYN_POSITION_EMBD].type) return;
    desc.sinks = true;
    t.m = m;
    t.head = (float *)malloc(m->layers * size * sizeof(float));
    t.expert = (float *)malloc(((size_t)m->layers * m->experts + 1) * m->embd * sizeof(float));
    REQUIRE(case_context(c, &ctx, &desc));
    ctx.probe.take = take_outputs;
    ctx.probe.user = &t;
    for (i = 0; i < 3; i++) {
        REQUIRE_OK(syn_context_rewind(&ctx, 0, 0, &err), err);
        REQUIRE_OK(syn_context_step(&ctx, i < 2 ? &pair[i] : pair, i < 2 ? 1 : 2, &err), err);
        v[i] = (float *)malloc(size * sizeof(float));
        memcpy(v[i], t.head, size * sizeof(float));
    }
    for (h = 0; h < m->heads; h++) {
        const double s = (double)syn_context_sinks(&ctx, 1)[h]; /* position 1, layer 0 */
        double worst = 0;
        size_t k;
        for (k = h * (size_t)m->value_size; k < (h + (size_t)1) * m->value_size; k++)
            worst = fmax(worst,
                         fabs(s * (double)v[0][k] + (1 - s) * (double)v[1][k] - (double)v[2][k]));
        CHECK_NEAR(worst, 0, 1e-4);
        CHECK(s > 0 && s < 1);
        CHECK(syn_context_sinks(&ctx, 0)[h] == 1.0f);
    }
    for (i = 0; i < 3; i++) free(v[i]);
    free(t.head), free(t.expert);
}

TEST(sinks_are_the_attention_to_the_first_token)
{
    for_each_case(sink_body);
}

/* A local layer that has left position 0 behind gives it nothing; a global one goes on. */
static void window_body(model_case *c)
{
    const syn_model *m = &c->model;
    syn_context_desc desc = exact_desc(8);
    syn_context ctx;
    syn_error err;
    int32_t ids[40];
    uint32_t layer, n = (uint32_t)case_length(c) < 40 ? (uint32_t)case_length(c) : 40, i;
    if (!m->window || m->window >= n) return;
    desc.sinks = true;
    for (i = 0; i < n; i++) ids[i] = case_token(c, i);
    REQUIRE(case_context(c, &ctx, &desc));
    REQUIRE_OK(syn_context_step(&ctx, ids, n, &err), err);
    for (layer = 0; layer < m->layers; layer++) {
        const float sink = syn_context_sinks(&ctx, SYN_LAST_ROW)[(size_t)layer * m->heads];
        CHECK(syn_model_is_local(m, layer) ? sink == 0.0f : sink > 0.0f);
    }
}

TEST(sinks_end_with_the_window)
{
    for_each_case(window_body);
}

TEST_MAIN("edit")
