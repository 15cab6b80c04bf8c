/* Surrogates: against the references' null values, and what each kind promises to keep. */
#define SYNERGY_IMPLEMENTATION
#define SYNERGY_NO_MODEL
#include "synergy.h"
#include "npy.h"
#include "test.h"

enum { S = 40, N = 100 };

static npy load(const char *name, npy_kind kind)
{
    test_path_buffer path;
    char file[128];
    npy a;
    memset(&a, 0, sizeof a);
    snprintf(file, sizeof file, "phiid_null/%s.npy", name);
    CHECK(npy_load(&a, test_path(path, file), kind));
    return a;
}

static void check_null(const double *x, const double *y, const npy *null, size_t s, double tolerance)
{
    double atom[SYN_ATOMS];
    CHECK(!syn_phiid_pair(x, y, N, NULL, atom));
    CHECK_NEAR(atom[SYN_STS], null->f8[s], tolerance);
    CHECK_NEAR(atom[SYN_RTR], null->f8[S + s], tolerance);
}

TEST(shift_reference)
{
    npy series = load("example_series", NPY_F8), shift = load("circshift_shifts", NPY_I4);
    npy null = load("circshift_null", NPY_F8);
    double y[N];
    size_t s;
    REQUIRE(series.data && shift.data && null.data);
    for (s = 0; s < S; s++) {
        syn_surrogate_shift(y, series.f8 + N, N, (size_t)shift.i4[s]);
        check_null(series.f8, y, &null, s, 1e-10);
    }
    npy_free(&series);
    npy_free(&shift);
    npy_free(&null);
}

TEST(phase_reference)
{
    npy series = load("example_series", NPY_F8), null = load("phase_null", NPY_F8);
    npy px = load("phase_x", NPY_F8), py = load("phase_y", NPY_F8);
    npy made = load("phase_surrogates_first3", NPY_F8);
    double x[N], y[N], work[2 * N];
    size_t s, t;
    REQUIRE(series.data && null.data && px.data && py.data && made.data);
    for (s = 0; s < S; s++) {
        syn_surrogate_phase(x, series.f8, N, px.f8 + s * 49, work);
        syn_surrogate_phase(y, series.f8 + N, N, py.f8 + s * 49, work);
        check_null(x, y, &null, s, 1e-9);
        for (t = 0; t < N && s < 3; t++) {
            CHECK_NEAR(x[t], made.f8[s * N + t], 1e-12);
            CHECK_NEAR(y[t], made.f8[(3 + s) * N + t], 1e-12);
        }
    }
    npy_free(&series);
    npy_free(&null);
    npy_free(&px);
    npy_free(&py);
    npy_free(&made);
}

/* The shuffle's order is ours; that the references' gives theirs checks the definition of a null. */
TEST(shuffle_reference)
{
    npy series = load("example_series", NPY_F8), index = load("shuffle_index", NPY_I4);
    npy null = load("shuffle_null", NPY_F8);
    double x[N], y[N];
    size_t s, t;
    REQUIRE(series.data && index.data && null.data);
    for (s = 0; s < S; s++) {
        for (t = 0; t < N; t++) {
            x[t] = series.f8[index.i4[s * N + t]];
            y[t] = series.f8[N + index.i4[s * N + t]];
        }
        check_null(x, y, &null, s, 1e-10);
    }
    npy_free(&series);
    npy_free(&index);
    npy_free(&null);
}

/* ---- what syn_surrogate_make promises ---- */

enum { UNITS = 6, SAMPLES = 37 };

static void make_series(float *data)
{
    uint64_t state = 4;
    size_t t, u;
    for (t = 0; t < SAMPLES; t++)
        for (u = 0; u < UNITS; u++) {
            state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            data[t * UNITS + u] = (float)(state >> 40) / 16777216.0f + (float)u;
        }
    for (t = 0; t < SAMPLES; t++) data[t * UNITS + 3] = 0.7f; /* constant */
    data[5 * UNITS + 4] = (float)NAN;
}

static syn_series series_of(const float *data)
{
    syn_series s;
    memset(&s, 0, sizeof s);
    s.data = data;
    s.type = SYN_NUMBER_F32;
    s.units = UNITS;
    s.samples = SAMPLES;
    return s;
}

/* The circular autocovariance at a lag. */
static double circular(const double *v, size_t lag)
{
    double mean = 0, sum = 0;
    size_t t;
    for (t = 0; t < SAMPLES; t++) mean += v[t] / (double)SAMPLES;
    for (t = 0; t < SAMPLES; t++) sum += (v[t] - mean) * (v[(t + lag) % SAMPLES] - mean);
    return sum;
}

