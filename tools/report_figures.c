/* report_figures.c - the pictures. Each function draws one panel, 420 units wide, so that its
   writing stays readable when the panel is alone on a narrow screen. */
#include "report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PANEL = 420 };

void figure_free(figure *f) {
    text_free(&f->svg);
    text_free(&f->data);
}

/* ---- shared --------------------------------------------------------------------------- */

static void range_of(const double *v, size_t n, double *low, double *high) {
    *low = *high = (double)NAN;
    for (size_t i = 0; v && i < n; i++) {
        if (!isfinite(v[i])) continue;
        if (!(v[i] >= *low)) *low = v[i];
        if (!(v[i] <= *high)) *high = v[i];
    }
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Sorted copy of what is finite; the caller frees. */
static double *sorted(const double *v, size_t n, size_t *count) {
    double *s = tool_alloc(n, sizeof *s);
    *count = 0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(v[i])) s[(*count)++] = v[i];
    qsort(s, *count, sizeof *s, by_value);
    return s;
}

static double quantile(const double *in_order, size_t n, double q) {
    if (n == 0) return (double)NAN;
    double at = q * (double)(n - 1);
    size_t i = (size_t)at;
    double next = in_order[i + 1 < n ? i + 1 : i];
    return in_order[i] + (at - (double)i) * (next - in_order[i]);
}

/* A colour bar to the right of an area, with ticks from low to high. */
static void colour_bar(const plot *p, double low, double high, double middle, bool diverging,
                       const char *label) {
    enum { STEPS = 40 };
    double x = p->left + p->width + 10, step = p->height / STEPS;
    plot bar = {p->to, x, p->top, 9, p->height, 0, 1, low, high, false, false};
    double far = fmax(high - middle, middle - low);
    text_add(p->to, "<g class=\"cells\">");
    for (int i = 0; i < STEPS; i++) {
        double v = low + (high - low) * (i + 0.5) / STEPS;
        colour c = diverging ? colour_diverging(far > 0 ? (v - middle) / far : 0)
                             : colour_sequential(high > low ? (v - low) / (high - low) : 0.5);
        svg_box_filled(p->to, x, p->top + p->height - (i + 1) * step, 9, step + 0.3, c, NULL);
    }
    text_add(p->to, "</g>");
    ticks t = ticks_linear(low, high, p->height > 150 ? 6 : 5);
    for (int i = 0; i < t.count; i++) {
        char s[32];
        tick_text(t.at[i], s);
        svg_line(p->to, "axis", x + 9, plot_y(&bar, t.at[i]), x + 12, plot_y(&bar, t.at[i]));
        svg_words(p->to, "tick", x + 15, plot_y(&bar, t.at[i]) + 4, "start", s);
    }
    svg_words(p->to, "tick", p->left + p->width + 68, p->top - 8, "end", label);
}

/* ---- the layer profile ---------------------------------------------------------------- */

typedef struct profile {
    size_t  layers;
    double *mean, *minmax, *percentile, *low, *high;
    double  least, most; /* of the means: 0 and 1 of the min-max scale */
} profile;

static void profile_read(profile *p, const report *r, const char *score) {
    double **column[5] = {&p->mean, &p->minmax, &p->percentile, &p->low, &p->high};
    static const char *const name[5] = {"mean", "minmax", "percentile", "low", "high"};
    for (int c = 0; c < 5; c++) {
        *column[c] = tool_alloc(r->layers, sizeof(double));
        p->layers = report_profile(r, score, name[c], *column[c]);
    }
    range_of(p->mean, p->layers, &p->least, &p->most);
}

static void profile_free(profile *p) {
    double *column[5] = {p->mean, p->minmax, p->percentile, p->low, p->high};
    for (int c = 0; c < 5; c++) free(column[c]);
}

/* From the score's own unit to the min-max scale. */
static double scaled(const profile *p, double v) {
    return p->most > p->least ? (v - p->least) / (p->most - p->least) : 0.5;
}

