/* test_model.c - opening models: what is missing, misshapen or contradictory is named together with
   what was expected; split files are one model; memory is exact to the byte; a model read through a
   callback is the model that lies in memory. The models are written here, a few hundred weights
   each. */
#define SYNERGY_SIMD 0 /* no kernel is tested here: twice as fast to compile */
#define SYNERGY_NO_PHIID
#define SYNERGY_IMPLEMENTATION
#include "../synergy.h"
#include "gguf_write.h"
#include "model_case.h"
#include "npy.h"
#include "test.h"

/* ------------------------------------------------------------------ a tiny model, right or wrong
 */

typedef enum fault_kind {
    NO_FAULT,
    KEY_LEFT_OUT,
    KEY_IS_TEXT,
    KEY_U32,
    KEY_F32,
    KEY_ADDED_U32,
    KEY_ADDED_F32,
    KEY_ADDED_TEXT,
    TENSOR_LEFT_OUT,
    TENSOR_TRANSPOSED,
    TENSOR_TOO_LONG,
    TENSOR_WITHOUT_ROWS,
    TENSOR_TWICE,
    TENSOR_IS_I32,
    TENSOR_ADDED
} fault_kind;

typedef struct model_fault {
    fault_kind kind;
    const char *name;
    uint32_t number;
    float real;
    const char *text;
} model_fault;

static const model_fault none = {NO_FAULT, NULL, 0, 0, NULL};

static int hit(const model_fault *f, fault_kind kind, const char *name)
{
    return f->kind == kind && !strcmp(f->name, name);
}

static void key_u32(gguf_out *f, const model_fault *fault, const char *key, uint32_t value)
{
    if (hit(fault, KEY_LEFT_OUT, key)) return;
    if (hit(fault, KEY_IS_TEXT, key)) gguf_text(f, key, "four");
    else gguf_u32(f, key, hit(fault, KEY_U32, key) ? fault->number : value);
}

static void key_f32(gguf_out *f, const model_fault *fault, const char *key, float value)
{
    if (hit(fault, KEY_LEFT_OUT, key)) return;
    if (hit(fault, KEY_IS_TEXT, key)) gguf_text(f, key, "four");
    else gguf_f32(f, key, hit(fault, KEY_F32, key) ? fault->real : value);
}

static void tensor(gguf_out *f, const model_fault *fault, const char *name, uint64_t cols,
                   uint64_t rows)
{
    if (hit(fault, TENSOR_LEFT_OUT, name)) return;
    if (hit(fault, TENSOR_TRANSPOSED, name))
        gguf_tensor(f, name, GGUF_F32, rows ? rows : 1, cols, 0, 0);
    else if (hit(fault, TENSOR_TOO_LONG, name))
        gguf_tensor(f, name, GGUF_F32, cols + 1, rows, 0, 0);
    else if (hit(fault, TENSOR_IS_I32, name)) gguf_tensor(f, name, 26, cols, rows, 0, 0);
    else if (hit(fault, TENSOR_WITHOUT_ROWS, name)) {
        const uint64_t ne[2] = {cols, 0};
        gguf_info(f, name, GGUF_F32, 2, ne, f->data_bytes);
    } else gguf_tensor(f, name, GGUF_F32, cols, rows, 0, 0);
    if (hit(fault, TENSOR_TWICE, name)) gguf_tensor(f, name, GGUF_F32, cols, rows, 0, 0);
}

enum { EMBD = 8, HEADS = 2, KV = 1, HEAD = 4, FF = 12, LAYERS = 2, VOCAB = 262 };

/* <unk> <s> </s>, the 256 bytes, and three letters, as SentencePiece has them. */
static void vocabulary(gguf_out *f, const model_fault *fault)
{
    static const char *const first[3] = {"<unk>", "<s>", "</s>"};
    static const char *const last[3] = {"\xe2\x96\x81", "a", "b"};
    char byte[8];
    int i;
    gguf_text(f, "tokenizer.ggml.model", "llama");
    if (!hit(fault, KEY_LEFT_OUT, "tokenizer.ggml.tokens")) {
        gguf_array(f, "tokenizer.ggml.tokens", 8, VOCAB);
        for (i = 0; i < VOCAB; i++) {
            const char *text = i < 3 ? first[i] : i < 259 ? byte : last[i - 259];
            snprintf(byte, sizeof byte, "<0x%02X>", (unsigned)(i - 3) & 255u);
            gguf_string(f, text, strlen(text));
        }
    }
    gguf_array(f, "tokenizer.ggml.scores", 6, VOCAB);
    for (i = 0; i < VOCAB; i++) gguf_int(f, gguf_bits_f32((float)-i), 4);
    gguf_array(f, "tokenizer.ggml.token_type", 5, VOCAB);
    for (i = 0; i < VOCAB; i++) gguf_int(f, i == 0 ? 2 : i < 3 ? 3 : i < 259 ? 6 : 1, 4);
    key_u32(f, fault, "tokenizer.ggml.bos_token_id", 1);
    key_u32(f, fault, "tokenizer.ggml.eos_token_id", 2);
}

static void layer_tensors(gguf_out *f, const model_fault *fault, int layer)
{
    static const struct {
        const char *name;
        uint64_t cols, rows;
    } part[] = {{"attn_norm", EMBD, 0},
                {"attn_q", EMBD, HEADS * HEAD},
                {"attn_k", EMBD, KV * HEAD},
                {"attn_v", EMBD, KV * HEAD},
                {"attn_output", HEADS * HEAD, EMBD},
                {"ffn_norm", EMBD, 0},
                {"ffn_gate", EMBD, FF},
                {"ffn_up", EMBD, FF},
                {"ffn_down", FF, EMBD}};
    size_t i;
    for (i = 0; i < sizeof part / sizeof part[0]; i++) {
        char name[64];
        snprintf(name, sizeof name, "blk.%d.%s.weight", layer, part[i].name);
        tensor(f, fault, name, part[i].cols, part[i].rows);
    }
}

static void write_model(gguf_out *f, const model_fault *fault)
{
    int layer;
    gguf_begin(f, 3);
    if (!hit(fault, KEY_LEFT_OUT, "general.architecture"))
        gguf_text(f, "general.architecture",
                  hit(fault, KEY_IS_TEXT, "general.architecture") ? fault->text : "llama");
    key_u32(f, fault, "llama.block_count", LAYERS);
    key_u32(f, fault, "llama.context_length", 64);
    key_u32(f, fault, "llama.embedding_length", EMBD);
    key_u32(f, fault, "llama.feed_forward_length", FF);
    key_u32(f, fault, "llama.attention.head_count", HEADS);
    key_u32(f, fault, "llama.attention.head_count_kv", KV);
    key_f32(f, fault, "llama.attention.layer_norm_rms_epsilon", 1e-5f);
    key_f32(f, fault, "llama.rope.freq_base", 10000.0f);
    if (fault->kind == KEY_ADDED_U32) gguf_u32(f, fault->name, fault->number);
    if (fault->kind == KEY_ADDED_F32) gguf_f32(f, fault->name, fault->real);
    if (fault->kind == KEY_ADDED_TEXT) gguf_text(f, fault->name, fault->text);
    vocabulary(f, fault);
    tensor(f, fault, "token_embd.weight", EMBD, VOCAB);
    tensor(f, fault, "output_norm.weight", EMBD, 0);
    tensor(f, fault, "output.weight", EMBD, VOCAB);
    for (layer = 0; layer < LAYERS; layer++) layer_tensors(f, fault, layer);
    if (fault->kind == TENSOR_ADDED) gguf_tensor(f, fault->name, GGUF_F32, 5, 7, 0, 0);
    gguf_end(f);
    gguf_fit(f);
}

/* ------------------------------------------------------------------ opening */

typedef struct opened {
    syn_model model;
    syn_source source;
    void *block;
    size_t bytes; /* as measured */
} opened;

