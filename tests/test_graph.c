/* Topology: against networkx, bctpy and exhaustive search; null networks keep what they promise. */
#define SYNERGY_SIMD 0 /* no kernel is tested here: twice as fast to compile */
#define SYNERGY_IMPLEMENTATION
#define SYNERGY_NO_MODEL
#include "synergy.h"
#include "npy.h"
#include "test.h"

enum { CELLS = 10 };
enum { WEIGHTED, NORMALISED, KEPT, BINARY10, WEIGHTED10, Q, Q15, LOUVAIN, BEST, EXACT };

typedef struct graph_case {
    char name[64];
    double cell[CELLS];
    npy weight, part;
    int has_part;
} graph_case;

static int next_case(FILE *f, graph_case *c)
{
    char line[1024], *at, file[128];
    test_path_buffer path;
    int k;
    if (!fgets(line, sizeof line, f)) return 0;
    memset(c, 0, sizeof *c);
    at = strtok(line, "\t\n");
    snprintf(c->name, sizeof c->name, "%s", at);
    for (k = 0; k < CELLS; k++) {
        at = strtok(NULL, "\t\n");
        c->cell[k] = at ? strtod(at, NULL) : (double)NAN;
    }
    snprintf(file, sizeof file, "topology/%s.npy", c->name);
    if (!npy_load(&c->weight, test_path(path, file), NPY_F8)) return 0;
    snprintf(file, sizeof file, "topology/%s.partition.npy", c->name);
    if (test_exists(test_path(path, file)))
        c->has_part = npy_load(&c->part, test_path(path, file), NPY_I4);
    return 1;
}

/* 1e-12 relative */
static void check_relative(const char *name, double got, double want)
{
    if (isnan(want)) return;
    if (fabs(got - want) > 1e-12 * fabs(want) + 1e-15) printf("%s:\n", name);
    CHECK_NEAR(got, want, 1e-12 * fabs(want) + 1e-15);
}

static void run_backwards(void *user, int jobs, syn_job_fn *job, void *arg)
{
    int index;
    (void)user;
    for (index = jobs - 1; index >= 0; index--) job(arg, index);
}

static void check_case(graph_case *c, int threads)
{
    static double block[200000];
    syn_graph g;
    syn_graph_desc d;
    syn_error err;
    syn_arena arena = syn_arena_on(block, sizeof block);
    double q;
    memset(&d, 0, sizeof d);
    d.nodes = c->weight.shape[0];
    d.parallel.run = run_backwards;
    d.parallel.threads = threads;
    REQUIRE_OK(syn_graph_measure(&g, c->weight.f8, &d, &arena, &err), err);
    check_relative(c->name, g.efficiency_weighted, c->cell[WEIGHTED]);
    check_relative(c->name, g.efficiency_weighted_normalised, c->cell[NORMALISED]);
    check_relative(c->name, g.efficiency_binary_top, c->cell[BINARY10]);
    check_relative(c->name, g.efficiency_weighted_top, c->cell[WEIGHTED10]);
    if (!isnan(c->cell[KEPT])) CHECK_NEAR((double)g.kept, c->cell[KEPT], 0);
    if (!isnan(c->cell[BEST])) CHECK(g.louvain_q >= c->cell[BEST] - 0.005);
    if (!isnan(c->cell[EXACT])) CHECK(g.louvain_q <= c->cell[EXACT] + 1e-12);
    arena = syn_arena_on(block, sizeof block);
    if (c->has_part) {
        double q15;
        const double *w = c->weight.f8;
        const int32_t *part = c->part.i4;
        CHECK_OK(syn_graph_modularity(w, d.nodes, part, 0, &q, &arena, &err), err);
        CHECK_OK(syn_graph_modularity(w, d.nodes, part, 1.5, &q15, &arena, &err), err);
        check_relative(c->name, q, c->cell[Q]);
        check_relative(c->name, q15, c->cell[Q15]);
    }
}

TEST(references)
{
    test_path_buffer path;
    char head[1024];
    graph_case c;
    int cases = 0;
    FILE *f = fopen(test_path(path, "topology/graphs.tsv"), "r");
    REQUIRE(f != NULL);
    CHECK(fgets(head, sizeof head, f) != NULL);
    while (next_case(f, &c)) {
        check_case(&c, 1);
        check_case(&c, 3);
        npy_free(&c.weight);
        npy_free(&c.part);
        cases++;
    }
    CHECK(cases == 16);
    fclose(f);
}

