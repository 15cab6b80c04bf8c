/* Every key and tensor that a peer may read, set in the tiny models: the logits change as
   llama.cpp's do, or the file is refused by name. data/model_keys.tsv has a row for each change;
   tests/reference/key_outcomes.py wrote it with llama.cpp and says there what the rows mean.
   Weights are made floats first, so that no rounding of theirs hides a change. */
#define SYNERGY_SIMD 0 /* no kernel is tested here */
#define SYNERGY_NO_PHIID
#define SYNERGY_IMPLEMENTATION
#include "synergy.h"

#include "gguf_parts.h"
#include "test.h"

enum { IDS = 16, CONTEXT = 512, PLACES = 4, MODELS = 40, REASONS = 64, VOCAB = 512 };

static const int places[PLACES] = {3, 77, 150, 211};

typedef struct tiny {
    char name[NAME], arch[NAME];
    parts file;
    float logits[VOCAB], near; /* without a change; how near llama.cpp's are */
    size_t vocab;
} tiny;

static tiny *models;
static size_t model_count;

typedef struct row {
    char *outcome, *models, *change, *numbers, *why; /* of a line, cut at its tabs */
} row;

/* ---- the table ---- */

static char *cut(char **rest, char at)
{
    char *begin = *rest, *end = strchr(begin, at);
    *rest = end ? end + 1 : begin + strlen(begin);
    if (end) *end = 0;
    return begin;
}

static int read_row(char **lines, row *r)
{
    char *line;
    do {
        if (!**lines) return 0;
        line = cut(lines, '\n');
    } while (*line == '#' || !*line);
    r->outcome = cut(&line, '\t');
    r->models = cut(&line, '\t');
    r->change = cut(&line, '\t');
    r->numbers = cut(&line, '\t');
    r->why = cut(&line, '\t');
    return 1;
}

static unsigned char *table(void)
{
    test_path_buffer path;
    return file_load(test_path(path, "model_keys.tsv"), NULL);
}

/* ---- a model, all floats ---- */

/* The type of every tensor becomes F32. */
static void make_floats(parts *g)
{
    size_t i, bytes = g->data;
    unsigned char *file;
    for (i = 0; i < g->tensors; i++)
        bytes +=
            4 * (size_t)(g->tensor[i].ne[0] * (g->tensor[i].dims > 1 ? g->tensor[i].ne[1] : 1) *
                         (g->tensor[i].dims > 2 ? g->tensor[i].ne[2] : 1)) +
            32;
    file = (unsigned char *)calloc(1, bytes);
    memcpy(file, g->file, g->data);
    bytes = 0;
    for (i = 0; i < g->tensors; i++) {
        tensor_at *t = &g->tensor[i];
        const syn_type *type = syn_type_find(t->type);
        size_t n = 1, k;
        uint32_t d;
        float *value;
        writer w;
        for (d = 0; d < t->dims; d++) n *= (size_t)t->ne[d];
        value = (float *)malloc(n * sizeof *value);
        syn_type_to_float(type, g->file + g->data + t->offset, value, n);
        w.at = file + g->data + bytes;
        w.used = 0;
        for (k = 0; k < n; k++) {
            uint32_t bits;
            memcpy(&bits, &value[k], 4);
            w_u32(&w, bits);
        }
        free(value);
        t->type = 0;
        t->offset = bytes;
        bytes += (w.used + 31) / 32 * 32;
    }
    free(g->file);
    g->file = file;
    g->bytes = g->data + bytes;
}

