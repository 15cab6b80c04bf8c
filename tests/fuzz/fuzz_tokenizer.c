/* Vocabularies and texts of any bytes: must neither crash nor read or write out of bounds, whatever
   comes back. What did open must keep the promises of the memory contract.

   python3 fuzz/tokenizer_seeds.py seeds
   clang -g -O1 -fsanitize=fuzzer,address,undefined -I.. fuzz/fuzz_tokenizer.c -o fuzz_tokenizer -lm
   ./fuzz_tokenizer -max_total_time=60 -max_len=16384 seeds

   An input is: options (1 byte), length of the text (2 bytes, little endian), text, GGUF file. */
#include "synergy.h"
#include <stdlib.h>
#include <string.h>

typedef struct file_bytes {
    const uint8_t *p;
    size_t n;
} file_bytes;

static bool read_bytes(void *user, uint64_t offset, void *to, size_t n)
{
    const file_bytes *f = (const file_bytes *)user;
    if (offset > f->n || n > f->n - offset) abort(); /* promised by the header */
    memcpy(to, f->p + offset, n);
    return true;
}

static void use_ids(const syn_tokenizer *t, const int32_t *ids, size_t n)
{
    size_t i, room, length, whole = 0;
    char *text, last[4], *piece = (char *)malloc((size_t)t->tokens.longest + 4);
    syn_detokenizer d;
    memset(&d, 0, sizeof d);
    for (i = 0; i < n; i++) {
        if (ids[i] < 0 || ids[i] >= t->size) abort();
        if (syn_detokenizer_push(&d, t, ids[i], 0, piece, (size_t)t->tokens.longest + 4, &length,
                                 NULL))
            abort();
        whole += length;
    }
    whole += syn_detokenizer_flush(&d, last);
    if (syn_detokenize(t, ids, n, 0, NULL, 0, &room, NULL) || room != whole) abort();
    text = (char *)malloc(room + 1);
    if (syn_detokenize(t, ids, n, 0, text, room, &length, NULL) || length > room) abort();
    free(text);
    free(piece);
}

static void use_tokenizer(const syn_tokenizer *t, const char *text, size_t length,
                          syn_token_flags flags)
{
    size_t bytes = syn_tokenize_bytes(t, text, length, flags), count, again;
    void *work = malloc(bytes + 1);
    syn_arena arena = syn_arena_on(work, bytes);
    int32_t *ids;
    syn_error err;
    if (syn_tokenize(t, text, length, flags, NULL, 0, &count, &arena, &err)) abort();
    ids = (int32_t *)malloc((count + 1) * sizeof *ids);
    if (syn_tokenize(t, text, length, flags, ids, count, &again, &arena, &err) || again != count)
        abort();
    use_ids(t, ids, count);
    if (count) syn_tokenize(t, text, length, flags, ids, count - 1, &again, &arena, &err);
    if (bytes) {
        arena = syn_arena_on(work, bytes - 1);
        if (!syn_tokenize(t, text, length, flags, ids, count, &again, &arena, &err)) abort();
    }
    free(ids);
    free(work);
}

static void use_chat(const syn_tokenizer *t, const char *text, size_t length, syn_token_flags flags)
{
    syn_chat_message m[3];
    char *to;
    size_t n, k, half = length / 2;
    m[0].role = (flags & 32) ? SYN_CHAT_SYSTEM : SYN_CHAT_ASSISTANT;
    m[1].role = SYN_CHAT_USER;
    m[2].role = SYN_CHAT_ASSISTANT;
    m[0].text = m[2].text = text;
    m[1].text = text + half;
    m[0].length = half;
    m[1].length = length - half;
    m[2].length = length;
    for (k = 0; k < SYN_CHATS; k++) {
        if (syn_chat_render((syn_chat)k, m, 3, flags & 31, NULL, 0, &n, NULL)) abort();
        to = (char *)malloc(n + 1);
        if (syn_chat_render((syn_chat)k, m, 3, flags & 31, to, n, &n, NULL)) abort();
        free(to);
    }
    (void)syn_chat_guess(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    file_bytes file;
    syn_source source;
    syn_gguf gguf;
    syn_tokenizer t;
    syn_tokenizer_desc desc;
    syn_arena arena = syn_arena_measure();
    syn_error err;
    size_t length;
    char *text;
    void *block;
    int options;
    if (size < 3) return 0;
    options = data[0];
    length = data[1] | (size_t)data[2] << 8;
    if (length > size - 3) length = size - 3;
    file.n = size - 3 - length;
    block = malloc(file.n + 1); /* copies, so that the checker sees the ends */
    memcpy(block, data + 3 + length, file.n);
    file.p = (const uint8_t *)block;
    text = (char *)malloc(length + 1);
    memcpy(text, data + 3, length);
    source = options & 1 ? syn_source_callback(read_bytes, &file, file.n)
                         : syn_source_memory(file.p, file.n);
    desc.pre = options & 2 ? syn_tokenizer_pre_name((size_t)(options >> 3) % 20) : NULL;
    if (!syn_gguf_open(&gguf, &source, &err) &&
        !syn_tokenizer_open(&t, &gguf, &desc, &arena, &err)) {
        size_t need = arena.used;
        void *memory = malloc(need);
        arena = syn_arena_on(memory, need - 1);
        if (!syn_tokenizer_open(&t, &gguf, &desc, &arena, &err)) abort();
        arena = syn_arena_on(memory, need);
        if (!syn_tokenizer_open(&t, &gguf, &desc, &arena, &err)) {
            int32_t id;
            char piece[64];
            size_t n;
            use_tokenizer(&t, text, length, options & 4 ? SYN_PARSE_SPECIAL : SYN_NO_BOS);
            use_chat(&t, text, length, (syn_token_flags)options);
            for (id = -1; id <= t.size && id < 300; id++)
                (void)syn_token_text(&t, id, 0, piece, sizeof piece, &n, &err);
        }
        free(memory);
    }
    free(text);
    free(block);
    return 0;
}
