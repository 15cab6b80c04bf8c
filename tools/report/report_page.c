/* report_page.c - pieces of HTML, from a number to a page. */
#include "draw/page.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

/* ---- pieces of text --------------------------------------------------------------------- */

void page_put(page *p, const char *html) {
    text_add(&p->html, html);
}

void page_text(page *p, const char *words) {
    xml_text(&p->html, words);
}

/* How many bytes at s have a better sign, and which; 0: none. */
static size_t better_sign(const char *words, const char *s, const char **sign) {
    bool begins = s == words || s[-1] == ' ' || s[-1] == '(';
    size_t minus = *s == '-' ? 1 : 0;
    *sign = "\xe2\x80\x93";
    if (begins && !strncmp(s + minus, "nan", 3) && !isalnum((unsigned char)s[minus + 3])) return minus + 3;
    *sign = minus ? "\xe2\x88\x92" : "\xe2\x89\xa4";
    if (minus) return begins && (s[1] == ' ' || isdigit((unsigned char)s[1])) ? 1 : 0;
    return *s == '<' && s[1] == '=' ? 2 : 0;
}

void page_sentence(page *p, const char *words) {
    const char *from = words, *s = words, *sign;
    while (*s) {
        size_t n = better_sign(words, s, &sign);
        if (!n) {
            s++;
            continue;
        }
        xml_text_bytes(&p->html, from, (size_t)(s - from));
        page_put(p, sign);
        from = s += n;
    }
    xml_text(&p->html, from);
}

void page_number(page *p, double v) {
    char s[32];
    if (!isfinite(v)) {
        page_put(p, "\xe2\x80\x93");
        return;
    }
    snprintf(s, sizeof s, fabs(v) >= 1000 && fabs(v) < 1e7 ? "%.0f" : "%.3g", fabs(v));
    if (v < 0) page_put(p, "\xe2\x88\x92");
    page_put(p, s);
}

void page_interval(page *p, double low, double high) {
    if (!isfinite(low) || !isfinite(high)) return;
    page_put(p, " (95\xc2\xa0% interval ");
    page_number(p, low);
    page_put(p, " to ");
    page_number(p, high);
    page_put(p, ")");
}

void page_shell(page *p, const char *word) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./,:=@%+";
    if (*word && !word[strspn(word, plain)]) {
        page_text(p, word);
        return;
    }
    page_put(p, "'");
    for (const char *s = word;; s++) {
        size_t n = strcspn(s, "'");
        xml_text_bytes(&p->html, s, n);
        s += n;
        if (!*s) break;
        page_put(p, "'\\''");
    }
    page_put(p, "'");
}

void page_name(page *p, const char *name) {
    char s[64];
    snprintf(s, sizeof s, "%s", name);
    for (char *c = s; *c; c++)
        if (*c == '_') *c = ' ';
    page_text(p, s);
}

void page_list(page *p, const json *object, const char *key) {
    const json *list = json_get(object, key);
    if (!list || list->kind != JSON_ARRAY) return;
    for (const json *c = list->child; c; c = c->next) {
        if (c->kind != JSON_TEXT) continue;
        page_put(p, "<li>");
        page_sentence(p, c->text);
        page_put(p, "</li>\n");
    }
}

/* ---- head and end ----------------------------------------------------------------------- */

void page_begin(page *p, const char *title, const char *after) {
    page_put(p, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta "
                "name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta "
                "name=\"color-scheme\" content=\"light dark\">\n<title>");
    page_text(p, title);
    page_text(p, after);
    page_put(p, "</title>\n<style>\n");
    page_put(p, report_figure_style);
    page_put(p, report_page_style);
    page_put(p, report_print_style);
    page_put(p, "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">To the results</a>\n"
                "<svg width=\"0\" height=\"0\" aria-hidden=\"true\" "
                "style=\"position:absolute;width:0;height:0\">");
    page_put(p, report_figure_defs);
    page_put(p, "</svg>\n");
}

void page_end(page *p) {
    text_print(&p->html, "<p class=\"identity\">Made by synergy %s.</p>\n", tool_version());
    page_put(p, "</main>\n</body>\n</html>\n");
}

/* ---- figures ---------------------------------------------------------------------------- */

void figure_data(figure *f, const char *file) {
    table_begin(&f->data, file);
}

void figure_free(figure *f) {
    text_free(&f->svg);
    table_free(&f->data);
}