static int load(tiny *m, const char *name)
{
    static const char *const rooms[] = {"models", "families"};
    test_path_buffer room, folder, path;
    const char *key = "general.architecture";
    size_t i;
    memset(m, 0, sizeof *m);
    snprintf(m->name, sizeof m->name, "%s", name);
    for (i = 0; i < 2; i++) {
        test_join(folder, test_path(room, rooms[i]), name);
        if (test_exists(test_join(path, folder, "model.gguf"))) break;
    }
    if (i == 2 || !take_apart(&m->file, path)) return 0;
    for (i = 0; i < m->file.keys; i++)
        if (!strcmp(m->file.key[i].name, key))
            name_at(m->file.file + m->file.key[i].at + 8 + strlen(key) + 4, m->arch);
    make_floats(&m->file);
    return 1;
}

/* The logits behind the last of the ids; the file may be refused. */
static syn_status run(const tiny *m, const change *c, float logits[VOCAB], size_t *vocab,
                      syn_error *err)
{
    size_t bytes, need, i;
    unsigned char *file = put_together(&m->file, c, &bytes);
    syn_source source = syn_source_memory(file, bytes);
    syn_model_desc no_words;
    syn_context_desc desc;
    syn_model model;
    syn_context ctx;
    void *block = NULL;
    int32_t ids[IDS];
    syn_status status;
    memset(&no_words, 0, sizeof no_words);
    memset(&desc, 0, sizeof desc);
    no_words.no_tokenizer = true;
    desc.tokens = desc.batch = IDS;
    desc.arithmetic = SYN_EXACT;
    for (i = 0; i < IDS; i++) ids[i] = (int32_t)((37 * i + 11) % 256);
    status = syn_open_measure(&source, 1, &no_words, &desc, &model, &ctx, &need, err);
    desc.tokens = !status && model.context < CONTEXT ? model.context : CONTEXT;
    if (!status) status = syn_open_measure(&source, 1, &no_words, &desc, &model, &ctx, &need, err);
    if (!status) {
        block = malloc(need + SYN_BLOCK_ALIGN);
        status = syn_open_block(&source, 1, &no_words, &desc, block, need + SYN_BLOCK_ALIGN, &model,
                                &ctx, err);
    }
    if (!status) status = syn_context_step(&ctx, ids, IDS, err);
    if (!status && model.vocab > VOCAB) status = SYN_ERROR_ARGUMENT;
    if (!status) {
        *vocab = model.vocab;
        memcpy(logits, syn_context_logits(&ctx, SYN_LAST_ROW), model.vocab * sizeof *logits);
    }
    free(block);
    free(file);
    return status;
}

static tiny *find(const char *name)
{
    size_t i;
    for (i = 0; i < model_count; i++)
        if (!strcmp(models[i].name, name)) return &models[i];
    return NULL;
}

/* ---- a change out of its words ---- */

enum { MAX_ADD = 32 };

typedef struct made {
    change c;
    new_key key[8];
    new_tensor tensor[MAX_ADD];
} made;

static void add_number(writer *w, char kind, double value)
{
    if (kind == 'u') w_u32(w, (uint32_t)value);
    else if (kind == 'f') {
        const float real = (float)value;
        uint32_t bits;
        memcpy(&bits, &real, 4);
        w_u32(w, bits);
    } else {
        const unsigned char is = value != 0;
        w_bytes(w, &is, 1);
    }
}

static uint32_t layers_of(const tiny *m)
{
    uint32_t n = 0, layer;
    size_t i;
    for (i = 0; i < m->file.tensors; i++)
        if (sscanf(m->file.tensor[i].name, "blk.%u.", &layer) == 1 && layer >= n) n = layer + 1;
    return n;
}

