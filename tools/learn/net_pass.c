/* net_pass.c - forward and back through a model. Rows go through in groups, whose size depends on
   the model and the rows' length only. The groups of a small model go through beside each other, a
   thread each: a slot takes every slots-th group and has a gradient of its own, and the slots are
   added up in their order, so that it does not matter who took which. Of a large model one group is
   on its way at a time, and the threads share each of its steps.

   Kept of a layer: the stream before it and between its halves, what the norms divided by, queries,
   keys and values (before their norms too, where they have some), heads, gate and up. The rest is
   made again on the way back. Letters: x the stream, d... the gradient of L with respect to ... */
#include "learn/attention.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    PASS_POSITIONS = 1024,  /* of a group that has all threads */
    SLOT_POSITIONS = 512,   /* of one that has one: most of its layer stays in the second cache; of
                               one that reads its layers, which takes a twentieth of its time */
    SLOTS = 8,              /* whatever the threads, for the sums' order */
    SLOT_WEIGHTS = 1 << 23, /* most weights of a small model: eight gradients are 256 MB */
    PIECE = 64,
    LOGIT_FLOATS = 1 << 22,
    SLOT_LOGIT_FLOATS = 1 << 18,
    COLUMNS = 256,
    SUM_FLOATS = 16384
};

typedef struct layer_kept {
    float *x, *inverse;           /* (position, embd), (position) */
    float *q, *k, *v;             /* rotated */
    float *q_raw, *k_raw;         /* before their norms, NULL without */
    float *q_inverse, *k_inverse; /* (position, head) */
    float *heads, *normaliser;    /* (position, head, value), (position, head) */
    float *middle, *inverse2;     /* the stream behind attention */
    float *gate, *up;             /* (position, ff) */
} layer_kept;

/* What one group needs on its way. */
typedef struct workspace {
    const net *n;
    const syn_parallel *parallel; /* the threads that share its steps */
    net_way way;
    size_t length, positions; /* most ids of a row; of the rows that go through together */
    size_t block;             /* positions whose logits are made at a time */
    bool taken;
    float *room, *memory; /* what was allocated; its first line of the cache */
    size_t used;          /* floats; counted with memory NULL */
    layer_kept *kept;     /* (layer); one for all without a way back */
    float *x, *inverse;   /* the stream, at the end behind the last layer */
    float *normed, *act;  /* (position, embd), (position, ff) */
    float *turn;          /* (length, rope): cos and sin of each pair */
    float *logits, *nll;  /* (block, vocab), (position) */
    float *dx, *dnormed, *dheads, *dq, *dk, *dv, *dact, *draw;
    float *pieces;  /* (piece, widest vector): partial sums of vectors' gradients */
    float *work;    /* of attention */
    float *layer;   /* (largest layer): weights that the net does not hold */
    size_t loaded;  /* 1 + the layer that is there, 0: none */
    double reading; /* seconds */
    int32_t *id;    /* (position): with the first token where a row has ended */
    int32_t *spot;  /* (position): those whose logits are made */
} workspace;

struct net_pass {
    const net *n;
    net_way way;
    size_t slots, spaces;
    workspace *space;
    pthread_mutex_t lock;    /* of who has which space */
    float *room, *gradients; /* (slots - 1, parameters) behind the start of a line of the cache */
};

static const syn_parallel alone = {0};

/* ---- memory ----------------------------------------------------------------------------- */

static float *take(workspace *p, size_t count)
{
    float *at = p->memory ? p->memory + p->used : NULL;
    p->used += (count + 15) / 16 * 16;
    return at;
}

static size_t most(size_t a, size_t b)
{
    return a > b ? a : b;
}

static void take_layer(workspace *p, layer_kept *k, size_t positions, bool first)
{
    const net *n = p->n;
    const bool qk_norm = n->at[SYN_ATTN_Q_NORM] != NET_NONE;
    if (!first && p->way == NET_FORWARD) return;
    k->x = take(p, positions * n->embd);
    k->inverse = take(p, positions);
    k->q = take(p, positions * n->q_size);
    k->k = take(p, positions * n->k_size);
    k->v = take(p, positions * n->v_size);
    k->q_raw = qk_norm ? take(p, positions * n->q_size) : NULL;
    k->k_raw = qk_norm ? take(p, positions * n->k_size) : NULL;
    k->q_inverse = qk_norm ? take(p, positions * n->heads) : NULL;
    k->k_inverse = qk_norm ? take(p, positions * n->kv_heads) : NULL;
    k->heads = take(p, positions * n->heads_size);
    k->normaliser = take(p, positions * n->heads);
    k->middle = take(p, positions * n->embd);
    k->inverse2 = take(p, positions);
    k->gate = take(p, positions * n->ff);
    k->up = take(p, positions * n->ff);
}

