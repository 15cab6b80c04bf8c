/* Families and bad files: every tensor of every family dropped and misshapen, every needed key
   dropped, and numbers that make no sense, one at a time. Each is refused with a line that names
   the tensor or the key; none crashes. The files are the tiny reference models with one thing
   changed. */
#define SYNERGY_SIMD 0 /* no kernel is tested here: twice as fast to compile */
#define SYNERGY_NO_PHIID
#define SYNERGY_IMPLEMENTATION
#include "synergy.h"

#include "gguf_parts.h"
#include "test.h"

/* Opens a file in a block of its exact size; the error's text. */
static syn_status open_changed(const parts *g, const change *c, syn_error *err)
{
    size_t bytes;
    unsigned char *file = put_together(g, c, &bytes), *exact = (unsigned char *)malloc(bytes);
    syn_arena arena = syn_arena_measure();
    syn_source source;
    syn_model model;
    syn_status status;
    memcpy(exact, file, bytes);
    free(file);
    source = syn_source_memory(exact, bytes);
    memset(err, 0, sizeof *err);
    status = syn_model_open(&model, &source, 1, NULL, &arena, err);
    if (!status) {
        const size_t need = arena.used + SYN_ALIGN;
        void *block = malloc(need);
        arena = syn_arena_on(block, need);
        status = syn_model_open(&model, &source, 1, NULL, &arena, err);
        if (!status) { /* what opens must also run */
            syn_context ctx;
            syn_context_desc desc;
            const int32_t ids[2] = {5, 7};
            void *room;
            memset(&desc, 0, sizeof desc);
            desc.tokens = 8;
            arena = syn_arena_measure();
            status = syn_context_open(&ctx, &model, &desc, &arena, err);
            room = malloc(arena.used + SYN_ALIGN);
            arena = syn_arena_on(room, arena.used + SYN_ALIGN);
            if (!status) status = syn_context_open(&ctx, &model, &desc, &arena, err);
            if (!status) status = syn_context_step(&ctx, ids, 2, err);
            free(room);
        }
        free(block);
    }
    free(exact);
    return status;
}

/* ---- every tensor and every key of every family ---- */

static const char *const bases[] = {
    "llama-f16",
    "llama-bias",
    "llama-moe-q5_1",
    "qwen2-q4_0",
    "qwen3-bf16",
    "qwen3moe-tiny",
    "gemma2-tiny",
    "gemma3-q5_0",
    "gptneox-f16",
    "gptneox-seq-tiny",
    "gpt2-iq4_nl",
    "deepseek2-tiny",
    "deepseek2-kvb-tiny",
    "deepseek2-q8_0",
    "olmo2",
    "phi3",
    "starcoder2",
    /* of data/families */
    "deepseek3",
    "gemma",
    "glm4",
    "gptoss",
    "granite",
    "granitemoe",
    "mistral3",
    "olmo3",
    "olmoe",
    "phi3long",
    "qwen2moe",
    "smollm3",
};
enum { BASES = sizeof bases / sizeof bases[0] };

static int load_base(parts *g, const char *name)
{
    static const char *const rooms[] = {"models", "families"};
    test_path_buffer room, folder, path;
    int i;
    for (i = 0; i < 2; i++) {
        test_join(folder, test_path(room, rooms[i]), name);
        if (test_exists(test_join(path, folder, "model.gguf"))) return take_apart(g, path);
    }
    return 0;
}

/* A file may lack these; the model then goes on without. */
static int is_optional(const char *name, const char *base)
{
    static const char *const biased[] = {"llama-bias", "glm4", "granite", "qwen2moe"};
    const size_t n = strlen(name);
    size_t i;
    if (same(name, "output.weight") || same(name, "rope_freqs.weight")) return 1;
    if (same(base, "deepseek3") && strstr(name, "exp_probs_b")) return 1;
    for (i = 0; i < sizeof biased / sizeof biased[0]; i++)
        if (same(base, biased[i]) && n > 5 && !strcmp(name + n - 5, ".bias")) return 1;
    return 0;
}

