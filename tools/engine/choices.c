/* choices.c - the table of words. Names of the library's enums come from the library. */
#include "engine/choices.h"
#include "engine/engine.h"

#include <string.h>

enum { CHOICE_MOST = 6, WORDS_BYTES = 128 };

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

static const struct choice_row {
    int count;
    const char *(*name)(int i);   /* of the library, or */
    const char *own[CHOICE_MOST]; /* (count) */
} rows[CHOICES] = {
    [CHOICE_REDUNDANCY] = {SYN_REDUNDANCIES, redundancy_name, {NULL}},
    [CHOICE_ESTIMATOR] = {SYN_ESTIMATORS, estimator_name, {NULL}},
    [CHOICE_TRANSFORM] = {SYN_TRANSFORMS, transform_name, {NULL}},
    [CHOICE_SCORE] = {SYN_SCORES, score_name, {NULL}},
    [CHOICE_SURROGATE] = {SYN_SURROGATES, surrogate_name, {NULL}},
    [CHOICE_ARITHMETIC] = {2, NULL, {"fast", "exact"}},
    [CHOICE_CACHE] = {2, NULL, {"f32", "f16"}},
    [CHOICE_UNITS] = {2, NULL, {"heads", "experts"}},
    [CHOICE_EOS] = {2, NULL, {"ban", "stop"}},
    [CHOICE_REPLACE] = {2, NULL, {"zero", "mean"}},
    [CHOICE_FLAGGED] = {2, NULL, {"exclude", "zero"}},
    [CHOICE_MISSING] = {3, NULL, {"refuse", "drop", "unit"}},
    [CHOICE_DETREND] = {4, NULL, {"none", "linear", "quadratic", "mean"}},
    [CHOICE_NORMALISE] = {2, NULL, {"none", "quantile"}},
    [CHOICE_SYMMETRISE] = {3, NULL, {"none", "mean", "max"}},
    [CHOICE_REMOVED] = {2, NULL, {"lowest", "highest"}},
    [CHOICE_CATEGORY] = {6,
                         NULL,
                         {"grammar", "pos", "numeric", "commonsense", "creative", "social"}},
    [CHOICE_SCHEDULE] = {2, NULL, {"cosine", "constant"}},
    [CHOICE_ROWS] = {2, NULL, {"shuffled", "given"}},
    [CHOICE_METHOD] = {2, NULL, {"sft", "grpo"}},
    [CHOICE_CHECK] = {2, NULL, {"whole", "final"}},
};

const char *choice_name(choice_set c, int i)
{
    if (i < 0 || i >= rows[c].count) return "";
    return rows[c].name ? rows[c].name(i) : rows[c].own[i];
}

const char *choice_words(choice_set c)
{
    static char room[CHOICES][WORDS_BYTES];
    size_t at = 0;
    if (room[c][0]) return room[c];
    for (int i = 0; i < rows[c].count; i++)
        at += (size_t)snprintf(room[c] + at, WORDS_BYTES - at, "%s%s", i ? "|" : "",
                               choice_name(c, i));
    return room[c];
}

bool choice_is(choice_set c, int i, const char *word)
{
    return !strcmp(choice_name(c, i), word);
}

bool choice_is_experts(const char *word)
{
    return choice_is(CHOICE_UNITS, 1, word) || !strcmp(word, "expert");
}
