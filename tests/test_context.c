/* The forward pass against PyTorch (float64, weights dequantised by gguf-py): logits and head norms
   of every reference model, in exact and fast arithmetic, in passes of any size, from mapped and
   from streamed files, on any number of threads. */
#define SYNERGY_THREADS
#define SYNERGY_NO_PHIID
#define SYNERGY_IMPLEMENTATION
#include "synergy.h"

#include "model_cases.h"

static void exact_body(model_case *c)
{
    static const uint32_t batches[] = {1, 5, 32};
    int i;
    for (i = 0; i < 3; i++) {
        syn_context ctx;
        syn_context_desc desc = exact_desc(batches[i]);
        worst w;
        REQUIRE(case_context(c, &ctx, &desc));
        REQUIRE(run_case(c, &ctx, batches[i], &w));
        CHECK_NEAR(w.logits, 0, case_tolerance(c, "logits"));
        CHECK_NEAR(w.norms, 0, case_tolerance(c, "head_norms"));
        CHECK(w.other_top == 0);
        if (w.logits > case_tolerance(c, "logits") || w.norms > case_tolerance(c, "head_norms"))
            printf("  in %s, passes of %u\n", c->name, (unsigned)batches[i]);
    }
}

TEST(exact_arithmetic_meets_the_tolerances)
{
    for_each_case(exact_body);
}

/* Batched and single steps give the same logits within 1e-5 (issue: exact mode). */
static void batch_body(model_case *c)
{
    syn_context one, many;
    syn_context_desc desc = exact_desc(1), wide = exact_desc(16);
    syn_error err;
    int32_t ids[16];
    void *first;
    size_t i;
    for (i = 0; i < 16; i++) ids[i] = case_token(c, i);
    REQUIRE(case_context(c, &one, &desc));
    first = c->context_block;
    c->context_block = NULL;
    REQUIRE(case_context(c, &many, &wide));
    REQUIRE_OK(syn_context_step(&many, ids, 16, &err), err);
    for (i = 0; i < 16; i++) {
        size_t v;
        double off = 0;
        REQUIRE_OK(syn_context_step(&one, ids + i, 1, &err), err);
        for (v = 0; v < c->model.vocab; v++)
            off = fmax(off, fabs((double)syn_context_logits(&one, 0)[v] -
                                 (double)syn_context_logits(&many, (int)i)[v]));
        CHECK_NEAR(off, 0, 1e-5);
    }
    free(first);
}

TEST(batches_and_single_steps_agree)
{
    for_each_case(batch_body);
}

/* What llama.cpp's own 8-bit activations do to this model (its default build on the file as it is):
   a number of llama_cpp_check.json, -1 where the file holds none (types that it does not round). */
static double peer_number(const char *name, const char *what)
{
    static char *check;
    test_path_buffer path;
    char key[64];
    const char *at, *end, *found;
    if (!check) check = (char *)file_load(test_path(path, "models/llama_cpp_check.json"), NULL);
    snprintf(key, sizeof key, "\n \"%s\": {", name);
    at = check ? strstr(check, key) : NULL;
    end = at ? strstr(at, "\n }") : NULL;
    at = at ? strstr(at, "\"as_published\"") : NULL;
    snprintf(key, sizeof key, "\"%s\":", what);
    found = at && end && at < end ? strstr(at, key) : NULL;
    return found && found < end ? atof(found + strlen(key)) : -1;
}

/* Are its weights codes in blocks, so that fast arithmetic rounds activations? */
static int has_codes(const model_case *c)
{
    return strstr(c->index, "\"weight_type\": \"Q") || strstr(c->index, "\"weight_type\": \"I");
}

/* Fast arithmetic: its 15 bits are a tenth as far from the float reference as llama.cpp's 8 are, or
   nearer; exact where it does not round (types of numbers). */
static void fast_body(model_case *c)
{
    syn_context ctx;
    syn_context_desc desc = exact_desc(8);
    worst w;
    const char *name = strrchr(c->name, '/') ? strrchr(c->name, '/') + 1 : c->name;
    const double peer_top = peer_number(name, "positions_with_another_top_token");
    const double peer_logits = peer_number(name, "logits");
    desc.arithmetic = SYN_FAST;
    REQUIRE(case_context(c, &ctx, &desc));
    REQUIRE(run_case(c, &ctx, 8, &w));
    if (getenv("SYN_SHOW"))
        printf("  %-18s logits off by %.4f (peer %.4f), other top at %d (peer %.0f), KL %.6f\n",
               name, w.logits, peer_logits, w.other_top, peer_top, w.kl);
    if (peer_top < 0 && has_codes(c)) { /* no numbers of the peer: as near as it is elsewhere */
        CHECK(w.kl < 1e-3);
        CHECK(w.other_top <= 3);
    } else if (peer_top < 0) {
        CHECK_NEAR(w.logits, 0, case_tolerance(c, "logits"));
        CHECK_NEAR(w.norms, 0, case_tolerance(c, "head_norms"));
    } else {
        CHECK(w.logits <= peer_logits / 10);
        CHECK(w.other_top <= (int)peer_top);
    }
}

