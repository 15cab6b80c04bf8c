/* The tokenizer section against what llama.cpp's library makes of the same strings: tables of ids,
   of pieces and of whole texts (tests/data/tokenizer, made from the shared fixtures by
   reference/tokenizer_data.py), the larger tables and the real models where they are at hand.

   expected/VOCAB.tsv: name, parse (0, 1 or * for both), ids, pieces, detokenized text; texts are
   base64, "-" is empty, "=" the same as the text before it; ids "abort": anything but a crash. */
#define SYNERGY_SIMD 0 /* no kernel is tested here: twice as fast to compile */
#define SYNERGY_NO_PHIID
#define SYNERGY_IMPLEMENTATION
#include "synergy.h"
#include "test.h"
#include <time.h>

/* ------------------------------------------------------------------ files and tables */

typedef struct bytes {
    char *p;
    size_t n;
} bytes;

static bytes read_all(const char *path)
{
    bytes b = {NULL, 0};
    FILE *f = fopen(path, "rb");
    size_t room = 0, got;
    if (!f) return b;
    do {
        room = room * 2 + 65536;
        b.p = (char *)realloc(b.p, room);
        got = fread(b.p + b.n, 1, room - b.n - 1, f);
        b.n += got;
    } while (got);
    b.p[b.n] = '\0';
    fclose(f);
    return b;
}

enum { COLUMNS = 6 };

typedef struct row {
    char *column[COLUMNS]; /* NUL-terminated, in the table's own memory; NULL where there is none */
} row;

typedef struct table {
    bytes file;
    row *rows;
    size_t count;
} table;

static table table_read(const char *path)
{
    table t;
    size_t i, lines = 0;
    char *p;
    t.file = read_all(path);
    t.rows = NULL;
    t.count = 0;
    if (!t.file.p) return t;
    for (i = 0; i < t.file.n; i++) lines += t.file.p[i] == '\n';
    t.rows = (row *)calloc(lines + 1, sizeof *t.rows);
    for (p = t.file.p; *p;) {
        row *r = &t.rows[t.count++];
        int k = 0;
        r->column[k++] = p;
        for (; *p && *p != '\n'; p++) {
            if (*p != '\t') continue;
            *p = '\0';
            if (k < COLUMNS) r->column[k++] = p + 1;
        }
        if (*p) *p++ = '\0';
    }
    return t;
}

static void table_free(table *t)
{
    free(t->rows);
    free(t->file.p);
}

static bytes base64(const char *text)
{
    bytes b;
    unsigned bits = 0, have = 0;
    b.p = (char *)malloc(strlen(text) + 1);
    b.n = 0;
    for (; *text && strcmp(text, "-"); text++) {
        static const char digits[] =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        const char *d = strchr(digits, *text);
        if (!d) break;
        bits = (bits << 6 | (unsigned)(d - digits)) & 0xFFFF;
        have += 6;
        if (have >= 8) b.p[b.n++] = (char)(bits >> (have -= 8) & 255);
    }
    return b;
}

static bytes copy_of(const bytes *from)
{
    bytes b;
    b.n = from->n;
    b.p = (char *)malloc(b.n + 1);
    memcpy(b.p, from->p, b.n);
    return b;
}

/* ------------------------------------------------------------------ a vocabulary in memory */

typedef struct vocabulary {
    bytes file;
    syn_source source;
    syn_gguf gguf;
    syn_tokenizer t;
    void *block;
    size_t block_bytes;
    syn_error err;
} vocabulary;

static bool read_bytes(void *user, uint64_t offset, void *to, size_t n)
{
    memcpy(to, ((const bytes *)user)->p + offset, n);
    return true;
}

/* Opens in exactly the memory that measuring says. */
static bool vocabulary_open(vocabulary *v, const char *path, const char *pre, bool mapped)
{
    syn_tokenizer_desc desc;
    syn_arena arena = syn_arena_measure();
    memset(v, 0, sizeof *v);
    v->file = read_all(path);
    if (!v->file.p) return false;
    v->source = mapped ? syn_source_memory(v->file.p, v->file.n)
                       : syn_source_callback(read_bytes, &v->file, v->file.n);
    desc.pre = pre;
    if (syn_gguf_open(&v->gguf, &v->source, &v->err) ||
        syn_tokenizer_open(&v->t, &v->gguf, &desc, &arena, &v->err))
        return false;
    v->block_bytes = arena.used;
    v->block = malloc(v->block_bytes);
    arena = syn_arena_on(v->block, v->block_bytes);
    return !syn_tokenizer_open(&v->t, &v->gguf, &desc, &arena, &v->err) &&
           arena.used == v->block_bytes;
}

static void vocabulary_close(vocabulary *v)
{
    free(v->block);
    free(v->file.p);
}

/* ------------------------------------------------------------------ one string */

static bool same_ids(const int32_t *ids, size_t n, const char *text)
{
    size_t i;
    char *end;
    if (!strcmp(text, "-")) return n == 0;
    for (i = 0; i < n; i++) {
        if (strtol(text, &end, 10) != ids[i] || end == text) return false;
        text = end;
    }
    return *text == '\0';
}

/* The ids in exactly the work memory measured; one byte less must be refused. *count is -1 on any
   fault. */
static int32_t *ids_of(const syn_tokenizer *t, const bytes *text, syn_token_flags flags,
                       long *count)
{
    size_t work_bytes = syn_tokenize_bytes(t, text->p, text->n, flags), n, counted, capacity;
    unsigned char *work = (unsigned char *)malloc(work_bytes + 1);
    syn_error err;
    syn_arena arena = syn_arena_on(work, work_bytes);
    int32_t *ids = NULL;
    syn_status status = syn_tokenize(t, text->p, text->n, flags, NULL, 0, &counted, &arena, &err);
    *count = -1;
    if (!status && !arena.used) {
        ids = (int32_t *)calloc(counted + 1, sizeof *ids);
        status = syn_tokenize(t, text->p, text->n, flags, ids, counted, &n, &arena, &err);
        if (!status && n == counted) *count = (long)n;
        if (counted) { /* too little room: says how much, writes no more than there is */
            capacity = counted / 2;
            ids[counted] = -7;
            status = syn_tokenize(t, text->p, text->n, flags, ids + capacity + 1,
                                  counted - capacity - 1, &n, &arena, &err);
            if (status != SYN_ERROR_MEMORY || n != counted || ids[counted] != -7) *count = -1;
            syn_tokenize(t, text->p, text->n, flags, ids, counted, &n, &arena, &err);
        }
    }
    if (work_bytes) {
        arena = syn_arena_on(work, work_bytes - 1);
        status = syn_tokenize(t, text->p, text->n, flags, NULL, 0, &n, &arena, &err);
        if (status != SYN_ERROR_MEMORY) *count = -1;
    }
    free(work);
    return ids;
}

