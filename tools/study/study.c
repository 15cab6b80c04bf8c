/* study.c - runs every point of every curve, piece by piece, so that a stopped run can go on. */
#include "study/study.h"

#include "base/columns.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void study_defaults(study_options *o)
{
    memset(o, 0, sizeof *o);
    o->seeds = 5;
    o->prompts = 24;
    o->items = 24;
    o->eval = "all";
    o->seed = 1;
}

double study_disk_bytes(void)
{
    return 200e3;
}

/* ---- laying out ----------------------------------------------------------------------- */

bool study_numbers(const char *option_name, const char *list, double high, number_fn *take,
                   void *to, problem *why)
{
    double last = 0;
    for (const char *at = list; *at;) {
        char *end;
        const double value = strtod(at, &end);
        if (end == at || (*end && *end != ','))
            return problem_set(why, "%s: '%.40s' is not a list of numbers", option_name, at);
        if (!(value > 0 && value <= high))
            return problem_set(why, "%s: %g is not above 0 and at most %g", option_name, value,
                               high);
        if (!(value > last)) return problem_set(why, "%s: %g does not rise", option_name, value);
        if (!take(to, value, why)) return false;
        last = value;
        at = *end ? end + 1 : end;
    }
    return last > 0 || problem_set(why, "%s: is empty", option_name);
}

static bool eval_desc(const study *a, syn_context_desc *desc, problem *why)
{
    memset(desc, 0, sizeof *desc);
    desc->arithmetic = a->options->exact ? SYN_EXACT : SYN_FAST;
    return eval_layout(&a->bench, &a->s.m, a->options->memory, desc, why);
}

/* A model that cannot take the evaluation sets (its context, its tokenizer) is studied without
   them. */
static bool open_eval(study *a, problem *why)
{
    int which[EVAL_SETS];
    problem cannot;
    if (!strcmp(a->options->eval, "none")) return true;
    if (!eval_set_names(a->options->eval, which, why)) return false;
    a->has_bench =
        eval_open(&a->bench, &a->s.m, a->options->eval, a->options->items, NULL, &cannot);
    if (a->has_bench) {
        syn_context_desc desc;
        if (eval_desc(a, &desc, &cannot)) return true;
        eval_close(&a->bench);
        memset(&a->bench, 0, sizeof a->bench);
        a->has_bench = false;
    }
    tool_note("without evaluation sets: %s", cannot.text);
    return true;
}

static bool hash_units(study *a, problem *why)
{
    char path[TOOL_PATH_BYTES];
    file_view view;
    if (!path_join(path, a->options->directory, "units.csv", why) || !file_map(&view, path, why))
        return false;
    sha256_of(view.bytes, view.size, a->units_hash);
    file_unmap(&view);
    return true;
}

/* What the paper's text defines, and what its figures agree better with. */
static const struct {
    const char *name, *column, *title;
} paper[] = {{"rank-difference", "rank_difference", "the rank difference"},
             {"difference", "difference_rank", "the rank of synergy - redundancy"}};
enum { PAPER = sizeof paper / sizeof paper[0] };

/* The score that `synergy phiid` was asked for; a folder of another program's scores has no
   phiid.json. */
static bool chosen_score(const study_options *o, char to[64], problem *why)
{
    char path[TOOL_PATH_BYTES];
    json_file f;
    if (!path_join(path, o->directory, "phiid.json", why) || !json_read_if_there(&f, path, why))
        return false;
    snprintf(to, 64, "%s", json_text_of(f.root, "settings.score", "score"));
    json_free(&f);
    return true;
}

static study_reading *add_reading(study *a, const char *name, const char *column, const char *title)
{
    study_reading *r = &a->reading[a->readings++];
    snprintf(r->title, sizeof r->title, "%s", title);
    snprintf(r->column, sizeof r->column, "%s", column);
    snprintf(r->order, sizeof r->order, "%.40s", name);
    snprintf(r->reverse, sizeof r->reverse, "%.40s-reverse", name);
    snprintf(r->matched, sizeof r->matched, "%.40s-matched", name);
    snprintf(r->core, sizeof r->core, "%.40s-core", name);
    snprintf(r->periphery, sizeof r->periphery, "%.40s-periphery", name);
    return r;
}