TEST(fast_arithmetic_is_near)
{
    for_each_case(fast_body);
}

/* Bit for bit the same on any number of threads, in both arithmetics. */
static void threads_body(model_case *c)
{
    int arithmetic;
    for (arithmetic = SYN_FAST; arithmetic <= SYN_EXACT; arithmetic++) {
        float *reference = NULL;
        int threads;
        for (threads = 1; threads <= 3; threads++) {
            static syn_pool pool;
            syn_context ctx;
            syn_error err;
            syn_context_desc desc = exact_desc(4);
            const size_t bytes = 4 * c->model.vocab * sizeof(float);
            int32_t ids[4];
            int i;
            desc.arithmetic = (syn_arithmetic)arithmetic;
            REQUIRE_OK(syn_pool_start(&pool, threads, &err), err);
            desc.parallel = syn_pool_parallel(&pool);
            REQUIRE(case_context(c, &ctx, &desc));
            for (i = 0; i < 4; i++) ids[i] = case_token(c, (size_t)i);
            REQUIRE_OK(syn_context_step(&ctx, ids, 4, &err), err);
            if (!reference) {
                reference = (float *)malloc(bytes);
                memcpy(reference, syn_context_logits(&ctx, 0), bytes);
            }
            CHECK(!memcmp(reference, syn_context_logits(&ctx, 0), bytes));
            syn_pool_stop(&pool);
        }
        free(reference);
    }
}

TEST(threads_do_not_change_a_bit)
{
    for_each_case(threads_body);
}

static bool read_at(void *user, uint64_t offset, void *to, size_t n)
{
    memcpy(to, ((const model_case *)user)->file + offset, n);
    return true;
}

/* A file behind a read callback: the same bits as mapped, whatever the buffer. */
static void stream_body(model_case *c)
{
    syn_context ctx;
    syn_context_desc desc = exact_desc(4);
    syn_error err;
    int32_t ids[4];
    float *reference;
    const size_t bytes = 4 * c->model.vocab * sizeof(float);
    size_t i;
    for (i = 0; i < 4; i++) ids[i] = case_token(c, i);
    REQUIRE(case_context(c, &ctx, &desc));
    REQUIRE_OK(syn_context_step(&ctx, ids, 4, &err), err);
    reference = (float *)malloc(bytes);
    memcpy(reference, syn_context_logits(&ctx, 0), bytes);
    for (i = 0; i < 2; i++) {
        syn_source source = syn_source_callback(read_at, c, c->file_bytes);
        syn_arena arena = syn_arena_on(c->model_block, c->model_bytes);
        syn_model_desc open;
        memset(&open, 0, sizeof open);
        open.no_tokenizer = true;
        desc.stream_bytes = i ? 10000 : 0;
        REQUIRE_OK(syn_model_open(&c->model, &source, 1, &open, &arena, &err), err);
        REQUIRE(case_context(c, &ctx, &desc));
        REQUIRE_OK(syn_context_step(&ctx, ids, 4, &err), err);
        CHECK(!memcmp(reference, syn_context_logits(&ctx, 0), bytes));
    }
    free(reference);
}

TEST(streamed_weights_give_the_same_bits)
{
    for_each_case(stream_body);
}

