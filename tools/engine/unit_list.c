/* unit_list.c - names of units, and lists of them. */
#include "engine/unit_list.h"
#include "engine/choices.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

typedef struct span {
    size_t first, last;
} span;

void unit_name(bool experts, size_t layer, size_t index, char to[UNIT_NAME])
{
    snprintf(to, UNIT_NAME, "L%zu%c%zu", layer, experts ? 'E' : 'H', index);
}

static bool read_number(const char **at, size_t *value)
{
    char *end;
    if (!isdigit((unsigned char)**at)) return false;
    const unsigned long long number = strtoull(*at, &end, 10);
    *value = number < SIZE_MAX ? (size_t)number : SIZE_MAX;
    *at = end;
    return true;
}

/* N, N-M or *: all of first .. last. */
static bool read_span(const char **at, size_t first, size_t last, span *s)
{
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

/* 'H' or 'E' between the numbers of a name that begins with L, '.' of an older one; 0 where neither
   is. */
static char read_kind(const char **at, bool lettered)
{
    const char kind = (char)toupper((unsigned char)**at);
    if (lettered ? kind != 'H' && kind != 'E' : kind != '.') return '\0';
    ++*at;
    return kind;
}

static bool read_letter(const char **at)
{
    if (**at != 'L' && **at != 'l') return false;
    ++*at;
    return true;
}

bool unit_name_read(const char *name, size_t *layer, size_t *index)
{
    const bool lettered = read_letter(&name);
    return read_number(&name, layer) && read_kind(&name, lettered) && read_number(&name, index) &&
           !*name;
}

/* ---- names of a table ----------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

bool unit_names_fit(char *const *name, size_t count)
{
    char **in_order = tool_alloc(count, sizeof *in_order);
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        double ignored;
        in_order[i] = name[i];
        good = good && *name[i] && !csv_double(name[i], &ignored);
    }
    qsort(in_order, count, sizeof *in_order, by_text);
    for (size_t i = 1; good && i < count; i++) good = strcmp(in_order[i - 1], in_order[i]) != 0;
    free(in_order);
    return good;
}

/* Where the layers of the rows are not told, all are in layer 0. */
static void computed_name(const csv *units, bool experts, size_t row, char to[UNIT_NAME])
{
    double layer = 0, index = (double)row;
    const int l = csv_column(units, "layer"), k = csv_column(units, "index");
    if (l >= 0 && !(csv_double(csv_cell(units, row, l), &layer) && layer >= 0 && layer < 1e9))
        layer = 0;
    if (k >= 0 && !(csv_double(csv_cell(units, row, k), &index) && index >= 0 && index < 1e9))
        index = (double)row;
    unit_name(experts, (size_t)layer, (size_t)index, to);
}

char **unit_names(const csv *units, bool experts)
{
    const int own =
        csv_column(units, "name") >= 0 ? csv_column(units, "name") : csv_column(units, "unit");
    char **name = tool_alloc(units->rows, sizeof *name);
    bool all_own = own >= 0;
    for (size_t i = 0; i < units->rows; i++) {
        size_t layer, index;
        name[i] = tool_copy(csv_name(csv_cell(units, i, own)));
        all_own = all_own && !unit_name_read(name[i], &layer, &index);
    }
    all_own = all_own && unit_names_fit(name, units->rows);
    for (size_t i = 0; !all_own && i < units->rows; i++) {
        char computed[UNIT_NAME];
        computed_name(units, experts, i, computed);
        free(name[i]);
        name[i] = tool_copy(computed);
    }
    return name;
}

void unit_names_free(char **name, size_t count)
{
    for (size_t i = 0; name && i < count; i++) free(name[i]);
    free(name);
}

/* ---- lists ---------------------------------------------------------------------------- */

typedef struct unit_part {
    span layer, index;
    char kind;
} unit_part;

static bool read_part(const char **at, size_t first_layer, size_t last_layer, size_t per_layer,
                      unit_part *p)
{
    const bool lettered = read_letter(at);
    if (!read_span(at, first_layer, last_layer, &p->layer)) return false;
    p->kind = read_kind(at, lettered);
    return p->kind && read_span(at, 0, per_layer - 1, &p->index) && (!**at || **at == ',');
}

bool unit_list_parse(const char *words, bool experts, size_t first_layer, size_t layers,
                     size_t per_layer, bool *chosen, problem *why)
{
    const size_t last_layer = first_layer + layers - 1;
    memset(chosen, 0, layers * per_layer * sizeof *chosen);
    for (const char *at = words;; at++) {
        const char *const part = at;
        const int length = (int)strcspn(part, ","), shown = length > 80 ? 80 : length;
        unit_part p;
        if (!read_part(&at, first_layer, last_layer, per_layer, &p))
            return problem_set(
                why,
                "'%.*s' is not a list of units (L12%c3 or 12.3, with ranges and stars: "
                "10-20.*,3.0-2)",
                shown, part, experts ? 'E' : 'H');
        if (p.kind == (experts ? 'H' : 'E'))
            return problem_set(why, "%.*s names %s, and the units here are %s", shown, part,
                               experts ? "a head" : "an expert",
                               choice_name(CHOICE_UNITS, experts));
        if (p.layer.first < first_layer || p.layer.last > last_layer || p.index.last >= per_layer)
            return problem_set(
                why,
                "unit %.*s does not exist: layers are %zu to %zu, units of a layer 0 "
                "to %zu",
                shown, part, first_layer, last_layer, per_layer - 1);
        for (size_t l = p.layer.first - first_layer; l <= p.layer.last - first_layer; l++)
            for (size_t i = p.index.first; i <= p.index.last; i++) chosen[l * per_layer + i] = true;
        if (!*at) return true;
    }
}
