/* intervene.c - forced passes under edits, and the divergence of what they predict. */
#include "study/branches.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rows of a pass; texts that run together, and sequences for what they begin with; pairs whose
   outcome is not written down yet, as a share of all. */
enum { PASS = 256, GROUP = 8, STARTS = 8, LEAST_EDITS = 8, MOST_EDITS = 64, PARTS = 24 };
enum { BLOCK = 64, BLOCK_BYTES = 40 << 20 };

/* What the intact model says at one position. */
typedef struct intact_row {
    double log_sum;  /* log sum exp of its logits */
    double expected; /* sum share * logit */
    double total;    /* sum share: 1 within rounding */
    size_t top;
} intact_row;

enum { POWERS = 512 };

/* 2^(k / POWERS), k from 0 on: see power_of. */
static double *powers_make(void)
{
    double *power = tool_alloc(POWERS, sizeof *power);
    for (int k = 0; k < POWERS; k++) power[k] = exp2((double)k / POWERS);
    return power;
}

/* As many sequences as a pass may touch, and some for beginnings, within half of the budget. */
static bool lay_out(intervener *v, syn_context_desc *desc, problem *why)
{
    size_t bytes;
    v->starts = STARTS;
    for (uint32_t across = 8;; across /= 2) {
        desc->sequences = v->starts + across;
        if (!model_context_bytes(v->m, desc, &bytes, why)) return false;
        if ((double)bytes <= v->budget / 2 || across == 1) break;
        v->starts /= 2;
    }
    v->budget -= (double)bytes;
    return true;
}

bool intervene_open(intervener *v, loaded_model *m, size_t longest, bool exact, int64_t threads,
                    const char *memory, problem *why)
{
    syn_context_desc desc;
    size_t bytes;
    memset(v, 0, sizeof *v);
    memset(&desc, 0, sizeof desc);
    const size_t vocab = m->model.vocab;
    v->m = m;
    v->block = BLOCK;
    while (v->block > 16 && vocab * sizeof(float) * v->block > BLOCK_BYTES) v->block /= 2;
    desc.arithmetic = exact ? SYN_EXACT : SYN_FAST;
    desc.tokens = (uint32_t)longest - 1; /* the last id is only predicted */
    desc.batch = PASS;
    if (!budget_of(memory, &v->budget, why) || !lay_out(v, &desc, why) ||
        !model_context(m, &v->ctx, &desc, threads, why))
        return false;
    v->ctx.no_logits = true;
    desc.tokens = desc.batch = v->block;
    desc.sequences = 1;
    desc.all_logits = true;
    if (!model_context_on(m, &v->output, &desc, &v->output_memory, &bytes, why)) return false;
    v->rows = tool_alloc(v->block, sizeof *v->rows);
    v->share = tool_alloc(v->block * vocab, sizeof *v->share);
    v->row = tool_alloc(v->block, sizeof *v->row);
    v->power = powers_make();
    return true;
}

void intervene_close(intervener *v)
{
    free(v->output_memory);
    free(v->rows);
    free(v->share);
    free(v->row);
    free(v->power);
    memset(v, 0, sizeof *v);
}

void divergence_add(divergence *a, const divergence *b)
{
    a->positions += b->positions;
    a->kl += b->kl;
    a->nll += b->nll;
    a->same_top += b->same_top;
}

/* ---- texts that run together ---------------------------------------------------------- */

/* Their rows stand one behind the other: first those that all begin with, then each text's own. */
typedef struct group {
    intervener *v;
    const intervene_job *job;
    size_t first, texts; /* of the job's */
    size_t start;        /* rows that all texts begin with; none of them predicts what counts */
    size_t own[GROUP];   /* first own row of a text */
    size_t rows;
    size_t predicted; /* positions of all texts that predict */
    branch *edit;     /* (edits): those not done on some text, by the layer that they start at */
    size_t edits;
    size_t *slot;  /* (owner, layer + 1): where a stream is kept; SIZE_MAX: nowhere */
    bool *owns;    /* (owner): somewhere */
    float *stream; /* (slot, row, embd): before that layer; of layer `layers`, behind the last */
} group;

