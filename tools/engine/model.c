/* model.c - opening models and contexts for the commands, prompts to ids. */
#include "engine/model.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

/* ---- files ---------------------------------------------------------------------------- */

/* "x-00002-of-00005.gguf": 5, and where the digits of the part stand; 1 for any other name. */
static int split_count(const char *path, size_t *digits_at)
{
    const size_t n = strlen(path), tail = strlen("-00001-of-00005.gguf");
    if (n < tail) return 1;
    const char *end = path + n - tail;
    int part = 0, count = 0, used = 0;
    if (sscanf(end, "-%5d-of-%5d.gguf%n", &part, &count, &used) != 2 || used != (int)tail) return 1;
    if (count < 1 || part < 1 || part > count) return 1;
    *digits_at = n - tail + 1;
    return count;
}

static bool map_files(loaded_model *m, const char *path, problem *why)
{
    size_t digits_at = 0;
    const int count = split_count(path, &digits_at);
    if (strlen(path) >= sizeof m->path) return problem_set(why, "%s: the name is too long", path);
    if (count > SYN_MODEL_FILES)
        return problem_set(why, "%s: a model of %d files, at most %d", path, count,
                           (int)SYN_MODEL_FILES);
    strcpy(m->path, path);
    for (int i = 0; i < count; i++) {
        char name[TOOL_PATH_BYTES], digits[24];
        strcpy(name, path);
        if (count > 1) {
            snprintf(digits, sizeof digits, "%05d", i + 1);
            memcpy(name + digits_at, digits, 5);
        }
        if (!file_map(&m->view[i], name, why)) return false;
        m->source[i] = syn_source_memory(m->view[i].bytes, m->view[i].size);
        m->files = (size_t)i + 1;
    }
    return true;
}

/* Whole or not at all: a read may give less than was asked for, at any time. */
static bool read_file_at(const loaded_model *m, uint64_t offset, void *to, size_t n)
{
    unsigned char *at = to;
    while (n) {
        const ssize_t got = pread(m->window_file - 1, at, n, (off_t)offset);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        at += got;
        offset += (uint64_t)got;
        n -= (size_t)got;
    }
    return true;
}

/* Keys, names and the vocabulary are read in pieces of a few bytes, in many places: a page of each
   of the last places is kept. Weights go by. One thread reads: the one that opens and steps. */
struct window_pages {
    uint64_t number[16]; /* of the page, + 1 */
    unsigned char page[16][4096];
};

static bool read_window(void *user, uint64_t offset, void *to, size_t n)
{
    const loaded_model *m = user;
    struct window_pages *w = m->window_pages;
    const size_t page_bytes = sizeof w->page[0];
    const uint64_t number = offset / page_bytes, size = m->source[0].size;
    const size_t slot = number % 16, from = (size_t)(offset % page_bytes);
    if (from + n > page_bytes) return read_file_at(m, offset, to, n);
    if (w->number[slot] != number + 1) {
        const uint64_t at = number * page_bytes;
        const size_t there = size - at < page_bytes ? (size_t)(size - at) : page_bytes;
        w->number[slot] = 0;
        if (!read_file_at(m, at, w->page[slot], there)) return false;
        w->number[slot] = number + 1;
    }
    memcpy(to, w->page[slot] + from, n);
    return true;
}

static bool open_window(loaded_model *m, const char *path, size_t window, problem *why)
{
    struct stat s;
    size_t digits_at = 0;
    if (strlen(path) >= sizeof m->path) return problem_set(why, "%s: the name is too long", path);
    if (split_count(path, &digits_at) > 1)
        return problem_set(why, "%s: --window takes a model of one file", path);
    strcpy(m->path, path);
    const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return problem_errno(why, path, "cannot open it");
    m->window_file = fd + 1;
    m->window = window;
    m->window_pages = tool_alloc(1, sizeof *m->window_pages);
    if (fstat(fd, &s) != 0) return problem_errno(why, path, "cannot look at it");
    if (!S_ISREG(s.st_mode) && !S_ISBLK(s.st_mode))
        return problem_set(why, "%s: is neither a file nor a block device", path);
    const off_t size = lseek(fd, 0, SEEK_END); /* what fstat does not say of a device */
    if (size < 0) return problem_errno(why, path, "cannot tell its size");
    m->source[0] = syn_source_callback(read_window, m, (uint64_t)size);
    m->files = 1;
    return true;
}

uint64_t model_file_bytes(const loaded_model *m)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < m->files; i++) bytes += m->view[i].size;
    return bytes;
}

void model_hash(const loaded_model *m, char hex[65])
{
    sha256 hash;
    sha256_begin(&hash);
    for (size_t i = 0; i < m->files; i++) sha256_add(&hash, m->view[i].bytes, m->view[i].size);
    sha256_end(&hash, hex);
}

