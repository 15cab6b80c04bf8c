/* cmd_eval.c - `synergy eval`: how many items of the built-in sets a model gets right. */
#include "study/stage.h"

#include <stdlib.h>
#include <string.h>

typedef struct eval_options {
    const char *sets, *memory, *pre;
    chat_options chat;
    int64_t items, threads;
    bool list, each, exact, json, as_chat;
} eval_options;

/* ---- the items as they are ------------------------------------------------------------ */

/* Line ends as \n, so that an item is a line. */
static void print_escaped(const char *words)
{
    while (*words) {
        const size_t line = strcspn(words, "\n");
        term_write(stdout, words, line);
        words += line;
        if (*words == '\n') fputs("\\n", stdout);
        words += *words == '\n';
    }
}

static void print_text(const eval_set *set, int i)
{
    const eval_text *t = &set->text[i];
    printf("%s\t%d\t%s\t%d\t", set->name, i + 1, t->group, t->right + 1);
    print_escaped(set->preamble);
    print_escaped(t->context);
    for (int c = 0; c < t->choices; c++) {
        putchar('\t');
        print_escaped(t->choice[c]);
    }
    putchar('\n');
}

static int list(const eval_options *o)
{
    int which[EVAL_SETS];
    problem why;
    const int sets = eval_set_names(o->sets, which, &why);
    if (!sets) return tool_fail(&why);
    for (int k = 0; k < sets; k++) {
        eval_set set;
        eval_set_make(&set, which[k]);
        bool *chosen = tool_alloc((size_t)set.texts, sizeof *chosen);
        eval_set_choose(&set, o->items, chosen);
        for (int i = 0; i < set.texts; i++)
            if (chosen[i]) print_text(&set, i);
        free(chosen);
        eval_set_free(&set);
    }
    return tool_finish_output();
}

/* ---- results -------------------------------------------------------------------------- */

static void json_score(json_out *j, const eval_score *s, double chance)
{
    json_object(j, s->set);
    json_int(j, "items", s->items);
    json_int(j, "correct", s->correct);
    json_number(j, "accuracy", s->accuracy);
    json_number(j, "low", s->low);
    json_number(j, "high", s->high);
    if (chance > 0) json_number(j, "chance", chance);
    json_number(j, "margin", s->margin);
    json_object_end(j);
}

static void print_json(const eval_options *o, const char *path, const eval_bench *e,
                       const eval_score *scores)
{
    const eval_score all = eval_sum(scores, (size_t)e->sets);
    json_out j;
    memset(&j, 0, sizeof j);
    json_object(&j, NULL);
    json_text(&j, "model", path_base(path));
    json_text(&j, "arithmetic", choice_name(CHOICE_ARITHMETIC, o->exact));
    json_int(&j, "positions", (int64_t)eval_positions(e));
    json_object(&j, "sets");
    for (int k = 0; k < e->sets; k++) json_score(&j, &scores[k], eval_chance(e, k));
    json_object_end(&j);
    json_score(&j, &all, 0);
    json_object_end(&j);
    json_print(&j, stdout);
}

static void print_score(const eval_score *s, const char *chance)
{
    printf("%-12s %5d %8d %9.3f   %.3f to %.3f %7s %+9.3f\n", s->set, s->items, s->correct,
           s->accuracy, s->low, s->high, chance, s->margin);
}

static void print_table(const eval_bench *e, const eval_score *scores)
{
    const eval_score all = eval_sum(scores, (size_t)e->sets);
    char chance[16];
    printf("%-12s %5s %8s %9s   %-14s %7s %9s\n", "set", "items", "correct", "accuracy", "95 %",
           "chance", "margin");
    for (int k = 0; k < e->sets; k++) {
        snprintf(chance, sizeof chance, "%.2f", eval_chance(e, k));
        print_score(&scores[k], chance);
    }
    if (e->sets > 1) print_score(&all, "");
}

/* A line an item: set, item, group, 1 when right, and the log likelihood of each choice. */
static void print_each(const eval_bench *e, const double *likelihood)
{
    for (size_t i = 0; i < e->items; i++) {
        const eval_item *item = &e->item[i];
        const eval_set *set = &e->set[item->set];
        const double *of_item = likelihood + i * EVAL_CHOICES;
        printf("%s\t%d\t%s\t%d", set->name, item->text + 1, set->text[item->text].group,
               eval_margin(item, of_item) > 0);
        for (int c = 0; c < item->choices; c++) {
            char number[32];
            number_text(of_item[c], number);
            printf("\t%s", number);
        }
        putchar('\n');
    }
}

