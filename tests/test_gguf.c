/* test_gguf.c - the structure of GGUF files: keys, typed reads, tensor infos, and that nothing a
   file or a disk can do leads anywhere but to one clear line. Expected values are those the test
   wrote. */
#define SYNERGY_SIMD 0 /* no kernel is tested here: twice as fast to compile */
#define SYNERGY_NO_PHIID
#define SYNERGY_IMPLEMENTATION
#include "../synergy.h"
#include "gguf_write.h"
#include "test.h"

static syn_source memory(const gguf_out *f)
{
    return syn_source_memory(f->bytes, f->size);
}

/* Opens; the source must outlive the view, hence a pointer. */
static syn_status open_file(syn_gguf *gguf, syn_source *source, const gguf_out *f, syn_error *err)
{
    *source = memory(f);
    memset(err, 0, sizeof *err);
    return syn_gguf_open(gguf, source, err);
}

static void opens(const gguf_out *f)
{
    syn_gguf gguf;
    syn_source source;
    syn_error err;
    CHECK_OK(open_file(&gguf, &source, f, &err), err);
}

/* Refused with this status, and the line holds this text. */
static void refused(const gguf_out *f, syn_status status, const char *text)
{
    syn_gguf gguf;
    syn_source source;
    syn_error err;
    CHECK_FAILS(open_file(&gguf, &source, f, &err), status, err);
    CHECK(gguf_is_line(err.text));
    if (!strstr(err.text, text)) printf("'%s' is not in: %s\n", text, err.text);
    CHECK(strstr(err.text, text) != NULL);
}

/* Every kind of value, nested arrays, an array that is worth a jump, two tensors. */
static void write_example(gguf_out *f, uint32_t version)
{
    static const char *const words[] = {"a", "", "longer text", "\xc3\xa9"};
    int i;
    gguf_begin(f, version);
    gguf_number(f, "u8", 0, 200, 1);
    gguf_number(f, "i8", 1, 0xFB, 1); /* -5 */
    gguf_number(f, "u16", 2, 60000, 2);
    gguf_number(f, "i16", 3, 30000, 2);
    gguf_u32(f, "u32", 4000000000u);
    gguf_number(f, "i32", 5, 2000000000u, 4);
    gguf_f32(f, "f32", 0.1f);
    gguf_number(f, "bool", 7, 1, 1);
    gguf_text(f, "text", "some words");
    gguf_number(f, "u64", 10, UINT64_C(4294967295), 8);
    gguf_number(f, "i64", 11, 7, 8);
    gguf_number(f, "f64", 12, gguf_bits_f64(0.5), 8);
    gguf_array(f, "texts", 8, 4);
    for (i = 0; i < 4; i++) gguf_string(f, words[i], strlen(words[i]));
    gguf_array(f, "numbers", 4, 1200); /* 4800 bytes: jumped over in searches */
    for (i = 0; i < 1200; i++) gguf_int(f, (uint64_t)i, 4);
    gguf_array(f, "nothing", 6, 0);
    gguf_array(f, "nested", 9, 2); /* [[1, 2, 3], ["x", "yy"]] */
    gguf_int(f, 0, 4);
    gguf_int(f, 3, 8);
    gguf_put(f, "\1\2\3", 3);
    gguf_int(f, 8, 4);
    gguf_int(f, 2, 8);
    gguf_string(f, "x", 1);
    gguf_string(f, "yy", 2);
    gguf_text(f, "last", "");
    gguf_tensor(f, "matrix", GGUF_F32, 8, 2, 0, 0);
    gguf_tensor(f, "blocks", GGUF_Q8_0, 64, 3, 2, 0);
    gguf_end(f);
    gguf_fit(f);
}

/* ------------------------------------------------------------------ keys */

static uint32_t read_u32(const syn_gguf *gguf, const char *key)
{
    syn_error err;
    uint32_t value = 77;
    memset(&err, 0, sizeof err);
    CHECK_OK(syn_gguf_u32(gguf, key, true, &value, &err), err);
    return value;
}

static float read_f32(const syn_gguf *gguf, const char *key)
{
    syn_error err;
    float value = -1;
    memset(&err, 0, sizeof err);
    CHECK_OK(syn_gguf_f32(gguf, key, true, &value, &err), err);
    return value;
}

