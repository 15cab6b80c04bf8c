/* Experts against PyTorch (float64): which ones the router takes, with what weight, the norms of
   what they give, before and after that weight, of all of them, and of the shared ones; gains. */
#define SYNERGY_THREADS
#define SYNERGY_NO_PHIID
#define SYNERGY_IMPLEMENTATION
#include "synergy.h"

#include "model_case.h"

static const char *const cases[] = {
    "llama-moe",      "llama-moe-q5_1", "qwen3moe",       "qwen3moe-q5_k",
    "qwen3moe-tiny",  "deepseek2",      "deepseek2-kvb",  "deepseek2-qlora",
    "deepseek2-q8_0", "deepseek2-q6_k", "deepseek2-tiny", "deepseek2-kvb-tiny",
};
enum { CASES = sizeof cases / sizeof cases[0], MAX_EXPERTS = 16 };

/* A reference model and what is known of its experts; rows are (position, layer with experts). */
typedef struct moe_case {
    model_case c;
    npy ids, logits, weights, raw, weighted, shared, all;
    int has_shared, has_all;
    size_t layers, first, used, experts; /* layers with experts, the first of them */
} moe_case;

static int has_file(const char *folder, const char *name)
{
    test_path_buffer path;
    return test_exists(test_join(path, folder, name));
}

static int moe_load(moe_case *m, const char *folder)
{
    memset(m, 0, sizeof *m);
    if (!case_load(&m->c, folder)) return 0;
    m->has_shared = has_file(folder, "moe_norm_shared.npy");
    m->has_all = has_file(folder, "moe_norm_all.npy");
    m->first = m->c.model.dense_layers;
    m->layers = m->c.model.layers - m->first;
    m->used = m->c.model.experts_used;
    m->experts = m->c.model.experts;
    return case_array(&m->ids, folder, "moe_ids.npy", NPY_I4) &&
           case_array(&m->logits, folder, "moe_router_logits.npy", NPY_F4) &&
           case_array(&m->weights, folder, "moe_weights.npy", NPY_F4) &&
           case_array(&m->raw, folder, "moe_norm_raw.npy", NPY_F4) &&
           case_array(&m->weighted, folder, "moe_norm_weighted.npy", NPY_F4) &&
           (!m->has_shared || case_array(&m->shared, folder, "moe_norm_shared.npy", NPY_F4)) &&
           (!m->has_all || case_array(&m->all, folder, "moe_norm_all.npy", NPY_F4));
}

static void moe_free(moe_case *m)
{
    case_free(&m->c);
    npy_free(&m->ids);
    npy_free(&m->logits);
    npy_free(&m->weights);
    npy_free(&m->raw);
    npy_free(&m->weighted);
    npy_free(&m->shared);
    npy_free(&m->all);
}

static void for_each_case(void (*body)(moe_case *m))
{
    int i, ran = 0, absent = 0;
    for (i = 0; i < CASES; i++) {
        test_path_buffer path;
        const char *folder = case_folder(path, cases[i]);
        moe_case m;
        unsigned long before = test_.failures;
        absent += !folder;
        if (!folder) continue;
        CHECK(moe_load(&m, folder));
        CHECK(m.ids.count == case_length(&m.c) * m.layers * m.used);
        if (m.c.model_block) body(&m);
        if (test_.failures != before) printf("  in %s\n", cases[i]);
        moe_free(&m);
        ran++;
    }
    SKIP_PART(absent, "models of the large fixtures");
    CHECK(ran >= 5);
}

static syn_context_desc experts_desc(uint32_t batch, syn_expert_norms norms)
{
    syn_context_desc desc = exact_desc(batch);
    desc.expert_norms = norms;
    return desc;
}

/* Feeds all of the reference's tokens, `batch` at a time; `after`, when given, looks at each
   pass. */
static int feed(moe_case *m, syn_context *ctx,
                void (*after)(moe_case *m, const syn_context *ctx, size_t at, void *user),
                void *user)
{
    syn_error err;
    int32_t ids[CASE_TOKENS];
    size_t at = 0, n = case_length(&m->c), batch = ctx->desc.batch;
    while (at < n) {
        const size_t take = n - at < batch ? n - at : batch;
        size_t i;
        for (i = 0; i < take; i++) ids[i] = case_token(&m->c, at + i);
        if (syn_context_step(ctx, ids, take, &err)) {
            printf("%s: %s\n", m->c.name, err.text);
            return 0;
        }
        if (after) after(m, ctx, at, user);
        at += take;
    }
    return 1;
}

static void widen(double *worst, double a, double b)
{
    const double off = fabs(a - b);
    if (!(off <= *worst)) *worst = off;
}

