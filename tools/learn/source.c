/* source.c - where rows come from. */
#include "learn/source.h"
#include "learn/stage.h"

#include <stdlib.h>
#include <string.h>

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t state = a ^ (b + 1) * 0xD1B54A32D192ED03u;
    (void)random_bits(&state);
    return random_bits(&state);
}

bool source_tokens(source *s, const char *path, uint32_t vocab, problem *why)
{
    memset(s, 0, sizeof *s);
    s->epoch = UINT64_MAX;
    return net_rows_read(&s->ids, &s->rows, &s->length, path, vocab, why);
}

enum { HELD_SHARE = 32 };

bool source_text(source *s, const syn_tokenizer *t, const char *path, size_t length, problem *why)
{
    text words = {0};
    size_t count = 0;
    memset(s, 0, sizeof *s);
    s->epoch = UINT64_MAX;
    s->tokenizer = t;
    s->length = length;
    if (!read_file(path, &words, why)) return false;
    s->ids =
        words.length ? tokenize_text(t, words.at, words.length, SYN_NO_BOS, &count, why) : NULL;
    const size_t bytes = words.length;
    text_free(&words);
    if (!bytes) return problem_set(why, "%s: the text is empty", path);
    if (!s->ids) return false;
    s->tokens = count;
    s->rows =
        (count - count / HELD_SHARE) / length; /* a part of one window is left for the shift */
    if (s->rows > 1) s->rows--;
    if (s->rows) return true;
    free(s->ids);
    s->ids = NULL;
    return problem_set(why, "%s: %zu tokens, fewer than one window of %zu (-c)", path, count,
                       length);
}

void source_corpus(source *s, const syn_tokenizer *t, uint64_t seed, size_t length)
{
    memset(s, 0, sizeof *s);
    s->tokenizer = t;
    s->length = length;
    s->corpus = true;
    s->seed = seed;
}

bool source_held_out(const source *s, source *held)
{
    *held = *s;
    held->order = NULL;
    held->held_out = true;
    if (s->corpus) return true;
    if (!s->tokenizer || s->tokens / HELD_SHARE < 2) return false;
    held->ids = s->ids + (s->tokens - s->tokens / HELD_SHARE);
    held->tokens = s->tokens / HELD_SHARE;
    if (held->length > held->tokens) held->length = held->tokens;
    held->rows = held->tokens / held->length;
    held->given_order = true;
    return true;
}

void source_close(source *s)
{
    if (!s->held_out) free(s->ids);
    free(s->order);
    memset(s, 0, sizeof *s);
}

/* A permutation (Fisher and Yates) of the rows, by the number of the time through. */
static void shuffle(source *s, uint64_t epoch)
{
    uint64_t state = mix(s->seed, epoch);
    if (!s->order) s->order = tool_alloc(s->rows, sizeof *s->order);
    for (size_t i = 0; i < s->rows; i++) s->order[i] = (uint32_t)i;
    for (size_t i = s->rows; i > 1; i--) {
        const size_t j = (size_t)(random_bits(&state) % i);
        const uint32_t swap = s->order[i - 1];
        s->order[i - 1] = s->order[j];
        s->order[j] = swap;
    }
    s->epoch = epoch;
}

/* Documents one after the other, each behind the token that ends a text; the last is cut. */
static bool corpus_row(const source *s, uint64_t number, int32_t *ids, problem *why)
{
    size_t filled = 0;
    for (uint64_t i = 0; filled < s->length; i++) {
        text words = {0};
        corpus_item item;
        size_t count = 0;
        corpus_document(s->seed + s->held_out, mix(number, i), CORPUS_ANY, NULL, s->held_out,
                        &words, &item);
        ids[filled++] = s->tokenizer->eos;
        int32_t *document =
            tokenize_text(s->tokenizer, words.at, words.length, SYN_NO_BOS, &count, why);
        text_free(&words);
        if (!document) return false;
        for (size_t k = 0; k < count && filled < s->length; k++) ids[filled++] = document[k];
        free(document);
    }
    return true;
}

bool source_rows(source *s, uint64_t first, size_t count, int32_t *ids, problem *why)
{
    for (size_t i = 0; i < count; i++, ids += s->length) {
        const uint64_t number = first + i;
        if (s->corpus) {
            if (!corpus_row(s, number, ids, why)) return false;
            continue;
        }
        const uint64_t epoch = number / s->rows;
        size_t row = (size_t)(number % s->rows), shift = 0;
        if (!s->given_order && epoch != s->epoch) shuffle(s, epoch);
        if (!s->given_order) row = s->order[row];
        if (s->tokenizer && !s->given_order && s->tokens >= (s->rows + 1) * s->length)
            shift = (size_t)(mix(~s->seed, epoch) % s->length);
        memcpy(ids, s->ids + row * s->length + shift, s->length * sizeof *ids);
    }
    return true;
}