/* Positions that a text feeds. */
static size_t fed_of(const forced_text *t)
{
    return t->count - 1;
}

/* Those that predict ids that count. */
static size_t predicted_of(const forced_text *t)
{
    return t->count - t->from;
}

static const forced_text *text_of(const group *g, size_t i)
{
    return &g->job->text[g->first + i];
}

static bool is_done(const group *g, size_t i, size_t edit)
{
    return g->job->done[(g->first + i) * g->job->edits + edit];
}

static size_t *slot_of(const group *g, size_t owner, uint32_t layer)
{
    return &g->slot[owner * (g->v->m->model.layers + (size_t)1) + layer];
}

/* Owner 0 is the intact model, k + 1 edit k of the job. */
static float *stream_of(const group *g, size_t owner, uint32_t layer, size_t row)
{
    return g->stream + (*slot_of(g, owner, layer) * g->rows + row) * g->v->m->model.embd;
}

static size_t common_start(const group *g)
{
    const forced_text *one = text_of(g, 0);
    size_t same = g->texts > 1 ? one->from - 1 : 0;
    for (size_t i = 1; i < g->texts; i++) {
        const forced_text *t = text_of(g, i);
        size_t n = 0;
        while (n < same && n + 1 < t->from && t->ids[n] == one->ids[n]) n++;
        same = n;
    }
    return same;
}

static void place_rows(group *g)
{
    g->start = common_start(g);
    g->rows = g->start;
    g->predicted = 0;
    for (size_t i = 0; i < g->texts; i++) {
        g->own[i] = g->rows;
        g->rows += fed_of(text_of(g, i)) - g->start;
        g->predicted += predicted_of(text_of(g, i));
    }
}

/* Is an edit to be done on some text of the group; on all? */
static bool is_wanted(const group *g, size_t edit, bool *on_all)
{
    size_t wanted = 0;
    for (size_t i = 0; i < g->texts; i++) wanted += !is_done(g, i, edit);
    *on_all = wanted == g->texts;
    return wanted > 0;
}

/* Streams beside the intact model's, that edits may go on from, within what is left of the budget
   beside those and the ends of a chunk. */
static size_t most_streams(const group *g)
{
    const double row = (double)g->v->m->model.embd * sizeof(float);
    const double own =
        row * ((double)g->rows * (g->v->m->model.layers + 1.0) + (double)g->predicted * MOST_EDITS);
    const double n = (g->v->budget - own) / (row * (double)g->rows);
    return n < 1 ? 0 : n < 1e6 ? (size_t)n : (size_t)1e6;
}

/* The edits that are to be done, lowest layers first, and room for the streams that they start
   at. */
static void list_edits(group *g)
{
    const syn_model *model = &g->v->m->model;
    size_t slots = 0;
    g->edits = 0;
    for (size_t e = 0; e < g->job->edits; e++) {
        branch *b = &g->edit[g->edits];
        b->edit = e;
        g->edits += is_wanted(g, e, &b->whole);
    }
    branches_find(model, g->job->edit, g->edit, g->edits, most_streams(g));
    memset(g->slot, 0xff, (g->job->edits + 1) * (model->layers + (size_t)1) * sizeof *g->slot);
    memset(g->owns, 0, (g->job->edits + 1) * sizeof *g->owns);
    *slot_of(g, 0, model->layers) = slots++;
    for (size_t k = 0; k < g->edits; k++) {
        size_t *slot = slot_of(g, g->edit[k].owner, g->edit[k].layer);
        if (*slot == SIZE_MAX) *slot = slots++;
        g->owns[g->edit[k].owner] = true;
    }
    g->stream = tool_alloc(slots * g->rows, model->embd * sizeof *g->stream);
}

