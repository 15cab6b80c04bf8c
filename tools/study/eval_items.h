/* eval_items.h - what the evaluation sets are made from: word lists and sentences written for this
   project. Only eval_items.c includes it. */
#ifndef SYNERGY_EVAL_ITEMS_H
#define SYNERGY_EVAL_ITEMS_H

/* ---- grammar: words of the frames, a row a frame ----------------------------------------- */

struct agreement {
    const char *one, *many, *verb, *tail;
};
static const struct agreement agreements[] = {
    {"farmer", "farmers", "smile", ""},     {"teacher", "teachers", "work", " here"},
    {"bird", "birds", "sing", ""},          {"doctor", "doctors", "wait", ""},
    {"neighbor", "neighbors", "shout", ""},
};

/* "The key to the doors is/are lost.", and with both numbers turned round */
struct attraction {
    const char *one, *many, *between, *one2, *many2, *tail;
};
static const struct attraction attractors[] = {
    {"key", "keys", "to the", "door", "doors", "lost"},
    {"picture", "pictures", "of the", "horse", "horses", "beautiful"},
    {"boat", "boats", "near the", "bridge", "bridges", "old"},
    {"letter", "letters", "from the", "friend", "friends", "short"},
    {"road", "roads", "behind the", "house", "houses", "narrow"},
};
struct relative {
    const char *one, *many, *one2, *many2, *verb, *tail;
};
static const struct relative relatives[] = {
    {"boy", "boys", "nurse", "nurses", "visited", "sick"},
    {"story", "stories", "author", "authors", "wrote", "long"},
    {"car", "cars", "worker", "workers", "repaired", "expensive"},
    {"dog", "dogs", "hunter", "hunters", "followed", "quick"},
    {"song", "songs", "singer", "singers", "chose", "famous"},
};

struct determined {
    const char *stem, *one, *many;
};
static const struct determined determined[] = {
    {"My mother bought", "book", "books"},  {"The child wants", "toy", "toys"},
    {"We cleaned", "room", "rooms"},        {"Anna painted", "chair", "chairs"},
    {"Nobody understood", "rule", "rules"},
};

struct reflexive {
    const char *her, *him, *verb;
};
static const struct reflexive reflexives[] = {
    {"woman", "man", "hurt"},    {"girl", "boy", "washed"},          {"queen", "king", "praised"},
    {"aunt", "uncle", "blamed"}, {"actress", "actor", "introduced"},
};

/* a negative and a positive sentence, and the words that only the one and only the other takes */
struct polarity {
    const char *negative, *positive, *inside, *outside;
};
static const struct polarity polarities[] = {
    {"Mary does not eat meat, and her brother does not eat it",
     "Mary eats meat, and her brother eats it", "either", "too"},
    {"He did not call me, and she did not call me", "He called me, and she called me", "either",
     "too"},
    {"The train has not left", "The train has left", "yet", "already"},
    {"I have not read the letter", "I have read the letter", "yet", "already"},
    {"Tom cannot swim, and his sister cannot swim", "Tom can swim, and his sister can swim",
     "either", "too"},
};

struct participle {
    const char *past, *participle, *object;
};
static const struct participle participles[] = {
    {"ate", "eaten", "the cake"},      {"wrote", "written", "a letter"},
    {"broke", "broken", "the window"}, {"took", "taken", "the money"},
    {"saw", "seen", "the film"},
};

struct pronoun {
    const char *subject, *object, *verb;
};
static const struct pronoun pronouns[] = {
    {"he", "him", "helped"},  {"she", "her", "saw"}, {"they", "them", "liked"},
    {"we", "us", "followed"}, {"I", "me", "heard"},
};

/* ---- part of speech: a sentence and one word of it for each class --------------------------- */

static const char *const classes[4] = {"noun", "verb", "adjective", "adverb"};

struct sentence {
    const char *text, *word[4];
};
static const struct sentence sentences[] = {
    {"The old farmer often sold fresh eggs.", {"eggs", "sold", "fresh", "often"}},
    {"A friendly dog suddenly jumped over the fence.", {"fence", "jumped", "friendly", "suddenly"}},
    {"My sister never drinks cold milk.", {"milk", "drinks", "cold", "never"}},
    {"The lonely king ate his dinner slowly.", {"king", "ate", "lonely", "slowly"}},
    {"The tall trees grow quickly in this valley.", {"trees", "grow", "tall", "quickly"}},
    {"The young doctor carefully washed her hands.", {"doctor", "washed", "young", "carefully"}},
    {"We soon found an empty house near the lake.", {"lake", "found", "empty", "soon"}},
    {"The heavy box fell down on the floor.", {"box", "fell", "heavy", "down"}},
    {"She always wears a yellow hat.", {"hat", "wears", "yellow", "always"}},
    {"His angry uncle shouted loudly.", {"uncle", "shouted", "angry", "loudly"}},
    {"The little boat sailed away from the island.", {"boat", "sailed", "little", "away"}},
    {"They rarely visit the ancient temple.", {"temple", "visit", "ancient", "rarely"}},
    {"A strong wind blew again that evening.", {"wind", "blew", "strong", "again"}},
    {"The clever student easily answered the question.",
     {"question", "answered", "clever", "easily"}},
    {"Our new teacher speaks clearly.", {"teacher", "speaks", "new", "clearly"}},
    {"The hungry children waited patiently for lunch.", {"lunch", "waited", "hungry", "patiently"}},
    {"The broken clock finally stopped.", {"clock", "stopped", "broken", "finally"}},
    {"The early train sometimes waits at the bridge.", {"bridge", "waits", "early", "sometimes"}},
    {"The famous building stands proudly beside the river.",
     {"building", "stands", "famous", "proudly"}},
    {"The soft bed almost filled the room.", {"bed", "filled", "soft", "almost"}},
};

