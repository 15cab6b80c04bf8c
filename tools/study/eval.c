/* eval.c - tokenises the evaluation sets and lets a model choose.

   The ids of a choice are those of preamble, context and choice as one text, so that no word is
   cut where the context ends. What all choices of an item share, the stem, is fed once; its last
   row of logits gives each choice its first own token, and only what stands between that and the
   last token is fed choice by choice. What all items of a set begin with is fed once and copied.
   Items are asked side by side, each in sequences of its own. */
#include "study/eval.h"
#include "study/perplexity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TOGETHER = 24, PASS = 256 }; /* items that are asked at once, at most; rows of a pass */

/* ---- opening -------------------------------------------------------------------------- */

/* A text becomes the prompt that a chat makes of it. */
static bool as_message(const chat *asked, text *words, problem *why)
{
    size_t n;
    char *rendered = chat_render(asked, words->at, words->length, &n, why);
    if (rendered) {
        words->length = 0;
        text_add_bytes(words, rendered, n);
    } else text_free(words);
    free(rendered);
    return rendered != NULL;
}

/* With a chat, the question is the user's message and the choice what the assistant goes on
   with. */
static bool item_ids(eval_item *item, const eval_set *set, const syn_tokenizer *t,
                     const chat *asked, problem *why)
{
    const eval_text *words = &set->text[item->text];
    const bool plain = asked->way == CHAT_PLAIN;
    for (int c = 0; c < words->choices; c++) {
        text whole = {0};
        text_print(&whole, "%s%s", set->preamble, words->context);
        if (!plain && !as_message(asked, &whole, why)) return false;
        text_add(&whole, words->choice[c] + (!plain && words->choice[c][0] == ' '));
        item->ids[c] =
            tokenize_text(t, whole.at, whole.length, plain ? 0 : SYN_PARSE_SPECIAL | SYN_NO_BOS,
                          &item->length[c], why);
        text_free(&whole);
        if (!item->ids[c]) return false;
        if (plain && t->add_eos && item->length[c]) item->length[c]--; /* no choice ends the text */
    }
    return true;
}

static size_t shared(const int32_t *a, size_t n, const int32_t *b, size_t m)
{
    size_t i = 0;
    while (i < n && i < m && a[i] == b[i]) i++;
    return i;
}

static bool item_open(eval_item *item, const eval_set *set, const syn_tokenizer *t,
                      const chat *asked, problem *why)
{
    const eval_text *words = &set->text[item->text];
    item->choices = words->choices;
    item->right = words->right;
    if (!item_ids(item, set, t, asked, why)) return false;
    item->stem = item->length[0];
    for (int c = 1; c < item->choices; c++) {
        const size_t same = shared(item->ids[0], item->length[0], item->ids[c], item->length[c]);
        if (same < item->stem) item->stem = same;
    }
    for (int c = 0; c < item->choices; c++)
        if (!item->stem || item->length[c] <= item->stem)
            return problem_set(why,
                               "evaluation sets: %s, item %d: this model's tokens do not tell "
                               "its choices apart",
                               set->name, item->text + 1);
    return true;
}

static bool open_set(eval_bench *e, int which, int64_t limit, const syn_tokenizer *t,
                     const chat *asked, problem *why)
{
    eval_set *set = &e->set[e->sets++];
    eval_set_make(set, which);
    bool *chosen = tool_alloc((size_t)set->texts, sizeof *chosen);
    bool good = true;
    e->item = tool_realloc(e->item, e->items + (size_t)eval_set_choose(set, limit, chosen),
                           sizeof *e->item);
    for (int i = 0; i < set->texts && good; i++) {
        if (!chosen[i]) continue;
        eval_item *item = &e->item[e->items++];
        memset(item, 0, sizeof *item);
        item->set = e->sets - 1;
        item->text = i;
        good = item_open(item, set, t, asked, why);
    }
    free(chosen);
    return good;
}

