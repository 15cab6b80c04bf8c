/* report_scale.c - from values to colours: ranges, quantiles, palettes, the bar beside a
   picture. */
#include "report/report.h"

#include <math.h>
#include <stdlib.h>

/* ---- ranges and quantiles ---------------------------------------------------------------- */

void value_range(const double *v, size_t n, double *low, double *high)
{
    *low = *high = (double)NAN;
    for (size_t i = 0; v && i < n; i++) {
        if (!isfinite(v[i])) continue;
        if (!(v[i] >= *low)) *low = v[i];
        if (!(v[i] <= *high)) *high = v[i];
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

double *value_sorted(const double *v, size_t n, size_t *count)
{
    double *s = tool_alloc(n, sizeof *s);
    *count = 0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(v[i])) s[(*count)++] = v[i];
    qsort(s, *count, sizeof *s, by_value);
    return s;
}

double value_quantile(const double *in_order, size_t n, double q)
{
    if (n == 0) return (double)NAN;
    double at = q * (double)(n - 1);
    size_t i = (size_t)at;
    double next = in_order[i + 1 < n ? i + 1 : i];
    return in_order[i] + (at - (double)i) * (next - in_order[i]);
}

/* ---- scales ------------------------------------------------------------------------------ */

scale scale_of(const double *v, size_t n, bool diverging)
{
    scale s;
    size_t count;
    double *in_order = value_sorted(v, n, &count);
    s.low = count ? in_order[0] : 0;
    s.high = count ? in_order[count - 1] : 0;
    s.middle = count ? value_quantile(in_order, count, 0.5) : 0;
    s.diverging = diverging;
    free(in_order);
    return s;
}

static double share_on(const scale *s, double v)
{
    double far = fmax(s->high - s->middle, s->middle - s->low);
    if (s->diverging) return far > 0 ? (v - s->middle) / far : 0;
    return s->high > s->low ? (v - s->low) / (s->high - s->low) : 0.5;
}

colour scale_colour(const scale *s, double v)
{
    return s->diverging ? colour_diverging(share_on(s, v)) : colour_sequential(share_on(s, v));
}

void scale_palette(bool diverging, colour palette[255])
{
    for (int i = 0; i < 255; i++)
        palette[i] = diverging ? colour_diverging((i - 127) / 127.0) : colour_sequential(i / 254.0);
}

unsigned char scale_index(const scale *s, double v)
{
    if (!isfinite(v)) return 255;
    double share = share_on(s, v);
    if (s->diverging) share = (share + 1) / 2;
    share = share < 0 ? 0 : share > 1 ? 1 : share;
    return (unsigned char)(share * 254 + 0.5);
}

void plot_axis_layers(const plot *p, const report *r)
{
    double first = (double)r->first_layer;
    ticks at = ticks_whole(first, first + (double)r->layers - 1, 7);
    plot numbered = *p;
    numbered.x0 += first;
    numbered.x1 += first;
    plot_axis_x(&numbered, &at, "layer");
}

void scale_bar(const plot *p, const scale *s, const char *label)
{
    enum { STEPS = 40 };
    double x = p->left + p->width + 10, step = p->height / STEPS;
    plot bar = {p->to, x, p->top, 9, p->height, 0, 1, s->low, s->high, false, false};
    text_add(p->to, "<g class=\"cells\">");
    for (int i = 0; i < STEPS; i++) {
        double v = s->low + (s->high - s->low) * (i + 0.5) / STEPS;
        svg_box_filled(p->to, x, p->top + p->height - (i + 1) * step, 9, step + 0.3,
                       scale_colour(s, v), NULL);
    }
    text_add(p->to, "</g>");
    ticks t = ticks_linear(s->low, s->high, p->height > 150 ? 6 : 5);
    for (int i = 0; i < t.count; i++) {
        char number[32];
        tick_text(t.at[i], number);
        svg_line(p->to, "axis", x + 9, plot_y(&bar, t.at[i]), x + 12, plot_y(&bar, t.at[i]));
        svg_words(p->to, "tick", x + 15, plot_y(&bar, t.at[i]) + 4, "start", number);
    }
    svg_words(p->to, "tick", p->left + p->width + 68, p->top - 8, "end", label);
}
