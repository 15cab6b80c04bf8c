/* All pairs: against 60-digit references, against the pair-level function, and against itself with
   other kernels, other numbers of threads and other layouts. */
#define SYNERGY_IMPLEMENTATION
#define SYNERGY_NO_MODEL
#define SYNERGY_THREADS
#include "synergy.h"
#include "npy.h"
#include "test.h"

typedef struct setup {
    syn_pairs pairs;
    void *block;
    size_t bytes;
} setup;

static int setup_open(setup *s, const syn_pairs_desc *desc)
{
    syn_arena measure = syn_arena_measure(), arena;
    syn_error err;
    memset(s, 0, sizeof *s);
    CHECK_OK(syn_pairs_open(&s->pairs, desc, &measure, &err), err);
    s->bytes = measure.used + SYN_ALIGN;
    s->block = malloc(s->bytes);
    arena = syn_arena_on(s->block, s->bytes);
    return syn_pairs_open(&s->pairs, desc, &arena, &err) == SYN_OK;
}

/* rows (unit, sample) of doubles */
static syn_series rows(const double *data, size_t units, size_t samples)
{
    syn_series s;
    memset(&s, 0, sizeof s);
    s.data = data;
    s.type = SYN_NUMBER_F64;
    s.units = units;
    s.samples = samples;
    s.time_stride = 1;
    s.unit_stride = samples;
    return s;
}

static syn_pairs_desc plain_desc(size_t units, size_t samples, size_t prompts)
{
    syn_pairs_desc d;
    memset(&d, 0, sizeof d);
    d.units = units;
    d.samples = samples;
    d.prompts = prompts;
    d.careful = 1; /* the fast route, however few pairs there are */
    return d;
}

/* adds a [prompt, unit, sample] array */
static void add_all(syn_pairs *pairs, const npy *a)
{
    syn_error err;
    size_t p;
    for (p = 0; p < a->shape[0]; p++) {
        syn_series s = rows(a->f8 + p * a->shape[1] * a->shape[2], a->shape[1], a->shape[2]);
        CHECK_OK(syn_pairs_add(pairs, &s, &err), err);
    }
}

static void check_matrix(const double *got, const char *file, double tolerance)
{
    test_path_buffer path;
    char name[128];
    npy want;
    size_t i, n;
    snprintf(name, sizeof name, "phiid_multi/%s.npy", file);
    REQUIRE(npy_load(&want, test_path(path, name), NPY_F8));
    n = want.shape[0];
    for (i = 0; i < want.count; i++) {
        if (i / n == i % n) CHECK_NEAR(got[i], 0, 0);
        else if (isnan(want.f8[i])) CHECK(isnan(got[i]));
        else CHECK_NEAR(got[i], want.f8[i], tolerance);
    }
    npy_free(&want);
}

static void check_multi(const char *series, const char *kind, syn_pairs_desc desc)
{
    test_path_buffer path;
    char name[128];
    npy a;
    setup s;
    double *synergy, *redundancy;
    snprintf(name, sizeof name, "phiid_multi/%s.npy", series);
    REQUIRE(npy_load(&a, test_path(path, name), NPY_F8));
    desc.prompts = a.shape[0];
    desc.units = a.shape[1];
    desc.samples = a.shape[2];
    REQUIRE(setup_open(&s, &desc));
    add_all(&s.pairs, &a);
    synergy = (double *)malloc(desc.units * desc.units * sizeof(double));
    redundancy = (double *)malloc(desc.units * desc.units * sizeof(double));
    syn_pairs_matrices(&s.pairs, synergy, redundancy);
    snprintf(name, sizeof name, kind, "sts");
    check_matrix(synergy, name, 1e-13);
    snprintf(name, sizeof name, kind, "rtr");
    check_matrix(redundancy, name, 1e-13);
    free(synergy);
    free(redundancy);
    free(s.block);
    npy_free(&a);
}

/* careful 1: the fast route; 0: the pair-level route, because there are few pairs; simd: 1 to 3 */
TEST(multi_mmi)
{
    syn_pairs_desc d = plain_desc(2, 6, 1);
    for (d.simd = 0; d.simd < 4; d.simd++) check_multi("series", "%s_MMI", d);
    d.careful = 0;
    check_multi("series", "%s_MMI", d);
}

TEST(multi_ccs)
{
    syn_pairs_desc d = plain_desc(2, 6, 1);
    d.phiid.redundancy = SYN_CCS;
    for (d.simd = 0; d.simd < 4; d.simd++) check_multi("series", "%s_CCS", d);
    d.careful = 0;
    check_multi("series", "%s_CCS", d);
}

TEST(dead_units)
{
    syn_pairs_desc d = plain_desc(2, 6, 1);
    for (d.careful = 0; d.careful < 2; d.careful++) {
        d.flagged = SYN_FLAGGED_EXCLUDE;
        check_multi("dead_series", "dead_%s_exclude", d);
        d.flagged = SYN_FLAGGED_ZERO;
        check_multi("dead_series", "dead_%s_zero", d);
    }
}

/* ---- all atoms ---- */

typedef struct catcher {
    double *sum;   /* (pair, atom) */
    uint8_t *flag; /* of the last prompt */
    size_t next, calls, stop_at;
} catcher;