TEST(unchanged_files_open_and_run)
{
    int b;
    for (b = 0; b < BASES; b++) {
        static parts g;
        change c;
        syn_error err;
        memset(&c, 0, sizeof c);
        REQUIRE(load_base(&g, bases[b]));
        CHECK_OK(open_changed(&g, &c, &err), err);
        free(g.file);
    }
}

TEST(a_missing_tensor_is_named)
{
    int b;
    size_t i;
    for (b = 0; b < BASES; b++) {
        static parts g;
        REQUIRE(load_base(&g, bases[b]));
        for (i = 0; i < g.tensors; i++) {
            change c;
            syn_error err;
            syn_status status;
            memset(&c, 0, sizeof c);
            c.drop_tensor = g.tensor[i].name;
            status = open_changed(&g, &c, &err);
            if (is_optional(c.drop_tensor, bases[b])) {
                CHECK_OK(status, err);
                continue;
            }
            CHECK_FAILS(status, SYN_ERROR_MODEL, err);
            CHECK(strstr(err.text, c.drop_tensor) && strstr(err.text, "missing"));
        }
        free(g.file);
    }
}

TEST(a_misshapen_tensor_is_named_with_what_was_expected)
{
    int b;
    size_t i;
    for (b = 0; b < BASES; b++) {
        static parts g;
        REQUIRE(load_base(&g, bases[b]));
        for (i = 0; i < g.tensors; i++) {
            change c;
            syn_error err;
            memset(&c, 0, sizeof c);
            c.shape = g.tensor[i].name;
            CHECK_FAILS(open_changed(&g, &c, &err), SYN_ERROR_MODEL, err);
            CHECK(strstr(err.text, c.shape) && strstr(err.text, "expected"));
        }
        free(g.file);
    }
}

/* A key of the architecture that is missing has a default, or is named. */
TEST(a_missing_key_is_named_or_has_a_default)
{
    int b;
    size_t i;
    for (b = 0; b < BASES; b++) {
        static parts g;
        size_t named = 0;
        REQUIRE(load_base(&g, bases[b]));
        for (i = 0; i < g.keys; i++) {
            change c;
            syn_error err;
            memset(&c, 0, sizeof c);
            c.drop_key = g.key[i].name;
            if (!strncmp(c.drop_key, "tokenizer.", 10)) continue;
            if (open_changed(&g, &c, &err)) {
                CHECK(err.text[0]);
                named += strstr(err.text, c.drop_key) != NULL;
            }
        }
        CHECK(named >= 6); /* architecture, and the five that all families need, at the least */
        free(g.file);
    }
}

/* ---- numbers that make no sense ---- */

typedef struct wrong {
    const char *base, *key;
    char kind; /* u, f, t */
    double value;
    const char *named; /* in the error; NULL: the key */
} wrong;

static const double none = -12345; /* stands for NaN: tables of constants have none */

