/* intervene.h - what edits do to a model's next-token distributions on given texts: the engine of
   `ablate` and `perturb`.

   Some texts are run as they are, with the residual stream kept before every layer that an edit
   starts at. Each edit then starts at the lowest layer that it changes, or where it first differs
   from another edit (branches.h), on all of these texts: rows of many (edit, text) pairs share a
   pass, and what the texts begin with, a chat's system message, is fed once an edit. Logits exist
   for one block of positions at a time, of the intact model and of one edit. The order of sums
   depends on none of this. */
#ifndef SYNERGY_INTERVENE_H
#define SYNERGY_INTERVENE_H

#include "engine/feed.h"

/* Ids that are fed; positions from - 1 .. count - 2 predict ids[from] .. ids[count - 1]. */
typedef struct forced_text {
    int32_t *ids;
    size_t count, from;
} forced_text;

/* Sums over the predicted positions of a text. */
typedef struct divergence {
    double positions;
    double kl;       /* KL(intact || edited), nats */
    double nll;      /* of the text's own tokens under the edited model, nats */
    double same_top; /* positions whose likeliest token is the intact model's */
} divergence;

/* Adds b to a. */
void divergence_add(divergence *a, const divergence *b);

/* An edit and the lowest layer that it changes (layers: none). */
typedef struct intervention {
    syn_edit edit;
    uint32_t layer;
} intervention;

typedef struct intervener {
    loaded_model *m;
    syn_context ctx;    /* of the layers: rows of many pairs a pass, no logits but the last */
    syn_context output; /* of the output alone: logits of `block` positions */
    void *output_memory;
    uint32_t block;         /* positions whose logits are held */
    uint32_t starts;        /* sequences of ctx that hold what texts begin with, one an edit */
    double budget;          /* bytes for the streams of texts that run together */
    float *share;           /* (block position, vocab): the intact model's probabilities */
    syn_row *rows;          /* (block position) */
    struct intact_row *row; /* (block position) */
    double *power;          /* for exponentials */
} intervener;

/* Opens a context for texts of at most `longest` ids (two at least); memory: budget_of. */
bool intervene_open(intervener *v, loaded_model *m, size_t longest, bool exact, int64_t threads,
                    const char *memory, problem *why);
void intervene_close(intervener *v);

/* Edits on texts. A pair is done on its own, in any order of pairs. */
typedef struct intervene_job {
    const forced_text *text;
    size_t texts;
    const intervention *edit;
    size_t edits;
    bool *done; /* (text, edit): not asked for, or done already */
    /* takes what a pair comes to */
    bool (*take)(void *user, size_t text, size_t edit, const divergence *d, problem *why);
    /* told of work under way, of pairs that are not taken yet, as so many ids of theirs; or NULL */
    void (*step)(void *user, double ids);
    void *user;
} intervene_job;
bool intervene_run(intervener *v, const intervene_job *job, problem *why);

/* Mean output of every unit over the predicted positions of the texts, as syn_edit takes it:
   (layer, head, value size) or (layer, expert, embd); an expert's over the tokens that chose it. */
bool intervene_means(intervener *v, const forced_text *texts, size_t count, bool experts,
                     float *mean, problem *why);

#endif
