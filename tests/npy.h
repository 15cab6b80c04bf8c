/* npy.h - reads .npy files (versions 1 to 3, little-endian, C order) and whole files; C99 and
   C++17.

   npy a;
   if (npy_load(&a, path, NPY_F8)) use a.f8[i], i < a.count, a.shape[0..a.dims-1];
   npy_free(&a);

   Elements are converted to the type asked for: any number to NPY_F8 and NPY_F4, any integer to
   NPY_I4 (a value that does not fit fails). NPY_RAW keeps the file's own type, see a.kind. Files
   hold f8 f4 f2 i8 i4 i2 i1 u8 u4 u2 u1 b1. On failure the functions print why and return 0. */
#ifndef NPY_H_INCLUDED
#define NPY_H_INCLUDED

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>

enum { NPY_DIMS = 8 };

typedef enum npy_kind {
    NPY_RAW,
    NPY_F8,
    NPY_F4,
    NPY_F2,
    NPY_I8,
    NPY_I4,
    NPY_I2,
    NPY_I1,
    NPY_U8,
    NPY_U4,
    NPY_U2,
    NPY_U1
} npy_kind;

typedef struct npy {
    npy_kind kind;
    int dims;
    size_t shape[NPY_DIMS];
    size_t count; /* product of the shape */
    void *data;   /* malloc'ed; the pointers below are this one, typed */
    double *f8;
    float *f4;
    int64_t *i8;
    int32_t *i4;
    int16_t *i2;
    int8_t *i1;
    uint64_t *u8;
    uint32_t *u4;
    uint16_t *u2; /* also the bits of NPY_F2 */
    uint8_t *u1;
} npy;

/* The whole file in malloc'ed memory with a zero byte after it (not counted in *size). */
static inline unsigned char *file_load(const char *path, size_t *size)
{
    unsigned char *data = NULL;
    size_t used = 0, room = 0;
    FILE *f = path ? fopen(path, "rb") : NULL;
    if (!f) {
        printf("cannot open %s\n", path ? path : "(null)");
        return NULL;
    }
    for (;;) {
        size_t n;
        if (room - used < 2) {
            unsigned char *more;
            room = room ? room * 2 : 1u << 16;
            more = (unsigned char *)realloc(data, room);
            if (!more) break;
            data = more;
        }
        n = fread(data + used, 1, room - used - 1, f);
        used += n;
        if (!n) {
            int bad = ferror(f);
            fclose(f);
            if (bad) break;
            data[used] = 0;
            if (size) *size = used;
            return data;
        }
    }
    printf("cannot read %s\n", path);
    free(data);
    return NULL;
}

static inline void npy_free(npy *a)
{
    free(a->data);
    memset(a, 0, sizeof *a);
}

static inline size_t npy_size_of(npy_kind kind)
{
    switch (kind) {
    case NPY_F8:
    case NPY_I8:
    case NPY_U8: return 8;
    case NPY_F4:
    case NPY_I4:
    case NPY_U4: return 4;
    case NPY_F2:
    case NPY_I2:
    case NPY_U2: return 2;
    default: return 1;
    }
}

static inline uint64_t npy_bits_(const unsigned char *p, size_t n)
{
    uint64_t v = 0;
    while (n--) v = v << 8 | p[n];
    return v;
}

static inline double npy_half_(unsigned h)
{
    int e = (int)(h >> 10 & 31), m = (int)(h & 1023);
    double v = e == 31 ? (m ? (double)NAN : (double)INFINITY)
               : e     ? ldexp(1024.0 + m, e - 25)
                       : ldexp((double)m, -24);
    return h & 0x8000u ? -v : v;
}

/* One element of the file as a double (64-bit integers beyond 2^53 are rounded). */
static inline double npy_number_(const unsigned char *p, npy_kind kind)
{
    uint64_t v = npy_bits_(p, npy_size_of(kind));
    uint32_t v4 = (uint32_t)v;
    double d;
    float f;
    switch (kind) {
    case NPY_F8: memcpy(&d, &v, 8); return d;
    case NPY_F4: memcpy(&f, &v4, 4); return (double)f;
    case NPY_F2: return npy_half_((unsigned)v);
    case NPY_I8: return v >> 63 ? -(double)(~v) - 1.0 : (double)v;
    case NPY_I4: return v >> 31 ? (double)v - 4294967296.0 : (double)v;
    case NPY_I2: return v >> 15 ? (double)v - 65536.0 : (double)v;
    case NPY_I1: return v >> 7 ? (double)v - 256.0 : (double)v;
    default: return (double)v;
    }
}