static void draw_band(const plot *p, const profile *q) {
    if (!q->layers || !isfinite(q->low[0])) return;
    text_add(p->to, "<path class=\"band\" d=\"");
    for (size_t k = 0; k < 2 * q->layers; k++) {
        size_t l = k < q->layers ? k : 2 * q->layers - 1 - k;
        double v = scaled(q, k < q->layers ? q->high[l] : q->low[l]);
        if (!isfinite(v)) continue;
        text_add(p->to, k ? "L" : "M");
        svg_coordinate(p->to, plot_x(p, (double)l));
        text_add(p->to, " ");
        svg_coordinate(p->to, plot_y(p, v));
    }
    text_add(p->to, "Z\"/>\n");
}

static void draw_curve(const plot *p, const char *class_name, const double *v, size_t n) {
    bool pen = false;
    text_print(p->to, "<path class=\"%s\" d=\"", class_name);
    for (size_t l = 0; l < n; l++) {
        if (!isfinite(v[l])) {
            pen = false;
            continue;
        }
        text_add(p->to, pen ? "L" : "M");
        svg_coordinate(p->to, plot_x(p, (double)l));
        text_add(p->to, " ");
        svg_coordinate(p->to, plot_y(p, v[l]));
        pen = true;
    }
    text_add(p->to, "\"/>\n");
}

static void draw_points(const plot *p, const char *class_name, const double *v, size_t n,
                        double radius, const double *hover, const char *what) {
    for (size_t l = 0; l < n; l++) {
        if (!isfinite(v[l])) continue;
        text_print(p->to, "<circle class=\"%s\" cx=\"", class_name);
        svg_coordinate(p->to, plot_x(p, (double)l));
        text_add(p->to, "\" cy=\"");
        svg_coordinate(p->to, plot_y(p, v[l]));
        text_print(p->to, "\" r=\"%.2g\"><title>layer %zu: %s %.4g</title></circle>", radius, l,
                   what, hover[l]);
    }
    text_add(p->to, "\n");
}

/* The parabola over depth nearest to the means (least squares), on the min-max scale. */
static bool fit_parabola(const profile *q, double c[3]) {
    double s[5] = {0}, b[3] = {0}, m[3][4];
    for (size_t l = 0; l < q->layers; l++) {
        double x = (double)l / (double)(q->layers - 1) - 0.5, y = scaled(q, q->mean[l]), power = 1;
        if (!isfinite(y)) continue;
        for (int k = 0; k < 5; k++, power *= x) {
            s[k] += power;
            if (k < 3) b[k] += power * y;
        }
    }
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) m[i][j] = s[i + j];
        m[i][3] = b[i];
    }
    for (int i = 0; i < 3; i++) { /* the matrix is positive definite: no pivoting is needed */
        if (!(fabs(m[i][i]) > 1e-12)) return false;
        for (int k = 0; k < 3; k++) {
            double f = k == i ? 0 : m[k][i] / m[i][i];
            for (int j = i; j < 4; j++) m[k][j] -= f * m[i][j];
        }
    }
    for (int i = 0; i < 3; i++) c[i] = m[i][3] / m[i][i];
    return true;
}

static void draw_parabola(const plot *p, const profile *q) {
    enum { STEPS = 60 };
    double c[3];
    if (q->layers < 4 || !(q->most > q->least) || !fit_parabola(q, c)) return;
    bool pen = false;
    text_add(p->to, "<path class=\"fit\" d=\"");
    for (int i = 0; i <= STEPS; i++) {
        double x = (double)i / STEPS - 0.5, y = c[0] + x * (c[1] + x * c[2]);
        bool inside = y >= p->y0 && y <= p->y1;
        if (inside) {
            text_add(p->to, pen ? "L" : "M");
            svg_coordinate(p->to, plot_x(p, (x + 0.5) * (double)(q->layers - 1)));
            text_add(p->to, " ");
            svg_coordinate(p->to, plot_y(p, y));
        }
        pen = inside;
    }
    text_add(p->to, "\"/>\n");
}