/* NAME=KIND:VALUE; an array that is shorter than the model is deep begins again. */
static void add_key(made *to, const tiny *m, char *words)
{
    new_key *key = &to->key[to->c.sets++];
    char *name = cut(&words, '='), kind = words[0];
    const char *value = words + 2;
    const char one = (char)(kind >= 'a' ? kind : kind + 'a' - 'A');
    const uint32_t type = one == 'u' ? 4 : one == 'f' ? 6 : one == 'b' ? 7 : 8;
    writer w;
    w.at = key->value;
    w.used = 0;
    snprintf(key->name, sizeof key->name, "%.20s.%.40s", m->arch, name);
    if (kind >= 'a') {
        w_u32(&w, type);
        if (kind == 's') w_text(&w, value);
        else add_number(&w, kind, atof(value));
    } else {
        const uint32_t layers = layers_of(m);
        const char *at = value;
        uint32_t i;
        w_u32(&w, 9);
        w_u32(&w, type);
        w_u64(&w, layers);
        for (i = 0; i < layers; i++) {
            add_number(&w, one, atof(at));
            at = strchr(at, ',') ? strchr(at, ',') + 1 : value;
        }
    }
    key->bytes = w.used;
}

static int has_tensor(const tiny *m, const char *name)
{
    size_t i;
    for (i = 0; i < m->file.tensors; i++)
        if (!strcmp(m->file.tensor[i].name, name)) return 1;
    return 0;
}

/* `name` with the layer in place of '*', and with another ending where one is given. */
static void layer_name(char to[NAME], const char *name, uint32_t layer, const char *ending)
{
    const char *star = strchr(name, '*'), *dot = strrchr(name, '.');
    const size_t stem = ending ? (size_t)(dot - name) : strlen(name);
    if (star)
        snprintf(to, NAME, "blk.%u%.*s%s", layer, (int)(stem - (size_t)(star + 1 - name)), star + 1,
                 ending ? ending : "");
    else snprintf(to, NAME, "%.*s%s", (int)stem, name, ending ? ending : "");
}

/* NAME[ROWSxCOLUMNS]+CENTRE, in every layer that has the weight that it goes with, else in all. */
static void add_tensor(made *to, const tiny *m, char *words)
{
    char *name = cut(&words, '['), *shape = cut(&words, ']'), weight[NAME];
    const uint32_t layers = strchr(name, '*') ? layers_of(m) : 1;
    uint32_t layer, with = 0;
    new_tensor one;
    memset(&one, 0, sizeof one);
    one.centre = (float)atof(words);
    while (*shape && one.dims < 4) one.ne[one.dims++] = (uint64_t)atoi(cut(&shape, 'x'));
    for (layer = 0; layer < layers; layer++) {
        layer_name(weight, name, layer, ".weight");
        with += has_tensor(m, weight) ? 1 : 0;
    }
    for (layer = 0; layer < layers && to->c.adds < MAX_ADD; layer++) {
        layer_name(weight, name, layer, ".weight");
        if (with && !has_tensor(m, weight)) continue;
        layer_name(one.name, name, layer, NULL);
        to->tensor[to->c.adds++] = one;
    }
}

static void make_change(made *to, const tiny *m, const char *change_words)
{
    char copy[512], *rest = copy;
    memset(to, 0, sizeof *to);
    snprintf(copy, sizeof copy, "%s", change_words);
    to->c.set = to->key;
    to->c.add = to->tensor;
    while (*rest) {
        char *words = cut(&rest, ';');
        if (strchr(words, '[')) add_tensor(to, m, words);
        else add_key(to, m, words);
    }
}

/* Does the error name something that was set, or a key or tensor that does not go with it? */
static int is_named(const made *made_, const syn_error *err)
{
    size_t i;
    if (!strncmp(err->text, "key ", 4) && made_->c.sets) return 1;
    if (!strncmp(err->text, "tensor blk.", 11) || !strncmp(err->text, "tensor rope_", 12)) return 1;
    for (i = 0; i < made_->c.sets; i++)
        if (strstr(err->text, made_->key[i].name)) return 1;
    for (i = 0; i < made_->c.adds; i++)
        if (strstr(err->text, made_->tensor[i].name)) return 1;
    return 0;
}

/* ---- what comes of it ---- */

static int is(const row *r, const char *outcome)
{
    return !strcmp(r->outcome, outcome);
}

