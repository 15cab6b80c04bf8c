/* test_phiid.c - the 16 atoms of one pair: from series, from covariances, pointwise, degenerate.

   Reference: 60-digit arithmetic from the definitions (tests/reference/phiid_ref.py), which shares
   no line and no formula with the header; see tests/data/phiid. */
#define SYNERGY_IMPLEMENTATION
#define SYNERGY_NO_MODEL
#include "../synergy.h"

#include "phiid_cases.h"

#include <float.h>

static syn_phiid_desc desc_of(int tau, syn_redundancy redundancy)
{
    syn_phiid_desc desc;
    memset(&desc, 0, sizeof desc);
    desc.tau = (size_t)tau; /* below 0: beyond any series */
    desc.redundancy = redundancy;
    return desc;
}

/* What every case must meet: the Python package's own error, 1e-15 or one ulp of the largest atom,
   whichever is largest; where the package gives no number, the tolerance. */
static double allowed_error(const char *peer, const double *atom, double tolerance)
{
    double allowed = 1e-15, ulp = ulp_of(largest_of(atom, SYN_ATOMS));
    double theirs = strcmp(peer, "-") ? strtod(peer, NULL) : tolerance;
    if (ulp > allowed) allowed = ulp;
    return theirs > allowed ? theirs : allowed;
}

/* ------------------------------------------------------------------ regular series */

TEST(mmi_atoms_meet_every_bound)
{
    table t;
    REQUIRE(table_load(&t, "cases.tsv") == 68);
    for (int r = 0; r < t.rows; r++) {
        const char *name = t.cell[r][CASE_NAME];
        double want[SYN_ATOMS], mi[SYN_MIS], cumulative[SYN_ATOMS], atom[SYN_ATOMS];
        double got_mi[SYN_MIS], got_cumulative[SYN_ATOMS], cond = table_number(&t, r, CASE_COND);
        syn_phiid_desc desc = desc_of(atoi(t.cell[r][CASE_TAU]), SYN_MMI);
        npy s;
        REQUIRE(series_load(&s, t.cell[r][CASE_FILE]));
        REQUIRE(table_numbers(&t, r, CASE_MMI, SYN_ATOMS, want));
        REQUIRE(table_numbers(&t, r, CASE_MI, SYN_MIS, mi));
        REQUIRE(table_numbers(&t, r, CASE_CUM_MMI, SYN_ATOMS, cumulative));
        desc.mi = got_mi;
        desc.cumulative = got_cumulative;
        CHECK(syn_phiid_pair(s.f8, s.f8 + s.shape[1], s.shape[1], &desc, atom) == 0);
        CHECK(within(name, "atoms", worst_of(atom, want, SYN_ATOMS),
                     allowed_error(t.cell[r][CASE_PEER_MMI], want, 1e-14)));
        for (int k = 0; k < SYN_ATOMS; k++) { /* the bound that the header states */
            CHECK(within(name, syn_atom_name((syn_atom)k), fabs(atom[k] - want[k]),
                         ulp_of(want[k]) + 1e-31 * cond));
            CHECK(within(name, "f", fabs(got_cumulative[k] - cumulative[k]),
                         ulp_of(cumulative[k]) + 1e-31 * cond));
        }
        for (int k = 0; k < SYN_MIS; k++)
            CHECK(within(name, syn_mi_name((syn_mi)k), fabs(got_mi[k] - mi[k]),
                         ulp_of(mi[k]) + 1e-31 * cond));
        npy_free(&s);
    }
    table_free(&t);
}

