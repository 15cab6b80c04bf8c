/* test_covariance.c - arithmetic of 32 digits, and lagged covariances that are fed one sample at a
   time, merged and saved.

   The 60-digit values of tests/data/phiid are the reference for streams too: a stream must do what
   the block of samples does. */
#define SYNERGY_SIMD 0 /* no kernel is tested here: twice as fast to compile */
#define SYNERGY_IMPLEMENTATION
#define SYNERGY_NO_MODEL
#include "../synergy.h"

#include "phiid_cases.h"

#include <float.h>

enum { BLOCK_BYTES = 1 << 16 };
static unsigned char block[3][BLOCK_BYTES];

static int open_in(syn_cov *cov, int which, size_t channels, size_t tau)
{
    syn_arena arena = syn_arena_on(block[which], BLOCK_BYTES);
    syn_error err;
    if (!syn_cov_open(cov, channels, tau, &arena, &err)) return 1;
    printf("%s\n", err.text);
    return 0;
}

/* Samples from, ..., to - 1 of a (2, T) series. */
static void feed(syn_cov *cov, const npy *s, size_t from, size_t to)
{
    for (size_t t = from; t < to; t++) {
        double sample[2];
        sample[0] = s->f8[t];
        sample[1] = s->f8[s->shape[1] + t];
        syn_cov_add(cov, sample);
    }
}

/* ------------------------------------------------------------------ 32 digits */

static int parts_are(synp_dd v, double high, double low)
{
    return v.h == high && v.l == low;
}

TEST(sums_and_products_are_exact)
{
    uint64_t state = 1;
    for (int c = 0; c < 2000; c++) {
        int64_t a = (int64_t)(uniform(&state) * 9007199254740992.0); /* up to 53 bits */
        int64_t b = (int64_t)(uniform(&state) * 134217728.0);        /* 27 bits: a sum below 2^54 */
        int64_t p = (int64_t)(uniform(&state) * 1073741824.0);
        int64_t q = (int64_t)(uniform(&state) * 4294967296.0);
        synp_dd v = synp_dd_sum((double)a, (double)b);
        CHECK((int64_t)v.h + (int64_t)v.l == a + b);
        CHECK(fabs(v.l) <= ulp_of(v.h) / 2);
        v = synp_dd_product((double)p, (double)q); /* up to 62 bits */
        CHECK((int64_t)v.h + (int64_t)v.l == p * q);
        CHECK(fabs(v.l) <= ulp_of(v.h) / 2);
    }
    CHECK(parts_are(synp_dd_product(9007199254740991.0, 3.0), 27021597764222972.0, 1));
    CHECK(parts_are(synp_dd_sum(9007199254740992.0, 1.0), 9007199254740992.0, 1));
}

TEST(quotients_and_roots_come_back)
{
    uint64_t state = 2;
    double worst = 0;
    for (int c = 0; c < 2000; c++) {
        synp_dd a = synp_dd_sum(1 + fabs(uniform(&state)), uniform(&state) * 1e-17);
        synp_dd b = synp_dd_sum(1 + fabs(uniform(&state)), uniform(&state) * 1e-17);
        synp_dd off = synp_dd_sub(synp_dd_mul(synp_dd_div(a, b), b), a), root = synp_dd_root(a);
        if (fabs(off.h) > worst) worst = fabs(off.h);
        off = synp_dd_sub(synp_dd_mul(root, root), a);
        if (fabs(off.h) > worst) worst = fabs(off.h);
    }
    CHECK(worst <= ldexp(16, -104)); /* 16 units of numbers up to 4 */
    CHECK(worst > 0);                /* and not because everything is rounded away */
}

/* ------------------------------------------------------------------ streams */

TEST(a_stream_gives_what_the_block_gives)
{
    table t;
    REQUIRE(table_load(&t, "cases.tsv") == 68);
    for (int r = 0; r < t.rows; r++) {
        const char *name = t.cell[r][CASE_NAME];
        double want[SYN_ATOMS], block_atom[SYN_ATOMS], atom[SYN_ATOMS];
        double cond = table_number(&t, r, CASE_COND);
        syn_phiid_desc desc;
        syn_cov cov;
        npy s;
        memset(&desc, 0, sizeof desc);
        desc.tau = (size_t)atoi(t.cell[r][CASE_TAU]);
        REQUIRE(series_load(&s, t.cell[r][CASE_FILE]));
        REQUIRE(table_numbers(&t, r, CASE_MMI, SYN_ATOMS, want));
        REQUIRE(open_in(&cov, 0, 2, (size_t)desc.tau));
        feed(&cov, &s, 0, s.shape[1]);
        CHECK(syn_cov_pair(&cov, 0, 1, NULL, atom) == 0);
        CHECK(syn_phiid_pair(s.f8, s.f8 + s.shape[1], s.shape[1], &desc, block_atom) == 0);
        for (int k = 0; k < SYN_ATOMS; k++) {
            double allowed = ulp_of(want[k]) + 1e-30 * cond;
            CHECK(within(name, "stream", fabs(atom[k] - want[k]), allowed));
            CHECK(within(name, "stream against block", fabs(atom[k] - block_atom[k]), allowed));
        }
        npy_free(&s);
    }
    table_free(&t);
}