static void draw_key(text *t, double x, double y, bool band) {
    text_print(t, "<g transform=\"translate(%.5g %.5g)\">", x, y);
    svg_line(t, "curve", 0, 0, 18, 0);
    text_add(t, "<circle class=\"point\" cx=\"9\" cy=\"0\" r=\"2.6\"/>");
    svg_words(t, "key", 23, 4, "start", "min\xe2\x80\x93max");
    text_add(t, "<circle class=\"other\" cx=\"87\" cy=\"0\" r=\"2.6\"/>");
    svg_words(t, "key", 95, 4, "start", "percentile");
    svg_line(t, "fit", 160, 0, 180, 0);
    svg_words(t, "key", 185, 4, "start", "parabola");
    if (band) {
        svg_box(t, "band", 242, -5, 18, 10);
        svg_words(t, "key", 265, 4, "start", "95 %");
    }
    text_add(t, "</g>\n");
}

/* What the means are on the right, in the score's own unit. */
static void right_axis(const plot *p, const profile *q, const char *label) {
    double range = q->most - q->least, right = p->left + p->width;
    plot own = *p;
    own.y0 = q->least + p->y0 * range;
    own.y1 = q->least + p->y1 * range;
    svg_line(p->to, "axis", right, p->top, right, p->top + p->height);
    ticks t = ticks_linear(own.y0, own.y1, 5);
    size_t longest = 1;
    for (int i = 0; i < t.count && range > 0; i++) {
        char s[32];
        double y = plot_y(&own, t.at[i]);
        tick_text(t.at[i], s);
        size_t n = strlen(s) - (t.at[i] < 0 ? 2 : 0); /* the minus sign has three bytes */
        if (n > longest) longest = n;
        svg_line(p->to, "axis", right, y, right + 4, y);
        svg_words(p->to, "tick", right + 7, y + 4, "start", s);
    }
    svg_words_turned(p->to, "label", fmin(right + 15 + 6.4 * (double)longest, PANEL - 10),
                     p->top + p->height / 2, 90, label);
}

static void vertical_range(plot *p, const profile *q) {
    p->y0 = 0;
    p->y1 = 1;
    for (size_t l = 0; l < q->layers; l++) {
        p->y0 = fmin(p->y0, scaled(q, q->low[l])); /* fmin leaves NaN aside */
        p->y1 = fmax(p->y1, scaled(q, q->high[l]));
    }
    p->y0 = fmax(p->y0, -0.6) - 0.03;
    p->y1 = fmin(p->y1, 1.6) + 0.03;
}

static void profile_data(figure *f, const profile *q) {
    text_add(&f->data, "layer,depth,mean,minmax,percentile,low,high\n");
    for (size_t l = 0; l < q->layers; l++) {
        csv_int(&f->data, (int64_t)l);
        csv_number(&f->data, q->layers > 1 ? (double)l / (double)(q->layers - 1) : (double)NAN);
        const double v[5] = {q->mean[l], q->minmax[l], q->percentile[l], q->low[l], q->high[l]};
        for (int c = 0; c < 5; c++) csv_number(&f->data, v[c]);
        csv_end_row(&f->data);
    }
}

static const char *score_title(const char *score) {
    if (!strcmp(score, "rank-difference")) return "rank(synergy) \xe2\x88\x92 rank(redundancy)";
    if (!strcmp(score, "difference")) return "rank(synergy \xe2\x88\x92 redundancy)";
    if (!strcmp(score, "excess")) return "synergy \xe2\x88\x92 its mean under shifts";
    return score;
}

static const char *score_unit(const char *score) {
    if (!strcmp(score, "rank-difference") || !strcmp(score, "difference"))
        return "layer mean, ranks";
    return strcmp(score, "balance") ? "layer mean, nats" : "layer mean";
}