/* What each typed read gives on the example. */
static void check_values(const syn_gguf *gguf)
{
    syn_error err;
    bool yes = false;
    char text[32];
    size_t length = 99;
    memset(&err, 0, sizeof err);
    CHECK(read_u32(gguf, "u8") == 200);
    CHECK(read_u32(gguf, "u16") == 60000);
    CHECK(read_u32(gguf, "i16") == 30000);
    CHECK(read_u32(gguf, "u32") == 4000000000u);
    CHECK(read_u32(gguf, "i32") == 2000000000u);
    CHECK(read_u32(gguf, "u64") == 4294967295u);
    CHECK(read_u32(gguf, "i64") == 7);
    CHECK_NEAR(read_f32(gguf, "f32"), 0.1f, 0);
    CHECK_NEAR(read_f32(gguf, "f64"), 0.5f, 0);
    CHECK_OK(syn_gguf_bool(gguf, "bool", true, &yes, &err), err);
    CHECK(yes);
    CHECK_OK(syn_gguf_text(gguf, "text", true, text, sizeof text, &length, &err), err);
    CHECK_STR(text, "some words");
    CHECK(length == 10);
    CHECK_OK(syn_gguf_text(gguf, "last", true, text, sizeof text, &length, &err), err);
    CHECK_STR(text, "");
    CHECK(length == 0);
}

/* Numbers in messages: four digits, or a whole number as it is. */
static void check_text(double value)
{
    char want[32], digits[32];
    synp_number number;
    int power;
    snprintf(want, sizeof want, "%.3e", value);
    power = atoi(strchr(want, 'e') + 1);
    *strchr(want, 'e') = 0;
    digits[0] = 0;
    if (power) snprintf(digits, sizeof digits, "e%d", power);
    strcat(want, digits);
    CHECK_STR(synp_number_text(value, &number), want);
}

TEST(numbers_of_messages)
{
    static const struct {
        double value;
        const char *text;
    } whole[] = {{0, "0"},
                 {-0.0, "0"},
                 {1, "1"},
                 {-3, "-3"},
                 {1e6, "1000000"},
                 {16777217, "16777217"},
                 {-999999999999999.0, "-999999999999999"},
                 {1e15, "1.000e15"},
                 {0.99996, "1.000"},
                 {1.5, "1.500"},
                 {5e-324, "4.941e-324"},
                 {1.7976931348623157e308, "1.798e308"}};
    static const struct {
        float value;
        const char *text;
    } narrow[] = {{0, "0"},
                  {-2, "-2"},
                  {0.1f, "1.000e-1"},
                  {1e-45f, "1.401e-45"},
                  {3.4028235e38f, "3.403e38"},
                  {16777216, "16777216"},
                  {536870912, "536870912"},
                  {-1e30f, "-1.000e30"}};
    synp_number number;
    uint64_t state = 1;
    double value;
    size_t i;
    for (i = 0; i < sizeof whole / sizeof whole[0]; i++)
        CHECK_STR(synp_number_text(whole[i].value, &number), whole[i].text);
    for (i = 0; i < sizeof narrow / sizeof narrow[0]; i++)
        CHECK_STR(synp_float_text(narrow[i].value, &number), narrow[i].text);
    CHECK_STR(synp_number_text((double)NAN, &number), "nan");
    CHECK_STR(synp_number_text((double)HUGE_VALF, &number), "inf");
    CHECK_STR(synp_float_text(-HUGE_VALF, &number), "-inf");
    for (i = 0; i < 4000; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        value = ldexp((double)(state >> 11), (int)(state >> 3 & 2047) - 1100);
        if (value != floor(value) || value > 1e15) check_text(value);
    }
}

TEST(every_type_is_read)
{
    uint32_t version;
    for (version = 2; version <= 3; version++) {
        gguf_out f;
        syn_gguf gguf;
        syn_source source;
        syn_error err;
        write_example(&f, version);
        REQUIRE_OK(open_file(&gguf, &source, &f, &err), err);
        CHECK(gguf.version == version);
        CHECK(gguf.keys == 17 && gguf.tensors == 2 && gguf.alignment == 32);
        check_values(&gguf);
        gguf_free(&f);
    }
}

TEST(a_text_is_cut_to_its_room)
{
    gguf_out f;
    syn_gguf gguf;
    syn_source source;
    syn_error err;
    char text[8] = "#######";
    size_t length = 0;
    write_example(&f, 3);
    REQUIRE_OK(open_file(&gguf, &source, &f, &err), err);
    CHECK_OK(syn_gguf_text(&gguf, "text", true, text, 5, &length, &err), err);
    CHECK_STR(text, "some");
    CHECK(length == 10 && text[5] == '#');
    CHECK_OK(syn_gguf_text(&gguf, "text", true, text, 1, NULL, &err), err);
    CHECK_STR(text, "");
    text[0] = '#';
    CHECK_OK(syn_gguf_text(&gguf, "text", true, text, 0, &length, &err), err);
    CHECK(text[0] == '#' && length == 10);
    gguf_free(&f);
}

