/* attention.c - scores are made for a block of queries at a time and never kept: the way back makes
   them again from q, k and the normaliser (Dao et al. 2022, arXiv 2205.14135), which costs less
   than to read them. */
#include "learn/attention.h"

#include <math.h>
#include <string.h>

enum { QUERIES = 64, SHORT_QUERIES = 32, SHORT = 256, SLOTS_A_THREAD = 4 };

/* Queries of a block: half of a block's last scores are for keys that its queries do not see, but
   each block packs its keys anew. */
static size_t block(size_t length)
{
    return length <= SHORT ? SHORT_QUERIES : QUERIES;
}

/* Jobs own a piece of the work space each and take every slots-th item: the items are independent,
   so that it does not matter how many slots there are. */
static size_t slots(const syn_parallel *parallel)
{
    return parallel->threads > 1 ? SLOTS_A_THREAD * (size_t)parallel->threads : 1;
}

size_t attention_work(const syn_parallel *parallel, size_t length, bool backward)
{
    return slots(parallel) * QUERIES * length * (backward ? 2 : 1);
}

typedef struct attention_jobs {
    const attention *a;
    size_t slots;
} attention_jobs;

/* scores (i, key) of queries from .. to of a head with keys 0 .. to - 1, before scaling */
static void make_scores(const attention *a, size_t row, size_t head, size_t from, size_t to,
                        float *scores)
{
    const net *n = a->n;
    const size_t kv = head / (n->heads / n->kv_heads), at = row * a->length;
    const product p = {to - from,
                       to,
                       n->key,
                       a->q + (at + from) * n->q_size + head * n->key,
                       n->q_size,
                       1,
                       a->k + at * n->k_size + kv * n->key,
                       1,
                       n->k_size,
                       scores,
                       a->length,
                       false};
    lanes_product_alone(n->l, &p);
}

/* What query t of a row does not see of the numbers for keys 0 .. t becomes `value`. */
static void hide(const attention *a, size_t row, size_t t, float *scores, float value)
{
    if (!a->branches) return;
    const size_t stem = a->branches->stem[a->first_row + row];
    const size_t start = a->branches->start[(a->first_row + row) * a->length + t];
    for (size_t i = stem; t >= stem && i < start; i++) scores[i] = value;
}

static void forward_head(const attention *a, size_t row, size_t head, float *scores)
{
    const net *n = a->n;
    const lanes *l = n->l;
    const size_t kv = head / (n->heads / n->kv_heads), at = row * a->length;
    const size_t some = block(a->length);
    for (size_t from = 0; from < a->length; from += some) {
        const size_t to = from + some < a->length ? from + some : a->length;
        float sum[QUERIES], most;
        float *out = a->out + (at + from) * n->heads_size + head * n->value;
        make_scores(a, row, head, from, to, scores);
        for (size_t i = 0; i < to - from; i++) {
            hide(a, row, from + i, scores + i * a->length, -INFINITY);
            sum[i] = l->softmax(scores + i * a->length, from + i + 1, to, n->file.model.attn_scale,
                                &most);
            hide(a, row, from + i, scores + i * a->length, 0);
            a->normaliser[(at + from + i) * n->heads + head] = most + logf(sum[i]);
        }
        const product p = {to - from,
                           n->value,
                           to,
                           scores,
                           a->length,
                           1,
                           a->v + at * n->v_size + kv * n->value,
                           n->v_size,
                           1,
                           out,
                           n->heads_size,
                           false};
        lanes_product_alone(l, &p);
        for (size_t i = 0; i < to - from; i++)
            l->scale(out + i * n->heads_size, n->value, 1.0f / sum[i]);
    }
}

static void forward_job(void *arg, int index)
{
    const attention_jobs *j = arg;
    const net *n = j->a->n;
    float *scores = j->a->work + (size_t)index * QUERIES * j->a->length;
    for (size_t item = (size_t)index; item < j->a->rows * n->heads; item += j->slots)
        forward_head(j->a, item / n->heads, item % n->heads, scores);
}

