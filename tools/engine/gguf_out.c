/* gguf_out.c - writes a GGUF file, keys copied from another one where they are not changed. */
#include "engine/gguf_out.h"

#include <string.h>

/* ---- reading keys ----------------------------------------------------------------------- */

static uint32_t get_u32(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t get_u64(const unsigned char *p)
{
    return get_u32(p) | (uint64_t)get_u32(p + 4) << 32;
}

/* Behind the value of this type at p. Arrays in arrays are at most a few deep: it was checked. */
static const unsigned char *skip_value(const unsigned char *p, uint32_t type)
{
    static const unsigned char bytes[SYN_GGUF_TYPES] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    if (type == SYN_GGUF_STRING) return p + 8 + get_u64(p);
    if (type != SYN_GGUF_ARRAY) return p + bytes[type];
    const uint32_t element = get_u32(p);
    const uint64_t count = get_u64(p + 4);
    p += 12;
    if (bytes[element]) return p + count * bytes[element];
    for (uint64_t i = 0; i < count; i++) p = skip_value(p, element);
    return p;
}

gguf_key gguf_key_at(const syn_gguf *gguf, uint64_t *at)
{
    gguf_key key;
    key.record = gguf->source->bytes + *at;
    key.name_bytes = (size_t)get_u64(key.record);
    key.name = (const char *)key.record + 8;
    const unsigned char *type = key.record + 8 + key.name_bytes;
    key.record_bytes = (size_t)(skip_value(type + 4, get_u32(type)) - key.record);
    *at += key.record_bytes;
    return key;
}

bool gguf_key_is(const gguf_key *key, const char *name)
{
    return strlen(name) == key->name_bytes && memcmp(name, key->name, key->name_bytes) == 0;
}

/* ---- collecting ------------------------------------------------------------------------- */

static void add_u32(text *to, uint32_t value)
{
    const unsigned char raw[4] = {(unsigned char)(value & 255), (unsigned char)(value >> 8 & 255),
                                  (unsigned char)(value >> 16 & 255), (unsigned char)(value >> 24)};
    text_add_bytes(to, raw, sizeof raw);
}

static void add_u64(text *to, uint64_t value)
{
    add_u32(to, (uint32_t)(value & UINT32_MAX));
    add_u32(to, (uint32_t)(value >> 32));
}

static void add_string(text *to, const char *s, size_t n)
{
    add_u64(to, n);
    text_add_bytes(to, s, n);
}

static void add_key(gguf_out *out, const char *name, syn_gguf_type type)
{
    add_string(&out->keys, name, strlen(name));
    add_u32(&out->keys, (uint32_t)type);
    out->key_count++;
}

void gguf_out_copy_key(gguf_out *out, const gguf_key *key)
{
    text_add_bytes(&out->keys, key->record, key->record_bytes);
    out->key_count++;
}

void gguf_out_floats_of(gguf_out *out, const syn_gguf *from)
{
    uint64_t at = from->keys_at;
    out->version = 3;
    out->alignment = from->alignment;
    for (uint64_t i = 0; i < from->keys; i++) {
        const gguf_key key = gguf_key_at(from, &at);
        if (key.name_bytes > 6 && !memcmp(key.name, "split.", 6)) continue;
        if (gguf_key_is(&key, "general.file_type")) gguf_out_u32(out, "general.file_type", 0);
        else gguf_out_copy_key(out, &key);
    }
}

void gguf_out_move_key(gguf_out *out, const gguf_key *key, size_t skip, const char *begin)
{
    const size_t n = strlen(begin);
    add_u64(&out->keys, n + key->name_bytes - skip);
    text_add_bytes(&out->keys, begin, n);
    text_add_bytes(&out->keys, key->record + 8 + skip, key->record_bytes - 8 - skip);
    out->key_count++;
}

void gguf_out_u32(gguf_out *out, const char *name, uint32_t value)
{
    add_key(out, name, SYN_GGUF_U32);
    add_u32(&out->keys, value);
}

void gguf_out_i32s(gguf_out *out, const char *name, const uint32_t *value, uint64_t count)
{
    add_key(out, name, SYN_GGUF_ARRAY);
    add_u32(&out->keys, SYN_GGUF_I32);
    add_u64(&out->keys, count);
    for (uint64_t i = 0; i < count; i++) add_u32(&out->keys, value[i]);
}

void gguf_out_f32(gguf_out *out, const char *name, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    add_key(out, name, SYN_GGUF_F32);
    add_u32(&out->keys, bits);
}

void gguf_out_bool(gguf_out *out, const char *name, bool value)
{
    const unsigned char byte = value;
    add_key(out, name, SYN_GGUF_BOOL);
    text_add_bytes(&out->keys, &byte, 1);
}

void gguf_out_f64(gguf_out *out, const char *name, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    add_key(out, name, SYN_GGUF_F64);
    add_u64(&out->keys, bits);
}

void gguf_out_text(gguf_out *out, const char *name, const char *value)
{
    add_key(out, name, SYN_GGUF_STRING);
    add_string(&out->keys, value, strlen(value));
}

void gguf_out_texts(gguf_out *out, const char *name, uint64_t count)
{
    add_key(out, name, SYN_GGUF_ARRAY);
    add_u32(&out->keys, SYN_GGUF_STRING);
    add_u64(&out->keys, count);
}

void gguf_out_element(gguf_out *out, const char *value)
{
    add_string(&out->keys, value, strlen(value));
}

static uint64_t padding(const gguf_out *out, uint64_t at)
{
    return (out->alignment - at % out->alignment) % out->alignment;
}

void gguf_out_tensor(gguf_out *out, const char *name, size_t name_bytes, const syn_type *type,
                     uint32_t dims, const uint64_t ne[4])
{
    add_string(&out->infos, name, name_bytes);
    add_u32(&out->infos, dims);
    for (uint32_t i = 0; i < dims; i++) add_u64(&out->infos, ne[i]);
    add_u32(&out->infos, type->id);
    add_u64(&out->infos, out->data_bytes);
    const uint64_t bytes = syn_type_bytes(type, ne[0]) * ne[1] * ne[2] * ne[3];
    out->data_bytes += bytes + padding(out, bytes);
    out->tensor_count++;
}

/* ---- writing ---------------------------------------------------------------------------- */

/* A full disk shows here, while writing, or when the file is flushed at its end. */
static bool put(gguf_out *out, const void *bytes, size_t count, problem *why)
{
    if (count && fwrite(bytes, 1, count, out->file.stream) != count)
        return problem_errno(why, out->file.path, "cannot write");
    out->written += count;
    return true;
}

static bool put_padding(gguf_out *out, uint64_t count, problem *why)
{
    static const unsigned char zero[64];
    while (count) {
        const size_t n = count < sizeof zero ? (size_t)count : sizeof zero;
        if (!put(out, zero, n, why)) return false;
        count -= n;
    }
    return true;
}

uint64_t gguf_out_bytes(const gguf_out *out)
{
    const uint64_t head = 24 + (uint64_t)out->keys.length + out->infos.length;
    return head + padding(out, head) + out->data_bytes;
}

bool gguf_out_begin(gguf_out *out, const char *path, problem *why)
{
    text head = {0};
    if (!file_begin(&out->file, path, why)) return false;
    text_add_bytes(&head, "GGUF", 4);
    add_u32(&head, out->version);
    add_u64(&head, out->tensor_count);
    add_u64(&head, out->key_count);
    bool good = put(out, head.at, head.length, why) &&
                put(out, out->keys.at, out->keys.length, why) &&
                put(out, out->infos.at, out->infos.length, why) &&
                put_padding(out, padding(out, out->written), why);
    text_free(&head);
    return good;
}

bool gguf_out_data(gguf_out *out, const void *bytes, size_t count, problem *why)
{
    out->tensor_bytes += count;
    return put(out, bytes, count, why);
}

bool gguf_out_floats(gguf_out *out, const float *value, size_t count, problem *why)
{
    unsigned char raw[4096];
    for (size_t done = 0; done < count;) {
        const size_t piece = count - done < sizeof raw / 4 ? count - done : sizeof raw / 4;
        for (size_t i = 0; i < piece; i++) {
            uint32_t bits;
            memcpy(&bits, &value[done + i], 4);
            for (int b = 0; b < 4; b++)
                raw[4 * i + (size_t)b] = (unsigned char)(bits >> 8 * b & 255);
        }
        if (!gguf_out_data(out, raw, 4 * piece, why)) return false;
        done += piece;
    }
    return true;
}

bool gguf_out_tensor_end(gguf_out *out, problem *why)
{
    const uint64_t bytes = out->tensor_bytes;
    out->tensor_bytes = 0;
    return put_padding(out, padding(out, bytes), why);
}

bool gguf_out_end(gguf_out *out, problem *why)
{
    return file_commit(&out->file, why);
}

void gguf_out_close(gguf_out *out)
{
    file_abandon(&out->file);
    text_free(&out->keys);
    text_free(&out->infos);
}
