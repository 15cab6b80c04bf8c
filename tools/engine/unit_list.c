/* unit_list.c - reads lists of units. */
#include "engine/unit_list.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

typedef struct span { size_t first, last; } span;

static bool read_number(const char **at, size_t *value) {
    char *end;
    if (!isdigit((unsigned char)**at)) return false;
    const unsigned long long number = strtoull(*at, &end, 10);
    *value = number < SIZE_MAX ? (size_t)number : SIZE_MAX;
    *at = end;
    return true;
}

/* N, N-M or *: all of first .. last. */
static bool read_span(const char **at, size_t first, size_t last, span *s) {
    if (**at == '*') {
        ++*at;
        s->first = first;
        s->last = last;
        return true;
    }
    if (!read_number(at, &s->first)) return false;
    s->last = s->first;
    if (**at != '-') return true;
    ++*at;
    return read_number(at, &s->last) && s->last >= s->first;
}

bool unit_list_parse(const char *words, size_t first_layer, size_t layers, size_t per_layer,
                     bool *chosen, problem *why) {
    const size_t last_layer = first_layer + layers - 1;
    memset(chosen, 0, layers * per_layer * sizeof *chosen);
    for (const char *at = words;; at++) {
        const char *const part = at;
        const int length = (int)strcspn(part, ",");
        span layer, index;
        if (!read_span(&at, first_layer, last_layer, &layer) || *at++ != '.' ||
            !read_span(&at, 0, per_layer - 1, &index) || (*at && *at != ','))
            return problem_set(why, "'%.*s' is not a list of units (LAYER.INDEX, with ranges and stars: "
                               "10-20.*,3.0-2)", length > 80 ? 80 : length, part);
        if (layer.first < first_layer || layer.last > last_layer || index.last >= per_layer)
            return problem_set(why, "unit %.*s does not exist: layers are %zu to %zu, units of a layer 0 "
                               "to %zu", length > 80 ? 80 : length, part, first_layer, last_layer,
                               per_layer - 1);
        for (size_t l = layer.first - first_layer; l <= layer.last - first_layer; l++)
            for (size_t i = index.first; i <= index.last; i++) chosen[l * per_layer + i] = true;
        if (!*at) return true;
    }
}