static const wrong wrongs[] = {
    /* head counts that do not divide */
    {"llama-f16", "llama.attention.head_count", 'u', 0, NULL},
    {"llama-f16", "llama.attention.head_count", 'u', 7, NULL},
    {"llama-f16", "llama.attention.head_count_kv", 'u', 0, NULL},
    {"llama-f16", "llama.attention.head_count_kv", 'u', 4, NULL},
    {"llama-f16", "llama.attention.head_count_kv", 'u', 4294967295.0, NULL},
    {"qwen3-bf16", "qwen3.attention.head_count_kv", 'u', 4, NULL},
    {"qwen3-bf16", "qwen3.attention.key_length", 'u', 0, NULL},
    {"qwen3-bf16", "qwen3.attention.value_length", 'u', 0, NULL},
    {"phi3", "phi3.attention.head_count_kv", 'u', 2, NULL},
    {"olmo2", "olmo2.attention.head_count", 'u', 5, NULL},
    {"starcoder2", "starcoder2.attention.head_count_kv", 'u', 4, NULL},
    /* sizes */
    {"llama-f16", "llama.block_count", 'u', 0, NULL},
    {"llama-f16", "llama.block_count", 'u', 4, "blk.3."},
    {"llama-f16", "llama.block_count", 'u', 4000000000.0, NULL},
    {"llama-f16", "llama.embedding_length", 'u', 0, NULL},
    {"llama-f16", "llama.embedding_length", 'u', 4294967292.0, NULL},
    {"llama-f16", "llama.feed_forward_length", 'u', 0, NULL},
    {"llama-f16", "llama.feed_forward_length", 'u', 4294967295.0, "ffn_"},
    {"gpt2-iq4_nl", "gpt2.context_length", 'u', 0, "position_embd.weight"},
    {"gpt2-iq4_nl", "gpt2.context_length", 'u', 129, "position_embd.weight"},
    /* rope dimensions over the head's, odd, none */
    {"llama-f16", "llama.rope.dimension_count", 'u', 18, NULL},
    {"llama-f16", "llama.rope.dimension_count", 'u', 7, NULL},
    {"llama-f16", "llama.rope.dimension_count", 'u', 0, NULL},
    {"gptneox-f16", "gptneox.rope.dimension_count", 'u', 18, NULL},
    {"deepseek2-tiny", "deepseek2.rope.dimension_count", 'u', 20, NULL},
    {"deepseek2-kvb-tiny", "deepseek2.rope.dimension_count", 'u', 4000000000.0, NULL},
    {"phi3", "phi3.rope.dimension_count", 'u', 17, NULL},
    /* windows of zero */
    {"gemma2-tiny", "gemma2.attention.sliding_window", 'u', 0, NULL},
    {"gemma3-q5_0", "gemma3.attention.sliding_window", 'u', 0, NULL},
    {"gemma3-q5_0", "gemma3.attention.sliding_window_pattern", 't', 0, NULL},
    /* experts */
    {"llama-moe-q5_1", "llama.expert_used_count", 'u', 6, NULL},
    {"llama-moe-q5_1", "llama.expert_used_count", 'u', 0, NULL},
    {"llama-moe-q5_1", "llama.expert_count", 'u', 1, "expert_used_count"},
    {"llama-moe-q5_1", "llama.expert_count", 'u', 4, "ffn_"},
    {"qwen3moe-tiny", "qwen3moe.expert_used_count", 'u', 8, NULL},
    {"qwen3moe-tiny", "qwen3moe.expert_count", 'u', 0, NULL},
    {"qwen3moe-tiny", "qwen3moe.expert_feed_forward_length", 'u', 0, NULL},
    {"deepseek2-tiny", "deepseek2.expert_used_count", 'u', 7, NULL},
    {"deepseek2-tiny", "deepseek2.expert_shared_count", 'u', 4294967295.0, NULL},
    {"deepseek2-tiny", "deepseek2.leading_dense_block_count", 'u', 4, NULL},
    {"deepseek2-tiny", "deepseek2.expert_gating_func", 'u', 4, NULL},
    {"deepseek2-tiny", "deepseek2.expert_weights_scale", 'f', 0, NULL},
    {"deepseek2-tiny", "deepseek2.expert_weights_scale", 'f', none, NULL},
    {"deepseek2-tiny", "deepseek2.expert_weights_scale", 'f', HUGE_VAL, NULL},
    /* latent attention */
    {"deepseek2-tiny", "deepseek2.attention.kv_lora_rank", 'u', 0, NULL},
    {"deepseek2-tiny", "deepseek2.attention.kv_lora_rank", 'u', 4294967295.0, NULL},
    {"deepseek2-tiny", "deepseek2.attention.value_length_mla", 'u', 0, "value_length"},
    {"deepseek2-tiny", "deepseek2.attention.key_length_mla", 'u', 8, "rope.dimension_count"},
    {"deepseek2-tiny", "deepseek2.attention.q_lora_rank", 'u', 21, "attn_q_"},
    {"deepseek3", "deepseek2.expert_group_count", 'u', 300, NULL},
    {"deepseek3", "deepseek2.expert_group_count", 'u', 5, NULL},
    {"deepseek3", "deepseek2.expert_group_count", 'u', 12, NULL},
    {"deepseek3", "deepseek2.expert_group_used_count", 'u', 0, NULL},
    {"deepseek3", "deepseek2.expert_group_used_count", 'u', 5, NULL},
    {"deepseek3", "deepseek2.expert_used_count", 'u', 7, "expert_group_used_count"},
    {"deepseek3", "deepseek2.expert_shared_count", 'u', 0, "ffn_"},
    {"qwen2moe", "qwen2moe.expert_shared_feed_forward_length", 'u', 0, "shexp"},
    {"granitemoe", "granitemoe.expert_used_count", 'u', 0, NULL},
    {"granitemoe", "granitemoe.expert_count", 'u', 0, "ffn_gate_exps"},
    {"gptoss", "gpt-oss.expert_count", 'u', 0, NULL},
    {"glm4", "glm4.nextn_predict_layers", 'u', 2, NULL},
    /* scales and bases */
    {"granitemoe", "granitemoe.logit_scale", 'f', 0, NULL},
    {"granitemoe", "granitemoe.logit_scale", 'f', none, NULL},
    {"granitemoe", "granitemoe.residual_scale", 'f', HUGE_VAL, NULL},
    {"granitemoe", "granitemoe.embedding_scale", 'f', none, NULL},
    {"granitemoe", "granitemoe.attention.scale", 'f', -1, NULL},
    {"mistral3", "mistral3.attention.temperature_scale", 'f', -1, NULL},
    {"mistral3", "mistral3.rope.freq_base", 'f', 1, NULL},
    {"olmo3", "olmo2.rope.freq_base_swa", 'f', -1, NULL},
    {"phi3long", "phi3.rope.scaling.original_context_length", 'u', 0, NULL},
    {"phi3long", "phi3.rope.scaling.attn_factor", 'f', none, NULL},
    {"deepseek2-tiny", "deepseek2.rope.scaling.attn_factor", 'f', 2, NULL},
    {"deepseek3", "deepseek2.rope.scaling.factor", 'f', 4, "rope.scaling.type"},
    {"llama-f16", "llama.attention.layer_norm_rms_epsilon", 'f', 0, NULL},
    {"llama-f16", "llama.attention.layer_norm_rms_epsilon", 'f', -1e-5, NULL},
    {"llama-f16", "llama.attention.layer_norm_rms_epsilon", 'f', none, NULL},
    {"gptneox-f16", "gptneox.attention.layer_norm_epsilon", 'f', 0, NULL},
    {"gpt2-iq4_nl", "gpt2.attention.layer_norm_epsilon", 'f', none, NULL},
    {"llama-f16", "llama.rope.freq_base", 'f', 0, NULL},
    {"llama-f16", "llama.rope.freq_base", 'f', -10000, NULL},
    {"llama-f16", "llama.rope.freq_base", 'f', none, NULL},
    {"llama-f16", "llama.rope.freq_base", 'f', HUGE_VAL, NULL},
    {"gemma3-q5_0", "gemma3.rope.freq_base_swa", 'f', 0, NULL},
    {"llama-f16", "llama.rope.scaling.factor", 'f', 0, NULL},
    {"llama-f16", "llama.rope.scaling.factor", 'f', none, NULL},
    {"deepseek2-tiny", "deepseek2.rope.scaling.factor", 'f', 0, NULL},
    {"deepseek2-tiny", "deepseek2.rope.scaling.factor", 'f', -40, NULL},
    {"deepseek2-tiny", "deepseek2.rope.scaling.original_context_length", 'u', 0, NULL},
    {"deepseek2-tiny", "deepseek2.rope.scaling.yarn_log_multiplier", 'f', none, NULL},
    {"deepseek2-tiny", "deepseek2.rope.scaling.yarn_beta_fast", 'f', 0, NULL},
    {"deepseek2-tiny", "deepseek2.rope.scaling.yarn_beta_slow", 'f', -1, NULL},
    {"deepseek2-tiny", "deepseek2.rope.freq_base", 'f', 1, NULL},
    {"gemma2-tiny", "gemma2.attn_logit_softcapping", 'f', -4, NULL},
    {"gemma2-tiny", "gemma2.attn_logit_softcapping", 'f', none, NULL},
    {"gemma2-tiny", "gemma2.final_logit_softcapping", 'f', HUGE_VAL, NULL},
    {"granite", "granite.logit_scale", 'f', 0, NULL},
    {"granite", "granite.residual_scale", 'f', none, NULL},
    {"granitemoe", "granitemoe.embedding_scale", 'f', -1, NULL},
    {"granite", "granite.attention.scale", 'f', HUGE_VAL, NULL},
    {"olmo3", "olmo2.rope.freq_base_swa", 'f', 0, NULL},
    {"gptoss", "gpt-oss.attention.sliding_window", 'u', 0, NULL},
    {"gptoss", "gpt-oss.expert_used_count", 'u', 5, NULL},
    {"deepseek3", "deepseek2.expert_group_count", 'u', 5, NULL},
    {"deepseek3", "deepseek2.expert_group_used_count", 'u', 5, NULL},
    {"deepseek3", "deepseek2.expert_group_used_count", 'u', 0, NULL},
    {"mistral3", "mistral3.attention.temperature_scale", 'f', none, NULL},
    {"mistral3", "mistral3.rope.scaling.yarn_log_multiplier", 'f', none, NULL},
    {"qwen2moe", "qwen2moe.expert_shared_feed_forward_length", 'u', 23, "ffn_"},
    {"glm4", "glm4.rope.dimension_count", 'u', 10, NULL},
    {"smollm3", "smollm3.rope.freq_base", 'f', HUGE_VAL, NULL},
    {"phi3long", "phi3.rope.scaling.attn_factor", 'f', 0, NULL},
    {"phi3long", "phi3.rope.scaling.original_context_length", 'u', 0, NULL},
    /* kinds */
    {"llama-f16", "llama.block_count", 't', 0, NULL},
    {"llama-f16", "llama.block_count", 'f', 3, NULL},
    {"llama-f16", "llama.rope.freq_base", 't', 0, NULL},
    {"llama-f16", "llama.rope.freq_base", 'u', 10000, NULL},
    {"llama-f16", "llama.rope.scaling.type", 't', 0, NULL},
    {"llama-f16", "llama.rope.scaling.type", 'u', 1, NULL},
    {"llama-f16", "general.architecture", 't', 0, "phi3"}, /* the list of those that are known */
};