/* Room for the weights of any layer, where the net does not hold them. */
static size_t largest_layer(const net *n)
{
    size_t largest = 0;
    for (size_t i = 0; i < n->layers && n->held < n->parameters; i++)
        largest = most(largest, n->layer_at[i + 1] - n->layer_at[i]);
    return largest;
}

static void take_all(workspace *p, layer_kept *kept)
{
    const net *n = p->n;
    const size_t positions = p->positions;
    const size_t widest = most(most(most(n->embd, n->q_size), most(n->k_size, n->v_size)), n->ff);
    p->used = 0;
    for (size_t i = 0; i < n->layers; i++)
        take_layer(p, &kept[p->way == NET_FORWARD ? 0 : i], positions, i == 0);
    p->x = take(p, positions * n->embd);
    p->inverse = take(p, positions);
    p->normed = take(p, positions * n->embd);
    p->act = take(p, positions * n->ff);
    p->turn = take(p, p->length * n->rope);
    p->logits = take(p, p->block * n->vocab);
    p->nll = take(p, positions);
    p->id = (int32_t *)(void *)take(p, positions);
    p->spot = (int32_t *)(void *)take(p, positions);
    p->work = take(p, attention_work(p->parallel, p->length, p->way != NET_FORWARD));
    p->layer = take(p, largest_layer(n));
    if (p->way == NET_FORWARD) return;
    p->dx = take(p, positions * n->embd);
    p->dnormed = take(p, positions * n->embd);
    p->dheads = take(p, positions * n->heads_size);
    p->dq = take(p, positions * n->q_size);
    p->dk = take(p, positions * n->k_size);
    p->dv = take(p, positions * n->v_size);
    p->draw = take(p, positions * most(n->q_size, n->k_size));
    p->dact = take(p, positions * n->ff);
    p->pieces = take(p, (positions + PIECE - 1) / PIECE * widest);
}

static bool is_small(const net *n)
{
    return n->parameters <= SLOT_WEIGHTS;
}

static size_t group_positions(const net *n)
{
    return is_small(n) || n->held < n->parameters ? SLOT_POSITIONS : PASS_POSITIONS;
}

static void shape_space(workspace *p, const net *n, size_t length, size_t rows, net_way way)
{
    memset(p, 0, sizeof *p);
    p->n = n;
    p->way = way;
    p->length = length;
    p->positions = group_positions(n);
    if (p->positions / length >= rows) p->positions = rows * length;
    if (p->positions < length) p->positions = length;
    p->block = (is_small(n) ? SLOT_LOGIT_FLOATS : LOGIT_FLOATS) / n->vocab;
    if (p->block > p->positions) p->block = p->positions;
    if (!p->block) p->block = 1;
}

/* By the rows at hand, not by what the memory was made for, unless that is less: a run that was
   stopped and goes on has seen other rows. */
static size_t rows_together(const workspace *p, size_t rows, size_t length)
{
    const size_t most_positions = group_positions(p->n);
    size_t some = (p->positions < most_positions ? p->positions : most_positions) / length;
    if (some > rows) some = rows;
    return some ? some : 1;
}

/* Sets how many groups are on their way together, and the shape of what each of them needs. */
static workspace shape_pass(net_pass *p, const net *n, size_t length, size_t rows, net_way way)
{
    const size_t threads = n->parallel->threads > 1 ? (size_t)n->parallel->threads : 1;
    workspace w;
    memset(p, 0, sizeof *p);
    shape_space(&w, n, length, rows, way);
    p->n = n;
    p->way = way;
    const size_t some = rows_together(&w, rows, length);
    p->slots = is_small(n) ? (rows + some - 1) / some : 1;
    if (p->slots > SLOTS) p->slots = SLOTS;
    p->spaces = p->slots < threads ? p->slots : threads;
    w.parallel = p->slots > 1 ? &alone : n->parallel;
    return w;
}

static size_t gradients_of(const net_pass *p)
{
    return p->way == NET_TO_WEIGHTS ? (p->slots - 1) * p->n->parameters : 0;
}

uint64_t net_pass_bytes(const net *n, size_t length, size_t rows, net_way way)
{
    net_pass p;
    layer_kept *kept = tool_alloc(n->layers, sizeof *kept);
    workspace w = shape_pass(&p, n, length, rows, way);
    take_all(&w, kept);
    free(kept);
    return ((uint64_t)p.spaces * w.used + gradients_of(&p)) * sizeof(float);
}

/* cos and sin as the header makes them: in double, since position times frequency is large */
static void make_turns(workspace *p)
{
    const syn_model *m = &p->n->file.model;
    for (size_t t = 0; t < p->length; t++)
        for (size_t i = 0; i < p->n->rope / 2; i++) {
            const double angle = (double)t * m->rope_freq[i];
            p->turn[t * p->n->rope + 2 * i] = (float)cos(angle) * m->rope_amplitude;
            p->turn[t * p->n->rope + 2 * i + 1] = (float)sin(angle) * m->rope_amplitude;
        }
}

