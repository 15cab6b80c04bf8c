/* prune.c - writes a model file in which chosen heads or experts have no influence.

   A head acts through its columns of attn_output alone, an expert through its matrix of
   ffn_down_exps: with zeros there the model computes what it computes with a gain of 0 on the unit.
   Where all query heads of as many KV heads go from every layer, the rows and columns of these
   groups are left out instead, and the head counts in the keys shrink; where layers lose different
   numbers of them, a llama becomes a `deci`, which has head counts for each layer. */
#include "prune/stage.h"
#include "prune/prune_zero.h"
#include "base/work.h"
#include "engine/gguf_out.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- which groups can be cut ---------------------------------------------------------------- */

typedef struct cut_plan {
    uint32_t groups;     /* KV groups of a layer, at most */
    uint32_t cut;        /* groups that go from every layer */
    uint32_t cut_in_all; /* groups that go from any layer */
    bool by_layer;       /* each layer loses its own number: head counts become arrays */
    bool *group_gone;    /* (layer, group) */
    bool *head_gone;     /* (layer, head): of those groups */
    bool *head_zero;     /* (layer, head): chosen, and still there */
    uint32_t *heads_left, *groups_left; /* (layer) */
    bool latent; /* MLA: keys and values come from a latent, a head is a group */
} cut_plan;

static uint32_t groups_of(const cut_plan *c, const syn_model *model, uint32_t layer)
{
    return c->latent ? model->layer_heads[layer] : model->layer_kv_heads[layer];
}

/* Query heads of a group. */
static uint32_t group_heads(const cut_plan *c, const syn_model *model, uint32_t layer)
{
    const uint32_t groups = groups_of(c, model, layer);
    return groups ? model->layer_heads[layer] / groups : 0;
}

/* Families whose head count is free in llama.cpp: attn_q has head_count * key_length rows. The
   others are read with as many as the embedding is long (qwen2, phi3, olmo2, starcoder2, gptneox,
   gpt2), and olmo2 norms Q and K over all heads at once. */
static bool counts_are_free(const syn_model *model)
{
    static const char *const name[] = {"llama",  "qwen3",  "qwen3moe",
                                       "gemma2", "gemma3", "deepseek2"};
    for (size_t i = 0; i < sizeof name / sizeof name[0]; i++)
        if (strcmp(model->architecture, name[i]) == 0) return true;
    return false;
}

/* The largest gemmas scale scores by the embedding's share of a head, which a cut would change. */
static bool scale_is_free(const syn_model *model)
{
    return model->kv_lora || model->attn_scale == (float)(1.0 / sqrt((double)model->key_size));
}

static bool has_layer_counts(const syn_model *model)
{
    return strcmp(model->architecture, "deci") == 0;
}

/* llama.cpp reads `deci` (Puzzle, Bercovich et al. 2024, arXiv 2411.19146) as a llama with head
   counts of each layer; it wants keys, values and rotated dimensions of one size there, and knows
   no experts. */
static bool can_be_deci(const syn_model *model)
{
    const bool llama = strcmp(model->architecture, "llama") == 0 && !model->experts;
    return (llama || has_layer_counts(model)) && model->key_size == model->value_size &&
           model->key_size == model->rope_size;
}

/* A layer may lose its attention when nothing of it acts without heads. llama.cpp takes the size of
   a head from the first layer. */
static bool can_lose_attention(const syn_model *model, uint32_t layer)
{
    return layer > 0 && !syn_model_part(model, layer, SYN_ATTN_OUTPUT_BIAS);
}

/* Rows of attn_output are cut between blocks only. */
static bool cut_fits(const cut_plan *c, const syn_model *model, uint32_t layer, uint32_t group)
{
    const syn_tensor *output = syn_model_part(model, layer, SYN_ATTN_OUTPUT);
    const uint64_t width = (uint64_t)group_heads(c, model, layer) * model->value_size;
    return width % output->type->block == 0 && group * width % output->type->block == 0;
}

static bool all_chosen(const bool *chosen, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!chosen[i]) return false;
    return true;
}