TEST(absent_keys)
{
    gguf_out f;
    syn_gguf gguf;
    syn_source source;
    syn_gguf_value value;
    syn_error err;
    bool present = true, yes = true;
    uint32_t number = 5;
    float real = 2.5f;
    char text[8] = "old";
    size_t length = 9;
    write_example(&f, 3);
    REQUIRE_OK(open_file(&gguf, &source, &f, &err), err);
    CHECK_OK(syn_gguf_find(&gguf, "no.such.key", &value, &present, &err), err);
    CHECK(!present);
    CHECK_OK(syn_gguf_find(&gguf, "u3", &value, &present, &err),
             err); /* a key's beginning is not the key */
    CHECK(!present);
    CHECK_OK(syn_gguf_u32(&gguf, "no.u32", false, &number, &err), err);
    CHECK_OK(syn_gguf_f32(&gguf, "no.f32", false, &real, &err), err);
    CHECK_OK(syn_gguf_bool(&gguf, "no.bool", false, &yes, &err), err);
    CHECK_OK(syn_gguf_text(&gguf, "no.text", false, text, sizeof text, &length, &err), err);
    CHECK(number == 5 && yes && text[0] == 0 && length == 0);
    CHECK_NEAR(real, 2.5f, 0);
    CHECK_FAILS(syn_gguf_u32(&gguf, "no.u32", true, &number, &err), SYN_ERROR_MODEL, err);
    CHECK(strstr(err.text, "no.u32") && strstr(err.text, "missing"));
    CHECK_FAILS(syn_gguf_f32(&gguf, "no.f32", true, &real, &err), SYN_ERROR_MODEL, err);
    CHECK(strstr(err.text, "no.f32") != NULL);
    CHECK_FAILS(syn_gguf_bool(&gguf, "no.bool", true, &yes, &err), SYN_ERROR_MODEL, err);
    CHECK(strstr(err.text, "no.bool") != NULL);
    CHECK_FAILS(syn_gguf_text(&gguf, "no.text", true, text, sizeof text, NULL, &err),
                SYN_ERROR_MODEL, err);
    CHECK(strstr(err.text, "no.text") != NULL);
    CHECK_FAILS(syn_gguf_u32(&gguf, "no.u32", true, &number, NULL), SYN_ERROR_MODEL,
                err); /* err may be NULL */
    gguf_free(&f);
}

static void wrong_u32(const syn_gguf *gguf, const char *key)
{
    syn_error err;
    uint32_t value = 5;
    CHECK_FAILS(syn_gguf_u32(gguf, key, false, &value, &err), SYN_ERROR_MODEL, err);
    CHECK(strstr(err.text, key) && gguf_is_line(err.text) && value == 5);
}

TEST(wrong_types_name_the_key)
{
    static const char *const no_u32[] = {"f32",   "f64",     "bool",   "text",
                                         "texts", "numbers", "nested", "i8"};
    static const char *const no_f32[] = {"u32", "i8", "bool", "text", "numbers"};
    static const char *const no_bool[] = {"u8", "f32", "text", "texts"};
    static const char *const no_text[] = {"u8", "f32", "bool", "texts", "nested"};
    gguf_out f;
    syn_gguf gguf;
    syn_source source;
    syn_error err;
    float real = 1;
    bool yes = false;
    char text[8];
    size_t i;
    write_example(&f, 3);
    REQUIRE_OK(open_file(&gguf, &source, &f, &err), err);
    for (i = 0; i < sizeof no_u32 / sizeof no_u32[0]; i++) wrong_u32(&gguf, no_u32[i]);
    for (i = 0; i < sizeof no_f32 / sizeof no_f32[0]; i++) {
        CHECK_FAILS(syn_gguf_f32(&gguf, no_f32[i], false, &real, &err), SYN_ERROR_MODEL, err);
        CHECK(strstr(err.text, no_f32[i]) != NULL);
    }
    for (i = 0; i < sizeof no_bool / sizeof no_bool[0]; i++) {
        CHECK_FAILS(syn_gguf_bool(&gguf, no_bool[i], false, &yes, &err), SYN_ERROR_MODEL, err);
        CHECK(strstr(err.text, no_bool[i]) != NULL);
    }
    for (i = 0; i < sizeof no_text / sizeof no_text[0]; i++) {
        CHECK_FAILS(syn_gguf_text(&gguf, no_text[i], false, text, sizeof text, NULL, &err),
                    SYN_ERROR_MODEL, err);
        CHECK(strstr(err.text, no_text[i]) != NULL);
    }
    gguf_free(&f);
}

