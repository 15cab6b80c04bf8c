/* speak.c - many texts side by side. */
#include "learn/speak.h"

#include <stdlib.h>
#include <string.h>

/* ---- the image --------------------------------------------------------------------------- */

static bool find_places(speaker *s, problem *why)
{
    syn_gguf gguf;
    syn_error err;
    if (syn_gguf_open(&gguf, &s->source, &err) != SYN_OK) return problem_engine(why, NULL, &err);
    uint64_t at = gguf.tensors_at;
    for (uint64_t i = 0; i < gguf.tensors; i++) {
        syn_gguf_tensor t;
        if (syn_gguf_tensor_at(&gguf, at, &t, &err) != SYN_OK)
            return problem_engine(why, NULL, &err);
        at = t.next_at;
        for (size_t p = 0; p < s->n->params; p++)
            if (strlen(s->n->param[p].name) == t.name_bytes &&
                !memcmp(s->n->param[p].name, s->image + t.name_at, (size_t)t.name_bytes))
                s->place[p] = t.offset;
    }
    return true;
}

static void put_float(unsigned char *to, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, 4);
    for (int b = 0; b < 4; b++) to[b] = (unsigned char)(bits >> 8 * b & 255);
}

void speaker_follow(speaker *s, const stretches *changed)
{
    for (size_t i = 0, p = 0; i < changed->count; i++) {
        const stretch c = changed->at[i];
        while (p && s->n->param[p].at > c.at) p--;
        while (p + 1 < s->n->params && s->n->param[p + 1].at <= c.at) p++;
        unsigned char *to = s->image + s->place[p] + 4 * (c.at - s->n->param[p].at);
        for (size_t k = 0; k < c.count; k++) put_float(to + 4 * k, s->n->weight[c.at + k]);
    }
}

bool speaker_open(speaker *s, const net *n, const char *path, size_t sequences, size_t tokens,
                  problem *why)
{
    file_view view;
    syn_error err;
    size_t bytes;
    memset(s, 0, sizeof *s);
    s->n = n;
    s->tokens = tokens;
    s->sequences = sequences;
    s->batch = sequences > 64 ? sequences : 64;
    if (!file_map(&view, path, why)) return false;
    s->image = tool_alloc(view.size, 1);
    s->image_bytes = view.size;
    memcpy(s->image, view.bytes, view.size);
    file_unmap(&view);
    s->place = tool_alloc(n->params, sizeof *s->place);
    s->source = syn_source_memory(s->image, s->image_bytes);
    syn_context_desc desc;
    memset(&desc, 0, sizeof desc);
    desc.tokens = (uint32_t)tokens;
    desc.sequences = (uint32_t)sequences;
    desc.batch = (uint32_t)s->batch;
    desc.parallel = *n->parallel;
    bool good = find_places(s, why);
    if (good &&
        syn_open_measure(&s->source, 1, NULL, &desc, &s->model, &s->ctx, &bytes, &err) != SYN_OK)
        good = problem_engine(why, path, &err);
    if (good) s->block = tool_alloc(bytes, 1);
    if (good && syn_open_block(&s->source, 1, NULL, &desc, s->block, bytes, &s->model, &s->ctx,
                               &err) != SYN_OK)
        good = problem_engine(why, path, &err);
    if (!good) speaker_close(s);
    return good;
}

void speaker_close(speaker *s)
{
    free(s->image);
    free(s->place);
    free(s->block);
    memset(s, 0, sizeof *s);
}

/* ---- speaking ---------------------------------------------------------------------------- */

/* One text under way. */
typedef struct voice {
    const question *q;
    size_t number, fed; /* of the answer; ids of the question that are fed */
    /* the first `shared` ids are those of an earlier text, and are taken from it once it has them
     */
    size_t like, shared;
    int32_t last; /* to be fed next */
    syn_sampler sampler;
    bool open;
    int row; /* of the pass under way whose logits are to be read; -1: none */
} voice;

/* An answer ends with the token that ends a text, or with a line's end behind some words. */
static bool ends(const speaker *s, int32_t id, size_t length)
{
    char piece[64];
    size_t bytes = 0;
    syn_error err;
    const syn_tokenizer *t = &s->model.tokenizer;
    if (syn_token_is_end(t, id) || id == t->eos) return true;
    if (!length || syn_token_text(t, id, 0, piece, sizeof piece, &bytes, &err) != SYN_OK)
        return false;
    return bytes && memchr(piece, '\n', bytes) != NULL;
}

static void hear(const speaker *s, voice *v, answers *to)
{
    const float *logits = syn_context_logits(&s->ctx, v->row);
    size_t *length = &to->length[v->number];
    v->last = syn_sample(&v->sampler, logits, s->n->vocab);
    to->ids[v->number * to->most + (*length)++] = v->last;
    if (ends(s, v->last, *length - 1) || *length == to->most) v->open = false;
}

