/* The table of tensor types: every type against the reference values of gguf-py, bit for bit. */
#define SYNERGY_STATIC
#define SYNERGY_NO_PHIID
#define SYNERGY_IMPLEMENTATION
#include "../synergy.h"
#include "npy.h"
#include "test.h"

enum { ROWS = 8 };

static bool same_bits(const float *a, const float *b, size_t n)
{
    return memcmp(a, b, n * sizeof(float)) == 0;
}

static bool load_vectors(const char *name, npy *raw, npy *values)
{
    char file[128];
    test_path_buffer path;
    snprintf(file, sizeof file, "types/%s.raw.npy", name);
    if (!npy_load(raw, test_path(path, file), NPY_U1)) return false;
    snprintf(file, sizeof file, "types/%s.values.npy", name);
    if (npy_load(values, test_path(path, file), NPY_F4)) return true;
    npy_free(raw);
    return false;
}

/* Each block at every alignment, then all of them in one call. */
static void check_dequantised(const syn_type *type, const npy *raw, const npy *values)
{
    size_t per = values->shape[1], bytes = raw->shape[1], row, shift;
    float *out = (float *)malloc(values->count * sizeof(float));
    unsigned char *moved = (unsigned char *)malloc(bytes + 8);

    CHECK(syn_type_bytes(type, per) == bytes);
    for (row = 0; row < ROWS; row++) {
        for (shift = 0; shift < 8; shift++) {
            memcpy(moved + shift, raw->u1 + row * bytes, bytes);
            syn_type_to_float(type, moved + shift, out, per);
            CHECK(same_bits(out, values->f4 + row * per, per));
        }
    }
    syn_type_to_float(type, raw->u1, out, values->count);
    CHECK(same_bits(out, values->f4, values->count));
    free(moved);
    free(out);
}

/* scale * code + minimum, two roundings, must be the float value: nothing is lost in codes. */
static void check_codes(const syn_type *type, const npy *raw, const npy *values)
{
    size_t block = type->block, blocks = values->count / block, at, i;

    for (at = 0; at < blocks; at++) {
        int8_t q[SYN_BLOCK_MAX];
        float scale[SYN_BLOCK_MAX / 16], minimum[SYN_BLOCK_MAX / 16];
        memset(minimum, 0, sizeof minimum);
        type->codes(raw->u1 + at * type->bytes, q, scale, minimum);
        for (i = 0; i < block; i++) {
            volatile float product = scale[i / type->group] * (float)q[i];
            volatile float value = product + minimum[i / type->group];
            CHECK(value == values->f4[at * block + i]);
        }
    }
}

TEST(every_type_equals_the_reference)
{
    size_t i, seen = 0;
    for (i = 0; i < sizeof synp_types / sizeof synp_types[0]; i++) {
        const syn_type *type = &synp_types[i];
        npy raw, values;
        bool stored_only = type->group == 0 && type->id != 1 && type->id != 30;
        if (stored_only || type->id == 15) continue; /* F32, F64, Q8_K: below */
        REQUIRE(load_vectors(type->name, &raw, &values));
        REQUIRE(raw.shape[0] == ROWS && values.shape[0] == ROWS);
        check_dequantised(type, &raw, &values);
        if (type->codes) check_codes(type, &raw, &values);
        npy_free(&raw);
        npy_free(&values);
        seen++;
    }
#ifdef SYNERGY_NO_IQ
    CHECK(seen == 17);
#else
    CHECK(seen == 24);
#endif
}

/* All 65536 half floats against arithmetic in double. */
TEST(half_floats)
{
    uint32_t bits;
    for (bits = 0; bits < 65536; bits++) {
        int exponent = (int)(bits >> 10 & 31), fraction = (int)(bits & 1023);
        float got = synp_half((uint16_t)bits);
        double want = exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
        if (exponent == 31) {
            CHECK(fraction ? got != got : got == ((bits & 0x8000) ? -HUGE_VALF : HUGE_VALF));
            continue;
        }
        CHECK((double)got == ((bits & 0x8000) ? -want : want));
        CHECK((signbit(got) != 0) == ((bits & 0x8000) != 0));
    }
}

TEST(plain_numbers)
{
    static const unsigned char f32[8] = {0, 0, 0xc0, 0x3f, 1, 0, 0, 0x80};
    static const unsigned char f64[24] = {0,    0,    0,    0,    0,    0,    0xf8, 0x3f,
                                          0,    0,    0,    0,    0,    0,    0xf0, 0x7f,
                                          0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xef, 0xff};
    float out[3];
    syn_type_to_float(syn_type_find(0), f32, out, 2);
    CHECK(out[0] == 1.5f);
    CHECK(out[1] == -1.40129846432481707e-45f);
    syn_type_to_float(syn_type_find(28), f64, out, 3);
    CHECK(out[0] == 1.5f);
    CHECK(out[1] == HUGE_VALF);
    CHECK(out[2] == -HUGE_VALF);
}

