/* capture_tokens.c - `synergy capture --tokens`: given ids are fed as they are and every position
   is recorded, for comparisons with other programs. */
#include "record/capture_work.h"

#include "base/columns.h"
#include "engine/feed.h"

#include <stdlib.h>
#include <string.h>

typedef struct forced {
    capture_job job;
    id_rows ids;
    uint64_t rows, length, from; /* from: the first position that is recorded */
    npy_out norms, logits;
    float *sinks; /* (row, layer, head) */
} forced;

static bool open_ids(forced *f, const char *path, problem *why)
{
    if (!ids_read(&f->ids, path, f->job.m.model.vocab, why)) return false;
    f->rows = f->ids.rows;
    f->length = f->ids.length;
    f->from = (uint64_t)f->job.options->from;
    if (f->from >= f->length)
        return problem_set(why, "%s: rows of %llu ids have nothing to record from position %llu on",
                           path, (unsigned long long)f->length, (unsigned long long)f->from);
    f->job.forced = f->ids.at;
    f->job.forced_count = f->ids.rows * f->ids.length;
    f->job.forced_length = f->ids.length;
    return true;
}

static bool begin_outputs(forced *f, problem *why)
{
    const capture_options *o = f->job.options;
    char path[TOOL_PATH_BYTES];
    const uint64_t shape[4] = {f->rows, f->length - f->from, f->job.layers, f->job.per_layer};
    const uint64_t logits[3] = {f->rows, f->length - f->from, f->job.m.model.vocab};
    if (!path_join(path, o->output, "norms.npy", why) ||
        !npy_begin(&f->norms, path, NPY_F32, 4, shape, why))
        return false;
    if (!o->logits) return true;
    if (path_join(path, o->output, "logits.npy", why) &&
        npy_begin(&f->logits, path, NPY_F32, 3, logits, why))
        return true;
    npy_abandon(&f->norms);
    return false;
}

/* A row of the last pass to its files. */
static bool take_row(forced *f, size_t row, float *norms, double *sinks, problem *why)
{
    capture_job *job = &f->job;
    capture_copy_norms(job, row, norms);
    capture_sinks_add(job, row, sinks);
    if (!npy_add(&f->norms, norms, job->units, why)) return false;
    return !job->options->logits ||
           npy_add(&f->logits, syn_context_logits(&job->ctx, (int)row), job->m.model.vocab, why);
}

/* Rows come in the order of texts and positions: each goes out at once. */
static bool take_pass(forced *f, const feed *fed, float *norms, double *sinks, problem *why)
{
    const size_t units = f->job.units;
    size_t which = fed->first, at = fed->first_at;
    for (size_t i = 0; i < fed->count; i++) {
        const size_t now = which;
        if (!at && sinks) memset(sinks, 0, units * sizeof *sinks);
        if (at >= f->from && !take_row(f, i, norms, sinks, why)) return false;
        feed_next_row(fed, &which, &at);
        if (!at)
            capture_sinks_mean(&f->job, sinks, (size_t)(f->length - f->from),
                               f->sinks + now * units);
    }
    return true;
}

static bool feed_all(forced *f, problem *why)
{
    capture_job *job = &f->job;
    float *norms = tool_alloc(job->units, sizeof *norms);
    double *sinks = capture_sinks(job), done = 0;
    fed_text *given = tool_alloc((size_t)f->rows, sizeof *given);
    progress bar;
    feed fed;
    bool good = true;
    for (size_t p = 0; p < f->rows; p++)
        given[p] = (fed_text){.ids = f->ids.at + p * f->length, .count = (size_t)f->length};
    feed_begin(&fed, &job->ctx, job->m.path, given, (size_t)f->rows);
    progress_begin(&bar, "capture", (double)(f->rows * f->length));
    while ((good = feed_pass(&fed, why)) && fed.count &&
           (good = take_pass(f, &fed, norms, sinks, why)))
        progress_step(&bar, done += (double)fed.count);
    progress_end(&bar);
    feed_end(&fed);
    free(given);
    free(norms);
    free(sinks);
    return good;
}

static bool write_sinks(const forced *f, problem *why)
{
    const capture_job *job = &f->job;
    const uint64_t shape[3] = {f->rows, job->layers, job->per_layer};
    char path[TOOL_PATH_BYTES];
    if (job->desc.sinks)
        return path_join(path, job->options->output, "sinks.npy", why) &&
               npy_write(path, NPY_F32, 3, shape, f->sinks, why);
    capture_remove(job, "sinks.npy");
    return true;
}

static bool finish(forced *f, problem *why)
{
    const capture_options *o = f->job.options;
    char path[TOOL_PATH_BYTES];
    const uint64_t shape[2] = {f->rows, f->length};
    if (!npy_end(&f->norms, why) || (o->logits && !npy_end(&f->logits, why))) return false;
    if (!o->logits) capture_remove(&f->job, "logits.npy");
    capture_remove(&f->job, "lengths.npy"); /* every row is whole */
    capture_remove(&f->job, "timing.json");
    capture_remove(&f->job, "capture.part");
    return write_sinks(f, why) && path_join(path, o->output, "tokens.npy", why) &&
           npy_write(path, NPY_I32, 2, shape, f->ids.at, why) &&
           capture_forced_json(&f->job, f->rows, f->length - f->from, why) &&
           columns_write(o->output, why);
}

static bool open_context(forced *f, problem *why)
{
    capture_job *job = &f->job;
    const capture_options *o = job->options;
    job->desc.tokens = (uint32_t)f->length;
    job->desc.all_logits = o->logits;
    if (!model_context_check(&job->m, f->length, o->beyond_context, why) ||
        !capture_check_folder(job, why) ||
        !feed_layout(&job->m, &job->desc, (size_t)f->rows, 4.0 * job->m.model.layers, o->memory,
                     why) ||
        !capture_open_context(job, why))
        return false;
    budget_note("texts", job->desc.sequences,
                (double)job->m.model_bytes + (double)job->m.context_bytes);
    return true;
}

bool capture_tokens(const capture_options *o, problem *why)
{
    forced f;
    memset(&f, 0, sizeof f);
    bool good = capture_open(&f.job, o, why) && open_ids(&f, o->tokens, why) &&
                open_context(&f, why) && begin_outputs(&f, why);
    if (good) {
        f.sinks = tool_alloc((size_t)f.rows * f.job.units, sizeof *f.sinks);
        good = feed_all(&f, why) && finish(&f, why);
        if (!good) npy_abandon(&f.norms);
        if (!good && o->logits) npy_abandon(&f.logits);
    }
    free(f.ids.at);
    free(f.sinks);
    capture_free(&f.job);
    return good;
}
