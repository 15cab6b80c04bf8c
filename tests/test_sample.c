/* test_sample.c - choosing a token: greedy and its ties, bans, numbers that are not finite; top-k,
   top-p and min-p against a reference that sorts; draws follow their probabilities and their
   seed. */
#define SYNERGY_SIMD 0 /* no kernel is tested here: twice as fast to compile */
#define SYNERGY_NO_PHIID
#define SYNERGY_IMPLEMENTATION
#include "../synergy.h"
#include "test.h"

enum { MOST = 500 };

static uint64_t state = 1;

/* Uniform in [0, 1): Knuth's 64-bit congruential generator, not the one under test. */
static double uniform(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) / 9007199254740992.0;
}

static syn_sampler greedy(void)
{
    syn_sampler s;
    memset(&s, 0, sizeof s);
    return s;
}

static syn_sampler at_temperature(float temperature, uint64_t seed)
{
    syn_sampler s = greedy();
    s.temperature = temperature;
    s.seed = seed;
    return s;
}

/* ------------------------------------------------------------------ greedy */

TEST(greedy_takes_the_largest)
{
    syn_sampler s = greedy();
    float logits[MOST];
    int round, i;
    for (round = 0; round < 200; round++) {
        const int n = 1 + (int)(uniform() * (MOST - 1));
        int best = 0;
        for (i = 0; i < n; i++) logits[i] = (float)(20 * uniform() - 10);
        for (i = 1; i < n; i++) best = logits[i] > logits[best] ? i : best;
        CHECK(syn_sample(&s, logits, (size_t)n) == best);
    }
    CHECK(s.seed == 0); /* nothing was drawn */
}

TEST(greedy_takes_the_lowest_of_equals)
{
    static const float all[] = {2, 2, 2, 2}, late[] = {1, 3, 2, 3, 3}, below[] = {-5, -3, -3, -4};
    syn_sampler s = greedy();
    CHECK(syn_sample(&s, all, 4) == 0);
    CHECK(syn_sample(&s, late, 5) == 1);
    CHECK(syn_sample(&s, below, 4) == 1);
    s.top_k = 1; /* filters do not matter without a temperature */
    s.top_p = 0.1f;
    CHECK(syn_sample(&s, late, 5) == 1);
}

TEST(banned_tokens_are_never_chosen)
{
    static const float logits[] = {9, 8, 7, 6, 5};
    static const int32_t banned[] = {0, 2, 1, -1, 5, 2147483647}; /* some are no tokens at all */
    syn_sampler s = greedy();
    int i;
    s.banned = banned;
    s.banned_count = 1;
    CHECK(syn_sample(&s, logits, 5) == 1);
    s.banned_count = 2;
    CHECK(syn_sample(&s, logits, 5) == 1);
    s.banned_count = 6;
    CHECK(syn_sample(&s, logits, 5) == 3);
    s.temperature = 2;
    for (i = 0; i < 500; i++) CHECK(syn_sample(&s, logits, 5) >= 3);
    s.top_k = 2; /* of those that may be chosen */
    for (i = 0; i < 500; i++) CHECK(syn_sample(&s, logits, 5) >= 3);
}

/* ------------------------------------------------------------------ numbers that are none */

TEST(logits_that_are_not_finite)
{
    const float nan = (float)NAN, inf = (float)INFINITY;
    const float first[] = {nan, 1, 2, 0}, amid[] = {1, nan, 3, nan}, last[] = {1, 2, nan};
    const float high[] = {1, inf, 2}, low[] = {-inf, -inf, 0, -inf}, nothing[] = {-inf, -inf};
    const float nans[] = {nan, nan, nan};
    int t, i;
    for (t = 0; t < 3; t++) {
        syn_sampler s = at_temperature((float)t, 3);
        s.top_k = t == 2 ? 2 : 0;
        for (i = 0; i < 200; i++) {
            int32_t id = syn_sample(&s, first, 4);
            CHECK(t ? id > 0 : id == 2);
            id = syn_sample(&s, amid, 4);
            CHECK(t ? id == 0 || id == 2 : id == 2);
            id = syn_sample(&s, last, 3);
            CHECK(t ? id < 2 : id == 1);
            CHECK(syn_sample(&s, high, 3) == 1);
            CHECK(syn_sample(&s, low, 4) == 2);
            id = syn_sample(&s, nothing, 2);
            CHECK(id >= 0 && id < 2);
            id = syn_sample(&s, nans, 3);
            CHECK(id >= 0 && id < 3);
        }
    }
}

