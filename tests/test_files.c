/* test_files.c - the tools' own files: npy, JSON, CSV, SHA-256, arguments, output that is whole
   or not there. The expected bytes come from numpy, from RFC 8259, RFC 4180 and FIPS 180-4. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"

#include "../tools/base/base.c"
#include "../tools/base/args.c"
#include "../tools/base/csv.c"
#include "../tools/base/file.c"
#include "../tools/base/json.c"
#include "../tools/base/near.c"
#include "../tools/base/npy.c"
#include "../tools/base/sha256.c"
#include "../tools/base/stop.c"
#include "../tools/base/table.c"

static const char *scratch(void);

static void remove_scratch(void)
{
    char line[128];
    snprintf(line, sizeof line, "rm -rf '%s'", scratch());
    if (system(line) != 0) printf("cannot remove %s\n", scratch());
}

static const char *scratch(void)
{
    static char folder[64];
    if (!folder[0]) {
        const char *base = getenv("TMPDIR");
        if (!base || strlen(base) > 40) base = "/tmp";
        snprintf(folder, sizeof folder, "%s/syn_files_XXXXXX", base);
        if (mkdtemp(folder)) atexit(remove_scratch);
        else folder[0] = '\0';
    }
    return folder;
}

static const char *in_scratch(const char *name)
{
    static char path[4][256];
    static int turn_of = 0;
    turn_of = (turn_of + 1) % 4;
    snprintf(path[turn_of], sizeof path[0], "%s/%s", scratch(), name);
    return path[turn_of];
}

static void put_file(const char *path, const void *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    if (!f) return;
    if (n) fwrite(bytes, 1, n, f);
    fclose(f);
}

/* ---- npy ------------------------------------------------------------------------------ */

/* A file as numpy would write it, from a header text and elements. */
static const char *npy_file(const char *header, const void *data, size_t n, int version)
{
    const char *path = in_scratch("a.npy");
    text t = {NULL, 0, 0};
    size_t length = strlen(header);
    const unsigned char start[8] = {0x93, 'N', 'U', 'M', 'P', 'Y', (unsigned char)version, 0};
    const unsigned char size[4] = {(unsigned char)(length & 255), (unsigned char)(length >> 8), 0,
                                   0};
    text_add_bytes(&t, start, 8);
    text_add_bytes(&t, size, version == 1 ? 2 : 4);
    text_add(&t, header);
    if (n) text_add_bytes(&t, data, n);
    put_file(path, t.at, t.length);
    text_free(&t);
    return path;
}

static int opens(const char *path, npy *a)
{
    problem why;
    why.text[0] = '\0';
    int good = npy_open(a, path, &why);
    if (!good && strstr(why.text, path) != why.text) printf("no path in: %s\n", why.text);
    return good;
}

static void check_refused(const char *header, const void *data, size_t n, const char *part)
{
    npy a;
    problem why;
    why.text[0] = '\0';
    int good = npy_open(&a, npy_file(header, data, n, 1), &why);
    CHECK(!good);
    if (!strstr(why.text, part)) printf("'%s' does not say '%s'\n", why.text, part);
    CHECK(strstr(why.text, part) != NULL);
    if (good) npy_close(&a);
}

TEST(npy_versions_orders_and_types)
{
    const unsigned char half[6] = {0x00, 0x3c, 0x00, 0xc0, 0x01, 0x00}; /* 1, -2, 2^-24 */
    const unsigned char big[8] = {0x3f, 0x80, 0, 0, 0xc0, 0x20, 0, 0};  /* 1, -2.5 */
    double v[6];
    npy a;
    for (int version = 1; version <= 3; version++) {
        REQUIRE(opens(npy_file("{'descr': '<f2', 'fortran_order': False, 'shape': (3,), }\n", half,
                               6, version),
                      &a));
        npy_doubles(&a, 0, 3, v);
        CHECK_NEAR(v[0], 1, 0);
        CHECK_NEAR(v[1], -2, 0);
        CHECK_NEAR(v[2], 5.9604644775390625e-08, 0);
        npy_close(&a);
    }
    REQUIRE(opens(
        npy_file("{'shape': (1, 2), 'fortran_order': False, 'descr': \">f4\"}", big, 8, 1), &a));
    npy_doubles(&a, 0, 2, v);
    CHECK(a.dims == 2 && a.shape[0] == 1 && a.shape[1] == 2);
    CHECK_NEAR(v[0], 1, 0);
    CHECK_NEAR(v[1], -2.5, 0);
    npy_close(&a);
}

