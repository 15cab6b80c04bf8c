/* choices.c - the words of an option from the library's name functions. A name is written once, in
 * the library. */
#include "engine/choices.h"
#include "engine/engine.h"

enum { WORDS_BYTES = 128 };

typedef const char *name_of(int i);

/* The names of 0 ... count - 1 as "a|b|c", in `room`, which is filled at the first call. */
static const char *joined(char room[WORDS_BYTES], name_of *name, int count)
{
    size_t at = 0;
    if (room[0]) return room;
    for (int i = 0; i < count; i++)
        at += (size_t)snprintf(room + at, WORDS_BYTES - at, "%s%s", i ? "|" : "", name(i));
    return room;
}

static const char *redundancy_name(int i)
{
    return syn_redundancy_name((syn_redundancy)i);
}
static const char *estimator_name(int i)
{
    return syn_estimator_name((syn_estimator)i);
}
static const char *transform_name(int i)
{
    return syn_transform_name((syn_transform)i);
}
static const char *score_name(int i)
{
    return syn_score_name((syn_score)i);
}
static const char *surrogate_name(int i)
{
    return syn_surrogate_name((syn_surrogate)i);
}

const char *choices_redundancy(void)
{
    static char room[WORDS_BYTES];
    return joined(room, redundancy_name, SYN_REDUNDANCIES);
}

const char *choices_estimator(void)
{
    static char room[WORDS_BYTES];
    return joined(room, estimator_name, SYN_ESTIMATORS);
}

const char *choices_transform(void)
{
    static char room[WORDS_BYTES];
    return joined(room, transform_name, SYN_TRANSFORMS);
}

const char *choices_score(void)
{
    static char room[WORDS_BYTES];
    return joined(room, score_name, SYN_SCORES);
}

const char *choices_surrogate(void)
{
    static char room[WORDS_BYTES];
    return joined(room, surrogate_name, SYN_SURROGATES);
}
