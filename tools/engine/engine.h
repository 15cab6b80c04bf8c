/* engine.h - the library as the rooms above this one see it, with threads for it and base/. */
#ifndef SYNERGY_ENGINE_H
#define SYNERGY_ENGINE_H

/* the library first: it knows nothing of our names */
#define SYNERGY_THREADS
#include "synergy.h"

#include "base/tool.h"
#include "engine/choices.h"

/* Copies the library's line into a problem, after `where` (a file's name, or NULL); false. */
bool problem_engine(problem *why, const char *where, const syn_error *err);

/* A pool of `threads` (0: all cores); with one thread, or where the system gives none, serial.
   The pool must not move while it runs. */
typedef struct engine_pool {
    syn_pool pool;
    bool running;
    syn_parallel parallel;
} engine_pool;
void engine_pool_start(engine_pool *p, int64_t threads);
void engine_pool_stop(engine_pool *p);

/* Spearman's correlation over the places where both are numbers. */
double spearman_of(const double *a, const double *b, size_t n);

#endif
