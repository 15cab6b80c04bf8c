/* cmd_emerge.c - `synergy emerge`: does the profile form by training? */
#include "base/columns.h"
#include "base/stop.h"
#include "base/work.h"
#include "learn/stage.h"
#include "phiid/stage.h"
#include "record/stage.h"
#include "report/stage.h"
#include "study/stage.h"

#include <stdlib.h>
#include <string.h>

typedef struct emergence {
    const char *output, *text;
    int64_t corpus, rows, length, from, surrogates, seed, threads;
    bool no_controls, resume, fresh, force;
    emerge_list list;
    char (*ids)[TOOL_PATH_BYTES]; /* (runs): the text as its vocabulary has it */
    work log;
} emergence;

/* The text of every run, as its own vocabulary has it, in DIR/RUN/text.npy; adds it to the
   identity. */
static bool write_texts(emergence *e, sha256 *identity, problem *why)
{
    char path[TOOL_PATH_BYTES];
    e->ids = tool_alloc(e->list.runs, sizeof *e->ids);
    for (size_t i = 0; i < e->list.count; i++) {
        const emerge_point *p = &e->list.at[i];
        size_t rows = (size_t)e->rows;
        if (i && e->list.at[i - 1].run == p->run) continue;
        int32_t *ids =
            emerge_text(p->path, e->text, (uint64_t)e->corpus, &rows, (size_t)e->length, why);
        if (!ids) return false;
        const uint64_t size[2] = {rows, (uint64_t)e->length};
        bool good = path_join(path, e->output, e->list.run[p->run], why) &&
                    directory_make(path, why) && path_join(e->ids[p->run], path, "text.npy", why) &&
                    npy_write(e->ids[p->run], NPY_I32, 2, size, ids, why) &&
                    columns_write(path, why);
        sha256_add(identity, ids, rows * (size_t)e->length * sizeof *ids);
        free(ids);
        if (!good) return false;
        if (rows < SHAPE_LEAST_PROMPTS)
            tool_note("%zu rows of text: at least %d are needed to tell a shape", rows,
                      (int)SHAPE_LEAST_PROMPTS);
    }
    return true;
}

static bool identity_of(emergence *e, const char *settings, char hex[65], problem *why)
{
    sha256 all;
    sha256_begin(&all);
    sha256_add(&all, settings, strlen(settings));
    if (!write_texts(e, &all, why)) return false;
    for (size_t i = 0; i < e->list.count; i++) {
        const emerge_point *p = &e->list.at[i];
        file_view view;
        char own[65];
        sha256_add(&all, p->folder, strlen(p->folder) + 1);
        if (p->kind != EMERGE_CHECKPOINT) continue;
        if (!file_map(&view, p->path, why)) return false;
        sha256_of(view.bytes, view.size, own);
        file_unmap(&view);
        sha256_add(&all, own, 64);
    }
    sha256_end(&all, hex);
    return true;
}

/* As emergence.json holds them, in an object. */
static char *settings_of(const emergence *e)
{
    json_out j;
    memset(&j, 0, sizeof j);
    json_object_inline(&j, NULL);
    json_object_inline(&j, "settings");
    json_text(&j, "text", e->text ? path_base(e->text) : "held-out corpus");
    if (!e->text) json_int(&j, "corpus", e->corpus);
    json_int(&j, "rows", e->rows);
    json_int(&j, "tokens", e->length);
    json_int(&j, "from", e->from);
    json_int(&j, "surrogates", e->surrogates);
    json_int(&j, "seed", e->seed);
    json_bool(&j, "controls", !e->no_controls);
    json_object_end(&j);
    json_object_end(&j);
    return j.to.at;
}

/* Norms and scores of one model on the text, into a folder; the loss on it. */
static bool read_text(const emergence *e, const char *model, const char *ids, const char *folder,
                      perplexity_result *loss, problem *why)
{
    capture_options c;
    phiid_options p;
    perplexity_options q;
    capture_defaults(&c);
    phiid_defaults(&p);
    memset(&q, 0, sizeof q);
    c.model = q.model = model;
    c.tokens = q.tokens = ids;
    c.output = p.input = p.output = folder;
    c.from = e->from;
    c.threads = p.threads = q.threads = e->threads;
    c.exact = q.exact = c.force = p.force = c.quiet = true;
    p.surrogates = e->surrogates;
    p.seed = e->seed;
    return capture_tokens(&c, why) && phiid_run(&p, why) &&
           (!loss || perplexity_run(&q, loss, why));
}

