/* ablate.c - runs every order at every point, piece by piece, so that a stopped run can go on. */
#include "ablate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void ablate_defaults(ablate_options *o) {
    memset(o, 0, sizeof *o);
    o->most = 0.4;
    o->seeds = 5;
    o->prompts = 24;
    o->items = 25;
    o->eval = "all";
    o->seed = 1;
}

/* ---- a run's identity ----------------------------------------------------------------- */

static void hash_number(sha256 *h, double value) {
    char words[40];
    const int n = snprintf(words, sizeof words, "%.17g ", value);
    sha256_add(h, words, (size_t)n);
}

/* Of everything that decides the numbers: model, texts, orders, points, arithmetic. */
static void find_identity(ablation *a) {
    const ablate_options *o = a->options;
    sha256 h;
    sha256_begin(&h);
    sha256_add(&h, a->s.hash, 64);
    hash_number(&h, o->exact);
    hash_number(&h, o->replace);
    for (size_t i = 0; i < a->s.texts; i++) {
        hash_number(&h, (double)a->s.text[i].from);
        for (size_t k = 0; k < a->s.text[i].count; k++) hash_number(&h, a->s.text[i].ids[k]);
    }
    for (size_t c = 0; c < a->curves; c++) {
        sha256_add(&h, a->curve[c].order, strlen(a->curve[c].order));
        for (size_t i = 0; i < a->s.count; i++) hash_number(&h, (double)a->curve[c].slot[i]);
    }
    for (size_t p = 0; p < a->points; p++) hash_number(&h, (double)a->removed[p]);
    sha256_add(&h, o->eval, strlen(o->eval));
    hash_number(&h, (double)o->items);
    sha256_end(&h, a->identity);
}

/* ---- finished pieces ------------------------------------------------------------------ */

/* A line of the work file is one number group:
     d TEXT CURVE POINT positions kl nll same_top
     a CURVE POINT SET items correct margin
   A line that was cut off, or that is not understood, ends what is taken from it. */
static bool take_line(ablation *a, const char *line, bool *text_done) {
    size_t i, c, p;
    divergence d;
    int used = 0, items, correct;
    double margin;
    if (sscanf(line, "d %zu %zu %zu %lf %lf %lf %lf%n", &i, &c, &p, &d.positions, &d.kl, &d.nll,
               &d.same_top, &used) == 7 && line[used] == '\n' && i < a->s.texts && c < a->curves &&
        p < a->points) {
        a->result[(i * a->curves + c) * a->points + p] = d;
        text_done[i] = c + 1 == a->curves && p + 1 == a->points;
        return true;
    }
    if (!a->has_bench ||
        sscanf(line, "a %zu %zu %zu %d %d %lf%n", &c, &p, &i, &items, &correct, &margin, &used) != 6 ||
        line[used] != '\n' || c >= a->curves || p >= a->points || i >= (size_t)a->bench.sets)
        return false;
    eval_score_set(&a->accuracy[(c * a->points + p) * (size_t)a->bench.sets + i], &a->bench, (int)i, items, correct,
                   margin);
    a->measured[c * a->points + p] = i + 1 == (size_t)a->bench.sets;
    return true;
}

/* Reads what an earlier run finished and leaves the file open behind its last whole piece. */
static bool open_part(ablation *a, bool *text_done, problem *why) {
    char line[400];
    long good = 0;
    if (!path_join(a->part_path, a->options->output, "ablation.part", why)) return false;
    a->part = a->options->resume ? fopen(a->part_path, "r+") : NULL;
    if (a->part && fgets(line, sizeof line, a->part) && !strncmp(line, a->identity, 64) && line[64] == '\n') {
        good = ftell(a->part);
        while (fgets(line, sizeof line, a->part) && take_line(a, line, text_done)) good = ftell(a->part);
        return (!fseek(a->part, good, SEEK_SET) && !ftruncate(fileno(a->part), good)) ||
               problem_errno(why, a->part_path, "cannot go on in");
    }
    if (a->part) fclose(a->part);
    a->part = fopen(a->part_path, "w");
    if (!a->part || fprintf(a->part, "%s\n", a->identity) < 0)
        return problem_errno(why, a->part_path, "cannot write");
    return true;
}