static void cut_group(cut_plan *c, const syn_model *model, uint32_t layer, uint32_t group)
{
    const uint32_t heads = group_heads(c, model, layer);
    c->group_gone[(size_t)layer * c->groups + group] = true;
    memset(c->head_gone + (size_t)layer * model->heads + (size_t)group * heads, 1,
           heads * sizeof(bool));
    c->groups_left[layer]--;
    c->heads_left[layer] -= heads;
    c->cut_in_all++;
}

typedef struct group_count {
    uint32_t whole, fit;
} group_count; /* all chosen; and can be cut */

/* The groups of a layer; the first `most` that can be cut are. */
static group_count layer_groups(cut_plan *c, const syn_model *model, const bool *chosen,
                                uint32_t layer, uint32_t most)
{
    const uint32_t heads = group_heads(c, model, layer), groups = groups_of(c, model, layer);
    group_count n = {0, 0};
    for (uint32_t g = 0; g < groups; g++) {
        if (!all_chosen(chosen + (size_t)layer * model->heads + (size_t)g * heads, heads)) continue;
        n.whole++;
        if (cut_fits(c, model, layer, g) && n.fit++ < most) cut_group(c, model, layer, g);
    }
    return n;
}

/* The fewest in any layer: these files have as many heads in every layer. */
static group_count fewest_groups(cut_plan *c, const syn_model *model, const bool *chosen)
{
    group_count least = {c->groups, c->groups};
    for (uint32_t l = 0; l < model->layers; l++) {
        const group_count n = layer_groups(c, model, chosen, l, 0);
        if (n.whole < least.whole) least.whole = n.whole;
        if (n.fit < least.fit) least.fit = n.fit;
    }
    return least;
}

/* How many groups a layer can lose when others lose another number: where all are chosen, all
   (blocks do not matter then), or all but one. */
static uint32_t layer_loss(cut_plan *c, const syn_model *model, const bool *chosen, uint32_t layer)
{
    const uint32_t groups = groups_of(c, model, layer);
    const group_count n = layer_groups(c, model, chosen, layer, 0);
    if (n.whole < groups || !groups) return n.fit;
    if (can_lose_attention(model, layer)) return groups;
    return n.fit < groups ? n.fit : groups - 1;
}

static void cut_layer(cut_plan *c, const syn_model *model, const bool *chosen, uint32_t layer)
{
    const uint32_t groups = groups_of(c, model, layer), loss = layer_loss(c, model, chosen, layer);
    if (loss < groups) layer_groups(c, model, chosen, layer, loss);
    else
        for (uint32_t g = 0; g < groups; g++) cut_group(c, model, layer, g);
}

static void plan_begin(cut_plan *c, const syn_model *model)
{
    const size_t heads = (size_t)model->layers * model->heads;
    c->latent = model->kv_lora != 0;
    c->groups = c->latent ? model->heads : model->kv_heads;
    c->group_gone = tool_alloc((size_t)model->layers * c->groups, sizeof(bool));
    c->head_gone = tool_alloc(heads, sizeof(bool));
    c->head_zero = tool_alloc(heads, sizeof(bool));
    c->heads_left = tool_alloc(model->layers, sizeof(uint32_t));
    c->groups_left = tool_alloc(model->layers, sizeof(uint32_t));
    for (uint32_t l = 0; l < model->layers; l++) {
        c->heads_left[l] = model->layer_heads[l];
        c->groups_left[l] = groups_of(c, model, l);
    }
}

/* Does some layer lose more than the others? Then each loses its own number. */
static bool plan_by_layer(cut_plan *c, const syn_model *model, const bool *chosen, uint32_t least)
{
    bool more = has_layer_counts(model);
    for (uint32_t l = 0; l < model->layers && !more; l++)
        more = layer_loss(c, model, chosen, l) > least;
    for (uint32_t l = 0; l < model->layers && more; l++) cut_layer(c, model, chosen, l);
    return c->cut_in_all > 0;
}

/* Is there a whole group that does not end between blocks? */
static bool blocks_are_in_the_way(cut_plan *c, const syn_model *model, const bool *chosen)
{
    for (uint32_t l = 0; l < model->layers; l++) {
        const group_count n = layer_groups(c, model, chosen, l, 0);
        if (n.fit < n.whole) return true;
    }
    return false;
}

