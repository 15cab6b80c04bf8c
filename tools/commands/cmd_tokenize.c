/* cmd_tokenize.c - `synergy tokenize` and `synergy detokenize`: text to ids and back. */
#include "engine/chat.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A vocabulary alone: the tensors are never looked at. */
typedef struct vocabulary {
    file_view view;
    syn_source source;
    syn_gguf gguf;
    syn_tokenizer tokenizer;
    void *block;
} vocabulary;

static bool vocabulary_open(vocabulary *v, const char *path, const char *pre, problem *why)
{
    syn_error err;
    syn_tokenizer_desc desc;
    syn_arena arena = syn_arena_measure();
    memset(v, 0, sizeof *v);
    memset(&desc, 0, sizeof desc);
    desc.pre = pre;
    if (!file_map(&v->view, path, why)) return false;
    v->source = syn_source_memory(v->view.bytes, v->view.size);
    syn_status status = syn_gguf_open(&v->gguf, &v->source, &err);
    if (status == SYN_OK) status = syn_tokenizer_open(&v->tokenizer, &v->gguf, &desc, &arena, &err);
    if (status == SYN_OK) {
        const size_t bytes = arena.used + SYN_ALIGN;
        v->block = tool_alloc(bytes, 1);
        arena = syn_arena_on(v->block, bytes);
        status = syn_tokenizer_open(&v->tokenizer, &v->gguf, &desc, &arena, &err);
    }
    if (status != SYN_OK) return problem_engine(why, path, &err);
    tokenizer_note(&v->tokenizer);
    return true;
}

static void vocabulary_close(vocabulary *v)
{
    file_unmap(&v->view);
    free(v->block);
}

/* The prompt that the file's chat template makes of standard input: its ids, or its text. */
static int32_t *chat_input(const vocabulary *v, const chat_options *o, const text *input,
                           bool as_text, size_t *count, problem *why)
{
    chat c;
    size_t n = 0;
    int32_t *ids = NULL;
    char *words = NULL;
    const char *message = input->at ? input->at : "";
    if (!chat_open(&c, &v->gguf, &v->tokenizer, o, false, why)) {
        chat_close(&c);
        return NULL;
    }
    if (!as_text) ids = chat_ids(&c, message, input->length, count, why);
    else if ((words = chat_render(&c, message, input->length, &n, why)) != NULL) {
        fwrite(words, 1, n, stdout);
        ids = tool_alloc(1, sizeof *ids);
    }
    free(words);
    chat_close(&c);
    return ids;
}

typedef struct tokenize_options {
    chat_options chat;
    const char *pre;
    bool bos, special, json, as_chat, as_text;
} tokenize_options;

static bool print_ids(const vocabulary *v, const tokenize_options *o, problem *why)
{
    const syn_token_flags flags = (o->bos ? 0 : SYN_NO_BOS) | (o->special ? SYN_PARSE_SPECIAL : 0);
    const bool as_json = o->json;
    text input = {0};
    size_t count = 0;
    int32_t *ids = NULL;
    if (!read_stream(stdin, "standard input", &input, why)) return false;
    if (o->as_chat || o->as_text) ids = chat_input(v, &o->chat, &input, o->as_text, &count, why);
    else
        ids = tokenize_text(&v->tokenizer, input.at ? input.at : "", input.length, flags, &count,
                            why);
    text_free(&input);
    if (!ids) return false;
    if (o->as_text) {
        free(ids);
        return true;
    }
    if (as_json) printf("{\"ids\": [");
    for (size_t i = 0; i < count; i++) printf("%s%d", i ? (as_json ? ", " : " ") : "", ids[i]);
    printf("%s\n", as_json ? "]}" : "");
    free(ids);
    return true;
}

