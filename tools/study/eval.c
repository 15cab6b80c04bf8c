/* eval.c - tokenises the evaluation sets and lets a model choose.

   The ids of a choice are those of preamble, context and choice as one text, so that no word is
   cut where the context ends. What all choices of an item share, the stem, is fed once; its last
   row of logits gives each choice its first own token, and only what stands between that and the
   last token is fed choice by choice. An item keeps as much of the sequence before it as it shares
   with it: the preamble of a set is fed once, a sentence that four items ask about once. */
#include "study/eval.h"
#include "study/perplexity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 64 }; /* rows of logits that are scored at once */

/* ---- opening -------------------------------------------------------------------------- */

static bool item_ids(eval_item *item, const eval_set *set, const syn_tokenizer *t, problem *why) {
    const eval_text *words = &set->text[item->text];
    for (int c = 0; c < words->choices; c++) {
        text whole = {0};
        text_print(&whole, "%s%s%s", set->preamble, words->context, words->choice[c]);
        item->ids[c] = tokenize_text(t, whole.at, whole.length, 0, &item->length[c], why);
        text_free(&whole);
        if (!item->ids[c]) return false;
        if (t->add_eos && item->length[c]) item->length[c]--; /* no choice ends the text */
    }
    return true;
}

static size_t shared(const int32_t *a, size_t n, const int32_t *b, size_t m) {
    size_t i = 0;
    while (i < n && i < m && a[i] == b[i]) i++;
    return i;
}

static bool item_open(eval_item *item, const eval_set *set, const syn_tokenizer *t, problem *why) {
    const eval_text *words = &set->text[item->text];
    item->choices = words->choices;
    item->right = words->right;
    if (!item_ids(item, set, t, why)) return false;
    item->stem = item->length[0];
    for (int c = 1; c < item->choices; c++) {
        const size_t same = shared(item->ids[0], item->length[0], item->ids[c], item->length[c]);
        if (same < item->stem) item->stem = same;
    }
    for (int c = 0; c < item->choices; c++)
        if (!item->stem || item->length[c] <= item->stem)
            return problem_set(why, "evaluation sets: %s, item %d: this model's tokens do not tell "
                               "its choices apart", set->name, item->text + 1);
    return true;
}

static bool open_set(eval_bench *e, int which, int64_t limit, const syn_tokenizer *t,
                     problem *why) {
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
        good = item_open(item, set, t, why);
    }
    free(chosen);
    return good;
}

static bool walk_all(const eval_bench *e, syn_context *ctx, double *likelihood, uint64_t *fed,
                     problem *why);

bool eval_open(eval_bench *e, const loaded_model *m, const char *names, int64_t limit,
               problem *why) {
    int which[EVAL_SETS];
    memset(e, 0, sizeof *e);
    e->vocab = m->model.vocab;
    e->window = m->model.window;
    const int sets = eval_set_names(names, which, why);
    bool good = sets > 0;
    for (int i = 0; i < sets && good; i++)
        good = open_set(e, which[i], limit, &m->model.tokenizer, why);
    for (size_t i = 0; i < e->items; i++)
        for (int c = 0; c < e->item[i].choices; c++)
            if (e->item[i].length[c] > e->tokens) e->tokens = (uint32_t)e->item[i].length[c];
    good = good && walk_all(e, NULL, NULL, &e->positions, why);
    if (!good) eval_close(e);
    return good;
}

void eval_close(eval_bench *e) {
    for (size_t i = 0; i < e->items; i++)
        for (int c = 0; c < e->item[i].choices; c++) free(e->item[i].ids[c]);
    for (int s = 0; s < e->sets; s++) eval_set_free(&e->set[s]);
    free(e->item);
    memset(e, 0, sizeof *e);
}

uint32_t eval_tokens(const eval_bench *e) {
    return e->tokens;
}

uint64_t eval_positions(const eval_bench *e) {
    return e->positions;
}

/* ---- feeding -------------------------------------------------------------------------- */

/* What the context holds. Without a context the walk only counts what it would feed. */
typedef struct walk {
    const eval_bench *e;
    syn_context   *ctx;
    const int32_t *ids; /* (held) */
    size_t         held;
    uint64_t       fed;
} walk;

static bool feed(walk *w, const int32_t *ids, size_t n, problem *why) {
    syn_error err;
    if (w->ctx && syn_context_step(w->ctx, ids, n, &err) != SYN_OK)
        return problem_engine(why, "evaluation", &err);
    w->held += n;
    w->fed += n;
    if (w->e->bar) progress_step(w->e->bar, (double)w->fed);
    return true;
}

/* Makes the context hold ids (n), of what it holds keeping what is the same, at most `keep`. The
   ring of a local layer cannot go back once it is full. */
static bool settle(walk *w, const int32_t *ids, size_t n, size_t keep, problem *why) {
    syn_error err;
    size_t same = shared(w->ids, w->held, ids, n);
    if (same > keep) same = keep;
    if (same < w->held && w->e->window && w->held > w->e->window) same = 0;
    if (w->ctx && syn_context_rewind(w->ctx, 0, (uint32_t)same, &err) != SYN_OK)
        return problem_engine(why, "evaluation", &err);
    w->ids = ids;
    w->held = same;
    return same == n || feed(w, ids + same, n - same, why);
}

