/* cmd_info.c - `synergy info`: checks a whole model file and tells what is in it. */
#include "engine/chat.h"

#include <string.h>

enum { TYPE_IDS = 64 }; /* numbers of tensor types that are counted one by one */

typedef struct file_facts {
    uint64_t tensors, keys, parameters;
    uint64_t of_type[TYPE_IDS], bytes_of_type[TYPE_IDS];
} file_facts;

/* Every tensor of the files, also those that the model does not use. */
static bool count_tensors(const loaded_model *m, file_facts *facts, problem *why)
{
    syn_error err;
    memset(facts, 0, sizeof *facts);
    for (size_t f = 0; f < m->files; f++) {
        syn_gguf gguf;
        syn_gguf_tensor tensor;
        if (syn_gguf_open(&gguf, &m->source[f], &err) != SYN_OK)
            return problem_engine(why, m->path, &err);
        facts->keys += gguf.keys;
        facts->tensors += gguf.tensors;
        uint64_t at = gguf.tensors_at;
        for (uint64_t i = 0; i < gguf.tensors; i++, at = tensor.next_at) {
            if (syn_gguf_tensor_at(&gguf, at, &tensor, &err) != SYN_OK)
                return problem_engine(why, m->path, &err);
            facts->parameters += tensor.ne[0] * tensor.ne[1] * tensor.ne[2] * tensor.ne[3];
            if (tensor.type >= TYPE_IDS) continue;
            facts->of_type[tensor.type]++;
            facts->bytes_of_type[tensor.type] += tensor.bytes;
        }
    }
    return true;
}

static void name_of(const loaded_model *m, char *name, size_t room)
{
    syn_error err;
    if (syn_gguf_text(&m->model.gguf, "general.name", false, name, room, NULL, &err) != SYN_OK)
        name[0] = '\0';
    for (char *s = name; *s; s++)
        if ((unsigned char)*s < 32 || *s == 127) *s = '?';
}

static const char *tokenizer_kind(const syn_tokenizer *t)
{
    return t->kind == SYN_TOKENIZER_BPE ? "byte-level BPE" : "SentencePiece BPE";
}

static void print_types(const file_facts *facts)
{
    printf("tensors          %llu:", (unsigned long long)facts->tensors);
    for (uint32_t i = 0; i < TYPE_IDS; i++)
        if (facts->of_type[i])
            printf(" %llu %s", (unsigned long long)facts->of_type[i], syn_type_find(i)->name);
    printf("\n");
}

/* What the files have and the model does not use, each with the reason why that is safe. */
typedef void unused_fn(void *out, const char *kind, const char *name, const char *why);

static void name_read(const syn_source *source, uint64_t at, uint64_t bytes, char *name,
                      size_t room)
{
    unsigned char raw[128];
    const size_t n = bytes < room - 1 ? (size_t)bytes : room - 1;
    memset(raw, 0, sizeof raw);
    if (source->bytes) memcpy(raw, source->bytes + at, n);
    else if (!source->read(source->user, at, raw, n)) memset(raw, '?', n);
    for (size_t i = 0; i < n; i++) name[i] = raw[i] >= 32 && raw[i] < 127 ? (char)raw[i] : '?';
    name[n] = '\0';
}

static void each_unused(const loaded_model *m, unused_fn *take, void *out)
{
    char name[128];
    const char *why;
    for (size_t f = 0; f < m->files; f++) {
        syn_gguf gguf;
        syn_gguf_tensor tensor;
        syn_gguf_key key;
        if (syn_gguf_open(&gguf, &m->source[f], NULL) != SYN_OK) return;
        uint64_t at = gguf.keys_at;
        for (uint64_t i = 0; f == 0 && i < gguf.keys; i++, at = key.next_at) {
            if (syn_gguf_key_at(&gguf, at, &key, NULL) != SYN_OK) return;
            name_read(&m->source[f], key.name_at, key.name_bytes, name, sizeof name);
            why = syn_model_unused_key(&m->model, name);
            if (why) take(out, "key", name, why);
        }
        at = gguf.tensors_at;
        for (uint64_t i = 0; i < gguf.tensors; i++, at = tensor.next_at) {
            if (syn_gguf_tensor_at(&gguf, at, &tensor, NULL) != SYN_OK) return;
            name_read(&m->source[f], tensor.name_at, tensor.name_bytes, name, sizeof name);
            why = syn_model_unused_tensor(&m->model, name);
            if (why) take(out, "tensor", name, why);
        }
    }
}

