/* prune_tool.c - what cli_prune.sh needs to know of model files; built by it, not a test by itself.

   prune_tool gain A B TOLERANCE heads|experts L.I,LxHy,...   the logits of A with a gain of 0 on
       these units are those of B within TOLERANCE, and differ from those of A as it is; exact
   arithmetic prune_tool same A B TOLERANCE      the logits of A are those of B prune_tool key FILE
   NAME           prints a key: a number, a text, or the texts or i32 of an array prune_tool counts
   A B NAME i32|f32 VALUE...   writes A as B with other elements of an array of i32 prune_tool
   tensor FILE NAME        prints a tensor's type and shape: "Q4_1 [576, 576]" prune_tool zeros FILE
   NAME         prints how many of its weights are 0 prune_tool split FILE FOLDER       writes it as
   FOLDER/m-00001-of-00002.gguf and its other half prune_tool others A B [PART...]    tensors whose
   names hold none of the PARTs are the same, byte for byte, and all are in the same order; so are
   the keys of the tokenizer and the name */
#define SYNERGY_NO_PHIID
#define SYNERGY_STATIC
#define SYNERGY_IMPLEMENTATION
#include "../synergy.h"

#include "gguf_write.h"
#include "npy.h"

enum { TOKENS = 24 };

typedef struct opened {
    unsigned char *bytes;
    size_t size;
    syn_source source;
    syn_gguf gguf;
    syn_model model;
    syn_context ctx;
} opened;

static int fail(const char *what, const syn_error *err)
{
    printf("%s: %s\n", what, err ? err->text : "cannot be read");
    exit(1);
}

static void open_file(opened *o, const char *path)
{
    syn_error err;
    memset(o, 0, sizeof *o);
    o->bytes = file_load(path, &o->size);
    if (!o->bytes) fail(path, NULL);
    o->source = syn_source_memory(o->bytes, o->size);
    if (syn_gguf_open(&o->gguf, &o->source, &err)) fail(path, &err);
}

/* A model and a context on it; measured, then opened. */
static void open_model(opened *o, const char *path)
{
    syn_error err;
    syn_model_desc desc;
    syn_context_desc context;
    open_file(o, path);
    memset(&desc, 0, sizeof desc);
    memset(&context, 0, sizeof context);
    desc.no_tokenizer = true;
    context.tokens = context.batch = TOKENS;
    context.arithmetic = SYN_EXACT;
    context.all_logits = true;
    for (int pass = 0; pass < 2; pass++) {
        static syn_arena arena;
        arena = pass ? syn_arena_on(malloc(arena.used), arena.used) : syn_arena_measure();
        if (syn_model_open(&o->model, &o->source, 1, &desc, &arena, &err) ||
            syn_context_open(&o->ctx, &o->model, &context, &arena, &err))
            fail(path, &err);
    }
}

/* The logits of TOKENS positions of some ids; rows of the vocabulary. */
static float *logits(opened *o, const syn_edit *edit)
{
    syn_error err;
    int32_t ids[TOKENS];
    const size_t n = (size_t)TOKENS * o->model.vocab;
    float *copy = (float *)malloc(n * sizeof *copy);
    for (int i = 0; i < TOKENS; i++)
        ids[i] = (int32_t)((uint32_t)(i * i * 7 + i * 3 + 1) % o->model.vocab);
    memset(&o->ctx.edit, 0, sizeof o->ctx.edit);
    if (edit) o->ctx.edit = *edit;
    if (syn_context_rewind(&o->ctx, 0, 0, &err) || syn_context_step(&o->ctx, ids, TOKENS, &err))
        fail("step", &err);
    memcpy(copy, syn_context_logits(&o->ctx, 0), n * sizeof *copy);
    return copy;
}

static double largest_difference(const float *a, const float *b, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        const double d = fabs((double)a[i] - (double)b[i]);
        if (!(d <= most)) most = d;
    }
    return most;
}