static bool catch_atoms(void *user, size_t first, size_t pairs, const double *atom,
                        const uint8_t *flag)
{
    catcher *c = (catcher *)user;
    size_t i;
    CHECK(first == c->next || first == 0);
    if (++c->calls == c->stop_at) return false;
    c->next = first + pairs;
    for (i = 0; i < pairs * SYN_ATOMS; i++) c->sum[first * SYN_ATOMS + i] += atom[i];
    memcpy(c->flag + first, flag, pairs);
    return true;
}

static void check_atoms(syn_redundancy redundancy, const char *file)
{
    test_path_buffer path;
    npy a, want;
    setup s;
    catcher c;
    size_t i, j, n, k;
    syn_pairs_desc d = plain_desc(2, 6, 1);
    REQUIRE(npy_load(&a, test_path(path, "phiid_multi/series.npy"), NPY_F8));
    REQUIRE(npy_load(&want, test_path(path, file), NPY_F8));
    d.prompts = a.shape[0];
    d.units = n = a.shape[1];
    d.samples = a.shape[2];
    d.phiid.redundancy = redundancy;
    d.atoms = catch_atoms;
    d.user = &c;
    memset(&c, 0, sizeof c);
    REQUIRE(setup_open(&s, &d));
    c.sum = (double *)calloc(s.pairs.pairs * SYN_ATOMS, sizeof(double));
    c.flag = (uint8_t *)calloc(s.pairs.pairs, 1);
    add_all(&s.pairs, &a);
    CHECK(c.next == s.pairs.pairs);
    for (i = 0; i < n; i++)
        for (j = i + 1; j < n; j++)
            for (k = 0; k < SYN_ATOMS; k++) {
                double mean = c.sum[syn_pairs_index(n, i, j) * SYN_ATOMS + k] / (double)d.prompts;
                CHECK_NEAR(mean, want.f8[(k * n + i) * n + j], 1e-13);
            }
    free(c.sum);
    free(c.flag);
    free(s.block);
    npy_free(&a);
    npy_free(&want);
}

TEST(atoms_mmi)
{
    check_atoms(SYN_MMI, "phiid_multi/atoms_mean_MMI.npy");
}
TEST(atoms_ccs)
{
    check_atoms(SYN_CCS, "phiid_multi/atoms_mean_CCS.npy");
}

/* ---- generated series ---- */

static uint64_t random_state;

static double random_normal(void)
{
    double sum = 0;
    int k;
    for (k = 0; k < 12; k++) {
        random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        sum += (double)(random_state >> 11) / 9007199254740992.0;
    }
    return sum - 6;
}

/* (unit, sample): autoregressive, with a common driver */
static double *make_series(size_t units, size_t samples, uint64_t seed)
{
    double *data = (double *)malloc(units * samples * sizeof(double));
    double common = 0;
    size_t u, t;
    random_state = seed;
    for (t = 0; t < samples; t++) {
        common = 0.6 * common + random_normal();
        for (u = 0; u < units; u++) {
            double before = t ? data[u * samples + t - 1] : 0;
            double phi = 0.9 * (double)(u % 7) / 7;
            data[u * samples + t] = phi * before + random_normal() + 0.3 * (double)(u % 3) * common;
        }
    }
    return data;
}

/* Every pair of the engine against the pair-level function, MMI and CCS, odd sizes and lags. */
static void check_against_pairs(size_t units, size_t samples, int tau, syn_redundancy redundancy,
                                int simd)
{
    setup s;
    syn_error err;
    catcher c;
    size_t i, j, k, pair = 0;
    double *data = make_series(units, samples, units * 1000 + samples), atom[SYN_ATOMS];
    double *many;
    syn_series series = rows(data, units, samples);
    syn_pairs_desc d = plain_desc(units, samples, 1);
    syn_phiid_desc one;
    memset(&one, 0, sizeof one);
    memset(&c, 0, sizeof c);
    d.phiid.tau = one.tau = (size_t)tau;
    d.phiid.redundancy = one.redundancy = redundancy;
    d.simd = (syn_simd)simd;
    d.atoms = catch_atoms;
    d.user = &c;
    REQUIRE(setup_open(&s, &d));
    c.sum = many = (double *)calloc(s.pairs.pairs * SYN_ATOMS, sizeof(double));
    c.flag = (uint8_t *)calloc(s.pairs.pairs, 1);
    CHECK_OK(syn_pairs_add(&s.pairs, &series, &err), err);
    for (i = 0; i < units; i++)
        for (j = i + 1; j < units; j++, pair++) {
            syn_flags flags =
                syn_phiid_pair(data + i * samples, data + j * samples, samples, &one, atom);
            CHECK(syn_pairs_index(units, i, j) == pair && syn_pairs_index(units, j, i) == pair);
            CHECK(flags == c.flag[pair]);
            CHECK_NEAR(s.pairs.synergy[pair], atom[SYN_STS], 2e-13);
            CHECK_NEAR(s.pairs.redundancy[pair], atom[SYN_RTR], 2e-13);
            for (k = 0; k < SYN_ATOMS; k++) CHECK_NEAR(many[pair * SYN_ATOMS + k], atom[k], 2e-13);
        }
    free(c.sum);
    free(c.flag);
    free(s.block);
    free(data);
}