/* Of each text that a feed is given: whose streams come of it, and the group's row that its first
   one stands for. */
typedef struct source {
    size_t owner, row;
} source;

/* Keeps the streams of a pass that some edit goes on from. */
typedef struct keeper {
    const group *g;
    const feed *f;
    const source *of; /* (text of the feed) */
    size_t which, at; /* of the row that comes next */
} keeper;

static void keep_stream(void *user, const syn_probed *seen)
{
    keeper *k = user;
    if (seen->kind != SYN_PROBE_RESIDUAL) return;
    if (!seen->row) {
        k->which = k->f->first;
        k->at = k->f->first_at;
    }
    const source *s = &k->of[k->which];
    if (*slot_of(k->g, s->owner, seen->layer) != SIZE_MAX)
        memcpy(stream_of(k->g, s->owner, seen->layer, s->row + k->at), seen->vector,
               seen->length * sizeof *seen->vector);
    feed_next_row(k->f, &k->which, &k->at);
}

/* Feeds all of it; `each`, where it is not NULL, takes every pass. */
typedef void pass_fn(void *user, const feed *f);
static bool feed_all(const group *g, feed *f, const source *of, pass_fn *each, void *user,
                     problem *why)
{
    syn_context *ctx = &g->v->ctx;
    keeper k = {g, f, of, 0, 0};
    bool owned = false, good;
    for (size_t i = 0; i < f->texts; i++) owned = owned || g->owns[of[i].owner];
    if (owned) ctx->probe = (syn_probe){.take = keep_stream, .user = &k};
    while ((good = feed_pass(f, why)) && f->count)
        if (each) each(user, f);
    memset(&ctx->probe, 0, sizeof ctx->probe);
    feed_end(f);
    return good;
}

static void begin_feed(feed *f, const group *g, const fed_text *given, size_t texts)
{
    feed_begin(f, &g->v->ctx, g->v->m->path, given, texts);
}

/* The intact model, on what all begin with and then on the texts. */
static bool run_intact(group *g, problem *why)
{
    static const uint32_t start = 0;
    intervener *v = g->v;
    fed_text given[GROUP + 1];
    source of[GROUP + 1] = {{0, 0}};
    feed f;
    given[0] = (fed_text){.ids = text_of(g, 0)->ids, .count = g->start};
    for (size_t i = 0; i < g->texts; i++) {
        given[1 + i] = (fed_text){.ids = text_of(g, i)->ids + g->start,
                                  .count = fed_of(text_of(g, i)) - g->start,
                                  .behind = g->start ? &start : NULL};
        of[1 + i].row = g->own[i];
    }
    memset(&v->ctx.edit, 0, sizeof v->ctx.edit);
    g->owns[0] = true;
    begin_feed(&f, g, given, 1);
    f.sequences = 1;
    if (!feed_all(g, &f, of, NULL, NULL, why)) return false;
    begin_feed(&f, g, given + 1, g->texts);
    f.first_sequence = v->starts;
    f.sequences -= v->starts;
    return feed_all(g, &f, of + 1, NULL, NULL, why);
}

/* ---- edits that run together ---------------------------------------------------------- */

typedef struct pair {
    size_t text; /* of the group */
    const branch *branch;
    float *end; /* (predicted position, embd): the stream behind the last layer */
    divergence sum;
} pair;

typedef struct chunk {
    group *g;
    pair *pair;
    size_t pairs;
    fed_text *given;  /* (pairs) */
    source *of;       /* (pairs) */
    double rows, fed; /* of pairs, each times the layers that it goes through: in all, so far */
    size_t compared;  /* predicted positions of all texts, so far */
} chunk;

