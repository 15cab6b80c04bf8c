/* Surrogates: against the references' null values, and what each kind promises to keep. */
#define SYNERGY_SIMD 0 /* no kernel is tested here: twice as fast to compile */
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

static void check_null(const double *x, const double *y, const npy *null, size_t s,
                       double tolerance)
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
        syn_surrogate_shift(series.f8 + N, N, (size_t)shift.i4[s], y);
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
        syn_surrogate_phase(series.f8, N, px.f8 + s * 49, x, work);
        syn_surrogate_phase(series.f8 + N, N, py.f8 + s * 49, y, work);
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

/* The shuffle's order is ours; that the references' gives theirs checks the definition of a
   null. */
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
    double made[UNITS * SAMPLES], again[UNITS * SAMPLES], work[SYN_SURROGATE_WORK * SAMPLES],
        was[SAMPLES];
    uint64_t key[UNITS];
    syn_surrogate_desc what;
    syn_series s;
    int kind;
    size_t t, u, lag, k;
    make_series(data);
    s = series_of(data);
    syn_surrogate_keys(&s, key);
    memset(&what, 0, sizeof what);
    what.seed = 9;
    what.key = key;
    what.kind = (syn_surrogate)77;
    syn_surrogate_make(&s, &what, made, work);
    for (t = 0; t < UNITS * SAMPLES; t++) CHECK(isnan(made[t]));
    for (kind = 0; kind < SYN_SURROGATES; kind++) {
        what.kind = (syn_surrogate)kind;
        what.surrogate = 2;
        what.prompt = 1;
        syn_surrogate_make(&s, &what, made, work);
        syn_surrogate_make(&s, &what, again, work);
        CHECK(!memcmp(made, again, sizeof made));
        what.surrogate = 3;
        syn_surrogate_make(&s, &what, again, work);
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
            for (lag = 1; lag < SAMPLES && kind != SYN_SURROGATE_SHUFFLE; lag++) /* iaaft: nearly */
                CHECK_NEAR(circular(v, lag), circular(was, lag),
                           kind == SYN_SURROGATE_IAAFT ? 0.1 * circular(was, 0) : 1e-12);
            for (t = 0; t < SAMPLES && kind != SYN_SURROGATE_PHASE; t++) {
                for (k = 0; k < SAMPLES; k++)
                    if (!(v[t] < was[k]) && !(v[t] > was[k])) break;
                CHECK(k < SAMPLES);
            }
        }
    }
    /* the shuffle keeps samples of units together */
    what.kind = SYN_SURROGATE_SHUFFLE;
    what.surrogate = what.prompt = 0;
    syn_surrogate_make(&s, &what, made, work);
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
    static double data[MANY * LONG], made[MANY * LONG], work[SYN_SURROGATE_WORK * LONG];
    static double block[20000];
    double atlas[MANY];
    syn_pairs seen, null;
    syn_excess excess;
    syn_rank rank;
    syn_pairs_desc d;
    syn_error err;
    syn_arena arena = syn_arena_on(block, sizeof block);
    syn_series s;
    uint64_t state = 3, key[MANY];
    syn_surrogate_desc what;
    size_t t, u, k;
    memset(&d, 0, sizeof d);
    memset(&what, 0, sizeof what);
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
    d.cells = true;
    REQUIRE_OK(syn_pairs_open(&seen, &d, &arena, &err), err);
    d.cells = false;
    d.lean = true;
    d.like = &seen;
    REQUIRE_OK(syn_pairs_open(&null, &d, &arena, &err), err);
    REQUIRE_OK(syn_rank_open(&rank, MANY, &arena, &err), err);
    REQUIRE_OK(syn_pairs_add(&seen, &s, &err), err);
    REQUIRE_OK(syn_excess_open(&excess, &seen, true, &arena, &err), err);
    syn_surrogate_keys(&s, key);
    what.kind = SYN_SURROGATE_SHIFT;
    what.seed = 5;
    what.key = key;
    s.data = made;
    CHECK_FAILS(syn_pairs_add(&null, &s, &err), SYN_ERROR_ARGUMENT, err);
    CHECK_FAILS(syn_excess_add(&excess, &null, &err), SYN_ERROR_ARGUMENT, err);
    for (k = 0; k < TIMES; k++) {
        syn_series from = s;
        from.data = data;
        syn_pairs_clear(&null);
        what.surrogate = k;
        syn_surrogate_make(&from, &what, made, work);
        REQUIRE_OK(syn_pairs_add_surrogate(&null, &s, &from, &err), err);
        REQUIRE_OK(syn_excess_add(&excess, &null, &err), err);
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

/* ---- observed and surrogates over the same pairs and prompts ----

   A unit all of whose pairs are flagged as observed (it counts, it is constant, it is not finite)
   must change no digit of any other unit: wherever it stands, for every kind of surrogate, on both
   routes, in several prompts whose exclusions differ, for any number of threads. */

enum { BASE = 19, PROMPTS = 3, SPAN = 44, DRAWS = 24 };

typedef struct table { /* what a whole analysis with surrogates gives for the units of the base */
    double unit[2][BASE][6]; /* observed, mean, sd, z, p, surrogates */
    double pair_p[2][BASE * BASE], low[BASE], high[BASE], cell[PROMPTS * BASE];
    uint64_t missing;
} table;

/* Prompt p of the base: memory, a common driver, and units that are degenerate in one prompt
   each. */
static void base_prompt(double *row, size_t p) /* (unit, sample) */
{
    uint64_t state = 40 + p;
    size_t t, u;
    for (t = 0; t < SPAN; t++) {
        double driver = next_normal(&state);
        for (u = 0; u < BASE; u++)
            row[u * SPAN + t] = (t ? 0.6 * row[u * SPAN + t - 1] : 0) + next_normal(&state) +
                                (u % 3 ? 0.8 * driver : 0);
    }
    for (t = 0; t < SPAN; t++) {
        if (p == 0) row[2 * SPAN + t] = 3 - 2 * row[SPAN + t];           /* a copy of unit 1 */
        if (p == 1) row[4 * SPAN + t] = t ? row[3 * SPAN + t - 1] : 0.5; /* unit 3, a step late */
        if (p == 1) row[11 * SPAN + t] = 7;                              /* constant */
        if (p != 1) row[5 * SPAN + t] = t == 20 + p ? 1 : 0;             /* one event */
    }
}

/* The same with an excluded unit before unit `at` of the base; at > BASE: none. */
static size_t with_guest(double *to, const double *base, size_t at, int guest)
{
    size_t u, t, n = 0;
    for (u = 0; u <= BASE; u++) {
        for (t = 0; u == at && t < SPAN; t++)
            to[n * SPAN + t] = guest == 0 ? (double)t : guest == 1 ? 4.5 : t == 9 ? (double)NAN : 1;
        if (u == at) n++;
        if (u < BASE) memcpy(to + n++ * SPAN, base + u * SPAN, SPAN * sizeof *to);
    }
    return n;
}

static syn_series rows_of(const double *rows, size_t units)
{
    syn_series s;
    memset(&s, 0, sizeof s);
    s.data = rows;
    s.type = SYN_NUMBER_F64;
    s.units = units;
    s.samples = SPAN;
    s.time_stride = 1;
    s.unit_stride = SPAN;
    return s;
}

static void analyse(table *out, syn_surrogate kind, const syn_pairs_desc *like, size_t at,
                    int guest)
{
    static double seen[PROMPTS][(BASE + 1) * SPAN], made[(BASE + 1) * SPAN], base[BASE * SPAN];
    static double block[200000], work[SYN_SURROGATE_WORK * SPAN];
    static uint64_t key[PROMPTS][BASE + 1];
    syn_arena arena = syn_arena_on(block, sizeof block);
    syn_pairs_desc d = *like;
    syn_pairs pairs, null;
    syn_excess excess;
    syn_bootstrap boot;
    syn_resample_desc r;
    syn_surrogate_desc what;
    syn_error err;
    size_t p, s, u, k, n = 0;
    memset(out, 0, sizeof *out);
    memset(&r, 0, sizeof r);
    r.resamples = 50;
    for (p = 0; p < PROMPTS; p++) {
        syn_series series;
        base_prompt(base, p);
        n = with_guest(seen[p], base, at, guest);
        series = rows_of(seen[p], n);
        syn_surrogate_keys(&series, key[p]);
    }
    d.units = n;
    d.samples = SPAN;
    d.prompts = PROMPTS;
    d.cells = true;
    REQUIRE_OK(syn_pairs_open(&pairs, &d, &arena, &err), err);
    for (p = 0; p < PROMPTS; p++) {
        syn_series series = rows_of(seen[p], n);
        REQUIRE_OK(syn_pairs_add(&pairs, &series, &err), err);
    }
    REQUIRE_OK(syn_excess_open(&excess, &pairs, true, &arena, &err), err);
    d.cells = false;
    d.lean = true;
    d.like = &pairs;
    REQUIRE_OK(syn_pairs_open(&null, &d, &arena, &err), err);
    what.kind = kind;
    what.seed = 77;
    for (s = 0; s < DRAWS; s++) {
        syn_pairs_clear(&null);
        for (p = 0; p < PROMPTS; p++) {
            syn_series series = rows_of(seen[p], n), other = rows_of(made, n);
            what.surrogate = s;
            what.prompt = p;
            what.key = key[p];
            syn_surrogate_make(&series, &what, made, work);
            REQUIRE_OK(syn_pairs_add_surrogate(&null, &other, &series, &err), err);
        }
        out->missing += null.missing;
        REQUIRE_OK(syn_excess_add(&excess, &null, &err), err);
    }
    REQUIRE_OK(syn_rank_bootstrap(&boot, &pairs, SYN_SCORE_SYNERGY, &r, &arena, &err), err);
    for (u = 0; u < BASE; u++) {
        size_t i = u + (at <= u ? 1 : 0), v;
        for (k = 0; k < 2; k++) {
            const syn_excess_unit x = syn_excess_of(&excess, (syn_measure)k, i);
            const double all[6] = {x.observed, x.mean, x.sd, x.z, x.p, (double)x.surrogates};
            memcpy(out->unit[k][u], all, sizeof all);
        }
        out->low[u] = boot.low[i];
        out->high[u] = boot.high[i];
        for (p = 0; p < PROMPTS; p++) out->cell[p * BASE + u] = pairs.unit_synergy[p * n + i];
        for (v = u + 1; v < BASE; v++)
            for (k = 0; k < 2; k++)
                out->pair_p[k][u * BASE + v] = syn_excess_pair_p(
                    &excess, (syn_measure)k, syn_pairs_index(n, i, v + (at <= v ? 1 : 0)));
    }
    if (at <= BASE) CHECK(syn_excess_of(&excess, 0, at).surrogates == 0);
    CHECK(isnan(syn_excess_of(&excess, (syn_measure)77, 0).observed));
    CHECK(isnan(syn_excess_pair_p(&excess, (syn_measure)77, 0)));
    CHECK(isnan(syn_excess_of(&excess, SYN_SYNERGY, excess.units).observed));
}

/* Two jobs at a time would need threads; backwards is as different an order as threads can make. */
static void backwards(void *user, int jobs, syn_job_fn *job, void *arg)
{
    (void)user;
    while (jobs-- > 0) job(arg, jobs);
}

TEST(like_with_like)
{
    static table plain, other;
    static const size_t place[3] = {0, 8, BASE};
    syn_pairs_desc d;
    int kind, route, guest, k;
    size_t u;
    for (kind = 0; kind < SYN_SURROGATES; kind++)
        for (route = 0; route < 4; route++) {
            memset(&d, 0, sizeof d);
            d.careful = route % 2 ? 0 : 1;
            d.flagged = route == 2 ? SYN_FLAGGED_ZERO : SYN_FLAGGED_EXCLUDE;
            if (route == 3) d.phiid.redundancy = SYN_CCS;
            if (route && kind % 2) continue; /* phase and iaaft, the slow ones, once */
            analyse(&plain, (syn_surrogate)kind, &d, BASE + 1, 0);
            CHECK((kind == SYN_SURROGATE_SHIFT) <= (plain.missing > 0)); /* the event at an end */
            d.parallel.run = backwards;
            d.parallel.threads = 2;
            analyse(&other, (syn_surrogate)kind, &d, BASE + 1, 0);
            CHECK(!memcmp(&plain, &other, sizeof plain));
            for (guest = 0; guest < 3 && d.flagged == SYN_FLAGGED_EXCLUDE; guest++) {
                analyse(&other, (syn_surrogate)kind, &d, place[guest], guest);
                CHECK(!memcmp(&plain, &other, sizeof plain));
            }
            for (u = 0; u < BASE; u++) /* every unit has a test, the one with one event, too */
                for (k = 0; k < 2; k++) {
                    const double *x = plain.unit[k][u];
                    CHECK(x[2] >= 0 && x[4] > 0 && x[4] <= 1);
                    CHECK_NEAR(x[5], DRAWS, 0);
                }
        }
}

TEST(false_discoveries)
{
    const double p[7] = {0.01, 0.04, (double)NAN, 0.03, 0.005, 0.5, 0.04};
    const double want[7] = {0.03, 0.048, (double)NAN, 0.048, 0.03, 0.5, 0.048};
    double q[7];
    size_t order[7], k;
    syn_rank_fdr(p, 7, q, order);
    for (k = 0; k < 7; k++) {
        if (isnan(want[k])) CHECK(isnan(q[k]));
        else CHECK_NEAR(q[k], want[k], 1e-15);
    }
}

TEST_MAIN("surrogate")
