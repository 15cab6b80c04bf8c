/* corpus.c - the rules. A document is written by one of the frames at the end of this file; what
   can be asked about it follows from how it was made.

   Held out: of every pair that a task asks about (two numbers, a noun and the noun beside it, a
   noun and its verb, a thing and its place, ...), one in EIGHTH by a hash belongs to the tests.
   Pairs are drawn in one place, `draw_pair`, which knows on which side the document is. */
#include "learn/stage.h"
#include "learn/words.h"

#include "engine/choices.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

enum { EIGHTH = 8 };

typedef struct draft {
    uint64_t state;
    bool held;
    text *to;
    size_t begin; /* of the document in the text */
    corpus_item *item;
} draft;

/* ---- drawing ---------------------------------------------------------------------------- */

static size_t below(draft *d, size_t n)
{
    return (size_t)(random_bits(&d->state) % n);
}
static bool chance(draft *d, size_t percent)
{
    return below(d, 100) < percent;
}

/* An index below n, the first ones more often: the lower of two. */
static size_t often(draft *d, size_t n)
{
    const size_t a = below(d, n), b = below(d, n);
    return a < b ? a : b;
}

enum { PAIR_NOUNS = 1, PAIR_VERB, PAIR_SUM, PAIR_WORLD, PAIR_FEELING, PAIR_ANALOGY };

static bool is_held(int kind, size_t a, size_t b)
{
    uint64_t state = (uint64_t)kind << 40 ^ (uint64_t)a << 20 ^ (uint64_t)b;
    (void)random_bits(&state);
    return random_bits(&state) % EIGHTH == 0;
}

/* Two indices, below m and n, on the document's side. */
static void draw_pair(draft *d, int kind, size_t m, size_t n, size_t *a, size_t *b)
{
    do {
        *a = often(d, m);
        *b = often(d, n);
    } while (is_held(kind, *a, *b) != d->held);
}

static const char *pick(draft *d, const char *const *table, size_t n)
{
    return table[often(d, n)];
}
#define PICK(d, table) pick(d, table, COUNT(table))

static void put(draft *d, const char *words)
{
    text_add(d->to, words);
}
static void put_number(draft *d, long n)
{
    text_print(d->to, "%ld", n);
}
static const char *article(const char *word)
{
    return strchr("aeiou", word[0]) ? "an" : "a";
}

/* The answer begins here. */
static void ask(draft *d)
{
    d->item->answer = d->to->length - d->begin;
}

/* ---- sentences -------------------------------------------------------------------------- */

enum { DETERMINER, NOUN, VERB, ADJECTIVE, ADVERB, PREPOSITION, PRONOUN, CONJUNCTION, TAGS };
static const char *const tag_name[TAGS] = {"determiner", "noun",        "verb",    "adjective",
                                           "adverb",     "preposition", "pronoun", "conjunction"};

enum { SENTENCE_WORDS = 32 };

/* A sentence is words with what they are, so that it can be tagged, spoilt and asked about. */
typedef struct sentence {
    const char *word[SENTENCE_WORDS];
    int tag[SENTENCE_WORDS];
    size_t words;
    size_t verb;               /* its main verb */
    const char *wrong, *right; /* of the main verb: the other number's form */
    size_t subject_noun;
    bool many;
} sentence;

static void say(sentence *s, const char *word, int tag)
{
    if (s->words == SENTENCE_WORDS) return;
    s->word[s->words] = word;
    s->tag[s->words++] = tag;
}

/* Any noun by number: of people, animals and things, one list after the other. */
enum {
    NOUNS = sizeof people / sizeof *people + sizeof animals / sizeof *animals +
            sizeof things / sizeof *things
};

static const noun *noun_at(size_t i)
{
    if (i < COUNT(people)) return &people[i];
    i -= COUNT(people);
    return i < COUNT(animals) ? &animals[i] : &things[i - COUNT(animals)];
}

/* In the order of how common: lists in turn, so that `often` favours common words of each. */
static size_t mixed(size_t i)
{
    const size_t a = COUNT(people), b = COUNT(animals), row = i / 3;
    if (i < 3 * b) return i % 3 == 0 ? row : i % 3 == 1 ? a + row : a + b + row;
    i -= 3 * b;
    return i < a - b ? b + i : a + b + b + (i - (a - b));
}