TEST(against_pair_level)
{
    int simd;
    for (simd = 1; simd < 4; simd++) {
        check_against_pairs(2, 100, 0, SYN_MMI, simd);
        check_against_pairs(9, 7, 1, SYN_MMI, simd);
        check_against_pairs(17, 301, 3, SYN_MMI, simd);
        check_against_pairs(8, 100, 90, SYN_MMI, simd);
        check_against_pairs(3, 100, 0, SYN_CCS, simd);
        check_against_pairs(10, 131, 2, SYN_CCS, simd);
        check_against_pairs(9, 130, 1, SYN_CCS, simd);
    }
}

/* From a correlation of 0.5 to one of 1 - 1e-16, in the past, the future or from one to the other:
   where the closed form would lose digits, the pair-level function is asked. */
TEST(nearly_dependent)
{
    enum { UNITS = 40, SAMPLES = 80 };
    setup s;
    syn_error err;
    double *data = make_series(UNITS, SAMPLES, 12), atom[SYN_ATOMS];
    syn_series series = rows(data, UNITS, SAMPLES);
    syn_pairs_desc d = plain_desc(UNITS, SAMPLES, 1);
    size_t u, j, t, pair = 0;
    for (u = 1; u < UNITS; u++)
        for (t = 0; t < SAMPLES; t++) { /* unit 0, one sample later for every other unit */
            double noise = data[u * SAMPLES + t];
            size_t from = u % 2 && t ? t - 1 : t;
            data[u * SAMPLES + t] = data[from] + noise * pow(0.4, (double)u);
        }
    for (d.simd = 1; d.simd < 4; d.simd++) {
        REQUIRE(setup_open(&s, &d));
        CHECK_OK(syn_pairs_add(&s.pairs, &series, &err), err);
        for (u = 0, pair = 0; u < UNITS; u++)
            for (j = u + 1; j < UNITS; j++, pair++) {
                syn_flags flags =
                    syn_phiid_pair(data + u * SAMPLES, data + j * SAMPLES, SAMPLES, NULL, atom);
                CHECK((flags != 0) == (s.pairs.left_out[pair] != 0));
                if (flags) continue;
                CHECK_NEAR(s.pairs.synergy[pair], atom[SYN_STS], 1e-12);
                CHECK_NEAR(s.pairs.redundancy[pair], atom[SYN_RTR], 1e-12);
            }
        CHECK(s.pairs.careful > UNITS && s.pairs.careful < s.pairs.pairs);
        free(s.block);
    }
    free(data);
}

/* ---- degenerate series among sound ones ---- */

enum { BAD_UNITS = 12, BAD_SAMPLES = 60 };

static double *make_bad(void)
{
    double *data = make_series(BAD_UNITS, BAD_SAMPLES, 5);
    size_t t;
    for (t = 0; t < BAD_SAMPLES; t++) {
        double *v = data + t;
        v[1 * BAD_SAMPLES] = 3.5;                             /* constant */
        v[2 * BAD_SAMPLES] = -2 * v[0] + 7;                   /* a copy, scaled */
        v[3 * BAD_SAMPLES] = v[0];                            /* a copy */
        v[4 * BAD_SAMPLES] = t ? data[t - 1] : 0.1;           /* shifted by tau */
        v[5 * BAD_SAMPLES] = (double)t;                       /* a straight line */
        v[6 * BAD_SAMPLES] = t + 1 < BAD_SAMPLES ? 1.0 : 2.0; /* past constant */
        v[8 * BAD_SAMPLES] = 0;                               /* constant too */
        v[9 * BAD_SAMPLES] *= 1e200;                          /* sound */
        v[10 * BAD_SAMPLES] *= 1e-310;                        /* sound, subnormal */
    }
    data[7 * BAD_SAMPLES + BAD_SAMPLES - 1] = (double)NAN;
    return data;
}

/* The gravest flag and every atom as the pair-level function has them. */
TEST(degenerate)
{
    setup s;
    syn_error err;
    catcher c;
    size_t i, j, k, pair = 0;
    double *data = make_bad(), atom[SYN_ATOMS];
    syn_series series = rows(data, BAD_UNITS, BAD_SAMPLES);
    syn_pairs_desc d = plain_desc(BAD_UNITS, BAD_SAMPLES, 1);
    memset(&c, 0, sizeof c);
    d.atoms = catch_atoms;
    d.user = &c;
    REQUIRE(setup_open(&s, &d));
    c.sum = (double *)calloc(s.pairs.pairs * SYN_ATOMS, sizeof(double));
    c.flag = (uint8_t *)calloc(s.pairs.pairs, 1);
    CHECK_OK(syn_pairs_add(&s.pairs, &series, &err), err);
    for (i = 0; i < BAD_UNITS; i++)
        for (j = i + 1; j < BAD_UNITS; j++, pair++) {
            syn_flags flags = syn_phiid_pair(data + i * BAD_SAMPLES, data + j * BAD_SAMPLES,
                                             BAD_SAMPLES, NULL, atom);
            CHECK_STR(syn_flags_text(c.flag[pair]), syn_flags_text(flags));
            CHECK((s.pairs.left_out[pair] == 1) == (flags != 0));
            for (k = 0; k < SYN_ATOMS; k++) {
                double got = c.sum[pair * SYN_ATOMS + k];
                if (isnan(atom[k])) CHECK(isnan(got));
                else CHECK_NEAR(got, atom[k], 1e-12);
            }
        }
    CHECK(s.pairs.flagged[3] == BAD_UNITS - 1); /* NONFINITE: every pair of unit 7 */
    CHECK(s.pairs.flagged[0] > 0);
    free(c.sum);
    free(c.flag);
    free(s.block);
    free(data);
}