static uint64_t count_positions(const eval_bench *e);

bool eval_open(eval_bench *e, const loaded_model *m, const char *names, int64_t limit,
               const chat *asked, problem *why)
{
    int which[EVAL_SETS];
    const chat plain = {0};
    memset(e, 0, sizeof *e);
    e->vocab = m->model.vocab;
    e->window = m->model.window;
    const int sets = eval_set_names(names, which, why);
    bool good = sets > 0;
    for (int i = 0; i < sets && good; i++)
        good = open_set(e, which[i], limit, &m->model.tokenizer, asked ? asked : &plain, why);
    for (size_t i = 0; i < e->items; i++)
        for (int c = 0; c < e->item[i].choices; c++)
            if (e->item[i].length[c] > e->tokens) e->tokens = (uint32_t)e->item[i].length[c];
    if (good) e->positions = count_positions(e);
    else eval_close(e);
    return good;
}

void eval_close(eval_bench *e)
{
    for (size_t i = 0; i < e->items; i++)
        for (int c = 0; c < e->item[i].choices; c++) free(e->item[i].ids[c]);
    for (int s = 0; s < e->sets; s++) eval_set_free(&e->set[s]);
    free(e->item);
    memset(e, 0, sizeof *e);
}

uint64_t eval_positions(const eval_bench *e)
{
    return e->positions;
}

/* ---- feeding -------------------------------------------------------------------------- */

/* Ids that a sequence is still to be fed, and what its last row of logits then tells. */
typedef struct piece {
    uint32_t sequence;
    const int32_t *ids;
    size_t from, to;
    const eval_item *item; /* NULL: nothing is asked of it */
    int choice;            /* -1: of all choices, the first own token; else of this one, the next */
    double *likelihood;    /* (EVAL_CHOICES), of the item */
    int row;               /* of the pass under way; -1: not at its end */
} piece;

typedef struct feeder {
    const eval_bench *e;
    syn_context *ctx;
    syn_row *rows; /* (batch) */
    piece *piece;  /* (sequences) */
    size_t pieces;
    uint64_t fed;
} feeder;

/* Sums are in the order of tokens, whatever is fed beside them. */
static void score_piece(void *arg, int index)
{
    const feeder *f = arg;
    const piece *p = &f->piece[index];
    if (p->row < 0 || !p->item) return;
    const float *row = syn_context_logits(f->ctx, p->row);
    const double log_sum = logits_log_sum(row, f->e->vocab);
    if (p->choice >= 0) {
        p->likelihood[p->choice] -= log_sum - (double)row[p->ids[p->to]];
        return;
    }
    for (int c = 0; c < p->item->choices; c++)
        p->likelihood[c] = (double)row[p->item->ids[c][p->item->stem]] - log_sum;
}

static bool feed_pass(feeder *f, bool *more, problem *why)
{
    const syn_parallel *parallel = &f->ctx->desc.parallel;
    syn_error err;
    size_t n = 0;
    *more = false;
    for (size_t i = 0; i < f->pieces; i++) {
        piece *p = &f->piece[i];
        const bool open = p->from < p->to;
        for (; p->from < p->to && n < f->ctx->desc.batch; n++)
            f->rows[n] = (syn_row){.sequence = p->sequence, .id = p->ids[p->from++]};
        p->row = open && p->from == p->to ? (int)n - 1 : -1;
        *more = *more || p->from < p->to;
    }
    if (syn_context_step_rows(f->ctx, f->rows, n, &err) != SYN_OK)
        return problem_engine(why, "evaluation", &err);
    if (parallel->run) parallel->run(parallel->user, (int)f->pieces, score_piece, f);
    for (size_t i = 0; !parallel->run && i < f->pieces; i++) score_piece(f, (int)i);
    f->fed += n;
    if (f->e->bar) progress_step(f->e->bar, (double)f->fed);
    return true;
}