/* A random weighted graph of n nodes, some edges missing. */
static void make_graph(double *w, size_t n, uint64_t seed, double share)
{
    size_t i, j;
    uint64_t state = seed;
    for (i = 0; i < n; i++)
        for (j = 0; j <= i; j++) {
            double u, v;
            state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            u = (double)(state >> 11) / 9007199254740992.0;
            state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            v = (double)(state >> 11) / 9007199254740992.0;
            w[i * n + j] = w[j * n + i] = i != j && u < share ? v * v * v : 0;
        }
}

/* Efficiency by Floyd and Warshall, written here and nowhere else. */
static double efficiency_by_floyd(const double *w, size_t n)
{
    double *d = (double *)malloc(n * n * sizeof(double)), sum = 0;
    size_t i, j, k;
    for (i = 0; i < n * n; i++) d[i] = w[i] > 0 ? 1 / w[i] : (double)INFINITY;
    for (k = 0; k < n; k++)
        for (i = 0; i < n; i++)
            for (j = 0; j < n; j++)
                if (d[i * n + k] + d[k * n + j] < d[i * n + j])
                    d[i * n + j] = d[i * n + k] + d[k * n + j];
    for (i = 0; i < n; i++)
        for (j = 0; j < n; j++)
            if (i != j) sum += 1 / d[i * n + j];
    free(d);
    return sum / (double)(n * (n - 1));
}

/* Signed modularity, participation and local efficiency of every matrix, as bctpy has them. */
TEST(figures_of_nodes)
{
    static const char *const name[] = {"complete_equal",
                                       "dense_heavy_tail",
                                       "dense_uniform",
                                       "empty",
                                       "planted_5x6",
                                       "rtr_CCS",
                                       "rtr_MMI",
                                       "signed",
                                       "small_exact",
                                       "small_exact_planted",
                                       "sparse_disconnected",
                                       "star_w2",
                                       "sts_CCS",
                                       "sts_MMI",
                                       "two_cliques"};
    size_t c, i;
    for (c = 0; c < sizeof name / sizeof name[0]; c++) {
        static double block[200000], value[2][200];
        npy weight, part, want;
        test_path_buffer path;
        char file[128];
        double q;
        syn_error err;
        syn_arena arena = syn_arena_measure();
        size_t n;
        snprintf(file, sizeof file, "topology/%s.npy", name[c]);
        REQUIRE(npy_load(&weight, test_path(path, file), NPY_F8));
        snprintf(file, sizeof file, "topology/%s.partition.npy", name[c]);
        REQUIRE(npy_load(&part, test_path(path, file), NPY_I4));
        snprintf(file, sizeof file, "topology/%s.nodes.npy", name[c]);
        REQUIRE(npy_load(&want, test_path(path, file), NPY_F8));
        n = weight.shape[0];
        REQUIRE(n <= 200 && want.shape[1] == n);
        REQUIRE_OK(syn_graph_local_efficiency(NULL, n, NULL, NULL, &arena, &err), err);
        CHECK(arena.used > 0);
        arena = syn_arena_on(block, arena.used - 1);
        CHECK_FAILS(syn_graph_local_efficiency(weight.f8, n, NULL, value[0], &arena, &err),
                    SYN_ERROR_MEMORY, err);
        arena = syn_arena_on(block, sizeof block);
        CHECK_OK(syn_graph_local_efficiency(weight.f8, n, NULL, value[0], &arena, &err), err);
        CHECK_OK(syn_graph_participation(weight.f8, n, part.i4, value[1], &arena, &err), err);
        CHECK_OK(syn_graph_modularity_signed(weight.f8, n, part.i4, &q, &arena, &err), err);
        CHECK_NEAR(q, want.f8[2 * n], 1e-13);
        for (i = 0; i < n; i++) {
            check_relative(name[c], value[0][i], want.f8[i]);
            CHECK_NEAR(value[1][i], want.f8[n + i], 1e-13);
        }
        npy_free(&weight);
        npy_free(&part);
        npy_free(&want);
    }
}