TEST(npy_fortran_order_is_read_in_c_order)
{
    /* a[i, j, k] = 100 i + 10 j + k, shape (2, 3, 2), first index fastest */
    int32_t bytes[12];
    size_t at = 0;
    double v[12];
    npy a;
    for (int k = 0; k < 2; k++)
        for (int j = 0; j < 3; j++)
            for (int i = 0; i < 2; i++) bytes[at++] = 100 * i + 10 * j + k;
    REQUIRE(opens(npy_file("{'descr': '<i4', 'fortran_order': True, 'shape': (2, 3, 2)}", bytes,
                           sizeof bytes, 1),
                  &a));
    npy_doubles(&a, 0, 12, v);
    at = 0;
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++)
            for (int k = 0; k < 2; k++, at++) {
                CHECK_NEAR(v[at], 100 * i + 10 * j + k, 0);
                CHECK(npy_int(&a, at) == 100 * i + 10 * j + k);
            }
    npy_doubles(&a, 5, 4, v); /* from the middle */
    CHECK_NEAR(v[0], 21, 0);
    CHECK_NEAR(v[1], 100, 0);
    CHECK_NEAR(v[3], 110, 0);
    npy_close(&a);
}

TEST(npy_integers_keep_sign_and_size)
{
    const unsigned char b[2] = {0x80, 0x7f};
    const int64_t wide[2] = {INT64_MIN, INT64_MAX};
    npy a;
    REQUIRE(
        opens(npy_file("{'descr': '|i1', 'fortran_order': False, 'shape': (2,)}", b, 2, 1), &a));
    CHECK(npy_int(&a, 0) == -128 && npy_int(&a, 1) == 127);
    npy_close(&a);
    REQUIRE(
        opens(npy_file("{'descr': '|u1', 'fortran_order': False, 'shape': (2,)}", b, 2, 1), &a));
    CHECK(npy_int(&a, 0) == 128);
    npy_close(&a);
    REQUIRE(opens(npy_file("{'descr': '<i8', 'fortran_order': False, 'shape': (2,)}", wide, 16, 1),
                  &a));
    CHECK(npy_int(&a, 0) == INT64_MIN && npy_int(&a, 1) == INT64_MAX);
    npy_close(&a);
}

TEST(npy_written_files_are_read_back)
{
    const double v[6] = {0.1, -0.0, 1e308, 5e-324, 3, -7};
    const uint64_t shape[3] = {1, 3, 2}, one[1] = {6};
    const char *path = in_scratch("b.npy");
    double back[6];
    problem why;
    file_view raw;
    npy a;
    REQUIRE(npy_write(path, NPY_F64, 3, shape, v, &why));
    REQUIRE(opens(path, &a));
    npy_doubles(&a, 0, 6, back);
    CHECK(memcmp(v, back, sizeof v) == 0);
    CHECK(a.dims == 3 && a.shape[1] == 3);
    npy_close(&a);
    REQUIRE(npy_write(path, NPY_F64, 1, one, v, &why));
    REQUIRE(file_map(&raw, path, &why));
    CHECK(raw.size == 128 + sizeof v); /* elements begin at a multiple of 64 */
    CHECK(memcmp(raw.bytes + 10, "{'descr': '<f8', 'fortran_order': False, 'shape': (6,), }", 57) ==
          0);
    CHECK(raw.bytes[127] == '\n');
    file_unmap(&raw);
    npy_out out;
    REQUIRE(npy_begin(&out, path, NPY_F64, 1, one, &why));
    REQUIRE(npy_add(&out, v, 4, &why));
    CHECK(!npy_end(&out, &why)); /* two are missing: the old file stays */
    REQUIRE(opens(path, &a));
    CHECK(a.count == 6);
    npy_close(&a);
    CHECK(!path_exists(in_scratch("b.npy.part")));
}

TEST(npy_scalar_and_empty)
{
    const double v = 4;
    double back;
    npy a;
    REQUIRE(opens(npy_file("{'descr': '<f8', 'fortran_order': False, 'shape': ()}", &v, 8, 1), &a));
    npy_doubles(&a, 0, 1, &back);
    CHECK(a.dims == 0 && a.count == 1);
    CHECK_NEAR(back, 4, 0);
    npy_close(&a);
    REQUIRE(
        opens(npy_file("{'descr': '<f8', 'fortran_order': False, 'shape': (0, 5)}", "", 0, 1), &a));
    CHECK(a.count == 0);
    npy_close(&a);
}