void figure_profile(const report *r, const char *score, const char *id, figure *f) {
    profile q;
    char desc[256];
    profile_read(&q, r, score);
    plot p = {&f->svg, 56, 48, PANEL - 56 - 68, 210, -0.4, (double)q.layers - 0.6, 0, 1, false,
              false};
    vertical_range(&p, &q);
    snprintf(desc, sizeof desc,
             "Mean score of each of %zu layers, scaled from 0 to 1, with the "
             "percentile of the layer; the lowest mean is %.4g, the highest %.4g.",
             q.layers, q.least, q.most);
    svg_begin(&f->svg, id, PANEL, 304, score_title(score), desc);
    svg_words(&f->svg, "head", p.left, 14, "start", score_title(score));
    draw_key(&f->svg, p.left, 34, isfinite(q.low[0]));
    double third = (double)(q.layers - 1) / 3;
    if (q.layers >= 3)
        svg_box(&f->svg, "shade", plot_x(&p, third), p.top,
                plot_x(&p, 2 * third) - plot_x(&p, third), p.height);
    ticks y = ticks_linear(fmax(p.y0, -0.5), p.y1, 7), x = ticks_whole(0, (double)q.layers - 1, 7);
    plot_axis_y(&p, &y, "min\xe2\x80\x93max, percentile");
    draw_band(&p, &q);
    draw_parabola(&p, &q);
    plot_frame(&p);
    plot_axis_x(&p, &x, "layer");
    right_axis(&p, &q, score_unit(score));
    draw_points(&p, "other", q.percentile, q.layers, 2.6, q.percentile, "percentile");
    draw_curve(&p, "curve", q.minmax, q.layers);
    draw_points(&p, "point", q.minmax, q.layers, 2.6, q.mean, "mean");
    svg_end(&f->svg);
    profile_data(f, &q);
    profile_free(&q);
}

/* ---- layer x unit maps ---------------------------------------------------------------- */

enum { MOST_BOXES = 2500 }; /* above, a map is a picture without values on hover */

typedef struct scale { double low, high, middle; bool diverging; } scale;

static scale scale_of(const double *v, size_t n, bool diverging) {
    scale s;
    size_t count;
    double *in_order = sorted(v, n, &count);
    s.low = count ? in_order[0] : 0;
    s.high = count ? in_order[count - 1] : 0;
    s.middle = count ? quantile(in_order, count, 0.5) : 0;
    s.diverging = diverging;
    free(in_order);
    return s;
}

static double share_on(const scale *s, double v) {
    double far = fmax(s->high - s->middle, s->middle - s->low);
    if (s->diverging) return far > 0 ? (v - s->middle) / far : 0;
    return s->high > s->low ? (v - s->low) / (s->high - s->low) : 0.5;
}

static colour colour_on(const scale *s, double v) {
    return s->diverging ? colour_diverging(share_on(s, v)) : colour_sequential(share_on(s, v));
}

static void map_boxes(const report *r, const plot *p, const double *v, const scale *s,
                      const char *unit) {
    double w = p->width / (double)r->layers, h = p->height / (double)r->per_layer;
    text_add(p->to, "<g class=\"cells\">");
    for (size_t i = 0; i < r->count; i++) {
        char hover[96];
        size_t layer = i / r->per_layer, index = i % r->per_layer;
        if (!isfinite(v[i])) continue;
        snprintf(hover, sizeof hover, "%zu.%zu: %.4g%s%s", r->first_layer + layer, index, v[i], *unit ? " " : "",
                 unit);
        svg_box_filled(p->to, p->left + w * (double)layer,
                       p->top + p->height - h * (double)(index + 1), w, h, colour_on(s, v[i]),
                       hover);
    }
    text_add(p->to, "</g>\n");
}

static void image(text *t, const plot *p, const text *base64_png) {
    text_print(t, "<image x=\"%.6g\" y=\"%.6g\" width=\"%.6g\" height=\"%.6g\" "
                  "preserveAspectRatio=\"none\" href=\"data:image/png;base64,",
               p->left, p->top, p->width, p->height);
    text_add_bytes(t, base64_png->at, base64_png->length);
    text_add(t, "\"/>\n");
}

static void palette_of(bool diverging, colour palette[255]) {
    for (int i = 0; i < 255; i++)
        palette[i] = diverging ? colour_diverging((i - 127) / 127.0) : colour_sequential(i / 254.0);
}

