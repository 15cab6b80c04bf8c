/* cmd_analyze.c - `synergy analyze`, the main job: prompts -> norms -> PhiID -> scores -> report. */
#include "graph/stage.h"
#include "phiid/stage.h"
#include "record/stage.h"
#include "report/stage.h"
#include "study/stage.h"

#include <string.h>
#include <unistd.h>

enum { DEFAULT_SURROGATES = 100 };

/* What the run will take, before it starts. The time is a range: generation slows down as the
   context fills, and the information stage comes on top. */
static bool announce(capture_job *job, problem *why) {
    double seconds;
    char memory[32], disk[32], least[32], most[32];
    if (!capture_speed(job, &seconds, why)) return false;
    double prompt_tokens = 0;
    for (size_t i = 0; i < job->prompts; i++) prompt_tokens += (double)job->prompt[i].count;
    const double tokens = (double)job->prompts * (double)job->options->n;
    const double expected = seconds * (tokens + 0.4 * prompt_tokens);
    bytes_text(capture_memory_bytes(job), memory, sizeof memory);
    bytes_text(capture_disk_bytes(job), disk, sizeof disk);
    duration_text(0.9 * expected, least, sizeof least);
    duration_text(1.5 * expected + 30, most, sizeof most);
    fprintf(stderr,
            "%s: %u layers x %u %s, %zu prompts x %lld tokens\n"
            "memory %.0f bytes (%s) beside the mapped file of %.0f bytes; up to %s on disk; "
            "about %s to %s\n",
            path_base(job->m.path), job->layers, job->per_layer,
            job->options->units ? "experts" : "heads", job->prompts, (long long)job->options->n,
            capture_memory_bytes(job), memory, (double)model_file_bytes(&job->m), disk, least, most);
    return true;
}

static bool capture_stage(const capture_options *o, problem *why) {
    capture_job job;
    const bool good = capture_prepare(&job, o, why) && announce(&job, why) && capture_run(&job, why);
    capture_free(&job);
    return good;
}

static bool graph_stage(const phiid_options *p, problem *why) {
    graph_options g;
    json_out j;
    graph_defaults(&g);
    memset(&j, 0, sizeof j);
    g.input = p->output;
    g.seed = p->seed;
    g.threads = p->threads;
    g.force = true;
    const bool good = graph_run(&g, &j, why);
    text_free(&j.to);
    return good;
}

/* What the paper concludes from interventions, on the units that were just scored. */
static bool intervention_stage(const capture_options *o, problem *why) {
    ablate_options a;
    perturb_options p;
    ablate_defaults(&a);
    perturb_defaults(&p);
    study_options *const of[2] = {&a.study, &p.study};
    for (int i = 0; i < 2; i++) {
        of[i]->model = o->model;
        of[i]->directory = of[i]->output = o->output;
        of[i]->seed = o->seed;
        of[i]->threads = o->threads;
        of[i]->memory = o->memory;
        of[i]->exact = o->exact;
        of[i]->fresh = o->fresh;
        of[i]->pre = o->pre;
        of[i]->force = true;
    }
    return ablate_run(&a, why) && perturb_run(&p, why);
}

static int run(const command *self, int argc, char **argv) {
    capture_options o;
    phiid_options p;
    const char *operand[1];
    int64_t surrogates = DEFAULT_SURROGATES;
    bool interventions = false;
    capture_defaults(&o);
    phiid_defaults(&p);
    const option options[] = {
        OPTION_OUT(&o.output),
        {"prompts", 0, OPTION_TEXT, "FILE|builtin", "prompts (default: the built-in 60)", &o.prompts,
         0, 0, NULL},
        {NULL, 'n', OPTION_INT, "N", "tokens to generate for each prompt (default 100)", &o.n, 1,
         1 << 20, NULL},
        {"units", 0, OPTION_CHOICE, "heads|experts", "what is recorded (default heads)", &o.units, 0,
         0, NULL},
        {"eos", 0, OPTION_CHOICE, "ban|stop", "end tokens: never chosen (default), or end a series",
         &o.eos, 0, 0, NULL},
        {"raw", 0, OPTION_FLAG, NULL, "prompts as they are, without the chat format", &o.chat.raw, 0,
         0, NULL},
        OPTION_SYSTEM(&o.chat.system), OPTION_DATE(&o.chat.date), OPTION_PRE(&o.pre),
        {"tau", 0, OPTION_INT, "N", "lag in tokens (default 1)", &p.tau, 1, 1 << 20, NULL},
        {"redundancy", 0, OPTION_CHOICE, "mmi|ccs", "redundancy measure", &p.redundancy, 0, 0, NULL},
        {"surrogates", 0, OPTION_INT, "N", "circular shifts for the null (default 100)", &surrogates,
         0, 1 << 20, NULL},
        {"ablate", 0, OPTION_FLAG, NULL, "then remove and perturb units, as synergy ablate and perturb do",
         &interventions, 0, 0, NULL},
        OPTION_RESUME(&o.resume), OPTION_FRESH(&o.fresh),
        OPTION_CONTEXT(&o.context), OPTION_MEMORY(&o.memory), OPTION_THREADS(&o.threads), OPTION_SEED(&o.seed),
        OPTION_EXACT(&o.exact), OPTION_FORCE(&o.force),
    };
    size_t found;
    int code;
    problem why;
    double budget;
    if (!args_parse(self, options, OPTION_COUNT(options), argc, argv, operand, 1, 1, &found, &code))
        return code;
    if (!o.output) return tool_usage("-o DIR is needed");
    if (!budget_of(o.memory, &budget, &why)) return tool_usage("%s", why.text);
    o.model = operand[0];
    if (!o.prompts) o.prompts = "builtin";
    if (!capture_stage(&o, &why)) return tool_fail(&why);
    p.input = p.output = o.output;
    p.surrogates = surrogates;
    p.seed = o.seed;
    p.threads = o.threads;
    p.force = true; /* the folder is this run's: capture has checked it */
    if (!phiid_run(&p, &why) || !graph_stage(&p, &why) ||
        (interventions && !intervention_stage(&o, &why)) || !report_run(o.output, &why) ||
        !phiid_print(stdout, o.output, &why))
        return tool_fail(&why);
    printf("\nThe report: %s/report.html\n", o.output);
    return tool_finish_output();
}

const command command_analyze = {
    "analyze", "MODEL -o DIR", "all of it, ending in DIR/report.html",
    "Generates from prompts, records every head, decomposes every pair, scores, with --ablate also\n"
    "intervenes, and draws.", run};
