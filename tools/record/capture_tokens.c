/* capture_tokens.c - `synergy capture --tokens`: given ids are fed as they are and every position
   is recorded, for comparisons with other programs. */
#include "record/capture_work.h"

#include "base/columns.h"
#include "engine/feed.h"

#include <stdlib.h>
#include <string.h>

/* A piece of capture.part is a position: its norms (unit), of heads its attention to the first
   token (unit), and its logits where they are asked for. */
typedef struct forced {
    capture_job job;
    id_rows ids;
    uint64_t rows, length, from; /* from: the first position that is recorded */
    work log;
    float *piece; /* as it is read or written */
    text bytes;
    npy_out norms, logits;
    float *sinks; /* (row, layer, head) */
} forced;

static size_t sink_count(const forced *f)
{
    return f->job.desc.sinks ? f->job.units : 0;
}

static size_t piece_floats(const forced *f)
{
    return f->job.units + sink_count(f) + (f->job.options->logits ? f->job.m.model.vocab : 0);
}

static size_t recorded(const forced *f)
{
    return (size_t)(f->length - f->from);
}

static size_t piece_key(const forced *f, size_t row, size_t at)
{
    return row * recorded(f) + at - (size_t)f->from;
}

static bool open_ids(forced *f, const char *path, problem *why)
{
    if (!ids_read(&f->ids, path, f->job.m.model.vocab, false, why)) return false;
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

/* A row of the last pass to the log. */
static bool take_row(forced *f, size_t row, size_t key, problem *why)
{
    capture_job *job = &f->job;
    const size_t n = piece_floats(f);
    unsigned char *to = (unsigned char *)f->bytes.at;
    float *at = f->piece;
    capture_copy_norms(job, row, at);
    at += job->units;
    if (sink_count(f)) memcpy(at, syn_context_sinks(&job->ctx, (int)row), job->units * sizeof *at);
    at += sink_count(f);
    if (job->options->logits)
        memcpy(at, syn_context_logits(&job->ctx, (int)row), job->m.model.vocab * sizeof *at);
    floats_to_bytes(f->piece, n, to);
    return work_add(&f->log, key, to, 4 * n, why);
}

/* number (given): which row of ids each text is. */
static bool take_pass(forced *f, const feed *fed, const size_t *number, problem *why)
{
    size_t which = fed->first, at = fed->first_at;
    for (size_t i = 0; i < fed->count; i++) {
        const size_t key = at >= f->from ? piece_key(f, number[which], at) : 0;
        if (at >= f->from && !work_has(&f->log, key) && !take_row(f, i, key, why)) return false;
        feed_next_row(fed, &which, &at);
    }
    return true;
}

/* Rows of which the log has not every position: they are fed from their beginning. */
static size_t left_to_feed(const forced *f, fed_text *given, size_t *number)
{
    size_t count = 0;
    for (size_t p = 0; p < f->rows; p++) {
        size_t at = (size_t)f->from;
        while (at < f->length && work_has(&f->log, piece_key(f, p, at))) at++;
        if (at == f->length) continue;
        number[count] = p;
        given[count++] = (fed_text){.ids = f->ids.at + p * f->length, .count = (size_t)f->length};
    }
    return count;
}

static bool feed_all(forced *f, problem *why)
{
    capture_job *job = &f->job;
    fed_text *given = tool_alloc((size_t)f->rows, sizeof *given);
    size_t *number = tool_alloc((size_t)f->rows, sizeof *number);
    const size_t count = left_to_feed(f, given, number);
    double done = (double)((f->rows - count) * f->length);
    progress bar;
    feed fed;
    bool good = true;
    f->bytes.length = 0;
    text_add_bytes(&f->bytes, (const char *)f->piece, 4 * piece_floats(f)); /* room */
    feed_begin(&fed, &job->ctx, job->m.path, given, count);
    progress_begin(&bar, "capture", (double)(f->rows * f->length));
    progress_skip(&bar, done);
    while ((good = feed_pass(&fed, why)) && fed.count && (good = take_pass(f, &fed, number, why)))
        progress_step(&bar, done += (double)fed.count);
    progress_end(&bar);
    feed_end(&fed);
    free(given);
    free(number);
    return good;
}

static bool read_piece(forced *f, size_t key, problem *why)
{
    const size_t n = piece_floats(f);
    if (!work_read(&f->log, key, &f->bytes, why)) return false;
    if (f->bytes.length != 4 * n)
        return problem_set(why, "%s: position %zu cannot be read back", f->log.path, key);
    floats_from_bytes((const unsigned char *)f->bytes.at, n, f->piece);
    return true;
}

/* From the log to the files, positions in order. */
static bool write_row(forced *f, size_t row, double *sums, problem *why)
{
    const capture_job *job = &f->job;
    const size_t units = job->units, sinks = sink_count(f);
    memset(sums, 0, units * sizeof *sums);
    for (size_t at = (size_t)f->from; at < f->length; at++) {
        if (!read_piece(f, piece_key(f, row, at), why) ||
            !npy_add(&f->norms, f->piece, units, why) ||
            (job->options->logits &&
             !npy_add(&f->logits, f->piece + units + sinks, job->m.model.vocab, why)))
            return false;
        capture_count_norms(&f->job, f->piece, 1);
        for (size_t i = 0; i < sinks; i++) sums[i] += (double)f->piece[units + i];
    }
    if (sinks) capture_sinks_mean(job, sums, recorded(f), f->sinks + row * units);
    return true;
}

static bool write_arrays(forced *f, problem *why)
{
    if (!begin_outputs(f, why)) return false;
    double *sums = tool_alloc(f->job.units, sizeof *sums);
    bool good = true;
    for (size_t row = 0; good && row < f->rows; row++) good = write_row(f, row, sums, why);
    good = good && npy_end(&f->norms, why) && (!f->job.options->logits || npy_end(&f->logits, why));
    if (good) capture_note_norms(&f->job);
    if (!good) npy_abandon(&f->norms);
    if (!good && f->job.options->logits) npy_abandon(&f->logits);
    free(sums);
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
    if (!write_arrays(f, why)) return false;
    if (!o->logits) capture_remove(&f->job, "logits.npy");
    capture_remove(&f->job, "lengths.npy"); /* every row is whole */
    capture_remove(&f->job, "timing.json");
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

/* The log and the files that are made from it. */
static double disk_bytes(const forced *f)
{
    const double positions = (double)(f->rows * recorded(f));
    return positions * (4.0 * (double)piece_floats(f) * 2 + 24) +
           4.0 * (double)(f->rows * (f->length + f->job.units)) + 30e3;
}

/* A text's first pass tells what a position costs; what it computes counts for nothing. */
static bool announce(forced *f, problem *why)
{
    capture_job *job = &f->job;
    const size_t left = (size_t)f->rows - f->log.done / recorded(f);
    const size_t n = f->length < 16 ? (size_t)f->length : 16;
    const fed_text some = {.ids = f->ids.at, .count = n};
    feed fed;
    text what = {NULL, 0, 0};
    const double start = clock_seconds();
    feed_begin(&fed, &job->ctx, job->m.path, &some, 1);
    bool good = feed_pass(&fed, why);
    feed_end(&fed);
    const double all = (clock_seconds() - start) / (double)n * (double)left * (double)f->length;
    text_print(&what, "%llu texts x %llu tokens x %u layers x %u %s", (unsigned long long)f->rows,
               (unsigned long long)f->length, job->layers, job->per_layer,
               choice_name(CHOICE_UNITS, job->options->units));
    const work_plan p = {what.at,
                         job->options->output,
                         (double)job->m.model_bytes + (double)job->m.context_bytes,
                         disk_bytes(f),
                         0.3 * all,
                         1.5 * all + 0.1,
                         0};
    good = good && plan_announce(&p, why);
    text_free(&what);
    return good;
}

static bool record(forced *f, problem *why)
{
    const capture_options *o = f->job.options;
    work_desc d = capture_work_of(&f->job, "positions", (size_t)f->rows * recorded(f));
    if (!work_open(&f->log, &d, why)) return false;
    if (f->log.complete) {
        tool_note("the recording in %s is complete (--fresh makes it anew)", o->output);
        work_close(&f->log, true);
        return true;
    }
    f->piece = tool_alloc(piece_floats(f), sizeof *f->piece);
    f->sinks = tool_alloc((size_t)f->rows * f->job.units, sizeof *f->sinks);
    const bool good = announce(f, why) && feed_all(f, why) && finish(f, why);
    work_close(&f->log, good);
    return good;
}

bool capture_tokens(const capture_options *o, problem *why)
{
    forced f;
    memset(&f, 0, sizeof f);
    const bool good = capture_open(&f.job, o, why) && open_ids(&f, o->tokens, why) &&
                      open_context(&f, why) && record(&f, why);
    free(f.ids.at);
    free(f.sinks);
    free(f.piece);
    text_free(&f.bytes);
    capture_free(&f.job);
    return good;
}