TEST(integers_out_of_range_are_told)
{
    static const struct {
        uint32_t type;
        uint64_t bits;
        size_t bytes;
        const char *said;
    } bad[] = {{10, UINT64_C(4294967296), 8, "4294967296"},
               {10, UINT64_MAX, 8, "18446744073709551615"},
               {11, UINT64_C(4294967296), 8, "4294967296"},
               {11, UINT64_MAX, 8, "-1"},
               {11, UINT64_C(1) << 63, 8, "-9223372036854775808"},
               {5, 0xFFFFFFFFu, 4, "-1"},
               {5, 0x80000000u, 4, "-2147483648"},
               {3, 0x8000, 2, "-32768"},
               {1, 0x80, 1, "-128"}};
    size_t i;
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        gguf_out f;
        syn_gguf gguf;
        syn_source source;
        syn_error err;
        uint32_t value = 5;
        gguf_begin(&f, 3);
        gguf_number(&f, "number", bad[i].type, bad[i].bits, bad[i].bytes);
        gguf_fit(&f);
        REQUIRE_OK(open_file(&gguf, &source, &f, &err), err);
        CHECK_FAILS(syn_gguf_u32(&gguf, "number", false, &value, &err), SYN_ERROR_MODEL, err);
        CHECK(strstr(err.text, "number") && strstr(err.text, bad[i].said) && value == 5);
        gguf_free(&f);
    }
}

TEST(a_key_twice_is_refused)
{
    gguf_out f;
    syn_gguf gguf;
    syn_source source;
    syn_gguf_value value;
    syn_error err;
    bool present;
    uint32_t number = 5;
    gguf_begin(&f, 3);
    gguf_u32(&f, "once", 1);
    gguf_u32(&f, "twice", 2);
    gguf_u32(&f, "between", 3);
    gguf_text(&f, "twice", "2");
    gguf_fit(&f);
    REQUIRE_OK(open_file(&gguf, &source, &f, &err), err);
    CHECK(read_u32(&gguf, "once") == 1 && read_u32(&gguf, "between") == 3);
    CHECK_FAILS(syn_gguf_find(&gguf, "twice", &value, &present, &err), SYN_ERROR_FORMAT, err);
    CHECK(strstr(err.text, "twice") != NULL);
    CHECK_FAILS(syn_gguf_u32(&gguf, "twice", false, &number, &err), SYN_ERROR_FORMAT, err);
    CHECK(number == 5);
    gguf_free(&f);
}

/* ------------------------------------------------------------------ arrays */

TEST(arrays_are_described)
{
    gguf_out f;
    syn_gguf gguf;
    syn_source source;
    syn_gguf_value v;
    syn_error err;
    bool present = false;
    write_example(&f, 3);
    REQUIRE_OK(open_file(&gguf, &source, &f, &err), err);
    CHECK_OK(syn_gguf_find(&gguf, "numbers", &v, &present, &err), err);
    CHECK(present && v.array && v.type == SYN_GGUF_U32 && v.count == 1200 && v.bytes == 4800);
    CHECK(f.bytes[v.offset] == 0 && f.bytes[v.offset + 4 * 1199] == (1199 & 255));
    CHECK_OK(syn_gguf_find(&gguf, "texts", &v, &present, &err), err);
    CHECK(v.array && v.type == SYN_GGUF_STRING && v.count == 4 &&
          v.bytes == 4 * 8 + 1 + 0 + 11 + 2);
    CHECK_OK(syn_gguf_find(&gguf, "nothing", &v, &present, &err), err);
    CHECK(present && v.array && v.type == SYN_GGUF_F32 && v.count == 0 && v.bytes == 0);
    CHECK_OK(syn_gguf_find(&gguf, "nested", &v, &present, &err), err);
    CHECK(v.array && v.type == SYN_GGUF_ARRAY && v.count == 2 && v.bytes == 12 + 3 + 12 + 9 + 10);
    CHECK_OK(syn_gguf_find(&gguf, "text", &v, &present, &err), err);
    CHECK(!v.array && v.type == SYN_GGUF_STRING && v.count == 1 && v.bytes == 10);
    CHECK(!memcmp(f.bytes + v.offset, "some words", 10));
    gguf_free(&f);
}

/* `depth` arrays around one number. */
static void write_nest(gguf_out *f, int depth)
{
    int i;
    gguf_begin(f, 3);
    gguf_array(f, "nest", depth > 1 ? 9 : 0, 1);
    for (i = 1; i < depth; i++) {
        gguf_int(f, i + 1 < depth ? 9 : 0, 4);
        gguf_int(f, 1, 8);
    }
    gguf_int(f, 42, 1);
    gguf_u32(f, "behind", 1);
    gguf_fit(f);
}