/* "1.0,2.3": gains of 0 there, 1 elsewhere. */
static float *gains(const char *list, uint32_t layers, uint32_t units)
{
    float *gain = (float *)malloc((size_t)layers * units * sizeof *gain);
    for (size_t i = 0; i < (size_t)layers * units; i++) gain[i] = 1;
    for (const char *s = list; s; s = strchr(s, ',') ? strchr(s, ',') + 1 : NULL) {
        unsigned layer, unit;
        if ((sscanf(s, "%u.%u", &layer, &unit) != 2 &&
             sscanf(s, "L%u%*[HE]%u", &layer, &unit) != 2) ||
            layer >= layers || unit >= units)
            exit(2);
        gain[(size_t)layer * units + unit] = 0;
    }
    return gain;
}

static int compare(const char *a_path, const char *b_path, double tolerance, const char *kind,
                   const char *list)
{
    opened a, b;
    syn_edit edit;
    open_model(&a, a_path);
    open_model(&b, b_path);
    const size_t n = (size_t)TOKENS * a.model.vocab;
    memset(&edit, 0, sizeof edit);
    if (kind && !strcmp(kind, "heads")) edit.head_gain = gains(list, a.model.layers, a.model.heads);
    else if (kind) edit.expert_gain = gains(list, a.model.layers, a.model.experts);
    const float *intact = logits(&a, NULL), *wanted = logits(&a, &edit), *got = logits(&b, NULL);
    const double effect = largest_difference(wanted, intact, n),
                 off = largest_difference(wanted, got, n);
    printf("off by %.3g, the effect is %.3g\n", off, effect);
    if (kind && !(effect > 100 * off && effect > 1e-3)) return 1;
    return !(off <= tolerance);
}

/* ---- keys and tensors -------------------------------------------------------------------- */

static void print_texts(const opened *o, const syn_gguf_value *v)
{
    const unsigned char *at = o->bytes + v->offset;
    for (uint64_t i = 0; i < v->count; i++) {
        const int n = at[0] | at[1] << 8;
        printf("%s%.*s", i ? " " : "", n, (const char *)at + 8);
        at += 8 + n;
    }
    printf("\n");
}

static void print_counts(const opened *o, const syn_gguf_value *v)
{
    for (uint64_t i = 0; i < v->count; i++)
        printf("%s%u", i ? " " : "", (unsigned)o->bytes[v->offset + 4 * i]);
    printf("\n");
}

static int print_key(const char *path, const char *name)
{
    opened o;
    syn_gguf_value v;
    syn_error err;
    bool present;
    open_file(&o, path);
    if (syn_gguf_find(&o.gguf, name, &v, &present, &err) || !present) return 1;
    const unsigned char *at = o.bytes + v.offset;
    double number;
    memcpy(&number, at, sizeof number);
    if (v.array && v.type == SYN_GGUF_STRING) print_texts(&o, &v);
    else if (v.array && v.type == SYN_GGUF_I32) print_counts(&o, &v);
    else if (v.type == SYN_GGUF_STRING) printf("%.*s\n", (int)v.bytes, (const char *)at);
    else if (v.type == SYN_GGUF_F64) printf("%.17g\n", number);
    else if (v.type == SYN_GGUF_U32) printf("%u\n", (unsigned)at[0] | (unsigned)at[1] << 8);
    else return 1;
    return 0;
}

static int find_tensor(const opened *o, const char *name, size_t n, syn_gguf_tensor *t)
{
    syn_error err;
    uint64_t at = o->gguf.tensors_at;
    for (uint64_t i = 0; i < o->gguf.tensors; i++, at = t->next_at) {
        if (syn_gguf_tensor_at(&o->gguf, at, t, &err)) fail("tensor", &err);
        if (t->name_bytes == n && !memcmp(o->bytes + t->name_at, name, n)) return (int)i;
    }
    return -1;
}

static int print_tensor(const char *path, const char *name)
{
    opened o;
    syn_gguf_tensor t;
    open_file(&o, path);
    if (find_tensor(&o, name, strlen(name), &t) < 0) return 1;
    printf("%s [", syn_type_find(t.type)->name);
    for (uint32_t i = 0; i < t.dims; i++) printf("%s%u", i ? ", " : "", (unsigned)t.ne[i]);
    printf("]\n");
    return 0;
}

