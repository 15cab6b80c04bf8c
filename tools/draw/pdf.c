/* pdf.c - a drawing of ours as a PDF of one page: lines, areas and writing stay vectors. Writing
   uses Helvetica and Symbol, which every reader of PDF has (ISO 32000-1, 9.6.2.2); what these lack
   (other alphabets) becomes '?', and is whole in the SVG. A picture's compressed rows go in as they
   stand in the PNG (Predictor 15). */
#include "draw/draw.h"
#include "draw/export.h"
#include "draw/walk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PDF_IMAGES = 32, PDF_OBJECTS = 8 + PDF_IMAGES };

typedef struct pdf {
    text page;              /* the drawing's operators */
    text image[PDF_IMAGES]; /* objects */
    int images;
    bool alpha[101]; /* opacities in use, per cent */
} pdf;

/* ---- numbers, colours ------------------------------------------------------------------- */

static void number(text *t, double v)
{
    svg_coordinate(t, v);
    text_add(t, " ");
}

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 0;
}

static void colour_of(text *t, const char *name, const char *operator_name)
{
    const bool brief = strlen(name) == 4;
    for (int i = 0; i < 3; i++) {
        const char *at = name + 1 + (brief ? i : 2 * i);
        text_print(t, "%.3f ", (16 * hex(at[0]) + hex(brief ? at[0] : at[1])) / 255.0);
    }
    text_print(t, "%s\n", operator_name);
}

static void opacity(pdf *p, double fill, double stroke)
{
    const int a = (int)(100 * fill + 0.5), b = (int)(100 * stroke + 0.5);
    p->alpha[a] = p->alpha[b] = true;
    text_print(&p->page, "/f%d gs /s%d gs\n", a, b);
}

/* ---- paths ------------------------------------------------------------------------------ */

static void circle_path(text *t, double x, double y, double r)
{
    const double k = 0.5522847498 * r; /* four Bezier arcs, off by 0.03 % of the radius */
    const double point[4][6] = {{x + r, y + k, x + k, y + r, x, y + r},
                                {x - k, y + r, x - r, y + k, x - r, y},
                                {x - r, y - k, x - k, y - r, x, y - r},
                                {x + k, y - r, x + r, y - k, x + r, y}};
    number(t, x + r);
    number(t, y);
    text_add(t, "m ");
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 6; j++) number(t, point[i][j]);
        text_add(t, "c ");
    }
    text_add(t, "h\n");
}

static void pair(text *t, double x, double y, const char *operator_name)
{
    number(t, x);
    number(t, y);
    text_print(t, "%s ", operator_name);
}

/* M, L, Q and Z with absolute coordinates: all that the figures write. */
static void path(text *t, piece d)
{
    double now[2] = {0, 0}, v[4];
    char verb = 'M';
    for (const char *s = d.at, *end = d.at + d.n; s < end;) {
        if (strchr("MLQZ ,\n", *s)) {
            if (*s == 'Z') text_add(t, "h ");
            if (strchr("MLQZ", *s)) verb = *s;
            s++;
            continue;
        }
        const int n = verb == 'Q' ? 4 : 2;
        for (int i = 0; i < n; i++) {
            char *after;
            v[i] = strtod(s, &after);
            if (after == s) return;
            for (s = after; s < end && (*s == ' ' || *s == ','); s++) {}
        }
        if (verb == 'Q') { /* a quadratic curve as a cubic one */
            for (int i = 0; i < 2; i++) number(t, now[i] + 2.0 / 3 * (v[i] - now[i]));
            for (int i = 0; i < 2; i++) number(t, v[2 + i] + 2.0 / 3 * (v[i] - v[2 + i]));
            pair(t, v[2], v[3], "c");
        } else {
            pair(t, v[0], v[1], verb == 'M' ? "m" : "l");
        }
        memcpy(now, v + n - 2, sizeof now);
    }
    text_add(t, "\n");
}

static void rectangle(text *t, const element *e)
{
    number(t, walk_number(e, "x", 0));
    number(t, walk_number(e, "y", 0));
    number(t, walk_number(e, "width", 0));
    number(t, walk_number(e, "height", 0));
    text_add(t, "re\n");
}