static bool piece_done(ablation *a, problem *why) {
    return !(fflush(a->part) || ferror(a->part)) || problem_errno(why, a->part_path, "cannot write");
}

/* ---- divergence ----------------------------------------------------------------------- */

static float *gains_at(const ablation *a, size_t curve, size_t point) {
    float *gain = tool_alloc(subject_slots(&a->s), sizeof *gain);
    for (size_t i = 0; i < subject_slots(&a->s); i++) gain[i] = 1;
    for (size_t i = 0; i < a->removed[point]; i++) gain[a->curve[curve].slot[i]] = 0;
    return gain;
}

static intervention edit_at(const ablation *a, const float *gain) {
    intervention v = subject_gains(&a->s, gain);
    if (a->s.experts) v.edit.expert_mean = a->mean;
    else v.edit.head_mean = a->mean;
    return v;
}

/* Every order at every point, on one text; with nothing removed they are all the same. */
static bool run_text(ablation *a, size_t row, float *const *gain, problem *why) {
    const size_t count = a->curves * a->points;
    intervention *edits = tool_alloc(count, sizeof *edits);
    divergence *all = a->result + row * count, *result = tool_alloc(count, sizeof *result);
    size_t n = 0;
    for (size_t k = 0; k < count; k++)
        if (!k || k % a->points) edits[n++] = edit_at(a, gain[k]);
    bool good = intervene_text(&a->v, &a->s.text[row], edits, n, result, why);
    n = 0;
    for (size_t k = 0; good && k < count; k++) {
        const divergence d = all[k] = result[!k || k % a->points ? n++ : 0];
        fprintf(a->part, "d %zu %zu %zu %.17g %.17g %.17g %.17g\n", row, k / a->points, k % a->points,
                d.positions, d.kl, d.nll, d.same_top);
    }
    free(edits);
    free(result);
    return good && piece_done(a, why);
}

/* Accuracy along one curve at one point. */
static bool run_eval(ablation *a, size_t curve, size_t point, const float *gain, syn_context *ctx, problem *why) {
    const size_t at = curve * a->points + point;
    eval_score *score = a->accuracy + at * (size_t)a->bench.sets;
    ctx->edit = edit_at(a, gain).edit;
    if (!eval_run(&a->bench, ctx, score, why)) return false;
    for (int s = 0; s < a->bench.sets; s++)
        fprintf(a->part, "a %zu %zu %d %d %d %.17g\n", curve, point, s, score[s].items, score[s].correct,
                score[s].margin);
    a->measured[at] = true;
    return piece_done(a, why);
}

/* ---- all of it ------------------------------------------------------------------------ */

static bool eval_all(ablation *a, float *const *gain, progress *bar, double *done, problem *why) {
    syn_context ctx;
    syn_context_desc desc;
    void *block = NULL;
    size_t bytes;
    memset(&desc, 0, sizeof desc);
    desc.tokens = eval_tokens(&a->bench);
    desc.arithmetic = a->options->exact ? SYN_EXACT : SYN_FAST;
    desc.all_logits = true;
    bool good = model_context_on(&a->s.m, &ctx, &desc, &block, &bytes, why);
    for (size_t k = 0; good && k < a->curves * a->points; k++) {
        if (!a->curve[k / a->points].eval) continue;
        if (!a->measured[k]) good = run_eval(a, k / a->points, k % a->points, gain[k], &ctx, why);
        progress_step(bar, *done += (double)eval_positions(&a->bench));
    }
    free(block);
    return good;
}

static double text_work(const ablation *a, size_t row) {
    return (double)a->s.text[row].count * (double)(a->curves * a->points);
}

static double total_work(const ablation *a) {
    double total = 0;
    for (size_t i = 0; i < a->s.texts; i++) total += text_work(a, i);
    for (size_t c = 0; a->has_bench && c < a->curves; c++)
        if (a->curve[c].eval) total += (double)eval_positions(&a->bench) * (double)a->points;
    return total;
}

