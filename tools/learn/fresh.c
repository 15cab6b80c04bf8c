/* fresh.c - normal weights of standard deviation 1/sqrt(inputs); what adds to the stream is smaller
   by sqrt(2 layers) (Radford et al. 2019), so that the stream starts at one scale whatever the
   depth. */
#include "learn/fresh.h"
#include "engine/gguf_out.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct fresh_tensor { /* sd 0: ones */
    int64_t layer;
    const char *part;
    uint64_t cols, rows;
    double sd;
} fresh_tensor;

static size_t list_tensors(const fresh_shape *s, const bpe *vocabulary, fresh_tensor *t)
{
    const uint64_t d = (uint64_t)s->width, head = d / (uint64_t)s->heads,
                   kv = head * (uint64_t)s->kv_heads;
    const uint64_t ff = (uint64_t)s->ff;
    const double in = 1 / sqrt((double)d), out = 1 / sqrt(2 * (double)s->layers);
    const fresh_tensor layer[] = {{0, "attn_norm.weight", d, 1, 0},
                                  {0, "attn_q.weight", d, d, in},
                                  {0, "attn_k.weight", d, kv, in},
                                  {0, "attn_v.weight", d, kv, in},
                                  {0, "attn_output.weight", d, d, in * out},
                                  {0, "ffn_norm.weight", d, 1, 0},
                                  {0, "ffn_gate.weight", d, ff, in},
                                  {0, "ffn_up.weight", d, ff, in},
                                  {0, "ffn_down.weight", ff, d, out / sqrt((double)ff)}};
    enum { EACH = sizeof layer / sizeof layer[0] };
    size_t count = 0;
    t[count++] = (fresh_tensor){-1, "token_embd.weight", d, vocabulary->size, 0.05};
    for (int64_t i = 0; i < s->layers; i++)
        for (size_t j = 0; j < EACH; j++) {
            t[count] = layer[j];
            t[count++].layer = i;
        }
    t[count++] = (fresh_tensor){-1, "output_norm.weight", d, 1, 0};
    return count;
}

static void add_keys(gguf_out *out, const fresh_shape *s)
{
    gguf_out_text(out, "general.architecture", "llama");
    gguf_out_text(out, "general.name", s->name);
    gguf_out_u32(out, "general.file_type", 0);
    gguf_out_u32(out, "llama.block_count", (uint32_t)s->layers);
    gguf_out_u32(out, "llama.context_length", (uint32_t)s->context);
    gguf_out_u32(out, "llama.embedding_length", (uint32_t)s->width);
    gguf_out_u32(out, "llama.feed_forward_length", (uint32_t)s->ff);
    gguf_out_u32(out, "llama.attention.head_count", (uint32_t)s->heads);
    gguf_out_u32(out, "llama.attention.head_count_kv", (uint32_t)s->kv_heads);
    gguf_out_u32(out, "llama.rope.dimension_count", (uint32_t)(s->width / s->heads));
    gguf_out_f32(out, "llama.rope.freq_base", 10000.0f);
    gguf_out_f32(out, "llama.attention.layer_norm_rms_epsilon", 1e-5f);
}

static void add_vocabulary(gguf_out *out, const bpe *b)
{
    uint32_t *type = tool_alloc(b->size, sizeof *type);
    gguf_out_u32(out, "llama.vocab_size", (uint32_t)b->size);
    gguf_out_text(out, "tokenizer.ggml.model", "gpt2");
    gguf_out_text(out, "tokenizer.ggml.pre", "smollm");
    gguf_out_texts(out, "tokenizer.ggml.tokens", b->size);
    for (size_t i = 0; i < b->size; i++) {
        text t = {0};
        bpe_token_text(b, i, &t);
        gguf_out_element(out, t.at);
        text_free(&t);
        type[i] = i == 0 ? SYN_TOKEN_CONTROL : SYN_TOKEN_NORMAL;
    }
    gguf_out_i32s(out, "tokenizer.ggml.token_type", type, b->size);
    free(type);
    gguf_out_texts(out, "tokenizer.ggml.merges", b->size - BPE_LEAST);
    for (size_t i = BPE_LEAST; i < b->size; i++) {
        text t = {0};
        bpe_token_text(b, b->merge[i - BPE_LEAST][0], &t);
        text_add(&t, " ");
        bpe_token_text(b, b->merge[i - BPE_LEAST][1], &t);
        gguf_out_element(out, t.at);
        text_free(&t);
    }
    gguf_out_u32(out, "tokenizer.ggml.bos_token_id", 0);
    gguf_out_u32(out, "tokenizer.ggml.eos_token_id", 0);
    gguf_out_bool(out, "tokenizer.ggml.add_bos_token", true);
}

