/* style.c - how the report looks: light, dark, print, narrow and wide. One palette and one table of
   the looks of elements serve the page (as CSS) and the exported drawings (export.c). */
#include "draw/page.h"
#include "draw/style.h"

#include <stdlib.h>
#include <string.h>

/* ---- the palette ----------------------------------------------------------------------- */

const paint palette_list[] = {
    {"ink", "#1d1f23", "#e6e6e3", "#000"},      {"soft", "#5b6069", "#a2a6ad", "#444"},
    {"hair", "#d9dbdf", "#3a3d43", "#ccc"},     {"paper", "#fff", "#17181b", "#fff"},
    {"one", "#c2571a", "#f0975a", "#b04a10"},   {"two", "#2f6db3", "#7fb2ec", "#1f5a9d"},
    {"three", "#17785f", "#5cc7a5", "#17785f"}, {"four", "#8a4a9e", "#cf9be0", "#8a4a9e"},
    {"five", "#86650a", "#d9b84a", "#86650a"},  {"six", "#0f7d99", "#67c9e2", "#0f7d99"},
};
enum {
    PAINTS = sizeof palette_list / sizeof palette_list[0],
    LINE_PAINTS = 6,
    FIRST_LINE_PAINT = 4
};

/* ---- the looks of elements ------------------------------------------------------------- */

/* "s" is the colour of the group; looks further down win where an element has several. */
static const look look_list[] = {
    /* class    fill     stroke   width dash     fill op. stroke op. size weight crisp */
    {"tick", "soft", NULL, 0, NULL, 1, 1, 11, 0},
    {"label", "ink", NULL, 0, NULL, 1, 1, 12, 0},
    {"key", "ink", NULL, 0, NULL, 1, 1, 11, 0},
    {"head", "ink", NULL, 0, NULL, 1, 1, 13, 600},
    {"letter", "ink", NULL, 0, NULL, 1, 1, 17, 700},
    {"halo", NULL, "paper", 4, NULL, 1, 1, 0, 0},
    {"axis", NULL, "soft", 1, NULL, 1, 1, 0, 0},
    {"grid", NULL, "hair", 0.75, NULL, 1, 1, 0, 0},
    {"shade", "ink", NULL, 0, NULL, 0.04, 1, 0, 0},
    {"band", "one", NULL, 0, NULL, 0.15, 1, 0, 0},
    {"curve", "none", "one", 1.75, NULL, 1, 1, 0, 0},
    {"point", "one", NULL, 0, NULL, 1, 1, 0, 0},
    {"other", "none", "two", 1.4, NULL, 1, 1, 0, 0},
    {"fit", "none", "soft", 1.25, "5 4", 1, 1, 0, 0},
    {"dot", NULL, "paper", 0.6, NULL, 1, 1, 0, 0},
    {"missing", "hatch", NULL, 0, NULL, 1, 1, 0, 0},
    {"line", "none", "s", 1.6, NULL, 1, 1, 0, 0},
    {"area", "s", NULL, 0, NULL, 0.13, 1, 0, 0},
    {"end", "s", NULL, 0, NULL, 1, 1, 0, 0},
    {"leader", NULL, "s", 0.6, NULL, 1, 0.6, 0, 0},
    {"edge", "none", "s", 0.8, NULL, 1, 1, 0, 0},
    {"node", NULL, "soft", 0.4, NULL, 1, 1, 0, 0},
    {"border", "none", "soft", 0.75, NULL, 1, 1, 0, 0},
};
enum { LOOKS = sizeof look_list / sizeof look_list[0] };

static const char font_family[] =
    "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,"
    "'Noto Sans','DejaVu Sans',sans-serif";

const look *look_find(const char *class_name, size_t n)
{
    for (size_t i = 0; i < LOOKS; i++)
        if (strlen(look_list[i].name) == n && !memcmp(look_list[i].name, class_name, n))
            return &look_list[i];
    return NULL;
}

/* Twelve styles of six colours and four dashes, no two alike, and a grey one. */
const char *line_style_paint(int style)
{
    return style >= 0 && style < 2 * LINE_PAINTS
               ? palette_list[FIRST_LINE_PAINT + style % LINE_PAINTS].name
               : "soft";
}

const char *line_style_dash(int style)
{
    static const char *const dash[4] = {NULL, "7 3", "2 2.5", "8 3 2 3"};
    static const char which[2 * LINE_PAINTS] = {0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3};
    return style >= 0 && style < 2 * LINE_PAINTS ? dash[(int)which[style]] : NULL;
}

const char *paint_light(const char *name)
{
    for (size_t i = 0; i < PAINTS; i++)
        if (!strcmp(palette_list[i].name, name)) return palette_list[i].light;
    return name;
}

static const char report_words_style[] =
    ".files{font:.78rem/1.5 system-ui,-apple-system,'Segoe "
    "UI',Roboto,Arial,sans-serif;color:var(--soft);margin:.3em 0}"
    "dfn{font-style:normal;font-weight:600}.glossary dt{font-weight:600}.glossary dd{margin:0 0 "
    ".6em;max-width:44rem}"
    ".glossary :target{background:var(--shade)}\n";