TEST(ccs_atoms_meet_every_bound)
{
    table t;
    int judged = 0;
    REQUIRE(table_load(&t, "cases.tsv") == 68);
    for (int r = 0; r < t.rows; r++) {
        const char *name = t.cell[r][CASE_NAME];
        double want[SYN_ATOMS], cumulative[SYN_ATOMS], atom[SYN_ATOMS], got[SYN_ATOMS];
        double tolerance = 1e-13 + 100 * DBL_EPSILON * sqrt(table_number(&t, r, CASE_COND));
        syn_phiid_desc desc = desc_of(atoi(t.cell[r][CASE_TAU]), SYN_CCS);
        npy s;
        if (table_number(&t, r, CASE_MARGIN) < tolerance) continue; /* a sign may go either way */
        judged++;
        REQUIRE(series_load(&s, t.cell[r][CASE_FILE]));
        REQUIRE(table_numbers(&t, r, CASE_CCS, SYN_ATOMS, want));
        REQUIRE(table_numbers(&t, r, CASE_CUM_CCS, SYN_ATOMS, cumulative));
        desc.cumulative = got;
        CHECK(syn_phiid_pair(s.f8, s.f8 + s.shape[1], s.shape[1], &desc, atom) == 0);
        CHECK(within(name, "CCS", worst_of(atom, want, SYN_ATOMS),
                     allowed_error(t.cell[r][CASE_PEER_CCS], want, tolerance)));
        CHECK(within(name, "CCS", worst_of(atom, want, SYN_ATOMS), 5e-15)); /* as the header says */
        CHECK(within(name, "CCS f", worst_of(got, cumulative, SYN_ATOMS),
                     1e-15 + ulp_of(largest_of(cumulative, SYN_ATOMS))));
        npy_free(&s);
    }
    CHECK(judged >= 60);
    table_free(&t);
}

TEST(the_shared_fixtures_say_the_same)
{
    test_path_buffer path;
    table t;
    const char *fixtures = test_fixtures();
    if (!fixtures) SKIP("no shared fixtures");
    REQUIRE(table_load_from(&t, test_join(path, fixtures, "phiid/cases.tsv")) >= 100);
    for (int r = 0; r < t.rows; r++) { /* name file T tau redundancy cond, 16 atoms */
        int ccs = !strcmp(t.cell[r][4], "CCS");
        double want[SYN_ATOMS], atom[SYN_ATOMS], cond = table_number(&t, r, 5);
        double tolerance = ccs ? 1e-13 + 100 * DBL_EPSILON * sqrt(cond) : 1e-14;
        syn_phiid_desc desc = desc_of(atoi(t.cell[r][3]), ccs ? SYN_CCS : SYN_MMI);
        test_path_buffer folder;
        npy s;
        test_join(folder, fixtures, "phiid");
        REQUIRE(npy_load(&s, test_join(path, folder, t.cell[r][1]), NPY_F8));
        REQUIRE(table_numbers(&t, r, 6, SYN_ATOMS, want));
        CHECK(syn_phiid_pair(s.f8, s.f8 + s.shape[1], s.shape[1], &desc, atom) == 0);
        CHECK(within(t.cell[r][0], t.cell[r][4], worst_of(atom, want, SYN_ATOMS), tolerance));
        npy_free(&s);
    }
    table_free(&t);
}

TEST(float_series_lose_nothing)
{
    table t;
    int found = 0;
    REQUIRE(table_load(&t, "cases.tsv") == 68);
    for (int r = 0; r < t.rows; r++) {
        double want[SYN_ATOMS], atom[SYN_ATOMS], wide[SYN_ATOMS];
        npy s, narrow;
        test_path_buffer folder, path;
        if (strncmp(t.cell[r][CASE_NAME], "norms_f", 7)) continue; /* exact in float */
        found++;
        REQUIRE(series_load(&s, t.cell[r][CASE_FILE]));
        test_path(folder, "phiid");
        REQUIRE(npy_load(&narrow, test_join(path, folder, t.cell[r][CASE_FILE]), NPY_F4));
        for (int ccs = 0; ccs < 2; ccs++) {
            size_t n = s.shape[1];
            syn_phiid_desc desc = desc_of(atoi(t.cell[r][CASE_TAU]), ccs ? SYN_CCS : SYN_MMI);
            REQUIRE(table_numbers(&t, r, ccs ? CASE_CCS : CASE_MMI, SYN_ATOMS, want));
            CHECK(syn_phiid_pair_float(narrow.f4, narrow.f4 + n, n, &desc, atom) == 0);
            CHECK(syn_phiid_pair(s.f8, s.f8 + n, n, &desc, wide) == 0);
            CHECK(worst_of(atom, want, SYN_ATOMS) <= 1e-15);
            CHECK(worst_of(atom, wide, SYN_ATOMS) <= 1e-15); /* fused products may differ */
        }
        npy_free(&s);
        npy_free(&narrow);
    }
    CHECK(found == 3);
    table_free(&t);
}