/* Box and Muller's pair of normal numbers, the first of it. */
static double normal(uint64_t *state)
{
    const double pi = 3.14159265358979323846;
    const double u = ((double)(random_bits(state) >> 11) + 0.5) * 0x1p-53;
    const double v = (double)(random_bits(state) >> 11) * 0x1p-53;
    return sqrt(-2 * log(u)) * cos(2 * pi * v);
}

static bool put_tensor(gguf_out *out, const fresh_tensor *t, uint64_t seed, size_t index,
                       problem *why)
{
    uint64_t state = seed * 0x9E3779B97F4A7C15u + index;
    (void)random_bits(&state);
    for (uint64_t i = 0; i < t->cols * t->rows; i++) {
        const float value = t->sd > 0 ? (float)(normal(&state) * t->sd) : 1.0f;
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        const unsigned char raw[4] = {(unsigned char)(bits & 255), (unsigned char)(bits >> 8 & 255),
                                      (unsigned char)(bits >> 16 & 255),
                                      (unsigned char)(bits >> 24)};
        if (!gguf_out_data(out, raw, sizeof raw, why)) return false;
    }
    return gguf_out_tensor_end(out, why);
}

static bool check_shape(const fresh_shape *s, problem *why)
{
    if (s->width % s->heads || (s->width / s->heads) % 2)
        return problem_set(why, "width %d over %d heads: every head needs an even number of values",
                           (int)s->width, (int)s->heads);
    if (s->heads % s->kv_heads)
        return problem_set(why, "%d heads do not share %d key heads evenly", (int)s->heads,
                           (int)s->kv_heads);
    return true;
}

bool fresh_write(const fresh_shape *given, const bpe *vocabulary, const char *path, problem *why)
{
    fresh_shape s = *given;
    gguf_out out;
    if (!s.kv_heads) s.kv_heads = s.heads;
    if (!s.ff) s.ff = (s.width * 8 / 3 + 31) / 32 * 32;
    if (!check_shape(&s, why)) return false;
    fresh_tensor *t = tool_alloc((size_t)s.layers * 9 + 2, sizeof *t);
    const size_t count = list_tensors(&s, vocabulary, t);
    memset(&out, 0, sizeof out);
    out.version = 3;
    out.alignment = 32;
    add_keys(&out, &s);
    add_vocabulary(&out, vocabulary);
    for (size_t i = 0; i < count; i++) {
        const uint64_t ne[4] = {t[i].cols, t[i].rows, 1, 1};
        char name[64];
        if (t[i].layer < 0) snprintf(name, sizeof name, "%s", t[i].part);
        else snprintf(name, sizeof name, "blk.%d.%s", (int)t[i].layer, t[i].part);
        gguf_out_tensor(&out, name, strlen(name), syn_type_find(0), t[i].rows > 1 ? 2 : 1, ne);
    }
    bool good = gguf_out_begin(&out, path, why);
    for (size_t i = 0; i < count && good; i++)
        good = put_tensor(&out, &t[i], (uint64_t)s.seed, i, why);
    good = good && gguf_out_end(&out, why);
    gguf_out_close(&out);
    free(t);
    return good;
}
