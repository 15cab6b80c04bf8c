/* What single precision changes: norms of heads and logits of a model, exact arithmetic, one random
   token after the other, by two builds of this file. bench/single.sh builds and runs both.
       bench_single MODEL.gguf TOKENS FILE           writes the numbers to FILE
       bench_single MODEL.gguf TOKENS FILE compare   compares with those, as a row of a table */
#define SYNERGY_IMPLEMENTATION
#include "synergy.h"
#include <stdlib.h>

enum { MOST = 4096 }; /* tokens */

typedef struct difference {
    double norm, logit, low, high, kl;
    int others;
    float *relative; /* of every norm */
    size_t norms;
} difference;

static int by_size(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static size_t top_of(const float *row, size_t n)
{
    size_t i, best = 0;
    for (i = 1; i < n; i++)
        if (row[i] > row[best]) best = i;
    return best;
}

static void compare_norms(difference *d, const float *was, const float *is, size_t n)
{
    size_t i;
    for (i = 0; i < n; i++) {
        const double off = fabs((double)is[i] - (double)was[i]);
        const double relative = was[i] > 0 ? off / (double)was[i] : off;
        if (relative > d->norm) d->norm = relative;
        d->relative[d->norms++] = (float)relative;
    }
}

static void compare_logits(difference *d, const float *was, const float *is, size_t n)
{
    const double a = (double)was[top_of(was, n)], b = (double)is[top_of(is, n)];
    double za = 0, zb = 0;
    size_t i;
    for (i = 0; i < n; i++) {
        const double off = fabs((double)is[i] - (double)was[i]);
        if (off > d->logit) d->logit = off;
        if ((double)was[i] < d->low) d->low = (double)was[i];
        if ((double)was[i] > d->high) d->high = (double)was[i];
        za += exp((double)was[i] - a);
        zb += exp((double)is[i] - b);
    }
    for (i = 0; i < n; i++)
        d->kl += exp((double)was[i] - a) / za *
                 (((double)was[i] - a - log(za)) - ((double)is[i] - b - log(zb)));
    d->others += top_of(was, n) != top_of(is, n);
}

static void *whole_file(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    long end = f && !fseek(f, 0, SEEK_END) ? ftell(f) : 0;
    void *bytes = end > 0 ? malloc((size_t)end) : NULL;
    if (bytes && (rewind(f), fread(bytes, 1, (size_t)end, f)) != (size_t)end) bytes = NULL;
    if (f) fclose(f);
    *size = bytes ? (size_t)end : 0;
    return bytes;
}

static int run(syn_context *ctx, int tokens, FILE *file, difference *d)
{
    const syn_model *model = ctx->model;
    const size_t norms = (size_t)model->layers * model->heads, row = norms + model->vocab;
    float *was = (float *)malloc(row * sizeof *was);
    uint32_t state = 1;
    int t;
    for (t = 0; t < tokens && was; t++) {
        const int32_t id = (int32_t)((state >> 8) % model->vocab);
        const float *is[2];
        syn_error err;
        state = state * 1664525u + 1013904223u;
        if (syn_context_step(ctx, &id, 1, &err)) return fprintf(stderr, "%s\n", err.text), 1;
        is[0] = syn_context_norms(ctx, SYN_LAST_ROW);
        is[1] = syn_context_logits(ctx, SYN_LAST_ROW);
        if (!d) {
            if (fwrite(is[0], sizeof *was, norms, file) != norms ||
                fwrite(is[1], sizeof *was, model->vocab, file) != model->vocab)
                return 1;
            continue;
        }
        if (fread(was, sizeof *was, row, file) != row) return 1;
        compare_norms(d, was, is[0], norms);
        compare_logits(d, was + norms, is[1], model->vocab);
    }
    free(was);
    return 0;
}

int main(int argc, char **argv)
{
    const int tokens = argc > 2 ? atoi(argv[2]) : 0;
    const bool compares = argc == 5;
    size_t size, bytes;
    void *model_file = argc >= 4 ? whole_file(argv[1], &size) : NULL;
    FILE *file = model_file ? fopen(argv[3], compares ? "rb" : "wb") : NULL;
    syn_source source;
    syn_model model;
    syn_context ctx;
    syn_context_desc desc;
    syn_error err;
    difference d;
    if (!file || tokens < 1 || tokens > MOST)
        return fprintf(stderr, "bench_single: see its head\n"), 2;
    memset(&desc, 0, sizeof desc);
    memset(&d, 0, sizeof d);
    desc.tokens = (uint32_t)tokens;
    desc.batch = 1;
    desc.arithmetic = SYN_EXACT;
    desc.norms = true;
    source = syn_source_memory(model_file, size);
    if (syn_open_measure(&source, 1, NULL, &desc, &model, &ctx, &bytes, &err) ||
        syn_open_block(&source, 1, NULL, &desc, malloc(bytes), bytes, &model, &ctx, &err))
        return fprintf(stderr, "%s\n", err.text), 1;
    d.relative = (float *)malloc((size_t)tokens * model.layers * model.heads * sizeof *d.relative);
    if (!d.relative || run(&ctx, tokens, file, compares ? &d : NULL)) return 1;
    if (fclose(file)) return 1;
    if (!compares) return 0;
    qsort(d.relative, d.norms, sizeof *d.relative, by_size);
    printf("| %s, %d | %.1e (%.1e) | %.1e (%.0f) | %.0e | %d |\n",
           strrchr(argv[1], '/') ? strrchr(argv[1], '/') + 1 : argv[1], tokens, d.norm,
           (double)d.relative[d.norms / 2], d.logit, d.high - d.low, d.kl / tokens, d.others);
    return 0;
}
