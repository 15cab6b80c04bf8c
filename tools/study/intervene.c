/* intervene.c - forced passes under edits, and the divergence of what they predict. */
#include "study/intervene.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PASS = 256, BLOCK_BYTES = 8 << 20, END_BYTES = 64 << 20 };

/* What the intact model says at one position. */
typedef struct intact_row {
    double log_sum;  /* log sum exp of its logits */
    double expected; /* sum share * logit */
    double total;    /* sum share: 1 within rounding */
    size_t top;
} intact_row;

static bool fail(const intervener *v, const syn_error *err, problem *why)
{
    return problem_engine(why, v->m->path, err);
}

bool intervene_open(intervener *v, loaded_model *m, size_t longest, bool exact, int64_t threads,
                    problem *why)
{
    syn_context_desc desc;
    size_t bytes;
    memset(v, 0, sizeof *v);
    memset(&desc, 0, sizeof desc);
    const size_t vocab = m->model.vocab;
    v->m = m;
    v->longest = longest -= 1; /* positions that are fed */
    v->block = vocab * sizeof(float) * 32 <= BLOCK_BYTES ? 32 : 16;
    desc.arithmetic = exact ? SYN_EXACT : SYN_FAST;
    desc.tokens = (uint32_t)longest;
    desc.batch = PASS;
    if (!model_context(m, &v->ctx, &desc, threads, why)) return false;
    v->ctx.no_logits = true;
    v->rows = tool_alloc(PASS, sizeof *v->rows);
    desc.tokens = desc.batch = v->block;
    desc.all_logits = true;
    if (!model_context_on(m, &v->output, &desc, &v->output_memory, &bytes, why)) return false;
    const size_t embd = m->model.embd;
    v->end_room = END_BYTES / embd / longest / sizeof(float) + 1;
    v->end = tool_alloc(v->end_room * longest, embd * sizeof *v->end);
    v->stream = tool_alloc((m->model.layers + (size_t)1) * longest, embd * sizeof *v->stream);
    v->share = tool_alloc(v->block * vocab, sizeof *v->share);
    v->row = tool_alloc(v->block, sizeof *v->row);
    return true;
}

void intervene_close(intervener *v)
{
    free(v->output_memory);
    free(v->end);
    free(v->stream);
    free(v->rows);
    free(v->share);
    free(v->row);
    memset(v, 0, sizeof *v);
}

void divergence_add(divergence *a, const divergence *b)
{
    a->positions += b->positions;
    a->kl += b->kl;
    a->nll += b->nll;
    a->same_top += b->same_top;
}

/* ---- passes through the layers -------------------------------------------------------- */

static float *stream_before(const intervener *v, uint32_t layer)
{
    return v->stream + (size_t)layer * v->longest * v->m->model.embd;
}

static void keep_stream(void *user, const syn_probed *seen)
{
    const intervener *v = user;
    if (seen->kind == SYN_PROBE_RESIDUAL)
        memcpy(stream_before(v, seen->layer) + (size_t)seen->position * seen->length, seen->vector,
               seen->length * sizeof *seen->vector);
}

/* The intact model, with the stream kept before every layer and behind the last. */
static bool run_intact(intervener *v, const forced_text *given, problem *why)
{
    syn_error err;
    memset(&v->ctx.edit, 0, sizeof v->ctx.edit);
    v->ctx.probe.take = keep_stream;
    v->ctx.probe.user = v;
    syn_status status = syn_context_rewind(&v->ctx, 0, 0, &err);
    if (!status) status = syn_context_step(&v->ctx, given->ids, given->count - 1, &err);
    memset(&v->ctx.probe, 0, sizeof v->ctx.probe);
    return status == SYN_OK || fail(v, &err, why);
}

