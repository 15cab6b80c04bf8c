/* tune.c - `synergy tune`.

   SFT: the loss is the mean of -log p over the tokens of worked solutions. GRPO (Shao et al. 2024,
   arXiv 2402.03300): a group of answers is sampled to each question. The advantage A of an answer
   is its reward less the group's mean, divided by the group's deviation. With r, the probability of
   a token now over that when it was sampled, and the start model's log p, the loss is

     L = - 1/answers sum_o 1/|o| sum_t [ min(r A, clip(r, 1 - e, 1 + e) A) - kl (exp(d) - d - 1) ]
     d = log p_start - log p

   Its gradient is that of a weighted sum of -log p, the weights w below: what net_run takes. */
#include "learn/tune.h"
#include "learn/stage.h"
#include "learn/speak.h"
#include "learn/state.h"

#include "base/columns.h"
#include "base/stop.h"
#include "base/work.h"
#include "engine/folder.h"
#include "engine/unit_list.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HELD_SEED = 1000003, SHOT_SEED = 1000033, PROMPT_MOST = 4096, JOINED_ROWS = 8 };

typedef struct tuning {
    const tune_options *o;
    char directory[TOOL_PATH_BYTES];
    char column[64];
    net n;
    bool *chosen;
    size_t heads;
    stretches own;
    speaker s;
    optimiser a;
    net_pass *pass;
    float *gradient, *start; /* the start model's weights */
    question *held;
    text settings, rows, accuracy;
    text shots; /* solved questions, which stand before each, a line each */
    double started;
    /* the samples of a step */
    const struct batch *b;
    const float *advantage, *old, *reference; /* (answer); (row, length) */
    size_t room;                              /* ids of a row that the pass has memory for */
    bool resumed;
    uint64_t sampled; /* steps done: of grpo several updates each */
    work_hold hold;
} tuning;

void tune_defaults(tune_options *o)
{
    memset(o, 0, sizeof *o);
    o->share = 0.5;
    o->clip_ratio = 0.2;
    o->kl = 0.04;
    o->temperature = 1;
    o->optimiser = (optimiser_options){0, 0.9, 0.99, 1e-8, 0, 1, SCHEDULE_CONSTANT, 0, 40};
    o->batch = 8;
    o->group = 8;
    o->updates = 2;
    o->most = 96;
    o->items = 100;
    o->seed = 1;
    o->save_seconds = 60;
}

void tune_tasks(text *to)
{
    int category;
    for (size_t i = 0; corpus_task(i, &category); i++)
        text_print(to, "%s%s", i ? ", " : "", corpus_task(i, &category));
}

/* ---- questions --------------------------------------------------------------------------- */

static bool make_question(const tuning *t, uint64_t seed, uint64_t index, bool held_out,
                          question *q, problem *why)
{
    const syn_tokenizer *tokenizer = &t->n.file.model.tokenizer;
    text words = {0};
    corpus_item item;
    memset(q, 0, sizeof *q);
    corpus_document(seed, index, CORPUS_ANY, t->o->task, held_out, &words, &item);
    text asked = {0};
    text_add_bytes(&asked, t->shots.at ? t->shots.at : "", t->shots.length);
    text_add_bytes(&asked, words.at, item.answer);
    q->ids = tokenize_text(tokenizer, asked.at, asked.length, 0, &q->count, why);
    text_free(&asked);
    size_t count = 0;
    int32_t *right = q->ids ? tokenize_text(tokenizer, words.at + item.answer,
                                            words.length - item.answer, SYN_NO_BOS, &count, why)
                            : NULL;
    if (right) {
        q->right = tool_realloc(right, count + 1, sizeof *right);
        q->right_count = count;
        if (tokenizer->eos >= 0) q->right[q->right_count++] = tokenizer->eos;
        q->answer = tool_copy(words.at + item.answer);
    }
    text_free(&words);
    return right != NULL;
}

static void free_questions(question *q, size_t count)
{
    for (size_t i = 0; i < count && q; i++) {
        free(q[i].ids);
        free(q[i].right);
        free(q[i].answer);
    }
    free(q);
}

static bool make_questions(const tuning *t, uint64_t seed, uint64_t first, size_t count,
                           bool held_out, question **to, problem *why)
{
    *to = tool_alloc(count, sizeof **to);
    for (size_t i = 0; i < count; i++) {
        if (!make_question(t, seed, first + i, held_out, &(*to)[i], why)) return false;
        if ((*to)[i].count > PROMPT_MOST)
            return problem_set(why, "a question of %zu tokens", (*to)[i].count);
    }
    return true;
}

/* ---- what is right ----------------------------------------------------------------------- */