static const char *why_not_cut(cut_plan *c, const prune_request *r, const syn_model *model,
                               uint32_t whole)
{
    if (r->keep_shape) return "as asked";
    if (can_be_deci(model) && !blocks_are_in_the_way(c, model, r->chosen))
        return "no layer loses a whole KV group that it can do without";
    if (!can_be_deci(model) && !whole) return "not every layer loses a whole KV group";
    if (!can_be_deci(model) && !counts_are_free(model))
        return "llama.cpp reads this architecture with all its heads only";
    if (!scale_is_free(model)) return "the scale of scores depends on the number of heads";
    return "the columns of a group in attn_output are not whole blocks of its type";
}

static void plan_cut(cut_plan *c, const prune_request *r, const syn_model *model,
                     prune_result *result)
{
    const size_t heads = (size_t)model->layers * model->heads;
    plan_begin(c, model);
    const group_count least = fewest_groups(c, model, r->chosen);
    if (!r->keep_shape && can_be_deci(model))
        c->by_layer = plan_by_layer(c, model, r->chosen, least.fit);
    if (!r->keep_shape && !c->by_layer && counts_are_free(model) && scale_is_free(model))
        c->cut = least.fit;
    for (uint32_t l = 0; l < model->layers && c->cut; l++)
        layer_groups(c, model, r->chosen, l, c->cut);
    for (size_t i = 0; i < heads; i++) c->head_zero[i] = r->chosen[i] && !c->head_gone[i];
    result->groups = c->groups;
    result->groups_cut = c->cut;
    result->groups_cut_in_all = c->cut_in_all;
    result->heads = model->heads;
    result->heads_left = c->heads_left[0];
    if (c->by_layer) result->architecture = "deci";
    if (!c->cut_in_all)
        snprintf(result->uncut, sizeof result->uncut, "%s", why_not_cut(c, r, model, least.whole));
}

static void plan_free(cut_plan *c)
{
    free(c->group_gone);
    free(c->head_gone);
    free(c->head_zero);
    free(c->heads_left);
    free(c->groups_left);
}

/* ---- what happens to a tensor --------------------------------------------------------------- */

/* Index i of an axis is marked when mark[i / unit]; no marks: none is. */
typedef struct axis {
    const bool *mark;
    uint64_t unit;
} axis;

typedef struct tensor_edit {
    axis cut[3]; /* columns, rows, matrices that are left out */
    axis zero_columns, zero_matrices;
    bool gone;                 /* of a layer whose attention goes */
    const syn_type *from, *to; /* `to` is F32 where `from` has no zero in the right places */
} tensor_edit;

typedef struct prune_job {
    const prune_request *r;
    const prune_units *u;
    const loaded_model *m;
    prune_result *result;
    cut_plan plan;
    gguf_out out;
    unsigned char *row; /* a row as it was, edited */
    float *floats;      /* the same as F32 */
} prune_job;

static bool marked(const axis *a, uint64_t i)
{
    return a->mark && a->mark[i / a->unit];
}

/* The next run of indices marked so (or not) from `at` on; false past the end. */
static bool next_run(const axis *a, bool mark, uint64_t count, uint64_t at, uint64_t run[2])
{
    while (at < count && marked(a, at) != mark) at++;
    run[0] = at;
    while (at < count && marked(a, at) == mark) at++;
    run[1] = at;
    return run[0] < count;
}

static uint64_t left(const axis *a, uint64_t count)
{
    uint64_t run[2], n = 0;
    for (uint64_t at = 0; next_run(a, false, count, at, run); at = run[1]) n += run[1] - run[0];
    return n;
}

static bool zero_fits(const tensor_edit *e, uint64_t columns)
{
    const uint32_t grain = prune_zero_grain(e->from);
    uint64_t run[2];
    for (uint64_t at = 0; next_run(&e->zero_columns, true, columns, at, run); at = run[1])
        if (run[0] % grain || run[1] % grain) return false;
    return true;
}

