/* What does the next token lose without each head? Runs a prompt once, keeps the residual stream
   before every layer, and then, head by head, runs only the layers from that head's on with its
   gain at 0. Prints the ten heads whose removal changes the next token's distribution most, in nats
   of KL(intact || ablated).

   cc -std=c99 -O2 -I.. ablate_heads.c -o ablate_heads -lm
   ./ablate_heads model.gguf "The capital of France is"
   Test: MODEL the_rain -> ^ *1\. +head [0-9]+\.[0-9]+ +[0-9.e+-]+ nats */
#define SYNERGY_IMPLEMENTATION
#include "synergy.h"
#include <math.h>
#include <stdlib.h>

enum { PROMPT = 256, TOP = 10 };

typedef struct streams {
    float *at;
    size_t embd, room;
} streams; /* (layer, position, embd) */

static void keep(void *user, const syn_probed *v)
{
    streams *s = (streams *)user;
    if (v->kind == SYN_PROBE_RESIDUAL)
        memcpy(s->at + ((size_t)v->layer * s->room + v->position) * s->embd, v->vector,
               v->length * sizeof *v->vector);
}

/* The whole file in memory: simple, where there is room. */
static syn_source load(const char *path)
{
    FILE *file = fopen(path, "rb");
    long size = file && !fseek(file, 0, SEEK_END) ? ftell(file) : 0;
    void *bytes = size > 0 ? malloc((size_t)size) : NULL;
    if (file) rewind(file);
    if (size > 0 && !bytes) fprintf(stderr, "no memory for the file\n");
    if (bytes && fread(bytes, 1, (size_t)size, file) != (size_t)size) size = 0;
    if (file) fclose(file);
    return syn_source_memory(bytes, bytes ? (size_t)size : 0);
}

/* One block for both, of the size that the first call tells. */
static syn_status open_all(syn_model *model, syn_context *ctx, const syn_source *file,
                           syn_error *err)
{
    syn_context_desc desc;
    size_t bytes;
    syn_status status;
    memset(&desc, 0, sizeof desc);
    desc.tokens = desc.batch = PROMPT;
    status = syn_open_measure(file, 1, NULL, &desc, model, ctx, &bytes, err);
    return status ? status
                  : syn_open_block(file, 1, NULL, &desc, malloc(bytes), bytes, model, ctx, err);
}

static syn_status ids_of(const syn_model *model, const char *prompt, int32_t *ids, size_t *n,
                         syn_error *err)
{
    const size_t length = strlen(prompt),
                 need = syn_tokenize_bytes(&model->tokenizer, prompt, length, 0);
    void *block = malloc(need);
    syn_arena work = syn_arena_on(block, need);
    syn_status status =
        syn_tokenize(&model->tokenizer, prompt, length, 0, ids, PROMPT, n, &work, err);
    free(block);
    return status;
}

static double log_sum_exp(const float *x, size_t n)
{
    double top = (double)x[0], sum = 0;
    size_t i;
    for (i = 1; i < n; i++) top = fmax(top, (double)x[i]);
    for (i = 0; i < n; i++) sum += exp((double)x[i] - top);
    return top + log(sum);
}

static double divergence(const float *a, const float *b, size_t n)
{
    const double za = log_sum_exp(a, n), zb = log_sum_exp(b, n);
    double kl = 0;
    size_t i;
    for (i = 0; i < n; i++) kl += exp((double)a[i] - za) * ((double)a[i] - za - (double)b[i] + zb);
    return kl;
}

/* The prompt's positions as rows that enter before a layer. */
static syn_status step_from(syn_context *ctx, uint32_t layer, const streams *s, syn_error *err)
{
    syn_row rows[PROMPT];
    size_t p;
    syn_status status = syn_context_rewind(ctx, 0, 0, err);
    memset(rows, 0, sizeof rows);
    for (p = 0; p < s->room; p++) rows[p].stream = s->at + (layer * s->room + p) * s->embd;
    return status ? status : syn_context_step_from(ctx, layer, rows, s->room, err);
}

/* kl[unit] for every head. */
static syn_status try_heads(syn_context *ctx, const int32_t *ids, size_t n, double *kl,
                            syn_error *err)
{
    const syn_model *model = ctx->model;
    const size_t units = (size_t)model->layers * model->heads, vocab = model->vocab;
    float *gain = (float *)malloc(units * sizeof *gain),
          *intact = (float *)malloc(vocab * sizeof *intact);
    streams s;
    syn_status status = SYN_ERROR_MEMORY;
    size_t i;
    s.embd = model->embd;
    s.room = n;
    s.at = (float *)malloc((model->layers + (size_t)1) * n * s.embd * sizeof(float));
    ctx->probe.take = keep;
    ctx->probe.user = &s;
    if (gain && intact && s.at) status = syn_context_step(ctx, ids, n, err);
    ctx->probe.take = NULL;
    if (!status) memcpy(intact, syn_context_logits(ctx, SYN_LAST_ROW), vocab * sizeof *intact);
    for (i = 0; i < units && !status; i++) gain[i] = 1;
    ctx->edit.head_gain = gain;
    for (i = 0; i < units && !status; i++) {
        const uint32_t layer = (uint32_t)(i / model->heads);
        gain[i] = 0;
        status = step_from(ctx, layer, &s, err);
        if (!status) kl[i] = divergence(intact, syn_context_logits(ctx, SYN_LAST_ROW), vocab);
        gain[i] = 1;
    }
    free(gain);
    free(intact);
    free(s.at);
    return status;
}

static void print_top(double *kl, size_t units, size_t heads)
{
    int place;
    for (place = 1; place <= TOP && (size_t)place <= units; place++) {
        size_t i, best = 0;
        for (i = 1; i < units; i++)
            if (kl[i] > kl[best]) best = i;
        printf("%3d. head %lu.%lu  %.3g nats\n", place, (unsigned long)(best / heads),
               (unsigned long)(best % heads), kl[best]);
        kl[best] = -1;
    }
}

int main(int argc, char **argv)
{
    syn_source file;
    syn_model model;
    syn_context ctx;
    syn_error err = {SYN_OK, ""};
    syn_status status;
    int32_t ids[PROMPT];
    size_t n = 0, units;
    double *kl;
    if (argc < 3) return fprintf(stderr, "usage: ablate_heads MODEL.gguf PROMPT\n"), 2;
    file = load(argv[1]);
    status = open_all(&model, &ctx, &file, &err);
    if (!status) status = ids_of(&model, argv[2], ids, &n, &err);
    if (status || !n)
        return fprintf(stderr, "%s: %s\n", argv[1], status ? err.text : "the prompt is empty"), 1;
    units = (size_t)model.layers * model.heads;
    kl = (double *)calloc(units, sizeof *kl);
    status = kl ? try_heads(&ctx, ids, n, kl, &err) : SYN_ERROR_MEMORY;
    if (status) return fprintf(stderr, "%s\n", err.status ? err.text : syn_status_text(status)), 1;
    print_top(kl, units, model.heads);
    free(kl);
    return 0;
}
