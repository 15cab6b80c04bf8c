/* optimiser.c - one step after the other. */
#include "learn/optimiser.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE_FLOATS = 16384 };

static void cut(optimiser *a, stretch s)
{
    for (size_t done = 0; done < s.count; done += PIECE_FLOATS) {
        const size_t count = s.count - done < PIECE_FLOATS ? s.count - done : PIECE_FLOATS;
        a->piece = tool_realloc(a->piece, a->pieces + 1, sizeof *a->piece);
        a->piece[a->pieces++] = (stretch){s.at + done, count, s.decays};
    }
}

/* Pieces one after the other make a job, until they are PIECE_FLOATS together. */
static void share_out(optimiser *a)
{
    size_t floats = 0;
    a->job = tool_alloc(a->pieces + 1, sizeof *a->job);
    for (size_t i = 0; i < a->pieces; i++) {
        if (floats == 0) a->job[a->jobs++] = i;
        floats += a->piece[i].count;
        if (floats >= PIECE_FLOATS) floats = 0;
    }
    a->job[a->jobs] = a->pieces;
}

void optimiser_open(optimiser *a, net *n, const optimiser_options *o, const stretch *chosen,
                    size_t count)
{
    memset(a, 0, sizeof *a);
    a->o = *o;
    a->n = n;
    for (size_t i = 0; i < count && chosen; i++) cut(a, chosen[i]);
    for (size_t i = 0; i < n->params && !chosen; i++) {
        const net_param *p = &n->param[i];
        cut(a, (stretch){p->at, p->cols * p->rows, p->rows > 1});
    }
    share_out(a);
    a->square = tool_alloc(a->pieces + 1, sizeof *a->square);
    a->m = tool_alloc(n->parameters, sizeof *a->m);
    a->v = tool_alloc(n->parameters, sizeof *a->v);
}

void optimiser_close(optimiser *a)
{
    free(a->piece);
    free(a->job);
    free(a->square);
    free(a->m);
    free(a->v);
    memset(a, 0, sizeof *a);
}

/* Linear over `warmup` steps, then constant or half a cosine down to 0. */
double optimiser_rate(const optimiser *a)
{
    const double pi = 3.14159265358979323846, step = (double)a->step + 1;
    const double warmup = (double)a->o.warmup, left = (double)a->o.steps - warmup;
    if (step <= warmup) return a->o.lr * step / warmup;
    if (a->o.schedule == SCHEDULE_CONSTANT || left <= 0) return a->o.lr;
    return a->o.lr * 0.5 * (1 + cos(pi * (step - 1 - warmup) / left));
}

typedef struct step_jobs {
    optimiser *a;
    const float *gradient;
    adam_step s;
} step_jobs;

static void square_job(void *arg, int index)
{
    const step_jobs *j = arg;
    for (size_t i = j->a->job[index]; i < j->a->job[index + 1]; i++) {
        const stretch p = j->a->piece[i];
        j->a->square[i] = (double)j->a->n->l->dot(j->gradient + p.at, j->gradient + p.at, p.count);
    }
}

static void step_job(void *arg, int index)
{
    const step_jobs *j = arg;
    for (size_t i = j->a->job[index]; i < j->a->job[index + 1]; i++) {
        const stretch p = j->a->piece[i];
        adam_step s = j->s;
        if (!p.decays) s.decay = 0;
        j->a->n->l->adam(&s, p.count, j->gradient + p.at, j->a->n->weight + p.at, j->a->m + p.at,
                         j->a->v + p.at);
    }
}

double optimiser_step(optimiser *a, const float *gradient)
{
    const double lr = optimiser_rate(a);
    double square = 0;
    step_jobs j;
    memset(&j, 0, sizeof j);
    j.a = a;
    j.gradient = gradient;
    lanes_run(a->n->parallel, a->jobs, square_job, &j);
    for (size_t i = 0; i < a->pieces; i++) square += a->square[i];
    const double norm = sqrt(square), step = (double)a->step + 1;
    if (!isfinite(norm)) return norm;
    j.s.lr = (float)lr;
    j.s.beta1 = (float)a->o.beta1;
    j.s.beta2 = (float)a->o.beta2;
    j.s.eps = (float)a->o.eps;
    j.s.decay = (float)(lr * a->o.decay);
    j.s.scale = a->o.clip > 0 && norm > a->o.clip ? (float)(a->o.clip / norm) : 1.0f;
    j.s.correct1 = (float)(1 - pow(a->o.beta1, step));
    j.s.correct2 = (float)(1 - pow(a->o.beta2, step));
    lanes_run(a->n->parallel, a->jobs, step_job, &j);
    a->step++;
    return norm;
}
