/* npy.c - arrays in numpy's format (NEP 1): versions 1.0 to 3.0, C and Fortran order, both byte
   orders. Nothing of the header is used before it has been checked against the file's size. */
#include "base/npy.h"
#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *code, *text;
    size_t bytes;
} type_table[NPY_TYPES] = {
    {"f2", "float16", 2}, {"f4", "float32", 4}, {"f8", "float64", 8}, {"i1", "int8", 1},
    {"i2", "int16", 2},   {"i4", "int32", 4},   {"i8", "int64", 8},   {"u1", "uint8", 1},
    {"u2", "uint16", 2},  {"u4", "uint32", 4},  {"u8", "uint64", 8},  {"b1", "bool", 1},
};

const char *npy_type_text(npy_type type)
{
    return type_table[type].text;
}

bool npy_is_float(const npy *a)
{
    return a->type == NPY_F16 || a->type == NPY_F32 || a->type == NPY_F64;
}

void npy_shape_text(const npy *a, char *to, size_t room)
{
    size_t n = (size_t)snprintf(to, room, "(");
    for (int d = 0; d < a->dims && n < room; d++)
        n += (size_t)snprintf(to + n, room - n, "%s%llu", d ? ", " : "",
                              (unsigned long long)a->shape[d]);
    if (n < room) snprintf(to + n, room - n, a->dims == 1 ? ",)" : ")");
}

/* ---- the header: a Python dictionary -------------------------------------------------- */

typedef struct scan {
    const char *at, *end;
    const char *path;
    problem *why;
    bool bad;
} scan;

static void spaces(scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
        s->at++;
}

static bool take(scan *s, char c)
{
    spaces(s);
    if (s->at >= s->end || *s->at != c) return false;
    s->at++;
    return true;
}

static bool wrong(scan *s, const char *what)
{
    if (!s->bad) problem_set(s->why, "%s: npy header: %s", s->path, what);
    s->bad = true;
    return false;
}

static bool quoted(scan *s, char *to, size_t room)
{
    spaces(s);
    char quote = s->at < s->end ? *s->at : '\0';
    if (quote != '\'' && quote != '"') return false;
    const char *from = ++s->at;
    while (s->at < s->end && *s->at != quote) s->at++;
    if (s->at >= s->end) return wrong(s, "a quote is not closed");
    size_t n = (size_t)(s->at - from);
    s->at++;
    if (n >= room) return wrong(s, "a name is too long");
    memcpy(to, from, n);
    to[n] = '\0';
    return true;
}

static bool parse_type(scan *s, npy *a)
{
    char code[32];
    spaces(s);
    if (s->at < s->end && *s->at == '[') return wrong(s, "arrays of structures are not read");
    if (!quoted(s, code, sizeof code)) return wrong(s, "'descr' is not a text");
    const char *kind = code;
    a->big_endian = false;
    if (*kind == '<' || *kind == '>' || *kind == '|' || *kind == '=') {
        a->big_endian = *kind == '>';
        kind++;
    }
    for (int t = 0; t < NPY_TYPES; t++) {
        if (strcmp(kind, type_table[t].code)) continue;
        a->type = (npy_type)t;
        a->element_bytes = type_table[t].bytes;
        return true;
    }
    if (!s->bad)
        problem_set(s->why, "%s: arrays of type '%s' are not read (only floats and integers)",
                    s->path, code);
    s->bad = true;
    return false;
}

static bool parse_bool(scan *s, bool *value)
{
    spaces(s);
    size_t left = (size_t)(s->end - s->at);
    if (left >= 4 && memcmp(s->at, "True", 4) == 0) {
        *value = true;
        s->at += 4;
    } else if (left >= 5 && memcmp(s->at, "False", 5) == 0) {
        *value = false;
        s->at += 5;
    } else {
        return wrong(s, "'fortran_order' is neither True nor False");
    }
    return true;
}