TEST(merged_halves_give_the_whole)
{
    table t;
    REQUIRE(table_load(&t, "cases.tsv") == 68);
    for (int r = 0; r < t.rows; r++) {
        const char *name = t.cell[r][CASE_NAME];
        double want[SYN_ATOMS], atom[SYN_ATOMS], cond = table_number(&t, r, CASE_COND);
        size_t tau = (size_t)atoi(t.cell[r][CASE_TAU]), n, half;
        syn_cov a, b, c;
        syn_error err;
        npy s;
        REQUIRE(series_load(&s, t.cell[r][CASE_FILE]));
        REQUIRE(table_numbers(&t, r, CASE_MMI, SYN_ATOMS, want));
        n = s.shape[1];
        half = (n - tau) / 3;
        REQUIRE(open_in(&a, 0, 2, tau) && open_in(&b, 1, 2, tau) && open_in(&c, 2, 2, tau));
        feed(&a, &s, 0, half + tau);                /* pairs 0 ... half - 1 */
        feed(&b, &s, half, n);                      /* the rest */
        CHECK_OK(syn_cov_merge(&c, &b, &err), err); /* into an empty one, then the other */
        CHECK_OK(syn_cov_merge(&c, &a, &err), err);
        CHECK(c.pairs == n - tau);
        CHECK(syn_cov_pair(&c, 0, 1, NULL, atom) == 0);
        for (int k = 0; k < SYN_ATOMS; k++)
            CHECK(within(name, "merged", fabs(atom[k] - want[k]), ulp_of(want[k]) + 1e-30 * cond));
        npy_free(&s);
    }
    table_free(&t);
}

TEST(a_break_spans_no_pair)
{
    syn_cov whole, parts, second;
    double a[SYN_ATOMS], b[SYN_ATOMS];
    syn_error err;
    npy s;
    REQUIRE(series_load(&s, "series/norms0_tau2.npy"));
    REQUIRE(open_in(&whole, 0, 2, 2) && open_in(&parts, 1, 2, 2) && open_in(&second, 2, 2, 2));
    feed(&whole, &s, 0, 40);
    syn_cov_break(&whole);
    feed(&whole, &s, 40, 100);
    CHECK(whole.pairs == 38 + 58);
    feed(&parts, &s, 0, 40);
    feed(&second, &s, 40, 100);
    CHECK_OK(syn_cov_merge(&parts, &second, &err), err);
    CHECK(syn_cov_pair(&whole, 0, 1, NULL, a) == 0);
    CHECK(syn_cov_pair(&parts, 0, 1, NULL, b) == 0);
    CHECK(worst_of(a, b, SYN_ATOMS) <= 1e-15);
    npy_free(&s);
}

TEST(many_channels_are_many_pairs)
{
    enum { C = 6, T = 60 };
    uint64_t state = 7;
    static double x[C][T];
    syn_cov cov;
    REQUIRE(open_in(&cov, 0, C, 3));
    for (int t = 0; t < T; t++) {
        double sample[C], shared = normal(&state);
        for (int c = 0; c < C; c++)
            sample[c] = x[c][t] = shared * c + normal(&state) + (t ? x[c][t - 1] / 2 : 0);
        syn_cov_add(&cov, sample);
    }
    for (size_t i = 0; i < C; i++) {
        for (size_t j = 0; j < C; j++) {
            double a[SYN_ATOMS], b[SYN_ATOMS];
            syn_phiid_desc desc;
            memset(&desc, 0, sizeof desc);
            desc.tau = 3;
            CHECK(syn_phiid_pair(x[i], x[j], T, &desc, a) == syn_cov_pair(&cov, i, j, NULL, b));
            CHECK(worst_of(a, b, SYN_ATOMS) <= 1e-15);
        }
    }
}