static void trimmed(const char *words, const char **from, size_t *count)
{
    while (isspace((unsigned char)*words)) words++;
    size_t n = strlen(words);
    while (n && isspace((unsigned char)words[n - 1])) n--;
    *from = words;
    *count = n;
}

/* The last run of digits, else of letters. */
static void last_of(const char *words, const char **from, size_t *count)
{
    *count = 0;
    for (int letters = 0; letters < 2 && !*count; letters++)
        for (size_t i = strlen(words); i-- > 0 && !*count;)
            if (letters ? isalpha((unsigned char)words[i]) : isdigit((unsigned char)words[i])) {
                size_t begin = i;
                while (begin && (letters ? isalpha((unsigned char)words[begin - 1])
                                         : isdigit((unsigned char)words[begin - 1])))
                    begin--;
                *from = words + begin;
                *count = i + 1 - begin;
            }
}

static bool is_right(int check, const char *said, const char *right)
{
    const char *a = said, *b = right;
    size_t na, nb;
    if (check == CHECK_FINAL) {
        last_of(said, &a, &na);
        last_of(right, &b, &nb);
    } else {
        trimmed(said, &a, &na);
        trimmed(right, &b, &nb);
    }
    return nb && na == nb && !memcmp(a, b, na);
}

/* ---- accuracy on held-out items ---------------------------------------------------------- */

static void wilson(double right, double n, double *low, double *high)
{
    const double z = 1.959964, p = right / n, d = 1 + z * z / n;
    const double middle = (p + z * z / (2 * n)) / d,
                 half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / d;
    *low = middle - half;
    *high = middle + half;
}

static bool evaluate(tuning *t, problem *why)
{
    answers said = {NULL, NULL, 0, (size_t)t->o->most};
    const size_t items = (size_t)t->o->items;
    char *bits = tool_alloc(items + 1, 1);
    text words = {0};
    double right = 0, low, high;
    const bool good = speak(&t->s, t->held, items, 1, 0, 1, &said, why);
    for (size_t i = 0; i < items && good; i++) {
        answer_text(&t->s, &said, i, &words);
        bits[i] = is_right(t->o->check, words.at, t->held[i].answer) ? '1' : '0';
        right += bits[i] == '1';
    }
    if (good) {
        wilson(right, (double)items, &low, &high);
        text_print(&t->accuracy, "%llu", (unsigned long long)t->sampled);
        csv_number(&t->accuracy, right / (double)items);
        csv_number(&t->accuracy, low);
        csv_number(&t->accuracy, high);
        text_print(&t->accuracy, ",items %s\n", bits);
    }
    text_free(&words);
    answers_free(&said);
    free(bits);
    return good;
}

/* ---- a step -------------------------------------------------------------------------------- */

/* Questions and their answers as rows: a row each, or, where that saves half of the ids, those that
   begin alike in one row (net_branches). A row is the beginning, then the rest of each question,
   its answer behind it; the last id of a question is no part of the beginning, since it predicts
   the first one of each answer. */
typedef struct batch {
    int32_t *ids;            /* (row, length), -1 behind a row's end */
    bool *said;              /* (row, length): is it an answer's? */
    size_t *of;              /* (row, length): of which */
    size_t *place;           /* (answer): where in these its first id is */
    size_t *prompt, *answer; /* (answer): ids of the question, of the answer */
    size_t *stem, *start;    /* as net_branches */
    size_t answers, rows, length, tokens, positions;
    bool joined;
    net_branches branches;
} batch;

static void batch_free(batch *b)
{
    free(b->ids);
    free(b->said);
    free(b->of);
    free(b->place);
    free(b->prompt);
    free(b->answer);
    free(b->stem);
    free(b->start);
}

/* The ids that two questions begin with alike, but for the last of either. */
static size_t alike(const question *a, const question *b)
{
    size_t n = 0;
    while (n + 1 < a->count && n + 1 < b->count && a->ids[n] == b->ids[n]) n++;
    return n;
}

/* Stems and the longest row, with `some` answers a row; returns the ids of all rows. */
static size_t shape_rows(batch *b, const question *q, size_t each, size_t some)
{
    b->rows = (b->answers + some - 1) / some;
    b->length = 0;
    for (size_t r = 0; r < b->rows; r++) {
        const size_t first = r * some, end = first + some < b->answers ? first + some : b->answers;
        size_t stem = some > 1 ? q[first / each].count : 0, length;
        for (size_t a = first; a < end && some > 1; a++) {
            const size_t n = alike(&q[first / each], &q[a / each]);
            if (n < stem) stem = n;
        }
        length = b->stem[r] = stem;
        for (size_t a = first; a < end; a++) length += b->prompt[a] - stem + b->answer[a];
        if (length > b->length) b->length = length;
    }
    return b->rows * b->length;
}