static bool feed(feeder *f, problem *why)
{
    bool more = f->pieces > 0;
    while (more)
        if (!feed_pass(f, &more, why)) return false;
    f->pieces = 0;
    return true;
}

static void add_piece(feeder *f, const piece *p)
{
    f->piece[f->pieces++] = *p;
}

static bool copy(feeder *f, uint32_t from, uint32_t to, problem *why)
{
    syn_error err;
    return syn_context_copy(f->ctx, from, to, &err) == SYN_OK ||
           problem_engine(why, "evaluation", &err);
}

/* Items that are asked at once: sequence 0 holds what all items of a set begin with, one more each
   item its stem, one more each choice the rest. */
static size_t together(const syn_context_desc *desc)
{
    const size_t n = (desc->sequences - 1) / (1 + EVAL_CHOICES);
    return n ? n : 1;
}

static uint32_t choice_sequence(size_t items, size_t i, int c)
{
    return (uint32_t)(1 + items + i * EVAL_CHOICES + (size_t)c);
}

/* The other tokens of the choices, one more of each with every pass. */
static bool score_rests(feeder *f, const eval_item *item, size_t items, double *likelihood,
                        problem *why)
{
    bool more = true;
    for (size_t step = 0; more; step++) {
        for (size_t i = 0; i < items; i++)
            for (int c = 0; c < item[i].choices; c++) {
                const size_t at = item[i].stem + step;
                const uint32_t s = choice_sequence(items, i, c);
                if (at + 1 >= item[i].length[c]) continue;
                if (!step && !copy(f, (uint32_t)i + 1, s, why)) return false;
                add_piece(f, &(piece){s, item[i].ids[c], at, at + 1, &item[i], c,
                                      likelihood + i * EVAL_CHOICES, -1});
            }
        more = f->pieces > 0;
        if (!feed(f, why)) return false;
    }
    return true;
}

/* What all stems of a set begin with: at most all but one id of each. */
static size_t common_start(const eval_item *item, size_t items)
{
    size_t same = item[0].stem - 1;
    for (size_t i = 1; i < items; i++) {
        const size_t most = item[i].stem - 1 < same ? item[i].stem - 1 : same;
        same = shared(item[0].ids[0], most, item[i].ids[0], most);
    }
    return same;
}

static bool run_items(feeder *f, const eval_item *item, size_t items, size_t start,
                      double *likelihood, problem *why)
{
    for (size_t i = 0; i < items; i++) {
        if (!copy(f, 0, (uint32_t)i + 1, why)) return false;
        add_piece(f, &(piece){(uint32_t)i + 1, item[i].ids[0], start, item[i].stem, &item[i], -1,
                              likelihood + i * EVAL_CHOICES, -1});
    }
    return feed(f, why) && score_rests(f, item, items, likelihood, why);
}

static uint64_t item_positions(const eval_item *item, size_t start)
{
    uint64_t n = item->stem - start;
    for (int c = 0; c < item->choices; c++) n += item->length[c] - 1 - item->stem;
    return n;
}

/* Items that the log has, in one go; false when one is missing. */
static bool read_items(feeder *f, const eval_item *item, size_t items, size_t start,
                       double *likelihood)
{
    work *log = f->e->log;
    const size_t first = (size_t)(item - f->e->item);
    enum { BYTES = EVAL_CHOICES * sizeof *likelihood };
    text had = {NULL, 0, 0};
    problem ignored; /* what cannot be read back is run again */
    bool whole = log != NULL;
    uint64_t fed = 0;
    for (size_t i = 0; whole && i < items; i++) {
        whole = work_has(log, first + i) && work_read(log, first + i, &had, &ignored) &&
                had.length == BYTES;
        if (whole) memcpy(likelihood + i * EVAL_CHOICES, had.at, BYTES);
        fed += item_positions(&item[i], start);
    }
    text_free(&had);
    if (whole) f->fed += fed;
    if (whole && f->e->bar) progress_skip(f->e->bar, (double)f->fed);
    return whole;
}