static syn_status open_sources(opened *o, const syn_source *sources, size_t files,
                               const syn_model_desc *desc, syn_error *err)
{
    syn_arena arena = syn_arena_measure();
    syn_status status;
    memset(err, 0, sizeof *err);
    o->block = NULL;
    status = syn_model_open(&o->model, sources, files, desc, &arena, err);
    if (status) {
        CHECK(arena.used == 0); /* a failed call takes nothing */
        return status;
    }
    o->bytes = arena.used;
    o->block = malloc(o->bytes);
    arena = syn_arena_on(o->block, o->bytes);
    status = syn_model_open(&o->model, sources, files, desc, &arena, err);
    CHECK(arena.used == (status ? 0 : o->bytes));
    return status;
}

static syn_status open_model(opened *o, const gguf_out *f, syn_error *err)
{
    o->source = syn_source_memory(f->bytes, f->size);
    return open_sources(o, &o->source, 1, NULL, err);
}

/* The model with this fault is refused, and the line holds both texts. */
static void refused_as(const model_fault *fault, syn_status expected, const char *a, const char *b)
{
    gguf_out f;
    opened o;
    syn_error err;
    write_model(&f, fault);
    CHECK_FAILS(open_model(&o, &f, &err), expected, err);
    CHECK(gguf_is_line(err.text));
    if (!strstr(err.text, a) || !strstr(err.text, b))
        printf("'%s' or '%s' is not in: %s\n", a, b, err.text);
    CHECK(strstr(err.text, a) && strstr(err.text, b));
    free(o.block);
    gguf_free(&f);
}

static void refused(fault_kind kind, const char *name, const char *a, const char *b)
{
    model_fault f = none;
    f.kind = kind;
    f.name = name;
    refused_as(&f, SYN_ERROR_MODEL, a, b);
}

static void refused_u32(fault_kind kind, const char *name, uint32_t number, const char *expected)
{
    model_fault f = none;
    f.kind = kind;
    f.name = name;
    f.number = number;
    refused_as(&f, SYN_ERROR_MODEL, name, expected);
}

static void refused_f32(fault_kind kind, const char *name, float real, const char *expected)
{
    model_fault f = none;
    f.kind = kind;
    f.name = name;
    f.real = real;
    refused_as(&f, SYN_ERROR_MODEL, name, expected);
}

TEST(what_a_good_file_says)
{
    gguf_out f;
    opened o;
    syn_error err;
    const syn_tensor *down;
    uint32_t layer;
    write_model(&f, &none);
    REQUIRE_OK(open_model(&o, &f, &err), err);
    CHECK_STR(o.model.architecture, "llama");
    CHECK(o.model.layers == LAYERS && o.model.embd == EMBD && o.model.heads == HEADS &&
          o.model.kv_heads == KV);
    CHECK(o.model.key_size == HEAD && o.model.value_size == HEAD && o.model.rope_size == HEAD);
    CHECK(o.model.ff == FF && o.model.vocab == VOCAB && o.model.context == 64 &&
          o.model.experts == 0);
    CHECK(o.model.parameters ==
          2 * EMBD * VOCAB + EMBD +
              LAYERS * (2 * EMBD + 2 * EMBD * HEADS * HEAD + 2 * EMBD * KV * HEAD + 3 * EMBD * FF));
    CHECK(o.model.weight_bytes == 4 * o.model.parameters && o.model.max_row_bytes == 4 * FF);
    for (layer = 0; layer < LAYERS; layer++) {
        down = syn_model_part(&o.model, layer, SYN_FFN_DOWN);
        REQUIRE(down != NULL);
        CHECK(down->cols == FF && down->rows == EMBD && down->count == 1 &&
              down->data == f.bytes + down->offset);
        CHECK(!syn_model_part(&o.model, layer, SYN_ATTN_Q_NORM) &&
              !syn_model_is_local(&o.model, layer));
        CHECK(!syn_model_has_experts(&o.model, layer));
    }
    CHECK(!syn_model_part(&o.model, LAYERS, SYN_FFN_DOWN));
    CHECK(o.model.global[SYN_OUTPUT].data != o.model.global[SYN_TOKEN_EMBD].data);
    CHECK_NEAR(o.model.attn_scale, 0.5, 1e-7);
    CHECK_NEAR(o.model.rope_freq[1], 0.01, 1e-15);
    CHECK(o.model.tokenizer.size == VOCAB && o.model.tokenizer.bos == 1 &&
          o.model.tokenizer.eos == 2);
    free(o.block);
    gguf_free(&f);
}

TEST(a_tied_output_is_the_embedding)
{
    model_fault tied = none;
    gguf_out f;
    opened o;
    syn_error err;
    tied.kind = TENSOR_LEFT_OUT;
    tied.name = "output.weight";
    write_model(&f, &tied);
    REQUIRE_OK(open_model(&o, &f, &err), err);
    CHECK(o.model.global[SYN_OUTPUT].data == o.model.global[SYN_TOKEN_EMBD].data);
    CHECK(o.model.global[SYN_OUTPUT].rows == VOCAB);
    free(o.block);
    gguf_free(&f);
}

/* ------------------------------------------------------------------ tensors at fault */

static const char *const needed[] = {
    "token_embd.weight",        "output_norm.weight",    "blk.0.attn_norm.weight",
    "blk.0.attn_q.weight",      "blk.0.attn_k.weight",   "blk.1.attn_v.weight",
    "blk.1.attn_output.weight", "blk.0.ffn_norm.weight", "blk.1.ffn_gate.weight",
    "blk.1.ffn_up.weight",      "blk.1.ffn_down.weight"};

enum { NEEDED = sizeof needed / sizeof needed[0] };

TEST(missing_tensors_are_named)
{
    int i;
    for (i = 0; i < NEEDED; i++) refused(TENSOR_LEFT_OUT, needed[i], needed[i], "missing");
}

TEST(doubled_tensors_are_named)
{
    int i;
    for (i = 0; i < NEEDED; i++) refused(TENSOR_TWICE, needed[i], needed[i], "twice");
    refused(TENSOR_TWICE, "output.weight", "output.weight", "twice");
}

TEST(misshapen_tensors_are_named_with_what_was_expected)
{
    int i;
    for (i = 0; i < NEEDED; i++) {
        refused(TENSOR_TOO_LONG, needed[i], needed[i], "expected [");
        refused(TENSOR_WITHOUT_ROWS, needed[i], needed[i], "expected [");
    }
    refused(TENSOR_TRANSPOSED, "blk.1.ffn_up.weight", "blk.1.ffn_up.weight",
            "shape [12, 8, 1, 1], expected [8, 12, 1, 1]");
    refused(TENSOR_TRANSPOSED, "blk.0.attn_k.weight", "blk.0.attn_k.weight",
            "shape [4, 8, 1, 1], expected [8, 4, 1, 1]");
    refused(TENSOR_TRANSPOSED, "token_embd.weight", "token_embd.weight",
            "shape [262, 8, 1, 1], expected [8, 262, 1, 1]");
    refused(TENSOR_TRANSPOSED, "output_norm.weight", "output_norm.weight", "expected [8, 1, 1, 1]");
}

/* What would be left out in silence is refused by its name; what says nothing about tokens is
   counted. */
TEST(tensors_without_a_place_are_named)
{
    static const char *const names[] = {
        "blk.2.attn_norm.weight",
        "blk.0.attn_q.scale",
        "blk.1.attn_q_norm.weight",
        "output.bias",
        "output_norm.bias",
        "position_embd.weight",
        "blk.0.ffn_gate_inp.weight",
        "blk.0.attn_norm.bias",
        "blk.00.attn_q.weight",
        "rope_factors",
        "token_types.weight",
        "blk.0.a_tensor_whose_name_is_longer_than_any_that_the_tables_have"};
    static const char *const harmless[] = {"rope_factors_long.weight", "rope_factors_short.weight",
                                           "dense_2.weight", "cls.output.weight", "of.no.use"};
    model_fault f = none;
    size_t i;
    f.kind = TENSOR_ADDED;
    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        char start[33];
        snprintf(start, sizeof start, "%s", names[i]);
        f.name = names[i];
        refused_as(&f, SYN_ERROR_UNSUPPORTED, start, "left out");
    }
    for (i = 0; i < sizeof harmless / sizeof harmless[0]; i++) {
        gguf_out file;
        opened o;
        syn_error err;
        f.name = harmless[i];
        write_model(&file, &f);
        REQUIRE_OK(open_model(&o, &file, &err), err);
        CHECK(o.model.unused_tensors == 1);
        CHECK(syn_model_unused_tensor(&o.model, harmless[i]) != NULL);
        CHECK(!syn_model_unused_tensor(&o.model, "blk.0.attn_q.weight"));
        free(o.block);
        gguf_free(&file);
    }
}