/* The largest Q* over all partitions of n nodes, by going through them (restricted growth
   strings). */
static double best_signed(const double *weight, size_t n)
{
    int32_t part[8] = {0};
    double block[64], best = -9, q;
    syn_error err;
    for (;;) {
        size_t i = n;
        syn_arena arena = syn_arena_on(block, sizeof block);
        CHECK_OK(syn_graph_modularity_signed(weight, n, part, &q, &arena, &err), err);
        if (q > best) best = q;
        for (;;) {
            int32_t most = 0;
            if (--i == 0) return best;
            for (size_t j = 0; j < i; j++)
                if (part[j] > most) most = part[j];
            if (part[i] <= most) break;
        }
        part[i]++;
        while (++i < n) part[i] = 0;
    }
}

TEST(signed_communities)
{
    static double block[20000];
    double weight[64], q, again, best;
    int32_t part[8];
    int found = 0;
    syn_error err;
    uint64_t s = 5;
    for (int c = 0; c < 40; c++) {
        syn_graph_desc desc;
        syn_arena arena = syn_arena_on(block, sizeof block);
        memset(&desc, 0, sizeof desc);
        desc.nodes = c % 2 ? 7 : 8;
        for (size_t i = 0; i < desc.nodes; i++)
            for (size_t j = 0; j < desc.nodes; j++) {
                s = s * 6364136223846793005u + 1442695040888963407u;
                weight[i * desc.nodes + j] =
                    (double)(s >> 11) / 9007199254740992.0 - (c % 4 ? 0.5 : 0.1);
                if (c % 3 == 0 && (s >> 20) % 3) weight[i * desc.nodes + j] = 0;
            }
        CHECK_OK(syn_graph_communities_signed(weight, &desc, part, &q, &arena, &err), err);
        best = best_signed(weight,
                           desc.nodes); /* a search from many starts: never above, mostly there */
        CHECK(q <= best + 1e-14 && q > 0.8 * best);
        found += q >= best - 1e-14;
        arena = syn_arena_on(block, sizeof block);
        CHECK_OK(syn_graph_modularity_signed(weight, desc.nodes, part, &again, &arena, &err), err);
        CHECK_NEAR(q, again, 1e-14);
        arena = syn_arena_on(block, 100);
        CHECK_FAILS(syn_graph_communities_signed(weight, &desc, part, &q, &arena, &err),
                    SYN_ERROR_MEMORY, err);
    }
    CHECK(found >= 36);
}