/* Log likelihood of every choice's first own token, from the last row of the stem. */
static bool score_first(walk *w, const eval_item *item, double *likelihood, problem *why) {
    if (!settle(w, item->ids[0], item->stem, item->stem - 1, why)) return false;
    if (!w->ctx) return true;
    const float *row = syn_context_logits(w->ctx, SYN_LAST_ROW);
    const double log_sum = logits_log_sum(row, w->e->vocab);
    for (int c = 0; c < item->choices; c++)
        likelihood[c] = (double)row[item->ids[c][item->stem]] - log_sum;
    return true;
}

/* Adds that of its other tokens. */
static bool score_rest(walk *w, const eval_item *item, int c, double *likelihood, problem *why) {
    const int32_t *ids = item->ids[c];
    const size_t last = item->length[c] - 1, batch = w->ctx ? w->ctx->desc.batch : ROWS;
    double nll[ROWS];
    if (last == item->stem) return true;
    if (!settle(w, ids, item->stem, item->stem, why)) return false;
    for (size_t at = item->stem, n; at < last; at += n) {
        n = last - at < batch ? last - at : batch;
        if (n > ROWS) n = ROWS;
        if (!feed(w, ids + at, n, why)) return false;
        if (!w->ctx) continue;
        logits_nll(syn_context_logits(w->ctx, 0), w->e->vocab, ids + at + 1, n, nll, &w->ctx->desc.parallel);
        for (size_t i = 0; i < n; i++) likelihood[c] -= nll[i];
    }
    return true;
}

static bool walk_all(const eval_bench *e, syn_context *ctx, double *likelihood, uint64_t *fed,
                     problem *why) {
    walk w = {e, ctx, NULL, 0, 0};
    syn_error err;
    if (ctx && syn_context_rewind(ctx, 0, 0, &err) != SYN_OK)
        return problem_engine(why, "evaluation", &err);
    for (size_t i = 0; i < e->items; i++) {
        double *of_item = ctx ? likelihood + i * EVAL_CHOICES : NULL;
        if (!score_first(&w, &e->item[i], of_item, why)) return false;
        for (int c = 0; c < e->item[i].choices; c++)
            if (!score_rest(&w, &e->item[i], c, of_item, why)) return false;
    }
    if (fed) *fed = w.fed;
    return true;
}

bool eval_likelihoods(const eval_bench *e, syn_context *ctx, double *likelihood, problem *why) {
    if (!ctx->desc.all_logits) return problem_set(why, "evaluation: the context keeps no logits");
    if (ctx->desc.tokens < e->tokens)
        return problem_set(why, "evaluation: items of %u tokens, the context holds %u", e->tokens,
                           ctx->desc.tokens);
    memset(likelihood, 0, e->items * EVAL_CHOICES * sizeof *likelihood);
    return walk_all(e, ctx, likelihood, NULL, why);
}

/* ---- counting ------------------------------------------------------------------------- */

double eval_margin(const eval_item *item, const double *likelihood) {
    double best = -(double)INFINITY;
    for (int c = 0; c < item->choices; c++)
        if (c != item->right && likelihood[c] > best) best = likelihood[c];
    return likelihood[item->right] - best;
}

/* Wilson's interval for a share k / n (Wilson 1927), z = 1.96. */
static eval_score score_of(const char *name, int items, int correct, double margin) {
    const double n = items, p = items ? correct / n : 0, z = 1.959963984540054;
    const double middle = (p + z * z / (2 * n)) / (1 + z * z / n);
    const double half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    const eval_score s = {name, items, correct, p, middle - half > 0 ? middle - half : 0,
                          middle + half < 1 ? middle + half : 1, margin};
    return s;
}

void eval_score_set(eval_score *s, const eval_bench *e, int set, int items, int correct,
                    double margin) {
    *s = score_of(e->set[set].name, items, correct, margin);
}

void eval_count(const eval_bench *e, const double *likelihood, eval_score *scores) {
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

eval_score eval_sum(const eval_score *scores, size_t sets) {
    int items = 0, correct = 0;
    double margin = 0;
    for (size_t k = 0; k < sets; k++) {
        items += scores[k].items;
        correct += scores[k].correct;
        margin += scores[k].margin * scores[k].items;
    }
    return score_of("all", items, correct, margin / items);
}

bool eval_run(const eval_bench *e, syn_context *ctx, eval_score *scores, problem *why) {
    double *likelihood = tool_alloc(e->items * EVAL_CHOICES, sizeof *likelihood);
    const bool good = eval_likelihoods(e, ctx, likelihood, why);
    if (good) eval_count(e, likelihood, scores);
    free(likelihood);
    return good;
}

double eval_chance(const eval_bench *e, int set) {
    double sum = 0;
    int items = 0;
    for (size_t i = 0; i < e->items; i++)
        if (e->item[i].set == set) {
            sum += 1.0 / e->item[i].choices;
            items++;
        }
    return sum / items;
}
