/* report_figures.c - the profile over layers, and one column of units against another. Each
   function draws one panel. */
#include "report/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the layer profile ---------------------------------------------------------------- */

typedef struct profile {
    size_t layers, first; /* the first layer's number in the model */
    double *mean, *minmax, *percentile, *low, *high;
    double least, most; /* of the means: 0 and 1 of the min-max scale */
} profile;

static void profile_read(profile *p, const report *r, const char *score)
{
    double **column[5] = {&p->mean, &p->minmax, &p->percentile, &p->low, &p->high};
    static const char *const name[5] = {"mean", "minmax", "percentile", "low", "high"};
    p->first = r->first_layer;
    for (int c = 0; c < 5; c++) {
        *column[c] = tool_alloc(r->layers, sizeof(double));
        p->layers = report_profile(r, score, name[c], *column[c]);
    }
    value_range(p->mean, p->layers, &p->least, &p->most);
}

static void profile_free(profile *p)
{
    double *column[5] = {p->mean, p->minmax, p->percentile, p->low, p->high};
    for (int c = 0; c < 5; c++) free(column[c]);
}

/* From the score's own unit to the min-max scale. */
static double scaled(const profile *p, double v)
{
    return p->most > p->least ? (v - p->least) / (p->most - p->least) : 0.5;
}

