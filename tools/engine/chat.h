/* chat.h - prompts as the model was trained with them: a message goes through the chat template of
   the file, which is run (template/jinja.h); where it has something that is not known here, through
   the header's own form of it, if it is recognised; else it is used as it is, and that is said. */
#ifndef SYNERGY_CHAT_H
#define SYNERGY_CHAT_H

#include "engine/model.h"
#include "template/jinja.h"

typedef struct chat_options {
    const char *system; /* a system message before the user's, or NULL */
    const char *date;   /* what the template takes for today; NULL: CHAT_DATE */
    bool raw;           /* the prompt as it is */
    bool guess;         /* without a template: the format that the vocabulary suggests */
} chat_options;

#define CHAT_DATE                                                                                  \
    "2024-07-26" /* fixed, so that a run can be repeated; the one in Llama 3's template */

#define OPTION_SYSTEM(to)                                                                          \
    {                                                                                              \
        "system", 0, OPTION_TEXT, "TEXT", "a system message before each prompt", (to), 0, 0, NULL  \
    }
#define OPTION_DATE(to)                                                                            \
    {                                                                                              \
        "date", 0, OPTION_TEXT, "YYYY-MM-DD",                                                      \
            "today, for templates that ask (default " CHAT_DATE ")", (to), 0, 0, NULL              \
    }

typedef enum chat_way { CHAT_PLAIN, CHAT_TEMPLATE, CHAT_BUILT_IN } chat_way;

typedef struct chat {
    const syn_tokenizer *t;
    chat_options options;
    chat_way way;
    syn_chat format; /* the header's, of CHAT_BUILT_IN; what it recognises, else */
    text source;     /* the template */
    char *bos, *eos; /* the tokens' texts, or NULL */
    jinja_date date;
    problem why_not; /* a template that cannot be run: what stands in the way, else "" */
} chat;

/* Notes what is not as it should be unless `quiet`. Fails for a date that is none, a system message
   that nothing can take, and where the template itself refuses such a conversation. */
bool chat_open(chat *c, const syn_gguf *gguf, const syn_tokenizer *t, const chat_options *options,
               bool quiet, problem *why);
void chat_close(chat *c);

/* "template", or the name of a format of the header; "none" for a prompt as it is. */
const char *chat_name(const chat *c);
/* What is said of it in run.json: nothing that is not of this run. */
void chat_json(const chat *c, json_out *j);

/* A user's message as it is fed, any bytes; NULL on failure. */
char *chat_render(const chat *c, const char *message, size_t length, size_t *rendered,
                  problem *why);
int32_t *chat_ids(const chat *c, const char *message, size_t length, size_t *count, problem *why);

#endif