TEST(tensors_of_integers_are_no_weights)
{
    int i;
    for (i = 0; i < NEEDED; i++) refused(TENSOR_IS_I32, needed[i], needed[i], "I32");
}

/* ------------------------------------------------------------------ keys at fault */

TEST(unknown_architectures_list_those_known)
{
    static const char *const wanted[] = {"llama", "gemma3", "qwen2"};
    model_fault f = none;
    size_t i;
    f.kind = KEY_IS_TEXT;
    f.name = "general.architecture";
    f.text = "zebra9";
    for (i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        refused_as(&f, SYN_ERROR_UNSUPPORTED, "zebra9", wanted[i]);
    f.text = "mamba9"; /* why a family cannot fit is said instead */
    refused_as(&f, SYN_ERROR_UNSUPPORTED, "'mamba9'", "recurrent state");
    f.text = "llama2"; /* a known name's longer sister */
    refused_as(&f, SYN_ERROR_UNSUPPORTED, "'llama2'", "known are");
    f.text = "an-architecture-with-a-name-that-is-longer-than-any-buffer-that-was-made-to-hold-"
             "such-names";
    refused_as(&f, SYN_ERROR_UNSUPPORTED, "an-architecture", "known are");
    f.text = "";
    refused_as(&f, SYN_ERROR_UNSUPPORTED, "''", "known are");
    refused(KEY_LEFT_OUT, "general.architecture", "general.architecture", "missing");
    for (i = 0; syn_model_family(i); i++) CHECK(strlen(syn_model_family(i)) > 2);
    CHECK(i >= 2 && !syn_model_family(SIZE_MAX) && !syn_model_family(10000));
}

TEST(keys_that_must_be_there)
{
    static const char *const keys[] = {
        "llama.block_count",          "llama.context_length",
        "llama.embedding_length",     "llama.feed_forward_length",
        "llama.attention.head_count", "llama.attention.layer_norm_rms_epsilon"};
    size_t i;
    for (i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        refused(KEY_LEFT_OUT, keys[i], keys[i], "missing");
        refused(KEY_IS_TEXT, keys[i], keys[i], "string");
    }
    refused(KEY_LEFT_OUT, "tokenizer.ggml.tokens", "tokenizer.ggml.tokens", "");
}

TEST(hyperparameters_that_make_no_sense)
{
    refused_u32(KEY_U32, "llama.block_count", 0, "1 or more");
    refused_u32(KEY_U32, "llama.block_count", 1025, "1024");
    refused_u32(KEY_U32, "llama.block_count", 4294967295u, "1024");
    refused_u32(KEY_U32, "llama.embedding_length", 0, "1 or more");
    refused_u32(KEY_U32, "llama.feed_forward_length", 0, "1 or more");
    refused_u32(KEY_U32, "llama.attention.head_count", 0, "1 or more");
    refused_u32(KEY_U32, "llama.attention.head_count", 3, "divisor");
    refused_u32(KEY_U32, "llama.attention.head_count_kv", 0, "1 or more");
    refused_u32(KEY_U32, "llama.attention.head_count_kv", 4, "divisor");
    refused_u32(KEY_ADDED_U32, "llama.attention.key_length", 0, "1 or more");
    refused_u32(KEY_ADDED_U32, "llama.attention.value_length", 0, "1 or more");
    refused_u32(KEY_ADDED_U32, "llama.rope.dimension_count", 0, "even");
    refused_u32(KEY_ADDED_U32, "llama.rope.dimension_count", 3, "even");
    refused_u32(KEY_ADDED_U32, "llama.rope.dimension_count", 6, "head size");
    {
        model_fault f = none;
        f.kind = KEY_ADDED_U32;
        f.name = "llama.expert_count";
        f.number = 4;
        refused_as(&f, SYN_ERROR_MODEL, "llama.expert_used_count is 0", "expert count");
    }
    refused_f32(KEY_F32, "llama.attention.layer_norm_rms_epsilon", -1e-5f, "expected");
    refused_f32(KEY_F32, "llama.attention.layer_norm_rms_epsilon", (float)NAN, "finite");
    refused_f32(KEY_F32, "llama.rope.freq_base", 0.0f, "more than 0");
    refused_f32(KEY_F32, "llama.rope.freq_base", -1.0f, "more than 0");
    refused_f32(KEY_F32, "llama.rope.freq_base", (float)INFINITY, "finite");
    refused_f32(KEY_ADDED_F32, "llama.rope.scaling.factor", 0.0f, "more than 0");
}

/* A key that would change the numbers and is not known here refuses the file; one that says what is
   so anyway does not. */
TEST(keys_without_a_place_are_named)
{
    static const struct {
        const char *key;
        float changes, same;
    } keys[] = {{"llama.attention.clamp_kqv", 8.0f, 0.0f},
                {"llama.logit_scale", 2.0f, 0.0f},
                {"llama.residual_scale", 0.5f, 1.0f},
                {"llama.embedding_scale", 3.0f, 1.0f},
                {"llama.attention.scale", 0.3f, 0.0f},
                {"llama.attention.temperature_scale", 0.1f, 0.0f},
                {"llama.final_logit_softcapping", 30.0f, 0.0f},
                {"llama.attn_logit_softcapping", 50.0f, 0.0f},
                {"llama.expert_weights_scale", 2.5f, 1.0f},
                {"llama.rope.scaling.alpha", 4.0f, 0.0f},
                {"llama.attention.max_alibi_bias", 8.0f, 0.0f},
                {"llama.attention.causal", 0.0f, 1.0f},
                {"llama.router_logit_softcapping", 1.0f, 0.0f}};
    model_fault f = none;
    size_t i;
    f.kind = KEY_ADDED_F32;
    for (i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        gguf_out file;
        opened o;
        syn_error err;
        f.name = keys[i].key;
        f.real = keys[i].changes;
        refused_as(&f, SYN_ERROR_UNSUPPORTED, keys[i].key, "would change");
        f.real = keys[i].same;
        write_model(&file, &f);
        CHECK_OK(open_model(&o, &file, &err), err);
        free(o.block);
        gguf_free(&file);
    }
}

/* The old name of linear scaling is linear scaling. */
TEST(scale_linear_is_the_factor)
{
    static const char *const names[] = {"llama.rope.scale_linear", "llama.rope.scaling.factor"};
    model_fault f = none;
    int i;
    f.kind = KEY_ADDED_F32;
    f.real = 4.0f;
    for (i = 0; i < 2; i++) {
        gguf_out file;
        opened o;
        syn_error err;
        f.name = names[i];
        write_model(&file, &f);
        REQUIRE_OK(open_model(&o, &file, &err), err);
        CHECK_NEAR(o.model.rope_freq[1], 0.0025, 1e-12);
        free(o.block);
        gguf_free(&file);
    }
}

/* ------------------------------------------------------------------ head counts of each layer */

enum { DECI_LAYERS = 3 };

typedef struct deci_counts {
    const char *family;
    uint32_t type, elements; /* ggml's number of the element type; elements of both arrays */
    uint32_t heads[DECI_LAYERS + 1], kv[DECI_LAYERS + 1];
} deci_counts;

static const deci_counts deci_good = {"deci", 5, DECI_LAYERS, {1, 0, 4, 0}, {1, 0, 2, 0}};

static void deci_key(gguf_out *f, const deci_counts *c, const char *suffix, const uint32_t *count)
{
    char key[64];
    uint32_t i;
    snprintf(key, sizeof key, "%s.%s", c->family, suffix);
    if (!c->elements) gguf_u32(f, key, *count);
    else gguf_array(f, key, c->type, c->elements);
    for (i = 0; i < c->elements; i++) gguf_int(f, count[i], 4);
}

static void deci_layer(gguf_out *f, int layer, uint32_t heads, uint32_t kv)
{
    const struct {
        const char *name;
        uint64_t cols, rows;
    } part[] = {{"ffn_norm", EMBD, 0},
                {"ffn_gate", EMBD, FF},
                {"ffn_up", EMBD, FF},
                {"ffn_down", FF, EMBD},
                {"attn_norm", EMBD, 0},
                {"attn_q", EMBD, heads * HEAD},
                {"attn_k", EMBD, kv * HEAD},
                {"attn_v", EMBD, kv * HEAD},
                {"attn_output", heads * HEAD, EMBD}};
    size_t i;
    for (i = 0; i < (heads ? 9 : 4); i++) {
        char name[64];
        snprintf(name, sizeof name, "blk.%d.%s.weight", layer, part[i].name);
        gguf_tensor(f, name, GGUF_F32, part[i].cols, part[i].rows, 0, 0);
    }
}

/* Tensors as deci_good has them, whatever the keys say. */
static void write_deci(gguf_out *f, const deci_counts *c)
{
    static const struct {
        const char *suffix;
        uint32_t value;
    } number[] = {{"block_count", DECI_LAYERS},   {"context_length", 64},
                  {"embedding_length", EMBD},     {"feed_forward_length", FF},
                  {"attention.key_length", HEAD}, {"attention.value_length", HEAD},
                  {"rope.dimension_count", HEAD}};
    char key[64];
    size_t i, at;
    int layer;
    uint32_t bits = 1;
    gguf_begin(f, 3);
    gguf_text(f, "general.architecture", c->family);
    for (i = 0; i < sizeof number / sizeof number[0]; i++) {
        snprintf(key, sizeof key, "%s.%s", c->family, number[i].suffix);
        gguf_u32(f, key, number[i].value);
    }
    snprintf(key, sizeof key, "%s.attention.layer_norm_rms_epsilon", c->family);
    gguf_f32(f, key, 1e-5f);
    deci_key(f, c, "attention.head_count", c->heads);
    deci_key(f, c, "attention.head_count_kv", c->kv);
    vocabulary(f, &none);
    gguf_tensor(f, "token_embd.weight", GGUF_F32, EMBD, VOCAB, 0, 0);
    gguf_tensor(f, "output_norm.weight", GGUF_F32, EMBD, 0, 0, 0);
    for (layer = 0; layer < DECI_LAYERS; layer++)
        deci_layer(f, layer, deci_good.heads[layer], deci_good.kv[layer]);
    at = gguf_end(f);
    for (; at + 4 <= f->size; at += 4) { /* weights from -1 to 1 */
        bits = bits * 1664525u + 1013904223u;
        gguf_set(f, at, gguf_bits_f32((float)(bits >> 8) / 8388608.0f - 1.0f), 4);
    }
    gguf_fit(f);
}

static void deci_refused(const deci_counts *c, syn_status expected, const char *a, const char *b)
{
    gguf_out f;
    opened o;
    syn_error err;
    write_deci(&f, c);
    CHECK_FAILS(open_model(&o, &f, &err), expected, err);
    CHECK(gguf_is_line(err.text));
    if (!strstr(err.text, a) || !strstr(err.text, b))
        printf("'%s' or '%s' is not in: %s\n", a, b, err.text);
    CHECK(strstr(err.text, a) && strstr(err.text, b));
    free(o.block);
    gguf_free(&f);
}

TEST(head_counts_of_each_layer)
{
    gguf_out f;
    opened o;
    syn_error err;
    write_deci(&f, &deci_good);
    REQUIRE_OK(open_model(&o, &f, &err), err);
    CHECK_STR(o.model.architecture, "deci");
    CHECK(o.model.heads == 4 && o.model.kv_heads == 2 && o.model.key_size == HEAD);
    CHECK(!memcmp(o.model.layer_heads, deci_good.heads, sizeof(uint32_t) * DECI_LAYERS));
    CHECK(!memcmp(o.model.layer_kv_heads, deci_good.kv, sizeof(uint32_t) * DECI_LAYERS));
    CHECK(syn_model_part(&o.model, 0, SYN_ATTN_Q)->rows == HEAD &&
          syn_model_part(&o.model, 2, SYN_ATTN_Q)->rows == 4 * HEAD);
    CHECK(!syn_model_part(&o.model, 1, SYN_ATTN_NORM) && !syn_model_part(&o.model, 1, SYN_ATTN_Q));
    free(o.block);
    gguf_free(&f);
}

TEST(head_counts_that_make_no_sense)
{
    const char *const heads = "deci.attention.head_count ", *const kv =
                                                                "deci.attention.head_count_kv ";
    deci_counts c = deci_good;
    c.elements = 2;
    deci_refused(&c, SYN_ERROR_MODEL, heads, "2 elements");
    c.elements = 4;
    deci_refused(&c, SYN_ERROR_MODEL, heads, "one a layer (3)");
    c = deci_good;
    c.type = 6; /* f32 */
    deci_refused(&c, SYN_ERROR_MODEL, heads, "array of f32");
    c = deci_good;
    c.family = "llama";
    deci_refused(&c, SYN_ERROR_MODEL, "llama.attention.head_count ", "one value for all layers");
    c = deci_good;
    c.kv[2] = 0;
    deci_refused(&c, SYN_ERROR_UNSUPPORTED, kv, "layer 2");
    c.kv[2] = 3;
    deci_refused(&c, SYN_ERROR_MODEL, kv, "divisor of the head count (layer 2)");
    c.kv[2] = 4;
    deci_refused(&c, SYN_ERROR_MODEL, "blk.2.attn_k.weight", "expected");
    c = deci_good;
    c.kv[1] = 1;
    deci_refused(&c, SYN_ERROR_MODEL, kv, "layer 1");
    c = deci_good;
    c.heads[1] = 0x80000000u; /* as i32 below zero */
    deci_refused(&c, SYN_ERROR_MODEL, "deci.attention.head_count:", "layer 1");
    c = deci_good;
    c.heads[1] = c.kv[1] = 1;
    deci_refused(&c, SYN_ERROR_MODEL, "blk.1.attn_norm.weight", "missing");
    c = deci_good;
    memset(c.heads, 0, sizeof c.heads);
    memset(c.kv, 0, sizeof c.kv);
    deci_refused(&c, SYN_ERROR_MODEL, heads, "1 or more");
}

typedef struct deci_seen {
    int times[DECI_LAYERS][4];
} deci_seen;

static void deci_take(void *user, const syn_probed *v)
{
    if (v->kind == SYN_PROBE_HEAD) ((deci_seen *)user)->times[v->layer][v->unit]++;
}

/* Steps over the ids in batches of this size; the logits and norms of the last position. */
static void deci_run(const opened *o, uint32_t batch, float *logits, float *norms, deci_seen *seen)
{
    static const int32_t ids[6] = {1, 70, 80, 90, 100, 261};
    syn_context_desc desc;
    syn_context ctx;
    syn_error err;
    syn_arena arena = syn_arena_measure();
    void *block;
    uint32_t at, l, h;
    memset(&desc, 0, sizeof desc);
    memset(seen, 0, sizeof *seen);
    desc.tokens = 8;
    desc.batch = batch;
    desc.arithmetic = SYN_EXACT;
    desc.norms = desc.sinks = true;
    REQUIRE_OK(syn_context_open(&ctx, &o->model, &desc, &arena, &err), err);
    block = malloc(arena.used);
    memset(block, 0x7F, arena.used); /* nothing that was there before may show */
    arena = syn_arena_on(block, arena.used);
    REQUIRE_OK(syn_context_open(&ctx, &o->model, &desc, &arena, &err), err);
    ctx.probe.take = deci_take;
    ctx.probe.user = seen;
    for (at = 0; at < 6; at += batch) {
        REQUIRE_OK(syn_context_step(&ctx, ids + at, batch, &err), err);
        for (l = 0; l < DECI_LAYERS; l++) /* of the batch's last position */
            for (h = 0; h < 4; h++) {
                const size_t unit = (size_t)l * 4 + h;
                const float norm = syn_context_norms(&ctx, SYN_LAST_ROW)[unit];
                const float sink = syn_context_sinks(&ctx, SYN_LAST_ROW)[unit];
                const bool there = h < deci_good.heads[l];
                CHECK(there ? norm > 0 && sink > 0 : norm == 0.0f && sink == 0.0f);
                norms[l * 4 + h] = norm;
            }
    }
    memcpy(logits, syn_context_logits(&ctx, SYN_LAST_ROW), VOCAB * sizeof *logits);
    free(block);
}

TEST(absent_heads_are_zero_and_unseen)
{
    gguf_out f;
    opened o;
    syn_error err;
    deci_seen seen;
    float one[VOCAB], all[VOCAB], norms[2][DECI_LAYERS * 4];
    int l, h;
    write_deci(&f, &deci_good);
    REQUIRE_OK(open_model(&o, &f, &err), err);
    deci_run(&o, 6, all, norms[0], &seen);
    for (l = 0; l < DECI_LAYERS; l++)
        for (h = 0; h < 4; h++)
            CHECK(seen.times[l][h] == ((uint32_t)h < deci_good.heads[l] ? 6 : 0));
    deci_run(&o, 1, one, norms[1], &seen);
    for (l = 0; l < VOCAB; l++) CHECK_NEAR(one[l], all[l], 1e-5);
    for (l = 0; l < DECI_LAYERS * 4; l++) CHECK_NEAR(norms[0][l], norms[1][l], 1e-5);
    free(o.block);
    gguf_free(&f);
}

/* Noise and gains reach the heads that are there, those of the others do nothing. */
TEST(absent_heads_have_no_weights)
{
    static const int32_t ids[3] = {1, 70, 80};
    gguf_out f;
    opened o;
    syn_error err;
    syn_context_desc desc;
    syn_context ctx;
    syn_arena arena = syn_arena_measure();
    float sd[8], gain[DECI_LAYERS * 4], noise[DECI_LAYERS * 8], plain[VOCAB];
    void *block;
    uint32_t l, h;
    write_deci(&f, &deci_good);
    REQUIRE_OK(open_model(&o, &f, &err), err);
    memset(&desc, 0, sizeof desc);
    desc.tokens = 8;
    desc.arithmetic = SYN_EXACT;
    REQUIRE_OK(syn_context_open(&ctx, &o.model, &desc, &arena, &err), err);
    block = malloc(arena.used);
    arena = syn_arena_on(block, arena.used);
    REQUIRE_OK(syn_context_open(&ctx, &o.model, &desc, &arena, &err), err);
    for (l = 0; l < DECI_LAYERS; l++) {
        REQUIRE_OK(syn_context_edit_head_sd(&ctx, l, sd, &err), err);
        for (h = 0; h < 8; h++) CHECK((sd[h] > 0) == (h / 2 < deci_good.heads[l]));
        for (h = 0; h < 4; h++) gain[l * 4 + h] = h < deci_good.heads[l] ? 1.0f : 0.0f;
        for (h = 0; h < 8; h++) noise[l * 8 + h] = h / 2 < deci_good.heads[l] ? 0.0f : 1.0f;
    }
    REQUIRE_OK(syn_context_step(&ctx, ids, 3, &err), err);
    memcpy(plain, syn_context_logits(&ctx, SYN_LAST_ROW), sizeof plain);
    ctx.edit.head_gain = gain;
    ctx.edit.head_noise = noise;
    REQUIRE_OK(syn_context_rewind(&ctx, 0, 0, &err), err);
    REQUIRE_OK(syn_context_step(&ctx, ids, 3, &err), err);
    CHECK(!memcmp(plain, syn_context_logits(&ctx, SYN_LAST_ROW), sizeof plain));
    gain[2 * 4 + 3] = 0.0f; /* the last head of the last layer */
    REQUIRE_OK(syn_context_rewind(&ctx, 0, 0, &err), err);
    REQUIRE_OK(syn_context_step(&ctx, ids, 3, &err), err);
    CHECK(memcmp(plain, syn_context_logits(&ctx, SYN_LAST_ROW), sizeof plain));
    free(block);
    free(o.block);
    gguf_free(&f);
}

TEST(rope_scaling_that_is_not_known)
{
    model_fault f = none;
    f.kind = KEY_ADDED_TEXT;
    f.name = "llama.rope.scaling.type";
    f.text = "spiral";
    refused_as(&f, SYN_ERROR_UNSUPPORTED, "llama.rope.scaling.type", "spiral");
    f.text = "yarn"; /* without the original context */
    refused_as(&f, SYN_ERROR_MODEL, "original_context_length", "1 or more");
}

TEST(ids_outside_the_vocabulary)
{
    refused_u32(KEY_U32, "tokenizer.ggml.bos_token_id", VOCAB, "");
    refused_u32(KEY_U32, "tokenizer.ggml.eos_token_id", VOCAB + 5, "");
    refused_u32(KEY_ADDED_U32, "tokenizer.ggml.unknown_token_id", VOCAB, "");
}

/* Those that nothing needs are named, and the model is what it was. */
TEST(unused_ids_outside_the_vocabulary)
{
    static const char *const key[] = {
        "tokenizer.ggml.eot_token_id",     "tokenizer.ggml.eom_token_id",
        "tokenizer.ggml.padding_token_id", "tokenizer.ggml.seperator_token_id",
        "tokenizer.ggml.fim_pad_token_id", "tokenizer.ggml.fim_mid_token_id"};
    size_t k;
    for (k = 0; k < sizeof key / sizeof key[0]; k++) {
        gguf_out f;
        opened o;
        syn_error err;
        model_fault fault = none;
        fault.kind = KEY_ADDED_U32;
        fault.name = key[k];
        fault.number = VOCAB + (uint32_t)k;
        write_model(&f, &fault);
        REQUIRE_OK(open_model(&o, &f, &err), err);
        CHECK_STR(syn_tokenizer_outside(&o.model.tokenizer, 0), key[k]);
        CHECK(!syn_tokenizer_outside(&o.model.tokenizer, 1));
        CHECK(strstr(syn_model_unused_key(&o.model, key[k]), "vocabulary"));
        CHECK(!syn_model_unused_key(&o.model, "tokenizer.ggml.eos_token_id"));
        free(o.block);
        gguf_free(&f);
    }
}

/* A hyperparameter that no tensor of the file bears out must not cost memory before it is found
   out. */
TEST(claims_do_not_cost_memory)
{
    gguf_out f;
    syn_source source;
    syn_model model;
    syn_error err;
    syn_arena arena = syn_arena_measure();
    syn_status status;
    gguf_begin(&f, 3);
    gguf_text(&f, "general.architecture", "gemma3");
    gguf_u32(&f, "gemma3.block_count", 1);
    gguf_u32(&f, "gemma3.context_length", 64);
    gguf_u32(&f, "gemma3.embedding_length", EMBD);
    gguf_u32(&f, "gemma3.feed_forward_length", FF);
    gguf_u32(&f, "gemma3.attention.head_count", 1);
    gguf_u32(&f, "gemma3.attention.sliding_window", 4);
    gguf_u32(&f, "gemma3.attention.key_length", 0x7FFFFFFEu); /* tensors to match are not there */
    gguf_f32(&f, "gemma3.attention.layer_norm_rms_epsilon", 1e-6f);
    vocabulary(&f, &none);
    gguf_tensor(&f, "token_embd.weight", GGUF_F32, EMBD, VOCAB, 0, 0);
    gguf_tensor(&f, "output_norm.weight", GGUF_F32, EMBD, 0, 0, 0);
    gguf_end(&f);
    gguf_fit(&f);
    source = syn_source_memory(f.bytes, f.size);
    status = syn_model_open(&model, &source, 1, NULL, &arena, &err);
    CHECK(status != SYN_OK || arena.used < 64 * f.size);
    gguf_free(&f);
}

/* ------------------------------------------------------------------ memory */

TEST(memory_is_exact_to_the_byte)
{
    gguf_out f;
    opened o;
    syn_error err;
    syn_arena arena;
    syn_model model;
    unsigned char *block;
    size_t bytes, n;
    write_model(&f, &none);
    REQUIRE_OK(open_model(&o, &f, &err), err);
    bytes = o.bytes;
    CHECK(bytes > 0 && bytes % SYN_ALIGN == 0);
    block = (unsigned char *)malloc(bytes + 32);
    REQUIRE(block != NULL);
    memset(block, 0xA5, bytes + 32);
    arena = syn_arena_on(block, bytes);
    CHECK_OK(syn_model_open(&model, &o.source, 1, NULL, &arena, &err), err);
    CHECK(arena.used == bytes);
    for (n = 0; n < 32; n++) CHECK(block[bytes + n] == 0xA5);
    /* any size below is refused, says so, takes nothing, and writes nothing behind its end */
    for (n = 0; n < bytes; n += n + 1 < bytes && n + 23 >= bytes ? bytes - 1 - n : 23) {
        memset(block, 0xA5, bytes + 32);
        arena = syn_arena_on(block, n);
        CHECK_FAILS(syn_model_open(&model, &o.source, 1, NULL, &arena, &err), SYN_ERROR_MEMORY,
                    err);
        CHECK(arena.used == 0 && block[n] == 0xA5 &&
              !memcmp(block + n, block + n + 1, bytes + 31 - n));
        if (n + 1 == bytes) break;
    }
    CHECK(n + 1 == bytes);
    arena = syn_arena_on(NULL, 0); /* no memory at all is not a measuring arena */
    CHECK_FAILS(syn_model_open(&model, &o.source, 1, NULL, &arena, &err), SYN_ERROR_MEMORY, err);
    free(block);
    free(o.block);
    gguf_free(&f);
}

TEST(the_tokenizer_may_be_left_out)
{
    model_fault without = none;
    gguf_out f;
    opened with_it, o;
    syn_model_desc desc;
    syn_error err;
    memset(&desc, 0, sizeof desc);
    desc.no_tokenizer = true;
    write_model(&f, &none);
    REQUIRE_OK(open_model(&with_it, &f, &err), err);
    REQUIRE_OK(open_sources(&o, &with_it.source, 1, &desc, &err), err);
    CHECK(o.bytes < with_it.bytes && o.model.vocab == VOCAB);
    free(o.block);
    free(with_it.block);
    gguf_free(&f);
    /* without a list of tokens the embedding says how many there are */
    without.kind = KEY_LEFT_OUT;
    without.name = "tokenizer.ggml.tokens";
    write_model(&f, &without);
    o.source = syn_source_memory(f.bytes, f.size);
    REQUIRE_OK(open_sources(&o, &o.source, 1, &desc, &err), err);
    CHECK(o.model.vocab == VOCAB);
    free(o.block);
    gguf_free(&f);
}

TEST(silly_arguments)
{
    gguf_out f;
    opened o;
    syn_error err;
    write_model(&f, &none);
    o.source = syn_source_memory(f.bytes, f.size);
    CHECK_FAILS(open_sources(&o, &o.source, 0, NULL, &err), SYN_ERROR_ARGUMENT, err);
    CHECK_FAILS(open_sources(&o, &o.source, (size_t)-1, NULL, &err), SYN_ERROR_ARGUMENT, err);
    CHECK_FAILS(open_sources(&o, &o.source, SYN_MODEL_FILES + 1, NULL, &err), SYN_ERROR_ARGUMENT,
                err);
    gguf_free(&f);
}

/* ------------------------------------------------------------------ callbacks */

TEST(a_callback_gives_the_same_model)
{
    gguf_out f;
    gguf_reader reader;
    opened a, b;
    syn_error err;
    uint32_t layer;
    int part;
    write_model(&f, &none);
    REQUIRE_OK(open_model(&a, &f, &err), err);
    b.source = gguf_reader_source(&reader, &f);
    REQUIRE_OK(open_sources(&b, &b.source, 1, NULL, &err), err);
    CHECK(a.bytes == b.bytes && a.model.parameters == b.model.parameters);
    CHECK(!memcmp(a.model.rope_freq, b.model.rope_freq, HEAD / 2 * sizeof(double)));
    for (layer = 0; layer < LAYERS; layer++) {
        for (part = 0; part < SYN_PARTS; part++) {
            const syn_tensor *s = syn_model_part(&a.model, layer, (syn_part)part);
            const syn_tensor *other = syn_model_part(&b.model, layer, (syn_part)part);
            CHECK(!s == !other);
            if (s && other)
                CHECK(s->offset == other->offset && s->rows == other->rows &&
                      s->type == other->type && s->data && !other->data);
        }
    }
    CHECK(!reader.broken);
    free(a.block);
    free(b.block);
    gguf_free(&f);
}

/* Each single read fails once: never a crash, never a model that opens although a read failed. */
TEST(every_read_may_fail)
{
    gguf_out f;
    opened o;
    syn_error err;
    uint64_t n, step = 1;
    gguf_reader reader;
    write_model(&f, &none);
    o.source = gguf_reader_source(&reader, &f);
    REQUIRE_OK(open_sources(&o, &o.source, 1, NULL, &err), err);
    free(o.block);
    if (reader.calls > 1000) step = reader.calls / 1000; /* spread over all of them */
    for (n = 1; n <= reader.calls; n += step) {
        gguf_reader failing;
        syn_status status;
        o.source = gguf_reader_source(&failing, &f);
        failing.fail_at = n;
        status = open_sources(&o, &o.source, 1, NULL, &err);
        CHECK_FAILS(status, SYN_ERROR_READ, err);
        CHECK(gguf_is_line(err.text) && !failing.broken);
        free(o.block);
    }
    gguf_free(&f);
}

/* ---- reads that fail while a model is used */

/* A file behind a callback that fails from call `from` up to, not with, call `to`; `half`: when
   half of the bytes have come. */
typedef struct shaky {
    const unsigned char *bytes;
    size_t size;
    uint64_t calls, from, to;
    bool half, broken;
} shaky;

static bool shaky_read(void *user, uint64_t offset, void *to, size_t n)
{
    shaky *s = (shaky *)user;
    bool fails;
    if (offset > s->size || n > s->size - offset || !n) {
        s->broken = true;
        return false;
    }
    s->calls++;
    fails = s->calls >= s->from && s->calls < s->to;
    if (!fails || s->half) memcpy(to, s->bytes + offset, fails ? n / 2 : n);
    return !fails;
}

/* Everything that reads, in the order of a program's life, and what comes out. */
typedef enum use_phase {
    USE_MEASURE,
    USE_OPEN,
    USE_CONTEXT,
    USE_TOKENIZE,
    USE_STEP,
    USE_ONE_MORE,
    USE_SPREAD,
    USE_NOISE,
    USE_TEXT,
    USE_PHASES
} use_phase;

enum { USE_IDS = 16, USE_VOCAB = 512, USE_TEXT_BYTES = 64 };

typedef struct use {
    shaky reader;
    syn_source source;
    syn_model model;
    syn_context context;
    syn_context_desc desc;
    syn_arena arena;
    void *block;
    size_t bytes;
    float sd[64], noise[512];
    bool vocabulary; /* else the ids are numbers, and there is no text */
    int32_t ids[USE_IDS];
    size_t count, length;
    char text[USE_TEXT_BYTES];
    float logits[2][USE_VOCAB];
} use;

static void use_begin(use *u, const void *bytes, size_t size, bool vocabulary)
{
    memset(u, 0, sizeof *u);
    u->reader.bytes = (const unsigned char *)bytes;
    u->reader.size = size;
    u->source = syn_source_callback(shaky_read, &u->reader, size);
    u->vocabulary = vocabulary;
    u->desc.tokens = 16;
    u->desc.batch = 4;
    u->desc.arithmetic = SYN_EXACT;
    u->desc.norms = true;
    u->desc.stream_bytes = 16384; /* some rows at a time: fewer calls, all kinds of them */
}

static void use_end(use *u)
{
    free(u->block);
    u->block = NULL;
}

/* Steps anew from the first id with or without noise on the weights. */
static syn_status use_step(use *u, float *logits, syn_error *err)
{
    const size_t room = USE_VOCAB, n = u->model.vocab < room ? u->model.vocab : room;
    syn_status status = syn_context_rewind(&u->context, 0, 0, err);
    if (!status) status = syn_context_step(&u->context, u->ids, u->count, err);
    if (!status) memcpy(logits, syn_context_logits(&u->context, SYN_LAST_ROW), n * sizeof *logits);
    return status;
}

/* A phase may be tried again when it has failed. */
static syn_status use_run(use *u, use_phase phase, syn_error *err)
{
    syn_model_desc desc;
    syn_status status = SYN_OK;
    size_t i;
    memset(&desc, 0, sizeof desc);
    desc.no_tokenizer = !u->vocabulary;
    switch (phase) {
    case USE_MEASURE:
        status = syn_open_measure(&u->source, 1, &desc, &u->desc, &u->model, &u->context, &u->bytes,
                                  err);
        if (!status) u->block = malloc(u->bytes);
        return status;
    case USE_OPEN:
        u->arena = syn_arena_on(u->block, u->bytes);
        return syn_model_open(&u->model, &u->source, 1, &desc, &u->arena, err);
    case USE_CONTEXT: return syn_context_open(&u->context, &u->model, &u->desc, &u->arena, err);
    case USE_TOKENIZE:
        for (u->count = 0; u->count < 6; u->count++) u->ids[u->count] = (int32_t)u->count + 3;
        if (u->vocabulary) {
            unsigned char scratch[512];
            syn_arena work = syn_arena_on(scratch, sizeof scratch);
            return syn_tokenize(&u->model.tokenizer, "ab <s>\xc3\xa9", 8, SYN_PARSE_SPECIAL, u->ids,
                                USE_IDS, &u->count, &work, err);
        }
        return SYN_OK;
    case USE_STEP: return use_step(u, u->logits[0], err);
    case USE_ONE_MORE: /* the rest is in the cache; a failed pass is not counted */
        return syn_context_step(&u->context, u->ids, 1, err);
    case USE_SPREAD:
        return u->model.heads * 2 <= 64 ? syn_context_edit_head_sd(&u->context, 0, u->sd, err)
                                        : SYN_OK;
    case USE_NOISE:
        if (u->model.layers * u->model.heads * 2 > 512) return SYN_OK;
        for (i = 0; i < u->model.layers * u->model.heads * 2; i++) u->noise[i] = 0.01f;
        u->context.edit.head_noise = u->noise;
        status = use_step(u, u->logits[1], err);
        u->context.edit.head_noise = NULL;
        return status;
    default:
        return u->vocabulary ? syn_detokenize(&u->model.tokenizer, u->ids, u->count, 0, u->text,
                                              USE_TEXT_BYTES, &u->length, err)
                             : SYN_OK;
    }
}

/* Phases from `first` up to, not with, `end`, of which each that fails is tried again with a reader
   in order. How many failed. */
static int use_phases(use *u, int first, int end)
{
    syn_error err = {SYN_OK, ""}; /* a phase that a model does not have leaves it */
    int phase, failed = 0;
    for (phase = first; phase < end; phase++) {
        syn_status status = use_run(u, (use_phase)phase, &err);
        if (status) {
            CHECK_FAILS(status, SYN_ERROR_READ, err);
            CHECK(gguf_is_line(err.text));
            failed++;
            u->reader.to = 0;
            status = use_run(u, (use_phase)phase, &err);
        }
        CHECK_OK(status, err);
        if (status) break;
    }
    CHECK(!u->reader.broken);
    return failed;
}

static bool same_use(const use *a, const use *b)
{
    return a->count == b->count && a->length == b->length &&
           !memcmp(a->ids, b->ids, sizeof a->ids) && !memcmp(a->text, b->text, sizeof a->text) &&
           !memcmp(a->sd, b->sd, sizeof a->sd) && !memcmp(a->logits, b->logits, sizeof a->logits);
}

/* The n-th read from now on fails, or none when n is 0. The kinds: with nothing delivered, when
   half has come, and every read from then on. */
static void use_fail(use *u, uint64_t n, int kind)
{
    u->reader.from = u->reader.calls + n;
    u->reader.to = !n ? 0 : kind == 2 ? UINT64_MAX : u->reader.from + 1;
    u->reader.half = kind == 1;
}

/* Reads of all that a program does with this file fail: the call says so, and the same call again
   gives what it would have given. Opening reads number by number, so there an even choice of at
   most `opening` a kind; behind it `most`, which is every read where there are not more. */
static void reads_fail(const void *bytes, size_t size, bool vocabulary, uint64_t opening,
                       uint64_t most)
{
    use *right = (use *)malloc(sizeof *right), *u = (use *)malloc(sizeof *u);
    uint64_t n, opening_calls, step;
    int kind;
    REQUIRE(right && u);
    use_begin(right, bytes, size, vocabulary);
    CHECK(use_phases(right, 0, USE_CONTEXT) == 0);
    opening_calls = right->reader.calls;
    CHECK(use_phases(right, USE_CONTEXT, USE_PHASES) == 0);
    for (kind = 0; kind < 3; kind++) {
        step = 1 + opening_calls / opening;
        for (n = 1 + (uint64_t)kind % step; n <= opening_calls; n += step) {
            use_begin(u, bytes, size, vocabulary);
            use_fail(u, n, kind);
            CHECK(use_phases(u, 0, USE_CONTEXT) == 1);
            CHECK(u->bytes == right->bytes && u->model.parameters == right->model.parameters);
            use_end(u);
        }
        use_begin(u, bytes, size, vocabulary);
        CHECK(use_phases(u, 0, USE_TOKENIZE) == 0);
        step = 1 + (right->reader.calls - opening_calls) / most;
        for (n = 1 + (uint64_t)kind % step; n <= right->reader.calls - opening_calls; n += step) {
            use_fail(u, n, kind);
            memset(u->logits, 0, sizeof u->logits);
            CHECK(use_phases(u, USE_TOKENIZE, USE_PHASES) == 1);
            CHECK(same_use(u, right));
        }
        use_end(u);
    }
    use_end(right);
    free(right);
    free(u);
}

TEST(every_read_of_a_model_in_use_may_fail)
{
    gguf_out f;
    write_model(&f, &none);
    reads_fail(f.bytes, f.size, true, test_slow_machine() ? 10 : 100,
               test_slow_machine() ? 300 : 5000);
    gguf_free(&f);
}

/* Families that differ in what they read: latent attention, experts, one matrix of q, k and v,
   biases and positions, a tied output. Of the many calls an even choice. */
TEST(reads_of_other_families_may_fail)
{
    static const char *const names[] = {"deepseek2-kvb-tiny", "qwen3moe-tiny",  "llama-moe-q5_1",
                                        "gptneox-seq-tiny",   "gpt2-iq4_nl",    "gemma2-tiny",
                                        "phi3-q8_0",          "llama-tied-q4_1"};
    size_t i;
    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        test_path_buffer path;
        char name[96];
        size_t size = 0;
        unsigned char *bytes;
        snprintf(name, sizeof name, "models/%s/model.gguf", names[i]);
        bytes = file_load(test_path(path, name), &size);
        REQUIRE(bytes != NULL);
        reads_fail(bytes, size, false, 2, test_slow_machine() ? 4 : 30);
        free(bytes);
    }
}