/* ------------------------------------------------------------------ pointwise values */

TEST(local_atoms_and_their_mean)
{
    static const char *const name[] = {"norms0_tau1", "white_tau1", "var1_sym"};
    for (int c = 0; c < 6; c++) {
        char file[128];
        test_path_buffer folder, path;
        npy s, want;
        syn_phiid_desc desc = desc_of(1, c % 2 ? SYN_CCS : SYN_MMI);
        double atom[SYN_ATOMS];
        size_t n;
        snprintf(file, sizeof file, "series/%s.npy", name[c / 2]);
        REQUIRE(series_load(&s, file));
        snprintf(file, sizeof file, "local/%s_%s.npy", name[c / 2], c % 2 ? "ccs" : "mmi");
        REQUIRE(npy_load(&want, test_join(path, test_path(folder, "phiid"), file), NPY_F8));
        n = s.shape[1] - 1;
        REQUIRE(want.count == SYN_ATOMS * n);
        desc.local = (double *)malloc((SYN_ATOMS * n + 1) * sizeof(double));
        REQUIRE(desc.local != NULL);
        desc.local[SYN_ATOMS * n] = 12345; /* just past the end */
        CHECK(syn_phiid_pair(s.f8, s.f8 + n + 1, n + 1, &desc, atom) == 0);
        CHECK(desc.local[SYN_ATOMS * n] == 12345);
        CHECK(within(file, "local", worst_of(desc.local, want.f8, (int)want.count), 2e-14));
        for (size_t k = 0; k < SYN_ATOMS; k++) {
            double sum = 0;
            for (size_t i = 0; i < n; i++) sum += desc.local[k * n + i];
            CHECK_NEAR(sum / (double)n, atom[k], 1e-14);
        }
        free(desc.local);
        npy_free(&s);
        npy_free(&want);
    }
}

/* ------------------------------------------------------------------ degenerate pairs */

TEST(degenerate_pairs_get_the_status_and_values_of_the_table)
{
    table t;
    REQUIRE(table_load(&t, "degenerate.tsv") == 36);
    for (int r = 0; r < t.rows; r++) {
        const char *name = t.cell[r][BAD_NAME];
        double want[SYN_ATOMS], mi[SYN_MIS], atom[SYN_ATOMS], got[SYN_MIS];
        int noise = atoi(t.cell[r][BAD_NOISE]);
        npy s;
        REQUIRE(series_load(&s, t.cell[r][BAD_FILE]));
        for (int ccs = 0; ccs < 2; ccs++) {
            syn_phiid_desc desc = desc_of(atoi(t.cell[r][BAD_TAU]), ccs ? SYN_CCS : SYN_MMI);
            size_t n = s.shape[1];
            syn_flags flags;
            if (!desc.tau) continue; /* 0 means the default here; syn_cov_open refuses it */
            desc.mi = got;
            flags = syn_phiid_pair(s.f8, s.f8 + n, n, &desc, atom);
            if (strcmp(syn_flags_text(flags), t.cell[r][BAD_STATUS])) printf("%s:\n", name);
            CHECK_STR(syn_flags_text(flags), t.cell[r][BAD_STATUS]);
            if (flags & SYN_FLAGS_NO_NUMBERS)
                for (int k = 0; k < SYN_ATOMS; k++) CHECK(isnan(atom[k]));
            if (noise) continue;
            if (table_numbers(&t, r, BAD_MI, SYN_MIS, mi))
                CHECK(within(name, "MI", worst_of(got, mi, SYN_MIS), 1e-15));
            if (table_numbers(&t, r, ccs ? BAD_CCS : BAD_MMI, SYN_ATOMS, want))
                CHECK(within(name, ccs ? "CCS" : "MMI", worst_of(atom, want, SYN_ATOMS), 1e-15));
            else if (ccs && flags == SYN_FLAG_INFINITE)
                for (int k = 0; k < SYN_ATOMS; k++) CHECK(isnan(atom[k]));
        }
        npy_free(&s);
    }
    table_free(&t);
}

