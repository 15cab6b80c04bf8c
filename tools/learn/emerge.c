/* emerge.c - what is read, and what is said of it. */
#include "learn/stage.h"
#include "learn/source.h"

#include "base/columns.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const emerge_score[EMERGE_SCORES] = {"rank-difference", "difference", "excess"};

/* ---- runs and steps --------------------------------------------------------------------- */

/* Digits behind the last "step" (one sign may stand between), else the last number of the name. */
static bool step_of(const char *path, int64_t *step)
{
    const char *name = path_base(path), *found = NULL;
    bool behind_step = false;
    for (const char *c = name; (c = strstr(c, "step")) != NULL; c += 4) {
        const char *digit = c + 4;
        if (*digit == '-' || *digit == '_' || *digit == '.') digit++;
        if (!isdigit((unsigned char)*digit)) continue;
        found = digit;
        behind_step = true;
    }
    for (const char *c = name; *c && !behind_step; c++) /* a number that stands alone */
        if (isdigit((unsigned char)*c) && (c == name || !isalnum((unsigned char)c[-1]))) found = c;
    if (!found) return false;
    *step = strtoll(found, NULL, 10);
    return true;
}

static int by_run_and_step(const void *a, const void *b)
{
    const emerge_point *p = a, *q = b;
    if (p->run != q->run) return p->run < q->run ? -1 : 1;
    if (p->kind != q->kind) return p->kind < q->kind ? -1 : 1;
    return p->step < q->step ? -1 : p->step > q->step;
}

static void folder_of(const char *path, char to[TOOL_PATH_BYTES])
{
    const size_t n = (size_t)(path_base(path) - path);
    snprintf(to, TOOL_PATH_BYTES, "%.*s", n ? (int)n : 2, n ? path : "./");
}

