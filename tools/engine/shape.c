/* shape.c - is a profile over layers an inverted U? */
#include "engine/shape.h"

#include <math.h>

/* The share of the variance between layer means that the nearest parabola over depth explains.
   With v centred, q = x^2 centred, x = depth - 1/2: x and q are orthogonal on evenly spaced
   layers. */
double shape_parabola_share(const double *mean, size_t layers)
{
    if (layers < 4) return (double)NAN;
    double n = 0, mv = 0, mx = 0, mq = 0, vv = 0, xx = 0, qq = 0, xv = 0, qv = 0, xq = 0;
    for (int pass = 0; pass < 2; pass++)
        for (size_t l = 0; l < layers; l++) {
            double x = (double)l / (double)(layers - 1) - 0.5, q = x * x, v = mean[l];
            if (!isfinite(v)) continue;
            if (pass == 0) {
                n++;
                mv += v;
                mx += x;
                mq += q;
                continue;
            }
            v -= mv / n;
            x -= mx / n;
            q -= mq / n;
            vv += v * v;
            xx += x * x;
            qq += q * q;
            xv += x * v;
            qv += q * v;
            xq += x * q;
        }
    double det = xx * qq - xq * xq; /* the two slopes solve a 2x2 system where layers are missing */
    if (!(vv > 0) || !(det > 0)) return (double)NAN;
    double a = (xv * qq - qv * xq) / det, b = (qv * xx - xv * xq) / det;
    return (a * xv + b * qv) / vv;
}

/* Beyond its 95 % interval over prompts and beyond 95 % of profiles of shuffled units; what was not
   asked for is left aside, but one of them must be there. */
static bool is_sure(const syn_interval *v, double p)
{
    if (isfinite(v->low) && v->low <= 0 && v->high >= 0) return false;
    if (isfinite(p) && p > 0.05) return false;
    return isfinite(v->low) || isfinite(p);
}

bool shape_is_open(const shape_evidence *e)
{
    return !(e->prompts >= SHAPE_LEAST_PROMPTS);
}

bool shape_surely_high(const shape_evidence *e, double sign)
{
    return !shape_is_open(e) && sign * e->middle.value > 0 && is_sure(&e->middle, e->p_middle);
}

bool shape_surely_bent(const shape_evidence *e, double sign)
{
    return !shape_is_open(e) && sign * e->curvature.value < 0 &&
           is_sure(&e->curvature, e->p_curvature);
}

/* Without a parabola that explains at least 30 % of the differences between layers the middle is
   higher, no more. */
shape_kind shape_of(const shape_evidence *e)
{
    if (!isfinite(e->middle.value)) return SHAPE_NONE;
    if (shape_is_open(e)) return SHAPE_OPEN;
    const bool curved = e->parabola >= 0.3, high = shape_surely_high(e, 1),
               bent = shape_surely_bent(e, 1);
    const bool up = e->middle.value > 0 && e->curvature.value < 0;
    if (high && bent) return curved ? SHAPE_INVERTED : SHAPE_MIDDLE;
    if (shape_surely_high(e, -1) && shape_surely_bent(e, -1) && curved) return SHAPE_U;
    return up && (high || bent) ? SHAPE_WEAK : SHAPE_FLAT;
}