/* Columns of near.tsv. */
enum { NEAR_NAME, NEAR_TAU, NEAR_NOISE, NEAR_MMI };

/* A near copy is either right to three digits, within the bound that is given beside it, or
   flagged; far enough from a copy it is not flagged. Both ways to the co-moments. */
static void near_copy(const table *t, int r, const double *x, const double *y, size_t n, int stream,
                      int *flagged)
{
    const char *name = t->cell[r][NEAR_NAME];
    double want[SYN_ATOMS], atom[SYN_ATOMS], bound[SYN_ATOMS];
    double noise = table_number(t, r, NEAR_NOISE);
    syn_phiid_desc desc = desc_of(atoi(t->cell[r][NEAR_TAU]), SYN_MMI);
    syn_flags flags;
    desc.bound = bound;
    CHECK(table_numbers(t, r, NEAR_MMI, SYN_ATOMS, want));
    if (stream) {
        double block[256];
        syn_arena arena = syn_arena_on(block, sizeof block);
        syn_error err;
        syn_cov cov;
        CHECK_OK(syn_cov_open(&cov, 2, (size_t)desc.tau, &arena, &err), err);
        for (size_t i = 0; i < n; i++) {
            const double sample[2] = {x[i], y[i]};
            syn_cov_add(&cov, sample);
        }
        flags = syn_cov_pair(&cov, 0, 1, &desc, atom);
    } else {
        flags = syn_phiid_pair(x, y, n, &desc, atom);
    }
    CHECK(!(flags & ~(syn_flags)(SYN_FLAG_SINGULAR | SYN_FLAG_INFINITE)));
    if (noise >= 1e-11) CHECK(!flags);
    *flagged += flags != 0;
    for (int k = 0; k < SYN_ATOMS; k++) {
        double size = fabs(want[k]) > 1e-6 ? fabs(want[k]) : 1e-6;
        CHECK((flags != 0) == (isnan(bound[k]) != 0));
        if (flags) continue;
        CHECK(within(name, "bound", fabs(atom[k] - want[k]), bound[k]));
        CHECK(within(name, "third digit", fabs(atom[k] - want[k]), 1e-3 * size));
    }
}

TEST(near_copies_have_three_digits_or_a_flag)
{
    table t;
    npy s;
    test_path_buffer path;
    int rows = table_load(&t, "near.tsv"), flagged[2] = {0, 0};
    REQUIRE(rows == 49);
    REQUIRE(npy_load(&s, test_path(path, "phiid/series/near.npy"), NPY_F8));
    REQUIRE(s.dims == 3 && s.shape[0] == 49 && s.shape[1] == 2);
    for (int r = 0; r < 2 * rows; r++) {
        size_t n = s.shape[2];
        const double *x = s.f8 + (size_t)(r / 2) * 2 * n;
        near_copy(&t, r / 2, x, x + n, n, r % 2, &flagged[r % 2]);
    }
    for (int k = 0; k < 2; k++) CHECK(flagged[k] >= 6 && flagged[k] <= 24);
    npy_free(&s);
    table_free(&t);
}