static bool one_point(emergence *e, size_t i, problem *why)
{
    const emerge_point *p = &e->list.at[i];
    char folder[TOOL_PATH_BYTES], model[TOOL_PATH_BYTES];
    perplexity_result loss;
    const bool control = p->kind != EMERGE_CHECKPOINT;
    if (!path_join(folder, e->output, p->folder, why) || !directory_make(folder, why) ||
        !path_join(model, folder, "control.part", why))
        return false;
    stop_removes(model); /* made again by its seed */
    bool good =
        !control || emerge_control(p->path, p->kind, (uint64_t)e->seed + p->run, model, why);
    progress_hush(true);
    good = good && read_text(e, control ? model : p->path, e->ids[p->run], folder, &loss, why);
    progress_hush(false);
    if (control) remove(model);
    stop_spares(model);
    if (!good) return false;
    const double told[2] = {loss.nll, loss.se};
    return work_add(&e->log, i, told, sizeof told, why);
}

/* What all folders will hold: norms and their log, scores, the ids; the page. */
static double disk_bytes(const emergence *e, const loaded_model *m)
{
    const size_t units = (size_t)m->model.layers * m->model.heads;
    const double positions = (double)e->rows * (double)(e->length - e->from);
    return (double)(e->list.count + 1) *
               (100e3 + 8.0 * positions * (double)units * 2 +
                phiid_disk_bytes(units, m->model.layers, e->surrogates > 0)) +
           report_disk_bytes(units, (size_t)e->rows, false);
}

/* Before the start what will be written; when one model is through, how long the others take. */
static bool announce(const emergence *e, size_t left, double one, problem *why)
{
    loaded_model m;
    char what[96];
    if (!left) return true;
    if (!model_load_weights(&m, e->list.at[0].path, why)) return false;
    snprintf(what, sizeof what, "%zu model%s%s x %lld texts x %lld tokens", left,
             left > 1 ? "s" : "", one > 0 ? " more" : "", (long long)e->rows, (long long)e->length);
    const work_plan p = {
        what, e->output, 0, disk_bytes(e, &m), 0.6 * one * (double)left, 1.6 * one * (double)left,
        0};
    model_unload(&m);
    return plan_announce(&p, why);
}

static bool all_points(emergence *e, problem *why)
{
    progress bar;
    text piece = {NULL, 0, 0};
    const size_t before = e->log.done;
    bool good = announce(e, e->list.count - before, 0, why);
    const double start = clock_seconds();
    progress_begin(&bar, "emerge", (double)e->list.count);
    progress_skip(&bar, (double)e->log.done);
    for (size_t i = 0, done = e->log.done; i < e->list.count && good; i++) {
        if (work_has(&e->log, i)) continue;
        good = one_point(e, i, why);
        if (good && ++done == before + 1)
            good = announce(e, e->list.count - done, clock_seconds() - start, why);
        if (good) progress_step(&bar, (double)done);
    }
    progress_end(&bar);
    for (size_t i = 0; i < e->list.count && good; i++) {
        double told[2];
        piece.length = 0;
        good = work_read(&e->log, i, &piece, why);
        if (!good || piece.length != sizeof told) break;
        memcpy(told, piece.at, sizeof told);
        e->list.at[i].loss = told[0];
        e->list.at[i].loss_se = told[1];
    }
    text_free(&piece);
    return good;
}

/* The page shows a model beside: that of the folder, or the last checkpoint of the first run. */
static bool page_of(const emergence *e, problem *why)
{
    char path[TOOL_PATH_BYTES];
    const emerge_point *last = NULL;
    if (!path_join(path, e->output, "phiid.json", why)) return false;
    for (size_t i = 0; i < e->list.count; i++)
        if (e->list.at[i].run == 0 && e->list.at[i].kind == EMERGE_CHECKPOINT)
            last = &e->list.at[i];
    return (path_exists(path) || read_text(e, last->path, e->ids[0], e->output, NULL, why)) &&
           report_run(&(report_options){.directory = e->output}, why);
}

static void print_points(const emergence *e)
{
    printf("%-24s %10s  %8s  %s\n", "model", "loss",
           "middle minus outer thirds (ranks):", "rank difference, difference");
    for (size_t i = 0; i < e->list.count; i++) {
        const emerge_point *p = &e->list.at[i];
        printf("%-24s %10.4f", p->folder, p->loss);
        for (int s = 0; s < 2; s++)
            printf("  %7.2f [%7.2f, %7.2f]", p->e[s].middle.value, p->e[s].middle.low,
                   p->e[s].middle.high);
        printf("\n");
    }
    printf("\nThe report: ");
    report_print_path(&(report_options){.directory = e->output});
}

