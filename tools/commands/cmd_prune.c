/* cmd_prune.c - synergy prune: the application, a smaller model without its periphery. */
#include "prune/stage.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct prune_options {
    const char *model, *directory, *output, *plan, *plan_types, *list, *score;
    int order; /* 0 lowest, 1 highest */
    int kind;  /* 0 heads, 1 experts; of a model without a folder */
    bool kind_given, fraction_given, keep_shape, force, as_json;
    double fraction;
    const syn_type *type[3];
} prune_options;

/* ---- what was done ------------------------------------------------------------------------ */

static const char *what(const prune_units *u)
{
    return choice_name(CHOICE_UNITS, u->experts);
}

/* How many units could go: a list can name the shared experts, too. */
static size_t all_units(const prune_options *o, const prune_units *u)
{
    return o->list ? u->count : u->ranked;
}

static void print_choice(const prune_options *o, const prune_units *u, const prune_result *r)
{
    printf("removed     %zu of %zu %s", r->removed, all_units(o, u), what(u));
    if (o->list) printf(", as listed\n");
    else printf(" (%s %s)\n", choice_name(CHOICE_REMOVED, o->order), u->score_name);
}

static void print_groups(const prune_result *r)
{
    if (r->groups_cut_in_all && !r->groups_cut)
        printf("groups      %u KV groups cut; layers keep different numbers of heads: the "
               "architecture is\n"
               "            deci, a llama with head counts for each layer\n",
               r->groups_cut_in_all);
    else if (r->groups_cut)
        printf("groups      %u of %u KV groups cut from every layer, %u of %u heads are left\n",
               r->groups_cut, r->groups, r->heads_left, r->heads);
    else printf("groups      none cut: %s\n", r->uncut);
}

static void print_words(const prune_options *o, const prune_units *u, const prune_result *r)
{
    print_choice(o, u, r);
    printf("tensors     %llu of %llu with zeros, %llu cut\n", (unsigned long long)r->zeroed,
           (unsigned long long)r->tensors, (unsigned long long)r->cut);
    if (!u->experts && r->removed) print_groups(r);
    printf("bytes       %llu before, %llu after\n", (unsigned long long)r->bytes_before,
           (unsigned long long)r->bytes_after);
}

static void json_model(json_out *j, const prune_options *o, const prune_units *u,
                       const bool *chosen, const prune_result *r)
{
    char unit[UNIT_NAME];
    json_text(j, "kind", what(u));
    json_int(j, "removed", (int64_t)r->removed);
    json_int(j, "of", (int64_t)all_units(o, u));
    json_array_inline(j, "units");
    for (size_t i = 0; i < u->count; i++) {
        if (!chosen[i]) continue;
        prune_unit_name(u, i, unit);
        json_text(j, NULL, unit);
    }
    json_array_end(j);
    json_int(j, "tensors", (int64_t)r->tensors);
    json_int(j, "tensors_with_zeros", (int64_t)r->zeroed);
    json_int(j, "tensors_cut", (int64_t)r->cut);
    json_int(j, "tensors_rewritten", (int64_t)r->rewritten);
    json_int(j, "groups_cut", r->groups_cut);
    json_int(j, "groups_cut_in_all", r->groups_cut_in_all);
    json_text(j, "architecture", r->architecture);
    json_int(j, "bytes_before", (int64_t)r->bytes_before);
    json_int(j, "bytes_after", (int64_t)r->bytes_after);
}

static void json_plan(json_out *j, const prune_options *o, const prune_units *u, size_t lines,
                      size_t changed)
{
    json_object(j, "quant_plan");
    json_text(j, "file", o->plan);
    json_text(j, "score", u->score_name);
    json_int(j, "tensors", (int64_t)lines);
    json_int(j, "tensors_of_other_type", (int64_t)changed);
    json_object_end(j);
}

static void note_rewritten(const prune_result *r)
{
    if (!r->rewritten) return;
    tool_note("%llu tensors became F32: %s has no zeros for parts of a block this small",
              (unsigned long long)r->rewritten, r->rewritten_type);
}