/* Whether nothing is cut: all of it is UTF-8 by form, the end included. */
static bool whole_characters(const bytes *b)
{
    size_t i, k;
    for (i = 0; i < b->n;) {
        unsigned c = (unsigned char)b->p[i++];
        size_t more = c < 0x80                ? 0
                      : c >= 0xC2 && c < 0xE0 ? 1
                      : c >= 0xE0 && c < 0xF0 ? 2
                      : c >= 0xF0 && c < 0xF5 ? 3
                                              : b->n;
        if (more > b->n - i) return false;
        for (k = 0; k < more; k++)
            if ((b->p[i++] & 0xC0) != 0x80) return false;
    }
    return true;
}

/* The pieces one by one, and as the stream gives them; both must be `expected`. Of a text that is
   UTF-8 the stream gives whole characters only. */
static bool pieces_are(const syn_tokenizer *t, const int32_t *ids, size_t n, const bytes *expected)
{
    size_t i, room = t->tokens.longest + 4, length, piece_at = 0, stream_at = 0;
    char *to = (char *)malloc(room);
    syn_detokenizer d = {{0, 0, 0, 0}, 0};
    bool good = true, utf8 = whole_characters(expected);
    for (i = 0; i < n && good; i++) {
        bytes out;
        good = !syn_token_text(t, ids[i], 0, to, room, &length, NULL) &&
               length <= expected->n - piece_at && !memcmp(to, expected->p + piece_at, length);
        piece_at += length;
        if (!good) break;
        good = !syn_detokenizer_push(&d, t, ids[i], 0, to, room, &length, NULL) &&
               length <= expected->n - stream_at && !memcmp(to, expected->p + stream_at, length) &&
               length <= room;
        out.p = to;
        out.n = length;
        if (utf8 && !whole_characters(&out)) good = false;
        stream_at += length;
    }
    length = syn_detokenizer_flush(&d, to);
    good =
        good && length <= expected->n - stream_at && !memcmp(to, expected->p + stream_at, length);
    free(to);
    return good && piece_at == expected->n && stream_at + length == expected->n;
}

static bool text_is(const syn_tokenizer *t, const int32_t *ids, size_t n, const bytes *expected)
{
    size_t room, length;
    char *to;
    bool good;
    if (syn_detokenize(t, ids, n, 0, NULL, 0, &room, NULL)) return false;
    to = (char *)malloc(room + 1);
    good = !syn_detokenize(t, ids, n, 0, to, room, &length, NULL) && length == expected->n &&
           !memcmp(to, expected->p, length);
    if (good && room &&
        syn_detokenize(t, ids, n, 0, to, room / 2, &length, NULL) != SYN_ERROR_MEMORY)
        good = t->add_space_prefix && room / 2 + 1 >= room;
    free(to);
    return good;
}

/* All that a row says, for one setting of `parse`. */
static void check_row(const vocabulary *v, const char *what, const row *r, const bytes *text,
                      syn_token_flags parse)
{
    long n, with;
    int32_t *ids = ids_of(&v->t, text, parse | SYN_NO_BOS, &n), *all;
    bool good = n >= 0 && same_ids(ids, (size_t)n, r->column[2]);
    if (!strcmp(r->column[2], "abort")) good = n >= 0;
    if (test_count_(good, __FILE__, __LINE__))
        printf("%s: %s: ids (parse %u)\n", what, r->column[0], parse);
    all = ids_of(&v->t, text, parse, &with);
    good = with == n + v->t.add_bos + v->t.add_eos && (!v->t.add_bos || all[0] == v->t.bos) &&
           (n <= 0 || !memcmp(all + v->t.add_bos, ids, (size_t)n * sizeof *ids)) &&
           (!v->t.add_eos || all[with - 1] == v->t.eos);
    if (test_count_(good, __FILE__, __LINE__))
        printf("%s: %s: begin and end\n", what, r->column[0]);
    if (r->column[3] && n >= 0) {
        bytes pieces = strcmp(r->column[3], "=") ? base64(r->column[3]) : copy_of(text);
        bytes whole = strcmp(r->column[4], "=") ? base64(r->column[4]) : copy_of(&pieces);
        good = pieces_are(&v->t, ids, (size_t)n, &pieces);
        if (test_count_(good, __FILE__, __LINE__)) printf("%s: %s: pieces\n", what, r->column[0]);
        good = text_is(&v->t, ids, (size_t)n, &whole);
        if (test_count_(good, __FILE__, __LINE__)) printf("%s: %s: text\n", what, r->column[0]);
        free(pieces.p);
        free(whole.p);
    }
    free(all);
    free(ids);
}

/* A vocabulary against a table of expectations for a table of strings. */
static void check_table(const char *vocab_path, const char *pre, bool mapped,
                        const char *strings_path, const char *expected_path)
{
    vocabulary v;
    table strings = table_read(strings_path), expected = table_read(expected_path);
    size_t i, k = 0;
    bool open = vocabulary_open(&v, vocab_path, pre, mapped);
    if (!open) printf("%s: %s\n", vocab_path, v.err.text);
    CHECK(open);
    CHECK(strings.count > 0 && expected.count > 0);
    for (i = 0; i < expected.count && open && strings.count; i++) {
        const row *r = &expected.rows[i];
        bytes text;
        size_t tried = 0;
        while (tried < strings.count && strcmp(strings.rows[k].column[0], r->column[0])) {
            k = (k + 1) % strings.count;
            tried++;
        }
        if (tried == strings.count) continue; /* a string left out of this set */
        text = base64(strings.rows[k].column[1]);
        if (strcmp(r->column[1], "1")) check_row(&v, expected_path, r, &text, 0);
        if (strcmp(r->column[1], "0")) check_row(&v, expected_path, r, &text, SYN_PARSE_SPECIAL);
        free(text.p);
    }
    table_free(&strings);
    table_free(&expected);
    vocabulary_close(&v);
}