/* ---- routing, through the probe ---- */

typedef struct seen {
    moe_case *m;
    syn_context *ctx;
    double logits, weights, raw, shared;
    size_t other_choice, routers, experts, shareds, out_of_order;
    int last_layer, last_position, last_unit; /* of SYN_PROBE_EXPERT */
} seen;

static double norm_of(const float *vector, uint32_t length)
{
    double square = 0;
    uint32_t i;
    for (i = 0; i < length; i++) square += (double)vector[i] * (double)vector[i];
    return sqrt(square);
}

static void see_expert(seen *s, size_t row, const syn_probed *v)
{
    const synp_context *work = s->ctx->work;
    const size_t p = v->row, used = s->m->used;
    size_t k, found = used;
    for (k = 0; k < used; k++) {
        const size_t at = row * used + k;
        /* the choice of a position stands in the context, the likeliest first, as in the
           reference */
        if ((int32_t)work->choice[p * used + k] != s->m->ids.i4[at]) s->other_choice++;
        if (s->m->ids.i4[at] != (int32_t)v->unit) continue;
        found = k;
        widen(&s->weights, (double)work->gate_weight[p * used + k], (double)s->m->weights.f4[at]);
        widen(&s->raw, norm_of(v->vector, v->length), (double)s->m->raw.f4[at]);
    }
    if (found == used) s->other_choice++;
    s->experts++;
}

static void see(void *user, const syn_probed *v)
{
    seen *s = (seen *)user;
    moe_case *m = s->m;
    const size_t row = (size_t)v->position * m->layers + v->layer - m->first;
    uint32_t e;
    if (v->kind == SYN_PROBE_ROUTER) {
        s->routers++;
        if (v->length != m->experts || v->layer < m->first) s->other_choice++;
        for (e = 0; e < v->length; e++)
            widen(&s->logits, (double)v->vector[e], (double)m->logits.f4[row * m->experts + e]);
    } else if (v->kind == SYN_PROBE_EXPERT) {
        see_expert(s, row, v);
    } else if (v->kind == SYN_PROBE_SHARED) {
        s->shareds++;
        if (m->has_shared)
            widen(&s->shared, norm_of(v->vector, v->length), (double)m->shared.f4[row]);
    }
}

static void routing_body(moe_case *m)
{
    static const uint32_t batches[] = {1, 5, 32};
    const size_t rows = case_length(&m->c) * m->layers;
    int i;
    for (i = 0; i < 3; i++) {
        syn_context ctx;
        syn_context_desc desc = experts_desc(batches[i], SYN_EXPERTS_NONE);
        seen s;
        memset(&s, 0, sizeof s);
        s.m = m;
        s.ctx = &ctx;
        REQUIRE(case_context(&m->c, &ctx, &desc));
        ctx.probe.take = see;
        ctx.probe.user = &s;
        REQUIRE(feed(m, &ctx, NULL, NULL));
        CHECK(syn_context_expert_norms(&ctx, 0) == NULL);
        CHECK(s.routers == rows);
        CHECK(s.experts == rows * m->used);
        CHECK(s.shareds == (m->has_shared ? rows : 0));
        CHECK(s.other_choice == 0);
        CHECK_NEAR(s.logits, 0, case_tolerance(&m->c, "moe_router_logits"));
        CHECK_NEAR(s.weights, 0, case_tolerance(&m->c, "moe_weights"));
        CHECK_NEAR(s.raw, 0, case_tolerance(&m->c, "moe_norm_raw"));
        if (m->has_shared) CHECK_NEAR(s.shared, 0, case_tolerance(&m->c, "moe_norm_shared"));
    }
}

TEST(the_router_takes_the_same_experts_with_the_same_weights)
{
    for_each_case(routing_body);
}

/* ---- recorded norms ---- */

typedef struct recorded {
    const npy *reference; /* (position, layer, chosen) */
    double worst, all;
    size_t wrong_zero; /* a number where 0 belongs, or 0 where a number does */
    int every;         /* SYN_EXPERTS_ALL */
} recorded;

