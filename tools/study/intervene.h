/* intervene.h - what an edit does to a model's next-token distributions on given texts: the engine
   of `ablate` and `perturb`.

   A text is run once as it is, with the residual stream kept before every layer that an edit may
   start at. Each edit then starts at the lowest layer that it changes. Logits exist for one block
   of positions at a time, of the intact model and of one edit. */
#ifndef SYNERGY_INTERVENE_H
#define SYNERGY_INTERVENE_H

#include "engine/model.h"

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

/* An edit and the lowest layer that it changes (layers: none). */
typedef struct intervention {
    syn_edit edit;
    uint32_t layer;
} intervention;

typedef struct intervener {
    loaded_model *m;
    syn_context ctx;    /* of the layers: many positions a pass, no logits but the last */
    syn_context output; /* of the output alone: logits of `block` positions */
    void *output_memory;
    uint32_t block;  /* positions whose logits are held */
    size_t longest;  /* positions fed of the longest text: all ids but the last */
    float *stream;   /* (layer, position, embd) of the intact model, and behind the last layer */
    float *end;      /* (edit, position, embd): streams behind the last layer */
    size_t end_room; /* edits that `end` holds */
    float *share;    /* (block position, vocab): the intact model's probabilities */
    syn_row *rows;   /* (pass): one pass's */
    struct intact_row *row; /* (block position) */
} intervener;

/* Opens a context for texts of at most `longest` ids (two at least). */
bool intervene_open(intervener *v, loaded_model *m, size_t longest, bool exact, int64_t threads,
                    problem *why);
void intervene_close(intervener *v);

/* result[k] of edits[k] on one text. */
bool intervene_text(intervener *v, const forced_text *given, const intervention *edits,
                    size_t count, divergence *result, problem *why);
/* Adds b to a. */
void divergence_add(divergence *a, const divergence *b);

/* Mean output of every unit over the predicted positions of the texts, as syn_edit takes it:
   (layer, head, value size) or (layer, expert, embd); an expert's over the tokens that chose it. */
bool intervene_means(intervener *v, const forced_text *texts, size_t count, bool experts,
                     float *mean, problem *why);

#endif
