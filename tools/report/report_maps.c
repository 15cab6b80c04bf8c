/* report_maps.c - layer x unit maps and pair matrices. */
#include "report/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- layer x unit maps ------------------------------------------------------------------ */

static void map_boxes(const report *r, const plot *p, const double *v, const scale *s,
                      const char *unit)
{
    double w = p->width / (double)r->layers, h = p->height / (double)r->per_layer;
    text_add(p->to, "<g class=\"cells\">");
    for (size_t i = 0; i < r->count; i++) {
        char hover[160];
        size_t layer = i / r->per_layer, index = i % r->per_layer;
        if (!isfinite(v[i])) continue;
        snprintf(hover, sizeof hover, "%.80s: %.4g%s%s", r->unit[i], v[i], *unit ? " " : "", unit);
        svg_box_filled(p->to, p->left + w * (double)layer,
                       p->top + p->height - h * (double)(index + 1), w, h, scale_colour(s, v[i]),
                       hover);
    }
    text_add(p->to, "</g>\n");
}

/* `xlink:href`, since Inkscape shows no picture under the plain name. */
static void image(text *t, const plot *p, const text *base64_png)
{
    text_print(t,
               "<image x=\"%.6g\" y=\"%.6g\" width=\"%.6g\" height=\"%.6g\" "
               "preserveAspectRatio=\"none\" xlink:href=\"data:image/png;base64,",
               p->left, p->top, p->width, p->height);
    text_add_bytes(t, base64_png->at, base64_png->length);
    text_add(t, "\"/>\n");
}

static void map_image(const report *r, const plot *p, const double *v, const scale *s)
{
    colour palette[255];
    text png = {NULL, 0, 0};
    unsigned char *cell = tool_alloc(r->count, 1);
    for (size_t i = 0; i < r->count; i++) {
        size_t layer = i / r->per_layer, index = i % r->per_layer;
        cell[(r->per_layer - 1 - index) * r->layers + layer] = scale_index(s, v[i]);
    }
    scale_palette(s->diverging, palette);
    png_base64(&png, cell, r->layers, r->per_layer, palette);
    image(p->to, p, &png);
    text_free(&png);
    free(cell);
}

static void map_data(const report *r, figure *f, unit_column column)
{
    figure_data(f, "figures/map-.csv");
    for (size_t i = 0; i < r->count; i++) {
        table_text(&f->data, "unit", r->unit[i]);
        table_int(&f->data, "layer", (int64_t)(r->first_layer + i / r->per_layer));
        table_int(&f->data, "index", (int64_t)(i % r->per_layer));
        table_number(&f->data, report_column_name(column), r->column[column][i]);
        table_end_row(&f->data);
    }
}

void figure_map(const report *r, unit_column column, const char *id, const char *what,
                const char *unit, bool diverging, figure *f)
{
    const double *v = r->column[column];
    char title[160], desc[200], axis[48];
    scale s = scale_of(v, r->count, diverging);
    double width = PANEL - 46 - 70;
    double cell = width / (double)r->layers;
    double height = fmin(fmax(fmin(cell, 16) * (double)r->per_layer, 90), 260);
    plot p = {&f->svg,
              46,
              30,
              width,
              height,
              -0.5,
              (double)r->layers - 0.5,
              -0.5,
              (double)r->per_layer - 0.5,
              false,
              false};
    snprintf(title, sizeof title, "%s of each %s", what, r->one);
    snprintf(desc, sizeof desc,
             "%zu layers from left to right, %zu %s from bottom to top; lowest "
             "%.4g, median %.4g, highest %.4g %s.",
             r->layers, r->per_layer, r->many, s.low, s.middle, s.high, unit);
    svg_begin(&f->svg, id, PANEL, height + 76, title, desc);
    svg_words(&f->svg, "head", p.left, 14, "start", what);
    svg_box(&f->svg, "missing", p.left, p.top, p.width, p.height);
    if (r->count <= MOST_BOXES) map_boxes(r, &p, v, &s, unit);
    else map_image(r, &p, v, &s);
    svg_box(&f->svg, "border", p.left, p.top, p.width, p.height);
    ticks y = ticks_whole(0, (double)r->per_layer - 1, 4);
    plot bare = p;
    for (int i = 0; i < y.count; i++) {
        char number[32];
        tick_text(y.at[i], number);
        svg_words(&f->svg, "tick", p.left - 6, plot_y(&bare, y.at[i]) + 4, "end", number);
    }
    plot_axis_layers(&p, r);
    snprintf(axis, sizeof axis, "%s", r->one);
    svg_words_turned(&f->svg, "label", p.left - 30, p.top + p.height / 2, -90, axis);
    scale_bar(&p, &s, unit);
    svg_end(&f->svg);
    map_data(r, f, column);
}

