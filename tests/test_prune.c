/* Weights made zero in the type they are stored in: every tensor type, at the ends and in the
   middle of blocks; the others keep every bit of their value. */
#define SYNERGY_STATIC
#define SYNERGY_THREADS
#define SYNERGY_NO_PHIID
#define SYNERGY_IMPLEMENTATION
#include "../synergy.h"

#include "../tools/prune/prune_zero.c"
#include "npy.h"
#include "test.h"

enum { TYPE_IDS = 64 };

typedef struct vectors {
    npy raw, values;
    size_t count;
} vectors;

/* Eight blocks of real weights, taken as one row. */
static bool load_row(vectors *v, const char *type)
{
    char file[64];
    test_path_buffer path;
    snprintf(file, sizeof file, "types/%s.raw.npy", type);
    if (!npy_load(&v->raw, test_path(path, file), NPY_U1)) return false;
    snprintf(file, sizeof file, "types/%s.values.npy", type);
    if (!npy_load(&v->values, test_path(path, file), NPY_F4)) return false;
    v->count = v->values.count;
    return true;
}

static void free_row(vectors *v)
{
    npy_free(&v->raw);
    npy_free(&v->values);
}

static bool is_zero(const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!(x[i] == 0)) return false;
    return true;
}

static void check_run(const syn_type *type, const vectors *v, size_t from, size_t to)
{
    const size_t bytes = (size_t)syn_type_bytes(type, v->count), n = v->count;
    unsigned char *row = (unsigned char *)malloc(bytes);
    float *out = (float *)malloc(n * sizeof *out);
    memcpy(row, v->raw.u1, bytes);
    CHECK(prune_zero(type, row, from, to));
    syn_type_to_float(type, row, out, n);
    CHECK(is_zero(out + from, to - from));
    CHECK(memcmp(out, v->values.f4, from * sizeof *out) == 0);
    CHECK(memcmp(out + to, v->values.f4 + to, (n - to) * sizeof *out) == 0);
    free(row);
    free(out);
}

static void check_refused(const syn_type *type, const vectors *v, size_t from, size_t to)
{
    const size_t bytes = (size_t)syn_type_bytes(type, v->count);
    unsigned char *row = (unsigned char *)malloc(bytes);
    memcpy(row, v->raw.u1, bytes);
    CHECK(!prune_zero(type, row, from, to));
    CHECK(memcmp(row, v->raw.u1, bytes) == 0);
    free(row);
}

/* Every run of one grain, and longer ones across blocks, up to both ends. */
static void check_type(const syn_type *type)
{
    vectors v;
    const size_t grain = prune_zero_grain(type);
    REQUIRE(load_row(&v, type->name));
    for (size_t at = 0; at + grain <= v.count; at += grain) check_run(type, &v, at, at + grain);
    for (size_t n = 2 * grain; n <= v.count; n += 7 * grain) {
        check_run(type, &v, 0, n);
        check_run(type, &v, v.count - n, v.count);
        check_run(type, &v, (v.count - n) / 2 / grain * grain,
                  (v.count - n) / 2 / grain * grain + n);
    }
    check_run(type, &v, 0, v.count);
    if (grain > 1) {
        check_refused(type, &v, grain / 2, v.count);
        check_refused(type, &v, 0, grain + 1);
    }
    free_row(&v);
}

TEST(every_type_has_zeros)
{
    static const char *const known[] = {"F16",     "BF16",   "Q4_0",   "Q4_1",    "Q5_0",  "Q5_1",
                                        "Q8_0",    "Q2_K",   "Q3_K",   "Q4_K",    "Q5_K",  "Q6_K",
                                        "IQ2_XXS", "IQ2_XS", "IQ2_S",  "IQ3_XXS", "IQ3_S", "IQ1_S",
                                        "IQ1_M",   "IQ4_NL", "IQ4_XS", "TQ1_0",   "TQ2_0", "MXFP4"};
    size_t found = 0;
    for (uint32_t id = 0; id < TYPE_IDS; id++) {
        const syn_type *type = syn_type_find(id);
        for (size_t k = 0; type && k < sizeof known / sizeof known[0]; k++) {
            if (strcmp(known[k], type->name)) continue;
            check_type(type);
            found++;
        }
    }
    CHECK(found == sizeof known / sizeof known[0]);
}

/* Bytes of zero are weights of zero in whatever type there is. */
TEST(zero_bytes_are_zero)
{
    unsigned char block[1024];
    float out[SYN_BLOCK_MAX];
    for (uint32_t id = 0; id < TYPE_IDS; id++) {
        const syn_type *type = syn_type_find(id);
        if (!type || !syn_type_computes(type)) continue;
        memset(block, 0xA5, sizeof block);
        CHECK(prune_zero(type, block, 0, type->block));
        CHECK(block[type->bytes] == 0xA5);
        syn_type_to_float(type, block, out, type->block);
        CHECK(is_zero(out, type->block));
    }
}

/* How finely zeros can be placed is what decides whether a tensor keeps its type. */
TEST(grains)
{
    static const struct {
        const char *type;
        uint32_t grain;
    } expected[] = {{"F32", 1},     {"F16", 1},   {"BF16", 1},  {"Q4_0", 1},    {"Q5_0", 1},
                    {"Q8_0", 1},    {"Q3_K", 1},  {"Q6_K", 1},  {"Q8_K", 1},    {"MXFP4", 1},
                    {"TQ1_0", 1},   {"TQ2_0", 1}, {"Q2_K", 16}, {"Q4_K", 32},   {"Q5_K", 32},
                    {"IQ4_XS", 32}, {"Q4_1", 32}, {"Q5_1", 32}, {"IQ4_NL", 32}, {"IQ3_S", 256},
                    {"IQ1_M", 256}};
    for (size_t k = 0; k < sizeof expected / sizeof expected[0]; k++)
        for (uint32_t id = 0; id < TYPE_IDS; id++) {
            const syn_type *type = syn_type_find(id);
            if (type && !strcmp(type->name, expected[k].type))
                CHECK(prune_zero_grain(type) == expected[k].grain);
        }
}

/* Q8_K also holds the sums of 16 codes each. */
TEST(q8_k_sums)
{
    const syn_type *type = syn_type_find(15);
    unsigned char block[292];
    const float d = 0.5f;
    memcpy(block, &d, sizeof d);
    for (int i = 0; i < 256; i++) block[4 + i] = (unsigned char)(i * 37 + 11);
    for (int pass = 0; pass < 2; pass++) { /* the sums as they are, then without the zeroed codes */
        for (int g = 0; g < 16; g++) {
            int sum = 0, stored;
            for (int i = 0; i < 16; i++) sum += (int8_t)block[4 + 16 * g + i];
            if (!pass) {
                block[260 + 2 * g] = (unsigned char)(sum & 255);
                block[261 + 2 * g] = (unsigned char)(sum >> 8 & 255);
            }
            stored = (int16_t)(block[260 + 2 * g] | block[261 + 2 * g] << 8);
            CHECK(stored == sum);
        }
        if (!pass) CHECK(prune_zero(type, block, 5, 131));
    }
    for (int i = 0; i < 256; i++)
        CHECK(block[4 + i] == (i >= 5 && i < 131 ? 0 : (unsigned char)(i * 37 + 11)));
}

TEST_MAIN("prune")