/* Without atoms the same pairs are flagged, with the same count of each kind. */
TEST(degenerate_counts)
{
    setup fast, slow;
    syn_error err;
    double *data = make_bad();
    syn_series series = rows(data, BAD_UNITS, BAD_SAMPLES);
    syn_pairs_desc d = plain_desc(BAD_UNITS, BAD_SAMPLES, 1);
    int k;
    REQUIRE(setup_open(&fast, &d));
    d.careful = 0;
    REQUIRE(setup_open(&slow, &d));
    CHECK_OK(syn_pairs_add(&fast.pairs, &series, &err), err);
    CHECK_OK(syn_pairs_add(&slow.pairs, &series, &err), err);
    for (k = 0; k < SYN_FLAG_KINDS; k++) CHECK(fast.pairs.flagged[k] == slow.pairs.flagged[k]);
    CHECK(slow.pairs.careful == slow.pairs.pairs);
    CHECK(fast.pairs.careful < slow.pairs.careful);
    free(fast.block);
    free(slow.block);
    free(data);
}

/* ---- layouts, threads, memory, refusals ---- */

/* Runs jobs backwards: any order must do. */
static void run_backwards(void *user, int jobs, syn_job_fn *job, void *arg)
{
    int index;
    ++*(int *)user;
    for (index = jobs - 1; index >= 0; index--) job(arg, index);
}

TEST(order_of_jobs_changes_nothing)
{
    enum { UNITS = 150, SAMPLES = 40 };
    setup a, b;
    syn_error err;
    int calls = 0, p;
    syn_pairs_desc d = plain_desc(UNITS, SAMPLES, 2);
    REQUIRE(setup_open(&a, &d));
    d.parallel.run = run_backwards;
    d.parallel.user = &calls;
    d.parallel.threads = 2;
    REQUIRE(setup_open(&b, &d));
    for (p = 0; p < 2; p++) {
        double *data = make_series(UNITS, SAMPLES, 77 + (uint64_t)p);
        syn_series series = rows(data, UNITS, SAMPLES);
        CHECK_OK(syn_pairs_add(&a.pairs, &series, &err), err);
        CHECK_OK(syn_pairs_add(&b.pairs, &series, &err), err);
        free(data);
    }
    CHECK(calls >= 2);
    CHECK(!memcmp(a.pairs.synergy, b.pairs.synergy, a.pairs.pairs * sizeof(double)));
    CHECK(!memcmp(a.pairs.redundancy, b.pairs.redundancy, a.pairs.pairs * sizeof(double)));
    CHECK(!memcmp(a.pairs.unit_synergy, b.pairs.unit_synergy, 2 * UNITS * sizeof(double)));
    CHECK(!memcmp(a.pairs.unit_redundancy, b.pairs.unit_redundancy, 2 * UNITS * sizeof(double)));
    free(a.block);
    free(b.block);
}

/* Atoms or not, the sums are the same to the last bit; so is any layout of the same numbers. */
TEST(atoms_and_layouts_change_nothing)
{
    enum { UNITS = 21, SAMPLES = 50 };
    setup s[4];
    syn_error err;
    catcher c;
    size_t u, t, k;
    double *data = make_series(UNITS, SAMPLES, 3);
    float *packed = (float *)malloc(UNITS * SAMPLES * sizeof(float));
    syn_series series = rows(data, UNITS, SAMPLES), floats;
    syn_pairs_desc d = plain_desc(UNITS, SAMPLES, 1);
    for (u = 0; u < UNITS; u++)
        for (t = 0; t < SAMPLES; t++) {
            packed[t * UNITS + u] = (float)data[u * SAMPLES + t];
            data[u * SAMPLES + t] = (double)packed[t * UNITS + u];
        }
    memset(&floats, 0, sizeof floats);
    floats.data = packed;
    floats.type = SYN_NUMBER_F32;
    floats.units = UNITS;
    floats.samples = SAMPLES;
    memset(&c, 0, sizeof c);
    for (k = 0; k < 4; k++) {
        d.careful = k < 3 ? 1 : 0;
        d.atoms = k == 1 ? catch_atoms : NULL;
        d.user = &c;
        REQUIRE(setup_open(&s[k], &d));
        if (k == 1) {
            c.sum = (double *)calloc(s[k].pairs.pairs * SYN_ATOMS, sizeof(double));
            c.flag = (uint8_t *)calloc(s[k].pairs.pairs, 1);
        }
        CHECK_OK(syn_pairs_add(&s[k].pairs, k == 2 ? &floats : &series, &err), err);
        if (k && k < 3) {
            size_t bytes = s[k].pairs.pairs * sizeof(double);
            CHECK(!memcmp(s[0].pairs.synergy, s[k].pairs.synergy, bytes));
            CHECK(!memcmp(s[0].pairs.redundancy, s[k].pairs.redundancy, bytes));
        }
    }
    for (u = 0; u < UNITS; u++) { /* row sums are sums of rows */
        double sum = 0;
        for (t = 0; t < UNITS; t++)
            if (t != u) sum += s[0].pairs.synergy[syn_pairs_index(UNITS, u, t)];
        CHECK_NEAR(s[0].pairs.unit_synergy[u], sum, 1e-13);
        CHECK(s[0].pairs.unit_sound[u] == UNITS - 1);
    }
    for (k = 0; k < 4; k++) free(s[k].block);
    free(c.sum);
    free(c.flag);
    free(packed);
    free(data);
}