static void fill_row(batch *b, size_t r, const question *q, size_t each, size_t some,
                     const answers *said)
{
    const size_t cell = r * b->length, stem = b->stem[r];
    size_t t = stem;
    memcpy(b->ids + cell, q[r * some / each].ids, stem * sizeof *b->ids);
    for (size_t a = r * some; a < (r + 1) * some && a < b->answers; a++) {
        const question *asked = &q[a / each];
        const size_t begin = t;
        memcpy(b->ids + cell + t, asked->ids + stem, (asked->count - stem) * sizeof *b->ids);
        t += asked->count - stem;
        b->place[a] = cell + t;
        memcpy(b->ids + cell + t, said ? said->ids + a * said->most : asked->right,
               b->answer[a] * sizeof *b->ids);
        for (size_t i = t; i < t + b->answer[a]; i++) {
            b->said[cell + i] = true;
            b->of[cell + i] = a;
        }
        t += b->answer[a];
        for (size_t i = begin; i < t; i++) b->start[cell + i] = begin;
    }
    for (; t < b->length; t++) {
        b->ids[cell + t] = -1;
        b->start[cell + t] = t;
    }
}

/* said NULL: what is right. */
static void batch_make(batch *b, const question *q, size_t each, size_t count, const answers *said)
{
    const size_t some = each > 1 ? each : JOINED_ROWS;
    memset(b, 0, sizeof *b);
    b->answers = count;
    b->prompt = tool_alloc(count, sizeof *b->prompt);
    b->answer = tool_alloc(count, sizeof *b->answer);
    b->place = tool_alloc(count, sizeof *b->place);
    b->stem = tool_alloc(count, sizeof *b->stem);
    for (size_t a = 0; a < count; a++) {
        b->prompt[a] = q[a / each].count;
        b->answer[a] = said ? said->length[a] : q[a].right_count;
        b->tokens += b->answer[a];
        b->positions += b->prompt[a] + b->answer[a] - 1;
    }
    const size_t joined = shape_rows(b, q, each, some), apart = shape_rows(b, q, each, 1);
    b->joined = 2 * joined <= apart;
    if (b->joined) shape_rows(b, q, each, some);
    const size_t cells = b->rows * b->length;
    b->ids = tool_alloc(cells, sizeof *b->ids);
    b->said = tool_alloc(cells, sizeof *b->said);
    b->of = tool_alloc(cells, sizeof *b->of);
    b->start = tool_alloc(cells, sizeof *b->start);
    for (size_t r = 0; r < b->rows; r++) fill_row(b, r, q, each, b->joined ? some : 1, said);
    b->branches.stem = b->stem;
    b->branches.start = b->start;
}

static net_rows batch_rows(const batch *b)
{
    const net_rows r = {b->ids, NULL, b->rows, b->length, b->joined ? &b->branches : NULL};
    return r;
}

/* With memory for as many rows as there are answers, whether they are joined or not: what a step
   gives does not depend on those before it. */
static bool pass_for(tuning *t, const batch *b)
{
    if (t->pass && t->room >= b->length) return true;
    net_pass_close(t->pass);
    t->room = b->length + 16;
    t->pass = net_pass_open(&t->n, t->room, b->answers, NET_TO_WEIGHTS);
    return t->pass != NULL;
}

static bool take_step(tuning *t, double loss, double *norm, problem *why)
{
    const double lr = optimiser_rate(&t->a);
    /* the norm that clips is that of what may change: the rest of the gradient is not looked at */
    *norm = isfinite(loss) ? optimiser_step(&t->a, t->gradient) : loss;
    if (!isfinite(*norm))
        return problem_set(
            why,
            "step %llu: the loss is %g, the gradient's norm %g: take a smaller --lr (%g); the "
            "state up to here is whole",
            (unsigned long long)t->sampled + 1, loss, *norm, lr);
    speaker_follow(&t->s, &t->own);
    return true;
}

