/* Estimators: the reference package's discrete and Gaussian atoms, ranks and normal scores, every
   route to the same number, and what each refuses. */
#define SYNERGY_SIMD 0 /* no kernel is tested here: twice as fast to compile */
#define SYNERGY_IMPLEMENTATION
#define SYNERGY_NO_MODEL
#include "synergy.h"
#include "npy.h"
#include "test.h"

enum { N = 120, CASES = 24, KINDS = 5 };

static const struct {
    syn_estimator estimator;
    syn_transform transform;
    syn_redundancy redundancy;
} kinds[KINDS] = {{SYN_BINARY, SYN_TRANSFORM_NONE, SYN_MMI},
                  {SYN_BINARY, SYN_TRANSFORM_NONE, SYN_CCS},
                  {SYN_COPULA, SYN_TRANSFORM_NONE, SYN_MMI},
                  {SYN_COPULA, SYN_TRANSFORM_NONE, SYN_CCS},
                  {SYN_GAUSSIAN, SYN_TRANSFORM_LOG, SYN_MMI}};

static npy load(const char *name)
{
    test_path_buffer path;
    char file[128];
    npy a;
    memset(&a, 0, sizeof a);
    snprintf(file, sizeof file, "phiid_estimators/%s.npy", name);
    CHECK(npy_load(&a, test_path(path, file), NPY_F8));
    return a;
}

static syn_phiid_desc desc_of(int kind, double *work)
{
    syn_phiid_desc d;
    memset(&d, 0, sizeof d);
    d.estimator = kinds[kind].estimator;
    d.transform = kinds[kind].transform;
    d.redundancy = kinds[kind].redundancy;
    d.work = work;
    return d;
}

static const char *kind_name(int kind)
{
    return syn_estimator_name(kinds[kind].estimator);
}

TEST(reference)
{
    npy series = load("series"), want = load("atoms");
    double work[3 * N], atom[SYN_ATOMS], sum;
    int kind;
    size_t c, k;
    REQUIRE(series.data && want.data);
    for (c = 0; c < CASES; c++)
        for (kind = 0; kind < KINDS; kind++) {
            const double *x = series.f8 + c * 2 * N,
                         *ref = want.f8 + (c * KINDS + (size_t)kind) * SYN_ATOMS;
            syn_phiid_desc d = desc_of(kind, work);
            double mi[SYN_MIS];
            d.mi = mi;
            CHECK(!syn_phiid_pair(x, x + N, N, &d, atom));
            for (k = 0, sum = 0; k < SYN_ATOMS; k++) {
                CHECK_NEAR(atom[k], ref[k], 1e-12);
                sum += atom[k];
            }
            CHECK_NEAR(sum, mi[SYN_MI_XY_AB], 1e-13);
            CHECK(kind_name(kind)[0]);
        }
    npy_free(&series);
    npy_free(&want);
}

/* The same in 50 digits, ranks to atoms without a double on the way. CCS where its signs are
   sure. */
TEST(fifty_digits)
{
    npy series = load("series"), want = load("exact");
    double work[3 * N], atom[SYN_ATOMS];
    size_t c, k, judged = 0;
    int kind;
    REQUIRE(series.data && want.data);
    for (c = 0; c < CASES; c++)
        for (kind = 0; kind < KINDS; kind++) {
            const double *x = series.f8 + c * 2 * N,
                         *ref = want.f8 + (c * KINDS + (size_t)kind) * SYN_ATOMS;
            syn_phiid_desc d = desc_of(kind, work);
            if (isnan(ref[0])) continue;
            judged++;
            CHECK(!syn_phiid_pair(x, x + N, N, &d, atom));
            for (k = 0; k < SYN_ATOMS; k++) CHECK_NEAR(atom[k], ref[k], 5e-15);
        }
    CHECK(judged >= CASES * KINDS - 4);
    npy_free(&series);
    npy_free(&want);
}

/* Phi^-1(rank / (n + 1)) to the last digits (30-digit values, rounded), ties averaged. */
TEST(normal_scores)
{
    static const double value[8] = {5, -1, 2, 2, 9, 1e300, 2, -7}; /* ranks 6 2 4 4 7 8 4 1 of 8 */
    static const double want[8] = {
        0.430727299295457489, -0.764709673786386990, -0.139710298881862020, -0.139710298881862020,
        0.764709673786386990, 1.22064034884734967,   -0.139710298881862020, -1.22064034884734967};
    static double many[100000], work[100000];
    double to[8], square = 0;
    syn_phiid_desc d = desc_of(2, NULL);
    size_t k;
    syn_phiid_prepare(value, 8, &d, to, work);
    for (k = 0; k < 8; k++) CHECK_NEAR(to[k], want[k], 1e-15);
    for (k = 0; k < 100000; k++) many[k] = (double)(k * 7919 % 100000);
    syn_phiid_prepare(many, 100000, &d, many, work);
    for (k = 0; k < 100000; k++) {
        size_t rank = k * 7919 % 100000 + 1;
        square += many[k] * many[k] / 100000;
        if (rank == 1) CHECK_NEAR(many[k], -4.26489302668545083, 1e-12);
        if (rank == 50000) CHECK_NEAR(many[k], -1.25330160433226797e-5, 1e-15);
    }
    CHECK(fabs(square - 0.9997929537) <
          1e-9); /* the variance of a normal, less its furthest tails */
}

