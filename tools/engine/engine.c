/* engine.c - the one file of the program that holds the header's implementation. */
#define SYNERGY_IMPLEMENTATION
#include "engine/engine.h"
#include "engine/family.h"

#include <stdlib.h>
#include <string.h>

bool problem_engine(problem *why, const char *where, const syn_error *err)
{
    static const char pre[] = "tokenizer.ggml.pre: ";
    const char *words = err->text[0] ? err->text : syn_status_text(err->status);
    const bool unknown =
        err->status == SYN_ERROR_UNSUPPORTED && !strncmp(words, pre, sizeof pre - 1);
    return problem_set(why, "%s%s%s%s", where ? where : "", where ? ": " : "", words,
                       unknown ? "; --pre NAME goes on with one of them" : "");
}

void engine_pool_start(engine_pool *p, int64_t threads)
{
    syn_error err;
    memset(p, 0, sizeof *p);
    if (threads < 1) threads = cores_count();
    if (threads > SYN_POOL_THREADS) threads = SYN_POOL_THREADS;
    p->running = threads > 1 && syn_pool_start(&p->pool, (int)threads, &err) == SYN_OK;
    if (p->running) p->parallel = syn_pool_parallel(&p->pool);
}

void engine_pool_stop(engine_pool *p)
{
    if (p->running) syn_pool_stop(&p->pool);
    p->running = false;
}

double spearman_of(const double *a, const double *b, size_t n)
{
    double *work = tool_alloc(4 * n, sizeof *work);
    size_t *order = tool_alloc(n, sizeof *order);
    double r = syn_rank_spearman(a, b, n, work, order);
    free(work);
    free(order);
    return r;
}

/* ---- the table of families (family.h) --------------------------------------------------- */

family_steps family_steps_of(const syn_family *family)
{
    family_steps s;
    s.rms_norm = family->norm == SYNP_NORM_RMS;
    s.silu = family->act == SYNP_ACT_SILU;
    s.rope = family->rope != SYNP_ROPE_NONE;
    s.rope_halves = family->rope == SYNP_ROPE_HALF;
    /* the first is about experts, the second a tensor that may be there */
    s.plain = (family->quirks & ~(unsigned)(SYNP_RENORMALISED | SYNP_OUTPUT_BIAS)) == 0;
    return s;
}

const syn_family *family_row(int i)
{
    return i >= 0 && i < (int)SYNP_FAMILIES ? &synp_families[i] : NULL;
}

const char *family_name(const syn_family *family)
{
    return family->name;
}
uint64_t family_needed(const syn_family *family)
{
    return family->needed;
}
uint64_t family_parts(const syn_family *family)
{
    return family->needed | family->optional;
}
const char *family_part_name(syn_part part)
{
    return synp_parts[part].name;
}
const char *family_global_name(syn_global global)
{
    return synp_globals[global].name;
}
