/* Any vocabulary, any ids: to text as they come and at once, which must agree where nothing is
   dropped at the beginning and before punctuation. The file around the vocabulary is well formed,
   so that every input is one.

   An input is: options (1 byte), number of tokens (1 byte), their texts (a length, a type, a score
   and that many bytes each), then ids (1 byte each). */
#include "../../synergy.h"

#include "../gguf_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct input {
    const uint8_t *at;
    size_t left;
} input;

static unsigned take(input *in)
{
    if (!in->left) return 0;
    in->left--;
    return *in->at++;
}

static void demand(bool good)
{
    if (!good) abort();
}

static void vocabulary(gguf_out *f, input *in, unsigned options, unsigned count)
{
    char word[64], kind[256];
    float score[256];
    unsigned i, k;
    gguf_begin(f, 3);
    gguf_text(f, "tokenizer.ggml.model", options & 1 ? "gpt2" : "llama");
    gguf_array(f, "tokenizer.ggml.tokens", 8, count);
    for (i = 0; i < count; i++) {
        const unsigned n = take(in) & 63;
        kind[i] = (char)(take(in) % 7);
        score[i] = (float)take(in) - 100;
        for (k = 0; k < n; k++) word[k] = (char)take(in);
        gguf_string(f, word, n);
    }
    gguf_array(f, "tokenizer.ggml.token_type", 5, count);
    for (i = 0; i < count; i++) gguf_int(f, (uint64_t)kind[i], 4);
    gguf_array(f, "tokenizer.ggml.scores", 6, count);
    for (i = 0; i < count; i++) gguf_put(f, &score[i], 4);
    if (options & 1) gguf_array(f, "tokenizer.ggml.merges", 8, 0);
    gguf_number(f, "tokenizer.ggml.add_space_prefix", 7, (options & 2) != 0, 1);
    gguf_u32(f, "tokenizer.ggml.bos_token_id", 0);
    gguf_u32(f, "tokenizer.ggml.eos_token_id", 0);
    gguf_u32(f, "tokenizer.ggml.unknown_token_id", 0);
    gguf_end(f);
}

static void use(const syn_tokenizer *t, const int32_t *ids, size_t n, unsigned options)
{
    const int flags = options & 4 ? SYN_HIDE_SPECIAL : 0;
    const size_t room = (size_t)t->tokens.longest + 4;
    size_t i, length, streamed = 0, whole, capacity = 1;
    char *piece = (char *)malloc(room), *text, *stream, last[4];
    syn_detokenizer d;
    memset(&d, 0, sizeof d);
    stream = (char *)malloc(n * room + 8);
    for (i = 0; i < n; i++) {
        demand(!syn_token_text(t, ids[i], flags, NULL, 0, &length, NULL) || length);
        demand(length <= t->tokens.longest);
        demand(!syn_detokenizer_push(&d, t, ids[i], flags, piece, room, &length, NULL));
        demand(length <= room);
        memcpy(stream + streamed, piece, length);
        streamed += length;
    }
    length = syn_detokenizer_flush(&d, last);
    demand(length < 4);
    memcpy(stream + streamed, last, length);
    streamed += length;
    demand(!syn_detokenize(t, ids, n, flags, NULL, 0, &whole, NULL));
    capacity += whole;
    text = (char *)malloc(capacity);
    demand(!syn_detokenize(t, ids, n, flags, text, whole, &length, NULL) && length <= whole);
    if (whole && length == whole)
        demand(syn_detokenize(t, ids, n, flags, text, whole - 1, &length, NULL) ==
               SYN_ERROR_MEMORY);
    if (!t->clean_spaces && !t->add_space_prefix) {
        demand(!syn_detokenize(t, ids, n, flags, text, whole, &length, NULL));
        demand(length == streamed && !memcmp(text, stream, streamed));
    }
    free(text);
    free(stream);
    free(piece);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input in;
    gguf_out f;
    syn_source source;
    syn_gguf gguf;
    syn_tokenizer t;
    syn_arena arena = syn_arena_measure();
    syn_error err;
    unsigned options, count;
    in.at = data;
    in.left = size;
    options = take(&in);
    count = take(&in) + 1;
    vocabulary(&f, &in, options, count);
    source = syn_source_memory(f.bytes, f.size);
    demand(!syn_gguf_open(&gguf, &source, &err));
    if (!syn_tokenizer_open(&t, &gguf, NULL, &arena, &err)) {
        void *block = malloc(arena.used);
        arena = syn_arena_on(block, arena.used);
        if (!syn_tokenizer_open(&t, &gguf, NULL, &arena, &err)) {
            int32_t id[256];
            size_t n;
            for (n = 0; n < 256 && in.left; n++) id[n] = (int32_t)(take(&in) % count);
            use(&t, id, n, options);
        }
        free(block);
    }
    gguf_free(&f);
    return 0;
}
