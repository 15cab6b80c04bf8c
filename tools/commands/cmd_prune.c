/* cmd_prune.c - synergy prune: the application, a smaller model without its periphery. */
#include "prune/stage.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct prune_options {
    const char *model, *directory, *output, *plan, *plan_types, *list, *score;
    int    order;   /* 0 lowest, 1 highest */
    int    kind;    /* 0 heads, 1 experts; of a model without a folder */
    bool   kind_given, fraction_given, keep_shape, force, as_json;
    double fraction;
    const syn_type *type[3];
} prune_options;

static const char *const order_name[2] = {"lowest", "highest"};

/* ---- what was done ------------------------------------------------------------------------ */

static const char *what(const prune_units *u) {
    return u->experts ? "experts" : "heads";
}

/* How many units could go: a list can name the shared experts, too. */
static size_t all_units(const prune_options *o, const prune_units *u) {
    return o->list ? u->count : u->ranked;
}

static void print_choice(const prune_options *o, const prune_units *u, const prune_result *r) {
    printf("removed     %zu of %zu %s", r->removed, all_units(o, u), what(u));
    if (o->list) printf(", as listed\n");
    else printf(" (%s %s)\n", order_name[o->order], u->score_name);
}

static void print_groups(const prune_result *r) {
    if (r->groups_cut_in_all && !r->groups_cut)
        printf("groups      %u KV groups cut; layers keep different numbers of heads: the architecture is\n"
               "            deci, a llama with head counts for each layer\n", r->groups_cut_in_all);
    else if (r->groups_cut)
        printf("groups      %u of %u KV groups cut from every layer, %u of %u heads are left\n",
               r->groups_cut, r->groups, r->heads_left, r->heads);
    else
        printf("groups      none cut: %s\n", r->uncut);
}

static void print_words(const prune_options *o, const prune_units *u, const prune_result *r) {
    print_choice(o, u, r);
    printf("tensors     %llu of %llu with zeros, %llu cut\n", (unsigned long long)r->zeroed,
           (unsigned long long)r->tensors, (unsigned long long)r->cut);
    if (!u->experts && r->removed) print_groups(r);
    printf("bytes       %llu before, %llu after\n", (unsigned long long)r->bytes_before,
           (unsigned long long)r->bytes_after);
}