static void draw_band(const plot *p, const profile *q)
{
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

static void draw_curve(const plot *p, const char *class_name, const double *v, size_t n)
{
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

static void draw_points(const plot *p, const profile *q, const char *class_name, const double *v,
                        const double *hover, const char *what)
{
    for (size_t l = 0; l < q->layers; l++) {
        if (!isfinite(v[l])) continue;
        text_print(p->to, "<circle class=\"%s\" cx=\"", class_name);
        svg_coordinate(p->to, plot_x(p, (double)l));
        text_add(p->to, "\" cy=\"");
        svg_coordinate(p->to, plot_y(p, v[l]));
        text_print(p->to, "\" r=\"2.6\"><title>layer %zu: %s %.4g</title></circle>", q->first + l,
                   what, hover[l]);
    }
    text_add(p->to, "\n");
}

static void draw_parabola(const plot *p, const profile *q)
{
    enum { STEPS = 60 };
    double c[3];
    if (q->layers < 4 || !(q->most > q->least) || !report_parabola(q->minmax, q->layers, c)) return;
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

static void draw_key(text *t, double x, double y, bool band)
{
    text_print(t, "<g transform=\"translate(%.5g %.5g)\">", x, y);
    svg_line(t, "curve", 0, 0, 18, 0);
    text_add(t, "<circle class=\"point\" cx=\"9\" cy=\"0\" r=\"2.6\"/>");
    svg_words(t, "key", 23, 4, "start", "mean");
    text_add(t, "<circle class=\"other\" cx=\"87\" cy=\"0\" r=\"2.6\"/>");
    svg_words(t, "key", 95, 4, "start", "percentile");
    svg_line(t, "fit", 160, 0, 180, 0);
    svg_words(t, "key", 185, 4, "start", "parabola");
    if (band) {
        svg_box(t, "band", 242, -5, 18, 10);
        svg_words(t, "key", 265, 4, "start", "95 % interval");
    }
    text_add(t, "</g>\n");
}

/* The means in the score's own unit, on the left. */
static void own_axis(const plot *p, const profile *q, const char *label)
{
    const double range = q->most - q->least;
    plot own = *p;
    own.y0 = q->least + p->y0 * range;
    own.y1 = q->least + p->y1 * range;
    ticks t = {{0}, 0};
    if (range > 0) t = ticks_linear(own.y0, own.y1, 6);
    plot_axis_y(&own, &t, label);
}

/* The percentile of each layer among the layers, on the right. */
static void percentile_axis(const plot *p)
{
    const double right = p->left + p->width;
    svg_line(p->to, "axis", right, plot_y(p, 0), right, plot_y(p, 1));
    for (int i = 0; i <= 4; i++) {
        char s[32];
        const double y = plot_y(p, i / 4.0);
        tick_text(25 * i, s);
        svg_line(p->to, "axis", right, y, right + 4, y);
        svg_words(p->to, "tick", right + 7, y + 4, "start", s);
    }
    svg_words_turned(p->to, "label", fmin(right + 40, PANEL - 10), plot_y(p, 0.5), 90,
                     "percentile of the layer, %");
}

static void vertical_range(plot *p, const profile *q)
{
    p->y0 = 0;
    p->y1 = 1;
    for (size_t l = 0; l < q->layers; l++) {
        p->y0 = fmin(p->y0, scaled(q, q->low[l])); /* fmin leaves NaN aside */
        p->y1 = fmax(p->y1, scaled(q, q->high[l]));
    }
    p->y0 = fmax(p->y0, -0.6) - 0.03;
    p->y1 = fmin(p->y1, 1.6) + 0.03;
}

static void profile_data(figure *f, const profile *q)
{
    static const char *const name[] = {"mean", "minmax", "percentile", "low", "high"};
    figure_data(f, "figures/profile-.csv");
    for (size_t l = 0; l < q->layers; l++) {
        table_int(&f->data, "layer", (int64_t)(q->first + l));
        table_number(&f->data, "depth",
                     q->layers > 1 ? (double)l / (double)(q->layers - 1) : (double)NAN);
        const double v[5] = {q->mean[l], q->minmax[l], q->percentile[l], q->low[l], q->high[l]};
        for (int c = 0; c < 5; c++) table_number(&f->data, name[c], v[c]);
        table_end_row(&f->data);
    }
}

void figure_profile(const report *r, const char *score, const char *id, figure *f)
{
    profile q;
    char desc[256], axis[64];
    profile_read(&q, r, score);
    plot p = {&f->svg, 66,    48,   PANEL - 66 - 58, 210, -0.4, (double)q.layers - 0.6, 0,
              1,       false, false};
    vertical_range(&p, &q);
    int n = snprintf(desc, sizeof desc,
                     "Mean score of each of %zu layers, scaled from 0 to 1, with the "
                     "percentile of the layer; ",
                     q.layers);
    if (isfinite(q.least))
        snprintf(desc + n, sizeof desc - (size_t)n, "the lowest mean is %.4g, the highest %.4g.",
                 q.least, q.most);
    else snprintf(desc + n, sizeof desc - (size_t)n, "no layer has a value.");
    svg_begin(&f->svg, id, PANEL, 304, report_score_title(score), desc);
    svg_words(&f->svg, "head", p.left, 14, "start", report_score_title(score));
    draw_key(&f->svg, p.left, 34, isfinite(q.low[0]));
    double third = (double)(q.layers - 1) / 3;
    if (q.layers >= 3)
        svg_box(&f->svg, "shade", plot_x(&p, third), p.top,
                plot_x(&p, 2 * third) - plot_x(&p, third), p.height);
    const char *unit = report_score_unit(score);
    snprintf(axis, sizeof axis, "mean of the layer%s%s", *unit ? ", " : "", unit);
    own_axis(&p, &q, axis);
    draw_band(&p, &q);
    draw_parabola(&p, &q);
    plot_frame(&p);
    plot_axis_layers(&p, r);
    percentile_axis(&p);
    draw_points(&p, &q, "other", q.percentile, q.percentile, "percentile");
    draw_curve(&p, "curve", q.minmax, q.layers);
    draw_points(&p, &q, "point", q.minmax, q.mean, "mean");
    svg_end(&f->svg);
    profile_data(f, &q);
    profile_free(&q);
}

/* ---- one column against another ------------------------------------------------------- */

/* Both ends of an axis, and whether its values are so skewed that decades show more. */
static void axis_of(const double *v, size_t n, double *low, double *high, bool *logarithmic)
{
    size_t count;
    double *in_order = value_sorted(v, n, &count);
    *low = count ? in_order[0] : 0;
    *high = count ? in_order[count - 1] : 1;
    *logarithmic = count > 4 && *low > 0 && *high > 8 * value_quantile(in_order, count, 0.5);
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

static void scatter_points(const report *r, const plot *p, unit_column cx, unit_column cy,
                           figure *f)
{
    const double *x = r->column[cx], *y = r->column[cy];
    double depth_of = r->layers > 1 ? 1 / (double)(r->layers - 1) : 0;
    for (size_t i = 0; i < r->count; i++) {
        size_t layer = i / r->per_layer, index = i % r->per_layer;
        table_text(&f->data, "unit", r->unit[i]);
        table_int(&f->data, "layer", (int64_t)(r->first_layer + layer));
        table_int(&f->data, "index", (int64_t)index);
        table_number(&f->data, report_column_name(cx), x[i]);
        table_number(&f->data, report_column_name(cy), y[i]);
        table_end_row(&f->data);
        if (!isfinite(x[i]) || !isfinite(y[i])) continue;
        colour c = colour_sequential((double)layer * depth_of);
        text_add(p->to, "<circle class=\"dot\" cx=\"");
        svg_coordinate(p->to, plot_x(p, x[i]));
        text_add(p->to, "\" cy=\"");
        svg_coordinate(p->to, plot_y(p, y[i]));
        text_print(p->to, "\" r=\"%s\" fill=\"#%02x%02x%02x\">", r->count > 600 ? "2.2" : "3.4",
                   c.r, c.g, c.b);
        if (r->count <= MOST_BOXES) svg_title(p->to, "%s: %.4g, %.4g", r->unit[i], x[i], y[i]);
        text_add(p->to, "</circle>");
    }
    text_add(p->to, "\n");
}

void figure_scatter(const report *r, unit_column cx, unit_column cy, const char *id,
                    const char *x_label, const char *y_label, figure *f)
{
    const double *x = r->column[cx], *y = r->column[cy];
    char title[200], desc[256], rho_text[64] = "no correlation";
    double rho = report_spearman(r, x, y);
    plot p = {&f->svg, 58, 30, PANEL - 58 - 70, 240, 0, 1, 0, 1, false, false};
    axis_of(x, r->count, &p.x0, &p.x1, &p.log_x);
    axis_of(y, r->count, &p.y0, &p.y1, &p.log_y);
    snprintf(title, sizeof title, "%s against %s", y_label, x_label);
    if (isfinite(rho)) snprintf(rho_text, sizeof rho_text, "Spearman \xcf\x81 = %.2f", rho);
    snprintf(desc, sizeof desc, "One point a %s, coloured by layer; %s.", r->one, rho_text);
    svg_begin(&f->svg, id, PANEL, 316, title, desc);
    ticks tx = p.log_x ? ticks_log(p.x0, p.x1) : ticks_linear(p.x0, p.x1, 6);
    ticks ty = p.log_y ? ticks_log(p.y0, p.y1) : ticks_linear(p.y0, p.y1, 5);
    plot_axis_y(&p, &ty, y_label);
    plot_frame(&p);
    plot_axis_x(&p, &tx, x_label);
    figure_data(f, "figures/scatter-.csv");
    scatter_points(r, &p, cx, cy, f);
    svg_words(&f->svg, "head", p.left, 14, "start", rho_text);
    if (r->layers > 1) {
        double first = (double)r->first_layer;
        scale depth = {first, first + (double)r->layers - 1, first, false};
        scale_bar(&p, &depth, "layer");
    }
    svg_end(&f->svg);
}
