/* Ranks, scores, profiles against the references; resampling against what it must satisfy. */
#define SYNERGY_SIMD 0 /* no kernel is tested here: twice as fast to compile */
#define SYNERGY_IMPLEMENTATION
#define SYNERGY_NO_MODEL
#include "synergy.h"
#include "npy.h"
#include "test.h"

typedef struct setup {
    syn_pairs pairs;
    syn_rank rank;
    void *block;
    size_t layers;
} setup;

/* The pairs of a [prompt, unit, sample] file, and the rank of its units. */
static int setup_load(setup *s, const char *file, syn_redundancy redundancy, syn_flagged flagged)
{
    test_path_buffer path;
    npy a;
    size_t p;
    syn_error err;
    syn_pairs_desc d;
    syn_arena arena = syn_arena_measure();
    memset(s, 0, sizeof *s);
    memset(&d, 0, sizeof d);
    if (!npy_load(&a, test_path(path, file), NPY_F8)) return 0;
    d.prompts = a.shape[0];
    d.units = a.shape[1];
    d.samples = a.shape[2];
    d.phiid.redundancy = redundancy;
    d.flagged = flagged;
    if (syn_pairs_open(&s->pairs, &d, &arena, &err)) return 0;
    if (syn_rank_open(&s->rank, d.units, &arena, &err)) return 0;
    s->block = malloc(arena.used + SYN_ALIGN);
    arena = syn_arena_on(s->block, arena.used + SYN_ALIGN);
    if (syn_pairs_open(&s->pairs, &d, &arena, &err)) return 0;
    if (syn_rank_open(&s->rank, d.units, &arena, &err)) return 0;
    for (p = 0; p < d.prompts; p++) {
        syn_series series;
        memset(&series, 0, sizeof series);
        series.data = a.f8 + p * d.units * d.samples;
        series.type = SYN_NUMBER_F64;
        series.units = d.units;
        series.samples = d.samples;
        series.time_stride = 1;
        series.unit_stride = d.samples;
        CHECK_OK(syn_pairs_add(&s->pairs, &series, &err), err);
    }
    syn_rank_pairs(&s->rank, &s->pairs);
    s->layers = 4;
    npy_free(&a);
    return 1;
}

static void check_column(const double *got, const double *want, size_t n, double tolerance)
{
    size_t k;
    for (k = 0; k < n; k++) {
        if (isnan(want[k])) CHECK(isnan(got[k]));
        else CHECK_NEAR(got[k], want[k], tolerance);
    }
}

static void check_units(const setup *s, const char *file)
{
    test_path_buffer path;
    npy want;
    size_t n = s->rank.units;
    REQUIRE(npy_load(&want, test_path(path, file), NPY_F8));
    REQUIRE(want.shape[0] == 5 && want.shape[1] == n);
    check_column(s->rank.synergy, want.f8, n, 1e-13);
    check_column(s->rank.redundancy, want.f8 + n, n, 1e-13);
    check_column(s->rank.synergy_rank, want.f8 + 2 * n, n, 0);
    check_column(s->rank.redundancy_rank, want.f8 + 3 * n, n, 0);
    check_column(s->rank.rank_difference, want.f8 + 4 * n, n, 0);
    npy_free(&want);
}

static void check_layers(const setup *s, const char *file)
{
    test_path_buffer path;
    npy want;
    double mean[4], minmax[4], percentile[4];
    REQUIRE(npy_load(&want, test_path(path, file), NPY_F8));
    syn_rank_profile(syn_rank_score(&s->rank, SYN_SCORE_RANK_DIFFERENCE), s->rank.units, 4, mean,
                     minmax, percentile);
    check_column(mean, want.f8, 4, 1e-12);
    check_column(minmax, want.f8 + 4, 4, 1e-12);
    CHECK_NEAR(percentile[0] + percentile[1] + percentile[2] + percentile[3], 2, 1e-15);
    npy_free(&want);
}

TEST(units_mmi)
{
    setup s;
    REQUIRE(setup_load(&s, "phiid_multi/series.npy", SYN_MMI, SYN_FLAGGED_EXCLUDE));
    check_units(&s, "phiid_multi/units_MMI.npy");
    check_layers(&s, "phiid_multi/layers_MMI.npy");
    free(s.block);
}