TEST(covariances_are_covariances)
{
    syn_cov cov;
    npy s;
    size_t n = 99;
    REQUIRE(series_load(&s, "series/norms0_tau1.npy"));
    REQUIRE(open_in(&cov, 0, 2, 1));
    CHECK(isnan(syn_cov_value(&cov, 0, 0)));
    feed(&cov, &s, 0, 100);
    for (size_t i = 0; i < 4; i++) {
        for (size_t j = 0; j < 4; j++) {
            const double *x = s.f8 + 100 * (i % 2) + i / 2, *y = s.f8 + 100 * (j % 2) + j / 2;
            double mx = 0, my = 0, sum = 0;
            for (size_t t = 0; t < n; t++) {
                mx += x[t] / (double)n;
                my += y[t] / (double)n;
            }
            for (size_t t = 0; t < n; t++) sum += (x[t] - mx) * (y[t] - my);
            CHECK_NEAR(syn_cov_value(&cov, i, j), sum / (double)n, 1e-13 * fabs(sum) + 1e-15);
        }
    }
    npy_free(&s);
}

TEST(any_scale_and_growing_scales)
{
    static const double scale[][2] = {
        {1e-300, 1e307}, {5e-310, 1}, {1e300, 1e-300}, {1e-160, 1e160}};
    uint64_t state = 9;
    for (int c = 0; c < 4; c++) {
        double x[60], y[60], a[SYN_ATOMS], b[SYN_ATOMS];
        syn_cov cov;
        REQUIRE(open_in(&cov, 0, 2, 1));
        for (int t = 0; t < 60; t++) {
            double shared = normal(&state), sample[2];
            x[t] = sample[0] = scale[c][0] * (shared + normal(&state)) / 8;
            y[t] = sample[1] = scale[c][1] * (shared + normal(&state)) / 8;
            syn_cov_add(&cov, sample);
        }
        CHECK(syn_phiid_pair(x, y, 60, NULL, a) == 0);
        CHECK(syn_cov_pair(&cov, 0, 1, NULL, b) == 0);
        CHECK(worst_of(a, b, SYN_ATOMS) <= 1e-15);
        syn_cov_clear(&cov); /* 0, then tiny, then huge: the units grow on the way */
        for (int t = 0; t < 60; t++) {
            double sample[2];
            x[t] = sample[0] = t < 3 ? 0 : t < 10 ? 1e-320 * t : 1e5 * normal(&state);
            y[t] = sample[1] = t < 5 ? t : 1e250 * normal(&state);
            syn_cov_add(&cov, sample);
        }
        CHECK(syn_phiid_pair(x, y, 60, NULL, a) == 0);
        CHECK(syn_cov_pair(&cov, 0, 1, NULL, b) == 0);
        CHECK(worst_of(a, b, SYN_ATOMS) <= 1e-15);
    }
}

TEST(degenerate_streams_are_flagged_as_blocks_are)
{
    table t;
    REQUIRE(table_load(&t, "degenerate.tsv") == 36);
    for (int r = 0; r < t.rows; r++) {
        int tau = atoi(t.cell[r][BAD_TAU]);
        double want[SYN_ATOMS], atom[SYN_ATOMS];
        syn_flags flags;
        syn_cov cov;
        npy s;
        if (tau < 1) continue;
        REQUIRE(series_load(&s, t.cell[r][BAD_FILE]));
        REQUIRE(open_in(&cov, 0, 2, (size_t)tau));
        feed(&cov, &s, 0, s.shape[1]);
        flags = syn_cov_pair(&cov, 0, 1, NULL, atom);
        if (strcmp(syn_flags_text(flags), t.cell[r][BAD_STATUS]))
            printf("%s:\n", t.cell[r][BAD_NAME]);
        CHECK_STR(syn_flags_text(flags), t.cell[r][BAD_STATUS]);
        if (!atoi(t.cell[r][BAD_NOISE]) && table_numbers(&t, r, BAD_MMI, SYN_ATOMS, want))
            CHECK(within(t.cell[r][BAD_NAME], "stream", worst_of(atom, want, SYN_ATOMS), 1e-15));
        npy_free(&s);
    }
    table_free(&t);
}