static void open_space(workspace *p)
{
    p->kept = tool_alloc(p->n->layers, sizeof *p->kept);
    take_all(p, p->kept);
    p->room = tool_alloc(p->used + LANES_LINE, sizeof *p->room);
    p->memory = lanes_aligned(p->room);
    take_all(p, p->kept);
    for (size_t i = 1; i < p->n->layers && p->way == NET_FORWARD; i++) p->kept[i] = p->kept[0];
    make_turns(p);
}

net_pass *net_pass_open(const net *n, size_t length, size_t rows, net_way way)
{
    net_pass *p = tool_alloc(1, sizeof *p);
    const workspace shape = shape_pass(p, n, length, rows, way);
    p->space = tool_alloc(p->spaces, sizeof *p->space);
    for (size_t i = 0; i < p->spaces; i++) {
        p->space[i] = shape;
        open_space(&p->space[i]);
    }
    p->room = tool_alloc(gradients_of(p) + LANES_LINE, sizeof *p->room);
    p->gradients = lanes_aligned(p->room);
    pthread_mutex_init(&p->lock, NULL);
    return p;
}

void net_pass_close(net_pass *p)
{
    if (!p) return;
    for (size_t i = 0; i < p->spaces; i++) {
        free(p->space[i].kept);
        free(p->space[i].room);
    }
    pthread_mutex_destroy(&p->lock);
    free(p->space);
    free(p->room);
    free(p);
}

/* ---- steps ------------------------------------------------------------------------------ */

/* One group of rows on its way. */
typedef struct group {
    workspace *p;
    const net *n;
    const lanes *l;
    size_t rows, positions;
    size_t layer;
    layer_kept *k;
    bool back;       /* to gains or weights */
    float *gradient; /* NULL: not of weights */
    const net_wants *wants;
    const net_rows *r;
    size_t first; /* of its rows, in r */
} group;

/* The weights of a tensor of the layer; NULL: there are none. */
static const float *weight(const group *g, syn_part part)
{
    const net *n = g->n;
    const size_t at = n->at[g->layer * SYN_PARTS + (size_t)part];
    if (at == NET_NONE) return NULL;
    return at < n->held ? n->weight + at : g->p->layer + (at - n->layer_at[g->layer]);
}

/* Reads what weight() needs. */
static void load_layer(const group *g)
{
    const net *n = g->n;
    if (n->held == n->parameters || g->p->loaded == g->layer + 1) return;
    const double start = clock_seconds();
    net_read_layer(n, g->layer, g->p->parallel, g->p->layer);
    g->p->loaded = g->layer + 1;
    g->p->reading += clock_seconds() - start;
}

/* Where the gradient of a tensor of the layer goes; NULL: nowhere. */
static float *wanted(const group *g, syn_part part)
{
    if (g->wants->parts && !g->wants->parts[g->layer * SYN_PARTS + (size_t)part]) return NULL;
    return net_part(g->n, g->gradient, g->layer, part);
}

/* The same for what stands outside the layers. */
static float *wanted_global(const group *g, syn_global global)
{
    return g->wants->parts ? NULL : net_global(g->n, g->gradient, global);
}

/* y (position, rows of w) = x w', plus the bias; += with `add`. */
static void forward_product(const group *g, const float *x, size_t in, syn_part part, syn_part bias,
                            float *y, size_t out, bool add)
{
    const float *w = weight(g, part);
    const float *b = weight(g, bias);
    const product p = {g->positions, out, in, x, in, 1, w, 1, in, y, out, add};
    lanes_product(g->l, g->p->parallel, &p);
    if (b) g->l->add_rows(y, b, g->positions, out);
}

typedef struct piece_jobs {
    const group *g;
    const float *x, *w, *dy;
    float *y, *inverse, *sums;
    size_t rows, width, piece; /* rows in all, and of a piece */
    float sign;                /* of a rotation */
} piece_jobs;

static size_t pieces_of(const piece_jobs *j)
{
    return (j->rows + j->piece - 1) / j->piece;
}
static size_t piece_rows(const piece_jobs *j, int index)
{
    const size_t from = (size_t)index * j->piece;
    return j->rows - from < j->piece ? j->rows - from : j->piece;
}

static void norm_job(void *arg, int index)
{
    const piece_jobs *j = arg;
    const size_t from = (size_t)index * j->piece;
    j->g->l->norm(j->x + from * j->width, j->w, piece_rows(j, index), j->width,
                  j->g->n->file.model.norm_eps, j->y + from * j->width, j->inverse + from);
}

/* rows of `width`, of which each position has `each` */
static void norm(const group *g, const float *x, const float *w, size_t each, size_t width,
                 float *y, float *inverse)
{
    piece_jobs j = {g, x, w, NULL, y, inverse, NULL, g->positions * each, width, PIECE * each, 0};
    lanes_run(g->p->parallel, pieces_of(&j), norm_job, &j);
}

