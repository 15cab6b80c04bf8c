/* Any bytes as JSON. What was read, written again, must be read as the same, and writing that must
   change no byte. */
#include "fuzz.h"

static text written(const json *value)
{
    json_out j;
    memset(&j, 0, sizeof j);
    json_copy(&j, NULL, value);
    return j.to;
}

static void walk(const json *value, int depth)
{
    size_t children = 0;
    demand(depth <= 64);
    if (value->text) demand(utf8_length((const unsigned char *)"a", 1) == 1);
    for (const json *child = value->child; child; child = child->next, children++) {
        demand((child->key != NULL) == (value->kind == JSON_OBJECT));
        walk(child, depth + 1);
    }
    demand(children == value->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_file f, again;
    problem why = {""};
    char *copy = malloc(size ? size : 1); /* without a NUL behind it */
    if (size) memcpy(copy, data, size);
    const bool good = json_parse(&f, copy, size, "input", &why);
    demand_reason(good, &why);
    if (good) {
        walk(f.root, 0);
        text first = written(f.root);
        demand(json_parse(&again, first.at, first.length, "again", &why));
        demand(json_equal(f.root, again.root) && json_equal(again.root, f.root));
        text second = written(again.root);
        demand(first.length == second.length && !memcmp(first.at, second.at, first.length));
        (void)json_difference(f.root, again.root);
        (void)json_at(f.root, "a.b.c");
        text_free(&first);
        text_free(&second);
        json_free(&again);
        json_free(&f);
    }
    free(copy);
    return 0;
}