static void outline(text *t, const element *e)
{
    if (walk_is(e, "rect")) {
        rectangle(t, e);
    } else if (walk_is(e, "circle")) {
        circle_path(t, walk_number(e, "cx", 0), walk_number(e, "cy", 0), walk_number(e, "r", 0));
    } else if (walk_is(e, "line")) {
        pair(t, walk_number(e, "x1", 0), walk_number(e, "y1", 0), "m");
        pair(t, walk_number(e, "x2", 0), walk_number(e, "y2", 0), "l");
    } else {
        path(t, walk_value(e, "d"));
    }
}

/* The hatching of report_figure_defs, over a rectangle. */
static void hatched(text *t, const element *e)
{
    const double x = walk_number(e, "x", 0), y = walk_number(e, "y", 0),
                 w = walk_number(e, "width", 0), h = walk_number(e, "height", 0),
                 step = 6 * 1.4142135624;
    if (!walk_is(e, "rect")) return;
    text_add(t, "q ");
    rectangle(t, e);
    text_add(t, "W n 0.91 0.91 0.92 rg ");
    rectangle(t, e);
    text_add(t, "f 0.486 0.502 0.533 RG 1 w\n");
    for (double at = step * floor((x + y) / step); at < x + y + w + h; at += step) {
        pair(t, at - y, y, "m");
        pair(t, at - y - h, y + h, "l");
    }
    text_add(t, "S Q\n");
}

static void stroke_state(text *t, const looks *k)
{
    colour_of(t, k->stroke, "RG");
    text_print(t, "%g w [%s] 0 d %d j\n", k->width, k->dash ? k->dash : "", k->round ? 1 : 0);
}

static void shape(pdf *p, const element *e, int style)
{
    const looks k = walk_looks(e, style);
    const char *fill = k.fill ? k.fill : k.own_fill;
    const bool drawn = strcmp(k.stroke, "none") != 0;
    if (!strcmp(fill, "hatch")) {
        opacity(p, 1, 1);
        hatched(&p->page, e);
        fill = walk_is(e, "rect") ? "none" : "#dddee0"; /* a node is too small for lines */
    }
    const bool filled = strcmp(fill, "none") && !walk_is(e, "line");
    if (!filled && !drawn) return;
    opacity(p, k.fill_opacity, k.stroke_opacity);
    if (filled) colour_of(&p->page, fill, "rg");
    if (drawn) stroke_state(&p->page, &k);
    outline(&p->page, e);
    text_add(&p->page, filled && drawn ? "B\n" : filled ? "f\n" : "S\n");
}

/* ---- writing ---------------------------------------------------------------------------- */

/* Widths of Helvetica from ' ' to '~' in thousandths of its size (Adobe's metrics of the standard
   fonts). */
static const short width_of[95] = {
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333,  278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667,  611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278,  556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500,  500, 334, 260, 334, 584};

/* A letter's byte in WinAnsi (Helvetica) or, with `symbol`, in Symbol. */
typedef struct glyph {
    uint32_t letter;
    unsigned char byte;
    bool symbol;
    short width;
} glyph;
static const glyph glyph_list[] = {
    {0x2013, 0x96, false, 556},  {0x2014, 0x97, false, 1000}, {0x2018, 0x91, false, 222},
    {0x2019, 0x92, false, 222},  {0x201c, 0x93, false, 333},  {0x201d, 0x94, false, 333},
    {0x2026, 0x85, false, 1000}, {0x2212, 0x96, false, 556},  {0x2264, 0xa3, true, 549},
    {0x2265, 0xb3, true, 549},   {0x3c1, 0x72, true, 549},    {0x3c4, 0x74, true, 439},
    {0x394, 0x44, true, 612},    {0x25cf, 0xb7, true, 460},   {0x221e, 0xa5, true, 713},
};