TEST(numbers_that_make_no_sense_are_named)
{
    size_t i;
    for (i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
        static parts g;
        const wrong *x = &wrongs[i];
        change c;
        syn_error err;
        unsigned long before = test_.failures;
        memset(&c, 0, sizeof c);
        c.key = x->key;
        c.kind = x->kind == 'u' ? 4 : x->kind == 'f' ? 6 : 8;
        if (x->kind == 'u') c.number = (uint32_t)x->value;
        c.real = x->value == none ? NAN : x->value > 1e30 ? HUGE_VALF : (float)x->value;
        c.text = "abacus";
        REQUIRE(load_base(&g, x->base));
        CHECK(open_changed(&g, &c, &err) != SYN_OK);
        CHECK(strstr(err.text, x->named ? x->named : x->key) != NULL);
        if (test_.failures != before)
            printf("  %s: %s = %g: \"%s\"\n", x->base, x->key, x->value, err.text);
        free(g.file);
    }
}

/* ---- keys whose values are more than one number ---- */

typedef struct odd_key {
    const char *base, *key;
    uint32_t kind; /* of the value; 9: an array of `of` */
    uint32_t of, count;
    double value;      /* each element's; a text is "abacus" */
    const char *words; /* in the error; NULL: the model opens and runs */
} odd_key;