TEST(npy_faults_are_named)
{
    const unsigned char z[64] = {0};
    check_refused("{'descr': '<f4', 'fortran_order': False, 'shape': (4,)}", z, 15,
                  "takes 16 bytes");
    check_refused("{'descr': '<f4', 'fortran_order': False, 'shape': (4,)}", z, 17,
                  "the file has 17");
    check_refused("{'descr': '<f4', 'fortran_order': False, 'shape': (4,", z, 16, "npy header");
    check_refused("{'descr': '<f4', 'fortran_order': Maybe, 'shape': (4,)}", z, 16,
                  "fortran_order");
    check_refused("{'descr': '<f4', 'fortran_order': False}", z, 16, "'shape' is missing");
    check_refused("{'descr': '<c8', 'fortran_order': False, 'shape': (2,)}", z, 16, "'<c8'");
    check_refused("{'descr': '|O', 'fortran_order': False, 'shape': (2,)}", z, 16, "'|O'");
    check_refused("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}", z, 16,
                  "structures");
    check_refused("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", z,
                  16, "too large");
    check_refused("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", z,
                  16, "too large");
    check_refused("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", z, 16,
                  "whole numbers");
    check_refused("{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}", z, 4,
                  "8 dimensions");
    check_refused("", z, 16, "npy header");
}

TEST(npy_every_truncation_is_refused)
{
    const double v[3] = {1, 2, 3};
    const uint64_t shape[1] = {3};
    const char *whole = in_scratch("c.npy"), *cut = in_scratch("cut.npy");
    problem why;
    file_view raw;
    REQUIRE(npy_write(whole, NPY_F64, 1, shape, v, &why));
    REQUIRE(file_map(&raw, whole, &why));
    for (size_t n = 0; n < raw.size; n++) {
        npy a;
        put_file(cut, raw.bytes, n);
        CHECK(!npy_open(&a, cut, &why));
    }
    file_unmap(&raw);
    CHECK(!npy_open(&(npy){0}, scratch(), &why));
    CHECK(strstr(why.text, "directory") != NULL);
    CHECK(!npy_open(&(npy){0}, in_scratch("none.npy"), &why));
}

/* ---- JSON ----------------------------------------------------------------------------- */

static int json_ok(const char *s)
{
    json_file f;
    problem why;
    int good = json_parse(&f, s, strlen(s), "t", &why);
    if (good) json_free(&f);
    return good;
}

TEST(json_what_is_valid)
{
    static const char *const good[] = {"{}",
                                       "[]",
                                       " 1 ",
                                       "-0.5e+3",
                                       "\"\"",
                                       "null",
                                       "[1,2,[3,{\"a\":true}]]",
                                       "{\"a\":{\"b\":[]}}",
                                       "\"\\u00e9\\uD83D\\uDE00\\n\"",
                                       "[0]",
                                       "1E9"};
    static const char *const wrong_one[] = {
        "",          "{",   "[1,]", "{\"a\"}", "{\"a\":1,}", "01",     "1.",
        ".5",        "+1",  "nul",  "[1 2]",   "{a:1}",      "\"\t\"", "\"\\x\"",
        "\"\\u12\"", "1 2", "[",    "]",       "NaN",        "'a'",    "{\"a\":1 \"b\":2}",
        "-",         "1e"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) CHECK(json_ok(good[i]));
    for (size_t i = 0; i < sizeof wrong_one / sizeof wrong_one[0]; i++) {
        if (json_ok(wrong_one[i])) printf("accepted: %s\n", wrong_one[i]);
        CHECK(!json_ok(wrong_one[i]));
    }
    char deep[300];
    memset(deep, '[', 200);
    deep[200] = '\0';
    CHECK(!json_ok(deep));
}