/* Layers and output, about as they share the time. */
static void tell_step(const chunk *c)
{
    const intervene_job *job = c->g->job;
    const double layers = c->rows > 0 ? c->fed / c->rows : 1;
    double ids = 0;
    if (!job->step) return;
    for (size_t k = 0; k < c->pairs; k++) ids += (double)text_of(c->g, c->pair[k].text)->count;
    job->step(job->user,
              ids * (0.75 * layers + 0.25 * (double)c->compared / (double)c->g->predicted));
}

static const syn_edit *edit_of(const chunk *c, size_t k)
{
    return &c->g->job->edit[c->pair[k].branch->edit].edit;
}

/* What texts begin with, under the edits of pairs from .. to - 1, each in a sequence: in the order
   of edits, for sequence[k] of pair k. */
static bool run_starts(const chunk *c, size_t from, size_t to, const uint32_t *sequence,
                       problem *why)
{
    const group *g = c->g;
    fed_text given[STARTS];
    source of[STARTS];
    feed f;
    size_t n = 0;
    for (size_t k = from; k < to; k++) {
        const branch *b = c->pair[k].branch;
        if (sequence[k] != n) continue;
        of[n] = (source){b->edit + 1, 0};
        given[n++] = (fed_text){.count = g->start,
                                .stream = stream_of(g, b->owner, b->layer, 0),
                                .edit = edit_of(c, k)};
    }
    begin_feed(&f, g, given, n);
    f.layer = c->pair[from].branch->layer;
    f.sequences = g->v->starts;
    return feed_all(g, &f, of, NULL, NULL, why);
}

/* Pairs whose edits start at one layer, `from` on. */
typedef struct pass {
    chunk *c;
    size_t from;
} pass;

/* Keeps the streams of a pass's rows that predict. */
static void take_ends(void *user, const feed *f)
{
    const pass *under_way = user;
    chunk *c = under_way->c;
    const size_t embd = c->g->v->m->model.embd;
    size_t which = f->first, at = f->first_at;
    for (size_t r = 0; r < f->count; r++, feed_next_row(f, &which, &at)) {
        const pair *p = &c->pair[under_way->from + which];
        const size_t before = text_of(c->g, p->text)->from - 1, position = c->g->start + at;
        if (position >= before)
            memcpy(p->end + (position - before) * embd, syn_context_stream(f->ctx, (int)r),
                   embd * sizeof *p->end);
    }
    c->fed += (double)f->count * (c->g->v->m->model.layers - f->layer);
    tell_step(c);
}

/* Pairs from .. to - 1, whose edits start at one layer. */
static bool run_pairs(chunk *c, size_t from, size_t to, const uint32_t *sequence, problem *why)
{
    const group *g = c->g;
    feed f;
    pass under_way = {c, from};
    if (g->start && !run_starts(c, from, to, sequence, why)) return false;
    for (size_t k = from; k < to; k++) {
        const size_t i = c->pair[k].text;
        const branch *b = c->pair[k].branch;
        c->of[k] = (source){b->edit + 1, g->own[i]};
        c->given[k] = (fed_text){.count = fed_of(text_of(g, i)) - g->start,
                                 .stream = stream_of(g, b->owner, b->layer, g->own[i]),
                                 .edit = edit_of(c, k),
                                 .behind = g->start ? &sequence[k] : NULL};
    }
    begin_feed(&f, g, c->given + from, to - from);
    f.layer = c->pair[from].branch->layer;
    f.first_sequence = g->v->starts;
    f.sequences -= g->v->starts;
    return feed_all(g, &f, c->of + from, take_ends, &under_way, why);
}

/* An edit that does the same as its owner ends where that one does. */
static void copy_end(const chunk *c, size_t k)
{
    const group *g = c->g;
    const size_t i = c->pair[k].text, before = text_of(g, i)->from - 1 - g->start;
    memcpy(c->pair[k].end,
           stream_of(g, c->pair[k].branch->owner, g->v->m->model.layers, g->own[i] + before),
           predicted_of(text_of(g, i)) * g->v->m->model.embd * sizeof(float));
}