static int run_tokenize(const command *self, int argc, char **argv)
{
    tokenize_options o = {.bos = true, .special = true};
    const char *operand[1];
    const option options[] = {
        {"no-bos", 0, OPTION_NOFLAG, NULL, "add neither begin nor end token", &o.bos, 0, 0, NULL},
        {"no-special", 0, OPTION_NOFLAG, NULL, "special tokens in the text are plain text",
         &o.special, 0, 0, NULL},
        {"chat", 0, OPTION_FLAG, NULL,
         "the text is a message: ids of what the chat template makes of it", &o.as_chat, 0, 0,
         NULL},
        {"chat-text", 0, OPTION_FLAG, NULL, "the same as a text, not as ids", &o.as_text, 0, 0,
         NULL},
        OPTION_SYSTEM(&o.chat.system),
        OPTION_DATE(&o.chat.date),
        OPTION_PRE(&o.pre),
        OPTION_JSON(&o.json),
    };
    size_t found;
    int code;
    problem why;
    vocabulary v;
    if (!args_parse(self, options, OPTION_COUNT(options), argc, argv, operand, 1, 1, &found, &code))
        return code;
    if (o.as_text && (o.as_chat || o.json))
        return tool_usage("--chat-text goes without --chat and --json");
    if ((o.chat.system || o.chat.date) && !o.as_chat && !o.as_text)
        return tool_usage("--system and --date go with --chat or --chat-text");
    const bool good = vocabulary_open(&v, operand[0], o.pre, &why) && print_ids(&v, &o, &why);
    vocabulary_close(&v);
    return good ? tool_finish_output() : tool_fail(&why);
}

/* Numbers with anything but digits and signs between them. */
static bool read_ids(const char *at, const syn_tokenizer *t, int32_t **ids, size_t *count,
                     problem *why)
{
    size_t room = 0;
    *ids = NULL;
    *count = 0;
    for (;;) {
        char *end;
        while (isspace((unsigned char)*at) || *at == ',') at++;
        if (!*at) return true;
        errno = 0;
        const long id = strtol(at, &end, 10);
        if (end == at || (*end && !isspace((unsigned char)*end) && *end != ','))
            return problem_set(why, "standard input: '%.20s' is no id (number %zu)", at,
                               *count + 1);
        if (errno || id < 0 || id >= t->size)
            return problem_set(why,
                               "standard input: id %.20s (number %zu) is not in the vocabulary "
                               "of %d",
                               at, *count + 1, t->size);
        if (*count == room) {
            room = room ? 2 * room : 1024;
            *ids = tool_realloc(*ids, room, sizeof **ids);
        }
        (*ids)[(*count)++] = (int32_t)id;
        at = end;
    }
}

static bool print_text(const vocabulary *v, problem *why)
{
    syn_error err;
    text input = {0};
    int32_t *ids = NULL;
    size_t count = 0, length = 0;
    /* the reverse of tokenize: without the clean-up of spaces that loses information */
    syn_tokenizer plain = v->tokenizer;
    plain.clean_spaces = false;
    bool good = read_stream(stdin, "standard input", &input, why);
    if (good && strlen(input.at ? input.at : "") != input.length)
        good = problem_set(why, "standard input: a NUL byte among the ids");
    good = good && read_ids(input.at ? input.at : "", &v->tokenizer, &ids, &count, why);
    if (good && syn_detokenize(&plain, ids, count, 0, NULL, 0, &length, &err) != SYN_OK)
        good = problem_engine(why, NULL, &err);
    if (good) {
        char *bytes = tool_alloc(length + 1, 1);
        if (syn_detokenize(&plain, ids, count, 0, bytes, length, &length, &err) != SYN_OK)
            good = problem_engine(why, NULL, &err);
        else fwrite(bytes, 1, length, stdout);
        free(bytes);
    }
    free(ids);
    text_free(&input);
    return good;
}

static int run_detokenize(const command *self, int argc, char **argv)
{
    const char *pre = NULL, *operand[1];
    const option options[] = {OPTION_PRE(&pre)};
    size_t found;
    int code;
    problem why;
    vocabulary v;
    if (!args_parse(self, options, OPTION_COUNT(options), argc, argv, operand, 1, 1, &found, &code))
        return code;
    const bool good = vocabulary_open(&v, operand[0], pre, &why) && print_text(&v, &why);
    vocabulary_close(&v);
    return good ? tool_finish_output() : tool_fail(&why);
}

const command command_tokenize = {"tokenize",
                                  "MODEL [--no-bos] [--no-special]",
                                  "text from standard input to ids",
                                  "Needs the vocabulary of the file only.",
                                  run_tokenize,
                                  "echo \"The cat sat\" | synergy tokenize model.gguf"};

const command command_detokenize = {
    "detokenize", "MODEL",        "ids from standard input to text",
    NULL,         run_detokenize, "echo 4 8 15 | synergy detokenize model.gguf"};