/* ---- values of a map that is a picture ---------------------------------------------------- */

/* Units in their order, four digits, null for nothing. */
void figure_map_values(page *p, const report *r, unit_column column, const char *id,
                       const char *unit)
{
    const double *v = r->column[column];
    if (r->count <= MOST_BOXES) return;
    text_print(&p->html,
               "<script type=\"application/json\" class=\"values\" "
               "data-of=\"%s\">{\"kind\":\"%c\",\"layers\":%zu,"
               "\"per_layer\":%zu,\"first\":%zu,\"unit\":\"%s\",\"values\":[",
               id, strcmp(r->one, "expert") ? 'H' : 'E', r->layers, r->per_layer, r->first_layer,
               unit);
    for (size_t i = 0; i < r->count; i++) {
        if (i) page_put(p, ",");
        if (isfinite(v[i])) text_print(&p->html, "%.4g", v[i]);
        else page_put(p, "null");
    }
    page_put(p, "]}</script>\n");
}

/* The only script of the page: it tells the value under the pointer, or under the arrow keys, in a
   line below the picture. Without it the picture, its CSV and units.csv say the same. */
static const char value_script[] =
    "<script>\n"
    "for (const block of document.querySelectorAll('script.values')) {\n"
    "  const data = JSON.parse(block.textContent), panel = block.previousElementSibling;\n"
    "  const image = panel.querySelector('image'), told = document.createElement('p'), names = "
    "data.names;\n"
    "  const columns = names ? names.length : data.layers, rows = names ? names.length : "
    "data.per_layer;\n"
    "  let column = 0, row = 0;\n"
    "  const value = () => {\n"
    "    if (!names) return data.values[column * data.per_layer + row];\n"
    "    const a = Math.max(row, column), b = Math.min(row, column);\n"
    "    return data.values[a * (a + 1) / 2 + b];\n"
    "  };\n"
    "  const show = () => {\n"
    "    const v = value();\n"
    "    const name = names ? `${names[row]} \xe2\x80\x93 ${names[column]}` : `L${data.first + "
    "column}${data.kind}${row}`;\n"
    "    told.textContent = `${name}: ${v === null ? 'no value' : v} ${data.unit}`;\n"
    "  };\n"
    "  told.className = 'told';\n"
    "  told.setAttribute('aria-live', 'polite');\n"
    "  told.textContent = 'Point at the picture, or use the arrow keys, to read values.';\n"
    "  panel.append(told);\n"
    "  panel.tabIndex = 0;\n"
    "  image.addEventListener('pointermove', e => {\n"
    "    const box = image.getBoundingClientRect();\n"
    "    const part = (at, size, n) => Math.min(n - 1, Math.max(0, Math.floor(at / size * n)));\n"
    "    column = part(e.clientX - box.left, box.width, columns);\n"
    "    row = part(names ? e.clientY - box.top : box.bottom - e.clientY, box.height, rows);\n"
    "    show();\n"
    "  });\n"
    "  panel.addEventListener('keydown', e => {\n"
    "    const step = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, "
    "-1]}[e.key];\n"
    "    if (!step) return;\n"
    "    e.preventDefault();\n"
    "    column = Math.min(columns - 1, Math.max(0, column + step[0]));\n"
    "    row = Math.min(rows - 1, Math.max(0, row + (names ? -1 : 1) * step[1]));\n"
    "    show();\n"
    "  });\n"
    "}\n"
    "</script>\n";

void report_value_script(page *p, const report *r)
{
    if (r->count > MOST_BOXES || r->synergy || r->redundancy) page_put(p, value_script);
}

/* ---- pair matrices -------------------------------------------------------------------- */

enum { MOST_PIXELS = 640 }; /* of a side; larger matrices are averaged in blocks */

/* The mean over a block of pairs, the diagonal and what is missing left out. */
static double block_mean(const double *m, size_t n, size_t row, size_t column, size_t block)
{
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

static scale matrix_scale(const double *m, size_t n)
{
    scale s = {0, 0, 0, false};
    size_t count = 0;
    double *pair = tool_alloc(n * (n - 1) / 2, sizeof *pair);
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++) pair[count++] = m[i * n + j];
    double *in_order = value_sorted(pair, count, &count);
    if (count) {
        s.low = fmin(value_quantile(in_order, count, 0.005), 0);
        s.high = value_quantile(in_order, count, 0.99);
        s.middle = value_quantile(in_order, count, 0.5);
    }
    free(in_order);
    free(pair);
    return s;
}