TEST(units_ccs)
{
    setup s;
    REQUIRE(setup_load(&s, "phiid_multi/series.npy", SYN_CCS, SYN_FLAGGED_EXCLUDE));
    check_units(&s, "phiid_multi/units_CCS.npy");
    check_layers(&s, "phiid_multi/layers_CCS.npy");
    free(s.block);
}

TEST(dead_units_zero)
{
    setup s;
    REQUIRE(setup_load(&s, "phiid_multi/dead_series.npy", SYN_MMI, SYN_FLAGGED_ZERO));
    check_units(&s, "phiid_multi/dead_units_zero.npy");
    free(s.block);
}

/* Unit 13 is constant in every prompt: no value, no rank, and the ranks of the others end at 23. */
TEST(dead_units_exclude)
{
    test_path_buffer path;
    setup s;
    npy want;
    size_t i, j, n;
    REQUIRE(setup_load(&s, "phiid_multi/dead_series.npy", SYN_MMI, SYN_FLAGGED_EXCLUDE));
    REQUIRE(npy_load(&want, test_path(path, "phiid_multi/dead_sts_exclude.npy"), NPY_F8));
    n = s.rank.units;
    for (i = 0; i < n; i++) {
        double sum = 0, count = 0, best = 0;
        for (j = 0; j < n; j++)
            if (!isnan(want.f8[i * n + j])) {
                sum += want.f8[i * n + j];
                count += 1;
            }
        if (i == 13) {
            CHECK(isnan(s.rank.synergy[i]) && isnan(s.rank.synergy_rank[i]));
            CHECK(isnan(s.rank.rank_difference[i]) && isnan(s.rank.balance[i]));
            continue;
        }
        CHECK_NEAR(s.rank.synergy[i], sum / count, 1e-13);
        for (j = 0; j < n; j++)
            if (s.rank.synergy_rank[j] > best) best = s.rank.synergy_rank[j];
        CHECK_NEAR(best, 23, 0);
    }
    npy_free(&want);
    free(s.block);
}

TEST(average_ranks)
{
    const double value[8] = {3, 1, 3, 2, 1, 3, 0, -0.0}, same[5] = {2, 2, 2, 2, 2};
    const double want[8] = {7, 3.5, 7, 5, 3.5, 7, 1.5, 1.5};
    const double gap[4] = {5, (double)NAN, -1, (double)INFINITY};
    double rank[8];
    size_t order[8];
    syn_rank_average(value, 8, rank, order);
    check_column(rank, want, 8, 0);
    syn_rank_average(same, 5, rank, order);
    CHECK(rank[0] == 3 && rank[4] == 3);
    syn_rank_average(gap, 4, rank, order);
    CHECK(rank[0] == 2 && isnan(rank[1]) && rank[2] == 1 && rank[3] == 3);
    syn_rank_average(gap, 0, rank, order);
}

/* Against counting, on random values with many ties. */
TEST(average_ranks_by_counting)
{
    enum { N = 300 };
    double value[N], rank[N];
    size_t order[N], i, j;
    uint64_t state = 3;
    for (i = 0; i < N; i++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
        value[i] = (double)(state >> 58);
    }
    syn_rank_average(value, N, rank, order);
    for (i = 0; i < N; i++) {
        double less = 0, same = 0;
        for (j = 0; j < N; j++) {
            less += value[j] < value[i];
            same += !(value[j] < value[i]) && !(value[j] > value[i]);
        }
        CHECK_NEAR(rank[i], less + (same + 1) / 2, 0);
    }
}