static unsigned char index_on(const scale *s, double v) {
    if (!isfinite(v)) return 255;
    double share = share_on(s, v);
    if (s->diverging) share = (share + 1) / 2;
    share = share < 0 ? 0 : share > 1 ? 1 : share;
    return (unsigned char)(share * 254 + 0.5);
}

static void map_image(const report *r, const plot *p, const double *v, const scale *s) {
    colour palette[255];
    text png = {NULL, 0, 0};
    unsigned char *cell = tool_alloc(r->count, 1);
    for (size_t i = 0; i < r->count; i++) {
        size_t layer = i / r->per_layer, index = i % r->per_layer;
        cell[(r->per_layer - 1 - index) * r->layers + layer] = index_on(s, v[i]);
    }
    palette_of(s->diverging, palette);
    png_base64(&png, cell, r->layers, r->per_layer, palette);
    image(p->to, p, &png);
    text_free(&png);
    free(cell);
}

static void map_data(const report *r, figure *f, const double *v, const char *what) {
    text_print(&f->data, "layer,index,");
    text_add(&f->data, what);
    text_add(&f->data, "\n");
    for (size_t i = 0; i < r->count; i++) {
        csv_int(&f->data, (int64_t)(r->first_layer + i / r->per_layer));
        csv_int(&f->data, (int64_t)(i % r->per_layer));
        csv_number(&f->data, v[i]);
        csv_end_row(&f->data);
    }
}

void figure_map(const report *r, unit_column column, const char *id, const char *what,
                const char *unit, bool diverging, figure *f) {
    const double *v = r->column[column];
    char title[160], desc[200], axis[48];
    scale s = scale_of(v, r->count, diverging);
    double width = PANEL - 46 - 70;
    double cell = width / (double)r->layers;
    double height = fmin(fmax(fmin(cell, 16) * (double)r->per_layer, 90), 260);
    plot p = {&f->svg, 46, 30, width, height, -0.5, (double)r->layers - 0.5, -0.5,
              (double)r->per_layer - 0.5, false, false};
    snprintf(title, sizeof title, "%s of each %s", what, r->one);
    snprintf(desc, sizeof desc, "%zu layers from left to right, %zu %s from bottom to top; lowest "
                                "%.4g, median %.4g, highest %.4g %s.",
             r->layers, r->per_layer, r->many, s.low, s.middle, s.high, unit);
    svg_begin(&f->svg, id, PANEL, height + 76, title, desc);
    svg_words(&f->svg, "head", p.left, 14, "start", what);
    svg_box(&f->svg, "missing", p.left, p.top, p.width, p.height);
    if (r->count <= MOST_BOXES) map_boxes(r, &p, v, &s, unit);
    else map_image(r, &p, v, &s);
    svg_box(&f->svg, "border", p.left, p.top, p.width, p.height);
    ticks x = ticks_whole(0, (double)r->layers - 1, 7);
    ticks y = ticks_whole(0, (double)r->per_layer - 1, 4);
    plot bare = p;
    for (int i = 0; i < y.count; i++) {
        char number[32];
        tick_text(y.at[i], number);
        svg_words(&f->svg, "tick", p.left - 6, plot_y(&bare, y.at[i]) + 4, "end", number);
    }
    plot_axis_x(&p, &x, "layer");
    snprintf(axis, sizeof axis, "%s", r->one);
    svg_words_turned(&f->svg, "label", p.left - 30, p.top + p.height / 2, -90, axis);
    colour_bar(&p, s.low, s.high, s.middle, diverging, unit);
    svg_end(&f->svg);
    map_data(r, f, v, what);
}

/* ---- pair matrices -------------------------------------------------------------------- */

enum { MOST_PIXELS = 640 }; /* of a side; larger matrices are averaged in blocks */

/* The mean over a block of pairs, the diagonal and what is missing left out. */
static double block_mean(const double *m, size_t n, size_t row, size_t column, size_t block) {
    double sum = 0;
    size_t count = 0;
    for (size_t i = row * block; i < (row + 1) * block && i < n; i++)
        for (size_t j = column * block; j < (column + 1) * block && j < n; j++)
            if (i != j && isfinite(m[i * n + j])) {
                sum += m[i * n + j];
                count++;
            }
    return count ? sum / (double)count : (double)NAN;
}

