/* gradient.c - `synergy gradient`: one loss, all its derivatives. */
#include "learn/gradient.h"
#include "base/work.h"
#include "learn/stage.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool read_weights(const char *path, size_t rows, size_t length, float **weights,
                         problem *why)
{
    npy a;
    char shape[128];
    bool good = true;
    *weights = NULL;
    if (!path) return true;
    if (!npy_open(&a, path, why)) return false;
    npy_shape_text(&a, shape, sizeof shape);
    if (a.count != (uint64_t)rows * length || a.shape[a.dims > 0 ? a.dims - 1 : 0] != length)
        good = problem_set(why, "%s: shape %s, expected that of the ids, %zu x %zu", path, shape,
                           rows, length);
    else {
        *weights = tool_alloc(rows * length, sizeof **weights);
        npy_floats(&a, 0, a.count, *weights);
        for (size_t i = 0; i < rows * length && good; i++)
            if (!isfinite((*weights)[i]))
                good = problem_set(why, "%s: the weight at index %zu is not finite", path, i);
    }
    npy_close(&a);
    return good;
}

/* gains (row, layer, head) as layer,head,gradient,importance */
static bool write_heads(const net *n, const double *gains, size_t rows, const char *path,
                        problem *why)
{
    text t = {0};
    text_add(&t, "layer,head,gradient,importance\n");
    for (size_t i = 0; i < n->layers * n->heads; i++) {
        double sum = 0, magnitude = 0;
        for (size_t r = 0; r < rows; r++) {
            const double g = gains[r * n->layers * n->heads + i];
            sum += g;
            magnitude += fabs(g);
        }
        text_print(&t, "%zu,%zu", i / n->heads, i % n->heads);
        csv_number(&t, sum);
        csv_number(&t, magnitude / (double)rows);
        csv_end_row(&t);
    }
    const bool good = file_write(path, t.at, t.length, why);
    text_free(&t);
    return good;
}

/* Rows without trailing columns that none of them has. */
static size_t longest(const net_rows *r)
{
    size_t most = 0;
    for (size_t p = 0; p < r->rows; p++)
        for (size_t t = most; t < r->length; t++)
            if (r->ids[p * r->length + t] >= 0) most = t + 1;
    return most;
}

enum { TIMED = 32 }; /* positions: a whole row would double the work where there is one */

bool gradient_announce(net_pass *p, const net *n, const net_rows *r, const net_wants *wants,
                       double disk, const char *output, problem *why)
{
    char what[96], folder[TOOL_PATH_BYTES];
    const size_t few = r->length < TIMED ? r->length : TIMED;
    const net_rows first = {r->ids, r->weights, 1, few, NULL}; /* the beginning of the first row */
    const double start = clock_seconds(),
                 threads = n->parallel->threads > 1 ? n->parallel->threads : 1;
    if (net_positions(&first)) net_run(p, &first, 0, wants);
    const double all = net_pass_seconds(p, &first, clock_seconds() - start, r);
    if (wants->gradient) memset(wants->gradient, 0, n->parameters * sizeof *wants->gradient);
    if (wants->gains)
        memset(wants->gains, 0, r->rows * n->layers * n->heads * sizeof *wants->gains);
    snprintf(what, sizeof what, "%zu rows of up to %zu tokens", r->rows, r->length);
    snprintf(folder, sizeof folder, "%.*s", output ? (int)(path_base(output) - output) : 0,
             output ? output : "");
    const work_plan plan = {what, folder[0] ? folder : ".", 0, disk, 0.6 * all / threads, 1.5 * all,
                            1};
    return plan_announce(&plan, why);
}

double gradient_all(net_pass *p, const net_rows *r, size_t count, const net_wants *wants)
{
    progress bar;
    net_wants told = *wants;
    told.told = &bar;
    progress_begin(&bar, "gradient", (double)r->rows);
    const double loss = net_run(p, r, count, &told);
    progress_end(&bar);
    return loss;
}