/* ---- the stages --------------------------------------------------------------------------- */

static bool choose(const prune_options *o, const prune_units *u, bool *chosen, problem *why)
{
    if (o->list) return prune_choose_list(u, o->list, chosen, why);
    const size_t count = (size_t)floor(o->fraction * (double)u->ranked + 0.5);
    return prune_choose(u, count, o->order == 1, chosen, why);
}

/* ---- the other reading --------------------------------------------------------------------

   The paper has two readings of "core". Unless a score was asked for, each of them that chooses
   other units than the folder's own score gets its own file beside the first, so that what is
   concluded from one can be held against the other. */

static const struct {
    const char *name, *column;
} paper[2] = {{"rank-difference", "rank_difference"}, {"difference", "difference_rank"}};

typedef struct reading {
    prune_units u;
    bool there; /* read, and chooses other units */
    bool *chosen;
    size_t same; /* units that both choose */
    char output[TOOL_PATH_BYTES];
    prune_result result;
} reading;

/* "smaller.gguf" and "difference" to "smaller.difference.gguf". */
static bool reading_output(const char *output, const char *name, char to[TOOL_PATH_BYTES],
                           problem *why)
{
    const char *end = strrchr(path_base(output), '.');
    const int before = (int)(end ? (size_t)(end - output) : strlen(output));
    const int n = snprintf(to, TOOL_PATH_BYTES, "%.*s.%s%s", before, output, name, end ? end : "");
    return n < TOOL_PATH_BYTES || problem_set(why, "%.200s...: the path is too long", output);
}

static bool reading_open(reading *r, int k, const prune_options *o, const prune_units *u,
                         const loaded_model *m, const bool *chosen, problem *why)
{
    problem ignored;
    size_t differ = 0;
    memset(r, 0, sizeof *r);
    if (o->list || o->score || !o->directory) return true;
    if (!prune_units_read(&r->u, m, o->directory, paper[k].column, &ignored))
        return true; /* an older folder */
    r->chosen = tool_alloc(r->u.count, sizeof *r->chosen);
    r->there = r->u.count == u->count && choose(o, &r->u, r->chosen, &ignored);
    for (size_t i = 0; r->there && i < u->count; i++) {
        r->same += chosen[i] && r->chosen[i] ? 1 : 0;
        differ += chosen[i] != r->chosen[i] ? 1 : 0;
    }
    r->there = r->there && differ > 0;
    return !r->there ||
           (reading_output(o->output, paper[k].name, r->output, why) &&
            output_not_input(r->output, o->model, why) && model_not_output(m, r->output, why) &&
            output_not_input(o->plan, r->output, why) &&
            output_file_check(r->output, o->force, why));
}

static void reading_close(reading *r)
{
    if (r->chosen) prune_units_free(&r->u);
    free(r->chosen);
}

static prune_request request_of(const prune_options *o, const prune_units *u, const char *output,
                                bool *chosen)
{
    prune_request r;
    memset(&r, 0, sizeof r);
    r.output = output;
    r.chosen = chosen;
    r.score = o->list ? "list" : u->score_name;
    r.order = o->list ? "list" : choice_name(CHOICE_REMOVED, o->order);
    r.all = all_units(o, u);
    r.keep_shape = o->keep_shape;
    return r;
}

static void print_reading(const reading *r)
{
    printf("also        %s: by %s, which takes %zu of the same and %zu others\n", r->output,
           r->u.score_name, r->same, r->result.removed - r->same);
}

static void json_readings(json_out *j, const prune_options *o, const reading *of)
{
    json_array(j, "other_readings");
    for (int k = 0; k < 2; k++) {
        if (!of[k].there) continue;
        json_object(j, NULL);
        json_text(j, "score", of[k].u.score_name);
        json_text(j, "output", of[k].output);
        json_int(j, "same_units", (int64_t)of[k].same);
        json_model(j, o, &of[k].u, of[k].chosen, &of[k].result);
        json_object_end(j);
    }
    json_array_end(j);
}