/* Tensors that lose the parts of cut heads or groups, and along which axis. */
static void edit_cut(tensor_edit *e, const prune_job *job, uint32_t layer, const char *part)
{
    const syn_model *model = &job->m->model;
    enum { COLUMNS, ROWS, MATRICES };
    const uint32_t key = model->key_size, value = model->value_size;
    const struct {
        const char *part;
        int along;
        bool group;
        uint32_t unit;
    } rule[] = {
        {"attn_q.weight", ROWS, false, key},
        {"attn_q.bias", COLUMNS, false, key},
        {"attn_q_b.weight", ROWS, false, key},
        {"attn_k.weight", ROWS, true, key},
        {"attn_k.bias", COLUMNS, true, key},
        {"attn_v.weight", ROWS, true, value},
        {"attn_v.bias", COLUMNS, true, value},
        {"attn_kv_b.weight", ROWS, false, key - model->rope_size + value},
        {"attn_k_b.weight", MATRICES, false, 1},
        {"attn_v_b.weight", MATRICES, false, 1},
        {"attn_output.weight", COLUMNS, false, value},
    };
    for (size_t i = 0; i < sizeof rule / sizeof rule[0]; i++) {
        if (strcmp(rule[i].part, part) != 0) continue;
        axis *a = &e->cut[rule[i].along];
        a->mark = rule[i].group ? job->plan.group_gone + (size_t)layer * job->plan.groups
                                : job->plan.head_gone + (size_t)layer * model->heads;
        a->unit = rule[i].unit;
    }
}

static void edit_experts(tensor_edit *e, const prune_job *job, uint32_t layer, const char *part)
{
    const prune_units *u = job->u;
    const size_t experts = job->m->model.experts;
    if (layer < u->first_layer || layer >= u->first_layer + u->layers) return;
    const bool *chosen = job->r->chosen + (layer - u->first_layer) * u->per_layer;
    if (strcmp(part, "ffn_down_exps.weight") == 0) e->zero_matrices = (axis){chosen, 1};
    else if (strcmp(part, "ffn_down_shexp.weight") == 0 && u->per_layer > experts)
        e->zero_matrices = (axis){chosen + experts, 1};
}

/* "blk.12.attn_q.weight" to 12 and "attn_q.weight"; false for other names. */
static bool layer_name(const char *name, uint32_t *layer, const char **part)
{
    char *end;
    if (strncmp(name, "blk.", 4) != 0 || name[4] < '0' || name[4] > '9') return false;
    const unsigned long n = strtoul(name + 4, &end, 10);
    *layer = n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
    *part = end + 1;
    return *end == '.';
}

enum { NAME_BYTES = 64 }; /* no tensor that a model uses has a longer name */

static void tensor_name(const syn_gguf *gguf, const syn_gguf_tensor *t, char to[NAME_BYTES])
{
    const size_t n = t->name_bytes < NAME_BYTES ? (size_t)t->name_bytes : 0;
    memcpy(to, gguf->source->bytes + t->name_at, n);
    to[n] = '\0';
}

static tensor_edit edit_of(const prune_job *job, const syn_gguf *gguf, const syn_gguf_tensor *t)
{
    const syn_model *model = &job->m->model;
    tensor_edit e;
    char name[NAME_BYTES];
    const char *part;
    uint32_t layer;
    memset(&e, 0, sizeof e);
    e.from = e.to = syn_type_find(t->type);
    tensor_name(gguf, t, name);
    if (!job->result->removed || !layer_name(name, &layer, &part) || layer >= model->layers)
        return e;
    if (job->u->experts) {
        edit_experts(&e, job, layer, part);
        return e;
    }
    e.gone =
        model->layer_heads[layer] && !job->plan.heads_left[layer] && strncmp(part, "attn_", 5) == 0;
    if (e.gone) return e;
    if (job->plan.heads_left[layer] < model->layer_heads[layer]) edit_cut(&e, job, layer, part);
    if (strcmp(part, "attn_output.weight") == 0)
        e.zero_columns =
            (axis){job->plan.head_zero + (size_t)layer * model->heads, model->value_size};
    if (!zero_fits(&e, t->ne[0])) e.to = syn_type_find(0);
    return e;
}

/* ---- writing a tensor ------------------------------------------------------------------------ */

