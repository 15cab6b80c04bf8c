/* stage.h - what others may use of learn/: gradients, training, tuning, the corpus, and whether the
   profile forms by training. */
#ifndef SYNERGY_LEARN_STAGE_H
#define SYNERGY_LEARN_STAGE_H

#include "engine/shape.h"

/* ---- endless text by rule (corpus.c) -------------------------------------------------- */

/* Documents of one or a few sentences, in the six categories of the prompts; the last part is an
   answer that the rule knows. */
enum {
    CORPUS_GRAMMAR,
    CORPUS_POS,
    CORPUS_NUMERIC,
    CORPUS_COMMONSENSE,
    CORPUS_CREATIVE,
    CORPUS_SOCIAL,
    CORPUS_CATEGORIES,
    CORPUS_ANY = CORPUS_CATEGORIES
};

const char *corpus_category(int category); /* "grammar", ... as the built-in prompts name them */

/* What a document asks, where it asks something that has one answer. */
typedef struct corpus_item {
    int category;
    const char *task; /* "agreement", "sum", ...; every document has one */
    size_t answer;    /* offset of the answer in the text; 0: nothing to answer */
} corpus_item;

/* Document `index` of a seed, without an end of line. Combinations that are held out occur only
   where held_out asks for them, and then in what the item asks. task NULL: any; category
   CORPUS_ANY: any. */
void corpus_document(uint64_t seed, uint64_t index, int category, const char *task, bool held_out,
                     text *to, corpus_item *item);

/* The i-th task that has an answer, and its category; NULL past the last. */
const char *corpus_task(size_t i, int *category);

/* ---- derivatives of a loss (gradient.c, gradient_folder.c) ---------------------------- */

typedef struct gradient_options {
    const char *model;
    const char *tokens, *weights;        /* .npy; weights NULL: all 1 */
    const char *output, *heads, *logits; /* GRAD.gguf, HEADS.csv, LOGITS.npy; NULL: not written */
    int64_t threads;
    bool force;
} gradient_options;

typedef struct gradient_result {
    double loss;
    size_t positions;
} gradient_result;

/* Importance of the heads on a result folder's own continuations: the loss is the mean over the
   tokens that the model wrote; columns `gradient` and `importance` of its units.csv are added or
   replaced. */
bool gradient_folder(const gradient_options *o, const char *directory, gradient_result *r,
                     problem *why);

bool gradient_run(const gradient_options *o, gradient_result *r, problem *why);

/* ---- learning from rows of ids: steps, checkpoints, going on (train.c) ---------------- */

enum { SCHEDULE_COSINE, SCHEDULE_CONSTANT };

typedef struct optimiser_options {
    double lr, beta1, beta2, eps, decay, clip; /* clip 0: none */
    int schedule;
    int64_t warmup, steps;
} optimiser_options;

typedef struct fresh_shape {
    int64_t layers, width, heads, kv_heads, ff, context; /* ff 0: 8/3 width; kv_heads 0: heads */
    int64_t seed;
    const char *name;
} fresh_shape;

/* Tokens of a vocabulary that is learnt: the end of text, 256 bytes, merges. */
enum { BPE_LEAST = 257, BPE_MOST = 65536 };

enum { ORDER_SHUFFLED, ORDER_GIVEN };

typedef struct train_options {
    const char *init;                 /* NULL: fresh random weights of `shape` */
    const char *tokens, *text;        /* one of these, or the corpus */
    int64_t corpus;                   /* its seed; -1: not the corpus */
    const char *output, *checkpoints; /* "0,1,2,4"; NULL: powers of two */
    optimiser_options optimiser;
    fresh_shape shape;
    int64_t vocab, batch, order, seed, threads, context, evaluate, until,
        save_seconds; /* until 0: to the end */
    bool resume, fresh, force;
} train_options;

bool train_run(const train_options *o, problem *why);

/* ---- training chosen heads only, by worked solutions or by reward (tune.c) ------------ */

enum { TUNE_SFT, TUNE_GRPO };
/* What is right: the whole answer, steps included; or its last number (of an answer without one,
   its last word). */
enum { CHECK_WHOLE, CHECK_FINAL };

typedef struct tune_options {
    const char *model, *directory, *output; /* output NULL: DIR/tune/TASK-METHOD-SUBSET-SEED */
    const char *task, *score;
    const char *subset;
    double share, clip_ratio, kl, temperature;
    int method, check;
    optimiser_options optimiser;
    int64_t batch, group, updates, most, shots, evaluate, items, seed, threads, save_seconds;
    bool keep_samples, resume, fresh, force;
} tune_options;

void tune_defaults(tune_options *o);
/* The tasks that can be asked for, with commas between. */
void tune_tasks(text *to);
bool tune_run(const tune_options *o, problem *why);

/* ---- does the profile form by training? (emerge.c, controls.c) ------------------------ */

/* Checkpoints of one or several runs, and two controls of each run, read the same text: here is
   what is read, what the controls are, and what is said of the results. */
enum { EMERGE_CHECKPOINT, EMERGE_RANDOM, EMERGE_SHUFFLED };
/* The readings of the score that are followed, by their names in phiid.json. */
enum { EMERGE_SCORES = 3 };
extern const char *const emerge_score[EMERGE_SCORES];

/* A model that reads the text. */
typedef struct emerge_point {
    char path[TOOL_PATH_BYTES]; /* of the checkpoint, or of the one that a control is made of */
    char folder[80];            /* in the output: RUN/step-8, RUN/random */
    size_t run;
    int kind;
    int64_t step;
    double loss, loss_se; /* nats a token */
    shape_evidence e[EMERGE_SCORES];
} emerge_point;

/* Runs (checkpoints in one folder are one run), each by rising step, its controls last. */
typedef struct emerge_list {
    emerge_point *at;
    size_t count, runs;
    char (*run)[64]; /* (runs): names */
} emerge_list;

/* The step stands in a file's name: what follows its last "step", else its last number. */
bool emerge_plan(emerge_list *l, const char *const *paths, size_t count, bool controls,
                 problem *why);
void emerge_free(emerge_list *l);

/* The text for a model with this vocabulary, (rows, length) ids: windows of a file, or held-out
   documents of the corpus (path NULL). *rows falls to what the file has. */
int32_t *emerge_text(const char *model, const char *path, uint64_t seed, size_t *rows,
                     size_t length, problem *why);

/* A control of a model, of any family, in F32: EMERGE_RANDOM normal weights of standard deviation
   1/sqrt(inputs), smaller by sqrt(2 layers) where they add to the stream, 0.05 of the embedding,
   norms 1, biases 0; EMERGE_SHUFFLED the weights of each tensor in a random order. */
bool emerge_control(const char *model, int kind, uint64_t seed, const char *to, problem *why);

/* Reads RUN/step-N/phiid.json and profile.csv of every point; writes emergence.csv,
   emergence_profile.csv and emergence.json with `settings` (JSON: {"settings": {...}}) and this
   identity. */
bool emerge_write(emerge_list *l, const char *directory, const char *settings, const char *identity,
                  problem *why);

#endif