TEST(json_values_are_found)
{
    const char *s = "{\"model\": {\"name\": \"a \\\"b\\\" \\u20ac\", \"layers\": 30}, \"list\": "
                    "[1, 2.5, true]}";
    json_file f;
    problem why;
    REQUIRE(json_parse(&f, s, strlen(s), "t", &why));
    CHECK_STR(json_text_of(f.root, "model.name", "?"), "a \"b\" \xe2\x82\xac");
    CHECK_NEAR(json_number_of(f.root, "model.layers", 0), 30, 0);
    CHECK_NEAR(json_number_of(f.root, "model.heads", -1), -1, 0);
    CHECK_STR(json_text_of(NULL, "model.name", "none"), "none");
    const json *list = json_get(f.root, "list");
    REQUIRE(list != NULL);
    CHECK(list->count == 3 && list->child->next->next->kind == JSON_TRUE);
    CHECK_NEAR(list->child->next->number, 2.5, 0);
    json_free(&f);
}

TEST(json_writer_is_strict_and_round_trips)
{
    const double v[] = {0.1,  1.0 / 3,     1e-320,          123456789012345680.0,
                        -0.0, (double)NAN, (double)INFINITY};
    json_out j;
    json_file f;
    problem why;
    memset(&j, 0, sizeof j);
    json_object(&j, NULL);
    json_array_inline(&j, "numbers");
    for (size_t i = 0; i < 7; i++) json_number(&j, NULL, v[i]);
    json_array_end(&j);
    json_text(&j, "text", "a\"\\\n\x01\xff\xc3\xa9");
    json_object(&j, "empty");
    json_object_end(&j);
    json_int(&j, "int", INT64_MIN);
    json_bool(&j, "yes", true);
    json_object_end(&j);
    REQUIRE(json_parse(&f, j.to.at, j.to.length, "own", &why));
    const json *n = json_get(f.root, "numbers")->child;
    for (size_t i = 0; i < 7; i++, n = n->next) {
        if (i >= 5) CHECK(n->kind == JSON_NULL);
        else CHECK_NEAR(n->number, v[i], 0);
    }
    CHECK_STR(json_text_of(f.root, "text", ""), "a\"\\\n\x01\xef\xbf\xbd\xc3\xa9");
    CHECK_STR(json_get(f.root, "int")->text, "-9223372036854775808");
    json_free(&f);
    text_free(&j.to);
}

/* ---- CSV ------------------------------------------------------------------------------ */

static int csv_from(csv *c, const char *s, problem *why)
{
    const char *path = in_scratch("t.csv");
    put_file(path, s, strlen(s));
    return csv_read(c, path, why);
}

TEST(csv_reads_what_others_write)
{
    csv c;
    problem why;
    REQUIRE(csv_from(&c,
                     "\xef\xbb\xbf"
                     "a,b,\"c, d\"\r\n1,\"x \"\"y\"\"\nz\",\r\n\r\n2,,3",
                     &why));
    CHECK(c.columns == 3 && c.rows == 2);
    CHECK_STR(c.head[2], "c, d");
    CHECK_STR(csv_cell(&c, 0, 1), "x \"y\"\nz");
    CHECK_STR(csv_cell(&c, 0, 2), "");
    CHECK_STR(csv_cell(&c, 1, 2), "3");
    CHECK(csv_column(&c, "b") == 1 && csv_column(&c, "q") == -1);
    CHECK_STR(csv_cell(&c, 0, -1), "");
    csv_free(&c);
    REQUIRE(csv_from(&c, "a,b\n1,", &why)); /* an empty cell at the very end */
    CHECK(c.rows == 1);
    CHECK_STR(csv_cell(&c, 0, 1), "");
    csv_free(&c);
}

TEST(csv_faults_are_named)
{
    csv c;
    problem why;
    CHECK(!csv_from(&c, "a,b\n1\n", &why));
    CHECK(strstr(why.text, "line 2: 1 cell, the header has 2") != NULL);
    CHECK(!csv_from(&c, "a,\"b\n1,2\n", &why));
    CHECK(strstr(why.text, "not closed") != NULL);
    CHECK(!csv_from(&c, "", &why));
    double v;
    CHECK(csv_double("", &v) && isnan(v));
    CHECK(csv_double(" 1e3 ", &v));
    CHECK_NEAR(v, 1000, 0);
    CHECK(!csv_double("1x", &v) && !csv_double("abc", &v));
}

static bool table_from(text_table *t, const char *s, size_t n, problem *why)
{
    const char *path = in_scratch("t.txt");
    put_file(path, s, n);
    return text_table_read(t, path, why);
}