void model_mark(const loaded_model *m, char hex[65])
{
    enum { SAMPLES = 32, SAMPLE = 16384 };
    sha256 hash;
    struct stat s;
    char words[96];
    sha256_begin(&hash);
    for (size_t i = 0; i < m->files; i++) {
        const size_t size = m->view[i].size, n = size < SAMPLE ? size : SAMPLE;
        for (size_t k = 0; k < SAMPLES; k++)
            sha256_add(&hash, (const char *)m->view[i].bytes + (size - n) / (SAMPLES - 1) * k, n);
        const int length = snprintf(words, sizeof words, "%zu", size);
        sha256_add(&hash, words, (size_t)length);
    }
    if (stat(m->path, &s) == 0) {
        const int length = snprintf(words, sizeof words, " %lld", (long long)s.st_mtime);
        sha256_add(&hash, words, (size_t)length);
    }
    sha256_end(&hash, hex);
}

bool model_each_tensor(const loaded_model *m, tensor_visit *visit, void *user, problem *why)
{
    for (size_t f = 0; f < m->files; f++) {
        syn_gguf gguf;
        syn_gguf_tensor t;
        syn_error err;
        if (syn_gguf_open(&gguf, &m->source[f], &err) != SYN_OK)
            return problem_engine(why, m->path, &err);
        uint64_t at = gguf.tensors_at;
        for (uint64_t i = 0; i < gguf.tensors; i++, at = t.next_at) {
            if (syn_gguf_tensor_at(&gguf, at, &t, &err) != SYN_OK)
                return problem_engine(why, m->path, &err);
            if (!visit(user, &gguf, &t, why)) return false;
        }
    }
    return true;
}

void tokenizer_note(const syn_tokenizer *t)
{
    if (t->pre_missing)
        tool_note("the file has no tokenizer.ggml.pre: words are cut as by '%s'; --pre NAME names "
                  "another",
                  syn_tokenizer_pre_name(t->pre));
    const char *key;
    for (unsigned i = 0; (key = syn_tokenizer_outside(t, i)) != NULL; i++)
        tool_note("%s: is outside the vocabulary; nothing needs it", key);
}

static bool load(loaded_model *m, const char *path, const char *pre, bool no_vocabulary,
                 size_t window, problem *why)
{
    syn_error err;
    syn_model_desc desc;
    syn_arena arena = syn_arena_measure();
    memset(m, 0, sizeof *m);
    memset(&desc, 0, sizeof desc);
    desc.pre_tokenizer = pre;
    desc.no_tokenizer = no_vocabulary;
    if (!(window ? open_window(m, path, window, why) : map_files(m, path, why))) {
        model_unload(m);
        return false;
    }
    syn_status status = syn_model_open(&m->model, m->source, m->files, &desc, &arena, &err);
    if (status == SYN_OK) {
        m->model_bytes = arena.used;
        m->block = tool_alloc(arena.used + SYN_ALIGN, 1);
        arena = syn_arena_on(m->block, m->model_bytes + SYN_ALIGN);
        status = syn_model_open(&m->model, m->source, m->files, &desc, &arena, &err);
    }
    if (status == SYN_OK) {
        tokenizer_note(&m->model.tokenizer);
        return true;
    }
    problem_engine(why, path, &err);
    model_unload(m);
    return false;
}

bool model_load(loaded_model *m, const char *path, const char *pre, problem *why)
{
    return load(m, path, pre, false, 0, why);
}

bool model_load_window(loaded_model *m, const char *path, const char *pre, size_t window,
                       problem *why)
{
    return load(m, path, pre, false, window, why);
}

bool model_load_weights(loaded_model *m, const char *path, problem *why)
{
    return load(m, path, NULL, true, 0, why);
}

void model_unload(loaded_model *m)
{
    engine_pool_stop(&m->pool);
    for (size_t i = 0; i < m->files; i++) file_unmap(&m->view[i]);
    if (m->window_file) close(m->window_file - 1);
    free(m->window_pages);
    free(m->context_block);
    free(m->block);
    memset(m, 0, sizeof *m);
}

bool model_not_output(const loaded_model *m, const char *output, problem *why)
{
    size_t digits_at = 0;
    char name[TOOL_PATH_BYTES], digits[24];
    split_count(m->path, &digits_at);
    for (size_t i = 0; i < m->files; i++) {
        strcpy(name, m->path);
        snprintf(digits, sizeof digits, "%05zu", i + 1);
        if (m->files > 1) memcpy(name + digits_at, digits, 5);
        if (!output_not_input(output, name, why)) return false;
    }
    return true;
}

bool model_context_check(const loaded_model *m, uint64_t tokens, bool beyond, problem *why)
{
    const uint32_t trained = m->model.context;
    if (beyond || !trained || tokens <= trained) return true;
    return problem_set(
        why,
        "%s: was trained for a context of %u tokens, and %llu are needed (--beyond-context goes "
        "on; expect worse text)",
        m->path, trained, (unsigned long long)tokens);
}