/* How far the numbers in the row are from these logits less those without the change. */
static double apart(const row *r, const tiny *m, const float *logits, const float *base)
{
    const char *at = r->numbers;
    double most = 0;
    int i;
    for (i = 0; i < PLACES; i++) {
        char *end;
        const double theirs = strtod(at, &end);
        const double ours = (double)logits[places[i]] - (base ? (double)base[places[i]] : 0);
        if (end == at || !(fabs(ours - theirs) >= 0)) return HUGE_VAL;
        if (fabs(ours - theirs) > most) most = fabs(ours - theirs);
        at = end;
    }
    (void)m;
    return most;
}

static double moved(const tiny *m, const float *logits)
{
    double most = 0;
    size_t i;
    for (i = 0; i < m->vocab; i++) {
        const double d = fabs((double)logits[i] - (double)m->logits[i]);
        if (!(d <= most)) most = d;
    }
    return most;
}

static void check_model(const row *r)
{
    tiny *m = &models[model_count];
    change none;
    syn_error err;
    memset(&none, 0, sizeof none);
    REQUIRE(model_count < MODELS && load(m, r->models));
    model_count++;
    m->near = (float)atof(r->why);
    REQUIRE_OK(run(m, &none, m->logits, &m->vocab, &err), err);
    CHECK(m->near > 0 && m->near < 0.1f);
    CHECK(apart(r, m, m->logits, NULL) <= (double)m->near);
}

static void check_change(const row *r, const char *name)
{
    static float logits[VOCAB];
    static made change_;
    const tiny *m = find(name);
    const unsigned long before = test_.failures;
    size_t vocab = 0;
    syn_error err;
    syn_status status;
    REQUIRE(m != NULL);
    make_change(&change_, m, r->change);
    status = run(m, &change_.c, logits, &vocab, &err);
    if (is(r, "refused") || is(r, "kept out")) {
        CHECK(status == SYN_ERROR_MODEL || status == SYN_ERROR_UNSUPPORTED);
        CHECK(err.text[0] && (is(r, "refused") || is_named(&change_, &err)));
    } else {
        CHECK_OK(status, err);
        if (!status && (is(r, "same") || is(r, "passed"))) CHECK(!(moved(m, logits) > 0));
        if (!status && is(r, "taken")) CHECK(moved(m, logits) > 0);
        if (!status && is(r, "logits")) {
            CHECK(moved(m, logits) > 0);
            CHECK(apart(r, m, logits, m->logits) <= (double)m->near);
        }
    }
    if (test_.failures != before)
        printf("  %s, %s: %s; %s\n", name, r->change, r->outcome,
               status ? err.text : "it runs, with other numbers");
}

TEST(keys_and_tensors_do_what_they_do_elsewhere)
{
    unsigned char *file = table();
    char *lines = (char *)file;
    size_t rows = 0, reasons = 0, number;
    row r;
    REQUIRE(file != NULL);
    models = (tiny *)calloc(MODELS, sizeof *models);
    while (read_row(&lines, &r)) {
        char *names = r.models;
        if (is(&r, "why")) { /* N, the reason: rows that differ from llama.cpp name one */
            CHECK((size_t)atoi(r.models) == ++reasons && r.change[0]);
            continue;
        }
        if (is(&r, "model")) {
            check_model(&r);
            continue;
        }
        number = (size_t)atoi(r.why);
        if (is(&r, "kept out") || is(&r, "taken") || is(&r, "passed"))
            CHECK(number >= 1 && number <= reasons);
        else CHECK(is(&r, "refused") || is(&r, "same") || is(&r, "logits"));
        while (*names) {
            check_change(&r, cut(&names, ','));
            rows++;
        }
    }
    printf("%lu changes of %lu models\n", (unsigned long)rows, (unsigned long)model_count);
    CHECK(rows > 3000 && model_count >= 25);
    while (model_count) free(models[--model_count].file.file);
    free(models);
    free(file);
}

TEST_MAIN("keys")