/* The first has plain names: score, reverse, matched, core, periphery. */
static bool add_readings(study *a, problem *why)
{
    const char *asked = a->options->score;
    char chosen[64];
    if (!chosen_score(a->options, chosen, why)) return false;
    const char *title = asked ? asked : chosen;
    for (int k = 0; k < PAPER; k++)
        if (!strcmp(title, paper[k].name) || !strcmp(title, paper[k].column))
            title = paper[k].title;
    study_reading *first = add_reading(a, "score", asked ? asked : "score", title);
    snprintf(first->reverse, sizeof first->reverse, "reverse");
    snprintf(first->matched, sizeof first->matched, "matched");
    snprintf(first->core, sizeof first->core, "core");
    snprintf(first->periphery, sizeof first->periphery, "periphery");
    for (int k = 0; !asked && k < PAPER; k++)
        if (strcmp(chosen, paper[k].name) && subject_has_column(&a->s, paper[k].column))
            add_reading(a, paper[k].name, paper[k].column, paper[k].title);
    return true;
}

bool study_open(study *a, const study_options *o, const study_kind *kind, problem *why)
{
    a->options = o;
    a->kind = kind;
    if (!subject_open(&a->s, o->model, o->pre, o->directory, o->prompts, why)) return false;
    return add_readings(a, why) && hash_units(a, why) && open_eval(a, why) &&
           intervene_open(&a->v, &a->s.m, a->s.longest, o->exact, o->threads, o->memory, why);
}

void study_add_curve(study *a, const char *name, int seed, bool eval)
{
    a->curve = tool_realloc(a->curve, a->curves + 1, sizeof *a->curve);
    a->curve[a->curves++] = (study_curve){name, seed, eval};
}

void study_add_pair(study *a, const char *x, const char *y)
{
    a->pair = tool_realloc(a->pair, a->pairs + 1, sizeof *a->pair);
    a->pair[a->pairs][0] = x;
    a->pair[a->pairs++][1] = y;
}

void study_add_point(study *a, double x, size_t units)
{
    a->x = tool_realloc(a->x, a->points + 1, sizeof *a->x);
    a->units = tool_realloc(a->units, a->points + 1, sizeof *a->units);
    a->x[a->points] = x;
    a->units[a->points++] = units;
}

void study_begin_edits(study *a)
{
    a->edit = tool_alloc(a->curves * a->points, sizeof *a->edit);
    for (size_t k = 0; k < a->curves * a->points; k++) a->edit[k].layer = a->s.m.model.layers;
}

intervention *study_edit(const study *a, size_t curve, size_t point)
{
    return &a->edit[curve * a->points + point];
}

float *study_array(study *a, size_t count)
{
    a->array = tool_realloc(a->array, a->arrays + 1, sizeof *a->array);
    return a->array[a->arrays++] = tool_alloc(count, sizeof(float));
}

void study_close(study *a)
{
    if (a->has_bench) eval_close(&a->bench);
    intervene_close(&a->v);
    subject_close(&a->s);
    for (size_t i = 0; i < a->arrays; i++) free(a->array[i]);
    free(a->array);
    free(a->curve);
    free(a->pair);
    free(a->x);
    free(a->units);
    free(a->edit);
    free(a->result);
    free(a->accuracy);
    free(a->measured);
}

/* ---- a run's identity ----------------------------------------------------------------- */

static void hash_text(sha256 *h, const char *words)
{
    sha256_add(h, words, strlen(words) + 1);
}

static void hash_number(sha256 *h, double value)
{
    char words[40];
    snprintf(words, sizeof words, "%.17g", value);
    hash_text(h, words);
}

/* The bits of floats, in one byte order. */
static void hash_array(sha256 *h, const float *at, size_t count)
{
    unsigned char bytes[1024];
    size_t used = 0;
    for (size_t i = 0; at && i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &at[i], sizeof bits);
        for (int k = 0; k < 4; k++) bytes[used++] = (unsigned char)(bits >> 8 * k);
        if (used < sizeof bytes && i + 1 < count) continue;
        sha256_add(h, bytes, used);
        used = 0;
    }
    hash_text(h, ";");
}

/* The means are one array for all edits: they are counted once, with the first. */
static void hash_edit(sha256 *h, const study *a, const intervention *v, bool means)
{
    const size_t slots = subject_slots(&a->s);
    const syn_model *model = &a->s.m.model;
    hash_array(h, v->edit.head_gain, slots);
    hash_array(h, v->edit.head_noise, slots * 2);
    hash_array(h, v->edit.expert_gain, slots);
    hash_array(h, v->edit.expert_noise, slots * 3);
    if (means) hash_array(h, v->edit.head_mean, slots * model->value_size);
    if (means) hash_array(h, v->edit.expert_mean, slots * model->embd);
    hash_number(h, (double)v->edit.noise_seed);
}