static bool sft_step(tuning *t, problem *why)
{
    question *q = NULL;
    batch b;
    net_wants wants;
    double norm;
    const size_t rows = (size_t)t->o->batch;
    if (!make_questions(t, (uint64_t)t->o->seed, t->sampled * rows, rows, false, &q, why)) {
        free_questions(q, rows);
        return false;
    }
    batch_make(&b, q, 1, rows, NULL);
    pass_for(t, &b);
    memset(&wants, 0, sizeof wants);
    memset(t->gradient, 0, t->n.parameters * sizeof *t->gradient);
    wants.gradient = t->gradient;
    wants.parts = t->own.parts;
    wants.tokens = b.said;
    const net_rows r = batch_rows(&b);
    const double loss = net_run(t->pass, &r, b.tokens, &wants);
    const bool good = take_step(t, loss, &norm, why);
    if (good) {
        text_print(&t->rows, "%llu", (unsigned long long)t->sampled + 1);
        csv_number(&t->rows, loss);
        csv_empty(&t->rows);
        csv_empty(&t->rows);
        csv_number(&t->rows, (double)b.tokens / (double)rows);
        csv_number(&t->rows, norm);
        csv_end_row(&t->rows);
    }
    batch_free(&b);
    free_questions(q, rows);
    return good;
}

/* The weight of a sampled token, by what its -log p is now. */
static float weigh(void *user, size_t row, size_t i, float nll)
{
    const tuning *t = user;
    const size_t cell = row * t->b->length + i, answer = t->b->of[cell];
    const double advantage = (double)t->advantage[answer];
    const double ratio = t->old ? exp((double)t->old[cell] - (double)nll) : 1;
    const double away = (double)nll - (double)t->reference[cell]; /* log p_start - log p */
    const bool cut = advantage > 0 ? ratio > 1 + t->o->clip_ratio : ratio < 1 - t->o->clip_ratio;
    const double w = (cut ? 0 : ratio * advantage) - t->o->kl * (1 - exp(away));
    return (float)(w * (double)t->b->positions /
                   ((double)t->b->answers * (double)t->b->answer[answer]));
}

static double rewards(const tuning *t, const question *q, size_t each, const answers *said,
                      float *advantage)
{
    text words = {0};
    double all = 0;
    for (size_t g = 0; g * each < said->count; g++) {
        double sum = 0;
        for (size_t k = 0; k < each; k++) {
            answer_text(&t->s, said, g * each + k, &words);
            advantage[g * each + k] = is_right(t->o->check, words.at, q[g].answer) ? 1.0f : 0.0f;
            sum += (double)advantage[g * each + k];
        }
        const double mean = sum / (double)each, sd = sqrt(mean * (1 - mean));
        for (size_t k = 0; k < each; k++)
            advantage[g * each + k] =
                sd > 0 ? (float)(((double)advantage[g * each + k] - mean) / sd) : 0.0f;
        all += mean;
    }
    text_free(&words);
    return all / ((double)said->count / (double)each);
}

/* The ids, weights and gradient of the first step, for whoever would check them: an answer a row,
   behind its question. */
static bool keep_samples(const tuning *t, const question *q, size_t each, const float *old,
                         problem *why)
{
    char path[TOOL_PATH_BYTES];
    const batch *b = t->b;
    size_t length = 0;
    for (size_t a = 0; a < b->answers; a++)
        if (b->prompt[a] + b->answer[a] > length) length = b->prompt[a] + b->answer[a];
    const uint64_t size[2] = {b->answers, length};
    float *w = tool_alloc(b->answers * length, sizeof *w);
    int32_t *ids = tool_alloc(b->answers * length, sizeof *ids);
    for (size_t i = 0; i < b->answers * length; i++) ids[i] = -1;
    for (size_t a = 0; a < b->answers; a++) {
        const size_t at = a * length + b->prompt[a];
        memcpy(ids + a * length, q[a / each].ids, b->prompt[a] * sizeof *ids);
        for (size_t i = 0; i < b->answer[a]; i++) {
            const size_t cell = b->place[a] + i;
            ids[at + i] = b->ids[cell];
            w[at + i] = weigh((void *)(uintptr_t)t, cell / b->length, cell % b->length, old[cell]);
        }
    }
    const bool good = path_join(path, t->directory, "first-ids.npy", why) &&
                      npy_write(path, NPY_I32, 2, size, ids, why) &&
                      path_join(path, t->directory, "first-weights.npy", why) &&
                      npy_write(path, NPY_F32, 2, size, w, why) &&
                      path_join(path, t->directory, "first-gradient.gguf", why) &&
                      net_write(&t->n, t->gradient, NET_GRADIENT, path, why);
    free(ids);
    free(w);
    return good;
}

/* Mean of the KL estimate of the loss, to the start model, over sampled tokens. */
static double kl_of(const batch *b, const float *now, const float *start)
{
    double sum = 0;
    for (size_t a = 0; a < b->answers; a++)
        for (size_t i = b->place[a]; i < b->place[a] + b->answer[a]; i++) {
            const double d = (double)now[i] - (double)start[i];
            sum += exp(d) - d - 1;
        }
    return sum / (double)b->tokens;
}

