/* learn_tool.c - helper of cli_learn.sh.

   learn_tool gradients GRAD.gguf SAMPLES.npy LARGEST.npy STEP TOLERANCE
       every STEP-th number of each tensor against the samples, relative to the tensor's largest
   learn_tool close A.npy B.npy TOLERANCE      as many numbers as B has, relative to B's largest
   learn_tool same A.gguf B.gguf NAME...       tensors whose bytes differ must be exactly NAME...
   learn_tool differ A.gguf B.gguf             NAME ROW COLUMN of every F32 weight whose bytes differ */
#define SYNERGY_SIMD 0
#define SYNERGY_IMPLEMENTATION
#include "synergy.h"
#include "npy.h"

static float float_at(const unsigned char *p)
{
    const uint32_t bits = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
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
    if (!bytes || !npy_load(&samples, arg[1], NPY_F8) || !npy_load(&largest, arg[2], NPY_F8)) return 1;
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
            const double off = fabs((double)float_at(bytes + t.offset + 4 * k) - samples.f8[done]) / largest.f8[i];
            if (!(off <= worst)) worst = off;
        }
        if (!(worst <= atof(arg[4])))
            bad = 1, printf("%.*s: off by %g of its largest\n", (int)t.name_bytes, (const char *)bytes + t.name_at, worst);
    }
    if (done != samples.count) return printf("fewer numbers than samples\n"), 1;
    return bad;
}

static int close_to(char **arg)
{
    npy a, b;
    double largest = 0, worst = 0;
    if (!npy_load(&a, arg[0], NPY_F8) || !npy_load(&b, arg[1], NPY_F8)) return 1;
    if (a.count < b.count || !b.count) return printf("%d numbers, expected %d\n", (int)a.count, (int)b.count), 1;
    for (size_t i = 0; i < b.count; i++) {
        const double off = fabs(a.f8[i] - b.f8[i]);
        if (!(off <= worst)) worst = off;
        if (fabs(b.f8[i]) > largest) largest = fabs(b.f8[i]);
    }
    if (worst <= atof(arg[2]) * largest) return 0;
    return printf("off by %g of the largest\n", worst / largest), 1;
}

static int same(char **arg, int names)
{
    size_t size[2];
    unsigned char *bytes[2];
    syn_gguf gguf[2];
    syn_source source[2];
    syn_error err;
    uint64_t at[2];
    int bad = 0;
    for (int f = 0; f < 2; f++) {
        if (!(bytes[f] = file_load(arg[f], &size[f]))) return 1;
        source[f] = syn_source_memory(bytes[f], size[f]);
        if (syn_gguf_open(&gguf[f], &source[f], &err)) return printf("%s\n", err.text), 1;
        at[f] = gguf[f].tensors_at;
    }
    for (uint64_t i = 0; i < gguf[0].tensors; i++) {
        syn_gguf_tensor t[2];
        int named = 0;
        for (int f = 0; f < 2; f++) {
            if (syn_gguf_tensor_at(&gguf[f], at[f], &t[f], &err)) return printf("%s\n", err.text), 1;
            at[f] = t[f].next_at;
        }
        for (int k = 0; k < names; k++)
            named = named || (strlen(arg[2 + k]) == t[0].name_bytes &&
                              !memcmp(arg[2 + k], bytes[0] + t[0].name_at, (size_t)t[0].name_bytes));
        const int differs = t[0].bytes != t[1].bytes ||
                            memcmp(bytes[0] + t[0].offset, bytes[1] + t[1].offset, (size_t)t[0].bytes);
        if (differs != named)
            bad = 1, printf("%.*s %s\n", (int)t[0].name_bytes, (const char *)bytes[0] + t[0].name_at,
                            differs ? "differs" : "is the same");
    }
    return bad;
}

static int differ(char **arg)
{
    size_t size[2];
    unsigned char *bytes[2];
    syn_gguf gguf[2];
    syn_source source[2];
    syn_error err;
    uint64_t at[2];
    for (int f = 0; f < 2; f++) {
        if (!(bytes[f] = file_load(arg[f], &size[f]))) return 1;
        source[f] = syn_source_memory(bytes[f], size[f]);
        if (syn_gguf_open(&gguf[f], &source[f], &err)) return printf("%s\n", err.text), 1;
        at[f] = gguf[f].tensors_at;
    }
    if (gguf[0].tensors != gguf[1].tensors) return printf("not as many tensors\n"), 1;
    for (uint64_t i = 0; i < gguf[0].tensors; i++) {
        syn_gguf_tensor t[2];
        for (int f = 0; f < 2; f++) {
            if (syn_gguf_tensor_at(&gguf[f], at[f], &t[f], &err)) return printf("%s\n", err.text), 1;
            at[f] = t[f].next_at;
        }
        if (t[0].bytes != t[1].bytes || t[0].type || t[1].type) return printf("a tensor of another size or type\n"), 1;
        for (uint64_t k = 0; k < t[0].bytes / 4; k++)
            if (memcmp(bytes[0] + t[0].offset + 4 * k, bytes[1] + t[1].offset + 4 * k, 4))
                printf("%.*s %d %d\n", (int)t[0].name_bytes, (const char *)bytes[0] + t[0].name_at, (int)(k / t[0].ne[0]),
                       (int)(k % t[0].ne[0]));
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 7 && !strcmp(argv[1], "gradients")) return gradients(argv + 2);
    if (argc == 5 && !strcmp(argv[1], "close")) return close_to(argv + 2);
    if (argc >= 4 && !strcmp(argv[1], "same")) return same(argv + 2, argc - 4);
    if (argc == 4 && !strcmp(argv[1], "differ")) return differ(argv + 2);
    return 2;
}
