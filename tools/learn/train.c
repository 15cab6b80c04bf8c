/* train.c - `synergy train`. What a run leaves, besides timing.json, is the same for the same seed,
   whatever the threads, and whether it was stopped or not. state.gguf has all that going on
   needs. */
#include "learn/stage.h"
#include "base/columns.h"
#include "base/work.h"
#include "base/stop.h"
#include "learn/fresh.h"
#include "learn/source.h"
#include "learn/state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HELD_ROWS = 32, VOCABULARY_BYTES = 4000000 };

typedef struct training {
    const train_options *o;
    net n;
    source from, held;
    bool has_held;
    optimiser a;
    net_pass *pass;
    float *gradient;
    int32_t *ids, *held_ids;
    text settings;            /* JSON: what makes two runs one */
    text loss, held_loss;     /* the tables so far */
    double started, stepping; /* seconds: when; in steps, without what is saved and evaluated */
    uint64_t done_before;
    bool resumed;
    work_hold hold;
} training;

/* ---- files of the folder ------------------------------------------------------------------ */

static bool in_folder(const training *t, const char *name, char path[TOOL_PATH_BYTES], problem *why)
{
    return path_join(path, t->o->output, name, why);
}

static bool write_text(const training *t, const char *name, const text *words, problem *why)
{
    char path[TOOL_PATH_BYTES];
    return in_folder(t, name, path, why) && file_write(path, words->at, words->length, why);
}

/* ---- checkpoints -------------------------------------------------------------------------- */

static bool is_power_of_two(uint64_t n)
{
    return n && !(n & (n - 1));
}