static glyph glyph_of(uint32_t letter)
{
    for (size_t i = 0; i < sizeof glyph_list / sizeof glyph_list[0]; i++)
        if (glyph_list[i].letter == letter) return glyph_list[i];
    if (letter >= 32 && letter < 127)
        return (glyph){letter, (unsigned char)letter, false, width_of[letter - 32]};
    if (letter >= 0xa0 && letter < 0x100) return (glyph){letter, (unsigned char)letter, false, 556};
    return (glyph){letter, '?', false, 556};
}

/* The next letter of XML text: UTF-8, or one of the four names that svg.c writes. */
static uint32_t next_letter(const char **s, const char *end)
{
    static const struct {
        const char *name;
        char is;
    } entity[] = {{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}};
    for (size_t i = 0; i < 4; i++) {
        const size_t n = strlen(entity[i].name);
        if ((size_t)(end - *s) < n || strncmp(*s, entity[i].name, n)) continue;
        *s += n;
        return (uint32_t)entity[i].is;
    }
    const unsigned char *u = (const unsigned char *)*s;
    const size_t n = utf8_length(u, (size_t)(end - *s));
    *s += n ? n : 1;
    if (n < 2) return n ? u[0] : '?';
    uint32_t letter = u[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) letter = letter << 6 | (u[i] & 0x3fu);
    return letter;
}

static double words_width(piece words, double size)
{
    double sum = 0;
    for (const char *s = words.at, *end = s + words.n; s < end;)
        sum += glyph_of(next_letter(&s, end)).width;
    return sum * size / 1000;
}

/* Pieces of one font: "/F1 12 Tf (...) Tj". */
static void show(text *t, piece words, const char *plain_font, double size)
{
    int font = -1;
    for (const char *s = words.at, *end = s + words.n; s < end;) {
        const glyph g = glyph_of(next_letter(&s, end));
        if (font != (int)g.symbol)
            text_print(t, "%s/%s %g Tf (", font < 0 ? "" : ") Tj ", g.symbol ? "FS" : plain_font,
                       size);
        font = (int)g.symbol;
        if (strchr("()\\", g.byte)) text_print(t, "\\%c", g.byte);
        else if (g.byte < 127) text_add_bytes(t, &g.byte, 1);
        else text_print(t, "\\%03o", g.byte);
    }
    if (font >= 0) text_add(t, ") Tj\n");
}

/* The numbers of "translate(X Y) rotate(A)". */
static void transform_of(const element *e, double to[3])
{
    const piece p = walk_value(e, "transform");
    const char *move = p.n ? strstr(p.at, "translate(") : NULL,
               *turn = p.n ? strstr(p.at, "rotate(") : NULL;
    char *end = NULL;
    to[0] = to[1] = to[2] = 0;
    if (move && move < p.at + p.n) {
        to[0] = strtod(move + 10, &end);
        to[1] = strtod(end, NULL);
    }
    if (turn && turn < p.at + p.n) to[2] = strtod(turn + 7, NULL);
}

static void writing(pdf *p, const element *e, int style)
{
    const looks k = walk_looks(e, style);
    const piece anchor = walk_value(e, "text-anchor");
    const double share = piece_is(anchor, "middle") ? 0.5 : piece_is(anchor, "end") ? 1 : 0;
    double at[3];
    transform_of(e, at);
    const double a = at[2] * 3.14159265358979323846 / 180, c = cos(a), s = sin(a);
    const double back = share * words_width(e->words, k.size);
    const double x = at[0] + walk_number(e, "x", 0) - back * c,
                 y = at[1] + walk_number(e, "y", 0) - back * s;
    const char *font = k.weight > 400 ? "FB" : "FR";
    opacity(p, 1, 1);
    for (int pass = k.halo ? 0 : 1; pass < 2; pass++) {
        if (pass == 0) stroke_state(&p->page, &k);
        else colour_of(&p->page, k.fill ? k.fill : k.own_fill, "rg");
        /* the page is upside down (y grows downwards), letters are not */
        text_print(&p->page, "BT %d Tr %.4f %.4f %.4f %.4f %.2f %.2f Tm\n", pass == 0 ? 1 : 0, c, s,
                   s, -c, x, y);
        show(&p->page, e->words, font, k.size);
        text_add(&p->page, "ET\n");
    }
}

