/* capture.c - what `synergy capture` and `analyze` do with prompts: one series of norms a prompt.

   A run can be stopped at any moment. Each finished prompt is a piece in DIR/capture.part
   (base/work.h), and the same command goes on behind the last good one. Of prompts under way the
   tokens so far are kept, too: going on feeds them behind their prompt, which is faster than
   generating and gives the same bits. The result files are written once, at the end, from the
   records, and hold no clock, so that an interrupted run gives the same bytes as an undisturbed
   one. */
#include "record/capture_work.h"

#include "base/columns.h"

#include "record/prompts.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void capture_defaults(capture_options *o)
{
    memset(o, 0, sizeof *o);
    o->n = 100;
    o->seed = 1;
}

/* ---- prompts -------------------------------------------------------------------------- */

static void add_prompt(capture_job *job, const char *category, size_t category_length,
                       const char *words, size_t length)
{
    job->prompt = tool_realloc(job->prompt, job->prompts + 1, sizeof *job->prompt);
    capture_prompt *p = &job->prompt[job->prompts++];
    memset(p, 0, sizeof *p);
    p->category = tool_alloc(category_length + 1, 1);
    memcpy(p->category, category, category_length);
    p->text = tool_alloc(length + 1, 1);
    memcpy(p->text, words, length);
}

/* Where a line stops being UTF-8; `length` when it never does. */
static size_t utf8_part(const char *s, size_t length)
{
    size_t i = 0;
    while (i < length) {
        const size_t n =
            (unsigned char)s[i] < 0x80 ? 1 : utf8_length((const unsigned char *)s + i, length - i);
        if (!n) break;
        i += n;
    }
    return i;
}

/* One line: an optional category before a tab. Lines without anything to see are passed over. */
static bool add_line(capture_job *job, const char *name, size_t number, const char *at,
                     size_t length, problem *why)
{
    if (length && at[length - 1] == '\r') length--;
    const size_t good = utf8_part(at, length);
    if (good < length)
        return problem_set(
            why,
            "%s: line %zu, byte %zu (0x%02x) is not UTF-8; of Latin-1, iconv -f latin1 -t utf-8 "
            "makes it",
            name, number, good + 1, (unsigned char)at[good]);
    const char *tab = memchr(at, '\t', length);
    const size_t category = tab ? (size_t)(tab - at) : 0, skip = tab ? category + 1 : 0;
    for (size_t i = skip; i < length; i++)
        if (!strchr(" \t\v\f\r", at[i])) {
            add_prompt(job, at, category, at + skip, length - skip);
            break;
        }
    return true;
}

/* "-" is standard input. A byte order mark is no part of the first prompt. */
static bool read_prompt_file(capture_job *job, const char *path, problem *why)
{
    text all = {0};
    const bool piped = !strcmp(path, "-");
    const char *const name = piped ? "standard input" : path;
    bool good = piped ? read_stream(stdin, name, &all, why) : read_file(path, &all, why);
    const char *at = all.at ? all.at : "", *end = at + all.length;
    if (good && all.length >= 2 && (!memcmp(at, "\xff\xfe", 2) || !memcmp(at, "\xfe\xff", 2)))
        good =
            problem_set(why, "%s: is UTF-16, not UTF-8: iconv -f utf-16 -t utf-8 makes it", name);
    if (good && memchr(at, 0, all.length))
        good = problem_set(why, "%s: a NUL byte: not a text file", name);
    if (all.length >= 3 && !memcmp(at, "\xef\xbb\xbf", 3)) at += 3;
    for (size_t line = 1; good && at < end; line++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        const size_t length = stop ? (size_t)(stop - at) : (size_t)(end - at);
        good = add_line(job, name, line, at, length, why);
        at += length + 1;
    }
    text_free(&all);
    if (!good || job->prompts) return good;
    return problem_set(why, "%s: no prompts", name);
}

static void add_builtin_prompts(capture_job *job)
{
    for (size_t i = 0; i < sizeof builtin_prompts / sizeof builtin_prompts[0]; i++)
        add_prompt(job, builtin_prompts[i].category, strlen(builtin_prompts[i].category),
                   builtin_prompts[i].text, strlen(builtin_prompts[i].text));
}

static void free_prompt(capture_prompt *p)
{
    free(p->category);
    free(p->text);
    free(p->ids);
}

static bool tokenize_prompts(capture_job *job, problem *why)
{
    const syn_model *model = &job->m.model;
    if (!chat_open(&job->chat, &model->gguf, &model->tokenizer, &job->options->chat, false, why))
        return false;
    for (size_t i = 0; i < job->prompts; i++) {
        capture_prompt *p = &job->prompt[i];
        p->ids = chat_ids(&job->chat, p->text, strlen(p->text), &p->count, why);
        if (!p->ids) return false;
        if (!p->count) return problem_set(why, "prompt %zu has no tokens", i);
        if (p->count > job->longest) job->longest = p->count;
    }
    return true;
}

static bool load_prompts(capture_job *job, problem *why)
{
    const char *from = job->options->prompts;
    if (strcmp(from, "builtin")) {
        if (!read_prompt_file(job, from, why)) return false;
    } else {
        add_builtin_prompts(job);
    }
    job->all_prompts = job->prompts;
    return tokenize_prompts(job, why);
}

/* Every K-th prompt, from the I-th on. Only now: context and identity are those of all prompts. */
static void keep_shard(capture_job *job)
{
    const capture_options *o = job->options;
    size_t kept = 0;
    if (o->shards < 2) return;
    for (size_t i = 0; i < job->prompts; i++) {
        if (i % (size_t)o->shards == (size_t)o->shard) job->prompt[kept++] = job->prompt[i];
        else free_prompt(&job->prompt[i]);
    }
    job->prompts = kept;
}

