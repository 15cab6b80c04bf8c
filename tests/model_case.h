/* model_case.h - a reference model of tests/data/models (or of the shared fixtures): its file, what
   PyTorch made of it, and a context on it. */
#ifndef MODEL_CASE_H_INCLUDED
#define MODEL_CASE_H_INCLUDED

#include "npy.h"
#include "test.h"

typedef struct model_case {
    test_path_buffer name;
    unsigned char *file;
    size_t file_bytes;
    char *index; /* index.json */
    npy tokens, generated, logits, head_norms;
    syn_source source;
    syn_model model;
    void *model_block, *context_block;
    size_t model_bytes, context_bytes;
} model_case;

/* The number behind "tolerance" in the part of index.json that is about `array`. */
static inline double case_tolerance(const model_case *c, const char *array)
{
    char key[64];
    const char *at;
    snprintf(key, sizeof key, "\"%s\": {", array);
    at = strstr(c->index, key);
    at = at ? strstr(at, "\"tolerance\":") : NULL;
    return at ? atof(at + 12) : 0.0;
}

static inline int case_array(npy *a, const char *folder, const char *name, npy_kind kind)
{
    test_path_buffer path;
    return npy_load(a, test_join(path, folder, name), kind);
}

/* Where a case lies: in the repository, else in the shared fixtures, else nowhere. */
static inline const char *case_folder(char *path, const char *name)
{
    test_path_buffer file, folder;
    test_path_buffer models;
    if (test_path(folder, "models") && test_join(path, folder, name) &&
        test_exists(test_join(file, path, "model.gguf")))
        return path;
    if (test_fixtures() && test_join(models, test_fixtures(), "models") &&
        test_join(path, models, name) && test_exists(test_join(file, path, "model.gguf")))
        return path;
    return NULL;
}

/* Reads everything; 0 and a printed line when something is not there. */
static inline int case_load(model_case *c, const char *folder)
{
    test_path_buffer path;
    syn_error err;
    syn_arena arena = syn_arena_measure();
    memset(c, 0, sizeof *c);
    snprintf(c->name, sizeof c->name, "%s",
             strrchr(folder, '/') ? strrchr(folder, '/') + 1 : folder);
    c->file = file_load(test_join(path, folder, "model.gguf"), &c->file_bytes);
    c->index = (char *)file_load(test_join(path, folder, "index.json"), NULL);
    if (!c->file || !c->index || !case_array(&c->tokens, folder, "tokens.npy", NPY_I4) ||
        !case_array(&c->generated, folder, "gen_tokens.npy", NPY_I4) ||
        !case_array(&c->logits, folder, "logits.npy", NPY_F4) ||
        !case_array(&c->head_norms, folder, "head_norms.npy", NPY_F4))
        return 0;
    {
        syn_model_desc desc;
        memset(&desc, 0, sizeof desc);
        desc.no_tokenizer = true; /* the vocabularies of these files are not what is tested */
        c->source = syn_source_memory(c->file, c->file_bytes);
        if (syn_model_open(&c->model, &c->source, 1, &desc, &arena, &err)) goto bad;
        c->model_bytes = arena.used;
        c->model_block = malloc(c->model_bytes);
        arena = syn_arena_on(c->model_block, c->model_bytes);
        if (syn_model_open(&c->model, &c->source, 1, &desc, &arena, &err)) goto bad;
    }
    return 1;
bad:
    printf("%s: %s\n", c->name, err.text);
    return 0;
}

static inline int case_context(model_case *c, syn_context *ctx, const syn_context_desc *desc)
{
    syn_error err;
    syn_arena arena = syn_arena_measure();
    free(c->context_block);
    c->context_block = NULL;
    if (!syn_context_open(ctx, &c->model, desc, &arena, &err)) {
        c->context_bytes = arena.used;
        c->context_block = malloc(c->context_bytes);
        arena = syn_arena_on(c->context_block, c->context_bytes);
        if (!syn_context_open(ctx, &c->model, desc, &arena, &err)) return 1;
    }
    printf("%s: %s\n", c->name, err.text);
    return 0;
}

static inline void case_free(model_case *c)
{
    free(c->file);
    free(c->index);
    npy_free(&c->tokens);
    npy_free(&c->generated);
    npy_free(&c->logits);
    npy_free(&c->head_norms);
    free(c->model_block);
    free(c->context_block);
    memset(c, 0, sizeof *c);
}

/* Prompt and continuation, all that the references fed. */
static inline size_t case_length(const model_case *c)
{
    return c->tokens.count + c->generated.count;
}

static inline int32_t case_token(const model_case *c, size_t i)
{
    return i < c->tokens.count ? c->tokens.i4[i] : c->generated.i4[i - c->tokens.count];
}

enum { CASE_TOKENS = 64 }; /* as many as the longest case has, or more */

/* A context for comparing with a reference: exact, with all that is compared. */
static inline syn_context_desc exact_desc(uint32_t batch)
{
    syn_context_desc desc;
    memset(&desc, 0, sizeof desc);
    desc.tokens = CASE_TOKENS;
    desc.batch = batch;
    desc.arithmetic = SYN_EXACT;
    desc.norms = desc.all_logits = true;
    return desc;
}

/* Calls a test's body for each of the cases that is at hand and, where `wanted` is given, wanted;
   `least` of them must be. */
static inline void case_each(const char *const *names, size_t n, int least,
                             int (*wanted)(const char *name), void (*body)(model_case *c))
{
    int ran = 0, absent = 0, left_out = 0;
    size_t i;
    for (i = 0; i < n; i++) {
        test_path_buffer path;
        const char *folder = case_folder(path, names[i]);
        model_case c;
        if (wanted && !wanted(names[i])) {
            left_out++;
            continue;
        }
        absent += !folder;
        if (!folder) continue;
        CHECK(case_load(&c, folder));
        if (c.model_block) body(&c);
        case_free(&c);
        ran++;
    }
    SKIP_PART(absent, "models of the large fixtures");
    SKIP_PART(left_out, "models where the processor is slow");
    CHECK(ran >= least);
}

#endif