/* A NaN must not turn a draw into a greedy choice either. */
TEST(a_nan_does_not_stop_the_drawing)
{
    const float logits[] = {1, (float)NAN, 1, 1};
    syn_sampler s = at_temperature(1, 5);
    int count[4] = {0, 0, 0, 0}, i;
    for (i = 0; i < 3000; i++) count[syn_sample(&s, logits, 4)]++;
    CHECK(count[1] == 0 && count[0] > 850 && count[2] > 850 && count[3] > 850);
}

/* ------------------------------------------------------------------ filters */

static int descending(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* What must remain: sort, cut at k, cut where the sum reaches p, cut at min_p of the first; ties
   with the last that remains stay. `sure` is false where rounding could decide. Returns the lowest
   logit that stays. */
static float reference(const float *logits, int n, const syn_sampler *s, int *sure)
{
    double weight[MOST], sum = 0, part = 0, t = (double)s->temperature;
    float sorted[MOST];
    int i, kept = n;
    memcpy(sorted, logits, (size_t)n * sizeof *logits);
    qsort(sorted, (size_t)n, sizeof *sorted, descending);
    *sure = 1;
    if (s->top_k && (int)s->top_k < n) kept = (int)s->top_k;
    while (kept < n && sorted[kept] == sorted[kept - 1]) kept++;
    for (i = 0; i < kept; i++) sum += weight[i] = exp(((double)sorted[i] - (double)sorted[0]) / t);
    if (s->top_p > 0 && s->top_p < 1) {
        for (i = 0; i < kept && part < (double)s->top_p * sum; i++) {
            part += weight[i];
            if (fabs(part - (double)s->top_p * sum) < 1e-9 * sum) *sure = 0;
        }
        while (i < kept && sorted[i] == sorted[i - 1]) i++;
        kept = i;
    }
    if (s->min_p > 0) {
        for (i = 0; i < kept && weight[i] >= (double)s->min_p; i++) {}
        if (fabs(weight[i ? i - 1 : 0] - (double)s->min_p) < 1e-5 * (double)s->min_p) *sure = 0;
        if (i < kept && fabs(weight[i] - (double)s->min_p) < 1e-5 * (double)s->min_p) *sure = 0;
        kept = i ? i : 1;
    }
    return sorted[kept - 1];
}

/* What the filters leave is what sorting leaves; a draw takes one of that. */
static void check_filters(const float *logits, int n, syn_sampler *s)
{
    synp_draw draw;
    int sure, i, wrong = 0;
    const float lowest = reference(logits, n, s, &sure);
    int32_t id;
    draw.sampler = s;
    draw.logits = logits;
    draw.n = (size_t)n;
    draw.floor = 0;
    draw.top = logits[synp_draw_top(&draw)];
    synp_draw_filter(&draw);
    id = syn_sample(s, logits, (size_t)n);
    CHECK(id >= 0 && id < n);
    if (!sure || id < 0 || id >= n) return;
    CHECK(logits[id] >= lowest);
    for (i = 0; i < n; i++) wrong += (logits[i] >= lowest) != (synp_order(logits[i]) >= draw.floor);
    CHECK(wrong == 0);
}

TEST(filters_against_sorting)
{
    float logits[MOST];
    int round, i;
    for (round = 0; round < 3000; round++) {
        const int n = 1 + (int)(uniform() * (round % 3 ? 40 : MOST - 1));
        const double spread = round % 5 ? 12 : 0.5;
        syn_sampler s = at_temperature((float)(0.2 + 2 * uniform()), (uint64_t)round);
        for (i = 0; i < n; i++) {
            logits[i] = (float)(spread * (uniform() - 0.5));
            if (round % 4 == 0) logits[i] = (float)floor((double)logits[i]); /* many ties */
        }
        if (round & 1) s.top_k = (uint32_t)(1 + uniform() * 1.2 * n);
        if (round & 2) s.top_p = (float)(0.01 + 1.1 * uniform());
        if (round & 4) s.min_p = (float)(uniform() * 0.9 + 0.001);
        check_filters(logits, n, &s);
    }
}

TEST(filters_at_their_ends)
{
    static const float logits[] = {1, 4, 2, 3};
    syn_sampler s = at_temperature(1, 9);
    int i, seen[4] = {0, 0, 0, 0};
    s.top_k = 1;
    for (i = 0; i < 100; i++) CHECK(syn_sample(&s, logits, 4) == 1);
    s.top_k = 0;
    s.top_p = 1e-6f;
    for (i = 0; i < 100; i++) CHECK(syn_sample(&s, logits, 4) == 1);
    s.top_p = 0;
    s.min_p = 1;
    for (i = 0; i < 100; i++) CHECK(syn_sample(&s, logits, 4) == 1);
    s.min_p = 1e-30f;
    s.top_p = 1;
    s.top_k = 4000000000u;
    for (i = 0; i < 2000; i++) seen[syn_sample(&s, logits, 4)] = 1;
    CHECK(seen[0] && seen[1] && seen[2] && seen[3]);
    s.temperature = 1e-30f; /* nearly greedy, no overflow */
    for (i = 0; i < 100; i++) CHECK(syn_sample(&s, logits, 4) == 1);
}

/* ------------------------------------------------------------------ draws */

TEST(draws_follow_their_probabilities)
{
    static const float logits[] = {0.0f, 1.0f, -1.0f, 2.0f, 0.5f, -3.0f, 1.5f, 2.0f};
    static const float temperatures[] = {0.5f, 1.0f, 3.0f};
    enum { N = 8, DRAWS = 40000 };
    int t, i;
    for (t = 0; t < 3; t++) {
        syn_sampler s = at_temperature(temperatures[t], (uint64_t)(100 + t));
        double p[N], sum = 0, chi = 0;
        int count[N] = {0};
        for (i = 0; i < N; i++) sum += p[i] = exp((double)logits[i] / (double)s.temperature);
        for (i = 0; i < DRAWS; i++) count[syn_sample(&s, logits, N)]++;
        for (i = 0; i < N; i++) {
            const double expected = DRAWS * p[i] / sum;
            chi += (count[i] - expected) * (count[i] - expected) / expected;
        }
        CHECK(chi < 24.3); /* 7 degrees of freedom, one in a thousand; the seeds are fixed */
        CHECK(chi > 0.6);  /* nor suspiciously exact */
    }
}

TEST(draws_after_a_filter_share_what_is_left)
{
    static const float logits[] = {3, 2, 1, 0, -1};
    enum { DRAWS = 20000 };
    syn_sampler s = at_temperature(1, 42);
    int count[5] = {0}, i;
    s.top_k = 2;
    for (i = 0; i < DRAWS; i++) count[syn_sample(&s, logits, 5)]++;
    CHECK(count[0] + count[1] == DRAWS);
    CHECK_NEAR(count[0] / (double)DRAWS, 1 / (1 + exp(-1.0)), 0.012); /* 4 standard errors */
}

TEST(a_seed_gives_its_sequence)
{
    syn_sampler a = at_temperature(1, 7), b = at_temperature(1, 7), c = at_temperature(1, 8), d;
    float logits[MOST];
    int i, same = 0, differ = 0, neighbours = 0;
    for (i = 0; i < MOST; i++) logits[i] = (float)(4 * uniform());
    for (i = 0; i < 200; i++) {
        const uint64_t before = a.seed;
        const int32_t x = syn_sample(&a, logits, MOST);
        same += x == syn_sample(&b, logits, MOST);
        differ += x != syn_sample(&c, logits, MOST);
        CHECK(a.seed != before);
    }
    CHECK(same == 200 && differ > 180);
    d = a; /* a copy goes on as the original does */
    for (i = 0; i < 50; i++) CHECK(syn_sample(&a, logits, MOST) == syn_sample(&d, logits, MOST));
    for (i = 0; i < 200; i++) { /* neighbouring seeds are not alike */
        syn_sampler e = at_temperature(1, (uint64_t)i), f = at_temperature(1, (uint64_t)i + 1);
        neighbours += syn_sample(&e, logits, MOST) == syn_sample(&f, logits, MOST);
    }
    CHECK(neighbours < 12);
}

TEST_MAIN("sample")
