/* merge.c - the shards of one capture become the run that one process would have made: prompt p
   stands in shard p mod K, at row p / K. */
#include "record/stage.h"

#include "base/columns.h"
#include "base/work.h"
#include "record/capture_work.h"

#include <stdlib.h>
#include <string.h>

/* The arrays of a shard, one row a prompt. */
enum { NORMS, TOKENS, LENGTHS, SINKS, ARRAYS };

static const struct {
    const char *name;
    npy_type type;
    int dims;
} arrays[ARRAYS] = {
    {"norms.npy", NPY_F32, 4},
    {"tokens.npy", NPY_I32, 2},
    {"lengths.npy", NPY_I32, 1},
    {"sinks.npy", NPY_F32, 3},
};

typedef struct shard {
    char path[TOOL_PATH_BYTES];
    json_file run;
    npy array[ARRAYS];
    bool has[ARRAYS];
    size_t number, of;
} shard;

typedef struct merging {
    shard *at; /* (count): as given; after merge_order by number */
    size_t count, prompts;
    const char *output;
    bool wanted[ARRAYS];
} merging;

/* ---- finding the shards --------------------------------------------------------------- */

static bool add_shard(merging *m, const char *path, problem *why)
{
    if (strlen(path) >= TOOL_PATH_BYTES) return problem_set(why, "%.200s...: too long", path);
    m->at = tool_realloc(m->at, m->count + 1, sizeof *m->at);
    shard *s = &m->at[m->count++];
    memset(s, 0, sizeof *s);
    snprintf(s->path, sizeof s->path, "%s", path);
    return true;
}

/* The folders DIR/shard-I-of-K; their order does not matter. */
static bool add_inside(merging *m, const char *directory, size_t *found, problem *why)
{
    char path[TOOL_PATH_BYTES];
    folder_names all = {NULL, 0};
    bool good = folder_list(&all, directory, why);
    for (size_t i = 0; i < all.count && good; i++) {
        if (strncmp(all.at[i], "shard-", 6)) continue;
        good = path_join(path, directory, all.at[i], why);
        if (good && path_is_directory(path)) {
            good = add_shard(m, path, why);
            ++*found;
        }
    }
    folder_list_free(&all);
    return good;
}

static bool find_shards(merging *m, const text_list *from, problem *why)
{
    for (size_t i = 0; i < from->count; i++) {
        size_t inside = 0;
        if (!path_is_directory(from->at[i]))
            return problem_set(why, "%s: is not a folder", from->at[i]);
        if (!add_inside(m, from->at[i], &inside, why)) return false;
        if (!inside && !add_shard(m, from->at[i], why)) return false;
    }
    return true;
}

/* ---- do they belong together? --------------------------------------------------------- */

static bool open_array(shard *s, int which, problem *why)
{
    char path[TOOL_PATH_BYTES], shape[200];
    npy *a = &s->array[which];
    if (!path_join(path, s->path, arrays[which].name, why) || !npy_open(a, path, why)) return false;
    s->has[which] = a->type == arrays[which].type && a->dims == arrays[which].dims && !a->fortran &&
                    !a->big_endian;
    if (s->has[which]) return true;
    npy_shape_text(a, shape, sizeof shape);
    problem_set(why, "%s: is %s %s, which capture does not write", path, npy_type_text(a->type),
                shape);
    npy_close(a);
    return false;
}

static bool open_shard(shard *s, problem *why)
{
    char path[TOOL_PATH_BYTES];
    if (!path_join(path, s->path, "run.json", why)) return false;
    if (!path_exists(path)) {
        if (!path_join(path, s->path, "capture.part", why)) return false;
        return path_exists(path)
                   ? problem_set(why, "%s: is not finished (the same synergy capture goes on)",
                                 s->path)
                   : problem_set(why, "%s: holds no run.json (synergy capture writes it)", s->path);
    }
    if (!json_read(&s->run, path, why)) return false;
    double number = json_number_of(s->run.root, "shard", 0);
    double of = json_number_of(s->run.root, "shards", 1);
    const json *prompts = json_get(s->run.root, "prompts");
    if (!(of >= 1 && of <= 1e6 && number >= 0 && number < of) || !prompts ||
        prompts->kind != JSON_ARRAY)
        return problem_set(why, "%s: is not the run.json of a capture from prompts", path);
    s->number = (size_t)number;
    s->of = (size_t)of;
    return open_array(s, NORMS, why) && open_array(s, TOKENS, why);
}

