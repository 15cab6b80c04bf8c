/* heads.c - which heads, and which weights are theirs. */
#include "learn/heads.h"
#include "engine/folder.h"
#include "engine/unit_list.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- weights ----------------------------------------------------------------------------- */

static void add(stretches *s, const net *n, size_t layer, syn_part part, size_t from, size_t count,
                bool decays)
{
    const size_t at = n->at[layer * SYN_PARTS + (size_t)part];
    if (at == NET_NONE) return;
    s->parts[layer * SYN_PARTS + (size_t)part] = true;
    stretch *last = s->count ? &s->at[s->count - 1] : NULL;
    /* a stretch stays within its tensor: the next one here may lie elsewhere in a file */
    if (last && last->at >= at && last->at + last->count == at + from && last->decays == decays) {
        last->count += count;
        return;
    }
    s->at = tool_realloc(s->at, s->count + 1, sizeof *s->at);
    s->at[s->count++] = (stretch){at + from, count, decays};
}

static bool group_is_whole(const net *n, const bool *chosen, size_t group)
{
    const size_t each = n->heads / n->kv_heads;
    for (size_t h = group * each; h < (group + 1) * each; h++)
        if (!chosen[h]) return false;
    return true;
}

stretches heads_weights(const net *n, const bool *all)
{
    stretches s = {NULL, 0, tool_alloc(n->layers * SYN_PARTS, sizeof *s.parts)};
    for (size_t layer = 0; layer < n->layers; layer++) {
        const bool *chosen = all + layer * n->heads;
        for (size_t h = 0; h < n->heads; h++)
            if (chosen[h])
                add(&s, n, layer, SYN_ATTN_Q, h * n->key * n->embd, n->key * n->embd, true);
        for (size_t h = 0; h < n->heads; h++)
            if (chosen[h]) add(&s, n, layer, SYN_ATTN_Q_BIAS, h * n->key, n->key, false);
        for (size_t g = 0; g < n->kv_heads; g++) {
            if (!group_is_whole(n, chosen, g)) continue;
            add(&s, n, layer, SYN_ATTN_K, g * n->key * n->embd, n->key * n->embd, true);
            add(&s, n, layer, SYN_ATTN_K_BIAS, g * n->key, n->key, false);
            add(&s, n, layer, SYN_ATTN_V, g * n->value * n->embd, n->value * n->embd, true);
            add(&s, n, layer, SYN_ATTN_V_BIAS, g * n->value, n->value, false);
        }
        for (size_t row = 0; row < n->embd; row++)
            for (size_t h = 0; h < n->heads; h++)
                if (chosen[h])
                    add(&s, n, layer, SYN_ATTN_OUTPUT, row * n->heads_size + h * n->value, n->value,
                        true);
    }
    return s;
}

void stretches_free(stretches *s)
{
    free(s->at);
    free(s->parts);
    memset(s, 0, sizeof *s);
}

/* ---- choosing ---------------------------------------------------------------------------- */

typedef struct ranked {
    double value;
    size_t at;
} ranked;

static int by_value(const void *a, const void *b)
{
    const ranked *p = a, *q = b;
    if (p->value > q->value || p->value < q->value) return p->value > q->value ? -1 : 1;
    return p->at < q->at ? -1 : p->at > q->at;
}

static bool read_scores(const net *n, const heads_choice *c, const char *column, ranked *to,
                        problem *why)
{
    char path[TOOL_PATH_BYTES];
    csv units;
    bool good = true;
    if (!path_join(path, c->directory, "units.csv", why) || !csv_read(&units, path, why))
        return false;
    const int name = csv_column(&units, "unit"), at = csv_column(&units, column);
    const size_t heads = n->layers * n->heads;
    if (at < 0) good = problem_set(why, "%s: has no column %s", path, column);
    else if (units.rows != heads)
        good = problem_set(why, "%s: has %zu units, the model %zu heads", path, units.rows, heads);
    for (size_t i = 0; i < units.rows && good; i++) {
        size_t layer = 0, head = 0;
        good = unit_name_read(csv_cell(&units, i, name), &layer, &head) && layer < n->layers &&
               head < n->heads;
        if (!good) problem_set(why, "%s: row %zu is no head of this model", path, i + 1);
        else if (!csv_double(csv_cell(&units, i, at), &to[i].value) || !isfinite(to[i].value))
            good = problem_set(why, "%s: row %zu has no %s", path, i + 1, column);
        else to[i].at = layer * n->heads + head;
    }
    csv_free(&units);
    if (good) qsort(to, heads, sizeof *to, by_value);
    return good;
}

