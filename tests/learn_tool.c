/* learn_tool.c - helper of cli_learn.sh.

   learn_tool gradients GRAD.gguf SAMPLES.npy LARGEST.npy STEP TOLERANCE
       every STEP-th number of each tensor against the samples, relative to the tensor's largest
   learn_tool close A.npy B.npy TOLERANCE      as many numbers as B has, relative to B's largest
   learn_tool same A.gguf B.gguf NAME...       tensors whose bytes differ must be exactly NAME...
   learn_tool differ A.gguf B.gguf             NAME ROW COLUMN of every F32 weight whose bytes
                                               differ
   learn_tool near A.gguf B.gguf TOLERANCE     every F32 weight, relative to its tensor's largest
   learn_tool reverse A.gguf B.gguf            A with its tensors told in the other order */
#define SYNERGY_SIMD 0
#define SYNERGY_IMPLEMENTATION
#include "synergy.h"
#include "npy.h"

static float float_at(const unsigned char *p)
{
    const uint32_t bits =
        (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static int gradients(char **arg)
{
    size_t size, done = 0;
    npy samples, largest;
    syn_gguf gguf;
    syn_error err;
    unsigned char *bytes = file_load(arg[0], &size);
    const size_t step = (size_t)atoi(arg[3]);
    int bad = 0;
    if (!bytes || !npy_load(&samples, arg[1], NPY_F8) || !npy_load(&largest, arg[2], NPY_F8))
        return 1;
    syn_source source = syn_source_memory(bytes, size);
    if (syn_gguf_open(&gguf, &source, &err)) return printf("%s\n", err.text), 1;
    if (gguf.tensors != largest.count) return printf("%d tensors\n", (int)gguf.tensors), 1;
    uint64_t at = gguf.tensors_at;
    for (uint64_t i = 0; i < gguf.tensors; i++) {
        syn_gguf_tensor t;
        double worst = 0;
        if (syn_gguf_tensor_at(&gguf, at, &t, &err)) return printf("%s\n", err.text), 1;
        at = t.next_at;
        for (size_t k = 0; k < t.bytes / 4; k += step, done++) {
            if (done >= samples.count) return printf("more numbers than samples\n"), 1;
            const double off =
                fabs((double)float_at(bytes + t.offset + 4 * k) - samples.f8[done]) / largest.f8[i];
            if (!(off <= worst)) worst = off;
        }
        if (!(worst <= atof(arg[4])))
            bad = 1, printf("%.*s: off by %g of its largest\n", (int)t.name_bytes,
                            (const char *)bytes + t.name_at, worst);
    }
    if (done != samples.count) return printf("fewer numbers than samples\n"), 1;
    return bad;
}

static int close_to(char **arg)
{
    npy a, b;
    double largest = 0, worst = 0;
    if (!npy_load(&a, arg[0], NPY_F8) || !npy_load(&b, arg[1], NPY_F8)) return 1;
    if (a.count < b.count || !b.count)
        return printf("%d numbers, expected %d\n", (int)a.count, (int)b.count), 1;
    for (size_t i = 0; i < b.count; i++) {
        const double off = fabs(a.f8[i] - b.f8[i]);
        if (!(off <= worst)) worst = off;
        if (fabs(b.f8[i]) > largest) largest = fabs(b.f8[i]);
    }
    if (worst <= atof(arg[2]) * largest) return 0;
    return printf("off by %g of the largest\n", worst / largest), 1;
}

/* Two files whose tensors are walked side by side: as many, and of the same names. */
typedef struct two {
    unsigned char *bytes[2];
    syn_source source[2];
    syn_gguf gguf[2];
    syn_gguf_tensor t[2];
    const char *name;
    int length; /* of the name */
} two;

static int two_open(two *w, char **arg)
{
    syn_error err;
    for (int f = 0; f < 2; f++) {
        size_t size;
        if (!(w->bytes[f] = file_load(arg[f], &size))) return 0;
        w->source[f] = syn_source_memory(w->bytes[f], size);
        if (syn_gguf_open(&w->gguf[f], &w->source[f], &err)) return printf("%s\n", err.text), 0;
        w->t[f].next_at = w->gguf[f].tensors_at;
    }
    return w->gguf[0].tensors == w->gguf[1].tensors || (printf("not as many tensors\n"), 0);
}

static int two_next(two *w)
{
    syn_error err;
    for (int f = 0; f < 2; f++)
        if (syn_gguf_tensor_at(&w->gguf[f], w->t[f].next_at, &w->t[f], &err))
            return printf("%s\n", err.text), 0;
    w->name = (const char *)w->bytes[0] + w->t[0].name_at;
    w->length = (int)w->t[0].name_bytes;
    return (w->t[0].name_bytes == w->t[1].name_bytes &&
            !memcmp(w->name, w->bytes[1] + w->t[1].name_at, (size_t)w->t[0].name_bytes)) ||
           (printf("%.*s has another name there\n", w->length, w->name), 0);
}

static int same(char **arg, int names)
{
    two w;
    int bad = 0;
    if (!two_open(&w, arg)) return 1;
    for (uint64_t i = 0; i < w.gguf[0].tensors; i++) {
        int named = 0;
        if (!two_next(&w)) return 1;
        for (int k = 0; k < names; k++)
            named = named || (strlen(arg[2 + k]) == (size_t)w.length &&
                              !memcmp(arg[2 + k], w.name, (size_t)w.length));
        const int differs =
            w.t[0].bytes != w.t[1].bytes ||
            memcmp(w.bytes[0] + w.t[0].offset, w.bytes[1] + w.t[1].offset, (size_t)w.t[0].bytes);
        if (differs != named)
            bad = 1, printf("%.*s %s\n", w.length, w.name, differs ? "differs" : "is the same");
    }
    return bad;
}

static int differ(char **arg)
{
    two w;
    if (!two_open(&w, arg)) return 1;
    for (uint64_t i = 0; i < w.gguf[0].tensors; i++) {
        if (!two_next(&w)) return 1;
        if (w.t[0].bytes != w.t[1].bytes || w.t[0].type || w.t[1].type)
            return printf("a tensor of another size or type\n"), 1;
        for (uint64_t k = 0; k < w.t[0].bytes / 4; k++)
            if (memcmp(w.bytes[0] + w.t[0].offset + 4 * k, w.bytes[1] + w.t[1].offset + 4 * k, 4))
                printf("%.*s %d %d\n", w.length, w.name, (int)(k / w.t[0].ne[0]),
                       (int)(k % w.t[0].ne[0]));
    }
    return 0;
}

static int near_to(char **arg)
{
    two w;
    int bad = 0;
    if (!two_open(&w, arg)) return 1;
    for (uint64_t i = 0; i < w.gguf[0].tensors; i++) {
        double worst = 0, largest = 0;
        if (!two_next(&w)) return 1;
        if (w.t[0].bytes != w.t[1].bytes || w.t[0].type || w.t[1].type)
            return printf("a tensor of another size or type\n"), 1;
        for (uint64_t k = 0; k < w.t[0].bytes / 4; k++) {
            const double a = (double)float_at(w.bytes[0] + w.t[0].offset + 4 * k);
            const double b = (double)float_at(w.bytes[1] + w.t[1].offset + 4 * k);
            if (!(fabs(a - b) <= worst)) worst = fabs(a - b);
            if (fabs(b) > largest) largest = fabs(b);
        }
        if (!(worst <= atof(arg[2]) * largest) || !(largest > 0))
            bad = 1,
            printf("%.*s: off by %g, its largest is %g\n", w.length, w.name, worst, largest);
    }
    return bad;
}

/* What is told of a tensor is as long wherever it stands; the data stays where it is. */
static int reverse(char **arg)
{
    size_t size;
    syn_gguf gguf;
    syn_error err;
    unsigned char *bytes = file_load(arg[0], &size);
    if (!bytes) return 1;
    syn_source source = syn_source_memory(bytes, size);
    if (syn_gguf_open(&gguf, &source, &err)) return printf("%s\n", err.text), 1;
    unsigned char *out = malloc(size);
    FILE *to = fopen(arg[1], "wb");
    if (!out || !to) return 1;
    memcpy(out, bytes, size);
    uint64_t at = gguf.tensors_at, end = at;
    syn_gguf_tensor t;
    for (uint64_t i = 0; i < gguf.tensors; i++, end = t.next_at)
        if (syn_gguf_tensor_at(&gguf, end, &t, &err)) return printf("%s\n", err.text), 1;
    for (uint64_t i = 0; i < gguf.tensors; i++, at = t.next_at) {
        if (syn_gguf_tensor_at(&gguf, at, &t, &err)) return printf("%s\n", err.text), 1;
        end -= t.next_at - at;
        memcpy(out + end, bytes + at, (size_t)(t.next_at - at));
    }
    const size_t written = fwrite(out, 1, size, to);
    free(out);
    free(bytes);
    return fclose(to) != 0 || written != size;
}

int main(int argc, char **argv)
{
    if (argc == 7 && !strcmp(argv[1], "gradients")) return gradients(argv + 2);
    if (argc == 5 && !strcmp(argv[1], "close")) return close_to(argv + 2);
    if (argc >= 4 && !strcmp(argv[1], "same")) return same(argv + 2, argc - 4);
    if (argc == 4 && !strcmp(argv[1], "differ")) return differ(argv + 2);
    if (argc == 5 && !strcmp(argv[1], "near")) return near_to(argv + 2);
    if (argc == 4 && !strcmp(argv[1], "reverse")) return reverse(argv + 2);
    return 2;
}