static bool list_has(const char *list, uint64_t step)
{
    for (const char *at = list; at && *at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
        if (strtoull(at, NULL, 10) == step) return true;
    return false;
}

static bool is_checkpoint(const training *t, uint64_t step)
{
    if (t->o->checkpoints) return list_has(t->o->checkpoints, step);
    return step == 0 || is_power_of_two(step) || step == (uint64_t)t->o->optimiser.steps;
}

static bool check_list(const char *list, problem *why)
{
    bool digit = false;
    for (const char *c = list; c && *c; c++) {
        if (*c >= '0' && *c <= '9') digit = true;
        else if (*c == ',' && digit && c[1]) digit = false;
        else
            return problem_set(why, "--checkpoints %s: expected steps with commas between them",
                               list);
    }
    return true;
}

/* Where there is a corpus `seed` is its own; without one, from the third row on, there is one seed.
 */
static const setting_word setting_words[] = {{"seed", "--corpus"},
                                             {"init_seed", "--seed"},
                                             {"seed", "--seed"},
                                             {"init_seed", NULL},
                                             {"start", "start model (sha256)"},
                                             {"from_hash", "its text (sha256)"},
                                             {"layers", "--layers"},
                                             {"width", "--width"},
                                             {"heads", "--heads"},
                                             {"kv_heads", "--kv-heads"},
                                             {"ff", "--ff"},
                                             {"vocabulary", "--vocab"},
                                             {"length", "-c"},
                                             {"batch", "--batch"},
                                             {"steps", "--steps"},
                                             {"lr", "--lr"},
                                             {"schedule", "--schedule"},
                                             {"warmup", "--warmup"},
                                             {"beta1", "--beta1"},
                                             {"beta2", "--beta2"},
                                             {"eps", "--eps"},
                                             {"weight_decay", "--weight-decay"},
                                             {"clip", "--clip"},
                                             {"order", "--order"},
                                             {NULL, NULL}};

static learn_state state_of(training *t)
{
    const setting_word *words = setting_words + (t->o->corpus < 0 ? 2 : 0);
    const learn_state s = {t->settings.at, words, {&t->loss, &t->held_loss}, &t->n, &t->a};
    return s;
}

static bool save_state(training *t, problem *why)
{
    char path[TOOL_PATH_BYTES];
    const learn_state s = state_of(t);
    return in_folder(t, "state.gguf", path, why) && state_save(&s, path, why);
}

static bool checkpoint(const training *t, problem *why)
{
    char path[TOOL_PATH_BYTES], name[48];
    snprintf(name, sizeof name, "step-%llu.gguf", (unsigned long long)t->a.step);
    return in_folder(t, name, path, why) && net_write(&t->n, t->n.weight, NET_MODEL, path, why) &&
           write_text(t, "loss.csv", &t->loss, why) &&
           write_text(t, "heldout.csv", &t->held_loss, why);
}

/* ---- beginning ---------------------------------------------------------------------------- */

/* A text for the vocabulary: the user's, or the corpus'. */
static bool vocabulary_text(const train_options *o, text *words, problem *why)
{
    if (o->text) return read_file(o->text, words, why);
    for (uint64_t i = 0; words->length < VOCABULARY_BYTES; i++) {
        corpus_item item;
        corpus_document((uint64_t)o->corpus, i, CORPUS_ANY, NULL, false, words, &item);
        text_add(words, "\n");
    }
    return true;
}

static bool write_fresh(const train_options *o, const char *path, problem *why)
{
    text words = {0};
    bpe vocabulary;
    fresh_shape shape = o->shape;
    shape.seed = o->seed;
    shape.context = o->context;
    const char *from = o->text ? o->text : "the corpus";
    problem inner;
    bool good = vocabulary_text(o, &words, why);
    if (good && !words.length) good = problem_set(why, "%s: the text is empty", from);
    if (good && !bpe_learn(&vocabulary, words.at, words.length, (size_t)o->vocab, &inner))
        good = problem_set(why, "%s: %s", from, inner.text);
    text_free(&words);
    if (!good) return false;
    good = fresh_write(&shape, &vocabulary, path, why);
    bpe_free(&vocabulary);
    return good;
}

static bool open_source(training *t, problem *why)
{
    const train_options *o = t->o;
    const syn_model *m = &t->n.file.model;
    size_t length = o->context ? (size_t)o->context : m->context < 512 ? m->context : 512;
    if (m->context && length > m->context)
        return problem_set(why, "-c %zu: the model was made for %u tokens", length, m->context);
    if (o->tokens) {
        if (!source_tokens(&t->from, o->tokens, m->vocab, why)) return false;
    } else if (o->text) {
        if (!source_text(&t->from, &m->tokenizer, o->text, length, why)) return false;
    } else {
        if (m->tokenizer.eos < 0)
            return problem_set(why, "%s: its vocabulary has no end token", t->n.file.path);
        source_corpus(&t->from, &m->tokenizer, (uint64_t)o->corpus, length);
    }
    t->from.seed = o->corpus >= 0 ? (uint64_t)o->corpus : (uint64_t)o->seed;
    t->from.given_order = o->order == ORDER_GIVEN;
    t->has_held = source_held_out(&t->from, &t->held);
    return true;
}

/* What two runs must share to be one. */
static bool describe(training *t, problem *why)
{
    const train_options *o = t->o;
    char hash[65], file[65] = "";
    json_out j;
    memset(&j, 0, sizeof j);
    model_hash(&t->n.file, hash);
    if (o->tokens || o->text) {
        file_view view;
        if (!file_map(&view, o->tokens ? o->tokens : o->text, why)) return false;
        sha256_of(view.bytes, view.size, file);
        file_unmap(&view);
    }
    json_object(&j, NULL);
    json_text(&j, "start", hash);
    json_text(&j, "from", o->tokens ? "tokens" : o->text ? "text" : "corpus");
    if (file[0]) json_text(&j, "from_hash", file);
    if (!o->init) {
        json_int(&j, "layers", o->shape.layers);
        json_int(&j, "width", o->shape.width);
        json_int(&j, "heads", o->shape.heads);
        json_int(&j, "kv_heads", o->shape.kv_heads);
        json_int(&j, "ff", o->shape.ff);
        json_int(&j, "vocabulary", o->vocab);
        json_int(&j, "init_seed", o->seed);
    }
    json_int(&j, "seed", (int64_t)t->from.seed);
    json_int(&j, "length", (int64_t)t->from.length);
    json_int(&j, "batch", o->batch);
    json_int(&j, "steps", o->optimiser.steps);
    json_number(&j, "lr", o->optimiser.lr);
    json_text(&j, "schedule", choice_name(CHOICE_SCHEDULE, o->optimiser.schedule));
    json_int(&j, "warmup", o->optimiser.warmup);
    json_number(&j, "beta1", o->optimiser.beta1);
    json_number(&j, "beta2", o->optimiser.beta2);
    json_number(&j, "eps", o->optimiser.eps);
    json_number(&j, "weight_decay", o->optimiser.decay);
    json_number(&j, "clip", o->optimiser.clip);
    json_text(&j, "order", choice_name(CHOICE_ROWS, (int)o->order));
    json_object_end(&j);
    text_add(&t->settings, j.to.at);
    text_add(&t->settings, "\n");
    text_free(&j.to);
    return true;
}

/* ---- steps -------------------------------------------------------------------------------- */

static bool evaluate(training *t, problem *why)
{
    if (!t->has_held) return true;
    const size_t rows = t->held.corpus || t->held.rows > HELD_ROWS ? HELD_ROWS : t->held.rows;
    if (!t->held_ids) {
        t->held_ids = tool_alloc(rows * t->held.length, sizeof *t->held_ids);
        if (!source_rows(&t->held, 0, rows, t->held_ids, why)) return false;
    }
    net_wants wants;
    memset(&wants, 0, sizeof wants);
    const net_rows r = {t->held_ids, NULL, rows, t->held.length, NULL};
    text_print(&t->held_loss, "%llu", (unsigned long long)t->a.step);
    csv_number(&t->held_loss, net_run(t->pass, &r, 0, &wants));
    csv_end_row(&t->held_loss);
    return true;
}

static bool one_step(training *t, double *loss, problem *why)
{
    const size_t batch = (size_t)t->o->batch;
    net_wants wants;
    memset(&wants, 0, sizeof wants);
    wants.gradient = t->gradient;
    if (!source_rows(&t->from, t->a.step * batch, batch, t->ids, why)) return false;
    const net_rows r = {t->ids, NULL, batch, t->from.length, NULL};
    const size_t count = net_positions(&r);
    if (!count)
        return problem_set(why, "step %llu: none of its rows has a second token",
                           (unsigned long long)t->a.step + 1);
    memset(t->gradient, 0, t->n.parameters * sizeof *t->gradient);
    *loss = net_run(t->pass, &r, count, &wants);
    const double lr = optimiser_rate(&t->a);
    const double norm = isfinite(*loss) ? optimiser_step(&t->a, t->gradient) : *loss;
    if (!isfinite(norm))
        return problem_set(
            why,
            "step %llu: the loss is %g, the gradient's norm %g: take a smaller --lr; the "
            "checkpoints up to here are whole",
            (unsigned long long)t->a.step + 1, *loss, norm);
    text_print(&t->loss, "%llu", (unsigned long long)t->a.step);
    csv_number(&t->loss, *loss);
    csv_number(&t->loss, lr);
    csv_number(&t->loss, norm);
    csv_end_row(&t->loss);
    return true;
}

static double tokens_a_second(const training *t)
{
    const double tokens =
        (double)(t->a.step - t->done_before) * (double)t->o->batch * (double)t->from.length;
    return t->stepping > 0 ? tokens / t->stepping : 0;
}

/* What stands beside the bar: loss, tokens a second. */
static void tell(const training *t, double loss, progress *bar, char label[96])
{
    snprintf(label, 96, "train: loss %.4f, %.0f tokens/s", loss, tokens_a_second(t));
    bar->label = label;
    progress_step(bar, (double)t->a.step);
}

static bool steps(training *t, problem *why)
{
    const uint64_t all = (uint64_t)t->o->optimiser.steps;
    double saved = clock_seconds(), loss = 0;
    char label[96] = "train";
    progress bar;
    bool good = true;
    t->started = saved;
    if (!t->resumed) {
        good =
            evaluate(t, why) && (!is_checkpoint(t, 0) || checkpoint(t, why)) && save_state(t, why);
        if (!good) return false;
    }
    stop_keeps("the steps up to the last state in %s (at most %lld s ago) are kept", t->o->output,
               (long long)t->o->save_seconds);
    progress_begin(&bar, label, (double)all);
    progress_skip(&bar, (double)t->a.step);
    const uint64_t last = t->o->until ? (uint64_t)t->o->until : all;
    while (t->a.step < all && t->a.step < last && good) {
        const double begun = clock_seconds();
        good = one_step(t, &loss, why);
        t->stepping += clock_seconds() - begun;
        if (!good) break;
        const bool mark = is_checkpoint(t, t->a.step);
        if (mark || t->a.step == all ||
            (t->o->evaluate && t->a.step % (uint64_t)t->o->evaluate == 0))
            good = evaluate(t, why);
        if (good && mark) good = checkpoint(t, why);
        if (good && (mark || clock_seconds() - saved > (double)t->o->save_seconds)) {
            good = save_state(t, why) && write_text(t, "loss.csv", &t->loss, why);
            saved = clock_seconds();
        }
        tell(t, loss, &bar, label);
    }
    progress_end(&bar);
    stop_keeps(NULL);
    return good;
}

static bool finish(training *t, problem *why)
{
    char path[TOOL_PATH_BYTES], line[160];
    json_out j;
    memset(&j, 0, sizeof j);
    json_object(&j, NULL);
    json_number(&j, "seconds", clock_seconds() - t->started);
    json_number(&j, "seconds_of_steps", t->stepping);
    json_number(&j, "tokens_per_second", tokens_a_second(t));
    json_int(&j, "threads", t->n.parallel->threads > 1 ? t->n.parallel->threads : 1);
    json_object_end(&j);
    if (!in_folder(t, "model.gguf", path, why) ||
        !net_write(&t->n, t->n.weight, NET_MODEL, path, why))
        return false;
    if (!save_state(t, why) || !write_text(t, "loss.csv", &t->loss, why) ||
        !write_text(t, "heldout.csv", &t->held_loss, why) ||
        !in_folder(t, "timing.json", path, why) || !json_write(&j, path, why) ||
        !columns_write(t->o->output, why))
        return false;
    snprintf(line, sizeof line, "%llu steps, %.0f tokens/s", (unsigned long long)t->a.step,
             tokens_a_second(t));
    printf("%s\n", line);
    return true;
}

/* Those that are still to come. */
static double checkpoints_of(const training *t)
{
    const uint64_t from = t->resumed ? t->a.step + 1 : 0, all = (uint64_t)t->o->optimiser.steps;
    double count = 0;
    for (const char *c = t->o->checkpoints; c && *c; c = strchr(c, ',') ? strchr(c, ',') + 1 : "")
        count += strtoull(c, NULL, 10) >= from;
    for (uint64_t n = all; !t->o->checkpoints && n; n /= 2) count += n >= from;
    return count + (from == 0);
}

/* A step's gradient, of all rows or, where there are few steps, of one, is timed before the first;
   the held-out loss takes a third of its rows' gradients. */
static bool announce(training *t, problem *why)
{
    const train_options *o = t->o;
    const uint64_t last = (uint64_t)(o->until ? o->until : o->optimiser.steps);
    const double steps = last > t->a.step ? (double)(last - t->a.step) : 0;
    const size_t rows = steps >= 20 ? (size_t)o->batch : 1;
    const double weights = (double)t->n.parameters, checkpoints = checkpoints_of(t);
    net_wants wants;
    char what[120];
    memset(&wants, 0, sizeof wants);
    wants.gradient = t->gradient;
    if (!source_rows(&t->from, 0, rows, t->ids, why)) return false;
    const net_rows r = {t->ids, NULL, rows, t->from.length, NULL};
    const double start = clock_seconds();
    if (net_positions(&r)) net_run(t->pass, &r, net_positions(&r), &wants);
    const double row = (clock_seconds() - start) / (double)rows;
    const double held = t->has_held ? HELD_ROWS * checkpoints / 3 : 0;
    const double all = row * (steps * (double)o->batch + held);
    snprintf(what, sizeof what, "%.0f steps of %lld rows of %zu tokens", steps, (long long)o->batch,
             t->from.length);
    /* the model, the state and the one that replaces it, each checkpoint */
    const work_plan p = {
        what,
        o->output,
        (double)net_pass_bytes(&t->n, t->from.length, (size_t)o->batch, NET_TO_WEIGHTS) +
            16 * weights,
        weights * (4 + 24 + 4 * checkpoints) + 80 * steps + 50e3,
        0.6 * all,
        1.5 * all + 0.1,
        0};
    return plan_announce(&p, why);
}

/* The folder is made, and refused where it holds another run. */
static bool begin_folder(training *t, problem *why)
{
    char path[TOOL_PATH_BYTES];
    if (!in_folder(t, "state.gguf", path, why)) return false;
    text_add(&t->loss, "step,loss,lr,gradient_norm\n");
    text_add(&t->held_loss, "step,loss\n");
    tool_note("%zu weights, %zu tensors", t->n.parameters, t->n.params);
    if (!path_exists(path)) return true;
    if (t->o->fresh || t->o->force) {
        tool_note("the steps in %s are discarded", path);
        return true;
    }
    learn_state state = state_of(t);
    if (!state_load(&state, path, why)) return false;
    t->done_before = t->a.step;
    t->resumed = true;
    tool_note("goes on behind step %llu", (unsigned long long)t->a.step);
    return true;
}

static bool prepare(training *t, problem *why)
{
    char start[TOOL_PATH_BYTES], state[TOOL_PATH_BYTES];
    const train_options *o = t->o;
    if (!check_list(o->checkpoints, why) || !directory_writable(o->output, why) ||
        !columns_free(o->output, why) || !columns_not_input(o->output, "train", o->init, why) ||
        !columns_not_input(o->output, "train", o->text, why) ||
        !columns_not_input(o->output, "train", o->tokens, why) ||
        !work_hold_folder(&t->hold, o->output, "train.part", why))
        return false;
    if (!in_folder(t, "start.gguf", start, why) || !in_folder(t, "state.gguf", state, why))
        return false;
    if (!o->init && (!path_exists(start) || !path_exists(state) || o->fresh || o->force) &&
        !write_fresh(o, start, why))
        return false;
    return net_open(&t->n, o->init ? o->init : start, NET_HOLD_ALL, o->threads, why) &&
           open_source(t, why) && describe(t, why);
}

bool train_run(const train_options *o, problem *why)
{
    training t;
    memset(&t, 0, sizeof t);
    t.o = o;
    bool good = prepare(&t, why);
    if (good) {
        const size_t ids = (size_t)o->batch * t.from.length;
        optimiser_open(&t.a, &t.n, &o->optimiser, NULL, 0);
        t.ids = tool_alloc(ids, sizeof *t.ids);
        t.gradient = tool_alloc(t.n.parameters, sizeof *t.gradient);
        t.pass = net_pass_open(&t.n, t.from.length, (size_t)o->batch, NET_TO_WEIGHTS);
        good = begin_folder(&t, why) && announce(&t, why) && steps(&t, why) && finish(&t, why);
    }
    net_pass_close(t.pass);
    optimiser_close(&t.a);
    source_close(&t.held);
    source_close(&t.from);
    free(t.gradient);
    free(t.ids);
    free(t.held_ids);
    text_free(&t.settings);
    text_free(&t.loss);
    text_free(&t.held_loss);
    net_close(&t.n);
    work_let_go(&t.hold);
    return good;
}
