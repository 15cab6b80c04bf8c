/* npy.h - arrays in numpy's format. */
#ifndef SYNERGY_NPY_H
#define SYNERGY_NPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/file.h"

enum { NPY_DIMS = 8 };
typedef enum npy_type {
    NPY_F16,
    NPY_F32,
    NPY_F64,
    NPY_I8,
    NPY_I16,
    NPY_I32,
    NPY_I64,
    NPY_U8,
    NPY_U16,
    NPY_U32,
    NPY_U64,
    NPY_BOOL,
    NPY_TYPES
} npy_type;

/* An array mapped from a file, versions 1 to 3, either byte order, C or Fortran order. */
typedef struct npy {
    npy_type type;
    bool fortran, big_endian;
    int dims;                 /* 0 for a scalar */
    uint64_t shape[NPY_DIMS]; /* slowest dimension of C order first */
    uint64_t count;           /* elements */
    size_t element_bytes;
    const unsigned char *data;
    file_view view;
} npy;

bool npy_open(npy *a, const char *path, problem *why);
void npy_close(npy *a);
const char *npy_type_text(npy_type type);                 /* "float32" */
void npy_shape_text(const npy *a, char *to, size_t room); /* "(60, 100, 30, 9)" */
bool npy_is_float(const npy *a);
/* Elements first .. first + n - 1, counted in C order whatever the file's order. */
void npy_doubles(const npy *a, uint64_t first, uint64_t n, double *to);
void npy_floats(const npy *a, uint64_t first, uint64_t n, float *to);
/* One element of an integer array (u64 above int64's range is cut). */
int64_t npy_int(const npy *a, uint64_t index);

/* Writes little-endian C order, version 1.0. `data` is in the machine's order. */
bool npy_write(const char *path, npy_type type, int dims, const uint64_t *shape, const void *data,
               problem *why);
/* The same in pieces: begin, add as often as needed, end (checks that the count is right). */
typedef struct npy_out {
    file_out file;
    npy_type type;
    uint64_t wanted, written;
} npy_out;
bool npy_begin(npy_out *out, const char *path, npy_type type, int dims, const uint64_t *shape,
               problem *why);
bool npy_add(npy_out *out, const void *data, uint64_t elements, problem *why);
bool npy_end(npy_out *out, problem *why);
void npy_abandon(npy_out *out);

#endif
