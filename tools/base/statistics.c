/* statistics.c - means, Student's t. */
#include "base/statistics.h"

#include <math.h>

double mean_finite(const double *v, size_t n)
{
    double sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(v[i])) continue;
        sum += v[i];
        count++;
    }
    return count ? sum / (double)count : (double)NAN;
}

double student_p(double t, size_t n)
{
    if (!n || !isfinite(t)) return t == t && n ? 0 : (double)NAN;
    const double angle = atan(fabs(t) / sqrt((double)n)), c = cos(angle), s = sin(angle);
    double sum = 0, term = n % 2 ? c : 1;
    for (size_t k = n % 2; k + 2 <= n; k += 2) {
        sum += term;
        term *= c * c * (double)(k + 1) / (double)(k + 2);
    }
    const double inside = n % 2 ? 2 / 3.14159265358979323846 * (angle + s * sum) : s * sum;
    return fmax(0, 1 - inside);
}

double student_at(double p, size_t n)
{
    double low = 0, high = 1e6;
    if (!n) return (double)NAN;
    for (int i = 0; i < 200; i++) {
        const double middle = (low + high) / 2;
        if (student_p(middle, n) > p) low = middle;
        else high = middle;
    }
    return high;
}

double student_error(double sum, double square, size_t n)
{
    if (n < 2) return (double)NAN;
    const double mean = sum / (double)n;
    return sqrt(fmax(0, square - (double)n * mean * mean) / (double)(n - 1) / (double)n);
}

double student_reach(double sum, double square, size_t n)
{
    return n < 2 ? (double)NAN : student_at(0.05, n - 1) * student_error(sum, square, n);
}