TEST(spearman)
{
    static const char *const name[] = {"no_ties",  "dependent", "ties",    "perfect",
                                       "reversed", "n3",        "constant"};
    size_t k;
    for (k = 0; k < sizeof name / sizeof name[0]; k++) {
        test_path_buffer path;
        char file[128];
        npy a;
        size_t n, order[512];
        double work[4 * 512];
        snprintf(file, sizeof file, "phiid_multi/spearman_%s.npy", name[k]);
        REQUIRE(npy_load(&a, test_path(path, file), NPY_F8));
        n = a.shape[1];
        REQUIRE(n <= 512);
        if (isnan(a.f8[2 * n])) CHECK(isnan(syn_rank_spearman(a.f8, a.f8 + n, n, work, order)));
        else CHECK_NEAR(syn_rank_spearman(a.f8, a.f8 + n, n, work, order), a.f8[2 * n], 1e-14);
        npy_free(&a);
    }
    {
        const double a[3] = {1, 1, 1}, b[3] = {1, 2, 3};
        double work[12];
        size_t order[3];
        CHECK(isnan(syn_rank_spearman(a, b, 3, work, order)));
        CHECK(isnan(syn_rank_spearman(a, b, 0, work, order)));
    }
}

TEST(score_names)
{
    int k;
    syn_score score;
    for (k = 0; k < SYN_SCORES; k++) {
        CHECK(syn_score_find(syn_score_name((syn_score)k), &score) && (int)score == k);
    }
    CHECK(!syn_score_find("nonsense", &score));
    CHECK_STR(syn_score_name(SYN_SCORE_RANK_DIFFERENCE), "rank-difference");
}

TEST(columns)
{
    const double synergy[4] = {0.4, 0.1, 0, (double)NAN}, redundancy[4] = {0.1, 0.1, 0, 0.3};
    double block[64];
    syn_rank rank;
    syn_error err;
    syn_arena arena = syn_arena_on(block, sizeof block);
    REQUIRE_OK(syn_rank_open(&rank, 4, &arena, &err), err);
    syn_rank_means(&rank, synergy, redundancy);
    CHECK_NEAR(rank.balance[0], 0.8, 1e-15);
    CHECK_NEAR(rank.balance[1], 0.5, 0);
    CHECK(isnan(rank.balance[2]) && isnan(rank.balance[3]));
    CHECK(rank.difference_rank[0] == 3 && rank.difference_rank[1] == 1.5);
    CHECK(rank.rank_difference[0] == 3 - 2.5 && isnan(rank.rank_difference[3]));
    CHECK(syn_rank_score(&rank, SYN_SCORE_DIFFERENCE) == rank.difference_rank);
    CHECK(isnan(rank.excess[0]));
}

TEST(profiles)
{
    const double score[6] = {1, 3, 5, (double)NAN, (double)NAN, (double)NAN};
    const double flat[4] = {2, 2, 2, 2};
    double mean[4], minmax[4], percentile[4];
    syn_rank_profile(score, 6, 3, mean, minmax, percentile);
    CHECK(mean[0] == 2 && mean[1] == 5 && isnan(mean[2]));
    CHECK(minmax[0] == 0 && minmax[1] == 1 && isnan(minmax[2]));
    CHECK(percentile[0] == 0 && percentile[1] == 1 && isnan(percentile[2]));
    syn_rank_profile(flat, 4, 4, mean, minmax, percentile);
    CHECK(minmax[0] == 0 && minmax[3] == 0 && percentile[2] == 0.5);
    syn_rank_profile(flat, 4, 1, mean, minmax, percentile);
    CHECK(mean[0] == 2 && minmax[0] == 0 && percentile[0] == 0);
}

TEST(shapes)
{
    double mean[9];
    syn_shape shape;
    int k;
    for (k = 0; k < 9; k++) {
        double d = k / 8.0;
        mean[k] = 2 + d - 3 * d * d;
    }
    shape = syn_rank_shape(mean, 9);
    CHECK_NEAR(shape.curvature, -3, 1e-12);
    CHECK_NEAR(shape.peak, 0.125, 0);
    CHECK_NEAR(shape.middle,
               (mean[3] + mean[4] + mean[5]) / 3 -
                   (mean[0] + mean[1] + mean[2] + mean[6] + mean[7] + mean[8]) / 6,
               1e-14);
    mean[4] = (double)NAN; /* a layer without a value does not disturb the parabola */
    CHECK_NEAR(syn_rank_shape(mean, 9).curvature, -3, 1e-12);
    CHECK(isnan(syn_rank_shape(mean, 2).peak));
}