TEST(memory_is_exact)
{
    int k;
    for (k = 0; k < 8; k++) {
        syn_pairs pairs;
        syn_error err;
        syn_arena measure = syn_arena_measure(), arena;
        syn_pairs_desc d = plain_desc(30, 50, 3);
        unsigned char *block, *start;
        d.careful = k & 1 ? 0 : 1;
        d.careful += k & 1 ? 1000 : 0;
        d.phiid.redundancy = k & 2 ? SYN_CCS : SYN_MMI;
        d.atoms = k & 4 ? catch_atoms : NULL;
        CHECK_OK(syn_pairs_open(&pairs, &d, &measure, &err), err);
        block = (unsigned char *)malloc(measure.used + SYN_ALIGN);
        start = block + (SYN_ALIGN - (uintptr_t)block % SYN_ALIGN) % SYN_ALIGN;
        arena = syn_arena_on(start, measure.used);
        CHECK(arena.size == measure.used);
        CHECK_OK(syn_pairs_open(&pairs, &d, &arena, &err), err);
        CHECK(arena.used == measure.used);
        arena = syn_arena_on(start, measure.used - 1);
        CHECK_FAILS(syn_pairs_open(&pairs, &d, &arena, &err), SYN_ERROR_MEMORY, err);
        free(block);
    }
}

TEST(refusals)
{
    setup s;
    syn_error err;
    syn_pairs pairs;
    catcher c;
    syn_arena measure = syn_arena_measure();
    double *data = make_series(4, 20, 1);
    syn_series series = rows(data, 4, 20), other;
    syn_pairs_desc d = plain_desc(1, 20, 1);
    CHECK_FAILS(syn_pairs_open(&pairs, &d, &measure, &err), SYN_ERROR_ARGUMENT, err);
    d.units = 4;
    d.phiid.tau = (size_t)-1;
    CHECK_FAILS(syn_pairs_open(&pairs, &d, &measure, &err), SYN_ERROR_ARGUMENT, err);
    d.phiid.tau = 3;
    d.phiid.redundancy = (syn_redundancy)77;
    CHECK_FAILS(syn_pairs_open(&pairs, &d, &measure, &err), SYN_ERROR_ARGUMENT, err);
    d.phiid.redundancy = SYN_MMI;
    d.flagged = (syn_flagged)77;
    CHECK_FAILS(syn_pairs_open(&pairs, &d, &measure, &err), SYN_ERROR_ARGUMENT, err);
    d.flagged = SYN_FLAGGED_EXCLUDE;
    d.samples = 5;
    CHECK_FAILS(syn_pairs_open(&pairs, &d, &measure, &err), SYN_ERROR_ARGUMENT, err);
    d.samples = 20;
    memset(&c, 0, sizeof c);
    c.stop_at = 1;
    REQUIRE(setup_open(&s, &d));
    other = series;
    other.units = 3;
    CHECK_FAILS(syn_pairs_add(&s.pairs, &other, &err), SYN_ERROR_ARGUMENT, err);
    other = series;
    other.samples = 21;
    CHECK_FAILS(syn_pairs_add(&s.pairs, &other, &err), SYN_ERROR_ARGUMENT, err);
    other.samples = 7;
    CHECK_FAILS(syn_pairs_add(&s.pairs, &other, &err), SYN_ERROR_DATA, err);
    other.samples = 3;
    CHECK_FAILS(syn_pairs_add(&s.pairs, &other, &err), SYN_ERROR_DATA, err);
    CHECK_OK(syn_pairs_add(&s.pairs, &series, &err), err);
    CHECK_FAILS(syn_pairs_add(&s.pairs, &series, &err), SYN_ERROR_ARGUMENT, err);
    free(s.block);
    d.atoms = catch_atoms;
    d.user = &c;
    REQUIRE(setup_open(&s, &d));
    CHECK_FAILS(syn_pairs_add(&s.pairs, &series, &err), SYN_ERROR_READ, err);
    free(s.block);
    free(data);
}

