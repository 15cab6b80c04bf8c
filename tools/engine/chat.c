/* chat.c - a user's message through the chat template of the file. */
#include "engine/chat.h"

#include <stdlib.h>
#include <string.h>

static const char template_key[] = "tokenizer.chat_template";

static char *token_words(const syn_tokenizer *t, int32_t id)
{
    syn_error err;
    size_t length;
    if (id < 0 || id >= t->size) return NULL;
    char *words = tool_alloc(t->tokens.longest + 5, 1);
    if (syn_token_text(t, id, 0, words, t->tokens.longest + 4, &length, &err) != SYN_OK) length = 0;
    words[length] = '\0';
    return words;
}

static bool read_template(chat *c, const syn_gguf *gguf, problem *why)
{
    syn_error err;
    syn_gguf_value value;
    bool present;
    if (syn_gguf_find(gguf, template_key, &value, &present, &err) != SYN_OK)
        return problem_engine(why, NULL, &err);
    if (!present) return true;
    if (value.array || value.type != SYN_GGUF_STRING)
        return problem_set(why, "%s: must be a string", template_key);
    const size_t n = (size_t)value.bytes;
    char *bytes = tool_alloc(n + 1, 1);
    if (gguf->source->bytes) memcpy(bytes, gguf->source->bytes + value.offset, n);
    else if (!gguf->source->read(gguf->source->user, value.offset, bytes, n)) {
        free(bytes);
        return problem_set(why, "%s: cannot be read", template_key);
    }
    text_add_bytes(&c->source, bytes, n);
    free(bytes);
    return true;
}

static bool run_template(const chat *c, const char *message, size_t length, text *out, problem *why)
{
    jinja_message m[2];
    jinja_input in = {m, 0, c->bos, c->eos, true, c->date};
    if (c->options.system)
        m[in.messages++] = (jinja_message){"system", c->options.system, strlen(c->options.system)};
    m[in.messages++] = (jinja_message){"user", message, length};
    return jinja_render(c->source.at, c->source.length, &in, out, why);
}

/* Can the template be run? What it says itself of a conversation is no question of what is
   known. */
static bool try_template(chat *c, problem *why)
{
    text out = {0};
    if (run_template(c, "a", 1, &out, &c->why_not)) {
        c->why_not.text[0] = '\0';
        c->way = CHAT_TEMPLATE;
    }
    text_free(&out);
    return strstr(c->why_not.text, "the template says") ? problem_set(why, "%s", c->why_not.text)
                                                        : true;
}

static void notes(const chat *c)
{
    if (c->why_not.text[0])
        tool_note("the %s; %s", c->why_not.text,
                  c->way == CHAT_BUILT_IN ? "its format is recognised without running it"
                                          : "prompts are used as they are");
    else if (c->way == CHAT_PLAIN && !c->options.raw)
        tool_note("no chat format is recognised in this file: %s", "prompts are used as they are");
    else if (c->way == CHAT_BUILT_IN && !c->source.length)
        tool_note("the file has no chat template; its vocabulary suggests %s",
                  syn_chat_name(c->format));
}

bool chat_open(chat *c, const syn_gguf *gguf, const syn_tokenizer *t, const chat_options *options,
               bool quiet, problem *why)
{
    memset(c, 0, sizeof *c);
    c->t = t;
    c->options = *options;
    if (!jinja_date_read(options->date ? options->date : CHAT_DATE, &c->date))
        return problem_set(why, "--date: '%s' is no day, expected YYYY-MM-DD", options->date);
    if (options->raw && options->system)
        return problem_set(why, "--system needs a chat template, --raw goes without");
    if (options->raw) return true;
    c->bos = token_words(t, t->bos);
    c->eos = token_words(t, t->eos);
    if (!read_template(c, gguf, why)) return false;
    c->format = t->chat;
    if (c->source.length && !try_template(c, why)) return false;
    if (c->way == CHAT_PLAIN && options->guess && !c->source.length) c->format = syn_chat_guess(t);
    if (c->way == CHAT_PLAIN && c->format != SYN_CHAT_NONE) c->way = CHAT_BUILT_IN;
    if (!quiet) notes(c);
    if (c->way == CHAT_PLAIN && options->system)
        return problem_set(why,
                           "--system needs a chat template: this file has none that is known here");
    return true;
}

void chat_close(chat *c)
{
    text_free(&c->source);
    free(c->bos);
    free(c->eos);
    memset(c, 0, sizeof *c);
}

const char *chat_name(const chat *c)
{
    if (c->way == CHAT_PLAIN) return "none";
    if (c->way == CHAT_TEMPLATE && c->format == SYN_CHAT_NONE) return "template";
    return syn_chat_name(c->format);
}

void chat_json(const chat *c, json_out *j)
{
    json_text(j, "chat", chat_name(c));
    if (c->options.system) json_text(j, "system", c->options.system);
    if (c->way == CHAT_TEMPLATE && strstr(c->source.at, "strftime_now")) {
        char date[32];
        snprintf(date, sizeof date, "%04d-%02d-%02d", c->date.year, c->date.month, c->date.day);
        json_text(j, "date", date);
    }
}

static char *built_in(const chat *c, const char *message, size_t length, size_t *rendered,
                      problem *why)
{
    syn_error err;
    syn_chat_message m[2];
    size_t n = 0;
    char *words = NULL;
    if (c->options.system)
        m[n++] = (syn_chat_message){SYN_CHAT_SYSTEM, c->options.system, strlen(c->options.system)};
    m[n++] = (syn_chat_message){SYN_CHAT_USER, message, length};
    syn_status status = syn_chat_render(c->format, m, n, 0, NULL, 0, rendered, &err);
    /* the header's formats without a begin token get it where the file's template asks for one */
    const size_t begin = c->t->chat_bos && c->bos ? strlen(c->bos) : 0;
    if (status == SYN_OK) {
        words = tool_alloc(begin + *rendered + 1, 1);
        if (begin) memcpy(words, c->bos, begin);
        status = syn_chat_render(c->format, m, n, 0, words + begin, *rendered, rendered, &err);
        *rendered += begin;
    }
    if (status == SYN_OK) return words;
    problem_engine(why, "chat template", &err);
    free(words);
    return NULL;
}

char *chat_render(const chat *c, const char *message, size_t length, size_t *rendered, problem *why)
{
    text out = {0};
    if (c->way == CHAT_BUILT_IN) return built_in(c, message, length, rendered, why);
    if (c->way == CHAT_PLAIN) text_add_bytes(&out, message, length);
    else if (!run_template(c, message, length, &out, why)) return NULL;
    *rendered = out.length;
    return out.at ? out.at : tool_alloc(1, 1);
}

int32_t *chat_ids(const chat *c, const char *message, size_t length, size_t *count, problem *why)
{
    size_t rendered;
    if (c->way == CHAT_PLAIN)
        return tokenize_text(c->t, message, length, SYN_PARSE_SPECIAL, count, why);
    char *words = chat_render(c, message, length, &rendered, why);
    if (!words) return NULL;
    int32_t *ids = tokenize_text(c->t, words, rendered, SYN_PARSE_SPECIAL | SYN_NO_BOS, count, why);
    free(words);
    return ids;
}