static bool emerge_all(emergence *e, problem *why)
{
    static const setting_word words[] = {
        {"text", "--text"}, {"corpus", "--corpus"},   {"rows", "--rows"},
        {"tokens", "-c"},   {"from", "--from"},       {"surrogates", "--surrogates"},
        {"seed", "--seed"}, {"controls", "controls"}, {NULL, NULL}};
    char identity[65];
    char *settings = settings_of(e);
    bool good = directory_writable(e->output, why) && columns_free(e->output, why) &&
                identity_of(e, settings, identity, why);
    const work_desc d = {.directory = e->output,
                         .file = "emergence.part",
                         .finished = "emergence.json",
                         .settings = settings,
                         .result = "emergence.csv",
                         .identity = identity,
                         .words = words,
                         .pieces = "models",
                         .total = e->list.count,
                         .fresh = e->fresh,
                         .force = e->force};
    if (good && (good = work_open(&e->log, &d, why))) {
        const bool complete = e->log.complete;
        if (complete) tool_note("%s/emergence.json is complete (--fresh makes it anew)", e->output);
        good = complete ||
               (all_points(e, why) && emerge_write(&e->list, e->output, settings, identity, why));
        work_close(&e->log, good);
        good = good && page_of(e, why);
        if (good && !complete) print_points(e);
    }
    free(settings);
    return good;
}

static int run(const command *self, int argc, char **argv)
{
    enum { MOST = 1024 };
    emergence e;
    const char *operand[MOST];
    size_t found;
    int code;
    problem why;
    memset(&e, 0, sizeof e);
    e.corpus = e.seed = 1;
    e.rows = 24;
    e.length = 144;
    e.from = 16;
    e.surrogates = 20;
    const option options[] = {
        OPTION_OUT(&e.output),
        {"text", 0, OPTION_TEXT, "FILE",
         "what all models read, any UTF-8 (default: held-out text of the corpus)", &e.text, 0, 0,
         NULL},
        {"corpus", 0, OPTION_INT, "SEED", "of that corpus (default 1)", &e.corpus, 0, 9e15, NULL},
        {"rows", 0, OPTION_INT, "N", "texts, each read from position 0 (default 24)", &e.rows, 1,
         65536, NULL},
        {"context", 'c', OPTION_INT, "N", "tokens of each (default 144)", &e.length, 8, 1 << 20,
         NULL},
        {"from", 0, OPTION_INT, "N", "positions before N are read, not recorded (default 16)",
         &e.from, 0, 1 << 20, NULL},
        {"surrogates", 0, OPTION_INT, "N", "circular shifts for the null (default 20)",
         &e.surrogates, 0, 1 << 20, NULL},
        {"no-controls", 0, OPTION_FLAG, NULL, "checkpoints only", &e.no_controls, 0, 0, NULL},
        OPTION_SEED(&e.seed),
        OPTION_THREADS(&e.threads),
        OPTION_RESUME(&e.resume),
        OPTION_FRESH(&e.fresh),
        OPTION_FORCE(&e.force),
    };
    if (!args_parse(self, options, OPTION_COUNT(options), argc, argv, operand, 1, MOST, &found,
                    &code))
        return code;
    if (!e.output) return tool_usage("-o DIR is needed");
    if (e.from + 8 > e.length)
        return tool_usage("-c %lld: too few tokens behind --from %lld", (long long)e.length,
                          (long long)e.from);
    if (!emerge_plan(&e.list, operand, found, !e.no_controls, &why)) return tool_fail(&why);
    const bool good = emerge_all(&e, &why);
    emerge_free(&e.list);
    free(e.ids);
    return good ? tool_finish_output() : tool_fail(&why);
}

const command command_emerge = {
    "emerge",
    "CHECKPOINT.gguf... -o DIR",
    "does the profile over depth form by training?",
    "All checkpoints read the same text (never each its own: untrained models loop), their heads "
    "are\n"
    "recorded and scored. Checkpoints in one folder are one run, by the step in their names\n"
    "(step-512.gguf, pythia-70m-step512.gguf); several folders are several seeds. Each run has "
    "two\n"
    "controls: fresh random weights, and its last weights shuffled within each tensor. Leaves\n"
    "DIR/emergence.csv (loss, middle minus outer thirds and curvature with intervals),\n"
    "DIR/emergence_profile.csv, DIR/emergence.json (claims), the results of every model in "
    "DIR/RUN,\n"
    "and a report. Where DIR is a result folder its report gets the figures and claims.\n"
    "Checkpoints of our own: synergy train --corpus 1 --steps 600 -o seed1, then emerge\n"
    "seed1/step-*.gguf. Others, as Pythia's revisions: convert each to GGUF, name it by its step.",
    run,
    "synergy emerge trained/step-*.gguf -o emerged"};
