/* gradient_folder.c - `synergy gradient MODEL DIR`: how much each head matters for the loss of what
   the model wrote itself (Michel et al. 2019), into units.csv. */
#include "learn/gradient.h"
#include "learn/stage.h"

#include "base/columns.h"
#include "engine/folder.h"
#include "engine/unit_list.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Prompts and what followed, as rows; what followed weighs 1. */
typedef struct texts {
    int32_t *ids;
    float *weights;
    bool *scores; /* has a weight */
    size_t rows, length, scored;
} texts;

static size_t prompt_ids(const json *prompt)
{
    const json *ids = json_get(prompt, "ids");
    return ids && ids->kind == JSON_ARRAY ? ids->count : 0;
}

static bool take_row(texts *t, const json *prompt, const npy *tokens, size_t row, uint32_t vocab,
                     problem *why)
{
    const size_t from = prompt_ids(prompt), count = (size_t)json_number_of(prompt, "length", 0);
    int32_t *ids = t->ids + row * t->length;
    size_t at = 0;
    for (const json *c = json_get(prompt, "ids")->child; c; c = c->next)
        ids[at++] = (int32_t)c->number;
    for (size_t i = 0; i < count; i++)
        ids[at++] = (int32_t)npy_int(tokens, row * tokens->shape[1] + i);
    for (size_t i = 0; i < at; i++)
        if (ids[i] < 0 || ids[i] >= (int64_t)vocab)
            return problem_set(why, "prompt %zu: id %ld is not in the vocabulary", row,
                               (long)ids[i]);
    for (size_t i = from; i < at; i++) {
        t->weights[row * t->length + i] = 1;
        t->scores[row * t->length + i] = true;
    }
    t->scored += from ? count : count - (count > 0); /* the first token of a row is not predicted */
    for (; at < t->length; at++) ids[at] = -1;
    return true;
}

static bool read_texts(texts *t, const json *run, const char *directory, uint32_t vocab,
                       problem *why)
{
    char path[TOOL_PATH_BYTES];
    npy tokens;
    problem inner;
    const json *prompts = json_get(run, "prompts");
    if (!prompts || prompts->kind != JSON_ARRAY || !prompts->count)
        return problem_set(why,
                           "%s/run.json: has no prompts (a run of given ids has no continuations)",
                           directory);
    if (!path_join(path, directory, "tokens.npy", why) || !npy_open(&tokens, path, why))
        return false;
    t->rows = prompts->count;
    bool good = tokens.dims == 2 && tokens.shape[0] == t->rows && !npy_is_float(&tokens);
    if (!good) problem_set(&inner, "does not have a row for each of %zu prompts", t->rows);
    for (const json *p = prompts->child; p && good; p = p->next) {
        const double length = json_number_of(p, "length", 0);
        good = prompt_ids(p) && length >= 0 && length <= (double)tokens.shape[1];
        if (!good)
            problem_set(&inner, "a prompt of run.json has no ids, or a length that is not here");
        else if (prompt_ids(p) + (size_t)length > t->length)
            t->length = prompt_ids(p) + (size_t)length;
    }
    if (good) {
        t->ids = tool_alloc(t->rows * t->length, sizeof *t->ids);
        t->weights = tool_alloc(t->rows * t->length, sizeof *t->weights);
        t->scores = tool_alloc(t->rows * t->length, sizeof *t->scores);
    }
    size_t row = 0;
    for (const json *p = prompts->child; p && good; p = p->next)
        good = take_row(t, p, &tokens, row++, vocab, &inner);
    if (good && !t->scored) good = problem_set(&inner, "no prompt has a continuation");
    npy_close(&tokens);
    return good || problem_set(why, "%s: %s", path, inner.text);
}

/* units.csv once more, with both columns at its end. */
static bool write_units(const net *n, const char *directory, const double *gains, size_t rows,
                        problem *why)
{
    char path[TOOL_PATH_BYTES];
    csv units;
    table_out out;
    bool good = true;
    if (!path_join(path, directory, "units.csv", why) || !csv_read(&units, path, why)) return false;
    const int unit = csv_column(&units, "unit");
    table_begin(&out, "units.csv");
    for (size_t i = 0; i < units.rows && good; i++) {
        size_t layer = 0, head = 0;
        double sum = 0, magnitude = 0;
        good = unit_name_read(csv_cell(&units, i, unit), &layer, &head) && layer < n->layers &&
               head < n->heads;
        if (!good) problem_set(why, "%s: row %zu is no head of this model", path, i + 1);
        for (size_t r = 0; r < rows && good; r++) {
            const double g = gains[(r * n->layers + layer) * n->heads + head];
            sum += g;
            magnitude += fabs(g);
        }
        for (size_t c = 0; c < units.columns; c++)
            if (strcmp(units.head[c], "gradient") && strcmp(units.head[c], "importance"))
                table_text(&out, units.head[c], csv_name(csv_cell(&units, i, (int)c)));
        table_number(&out, "gradient", sum);
        table_number(&out, "importance", magnitude / (double)rows);
        table_end_row(&out);
    }
    if (good) good = table_write(&out, path, why);
    else table_free(&out);
    csv_free(&units);
    return good;
}

static bool measure(const net *n, texts *t, const char *directory, gradient_result *result,
                    problem *why)
{
    char size[32];
    net_wants wants;
    const net_rows r = {t->ids, t->weights, t->rows, t->length, NULL};
    const uint64_t bytes =
        net_pass_bytes(n, t->length, t->rows, NET_TO_HEADS) + 4 * (uint64_t)n->held;
    bytes_text((double)bytes, size, sizeof size);
    tool_note("%zu continuations, %zu tokens; takes %s of memory beside the mapped file", t->rows,
              t->scored, size);
    memset(&wants, 0, sizeof wants);
    wants.tokens = t->scores;
    wants.gains = tool_alloc(t->rows * n->layers * n->heads, sizeof *wants.gains);
    net_pass *pass = net_pass_open(n, t->length, t->rows, NET_TO_HEADS);
    result->positions = t->scored;
    bool good = gradient_announce(pass, n, &r, &wants, 0, NULL, why);
    if (good) result->loss = gradient_all(pass, &r, t->scored, &wants);
    net_pass_close(pass);
    if (good)
        good = isfinite(result->loss) ? write_units(n, directory, wants.gains, t->rows, why)
                                      : problem_set(why, "the loss is not finite");
    free(wants.gains);
    return good;
}

bool gradient_folder(const gradient_options *o, const char *directory, gradient_result *result,
                     problem *why)
{
    net n;
    json_file run;
    texts t;
    memset(&t, 0, sizeof t);
    if (!folder_describe(&run, directory, why)) return false;
    bool good =
        !folder_has_experts(run.root) ||
        problem_set(why, "%s: its units are experts: the importance is that of heads", directory);
    if (good && (good = net_open(&n, o->model, NET_HOLD_END, o->threads, why))) {
        good = folder_check_model(run.root, &n.file, directory, why) &&
               read_texts(&t, run.root, directory, (uint32_t)n.vocab, why) &&
               measure(&n, &t, directory, result, why);
        net_close(&n);
    }
    free(t.ids);
    free(t.weights);
    free(t.scores);
    json_free(&run);
    return good;
}
