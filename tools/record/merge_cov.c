/* merge_cov.c - lagged covariances of several recordings become one: sums, not recordings,
   travel. */
#include "record/stage.h"

#include <stdlib.h>
#include <string.h>

bool merge_is_covariance(const char *path)
{
    char head[6];
    FILE *f = path_is_file(path) ? fopen(path, "rb") : NULL;
    if (!f) return false;
    bool yes = fread(head, 1, sizeof head, f) == sizeof head && !memcmp(head, "SYNCOV", 6);
    fclose(f);
    return yes;
}

/* An accumulator with the state of a file, on memory of its own. */
static bool load(const char *path, syn_cov *cov, void **block, problem *why)
{
    syn_error err;
    file_view view;
    size_t channels, tau;
    *block = NULL;
    if (!file_map(&view, path, why)) return false;
    syn_arena arena = syn_arena_measure();
    bool good = syn_cov_shape(view.bytes, view.size, &channels, &tau, &err) == SYN_OK &&
                syn_cov_open(cov, channels, tau, &arena, &err) == SYN_OK;
    if (good) {
        size_t bytes = arena.used + SYN_ALIGN;
        *block = tool_alloc(bytes, 1);
        arena = syn_arena_on(*block, bytes);
        good = syn_cov_open(cov, channels, tau, &arena, &err) == SYN_OK &&
               syn_cov_load(cov, view.bytes, view.size, &err) == SYN_OK;
    }
    file_unmap(&view);
    return good || problem_engine(why, path, &err);
}

static bool save(const syn_cov *cov, const char *path, problem *why)
{
    syn_error err;
    size_t size = syn_cov_bytes(cov);
    void *bytes = tool_alloc(size, 1);
    bool good =
        (syn_cov_save(cov, bytes, size, &err) == SYN_OK || problem_engine(why, path, &err)) &&
        file_write(path, bytes, size, why);
    free(bytes);
    return good;
}

bool merge_covariances(const text_list *from, const char *output, bool force, problem *why)
{
    syn_error err;
    syn_cov all, one;
    void *all_block, *one_block;
    for (size_t i = 0; i < from->count; i++)
        if (!output_not_input(output, from->at[i], why)) return false;
    if (!output_file_check(output, force, why)) return false;
    bool good = load(from->at[0], &all, &all_block, why);
    for (size_t i = 1; good && i < from->count; i++) {
        good = load(from->at[i], &one, &one_block, why);
        if (good && syn_cov_merge(&all, &one, &err) != SYN_OK)
            good = problem_engine(why, from->at[i], &err);
        free(one_block);
    }
    if (good) syn_cov_break(&all); /* no pair spans recordings */
    good = good && save(&all, output, why);
    if (good)
        printf("%llu pairs of samples from %zu file%s: %s\n", (unsigned long long)all.pairs,
               from->count, from->count == 1 ? "" : "s", output);
    free(all_block);
    return good;
}