static const odd_key odd_keys[] = {
    /* which layers have a window: one a layer, bools or whole numbers */
    {"olmo3", "olmo2.attention.sliding_window_pattern", 9, 7, 2, 1, NULL},
    {"olmo3", "olmo2.attention.sliding_window_pattern", 9, 5, 2, 0, NULL},
    {"olmo3", "olmo2.attention.sliding_window_pattern", 9, 7, 1, 1, "has 1 elements"},
    {"olmo3", "olmo2.attention.sliding_window_pattern", 9, 7, 0, 1, "has 0 elements"},
    {"olmo3", "olmo2.attention.sliding_window_pattern", 9, 6, 2, 1, "array of f32"},
    {"olmo3", "olmo2.attention.sliding_window_pattern", 9, 8, 2, 1, "array of str"},
    {"llama-f16", "llama.attention.sliding_window_pattern", 9, 6, 9, 1,
     NULL}, /* without a window */
    /* a key that no family reads may say what holds anyway, in any type of number */
    {"llama-f16", "llama.attention.causal", 7, 0, 1, 1, NULL},
    {"llama-f16", "llama.attention.causal", 7, 0, 1, 0, "attention.causal would change"},
    {"llama-f16", "llama.attention.causal", 8, 0, 1, 0, "attention.causal would change"},
    {"llama-f16", "llama.attention.clamp_kqv", 12, 0, 1, 0, NULL},
    {"llama-f16", "llama.attention.clamp_kqv", 12, 0, 1, 8, "clamp_kqv would change"},
    {"llama-f16", "llama.attention.value_scale", 6, 0, 1, -1, "value_scale would change"},
    {"llama-f16", "llama.deepstack_mapping", 9, 5, 3, -1, NULL},
    {"llama-f16", "llama.deepstack_mapping", 9, 5, 3, -2, "deepstack_mapping would change"},
    {"llama-f16", "llama.deepstack_mapping", 9, 9, 0, 0, "deepstack_mapping would change"},
    {"llama-f16", "llama.embedding_length_out", 4, 0, 1, 96, NULL},
    {"llama-f16", "llama.embedding_length_out", 4, 0, 1, 95, "embedding_length_out would change"},
    {"llama-f16", "llama.hidden_activation", 8, 0, 1, 0, "hidden_activation would change"},
    /* one that another family reads must state this family's default */
    {"llama-f16", "llama.use_parallel_residual", 7, 0, 1, 1, "use_parallel_residual would change"},
    {"llama-f16", "llama.use_parallel_residual", 7, 0, 1, 0, NULL},
    {"llama-f16", "llama.residual_scale", 6, 0, 1, 0.5, "residual_scale would change"},
    {"llama-f16", "llama.expert_group_count", 4, 0, 1, 4, "expert_group_count would change"},
    {"llama-f16", "llama.attention.sliding_window", 4, 0, 1, 4294967295.0, NULL},
    {"llama-f16", "llama.attention.sliding_window", 4, 0, 1, 3, "sliding_window would change"},
    /* YaRN's amplitude is what follows from the factor; without YaRN it says nothing */
    {"mistral3", "mistral3.rope.scaling.yarn_attn_factor", 6, 0, 1, 7, "would change"},
    {"llama-f16", "llama.rope.scaling.yarn_attn_factor", 6, 0, 1, 7, NULL},
    /* files that are no model */
    {"llama-f16", "general.type", 8, 0, 1, 0, NULL},
};

