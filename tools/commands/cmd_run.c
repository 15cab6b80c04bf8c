/* cmd_run.c - `synergy run`: generates text, to see that a model is sane. */
#include "engine/budget.h"
#include "engine/chat.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct run_options {
    const char *prompt, *file, *pre, *window;
    chat_options chat;
    int64_t tokens, context, threads, seed, top_k;
    double temperature, top_p, min_p;
    int cache; /* syn_cache_type */
    bool ignore_eos, exact, beyond_context;
} run_options;

static bool prompt_ids(const run_options *o, const loaded_model *m, int32_t **ids, size_t *count,
                       problem *why)
{
    text prompt = {0};
    chat c;
    bool good = true;
    if (o->file) good = read_file(o->file, &prompt, why);
    else text_add(&prompt, o->prompt);
    memset(&c, 0, sizeof c);
    good = good && chat_open(&c, &m->model.gguf, &m->model.tokenizer, &o->chat, false, why);
    *ids = good ? chat_ids(&c, prompt.at ? prompt.at : "", prompt.length, count, why) : NULL;
    chat_close(&c);
    text_free(&prompt);
    if (*ids && !*count) {
        free(*ids);
        *ids = NULL;
        return problem_set(why, "the prompt has no tokens");
    }
    return *ids != NULL;
}

static bool put_token(syn_detokenizer *d, const syn_tokenizer *t, int32_t id, char *room,
                      syn_error *err)
{
    size_t length;
    if (syn_detokenizer_push(d, t, id, SYN_HIDE_SPECIAL, room, t->tokens.longest + 4, &length,
                             err) != SYN_OK)
        return false;
    term_write(stdout, room, length);
    fflush(stdout);
    return true;
}

/* Once a number is none all later ones are: the last row tells. */
static void note_logits(const float *logits, size_t count)
{
    size_t odd = 0;
    for (size_t i = 0; i < count; i++) odd += isfinite(logits[i]) ? 0 : 1;
    if (odd)
        tool_note("%zu of %zu logits are NaN or infinite: what was written says nothing", odd,
                  count);
}

static bool generate(const run_options *o, loaded_model *m, syn_context *ctx, const int32_t *ids,
                     size_t count, problem *why)
{
    const syn_tokenizer *t = &m->model.tokenizer;
    syn_error err;
    syn_detokenizer stream = {{0}, 0};
    syn_sampler sampler;
    char *room = tool_alloc(t->tokens.longest + 8, 1);
    int64_t done = 0;
    bool good = syn_context_step(ctx, ids, count, &err) == SYN_OK;
    memset(&sampler, 0, sizeof sampler);
    sampler.temperature = (float)o->temperature;
    sampler.top_k = (uint32_t)o->top_k;
    sampler.top_p = (float)o->top_p;
    sampler.min_p = (float)o->min_p;
    sampler.seed = (uint64_t)o->seed;
    if (o->ignore_eos) {
        sampler.banned = t->end;
        sampler.banned_count = (uint32_t)t->ends;
    }
    const double start = clock_seconds();
    while (good && done < o->tokens) {
        const int32_t id =
            syn_sample(&sampler, syn_context_logits(ctx, SYN_LAST_ROW), m->model.vocab);
        if (syn_token_is_end(t, id) || tool_output_closed()) break;
        good = put_token(&stream, t, id, room, &err);
        done++;
        if (good && done < o->tokens) good = syn_context_step(ctx, &id, 1, &err) == SYN_OK;
    }
    const double seconds = clock_seconds() - start;
    if (good) {
        term_write(stdout, room, syn_detokenizer_flush(&stream, room));
        putchar('\n');
        fflush(stdout);
        note_logits(syn_context_logits(ctx, SYN_LAST_ROW), m->model.vocab);
        fprintf(stderr, "%.2f tokens/s\n",
                done > 1 && seconds > 0 ? (double)(done - 1) / seconds : 0.0);
    } else problem_engine(why, m->path, &err);
    free(room);
    return good;
}