/* ---- pictures --------------------------------------------------------------------------- */

static uint32_t big32(const unsigned char *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void decoded(text *to, piece base64)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned char value[256] = {0};
    for (unsigned i = 0; i < 64; i++) value[(unsigned char)digit[i]] = (unsigned char)i;
    for (size_t i = 0; i + 4 <= base64.n; i += 4) {
        uint32_t v = 0;
        for (size_t j = 0; j < 4; j++) v = v << 6 | value[(unsigned char)base64.at[i + j]];
        const unsigned char three[3] = {(unsigned char)(v >> 16), (unsigned char)(v >> 8),
                                        (unsigned char)v};
        text_add_bytes(to, three, base64.at[i + 2] == '=' ? 1 : base64.at[i + 3] == '=' ? 2 : 3);
    }
}

/* The PNG that png.c made as an object of the file; false when it is none. */
static bool image_object(text *to, piece base64)
{
    text png = {NULL, 0, 0}, palette = {NULL, 0, 0}, rows = {NULL, 0, 0};
    unsigned width = 0, height = 0;
    decoded(&png, base64);
    for (size_t at = 8; at + 12 <= png.length;) {
        const unsigned char *chunk = (const unsigned char *)png.at + at;
        const size_t n = big32(chunk);
        if (n > png.length - at - 12) break;
        if (!memcmp(chunk + 4, "IHDR", 4)) width = big32(chunk + 8), height = big32(chunk + 12);
        if (!memcmp(chunk + 4, "PLTE", 4)) text_add_bytes(&palette, chunk + 8, n);
        if (!memcmp(chunk + 4, "IDAT", 4)) text_add_bytes(&rows, chunk + 8, n);
        at += n + 12;
    }
    text_print(to,
               "<< /Type /XObject /Subtype /Image /Width %u /Height %u /BitsPerComponent 8 /Mask "
               "[255 255] "
               "/ColorSpace [/Indexed /DeviceRGB 255 <",
               width, height);
    for (size_t i = 0; i < palette.length; i++)
        text_print(to, "%02x", (unsigned char)palette.at[i]);
    text_print(to,
               ">] /Filter /FlateDecode /DecodeParms << /Predictor 15 /Colors 1 /Columns %u >> "
               "/Length %zu >>\nstream\n",
               width, rows.length);
    text_add_bytes(to, rows.at, rows.length);
    text_add(to, "\nendstream");
    const bool good = palette.length == 768 && rows.length;
    text_free(&png);
    text_free(&palette);
    text_free(&rows);
    return good;
}

static void image(pdf *p, const element *e)
{
    static const char before[] = "data:image/png;base64,";
    piece data = walk_value(e, "xlink:href");
    const size_t n = sizeof before - 1;
    if (p->images == PDF_IMAGES || data.n < n || memcmp(data.at, before, n)) return;
    data.at += n;
    data.n -= n;
    if (!image_object(&p->image[p->images], data)) return;
    const double h = walk_number(e, "height", 0);
    opacity(p, 1, 1);
    text_print(&p->page, "q %.6g 0 0 %.6g %.6g %.6g cm /I%d Do Q\n", walk_number(e, "width", 0), -h,
               walk_number(e, "x", 0), walk_number(e, "y", 0) + h, p->images++);
}

/* ---- the file --------------------------------------------------------------------------- */

static void draw(pdf *p, const char *svg)
{
    int style[WALK_DEPTH] = {-1}, depth = 0;
    element e;
    while (walk_next(&svg, &e)) {
        if (walk_is(&e, "g") && e.is_end && depth) {
            depth--;
            text_add(&p->page, "Q\n");
        } else if (walk_is(&e, "g") && !e.is_end && depth + 1 < WALK_DEPTH) {
            double at[3];
            const int own = walk_style(&e);
            transform_of(&e, at);
            text_print(&p->page, "q 1 0 0 1 %.2f %.2f cm\n", at[0], at[1]);
            style[depth + 1] = own >= 0 ? own : style[depth];
            depth++;
        } else if (walk_is(&e, "text") && !e.is_end) {
            writing(p, &e, style[depth]);
        } else if (walk_is(&e, "image")) {
            image(p, &e);
        } else if (!e.is_end && (walk_is(&e, "rect") || walk_is(&e, "line") ||
                                 walk_is(&e, "circle") || walk_is(&e, "path"))) {
            shape(p, &e, style[depth]);
        }
    }
}