/* -log p of every token of an answer, by these weights. */
static void likelihoods(tuning *t, const batch *b, float *weights, float *nll)
{
    net_wants wants;
    float *const own = t->n.weight;
    const net_rows r = batch_rows(b);
    memset(&wants, 0, sizeof wants);
    wants.nll = nll;
    wants.tokens = b->said;
    t->n.weight = weights;
    net_run(t->pass, &r, b->positions, &wants);
    t->n.weight = own;
}

/* `updates` steps on the same samples; before the first the ratio is 1, and its pass tells what the
   samples' -log p was. */
static bool grpo_update(tuning *t, const question *q, const batch *b, const float *advantage,
                        double reward, problem *why)
{
    const size_t cells = b->rows * b->length;
    float *old = tool_alloc(cells, sizeof *old), *reference = tool_alloc(cells, sizeof *reference);
    const net_rows r = batch_rows(b);
    double norm = 0, loss = 0;
    bool good = true;
    likelihoods(t, b, t->start, reference);
    t->b = b;
    t->advantage = advantage;
    t->reference = reference;
    t->old = NULL;
    for (int64_t u = 0; u < t->o->updates && good; u++) {
        const bool kept = !u && t->o->keep_samples && !t->sampled;
        net_wants wants;
        memset(&wants, 0, sizeof wants);
        memset(t->gradient, 0, t->n.parameters * sizeof *t->gradient);
        wants.gradient = t->gradient;
        wants.parts = kept ? NULL : t->own.parts;
        wants.tokens = b->said;
        wants.weigh = weigh;
        wants.user = t;
        if (!u) wants.nll = old;
        const double now = net_run(t->pass, &r, b->positions, &wants);
        if (!u) loss = now;
        if (kept) good = keep_samples(t, q, (size_t)t->o->group, old, why);
        t->old = old;
        good = good && take_step(t, now, &norm, why);
    }
    if (good) {
        text_print(&t->rows, "%llu", (unsigned long long)t->sampled + 1);
        csv_number(&t->rows, loss);
        csv_number(&t->rows, reward);
        csv_number(&t->rows, kl_of(b, old, reference));
        csv_number(&t->rows, (double)b->tokens / (double)b->answers);
        csv_number(&t->rows, norm);
        csv_end_row(&t->rows);
    }
    free(old);
    free(reference);
    return good;
}

static bool grpo_step(tuning *t, problem *why)
{
    const size_t questions = (size_t)t->o->batch, each = (size_t)t->o->group,
                 rows = questions * each;
    question *q = NULL;
    answers said = {NULL, NULL, 0, (size_t)t->o->most};
    float *advantage = tool_alloc(rows, sizeof *advantage);
    const uint64_t seed = (uint64_t)t->o->seed * 1000003 + t->sampled;
    bool good = make_questions(t, (uint64_t)t->o->seed, t->sampled * questions, questions, false,
                               &q, why) &&
                speak(&t->s, q, questions, each, t->o->temperature, seed, &said, why);
    if (good) {
        batch b;
        const double reward = rewards(t, q, each, &said, advantage);
        batch_make(&b, q, each, rows, &said);
        good = pass_for(t, &b) && grpo_update(t, q, &b, advantage, reward, why);
        batch_free(&b);
    }
    answers_free(&said);
    free_questions(q, questions);
    free(advantage);
    return good;
}

/* ---- the run ------------------------------------------------------------------------------- */

static bool in_folder(const tuning *t, const char *name, char path[TOOL_PATH_BYTES], problem *why)
{
    return path_join(path, t->directory, name, why);
}

static bool write_tables(const tuning *t, problem *why)
{
    char path[TOOL_PATH_BYTES];
    return in_folder(t, "steps.csv", path, why) &&
           file_write(path, t->rows.at, t->rows.length, why) &&
           in_folder(t, "accuracy.csv", path, why) &&
           file_write(path, t->accuracy.at, t->accuracy.length, why);
}

static const setting_word setting_words[] = {{"method", "--method"},
                                             {"subset", "--subset"},
                                             {"share", "--share"},
                                             {"score", "--score"},
                                             {"task", "--task"},
                                             {"check", "--check"},
                                             {"seed", "--seed"},
                                             {"steps", "--steps"},
                                             {"batch", "--batch"},
                                             {"group", "--group"},
                                             {"updates", "--updates"},
                                             {"clip_ratio", "--clip-ratio"},
                                             {"kl", "--kl"},
                                             {"temperature", "--temp"},
                                             {"most", "--most"},
                                             {"shots", "--shots"},
                                             {"items", "--items"},
                                             {"evaluate", "--evaluate"},
                                             {"lr", "--lr"},
                                             {"schedule", "--schedule"},
                                             {"warmup", "--warmup"},
                                             {"weight_decay", "--weight-decay"},
                                             {"clip", "--clip"},
                                             {"sha256", "model (sha256)"},
                                             {"heads", NULL},
                                             {"chosen", NULL},
                                             {NULL, NULL}};

