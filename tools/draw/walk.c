/* walk.c - the elements of our own drawings, and how each is painted. */
#include "draw/walk.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

bool piece_is(piece p, const char *s)
{
    return strlen(s) == p.n && !memcmp(p.at, s, p.n);
}

bool walk_is(const element *e, const char *name)
{
    return piece_is(e->name, name);
}

static const char *attributes(const char *s, element *e)
{
    while (*s && *s != '>') {
        if (*s == '/') {
            e->closes = true;
            s++;
        } else if (isspace((unsigned char)*s)) {
            s++;
        } else {
            const piece key = {s, strcspn(s, "=>")};
            if (strncmp(s + key.n, "=\"", 2)) return s + key.n;
            const piece value = {s + key.n + 2, strcspn(s + key.n + 2, "\"")};
            if (e->count < WALK_ATTRIBUTES) {
                e->key[e->count] = key;
                e->value[e->count++] = value;
            }
            s = value.at + value.n;
            s += *s == '"';
        }
    }
    return s;
}

bool walk_next(const char **at, element *e)
{
    const char *s = strchr(*at, '<');
    memset(e, 0, sizeof *e);
    if (!s) return false;
    s++;
    e->is_end = *s == '/';
    s += e->is_end;
    e->name.at = s;
    e->name.n = strcspn(s, " />\n");
    s = attributes(s + e->name.n, e);
    s += *s == '>';
    e->words.at = s;
    e->words.n = strcspn(s, "<");
    *at = s;
    return true;
}

piece walk_value(const element *e, const char *key)
{
    for (size_t i = 0; i < e->count; i++)
        if (piece_is(e->key[i], key)) return e->value[i];
    return (piece){"", 0};
}

double walk_number(const element *e, const char *key, double otherwise)
{
    const piece p = walk_value(e, key);
    return p.n ? strtod(p.at, NULL) : otherwise;
}

/* ---- classes ---------------------------------------------------------------------------- */

static bool next_class(piece *list, piece *one)
{
    while (list->n && *list->at == ' ') list->at++, list->n--;
    if (!list->n) return false;
    one->at = list->at;
    for (one->n = 0; one->n < list->n && one->at[one->n] != ' ';) one->n++;
    list->at += one->n;
    list->n -= one->n;
    return true;
}

int walk_style(const element *e)
{
    piece list = walk_value(e, "class"), one;
    while (next_class(&list, &one))
        if (one.n > 1 && one.at[0] == 's' && isdigit((unsigned char)one.at[1]))
            return atoi(one.at + 1);
    return -1;
}

static const char *literal(const char *name, int group_style)
{
    return paint_light(strcmp(name, "s") ? name : line_style_paint(group_style));
}

static void add_look(looks *to, const look *k, int style)
{
    if (k->fill) to->fill = literal(k->fill, style);
    if (k->stroke) to->stroke = literal(k->stroke, style);
    if (k->width > 0) to->width = k->width;
    if (k->dash) to->dash = k->dash;
    if (k->fill_opacity < 1) to->fill_opacity = k->fill_opacity;
    if (k->stroke_opacity < 1) to->stroke_opacity = k->stroke_opacity;
    if (k->size > 0) to->size = k->size;
    if (k->weight) to->weight = k->weight;
}

looks walk_looks(const element *e, int group_style)
{
    looks to = {walk_is(e, "text") ? paint_light("ink") : "#000000",
                "none",
                "",
                1,
                1,
                1,
                12,
                NULL,
                400,
                false,
                false};
    const piece fill = walk_value(e, "fill");
    if (fill.n && !strncmp(fill.at, "url(", 4)) to.fill = "hatch";
    piece list = walk_value(e, "class"), one;
    const int own = walk_style(e);
    while (next_class(&list, &one)) {
        const look *k = look_find(one.at, one.n);
        if (k) add_look(&to, k, own >= 0 ? own : group_style);
        to.halo = to.halo || piece_is(one, "halo");
        to.round = to.round || piece_is(one, "curve") || piece_is(one, "line");
        if (piece_is(one, "line")) to.dash = line_style_dash(own >= 0 ? own : group_style);
    }
    if (fill.n && fill.n < sizeof to.own_fill && *fill.at == '#') {
        memcpy(to.own_fill, fill.at, fill.n);
        to.fill = NULL; /* own_fill: the struct may move */
    }
    to.stroke_opacity = walk_number(e, "stroke-opacity", to.stroke_opacity);
    return to;
}