static void compare_norms(moe_case *m, const syn_context *ctx, size_t at, void *user)
{
    recorded *r = (recorded *)user;
    const size_t layers = m->c.model.layers;
    size_t p, layer, e, k;
    for (p = 0; p < ctx->rows; p++)
        for (layer = 0; layer < layers; layer++) {
            const float *norm = syn_context_expert_norms(ctx, (int)p) + layer * m->experts;
            const size_t row = (at + p) * m->layers + layer - m->first;
            for (e = 0; e < m->experts; e++) {
                for (k = 0; layer >= m->first && k < m->used; k++)
                    if (m->ids.i4[row * m->used + k] == (int32_t)e) break;
                if (layer < m->first || (k == m->used && !r->every))
                    r->wrong_zero += norm[e] != 0.0f;
                else r->wrong_zero += !(norm[e] > 0.0f);
                if (layer < m->first) continue;
                if (k < m->used)
                    widen(&r->worst, (double)norm[e], (double)r->reference->f4[row * m->used + k]);
                if (r->every && m->has_all)
                    widen(&r->all, (double)norm[e], (double)m->all.f4[row * m->experts + e]);
            }
        }
}

static void norms_of(moe_case *m, syn_expert_norms kind, const npy *reference, const char *name)
{
    static const uint32_t batches[] = {1, 7, 32};
    int i;
    for (i = 0; i < 3; i++) {
        syn_context ctx;
        syn_context_desc desc = experts_desc(batches[i], kind);
        recorded r;
        memset(&r, 0, sizeof r);
        r.reference = reference;
        r.every = kind == SYN_EXPERTS_ALL;
        REQUIRE(case_context(&m->c, &ctx, &desc));
        REQUIRE(feed(m, &ctx, compare_norms, &r));
        CHECK_NEAR(r.worst, 0, case_tolerance(&m->c, name));
        if (m->has_all) CHECK_NEAR(r.all, 0, case_tolerance(&m->c, "moe_norm_all"));
        CHECK(r.wrong_zero == 0);
    }
}

static void weighted_body(moe_case *m)
{
    norms_of(m, SYN_EXPERTS_WEIGHTED, &m->weighted, "moe_norm_weighted");
}
static void raw_body(moe_case *m)
{
    norms_of(m, SYN_EXPERTS_RAW, &m->raw, "moe_norm_raw");
}
static void all_body(moe_case *m)
{
    norms_of(m, SYN_EXPERTS_ALL, &m->raw, "moe_norm_raw");
}

TEST(norms_after_the_gate_weight)
{
    for_each_case(weighted_body);
}
TEST(norms_before_the_gate_weight)
{
    for_each_case(raw_body);
}
TEST(norms_of_every_expert)
{
    for_each_case(all_body);
}

/* Evaluating every expert changes what is recorded, not what the model says. */
typedef struct said {
    float *logits;
    double worst;
    size_t at;
} said;

static void compare_said(moe_case *m, const syn_context *ctx, size_t at, void *user)
{
    said *s = (said *)user;
    const size_t vocab = m->c.model.vocab;
    size_t i;
    for (i = 0; i < ctx->rows * vocab; i++)
        widen(&s->worst, (double)syn_context_logits(ctx, 0)[i],
              (double)m->c.logits.f4[at * vocab + i]);
}

static void all_logits_body(moe_case *m)
{
    syn_context ctx;
    syn_context_desc desc = experts_desc(8, SYN_EXPERTS_ALL);
    said s;
    memset(&s, 0, sizeof s);
    REQUIRE(case_context(&m->c, &ctx, &desc));
    REQUIRE(feed(m, &ctx, compare_said, &s));
    CHECK_NEAR(s.worst, 0, case_tolerance(&m->c, "logits"));
}

TEST(evaluating_every_expert_leaves_the_logits)
{
    for_each_case(all_logits_body);
}

/* ---- gains ---- */

typedef struct watched {
    syn_context *ctx;
    uint32_t layer, expert, position; /* whose contribution is looked at */
    float contribution[1024];         /* weight * output */
    float after[1024];                /* the stream behind that layer */
} watched;

static void watch(void *user, const syn_probed *v)
{
    watched *w = (watched *)user;
    const synp_context *work = w->ctx->work;
    uint32_t i, k;
    if (v->position != w->position || v->length > 1024) return;
    if (v->kind == SYN_PROBE_RESIDUAL && v->layer == w->layer + 1)
        memcpy(w->after, v->vector, v->length * sizeof *v->vector);
    if (v->kind != SYN_PROBE_EXPERT || v->layer != w->layer || v->unit != w->expert) return;
    for (k = 0; k < w->ctx->model->experts_used; k++)
        if (work->choice[k] == v->unit)
            for (i = 0; i < v->length; i++)
                w->contribution[i] = work->gate_weight[k] * v->vector[i];
}

/* A gain of 1 changes no bit; g takes (1 - g) of one expert's contribution out of the stream behind
   its layer, and nothing where the expert is not chosen; the recorded norm stays what it was. */