/* Rows of one sequence that enter as streams (rows, embd) before a layer. */
static bool step_from(intervener *v, syn_context *ctx, uint32_t layer, const float *stream,
                      size_t n, problem *why)
{
    syn_error err;
    for (size_t i = 0; i < n; i++) v->rows[i].stream = stream + i * v->m->model.embd;
    return syn_context_step_from(ctx, layer, v->rows, n, &err) == SYN_OK || fail(v, &err, why);
}

/* One edit, from its layer on; the end of the stream to `end` (position, embd). */
static bool run_edited(intervener *v, const forced_text *given, const intervention *edit,
                       float *end, problem *why)
{
    const syn_model *model = &v->m->model;
    const size_t embd = model->embd, fed = given->count - 1; /* the last id is only predicted */
    const float *stream = stream_before(v, edit->layer);
    syn_error err;
    if (edit->layer == model->layers) {
        memcpy(end, stream, fed * embd * sizeof *end);
        return true;
    }
    v->ctx.edit = edit->edit;
    if (syn_context_rewind(&v->ctx, 0, 0, &err) != SYN_OK) return fail(v, &err, why);
    for (size_t at = 0, n; at < fed; at += n) {
        n = fed - at < v->ctx.desc.batch ? fed - at : v->ctx.desc.batch;
        if (!step_from(v, &v->ctx, edit->layer, stream + at * embd, n, why)) return false;
        memcpy(end + at * embd, syn_context_stream(&v->ctx, 0), n * embd * sizeof *end);
    }
    return true;
}

/* ---- divergence of a block ------------------------------------------------------------ */

typedef struct block_job {
    const intervener *v;
    const int32_t *next; /* (row): the token that follows */
    divergence *row;     /* (row); NULL: the intact model's own block */
} block_job;

static size_t top_of(const float *x, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (x[i] > x[best]) best = i;
    return best;
}

static double log_sum_exp(const float *x, size_t n, float top)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)expf(x[i] - top);
    return (double)top + log(sum);
}

/* share_i = exp(a_i - log sum exp a) and the sums that every edit needs of it. */
static void intact_job(void *arg, int index)
{
    const block_job *job = arg;
    const intervener *v = job->v;
    const size_t n = v->m->model.vocab, r = (size_t)index;
    const float *a = syn_context_logits(&v->output, index);
    float *share = v->share + r * n;
    intact_row *row = &v->row[r];
    row->top = top_of(a, n);
    row->log_sum = log_sum_exp(a, n, a[row->top]);
    row->expected = row->total = 0;
    for (size_t i = 0; i < n; i++) {
        share[i] = (float)exp((double)a[i] - row->log_sum);
        row->total += (double)share[i];
        row->expected += (double)share[i] * (double)a[i];
    }
}

/* KL(p || q) = sum p_i (a_i - b_i) - log sum exp a + log sum exp b. */
static void edited_job(void *arg, int index)
{
    const block_job *job = arg;
    const intervener *v = job->v;
    const size_t n = v->m->model.vocab, r = (size_t)index;
    const float *b = syn_context_logits(&v->output, index), *share = v->share + r * n;
    const intact_row *row = &v->row[r];
    const size_t top = top_of(b, n);
    const double log_sum = log_sum_exp(b, n, b[top]);
    double expected = 0;
    for (size_t i = 0; i < n; i++) expected += (double)share[i] * (double)b[i];
    divergence *d = &job->row[r];
    d->positions = 1;
    d->kl = (row->expected - expected) / row->total - row->log_sum + log_sum;
    d->nll = log_sum - (double)b[job->next[r]];
    d->same_top = top == row->top;
}

static bool output_block(intervener *v, const float *stream, size_t rows, problem *why)
{
    return step_from(v, &v->output, v->m->model.layers, stream, rows, why);
}

static void run_rows(intervener *v, syn_job_fn *job, block_job *arg, size_t rows)
{
    const syn_parallel *parallel = &v->m->pool.parallel;
    if (parallel->run) parallel->run(parallel->user, (int)rows, job, arg);
    for (size_t r = 0; !parallel->run && r < rows; r++) job(arg, (int)r);
}

