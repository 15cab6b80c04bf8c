/* The model part in single precision (SYNERGY_MODEL_FLOAT), as a processor without doubles computes
   it, against PyTorch in float64: the tolerances are those of the usual build. */
#define SYNERGY_MODEL_FLOAT
#define SYNERGY_SIMD 0 /* the kernels are the same: twice as fast to compile */
#define SYNERGY_IMPLEMENTATION
#include "synergy.h"

#include "model_cases.h"

static double farthest_norm, farthest_logit; /* of all models; of a norm's and a logits' scale */

static double largest(const float *value, size_t n)
{
    double most = 0;
    size_t i;
    for (i = 0; i < n; i++)
        if (fabs((double)value[i]) > most) most = fabs((double)value[i]);
    return most;
}

static void single_body(model_case *c)
{
    static const uint32_t batches[] = {1, 32};
    int i;
    for (i = 0; i < 2; i++) {
        syn_context ctx;
        syn_context_desc desc = exact_desc(batches[i]);
        worst w;
        double of_norm, of_logit;
        REQUIRE(case_context(c, &ctx, &desc));
        REQUIRE(run_case(c, &ctx, batches[i], &w));
        CHECK_NEAR(w.logits, 0, case_tolerance(c, "logits"));
        CHECK_NEAR(w.norms, 0, case_tolerance(c, "head_norms"));
        CHECK(w.other_top == 0);
        of_norm = w.norms / largest(c->head_norms.f4, c->head_norms.count);
        of_logit = w.logits / largest(c->logits.f4, c->logits.count);
        CHECK(of_norm < 1e-5 && of_logit < 1e-5);
        if (of_norm > farthest_norm) farthest_norm = of_norm;
        if (of_logit > farthest_logit) farthest_logit = of_logit;
    }
}

TEST(single_precision_meets_the_tolerances)
{
    for_each_case(single_body);
    printf("  farthest, of the largest: norms %.1e, logits %.1e\n", farthest_norm, farthest_logit);
}

/* Rope at positions of long contexts. A frequency is off by the rounding of its power -2 i / n,
   2^-25 of |ln frequency| (up to 14), and by two units of pow's and the product's: 6e-7 of the
   angle. */
static void turns_body(model_case *c)
{
    static const uint32_t positions[] = {1, 100, 511, 4095, 32767};
    syn_context ctx;
    syn_context_desc desc = exact_desc(1);
    size_t i;
    uint32_t k;
    if (!c->model.rope_freq || c->model.rope_factor != 1 || c->model.rope_freq_long ||
        c->model.globals_found & SYNP_BIT(SYN_ROPE_FREQS))
        return;
    REQUIRE(case_context(c, &ctx, &desc));
    for (i = 0; i < sizeof positions / sizeof positions[0]; i++) {
        ctx.work->row[0].position = positions[i];
        synp_turns(ctx.work, c->model.rope_freq, 1, 1, ctx.work->turn);
        for (k = 0; k < c->model.rope_size / 2; k++) {
            const double angle =
                positions[i] * pow((double)c->model.rope_base, -2.0 * k / c->model.rope_size);
            CHECK_NEAR((double)ctx.work->turn[2 * k], cos(angle), 1e-7 + 6e-7 * angle);
            CHECK_NEAR((double)ctx.work->turn[2 * k + 1], sin(angle), 1e-7 + 6e-7 * angle);
        }
    }
}

TEST(turns_of_long_contexts_are_near)
{
    for_each_case(turns_body);
}

/* Draws have the logits' probabilities, ends of the filters included. */
TEST(draws_have_their_probabilities)
{
    static const float logits[] = {1.0f, 0.0f, -1.0f, -20.0f, 2.0f};
    enum { N = sizeof logits / sizeof logits[0], DRAWS = 20000 };
    syn_sampler sampler;
    size_t seen[N] = {0}, i;
    double sum = 0;
    memset(&sampler, 0, sizeof sampler);
    sampler.temperature = 1;
    sampler.seed = 7;
    for (i = 0; i < DRAWS; i++) seen[syn_sample(&sampler, logits, N)]++;
    for (i = 0; i < N; i++) sum += exp((double)logits[i]);
    for (i = 0; i < N; i++)
        CHECK_NEAR((double)seen[i] / DRAWS, exp((double)logits[i]) / sum, 0.015);
    sampler.top_k = 2;
    for (i = 0; i < 200; i++) {
        const int32_t id = syn_sample(&sampler, logits, N);
        CHECK(id == 0 || id == 4);
    }
    sampler.top_k = 0;
    sampler.top_p = 0.6f;
    for (i = 0; i < 200; i++) CHECK(syn_sample(&sampler, logits, N) == 4);
}

TEST_MAIN("single")