static void layer_ticks(const report *r, const plot *p)
{
    double first = (double)r->first_layer;
    ticks t = ticks_whole(first, first + (double)r->layers - 1, 7);
    double step = p->width / (double)r->layers, base = p->top + p->height;
    for (int i = 0; i < t.count; i++) {
        char s[32];
        double at = step * (t.at[i] - first + 0.5);
        tick_text(t.at[i], s);
        svg_line(p->to, "axis", p->left + at, base, p->left + at, base + 4);
        svg_words(p->to, "tick", p->left + at, base + 16, "middle", s);
        svg_line(p->to, "axis", p->left - 4, p->top + at, p->left, p->top + at);
        svg_words(p->to, "tick", p->left - 7, p->top + at + 4, "end", s);
    }
}

/* What the picture shows: blocks of a large matrix by their means. The .npy has every pair. */
static void matrix_data(const report *r, figure *f, const double *m, size_t block)
{
    size_t n = r->count, side = (n + block - 1) / block;
    figure_data(f, "figures/matrix-.csv");
    for (size_t i = 0; i < side; i++) {
        table_text(&f->data, "unit", r->unit[i * block]);
        for (size_t j = 0; j < side; j++)
            table_number(&f->data, r->unit[j * block], block_mean(m, n, i, j, block));
        table_end_row(&f->data);
    }
}

void figure_matrix(const report *r, const double *m, const char *id, const char *what, figure *f)
{
    size_t n = r->count, block = (n + MOST_PIXELS - 1) / MOST_PIXELS,
           side = (n + block - 1) / block;
    char title[160], desc[256];
    colour palette[255];
    text png = {NULL, 0, 0};
    scale s = matrix_scale(m, n);
    plot p = {&f->svg, 46, 30, PANEL - 46 - 70, PANEL - 46 - 70, 0, 1, 0, 1, false, false};
    /* programs that smooth pictures as they enlarge them (rsvg) shall have little to enlarge */
    const size_t zoom = side < 300 ? 300 / side : 1, width = side * zoom;
    unsigned char *cell = tool_alloc(width * width, 1);
    for (size_t i = 0; i < side; i++) {
        for (size_t j = 0; j < side; j++)
            memset(cell + i * zoom * width + j * zoom,
                   scale_index(&s, block_mean(m, n, i, j, block)), zoom);
        for (size_t k = 1; k < zoom; k++)
            memcpy(cell + (i * zoom + k) * width, cell + i * zoom * width, width);
    }
    scale_palette(false, palette);
    png_base64(&png, cell, width, width, palette);
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
    scale_bar(&p, &s, "nats");
    svg_end(&f->svg);
    matrix_data(r, f, m, block);
    text_free(&png);
    free(cell);
}

/* A name as JSON within a script of the page: no mark can end the script. */
static void json_name(page *p, const char *name)
{
    page_put(p, "\"");
    for (const unsigned char *c = (const unsigned char *)name; *c; c++)
        if (*c < 0x20 || strchr("\"\\<>&", *c)) text_print(&p->html, "\\u%04x", *c);
        else text_add_bytes(&p->html, c, 1);
    page_put(p, "\"");
}

/* Names, then the lower triangle row by row, four digits, null for nothing. */
void figure_matrix_values(page *p, const report *r, const double *m, const char *id)
{
    const size_t n = r->count, block = (n + MOST_PIXELS - 1) / MOST_PIXELS,
                 side = (n + block - 1) / block;
    text_print(&p->html,
               "<script type=\"application/json\" class=\"values\" "
               "data-of=\"%s\">{\"unit\":\"nats\",\"names\":[",
               id);
    for (size_t i = 0; i < side; i++) {
        if (i) page_put(p, ",");
        json_name(p, r->unit[i * block]);
    }
    page_put(p, "],\"values\":[");
    for (size_t i = 0; i < side; i++)
        for (size_t j = 0; j <= i; j++) {
            const double v = block_mean(m, n, i, j, block);
            if (i) page_put(p, ",");
            if (isfinite(v)) text_print(&p->html, "%.4g", v);
            else page_put(p, "null");
        }
    page_put(p, "]}</script>\n");
}