TEST(flags_are_named_in_order_of_gravity)
{
    CHECK_STR(syn_flags_text(0), "OK");
    CHECK_STR(syn_flags_text(SYN_FLAG_BAD_TAU | SYN_FLAG_TOO_SHORT), "BAD_TAU");
    CHECK_STR(syn_flags_text(SYN_FLAG_TOO_SHORT | SYN_FLAG_NONFINITE), "TOO_SHORT");
    CHECK_STR(syn_flags_text(SYN_FLAG_NONFINITE | SYN_FLAG_INFINITE), "NONFINITE");
    CHECK_STR(syn_flags_text(SYN_FLAG_INFINITE | SYN_FLAG_CONSTANT | SYN_FLAG_SINGULAR),
              "INFINITE");
    CHECK_STR(syn_flags_text(SYN_FLAG_CONSTANT | SYN_FLAG_SINGULAR), "CONSTANT");
    CHECK_STR(syn_flags_text(SYN_FLAG_SINGULAR), "SINGULAR");
    CHECK_STR(syn_flags_text(SYN_FLAG_NOT_PSD | SYN_FLAG_NOT_SYMMETRIC), "NOT_PSD");
    CHECK_STR(syn_flags_text(SYN_FLAG_NOT_SYMMETRIC), "NOT_SYMMETRIC");
    CHECK_STR(syn_flags_text(SYN_FLAG_NO_SAMPLES), "NO_SAMPLES");
}

/* One of 12 kinds of series, most of them odd in some way. */
static double odd_sample(int kind, int t, const double *base)
{
    switch (kind) {
    case 0: return base[t];
    case 1: return 2.5;
    case 2: return t;
    case 3: return -3 * base[t];
    case 4: return t ? base[t - 1] : 0.25;
    case 5: return t == 7 ? 1e300 : base[t] * 1e-300;
    case 6: return base[t] > 0 ? 5e-324 : 0;
    case 7: return base[t] * 1.7e308;
    case 8: return t % 2 ? 1 : -1;
    case 9: return t == 0 ? 1 : 0;
    case 10: return base[t] + 1e15;
    default: return base[39 - t];
    }
}

TEST(nothing_but_numbers_without_a_flag)
{
    uint64_t state = 3;
    double base[40], x[40], y[40], atom[SYN_ATOMS], mi[SYN_MIS], local[SYN_ATOMS * 39];
    for (int t = 0; t < 40; t++) base[t] = uniform(&state);
    for (int c = 0; c < 12 * 12 * 8; c++) {
        syn_phiid_desc desc = desc_of(1 + c / 144 % 4, c >= 576 ? SYN_CCS : SYN_MMI);
        syn_flags flags;
        int numbers = 1;
        for (int t = 0; t < 40; t++) {
            x[t] = odd_sample(c % 12, t, base);
            y[t] = odd_sample(c / 12 % 12, t, base);
        }
        desc.mi = mi;
        desc.local = local;
        flags = syn_phiid_pair(x, y, 40, &desc, atom);
        for (int k = 0; k < SYN_ATOMS; k++) numbers = numbers && isfinite(atom[k]);
        for (int k = 0; k < SYN_MIS; k++) numbers = numbers && isfinite(mi[k]);
        for (size_t k = 0; k < SYN_ATOMS * (40 - desc.tau); k++)
            numbers = numbers && isfinite(local[k]);
        CHECK(numbers || flags);
        CHECK(!(flags & SYN_FLAGS_NO_NUMBERS));
        if (c % 12 == c / 12 % 12) CHECK(flags != 0);
    }
}

/* ------------------------------------------------------------------ from a covariance */

TEST(covariances_of_the_table)
{
    table t;
    REQUIRE(table_load(&t, "covariance.tsv") == 63);
    for (int r = 0; r < t.rows; r++) {
        const char *name = t.cell[r][COV_NAME];
        double matrix[16], mi[SYN_MIS], want[SYN_ATOMS], atom[SYN_ATOMS], got[SYN_MIS];
        syn_phiid_desc desc = desc_of(0, SYN_MMI);
        syn_flags flags;
        REQUIRE(table_numbers(&t, r, COV_MATRIX, 16, matrix));
        desc.mi = got;
        flags = syn_phiid_covariance(matrix, &desc, atom);
        if (strcmp(syn_flags_text(flags), t.cell[r][COV_STATUS])) printf("%s:\n", name);
        CHECK_STR(syn_flags_text(flags), t.cell[r][COV_STATUS]);
        if (table_numbers(&t, r, COV_MI, SYN_MIS, mi))
            CHECK(within(name, "MI", worst_of(got, mi, SYN_MIS), 4e-15));
        if (table_numbers(&t, r, COV_MMI, SYN_ATOMS, want))
            CHECK(within(name, "MMI", worst_of(atom, want, SYN_ATOMS), 1e-15));
        if (flags & SYN_FLAGS_NO_NUMBERS)
            for (int k = 0; k < SYN_ATOMS; k++) CHECK(isnan(atom[k]));
    }
    table_free(&t);
}

