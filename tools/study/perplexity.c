/* perplexity.c - the perplexity of a text or of given ids: exp(mean of -log p(token | before)).

   What does not fit one window is cut into windows without overlap, each of which begins anew;
   where the tokenizer adds a begin token it takes the place of a window's first token. A window's
   first token is not scored, nor, with second_half, are those up to the middle: then whole windows
   only, which is what llama.cpp's llama-perplexity computes. */
#include "study/perplexity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    PASS = 64,           /* positions a pass, whose logits are held at once */
    WINDOW_UNKNOWN = 2048, /* for a model that does not say what it was trained for */
    WINDOW_HALVES = 512  /* llama-perplexity's default */
};

/* ---- logits to likelihoods ------------------------------------------------------------ */

double logits_log_sum(const float *row, size_t n) {
    float most = row[0];
    double sum = 0;
    for (size_t i = 1; i < n; i++)
        if (row[i] > most) most = row[i];
    for (size_t i = 0; i < n; i++) sum += exp((double)(row[i] - most));
    return (double)most + log(sum);
}

typedef struct nll_job {
    const float   *logits;
    size_t         vocab;
    const int32_t *id;
    double        *nll;
} nll_job;

static void nll_row(void *arg, int row) {
    const nll_job *j = arg;
    const float *logits = j->logits + (size_t)row * j->vocab;
    j->nll[row] = logits_log_sum(logits, j->vocab) - (double)logits[j->id[row]];
}

void logits_nll(const float *logits, size_t vocab, const int32_t *id, size_t rows, double *nll,
                const syn_parallel *parallel) {
    nll_job job = {logits, vocab, id, nll};
    if (parallel->run && parallel->threads > 1)
        parallel->run(parallel->user, (int)rows, nll_row, &job);
    else
        for (size_t r = 0; r < rows; r++) nll_row(&job, (int)r);
}

/* ---- what is scored ------------------------------------------------------------------- */

typedef struct scoring {
    const perplexity_options *options;
    loaded_model m;
    syn_context  ctx;
    const char  *name;          /* of the input, for messages */
    int32_t     *ids;           /* (rows, length) */
    size_t       rows, length;
    size_t       window;
    int32_t      bos;           /* the first token of every window; -1: its own */
    int32_t     *held;          /* (window): the ids of one */
    progress     bar;
    uint64_t     fed, windows;
    uint64_t     n;             /* Welford's mean and sum of squares over scored tokens */
    double       mean, squares;
} scoring;

static bool ids_of_text(scoring *s, problem *why) {
    const perplexity_options *o = s->options;
    const int flags = (o->no_bos ? SYN_NO_BOS : 0) | (o->special ? SYN_PARSE_SPECIAL : 0);
    const bool piped = !strcmp(o->file, "-");
    const syn_tokenizer *t = &s->m.model.tokenizer;
    text words = {0};
    s->name = piped ? "standard input" : o->file;
    if (piped ? read_stream(stdin, s->name, &words, why) : read_file(o->file, &words, why))
        s->ids = tokenize_text(t, words.at ? words.at : "", words.length, flags, &s->length, why);
    text_free(&words);
    s->rows = 1;
    s->bos = t->add_bos && !o->no_bos ? t->bos : -1;
    return s->ids != NULL;
}

static bool ids_of_input(scoring *s, problem *why) {
    id_rows given;
    if (s->options->file) return ids_of_text(s, why);
    s->name = s->options->tokens;
    s->bos = -1;
    if (!ids_read(&given, s->name, s->m.model.vocab, why)) return false;
    s->ids = given.at;
    s->rows = given.rows;
    s->length = given.length;
    return true;
}

/* The window that was asked for, or the model's; no longer than what there is. */
static bool choose_window(scoring *s, problem *why) {
    const perplexity_options *o = s->options;
    const uint32_t trained = s->m.model.context;
    size_t window = o->context ? (size_t)o->context : o->second_half ? WINDOW_HALVES
                    : trained ? trained : WINDOW_UNKNOWN;
    if (s->length < 2)
        return problem_set(why, "%s: %s: nothing to score", s->name,
                           s->length ? "one token and none before it" : "no token");
    if (o->second_half && window > s->length)
        return problem_set(why, "%s: %zu tokens are no whole window of %zu (-c)", s->name,
                           s->length, window);
    if (!o->context && !o->second_half && window < s->length)
        tool_note("%zu tokens are more than the %s context of %zu: windows of that length",
                  s->length, trained ? "model's" : "default", window);
    s->window = window < s->length ? window : s->length;
    return true;
}

