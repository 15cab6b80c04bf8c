/* stage.h - what others may use of study/: ablation, noise, accuracy on evaluation sets,
   perplexity. */
#ifndef SYNERGY_STUDY_STAGE_H
#define SYNERGY_STUDY_STAGE_H

#include "engine/budget.h"
#include "engine/chat.h"

/* ---- what ablate and perturb are both told -------------------------------------------- */

typedef struct study_options {
    const char *model, *directory, *output; /* output NULL: the directory */
    const char *score;  /* a column of units.csv; NULL: the score that the folder chose */
    const char *eval;   /* evaluation sets, "none" for none */
    const char *memory; /* for items side by side: budget_of */
    const char *pre;    /* pre-tokenizer in place of the file's own, or NULL */
    int64_t seeds, prompts, items, seed, threads;
    bool exact, resume, fresh, force; /* resume: the default, and said again */
} study_options;

void study_defaults(study_options *o);

/* Bytes of the tables, the JSON and the log of a study of the default size. */
double study_disk_bytes(void);

/* ---- units removed one after the other, in several orders (ablate.c) ------------------ */

typedef struct ablate_options {
    study_options study;
    const char *fractions; /* "0.05,0.1"; NULL: eight up to `most` */
    int64_t step;          /* units a point; 0: fractions */
    double most;           /* largest fraction */
    int replace;           /* 0 zero, 1 mean */
} ablate_options;

void ablate_defaults(ablate_options *o);
bool ablate_run(const ablate_options *o, problem *why);

/* One set of units on given ids, or on the texts of a result folder (ablate_set.c). */
typedef struct ablate_set {
    const char *model;
    const char *directory; /* a result folder, or */
    const char *tokens;    /* .npy of ids, predicted from position `from` - 1 on */
    const char *list;      /* of units: engine/unit_list.h */
    const char *memory;    /* for texts side by side: budget_of */
    int64_t from, prompts, threads;
    bool experts; /* of `tokens`: what the list counts */
    int replace;  /* 0 zero, 1 mean */
    bool exact;
} ablate_set;

typedef struct ablate_set_result {
    size_t units;           /* that were removed */
    bool experts;           /* these are experts, else heads */
    double positions;       /* predicted */
    double kl;              /* mean KL(intact || ablated), nats */
    double nll, nll_intact; /* mean -log p of the text's own tokens, nats */
    double same_top;        /* share of positions whose likeliest token stays */
} ablate_set_result;

bool ablate_set_run(const ablate_set *o, ablate_set_result *r, problem *why);

/* ---- weight noise in the core, in the periphery, in random units (perturb.c) ---------- */

typedef struct perturb_options {
    study_options study;
    const char *
        strengths; /* "0.1,0.25,0.5,1": standard deviations of the noise, in those of the weights */
    double share;  /* of the units, in each group */
} perturb_options;

void perturb_defaults(perturb_options *o);
bool perturb_run(const perturb_options *o, problem *why);

/* ---- evaluation sets: the items as texts (eval_items.c) ------------------------------- */

enum { EVAL_SETS = 4, EVAL_CHOICES = 4 };

typedef struct eval_text {
    const char *group; /* what it tests: a phenomenon, an operation */
    char *context;     /* "" where the choices are whole sentences */
    char *choice[EVAL_CHOICES];
    int choices, right; /* right: index of a choice */
} eval_text;

typedef struct eval_set {
    const char *name;
    const char *about;
    const char *preamble; /* examples before each item, "" for none */
    int frame;            /* consecutive items that balance one another */
    eval_text *text;
    int texts;
} eval_set;

void eval_set_make(eval_set *set, int which);
void eval_set_free(eval_set *set);
/* Which sets are meant: "all", or names with commas between. Returns how many, 0: a bad name. */
int eval_set_names(const char *names, int which[EVAL_SETS], problem *why);
/* Marks as many whole frames as `limit` texts hold (0: all), at least one, of each group in turn;
   returns how many texts are marked. */
int eval_set_choose(const eval_set *set, int64_t limit, bool *chosen);

/* ---- evaluation sets: a model's answers (eval_run.c) ----------------------------------- */

typedef struct eval_score {
    const char *set;
    int items, correct;
    double accuracy, low, high; /* Wilson 95 % */
    double margin;              /* mean log-likelihood difference right - best wrong, nats */
} eval_score;

typedef struct eval_options {
    const char *model, *pre, *memory; /* memory: for items side by side, budget_of */
    const char *sets;                 /* "all", or names with commas between */
    chat_options chat;
    bool as_chat;  /* each question as a message; implied by a system message */
    int64_t items; /* at most so many of each set, in whole frames; 0: all */
    int64_t threads;
    bool exact;
    bool resume, fresh; /* resume: the default, and said again */
} eval_options;

/* What became of one item. */
typedef struct eval_answer {
    const char *set, *group;
    int number; /* of the item in its set, from 1 */
    bool right;
    int choices;
    double likelihood[EVAL_CHOICES]; /* of each choice, in nats, what all share left out */
} eval_answer;

typedef struct eval_result {
    int sets;
    eval_score score[EVAL_SETS], all;
    double chance[EVAL_SETS]; /* share of right answers by guessing */
    uint64_t positions;       /* that were fed */
    size_t items;
    eval_answer *answer; /* (items), set after set */
} eval_result;

bool eval_model(const eval_options *o, eval_result *r, problem *why);
void eval_result_free(eval_result *r);

/* ---- perplexity (perplexity.c) -------------------------------------------------------- */

typedef struct perplexity_options {
    const char *model;
    const char *file;   /* a text, "-": standard input; or */
    const char *tokens; /* ids, .npy [T] or [P, T], taken as they are */
    const char *pre;    /* pre-tokenizer in place of the file's own, or NULL */
    const char *memory; /* for windows side by side: budget_of */
    int64_t context;    /* tokens of a window; 0: the default */
    int64_t threads;    /* 0: all cores */
    int cache;          /* syn_cache_type */
    bool second_half, special, no_bos, exact;
    bool resume, fresh; /* resume: the default, and said again */
} perplexity_options;

typedef struct perplexity_result {
    uint64_t tokens; /* in the text or the rows */
    uint64_t scored; /* of them, the n of the mean */
    uint64_t windows;
    uint64_t window;    /* tokens of the longest */
    double nll, sd, se; /* nats: mean of -log p, standard deviation and error (n = 1: NaN) */
    double perplexity;  /* exp(nll) */
    double low, high;   /* 95 %: exp(nll -+ 1.96 se) */
} perplexity_result;

bool perplexity_run(const perplexity_options *o, perplexity_result *r, problem *why);

#endif