static const char report_print_style[] =
    "body{font-size:10pt;max-width:none;padding:0}"
    "nav,.skip,.told,.files{display:none}figure,table,.facts{break-inside:avoid}"
    "h2,h3{break-after:avoid}.panels{grid-template-columns:1fr 1fr;break-after:avoid}"
    ".panels:has(>:nth-child(7)){grid-template-columns:1fr 1fr 1fr}"
    "figcaption{break-before:avoid;break-inside:avoid}.panels svg{max-height:68mm}"
    ".wide{overflow:visible}table,th{font-size:7.5pt}th,td{padding:.15em .4em;white-space:normal}"
    /* a table of many columns ends at the edge of the paper, its heads broken where they must be */
    "table:has(thead th:nth-child(14)) :is(th,td){font-size:5.6pt;padding:.15em .2em}"
    "table:has(thead th:nth-child(14)) thead "
    "th{font-size:4.1pt;overflow-wrap:anywhere;hyphens:auto}"
    "table:has(thead th:nth-child(14)) tbody th{width:8%;white-space:normal}"
    "svg *{-webkit-print-color-adjust:exact;print-color-adjust:exact}}\n";

/* ---- as CSS ----------------------------------------------------------------------------- */

enum theme { LIGHT, DARK, PRINT };

static void variables(text *t, enum theme theme)
{
    text_add(t, ":root{");
    for (size_t i = 0; i < PAINTS; i++) {
        const paint *c = &palette_list[i];
        text_print(t, "--%s:%s;", c->name,
                   theme == LIGHT  ? c->light
                   : theme == DARK ? c->dark
                                   : c->print);
    }
    text_add(t, "}");
}

static void paint_css(text *t, const char *what, const char *name)
{
    if (!name) return;
    if (!strcmp(name, "none")) text_print(t, "%s:none;", what);
    else if (!strcmp(name, "hatch")) text_print(t, "%s:url(#hatch);", what);
    else text_print(t, "%s:var(--%s);", what, name);
}

static void look_css(text *t, const look *k)
{
    text_print(t, "svg .%s{", k->name);
    paint_css(t, "fill", k->fill);
    paint_css(t, "stroke", k->stroke);
    if (k->width > 0) text_print(t, "stroke-width:%g;", k->width);
    if (k->dash) text_print(t, "stroke-dasharray:%s;", k->dash);
    if (k->fill_opacity < 1) text_print(t, "fill-opacity:%g;", k->fill_opacity);
    if (k->stroke_opacity < 1) text_print(t, "stroke-opacity:%g;", k->stroke_opacity);
    if (k->size > 0) text_print(t, "font-size:%gpx;", k->size);
    if (k->weight) text_print(t, "font-weight:%d;", k->weight);
    text_add(t, "}\n");
}

void style_figures(text *t)
{
    variables(t, LIGHT);
    text_add(t, "\n@media (prefers-color-scheme:dark){");
    variables(t, DARK);
    text_print(t, "}\nsvg text{font-family:%s;fill:var(--ink)}\n", font_family);
    for (size_t i = 0; i < LOOKS; i++) look_css(t, &look_list[i]);
    text_add(t, "svg .halo{paint-order:stroke}svg .curve,svg .line{stroke-linejoin:round}"
                "svg .cells{shape-rendering:crispEdges}svg image{image-rendering:pixelated}\n");
    for (int k = 0; k <= 2 * LINE_PAINTS; k++) {
        text_print(t, "svg .s%d{--s:var(--%s)}", k, line_style_paint(k));
        if (line_style_dash(k))
            text_print(t, "svg .s%d .line{stroke-dasharray:%s}", k, line_style_dash(k));
    }
    text_add(t, "\n");
}

void style_print(text *t)
{
    text_add(t, report_words_style);
    text_add(t, "@media print{");
    variables(t, PRINT);
    text_add(t, report_print_style);
}

const char report_figure_defs[] =
    "<defs><pattern id=\"hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" "
    "patternTransform=\"rotate(45)\"><rect width=\"6\" height=\"6\" fill=\"#9a9da3\" "
    "fill-opacity=\".25\"/><line x1=\"0\" y1=\"0\" x2=\"0\" y2=\"6\" stroke=\"#7c8088\" "
    "stroke-width=\"2\"/></pattern></defs>";

