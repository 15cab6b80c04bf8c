/* gguf_write.h - puts GGUF files together in memory, right ones and wrong ones; C99 and C++17.

   gguf_out f;
   gguf_begin(&f, 3);
   gguf_u32(&f, "llama.block_count", 2); gguf_text(&f, "general.name", "x"); ...   keys first,
   gguf_tensor(&f, "output_norm.weight", GGUF_F32, 2, 4, 1, 0, 0);                 then tensors,
   gguf_end(&f);                                                                   then their data,
   zero
   ... f.bytes, f.size ...  gguf_free(&f);

   Everything is written byte by byte, little endian, on any machine. */
#ifndef GGUF_WRITE_H_INCLUDED
#define GGUF_WRITE_H_INCLUDED

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { GGUF_F32 = 0, GGUF_Q8_0 = 8 }; /* ggml's numbers of two tensor types */

typedef struct gguf_out {
    unsigned char *bytes;
    size_t size, room;
    uint64_t keys, tensors;
    uint64_t alignment;  /* of the data; 32 unless set after gguf_begin */
    uint64_t data_bytes; /* of all tensors so far, padding included */
    size_t last_offset;  /* where the last tensor's data offset stands in the file */
} gguf_out;

static inline void gguf_put(gguf_out *f, const void *from, size_t n)
{
    if (f->size + n > f->room) {
        f->room = 2 * (f->size + n) + 256;
        f->bytes = (unsigned char *)realloc(f->bytes, f->room);
        if (!f->bytes) abort();
    }
    if (n && from) memcpy(f->bytes + f->size, from, n);
    if (n && !from) memset(f->bytes + f->size, 0, n);
    f->size += n;
}

static inline void gguf_set(gguf_out *f, size_t at, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) f->bytes[at + i] = (unsigned char)(value >> (8 * i));
}

static inline void gguf_int(gguf_out *f, uint64_t value, size_t bytes)
{
    gguf_put(f, NULL, bytes);
    gguf_set(f, f->size - bytes, value, bytes);
}

static inline void gguf_string(gguf_out *f, const char *text, size_t n)
{
    gguf_int(f, n, 8);
    gguf_put(f, text, n);
}

static inline void gguf_begin(gguf_out *f, uint32_t version)
{
    memset(f, 0, sizeof *f);
    f->alignment = 32;
    gguf_put(f, "GGUF", 4);
    gguf_int(f, version, 4);
    gguf_int(f, 0, 8); /* tensors, keys: counted up as they come */
    gguf_int(f, 0, 8);
}

/* A key and its type; the value follows. */
static inline void gguf_key(gguf_out *f, const char *key, uint32_t type)
{
    gguf_string(f, key, strlen(key));
    gguf_int(f, type, 4);
    gguf_set(f, 16, ++f->keys, 8);
}

static inline void gguf_number(gguf_out *f, const char *key, uint32_t type, uint64_t bits,
                               size_t bytes)
{
    gguf_key(f, key, type);
    gguf_int(f, bits, bytes);
}

static inline void gguf_u32(gguf_out *f, const char *key, uint32_t value)
{
    gguf_number(f, key, 4, value, 4);
}

static inline uint64_t gguf_bits_f32(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline uint64_t gguf_bits_f64(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline void gguf_f32(gguf_out *f, const char *key, float value)
{
    gguf_number(f, key, 6, gguf_bits_f32(value), 4);
}

static inline void gguf_text(gguf_out *f, const char *key, const char *text)
{
    gguf_key(f, key, 8);
    gguf_string(f, text, strlen(text));
}

/* An array's head; `count` elements follow. */
static inline void gguf_array(gguf_out *f, const char *key, uint32_t type, uint64_t count)
{
    gguf_key(f, key, 9);
    gguf_int(f, type, 4);
    gguf_int(f, count, 8);
}

/* A tensor info as given; nothing is checked. */
static inline void gguf_info(gguf_out *f, const char *name, uint32_t type, uint32_t dims,
                             const uint64_t *ne, uint64_t offset)
{
    gguf_string(f, name, strlen(name));
    gguf_int(f, dims, 4);
    for (uint32_t i = 0; i < dims; i++) gguf_int(f, ne[i], 8);
    gguf_int(f, type, 4);
    f->last_offset = f->size;
    gguf_int(f, offset, 8);
    gguf_set(f, 8, ++f->tensors, 8);
}

/* A tensor of GGUF_F32 or GGUF_Q8_0 behind those before it; 1 to 4 dimensions, the rest 0. */
static inline void gguf_tensor(gguf_out *f, const char *name, uint32_t type, uint64_t a, uint64_t b,
                               uint64_t c, uint64_t d)
{
    const uint64_t ne[4] = {a, b, c, d};
    const uint64_t align = f->alignment;
    uint64_t n = 1, bytes;
    uint32_t dims = 0;
    while (dims < 4 && ne[dims]) n *= ne[dims++];
    bytes = type == GGUF_Q8_0 ? n / 32 * 34 : n * 4;
    gguf_info(f, name, type, dims, ne, f->data_bytes);
    f->data_bytes += (bytes + align - 1) / align * align;
}

/* Room for the data, all zero; the file ends where they end. Returns where they begin. */
static inline size_t gguf_end(gguf_out *f)
{
    const size_t align = (size_t)f->alignment;
    size_t at;
    gguf_put(f, NULL, (align - f->size % align) % align);
    at = f->size;
    gguf_put(f, NULL, (size_t)f->data_bytes);
    return at;
}

/* The file in a block of its exact size, so that a sanitizer sees a read past its end. */
static inline void gguf_fit(gguf_out *f)
{
    unsigned char *exact = (unsigned char *)malloc(f->size ? f->size : 1);
    if (!exact) abort();
    memcpy(exact, f->bytes, f->size);
    free(f->bytes);
    f->bytes = exact;
    f->room = f->size;
}

static inline void gguf_free(gguf_out *f)
{
    free(f->bytes);
    memset(f, 0, sizeof *f);
}

/* ------------------------------------------------------------------ sources over such a file */

/* A read callback that counts its calls, checks its promises, and fails once, at the n-th call. */
typedef struct gguf_reader {
    const unsigned char *bytes;
    size_t size;
    uint64_t calls, fail_at; /* fail_at 0: never */
    uint64_t read;           /* bytes handed out */
    int broken;              /* asked past the end, or for nothing */
} gguf_reader;

static inline bool gguf_reader_read(void *user, uint64_t offset, void *to, size_t n)
{
    gguf_reader *r = (gguf_reader *)user;
    if (offset > r->size || n > r->size - offset || !n) {
        r->broken = 1;
        return false;
    }
    if (++r->calls == r->fail_at) return false;
    memcpy(to, r->bytes + offset, n);
    r->read += n;
    return true;
}

static inline syn_source gguf_reader_source(gguf_reader *r, const gguf_out *f)
{
    memset(r, 0, sizeof *r);
    r->bytes = f->bytes;
    r->size = f->size;
    return syn_source_callback(gguf_reader_read, r, f->size);
}

/* One printable line, as every error must be. */
static inline int gguf_is_line(const char *text)
{
    size_t i = 0;
    while (text[i] >= 32 && text[i] < 127) i++;
    return i > 0 && !text[i] && i < SYN_ERROR_TEXT_BYTES;
}

#endif
