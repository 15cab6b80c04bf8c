/* Malformed and unusual GGUF files: each is refused with one clear line or runs, as
   data/gguf/cases.tsv says. The files are put together in memory from a base and a recipe (see
   reference/make_bad_gguf.py), in a block of their exact size, so that a sanitizer sees the first
   byte that is read past the end.

   With SYN_WRITE_GGUF=FOLDER the files are also written there (cli_bad_gguf.sh wants them). */
#define SYNERGY_NO_PHIID
#define SYNERGY_IMPLEMENTATION
#include "../synergy.h"
#include "test.h"
#include "npy.h"

typedef struct bad_file {
    char name[64], expect[8], base[32], what[160];
    unsigned char *bytes;
    size_t size;
} bad_file;

enum { CASES = 338 };
static bad_file cases[CASES];
static int case_count;

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bytes of a hex text into `to`; how many. */
static size_t hex_read(const char *text, unsigned char *to)
{
    size_t n = 0;
    for (; hex_digit(text[0]) >= 0 && hex_digit(text[1]) >= 0; text += 2) {
        to[n++] = (unsigned char)(hex_digit(text[0]) * 16 + hex_digit(text[1]));
    }
    return n;
}

/* Builds a file of `size` bytes from its recipe; false when they do not add up. */
static int rebuild(const char *recipe, const unsigned char *base, size_t base_size,
                   unsigned char *to, size_t size)
{
    size_t used = 0;
    const char *p = recipe;
    while (*p && *p != '-') {
        char *end;
        if (*p == 'c') {
            size_t at = (size_t)strtoul(p + 1, &end, 10), n = (size_t)strtoul(end + 1, &end, 10);
            if (at + n > base_size || n > size - used) return 0;
            memcpy(to + used, base + at, n);
            used += n;
        } else if (*p == 'x') {
            size_t n = strcspn(p + 1, " ") / 2;
            if (n > size - used) return 0;
            used += hex_read(p + 1, to + used);
            end = (char *)(size_t)(p + 1 + 2 * n);
        } else if (*p == 'r') {
            size_t times = (size_t)strtoul(p + 1, &end, 10), n = strcspn(end + 1, " ") / 2, i;
            if (times * n > size - used) return 0;
            for (i = 0; i < times; i++) used += hex_read(end + 1, to + used);
            end += 1 + 2 * n;
        } else {
            return 0;
        }
        p = *end == ' ' ? end + 1 : end;
    }
    return used == size;
}

/* Copies the next tab-separated field; where the one after it begins. */
static char *field(char *line, char *to, size_t room)
{
    size_t n = strcspn(line, "\t\n"), kept = n < room - 1 ? n : room - 1;
    memcpy(to, line, kept);
    to[kept] = 0;
    return line + n + 1;
}

static void write_out(const bad_file *c)
{
    const char *folder = getenv("SYN_WRITE_GGUF");
    char path[TEST_PATH_BYTES];
    FILE *f;
    if (!folder) return;
    snprintf(path, sizeof path, "%s/%s.gguf", folder, c->name);
    f = fopen(path, "wb");
    REQUIRE(f != NULL);
    CHECK(fwrite(c->bytes, 1, c->size, f) == c->size);
    fclose(f);
}

static void load_cases(void)
{
    size_t table_size = 0, base_size = 0;
    char *table, *p, last_base[32] = "";
    unsigned char *base = NULL;
    test_path_buffer path;
    if (case_count) return;
    table = (char *)file_load(test_path(path, "gguf/cases.tsv"), &table_size);
    REQUIRE(table != NULL);
    for (p = table; *p && case_count < CASES; case_count++) {
        bad_file *c = &cases[case_count];
        char number[16], *recipe;
        p = field(p, c->name, sizeof c->name);
        p = field(p, c->expect, sizeof c->expect);
        p = field(p, number, sizeof number);
        p = field(p, c->base, sizeof c->base);
        recipe = p;
        p += strcspn(p, "\t");
        *p++ = 0;
        p = field(p, c->what, sizeof c->what);
        if (strcmp(c->base, last_base)) {
            char name[64];
            free(base);
            snprintf(name, sizeof name, "gguf/%s.gguf", c->base);
            base = file_load(test_path(path, name), &base_size);
            REQUIRE(base != NULL);
            strcpy(last_base, c->base);
        }
        c->size = (size_t)strtoul(number, NULL, 10);
        c->bytes = (unsigned char *)malloc(c->size ? c->size : 1);
        REQUIRE(c->bytes != NULL);
        CHECK(rebuild(recipe, base, base_size, c->bytes, c->size));
        write_out(c);
    }
    free(base);
    free(table);
}

/* ------------------------------------------------------------------ opening and running */

typedef struct block {
    unsigned char *bytes;
    size_t size;
} block;

static bool block_read(void *user, uint64_t offset, void *to, size_t n)
{
    const block *b = (const block *)user;
    if (offset > b->size || n > b->size - offset) return false; /* the header promises not to ask */
    memcpy(to, b->bytes + offset, n);
    return true;
}