const char report_page_style[] =
    "html{background:var(--paper);color:var(--ink);-webkit-text-size-adjust:100%}\n"
    "body{margin:0 auto;padding:1.5rem 1.1rem 4rem;max-width:66rem;"
    "font:1.02rem/1.55 Charter,'Bitstream Charter','Iowan Old Style','Source Serif 4',Georgia,"
    "Cambria,'Noto Serif','DejaVu Serif',serif;overflow-wrap:break-word}\n"
    "h1,h2,h3,th,nav,.facts,figcaption b,summary,.eyebrow{font-family:system-ui,-apple-system,"
    "'Segoe UI',Roboto,'Helvetica Neue',Arial,'Noto Sans','DejaVu Sans',sans-serif}\n"
    "h1{font-size:1.9rem;line-height:1.2;margin:.1em 0 .2em;letter-spacing:-.01em}\n"
    "h2{font-size:1.2rem;margin:2.6em 0 .5em;padding-top:.7em;border-top:1px solid var(--hair)}\n"
    "h3{font-size:1rem;margin:1.4em 0 .3em}\n"
    "p,li{max-width:44rem}p{margin:.6em 0}ul{padding-left:1.2em}li{margin:0 0 .6em}\n"
    ".eyebrow{font-size:.8rem;letter-spacing:.06em;text-transform:uppercase;color:var(--soft);"
    "margin:0}\n"
    ".identity{color:var(--soft);margin:.2em 0 1.2em}\n"
    ".finding{font-size:1.2rem;line-height:1.5;max-width:48rem;border-left:3px solid var(--one);"
    "padding:.1em 0 .1em 1rem;margin:1.2em 0}.finding p{max-width:none}\n"
    "nav{font-size:.88rem;margin:1.2em 0}nav a{margin-right:1.1em;display:inline-block}\n"
    "a{color:var(--two)}a:focus-visible,summary:focus-visible,[tabindex]:focus-visible{"
    "outline:2px solid "
    "var(--two);outline-offset:2px}\n"
    ".facts{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));"
    "gap:.9rem 1.4rem;margin:1.6em 0;padding:0;font-size:.85rem}\n"
    ".facts div{border-top:1px solid var(--hair);padding-top:.45em}\n"
    ".facts dt{color:var(--soft)}.facts dd{margin:0;font-size:1.18rem;"
    "font-variant-numeric:tabular-nums}.facts small{color:var(--soft);font-size:.8rem}\n"
    ".claims{margin:.8em 0 1.4em;font-size:.95rem}\n"
    ".claims div{border-top:1px solid var(--hair);padding:.5em 0;display:grid;gap:.1rem 1.6rem;"
    "grid-template-columns:minmax(0,1fr)}\n"
    ".claims dt{font-weight:600}.claims dd{margin:0;color:var(--soft)}"
    ".claims b{color:var(--ink);margin-right:.5em}.claims .no{color:var(--one)}.claims "
    ".yes{color:var(--two)}\n"
    ".told{font:.82rem/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;"
    "color:var(--soft);margin:.2em 0 0}\n"
    ".skip{position:absolute;left:-99rem}.skip:focus{left:.5rem;top:.5rem;background:var(--paper);"
    "padding:.3em .6em}\n"
    "figure{margin:1.4em 0 1.8em}\n"
    ".panels{display:grid;grid-template-columns:minmax(0,1fr);gap:1.1rem 1.6rem;align-items:start}"
    ".panels>div{max-width:34rem}\n"
    "@media (min-width:44rem){.panels{grid-template-columns:repeat(2,minmax(0,1fr))}"
    ".facts{grid-template-columns:repeat(4,minmax(0,1fr))}"
    ".claims div{grid-template-columns:18rem minmax(0,1fr)}}\n"
    "svg{display:block;width:100%;height:auto}\n"
    "figcaption{font-size:.92rem;line-height:1.45;color:var(--soft);max-width:48rem;"
    "margin-top:.7em}figcaption b{color:var(--ink)}\n"
    ".wide{overflow-x:auto;margin:.8em 0}\n"
    "table{border-collapse:collapse;font-size:.82rem;line-height:1.4;font-family:system-ui,"
    "-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,'Noto Sans','DejaVu Sans',sans-serif;"
    "font-variant-numeric:tabular-nums}\n"
    "caption{text-align:left;color:var(--soft);padding:.2em 0 .4em;font-size:.92rem}\n"
    "th,td{padding:.22em .7em;text-align:right;vertical-align:top;white-space:nowrap}\n"
    "th{font-weight:600;border-bottom:1px solid var(--soft);font-size:.8rem}\n"
    "th[scope=row]{border-bottom:0;font-weight:500}\n"
    "tbody tr+tr>*{border-top:1px solid var(--hair)}\n"
    "td.words,th.words{text-align:left;white-space:normal}td.long{min-width:13rem}"
    "th[scope=row].words{min-width:6.5rem}\n"
    "table.matrix td{text-align:center;min-width:2.6em}table.matrix th{text-align:left}\n"
    "table.matrix thead th{writing-mode:vertical-rl;transform:rotate(180deg);padding:.5em .2em;"
    "text-align:left;border:0;vertical-align:bottom}\n"
    "table.matrix tr+tr>*,table.matrix td{border:0}\n"
    "details{margin:.7em 0}summary{cursor:pointer;font-size:.88rem;color:var(--two)}\n"
    "code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;"
    "font-size:.84em}pre{white-space:pre-wrap;padding:.8em 1em;background:var(--shade);"
    "border:1px solid var(--hair)}\n"
    "@media (min-width:60rem){.two{columns:2;column-gap:2.4rem}.two li{break-inside:avoid}}\n";