TEST(nesting_is_bounded)
{
    int depth;
    for (depth = 1; depth < 40; depth++) {
        gguf_out f;
        syn_gguf gguf;
        syn_source source;
        syn_error err;
        syn_status status;
        write_nest(&f, depth);
        status = open_file(&gguf, &source, &f, &err);
        if (status == SYN_OK) CHECK(read_u32(&gguf, "behind") == 1);
        CHECK((status == SYN_OK) == (depth <= SYNP_GGUF_NESTING + 1));
        CHECK(status == SYN_OK || (status == SYN_ERROR_FORMAT && strstr(err.text, "nested")));
        gguf_free(&f);
    }
}

/* An array of many empty arrays: walked without recursion, in one go. */
TEST(many_empty_arrays)
{
    gguf_out f;
    syn_gguf gguf;
    syn_source source;
    syn_error err;
    int i;
    gguf_begin(&f, 3);
    gguf_array(&f, "empty", 9, 5000);
    for (i = 0; i < 5000; i++) {
        gguf_int(&f, i % 2 ? 9 : 8, 4);
        gguf_int(&f, 0, 8);
    }
    gguf_u32(&f, "behind", 9);
    gguf_fit(&f);
    REQUIRE_OK(open_file(&gguf, &source, &f, &err), err);
    CHECK(read_u32(&gguf, "behind") == 9);
    gguf_free(&f);
}

/* Searches jump over long values: a key behind megabytes of vocabulary costs a few hundred
   bytes. */
TEST(long_values_are_jumped_over)
{
    enum { LONG = 12 };
    gguf_out f;
    gguf_reader reader;
    syn_source source;
    syn_gguf gguf;
    syn_error err;
    uint64_t before;
    int i, k;
    memset(&err, 0, sizeof err);
    gguf_begin(&f, 3);
    for (i = 0; i < LONG; i++) {
        char key[32];
        snprintf(key, sizeof key, "long%d", i);
        gguf_array(&f, key, 8, 1500);
        for (k = 0; k < 1500; k++) gguf_string(&f, "token", 5);
        snprintf(key, sizeof key, "short%d", i);
        gguf_u32(&f, key, (uint32_t)(100 + i));
    }
    gguf_fit(&f);
    source = gguf_reader_source(&reader, &f);
    REQUIRE_OK(syn_gguf_open(&gguf, &source, &err), err);
    CHECK(gguf.long_values == SYN_GGUF_LONG_VALUES);
    before = reader.read;
    CHECK(read_u32(&gguf, "short7") == 107);
    /* all keys were looked at (twice would be an error), four long values are left to walk */
    CHECK(reader.read - before < (LONG - SYN_GGUF_LONG_VALUES) * 1500 * 8 + 2000);
    for (i = 0; i < LONG; i++) {
        char key[32];
        syn_gguf_value v;
        bool present = false;
        snprintf(key, sizeof key, "short%d", i);
        CHECK(read_u32(&gguf, key) == (uint32_t)(100 + i));
        snprintf(key, sizeof key, "long%d", i);
        CHECK_OK(syn_gguf_find(&gguf, key, &v, &present, &err), err);
        CHECK(present && v.array && v.count == 1500 && v.bytes == 1500 * 13);
    }
    CHECK(!reader.broken);
    gguf_free(&f);
}

/* ------------------------------------------------------------------ header */

TEST(headers_that_are_wrong)
{
    static const uint32_t bad_version[] = {0, 1, 4, 255};
    gguf_out f;
    size_t i;
    for (i = 0; i < sizeof bad_version / sizeof bad_version[0]; i++) {
        write_example(&f, bad_version[i]);
        refused(&f, SYN_ERROR_UNSUPPORTED, "version");
        gguf_free(&f);
    }
    write_example(&f, 0x03000000u); /* 3, big endian */
    refused(&f, SYN_ERROR_UNSUPPORTED, "big-endian");
    gguf_set(&f, 4, 3, 4);
    opens(&f);
    f.bytes[3] = 'f';
    refused(&f, SYN_ERROR_FORMAT, "GGUf");
    f.bytes[0] = 0x7F;
    f.bytes[1] = '\n';
    refused(&f, SYN_ERROR_FORMAT, "??Uf"); /* never the file's raw bytes */
    gguf_free(&f);
}

TEST(counts_that_cannot_be)
{
    static const uint64_t counts[] = {1000, UINT64_C(1) << 31, UINT64_C(1) << 32, UINT64_C(1) << 60,
                                      UINT64_MAX};
    gguf_out f;
    size_t i;
    for (i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        write_example(&f, 3);
        gguf_set(&f, 8, counts[i], 8);
        refused(&f, SYN_ERROR_FORMAT, "");
        gguf_set(&f, 8, 2, 8);
        gguf_set(&f, 16, counts[i], 8);
        refused(&f, SYN_ERROR_FORMAT, "");
        gguf_free(&f);
        gguf_begin(&f, 3);
        gguf_array(&f, "a", 4, counts[i]);
        gguf_put(&f, NULL, 40);
        gguf_fit(&f);
        refused(&f, SYN_ERROR_FORMAT, "elements");
        gguf_free(&f);
        gguf_begin(&f, 3);
        gguf_key(&f, "a", 8);
        gguf_int(&f, counts[i], 8);
        gguf_put(&f, NULL, 40);
        gguf_fit(&f);
        refused(&f, SYN_ERROR_FORMAT, "claims");
        gguf_free(&f);
    }
}

