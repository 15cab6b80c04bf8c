/* perplexity.c - the perplexity of a text or of given ids: exp(mean of -log p(token | before)).

   What does not fit one window is cut into windows without overlap, each of which begins anew;
   where the tokenizer adds a begin token it takes the place of a window's first token. A window's
   first token is not scored, nor, with second_half, are those up to the middle: then whole windows
   only, which is what llama.cpp's llama-perplexity computes. */
#include "study/perplexity.h"

#include "base/sha256.h"
#include "base/work.h"
#include "engine/choices.h"
#include "engine/feed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    WINDOW_UNKNOWN = 2048, /* for a model that does not say what it was trained for */
    WINDOW_HALVES = 512    /* llama-perplexity's default */
};

/* ---- logits to likelihoods ------------------------------------------------------------ */

double logits_log_sum(const float *row, size_t n)
{
    float most = row[0];
    double sum = 0;
    for (size_t i = 1; i < n; i++)
        if (row[i] > most) most = row[i];
    for (size_t i = 0; i < n; i++) sum += exp((double)(row[i] - most));
    return (double)most + log(sum);
}

typedef struct nll_job {
    const float *logits;
    size_t vocab;
    const int32_t *id; /* below 0: nothing is asked */
    double *nll;
} nll_job;

static void nll_row(void *arg, int row)
{
    const nll_job *j = arg;
    const float *logits = j->logits + (size_t)row * j->vocab;
    if (j->id[row] < 0) return;
    j->nll[row] = logits_log_sum(logits, j->vocab) - (double)logits[j->id[row]];
}

void logits_nll(const float *logits, size_t vocab, const int32_t *id, size_t rows, double *nll,
                const syn_parallel *parallel)
{
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
    syn_context ctx;
    const char *name; /* of the input, for messages */
    int32_t *ids;     /* (rows, length) */
    size_t rows, length;
    size_t window;
    int32_t bos;    /* the first token of every window; -1: its own */
    int32_t *held;  /* the ids of all windows, as they are fed */
    fed_text *text; /* (windows): a window without its last id */
    size_t *at;     /* (windows): where it stands in the input */
    size_t windows;
    work log;    /* a window is a piece: -log p of its ids but the first */
    double *nll; /* (rows, length): of the id at that place; NaN where it is not scored */
    progress bar;
    uint64_t n; /* Welford's mean and sum of squares over scored tokens */
    double mean, squares;
} scoring;