/* ---- resampling ---- */

static syn_arena scratch(void *block, size_t bytes)
{
    return syn_arena_on(block, bytes);
}

static void run_backwards(void *user, int jobs, syn_job_fn *job, void *arg)
{
    int index;
    (void)user;
    for (index = jobs - 1; index >= 0; index--) job(arg, index);
}

TEST(bootstrap)
{
    setup s;
    syn_bootstrap one, two;
    syn_resample_desc d;
    syn_error err;
    static double block[2][400000];
    syn_arena arena, measure = syn_arena_measure();
    size_t k, inside = 0;
    memset(&d, 0, sizeof d);
    d.layers = 4;
    d.resamples = 400;
    d.seed = 7;
    REQUIRE(setup_load(&s, "phiid_multi/series.npy", SYN_MMI, SYN_FLAGGED_EXCLUDE));
    arena = scratch(block[0], sizeof block[0]);
    REQUIRE_OK(syn_rank_bootstrap(&one, &s.pairs, SYN_SCORE_SYNERGY, &d, &arena, &err), err);
    CHECK_OK(syn_rank_bootstrap(&two, &s.pairs, SYN_SCORE_SYNERGY, &d, &measure, &err), err);
    CHECK(measure.used == arena.used);
    d.parallel.run = run_backwards;
    d.parallel.threads = 3;
    arena = scratch(block[1], sizeof block[1]);
    REQUIRE_OK(syn_rank_bootstrap(&two, &s.pairs, SYN_SCORE_SYNERGY, &d, &arena, &err), err);
    for (k = 0; k < s.rank.units; k++) {
        CHECK(one.low[k] < one.high[k]);
        inside += one.low[k] <= s.rank.synergy[k] && s.rank.synergy[k] <= one.high[k];
        CHECK_NEAR(one.low[k], two.low[k], 0);
        CHECK_NEAR(one.high[k], two.high[k], 0);
    }
    CHECK(inside == s.rank.units);
    for (k = 0; k < 4; k++) CHECK(one.layer_low[k] < one.layer_high[k]);
    CHECK(one.middle.low <= one.middle.value && one.middle.value <= one.middle.high);
    CHECK_NEAR(one.curvature.low, two.curvature.low, 0);
    d.seed = 8;
    arena = scratch(block[1], sizeof block[1]);
    REQUIRE_OK(syn_rank_bootstrap(&two, &s.pairs, SYN_SCORE_SYNERGY, &d, &arena, &err), err);
    CHECK(one.low[0] < two.low[0] || one.low[0] > two.low[0]);
    d.layers = 5;
    CHECK_FAILS(syn_rank_bootstrap(&two, &s.pairs, SYN_SCORE_SYNERGY, &d, &arena, &err),
                SYN_ERROR_ARGUMENT, err);
    d.layers = 4;
    CHECK_FAILS(syn_rank_bootstrap(&two, &s.pairs, SYN_SCORE_EXCESS, &d, &arena, &err),
                SYN_ERROR_ARGUMENT, err);
    d.level = 1;
    CHECK_FAILS(syn_rank_bootstrap(&two, &s.pairs, SYN_SCORE_SYNERGY, &d, &arena, &err),
                SYN_ERROR_ARGUMENT, err);
    d.level = 0;
    CHECK(syn_rank_score(&s.rank, SYN_SCORE_BALANCE) == s.rank.balance);
    arena = scratch(block[1], 1000);
    CHECK_FAILS(syn_rank_bootstrap(&two, &s.pairs, SYN_SCORE_SYNERGY, &d, &arena, &err),
                SYN_ERROR_MEMORY, err);
    free(s.block);
}

/* Prompts from a known distribution: the interval of a mean is near mean +- 1.96 sd / sqrt(P),
   and a score that is nothing but noise has no reliability, one that is stable has it in full. */
