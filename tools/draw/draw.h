/* draw.h - small things that the pictures are made of: SVG, colours, PNG. */
#ifndef SYNERGY_DRAW_H
#define SYNERGY_DRAW_H

#include "base/tool.h"

/* ---- colours (colour.c) --------------------------------------------------------------- */

/* Both maps are straight lines of lightness in OKLab, so that equal steps look equal, and their
   hues (blue to yellow; blue, grey, orange) are told apart by colour-blind readers. */
typedef struct colour {
    unsigned char r, g, b;
} colour;
colour colour_sequential(double share); /* 0 dark ... 1 light */
colour colour_diverging(double share);  /* -1 blue, 0 near white, 1 orange */
bool colour_is_dark(colour c);          /* white writing is easier to read on it */

/* ---- PNG (png.c) ---------------------------------------------------------------------- */

/* A picture of palette indices as the base64 text of a PNG file. Index 255 is transparent. */
void base64_text(text *to, const void *bytes, size_t n);
void png_base64(text *to, const unsigned char *index, size_t width, size_t height,
                const colour palette[255]);

/* ---- SVG (svg.c) ---------------------------------------------------------------------- */

void xml_text(text *t, const char *s); /* escaped; invalid UTF-8 becomes U+FFFD */
void xml_text_bytes(text *t, const char *s, size_t n);
void svg_coordinate(text *t, double v); /* at most two decimals */

/* A drawing area with linear or logarithmic axes; x grows to the right, y upwards. */
typedef struct plot {
    text *to;
    double left, top, width, height; /* of the area inside the axes */
    double x0, x1, y0, y1;           /* values at its edges */
    bool log_x, log_y;
} plot;

double plot_x(const plot *p, double x);
double plot_y(const plot *p, double y);

/* <svg role="img"> with <title> and <desc>; `id` must be unique in the page. */
void svg_begin(text *t, const char *id, double width, double height, const char *title,
               const char *desc);
void svg_end(text *t);
void svg_words(text *t, const char *class_name, double x, double y, const char *anchor,
               const char *words);
void svg_words_turned(text *t, const char *class_name, double x, double y, double degrees,
                      const char *words);
/* <title>, which browsers show on hover. */
void svg_title(text *t, const char *format, ...) TOOL_FORMAT(2, 3);
void svg_line(text *t, const char *class_name, double x0, double y0, double x1, double y1);
void svg_box(text *t, const char *class_name, double x, double y, double width, double height);
void svg_box_filled(text *t, double x, double y, double width, double height, colour fill,
                    const char *hover); /* hover may be NULL */

/* Ticks at 1, 2, 5 times a power of ten (decades on a logarithmic axis). */
typedef struct ticks {
    double at[64];
    int count;
} ticks;
ticks ticks_linear(double low, double high, int about);
ticks ticks_whole(double low, double high, int about); /* whole numbers only */
ticks ticks_log(double low, double high);
void tick_text(double v, char to[32]);

void plot_frame(const plot *p);
void plot_tick_x(const plot *p, double at, double number); /* `number` stands at p's x `at` */
void plot_label_x(const plot *p, const char *label);
void plot_axis_x(const plot *p, const ticks *at, const char *label);
void plot_axis_y(const plot *p, const ticks *at, const char *label);

#endif