/* ------------------------------------------------------------------ the small set */

static const struct vocab_name {
    const char *name, *file, *pre; /* files that differ in `pre` alone are kept once */
} vocab_names[] = {
    {"bpe-smollm", "bpe-smollm", NULL},
    {"bpe-gpt-2", "bpe-smollm", "gpt-2"},
    {"bpe-llama-bpe", "bpe-smollm", "llama-bpe"},
    {"bpe-qwen2", "bpe-smollm", "qwen2"},
    {"bpe-deepseek-llm", "bpe-smollm", "deepseek-llm"},
    {"bpe-deepseek-coder", "bpe-smollm", "deepseek-coder"},
    {"bpe-default", "bpe-smollm", "default"},
    {"bpe-olmo", "bpe-olmo", NULL},
    {"spm-llama", "spm-llama", NULL},
    {"spm-gemma", "spm-gemma", NULL},
};
enum { VOCABS = (int)(sizeof vocab_names / sizeof vocab_names[0]) };

static void check_small(bool mapped)
{
    int i;
    for (i = 0; i < VOCABS; i++) {
        test_path_buffer vocab, expected;
        char name[96];
        snprintf(name, sizeof name, "tokenizer/%s.gguf", vocab_names[i].file);
        test_path(vocab, name);
        snprintf(name, sizeof name, "tokenizer/expected/%s.tsv", vocab_names[i].name);
        check_table(vocab, vocab_names[i].pre, mapped, "data/tokenizer/strings.tsv",
                    test_path(expected, name));
    }
}

TEST(strings_mapped)
{
    check_small(true);
}
TEST(strings_through_a_callback)
{
    check_small(false);
}

TEST(unicode_edges)
{
    check_table("data/tokenizer/bpe-smollm.gguf", "default", true,
                "data/tokenizer/unicode-strings.tsv",
                "data/tokenizer/expected-unicode/bpe-default.tsv");
}

/* ------------------------------------------------------------------ the large set */

static void check_folder(const char *sub, const char *strings)
{
    const char *fixtures = test_fixtures();
    int i, found = 0;
    if (!fixtures) SKIP("no shared fixtures");
    for (i = 0; i < VOCABS; i++) {
        test_path_buffer vocab, expected, text;
        char name[96];
        snprintf(name, sizeof name, "tokenizer/vocabs/%s.gguf", vocab_names[i].name);
        test_join(vocab, fixtures, name);
        snprintf(name, sizeof name, "tokenizer/%s/%s.tsv", sub, vocab_names[i].name);
        test_join(expected, fixtures, name);
        snprintf(name, sizeof name, "tokenizer/%s", strings);
        test_join(text, fixtures, name);
        if (!test_exists(expected)) continue;
        found++;
        check_table(vocab, NULL, true, text, expected);
    }
    CHECK(found > 0);
}

TEST(all_strings)
{
    check_folder("expected", "strings.tsv");
}
TEST(all_unicode_edges)
{
    check_folder("expected-unicode", "unicode-strings.tsv");
}

static void check_real(const char *file, const char *expected_name)
{
    test_path_buffer model, strings, expected;
    char name[96];
    const char *fixtures = test_fixtures();
    if (!test_model_file(model, file)) SKIP("no model");
    if (!fixtures) SKIP("no shared fixtures");
    snprintf(name, sizeof name, "tokenizer/expected/%s.tsv", expected_name);
    test_join(expected, fixtures, name);
    check_table(model, NULL, true, test_join(strings, fixtures, "tokenizer/strings.tsv"), expected);
}

TEST(real_smollm2)
{
    check_real(TEST_SMOLLM2, "real-smollm2-135m-instruct");
}
TEST(real_gemma3)
{
    check_real(TEST_GEMMA3, "real-gemma-3-270m");
}

/* ------------------------------------------------------------------ what a vocabulary says of
 * itself */

/* facts.tsv: vocabulary, number of tokens, bos, eos, "add_bos add_eos", ids that end a
   generation */
static void check_facts(const char *folder, const char *only)
{
    table facts = table_read("data/tokenizer/facts.tsv");
    size_t i;
    int seen = 0;
    for (i = 0; i < facts.count; i++) {
        char **c = facts.rows[i].column;
        vocabulary v;
        test_path_buffer path;
        char name[96];
        int ends[2];
        uint32_t k;
        int32_t sorted[SYN_END_TOKENS];
        if (only ? strcmp(only, c[0]) != 0 : strncmp(c[0], "real", 4) == 0) continue;
        snprintf(name, sizeof name, "%s.gguf", c[0]);
        if (only)
            snprintf(name, sizeof name, "%s", strstr(c[0], "smol") ? TEST_SMOLLM2 : TEST_GEMMA3);
        if (!test_exists(test_join(path, folder, name))) continue;
        seen++;
        CHECK(vocabulary_open(&v, path, NULL, true));
        CHECK(v.t.size == atoi(c[1]));
        CHECK(v.t.bos == atoi(c[2]));
        CHECK(v.t.eos == atoi(c[3]));
        CHECK(sscanf(c[4], "%d %d", &ends[0], &ends[1]) == 2);
        CHECK(v.t.add_bos == (ends[0] != 0) && v.t.add_eos == (ends[1] != 0));
        memcpy(sorted, v.t.end, sizeof sorted);
        for (k = 1; k < v.t.ends; k++) { /* insertion sort */
            uint32_t m = k;
            int32_t id = sorted[k];
            for (; m && sorted[m - 1] > id; m--) sorted[m] = sorted[m - 1];
            sorted[m] = id;
        }
        CHECK(same_ids(sorted, (size_t)v.t.ends, c[5]));
        for (k = 0; k < v.t.ends; k++) CHECK(syn_token_is_end(&v.t, sorted[k]));
        CHECK(!syn_token_is_end(&v.t, -1));
        vocabulary_close(&v);
    }
    CHECK(seen > 0);
    table_free(&facts);
}