TEST(values_of_odd_kinds_are_named)
{
    size_t i;
    for (i = 0; i < sizeof odd_keys / sizeof odd_keys[0]; i++) {
        static parts g;
        static new_key key;
        const odd_key *x = &odd_keys[i];
        const uint32_t of = x->kind == 9 ? x->of : x->kind;
        const unsigned long before = test_.failures;
        change c;
        syn_error err;
        writer w;
        uint32_t k;
        w.at = key.value;
        w.used = 0;
        snprintf(key.name, sizeof key.name, "%s", x->key);
        w_u32(&w, x->kind);
        if (x->kind == 9) {
            w_u32(&w, x->of);
            w_u64(&w, x->count);
        }
        for (k = 0; k < x->count; k++) {
            const float real = (float)x->value;
            const unsigned char is = x->value != 0;
            uint64_t wide;
            uint32_t bits;
            memcpy(&bits, &real, 4);
            memcpy(&wide, &x->value, 8);
            if (of == 8) w_text(&w, "abacus");
            else if (of == 12) w_u64(&w, wide);
            else if (of == 7) w_bytes(&w, &is, 1);
            else
                w_u32(&w, of == 6   ? bits
                          : of == 5 ? (uint32_t)(int32_t)x->value
                                    : (uint32_t)x->value);
        }
        key.bytes = w.used;
        memset(&c, 0, sizeof c);
        c.set = &key;
        c.sets = 1;
        REQUIRE(load_base(&g, x->base));
        CHECK((open_changed(&g, &c, &err) != SYN_OK) == (x->words != NULL));
        CHECK(x->words ? strstr(err.text, x->words) != NULL : !err.text[0]);
        if (test_.failures != before) printf("  row %d, %s: \"%s\"\n", (int)i, x->key, err.text);
        free(g.file);
    }
}