TEST(one_bad_channel_leaves_the_others_alone)
{
    uint64_t state = 11;
    double atom[SYN_ATOMS];
    syn_cov cov, other;
    syn_error err;
    syn_phiid_desc desc;
    REQUIRE(open_in(&cov, 0, 3, 2) && open_in(&other, 1, 3, 2));
    for (int t = 0; t < 40; t++) {
        double sample[3];
        for (int c = 0; c < 3; c++) sample[c] = normal(&state);
        if (t == 39) sample[2] = (double)NAN;
        syn_cov_add(&cov, sample);
    }
    CHECK(syn_cov_pair(&cov, 0, 1, NULL, atom) == 0);
    CHECK(syn_cov_pair(&cov, 0, 2, NULL, atom) == SYN_FLAG_NONFINITE);
    CHECK(isnan(atom[SYN_STS]));
    CHECK(isnan(syn_cov_value(&cov, 0, 5)));
    CHECK(isfinite(syn_cov_value(&cov, 0, 4)));
    CHECK_OK(syn_cov_merge(&other, &cov, &err), err);
    CHECK(syn_cov_pair(&other, 1, 2, NULL, atom) == SYN_FLAG_NONFINITE);
    memset(&desc, 0, sizeof desc);
    desc.redundancy = SYN_CCS;
    CHECK(syn_cov_pair(&cov, 0, 1, &desc, atom) == SYN_FLAG_NO_SAMPLES);
}

TEST(shapes_that_make_no_sense_are_refused)
{
    syn_arena arena = syn_arena_on(block[0], BLOCK_BYTES);
    syn_cov cov, other;
    syn_error err;
    CHECK_FAILS(syn_cov_open(&cov, 0, 1, &arena, &err), SYN_ERROR_ARGUMENT, err);
    CHECK_FAILS(syn_cov_open(&cov, 2, 0, &arena, &err), SYN_ERROR_ARGUMENT, err);
    CHECK_FAILS(syn_cov_open(&cov, SIZE_MAX / 2, 1, &arena, &err), SYN_ERROR_ARGUMENT, err);
    CHECK_FAILS(syn_cov_open(&cov, 2, SIZE_MAX / 2, &arena, &err), SYN_ERROR_ARGUMENT, err);
    CHECK_FAILS(syn_cov_open(&cov, 1000000, 1, &arena, &err), SYN_ERROR_MEMORY, err);
    REQUIRE(open_in(&cov, 0, 2, 1) && open_in(&other, 1, 2, 2));
    CHECK_FAILS(syn_cov_merge(&cov, &other, &err), SYN_ERROR_ARGUMENT, err);
}