/* ------------------------------------------------------------------ split files */

/* The bytes of `whole` as `files` files, as llama.cpp's splitter makes them: the keys in the first,
   tensors in order, each file with split.no, split.count and split.tensors.count. */
static void split(gguf_out *out, int files, const unsigned char *whole, const syn_gguf *gguf)
{
    uint64_t at = gguf->tensors_at, k = 0;
    int file;
    for (file = 0; file < files; file++) {
        const uint64_t end = gguf->tensors * (uint64_t)(file + 1) / (uint64_t)files, first = k;
        uint64_t from = at;
        gguf_out *f = &out[file];
        size_t data;
        gguf_begin(f, 3);
        if (!file) {
            gguf_put(f, whole + gguf->keys_at, (size_t)(gguf->tensors_at - gguf->keys_at));
            f->keys = gguf->keys;
        }
        gguf_number(f, "split.no", 2, (uint64_t)file, 2);
        gguf_number(f, "split.count", 2, (uint64_t)files, 2);
        gguf_number(f, "split.tensors.count", 5, gguf->tensors, 4);
        for (; k < end; k++) {
            syn_gguf_tensor t;
            char name[80] = "";
            if (syn_gguf_tensor_at(gguf, at, &t, NULL) || t.name_bytes >= sizeof name) return;
            memcpy(name, whole + t.name_at, (size_t)t.name_bytes);
            gguf_info(f, name, t.type, (uint32_t)t.dims, t.ne, f->data_bytes);
            f->data_bytes += (t.bytes + 31) / 32 * 32;
            at = t.next_at;
        }
        data = gguf_end(f);
        for (k = first; k < end; k++) {
            syn_gguf_tensor t;
            if (syn_gguf_tensor_at(gguf, from, &t, NULL)) return;
            memcpy(f->bytes + data, whole + t.offset, (size_t)t.bytes);
            data += (size_t)(t.bytes + 31) / 32 * 32;
            from = t.next_at;
        }
        gguf_fit(f);
    }
}