/* Every setting that differs, there and here, or the sharpest word for why two runs are not one. */
static bool same_run(const shard *a, const shard *b, problem *why)
{
    const json *x = a->run.root, *y = b->run.root;
    const json *of_x = json_get(x, "settings"), *of_y = json_get(y, "settings");
    text how = {NULL, 0, 0};
    if (strcmp(json_text_of(x, "model.sha256", ""), json_text_of(y, "model.sha256", "")))
        return problem_set(why, "%s: is of another model than %s (%s and %s)", b->path, a->path,
                           json_text_of(y, "model.file", "?"), json_text_of(x, "model.file", "?"));
    const char *key = json_difference(of_x, of_y);
    if (!key) key = json_difference(of_y, of_x);
    if (key && !settings_differ(of_x, of_y, capture_setting_words(), &how))
        text_print(&how, "%s in one only", key); /* which an older version did not write */
    if (key)
        problem_set(why, "%s: was made with other settings than %s (here): %.700s", b->path,
                    a->path, how.at);
    text_free(&how);
    if (key) return false;
    if (strcmp(json_text_of(x, "version", ""), json_text_of(y, "version", "")))
        return problem_set(why, "%s: was made by another version than %s", b->path, a->path);
    if (strcmp(json_text_of(x, "identity", ""), json_text_of(y, "identity", "")))
        return problem_set(why, "%s: has other prompts than %s", b->path, a->path);
    return a->of == b->of || problem_set(why, "%s: is one of %zu shards, %s one of %zu", b->path,
                                         b->of, a->path, a->of);
}

static bool check_shape(const merging *m, const shard *s, problem *why)
{
    const shard *first = &m->at[0];
    size_t rows = (m->prompts - s->number + s->of - 1) / s->of;
    const json *prompts = json_get(s->run.root, "prompts");
    const npy *norms = &s->array[NORMS], *tokens = &s->array[TOKENS];
    bool good = norms->shape[0] == rows && tokens->shape[0] == rows &&
                tokens->shape[1] == norms->shape[1] && prompts->count == rows;
    for (int d = 1; d < 4; d++) good = good && norms->shape[d] == first->array[NORMS].shape[d];
    return good || problem_set(why,
                               "%s: its arrays and its run.json do not have the %zu prompts of "
                               "shard %zu of %zu",
                               s->path, rows, s->number, s->of);
}

static bool name_missing(const merging *m, const shard *const *by_number, size_t needed,
                         problem *why)
{
    text t = {NULL, 0, 0};
    size_t missing = 0;
    for (size_t i = 0; i < needed; i++)
        if (!by_number[i]) text_print(&t, "%s%zu", missing++ ? ", " : "", i);
    if (missing)
        problem_set(why, "shard%s %.600s of %zu %s missing", missing > 1 ? "s" : "", t.at,
                    m->at[0].of, missing > 1 ? "are" : "is");
    text_free(&t);
    return missing == 0;
}

/* Sorts by number; every shard that has prompts must be there once. */
static bool order(merging *m, problem *why)
{
    size_t of = m->at[0].of;
    double prompts = json_number_of(m->at[0].run.root, "settings.all_prompts", 0);
    if (!(prompts >= 1 && prompts <= 1e9))
        return problem_set(why, "%s: its run.json does not say how many prompts there are",
                           m->at[0].path);
    m->prompts = (size_t)prompts;
    size_t needed = of < m->prompts ? of : m->prompts;
    const shard **by_number = tool_alloc(of, sizeof *by_number);
    bool good = true;
    for (size_t i = 0; good && i < m->count; i++) {
        const shard *s = &m->at[i];
        if (by_number[s->number])
            good = problem_set(why, "%s: is shard %zu of %zu again, after %s", s->path, s->number,
                               of, by_number[s->number]->path);
        by_number[s->number] = s;
    }
    good = good && name_missing(m, by_number, needed, why);
    if (good) {
        shard *sorted = tool_alloc(needed, sizeof *sorted);
        for (size_t i = 0; i < needed; i++) sorted[i] = *by_number[i];
        free(m->at);
        m->at = sorted;
        m->count = needed;
    }
    free(by_number);
    for (size_t i = 0; good && i < m->count; i++) good = check_shape(m, &m->at[i], why);
    return good;
}