static void unused_line(void *out, const char *kind, const char *name, const char *why)
{
    bool *begun = out;
    printf("%s%s ", *begun ? "                 " : "not used         ", kind);
    term_write(stdout, name, strlen(name));
    printf(": %s\n", why);
    *begun = true;
}

static void unused_json(void *out, const char *kind, const char *name, const char *why)
{
    json_out *j = out;
    json_object(j, NULL);
    json_text(j, "kind", kind);
    json_text(j, "name", name);
    json_text(j, "why", why);
    json_object_end(j);
}

/* The line above has the most of any layer. */
static void print_layer_heads(const syn_model *model)
{
    uint32_t other = 0;
    for (uint32_t l = 0; l < model->layers; l++) other += model->layer_heads[l] != model->heads;
    if (!other) return;
    printf("heads by layer  ");
    for (uint32_t l = 0; l < model->layers; l++) printf(" %u", model->layer_heads[l]);
    printf("\n");
}

/* How a prompt would be written; `c` is to be closed. */
static const char *chat_of(const loaded_model *m, chat *c)
{
    const chat_options usual = {0};
    problem ignored;
    if (chat_open(c, &m->model.gguf, &m->model.tokenizer, &usual, true, &ignored))
        return chat_name(c);
    return "none";
}

static void print_window(const syn_model *model)
{
    uint32_t local = 0;
    for (uint32_t l = 0; l < model->layers; l++) local += syn_model_is_local(model, l);
    if (!local) return;
    printf("local attention  window %u in %u of %u layers; global:", model->window, local,
           model->layers);
    for (uint32_t l = 0; l < model->layers; l++)
        if (!syn_model_is_local(model, l)) printf(" %u", l);
    printf("%s\n", local == model->layers ? " none" : "");
}

static void print_words(const loaded_model *m, const file_facts *facts,
                        const syn_context_desc *desc, size_t context_bytes)
{
    const syn_model *model = &m->model;
    char name[128], size[32];
    name_of(m, name, sizeof name);
    bytes_text((double)model_file_bytes(m), size, sizeof size);
    printf("file             ");
    term_write(stdout, path_base(m->path), strlen(path_base(m->path)));
    printf(" (%llu bytes, %s", (unsigned long long)model_file_bytes(m), size);
    if (m->files > 1) printf(" in %zu files", m->files);
    printf("; GGUF version %u)\n", model->gguf.version);
    if (name[0]) {
        printf("name             ");
        term_write(stdout, name, strlen(name));
        printf("\n");
    }
    printf("architecture     %s\n", model->architecture);
    printf("layers           %u\n", model->layers);
    printf("heads            %u of %u (keys) and %u (values) values, %u for keys and values\n",
           model->heads, model->key_size, model->value_size, model->kv_heads);
    print_layer_heads(model);
    printf("units            %u heads\n", model->layers * model->heads);
    if (model->experts)
        printf("experts          %u, %u used, %u shared, in layers %u to %u\n", model->experts,
               model->experts_used, model->experts_shared, model->dense_layers, model->layers - 1);
    printf("embedding        %u, feed-forward %u\n", model->embd, model->ff);
    print_window(model);
    printf("context          %u tokens (trained)\n", model->context);
    printf("parameters       %llu\n", (unsigned long long)facts->parameters);
    print_types(facts);
    chat prompts;
    const char *chat_word = chat_of(m, &prompts);
    printf("tokenizer        %s, %d tokens, pre-tokenizer %s, chat format %s\n",
           tokenizer_kind(&model->tokenizer), model->tokenizer.size,
           model->tokenizer.kind == SYN_TOKENIZER_BPE ? syn_tokenizer_pre_name(model->tokenizer.pre)
                                                      : "none",
           chat_word);
    if (prompts.why_not.text[0]) printf("                 the %s\n", prompts.why_not.text);
    chat_close(&prompts);
    bool begun = false;
    each_unused(m, unused_line, &begun);
    printf("memory           %llu bytes for the model view, %llu for a context of %u tokens;\n"
           "                 the weights are used where they lie (%llu bytes mapped)\n",
           (unsigned long long)m->model_bytes, (unsigned long long)context_bytes, desc->tokens,
           (unsigned long long)model_file_bytes(m));
}

static void json_layer_heads(json_out *j, const syn_model *model)
{
    json_array_inline(j, "layer_heads");
    for (uint32_t l = 0; l < model->layers; l++) json_int(j, NULL, model->layer_heads[l]);
    json_array_end(j);
}