TEST(types_that_are_not_known)
{
    gguf_out f;
    gguf_begin(&f, 3);
    gguf_number(&f, "a", 13, 0, 8);
    gguf_fit(&f);
    refused(&f, SYN_ERROR_FORMAT, "type 13");
    gguf_free(&f);
    gguf_begin(&f, 3);
    gguf_array(&f, "a", 13, 0);
    gguf_fit(&f);
    refused(&f, SYN_ERROR_FORMAT, "type 13");
    gguf_free(&f);
}

TEST(files_without_tensors_or_keys)
{
    gguf_out f;
    gguf_begin(&f, 3);
    gguf_fit(&f);
    opens(&f);
    gguf_free(&f);
    gguf_begin(&f, 2);
    gguf_text(&f, "only", "a key");
    gguf_fit(&f);
    opens(&f);
    gguf_free(&f);
}

/* ------------------------------------------------------------------ tensors */

TEST(tensors_are_described)
{
    gguf_out f;
    syn_gguf gguf;
    syn_source source;
    syn_gguf_tensor t;
    syn_error err;
    write_example(&f, 3);
    REQUIRE_OK(open_file(&gguf, &source, &f, &err), err);
    CHECK(gguf.data_at % 32 == 0 && gguf.data_at < f.size);
    REQUIRE_OK(syn_gguf_tensor_at(&gguf, gguf.tensors_at, &t, &err), err);
    CHECK(t.name_bytes == 6 && !memcmp(f.bytes + t.name_at, "matrix", 6));
    CHECK(t.dims == 2 && t.ne[0] == 8 && t.ne[1] == 2 && t.ne[2] == 1 && t.ne[3] == 1);
    CHECK(t.type == GGUF_F32 && t.bytes == 64 && t.offset == gguf.data_at);
    REQUIRE_OK(syn_gguf_tensor_at(&gguf, t.next_at, &t, &err), err);
    CHECK(t.name_bytes == 6 && !memcmp(f.bytes + t.name_at, "blocks", 6));
    CHECK(t.dims == 3 && t.ne[0] == 64 && t.ne[1] == 3 && t.ne[2] == 2);
    CHECK(t.type == GGUF_Q8_0 && t.bytes == 2 * 34 * 6 && t.offset == gguf.data_at + 64);
    gguf_free(&f);
}

/* One tensor as given, with `data` bytes behind the infos. */
static void write_tensor(gguf_out *f, uint32_t type, uint32_t dims, const uint64_t *ne,
                         uint64_t offset, size_t data)
{
    gguf_begin(f, 3);
    gguf_info(f, "the.tensor", type, dims, ne, offset);
    gguf_end(f);
    gguf_put(f, NULL, data);
    gguf_fit(f);
}

TEST(tensors_that_do_not_fit)
{
    static const uint64_t big = UINT64_C(1) << 62;
    const struct {
        uint32_t type, dims;
        uint64_t ne[5], offset;
        syn_status status;
        const char *said;
    } bad[] = {{0, 5, {1, 1, 1, 1, 1}, 0, SYN_ERROR_FORMAT, "5 dimensions"},
               {0, 4294967295u, {1, 1, 1, 1, 1}, 0, SYN_ERROR_FORMAT, "dimensions"},
               {0, 1, {65, 0, 0, 0, 0}, 0, SYN_ERROR_FORMAT, "larger than"}, /* 260 bytes of a file
                                                                                of 256 */
               {0, 1, {33, 0, 0, 0, 0}, 32, SYN_ERROR_FORMAT, "past the end"},
               {0, 1, {8, 0, 0, 0, 0}, 144, SYN_ERROR_FORMAT, "alignment"},
               {0, 1, {8, 0, 0, 0, 0}, 160, SYN_ERROR_FORMAT, "past the end"},
               {0, 1, {8, 0, 0, 0, 0}, UINT64_MAX - 31, SYN_ERROR_FORMAT, "past the end"},
               {0, 2, {4, big, 0, 0, 0}, 0, SYN_ERROR_FORMAT, "larger"},
               {0, 2, {big, 4, 0, 0, 0}, 0, SYN_ERROR_FORMAT, "larger"},
               {0, 3, {4, big, 4, 0, 0}, 0, SYN_ERROR_FORMAT, "larger"},
               {0, 4, {65536, 65536, 65536, 65536, 0}, 0, SYN_ERROR_FORMAT, "larger"},
               {0, 1, {UINT64_C(1) << 63, 0, 0, 0, 0}, 0, SYN_ERROR_FORMAT, "dimension 0"},
               {8, 1, {33, 0, 0, 0, 0}, 0, SYN_ERROR_FORMAT, "blocks of 32"},
               {999, 1, {32, 0, 0, 0, 0}, 0, SYN_ERROR_UNSUPPORTED, "type 999"}};
    const uint64_t good[2] = {8, 4};
    gguf_out f;
    size_t i;
    write_tensor(&f, 0, 2, good, 0, 128);
    opens(&f);
    gguf_free(&f);
    write_tensor(&f, 0, 2, good, 32, 160);
    opens(&f);
    gguf_free(&f);
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        gguf_out g;
        /* dims as claimed, but never more values than there are in `ne` */
        gguf_begin(&g, 3);
        gguf_info(&g, "the.tensor", bad[i].type, bad[i].dims < 5 ? bad[i].dims : 5, bad[i].ne,
                  bad[i].offset);
        gguf_set(&g, 24 + 8 + 10, bad[i].dims, 4);
        gguf_end(&g);
        gguf_put(&g, NULL, 160);
        gguf_fit(&g);
        refused(&g, bad[i].status, "the.tensor");
        refused(&g, bad[i].status, bad[i].said);
        gguf_free(&g);
    }
}