/* Monotone maps change nothing, whatever the marginals. */
TEST(copula_sees_ranks_only)
{
    npy series = load("series");
    double bent[2 * N], work[3 * N], a[SYN_ATOMS], b[SYN_ATOMS];
    syn_phiid_desc d = desc_of(2, work);
    size_t c, t;
    REQUIRE(series.data);
    for (c = 0; c < CASES; c++) {
        const double *x = series.f8 + c * 2 * N;
        for (t = 0; t < N; t++) {
            bent[t] = x[t] * x[t] * x[t];
            bent[N + t] = log(x[N + t]) / 1e6;
        }
        CHECK(!syn_phiid_pair(x, x + N, N, &d, a));
        CHECK(!syn_phiid_pair(bent, bent + N, N, &d, b));
        for (t = 0; t < SYN_ATOMS; t++) CHECK_NEAR(a[t], b[t], 0);
    }
    npy_free(&series);
}

/* Counts of states, local values and pairs are other ways to the same numbers. */
TEST(binary_routes)
{
    npy series = load("series");
    double atom[SYN_ATOMS], other[SYN_ATOMS], local[SYN_ATOMS * (N - 1)], mean[4];
    uint64_t count[16];
    int r;
    size_t c, t, k;
    REQUIRE(series.data);
    for (c = 0; c < CASES; c++)
        for (r = 0; r < 2; r++) {
            const double *x = series.f8 + c * 2 * N, *v[4];
            syn_phiid_desc d = desc_of(r, NULL);
            v[0] = x;
            v[1] = x + N;
            v[2] = x + 1;
            v[3] = x + N + 1;
            memset(count, 0, sizeof count);
            for (k = 0; k < 4; k++)
                for (t = 0, mean[k] = 0; t < N - 1; t++) mean[k] += v[k][t] / (N - 1);
            for (t = 0; t < N - 1; t++) {
                size_t state = 0;
                for (k = 0; k < 4; k++) state += v[k][t] > mean[k] ? (size_t)1 << k : 0;
                count[state]++;
            }
            d.local = local;
            CHECK(!syn_phiid_pair(x, x + N, N, &d, atom));
            d.local = NULL;
            CHECK(!syn_phiid_counts(count, &d, other));
            for (k = 0; k < SYN_ATOMS; k++) {
                double sum = 0;
                for (t = 0; t < N - 1; t++) sum += local[k * (N - 1) + t] / (N - 1);
                CHECK_NEAR(other[k], atom[k], 1e-15);
                CHECK_NEAR(sum, atom[k], 1e-13);
            }
        }
    npy_free(&series);
}

/* Independent, equal and constant levels, by hand: ln 2 of a copy that the past tells. */
TEST(binary_by_hand)
{
    uint64_t count[16] = {0};
    double atom[SYN_ATOMS], mi[SYN_MIS];
    syn_phiid_desc d = desc_of(0, NULL);
    size_t k;
    for (k = 0; k < 16; k++) count[k] = 3;
    CHECK(!syn_phiid_counts(count, &d, atom));
    for (k = 0; k < SYN_ATOMS; k++) CHECK_NEAR(atom[k], 0, 0);
    memset(count, 0, sizeof count);
    count[0] = count[15] = 8; /* x = y = a = b */
    d.mi = mi;
    for (d.redundancy = SYN_MMI; d.redundancy <= SYN_CCS;
         d.redundancy = (syn_redundancy)(d.redundancy + 1)) {
        CHECK(!syn_phiid_counts(count, &d, atom));
        CHECK_NEAR(atom[SYN_RTR], log(2), 1e-15);
        for (k = 1; k < SYN_ATOMS; k++) CHECK_NEAR(atom[k], 0, 1e-15);
        CHECK_NEAR(mi[SYN_MI_XY_AB], log(2), 1e-15);
    }
    d.redundancy = SYN_MMI;
    count[15] = 0;
    count[1] = 8; /* x alone varies */
    CHECK(syn_phiid_counts(count, &d, atom) == SYN_FLAG_CONSTANT);
    CHECK_NEAR(atom[SYN_XTX], 0, 0);
    memset(count, 0, sizeof count);
    for (k = 0; k < 4; k++)
        count[k + ((k ^ k >> 1) & 1) * 4 + (k & 1 ? 8 : 0)] = 5; /* a = x xor y, b = x */
    CHECK(!syn_phiid_counts(count, &d, atom));
    CHECK_NEAR(mi[SYN_MI_XY_A], log(2), 1e-15);
    CHECK_NEAR(mi[SYN_MI_X_A], 0, 1e-15);
    memset(count, 0, sizeof count);
    count[0] = 4;
    CHECK(syn_phiid_counts(count, &d, atom) & SYN_FLAG_TOO_SHORT);
}

