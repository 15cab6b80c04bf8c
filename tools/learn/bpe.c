/* bpe.c - words are counted once; each merge changes the words that have the pair, and the counts
   of the pairs in them. */
#include "learn/bpe.h"

#include <stdlib.h>
#include <string.h>

const char bpe_end_text[] = "<|endoftext|>";

/* A different word: its tokens so far, and how often it stands in the text. */
typedef struct word {
    uint32_t *token;
    uint32_t tokens;
    uint64_t count;
} word;
typedef struct pair {
    uint32_t left, right;
    int64_t count;
} pair;

typedef struct learning {
    word *word;
    size_t words, word_room;
    size_t *slot; /* hash of words: index + 1 */
    size_t slots;
    pair *pair; /* open addressing; count 0 and left = right = 0: free */
    size_t pairs, pair_slots;
} learning;

/* ---- words ------------------------------------------------------------------------------ */

enum { CUT_LETTER, CUT_DIGIT, CUT_SPACE, CUT_OTHER };

static int kind_of(unsigned char c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80) return CUT_LETTER;
    if (c >= '0' && c <= '9') return CUT_DIGIT;
    return c == ' ' || (c >= '\t' && c <= '\r') ? CUT_SPACE : CUT_OTHER;
}

/* Bytes of the word that begins here. */
static size_t cut(const unsigned char *s, size_t n)
{
    size_t i = 0;
    if (kind_of(s[0]) == CUT_DIGIT) return 1;
    if (s[0] == ' ' && n > 1 && (kind_of(s[1]) == CUT_LETTER || kind_of(s[1]) == CUT_OTHER)) i = 1;
    const int kind = kind_of(s[i]);
    while (i < n && kind_of(s[i]) == kind) i++;
    /* the last space before a word goes with the word */
    if (kind == CUT_SPACE && i < n && i > 1 && s[i - 1] == ' ') i--;
    return i;
}

static uint64_t hash_bytes(const unsigned char *s, size_t n)
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < n; i++) h = (h ^ s[i]) * 1099511628211u;
    return h ^ h >> 29;
}

static bool same_word(const word *w, const unsigned char *s, size_t n)
{
    if (w->tokens != n) return false;
    for (size_t i = 0; i < n; i++)
        if (w->token[i] != 1u + s[i]) return false;
    return true;
}

static void grow_slots(learning *l);

static void add_word(learning *l, const unsigned char *s, size_t n)
{
    if (2 * (l->words + 1) > l->slots) grow_slots(l);
    size_t at = (size_t)(hash_bytes(s, n) & (l->slots - 1));
    while (l->slot[at] && !same_word(&l->word[l->slot[at] - 1], s, n))
        at = (at + 1) & (l->slots - 1);
    if (!l->slot[at]) {
        if (l->words == l->word_room) {
            l->word_room = l->word_room ? 2 * l->word_room : 1024;
            l->word = tool_realloc(l->word, l->word_room, sizeof *l->word);
        }
        word *w = &l->word[l->words];
        w->token = tool_alloc(n, sizeof *w->token);
        w->tokens = (uint32_t)n;
        w->count = 0;
        for (size_t i = 0; i < n; i++) w->token[i] = 1u + s[i];
        l->slot[at] = ++l->words;
    }
    l->word[l->slot[at] - 1].count++;
}

static void grow_slots(learning *l)
{
    free(l->slot);
    l->slots = l->slots ? 2 * l->slots : 4096;
    l->slot = tool_alloc(l->slots, sizeof *l->slot);
    for (size_t i = 0; i < l->words; i++) { /* only single bytes so far: the tokens are the text */
        const word *w = &l->word[i];
        uint64_t h = 14695981039346656037u;
        for (size_t j = 0; j < w->tokens; j++) h = (h ^ (w->token[j] - 1)) * 1099511628211u;
        size_t at = (size_t)((h ^ h >> 29) & (l->slots - 1));
        while (l->slot[at]) at = (at + 1) & (l->slots - 1);
        l->slot[at] = i + 1;
    }
}

/* ---- pairs ------------------------------------------------------------------------------ */

static pair *find_pair(learning *l, uint32_t left, uint32_t right)
{
    const uint64_t key = ((uint64_t)left << 32 | right) * 0x9E3779B97F4A7C15u;
    size_t at = (size_t)(key >> 20) & (l->pair_slots - 1);
    while (l->pair[at].left && (l->pair[at].left != left || l->pair[at].right != right))
        at = (at + 1) & (l->pair_slots - 1);
    return &l->pair[at];
}