static bool write_readings(const prune_options *o, const loaded_model *m, reading *of, problem *why)
{
    bool good = true;
    for (int k = 0; good && k < 2; k++) {
        if (!of[k].there) continue;
        const prune_request r = request_of(o, &of[k].u, of[k].output, of[k].chosen);
        good = prune_write(&r, &of[k].u, m, &of[k].result, why);
    }
    return good;
}

/* j: NULL, or where the result goes instead of standard output. */
static bool write_model(const prune_options *o, const prune_units *u, const loaded_model *m,
                        json_out *j, problem *why)
{
    prune_result result;
    reading other[2];
    bool *chosen = tool_alloc(u->count, sizeof *chosen);
    memset(other, 0, sizeof other);
    const prune_request r = request_of(o, u, o->output, chosen);
    bool good = choose(o, u, chosen, why);
    for (int k = 0; good && k < 2; k++) good = reading_open(&other[k], k, o, u, m, chosen, why);
    good = good && prune_write(&r, u, m, &result, why) && write_readings(o, m, other, why);
    if (good) note_rewritten(&result);
    if (good && j) {
        json_model(j, o, u, chosen, &result);
        json_readings(j, o, other);
    } else if (good) {
        print_words(o, u, &result);
        for (int k = 0; k < 2; k++)
            if (other[k].there) print_reading(&other[k]);
    }
    for (int k = 0; k < 2; k++) reading_close(&other[k]);
    free(chosen);
    return good;
}

static bool write_plan(const prune_options *o, const prune_units *u, const loaded_model *m,
                       json_out *j, problem *why)
{
    size_t lines, changed;
    if (!quant_plan_write(o->plan, u, m, o->type, &lines, &changed, why)) return false;
    if (changed)
        tool_note(
            "%zu of %zu tensors have rows that are no whole blocks of the type wanted and get the "
            "type that llama.cpp would take instead",
            changed, lines);
    if (j) json_plan(j, o, u, lines, changed);
    else printf("plan        %zu tensors in %s\n", lines, o->plan);
    return true;
}

static bool write_files(const prune_options *o, const prune_units *u, const loaded_model *m,
                        problem *why)
{
    json_out told = {0}, *j = o->as_json ? &told : NULL;
    if (j) json_object(j, NULL);
    const bool good =
        (!o->output || write_model(o, u, m, j, why)) && (!o->plan || write_plan(o, u, m, j, why));
    if (j) json_object_end(j);
    if (j && good) json_print(j, stdout);
    else text_free(&told.to);
    return good;
}

static bool work(const prune_options *o, const loaded_model *m, problem *why)
{
    prune_units u;
    const bool read = o->directory ? prune_units_read(&u, m, o->directory, o->score, why)
                                   : prune_units_of_model(&u, m, o->kind == 1, why);
    if (!read) return false;
    bool good = true;
    if (o->kind_given && u.experts != (o->kind == 1))
        good = problem_set(why, "%s: its units are %s", o->directory, what(&u));
    good = good && write_files(o, &u, m, why);
    prune_units_free(&u);
    return good;
}

/* 0, or the exit code of a usage error. */
static int check_usage(prune_options *o)
{
    if (!o->output && !o->plan) return tool_usage("-o OUT.gguf or --quant-plan FILE is missing");
    if (o->output && o->plan && !strcmp(o->output, o->plan))
        return tool_usage("-o and --quant-plan name the same file, %.200s", o->output);
    if (!o->directory && (o->plan || !o->list))
        return tool_usage(
            "DIR is missing: without a result folder there are no scores (--heads names "
            "units directly)");
    if (o->list && o->fraction_given) return tool_usage("either --fraction or --heads");
    if (o->output && !o->list && !o->fraction_given)
        return tool_usage("--fraction is missing: which share of the units goes? (or --heads)");
    if (!quant_plan_types(o->plan_types, o->type))
        return tool_usage("--plan-types: '%.60s' is not three tensor types such as q6_k,q5_k,q4_k",
                          o->plan_types);
    return 0;
}