static bool ids_of_text(scoring *s, problem *why)
{
    const perplexity_options *o = s->options;
    const syn_token_flags flags =
        (o->no_bos ? SYN_NO_BOS : 0) | (o->special ? SYN_PARSE_SPECIAL : 0);
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

static bool ids_of_input(scoring *s, problem *why)
{
    id_rows given;
    if (s->options->file) return ids_of_text(s, why);
    s->name = s->options->tokens;
    s->bos = -1;
    if (!ids_read(&given, s->name, s->m.model.vocab, false, why)) return false;
    s->ids = given.at;
    s->rows = given.rows;
    s->length = given.length;
    return true;
}

/* The window that was asked for, or the model's; no longer than what there is. */
static bool choose_window(scoring *s, problem *why)
{
    const perplexity_options *o = s->options;
    const uint32_t trained = s->m.model.context;
    size_t window = o->context       ? (size_t)o->context
                    : o->second_half ? WINDOW_HALVES
                    : trained        ? trained
                                     : WINDOW_UNKNOWN;
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

/* In the order of the input, whatever came from the log. */
static void take_all(scoring *s)
{
    for (size_t i = 0; i < s->rows * s->length; i++) {
        if (isnan(s->nll[i])) continue;
        const double change = s->nll[i] - s->mean;
        s->n++;
        s->mean += change / (double)s->n;
        s->squares += change * (s->nll[i] - s->mean);
    }
}

/* The windows of all rows, one behind the other. */
static void cut_windows(scoring *s)
{
    const size_t most = (s->length + s->window - 1) / s->window * s->rows;
    s->held = tool_alloc(s->rows * s->length, sizeof *s->held);
    s->text = tool_alloc(most, sizeof *s->text);
    s->at = tool_alloc(most, sizeof *s->at);
    memcpy(s->held, s->ids, s->rows * s->length * sizeof *s->held);
    for (size_t row = 0; row < s->rows; row++)
        for (size_t at = 0; at + 1 < s->length; at += s->window) {
            const size_t left = s->length - at, n = left < s->window ? left : s->window;
            if (s->options->second_half && n < s->window) break;
            s->at[s->windows] = row * s->length + at;
            int32_t *ids = s->held + s->at[s->windows];
            if (s->bos >= 0) ids[0] = s->bos;
            s->text[s->windows++] = (fed_text){.ids = ids, .count = n - 1};
        }
}

/* Where -log p of a window's ids stand: that of the id behind position p at p. */
static double *window_nll(const scoring *s, size_t window)
{
    return s->nll + s->at[window] + 1;
}

/* The windows that the log does not have; number (left): which they are. */
static size_t left_to_score(scoring *s, fed_text *left, size_t *number)
{
    text had = {NULL, 0, 0};
    problem ignored; /* what cannot be read back is scored again */
    size_t count = 0;
    for (size_t w = 0; w < s->windows; w++) {
        const size_t bytes = s->text[w].count * sizeof *s->nll;
        if (work_has(&s->log, w) && work_read(&s->log, w, &had, &ignored) && had.length == bytes) {
            memcpy(window_nll(s, w), had.at, bytes);
            continue;
        }
        number[count] = w;
        left[count++] = s->text[w];
    }
    text_free(&had);
    return count;
}

/* Position p of a window tells how likely its id at p + 1 is. A window that is through goes to the
   log. */
static bool score_pass(scoring *s, const feed *f, const size_t *number, int32_t *next, double *nll,
                       problem *why)
{
    size_t which = f->first, at = f->first_at;
    for (size_t i = 0; i < f->count; i++, feed_next_row(f, &which, &at)) {
        const fed_text *t = &s->text[number[which]];
        const size_t first = s->options->second_half ? (t->count + 1) / 2 : 0;
        next[i] = at < first ? -1 : t->ids[at + 1];
    }
    logits_nll(syn_context_logits(&s->ctx, 0), s->m.model.vocab, next, f->count, nll,
               &s->ctx.desc.parallel);
    which = f->first;
    at = f->first_at;
    for (size_t i = 0; i < f->count; i++, feed_next_row(f, &which, &at)) {
        const size_t w = number[which];
        if (next[i] >= 0 && !isfinite(nll[i]))
            return problem_set(why, "%s: the model gives token %zu no finite likelihood", s->name,
                               s->at[w] + at + 1);
        if (next[i] >= 0) window_nll(s, w)[at] = nll[i];
        if (at + 1 == s->text[w].count &&
            !work_add(&s->log, w, window_nll(s, w), s->text[w].count * sizeof *nll, why))
            return false;
    }
    return true;
}

/* A pass over the beginning tells what a position costs. */
static bool announce(scoring *s, double left, problem *why)
{
    const size_t few = s->text[0].count < 16 ? s->text[0].count : 16;
    const fed_text some = {.ids = s->text[0].ids, .count = few};
    const double start = clock_seconds();
    char what[120];
    feed f;
    feed_begin(&f, &s->ctx, s->m.path, &some, 1);
    const bool good = feed_pass(&f, why);
    feed_end(&f);
    const double all = (clock_seconds() - start) / (double)some.count * left;
    snprintf(what, sizeof what, "%zu window%s of up to %zu tokens, %zu tokens in all", s->windows,
             s->windows > 1 ? "s" : "", s->window, s->rows * s->length);
    const work_plan p = {what,
                         s->log.log ? s->log.desc.directory : NULL,
                         (double)s->m.model_bytes + (double)s->m.context_bytes,
                         8.0 * (double)(s->rows * s->length) + 20.0 * (double)s->windows + 1000,
                         0.3 * all,
                         1.5 * all + 0.1,
                         .unless = 1};
    return good && plan_announce(&p, why);
}

static bool score_windows(scoring *s, problem *why)
{
    int32_t *next = tool_alloc(s->ctx.desc.batch, sizeof *next);
    double *nll = tool_alloc(s->ctx.desc.batch, sizeof *nll), fed = 0, all = 0, left = 0;
    fed_text *given = tool_alloc(s->windows, sizeof *given);
    size_t *number = tool_alloc(s->windows, sizeof *number);
    const size_t count = left_to_score(s, given, number);
    feed f;
    for (size_t w = 0; w < s->windows; w++) all += (double)s->text[w].count;
    for (size_t w = 0; w < count; w++) left += (double)given[w].count;
    bool good = announce(s, left, why);
    feed_begin(&f, &s->ctx, s->m.path, given, count);
    progress_begin(&s->bar, "perplexity", all);
    progress_skip(&s->bar, fed = all - left);
    while (good && (good = feed_pass(&f, why)) && f.count &&
           (good = score_pass(s, &f, number, next, nll, why)))
        progress_step(&s->bar, fed += (double)f.count);
    progress_end(&s->bar);
    feed_end(&f);
    free(next);
    free(nll);
    free(given);
    free(number);
    return good;
}

/* What decides the likelihoods, as JSON; identity: its hash with that of the ids. */
static char *settings_of(const scoring *s, char identity[65])
{
    const perplexity_options *o = s->options;
    json_out j = {0};
    sha256 hash;
    char mark[65];
    model_mark(&s->m, mark);
    json_object(&j, NULL);
    json_text(&j, "version", tool_version());
    json_text(&j, "model_mark", mark);
    json_int(&j, "window", (int64_t)s->window);
    json_int(&j, "rows", (int64_t)s->rows);
    json_int(&j, "begin", s->bos);
    json_text(&j, "positions", o->second_half ? "second half" : "all");
    json_text(&j, "cache", choice_name(CHOICE_CACHE, (int)o->cache));
    json_text(&j, "arithmetic", choice_name(CHOICE_ARITHMETIC, o->exact));
    json_object_end(&j);
    sha256_begin(&hash);
    sha256_add(&hash, j.to.at, j.to.length);
    sha256_add(&hash, s->ids, s->rows * s->length * sizeof *s->ids);
    sha256_end(&hash, identity);
    return j.to.at;
}

/* With a log in the current folder, which goes when all is scored. */
static bool score_logged(scoring *s, problem *why)
{
    char identity[65], name[64];
    char *settings = settings_of(s, identity);
    work_desc d = {.settings = settings,
                   .identity = identity,
                   .pieces = "windows",
                   .total = s->windows,
                   .fresh = s->options->fresh};
    work_in_passing(&d, "perplexity", name);
    s->nll = tool_alloc(s->rows * s->length, sizeof *s->nll);
    for (size_t i = 0; i < s->rows * s->length; i++) s->nll[i] = (double)NAN;
    bool good = work_open(&s->log, &d, why);
    if (good) good = score_windows(s, why);
    if (good) take_all(s);
    work_close(&s->log, good);
    free(settings);
    free(s->nll);
    return good;
}

static bool score_all(scoring *s, problem *why)
{
    syn_context_desc desc;
    memset(&desc, 0, sizeof desc);
    if (s->window > INT32_MAX)
        return problem_set(why, "%s: a window of %zu tokens is too long (-c)", s->name, s->window);
    cut_windows(s);
    desc.tokens = (uint32_t)(s->window - 1); /* nothing comes after a window's last token */
    desc.all_logits = true;
    desc.cache = (syn_cache_type)s->options->cache;
    desc.arithmetic = s->options->exact ? SYN_EXACT : SYN_FAST;
    if (!feed_layout(&s->m, &desc, s->windows, 12, s->options->memory, why) ||
        !model_context(&s->m, &s->ctx, &desc, s->options->threads, why))
        return false;
    budget_note("windows", s->ctx.desc.sequences,
                (double)s->m.model_bytes + (double)s->m.context_bytes);
    return score_logged(s, why);
}

static void summarise(const scoring *s, perplexity_result *r)
{
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

bool perplexity_run(const perplexity_options *o, perplexity_result *r, problem *why)
{
    scoring s;
    memset(&s, 0, sizeof s);
    s.options = o;
    if (!(o->tokens ? model_load_weights(&s.m, o->model, why)
                    : model_load(&s.m, o->model, o->pre, why)))
        return false;
    const bool good = ids_of_input(&s, why) && choose_window(&s, why) && score_all(&s, why);
    if (good) summarise(&s, r);
    free(s.held);
    free(s.text);
    free(s.at);
    free(s.ids);
    model_unload(&s.m);
    return good;
}