/* ---- identity and folder -------------------------------------------------------------- */

static void settings_json(const capture_job *job, json_out *j)
{
    const capture_options *o = job->options;
    json_object(j, "settings");
    json_text(j, "units", choice_name(CHOICE_UNITS, o->units));
    if (o->units)
        json_text(j, "expert_norms",
                  o->all_experts ? "all experts, ungated"
                  : o->raw_norm  ? "before the gate weight"
                                 : "after the gate weight");
    if (o->units) json_bool(j, "shared_experts", o->shared_experts);
    json_int(j, "first_layer", job->first_layer);
    json_int(j, "tokens", job->forced ? (int64_t)job->forced_length : o->n);
    if (job->forced && o->from) json_int(j, "from", o->from);
    if (job->forced) json_bool(j, "logits", o->logits);
    json_int(j, "context", job->desc.tokens);
    json_text(j, "eos", choice_name(CHOICE_EOS, o->eos));
    json_text(j, "arithmetic", choice_name(CHOICE_ARITHMETIC, o->exact));
    if (o->cache) json_text(j, "cache", choice_name(CHOICE_CACHE, o->cache));
    json_text(j, "prompts",
              !o->prompts ? "none: given ids"
              : strcmp(o->prompts, "builtin")
                  ? strcmp(o->prompts, "-") ? path_base(o->prompts) : "standard input"
                  : "builtin");
    chat_json(&job->chat, j);
    json_number(j, "temperature", o->temperature);
    json_int(j, "top_k", o->top_k);
    json_number(j, "top_p", o->top_p);
    json_number(j, "min_p", o->min_p);
    json_int(j, "seed", o->seed);
    json_int(j, "all_prompts", (int64_t)job->all_prompts);
    json_object_end(j);
}

static void model_json(const capture_job *job, json_out *j)
{
    const syn_model *model = &job->m.model;
    char name[128];
    syn_error err;
    if (syn_gguf_text(&model->gguf, "general.name", false, name, sizeof name, NULL, &err) != SYN_OK)
        name[0] = '\0';
    json_object(j, "model");
    json_text(j, "name", name[0] ? name : path_base(job->m.path));
    json_text(j, "file", path_base(job->m.path));
    json_int(j, "bytes", (int64_t)model_file_bytes(&job->m));
    json_text(j, "sha256", job->hash);
    json_text(j, "architecture", model->architecture);
    json_int(j, "layers", model->layers);
    json_int(j, "heads", model->heads);
    json_int(j, "experts", model->experts);
    json_int(j, "parameters", (int64_t)model->parameters);
    json_object_end(j);
}

static void hash_ids(sha256 *hash, const int32_t *ids, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        const uint32_t id = (uint32_t)ids[k];
        const unsigned char raw[4] = {(unsigned char)id, (unsigned char)(id >> 8),
                                      (unsigned char)(id >> 16), (unsigned char)(id >> 24)};
        sha256_add(hash, raw, sizeof raw);
    }
}

static void hash_text(sha256 *hash, const char *words)
{
    sha256_add(hash, words, strlen(words) + 1);
}

/* What a folder holds: the run, and where only a shard of it, which one. */
static void folder_identity(const char identity[65], int64_t shard, int64_t shards, char to[65])
{
    char words[160];
    snprintf(to, 65, "%s", identity);
    if (shards < 2) return;
    const int n = snprintf(words, sizeof words, "%s %lld/%lld", identity, (long long)shard,
                           (long long)shards);
    sha256_of(words, (size_t)n, to);
}

static void hash_prompts(const capture_job *job, sha256 *hash)
{
    for (size_t i = 0; i < job->prompts; i++) {
        hash_text(hash, job->prompt[i].category);
        hash_text(hash, job->prompt[i].text);
        hash_ids(hash, job->prompt[i].ids, job->prompt[i].count);
    }
    hash_ids(hash, job->forced, job->forced_count);
}

/* What run.json says of the run before its results: what another run is compared with. */
static void identity_json(const capture_job *job, json_out *j)
{
    json_text(j, "identity", job->identity);
    if (job->options->shards > 1) {
        json_text(j, "identity_of_part", job->folder);
        json_int(j, "shard", job->options->shard);
        json_int(j, "shards", job->options->shards);
    }
    model_json(job, j);
    settings_json(job, j);
    json_text(j, "prompts_sha256", job->prompts_hash);
}

/* The hash of everything that decides what the norms will be, the same for every shard. */
static void find_identity(capture_job *job)
{
    json_out j = {0};
    sha256 hash;
    sha256_begin(&hash);
    hash_prompts(job, &hash);
    sha256_end(&hash, job->prompts_hash);
    json_object(&j, NULL);
    model_json(job, &j);
    settings_json(job, &j);
    json_object_end(&j);
    sha256_begin(&hash);
    sha256_add(&hash, j.to.at, j.to.length);
    hash_prompts(job, &hash);
    sha256_end(&hash, job->identity);
    folder_identity(job->identity, job->options->shard, job->options->shards, job->folder);
    j.to.length = 0;
    j.comma = false;
    json_object(&j, NULL);
    identity_json(job, &j);
    json_object_end(&j);
    free(job->told);
    job->told = j.to.at;
}

static const setting_word setting_words[] = {
    {"context", "-c"},
    {"context", NULL}, /* without -c it follows from the rest */
    {"tokens", "-n"},
    {"logits", "--logits"},
    {"from", "--from"},
    {"units", "--units"},
    {"shared_experts", "--shared-experts"},
    {"eos", "--eos"},
    {"prompts", "--prompts"},
    {"temperature", "--temp"},
    {"top_k", "--top-k"},
    {"top_p", "--top-p"},
    {"min_p", "--min-p"},
    {"seed", "--seed"},
    {"shard", "--shard, number"},
    {"shards", "--shard, of"},
    {"all_prompts", "number of prompts"},
    {"chat", "chat format"},
    {"prompts_sha256", "text of the prompts (sha256)"},
    {NULL, NULL}};