TEST(facts)
{
    check_facts("data/tokenizer", NULL);
}

TEST(all_facts)
{
    test_path_buffer path;
    if (!test_fixtures()) SKIP("no shared fixtures");
    check_facts(test_join(path, test_fixtures(), "tokenizer/vocabs"), NULL);
}

TEST(facts_of_smollm2)
{
    test_path_buffer path;
    if (!test_model_file(path, TEST_SMOLLM2)) SKIP("no SmolLM2");
    check_facts(test_models(), "real-smollm2-135m-instruct");
}

TEST(facts_of_gemma3)
{
    test_path_buffer path;
    if (!test_model_file(path, TEST_GEMMA3)) SKIP("no Gemma 3");
    check_facts(test_models(), "real-gemma-3-270m");
}

TEST(an_arena_one_byte_short_is_refused)
{
    int i;
    for (i = 0; i < VOCABS; i++) {
        vocabulary v;
        syn_tokenizer t;
        syn_error err;
        syn_arena arena;
        test_path_buffer path;
        char name[96];
        size_t k;
        unsigned char *block;
        snprintf(name, sizeof name, "tokenizer/%s.gguf", vocab_names[i].file);
        REQUIRE(vocabulary_open(&v, test_path(path, name), NULL, true));
        block = (unsigned char *)malloc(v.block_bytes + 64);
        memset(block, 0xA5, v.block_bytes + 64);
        arena = syn_arena_on(block, v.block_bytes - 1);
        CHECK_FAILS(syn_tokenizer_open(&t, &v.gguf, NULL, &arena, &err), SYN_ERROR_MEMORY, err);
        for (k = v.block_bytes - 1; k < v.block_bytes + 64; k++) CHECK(block[k] == 0xA5);
        free(block);
        vocabulary_close(&v);
    }
}

TEST(an_unknown_pre_tokenizer_is_named_and_can_be_replaced)
{
    vocabulary v;
    size_t i;
    CHECK(!vocabulary_open(&v, "data/tokenizer/bpe-smollm.gguf", "nosuch", true));
    CHECK(v.err.status == SYN_ERROR_UNSUPPORTED);
    CHECK(strstr(v.err.text, "nosuch") && strstr(v.err.text, "llama-bpe"));
    vocabulary_close(&v);
    for (i = 0; syn_tokenizer_pre_name(i); i++) {
        CHECK(
            vocabulary_open(&v, "data/tokenizer/bpe-smollm.gguf", syn_tokenizer_pre_name(i), true));
        vocabulary_close(&v);
    }
    CHECK(i >= 18);
    CHECK(!syn_tokenizer_pre_name(SIZE_MAX));
}

TEST(ids_outside_the_vocabulary_are_refused)
{
    vocabulary v;
    char to[64];
    size_t n;
    int32_t ids[2] = {65, 1 << 20};
    syn_detokenizer d = {{0, 0, 0, 0}, 0};
    REQUIRE(vocabulary_open(&v, "data/tokenizer/spm-llama.gguf", NULL, true));
    CHECK_FAILS(syn_token_text(&v.t, -1, 0, to, sizeof to, &n, &v.err), SYN_ERROR_ARGUMENT, v.err);
    CHECK_FAILS(syn_token_text(&v.t, v.t.size, 0, to, sizeof to, &n, &v.err), SYN_ERROR_ARGUMENT,
                v.err);
    CHECK_FAILS(syn_detokenize(&v.t, ids, 2, 0, to, sizeof to, &n, &v.err), SYN_ERROR_ARGUMENT,
                v.err);
    CHECK_FAILS(syn_detokenizer_push(&d, &v.t, v.t.size, 0, to, sizeof to, &n, &v.err),
                SYN_ERROR_ARGUMENT, v.err);
    CHECK_OK(syn_token_text(&v.t, v.t.eos, SYN_HIDE_SPECIAL, to, sizeof to, &n, &v.err), v.err);
    CHECK(n == 0);
    CHECK_FAILS(syn_token_text(&v.t, v.t.eos, 0, to, 3, &n, &v.err), SYN_ERROR_MEMORY, v.err);
    CHECK(n == 4);
    CHECK(syn_token_type_of(&v.t, v.t.eos) == SYN_TOKEN_CONTROL);
    CHECK(syn_token_find(&v.t, "</s>", 4) == v.t.eos);
    CHECK(syn_token_find(&v.t, "nothing of the kind", 19) == -1);
    vocabulary_close(&v);
}

/* ------------------------------------------------------------------ special tokens against the
 * definition */

/* Longest token first, over every stretch of text that is left, each occurrence from left to right:
   the definition, word for word, with a mark for each byte. */
static void mark_specials(const syn_tokenizer *t, const bytes *text, char *mark)
{
    size_t n, i;
    memset(mark, '.', text->n);
    for (n = text->n; n; n--)
        for (i = 0; i + n <= text->n; i++) {
            int32_t id = syn_token_find(t, text->p + i, n);
            syn_token_type type = syn_token_type_of(t, id);
            size_t k;
            if (id < 0 ||
                (type != SYN_TOKEN_USER && type != SYN_TOKEN_CONTROL && type != SYN_TOKEN_UNKNOWN))
                continue;
            for (k = i; k < i + n && mark[k] == '.'; k++) {}
            if (k < i + n) continue;
            memset(mark + i, 'x', n);
            mark[i] = '[';
        }
}