static void zero_columns(prune_job *job, const tensor_edit *e, uint64_t columns)
{
    uint64_t run[2];
    if (e->to != e->from) syn_type_to_float(e->from, job->row, job->floats, (size_t)columns);
    for (uint64_t at = 0; next_run(&e->zero_columns, true, columns, at, run); at = run[1]) {
        if (e->to == e->from) prune_zero(e->from, job->row, run[0], run[1]);
        for (uint64_t i = run[0]; i < run[1] && e->to != e->from; i++) job->floats[i] = 0;
    }
}

/* F32 in a file is little endian, whatever the machine. */
static void floats_to_file(float *floats, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &floats[i], sizeof bits);
        unsigned char raw[4] = {(unsigned char)(bits & 255), (unsigned char)(bits >> 8 & 255),
                                (unsigned char)(bits >> 16 & 255), (unsigned char)(bits >> 24)};
        memcpy(&floats[i], raw, sizeof raw);
    }
}

static bool write_row(prune_job *job, const tensor_edit *e, const unsigned char *row,
                      uint64_t columns, problem *why)
{
    const uint64_t bytes = syn_type_bytes(e->from, columns);
    memcpy(job->row, row, (size_t)bytes);
    zero_columns(job, e, columns);
    if (e->to != e->from) floats_to_file(job->floats, columns);
    const unsigned char *from = e->to == e->from ? job->row : (const unsigned char *)job->floats;
    uint64_t run[2];
    for (uint64_t at = 0; next_run(&e->cut[0], false, columns, at, run); at = run[1])
        if (!gguf_out_data(&job->out, from + syn_type_bytes(e->to, run[0]),
                           (size_t)syn_type_bytes(e->to, run[1] - run[0]), why))
            return false;
    return true;
}

static bool write_zeros(prune_job *job, uint64_t bytes, problem *why)
{
    static const unsigned char zero[4096];
    for (; bytes; bytes -= bytes < sizeof zero ? bytes : sizeof zero)
        if (!gguf_out_data(&job->out, zero, bytes < sizeof zero ? (size_t)bytes : sizeof zero, why))
            return false;
    return true;
}

static bool write_matrix(prune_job *job, const tensor_edit *e, const syn_gguf_tensor *t,
                         const unsigned char *data, problem *why)
{
    const uint64_t row_bytes = syn_type_bytes(e->from, t->ne[0]);
    if (!e->cut[0].mark && !e->cut[1].mark && !e->zero_columns.mark)
        return gguf_out_data(&job->out, data, (size_t)(row_bytes * t->ne[1]), why);
    for (uint64_t row = 0; row < t->ne[1]; row++)
        if (!marked(&e->cut[1], row) && !write_row(job, e, data + row * row_bytes, t->ne[0], why))
            return false;
    return true;
}

static bool write_tensor(void *user, const syn_gguf *gguf, const syn_gguf_tensor *t, problem *why)
{
    prune_job *job = user;
    const tensor_edit e = edit_of(job, gguf, t);
    const uint64_t bytes = syn_type_bytes(e.from, t->ne[0]) * t->ne[1];
    const unsigned char *data = gguf->source->bytes + t->offset;
    if (e.gone) return true;
    if (e.cut[0].mark || e.cut[1].mark || e.zero_columns.mark) {
        free(job->row);
        free(job->floats);
        job->row = tool_alloc((size_t)syn_type_bytes(e.from, t->ne[0]), 1);
        job->floats = tool_alloc((size_t)t->ne[0], sizeof(float));
    }
    for (uint64_t i = 0; i < t->ne[2] * t->ne[3]; i++, data += bytes) {
        if (marked(&e.cut[2], i)) continue;
        if (marked(&e.zero_matrices, i) ? !write_zeros(job, bytes, why)
                                        : !write_matrix(job, &e, t, data, why))
            return false;
    }
    return gguf_out_tensor_end(&job->out, why);
}

/* ---- the whole file -------------------------------------------------------------------------- */