static inline npy_kind npy_kind_of_(const char *descr)
{
    static const struct {
        char text[4];
        npy_kind kind;
    } known[] = {{"f8", NPY_F8}, {"f4", NPY_F4}, {"f2", NPY_F2}, {"i8", NPY_I8},
                 {"i4", NPY_I4}, {"i2", NPY_I2}, {"i1", NPY_I1}, {"u8", NPY_U8},
                 {"u4", NPY_U4}, {"u2", NPY_U2}, {"u1", NPY_U1}, {"b1", NPY_U1}};
    if (descr[0] == '>' && descr[2] != '1') return NPY_RAW;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!strncmp(descr + 1, known[i].text, 2) && descr[3] == '\'') return known[i].kind;
    }
    return NPY_RAW;
}

/* Reads the header's dictionary: type, order, shape. The text is NUL-terminated. */
static inline int npy_header_(npy *a, const char *text)
{
    const char *p = strstr(text, "'descr':"), *q;
    if (!p || !(p = strchr(p + 8, '\''))) return 0;
    a->kind = npy_kind_of_(p + 1);
    if (a->kind == NPY_RAW || !strstr(text, "'fortran_order': False")) return 0;
    p = strstr(text, "'shape':");
    if (!p || !(p = strchr(p, '(')) || !(q = strchr(p, ')'))) return 0;
    a->count = 1;
    for (p++; p < q; p++) {
        char *end;
        if (*p < '0' || *p > '9') continue;
        if (a->dims == NPY_DIMS) return 0;
        a->shape[a->dims] = (size_t)strtoull(p, &end, 10);
        a->count *= a->shape[a->dims++];
        p = end;
    }
    return 1;
}

static inline int npy_convert_(npy *a, const unsigned char *from, npy_kind want)
{
    size_t step = npy_size_of(a->kind), n = a->count;
    a->data = malloc(n * npy_size_of(want) + 1);
    if (!a->data) return 0;
    for (size_t i = 0; i < n; i++) {
        double v = npy_number_(from + i * step, a->kind);
        if (want == a->kind) {
            uint64_t bits = npy_bits_(from + i * step, step);
            uint32_t b4 = (uint32_t)bits;
            uint16_t b2 = (uint16_t)bits;
            uint8_t b1 = (uint8_t)bits;
            unsigned char *to = (unsigned char *)a->data + i * step;
            if (step == 8) memcpy(to, &bits, 8);
            if (step == 4) memcpy(to, &b4, 4);
            if (step == 2) memcpy(to, &b2, 2);
            if (step == 1) *to = b1;
        } else if (want == NPY_F8) {
            ((double *)a->data)[i] = v;
        } else if (want == NPY_F4) {
            ((float *)a->data)[i] = (float)v;
        } else if (want == NPY_I4 && a->kind > NPY_F2 && v >= -2147483648.0 && v <= 2147483647.0) {
            ((int32_t *)a->data)[i] = (int32_t)v;
        } else {
            return 0;
        }
    }
    a->kind = want;
    return 1;
}

/* Loads path; 1 on success. Free with npy_free (harmless after a failure). */
static inline int npy_load(npy *a, const char *path, npy_kind want)
{
    size_t size = 0, head = 0, length = 0;
    unsigned char *file = file_load(path, &size);
    char *text = NULL;
    int good = 0;
    memset(a, 0, sizeof *a);
    if (!file) return 0;
    if (size > 12 && !memcmp(file, "\x93NUMPY", 6)) {
        head = file[6] > 1 ? 12 : 10;
        length = (size_t)npy_bits_(file + 8, head - 8);
    }
    if (head && length <= size - head && (text = (char *)malloc(length + 1)) != NULL) {
        memcpy(text, file + head, length);
        text[length] = 0;
        good = npy_header_(a, text) && a->count <= (size - head - length) / npy_size_of(a->kind) &&
               npy_convert_(a, file + head + length, want == NPY_RAW ? a->kind : want);
    }
    if (!good) {
        printf("%s: not an .npy file of the type asked for\n", path);
        npy_free(a);
    }
    a->f8 = (double *)a->data;
    a->f4 = (float *)a->data;
    a->i8 = (int64_t *)a->data;
    a->i4 = (int32_t *)a->data;
    a->i2 = (int16_t *)a->data;
    a->i1 = (int8_t *)a->data;
    a->u8 = (uint64_t *)a->data;
    a->u4 = (uint32_t *)a->data;
    a->u2 = (uint16_t *)a->data;
    a->u1 = (uint8_t *)a->data;
    free(text);
    free(file);
    return good;
}

#endif
