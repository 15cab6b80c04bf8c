/* phiid_print.c - what a result folder says, in a terminal. */
#include "engine/engine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Width of what `--color`-less terminals show: words are wrapped, not cut. */
static void print_wrapped(FILE *to, const char *first, const char *rest, const char *words)
{
    size_t width = (size_t)term_columns(to), column = strlen(first);
    if (width > 100) width = 100;
    fputs(first, to);
    for (bool begin = true; *words; begin = false) {
        size_t n = strcspn(words, " ");
        if (!begin && column + 1 + n > width) {
            fprintf(to, "\n%s", rest);
            column = strlen(rest);
        } else if (!begin) {
            fputc(' ', to);
            column++;
        }
        term_write(to, words, n);
        column += n;
        words += n + (words[n] == ' ');
    }
    fputc('\n', to);
}

static void print_profile(FILE *to, const csv *c, const char *score, const char *title)
{
    int name = csv_column(c, "score_name"), percentile = csv_column(c, "percentile");
    double *value = tool_alloc(c->rows, sizeof *value);
    size_t layers = 0;
    for (size_t r = 0; r < c->rows; r++)
        if (strcmp(csv_cell(c, r, name), score) == 0)
            csv_double(csv_cell(c, r, percentile), &value[layers++]);
    if (layers >= 3) {
        fputc('\n', to);
        term_profile(to, title, value, layers);
    }
    free(value);
}

static void print_count(FILE *to, double n, const char *what, const char *after)
{
    fprintf(to, "%.0f %s%s%s", n, what, n == 1.0 ? "" : "s", after);
}

static void print_head(FILE *to, const json *root)
{
    double synergy = json_number_of(root, "means_nats.synergy", (double)NAN);
    double out = json_number_of(root, "input.prompts_left_out", 0);
    print_count(to, json_number_of(root, "input.units", 0), "unit", " in ");
    print_count(to, json_number_of(root, "input.layers", 0), "layer", ", ");
    print_count(to, json_number_of(root, "input.pairs", 0), "pair", ", ");
    print_count(to, json_number_of(root, "input.prompts_used", 0), "prompt", " of ");
    print_count(to, json_number_of(root, "input.samples", 0), "sample", "");
    if (out > 0) fprintf(to, " (%.0f too short)", out);
    if (!isfinite(synergy)) {
        fputs("\nno sound pair: nothing can be said about synergy and redundancy\n", to);
        return;
    }
    fprintf(to, "\nmean synergy %.4g nats, mean redundancy %.4g nats\n", synergy,
            json_number_of(root, "means_nats.redundancy", (double)NAN));
}

bool phiid_print(FILE *to, const char *directory, problem *why)
{
    char path[TOOL_PATH_BYTES];
    json_file f;
    csv c;
    if (!path_join(path, directory, "phiid.json", why) || !json_read(&f, path, why)) return false;
    print_head(to, f.root);
    if (path_join(path, directory, "profile.csv", why) && csv_read(&c, path, why)) {
        print_profile(to, &c, "rank-difference",
                      "rank(synergy) - rank(redundancy), percentile of layers");
        print_profile(to, &c, "difference", "rank(synergy - redundancy), percentile of layers");
        csv_free(&c);
    }
    fputc('\n', to);
    print_wrapped(to, "", "", json_text_of(f.root, "finding", ""));
    const json *list = json_get(f.root, "conclusions");
    for (const json *s = list && list->kind == JSON_ARRAY ? list->child : NULL; s; s = s->next)
        if (s->kind == JSON_TEXT) print_wrapped(to, "- ", "  ", s->text);
    json_free(&f);
    return true;
}
