/* quant_plan.c - which layers deserve more bits: a file for llama.cpp's `llama-quantize
   --tensor-type-file`, one line REGEX=TYPE a tensor.

   A layer's attn_q and attn_output (or attn_qkv, or what stands for them in latent attention) count
   with the mean score of its heads; attn_k and attn_v with the mean over KV groups of the best head
   that reads them; the experts' matrices with the mean score of the layer's experts. For each of
   these three, layers are ranked: the upper third gets the first type, the next the second, the
   rest the third. */
#include "prune/stage.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- types ------------------------------------------------------------------------------ */

enum { TYPE_IDS = 64 }; /* numbers of tensor types */

/* As ggml writes it, in any case of letters. */
static const syn_type *type_named(const char *name, size_t length)
{
    for (uint32_t id = 0; id < TYPE_IDS; id++) {
        const syn_type *type = syn_type_find(id);
        if (!type || !syn_type_computes(type) || strlen(type->name) != length) continue;
        size_t i = 0;
        while (i < length && toupper((unsigned char)name[i]) == type->name[i]) i++;
        if (i == length) return type;
    }
    return NULL;
}

bool quant_plan_types(const char *words, const syn_type *type[3])
{
    for (int i = 0; i < 3; i++) {
        const size_t n = strcspn(words, ",");
        type[i] = type_named(words, n);
        if (!type[i] || (words[n] != ',') != (i == 2)) return false;
        words += n + 1;
    }
    return true;
}

/* Rows that are no whole number of blocks: llama.cpp's own replacements (tensor_type_fallback of
   its llama-quant.cpp), so that the plan says what the tensor will be. */
static const syn_type *fitting_type(const syn_type *type, uint64_t columns)
{
    static const char *const replace[][2] = {{"Q6_K", "Q8_0"}, {"Q5_K", "Q5_1"}, {"Q4_K", "Q5_0"},
                                             {"Q3_K", "Q4_0"}, {"Q2_K", "Q4_0"}, {"TQ1_0", "Q4_0"},
                                             {"TQ2_0", "Q4_0"}};
    if (columns % type->block == 0) return type;
    const char *name = "IQ4_NL"; /* of every IQ type */
    for (size_t i = 0; i < sizeof replace / sizeof replace[0]; i++)
        if (!strcmp(replace[i][0], type->name)) name = replace[i][1];
    const syn_type *other = type_named(name, strlen(name));
    return columns % other->block == 0 ? other : type_named("F16", 3);
}

/* ---- layers by score -------------------------------------------------------------------- */

static double mean_of_best(const double *score, size_t n, size_t per_group)
{
    double best[1024];
    size_t groups = 0;
    for (size_t i = 0; i < n && groups < sizeof best / sizeof best[0]; i += per_group, groups++) {
        best[groups] = (double)NAN;
        for (size_t k = i; k < i + per_group; k++)
            if (!isnan(score[k]) && !(score[k] <= best[groups])) best[groups] = score[k];
    }
    return mean_finite(best, groups);
}

/* level (layer): 0 in the upper third of the values, 1, 2; layers without a value are in the
   lowest. */
static void thirds(const double *value, size_t layers, int *level)
{
    for (size_t l = 0; l < layers; l++) {
        size_t above = 0;
        for (size_t k = 0; k < layers; k++)
            above += value[k] > value[l] || (value[k] == value[l] && k < l);
        level[l] = isnan(value[l]) ? 2 : (int)(3 * above / layers);
    }
}

/* ---- the file --------------------------------------------------------------------------- */

typedef struct plan {
    text lines;
    size_t count, changed;
    const syn_type *const *type;
} plan;

/* '.' is the only letter of these names that means something to the quantizer's regex. */
static void add_line(plan *p, uint32_t layer, const char *part, int level, uint64_t columns)
{
    const syn_type *type = fitting_type(p->type[level], columns);
    p->changed += type != p->type[level];
    text_print(&p->lines, "^blk\\.%u\\.", layer);
    for (const char *s = part; *s; s++) text_print(&p->lines, *s == '.' ? "\\." : "%c", *s);
    text_add(&p->lines, "$=");
    for (const char *s = type->name; *s; s++)
        text_print(&p->lines, "%c", tolower((unsigned char)*s));
    text_add(&p->lines, "\n");
    p->count++;
}

typedef struct planned {
    syn_part part;
    const char *name;
    int by;
} planned;

enum { BY_HEADS, BY_GROUPS, BY_EXPERTS };

static const planned table[] = {
    {SYN_ATTN_Q, "attn_q.weight", BY_HEADS},
    {SYN_ATTN_Q_B, "attn_q_b.weight", BY_HEADS},
    {SYN_ATTN_QKV, "attn_qkv.weight", BY_HEADS},
    {SYN_ATTN_K, "attn_k.weight", BY_GROUPS},
    {SYN_ATTN_V, "attn_v.weight", BY_GROUPS},
    {SYN_ATTN_KV_B, "attn_kv_b.weight", BY_HEADS},
    {SYN_ATTN_K_B, "attn_k_b.weight", BY_HEADS},
    {SYN_ATTN_V_B, "attn_v_b.weight", BY_HEADS},
    {SYN_ATTN_OUTPUT, "attn_output.weight", BY_HEADS},
    {SYN_FFN_GATE_EXPERTS, "ffn_gate_exps.weight", BY_EXPERTS},
    {SYN_FFN_UP_EXPERTS, "ffn_up_exps.weight", BY_EXPERTS},
    {SYN_FFN_DOWN_EXPERTS, "ffn_down_exps.weight", BY_EXPERTS},
};

static void plan_layer(plan *p, const prune_units *u, const syn_model *model, uint32_t layer,
                       const int level[2])
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const syn_tensor *tensor = syn_model_part(model, layer, table[i].part);
        if (!tensor || (table[i].by == BY_EXPERTS) != u->experts) continue;
        add_line(p, layer, table[i].name, level[table[i].by == BY_GROUPS], tensor->cols);
    }
}

static void plan_layers(plan *p, const prune_units *u, const syn_model *model)
{
    const size_t ranked = u->ranked / u->layers; /* the plan has no lines for shared experts */
    const size_t per_group = u->experts ? ranked : model->heads / model->kv_heads;
    double *mean = tool_alloc(2 * u->layers, sizeof *mean), *best = mean + u->layers;
    int *level = tool_alloc(2 * u->layers, sizeof *level);
    for (size_t l = 0; l < u->layers; l++) {
        mean[l] = mean_finite(u->score + l * u->per_layer, ranked);
        best[l] = mean_of_best(u->score + l * u->per_layer, ranked, per_group);
    }
    thirds(mean, u->layers, level);
    thirds(best, u->layers, level + u->layers);
    for (size_t l = 0; l < u->layers; l++) {
        const int both[2] = {level[l], level[u->layers + l]};
        plan_layer(p, u, model, (uint32_t)(u->first_layer + l), both);
    }
    free(mean);
    free(level);
}

bool quant_plan_write(const char *path, const prune_units *u, const loaded_model *m,
                      const syn_type *const type[3], size_t *lines, size_t *changed, problem *why)
{
    plan p;
    memset(&p, 0, sizeof p);
    p.type = type;
    plan_layers(&p, u, &m->model);
    const bool good = file_write(path, p.lines.at, p.lines.length, why);
    *lines = p.count;
    *changed = p.changed;
    text_free(&p.lines);
    return good;
}