TEST(a_covariance_cannot_give_what_needs_samples)
{
    double unit[16] = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1}, atom[SYN_ATOMS];
    syn_phiid_desc desc = desc_of(0, SYN_CCS);
    CHECK(syn_phiid_covariance(unit, &desc, atom) == SYN_FLAG_NO_SAMPLES);
    CHECK(isnan(atom[SYN_STS]));
    CHECK(syn_phiid_covariance(unit, NULL, atom) == 0);
    CHECK(atom[SYN_STS] == 0);
    unit[1] = unit[4] = 1e308; /* far beyond any correlation */
    CHECK(syn_phiid_covariance(unit, NULL, atom) == SYN_FLAG_NOT_PSD);
    unit[1] = unit[4] = 0;
    unit[0] = 0;
    unit[2] = unit[8] = 0.5; /* a covariance with a variable that has no variance */
    CHECK(syn_phiid_covariance(unit, NULL, atom) == SYN_FLAG_NOT_PSD);
}

/* ------------------------------------------------------------------ what holds for any input */

/* Two coupled series with memory. */
static void simulate(uint64_t *state, double *x, double *y, int n)
{
    double a = uniform(state), b = uniform(state), c = uniform(state) / 2, u = 0, v = 0;
    for (int t = 0; t < n; t++) {
        double shared = normal(state), next = 0.6 * a * u + c * v + shared + normal(state);
        v = 0.6 * b * v - c * u + shared + 0.5 * normal(state);
        x[t] = u = next;
        y[t] = v;
    }
}

TEST(atoms_add_up_and_obey_the_closed_forms)
{
    uint64_t state = 1;
    double x[80], y[80], atom[SYN_ATOMS], mi[SYN_MIS], plain[SYN_ATOMS];
    static const int never_negative[] = {SYN_RTR, SYN_RTX, SYN_RTY, SYN_RTS,
                                         SYN_XTR, SYN_YTR, SYN_STR, SYN_STS};
    for (int c = 0; c < 200; c++) {
        for (int ccs = 0; ccs < 2; ccs++) {
            syn_phiid_desc desc = desc_of(1 + c % 3, ccs ? SYN_CCS : SYN_MMI);
            double sum = 0, past, future, single;
            simulate(&state, x, y, 80);
            desc.mi = mi;
            REQUIRE(syn_phiid_pair(x, y, 80, &desc, atom) == 0);
            for (int k = 0; k < SYN_ATOMS; k++) sum += atom[k];
            CHECK_NEAR(sum, mi[SYN_MI_XY_AB], 4e-15);
            if (ccs) continue;
            syn_phiid_mmi(mi, plain);
            CHECK(worst_of(plain, atom, SYN_ATOMS) <= 2e-15);
            CHECK(atom[SYN_RTR] == fmin(fmin(mi[0], mi[1]), fmin(mi[2], mi[3])));
            past = fmax(mi[SYN_MI_XY_A], mi[SYN_MI_XY_B]);
            future = fmax(mi[SYN_MI_X_AB], mi[SYN_MI_Y_AB]);
            single =
                fmax(mi[SYN_MI_X_A], mi[SYN_MI_Y_A]) + fmax(mi[SYN_MI_X_B], mi[SYN_MI_Y_B]) -
                fmax(fmin(mi[SYN_MI_X_A], mi[SYN_MI_X_B]), fmin(mi[SYN_MI_Y_A], mi[SYN_MI_Y_B]));
            CHECK_NEAR(atom[SYN_STS], mi[SYN_MI_XY_AB] - past - future + single, 2e-15);
            for (int k = 0; k < 8; k++) CHECK(atom[never_negative[k]] >= 0);
        }
    }
}