static bool differentiate(const gradient_options *o, const net *n, const net_rows *r,
                          gradient_result *result, problem *why)
{
    char size[32];
    const net_way way = o->output ? NET_TO_WEIGHTS : o->heads ? NET_TO_HEADS : NET_FORWARD;
    const size_t gradient = o->output ? n->parameters : 0;
    const size_t gains = o->heads ? r->rows * n->layers * n->heads : 0;
    const size_t logits = o->logits ? r->rows * r->length * n->vocab : 0;
    const uint64_t bytes = net_pass_bytes(n, r->length, r->rows, way) + 4 * (uint64_t)n->held +
                           4 * (uint64_t)gradient + 8 * (uint64_t)gains + 4 * (uint64_t)logits;
    bytes_text((double)bytes, size, sizeof size);
    tool_note("%zu rows, %zu positions; takes %s of memory beside the mapped file", r->rows,
              net_positions(r), size);
    net_wants wants;
    memset(&wants, 0, sizeof wants);
    if (gradient) wants.gradient = tool_alloc(gradient, sizeof *wants.gradient);
    if (gains) wants.gains = tool_alloc(gains, sizeof *wants.gains);
    if (logits) wants.logits = tool_alloc(logits, sizeof *wants.logits);
    net_pass *pass = net_pass_open(n, r->length, r->rows, way);
    result->positions = net_positions(r);
    const double disk = 4.0 * ((double)gradient + (double)logits);
    bool good = gradient_announce(pass, n, r, &wants, disk, o->output ? o->output : o->logits, why);
    if (good) result->loss = gradient_all(pass, r, 0, &wants);
    net_pass_close(pass);
    if (good && !isfinite(result->loss))
        good = problem_set(why, "%s: the loss is not finite", o->model);
    if (good && o->output) good = net_write(n, wants.gradient, NET_GRADIENT, o->output, why);
    if (good && o->heads) good = write_heads(n, wants.gains, r->rows, o->heads, why);
    const uint64_t shape[3] = {r->rows, r->length, n->vocab};
    if (good && o->logits) good = npy_write(o->logits, NPY_F32, 3, shape, wants.logits, why);
    free(wants.gradient);
    free(wants.gains);
    free(wants.logits);
    return good;
}

/* Each can be written, and is neither an input nor another output. */
static bool check_outputs(const gradient_options *o, problem *why)
{
    const char *const output[3] = {o->output, o->heads, o->logits};
    const char *const input[3] = {o->model, o->tokens, o->weights};
    for (int i = 0; i < 3; i++) {
        if (!output[i]) continue;
        for (int k = 0; k < 3; k++)
            if (!output_not_input(output[i], input[k], why)) return false;
        for (int k = 0; k < i; k++)
            if (output[k] && path_same(output[i], output[k]))
                return problem_set(why, "%s: each result needs a file of its own", output[i]);
        if (!output_file_check(output[i], o->force, why)) return false;
    }
    return true;
}

/* What is only passed through is not held. */
static bool open_model(net *n, const gradient_options *o, problem *why)
{
    return net_open(n, o->model, o->output ? NET_HOLD_ALL : NET_HOLD_END, o->threads, why);
}

bool gradient_run(const gradient_options *o, gradient_result *result, problem *why)
{
    net n;
    int32_t *ids = NULL;
    float *weights = NULL;
    net_rows r;
    memset(&r, 0, sizeof r);
    if (!check_outputs(o, why) || !open_model(&n, o, why)) return false;
    bool good = model_not_output(&n.file, o->output, why) &&
                model_not_output(&n.file, o->heads, why) &&
                model_not_output(&n.file, o->logits, why) &&
                net_rows_read(&ids, &r.rows, &r.length, o->tokens, (uint32_t)n.vocab, why) &&
                read_weights(o->weights, r.rows, r.length, &weights, why);
    r.ids = ids;
    r.weights = weights;
    const size_t length = good ? longest(&r) : 0;
    for (size_t p = 1; p < r.rows && length < r.length && good; p++) { /* closer together */
        memmove(ids + p * length, ids + p * r.length, length * sizeof *ids);
        if (weights)
            memmove(weights + p * length, weights + p * r.length, length * sizeof *weights);
    }
    r.length = length;
    good = good && differentiate(o, &n, &r, result, why);
    free(ids);
    free(weights);
    net_close(&n);
    return good;
}
