/* optimiser.h - AdamW on chosen stretches of the weights, clipping by the global norm,
   schedules. */
#ifndef SYNERGY_OPTIMISER_H
#define SYNERGY_OPTIMISER_H

#include "learn/net.h"
#include "learn/stage.h"

typedef struct stretch {
    size_t at, count;
    bool decays;
} stretch;

typedef struct optimiser {
    optimiser_options o;
    net *n;
    stretch *piece; /* what may change, in pieces of at most PIECE_FLOATS; the rest stays */
    size_t pieces, jobs;
    size_t *job;    /* (jobs + 1): first piece of each job */
    double *square; /* (pieces): of the gradient */
    float *m, *v;   /* (parameters) */
    uint64_t step;  /* steps done */
} optimiser;

/* Chosen stretches; with chosen NULL every tensor, of which matrices decay. */
void optimiser_open(optimiser *a, net *n, const optimiser_options *o, const stretch *chosen,
                    size_t count);
void optimiser_close(optimiser *a);
/* lr of the step that comes. */
double optimiser_rate(const optimiser *a);
/* One step; returns the norm of the gradient (over what may change) before clipping. A norm that is
   not finite changes nothing. */
double optimiser_step(optimiser *a, const float *gradient);

#endif