TEST(exchanging_the_series_exchanges_the_atoms)
{
    static const int other[4] = {0, 2, 1, 3}; /* r y x s */
    uint64_t state = 2;
    double x[60], y[60], a[SYN_ATOMS], b[SYN_ATOMS];
    for (int c = 0; c < 100; c++) {
        syn_phiid_desc desc = desc_of(1 + c % 2, c % 4 > 1 ? SYN_CCS : SYN_MMI);
        simulate(&state, x, y, 60);
        CHECK(syn_phiid_pair(x, y, 60, &desc, a) == 0);
        CHECK(syn_phiid_pair(y, x, 60, &desc, b) == 0);
        for (int k = 0; k < SYN_ATOMS; k++)
            CHECK_NEAR(a[k], b[4 * other[k / 4] + other[k % 4]], 1e-15);
    }
}

TEST(units_and_offsets_do_not_matter)
{
    uint64_t state = 4;
    double x[60], y[60], u[60], v[60], a[SYN_ATOMS], b[SYN_ATOMS];
    for (int c = 0; c < 60; c++) {
        syn_phiid_desc desc = desc_of(1, c % 2 ? SYN_CCS : SYN_MMI);
        simulate(&state, x, y, 60);
        CHECK(syn_phiid_pair(x, y, 60, &desc, a) == 0);
        for (int t = 0; t < 60; t++) {
            u[t] = ldexp(x[t], 1000);
            v[t] = -ldexp(y[t], -960);
        }
        CHECK(syn_phiid_pair(u, v, 60, &desc, b) == 0);
        CHECK(memcmp(a, b, sizeof a) == 0); /* powers of two and signs: not a bit */
        for (int t = 0; t < 60; t++) {
            u[t] = 3 * x[t] + 7;
            v[t] = 1000 - 0.1 * y[t];
        }
        CHECK(syn_phiid_pair(u, v, 60, &desc, b) == 0);
        CHECK(worst_of(a, b, SYN_ATOMS) <= 1e-11); /* the new samples were rounded */
    }
}

TEST(descriptor_defaults_and_strides)
{
    uint64_t state = 5;
    double x[50], y[50], both[100], a[SYN_ATOMS], b[SYN_ATOMS];
    float narrow[150];
    syn_phiid_desc desc = desc_of(0, SYN_MMI);
    simulate(&state, x, y, 50);
    for (int t = 0; t < 50; t++) {
        volatile float u = (float)x[t], v = (float)y[t]; /* GCC 12 vectorises the rounding away */
        narrow[3 * t] = u;
        narrow[3 * t + 2] = v;
        both[2 * t] = x[t] = (double)u;
        both[2 * t + 1] = y[t] = (double)v;
    }
    CHECK(syn_phiid_pair(x, y, 50, NULL, a) == 0);
    CHECK(syn_phiid_pair(x, y, 50, &desc, b) == 0);
    CHECK(worst_of(a, b, SYN_ATOMS) <= 1e-15);
    desc.tau = 1;
    desc.stride = 2;
    CHECK(syn_phiid_pair(both, both + 1, 50, &desc, b) == 0);
    CHECK(worst_of(a, b, SYN_ATOMS) <= 1e-15);
    desc.stride = 3;
    CHECK(syn_phiid_pair_float(narrow, narrow + 2, 50, &desc, b) == 0);
    CHECK(worst_of(a, b, SYN_ATOMS) <= 1e-15);
    CHECK(syn_phiid_pair(x, y, 0, NULL, b) == SYN_FLAG_BAD_TAU);
    CHECK(syn_phiid_pair(x, y, 5, NULL, b) == SYN_FLAG_TOO_SHORT);
    CHECK(syn_phiid_pair(x, y, 6, NULL, b) == 0);
}

