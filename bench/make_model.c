/* make_model.c - a GGUF of a family's true size with random weights, for measuring memory and
   speed.

   make -C bench && bench/build/make_model --preset llama3-8b --type Q4_K OUT.gguf
   make_model --family qwen2 --layers 4 --embd 256 --heads 8 --kv-heads 2 --ff 512 OUT.gguf

   Presets: gemma3-4b llama3-8b qwen3-8b deepseek2-lite pythia-1b; every other option then changes
   one number of it. Which tensors there are, and their shapes, come from the header's own tables,
   so that every family that opens can be written. Weights are random blocks whose scales give each
   matrix a standard deviation of about 1/sqrt(columns); norms are 1, biases small. A row that is no
   whole number of blocks takes a smaller type, as converters do. The vocabulary has its true size,
   256 byte tokens among it (so that any text tokenizes) and words of two to four letters with their
   merges. The file is written front to back with a few hundred KiB of memory. What such a model
   says is noise; what it costs is what the real one costs. */
#define SYNERGY_STATIC
#define SYNERGY_IMPLEMENTATION
#include "../synergy.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct preset {
    const char *name, *family, *pre; /* pre-tokenizer of byte-level BPE, NULL: SentencePiece */
    const char *scaling;             /* rope.scaling.type or NULL */
    uint32_t layers, embd, heads, kv_heads, key_size, value_size, ff, vocab, context, rope_size;
    uint32_t window, experts, used, shared, expert_ff, dense, kv_lora, q_lora, original_context;
    float base, eps, factor, log_multiplier;
    int tied, rope_freqs;
} preset;

/* clang-format off */
static const preset presets[] = {
    { "gemma3-4b", "gemma3", NULL, "linear", 34, 2560, 8, 4, 256, 256, 10240, 262144, 131072, 256,
      1024, 0, 0, 0, 0, 0, 0, 0, 0, 1e6f, 1e-6f, 8.0f, 0, 1, 0 },
    { "llama3-8b", "llama", "llama-bpe", NULL, 32, 4096, 32, 8, 128, 128, 14336, 128256, 131072,
      128,
      0, 0, 0, 0, 0, 0, 0, 0, 0, 5e5f, 1e-5f, 0, 0, 0, 1 },
    { "qwen3-8b", "qwen3", "qwen2", NULL, 36, 4096, 32, 8, 128, 128, 12288, 151936, 40960, 128,
      0, 0, 0, 0, 0, 0, 0, 0, 0, 1e6f, 1e-6f, 0, 0, 0, 0 },
    { "deepseek2-lite", "deepseek2", "deepseek-llm", "yarn", 27, 2048, 16, 1, 192, 128, 10944,
      102400,
      163840, 64, 0, 64, 6, 2, 1408, 1, 512, 0, 4096, 1e4f, 1e-6f, 40.0f, 0.0707f, 0, 0 },
    { "pythia-1b", "gptneox", "olmo", NULL, 16, 2048, 8, 8, 256, 256, 8192, 50304, 2048, 64,
      0, 0, 0, 0, 0, 0, 0, 0, 0, 1e4f, 1e-5f, 0, 0, 0, 0 },
    { "", "llama", "llama-bpe", NULL, 4, 256, 8, 0, 0, 0, 512, 1024, 4096, 0,
      0, 0, 0, 0, 0, 0, 0, 0, 4096, 1e4f, 1e-5f, 0, 0, 0, 0 }, /* --family starts from this */
};
/* clang-format on */
enum { PRESETS = sizeof presets / sizeof presets[0] };

/* ---- bytes out ------------------------------------------------------------------------ */

typedef struct out {
    FILE *file;
    uint64_t written;
    bool failed;
} out;

static void put(out *o, const void *data, size_t n)
{
    if (fwrite(data, 1, n, o->file) != n) o->failed = true;
    o->written += n;
}