/* An adapter and a model's eyes are files of the same format. */
TEST(what_is_no_model_is_named)
{
    static const char *const told[][2] = {{"adapter", "a LoRA adapter"}, {"mmproj", "the eyes"}};
    int i;
    for (i = 0; i < 2; i++) {
        static parts g;
        change c;
        syn_error err;
        memset(&c, 0, sizeof c);
        c.key = "general.type";
        c.kind = 8;
        c.text = told[i][0];
        REQUIRE(load_base(&g, "llama-f16"));
        CHECK_FAILS(open_changed(&g, &c, &err), SYN_ERROR_UNSUPPORTED, err);
        CHECK(strstr(err.text, told[i][1]) != NULL);
        free(g.file);
    }
}

/* ---- tensors beside others ---- */

/* A tensor that is added where it does not fit what is there. */
TEST(tensors_that_do_not_go_together)
{
    static const struct {
        const char *base, *name;
        uint64_t ne[2];
        const char *words;
    } odd[] = {
        {"phi3", "blk.0.attn_q.weight", {48, 48}, "attn_qkv.weight and attn_q, _k, _v beside it"},
        {"phi3long", "blk.1.attn_v.weight", {32, 32}, "layer 1 has attn_qkv.weight"},
        {"llama-f16", "blk.0.attn_qkv.bias", {160, 1}, "there is no attn_qkv.weight beside it"},
        {"phi3", "rope_factors_long.weight", {8, 1}, "rope_factors_short.weight is missing"},
        {"phi3", "rope_factors_short.weight", {8, 1}, "rope_factors_long.weight is missing"},
    };
    size_t i;
    for (i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        static parts g;
        static new_tensor t;
        const unsigned long before = test_.failures;
        change c;
        syn_error err;
        memset(&c, 0, sizeof c);
        memset(&t, 0, sizeof t);
        snprintf(t.name, sizeof t.name, "%s", odd[i].name);
        t.dims = odd[i].ne[1] > 1 ? 2 : 1;
        t.ne[0] = odd[i].ne[0];
        t.ne[1] = odd[i].ne[1];
        t.centre = 1;
        c.add = &t;
        c.adds = 1;
        REQUIRE(load_base(&g, odd[i].base));
        CHECK(open_changed(&g, &c, &err) != SYN_OK);
        CHECK(strstr(err.text, odd[i].words) != NULL);
        if (test_.failures != before) printf("  %s: \"%s\"\n", odd[i].name, err.text);
        free(g.file);
    }
}

