/* eval_items.c - the evaluation sets as texts: from rules and word lists. The same every time. */
#include "study/eval.h"
#include "study/eval_items.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

/* ---- adding items --------------------------------------------------------------------- */

static eval_text *add_text(eval_set *s, const char *group, const char *context, int choices,
                           int right)
{
    s->text = tool_realloc(s->text, (size_t)s->texts + 1, sizeof *s->text);
    eval_text *t = &s->text[s->texts++];
    memset(t, 0, sizeof *t);
    t->group = group;
    t->context = tool_copy(context);
    t->choices = choices;
    t->right = right;
    return t;
}

static char *joined(const char *a, const char *b, const char *c)
{
    text t = {0};
    text_print(&t, "%s %s%s", a, b, c);
    return t.at;
}

/* Two whole sentences that differ in a word, twice: with the first stem `one` is right, with the
   second `other`. */
static void add_pair(eval_set *s, const char *group, const char *first, const char *second,
                     const char *one, const char *other, const char *first_tail,
                     const char *second_tail)
{
    for (int twin = 0; twin < 2; twin++) {
        eval_text *t = add_text(s, group, "", 2, twin);
        const char *stem = twin ? second : first, *tail = twin ? second_tail : first_tail;
        t->choice[0] = joined(stem, one, tail);
        t->choice[1] = joined(stem, other, tail);
    }
}

/* ---- arithmetic ----------------------------------------------------------------------- */

/* Numerical Recipes' linear congruential generator: the high bits of a state that starts fixed. */
static int draw(uint32_t *state, int below)
{
    *state = *state * 1664525u + 1013904223u;
    return (int)((*state >> 8) % (uint32_t)below);
}

typedef struct sum {
    int a, b, result;
    char sign;
} sum;

enum { ONE_SUM, TWO_SUM, ONE_DIFFERENCE, TWO_DIFFERENCE, PRODUCT, SUMS };
static const char *const sum_names[SUMS] = {
    "one-digit sum", "two-digit sum", "one-digit difference", "two-digit difference", "product"};

static sum draw_sum(uint32_t *state, int kind)
{
    const bool two = kind == TWO_SUM || kind == TWO_DIFFERENCE;
    const int low = two ? 11 : kind == PRODUCT ? 3 : 1, room = two ? 88 : kind == PRODUCT ? 7 : 9;
    sum s = {low + draw(state, room), low + draw(state, room), 0, '+'};
    if (kind == ONE_DIFFERENCE || kind == TWO_DIFFERENCE) s.sign = '-';
    if (kind == PRODUCT) s.sign = '*';
    s.result = s.sign == '+' ? s.a + s.b : s.sign == '-' ? s.a - s.b : s.a * s.b;
    return s;
}

static int digits(int n)
{
    return n < 0 ? 0 : n < 10 ? 1 : n < 100 ? 2 : 3;
}

/* Three wrong results with as many digits, `below` of them smaller; false where there are none. */
static bool wrong_results(uint32_t *state, int result, int below, int wrong[3])
{
    int far[4] = {1, 2, 3, 10};
    const int kinds = digits(result) == 1 ? 3 : 4;
    for (int i = kinds - 1; i > 0; i--) {
        const int j = draw(state, i + 1), held = far[i];
        far[i] = far[j];
        far[j] = held;
    }
    for (int i = 0; i < 3; i++) {
        wrong[i] = i < below ? result - far[i] : result + far[i - below];
        if (digits(wrong[i]) != digits(result)) return false;
    }
    return true;
}

static bool asked_before(const eval_set *s, const char *context)
{
    text line = {0};
    text_print(&line, "%s ", context);
    bool found = strstr(s->preamble, line.at) != NULL;
    for (int i = 0; i < s->texts && !found; i++) found = !strcmp(s->text[i].context, context);
    text_free(&line);
    return found;
}

/* The right result is the smallest, second, third and largest in turn. */
static void add_sum(eval_set *s, uint32_t *state, int kind, int below)
{
    for (;;) {
        char words[32];
        int wrong[3], next = 0;
        const sum q = draw_sum(state, kind);
        snprintf(words, sizeof words, "%d %c %d =", q.a, q.sign, q.b);
        if (q.result < 0 || digits(q.result) > 2 || asked_before(s, words) ||
            !wrong_results(state, q.result, below, wrong))
            continue;
        eval_text *t = add_text(s, sum_names[kind], words, 4, below);
        for (int i = 0; i < 4; i++) {
            snprintf(words, sizeof words, " %d", i == below ? q.result : wrong[next++]);
            t->choice[i] = tool_copy(words);
        }
        return;
    }
}

