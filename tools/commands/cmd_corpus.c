/* cmd_corpus.c - `synergy corpus`: text to learn from, by rule and seed. */
#include "engine/choices.h"
#include "learn/stage.h"

#include <string.h>

typedef struct corpus_options {
    int64_t seed, bytes, items;
    int category;
    const char *task;
    bool held_out, as_json;
} corpus_options;

/* category<tab>document, one a line */
static void print_documents(const corpus_options *o)
{
    uint64_t written = 0;
    for (uint64_t i = 0; o->items ? i < (uint64_t)o->items : written < (uint64_t)o->bytes; i++) {
        text words = {0};
        corpus_item item;
        corpus_document((uint64_t)o->seed, i, o->category, o->task, o->held_out, &words, &item);
        if (o->as_json) {
            json_out j;
            memset(&j, 0, sizeof j);
            json_object_inline(&j, NULL);
            json_text(&j, "category", corpus_category(item.category));
            json_text(&j, "task", item.task);
            json_text_bytes(&j, "prompt", words.at, item.answer ? item.answer : words.length);
            if (item.answer) json_text(&j, "answer", words.at + item.answer);
            json_object_end(&j);
            json_print(&j, stdout);
        } else {
            fwrite(words.at, 1, words.length, stdout);
            putchar('\n');
        }
        written += words.length + 1;
        text_free(&words);
        if (ferror(stdout)) return;
    }
}

static bool known_task(const char *name)
{
    int category;
    for (size_t i = 0; corpus_task(i, &category); i++)
        if (!strcmp(corpus_task(i, &category), name)) return true;
    return false;
}

static int run(const command *self, int argc, char **argv)
{
    corpus_options o;
    bool has_category = false;
    memset(&o, 0, sizeof o);
    o.seed = 1;
    const option options[] = {
        OPTION_SEED(&o.seed),
        {"bytes", 0, OPTION_INT, "N", "whole documents until N bytes are written", &o.bytes, 1,
         9e15, NULL},
        {"items", 0, OPTION_INT, "N", "N documents", &o.items, 1, 9e15, NULL},
        {"category", 0, OPTION_CHOICE, choice_words(CHOICE_CATEGORY), "of one category only",
         &o.category, 0, 0, &has_category},
        {"task", 0, OPTION_TEXT, "NAME", "of one task only, one that has an answer", &o.task, 0, 0,
         NULL},
        {"held-out", 0, OPTION_FLAG, NULL, "with combinations that no other document has",
         &o.held_out, 0, 0, NULL},
        {"json", 0, OPTION_FLAG, NULL, "a line of JSON a document: category, task, prompt, answer",
         &o.as_json, 0, 0, NULL},
    };
    int code;
    if (!args_parse(self, options, OPTION_COUNT(options), argc, argv, NULL, 0, 0, NULL, &code))
        return code;
    if (!has_category) o.category = CORPUS_ANY;
    if (!o.bytes == !o.items) return tool_usage("one of --bytes N and --items N is needed");
    if (o.task && has_category)
        return tool_usage("--task names its category: leave --category out");
    if (o.task && !known_task(o.task))
        return tool_fail_text("no task '%s' with an answer; --json shows the names", o.task);
    print_documents(&o);
    return tool_finish_output();
}

const command command_corpus = {
    "corpus",
    "--seed S --bytes N",
    "text to learn from, by rule and seed, in the six categories of the prompts",
    "One document a line: sentences with agreement and their corrections, parts of speech, "
    "arithmetic\n"
    "with its steps, a small world, stories and likenesses, feelings and replies. One in eight of "
    "the\n"
    "combinations that tasks ask about (two numbers, a noun and the noun beside it, a thing and "
    "its\n"
    "place) occurs only with --held-out: nothing else ever has them.",
    run,
    "synergy corpus --seed 1 --bytes 100000 > text.txt"};