static void print_json(const loaded_model *m, const file_facts *facts, const syn_context_desc *desc,
                       size_t context_bytes)
{
    const syn_model *model = &m->model;
    json_out j = {0};
    char name[128];
    name_of(m, name, sizeof name);
    json_object(&j, NULL);
    json_text(&j, "file", path_base(m->path));
    json_int(&j, "bytes", (int64_t)model_file_bytes(m));
    json_int(&j, "files", (int64_t)m->files);
    json_int(&j, "gguf_version", model->gguf.version);
    json_text(&j, "name", name);
    json_text(&j, "architecture", model->architecture);
    json_int(&j, "layers", model->layers);
    json_int(&j, "heads", model->heads);
    json_int(&j, "kv_heads", model->kv_heads);
    json_layer_heads(&j, model);
    json_int(&j, "key_length", model->key_size);
    json_int(&j, "value_length", model->value_size);
    json_int(&j, "units", (int64_t)model->layers * model->heads);
    json_int(&j, "embedding_length", model->embd);
    json_int(&j, "feed_forward_length", model->ff);
    json_int(&j, "experts", model->experts);
    json_int(&j, "experts_used", model->experts_used);
    json_int(&j, "sliding_window", model->window);
    json_int(&j, "context_length", model->context);
    json_int(&j, "parameters", (int64_t)facts->parameters);
    json_int(&j, "tensors", (int64_t)facts->tensors);
    json_object(&j, "tensor_types");
    for (uint32_t i = 0; i < TYPE_IDS; i++)
        if (facts->of_type[i]) json_int(&j, syn_type_find(i)->name, (int64_t)facts->of_type[i]);
    json_object_end(&j);
    json_array(&j, "unused");
    each_unused(m, unused_json, &j);
    json_array_end(&j);
    json_object(&j, "tokenizer");
    json_text(&j, "kind", tokenizer_kind(&model->tokenizer));
    json_int(&j, "tokens", model->tokenizer.size);
    chat prompts;
    json_text(&j, "chat", chat_of(m, &prompts));
    chat_close(&prompts);
    json_object_end(&j);
    json_object(&j, "memory");
    json_int(&j, "model_bytes", (int64_t)m->model_bytes);
    json_int(&j, "context_tokens", desc->tokens);
    json_int(&j, "context_bytes", (int64_t)context_bytes);
    json_object_end(&j);
    json_object_end(&j);
    json_print(&j, stdout);
}

/* Unless -c says otherwise: 512, or as many positions as the model has an embedding for. */
static uint32_t default_context(const syn_model *model)
{
    const syn_tensor *positions = &model->global[SYN_POSITION_EMBD];
    return positions->type && positions->rows < 512 ? positions->rows : 512;
}

static int run(const command *self, int argc, char **argv)
{
    int64_t tokens = 0, threads = 0;
    bool as_json = false, exact = false;
    const char *pre = NULL, *operand[1];
    const option options[] = {
        OPTION_CONTEXT(&tokens), OPTION_THREADS(&threads), OPTION_EXACT(&exact),
        OPTION_JSON(&as_json),   OPTION_PRE(&pre),
    };
    size_t found, context_bytes;
    int code;
    problem why;
    loaded_model m;
    file_facts facts;
    syn_context_desc desc;
    if (!args_parse(self, options, OPTION_COUNT(options), argc, argv, operand, 1, 1, &found, &code))
        return code;
    if (!model_load(&m, operand[0], pre, &why)) return tool_fail(&why);
    memset(&desc, 0, sizeof desc);
    desc.tokens = tokens ? (uint32_t)tokens : default_context(&m.model);
    desc.norms = true;
    desc.arithmetic = exact ? SYN_EXACT : SYN_FAST;
    engine_pool_start(&m.pool, threads);
    desc.parallel = m.pool.parallel;
    const bool good =
        model_context_bytes(&m, &desc, &context_bytes, &why) && count_tensors(&m, &facts, &why);
    if (good && as_json) print_json(&m, &facts, &desc, context_bytes);
    else if (good) print_words(&m, &facts, &desc, context_bytes);
    model_unload(&m);
    return good ? tool_finish_output() : tool_fail(&why);
}

const command command_info = {
    "info",
    "MODEL [--json]",
    "what is in a model file, and what it needs in memory",
    "Checks every key and tensor that would be used, and refuses what could not run.",
    run,
    "synergy info model.gguf"};
