/* Any bytes as a chat template, with any bytes as what is said: it gives text or a line that says
   why not, within its limits of steps, depth and memory, and twice the same.

   An input is: choices (1 byte), length of what is said (1 byte), what is said, the template. */
#include "fuzz.h"

#include "engine/engine.h"
#include "template/jinja.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    const unsigned choices = data[0];
    size_t said = data[1];
    data += 2;
    size -= 2;
    if (said > size) said = size;
    char *words = malloc(said + 1), *source = malloc(size - said + 1);
    memcpy(words, data, said);
    memcpy(source, data + said, size - said);
    const jinja_message m[3] = {{choices & 1 ? "system" : "user", words, said / 2},
                                {"user", words + said / 2, said - said / 2},
                                {"assistant", words, said}};
    const jinja_input input = {m,
                               choices % 3 + 1,
                               choices & 4 ? "<s>" : NULL,
                               choices & 8 ? "</s>" : NULL,
                               (choices & 16) != 0,
                               {2024, 2, 29}};
    text first = {NULL, 0, 0}, second = {NULL, 0, 0};
    problem why = {""}, why_again = {""};
    const bool good = jinja_render(source, size - said, &input, &first, &why);
    demand_reason(good, &why);
    demand(jinja_render(source, size - said, &input, &second, &why_again) == good);
    demand(first.length == second.length && !strcmp(why.text, why_again.text));
    if (good && first.length) demand(!memcmp(first.at, second.at, first.length));
    text_free(&first);
    text_free(&second);
    free(source);
    free(words);
    return 0;
}