/* Doubles become the nearest float by whole numbers: as the compiler's own conversion has it, but
   that all beyond the largest float is infinite. */
static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static void check_double(double value)
{
    const uint64_t bits = bits_of(value);
    unsigned char raw[8];
    float out, want = value > (double)FLT_MAX    ? HUGE_VALF
                      : value < -(double)FLT_MAX ? -HUGE_VALF
                                                 : (float)value;
    int i;
    for (i = 0; i < 8; i++) raw[i] = (unsigned char)(bits >> 8 * i & 255u);
    syn_type_to_float(syn_type_find(28), raw, &out, 1);
    if (value != value) CHECK(out != out);
    else CHECK(!memcmp(&out, &want, sizeof out));
}

TEST(doubles_become_the_nearest_float)
{
    static const double edge[] = {0.0,
                                  1.0,
                                  1e-45,
                                  7.0064923216240853e-46,
                                  7.1e-46,
                                  2.2e-45,
                                  1.1e-38,
                                  1.1754943508222875e-38,
                                  1e-300,
                                  5e-324,
                                  3.40282346638528859e38,
                                  3.4028235677973362e38,
                                  1e300,
                                  16777217.0,
                                  16777219.0};
    uint64_t state = 1;
    size_t i;
    int power;
    for (i = 0; i < sizeof edge / sizeof edge[0]; i++) {
        check_double(edge[i]);
        check_double(-edge[i]);
    }
    check_double((double)HUGE_VALF);
    check_double((double)NAN);
    for (power = -160; power < 132; power++) /* halves and quarters of a float's last bit, too */
        for (i = 0; i < 64; i++) {
            state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            check_double(ldexp((double)(state >> 11), power - 53));
            check_double(-ldexp((double)(state >> 40) + 0.25 * (double)(i % 4), power - 24));
        }
}

/* Q8_K: float scale, 256 codes, sums. */
TEST(q8_k)
{
    unsigned char block[292];
    float out[256];
    int i;
    memset(block, 0, sizeof block);
    block[2] = 0x80; /* 0.25f is 0x3e800000 */
    block[3] = 0x3e;
    for (i = 0; i < 256; i++) block[4 + i] = (unsigned char)i;
    syn_type_to_float(syn_type_find(15), block, out, 256);
    for (i = 0; i < 256; i++) CHECK(out[i] == 0.25f * (float)(i < 128 ? i : i - 256));
}

TEST(table_is_consistent)
{
    size_t i, j, n = sizeof synp_types / sizeof synp_types[0];
    for (i = 0; i < n; i++) {
        const syn_type *type = &synp_types[i];
        CHECK(syn_type_find(type->id) == type);
        CHECK(!(type->floats && type->codes));
        CHECK((type->group != 0) == (type->codes != NULL));
        CHECK(syn_type_computes(type) == (type->floats || type->codes));
        CHECK(type->block == 1 || type->block == 32 || type->block == SYN_BLOCK_MAX);
        CHECK(!type->minimum || type->codes);
        CHECK(syn_type_bytes(type, 3 * (uint64_t)type->block) == 3 * (uint64_t)type->bytes);
        CHECK(type->block == 1 || syn_type_bytes(type, type->block + 1u) == 0);
        for (j = 0; j < i; j++) CHECK(strcmp(type->name, synp_types[j].name) != 0);
    }
    CHECK(syn_type_find(4) == NULL && syn_type_find(5) == NULL);
    CHECK(syn_type_find(36) == NULL && syn_type_find(0xffffffffu) == NULL);
    CHECK(syn_type_bytes(syn_type_find(12), (uint64_t)1 << 40) == ((uint64_t)1 << 40) / 256 * 144);
}

/* Any bytes are a valid block: nothing is read or written outside, no code leaves int8 (run
   under the sanitizers). */
TEST(random_blocks)
{
    uint32_t state = 1;
    size_t i, round, k;
    for (i = 0; i < sizeof synp_types / sizeof synp_types[0]; i++) {
        const syn_type *type = &synp_types[i];
        unsigned char *block = (unsigned char *)malloc(type->bytes);
        float *out = (float *)malloc(type->block * sizeof(float));
        for (round = 0; round < 200 && syn_type_computes(type); round++) {
            for (k = 0; k < type->bytes; k++) {
                state = state * 1664525u + 1013904223u;
                block[k] = (unsigned char)(state >> 24);
            }
            syn_type_to_float(type, block, out, type->block);
            CHECK(out[0] == out[0] || out[0] != out[0]);
        }
        free(out);
        free(block);
    }
}

TEST_MAIN("types")