/* Feeds a few tokens to a context; what comes out does not matter, only that it ends. */
static syn_status run_model(const syn_model *model, syn_error *err)
{
    static const int32_t ids[] = {1, 5, 7};
    syn_context_desc desc;
    syn_context context;
    syn_arena arena = syn_arena_measure();
    syn_status status;
    void *memory;
    memset(&desc, 0, sizeof desc);
    desc.tokens = 8;
    desc.batch = 4;
    status = syn_context_open(&context, model, &desc, &arena, err);
    if (status != SYN_OK) return status;
    if (arena.used > 64u << 20) {
        printf("a context of 8 tokens wants %lu bytes\n", (unsigned long)arena.used);
        return SYN_ERROR_MEMORY;
    }
    memory = malloc(arena.used);
    if (!memory) return SYN_ERROR_MEMORY;
    arena = syn_arena_on(memory, arena.used);
    status = syn_context_open(&context, model, &desc, &arena, err);
    if (status == SYN_OK) status = syn_context_step(&context, ids, 3, err);
    if (status == SYN_OK) status = syn_context_step(&context, ids, 1, err);
    free(memory);
    return status;
}

/* Opens (measuring first) and runs. `fit` says whether the memory asked for is in proportion to the
   file. */
static syn_status open_and_run(const syn_source *source, bool run, bool *fit, syn_error *err)
{
    syn_model model;
    syn_arena arena = syn_arena_measure();
    syn_status status = syn_model_open(&model, source, 1, NULL, &arena, err);
    void *memory;
    *fit = true;
    if (status != SYN_OK) return status;
    *fit = arena.used <= 64 * source->size + 65536;
    if (!*fit) return SYN_OK;
    memory = malloc(arena.used ? arena.used : 1);
    if (!memory) return SYN_ERROR_MEMORY;
    arena = syn_arena_on(memory, arena.used);
    status = syn_model_open(&model, source, 1, NULL, &arena, err);
    if (status == SYN_OK && run) status = run_model(&model, err);
    free(memory);
    return status;
}

static int one_line(const char *text)
{
    size_t i;
    for (i = 0; text[i]; i++) {
        if (text[i] < 32 || text[i] > 126) return 0;
    }
    return i > 0 && i < SYN_ERROR_TEXT_BYTES;
}

/* One case through a source; counts a check and names the case on failure. */
static void judge(const bad_file *c, const syn_source *source, const char *how)
{
    syn_error err;
    bool fit;
    syn_status status;
    int good;
    memset(&err, 0, sizeof err);
    status = open_and_run(source, true, &fit, &err);
    good = fit && (status == SYN_OK || one_line(err.text));
    if (!strcmp(c->expect, "ok")) good = good && status == SYN_OK;
    if (!strcmp(c->expect, "error")) good = good && status != SYN_OK;
    if (!good) {
        printf("%s (%s), %s: expected %s, got %d %s%s\n", c->name, c->what, how, c->expect,
               (int)status, err.text, fit ? "" : " (wants memory out of proportion)");
    }
    CHECK(good);
}

TEST(files_from_memory)
{
    int i;
    load_cases();
    CHECK(case_count == CASES);
    for (i = 0; i < case_count; i++) {
        syn_source source = syn_source_memory(cases[i].bytes, cases[i].size);
        judge(&cases[i], &source, "memory");
    }
}

TEST(files_through_a_callback)
{
    int i;
    load_cases();
    for (i = 0; i < case_count; i++) {
        block b;
        syn_source source;
        b.bytes = cases[i].bytes;
        b.size = cases[i].size;
        source = syn_source_callback(block_read, &b, b.size);
        judge(&cases[i], &source, "callback");
    }
}

/* The recipes give the shared fixtures, byte for byte. */
TEST(recipes_are_the_fixtures)
{
    const char *fixtures = test_fixtures();
    int i;
    if (!fixtures) SKIP("no shared fixtures");
    load_cases();
    for (i = 0; i < case_count; i++) {
        test_path_buffer path;
        char name[96];
        size_t size = 0;
        unsigned char *file;
        snprintf(name, sizeof name, "bad-gguf/%.64s.gguf", cases[i].name);
        test_join(path, fixtures, name);
        file = file_load(path, &size);
        CHECK(file && size == cases[i].size && (!size || !memcmp(file, cases[i].bytes, size)));
        free(file);
    }
}

static const bad_file *find_case(const char *name)
{
    int i;
    load_cases();
    for (i = 0; i < case_count; i++) {
        if (!strcmp(cases[i].name, name)) return &cases[i];
    }
    return NULL;
}