static bool run_model(const run_options *o, const char *path, problem *why)
{
    loaded_model m;
    syn_context ctx;
    syn_context_desc desc;
    int32_t *ids = NULL;
    size_t count = 0;
    double window = 0;
    if (o->window && !size_of("window", o->window, &window, why)) return false;
    if (!(window > 0 ? model_load_window(&m, path, o->pre, (size_t)window, why)
                     : model_load(&m, path, o->pre, why)))
        return false;
    bool good = prompt_ids(o, &m, &ids, &count, why);
    memset(&desc, 0, sizeof desc);
    desc.tokens = (uint32_t)(o->context ? o->context : (int64_t)count + o->tokens);
    desc.arithmetic = o->exact ? SYN_EXACT : SYN_FAST;
    desc.cache = (syn_cache_type)o->cache;
    if (good && (int64_t)count + o->tokens > (int64_t)desc.tokens)
        good = problem_set(why,
                           "%zu tokens of prompt and %lld to generate do not fit a context of %u "
                           "(-c)",
                           count, (long long)o->tokens, desc.tokens);
    good = good &&
           model_context_check(&m, count + (uint64_t)o->tokens - (o->tokens > 0), o->beyond_context,
                               why) &&
           model_context(&m, &ctx, &desc, o->threads, why) &&
           generate(o, &m, &ctx, ids, count, why);
    free(ids);
    model_unload(&m);
    return good;
}

static int run(const command *self, int argc, char **argv)
{
    run_options o;
    memset(&o, 0, sizeof o);
    o.tokens = 100;
    o.seed = 1;
    const option options[] = {
        {"prompt", 'p', OPTION_TEXT, "TEXT", "the prompt", &o.prompt, 0, 0, NULL},
        {"file", 'f', OPTION_TEXT, "FILE", "the prompt from a file", &o.file, 0, 0, NULL},
        {"tokens", 'n', OPTION_INT, "N", "tokens to generate (default 100)", &o.tokens, 0, 1 << 24,
         NULL},
        {"temp", 0, OPTION_NUMBER, "T", "temperature; 0 (default): the likeliest token",
         &o.temperature, 0, 1000, NULL},
        {"top-k", 0, OPTION_INT, "K", "of the K likeliest tokens only", &o.top_k, 0, 1 << 30, NULL},
        {"top-p", 0, OPTION_NUMBER, "P", "of the likeliest tokens that make up P", &o.top_p, 0, 1,
         NULL},
        {"min-p", 0, OPTION_NUMBER, "P", "of tokens at least P times as likely as the likeliest",
         &o.min_p, 0, 1, NULL},
        {"chat", 0, OPTION_FLAG, NULL, "the prompt as a chat message (default where known)",
         &o.chat.guess, 0, 0, NULL},
        {"raw", 0, OPTION_FLAG, NULL, "the prompt as it is", &o.chat.raw, 0, 0, NULL},
        OPTION_SYSTEM(&o.chat.system),
        OPTION_DATE(&o.chat.date),
        OPTION_PRE(&o.pre),
        {"ignore-eos", 0, OPTION_FLAG, NULL, "never choose an end token", &o.ignore_eos, 0, 0,
         NULL},
        {"window", 0, OPTION_TEXT, "SIZE",
         "of a model larger than the memory: so much of it at a time (16K, 4M; a row at least)",
         &o.window, 0, 0, NULL},
        OPTION_CACHE(&o.cache),
        OPTION_CONTEXT(&o.context),
        OPTION_THREADS(&o.threads),
        OPTION_SEED(&o.seed),
        OPTION_EXACT(&o.exact),
        OPTION_BEYOND(&o.beyond_context),
    };
    const char *operand[1];
    size_t found;
    int code;
    problem why;
    if (!args_parse(self, options, OPTION_COUNT(options), argc, argv, operand, 1, 1, &found, &code))
        return code;
    if (!o.prompt == !o.file) return tool_usage("one of -p TEXT and -f FILE is needed");
    if (o.chat.guess && o.chat.raw) return tool_usage("--chat and --raw exclude each other");
    return run_model(&o, operand[0], &why) ? tool_finish_output() : tool_fail(&why);
}

const command command_run = {"run",
                             "MODEL -p TEXT|-f FILE [-n N]",
                             "generates text, to see that the model is sane",
                             "The last line of standard error is the speed, `N tokens/s`.",
                             run,
                             "synergy run model.gguf -p \"The sky is\" -n 20"};