/* Of everything that decides the numbers: model, texts, edits, arithmetic, evaluation. */
static void find_identity(study *a)
{
    const study_options *o = a->options;
    sha256 h;
    sha256_begin(&h);
    hash_text(&h, a->kind->stem);
    hash_text(&h, a->s.hash);
    hash_number(&h, o->exact);
    for (size_t i = 0; i < a->s.texts; i++) {
        hash_number(&h, (double)a->s.text[i].from);
        for (size_t k = 0; k < a->s.text[i].count; k++) hash_number(&h, a->s.text[i].ids[k]);
    }
    for (size_t c = 0; c < a->curves; c++) hash_text(&h, a->curve[c].name);
    for (size_t p = 0; p < a->points; p++) hash_number(&h, a->x[p]);
    for (size_t k = 0; k < a->curves * a->points; k++) hash_edit(&h, a, &a->edit[k], k == 1);
    hash_text(&h, o->eval);
    hash_number(&h, (double)o->items);
    sha256_end(&h, a->identity);
}

/* ---- finished pieces ------------------------------------------------------------------ */

/* With nothing changed all curves are the same: the first stands for them. */
static bool is_own(const study *a, size_t k)
{
    return k == 0 || k % a->points != 0;
}

/* Pieces are an edit on a text, and behind them the points at which evaluation sets run. */
static size_t pair_key(const study *a, size_t row, size_t k)
{
    return row * a->curves * a->points + k;
}

static size_t eval_key(const study *a, size_t k)
{
    return pair_key(a, a->s.texts, k);
}

/* A piece of the log is lines of numbers, each
     d TEXT CURVE POINT positions kl nll same_top
     a CURVE POINT SET items correct margin */
static bool take_divergence(study *a, const char *line)
{
    size_t i, c, p;
    divergence d;
    int used = 0;
    if (sscanf(line, "d %zu %zu %zu %lf %lf %lf %lf%n", &i, &c, &p, &d.positions, &d.kl, &d.nll,
               &d.same_top, &used) != 7 ||
        line[used] != '\n' || i >= a->s.texts || c >= a->curves || p >= a->points ||
        !isfinite(d.kl) || !isfinite(d.nll))
        return false;
    a->result[pair_key(a, i, c * a->points + p)] = d;
    return true;
}

static bool take_accuracy(study *a, const char *line)
{
    size_t c, p, set;
    int used = 0, items, correct;
    double margin;
    if (sscanf(line, "a %zu %zu %zu %d %d %lf%n", &c, &p, &set, &items, &correct, &margin, &used) !=
            6 ||
        line[used] != '\n' || c >= a->curves || p >= a->points || !a->has_bench ||
        set >= (size_t)a->bench.sets)
        return false;
    eval_score_set(&a->accuracy[(c * a->points + p) * (size_t)a->bench.sets + set], &a->bench,
                   (int)set, items, correct, margin);
    a->measured[c * a->points + p] = set + 1 == (size_t)a->bench.sets;
    return true;
}

static bool take_pieces(study *a, problem *why)
{
    text piece = {NULL, 0, 0};
    bool good = true;
    for (size_t key = 0; good && key < eval_key(a, a->curves * a->points); key++) {
        if (!work_has(&a->log, key)) continue;
        good = work_read(&a->log, key, &piece, why);
        for (const char *line = good ? piece.at : NULL; good && line && *line;
             line = strchr(line, '\n') + 1)
            if (!strchr(line, '\n') || !(take_divergence(a, line) || take_accuracy(a, line)))
                good = problem_set(why, "%s: piece %zu is not of this run (--fresh starts over)",
                                   a->log.path, key);
    }
    text_free(&piece);
    return good;
}

static bool piece_done(study *a, size_t key, text *lines, problem *why)
{
    const bool good = work_add(&a->log, key, lines->at, lines->length, why);
    text_free(lines);
    return good;
}

/* ---- running -------------------------------------------------------------------------- */

/* What is under way: edits of a text, of which only those count that are their own. */
typedef struct under_way {
    study *a;
    progress *bar;
    double *done;
    size_t *of; /* (edit): its curve and point */
} under_way;