/* All pairs go through the layers; those of at most `starts` edits of one layer side by side. */
static bool run_layers(chunk *c, problem *why)
{
    const group *g = c->g;
    uint32_t *sequence = tool_alloc(c->pairs, sizeof *sequence);
    bool good = true;
    for (size_t from = 0, to; good && from < c->pairs; from = to) {
        const uint32_t layer = c->pair[from].branch->layer;
        uint32_t edits = 0;
        for (to = from; to < c->pairs && c->pair[to].branch->layer == layer; to++) {
            const bool next = to == from || c->pair[to].branch != c->pair[to - 1].branch;
            if (g->start && next && edits == g->v->starts) break;
            edits += next;
            sequence[to] = edits - 1;
        }
        if (layer < g->v->m->model.layers) good = run_pairs(c, from, to, sequence, why);
        else
            for (size_t k = from; k < to; k++) copy_end(c, k);
    }
    free(sequence);
    return good;
}

/* ---- divergence of a block ------------------------------------------------------------ */

/* Some positions that predict, of any texts of a group. */
typedef struct block_job {
    const intervener *v;
    size_t rows;
    size_t text[BLOCK], at[BLOCK]; /* (row): position at of those of the text that predict */
    int32_t next[BLOCK];           /* (row): the token that follows */
    size_t fed, row[BLOCK];        /* (logits): the rows that are fed under an edit */
    divergence of_row[BLOCK];      /* (logits) */
} block_job;

/* The largest of eight columns in turn, then of those. */
static float top_value(const float *x, size_t n)
{
    enum { LANES = 8 };
    float top[LANES];
    size_t i, k;
    for (k = 0; k < LANES; k++) top[k] = x[0];
    for (i = 0; i + LANES <= n; i += LANES)
        for (k = 0; k < LANES; k++) top[k] = x[i + k] > top[k] ? x[i + k] : top[k];
    for (k = 1; k < LANES; k++) top[0] = top[k] > top[0] ? top[k] : top[0];
    for (; i < n; i++) top[0] = x[i] > top[0] ? x[i] : top[0];
    return top[0];
}

/* The first of the largest. */
static size_t top_of(const float *x, size_t n)
{
    const float top = top_value(x, n);
    size_t i = 0;
    while (i + 1 < n && x[i] < top) i++;
    return i;
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

/* expf, whose calls were a tenth of a study: 2^(k / POWERS) from a table times the first terms of
   exp(r), |r| < 7e-4, off by less than 2^-34 of itself (1/1000 of a float's last place). Where that
   lies within 1/128 of a place from the middle between two floats, and where results are subnormal,
   expf itself is asked: a libm that is off by at most 0.507 places gives the same bits. */
static float power_of(const double *power, float x)
{
    const double turning = 6755399441055744.0; /* 1.5 * 2^52: what is added to it becomes whole */
    const double per = 738.6598609351493;      /* POWERS / log 2 */
    const double shifted = (double)x * per + turning;
    const double r = (double)x - (shifted - turning) * (1 / per);
    const uint64_t place = UINT64_C(1) << 29, near = place / 128; /* a float's last, of a double */
    uint64_t bits, steps;
    double y;
    if (!(x > -86.0f)) return expf(x);
    memcpy(&steps, &shifted, sizeof steps);
    memcpy(&bits, &power[steps % POWERS], sizeof bits);
    bits += steps / POWERS << 52;
    memcpy(&y, &bits, sizeof y);
    y += y * (r + 0.5 * r * r);
    memcpy(&bits, &y, sizeof bits);
    return (bits + near - place / 2) % place < 2 * near ? expf(x) : (float)y;
}

/* KL(p || q) = sum p_i (a_i - b_i) - log sum exp a + log sum exp b. */
static void edited_job(void *arg, int index)
{
    block_job *job = arg;
    const intervener *v = job->v;
    const size_t n = v->m->model.vocab, r = job->row[index];
    const float *b = syn_context_logits(&v->output, index), *share = v->share + r * n;
    const intact_row *row = &v->row[r];
    const size_t top = top_of(b, n);
    const float most = b[top];
    double sum = 0, expected = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)power_of(v->power, b[i] - most);
        expected += (double)share[i] * (double)b[i];
    }
    const double log_sum = (double)most + log(sum);
    divergence *d = &job->of_row[index];
    d->positions = 1;
    d->kl = (row->expected - expected) / row->total - row->log_sum + log_sum;
    d->nll = log_sum - (double)b[job->next[r]];
    d->same_top = top == row->top;
}

