/* net.c - opening a model for learning, and writing it. */
#include "learn/net.h"
#include "engine/family.h"
#include "engine/gguf_out.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BIT(part) ((uint64_t)1 << (part))

/* ---- which models ----------------------------------------------------------------------- */

/* The steps that the passes know; a layer takes those whose tensors it has. */
static const uint64_t parts_needed = BIT(SYN_ATTN_NORM) | BIT(SYN_ATTN_Q) | BIT(SYN_ATTN_K) |
                                     BIT(SYN_ATTN_V) | BIT(SYN_ATTN_OUTPUT) | BIT(SYN_FFN_NORM) |
                                     BIT(SYN_FFN_GATE) | BIT(SYN_FFN_UP) | BIT(SYN_FFN_DOWN);
static const uint64_t parts_known =
    BIT(SYN_ATTN_NORM) | BIT(SYN_ATTN_Q) | BIT(SYN_ATTN_K) | BIT(SYN_ATTN_V) |
    BIT(SYN_ATTN_OUTPUT) | BIT(SYN_FFN_NORM) | BIT(SYN_FFN_GATE) | BIT(SYN_FFN_UP) |
    BIT(SYN_FFN_DOWN) | BIT(SYN_ATTN_Q_BIAS) | BIT(SYN_ATTN_K_BIAS) | BIT(SYN_ATTN_V_BIAS) |
    BIT(SYN_ATTN_OUTPUT_BIAS) | BIT(SYN_ATTN_Q_NORM) | BIT(SYN_ATTN_K_NORM) |
    BIT(SYN_FFN_GATE_BIAS) | BIT(SYN_FFN_UP_BIAS) | BIT(SYN_FFN_DOWN_BIAS);

static bool family_learns(const syn_family *family)
{
    const family_steps s = family_steps_of(family);
    return s.rms_norm && s.silu && s.rope && s.plain && !(family_needed(family) & ~parts_known) &&
           !(parts_needed & ~family_parts(family));
}

static bool refuse(const net *n, const char *what, problem *why)
{
    text names = {0};
    for (int i = 0; family_row(i); i++)
        if (family_learns(family_row(i)))
            text_print(&names, "%s%s", names.length ? ", " : "", family_name(family_row(i)));
    problem_set(why, "%s: no backward pass for %s; there is one for models without experts of %s",
                n->file.path, what, names.at ? names.at : "no family");
    text_free(&names);
    return false;
}

static bool check_model(const net *n, problem *why)
{
    const syn_model *m = &n->file.model;
    char what[96];
    snprintf(what, sizeof what, "architecture %s", m->architecture);
    if (!family_learns(m->family)) return refuse(n, what, why);
    if (m->experts) return refuse(n, "layers with experts", why);
    if (m->embd_scale != 1 || m->residual_scale != 1 || m->logit_scale > 0 ||
        m->temperature_length || m->attn_softcap > 0 || m->final_softcap > 0)
        return refuse(n, "scaled or capped activations", why);
    if (m->parts_found & ~parts_known || m->global[SYN_OUTPUT_BIAS].type ||
        m->global[SYN_POSITION_EMBD].type || m->global[SYN_OUTPUT_NORM_BIAS].type)
        return refuse(n, "all of its tensors", why);
    for (uint32_t i = 0; i < m->layers; i++) {
        if (syn_model_is_local(m, i)) return refuse(n, "attention to a window", why);
        if (m->layer_heads[i] != m->heads || m->layer_kv_heads[i] != m->kv_heads)
            return refuse(n, "layers with head counts of their own", why);
        for (int part = 0; part < SYN_PARTS; part++)
            if (parts_needed & BIT(part) && !syn_model_part(m, i, (syn_part)part))
                return refuse(n, "matrices joined into one", why);
    }
    return true;
}

/* ---- weights ---------------------------------------------------------------------------- */

static void add_param(net *n, const syn_tensor *t, size_t *at, const char *prefix, const char *name)
{
    net_param *p = &n->param[n->params++];
    snprintf(p->name, sizeof p->name, "%s%s", prefix, name);
    p->tensor = t;
    p->cols = t->cols;
    p->rows = t->rows;
    p->at = *at = n->parameters;
    n->parameters += p->cols * p->rows;
}

/* The header's view of a tied output is the embedding once more. */
static bool tied(const syn_model *m)
{
    const syn_tensor *a = &m->global[SYN_TOKEN_EMBD], *b = &m->global[SYN_OUTPUT];
    return !b->type || (a->source == b->source && a->offset == b->offset);
}

