/* cmd_analyze.c - `synergy analyze`, the main job: prompts -> norms -> PhiID -> scores ->
   report. */
#include "engine/choices.h"
#include "base/work.h"
#include "engine/estimators.h"
#include "graph/stage.h"
#include "phiid/stage.h"
#include "record/stage.h"
#include "report/stage.h"
#include "study/stage.h"

#include <string.h>
#include <unistd.h>

enum { DEFAULT_SURROGATES = 100, ROBUST_NULLS = 20 };

typedef struct analysis {
    capture_options capture;
    phiid_options phiid;
    int64_t surrogates;
    bool interventions;
    bool one_estimator; /* no robustness over the others */
} analysis;

/* Seconds of what follows the recording. Measured on one core of an EPYC: 35 ns a pair, prompt and
   surrogate; on average 100 ns under another estimator; 1.3 ns a node cubed and network; a forced
   position takes 0.4 of a generated one, and an edit starts half-way. */
static double seconds_behind(const analysis *a, const capture_facts *f)
{
    const double n = (double)f->units,
                 cores = (double)(a->capture.threads ? a->capture.threads : cores_count());
    const double pairs = n * (n - 1) / 2 * (double)f->all_prompts * (1 + (double)a->surrogates);
    const double others = a->one_estimator ? 0 : ESTIMATOR_ROWS - 1;
    const double networks = 2 + 4 * (n > 500 ? 20 : 100) + others * (2 + 4 * ROBUST_NULLS);
    const double beside =
        n * (n - 1) / 2 * (double)f->all_prompts * (1 + PHIID_ROBUST_SURROGATES) * others;
    const double texts = f->prompts < 24 ? (double)f->prompts : 24;
    const double positions = texts * ((double)a->capture.n + (double)f->longest);
    const double edits = a->interventions ? 16 * 8 + 9 * 4 : 0;
    return (35e-9 * pairs + 100e-9 * beside + 1.3e-9 * n * n * n * networks) / cores +
           0.2 * f->token_seconds * positions * edits;
}

static double bytes_in_all(const analysis *a, const capture_facts *f)
{
    const double results = 1 + (a->one_estimator ? 0 : ESTIMATOR_ROWS - 1);
    return f->disk_bytes + results * phiid_disk_bytes(f->units, f->layers, a->surrogates > 0) +
           results * graph_disk_bytes(f->units) + (a->interventions ? 2 * study_disk_bytes() : 0) +
           report_disk_bytes(f->units, f->prompts, a->interventions);
}

/* What the run will take, before it starts. The time is a range: generation slows down as the
   context fills. */
static bool announce(const capture_facts *f, const void *user, problem *why)
{
    const analysis *a = user;
    const capture_options *o = &a->capture;
    const double expected = f->all_seconds + seconds_behind(a, f);
    text what = {NULL, 0, 0};
    text_print(&what, "%s (mapped, %.0f bytes): %u layers x %u %s, %zu prompts x %lld tokens",
               f->model, f->model_bytes, f->layers, f->per_layer,
               choice_name(CHOICE_UNITS, o->units), f->prompts, (long long)o->n);
    const work_plan p = {
        what.at, o->output, f->memory_bytes, bytes_in_all(a, f), 0.6 * expected, 1.8 * expected + 1,
        0};
    const bool good = plan_announce(&p, why);
    text_free(&what);
    return good;
}

/* What the information stage would only find after the recording: series too short for their
   lag. */
static bool check_samples(const analysis *a, problem *why)
{
    const long long n = (long long)a->capture.n, least = phiid_least_samples(&a->phiid);
    if (n < least)
        return problem_set(
            why, "-n %lld: %lld samples a prompt are too few for tau %lld (at least %lld)", n, n,
            (long long)a->phiid.tau, least);
    if (a->capture.eos == 1 && n < a->phiid.min_length)
        return problem_set(why,
                           "-n %lld: with --eos stop, series of fewer than %lld tokens are left "
                           "out, and all would "
                           "be",
                           n, (long long)a->phiid.min_length);
    return true;
}

static bool capture_stage(const analysis *a, problem *why)
{
    capture_facts facts;
    return check_samples(a, why) && capture_prompts(&a->capture, announce, a, &facts, why);
}

static bool graph_stage(const phiid_options *p, const char *folder, int64_t nulls, problem *why)
{
    graph_options g;
    json_out j;
    graph_defaults(&g);
    memset(&j, 0, sizeof j);
    g.input = folder;
    g.nulls = nulls;
    g.seed = p->seed;
    g.threads = p->threads;
    g.fresh = p->fresh;
    g.force = true;
    const bool good = graph_run(&g, &j, why);
    text_free(&j.to);
    return good;
}

/* Scores, profile and networks under the other estimators too, with fewer surrogates and null
   networks: what the report tells of each conclusion is whether it holds under all. */