const setting_word *capture_setting_words(void)
{
    return setting_words + 1;
}

work_desc capture_work_of(const capture_job *job, const char *pieces, size_t total)
{
    const capture_options *o = job->options;
    const work_desc d = {.directory = o->output,
                         .file = "capture.part",
                         .finished = "run.json",
                         .result = o->logits ? "logits.npy" : "norms.npy",
                         .settings = job->told,
                         .identity = job->folder,
                         .words = o->context ? setting_words : setting_words + 1,
                         .pieces = pieces,
                         .total = total,
                         .fresh = o->fresh,
                         .force = o->force};
    return d;
}

static work_desc work_of(const capture_job *job)
{
    work_desc d = capture_work_of(job, "prompts", job->prompts);
    d.begun_from = job->prompts;
    return d;
}

bool capture_check_folder(capture_job *job, problem *why)
{
    if (!job->identity[0]) find_identity(job);
    const work_desc d = capture_work_of(job, "", 0);
    return work_check(&d, why) && directory_writable(d.directory, why) &&
           columns_free(d.directory, why) &&
           columns_not_input(d.directory, "capture", job->options->model, why) &&
           columns_not_input(d.directory, "capture", job->options->prompts, why) &&
           columns_not_input(d.directory, "capture", job->options->tokens, why);
}

/* ---- what is recorded ----------------------------------------------------------------- */

static bool choose_units(capture_job *job, problem *why)
{
    const syn_model *model = &job->m.model;
    const capture_options *o = job->options;
    job->layers = model->layers;
    job->per_layer = model->heads;
    job->desc.norms = job->desc.sinks = !o->units;
    job->desc.cache = (syn_cache_type)o->cache;
    if (!o->units) return true;
    if (!model->experts)
        return problem_set(why, "%s: the model (%s) has no experts", job->m.path,
                           model->architecture);
    if (o->shared_experts && !model->experts_shared)
        return problem_set(why, "%s: the model has no shared experts", job->m.path);
    job->first_layer = model->dense_layers;
    job->layers = model->layers - model->dense_layers;
    job->per_layer = model->experts + (o->shared_experts ? 1 : 0);
    job->desc.expert_norms = o->all_experts ? SYN_EXPERTS_ALL
                             : o->raw_norm  ? SYN_EXPERTS_RAW
                                            : SYN_EXPERTS_WEIGHTED;
    return true;
}

/* Norms of the shared experts come from the probe: they are one unit more a layer. */
static void see_shared(void *user, const syn_probed *v)
{
    capture_job *job = user;
    double square = 0;
    if (v->kind != SYN_PROBE_SHARED) return;
    for (uint32_t i = 0; i < v->length; i++) square += (double)v->vector[i] * (double)v->vector[i];
    job->shared[v->row * job->m.model.layers + v->layer] = (float)sqrt(square);
}

/* The units of a row of the last pass, (layer, unit). */
void capture_count_norms(capture_job *job, const float *norms, size_t positions)
{
    const size_t n = positions * job->units;
    for (size_t i = 0; i < n; i++) job->norms_odd += isfinite(norms[i]) ? 0 : 1;
    job->norms_written += n;
}

void capture_note_norms(const capture_job *job)
{
    if (job->norms_odd)
        tool_note(
            "%llu of %llu norms are NaN or infinite: the weights of the model are, or what is "
            "computed with them overflows",
            (unsigned long long)job->norms_odd, (unsigned long long)job->norms_written);
}

void capture_copy_norms(const capture_job *job, size_t row, float *to)
{
    const syn_model *model = &job->m.model;
    if (!job->options->units) {
        memcpy(to, syn_context_norms(&job->ctx, (int)row), job->units * sizeof *to);
        return;
    }
    const float *norms = syn_context_expert_norms(&job->ctx, (int)row);
    for (uint32_t l = 0; l < job->layers; l++, to += job->per_layer) {
        const size_t layer = job->first_layer + l;
        memcpy(to, norms + layer * model->experts, model->experts * sizeof *to);
        if (job->shared) to[model->experts] = job->shared[row * model->layers + layer];
    }
}

double *capture_sinks(const capture_job *job)
{
    return job->desc.sinks ? tool_alloc(job->units, sizeof(double)) : NULL;
}

void capture_sinks_add(const capture_job *job, size_t row, double *sums)
{
    const float *sinks = syn_context_sinks(&job->ctx, (int)row);
    for (size_t i = 0; sums && i < job->units; i++) sums[i] += (double)sinks[i];
}

void capture_sinks_mean(const capture_job *job, const double *sums, size_t positions, float *to)
{
    for (size_t i = 0; sums && i < job->units; i++)
        to[i] = positions ? (float)(sums[i] / (double)positions) : (float)NAN;
}

bool capture_open_context(capture_job *job, problem *why)
{
    job->desc.arithmetic = job->options->exact ? SYN_EXACT : SYN_FAST;
    if (!model_context(&job->m, &job->ctx, &job->desc, job->options->threads, why)) return false;
    if (!job->options->shared_experts) return true;
    job->shared = tool_alloc((size_t)job->ctx.desc.batch * job->m.model.layers, sizeof(float));
    job->ctx.probe.take = see_shared;
    job->ctx.probe.user = job;
    return true;
}

bool capture_open(capture_job *job, const capture_options *o, problem *why)
{
    memset(job, 0, sizeof *job);
    job->options = o;
    if (!(o->tokens ? model_load_weights(&job->m, o->model, why)
                    : model_load(&job->m, o->model, o->pre, why)) ||
        !choose_units(job, why))
        return false;
    job->units = (size_t)job->layers * job->per_layer;
    model_hash(&job->m, job->hash);
    return true;
}