static void list_global(net *n, syn_global g)
{
    const syn_model *m = &n->file.model;
    n->global_at[g] = NET_NONE;
    if (m->global[g].type && g != SYN_ROPE_FREQS && !(g == SYN_OUTPUT && tied(m)))
        add_param(n, &m->global[g], &n->global_at[g], "", family_global_name(g));
}

/* What is held comes first. */
static void list_params(net *n, net_hold hold)
{
    const syn_model *m = &n->file.model;
    const bool apart = hold == NET_HOLD_END && !tied(m); /* rows of the embedding are read singly */
    n->param = tool_alloc(SYN_GLOBALS + n->layers * SYN_PARTS, sizeof *n->param);
    n->at = tool_alloc(n->layers * SYN_PARTS, sizeof *n->at);
    n->layer_at = tool_alloc(n->layers + 1, sizeof *n->layer_at);
    for (int g = 0; g < SYN_GLOBALS; g++)
        if (!(apart && g == SYN_TOKEN_EMBD)) list_global(n, (syn_global)g);
    n->held = n->parameters;
    if (apart) list_global(n, SYN_TOKEN_EMBD);
    for (size_t i = 0; i < n->layers; i++) {
        n->layer_at[i] = n->parameters;
        for (int part = 0; part < SYN_PARTS; part++) {
            char prefix[24];
            const syn_tensor *t = syn_model_part(m, (uint32_t)i, (syn_part)part);
            size_t *at = &n->at[i * SYN_PARTS + (size_t)part];
            *at = NET_NONE;
            snprintf(prefix, sizeof prefix, "blk.%u.", (unsigned)i);
            if (t && t->type) add_param(n, t, at, prefix, family_part_name((syn_part)part));
        }
    }
    n->layer_at[n->layers] = n->parameters;
    if (hold == NET_HOLD_ALL) n->held = n->parameters;
}

static void read_row(const syn_tensor *t, size_t row, float *to)
{
    syn_type_to_float(t->type, t->data + row * syn_type_bytes(t->type, t->cols), to, t->cols);
}

/* Some rows of a tensor each. */
typedef struct read_jobs {
    const syn_tensor *tensor;
    size_t rows, each;
    float *to;
} read_jobs;

static void read_job(void *arg, int index)
{
    const read_jobs *j = arg;
    const size_t from = (size_t)index * j->each;
    for (size_t r = from; r < j->rows && r < from + j->each; r++)
        read_row(j->tensor, r, j->to + r * j->tensor->cols);
}

static void read_param(const net_param *p, const syn_parallel *parallel, float *to)
{
    enum { JOBS = 64 };
    read_jobs j = {p->tensor, p->rows, (p->rows + JOBS - 1) / JOBS, to};
    lanes_run(parallel, (p->rows + j.each - 1) / j.each, read_job, &j);
}

void net_read_layer(const net *n, size_t layer, const syn_parallel *parallel, float *to)
{
    for (size_t i = 0; i < n->params; i++) {
        const net_param *p = &n->param[i];
        if (p->at >= n->layer_at[layer] && p->at < n->layer_at[layer + 1])
            read_param(p, parallel, to + (p->at - n->layer_at[layer]));
    }
}

void net_embedding(const net *n, size_t id, float *to)
{
    const size_t at = n->global_at[SYN_TOKEN_EMBD];
    if (at < n->held) memcpy(to, n->weight + at + id * n->embd, n->embd * sizeof *to);
    else read_row(&n->file.model.global[SYN_TOKEN_EMBD], id, to);
}

static void read_weights(net *n)
{
    n->weight = tool_alloc(n->held, sizeof *n->weight);
    for (size_t i = 0; i < n->params; i++)
        if (n->param[i].at < n->held)
            read_param(&n->param[i], n->parallel, n->weight + n->param[i].at);
}