TEST(special_tokens_are_found_longest_first)
{
    static const char *const files[2] = {"data/tokenizer/spm-llama.gguf",
                                         "data/tokenizer/spm-gemma.gguf"};
    uint32_t seed = 1;
    int f, round;
    for (f = 0; f < 2; f++) {
        vocabulary v;
        REQUIRE(vocabulary_open(&v, files[f], NULL, true));
        for (round = 0; round < 400; round++) {
            char text_bytes[400], mark[400], got[400];
            bytes text = {text_bytes, 0};
            synp_tokenizing w;
            size_t at = 0;
            while (text.n <
                   60) { /* pieces of special tokens, whole or torn, and spaces, newlines */
                int32_t id;
                size_t n = 0, from;
                seed = seed * 1664525u + 1013904223u;
                id = (int32_t)(seed >> 8) % 12;
                if (seed >> 28 < 6) text.p[text.n++] = "\n \n \na"[seed >> 28];
                else if (!syn_token_text(&v.t, id, 0, text.p + text.n, 200, &n, NULL)) {
                    seed = seed * 1664525u + 1013904223u;
                    from = n && seed >> 30 ? 0 : n / 2;
                    memmove(text.p + text.n, text.p + text.n + from, n - from);
                    text.n += n - from;
                }
            }
            mark_specials(&v.t, &text, mark);
            memset(&w, 0, sizeof w);
            w.t = &v.t;
            w.text = (const unsigned char *)text.p;
            w.length = text.n;
            w.flags = SYN_PARSE_SPECIAL;
            memset(got, '.', sizeof got);
            while (at < text.n) {
                size_t from;
                uint32_t id;
                size_t n = synp_special_next(&w, at, &from, &id);
                if (n) {
                    memset(got + from, 'x', n);
                    got[from] = '[';
                }
                at = from + n;
            }
            CHECK(!memcmp(mark, got, text.n));
        }
        vocabulary_close(&v);
    }
}

/* ------------------------------------------------------------------ chat formats */

/* chat.tsv: family, flags, roles (s u a), messages (base64, comma between), rendered, ids of a real
   model */
static syn_chat chat_named(const char *name)
{
    int i;
    for (i = 0; i < SYN_CHATS; i++)
        if (!strcmp(syn_chat_name((syn_chat)i), name)) return (syn_chat)i;
    return SYN_CHAT_NONE;
}

static void check_chat(const char *ids_of_family, const char *model)
{
    table chats = table_read("data/tokenizer/chat.tsv");
    vocabulary v;
    size_t i;
    int seen = 0;
    if (model) REQUIRE(vocabulary_open(&v, model, NULL, true));
    for (i = 0; i < chats.count; i++) {
        char **c = chats.rows[i].column, *next = c[3];
        syn_chat_message m[8];
        size_t n, k, length, full;
        bytes expected = base64(c[4]), texts[8], got;
        syn_error err;
        for (n = 0; c[2][n] && n < 8; n++) {
            char *comma = strchr(next, ',');
            if (comma) *comma = '\0';
            texts[n] = base64(next);
            next = comma ? comma + 1 : next;
            m[n].role = c[2][n] == 's'   ? SYN_CHAT_SYSTEM
                        : c[2][n] == 'u' ? SYN_CHAT_USER
                                         : SYN_CHAT_ASSISTANT;
            m[n].text = texts[n].p;
            m[n].length = texts[n].n;
        }
        CHECK(chat_named(c[0]) != SYN_CHAT_NONE);
        CHECK_OK(syn_chat_render(chat_named(c[0]), m, n, (syn_token_flags)atoi(c[1]), NULL, 0,
                                 &full, &err),
                 err);
        CHECK(full == expected.n);
        got.p = (char *)malloc(full + 1);
        got.n = full;
        CHECK_OK(syn_chat_render(chat_named(c[0]), m, n, (syn_token_flags)atoi(c[1]), got.p, full,
                                 &length, &err),
                 err);
        CHECK(length == full);
        if (!test_check_(full == expected.n && !memcmp(got.p, expected.p, full), c[0], __FILE__,
                         __LINE__))
            printf("  expected %.*s\n  got      %.*s\n", (int)expected.n, expected.p, (int)full,
                   got.p);
        CHECK_FAILS(syn_chat_render(chat_named(c[0]), m, n, (syn_token_flags)atoi(c[1]), got.p,
                                    full - 1, &length, &err),
                    SYN_ERROR_MEMORY, err);
        if (model && !strcmp(c[0], ids_of_family) && strcmp(c[5], "-")) {
            long count;
            int32_t *ids = ids_of(&v.t, &expected, SYN_PARSE_SPECIAL | SYN_NO_BOS, &count);
            CHECK(count >= 0 && same_ids(ids, (size_t)count, c[5]));
            seen++;
            free(ids);
        }
        for (k = 0; k < n; k++) free(texts[k].p);
        free(expected.p);
        free(got.p);
    }
    CHECK(chats.count >= 30);
    CHECK(!model || seen == 4);
    if (model) vocabulary_close(&v);
    table_free(&chats);
}

TEST(chat_formats)
{
    check_chat("", NULL);
}

TEST(chat_ids_of_smollm2)
{
    test_path_buffer path;
    if (!test_model_file(path, TEST_SMOLLM2)) SKIP("no SmolLM2");
    check_chat("smollm", path);
}

TEST(chat_ids_of_gemma3)
{
    test_path_buffer path;
    if (!test_model_file(path, TEST_GEMMA3)) SKIP("no Gemma 3");
    check_chat("gemma", path);
}

TEST(chat_thoughts_of_former_turns_are_dropped)
{
    char to[512];
    size_t n;
    syn_chat_message m[3] = {
        {SYN_CHAT_USER, "a", 1}, {SYN_CHAT_ASSISTANT, "", 0}, {SYN_CHAT_USER, "c", 1}};
    m[1].text = "<think>\nhm </think>\n\nb";
    m[1].length = strlen(m[1].text);
    CHECK(!syn_chat_render(SYN_CHAT_QWEN3, m, 3, SYN_CHAT_CLOSED, to, sizeof to - 1, &n, NULL));
    to[n] = '\0';
    CHECK_STR(to, "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nb<|im_end|>\n<|im_start|>"
                  "user\nc<|im_end|>\n");
    CHECK(!syn_chat_render(SYN_CHAT_NONE, m, 1, 0, to, sizeof to - 1, &n, NULL));
    CHECK(n == 1 && to[0] == 'a');
}