/* One byte less than the measuring pass says is refused, nothing is written past the end. */
static void memory_body(model_case *c)
{
    syn_context ctx;
    syn_context_desc desc = exact_desc(4);
    syn_error err;
    syn_arena arena = syn_arena_measure();
    syn_model model;
    syn_model_desc open;
    unsigned char *block;
    size_t bytes, i;
    memset(&open, 0, sizeof open);
    open.no_tokenizer = true;
    REQUIRE_OK(syn_context_open(&ctx, &c->model, &desc, &arena, &err), err);
    bytes = arena.used;
    block = (unsigned char *)malloc(bytes + 64);
    memset(block, 0xA5, bytes + 64);
    arena = syn_arena_on(block, bytes - 1);
    CHECK_FAILS(syn_context_open(&ctx, &c->model, &desc, &arena, &err), SYN_ERROR_MEMORY, err);
    CHECK(arena.used == 0);
    arena = syn_arena_on(block, bytes);
    CHECK_OK(syn_context_open(&ctx, &c->model, &desc, &arena, &err), err);
    CHECK(arena.used == bytes);
    {
        int32_t id = case_token(c, 0);
        CHECK_OK(syn_context_step(&ctx, &id, 1, &err), err);
    }
    for (i = bytes; i < bytes + 64; i++) CHECK(block[i] == 0xA5);
    free(block);
    block = (unsigned char *)malloc(c->model_bytes);
    arena = syn_arena_on(block, c->model_bytes - 1);
    CHECK_FAILS(syn_model_open(&model, &c->source, 1, &open, &arena, &err), SYN_ERROR_MEMORY, err);
    free(block);
}

TEST(memory_is_exact_to_the_byte)
{
    for_each_case(memory_body);
}

static void errors_body(model_case *c)
{
    syn_context ctx;
    syn_context_desc desc = exact_desc(4);
    syn_error err;
    int32_t ids[65], bad[2];
    float last;
    int i;
    for (i = 0; i < 65; i++) ids[i] = 5;
    bad[0] = 1;
    bad[1] = (int32_t)c->model.vocab;
    desc.tokens = 64;
    REQUIRE(case_context(c, &ctx, &desc));
    CHECK_FAILS(syn_context_step(&ctx, ids, 65, &err), SYN_ERROR_CONTEXT, err);
    CHECK_FAILS(syn_context_step(&ctx, bad, 2, &err), SYN_ERROR_ARGUMENT, err);
    CHECK(syn_context_position(&ctx, 0) == 0);
    CHECK_OK(syn_context_step(&ctx, ids, 4, &err), err);
    last = syn_context_logits(&ctx, 0)[0];
    CHECK_FAILS(syn_context_rewind(&ctx, 0, 5, &err), SYN_ERROR_ARGUMENT, err);
    CHECK_OK(syn_context_rewind(&ctx, 0, 0, &err), err);
    CHECK_OK(syn_context_step(&ctx, ids, 4, &err), err);
    CHECK(syn_context_logits(&ctx, 0)[0] == last);
    CHECK_OK(syn_context_rewind(&ctx, 0, 0, &err), err);
    CHECK_OK(syn_context_step(&ctx, ids, 64, &err), err);
    CHECK_FAILS(syn_context_step(&ctx, ids, 1, &err), SYN_ERROR_CONTEXT, err);
}

TEST(errors_leave_the_context_as_it_was)
{
    for_each_case(errors_body);
}

typedef struct seen {
    size_t residual, heads;
    double worst;
    const model_case *c;
    const float *norms;
} seen;

static void see(void *user, const syn_probed *v)
{
    seen *s = (seen *)user;
    double square = 0;
    size_t i;
    if (v->kind == SYN_PROBE_RESIDUAL) {
        s->residual++;
        return;
    }
    if (v->kind != SYN_PROBE_HEAD) return;
    s->heads++;
    for (i = 0; i < v->length; i++) square += (double)v->vector[i] * (double)v->vector[i];
    i = ((size_t)v->position * s->c->model.layers + v->layer) * s->c->model.heads + v->unit;
    s->worst = fmax(s->worst, fabs(sqrt(square) - (double)s->c->head_norms.f4[i]));
}

/* The callback sees every vector once, and its norm is the recorded one; a gain of 0 silences. */
static void probe_body(model_case *c)
{
    syn_context ctx;
    syn_context_desc desc = exact_desc(4);
    syn_error err;
    const size_t units = (size_t)c->model.layers * c->model.heads;
    float *gain = (float *)calloc(units, sizeof(float));
    int32_t ids[4];
    seen s;
    size_t i;
    memset(&s, 0, sizeof s);
    s.c = c;
    for (i = 0; i < 4; i++) ids[i] = case_token(c, i);
    REQUIRE(case_context(c, &ctx, &desc));
    ctx.probe.take = see;
    ctx.probe.user = &s;
    REQUIRE_OK(syn_context_step(&ctx, ids, 4, &err), err);
    CHECK(s.residual == 4 * ((size_t)c->model.layers + 1));
    CHECK(s.heads == 4 * units);
    CHECK_NEAR(s.worst, 0, case_tolerance(c, "head_norms"));
    ctx.probe.take = NULL;
    {
        const float before = syn_context_logits(&ctx, 0)[0];
        for (i = 0; i < units; i++) gain[i] = 1;
        ctx.edit.head_gain = gain;
        CHECK_OK(syn_context_rewind(&ctx, 0, 0, &err), err);
        REQUIRE_OK(syn_context_step(&ctx, ids, 4, &err), err);
        CHECK(syn_context_logits(&ctx, 0)[0] == before);
        gain[0] = 0;
        CHECK_OK(syn_context_rewind(&ctx, 0, 0, &err), err);
        REQUIRE_OK(syn_context_step(&ctx, ids, 4, &err), err);
        CHECK(syn_context_logits(&ctx, 0)[0] != before);
    }
    free(gain);
}

