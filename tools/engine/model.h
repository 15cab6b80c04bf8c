/* model.h - a GGUF model on disk, opened for a command: files mapped, one block of memory sized by
   a measuring pass, a pool of threads. */
#ifndef SYNERGY_MODEL_H
#define SYNERGY_MODEL_H

#include "engine/engine.h"

/* int: syn_cache_type */
#define OPTION_CACHE(to)                                                                           \
    {                                                                                              \
        "cache", 0, OPTION_CHOICE, choice_words(CHOICE_CACHE),                                     \
            "keys and values: floats (default), or halves in half the memory", (to), 0, 0, NULL    \
    }

typedef struct loaded_model {
    char path[TOOL_PATH_BYTES];
    size_t files;
    file_view view[SYN_MODEL_FILES];
    syn_source source[SYN_MODEL_FILES];
    syn_model model;
    void *block;
    size_t model_bytes; /* of the model view: what the measuring pass counted */
    void *context_block;
    size_t context_bytes;
    engine_pool pool;
    int window_file; /* descriptor + 1 of a file that is read through a window, else 0 */
    size_t window;   /* its bytes: as many of the weights are in memory at a time */
    struct window_pages *window_pages; /* what was read of it last */
} loaded_model;

/* Opens MODEL, or all files of a split model when its name ends in -0000I-of-0000N.gguf.
   `pre` replaces the file's pre-tokenizer (NULL: the file's). */
bool model_load(loaded_model *m, const char *path, const char *pre, problem *why);
/* The same without its vocabulary, for ids in and ids out. */
bool model_load_weights(loaded_model *m, const char *path, problem *why);
/* The same of a file, or a block device, larger than the memory: weights are read as they are
   needed, `window` bytes at a time (at least a row of the widest matrix). */
bool model_load_window(loaded_model *m, const char *path, const char *pre, size_t window,
                       problem *why);
void model_unload(loaded_model *m);
uint64_t model_file_bytes(const loaded_model *m);
/* SHA-256 over the files, one after the other. */
void model_hash(const loaded_model *m, char hex[65]);

/* Every tensor of every file, in their order, until a visit is false. */
typedef bool tensor_visit(void *user, const syn_gguf *gguf, const syn_gguf_tensor *t, problem *why);
bool model_each_tensor(const loaded_model *m, tensor_visit *visit, void *user, problem *why);

/* Refuses `tokens` positions beyond what the model was trained for, where its file says that,
   unless `beyond`. */
bool model_context_check(const loaded_model *m, uint64_t tokens, bool beyond, problem *why);
/* Refuses an output that is one of the model's files. */
bool model_not_output(const loaded_model *m, const char *output, problem *why);

/* Opens a context on memory of its own. desc->parallel is set from `threads` (0: all cores). */
bool model_context(loaded_model *m, syn_context *ctx, syn_context_desc *desc, int64_t threads,
                   problem *why);
/* A further one on a block that the caller frees; the pool of the first serves it, too. */
bool model_context_on(loaded_model *m, syn_context *ctx, syn_context_desc *desc, void **block,
                      size_t *bytes, problem *why);
/* The bytes that such a context takes, without taking them. */
bool model_context_bytes(const loaded_model *m, const syn_context_desc *desc, size_t *bytes,
                         problem *why);

/* Says what of a vocabulary is a guess. */
void tokenizer_note(const syn_tokenizer *t);

#define OPTION_PRE(to)                                                                             \
    {                                                                                              \
        "pre", 0, OPTION_TEXT, "NAME", "pre-tokenizer in place of the file's own", (to), 0, 0,     \
            NULL                                                                                   \
    }

/* Hash of samples of the files, their sizes and the time of change: enough to know an interrupted
   command's model again, where reading all of it would take longer than the work. */
void model_mark(const loaded_model *m, char hex[65]);

/* ids of a text; NULL on failure. flags as syn_tokenize. */
int32_t *tokenize_text(const syn_tokenizer *t, const char *words, size_t length,
                       syn_token_flags flags, size_t *count, problem *why);
/* Ids from an .npy of whole numbers, [T] or [P, T]: every one must be in the vocabulary. With
   `ends` a row ends at its first -1: what stands behind it is -1, too. */
typedef struct id_rows {
    int32_t *at;
    size_t rows, length;
} id_rows; /* (rows, length), to be freed */
bool ids_read(id_rows *ids, const char *path, uint32_t vocab, bool ends, problem *why);
/* Text of a whole stream or file, any bytes. */
bool read_stream(FILE *from, const char *name, text *to, problem *why);
bool read_file(const char *path, text *to, problem *why);

#endif
