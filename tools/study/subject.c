/* subject.c - opens a model and a result folder of it. */
#include "study/subject.h"

#include "engine/folder.h"
#include "engine/unit_list.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool in_folder(const subject *s, const char *name, char *path, problem *why)
{
    return path_join(path, s->directory, name, why) &&
           (path_exists(path) || problem_set(why,
                                             "%s: is not there (synergy analyze, or capture and "
                                             "phiid, make such a folder)",
                                             path));
}

/* ---- the model and the folder --------------------------------------------------------- */

static bool check_model(subject *s, problem *why)
{
    if (!folder_describe(&s->run, s->directory, why) ||
        !folder_check_model(s->run.root, &s->m, s->directory, why))
        return false;
    s->hash = json_text_of(s->run.root, "model.sha256", "");
    s->experts = folder_has_experts(s->run.root);
    s->layers = s->m.model.layers;
    s->per_layer = s->experts ? s->m.model.experts : s->m.model.heads;
    return true;
}

/* "L12H3" to its slot; false when it is no unit of this model (the shared experts' has none). */
static bool slot_of(const subject *s, const char *name, size_t *slot, bool *sound)
{
    size_t layer, index;
    *sound = unit_name_read(name, &layer, &index) && layer < s->layers;
    if (!*sound || index >= s->per_layer) return false;
    *slot = layer * s->per_layer + index;
    return true;
}

static bool read_units(subject *s, problem *why)
{
    char path[TOOL_PATH_BYTES];
    if (!in_folder(s, "units.csv", path, why) || !csv_read(&s->units, path, why)) return false;
    const int name = csv_column(&s->units, "unit");
    s->unit = tool_alloc(s->units.rows + 1, sizeof *s->unit);
    s->line = tool_alloc(s->units.rows + 1, sizeof *s->line);
    for (size_t i = 0; i < s->units.rows; i++) {
        bool sound;
        if (slot_of(s, csv_cell(&s->units, i, name), &s->unit[s->count], &sound))
            s->line[s->count++] = i;
        else if (!sound)
            return problem_set(why, "%s: row %zu: '%.40s' is no unit of a model of %zu layers",
                               path, i + 1, csv_cell(&s->units, i, name), s->layers);
    }
    return s->count > 1 || problem_set(why, "%s: fewer than two units", path);
}

bool subject_has_column(const subject *s, const char *name)
{
    return csv_column(&s->units, name) >= 0;
}

bool subject_column(const subject *s, const char *name, double *to, problem *why)
{
    char plain[64];
    folder_column(name, plain);
    const int column = csv_column(&s->units, plain);
    if (column < 0) return problem_set(why, "%s/units.csv: has no column %s", s->directory, plain);
    for (size_t i = 0; i < s->count; i++)
        if (!csv_double(csv_cell(&s->units, s->line[i], column), &to[i]))
            return problem_set(why, "%s/units.csv: row %zu: '%.40s' is no number", s->directory,
                               s->line[i] + 1, csv_cell(&s->units, s->line[i], column));
    return true;
}

/* ---- the texts ------------------------------------------------------------------------ */

static bool token_is_good(const subject *s, int64_t id)
{
    return id >= 0 && id < (int64_t)s->m.model.vocab;
}

/* The prompt's ids and the tokens that followed. */
static bool take_text(subject *s, const json *prompt, const npy *tokens, size_t row, problem *why)
{
    const json *ids = json_get(prompt, "ids");
    const double length = json_number_of(prompt, "length", 0);
    forced_text *t = &s->text[s->texts];
    if (!ids || ids->kind != JSON_ARRAY || !ids->count || !(length >= 0) ||
        length > (double)tokens->shape[1])
        return problem_set(
            why, "%s/run.json: prompt %zu has no ids, or a length that tokens.npy has not",
            s->directory, row);
    if (length < 1) return true; /* the model ended it at once */
    t->from = ids->count;
    t->count = t->from + (size_t)length;
    t->ids = tool_alloc(t->count, sizeof *t->ids);
    s->texts++;
    size_t at = 0;
    for (const json *c = ids->child; c; c = c->next)
        t->ids[at++] = c->number >= 0 && c->number < INT32_MAX ? (int32_t)c->number : -1;
    for (size_t i = 0; i < (size_t)length; i++)
        t->ids[at++] = (int32_t)npy_int(tokens, row * tokens->shape[1] + i);
    for (size_t i = 0; i < t->count; i++)
        if (!token_is_good(s, t->ids[i]))
            return problem_set(why, "%s: prompt %zu: id %ld is not in the vocabulary of %u",
                               s->directory, row, (long)t->ids[i], s->m.model.vocab);
    if (t->count > s->longest) s->longest = t->count;
    return true;
}