static void count_edit(prune_result *result, const tensor_edit *e, const syn_gguf_tensor *t)
{
    uint64_t run[2];
    const bool zeros = next_run(&e->zero_columns, true, t->ne[0], 0, run) ||
                       next_run(&e->zero_matrices, true, t->ne[2] * t->ne[3], 0, run);
    result->tensors++;
    result->zeroed += zeros;
    result->cut += e->gone || e->cut[0].mark || e->cut[1].mark || e->cut[2].mark;
    if (e->to == e->from) return;
    if (!result->rewritten++)
        snprintf(result->rewritten_type, sizeof result->rewritten_type, "%s", e->from->name);
}

static bool promise_tensor(void *user, const syn_gguf *gguf, const syn_gguf_tensor *t, problem *why)
{
    prune_job *job = user;
    const tensor_edit e = edit_of(job, gguf, t);
    uint64_t ne[4] = {t->ne[0], t->ne[1], t->ne[2], t->ne[3]};
    (void)why;
    for (int i = 0; i < 3; i++) ne[i] = left(&e.cut[i], ne[i]);
    if (!e.gone)
        gguf_out_tensor(&job->out, (const char *)gguf->source->bytes + t->name_at,
                        (size_t)t->name_bytes, e.to, t->dims, ne);
    count_edit(job->result, &e, t);
    return true;
}

/* The counts and sizes of a model that lost whole groups; sizes that followed from the number of
   heads are written out. */
typedef struct new_count {
    const char *suffix; /* behind "<architecture>." */
    uint32_t value;
    const uint32_t *by_layer; /* NULL: the value is that of all layers */
    bool done;
} new_count;

enum { NEW_COUNTS = 5 };

static size_t new_counts(const prune_job *job, new_count to[NEW_COUNTS])
{
    const syn_model *model = &job->m->model;
    const cut_plan *c = &job->plan;
    const struct {
        new_count count;
        bool wanted;
    } list[NEW_COUNTS] = {
        {{"attention.head_count", job->result->heads_left, c->heads_left, false}, true},
        {{"attention.head_count_kv", c->groups - c->cut, c->groups_left, false},
         !c->latent || model->kv_heads > 1},
        {{"attention.key_length", model->key_size, NULL, false}, !c->latent},
        {{"attention.value_length", model->value_size, NULL, false}, !c->latent},
        {{"rope.dimension_count", model->rope_size, NULL, false}, c->by_layer},
    };
    size_t n = 0;
    for (size_t i = 0; i < NEW_COUNTS && c->cut_in_all; i++) {
        if (!list[i].wanted) continue;
        to[n] = list[i].count;
        if (!c->by_layer) to[n].by_layer = NULL;
        n++;
    }
    return n;
}

/* Is it a key of the model's architecture? */
static bool key_is_of(const syn_model *model, const gguf_key *key)
{
    const size_t n = strlen(model->architecture);
    return key->name_bytes > n && !memcmp(key->name, model->architecture, n) && key->name[n] == '.';
}

static bool key_is_count(const syn_model *model, const gguf_key *key, const new_count *count)
{
    const size_t skip = strlen(model->architecture) + 1, n = strlen(count->suffix);
    return key_is_of(model, key) && key->name_bytes == skip + n &&
           !memcmp(key->name + skip, count->suffix, n);
}

static void write_count(prune_job *job, new_count *count)
{
    char name[64];
    snprintf(name, sizeof name, "%s.%s", job->result->architecture, count->suffix);
    if (count->by_layer) gguf_out_i32s(&job->out, name, count->by_layer, job->m->model.layers);
    else gguf_out_u32(&job->out, name, count->value);
    count->done = true;
}

/* As it was, but for the name of the architecture where that changes. */
static void copy_key(prune_job *job, const gguf_key *key)
{
    const char *from = job->m->model.architecture, *to = job->result->architecture;
    if (strcmp(from, to) == 0) gguf_out_copy_key(&job->out, key);
    else if (gguf_key_is(key, "general.architecture"))
        gguf_out_text(&job->out, "general.architecture", to);
    else if (key_is_of(&job->m->model, key)) gguf_out_move_key(&job->out, key, strlen(from), to);
    else gguf_out_copy_key(&job->out, key);
}