TEST(probes_and_edits)
{
    for_each_case(probe_body);
}

/* ---- many sequences ---- */

enum { SEQUENCES = 3, LONGEST = 40 };

/* What each position of each sequence gives, one sequence at a time. */
typedef struct alone {
    float *logits[SEQUENCES], *norms[SEQUENCES], *sinks[SEQUENCES];
} alone;

static int32_t sequence_token(const model_case *c, int s, size_t i)
{
    return case_token(c, (i * (size_t)(s + 1) + (size_t)s) % case_length(c));
}

static void keep_row(const syn_context *ctx, int row, float *logits, float *norms, float *sinks)
{
    const syn_model *m = ctx->model;
    const size_t units = (size_t)m->layers * m->heads;
    memcpy(logits, syn_context_logits(ctx, row), m->vocab * sizeof *logits);
    memcpy(norms, syn_context_norms(ctx, row), units * sizeof *norms);
    memcpy(sinks, syn_context_sinks(ctx, row), units * sizeof *sinks);
}

static void run_alone(model_case *c, const syn_context_desc *desc, const syn_edit *edit, alone *a)
{
    const size_t units = (size_t)c->model.layers * c->model.heads;
    syn_context ctx;
    syn_error err;
    int s, i;
    REQUIRE(case_context(c, &ctx, desc));
    for (s = 0; s < SEQUENCES; s++) {
        a->logits[s] = (float *)malloc(LONGEST * c->model.vocab * sizeof(float));
        a->norms[s] = (float *)malloc(LONGEST * units * sizeof(float));
        a->sinks[s] = (float *)malloc(LONGEST * units * sizeof(float));
        ctx.edit = edit[s];
        CHECK_OK(syn_context_rewind(&ctx, 0, 0, &err), err);
        for (i = 0; i < LONGEST; i++) {
            const int32_t id = sequence_token(c, s, (size_t)i);
            REQUIRE_OK(syn_context_step(&ctx, &id, 1, &err), err);
            keep_row(&ctx, 0, a->logits[s] + (size_t)i * c->model.vocab,
                     a->norms[s] + (size_t)i * units, a->sinks[s] + (size_t)i * units);
        }
    }
}

static void free_alone(alone *a)
{
    int s;
    for (s = 0; s < SEQUENCES; s++) free(a->logits[s]), free(a->norms[s]), free(a->sinks[s]);
}

/* Rows of any sequences in any mix, as a generator says, until all are at their end. */
static size_t mixed_rows(model_case *c, const syn_context *ctx, const syn_edit *edit,
                         uint32_t *state, syn_row *rows, uint32_t *position)
{
    uint32_t at[SEQUENCES];
    size_t n = 0, wanted;
    int s, open = 0;
    for (s = 0; s < SEQUENCES; s++) {
        at[s] = syn_context_position(ctx, (uint32_t)s);
        open += at[s] < LONGEST;
    }
    *state = *state * 1664525u + 1013904223u;
    wanted = 1 + (*state >> 16) % ctx->desc.batch;
    for (s = (int)(*state >> 8) % SEQUENCES; open && n < wanted; s = (s + 1) % SEQUENCES) {
        uint32_t take = 1 + (*state >> (4 * s)) % 7;
        for (; take && n < wanted && at[s] < LONGEST; take--, n++) {
            memset(&rows[n], 0, sizeof rows[n]);
            rows[n].sequence = (uint32_t)s;
            rows[n].edit = &edit[s];
            rows[n].id = sequence_token(c, s, at[s]);
            position[n] = at[s]++;
        }
        open = at[0] < LONGEST || at[1] < LONGEST || at[2] < LONGEST;
    }
    return n;
}