static bool robustness_stage(const phiid_options *p, problem *why)
{
    char folder[TOOL_PATH_BYTES];
    bool good = phiid_robust_run(p, why);
    for (size_t k = 0; good && k < ESTIMATOR_ROWS; k++)
        if (!estimator_is(&estimator_list[k], p->estimator, p->transform))
            good = estimator_folder(&estimator_list[k], p->output, folder, why) &&
                   graph_stage(p, folder, ROBUST_NULLS, why);
    return good;
}

/* What the paper concludes from interventions, on the units that were just scored. */
static bool intervention_stage(const capture_options *o, problem *why)
{
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

static int run(const command *self, int argc, char **argv)
{
    analysis all;
    capture_options *const o = &all.capture;
    phiid_options *const p = &all.phiid;
    const char *operand[1];
    memset(&all, 0, sizeof all);
    all.surrogates = DEFAULT_SURROGATES;
    capture_defaults(o);
    phiid_defaults(p);
    const option options[] = {
        OPTION_OUT(&o->output),
        {"prompts", 0, OPTION_TEXT, "FILE|builtin", "prompts (default: the built-in 60)",
         &o->prompts, 0, 0, NULL},
        {NULL, 'n', OPTION_INT, "N", "tokens to generate for each prompt (default 100)", &o->n, 1,
         1 << 20, NULL},
        {"units", 0, OPTION_CHOICE, choice_words(CHOICE_UNITS), "what is recorded (default heads)",
         &o->units, 0, 0, NULL},
        {"eos", 0, OPTION_CHOICE, choice_words(CHOICE_EOS),
         "end tokens: never chosen (default), or end a series", &o->eos, 0, 0, NULL},
        {"raw", 0, OPTION_FLAG, NULL, "prompts as they are, without the chat format", &o->chat.raw,
         0, 0, NULL},
        OPTION_SYSTEM(&o->chat.system),
        OPTION_DATE(&o->chat.date),
        OPTION_PRE(&o->pre),
        {"tau", 0, OPTION_INT, "N", "lag in tokens (default 1)", &p->tau, 1, 1 << 20, NULL},
        {"redundancy", 0, OPTION_CHOICE, choice_words(CHOICE_REDUNDANCY), "redundancy measure",
         &p->redundancy, 0, 0, NULL},
        {"estimator", 0, OPTION_CHOICE, choice_words(CHOICE_ESTIMATOR),
         "of the main result: from covariances (default), of normal scores by rank, or two levels",
         &p->estimator, 0, 0, NULL},
        {"transform", 0, OPTION_CHOICE, choice_words(CHOICE_TRANSFORM),
         "of every norm before anything else", &p->transform, 0, 0, NULL},
        {"one-estimator", 0, OPTION_FLAG, NULL,
         "no others: without it the profile is told under each, and which conclusions hold under "
         "all",
         &all.one_estimator, 0, 0, NULL},
        {"surrogates", 0, OPTION_INT, "N", "circular shifts for the null (default 100)",
         &all.surrogates, 0, 1 << 20, NULL},
        {"ablate", 0, OPTION_FLAG, NULL,
         "then remove and perturb units, as synergy ablate and perturb do", &all.interventions, 0,
         0, NULL},
        OPTION_RESUME(&o->resume),
        OPTION_FRESH(&o->fresh),
        OPTION_BEYOND(&o->beyond_context),
        OPTION_CONTEXT(&o->context),
        OPTION_MEMORY(&o->memory),
        OPTION_THREADS(&o->threads),
        OPTION_SEED(&o->seed),
        OPTION_EXACT(&o->exact),
        OPTION_FORCE(&o->force),
    };
    size_t found;
    int code;
    problem why;
    double budget;
    if (!args_parse(self, options, OPTION_COUNT(options), argc, argv, operand, 1, 1, &found, &code))
        return code;
    if (!o->output) return tool_usage("-o DIR is needed");
    if (!budget_of(o->memory, &budget, &why)) return tool_usage("%s", why.text);
    o->model = operand[0];
    if (!o->prompts) o->prompts = "builtin";
    if (!capture_stage(&all, &why)) return tool_fail(&why);
    p->input = p->output = o->output;
    p->surrogates = all.surrogates;
    p->seed = o->seed;
    p->threads = o->threads;
    p->fresh = o->fresh;
    p->force = true; /* the folder is this run's: capture has checked it */
    if (!phiid_run(p, &why) || !graph_stage(p, p->output, -1, &why) ||
        (!all.one_estimator && !robustness_stage(p, &why)) ||
        (all.interventions && !intervention_stage(o, &why)) ||
        !report_run(&(report_options){.directory = o->output}, &why) ||
        !phiid_print(stdout, o->output, &why) || !report_robustness_tell(stdout, o->output, &why))
        return tool_fail(&why);
    printf("\nThe report: ");
    report_print_path(&(report_options){.directory = o->output});
    return tool_finish_output();
}

const command command_analyze = {"analyze",
                                 "MODEL -o DIR",
                                 "all of it, ending in DIR/report.html",
                                 "Generates from prompts, records every head, decomposes every "
                                 "pair, scores, with --ablate also\n"
                                 "intervenes, and draws.",
                                 run,
                                 "synergy analyze model.gguf -o results"};