TEST(kinds)
{
    float data[UNITS * SAMPLES];
    double made[UNITS * SAMPLES], again[UNITS * SAMPLES], work[4 * SAMPLES], was[SAMPLES];
    syn_series s;
    int kind;
    size_t t, u, lag, k;
    make_series(data);
    s = series_of(data);
    for (kind = 0; kind < SYN_SURROGATES; kind++) {
        syn_surrogate_make(made, &s, (syn_surrogate)kind, 9, 2, 1, work);
        syn_surrogate_make(again, &s, (syn_surrogate)kind, 9, 2, 1, work);
        CHECK(!memcmp(made, again, sizeof made));
        syn_surrogate_make(again, &s, (syn_surrogate)kind, 9, 3, 1, work);
        CHECK(memcmp(made, again, sizeof made));
        CHECK(syn_surrogate_name((syn_surrogate)kind)[0]);
        for (u = 0; u < UNITS; u++) {
            const double *v = made + u * SAMPLES;
            size_t bad = 0, moved = 0;
            for (t = 0; t < SAMPLES; t++) {
                was[t] = (double)data[t * UNITS + u];
                if (isnan(v[t])) bad++;
                moved += v[t] < was[t] || v[t] > was[t];
            }
            CHECK(bad == (u == 4));
            if (u == 3) CHECK(moved == 0);
            if (u >= 3 && u <= 4) continue;
            CHECK(moved > SAMPLES / 2);
            CHECK_NEAR(circular(v, 0), circular(was, 0), 1e-12);
            for (lag = 1; lag < SAMPLES && kind != SYN_SURROGATE_SHUFFLE; lag++)
                CHECK_NEAR(circular(v, lag), circular(was, lag), 1e-12);
            for (t = 0; t < SAMPLES && kind != SYN_SURROGATE_PHASE; t++) {
                for (k = 0; k < SAMPLES; k++)
                    if (!(v[t] < was[k]) && !(v[t] > was[k])) break;
                CHECK(k < SAMPLES);
            }
        }
    }
    /* the shuffle keeps samples of units together */
    syn_surrogate_make(made, &s, SYN_SURROGATE_SHUFFLE, 9, 0, 0, work);
    for (t = 0; t < SAMPLES; t++)
        for (k = 0; k < SAMPLES; k++)
            if (!((double)data[k * UNITS] < made[t]) && !((double)data[k * UNITS] > made[t]))
                CHECK_NEAR((double)data[k * UNITS + 5], made[5 * SAMPLES + t], 0);
}

/* ---- the excess of coupled and of unrelated units ---- */

enum { MANY = 8, LONG = 400, TIMES = 60 };

static double next_normal(uint64_t *state)
{
    double sum = 0;
    int k;
    for (k = 0; k < 12; k++) {
        *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        sum += (double)(*state >> 11) / 9007199254740992.0 - 0.5;
    }
    return sum;
}

TEST(excess)
{
    static double data[MANY * LONG], made[MANY * LONG], work[4 * LONG];
    static double block[20000];
    double atlas[MANY];
    syn_pairs seen, null;
    syn_excess excess;
    syn_rank rank;
    syn_pairs_desc d;
    syn_error err;
    syn_arena arena = syn_arena_on(block, sizeof block);
    syn_series s;
    uint64_t state = 3;
    size_t t, u, k;
    memset(&d, 0, sizeof d);
    memset(&s, 0, sizeof s);
    for (t = 0; t < LONG; t++) { /* units 0 to 3 share a driver, 4 to 7 only have memory */
        double driver = next_normal(&state);
        for (u = 0; u < MANY; u++)
            data[u * LONG + t] = (t ? 0.7 * data[u * LONG + t - 1] : 0) + next_normal(&state) +
                                 (u < 4 ? 1.5 * driver : 0);
    }
    d.units = MANY;
    d.samples = LONG;
    d.careful = 1;
    s.data = data;
    s.type = SYN_NUMBER_F64;
    s.units = MANY;
    s.samples = LONG;
    s.time_stride = 1;
    s.unit_stride = LONG;
    REQUIRE_OK(syn_pairs_open(&seen, &d, &arena, &err), err);
    REQUIRE_OK(syn_pairs_open(&null, &d, &arena, &err), err);
    REQUIRE_OK(syn_rank_open(&rank, MANY, &arena, &err), err);
    REQUIRE_OK(syn_pairs_add(&seen, &s, &err), err);
    REQUIRE_OK(syn_excess_open(&excess, &seen, true, &arena, &err), err);
    s.data = made;
    for (k = 0; k < TIMES; k++) {
        syn_series from = s;
        from.data = data;
        syn_pairs_clear(&null);
        syn_surrogate_make(made, &from, SYN_SURROGATE_SHIFT, 5, k, 0, work);
        REQUIRE_OK(syn_pairs_add(&null, &s, &err), err);
        syn_excess_add(&excess, &null);
    }
    for (u = 0; u < MANY; u++) {
        syn_excess_unit r = syn_excess_of(&excess, 1, u), y = syn_excess_of(&excess, 0, u);
        if (u < 4) CHECK(r.p < 0.02 && r.z > 4);
        else CHECK(r.p > 0.02);
        CHECK(r.sd > 0 && y.sd > 0 && y.mean > 0.1); /* memory alone is synergy under MMI */
    }
    for (u = 0; u < MANY; u++)
        for (t = u + 1; t < MANY; t++) {
            double p = syn_excess_pair_p(&excess, 1, syn_pairs_index(MANY, u, t));
            CHECK(t < 4 ? p < 0.05 : p > 0);
        }
    syn_rank_pairs(&rank, &seen);
    syn_excess_rank(&excess, &rank);
    for (u = 0; u < MANY; u++) atlas[u] = syn_rank_score(&rank, SYN_SCORE_EXCESS)[u];
    for (u = 0; u < MANY; u++)
        CHECK_NEAR(atlas[u], rank.synergy[u] - syn_excess_of(&excess, 0, u).mean, 1e-15);
}

TEST(false_discoveries)
{
    const double p[7] = {0.01, 0.04, (double)NAN, 0.03, 0.005, 0.5, 0.04};
    const double want[7] = {0.03, 0.048, (double)NAN, 0.048, 0.03, 0.5, 0.048};
    double q[7];
    size_t order[7], k;
    syn_rank_fdr(p, 7, order, q);
    for (k = 0; k < 7; k++) {
        if (isnan(want[k])) CHECK(isnan(q[k]));
        else CHECK_NEAR(q[k], want[k], 1e-15);
    }
}

TEST_MAIN("surrogate")