/* Sums of pieces, in their order, into a vector's gradient. */
static void gather(const group *g, const piece_jobs *j, float *gradient)
{
    for (size_t i = 0; gradient && i < pieces_of(j); i++)
        g->l->add(gradient, j->sums + i * j->width, j->width);
}

static void norm_back_job(void *arg, int index)
{
    const piece_jobs *j = arg;
    const size_t from = (size_t)index * j->piece;
    float *sums = j->sums + (size_t)index * j->width;
    memset(sums, 0, j->width * sizeof *sums);
    j->g->l->norm_back(j->dy + from * j->width, j->x + from * j->width, j->w, j->inverse + from,
                       piece_rows(j, index), j->width, j->y + from * j->width, sums);
}

static void norm_back(const group *g, const float *dy, const float *x, const float *w,
                      float *inverse, size_t each, size_t width, float *dx, float *gradient)
{
    piece_jobs j = {
        g, x, w, dy, dx, inverse, g->p->pieces, g->positions * each, width, PIECE * each, 0};
    lanes_run(g->p->parallel, pieces_of(&j), norm_back_job, &j);
    gather(g, &j, gradient);
}

static void sum_job(void *arg, int index)
{
    const piece_jobs *j = arg;
    float *sums = j->sums + (size_t)index * j->width;
    memset(sums, 0, j->width * sizeof *sums);
    j->g->l->sum_rows(j->dy + (size_t)index * j->piece * j->width, piece_rows(j, index), j->width,
                      sums);
}

/* y = x w' + b on the way back: dx = or += dy w */
static void back_to_input(const group *g, const float *dy, size_t out, syn_part part, size_t in,
                          float *dx, bool add)
{
    const product to_x = {g->positions, in, out, dy, out, 1, weight(g, part), in, 1, dx, in, add};
    lanes_product(g->l, g->p->parallel, &to_x);
}

/* dw += dy' x, db += sum dy */
static void back_to_weights(const group *g, const float *dy, size_t out, syn_part part,
                            syn_part bias, const float *x, size_t in)
{
    float *dw = wanted(g, part), *db = wanted(g, bias);
    const product to_w = {out, in, g->positions, dy, 1, out, x, in, 1, dw, in, true};
    if (dw) lanes_product(g->l, g->p->parallel, &to_w);
    if (!db) return;
    piece_jobs j = {g, NULL, NULL, dy, NULL, NULL, g->p->pieces, g->positions, out, PIECE, 0};
    lanes_run(g->p->parallel, pieces_of(&j), sum_job, &j);
    gather(g, &j, db);
}

static void backward_product(const group *g, const float *dy, size_t out, syn_part part,
                             syn_part bias, const float *x, size_t in, float *dx, bool add)
{
    back_to_weights(g, dy, out, part, bias, x, in);
    back_to_input(g, dy, out, part, in, dx, add);
}

/* Rotates the pairs of every head at a position (Su et al. 2021); backwards with sign -1. */
static void turn_head(const net *n, float *head, const float *turn, float sign)
{
    const size_t half = n->rope / 2, step = n->rope_halves ? 1 : 2,
                 apart = n->rope_halves ? half : 1;
    for (size_t i = 0; i < half; i++) {
        float *a = head + i * step, *b = a + apart;
        const float c = turn[2 * i], s = turn[2 * i + 1] * sign, first = *a;
        *a = first * c - *b * s;
        *b = first * s + *b * c;
    }
}

static void turn_job(void *arg, int index)
{
    const piece_jobs *j = arg;
    const net *n = j->g->n;
    const size_t from = (size_t)index * j->piece, size = n->key;
    const size_t length = j->g->p->length;
    for (size_t r = from; r < from + piece_rows(j, index); r++) {
        const size_t at =
            net_place(j->g->r->branches, j->g->first + r / length, length, r % length);
        for (size_t h = 0; h < j->width / size; h++)
            turn_head(n, j->y + r * j->width + h * size, j->g->p->turn + at * n->rope, j->sign);
    }
}

static void rotate(const group *g, float *y, size_t width, float sign)
{
    piece_jobs j = {g, NULL, NULL, NULL, y, NULL, NULL, g->positions, width, PIECE, sign};
    lanes_run(g->p->parallel, pieces_of(&j), turn_job, &j);
}

static void gate_job(void *arg, int index)
{
    const piece_jobs *j = arg;
    const size_t from = (size_t)index * j->piece * j->width;
    j->g->l->gate(j->x + from, j->w + from, piece_rows(j, index) * j->width, j->y + from);
}

static void gate(const group *g)
{
    piece_jobs j = {g,    g->k->gate,   g->k->up, NULL,  g->p->act, NULL,
                    NULL, g->positions, g->n->ff, PIECE, 0};
    lanes_run(g->p->parallel, pieces_of(&j), gate_job, &j);
}