static size_t other_bits(const syn_context *ctx, int row, uint32_t s, uint32_t position,
                         const alone *a)
{
    const size_t units = (size_t)ctx->model->layers * ctx->model->heads, vocab = ctx->model->vocab;
    const float *logits = syn_context_logits(ctx, row);
    return !logits || memcmp(logits, a->logits[s] + position * vocab, vocab * sizeof(float)) ||
           memcmp(syn_context_norms(ctx, row), a->norms[s] + position * units,
                  units * sizeof(float)) ||
           memcmp(syn_context_sinks(ctx, row), a->sinks[s] + position * units,
                  units * sizeof(float));
}

/* The same bits in any packing, each row under its own edit. */
static void packed_body(model_case *c)
{
    const size_t units = (size_t)c->model.layers * c->model.heads;
    float *gain = (float *)malloc(units * sizeof *gain),
          *noise = (float *)malloc(2 * units * sizeof *noise);
    syn_edit edit[SEQUENCES];
    static syn_pool pool;
    syn_error err;
    int kind;
    size_t i;
    memset(edit, 0, sizeof edit);
    for (i = 0; i < units; i++) gain[i] = i % 4 ? 1.0f : 0.0f;
    for (i = 0; i < 2 * units; i++) noise[i] = i % 5 ? 0.0f : 0.01f;
    edit[1].head_gain = gain;
    edit[2].head_noise = noise;
    edit[2].noise_seed = 3;
    REQUIRE_OK(syn_pool_start(&pool, 2, &err), err);
    for (kind = 0; kind < 3; kind++) { /* fast, exact, and with a cache of halves */
        syn_context_desc desc = exact_desc(11);
        syn_context ctx;
        alone a;
        uint32_t state = 7;
        size_t other = 0, fed = 0, n;
        desc.arithmetic = kind == 1 ? SYN_EXACT : SYN_FAST;
        desc.cache = kind == 2 ? SYN_CACHE_F16 : SYN_CACHE_F32;
        desc.sinks = true;
        run_alone(c, &desc, edit, &a);
        desc.sequences = SEQUENCES;
        desc.parallel = syn_pool_parallel(&pool);
        REQUIRE(case_context(c, &ctx, &desc));
        do {
            syn_row rows[11];
            uint32_t position[11];
            n = mixed_rows(c, &ctx, edit, &state, rows, position);
            REQUIRE_OK(syn_context_step_rows(&ctx, rows, n, &err), err);
            for (i = 0; i < n; i++, fed++)
                other += other_bits(&ctx, (int)i, rows[i].sequence, position[i], &a);
        } while (n);
        CHECK(fed == SEQUENCES * LONGEST);
        CHECK(other == 0);
        free_alone(&a);
    }
    syn_pool_stop(&pool);
    free(gain), free(noise);
}

TEST(any_mix_of_sequences_gives_the_same_bits)
{
    for_cases(packed_body, is_slow());
}

/* Every half is itself; between two, the nearer, the even one among equals; none beyond the
   largest. */
TEST(halves_are_rounded_to_the_nearest)
{
    uint32_t h;
    for (h = 0; h < 0x7bff; h++) {
        const float low = synp_half((uint16_t)h), high = synp_half((uint16_t)(h + 1));
        const float middle = (float)(((double)low + (double)high) / 2);
        CHECK(synp_half_of(low) == h && synp_half_of(-low) == (h | 0x8000u));
        CHECK(synp_half_of(middle) == (h & 1 ? h + 1 : h));
        CHECK(synp_half_of(nextafterf(middle, 0)) == h &&
              synp_half_of(nextafterf(middle, high)) == h + 1);
    }
    CHECK(synp_half_of(65504.0f) == 0x7bff && synp_half_of(1e9f) == 0x7bff);
    CHECK(synp_half_of(-(float)INFINITY) == 0xfbff);
    CHECK(!(synp_half(synp_half_of((float)NAN)) == synp_half(synp_half_of((float)NAN))));
}

/* A cache of halves: half the memory, and near. */
static void halves_body(model_case *c)
{
    syn_context ctx;
    syn_context_desc desc = exact_desc(8);
    size_t bytes;
    worst w;
    desc.tokens = c->model.global[SYN_POSITION_EMBD].type ? 128 : 512;
    REQUIRE(case_context(c, &ctx, &desc));
    bytes = c->context_bytes;
    desc.cache = SYN_CACHE_F16;
    REQUIRE(case_context(c, &ctx, &desc));
    CHECK(c->model.window || desc.tokens < 512 || c->context_bytes < bytes);
    REQUIRE(run_case(c, &ctx, 8, &w));
    CHECK(w.kl < 1e-5);
    CHECK(w.kl > 0); /* it does round */
}

TEST(a_cache_of_halves_is_near)
{
    for_each_case(halves_body);
}