static void make_arithmetic(eval_set *s)
{
    uint32_t state = 2601;
    for (int kind = 0; kind < SUMS; kind++)
        for (int i = 0; i < 16; i++) add_sum(s, &state, kind, i % 4);
}

/* ---- grammar -------------------------------------------------------------------------- */

enum { LINE = 160 };

static void add_agreement(eval_set *s, int i)
{
    const struct agreement *w = &agreements[i];
    char first[LINE], second[LINE], verb[32], tail[32];
    snprintf(first, LINE, "Every day the %s", w->one);
    snprintf(second, LINE, "Every day the %s", w->many);
    snprintf(verb, sizeof verb, "%ss", w->verb);
    snprintf(tail, sizeof tail, "%s.", w->tail);
    add_pair(s, "agreement", first, second, verb, w->verb, tail, tail);
}

/* A noun of the other number stands between subject and verb. */
static void add_attractor(eval_set *s, int i)
{
    const struct attraction *w = &attractors[i];
    char first[LINE], second[LINE], tail[48];
    snprintf(first, LINE, "The %s %s %s", w->one, w->between, w->many2);
    snprintf(second, LINE, "The %s %s %s", w->many, w->between, w->one2);
    snprintf(tail, sizeof tail, " %s.", w->tail);
    add_pair(s, "attractor", first, second, "is", "are", tail, tail);
}

/* The same with a clause between; its past tense does not tell the number. */
static void add_relative(eval_set *s, int i)
{
    const struct relative *w = &relatives[i];
    char first[LINE], second[LINE], tail[48];
    snprintf(first, LINE, "The %s that the %s %s", w->one, w->many2, w->verb);
    snprintf(second, LINE, "The %s that the %s %s", w->many, w->one2, w->verb);
    snprintf(tail, sizeof tail, " %s.", w->tail);
    add_pair(s, "relative clause", first, second, "was", "were", tail, tail);
}

static void add_determiner(eval_set *s, int i)
{
    const struct determined *w = &determined[i];
    char first[LINE], second[LINE];
    snprintf(first, LINE, "%s this", w->stem);
    snprintf(second, LINE, "%s these", w->stem);
    add_pair(s, "determiner", first, second, w->one, w->many, ".", ".");
}

static void add_reflexive(eval_set *s, int i)
{
    const struct reflexive *w = &reflexives[i];
    char first[LINE], second[LINE];
    snprintf(first, LINE, "The %s %s", w->her, w->verb);
    snprintf(second, LINE, "The %s %s", w->him, w->verb);
    add_pair(s, "reflexive", first, second, "herself", "himself", ".", ".");
}

static void add_polarity(eval_set *s, int i)
{
    const struct polarity *w = &polarities[i];
    add_pair(s, "polarity", w->negative, w->positive, w->inside, w->outside, ".", ".");
}

static void add_participle(eval_set *s, int i)
{
    const struct participle *w = &participles[i];
    char tail[48];
    snprintf(tail, sizeof tail, " %s.", w->object);
    add_pair(s, "participle", "They have", "Yesterday they", w->participle, w->past, tail, tail);
}

static void add_case(eval_set *s, int i)
{
    const struct pronoun *w = &pronouns[i];
    char first[LINE], tail[48];
    snprintf(first, LINE, "Yesterday everybody %s", w->verb);
    snprintf(tail, sizeof tail, " %s everybody.", w->verb);
    add_pair(s, "case", first, "Yesterday", w->object, w->subject, ".", tail);
}

static void make_grammar(eval_set *s)
{
    for (int i = 0; i < COUNT(agreements); i++) add_agreement(s, i);
    for (int i = 0; i < COUNT(attractors); i++) add_attractor(s, i);
    for (int i = 0; i < COUNT(relatives); i++) add_relative(s, i);
    for (int i = 0; i < COUNT(determined); i++) add_determiner(s, i);
    for (int i = 0; i < COUNT(reflexives); i++) add_reflexive(s, i);
    for (int i = 0; i < COUNT(polarities); i++) add_polarity(s, i);
    for (int i = 0; i < COUNT(participles); i++) add_participle(s, i);
    for (int i = 0; i < COUNT(pronouns); i++) add_case(s, i);
}

/* ---- part of speech, common sense ----------------------------------------------------- */

