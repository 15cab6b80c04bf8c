/* speak.h - answers of a net as it is now: the header's pass over many sequences, on an image of
   the model's file whose weights follow the net's. */
#ifndef SYNERGY_SPEAK_H
#define SYNERGY_SPEAK_H

#include "learn/heads.h"

/* A question, and its ids. */
typedef struct question {
    int32_t *ids;
    size_t count;
    char *answer;   /* what is right, as text */
    int32_t *right; /* (right_count): as ids, the end token behind it */
    size_t right_count;
} question;

/* Answers (answers, most): ids, then -1. */
typedef struct answers {
    int32_t *ids;
    size_t *length;
    size_t count, most;
} answers;

typedef struct speaker {
    const net *n;
    unsigned char *image; /* the model as a GGUF file, F32, in memory */
    size_t image_bytes;
    uint64_t *place; /* (params): of a tensor's data in it */
    syn_source source;
    syn_model model;
    syn_context ctx;
    void *block;
    size_t sequences, batch, tokens;
    int32_t newline; /* a token that is a line's end alone, or -1 */
} speaker;

/* For texts of at most `tokens`, `sequences` side by side. path: the net's own file as F32
   (net_write). */
bool speaker_open(speaker *s, const net *n, const char *path, size_t sequences, size_t tokens,
                  problem *why);
void speaker_close(speaker *s);
/* The image takes these weights from the net. */
void speaker_follow(speaker *s, const stretches *changed);

/* `each` answers to every question, at most `most` tokens, the token that ends one included: answer
   a is to question a / each. temperature 0: greedy. What an answer is depends on seed and its
   number only. */
bool speak(speaker *s, const question *q, size_t questions, size_t each, double temperature,
           uint64_t seed, answers *to, problem *why);
void answers_free(answers *a);
/* An answer as text, without what ends it. */
void answer_text(const speaker *s, const answers *a, size_t which, text *to);

#endif