static scale matrix_scale(const double *m, size_t n) {
    scale s = {0, 0, 0, false};
    size_t count = 0;
    double *pair = tool_alloc(n * (n - 1) / 2, sizeof *pair);
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++)
            if (isfinite(m[i * n + j])) pair[count++] = m[i * n + j];
    qsort(pair, count, sizeof *pair, by_value);
    if (count) {
        s.low = fmin(quantile(pair, count, 0.005), 0);
        s.high = quantile(pair, count, 0.99);
        s.middle = quantile(pair, count, 0.5);
    }
    free(pair);
    return s;
}

static void layer_ticks(const report *r, const plot *p) {
    ticks t = ticks_whole(0, (double)r->layers - 1, 7);
    double step = p->width / (double)r->layers, base = p->top + p->height;
    for (int i = 0; i < t.count; i++) {
        char s[32];
        double at = step * (t.at[i] + 0.5);
        tick_text(t.at[i], s);
        svg_line(p->to, "axis", p->left + at, base, p->left + at, base + 4);
        svg_words(p->to, "tick", p->left + at, base + 16, "middle", s);
        svg_line(p->to, "axis", p->left - 4, p->top + at, p->left, p->top + at);
        svg_words(p->to, "tick", p->left - 7, p->top + at + 4, "end", s);
    }
}

static void matrix_data(const report *r, figure *f, const double *m, size_t block) {
    size_t n = r->count, side = (n + block - 1) / block;
    if (side > 400) return; /* the .npy has it; a text of that size serves nobody */
    text_add(&f->data, "unit");
    for (size_t j = 0; j < side; j++)
        text_print(&f->data, ",%zu.%zu", r->first_layer + j * block / r->per_layer,
                   j * block % r->per_layer);
    text_add(&f->data, "\n");
    for (size_t i = 0; i < side; i++) {
        text_print(&f->data, "%zu.%zu", r->first_layer + i * block / r->per_layer,
                   i * block % r->per_layer);
        for (size_t j = 0; j < side; j++) csv_number(&f->data, block_mean(m, n, i, j, block));
        csv_end_row(&f->data);
    }
}

void figure_matrix(const report *r, const double *m, const char *id, const char *what, figure *f) {
    size_t n = r->count, block = (n + MOST_PIXELS - 1) / MOST_PIXELS,
           side = (n + block - 1) / block;
    char title[160], desc[256];
    colour palette[255];
    text png = {NULL, 0, 0};
    scale s = matrix_scale(m, n);
    plot p = {&f->svg, 46, 30, PANEL - 46 - 70, PANEL - 46 - 70, 0, 1, 0, 1, false, false};
    unsigned char *cell = tool_alloc(side * side, 1);
    for (size_t i = 0; i < side; i++)
        for (size_t j = 0; j < side; j++)
            cell[i * side + j] = index_on(&s, block_mean(m, n, i, j, block));
    palette_of(false, palette);
    png_base64(&png, cell, side, side, palette);
    snprintf(title, sizeof title, "%s of every pair of %s", what, r->many);
    snprintf(desc, sizeof desc,
             "Symmetric matrix of %zu %s ordered by layer; median %.4g nats, the "
             "99th percentile %.4g nats is the end of the colours.",
             n, r->many, s.middle, s.high);
    svg_begin(&f->svg, id, PANEL, p.top + p.height + 46, title, desc);
    svg_words(&f->svg, "head", p.left, 14, "start", title);
    svg_box(&f->svg, "missing", p.left, p.top, p.width, p.height);
    image(&f->svg, &p, &png);
    svg_box(&f->svg, "border", p.left, p.top, p.width, p.height);
    layer_ticks(r, &p);
    svg_words(&f->svg, "label", p.left + p.width / 2, p.top + p.height + 33, "middle", "layer");
    svg_words_turned(&f->svg, "label", p.left - 30, p.top + p.height / 2, -90, "layer");
    colour_bar(&p, s.low, s.high, s.middle, false, "nats");
    svg_end(&f->svg);
    matrix_data(r, f, m, block);
    text_free(&png);
    free(cell);
}