/* Keys that describe the file as it was: parts of a split model, an earlier pruning. */
static bool key_goes(const prune_job *job, const gguf_key *key)
{
    static const char split[] = "split.", pruned[] = "synergy.pruned.";
    if (job->m->files > 1 && key->name_bytes > 6 && !memcmp(key->name, split, 6)) return true;
    return job->result->removed && key->name_bytes > 15 && !memcmp(key->name, pruned, 15);
}

static void add_record(prune_job *job)
{
    const prune_units *u = job->u;
    char unit[UNIT_NAME];
    gguf_out_text(&job->out, "synergy.pruned.kind", choice_name(CHOICE_UNITS, u->experts));
    gguf_out_texts(&job->out, "synergy.pruned.units", job->result->removed);
    for (size_t i = 0; i < u->count; i++) {
        if (!job->r->chosen[i]) continue;
        prune_unit_name(u, i, unit);
        gguf_out_element(&job->out, unit);
    }
    gguf_out_f64(&job->out, "synergy.pruned.fraction",
                 (double)job->result->removed / (double)job->r->all);
    gguf_out_text(&job->out, "synergy.pruned.score", job->r->score);
    gguf_out_text(&job->out, "synergy.pruned.order", job->r->order);
}

static void collect_keys(prune_job *job)
{
    const syn_gguf *gguf = &job->m->model.gguf;
    new_count count[NEW_COUNTS];
    const size_t counts = new_counts(job, count);
    uint64_t at = gguf->keys_at;
    for (uint64_t i = 0; i < gguf->keys; i++) {
        const gguf_key key = gguf_key_at(gguf, &at);
        size_t k = 0;
        while (k < counts && !key_is_count(&job->m->model, &key, &count[k])) k++;
        if (k < counts) write_count(job, &count[k]);
        else if (!key_goes(job, &key)) copy_key(job, &key);
    }
    for (size_t k = 0; k < counts; k++)
        if (!count[k].done) write_count(job, &count[k]);
    if (job->result->removed) add_record(job);
}

/* What it takes is what a disk takes to give and to take the file, 0.1 to 2 GB of it a second;
   where that is less than two seconds nobody is told. */
static bool announce(const prune_job *job, problem *why)
{
    const char *output = job->r->output;
    const double bytes = (double)gguf_out_bytes(&job->out);
    char what[160], folder[TOOL_PATH_BYTES];
    snprintf(what, sizeof what, "%.100s: %zu of %zu %s go", path_base(output), job->result->removed,
             job->r->all, choice_name(CHOICE_UNITS, job->u->experts));
    snprintf(folder, sizeof folder, "%.*s", (int)(path_base(output) - output), output);
    const work_plan p = {what, folder[0] ? folder : ".", 0, bytes, bytes / 2e9, bytes / 1e8, 2};
    return plan_announce(&p, why);
}

static bool write_all(prune_job *job, problem *why)
{
    job->out.version = job->m->model.gguf.version;
    job->out.alignment = job->m->model.gguf.alignment;
    collect_keys(job);
    return model_each_tensor(job->m, promise_tensor, job, why) && announce(job, why) &&
           gguf_out_begin(&job->out, job->r->output, why) &&
           model_each_tensor(job->m, write_tensor, job, why) && gguf_out_end(&job->out, why);
}

bool prune_write(const prune_request *r, const prune_units *u, const loaded_model *m,
                 prune_result *result, problem *why)
{
    prune_job job;
    memset(&job, 0, sizeof job);
    memset(result, 0, sizeof *result);
    job.r = r;
    job.u = u;
    job.m = m;
    job.result = result;
    result->architecture = m->model.architecture;
    size_t left_over = u->ranked;
    for (size_t i = 0; i < u->count; i++) {
        result->removed += r->chosen[i];
        left_over -= r->chosen[i] && !prune_unit_is_shared(u, i);
    }
    if (!left_over)
        return problem_set(why, "none of the %zu %s would be left", u->ranked,
                           choice_name(CHOICE_UNITS, u->experts));
    if (!u->experts) plan_cut(&job.plan, r, &m->model, result);
    result->bytes_before = model_file_bytes(m);
    const bool good = write_all(&job, why);
    result->bytes_after = job.out.written;
    gguf_out_close(&job.out);
    plan_free(&job.plan);
    free(job.row);
    free(job.floats);
    return good;
}