static int run(const command *self, int argc, char **argv)
{
    prune_options o;
    memset(&o, 0, sizeof o);
    o.plan_types = "q6_k,q5_k,q4_k";
    const char *operand[2] = {NULL, NULL};
    const option options[] = {
        {"fraction", 0, OPTION_NUMBER, "F", "share of all units that goes, 0 to 1", &o.fraction, 0,
         1, &o.fraction_given},
        {"output", 'o', OPTION_TEXT, "OUT.gguf", "the model to write", &o.output, 0, 0, NULL},
        {"score", 0, OPTION_TEXT, "NAME",
         "column of units.csv: synergy, norm, ... (default: score, and both of the paper's "
         "readings)",
         &o.score, 0, 0, NULL},
        {"order", 0, OPTION_CHOICE, choice_words(CHOICE_REMOVED),
         "which end goes (default: lowest, the periphery)", &o.order, 0, 0, NULL},
        {"heads", 0, OPTION_TEXT, "LIST", "these units instead: 10-20.*,3.0-2 (experts: L.E)",
         &o.list, 0, 0, NULL},
        {"units", 0, OPTION_CHOICE, choice_words(CHOICE_UNITS),
         "what --heads names, where DIR does not say it", &o.kind, 0, 0, &o.kind_given},
        {"keep-shape", 0, OPTION_FLAG, NULL, "only zeros: every head keeps its place",
         &o.keep_shape, 0, 0, NULL},
        {"quant-plan", 0, OPTION_TEXT, "FILE",
         "write tensor types by score, for llama-quantize --tensor-type-file", &o.plan, 0, 0, NULL},
        {"plan-types", 0, OPTION_TEXT, "A,B,C",
         "types of the upper, middle and lower third (default q6_k,q5_k,q4_k)", &o.plan_types, 0, 0,
         NULL},
        OPTION_JSON(&o.as_json),
        {"force", 0, OPTION_FLAG, NULL, "replace files that exist", &o.force, 0, 0, NULL},
    };
    int code;
    problem why;
    loaded_model m;
    if (!args_parse(self, options, OPTION_COUNT(options), argc, argv, operand, 1, 2, NULL, &code))
        return code;
    o.model = operand[0];
    o.directory = operand[1];
    if ((code = check_usage(&o)) != 0) return code;
    if (!output_not_input(o.output, o.model, &why) || !output_not_input(o.plan, o.model, &why) ||
        !output_not_input(o.plan, o.output, &why))
        return tool_fail(&why);
    if ((o.output && !output_file_check(o.output, o.force, &why)) ||
        (o.plan && !output_file_check(o.plan, o.force, &why)))
        return tool_fail(&why);
    if (!model_load_weights(&m, o.model, &why)) return tool_fail(&why);
    const bool good = model_not_output(&m, o.output, &why) && model_not_output(&m, o.plan, &why) &&
                      work(&o, &m, &why);
    model_unload(&m);
    return good ? tool_finish_output() : tool_fail(&why);
}

const command command_prune = {
    "prune",
    "MODEL [DIR] --fraction F -o OUT.gguf [OPTIONS]",
    "writes the model without chosen heads or experts; a plan of tensor types",
    "Takes the units of lowest score out: a head's columns of attn_output become zero in the "
    "tensor's\n"
    "own type, an expert's matrix of ffn_down too. Where all heads of as many KV groups go from "
    "every\n"
    "layer, and llama.cpp can read it, the groups are cut out and the file is smaller; where they "
    "go from\n"
    "some layers of a llama, the file becomes one of the architecture deci, a llama with head "
    "counts for\n"
    "each layer. All other keys and tensors are copied; what was removed stands in the keys\n"
    "synergy.pruned.*. Shared experts, where DIR has them as a unit more of each layer, are "
    "neither\n"
    "chosen nor counted by --fraction; --heads can name them. Where the paper's other reading of "
    "the scores\n"
    "(the rank difference, the rank of the difference) chooses other units, a second file beside "
    "the first,\n"
    "OUT.difference.gguf or OUT.rank-difference.gguf, is made of its choice; --score NAME writes "
    "one.",
    run,
    "synergy prune model.gguf results --fraction 0.1 -o smaller.gguf"};
