/* branches.c - which edit goes on from which. */
#include "study/branches.h"

#include <stdlib.h>
#include <string.h>

typedef struct leaf {
    const syn_model *model;
    const intervention *edit;
    branch *at;
} leaf;

/* Numbers of one layer, `each` a unit. */
static int compare_floats(const float *a, const float *b, size_t layer, size_t units, size_t each)
{
    if (!a || !b) return (a != NULL) - (b != NULL);
    const size_t n = units * each;
    return n ? memcmp(a + layer * n, b + layer * n, n * sizeof *a) : 0;
}

static int compare_layer(const syn_model *model, const syn_edit *a, const syn_edit *b, size_t layer)
{
    int c = compare_floats(a->head_gain, b->head_gain, layer, model->heads, 1);
    if (!c) c = compare_floats(a->head_noise, b->head_noise, layer, model->heads, 2);
    if (!c) c = compare_floats(a->expert_gain, b->expert_gain, layer, model->experts, 1);
    if (!c) c = compare_floats(a->expert_noise, b->expert_noise, layer, model->experts, 3);
    return c;
}

/* Layers, from the first on, that have the same numbers under two edits; *order: how the next one
   compares. */
static uint32_t same_numbers(const leaf *a, const leaf *b, int *order)
{
    const syn_edit *x = &a->edit->edit, *y = &b->edit->edit;
    uint32_t layer = 0;
    *order = (x->noise_seed > y->noise_seed) - (x->noise_seed < y->noise_seed);
    if (*order) return 0;
    while (layer < a->model->layers && !(*order = compare_layer(a->model, x, y, layer))) layer++;
    return layer;
}

/* Layers, from the first on, in which two edits do the same. */
static uint32_t common_layers(const leaf *a, const leaf *b)
{
    const syn_edit *x = &a->edit->edit, *y = &b->edit->edit;
    int order;
    if (x->head_mean != y->head_mean || x->expert_mean != y->expert_mean) return 0;
    return same_numbers(a, b, &order);
}

static int by_layers(const void *pa, const void *pb)
{
    const leaf *a = pa, *b = pb;
    int order;
    same_numbers(a, b, &order);
    return order ? order : (a->at->edit > b->at->edit) - (a->at->edit < b->at->edit);
}

static int by_start(const void *pa, const void *pb)
{
    const branch *a = pa, *b = pb;
    if (a->layer != b->layer) return a->layer < b->layer ? -1 : 1;
    return (a->edit > b->edit) - (a->edit < b->edit);
}

/* In the order of their layers' bytes an edit has most in common with the one before it, or with
   whom that one goes on from: `open` are those, the lowest start first. */
static void find_owners(const leaf *leaves, size_t n, size_t most)
{
    const leaf **open = tool_alloc(n, sizeof *open);
    size_t opened = 0;
    for (size_t i = 0; i < n; i++) {
        const leaf *one = &leaves[i];
        const uint32_t same = i ? common_layers(&leaves[i - 1], one) : 0;
        while (opened && open[opened - 1]->at->layer >= same) opened--;
        if (opened && most && same > one->at->layer &&
            common_layers(open[opened - 1], one) == same) {
            one->at->owner = open[opened - 1]->at->edit + 1;
            one->at->layer = same;
            most--;
        }
        open[opened++] = one;
    }
    free(open);
}

void branches_find(const syn_model *model, const intervention *edit, branch *branches, size_t n,
                   size_t most)
{
    leaf *leaves = tool_alloc(n, sizeof *leaves);
    size_t whole = 0;
    for (size_t i = 0; i < n; i++) {
        branch *b = &branches[i];
        b->owner = 0;
        b->layer = edit[b->edit].layer;
        if (b->whole) leaves[whole++] = (leaf){model, &edit[b->edit], b};
    }
    qsort(leaves, whole, sizeof *leaves, by_layers);
    find_owners(leaves, whole, most);
    free(leaves);
    qsort(branches, n, sizeof *branches, by_start);
}