static bool save(tuning *t, problem *why)
{
    char path[TOOL_PATH_BYTES];
    const learn_state s = {t->settings.at, setting_words, {&t->rows, &t->accuracy}, &t->n, &t->a};
    return in_folder(t, "state.gguf", path, why) && state_save(&s, path, why) &&
           write_tables(t, why);
}

static void tell(const tuning *t, progress *bar, char label[128])
{
    const char *last = t->rows.at + t->rows.length - 1;
    double loss = 0, reward = 0, kl = 0;
    unsigned long step = 0;
    while (last > t->rows.at && last[-1] != '\n') last--;
    if (t->o->method == TUNE_GRPO &&
        sscanf(last, "%lu,%lf,%lf,%lf", &step, &loss, &reward, &kl) == 4)
        snprintf(label, 128, "tune: reward %.3f, KL %.4f", reward, kl);
    else if (sscanf(last, "%lu,%lf", &step, &loss) == 2)
        snprintf(label, 128, "tune: loss %.4f", loss);
    bar->label = label;
    progress_step(bar, (double)t->sampled);
}

static bool steps(tuning *t, problem *why)
{
    const uint64_t all = (uint64_t)t->o->optimiser.steps;
    const uint64_t often = t->o->evaluate ? (uint64_t)t->o->evaluate : all > 4 ? all / 4 : 1;
    double saved = clock_seconds();
    char label[128] = "tune";
    progress bar;
    bool good = t->resumed || (evaluate(t, why) && save(t, why));
    stop_keeps("the steps up to the last state in %s (at most %lld s ago) are kept", t->directory,
               (long long)t->o->save_seconds);
    progress_begin(&bar, label, (double)all);
    progress_skip(&bar, (double)t->sampled);
    while (good && t->sampled < all) {
        good = t->o->method == TUNE_SFT ? sft_step(t, why) : grpo_step(t, why);
        t->sampled += good;
        const bool told = t->sampled % often == 0 || t->sampled == all;
        if (good && told) good = evaluate(t, why);
        if (good && (told || clock_seconds() - saved > (double)t->o->save_seconds)) {
            good = save(t, why);
            saved = clock_seconds();
        }
        if (good) tell(t, &bar, label);
    }
    progress_end(&bar);
    stop_keeps(NULL);
    return good;
}

static void chosen_names(const tuning *t, text *to)
{
    for (size_t i = 0; i < t->n.layers * t->n.heads; i++) {
        char name[UNIT_NAME];
        if (!t->chosen[i]) continue;
        unit_name(false, i / t->n.heads, i % t->n.heads, name);
        text_print(to, "%s%s", to->length ? "," : "", name);
    }
}

static void describe(tuning *t)
{
    const tune_options *o = t->o;
    char hash[65];
    text names = {0};
    json_out j;
    memset(&j, 0, sizeof j);
    model_hash(&t->n.file, hash);
    chosen_names(t, &names);
    json_object(&j, NULL);
    json_text(&j, "program", "synergy tune");
    json_text(&j, "model", path_base(o->model));
    json_text(&j, "sha256", hash);
    json_text(&j, "method", choice_name(CHOICE_METHOD, o->method));
    json_text(&j, "subset", o->subset);
    json_number(&j, "share", o->share);
    json_text(&j, "score", t->column);
    json_text(&j, "task", o->task);
    json_text(&j, "check", choice_name(CHOICE_CHECK, o->check));
    json_int(&j, "seed", o->seed);
    json_int(&j, "steps", o->optimiser.steps);
    json_int(&j, "batch", o->batch);
    if (o->method == TUNE_GRPO) {
        json_int(&j, "group", o->group);
        json_int(&j, "updates", o->updates);
        json_number(&j, "clip_ratio", o->clip_ratio);
        json_number(&j, "kl", o->kl);
        json_number(&j, "temperature", o->temperature);
    }
    json_int(&j, "most", o->most);
    if (o->shots) json_int(&j, "shots", o->shots);
    json_int(&j, "items", o->items);
    json_int(&j, "evaluate", o->evaluate);
    json_number(&j, "lr", o->optimiser.lr);
    json_text(&j, "schedule", choice_name(CHOICE_SCHEDULE, o->optimiser.schedule));
    json_int(&j, "warmup", o->optimiser.warmup);
    json_number(&j, "weight_decay", o->optimiser.decay);
    json_number(&j, "clip", o->optimiser.clip);
    json_int(&j, "heads", (int64_t)t->heads);
    json_text(&j, "chosen", names.at);
    json_object_end(&j);
    text_add(&t->settings, j.to.at);
    text_add(&t->settings, "\n");
    text_free(&j.to);
    text_free(&names);
}

