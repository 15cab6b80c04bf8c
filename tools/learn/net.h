/* net.h - a model as the learner holds it: every weight a float, in one array (or, where none is
   learnt, a layer's at a time), and the passes over rows of ids that give losses, logits and
   gradients. What a layer does is read from the header's
   table of families; the model file is opened by the header.

   The loss of rows of ids (p, t), -1 behind a row's end: with C positions t >= 1 that have an id,
       L = 1/C sum w[p, t] (-log softmax(logits[p, t - 1])[ids[p, t]])
   Nothing depends on the number of threads, bit for bit. */
#ifndef SYNERGY_NET_H
#define SYNERGY_NET_H

#include "engine/model.h"
#include "learn/lanes.h"

#define NET_NONE SIZE_MAX

typedef struct net_param {
    char name[64];
    size_t at;         /* of its first weight in the arrays */
    size_t cols, rows; /* rows 1: a vector, which does not decay */
    const syn_tensor *tensor;
} net_param;

typedef struct net {
    loaded_model file;
    const lanes *l;
    const syn_parallel *parallel;
    size_t layers, embd, heads, kv_heads, key, value, ff, vocab, rope;
    size_t q_size, k_size, v_size, heads_size; /* of a position: heads x key, ... */
    bool rope_halves;
    size_t params, parameters; /* tensors; weights in all */
    net_param *param;
    size_t *at; /* (layer, SYN_PARTS): place of a tensor's weights, or NET_NONE */
    size_t global_at[SYN_GLOBALS];
    size_t held; /* weights of the array; fewer than all: layers are read when they are needed */
    size_t *layer_at; /* (layers + 1): first weight of a layer */
    float *weight;    /* (held) */
} net;

/* What is dequantised once and for all: every weight, or what is behind the layers only, which
   takes little memory and gives the same numbers. */
typedef enum net_hold { NET_HOLD_ALL, NET_HOLD_END } net_hold;

/* Opens a model of a family that has a backward pass here. */
bool net_open(net *n, const char *path, net_hold hold, int64_t threads, problem *why);
void net_close(net *n);
/* The weights of a layer that are not held, from layer_at[layer] on; the embedding of an id. */
void net_read_layer(const net *n, size_t layer, const syn_parallel *parallel, float *to);
void net_embedding(const net *n, size_t id, float *to);
/* Where a tensor's weights are in an array of all parameters; NULL: the model has none. */
float *net_part(const net *n, float *array, size_t layer, syn_part part);
float *net_global(const net *n, float *array, syn_global global);

/* Writes the keys of the model's file and `array` as F32 tensors in the order of the file: a whole
   model, or gradients, where what is no parameter (rope factors) is left out. */
typedef enum net_kind { NET_MODEL, NET_GRADIENT } net_kind;
bool net_write(const net *n, const float *array, net_kind kind, const char *path, problem *why);

/* ---- passes --------------------------------------------------------------------------- */

/* Texts that begin alike share a row: its first `stem` ids are the beginning of them all, and
   behind it one follows the other, each at the place where the stem ends, and none sees another. A
   text's first id behind the stem is predicted by nobody here, nor is one of the stem. */
typedef struct net_branches {
    const size_t *stem;  /* (rows) */
    const size_t *start; /* (rows, length): where in the row the text begins that an id is of */
} net_branches;

/* Rows of ids, and what each predicted token weighs. */
typedef struct net_rows {
    const int32_t *ids;   /* (rows, length) */
    const float *weights; /* (rows, length), NULL: all 1 */
    size_t rows, length;
    const net_branches *branches; /* NULL: a row is one text */
} net_rows;

/* Where in its text an id of a row stands. */
static inline size_t net_place(const net_branches *b, size_t row, size_t length, size_t t)
{
    if (!b || t < b->stem[row]) return t;
    return b->stem[row] + t - b->start[row * length + t];
}

/* Ids from an .npy, [P, T] or [T], -1 from some position of a row on; weights of the same shape. */
bool net_rows_read(int32_t **ids, size_t *rows, size_t *length, const char *path, uint32_t vocab,
                   problem *why);
/* The positions C that a mean is over. */
size_t net_positions(const net_rows *r);

/* Weights that depend on how likely a token is now: w[p, t] of -log p. */
typedef float net_weigh_fn(void *user, size_t row, size_t t, float nll);

/* What a pass leaves where it is not NULL. */
typedef struct net_wants {
    float *gradient; /* (parameters): added to */
    /* (layer, SYN_PARTS): the tensors whose gradient is wanted, if not of all; of the others and of
       those outside the layers it is left undone */
    const bool *parts;
    /* (row, length): the tokens whose likelihood is wanted, if not of all: the others weigh 0 */
    const bool *tokens;
    double *gains; /* (row, layer, head): dL/dg of each row's part of L */
    float *nll;    /* (row, length): -log p of each predicted token, 0 where there is none */
    float *logits; /* (row, length, vocab) */
    net_weigh_fn *weigh;
    void *user;
    progress *told; /* of the rows */
} net_wants;

typedef struct net_pass net_pass;

/* How far a pass goes: losses and logits; back to the heads, for gains; to the weights. */
typedef enum net_way { NET_FORWARD, NET_TO_HEADS, NET_TO_WEIGHTS } net_way;

/* Memory for passes over rows of at most `length` ids. */
net_pass *net_pass_open(const net *n, size_t length, size_t rows, net_way way);
void net_pass_close(net_pass *p);
uint64_t net_pass_bytes(const net *n, size_t length, size_t rows, net_way way);
/* How long rows take, after the first pass there was, over `timed`, took `seconds`. */
double net_pass_seconds(const net_pass *p, const net_rows *timed, double seconds,
                        const net_rows *r);
/* L of these rows; `count` is C (0: count it). */
double net_run(net_pass *p, const net_rows *r, size_t count, const net_wants *wants);

#endif