static bool open_row_array(shard *s, int which, problem *why)
{
    if (!open_array(s, which, why)) return false;
    return s->array[which].shape[0] == s->array[NORMS].shape[0] ||
           problem_set(why, "%s: its %s has %llu rows for %llu prompts", s->path,
                       arrays[which].name, (unsigned long long)s->array[which].shape[0],
                       (unsigned long long)s->array[NORMS].shape[0]);
}

/* What the settings say that capture wrote beside norms and tokens. */
static bool open_further(merging *m, problem *why)
{
    const json *run = m->at[0].run.root;
    char path[TOOL_PATH_BYTES];
    m->wanted[NORMS] = m->wanted[TOKENS] = true;
    m->wanted[LENGTHS] = choice_is(CHOICE_EOS, 1, json_text_of(run, "settings.eos", ""));
    m->wanted[SINKS] = path_join(path, m->at[0].path, "sinks.npy", why) && path_exists(path);
    for (int which = LENGTHS; which < ARRAYS; which++)
        for (size_t i = 0; m->wanted[which] && i < m->count; i++)
            if (!open_row_array(&m->at[i], which, why)) return false;
    return true;
}

static bool check_output(const merging *m, bool force, problem *why)
{
    char path[TOOL_PATH_BYTES];
    json_file old;
    problem ignored;
    for (size_t i = 0; i < m->count; i++)
        if (!output_not_input(m->output, m->at[i].path, why)) return false;
    if (!directory_writable(m->output, why) || !columns_free(m->output, why) ||
        !path_join(path, m->output, "run.json", why))
        return false;
    if (force || !path_exists(path)) return true;
    bool same = json_read(&old, path, &ignored);
    if (same) {
        same = strcmp(json_text_of(old.root, "identity", "unknown"),
                      json_text_of(m->at[0].run.root, "identity", "")) == 0;
        json_free(&old);
    }
    return same || problem_set(why, "%s: holds another run (--force replaces it)", m->output);
}

/* ---- writing -------------------------------------------------------------------------- */

/* The arrays are little-endian in C order on disk: rows are copied as bytes. */
static bool write_rows(const merging *m, int which, problem *why)
{
    char path[TOOL_PATH_BYTES];
    npy_out out;
    const npy *first = &m->at[0].array[which];
    const bool whole = first->type == NPY_I32;
    uint64_t shape[NPY_DIMS], row = 1;
    memcpy(shape, first->shape, sizeof shape);
    shape[0] = m->prompts;
    for (int d = 1; d < first->dims; d++) row *= shape[d];
    float *floats = tool_alloc((size_t)row, sizeof *floats);
    int32_t *integers = tool_alloc((size_t)row, sizeof *integers);
    bool good = path_join(path, m->output, arrays[which].name, why) &&
                npy_begin(&out, path, first->type, first->dims, shape, why);
    bool begun = good;
    for (size_t p = 0; good && p < m->prompts; p++) {
        const shard *s = &m->at[p % m->at[0].of];
        const npy *a = &s->array[which];
        uint64_t at = p / s->of * row;
        if (!whole) npy_floats(a, at, row, floats);
        for (uint64_t k = 0; whole && k < row; k++) integers[k] = (int32_t)npy_int(a, at + k);
        good = npy_add(&out, whole ? (const void *)integers : (const void *)floats, row, why);
    }
    good = good && npy_end(&out, why);
    if (begun && !good) npy_abandon(&out);
    free(floats);
    free(integers);
    return good;
}