static bool parse_length(scan *s, uint64_t *value)
{
    spaces(s);
    const char *from = s->at;
    *value = 0;
    for (; s->at < s->end && *s->at >= '0' && *s->at <= '9'; s->at++) {
        uint64_t digit = (uint64_t)(*s->at - '0');
        if (*value > (UINT64_MAX / 2 - digit) / 10) return wrong(s, "a dimension is too large");
        *value = *value * 10 + digit;
    }
    if (s->at == from) return wrong(s, "'shape' is not a list of whole numbers");
    if (s->at < s->end && *s->at == 'L') s->at++; /* written by Python 2 */
    return true;
}

static bool parse_shape(scan *s, npy *a)
{
    if (!take(s, '(')) return wrong(s, "'shape' is not a tuple");
    a->dims = 0;
    while (!take(s, ')')) {
        if (a->dims == NPY_DIMS) return wrong(s, "more than 8 dimensions");
        if (!parse_length(s, &a->shape[a->dims++])) return false;
        if (!take(s, ',') && !(s->at < s->end && *s->at == ')'))
            return wrong(s, "'shape' is not closed");
    }
    return true;
}

static bool parse_dictionary(scan *s, npy *a)
{
    bool type = false, order = false, shape = false;
    if (!take(s, '{')) return wrong(s, "does not begin with '{'");
    while (!take(s, '}')) {
        char key[32];
        if (!quoted(s, key, sizeof key)) return wrong(s, "a key is missing");
        if (!take(s, ':')) return wrong(s, "a ':' is missing");
        if (strcmp(key, "descr") == 0) type = parse_type(s, a);
        else if (strcmp(key, "fortran_order") == 0) order = parse_bool(s, &a->fortran);
        else if (strcmp(key, "shape") == 0) shape = parse_shape(s, a);
        else return wrong(s, "has a key that is not descr, fortran_order or shape");
        if (s->bad) return false;
        if (!take(s, ',') && !(s->at < s->end && *s->at == '}')) return wrong(s, "is not closed");
    }
    if (!type) return wrong(s, "'descr' is missing");
    if (!order) return wrong(s, "'fortran_order' is missing");
    if (!shape) return wrong(s, "'shape' is missing");
    return true;
}

/* ---- opening -------------------------------------------------------------------------- */

/* Finds the dictionary; *data_at is where the elements begin. */
static bool find_header(const file_view *v, const char *path, size_t *from, size_t *data_at,
                        problem *why)
{
    static const unsigned char magic[6] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
    const unsigned char *b = v->bytes;
    size_t have = v->size < 6 ? v->size : 6;
    if (have == 0) return problem_set(why, "%s: is empty, not an npy file", path);
    if (memcmp(b, magic, have)) return problem_set(why, "%s: not an npy file", path);
    if (v->size < 12) return problem_set(why, "%s: npy header: the file ends in it", path);
    if (b[6] < 1 || b[6] > 3)
        return problem_set(why, "%s: npy version %d.%d is not known", path, b[6], b[7]);
    uint64_t length = (uint64_t)b[8] | (uint64_t)b[9] << 8;
    if (b[6] > 1) length |= (uint64_t)b[10] << 16 | (uint64_t)b[11] << 24;
    *from = b[6] > 1 ? 12 : 10;
    if (length > v->size - *from)
        return problem_set(why, "%s: npy header: %llu bytes are declared, %llu are there", path,
                           (unsigned long long)length, (unsigned long long)(v->size - *from));
    *data_at = *from + (size_t)length;
    return true;
}

static bool check_size(npy *a, const char *path, uint64_t have, problem *why)
{
    char shape[200];
    npy_shape_text(a, shape, sizeof shape);
    a->count = 1;
    bool zero = false, too_much = false;
    for (int d = 0; d < a->dims; d++) {
        if (a->shape[d] == 0) zero = true;
        else if (a->count > UINT64_MAX / 16 / a->shape[d]) too_much = true;
        else a->count *= a->shape[d];
    }
    if (zero) a->count = 0;
    else if (too_much) return problem_set(why, "%s: shape %s is too large", path, shape);
    uint64_t wanted = a->count * a->element_bytes;
    if (wanted == have) return true;
    return problem_set(why, "%s: %s of shape %s takes %llu bytes, the file has %llu", path,
                       npy_type_text(a->type), shape, (unsigned long long)wanted,
                       (unsigned long long)have);
}