/* One table in the ways in which people have it: three columns, two rows, the same numbers. */
TEST(tables_in_every_dialect)
{
    static const struct {
        const char *bytes;
        char separator, mark;
    } form[] = {{"a,b,c\n1.5,2,-3e1\n4,5,6\n", ',', '.'},
                {"a;b;c\r\n1.5;2;-3e1\r\n4;5;6", ';', '.'},
                {"a;b;c\r1,5;2;-3e1\r4;5;6\r", ';', ','},
                {"\xef\xbb\xbfsep=;\r\na;b;c\r\n1,5;2;-3e1\r\n4;5;6\r\n", ';', ','},
                {"SEP=|\na|b|c\n1.5|2|-3e1\n4|5|6\n", '|', '.'},
                {"a\tb\tc\n1.5\t2\t-3e1\n4\t5\t6\n\n", '\t', '.'},
                {"\"a\",\"b\",\"c\"\n\"1.5\", \"2\",-3e1\n 4 ,5, 6\n", ',', '.'},
                {"a  b\tc\n 1.5 2   -3e1  \n4 5 6\n", ' ', '.'},
                {"a|b|c\n\n1.5|2|\xe2\x88\x92"
                 "3e1\n4|5|6\n",
                 '|', '.'}};
    static const double want[6] = {1.5, 2, -30, 4, 5, 6};
    for (size_t k = 0; k < sizeof form / sizeof form[0]; k++) {
        text_table t;
        problem why = {""};
        double v;
        size_t twice;
        if (!table_from(&t, form[k].bytes, strlen(form[k].bytes), &why)) {
            CHECK_STR(why.text, form[k].bytes);
            continue;
        }
        CHECK(t.separator == form[k].separator && t.mark == form[k].mark && !t.latin1);
        CHECK(t.cells.columns == 3 && t.cells.rows == 2);
        char **name = text_table_names(&t, &twice);
        CHECK_STR(name[0], "a");
        CHECK_STR(name[2], "c");
        CHECK(twice == 0);
        for (size_t i = 0; i < 3; i++) free(name[i]);
        free(name);
        for (size_t i = 0; i < 6 && t.cells.columns == 3 && t.cells.rows == 2; i++) {
            CHECK(cell_number(t.cells.cell[i], t.mark, &v) == CELL_NUMBER);
            CHECK_NEAR(v, want[i], 0);
        }
        text_table_free(&t);
    }
}

TEST(cells_that_are_no_numbers)
{
    static const char *const missing[] = {"",     " ",    "NA", "n/a", "NaN", "nan",
                                          "null", "NULL", "-",  "N/A", "?"};
    static const char *const words[] = {"abc", "1x",  "0x10", "1,5", "1.5.2", "e5",
                                        "1e",  "--3", "1 2",  "+",   "nanx"};
    double v;
    for (size_t k = 0; k < sizeof missing / sizeof missing[0]; k++)
        CHECK(cell_number(missing[k], '.', &v) == CELL_MISSING && isnan(v));
    for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
        CHECK(cell_number(words[k], '.', &v) == CELL_WORDS);
    CHECK(cell_number("1.234,5", ',', &v) == CELL_WORDS); /* thousands are not guessed at */
    CHECK(cell_number("-,5e-3", ',', &v) == CELL_NUMBER);
    CHECK_NEAR(v, -0.0005, 1e-18);
    CHECK(cell_number("-inf", '.', &v) == CELL_NUMBER && isinf(v));
}

TEST(table_names_are_keys)
{
    text_table t;
    problem why;
    size_t twice;
    static const char bytes[] = "# x, y \xb5V,,x,x,\"a\nb\"\n1,2,3,4,5,6\n";
    REQUIRE(table_from(&t, bytes, sizeof bytes - 1, &why));
    CHECK(t.latin1);
    char **name = text_table_names(&t, &twice);
    static const char *const want[] = {"x", "y \xc2\xb5V", "column3", "x.1", "x.2", "a b"};
    for (size_t i = 0; i < 6; i++) {
        CHECK_STR(name[i], want[i]);
        free(name[i]);
    }
    CHECK(twice == 4);
    free(name);
    text_table_free(&t);
}

/* A file of a few bytes a column must not take hours: 100 000 columns of one name, each then tried
   against all before it. */