static void noun_phrase(draft *d, sentence *s, const noun *n, bool many)
{
    static const char *const one[] = {"the", "the", "the", "this", "that", "every"};
    static const char *const more[] = {"the",  "the",  "the", "these", "those",
                                       "some", "many", "two", "three"};
    say(s, many ? more[below(d, COUNT(more))] : one[below(d, COUNT(one))], DETERMINER);
    if (chance(d, 40)) say(s, PICK(d, qualities), ADJECTIVE);
    say(s, many ? n->many : n->one, NOUN);
}

static const noun *any_place(draft *d)
{
    return &places[often(d, COUNT(places))];
}

/* A verb's form for now or then, and the form that would be wrong. */
static void say_verb(draft *d, sentence *s, const verb *v, bool many, bool past)
{
    s->verb = s->words;
    s->right = past ? v->past : many ? v->base : v->third;
    s->wrong = past ? v->base : many ? v->third : v->base;
    (void)d;
    say(s, s->right, VERB);
}

static void be(draft *d, sentence *s, bool many)
{
    const bool past = chance(d, 40);
    s->verb = s->words;
    s->right = past ? (many ? "were" : "was") : many ? "are" : "is";
    s->wrong = past ? (many ? "was" : "were") : many ? "is" : "are";
    say(s, s->right, VERB);
}

/* What stands between a subject and its verb: nothing, a place or thing beside it, or a clause. */
static void attach(draft *d, sentence *s, const noun *beside, bool many)
{
    const bool other = chance(d, 50);
    if (chance(d, 65)) {
        say(s, PICK(d, nearby), PREPOSITION);
        noun_phrase(d, s, beside, other);
        return;
    }
    say(s, "that", PRONOUN);
    const verb *v = &acts[often(d, COUNT(acts))];
    if (chance(d, 50)) {
        say(s, chance(d, 50) ? v->past : many ? v->base : v->third, VERB);
        noun_phrase(d, s, beside, other);
    } else {
        noun_phrase(d, s, beside, other);
        say(s, chance(d, 50) ? v->past : other ? v->base : v->third, VERB);
    }
}

static void predicate(draft *d, sentence *s, const verb *move, bool many)
{
    const bool past = chance(d, 50),
               is_thing = mixed(s->subject_noun) >= COUNT(people) + COUNT(animals);
    if (chance(d, is_thing ? 75 : 20)) { /* a thing seldom does anything */
        be(d, s, many);
        if (chance(d, 40)) say(s, "very", ADVERB);
        say(s, PICK(d, qualities), ADJECTIVE);
        return;
    }
    if (chance(d, 20)) say(s, PICK(d, manners), ADVERB);
    if (chance(d, 50)) {
        say_verb(d, s, move, many, past);
        if (chance(d, 40)) say(s, PICK(d, manners), ADVERB);
        if (chance(d, 50)) {
            say(s, PICK(d, nearby), PREPOSITION);
            noun_phrase(d, s, any_place(d), false);
        }
    } else {
        say_verb(d, s, &acts[often(d, COUNT(acts))], many, past);
        noun_phrase(d, s, noun_at(mixed(often(d, NOUNS))), chance(d, 40));
    }
}

/* A whole sentence. The pair that is held out: the subject with the noun beside it, or with its
   verb. */
static void compose(draft *d, sentence *s, bool beside)
{
    size_t a, b, c, v;
    memset(s, 0, sizeof *s);
    draw_pair(d, PAIR_NOUNS, NOUNS, NOUNS, &a, &b);
    do { /* the verb goes with the same subject */
        v = often(d, COUNT(moves));
    } while (is_held(PAIR_VERB, a, v) != d->held);
    c = mixed(b);
    s->many = chance(d, 50);
    s->subject_noun = a;
    noun_phrase(d, s, noun_at(mixed(a)), s->many);
    if (beside) attach(d, s, noun_at(c), s->many);
    predicate(d, s, &moves[v], s->many);
    if (s->words > 1 && !strcmp(s->word[0], "many") && !s->many) s->many = true;
}

static void put_capital(draft *d, const char *word)
{
    const char first[2] = {word[0] >= 'a' && word[0] <= 'z' ? (char)(word[0] - 'a' + 'A') : word[0],
                           0};
    put(d, first);
    put(d, word + 1);
}

/* The sentence, with another word in place of word `at` (or none where `with` is NULL and at is its
   length). */
static void put_sentence(draft *d, const sentence *s, size_t at, const char *with)
{
    for (size_t i = 0; i < s->words; i++) {
        const char *word = i == at && with ? with : s->word[i];
        if (i) put(d, " ");
        if (i) put(d, word);
        else put_capital(d, word);
    }
    put(d, ".");
}

/* ---- grammar ---------------------------------------------------------------------------- */