/* Positions at .. at + rows - 1 of the intact model, then of each edit. */
static bool compare_block(intervener *v, const forced_text *given, size_t at, size_t rows,
                          size_t count, divergence *result, problem *why)
{
    const size_t embd = v->m->model.embd;
    divergence of_row[32];
    block_job job = {v, given->ids + at + 1, of_row};
    if (!output_block(v, stream_before(v, v->m->model.layers) + at * embd, rows, why)) return false;
    run_rows(v, intact_job, &job, rows);
    for (size_t k = 0; k < count; k++) {
        if (!output_block(v, v->end + (k * v->longest + at) * embd, rows, why)) return false;
        run_rows(v, edited_job, &job, rows);
        for (size_t r = 0; r < rows; r++) divergence_add(&result[k], &of_row[r]);
    }
    return true;
}

static bool compare_group(intervener *v, const forced_text *given, const intervention *edits,
                          size_t count, divergence *result, problem *why)
{
    const size_t embd = v->m->model.embd;
    for (size_t k = 0; k < count; k++)
        if (!run_edited(v, given, &edits[k], v->end + k * v->longest * embd, why)) return false;
    for (size_t at = given->from - 1, rows; at + 1 < given->count; at += rows) {
        rows = given->count - 1 - at < v->block ? given->count - 1 - at : v->block;
        if (!compare_block(v, given, at, rows, count, result, why)) return false;
    }
    return true;
}

bool intervene_text(intervener *v, const forced_text *given, const intervention *edits,
                    size_t count, divergence *result, problem *why)
{
    memset(result, 0, count * sizeof *result);
    if (!run_intact(v, given, why)) return false;
    for (size_t k = 0, n; k < count; k += n) {
        n = count - k < v->end_room ? count - k : v->end_room;
        if (!compare_group(v, given, edits + k, n, result + k, why)) return false;
    }
    return true;
}

/* ---- means over a reference run ------------------------------------------------------- */

typedef struct mean_sum {
    const syn_model *model;
    size_t from; /* first position that counts: the last one fed predicts the last id */
    bool experts;
    double *sum, *times; /* (unit, value), (unit) */
} mean_sum;

static void add_output(void *user, const syn_probed *v)
{
    mean_sum *s = user;
    if (v->kind != (s->experts ? SYN_PROBE_EXPERT : SYN_PROBE_HEAD) || v->position < s->from)
        return;
    const size_t per_layer = s->experts ? s->model->experts : s->model->heads;
    const size_t at = v->layer * per_layer + v->unit;
    s->times[at]++;
    for (uint32_t i = 0; i < v->length; i++) s->sum[at * v->length + i] += (double)v->vector[i];
}

bool intervene_means(intervener *v, const forced_text *texts, size_t count, bool experts,
                     float *mean, problem *why)
{
    const syn_model *model = &v->m->model;
    const size_t units = (size_t)model->layers * (experts ? model->experts : model->heads);
    const size_t size = experts ? model->embd : model->value_size;
    mean_sum s = {model, 0, experts, tool_alloc(units * size, sizeof(double)),
                  tool_alloc(units, sizeof(double))};
    syn_error err;
    bool good = true;
    memset(&v->ctx.edit, 0, sizeof v->ctx.edit);
    v->ctx.probe.take = add_output;
    v->ctx.probe.user = &s;
    for (size_t i = 0; good && i < count; i++) {
        s.from = texts[i].from - 1;
        syn_status status = syn_context_rewind(&v->ctx, 0, 0, &err);
        if (!status) status = syn_context_step(&v->ctx, texts[i].ids, texts[i].count - 1, &err);
        good = !status || fail(v, &err, why);
    }
    memset(&v->ctx.probe, 0, sizeof v->ctx.probe);
    for (size_t i = 0; i < units * size; i++)
        mean[i] = s.times[i / size] > 0 ? (float)(s.sum[i] / s.times[i / size]) : 0.0f;
    free(s.sum);
    free(s.times);
    return good;
}
