/* eval_run.c - the evaluation sets on one model, as `synergy eval` asks them. */
#include "study/eval.h"

#include "base/sha256.h"
#include "engine/choices.h"

#include <stdlib.h>
#include <string.h>

/* The items of the model, as plain text or as messages. */
static bool open_items(eval_bench *e, const loaded_model *m, const eval_options *o, problem *why)
{
    const bool messages = o->as_chat || o->chat.system;
    chat asked = {0};
    const bool good = (!messages || chat_open(&asked, &m->model.gguf, &m->model.tokenizer, &o->chat,
                                              false, why)) &&
                      eval_open(e, m, o->sets, o->items, messages ? &asked : NULL, why);
    chat_close(&asked);
    return good;
}

static void take_answers(const eval_bench *e, const double *likelihood, eval_result *r)
{
    r->items = e->items;
    r->answer = tool_alloc(e->items, sizeof *r->answer);
    for (size_t i = 0; i < e->items; i++) {
        const eval_item *item = &e->item[i];
        const double *of_item = likelihood + i * EVAL_CHOICES;
        eval_answer *a = &r->answer[i];
        a->set = e->set[item->set].name;
        a->group = e->set[item->set].text[item->text].group;
        a->number = item->text + 1;
        a->right = eval_margin(item, of_item) > 0;
        a->choices = item->choices;
        for (int c = 0; c < item->choices; c++) a->likelihood[c] = of_item[c];
    }
}

static void take_results(const eval_bench *e, const double *likelihood, eval_result *r)
{
    r->sets = e->sets;
    r->positions = eval_positions(e);
    eval_count(e, likelihood, r->score);
    r->all = eval_sum(r->score, (size_t)e->sets);
    for (int k = 0; k < e->sets; k++) r->chance[k] = eval_chance(e, k);
    take_answers(e, likelihood, r);
}

/* ---- an interrupted run ----------------------------------------------------------------- */

/* What decides the likelihoods, as JSON; identity: its hash with that of the items' ids. */
static char *settings_of(const eval_options *o, const loaded_model *m, const eval_bench *e,
                         char identity[65])
{
    json_out j = {0};
    sha256 hash;
    char mark[65];
    model_mark(m, mark);
    json_object(&j, NULL);
    json_text(&j, "version", tool_version());
    json_text(&j, "model_mark", mark);
    json_text(&j, "sets", o->sets);
    json_text(&j, "arithmetic", choice_name(CHOICE_ARITHMETIC, o->exact));
    json_object_end(&j);
    sha256_begin(&hash);
    sha256_add(&hash, j.to.at, j.to.length);
    for (size_t i = 0; i < e->items; i++)
        for (int c = 0; c < e->item[i].choices; c++)
            sha256_add(&hash, e->item[i].ids[c], e->item[i].length[c] * sizeof *e->item[i].ids[c]);
    sha256_end(&hash, identity);
    return j.to.at;
}

/* Opens the log in the current folder, tells what is to come, and asks. */
static bool ask_items(const eval_options *o, const loaded_model *m, eval_bench *e, syn_context *ctx,
                      double *likelihood, problem *why)
{
    char identity[65], name[64];
    char *settings = settings_of(o, m, e, identity);
    work log;
    work_desc d = {.settings = settings,
                   .identity = identity,
                   .pieces = "items",
                   .total = e->items,
                   .fresh = o->fresh};
    work_in_passing(&d, "eval", name);
    bool good = work_open(&log, &d, why);
    if (good) {
        e->log = &log;
        good = eval_announce(e, m, ctx, why);
        progress_begin(e->bar, "eval", (double)eval_positions(e)); /* the clock runs from here */
        good = good && eval_likelihoods(e, ctx, likelihood, why);
        progress_end(e->bar);
        e->log = NULL;
    }
    work_close(&log, good);
    free(settings);
    return good;
}

bool eval_model(const eval_options *o, eval_result *r, problem *why)
{
    loaded_model m;
    eval_bench e;
    syn_context ctx;
    syn_context_desc desc;
    progress bar;
    memset(r, 0, sizeof *r);
    if (!model_load(&m, o->model, o->pre, why)) return false;
    if (!open_items(&e, &m, o, why)) {
        model_unload(&m);
        return false;
    }
    double *likelihood = tool_alloc(e.items * EVAL_CHOICES, sizeof *likelihood);
    memset(&desc, 0, sizeof desc);
    desc.arithmetic = o->exact ? SYN_EXACT : SYN_FAST;
    e.bar = &bar;
    const bool good = eval_layout(&e, &m, o->memory, &desc, why) &&
                      model_context(&m, &ctx, &desc, o->threads, why) &&
                      ask_items(o, &m, &e, &ctx, likelihood, why);
    if (good) take_results(&e, likelihood, r);
    free(likelihood);
    eval_close(&e);
    model_unload(&m);
    return good;
}

void eval_result_free(eval_result *r)
{
    free(r->answer);
    memset(r, 0, sizeof *r);
}