/* An accumulator of N channels is a prompt like its series: sums, atoms, flags, confounds. */
TEST(a_covariance_is_a_prompt)
{
    enum { N = 11, T = 70, TAU = 2 };
    size_t i, t, k;
    int flagged;
    syn_error err;
    double *data = make_series(N, T, 9);
    for (t = 0; t < T; t++) data[4 * T + t] = 7;                   /* a constant */
    for (t = 0; t < T; t++) data[6 * T + t] = 2 * data[5 * T + t]; /* a copy */
    for (flagged = 0; flagged < 2; flagged++) {
        syn_pairs_desc d = plain_desc(N, T, 2);
        syn_series series = rows(data, N, T);
        setup a, b;
        catcher ca, cb;
        syn_cov cov;
        double row[N], *block = (double *)malloc(200000);
        syn_arena arena = syn_arena_on(block, 200000);
        d.phiid.tau = TAU;
        d.flagged = flagged ? SYN_FLAGGED_ZERO : SYN_FLAGGED_EXCLUDE;
        d.atoms = catch_atoms;
        memset(&ca, 0, sizeof ca);
        memset(&cb, 0, sizeof cb);
        ca.sum = (double *)calloc(N * N * SYN_ATOMS, sizeof(double));
        cb.sum = (double *)calloc(N * N * SYN_ATOMS, sizeof(double));
        ca.flag = (uint8_t *)calloc(N * N, 1);
        cb.flag = (uint8_t *)calloc(N * N, 1);
        d.user = &ca;
        REQUIRE(setup_open(&a, &d));
        d.user = &cb;
        REQUIRE(setup_open(&b, &d));
        REQUIRE_OK(syn_cov_open(&cov, N, TAU, &arena, &err), err);
        CHECK_FAILS(syn_pairs_add_cov(&b.pairs, &cov, &err), SYN_ERROR_DATA, err);
        for (t = 0; t < T; t++) {
            for (i = 0; i < N; i++) row[i] = data[i * T + t];
            syn_cov_add(&cov, row);
        }
        for (k = 0; k < 2; k++) {
            CHECK_OK(syn_pairs_add(&a.pairs, &series, &err), err);
            CHECK_OK(syn_pairs_add_cov(&b.pairs, &cov, &err), err);
        }
        CHECK_FAILS(syn_pairs_add_cov(&b.pairs, &cov, &err), SYN_ERROR_ARGUMENT, err);
        for (k = 0; k < a.pairs.pairs; k++) {
            CHECK_NEAR(a.pairs.synergy[k], b.pairs.synergy[k], 1e-13);
            CHECK_NEAR(a.pairs.redundancy[k], b.pairs.redundancy[k], 1e-13);
            CHECK(a.pairs.left_out[k] == b.pairs.left_out[k] && a.pairs.flag[k] == b.pairs.flag[k]);
        }
        for (k = 0; k < 2 * N; k++) {
            CHECK_NEAR(a.pairs.unit_synergy[k], b.pairs.unit_synergy[k], 1e-13);
            CHECK_NEAR(a.pairs.unit_redundancy[k], b.pairs.unit_redundancy[k], 1e-13);
            CHECK(a.pairs.unit_sound[k] == b.pairs.unit_sound[k]);
        }
        for (k = 0; k < SYN_FLAG_KINDS; k++) CHECK(a.pairs.flagged[k] == b.pairs.flagged[k]);
        for (i = 0; i < N; i++) {
            double self[2][N], total[2][N];
            syn_pairs_confound(&a.pairs, SYN_CONFOUND_SELF, self[0]);
            syn_pairs_confound(&b.pairs, SYN_CONFOUND_SELF, self[1]);
            syn_pairs_confound(&a.pairs, SYN_CONFOUND_TOTAL, total[0]);
            syn_pairs_confound(&b.pairs, SYN_CONFOUND_TOTAL, total[1]);
            if (i == 4) continue; /* a constant has none */
            CHECK_NEAR(self[0][i], self[1][i], 1e-13);
            CHECK_NEAR(total[0][i], total[1][i], 1e-13);
        }
        for (k = 0; k < a.pairs.pairs; k++) {
            CHECK(ca.flag[k] == cb.flag[k]);
            for (i = 0; i < SYN_ATOMS; i++)
                CHECK_NEAR(ca.sum[k * SYN_ATOMS + i], cb.sum[k * SYN_ATOMS + i], 1e-13);
        }
        cov.tau = 1;
        b.pairs.prompts = 0;
        CHECK_FAILS(syn_pairs_add_cov(&b.pairs, &cov, &err), SYN_ERROR_ARGUMENT, err);
        free(ca.sum);
        free(cb.sum);
        free(ca.flag);
        free(cb.flag);
        free(a.block);
        free(b.block);
        free(block);
    }
    free(data);
}

/* The pairs of a recording that count (pasts, then futures) are the recording: to the bit without a
   gap, and with gaps as an accumulator that was told of them. */