/* ---- scoring -------------------------------------------------------------------------- */

static bool take(scoring *s, const double *nll, size_t count, size_t first, problem *why) {
    for (size_t i = 0; i < count; i++) {
        const double change = nll[i] - s->mean;
        if (!isfinite(nll[i]))
            return problem_set(why, "%s: the model gives token %zu no finite likelihood", s->name,
                               first + i);
        s->n++;
        s->mean += change / (double)s->n;
        s->squares += change * (nll[i] - s->mean);
    }
    return true;
}

/* One window of n ids: position p tells how likely the token at p + 1 is. `at`: where it stands in
   the input. */
static bool score_window(scoring *s, const int32_t *ids, size_t n, size_t at, problem *why) {
    const size_t vocab = s->m.model.vocab, first = s->options->second_half ? n / 2 : 0;
    double nll[PASS];
    syn_error err;
    memcpy(s->held, ids, n * sizeof *ids);
    if (s->bos >= 0) s->held[0] = s->bos;
    syn_status status = syn_context_rewind(&s->ctx, 0, 0, &err);
    for (size_t p = 0; p + 1 < n && !status; p += s->ctx.rows) {
        const size_t left = n - 1 - p, count = left < s->ctx.desc.batch ? left : s->ctx.desc.batch;
        const size_t skip = p >= first ? 0 : first - p < count ? first - p : count;
        status = syn_context_step(&s->ctx, s->held + p, count, &err);
        if (status) break;
        logits_nll(syn_context_logits(&s->ctx, 0) + skip * vocab, vocab, s->held + p + skip + 1, count - skip, nll,
                   &s->ctx.desc.parallel);
        if (!take(s, nll, count - skip, at + p + skip + 1, why)) return false;
        s->fed += count;
        progress_step(&s->bar, (double)s->fed);
    }
    s->windows++;
    return status ? problem_engine(why, s->m.path, &err) : true;
}

static bool score_row(scoring *s, size_t row, problem *why) {
    const int32_t *ids = s->ids + row * s->length;
    for (size_t at = 0; at + 1 < s->length; at += s->window) {
        const size_t left = s->length - at, n = left < s->window ? left : s->window;
        if (s->options->second_half && n < s->window) break;
        if (!score_window(s, ids + at, n, row * s->length + at, why)) return false;
    }
    return true;
}

static bool score_all(scoring *s, problem *why) {
    syn_context_desc desc;
    memset(&desc, 0, sizeof desc);
    desc.tokens = (uint32_t)(s->window - 1); /* nothing comes after a window's last token */
    desc.batch = PASS;
    desc.all_logits = true;
    desc.cache = (syn_cache_type)s->options->cache;
    desc.arithmetic = s->options->exact ? SYN_EXACT : SYN_FAST;
    if (s->window > INT32_MAX)
        return problem_set(why, "%s: a window of %zu tokens is too long (-c)", s->name, s->window);
    if (!model_context(&s->m, &s->ctx, &desc, s->options->threads, why)) return false;
    s->held = tool_alloc(s->window, sizeof *s->held);
    bool good = true;
    progress_begin(&s->bar, "perplexity", (double)s->rows * (double)s->length);
    for (size_t row = 0; good && row < s->rows; row++) good = score_row(s, row, why);
    progress_end(&s->bar);
    return good;
}

static void summarise(const scoring *s, perplexity_result *r) {
    const double n = (double)s->n;
    r->tokens = (uint64_t)s->rows * s->length;
    r->scored = s->n;
    r->windows = s->windows;
    r->window = s->window;
    r->nll = s->mean;
    r->sd = s->n > 1 ? sqrt(s->squares / (n - 1)) : (double)NAN;
    r->se = r->sd / sqrt(n);
    r->perplexity = exp(r->nll);
    r->low = exp(r->nll - 1.959963984540054 * r->se);
    r->high = exp(r->nll + 1.959963984540054 * r->se);
}

bool perplexity_run(const perplexity_options *o, perplexity_result *r, problem *why) {
    scoring s;
    memset(&s, 0, sizeof s);
    s.options = o;
    if (!(o->tokens ? model_load_weights(&s.m, o->model, why)
                    : model_load(&s.m, o->model, o->pre, why)))
        return false;
    const bool good = ids_of_input(&s, why) && choose_window(&s, why) && score_all(&s, why);
    if (good) summarise(&s, r);
    free(s.held);
    free(s.ids);
    model_unload(&s.m);
    return good;
}
