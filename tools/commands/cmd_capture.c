/* cmd_capture.c - `synergy capture`: generates, or feeds given ids, and records norms. */
#include "base/work.h"
#include "record/stage.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Rank and size as a launcher tells them; job arrays count from their own first number. */
typedef struct launcher {
    const char *rank, *size, *first;
} launcher;

static const launcher launchers[] = {
    {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", NULL},
    {"PMI_RANK", "PMI_SIZE", NULL},
    {"SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN"},
    {"SLURM_PROCID", "SLURM_NTASKS", NULL},
    {"PBS_ARRAY_INDEX", "PBS_ARRAY_COUNT", NULL},
    {"SGE_TASK_ID", "SGE_TASK_LAST", "SGE_TASK_FIRST"},
};

static bool number_of(const char *variable, int64_t *value)
{
    const char *words = variable ? getenv(variable) : NULL;
    char *end;
    if (!words || !*words) return false;
    *value = strtoll(words, &end, 10);
    return !*end && *value >= 0;
}

/* True when there is one: the processes of a launcher have one -o, and each its own folder in
   it. */
static bool shard_from_environment(capture_options *o)
{
    for (size_t i = 0; i < sizeof launchers / sizeof launchers[0]; i++) {
        int64_t rank, size, first = 0;
        if (!number_of(launchers[i].rank, &rank) || !number_of(launchers[i].size, &size)) continue;
        if (launchers[i].first) number_of(launchers[i].first, &first);
        if (launchers[i].first && !strncmp(launchers[i].rank, "SGE", 3)) size -= first - 1;
        if (size < 2 || rank < first || rank - first >= size) continue;
        o->shard = rank - first;
        o->shards = size;
        tool_note("shard %lld of %lld (%s)", (long long)o->shard, (long long)o->shards,
                  launchers[i].rank);
        return true;
    }
    return false;
}

/* "I/K", I from 0. */
static bool shard_from_text(const char *words, capture_options *o)
{
    char *end;
    o->shard = strtoll(words, &end, 10);
    if (end == words || *end != '/') return false;
    const char *behind = end + 1;
    o->shards = strtoll(behind, &end, 10);
    return end != behind && !*end && o->shard >= 0 && o->shards >= 1 && o->shard < o->shards &&
           o->shards <= 1000000;
}

/* ---- -o DIR of several processes: DIR/shard-I-of-K each -------------------------------- */

static const char *const shard_files[] = {"norms.npy", "tokens.npy", "lengths.npy", "sinks.npy",
                                          "run.json"};
enum { SHARD_FILES = sizeof shard_files / sizeof shard_files[0] };

/* Takes away what shard_links made. */
static void shard_unlink(const char *directory)
{
    char path[TOOL_PATH_BYTES], target[8];
    problem ignored;
    for (int i = 0; i < SHARD_FILES; i++)
        if (path_join(path, directory, shard_files[i], &ignored) &&
            readlink(path, target, sizeof target) > 0 && !memcmp(target, "shard-", 6))
            unlink(path);
}

static bool other_shards(const char *directory, const char *own)
{
    folder_names all = {NULL, 0};
    problem ignored; /* links are a help: where the folder cannot be read, none are made */
    bool found = !folder_list(&all, directory, &ignored);
    for (size_t i = 0; i < all.count && !found; i++)
        found = !strncmp(all.at[i], "shard-", 6) && strcmp(all.at[i], own);
    folder_list_free(&all);
    return found;
}

/* A process that has DIR for itself leaves its files in DIR, too, as with --shard. */
static void shard_links(const char *directory, const char *own)
{
    char path[TOOL_PATH_BYTES], there[TOOL_PATH_BYTES], target[96];
    problem ignored;
    for (int i = 0; i < SHARD_FILES; i++) {
        snprintf(target, sizeof target, "%s/%s", own, shard_files[i]);
        if (!path_join(path, directory, shard_files[i], &ignored) ||
            !path_join(there, directory, target, &ignored) || !path_exists(there))
            continue;
        if (!path_exists(path) && symlink(target, path)) return; /* a help, not a result */
    }
}

/* "24 prompts x 100 tokens x 30 layers x 9 heads" */
static void shape_text(text *to, const capture_options *o, const capture_facts *f)
{
    text_print(to, "%zu prompts x %lld tokens x %u layers x %u %s", f->prompts, (long long)o->n,
               f->layers, f->per_layer, choice_name(CHOICE_UNITS, o->units));
}

static bool announce(const capture_facts *f, const void *user, problem *why)
{
    const capture_options *o = user;
    text what = {NULL, 0, 0};
    shape_text(&what, o, f);
    const work_plan p = {what.at,
                         o->output,
                         f->memory_bytes,
                         f->disk_bytes,
                         0.7 * f->all_seconds,
                         1.5 * f->all_seconds + 0.1,
                         0};
    const bool good = plan_announce(&p, why);
    text_free(&what);
    return good;
}

static void print_result(const capture_options *o, const capture_facts *f)
{
    text what = {NULL, 0, 0};
    shape_text(&what, o, f);
    printf("%s: %s/norms.npy\n", what.at, o->output);
    text_free(&what);
}

/* `launched`: more processes than prompts are no fault of a launcher. */
static int generate(const capture_options *o, bool launched)
{
    capture_facts facts;
    problem why;
    bool good = capture_prompts(o, announce, o, &facts, &why);
    if (good && !facts.prompts) {
        problem_set(&why, "shard %lld of %lld has no prompt: there are %zu", (long long)o->shard,
                    (long long)o->shards, facts.all_prompts);
        if (launched) tool_note("%s", why.text);
        good = launched;
    } else if (good) {
        print_result(o, &facts);
    }
    return good ? tool_finish_output() : tool_fail(&why);
}

static int run(const command *self, int argc, char **argv)
{
    capture_options o;
    const char *shard = NULL, *operand[1];
    capture_defaults(&o);
    const option options[] = {
        {"prompts", 0, OPTION_TEXT, "FILE|builtin",
         "prompts, one a line, an optional category before a tab", &o.prompts, 0, 0, NULL},
        {"tokens", 0, OPTION_TEXT, "IDS.npy",
         "no generation: feed these ids, record every position", &o.tokens, 0, 0, NULL},
        {"from", 0, OPTION_INT, "N", "with --tokens: positions before N are read, not recorded",
         &o.from, 0, 1 << 24, NULL},
        {NULL, 'n', OPTION_INT, "N", "tokens to generate for each prompt (default 100)", &o.n, 1,
         1 << 20, NULL},
        OPTION_OUT(&o.output),
        {"eos", 0, OPTION_CHOICE, choice_words(CHOICE_EOS),
         "end tokens: never chosen (default), or end a series", &o.eos, 0, 0, NULL},
        {"units", 0, OPTION_CHOICE, choice_words(CHOICE_UNITS), "what is recorded (default heads)",
         &o.units, 0, 0, NULL},
        {"raw-norm", 0, OPTION_FLAG, NULL, "experts: the norm before the gate weight", &o.raw_norm,
         0, 0, NULL},
        {"all-experts", 0, OPTION_FLAG, NULL, "experts: evaluate every one at each token, ungated",
         &o.all_experts, 0, 0, NULL},
        {"shared-experts", 0, OPTION_FLAG, NULL, "experts: the shared ones are one unit more",
         &o.shared_experts, 0, 0, NULL},
        {"raw", 0, OPTION_FLAG, NULL, "prompts as they are, without the chat format", &o.chat.raw,
         0, 0, NULL},
        OPTION_SYSTEM(&o.chat.system),
        OPTION_DATE(&o.chat.date),
        OPTION_PRE(&o.pre),
        {"temp", 0, OPTION_NUMBER, "T", "temperature; 0 (default): the likeliest token",
         &o.temperature, 0, 1000, NULL},
        {"top-k", 0, OPTION_INT, "K", "of the K likeliest tokens only", &o.top_k, 0, 1 << 30, NULL},
        {"top-p", 0, OPTION_NUMBER, "P", "of the likeliest tokens that make up P", &o.top_p, 0, 1,
         NULL},
        {"min-p", 0, OPTION_NUMBER, "P", "of tokens at least P times as likely as the likeliest",
         &o.min_p, 0, 1, NULL},
        {"logits", 0, OPTION_FLAG, NULL, "with --tokens: write logits.npy as well", &o.logits, 0, 0,
         NULL},
        OPTION_RESUME(&o.resume),
        OPTION_FRESH(&o.fresh),
        OPTION_BEYOND(&o.beyond_context),
        {"shard", 0, OPTION_TEXT, "I/K", "every K-th prompt, from number I (0 to K-1) on", &shard,
         0, 0, NULL},
        OPTION_CONTEXT(&o.context),
        OPTION_MEMORY(&o.memory),
        OPTION_CACHE(&o.cache),
        OPTION_THREADS(&o.threads),
        OPTION_SEED(&o.seed),
        OPTION_EXACT(&o.exact),
        OPTION_FORCE(&o.force),
    };
    size_t found;
    int code;
    problem why;
    double budget;
    if (!args_parse(self, options, OPTION_COUNT(options), argc, argv, operand, 1, 1, &found, &code))
        return code;
    o.model = operand[0];
    if (!o.output) return tool_usage("-o DIR is needed");
    if (!budget_of(o.memory, &budget, &why)) return tool_usage("%s", why.text);
    if (!o.prompts == !o.tokens) return tool_usage("one of --prompts and --tokens is needed");
    if (o.from && !o.tokens) return tool_usage("--from goes with --tokens");
    if (o.logits && !o.tokens) return tool_usage("--logits goes with --tokens");
    if (shard && !shard_from_text(shard, &o))
        return tool_usage("--shard takes I/K, I from 0 to K-1");
    if (o.tokens) return capture_tokens(&o, &why) ? tool_finish_output() : tool_fail(&why);
    if (shard || !shard_from_environment(&o)) return generate(&o, false);
    char own[64], path[TOOL_PATH_BYTES];
    const char *directory = o.output;
    snprintf(own, sizeof own, "shard-%lld-of-%lld", (long long)o.shard, (long long)o.shards);
    if (!path_join(path, directory, own, &why)) return tool_fail(&why);
    o.output = path;
    shard_unlink(directory);
    code = generate(&o, true);
    if (code == 0 && !other_shards(directory, own)) shard_links(directory, own);
    return code;
}

const command command_capture = {
    "capture",
    "MODEL --prompts FILE|builtin -o DIR",
    "generates and records the norm of every unit",
    "Writes norms.npy [prompts, tokens, layers, units], tokens.npy, run.json and timing.json.\n"
    "Under mpirun, srun or in a job array each process takes its share and writes it to\n"
    "DIR/shard-I-of-K; synergy merge DIR -o ALL joins them.\n\n"
    "With --units experts an expert counts 0 at every token where the router does not choose it. "
    "A\n"
    "series with many zeros tells a Gaussian estimate when the expert is chosen rather than how "
    "much\n"
    "it gives; --all-experts evaluates every expert at every token (slower) and has no such "
    "zeros,\n"
    "but it then also measures experts whose output the model never sees.",
    run,
    "synergy capture model.gguf --prompts prompts.txt -n 50 -o recording"};
