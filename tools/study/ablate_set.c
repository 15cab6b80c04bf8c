/* ablate_set.c - one set of units removed, on given ids or on the texts of a result folder. */
#include "study/stage.h"
#include "study/subject.h"

#include "engine/unit_list.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool choose(const subject *s, const char *list, float *gain, size_t *chosen, problem *why)
{
    const size_t first = s->experts ? s->m.model.dense_layers : 0;
    bool *mark = tool_alloc(subject_slots(s), sizeof *mark);
    const bool good = unit_list_parse(list, s->experts, first, s->layers - first, s->per_layer,
                                      mark + first * s->per_layer, why);
    *chosen = 0;
    for (size_t i = 0; i < subject_slots(s); i++) {
        gain[i] = mark[i] ? 0.0f : 1.0f;
        *chosen += mark[i];
    }
    free(mark);
    return good;
}

static bool open_texts(subject *s, const ablate_set *o, problem *why)
{
    if (!o->tokens) return subject_open(s, o->model, NULL, o->directory, o->prompts, why);
    memset(s, 0, sizeof *s);
    if (!model_load_weights(&s->m, o->model, why)) return false;
    s->experts = o->experts;
    s->layers = s->m.model.layers;
    s->per_layer = s->experts ? s->m.model.experts : s->m.model.heads;
    if (s->experts && !s->per_layer)
        return problem_set(why, "%s: the model (%s) has no experts", o->model,
                           s->m.model.architecture);
    if (!texts_from_ids(o->tokens, o->from, s->m.model.vocab, &s->text, &s->texts, why))
        return false;
    s->longest = s->text[0].count;
    return true;
}

static bool add_pair(void *user, size_t row, size_t edit, const divergence *d, problem *why)
{
    divergence *sum = user;
    (void)row, (void)why;
    divergence_add(&sum[edit], d);
    return true;
}

/* Sums over the texts, in their order. */
static bool run_texts(const ablate_set *o, const subject *s, intervener *v,
                      const intervention edits[2], divergence sum[2], problem *why)
{
    bool *done = tool_alloc(s->texts * 2, sizeof *done);
    const intervene_job job = {s->text, s->texts, edits, 2, done, add_pair, NULL, sum};
    memset(sum, 0, 2 * sizeof *sum);
    const bool good = intervene_run(v, &job, why);
    free(done);
    if (!good || isfinite(sum[0].kl)) return good;
    return problem_set(why, "%s: the model's logits are not finite numbers", o->model);
}

/* d: of the ablated model, and of the intact one. */
static ablate_set_result result_of(const subject *s, size_t chosen, const divergence d[2])
{
    return (ablate_set_result){.units = chosen,
                               .experts = s->experts,
                               .positions = d[0].positions,
                               .kl = d[0].kl / d[0].positions,
                               .nll = d[0].nll / d[0].positions,
                               .nll_intact = d[1].nll / d[1].positions,
                               .same_top = d[0].same_top / d[0].positions};
}

bool ablate_set_run(const ablate_set *o, ablate_set_result *r, problem *why)
{
    subject s;
    intervener v;
    divergence sum[2];
    size_t chosen = 0;
    float *gain = NULL, *mean = NULL;
    memset(&v, 0, sizeof v);
    bool good = open_texts(&s, o, why);
    if (good) gain = tool_alloc(subject_slots(&s), sizeof *gain);
    good = good && choose(&s, o->list, gain, &chosen, why) &&
           intervene_open(&v, &s.m, s.longest, o->exact, o->threads, o->memory, why);
    if (good && o->replace) {
        mean = tool_alloc(subject_slots(&s) * (s.experts ? s.m.model.embd : s.m.model.value_size),
                          sizeof *mean);
        good = intervene_means(&v, s.text, s.texts, s.experts, mean, why);
    }
    if (good) {
        intervention edits[2] = {subject_gains(&s, gain), {.layer = s.m.model.layers}};
        if (s.experts) edits[0].edit.expert_mean = mean;
        else edits[0].edit.head_mean = mean;
        good = run_texts(o, &s, &v, edits, sum, why);
    }
    if (good) *r = result_of(&s, chosen, sum);
    intervene_close(&v);
    subject_close(&s);
    free(gain);
    free(mean);
    return good;
}
