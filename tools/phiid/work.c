/* work.c - memory from the header's measuring arena. */
#include "phiid/work.h"

syn_arena block_for(const syn_arena *measured, void **block)
{
    size_t bytes = measured->used + SYN_ALIGN;
    *block = tool_alloc(bytes, 1);
    return syn_arena_on(*block, bytes);
}

bool phiid_open_pairs(const syn_pairs_desc *desc, syn_pairs *pairs, void **block, problem *why)
{
    syn_error err;
    syn_arena arena = syn_arena_measure();
    *block = NULL;
    if (syn_pairs_open(pairs, desc, &arena, &err) != SYN_OK) return problem_engine(why, NULL, &err);
    arena = block_for(&arena, block);
    if (syn_pairs_open(pairs, desc, &arena, &err) != SYN_OK) return problem_engine(why, NULL, &err);
    return true;
}