/* The style of a drawing in literal, light colours: programs other than browsers know no variables of CSS. */
static void literal_style(text *t) {
    static const char *const value[][2] = {
        {"ink", "#1d1f23"}, {"soft", "#5b6069"}, {"hair", "#d9dbdf"}, {"paper", "#fff"}, {"one", "#c2571a"},
        {"two", "#2f6db3"}, {"band", "#c2571a26"}, {"shade", "#0000000a"}, {"three", "#17785f"}, {"four", "#8a4a9e"},
        {"five", "#86650a"}, {"six", "#0f7d99"}, {"s", "#5b6069"}};
    static const char *const colour_of[6] = {"#c2571a", "#2f6db3", "#17785f", "#8a4a9e", "#86650a", "#0f7d99"};
    const char *s = strstr(report_figure_style, "svg text{"); /* behind the variables and what is dark */
    for (const char *at; s && (at = strstr(s, "var(--")) != NULL; s = strchr(at, ')') + 1) {
        const size_t n = strcspn(at + 6, ")");
        text_add_bytes(t, s, (size_t)(at - s));
        for (size_t k = 0; k < sizeof value / sizeof value[0]; k++)
            if (strlen(value[k][0]) == n && !memcmp(value[k][0], at + 6, n)) text_add(t, value[k][1]);
    }
    if (s) text_add(t, s);
    for (int k = 0; k < 12; k++)
        text_print(t, "svg .s%d .line,svg .s%d .leader,svg .s%d .edge{stroke:%s}svg .s%d .area,svg .s%d .end{fill:%s}\n",
                   k, k, k, colour_of[k % 6], k, k, colour_of[k % 6]);
}

/* The drawing alone: with its own size, style and hatching. */
static bool write_svg(const page *p, const char *name, const text *svg) {
    text t = {NULL, 0, 0};
    char path[TOOL_PATH_BYTES], file[128];
    const char *head_end = strchr(svg->at, '>');
    size_t head = (size_t)(head_end - svg->at);
    text_add_bytes(&t, svg->at, head);
    text_add(&t, " xmlns=\"http://www.w3.org/2000/svg\">\n<style>");
    literal_style(&t);
    text_add(&t, "svg{background:#fff}</style>");
    text_add(&t, report_figure_defs);
    text_add(&t, head_end + 1);
    snprintf(file, sizeof file, "figures/%s.svg", name);
    bool good = path_join(path, p->directory, file, p->why) &&
                file_write(path, t.at, t.length, p->why);
    text_free(&t);
    return good;
}

static bool write_data(const page *p, const char *name, table_out *data) {
    char path[TOOL_PATH_BYTES], file[128];
    if (!data->file) return true;
    snprintf(file, sizeof file, "figures/%s.csv", name);
    return path_join(path, p->directory, file, p->why) && table_write(data, path, p->why);
}

void page_figure(page *p) {
    page_put(p, "<figure>\n<div class=\"panels\">\n");
}

void page_panel(page *p, const char *name, figure *f) {
    page_put(p, "<div>");
    text_add_bytes(&p->html, f->svg.at, f->svg.length);
    page_put(p, "</div>\n");
    if (p->directory)
        p->good = p->good && write_svg(p, name, &f->svg) && write_data(p, name, &f->data);
    figure_free(f);
}

void page_figure_end(page *p, const char *caption) {
    text_print(&p->html, "</div>\n<figcaption><b>Figure %u.</b> ", ++p->figures);
    page_put(p, caption);
    page_put(p, "</figcaption>\n</figure>\n");
}

/* ---- tables ----------------------------------------------------------------------------- */

void page_table(page *p, const char *class_name, const char *label, const char *caption) {
    page_put(p, "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"");
    page_text(p, label);
    page_put(p, "\"><table");
    if (class_name) text_print(&p->html, " class=\"%s\"", class_name);
    text_print(&p->html, "><caption><b>Table %u.</b> ", ++p->tables);
    page_text(p, caption);
    page_put(p, "</caption><thead><tr>");
}

void page_table_head(page *p, const char *words) {
    page_put(p, "<th scope=\"col\">");
    page_text(p, words);
    page_put(p, "</th>");
}

void page_table_head_words(page *p, const char *words) {
    page_put(p, "<th scope=\"col\" class=\"words\">");
    page_text(p, words);
    page_put(p, "</th>");
}

void page_table_body(page *p) {
    page_put(p, "</tr></thead><tbody>\n");
}

void page_table_end(page *p) {
    page_put(p, "</tbody></table></div>\n");
}

void page_row(page *p, const char *words) {
    page_put(p, "<tr><th scope=\"row\" class=\"words\">");
    page_text(p, words);
    page_put(p, "</th>");
}

void page_row_end(page *p) {
    page_put(p, "</tr>\n");
}

void page_cell(page *p, double value) {
    page_put(p, "<td>");
    page_number(p, value);
    page_put(p, "</td>");
}

void page_cell_words(page *p, const char *words) {
    page_put(p, "<td class=\"words\">");
    page_text(p, words);
    page_put(p, "</td>");
}

void page_cell_interval(page *p, double low, double high) {
    page_put(p, "<td>");
    page_number(p, low);
    if (isfinite(low) && isfinite(high)) {
        page_put(p, " to ");
        page_number(p, high);
    }
    page_put(p, "</td>");
}

void page_cell_correlation(page *p, double v) {
    char s[16];
    if (!isfinite(v)) {
        page_put(p, "<td>\xe2\x80\x93</td>");
        return;
    }
    colour c = colour_diverging(v);
    snprintf(s, sizeof s, "%s%.2f", v < -0.005 ? "\xe2\x88\x92" : "", fabs(v));
    text_print(&p->html, "<td style=\"background:#%02x%02x%02x;color:%s\">%s</td>", c.r, c.g, c.b,
               colour_is_dark(c) ? "#fff" : "#111", s);
}
