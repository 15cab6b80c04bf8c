/* intervene.c - forced passes under edits, and the divergence of what they predict. */
#include "study/intervene.h"

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
    return true;
}

void intervene_close(intervener *v)
{
    free(v->output_memory);
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
    size_t *edit;     /* (edits): those not done on some text, by the layer that they start at */
    size_t edits;
    size_t *slot;  /* (layer + 1): where its stream is kept */
    float *stream; /* (slot, row, embd): before that layer; of layer `layers`, behind the last */
    size_t base;   /* rows before the pass under way */
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

static float *stream_of(const group *g, uint32_t layer, size_t row)
{
    return g->stream + (g->slot[layer] * g->rows + row) * g->v->m->model.embd;
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

/* The edits that are to be done, lowest layers first; a layer that one starts at has a slot. */
static void list_edits(group *g)
{
    const uint32_t layers = g->v->m->model.layers;
    size_t slots = 0;
    g->edits = 0;
    for (uint32_t layer = 0; layer <= layers; layer++) {
        const size_t before = g->edits;
        for (size_t e = 0; e < g->job->edits; e++) {
            bool wanted = false;
            for (size_t i = 0; i < g->texts; i++) wanted = wanted || !is_done(g, i, e);
            if (wanted && g->job->edit[e].layer == layer) g->edit[g->edits++] = e;
        }
        g->slot[layer] = slots;
        slots += layer == layers || g->edits > before;
    }
    g->stream = tool_alloc(slots * g->rows, g->v->m->model.embd * sizeof *g->stream);
}

static void keep_stream(void *user, const syn_probed *seen)
{
    const group *g = user;
    const uint32_t layer = seen->layer;
    if (seen->kind != SYN_PROBE_RESIDUAL) return;
    if (layer < g->v->m->model.layers && g->slot[layer] == g->slot[layer + 1]) return;
    memcpy(stream_of(g, layer, g->base + seen->row), seen->vector,
           seen->length * sizeof *seen->vector);
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
    feed f;
    bool good;
    given[0] = (fed_text){.ids = text_of(g, 0)->ids, .count = g->start};
    for (size_t i = 0; i < g->texts; i++)
        given[1 + i] = (fed_text){.ids = text_of(g, i)->ids + g->start,
                                  .count = fed_of(text_of(g, i)) - g->start,
                                  .behind = g->start ? &start : NULL};
    memset(&v->ctx.edit, 0, sizeof v->ctx.edit);
    v->ctx.probe.take = keep_stream;
    v->ctx.probe.user = g;
    g->base = 0;
    begin_feed(&f, g, given, 1);
    f.sequences = 1;
    while ((good = feed_pass(&f, why)) && f.count) g->base += f.count;
    feed_end(&f);
    begin_feed(&f, g, given + 1, g->texts);
    f.first_sequence = v->starts;
    f.sequences -= v->starts;
    while (good && (good = feed_pass(&f, why)) && f.count) g->base += f.count;
    feed_end(&f);
    memset(&v->ctx.probe, 0, sizeof v->ctx.probe);
    return good;
}

/* ---- edits that run together ---------------------------------------------------------- */

typedef struct pair {
    size_t text, edit; /* of the group; of the job */
    float *end;        /* (predicted position, embd): the stream behind the last layer */
    divergence sum;
} pair;

typedef struct chunk {
    group *g;
    pair *pair;
    size_t pairs;
    fed_text *given;  /* (pairs) */
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

static const intervention *edit_of(const chunk *c, size_t k)
{
    return &c->g->job->edit[c->pair[k].edit];
}

/* What texts begin with, under the edits of pairs from .. to - 1, each in a sequence: in the order
   of edits, for sequence[k] of pair k. */
static bool run_starts(const chunk *c, size_t from, size_t to, uint32_t layer,
                       const uint32_t *sequence, problem *why)
{
    const group *g = c->g;
    fed_text given[STARTS];
    feed f;
    size_t n = 0;
    bool good = true;
    for (size_t k = from; k < to; k++)
        if (sequence[k] == n)
            given[n++] = (fed_text){
                .count = g->start, .stream = stream_of(g, layer, 0), .edit = &edit_of(c, k)->edit};
    begin_feed(&f, g, given, n);
    f.layer = layer;
    f.sequences = g->v->starts;
    while ((good = feed_pass(&f, why)) && f.count) {}
    feed_end(&f);
    return good;
}

/* Keeps the streams of a pass's rows that predict. */
static void keep_ends(const chunk *c, size_t from, const feed *f)
{
    const size_t embd = c->g->v->m->model.embd;
    size_t which = f->first, at = f->first_at;
    for (size_t r = 0; r < f->count; r++, feed_next_row(f, &which, &at)) {
        const pair *p = &c->pair[from + which];
        const size_t before = text_of(c->g, p->text)->from - 1, position = c->g->start + at;
        if (position >= before)
            memcpy(p->end + (position - before) * embd, syn_context_stream(f->ctx, (int)r),
                   embd * sizeof *p->end);
    }
}

/* Pairs from .. to - 1, whose edits start at one layer. */
static bool run_pairs(chunk *c, size_t from, size_t to, uint32_t layer, const uint32_t *sequence,
                      problem *why)
{
    const group *g = c->g;
    feed f;
    bool good = true;
    if (g->start && !run_starts(c, from, to, layer, sequence, why)) return false;
    for (size_t k = from; k < to; k++) {
        const size_t i = c->pair[k].text;
        c->given[k] = (fed_text){.count = fed_of(text_of(g, i)) - g->start,
                                 .stream = stream_of(g, layer, g->own[i]),
                                 .edit = &edit_of(c, k)->edit,
                                 .behind = g->start ? &sequence[k] : NULL};
    }
    begin_feed(&f, g, c->given + from, to - from);
    f.layer = layer;
    f.first_sequence = g->v->starts;
    f.sequences -= g->v->starts;
    while ((good = feed_pass(&f, why)) && f.count) {
        keep_ends(c, from, &f);
        c->fed += (double)f.count * (g->v->m->model.layers - layer);
        tell_step(c);
    }
    feed_end(&f);
    return good;
}

/* An edit that changes nothing ends where the intact model does. */
static void copy_intact(const chunk *c, size_t k)
{
    const group *g = c->g;
    const size_t i = c->pair[k].text, before = text_of(g, i)->from - 1 - g->start;
    memcpy(c->pair[k].end, stream_of(g, g->v->m->model.layers, g->own[i] + before),
           predicted_of(text_of(g, i)) * g->v->m->model.embd * sizeof(float));
}

/* All pairs go through the layers; those of at most `starts` edits of one layer side by side. */
static bool run_layers(chunk *c, problem *why)
{
    const group *g = c->g;
    uint32_t *sequence = tool_alloc(c->pairs, sizeof *sequence);
    bool good = true;
    for (size_t from = 0, to; good && from < c->pairs; from = to) {
        const uint32_t layer = edit_of(c, from)->layer;
        uint32_t edits = 0;
        for (to = from; to < c->pairs && edit_of(c, to)->layer == layer; to++) {
            const bool next = to == from || c->pair[to].edit != c->pair[to - 1].edit;
            if (g->start && next && edits == g->v->starts) break;
            edits += next;
            sequence[to] = edits - 1;
        }
        if (layer < g->v->m->model.layers) good = run_pairs(c, from, to, layer, sequence, why);
        else
            for (size_t k = from; k < to; k++) copy_intact(c, k);
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
    block_job *job = arg;
    const intervener *v = job->v;
    const size_t n = v->m->model.vocab, r = job->row[index];
    const float *b = syn_context_logits(&v->output, index), *share = v->share + r * n;
    const intact_row *row = &v->row[r];
    const size_t top = top_of(b, n);
    const double log_sum = log_sum_exp(b, n, b[top]);
    double expected = 0;
    for (size_t i = 0; i < n; i++) expected += (double)share[i] * (double)b[i];
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
        v->rows[r].stream = stream_of(g, v->m->model.layers,
                                      g->own[b->text[r]] + t->from - 1 - g->start + b->at[r]);
        b->next[r] = t->ids[t->from + b->at[r]];
    }
    if (!run_output(v, intact_job, b, b->rows, why)) return false;
    for (size_t from = 0, to; from < c->pairs; from = to) {
        for (to = from; to < c->pairs && c->pair[to].edit == c->pair[from].edit;) to++;
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
               .given = tool_alloc(most, sizeof(fed_text))};
    for (size_t k = from; k < to; k++)
        for (size_t i = 0; i < g->texts; i++) {
            if (is_done(g, i, g->edit[k])) continue;
            c.pair[c.pairs++] = (pair){.text = i, .edit = g->edit[k], .end = end};
            end += predicted_of(text_of(g, i)) * embd;
            c.rows += (double)(fed_of(text_of(g, i)) - g->start) *
                      (g->v->m->model.layers - g->job->edit[g->edit[k]].layer);
        }
    bool good = run_layers(&c, why) && compare(&c, why);
    for (size_t k = 0; good && k < c.pairs; k++) {
        const pair *p = &c.pair[k];
        good = g->job->take(g->job->user, g->first + p->text, p->edit, &p->sum, why);
        g->job->done[(g->first + p->text) * g->job->edits + p->edit] = good;
    }
    free(c.pair);
    free(c.given);
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
    g.slot = tool_alloc(v->m->model.layers + (size_t)1, sizeof *g.slot);
    for (; good && g.first < job->texts; g.first += g.texts) {
        g.texts = group_texts(v, job, g.first);
        good = run_group(&g, why);
    }
    free(g.edit);
    free(g.slot);
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