TEST(many_columns_of_one_name)
{
    enum { COLUMNS = 100000 };
    static char bytes[4 * COLUMNS];
    text_table t;
    problem why;
    size_t twice, i, empty = 0;
    for (i = 0; i < COLUMNS; i++) memcpy(&bytes[2 * i], i == 7 ? "b," : "a,", 2);
    for (i = 0; i < COLUMNS; i++) memcpy(&bytes[2 * COLUMNS + 2 * i], "1,", 2);
    bytes[2 * COLUMNS - 1] = bytes[4 * COLUMNS - 1] = '\n';
    if (!table_from(&t, bytes, sizeof bytes, &why)) printf("%s\n", why.text);
    REQUIRE(t.cells.columns == COLUMNS);
    char **name = text_table_names(&t, &twice);
    CHECK(twice == 2);
    CHECK_STR(name[0], "a");
    CHECK_STR(name[1], "a.1");
    CHECK_STR(name[7], "b");
    CHECK_STR(name[8], "a.7");
    CHECK_STR(name[COLUMNS - 1], "a.99998");
    for (i = 0; i < COLUMNS; i++) {
        empty += !name[i][0];
        free(name[i]);
    }
    CHECK(empty == 0);
    free(name);
    text_table_free(&t);
}

/* What a file takes the place of must have been a file: root would turn a device into one, and a
   pipe that nobody reads would wait for ever. */
TEST(devices_and_pipes_stay)
{
    char pipe[TOOL_PATH_BYTES], part[TOOL_PATH_BYTES], out_path[TOOL_PATH_BYTES];
    problem why;
    file_out out;
    struct stat s;
    snprintf(pipe, sizeof pipe, "%s", in_scratch("pipe"));
    snprintf(out_path, sizeof out_path, "%s", in_scratch("result"));
    snprintf(part, sizeof part, "%s", in_scratch("result.part"));
    REQUIRE(mkfifo(pipe, 0600) == 0 && mkfifo(part, 0600) == 0);
    CHECK(!output_file_check(pipe, true, &why));
    CHECK(!file_begin(&out, pipe, &why) && !out.stream);
    CHECK(strstr(why.text, "pipe: is a device or a pipe") != NULL);
    CHECK(stat(pipe, &s) == 0 && S_ISFIFO(s.st_mode));
    CHECK(!file_begin(&out, out_path, &why) && !out.stream); /* its work file */
    CHECK(!output_file_check("/dev/zero", true, &why));
    CHECK(!output_file_check(".", true, &why));
    CHECK_STR(why.text, ".: is a directory");
    unlink(pipe);
    unlink(part);
}

TEST(what_is_no_table_is_named)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *says;
    } bad[] = {{"\xff\xfe"
                "a\0,\0b\0\n\0",
                10, "UTF-16"},
               {"\xfe\xff\0a\0,\0b\0\n", 10, "UTF-16"},
               {"a\0,\0b\0\n\0001\0,\0002\0\n\0", 16, "UTF-16"},
               {"GGUF\3\0\0\0\1\0\0\0", 12, "is a model"},
               {"PK\x03\x04xyz", 7, "zip"},
               {"\x1f\x8b\x08", 3, "compressed"},
               {"", 0, "empty"},
               {"word\nword\n", 10, "not an npy file"},
               {"a;b\n1,5;2.5\n", 12, "decimal comma"},
               {"a,b\n1,2\n3\n", 10, "line 3: 1 cell, the header has 2"}};
    for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
        text_table t;
        problem why = {""};
        CHECK(!table_from(&t, bad[k].bytes, bad[k].n, &why));
        if (!strstr(why.text, bad[k].says)) CHECK_STR(why.text, bad[k].says);
    }
}

TEST(csv_written_cells_are_read_back)
{
    text t = {NULL, 0, 0};
    csv c;
    problem why;
    double v;
    csv_text(&t, "plain");
    csv_text(&t, "with \"quotes\", and\nlines");
    csv_text(&t, "n");
    csv_end_row(&t);
    csv_number(&t, 0.1);
    csv_empty(&t);
    csv_number(&t, (double)NAN);
    csv_end_row(&t);
    REQUIRE(csv_from(&c, t.at, &why));
    CHECK_STR(c.head[1], "with \"quotes\", and\nlines");
    CHECK(csv_double(csv_cell(&c, 0, 0), &v));
    CHECK_NEAR(v, 0.1, 0);
    CHECK_STR(csv_cell(&c, 0, 2), "");
    csv_free(&c);
    text_free(&t);
}

