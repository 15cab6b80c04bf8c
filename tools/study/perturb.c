/* perturb.c - the study of weight noise. The noise of a unit is relative to the standard deviation
   of its own weights, so that no group gets more of it because its weights are larger. */
#include "study/study.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_STRENGTHS = 64 };

void perturb_defaults(perturb_options *o)
{
    memset(o, 0, sizeof *o);
    study_defaults(&o->study);
    o->study.seeds = 3;
    o->study.items = 8; /* short texts: the noise is drawn anew for each */
    o->strengths = "0.1,0.25,0.5,1";
    o->share = 0.25;
}

typedef struct strengths {
    study *a;
    size_t units;
} strengths;

static bool add_strength(void *to, double strength, problem *why)
{
    strengths *s = to;
    if (s->a->points > MOST_STRENGTHS)
        return problem_set(why, "--strengths: more than %d", (int)MOST_STRENGTHS);
    study_add_point(s->a, strength, s->units);
    return true;
}

static bool add_strengths(study *a, const char *list, size_t units, problem *why)
{
    strengths s = {a, units};
    study_add_point(a, 0, 0);
    return study_numbers("--strengths", list, 1000, add_strength, &s, why);
}

/* ---- the weights' own spread ---------------------------------------------------------- */

/* Numbers of a unit: query and output of a head; gate, up and down of an expert. */
static size_t matrices(const study *a)
{
    return a->s.experts ? 3 : 2;
}

static bool weight_spread(study *a, float *sd, problem *why)
{
    const syn_model *model = &a->s.m.model;
    syn_error err;
    syn_status status = SYN_OK;
    for (uint32_t l = 0; l < model->layers && !status; l++) {
        float *at = sd + l * a->s.per_layer * matrices(a);
        if (!a->s.experts) status = syn_context_edit_head_sd(&a->v.ctx, l, at, &err);
        for (uint32_t e = 0;
             a->s.experts && syn_model_has_experts(model, l) && e < model->experts && !status; e++)
            status = syn_context_edit_expert_sd(&a->v.ctx, l, e, at + 3 * e, &err);
    }
    return status == SYN_OK || problem_engine(why, a->s.m.path, &err);
}

/* ---- groups --------------------------------------------------------------------------- */

static void make_noise(study *a, size_t c, size_t point, const size_t *slot, const float *sd,
                       uint64_t seed)
{
    const size_t each = matrices(a);
    float *noise = study_array(a, subject_slots(&a->s) * each);
    intervention *v = study_edit(a, c, point);
    v->layer = a->s.m.model.layers;
    for (size_t i = 0; i < a->units[point]; i++) {
        const uint32_t layer = (uint32_t)(slot[i] / a->s.per_layer);
        for (size_t k = 0; k < each; k++)
            noise[slot[i] * each + k] = (float)a->x[point] * sd[slot[i] * each + k];
        if (layer < v->layer) v->layer = layer;
    }
    if (a->s.experts) v->edit.expert_noise = noise;
    else v->edit.head_noise = noise;
    v->edit.noise_seed = seed;
}

/* Each seed draws its own noise, and its own units where they are random. */
typedef struct group {
    const char *name;
    const double *key;
    double sign;
} group;

/* Core and periphery of each reading, then random units. Returns how many groups; keys to be
   freed. */
static size_t list_groups(const study *a, group to[2 * STUDY_READINGS + 1], double **keys,
                          problem *why)
{
    size_t n = 0;
    *keys = tool_alloc(a->readings * a->s.count, sizeof **keys);
    for (size_t k = 0; k < a->readings; k++) {
        double *key = *keys + k * a->s.count;
        if (!subject_column(&a->s, a->reading[k].column, key, why)) return 0;
        to[n++] = (group){a->reading[k].core, key, 1};
        to[n++] = (group){a->reading[k].periphery, key, -1};
    }
    to[n++] = (group){"random", NULL, 0};
    return n;
}

static void add_pairs(study *a)
{
    for (size_t k = 0; k < a->readings; k++) {
        study_add_pair(a, a->reading[k].core, "random");
        study_add_pair(a, a->reading[k].core, a->reading[k].periphery);
        study_add_pair(a, a->reading[k].periphery, "random");
    }
}

static bool make_groups(study *a, const perturb_options *o, problem *why)
{
    const size_t units = (size_t)floor(o->share * (double)a->s.count + 0.5),
                 seeds = (size_t)o->study.seeds;
    group of[2 * STUDY_READINGS + 1];
    double *keys = NULL;
    if (!units) return problem_set(why, "--share %g: no unit of %zu", o->share, a->s.count);
    float *sd = tool_alloc(subject_slots(&a->s) * matrices(a), sizeof *sd);
    const size_t groups = list_groups(a, of, &keys, why);
    const bool good =
        groups && add_strengths(a, o->strengths, units, why) && weight_spread(a, sd, why);
    for (size_t c = 0; good && c < groups * seeds; c++)
        study_add_curve(a, of[c / seeds].name, (int)(c % seeds), c % seeds == 0);
    if (good) add_pairs(a);
    if (good) study_begin_edits(a);
    for (size_t c = 0; good && c < a->curves; c++) {
        const int seed = a->curve[c].seed;
        const group *g = &of[c / seeds];
        size_t *slot = g->key ? order_by(&a->s, g->key, g->sign) : order_random(a, seed);
        for (size_t p = 1; p < a->points; p++)
            make_noise(a, c, p, slot, sd,
                       (uint64_t)o->study.seed * UINT64_C(1000003) + (uint64_t)seed);
        free(slot);
    }
    free(keys);
    free(sd);
    return good;
}

/* ---- what follows --------------------------------------------------------------------- */

static bool verdict(const study_reading *r, const curve_test *c, size_t n, text *t)
{
    const bool random = comparison_harms_more(comparison_of(c, n, r->core, "random"));
    const bool periphery = comparison_harms_more(comparison_of(c, n, r->core, r->periphery));
    text_print(t, "more than in random units: %s; more than in the periphery: %s",
               random ? "yes" : "no", periphery ? "yes" : "no");
    return random && periphery;
}

static void settings(const study *a, json_out *j)
{
    const perturb_options *o = a->own;
    json_number(j, "share", o->share);
    json_array_inline(j, "strengths");
    for (size_t p = 0; p < a->points; p++) json_number(j, NULL, a->x[p]);
    json_array_end(j);
    json_text(j, "noise",
              a->s.experts
                  ? "Gaussian, on gate, up and down weights, in their standard deviations"
                  : "Gaussian, on query rows and output columns, in their standard deviations");
}

static const study_kind noise_study = {
    "perturb",
    "group",
    "strength",
    false,
    "Noise in the group",
    "The claim that noise in the core harms more",
    settings,
    verdict,
};

bool perturb_run(const perturb_options *o, problem *why)
{
    study a;
    memset(&a, 0, sizeof a);
    a.own = o;
    const bool good = study_open(&a, &o->study, &noise_study, why) && make_groups(&a, o, why) &&
                      study_run(&a, why);
    study_close(&a);
    return good;
}