static int print_zeros(const char *path, const char *name)
{
    opened o;
    syn_gguf_tensor t;
    size_t zeros = 0;
    open_file(&o, path);
    if (find_tensor(&o, name, strlen(name), &t) < 0) return 1;
    const size_t n = (size_t)(t.ne[0] * t.ne[1] * t.ne[2] * t.ne[3]);
    float *value = (float *)malloc(n * sizeof *value);
    syn_type_to_float(syn_type_find(t.type), o.bytes + t.offset, value, n);
    for (size_t i = 0; i < n; i++) zeros += value[i] == 0;
    printf("%zu\n", zeros);
    return 0;
}

static int write_file(const char *path, const gguf_out *f)
{
    FILE *to = fopen(path, "wb");
    const int good = to && fwrite(f->bytes, 1, f->size, to) == f->size;
    return !(to && fclose(to) == 0 && good);
}

/* Half of the tensors; all keys, too, in the first half. */
static int write_half(const opened *o, const char *folder, uint32_t half)
{
    char path[1024];
    gguf_out f;
    syn_gguf_tensor t;
    syn_error err;
    const uint64_t middle = o->gguf.tensors / 2, align = o->gguf.alignment;
    gguf_begin(&f, 3);
    if (!half) {
        gguf_put(&f, o->bytes + o->gguf.keys_at, (size_t)(o->gguf.tensors_at - o->gguf.keys_at));
        gguf_set(&f, 16, f.keys = o->gguf.keys, 8);
    }
    gguf_u32(&f, "split.no", half);
    gguf_u32(&f, "split.count", 2);
    gguf_set(&f, 8, half ? o->gguf.tensors - middle : middle, 8);
    for (int data = 0; data < 2; data++) { /* infos, then data */
        uint64_t at = o->gguf.tensors_at, offset = 0;
        if (data) gguf_put(&f, NULL, (size_t)((align - f.size % align) % align));
        for (uint64_t i = 0; i < o->gguf.tensors; i++, at = t.next_at) {
            if (syn_gguf_tensor_at(&o->gguf, at, &t, &err)) return 1;
            const uint64_t room = (t.bytes + align - 1) / align * align;
            if ((i >= middle) != half) continue;
            if (data) gguf_put(&f, o->bytes + t.offset, (size_t)t.bytes);
            if (data) gguf_put(&f, NULL, (size_t)(room - t.bytes));
            if (!data) gguf_put(&f, o->bytes + at, (size_t)(t.next_at - 8 - at));
            if (!data) gguf_int(&f, offset, 8);
            offset += room;
        }
    }
    snprintf(path, sizeof path, "%s/m-%05u-of-00002.gguf", folder, half + 1);
    return write_file(path, &f);
}

/* The file with another array under this key; the data stay aligned. */
static int write_counts(const char *path, const char *to, const char *name, int f32, char **value,
                        int values)
{
    opened o;
    gguf_out f;
    syn_gguf_value v;
    syn_error err;
    bool present;
    syn_gguf_tensor t;
    open_file(&o, path);
    uint64_t infos_end = o.gguf.tensors_at;
    for (uint64_t i = 0; i < o.gguf.tensors; i++, infos_end = t.next_at)
        if (syn_gguf_tensor_at(&o.gguf, infos_end, &t, &err)) return 1;
    if (syn_gguf_find(&o.gguf, name, &v, &present, &err) || !present || !v.array) return 1;
    memset(&f, 0, sizeof f);
    gguf_put(&f, o.bytes, (size_t)v.offset - 12); /* up to the element type */
    gguf_int(&f, f32 ? SYN_GGUF_F32 : SYN_GGUF_I32, 4);
    gguf_int(&f, (uint64_t)values, 8);
    for (int i = 0; i < values; i++)
        gguf_int(&f, f32 ? gguf_bits_f32((float)atof(value[i])) : (uint64_t)atoi(value[i]), 4);
    gguf_put(&f, o.bytes + v.offset + v.bytes, (size_t)(infos_end - v.offset - v.bytes));
    gguf_put(&f, NULL, (size_t)((o.gguf.alignment - f.size % o.gguf.alignment) % o.gguf.alignment));
    gguf_put(&f, o.bytes + o.gguf.data_at, o.size - (size_t)o.gguf.data_at);
    return write_file(to, &f);
}