/* A file that holds nothing but a chat template. */
static syn_chat recognised(const char *template_text)
{
    static const char key[] = "tokenizer.chat_template";
    unsigned char file[2048];
    size_t n = 0, length = strlen(template_text), i;
    syn_source source;
    syn_gguf gguf;
    syn_tokenizer t;
    uint64_t number[4];
    memset(&t, 0, sizeof t);
    memcpy(file, "GGUF\3\0\0\0", 8);
    number[0] = 0;
    number[1] = 1;
    number[2] = sizeof key - 1;
    n = 8;
    for (i = 0; i < 24; i++) file[n++] = (unsigned char)(number[i / 8] >> i % 8 * 8);
    memcpy(file + n, key, sizeof key - 1);
    n += sizeof key - 1;
    memcpy(file + n, "\x08\0\0\0", 4); /* a string */
    n += 4;
    for (i = 0; i < 8; i++) file[n++] = (unsigned char)((uint64_t)length >> i * 8);
    memcpy(file + n, template_text, length);
    n += length;
    source = syn_source_memory(file, n);
    if (syn_gguf_open(&gguf, &source, NULL) || synp_chat_recognise(&t, &gguf, NULL))
        return SYN_CHATS;
    return t.chat;
}

TEST(chat_templates_are_recognised)
{
    char far[1500];
    CHECK(recognised("... '<|im_start|>' + message ...") == SYN_CHAT_CHATML);
    CHECK(recognised("<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by "
                     "Hugging Face") == SYN_CHAT_SMOLLM);
    CHECK(recognised("{{ '<|im_start|>' }} You are Qwen, created by Alibaba Cloud. You are a "
                     "helpful assistant.") == SYN_CHAT_QWEN25);
    CHECK(recognised("<|im_start|> {%- if enable_thinking is defined %}") == SYN_CHAT_QWEN3);
    CHECK(recognised("{{ bos_token }}<start_of_turn>") == SYN_CHAT_GEMMA);
    CHECK(recognised("<|start_header_id|> <|end_header_id|>") == SYN_CHAT_LLAMA3);
    CHECK(recognised("<|start_header_id|> <|end_header_id|> Cutting Knowledge Date: ") ==
          SYN_CHAT_LLAMA31);
    CHECK(recognised("{{ 'Assistant: ' + message['content'] + eos_token }}") == SYN_CHAT_DEEPSEEK2);
    CHECK(recognised("<\xEF\xBD\x9C"
                     "Assistant\xEF\xBD\x9C> <\xEF\xBD\x9C"
                     "User\xEF\xBD\x9C>"
                     "<\xEF\xBD\x9C"
                     "end\xE2\x96\x81of\xE2\x96\x81sentence\xEF\xBD\x9C>") == SYN_CHAT_DEEPSEEK3);
    CHECK(recognised("[INST] {{ message }} [/INST]") == SYN_CHAT_NONE);
    CHECK(recognised("") == SYN_CHAT_NONE);
    /* what would be written and is in no format: another mark, another system text, a thought
       begun */
    CHECK(recognised("<|im_start|>system<|im_sep|>") == SYN_CHAT_NONE);
    CHECK(recognised("<|im_start|>User: <end_of_utterance>") == SYN_CHAT_NONE);
    CHECK(recognised("<|im_start|>system\\nYou are Dolphin, a helpful AI assistant.<|im_end|>") ==
          SYN_CHAT_NONE);
    CHECK(recognised("<|im_start|>system\\nBelow is a talk.<|im_end|>") == SYN_CHAT_NONE);
    CHECK(recognised(
              "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by us") ==
          SYN_CHAT_NONE);
    CHECK(recognised("<|im_start|> enable_thinking {{ '<|im_start|>assistant\\n<think>\\n' }}") ==
          SYN_CHAT_NONE);
    CHECK(recognised("<|im_start|> {{ '<think>' }}") == SYN_CHAT_NONE);
    CHECK(recognised("<\xEF\xBD\x9C"
                     "Assistant\xEF\xBD\x9C><think> <\xEF\xBD\x9C"
                     "User\xEF\xBD\x9C>"
                     "<\xEF\xBD\x9C"
                     "end\xE2\x96\x81of\xE2\x96\x81sentence\xEF\xBD\x9C>") == SYN_CHAT_NONE);
    memset(far, 'x', sizeof far - 1);
    far[sizeof far - 1] = '\0';
    memcpy(far + 250, "<start_of_turn>", 15); /* over the edge of a window */
    CHECK(recognised(far) == SYN_CHAT_GEMMA);
}

/* ------------------------------------------------------------------ time */

/* Long words must not cost the square of their length. */
TEST(flags_and_formats_that_are_unknown_are_refused)
{
    vocabulary v;
    syn_error err;
    char to[64];
    size_t length;
    int32_t id = 0;
    syn_arena work = syn_arena_measure();
    const syn_chat_message m = {SYN_CHAT_USER, "hi", 2};
    REQUIRE(vocabulary_open(&v, "data/tokenizer/bpe-smollm.gguf", NULL, true));
    CHECK_FAILS(syn_tokenize(&v.t, "a", 1, 77, NULL, 0, &length, &work, &err), SYN_ERROR_ARGUMENT,
                err);
    CHECK(!work.used && strstr(err.text, "77"));
    CHECK_FAILS(syn_token_text(&v.t, 1, 32, to, sizeof to, &length, &err), SYN_ERROR_ARGUMENT, err);
    CHECK_FAILS(syn_detokenize(&v.t, &id, 1, 64, to, sizeof to, &length, &err), SYN_ERROR_ARGUMENT,
                err);
    CHECK_FAILS(syn_chat_render(SYN_CHAT_NONE, &m, 1, 77, to, sizeof to, &length, &err),
                SYN_ERROR_ARGUMENT, err);
    CHECK_FAILS(syn_chat_render((syn_chat)77, &m, 1, 0, to, sizeof to, &length, &err),
                SYN_ERROR_ARGUMENT, err);
    CHECK_OK(syn_chat_render(SYN_CHAT_NONE, &m, 1, 31, to, sizeof to, &length, &err), err);
    vocabulary_close(&v);
}

