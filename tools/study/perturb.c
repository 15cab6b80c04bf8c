/* perturb.c - the study of weight noise. The noise of a unit is relative to the standard deviation of its
   own weights, so that no group gets more of it because its weights are larger. */
#include "study/perturb.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_STRENGTHS = 64 };

void perturb_defaults(perturb_options *o) {
    memset(o, 0, sizeof *o);
    study_defaults(&o->study);
    o->study.seeds = 3;
    o->study.items = 8; /* short texts: the noise is drawn anew for each */
    o->strengths = "0.1,0.25,0.5,1";
    o->share = 0.25;
}

typedef struct strengths { study *a; size_t units; } strengths;

static bool add_strength(void *to, double strength, problem *why) {
    strengths *s = to;
    if (s->a->points > MOST_STRENGTHS) return problem_set(why, "--strengths: more than %d", (int)MOST_STRENGTHS);
    study_add_point(s->a, strength, s->units);
    return true;
}

static bool add_strengths(study *a, const char *list, size_t units, problem *why) {
    strengths s = {a, units};
    study_add_point(a, 0, 0);
    return study_numbers("--strengths", list, 1000, add_strength, &s, why);
}

/* ---- the weights' own spread ---------------------------------------------------------- */

/* Numbers of a unit: query and output of a head; gate, up and down of an expert. */
static size_t matrices(const study *a) {
    return a->s.experts ? 3 : 2;
}

static bool weight_spread(study *a, float *sd, problem *why) {
    const syn_model *model = &a->s.m.model;
    syn_error err;
    syn_status status = SYN_OK;
    for (uint32_t l = 0; l < model->layers && !status; l++) {
        float *at = sd + l * a->s.per_layer * matrices(a);
        if (!a->s.experts) status = syn_context_edit_head_sd(&a->v.ctx, l, at, &err);
        for (uint32_t e = 0; a->s.experts && syn_model_has_experts(model, l) && e < model->experts && !status; e++)
            status = syn_context_edit_expert_sd(&a->v.ctx, l, e, at + 3 * e, &err);
    }
    return status == SYN_OK || problem_engine(why, a->s.m.path, &err);
}

/* ---- groups --------------------------------------------------------------------------- */

static void make_noise(study *a, size_t c, size_t point, const size_t *slot, const float *sd, uint64_t seed) {
    const size_t each = matrices(a);
    float *noise = study_array(a, subject_slots(&a->s) * each);
    intervention *v = study_edit(a, c, point);
    v->layer = a->s.m.model.layers;
    for (size_t i = 0; i < a->units[point]; i++) {
        const uint32_t layer = (uint32_t)(slot[i] / a->s.per_layer);
        for (size_t k = 0; k < each; k++) noise[slot[i] * each + k] = (float)a->x[point] * sd[slot[i] * each + k];
        if (layer < v->layer) v->layer = layer;
    }
    if (a->s.experts) v->edit.expert_noise = noise;
    else v->edit.head_noise = noise;
    v->edit.noise_seed = seed;
}

/* Each seed draws its own noise, and its own units where they are random. */
static size_t *group_order(const study *a, const char *name, int seed, const double *key) {
    if (!strcmp(name, "core")) return order_by(&a->s, key, 1);
    if (!strcmp(name, "periphery")) return order_by(&a->s, key, -1);
    return order_random(a, seed);
}

static bool make_groups(study *a, const perturb_options *o, problem *why) {
    static const char *const names[] = {"core", "periphery", "random"};
    const size_t units = (size_t)floor(o->share * (double)a->s.count + 0.5), seeds = (size_t)o->study.seeds;
    if (!units) return problem_set(why, "--share %g: no unit of %zu", o->share, a->s.count);
    double *key = tool_alloc(a->s.count, sizeof *key);
    float *sd = tool_alloc(subject_slots(&a->s) * matrices(a), sizeof *sd);
    const bool good = subject_column(&a->s, a->score, key, why) && add_strengths(a, o->strengths, units, why) &&
                      weight_spread(a, sd, why);
    for (size_t c = 0; good && c < 3 * seeds; c++)
        study_add_curve(a, names[c / seeds], (int)(c % seeds), c % seeds == 0);
    if (good) study_begin_edits(a);
    for (size_t c = 0; good && c < a->curves; c++) {
        const int seed = a->curve[c].seed;
        size_t *slot = group_order(a, a->curve[c].name, seed, key);
        for (size_t p = 1; p < a->points; p++)
            make_noise(a, c, p, slot, sd, (uint64_t)o->study.seed * UINT64_C(1000003) + (uint64_t)seed);
        free(slot);
    }
    free(key);
    free(sd);
    return good;
}

/* ---- what follows --------------------------------------------------------------------- */

static void verdict(const study *a, const curve_test *c, size_t n, text *t) {
    const bool random = comparison_harms_more(comparison_of(c, n, "core", "random"));
    const bool periphery = comparison_harms_more(comparison_of(c, n, "core", "periphery"));
    (void)a;
    text_print(t, "The claim that noise in the core harms more %s: more than in random units: %s; more than in the "
               "periphery: %s.", random && periphery ? "holds here" : "is not plainly there", random ? "yes" : "no",
               periphery ? "yes" : "no");
}

static void settings(const study *a, json_out *j) {
    const perturb_options *o = a->own;
    json_number(j, "share", o->share);
    json_array_inline(j, "strengths");
    for (size_t p = 0; p < a->points; p++) json_number(j, NULL, a->x[p]);
    json_array_end(j);
    json_text(j, "noise", a->s.experts ? "Gaussian, on gate, up and down weights, in their standard deviations"
                                       : "Gaussian, on query rows and output columns, in their standard deviations");
}

static const char *const pairs[][2] = {
    {"core", "random"}, {"core", "periphery"}, {"periphery", "random"}, {NULL, NULL},
};

static const study_kind noise_study = {
    "perturb", "group", "strength", false, "Noise in the group", pairs, settings, verdict,
};

bool perturb_run(const perturb_options *o, problem *why) {
    study a;
    memset(&a, 0, sizeof a);
    a.own = o;
    const bool good = study_open(&a, &o->study, &noise_study, why) && make_groups(&a, o, why) && study_run(&a, why);
    study_close(&a);
    return good;
}