static bool choose_directory(tuning *t, problem *why)
{
    const tune_options *o = t->o;
    char name[256], tune[TOOL_PATH_BYTES];
    if (o->output) {
        if (strlen(o->output) >= sizeof t->directory)
            return problem_set(why, "-o: the path is too long");
        memcpy(t->directory, o->output, strlen(o->output) + 1);
    } else {
        snprintf(name, sizeof name, "%s-%s-%.100s-%lld", o->task,
                 choice_name(CHOICE_METHOD, o->method), o->subset, (long long)o->seed);
        for (char *c = name; *c; c++)
            if (!isalnum((unsigned char)*c) && *c != '-') *c = '_';
        if (!path_join(tune, o->directory, "tune", why) ||
            !path_join(t->directory, tune, name, why))
            return false;
    }
    return directory_writable(t->directory, why) && columns_free(t->directory, why) &&
           columns_not_input(t->directory, "train", o->model, why) &&
           work_hold_folder(&t->hold, t->directory, "tune.part", why);
}

/* A few held-out answers are timed. A row's gradient takes about as long as its answer; the
   held-out items are answered at the start, at the end and as often as is asked for between. */
static bool announce(tuning *t, problem *why)
{
    const tune_options *o = t->o;
    const size_t few = o->items < 4 ? (size_t)o->items : 4;
    const double steps = (double)o->optimiser.steps - (double)t->sampled;
    const double rows = (double)o->batch * (o->method == TUNE_GRPO ? (double)o->group : 1);
    const double passes = o->method == TUNE_GRPO ? 1 + (double)o->updates : 1;
    const double tests = o->evaluate ? steps / (double)o->evaluate + 1 : 5;
    const double weights = (double)t->n.parameters;
    answers said = {NULL, NULL, 0, (size_t)o->most};
    char what[120];
    const double start = clock_seconds();
    const bool good = speak(&t->s, t->held, few, 1, 0, 1, &said, why);
    const double one = (clock_seconds() - start) / (double)few;
    answers_free(&said);
    const double all = one * (steps * rows * passes + tests * (double)o->items);
    snprintf(what, sizeof what, "%.0f steps of %.0f answers, %.0f tests of %lld items", steps, rows,
             tests, (long long)o->items);
    const work_plan p = {what,      t->directory,  0, weights * (4 + 24) + 200 * steps + 50e3,
                         0.3 * all, 2 * all + 0.1, 0};
    return good && plan_announce(&p, why);
}

/* What answers reads the weights as a file has them; the file is of no use afterwards, and
   model.gguf is the tuned model alone. */
static bool open_speaker(tuning *t, size_t sequences, size_t tokens, problem *why)
{
    char path[TOOL_PATH_BYTES];
    if (!in_folder(t, "speaker.part", path, why)) return false;
    stop_removes(path);
    const bool good = net_write(&t->n, t->n.weight, NET_MODEL, path, why) &&
                      speaker_open(&t->s, &t->n, path, sequences, tokens, why);
    remove(path);
    stop_spares(path);
    return good;
}