static int write_halves(const char *path, const char *folder)
{
    opened o;
    open_file(&o, path);
    return write_half(&o, folder, 0) || write_half(&o, folder, 1);
}

static int is_listed(const char *name, char **part, int parts)
{
    for (int i = 0; i < parts; i++)
        if (strstr(name, part[i])) return 1;
    return 0;
}

static int same_tensors(const opened *a, const opened *b, char **part, int parts)
{
    syn_error err;
    syn_gguf_tensor s, t;
    uint64_t at = a->gguf.tensors_at;
    if (a->gguf.tensors != b->gguf.tensors) return printf("another number of tensors\n"), 1;
    for (uint64_t i = 0; i < a->gguf.tensors; i++, at = s.next_at) {
        char name[128];
        if (syn_gguf_tensor_at(&a->gguf, at, &s, &err)) fail("tensor", &err);
        snprintf(name, sizeof name, "%.*s", (int)s.name_bytes, (const char *)a->bytes + s.name_at);
        if (find_tensor(b, name, strlen(name), &t) != (int)i)
            return printf("%s is not there\n", name), 1;
        if (is_listed(name, part, parts)) continue;
        if (s.type != t.type || s.dims != t.dims || memcmp(s.ne, t.ne, sizeof s.ne) ||
            s.bytes != t.bytes || memcmp(a->bytes + s.offset, b->bytes + t.offset, (size_t)s.bytes))
            return printf("%s has changed\n", name), 1;
        if ((t.offset - b->gguf.data_at) % b->gguf.alignment)
            return printf("%s lies askew\n", name), 1;
    }
    return 0;
}

static int same_keys(const opened *a, const opened *b)
{
    static const char *const name[] = {"general.architecture", "general.name",
                                       "general.alignment",    "tokenizer.ggml.tokens",
                                       "tokenizer.ggml.model", "tokenizer.ggml.token_type",
                                       "tokenizer.ggml.merges"};
    for (size_t k = 0; k < sizeof name / sizeof name[0]; k++) {
        syn_gguf_value v, w;
        bool in_a = false, in_b = false;
        syn_error err;
        if (syn_gguf_find(&a->gguf, name[k], &v, &in_a, &err) ||
            syn_gguf_find(&b->gguf, name[k], &w, &in_b, &err))
            fail(name[k], &err);
        if (in_a != in_b ||
            (in_a && (v.bytes != w.bytes || v.type != w.type ||
                      memcmp(a->bytes + v.offset, b->bytes + w.offset, (size_t)v.bytes))))
            return printf("key %s has changed\n", name[k]), 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (!strcmp(what, "gain") && argc == 7)
        return compare(argv[2], argv[3], atof(argv[4]), argv[5], argv[6]);
    if (!strcmp(what, "same") && argc == 5)
        return compare(argv[2], argv[3], atof(argv[4]), NULL, NULL);
    if (!strcmp(what, "key") && argc == 4) return print_key(argv[2], argv[3]);
    if (!strcmp(what, "tensor") && argc == 4) return print_tensor(argv[2], argv[3]);
    if (!strcmp(what, "zeros") && argc == 4) return print_zeros(argv[2], argv[3]);
    if (!strcmp(what, "counts") && argc > 6)
        return write_counts(argv[2], argv[3], argv[4], !strcmp(argv[5], "f32"), argv + 6, argc - 6);
    if (!strcmp(what, "split") && argc == 4) return write_halves(argv[2], argv[3]);
    if (!strcmp(what, "others") && argc >= 4) {
        opened a, b;
        open_file(&a, argv[2]);
        open_file(&b, argv[3]);
        return same_keys(&a, &b) || same_tensors(&a, &b, argv + 4, argc - 4);
    }
    printf("usage: see the head of prune_tool.c\n");
    return 2;
}