static void make_pos(eval_set *s)
{
    for (int i = 0; i < COUNT(sentences); i++)
        for (int c = 0; c < 4; c++) {
            char context[LINE], label[16];
            snprintf(context, sizeof context, "%s\n%s:", sentences[i].text, sentences[i].word[c]);
            eval_text *t = add_text(s, "sentence", context, 4, c);
            for (int k = 0; k < 4; k++) {
                snprintf(label, sizeof label, " %s", classes[k]);
                t->choice[k] = tool_copy(label);
            }
        }
}

static void make_commonsense(eval_set *s)
{
    for (int i = 0; i < COUNT(twins); i++)
        for (int second = 0; second < 2; second++) {
            const struct twin *w = &twins[i];
            eval_text *t = add_text(s, w->group, second ? w->second : w->first, 2, second);
            t->choice[0] = joined("", w->one, "");
            t->choice[1] = joined("", w->other, "");
        }
}

/* ---- the sets ------------------------------------------------------------------------- */

static const struct set_row {
    const char *name, *about, *preamble;
    int frame;
    void (*make)(eval_set *);
} set_rows[EVAL_SETS] = {
    {"arithmetic", "sums, differences and products: the result against three near ones",
     "6 + 2 = 8\n9 - 5 = 4\n3 * 4 = 12\n41 + 27 = 68\n58 - 13 = 45\n", 4, make_arithmetic},
    {"grammar", "a sentence against one with a word in the wrong form", "", 2, make_grammar},
    {"pos", "the class of a word in a sentence: noun, verb, adjective or adverb", pos_preamble, 4,
     make_pos},
    {"commonsense", "how a sentence ends: what makes sense against what does not", "", 2,
     make_commonsense},
};

void eval_set_make(eval_set *set, int which)
{
    memset(set, 0, sizeof *set);
    set->name = set_rows[which].name;
    set->about = set_rows[which].about;
    set->preamble = set_rows[which].preamble;
    set->frame = set_rows[which].frame;
    set_rows[which].make(set);
}

void eval_set_free(eval_set *set)
{
    for (int i = 0; i < set->texts; i++) {
        free(set->text[i].context);
        for (int c = 0; c < set->text[i].choices; c++) free(set->text[i].choice[c]);
    }
    free(set->text);
    memset(set, 0, sizeof *set);
}

static int set_find(const char *name, size_t length)
{
    for (int w = 0; w < EVAL_SETS; w++)
        if (strlen(set_rows[w].name) == length && !memcmp(set_rows[w].name, name, length)) return w;
    return -1;
}

static int bad_name(const char *name, size_t length, const char *what, problem *why)
{
    text all = {0};
    for (int w = 0; w < EVAL_SETS; w++) text_print(&all, "%s%s", w ? ", " : "", set_rows[w].name);
    problem_set(why, "evaluation sets: '%.*s' %s (all, or some of %s)",
                (int)(length < 40 ? length : 40), name, what, all.at);
    text_free(&all);
    return 0;
}

int eval_set_names(const char *names, int which[EVAL_SETS], problem *why)
{
    int count = 0;
    bool taken[EVAL_SETS] = {false};
    if (!strcmp(names, "all")) {
        for (int w = 0; w < EVAL_SETS; w++) which[w] = w;
        return EVAL_SETS;
    }
    for (const char *at = names;; at++) {
        const size_t length = strcspn(at, ",");
        const int found = set_find(at, length);
        if (found < 0) return bad_name(at, length, "is none", why);
        if (taken[found]) return bad_name(at, length, "stands there twice", why);
        taken[found] = true;
        which[count++] = found;
        at += length;
        if (!*at) return count;
    }
}

/* How many frames of its group come before this one. */
static int frame_rank(const eval_set *s, int first)
{
    int rank = 0;
    for (int i = 0; i < first; i += s->frame)
        rank += !strcmp(s->text[i].group, s->text[first].group);
    return rank;
}

int eval_set_choose(const eval_set *s, int64_t limit, bool *chosen)
{
    int count = 0;
    const int64_t room = limit && limit < s->texts ? limit : s->texts;
    const int64_t most = room < s->frame ? s->frame : room - room % s->frame;
    memset(chosen, 0, (size_t)s->texts * sizeof *chosen);
    for (int rank = 0; count < most; rank++)
        for (int f = 0; f < s->texts && count < most; f += s->frame) {
            if (frame_rank(s, f) != rank) continue;
            for (int i = f; i < f + s->frame; i++, count++) chosen[i] = true;
        }
    return count;
}