static void put_u32(out *o, uint32_t v)
{
    unsigned char b[4];
    int i;
    for (i = 0; i < 4; i++) b[i] = (unsigned char)(v >> 8 * i & 255u);
    put(o, b, 4);
}

static void put_u64(out *o, uint64_t v)
{
    put_u32(o, (uint32_t)(v & 0xffffffffu));
    put_u32(o, (uint32_t)(v >> 32));
}

static void put_float(out *o, float v)
{
    uint32_t bits;
    memcpy(&bits, &v, 4);
    put_u32(o, bits);
}

static void put_text(out *o, const char *text)
{
    put_u64(o, strlen(text));
    put(o, text, strlen(text));
}

static void put_zeros(out *o, uint64_t n)
{
    static const char zeros[64];
    for (; n; n -= n < sizeof zeros ? n : sizeof zeros)
        put(o, zeros, (size_t)(n < sizeof zeros ? n : sizeof zeros));
}

/* GGUF's numbers of the kinds of values that are written here. */
enum { KIND_U32 = 4, KIND_I32 = 5, KIND_F32 = 6, KIND_BOOL = 7, KIND_TEXT = 8, KIND_ARRAY = 9 };

static uint64_t keys; /* counted in a first pass over a sink, written in the second */

static void key(out *o, const char *prefix, const char *name, uint32_t kind)
{
    keys++;
    put_u64(o, strlen(prefix) + strlen(name));
    put(o, prefix, strlen(prefix));
    put(o, name, strlen(name));
    put_u32(o, kind);
}

/* ---- the model as the header sees it ---------------------------------------------------- */

static const syn_family *family_of(const char *name)
{
    int i;
    for (i = 0; i < (int)SYNP_FAMILIES; i++)
        if (!strcmp(synp_families[i].name, name)) return &synp_families[i];
    return NULL;
}

static bool model_of(const preset *p, syn_model *m)
{
    uint32_t layer;
    memset(m, 0, sizeof *m);
    m->family = family_of(p->family);
    if (!m->family || !p->heads) return false;
    m->architecture = m->family->name;
    m->layers = p->layers;
    m->embd = p->embd;
    m->heads = p->heads;
    m->kv_heads = p->kv_heads ? p->kv_heads : p->heads;
    m->key_size = p->key_size ? p->key_size : p->embd / p->heads;
    m->value_size = p->value_size ? p->value_size : m->key_size;
    m->ff = p->ff;
    m->vocab = p->vocab;
    m->context = p->context;
    m->rope_size = p->rope_size ? p->rope_size : m->key_size;
    m->window = p->window;
    m->experts = p->experts;
    m->experts_used = p->used;
    m->experts_shared = p->shared;
    m->expert_ff = p->expert_ff ? p->expert_ff : p->ff;
    m->dense_layers = p->dense;
    m->kv_lora = p->kv_lora;
    m->q_lora = p->q_lora;
    m->norm_eps = p->eps;
    m->rope_base = p->base;
    m->rope_factor = p->scaling ? p->factor : 0;
    m->rope_original_context = p->scaling && !strcmp(p->scaling, "yarn") ? p->original_context : 0;
    m->yarn_log_multiplier = p->log_multiplier;
    if (synp_is(m, SYNP_MLA)) { /* the split layout: one key head of the latent's size */
        m->kv_heads = 1;
        m->key_length_mla = m->key_size;
        m->value_length_mla = m->value_size;
    }
    for (layer = 0; layer < m->layers && layer < SYN_MODEL_LAYERS; layer++) {
        m->layer_heads[layer] = m->heads;
        m->layer_kv_heads[layer] = m->kv_heads;
    }
    return true;
}

/* ---- keys ----------------------------------------------------------------------------- */

/* A row of the header's key table, when the model has a number for it. Booleans keep their
   default. */