TEST(alignment)
{
    static const uint32_t good[] = {1, 8, 32, 64, 4096}, bad[] = {0, 3, 48, 4294967295u};
    size_t i;
    for (i = 0; i < sizeof good / sizeof good[0]; i++) {
        gguf_out f;
        syn_gguf gguf;
        syn_source source;
        syn_gguf_tensor t;
        syn_error err;
        gguf_begin(&f, 3);
        f.alignment = good[i];
        gguf_u32(&f, "general.alignment", good[i]);
        gguf_tensor(&f, "a", GGUF_F32, 3, 0, 0, 0);
        gguf_tensor(&f, "b", GGUF_F32, 1, 0, 0, 0);
        gguf_end(&f);
        gguf_fit(&f);
        REQUIRE_OK(open_file(&gguf, &source, &f, &err), err);
        CHECK(gguf.alignment == good[i] && gguf.data_at % good[i] == 0);
        CHECK_OK(syn_gguf_tensor_at(&gguf, gguf.tensors_at, &t, &err), err);
        CHECK_OK(syn_gguf_tensor_at(&gguf, t.next_at, &t, &err), err);
        CHECK(t.offset ==
              gguf.data_at + (good[i] < 12 ? (12 + good[i] - 1) / good[i] * good[i] : good[i]));
        gguf_free(&f);
    }
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        gguf_out f;
        gguf_begin(&f, 3);
        gguf_u32(&f, "general.alignment", bad[i]);
        gguf_tensor(&f, "a", GGUF_F32, 3, 0, 0, 0);
        gguf_end(&f);
        gguf_fit(&f);
        refused(&f, SYN_ERROR_FORMAT, "general.alignment");
        gguf_free(&f);
    }
}

/* ------------------------------------------------------------------ cut files, failing reads,
 * other sources */

/* Cut at any byte, through either kind of source: one line, and the callback is never asked past
   the end. */
TEST(cut_at_every_byte)
{
    gguf_out f;
    size_t n, opened = 0;
    write_example(&f, 3);
    for (n = 0; n < f.size; n++) {
        gguf_out cut = f;
        gguf_reader reader;
        syn_gguf gguf;
        syn_source source;
        syn_error err;
        syn_status status, through;
        cut.size = n;
        cut.bytes = (unsigned char *)malloc(n ? n : 1);
        REQUIRE(cut.bytes != NULL);
        memcpy(cut.bytes, f.bytes, n);
        status = open_file(&gguf, &source, &cut, &err);
        if (status == SYN_OK) opened++;
        else
            CHECK((status == SYN_ERROR_FORMAT || status == SYN_ERROR_READ) &&
                  gguf_is_line(err.text));
        source = gguf_reader_source(&reader, &cut);
        through = syn_gguf_open(&gguf, &source, &err);
        CHECK(through == status && !reader.broken);
        free(cut.bytes);
    }
    /* what may be missing is the padding behind the last tensor: 408 bytes of data in 416 */
    CHECK(opened == 8);
    gguf_free(&f);
}

