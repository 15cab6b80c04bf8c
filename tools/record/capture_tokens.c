/* capture_tokens.c - `synergy capture --tokens`: given ids are fed as they are and every position is
   recorded, for comparisons with other programs. */
#include "record/capture.h"

#include "base/columns.h"

#include <stdlib.h>
#include <string.h>

enum { PASS = 64 }; /* positions a pass */

typedef struct forced {
    capture_job job;
    id_rows     ids;
    uint64_t    rows, length, from; /* from: the first position that is recorded */
    npy_out     norms, logits;
    float      *sinks;   /* (row, layer, head) */
} forced;

static bool open_ids(forced *f, const char *path, problem *why) {
    if (!ids_read(&f->ids, path, f->job.m.model.vocab, why)) return false;
    f->rows = f->ids.rows;
    f->length = f->ids.length;
    f->from = (uint64_t)f->job.options->from;
    if (f->from >= f->length)
        return problem_set(why, "%s: rows of %llu ids have nothing to record from position %llu on", path,
                           (unsigned long long)f->length, (unsigned long long)f->from);
    f->job.forced = f->ids.at;
    f->job.forced_count = f->ids.rows * f->ids.length;
    f->job.forced_length = f->ids.length;
    return true;
}

static bool begin_outputs(forced *f, problem *why) {
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

static bool feed(forced *f, problem *why) {
    capture_job *job = &f->job;
    float *norms = tool_alloc(job->units, sizeof *norms);
    double *sinks = tool_alloc(job->units, sizeof *sinks);
    progress bar;
    bool good = true;
    progress_begin(&bar, "capture", (double)(f->rows * f->length));
    for (uint64_t p = 0; good && p < f->rows; p++) {
        capture_rewind(job);
        memset(sinks, 0, job->units * sizeof *sinks);
        for (uint64_t at = 0; good && at < f->length; at += job->ctx.rows) {
            syn_error err;
            const uint64_t left = f->length - at, n = left < job->ctx.desc.batch ? left
                                                          : job->ctx.desc.batch;
            if (syn_context_step(&job->ctx, f->ids.at + p * f->length + at, (size_t)n, &err) != SYN_OK) {
                good = problem_engine(why, job->m.path, &err);
                break;
            }
            const uint64_t first = at >= f->from ? 0 : f->from - at < n ? f->from - at : n; /* of this pass */
            for (uint64_t i = first; good && i < n; i++) {
                capture_copy_norms(job, (size_t)i, norms);
                capture_sinks_add(job, (size_t)i, job->desc.sinks ? sinks : NULL);
                good = npy_add(&f->norms, norms, job->units, why);
            }
            if (good && job->options->logits && first < n)
                good = npy_add(&f->logits, syn_context_logits(&job->ctx, (int)first),
                               (n - first) * job->m.model.vocab, why);
            progress_step(&bar, (double)(p * f->length + at + n));
        }
        capture_sinks_mean(job, job->desc.sinks ? sinks : NULL, (size_t)(f->length - f->from), f->sinks + p * job->units);
    }
    progress_end(&bar);
    free(norms);
    free(sinks);
    return good;
}

static bool write_sinks(const forced *f, problem *why) {
    const capture_job *job = &f->job;
    const uint64_t shape[3] = {f->rows, job->layers, job->per_layer};
    char path[TOOL_PATH_BYTES];
    if (job->desc.sinks)
        return path_join(path, job->options->output, "sinks.npy", why) &&
               npy_write(path, NPY_F32, 3, shape, f->sinks, why);
    capture_remove(job, "sinks.npy");
    return true;
}

static bool finish(forced *f, problem *why) {
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
           capture_forced_json(&f->job, f->rows, f->length - f->from, why) && columns_write(o->output, why);
}

bool capture_tokens(const capture_options *o, problem *why) {
    forced f;
    memset(&f, 0, sizeof f);
    bool good = capture_open(&f.job, o, why) && open_ids(&f, o->tokens, why);
    f.job.desc.tokens = (uint32_t)f.length;
    f.job.desc.batch = f.length < PASS ? (uint32_t)f.length : PASS;
    f.job.desc.all_logits = o->logits;
    good = good && model_context_check(&f.job.m, f.length, o->beyond_context, why) && capture_check_folder(&f.job, why) && capture_open_context(&f.job, why) &&
           begin_outputs(&f, why);
    if (good) {
        f.sinks = tool_alloc((size_t)f.rows * f.job.units, sizeof *f.sinks);
        good = feed(&f, why) && finish(&f, why);
        if (!good) npy_abandon(&f.norms);
        if (!good && o->logits) npy_abandon(&f.logits);
    }
    free(f.ids.at);
    free(f.sinks);
    capture_free(&f.job);
    return good;
}
