/* statistics.h - means, and Student's t of means over a few runs. */
#ifndef SYNERGY_STATISTICS_H
#define SYNERGY_STATISTICS_H

#include <stddef.h>

/* The mean of those that are finite; NaN where none is. */
double mean_finite(const double *v, size_t n);

/* Both tails together beyond t with n degrees of freedom (Abramowitz and Stegun 26.7.3, 26.7.4). */
double student_p(double t, size_t n);
/* The t at which that is p. */
double student_at(double p, size_t n);
/* Of n values, by their sum and the sum of their squares: how far the 95 % interval of the mean
   reaches to each side; NaN for fewer than two. */
double student_error(double sum, double square, size_t n); /* the mean's standard error */
double student_reach(double sum, double square, size_t n);

#endif