/* A good file cut at any byte is refused: the last tensor ends where the file ends. */
TEST(cut_anywhere)
{
    const bad_file *c = find_case("ok_v3_q8_0");
    size_t n, step = test_slow_machine() ? 13 : 1;
    REQUIRE(c != NULL);
    for (n = 0; n < c->size; n += n < 7700 ? step : 61 * step) {
        unsigned char *bytes = (unsigned char *)malloc(n ? n : 1);
        syn_source source = syn_source_memory(bytes, n);
        syn_error err;
        bool fit;
        REQUIRE(bytes != NULL);
        memcpy(bytes, c->bytes, n);
        if (open_and_run(&source, false, &fit, &err) == SYN_OK || !one_line(err.text)) {
            printf("cut to %lu bytes: opens\n", (unsigned long)n);
            CHECK(0);
        }
        free(bytes);
    }
    CHECK(n >= c->size);
}

/* Random damage: one to four bytes of the description changed. Either answer is right, no answer
   may hurt. */
TEST(random_damage)
{
    static const char *const names[] = {"ok_v3_q8_0", "ok_bpe", "ok_moe", "ok_v2_f16"};
    uint32_t state = 7;
    int round, rounds = test_slow_machine() ? 400 : 4000, refused = 0, opened = 0;
    for (round = 0; round < rounds; round++) {
        const bad_file *c = find_case(names[round % 4]);
        unsigned char *bytes;
        syn_source source;
        syn_error err;
        bool fit;
        int k, changes;
        REQUIRE(c != NULL);
        bytes = (unsigned char *)malloc(c->size);
        REQUIRE(bytes != NULL);
        memcpy(bytes, c->bytes, c->size);
        state = state * 1664525u + 1013904223u;
        changes = 1 + (int)(state >> 30);
        for (k = 0; k < changes; k++) {
            uint32_t at;
            state = state * 1664525u + 1013904223u;
            at = (state >> 8) % 7500;
            state = state * 1664525u + 1013904223u;
            bytes[at] = (unsigned char)(state >> 24);
        }
        source = syn_source_memory(bytes, c->size);
        if (open_and_run(&source, round % 8 == 0, &fit, &err) == SYN_OK) opened++;
        else refused++;
        CHECK(fit);
        free(bytes);
    }
    CHECK(opened > rounds / 40 && refused > rounds / 40);
}

/* One damaged copy, in a block of its exact size. What opens is run now and then: most flips that
   open changed a weight, and weights are only numbers. */
static void judge_damaged(const unsigned char *bytes, size_t n, bool run, bool callback,
                          unsigned long *opened)
{
    unsigned char *copy = (unsigned char *)malloc(n ? n : 1);
    syn_source source;
    syn_error err;
    block b;
    bool fit;
    syn_status status;
    REQUIRE(copy != NULL);
    if (n) memcpy(copy, bytes, n);
    b.bytes = copy;
    b.size = n;
    source = callback ? syn_source_callback(block_read, &b, n) : syn_source_memory(copy, n);
    status = open_and_run(&source, run, &fit, &err);
    if (status == SYN_OK) ++*opened;
    if (!fit || (status != SYN_OK && !one_line(err.text))) {
        printf("%lu bytes: %d %s%s\n", (unsigned long)n, (int)status, err.text,
               fit ? "" : " (wants memory out of proportion)");
        CHECK(0);
    }
    free(copy);
}

/* Every file cut at every byte, and every byte flipped three ways: its lowest bit, its highest, all
   of them. Of a file longer than SYN_DAMAGE bytes as many, evenly: 6 when the variable is not set,
   2 on a slow machine. No step of CI takes more; SYN_DAMAGE=512 makes some 690 000 files. */
TEST(damage_everywhere)
{
    static const unsigned char flip[3] = {0x01, 0x80, 0xff};
    const char *asked = getenv("SYN_DAMAGE");
    const size_t most = asked ? (size_t)strtoul(asked, NULL, 10) : test_slow_machine() ? 2 : 6;
    unsigned long inputs = 0, opened = 0;
    int i, k;
    REQUIRE(most > 0);
    load_cases();
    for (i = 0; i < case_count; i++) {
        bad_file *c = &cases[i];
        const size_t places = c->size < most ? c->size : most;
        size_t place;
        for (place = 0; place < places; place++) {
            /* 0 when the whole file is walked; else another remainder in each file */
            const size_t shift = places < c->size ? (size_t)i % (c->size / places) : 0;
            const size_t at = (size_t)((uint64_t)place * c->size / places) + shift;
            if (at >= c->size) continue;
            judge_damaged(c->bytes, at, false, inputs % 2 == 1, &opened);
            for (k = 0; k < 3; k++) {
                c->bytes[at] = (unsigned char)(c->bytes[at] ^ flip[k]);
                judge_damaged(c->bytes, c->size, inputs % 16 == 4 * (unsigned)k, place % 2 == 1,
                              &opened);
                c->bytes[at] = (unsigned char)(c->bytes[at] ^ flip[k]);
            }
            inputs += 4;
        }
    }
    printf("%lu damaged files, %lu of them open\n", inputs, opened);
    CHECK(inputs >= 4 * (unsigned long)case_count && opened > inputs / 10);
}

TEST_MAIN("bad_gguf")