/* The earlier text that begins most like this one; the last id of a question is always fed. */
static void find_alike(voice *v, size_t which)
{
    const question *q = v[which].q;
    for (size_t i = 0; i < which && v[which].shared + 1 < q->count; i++) {
        size_t n = 0;
        while (n + 1 < q->count && n < v[i].q->count && v[i].q->ids[n] == q->ids[n]) n++;
        if (n <= v[which].shared) continue;
        v[which].shared = n;
        v[which].like = i;
    }
}

/* false in `ready`: what it begins with is not there yet. */
static bool take_beginning(speaker *s, voice *v, size_t which, bool *ready, problem *why)
{
    voice *to = &v[which];
    const uint32_t from = (uint32_t)to->like, own = (uint32_t)which;
    syn_error err;
    *ready = to->fed >= to->shared;
    if (*ready || syn_context_position(&s->ctx, from) < to->shared) return true;
    if (syn_context_copy(&s->ctx, from, own, &err) != SYN_OK ||
        syn_context_rewind(&s->ctx, own, (uint32_t)to->shared, &err) != SYN_OK)
        return problem_engine(why, NULL, &err);
    to->fed = to->shared;
    *ready = true;
    return true;
}

static bool one_pass(speaker *s, voice *v, size_t voices, syn_row *rows, answers *to, bool *more,
                     problem *why)
{
    syn_error err;
    size_t n = 0;
    for (size_t i = 0; i < voices; i++) {
        bool ready = true;
        v[i].row = -1;
        if (!v[i].open || n == s->batch) continue;
        if (!take_beginning(s, v, i, &ready, why)) return false;
        if (!ready) continue;
        if (v[i].fed < v[i].q->count) {
            while (v[i].fed < v[i].q->count && n < s->batch)
                rows[n++] = (syn_row){.sequence = (uint32_t)i, .id = v[i].q->ids[v[i].fed++]};
            if (v[i].fed == v[i].q->count) v[i].row = (int)n - 1;
        } else {
            v[i].row = (int)n;
            rows[n++] = (syn_row){.sequence = (uint32_t)i, .id = v[i].last};
        }
    }
    *more = n > 0;
    if (!n) return true;
    if (syn_context_step_rows(&s->ctx, rows, n, &err) != SYN_OK)
        return problem_engine(why, NULL, &err);
    for (size_t i = 0; i < voices; i++)
        if (v[i].row >= 0) hear(s, &v[i], to);
    return true;
}

static uint64_t mixed(uint64_t seed, uint64_t number)
{
    uint64_t state = seed ^ (number + 1) * 0xD1B54A32D192ED03u;
    (void)random_bits(&state);
    return random_bits(&state);
}

bool speak(speaker *s, const question *q, size_t questions, size_t each, double temperature,
           uint64_t seed, answers *to, problem *why)
{
    const size_t all = questions * each;
    voice *v = tool_alloc(s->sequences, sizeof *v);
    syn_row *rows = tool_alloc(s->batch, sizeof *rows);
    bool good = true;
    to->count = all;
    to->ids = tool_alloc(all * to->most, sizeof *to->ids);
    to->length = tool_alloc(all, sizeof *to->length);
    for (size_t first = 0; first < all && good; first += s->sequences) {
        const size_t voices = all - first < s->sequences ? all - first : s->sequences;
        bool more = true;
        for (size_t i = 0; i < voices && good; i++) {
            syn_error err;
            memset(&v[i], 0, sizeof v[i]);
            v[i].number = first + i;
            v[i].q = &q[(first + i) / each];
            v[i].open = true;
            v[i].sampler.temperature = (float)temperature;
            v[i].sampler.seed = mixed(seed, first + i);
            find_alike(v, i);
            if (syn_context_rewind(&s->ctx, (uint32_t)i, 0, &err) != SYN_OK)
                good = problem_engine(why, NULL, &err);
        }
        while (more && good) good = one_pass(s, v, voices, rows, to, &more, why);
    }
    for (size_t a = 0; a < all; a++)
        for (size_t i = to->length[a]; i < to->most; i++) to->ids[a * to->most + i] = -1;
    free(rows);
    free(v);
    return good;
}

void answers_free(answers *a)
{
    free(a->ids);
    free(a->length);
    a->ids = NULL;
    a->length = NULL;
}

void answer_text(const speaker *s, const answers *a, size_t which, text *to)
{
    const syn_tokenizer *t = &s->model.tokenizer;
    const int32_t *ids = a->ids + which * a->most;
    char *room = tool_alloc((size_t)t->tokens.longest + 1, 1);
    to->length = 0;
    text_add(to, "");
    for (size_t i = 0; i < a->length[which]; i++) {
        size_t bytes = 0;
        syn_error err;
        if (syn_token_is_end(t, ids[i]) || ids[i] == t->eos) break;
        if (syn_token_text(t, ids[i], SYN_HIDE_SPECIAL, room, t->tokens.longest, &bytes, &err) !=
            SYN_OK)
            break;
        text_add_bytes(to, room, bytes);
    }
    free(room);
}