static void put_hparam(out *o, const syn_model *m, int row)
{
    const synp_hparam *h = &synp_hparams[row];
    char prefix[40];
    uint32_t whole = 0;
    float number = 0;
    snprintf(prefix, sizeof prefix, "%s.", m->architecture);
    if (row == (m->family->norm == SYNP_NORM_RMS ? SYNP_KEY_EPS : SYNP_KEY_RMS_EPS)) return;
    if (h->kind == 'u' || h->kind == 'h') memcpy(&whole, (const char *)m + h->at, sizeof whole);
    if (h->kind == 'f') memcpy(&number, (const char *)m + h->at, sizeof number);
    if (m->key_length_mla && row == SYNP_KEY_KEY_SIZE) whole = m->kv_lora + m->rope_size;
    if (m->key_length_mla && row == SYNP_KEY_VALUE_SIZE) whole = m->kv_lora;
    if (!m->experts && row == SYNP_KEY_EXPERT_FF) return;
    if (whole) {
        key(o, prefix, h->key, KIND_U32);
        put_u32(o, whole);
    } else if (number > 0) {
        key(o, prefix, h->key, KIND_F32);
        put_float(o, number);
    }
}

static void put_text_key(out *o, const char *prefix, const char *name, const char *value)
{
    key(o, prefix, name, KIND_TEXT);
    put_text(o, value);
}

static void put_u32_key(out *o, const char *name, uint32_t value)
{
    key(o, "", name, KIND_U32);
    put_u32(o, value);
}

static void put_bool_key(out *o, const char *name, bool value)
{
    const char byte = value ? 1 : 0;
    key(o, "", name, KIND_BOOL);
    put(o, &byte, 1);
}

static void put_array_key(out *o, const char *name, uint32_t kind, uint64_t count)
{
    key(o, "", name, KIND_ARRAY);
    put_u32(o, kind);
    put_u64(o, count);
}

/* ---- vocabulary ------------------------------------------------------------------------ */

enum { BYTES = 256, PAIRS = 26 * 26, TRIPLES = 26 * PAIRS, SPECIALS = 4 };