static bool add_items(const feeder *f, const eval_item *item, size_t items,
                      const double *likelihood, problem *why)
{
    const size_t first = (size_t)(item - f->e->item);
    bool good = true;
    for (size_t i = 0; f->e->log && good && i < items; i++)
        good = work_has(f->e->log, first + i) ||
               work_add(f->e->log, first + i, likelihood + i * EVAL_CHOICES,
                        EVAL_CHOICES * sizeof *likelihood, why);
    return good;
}

static bool run_set(feeder *f, const eval_item *item, size_t items, double *likelihood,
                    problem *why)
{
    const size_t start = common_start(item, items), most = together(&f->ctx->desc);
    syn_error err;
    if (syn_context_rewind(f->ctx, 0, 0, &err) != SYN_OK)
        return problem_engine(why, "evaluation", &err);
    add_piece(f, &(piece){0, item[0].ids[0], 0, start, NULL, 0, NULL, -1});
    if (!start) f->pieces = 0;
    bool good = feed(f, why);
    for (size_t i = 0; good && i < items; i += most) {
        const size_t n = items - i < most ? items - i : most;
        double *of_items = likelihood + i * EVAL_CHOICES;
        if (read_items(f, item + i, n, start, of_items)) continue;
        memset(of_items, 0, n * EVAL_CHOICES * sizeof *of_items);
        good = run_items(f, item + i, n, start, of_items, why) &&
               add_items(f, item + i, n, of_items, why);
    }
    return good;
}

/* Items of one set stand together. */
static size_t set_items(const eval_bench *e, size_t first)
{
    size_t n = 0;
    while (first + n < e->items && e->item[first + n].set == e->item[first].set) n++;
    return n;
}

static uint64_t count_positions(const eval_bench *e)
{
    uint64_t positions = 0;
    for (size_t i = 0, n; i < e->items; i += n) {
        const eval_item *item = e->item + i;
        n = set_items(e, i);
        const size_t start = common_start(item, n);
        positions += start;
        for (size_t k = 0; k < n; k++) positions += item_positions(&item[k], start);
    }
    return positions;
}

bool eval_layout(const eval_bench *e, const loaded_model *m, const char *memory,
                 syn_context_desc *desc, problem *why)
{
    double budget;
    size_t bytes, items = TOGETHER;
    if (!budget_of(memory, &budget, why)) return false;
    desc->tokens = e->tokens;
    desc->batch = PASS;
    for (;; items--) {
        desc->sequences = (uint32_t)(1 + items * (1 + EVAL_CHOICES));
        if (!model_context_bytes(m, desc, &bytes, why)) return false;
        if (items == 1 || (double)bytes <= budget) return true;
    }
}

bool eval_announce(const eval_bench *e, const loaded_model *m, syn_context *ctx, problem *why)
{
    const eval_item *item = &e->item[0];
    syn_row rows[PASS];
    syn_error err;
    size_t n = 0;
    char what[96];
    const double start = clock_seconds();
    for (; n < item->stem && n < ctx->desc.batch && n < PASS; n++)
        rows[n] = (syn_row){.sequence = 0, .id = item->ids[0][n]};
    if (syn_context_step_rows(ctx, rows, n, &err) != SYN_OK ||
        syn_context_rewind(ctx, 0, 0, &err) != SYN_OK)
        return problem_engine(why, "evaluation", &err);
    const double left = 1 - (double)(e->log ? e->log->done : 0) / (double)e->items;
    const double all = (clock_seconds() - start) / (double)n * (double)e->positions * left;
    snprintf(what, sizeof what, "%zu items of %d set%s, %llu positions", e->items, e->sets,
             e->sets > 1 ? "s" : "", (unsigned long long)e->positions);
    const work_plan p = {what,
                         e->log && e->log->log ? e->log->desc.directory : NULL,
                         (double)m->model_bytes + (double)m->context_bytes,
                         52.0 * (double)e->items + 1000,
                         0.4 * all,
                         2 * all + 0.1,
                         .unless = 1};
    return plan_announce(&p, why);
}