static const char pos_preamble[] = "The quiet girl read the letter twice.\nquiet: adjective\n"
                                   "Suddenly a car stopped outside.\ncar: noun\n"
                                   "The soldiers marched bravely.\nbravely: adverb\n"
                                   "He sings in a big church.\nsings: verb\n"
                                   "The cook bought sweet apples yesterday.\nyesterday: adverb\n"
                                   "The lazy cat sleeps.\nlazy: adjective\n"
                                   "People build strong walls here.\nbuild: verb\n"
                                   "Her garden is beautiful.\ngarden: noun\n";

/* ---- common sense: two contexts, and the words that end the first and the second ------------ */

struct twin {
    const char *group, *first, *second, *one, *other;
};
static const struct twin twins[] = {
    {"use", "To keep the milk cold, she put it in the", "To bake the bread, she put it in the",
     "fridge", "oven"},
    {"use", "He wanted to cut the rope, so he took a", "He wanted to eat the soup, so he took a",
     "knife", "spoon"},
    {"use", "It was too dark to see, so she turned on the",
     "It was too quiet, so she turned on the", "lamp", "radio"},
    {"use", "The nail must go into the wall, so bring me the",
     "The floor is full of dust, so bring me the", "hammer", "broom"},
    {"use", "To write down the address, she took a", "To tidy her hair, she took a", "pen", "comb"},
    {"use", "He could not open the door because he had lost his",
     "He could not read the small letters because he had lost his", "keys", "glasses"},
    {"use", "It started to rain, so she opened her", "She wanted to read, so she opened her",
     "umbrella", "book"},
    {"use", "To find out what time it is, look at the",
     "To find out where the town is, look at the", "clock", "map"},
    {"use", "She sewed on the button with a", "She dug the hole with a", "needle", "shovel"},

    {"matter", "When ice lies in the sun it turns into",
     "When water stands in the freezer it turns into", "water", "ice"},
    {"matter", "The glass fell on the stone floor and it",
     "The rubber ball fell on the stone floor and it", "broke", "bounced"},
    {"matter", "A heavy stone that is thrown into the lake will",
     "A dry leaf that is thrown into the lake will", "sink", "float"},
    {"matter", "He left the shirt in the sun, and soon it was",
     "He left the shirt in the rain, and soon it was", "dry", "wet"},
    {"matter", "The tea has just been made, so it is still",
     "The juice has just left the fridge, so it is still", "hot", "cold"},
    {"matter", "She held the paper over the flame and it began to",
     "She put the butter into the warm pan and it began to", "burn", "melt"},
    {"matter", "Nobody could lift the box because it was full of",
     "The child could easily lift the box because it was full of", "stones", "feathers"},
    {"matter", "He let go of the balloon and the wind carried it",
     "He let go of the stone and it fell", "up", "down"},
    {"matter", "The lamp went out and the room became",
     "She opened the curtains and the room became", "dark", "bright"},

    {"nature", "A whale spends its life in the", "A monkey spends its life in the", "sea", "trees"},
    {"nature", "At midnight the sky is", "On a sunny day the sky is", "black", "blue"},
    {"nature", "The dog heard a stranger and began to", "The cat lay on her lap and began to",
     "bark", "purr"},
    {"nature", "The leaves turn brown and fall in", "The first flowers come out in", "autumn",
     "spring"},
    {"nature", "Sheep like to eat", "Lions like to eat", "grass", "meat"},
    {"nature", "From bees we get", "From cows we get", "honey", "milk"},
    {"nature", "It had not rained for months, so the river was",
     "It had rained for weeks, so the river was", "dry", "full"},
    {"nature", "Nobody watered the flowers, and they", "She watered the flowers well, and they",
     "died", "grew"},
    {"nature", "The sun had just come up. It was early in the",
     "The sun had just gone down. It was late in the", "morning", "evening"},

    {"people", "He won the race, so he felt very", "His best friend moved away, so he felt very",
     "happy", "sad"},
    {"people", "She had not eaten all day, so she was very",
     "She had not slept all night, so she was very", "hungry", "tired"},
    {"people", "The joke was so good that everybody", "The funeral was so sad that everybody",
     "laughed", "cried"},
    {"people", "It was cold outside, so he put on his",
     "It was time to go to bed, so he put on his", "coat", "pajamas"},
    {"people", "She stepped on his foot, so she said", "He gave her a present, so she said",
     "sorry", "thanks"},
    {"people", "He broke his leg, so they took him to the",
     "He wanted to learn to read, so they took him to the", "hospital", "school"},
    {"people", "She studied hard for the test, and she", "She never studied for the test, and she",
     "passed", "failed"},
    {"people", "They whispered because the baby was", "They had to shout because the old man was",
     "asleep", "deaf"},
    {"people", "She missed the bus, so she came to work",
     "She got up before sunrise, so she came to work", "late", "early"},
};

#endif