static void begin_object(text *to, size_t *offset, int n)
{
    offset[n] = to->length;
    text_print(to, "%d 0 obj\n", n);
}

static void resources(text *to, const pdf *p, int first_image)
{
    static const char *const font[3][3] = {{"FR", "Helvetica", " /Encoding /WinAnsiEncoding"},
                                           {"FB", "Helvetica-Bold", " /Encoding /WinAnsiEncoding"},
                                           {"FS", "Symbol", ""}};
    text_add(to, "<< /Font <<");
    for (int i = 0; i < 3; i++)
        text_print(to, " /%s << /Type /Font /Subtype /Type1 /BaseFont /%s%s >>", font[i][0],
                   font[i][1], font[i][2]);
    text_add(to, " >> /ExtGState <<");
    for (int a = 0; a <= 100; a++)
        if (p->alpha[a])
            text_print(to, " /f%d << /ca %.2f >> /s%d << /CA %.2f >>", a, a / 100.0, a, a / 100.0);
    text_add(to, " >> /XObject <<");
    for (int i = 0; i < p->images; i++) text_print(to, " /I%d %d 0 R", i, first_image + i);
    text_add(to, " >> >>");
}

void export_pdf(text *to, const char *svg)
{
    enum { CATALOGUE = 1, PAGES, PAGE, CONTENTS, IMAGE };
    static const double points = 0.75; /* of a pixel: 96 to the inch */
    size_t offset[PDF_OBJECTS] = {0};
    pdf *p = tool_alloc(1, sizeof *p);
    memset(p, 0, sizeof *p);
    double size[2];
    export_size(svg, size);
    text_print(&p->page, "%g 0 0 %g 0 %.4f cm\n", points, -points, points * size[1]);
    draw(p, svg);
    text_add(to, "%PDF-1.4\n%\xe2\xe3\xcf\xd3\n");
    begin_object(to, offset, CATALOGUE);
    text_print(to, "<< /Type /Catalog /Pages %d 0 R >>\nendobj\n", PAGES);
    begin_object(to, offset, PAGES);
    text_print(to, "<< /Type /Pages /Kids [%d 0 R] /Count 1 >>\nendobj\n", PAGE);
    begin_object(to, offset, PAGE);
    text_print(
        to, "<< /Type /Page /Parent %d 0 R /MediaBox [0 0 %.4f %.4f] /Contents %d 0 R /Resources ",
        PAGES, points * size[0], points * size[1], CONTENTS);
    resources(to, p, IMAGE);
    text_add(to, " >>\nendobj\n");
    begin_object(to, offset, CONTENTS);
    text_print(to, "<< /Length %zu >>\nstream\n", p->page.length);
    text_add_bytes(to, p->page.at, p->page.length);
    text_add(to, "endstream\nendobj\n");
    for (int i = 0; i < p->images; i++) {
        begin_object(to, offset, IMAGE + i);
        text_add_bytes(to, p->image[i].at, p->image[i].length);
        text_add(to, "\nendobj\n");
    }
    const size_t table = to->length;
    text_print(to, "xref\n0 %d\n0000000000 65535 f \n", IMAGE + p->images);
    for (int i = 1; i < IMAGE + p->images; i++) text_print(to, "%010zu 00000 n \n", offset[i]);
    text_print(to, "trailer\n<< /Size %d /Root %d 0 R >>\nstartxref\n%zu\n%%%%EOF\n",
               IMAGE + p->images, CATALOGUE, table);
    for (int i = 0; i < PDF_IMAGES; i++) text_free(&p->image[i]);
    text_free(&p->page);
    free(p);
}