/* What a prompt under way holds beside its part of the context: the record, twice while it is
   written. */
static double slot_bytes(const capture_job *job)
{
    return (double)job->options->n * 4.0 * (1.0 + (double)job->units) + 12.0 * (double)job->units;
}

static bool choose_sequences(capture_job *job, problem *why)
{
    double bytes;
    return budget_of(job->options->memory, &bytes, why) &&
           budget_sequences(&job->m, &job->desc, job->prompts, slot_bytes(job), bytes, why);
}

static bool prepare(capture_job *job, const capture_options *o, problem *why)
{
    if (!capture_open(job, o, why) || !load_prompts(job, why)) return false;
    const int64_t needed = (int64_t)job->longest + o->n;
    job->desc.tokens = (uint32_t)(o->context ? o->context : needed);
    if (needed > (int64_t)job->desc.tokens)
        return problem_set(why,
                           "the longest prompt (%zu tokens) and %lld more do not fit a context "
                           "of %u (-c)",
                           job->longest, (long long)o->n, job->desc.tokens);
    if (!model_context_check(&job->m, (uint64_t)needed, o->beyond_context, why)) return false;
    find_identity(job);
    keep_shard(job);
    if (!job->prompts) return true; /* more shards than prompts */
    return capture_check_folder(job, why) && choose_sequences(job, why) &&
           capture_open_context(job, why);
}

/* A piece of capture.part: length, ids (n), norms (n, units) and, of heads, mean sinks (units). */
typedef struct record {
    uint32_t length;
    int32_t *ids;
    float *norms, *sinks;
} record;

/* A prompt under way, one a sequence of the context. */
typedef struct capture_slot {
    size_t prompt;     /* its number in the job */
    bool busy, done;   /* done: to be written */
    size_t fed;        /* of its ids, and then of those that an earlier run generated */
    size_t again;      /* how many these are: fed like a prompt, and recorded */
    size_t kept;       /* tokens of the continuation that the log has */
    int32_t next;      /* the token to feed when all are */
    int first;         /* row of the pass under way that fed the id before `fed` is counted from */
    size_t fed_before; /* of `fed`, by earlier passes */
    int row;           /* of the pass under way whose logits choose the next; -1: none */
    bool generated;    /* that row is a token of the continuation */
    syn_sampler sampler;
    double *sinks; /* (unit): sums */
    record r;
} capture_slot;

static void record_open(const capture_job *job, record *r)
{
    r->ids = tool_alloc((size_t)job->options->n, sizeof *r->ids);
    r->norms = tool_alloc((size_t)job->options->n * job->units, sizeof *r->norms);
    r->sinks = tool_alloc(job->units, sizeof *r->sinks);
}

static void record_close(record *r)
{
    free(r->ids);
    free(r->norms);
    free(r->sinks);
}

static void open_slots(capture_job *job)
{
    job->slot = tool_alloc(job->ctx.desc.sequences, sizeof *job->slot);
    for (uint32_t s = 0; s < job->ctx.desc.sequences; s++) {
        record_open(job, &job->slot[s].r);
        job->slot[s].sinks = capture_sinks(job);
    }
}

static void free_slots(capture_job *job)
{
    for (uint32_t s = 0; job->slot && s < job->ctx.desc.sequences; s++) {
        record_close(&job->slot[s].r);
        free(job->slot[s].sinks);
    }
    free(job->slot);
}

void capture_free(capture_job *job)
{
    for (size_t i = 0; i < job->prompts; i++) free_prompt(&job->prompt[i]);
    free(job->prompt);
    free(job->told);
    chat_close(&job->chat);
    free(job->shared);
    free_slots(job);
    model_unload(&job->m);
    memset(job, 0, sizeof *job);
}

static double memory_bytes(const capture_job *job)
{
    return (double)job->m.model_bytes + (double)job->m.context_bytes +
           (double)job->desc.sequences * slot_bytes(job);
}

/* norms.npy and the log that it is made from; run.json has every prompt, its ids and what the model
   wrote; columns.json and the rest. */
static double disk_bytes(const capture_job *job)
{
    const double prompts = (double)job->prompts, n = (double)job->options->n;
    double told = 0;
    for (size_t i = 0; i < job->prompts; i++)
        told += 1.1 * (double)strlen(job->prompt[i].text) + 8.0 * (double)job->prompt[i].count +
                12 * n + 200;
    return 2 * prompts * (n * (4.0 * (double)job->units + 4.0) + 4.0 * (double)job->units) + told +
           30e3;
}

/* ---- one prompt ----------------------------------------------------------------------- */

static size_t sink_count(const capture_job *job)
{
    return job->desc.sinks ? job->units : 0;
}

static size_t record_bytes(const capture_job *job)
{
    return 4 + (size_t)job->options->n * 4 * (1 + job->units) + 4 * sink_count(job);
}

static size_t prompt_number(const capture_job *job, size_t prompt)
{
    const capture_options *o = job->options;
    return o->shards > 1 ? prompt * (size_t)o->shards + (size_t)o->shard : prompt;
}

/* Sampling depends on the seed and the prompt's number only, so that shards and resumed runs draw
   the same, whatever runs beside it. */
static void slot_sampler(const capture_job *job, size_t prompt, syn_sampler *sampler)
{
    const capture_options *o = job->options;
    const syn_tokenizer *t = &job->m.model.tokenizer;
    memset(sampler, 0, sizeof *sampler);
    sampler->temperature = (float)o->temperature;
    sampler->top_k = (uint32_t)o->top_k;
    sampler->top_p = (float)o->top_p;
    sampler->min_p = (float)o->min_p;
    sampler->seed = (uint64_t)o->seed * UINT64_C(1000003) + prompt_number(job, prompt);
    if (o->eos) return;
    sampler->banned = t->end;
    sampler->banned_count = (uint32_t)t->ends;
}