/* The logits after a few tokens, in memory of its own. */
static float *logits_of(const syn_model *model)
{
    static const int32_t ids[] = {1, 20, 5, 100, 42};
    syn_context ctx;
    syn_context_desc desc;
    syn_error err;
    syn_arena arena = syn_arena_measure();
    float *logits = (float *)malloc(model->vocab * sizeof *logits);
    void *block;
    memset(&desc, 0, sizeof desc);
    desc.tokens = 8;
    desc.arithmetic = SYN_EXACT;
    CHECK_OK(syn_context_open(&ctx, model, &desc, &arena, &err), err);
    block = malloc(arena.used);
    arena = syn_arena_on(block, arena.used);
    CHECK_OK(syn_context_open(&ctx, model, &desc, &arena, &err), err);
    CHECK_OK(syn_context_step(&ctx, ids, 5, &err), err);
    memcpy(logits, syn_context_logits(&ctx, SYN_LAST_ROW), model->vocab * sizeof *logits);
    free(block);
    return logits;
}

enum { SPLIT_MOST = 3 };

TEST(split_files_are_one_model)
{
    test_path_buffer path;
    size_t size = 0;
    unsigned char *whole = file_load(test_path(path, "models/llama-tied-q4_1/model.gguf"), &size);
    opened one;
    syn_gguf gguf;
    syn_error err;
    float *expected;
    int files;
    REQUIRE(whole != NULL);
    one.source = syn_source_memory(whole, size);
    REQUIRE_OK(syn_gguf_open(&gguf, &one.source, &err), err);
    REQUIRE_OK(open_sources(&one, &one.source, 1, NULL, &err), err);
    expected = logits_of(&one.model);
    for (files = 2; files <= SPLIT_MOST; files++) {
        gguf_out part[SPLIT_MOST];
        gguf_reader reader[SPLIT_MOST];
        syn_source source[SPLIT_MOST];
        opened o;
        float *logits;
        int i;
        split(part, files, whole, &gguf);
        for (i = 0; i < files; i++) source[i] = syn_source_memory(part[i].bytes, part[i].size);
        REQUIRE_OK(open_sources(&o, source, (size_t)files, NULL, &err), err);
        CHECK(o.bytes == one.bytes && o.model.parameters == one.model.parameters);
        CHECK(o.model.tokenizer.size == one.model.tokenizer.size);
        logits = logits_of(&o.model);
        CHECK(!memcmp(logits, expected, one.model.vocab * sizeof *logits));
        free(logits);
        free(o.block);
        /* part from memory, part through a callback */
        source[1] = gguf_reader_source(&reader[1], &part[1]);
        REQUIRE_OK(open_sources(&o, source, (size_t)files, NULL, &err), err);
        logits = logits_of(&o.model);
        CHECK(!memcmp(logits, expected, one.model.vocab * sizeof *logits) && !reader[1].broken);
        free(logits);
        free(o.block);
        for (i = 0; i < files; i++) gguf_free(&part[i]);
    }
    free(expected);
    free(one.block);
    free(whole);
}