TEST(resampling_of_known_prompts)
{
    enum { UNITS = 40, PROMPTS = 60 };
    static double sum[2][PROMPTS * UNITS], block[400000];
    static uint32_t sound[PROMPTS * UNITS];
    syn_pairs pairs;
    syn_bootstrap boot;
    syn_resample_desc d;
    syn_error err;
    syn_arena arena;
    uint64_t state = 11;
    size_t p, u;
    double value, width = 0;
    memset(&pairs, 0, sizeof pairs);
    memset(&d, 0, sizeof d);
    pairs.units = UNITS;
    pairs.prompts = pairs.desc.prompts = PROMPTS;
    pairs.unit_synergy = sum[0];
    pairs.unit_redundancy = sum[1];
    pairs.unit_sound = sound;
    for (p = 0; p < PROMPTS; p++)
        for (u = 0; u < UNITS; u++) {
            double noise = 0;
            int k;
            for (k = 0; k < 12; k++) {
                state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
                noise += (double)(state >> 11) / 9007199254740992.0 - 0.5;
            }
            sound[p * UNITS + u] = UNITS - 1;
            sum[0][p * UNITS + u] = (UNITS - 1) * (10 + noise);               /* no unit differs */
            sum[1][p * UNITS + u] = (UNITS - 1) * ((double)u + 0.01 * noise); /* all differ */
        }
    arena = scratch(block, sizeof block);
    REQUIRE_OK(syn_rank_bootstrap(&boot, &pairs, SYN_SCORE_SYNERGY, &d, &arena, &err), err);
    for (u = 0; u < UNITS; u++) width += (boot.high[u] - boot.low[u]) / (double)UNITS;
    CHECK_NEAR(width, 2 * 1.96 / sqrt((double)PROMPTS), 0.05);
    CHECK(boot.resamples == 1000);
    arena = scratch(block, sizeof block);
    REQUIRE_OK(syn_rank_reliability(&pairs, SYN_SCORE_REDUNDANCY, &d, &value, &arena, &err), err);
    CHECK(value > 0.999 && value <= 1);
    arena = scratch(block, sizeof block);
    REQUIRE_OK(syn_rank_reliability(&pairs, SYN_SCORE_SYNERGY, &d, &value, &arena, &err), err);
    CHECK(fabs(value) < 0.5);
    pairs.prompts = 1;
    CHECK_FAILS(syn_rank_reliability(&pairs, SYN_SCORE_SYNERGY, &d, &value, &arena, &err),
                SYN_ERROR_ARGUMENT, err);
}

TEST(permutation)
{
    enum { LAYERS = 12, PER = 6 };
    double score[LAYERS * PER];
    static double block[4000];
    syn_permutation test;
    syn_resample_desc d;
    syn_error err;
    syn_arena arena = scratch(block, sizeof block);
    size_t k;
    memset(&d, 0, sizeof d);
    d.layers = LAYERS;
    d.resamples = 999;
    for (k = 0; k < LAYERS * PER; k++) {
        double depth = (double)(k / PER) / (LAYERS - 1);
        score[k] = -(depth - 0.5) * (depth - 0.5) + 0.01 * (double)(k * 7 % 5);
    }
    REQUIRE_OK(syn_rank_permutation(&test, score, LAYERS * PER, &d, &arena, &err), err);
    CHECK_NEAR(test.p_middle, 0.001, 1e-12);
    CHECK_NEAR(test.p_curvature, 0.001, 1e-12);
    for (k = 0; k < LAYERS * PER; k++) score[k] = (double)(k * 29 % (LAYERS * PER));
    arena = scratch(block, sizeof block);
    REQUIRE_OK(syn_rank_permutation(&test, score, LAYERS * PER, &d, &arena, &err), err);
    CHECK(test.p_middle > 0.02 && test.p_middle <= 1);
}