static void slot_begin(capture_job *job, uint32_t s, size_t prompt)
{
    capture_slot *slot = &job->slot[s];
    syn_error ignored; /* the beginning is always there */
    const size_t n = (size_t)job->options->n;
    slot->prompt = prompt;
    slot->busy = true;
    slot->done = false;
    slot->fed = slot->again = slot->kept = 0;
    slot->r.length = 0;
    for (size_t i = 0; i < n; i++) slot->r.ids[i] = -1;
    for (size_t i = 0; i < n * job->units; i++) slot->r.norms[i] = (float)NAN;
    if (slot->sinks) memset(slot->sinks, 0, job->units * sizeof *slot->sinks);
    slot_sampler(job, prompt, &slot->sampler);
    syn_context_rewind(&job->ctx, s, 0, &ignored);
}

static size_t slot_given(const capture_job *job, const capture_slot *slot)
{
    return job->prompt[slot->prompt].count + slot->again;
}

static int32_t slot_id(const capture_job *job, const capture_slot *slot, size_t at)
{
    const capture_prompt *p = &job->prompt[slot->prompt];
    return at < p->count ? p->ids[at] : slot->r.ids[at - p->count];
}

/* The rows of a pass: one for each continuation, then prompts as far as there is room. */
static size_t pass_rows(capture_job *job, syn_row *rows)
{
    const uint32_t sequences = job->ctx.desc.sequences, most = job->ctx.desc.batch;
    size_t n = 0;
    for (uint32_t s = 0; s < sequences; s++) {
        capture_slot *slot = &job->slot[s];
        slot->row = -1;
        slot->fed_before = slot->fed;
        slot->generated = slot->busy && !slot->done && slot->fed == slot_given(job, slot);
        if (!slot->generated) continue;
        slot->row = (int)n;
        rows[n++] = (syn_row){.sequence = s, .id = slot->next};
    }
    for (uint32_t s = 0; s < sequences; s++) {
        capture_slot *slot = &job->slot[s];
        if (!slot->busy || slot->done || slot->generated) continue;
        const size_t given = slot_given(job, slot);
        slot->first = (int)n;
        for (; slot->fed < given && n < most; n++)
            rows[n] = (syn_row){.sequence = s, .id = slot_id(job, slot, slot->fed++)};
        if (slot->fed == given && !slot->again) slot->row = (int)n - 1;
    }
    return n;
}

static void take_token(capture_job *job, capture_slot *slot, size_t row, size_t token)
{
    capture_copy_norms(job, row, slot->r.norms + token * job->units);
    capture_sinks_add(job, row, slot->sinks);
}

/* What an earlier run generated, and this pass fed again. */
static void take_again(capture_job *job, capture_slot *slot)
{
    const size_t prompt = job->prompt[slot->prompt].count;
    for (size_t at = slot->fed_before; at < slot->fed; at++)
        if (at >= prompt)
            take_token(job, slot, (size_t)slot->first + at - slot->fed_before, at - prompt);
}

/* Takes what a pass gave one sequence, and chooses its next token. */
static void take_row(void *arg, int s)
{
    capture_job *job = arg;
    capture_slot *slot = &job->slot[s];
    record *r = &slot->r;
    if (slot->busy) take_again(job, slot);
    if (slot->row < 0) return;
    if (slot->generated) {
        r->ids[r->length] = slot->next;
        take_token(job, slot, (size_t)slot->row, r->length);
        r->length++;
    }
    if (r->length < (uint32_t)job->options->n) {
        slot->next = syn_sample(&slot->sampler, syn_context_logits(&job->ctx, slot->row),
                                job->m.model.vocab);
        slot->done =
            job->options->eos == 1 && syn_token_is_end(&job->m.model.tokenizer, slot->next);
    } else slot->done = true;
    if (slot->done) capture_sinks_mean(job, slot->sinks, r->length, r->sinks);
}

static bool step_rows(capture_job *job, const syn_row *rows, size_t n, problem *why)
{
    syn_error err;
    return syn_context_step_rows(&job->ctx, rows, n, &err) == SYN_OK ||
           problem_engine(why, job->m.path, &err);
}

/* One pass over all prompts under way. */
static bool run_pass(capture_job *job, syn_row *rows, problem *why)
{
    const syn_parallel *parallel = &job->ctx.desc.parallel;
    const int sequences = (int)job->ctx.desc.sequences;
    const size_t n = pass_rows(job, rows);
    if (!step_rows(job, rows, n, why)) return false;
    if (parallel->run) parallel->run(parallel->user, sequences, take_row, job);
    for (int s = 0; !parallel->run && s < sequences; s++) take_row(job, s);
    return true;
}

/* Passes of one token each, as many as run together. */
static bool measure_speed(capture_job *job, double *seconds, problem *why)
{
    const uint32_t sequences = job->ctx.desc.sequences;
    const int warm = 1, timed = sequences > 8 ? 1 : 6;
    syn_row *rows = tool_alloc(sequences, sizeof *rows);
    syn_error ignored;
    double start = 0;
    bool good = true;
    for (uint32_t s = 0; s < sequences; s++)
        rows[s] = (syn_row){.sequence = s, .id = job->prompt[0].ids[0]};
    for (int i = 0; good && i < warm + timed && (uint32_t)i < job->desc.tokens; i++) {
        if (i == warm) start = clock_seconds();
        good = step_rows(job, rows, sequences, why);
    }
    *seconds = (clock_seconds() - start) / timed / sequences;
    for (uint32_t s = 0; s < sequences; s++) syn_context_rewind(&job->ctx, s, 0, &ignored);
    free(rows);
    return good;
}