static void gate_back_job(void *arg, int index)
{
    const piece_jobs *j = arg;
    const size_t from = (size_t)index * j->piece * j->width;
    j->g->l->gate_back(j->dy + from, piece_rows(j, index) * j->width, j->y + from, j->sums + from,
                       j->inverse + from);
}

/* `act` once more, too. */
static void gate_back(const group *g)
{
    piece_jobs j = {g,        NULL,         NULL,     g->p->dact, g->k->gate, g->p->act,
                    g->k->up, g->positions, g->n->ff, PIECE,      0};
    lanes_run(g->p->parallel, pieces_of(&j), gate_back_job, &j);
}

static attention attention_of(const group *g)
{
    attention a;
    memset(&a, 0, sizeof a);
    a.n = g->n;
    a.parallel = g->p->parallel;
    a.rows = g->rows;
    a.length = g->p->length;
    a.branches = g->r->branches;
    a.first_row = g->first;
    a.q = g->k->q;
    a.k = g->k->k;
    a.v = g->k->v;
    a.out = g->k->heads;
    a.normaliser = g->k->normaliser;
    a.work = g->p->work;
    return a;
}

/* ---- layers ----------------------------------------------------------------------------- */

/* Queries or keys: product, norm where the family has one, rotation. */
static void project(const group *g, syn_part part, syn_part bias, syn_part norm_part, size_t heads,
                    float *raw, float *inverse, float *y)
{
    const net *n = g->n;
    forward_product(g, g->p->normed, n->embd, part, bias, raw ? raw : y, heads * n->key, false);
    if (raw) norm(g, raw, weight(g, norm_part), heads, n->key, y, inverse);
    rotate(g, y, heads * n->key, 1);
}

static void layer_forward(const group *g)
{
    const net *n = g->n;
    workspace *p = g->p;
    layer_kept *k = g->k;
    load_layer(g);
    memcpy(k->x, p->x, g->positions * n->embd * sizeof *p->x);
    norm(g, k->x, weight(g, SYN_ATTN_NORM), 1, n->embd, p->normed, k->inverse);
    project(g, SYN_ATTN_Q, SYN_ATTN_Q_BIAS, SYN_ATTN_Q_NORM, n->heads, k->q_raw, k->q_inverse,
            k->q);
    project(g, SYN_ATTN_K, SYN_ATTN_K_BIAS, SYN_ATTN_K_NORM, n->kv_heads, k->k_raw, k->k_inverse,
            k->k);
    forward_product(g, p->normed, n->embd, SYN_ATTN_V, SYN_ATTN_V_BIAS, k->v, n->v_size, false);
    const attention a = attention_of(g);
    attention_forward(&a);
    forward_product(g, k->heads, n->heads_size, SYN_ATTN_OUTPUT, SYN_ATTN_OUTPUT_BIAS, p->x,
                    n->embd, true);
    memcpy(k->middle, p->x, g->positions * n->embd * sizeof *p->x);
    norm(g, k->middle, weight(g, SYN_FFN_NORM), 1, n->embd, p->normed, k->inverse2);
    forward_product(g, p->normed, n->embd, SYN_FFN_GATE, SYN_FFN_GATE_BIAS, k->gate, n->ff, false);
    forward_product(g, p->normed, n->embd, SYN_FFN_UP, SYN_FFN_UP_BIAS, k->up, n->ff, false);
    gate(g);
    forward_product(g, p->act, n->ff, SYN_FFN_DOWN, SYN_FFN_DOWN_BIAS, p->x, n->embd, true);
}

static void project_back(const group *g, syn_part part, syn_part bias, syn_part norm_part,
                         size_t heads, const float *raw, float *inverse, float *dy, bool add)
{
    const net *n = g->n;
    const size_t width = heads * n->key;
    rotate(g, dy, width, -1);
    if (raw) {
        memset(g->p->draw, 0, g->positions * width * sizeof *dy);
        norm_back(g, dy, raw, weight(g, norm_part), inverse, heads, n->key, g->p->draw,
                  wanted(g, norm_part));
        dy = g->p->draw;
    }
    backward_product(g, dy, width, part, bias, g->p->normed, n->embd, g->p->dnormed, add);
}

static void feed_back(const group *g)
{
    const net *n = g->n;
    workspace *p = g->p;
    layer_kept *k = g->k;
    const float *w = weight(g, SYN_FFN_NORM);
    back_to_input(g, p->dx, n->embd, SYN_FFN_DOWN, n->ff, p->dact, false);
    gate_back(g);
    back_to_weights(g, p->dx, n->embd, SYN_FFN_DOWN, SYN_FFN_DOWN_BIAS, p->act, n->ff);
    norm(g, k->middle, w, 1, n->embd, p->normed, k->inverse2);
    backward_product(g, k->gate, n->ff, SYN_FFN_GATE, SYN_FFN_GATE_BIAS, p->normed, n->embd,
                     p->dnormed, false);
    backward_product(g, k->up, n->ff, SYN_FFN_UP, SYN_FFN_UP_BIAS, p->normed, n->embd, p->dnormed,
                     true);
    norm_back(g, p->dnormed, k->middle, w, k->inverse2, 1, n->embd, p->dx, wanted(g, SYN_FFN_NORM));
}