static void refused_sources(const syn_source *source, size_t files, const char *a)
{
    opened o;
    syn_error err;
    CHECK_FAILS(open_sources(&o, source, (size_t)files, NULL, &err), SYN_ERROR_MODEL, err);
    if (!strstr(err.text, a)) printf("'%s' is not in: %s\n", a, err.text);
    CHECK(gguf_is_line(err.text) && strstr(err.text, a));
    free(o.block);
}

TEST(split_files_in_disorder)
{
    gguf_out whole, part[3];
    opened o;
    syn_gguf gguf;
    syn_source source[3], mixed[3];
    syn_error err;
    int i;
    write_model(&whole, &none);
    o.source = syn_source_memory(whole.bytes, whole.size);
    REQUIRE_OK(syn_gguf_open(&gguf, &o.source, &err), err);
    split(part, 3, whole.bytes, &gguf);
    for (i = 0; i < 3; i++) source[i] = syn_source_memory(part[i].bytes, part[i].size);
    REQUIRE_OK(open_sources(&o, source, 3, NULL, &err), err);
    free(o.block);
    refused_sources(source, 1, "of a model of 3 files");
    refused_sources(source, 2, "of a model of 3 files");
    refused_sources(source + 1, 2,
                    "general.architecture"); /* the first is the one that has the keys */
    mixed[0] = source[0];
    mixed[1] = source[2];
    mixed[2] = source[1];
    refused_sources(mixed, 3, "file 2 of 3 given says that it is number 3");
    mixed[1] = mixed[2] = source[1];
    refused_sources(mixed, 3, "file 3 of 3 given says that it is number 2");
    mixed[0] = mixed[1] = mixed[2] = o.source; /* a whole model three times */
    refused_sources(mixed, 3, "of a model of 1 files");
    for (i = 0; i < 3; i++) gguf_free(&part[i]);
    gguf_free(&whole);
}