TEST(a_series_of_pairs)
{
    enum { N = 11, T = 70, TAU = 3, GAP = 31 };
    size_t i, t, k, count, careful, gaps;
    syn_error err;
    double *data = make_series(N, T, 9), value[2][N];
    double *pairs = (double *)malloc(sizeof(double) * N * 2 * T);
    for (careful = 0; careful < 2; careful++)
        for (gaps = 0; gaps < 2; gaps++) {
            syn_pairs_desc d = plain_desc(N, T, 1);
            syn_series whole = rows(data, N, T), laid = rows(pairs, N, 0);
            setup a, b;
            syn_cov cov;
            double row[N], *block = (double *)malloc(200000);
            syn_arena arena = syn_arena_on(block, 200000);
            count = gaps ? T - 2 * TAU : T - TAU;
            d.careful = careful ? 0 : 1;
            d.phiid.tau = TAU;
            REQUIRE(setup_open(&a, &d));
            d.samples = 2 * T;
            REQUIRE(setup_open(&b, &d));
            REQUIRE_OK(syn_cov_open(&cov, N, TAU, &arena, &err), err);
            for (i = 0; i < N; i++) {
                double *past = pairs + i * 2 * count;
                for (t = k = 0; t + TAU < T; t++) {
                    if (gaps && t < GAP && t + TAU >= GAP) continue; /* a gap before sample GAP */
                    past[k] = data[i * T + t];
                    past[count + k++] = data[i * T + t + TAU];
                }
                CHECK(k == count);
            }
            laid.samples = laid.unit_stride = 2 * count;
            laid.lag = count;
            CHECK_OK(syn_pairs_add(&b.pairs, &laid, &err), err);
            if (!gaps) CHECK_OK(syn_pairs_add(&a.pairs, &whole, &err), err);
            for (t = 0; gaps && t < T; t++) {
                if (t == GAP) syn_cov_break(&cov);
                for (i = 0; i < N; i++) row[i] = data[i * T + t];
                syn_cov_add(&cov, row);
            }
            if (gaps) CHECK_OK(syn_pairs_add_cov(&a.pairs, &cov, &err), err);
            for (k = 0; k < a.pairs.pairs; k++) {
                CHECK_NEAR(a.pairs.synergy[k], b.pairs.synergy[k], gaps ? 1e-13 : 0);
                CHECK_NEAR(a.pairs.redundancy[k], b.pairs.redundancy[k], gaps ? 1e-13 : 0);
                CHECK(a.pairs.flag[k] == b.pairs.flag[k]);
            }
            syn_pairs_confound(&a.pairs, SYN_CONFOUND_SELF, value[0]);
            syn_pairs_confound(&b.pairs, SYN_CONFOUND_SELF, value[1]);
            for (i = 0; i < N; i++) CHECK_NEAR(value[0][i], value[1][i], gaps ? 1e-13 : 0);
            syn_pairs_confound(&b.pairs, SYN_CONFOUND_AUTOCORRELATION, value[1]);
            for (i = 0; i < N; i++) CHECK(isnan(value[1][i])); /* tau 3 does not tell lag 1 */
            laid.lag = 2 * count;
            CHECK_FAILS(syn_pairs_add(&b.pairs, &laid, &err), SYN_ERROR_ARGUMENT, err);
            b.pairs.prompts = 0;
            CHECK_FAILS(syn_pairs_add(&b.pairs, &laid, &err), SYN_ERROR_DATA, err);
            laid.lag = 1; /* more pairs than were announced, with the lag of the descriptor */
            laid.samples = 2 * T;
            CHECK_FAILS(syn_pairs_add(&b.pairs, &laid, &err), SYN_ERROR_ARGUMENT, err);
            free(a.block);
            free(b.block);
            free(block);
        }
    free(pairs);
    free(data);
}

/* A thousand copies, and a thousand constants, cost no more than sound series (about). */
TEST(degenerate_is_not_slow)
{
    enum { UNITS = 600, SAMPLES = 50 };
    setup s;
    syn_error err;
    size_t u, t;
    double *data = make_series(UNITS, SAMPLES, 9);
    syn_series series = rows(data, UNITS, SAMPLES);
    syn_pairs_desc d = plain_desc(UNITS, SAMPLES, 1);
    for (u = 1; u < UNITS; u++)
        for (t = 0; t < SAMPLES; t++) data[u * SAMPLES + t] = u % 2 ? 4.0 : data[t];
    REQUIRE(setup_open(&s, &d));
    CHECK_OK(syn_pairs_add(&s.pairs, &series, &err), err);
    CHECK(s.pairs.careful == 0);
    CHECK(s.pairs.flagged[0] == 0);
    free(s.block);
    free(data);
}

TEST(confounds)
{
    enum { UNITS = 3, SAMPLES = 200 };
    setup s;
    syn_error err;
    double *data = make_series(UNITS, SAMPLES, 31), value[UNITS];
    syn_series series = rows(data, UNITS, SAMPLES);
    syn_pairs_desc d = plain_desc(UNITS, SAMPLES, 1);
    size_t t;
    int k;
    for (t = 0; t < SAMPLES; t++) {
        data[t] = 5;                                          /* constant */
        data[SAMPLES + t] = 2 + (double)t + (t % 2 ? 1 : -1); /* a trend */
    }
    REQUIRE(setup_open(&s, &d));
    CHECK_OK(syn_pairs_add(&s.pairs, &series, &err), err);
    syn_pairs_confound(&s.pairs, SYN_CONFOUND_MEAN, value);
    CHECK_NEAR(value[0], 5, 1e-12);
    CHECK_NEAR(value[1], 2 + 199.0 / 2, 1e-12);
    syn_pairs_confound(&s.pairs, SYN_CONFOUND_TREND, value);
    CHECK(isnan(value[0]));
    CHECK_NEAR(value[1], 1, 1e-3);
    syn_pairs_confound(&s.pairs, SYN_CONFOUND_AUTOCORRELATION, value);
    CHECK(isnan(value[0]));
    CHECK_NEAR(value[2], 0.9 * 2 / 7, 0.35);
    syn_pairs_confound(&s.pairs, SYN_CONFOUND_SELF, value);
    CHECK(isnan(value[0]));
    CHECK(value[2] >= 0 && value[1] > 3);
    syn_pairs_confound(&s.pairs, SYN_CONFOUND_TOTAL, value);
    CHECK(isnan(value[0]));
    CHECK(value[1] > 3 && fabs(value[1] - value[2]) < 1e-12);
    for (k = 0; k < SYN_CONFOUNDS; k++) CHECK(syn_confound_name((syn_confound)k)[0]);
    free(s.block);
    free(data);
}