static const json *prompt_of(const shard *s, size_t row)
{
    const json *c = json_get(s->run.root, "prompts")->child;
    while (c && row--) c = c->next;
    return c;
}

/* run.json of one process: that of a shard without its number, with every prompt. */
static void run_json(const merging *m, json_out *j)
{
    json_object(j, NULL);
    for (const json *c = m->at[0].run.root->child; c; c = c->next) {
        if (!strcmp(c->key, "shard") || !strcmp(c->key, "shards") ||
            !strcmp(c->key, "identity_of_part"))
            continue;
        if (!strcmp(c->key, "shape")) {
            json_array_inline(j, "shape");
            json_int(j, NULL, (int64_t)m->prompts);
            for (int d = 1; d < 4; d++) json_int(j, NULL, (int64_t)m->at[0].array[NORMS].shape[d]);
            json_array_end(j);
        } else if (!strcmp(c->key, "prompts")) {
            json_array(j, "prompts");
            for (size_t p = 0; p < m->prompts; p++)
                json_copy(j, NULL, prompt_of(&m->at[p % m->at[0].of], p / m->at[0].of));
            json_array_end(j);
        } else {
            json_copy(j, c->key, c);
        }
    }
    json_object_end(j);
}

/* What the machines spent, all together and the slowest of them. */
static bool write_timing(const merging *m, problem *why)
{
    char path[TOOL_PATH_BYTES];
    json_out j;
    double all = 0, longest = 0, tokens = 0;
    for (size_t i = 0; i < m->count; i++) {
        json_file f;
        if (!path_join(path, m->at[i].path, "timing.json", why) ||
            !json_read_if_there(&f, path, why))
            return false;
        double seconds = json_number_of(f.root, "seconds", 0);
        all += seconds;
        if (seconds > longest) longest = seconds;
        tokens += json_number_of(f.root, "generated_tokens", 0);
        json_free(&f);
    }
    memset(&j, 0, sizeof j);
    json_object(&j, NULL);
    json_int(&j, "shards", (int64_t)m->count);
    json_number(&j, "seconds", longest);
    json_number(&j, "seconds_of_all", all);
    json_number(&j, "generated_tokens", tokens);
    json_object_end(&j);
    if (path_join(path, m->output, "timing.json", why)) return json_write(&j, path, why);
    text_free(&j.to);
    return false;
}

static bool write_all(const merging *m, problem *why)
{
    char path[TOOL_PATH_BYTES];
    json_out j;
    bool good = true;
    for (int which = 0; good && which < ARRAYS; which++) {
        if (m->wanted[which]) good = write_rows(m, which, why);
        else if (path_join(path, m->output, arrays[which].name, why)) remove(path);
    }
    if (!good || !write_timing(m, why) || !path_join(path, m->output, "run.json", why))
        return false;
    memset(&j, 0, sizeof j);
    run_json(m, &j);
    /* last of the results: it is the mark that they belong together */
    return json_write(&j, path, why) && columns_write(m->output, why);
}

/* ---- the whole command ---------------------------------------------------------------- */

static void close_shards(merging *m)
{
    for (size_t i = 0; i < m->count; i++) {
        shard *s = &m->at[i];
        for (int which = 0; which < ARRAYS; which++)
            if (s->has[which]) npy_close(&s->array[which]);
        json_free(&s->run);
    }
    free(m->at);
}

bool merge_run(const text_list *from, const char *output, bool force, problem *why)
{
    merging m;
    memset(&m, 0, sizeof m);
    m.output = output;
    bool good = find_shards(&m, from, why);
    for (size_t i = 0; good && i < m.count; i++) good = open_shard(&m.at[i], why);
    for (size_t i = 1; good && i < m.count; i++) good = same_run(&m.at[0], &m.at[i], why);
    good = good && order(&m, why) && open_further(&m, why) && check_output(&m, force, why) &&
           write_all(&m, why);
    if (good)
        printf("%zu prompts from %zu shard%s: %s/norms.npy\n", m.prompts, m.count,
               m.count == 1 ? "" : "s", output);
    close_shards(&m);
    return good;
}