static bool take_pair(void *user, size_t row, size_t edit, const divergence *d, problem *why)
{
    const under_way *w = user;
    study *a = w->a;
    const size_t k = w->of[edit], c = k / a->points, p = k % a->points;
    text lines = {NULL, 0, 0};
    if (!isfinite(d->kl) || !isfinite(d->nll))
        return problem_set(why, "%s: prompt %zu, '%s' at %g: the logits are not finite numbers",
                           a->s.m.path, row, a->curve[c].name, a->x[p]);
    a->result[pair_key(a, row, k)] = *d;
    text_print(&lines, "d %zu %zu %zu %.17g %.17g %.17g %.17g\n", row, c, p, d->positions, d->kl,
               d->nll, d->same_top);
    progress_step(w->bar, *w->done += (double)a->s.text[row].count);
    return piece_done(a, pair_key(a, row, k), &lines, why);
}

static void tell_step(void *user, double ids)
{
    const under_way *w = user;
    progress_step(w->bar, *w->done + ids);
}

/* Every point of every curve on every text. */
static bool run_texts(study *a, progress *bar, double *done, problem *why)
{
    const size_t count = a->curves * a->points;
    under_way w = {a, bar, done, tool_alloc(count, sizeof *w.of)};
    intervention *edits = tool_alloc(count, sizeof *edits);
    bool *there = tool_alloc(a->s.texts * count, sizeof *there);
    size_t n = 0;
    for (size_t k = 0; k < count; k++) {
        if (!is_own(a, k)) continue;
        edits[n] = a->edit[k];
        w.of[n++] = k;
    }
    for (size_t i = 0; i < a->s.texts; i++)
        for (size_t e = 0; e < n; e++)
            there[i * n + e] = work_has(&a->log, pair_key(a, i, w.of[e]));
    const intervene_job job = {a->s.text, a->s.texts, edits, n, there, take_pair, tell_step, &w};
    const bool good = intervene_run(&a->v, &job, why);
    for (size_t i = 0; good && i < a->s.texts; i++)
        for (size_t c = 1; c < a->curves; c++)
            a->result[pair_key(a, i, c * a->points)] = a->result[pair_key(a, i, 0)];
    free(w.of);
    free(edits);
    free(there);
    return good;
}

static bool run_eval(study *a, size_t k, syn_context *ctx, problem *why)
{
    eval_score *score = a->accuracy + k * (size_t)a->bench.sets;
    ctx->edit = a->edit[k].edit;
    if (!eval_run(&a->bench, ctx, score, why)) return false;
    text lines = {NULL, 0, 0};
    for (int s = 0; s < a->bench.sets; s++)
        text_print(&lines, "a %zu %zu %d %d %d %.17g\n", k / a->points, k % a->points, s,
                   score[s].items, score[s].correct, score[s].margin);
    a->measured[k] = true;
    return piece_done(a, eval_key(a, k), &lines, why);
}

static bool eval_all(study *a, progress *bar, double *done, problem *why)
{
    syn_context ctx;
    syn_context_desc desc;
    void *block = NULL;
    size_t bytes, sets = (size_t)a->bench.sets;
    bool good =
        eval_desc(a, &desc, why) && model_context_on(&a->s.m, &ctx, &desc, &block, &bytes, why);
    for (size_t k = 0; good && k < a->curves * a->points; k++) {
        if (!a->curve[k / a->points].eval) continue;
        if (!is_own(a, k)) {
            memcpy(a->accuracy + k * sets, a->accuracy, sets * sizeof *a->accuracy);
            a->measured[k] = true;
        }
        if (!a->measured[k]) good = run_eval(a, k, &ctx, why);
        progress_step(bar, *done += (double)eval_positions(&a->bench));
    }
    free(block);
    return good;
}

/* Edits that are their own: nothing changed, and the other points of every curve. */
static size_t own_edits(const study *a)
{
    return 1 + a->curves * (a->points - 1);
}

/* Positions to be fed, in all. */
static double total_work(const study *a)
{
    double total = 0;
    for (size_t i = 0; i < a->s.texts; i++)
        total += (double)a->s.text[i].count * (double)own_edits(a);
    for (size_t c = 0; a->has_bench && c < a->curves; c++)
        if (a->curve[c].eval) total += (double)eval_positions(&a->bench) * (double)a->points;
    return total;
}

static double work_there(const study *a)
{
    double done = 0;
    for (size_t i = 0; i < a->s.texts; i++)
        for (size_t k = 0; k < a->curves * a->points; k++)
            if (work_has(&a->log, pair_key(a, i, k))) done += (double)a->s.text[i].count;
    return done;
}