TEST(every_read_may_fail)
{
    gguf_out f;
    uint64_t n, needed = 0;
    write_example(&f, 3);
    for (n = 1; n < 100000 && !needed; n++) {
        gguf_reader reader;
        syn_gguf gguf;
        syn_error err;
        syn_source source = gguf_reader_source(&reader, &f);
        syn_status status;
        reader.fail_at = n;
        memset(&err, 0, sizeof err);
        status = syn_gguf_open(&gguf, &source, &err);
        if (status == SYN_OK && reader.calls < n) needed = n;
        else CHECK_FAILS(status, SYN_ERROR_READ, err);
        CHECK(status == SYN_OK || gguf_is_line(err.text));
    }
    CHECK(needed > 50);
    gguf_free(&f);
}

static syn_status read_all(const syn_gguf *gguf, syn_error *err)
{
    uint32_t number;
    float real;
    bool yes;
    char text[32];
    syn_gguf_value v;
    syn_gguf_tensor t;
    syn_status status = syn_gguf_u32(gguf, "i64", true, &number, err);
    if (!status) status = syn_gguf_f32(gguf, "f64", true, &real, err);
    if (!status) status = syn_gguf_bool(gguf, "bool", true, &yes, err);
    if (!status) status = syn_gguf_text(gguf, "text", true, text, sizeof text, NULL, err);
    if (!status) status = syn_gguf_find(gguf, "nested", &v, &yes, err);
    if (!status) status = syn_gguf_tensor_at(gguf, gguf->tensors_at, &t, err);
    return status;
}

/* The same for reads behind a good open: a failed read is an error, never "absent". */
TEST(every_later_read_may_fail)
{
    gguf_out f;
    gguf_reader reader;
    syn_gguf gguf;
    syn_error err;
    syn_source source;
    uint64_t n, needed = 0;
    write_example(&f, 3);
    source = gguf_reader_source(&reader, &f);
    REQUIRE_OK(syn_gguf_open(&gguf, &source, &err), err);
    for (n = 1; n < 100000 && !needed; n++) {
        syn_status status;
        reader.calls = 0;
        reader.fail_at = n;
        memset(&err, 0, sizeof err);
        status = read_all(&gguf, &err);
        if (status == SYN_OK && reader.calls < n) needed = n;
        else CHECK_FAILS(status, SYN_ERROR_READ, err);
    }
    CHECK(needed > 50);
    gguf_free(&f);
}

TEST(a_callback_gives_what_memory_gives)
{
    static const char *const keys[] = {"u8", "u64", "texts", "numbers", "nested", "last", "absent"};
    gguf_out f;
    gguf_reader reader;
    syn_gguf a, b;
    syn_error err;
    syn_source mapped, streamed;
    syn_gguf_tensor s, t;
    uint64_t at, k;
    size_t i;
    write_example(&f, 2);
    streamed = gguf_reader_source(&reader, &f);
    REQUIRE_OK(open_file(&a, &mapped, &f, &err), err);
    REQUIRE_OK(syn_gguf_open(&b, &streamed, &err), err);
    CHECK(a.keys_at == b.keys_at && a.tensors_at == b.tensors_at && a.data_at == b.data_at);
    CHECK(a.keys == b.keys && a.tensors == b.tensors && a.long_values == b.long_values);
    check_values(&b);
    for (i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        syn_gguf_value v, w;
        bool in_a = false, in_b = false;
        memset(&v, 0, sizeof v);
        memset(&w, 0, sizeof w);
        CHECK_OK(syn_gguf_find(&a, keys[i], &v, &in_a, &err), err);
        CHECK_OK(syn_gguf_find(&b, keys[i], &w, &in_b, &err), err);
        CHECK(in_a == in_b && v.type == w.type && v.array == w.array && v.count == w.count);
        CHECK(v.offset == w.offset && v.bytes == w.bytes);
    }
    for (k = 0, at = a.tensors_at; k < a.tensors; k++, at = s.next_at) {
        REQUIRE_OK(syn_gguf_tensor_at(&a, at, &s, &err), err);
        REQUIRE_OK(syn_gguf_tensor_at(&b, at, &t, &err), err);
        CHECK(s.name_at == t.name_at && s.offset == t.offset && s.bytes == t.bytes &&
              s.next_at == t.next_at);
    }
    CHECK(!reader.broken);
    gguf_free(&f);
}

TEST(an_empty_source)
{
    syn_source source = syn_source_memory(NULL, 100); /* no bytes: size 0 whatever is said */
    syn_gguf gguf;
    syn_error err;
    CHECK(source.size == 0);
    CHECK_FAILS(syn_gguf_open(&gguf, &source, &err), SYN_ERROR_FORMAT, err);
    source = syn_source_callback(NULL, NULL, 1000);
    CHECK_FAILS(syn_gguf_open(&gguf, &source, &err), SYN_ERROR_READ, err);
}

TEST_MAIN("gguf")