/* What is out of range has no name, or is refused before anything is taken. */
TEST(what_is_out_of_range)
{
    static const double level[] = {-0.1, 1, 2};
    static const double score[6] = {1, 2, 3, 4, 5, 6};
    syn_permutation test;
    syn_resample_desc d;
    syn_error err;
    syn_arena arena = syn_arena_measure();
    syn_score found;
    int k;
    CHECK_STR(syn_score_name(SYN_SCORES), "");
    CHECK_STR(syn_surrogate_name(SYN_SURROGATES), "");
    CHECK(!syn_score_find("nothing", &found));
    memset(&d, 0, sizeof d);
    d.layers = 3;
    for (k = 0; k < 3; k++) {
        d.level = level[k];
        CHECK_FAILS(syn_rank_permutation(&test, score, 6, &d, &arena, &err), SYN_ERROR_ARGUMENT,
                    err);
    }
    d.level = 0.5;
    CHECK_OK(syn_rank_permutation(&test, score, 6, &d, &arena, &err), err);
    arena = syn_arena_measure();
    CHECK_FAILS(syn_rank_permutation(&test, score, 0, &d, &arena, &err), SYN_ERROR_ARGUMENT, err);
    d.layers = 4;
    CHECK_FAILS(syn_rank_permutation(&test, score, 6, &d, &arena, &err), SYN_ERROR_ARGUMENT, err);
    CHECK(arena.used == 0);
}

/* What is not asked for is not written; what cannot be known is NaN, not a number made up. */
TEST(what_is_not_asked_for_or_not_known)
{
    static const double score[6] = {1, 3, 5, 7, 9, 2};
    const double none = (double)NAN;
    double block[64], work[24], mean[6], other[3], a[6], b[6];
    size_t order[6];
    syn_rank rank;
    syn_shape shape;
    syn_error err;
    syn_arena arena = syn_arena_on(block, sizeof block);
    int k;
    syn_rank_profile(score, 6, 3, mean, NULL, NULL);
    CHECK(mean[0] == 2 && mean[1] == 6 && mean[2] == 5.5);
    syn_rank_profile(score, 6, 3, mean, other, NULL);
    CHECK(other[0] == 0 && other[1] == 1);
    syn_rank_profile(score, 6, 3, mean, NULL, other);
    CHECK(other[0] == 0 && other[1] == 1 && other[2] == 0.5);
    REQUIRE_OK(syn_rank_open(&rank, 6, &arena, &err), err);
    syn_rank_means(&rank, score, score);
    CHECK(syn_rank_score(&rank, SYN_SCORE_EXCESS) == rank.excess);
    CHECK(syn_rank_score(&rank, SYN_SCORE_BALANCE) == rank.balance);
    CHECK(syn_rank_score(&rank, SYN_SCORE_SYNERGY) == rank.synergy);
    CHECK(syn_rank_score(&rank, SYN_SCORE_REDUNDANCY) == rank.redundancy);
    CHECK(syn_rank_score(&rank, (syn_score)99) == rank.rank_difference);
    for (k = 0; k < 6; k++) {
        a[k] = score[k];
        b[k] = -score[k];
        mean[k] = none;
    }
    CHECK_NEAR(syn_rank_spearman(a, b, 6, work, order), -1, 1e-15);
    a[0] = a[1] = b[2] = b[3] = none; /* two places are left */
    CHECK_NEAR(syn_rank_spearman(a, b, 6, work, order), -1, 1e-15);
    a[4] = none;
    CHECK(isnan(syn_rank_spearman(a, b, 6, work, order)));
    for (k = 0; k < 6; k++) a[k] = 3;
    CHECK(isnan(syn_rank_spearman(a, score, 6, work, order)));
    CHECK(isnan(syn_rank_spearman(score, a, 6, work, order)));
    CHECK(isnan(syn_rank_spearman(score, a, 0, work, order)));
    shape = syn_rank_shape(mean, 6);
    CHECK(isnan(shape.peak) && isnan(shape.middle) && isnan(shape.curvature));
    mean[2] = 1; /* only layers in the middle */
    mean[3] = 2;
    shape = syn_rank_shape(mean, 6);
    CHECK_NEAR(shape.peak, 0.6, 1e-15);
    CHECK(isnan(shape.middle) && isnan(shape.curvature));
    mean[5] = 0;
    CHECK_NEAR(syn_rank_shape(mean, 6).middle, 1.5, 0);
    mean[2] = mean[3] = none; /* only at the end */
    mean[0] = 4;
    CHECK(isnan(syn_rank_shape(mean, 6).middle));
}

TEST_MAIN("rank")