/* A tensor in two of the files, and one in none. */
TEST(split_files_that_do_not_add_up)
{
    static const fault_kind kinds[2] = {TENSOR_TWICE, TENSOR_LEFT_OUT};
    int k;
    for (k = 0; k < 2; k++) {
        model_fault f = none;
        gguf_out whole, part[2];
        opened o;
        syn_gguf gguf;
        syn_source source[2];
        syn_error err;
        f.kind = kinds[k];
        f.name = "blk.1.ffn_up.weight";
        write_model(&whole, &f);
        o.source = syn_source_memory(whole.bytes, whole.size);
        REQUIRE_OK(syn_gguf_open(&gguf, &o.source, &err), err);
        split(part, 2, whole.bytes, &gguf);
        source[0] = syn_source_memory(part[0].bytes, part[0].size);
        source[1] = syn_source_memory(part[1].bytes, part[1].size);
        refused_sources(source, 2, "blk.1.ffn_up.weight");
        gguf_free(&part[0]);
        gguf_free(&part[1]);
        gguf_free(&whole);
    }
}

/* ------------------------------------------------------------------ the tokenizer inside */

TEST(a_models_own_tokenizer_works)
{
    gguf_out f;
    opened o;
    syn_error err;
    int32_t ids[8];
    size_t count = 0, length = 0;
    char work[4096], text[32];
    syn_arena arena = syn_arena_on(work, sizeof work);
    write_model(&f, &none);
    REQUIRE_OK(open_model(&o, &f, &err), err);
    REQUIRE_OK(syn_tokenize(&o.model.tokenizer, "ab", 2, 0, ids, 8, &count, &arena, &err), err);
    CHECK(count == 4 && ids[0] == 1 && ids[1] == 259 && ids[2] == 260 && ids[3] == 261);
    CHECK_OK(syn_detokenize(&o.model.tokenizer, ids + 1, 3, 0, text, sizeof text, &length, &err),
             err);
    CHECK(length == 2 && !memcmp(text, "ab", 2));
    CHECK(syn_token_is_end(&o.model.tokenizer, 2) && !syn_token_is_end(&o.model.tokenizer, 260));
    free(o.block);
    gguf_free(&f);
}

TEST_MAIN("model")
