/* controls.c - what a checkpoint is compared with: the same shape with random weights, and its own
   weights in another order. Works tensor by tensor on the file, for every family. */
#include "learn/stage.h"
#include "engine/gguf_out.h"
#include "engine/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct control {
    loaded_model m;
    gguf_out out;
    int kind;
    uint64_t seed, index; /* index: of the tensor being written */
    bool promised;        /* the second walk writes what the first promised */
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

static bool one_tensor(void *user, const syn_gguf *gguf, const syn_gguf_tensor *t, problem *why)
{
    control *c = user;
    const syn_source *from = gguf->source;
    const char *name = (const char *)from->bytes + t->name_at;
    const size_t bytes = (size_t)t->name_bytes;
    const syn_type *type = syn_type_find(t->type);
    const bool as_it_is = is_factors(name, bytes) || !type;
    if (!c->promised) {
        if (!type)
            return problem_set(why, "%s: tensor %.*s has an unknown type", c->m.path, (int)bytes,
                               name);
        gguf_out_tensor(&c->out, name, bytes, as_it_is ? type : syn_type_find(SYN_TYPE_F32),
                        t->dims, t->ne);
        return true;
    }
    const uint64_t index = c->index++;
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

bool emerge_control(const char *model, int kind, uint64_t seed, const char *to, problem *why)
{
    control c;
    memset(&c, 0, sizeof c);
    c.kind = kind;
    c.seed = seed;
    if (!model_load(&c.m, model, NULL, why)) return false;
    gguf_out_floats_of(&c.out, &c.m.model.gguf);
    bool good = model_each_tensor(&c.m, one_tensor, &c, why) && gguf_out_begin(&c.out, to, why);
    c.promised = true;
    good = good && model_each_tensor(&c.m, one_tensor, &c, why) && gguf_out_end(&c.out, why);
    gguf_out_close(&c.out);
    model_unload(&c.m);
    return good;
}