/* What cannot be added, and what surrogates and covariances cannot be asked. */
TEST(what_else_is_refused)
{
    enum { N = 4, T = 20 };
    setup seen, bare, null;
    syn_pool pool;
    syn_pairs pairs;
    syn_error err;
    catcher c;
    syn_cov cov;
    syn_arena measure = syn_arena_measure();
    double *data = make_series(N, T, 5), sample[N], matrix[N * N];
    unsigned char memory[8192];
    syn_arena arena = syn_arena_on(memory, sizeof memory);
    syn_series series = rows(data, N, T), other = series;
    syn_pairs_desc d = plain_desc(N, T, 2), lean;
    size_t i, t;
#if SIZE_MAX > UINT32_MAX
    d.prompts = (size_t)UINT32_MAX + 1;
    CHECK_FAILS(syn_pairs_open(&pairs, &d, &measure, &err), SYN_ERROR_ARGUMENT, err);
    d.prompts = 2;
#endif
    REQUIRE(setup_open(&bare, &d));
    d.cells = true;
    REQUIRE(setup_open(&seen, &d));
    lean = plain_desc(N, T, 2);
    lean.lean = true;
    lean.like = &seen.pairs;
    lean.cells = true;
    CHECK_FAILS(syn_pairs_open(&pairs, &lean, &measure, &err), SYN_ERROR_ARGUMENT, err);
    lean.cells = false;
    lean.atoms = catch_atoms;
    CHECK_FAILS(syn_pairs_open(&pairs, &lean, &measure, &err), SYN_ERROR_ARGUMENT, err);
    lean.atoms = NULL;
    lean.units = N - 1;
    CHECK_FAILS(syn_pairs_open(&pairs, &lean, &measure, &err), SYN_ERROR_ARGUMENT, err);
    lean.units = N;
    lean.like = &bare.pairs;
    CHECK_FAILS(syn_pairs_open(&pairs, &lean, &measure, &err), SYN_ERROR_ARGUMENT, err);
    lean.like = &seen.pairs;
    REQUIRE(setup_open(&null, &lean));
    CHECK_FAILS(syn_pairs_add_surrogate(&bare.pairs, &series, &series, &err), SYN_ERROR_ARGUMENT,
                err);
    CHECK_FAILS(syn_pairs_add_surrogate(&null.pairs, &series, &series, &err), SYN_ERROR_ARGUMENT,
                err); /* nothing is observed yet */
    CHECK_OK(syn_pairs_add(&seen.pairs, &series, &err), err);
    other.samples = T - 1;
    CHECK_FAILS(syn_pairs_add_surrogate(&null.pairs, &series, &other, &err), SYN_ERROR_ARGUMENT,
                err);
    CHECK_OK(syn_pairs_add_surrogate(&null.pairs, &series, &series, &err), err);
    /* covariances: other channels, CCS, another estimator, and a caller who stops */
    REQUIRE_OK(syn_cov_open(&cov, N - 1, 1, &arena, &err), err);
    CHECK_FAILS(syn_pairs_add_cov(&bare.pairs, &cov, &err), SYN_ERROR_ARGUMENT, err);
    arena = syn_arena_on(memory, sizeof memory);
    REQUIRE_OK(syn_cov_open(&cov, N, 1, &arena, &err), err);
    for (t = 0; t < T; t++) {
        for (i = 0; i < N; i++) sample[i] = data[i * T + t];
        syn_cov_add(&cov, sample);
    }
    CHECK_OK(syn_pairs_add_cov(&bare.pairs, &cov, &err), err);
    syn_pairs_matrices(&bare.pairs, matrix, NULL);
    syn_pairs_matrices(&bare.pairs, NULL, matrix);
    CHECK(isfinite(matrix[1]) && matrix[0] == 0);
    free(seen.block);
    free(bare.block);
    free(null.block);
    for (i = 0; i < 4; i++) {
        d = plain_desc(N, T, 2);
        if (i == 0) d.phiid.redundancy = SYN_CCS;
        if (i == 1) d.phiid.estimator = SYN_BINARY;
        if (i == 2) d.phiid.estimator = SYN_COPULA;
        if (i == 3) {
            memset(&c, 0, sizeof c);
            c.stop_at = 1;
            d.atoms = catch_atoms;
            d.user = &c;
        }
        REQUIRE(setup_open(&bare, &d));
        CHECK_FAILS(syn_pairs_add_cov(&bare.pairs, &cov, &err),
                    i == 3 ? SYN_ERROR_READ : SYN_ERROR_ARGUMENT, err);
        free(bare.block);
    }
    CHECK_STR(syn_confound_name((syn_confound)77), "");
    CHECK_FAILS(syn_pool_start(&pool, 0, &err), SYN_ERROR_ARGUMENT, err);
    CHECK_FAILS(syn_pool_start(&pool, SYN_POOL_THREADS + 1, &err), SYN_ERROR_ARGUMENT, err);
    free(data);
}

TEST_MAIN("pairs")