static bool run_all(ablation *a, problem *why) {
    const size_t count = a->curves * a->points;
    float **gain = tool_alloc(count, sizeof *gain);
    bool *text_done = tool_alloc(a->s.texts, sizeof *text_done);
    progress bar;
    double done = 0;
    bool good = open_part(a, text_done, why);
    for (size_t k = 0; k < count; k++) gain[k] = gains_at(a, k / a->points, k % a->points);
    progress_begin(&bar, "ablate", total_work(a));
    for (size_t i = 0; i < a->s.texts; i++)
        if (text_done[i]) done += text_work(a, i);
    progress_skip(&bar, done);
    for (size_t i = 0; good && i < a->s.texts; i++) {
        if (text_done[i]) continue;
        good = run_text(a, i, gain, why);
        progress_step(&bar, done += text_work(a, i));
    }
    if (good && a->has_bench) good = eval_all(a, gain, &bar, &done, why);
    progress_end(&bar);
    for (size_t k = 0; k < count; k++) free(gain[k]);
    free(gain);
    free(text_done);
    return good;
}

static bool take_means(ablation *a, problem *why) {
    const syn_model *model = &a->s.m.model;
    if (!a->options->replace) return true;
    a->mean = tool_alloc(subject_slots(&a->s) * (a->s.experts ? model->embd : model->value_size),
                         sizeof *a->mean);
    return intervene_means(&a->v, a->s.text, a->s.texts, a->s.experts, a->mean, why);
}

/* Results of an ablation of another kind need --force. */
static bool check_output(const ablation *a, problem *why) {
    char path[TOOL_PATH_BYTES];
    json_file old;
    problem ignored;
    if (!directory_make(a->options->output, why) ||
        !path_join(path, a->options->output, "ablation.json", why))
        return false;
    if (a->options->force || !path_exists(path)) return true;
    bool same = json_read(&old, path, &ignored);
    if (same) {
        same = !strcmp(json_text_of(old.root, "identity", ""), a->identity);
        json_free(&old);
    }
    return same || problem_set(why, "%s: holds an ablation with other settings (--force replaces it)",
                               a->options->output);
}

static bool prepare(ablation *a, problem *why) {
    const ablate_options *o = a->options;
    if (!subject_open(&a->s, o->model, o->directory, o->prompts, why) || !ablate_curves(a, why) ||
        !ablate_points(a, why))
        return false;
    if (strcmp(o->eval, "none")) {
        a->has_bench = eval_open(&a->bench, &a->s.m, o->eval, o->items, why);
        if (!a->has_bench) return false;
    }
    const size_t count = a->curves * a->points;
    a->result = tool_alloc(a->s.texts * count, sizeof *a->result);
    a->measured = tool_alloc(count, sizeof *a->measured);
    if (a->has_bench) a->accuracy = tool_alloc(count * (size_t)a->bench.sets, sizeof *a->accuracy);
    find_identity(a);
    return check_output(a, why) &&
           intervene_open(&a->v, &a->s.m, a->s.longest, o->exact, o->threads, why) && take_means(a, why);
}

static void close_all(ablation *a) {
    if (a->part) fclose(a->part);
    for (size_t c = 0; c < a->curves; c++) free(a->curve[c].slot);
    if (a->has_bench) eval_close(&a->bench);
    intervene_close(&a->v);
    subject_close(&a->s);
    free(a->curve);
    free(a->removed);
    free(a->mean);
    free(a->result);
    free(a->accuracy);
    free(a->measured);
}

bool ablate_run(const ablate_options *o, problem *why) {
    ablation a;
    memset(&a, 0, sizeof a);
    a.options = o;
    bool good = prepare(&a, why) && run_all(&a, why) && ablate_write(&a, why);
    if (good) {
        remove(a.part_path);
        ablate_print(&a, stdout);
    }
    close_all(&a);
    return good;
}