static void plain_sentences(draft *d)
{
    const size_t count = 2 + below(d, 3);
    for (size_t i = 0; i < count; i++) {
        sentence s;
        compose(d, &s, chance(d, 40));
        if (i) put(d, " ");
        put_sentence(d, &s, s.words, NULL);
    }
}

/* Number is not seen in the past of most verbs: ask only where the two forms differ in number. */
static void compose_marked(draft *d, sentence *s, size_t percent_beside)
{
    for (bool past = true; past;) {
        compose(d, s, chance(d, percent_beside));
        past = false;
        for (size_t i = 0; i < COUNT(moves); i++) past = past || s->right == moves[i].past;
        for (size_t i = 0; i < COUNT(acts); i++) past = past || s->right == acts[i].past;
    }
}

static void agreement(draft *d)
{
    static const char *const frame[] = {"Choose the right word: ", "Which word fits? ",
                                        "Fill the gap: "};
    sentence s;
    compose_marked(d, &s, 75);
    char gap[64];
    const bool first = chance(d, 50);
    snprintf(gap, sizeof gap, "(%s or %s)", first ? s.right : s.wrong, first ? s.wrong : s.right);
    put(d, frame[below(d, COUNT(frame))]);
    put_sentence(d, &s, s.verb, gap);
    put(d, " Answer:");
    ask(d);
    put(d, " ");
    put(d, s.right);
    put(d, ".");
}

static void correction(draft *d)
{
    static const char *const frame[] = {
        "Correct this sentence: ", "Find the mistake: ", "Write it without mistakes: "};
    sentence s;
    compose_marked(d, &s, 50);
    size_t at = s.verb;
    const char *wrong = s.wrong;
    for (size_t i = 0; i < s.words && chance(d, 50); i++) { /* another mistake: of a determiner */
        const char *w = s.word[i];
        const char *other = !strcmp(w, "this")                             ? "these"
                            : !strcmp(w, "these")                          ? "this"
                            : !strcmp(w, "that") && s.tag[i] == DETERMINER ? "those"
                            : !strcmp(w, "those")                          ? "that"
                                                                           : NULL;
        if (!other) continue;
        at = i;
        wrong = other;
        break;
    }
    put(d, frame[below(d, COUNT(frame))]);
    put_sentence(d, &s, at, wrong);
    put(d, " Corrected:");
    ask(d);
    put(d, " ");
    put_sentence(d, &s, s.words, NULL);
}

/* ---- parts of speech -------------------------------------------------------------------- */

static void tagging(draft *d)
{
    static const char *const frame[] = {
        "Tag every word: ", "Label each word: ", "Name the parts of speech: "};
    sentence s;
    do compose(d, &s, chance(d, 30));
    while (s.words > 11);
    put(d, frame[below(d, COUNT(frame))]);
    put_sentence(d, &s, s.words, NULL);
    put(d, " Tags:");
    ask(d);
    for (size_t i = 0; i < s.words; i++) {
        put(d, i ? ", " : " ");
        put(d, s.word[i]);
        put(d, " ");
        put(d, tag_name[s.tag[i]]);
    }
    put(d, ".");
}

static void find_words(draft *d)
{
    static const int which[] = {NOUN, VERB, ADJECTIVE, PREPOSITION, ADVERB};
    const int tag = which[below(d, COUNT(which))];
    sentence s;
    size_t found = 0;
    compose(d, &s, chance(d, 50));
    put(d, "Find each ");
    put(d, tag_name[tag]);
    put(d, ": ");
    put_sentence(d, &s, s.words, NULL);
    put(d, " Answer:");
    ask(d);
    for (size_t i = 0; i < s.words; i++)
        if (s.tag[i] == tag) {
            put(d, found++ ? ", " : " ");
            put(d, s.word[i]);
        }
    put(d, found ? "." : " none.");
}

/* ---- numbers ---------------------------------------------------------------------------- */

