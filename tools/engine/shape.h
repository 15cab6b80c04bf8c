/* shape.h - what may be said of the shape of a profile over layers: one judgement for the terminal,
   the report and the comparison of results. */
#ifndef SYNERGY_SHAPE_H
#define SYNERGY_SHAPE_H

#include "engine/engine.h"

/* What is known of a profile; NaN where something was not asked for. */
typedef struct shape_evidence {
    syn_interval middle,
        curvature; /* middle third - outer thirds; second coefficient of the parabola */
    double p_middle, p_curvature; /* of profiles of shuffled units */
    double parabola;              /* shape_parabola_share */
    double prompts;               /* that the intervals are drawn over */
} shape_evidence;

typedef enum shape_kind {
    SHAPE_NONE,     /* too few layers */
    SHAPE_INVERTED, /* surely higher in the middle, surely bent downwards, and near a parabola */
    SHAPE_MIDDLE,   /* the same, but no parabola */
    SHAPE_WEAK,     /* one of the two is sure */
    SHAPE_FLAT,     /* neither, or not upwards */
    SHAPE_U,        /* surely the opposite */
    SHAPE_OPEN,     /* too few prompts to tell */
    SHAPES
} shape_kind;

/* Of fewer prompts an interval over prompts is too rough to conclude from. */
enum { SHAPE_LEAST_PROMPTS = 10 };

shape_kind shape_of(const shape_evidence *e);
bool shape_is_open(const shape_evidence *e);
/* Surely a middle third above the outer thirds; surely a bend downwards: with sign -1, the
   opposite. */
bool shape_surely_high(const shape_evidence *e, double sign);
bool shape_surely_bent(const shape_evidence *e, double sign);
/* The share of the variance between layer means that the nearest parabola over depth explains; NaN
   below four layers. */
double shape_parabola_share(const double *mean, size_t layers);

#endif