static void run_rows(const intervener *v, syn_job_fn *job, block_job *arg, size_t rows)
{
    const syn_parallel *parallel = &v->m->pool.parallel;
    if (parallel->run) parallel->run(parallel->user, (int)rows, job, arg);
    for (size_t r = 0; !parallel->run && r < rows; r++) job(arg, (int)r);
}

/* The output of `n` rows whose streams are set, and then the job on each. */
static bool run_output(intervener *v, syn_job_fn *job, block_job *b, size_t n, problem *why)
{
    syn_error err;
    if (syn_context_step_from(&v->output, v->m->model.layers, v->rows, n, &err) != SYN_OK)
        return problem_engine(why, v->m->path, &err);
    run_rows(v, job, b, n);
    return true;
}

/* One edit's pairs, `from` on: on each text at most one. */
static bool compare_edit(const chunk *c, size_t from, size_t to, block_job *b, problem *why)
{
    intervener *v = c->g->v;
    const size_t embd = v->m->model.embd;
    pair *of_text[GROUP] = {NULL};
    b->fed = 0;
    for (size_t k = from; k < to; k++) of_text[c->pair[k].text] = &c->pair[k];
    for (size_t r = 0; r < b->rows; r++) {
        if (!of_text[b->text[r]]) continue;
        v->rows[b->fed].stream = of_text[b->text[r]]->end + b->at[r] * embd;
        b->row[b->fed++] = r;
    }
    if (!run_output(v, edited_job, b, b->fed, why)) return false;
    for (size_t r = 0; r < b->fed; r++)
        divergence_add(&of_text[b->text[b->row[r]]]->sum, &b->of_row[r]);
    return true;
}

/* A block of positions of the intact model, then of each edit. */
static bool compare_block(const chunk *c, block_job *b, problem *why)
{
    const group *g = c->g;
    intervener *v = g->v;
    for (size_t r = 0; r < b->rows; r++) {
        const forced_text *t = text_of(g, b->text[r]);
        v->rows[r].stream = stream_of(g, 0, v->m->model.layers,
                                      g->own[b->text[r]] + t->from - 1 - g->start + b->at[r]);
        b->next[r] = t->ids[t->from + b->at[r]];
    }
    if (!run_output(v, intact_job, b, b->rows, why)) return false;
    for (size_t from = 0, to; from < c->pairs; from = to) {
        for (to = from; to < c->pairs && c->pair[to].branch == c->pair[from].branch;) to++;
        if (!compare_edit(c, from, to, b, why)) return false;
    }
    return true;
}

static bool compare(chunk *c, problem *why)
{
    const group *g = c->g;
    block_job b;
    b.v = g->v;
    b.rows = 0;
    for (size_t i = 0; i < g->texts; i++)
        for (size_t at = 0; at < predicted_of(text_of(g, i)); at++) {
            b.text[b.rows] = i;
            b.at[b.rows++] = at;
            if (b.rows < g->v->block && (i + 1 < g->texts || at + 1 < predicted_of(text_of(g, i))))
                continue;
            if (!compare_block(c, &b, why)) return false;
            c->compared += b.rows;
            tell_step(c);
            b.rows = 0;
        }
    return true;
}

/* ---- all of it ------------------------------------------------------------------------ */