/* In a short context, too, halves save memory: their tile as floats is no longer than the context.
   It is one head's keys and values, so that it takes more than two heads in all to save. */
static void short_halves_body(model_case *c)
{
    syn_context ctx;
    syn_context_desc desc = exact_desc(1);
    size_t bytes;
    desc.tokens = 32;
    REQUIRE(case_context(c, &ctx, &desc));
    bytes = c->context_bytes;
    desc.cache = SYN_CACHE_F16;
    REQUIRE(case_context(c, &ctx, &desc));
    if (!c->model.window && c->model.layers * c->model.cache_heads > 2)
        CHECK(c->context_bytes < bytes);
}

TEST(halves_save_in_short_contexts)
{
    for_each_case(short_halves_body);
}

/* Without all_logits a sequence's last row has them; a copy goes on as its original; rows that
   cannot be fed move nothing. */
static void sequences_body(model_case *c)
{
    syn_context_desc desc = exact_desc(8);
    syn_context ctx;
    syn_error err;
    syn_row rows[9];
    const size_t bytes = c->model.vocab * sizeof(float);
    float *first = (float *)malloc(bytes);
    int i;
    desc.all_logits = false;
    desc.sequences = 2;
    desc.tokens = 10;
    REQUIRE(case_context(c, &ctx, &desc));
    memset(rows, 0, sizeof rows);
    for (i = 0; i < 9; i++)
        rows[i].sequence = (uint32_t)(i == 2), rows[i].id = case_token(c, (size_t)i);
    CHECK(syn_context_logits(&ctx, SYN_LAST_ROW) == NULL);
    CHECK_FAILS(syn_context_step_rows(&ctx, rows, 9, &err), SYN_ERROR_ARGUMENT, err);
    rows[3].sequence = 2;
    CHECK_FAILS(syn_context_step_rows(&ctx, rows, 8, &err), SYN_ERROR_ARGUMENT, err);
    rows[3].sequence = 0;
    CHECK(syn_context_position(&ctx, 0) == 0 && syn_context_position(&ctx, 1) == 0);
    REQUIRE_OK(syn_context_step_rows(&ctx, rows, 4, &err), err);
    CHECK(err.status == SYN_OK && !err.text[0]);
    CHECK(!syn_context_logits(&ctx, 0) && !syn_context_logits(&ctx, 1) &&
          !syn_context_logits(&ctx, 4));
    CHECK(syn_context_logits(&ctx, 2) && syn_context_logits(&ctx, 3));
    CHECK(syn_context_position(&ctx, 0) == 3 && syn_context_position(&ctx, 1) == 1);
    CHECK_FAILS(syn_context_copy(&ctx, 0, 2, &err), SYN_ERROR_ARGUMENT, err);
    CHECK_OK(syn_context_copy(&ctx, 0, 1, &err), err);
    CHECK(syn_context_position(&ctx, 1) == 3);
    rows[0].sequence = 1;
    rows[0].id = rows[1].id;
    REQUIRE_OK(syn_context_step_rows(&ctx, rows, 2, &err), err); /* the same token behind both */
    memcpy(first, syn_context_logits(&ctx, 0), bytes);
    CHECK(!memcmp(first, syn_context_logits(&ctx, 1), bytes));
    for (i = 0; i < 7; i++) rows[i].sequence = 1;
    CHECK_FAILS(syn_context_step_rows(&ctx, rows, 7, &err), SYN_ERROR_CONTEXT, err);
    CHECK(syn_context_position(&ctx, 1) == 4);
    CHECK_FAILS(syn_context_rewind(&ctx, 2, 0, &err), SYN_ERROR_ARGUMENT, err);
    free(first);
}

TEST(sequences_are_apart)
{
    for_each_case(sequences_body);
}

/* ------------------------------------------------------------------ what is refused */

static int load_named(model_case *c, const char *name)
{
    test_path_buffer path;
    const char *folder = case_folder(path, name);
    return folder && case_load(c, folder);
}