/* All pairs of many units give what one pair gives; for any order of jobs. */
TEST(pairs)
{
    enum { UNITS = 2 * CASES };
    static double block[400000], sts[2][UNITS * UNITS], rtr[UNITS * UNITS], confound[UNITS];
    static float narrow[UNITS * N];
    npy series = load("series");
    double work[3 * N], atom[SYN_ATOMS];
    int kind, pass;
    size_t i, j;
    REQUIRE(series.data);
    for (i = 0; i < UNITS * N; i++) narrow[i] = (float)series.f8[i];
    for (kind = 0; kind < KINDS; kind++) {
        syn_phiid_desc d = desc_of(kind, work);
        const double near = d.estimator == SYN_BINARY ? 1e-15 : 2e-12; /* the same whole numbers */
        for (pass = 0; pass < 2; pass++) {
            syn_arena arena = syn_arena_on(block, sizeof block);
            syn_pairs pairs;
            syn_pairs_desc p;
            syn_series s;
            syn_error err;
            memset(&p, 0, sizeof p);
            memset(&s, 0, sizeof s);
            p.units = UNITS;
            p.samples = N + 5; /* more room than is used */
            p.phiid = d;
            p.phiid.work = NULL;
            s.data = pass ? (const void *)narrow : (const void *)series.f8;
            s.type = pass ? SYN_NUMBER_F32 : SYN_NUMBER_F64;
            s.units = UNITS;
            s.samples = N;
            s.time_stride = 1;
            s.unit_stride = N;
            REQUIRE_OK(syn_pairs_open(&pairs, &p, &arena, &err), err);
            REQUIRE_OK(syn_pairs_add(&pairs, &s, &err), err);
            syn_pairs_matrices(&pairs, sts[pass], rtr);
            syn_pairs_confound(&pairs, SYN_CONFOUND_MEAN, confound);
            CHECK(confound[0] > 0 && confound[4] > 0); /* of the series as given, not of ranks */
            syn_pairs_confound(&pairs, SYN_CONFOUND_SELF, confound);
            for (i = 0; i < UNITS; i++)
                for (j = i + 1; j < UNITS; j++) {
                    double mi[SYN_MIS];
                    syn_flags bad;
                    d.mi = mi;
                    bad = pass ? syn_phiid_pair_float(narrow + i * N, narrow + j * N, N, &d, atom)
                               : syn_phiid_pair(series.f8 + i * N, series.f8 + j * N, N, &d, atom);
                    if (bad) {
                        CHECK(isnan(sts[pass][i * UNITS + j]));
                        continue;
                    }
                    CHECK_NEAR(sts[pass][i * UNITS + j], atom[SYN_STS], near);
                    CHECK_NEAR(rtr[i * UNITS + j], atom[SYN_RTR], near);
                    CHECK_NEAR(confound[i], mi[SYN_MI_X_A], 1e-12);
                }
        }
    }
    npy_free(&series);
}

TEST(refusals)
{
    double x[20], atom[SYN_ATOMS], cov[16] = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1},
                                   work[60];
    static double block[2000];
    syn_arena arena = syn_arena_on(block, sizeof block);
    syn_phiid_desc d = desc_of(2, NULL);
    syn_pairs_desc p;
    syn_pairs pairs;
    syn_error err;
    size_t t;
    for (t = 0; t < 20; t++) x[t] = (double)(t * 7 % 20) - 3;
    CHECK(syn_phiid_pair(x, x, 20, &d, atom) == SYN_FLAG_NO_SAMPLES); /* no work */
    CHECK(isnan(atom[0]));
    CHECK(syn_phiid_covariance(cov, &d, atom) == SYN_FLAG_NO_SAMPLES);
    d = desc_of(0, NULL);
    CHECK(syn_phiid_covariance(cov, &d, atom) == SYN_FLAG_NO_SAMPLES);
    d = desc_of(4, work);
    CHECK(syn_phiid_pair(x, x, 20, &d, atom) == SYN_FLAG_NONFINITE); /* no logarithm */
    memset(&p, 0, sizeof p);
    p.units = 2;
    p.samples = 20;
    p.phiid.estimator = SYN_ESTIMATORS;
    CHECK_FAILS(syn_pairs_open(&pairs, &p, &arena, &err), SYN_ERROR_ARGUMENT, err);
    CHECK(!syn_estimator_name(SYN_ESTIMATORS)[0] && !syn_transform_name(SYN_TRANSFORMS)[0]);
}

TEST_MAIN("estimators")
