/* gguf_out.h - writes a GGUF file: keys and tensor infos are collected first, then the data follow,
   tensor after tensor, so that no more than a row is ever in memory. Format: ggml/docs/gguf.md. */
#ifndef SYNERGY_GGUF_OUT_H
#define SYNERGY_GGUF_OUT_H

#include "engine/engine.h"

typedef struct gguf_out {
    file_out file;
    uint32_t version, alignment;
    text keys, infos; /* as they will stand in the file */
    uint64_t key_count, tensor_count;
    uint64_t data_bytes;   /* of all tensors promised so far, padding included */
    uint64_t written;      /* bytes in the file so far */
    uint64_t tensor_bytes; /* of the tensor being written */
} gguf_out;

/* One key of a mapped file whose structure syn_gguf_open has checked. */
typedef struct gguf_key {
    const char *name;
    size_t name_bytes;
    const unsigned char *record; /* name, type and value as they lie in the file */
    size_t record_bytes;
} gguf_key;

/* The key at *at (start with gguf->keys_at); moves *at to the next one. */
gguf_key gguf_key_at(const syn_gguf *gguf, uint64_t *at);
bool gguf_key_is(const gguf_key *key, const char *name);

void gguf_out_copy_key(gguf_out *out, const gguf_key *key);
/* Begins a file with all keys of another whose tensors will be F32: its type says so, and it is no
   part of a split. */
void gguf_out_floats_of(gguf_out *out, const syn_gguf *from);
/* The same with another beginning of its name in place of the first `skip` bytes. */
void gguf_out_move_key(gguf_out *out, const gguf_key *key, size_t skip, const char *begin);
void gguf_out_u32(gguf_out *out, const char *name, uint32_t value);
void gguf_out_i32s(gguf_out *out, const char *name, const uint32_t *value, uint64_t count);
void gguf_out_f32(gguf_out *out, const char *name, float value);
void gguf_out_bool(gguf_out *out, const char *name, bool value);
void gguf_out_f64(gguf_out *out, const char *name, double value);
void gguf_out_text(gguf_out *out, const char *name, const char *value);
/* An array of strings: its head, then `count` times an element. */
void gguf_out_texts(gguf_out *out, const char *name, uint64_t count);
void gguf_out_element(gguf_out *out, const char *value);

/* Promises a tensor; its data are written in the order of these calls. */
void gguf_out_tensor(gguf_out *out, const char *name, size_t name_bytes, const syn_type *type,
                     uint32_t dims, const uint64_t ne[4]);

/* What the whole file will have, once all tensors are promised. */
uint64_t gguf_out_bytes(const gguf_out *out);

/* Writes header, keys and infos beside `path`. Everything above comes before it. */
bool gguf_out_begin(gguf_out *out, const char *path, problem *why);
/* Data of the current tensor, in pieces; then the padding behind it. */
bool gguf_out_data(gguf_out *out, const void *bytes, size_t count, problem *why);
/* The same of floats, for a tensor of type F32. */
bool gguf_out_floats(gguf_out *out, const float *value, size_t count, problem *why);
bool gguf_out_tensor_end(gguf_out *out, problem *why);
/* Renames the file to its name. out->written is its size. */
bool gguf_out_end(gguf_out *out, problem *why);
/* Frees, and removes what is not finished; harmless after gguf_out_end. */
void gguf_out_close(gguf_out *out);

#endif