void attention_forward(const attention *a)
{
    attention_jobs j = {a, slots(a->parallel)};
    lanes_run(a->parallel, j.slots, forward_job, &j);
}

/* With p the probabilities: dp = dout v', ds = p (dp - sum p dp) scale, where sum p dp = dout out;
   dq = ds k, dk += ds' q, dv += p' dout. */
static void backward_head(const attention *a, size_t row, size_t head, float *p, float *ds)
{
    const net *n = a->n;
    const lanes *l = n->l;
    const size_t kv = head / (n->heads / n->kv_heads), at = row * a->length, width = a->length;
    const float scale = n->file.model.attn_scale;
    const float *k = a->k + at * n->k_size + kv * n->key,
                *v = a->v + at * n->v_size + kv * n->value;
    float *dk = a->dk + at * n->k_size + kv * n->key, *dv = a->dv + at * n->v_size + kv * n->value;
    const size_t some = block(a->length);
    double gain = 0;
    for (size_t from = 0; from < a->length; from += some) {
        const size_t to = from + some < a->length ? from + some : a->length, count = to - from;
        const size_t first = at + from, spot = first * n->heads_size + head * n->value;
        const float *q = a->q + first * n->q_size + head * n->key;
        const float *out = a->out + spot, *dout = a->dout + spot;
        make_scores(a, row, head, from, to, p);
        const product back = {count, to, n->value,  dout, n->heads_size, 1,
                              v,     1,  n->v_size, ds,   width,         false};
        lanes_product_alone(l, &back);
        for (size_t i = 0; i < count; i++) {
            const float d = l->dot(dout + i * n->heads_size, out + i * n->heads_size, n->value);
            gain += (double)d;
            l->exp_row(p + i * width, from + i + 1, to, scale,
                       a->normaliser[(first + i) * n->heads + head]);
            hide(a, row, from + i, p + i * width, 0);
            l->softmax_back(p + i * width, ds + i * width, to, d, scale);
        }
        const product to_q = {
            count,     n->key, to,        ds, width,
            1,         k,      n->k_size, 1,  a->dq + first * n->q_size + head * n->key,
            n->q_size, false};
        const product to_k = {to, n->key,    count, ds, 1,         width,
                              q,  n->q_size, 1,     dk, n->k_size, true};
        const product to_v = {to,   n->value,      count, p,  1,         width,
                              dout, n->heads_size, 1,     dv, n->v_size, true};
        lanes_product_alone(l, &to_q);
        lanes_product_alone(l, &to_k);
        lanes_product_alone(l, &to_v);
    }
    if (a->gains) a->gains[row * a->gains_row + head] = gain;
}

/* An item is a key head of a row: the query heads of its group add to it one after the other. */
static void backward_job(void *arg, int index)
{
    const attention_jobs *j = arg;
    const attention *a = j->a;
    const net *n = a->n;
    const size_t group = n->heads / n->kv_heads;
    float *p = a->work + (size_t)index * 2 * QUERIES * a->length, *ds = p + QUERIES * a->length;
    for (size_t item = (size_t)index; item < a->rows * n->kv_heads; item += j->slots) {
        const size_t row = item / n->kv_heads, kv = item % n->kv_heads;
        for (size_t t = 0; t < a->length; t++) {
            memset(a->dk + (row * a->length + t) * n->k_size + kv * n->key, 0,
                   n->key * sizeof(float));
            memset(a->dv + (row * a->length + t) * n->v_size + kv * n->value, 0,
                   n->value * sizeof(float));
        }
        for (size_t g = 0; g < group; g++) backward_head(a, row, kv * group + g, p, ds);
    }
}

void attention_backward(const attention *a)
{
    attention_jobs j = {a, slots(a->parallel)};
    lanes_run(a->parallel, j.slots, backward_job, &j);
}