static void layer_backward(const group *g, double *gains)
{
    const net *n = g->n;
    workspace *p = g->p;
    layer_kept *k = g->k;
    load_layer(g);
    const float *w = weight(g, SYN_ATTN_NORM);
    feed_back(g);
    backward_product(g, p->dx, n->embd, SYN_ATTN_OUTPUT, SYN_ATTN_OUTPUT_BIAS, k->heads,
                     n->heads_size, p->dheads, false);
    attention a = attention_of(g);
    a.dout = p->dheads;
    a.dq = p->dq;
    a.dk = p->dk;
    a.dv = p->dv;
    a.gains = gains ? gains + g->layer * n->heads : NULL;
    a.gains_row = n->layers * n->heads;
    attention_backward(&a);
    if (!g->gradient && !g->layer) return; /* nobody below wants to know */
    norm(g, k->x, w, 1, n->embd, p->normed, k->inverse);
    project_back(g, SYN_ATTN_Q, SYN_ATTN_Q_BIAS, SYN_ATTN_Q_NORM, n->heads, k->q_raw, k->q_inverse,
                 p->dq, false);
    project_back(g, SYN_ATTN_K, SYN_ATTN_K_BIAS, SYN_ATTN_K_NORM, n->kv_heads, k->k_raw,
                 k->k_inverse, p->dk, true);
    backward_product(g, p->dv, n->v_size, SYN_ATTN_V, SYN_ATTN_V_BIAS, p->normed, n->embd,
                     p->dnormed, true);
    norm_back(g, p->dnormed, k->x, w, k->inverse, 1, n->embd, p->dx, wanted(g, SYN_ATTN_NORM));
}

/* ---- both ends -------------------------------------------------------------------------- */

static void embed(const group *g)
{
    const net *n = g->n;
    for (size_t i = 0; i < g->positions; i++)
        net_embedding(n, (size_t)g->p->id[i], g->p->x + i * n->embd);
}

/* Each job adds the gradients of some columns, position after position. */
static void embed_back_job(void *arg, int index)
{
    const group *g = arg;
    const net *n = g->n;
    const size_t from = (size_t)index * COLUMNS,
                 count = n->embd - from < COLUMNS ? n->embd - from : COLUMNS;
    float *table = net_global(n, g->gradient, SYN_TOKEN_EMBD) + from;
    for (size_t i = 0; i < g->positions; i++)
        g->l->add(table + (size_t)g->p->id[i] * n->embd, g->p->dx + i * n->embd + from, count);
}

/* The block of positions whose logits are at hand, and what their tokens are. */
typedef struct logit_jobs {
    const group *g;
    size_t from, count; /* of the group's spots */
    float mean;         /* 1 / C */
} logit_jobs;

/* Position i of the group predicts the token behind it: -1 where there is none, or none of its
   text. Sets where that stands. */
static int32_t target_of(const group *g, size_t i, size_t *row, size_t *t)
{
    const net_rows *r = g->r;
    *row = g->first + i / r->length;
    *t = i % r->length + 1;
    const size_t cell = *row * r->length + *t;
    if (*t == r->length) return -1;
    if (r->branches && (*t <= r->branches->stem[*row] || r->branches->start[cell] == *t)) return -1;
    return g->wants->tokens && !g->wants->tokens[cell] ? -1 : r->ids[cell];
}

/* Lists the positions whose logits are made: all, or those that predict a token that is wanted. */
static size_t choose_spots(const group *g)
{
    size_t count = 0, row, t;
    for (size_t i = 0; i < g->positions; i++)
        if (!g->wants->tokens || target_of(g, i, &row, &t) >= 0) g->p->spot[count++] = (int32_t)i;
    return count;
}

/* Logits of one position become their gradient: w / C (softmax - 1 at the token). */
static void logit_job(void *arg, int index)
{
    const logit_jobs *j = arg;
    const net *n = j->g->n;
    const lanes *l = j->g->l;
    const net_rows *r = j->g->r;
    const net_wants *wants = j->g->wants;
    enum { SOME = 8 };
    for (size_t i = (size_t)index * SOME; i < j->count && i < (size_t)(index + 1) * SOME; i++) {
        float *logits = j->g->p->logits + i * n->vocab, maximum, nll = 0, w = 0;
        const size_t position = (size_t)j->g->p->spot[j->from + i];
        size_t row, t;
        const int32_t target = target_of(j->g, position, &row, &t);
        if (wants->logits)
            memcpy(wants->logits + (row * r->length + t - 1) * n->vocab, logits,
                   n->vocab * sizeof *logits);
        if (target >= 0) {
            const float at = logits[target],
                        sum = l->softmax(logits, n->vocab, n->vocab, 1, &maximum);
            nll = maximum + logf(sum) - at;
            w = r->weights ? r->weights[row * r->length + t] : 1;
            if (wants->weigh) w = wants->weigh(wants->user, row, t, nll);
            if (wants->nll) wants->nll[row * r->length + t] = nll;
            l->scale(logits, n->vocab, w * j->mean / sum);
            logits[target] -= w * j->mean;
        } else if (j->g->back) memset(logits, 0, n->vocab * sizeof *logits);
        j->g->p->nll[position] = w * nll;
    }
}