/* ---- contexts ------------------------------------------------------------------------- */

bool model_context_bytes(const loaded_model *m, const syn_context_desc *desc, size_t *bytes,
                         problem *why)
{
    syn_error err;
    syn_context ctx;
    syn_arena arena = syn_arena_measure();
    if (syn_context_open(&ctx, &m->model, desc, &arena, &err) != SYN_OK)
        return problem_engine(why, m->path, &err);
    *bytes = arena.used;
    return true;
}

bool model_context_on(loaded_model *m, syn_context *ctx, syn_context_desc *desc, void **block,
                      size_t *bytes, problem *why)
{
    syn_error err;
    desc->parallel = m->pool.parallel;
    desc->stream_bytes = m->window;
    if (!model_context_bytes(m, desc, bytes, why)) return false;
    *block = tool_alloc(*bytes + SYN_ALIGN, 1);
    syn_arena arena = syn_arena_on(*block, *bytes + SYN_ALIGN);
    if (syn_context_open(ctx, &m->model, desc, &arena, &err) != SYN_OK)
        return problem_engine(why, m->path, &err);
    return true;
}

bool model_context(loaded_model *m, syn_context *ctx, syn_context_desc *desc, int64_t threads,
                   problem *why)
{
    engine_pool_start(&m->pool, threads);
    return model_context_on(m, ctx, desc, &m->context_block, &m->context_bytes, why);
}

/* ---- text ----------------------------------------------------------------------------- */

bool read_stream(FILE *from, const char *name, text *to, problem *why)
{
    char piece[16384];
    size_t n;
    while ((n = fread(piece, 1, sizeof piece, from)) > 0) text_add_bytes(to, piece, n);
    if (ferror(from)) return problem_errno(why, name, "cannot read");
    return true;
}

bool read_file(const char *path, text *to, problem *why)
{
    if (path_is_directory(path)) return problem_set(why, "%s: is a directory", path);
    FILE *from = fopen(path, "rb");
    if (!from) return problem_errno(why, path, "cannot open");
    const bool good = read_stream(from, path, to, why);
    fclose(from);
    return good;
}

int32_t *tokenize_text(const syn_tokenizer *t, const char *words, size_t length,
                       syn_token_flags flags, size_t *count, problem *why)
{
    syn_error err;
    /* a byte that is no UTF-8 may become U+FFFD, three bytes and as many tokens */
    const size_t bytes = syn_tokenize_bytes(t, words, length, flags), room = 3 * length + 16;
    void *block = tool_alloc(bytes + SYN_ALIGN, 1);
    int32_t *ids = tool_alloc(room, sizeof *ids);
    syn_arena work = syn_arena_on(block, bytes + SYN_ALIGN);
    const syn_status status = syn_tokenize(t, words, length, flags, ids, room, count, &work, &err);
    free(block);
    if (status == SYN_OK) return ids;
    problem_engine(why, "tokenize", &err);
    free(ids);
    return NULL;
}

/* ---- given ids ------------------------------------------------------------------------ */

static bool copy_ids(id_rows *ids, const npy *a, const char *path, uint32_t vocab, bool ends,
                     problem *why)
{
    bool ended = false;
    for (uint64_t i = 0; i < a->count; i++) {
        const int64_t id = npy_int(a, i);
        if (i % ids->length == 0) ended = false;
        ended = ended || (ends && id == -1);
        if (!ended && (id < 0 || id >= (int64_t)vocab))
            return problem_set(why, "%s: id %lld at index %llu is not in the vocabulary: 0 to %u%s",
                               path, (long long)id, (unsigned long long)i, vocab - 1,
                               ends ? ", or -1 behind a row's end" : "");
        ids->at[i] = ended ? -1 : (int32_t)id;
    }
    return true;
}

bool ids_read(id_rows *ids, const char *path, uint32_t vocab, bool ends, problem *why)
{
    npy a;
    char shape[128];
    bool good = false;
    memset(ids, 0, sizeof *ids);
    if (!npy_open(&a, path, why)) return false;
    npy_shape_text(&a, shape, sizeof shape);
    if (npy_is_float(&a) || a.type == NPY_BOOL)
        problem_set(why, "%s: holds %s, expected integers", path, npy_type_text(a.type));
    else if (a.dims < 1 || a.dims > 2 || !a.count || a.shape[a.dims - 1] > INT32_MAX)
        problem_set(why, "%s: shape %s, expected [T] or [P, T]", path, shape);
    else {
        ids->rows = a.dims == 2 ? (size_t)a.shape[0] : 1;
        ids->length = (size_t)a.shape[a.dims - 1];
        ids->at = tool_alloc((size_t)a.count, sizeof *ids->at);
        good = copy_ids(ids, &a, path, vocab, ends, why);
    }
    npy_close(&a);
    if (good) return true;
    free(ids->at);
    ids->at = NULL;
    return false;
}
