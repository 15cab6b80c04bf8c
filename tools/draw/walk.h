/* walk.h - goes through the elements of a drawing that svg.c made: those elements, attributes and
   paths only that the program itself writes. */
#ifndef SYNERGY_WALK_H
#define SYNERGY_WALK_H

#include "base/tool.h"
#include "draw/style.h"

enum { WALK_ATTRIBUTES = 16, WALK_DEPTH = 16 };

typedef struct piece {
    const char *at;
    size_t n;
} piece;

typedef struct element {
    piece name; /* "circle" */
    piece key[WALK_ATTRIBUTES], value[WALK_ATTRIBUTES];
    size_t count;
    bool closes, is_end; /* <x/>, </x> */
    piece words;         /* text that follows up to the next mark, as it is written */
} element;

/* The next element; false at the end. `*at` moves on. */
bool walk_next(const char **at, element *e);
bool walk_is(const element *e, const char *name);
piece walk_value(const element *e, const char *key); /* n 0: not there */
double walk_number(const element *e, const char *key, double otherwise);
bool piece_is(piece p, const char *s);

/* How an element is painted, when its classes, its group and its own attributes have been looked
   at. */
typedef struct looks {
    const char *fill, *stroke; /* "#rrggbb", "none" or "hatch" */
    char own_fill[16];
    double width, fill_opacity, stroke_opacity, size;
    const char *dash;
    int weight;
    bool halo, round;
} looks;
looks walk_looks(const element *e, int group_style);
/* The style N of class "sN", -1 when there is none. */
int walk_style(const element *e);

#endif
