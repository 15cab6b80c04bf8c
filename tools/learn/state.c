/* state.c - a run's state as a GGUF file. */
#include "learn/state.h"

#include "base/work.h"
#include "engine/gguf_out.h"

#include <stdlib.h>
#include <string.h>

static const char *const table_key[2] = {"training.loss", "training.heldout"};

bool state_save(const learn_state *s, const char *path, problem *why)
{
    static const char *const name[3] = {"weight", "moment.1", "moment.2"};
    const float *const array[3] = {s->n->weight, s->a->m, s->a->v};
    const uint64_t ne[4] = {s->n->parameters, 1, 1, 1};
    gguf_out out;
    memset(&out, 0, sizeof out);
    out.version = 3;
    out.alignment = 32;
    gguf_out_text(&out, "general.architecture", "synergy.training");
    gguf_out_text(&out, "training.settings", s->settings);
    for (int i = 0; i < 2; i++) gguf_out_text(&out, table_key[i], s->table[i]->at);
    gguf_out_u32(&out, "training.step", (uint32_t)s->a->step);
    for (int i = 0; i < 3; i++)
        gguf_out_tensor(&out, name[i], strlen(name[i]), syn_type_find(0), 1, ne);
    bool good = gguf_out_begin(&out, path, why);
    for (int i = 0; i < 3 && good; i++)
        good = gguf_out_floats(&out, array[i], s->n->parameters, why) &&
               gguf_out_tensor_end(&out, why);
    good = good && gguf_out_end(&out, why);
    gguf_out_close(&out);
    return good;
}

static bool key_text(const syn_gguf *gguf, const char *key, text *to, problem *why)
{
    syn_gguf_value value;
    syn_error err;
    bool present;
    if (syn_gguf_find(gguf, key, &value, &present, &err) != SYN_OK)
        return problem_engine(why, NULL, &err);
    if (!present || value.type != SYN_GGUF_STRING || value.array)
        return problem_set(why, "key %s is missing", key);
    text_add_bytes(to, gguf->source->bytes + value.offset, (size_t)value.bytes);
    return true;
}

static bool load_arrays(const learn_state *s, const syn_gguf *gguf, problem *why)
{
    float *const array[3] = {s->n->weight, s->a->m, s->a->v};
    uint64_t at = gguf->tensors_at;
    syn_error err;
    if (gguf->tensors != 3)
        return problem_set(why, "%u tensors, expected 3", (unsigned)gguf->tensors);
    for (int i = 0; i < 3; i++) {
        syn_gguf_tensor found;
        if (syn_gguf_tensor_at(gguf, at, &found, &err) != SYN_OK)
            return problem_engine(why, NULL, &err);
        if (found.type || found.bytes != 4 * (uint64_t)s->n->parameters)
            return problem_set(why, "it is of a model with other weights");
        syn_type_to_float(syn_type_find(0), gguf->source->bytes + found.offset, array[i],
                          s->n->parameters);
        at = found.next_at;
    }
    return true;
}

/* Names every setting that differs. */
static bool same_settings(const learn_state *s, const text *theirs, problem *why)
{
    const char *ours = s->settings;
    json_file here, there;
    problem ignored;
    text how = {NULL, 0, 0};
    if (!strcmp(theirs->at, ours)) return true;
    if (json_parse(&there, theirs->at, theirs->length, "settings", &ignored)) {
        if (json_parse(&here, ours, strlen(ours), "settings", &ignored)) {
            settings_differ(here.root, there.root, s->words, &how);
            json_free(&here);
        }
        json_free(&there);
    }
    problem_set(why,
                "it is of a run with other settings: %.700s: give those, --fresh or another -o",
                how.length ? how.at : "of another version");
    text_free(&how);
    return false;
}

bool state_load(learn_state *s, const char *path, problem *why)
{
    file_view view;
    syn_gguf gguf;
    syn_error err;
    text settings = {0};
    uint32_t step = 0;
    problem inner;
    if (!file_map(&view, path, why)) return false;
    syn_source from = syn_source_memory(view.bytes, view.size);
    bool good = syn_gguf_open(&gguf, &from, &err) == SYN_OK || problem_engine(&inner, NULL, &err);
    good = good && key_text(&gguf, "training.settings", &settings, &inner);
    good = good && same_settings(s, &settings, &inner);
    for (int i = 0; i < 2 && good; i++) {
        s->table[i]->length = 0;
        good = key_text(&gguf, table_key[i], s->table[i], &inner);
    }
    if (good && syn_gguf_u32(&gguf, "training.step", true, &step, &err) != SYN_OK)
        good = problem_engine(&inner, NULL, &err);
    good = good && load_arrays(s, &gguf, &inner);
    if (good) s->a->step = step;
    else problem_set(why, "%s: %s", path, inner.text);
    text_free(&settings);
    file_unmap(&view);
    return good;
}
