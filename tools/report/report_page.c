/* report_page.c - pieces of HTML, from a number to a page. */
#include "draw/export.h"
#include "draw/page.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

/* ---- pieces of text --------------------------------------------------------------------- */

void page_put(page *p, const char *html)
{
    text_add(&p->html, html);
}

void page_text(page *p, const char *words)
{
    xml_text(&p->html, words);
}

/* How many bytes at s have a better sign, and which; 0: none. */
static size_t better_sign(const char *words, const char *s, const char **sign)
{
    bool begins = s == words || s[-1] == ' ' || s[-1] == '(';
    size_t minus = *s == '-' ? 1 : 0;
    *sign = "\xe2\x80\x93";
    if (begins && !strncmp(s + minus, "nan", 3) && !isalnum((unsigned char)s[minus + 3]))
        return minus + 3;
    *sign = minus ? "\xe2\x88\x92" : "\xe2\x89\xa4";
    if (minus) return begins && (s[1] == ' ' || isdigit((unsigned char)s[1])) ? 1 : 0;
    return *s == '<' && s[1] == '=' ? 2 : 0;
}

void page_sentence(page *p, const char *words)
{
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

void page_number(page *p, double v)
{
    char s[32];
    if (!isfinite(v)) {
        page_put(p, "\xe2\x80\x93");
        return;
    }
    snprintf(s, sizeof s, fabs(v) >= 1000 && fabs(v) < 1e7 ? "%.0f" : "%.3g", fabs(v));
    if (v < 0) page_put(p, "\xe2\x88\x92");
    page_put(p, s);
}

void page_interval(page *p, double low, double high)
{
    if (!isfinite(low) || !isfinite(high)) return;
    page_put(p, " (95\xc2\xa0% interval ");
    page_number(p, low);
    page_put(p, " to ");
    page_number(p, high);
    page_put(p, ")");
}

void page_shell(page *p, const char *word)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./,:=@%+";
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

void page_name(page *p, const char *name)
{
    char s[64];
    snprintf(s, sizeof s, "%s", name);
    for (char *c = s; *c; c++)
        if (*c == '_') *c = ' ';
    page_text(p, s);
}

void page_list(page *p, const json *object, const char *key)
{
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

void page_begin(page *p, const char *title, const char *after)
{
    page_put(p, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta "
                "name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta "
                "name=\"color-scheme\" content=\"light dark\">\n<title>");
    page_text(p, title);
    page_text(p, after);
    page_put(p, "</title>\n<style>\n");
    style_figures(&p->html);
    page_put(p, report_page_style);
    style_print(&p->html);
    page_put(p, "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">To the results</a>\n"
                "<svg width=\"0\" height=\"0\" aria-hidden=\"true\" "
                "style=\"position:absolute;width:0;height:0\">");
    page_put(p, report_figure_defs);
    page_put(p, "</svg>\n");
}

void page_end(page *p)
{
    text_print(&p->html, "<p class=\"identity\">Made by synergy %s.</p>\n", tool_version());
    page_put(p, "</main>\n</body>\n</html>\n");
}

/* ---- figures ---------------------------------------------------------------------------- */

void figure_data(figure *f, const char *file)
{
    table_begin(&f->data, file);
}

void figure_free(figure *f)
{
    text_free(&f->svg);
    table_free(&f->data);
}

static bool write_figure(const page *p, const char *name, const char *end, const text *t)
{
    char path[TOOL_PATH_BYTES], file[128];
    snprintf(file, sizeof file, "figures/%s.%s", name, end);
    return path_join(path, p->directory, file, p->why) &&
           file_write(path, t->at, t->length, p->why);
}

/* A link that holds the file. Where the page's own folder has it, one that is large is not held
   twice. */
static void link_file(page *p, const char *name, const char *end, const char *type, const text *t)
{
    enum { MOST = 2 << 20 };
    text_print(&p->files, " <a download=\"%s.%s\" href=\"", name, end);
    if (p->directory && t->length > MOST) {
        text_print(&p->files, "figures/%s.%s", name, end);
    } else {
        text_print(&p->files, "data:%s;base64,", type);
        base64_text(&p->files, t->at, t->length);
    }
    text_print(&p->files, "\">%s</a>", strcmp(end, "svg") ? "CSV" : "SVG");
}

/* The drawing alone, literally coloured, as SVG and as PDF. */
static void drawing_files(page *p, const char *name, const char *svg, bool linked)
{
    text alone = {NULL, 0, 0}, pdf = {NULL, 0, 0};
    export_svg(&alone, svg);
    if (linked) link_file(p, name, "svg", "image/svg+xml", &alone);
    if (p->directory) {
        export_pdf(&pdf, svg);
        p->good =
            p->good && write_figure(p, name, "svg", &alone) && write_figure(p, name, "pdf", &pdf);
    }
    text_free(&alone);
    text_free(&pdf);
}

static void data_file(page *p, const char *name, table_out *data)
{
    if (!data->file) return;
    p->good = p->good && table_done(data, p->why);
    link_file(p, name, "csv", "text/csv", &data->to);
    if (p->directory) p->good = p->good && write_figure(p, name, "csv", &data->to);
}

void page_figure(page *p)
{
    page_put(p, "<figure>\n<div class=\"panels\">\n");
}

void page_panel(page *p, const char *name, figure *f)
{
    page_put(p, "<div>");
    text_add_bytes(&p->html, f->svg.at, f->svg.length);
    page_put(p, "</div>\n");
    text_print(&p->files, "%s<span>%s:", p->files.length ? "; " : "", name);
    drawing_files(p, name, f->svg.at, true);
    data_file(p, name, &f->data);
    text_add(&p->files, "</span>");
    figure_free(f);
}

void page_panel_of_whole(page *p, const char *name, figure *f)
{
    if (p->whole_count < PAGE_PANELS) {
        text *kept = &p->whole[p->whole_count++];
        text_add_bytes(kept, f->svg.at, f->svg.length);
    }
    page_panel(p, name, f);
}

void page_whole(page *p, const char *name, const char *title)
{
    text svg = {NULL, 0, 0};
    if (!p->whole_count) return;
    export_panels(&svg, p->whole, p->whole_count, p->whole_count > 8 ? 3 : 2, title);
    page_put(
        p, "<p class=\"files\" id=\"whole\">The whole result as one figure, panels with letters:");
    drawing_files(p, name, svg.at, true);
    text_add_bytes(&p->html, p->files.at, p->files.length);
    p->files.length = 0;
    page_put(p, "</p>\n");
    text_free(&svg);
}

void page_free(page *p)
{
    for (size_t i = 0; i < p->whole_count; i++) text_free(&p->whole[i]);
    text_free(&p->files);
    text_free(&p->html);
}

/* How many bytes of s, in which a word begins, are a spelling of a word of the glossary; 0: none.
   The longest counts: 'rank difference' is not 'difference'. */
static size_t spelling_at(const page_word *list, const char *s, size_t *which)
{
    size_t most = 0;
    for (size_t k = 0; list[k].id; k++)
        for (size_t i = 0; i < PAGE_SPELLINGS && list[k].said[i]; i++) {
            const char *said = list[k].said[i];
            size_t n = 0;
            while (said[n] && (said[n] == s[n] || (!n && toupper((unsigned char)said[0]) == s[0])))
                n++;
            if (said[n] || isalnum((unsigned char)s[n]) || n <= most) continue;
            most = n;
            *which = k;
        }
    return most;
}

/* The caption, the first of each word of the glossary as a link to it. */
static void caption_linked(page *p, const char *html)
{
    unsigned long linked = 0; /* a bit a word */
    size_t which = 0, n;
    bool begins = true; /* a word may begin here */
    for (const char *s = html; *s; s += n) {
        n = 1;
        if (*s == '<') n = strcspn(s, ">");
        else if (begins && p->glossary && (n = spelling_at(p->glossary, s, &which)) == 0) n = 1;
        const bool word = n > 1 && *s != '<' && !(linked >> which & 1);
        if (word) text_print(&p->html, "<a href=\"#word-%s\">", p->glossary[which].id);
        text_add_bytes(&p->html, s, n);
        if (word) page_put(p, "</a>");
        if (word) linked |= 1ul << which;
        begins = *s != '<' && !isalnum((unsigned char)s[n - 1]) && s[n - 1] != '-';
    }
}

/* The caption goes with its figure on paper: both are one block. */
void page_figure_end(page *p, const char *caption)
{
    text_print(&p->html, "</div>\n<figcaption><b>Figure %u.</b> ", ++p->figures);
    caption_linked(p, caption);
    page_put(p, "</figcaption>\n");
    if (p->files.length) {
        page_put(p, "<p class=\"files\">");
        text_add_bytes(&p->html, p->files.at, p->files.length);
        page_put(p, "</p>\n");
    }
    p->files.length = 0;
    page_put(p, "</figure>\n");
}

/* ---- tables ----------------------------------------------------------------------------- */

void page_table(page *p, const char *class_name, const char *label, const char *caption)
{
    page_put(p, "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"");
    page_text(p, label);
    page_put(p, "\"><table");
    if (class_name) text_print(&p->html, " class=\"%s\"", class_name);
    text_print(&p->html, "><caption><b>Table %u.</b> ", ++p->tables);
    page_text(p, caption);
    page_put(p, "</caption><thead><tr>");
}

void page_table_head(page *p, const char *words)
{
    page_put(p, "<th scope=\"col\">");
    page_text(p, words);
    page_put(p, "</th>");
}

void page_table_head_words(page *p, const char *words)
{
    page_put(p, "<th scope=\"col\" class=\"words\">");
    page_text(p, words);
    page_put(p, "</th>");
}

void page_table_body(page *p)
{
    page_put(p, "</tr></thead><tbody>\n");
}

void page_table_end(page *p)
{
    page_put(p, "</tbody></table></div>\n");
}

void page_row(page *p, const char *words)
{
    page_put(p, "<tr><th scope=\"row\" class=\"words\">");
    page_text(p, words);
    page_put(p, "</th>");
}

void page_row_end(page *p)
{
    page_put(p, "</tr>\n");
}

void page_cell(page *p, double value)
{
    page_put(p, "<td>");
    page_number(p, value);
    page_put(p, "</td>");
}

void page_cell_words(page *p, const char *words)
{
    page_put(p, "<td class=\"words\">");
    page_text(p, words);
    page_put(p, "</td>");
}

void page_cell_interval(page *p, double low, double high)
{
    page_put(p, "<td>");
    page_number(p, low);
    if (isfinite(low) && isfinite(high)) {
        page_put(p, " to ");
        page_number(p, high);
    }
    page_put(p, "</td>");
}

void page_cell_estimate(page *p, double value, double low, double high)
{
    page_put(p, "<td>");
    page_number(p, value);
    if (isfinite(low) && isfinite(high)) {
        page_put(p, " (");
        page_number(p, low);
        page_put(p, " to ");
        page_number(p, high);
        page_put(p, ")");
    }
    page_put(p, "</td>");
}

void page_cell_correlation(page *p, double v)
{
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