bool npy_open(npy *a, const char *path, problem *why)
{
    size_t from = 0, data_at = 0;
    memset(a, 0, sizeof *a);
    if (!file_map(&a->view, path, why)) return false;
    bool good = find_header(&a->view, path, &from, &data_at, why);
    if (good) {
        scan s = {(const char *)a->view.bytes + from, (const char *)a->view.bytes + data_at, path,
                  why, false};
        good = parse_dictionary(&s, a);
    }
    good = good && check_size(a, path, a->view.size - data_at, why);
    if (good) a->data = a->view.bytes + data_at;
    else npy_close(a);
    return good;
}

void npy_close(npy *a)
{
    file_unmap(&a->view);
    a->data = NULL;
}

/* ---- elements ------------------------------------------------------------------------- */

static uint64_t element_bits(const npy *a, uint64_t memory_index)
{
    const unsigned char *b = a->data + memory_index * a->element_bytes;
    uint64_t bits = 0;
    for (size_t i = 0; i < a->element_bytes; i++) {
        size_t k = a->big_endian ? i : a->element_bytes - 1 - i;
        bits = bits << 8 | b[k];
    }
    return bits;
}

static double half_double(uint32_t h)
{
    uint32_t exponent = h >> 10 & 31, fraction = h & 1023;
    double v;
    if (exponent == 31) v = fraction ? (double)NAN : (double)INFINITY;
    else if (exponent == 0) v = ldexp((double)fraction, -24);
    else v = ldexp((double)(fraction + 1024), (int)exponent - 25);
    return h >> 15 ? -v : v;
}

static int64_t sign_extended(uint64_t bits, size_t bytes)
{
    if (bytes == 8) return bits <= INT64_MAX ? (int64_t)bits : -(int64_t)(UINT64_MAX - bits) - 1;
    uint64_t top = (uint64_t)1 << (8 * bytes - 1);
    return bits & top ? (int64_t)(bits - top) - (int64_t)top : (int64_t)bits;
}

static double element_double(const npy *a, uint64_t memory_index)
{
    uint64_t bits = element_bits(a, memory_index);
    if (a->type == NPY_F64) {
        double v;
        memcpy(&v, &bits, sizeof v);
        return v;
    }
    if (a->type == NPY_F32) {
        uint32_t low = (uint32_t)bits;
        float v;
        memcpy(&v, &low, sizeof v);
        return (double)v;
    }
    if (a->type == NPY_F16) return half_double((uint32_t)bits);
    if (a->type >= NPY_I8 && a->type <= NPY_I64)
        return (double)sign_extended(bits, a->element_bytes);
    return (double)bits;
}

/* A walk over elements in C order that knows where each lies in memory. */
typedef struct walk {
    uint64_t digit[NPY_DIMS], stride[NPY_DIMS], at;
} walk;

static void walk_begin(walk *w, const npy *a, uint64_t first)
{
    uint64_t stride = 1;
    w->at = first;
    if (!a->fortran) return;
    for (int d = a->dims - 1; d >= 0; d--) {
        w->digit[d] = a->shape[d] ? first % a->shape[d] : 0;
        first = a->shape[d] ? first / a->shape[d] : 0;
    }
    w->at = 0;
    for (int d = 0; d < a->dims; d++) {
        w->stride[d] = stride;
        w->at += w->digit[d] * stride;
        stride *= a->shape[d];
    }
}

static void walk_step(walk *w, const npy *a)
{
    if (!a->fortran) {
        w->at++;
        return;
    }
    for (int d = a->dims - 1; d >= 0; d--) {
        w->at += w->stride[d];
        if (++w->digit[d] < a->shape[d]) return;
        w->at -= w->stride[d] * a->shape[d];
        w->digit[d] = 0;
    }
}

void npy_doubles(const npy *a, uint64_t first, uint64_t n, double *to)
{
    walk w;
    walk_begin(&w, a, first);
    for (uint64_t i = 0; i < n; i++, walk_step(&w, a)) to[i] = element_double(a, w.at);
}

