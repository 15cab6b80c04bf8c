/* controls.c - what a checkpoint is compared with: the same shape with random weights, and its own weights in
   another order. Works tensor by tensor on the file, for every family. */
#include "learn/emerge.h"
#include "engine/gguf_out.h"
#include "engine/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct control {
    loaded_model m;
    gguf_out out;
    int kind;
    uint64_t seed;
} control;

static double unit_uniform(uint64_t *state)
{
    return ((double)(random_bits(state) >> 11) + 0.5) * 0x1p-53;
}

static double normal(uint64_t *state)
{
    const double pi = 3.14159265358979323846, u = unit_uniform(state), v = unit_uniform(state);
    return sqrt(-2 * log(u)) * cos(2 * pi * v);
}

static bool name_has(const char *name, size_t bytes, const char *part)
{
    const size_t n = strlen(part);
    for (size_t i = 0; i + n <= bytes; i++)
        if (!memcmp(name + i, part, n)) return true;
    return false;
}

static double deviation(const control *c, const syn_gguf_tensor *t, const char *name)
{
    const size_t n = (size_t)t->name_bytes;
    double sd = 1 / sqrt((double)t->ne[0]);
    if (name_has(name, n, "token_embd") || name_has(name, n, "position_embd")) return 0.05;
    if (name_has(name, n, "attn_output") || name_has(name, n, "ffn_down"))
        sd /= sqrt(2 * (double)c->m.model.layers);
    return sd;
}

static void fill(const control *c, const syn_gguf_tensor *t, const char *name, uint64_t index,
                 float *v, size_t n)
{
    uint64_t state = (c->seed + ((uint64_t)1 << 40)) * 0x9E3779B97F4A7C15u +
                     index; /* not those of fresh_write */
    (void)random_bits(&state);
    if (c->kind == EMERGE_SHUFFLED) {
        for (size_t i = n; i > 1; i--) {
            const size_t j = (size_t)(random_bits(&state) % i);
            const float swap = v[i - 1];
            v[i - 1] = v[j];
            v[j] = swap;
        }
        return;
    }
    const bool vector = t->dims < 2 || t->ne[1] == 1,
               bias = name_has(name, (size_t)t->name_bytes, ".bias");
    const double sd = deviation(c, t, name);
    for (size_t i = 0; i < n; i++)
        v[i] = bias ? 0.0f : vector ? 1.0f : (float)(normal(&state) * sd);
}

static bool is_factors(const char *name, size_t bytes)
{
    return name_has(name, bytes, "rope_f");
}

static bool one_tensor(control *c, const syn_source *from, const syn_gguf_tensor *t, uint64_t index,
                       bool data, problem *why)
{
    const char *name = (const char *)from->bytes + t->name_at;
    const size_t bytes = (size_t)t->name_bytes;
    const syn_type *type = syn_type_find(t->type);
    const bool as_it_is = is_factors(name, bytes) || !type;
    if (!data) {
        if (!type)
            return problem_set(why, "%s: tensor %.*s has an unknown type", c->m.path, (int)bytes,
                               name);
        gguf_out_tensor(&c->out, name, bytes, as_it_is ? type : syn_type_find(0), t->dims, t->ne);
        return true;
    }
    if (as_it_is)
        return gguf_out_data(&c->out, from->bytes + t->offset, (size_t)t->bytes, why) &&
               gguf_out_tensor_end(&c->out, why);
    const size_t rows = (size_t)(t->ne[1] * t->ne[2] * t->ne[3]), cols = (size_t)t->ne[0];
    const uint64_t row = syn_type_bytes(type, cols);
    float *v = tool_alloc(rows * cols, sizeof *v);
    for (size_t r = 0; r < rows; r++)
        syn_type_to_float(type, from->bytes + t->offset + r * row, v + r * cols, cols);
    fill(c, t, name, index, v, rows * cols);
    const bool good =
        gguf_out_floats(&c->out, v, rows * cols, why) && gguf_out_tensor_end(&c->out, why);
    free(v);
    return good;
}

static bool walk(control *c, bool data, problem *why)
{
    uint64_t index = 0;
    for (int f = 0; f < c->m.files; f++) {
        syn_gguf gguf;
        syn_error err;
        if (syn_gguf_open(&gguf, &c->m.source[f], &err) != SYN_OK)
            return problem_engine(why, c->m.path, &err);
        uint64_t at = gguf.tensors_at;
        for (uint64_t i = 0; i < gguf.tensors; i++) {
            syn_gguf_tensor t;
            if (syn_gguf_tensor_at(&gguf, at, &t, &err) != SYN_OK)
                return problem_engine(why, c->m.path, &err);
            at = t.next_at;
            if (!one_tensor(c, &c->m.source[f], &t, index++, data, why)) return false;
        }
    }
    return true;
}

bool emerge_control(const char *model, int kind, uint64_t seed, const char *to, problem *why)
{
    control c;
    memset(&c, 0, sizeof c);
    c.kind = kind;
    c.seed = seed;
    if (!model_load(&c.m, model, NULL, why)) return false;
    const syn_gguf *gguf = &c.m.model.gguf;
    uint64_t at = gguf->keys_at;
    c.out.version = 3;
    c.out.alignment = gguf->alignment;
    for (uint64_t i = 0; i < gguf->keys; i++) {
        const gguf_key key = gguf_key_at(gguf, &at);
        if (key.name_bytes > 6 && !memcmp(key.name, "split.", 6)) continue;
        if (gguf_key_is(&key, "general.file_type")) gguf_out_u32(&c.out, "general.file_type", 0);
        else gguf_out_copy_key(&c.out, &key);
    }
    const bool good = walk(&c, false, why) && gguf_out_begin(&c.out, to, why) &&
                      walk(&c, true, why) && gguf_out_end(&c.out, why);
    gguf_out_close(&c.out);
    model_unload(&c.m);
    return good;
}