/* A run is called as its folder; two of one name get a number. */
static void name_run(emerge_list *l, const char *folder)
{
    char name[48];
    size_t end = strlen(folder), same = 0, begin;
    while (end && folder[end - 1] == '/') end--;
    for (begin = end; begin && folder[begin - 1] != '/'; begin--) {}
    snprintf(name, sizeof name, "%.*s", (int)(end - begin < 40 ? end - begin : 40), folder + begin);
    for (char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_') *c = '_';
    if (!name[0] || !strcmp(name, "_") || !strcmp(name, "__")) snprintf(name, sizeof name, "run");
    for (size_t i = 0; i < l->runs; i++) same += !strncmp(l->run[i], name, strlen(name));
    l->run = tool_realloc(l->run, l->runs + 1, sizeof *l->run);
    if (same) snprintf(l->run[l->runs++], sizeof l->run[0], "%s-%zu", name, same + 1);
    else snprintf(l->run[l->runs++], sizeof l->run[0], "%s", name);
}

static bool add_checkpoint(emerge_list *l, const char *path, text_list *folders, problem *why)
{
    char folder[TOOL_PATH_BYTES];
    emerge_point *p = &l->at[l->count++];
    if (strlen(path) >= sizeof p->path)
        return problem_set(why, "%.60s...: the path is too long", path);
    memcpy(p->path, path, strlen(path) + 1);
    if (!path_is_file(path)) return problem_set(why, "%s: is not a file", path);
    if (!step_of(path, &p->step))
        return problem_set(
            why, "%s: its name tells no step (as step-512.gguf, or pythia-70m-step512.gguf)", path);
    folder_of(path, folder);
    size_t run = 0;
    while (run < folders->count && !path_same(folders->at[run], folder)) run++;
    if (run == folders->count) {
        folders->at = tool_realloc(folders->at, run + 1, sizeof *folders->at);
        folders->at[folders->count++] = tool_copy(folder);
        name_run(l, folder);
    }
    p->run = run;
    return true;
}

static void add_controls(emerge_list *l)
{
    const size_t checkpoints = l->count;
    for (size_t run = 0; run < l->runs; run++) {
        const emerge_point *last = NULL;
        for (size_t i = 0; i < checkpoints; i++)
            if (l->at[i].run == run && (!last || l->at[i].step > last->step)) last = &l->at[i];
        for (int kind = EMERGE_RANDOM; kind <= EMERGE_SHUFFLED && last; kind++) {
            emerge_point *p = &l->at[l->count++];
            *p = *last;
            p->kind = kind;
        }
    }
}

bool emerge_plan(emerge_list *l, const char *const *paths, size_t count, bool controls,
                 problem *why)
{
    text_list folders = {NULL, 0};
    bool good = true;
    memset(l, 0, sizeof *l);
    l->at = tool_alloc(3 * count + 1, sizeof *l->at);
    for (size_t i = 0; i < count && good; i++) good = add_checkpoint(l, paths[i], &folders, why);
    if (good && controls) add_controls(l);
    for (size_t i = 0; i < folders.count; i++) free((void *)(uintptr_t)folders.at[i]);
    free(folders.at);
    if (good) qsort(l->at, l->count, sizeof *l->at, by_run_and_step);
    for (size_t i = 0; i < l->count && good; i++) {
        emerge_point *p = &l->at[i];
        if (i && !by_run_and_step(p, p - 1))
            good = problem_set(why, "%s and %s are both step %lld of one run", p[-1].path, p->path,
                               (long long)p->step);
        if (p->kind == EMERGE_CHECKPOINT)
            snprintf(p->folder, sizeof p->folder, "%s/step-%lld", l->run[p->run],
                     (long long)p->step);
        else
            snprintf(p->folder, sizeof p->folder, "%s/%s", l->run[p->run],
                     p->kind == EMERGE_RANDOM ? "random" : "shuffled");
    }
    if (!good) emerge_free(l);
    return good;
}

void emerge_free(emerge_list *l)
{
    free(l->at);
    free(l->run);
    memset(l, 0, sizeof *l);
}

/* ---- the text ---------------------------------------------------------------------------- */

int32_t *emerge_text(const char *model, const char *path, uint64_t seed, size_t *rows,
                     size_t length, problem *why)
{
    loaded_model m;
    int32_t *ids = NULL;
    bool good;
    if (!model_load(&m, model, NULL, why)) return NULL;
    if (path) {
        text words = {0};
        size_t count = 0;
        good = read_file(path, &words, why);
        int32_t *all = good ? tokenize_text(&m.model.tokenizer, words.at, words.length, SYN_NO_BOS,
                                            &count, why)
                            : NULL;
        text_free(&words);
        good = all != NULL;
        if (good && count < length)
            good = problem_set(why, "%s: %zu tokens, fewer than one row of %zu (-c)", path, count,
                               length);
        if (good) {
            if (*rows > count / length) *rows = count / length;
            ids = tool_alloc(*rows * length, sizeof *ids);
            memcpy(ids, all, *rows * length * sizeof *ids);
        }
        free(all);
    } else {
        source from, held;
        good =
            m.model.tokenizer.eos >= 0 ||
            problem_set(why, "%s: its vocabulary has no end token, so give it a text: --text FILE",
                        model);
        if (good) {
            source_corpus(&from, &m.model.tokenizer, seed, length);
            good = source_held_out(&from, &held);
            ids = tool_alloc(*rows * length, sizeof *ids);
            good = good && source_rows(&held, 0, *rows, ids, why);
            source_close(&held);
            source_close(&from);
        }
    }
    model_unload(&m);
    if (good) return ids;
    free(ids);
    return NULL;
}

/* ---- results ----------------------------------------------------------------------------- */

static syn_interval interval_of(const json *s, const char *key)
{
    const json *v = json_get(s, key);
    syn_interval i = {json_number_of(v, "value", (double)NAN),
                      json_number_of(v, "low", (double)NAN),
                      json_number_of(v, "high", (double)NAN)};
    return i;
}

/* The rows of one score in profile.csv; returns how many layers. */
static size_t profile_rows(const csv *profile, const char *score, const char *column, double *to)
{
    const int name = csv_column(profile, "score_name"), at = csv_column(profile, column);
    size_t n = 0;
    for (size_t i = 0; i < profile->rows; i++)
        if (!strcmp(csv_cell(profile, i, name), score) &&
            !csv_double(csv_cell(profile, i, at), &to[n++]))
            to[n - 1] = (double)NAN;
    return n;
}

static const char *const kind_name[] = {"checkpoint", "random", "shuffled"};
static const char *const shape_name[SHAPES] = {"none", "inverted U", "high middle", "hint",
                                               "flat", "U",          "open"};

static void add_profile(table_out *out, const emerge_list *l, const emerge_point *p,
                        const csv *profile)
{
    static const char *const column[] = {"layer", "depth", "mean", "minmax", "low", "high"};
    enum { COLUMNS = sizeof column / sizeof column[0] };
    double *v = tool_alloc(COLUMNS * profile->rows + 1, sizeof *v);
    for (int s = 0; s < EMERGE_SCORES; s++) {
        size_t n = 0;
        for (int c = 0; c < COLUMNS; c++)
            n = profile_rows(profile, emerge_score[s], column[c], v + (size_t)c * profile->rows);
        for (size_t i = 0; i < n; i++) {
            table_text(out, "run", l->run[p->run]);
            table_text(out, "kind", kind_name[p->kind]);
            table_int(out, "step", p->step);
            table_text(out, "score_name", emerge_score[s]);
            table_int(out, "layer", (int64_t)v[i]);
            for (int c = 1; c < COLUMNS; c++)
                table_number(out, column[c], v[(size_t)c * profile->rows + i]);
            table_end_row(out);
        }
    }
    free(v);
}

static void add_rows(table_out *out, const emerge_list *l, const emerge_point *p)
{
    for (int s = 0; s < EMERGE_SCORES; s++) {
        const shape_evidence *e = &p->e[s];
        table_text(out, "run", l->run[p->run]);
        table_text(out, "kind", kind_name[p->kind]);
        table_int(out, "step", p->step);
        table_number(out, "loss", p->loss);
        table_number(out, "loss_se", p->loss_se);
        table_text(out, "score_name", emerge_score[s]);
        table_number(out, "middle_minus_outer", e->middle.value);
        table_number(out, "middle_low", e->middle.low);
        table_number(out, "middle_high", e->middle.high);
        table_number(out, "middle_p", e->p_middle);
        table_number(out, "curvature", e->curvature.value);
        table_number(out, "curvature_low", e->curvature.low);
        table_number(out, "curvature_high", e->curvature.high);
        table_number(out, "curvature_p", e->p_curvature);
        table_number(out, "parabola_share", e->parabola);
        table_text(out, "shape", shape_name[shape_of(e)]);
        table_end_row(out);
    }
}

static bool read_point(const emerge_list *l, emerge_point *p, const char *directory,
                       table_out *profiles, problem *why)
{
    char folder[TOOL_PATH_BYTES], path[TOOL_PATH_BYTES];
    json_file phiid;
    csv profile;
    if (!path_join(folder, directory, p->folder, why) ||
        !path_join(path, folder, "phiid.json", why) || !json_read(&phiid, path, why))
        return false;
    if (!path_join(path, folder, "profile.csv", why) || !csv_read(&profile, path, why)) {
        json_free(&phiid);
        return false;
    }
    double *mean = tool_alloc(profile.rows + 1, sizeof *mean);
    for (int s = 0; s < EMERGE_SCORES; s++) {
        const json *of = json_get(json_get(phiid.root, "scores"), emerge_score[s]);
        const size_t n = profile_rows(&profile, emerge_score[s], "mean", mean);
        shape_evidence *e = &p->e[s];
        e->middle = interval_of(of, "middle_minus_outer");
        e->curvature = interval_of(of, "curvature");
        e->p_middle = json_number_of(of, "p_middle", (double)NAN);
        e->p_curvature = json_number_of(of, "p_curvature", (double)NAN);
        e->parabola = n ? shape_parabola_share(mean, n) : (double)NAN;
        e->prompts = json_number_of(json_get(phiid.root, "input"), "prompts_used", (double)NAN);
    }
    add_profile(profiles, l, p, &profile);
    free(mean);
    csv_free(&profile);
    json_free(&phiid);
    return true;
}

/* ---- claims ------------------------------------------------------------------------------ */

/* How many of some points have which shape. */
typedef struct shape_count {
    size_t all, inverted, middle, hint, open;
    double sum, sum_square;
} shape_count;

static void count_shape(shape_count *c, const shape_evidence *e)
{
    const shape_kind s = shape_of(e);
    c->all++;
    c->inverted += s == SHAPE_INVERTED;
    c->middle += s == SHAPE_MIDDLE;
    c->hint += s == SHAPE_WEAK;
    c->open += s == SHAPE_OPEN || s == SHAPE_NONE;
}

static const emerge_point *edge(const emerge_list *l, size_t run, bool last)
{
    const emerge_point *found = NULL;
    for (size_t i = 0; i < l->count; i++)
        if (l->at[i].run == run && l->at[i].kind == EMERGE_CHECKPOINT && (!found || last))
            found = &l->at[i];
    return found;
}

static void change_json(const emerge_list *l, int s, json_out *j)
{
    double sum = 0, square = 0;
    size_t n = 0;
    for (size_t run = 0; run < l->runs; run++) {
        const emerge_point *a = edge(l, run, false), *b = edge(l, run, true);
        const double change = b->e[s].middle.value - a->e[s].middle.value;
        if (a == b || !isfinite(change)) continue;
        sum += change;
        square += change * change;
        n++;
    }
    const double mean = n ? sum / (double)n : (double)NAN, reach = student_reach(sum, square, n);
    json_object_inline(j, "change");
    json_number(j, "value", mean);
    json_number(j, "low", mean - reach);
    json_number(j, "high", mean + reach);
    json_int(j, "runs", (int64_t)n);
    json_object_end(j);
}

static void count_json(const shape_count *c, const char *key, json_out *j)
{
    json_object_inline(j, key);
    json_int(j, "models", (int64_t)c->all);
    json_int(j, "inverted", (int64_t)c->inverted);
    json_int(j, "high_middle", (int64_t)c->middle);
    json_int(j, "hints", (int64_t)c->hint);
    json_int(j, "open", (int64_t)c->open);
    json_object_end(j);
}

/* Absent: of the untrained (step 0, random controls) none has the shape, or even a high middle. */
static const char *absent_verdict(const shape_count *before)
{
    const size_t shaped = before->inverted + before->middle;
    if (!before->all || before->open == before->all) return "open";
    return !shaped ? "yes" : shaped == before->all ? "no" : "in part";
}

/* Formed: every run ends with it, none began with it, and shuffling the weights undoes it. Of fewer
   than three runs that is no more than a part of the answer: seeds differ. */
static const char *formed_verdict(const shape_count *begin, const shape_count *end,
                                  const shape_count *shuffled, const shape_count *before)
{
    if (!begin->all || end->open == end->all) return "open";
    if (!end->inverted && !end->middle && !end->hint) return "no";
    if (end->all >= 3 && end->inverted == end->all && !begin->inverted && !before->inverted &&
        !shuffled->inverted)
        return "yes";
    return end->inverted + end->middle ? "in part" : "open";
}

static void claims_json(const emerge_list *l, int s, json_out *j)
{
    shape_count begin, end, before, shuffled;
    memset(&begin, 0, sizeof begin);
    end = before = shuffled = begin;
    for (size_t i = 0; i < l->count; i++) {
        const emerge_point *p = &l->at[i];
        const bool start =
            p->kind == EMERGE_CHECKPOINT && p == edge(l, p->run, false) && p->step == 0;
        if (start || p->kind == EMERGE_RANDOM) count_shape(&before, &p->e[s]);
        if (start && edge(l, p->run, true) != p) count_shape(&begin, &p->e[s]);
        if (p->kind == EMERGE_CHECKPOINT && p == edge(l, p->run, true) && p->step > 0)
            count_shape(&end, &p->e[s]);
        if (p->kind == EMERGE_SHUFFLED) count_shape(&shuffled, &p->e[s]);
    }
    json_object(j, emerge_score[s]);
    json_text(j, "absent_at_random_initialisation", absent_verdict(&before));
    json_text(j, "formed_by_training", formed_verdict(&begin, &end, &shuffled, &before));
    count_json(&before, "untrained", j);
    count_json(&end, "trained", j);
    count_json(&shuffled, "shuffled", j);
    change_json(l, s, j);
    json_object_end(j);
}

static bool write_json(const emerge_list *l, const char *path, const char *settings,
                       const char *identity, problem *why)
{
    json_file own;
    json_out j;
    memset(&j, 0, sizeof j);
    if (!json_parse(&own, settings, strlen(settings), "settings", why)) return false;
    json_object(&j, NULL);
    json_text(&j, "program", "synergy emerge");
    json_text(&j, "version", tool_version());
    json_text(&j, "identity", identity);
    json_copy(&j, "settings", json_get(own.root, "settings"));
    json_array(&j, "runs");
    for (size_t run = 0; run < l->runs; run++) {
        size_t n = 0;
        for (size_t i = 0; i < l->count; i++)
            n += l->at[i].run == run && l->at[i].kind == EMERGE_CHECKPOINT;
        json_object_inline(&j, NULL);
        json_text(&j, "run", l->run[run]);
        json_int(&j, "checkpoints", (int64_t)n);
        json_int(&j, "first", edge(l, run, false)->step);
        json_int(&j, "last", edge(l, run, true)->step);
        json_object_end(&j);
    }
    json_array_end(&j);
    json_object(&j, "claims");
    for (int s = 0; s < EMERGE_SCORES; s++) claims_json(l, s, &j);
    json_object_end(&j);
    json_object_end(&j);
    json_free(&own);
    return json_write(&j, path, why);
}

bool emerge_write(emerge_list *l, const char *directory, const char *settings, const char *identity,
                  problem *why)
{
    char path[TOOL_PATH_BYTES];
    table_out rows, profiles;
    bool good = true;
    table_begin(&rows, "emergence.csv");
    table_begin(&profiles, "emergence_profile.csv");
    for (size_t i = 0; i < l->count && good; i++) {
        good = read_point(l, &l->at[i], directory, &profiles, why);
        if (good) add_rows(&rows, l, &l->at[i]);
    }
    if (!good) {
        table_free(&rows);
        table_free(&profiles);
        return false;
    }
    good = path_join(path, directory, "emergence.csv", why) && table_write(&rows, path, why);
    if (!good) table_free(&profiles);
    return good && path_join(path, directory, "emergence_profile.csv", why) &&
           table_write(&profiles, path, why) && path_join(path, directory, "emergence.json", why) &&
           write_json(l, path, settings, identity, why) && columns_write(directory, why);
}