/* Settings that no context can have: named, and the arena is as it was. */
TEST(settings_that_are_refused)
{
    static const struct {
        const char *model;
        syn_context_desc desc;
        const char *words;
    } odd[] = {
#define ODD(model, field, value, words) {model, {.field = value}, words}
        ODD("llama-f16", arithmetic, (syn_arithmetic)(SYN_EXACT + 1), "no such choice"),
        ODD("llama-f16", arithmetic, (syn_arithmetic)77, "arithmetic 77"),
        ODD("llama-f16", cache, (syn_cache_type)(SYN_CACHE_F16 + 1), "no such choice"),
        ODD("qwen3moe-tiny", expert_norms, (syn_expert_norms)(SYN_EXPERTS_ALL + 1),
            "no such choice"),
        ODD("llama-f16", expert_norms, SYN_EXPERTS_ALL, "llama without experts"),
        ODD("llama-f16", parallel.threads, 100000, "100000 threads, at most"),
        ODD("llama-f16", tokens, 0x80000000u, "2147483648 tokens"),
        ODD("llama-f16", sequences, 0xFFFFFFFFu, "4294967295 sequences"),
        ODD("gpt2-iq4_nl", tokens, 100000, "a context of 100000 tokens, the model has positions"),
        ODD("llama-f16", simd, (syn_simd)9999, "instruction set 9999 is not there"),
#undef ODD
    };
    size_t i;
    for (i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        static model_case c;
        syn_context ctx;
        syn_arena arena = syn_arena_measure();
        syn_error err;
        REQUIRE(load_named(&c, odd[i].model));
        CHECK_FAILS(syn_context_open(&ctx, &c.model, &odd[i].desc, &arena, &err),
                    SYN_ERROR_ARGUMENT, err);
        if (!strstr(err.text, odd[i].words)) printf("  %s: %s\n", odd[i].words, err.text);
        CHECK(strstr(err.text, odd[i].words) != NULL);
        CHECK(arena.used == 0 && !ctx.work);
        case_free(&c);
    }
}

/* Rows with an id outside of the vocabulary, from a layer that is not there; a result before the
   first pass, or of a row that it had not. Nothing moves. */
TEST(rows_that_are_refused)
{
    static model_case c;
    syn_context ctx;
    syn_context_desc desc = exact_desc(4);
    syn_error err;
    syn_row rows[5];
    float *sd, one[3];
    int i;
    REQUIRE(load_named(&c, "qwen3moe-tiny"));
    desc.expert_norms = SYN_EXPERTS_WEIGHTED;
    REQUIRE(case_context(&c, &ctx, &desc));
    CHECK(!syn_context_logits(&ctx, 0) && !syn_context_logits(&ctx, SYN_LAST_ROW));
    CHECK(!syn_context_expert_norms(&ctx, 0) && !syn_context_stream(&ctx, 0));
    memset(rows, 0, sizeof rows);
    for (i = 0; i < 5; i++) rows[i].id = case_token(&c, (size_t)i);
    rows[1].id = -1;
    CHECK_FAILS(syn_context_step_rows(&ctx, rows, 3, &err), SYN_ERROR_ARGUMENT, err);
    CHECK(strstr(err.text, "token 1 has the id -1") != NULL);
    rows[1].id = (int32_t)c.model.vocab;
    CHECK_FAILS(syn_context_step_rows(&ctx, rows, 3, &err), SYN_ERROR_ARGUMENT, err);
    rows[1].id = 3;
    CHECK_FAILS(syn_context_step_rows(&ctx, rows, 5, &err), SYN_ERROR_ARGUMENT, err);
    CHECK(strstr(err.text, "5 rows, a pass takes 4") != NULL);
    CHECK(syn_context_position(&ctx, 0) == 0 && !syn_context_logits(&ctx, 0));
    REQUIRE_OK(syn_context_step_rows(&ctx, rows, 3, &err), err);
    CHECK(syn_context_logits(&ctx, SYN_LAST_ROW) && syn_context_expert_norms(&ctx, 2));
    CHECK(syn_context_stream(&ctx, 2) && !syn_context_stream(&ctx, 3));
    CHECK(!syn_context_expert_norms(&ctx, 3) && !syn_context_expert_norms(&ctx, -7));
    CHECK_FAILS(syn_context_step_from(&ctx, c.model.layers + 1, rows, 1, &err), SYN_ERROR_ARGUMENT,
                err);
    CHECK_FAILS(syn_context_step_from(&ctx, 0, rows, 5, &err), SYN_ERROR_ARGUMENT, err);
    CHECK_OK(syn_context_step_rows(&ctx, rows, 0, &err), err);
    CHECK(syn_context_position(&ctx, 0) == 3);
    CHECK_FAILS(syn_context_copy(&ctx, 7, 0, &err), SYN_ERROR_ARGUMENT, err);
    CHECK_FAILS(syn_context_copy(&ctx, 0, 7, &err), SYN_ERROR_ARGUMENT, err);
    sd = (float *)calloc((size_t)c.model.heads, 2 * sizeof *sd);
    CHECK_FAILS(syn_context_edit_head_sd(&ctx, c.model.layers, sd, &err), SYN_ERROR_ARGUMENT, err);
    CHECK_OK(syn_context_edit_head_sd(&ctx, 0, sd, &err), err);
    CHECK(sd[0] > 0);
    CHECK_FAILS(syn_context_edit_expert_sd(&ctx, c.model.layers, 0, one, &err), SYN_ERROR_ARGUMENT,
                err);
    CHECK_FAILS(syn_context_edit_expert_sd(&ctx, 0, c.model.experts, one, &err), SYN_ERROR_ARGUMENT,
                err);
    CHECK_OK(syn_context_edit_expert_sd(&ctx, 0, 0, one, &err), err);
    CHECK(one[0] > 0 && one[1] > 0 && one[2] > 0);
    free(sd);
    case_free(&c);
}

