/* attention.h - causal attention of rows, forward and back, a head of a row at a time. */
#ifndef SYNERGY_ATTENTION_H
#define SYNERGY_ATTENTION_H

#include "learn/net.h"

typedef struct attention {
    const net *n;
    const syn_parallel *parallel;
    size_t rows, length;
    const float *q, *k, *v; /* (position, heads x size), positions row after row */
    float *out;             /* (position, head, value) */
    float *normaliser;      /* (position, head): log of the sum of exp(scores) */
    const float *dout;      /* of out; the rest as their counterparts */
    float *dq, *dk, *dv;
    const net_branches *branches; /* NULL: none; of more rows, these from first_row on */
    size_t first_row;
    double *gains;    /* (row, head) or NULL: sum over positions of dout out */
    size_t gains_row; /* from row to row */
    float *work;      /* attention_work floats */
} attention;

size_t attention_work(const syn_parallel *parallel, size_t length, bool backward);
void attention_forward(const attention *a);
void attention_backward(const attention *a);

#endif