TEST(what_is_not_known_gives_no_numbers)
{
    double x[50], y[50], work[150], cov[16] = {0}, atom[SYN_ATOMS];
    uint64_t count[16], state = 9;
    int which;
    for (int t = 0; t < 50; t++) {
        x[t] = uniform(&state) + 1;
        y[t] = uniform(&state) + 1;
    }
    for (int k = 0; k < 16; k++) count[k] = 3;
    for (int k = 0; k < 4; k++) cov[5 * k] = 1;
    for (which = 0; which < 3; which++) {
        syn_phiid_desc desc = desc_of(1, SYN_MMI);
        const int unknown = 77;
        desc.work = work;
        if (which == 0) memcpy(&desc.redundancy, &unknown, sizeof unknown);
        if (which == 1) memcpy(&desc.estimator, &unknown, sizeof unknown);
        if (which == 2) memcpy(&desc.transform, &unknown, sizeof unknown);
        CHECK(syn_phiid_pair(x, y, 50, &desc, atom) == SYN_FLAG_NO_SAMPLES && isnan(atom[0]));
        CHECK(syn_phiid_covariance(cov, &desc, atom) == SYN_FLAG_NO_SAMPLES && isnan(atom[0]));
        if (which) continue; /* counts have an estimator already */
        CHECK(syn_phiid_counts(count, &desc, atom) == SYN_FLAG_NO_SAMPLES && isnan(atom[0]));
    }
}

/* What was asked for beside the atoms is told, or is NaN where there are no numbers. */
TEST(all_outputs_of_counts_and_of_refusals)
{
    double x[12], y[12], atom[SYN_ATOMS], mi[SYN_MIS], f[SYN_ATOMS], bound[SYN_ATOMS],
        local[SYN_ATOMS * 11];
    uint64_t count[16], state = 4;
    syn_phiid_desc desc = desc_of(1, SYN_MMI);
    for (int t = 0; t < 12; t++) {
        x[t] = uniform(&state);
        y[t] = t == 5 ? (double)NAN : uniform(&state);
    }
    for (int k = 0; k < 16; k++) count[k] = (uint64_t)(3 + k * k % 7);
    desc.mi = mi;
    desc.cumulative = f;
    desc.bound = bound;
    CHECK(syn_phiid_counts(count, &desc, atom) == 0);
    CHECK(isfinite(f[SYN_STS]) && isnan(bound[0]) && mi[SYN_MI_XY_AB] >= mi[SYN_MI_XY_A]);
    for (int k = 0; k < 8; k++) count[2 * k + 1] = 0; /* x is never above */
    CHECK(syn_phiid_counts(count, &desc, atom) == SYN_FLAG_CONSTANT);
    desc.local = local;
    CHECK(syn_phiid_counts(count, &desc, atom) == SYN_FLAG_NO_SAMPLES);
    CHECK(syn_phiid_pair(x, y, 12, &desc, atom) == SYN_FLAG_NONFINITE);
    CHECK(isnan(mi[0]) && isnan(f[0]) && isnan(bound[0]) && isnan(local[SYN_ATOMS * 11 - 1]));
}

TEST(names)
{
    CHECK_STR(syn_atom_name(SYN_RTR), "rtr");
    CHECK_STR(syn_atom_name(SYN_XTY), "xty");
    CHECK_STR(syn_atom_name(SYN_STS), "sts");
    CHECK_STR(syn_atom_name(SYN_ATOMS), "");
    CHECK_STR(syn_mi_name(SYN_MI_X_A), "x_a");
    CHECK_STR(syn_mi_name(SYN_MI_XY_AB), "xy_ab");
    CHECK_STR(syn_mi_name((syn_mi)15), "");
    CHECK_STR(syn_redundancy_name(SYN_CCS), "ccs");
    CHECK_STR(syn_redundancy_name((syn_redundancy)3), "");
    CHECK_STR(syn_estimator_name((syn_estimator)3), "");
    CHECK_STR(syn_transform_name((syn_transform)3), "");
}

TEST_MAIN("phiid")