/* GPT-2's printable stand-in for a byte: itself, or the next free code point from 256 on. */
static uint32_t stand_in(uint32_t byte)
{
    uint32_t b, n = 0;
    for (b = 0; b < byte; b++)
        if (!((b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174)) n++;
    return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174 ? byte
                                                                                      : 256 + n;
}

static size_t utf8(uint32_t code, char *to)
{
    if (code < 128) {
        to[0] = (char)code;
        return 1;
    }
    to[0] = (char)(0xc0u | code >> 6);
    to[1] = (char)(0x80u | (code & 63u));
    return 2;
}

/* Word number i: all pairs of letters, then all triples, then all quadruples. Every word is the two
   that merge to it side by side: its first one or two letters, and the rest. */
static void word(uint32_t i, char *text, uint32_t *first_letters)
{
    uint32_t length = 2, k;
    if (i >= PAIRS + TRIPLES) length = 4, i -= PAIRS + TRIPLES;
    else if (i >= PAIRS) length = 3, i -= PAIRS;
    *first_letters = length == 2 ? 1 : 2;
    text[length] = '\0';
    for (k = length; k-- > 0; i /= 26) text[k] = (char)('a' + i % 26);
}

static void special(uint32_t k, bool bpe, char *text)
{
    static const char *const spm[] = {"<pad>", "<eos>", "<bos>", "<unk>"};
    static const char *const gpt[] = {"<|begin|>", "<|endoftext|>", "<|pad|>", "<|unk|>"};
    strcpy(text, bpe ? gpt[k] : spm[k]);
}

/* Text and GGUF token type of an id. SentencePiece has its specials first, byte-level BPE last. */
static int32_t token(const preset *p, uint32_t id, char *text)
{
    const bool bpe = p->pre != NULL;
    uint32_t split;
    if (bpe && id >= p->vocab - SPECIALS) {
        special(id - (p->vocab - SPECIALS), true, text);
        return 3;
    }
    if (!bpe && id < SPECIALS) {
        special(id, false, text);
        return id == 3 ? 2 : 3;
    }
    if (!bpe) id -= SPECIALS;
    if (id < BYTES && bpe) {
        text[utf8(stand_in(id), text)] = '\0';
        return 1;
    }
    if (id < BYTES) {
        snprintf(text, 16, "<0x%02X>", (unsigned)id);
        return 6;
    }
    id -= BYTES;
    if (!bpe && id < 27) { /* letters, and the mark of a space */
        if (id < 26) snprintf(text, 16, "%c", (char)('a' + id));
        else strcpy(text, "\xe2\x96\x81");
        return 1;
    }
    word(bpe ? id : id - 27, text, &split);
    return 1;
}

static void put_merges(out *o, const preset *p)
{
    const uint32_t count = p->vocab - SPECIALS - BYTES;
    uint32_t i, split;
    put_array_key(o, "tokenizer.ggml.merges", KIND_TEXT, count);
    for (i = 0; i < count; i++) {
        char text[16], merge[24];
        word(i, text, &split);
        snprintf(merge, sizeof merge, "%.*s %s", (int)split, text, text + split);
        put_text(o, merge);
    }
}

static void put_vocabulary(out *o, const preset *p)
{
    const bool bpe = p->pre != NULL;
    const uint32_t specials = bpe ? p->vocab - SPECIALS : 0;
    uint32_t i;
    char text[16];
    put_text_key(o, "", "tokenizer.ggml.model", bpe ? "gpt2" : "llama");
    put_text_key(o, "", "tokenizer.ggml.pre", bpe ? p->pre : "default");
    put_array_key(o, "tokenizer.ggml.tokens", KIND_TEXT, p->vocab);
    for (i = 0; i < p->vocab; i++) {
        token(p, i, text);
        put_text(o, text);
    }
    put_array_key(o, "tokenizer.ggml.token_type", KIND_I32, p->vocab);
    for (i = 0; i < p->vocab; i++) put_u32(o, (uint32_t)token(p, i, text));
    if (bpe) {
        put_merges(o, p);
    } else {
        put_array_key(o, "tokenizer.ggml.scores", KIND_F32, p->vocab);
        for (i = 0; i < p->vocab; i++)
            put_float(o, i < SPECIALS + BYTES ? 0.0f : -(float)(i - SPECIALS - BYTES));
        put_u32_key(o, "tokenizer.ggml.unknown_token_id", 3);
    }
    put_u32_key(o, "tokenizer.ggml.bos_token_id", specials + (bpe ? 0 : 2));
    put_u32_key(o, "tokenizer.ggml.eos_token_id", specials + 1);
    put_bool_key(o, "tokenizer.ggml.add_bos_token", !bpe);
}

static void put_keys(out *o, const preset *p, const syn_model *m)
{
    char prefix[40];
    int i;
    put_text_key(o, "", "general.architecture", m->architecture);
    put_text_key(o, "", "general.name", p->name[0] ? p->name : m->architecture);
    for (i = 0; i < (int)SYNP_HPARAMS; i++) put_hparam(o, m, i);
    snprintf(prefix, sizeof prefix, "%s.", m->architecture);
    if (p->scaling) put_text_key(o, prefix, "rope.scaling.type", p->scaling);
    put_vocabulary(o, p);
}

/* ---- random blocks ---------------------------------------------------------------------- */

typedef struct dice {
    uint64_t state;
} dice;

static uint64_t roll(dice *d) /* xorshift64* (Vigna 2016) */
{
    d->state ^= d->state >> 12;
    d->state ^= d->state << 25;
    d->state ^= d->state >> 27;
    return d->state * UINT64_C(2685821657736338717);
}

/* About normal with standard deviation 1: the sum of four uniform numbers. */
static float normal(dice *d)
{
    const uint64_t r = roll(d);
    const float sum = (float)(r & 65535u) + (float)(r >> 16 & 65535u) + (float)(r >> 32 & 65535u) +
                      (float)(r >> 48);
    return (sum / 65536.0f - 2.0f) * 1.7320508f;
}

/* Half float of a number of moderate size; below 2^-14 in steps of 2^-24. */
static uint16_t half_of(float v)
{
    uint32_t bits;
    memcpy(&bits, &v, 4);
    if ((bits & 0x7fffffffu) < 0x38800000u)
        return (uint16_t)((bits >> 16 & 0x8000u) | (uint32_t)(fabsf(v) * 16777216.0f + 0.5f));
    return (uint16_t)((bits >> 16 & 0x8000u) |
                      (((bits & 0x7fffffffu) - 0x38000000u + 0x1000u) >> 13));
}

static void set_u16(unsigned char *at, uint16_t v)
{
    at[0] = (unsigned char)(v & 255u);
    at[1] = (unsigned char)(v >> 8);
}

/* Where the scales of a block lie, as half floats: d, and the minimum as a multiple of d that puts
   the mean of random codes at about 0. Everything else in a block may be any bytes. */
typedef struct layout {
    const char *type;
    int d, m;
    float m_of_d;
    const char *smaller;
} layout;

static const layout layouts[] = {
    {"Q4_0", 0, -1, 0, "F16"},     {"Q4_1", 0, 2, -7.5f, "F16"}, {"Q5_0", 0, -1, 0, "F16"},
    {"Q5_1", 0, 2, -15.5f, "F16"}, {"Q8_0", 0, -1, 0, "F16"},    {"Q2_K", 80, 82, 1.5f, "Q4_0"},
    {"Q3_K", 108, -1, 0, "Q4_0"},  {"Q4_K", 0, 2, 7.5f, "Q5_0"}, {"Q5_K", 0, 2, 15.5f, "Q5_1"},
    {"Q6_K", 208, -1, 0, "Q8_0"},  {"IQ4_NL", 0, -1, 0, "F16"},  {"IQ4_XS", 0, -1, 0, "IQ4_NL"},
    {"IQ2_XXS", 0, -1, 0, "Q4_0"}, {"IQ2_XS", 0, -1, 0, "Q4_0"}, {"IQ2_S", 0, -1, 0, "Q4_0"},
    {"IQ3_XXS", 0, -1, 0, "Q4_0"}, {"IQ3_S", 0, -1, 0, "Q4_0"},  {"IQ1_S", 0, -1, 0, "Q4_0"},
    {"TQ2_0", 64, -1, 0, "Q4_0"},  {"TQ1_0", 52, -1, 0, "Q4_0"},
};

static const layout *layout_of(const syn_type *type)
{
    size_t i;
    for (i = 0; i < sizeof layouts / sizeof layouts[0]; i++)
        if (!strcmp(layouts[i].type, type->name)) return &layouts[i];
    return NULL;
}

static const syn_type *type_named(const char *name)
{
    uint32_t id;
    for (id = 0; id < 256; id++) {
        const syn_type *type = syn_type_find(id);
        if (type && !strcmp(type->name, name) && syn_type_computes(type) &&
            (layout_of(type) || !strcmp(name, "F32") || !strcmp(name, "F16") ||
             !strcmp(name, "BF16")))
            return type;
    }
    return NULL;
}

enum { CHUNK = 1 << 18 };

/* Blocks of random bytes with scale d; `count` of them. */
static void code_blocks(unsigned char *to, size_t count, const syn_type *type, float d,
                        dice *random)
{
    const layout *l = layout_of(type);
    const size_t bytes = count * type->bytes;
    size_t i;
    for (i = 0; i < bytes; i += 8) {
        const uint64_t r = roll(random);
        memcpy(to + i, &r, bytes - i < 8 ? bytes - i : 8);
    }
    for (i = 0; i < count; i++) {
        unsigned char *block = to + i * type->bytes;
        set_u16(block + l->d, half_of(d));
        if (l->m >= 0) set_u16(block + l->m, half_of(d * l->m_of_d));
    }
}

/* The spread of weights whose blocks have the scale 1, measured on a few hundred blocks. */
static float spread_of(const syn_type *type)
{
    static unsigned char raw[512 * 260];
    static float weight[SYN_BLOCK_MAX];
    dice random;
    double square = 0;
    size_t i, k;
    random.state = 88172645463325252u;
    code_blocks(raw, 512, type, 1.0f, &random);
    for (i = 0; i < 512; i++) {
        syn_type_to_float(type, raw + i * type->bytes, weight, type->block);
        for (k = 0; k < type->block; k++) square += (double)weight[k] * (double)weight[k];
    }
    return (float)sqrt(square / (512.0 * type->block));
}

/* n numbers with this mean and deviation, as the type writes them. */
static void number_blocks(unsigned char *to, size_t n, const syn_type *type, float mean,
                          float deviation, dice *random)
{
    size_t i;
    for (i = 0; i < n; i++, to += type->bytes) {
        const float v = mean + deviation * normal(random);
        uint32_t bits;
        memcpy(&bits, &v, 4);
        if (type->bytes == 2 && !strcmp(type->name, "BF16")) set_u16(to, (uint16_t)(bits >> 16));
        else if (type->bytes == 2) set_u16(to, half_of(v));
        else {
            set_u16(to, (uint16_t)(bits & 65535u));
            set_u16(to + 2, (uint16_t)(bits >> 16));
        }
    }
}

/* ---- tensors ---------------------------------------------------------------------------- */

typedef struct tensor {
    char name[64];
    const syn_type *type;
    uint64_t cols, rows, count, bytes;
    float mean, deviation;
} tensor;

static bool ends(const char *name, const char *with)
{
    const size_t a = strlen(name), b = strlen(with);
    return a >= b && !strcmp(name + a - b, with);
}

static const syn_type *fitting(const syn_type *type, uint64_t cols)
{
    while (cols % type->block) type = type_named(layout_of(type)->smaller);
    return type;
}

static void tensor_of(const syn_model *m, const synp_shape *shape, const syn_type *type, tensor *t)
{
    const char *name = t->name;
    t->cols = synp_model_dim(m, shape->cols);
    t->rows = synp_model_dim(m, shape->rows);
    t->count = synp_model_dim(m, shape->count);
    t->type = fitting(type, t->cols);
    t->mean = 0;
    t->deviation = (float)(1.0 / sqrt((double)t->cols));
    if (t->rows * t->count == 1 || strstr(name, "ffn_gate_inp") || strstr(name, "position_embd"))
        t->type = type_named("F32");
    if (t->rows * t->count == 1 && !strcmp(name, "rope_freqs.weight")) {
        t->mean = 1;
        t->deviation = 0;
    } else if (t->rows * t->count == 1) {
        t->mean = ends(name, ".bias") ? 0.0f : 1.0f;
        t->deviation = 0.02f;
    }
    t->bytes = syn_type_bytes(t->type, t->cols) * t->rows * t->count;
}

typedef struct plan {
    const preset *p;
    const syn_model *m;
    const syn_type *type;
    dice random;
    float spread;         /* of p's type at scale 1 */
    uint64_t tensors, at; /* where the next tensor's data goes */
} plan;

static void put_tensor_info(out *o, plan *w, const tensor *t)
{
    const uint32_t dims = t->count > 1 ? 3 : t->rows > 1 ? 2 : 1;
    put_text(o, t->name);
    put_u32(o, dims);
    put_u64(o, t->cols);
    if (dims > 1) put_u64(o, t->rows);
    if (dims > 2) put_u64(o, t->count);
    put_u32(o, t->type->id);
    put_u64(o, w->at);
    w->at += (t->bytes + 31) / 32 * 32;
    w->tensors++;
}

static void put_tensor_data(out *o, plan *w, const tensor *t)
{
    static unsigned char chunk[CHUNK + 512];
    const size_t whole = CHUNK / t->type->bytes;
    const bool codes = layout_of(t->type) != NULL;
    const float d = codes ? t->deviation / spread_of(t->type) : 0;
    uint64_t blocks = t->bytes / t->type->bytes;
    while (blocks && !o->failed) {
        const size_t n = blocks < whole ? (size_t)blocks : whole;
        if (codes) code_blocks(chunk, n, t->type, d, &w->random);
        else number_blocks(chunk, n, t->type, t->mean, t->deviation, &w->random);
        put(o, chunk, n * t->type->bytes);
        blocks -= n;
    }
    put_zeros(o, (32 - t->bytes % 32) % 32);
}

typedef void tensor_fn(out *o, plan *w, const tensor *t);

static void each_tensor(out *o, plan *w, tensor_fn *visit)
{
    const syn_model *m = w->m;
    uint32_t layer;
    int i;
    tensor t;
    for (i = 0; i < SYN_GLOBALS; i++) {
        const bool has = i == SYN_TOKEN_EMBD || i == SYN_OUTPUT_NORM ||
                         (i == SYN_OUTPUT && !w->p->tied) ||
                         (i == SYN_ROPE_FREQS && w->p->rope_freqs) ||
                         (i == SYN_OUTPUT_NORM_BIAS && m->family->norm == SYNP_NORM_LAYER) ||
                         (i == SYN_POSITION_EMBD && m->family->rope == SYNP_ROPE_NONE);
        if (!has) continue;
        snprintf(t.name, sizeof t.name, "%s", synp_globals[i].name);
        tensor_of(m, &synp_globals[i], w->type, &t);
        visit(o, w, &t);
    }
    for (layer = 0; layer < m->layers; layer++)
        for (i = 0; i < SYN_PARTS; i++) {
            if (!(synp_model_needed(m, layer) & SYNP_BIT(i))) continue;
            snprintf(t.name, sizeof t.name, "blk.%u.%s", (unsigned)layer, synp_parts[i].name);
            tensor_of(m, &synp_parts[i], w->type, &t);
            visit(o, w, &t);
        }
}

/* ---- the file --------------------------------------------------------------------------- */

static void count_tensor(out *o, plan *w, const tensor *t)
{
    (void)o;
    (void)t;
    w->tensors++;
}

/* How many keys there are is found by writing them once to nowhere. */
static uint64_t count_keys(const preset *p, const syn_model *m)
{
    out nowhere;
    memset(&nowhere, 0, sizeof nowhere);
    nowhere.file = tmpfile();
    if (!nowhere.file) return 0;
    keys = 0;
    put_keys(&nowhere, p, m);
    fclose(nowhere.file);
    return nowhere.failed ? 0 : keys;
}

static bool write_model(const preset *p, const syn_model *m, const syn_type *type, uint64_t seed,
                        const char *path)
{
    out o;
    plan w;
    const uint64_t key_count = count_keys(p, m);
    memset(&o, 0, sizeof o);
    memset(&w, 0, sizeof w);
    w.p = p;
    w.m = m;
    w.type = type;
    w.random.state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1442695040888963407u;
    each_tensor(&o, &w, count_tensor);
    o.file = fopen(path, "wb");
    if (!o.file || !key_count) {
        if (o.file) fclose(o.file);
        return false;
    }
    put(&o, "GGUF", 4);
    put_u32(&o, 3);
    put_u64(&o, w.tensors);
    put_u64(&o, key_count);
    put_keys(&o, p, m);
    each_tensor(&o, &w, put_tensor_info);
    put_zeros(&o, (32 - o.written % 32) % 32);
    each_tensor(&o, &w, put_tensor_data);
    if (fclose(o.file)) o.failed = true;
    if (!o.failed) printf("%s: %.2f GB\n", path, (double)o.written / 1e9);
    return !o.failed;
}

/* ---- arguments -------------------------------------------------------------------------- */

typedef struct number_option {
    const char *name;
    size_t at;
} number_option;

static const number_option number_options[] = {
    {"--layers", offsetof(preset, layers)},
    {"--embd", offsetof(preset, embd)},
    {"--heads", offsetof(preset, heads)},
    {"--kv-heads", offsetof(preset, kv_heads)},
    {"--key-size", offsetof(preset, key_size)},
    {"--value-size", offsetof(preset, value_size)},
    {"--ff", offsetof(preset, ff)},
    {"--vocab", offsetof(preset, vocab)},
    {"--context", offsetof(preset, context)},
    {"--rope-size", offsetof(preset, rope_size)},
    {"--window", offsetof(preset, window)},
    {"--experts", offsetof(preset, experts)},
    {"--experts-used", offsetof(preset, used)},
    {"--experts-shared", offsetof(preset, shared)},
    {"--expert-ff", offsetof(preset, expert_ff)},
    {"--dense-layers", offsetof(preset, dense)},
    {"--kv-lora", offsetof(preset, kv_lora)},
    {"--q-lora", offsetof(preset, q_lora)},
};

static int usage(const char *why)
{
    size_t i;
    fprintf(stderr,
            "%s\nmake_model --preset NAME | --family NAME [--type T] [--seed N] [--pre NAME|spm] "
            "[--tied] [NUMBERS] OUT.gguf\npresets:",
            why);
    for (i = 0; i + 1 < PRESETS; i++) fprintf(stderr, " %s", presets[i].name);
    fprintf(stderr, "\nnumbers:");
    for (i = 0; i < sizeof number_options / sizeof number_options[0]; i++)
        fprintf(stderr, " %s", number_options[i].name);
    fprintf(stderr, "\n");
    return 2;
}

static bool set_number(preset *p, const char *name, const char *value)
{
    size_t i;
    for (i = 0; i < sizeof number_options / sizeof number_options[0]; i++)
        if (!strcmp(name, number_options[i].name)) {
            const uint32_t v = (uint32_t)strtoul(value, NULL, 10);
            memcpy((char *)p + number_options[i].at, &v, sizeof v);
            return true;
        }
    return false;
}

static bool set_preset(preset *p, const char *name)
{
    size_t i;
    for (i = 0; i + 1 < PRESETS; i++)
        if (!strcmp(presets[i].name, name)) {
            *p = presets[i];
            return true;
        }
    return false;
}

int main(int argc, char **argv)
{
    preset p = presets[PRESETS - 1];
    syn_model m;
    const char *type = "Q4_K", *path = NULL;
    uint64_t seed = 1;
    int i;
    for (i = 1; i < argc; i++) {
        const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (name[0] != '-') path = name;
        else if (!strcmp(name, "--tied")) p.tied = 1;
        else if (!value) return usage("an option without its value");
        else if (!strcmp(name, "--preset") && !set_preset(&p, value))
            return usage("no such preset");
        else if (!strcmp(name, "--family")) p.family = value;
        else if (!strcmp(name, "--pre")) p.pre = strcmp(value, "spm") ? value : NULL;
        else if (!strcmp(name, "--type")) type = value;
        else if (!strcmp(name, "--seed")) seed = strtoull(value, NULL, 10);
        else if (strcmp(name, "--preset") && !set_number(&p, name, value)) return usage(name);
        if (name[0] == '-' && strcmp(name, "--tied")) i++;
    }
    if (!path) return usage("no file to write");
    if (!type_named(type)) return usage("this type is not written here");
    if (!model_of(&p, &m)) return usage("no such family");
    if (p.vocab < SPECIALS + BYTES + 32 ||
        p.vocab > SPECIALS + BYTES + PAIRS + TRIPLES + 26 * TRIPLES)
        return usage("a vocabulary of 292 to 475488 tokens");
    if (write_model(&p, &m, type_named(type), seed, path)) return 0;
    fprintf(stderr, "%s: cannot be written\n", path);
    return 1;
}