TEST(efficiency_against_floyd)
{
    static const size_t size[] = {2, 3, 5, 17, 64, 131};
    static const double share[] = {0.03, 0.3, 1};
    size_t a, b;
    for (a = 0; a < sizeof size / sizeof size[0]; a++)
        for (b = 0; b < 3; b++) {
            size_t n = size[a];
            syn_graph g;
            syn_graph_desc d;
            syn_error err;
            syn_arena arena = syn_arena_measure();
            double *w = (double *)malloc(n * n * sizeof(double)), want;
            unsigned char *block, *start;
            memset(&d, 0, sizeof d);
            d.nodes = n;
            d.restarts = 2;
            make_graph(w, n, 10 * n + b, share[b]);
            CHECK_OK(syn_graph_measure(&g, w, &d, &arena, &err), err);
            block = (unsigned char *)malloc(arena.used + SYN_ALIGN);
            start = block + (SYN_ALIGN - (uintptr_t)block % SYN_ALIGN) % SYN_ALIGN;
            arena = syn_arena_on(start, arena.used);
            REQUIRE_OK(syn_graph_measure(&g, w, &d, &arena, &err), err);
            want = efficiency_by_floyd(w, n);
            CHECK_NEAR(g.efficiency_weighted, want, 1e-12 * want);
            arena = syn_arena_on(start, arena.used - 1);
            CHECK_FAILS(syn_graph_measure(&g, w, &d, &arena, &err), SYN_ERROR_MEMORY, err);
            free(block);
            free(w);
        }
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

TEST(threshold)
{
    enum { N = 40 };
    static double w[N * N], kept[N * N], all[N * N], block[N * N];
    syn_error err;
    size_t i, j, count, m = 0, k;
    for (k = 0; k < 3; k++) {
        syn_arena arena = syn_arena_on(block, sizeof block);
        double density = k == 0 ? 0.1 : k == 1 ? 0.5 : 1;
        make_graph(w, N, 5 + k, 0.7);
        for (i = 0, m = 0; i < N; i++)
            for (j = 0; j < N; j++) {
                w[i * N + j] = floor(20 * w[i * N + j]) / 20; /* many ties */
                if (i < j && w[i * N + j] > 0) all[m++] = w[i * N + j];
            }
        qsort(all, m, sizeof all[0], by_size);
        REQUIRE_OK(syn_graph_threshold(w, N, density, kept, &count, &arena, &err), err);
        CHECK(count == (size_t)fmin((double)m, floor(density * (double)(N * (N - 1)) / 2 + 0.5)));
        for (i = 0, j = 0; i < N * N; i++) {
            j += kept[i] > 0;
            if (!(kept[i] > 0)) continue;
            CHECK(kept[i] >= all[m - count] && kept[i] >= w[i] && kept[i] <= w[i]);
        }
        CHECK(j == 2 * count);
    }
}

TEST(null_networks)
{
    enum { N = 30 };
    static double w[N * N], to[N * N], again[N * N], block[N * N];
    syn_error err;
    syn_arena arena = syn_arena_on(block, sizeof block);
    double sum = 0, other = 0;
    size_t i, j, moved = 0;
    make_graph(w, N, 3, 0.3);
    CHECK_FAILS(syn_graph_null(w, N, (syn_null)77, 1, to, &arena, &err), SYN_ERROR_ARGUMENT, err);
    REQUIRE_OK(syn_graph_null(w, N, SYN_NULL_SHUFFLE, 1, to, &arena, &err), err);
    for (i = 0; i < N * N; i++) {
        sum += w[i];
        other += to[i];
        CHECK((w[i] > 0) == (to[i] > 0));
        moved += w[i] > to[i] || w[i] < to[i];
    }
    CHECK_NEAR(sum, other, 1e-12);
    CHECK(moved > 100);
    arena = syn_arena_on(block, sizeof block);
    REQUIRE_OK(syn_graph_null(w, N, SYN_NULL_REWIRE, 1, to, &arena, &err), err);
    for (i = 0, other = 0, moved = 0; i < N; i++) {
        size_t was = 0, is = 0;
        for (j = 0; j < N; j++) {
            was += w[i * N + j] > 0;
            is += to[i * N + j] > 0;
            other += to[i * N + j];
            moved += (w[i * N + j] > 0) != (to[i * N + j] > 0);
            CHECK_NEAR(to[i * N + j], to[j * N + i], 0);
        }
        CHECK(was == is && !(to[i * N + i] > 0));
    }
    CHECK_NEAR(sum, other, 1e-12);
    CHECK(moved > 100);
    arena = syn_arena_on(block, sizeof block);
    CHECK_OK(syn_graph_null(w, N, SYN_NULL_REWIRE, 1, again, &arena, &err), err);
    CHECK(!memcmp(to, again, sizeof to));
}

TEST(refusals)
{
    double w[4] = {0, 1, 1, 0}, block[200];
    syn_graph g;
    syn_graph_desc d;
    syn_error err;
    syn_arena arena = syn_arena_on(block, sizeof block);
    size_t kept;
    memset(&d, 0, sizeof d);
    d.nodes = 1;
    CHECK_FAILS(syn_graph_measure(&g, w, &d, &arena, &err), SYN_ERROR_ARGUMENT, err);
    d.nodes = 2;
    d.density = 2;
    CHECK_FAILS(syn_graph_measure(&g, w, &d, &arena, &err), SYN_ERROR_ARGUMENT, err);
    CHECK_FAILS(syn_graph_threshold(w, 2, -1, w, &kept, &arena, &err), SYN_ERROR_ARGUMENT, err);
    w[1] = w[2] = (double)NAN;
    d.density = 0;
    arena = syn_arena_on(block, sizeof block);
    CHECK_OK(syn_graph_measure(&g, w, &d, &arena, &err), err);
    CHECK(g.edges == 0 && g.efficiency_weighted <= 0 && g.louvain_q <= 0 && g.communities == 2);
}

TEST_MAIN("graph")