TEST(the_measured_size_is_exact)
{
    for (size_t channels = 1; channels < 9; channels++) {
        syn_arena measure = syn_arena_measure(), arena = syn_arena_on(block[0], BLOCK_BYTES);
        syn_cov cov;
        syn_error err;
        REQUIRE_OK(syn_cov_open(&cov, channels, channels, &measure, &err), err);
        arena.size = measure.used - 1;
        CHECK_FAILS(syn_cov_open(&cov, channels, channels, &arena, &err), SYN_ERROR_MEMORY, err);
        arena.used = 0;
        arena.size = measure.used;
        arena.base[measure.used] = 77;
        REQUIRE_OK(syn_cov_open(&cov, channels, channels, &arena, &err), err);
        for (int t = 0; t < 30; t++) {
            double sample[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
            sample[0] = t;
            syn_cov_add(&cov, sample);
        }
        CHECK(arena.base[measure.used] == 77);
    }
}

/* ------------------------------------------------------------------ the byte format */

TEST(saved_and_loaded_is_the_same_and_goes_on)
{
    static unsigned char bytes[BLOCK_BYTES], again[BLOCK_BYTES];
    double a[SYN_ATOMS], b[SYN_ATOMS];
    size_t size, channels, tau;
    syn_cov cov, copy;
    syn_error err;
    npy s;
    REQUIRE(series_load(&s, "series/norms0_tau4.npy"));
    REQUIRE(open_in(&cov, 0, 2, 4) && open_in(&copy, 1, 2, 4));
    for (size_t at = 0; at < 100; at += 7) { /* also with a lag buffer that is not yet full */
        syn_cov_clear(&cov);
        feed(&cov, &s, 0, at);
        size = syn_cov_bytes(&cov);
        CHECK_FAILS(syn_cov_save(&cov, bytes, size - 1, &err), SYN_ERROR_MEMORY, err);
        bytes[size] = 99;
        REQUIRE_OK(syn_cov_save(&cov, bytes, size, &err), err);
        CHECK(bytes[size] == 99);
        REQUIRE_OK(syn_cov_shape(bytes, size, &channels, &tau, &err), err);
        CHECK(channels == 2 && tau == 4);
        REQUIRE_OK(syn_cov_load(&copy, bytes, size, &err), err);
        CHECK(syn_cov_bytes(&copy) == size);
        REQUIRE_OK(syn_cov_save(&copy, again, size, &err), err);
        CHECK(memcmp(bytes, again, size) == 0);
        feed(&cov, &s, at, 100);
        feed(&copy, &s, at, 100);
        CHECK(syn_cov_pair(&cov, 0, 1, NULL, a) == 0);
        CHECK(syn_cov_pair(&copy, 0, 1, NULL, b) == 0);
        CHECK(memcmp(a, b, sizeof a) == 0);
    }
    npy_free(&s);
}

/* data/phiid/two_channels.syncov: x_t = t^2 mod 17, y_t = (t + x_t) mod 5, t = 0 ... 29, tau 2. */
static void feed_known(syn_cov *cov)
{
    for (int t = 0; t < 30; t++) {
        double sample[2];
        sample[0] = t * t % 17;
        sample[1] = (t + t * t % 17) % 5;
        syn_cov_add(cov, sample);
    }
}

TEST(the_bytes_are_the_same_on_every_machine)
{
    test_path_buffer folder, path;
    unsigned char again[2048];
    double a[SYN_ATOMS], b[SYN_ATOMS];
    size_t size = 0;
    syn_cov cov, known;
    syn_error err;
    unsigned char *file;
    test_path(folder, "phiid");
    file = file_load(test_join(path, folder, "two_channels.syncov"), &size);
    REQUIRE(file != NULL);
    REQUIRE(open_in(&cov, 0, 2, 2) && open_in(&known, 1, 2, 2));
    feed_known(&known);
    REQUIRE_OK(syn_cov_load(&cov, file, size, &err), err);
    CHECK(cov.pairs == 28 && cov.waiting == 2);
    CHECK(syn_cov_bytes(&cov) == size && size < sizeof again);
    REQUIRE_OK(syn_cov_save(&cov, again, sizeof again, &err), err);
    CHECK(memcmp(file, again, size) == 0);
    CHECK(syn_cov_pair(&cov, 0, 1, NULL, a) == syn_cov_pair(&known, 0, 1, NULL, b));
    CHECK(worst_of(a, b, SYN_ATOMS) <= 1e-15);
    free(file);
}

TEST(damaged_bytes_are_refused_and_change_nothing)
{
    static unsigned char bytes[2048], bad[2048], before[2048], after[2048];
    size_t size;
    syn_cov cov, target;
    syn_error err;
    REQUIRE(open_in(&cov, 0, 2, 2) && open_in(&target, 1, 2, 2));
    feed_known(&cov);
    feed_known(&target);
    size = syn_cov_bytes(&cov);
    REQUIRE_OK(syn_cov_save(&cov, bytes, sizeof bytes, &err), err);
    REQUIRE_OK(syn_cov_save(&target, before, sizeof before, &err), err);
    for (size_t cut = 0; cut < size; cut++)
        CHECK_FAILS(syn_cov_load(&target, bytes, cut, &err), SYN_ERROR_FORMAT, err);
    for (size_t at = 0; at < size; at++) {
        memcpy(bad, bytes, size);
        bad[at] ^= (unsigned char)(1 + at % 255);
        CHECK(syn_cov_load(&target, bad, size, &err) != SYN_OK);
        CHECK(err.text[0]);
    }
    /* a right checksum over wrong content */
    memcpy(bad, bytes, size);
    memset(bad + 40, 255, 8); /* the first waiting sample is NaN */
    synp_little_put(bad + size - 8, synp_checksum(bad, size - 8), 8);
    CHECK_FAILS(syn_cov_load(&target, bad, size, &err), SYN_ERROR_FORMAT, err);
    memcpy(bad, bytes, size);
    synp_little_put(bad + 40 + 32, 5000, 4); /* an exponent */
    synp_little_put(bad + size - 8, synp_checksum(bad, size - 8), 8);
    CHECK_FAILS(syn_cov_load(&target, bad, size, &err), SYN_ERROR_FORMAT, err);
    memcpy(bad, bytes, size);
    bad[size - 9] = 2; /* the mark of the last channel */
    synp_little_put(bad + size - 8, synp_checksum(bad, size - 8), 8);
    CHECK_FAILS(syn_cov_load(&target, bad, size, &err), SYN_ERROR_FORMAT, err);
    REQUIRE_OK(syn_cov_save(&target, after, sizeof after, &err), err);
    CHECK(memcmp(before, after, size) == 0);
    REQUIRE(open_in(&target, 1, 3, 2));
    CHECK_FAILS(syn_cov_load(&target, bytes, size, &err), SYN_ERROR_ARGUMENT, err);
}

TEST_MAIN("covariance")
