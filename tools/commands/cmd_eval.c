/* cmd_eval.c - `synergy eval`: how many items of the built-in sets a model gets right. */
#include "base/stop.h"
#include "study/stage.h"

#include <stdlib.h>
#include <string.h>

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

static void print_json(const eval_options *o, const eval_result *r)
{
    json_out j;
    memset(&j, 0, sizeof j);
    json_object(&j, NULL);
    json_text(&j, "model", path_base(o->model));
    json_text(&j, "arithmetic", choice_name(CHOICE_ARITHMETIC, o->exact));
    json_int(&j, "positions", (int64_t)r->positions);
    json_object(&j, "sets");
    for (int k = 0; k < r->sets; k++) json_score(&j, &r->score[k], r->chance[k]);
    json_object_end(&j);
    json_score(&j, &r->all, 0);
    json_object_end(&j);
    json_print(&j, stdout);
}

static void print_score(const eval_score *s, const char *chance)
{
    printf("%-12s %5d %8d %9.3f   %.3f to %.3f %7s %+9.3f\n", s->set, s->items, s->correct,
           s->accuracy, s->low, s->high, chance, s->margin);
}

static void print_table(const eval_result *r)
{
    char chance[16];
    printf("%-12s %5s %8s %9s   %-14s %7s %9s\n", "set", "items", "correct", "accuracy", "95 %",
           "chance", "margin");
    for (int k = 0; k < r->sets; k++) {
        snprintf(chance, sizeof chance, "%.2f", r->chance[k]);
        print_score(&r->score[k], chance);
    }
    if (r->sets > 1) print_score(&r->all, "");
}

/* A line an item: set, item, group, 1 when right, and the log likelihood of each choice. */
static void print_each(const eval_result *r)
{
    for (size_t i = 0; i < r->items; i++) {
        const eval_answer *a = &r->answer[i];
        printf("%s\t%d\t%s\t%d", a->set, a->number, a->group, a->right);
        for (int c = 0; c < a->choices; c++) {
            char number[32];
            number_text(a->likelihood[c], number);
            printf("\t%s", number);
        }
        putchar('\n');
    }
}

static int run(const command *self, int argc, char **argv)
{
    eval_options o;
    bool listed = false, each = false, as_json = false;
    memset(&o, 0, sizeof o);
    o.sets = "all";
    const option options[] = {
        {"sets", 0, OPTION_TEXT, "NAMES", "all, or of arithmetic,grammar,pos,commonsense", &o.sets,
         0, 0, NULL},
        {"items", 0, OPTION_INT, "N", "at most so many of each set, in whole frames (default: all)",
         &o.items, 1, 1 << 20, NULL},
        {"list", 0, OPTION_FLAG, NULL, "print the items, run nothing; MODEL can be left out",
         &listed, 0, 0, NULL},
        {"each", 0, OPTION_FLAG, NULL, "print the log likelihood of every choice", &each, 0, 0,
         NULL},
        {"chat", 0, OPTION_FLAG, NULL, "each question as a message, the choices as its answer",
         &o.as_chat, 0, 0, NULL},
        OPTION_SYSTEM(&o.chat.system),
        OPTION_DATE(&o.chat.date),
        OPTION_PRE(&o.pre),
        OPTION_RESUME(&o.resume),
        OPTION_FRESH(&o.fresh),
        OPTION_MEMORY(&o.memory),
        OPTION_THREADS(&o.threads),
        OPTION_EXACT(&o.exact),
        OPTION_JSON(&as_json),
    };
    size_t found;
    int code;
    problem why;
    eval_result r;
    if (!args_parse(self, options, OPTION_COUNT(options), argc, argv, &o.model, 0, 1, &found,
                    &code))
        return code;
    if (listed + each + as_json > 1)
        return tool_usage("--list, --each and --json exclude each other");
    if (listed) return list(&o);
    if (!found) return tool_usage("an argument is missing: %s", self->usage);
    stop_keeps("nothing is kept yet");
    if (!eval_model(&o, &r, &why)) return tool_fail(&why);
    if (each) print_each(&r);
    else if (as_json) print_json(&o, &r);
    else print_table(&r);
    eval_result_free(&r);
    return tool_finish_output();
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