/* ---- one column against another ------------------------------------------------------- */

/* Both ends of an axis, and whether its values are so skewed that decades show more. */
static void axis_of(const double *v, size_t n, double *low, double *high, bool *logarithmic) {
    size_t count;
    double *in_order = sorted(v, n, &count);
    *low = count ? in_order[0] : 0;
    *high = count ? in_order[count - 1] : 1;
    *logarithmic = count > 4 && *low > 0 && *high > 8 * quantile(in_order, count, 0.5);
    free(in_order);
    if (*logarithmic) {
        *low /= 1.25;
        *high *= 1.25;
        return;
    }
    double room = *high > *low ? 0.04 * (*high - *low) : 1;
    if (*low >= 0 && *low < 0.3 * *high) *low = 0; /* near enough to show the zero */
    else *low -= room;
    *high += room;
}

static void scatter_points(const report *r, const plot *p, const double *x, const double *y,
                           figure *f) {
    double depth_of = r->layers > 1 ? 1 / (double)(r->layers - 1) : 0;
    for (size_t i = 0; i < r->count; i++) {
        size_t layer = i / r->per_layer, index = i % r->per_layer;
        csv_int(&f->data, (int64_t)(r->first_layer + layer));
        csv_int(&f->data, (int64_t)index);
        csv_number(&f->data, x[i]);
        csv_number(&f->data, y[i]);
        csv_end_row(&f->data);
        if (!isfinite(x[i]) || !isfinite(y[i])) continue;
        colour c = colour_sequential((double)layer * depth_of);
        text_add(p->to, "<circle class=\"dot\" cx=\"");
        svg_coordinate(p->to, plot_x(p, x[i]));
        text_add(p->to, "\" cy=\"");
        svg_coordinate(p->to, plot_y(p, y[i]));
        text_print(p->to, "\" r=\"%s\" fill=\"#%02x%02x%02x\">", r->count > 600 ? "2.2" : "3.4",
                   c.r, c.g, c.b);
        if (r->count <= MOST_BOXES)
            text_print(p->to, "<title>%zu.%zu: %.4g, %.4g</title>", layer, index, x[i], y[i]);
        text_add(p->to, "</circle>");
    }
    text_add(p->to, "\n");
}

void figure_scatter(const report *r, unit_column cx, unit_column cy, const char *id,
                    const char *x_label, const char *y_label, figure *f) {
    const double *x = r->column[cx], *y = r->column[cy];
    char title[200], desc[256], rho_text[64];
    double rho = report_spearman(r, x, y);
    plot p = {&f->svg, 58, 30, PANEL - 58 - 70, 240, 0, 1, 0, 1, false, false};
    axis_of(x, r->count, &p.x0, &p.x1, &p.log_x);
    axis_of(y, r->count, &p.y0, &p.y1, &p.log_y);
    snprintf(title, sizeof title, "%s against %s", y_label, x_label);
    snprintf(desc, sizeof desc,
             "One point a %s, coloured by layer. Spearman's correlation is %.3f.", r->one, rho);
    svg_begin(&f->svg, id, PANEL, 316, title, desc);
    snprintf(rho_text, sizeof rho_text, "Spearman \xcf\x81 = %.2f", rho);
    ticks tx = p.log_x ? ticks_log(p.x0, p.x1) : ticks_linear(p.x0, p.x1, 6);
    ticks ty = p.log_y ? ticks_log(p.y0, p.y1) : ticks_linear(p.y0, p.y1, 5);
    plot_axis_y(&p, &ty, y_label);
    plot_frame(&p);
    plot_axis_x(&p, &tx, x_label);
    text_add(&f->data, "layer,index,x,y\n");
    scatter_points(r, &p, x, y, f);
    svg_words(&f->svg, "head", p.left, 14, "start", rho_text);
    if (r->layers > 1) colour_bar(&p, 0, (double)r->layers - 1, 0, false, "layer");
    svg_end(&f->svg);
}