static bool is_complete(const capture_job *job)
{
    const work_desc d = work_of(job);
    return work_is_complete(&d);
}

/* Times a few tokens. */
static bool find_seconds(capture_job *job, capture_facts *f, problem *why)
{
    double prompt_tokens = 0;
    if (!measure_speed(job, &f->token_seconds, why)) return false;
    for (size_t i = 0; i < job->prompts; i++) prompt_tokens += (double)job->prompt[i].count;
    f->all_seconds =
        f->token_seconds * ((double)job->prompts * (double)job->options->n + 0.4 * prompt_tokens);
    if (is_complete(job)) f->all_seconds = 0;
    return true;
}

static capture_facts facts_of(const capture_job *job)
{
    return (capture_facts){.model = path_base(job->options->model),
                           .model_bytes = (double)model_file_bytes(&job->m),
                           .prompts = job->prompts,
                           .all_prompts = job->all_prompts,
                           .layers = job->layers,
                           .per_layer = job->per_layer,
                           .units = job->units,
                           .longest = job->longest,
                           .memory_bytes = memory_bytes(job),
                           .disk_bytes = disk_bytes(job)};
}

/* ---- the work file -------------------------------------------------------------------- */

static void put_u32(unsigned char *to, uint32_t value)
{
    for (int i = 0; i < 4; i++) to[i] = (unsigned char)(value >> (8 * i));
}

static uint32_t get_u32(const unsigned char *from)
{
    return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 |
           (uint32_t)from[3] << 24;
}

void floats_to_bytes(const float *values, size_t n, unsigned char *to)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], 4);
        put_u32(to + 4 * i, bits);
    }
}

void floats_from_bytes(const unsigned char *from, size_t n, float *values)
{
    for (size_t i = 0; i < n; i++) {
        const uint32_t bits = get_u32(from + 4 * i);
        memcpy(&values[i], &bits, 4);
    }
}

static void pack(const capture_job *job, const record *r, unsigned char *to)
{
    const size_t n = (size_t)job->options->n;
    put_u32(to, r->length);
    for (size_t i = 0; i < n; i++) put_u32(to + 4 + 4 * i, (uint32_t)r->ids[i]);
    floats_to_bytes(r->norms, n * job->units, to + 4 + 4 * n);
    floats_to_bytes(r->sinks, sink_count(job), to + 4 + 4 * n + 4 * n * job->units);
}

static bool unpack(const capture_job *job, const unsigned char *from, record *r)
{
    const size_t n = (size_t)job->options->n;
    r->length = get_u32(from);
    for (size_t i = 0; i < n; i++) r->ids[i] = (int32_t)get_u32(from + 4 + 4 * i);
    floats_from_bytes(from + 4 + 4 * n, n * job->units, r->norms);
    floats_from_bytes(from + 4 + 4 * n + 4 * n * job->units, sink_count(job), r->sinks);
    return r->length <= n;
}

/* The log, and the record that is in hand. */
typedef struct taken {
    work log;
    double begun_kept; /* when the prompts under way were last kept */
    text bytes;
    record now;
} taken;

static void taken_begin(const capture_job *job, taken *w)
{
    memset(w, 0, sizeof *w);
    record_open(job, &w->now);
}

static bool taken_add(const capture_job *job, taken *w, size_t prompt, const record *r,
                      problem *why)
{
    unsigned char *bytes = tool_alloc(record_bytes(job), 1);
    pack(job, r, bytes);
    const bool good = work_add(&w->log, prompt, bytes, record_bytes(job), why);
    free(bytes);
    return good;
}

static bool taken_read(const capture_job *job, taken *w, size_t prompt, problem *why)
{
    if (!work_read(&w->log, prompt, &w->bytes, why)) return false;
    if (w->bytes.length == record_bytes(job) &&
        unpack(job, (const unsigned char *)w->bytes.at, &w->now))
        return true;
    return problem_set(why, "%s: prompt %zu cannot be read back", w->log.path, prompt);
}

/* ---- prompts under way: length, next token, state of the sampler, ids --------------------- */

enum { BEGUN_HEAD = 16 };

static bool keep_slot(taken *w, size_t key, capture_slot *slot, problem *why)
{
    const size_t bytes = BEGUN_HEAD + 4 * (size_t)slot->r.length;
    unsigned char *to = tool_alloc(bytes, 1);
    put_u32(to, slot->r.length);
    put_u32(to + 4, (uint32_t)slot->next);
    put_u32(to + 8, (uint32_t)slot->sampler.seed);
    put_u32(to + 12, (uint32_t)(slot->sampler.seed >> 32));
    for (uint32_t i = 0; i < slot->r.length; i++)
        put_u32(to + BEGUN_HEAD + 4 * i, (uint32_t)slot->r.ids[i]);
    const bool good = work_add(&w->log, key, to, bytes, why);
    slot->kept = slot->r.length;
    free(to);
    return good;
}

/* At most once a second, and each when it has grown by the root of what it will be: all that is
   written for a text of n tokens are then n sqrt(n) / 2 ids, little beside its norms. */
static bool keep_begun(capture_job *job, taken *w, problem *why)
{
    const double now = clock_seconds();
    if (now - w->begun_kept < 1) return true;
    w->begun_kept = now;
    for (uint32_t s = 0; s < job->ctx.desc.sequences; s++) {
        capture_slot *slot = &job->slot[s];
        if (!slot->busy || slot->done || slot->r.length <= slot->kept) continue;
        const double grown = (double)(slot->r.length - slot->kept);
        if (grown * grown < (double)job->options->n) continue;
        if (!keep_slot(w, job->prompts + slot->prompt, slot, why)) return false;
    }
    return true;
}

/* A prompt that a stopped run had begun goes on where it was; a record that is none of ours counts
   as not there. */