static void gain_body(moe_case *m)
{
    static const float gains[] = {1.0f, 0.0f, 0.5f, -2.0f};
    const size_t units = (size_t)m->c.model.layers * m->experts, embd = m->c.model.embd;
    float *gain = (float *)malloc(units * sizeof *gain);
    syn_context ctx;
    syn_context_desc desc = experts_desc(1, SYN_EXPERTS_RAW);
    static watched plain, edited;
    syn_error err;
    float norm = 0;
    size_t i, g;
    const int32_t chosen = m->ids.i4[0];
    int32_t id = case_token(&m->c, 0);
    REQUIRE(case_context(&m->c, &ctx, &desc));
    memset(&plain, 0, sizeof plain);
    plain.ctx = &ctx;
    plain.layer = (uint32_t)m->first;
    plain.expert = (uint32_t)chosen;
    ctx.probe.take = watch;
    ctx.probe.user = &plain;
    REQUIRE_OK(syn_context_step(&ctx, &id, 1, &err), err);
    norm = syn_context_expert_norms(&ctx, 0)[m->first * m->experts + (size_t)chosen];
    for (g = 0; g < sizeof gains / sizeof gains[0]; g++) {
        double worst = 0;
        for (i = 0; i < units; i++) gain[i] = 1;
        gain[m->first * m->experts + (size_t)chosen] = gains[g];
        edited = plain;
        ctx.probe.user = &edited;
        ctx.edit.expert_gain = gain;
        CHECK_OK(syn_context_rewind(&ctx, 0, 0, &err), err);
        REQUIRE_OK(syn_context_step(&ctx, &id, 1, &err), err);
        for (i = 0; i < embd; i++)
            widen(&worst, (double)edited.after[i],
                  (double)plain.after[i] -
                      (1.0 - (double)gains[g]) * (double)plain.contribution[i]);
        CHECK_NEAR(worst, 0, gains[g] == 1.0f ? 0 : 2e-5);
        CHECK(syn_context_expert_norms(&ctx, 0)[m->first * m->experts + (size_t)chosen] == norm);
    }
    for (i = 0; i < units; i++) gain[i] = 0; /* silence those that are not chosen at all */
    for (i = 0; i < m->used; i++) gain[m->first * m->experts + (size_t)m->ids.i4[i]] = 1;
    edited = plain;
    CHECK_OK(syn_context_rewind(&ctx, 0, 0, &err), err);
    REQUIRE_OK(syn_context_step(&ctx, &id, 1, &err), err);
    CHECK(!memcmp(edited.after, plain.after, embd * sizeof(float)));
    free(gain);
}

TEST(a_gain_takes_an_expert_out_of_the_stream)
{
    for_each_case(gain_body);
}

/* ---- the rest ---- */

static void threads_body(moe_case *m)
{
    float *first = NULL;
    const size_t bytes = (size_t)4 * m->c.model.layers * m->experts * sizeof(float);
    int threads, i;
    for (threads = 1; threads <= 3; threads++) {
        static syn_pool pool;
        syn_context ctx;
        syn_error err;
        syn_context_desc desc = experts_desc(4, SYN_EXPERTS_WEIGHTED);
        int32_t ids[4];
        REQUIRE_OK(syn_pool_start(&pool, threads, &err), err);
        desc.arithmetic = SYN_FAST;
        desc.parallel = syn_pool_parallel(&pool);
        REQUIRE(case_context(&m->c, &ctx, &desc));
        for (i = 0; i < 4; i++) ids[i] = case_token(&m->c, (size_t)i);
        REQUIRE_OK(syn_context_step(&ctx, ids, 4, &err), err);
        if (!first) {
            first = (float *)malloc(bytes);
            memcpy(first, syn_context_expert_norms(&ctx, 0), bytes);
        }
        CHECK(!memcmp(first, syn_context_expert_norms(&ctx, 0), bytes));
        syn_pool_stop(&pool);
    }
    free(first);
}

TEST(threads_do_not_change_a_bit)
{
    for_each_case(threads_body);
}

TEST(a_model_without_experts_records_none)
{
    test_path_buffer path;
    model_case c;
    syn_context ctx;
    syn_context_desc desc = experts_desc(4, SYN_EXPERTS_WEIGHTED);
    syn_arena arena = syn_arena_measure();
    syn_error err;
    REQUIRE(test_path(path, "models/llama-q8_0") != NULL);
    REQUIRE(case_load(&c, path));
    CHECK_FAILS(syn_context_open(&ctx, &c.model, &desc, &arena, &err), SYN_ERROR_ARGUMENT, err);
    CHECK(strstr(err.text, "experts") != NULL);
    case_free(&c);
}

TEST_MAIN("experts")