/* Families of today that no row can say are refused with the reason, others with what is known. */
TEST(an_architecture_that_does_not_fit_is_told_why)
{
    static const char *const told[][3] = {
        {"gemma4", "the nearest is gemma", "share keys and values"},
        {"gemma3n", "the nearest is gemma3", "inputs of their own"},
        {"qwen35", "the nearest is qwen3", "linear attention"},
        {"qwen35moe", "the nearest is qwen3moe", "linear attention"},
        {"qwen3next", "the nearest is qwen3", "linear attention"},
        {"mamba2", "the nearest is", "recurrent state"},
        {"rwkv7", "the nearest is", "recurrent state"},
        {"nomic-bert", "the nearest is", "encoder"},
        {"t5encoder", "the nearest is", "encoder"},
        {"olmo3x", "the nearest is olmo2", "known are llama, mistral3"},
    };
    size_t i;
    for (i = 0; i < sizeof told / sizeof told[0]; i++) {
        static parts g;
        change c;
        syn_error err;
        memset(&c, 0, sizeof c);
        c.key = "general.architecture";
        c.kind = 8;
        c.text = told[i][0];
        REQUIRE(load_base(&g, "llama-f16"));
        CHECK_FAILS(open_changed(&g, &c, &err), SYN_ERROR_UNSUPPORTED, err);
        CHECK(strstr(err.text, told[i][0]) && strstr(err.text, told[i][1]) &&
              strstr(err.text, told[i][2]));
        free(g.file);
    }
}

/* The embedding and the vocabulary must have the same number of tokens. */
TEST(a_vocabulary_that_disagrees_with_the_embedding_is_an_error)
{
    static parts g;
    change c;
    syn_error err;
    memset(&c, 0, sizeof c);
    c.shape = "token_embd.weight";
    REQUIRE(load_base(&g, "llama-f16"));
    CHECK_FAILS(open_changed(&g, &c, &err), SYN_ERROR_MODEL, err);
    CHECK(strstr(err.text, "token_embd.weight") && strstr(err.text, "299") &&
          strstr(err.text, "300"));
    free(g.file);
}

/* Factors for short and for long contexts come together, one a pair of dimensions. */
TEST(rope_factors_by_length_need_each_other)
{
    static const char *const names[] = {"rope_factors_long.weight", "rope_factors_short.weight"};
    int i;
    for (i = 0; i < 2; i++) {
        static parts g;
        change c;
        syn_error err;
        memset(&c, 0, sizeof c);
        c.rename = "output.weight";
        c.to = names[i];
        REQUIRE(load_base(&g, "phi3"));
        CHECK_FAILS(open_changed(&g, &c, &err), SYN_ERROR_MODEL, err);
        CHECK(strstr(err.text, names[i]) && strstr(err.text, "shape"));
        free(g.file);
    }
}

TEST(a_tensor_that_occurs_twice_is_named)
{
    static parts g;
    change c;
    syn_error err;
    memset(&c, 0, sizeof c);
    c.rename = "blk.0.attn_norm.weight";
    c.to = "blk.0.ffn_norm.weight";
    REQUIRE(load_base(&g, "llama-f16"));
    CHECK_FAILS(open_changed(&g, &c, &err), SYN_ERROR_MODEL, err);
    CHECK(strstr(err.text, c.to) && strstr(err.text, "twice"));
    free(g.file);
}

/* A window is optional where all layers are local: 0 and absent mean none. */
TEST(an_optional_window_may_be_zero)
{
    static parts g;
    change c;
    syn_error err;
    memset(&c, 0, sizeof c);
    REQUIRE(load_base(&g, "phi3"));
    c.key = "phi3.attention.sliding_window";
    c.kind = 4;
    CHECK_OK(open_changed(&g, &c, &err), err);
    c.drop_key = c.key;
    c.key = NULL;
    CHECK_OK(open_changed(&g, &c, &err), err);
    free(g.file);
}

TEST_MAIN("families")