static void slot_go_on(capture_job *job, taken *w, capture_slot *slot)
{
    const size_t key = job->prompts + slot->prompt;
    problem ignored;
    if (!work_has(&w->log, key) || !work_read(&w->log, key, &w->bytes, &ignored) ||
        w->bytes.length < BEGUN_HEAD)
        return;
    const unsigned char *from = (const unsigned char *)w->bytes.at;
    const uint32_t length = get_u32(from), next = get_u32(from + 4);
    if (length >= (uint32_t)job->options->n || next >= job->m.model.vocab ||
        w->bytes.length != BEGUN_HEAD + 4 * (size_t)length)
        return;
    for (uint32_t i = 0; i < length; i++)
        if (get_u32(from + BEGUN_HEAD + 4 * i) >= job->m.model.vocab) return;
    for (uint32_t i = 0; i < length; i++)
        slot->r.ids[i] = (int32_t)get_u32(from + BEGUN_HEAD + 4 * i);
    slot->r.length = length;
    slot->again = slot->kept = length;
    slot->next = (int32_t)next;
    slot->sampler.seed = get_u32(from + 8) | (uint64_t)get_u32(from + 12) << 32;
}

static void taken_close(taken *w, bool finished)
{
    work_close(&w->log, finished);
    text_free(&w->bytes);
    record_close(&w->now);
}

/* ---- results -------------------------------------------------------------------------- */

static bool result_path(const capture_job *job, const char *name, char *path, problem *why)
{
    return path_join(path, job->options->output, name, why);
}

static char *continuation(const capture_job *job, const record *r, problem *why)
{
    const syn_tokenizer *t = &job->m.model.tokenizer;
    syn_error err;
    size_t length = 0;
    if (syn_detokenize(t, r->ids, r->length, 0, NULL, 0, &length, &err) != SYN_OK) {
        problem_engine(why, NULL, &err);
        return NULL;
    }
    char *bytes = tool_alloc(length + 1, 1);
    if (syn_detokenize(t, r->ids, r->length, 0, bytes, length, &length, &err) == SYN_OK)
        return bytes;
    problem_engine(why, NULL, &err);
    free(bytes);
    return NULL;
}

static bool prompt_json(capture_job *job, taken *w, size_t prompt, json_out *j, problem *why)
{
    const capture_options *o = job->options;
    const capture_prompt *p = &job->prompt[prompt];
    if (!taken_read(job, w, prompt, why)) return false;
    char *words = continuation(job, &w->now, why);
    if (!words) return false;
    json_object(j, NULL);
    json_int(j, "number",
             (int64_t)(o->shards > 1 ? prompt * (size_t)o->shards + (size_t)o->shard : prompt));
    json_text(j, "category", p->category);
    json_text(j, "text", p->text);
    json_text(j, "continuation", words);
    json_int(j, "length", w->now.length);
    json_array_inline(j, "ids");
    for (size_t k = 0; k < p->count; k++) json_int(j, NULL, p->ids[k]);
    json_array_end(j);
    json_object_end(j);
    free(words);
    return true;
}

static void shape_json(const capture_job *job, uint64_t prompts, uint64_t tokens, json_out *j)
{
    json_array_inline(j, "shape");
    json_int(j, NULL, (int64_t)prompts);
    json_int(j, NULL, (int64_t)tokens);
    json_int(j, NULL, job->layers);
    json_int(j, NULL, job->per_layer);
    json_array_end(j);
}

void capture_remove(const capture_job *job, const char *name)
{
    char path[TOOL_PATH_BYTES];
    problem ignored;
    if (result_path(job, name, path, &ignored)) remove(path);
}

bool capture_forced_json(capture_job *job, uint64_t prompts, uint64_t tokens, problem *why)
{
    char path[TOOL_PATH_BYTES];
    json_out j = {0};
    json_object(&j, NULL);
    json_text(&j, "version", tool_version());
    identity_json(job, &j);
    shape_json(job, prompts, tokens, &j);
    json_object_end(&j);
    if (result_path(job, "run.json", path, why)) return json_write(&j, path, why);
    text_free(&j.to);
    return false;
}

static bool write_run_json(capture_job *job, taken *w, problem *why)
{
    char path[TOOL_PATH_BYTES];
    json_out j = {0};
    bool good = result_path(job, "run.json", path, why);
    json_object(&j, NULL);
    json_text(&j, "version", tool_version());
    identity_json(job, &j);
    shape_json(job, job->prompts, (uint64_t)job->options->n, &j);
    json_array(&j, "prompts");
    for (size_t i = 0; good && i < job->prompts; i++) good = prompt_json(job, w, i, &j, why);
    json_array_end(&j);
    json_object_end(&j);
    if (good) return json_write(&j, path, why);
    text_free(&j.to);
    return false;
}

/* sinks.npy, of heads: each prompt's mean attention to the first token (layer, head). */
static bool write_sinks(capture_job *job, taken *w, problem *why)
{
    const uint64_t shape[3] = {job->prompts, job->layers, job->per_layer};
    char path[TOOL_PATH_BYTES];
    npy_out out;
    if (!job->desc.sinks) {
        capture_remove(job, "sinks.npy");
        return true;
    }
    if (!result_path(job, "sinks.npy", path, why) || !npy_begin(&out, path, NPY_F32, 3, shape, why))
        return false;
    bool good = true;
    for (size_t i = 0; good && i < job->prompts; i++)
        good = taken_read(job, w, i, why) && npy_add(&out, w->now.sinks, job->units, why);
    good = good && npy_end(&out, why);
    if (!good) npy_abandon(&out);
    return good;
}