bool net_open(net *n, const char *path, net_hold hold, int64_t threads, problem *why)
{
    memset(n, 0, sizeof *n);
    if (!model_load(&n->file, path, NULL, why)) return false;
    const syn_model *m = &n->file.model;
    if (!check_model(n, why)) {
        model_unload(&n->file);
        return false;
    }
    n->layers = m->layers;
    n->embd = m->embd;
    n->heads = m->heads;
    n->kv_heads = m->kv_heads;
    n->key = m->key_size;
    n->value = m->value_size;
    n->ff = m->ff;
    n->vocab = m->vocab;
    n->rope = m->rope_size;
    n->q_size = n->heads * n->key;
    n->k_size = n->kv_heads * n->key;
    n->v_size = n->kv_heads * n->value;
    n->heads_size = n->heads * n->value;
    n->rope_halves = family_steps_of(m->family).rope_halves;
    n->l = lanes_of(SYN_SIMD_AUTO);
    list_params(n, hold);
    engine_pool_start(&n->file.pool, threads);
    n->parallel = &n->file.pool.parallel;
    read_weights(n);
    return true;
}

void net_close(net *n)
{
    model_unload(&n->file);
    free(n->weight);
    free(n->at);
    free(n->layer_at);
    free(n->param);
    memset(n, 0, sizeof *n);
}

float *net_part(const net *n, float *array, size_t layer, syn_part part)
{
    const size_t at = n->at[layer * SYN_PARTS + (size_t)part];
    return at == NET_NONE || !array ? NULL : array + at;
}

float *net_global(const net *n, float *array, syn_global global)
{
    return n->global_at[global] == NET_NONE || !array ? NULL : array + n->global_at[global];
}

/* ---- writing ---------------------------------------------------------------------------- */

static const net_param *param_named(const net *n, const char *name, size_t bytes)
{
    for (size_t i = 0; i < n->params; i++)
        if (strlen(n->param[i].name) == bytes && !memcmp(n->param[i].name, name, bytes))
            return &n->param[i];
    return NULL;
}

/* An array on its way into a file: its tensors are promised, then written. */
typedef struct net_file {
    const net *n;
    const float *array;
    net_kind kind;
    gguf_out out;
    bool promised;
} net_file;

/* A tensor that is no parameter (rope factors) goes as it is. */
static bool net_tensor(void *user, const syn_gguf *gguf, const syn_gguf_tensor *t, problem *why)
{
    net_file *file = user;
    const unsigned char *bytes = gguf->source->bytes;
    const char *name = (const char *)bytes + t->name_at;
    const size_t length = (size_t)t->name_bytes;
    const net_param *p = param_named(file->n, name, length);
    const bool factors = !p && file->kind == NET_MODEL && length == strlen("rope_freqs.weight") &&
                         !memcmp(name, "rope_freqs.weight", length);
    if (!p && !factors) return true;
    if (!file->promised) {
        gguf_out_tensor(&file->out, name, length, syn_type_find(p ? SYN_TYPE_F32 : t->type),
                        t->dims, t->ne);
        return true;
    }
    const bool good = p ? gguf_out_floats(&file->out, file->array + p->at, p->cols * p->rows, why)
                        : gguf_out_data(&file->out, bytes + t->offset, (size_t)t->bytes, why);
    return good && gguf_out_tensor_end(&file->out, why);
}

bool net_write(const net *n, const float *array, net_kind kind, const char *path, problem *why)
{
    net_file file;
    memset(&file, 0, sizeof file);
    file.n = n;
    file.array = array;
    file.kind = kind;
    gguf_out_floats_of(&file.out, &n->file.model.gguf);
    bool good =
        model_each_tensor(&n->file, net_tensor, &file, why) && gguf_out_begin(&file.out, path, why);
    file.promised = true;
    good =
        good && model_each_tensor(&n->file, net_tensor, &file, why) && gguf_out_end(&file.out, why);
    gguf_out_close(&file.out);
    return good;
}

/* ---- rows ------------------------------------------------------------------------------- */

bool net_rows_read(int32_t **ids, size_t *rows, size_t *length, const char *path, uint32_t vocab,
                   problem *why)
{
    id_rows given;
    bool good = ids_read(&given, path, vocab, true, why);
    const net_rows whole = {given.at, NULL, good ? given.rows : 0, given.length, NULL};
    *ids = given.at;
    *rows = given.rows;
    *length = given.length;
    if (good && !net_positions(&whole))
        good = problem_set(why, "%s: no row has a second token to predict", path);
    if (good) return true;
    free(*ids);
    *ids = NULL;
    return false;
}

size_t net_positions(const net_rows *r)
{
    size_t count = 0;
    for (size_t p = 0; p < r->rows; p++)
        for (size_t t = 1; t < r->length; t++) count += r->ids[p * r->length + t] >= 0;
    return count;
}