static void print_results(const eval_options *o, const char *path, const eval_bench *e,
                          const double *likelihood)
{
    eval_score scores[EVAL_SETS];
    eval_count(e, likelihood, scores);
    if (o->each) print_each(e, likelihood);
    else if (o->json) print_json(o, path, e, scores);
    else print_table(e, scores);
}

static bool evaluate(const eval_options *o, const char *path, problem *why)
{
    loaded_model m;
    eval_bench e;
    syn_context ctx;
    syn_context_desc desc;
    progress bar;
    chat asked = {0};
    const bool messages = o->as_chat || o->chat.system;
    if (!model_load(&m, path, o->pre, why)) return false;
    const bool open =
        (!messages || chat_open(&asked, &m.model.gguf, &m.model.tokenizer, &o->chat, false, why)) &&
        eval_open(&e, &m, o->sets, o->items, messages ? &asked : NULL, why);
    chat_close(&asked);
    if (!open) {
        model_unload(&m);
        return false;
    }
    double *likelihood = tool_alloc(e.items * EVAL_CHOICES, sizeof *likelihood);
    memset(&desc, 0, sizeof desc);
    desc.arithmetic = o->exact ? SYN_EXACT : SYN_FAST;
    progress_begin(&bar, "eval", (double)eval_positions(&e));
    e.bar = &bar;
    const bool good = eval_layout(&e, &m, o->memory, &desc, why) &&
                      model_context(&m, &ctx, &desc, o->threads, why) &&
                      eval_likelihoods(&e, &ctx, likelihood, why);
    progress_end(&bar);
    if (good) print_results(o, path, &e, likelihood);
    free(likelihood);
    eval_close(&e);
    model_unload(&m);
    return good;
}

static int run(const command *self, int argc, char **argv)
{
    eval_options o;
    memset(&o, 0, sizeof o);
    o.sets = "all";
    const option options[] = {
        {"sets", 0, OPTION_TEXT, "NAMES", "all, or of arithmetic,grammar,pos,commonsense", &o.sets,
         0, 0, NULL},
        {"items", 0, OPTION_INT, "N", "at most so many of each set, in whole frames (default: all)",
         &o.items, 1, 1 << 20, NULL},
        {"list", 0, OPTION_FLAG, NULL, "print the items, run nothing; MODEL can be left out",
         &o.list, 0, 0, NULL},
        {"each", 0, OPTION_FLAG, NULL, "print the log likelihood of every choice", &o.each, 0, 0,
         NULL},
        {"chat", 0, OPTION_FLAG, NULL, "each question as a message, the choices as its answer",
         &o.as_chat, 0, 0, NULL},
        OPTION_SYSTEM(&o.chat.system),
        OPTION_DATE(&o.chat.date),
        OPTION_PRE(&o.pre),
        OPTION_MEMORY(&o.memory),
        OPTION_THREADS(&o.threads),
        OPTION_EXACT(&o.exact),
        OPTION_JSON(&o.json),
    };
    const char *path = NULL;
    size_t found;
    int code;
    problem why;
    if (!args_parse(self, options, OPTION_COUNT(options), argc, argv, &path, 0, 1, &found, &code))
        return code;
    if (o.list + o.each + o.json > 1)
        return tool_usage("--list, --each and --json exclude each other");
    if (o.list) return list(&o);
    if (!found) return tool_usage("an argument is missing: %s", self->usage);
    return evaluate(&o, path, &why) ? tool_finish_output() : tool_fail(&why);
}

const command command_eval = {
    "eval",
    "MODEL [--sets NAMES] [--items N]",
    "arithmetic, grammar, part of speech, common sense: accuracy",
    "Small sets of this project's own. The model's answer is the choice with the largest summed\n"
    "log likelihood; each choice is right as often as the others, so that no preference for the\n"
    "short, the frequent or the first helps. That holds for frames of two items (grammar,\n"
    "commonsense) or four (arithmetic, pos): --items takes whole ones, at least one of each set.\n"
    "--list prints a line an item, tabs between: set, number, group, which choice is right, what\n"
    "stands before the choices (\\n is a line end), the choices. --each: set, number, group, 1 "
    "when\n"
    "right, log likelihood of each choice (nats), what all choices share left out.",
    run,
    "synergy eval model.gguf --sets grammar"};