bool eval_likelihoods(const eval_bench *e, syn_context *ctx, double *likelihood, problem *why)
{
    feeder f = {e, ctx, NULL, NULL, 0, 0};
    bool good = true;
    if (ctx->desc.sequences < 2 + EVAL_CHOICES)
        return problem_set(why, "evaluation: the context holds %u sequences", ctx->desc.sequences);
    if (ctx->desc.tokens < e->tokens)
        return problem_set(why, "evaluation: items of %u tokens, the context holds %u", e->tokens,
                           ctx->desc.tokens);
    memset(likelihood, 0, e->items * EVAL_CHOICES * sizeof *likelihood);
    f.rows = tool_alloc(ctx->desc.batch, sizeof *f.rows);
    f.piece = tool_alloc(ctx->desc.sequences, sizeof *f.piece);
    for (size_t i = 0, n; good && i < e->items; i += n) {
        n = set_items(e, i);
        good = run_set(&f, e->item + i, n, likelihood + i * EVAL_CHOICES, why);
    }
    free(f.rows);
    free(f.piece);
    return good;
}

/* ---- counting ------------------------------------------------------------------------- */

double eval_margin(const eval_item *item, const double *likelihood)
{
    double best = -(double)INFINITY;
    for (int c = 0; c < item->choices; c++)
        if (c != item->right && likelihood[c] > best) best = likelihood[c];
    return likelihood[item->right] - best;
}

/* Wilson's interval for a share k / n (Wilson 1927), z = 1.96. */
static eval_score score_of(const char *name, int items, int correct, double margin)
{
    const double n = items, p = items ? correct / n : 0, z = 1.959963984540054;
    const double middle = (p + z * z / (2 * n)) / (1 + z * z / n);
    const double half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    const eval_score s = {name,
                          items,
                          correct,
                          p,
                          middle - half > 0 ? middle - half : 0,
                          middle + half < 1 ? middle + half : 1,
                          margin};
    return s;
}

void eval_score_set(eval_score *s, const eval_bench *e, int set, int items, int correct,
                    double margin)
{
    *s = score_of(e->set[set].name, items, correct, margin);
}

void eval_count(const eval_bench *e, const double *likelihood, eval_score *scores)
{
    memset(scores, 0, (size_t)e->sets * sizeof *scores);
    for (size_t i = 0; i < e->items; i++) {
        eval_score *s = &scores[e->item[i].set];
        const double margin = eval_margin(&e->item[i], likelihood + i * EVAL_CHOICES);
        s->items++;
        s->correct += margin > 0;
        s->margin += (margin - s->margin) / s->items;
    }
    for (int k = 0; k < e->sets; k++)
        eval_score_set(&scores[k], e, k, scores[k].items, scores[k].correct, scores[k].margin);
}

eval_score eval_sum(const eval_score *scores, size_t sets)
{
    int items = 0, correct = 0;
    double margin = 0;
    for (size_t k = 0; k < sets; k++) {
        items += scores[k].items;
        correct += scores[k].correct;
        margin += scores[k].margin * scores[k].items;
    }
    return score_of("all", items, correct, margin / items);
}

bool eval_run(const eval_bench *e, syn_context *ctx, eval_score *scores, problem *why)
{
    double *likelihood = tool_alloc(e->items * EVAL_CHOICES, sizeof *likelihood);
    const bool good = eval_likelihoods(e, ctx, likelihood, why);
    if (good) eval_count(e, likelihood, scores);
    free(likelihood);
    return good;
}

double eval_chance(const eval_bench *e, int set)
{
    double sum = 0;
    int items = 0;
    for (size_t i = 0; i < e->items; i++)
        if (e->item[i].set == set) {
            sum += 1.0 / e->item[i].choices;
            items++;
        }
    return sum / items;
}