/* `count` of the `size` numbers from `first` on, each set as likely. */
static void draw(uint64_t *state, size_t first, size_t size, size_t count, bool *chosen)
{
    size_t *pool = tool_alloc(size, sizeof *pool);
    for (size_t i = 0; i < size; i++) pool[i] = first + i;
    for (size_t i = 0; i < count; i++) {
        const size_t j = i + (size_t)(random_bits(state) % (size - i)), swap = pool[i];
        pool[i] = pool[j];
        pool[j] = swap;
        chosen[pool[i]] = true;
    }
    free(pool);
}

static bool one_layer(const net *n, const char *word, bool *chosen, problem *why)
{
    char *end;
    const unsigned long layer = strtoul(word, &end, 10);
    if (*word < '0' || *word > '9' || *end || layer >= n->layers)
        return problem_set(why, "--subset layer:%s: the layers are 0 to %zu", word, n->layers - 1);
    memset(chosen + layer * n->heads, true, n->heads * sizeof *chosen);
    return true;
}

/* core, periphery, random, matched: by the folder's scores, or as many as these would take. */
static bool by_score(const net *n, const heads_choice *c, const char *column, bool *chosen,
                     problem *why)
{
    const size_t heads = n->layers * n->heads;
    size_t count = (size_t)floor(c->share * (double)heads + 0.5);
    uint64_t state = c->seed * 0x9E3779B97F4A7C15u + 77;
    const bool periphery = !strcmp(c->subset, "periphery");
    if (!count) return problem_set(why, "--share %g: of %zu heads that is none", c->share, heads);
    if (!strcmp(c->subset, "random")) {
        draw(&state, 0, heads, count, chosen);
        return true;
    }
    ranked *r = tool_alloc(heads, sizeof *r);
    const bool good = read_scores(n, c, column, r, why);
    size_t *taken = tool_alloc(n->layers, sizeof *taken);
    for (size_t i = 0; i < count && good; i++) {
        const size_t at = r[periphery ? heads - 1 - i : i].at;
        taken[at / n->heads]++;
        chosen[at] = strcmp(c->subset, "matched") != 0;
    }
    for (size_t layer = 0; layer < n->layers && good && !strcmp(c->subset, "matched"); layer++)
        draw(&state, layer * n->heads, n->heads, taken[layer], chosen);
    free(taken);
    free(r);
    return good;
}

static bool column_of(const heads_choice *c, char column[64], problem *why)
{
    char path[TOOL_PATH_BYTES];
    json_file phiid;
    if (c->score) {
        folder_column(c->score, column);
        return true;
    }
    if (!path_join(path, c->directory, "phiid.json", why) || !json_read(&phiid, path, why))
        return false;
    folder_column(json_text_of(json_get(phiid.root, "settings"), "score", "rank-difference"),
                  column);
    if (!strcmp(column, "difference")) memcpy(column, "difference_rank", sizeof "difference_rank");
    json_free(&phiid);
    return true;
}

size_t heads_choose(const net *n, const heads_choice *c, bool *chosen, char column[64],
                    problem *why)
{
    static const char *const scored[] = {"core", "periphery", "random", "matched"};
    const size_t heads = n->layers * n->heads;
    bool good = true, done = false;
    size_t count = 0;
    if (!column_of(c, column, why)) return 0;
    for (size_t k = 0; k < sizeof scored / sizeof scored[0]; k++)
        if (!strcmp(c->subset, scored[k])) {
            good = by_score(n, c, column, chosen, why);
            done = true;
        }
    if (!done && !strcmp(c->subset, "all")) memset(chosen, true, heads * sizeof *chosen);
    else if (!done && !strncmp(c->subset, "layer:", 6))
        good = one_layer(n, c->subset + 6, chosen, why);
    else if (!done) good = unit_list_parse(c->subset, false, 0, n->layers, n->heads, chosen, why);
    for (size_t i = 0; i < heads; i++) count += chosen[i];
    if (good && !count) problem_set(why, "--subset %s: no head is chosen", c->subset);
    return good ? count : 0;
}
