/* npy_tool.c - what the scripts need to know of .npy files; built by cli_model.sh, not a test by
   itself.

   npy_tool near A B TOLERANCE     as many elements, each as near (NaN matches NaN); shapes may
                                   differ
   npy_tool shape A                prints the shape as numpy does: "(3, 2)", "(3,)"
   npy_tool rows WHOLE PART I K    row j of PART is row I + j K of WHOLE, bit for bit, and there are
                                   all of them
   npy_tool ended NORMS LENGTHS    rows are numbers up to their length and NaN behind it; prints how
                                   many are short
   npy_tool ids OUT A [B]          the integers of A (and B) in one row, as int32 [T]
   npy_tool put OUT TYPE D0 [D1 [D2]] -- V...   an array of the values (descr <i4, <i8, <f4 ...) */
#include "npy.h"

static int near(const char *a_path, const char *b_path, double tolerance)
{
    npy a, b;
    if (!npy_load(&a, a_path, NPY_F8) || !npy_load(&b, b_path, NPY_F8)) return 1;
    if (a.count != b.count) return printf("%zu elements against %zu\n", a.count, b.count), 1;
    for (size_t i = 0; i < a.count; i++) {
        double x = a.f8[i], y = b.f8[i];
        if (!(fabs(x - y) <= tolerance) && !(isnan(x) && isnan(y)))
            return printf("element %zu: %.9g against %.9g, allowed %g\n", i, x, y, tolerance), 1;
    }
    npy_free(&a);
    npy_free(&b);
    return 0;
}

static int shape(const char *path)
{
    npy a;
    if (!npy_load(&a, path, NPY_RAW)) return 1;
    putchar('(');
    for (int i = 0; i < a.dims; i++) printf("%s%zu", i ? ", " : "", a.shape[i]);
    printf("%s)\n", a.dims == 1 ? "," : "");
    npy_free(&a);
    return 0;
}

static int rows(const char *whole, const char *part, size_t first, size_t step)
{
    npy a, b;
    if (!npy_load(&a, whole, NPY_RAW) || !npy_load(&b, part, NPY_RAW)) return 1;
    size_t expected = (a.shape[0] + step - 1 - first) / step;
    size_t bytes = a.count / a.shape[0] * npy_size_of(a.kind);
    if (a.kind != b.kind || b.shape[0] != expected || a.count / a.shape[0] != b.count / b.shape[0])
        return printf("%zu rows, expected %zu\n", b.shape[0], expected), 1;
    for (size_t j = 0; j < expected; j++)
        if (memcmp(a.u1 + (first + j * step) * bytes, b.u1 + j * bytes, bytes))
            return printf("row %zu of the part is not row %zu of the whole\n", j, first + j * step),
                   1;
    npy_free(&a);
    npy_free(&b);
    return 0;
}

static int ended(const char *norms, const char *lengths)
{
    npy a, n;
    size_t short_rows = 0;
    if (!npy_load(&a, norms, NPY_F4) || !npy_load(&n, lengths, NPY_I4)) return 1;
    if (a.dims != 4 || n.count != a.shape[0]) return printf("shapes do not match\n"), 1;
    size_t units = a.shape[2] * a.shape[3];
    for (size_t p = 0; p < a.shape[0]; p++) {
        short_rows += (size_t)n.i4[p] < a.shape[1];
        for (size_t i = 0; i < a.shape[1] * units; i++) {
            int behind = i / units >= (size_t)n.i4[p];
            if ((isnan(a.f4[p * a.shape[1] * units + i]) != 0) != behind)
                return printf("prompt %zu, sample %zu, length %d\n", p, i / units, (int)n.i4[p]), 1;
        }
    }
    printf("%zu\n", short_rows);
    npy_free(&a);
    npy_free(&n);
    return 0;
}

static FILE *begin(const char *path, const char *type, int dims, char **size)
{
    char head[256];
    FILE *f = fopen(path, "wb");
    int n = 0;
    if (!f) return NULL;
    n += snprintf(head + n, sizeof head - (size_t)n,
                  "{'descr': '%s', 'fortran_order': False, 'shape': (", type);
    for (int i = 0; i < dims; i++)
        n += snprintf(head + n, sizeof head - (size_t)n, "%s, ", size[i]);
    n += snprintf(head + n, sizeof head - (size_t)n, "), }");
    while ((n + 11) % 64) head[n++] = ' ';
    head[n++] = '\n';
    fwrite("\x93NUMPY\1\0", 1, 8, f);
    putc(n & 255, f);
    putc(n >> 8, f);
    fwrite(head, 1, (size_t)n, f);
    return f;
}

static void put_number(FILE *f, const char *type, const char *words)
{
    double real = atof(words);
    float single = (float)real;
    uint64_t bits = (uint64_t)(int64_t)real;
    uint32_t low;
    if (type[1] == 'f' && type[2] == '4') {
        memcpy(&low, &single, 4);
        bits = low;
    } else if (type[1] == 'f') {
        memcpy(&bits, &real, 8);
    }
    for (int i = 0; i < atoi(type + 2); i++) putc((int)(bits >> (8 * i) & 255), f);
}

static int put(int argc, char **argv)
{
    int dims = 0, bad;
    FILE *f;
    while (dims < argc - 2 && strcmp(argv[2 + dims], "--")) dims++;
    f = begin(argv[0], argv[1], dims, argv + 2);
    if (!f) return 1;
    for (int i = 3 + dims; i < argc; i++) put_number(f, argv[1], argv[i]);
    bad = ferror(f);
    return fclose(f) || bad;
}

static int ids(const char *out, int files, char **path)
{
    npy a[2];
    size_t count = 0;
    char digits[32], type[] = "<i4", *size = digits;
    FILE *f;
    for (int i = 0; i < files && i < 2; i++) {
        if (!npy_load(&a[i], path[i], NPY_I4)) return 1;
        count += a[i].count;
    }
    snprintf(digits, sizeof digits, "%zu", count);
    f = begin(out, type, 1, &size);
    if (!f) return 1;
    for (int i = 0; i < files && i < 2; i++) {
        for (size_t k = 0; k < a[i].count; k++) {
            snprintf(digits, sizeof digits, "%d", (int)a[i].i4[k]);
            put_number(f, type, digits);
        }
        npy_free(&a[i]);
    }
    return fclose(f);
}

int main(int argc, char **argv)
{
    const char *what = argc > 2 ? argv[1] : "";
    if (!strcmp(what, "near") && argc == 5) return near(argv[2], argv[3], atof(argv[4]));
    if (!strcmp(what, "shape")) return shape(argv[2]);
    if (!strcmp(what, "rows") && argc == 6)
        return rows(argv[2], argv[3], (size_t)atoi(argv[4]), (size_t)atoi(argv[5]));
    if (!strcmp(what, "ended") && argc == 4) return ended(argv[2], argv[3]);
    if (!strcmp(what, "ids") && argc > 3) return ids(argv[2], argc - 3, argv + 3);
    if (!strcmp(what, "put") && argc > 4) return put(argc - 2, argv + 2);
    puts("npy_tool: see its first lines");
    return 2;
}
