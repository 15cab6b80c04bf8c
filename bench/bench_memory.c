/* Bytes that objects take, as a Markdown table: what measuring arenas say, nothing is opened.
   bench/build/bench_memory [MODEL.gguf...]   models on the best instruction set, contexts of 512
                                              tokens with norms */
#define SYNERGY_IMPLEMENTATION
#include "synergy.h"
#include <stdlib.h>

/* 1234567 as "1 234 567" */
static const char *grouped(size_t n, char to[32])
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%lu", (unsigned long)n), i, at = 0;
    for (i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0) to[at++] = ' ';
        to[at++] = digits[i];
    }
    to[at] = '\0';
    return to;
}

static int model_row(const char *path)
{
    FILE *file = fopen(path, "rb");
    long size = file && !fseek(file, 0, SEEK_END) ? ftell(file) : 0;
    void *bytes = size > 0 ? malloc((size_t)size) : NULL;
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    syn_source source = syn_source_memory(bytes, (size_t)size);
    syn_arena arena = syn_arena_measure();
    syn_context_desc desc = {0};
    syn_error err = {SYN_OK, ""};
    syn_model model;
    syn_context ctx;
    size_t view;
    char text[2][32];
    int done = 0;
    desc.norms = true;
    if (file) rewind(file);
    if (!bytes || fread(bytes, 1, (size_t)size, file) != (size_t)size) {
        fprintf(stderr, "%s: cannot be read\n", path);
    } else if (syn_model_open(&model, &source, 1, NULL, &arena, &err) ||
               (view = arena.used, syn_context_open(&ctx, &model, &desc, &arena, &err))) {
        fprintf(stderr, "%s: %s\n", path, err.text);
    } else {
        printf("| %s: view of the model with its vocabulary | %s |\n", name,
               grouped(view, text[0]));
        printf("| context on it of 512 tokens, with norms, one thread | %s |\n",
               grouped(arena.used - view, text[1]));
        done = 1;
    }
    free(bytes);
    if (file) fclose(file);
    return done;
}

static int cov_row(size_t channels)
{
    syn_arena arena = syn_arena_measure();
    syn_cov cov;
    char text[32];
    if (syn_cov_open(&cov, channels, 1, &arena, NULL)) return 0;
    printf("| `syn_cov`, %lu channels, lag 1, a recording of any length | %s |\n",
           (unsigned long)channels, grouped(arena.used, text));
    return 1;
}

static int pairs_row(size_t units)
{
    syn_arena arena = syn_arena_measure();
    syn_pairs pairs;
    syn_pairs_desc desc;
    char text[32];
    memset(&desc, 0, sizeof desc);
    desc.units = units;
    desc.samples = 100;
    desc.prompts = 60;
    if (syn_pairs_open(&pairs, &desc, &arena, NULL)) return 0;
    printf("| `syn_pairs`, all pairs of %lu units, 60 prompts of 100 samples | %s |\n",
           (unsigned long)units, grouped(arena.used, text));
    return 1;
}

int main(int argc, char **argv)
{
    static const size_t channels[] = {2, 8, 64}, units[] = {72, 270, 1152};
    int i, done = 1;
    printf("| what | bytes |\n|---|---:|\n");
    for (i = 1; i < argc; i++) done &= model_row(argv[i]);
    printf("| weights: used where they lie, in a mapped file, in flash, in an array | 0 |\n");
    for (i = 0; i < 3; i++) done &= cov_row(channels[i]);
    printf("| `syn_phiid_pair`, two series of any length: its stack only | 0 |\n");
    for (i = 0; i < 3; i++) done &= pairs_row(units[i]);
    return !done;
}