/* What no tokenizer does: said so, nothing written. */
TEST(calls_that_are_refused)
{
    vocabulary v;
    syn_tokenizer measured;
    syn_detokenizer d = {{'a', 'b', 'c', 0}, 3};
    syn_arena work = syn_arena_measure();
    syn_error err;
    char to[64];
    size_t n = 7;
    syn_chat_message talk[2] = {{SYN_CHAT_USER, "hi", 2}, {(syn_chat_role)3, "ho", 2}};
    REQUIRE(vocabulary_open(&v, "data/tokenizer/bpe-smollm.gguf", NULL, true));
    REQUIRE_OK(syn_tokenizer_open(&measured, &v.gguf, NULL, &work, &err), err);
    CHECK_FAILS(syn_tokenize(&measured, "a", 1, 0, NULL, 0, &n, &work, &err), SYN_ERROR_ARGUMENT,
                err);
    CHECK(n == 0 && strstr(err.text, "only measured"));
    CHECK_FAILS(syn_token_text(&measured, 1, 0, to, sizeof to, &n, &err), SYN_ERROR_ARGUMENT, err);
    CHECK_FAILS(syn_tokenize(&v.t, "a", 0x20000000u, 0, NULL, 0, &n, &work, &err),
                SYN_ERROR_ARGUMENT, err);
    CHECK(strstr(err.text, "a text of 536870912 bytes") != NULL);
    memset(to, 'x', sizeof to);
    CHECK_FAILS(syn_detokenizer_push(&d, &v.t, 1, 0, to, 2, &n, &err), SYN_ERROR_MEMORY, err);
    CHECK(strstr(err.text, "room for 2 bytes, 3 are held") && to[0] == 'x');
    CHECK_FAILS(syn_chat_render(SYN_CHAT_CHATML, talk, 2, 0, to, sizeof to, &n, &err),
                SYN_ERROR_ARGUMENT, err);
    CHECK(strstr(err.text, "message 1: role 3") != NULL);
    CHECK_FAILS(syn_chat_render(SYN_CHAT_CHATML, talk, 1, 0, to, 5, &n, &err), SYN_ERROR_MEMORY,
                err);
    CHECK(n > 5 && strstr(err.text, "room for 5"));
    CHECK_STR(syn_chat_name((syn_chat)99), syn_chat_name(SYN_CHAT_NONE));
    vocabulary_close(&v);
}

/* A vocabulary without a template: its marks say how it talks. */
TEST(marks_of_a_format_without_its_template)
{
    static const struct {
        const char *file;
        syn_chat chat;
    } is[] = {{"data/tokenizer/bpe-smollm.gguf", SYN_CHAT_CHATML},
              {"data/tokenizer/spm-gemma.gguf", SYN_CHAT_GEMMA},
              {"data/tokenizer/spm-llama.gguf", SYN_CHAT_NONE}};
    size_t i;
    for (i = 0; i < sizeof is / sizeof is[0]; i++) {
        vocabulary v;
        REQUIRE(vocabulary_open(&v, is[i].file, NULL, true));
        CHECK(syn_chat_guess(&v.t) == is[i].chat);
        vocabulary_close(&v);
    }
}

/* Byte-level BPE loses nothing of valid UTF-8, however a text is cut into words first: every
   pre-tokenizer gives back every text, and cutting changes what is merged, not what is said. */
TEST(every_pre_tokenizer_gives_the_text_back)
{
    static const char *const texts[] = {
        "HTMLParser's fooBAR iPhone I'LL we've x'D don't 'tis''s",
        "1234567 3.14 1,000 \xc2\xbd\xd9\xa3\xd9\xa4 a1b22c333",
        "  two  spaces\n\n\tand \r\n lines \n \n\n",
        "\xc3\x84\xc3\x96\xc3\x9c\xc3\xa4\xc3\x9f \xc7\x85X\xca\xb0y "
        "\xe4\xb8\xad\xe6\x96\x87\xe3\x81\x82\xe3\x82\xa2 "
        "\xed\x95\x9c\xea\xb8\x80 \xd0\x96\xd0\xb6\xcc\x81",
        "!!!? <<>> --==// \xe2\x80\x94\xe2\x80\xa6 `tick` ~^$ "
        "\xf0\x9f\x98\x80\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd",
        "aA\xc3\x84"
        "B\xc3\xa4"
        "C''reX /\n/\r\n (x)\n\n",
    };
    static int32_t ids[1024], first[1024];
    static unsigned char block[1 << 16];
    char back[1024];
    size_t i, k, n, length, firsts = 0, others = 0;
    for (i = 0; syn_tokenizer_pre_name(i); i++) {
        vocabulary v;
        REQUIRE(
            vocabulary_open(&v, "data/tokenizer/bpe-smollm.gguf", syn_tokenizer_pre_name(i), true));
        for (k = 0; k < sizeof texts / sizeof texts[0]; k++) {
            syn_arena work = syn_arena_on(block, sizeof block);
            const size_t size = strlen(texts[k]);
            REQUIRE_OK(syn_tokenize(&v.t, texts[k], size, 0, ids, 1024, &n, &work, &v.err), v.err);
            REQUIRE_OK(syn_detokenize(&v.t, ids, n, 0, back, sizeof back, &length, &v.err), v.err);
            CHECK(length == size && !memcmp(back, texts[k], size));
            if (length != size || memcmp(back, texts[k], size) != 0)
                printf("  %s, text %d\n", syn_tokenizer_pre_name(i), (int)k);
            if (k == 0 && i == 0) memcpy(first, ids, (firsts = n) * sizeof *ids);
            if (k == 0) others += n != firsts || memcmp(first, ids, n * sizeof *ids) != 0;
        }
        vocabulary_close(&v);
    }
    CHECK(others > 3); /* they do cut differently */
}

/* ------------------------------------------------------------------ reads that fail */

/* A file whose read number `fail_at` fails, counted from 1; 0: none. */
typedef struct failing {
    bytes file;
    uint64_t calls, fail_at;
} failing;

static bool failing_read(void *user, uint64_t offset, void *to, size_t n)
{
    failing *f = (failing *)user;
    if (++f->calls == f->fail_at) return false;
    memcpy(to, f->file.p + offset, n);
    return true;
}

enum { READ_IDS = 128, READ_TEXT = 1024 };

static const char read_words[] = "Hello <s>  w\xc3\xb6rld, it's\t12345 \xff\n<|im_start|>user\n"
                                 "<start_of_turn>\xe2\x96\x81<unk>";

