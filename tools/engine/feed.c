/* feed.c - passes over many given texts. */
#include "engine/feed.h"

#include <stdlib.h>
#include <string.h>

enum { LEAST_PASS = 32, MOST_PASS = 256 };

/* Texts that a pass of so many rows may touch. */
static size_t touched(const syn_context_desc *desc, size_t texts)
{
    const size_t n = (desc->batch + (size_t)desc->tokens - 2) / desc->tokens + 1;
    return n < texts ? n : texts;
}

bool feed_layout(const loaded_model *m, syn_context_desc *desc, size_t texts, double row_bytes,
                 const char *memory, problem *why)
{
    const double all = (double)desc->tokens * (double)texts;
    double budget;
    if (!budget_of(memory, &budget, why)) return false;
    for (uint32_t batch = MOST_PASS; batch >= LEAST_PASS; batch /= 2) {
        size_t bytes;
        desc->batch = all < batch ? (uint32_t)all : batch;
        desc->sequences = (uint32_t)touched(desc, texts);
        if (!model_context_bytes(m, desc, &bytes, why)) return false;
        if ((double)bytes + row_bytes * desc->batch <= budget) return true;
    }
    desc->sequences = 1; /* the least there is: a text at a time */
    return true;
}

void feed_begin(feed *f, syn_context *ctx, const char *path, const fed_text *given, size_t texts)
{
    memset(f, 0, sizeof *f);
    f->ctx = ctx;
    f->path = path;
    f->given = given;
    f->texts = texts;
    f->sequences = ctx->desc.sequences;
    f->rows = tool_alloc(ctx->desc.batch, sizeof *f->rows);
}

void feed_end(feed *f)
{
    free(f->rows);
    memset(f, 0, sizeof *f);
}

void feed_next_row(const feed *f, size_t *which, size_t *at)
{
    if (++*at < f->given[*which].count) return;
    *at = 0;
    while (++*which < f->texts && !f->given[*which].count) {}
}

/* The text under way takes the next sequence, with what it begins with. */
static bool begin_text(feed *f, syn_error *err)
{
    const uint32_t *behind = f->given[f->text].behind;
    f->sequence = f->first_sequence + (uint32_t)(f->begun++ % f->sequences);
    return (behind ? syn_context_copy(f->ctx, *behind, f->sequence, err)
                   : syn_context_rewind(f->ctx, f->sequence, 0, err)) == SYN_OK;
}

static syn_status step(const feed *f, syn_error *err)
{
    return f->rows[0].stream ? syn_context_step_from(f->ctx, f->layer, f->rows, f->count, err)
                             : syn_context_step_rows(f->ctx, f->rows, f->count, err);
}

bool feed_pass(feed *f, problem *why)
{
    syn_error err;
    uint32_t now = 0; /* texts in this pass, each in a sequence of its own */
    f->count = 0;
    while (f->text < f->texts && !f->given[f->text].count) f->text++;
    f->first = f->text;
    f->first_at = f->at;
    while (f->text < f->texts && f->count < f->ctx->desc.batch) {
        const fed_text *t = &f->given[f->text];
        if ((!f->count || !f->at) && now++ == f->sequences) break;
        if (!f->at && !begin_text(f, &err)) return problem_engine(why, f->path, &err);
        f->rows[f->count++] =
            (syn_row){f->sequence, t->stream ? 0 : t->ids[f->at],
                      t->stream ? t->stream + f->at * f->ctx->model->embd : NULL, t->edit};
        feed_next_row(f, &f->text, &f->at);
    }
    if (!f->count || step(f, &err) == SYN_OK) return true;
    return problem_engine(why, f->path, &err);
}