/* Edits number from .. to - 1 of a group's. */
static bool run_chunk(group *g, size_t from, size_t to, problem *why)
{
    const size_t embd = g->v->m->model.embd, most = (to - from) * g->texts;
    float *ends = tool_alloc((to - from) * g->predicted, embd * sizeof *ends), *end = ends;
    chunk c = {.g = g,
               .pair = tool_alloc(most, sizeof(pair)),
               .given = tool_alloc(most, sizeof(fed_text)),
               .of = tool_alloc(most, sizeof(source))};
    for (size_t k = from; k < to; k++)
        for (size_t i = 0; i < g->texts; i++) {
            if (is_done(g, i, g->edit[k].edit)) continue;
            c.pair[c.pairs++] = (pair){.text = i, .branch = &g->edit[k], .end = end};
            end += predicted_of(text_of(g, i)) * embd;
            c.rows += (double)(fed_of(text_of(g, i)) - g->start) *
                      (g->v->m->model.layers - g->edit[k].layer);
        }
    bool good = run_layers(&c, why) && compare(&c, why);
    for (size_t k = 0; good && k < c.pairs; k++) {
        const pair *p = &c.pair[k];
        const size_t edit = p->branch->edit;
        good = g->job->take(g->job->user, g->first + p->text, edit, &p->sum, why);
        g->job->done[(g->first + p->text) * g->job->edits + edit] = good;
    }
    free(c.pair);
    free(c.given);
    free(c.of);
    free(ends);
    return good;
}

/* Edits whose outcome is written down at once: a part of the run that one may lose. */
static size_t chunk_edits(const group *g)
{
    const size_t n = g->job->texts * g->job->edits / PARTS / g->texts;
    return n < LEAST_EDITS ? LEAST_EDITS : n > MOST_EDITS ? MOST_EDITS : n;
}

static bool run_group(group *g, problem *why)
{
    const size_t at_once = chunk_edits(g);
    bool good = true;
    place_rows(g);
    list_edits(g);
    if (g->edits) good = run_intact(g, why);
    for (size_t k = 0, n; good && k < g->edits; k += n) {
        n = g->edits - k < at_once ? g->edits - k : at_once;
        good = run_chunk(g, k, k + n, why);
    }
    free(g->stream);
    return good;
}

/* Texts, from `first` on, whose streams before every layer the budget holds. */
static size_t group_texts(const intervener *v, const intervene_job *job, size_t first)
{
    const double row = (double)v->m->model.embd * sizeof(float);
    double bytes = 0;
    size_t n = 0;
    while (n < GROUP && first + n < job->texts) {
        const forced_text *t = &job->text[first + n];
        bytes += row * ((double)fed_of(t) * (v->m->model.layers + 1.0) +
                        (double)predicted_of(t) * MOST_EDITS);
        if (n && bytes > v->budget) break;
        n++;
    }
    return n;
}

bool intervene_run(intervener *v, const intervene_job *job, problem *why)
{
    group g = {.v = v, .job = job};
    bool good = true;
    g.edit = tool_alloc(job->edits, sizeof *g.edit);
    g.slot = tool_alloc((job->edits + 1) * (v->m->model.layers + (size_t)1), sizeof *g.slot);
    g.owns = tool_alloc(job->edits + 1, sizeof *g.owns);
    for (; good && g.first < job->texts; g.first += g.texts) {
        g.texts = group_texts(v, job, g.first);
        good = run_group(&g, why);
    }
    free(g.edit);
    free(g.slot);
    free(g.owns);
    return good;
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
        good = !status || problem_engine(why, v->m->path, &err);
    }
    memset(&v->ctx.probe, 0, sizeof v->ctx.probe);
    for (size_t i = 0; i < units * size; i++)
        mean[i] = s.times[i / size] > 0 ? (float)(s.sum[i] / s.times[i / size]) : 0.0f;
    free(s.sum);
    free(s.times);
    return good;
}