/* norms.npy, tokens.npy and, where series may end early, lengths.npy, from the records. */
static bool write_arrays(capture_job *job, taken *w, problem *why)
{
    const uint64_t n = (uint64_t)job->options->n, prompts = job->prompts;
    const uint64_t shape[4] = {prompts, n, job->layers, job->per_layer};
    char path[TOOL_PATH_BYTES];
    npy_out norms, tokens;
    int32_t *lengths = tool_alloc((size_t)prompts, sizeof *lengths);
    bool good =
        result_path(job, "norms.npy", path, why) && npy_begin(&norms, path, NPY_F32, 4, shape, why);
    if (good && !(result_path(job, "tokens.npy", path, why) &&
                  npy_begin(&tokens, path, NPY_I32, 2, shape, why))) {
        npy_abandon(&norms);
        good = false;
    } else if (good) {
        for (size_t i = 0; good && i < prompts; i++) {
            good = taken_read(job, w, i, why) &&
                   npy_add(&norms, w->now.norms, n * job->units, why) &&
                   npy_add(&tokens, w->now.ids, n, why);
            lengths[i] = (int32_t)w->now.length;
            if (good) capture_count_norms(job, w->now.norms, w->now.length);
        }
        good = good && npy_end(&norms, why) && npy_end(&tokens, why);
        if (!good) npy_abandon(&norms);
        if (!good) npy_abandon(&tokens);
        if (good) capture_note_norms(job);
    }
    if (good && result_path(job, "lengths.npy", path, why)) {
        if (job->options->eos == 1) good = npy_write(path, NPY_I32, 1, shape, lengths, why);
        else remove(path);
        if (good) capture_remove(job, "logits.npy"); /* of an earlier run of --tokens */
    }
    free(lengths);
    return good;
}

static bool write_timing(const capture_job *job, double seconds, double tokens, problem *why)
{
    char path[TOOL_PATH_BYTES];
    json_out j = {0};
    if (!result_path(job, "timing.json", path, why)) return false;
    json_object(&j, NULL);
    json_number(&j, "seconds", seconds);
    json_number(&j, "generated_tokens", tokens);
    json_number(&j, "tokens_per_second", seconds > 0 ? tokens / seconds : 0);
    json_int(&j, "threads", job->m.pool.running ? job->m.pool.pool.threads : 1);
    json_int(&j, "memory_bytes", (int64_t)memory_bytes(job));
    json_object_end(&j);
    return json_write(&j, path, why);
}

/* Free sequences take the next prompts. */
static void fill_slots(capture_job *job, taken *w, size_t *next)
{
    for (uint32_t s = 0; s < job->ctx.desc.sequences; s++) {
        while (*next < job->prompts && work_has(&w->log, *next)) (*next)++;
        if (job->slot[s].busy || *next >= job->prompts) continue;
        slot_begin(job, s, (*next)++);
        slot_go_on(job, w, &job->slot[s]);
    }
}

/* What is finished goes to the log, and its sequence is free. */
static bool add_done(capture_job *job, taken *w, problem *why)
{
    for (uint32_t s = 0; s < job->ctx.desc.sequences; s++) {
        capture_slot *slot = &job->slot[s];
        if (!slot->busy || !slot->done) continue;
        if (!taken_add(job, w, slot->prompt, &slot->r, why)) return false;
        slot->busy = false;
    }
    return true;
}

static double tokens_under_way(const capture_job *job)
{
    double tokens = 0;
    for (uint32_t s = 0; s < job->ctx.desc.sequences; s++)
        if (job->slot[s].busy) tokens += job->slot[s].r.length;
    return tokens;
}

static bool generate_all(capture_job *job, taken *w, problem *why)
{
    progress bar;
    const double start = clock_seconds(), n = (double)job->options->n;
    const size_t left = job->prompts - w->log.done;
    double tokens = 0;
    size_t next = 0;
    bool good = true;
    syn_row *rows = tool_alloc(job->ctx.desc.batch, sizeof *rows);
    open_slots(job);
    w->begun_kept = start;
    budget_note("texts", job->desc.sequences < left ? job->desc.sequences : left,
                memory_bytes(job));
    fill_slots(job, w, &next);
    progress_begin(&bar, "capture", (double)job->prompts * n);
    progress_skip(&bar, (double)w->log.done * n + tokens_under_way(job));
    while (good && w->log.done < job->prompts) {
        fill_slots(job, w, &next);
        good = run_pass(job, rows, why);
        for (uint32_t s = 0; s < job->ctx.desc.sequences; s++) tokens += job->slot[s].generated;
        good = good && add_done(job, w, why) && keep_begun(job, w, why);
        progress_step(&bar, (double)w->log.done * n + tokens_under_way(job));
    }
    progress_end(&bar);
    free(rows);
    return good && write_timing(job, clock_seconds() - start, tokens, why);
}

static bool run_all(capture_job *job, capture_announce *announce, const void *user,
                    capture_facts *facts, problem *why)
{
    taken w;
    const work_desc d = work_of(job);
    if (!job->prompts) return true;
    taken_begin(job, &w);
    bool good = work_open(&w.log, &d, why);
    if (good && w.log.complete)
        tool_note("the recording in %s is complete (--fresh makes it anew)", job->options->output);
    else
        good = good && find_seconds(job, facts, why) && announce(facts, user, why) &&
               generate_all(job, &w, why) && write_arrays(job, &w, why) &&
               write_sinks(job, &w, why) && write_run_json(job, &w, why) &&
               columns_write(job->options->output, why);
    taken_close(&w, good);
    return good;
}

bool capture_prompts(const capture_options *o, capture_announce *announce, const void *user,
                     capture_facts *facts, problem *why)
{
    capture_job job;
    bool good = prepare(&job, o, why);
    if (good) {
        *facts = facts_of(&job);
        good = run_all(&job, announce, user, facts, why);
    }
    capture_free(&job);
    return good;
}
