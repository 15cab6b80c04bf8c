/* svg.c - axes, ticks and words of the figures. Colours and line widths are classes, so that one
   style sheet serves light, dark and print. */
#include "draw/draw.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

/* ---- text ----------------------------------------------------------------------------- */

/* Length of the UTF-8 sequence at s, 0 when it is none that XML allows. */
static size_t letter_length(const unsigned char *s, size_t n)
{
    if (s[0] < 0x80) return s[0] >= 0x20 || s[0] == '\n' || s[0] == '\t' ? 1 : 0;
    size_t length = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4 || length > n) return 0;
    for (size_t i = 1; i < length; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90)) return 0;
    if ((s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf4 && s[1] > 0x8f)) return 0;
    return s[0] == 0xef && s[1] == 0xbf && s[2] >= 0xbe ? 0 : length;
}

void xml_text_bytes(text *t, const char *s, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t length = letter_length((const unsigned char *)s + i, n - i);
        if (length == 0) text_add(t, "\xef\xbf\xbd");
        else if (s[i] == '<') text_add(t, "&lt;");
        else if (s[i] == '>') text_add(t, "&gt;");
        else if (s[i] == '&') text_add(t, "&amp;");
        else if (s[i] == '"') text_add(t, "&quot;");
        else text_add_bytes(t, s + i, length);
        i += length ? length : 1;
    }
}

void xml_text(text *t, const char *s)
{
    xml_text_bytes(t, s, strlen(s));
}

void svg_coordinate(text *t, double v)
{
    char s[32];
    snprintf(s, sizeof s, "%.2f", v);
    size_t n = strlen(s);
    while (n && s[n - 1] == '0') s[--n] = '\0';
    if (n && s[n - 1] == '.') s[--n] = '\0';
    text_add(t, strcmp(s, "-0") ? s : "0");
}

static void attribute(text *t, const char *name, double v)
{
    text_print(t, " %s=\"", name);
    svg_coordinate(t, v);
    text_add(t, "\"");
}

/* ---- elements ------------------------------------------------------------------------- */

void svg_begin(text *t, const char *id, double width, double height, const char *title,
               const char *desc)
{
    text_add(t, "<svg role=\"img\" viewBox=\"0 0 ");
    svg_coordinate(t, width);
    text_add(t, " ");
    svg_coordinate(t, height);
    text_print(t, "\" aria-labelledby=\"%s-t %s-d\"><title id=\"%s-t\">", id, id, id);
    xml_text(t, title);
    text_print(t, "</title><desc id=\"%s-d\">", id);
    xml_text(t, desc);
    text_add(t, "</desc>\n");
}

void svg_end(text *t)
{
    text_add(t, "</svg>\n");
}

void svg_words(text *t, const char *class_name, double x, double y, const char *anchor,
               const char *words)
{
    text_print(t, "<text class=\"%s\"", class_name);
    attribute(t, "x", x);
    attribute(t, "y", y);
    if (strcmp(anchor, "start")) text_print(t, " text-anchor=\"%s\"", anchor);
    text_add(t, ">");
    xml_text(t, words);
    text_add(t, "</text>");
}

void svg_words_turned(text *t, const char *class_name, double x, double y, double degrees,
                      const char *words)
{
    text_print(t, "<text class=\"%s\" text-anchor=\"middle\" transform=\"translate(", class_name);
    svg_coordinate(t, x);
    text_add(t, " ");
    svg_coordinate(t, y);
    text_add(t, ") rotate(");
    svg_coordinate(t, degrees);
    text_add(t, ")\">");
    xml_text(t, words);
    text_add(t, "</text>");
}

void svg_title(text *t, const char *format, ...)
{
    problem words; /* a line of text */
    va_list list;
    va_start(list, format);
    vsnprintf(words.text, sizeof words.text, format, list);
    va_end(list);
    text_add(t, "<title>");
    xml_text(t, words.text);
    text_add(t, "</title>");
}

void svg_line(text *t, const char *class_name, double x0, double y0, double x1, double y1)
{
    text_print(t, "<line class=\"%s\"", class_name);
    attribute(t, "x1", x0);
    attribute(t, "y1", y0);
    attribute(t, "x2", x1);
    attribute(t, "y2", y1);
    text_add(t, "/>");
}

static void box_open(text *t, double x, double y, double width, double height)
{
    text_add(t, "<rect");
    attribute(t, "x", x);
    attribute(t, "y", y);
    attribute(t, "width", width);
    attribute(t, "height", height);
}