/* Rows of some positions stand closer together, or where they belong again, with zeros between. */
static void rows_closer(const group *g, float *x, size_t count)
{
    const size_t width = g->n->embd;
    for (size_t i = 0; i < count && count < g->positions; i++)
        memmove(x + i * width, x + (size_t)g->p->spot[i] * width, width * sizeof *x);
}
static void rows_apart(const group *g, float *x, size_t count)
{
    const size_t width = g->n->embd;
    for (size_t i = g->positions, k = count; i-- > 0 && count < g->positions;)
        if (k && (size_t)g->p->spot[k - 1] == i)
            memmove(x + i * width, x + --k * width, width * sizeof *x);
        else memset(x + i * width, 0, width * sizeof *x);
}

/* Logits of the group, a block of positions at a time, and on the way back dnormed. */
static double ends(const group *g, float mean)
{
    const net *n = g->n;
    workspace *p = g->p;
    logit_jobs j = {g, 0, 0, mean};
    const size_t spots = choose_spots(g);
    const syn_global table = n->global_at[SYN_OUTPUT] == NET_NONE ? SYN_TOKEN_EMBD : SYN_OUTPUT;
    const float *w = net_global(n, n->weight, table);
    float *dw = wanted_global(g, table);
    double sum = 0;
    norm(g, p->x, net_global(n, n->weight, SYN_OUTPUT_NORM), 1, n->embd, p->normed, p->inverse);
    rows_closer(g, p->normed, spots);
    for (j.from = 0; j.from < spots; j.from += p->block) {
        j.count = spots - j.from < p->block ? spots - j.from : p->block;
        float *normed = p->normed + j.from * n->embd;
        const product forward = {j.count, n->vocab, n->embd, normed,    n->embd,  1,
                                 w,       1,        n->embd, p->logits, n->vocab, false};
        lanes_product(g->l, p->parallel, &forward);
        lanes_run(p->parallel, (j.count + 7) / 8, logit_job, &j);
        for (size_t i = 0; i < j.count; i++) sum += (double)p->nll[p->spot[j.from + i]];
        if (!g->back) continue;
        const product to_w = {n->vocab, n->embd, j.count, p->logits, 1,       n->vocab,
                              normed,   n->embd, 1,       dw,        n->embd, true};
        const product to_x = {j.count, n->embd, n->vocab, p->logits, n->vocab,
                              1,       w,       n->embd,  1,         p->dnormed + j.from * n->embd,
                              n->embd, false};
        if (dw) lanes_product(g->l, p->parallel, &to_w);
        lanes_product(g->l, p->parallel, &to_x);
    }
    if (g->back) rows_apart(g, p->dnormed, spots);
    return sum;
}

/* The lowest layer with a tensor whose gradient is wanted. */
static size_t lowest_layer(const group *g)
{
    const bool *parts = g->wants->parts;
    size_t i = 0;
    while (parts && i + 1 < g->n->layers * SYN_PARTS && !parts[i]) i++;
    return i / SYN_PARTS;
}

static void group_backward(group *g, double *gains)
{
    const net *n = g->n;
    workspace *p = g->p;
    const size_t lowest = gains ? 0 : lowest_layer(g);
    memset(p->dx, 0, g->positions * n->embd * sizeof *p->dx);
    norm_back(g, p->dnormed, p->x, net_global(n, n->weight, SYN_OUTPUT_NORM), p->inverse, 1,
              n->embd, p->dx, wanted_global(g, SYN_OUTPUT_NORM));
    for (size_t i = n->layers; i-- > lowest;) {
        g->layer = i;
        g->k = &p->kept[i];
        layer_backward(g, gains);
    }
    if (g->gradient && !g->wants->parts)
        lanes_run(p->parallel, (n->embd + COLUMNS - 1) / COLUMNS, embed_back_job, g);
}

/* ---- all groups ------------------------------------------------------------------------- */

typedef struct run_jobs {
    net_pass *p;
    const net_rows *r;
    const net_wants *wants;
    size_t group, groups; /* rows of a group; how many */
    size_t slots;
    float mean;
    double *loss; /* (groups) */
} run_jobs;

