/* student.h - Student's t, for means over a few runs. */
#ifndef SYNERGY_STUDENT_H
#define SYNERGY_STUDENT_H

#include <stddef.h>

/* Both tails together beyond t with n degrees of freedom (Abramowitz and Stegun 26.7.3, 26.7.4). */
double student_p(double t, size_t n);
/* The t at which that is p. */
double student_at(double p, size_t n);

#endif