static bool begin(tuning *t, problem *why)
{
    const tune_options *o = t->o;
    char size[32];
    json_file run;
    if (!folder_describe(&run, o->directory, why)) return false;
    bool good = !folder_has_experts(run.root) ||
                problem_set(why, "%s: its units are experts: heads are tuned", o->directory);
    good = good && net_open(&t->n, o->model, NET_HOLD_ALL, o->threads, why);
    if (good) good = folder_check_model(run.root, &t->n.file, o->directory, why);
    json_free(&run);
    if (!good) return false;
    const heads_choice c = {o->subset, o->directory, o->score, o->share, (uint64_t)o->seed};
    t->chosen = tool_alloc(t->n.layers * t->n.heads, sizeof *t->chosen);
    t->heads = heads_choose(&t->n, &c, t->chosen, t->column, why);
    if (!t->heads || !choose_directory(t, why)) return false;
    t->own = heads_weights(&t->n, t->chosen);
    size_t weights = 0;
    for (size_t i = 0; i < t->own.count; i++) weights += t->own.at[i].count;
    const size_t sequences = (size_t)(o->method == TUNE_GRPO ? o->batch * o->group : 0) > 32
                                 ? (size_t)(o->batch * o->group)
                                 : 32;
    for (int64_t i = 0; i < o->shots; i++) {
        corpus_item item;
        corpus_document(SHOT_SEED, (uint64_t)i, CORPUS_ANY, o->task, false, &t->shots, &item);
        text_add(&t->shots, "\n");
    }
    if (!make_questions(t, HELD_SEED, 0, (size_t)o->items, true, &t->held, why)) return false;
    size_t longest = 0;
    for (int64_t i = 0; i < o->items; i++)
        if (t->held[i].count > longest) longest = t->held[i].count;
    const size_t tokens = longest + 64 + (size_t)o->most;
    const uint64_t bytes =
        20 * (uint64_t)t->n.parameters + net_pass_bytes(&t->n, tokens, sequences, NET_TO_WEIGHTS);
    bytes_text((double)bytes, size, sizeof size);
    tool_note("%zu heads, %zu of %zu weights; takes %s of memory beside the texts' own", t->heads,
              weights, t->n.parameters, size);
    t->start = tool_alloc(t->n.parameters, sizeof *t->start);
    memcpy(t->start, t->n.weight, t->n.parameters * sizeof *t->start);
    t->gradient = tool_alloc(t->n.parameters, sizeof *t->gradient);
    optimiser_options a = o->optimiser;
    if (o->method == TUNE_GRPO) a.steps *= o->updates, a.warmup *= o->updates;
    optimiser_open(&t->a, &t->n, &a, t->own.at, t->own.count);
    describe(t);
    text_add(&t->rows, "step,loss,reward,kl,answer_tokens,gradient_norm\n");
    text_add(&t->accuracy, "step,accuracy,low,high,right\n");
    char state[TOOL_PATH_BYTES];
    if (!in_folder(t, "state.gguf", state, why)) return false;
    if (path_exists(state) && (o->fresh || o->force))
        tool_note("the steps in %s are discarded", state);
    else if (path_exists(state)) {
        learn_state s = {t->settings.at, setting_words, {&t->rows, &t->accuracy}, &t->n, &t->a};
        if (!state_load(&s, state, why)) return false;
        t->sampled = t->a.step / (o->method == TUNE_GRPO ? (uint64_t)o->updates : 1);
        t->resumed = true;
        tool_note("goes on behind step %llu", (unsigned long long)t->sampled);
    }
    return open_speaker(t, sequences, tokens, why) && announce(t, why);
}

static bool finish(tuning *t, problem *why)
{
    char path[TOOL_PATH_BYTES];
    const char *last = t->accuracy.at + t->accuracy.length - 1;
    double accuracy = 0, low = 0, high = 0;
    unsigned long step = 0;
    while (last > t->accuracy.at && last[-1] != '\n') last--;
    if (sscanf(last, "%lu,%lf,%lf,%lf", &step, &accuracy, &low, &high) == 4)
        printf(
            "%s, %s, %s, seed %lld: %.1f %% of %lld held-out items (95 %% interval %.1f to %.1f)\n",
            t->o->task, choice_name(CHOICE_METHOD, t->o->method), t->o->subset,
            (long long)t->o->seed, 100 * accuracy, (long long)t->o->items, 100 * low, 100 * high);
    return in_folder(t, "model.gguf", path, why) &&
           net_write(&t->n, t->n.weight, NET_MODEL, path, why) && save(t, why) &&
           in_folder(t, "tune.json", path, why) &&
           file_write(path, t->settings.at, t->settings.length, why) &&
           columns_write(t->directory, why);
}

static bool known_task(const char *name)
{
    int category;
    for (size_t i = 0; corpus_task(i, &category); i++)
        if (!strcmp(corpus_task(i, &category), name)) return true;
    return false;
}

bool tune_run(const tune_options *o, problem *why)
{
    tuning t;
    memset(&t, 0, sizeof t);
    t.o = o;
    if (!known_task(o->task)) {
        text names = {0};
        tune_tasks(&names);
        problem_set(why, "--task %.60s: the tasks are %s", o->task, names.at);
        text_free(&names);
        return false;
    }
    const bool good = begin(&t, why) && steps(&t, why) && finish(&t, why);
    speaker_close(&t.s);
    net_pass_close(t.pass);
    if (t.a.m) optimiser_close(&t.a);
    free_questions(t.held, t.held ? (size_t)o->items : 0);
    free(t.chosen);
    stretches_free(&t.own);
    free(t.gradient);
    free(t.start);
    text_free(&t.settings);
    text_free(&t.rows);
    text_free(&t.accuracy);
    text_free(&t.shots);
    if (t.n.weight) net_close(&t.n);
    work_let_go(&t.hold);
    return good && (o->output || tune_collect(o->directory, why));
}