/* There are as many spaces as threads, so that one is free. */
static workspace *take_space(net_pass *p)
{
    size_t i = 0;
    pthread_mutex_lock(&p->lock);
    while (i + 1 < p->spaces && p->space[i].taken) i++;
    p->space[i].taken = true;
    pthread_mutex_unlock(&p->lock);
    return &p->space[i];
}

static void leave_space(net_pass *p, workspace *w)
{
    pthread_mutex_lock(&p->lock);
    w->taken = false;
    pthread_mutex_unlock(&p->lock);
}

static void run_group(const run_jobs *j, size_t index, workspace *w, float *gradient)
{
    const net *n = j->p->n;
    const net_rows *r = j->r;
    const size_t first = index * j->group;
    const size_t rows = r->rows - first < j->group ? r->rows - first : j->group;
    group g = {w, n, n->l, rows, rows * r->length, 0, NULL, false, gradient, j->wants, r, first};
    g.back = gradient || (j->wants->gains && w->way != NET_FORWARD);
    for (size_t i = 0; i < g.positions; i++) {
        const int32_t id = r->ids[first * r->length + i];
        w->id[i] = id < 0 ? 0 : id;
    }
    embed(&g);
    for (g.layer = 0; g.layer < n->layers; g.layer++) {
        g.k = &w->kept[g.layer];
        layer_forward(&g);
    }
    j->loss[index] = ends(&g, j->mean);
    if (g.back)
        group_backward(&g, j->wants->gains ? j->wants->gains + first * n->layers * n->heads : NULL);
}

static float *slot_gradient(const net_pass *p, const net_wants *wants, size_t slot)
{
    if (p->way != NET_TO_WEIGHTS || !wants->gradient) return NULL;
    return slot ? p->gradients + (slot - 1) * p->n->parameters : wants->gradient;
}

static double rows_done(const run_jobs *j, size_t groups)
{
    const size_t rows = groups * j->group;
    return (double)(rows < j->r->rows ? rows : j->r->rows);
}

static void slot_job(void *arg, int index)
{
    const run_jobs *j = arg;
    const size_t slot = (size_t)index;
    float *gradient = slot_gradient(j->p, j->wants, slot);
    workspace *w = take_space(j->p);
    if (slot && gradient) memset(gradient, 0, j->p->n->parameters * sizeof *gradient);
    for (size_t i = slot; i < j->groups; i += j->slots) {
        run_group(j, i, w, gradient);
        if (!slot && j->wants->told) /* the others are about as far */
            progress_step(j->wants->told, rows_done(j, i + j->slots));
    }
    leave_space(j->p, w);
}

/* The slots' gradients into the first one, some weights a job. */
static void gather_job(void *arg, int index)
{
    const run_jobs *j = arg;
    const size_t from = (size_t)index * SUM_FLOATS, all = j->p->n->parameters;
    const size_t count = all - from < SUM_FLOATS ? all - from : SUM_FLOATS;
    for (size_t slot = 1; slot < j->slots; slot++)
        j->p->n->l->add(j->wants->gradient + from, slot_gradient(j->p, j->wants, slot) + from,
                        count);
}

double net_pass_seconds(const net_pass *p, const net_rows *timed, double seconds, const net_rows *r)
{
    const size_t some = rows_together(p->space, r->rows, r->length);
    double reading = 0; /* once a group, whatever it has */
    for (size_t i = 0; i < p->spaces; i++) reading += p->space[i].reading;
    return reading * (double)((r->rows + some - 1) / some) +
           (seconds - reading) * (double)r->rows * (double)r->length /
               ((double)timed->rows * (double)timed->length);
}

double net_run(net_pass *p, const net_rows *r, size_t count, const net_wants *wants)
{
    const net *n = p->n;
    const size_t stored = p->space->length, some = rows_together(p->space, r->rows, r->length);
    const size_t groups = (r->rows + some - 1) / some;
    double sum = 0;
    if (!count) count = net_positions(r);
    run_jobs j = {p,
                  r,
                  wants,
                  some,
                  groups,
                  p->slots < groups ? p->slots : groups,
                  (float)(1.0 / (double)count),
                  NULL};
    j.loss = tool_alloc(j.groups, sizeof *j.loss);
    /* at most what there is memory for */
    for (size_t i = 0; i < p->spaces; i++) p->space[i].length = r->length;
    if (p->slots > 1) lanes_run(n->parallel, j.slots, slot_job, &j);
    else slot_job(&j, 0);
    if (j.slots > 1 && slot_gradient(p, wants, 0))
        lanes_run(n->parallel, (n->parameters + SUM_FLOATS - 1) / SUM_FLOATS, gather_job, &j);
    for (size_t i = 0; i < p->spaces; i++) p->space[i].length = stored;
    for (size_t i = 0; i < j.groups; i++) sum += j.loss[i];
    free(j.loss);
    return sum / (double)count;
}