/* What a spreadsheet takes for a formula has an apostrophe before it in the file, numbers have not,
   and csv_name gives every text back. */
TEST(csv_texts_are_no_formulas)
{
    static const struct {
        const char *text, *file;
    } cell[] = {{"=1+1", "'=1+1"},
                {"+A1", "'+A1"},
                {"-A1", "'-A1"},
                {"@SUM(A1)", "'@SUM(A1)"},
                {"\t=1", "'\t=1"},
                {"\r=1", "\"'\r=1\""},
                {"=A1,\"x\"", "\"'=A1,\"\"x\"\"\""},
                {"'=1", "''=1"},
                {"''+b", "'''+b"},
                {"'-5", "''-5"},
                {"-5", "-5"},
                {"+1e-3", "+1e-3"},
                {"'tis", "'tis"},
                {"a=b", "a=b"},
                {"'", "'"}};
    for (size_t i = 0; i < sizeof cell / sizeof cell[0]; i++) {
        text t = {NULL, 0, 0};
        csv c;
        problem why;
        text_add(&t, "head,n\n");
        csv_text(&t, cell[i].text);
        CHECK_STR(t.at + 7, cell[i].file);
        csv_int(&t, 1);
        csv_end_row(&t);
        REQUIRE(csv_from(&c, t.at, &why));
        CHECK_STR(csv_name(csv_cell(&c, 0, 0)), cell[i].text);
        csv_free(&c);
        text_free(&t);
    }
}

TEST(numbers_round_trip)
{
    const double v[] = {0.1, 1.0 / 3, 2.5e-310, 1.7976931348623157e308, 100, 123456.789, -5e-324};
    char s[32];
    for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
        number_text(v[i], s);
        CHECK(strtod(s, NULL) == v[i]);
    }
    number_text(0.1, s);
    CHECK_STR(s, "0.1");
}

/* ---- SHA-256 -------------------------------------------------------------------------- */

/* The processor's instructions against the plain C, over lengths around the ends of blocks. */
TEST(sha256_of_the_processor)
{
    static unsigned char bytes[4096];
    uint32_t state = 1;
    for (size_t i = 0; i < sizeof bytes; i++) {
        state = state * 1664525u + 1013904223u;
        bytes[i] = (unsigned char)(state >> 24);
    }
    if (blocks_of_processor() == blocks_plain) SKIP("no instructions for SHA-256 here");
    for (size_t n = 1; n <= 64; n++) {
        uint32_t want[8], got[8];
        for (size_t i = 0; i < 8; i++) want[i] = got[i] = (uint32_t)(i * 2654435761u + n);
        blocks_plain(want, bytes, n);
        blocks_of_processor()(got, bytes, n);
        CHECK(memcmp(want, got, sizeof want) == 0);
    }
}