static void json_model(json_out *j, const prune_options *o, const prune_units *u, const bool *chosen,
                       const prune_result *r) {
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

static void json_plan(json_out *j, const prune_options *o, const prune_units *u, size_t lines, size_t changed) {
    json_object(j, "quant_plan");
    json_text(j, "file", o->plan);
    json_text(j, "score", u->score_name);
    json_int(j, "tensors", (int64_t)lines);
    json_int(j, "tensors_of_other_type", (int64_t)changed);
    json_object_end(j);
}

static void note_rewritten(const prune_result *r) {
    if (!r->rewritten) return;
    tool_note("%llu tensors became F32: %s has no zeros for parts of a block this small",
              (unsigned long long)r->rewritten, r->rewritten_type);
}

/* ---- the stages --------------------------------------------------------------------------- */

static bool choose(const prune_options *o, const prune_units *u, bool *chosen, problem *why) {
    if (o->list) return prune_choose_list(u, o->list, chosen, why);
    const size_t count = (size_t)floor(o->fraction * (double)u->ranked + 0.5);
    return prune_choose(u, count, o->order == 1, chosen, why);
}

/* The paper has two readings of "core": unless one was asked for, how far would the other choose the same? */
static void note_reading(const prune_options *o, const prune_units *u, const loaded_model *m, const bool *chosen,
                         const char *column) {
    prune_units other;
    problem ignored;
    size_t count = 0, both = 0;
    if (!prune_units_read(&other, m, o->directory, column, &ignored)) return;
    bool *there = tool_alloc(other.count, sizeof *there);
    if (other.count == u->count && choose(o, &other, there, &ignored))
        for (size_t i = 0; i < u->count; i++) {
            count += chosen[i] ? 1 : 0;
            both += chosen[i] && there[i] ? 1 : 0;
        }
    if (both < count)
        tool_note("%zu of these %zu %s would go by %s, too; --score %s follows it", both, count, what(u), column,
                  column);
    free(there);
    prune_units_free(&other);
}

static void note_readings(const prune_options *o, const prune_units *u, const loaded_model *m,
                          const bool *chosen) {
    if (o->list || o->score || !o->directory) return;
    note_reading(o, u, m, chosen, "rank_difference");
    note_reading(o, u, m, chosen, "difference_rank");
}

/* j: NULL, or where the result goes instead of standard output. */
static bool write_model(const prune_options *o, const prune_units *u, const loaded_model *m, json_out *j,
                        problem *why) {
    prune_request r;
    prune_result result;
    bool *chosen = tool_alloc(u->count, sizeof *chosen);
    memset(&r, 0, sizeof r);
    r.output = o->output;
    r.chosen = chosen;
    r.score = o->list ? "list" : u->score_name;
    r.order = o->list ? "list" : order_name[o->order];
    r.all = all_units(o, u);
    r.keep_shape = o->keep_shape;
    const bool good = choose(o, u, chosen, why) && prune_write(&r, u, m, &result, why);
    if (good) note_rewritten(&result);
    if (good) note_readings(o, u, m, chosen);
    if (good && j) json_model(j, o, u, chosen, &result);
    else if (good) print_words(o, u, &result);
    free(chosen);
    return good;
}

static bool write_plan(const prune_options *o, const prune_units *u, const loaded_model *m, json_out *j,
                       problem *why) {
    size_t lines, changed;
    if (!quant_plan_write(o->plan, u, m, o->type, &lines, &changed, why)) return false;
    if (changed)
        tool_note("%zu of %zu tensors have rows that are no whole blocks of the type wanted and get the "
                  "type that llama.cpp would take instead", changed, lines);
    if (j) json_plan(j, o, u, lines, changed);
    else printf("plan        %zu tensors in %s\n", lines, o->plan);
    return true;
}

static bool write_files(const prune_options *o, const prune_units *u, const loaded_model *m, problem *why) {
    json_out told = {0}, *j = o->as_json ? &told : NULL;
    if (j) json_object(j, NULL);
    const bool good = (!o->output || write_model(o, u, m, j, why)) && (!o->plan || write_plan(o, u, m, j, why));
    if (j) json_object_end(j);
    if (j && good) json_print(j, stdout);
    else text_free(&told.to);
    return good;
}

static bool work(const prune_options *o, const loaded_model *m, problem *why) {
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
static int check_usage(prune_options *o) {
    if (!o->output && !o->plan) return tool_usage("-o OUT.gguf or --quant-plan FILE is missing");
    if (o->output && o->plan && !strcmp(o->output, o->plan))
        return tool_usage("-o and --quant-plan name the same file, %.200s", o->output);
    if (!o->directory && (o->plan || !o->list))
        return tool_usage("DIR is missing: without a result folder there are no scores (--heads names "
                          "units directly)");
    if (o->list && o->fraction_given) return tool_usage("either --fraction or --heads");
    if (o->output && !o->list && !o->fraction_given)
        return tool_usage("--fraction is missing: which share of the units goes? (or --heads)");
    if (!quant_plan_types(o->plan_types, o->type))
        return tool_usage("--plan-types: '%.60s' is not three tensor types such as q6_k,q5_k,q4_k",
                          o->plan_types);
    return 0;
}

static int run(const command *self, int argc, char **argv) {
    prune_options o;
    memset(&o, 0, sizeof o);
    o.plan_types = "q6_k,q5_k,q4_k";
    const char *operand[2] = {NULL, NULL};
    const option options[] = {
        {"fraction", 0, OPTION_NUMBER, "F", "share of all units that goes, 0 to 1", &o.fraction, 0, 1,
         &o.fraction_given},
        {"output", 'o', OPTION_TEXT, "OUT.gguf", "the model to write", &o.output, 0, 0, NULL},
        {"score", 0, OPTION_TEXT, "NAME", "column of units.csv: synergy, norm, ... (default: score)",
         &o.score, 0, 0, NULL},
        {"order", 0, OPTION_CHOICE, "lowest|highest", "which end goes (default: lowest, the periphery)",
         &o.order, 0, 0, NULL},
        {"heads", 0, OPTION_TEXT, "LIST", "these units instead: 10-20.*,3.0-2 (experts: L.E)", &o.list,
         0, 0, NULL},
        {"units", 0, OPTION_CHOICE, "heads|experts", "what --heads names, where DIR does not say it",
         &o.kind, 0, 0, &o.kind_given},
        {"keep-shape", 0, OPTION_FLAG, NULL, "only zeros: every head keeps its place", &o.keep_shape,
         0, 0, NULL},
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
    "prune", "MODEL [DIR] --fraction F -o OUT.gguf [OPTIONS]",
    "writes the model without chosen heads or experts; a plan of tensor types",
    "Takes the units of lowest score out: a head's columns of attn_output become zero in the tensor's\n"
    "own type, an expert's matrix of ffn_down too. Where all heads of as many KV groups go from every\n"
    "layer, and llama.cpp can read it, the groups are cut out and the file is smaller; where they go from\n"
    "some layers of a llama, the file becomes one of the architecture deci, a llama with head counts for\n"
    "each layer. All other keys and tensors are copied; what was removed stands in the keys\n"
    "synergy.pruned.*. Shared experts, where DIR has them as a unit more of each layer, are neither\n"
    "chosen nor counted by --fraction; --heads can name them.",
    run,
    "synergy prune model.gguf results --fraction 0.1 -o smaller.gguf"};