void npy_floats(const npy *a, uint64_t first, uint64_t n, float *to)
{
    walk w;
    walk_begin(&w, a, first);
    for (uint64_t i = 0; i < n; i++, walk_step(&w, a)) to[i] = (float)element_double(a, w.at);
}

int64_t npy_int(const npy *a, uint64_t index)
{
    walk w;
    walk_begin(&w, a, index);
    if (npy_is_float(a)) return (int64_t)element_double(a, w.at);
    uint64_t bits = element_bits(a, w.at);
    if (a->type >= NPY_I8 && a->type <= NPY_I64) return sign_extended(bits, a->element_bytes);
    return bits <= INT64_MAX ? (int64_t)bits : INT64_MAX;
}

/* ---- writing -------------------------------------------------------------------------- */

static bool big_endian_machine(void)
{
    const uint16_t one = 1;
    unsigned char first;
    memcpy(&first, &one, 1);
    return first == 0;
}

/* The elements begin at a multiple of 64 bytes, so that they can be mapped and used in place. */
static void header_text(text *t, npy_type type, int dims, const uint64_t *shape)
{
    text d = {NULL, 0, 0};
    text_print(&d, "{'descr': '%s%s', 'fortran_order': False, 'shape': (",
               type_table[type].bytes == 1 ? "|" : "<", type_table[type].code);
    for (int i = 0; i < dims; i++)
        text_print(&d, "%llu%s", (unsigned long long)shape[i],
                   dims == 1      ? ","
                   : i + 1 < dims ? ", "
                                  : "");
    text_add(&d, "), }");
    while ((10 + d.length + 1) % 64) text_add_bytes(&d, " ", 1);
    text_add_bytes(&d, "\n", 1);
    const unsigned char start[10] = {0x93,
                                     'N',
                                     'U',
                                     'M',
                                     'P',
                                     'Y',
                                     1,
                                     0,
                                     (unsigned char)(d.length & 255),
                                     (unsigned char)(d.length >> 8)};
    text_add_bytes(t, start, sizeof start);
    text_add_bytes(t, d.at, d.length);
    text_free(&d);
}

bool npy_begin(npy_out *out, const char *path, npy_type type, int dims, const uint64_t *shape,
               problem *why)
{
    text header = {NULL, 0, 0};
    out->type = type;
    out->written = 0;
    out->wanted = 1;
    for (int d = 0; d < dims; d++) out->wanted *= shape[d];
    if (!file_begin(&out->file, path, why)) return false;
    header_text(&header, type, dims, shape);
    fwrite(header.at, 1, header.length, out->file.stream);
    text_free(&header);
    return true;
}

static void write_swapped(npy_out *out, const unsigned char *from, uint64_t elements, size_t each)
{
    for (uint64_t i = 0; i < elements; i++, from += each)
        for (size_t k = each; k-- > 0;) putc(from[k], out->file.stream);
}

bool npy_add(npy_out *out, const void *data, uint64_t elements, problem *why)
{
    size_t each = type_table[out->type].bytes;
    out->written += elements;
    if (elements == 0) return true;
    if (big_endian_machine() && each > 1) write_swapped(out, data, elements, each);
    else fwrite(data, each, (size_t)elements, out->file.stream);
    if (!ferror(out->file.stream)) return true;
    problem_errno(why, out->file.path, "cannot write");
    npy_abandon(out);
    return false;
}

bool npy_end(npy_out *out, problem *why)
{
    if (out->written == out->wanted) return file_commit(&out->file, why);
    npy_abandon(out);
    return problem_set(why, "%s: %llu elements written, %llu announced", out->file.path,
                       (unsigned long long)out->written, (unsigned long long)out->wanted);
}

void npy_abandon(npy_out *out)
{
    file_abandon(&out->file);
}

bool npy_write(const char *path, npy_type type, int dims, const uint64_t *shape, const void *data,
               problem *why)
{
    npy_out out;
    if (!npy_begin(&out, path, type, dims, shape, why)) return false;
    return npy_add(&out, data, out.wanted, why) && npy_end(&out, why);
}
