/* eval_run.c - the evaluation sets on one model, as `synergy eval` asks them. */
#include "study/eval.h"

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
    progress_begin(&bar, "eval", (double)eval_positions(&e));
    e.bar = &bar;
    const bool good = eval_layout(&e, &m, o->memory, &desc, why) &&
                      model_context(&m, &ctx, &desc, o->threads, why) &&
                      eval_likelihoods(&e, &ctx, likelihood, why);
    progress_end(&bar);
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