/* The last layer's stream of a former pass, put out again, gives its logits; and from the first
   layer on, too. */
TEST(from_a_layer_on_gives_the_same_bits)
{
    static const char *const names[] = {"llama-tied-q4_1", "gemma2-tiny", "gpt2-iq4_nl"};
    size_t i;
    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        static model_case c;
        syn_context ctx;
        syn_context_desc desc = exact_desc(4);
        syn_error err;
        syn_row rows[3];
        float *stream, *logits;
        size_t p, embd, vocab;
        REQUIRE(load_named(&c, names[i]));
        embd = c.model.embd;
        vocab = c.model.vocab;
        desc.all_logits = true;
        REQUIRE(case_context(&c, &ctx, &desc));
        stream = (float *)malloc(3 * embd * sizeof *stream);
        logits = (float *)malloc(3 * vocab * sizeof *logits);
        memset(rows, 0, sizeof rows);
        for (p = 0; p < 3; p++) rows[p].id = case_token(&c, p);
        REQUIRE_OK(syn_context_step_rows(&ctx, rows, 3, &err), err);
        for (p = 0; p < 3; p++) {
            memcpy(stream + p * embd, syn_context_stream(&ctx, (int)p), embd * sizeof *stream);
            memcpy(logits + p * vocab, syn_context_logits(&ctx, (int)p), vocab * sizeof *logits);
            rows[p].stream = stream + p * embd;
        }
        REQUIRE_OK(syn_context_step_from(&ctx, c.model.layers, rows, 3, &err), err);
        CHECK(syn_context_position(&ctx, 0) == 3); /* it moves none */
        for (p = 0; p < 3; p++)
            CHECK(!memcmp(logits + p * vocab, syn_context_logits(&ctx, (int)p),
                          vocab * sizeof *logits));
        CHECK_OK(syn_context_step_from(&ctx, c.model.layers, rows, 0, &err), err);
        CHECK(!syn_context_logits(&ctx, 0));
        free(stream);
        free(logits);
        case_free(&c);
    }
}

/* Behind a window that is full only positions whose window is still there can be gone back to. */
TEST(no_rewind_into_what_is_overwritten)
{
    static model_case c;
    syn_context ctx;
    syn_context_desc desc = exact_desc(2);
    syn_error err;
    float *before;
    int32_t id;
    uint32_t far;
    size_t i, bytes;
    REQUIRE(load_named(&c, "gemma2-tiny"));
    REQUIRE(c.model.window > 1);
    far = 3 * c.model.window + 7;
    bytes = c.model.vocab * sizeof *before;
    desc.tokens = far + 8;
    REQUIRE(case_context(&c, &ctx, &desc));
    for (i = 0; i < far; i++) {
        id = case_token(&c, i % 8);
        REQUIRE_OK(syn_context_step(&ctx, &id, 1, &err), err);
    }
    before = (float *)malloc(bytes);
    memcpy(before, syn_context_logits(&ctx, SYN_LAST_ROW), bytes);
    CHECK_FAILS(syn_context_rewind(&ctx, 0, 1, &err), SYN_ERROR_ARGUMENT, err);
    CHECK(strstr(err.text, "is overwritten") != NULL);
    CHECK_FAILS(syn_context_rewind(&ctx, 0, far - c.model.window, &err), SYN_ERROR_ARGUMENT, err);
    CHECK(syn_context_position(&ctx, 0) == far);
    CHECK_OK(syn_context_rewind(&ctx, 0, far - 1, &err), err);
    REQUIRE_OK(syn_context_step(&ctx, &id, 1, &err), err);
    CHECK(!memcmp(before, syn_context_logits(&ctx, SYN_LAST_ROW), bytes));
    CHECK_OK(syn_context_rewind(&ctx, 0, 0, &err), err);
    free(before);
    case_free(&c);
}

TEST_MAIN("context")