static void add_pair(learning *l, uint32_t left, uint32_t right, int64_t count)
{
    if (2 * (l->pairs + 1) > l->pair_slots) {
        pair *old = l->pair;
        const size_t slots = l->pair_slots;
        l->pair_slots = slots ? 2 * slots : 8192;
        l->pair = tool_alloc(l->pair_slots, sizeof *l->pair);
        for (size_t i = 0; i < slots; i++)
            if (old[i].left) *find_pair(l, old[i].left, old[i].right) = old[i];
        free(old);
    }
    pair *p = find_pair(l, left, right);
    if (!p->left) {
        p->left = left;
        p->right = right;
        l->pairs++;
    }
    p->count += count;
}

static void count_word(learning *l, const word *w, int sign)
{
    for (uint32_t i = 0; i + 1 < w->tokens; i++)
        add_pair(l, w->token[i], w->token[i + 1], sign * (int64_t)w->count);
}

static const pair *best_pair(const learning *l)
{
    const pair *best = NULL;
    for (size_t i = 0; i < l->pair_slots; i++) {
        const pair *p = &l->pair[i];
        if (!p->left || p->count < 1) continue;
        if (!best || p->count > best->count ||
            (p->count == best->count &&
             (p->left < best->left || (p->left == best->left && p->right < best->right))))
            best = p;
    }
    return best;
}

static void merge_pair(learning *l, uint32_t left, uint32_t right, uint32_t joined)
{
    for (size_t i = 0; i < l->words; i++) {
        word *w = &l->word[i];
        uint32_t to = 0, at = 0;
        bool has = false;
        for (; at + 1 < w->tokens && !has; at++)
            has = w->token[at] == left && w->token[at + 1] == right;
        if (!has) continue;
        count_word(l, w, -1);
        for (at = 0; at < w->tokens; to++) {
            const bool here =
                at + 1 < w->tokens && w->token[at] == left && w->token[at + 1] == right;
            w->token[to] = here ? joined : w->token[at];
            at += here ? 2 : 1;
        }
        w->tokens = to;
        count_word(l, w, 1);
    }
}

/* ---- both ------------------------------------------------------------------------------- */

bool bpe_learn(bpe *b, const char *words, size_t length, size_t size, problem *why)
{
    learning l;
    memset(&l, 0, sizeof l);
    memset(b, 0, sizeof *b);
    if (size < BPE_LEAST || size > BPE_MOST)
        return problem_set(why, "a vocabulary of %zu tokens: %d to %d are possible", size,
                           (int)BPE_LEAST, (int)BPE_MOST);
    for (size_t at = 0; at < length;) {
        const size_t n = cut((const unsigned char *)words + at, length - at);
        add_word(&l, (const unsigned char *)words + at, n);
        at += n;
    }
    for (size_t i = 0; i < l.words; i++) count_word(&l, &l.word[i], 1);
    b->merge = tool_alloc(size - BPE_LEAST + 1, sizeof *b->merge);
    for (b->size = BPE_LEAST; b->size < size; b->size++) {
        const pair *p = best_pair(&l);
        if (!p) break;
        const uint32_t left = p->left, right = p->right;
        b->merge[b->size - BPE_LEAST][0] = left;
        b->merge[b->size - BPE_LEAST][1] = right;
        merge_pair(&l, left, right, (uint32_t)b->size);
    }
    for (size_t i = 0; i < l.words; i++) free(l.word[i].token);
    free(l.word);
    free(l.slot);
    free(l.pair);
    if (b->size == size) return true;
    problem_set(why,
                "the text gives a vocabulary of %zu tokens, less than %zu: take a longer text or a "
                "smaller --vocab",
                b->size, size);
    bpe_free(b);
    return false;
}

void bpe_free(bpe *b)
{
    free(b->merge);
    memset(b, 0, sizeof *b);
}

/* GPT-2's letters for bytes: printable ones are themselves, the others 256, 257, ... in order. */
static void add_byte(text *to, unsigned byte)
{
    unsigned code = byte;
    const bool plain = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    if (!plain) code = byte < 33 ? 256 + byte : byte <= 160 ? 256 + 33 + byte - 127 : 256 + 67;
    char utf8[4];
    text_add_bytes(to, utf8, (size_t)(utf8_put(utf8, code) - utf8));
}

void bpe_token_text(const bpe *b, size_t id, text *to)
{
    if (id == 0) text_add(to, bpe_end_text);
    else if (id < BPE_LEAST) add_byte(to, (unsigned)id - 1);
    else { /* as deep as a word is long, which a text of one word could make deep: so no recursion
            */
        uint32_t *stack = tool_alloc(b->size + 1, sizeof *stack);
        size_t depth = 1;
        stack[0] = (uint32_t)id;
        while (depth) {
            const uint32_t top = stack[--depth];
            if (top < BPE_LEAST) {
                add_byte(to, top - 1);
                continue;
            }
            stack[depth++] = b->merge[top - BPE_LEAST][1];
            stack[depth++] = b->merge[top - BPE_LEAST][0];
        }
        free(stack);
    }
}