static const char *const units_word[] = {"zero",    "one",     "two",       "three",    "four",
                                         "five",    "six",     "seven",     "eight",    "nine",
                                         "ten",     "eleven",  "twelve",    "thirteen", "fourteen",
                                         "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
static const char *const tens_word[] = {"",      "",      "twenty",  "thirty", "forty",
                                        "fifty", "sixty", "seventy", "eighty", "ninety"};

static void put_words(draft *d, long n)
{
    if (n >= 100) {
        put(d, units_word[n / 100]);
        put(d, " hundred");
        if (!(n %= 100)) return;
        put(d, " and ");
    }
    if (n < 20) {
        put(d, units_word[n]);
        return;
    }
    put(d, tens_word[n / 10]);
    if (n % 10) {
        put(d, "-");
        put(d, units_word[n % 10]);
    }
}

/* Two numbers below 100; sums of two-digit numbers more often. */
static void draw_numbers(draft *d, long *a, long *b)
{
    do {
        *a = (long)(chance(d, 80) ? 10 + below(d, 90) : below(d, 10));
        *b = (long)(chance(d, 80) ? 10 + below(d, 90) : below(d, 10));
    } while (is_held(PAIR_SUM, (size_t)*a, (size_t)*b) != d->held);
}

/* The steps on paper: from the right, with what is carried. */
static void put_addition(draft *d, long a, long b)
{
    long carry = 0, rest_a = a, rest_b = b;
    do {
        const long x = rest_a % 10, y = rest_b % 10, sum = x + y + carry;
        put(d, " ");
        put_number(d, x);
        put(d, " + ");
        put_number(d, y);
        if (carry) put(d, " + 1");
        put(d, " = ");
        put_number(d, sum);
        rest_a /= 10;
        rest_b /= 10;
        if (sum >= 10 && (rest_a || rest_b)) {
            put(d, ", write ");
            put_number(d, sum % 10);
            put(d, ", carry 1");
        }
        put(d, ".");
        carry = sum / 10;
    } while (rest_a || rest_b);
    put(d, " ");
    put_number(d, a);
    put(d, " + ");
    put_number(d, b);
    put(d, " = ");
    put_number(d, a + b);
    put(d, ".");
}

static void addition(draft *d)
{
    static const char *const frame[] = {"Add ", "What is the sum of ", "Work out "};
    const size_t which = below(d, COUNT(frame));
    long a, b;
    draw_numbers(d, &a, &b);
    put(d, frame[which]);
    put_number(d, a);
    put(d, which == 2 ? " + " : " and ");
    put_number(d, b);
    put(d, which == 1 ? "?" : ".");
    ask(d);
    put_addition(d, a, b);
}

static void sum_in_words(draft *d)
{
    long a, b;
    draw_numbers(d, &a, &b);
    put(d, "How much is ");
    put_words(d, a);
    put(d, " and ");
    put_words(d, b);
    put(d, "? In digits");
    ask(d);
    put(d, " ");
    put_number(d, a);
    put(d, " + ");
    put_number(d, b);
    put(d, ".");
    put_addition(d, a, b);
    put(d, " In words ");
    put_words(d, a + b);
    put(d, ".");
}

static void counting(draft *d)
{
    const char *who = PICK(d, names);
    const noun *what =
        chance(d, 50) ? &foods[often(d, COUNT(foods))] : &things[often(d, COUNT(things))];
    const bool more = chance(d, 60);
    long a, b;
    draw_numbers(d, &a, &b);
    if (!more) { /* of the sum, one part goes */
        const long sum = a + b;
        text_print(d->to, "%s had %ld %s and gave %ld away. How many are left?", who, sum,
                   sum == 1 ? what->one : what->many, b);
        ask(d);
        text_print(d->to, " %ld - %ld = %ld. %s has %ld %s left.", sum, b, a, who, a,
                   a == 1 ? what->one : what->many);
        return;
    }
    text_print(d->to, "%s has %ld %s and gets %ld more. How many are there now?", who, a,
               a == 1 ? what->one : what->many, b);
    ask(d);
    put_addition(d, a, b);
    text_print(d->to, " %s has %ld %s.", who, a + b, a + b == 1 ? what->one : what->many);
}

static void sequence(draft *d)
{
    long a, b;
    draw_numbers(d, &a, &b);
    const long step = 1 + b % 10;
    text_print(d->to, "What comes next? %ld, %ld, %ld, %ld. Each is %ld more. Next:", a, a + step,
               a + 2 * step, a + 3 * step, step);
    ask(d);
    text_print(d->to, " %ld, %ld.", a + 4 * step, a + 5 * step);
}

static void comparison(draft *d)
{
    long a, b;
    do draw_numbers(d, &a, &b);
    while (a == b);
    text_print(d->to, "Which is larger, %ld or %ld?", a, b);
    ask(d);
    text_print(d->to, " %ld is larger than %ld.", a > b ? a : b, a > b ? b : a);
}

/* ---- a small world ---------------------------------------------------------------------- */

static const char *pronoun(const char *name)
{
    char key[32];
    snprintf(key, sizeof key, " %s ", name);
    return strstr(women, key) ? "she" : "he";
}

enum { WORLD_PLACES = 16, WORLD_THINGS = 40 };

/* Somebody takes a thing somewhere; where is it? The held-out pair: the thing and where it ends
   up. */
static void where(draft *d)
{
    size_t thing, last, first, other_place, other_thing;
    draw_pair(d, PAIR_WORLD, WORLD_THINGS, WORLD_PLACES, &thing, &last);
    do first = below(d, WORLD_PLACES);
    while (first == last);
    do other_place = below(d, WORLD_PLACES);
    while (other_place == last);
    do other_thing = below(d, WORLD_THINGS);
    while (other_thing == thing);
    const char *who = PICK(d, names), *other;
    do other = PICK(d, names);
    while (other == who);
    const char *t = things[thing].one, *p = places[first].one, *l = places[last].one,
               *o = places[other_place].one;
    const bool stays = chance(d, 30);
    text_print(d->to, "%s is in the %s. %s is in the %s.", who, stays ? l : p, other, o);
    text_print(d->to, " %s %s the %s.", who, chance(d, 50) ? "takes" : "finds", t);
    if (chance(d, 40)) text_print(d->to, " %s takes the %s.", other, things[other_thing].one);
    if (!stays) text_print(d->to, " %s goes to the %s.", who, l);
    if (chance(d, 50)) {
        text_print(d->to, " %s leaves the %s there.", who, t);
        if (chance(d, 60))
            text_print(d->to, " Then %s goes to the %s.", pronoun(who),
                       places[below(d, WORLD_PLACES)].one);
    }
    text_print(d->to, " Where is the %s?", t);
    ask(d);
    text_print(d->to, " The %s is in the %s.", t, l);
}

typedef struct kind_fact {
    const char *kind, *has, *kinds;
    size_t list;
} kind_fact;
static const kind_fact kinds[] = {
    {"bird", "wings", "birds", 0},        {"fish", "fins", "fish", 1},
    {"tree", "roots", "trees", 2},        {"tool", "a use", "tools", 3},
    {"insect", "six legs", "insects", 4}, {"fruit", "seeds", "fruits", 5},
    {"vehicle", "wheels", "vehicles", 6}};
static const char *const members[][8] = {
    {"robin", "owl", "crow", "swan", "eagle", "sparrow", "duck", "hen"},
    {"trout", "salmon", "carp", "herring", "shark", "cod", "eel", "perch"},
    {"oak", "pine", "birch", "willow", "maple", "beech", "elm", "fir"},
    {"hammer", "saw", "shovel", "rake", "drill", "chisel", "axe", "file"},
    {"bee", "ant", "beetle", "wasp", "moth", "fly", "cricket", "flea"},
    {"plum", "pear", "apple", "cherry", "melon", "lemon", "peach", "grape"},
    {"car", "bus", "cart", "truck", "tractor", "van", "wagon", "taxi"}};

static void inference(draft *d)
{
    size_t kind, member;
    draw_pair(d, PAIR_WORLD, COUNT(kinds), 8, &kind, &member);
    const size_t asked = chance(d, 60) ? kind : below(d, COUNT(kinds));
    const char *what = members[kind][member], *first = strchr("aeiou", what[0]) ? "An" : "A";
    const char *kind_article = article(kinds[kind].kind);
    text_print(d->to, "%s %s is %s %s. All %s have %s. Has the %s %s?", first, what, kind_article,
               kinds[kind].kind, kinds[kind].kinds, kinds[kind].has, what, kinds[asked].has);
    ask(d);
    if (asked == kind)
        text_print(d->to, " Yes, because it is %s %s.", kind_article, kinds[kind].kind);
    else text_print(d->to, " No, only %s have %s.", kinds[asked].kinds, kinds[asked].has);
}

static const char *const causes[][3] =
    {/* what happened, why one asks, what follows */
     {"left a full glass of water in the cold overnight", "What happened to the water?",
      "It turned to ice."},
     {"put the ice cream on the warm stove", "What happened to the ice cream?", "It melted."},
     {"forgot to water the flowers for weeks", "What happened to the flowers?", "They dried up."},
     {"walked through the rain without an umbrella", "What happened to the coat?", "It got wet."},
     {"dropped the thin plate on the stone floor", "What happened to the plate?", "It broke."},
     {"left the bread in the hot oven all day", "What happened to the bread?", "It burned."},
     {"put the heavy stone on the paper boat", "What happened to the boat?", "It sank."},
     {"held the candle near the dry straw", "What happened to the straw?", "It caught fire."},
     {"let go of the balloon in the garden", "What happened to the balloon?", "It flew away."},
     {"did not close the gate of the stable", "What happened to the horse?", "It ran away."},
     {"kept the milk in the sun for days", "What happened to the milk?", "It turned sour."},
     {"put the seed into the wet earth", "What happened to the seed?", "It began to grow."},
     {"pulled the thin rope with all his strength", "What happened to the rope?", "It tore."},
     {"put the wool coat into hot water", "What happened to the coat?", "It shrank."},
     {"blew on the burning candle", "What happened to the candle?", "It went out."},
     {"put a spoon of sugar into the hot tea", "What happened to the sugar?", "It dissolved."}};

static void consequence(draft *d)
{
    size_t i, who;
    draw_pair(d, PAIR_WORLD, COUNT(causes), COUNT(names), &i, &who);
    text_print(d->to, "%s %s. %s", names[who], causes[i][0], causes[i][1]);
    ask(d);
    text_print(d->to, " %s", causes[i][2]);
}

/* ---- stories and likenesses ------------------------------------------------------------- */

static const char *const opposites[][2] = {
    {"hot", "cold"},    {"big", "small"},   {"old", "young"},  {"day", "night"},
    {"up", "down"},     {"open", "closed"}, {"fast", "slow"},  {"rich", "poor"},
    {"wet", "dry"},     {"light", "dark"},  {"full", "empty"}, {"early", "late"},
    {"strong", "weak"}, {"loud", "quiet"},  {"soft", "hard"},  {"long", "short"},
    {"near", "far"},    {"new", "old"},     {"happy", "sad"},  {"clean", "dirty"}};
static const char *const makers[][2] = {
    {"baker", "bread"},   {"painter", "picture"}, {"writer", "book"},     {"tailor", "coat"},
    {"cook", "soup"},     {"smith", "sword"},     {"bee", "honey"},       {"hen", "egg"},
    {"cow", "milk"},      {"potter", "jar"},      {"spider", "web"},      {"poet", "poem"},
    {"builder", "house"}, {"singer", "song"},     {"gardener", "garden"}, {"miller", "flour"}};
static const char *const parts[][2] = {
    {"wheel", "car"},     {"page", "book"},     {"branch", "tree"},  {"wing", "bird"},
    {"finger", "hand"},   {"room", "house"},    {"key", "piano"},    {"drop", "sea"},
    {"word", "sentence"}, {"sail", "ship"},     {"petal", "flower"}, {"step", "stair"},
    {"roof", "house"},    {"string", "violin"}, {"hour", "day"},     {"soldier", "army"}};

static void analogy(draft *d)
{
    static const struct {
        const char *const (*at)[2];
        size_t count;
    } list[] = {{opposites, COUNT(opposites)}, {makers, COUNT(makers)}, {parts, COUNT(parts)}};
    const size_t which = below(d, COUNT(list));
    size_t a, b;
    do draw_pair(d, PAIR_ANALOGY, list[which].count, list[which].count, &a, &b);
    while (a == b);
    const char *const *x = list[which].at[a], *const *y = list[which].at[b];
    text_print(d->to, "Complete: %s is to %s as %s is to", x[0], x[1], y[0]);
    ask(d);
    text_print(d->to, " %s.", y[1]);
}

static void story(draft *d)
{
    static const char *const begin[] = {"Once there was", "Long ago there lived",
                                        "In a far country there was", "One day there came"};
    static const char *const wish[] = {"wanted to find", "dreamed of", "looked for", "wished for",
                                       "had lost"};
    static const char *const turn[] = {
        "But the way was long and dark.", "But a storm came up.",  "But nobody could help.",
        "But the door was closed.",       "But night fell early.", "But the river was too wide.",
        "But the bridge was broken.",     "But everybody laughed."};
    static const char *const help[] = {"At last", "Then", "In the morning", "After three days",
                                       "Suddenly"};
    static const char *const end[] = {
        "and they became friends.",       "and they went home together.",
        "and all was well again.",        "and nobody was sad any more.",
        "and they danced until morning.", "and the whole village heard of it.",
        "and they never forgot that day."};
    size_t a, b;
    draw_pair(d, PAIR_NOUNS, NOUNS, NOUNS, &a, &b);
    const noun *hero =
        chance(d, 50) ? &people[often(d, COUNT(people))] : &animals[often(d, COUNT(animals))];
    const noun *helper =
        chance(d, 50) ? &people[often(d, COUNT(people))] : &animals[often(d, COUNT(animals))];
    const char *quality = PICK(d, qualities), *second = PICK(d, qualities),
               *thing = things[often(d, COUNT(things))].one;
    const char *place = any_place(d)->one;
    text_print(d->to, "%s %s %s %s who lived near the %s.", begin[below(d, COUNT(begin))],
               article(quality), quality, hero->one, place);
    text_print(d->to, " The %s %s the %s %s.", hero->one, wish[below(d, COUNT(wish))], second,
               thing);
    if (chance(d, 50)) {
        sentence s;
        compose(d, &s, false);
        put(d, " ");
        put_sentence(d, &s, s.words, NULL);
    }
    put(d, " ");
    put(d, turn[below(d, COUNT(turn))]);
    text_print(d->to, " %s %s %s came and brought the %s.", help[below(d, COUNT(help))],
               article(helper->one), helper->one, thing);
    text_print(d->to, " The %s thanked the %s, %s", hero->one, helper->one,
               end[below(d, COUNT(end))]);
}

static const char *const likenesses[][6] = {
    {"library", "forest", "books", "trees", "reader", "wanderer"},
    {"city", "sea", "streets", "waves", "walker", "sailor"},
    {"life", "river", "years", "bends", "child", "spring"},
    {"memory", "house", "days", "rooms", "thought", "guest"},
    {"school", "garden", "children", "flowers", "teacher", "gardener"},
    {"night", "blanket", "stars", "holes", "moon", "button"},
    {"family", "tree", "children", "leaves", "grandmother", "root"},
    {"song", "road", "notes", "stones", "singer", "traveller"},
    {"friendship", "fire", "words", "logs", "silence", "ash"},
    {"book", "window", "pages", "panes", "reader", "watcher"}};

static void likeness(draft *d)
{
    const char *const *l = likenesses[below(d, COUNT(likenesses))];
    const char *quality = PICK(d, qualities);
    text_print(d->to, "In what way is a %s like a %s? The %s of a %s are like the %s of a %s.",
               l[0], l[1], l[2], l[0], l[3], l[1]);
    text_print(d->to, " The %s is its %s, and both are %s.", l[4], l[5], quality);
}

/* ---- feelings --------------------------------------------------------------------------- */

static const char *const events[][4] =
    {/* what happened, the feeling, why, a reply */
     {"lost the old dog", "sad", "because the dog was a friend", "I am sorry about your dog."},
     {"won the first prize", "proud", "because the work was hard", "You earned it, well done!"},
     {"heard a strange noise at night", "afraid", "because it was dark and quiet",
      "I will stay here with you."},
     {"got a letter from a good friend", "happy", "because the friend had not forgotten",
      "How nice, what does it say?"},
     {"was blamed for the mistake of another", "angry", "because it was not fair",
      "That was not fair, let us talk to them."},
     {"forgot the birthday of a sister", "ashamed", "because the sister had waited",
      "Tell her that you are sorry."},
     {"eats lunch alone every day", "lonely", "because nobody asks",
      "Would you like to sit with us?"},
     {"broke the cup of a neighbour", "sorry", "because it was a gift",
      "Say it honestly and offer a new one."},
     {"waited for a train that did not come", "tired", "because the day was long",
      "Sit down, I will make some tea."},
     {"found the lost ring", "glad", "because it was dear to the family",
      "What luck, where was it?"},
     {"saw a friend leave for a far country", "sad", "because the way is long",
      "You can write to each other."},
     {"must speak before the whole school", "nervous", "because everybody will listen",
      "Take a deep breath, you know it well."},
     {"heard that a friend told the secret", "hurt", "because trust was broken",
      "I understand, you trusted them."},
     {"got the same present twice", "surprised", "because nobody had expected it",
      "Then you can share one."},
     {"could not sleep before the journey", "excited", "because tomorrow is the day",
      "Soon you will be there."},
     {"lost the game by one point", "disappointed", "because it was so close",
      "You played well, next time you will win."},
     {"saw the baby smile for the first time", "happy", "because it was so small",
      "That is a lovely moment."},
     {"was laughed at by the others", "hurt", "because the words were cold",
      "They were wrong to laugh."},
     {"got help from a stranger", "grateful", "because nobody else had stopped",
      "There are kind people everywhere."},
     {"saw another take credit for the idea", "angry", "because the idea was stolen",
      "Tell them calmly what you saw."}};

static void feeling(draft *d)
{
    static const char *const frame[] = {"How does %s feel?", "What does %s feel now?",
                                        "What may %s be feeling?"};
    size_t event, who;
    draw_pair(d, PAIR_FEELING, COUNT(events), COUNT(names), &event, &who);
    const char *const *e = events[event];
    text_print(d->to, "%s %s. ", names[who], e[0]);
    const size_t f = below(d, COUNT(frame)); /* the formats are ours; one argument each */
    if (f == 0) text_print(d->to, "How does %s feel?", names[who]);
    else if (f == 1) text_print(d->to, "What does %s feel now?", names[who]);
    else text_print(d->to, "What may %s be feeling?", names[who]);
    ask(d);
    text_print(d->to, " %s feels %s, %s.", names[who], e[1], e[2]);
}

static void reply(draft *d)
{
    size_t event, who;
    draw_pair(d, PAIR_FEELING, COUNT(events), COUNT(names), &event, &who);
    text_print(d->to, "%s %s. What could you say to %s?", names[who], events[event][0], names[who]);
    ask(d);
    text_print(d->to, " You could say: %s", events[event][3]);
}

static void talk(draft *d)
{
    size_t event, who;
    draw_pair(d, PAIR_FEELING, COUNT(events), COUNT(names), &event, &who);
    const char *other, *const *e = events[event];
    do other = PICK(d, names);
    while (other == names[who]);
    text_print(d->to, "%s met %s in the %s. %s %s and felt %s, %s.", other, names[who],
               any_place(d)->one, names[who], e[0], e[1], e[2]);
    text_print(d->to, " %s said: %s Then %s smiled and thanked %s.", other, e[3], names[who],
               other);
}

/* ---- documents -------------------------------------------------------------------------- */

typedef struct frame {
    int category;
    const char *task;
    void (*write)(draft *d);
    unsigned share;
    bool asks;
} frame;

static const frame frames[] = {
    {CORPUS_GRAMMAR, "sentences", plain_sentences, 4, false},
    {CORPUS_GRAMMAR, "agreement", agreement, 7, true},
    {CORPUS_GRAMMAR, "correction", correction, 6, true},
    {CORPUS_POS, "tagging", tagging, 9, true},
    {CORPUS_POS, "find", find_words, 6, true},
    {CORPUS_NUMERIC, "sum", addition, 10, true},
    {CORPUS_NUMERIC, "words", sum_in_words, 2, true},
    {CORPUS_NUMERIC, "counting", counting, 4, true},
    {CORPUS_NUMERIC, "sequence", sequence, 2, true},
    {CORPUS_NUMERIC, "comparison", comparison, 2, true},
    {CORPUS_COMMONSENSE, "where", where, 9, true},
    {CORPUS_COMMONSENSE, "inference", inference, 3, true},
    {CORPUS_COMMONSENSE, "consequence", consequence, 3, true},
    {CORPUS_CREATIVE, "analogy", analogy, 3, true},
    {CORPUS_CREATIVE, "story", story, 9, false},
    {CORPUS_CREATIVE, "likeness", likeness, 2, false},
    {CORPUS_SOCIAL, "feeling", feeling, 4, true},
    {CORPUS_SOCIAL, "reply", reply, 3, true},
    {CORPUS_SOCIAL, "talk", talk, 4, false},
};

const char *corpus_category(int category)
{
    return choice_name(CHOICE_CATEGORY, category);
}

const char *corpus_task(size_t i, int *category)
{
    for (size_t k = 0; k < COUNT(frames); k++)
        if (frames[k].asks && i-- == 0) {
            *category = frames[k].category;
            return frames[k].task;
        }
    return NULL;
}

static bool fits(const frame *f, int category, const char *task)
{
    if (task) return !strcmp(f->task, task);
    return category == CORPUS_ANY || f->category == category;
}

void corpus_document(uint64_t seed, uint64_t index, int category, const char *task, bool held_out,
                     text *to, corpus_item *item)
{
    draft d;
    unsigned all = 0;
    memset(item, 0, sizeof *item);
    d.state = seed * 0x9E3779B97F4A7C15u ^ (index + 1) * 0xD1B54A32D192ED03u;
    (void)random_bits(&d.state);
    d.held = held_out;
    d.to = to;
    d.begin = to->length;
    d.item = item;
    for (size_t i = 0; i < COUNT(frames); i++)
        all += fits(&frames[i], category, task) ? frames[i].share : 0;
    size_t at = all ? below(&d, all) : 0;
    for (size_t i = 0; i < COUNT(frames); i++) {
        if (!fits(&frames[i], category, task)) continue;
        if (at >= frames[i].share) {
            at -= frames[i].share;
            continue;
        }
        item->category = frames[i].category;
        item->task = frames[i].task;
        frames[i].write(&d);
        return;
    }
}
