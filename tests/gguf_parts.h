/* gguf_parts.h - a GGUF file taken apart, and put together again with things changed; C99 and
   C++17.

   parts g;  change c;            zero: nothing changes
   take_apart(&g, path);          0 where the file is not there or has more parts than fit
   file = put_together(&g, &c, &bytes);   malloc'ed; free(g.file) in the end

   The files are the tiny reference models, known to be sound. */
#ifndef GGUF_PARTS_H_INCLUDED
#define GGUF_PARTS_H_INCLUDED

#include "npy.h"

/* ---- a GGUF taken apart ---- */

enum { MAX_KEYS = 64, MAX_TENSORS = 128, NAME = 64, MAX_NEW = 64 };

typedef struct key_at {
    char name[NAME];
    size_t at, bytes;
} key_at; /* name and value as they lie */
typedef struct tensor_at {
    char name[NAME];
    uint32_t dims, type;
    uint64_t ne[4], offset;
} tensor_at;

typedef struct parts {
    unsigned char *file;
    size_t bytes, data; /* where the data begins */
    key_at key[MAX_KEYS];
    tensor_at tensor[MAX_TENSORS];
    size_t keys, tensors;
} parts;

static inline uint32_t u32_at(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t u64_at(const unsigned char *p)
{
    return u32_at(p) | (uint64_t)u32_at(p + 4) << 32;
}

static inline size_t name_at(const unsigned char *p, char name[NAME])
{
    const size_t n = (size_t)u64_at(p), kept = n < NAME - 1 ? n : NAME - 1;
    memcpy(name, p + 8, kept);
    name[kept] = 0;
    return 8 + n;
}

/* Bytes of a value of this kind; the files are known to be sound. */
static inline size_t value_bytes(const unsigned char *p, uint32_t kind)
{
    static const size_t size[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    if (kind == 8) return 8 + (size_t)u64_at(p);
    if (kind == 9) {
        const uint32_t of = u32_at(p);
        size_t n = 12;
        uint64_t i, count = u64_at(p + 4);
        for (i = 0; i < count; i++) n += value_bytes(p + n, of);
        return n;
    }
    return size[kind];
}

static inline int take_apart(parts *g, const char *path)
{
    const unsigned char *p;
    size_t i, d;
    memset(g, 0, sizeof *g);
    g->file = file_load(path, &g->bytes);
    if (!g->file) return 0;
    g->tensors = (size_t)u64_at(g->file + 8);
    g->keys = (size_t)u64_at(g->file + 16);
    if (g->tensors > MAX_TENSORS || g->keys > MAX_KEYS) return 0;
    for (p = g->file + 24, i = 0; i < g->keys; i++) {
        const unsigned char *start = p;
        p += name_at(p, g->key[i].name);
        p += 4 + value_bytes(p + 4, u32_at(p));
        g->key[i].at = (size_t)(start - g->file);
        g->key[i].bytes = (size_t)(p - start);
    }
    for (i = 0; i < g->tensors; i++) {
        tensor_at *t = &g->tensor[i];
        p += name_at(p, t->name);
        t->dims = u32_at(p);
        p += 4;
        for (d = 0; d < t->dims; d++, p += 8) t->ne[d] = u64_at(p);
        t->type = u32_at(p);
        t->offset = u64_at(p + 4);
        p += 12;
    }
    g->data = ((size_t)(p - g->file) + 31) / 32 * 32;
    return 1;
}

/* ---- and put together again, with one thing changed ---- */

/* A key's value as it lies in a file, its kind in front. */
typedef struct new_key {
    char name[NAME];
    unsigned char value[256];
    size_t bytes;
} new_key;

typedef struct new_tensor {
    char name[NAME];
    uint32_t dims;
    uint64_t ne[4];
    float centre;
} new_tensor;

typedef struct change {
    const char *drop_key, *drop_tensor;
    const char *key; /* set to: */
    uint32_t kind;   /* 4 u32, 6 f32, 8 text */
    uint32_t number;
    float real;
    const char *text;
    const char *shape;       /* this tensor's last dimension becomes one less */
    const char *rename, *to; /* a tensor */
    const new_key *set;      /* keys beside that one; raw value with its kind */
    size_t sets;
    const new_tensor *add; /* F32, see filling() */
    size_t adds;
} change;

typedef struct writer {
    unsigned char *at;
    size_t used;
} writer;

static inline void w_bytes(writer *w, const void *data, size_t n)
{
    memcpy(w->at + w->used, data, n);
    w->used += n;
}

static inline void w_u32(writer *w, uint32_t v)
{
    unsigned char b[4];
    int i;
    for (i = 0; i < 4; i++) b[i] = (unsigned char)(v >> 8 * i & 255u);
    w_bytes(w, b, 4);
}

static inline void w_u64(writer *w, uint64_t v)
{
    w_u32(w, (uint32_t)(v & 0xffffffffu));
    w_u32(w, (uint32_t)(v >> 32));
}

static inline void w_text(writer *w, const char *text)
{
    w_u64(w, strlen(text));
    w_bytes(w, text, strlen(text));
}

static inline void w_key(writer *w, const change *c)
{
    uint32_t bits;
    memcpy(&bits, &c->real, 4);
    w_text(w, c->key);
    w_u32(w, c->kind);
    if (c->kind == 8) w_text(w, c->text);
    else w_u32(w, c->kind == 6 ? bits : c->number);
}

static inline int same(const char *a, const char *b)
{
    return a && b && !strcmp(a, b);
}

static inline uint64_t elements_of(const new_tensor *t)
{
    uint64_t n = 1;
    uint32_t d;
    for (d = 0; d < t->dims; d++) n *= t->ne[d];
    return n;
}

/* Element i of a tensor that is added. */
static inline float filling(const new_tensor *t, uint64_t i)
{
    return t->centre + ((float)((37 * i + 11) % 64) - 31.5f) / 64.0f;
}

static inline const new_key *set_of(const change *c, const char *name)
{
    size_t i;
    for (i = 0; i < c->sets; i++)
        if (same(c->set[i].name, name)) return &c->set[i];
    return NULL;
}

/* Keys, as they were or as they are set. */
static inline void w_keys(writer *w, const parts *g, const change *c)
{
    const size_t count_at = w->used;
    uint64_t count = 0;
    size_t i, k;
    w_u64(w, 0);
    for (i = 0; i < g->keys; i++) {
        if (same(g->key[i].name, c->drop_key) || same(g->key[i].name, c->key) ||
            set_of(c, g->key[i].name))
            continue;
        w_bytes(w, g->file + g->key[i].at, g->key[i].bytes);
        count++;
    }
    for (k = 0; k < c->sets; k++, count++) {
        w_text(w, c->set[k].name);
        w_bytes(w, c->set[k].value, c->set[k].bytes);
    }
    if (c->key) {
        w_key(w, c);
        count++;
    }
    k = w->used;
    w->used = count_at;
    w_u64(w, count);
    w->used = k;
}

static inline void w_info(writer *w, const char *name, uint32_t dims, const uint64_t *ne,
                          uint32_t type, uint64_t offset)
{
    uint32_t d;
    w_text(w, name);
    w_u32(w, dims);
    for (d = 0; d < dims; d++) w_u64(w, ne[d]);
    w_u32(w, type);
    w_u64(w, offset);
}

static inline unsigned char *put_together(const parts *g, const change *c, size_t *bytes)
{
    writer w;
    size_t i, room = g->bytes + 4096, tensors = g->tensors + c->adds;
    uint64_t k, end = (g->bytes - g->data + 31) / 32 * 32; /* of the data so far */
    for (i = 0; i < c->sets; i++) room += NAME + sizeof c->set[i].value;
    for (i = 0; i < c->adds; i++) room += 2 * NAME + 64 + 4 * (size_t)elements_of(&c->add[i]);
    w.at = (unsigned char *)calloc(1, room);
    w.used = 0;
    for (i = 0; i < g->tensors; i++) tensors -= same(g->tensor[i].name, c->drop_tensor) ? 1 : 0;
    w_bytes(&w, g->file, 8);
    w_u64(&w, tensors);
    w_keys(&w, g, c);
    for (i = 0; i < g->tensors; i++) {
        tensor_at t = g->tensor[i];
        if (same(t.name, c->drop_tensor)) continue;
        if (same(t.name, c->shape)) t.ne[t.dims - 1]--;
        w_info(&w, same(t.name, c->rename) ? c->to : t.name, t.dims, t.ne, t.type, t.offset);
    }
    for (i = 0; i < c->adds; i++) {
        w_info(&w, c->add[i].name, c->add[i].dims, c->add[i].ne, 0, end);
        end += (4 * elements_of(&c->add[i]) + 31) / 32 * 32;
    }
    w.used = (w.used + 31) / 32 * 32;
    w_bytes(&w, g->file + g->data, g->bytes - g->data);
    for (i = 0; i < c->adds; i++) {
        w.used = (w.used + 31) / 32 * 32;
        for (k = 0; k < elements_of(&c->add[i]); k++) {
            const float value = filling(&c->add[i], k);
            uint32_t bits;
            memcpy(&bits, &value, 4);
            w_u32(&w, bits);
        }
    }
    *bytes = w.used;
    return w.at;
}

#endif