void svg_box(text *t, const char *class_name, double x, double y, double width, double height)
{
    box_open(t, x, y, width, height);
    text_print(t, " class=\"%s\"/>", class_name);
}

void svg_box_filled(text *t, double x, double y, double width, double height, colour fill,
                    const char *hover)
{
    box_open(t, x, y, width, height);
    text_print(t, " fill=\"#%02x%02x%02x\"", fill.r, fill.g, fill.b);
    if (!hover) {
        text_add(t, "/>");
        return;
    }
    text_add(t, "><title>");
    xml_text(t, hover);
    text_add(t, "</title></rect>");
}

/* ---- axes ----------------------------------------------------------------------------- */

static double share_of(double v, double from, double to, bool logarithmic)
{
    if (logarithmic) {
        v = log(v);
        from = log(from);
        to = log(to);
    }
    return to > from ? (v - from) / (to - from) : 0.5;
}

double plot_x(const plot *p, double x)
{
    return p->left + p->width * share_of(x, p->x0, p->x1, p->log_x);
}

double plot_y(const plot *p, double y)
{
    return p->top + p->height * (1 - share_of(y, p->y0, p->y1, p->log_y));
}

static double nice_step(double range, int about)
{
    double raw = range / (about > 0 ? about : 1);
    double ten = pow(10, floor(log10(raw)));
    double m = raw / ten;
    return ten * (m <= 1.0001 ? 1 : m <= 2.0001 ? 2 : m <= 5.0001 ? 5 : 10);
}

static ticks ticks_every(double low, double high, double step)
{
    ticks t;
    t.count = 0;
    for (double k = ceil(low / step - 1e-9); k * step <= high + step * 1e-9 && t.count < 64; k++)
        t.at[t.count++] = fabs(k) < 0.5 ? 0 : k * step;
    return t;
}

ticks ticks_linear(double low, double high, int about)
{
    return ticks_every(low, high, high > low ? nice_step(high - low, about) : 1);
}

ticks ticks_whole(double low, double high, int about)
{
    double step = high > low ? nice_step(high - low, about) : 1;
    return ticks_every(low, high, step < 1 ? 1 : step);
}

/* Decades, with 2 and 5 between them where there are few. */
ticks ticks_log(double low, double high)
{
    static const double part[3] = {1, 2, 5};
    bool few = log10(high / low) < 2.5;
    ticks t;
    t.count = 0;
    for (double d = floor(log10(low)); d <= log10(high) && t.count < 60; d++)
        for (int i = 0; i < (few ? 3 : 1); i++) {
            double v = part[i] * pow(10, d);
            if (v >= low * 0.9999 && v <= high * 1.0001) t.at[t.count++] = v;
        }
    return t;
}

/* With a true minus sign. */
void tick_text(double v, char to[32])
{
    char s[24];
    snprintf(s, sizeof s, "%.4g", fabs(v));
    snprintf(to, 32, "%s%s", v < 0 ? "\xe2\x88\x92" : "", s);
}

void plot_frame(const plot *p)
{
    svg_line(p->to, "axis", p->left, p->top + p->height, p->left + p->width, p->top + p->height);
    svg_line(p->to, "axis", p->left, p->top, p->left, p->top + p->height);
}

void plot_tick_x(const plot *p, double at, double number)
{
    const double base = p->top + p->height, x = plot_x(p, at);
    char s[32];
    tick_text(number, s);
    svg_line(p->to, "axis", x, base, x, base + 4);
    svg_words(p->to, "tick", x, base + 16, "middle", s);
}

void plot_label_x(const plot *p, const char *label)
{
    svg_words(p->to, "label", p->left + p->width / 2, p->top + p->height + 33, "middle", label);
}

void plot_axis_x(const plot *p, const ticks *at, const char *label)
{
    for (int i = 0; i < at->count; i++) plot_tick_x(p, at->at[i], at->at[i]);
    plot_label_x(p, label);
}

void plot_axis_y(const plot *p, const ticks *at, const char *label)
{
    size_t longest = 1;
    for (int i = 0; i < at->count; i++) {
        char s[32];
        double y = plot_y(p, at->at[i]);
        tick_text(at->at[i], s);
        size_t n = strlen(s);
        if (at->at[i] < 0) n -= 2; /* the minus sign has three bytes */
        if (n > longest) longest = n;
        svg_line(p->to, "grid", p->left, y, p->left + p->width, y);
        svg_words(p->to, "tick", p->left - 6, y + 4, "end", s);
    }
    double x = p->left - 13 - 6.4 * (double)longest;
    svg_words_turned(p->to, "label", x > 11 ? x : 11, p->top + p->height / 2, -90, label);
}