TEST(sha256_known_answers)
{
    char hex[65];
    sha256_of("", 0, hex);
    CHECK_STR(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sha256_of("abc", 3, hex);
    CHECK_STR(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, hex);
    CHECK_STR(hex, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    sha256 s;
    sha256_begin(&s);
    for (int i = 0; i < 1000000; i += 1000) { /* a million letters, in pieces that cross blocks */
        char piece[1000];
        memset(piece, 'a', sizeof piece);
        sha256_add(&s, piece, 333);
        sha256_add(&s, piece, 667);
    }
    sha256_end(&s, hex);
    CHECK_STR(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* ---- arguments ------------------------------------------------------------------------ */

typedef struct given {
    bool flag, seen;
    const char *words;
    int64_t n;
    double x;
    int choice;
    size_t found;
} given;

static int parse(given *g, const char **operands, int argc, const char *const *argv)
{
    const command self = {"test", "A [B]", "a test", NULL, NULL, NULL};
    const option table[] = {
        {"flag", 'f', OPTION_FLAG, NULL, "a flag", &g->flag, 0, 0, NULL},
        {"words", 'w', OPTION_TEXT, "TEXT", "text", &g->words, 0, 0, &g->seen},
        {"number", 'n', OPTION_INT, "N", "a number", &g->n, 1, 100, NULL},
        {"x", 0, OPTION_NUMBER, "X", "a number", &g->x, 0, 0, NULL},
        {"kind", 0, OPTION_CHOICE, "one|two", "a choice", &g->choice, 0, 0, NULL},
    };
    char *copy[16];
    int code = -1;
    memset(g, 0, sizeof *g);
    for (int i = 0; i < argc; i++) copy[i] = (char *)(uintptr_t)argv[i];
    fflush(stderr);
    bool go =
        args_parse(&self, table, OPTION_COUNT(table), argc, copy, operands, 1, 2, &g->found, &code);
    return go ? -1 : code;
}

#define PARSE(...)                                                                                 \
    parse(&g, operand, (int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)),         \
          (const char *const[]){__VA_ARGS__})

TEST(arguments_in_every_form)
{
    given g;
    const char *operand[2];
    CHECK(PARSE("test", "a") == -1);
    CHECK(PARSE("test", "--words=x", "a", "-f", "--number", "7", "b", "--kind=two", "--x=-1.5e3") ==
          -1);
    CHECK(g.flag && g.seen && g.n == 7 && g.choice == 1 && g.found == 2);
    CHECK_STR(g.words, "x");
    CHECK_NEAR(g.x, -1500, 0);
    CHECK_STR(operand[1], "b");
    CHECK(PARSE("test", "-fn9", "-w", "-", "a") == -1);
    CHECK(g.flag && g.n == 9);
    CHECK_STR(g.words, "-");
    CHECK(PARSE("test", "--", "-f") == -1);
    CHECK(!g.flag);
    CHECK_STR(operand[0], "-f");
}

TEST(arguments_that_are_wrong)
{
    given g;
    const char *operand[2];
    FILE *null = freopen("/dev/null", "w", stderr); /* the messages are for people */
    REQUIRE(null != NULL);
    CHECK(PARSE("test") == 2);
    CHECK(PARSE("test", "a", "b", "c") == 2);
    CHECK(PARSE("test", "--nothing", "a") == 2);
    CHECK(PARSE("test", "--flag=1", "a") == 2);
    CHECK(PARSE("test", "a", "--words") == 2);
    CHECK(PARSE("test", "a", "-n") == 2);
    CHECK(PARSE("test", "a", "-n", "0") == 2);
    CHECK(PARSE("test", "a", "-n", "101") == 2);
    CHECK(PARSE("test", "a", "-n", "7x") == 2);
    CHECK(PARSE("test", "a", "-n", "99999999999999999999") == 2);
    CHECK(PARSE("test", "a", "--x", "nan") == 2);
    CHECK(PARSE("test", "a", "--kind", "tw") == 2);
    CHECK(PARSE("test", "a", "-q") == 2);
}

/* ---- output --------------------------------------------------------------------------- */

TEST(output_is_whole_or_not_there)
{
    const char *path = in_scratch("out.txt");
    char part[300];
    problem why;
    file_out out;
    file_view v;
    snprintf(part, sizeof part, "%s.part", path);
    REQUIRE(file_write(path, "old", 3, &why));
    REQUIRE(file_begin(&out, path, &why));
    fputs("new and longer", out.stream);
    file_abandon(&out);
    REQUIRE(file_map(&v, path, &why));
    CHECK(v.size == 3 && memcmp(v.bytes, "old", 3) == 0);
    file_unmap(&v);
    CHECK(!path_exists(part));
    CHECK(!output_file_check(path, false, &why));
    CHECK(output_file_check(path, true, &why));
    CHECK(!file_write("/nonexistent/folder/x", "a", 1, &why));
    CHECK(!file_write(scratch(), "a", 1, &why));
}

TEST(folders_are_made_with_their_parents)
{
    char path[400];
    problem why;
    snprintf(path, sizeof path, "%s/p/q//r/", scratch());
    CHECK(directory_make(path, &why));
    CHECK(path_is_directory(path));
    CHECK(directory_make(path, &why));
    snprintf(path, sizeof path, "%s/file", scratch());
    REQUIRE(file_write(path, "x", 1, &why));
    CHECK(!directory_make(path, &why));
    CHECK(strstr(why.text, "is a file") != NULL);
    CHECK(!directory_make("", &why));
}

TEST(problems_are_one_line)
{
    problem why;
    problem_set(&why, "%s: %s", "a\nb", "\x1b[31m");
    CHECK_STR(why.text, "a?b: ?[31m");
}

TEST_MAIN("files")