static bool take_nothing(void *user, size_t row, size_t edit, const divergence *d, problem *why)
{
    (void)user, (void)row, (void)edit, (void)d, (void)why;
    return true;
}

/* One text with nothing changed tells what a position costs; an edit starts at the lowest layer
   that it changes, anywhere from the first to the last. */
static bool announce(study *a, double left, problem *why)
{
    char what[200];
    const intervention nothing = {.layer = a->s.m.model.layers};
    bool there = false;
    const intervene_job job = {a->s.text, 1, &nothing, 1, &there, take_nothing, NULL, NULL};
    const double start = clock_seconds();
    if (!intervene_run(&a->v, &job, why)) return false;
    const double position = (clock_seconds() - start) / (double)a->s.text[0].count;
    snprintf(what, sizeof what, "%s: %zu curves of %zu points on %zu prompts", a->kind->stem,
             a->curves, a->points, a->s.texts);
    const work_plan p = {what,
                         a->options->output,
                         0,
                         study_disk_bytes(),
                         0.2 * position * left,
                         1.2 * position * left + 0.1,
                         0};
    return plan_announce(&p, why);
}

static bool run_all(study *a, problem *why)
{
    progress bar;
    bool good = take_pieces(a, why);
    double done = work_there(a);
    good = good && announce(a, total_work(a) - done, why);
    progress_begin(&bar, a->kind->stem, total_work(a)); /* the clock runs from here */
    progress_skip(&bar, done);
    good = good && run_texts(a, &bar, &done, why);
    if (good && a->has_bench) good = eval_all(a, &bar, &done, why);
    progress_end(&bar);
    return good;
}

static const setting_word words[] = {{"eval", "--eval"},
                                     {"eval_items", "--items"},
                                     {"prompts", "--prompts"},
                                     {"seeds", "--seeds"},
                                     {"seed", "--seed"},
                                     {"score", "--score"},
                                     {"replace", "--replace"},
                                     {"share", "--share"},
                                     {"removed", "--fractions, --step, --most:"},
                                     {"strengths", "--strengths:"},
                                     {"units_sha256", "units.csv (sha256)"},
                                     {"sha256", "model (sha256)"},
                                     {NULL, NULL}};

/* Pieces: edits on texts, and of each curve with evaluation sets the points (the first is one for
   all). */
static size_t pieces_in_all(const study *a)
{
    size_t n = a->s.texts * own_edits(a);
    for (size_t c = 0, first = 1; a->has_bench && c < a->curves; c++)
        if (a->curve[c].eval) {
            n += a->points - 1 + first;
            first = 0;
        }
    return n;
}

bool study_run(study *a, problem *why)
{
    const study_options *o = a->options;
    const size_t count = a->curves * a->points;
    char part[64], finished[64], result[64];
    json_out j = {0};
    a->result = tool_alloc(a->s.texts * count, sizeof *a->result);
    a->measured = tool_alloc(count, sizeof *a->measured);
    if (a->has_bench) a->accuracy = tool_alloc(count * (size_t)a->bench.sets, sizeof *a->accuracy);
    find_identity(a);
    snprintf(part, sizeof part, "%s.part", a->kind->stem);
    snprintf(finished, sizeof finished, "%s.json", a->kind->stem);
    snprintf(result, sizeof result, "%s.csv", a->kind->stem);
    json_object(&j, NULL);
    json_object(&j, "settings");
    study_settings(a, &j);
    json_object_end(&j);
    json_object_end(&j);
    const work_desc d = {.directory = o->output,
                         .file = part,
                         .finished = finished,
                         .result = result,
                         .settings = j.to.at,
                         .identity = a->identity,
                         .words = words,
                         .pieces = "pieces",
                         .total = pieces_in_all(a),
                         .fresh = o->fresh,
                         .force = o->force};
    bool good = directory_writable(o->output, why) && columns_free(o->output, why) &&
                columns_not_input(o->output, "study", o->model, why) && work_open(&a->log, &d, why);
    const bool complete = good && a->log.complete;
    if (complete) tool_note("%s/%s is complete (--fresh makes it anew)", o->output, finished);
    else good = good && run_all(a, why) && study_write(a, why);
    work_close(&a->log, good);
    text_free(&j.to);
    if (good && !complete) study_print(a, stdout);
    return good;
}