/* Of P prompts, n evenly spread ones: they stand category after category. */
static bool read_texts(subject *s, int64_t n, problem *why)
{
    char path[TOOL_PATH_BYTES];
    npy tokens;
    const json *prompts = json_get(s->run.root, "prompts");
    if (!prompts || prompts->kind != JSON_ARRAY || !prompts->count)
        return problem_set(why,
                           "%s/run.json: has no prompts (a run of given ids cannot be continued)",
                           s->directory);
    if (!in_folder(s, "tokens.npy", path, why) || !npy_open(&tokens, path, why)) return false;
    const size_t all = prompts->count, wanted = n > 0 && (size_t)n < all ? (size_t)n : all;
    bool good = tokens.dims == 2 && tokens.shape[0] == all && !npy_is_float(&tokens);
    if (!good) problem_set(why, "%s: does not have a row for each of %zu prompts", path, all);
    s->text = tool_alloc(wanted, sizeof *s->text);
    size_t row = 0, taken = 0;
    for (const json *p = prompts->child; good && p && taken < wanted; p = p->next, row++) {
        if (row != taken * all / wanted) continue;
        good = take_text(s, p, &tokens, row, why);
        taken++;
    }
    npy_close(&tokens);
    if (good && s->texts && s->texts < wanted)
        tool_note("%zu of %zu prompts have no continuation", wanted - s->texts, wanted);
    if (good && !s->texts)
        return problem_set(why, "%s: no prompt has a continuation", s->directory);
    return good;
}

bool subject_open(subject *s, const char *model, const char *pre, const char *directory,
                  int64_t prompts, problem *why)
{
    memset(s, 0, sizeof *s);
    s->directory = directory;
    return model_load(&s->m, model, pre, why) && check_model(s, why) && read_units(s, why) &&
           read_texts(s, prompts, why);
}

void subject_close(subject *s)
{
    texts_free(s->text, s->texts);
    free(s->unit);
    free(s->line);
    csv_free(&s->units);
    json_free(&s->run);
    model_unload(&s->m);
    memset(s, 0, sizeof *s);
}

/* ---- edits ---------------------------------------------------------------------------- */

size_t subject_slots(const subject *s)
{
    return s->layers * s->per_layer;
}

intervention subject_gains(const subject *s, const float *gain)
{
    intervention v;
    memset(&v, 0, sizeof v);
    if (s->experts) v.edit.expert_gain = gain;
    else v.edit.head_gain = gain;
    size_t at = 0;
    while (at < subject_slots(s) && !(gain[at] < 1 || gain[at] > 1)) at++;
    v.layer = (uint32_t)(at / s->per_layer);
    return v;
}

/* ---- given ids ------------------------------------------------------------------------ */

void texts_free(forced_text *given, size_t count)
{
    for (size_t i = 0; given && i < count; i++) free(given[i].ids);
    free(given);
}

bool texts_from_ids(const char *path, int64_t from, uint32_t vocab, forced_text **given,
                    size_t *count, problem *why)
{
    id_rows ids;
    if (!ids_read(&ids, path, vocab, false, why)) return false;
    bool good = from >= 1 && (uint64_t)from < ids.length;
    if (ids.length < 2) problem_set(why, "%s: one id: nothing to predict", path);
    else if (!good)
        problem_set(why, "--from %lld: positions of %s are 1 to %zu", (long long)from, path,
                    ids.length - 1);
    *count = good ? ids.rows : 0;
    *given = tool_alloc(ids.rows, sizeof **given);
    for (size_t i = 0; i < *count; i++) {
        forced_text *t = &(*given)[i];
        *t = (forced_text){tool_alloc(ids.length, sizeof *t->ids), ids.length, (size_t)from};
        memcpy(t->ids, ids.at + i * ids.length, ids.length * sizeof *t->ids);
    }
    free(ids.at);
    return good;
}
