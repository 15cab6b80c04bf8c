/* prompts.h - the built-in prompts of `synergy capture --prompts builtin`: ten for each of six
   kinds of task, so that a unit's mean synergy does not hang on one kind of text. Each asks for an
   answer of about a hundred tokens or more. Order is part of the result's identity (shards and
   resumption count on it): append, never reorder. */
#ifndef SYNERGY_TOOLS_PROMPTS_H
#define SYNERGY_TOOLS_PROMPTS_H

struct builtin_prompt {
    const char *category; /* grammar, pos, numeric, commonsense, creative or social */
    const char *text;
};

static const struct builtin_prompt builtin_prompts[] = {
    /* grammar correction */
    {"grammar", "Correct this sentence and explain each change: \"Yesterday me and him goes to "
                "the market for buying some apple.\""},
    {"grammar", "Find every mistake in the following text and write it again without them: "
                "\"The childrens was playing outside when it begin to rain, so they runned home "
                "quick.\""},
    {"grammar", "Which of these is right, \"She has lived here since five years\" or \"She has "
                "lived here for five years\"? Explain the rule and give three more examples of "
                "it."},
    {"grammar", "Rewrite this note so that a manager could send it: \"hey team, the numbers "
                "dont looks good, we was suppose to finish by friday but nobody didnt told me "
                "about no delay\""},
    {"grammar", "The sentence \"Walking through the park, the flowers smelled wonderful\" has a "
                "problem. Describe what is wrong with it and mend it in two different ways."},
    {"grammar", "Put the commas where they belong and say why: \"After dinner my aunt who lives "
                "in Lisbon read us a letter a poem and a recipe for plum cake.\""},
    {"grammar", "Change this paragraph from the present to the past tense, correcting errors on "
                "the way: \"Maria wake up early, drink her coffee and catches the bus. She "
                "don't notice that her bag is open.\""},
    {"grammar", "A student wrote: \"Neither the teacher nor the pupils was aware that there "
                "books had been stole.\" Mark the errors one by one and give the corrected "
                "sentence."},
    {"grammar", "Explain when to use \"fewer\" and when to use \"less\", then correct this "
                "line: \"There is less people in the library and fewer noise than last week.\""},
    {"grammar", "Please proofread this message to a landlord: \"I am writing you for let you "
                "know that the heater it is broken since two days and the room is to cold for "
                "sleep.\""},

    /* part-of-speech tagging */
    {"pos", "Label each word of this sentence with its part of speech: \"The old lighthouse "
            "keeper slowly climbed the narrow stairs.\" Write one word on each line."},
    {"pos", "List all the verbs in the following sentence and say for each whether it is a main "
            "verb or an auxiliary: \"We should have asked whether the boat could carry us "
            "before we paid.\""},
    {"pos", "The word \"light\" can be a noun, a verb or an adjective. Write one sentence for "
            "each use and explain how the reader can tell them apart."},
    {"pos", "Tag every word in \"Their second attempt failed because nobody had checked the "
            "battery\" as noun, verb, adjective, adverb, pronoun, determiner, preposition or "
            "conjunction."},
    {"pos", "Find the adjectives in this passage and tell which noun each one describes: \"A "
            "thin grey cat sat on the broken wall and watched the noisy street with bright, "
            "patient eyes.\""},
    {"pos", "In \"She ran out of the house and out into the storm\", is the word \"out\" used "
            "in the same way both times? Give the part of speech of every word in the sentence."},
    {"pos", "Sort the words of this sentence into groups by part of speech: \"Although the "
            "train was late, Omar cheerfully offered his warm seat to a tired stranger.\""},
    {"pos", "What part of speech is \"that\" in each of these: \"That book is mine\", \"I know "
            "that you called\", \"The song that we heard was new\"? Explain your answers."},
    {"pos", "Pick out the prepositions in the following directions and describe what each one "
            "relates: \"Walk along the river, go under the bridge, turn left at the bakery, and "
            "wait beside the fountain.\""},
    {"pos", "Analyse the sentence \"Honestly, those three brothers never cook anything edible\" "
            "word by word, naming the part of speech and the role of each word."},

    /* basic numerical reasoning */
    {"numeric", "A farmer has 48 eggs and packs them into boxes of 6. She sells each box for 4 "
                "dollars. How much money does she make? Show each step."},
    {"numeric", "A train leaves at 14:35 and arrives at 17:10, with a stop of 20 minutes on the "
                "way. For how long was it moving? Explain how you work it out."},
    {"numeric", "Three friends share a bill of 87 euros. One pays twice as much as each of the "
                "other two. How much does each person pay? Reason step by step."},
    {"numeric", "What are the next three numbers in the sequence 2, 6, 12, 20, 30? Describe the "
                "pattern and check your answer."},
    {"numeric", "A jacket costs 80 dollars. It is reduced by 25 percent, and a week later the "
                "new price is reduced by 10 percent again. What does it cost now, and is that "
                "the same as 35 percent off?"},
    {"numeric", "A water tank holds 240 litres. One pipe fills it at 12 litres a minute while a "
                "leak loses 4 litres a minute. How long until the tank is full? Show the "
                "calculation."},
    {"numeric", "In a class of 30 pupils, 18 play football, 15 play chess, and 7 play both. How "
                "many play neither? Explain your reasoning in full sentences."},
    {"numeric", "A recipe for 4 people needs 300 grams of rice, 2 onions and half a litre of "
                "stock. Work out the amounts for 10 people, one ingredient at a time."},
    {"numeric", "Which is larger, five eighths or two thirds? Show two different ways to "
                "compare them."},
    {"numeric", "Lena is 5 years older than Tom. In 3 years she will be twice as old as he is "
                "then. How old are they now? Set up the problem and solve it slowly."},

    /* common sense */
    {"commonsense", "You leave a glass of water full to the brim in the freezer overnight. What "
                    "will you find in the morning, and why?"},
    {"commonsense", "Someone walks into the office with a wet umbrella and wet shoes, although "
                    "the sun is shining outside now. What probably happened? Give your reasons."},
    {"commonsense", "Why do people usually put on their socks before their shoes? Name some "
                    "other everyday tasks in which the order matters and explain them."},
    {"commonsense", "I want to carry soup to a friend who lives an hour away by bus. What "
                    "problems might I meet, and how should I pack it?"},
    {"commonsense", "Every light in our kitchen went off at once, but the lights in the living "
                    "room still work. What is the most likely cause, and what should I check "
                    "first?"},
    {"commonsense", "Can you use a feather to hammer a nail into a wall? Explain what a tool "
                    "for this job needs and suggest something in a house that would work "
                    "without a hammer."},
    {"commonsense", "A dog is barking at the front door, and a moment later the bell rings. Did "
                    "the bell make the dog bark? Discuss what is more likely."},
    {"commonsense", "You plan a picnic for tomorrow and the forecast says strong wind but no "
                    "rain. What would you change about the plan, and what would you bring along?"},
    {"commonsense", "Why is it a bad idea to store ice cream in a cupboard and bread in a "
                    "bucket of water? Describe what would happen to each of them over a day."},
    {"commonsense", "My neighbour's letter box is overflowing and her curtains have been closed "
                    "for a week. What are some possible explanations, and what would a good "
                    "neighbour do?"},

    /* abstract and creative thinking */
    {"creative", "Write the opening of a story in which the city's shadows decide one morning "
                 "not to follow their owners any more."},
    {"creative", "If silence were a landscape, what would it look like? Describe it so that a "
                 "reader could walk through it."},
    {"creative", "Invent a holiday that celebrates forgetting. Say how it began, what people "
                 "eat, and what they must not do on that day."},
    {"creative", "In what ways is a library like a forest? Develop the comparison as far as it "
                 "will go."},
    {"creative", "Imagine a musical instrument that is played by the weather. Describe how it "
                 "is built, what it sounds like, and who listens to it."},
    {"creative", "Write a short poem about a clock that runs backwards only when nobody is "
                 "looking at it."},
    {"creative", "What would change in daily life if people could lend each other an hour of "
                 "their time, and the other would really live one hour longer? Think of effects "
                 "that are not obvious."},
    {"creative", "Propose five unusual uses for a single red balloon, and explain the most "
                 "surprising of them in detail."},
    {"creative", "Describe the colour blue to someone who has never been able to see, using "
                 "only touch, sound and taste."},
    {"creative", "A philosopher and a gardener argue about whether a seed already contains the "
                 "tree. Write their conversation."},

    /* emotional and social understanding */
    {"social", "My friend says that she is fine, but she has not laughed for weeks and answers "
               "every message with one word. How do you think she feels, and what could I say "
               "to her?"},
    {"social", "Daniel worked on a present for his sister for a month. She opened it, said "
               "\"Oh, nice\", and put it aside. Describe what each of them may be feeling and "
               "why."},
    {"social", "A colleague took credit for my idea in front of the whole team. Help me to find "
               "words for a calm talk with him tomorrow."},
    {"social", "At a dinner, a guest tells a joke and nobody laughs. What might he be thinking, "
               "and how could the host make the moment easier for everyone?"},
    {"social", "A child says to his grandmother, \"You cook better than Mum.\" The mother hears "
               "it from the hallway. Explain what each of the three may feel."},
    {"social", "Write a short message to a neighbour whose old dog has just died. It should be "
               "warm and honest, without phrases that everybody uses."},
    {"social", "Two flatmates fight about dirty dishes, but it seems that the dishes are not "
               "what the fight is about. What could be behind it, and how might they find out?"},
    {"social", "Ana won the prize that her best friend Ines had also hoped for. Ines "
               "congratulates her with a very bright smile and leaves early. What is going on, "
               "and what should Ana do?"},
    {"social", "A new pupil eats lunch alone every day and says that he likes it that way. How "
               "can his classmates find out whether that is true without embarrassing him?"},
    {"social", "I forgot my father's birthday and he did not say a word about it. Suggest how I "
               "could apologise, and explain why your suggestion would help."},
};

enum { BUILTIN_PROMPTS = (int)(sizeof builtin_prompts / sizeof builtin_prompts[0]) };

#endif