/* What is read of an open vocabulary: 0 ids of a text, 1 the text again, 2 a piece at a time. */
static syn_status read_use(const syn_tokenizer *t, int what, int32_t *ids, size_t *count, char *to,
                           size_t *length, syn_error *err)
{
    static unsigned char block[17 * sizeof read_words * 8];
    syn_arena work = syn_arena_on(block, sizeof block);
    syn_detokenizer d = {{0, 0, 0, 0}, 0};
    syn_status status = SYN_OK;
    size_t i, n;
    if (what == 0)
        return syn_tokenize(t, read_words, sizeof read_words - 1, SYN_PARSE_SPECIAL, ids, READ_IDS,
                            count, &work, err);
    if (what == 1) return syn_detokenize(t, ids, *count, 0, to, READ_TEXT, length, err);
    *length = 0;
    for (i = 0; i < *count && !status; i++) {
        status = syn_detokenizer_push(&d, t, ids[i], 0, to + *length, READ_TEXT - *length, &n, err);
        if (!status) *length += n;
    }
    return status;
}

/* On a file behind a callback every read may fail: the call says so, and the same call again gives
   what it would have given. Opening reads the lists from front to back: there an even choice. */
TEST(every_read_of_a_vocabulary_may_fail)
{
    static const char *const files[] = {"bpe-smollm", "bpe-olmo", "spm-llama", "spm-gemma",
                                        "spm-phi3"};
    const uint64_t most = test_slow_machine() ? 20 : 150;
    size_t i;
    for (i = 0; i < sizeof files / sizeof files[0]; i++) {
        test_path_buffer path;
        char name[96], to[READ_TEXT], again[READ_TEXT];
        int32_t ids[READ_IDS], other[READ_IDS];
        failing f;
        syn_source source;
        syn_gguf gguf;
        syn_tokenizer t;
        syn_error err;
        syn_arena arena = syn_arena_measure();
        void *block;
        uint64_t n, calls, step;
        size_t bytes_needed, count = 0, length = 0;
        int what;
        snprintf(name, sizeof name, "tokenizer/%s.gguf", files[i]);
        memset(&f, 0, sizeof f);
        f.file = read_all(test_path(path, name));
        REQUIRE(f.file.p != NULL);
        source = syn_source_callback(failing_read, &f, f.file.n);
        REQUIRE_OK(syn_gguf_open(&gguf, &source, &err), err);
        REQUIRE_OK(syn_tokenizer_open(&t, &gguf, NULL, &arena, &err), err);
        bytes_needed = arena.used;
        block = malloc(bytes_needed);
        f.calls = 0;
        arena = syn_arena_on(block, bytes_needed);
        REQUIRE_OK(syn_tokenizer_open(&t, &gguf, NULL, &arena, &err), err);
        calls = f.calls;
        step = 1 + calls / most;
        for (n = 1; n <= calls; n += step) {
            f.calls = 0;
            f.fail_at = n;
            arena = syn_arena_on(block, bytes_needed);
            CHECK_FAILS(syn_tokenizer_open(&t, &gguf, NULL, &arena, &err), SYN_ERROR_READ, err);
        }
        f.fail_at = 0;
        arena = syn_arena_on(block, bytes_needed);
        REQUIRE_OK(syn_tokenizer_open(&t, &gguf, NULL, &arena, &err), err);
        for (what = 0; what < 3; what++) {
            f.calls = 0;
            CHECK_OK(read_use(&t, what, ids, &count, to, &length, &err), err);
            calls = f.calls;
            step = 1 + calls / (10 * most);
            CHECK(calls > 0 && count > 10);
            for (n = 1; n <= calls; n += step) {
                size_t n_other = count, n_again = 0;
                memcpy(other, ids, sizeof ids);
                f.calls = 0;
                f.fail_at = n;
                CHECK_FAILS(read_use(&t, what, other, &n_other, again, &n_again, &err),
                            SYN_ERROR_READ, err);
                f.fail_at = 0;
                n_other = count;
                CHECK_OK(read_use(&t, what, other, &n_other, again, &n_again, &err), err);
                CHECK(n_other == count && !memcmp(other, ids, count * sizeof *ids));
                CHECK(!what || (n_again == length && !memcmp(again, to, length)));
            }
        }
        /* what gives no status finds nothing */
        for (n = 1; n <= 4; n++) {
            f.calls = 0;
            f.fail_at = n;
            CHECK(syn_token_find(&t, "user", 4) == -1 || f.calls < n);
            f.calls = 0;
            CHECK(syn_token_type_of(&t, 0) == SYN_TOKEN_NORMAL || f.calls < n);
        }
        free(block);
        free(f.file.p);
    }
}

TEST(a_long_word_is_merged_in_near_linear_time)
{
    int i;
    enum { N = 100000 };
    char *text = (char *)malloc(N);
    for (i = 0; i < VOCABS; i += i < 6 ? 2 : 1) {
        vocabulary v;
        test_path_buffer path;
        char name[96];
        int kind, k;
        snprintf(name, sizeof name, "tokenizer/%s.gguf", vocab_names[i].file);
        REQUIRE(vocabulary_open(&v, test_path(path, name), vocab_names[i].pre, true));
        for (kind = 0; kind < 5; kind++) {
            syn_arena arena;
            size_t work_bytes, n;
            void *work;
            clock_t start = clock();
            for (k = 0; k < N; k++) text[k] = " a\n'\xE0"[kind];
            if (kind == 1)
                for (k = 0; k < N; k++) text[k] = (char)('a' + (k * 7 + k / 11) % 26);
            work_bytes = syn_tokenize_bytes(&v.t, text, N, SYN_PARSE_SPECIAL);
            work = malloc(work_bytes);
            arena = syn_arena_on(work, work_bytes);
            CHECK_OK(syn_tokenize(&v.t, text, N, SYN_PARSE_SPECIAL, NULL, 0, &n, &arena, &v.err),
                     v.err);
            CHECK(n > 0);
            CHECK((double)(clock() - start) / CLOCKS_PER_SEC <
                  10); /* the square would take hours */
            free(work);
        }
        vocabulary_close(&v);
    }
    free(text);
}

TEST_MAIN("tokenizer")
