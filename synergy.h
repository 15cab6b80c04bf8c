/* synergy.h - v0.2.0 - MIT or public domain - the synergistic core of a language model, measured

   One file, C99 or C++17, libc and libm: a transformer that runs quantised GGUF weights where
   they lie and records the norm of every attention head (or expert), and a numerically careful
   Gaussian integrated information decomposition (PhiID) of such series, or of any two sensors.

   In exactly one source file:        #define SYNERGY_IMPLEMENTATION
                                      #include "synergy.h"
   everywhere else:                   #include "synergy.h"
   Link with -lm (and -pthread when SYNERGY_THREADS is defined).

   Does:      GGUF 2 and 3, mapped or through a read callback, split files too; llama (Llama 2
              and 3, SmolLM, Mistral, Mixtral), mistral3, deci (llama with head counts of each
              layer), smollm3, granite, granitemoe, qwen2, qwen2moe, qwen3, qwen3moe, gemma, gemma2,
              gemma3, glm4, gptneox (Pythia), gpt2, gpt-oss, deepseek2 (V2, V2-Lite, V3), olmo2
              (OLMo 2 and 3), olmoe, phi3, starcoder2; every tensor type of current files from
              F64 to IQ1_S; byte-level BPE and SentencePiece with their chat formats;
              heads and experts removed, replaced by a mean or given weight noise while it runs;
              all 16 PhiID atoms with MMI or CCS redundancy, from series, covariances or one
              sample at a time; unit scores, profiles, intervals, surrogates; graphs.
   Does not:  allocate, free, print, exit, keep state in globals; train; use a GPU; read other
              formats or big-endian GGUF; rope scaling other than linear, YaRN and the factors
              of Llama 3 and Phi 3; images. PhiID is Gaussian: it sees linear dependence only, and
              -ffast-math breaks it.

   CONTENTS (search for the mark)
   >>status       errors: one line of text in the caller's struct
   >>memory       arenas; a measuring arena tells how much an object needs
   >>common       private: pieces of arenas, random numbers, double-double arithmetic
   >>threads      a parallel-for callback, a pool on pthreads
   >>source       where a file's bytes come from
   >>gguf         keys and tensors of a model file
   >>types        tensor types: raw blocks to numbers
   >>kernels      products of weights and activations; instruction sets
   >>tokenizer    text <-> ids, chat formats
   >>model        a model: hyperparameters and views of its weights
   >>probe        what is recorded of heads and experts
   >>edit         gains, mean replacement and weight noise on heads and experts
   >>context      steps: ids in, logits and norms out
   >>sample       logits to a token
   >>covariance   lagged covariances, streaming and merging
   >>phiid        the decomposition: one pair, or every pair
   >>rank         unit scores, layer profile, intervals, surrogates
   >>graph        efficiency and modularity of a pair matrix, and of its nodes

   QUICK START
   Two sensors (y drives x), no model, no heap; NULL is tau 1 and MMI. cc -std=c99 quick.c -lm

       #define SYNERGY_IMPLEMENTATION
       #include "synergy.h"

       int main(void)
       {
           double x[100], y[100], atom[SYN_ATOMS];
           syn_flags bad;
           int t;
           x[0] = y[0] = 0.1;
           for (t = 1; t < 100; t++) {
               x[t] = 3.7 * x[t - 1] * (1 - x[t - 1]) * 0.7 + 0.3 * y[t - 1];
               y[t] = 3.9 * y[t - 1] * (1 - y[t - 1]);
           }
           bad = syn_phiid_pair(x, y, 100, NULL, atom);
           if (bad) printf("not to be trusted: %s\n", syn_flags_text(bad));
           printf("synergy %g nats, redundancy %g nats\n", atom[SYN_STS], atom[SYN_RTR]);
           return 0;
       }

   A MODEL
   A file's bytes (mapped, in flash, or in RAM) and a begin token, to 100 greedy steps and the norm
   of head 0.0 at each. One block holds the view of the model and the context. cc -c -std=c99 run.c

       #define SYNERGY_IMPLEMENTATION
       #include "synergy.h"
       #include <stdlib.h>

       int run(const void *file, size_t size, int32_t id)
       {
           static syn_model model;
           static syn_context_desc desc; // zero is the default everywhere
           static syn_sampler greedy;
           syn_context ctx;
           syn_source source = syn_source_memory(file, size);
           syn_error err;
           size_t bytes;
           int t;
           desc.norms = true;
           if (syn_open_measure(&source, 1, NULL, &desc, &model, &ctx, &bytes, &err) ||
               syn_open_block(&source, 1, NULL, &desc, malloc(bytes), bytes, &model, &ctx, &err))
               return puts(err.text), 1; // "tensor blk.3.attn_q.weight is missing"
           for (t = 0; t < 100; t++) {
               if (syn_context_step(&ctx, &id, 1, &err)) return puts(err.text), 1;
               printf("token %d, norm %g\n", (int)id,
                      (double)syn_context_norms(&ctx, SYN_LAST_ROW)[0]);
               id = syn_sample(&greedy, syn_context_logits(&ctx, SYN_LAST_ROW), model.vocab);
           }
           return 0;
       }

   examples/ goes on: text in and out, from norms to synergistic heads, heads removed.

   MEMORY
   Every object lives in memory that the caller gives; what a call needs is what the same call adds
   to a measuring arena, to the byte, and one byte less is SYN_ERROR_MEMORY with nothing written.
   Sources, models and contexts must stay where they are while something made from them is in use.
   Descriptors are plain structs in which zero means the default: memset them first. Objects show
   their fields, to be read. Calls that take an object as const may run on it at the same time: two
   contexts step on one model, many threads tokenize with one tokenizer or read one syn_pairs (a
   read callback must allow for that). A call that changes an object must be the only one on it. An
   arena called `work` is given back when the call returns.

   WORDS
   unit       a head or an expert, whose norm at every token is one series; or any other channel
   row        one position of a pass through the model; a pass has at most `batch` of them
   sequence   tokens that see one another; a context holds several
   stream     the residual stream, what every block adds to; but a `streamed` model is one whose
              weights are read through a callback, as many rows at a time as fit
   window     of series: the past (all samples but the last tau) or the future (all but the first);
              of a model: the positions that a local layer sees
   quad, tile, strip   in >>kernels: activations of four blocks of a position; of eight positions;
              weights of many rows, unpacked side by side
   panel, tile   in >>phiid: eight units side by side; two panels against each other
   four       in >>phiid: the variables x, y and their futures a, b; what is known of them
   samples    in >>phiid: one series as it lies in memory, in float or double
   lot        in >>context: the part of the rows of a product that one job begins with
   flag       what is wrong with a pair; it is reported, and the pair's numbers are not counted

   BUILD MACROS
   SYNERGY_IMPLEMENTATION   compile the functions here
   SYNERGY_STATIC           make them static
   SYNERGY_NO_MODEL         leave out >>source to >>sample: a PhiID library
   SYNERGY_NO_PHIID         leave out >>covariance to >>graph: a model runner with probes
   SYNERGY_THREADS          the pool on pthreads
   SYNERGY_NO_STDIO         do not include <stdio.h> (the header itself never prints)
   SYNERGY_NO_IQ            leave out the IQ tensor types: 10.6 KB of Cortex-M4 code
   SYNERGY_SIMD             0: plain C only; not defined: the best that the processor has,
                            found at run time
   SYNERGY_NO_AVX512        leave out the AVX-512 forms: 40 % of the x86 code, a third of the
                            compile time
   SYN_API                  how functions are declared (default extern)

   FUNCTIONS
   The declarations, section after section, say what each takes and gives, its errors and, where it
   is not obvious, its cost. A call that can fail returns a syn_status, takes the error last, and
   its comment lists what it can return; a test derives the same list from the code. Nothing blocks
   but the caller's read callback. A call whose desc holds a syn_parallel runs jobs on it. Arguments
   stand in one order: the object that is opened, changed or read; inputs with their sizes; the
   descriptor; outputs; work memory; the error. Sizes and counts of the caller's data are size_t.
   Numbers that a model file gives (layers, heads, rows) are uint32_t. Threads, jobs and the row of
   a pass are int. A token id is int32_t, and -1 is none. A choice among a few is an enum, and any
   other value is refused.

   HISTORY
   0.2.0   SYNERGY_VERSION and syn_version; a buffer that is too small is SYN_ERROR_MEMORY
           everywhere, as an arena that is (it was ARGUMENT in >>tokenizer);
           contexts hold many sequences: syn_step -> syn_context_step, ctx.norms and others ->
           syn_context_norms(&ctx, row); syn_probe.take gets one struct; syn_sample takes const
           logits; syn_open_measure and syn_open_block;
           outputs come behind the inputs (syn_phiid_prepare, syn_rank_average, _fdr, _reliability,
           syn_surrogate_..., syn_graph_...): calls in the old order do not compile;
           enums for atoms, informations, instruction sets and measures, where an int was taken;
           tau, a model's files and indices of names are size_t, flags of the tokenizer are
           syn_token_flags; an unknown flag, chat format or enum value is refused everywhere
   0.1.0   first version
*/
#ifndef SYNERGY_H_INCLUDED
#define SYNERGY_H_INCLUDED

#define SYNERGY_VERSION 200 /* 0.2.0: major * 10000 + minor * 100 + patch, to be compared */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifndef SYNERGY_NO_STDIO
#include <stdio.h>
#endif

#ifndef SYN_API
#if defined(SYNERGY_STATIC) && (defined(__GNUC__) || defined(__clang__))
#define SYN_API static __attribute__((unused))
#elif defined(SYNERGY_STATIC)
#define SYN_API static
#else
#define SYN_API extern
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ====================================================================================
   >>status
   Every call that can fail returns a syn_status and, where the caller passes a syn_error,
   fills it with one line that names the key, tensor, offset or index at fault. Nothing is
   kept in a global, nothing is printed. After success the struct says SYN_OK and its line is empty.
   ==================================================================================== */

typedef enum syn_status {
    SYN_OK = 0,
    SYN_ERROR_ARGUMENT,    /* the caller's numbers make no sense (names which) */
    SYN_ERROR_MEMORY,      /* an arena or a buffer is too small (says how much it takes) */
    SYN_ERROR_READ,        /* the read callback failed or the bytes end early */
    SYN_ERROR_FORMAT,      /* the file is not well-formed GGUF */
    SYN_ERROR_UNSUPPORTED, /* well-formed, but an unknown architecture, type or tokenizer */
    SYN_ERROR_MODEL,       /* keys or tensors missing, misshapen or contradictory */
    SYN_ERROR_CONTEXT,     /* the context has no room for that many tokens */
    SYN_ERROR_DATA         /* numbers that cannot be analysed (too short, not finite, not PSD) */
} syn_status;

enum { SYN_ERROR_TEXT_BYTES = 256 };

typedef struct syn_error {
    syn_status status;
    char text[SYN_ERROR_TEXT_BYTES]; /* one line, NUL-terminated, printable ASCII */
} syn_error;

/* A constant English phrase for a status ("not enough memory given"). Never NULL. */
SYN_API const char *syn_status_text(syn_status status);

/* SYNERGY_VERSION of the implementation that is linked. */
SYN_API int syn_version(void);

/* ====================================================================================
   >>memory
   The caller owns all memory. An arena hands out pieces of one block and never frees; with
   base NULL it only adds up, so the size that a size query reports is, by construction, the
   size that use needs: run the same calls on `syn_arena_measure()` first, read `used`.
   ==================================================================================== */

enum {
    SYN_ALIGN = 16,     /* every piece starts at a multiple of this from the block's start, */
    SYN_BLOCK_ALIGN = 8 /* which is at a multiple of this: what malloc gives on any machine */
};

typedef struct syn_arena {
    unsigned char *base; /* NULL: measure only */
    size_t size;         /* bytes in the block (SIZE_MAX when measuring) */
    size_t used;         /* bytes handed out so far, padding included */
} syn_arena;

/* An arena over a block of any alignment (bytes lost to alignment at 8 shrink `size`). */
SYN_API syn_arena syn_arena_on(void *block, size_t bytes);

/* An arena that only counts: every piece is NULL, nothing is written. */
SYN_API syn_arena syn_arena_measure(void);

/* ====================================================================================
   >>threads
   One callback runs jobs side by side; a zero struct means one after the other. No result
   depends on the number of threads. A ready pool on pthreads is behind SYNERGY_THREADS.
   ==================================================================================== */

typedef void syn_job_fn(void *arg, int index);

typedef struct syn_parallel {
    /* Calls job(arg, 0) ... job(arg, jobs - 1), in any order, and returns when all are done. */
    void (*run)(void *user, int jobs, syn_job_fn *job, void *arg);
    void *user;
    int threads; /* how many jobs can run at once; 0 and 1 mean serial */
} syn_parallel;

#ifdef SYNERGY_THREADS
#ifdef __cplusplus
} /* extern "C" */
#endif
#include <pthread.h>
#ifdef __cplusplus
extern "C" {
#endif

/* A ready pool on POSIX threads, in the caller's struct, without allocation. A worker
   spins for some tens of microseconds after its last job, then sleeps. */
enum { SYN_POOL_THREADS = 64 };

typedef struct syn_pool {
    pthread_t thread[SYN_POOL_THREADS];
    int threads;          /* the calling thread included */
    pthread_mutex_t lock; /* of the sleepers */
    pthread_cond_t wake, finished;
    uint32_t waiting; /* atomic from here on: run() sleeps until the last job is done */
    uint32_t sleepers;
    uint32_t ticket; /* jobs << 16 | next job to hand out */
    uint32_t done;   /* jobs finished */
    uint32_t stop;
    syn_job_fn *job;
    void *arg;
    int64_t balance; /* of run() only from here on, see there */
    uint64_t alone;
    uint32_t pause, steady;
} syn_pool;

/* Starts threads - 1 workers (1 to SYN_POOL_THREADS threads). Errors: ARGUMENT; MEMORY when the
   system cannot start a thread. */
SYN_API syn_status syn_pool_start(syn_pool *pool, int threads, syn_error *err);
SYN_API void syn_pool_stop(syn_pool *pool);

/* The pool as a syn_parallel. Only one thread at a time may run jobs on it; a job must not. */
SYN_API syn_parallel syn_pool_parallel(syn_pool *pool);
#endif

/* Instruction sets. SYNERGY_SIMD=0 at compile time leaves only plain C. */
typedef enum syn_simd {
    SYN_SIMD_AUTO = 0, /* the best that the processor has */
    SYN_SIMD_PLAIN,
    SYN_SIMD_AVX2,    /* x86: AVX2, FMA, F16C */
    SYN_SIMD_AVX512,  /* x86: AVX-512 F, BW, DQ, VL, VNNI */
    SYN_SIMD_NEON,    /* AArch64 */
    SYN_SIMD_DOTPROD, /* AArch64 with the int8 dot product */
    SYN_SIMD_LEVELS
} syn_simd;

#ifndef SYNERGY_NO_MODEL

/* ====================================================================================
   >>source
   Where a file's bytes come from: mapped memory (used in place, nothing copied) or a read
   callback. No access goes past `size`.
   ==================================================================================== */

/* Reads exactly n bytes at offset into `to`; false on failure. Only called within `size`. */
typedef bool syn_read_fn(void *user, uint64_t offset, void *to, size_t n);

typedef struct syn_source {
    const unsigned char *bytes; /* mapped bytes, or NULL */
    uint64_t size;              /* bytes in all */
    syn_read_fn *read;          /* used when bytes is NULL */
    void *user;
} syn_source;

SYN_API syn_source syn_source_memory(const void *bytes, size_t size);
SYN_API syn_source syn_source_callback(syn_read_fn *read, void *user, uint64_t size);

/* ====================================================================================
   >>gguf
   takes: a source;  gives: its keys and tensors, each length, count, type, product and offset
   checked before use. GGUF versions 2 and 3, little endian. The file itself is the index:
   opening walks it once, takes no memory, and remembers where the long arrays lie.
   Format: ggml/docs/gguf.md of the ggml project.
   ==================================================================================== */

typedef enum syn_gguf_type {
    SYN_GGUF_U8,
    SYN_GGUF_I8,
    SYN_GGUF_U16,
    SYN_GGUF_I16,
    SYN_GGUF_U32,
    SYN_GGUF_I32,
    SYN_GGUF_F32,
    SYN_GGUF_BOOL,
    SYN_GGUF_STRING,
    SYN_GGUF_ARRAY,
    SYN_GGUF_U64,
    SYN_GGUF_I64,
    SYN_GGUF_F64,
    SYN_GGUF_TYPES
} syn_gguf_type;

/* A value as it lies in the file. A scalar has count 1. `bytes` is the length of the payload:
   for a string its text (offset points at the first letter), for an array all its elements. */
typedef struct syn_gguf_value {
    syn_gguf_type type; /* of the scalar, or of the array's elements */
    bool array;
    uint64_t count;  /* elements of an array; 1 for a scalar */
    uint64_t offset; /* of the payload in the source */
    uint64_t bytes;  /* length of the payload */
} syn_gguf_value;

enum { SYN_GGUF_LONG_VALUES = 8 };

typedef struct syn_gguf {
    const syn_source *source;
    uint32_t version;
    uint64_t keys, tensors; /* counts */
    uint64_t keys_at;       /* offset of the first key */
    uint64_t tensors_at;    /* offset of the first tensor info */
    uint64_t data_at;       /* offset of the tensor data */
    uint32_t alignment;
    struct {
        uint64_t from, to;
    } long_value[SYN_GGUF_LONG_VALUES]; /* jumped over in searches */
    uint32_t long_values;
} syn_gguf;

/* One tensor as the file describes it; ne[0] is contiguous, unused dimensions are 1. */
typedef struct syn_gguf_tensor {
    uint64_t name_at, name_bytes; /* where its name lies in the source */
    uint32_t type;                /* ggml's number of the type */
    uint32_t dims;
    uint64_t ne[4];
    uint64_t offset, bytes; /* of its data in the source */
    uint64_t next_at;       /* offset of the next tensor info */
} syn_gguf_tensor;

/* Opens and checks the structure of the whole file: every key, every tensor info, every data
   range. Errors: READ, FORMAT, UNSUPPORTED (version, big endian, tensor type), MODEL (the
   alignment). */
SYN_API syn_status syn_gguf_open(syn_gguf *gguf, const syn_source *source, syn_error *err);

/* Finds a key by walking over all of them. An absent key is no error: *present is false and
   found->count 0. Errors: READ, FORMAT (it occurs twice). */
SYN_API syn_status syn_gguf_find(const syn_gguf *gguf, const char *key, syn_gguf_value *found,
                                 bool *present, syn_error *err);

/* Typed reads of one key. Absent: *value is left as it is (put the default there first) unless
   `required`. u32 takes any integer type that fits, f32 takes f32 and f64. Errors, which name the
   key: MODEL (absent though required, a wrong type, a value out of range), READ, FORMAT. */
SYN_API syn_status syn_gguf_u32(const syn_gguf *gguf, const char *key, bool required,
                                uint32_t *value, syn_error *err);
/* Errors: as syn_gguf_u32. */
SYN_API syn_status syn_gguf_f32(const syn_gguf *gguf, const char *key, bool required, float *value,
                                syn_error *err);
/* Errors: as syn_gguf_u32. */
SYN_API syn_status syn_gguf_bool(const syn_gguf *gguf, const char *key, bool required, bool *value,
                                 syn_error *err);
/* Copies the text, cut to capacity - 1 bytes and NUL-terminated; *length (may be NULL) is its
   full length in the file. Errors: as syn_gguf_u32. */
SYN_API syn_status syn_gguf_text(const syn_gguf *gguf, const char *key, bool required, char *text,
                                 size_t capacity, size_t *length, syn_error *err);

/* The tensor info at `at` (start with gguf->tensors_at; goes on at tensor->next_at). Errors: READ,
   FORMAT, UNSUPPORTED. */
SYN_API syn_status syn_gguf_tensor_at(const syn_gguf *gguf, uint64_t at, syn_gguf_tensor *tensor,
                                      syn_error *err);

/* One key: where its name lies, its value, and the offset of the next. The first is at
   gguf->keys_at, there are gguf->keys. */
typedef struct syn_gguf_key {
    uint64_t name_at, name_bytes, next_at;
    syn_gguf_value value;
} syn_gguf_key;

/* Errors: READ, FORMAT. */
SYN_API syn_status syn_gguf_key_at(const syn_gguf *gguf, uint64_t at, syn_gguf_key *key,
                                   syn_error *err);

/* ====================================================================================
   >>types
   takes: raw blocks of a tensor;  gives: float rows, or int8 codes with their scales.
   Every type that quantises is affine in small groups,

       weight = scale * code + minimum        code in int8, one scale (and minimum) a group
                                              of 16 or 32 weights, minimum often 0

   so that one function for each type, which unpacks a block into codes, scales and minima, serves
   both arithmetics: floats are scale * code + minimum in float (which is, bit for bit, what
   ggml's own dequantisers give), and the fast mode multiplies the codes as integers.
   Formats: the block structs of ggml; MXFP4: OCP Microscaling Formats (MX) v1.0.
   ==================================================================================== */

enum { SYN_BLOCK_MAX = 256 }; /* weights in the longest block */

/* ggml's numbers of the types, as files hold them. */
enum {
    SYN_TYPE_F32 = 0,
    SYN_TYPE_F16 = 1,
    SYN_TYPE_Q4_0 = 2,
    SYN_TYPE_Q4_1 = 3,
    SYN_TYPE_Q5_0 = 6,
    SYN_TYPE_Q5_1 = 7,
    SYN_TYPE_Q8_0 = 8,
    SYN_TYPE_Q8_1 = 9,
    SYN_TYPE_Q2_K = 10,
    SYN_TYPE_Q3_K = 11,
    SYN_TYPE_Q4_K = 12,
    SYN_TYPE_Q5_K = 13,
    SYN_TYPE_Q6_K = 14,
    SYN_TYPE_Q8_K = 15,
    SYN_TYPE_IQ2_XXS = 16,
    SYN_TYPE_IQ2_XS = 17,
    SYN_TYPE_IQ3_XXS = 18,
    SYN_TYPE_IQ1_S = 19,
    SYN_TYPE_IQ4_NL = 20,
    SYN_TYPE_IQ3_S = 21,
    SYN_TYPE_IQ2_S = 22,
    SYN_TYPE_IQ4_XS = 23,
    SYN_TYPE_I8 = 24,
    SYN_TYPE_I16 = 25,
    SYN_TYPE_I32 = 26,
    SYN_TYPE_I64 = 27,
    SYN_TYPE_F64 = 28,
    SYN_TYPE_IQ1_M = 29,
    SYN_TYPE_BF16 = 30,
    SYN_TYPE_TQ1_0 = 34,
    SYN_TYPE_TQ2_0 = 35,
    SYN_TYPE_MXFP4 = 39
};

/* One row of the table. A new type is a new row and one function. */
typedef struct syn_type {
    const char *name; /* as ggml writes it, "Q4_K" */
    uint32_t id;      /* ggml's number */
    uint16_t block;   /* weights in a block; a row is a whole number of blocks */
    uint16_t bytes;   /* bytes of a block */
    uint16_t group;   /* weights that share a scale, 16 or 32; 0: no codes */
    bool minimum;     /* groups have a minimum */
    /* Types that hold numbers: n of them as float. NULL for those that hold codes. */
    void (*floats)(const unsigned char *data, float *out, size_t n);
    /* Types that hold codes: one block. q is (block), scale and minimum are (block / group);
       minimum is written only by types that have one. */
    void (*codes)(const unsigned char *data, int8_t *q, float *scale, float *minimum);
} syn_type;

/* The row of a type; NULL for a number that is not known here (or left out by SYNERGY_NO_IQ). */
SYN_API const syn_type *syn_type_find(uint32_t id);

/* False for the integer types and Q8_1: they are recognised and skipped, never computed with. */
SYN_API bool syn_type_computes(const syn_type *type);

/* Bytes of n weights; 0 when n is not a whole number of blocks. */
SYN_API uint64_t syn_type_bytes(const syn_type *type, uint64_t n);

/* n weights (whole blocks, any alignment) as float. The type must be one that computes. */
SYN_API void syn_type_to_float(const syn_type *type, const void *data, float *out, size_t n);

/* ====================================================================================
   >>kernels
   takes: rows of a weight matrix, activations;  gives: products.
   Two arithmetics. Exact: float activations against dequantised weights. Fast: activations
   rounded to int8 in blocks of 32 that share a float scale, integer products inside a block.
   Types that hold numbers (F32, F16, BF16, F64) use float activations in both.
   The plain C is the definition; the other levels are chosen at run time from what the
   processor has. On one level an element of a product is the same, bit for bit, for any
   number of rows, positions and threads.
   ==================================================================================== */

/* The name of a level ("AVX-512 VNNI"); NULL when this machine does not have it. */
SYN_API const char *syn_simd_name(syn_simd level);

/* ====================================================================================
   >>tokenizer
   takes: a GGUF file's vocabulary;  gives: text -> ids, ids -> text, chat prompts.
   Byte-level BPE (tokenizer.ggml.model = gpt2): the text is cut into words by a fixed pattern
   (the pre-tokenizer), the bytes of a word are joined, the pair of lowest merge rank first.
   SentencePiece BPE (llama): the pair whose joined text is the token of highest score first.
   Sennrich et al. 2016 (1508.07909); Kudo and Richardson 2018 (1808.06226). Ids agree with those
   of llama.cpp, quirks included; no Unicode normalisation. The token texts stay in the file: an
   index of 10 bytes a token and 10 a merge is built in the arena. Time n log n for n bytes of text.
   ==================================================================================== */

typedef enum syn_tokenizer_kind { SYN_TOKENIZER_BPE = 1, SYN_TOKENIZER_SPM } syn_tokenizer_kind;

/* Chat formats, recognised from tokenizer.chat_template by marks that must be in it. A template
   that would write anything else (another mark, another system text, the begin of a thought) is
   none of them. */
typedef enum syn_chat {
    SYN_CHAT_NONE = 0, /* no template, or one not known here: use the prompt as it is */
    SYN_CHAT_CHATML,
    SYN_CHAT_SMOLLM,
    SYN_CHAT_QWEN2,
    SYN_CHAT_QWEN25,
    SYN_CHAT_QWEN3,
    SYN_CHAT_GEMMA,
    SYN_CHAT_LLAMA3,
    SYN_CHAT_LLAMA31,
    SYN_CHAT_DEEPSEEK2,
    SYN_CHAT_DEEPSEEK3,
    SYN_CHATS
} syn_chat;

/* What GGUF calls token types. */
typedef enum syn_token_type {
    SYN_TOKEN_NORMAL = 1,
    SYN_TOKEN_UNKNOWN,
    SYN_TOKEN_CONTROL,
    SYN_TOKEN_USER,
    SYN_TOKEN_UNUSED,
    SYN_TOKEN_BYTE
} syn_token_type;

/* Any of these together. */
typedef unsigned syn_token_flags;
enum {
    SYN_PARSE_SPECIAL = 1, /* syn_tokenize: control tokens written in the text are these tokens */
    SYN_NO_BOS = 2,        /* syn_tokenize: add no begin and no end token */
    SYN_HIDE_SPECIAL = 4,  /* ids to text: control and unknown tokens give nothing */
    SYN_CHAT_NO_THINK = 8, /* syn_chat_render: an empty thought first, where the model thinks */
    SYN_CHAT_CLOSED = 16   /* syn_chat_render: the assistant's turn is not opened at the end */
};

typedef struct syn_tokenizer_desc {
    const char *pre; /* pre-tokenizer in place of the file's own; NULL: the file's */
} syn_tokenizer_desc;

/* An array of strings in the file, and a hash table that finds them. */
typedef struct syn_string_index {
    uint64_t at; /* of the first string in the source */
    uint32_t count;
    uint32_t slots;
    uint32_t longest; /* bytes of the longest string */
    uint32_t *offset; /* (count): of each string, from `at` */
    uint32_t *slot;   /* (slots): eight bits of the hash, then the index */
} syn_string_index;

enum { SYN_END_TOKENS = 32, SYN_CONTROL_TOKENS = 64, SYN_SPECIAL_BYTES = 1023 };

typedef struct syn_tokenizer {
    const syn_source *source;
    syn_tokenizer_kind kind;
    int32_t size;          /* tokens in the vocabulary */
    int32_t bos, eos, unk; /* -1: none */
    bool add_bos, add_eos; /* what syn_tokenize adds unless SYN_NO_BOS */
    bool add_space_prefix;
    bool ignore_merges;     /* a word that is a token needs no merges */
    bool clean_spaces;      /* see syn_detokenize */
    bool pre_missing;       /* byte-level BPE without tokenizer.ggml.pre: row 0 is a guess */
    uint32_t outside;       /* see syn_tokenizer_outside */
    bool strips_right;      /* Phi-3: special tokens take the white space behind them, */
    int32_t keeps_right[3]; /* but for these */
    syn_chat chat;
    bool chat_bos;                       /* a prompt begins with bos; syn_chat_render omits it */
    uint32_t pre;                        /* row of the table of pre-tokenizers */
    uint32_t ends, controls;             /* used entries of the two lists below */
    int32_t end[SYN_END_TOKENS];         /* tokens that end a generation */
    int32_t control[SYN_CONTROL_TOKENS]; /* control tokens whatever the file says */
    syn_string_index tokens, merges;
    uint64_t scores_at, types_at; /* in the source; 0: not in the file */
    uint32_t special_lengths[32]; /* bit n: some special token has n bytes (up to 1023) */
    uint16_t *special_reach;      /* (1024) longest special token by its first two bytes */
    uint32_t *special_bits;       /* (size / 32 + 1) a bit for the hash of each */
} syn_tokenizer;

/* The key of the n-th special id that lies outside the vocabulary and that nothing needs (a
   padding, an end that can never be sampled), NULL where there are no more. Ids that are needed are
   errors: the end of text; the begin where it is added; the unknown token of a SentencePiece
   vocabulary. */
SYN_API const char *syn_tokenizer_outside(const syn_tokenizer *t, unsigned n);

/* Checks the vocabulary and builds the index. desc may be NULL. `gguf` is not needed afterwards;
   its source is. Errors: MODEL names the key at fault; UNSUPPORTED an unknown tokenizer or
   pre-tokenizer; MEMORY; READ; FORMAT. */
SYN_API syn_status syn_tokenizer_open(syn_tokenizer *t, const syn_gguf *gguf,
                                      const syn_tokenizer_desc *desc, syn_arena *arena,
                                      syn_error *err);

/* The i-th name that `pre` may have; NULL after the last. */
SYN_API const char *syn_tokenizer_pre_name(size_t i);

/* Text of any bytes to ids. *count becomes the number of ids the text has; with ids NULL they are
   only counted; with too small a capacity the call fails and says how many there are. Work memory
   is taken from the arena and given back: 17 bytes a byte of the longest word (BPE) or text between
   special tokens (SentencePiece), and a quarter byte a byte of text when it holds special tokens.
   On a measuring arena nothing is tokenized: arena->used grows by exactly what the same call needs,
   and *count is 0. Errors: ARGUMENT (an unknown flag), MEMORY (the arena, the capacity), READ. */
SYN_API syn_status syn_tokenize(const syn_tokenizer *t, const char *text, size_t length,
                                syn_token_flags flags, int32_t *ids, size_t capacity, size_t *count,
                                syn_arena *work, syn_error *err);

/* Bytes of work memory that syn_tokenize needs for this text: the measuring call in one. */
SYN_API size_t syn_tokenize_bytes(const syn_tokenizer *t, const char *text, size_t length,
                                  syn_token_flags flags);

/* The id of the token with exactly this text (as the file has it), or -1. */
SYN_API int32_t syn_token_find(const syn_tokenizer *t, const char *text, size_t length);

/* The token's type; tokens whose text makes them control tokens are control tokens. */
SYN_API syn_token_type syn_token_type_of(const syn_tokenizer *t, int32_t id);

/* Whether a generation ends with this token. */
SYN_API bool syn_token_is_end(const syn_tokenizer *t, int32_t id);

/* The bytes that a token stands for, perhaps a part of a character. *length is set to the number
   of bytes also where capacity is too small. No token has more than t->tokens.longest bytes.
   flags: SYN_HIDE_SPECIAL. Errors: ARGUMENT (the id, an unknown flag), MEMORY (the capacity), READ.
 */
SYN_API syn_status syn_token_text(const syn_tokenizer *t, int32_t id, syn_token_flags flags,
                                  char *to, size_t capacity, size_t *length, syn_error *err);

/* Ids to text, one at a time: holds back the first bytes of a character until its last has come.
   Zero it at the start of a text. */
typedef struct syn_detokenizer {
    unsigned char held[4];
    uint32_t count;
} syn_detokenizer;

/* Adds a token; `to` (t->tokens.longest + 4 bytes are always enough) receives whole characters.
   Errors: as syn_token_text; the state is then unchanged. */
SYN_API syn_status syn_detokenizer_push(syn_detokenizer *d, const syn_tokenizer *t, int32_t id,
                                        syn_token_flags flags, char *to, size_t capacity,
                                        size_t *length, syn_error *err);
/* The bytes still held, at most 3, an incomplete character; returns their number. */
SYN_API size_t syn_detokenizer_flush(syn_detokenizer *d, char to[4]);

/* A whole text at once. Unlike the stream it drops the space that add_space_prefix put before
   the first word and, with clean_spaces, spaces before punctuation and contractions. With `to`
   NULL *length is the capacity needed. Errors: ARGUMENT (an id), MEMORY (the capacity), READ. */
SYN_API syn_status syn_detokenize(const syn_tokenizer *t, const int32_t *ids, size_t n,
                                  syn_token_flags flags, char *to, size_t capacity, size_t *length,
                                  syn_error *err);

typedef enum syn_chat_role { SYN_CHAT_SYSTEM, SYN_CHAT_USER, SYN_CHAT_ASSISTANT } syn_chat_role;

typedef struct syn_chat_message {
    syn_chat_role role;
    const char *text;
    size_t length;
} syn_chat_message;

/* "smollm", "gemma" ...; "none" for SYN_CHAT_NONE and for any other number. */
SYN_API const char *syn_chat_name(syn_chat chat);
/* The format that the vocabulary's control tokens suggest, for a file without a template. */
SYN_API syn_chat syn_chat_guess(const syn_tokenizer *t);
/* Writes a conversation as the model's template does, default system message included, and opens
   the assistant's turn. Not NUL-terminated; *length is its full length also where capacity is too
   small; with `to` NULL it is only measured. Tokenize it with SYN_PARSE_SPECIAL | SYN_NO_BOS: the
   begin token is in the text, unless t->chat_bos says that the caller puts it first. Errors:
   ARGUMENT (an unknown format or role), MEMORY (the capacity). */
SYN_API syn_status syn_chat_render(syn_chat chat, const syn_chat_message *messages, size_t count,
                                   syn_token_flags flags, char *to, size_t capacity, size_t *length,
                                   syn_error *err);

/* ====================================================================================
   >>model
   takes: GGUF files;  gives: the hyperparameters and a view of every weight, all shapes
   checked. What differs between families is data: one row of a descriptor table says which
   tensors a layer has, which norm, rope and activation it uses. Weights stay where they lie.
   Families: llama (Mixtral too), mistral3, qwen2, qwen2moe, qwen3, qwen3moe, gemma, gemma2, gemma3,
   gptneox, gpt2, gpt-oss, deepseek2 (V3 too), olmo2 (OLMo 3 too), olmoe, phi3, starcoder2, smollm3,
   granite, granitemoe, glm4, deci (llama whose layers have their own head counts, some none: what
   `synergy prune` writes; feed-forward parts of one size only); how to add one stands above
   their table in the implementation.
   A file is used whole or not at all: a tensor or a key of its architecture that would change
   the numbers and has no place here is an error that names it; what may safely be left out stands
   in two short lists, each with its reason (syn_model_unused_tensor, syn_model_unused_key).
   ==================================================================================== */

enum { SYN_MODEL_LAYERS = 1024, SYN_MODEL_FILES = 64 }; /* most that a model may have */

/* A weight matrix as it lies in a file: `count` matrices of `rows` rows of `cols` weights. */
typedef struct syn_tensor {
    const syn_type *type;      /* NULL: this model has no such tensor */
    const unsigned char *data; /* mapped bytes, or NULL: read at `offset` of `source` */
    const syn_source *source;
    uint64_t offset;
    uint32_t cols, rows, count;
} syn_tensor;

/* The tensors that a model has once. */
typedef enum syn_global {
    SYN_TOKEN_EMBD,
    SYN_POSITION_EMBD,
    SYN_ROPE_FREQS,
    SYN_ROPE_SHORT,
    SYN_ROPE_LONG,
    SYN_OUTPUT_NORM,
    SYN_OUTPUT_NORM_BIAS,
    SYN_OUTPUT,
    SYN_OUTPUT_BIAS,
    SYN_GLOBALS
} syn_global;

/* The tensors of a layer; which of them a family has stands in its row. */
typedef enum syn_part {
    SYN_ATTN_NORM,
    SYN_ATTN_NORM_BIAS,
    SYN_ATTN_Q,
    SYN_ATTN_K,
    SYN_ATTN_V,
    SYN_ATTN_QKV,
    SYN_ATTN_Q_BIAS,
    SYN_ATTN_K_BIAS,
    SYN_ATTN_V_BIAS,
    SYN_ATTN_QKV_BIAS,
    SYN_ATTN_Q_NORM,
    SYN_ATTN_K_NORM,
    SYN_ATTN_OUTPUT,
    SYN_ATTN_OUTPUT_BIAS,
    SYN_ATTN_POST_NORM,
    SYN_ATTN_Q_A,
    SYN_ATTN_Q_A_NORM,
    SYN_ATTN_Q_B,
    SYN_ATTN_KV_A,
    SYN_ATTN_KV_A_NORM,
    SYN_ATTN_KV_B,
    SYN_ATTN_K_B,
    SYN_ATTN_V_B,
    SYN_FFN_NORM,
    SYN_FFN_NORM_BIAS,
    SYN_FFN_GATE,
    SYN_FFN_UP,
    SYN_FFN_DOWN,
    SYN_FFN_UP_BIAS,
    SYN_FFN_DOWN_BIAS,
    SYN_FFN_POST_NORM,
    SYN_FFN_ROUTER,
    SYN_FFN_GATE_EXPERTS,
    SYN_FFN_UP_EXPERTS,
    SYN_FFN_DOWN_EXPERTS,
    SYN_FFN_GATE_SHARED,
    SYN_FFN_UP_SHARED,
    SYN_FFN_DOWN_SHARED,
    SYN_FFN_GATE_BIAS,
    SYN_ATTN_SINKS,
    SYN_FFN_ROUTER_BIAS,
    SYN_FFN_CHOICE_BIAS,
    SYN_FFN_GATE_EXPERTS_BIAS,
    SYN_FFN_UP_EXPERTS_BIAS,
    SYN_FFN_DOWN_EXPERTS_BIAS,
    SYN_FFN_SHARED_ROUTER,
    SYN_PARTS
} syn_part;

typedef struct syn_family syn_family; /* a row of the architecture table */

typedef struct syn_model_desc {
    bool no_tokenizer;         /* leave the vocabulary out: ids in, ids out */
    const char *pre_tokenizer; /* in place of the file's own; NULL: the file's */
} syn_model_desc;

typedef struct syn_model {
    const syn_family *family;
    const char *architecture;               /* "llama", ... */
    uint32_t layers, embd, heads, kv_heads; /* heads: the most of any layer */
    /* Of each layer. Units layer_heads[i] .. heads - 1 of layer i do not exist: their norms, sinks
       and weights are 0, and the probe gets no vector. */
    uint32_t layer_heads[SYN_MODEL_LAYERS], layer_kv_heads[SYN_MODEL_LAYERS];
    uint32_t key_size, value_size;         /* of one head */
    uint32_t ff;                           /* inner size of the dense feed-forward part */
    uint32_t vocab;                        /* rows of the embedding = tokens of the vocabulary */
    uint32_t context;                      /* tokens it was trained for; 0: not said */
    uint32_t rope_size;                    /* dimensions of a head that are rotated */
    uint32_t window;                       /* local attention; 0: none */
    uint32_t local[SYN_MODEL_LAYERS / 32]; /* bit i: layer i attends to the window only */
    uint32_t experts, experts_used, experts_shared, expert_ff, shared_ff, dense_layers;
    uint32_t expert_groups, expert_groups_used; /* experts are chosen from the best groups only */
    uint32_t further_layers;  /* blocks behind the last layer that guess further tokens */
    uint32_t q_lora, kv_lora; /* low-rank query and latent (multi-head latent attention) */
    uint32_t key_length_mla, value_length_mla;
    uint32_t expert_gating; /* 1 softmax over all, 2 sigmoid, 3 softmax over the chosen */
    uint32_t cache_heads, cache_key, cache_value; /* what a position leaves in a layer's cache */
    bool parallel_residual, experts_renormalised, rope_on;
    float norm_eps, rope_base, rope_base_local, rope_factor, rope_attn_factor;
    float yarn_log_multiplier, yarn_beta_fast, yarn_beta_slow;
    uint32_t rope_original_context;
    float embd_scale, attn_scale, attn_softcap, final_softcap, expert_scale;
    float residual_scale;                       /* factor on what a block adds to the stream */
    float logit_scale;                          /* logits are divided by it; 0: not */
    float temperature_scale;                    /* queries at position p are multiplied by */
    uint32_t temperature_length;                /* 1 + scale ln(1 + floor(p / length)); 0: not */
    float rope_amplitude, rope_amplitude_local; /* factors on cos and sin (YaRN); 1 otherwise */
    uint64_t keys_present; /* bit i: row i of the hyperparameter table was in the file */
    uint64_t parts;        /* bit SYN_x: the parts that a layer of this model may have, */
    uint64_t parts_found, globals_found; /* that some layer has; and of those that it has once */
    uint64_t max_row_bytes;              /* of any weight: what streaming one row needs */
    uint64_t parameters, weight_bytes;
    bool streamed; /* some weights are not mapped: a context needs a buffer */
    syn_gguf gguf; /* of the first file: its keys */
    syn_tensor global[SYN_GLOBALS];
    syn_tensor *part;                    /* (layer, part that the family has) */
    double *rope_freq, *rope_freq_local; /* (rope_size / 2) radians a position */
    double *rope_freq_long;  /* for contexts longer than rope_original_context, or NULL */
    bool long_scaling;       /* rope.scaling.type is longrope */
    uint64_t unused_tensors; /* that the files have, see syn_model_unused_tensor */
    syn_tokenizer tokenizer;
} syn_model;

/* Opens a model of one file or of a split one (all files, in order). The sources must stay where
   they are as long as the model is used. Errors: ARGUMENT (the number of files), READ, FORMAT,
   UNSUPPORTED, MODEL, MEMORY. With a measuring arena nothing is stored, and only syn_context_open
   may follow. */
SYN_API syn_status syn_model_open(syn_model *model, const syn_source *sources, size_t files,
                                  const syn_model_desc *desc, syn_arena *arena, syn_error *err);

/* A tensor of a layer, or NULL when the model has none there. */
SYN_API const syn_tensor *syn_model_part(const syn_model *model, uint32_t layer, syn_part part);

/* Does layer i attend to a window only? Has it experts? */
SYN_API bool syn_model_is_local(const syn_model *model, uint32_t layer);
SYN_API bool syn_model_has_experts(const syn_model *model, uint32_t layer);

/* The i-th architecture name that can be opened, NULL past the last. */
SYN_API const char *syn_model_family(size_t i);

/* Why a tensor of the model's files, or a key of the first file, may be left out of the
   computation; NULL for one that is used, and for one that the files do not have. */
SYN_API const char *syn_model_unused_tensor(const syn_model *model, const char *name);
SYN_API const char *syn_model_unused_key(const syn_model *model, const char *key);

/* ====================================================================================
   >>probe
   What is recorded while a model runs. Of every attention head: the L2 norm of its output
   softmax(QK')V before the output projection (arXiv 2601.06851, Methods); of every expert that of
   its output. The vectors themselves go to a callback.
   ==================================================================================== */

typedef enum syn_probe_kind {
    /* the stream before a layer (unit 0), n_embd values; layer = layers: behind the last layer */
    SYN_PROBE_RESIDUAL,
    SYN_PROBE_HEAD,   /* a head's output before the projection, value_size values */
    SYN_PROBE_ROUTER, /* router logits (unit 0), one an expert */
    SYN_PROBE_EXPERT, /* a chosen expert's output before its gate weight, n_embd values */
    SYN_PROBE_SHARED  /* the shared experts' output, n_embd values */
} syn_probe_kind;

/* One vector, and where it comes from. */
typedef struct syn_probed {
    syn_probe_kind kind;
    uint32_t layer, unit;
    uint32_t row;                /* of the pass */
    uint32_t sequence, position; /* of that row */
    uint32_t length;
    const float *vector; /* (length), valid during the call only */
} syn_probed;

typedef struct syn_probe {
    /* Called from the thread that steps, layer after layer. Within a kind the order is by unit or
       by row; the rows of one unit come in their order. */
    void (*take)(void *user, const syn_probed *probed);
    void *user;
} syn_probe;

/* ====================================================================================
   >>edit
   Interventions while a model runs, without touching its weights.
   ==================================================================================== */

/* All arrays are the caller's, of every layer, and may be NULL: no such edit. */
typedef struct syn_edit {
    const float *head_gain;    /* (layer, head): g, the factor on a head's output; 0 ablates */
    const float *head_mean;    /* (layer, head, value size): m, with g: g out + (1 - g) m */
    const float *head_noise;   /* (layer, head, 2): standard deviation of the noise on the head's */
                               /* query weights, and on its columns of the output weights */
    const float *expert_gain;  /* (layer, expert): likewise, on an expert's output, */
    const float *expert_mean;  /* (layer, expert, embd), before the gate weight, */
    const float *expert_noise; /* (layer, expert, 3): and on its gate, up and down weights */
    uint64_t noise_seed;
} syn_edit;

/* The matrices that noise is added to. */
typedef enum syn_noised {
    SYN_NOISED_QUERY,
    SYN_NOISED_OUTPUT,
    SYN_NOISED_GATE,
    SYN_NOISED_UP,
    SYN_NOISED_DOWN
} syn_noised;

/* The noise itself, in units of its standard deviation: n columns from `col` (an even number) of
   one row. A head's query rows and an expert's rows count from 0 in each unit; an output row has
   one column for each value of the head. Every call gives the same numbers: nothing is stored. */
SYN_API void syn_edit_noise(uint64_t seed, syn_noised matrix, uint32_t layer, uint32_t unit,
                            uint32_t row, uint32_t col, size_t n, float *z);

/* ====================================================================================
   >>context
   takes: a model, token ids;  gives: logits, norms. A context holds the keys and values of one
   or more sequences. One pass over the weights serves up to `batch` rows, each the next token of
   a sequence, in any mix; what a row gives is the same, bit for bit, whatever rows go with it. The
   keys and values of a layer with local attention live in a ring little longer than its window.

   Any number of threads may call functions that take a const model, tokenizer or context, at the
   same time (a read callback must allow for it). A context that steps, is rewound, copied or
   measured (syn_context_edit_...) belongs to one thread meanwhile; two contexts of one model do not
   disturb each other, unless they share a pool.
   ==================================================================================== */

typedef enum syn_arithmetic {
    SYN_FAST = 0, /* activations rounded to 15 bits, two int8 digits, in blocks of 32 */
    SYN_EXACT     /* float activations, dequantised weights: for checking */
} syn_arithmetic;

/* What keys and values are kept in. Halves take half the memory; each is rounded to 11 bits (and to
   at most 65504). On SmolLM2-135M that moves a norm by 1.1e-4 of itself (median; 99 % below 1.2e-3)
   and the next token by a KL of 5e-7 nats. */
typedef enum syn_cache_type { SYN_CACHE_F32 = 0, SYN_CACHE_F16 } syn_cache_type;

/* Which norms of experts are recorded. An expert that the router did not choose counts 0. */
typedef enum syn_expert_norms {
    SYN_EXPERTS_NONE = 0,
    SYN_EXPERTS_WEIGHTED, /* of the contribution to the residual stream, after the gate weight */
    SYN_EXPERTS_RAW,      /* of the output before the gate weight */
    SYN_EXPERTS_ALL       /* raw, every expert evaluated at every token (slow) */
} syn_expert_norms;

typedef struct syn_context_desc {
    uint32_t tokens;    /* longest sequence; 0: 512 */
    uint32_t sequences; /* how many are held side by side; 0: 1 */
    uint32_t batch;     /* most rows that a pass takes; 0: 32, or one a sequence */
    syn_arithmetic arithmetic;
    syn_cache_type cache;          /* of keys and values */
    bool norms;                    /* record head norms */
    bool sinks;                    /* record each head's attention to the first token */
    syn_expert_norms expert_norms; /* likewise of experts */
    bool all_logits;               /* of every row of a pass, not of each sequence's last only */
    size_t stream_bytes;           /* buffer for weights that are not mapped; 0: one row */
    syn_simd simd;                 /* instruction set; 0: the best there is */
    syn_parallel parallel;         /* 0: serial */
} syn_context_desc;

/* One row of a pass: the next token of a sequence. */
typedef struct syn_row {
    uint32_t sequence;
    int32_t id;
    const float *stream;  /* (embd), in place of id where a pass starts at a layer */
    const syn_edit *edit; /* of this row alone; NULL: that of the context */
} syn_row;

typedef struct syn_context {
    const syn_model *model;
    syn_context_desc desc;     /* to be read: with the defaults filled in */
    syn_probe probe;           /* set by the caller at any time between steps */
    syn_edit edit;             /* likewise: of every row that has none of its own */
    bool no_logits;            /* likewise: a pass ends behind the last layer */
    uint32_t rows;             /* to be read: of the last pass */
    struct synp_context *work; /* private; in the arena */
} syn_context;

enum { SYN_LAST_ROW = -1 }; /* in place of a row's number */

/* Takes everything that stepping will need from the arena. Errors: ARGUMENT (a desc that makes no
   sense), MEMORY. */
SYN_API syn_status syn_context_open(syn_context *ctx, const syn_model *model,
                                    const syn_context_desc *desc, syn_arena *arena, syn_error *err);

/* A model and a context on it in one block: how many bytes they take (model and ctx are written,
   but are not open yet), and the same on a block of that many, at a multiple of SYN_BLOCK_ALIGN as
   malloc's is. Both descs may be NULL. The model must stay where it is. Errors: as syn_model_open,
   as syn_context_open. */
SYN_API syn_status syn_open_measure(const syn_source *sources, size_t files,
                                    const syn_model_desc *model_desc,
                                    const syn_context_desc *context_desc, syn_model *model,
                                    syn_context *ctx, size_t *bytes, syn_error *err);
SYN_API syn_status syn_open_block(const syn_source *sources, size_t files,
                                  const syn_model_desc *model_desc,
                                  const syn_context_desc *context_desc, void *block, size_t bytes,
                                  syn_model *model, syn_context *ctx, syn_error *err);

/* Feeds n tokens to sequence 0 in passes of at most `batch`. What can be read afterwards is that
   of the last pass: a caller who wants every position's feeds at most `batch` at a time. Errors:
   ARGUMENT (an id outside the vocabulary), CONTEXT (no room; nothing has been fed), READ. */
SYN_API syn_status syn_context_step(syn_context *ctx, const int32_t *ids, size_t n, syn_error *err);

/* One pass over n rows, at most `batch`; the rows of a sequence in their order.
   Errors: as syn_context_step, and ARGUMENT (no such sequence, too many rows). */
SYN_API syn_status syn_context_step_rows(syn_context *ctx, const syn_row *rows, size_t n,
                                         syn_error *err);

/* The same from a layer on: every row has a stream, as SYN_PROBE_RESIDUAL gave it before that
   layer, so that what stands below an edit need not run again. The layers below leave nothing in
   the cache: all positions of a sequence must enter at one layer. layer = layers: the output only,
   of rows that belong to no sequence and move no position. Errors: as syn_context_step_rows. */
SYN_API syn_status syn_context_step_from(syn_context *ctx, uint32_t layer, const syn_row *rows,
                                         size_t n, syn_error *err);

/* Results of a row of the last pass; SYN_LAST_ROW is its last row. NULL where there is no such row,
   or where the desc did not ask for it. Valid until the next step. */
/* (vocab); without all_logits only of a sequence's last row in the pass */
SYN_API const float *syn_context_logits(const syn_context *ctx, int row);
/* (layer, head) */
SYN_API const float *syn_context_norms(const syn_context *ctx, int row);
/* (layer, head): share of attention that goes to position 0; 0 where a window excludes it */
SYN_API const float *syn_context_sinks(const syn_context *ctx, int row);
/* (layer, expert); zero in layers without experts */
SYN_API const float *syn_context_expert_norms(const syn_context *ctx, int row);
/* (embd), behind the last layer */
SYN_API const float *syn_context_stream(const syn_context *ctx, int row);

/* Tokens that a sequence holds; 0 for a sequence that does not exist. */
SYN_API uint32_t syn_context_position(const syn_context *ctx, uint32_t sequence);

/* Forgets everything of a sequence from `position` on; 0 always works. Errors: ARGUMENT (ahead of
   what was fed, or a local layer's ring no longer holds the window before it). */
SYN_API syn_status syn_context_rewind(syn_context *ctx, uint32_t sequence, uint32_t position,
                                      syn_error *err);

/* Makes sequence `to` hold what `from` holds: a common beginning is fed once. Errors: ARGUMENT. */
SYN_API syn_status syn_context_copy(syn_context *ctx, uint32_t from, uint32_t to, syn_error *err);

/* Standard deviations of a layer's weights that noise is added to: (head, 2), query rows and output
   columns; or of one expert: gate, up, down. Errors: ARGUMENT (no such layer or expert), READ. */
SYN_API syn_status syn_context_edit_head_sd(syn_context *ctx, uint32_t layer, float *sd,
                                            syn_error *err);
SYN_API syn_status syn_context_edit_expert_sd(syn_context *ctx, uint32_t layer, uint32_t expert,
                                              float sd[3], syn_error *err);

/* ====================================================================================
   >>sample
   takes: logits;  gives: a token. Greedy, or drawn from the softmax of logits / temperature
   after top-k, top-p (Holtzman et al. 2020) and min-p; seeded, no memory needed.
   ==================================================================================== */

typedef struct syn_sampler {
    float temperature;     /* 0: greedy, the lowest id among equals */
    uint32_t top_k;        /* 0: all */
    float top_p;           /* 0 or 1: all */
    float min_p;           /* keep tokens at least this share of the likeliest; 0: all */
    uint64_t seed;         /* advances with every draw */
    const int32_t *banned; /* ids that are never chosen */
    uint32_t banned_count;
} syn_sampler;

/* Chooses among the logits (n), never a NaN or a banned id; 0 where there is nothing else. */
SYN_API int32_t syn_sample(syn_sampler *sampler, const float *logits, size_t n);

#endif /* SYNERGY_NO_MODEL */

#ifndef SYNERGY_NO_PHIID

/* ====================================================================================
   >>covariance
   takes: one sample of C channels at a time;  gives: means and covariances of the 2C
   variables (every channel in the past window, every channel tau samples later), which
   syn_cov_pair turns into atoms. O(C^2) memory whatever the length of the recording.

       syn_cov_open(&cov, 2, tau, &arena, &err);
       while (read_sensors(sample)) syn_cov_add(&cov, sample);     (0.25 us for two channels)
       flags = syn_cov_pair(&cov, 0, 1, NULL, atom);

   The state is the count, the means and the centred co-moments M_ij = sum (v_i - m_i)(v_j - m_j),
   in double-double (about 32 digits), so that a stream gives the result of a block of samples to
   the last digit of a double:
       add (Welford 1962):     d = v - m,  m += d / n,  M_ij += d_i d_j (n - 1) / n
       merge (Chan et al. 1983):  d = m_B - m_A,
                               M_ij = M_ij^A + M_ij^B + d_i d_j n_A n_B / (n_A + n_B)
   Each variable is scaled by its own power of two, so 1e-310 and 1e307 are as good as 1. An
   accumulator can be saved, sent and merged (two recordings, two machines) in a fixed byte format.
   ==================================================================================== */

typedef struct syn_cov {
    size_t channels;
    size_t tau;         /* lag in samples, at least 1 */
    uint64_t pairs;     /* pairs (t, t + tau) that count: the N of every mean */
    size_t waiting;     /* samples in the lag buffer, at most tau */
    size_t oldest;      /* its row in the lag buffer */
    double *lag;        /* (tau, channels) ring of the last samples */
    double *mean;       /* (2 * channels, 2): past variables, then future; high and low part */
    double *moment;     /* (i, j <= i, 2): packed lower triangle of M, high and low part */
    double *origin;     /* (2 * channels) first value: means are kept relative to it */
    double *change;     /* (2 * channels, 2) scratch */
    double *low;        /* (2 * channels) smallest and largest value of each variable, */
    double *high;       /*                which tell a constant from a nearly constant one */
    int32_t *exponent;  /* (2 * channels) variable = 2^exponent * what is stored */
    unsigned char *bad; /* (channels) 1 after a NaN or an infinity (which was not added) */
} syn_cov;

/* An empty accumulator: 16 C (2C + 1) + C (8 tau + 121) bytes of the arena, plus padding.
   Errors: ARGUMENT (no channel, tau 0, sizes beyond the address space), MEMORY. */
SYN_API syn_status syn_cov_open(syn_cov *cov, size_t channels, size_t tau, syn_arena *arena,
                                syn_error *err);
/* Empties it again. */
SYN_API void syn_cov_clear(syn_cov *cov);
/* Starts a new recording into the same sums: no pair spans the gap. */
SYN_API void syn_cov_break(syn_cov *cov);
/* One sample of every channel, (channels). O(C^2). */
SYN_API void syn_cov_add(syn_cov *cov, const double *sample);
/* Adds the pairs of another accumulator with the same channels and tau. Its lag buffer, the
   samples that have no partner yet, is left out: the two recordings are apart in time.
   Errors: ARGUMENT. */
SYN_API syn_status syn_cov_merge(syn_cov *into, const syn_cov *from, syn_error *err);

/* The covariance (divisor N) of variables i and j, 0 <= i, j < 2 * channels, past first. NaN when
   there are no pairs or a channel of the two saw a NaN or an infinity. */
SYN_API double syn_cov_value(const syn_cov *cov, size_t i, size_t j);

/* The byte format: little-endian, "SYNCOV" and two digits of version, u64 channels, tau, pairs,
   waiting; f64 lag samples oldest first; i32 exponents; f64 low, high, origin, mean, moment;
   u8 bad; u64 checksum (FNV-1a of all before it). Written and read alike on every machine. */
SYN_API size_t syn_cov_bytes(const syn_cov *cov);
/* Errors: MEMORY (the capacity). */
SYN_API syn_status syn_cov_save(const syn_cov *cov, void *bytes, size_t capacity, syn_error *err);
/* The channels and the lag of a saved accumulator, to open one for it. Errors: FORMAT. */
SYN_API syn_status syn_cov_shape(const void *bytes, size_t size, size_t *channels, size_t *tau,
                                 syn_error *err);
/* Replaces the state of an accumulator opened with that shape. Checks everything first: after an
   error the accumulator is as it was. Errors: ARGUMENT (another shape), FORMAT. */
SYN_API syn_status syn_cov_load(syn_cov *cov, const void *bytes, size_t size, syn_error *err);

/* ====================================================================================
   >>phiid
   takes: two series and a lag, or a covariance of four variables, or an accumulator;
   gives: the 16 atoms of integrated information decomposition, in nats.

   Two series x, y and their futures a = x_{t+tau}, b = y_{t+tau}, taken as jointly Gaussian.
   PhiID (Mediano et al. 2021, arXiv 2109.13186) splits I(xy;ab) into 16 atoms. A node (alpha,
   beta) of its lattice has alpha from the past and beta from the future, each one of
       r = {1}{2} what both hold,   x = {1},   y = {2},   s = {12} what only both together hold,
   and f(alpha, beta), the information the node carries, is the sum of the atoms at or below it
   (r < x, y < s on each side). The nine nodes without r are mutual informations, f(s,x) = I(xy;a);
   the seven with r need a redundancy:
       MMI  f = the smallest of the mutual informations of its sources (Barrett 2015, eq. 14)
       CCS  the mean over samples of the change in surprisal that both sources share in sign
            (Ince 2017, section 5), double redundancy from the lattice, as Mediano et al. 2021.
   Atoms are named past-to-future: str goes from synergy to redundancy; sts, from synergy to
   synergy, is the synergy of the synergistic core, and rtr its redundancy.

   Know before use: with MMI two independent series with memory have sts = 2 min(I(x;a), I(y;b)),
   not 0. Only a null that keeps each series' memory (a circular shift) tells coupling from memory.
   ==================================================================================== */

typedef enum syn_atom { /* also nodes of the lattice: past * 4 + future, r x y s = 0 1 2 3 */
                        SYN_RTR,
                        SYN_RTX,
                        SYN_RTY,
                        SYN_RTS,
                        SYN_XTR,
                        SYN_XTX,
                        SYN_XTY,
                        SYN_XTS,
                        SYN_YTR,
                        SYN_YTX,
                        SYN_YTY,
                        SYN_YTS,
                        SYN_STR,
                        SYN_STX,
                        SYN_STY,
                        SYN_STS,
                        SYN_ATOMS
} syn_atom;

typedef enum syn_mi { /* mutual informations, past set _ future set */
                      SYN_MI_X_A,
                      SYN_MI_X_B,
                      SYN_MI_Y_A,
                      SYN_MI_Y_B,
                      SYN_MI_XY_A,
                      SYN_MI_XY_B,
                      SYN_MI_X_AB,
                      SYN_MI_Y_AB,
                      SYN_MI_XY_AB,
                      SYN_MIS
} syn_mi;

SYN_API const char *syn_atom_name(syn_atom atom); /* "rtr" ... "sts"; "" when out of range */
SYN_API const char *syn_mi_name(syn_mi mi);       /* "x_a" ... "xy_ab"; "" when out of range */

typedef enum syn_redundancy { SYN_MMI = 0, SYN_CCS, SYN_REDUNDANCIES } syn_redundancy;

/* How informations are estimated from samples:
       GAUSSIAN  from covariances: linear dependence
       COPULA    the same of normal scores: each series is replaced by Phi^-1(rank / (n + 1)), ties
                 share their average rank (Ince et al. 2017, Human Brain Mapping 38:1541): monotone
                 dependence of any marginals, outliers count as ranks
       BINARY    each window above or below its mean, informations of the sixteen shares of states
                 (plug-in): any dependence that two levels show; copies are nothing special
   GAUSSIAN streams (syn_cov), BINARY streams as counts of states (syn_phiid_counts); COPULA needs
   the whole series, since a rank is known only when all samples are. */
typedef enum syn_estimator {
    SYN_GAUSSIAN = 0,
    SYN_COPULA,
    SYN_BINARY,
    SYN_ESTIMATORS
} syn_estimator;

/* Before that: NONE, or the natural logarithm of each sample (a sample not above 0 has none: the
   series is then NONFINITE). */
typedef enum syn_transform {
    SYN_TRANSFORM_NONE = 0,
    SYN_TRANSFORM_LOG,
    SYN_TRANSFORMS
} syn_transform;

SYN_API const char *syn_redundancy_name(syn_redundancy redundancy); /* "mmi", "ccs" */
SYN_API const char *
syn_estimator_name(syn_estimator estimator); /* "gaussian", "copula", "binary" */
SYN_API const char *syn_transform_name(syn_transform transform); /* "none", "log" */

/* What is wrong with a pair; 0 is a sound one. An atom is only ever NaN or infinite with a flag. */
typedef unsigned syn_flags;
enum {
    SYN_FLAG_BAD_TAU = 1,         /* tau >= n: no numbers */
    SYN_FLAG_TOO_SHORT = 2,       /* n - tau < 5, too few for four variables: no numbers */
    SYN_FLAG_NONFINITE = 4,       /* a NaN or an infinity anywhere in a series: no numbers */
    SYN_FLAG_CONSTANT = 8,        /* a window has max = min: the variable is dropped */
    SYN_FLAG_SINGULAR = 16,       /* x, y or a, b linearly dependent: one of them is dropped */
    SYN_FLAG_INFINITE = 32,       /* the past determines a future variable: some MI is infinite */
    SYN_FLAG_NOT_PSD = 64,        /* covariance input: not positive semidefinite, no numbers */
    SYN_FLAG_NOT_SYMMETRIC = 128, /* covariance input: no numbers */
    /* what needs samples was asked of a covariance (CCS, local values, another estimator than
       GAUSSIAN), or of samples without the work memory that it needs; or the desc asks for an
       estimator, transform or redundancy that does not exist: no numbers */
    SYN_FLAG_NO_SAMPLES = 256,
    SYN_FLAGS_NO_NUMBERS = 1 | 2 | 4 | 64 | 128 | 256 /* any of these: every atom is NaN */
};

/* The name of the gravest flag ("OK", "BAD_TAU", ...), in the order of the list above except that
   INFINITE goes before CONSTANT and SINGULAR. Never NULL. */
SYN_API const char *syn_flags_text(syn_flags flags);

typedef struct syn_phiid_desc { /* zero is the default everywhere */
    size_t tau;                 /* lag in samples; 0 means 1 */
    syn_redundancy redundancy;  /* SYN_MMI */
    size_t stride;              /* elements from one sample of a series to the next; 0 means 1 */
    syn_estimator estimator;    /* SYN_GAUSSIAN */
    syn_transform transform;    /* SYN_TRANSFORM_NONE */
    double *work;               /* (3 n) scratch of a pair of series, for COPULA or LOG only */
    double *mi;                 /* out, or NULL: (SYN_MIS) nats */
    double *cumulative;         /* out, or NULL: (SYN_ATOMS) f of every node */
    double *local; /* out, or NULL: (SYN_ATOMS, n - tau) pointwise atoms, mean = atom */
    double *bound; /* out, or NULL: (SYN_ATOMS) how far rounding may have moved each */
                   /* atom, see below; NaN where unknown (CCS, BINARY, flagged) */
} syn_phiid_desc;

/* The 16 atoms of two series of n samples. `desc` may be NULL. Reads the series where they lie,
   several times; no other memory. Returns 0 or flags. The values of a flagged pair:
       CONSTANT, SINGULAR   I(A;B) depends only on what A and B span, so within the past and within
                            the future a constant or dependent variable is dropped. y = x gives
                            rtr = I(x;a) and 0 else; a constant y gives xtx = I(x;a) and 0 else.
                            Not the limit of nearly equal series: such a limit does not exist.
       INFINITE             informations are +inf where the past determines the future; atoms they
                            meet in are NaN (inf - inf) or infinite, MMI atoms without them finite
   Dependent means: what the others leave of a variable is at most 64 eps of it, or so little that
   rounding reaches the third digit of an MMI atom (of 1e-6 nats, where an atom is smaller).

   Arithmetic: power-of-two scaling, centring, co-moments and the 4x4 algebra in double-double, one
   logarithm an MMI atom. The six correlations are known to e = 2^-104 (2 + sqrt(n) / 2). Error of
   an MMI atom: 1 ulp of it + the sum of what it changes by when each correlation is moved by e,
   which is `bound` and what decides about the third digit; up to some hundred samples 1 ulp + 1e-31
   cond, cond the condition number of the 4x4 correlation matrix, holds for atoms and informations
   alike. Of a CCS atom: a few 1e-15, except where a local information is 0 within its own error,
   whose sign then may go either way. -ffast-math breaks it.
   Time: about 0.1 us a sample for MMI, 0.25 us for CCS, and 2 us (x86-64, one thread). */
SYN_API syn_flags syn_phiid_pair(const double *x, const double *y, size_t n,
                                 const syn_phiid_desc *desc, double atom[SYN_ATOMS]);
/* The same from float samples (arithmetic in double-double all the same). */
SYN_API syn_flags syn_phiid_pair_float(const float *x, const float *y, size_t n,
                                       const syn_phiid_desc *desc, double atom[SYN_ATOMS]);
/* From the covariance of (x, y, a, b), row by row; any divisor. MMI only; tau and stride unused. */
SYN_API syn_flags syn_phiid_covariance(const double cov[16], const syn_phiid_desc *desc,
                                       double atom[SYN_ATOMS]);
/* From an accumulator: channels i and j as x and y. MMI only; tau is the accumulator's. */
SYN_API syn_flags syn_cov_pair(const syn_cov *cov, size_t i, size_t j, const syn_phiid_desc *desc,
                               double atom[SYN_ATOMS]);
/* BINARY from counts: how often each state was seen, the number of a state being
   x + 2 y + 4 a + 8 b with 1 for above and 0 for below the caller's thresholds. Counts add up over
   recordings. Estimator, transform, tau and stride are unused, local values refused. */
SYN_API syn_flags syn_phiid_counts(const uint64_t count[16], const syn_phiid_desc *desc,
                                   double atom[SYN_ATOMS]);
/* A series as the descriptor's transform and estimator take it: to (n), from (n), work (n). With a
   sample that is not finite, or has no logarithm, NaN throughout. */
SYN_API void syn_phiid_prepare(const double *from, size_t n, const syn_phiid_desc *desc, double *to,
                               double *work);
/* The 16 MMI atoms of nine mutual informations, for informations that come from elsewhere.
   Rounds at 1e-16 of the largest MI; inf - inf gives NaN. */
SYN_API void syn_phiid_mmi(const double mi[SYN_MIS], double atom[SYN_ATOMS]);

/* ------------------------------------------------------------------------------------
   phiid, continued: every pair of N series, prompt after prompt.

   takes: one block of N series a prompt (the norms of all heads, N sensors, ...)
   gives: sums of synergy (sts) and redundancy (rtr) over prompts for every pair, the same for
          every unit and prompt, diagnostics of every unit, and where asked all 16 atoms

       syn_pairs_desc desc = {0};
       desc.units = 270; desc.samples = 100; desc.prompts = 60;
       syn_pairs_open(&pairs, &desc, &arena, &err);
       for (p = 0; p < 60; p++) syn_pairs_add(&pairs, &series_of_prompt[p], &err);
       syn_pairs_matrices(&pairs, synergy, redundancy);

   Pairs are counted (0,1), (0,2) ... (0,N-1), (1,2) ... (N-2,N-1): pair (i,j), i < j, has the
   number i (2N - i - 1) / 2 + j - i - 1. x is unit i, y is unit j.

   All pairs share the standardised windows of the N units; a pair costs four dot products and
   three logarithms. Where that would lose digits (the closed form from six correlations has an
   error of about eps * condition) the pair goes to `syn_phiid_pair`, and what is singular is
   flagged. The result does not depend on the number of threads, bit for bit.
   ------------------------------------------------------------------------------------ */

typedef enum syn_number { SYN_NUMBER_F32, SYN_NUMBER_F64 } syn_number;

/* N series as they lie in memory. Strides count elements; both 0 mean (time, unit) without gaps:
   time_stride = units, unit_stride = 1. Series of their own rows: 1 and samples. */
typedef struct syn_series {
    const void *data;
    syn_number type;
    size_t units, samples;
    size_t time_stride, unit_stride;
    /* 0: one recording, a future tau samples after its past. Else pairs of samples, as of a
       recording with gaps: samples - lag pasts, and from sample `lag` on the future of each; tau
       then only says how far apart they were. */
    size_t lag;
} syn_series;

typedef enum syn_flagged {
    SYN_FLAGGED_EXCLUDE, /* a flagged pair is left out of the means */
    SYN_FLAGGED_ZERO     /* it counts as synergy 0 and redundancy 0 */
} syn_flagged;

/* Called with all 16 atoms of consecutive pairs: atom (pairs, SYN_ATOMS), flag (pairs), 0 is
   sound. From the thread that called syn_pairs_add, in the order of pairs. False stops. */
typedef bool syn_pairs_fn(void *user, size_t first_pair, size_t pairs, const double *atom,
                          const uint8_t *flag);

typedef struct syn_pairs_desc {
    size_t units;         /* N, at least 2 */
    size_t samples;       /* the longest series that will come */
    size_t prompts;       /* how many will come at most; 0: 1 */
    syn_phiid_desc phiid; /* tau, redundancy, estimator and transform, as for one pair */
    syn_flagged flagged;
    size_t careful; /* up to this many pairs take the slower, more exact route; 0: 300, 1: none */
    bool cells;     /* keep a bit for each pair and prompt, whether it counts: for surrogates */
    bool lean;      /* sums of pairs only, not of units, no confounds: all that a test needs */
    const struct syn_pairs *like; /* NULL, or the observed pairs of these surrogates */
    syn_pairs_fn *atoms;          /* NULL: synergy and redundancy only */
    void *user;                   /* of `atoms` */
    syn_simd simd;                /* instruction set, for tests; 0: the best there is */
    syn_parallel parallel;        /* zero: serial */
} syn_pairs_desc;

/* Figures of one unit that may explain its synergy; means over the prompts where it varies. */
typedef enum syn_confound {
    SYN_CONFOUND_MEAN,            /* mean of the series as given (the mean norm) */
    SYN_CONFOUND_AUTOCORRELATION, /* at lag 1 */
    SYN_CONFOUND_SELF,            /* I(x_t ; x_t+tau), nats */
    SYN_CONFOUND_TOTAL,           /* I(xy_t ; xy_t+tau), mean over its sound pairs, nats */
    SYN_CONFOUND_TREND,           /* correlation with time */
    SYN_CONFOUNDS
} syn_confound;

enum { SYN_FLAG_KINDS = 9 }; /* 0: sound; k: flag 1 << (k - 1) is the gravest */

typedef struct syn_pairs {
    syn_pairs_desc desc;
    size_t units, pairs;      /* N, N (N - 1) / 2 */
    size_t prompts;           /* added so far */
    double *synergy;          /* (pair): sums over the prompts that count, nats */
    double *redundancy;       /* (pair) */
    uint32_t *left_out;       /* (pair): prompts that do not count */
    double *unit_synergy;     /* (prompt, unit): sums over the pairs of the unit that count */
    double *unit_redundancy;  /* (prompt, unit) */
    uint32_t *unit_sound;     /* (prompt, unit): how many pairs count */
    double *confound;         /* (SYN_CONFOUNDS, unit): sums over prompts */
    uint32_t *confound_count; /* (SYN_CONFOUNDS, unit): how many prompts are in the sum */
    uint64_t flagged[SYN_FLAG_KINDS]; /* pair-prompts by gravest flag; [0] counts sound ones */
    uint64_t careful;                 /* pair-prompts that took the pair-level route */
    uint8_t *cell;     /* (prompt, cell_bytes): bit k % 8 of byte k / 8: pair k is sound */
    size_t cell_bytes; /* of a prompt */
    size_t *unsound;   /* (prompt): pairs that are not */
    double *lost[2];   /* (pair): what `like` has in prompts where the surrogate has no value */
    uint64_t missing;  /* how many such pair-prompts */

    /* of the prompt being added */
    const void *kernels; /* the instruction set's, asked for once */
    const syn_series *series;
    bool all_careful;              /* few pairs: no panels, the pair-level route for each */
    size_t window, panels;         /* samples - tau; groups of 8 units */
    double *panel;                 /* (panel, sample, past|future, 8): standardised, unit norm */
    const syn_series *given;       /* as it came, where `series` is a copy in: */
    double *prepared[2];           /* (unit, sample) after transform and ranks; [1]: as observed */
    double *preparing;             /* the one that is being written */
    double *ranking;               /* (panel, sample) scratch of it */
    uint64_t *bits;                /* (unit, past|future, word): above the mean, for BINARY */
    size_t words;                  /* of a window */
    double *log_table;             /* (sample + 1): c ln c of a count c */
    struct synp_unit_level *level; /* (unit) counts of its bits */
    double *raw;                   /* (panel, sample, 8): series side by side, while lean */
    double *row;                   /* (unit, past|future, sample): the windows as rows, for CCS */
    size_t row_stride;             /* samples from one row to the next */
    double *self;                  /* (unit): correlation of past and future */
    double *self_information;      /* (unit): nats */
    uint8_t *state;                /* (unit): what is wrong with it alone */
    double *value[3];              /* (room) synergy, redundancy, total of pairs; 0 where flagged */
    double *unit_total;            /* (unit): sums of totals */
    double *atom;                  /* (room, SYN_ATOMS), where asked */
    uint8_t *flag;                 /* (pair) */
    size_t room;                   /* pairs that are worked on at once; the first of them: */
    size_t first_pair;
    size_t first_panel, end_panel; /* being worked on */
} syn_pairs;

/* Errors: ARGUMENT, MEMORY. Takes everything that adding will need from the arena. */
SYN_API syn_status syn_pairs_open(syn_pairs *pairs, const syn_pairs_desc *desc, syn_arena *arena,
                                  syn_error *err);

/* Adds one prompt. Errors: ARGUMENT (another number of units, longer than announced, one prompt too
   many), DATA (tau does not fit, fewer than 5 samples in a window), READ (`atoms` said stop). After
   READ the sums are of no use; after the others nothing has changed. */
SYN_API syn_status syn_pairs_add(syn_pairs *pairs, const syn_series *series, syn_error *err);

/* Adds what an accumulator of N channels has seen as one prompt: MMI only, the same tau, every pair
   by `syn_cov_pair` (a few microseconds each, not in parallel). Mean and trend stay unknown.
   Errors: ARGUMENT (channels, tau, CCS, too many prompts), DATA (fewer than 5 pairs of samples),
   READ. */
SYN_API syn_status syn_pairs_add_cov(syn_pairs *pairs, const syn_cov *cov, syn_error *err);

/* Adds a surrogate of the next prompt of desc.like, which must have kept its cells. Compares like
   with like: a pair counts where it is sound in that prompt of `like`, whatever the surrogate makes
   of the others; where the surrogate itself has no value (a series became constant), the prompt is
   left out of the pair and what `like` has there goes into `lost`, so that it can be left out on
   the other side, too. `observed` is the series of that prompt as it was given to `like`.
   Errors: ARGUMENT, DATA, as syn_pairs_add. */
SYN_API syn_status syn_pairs_add_surrogate(syn_pairs *pairs, const syn_series *surrogate,
                                           const syn_series *observed, syn_error *err);

/* Means over prompts, (unit, unit), symmetric, zero diagonal; NaN where no prompt counts.
   Either may be NULL. */
SYN_API void syn_pairs_matrices(const syn_pairs *pairs, double *synergy, double *redundancy);

/* The number of pair (i, j), i != j, of n units. */
SYN_API size_t syn_pairs_index(size_t n, size_t i, size_t j);

/* The mean of a confound over the prompts added so far, to value (unit); NaN where none. */
SYN_API void syn_pairs_confound(const syn_pairs *pairs, syn_confound which, double *value);
SYN_API const char *syn_confound_name(syn_confound which); /* "mean_norm", "self_information" .. */

/* ====================================================================================
   >>rank
   takes: the sums of all pairs, over prompts;  gives: scores of units, the profile over layers,
   and how far either can be trusted.

   The synergy and the redundancy of a unit are the means of its rows in the two matrices. From
   them come all readings of the paper, side by side: its text defines the score as
   rank(synergy) - rank(redundancy), its figures agree better with the rank of
   synergy - redundancy. Ranks ascend from 1, ties share their average rank. A unit without a
   single sound pair has NaN everywhere and is not ranked.
   ==================================================================================== */

typedef enum syn_score {
    SYN_SCORE_RANK_DIFFERENCE, /* rank(synergy) - rank(redundancy) */
    SYN_SCORE_DIFFERENCE,      /* rank(synergy - redundancy) */
    SYN_SCORE_BALANCE,         /* synergy / (synergy + redundancy) */
    SYN_SCORE_SYNERGY,         /* nats */
    SYN_SCORE_REDUNDANCY,      /* nats */
    SYN_SCORE_EXCESS,          /* synergy - its mean under surrogates, nats */
    SYN_SCORES
} syn_score;

/* "rank-difference", "difference", "balance", "synergy", "redundancy", "excess". */
SYN_API const char *syn_score_name(syn_score score);
SYN_API bool syn_score_find(const char *name, syn_score *score);

/* Everything known of N units; each column is (unit). */
typedef struct syn_rank {
    size_t units;
    double *synergy, *redundancy; /* nats */
    double *synergy_rank, *redundancy_rank;
    double *rank_difference;
    double *difference, *difference_rank; /* nats, rank */
    double *balance;                      /* NaN for 0/0 */
    double *excess;                       /* NaN until syn_excess_rank fills it */
    size_t *order;                        /* scratch for sorting */
} syn_rank;

/* Errors: MEMORY. */
SYN_API syn_status syn_rank_open(syn_rank *rank, size_t units, syn_arena *arena, syn_error *err);

/* Fills all columns but `excess`: from the pair sums, or from the units' means as given. */
SYN_API void syn_rank_pairs(syn_rank *rank, const syn_pairs *pairs);
SYN_API void syn_rank_means(syn_rank *rank, const double *synergy, const double *redundancy);

/* The column of a score, (unit); for the difference, its rank. */
SYN_API const double *syn_rank_score(const syn_rank *rank, syn_score score);

/* Average ranks from 1; a NaN has rank NaN; -0.0 ties with 0.0. order (n) is scratch. */
SYN_API void syn_rank_average(const double *value, size_t n, double *rank, size_t *order);

/* Spearman's correlation over the places where both are numbers: Pearson's of average ranks.
   NaN when fewer than two or one is constant. work (4 n) and order (n) are scratch. */
SYN_API double syn_rank_spearman(const double *a, const double *b, size_t n, double *work,
                                 size_t *order);

/* The profile of a score over layers, unit = layer * (units / layers) + index. Each of
   mean, minmax, percentile is (layer): the mean over the layer's units that have a score;
   (mean - min) / (max - min), all zero when equal; (average rank - 1) / (layers with a mean - 1).
   The last two may be NULL. */
SYN_API void syn_rank_profile(const double *score, size_t units, size_t layers, double *mean,
                              double *minmax, double *percentile);

/* The shape of a profile over depth = layer / (layers - 1); NaN with fewer than 3 layers. */
typedef struct syn_shape {
    double peak;      /* depth of the layer with the largest mean */
    double middle;    /* mean of the middle third - mean of the outer thirds */
    double curvature; /* second coefficient of the parabola over depth; negative: inverted U */
} syn_shape;
SYN_API syn_shape syn_rank_shape(const double *mean, size_t layers);

/* A number with its interval. */
typedef struct syn_interval {
    double value, low, high;
} syn_interval;

typedef struct syn_resample_desc {
    size_t layers;    /* 0: 1 */
    size_t resamples; /* 0: 1000 */
    double level;     /* 0: 0.95 */
    uint64_t seed;    /* any number; the same one gives the same result */
    syn_parallel parallel;
} syn_resample_desc;

/* Percentile intervals of one score by drawing prompts with replacement (each prompt's unit sums
   are kept in syn_pairs, so that a resample costs O(prompts * units)). */
typedef struct syn_bootstrap {
    size_t units, layers, resamples;
    double *low, *high;             /* (unit) of the score */
    double *layer_low, *layer_high; /* (layer) of the layer mean */
    syn_interval peak, middle, curvature;
} syn_bootstrap;

/* Errors: ARGUMENT (layers do not divide units, fewer than 2 prompts, excess), MEMORY. The
   result and its scratch lie in the arena; take a copy of the arena first to reuse the space. */
SYN_API syn_status syn_rank_bootstrap(syn_bootstrap *boot, const syn_pairs *pairs, syn_score score,
                                      const syn_resample_desc *desc, syn_arena *arena,
                                      syn_error *err);

/* Split-half reliability of a score: Spearman's correlation of the score from one half of the
   prompts with that from the other, r its mean over `resamples` random halvings (0: 100),
   stepped up to the length of the whole by Spearman and Brown: 2 r / (1 + r). Errors: as
   syn_rank_bootstrap. */
SYN_API syn_status syn_rank_reliability(const syn_pairs *pairs, syn_score score,
                                        const syn_resample_desc *desc, double *value,
                                        syn_arena *arena, syn_error *err);

/* Does the shape of the profile need the units to be where they are? Shuffles units over layers.
   p = (1 + shuffles at least as far from the shuffles' mean) / (resamples + 1), for
   `middle` and `curvature`. Errors: ARGUMENT, MEMORY. */
typedef struct syn_permutation {
    double p_middle, p_curvature;
} syn_permutation;
/* Errors: ARGUMENT (layers do not divide units), MEMORY. */
SYN_API syn_status syn_rank_permutation(syn_permutation *test, const double *score, size_t units,
                                        const syn_resample_desc *desc, syn_arena *arena,
                                        syn_error *err);

/* ------------------------------------------------------------------------------------
   rank, continued: surrogates. What would synergy and redundancy be without coupling?

   With MMI two unrelated series with memory have sts = 2 min(I(x;a), I(y;b)), not 0. A surrogate
   keeps what the list names and destroys the rest, so that observed - surrogate, the excess, is
   what the destroyed part contributes:
       SHIFT    every unit shifted circularly by its own lag: each unit's own past and future, its
                whole distribution; destroys what units share (the right null for coupling)
       PHASE    every unit's Fourier phases drawn anew: each unit's spectrum, made Gaussian
                (Theiler et al. 1992); destroys what units share
       IAAFT    every unit's own samples in an order that has nearly its spectrum (Schreiber and
                Schmitz 1996): its whole distribution and memory; destroys what units share. (Memory
                comes out a little low: unrelated series of 100 samples have 3 % less synergy)
       SHUFFLE  one order of samples for all units: who goes with whom at a moment; destroys time
                (a null for memory, not for coupling)

       observed_desc.cells = true;                    and then, once all prompts are in:
       null_desc = observed_desc, but .cells = false, .lean = true, .like = &observed;
       for (s = 0; s < surrogates; s++) {
           syn_pairs_clear(&null);
           for (p = 0; p < prompts; p++) {
               what.kind = SYN_SURROGATE_SHIFT, .seed, .surrogate = s, .prompt = p, .key = key[p];
               syn_surrogate_make(&series[p], &what, made, work);
               syn_pairs_add_surrogate(&null, &series_over_made, &series[p], &err);
           }
           syn_excess_add(&excess, &null, &err);
       }

   Observed and surrogate are compared over the same pairs and prompts: those that are sound as
   observed and have a value in the surrogate. A unit that is flagged whole (a column that counts
   rows) is thus no part of either side, and its presence changes no number of another unit.
   ------------------------------------------------------------------------------------ */

typedef enum syn_surrogate {
    SYN_SURROGATE_SHIFT,
    SYN_SURROGATE_PHASE,
    SYN_SURROGATE_SHUFFLE,
    SYN_SURROGATE_IAAFT,
    SYN_SURROGATES
} syn_surrogate;

SYN_API const char *syn_surrogate_name(syn_surrogate kind); /* "shift" .. "iaaft" */

typedef struct syn_surrogate_desc {
    syn_surrogate kind;
    uint64_t seed;
    size_t surrogate, prompt; /* their numbers */
    const uint64_t *key;      /* (unit), from syn_surrogate_keys */
} syn_surrogate_desc;

/* A key for each unit that does not depend on its place or its neighbours: a hash of its samples,
   and of how many units before it have the very same ones. key (unit). The draws of a unit depend
   on the seed, on the numbers of surrogate and prompt, and on this. O(units * samples + units^2),
   once a prompt. */
SYN_API void syn_surrogate_keys(const syn_series *from, uint64_t *key);

enum { SYN_SURROGATE_WORK = 6 }; /* doubles a sample */

/* One surrogate of one prompt: to is (unit, sample) doubles, work (SYN_SURROGATE_WORK * samples).
   Depends on nothing but its arguments. Shifts lie between a tenth and nine tenths of the length.
   Units that are constant or not finite stay so; an unknown kind gives NaN. SHIFT and SHUFFLE
   O(units * samples), PHASE O(units * samples^2), IAAFT up to 200 times that. */
SYN_API void syn_surrogate_make(const syn_series *from, const syn_surrogate_desc *desc, double *to,
                                double *work);

/* The two parts for one series, with the choice made by the caller.
   to_t = from_((t - shift) mod n). */
SYN_API void syn_surrogate_shift(const double *from, size_t n, size_t shift, double *to);
/* F = Fourier transform of from - mean, F_k *= exp(i phase_(k-1)), k = 1 ... (n - 1) / 2, and back.
   phase ((n - 1) / 2) radians, work (2 n). */
SYN_API void syn_surrogate_phase(const double *from, size_t n, const double *phase, double *to,
                                 double *work);

/* Forgets the prompts, keeps the memory: as after syn_pairs_open. */
SYN_API void syn_pairs_clear(syn_pairs *pairs);

/* Observed means of units, and of pairs where asked, against those of surrogates. */
typedef struct syn_excess {
    const syn_pairs *observed;
    size_t units, pairs;        /* pairs: 0 when they are not followed */
    size_t surrogates;          /* added so far */
    double *seen[2];            /* (unit) synergy, redundancy: observed, nats */
    double *mean[2];            /* (unit) of the surrogates */
    double *spread[2];          /* (unit) sum of squared distances from the mean */
    uint32_t *count;            /* (unit) surrogates in which it has a value */
    uint32_t *above[2];         /* (unit) of these: at least as large as observed */
    uint32_t *pair_count;       /* (pair) the same of pairs */
    uint32_t *pair_above[2];    /* (pair) */
    struct synp_versus *versus; /* (unit) of the surrogate that is being added */
} syn_excess;

enum { SYN_EXCESS_LEAST = 20 }; /* surrogates of a test: with fewer p cannot go below 1 / 20 */

/* `observed` must be complete, have kept its cells, and stay. Errors: ARGUMENT, MEMORY. */
SYN_API syn_status syn_excess_open(syn_excess *excess, const syn_pairs *observed, bool pairs,
                                   syn_arena *arena, syn_error *err);
/* A whole surrogate, all prompts, of `like` the observed ones. Where it has no value in some
   prompts of a pair, the observed side is taken without them, too, for this surrogate; a unit or
   pair without any is not counted. Errors: ARGUMENT (like another, prompts are missing). */
SYN_API syn_status syn_excess_add(syn_excess *excess, const syn_pairs *surrogate, syn_error *err);

typedef enum syn_measure { SYN_SYNERGY, SYN_REDUNDANCY, SYN_MEASURES } syn_measure;

/* One unit's synergy or redundancy: mean and standard deviation of the surrogates that
   have a value, z = (observed - mean) / sd, p = (1 + those at least as large) / (surrogates + 1),
   NaN with fewer than SYN_EXCESS_LEAST of them. NaN where there is no value. (Where a surrogate has
   not all pairs, what enters is observed + (surrogate - observed over the same pairs).) */
typedef struct syn_excess_unit {
    double observed, mean, sd, z, p;
    size_t surrogates;
} syn_excess_unit;
SYN_API syn_excess_unit syn_excess_of(const syn_excess *excess, syn_measure which, size_t unit);
/* p of a pair; NaN when pairs are not followed or too few surrogates have a value. */
SYN_API double syn_excess_pair_p(const syn_excess *excess, syn_measure which, size_t pair);
/* Fills the rank's `excess` column: observed synergy - the surrogates' mean. */
SYN_API void syn_excess_rank(const syn_excess *excess, syn_rank *rank);

/* False discovery control (Benjamini and Hochberg 1995): q (n) from p (n), the share of false ones
   among all at least as small. NaN is no test. order (n) is scratch; q may be p. */
SYN_API void syn_rank_fdr(const double *p, size_t n, double *q, size_t *order);

/* ====================================================================================
   >>graph
   takes: a weighted matrix (n, n), such as the mean synergy of all pairs;
   gives: how well it is connected as a whole, and how well it falls into parts.

   Undirected: w_ij and w_ji are averaged, the diagonal is ignored, weights that are not above 0
   (NaN too) are no edges. An edge has the length 1/w, d_ij is the shortest way:
       global efficiency   E = mean over i != j of 1/d_ij, 1/inf = 0 (Latora and Marchiori 2001;
                           the paper's measure of integration; E(c W) = c E(W))
       modularity          Q = 1/2m sum_ij (w_ij - gamma k_i k_j / 2m) [same part]
                           (Newman 2006), k_i = sum_j w_ij, 2m = sum_i k_i; without edges 0
       Louvain             parts that make Q large (Blondel et al. 2008), the best of many starts
   ==================================================================================== */

typedef struct syn_graph_desc {
    size_t nodes;
    double density;  /* of the thresholded network; 0: 0.1 */
    double gamma;    /* resolution of Q; 0: 1 */
    size_t restarts; /* of Louvain; 0: 50 */
    uint64_t seed;
    syn_parallel parallel;
} syn_graph_desc;

typedef struct syn_graph {
    size_t nodes, edges;                /* pairs with a weight above 0 */
    double mean_weight, largest_weight; /* over all pairs (no edge counts as 0) */
    double efficiency_weighted;
    double efficiency_weighted_normalised; /* after division by the largest weight */
    double efficiency_over_mean_weight;    /* what the wiring adds: 1 for equal weights */
    size_t kept;                           /* strongest edges, floor(density n (n-1) / 2 + 1/2) */
    double efficiency_binary_top;          /* of those, each of length 1 */
    double efficiency_weighted_top;
    double louvain_q;
    size_t communities;
    int32_t *community; /* (nodes): 0, 1, ... in the order of first members */
} syn_graph;

/* Everything above. O(n^2) memory; O(n^3) time at most, in parallel by source and by restart, the
   same for any number of threads. The result's `community` and the scratch lie in the arena.
   Errors: ARGUMENT, MEMORY. */
SYN_API syn_status syn_graph_measure(syn_graph *graph, const double *weight,
                                     const syn_graph_desc *desc, syn_arena *arena, syn_error *err);

/* Q of a given partition, any numbers as names of the parts. Errors: MEMORY. */
SYN_API syn_status syn_graph_modularity(const double *weight, size_t nodes, const int32_t *part,
                                        double gamma, double *q, syn_arena *arena, syn_error *err);

/* Q of a given partition where weights below 0 count as repulsion (Rubinov and Sporns 2011, Q*):
   with W = W+ - W-, v+- the sums of W+- over ordered pairs and e+-_ij = k+-_i k+-_j / v+-,
   Q* = sum_ij (w+_ij - e+_ij) [same part] / v+ - sum_ij (w-_ij - e-_ij) [same part] / (v+ + v-).
   Without negative weights it is Q at gamma 1. Errors: MEMORY. */
SYN_API syn_status syn_graph_modularity_signed(const double *weight, size_t nodes,
                                               const int32_t *part, double *q, syn_arena *arena,
                                               syn_error *err);

/* Parts that make Q* large, part (nodes) numbered from 0 in the order of first members, and the Q*
   of them: Louvain on it, the best of many starts, in parallel. Of `desc`: restarts, seed and
   parallel. Without a weight every node is alone. Errors: ARGUMENT (nodes), MEMORY. */
SYN_API syn_status syn_graph_communities_signed(const double *weight, const syn_graph_desc *desc,
                                                int32_t *part, double *q, syn_arena *arena,
                                                syn_error *err);

/* Of every node, value (nodes): how evenly its strength is spread over the parts (Guimera and
   Amaral 2005), 1 - sum over parts s of (k_is / k_i)^2; 0 for a node without edges. Errors:
   MEMORY. */
SYN_API syn_status syn_graph_participation(const double *weight, size_t nodes, const int32_t *part,
                                           double *value, syn_arena *arena, syn_error *err);

/* Of every node, value (nodes): how well its neighbours reach each other without it. As Wang et al.
   (2017) have it and the Brain Connectivity Toolbox recommends (its efficiency_wei, 2), which on
   edges of weight 1 is the usual one: the sum over ordered pairs j, h of neighbours of
   (w_ij w_ih)^(1/3) / d_jh by k (k - 1), d the shortest way within the neighbourhood over edges of
   the length w^(-1/3); 0 with fewer than two neighbours. About n^3 log n steps on a dense network,
   in parallel by node where `parallel` is not NULL (16 n^2 bytes more a thread). Errors: MEMORY. */
SYN_API syn_status syn_graph_local_efficiency(const double *weight, size_t nodes,
                                              const syn_parallel *parallel, double *value,
                                              syn_arena *arena, syn_error *err);

/* Null networks, written to `to` (n, n), symmetric. SHUFFLE deals the same weights out to the
   same edges anew; REWIRE keeps every node's number of edges: two edges a-b, c-d become a-d, c-b
   with their weights where neither is there yet, ten tries an edge (Maslov and Sneppen 2002). A
   complete graph leaves REWIRE no choice: threshold it first. */
typedef enum syn_null { SYN_NULL_SHUFFLE, SYN_NULL_REWIRE } syn_null;
/* Errors: ARGUMENT (the kind), MEMORY. */
SYN_API syn_status syn_graph_null(const double *weight, size_t nodes, syn_null kind, uint64_t seed,
                                  double *to, syn_arena *arena, syn_error *err);

/* Keeps the strongest floor(density n (n-1) / 2 + 1/2) edges, ties to the smaller (i, j) in row
   order; the rest become 0. `to` may be `weight`, *kept is how many were kept. Errors: ARGUMENT
   (density), MEMORY. */
SYN_API syn_status syn_graph_threshold(const double *weight, size_t nodes, double density,
                                       double *to, size_t *kept, syn_arena *arena, syn_error *err);

#endif /* SYNERGY_NO_PHIID */

#ifdef __cplusplus
} /* extern "C" */
#endif
#endif /* SYNERGY_H_INCLUDED */

/* ======================================= implementation ======================================= */
#if defined(SYNERGY_IMPLEMENTATION) && !defined(SYNERGY_IMPLEMENTED)
#define SYNERGY_IMPLEMENTED

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>
#if !defined(SYNERGY_SIMD) || SYNERGY_SIMD != 0
#if defined(__x86_64__) && (defined(__clang__) || (defined(__GNUC__) && __GNUC__ >= 9))
#define SYNP_X86 /* AVX2 and, unless it is left out, AVX-512: found at run time */
#include <cpuid.h>
#include <immintrin.h>
#ifndef SYNERGY_NO_AVX512
#define SYNP_X86_512
#endif
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__) || defined(__clang__)
#define SYNP_RESTRICT __restrict
#define SYNP_UNUSED __attribute__((unused))
#else
#define SYNP_RESTRICT
#define SYNP_UNUSED
#endif

/* What this processor and its operating system can do beyond the baseline. */
enum { SYNP_HAS_AVX2 = 1, SYNP_HAS_AVX512 = 2, SYNP_HAS_VNNI = 4 };

static SYNP_UNUSED unsigned synp_processor(void)
{
    unsigned has = 0;
#ifdef SYNP_X86
    unsigned a, b, c = 0, d;
    const bool f16c = __get_cpuid(1, &a, &b, &c, &d) && (c >> 29 & 1);
    if (!f16c || !__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return has;
    has |= SYNP_HAS_AVX2; /* with FMA and F16C */
#ifdef SYNP_X86_512
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
        return has;
    has |= SYNP_HAS_AVX512; /* F, BW, DQ, VL */
    if (__builtin_cpu_supports("avx512vnni")) has |= SYNP_HAS_VNNI;
#endif
#endif
    return has;
}

/* ------------------------------------------------------------------------------------
   >>status
   A formatter of our own, since many small systems have no snprintf with 64-bit numbers.
   ------------------------------------------------------------------------------------ */

#define SYNP_U(x) ((uint64_t)(x)) /* what %u takes */
#define SYNP_D(x) ((int64_t)(x))  /* what %d takes */

SYN_API int syn_version(void)
{
    return SYNERGY_VERSION;
}

SYN_API const char *syn_status_text(syn_status status)
{
    static const char *const text[] = {
        "no error",       "bad argument",           "not enough memory given",
        "cannot read",    "not a well-formed file", "not supported",
        "unusable model", "context is full",        "data cannot be analysed",
    };
    unsigned i = (unsigned)status;
    return i < sizeof text / sizeof text[0] ? text[i] : "unknown status";
}

typedef struct synp_line {
    char *text;
    size_t used, capacity;
} synp_line;

static void synp_line_char(synp_line *line, char c)
{
    if (line->used + 1 < line->capacity) line->text[line->used++] = c;
}

static void synp_line_unsigned(synp_line *line, uint64_t value)
{
    char digit[20];
    int n = 0;
    do {
        digit[n++] = (char)('0' + (int)(value % 10));
        value /= 10;
    } while (value);
    while (n) synp_line_char(line, digit[--n]);
}

/* Text of a file or a caller: printable ASCII as it is, anything else as '?', cut after 80
   letters. */
static void synp_line_text(synp_line *line, const char *text, size_t length)
{
    size_t i, shown = length < 80 ? length : 80;
    for (i = 0; i < shown; i++) {
        char c = text[i];
        synp_line_char(line, c >= 32 && c < 127 ? c : '?');
    }
    for (i = 0; shown < length && i < 3; i++) synp_line_char(line, '.');
}

/* Four significant digits and a power of ten: enough to recognise a wrong number by. */
static void synp_line_double(synp_line *line, double value)
{
    int exponent = 0;
    if (!(value == value)) {
        synp_line_text(line, "nan", 3);
        return;
    }
    if (value < 0) {
        synp_line_char(line, '-');
        value = -value;
    }
    if (value > DBL_MAX) {
        synp_line_text(line, "inf", 3);
        return;
    }
    if (value >= 1 && value < 1e15 && value == floor(value)) {
        synp_line_unsigned(line, (uint64_t)value);
        return;
    }
    while (value >= 10) {
        value /= 10;
        exponent++;
    }
    while (value > 0 && value < 1) {
        value *= 10;
        exponent--;
    }
    {
        unsigned digits = (unsigned)(value * 1000 + 0.5);
        if (digits > 9999) {
            digits = 1000;
            exponent++;
        }
        synp_line_unsigned(line, digits / 1000);
        synp_line_char(line, '.');
        synp_line_unsigned(line, digits / 100 % 10);
        synp_line_unsigned(line, digits / 10 % 10);
        synp_line_unsigned(line, digits % 10);
    }
    if (exponent) {
        synp_line_char(line, 'e');
        if (exponent < 0) {
            synp_line_char(line, '-');
            exponent = -exponent;
        }
        synp_line_unsigned(line, (unsigned)exponent);
    }
}

/* Knows %s (C string), %t (text, size_t), %u (uint64_t), %d (int64_t), %g (double), nothing
   else. */
static void synp_format(synp_line *line, const char *format, va_list args)
{
    for (; *format; format++) {
        if (*format != '%') {
            synp_line_char(line, *format);
            continue;
        }
        switch (*++format) {
        case 's': {
            const char *text = va_arg(args, const char *);
            synp_line_text(line, text, strlen(text));
            break;
        }
        case 't': {
            const char *text = va_arg(args, const char *);
            synp_line_text(line, text, va_arg(args, size_t));
            break;
        }
        case 'u': synp_line_unsigned(line, va_arg(args, uint64_t)); break;
        case 'd': {
            int64_t value = va_arg(args, int64_t);
            if (value < 0) synp_line_char(line, '-');
            synp_line_unsigned(line, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
            break;
        }
        case 'g': synp_line_double(line, va_arg(args, double)); break;
        default: return;
        }
    }
}

/* Fills the caller's error (NULL is fine) and returns the status, so that `return
   synp_fail(...)`. */
static SYNP_UNUSED syn_status synp_fail(syn_error *err, syn_status status, const char *format, ...)
{
    if (err) {
        synp_line line;
        va_list args;
        line.text = err->text;
        line.used = 0;
        line.capacity = sizeof err->text;
        va_start(args, format);
        synp_format(&line, format, args);
        va_end(args);
        err->text[line.used] = '\0';
        err->status = status;
    }
    return status;
}

/* A call that can fail begins with this: err is defined after success, too. */
static SYNP_UNUSED void synp_succeed(syn_error *err)
{
    if (!err) return;
    err->status = SYN_OK;
    err->text[0] = '\0';
}

/* ------------------------------------------------------------------------------------
   >>memory
   ------------------------------------------------------------------------------------ */

SYN_API syn_arena syn_arena_on(void *block, size_t bytes)
{
    syn_arena arena;
    size_t off = (size_t)((uintptr_t)block % SYN_BLOCK_ALIGN),
           lost = off ? SYN_BLOCK_ALIGN - off : 0;
    arena.base = (unsigned char *)block;
    arena.size = 0;
    arena.used = 0;
    if (block && bytes >= lost) {
        arena.base += lost;
        arena.size = bytes - lost;
    }
    return arena;
}

SYN_API syn_arena syn_arena_measure(void)
{
    syn_arena arena;
    arena.base = NULL;
    arena.size = SIZE_MAX;
    arena.used = 0;
    return arena;
}

/* An arena over no memory (base NULL, size 0) refuses; it does not measure. */
static bool synp_measuring(const syn_arena *arena)
{
    return !arena->base && arena->size == SIZE_MAX;
}

/* Takes count * each bytes, rounded up to SYN_ALIGN; *piece is NULL when measuring. Nothing is
   taken on failure. The sizes may come from a file, hence 64 bits and a checked product. */
static SYNP_UNUSED syn_status synp_take(syn_arena *arena, uint64_t count, size_t each,
                                        const char *what, void **piece, syn_error *err)
{
    size_t left = arena->size - arena->used, bytes;
    *piece = NULL;
    if (each && count > (SIZE_MAX - SYN_ALIGN) / each)
        return synp_fail(err, SYN_ERROR_MEMORY, "%s: %u x %u bytes is more than can be addressed",
                         what, SYNP_U(count), SYNP_U(each));
    bytes = ((size_t)count * each + SYN_ALIGN - 1) / SYN_ALIGN * SYN_ALIGN;
    if (bytes > left)
        return synp_fail(err, SYN_ERROR_MEMORY, "%s needs %u bytes, the arena has %u left of %u",
                         what, SYNP_U(bytes), SYNP_U(left), SYNP_U(arena->size));
    if (!synp_measuring(arena)) *piece = arena->base + arena->used;
    arena->used += bytes;
    return SYN_OK;
}

/* ------------------------------------------------------------------------------------
   >>common
   What several sections use: pieces of an arena as a table, random numbers, and
   arithmetic of about 32 digits.
   ------------------------------------------------------------------------------------ */

/* ---- pieces of an arena ---- */

/* A pointer to be set to `count` elements; `to` is the address of that pointer. Count 0: NULL. */
typedef struct synp_piece {
    void *to;
    uint64_t count;
    size_t each;
    const char *what;
} synp_piece;

/* rows * cols, or a count that no arena has where that is more than 64 bits hold. */
static SYNP_UNUSED uint64_t synp_count(uint64_t rows, uint64_t cols)
{
    return cols && rows > UINT64_MAX / cols ? UINT64_MAX : rows * cols;
}

/* A count as a size: the largest there is where it does not fit, which no arena has either. */
static SYNP_UNUSED size_t synp_size(uint64_t count)
{
    return count < SIZE_MAX ? (size_t)count : SIZE_MAX;
}

/* Takes all pieces, or none. */
static SYNP_UNUSED syn_status synp_take_all(syn_arena *arena, const synp_piece *piece,
                                            size_t pieces, syn_error *err)
{
    size_t k, used = arena->used;
    for (k = 0; k < pieces; k++) {
        syn_status status = SYN_OK;
        void *at = NULL;
        if (piece[k].count)
            status = synp_take(arena, piece[k].count, piece[k].each, piece[k].what, &at, err);
        memcpy(piece[k].to, &at, sizeof at);
        if (status) {
            arena->used = used;
            return status;
        }
    }
    return SYN_OK;
}

/* The same, all bytes zero. */
static SYNP_UNUSED syn_status synp_pieces(syn_arena *arena, const synp_piece *piece, size_t pieces,
                                          syn_error *err)
{
    const size_t from = arena->used;
    const syn_status status = synp_take_all(arena, piece, pieces, err);
    if (!status && arena->base) memset(arena->base + from, 0, arena->used - from);
    return status;
}

/* ---- random numbers ------------------------------------------------------------------
   SplitMix64 (Steele, Lea and Flood 2014): a counter, mixed. One stream a resample, so that the
   order in which threads work does not matter. */

#define SYNP_RNG_STEP UINT64_C(0x9e3779b97f4a7c15) /* 2^64 / the golden ratio, odd */

typedef struct synp_rng {
    uint64_t state;
} synp_rng;

static SYNP_UNUSED uint64_t synp_rng_mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static SYNP_UNUSED uint64_t synp_rng_next(synp_rng *r)
{
    return synp_rng_mix(r->state += SYNP_RNG_STEP);
}

/* The stream with number `index` of a seed: both are mixed before they meet, so that neighbouring
   seeds and neighbouring indices have nothing in common. */
static SYNP_UNUSED synp_rng synp_rng_of(uint64_t seed, uint64_t index)
{
    synp_rng r;
    r.state = seed;
    r.state = synp_rng_next(&r) ^ (index * UINT64_C(0xd1342543de82ef95));
    r.state = synp_rng_next(&r);
    return r;
}

/* In [0, 1), a multiple of 2^-53. */
static SYNP_UNUSED double synp_rng_unit(synp_rng *r)
{
    return (double)(synp_rng_next(r) >> 11) / 9007199254740992.0;
}

/* 0 .. n - 1, n < 2^32; the bias is below 2^-32 n. */
static SYNP_UNUSED size_t synp_rng_below(synp_rng *r, size_t n)
{
    return (size_t)(((synp_rng_next(r) >> 32) * (uint64_t)n) >> 32);
}

/* Shuffles item (n) (Fisher and Yates). */
static SYNP_UNUSED void synp_rng_shuffle(synp_rng *r, size_t *item, size_t n)
{
    for (; n > 1; n--) {
        size_t k = synp_rng_below(r, n), held = item[n - 1];
        item[n - 1] = item[k];
        item[k] = held;
    }
}

#ifndef SYNERGY_NO_PHIID

/* ---- double-double ---------------------------------------------------------------------
   Arithmetic of about 32 digits, which both halves of the information part use: a number
   is the unevaluated sum of two doubles, h + l with |l| <= ulp(h) / 2 ("double-double", Dekker
   1971; error bounds in units of 2^-106 from Joldes, Muller, Popescu 2017, ACM TOMS 44:15).

   Two things can spoil it, and are kept out here:
   - x87 registers hold 64 bits, so a sum is not rounded where C says: synp_round stores it first;
   - a compiler may fuse a * b + c: where it can, fma() is fast and is used for the exact product;
     elsewhere there is nothing to fuse, and Dekker's splitting stands in.
   -ffast-math removes the corrections altogether and is not supported for this part. */

#if defined(FP_FAST_FMA) || defined(__FP_FAST_FMA) ||                                              \
    ((defined(__clang__) || defined(_MSC_VER)) &&                                                  \
     (defined(__FMA__) || defined(__aarch64__) || defined(_M_ARM64) || defined(__s390x__)))
#define SYNP_FMA 1
#else
#define SYNP_FMA 0
#endif

#if defined(__FLT_EVAL_METHOD__)
#if __FLT_EVAL_METHOD__ == 0 || __FLT_EVAL_METHOD__ == 1 || __FLT_EVAL_METHOD__ == 16
#define SYNP_DOUBLE_IS_DOUBLE 1
#endif
#elif defined(_M_X64) || defined(_M_ARM64) || defined(__x86_64__) || defined(__aarch64__)
#define SYNP_DOUBLE_IS_DOUBLE 1
#endif

/* The value h + l. Normalised: h is the double nearest to it, so a comparison of h decides. */
typedef struct synp_dd {
    double h, l;
} synp_dd;

/* The value as a double in memory, whatever the registers hold. */
static inline double synp_round(double v)
{
#ifdef SYNP_DOUBLE_IS_DOUBLE
    return v;
#else
    volatile double stored = v;
    return stored;
#endif
}

static inline synp_dd synp_dd_of(double h, double l)
{
    synp_dd r;
    r.h = h;
    r.l = l;
    return r;
}

/* a + b exactly, for |a| >= |b| (Dekker's Fast2Sum): s - a is exact, and so is what of b is missing
   in it. Three operations. */
static inline synp_dd synp_dd_sum_ordered(double a, double b)
{
    double s = synp_round(a + b);
    return synp_dd_of(s, synp_round(b - synp_round(s - a)));
}

/* a + b exactly, in any order (Knuth's 2Sum): recovers from s which part of it came from b and
   which from a, and adds up what of each got lost. Six operations, no branch. */
static inline synp_dd synp_dd_sum(double a, double b)
{
    double s = synp_round(a + b), from_b = synp_round(s - a), from_a = synp_round(s - from_b);
    return synp_dd_of(s, synp_round(synp_round(a - from_a) + synp_round(b - from_b)));
}

/* a * b exactly, barring underflow of the low part. Without fma each factor is cut (Veltkamp) into
   halves of 26 bits whose four products are exact, and the rounded product is taken off them. */
static inline synp_dd synp_dd_product(double a, double b)
{
    double p = synp_round(a * b);
#if SYNP_FMA
    return synp_dd_of(p, fma(a, b, -p));
#else
    double ka = synp_round(a * 134217729.0), kb = synp_round(b * 134217729.0); /* 2^27 + 1 */
    double ah = synp_round(ka - synp_round(ka - a)), al = synp_round(a - ah);
    double bh = synp_round(kb - synp_round(kb - b)), bl = synp_round(b - bh);
    double e = synp_round(synp_round(ah * bh) - p);
    e = synp_round(e + synp_round(ah * bl));
    e = synp_round(e + synp_round(al * bh));
    return synp_dd_of(p, synp_round(e + synp_round(al * bl)));
#endif
}

static inline synp_dd synp_dd_negative(synp_dd a)
{
    return synp_dd_of(-a.h, -a.l);
}

/* a + b, relative error 3 units even under cancellation (AccurateDWPlusDW). Adding the low parts to
   the low part of the sum at once would be cheaper and loses all digits when the high parts cancel,
   which is what residuals do. */
static inline synp_dd synp_dd_add(synp_dd a, synp_dd b)
{
    synp_dd s = synp_dd_sum(a.h, b.h), t = synp_dd_sum(a.l, b.l);
    s = synp_dd_sum_ordered(s.h, synp_round(s.l + t.h));
    return synp_dd_sum_ordered(s.h, synp_round(t.l + s.l));
}

static inline synp_dd synp_dd_sub(synp_dd a, synp_dd b)
{
    return synp_dd_add(a, synp_dd_negative(b));
}

/* a * b, 5 units (DWTimesDW): the product of the low parts is below the last digit. */
static inline synp_dd synp_dd_mul(synp_dd a, synp_dd b)
{
    synp_dd p = synp_dd_product(a.h, b.h);
    double cross = synp_round(synp_round(a.h * b.l) + synp_round(a.l * b.h));
    return synp_dd_sum_ordered(p.h, synp_round(p.l + cross));
}

/* a / b by long division: two correction steps, 10 units. */
static synp_dd synp_dd_div(synp_dd a, synp_dd b)
{
    double q = synp_round(a.h / b.h), r;
    synp_dd rest = synp_dd_sub(a, synp_dd_mul(b, synp_dd_of(q, 0)));
    r = synp_round(rest.h / b.h);
    rest = synp_dd_sub(rest, synp_dd_mul(b, synp_dd_of(r, 0)));
    return synp_dd_add(synp_dd_sum_ordered(q, r), synp_dd_of(synp_round(rest.h / b.h), 0));
}

/* The root of a > 0: one Newton step from the double root s, s + (a - s^2) / 2s. */
static synp_dd synp_dd_root(synp_dd a)
{
    double s = synp_round(sqrt(a.h));
    synp_dd rest = synp_dd_sub(a, synp_dd_product(s, s));
    return synp_dd_sum_ordered(s, synp_round(rest.h / (2 * s)));
}

static inline bool synp_dd_less(synp_dd a, synp_dd b)
{
    return a.h < b.h || (a.h == b.h && a.l < b.l);
}

/* 2^e as two factors for synp_dd_scaled. One would not do: 2^1073, which brings the smallest
   subnormal to 1, is not a double. */
static synp_dd synp_dd_power(int e)
{
    return synp_dd_of(ldexp(1.0, e / 2), ldexp(1.0, e - e / 2));
}

/* v * 2^e; exact unless the result is subnormal. */
static inline double synp_dd_scaled(double v, synp_dd power)
{
    return synp_round(synp_round(v * power.h) * power.l);
}

/* No isfinite: C++ and old compilers disagree about what kind of thing it is. */
static bool synp_finite(double v)
{
    return v >= -DBL_MAX && v <= DBL_MAX;
}

/* Double-doubles in memory: (count, 2). */
static inline synp_dd synp_dd_at(const double *pairs, size_t i)
{
    return synp_dd_of(pairs[2 * i], pairs[2 * i + 1]);
}

static inline void synp_dd_put(double *pairs, size_t i, synp_dd v)
{
    pairs[2 * i] = v.h;
    pairs[2 * i + 1] = v.l;
}

#endif /* SYNERGY_NO_PHIID */

/* ------------------------------------------------------------------------------------
   >>threads
   The pool. A job is claimed by one compare-and-swap on a ticket. A worker that finds none spins
   for a while, since the next section of a step comes within microseconds, and then sleeps.
   ------------------------------------------------------------------------------------ */

#ifdef SYNERGY_THREADS
/* The ticket says how many jobs there are and which is next, so that claiming one is a single
   compare-and-swap, and a late worker finds nothing to do. `job` and `arg` are written only while
   no job is running. */
enum { SYNP_POOL_JOBS = 0x7fff, SYNP_POOL_SPINS = 4000 };

static void synp_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("isb" ::: "memory");
#else
    __asm__ __volatile__("" ::: "memory");
#endif
}

/* Runs jobs until none is left; how many. */
static int synp_pool_help(syn_pool *pool)
{
    int own = 0;
    uint32_t ticket = __atomic_load_n(&pool->ticket, __ATOMIC_ACQUIRE);
    while ((ticket & 0xffffu) < ticket >> 16) {
        if (!__atomic_compare_exchange_n(&pool->ticket, &ticket, ticket + 1, false,
                                         __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
            continue;
        }
        pool->job(pool->arg, (int)(ticket & 0xffffu));
        own++;
        if (__atomic_add_fetch(&pool->done, 1, __ATOMIC_SEQ_CST) == ticket >> 16 &&
            __atomic_load_n(&pool->waiting, __ATOMIC_SEQ_CST)) {
            pthread_mutex_lock(&pool->lock);
            pthread_cond_signal(&pool->finished);
            pthread_mutex_unlock(&pool->lock);
        }
        ticket = __atomic_load_n(&pool->ticket, __ATOMIC_ACQUIRE);
    }
    return own;
}

static bool synp_pool_idle(syn_pool *pool)
{
    uint32_t ticket = __atomic_load_n(&pool->ticket, __ATOMIC_SEQ_CST);
    return (ticket & 0xffffu) >= ticket >> 16 && !__atomic_load_n(&pool->stop, __ATOMIC_SEQ_CST);
}

/* Waits for work: spins, then sleeps. The count of sleepers is raised before the last look for
   work, and run() reads it after it has published the work, so that no wake-up is lost. */
static void synp_pool_wait(syn_pool *pool)
{
    int spin;
    for (spin = 0; spin < SYNP_POOL_SPINS; spin++) {
        if (!synp_pool_idle(pool)) return;
        synp_pause();
    }
    pthread_mutex_lock(&pool->lock);
    __atomic_add_fetch(&pool->sleepers, 1, __ATOMIC_SEQ_CST);
    while (synp_pool_idle(pool)) pthread_cond_wait(&pool->wake, &pool->lock);
    __atomic_sub_fetch(&pool->sleepers, 1, __ATOMIC_SEQ_CST);
    pthread_mutex_unlock(&pool->lock);
}

static void synp_pool_wake(syn_pool *pool)
{
    if (__atomic_load_n(&pool->sleepers, __ATOMIC_SEQ_CST) == 0) return;
    pthread_mutex_lock(&pool->lock);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
}

static void *synp_pool_worker(void *user)
{
    syn_pool *pool = (syn_pool *)user;
    while (!__atomic_load_n(&pool->stop, __ATOMIC_ACQUIRE)) {
        synp_pool_help(pool);
        synp_pool_wait(pool);
    }
    return NULL;
}

static bool synp_pool_busy(syn_pool *pool, int jobs)
{
    return __atomic_load_n(&pool->done, __ATOMIC_SEQ_CST) != (uint32_t)jobs;
}

/* A counter that runs at a constant speed; 0 where no cheap one exists. */
static uint64_t synp_ticks(void)
{
#if defined(__x86_64__) || defined(__i386__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    uint64_t ticks;
    __asm__ __volatile__("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
#else
    return 0;
#endif
}

/* Waits for jobs that other threads have begun. Such a thread may have lost its processor to
   another program: sleeping gives it this one, which yielding would not. */
static void synp_pool_finish(syn_pool *pool, int jobs)
{
    int spin;
    for (spin = 0; spin < SYNP_POOL_SPINS; spin++) {
        if (!synp_pool_busy(pool, jobs)) return;
        synp_pause();
    }
    pthread_mutex_lock(&pool->lock);
    __atomic_store_n(&pool->waiting, 1, __ATOMIC_SEQ_CST);
    while (synp_pool_busy(pool, jobs)) pthread_cond_wait(&pool->finished, &pool->lock);
    __atomic_store_n(&pool->waiting, 0, __ATOMIC_SEQ_CST);
    pthread_mutex_unlock(&pool->lock);
}

/* Is help a gain? It saves what the others do, taken as half of it since memory is shared, and
   costs the waiting for them, which is long where a neighbour has their processors. Where the sum
   over some 1000 runs falls below 0 the caller works alone, 32 times as long as it has just waited
   in vain; twice as long each time up to 256 times, and 32 again after 1024 runs together. So a
   neighbour costs little, and a moment's disturbance does not end the help. */
enum { SYNP_POOL_WINDOW = 1024, SYNP_POOL_PAUSE = 32 };

static void synp_pool_judge(syn_pool *pool, int64_t saved, int64_t waited)
{
    pool->balance += saved - waited - pool->balance / SYNP_POOL_WINDOW;
    if (pool->balance < 0) {
        if (pool->pause < 8 * SYNP_POOL_PAUSE)
            pool->pause = pool->pause ? 2 * pool->pause : SYNP_POOL_PAUSE;
        pool->alone = (uint64_t)waited * pool->pause;
        pool->balance = 0;
        pool->steady = 0;
    } else if (pool->pause && ++pool->steady == SYNP_POOL_WINDOW) {
        pool->pause = 0;
    }
}

/* The caller by itself, which pays what it owes. */
static void synp_pool_alone(syn_pool *pool, int jobs, syn_job_fn *job, void *arg)
{
    const uint64_t begin = pool->alone ? synp_ticks() : 0;
    uint64_t took;
    int i;
    for (i = 0; i < jobs; i++) job(arg, i);
    if (!pool->alone) return;
    took = synp_ticks() - begin;
    pool->alone -= took < pool->alone ? took : pool->alone;
}

static void synp_pool_run(void *user, int jobs, syn_job_fn *job, void *arg)
{
    syn_pool *pool = (syn_pool *)user;
    uint64_t begin, worked;
    int own;
    if (pool->alone || jobs > SYNP_POOL_JOBS || jobs < 2) {
        synp_pool_alone(pool, jobs, job, arg);
        return;
    }
    begin = synp_ticks();
    pool->job = job;
    pool->arg = arg;
    __atomic_store_n(&pool->done, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&pool->ticket, (uint32_t)jobs << 16, __ATOMIC_SEQ_CST);
    synp_pool_wake(pool);
    own = synp_pool_help(pool);
    worked = synp_ticks();
    synp_pool_finish(pool, jobs);
    if (own)
        synp_pool_judge(pool, (int64_t)(worked - begin) * (jobs - own) / (2 * own),
                        (int64_t)(synp_ticks() - worked));
}

SYN_API syn_status syn_pool_start(syn_pool *pool, int threads, syn_error *err)
{
    synp_succeed(err);
    memset(pool, 0, sizeof *pool);
    if (threads < 1 || threads > SYN_POOL_THREADS) {
        return synp_fail(err, SYN_ERROR_ARGUMENT, "%d threads, expected 1 to %d", SYNP_D(threads),
                         SYNP_D(SYN_POOL_THREADS));
    }
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pthread_cond_init(&pool->finished, NULL);
    for (pool->threads = 1; pool->threads < threads; pool->threads++) {
        if (pthread_create(&pool->thread[pool->threads], NULL, synp_pool_worker, pool)) {
            int got = pool->threads;
            syn_pool_stop(pool);
            return synp_fail(err, SYN_ERROR_MEMORY, "the system gave %d of %d threads", SYNP_D(got),
                             SYNP_D(threads));
        }
    }
    return SYN_OK;
}

SYN_API void syn_pool_stop(syn_pool *pool)
{
    int i;
    __atomic_store_n(&pool->stop, 1, __ATOMIC_SEQ_CST);
    synp_pool_wake(pool);
    for (i = 1; i < pool->threads; i++) pthread_join(pool->thread[i], NULL);
    if (pool->threads) {
        pthread_cond_destroy(&pool->wake);
        pthread_cond_destroy(&pool->finished);
        pthread_mutex_destroy(&pool->lock);
    }
    pool->threads = 0;
}

SYN_API syn_parallel syn_pool_parallel(syn_pool *pool)
{
    syn_parallel parallel;
    parallel.run = synp_pool_run;
    parallel.user = pool;
    parallel.threads = pool->threads;
    return parallel;
}
#endif /* SYNERGY_THREADS */

#ifndef SYNERGY_NO_MODEL

/* ------------------------------------------------------------------------------------
   >>source
   ------------------------------------------------------------------------------------ */

SYN_API syn_source syn_source_memory(const void *bytes, size_t size)
{
    syn_source source;
    source.bytes = (const unsigned char *)bytes;
    source.size = bytes ? size : 0;
    source.read = NULL;
    source.user = NULL;
    return source;
}

SYN_API syn_source syn_source_callback(syn_read_fn *read, void *user, uint64_t size)
{
    syn_source source;
    source.bytes = NULL;
    source.size = size;
    source.read = read;
    source.user = user;
    return source;
}

/* Files are little endian; bytewise loads are right on any machine and any alignment. */
static SYNP_UNUSED uint16_t synp_u16(const unsigned char *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static SYNP_UNUSED uint32_t synp_u32(const unsigned char *p)
{
    return (uint32_t)synp_u16(p) | (uint32_t)synp_u16(p + 2) << 16;
}

static SYNP_UNUSED uint64_t synp_u64(const unsigned char *p)
{
    return (uint64_t)synp_u32(p) | (uint64_t)synp_u32(p + 4) << 32;
}

static SYNP_UNUSED float synp_f32(const unsigned char *p)
{
    uint32_t bits = synp_u32(p);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static SYNP_UNUSED double synp_f64(const unsigned char *p)
{
    uint64_t bits = synp_u64(p);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static bool synp_source_has(const syn_source *source, uint64_t offset, uint64_t n)
{
    return offset <= source->size && n <= source->size - offset;
}

/* The bytes where they lie, or NULL when the source is not mapped or the range is not in it. */
static SYNP_UNUSED const unsigned char *synp_source_at(const syn_source *source, uint64_t offset,
                                                       uint64_t n)
{
    if (!source->bytes || !synp_source_has(source, offset, n)) return NULL;
    return source->bytes + (size_t)offset;
}

static syn_status synp_source_read(const syn_source *source, uint64_t offset, void *to, size_t n,
                                   syn_error *err)
{
    if (!synp_source_has(source, offset, n))
        return synp_fail(err, SYN_ERROR_READ, "the file ends at byte %u, %u bytes wanted at %u",
                         SYNP_U(source->size), SYNP_U(n), SYNP_U(offset));
    if (!n) return SYN_OK;
    if (source->bytes) {
        memcpy(to, source->bytes + (size_t)offset, n);
        return SYN_OK;
    }
    if (!source->read || !source->read(source->user, offset, to, n))
        return synp_fail(err, SYN_ERROR_READ, "reading %u bytes at offset %u failed", SYNP_U(n),
                         SYNP_U(offset));
    return SYN_OK;
}

/* ------------------------------------------------------------------------------------
   >>gguf
   One cursor walks the header; a search is a walk that jumps over the long arrays. Any count
   is first compared with what the rest of the file could hold at most, so that no number in a
   file costs more time than the file has bytes.
   ------------------------------------------------------------------------------------ */

enum {
    SYNP_GGUF_NESTING = 8,        /* arrays within arrays; no known file has any */
    SYNP_GGUF_LONG_BYTES = 4096,  /* from here on a value is worth remembering */
    SYNP_GGUF_NAME_BYTES = 65535, /* the format's limit for keys */
    SYNP_GGUF_DATA_ALIGNMENT = 32 /* without general.alignment */
};

/* Bytes of a scalar of each type; 0: has no fixed size. */
static const unsigned char synp_gguf_size[SYN_GGUF_TYPES] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

static const char *const synp_gguf_name[SYN_GGUF_TYPES] = {
    "u8", "i8", "u16", "i16", "u32", "i32", "f32", "bool", "string", "array", "u64", "i64", "f64"};

typedef struct synp_cursor {
    const syn_source *source;
    uint64_t at;
    syn_error *err;
} synp_cursor;

static syn_status synp_cursor_bytes(synp_cursor *cursor, void *to, size_t n, const char *what)
{
    if (!synp_source_has(cursor->source, cursor->at, n))
        return synp_fail(cursor->err, SYN_ERROR_FORMAT, "the file ends at byte %u inside %s at %u",
                         SYNP_U(cursor->source->size), what, SYNP_U(cursor->at));
    {
        syn_status status = synp_source_read(cursor->source, cursor->at, to, n, cursor->err);
        if (status) return status;
    }
    cursor->at += n;
    return SYN_OK;
}

static syn_status synp_cursor_u32(synp_cursor *cursor, uint32_t *value, const char *what)
{
    unsigned char raw[4];
    syn_status status = synp_cursor_bytes(cursor, raw, sizeof raw, what);
    if (!status) *value = synp_u32(raw);
    return status;
}

static syn_status synp_cursor_u64(synp_cursor *cursor, uint64_t *value, const char *what)
{
    unsigned char raw[8];
    syn_status status = synp_cursor_bytes(cursor, raw, sizeof raw, what);
    if (!status) *value = synp_u64(raw);
    return status;
}

static syn_status synp_cursor_skip(synp_cursor *cursor, uint64_t n, const char *what)
{
    if (!synp_source_has(cursor->source, cursor->at, n))
        return synp_fail(cursor->err, SYN_ERROR_FORMAT,
                         "%s at byte %u claims %u bytes, the file has %u left", what,
                         SYNP_U(cursor->at), SYNP_U(n), SYNP_U(cursor->source->size - cursor->at));
    cursor->at += n;
    return SYN_OK;
}

/* A counted text: gives where it lies and leaves the cursor behind it. */
static syn_status synp_cursor_text(synp_cursor *cursor, uint64_t *at, uint64_t *length,
                                   const char *what)
{
    syn_status status = synp_cursor_u64(cursor, length, what);
    if (status) return status;
    *at = cursor->at;
    return synp_cursor_skip(cursor, *length, what);
}

/* The head of an array: element type and count, the count checked against the bytes left. */
static syn_status synp_cursor_array(synp_cursor *cursor, uint32_t *type, uint64_t *count)
{
    uint64_t least, left, at = cursor->at;
    syn_status status = synp_cursor_u32(cursor, type, "an array's element type");
    if (status) return status;
    if (*type >= SYN_GGUF_TYPES)
        return synp_fail(cursor->err, SYN_ERROR_FORMAT, "array at byte %u: unknown element type %u",
                         SYNP_U(at), SYNP_U(*type));
    status = synp_cursor_u64(cursor, count, "an array's count");
    if (status) return status;
    least = *type == SYN_GGUF_STRING ? 8 : *type == SYN_GGUF_ARRAY ? 12 : synp_gguf_size[*type];
    left = cursor->source->size - cursor->at;
    if (*count > left / least)
        return synp_fail(cursor->err, SYN_ERROR_FORMAT,
                         "array at byte %u claims %u elements, the file has %u bytes left",
                         SYNP_U(at), SYNP_U(*count), SYNP_U(left));
    return SYN_OK;
}

/* Walks over an array's elements, nested ones included, with an explicit stack of bounded depth. */
static syn_status synp_cursor_skip_elements(synp_cursor *cursor, uint32_t type, uint64_t count)
{
    uint64_t left[SYNP_GGUF_NESTING];
    int depth = 0;
    for (;;) {
        syn_status status = SYN_OK;
        if (type == SYN_GGUF_ARRAY) {
            if (depth == SYNP_GGUF_NESTING)
                return synp_fail(cursor->err, SYN_ERROR_FORMAT,
                                 "arrays nested more than %u deep at byte %u",
                                 SYNP_U(SYNP_GGUF_NESTING), SYNP_U(cursor->at));
            left[depth++] = count;
        } else if (type == SYN_GGUF_STRING) {
            uint64_t at, length;
            while (count-- && !status)
                status = synp_cursor_text(cursor, &at, &length, "a string in an array");
        } else {
            status = synp_cursor_skip(cursor, count * synp_gguf_size[type], "an array");
        }
        if (status) return status;
        while (depth && !left[depth - 1]) depth--;
        if (!depth) return SYN_OK;
        left[depth - 1]--;
        status = synp_cursor_array(cursor, &type, &count);
        if (status) return status;
    }
}

/* One value, which follows its key: *value describes it, and the cursor ends behind it. `behind` is
   that place where an earlier walk has found it. */
static syn_status synp_cursor_value(synp_cursor *cursor, syn_gguf_value *value, uint64_t behind)
{
    uint32_t type;
    const uint64_t at = cursor->at;
    syn_status status = synp_cursor_u32(cursor, &type, "a value's type");
    if (status) return status;
    if (type >= SYN_GGUF_TYPES)
        return synp_fail(cursor->err, SYN_ERROR_FORMAT, "value at byte %u: unknown type %u",
                         SYNP_U(at), SYNP_U(type));
    value->array = type == SYN_GGUF_ARRAY;
    value->count = 1;
    if (value->array) {
        status = synp_cursor_array(cursor, &type, &value->count);
        if (status) return status;
        value->offset = cursor->at;
        if (behind != at) cursor->at = behind;
        else status = synp_cursor_skip_elements(cursor, type, value->count);
    } else if (type == SYN_GGUF_STRING) {
        uint64_t length;
        status = synp_cursor_text(cursor, &value->offset, &length, "a string");
    } else {
        value->offset = cursor->at;
        status = synp_cursor_skip(cursor, synp_gguf_size[type], "a value");
    }
    value->type = (syn_gguf_type)type;
    value->bytes = cursor->at - value->offset;
    return status;
}

static uint64_t synp_gguf_jump(const syn_gguf *gguf, uint64_t at)
{
    uint32_t i;
    for (i = 0; i < gguf->long_values; i++)
        if (gguf->long_value[i].from == at) return gguf->long_value[i].to;
    return at;
}

static void synp_gguf_remember(syn_gguf *gguf, uint64_t from, uint64_t to)
{
    if (to - from < SYNP_GGUF_LONG_BYTES || gguf->long_values == SYN_GGUF_LONG_VALUES) return;
    gguf->long_value[gguf->long_values].from = from;
    gguf->long_value[gguf->long_values].to = to;
    gguf->long_values++;
}

/* Does the file's text at `at` equal this C string? Read in small pieces when not mapped. */
static syn_status synp_source_equals(const syn_source *source, uint64_t at, uint64_t length,
                                     const char *text, bool *equal, syn_error *err)
{
    size_t done = 0, n = strlen(text);
    *equal = length == n;
    while (*equal && done < n) {
        char piece[64];
        size_t take = n - done < sizeof piece ? n - done : sizeof piece;
        syn_status status = synp_source_read(source, at + done, piece, take, err);
        if (status) return status;
        *equal = !memcmp(piece, text + done, take);
        done += take;
    }
    return SYN_OK;
}

SYN_API syn_status syn_gguf_key_at(const syn_gguf *gguf, uint64_t at, syn_gguf_key *key,
                                   syn_error *err)
{
    synp_cursor cursor;
    uint64_t behind;
    syn_status status;
    synp_succeed(err);
    cursor.source = gguf->source;
    cursor.at = at;
    cursor.err = err;
    status = synp_cursor_text(&cursor, &key->name_at, &key->name_bytes, "a key");
    if (status) return status;
    behind = synp_gguf_jump(gguf, cursor.at);
    status = synp_cursor_value(&cursor, &key->value, behind);
    key->next_at = cursor.at;
    return status;
}

SYN_API syn_status syn_gguf_find(const syn_gguf *gguf, const char *key, syn_gguf_value *found,
                                 bool *present, syn_error *err)
{
    uint64_t i, at = gguf->keys_at;
    synp_succeed(err);
    *present = false;
    for (i = 0; i < gguf->keys; i++) {
        syn_gguf_key one;
        bool wanted = false;
        syn_status status = syn_gguf_key_at(gguf, at, &one, err);
        if (!status)
            status =
                synp_source_equals(gguf->source, one.name_at, one.name_bytes, key, &wanted, err);
        if (status) return status;
        at = one.next_at;
        if (!wanted) continue;
        if (*present)
            return synp_fail(err, SYN_ERROR_FORMAT, "key %s occurs twice (again at byte %u)", key,
                             SYNP_U(one.name_at));
        *present = true;
        *found = one.value;
    }
    return SYN_OK;
}

/* Finds a scalar of the wanted kind; *present is false when it is absent and not required. */
static syn_status synp_gguf_scalar(const syn_gguf *gguf, const char *key, bool required,
                                   syn_gguf_value *value, bool *present, syn_error *err)
{
    syn_status status = syn_gguf_find(gguf, key, value, present, err);
    if (status) return status;
    if (!*present)
        return required ? synp_fail(err, SYN_ERROR_MODEL, "key %s is missing", key) : SYN_OK;
    if (value->array)
        return synp_fail(err, SYN_ERROR_MODEL, "key %s is an array of %s, expected one value", key,
                         synp_gguf_name[value->type]);
    return SYN_OK;
}

static syn_status synp_gguf_mistyped(const char *key, const syn_gguf_value *value,
                                     const char *expected, syn_error *err)
{
    return synp_fail(err, SYN_ERROR_MODEL, "key %s has the type %s, expected %s", key,
                     synp_gguf_name[value->type], expected);
}

/* An integer of any width at an offset, as its 64 bits; *negative for a signed one below zero. */
static syn_status synp_gguf_integer(const syn_gguf *gguf, syn_gguf_type type, uint64_t at,
                                    uint64_t *bits, bool *negative, syn_error *err)
{
    unsigned char raw[8] = {0};
    size_t n = synp_gguf_size[type];
    bool is_signed =
        type == SYN_GGUF_I8 || type == SYN_GGUF_I16 || type == SYN_GGUF_I32 || type == SYN_GGUF_I64;
    syn_status status = synp_source_read(gguf->source, at, raw, n, err);
    if (status) return status;
    *negative = is_signed && raw[n - 1] > 127;
    if (*negative) memset(raw + n, 0xFF, sizeof raw - n);
    *bits = synp_u64(raw);
    return SYN_OK;
}

static bool synp_gguf_is_integer(syn_gguf_type type)
{
    return type <= SYN_GGUF_I32 || type == SYN_GGUF_U64 || type == SYN_GGUF_I64;
}

SYN_API syn_status syn_gguf_u32(const syn_gguf *gguf, const char *key, bool required,
                                uint32_t *value, syn_error *err)
{
    syn_gguf_value found;
    bool present, negative;
    uint64_t bits;
    synp_succeed(err);
    syn_status status = synp_gguf_scalar(gguf, key, required, &found, &present, err);
    if (status || !present) return status;
    if (!synp_gguf_is_integer(found.type))
        return synp_gguf_mistyped(key, &found, "an integer", err);
    status = synp_gguf_integer(gguf, found.type, found.offset, &bits, &negative, err);
    if (status) return status;
    if (negative)
        return synp_fail(err, SYN_ERROR_MODEL, "key %s is %d, expected 0 or more", key,
                         SYNP_D(-(int64_t)~bits - 1));
    if (bits > UINT32_MAX)
        return synp_fail(err, SYN_ERROR_MODEL, "key %s is %u, out of range", key, SYNP_U(bits));
    *value = (uint32_t)bits;
    return SYN_OK;
}

SYN_API syn_status syn_gguf_f32(const syn_gguf *gguf, const char *key, bool required, float *value,
                                syn_error *err)
{
    syn_gguf_value found;
    bool present;
    unsigned char raw[8];
    synp_succeed(err);
    syn_status status = synp_gguf_scalar(gguf, key, required, &found, &present, err);
    if (status || !present) return status;
    if (found.type != SYN_GGUF_F32 && found.type != SYN_GGUF_F64)
        return synp_gguf_mistyped(key, &found, "f32 or f64", err);
    status = synp_source_read(gguf->source, found.offset, raw, synp_gguf_size[found.type], err);
    if (!status) *value = found.type == SYN_GGUF_F32 ? synp_f32(raw) : (float)synp_f64(raw);
    return status;
}

SYN_API syn_status syn_gguf_bool(const syn_gguf *gguf, const char *key, bool required, bool *value,
                                 syn_error *err)
{
    syn_gguf_value found;
    bool present;
    unsigned char raw;
    synp_succeed(err);
    syn_status status = synp_gguf_scalar(gguf, key, required, &found, &present, err);
    if (status || !present) return status;
    if (found.type != SYN_GGUF_BOOL) return synp_gguf_mistyped(key, &found, "bool", err);
    status = synp_source_read(gguf->source, found.offset, &raw, 1, err);
    if (!status) *value = raw != 0;
    return status;
}

SYN_API syn_status syn_gguf_text(const syn_gguf *gguf, const char *key, bool required, char *text,
                                 size_t capacity, size_t *length, syn_error *err)
{
    syn_gguf_value found;
    bool present;
    size_t n;
    synp_succeed(err);
    syn_status status = synp_gguf_scalar(gguf, key, required, &found, &present, err);
    if (length) *length = 0;
    if (capacity) text[0] = '\0';
    if (status || !present) return status;
    if (found.type != SYN_GGUF_STRING) return synp_gguf_mistyped(key, &found, "a string", err);
    if (length) *length = found.bytes > SIZE_MAX ? SIZE_MAX : (size_t)found.bytes;
    if (!capacity) return SYN_OK;
    n = found.bytes < capacity - 1 ? (size_t)found.bytes : capacity - 1;
    status = synp_source_read(gguf->source, found.offset, text, n, err);
    text[status ? 0 : n] = '\0';
    return status;
}

/* rows * bytes of a row, checked: all three dimensions come from the file. */
static syn_status synp_tensor_bytes(const syn_gguf *gguf, syn_gguf_tensor *tensor,
                                    const syn_type *type, const char *name, size_t n,
                                    syn_error *err)
{
    uint64_t limit = gguf->source->size, bytes = tensor->ne[0] / type->block;
    int i;
    if (tensor->ne[0] % type->block)
        return synp_fail(err, SYN_ERROR_FORMAT,
                         "tensor %t: rows of %u weights, %s comes in blocks of %u", name, n,
                         SYNP_U(tensor->ne[0]), type->name, SYNP_U(type->block));
    if (bytes > limit / type->bytes) bytes = limit + 1;
    else bytes *= type->bytes;
    for (i = 1; i < 4; i++) {
        if (bytes <= limit && tensor->ne[i] > 1 && bytes > limit / tensor->ne[i]) bytes = limit + 1;
        else if (bytes <= limit) bytes *= tensor->ne[i];
    }
    if (bytes > limit)
        return synp_fail(err, SYN_ERROR_FORMAT,
                         "tensor %t: %u x %u x %u x %u of type %s is larger than the file", name, n,
                         SYNP_U(tensor->ne[0]), SYNP_U(tensor->ne[1]), SYNP_U(tensor->ne[2]),
                         SYNP_U(tensor->ne[3]), type->name);
    tensor->bytes = bytes;
    return SYN_OK;
}

static syn_status synp_tensor_range(const syn_gguf *gguf, syn_gguf_tensor *tensor, uint64_t offset,
                                    const char *name, size_t n, syn_error *err)
{
    if (offset % gguf->alignment)
        return synp_fail(err, SYN_ERROR_FORMAT,
                         "tensor %t: its offset %u is no multiple of the alignment %u", name, n,
                         SYNP_U(offset), SYNP_U(gguf->alignment));
    if (offset > gguf->source->size - gguf->data_at ||
        tensor->bytes > gguf->source->size - gguf->data_at - offset)
        return synp_fail(
            err, SYN_ERROR_FORMAT,
            "tensor %t: %u bytes at offset %u of the data run past the end of the file "
            "(%u bytes)",
            name, n, SYNP_U(tensor->bytes), SYNP_U(offset), SYNP_U(gguf->source->size));
    tensor->offset = gguf->data_at + offset;
    return SYN_OK;
}

static syn_status synp_tensor_dims(synp_cursor *cursor, syn_gguf_tensor *tensor, const char *name,
                                   size_t n)
{
    uint32_t dims, i;
    syn_status status = synp_cursor_u32(cursor, &dims, "a tensor's number of dimensions");
    if (status) return status;
    if (dims > 4)
        return synp_fail(cursor->err, SYN_ERROR_FORMAT, "tensor %t: %u dimensions, at most 4", name,
                         n, SYNP_U(dims));
    tensor->dims = (uint32_t)dims;
    for (i = 0; i < 4; i++) {
        tensor->ne[i] = 1;
        if (i >= dims) continue;
        status = synp_cursor_u64(cursor, &tensor->ne[i], "a tensor's dimensions");
        if (status) return status;
        if (tensor->ne[i] > (uint64_t)INT64_MAX)
            return synp_fail(cursor->err, SYN_ERROR_FORMAT, "tensor %t: dimension %u is %u", name,
                             n, SYNP_U(i), SYNP_U(tensor->ne[i]));
    }
    return SYN_OK;
}

/* Types that are newer than this header, with the names that their authors gave them. */
static syn_status synp_type_unknown(uint32_t type, const char *name, size_t n, syn_error *err)
{
    static const char *const young[] = {"NVFP4", "Q1_0", "Q2_0"};
    if (type >= 40 && type < 40 + sizeof young / sizeof *young)
        return synp_fail(err, SYN_ERROR_UNSUPPORTED, "tensor %t: type %s (%u) is not known here",
                         name, n, young[type - 40], SYNP_U(type));
    return synp_fail(err, SYN_ERROR_UNSUPPORTED, "tensor %t: unknown type %u", name, n,
                     SYNP_U(type));
}

/* One tensor info. Its data range can only be checked once data_at is known (data_at > 0). */
SYN_API syn_status syn_gguf_tensor_at(const syn_gguf *gguf, uint64_t at, syn_gguf_tensor *tensor,
                                      syn_error *err)
{
    synp_cursor cursor;
    char name[80];
    size_t n;
    uint64_t offset;
    const syn_type *type;
    syn_status status;
    synp_succeed(err);
    cursor.source = gguf->source;
    cursor.at = at;
    cursor.err = err;
    status = synp_cursor_text(&cursor, &tensor->name_at, &tensor->name_bytes, "a tensor's name");
    if (status) return status;
    if (tensor->name_bytes > SYNP_GGUF_NAME_BYTES)
        return synp_fail(err, SYN_ERROR_FORMAT, "tensor info at byte %u: a name of %u bytes",
                         SYNP_U(at), SYNP_U(tensor->name_bytes));
    n = tensor->name_bytes < sizeof name ? (size_t)tensor->name_bytes : sizeof name;
    status = synp_source_read(gguf->source, tensor->name_at, name, n, err); /* for messages */
    if (status) return status;
    status = synp_tensor_dims(&cursor, tensor, name, n);
    if (status) return status;
    status = synp_cursor_u32(&cursor, &tensor->type, "a tensor's type");
    if (status) return status;
    type = syn_type_find(tensor->type);
    if (!type) return synp_type_unknown(tensor->type, name, n, err);
    status = synp_tensor_bytes(gguf, tensor, type, name, n, err);
    if (status) return status;
    status = synp_cursor_u64(&cursor, &offset, "a tensor's offset");
    if (status) return status;
    tensor->next_at = cursor.at;
    tensor->offset = 0;
    return gguf->data_at ? synp_tensor_range(gguf, tensor, offset, name, n, err) : SYN_OK;
}

static syn_status synp_gguf_header(syn_gguf *gguf, synp_cursor *cursor)
{
    unsigned char magic[4];
    syn_status status = synp_cursor_bytes(cursor, magic, sizeof magic, "the magic number");
    if (status) return status;
    if (memcmp(magic, "GGUF", 4))
        return synp_fail(cursor->err, SYN_ERROR_FORMAT, "not a GGUF file: it begins with %t",
                         (const char *)magic, sizeof magic);
    status = synp_cursor_u32(cursor, &gguf->version, "the version");
    if (status) return status;
    if (gguf->version > 0xFFFF && !(gguf->version & 0xFFFF))
        return synp_fail(cursor->err, SYN_ERROR_UNSUPPORTED, "a big-endian GGUF file");
    if (gguf->version != 2 && gguf->version != 3)
        return synp_fail(cursor->err, SYN_ERROR_UNSUPPORTED, "GGUF version %u, known are 2 and 3",
                         SYNP_U(gguf->version));
    status = synp_cursor_u64(cursor, &gguf->tensors, "the number of tensors");
    if (status) return status;
    status = synp_cursor_u64(cursor, &gguf->keys, "the number of keys");
    if (status) return status;
    /* smallest key: length, type, one byte; smallest tensor: length, dims, type, offset */
    if (gguf->keys > (cursor->source->size - cursor->at) / 13 ||
        gguf->tensors > (cursor->source->size - cursor->at) / 24)
        return synp_fail(cursor->err, SYN_ERROR_FORMAT,
                         "the header claims %u keys and %u tensors, more than %u bytes can hold",
                         SYNP_U(gguf->keys), SYNP_U(gguf->tensors), SYNP_U(cursor->source->size));
    return SYN_OK;
}

static syn_status synp_gguf_walk_keys(syn_gguf *gguf, synp_cursor *cursor)
{
    uint64_t i;
    gguf->keys_at = cursor->at;
    for (i = 0; i < gguf->keys; i++) {
        uint64_t name_at, length, value_at;
        syn_gguf_value value;
        syn_status status = synp_cursor_text(cursor, &name_at, &length, "a key");
        if (status) return status;
        if (length > SYNP_GGUF_NAME_BYTES)
            return synp_fail(cursor->err, SYN_ERROR_FORMAT, "key at byte %u: a name of %u bytes",
                             SYNP_U(name_at), SYNP_U(length));
        value_at = cursor->at;
        status = synp_cursor_value(cursor, &value, value_at);
        if (status) return status;
        synp_gguf_remember(gguf, value_at, cursor->at);
    }
    return SYN_OK;
}

static syn_status synp_gguf_walk_tensors(syn_gguf *gguf, uint64_t *end, syn_error *err)
{
    uint64_t i, at = gguf->tensors_at;
    for (i = 0; i < gguf->tensors; i++) {
        syn_gguf_tensor tensor;
        syn_status status = syn_gguf_tensor_at(gguf, at, &tensor, err);
        if (status) return status;
        at = tensor.next_at;
    }
    *end = at;
    return SYN_OK;
}

static syn_status synp_gguf_place_data(syn_gguf *gguf, uint64_t infos_end, syn_error *err)
{
    uint64_t align = gguf->alignment, data_at = infos_end + (align - infos_end % align) % align;
    if (!gguf->tensors) return SYN_OK; /* a vocabulary only */
    if (data_at > gguf->source->size)
        return synp_fail(err, SYN_ERROR_FORMAT,
                         "the tensor data begin at byte %u, the file ends at %u", SYNP_U(data_at),
                         SYNP_U(gguf->source->size));
    gguf->data_at = data_at;
    return SYN_OK;
}

SYN_API syn_status syn_gguf_open(syn_gguf *gguf, const syn_source *source, syn_error *err)
{
    synp_cursor cursor;
    uint64_t infos_end;
    syn_status status;
    synp_succeed(err);
    memset(gguf, 0, sizeof *gguf);
    gguf->source = source;
    if (source->size > (uint64_t)INT64_MAX) /* so that no sum of two places wraps */
        return synp_fail(err, SYN_ERROR_FORMAT, "a source of %u bytes", SYNP_U(source->size));
    cursor.source = source;
    cursor.at = 0;
    cursor.err = err;
    status = synp_gguf_header(gguf, &cursor);
    if (!status) status = synp_gguf_walk_keys(gguf, &cursor);
    if (status) return status;
    gguf->tensors_at = cursor.at;
    gguf->alignment = SYNP_GGUF_DATA_ALIGNMENT;
    status = syn_gguf_u32(gguf, "general.alignment", false, &gguf->alignment, err);
    if (status) return status;
    if (!gguf->alignment || gguf->alignment & (gguf->alignment - 1))
        return synp_fail(err, SYN_ERROR_FORMAT, "general.alignment is %u, no power of two",
                         SYNP_U(gguf->alignment));
    status = synp_gguf_walk_tensors(gguf, &infos_end, err);
    if (!status) status = synp_gguf_place_data(gguf, infos_end, err);
    if (!status && gguf->data_at) status = synp_gguf_walk_tensors(gguf, &infos_end, err);
    return status;
}

/* ====================================================================================
   >>types
   One function a type unpacks one block. Codes come out in the order of the weights. In the
   comments, d and m are half floats unless said otherwise, sizes in bytes, fields in file order.
   ==================================================================================== */

/* Half float to float, exact for every input: subnormal, infinite and NaN included. */
static float synp_half(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000u) << 16, exponent = half >> 10 & 31u;
    uint32_t fraction = half & 0x3ffu, bits;
    float value;

    if (exponent == 0) {
        value = (float)fraction * 5.9604644775390625e-8f; /* 2^-24 */
        return sign ? -value : value;
    }
    bits = sign | fraction << 13 | (exponent == 31 ? 0x7f800000u : (exponent + 112) << 23);
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float synp_half_at(const unsigned char *p)
{
    return synp_half(synp_u16(p));
}

static float synp_float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* ------------------------------------------------ numbers */

static void synp_floats_f32(const unsigned char *data, float *out, size_t n)
{
    size_t i;
    for (i = 0; i < n; i++) out[i] = synp_f32(data + 4 * i);
}

static void synp_floats_f16(const unsigned char *data, float *out, size_t n)
{
    size_t i;
    for (i = 0; i < n; i++) out[i] = synp_half_at(data + 2 * i);
}

/* BF16 is the upper half of a float. */
static void synp_floats_bf16(const unsigned char *data, float *out, size_t n)
{
    size_t i;
    for (i = 0; i < n; i++) out[i] = synp_float_of((uint32_t)synp_u16(data + 2 * i) << 16);
}

/* A double beyond the range of float becomes infinite. */
static void synp_floats_f64(const unsigned char *data, float *out, size_t n)
{
    size_t i;
    for (i = 0; i < n; i++) {
        double value = synp_f64(data + 8 * i);
        if (value > (double)FLT_MAX) {
            value = (double)HUGE_VALF;
        } else if (value < -(double)FLT_MAX) {
            value = -(double)HUGE_VALF;
        }
        out[i] = (float)value;
    }
}

/* ------------------------------------------------ blocks of 32 */

/* 16 bytes of two nibbles: the low ones are weights 0-15, the high ones 16-31. */
static void synp_nibbles(const unsigned char *p, int8_t *q, int offset)
{
    int i;
    for (i = 0; i < 16; i++) {
        q[i] = (int8_t)((p[i] & 15) - offset);
        q[i + 16] = (int8_t)((p[i] >> 4) - offset);
    }
}

/* Adds 16 times bit i of `high` to code i. */
static void synp_fifth_bits(uint32_t high, int8_t *q)
{
    int i;
    for (i = 0; i < 32; i++) q[i] = (int8_t)(q[i] + (int)(high >> i & 1u) * 16);
}

/* d, 16 x 2 nibbles; codes -8..7 */
static void synp_codes_q4_0(const unsigned char *p, int8_t *q, float *scale, float *minimum)
{
    (void)minimum;
    scale[0] = synp_half_at(p);
    synp_nibbles(p + 2, q, 8);
}

/* d, m, 16 x 2 nibbles; codes 0..15 */
static void synp_codes_q4_1(const unsigned char *p, int8_t *q, float *scale, float *minimum)
{
    scale[0] = synp_half_at(p);
    minimum[0] = synp_half_at(p + 2);
    synp_nibbles(p + 4, q, 0);
}

/* d, 32 fifth bits, 16 x 2 nibbles; codes -16..15 */
static void synp_codes_q5_0(const unsigned char *p, int8_t *q, float *scale, float *minimum)
{
    (void)minimum;
    scale[0] = synp_half_at(p);
    synp_nibbles(p + 6, q, 16);
    synp_fifth_bits(synp_u32(p + 2), q);
}

/* d, m, 32 fifth bits, 16 x 2 nibbles; codes 0..31 */
static void synp_codes_q5_1(const unsigned char *p, int8_t *q, float *scale, float *minimum)
{
    scale[0] = synp_half_at(p);
    minimum[0] = synp_half_at(p + 2);
    synp_nibbles(p + 8, q, 0);
    synp_fifth_bits(synp_u32(p + 4), q);
}

/* d, 32 int8 */
static void synp_codes_q8_0(const unsigned char *p, int8_t *q, float *scale, float *minimum)
{
    (void)minimum;
    scale[0] = synp_half_at(p);
    memcpy(q, p + 2, 32);
}

/* ------------------------------------------------ super-blocks of 256 */

/* 64 bytes of four 2-bit fields to 256 codes: byte l of each 32 holds weights l, l+32, l+64, l+96
   of its 128. */
static void synp_quarters(const unsigned char *p, int8_t *q, int offset)
{
    int half, shift, l;
    for (half = 0; half < 2; half++) {
        for (shift = 0; shift < 8; shift += 2) {
            for (l = 0; l < 32; l++) *q++ = (int8_t)((p[32 * half + l] >> shift & 3) - offset);
        }
    }
}

/* 16 x (scale, minimum) nibbles, 64 x 4 codes, d, dmin */
static void synp_codes_q2_k(const unsigned char *p, int8_t *q, float *scale, float *minimum)
{
    float d = synp_half_at(p + 80), dmin = synp_half_at(p + 82);
    int g;
    for (g = 0; g < 16; g++) {
        scale[g] = d * (float)(p[g] & 15);
        minimum[g] = -(dmin * (float)(p[g] >> 4));
    }
    synp_quarters(p + 16, q, 0);
}

/* 32 bytes of third bits, 64 x 4 low codes, 12 bytes of 6-bit scales, d. The third bit of weight
   32j + l is bit j of byte l; where it is 0 the code is 4 less. Scale g has its low nibble in
   byte g % 8 and its two high bits in byte 8 + g % 4. */
static void synp_codes_q3_k(const unsigned char *p, int8_t *q, float *scale, float *minimum)
{
    const unsigned char *s = p + 96;
    float d = synp_half_at(p + 108);
    int g, i;
    (void)minimum;
    for (g = 0; g < 16; g++) {
        int low = s[g & 7] >> (g < 8 ? 0 : 4) & 15, high = s[8 + (g & 3)] >> 2 * (g >> 2) & 3;
        scale[g] = d * (float)((low | high << 4) - 32);
    }
    synp_quarters(p + 32, q, 4);
    for (i = 0; i < 256; i++) q[i] = (int8_t)(q[i] + (p[i & 31] >> (i >> 5) & 1) * 4);
}

/* The 12 bytes of Q4_K and Q5_K: eight 6-bit scales and eight 6-bit minima. */
static void synp_scales_k(const unsigned char *p, float *scale, float *minimum)
{
    const unsigned char *s = p + 4;
    float d = synp_half_at(p), dmin = synp_half_at(p + 2);
    int g;
    for (g = 0; g < 4; g++) {
        scale[g] = d * (float)(s[g] & 63);
        minimum[g] = -(dmin * (float)(s[g + 4] & 63));
        scale[g + 4] = d * (float)((s[g + 8] & 15) | (s[g] >> 6) << 4);
        minimum[g + 4] = -(dmin * (float)(s[g + 8] >> 4 | (s[g + 4] >> 6) << 4));
    }
}

/* 32 bytes hold 64 codes: the low nibbles, then the high ones. */
static void synp_nibbles_k(const unsigned char *p, int8_t *q)
{
    int c, l;
    for (c = 0; c < 4; c++) {
        for (l = 0; l < 32; l++) {
            q[64 * c + l] = (int8_t)(p[32 * c + l] & 15);
            q[64 * c + 32 + l] = (int8_t)(p[32 * c + l] >> 4);
        }
    }
}

/* d, dmin, 12 bytes of scales, 128 x 2 nibbles */
static void synp_codes_q4_k(const unsigned char *p, int8_t *q, float *scale, float *minimum)
{
    synp_scales_k(p, scale, minimum);
    synp_nibbles_k(p + 16, q);
}

/* d, dmin, 12 bytes of scales, 32 bytes of fifth bits (bit j of byte l: weight 32j + l),
   128 x 2 nibbles */
static void synp_codes_q5_k(const unsigned char *p, int8_t *q, float *scale, float *minimum)
{
    int i;
    synp_scales_k(p, scale, minimum);
    synp_nibbles_k(p + 48, q);
    for (i = 0; i < 256; i++) q[i] = (int8_t)(q[i] + (p[16 + (i & 31)] >> (i >> 5) & 1) * 16);
}

/* 128 x 2 nibbles, 64 x 4 upper 2-bit fields, 16 int8 scales, d; codes -32..31. In each 128
   weights, low[l] has weights l and l+64, low[l+32] has l+32 and l+96. */
static void synp_codes_q6_k(const unsigned char *p, int8_t *q, float *scale, float *minimum)
{
    float d = synp_half_at(p + 208);
    int g, half, j, l;
    (void)minimum;
    for (g = 0; g < 16; g++) scale[g] = d * (float)(p[192 + g] - (p[192 + g] >> 7) * 256);
    for (half = 0; half < 2; half++) {
        const unsigned char *low = p + 64 * half, *high = p + 128 + 32 * half;
        for (j = 0; j < 4; j++) {
            for (l = 0; l < 32; l++) {
                int code = (low[(j & 1) * 32 + l] >> (j < 2 ? 0 : 4) & 15) | (high[l] >> 2 * j & 3)
                                                                                 << 4;
                *q++ = (int8_t)(code - 32);
            }
        }
    }
}

/* d (float), 256 int8, 16 sums (int16) that are not needed here */
static void synp_codes_q8_k(const unsigned char *p, int8_t *q, float *scale, float *minimum)
{
    int g;
    (void)minimum;
    for (g = 0; g < 8; g++) scale[g] = synp_f32(p);
    memcpy(q, p + 4, 256);
}

/* ------------------------------------------------ ternary and 4-bit tables */

/* `bytes` bytes of `digits` base-3 digits, highest first: digit j of byte i is weight
   bytes * j + i. A byte is 256/243 of its number, rounded up, so that multiplying by 3 lifts the
   next digit out of it. */
static void synp_trits(const unsigned char *p, int bytes, int digits, int8_t *q)
{
    int i, j, power = 1;
    for (j = 0; j < digits; j++, power *= 3) {
        for (i = 0; i < bytes; i++) {
            int digit = ((p[i] * power & 255) * 3) >> 8;
            *q++ = (int8_t)(digit - 1);
        }
    }
}

static void synp_scale_all(float *scale, int groups, float value)
{
    int g;
    for (g = 0; g < groups; g++) scale[g] = value;
}

/* 32 + 16 bytes of five digits, 4 bytes of four, d; codes -1..1 */
static void synp_codes_tq1_0(const unsigned char *p, int8_t *q, float *scale, float *minimum)
{
    (void)minimum;
    synp_scale_all(scale, 8, synp_half_at(p + 52));
    synp_trits(p, 32, 5, q);
    synp_trits(p + 32, 16, 5, q + 160);
    synp_trits(p + 48, 4, 4, q + 240);
}

/* 64 x 4 codes, d; codes -1..2 */
static void synp_codes_tq2_0(const unsigned char *p, int8_t *q, float *scale, float *minimum)
{
    (void)minimum;
    synp_scale_all(scale, 8, synp_half_at(p + 64));
    synp_quarters(p, q, 1);
}

static void synp_table_nibbles(const unsigned char *p, const int8_t *table, int8_t *q)
{
    int i;
    for (i = 0; i < 16; i++) {
        q[i] = table[p[i] & 15];
        q[i + 16] = table[p[i] >> 4];
    }
}

/* e (the exponent of a power of two, bias 127), 16 x 2 nibbles. The table holds twice the
   values of the E2M1 format, so the scale is 2^(e - 128). */
static const int8_t synp_table_mxfp4[16] = {0, 1,  2,  3,  4,  6,  8,  12,
                                            0, -1, -2, -3, -4, -6, -8, -12};

static void synp_codes_mxfp4(const unsigned char *p, int8_t *q, float *scale, float *minimum)
{
    uint32_t e = p[0];
    (void)minimum;
    scale[0] = synp_float_of(e < 2 ? (uint32_t)0x200000 << e : (e - 1) << 23);
    synp_table_nibbles(p + 1, synp_table_mxfp4, q);
}

static const int8_t synp_table_iq4[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                          1,    13,   25,  38,  53,  69,  89,  113};

/* d, 16 x 2 nibbles */
static void synp_codes_iq4_nl(const unsigned char *p, int8_t *q, float *scale, float *minimum)
{
    (void)minimum;
    scale[0] = synp_half_at(p);
    synp_table_nibbles(p + 2, synp_table_iq4, q);
}

/* d, 8 x 2 high bits of the scales, 8 nibbles of the scales, 8 x (16 x 2 nibbles) */
static void synp_codes_iq4_xs(const unsigned char *p, int8_t *q, float *scale, float *minimum)
{
    float d = synp_half_at(p);
    int g;
    (void)minimum;
    for (g = 0; g < 8; g++) {
        int low = p[4 + g / 2] >> 4 * (g & 1) & 15, high = synp_u16(p + 2) >> 2 * g & 3;
        scale[g] = d * (float)((low | high << 4) - 32);
        synp_table_nibbles(p + 8 + 16 * g, synp_table_iq4, q + 32 * g);
    }
}

/* ------------------------------------------------ types with grids
   Eight (or four) codes at a time are looked up in a grid of the shapes that occur. The grids are
   facts of the format; tests/reference/iq_tables.py prints them. An entry takes 16 bits: digits
   of 2 bits (eight codes) or 4 bits (four codes), first code lowest; a digit is an index into
   the few values that a code may have. SYNERGY_NO_IQ leaves out these six types and the
   9216 bytes of their grids. */
#ifndef SYNERGY_NO_IQ

/* IQ1_S and IQ1_M: digit - 1 */
static const uint64_t synp_grid_iq1[512] = {
    0x8000500020000,    0x2000150011000a,   0x45002a00280022,   0x65005600540051,
    0x8a008800820080,   0xa800a200a00095,   0x1110105010400aa,  0x11a011901160114,
    0x149014601410125,  0x161015a01550152,  0x185016801660164,  0x1a5019601940191,
    0x20a020802020200,  0x228022202200215,  0x25902510245022a,  0x282028002690264,
    0x2950291028a0288,  0x2a802a202a00299,  0x4160414041102aa,  0x455044904410425,
    0x49104650464045a,  0x504050104a50499,  0x518051505060505,  0x54505400529051a,
    0x55405510550054a,  0x560055905560555,  0x56a056805650562,  0x598059505910581,
    0x5a505a405a1059a,  0x619061405a905a6,  0x652065006440641,  0x661066006580655,
    0x691068506690666,  0x802080006990694,  0x8200815080a0808,  0x845082a08280822,
    0x880086508560851,  0x895088a08880882,  0x8aa08a808a208a0,  0x919091409110905,
    0x950094109250924,  0x964096109550951,  0x996099409910969,  0xa020a0009a50999,
    0xa200a150a0a0a08,  0xa450a2a0a280a22,  0xa650a610a590a51,  0xa880a850a820a80,
    0xaa20aa00a950a8a,  0x101110100aaa0aa8, 0x1025102410191014, 0x1055105010441041,
    0x1065106410611058, 0x1096109410911069, 0x1104110110a510a1, 0x1112111011091106,
    0x1124112111181115, 0x1150114a11451129, 0x1155115411521151, 0x1165116011591156,
    0x11a1119511921184, 0x12161214121111a4, 0x1249124612401225, 0x125a125812551252,
    0x1291128512661264, 0x140112a512961294, 0x1415141414091406, 0x1426142114191418,
    0x1448144614451441, 0x145514541451144a, 0x1465146214591456, 0x1490148914841468,
    0x1499149814951494, 0x14a514a414a1149a, 0x150a1505150214a9, 0x1516151515141511,
    0x1525152215201519, 0x15441541152a1528, 0x1552155115461545, 0x1559155615551554,
    0x156515641561155a, 0x1582158015691566, 0x158a158815851584, 0x1595159415911590,
    0x15a0159a15991596, 0x1604160115a515a2, 0x1616161516061605, 0x16261621161a1618,
    0x1645164416421640, 0x16551651164a1648, 0x1661165916581656, 0x1669166816651664,
    0x1692168a1686166a, 0x181116a916a41695, 0x1844184118251816, 0x1855185018491846,
    0x18611860185a1858, 0x1885186918661864, 0x191018a518941891, 0x1921191a19151912,
    0x1945194419421925, 0x1955195419511948, 0x1960195a19591956, 0x19911989196a1965,
    0x19a1199819951992, 0x1a161a0919a919a6, 0x1a461a441a261a24, 0x1a551a521a501a49,
    0x1a691a661a611a58, 0x1a9a1a961a911a85, 0x200a200820022000, 0x2025202220202015,
    0x20512045202a2028, 0x2080206520612059, 0x2095208a20882082, 0x20a820a520a220a0,
    0x21142111210520aa, 0x2144214221252119, 0x215a215821552149, 0x2166216521642161,
    0x2199219621902185, 0x220a2208220121a5, 0x2222222022152211, 0x22512245222a2228,
    0x2281226522592256, 0x22952291228a2288, 0x22aa22a822a222a0, 0x2419241624142405,
    0x2446244524442425, 0x2458245524522449, 0x249124852466245a, 0x24a524a124992494,
    0x2529252125152509, 0x2551254825452540, 0x2562255925552554, 0x2590258925682565,
    0x259a259825952594, 0x25a925a625a425a1, 0x2619261226102605, 0x2655264926412625,
    0x2684266926612660, 0x2800269a26902686, 0x2815280a28082802, 0x282a282828222820,
    0x2865285428512845, 0x288a288828822880, 0x28aa28a828a228a0, 0x2919291429112909,
    0x2952294929462925, 0x2966296429612955, 0x2996299029852969, 0x2a0029a529a42999,
    0x2a202a0a2a082a02, 0x2a452a2a2a282a22, 0x2a652a592a562a51, 0x2a8a2a882a822a80,
    0x2aa82aa22aa02a95, 0x4016401140052aaa, 0x4055405240494025, 0x40644061405a4058,
    0x40a1409940944066, 0x41044101410040a6, 0x4115411241094106, 0x4121411a41184116,
    0x4148414541294126, 0x415541544151414a, 0x4165415a41594156, 0x41844181416a4168,
    0x4195419241904186, 0x420541a241a141a0, 0x4225421642144211, 0x425a425542524241,
    0x4294428942694264, 0x44194415440142a5, 0x444a444844454429, 0x4456445544544451,
    0x4468446544624461, 0x448944864481446a, 0x44a0449544924490, 0x4502450144a944a1,
    0x45144511450a4505, 0x4520451945164515, 0x45444541452a4525, 0x4550454945464545,
    0x4556455545544551, 0x4564456145594558, 0x4582456945664565, 0x4591458845854584,
    0x4599459645954594, 0x45aa45a845a5459a, 0x4614460946054601, 0x4621461a46184615,
    0x4642464046294624, 0x4651465046484645, 0x4659465646554652, 0x4681466846654662,
    0x46954694468a4685, 0x480546a646a446a1, 0x4825481a48154811, 0x4855485048494842,
    0x4866486448614858, 0x4894489148854869, 0x490148a548994896, 0x4910490a49064905,
    0x4921491849154914, 0x4945494049264924, 0x495449524951494a, 0x4960495949564955,
    0x496a496649654962, 0x4995499249894986, 0x49a449a149984996, 0x4a444a1649a949a6,
    0x4a584a554a494a46, 0x4a944a694a644a5a, 0x5005500450014aa5, 0x5015501250095006,
    0x502950245021501a, 0x5051504850455040, 0x5059505650555054, 0x5089508650685065,
    0x50a150a050985095, 0x5108510550a950a6, 0x51145111510a5109, 0x5119511851165115,
    0x5128512651255120, 0x514551445141512a, 0x5151515051495146, 0x5156515551545152,
    0x5161515a51595158, 0x5169516651655164, 0x5194519151855182, 0x51a0519951965195,
    0x5206520151aa51a5, 0x5221521a52155212, 0x524a524552425224, 0x5256525552545251,
    0x5285526552625259, 0x5299529552925290, 0x5405540452a4529a, 0x5416541554145411,
    0x5425542154195418, 0x54445441542a5428, 0x544a544954465445, 0x5455545454515450,
    0x545a545954585456, 0x5465546454625461, 0x5488548054695466, 0x549554945491548a,
    0x54a454a154995496, 0x5502550154aa54a5, 0x5509550655055504, 0x5514551255115510,
    0x551a551955165515, 0x5526552555245521, 0x5542554155405529, 0x5548554655455544,
    0x5552555155505549, 0x5558555655555554, 0x55615560555a5559, 0x5568556655655564,
    0x55845581556a5569, 0x5590558a55895585, 0x5596559555945591, 0x55a455a155995598,
    0x560055a955a655a5, 0x5606560456025601, 0x5614561156095608, 0x5620561956185615,
    0x5625562456225621, 0x5641562956285626, 0x5649564856465645, 0x565256515650564a,
    0x5658565656555654, 0x56645661565a5659, 0x5685568256695665, 0x568a568956885686,
    0x56a2569a56955691, 0x56a956a856a656a5, 0x5809580658055804, 0x5821581858155810,
    0x584a58485845582a, 0x5856585558545851, 0x5862586058595858, 0x5889588258655864,
    0x5898589558925890, 0x5902590158a958a1, 0x59145911590a5905, 0x5925591959165915,
    0x5946594559445941, 0x5952595159505949, 0x5958595659555954, 0x59645961595a5959,
    0x5981596959665965, 0x5994599159895985, 0x5999599859965995, 0x5a155a085a0459a5,
    0x5a265a255a205a1a, 0x5a495a485a455a29, 0x5a585a565a555a51, 0x5a685a655a625a59,
    0x5a925a8a5a815a6a, 0x5a9a5a985a965a95, 0x6016601460055aa1, 0x6050604460256019,
    0x605a605860566055, 0x6069606660646061, 0x610160a560966081, 0x6112610961066104,
    0x6126612261216115, 0x6151614961456129, 0x6165615961566155, 0x618a6184616a6166,
    0x61a661a161956192, 0x62196216621161a9, 0x6255624662416240, 0x6285626062586256,
    0x641162a562966291, 0x641a641664156412, 0x6440642964266421, 0x644a644864456442,
    0x6456645564546451, 0x64626460645a6459, 0x6489648564846465, 0x6495649464926490,
    0x64a1649a64986496, 0x6508650564a964a4, 0x651665156511650a, 0x6546654565446519,
    0x6554655165506549, 0x6561655965566555, 0x6569656665656564, 0x6591658a65896586,
    0x659a659965966595, 0x65a865a665a565a2, 0x6620661566096602, 0x6640662966286626,
    0x6651664a66486645, 0x6658665666556654, 0x666866656660665a, 0x668a668566826680,
    0x6699669866966694, 0x66aa66a666a466a0, 0x6841682568196816, 0x6861685a68556852,
    0x6898689168856869, 0x69106904690168a6, 0x6926692469216915, 0x6945694169406929,
    0x6954695169486946, 0x6960695969566955, 0x69846982696a6965, 0x69a469a16995698a,
    0x6a166a1169a969a5, 0x6a496a446a416a18, 0x6a5a6a586a556a50, 0x6a866a696a656a64,
    0x6aa66a9a6a986a94, 0x800a800880028000, 0x802a802880228020, 0x8054805180508045,
    0x8080806580598056, 0x8095808a80888082, 0x80aa80a880a280a0, 0x8116811481118105,
    0x8144814181258119, 0x8155815281508149, 0x8164815981588156, 0x8189818581698166,
    0x81a5819981968194, 0x820a820882028200, 0x8228822282208215, 0x825982548251822a,
    0x8288828282808265, 0x82a282a08295828a, 0x8419841482aa82a8, 0x8455845184448441,
    0x846984648461845a, 0x8509850184998494, 0x8526851a85158512, 0x8545854185408529,
    0x8555855485518548, 0x8565855a85598556, 0x8581856a85688566, 0x8590858985868584,
    0x85a6859885958592, 0x8625861986168611, 0x864a864986448641, 0x865a865986558650,
    0x8685866a86668661, 0x880086a4869a8691, 0x8815880a88088802, 0x882a882888228820,
    0x8854885188458841, 0x8880886988658859, 0x8895888a88888882, 0x88aa88a888a288a0,
    0x8914891189068905, 0x8944894189258916, 0x8952895089498946, 0x89648961895a8955,
    0x89a5899989968985, 0x8a0a8a088a028a00, 0x8a288a228a208a15, 0x8a548a518a458a2a,
    0x8a888a828a808a56, 0x8aa28aa08a958a8a, 0x901190058aaa8aa8, 0x9025901990189016,
    0x9055904990469041, 0x906a9069905a9058, 0x9096909490919085, 0x9104910190a59099,
    0x9115911091099106, 0x91249121911a9118, 0x9145914091299126, 0x9155915491519150,
    0x9165916291599156, 0x9195919291869184, 0x91a691a491a19198, 0x92149211920591a9,
    0x9246924492259219, 0x9255925292509249, 0x9285926992669258, 0x940192a992969294,
    0x9415941094069404, 0x944a944094269418, 0x9456945594549451, 0x9461946094599458,
    0x9486948494659462, 0x9498949594949492, 0x9505950094a994a1, 0x95119510950a9508,
    0x9519951695159514, 0x952a952995259521, 0x9546954595449541, 0x9552955195509549,
    0x9558955695559554, 0x95649561955a9559, 0x9581956995669565, 0x9592959195889585,
    0x9599959695959594, 0x95a595a295a0959a, 0x9604960195aa95a8, 0x9620961996159610,
    0x9648964596299626, 0x9655965296519649, 0x9668966596599656, 0x968a968996849682,
    0x96a4969596949692, 0x9816980596a996a6, 0x9846984198259819, 0x9856985598529850,
    0x988598659864985a, 0x98a5989998969891, 0x9910990999069904, 0x991a991899159912,
    0x9926992499219920, 0x9948994599429940, 0x995599549951994a, 0x9965996299599956,
    0x99849981996a9966, 0x999a999599929990, 0x9a159a0599a699a1, 0x9a499a469a449a25,
    0x9a619a589a559a50, 0x9a959a949a919a85, 0xa008a002a0009a96, 0xa022a020a015a00a,
    0xa051a045a02aa028, 0xa080a059a056a054, 0xa095a08aa088a082, 0xa0aaa0a8a0a2a0a0,
    0xa114a111a109a105, 0xa146a11aa119a116, 0xa158a155a151a149, 0xa185a164a161a15a,
    0xa199a196a192a190, 0xa210a20aa208a202, 0xa22aa228a222a219, 0xa259a256a251a245,
    0xa288a282a280a265, 0xa2a2a2a0a295a28a, 0xa425a419a2aaa2a8, 0xa454a450a444a441,
    0xa461a45aa458a455, 0xa469a468a466a465, 0xa510a509a506a485, 0xa526a518a515a512,
    0xa551a545a542a529, 0xa559a556a555a554, 0xa584a581a56aa565, 0xa592a589a586a585,
    0xa611a605a598a595, 0xa625a621a61aa616, 0xa652a64aa646a644, 0xa660a658a656a655,
    0xa695a690a686a662, 0xa6a4a6a1a699a696, 0xa808a802a800a6a6, 0xa828a822a820a80a,
    0xa856a854a851a82a, 0xa888a882a880a859, 0xa8a2a8a0a895a88a, 0xa914a905a8aaa8a8,
    0xa941a925a921a919, 0xa961a95aa955a950, 0xa996a990a969a966, 0xaa0aaa08aa02aa00,
    0xaa2aaa28aa22aa20, 0xaa80aa56aa54aa51, 0xaa95aa8aaa88aa82, 0xaaaaaaa8aaa2aaa0,
};

/* IQ2_XXS: 8, 25, 43 */
static const uint64_t synp_grid_iq2_xxs[64] = {
    0x8000500020000,    0x2000140011000a,   0x41002a00280022,   0x61005800500044,
    0x8a008200800064,   0x1100104010100a2,  0x198018401400115,  0x282022202020200,
    0x421041004040401,  0x448044204400424,  0x490048404810460,  0x5080502050004a4,
    0x580056905460520,  0x640061006090591,  0x805080006a40684,  0x841082808140808,
    0x888085208500844,  0xa140a0209400904,  0x1021101010041001, 0x1090108410601040,
    0x1120110811001095, 0x12241180115a1150, 0x1420140814001245, 0x1518148014491425,
    0x1801161616001562, 0x1881184018101804, 0x1a5119a019051900, 0x2044200a20022000,
    0x2129208220802061, 0x2401220222002148, 0x2456244024102404, 0x2690256425412500,
    0x2a44289428202808, 0x4018401040044001, 0x4048404040244021, 0x4084408140604056,
    0x4161412041004090, 0x4210420141854180, 0x4400426842564248, 0x4499448044204408,
    0x4801460045244512, 0x4845484048104804, 0x4982496149584900, 0x500850004a904a45,
    0x5080502050195011, 0x51a4514251045088, 0x550a549254905291, 0x5811580056545601,
    0x5a08594058645819, 0x6068604060106004, 0x6260621861556100, 0x6512651064056400,
    0x8002800068426584, 0x810480828041800a, 0x8401821181408118, 0x8440841584108404,
    0x8594854685008460, 0x8802866086408609, 0x901090048a118904, 0x911690a190409024,
    0x9422940092459180, 0x9920988195519444, 0xa109a085a050a002, 0xa904a850a418a200,
};

/* IQ2_XS: 8, 25, 43 */
static const uint64_t synp_grid_iq2_xs[128] = {
    0x8000500020000,    0x1600140011000a,   0x25002200200019,   0x46004400410028,
    0x55005200500049,   0x80006400610058,   0x91008800850082,   0x10100a000990094,
    0x110010901060104,  0x11a011801150112,  0x142014001240121,  0x154015101480145,
    0x184018101680160,  0x205020202000190,  0x220021402110208,  0x255025002440241,
    0x4040401028a0280,  0x412041004090406,  0x424042104180415,  0x448044504420440,
    0x460045604540451,  0x500049004840481,  0x511050805050502,  0x544054105200514,
    0x601058005610550,  0x640062606100604,  0x802080006840642,  0x811080a08080805,
    0x841082508200814,  0x880085808500844,  0x904090108aa08a0,  0x989098109400910,
    0xa960a280a200a00,  0x1006100410010aa0, 0x1015101210101009, 0x1040102410211018,
    0x1051104810451042, 0x1081106a10601054, 0x1102110010901084, 0x1114111111081105,
    0x1150114411411120, 0x1201119611941180, 0x1240121012061204, 0x1405140214001260,
    0x1420141414111408, 0x1450144914441441, 0x1504150114801464, 0x1614160015401510,
    0x1810180418011649, 0x1886185418401812, 0x1a51196619051900, 0x2005200220001aa9,
    0x20142011200a2008, 0x2050204420412020, 0x2104210120a02080, 0x2165214821402110,
    0x22a8228022222200, 0x2429241024042401, 0x2552254125002440, 0x26a6261a26012599,
    0x2820280a28082800, 0x296828a228882855, 0x2a822a202a082990, 0x400440012a8a2a88,
    0x4012401040094006, 0x4024402140184015, 0x4048404540424040, 0x406040544051404a,
    0x4090408440814065, 0x4108410541024100, 0x4141412041144111, 0x4185418041504144,
    0x42104204420141a2, 0x4400424042294212, 0x4411440844054402, 0x4441442044194414,
    0x4494448044504444, 0x4524451045044501, 0x460a4600459a4540, 0x4804480146504644,
    0x4854484548404810, 0x4944491149004862, 0x50004a0449694950, 0x5011500850055002,
    0x5041502850205014, 0x5101508050505044, 0x5140511551105104, 0x52aa524452005142,
    0x5421541054045401, 0x54a1548154605440, 0x5588558055085500, 0x580056a156685621,
    0x5899585058415814, 0x5a8559425940591a, 0x6040601060046001, 0x60a9608660626054,
    0x6292624a62246100, 0x6540651064166400, 0x686a680165a46545, 0x6a626a546a066925,
    0x8008800580028000, 0x802a802080148011, 0x8080805080448041, 0x810180aa80a88082,
    0x8140811081068104, 0x8220820081598151, 0x82a882a082828280, 0x8412841084048401,
    0x8489846084408415, 0x861885a585448500, 0x882588088800866a, 0x88a888828880885a,
    0x8a888a808a228906, 0x900490018aa88a96, 0x9084905690409010, 0x9256916491229100,
    0x9444940594009289, 0x9590952994589450, 0x98a6985196419592, 0xa0009a609a159949,
    0xa020a00aa008a002, 0xa159a151a0a0a02a, 0xa208a202a200a1a6, 0xa440a2a0a280a22a,
    0xa80aa698a665a495, 0xa8a0a828a822a820, 0xa986a984a904a8a8, 0xaaaaaa91aa2aaa28,
};

/* IQ2_S: 8, 25, 43 */
static const uint64_t synp_grid_iq2_s[256] = {
    0x8000500020000,    0x1600140011000a,   0x25002200200019,   0x46004400410028,
    0x55005200500049,   0x66006400610058,   0x85008200800069,   0xa0009400910088,
    0x104010100aa00a5,  0x112011001090106,  0x124012101180115,  0x148014501420140,
    0x159015601540151,  0x181016801650160,  0x195019201900184,  0x202020001a401a1,
    0x214021102080205,  0x2440241022a0220,  0x255025002490246,  0x294028a02850280,
    0x4060404040102a2,  0x415041204100409,  0x426042404210418,  0x445044204400429,
    0x4540451044a0448,  0x462046004590456,  0x486048404810465,  0x498049504900489,
    0x502050004a404a1,  0x511050a05080505,  0x520051905160514,  0x544054105280525,
    0x552055005490546,  0x564056105580555,  0x588058505820580,  0x60105a005940591,
    0x610060906060604,  0x648064506400615,  0x681066006540651,  0x802080006900684,
    0x814081108080805,  0x825082008190816,  0x84608440841082a,  0x855085208500849,
    0x880086408610858,  0x90108aa08940885,  0x915091209100904,  0x945094009210918,
    0x960095409510948,  0xa110a0009900981,  0xa2a0a280a220a14,  0x100410010a990a50,
    0x1012101010091006, 0x1024102110181015, 0x1045104210401026, 0x1056105410511048,
    0x1065106210601059, 0x1086108410811068, 0x10a1109810951090, 0x11051102110010a4,
    0x11141111110a1108, 0x1122112011191116, 0x1144114111281125, 0x1152115011491146,
    0x1164116111581155, 0x1188118511821180, 0x1204120111941191, 0x1221121512101209,
    0x1251124512401224, 0x1290128412811254, 0x1408140514021400, 0x1419141614141411,
    0x1441142814251420, 0x1450144914461444, 0x1461145814551452, 0x1485148214801464,
    0x14a0149414911488, 0x1509150615041501, 0x1518151515121510, 0x1542154015241521,
    0x1554155115481545, 0x1590158415811560, 0x1611160816051600, 0x1644164116201614,
    0x180116aa16801650, 0x1810180918061804, 0x1840182118181815, 0x1851184818451842,
    0x1884188118601854, 0x1908190519021900, 0x1941192019141911, 0x19a2196919501944,
    0x1a561a401a101a04, 0x2008200520022000, 0x2019201620142011, 0x2041202a20252020,
    0x2055205220502044, 0x2094208a20802064, 0x21102104210120aa, 0x2140212121152112,
    0x2154215121452142, 0x2190218421812160, 0x22282222220a2200, 0x228822502244222a,
    0x2404240122a8228a, 0x2415241024092406, 0x2440242424212418, 0x2451244824452442,
    0x2484248124602454, 0x2508250525002490, 0x2541252025142511, 0x2580256625502544,
    0x2640261026042601, 0x2811280528002659, 0x2850284428412814, 0x2904290128aa288a,
    0x2a222a0a29952910, 0x40012a8a2a882a64, 0x4010400940064004, 0x401a401840154012,
    0x4040402640244021, 0x404a404840454042, 0x4059405640544051, 0x4081406540624060,
    0x4098409540904084, 0x4102410040a440a1, 0x4114411141084105, 0x4122412041194116,
    0x4146414441414125, 0x4155415241504149, 0x4180416441614158, 0x4191418841854182,
    0x4204420141a04194, 0x4218421542124210, 0x4248424542404224, 0x4281426042544251,
    0x4405440244004284, 0x44144411440a4408, 0x4422442044194416, 0x4444444144284425,
    0x4452445044494446, 0x4464446144584455, 0x4488448544824480, 0x450144a044944491,
    0x4510450945064504, 0x4521451845154512, 0x4545454245404524, 0x4560455445514548,
    0x459045844581456a, 0x4608460546024600, 0x4641462046144611, 0x46a5468046504644,
    0x4810480948044801, 0x4821481848154812, 0x4845484248404824, 0x4860485448514848,
    0x4902490048904884, 0x4914491149084905, 0x4950494449414920, 0x4a044a0149964980,
    0x500250004a404a10, 0x5014501150085005, 0x5022502050195016, 0x5044504150285025,
    0x5052505050495046, 0x5064506150585055, 0x5088508550825080, 0x5104510150945091,
    0x5112511051095106, 0x5124512151185115, 0x5148514551425140, 0x5181516051545151,
    0x5205520051905184, 0x5220521452115208, 0x5269525052445241, 0x5406540454015280,
    0x5415541254105409, 0x5440542454215418, 0x5451544854455442, 0x5484548154605454,
    0x5505550255005490, 0x5520551455115508, 0x5580555055445541, 0x5626561056045601,
    0x5805580258005640, 0x5820581458115808, 0x585a585058445841, 0x5910590459015880,
    0x5a855a195a005940, 0x6006600460015aa8, 0x6018601560126010, 0x6045604060246021,
    0x6060605460516048, 0x6102610060906084, 0x6114611161086105, 0x6150614461416120,
    0x6210620461996180, 0x640062a162566240, 0x6414641164086405, 0x6450644464416420,
    0x6510650465016480, 0x65926568654a6540, 0x6804680166946600, 0x6900689868656810,
    0x80006aa16a42692a, 0x8011800880058002, 0x8025802080198014, 0x8052805080448041,
    0x8080806180588055, 0x8101809480918085, 0x8112811081098104, 0x8124812181188115,
    0x8148814581428140, 0x8184818181548151, 0x8205820081a98190, 0x824182148211820a,
    0x8404840182508244, 0x8412841084098406, 0x8440842184188415, 0x8451844884458442,
    0x8484848184608454, 0x8505850285008490, 0x8520851485118508, 0x8580855085448541,
    0x861086048601858a, 0x8805880086408629, 0x8844884188148811, 0x8904890188a28850,
    0x8a588a2289658940, 0x90018aa28a828a5a, 0x9012901090099004, 0x9040902490189015,
    0x9051904890459042, 0x9084908190609054, 0x9111910591009090, 0x9150914491419114,
    0x921092049201915a, 0x9402940092a69240, 0x9414941194089405, 0x9450944494419420,
    0x9504950194969480, 0x95a1959895409510, 0x9801966496469600, 0x9840982698109804,
    0x99529949990098a9, 0xa00aa005a0009a90, 0xa041a02aa022a014, 0xa0aaa0a2a050a044,
    0xa20aa202a165a140, 0xa282a22aa228a222, 0xa401a2a8a28aa288, 0xa489a440a410a404,
    0xa651a519a500a4a4, 0xa954a8a2a828a80a, 0xaa20aa0aaa08a986, 0xaaaaaa88aa28aa22,
};

/* IQ3_XXS: 4, 12, 20, 28, 36, 44, 52, 62 */
static const uint64_t synp_grid_iq3_xxs[64] = {
    0x11000400020000,   0x22002000170013,   0x75007300420031,   0x112011001030101,
    0x132013001250121,  0x200017001540141,  0x220021102040202,  0x237023302310222,
    0x301027502570251,  0x325031203100307,  0x444043704130370,  0x501047504730457,
    0x635055205320507,  0x716071407100664,  0x1003100107610743, 0x1023102110121010,
    0x1047103410321030, 0x1111110211001050, 0x1203120111221120, 0x1230122112121210,
    0x1320130213001272, 0x1401136613461331, 0x1524152014501405, 0x1722160515711546,
    0x2011200220001740, 0x2026202220202013, 0x2103210120422031, 0x2121211221102105,
    0x2170216721632130, 0x2217221122022200, 0x2240223722222220, 0x2314231023012255,
    0x2453243523742370, 0x2574254125272503, 0x2745271627032701, 0x3021301230103001,
    0x3072306530503023, 0x3131312031023100, 0x3203320131463144, 0x3272325232253210,
    0x3447343033333311, 0x3522350635003472, 0x3663363636143555, 0x4017400437603733,
    0x4057405340374035, 0x4240423742204174, 0x4345430742664260, 0x4525446444514404,
    0x4710470545704543, 0x5041501247304712, 0x5126510651005070, 0x5272523252145155,
    0x5423541053535302, 0x5531550254725427, 0x6024574257245650, 0x6121606460466044,
    0x6330626462176161, 0x6552650564446336, 0x7003672167036633, 0x7032701070077005,
    0x7212714071267052, 0x7315730072527245, 0x7441742173607333, 0x7630752475027500,
};

/* IQ3_S: 1, 3, 5 ... 15 */
static const uint64_t synp_grid_iq3_s[128] = {
    0x5000200010000,    0x12001100100007,   0x21002000160014,   0x42004000330025,
    0x53005100470045,   0x74007100620060,   0x102010101000077,  0x115011101100104,
    0x131012701230120,  0x165016101440135,  0x205020102000172,  0x216021302100207,
    0x234023002250221,  0x251024702450242,  0x303027302700253,  0x322032003150311,
    0x344033603330331,  0x371036703520350,  0x417041304000375,  0x440043204240421,
    0x502047004510443,  0x526052205200504,  0x547054505410533,  0x611060605730566,
    0x671065206310613,  0x720070407020700,  0x750073307260722,  0x1002100110000754,
    0x1013101110101004, 0x1022102010171015, 0x1054103610341031, 0x1100107210611056,
    0x1110110611031101, 0x1133113011211114, 0x1170115211501141, 0x1215121212001176,
    0x1232122412201217, 0x1260125512431240, 0x1307130413011272, 0x1327132113131310,
    0x1362134113341330, 0x1412140514031370, 0x1442143314311414, 0x1501145414501446,
    0x1530152115131510, 0x1624162015511532, 0x1701164616441627, 0x1721171217101703,
    0x1770176217411735, 0x2005200320012000, 0x2014201220102007, 0x2027202320212016,
    0x2043204120322030, 0x2067205220502045, 0x2100207520732070, 0x2117211321102102,
    0x2134213121252122, 0x2204220121512142, 0x2230222322212207, 0x2257225322412237,
    0x2302230022742271, 0x2324232223112305, 0x2350234223332331, 0x2420240724012366,
    0x2441243524322423, 0x2511250424752472, 0x2553254025372522, 0x2607260226002570,
    0x2705266126552621, 0x2743273027262711, 0x3013301130022750, 0x3031302230173015,
    0x3044304230353033, 0x3071306330513047, 0x3114310531033101, 0x3160314031233121,
    0x3212320031763172, 0x3250323432323220, 0x3321331433103301, 0x3341333033273323,
    0x3373335533473343, 0x3422341634113403, 0x3464346034523431, 0x3525351235103501,
    0x3573355635443532, 0x3703370136413616, 0x4000373537223720, 0x4024402040124004,
    0x4050404140324027, 0x4111410741024070, 0x4135413041224113, 0x4201415541514143,
    0x4221421542104203, 0x4262425742404233, 0x4313431143044270, 0x4335433143224320,
    0x4437442444024400, 0x4507450544714440, 0x4634461345624521, 0x4730471547104660,
    0x5010500247514743, 0x5044504050225014, 0x5074506650525047, 0x5112510551035101,
    0x5200517251325121, 0x5236523052235211, 0x5310530753025253, 0x5365535153445327,
    0x5420540454015373, 0x5526551254465432, 0x5702564255535551, 0x6013601157225704,
    0x6060603360316015, 0x6164612761206100, 0x6255624262346212, 0x6314630062706262,
    0x6443642563406321, 0x6534650365006462, 0x6711664066056560, 0x7007700470006713,
    0x7040703670227020, 0x7111710270627054, 0x7201714571437124, 0x7221721672107204,
    0x7332730272517230, 0x7405740173537335, 0x7522745074207413, 0x7700763176027542,
};

static uint32_t synp_grid_entry(const uint64_t *grid, uint32_t index)
{
    return (uint32_t)(grid[index >> 2] >> 16 * (index & 3)) & 0xffffu;
}

/* Bit i of the result is the sign of code i: seven bits as stored, the eighth makes their sum
   even. */
static uint32_t synp_signs(uint32_t seven)
{
    uint32_t parity = seven ^ seven >> 4;
    parity ^= parity >> 2;
    parity ^= parity >> 1;
    return seven | (parity & 1u) << 7;
}

/* Eight codes are worked on as the bytes of one word; no step carries from a byte to the next. */
#define SYNP_BYTES(b) ((uint64_t)(b)*0x0101010101010101u)

/* Digits of 2 bits to bytes. */
static uint64_t synp_spread_digits(uint32_t entry)
{
    uint64_t x = entry;
    x = (x | x << 24) & 0x000000ff000000ffu;
    x = (x | x << 12) & 0x000f000f000f000fu;
    return (x | x << 6) & SYNP_BYTES(3);
}

/* Bytes whose bit is set in `signs` change their sign (none is 0); stored first byte first. */
static void synp_store_signed(uint64_t bytes, uint32_t signs, int8_t *q)
{
    uint64_t picked = SYNP_BYTES(signs) & 0x8040201008040201u;
    uint64_t one = (picked + SYNP_BYTES(127)) >> 7 & SYNP_BYTES(1);
    int i;
    bytes = (bytes ^ one * 255u) + one;
    for (i = 0; i < 8; i++) q[i] = (int8_t)(bytes >> 8 * i & 255u);
}

/* Eight codes of an IQ2 grid (8, 25, 43) with their signs. */
static void synp_grid_eight(const uint64_t *grid, uint32_t index, uint32_t signs, int8_t *q)
{
    uint64_t digit = synp_spread_digits(synp_grid_entry(grid, index));
    synp_store_signed(SYNP_BYTES(8) + digit * 17u + (digit >> 1 & SYNP_BYTES(1)), signs, q);
}

/* d, 8 x (4 grid indices of 8 bits, 4 signs of 7 bits and a scale of 4 bits) */
static void synp_codes_iq2_xxs(const unsigned char *p, int8_t *q, float *scale, float *minimum)
{
    float d = synp_half_at(p);
    int g, i;
    (void)minimum;
    for (g = 0; g < 8; g++) {
        const unsigned char *index = p + 2 + 8 * g;
        uint32_t signs = synp_u32(index + 4);
        scale[g] = d * (0.5f + (float)(signs >> 28)) * 0.25f;
        for (i = 0; i < 4; i++, q += 8) {
            synp_grid_eight(synp_grid_iq2_xxs, index[i], synp_signs(signs >> 7 * i & 127u), q);
        }
    }
}

/* Sixteen scales of 4 bits, low nibble first: d * (1/2 + s) / 4. */
static void synp_scales_iq2(const unsigned char *p, float d, float *scale)
{
    int g;
    for (g = 0; g < 16; g++) {
        scale[g] = d * (0.5f + (float)(p[g / 2] >> 4 * (g & 1) & 15)) * 0.25f;
    }
}

/* d, 32 x (9 bits of grid index, 7 of signs), scales */
static void synp_codes_iq2_xs(const unsigned char *p, int8_t *q, float *scale, float *minimum)
{
    int i;
    (void)minimum;
    synp_scales_iq2(p + 66, synp_half_at(p), scale);
    for (i = 0; i < 32; i++, q += 8) {
        uint32_t both = synp_u16(p + 2 + 2 * i);
        synp_grid_eight(synp_grid_iq2_xs, both & 511u, synp_signs(both >> 9), q);
    }
}

/* d, 32 low bytes of grid indices, 32 bytes of signs, 32 x 2 high bits, scales */
static void synp_codes_iq2_s(const unsigned char *p, int8_t *q, float *scale, float *minimum)
{
    int i;
    (void)minimum;
    synp_scales_iq2(p + 74, synp_half_at(p), scale);
    for (i = 0; i < 32; i++, q += 8) {
        uint32_t high = (uint32_t)p[66 + i / 4] >> 2 * (i & 3) & 3u;
        synp_grid_eight(synp_grid_iq2_s, p[2 + i] | high << 8, p[34 + i], q);
    }
}

/* Four codes of the IQ3_XXS grid: 4, 12, 20 ... 52, 62. */
static void synp_grid_four_xxs(uint32_t index, uint32_t signs, int8_t *q)
{
    uint32_t entry = synp_grid_entry(synp_grid_iq3_xxs, index);
    int i;
    for (i = 0; i < 4; i++) {
        int digit = (int)(entry >> 4 * i & 7), code = 8 * digit + (digit == 7 ? 6 : 4);
        q[i] = (int8_t)(signs >> i & 1u ? -code : code);
    }
}

/* d, 64 grid indices, 8 x (4 signs of 7 bits and a scale of 4 bits) */
static void synp_codes_iq3_xxs(const unsigned char *p, int8_t *q, float *scale, float *minimum)
{
    float d = synp_half_at(p);
    int g, i;
    (void)minimum;
    for (g = 0; g < 8; g++) {
        uint32_t word = synp_u32(p + 66 + 4 * g);
        scale[g] = d * (0.5f + (float)(word >> 28)) * 0.5f;
        for (i = 0; i < 4; i++, q += 8) {
            uint32_t signs = synp_signs(word >> 7 * i & 127u);
            synp_grid_four_xxs(p[2 + 8 * g + 2 * i], signs, q);
            synp_grid_four_xxs(p[2 + 8 * g + 2 * i + 1], signs >> 4, q + 4);
        }
    }
}

/* d, 64 low bytes of grid indices, 64 ninth bits, 32 bytes of signs, 8 scales of 4 bits; the
   codes are the odd numbers 1..15 */
static void synp_codes_iq3_s(const unsigned char *p, int8_t *q, float *scale, float *minimum)
{
    float d = synp_half_at(p);
    int g, i, k;
    (void)minimum;
    for (g = 0; g < 8; g++) scale[g] = d * (float)(1 + 2 * (p[106 + g / 2] >> 4 * (g & 1) & 15));
    for (i = 0; i < 64; i++) {
        uint32_t ninth = (uint32_t)p[66 + i / 8] >> (i & 7) & 1u;
        uint32_t signs = (uint32_t)p[74 + i / 2] >> 4 * (i & 1);
        uint32_t entry = synp_grid_entry(synp_grid_iq3_s, p[2 + i] | ninth << 8);
        for (k = 0; k < 4; k++) {
            int code = 2 * (int)(entry >> 4 * k & 7) + 1;
            *q++ = (int8_t)(signs >> k & 1u ? -code : code);
        }
    }
}

/* Eight codes of the IQ1 grid: -1, 0 or 1 with 1/8 added or taken off, all times 8. */
static void synp_grid_one(uint32_t index, bool down, int8_t *q)
{
    uint64_t digit = synp_spread_digits(synp_grid_entry(synp_grid_iq1, index));
    int i;
    for (i = 0; i < 8; i++) q[i] = (int8_t)((int)(digit >> 8 * i & 3u) * 8 - (down ? 9 : 7));
}

/* d, 32 low bytes of grid indices, 8 x (4 x 3 high bits, 3 bits of scale, direction of 1/8) */
static void synp_codes_iq1_s(const unsigned char *p, int8_t *q, float *scale, float *minimum)
{
    float d = synp_half_at(p);
    int g, i;
    (void)minimum;
    for (g = 0; g < 8; g++) {
        uint32_t high = synp_u16(p + 34 + 2 * g);
        scale[g] = d * (float)(2 * (high >> 12 & 7u) + 1) * 0.125f;
        for (i = 0; i < 4; i++, q += 8) {
            uint32_t index = p[2 + 4 * g + i] | (high >> 3 * i & 7u) << 8;
            synp_grid_one(index, (high & 0x8000u) != 0, q);
        }
    }
}

/* 32 low bytes of grid indices, 32 x (3 high bits, direction of 1/8), 4 x (4 scales of 3 bits and
   4 bits of d, lowest first) */
static void synp_codes_iq1_m(const unsigned char *p, int8_t *q, float *scale, float *minimum)
{
    uint32_t half = 0;
    float d;
    int g, i;
    (void)minimum;
    for (i = 0; i < 4; i++) half |= (uint32_t)(synp_u16(p + 48 + 2 * i) >> 12) << 4 * i;
    d = synp_half((uint16_t)half);
    for (g = 0; g < 16; g++) {
        uint32_t s = (uint32_t)synp_u16(p + 48 + 2 * (g / 4)) >> 3 * (g & 3) & 7u;
        scale[g] = d * (float)(2 * s + 1) * 0.125f;
    }
    for (i = 0; i < 32; i++, q += 8) {
        uint32_t high = (uint32_t)p[32 + i / 2] >> 4 * (i & 1) & 15u;
        synp_grid_one(p[i] | (high & 7u) << 8, (high & 8u) != 0, q);
    }
}
#endif /* SYNERGY_NO_IQ */

/* ------------------------------------------------ the table */

static const syn_type synp_types[] = {
    /* name, id, block, bytes, group, minimum, floats, codes */
    {"F32", SYN_TYPE_F32, 1, 4, 0, false, synp_floats_f32, NULL},
    {"F16", SYN_TYPE_F16, 1, 2, 0, false, synp_floats_f16, NULL},
    {"Q4_0", SYN_TYPE_Q4_0, 32, 18, 32, false, NULL, synp_codes_q4_0},
    {"Q4_1", SYN_TYPE_Q4_1, 32, 20, 32, true, NULL, synp_codes_q4_1},
    {"Q5_0", SYN_TYPE_Q5_0, 32, 22, 32, false, NULL, synp_codes_q5_0},
    {"Q5_1", SYN_TYPE_Q5_1, 32, 24, 32, true, NULL, synp_codes_q5_1},
    {"Q8_0", SYN_TYPE_Q8_0, 32, 34, 32, false, NULL, synp_codes_q8_0},
    {"Q8_1", SYN_TYPE_Q8_1, 32, 36, 0, false, NULL, NULL},
    {"Q2_K", SYN_TYPE_Q2_K, 256, 84, 16, true, NULL, synp_codes_q2_k},
    {"Q3_K", SYN_TYPE_Q3_K, 256, 110, 16, false, NULL, synp_codes_q3_k},
    {"Q4_K", SYN_TYPE_Q4_K, 256, 144, 32, true, NULL, synp_codes_q4_k},
    {"Q5_K", SYN_TYPE_Q5_K, 256, 176, 32, true, NULL, synp_codes_q5_k},
    {"Q6_K", SYN_TYPE_Q6_K, 256, 210, 16, false, NULL, synp_codes_q6_k},
    {"Q8_K", SYN_TYPE_Q8_K, 256, 292, 32, false, NULL, synp_codes_q8_k},
#ifndef SYNERGY_NO_IQ
    {"IQ2_XXS", SYN_TYPE_IQ2_XXS, 256, 66, 32, false, NULL, synp_codes_iq2_xxs},
    {"IQ2_XS", SYN_TYPE_IQ2_XS, 256, 74, 16, false, NULL, synp_codes_iq2_xs},
    {"IQ3_XXS", SYN_TYPE_IQ3_XXS, 256, 98, 32, false, NULL, synp_codes_iq3_xxs},
    {"IQ1_S", SYN_TYPE_IQ1_S, 256, 50, 32, false, NULL, synp_codes_iq1_s},
    {"IQ3_S", SYN_TYPE_IQ3_S, 256, 110, 32, false, NULL, synp_codes_iq3_s},
    {"IQ2_S", SYN_TYPE_IQ2_S, 256, 82, 16, false, NULL, synp_codes_iq2_s},
    {"IQ1_M", SYN_TYPE_IQ1_M, 256, 56, 16, false, NULL, synp_codes_iq1_m},
#endif
    {"IQ4_NL", SYN_TYPE_IQ4_NL, 32, 18, 32, false, NULL, synp_codes_iq4_nl},
    {"IQ4_XS", SYN_TYPE_IQ4_XS, 256, 136, 32, false, NULL, synp_codes_iq4_xs},
    {"I8", SYN_TYPE_I8, 1, 1, 0, false, NULL, NULL},
    {"I16", SYN_TYPE_I16, 1, 2, 0, false, NULL, NULL},
    {"I32", SYN_TYPE_I32, 1, 4, 0, false, NULL, NULL},
    {"I64", SYN_TYPE_I64, 1, 8, 0, false, NULL, NULL},
    {"F64", SYN_TYPE_F64, 1, 8, 0, false, synp_floats_f64, NULL},
    {"BF16", SYN_TYPE_BF16, 1, 2, 0, false, synp_floats_bf16, NULL},
    {"TQ1_0", SYN_TYPE_TQ1_0, 256, 54, 32, false, NULL, synp_codes_tq1_0},
    {"TQ2_0", SYN_TYPE_TQ2_0, 256, 66, 32, false, NULL, synp_codes_tq2_0},
    {"MXFP4", SYN_TYPE_MXFP4, 32, 17, 32, false, NULL, synp_codes_mxfp4},
};

SYN_API const syn_type *syn_type_find(uint32_t id)
{
    size_t i;
    for (i = 0; i < sizeof synp_types / sizeof synp_types[0]; i++) {
        if (synp_types[i].id == id) return &synp_types[i];
    }
    return NULL;
}

SYN_API bool syn_type_computes(const syn_type *type)
{
    return type->floats != NULL || type->codes != NULL;
}

SYN_API uint64_t syn_type_bytes(const syn_type *type, uint64_t n)
{
    return n % type->block ? 0 : n / type->block * type->bytes;
}

/* One block of codes as floats. The products are stored before the minima are added, so that no
   compiler makes one rounding of two. */
static void synp_block_to_float(const syn_type *type, const unsigned char *data, float *out)
{
    int8_t q[SYN_BLOCK_MAX];
    float scale[SYN_BLOCK_MAX / 16], minimum[SYN_BLOCK_MAX / 16];
    size_t group = type->group, block = type->block, i;

    type->codes(data, q, scale, minimum);
    for (i = 0; i < block; i++) out[i] = scale[i / group] * (float)q[i];
    if (!type->minimum) return;
    for (i = 0; i < block; i++) out[i] += minimum[i / group];
}

SYN_API void syn_type_to_float(const syn_type *type, const void *data, float *out, size_t n)
{
    const unsigned char *block = (const unsigned char *)data;
    if (type->floats) {
        type->floats(block, out, n);
        return;
    }
    for (; n >= type->block; n -= type->block, out += type->block, block += type->bytes) {
        synp_block_to_float(type, block, out);
    }
}

/* ====================================================================================
   >>kernels
   The order of summation is part of the definition. Fast: the integer products of a group (16
   or 32 weights) are summed exactly; the result, times both scales, goes to one of four float
   sums, the one of the block's index modulo 4; (s0 + s1) + (s2 + s3) is the element. Exact:
   product i goes to float sum i modulo 16, and the sixteen are added as a tree. A vector
   register is these sums side by side, so that every level can follow the same order.
   ==================================================================================== */

/* Activations of 128 columns in 15 bits, as two digits of int8: x = scale * (256 q + r). Of each
   digit the first 16 of each of four blocks of 32 stand first, then the second 16 of each. With
   a block go its scale and the sums of its 256 q + r (low half, high half, all 32). One token
   at a time the second digit costs nothing measurable (decoding the weights bounds it), a batch
   up to 40 % (Zen 4, Q4_1); KL to exact arithmetic falls from 2e-3 to below 1e-6 nats. */
typedef struct synp_acts_quad {
    int8_t q[128], r[128];
    float scale[4];
    int32_t low[4], high[4], all[4];
} synp_acts_quad;

/* The same numbers for many positions: a block of 32 columns of SYNP_TILE of them, as pieces of
   32 bits in the order of the level's strips (see there): pieces of 256 q + r, two columns each,
   or first those of q, then those of r, four columns each. The sums are floats, times scale. */
enum { SYNP_TILE = 8 };

typedef struct synp_acts_tile {
    int32_t piece[16][SYNP_TILE];
    float scale[SYNP_TILE], low[SYNP_TILE], high[SYNP_TILE], all[SYNP_TILE];
} synp_acts_tile;

/* The activations of some positions, the start of a block of synp_acts_bytes. `x` is the
   caller's and must stay. Few positions are quads, many are tiles; both are NULL when the
   arithmetic is exact. */
typedef struct synp_acts {
    const float *x;        /* (positions, cols) */
    synp_acts_quad *quads; /* (positions, across) */
    synp_acts_tile *tiles; /* (positions / SYNP_TILE rounded up, cols / 32) */
    size_t positions, cols, across;
} synp_acts;

/* A decoded row: codes in the order of the weights, padded to 128 with zeros. */
typedef struct synp_codes {
    const int8_t *q;
    const float *scale, *minimum; /* a group */
} synp_codes;

/* Products of rows with all positions, y[p * stride + r]: of any number of rows of blocks, of up
   to four rows that were decoded to codes or to floats (where there are fewer, the last
   repeats). */
typedef void synp_blocks_fn(const unsigned char *data, size_t row_bytes, size_t rows,
                            const synp_acts *acts, float *y, size_t stride);
typedef void synp_codes_fn(const syn_type *type, const synp_codes row[4], size_t rows,
                           const synp_acts *acts, float *y, size_t stride);
typedef void synp_floats_fn(const float *const row[4], size_t rows, const synp_acts *acts, float *y,
                            size_t stride);

/* A strip of weights for products with many positions: rows side by side in vectors, unpacked
   once for SYNP_STRIP_COLS columns or less, which stay in the second cache while all positions
   pass. Block after block: 16 steps, each a piece (two int16 or four int8) of every row; then a
   scale and a minimum a group, of every row. */
enum { SYNP_STRIP_COLS = 1024, SYNP_STRIP_ROWS_MAX = 32, SYNP_STRIP_POSITIONS = 256 };

typedef struct synp_strip {
    int32_t *piece;         /* (block, step, row) */
    float *scale, *minimum; /* (block, group, row) */
    size_t blocks;
} synp_strip;

/* Unpacks four rows of blocks, or of decoded codes, to rows `at` to `at` + 3 of a strip. */
typedef void synp_unpack_fn(const unsigned char *const row[4], size_t blocks,
                            const synp_strip *strip, size_t at);
typedef void synp_unpack_codes_fn(const syn_type *type, const synp_codes row[4], size_t blocks,
                                  const synp_strip *strip, size_t at);

/* A strip with a tile (as many blocks), added to total (block modulo 4, position, row), which is
   new for the first columns; and the four sums of some rows and positions as one each. */
typedef void synp_strip_fn(const syn_type *type, const synp_strip *strip,
                           const synp_acts_tile *tile, bool first, float *total);
typedef void synp_strip_sum_fn(const float *total, size_t rows, size_t positions, float *y,
                               size_t stride);

/* How a level multiplies many positions. */
typedef struct synp_strips {
    size_t rows;  /* in a strip, at most SYNP_STRIP_ROWS_MAX */
    size_t least; /* fewer positions cost less without: unpacking is the work of some */
    synp_unpack_codes_fn *unpack;
    synp_strip_fn *multiply;
    synp_strip_sum_fn *sum;
    /* block `j` of a quad to place `position` of a tile */
    void (*pack)(const synp_acts_quad *quad, int j, synp_acts_tile *tile, int position);
} synp_strips;

/* A type whose blocks a level multiplies without writing codes to memory first. */
typedef struct synp_fused {
    uint32_t id;
    synp_blocks_fn *blocks;
    synp_unpack_fn *unpack;
} synp_fused;

/* One level: a function for each operation. */
typedef struct synp_kernels {
    const char *name;
    syn_simd level;
    const synp_strips *strips; /* NULL: none */
    const synp_fused *fused;   /* ends with a NULL function */
    synp_codes_fn *codes;
    synp_floats_fn *floats;
    /* n numbers of a type that holds numbers, as float */
    void (*widen)(const syn_type *type, const unsigned char *data, float *out, size_t n);
    void (*quantise)(const float *x, size_t n, synp_acts_quad *quads);
    float (*dot_f32)(const float *a, const float *b, size_t n);
    void (*axpy)(float *y, float scale, const float *x, size_t n); /* y += scale * x */
    /* Attention: out[i] = q . k_i and out += sum_i weight[i] * v_i for `count` vectors of n
       floats that stand `stride` floats apart. */
    void (*dots)(const float *q, const float *k, size_t stride, size_t count, size_t n, float *out);
    void (*mix)(const float *weight, const float *v, size_t stride, size_t count, size_t n,
                float *out);
    void (*softmax)(float *x, size_t n);
    void (*silu_mul)(const float *gate, float *up, size_t n); /* up *= silu(gate) */
    void (*gelu_mul)(const float *gate, float *up, size_t n); /* up *= gelu(gate), tanh form */
} synp_kernels;

/* ------------------------------------------------ vectors of floats, plain */

static float synp_lanes_sum(const float *lane)
{
    float s[4];
    int i;
    for (i = 0; i < 4; i++) { s[i] = (lane[i] + lane[i + 8]) + (lane[i + 4] + lane[i + 12]); }
    return (s[0] + s[2]) + (s[1] + s[3]);
}

static float synp_plain_dot(const float *a, const float *b, size_t n)
{
    float lane[16] = {0};
    size_t i, k;
    for (i = 0; i + 16 <= n; i += 16) {
        for (k = 0; k < 16; k++) lane[k] += a[i + k] * b[i + k];
    }
    for (k = 0; i < n; i++, k++) lane[k] += a[i] * b[i];
    return synp_lanes_sum(lane);
}

static void synp_plain_axpy(float *y, float scale, const float *x, size_t n)
{
    size_t i;
    for (i = 0; i < n; i++) y[i] += scale * x[i];
}

static void synp_plain_dots(const float *q, const float *k, size_t stride, size_t count, size_t n,
                            float *out)
{
    size_t i;
    for (i = 0; i < count; i++) out[i] = synp_plain_dot(q, k + i * stride, n);
}

static void synp_plain_mix(const float *weight, const float *v, size_t stride, size_t count,
                           size_t n, float *out)
{
    size_t i;
    for (i = 0; i < count; i++) synp_plain_axpy(out, weight[i], v + i * stride, n);
}

/* exp(x), error below 2 units in the last place: x = n ln 2 + r, |r| <= ln 2 / 2, a polynomial
   of degree 7 in r (Taylor's, its remainder is below 2^-27), times 2^n. Over 88.72 infinite,
   under -86.9 zero, NaN stays. */
static const float synp_exp_terms[6] = {1.98412698e-4f, 1.38888889e-3f, 8.33333333e-3f,
                                        4.16666667e-2f, 1.66666667e-1f, 0.5f};

static float synp_exp(float x)
{
    float shifted, n, r, p;
    uint32_t bits;
    int i;
    if (!(x < 88.72283f)) return x > 0.0f ? HUGE_VALF : x;
    if (x < -86.9f) return 0.0f;
    shifted = x * 1.44269504f + 12582912.0f; /* 1.5 * 2^23: the sum is rounded to an integer */
    memcpy(&bits, &shifted, sizeof bits);
    n = (float)((int32_t)bits - 0x4b400000);
    r = x - n * 0.693359375f; /* ln 2 in two parts, */
    r += n * 2.12194440e-4f;  /* the first with 15 zero bits at its end */
    p = synp_exp_terms[0];
    for (i = 1; i < 6; i++) p = p * r + synp_exp_terms[i];
    p = p * (r * r) + r;
    p += 1.0f;
    bits = (uint32_t)((int32_t)bits - 0x4b400000 + 126)
           << 23; /* 2^(n-1), then twice: n may be 128 */
    return p * synp_float_of(bits) * 2.0f;
}

static float synp_silu(float x)
{
    return x / (1.0f + synp_exp(-x));
}

/* x/2 (1 + tanh u) = x / (1 + exp(-2u)), u = sqrt(2/pi) (x + 0.044715 x^3) */
static float synp_gelu(float x)
{
    float u = 0.797884561f * (x + 0.044715f * (x * x * x));
    return x / (1.0f + synp_exp(-2.0f * u));
}

static void synp_plain_softmax(float *x, size_t n)
{
    float most = -HUGE_VALF, lane[16] = {0}, sum;
    size_t i;
    for (i = 0; i < n; i++) most = x[i] > most ? x[i] : most;
    for (i = 0; i < n; i++) {
        x[i] = synp_exp(x[i] - most);
        lane[i % 16] += x[i];
    }
    sum = synp_lanes_sum(lane);
    for (i = 0; i < n; i++) x[i] /= sum;
}

static void synp_plain_silu_mul(const float *gate, float *up, size_t n)
{
    size_t i;
    for (i = 0; i < n; i++) up[i] *= synp_silu(gate[i]);
}

static void synp_plain_gelu_mul(const float *gate, float *up, size_t n)
{
    size_t i;
    for (i = 0; i < n; i++) up[i] *= synp_gelu(gate[i]);
}

/* ------------------------------------------------ activations */

/* One half block: X = round(x * inverse), |X| <= 127 * 256, split into q = (X + 128) >> 8 and
   r = X - 256 q, which is at least -127 by definition (some processors cannot negate -128).
   Returns the sum of 256 q + r. */
static int32_t synp_plain_digits(const float *x, float inverse, int8_t *q, int8_t *r)
{
    int32_t sum = 0;
    int i;
    for (i = 0; i < 16; i++) {
        float shifted = (inverse > 0.0f ? x[i] * inverse : 0.0f) + 12582912.0f;
        uint32_t bits;
        int32_t whole, low;
        memcpy(&bits, &shifted, sizeof bits); /* rounded to nearest, ties to even */
        whole = (int32_t)bits - 0x4b400000;
        q[i] = (int8_t)((whole + 128 + 32768) / 256 - 128);
        low = whole - 256 * q[i];
        r[i] = (int8_t)(low < -127 ? -127 : low);
        sum += 256 * q[i] + r[i];
    }
    return sum;
}

/* One block of 32. A block that is not finite gets a scale that is not a number, so that what
   depends on it is one; a block of nothing (below 1e-30) is zero. */
static void synp_plain_block(const float *x, synp_acts_quad *quad, int j)
{
    float most = 0.0f, off = 0.0f, inverse = 0.0f;
    int i;

    for (i = 0; i < 32; i++) {
        most = fabsf(x[i]) > most ? fabsf(x[i]) : most;
        off += x[i] * 0.0f;
    }
    quad->scale[j] = 0.0f;
    if (most > 1e-30f) {
        quad->scale[j] = most / 32512.0f;
        inverse = 32512.0f / most;
    }
    if (off != 0.0f || off != off) {
        quad->scale[j] = off;
        inverse = 0.0f;
    }
    quad->low[j] = synp_plain_digits(x, inverse, quad->q + 16 * j, quad->r + 16 * j);
    quad->high[j] =
        synp_plain_digits(x + 16, inverse, quad->q + 64 + 16 * j, quad->r + 64 + 16 * j);
    quad->all[j] = quad->low[j] + quad->high[j];
}

static void synp_plain_quantise(const float *x, size_t n, synp_acts_quad *quads)
{
    size_t block;
    if (n % 128) memset(quads + n / 128, 0, sizeof *quads);
    for (block = 0; block < n / 32; block++) {
        synp_plain_block(x + 32 * block, quads + block / 4, (int)(block % 4));
    }
}

/* Bytes of a synp_acts for up to `positions` and what it needs behind itself. */
static SYNP_UNUSED size_t synp_acts_bytes(size_t cols, size_t positions, syn_arithmetic arithmetic)
{
    if (cols > SIZE_MAX / 64 || positions > SIZE_MAX / 64) return SIZE_MAX; /* no arena has them */
    const uint64_t tiles = ((uint64_t)positions + SYNP_TILE - 1) / SYNP_TILE;
    const uint64_t strip = ((uint64_t)cols + 127) / 128 * 4 * sizeof(synp_acts_tile);
    const uint64_t bytes = arithmetic == SYN_EXACT ? 0 : synp_count(tiles, strip);
    const size_t head = sizeof(synp_acts) + 64;
    return bytes < SIZE_MAX - head ? head + (size_t)bytes : SIZE_MAX;
}

/* Points at x (positions, cols); in fast mode synp_acts_fill then rounds it to two digits. Rows
   that are no multiple of 32 can meet no type with codes and stay as they are. */
static SYNP_UNUSED void synp_acts_open(const synp_kernels *kernels, synp_acts *acts, const float *x,
                                       size_t positions, size_t cols, syn_arithmetic arithmetic)
{
    uintptr_t up = (uintptr_t)(acts + 1) + 63;
    acts->x = x;
    acts->quads = NULL;
    acts->tiles = NULL;
    acts->positions = positions;
    acts->cols = cols;
    acts->across = (cols + 127) / 128;
    if (arithmetic == SYN_EXACT || cols % 32) return;
    if (kernels->strips && positions >= kernels->strips->least) {
        acts->tiles = (synp_acts_tile *)(up - up % 64);
    } else {
        acts->quads = (synp_acts_quad *)(up - up % 64);
    }
}

/* One position to its place in a tile. A sum times the scale is rounded as in a product. */
static void synp_acts_tile_fill(const synp_kernels *kernels, const synp_acts *acts, size_t p)
{
    synp_acts_tile *tile = acts->tiles + p / SYNP_TILE * (acts->cols / 32);
    size_t at, n;
    int i = (int)(p % SYNP_TILE), j;
    for (at = 0; at < acts->cols; at += n, tile += n / 32) {
        synp_acts_quad quad;
        n = acts->cols - at < 128 ? acts->cols - at : 128;
        kernels->quantise(acts->x + p * acts->cols + at, n, &quad);
        for (j = 0; j < (int)(n / 32); j++) {
            kernels->strips->pack(&quad, j, tile + j, i);
            tile[j].scale[i] = quad.scale[j];
            tile[j].low[i] = (float)quad.low[j] * quad.scale[j];
            tile[j].high[i] = (float)quad.high[j] * quad.scale[j];
            tile[j].all[i] = (float)quad.all[j] * quad.scale[j];
        }
    }
}

/* Rounds positions from .. to - 1 (whole tiles, or up to the last): jobs can share the work. */
static SYNP_UNUSED void synp_acts_fill(const synp_kernels *kernels, const synp_acts *acts,
                                       size_t from, size_t to)
{
    size_t p, blocks = acts->cols / 32;
    if (acts->tiles && to % SYNP_TILE) { /* the last tile has places that nobody fills */
        memset(acts->tiles + to / SYNP_TILE * blocks, 0, blocks * sizeof(synp_acts_tile));
    }
    for (p = from; p < to; p++) {
        if (acts->tiles) {
            synp_acts_tile_fill(kernels, acts, p);
        } else if (acts->quads) {
            kernels->quantise(acts->x + p * acts->cols, acts->cols, acts->quads + p * acts->across);
        }
    }
}

static SYNP_UNUSED void synp_acts_set(const synp_kernels *kernels, synp_acts *acts, const float *x,
                                      size_t positions, size_t cols, syn_arithmetic arithmetic)
{
    synp_acts_open(kernels, acts, x, positions, cols, arithmetic);
    synp_acts_fill(kernels, acts, 0, positions);
}

/* ------------------------------------------------ products, plain */

static int32_t synp_dot16(const int8_t *a, const int8_t *b)
{
    int sum = 0, i;
    for (i = 0; i < 16; i++) sum += a[i] * b[i];
    return sum;
}

/* What block j of a quad adds to the sum of its lane. */
static float synp_plain_term(const syn_type *type, const synp_codes *row, size_t block,
                             const synp_acts_quad *x, float sum)
{
    size_t j = block % 4;
    const int8_t *q = row->q + 32 * block;
    int32_t low = 256 * synp_dot16(q, x->q + 16 * j) + synp_dot16(q, x->r + 16 * j);
    int32_t high =
        256 * synp_dot16(q + 16, x->q + 64 + 16 * j) + synp_dot16(q + 16, x->r + 64 + 16 * j);
    float d = x->scale[j];

    if (type->group == 32) {
        sum += (float)(low + high) * (row->scale[block] * d);
        if (type->minimum) sum += row->minimum[block] * ((float)x->all[j] * d);
        return sum;
    }
    sum += (float)low * (row->scale[2 * block] * d);
    sum += (float)high * (row->scale[2 * block + 1] * d);
    if (type->minimum) {
        sum += row->minimum[2 * block] * ((float)x->low[j] * d);
        sum += row->minimum[2 * block + 1] * ((float)x->high[j] * d);
    }
    return sum;
}

static void synp_plain_codes(const syn_type *type, const synp_codes row[4], size_t rows,
                             const synp_acts *acts, float *y, size_t stride)
{
    size_t p, r, block;
    for (r = 0; r < rows; r++) {
        for (p = 0; p < acts->positions; p++) {
            const synp_acts_quad *x = acts->quads + p * acts->across;
            float sum[4] = {0};
            for (block = 0; block < acts->cols / 32; block++) {
                sum[block % 4] =
                    synp_plain_term(type, &row[r], block, x + block / 4, sum[block % 4]);
            }
            y[p * stride + r] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
        }
    }
}

/* (s0 + s1) + (s2 + s3) of rows `from` .. of a strip of `all` rows. */
static SYNP_UNUSED void synp_strip_sum(const float *total, size_t all, size_t from, size_t rows,
                                       float *y)
{
    const size_t step = SYNP_TILE * all;
    size_t r;
    for (r = from; r < rows; r++) {
        y[r] = (total[r] + total[r + step]) + (total[r + 2 * step] + total[r + 3 * step]);
    }
}

static void synp_plain_floats(const float *const row[4], size_t rows, const synp_acts *acts,
                              float *y, size_t stride)
{
    size_t p, r;
    for (r = 0; r < rows; r++) {
        for (p = 0; p < acts->positions; p++) {
            y[p * stride + r] = synp_plain_dot(row[r], acts->x + p * acts->cols, acts->cols);
        }
    }
}

static void synp_plain_widen(const syn_type *type, const unsigned char *data, float *out, size_t n)
{
    type->floats(data, out, n);
}

static const synp_fused synp_plain_fused[] = {{0, NULL, NULL}};

static const synp_kernels synp_plain = {
    "plain C",          SYN_SIMD_PLAIN,      NULL,
    synp_plain_fused,   synp_plain_codes,    synp_plain_floats,
    synp_plain_widen,   synp_plain_quantise, synp_plain_dot,
    synp_plain_axpy,    synp_plain_dots,     synp_plain_mix,
    synp_plain_softmax, synp_plain_silu_mul, synp_plain_gelu_mul,
};

/* Loops over vectors that must stay in registers; clang unrolls them by itself. */
#if defined(__clang__)
#define SYNP_UNROLL
#else
#define SYNP_UNROLL _Pragma("GCC unroll 16")
#endif

/* Four rows at a time, each with its registers. */
#define SYNP_EACH_ROW(r) SYNP_UNROLL for (int r = 0; r < 4; r++)

/* ------------------------------------------------ vectors of floats, one text for every level
   A level brings its vector synp_LEVEL_v of `lanes` floats and twelve operations: load and store
   of those that are left (zeros behind them), all (one number in each lane), add, sub, mul, div,
   larger (a > b ? a : b), fma (a b + c in one rounding), fnma (c - a b), less (a < b ? yes : no),
   power (2 to the integer in the low bits of v), sum (of the sixteen lanes of the definition, in
   its order, which 16 / lanes vectors hold). Lane i of all of them is lane i of the definition,
   so that every level gives the same bits. */

#define SYNP_FLOATS_TEXT(level, TARGET, lanes, together)                                           \
    enum {                                                                                         \
        SYNP_##level##_LANES = lanes,                                                              \
        SYNP_##level##_PARTS = 16 / lanes,                                                         \
        SYNP_##level##_AT_ONCE = together /* positions whose sums stay in registers */             \
    };                                                                                             \
                                                                                                   \
    TARGET static float synp_##level##_dot(const float *a, const float *b, size_t n)               \
    {                                                                                              \
        synp_##level##_v sum[SYNP_##level##_PARTS];                                                \
        size_t i;                                                                                  \
        int k;                                                                                     \
        SYNP_UNROLL                                                                                \
        for (k = 0; k < SYNP_##level##_PARTS; k++) sum[k] = synp_##level##_all(0.0f);              \
        for (i = 0; i + 16 <= n; i += 16) {                                                        \
            SYNP_UNROLL                                                                            \
            for (k = 0; k < SYNP_##level##_PARTS; k++)                                             \
                sum[k] =                                                                           \
                    synp_##level##_fma(synp_##level##_load(a + i + k * lanes, lanes),              \
                                       synp_##level##_load(b + i + k * lanes, lanes), sum[k]);     \
        }                                                                                          \
        SYNP_UNROLL                                                                                \
        for (k = 0; k < SYNP_##level##_PARTS; k++, i += lanes) {                                   \
            if (i >= n) break;                                                                     \
            sum[k] = synp_##level##_fma(synp_##level##_load(a + i, n - i),                         \
                                        synp_##level##_load(b + i, n - i), sum[k]);                \
        }                                                                                          \
        return synp_##level##_sum(sum);                                                            \
    }                                                                                              \
                                                                                                   \
    /* The products of up to 16 columns of four rows with some positions, `across` apart. */       \
    TARGET##_INLINE void synp_##level##_columns(                                                   \
        const float *const row[4], const float *x, size_t across, size_t i, size_t left, int some, \
        synp_##level##_v sum[SYNP_##level##_AT_ONCE][4][SYNP_##level##_PARTS])                     \
    {                                                                                              \
        int k, p, r;                                                                               \
        SYNP_UNROLL                                                                                \
        for (k = 0; k < SYNP_##level##_PARTS; k++) {                                               \
            const size_t here = left > (size_t)(k * lanes) ? left - (size_t)(k * lanes) : 0;       \
            const size_t at = here ? i + (size_t)(k * lanes) : i;                                  \
            synp_##level##_v w[4], v;                                                              \
            SYNP_UNROLL                                                                            \
            for (r = 0; r < 4; r++) w[r] = synp_##level##_load(row[r] + at, here);                 \
            SYNP_UNROLL                                                                            \
            for (p = 0; p < some; p++) {                                                           \
                v = synp_##level##_load(x + (size_t)p * across + at, here);                        \
                SYNP_UNROLL                                                                        \
                for (r = 0; r < 4; r++) sum[p][r][k] = synp_##level##_fma(w[r], v, sum[p][r][k]);  \
            }                                                                                      \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    /* Four rows, of which `rows` are wanted, with some positions; each element as a dot would. */ \
    TARGET##_INLINE void synp_##level##_products(const float *const row[4], size_t rows,           \
                                                 const float *x, size_t cols, int some, float *y,  \
                                                 size_t stride)                                    \
    {                                                                                              \
        synp_##level##_v sum[SYNP_##level##_AT_ONCE][4][SYNP_##level##_PARTS];                     \
        float four[4];                                                                             \
        size_t i;                                                                                  \
        int k, p, r;                                                                               \
        SYNP_UNROLL                                                                                \
        for (p = 0; p < some; p++) SYNP_UNROLL                                                     \
        for (r = 0; r < 4; r++) SYNP_UNROLL                                                        \
        for (k = 0; k < SYNP_##level##_PARTS; k++) sum[p][r][k] = synp_##level##_all(0.0f);        \
        for (i = 0; i + 16 <= cols; i += 16)                                                       \
            synp_##level##_columns(row, x, cols, i, 16, some, sum);                                \
        if (i < cols) synp_##level##_columns(row, x, cols, i, cols - i, some, sum);                \
        SYNP_UNROLL                                                                                \
        for (p = 0; p < some; p++) {                                                               \
            SYNP_UNROLL                                                                            \
            for (r = 0; r < 4; r++) four[r] = synp_##level##_sum(sum[p][r]);                       \
            memcpy(y + (size_t)p * stride, four, rows * sizeof four[0]);                           \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    TARGET static void synp_##level##_floats(const float *const row[4], size_t rows,               \
                                             const synp_acts *acts, float *y, size_t stride)       \
    {                                                                                              \
        const size_t cols = acts->cols;                                                            \
        size_t p = 0;                                                                              \
        for (; p + SYNP_##level##_AT_ONCE <= acts->positions; p += SYNP_##level##_AT_ONCE)         \
            synp_##level##_products(row, rows, acts->x + p * cols, cols, SYNP_##level##_AT_ONCE,   \
                                    y + p * stride, stride);                                       \
        for (; p < acts->positions; p++)                                                           \
            synp_##level##_products(row, rows, acts->x + p * cols, cols, 1, y + p * stride, 0);    \
    }                                                                                              \
                                                                                                   \
    TARGET static void synp_##level##_dots(const float *q, const float *k, size_t stride,          \
                                           size_t count, size_t n, float *out)                     \
    {                                                                                              \
        size_t i, r;                                                                               \
        for (i = 0; i < count; i += 4) {                                                           \
            const size_t rows = count - i < 4 ? count - i : 4;                                     \
            const float *row[4];                                                                   \
            for (r = 0; r < 4; r++) row[r] = k + (i + (r < rows ? r : rows - 1)) * stride;         \
            synp_##level##_products(row, rows, q, n, 1, out + i, 0);                               \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    TARGET static void synp_##level##_axpy(float *y, float scale, const float *x, size_t n)        \
    {                                                                                              \
        const synp_##level##_v s = synp_##level##_all(scale);                                      \
        size_t i;                                                                                  \
        for (i = 0; i < n; i += lanes)                                                             \
            synp_##level##_store(y + i, n - i,                                                     \
                                 synp_##level##_fma(s, synp_##level##_load(x + i, n - i),          \
                                                    synp_##level##_load(y + i, n - i)));           \
    }                                                                                              \
                                                                                                   \
    /* Four vectors of the output, then one, stay in registers while all values pass. */           \
    TARGET static void synp_##level##_mix(const float *weight, const float *v, size_t stride,      \
                                          size_t count, size_t n, float *out)                      \
    {                                                                                              \
        size_t at = 0, i;                                                                          \
        int j;                                                                                     \
        for (; at + 4 * lanes <= n; at += 4 * lanes) {                                             \
            synp_##level##_v sum[4];                                                               \
            SYNP_UNROLL                                                                            \
            for (j = 0; j < 4; j++) sum[j] = synp_##level##_load(out + at + j * lanes, lanes);     \
            for (i = 0; i < count; i++) {                                                          \
                const synp_##level##_v s = synp_##level##_all(weight[i]);                          \
                const float *from = v + i * stride + at;                                           \
                SYNP_UNROLL                                                                        \
                for (j = 0; j < 4; j++)                                                            \
                    sum[j] = synp_##level##_fma(s, synp_##level##_load(from + j * lanes, lanes),   \
                                                sum[j]);                                           \
            }                                                                                      \
            SYNP_UNROLL                                                                            \
            for (j = 0; j < 4; j++) synp_##level##_store(out + at + j * lanes, lanes, sum[j]);     \
        }                                                                                          \
        for (; at < n; at += lanes) {                                                              \
            synp_##level##_v sum = synp_##level##_load(out + at, n - at);                          \
            for (i = 0; i < count; i++)                                                            \
                sum = synp_##level##_fma(synp_##level##_all(weight[i]),                            \
                                         synp_##level##_load(v + i * stride + at, n - at), sum);   \
            synp_##level##_store(out + at, n - at, sum);                                           \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    /* synp_exp. x + infinity is infinity, or the NaN that x is. */                                \
    TARGET##_INLINE synp_##level##_v synp_##level##_exp(synp_##level##_v x)                        \
    {                                                                                              \
        const synp_##level##_v magic = synp_##level##_all(12582912.0f);                            \
        const synp_##level##_v v = synp_##level##_fma(x, synp_##level##_all(1.44269504f), magic);  \
        const synp_##level##_v n = synp_##level##_sub(v, magic);                                   \
        synp_##level##_v r = synp_##level##_fnma(n, synp_##level##_all(0.693359375f), x), p;       \
        int i;                                                                                     \
        r = synp_##level##_fma(n, synp_##level##_all(2.12194440e-4f), r);                          \
        p = synp_##level##_all(synp_exp_terms[0]);                                                 \
        SYNP_UNROLL                                                                                \
        for (i = 1; i < 6; i++)                                                                    \
            p = synp_##level##_fma(p, r, synp_##level##_all(synp_exp_terms[i]));                   \
        p = synp_##level##_fma(p, synp_##level##_mul(r, r), r);                                    \
        p = synp_##level##_add(p, synp_##level##_all(1.0f));                                       \
        p = synp_##level##_mul(p, synp_##level##_power(v));                                        \
        p = synp_##level##_add(p, p);                                                              \
        p = synp_##level##_less(x, synp_##level##_all(-86.9f), synp_##level##_all(0.0f), p);       \
        return synp_##level##_less(x, synp_##level##_all(88.72283f), p,                            \
                                   synp_##level##_add(x, synp_##level##_all(HUGE_VALF)));          \
    }                                                                                              \
                                                                                                   \
    TARGET##_INLINE float synp_##level##_largest(const float *x, size_t n)                         \
    {                                                                                              \
        synp_##level##_v most = synp_##level##_all(-HUGE_VALF);                                    \
        float lane[lanes];                                                                         \
        size_t i = 0, k, half;                                                                     \
        for (; i + lanes <= n; i += lanes)                                                         \
            most = synp_##level##_larger(synp_##level##_load(x + i, lanes), most);                 \
        synp_##level##_store(lane, lanes, most);                                                   \
        for (k = 0; i < n; i++, k++) lane[k] = x[i] > lane[k] ? x[i] : lane[k];                    \
        for (half = lanes / 2; half; half /= 2)                                                    \
            for (k = 0; k < half; k++)                                                             \
                lane[k] = lane[k] > lane[k + half] ? lane[k] : lane[k + half];                     \
        return lane[0];                                                                            \
    }                                                                                              \
                                                                                                   \
    TARGET static void synp_##level##_softmax(float *x, size_t n)                                  \
    {                                                                                              \
        const synp_##level##_v most = synp_##level##_all(synp_##level##_largest(x, n));            \
        synp_##level##_v sum[SYNP_##level##_PARTS], e;                                             \
        size_t i = 0;                                                                              \
        int k;                                                                                     \
        SYNP_UNROLL                                                                                \
        for (k = 0; k < SYNP_##level##_PARTS; k++) sum[k] = synp_##level##_all(0.0f);              \
        while (i < n) {                                                                            \
            SYNP_UNROLL                                                                            \
            for (k = 0; k < SYNP_##level##_PARTS; k++, i += lanes) {                               \
                if (i >= n) break;                                                                 \
                e = synp_##level##_sub(synp_##level##_load(x + i, n - i), most);                   \
                e = synp_##level##_exp(e);                                                         \
                synp_##level##_store(x + i, n - i, e);                                             \
                if (n - i < lanes) e = synp_##level##_load(x + i, n - i); /* zeros behind */       \
                sum[k] = synp_##level##_add(sum[k], e);                                            \
            }                                                                                      \
        }                                                                                          \
        e = synp_##level##_all(synp_##level##_sum(sum));                                           \
        for (i = 0; i < n; i += lanes)                                                             \
            synp_##level##_store(x + i, n - i,                                                     \
                                 synp_##level##_div(synp_##level##_load(x + i, n - i), e));        \
    }                                                                                              \
                                                                                                   \
    /* up *= x / (1 + exp(-u)) */                                                                  \
    TARGET##_INLINE void synp_##level##_gate(synp_##level##_v x, synp_##level##_v u, float *up,    \
                                             size_t left)                                          \
    {                                                                                              \
        u = synp_##level##_exp(synp_##level##_sub(synp_##level##_all(0.0f), u));                   \
        x = synp_##level##_div(x, synp_##level##_add(synp_##level##_all(1.0f), u));                \
        synp_##level##_store(up, left, synp_##level##_mul(x, synp_##level##_load(up, left)));      \
    }                                                                                              \
                                                                                                   \
    TARGET static void synp_##level##_silu_mul(const float *gate, float *up, size_t n)             \
    {                                                                                              \
        size_t i;                                                                                  \
        for (i = 0; i < n; i += lanes) {                                                           \
            const synp_##level##_v x = synp_##level##_load(gate + i, n - i);                       \
            synp_##level##_gate(x, x, up + i, n - i);                                              \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    TARGET static void synp_##level##_gelu_mul(const float *gate, float *up, size_t n)             \
    {                                                                                              \
        size_t i;                                                                                  \
        for (i = 0; i < n; i += lanes) {                                                           \
            const synp_##level##_v x = synp_##level##_load(gate + i, n - i);                       \
            synp_##level##_v u = synp_##level##_mul(synp_##level##_mul(x, x), x);                  \
            u = synp_##level##_fma(synp_##level##_all(0.044715f), u, x);                           \
            u = synp_##level##_mul(u, synp_##level##_all(2.0f * 0.797884561f));                    \
            synp_##level##_gate(x, u, up + i, n - i);                                              \
        }                                                                                          \
    }

/* ------------------------------------------------ AVX2
   As on every level, four rows at a time; here two blocks of 32 columns ("a pair") fill two
   vectors a row, one with first halves, one with second halves. VPMADDUBSW multiplies unsigned
   by signed and adds neighbours in 16 bits: codes of up to 6 bits are kept unsigned, with a zero
   point; codes of 8 bits are taken by absolute value, and their sign goes to the activation. */

#ifdef SYNP_X86

#define SYNP_256 __attribute__((target("avx2,f16c,fma")))
#define SYNP_256_INLINE static inline __attribute__((always_inline)) SYNP_256

/* ---- floats */

typedef __m256 synp_256_v;

/* Mask of the first n of eight floats. */
SYNP_256_INLINE __m256i synp_256_first(size_t n)
{
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n < 8 ? (int)n : 8), lane);
}

/* Loads the floats that are left, at most eight; zeros behind them. */
SYNP_256_INLINE __m256 synp_256_load(const float *p, size_t left)
{
    return left >= 8 ? _mm256_loadu_ps(p) : _mm256_maskload_ps(p, synp_256_first(left));
}

SYNP_256_INLINE void synp_256_store(float *p, size_t left, __m256 v)
{
    if (left >= 8) {
        _mm256_storeu_ps(p, v);
    } else {
        _mm256_maskstore_ps(p, synp_256_first(left), v);
    }
}

#define synp_256_all _mm256_set1_ps
#define synp_256_add _mm256_add_ps
#define synp_256_sub _mm256_sub_ps
#define synp_256_mul _mm256_mul_ps
#define synp_256_div _mm256_div_ps
#define synp_256_larger _mm256_max_ps
#define synp_256_fma _mm256_fmadd_ps
#define synp_256_fnma _mm256_fnmadd_ps

SYNP_256_INLINE __m256 synp_256_less(__m256 a, __m256 b, __m256 yes, __m256 no)
{
    return _mm256_blendv_ps(no, yes, _mm256_cmp_ps(a, b, _CMP_LT_OQ));
}

SYNP_256_INLINE __m256 synp_256_power(__m256 v)
{
    const __m256i bias = _mm256_set1_epi32(0x4b400000 - 126);
    return _mm256_castsi256_ps(
        _mm256_slli_epi32(_mm256_sub_epi32(_mm256_castps_si256(v), bias), 23));
}

SYNP_256_INLINE float synp_256_sum(const __m256 part[2])
{
    __m256 eight = _mm256_add_ps(part[0], part[1]);
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

SYNP_FLOATS_TEXT(256, SYNP_256, 8, 1)

SYNP_256 static void synp_256_widen(const syn_type *type, const unsigned char *data, float *out,
                                    size_t n)
{
    size_t i = 0;
    if (type->id == SYN_TYPE_F32) {
        memcpy(out, data, n * sizeof *out);
        return;
    }
    for (; type->id == SYN_TYPE_F16 && i + 8 <= n; i += 8) {
        __m128i half = _mm_loadu_si128((const __m128i *)(const void *)(data + 2 * i));
        _mm256_storeu_ps(out + i, _mm256_cvtph_ps(half));
    }
    for (; type->id == SYN_TYPE_BF16 && i + 8 <= n; i += 8) {
        __m128i half = _mm_loadu_si128((const __m128i *)(const void *)(data + 2 * i));
        __m256i wide = _mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16);
        _mm256_storeu_ps(out + i, _mm256_castsi256_ps(wide));
    }
    type->floats(data + i * type->bytes, out + i, n - i);
}

/* synp_plain_digits. */
SYNP_256_INLINE int32_t synp_256_round(__m256 a, __m256 b, __m256 inverse, int8_t *q, int8_t *r)
{
    __m256i first = _mm256_cvtps_epi32(_mm256_mul_ps(a, inverse));
    __m256i last = _mm256_cvtps_epi32(_mm256_mul_ps(b, inverse));
    __m256i whole = _mm256_permute4x64_epi64(_mm256_packs_epi32(first, last), 0xd8);
    __m256i high = _mm256_srai_epi16(_mm256_add_epi16(whole, _mm256_set1_epi16(128)), 8);
    __m256i low = _mm256_sub_epi16(whole, _mm256_slli_epi16(high, 8)), sum;
    __m128i four;
    low = _mm256_max_epi16(low, _mm256_set1_epi16(-127));
    sum =
        _mm256_madd_epi16(_mm256_add_epi16(_mm256_slli_epi16(high, 8), low), _mm256_set1_epi16(1));
    four = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
    four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0xb1));
    _mm_storeu_si128((__m128i *)(void *)q, _mm_packs_epi16(_mm256_castsi256_si128(high),
                                                           _mm256_extracti128_si256(high, 1)));
    _mm_storeu_si128((__m128i *)(void *)r, _mm_packs_epi16(_mm256_castsi256_si128(low),
                                                           _mm256_extracti128_si256(low, 1)));
    return _mm_cvtsi128_si32(four);
}

SYNP_256_INLINE void synp_256_block(const float *x, synp_acts_quad *quad, size_t j)
{
    const __m256 sign = _mm256_set1_ps(-0.0f);
    __m256 a = _mm256_loadu_ps(x), b = _mm256_loadu_ps(x + 8);
    __m256 c = _mm256_loadu_ps(x + 16), d = _mm256_loadu_ps(x + 24), big, inverse;
    __m128 four;
    float most;

    big = _mm256_max_ps(_mm256_max_ps(_mm256_andnot_ps(sign, a), _mm256_andnot_ps(sign, b)),
                        _mm256_max_ps(_mm256_andnot_ps(sign, c), _mm256_andnot_ps(sign, d)));
    four = _mm_max_ps(_mm256_castps256_ps128(big), _mm256_extractf128_ps(big, 1));
    four = _mm_max_ps(four, _mm_movehl_ps(four, four));
    most = _mm_cvtss_f32(_mm_max_ss(four, _mm_movehdup_ps(four)));
    /* x - x is NaN where x is not finite */
    big = _mm256_add_ps(_mm256_add_ps(_mm256_sub_ps(a, a), _mm256_sub_ps(b, b)),
                        _mm256_add_ps(_mm256_sub_ps(c, c), _mm256_sub_ps(d, d)));
    if (!(most > 1e-30f) || _mm256_movemask_ps(_mm256_cmp_ps(big, big, _CMP_UNORD_Q))) {
        synp_plain_block(x, quad, (int)j);
        return;
    }
    inverse = _mm256_set1_ps(32512.0f / most);
    quad->scale[j] = most / 32512.0f;
    quad->low[j] = synp_256_round(a, b, inverse, quad->q + 16 * j, quad->r + 16 * j);
    quad->high[j] = synp_256_round(c, d, inverse, quad->q + 64 + 16 * j, quad->r + 64 + 16 * j);
    quad->all[j] = quad->low[j] + quad->high[j];
}

SYNP_256 static void synp_256_quantise(const float *x, size_t n, synp_acts_quad *quads)
{
    size_t block;
    if (n % 128) memset(quads + n / 128, 0, sizeof *quads);
    for (block = 0; block < n / 32; block++) {
        synp_256_block(x + 32 * block, quads + block / 4, block % 4);
    }
}

/* ---- products of codes */

enum { SYNP_256_TOGETHER = 32 }; /* positions that share one decoding */

/* Four rows of a pair of blocks. scale and minimum have lanes (block, row); [1] is for second
   halves. */
typedef struct synp_256_tile {
    __m256i low[4], high[4];
    __m256 scale[2], minimum[2];
} synp_256_tile;

/* Loads pair `second` (0 or 1) of a quad; `blocks` of the quad are there. */
typedef void synp_256_load_fn(const void *rows, size_t quad, int second, size_t blocks,
                              synp_256_tile *tile);

typedef struct synp_256_kind {
    synp_256_load_fn *load;
    int zero;       /* log2 of the zero point, 0: none */
    bool is_signed; /* codes of 8 bits, signed */
    bool halves;    /* scales for 16 weights */
    bool minimum;
} synp_256_kind;

SYNP_256_INLINE __m128i synp_256_load16(const void *p)
{
    return _mm_loadu_si128((const __m128i *)p);
}

SYNP_256_INLINE __m256i synp_256_load32(const void *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}

/* Two lanes of 16 bytes. */
SYNP_256_INLINE __m256i synp_256_two(const void *p, const void *q)
{
    return _mm256_inserti128_si256(_mm256_castsi128_si256(synp_256_load16(p)), synp_256_load16(q),
                                   1);
}

/* Two numbers, each over the lanes of its block. */
SYNP_256_INLINE __m256i synp_256_spread(__m128i two)
{
    const __m256i lane = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
    return _mm256_permutevar8x32_epi32(_mm256_castsi128_si256(two), lane);
}

SYNP_256_INLINE __m128i synp_256_load8(const void *p)
{
    return _mm_loadl_epi64((const __m128i *)p);
}

SYNP_256_INLINE __m256i synp_256_sum4(__m256i a, __m256i b, __m256i c, __m256i d)
{
    __m256i ab = _mm256_add_epi32(_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b));
    __m256i cd = _mm256_add_epi32(_mm256_unpacklo_epi32(c, d), _mm256_unpackhi_epi32(c, d));
    return _mm256_add_epi32(_mm256_unpacklo_epi64(ab, cd), _mm256_unpackhi_epi64(ab, cd));
}

/* Sums of four neighbouring products. */
SYNP_256_INLINE __m256i synp_256_fours(const synp_256_kind *kind, __m256i code, __m256i x)
{
    const __m256i ones = _mm256_set1_epi16(1);
    if (kind->is_signed) x = _mm256_sign_epi8(x, code);
    if (kind->is_signed) code = _mm256_abs_epi8(code);
    return _mm256_madd_epi16(_mm256_maddubs_epi16(code, x), ones);
}

/* The same over both halves of a block; small codes are added before they are widened. */
SYNP_256_INLINE __m256i synp_256_both(const synp_256_kind *kind, __m256i low, __m256i high,
                                      __m256i x, __m256i y)
{
    const __m256i ones = _mm256_set1_epi16(1);
    if (kind->is_signed)
        return _mm256_add_epi32(synp_256_fours(kind, low, x), synp_256_fours(kind, high, y));
    return _mm256_madd_epi16(
        _mm256_add_epi16(_mm256_maddubs_epi16(low, x), _mm256_maddubs_epi16(high, y)), ones);
}

/* total + (sum of products - zero point * sum of x) * scale * d */
SYNP_256_INLINE __m256 synp_256_add_scaled(const synp_256_kind *kind, __m256i sum,
                                           const int32_t *x_sum, __m256 scale, __m256 d,
                                           __m256 total)
{
    if (kind->zero) {
        __m128i zeros = _mm_slli_epi32(synp_256_load8(x_sum), kind->zero);
        sum = _mm256_sub_epi32(sum, synp_256_spread(zeros));
    }
    return _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum), _mm256_mul_ps(scale, d), total);
}

SYNP_256_INLINE __m256 synp_256_add_minimum(const int32_t *x_sum, __m128 d, __m256 minimum,
                                            __m256 total)
{
    __m128 product = _mm_mul_ps(_mm_cvtepi32_ps(synp_256_load8(x_sum)), d);
    return _mm256_fmadd_ps(minimum, _mm256_castsi256_ps(synp_256_spread(_mm_castps_si128(product))),
                           total);
}

/* Both digits of a pair's activations; [1] is for second halves. */
typedef struct synp_256_digits {
    __m256i q[2], r[2];
} synp_256_digits;

/* 256 times the sums with the first digit plus those with the second: of one half, or of both. */
SYNP_256_INLINE __m256i synp_256_half(const synp_256_kind *kind, __m256i code,
                                      const synp_256_digits *x, int h)
{
    return _mm256_add_epi32(_mm256_slli_epi32(synp_256_fours(kind, code, x->q[h]), 8),
                            synp_256_fours(kind, code, x->r[h]));
}

SYNP_256_INLINE __m256i synp_256_whole(const synp_256_kind *kind, const synp_256_tile *t, int row,
                                       const synp_256_digits *x)
{
    __m256i high = synp_256_both(kind, t->low[row], t->high[row], x->q[0], x->q[1]);
    __m256i low = synp_256_both(kind, t->low[row], t->high[row], x->r[0], x->r[1]);
    return _mm256_add_epi32(_mm256_slli_epi32(high, 8), low);
}

/* Adds a pair's products of four rows with one position to total (block, row). */
SYNP_256_INLINE __m256 synp_256_pair(const synp_256_kind *kind, const synp_256_tile *t,
                                     const synp_acts_quad *quad, int second, __m256 total)
{
    const int32_t *low = quad->low + 2 * second, *high = quad->high + 2 * second;
    const int32_t *all = quad->all + 2 * second;
    __m128i d2 = synp_256_load8(quad->scale + 2 * second);
    __m128 d4 = _mm_castsi128_ps(d2);
    __m256 d = _mm256_castsi256_ps(synp_256_spread(d2));
    synp_256_digits x;
    __m256i sum, four[4];

    x.q[0] = synp_256_load32(quad->q + 32 * second);
    x.q[1] = synp_256_load32(quad->q + 64 + 32 * second);
    x.r[0] = synp_256_load32(quad->r + 32 * second);
    x.r[1] = synp_256_load32(quad->r + 64 + 32 * second);
    if (!kind->halves) {
        SYNP_EACH_ROW(r)
        four[r] = synp_256_whole(kind, t, r, &x);
        sum = synp_256_sum4(four[0], four[1], four[2], four[3]);
        total = synp_256_add_scaled(kind, sum, all, t->scale[0], d, total);
        return kind->minimum ? synp_256_add_minimum(all, d4, t->minimum[0], total) : total;
    }
    SYNP_EACH_ROW(r)
    four[r] = synp_256_half(kind, t->low[r], &x, 0);
    sum = synp_256_sum4(four[0], four[1], four[2], four[3]);
    total = synp_256_add_scaled(kind, sum, low, t->scale[0], d, total);
    SYNP_EACH_ROW(r)
    four[r] = synp_256_half(kind, t->high[r], &x, 1);
    sum = synp_256_sum4(four[0], four[1], four[2], four[3]);
    total = synp_256_add_scaled(kind, sum, high, t->scale[1], d, total);
    if (!kind->minimum) return total;
    total = synp_256_add_minimum(low, d4, t->minimum[0], total);
    return synp_256_add_minimum(high, d4, t->minimum[1], total);
}

/* The four sums of each row become one, and the rows that exist are stored. */
SYNP_256_INLINE void synp_256_finish(__m256 first, __m256 last, size_t rows, float *y)
{
    __m128 a = _mm_add_ps(_mm256_castps256_ps128(first), _mm256_extractf128_ps(first, 1));
    __m128 b = _mm_add_ps(_mm256_castps256_ps128(last), _mm256_extractf128_ps(last, 1));
    float four[4];
    if (rows == 4) {
        _mm_storeu_ps(y, _mm_add_ps(a, b));
        return;
    }
    _mm_storeu_ps(four, _mm_add_ps(a, b));
    memcpy(y, four, rows * sizeof four[0]);
}

/* Rows are read four at a time, an order that no processor foresees; so the weights are asked
   for 4 KB before they are needed, in the order of memory. From memory, one thread on Zen 4,
   GB/s with it: Q4_1 17, Q8_0 21, Q6_K 18. */
typedef struct synp_256_ahead {
    uintptr_t at;
    size_t step; /* bytes for each quad of four rows */
} synp_256_ahead;

SYNP_256_INLINE synp_256_ahead synp_256_ahead_of(const unsigned char *data, size_t bytes,
                                                 const synp_acts *acts)
{
    synp_256_ahead ahead;
    ahead.at = (uintptr_t)data + 4096;
    ahead.step = bytes / acts->across;
    return ahead;
}

SYNP_256_INLINE void synp_256_fetch(synp_256_ahead *ahead)
{
    size_t i;
    for (i = 0; i < ahead->step; i += 64) _mm_prefetch((const char *)(ahead->at + i), _MM_HINT_T0);
    ahead->at += ahead->step;
}

/* Up to four rows with up to SYNP_256_TOGETHER positions. */
SYNP_256_INLINE void synp_256_some(const synp_256_kind *kind, const void *row, size_t rows,
                                   const synp_acts *acts, size_t from, size_t n, float *y,
                                   size_t stride, synp_256_ahead ahead)
{
    const synp_acts_quad *x = acts->quads + from * acts->across;
    __m256 first[SYNP_256_TOGETHER], last[SYNP_256_TOGETHER];
    size_t quad, i;
    for (i = 0; i < n; i++) first[i] = last[i] = _mm256_setzero_ps();
    for (quad = 0; quad < acts->across; quad++, x++) {
        size_t blocks = acts->cols / 32 - 4 * quad;
        synp_256_tile tile;
        synp_256_fetch(&ahead);
        kind->load(row, quad, 0, blocks, &tile);
        for (i = 0; i < n; i++)
            first[i] = synp_256_pair(kind, &tile, x + i * acts->across, 0, first[i]);
        if (blocks <= 2) break;
        kind->load(row, quad, 1, blocks, &tile);
        for (i = 0; i < n; i++)
            last[i] = synp_256_pair(kind, &tile, x + i * acts->across, 1, last[i]);
    }
    for (i = 0; i < n; i++) synp_256_finish(first[i], last[i], rows, y + (from + i) * stride);
}

SYNP_256_INLINE void synp_256_four(const synp_256_kind *kind, const void *row, size_t rows,
                                   const synp_acts *acts, float *y, size_t stride,
                                   synp_256_ahead ahead)
{
    size_t p, n;
    for (p = 0; p < acts->positions; p += n) {
        n = acts->positions - p;
        if (n == 1) {
            synp_256_some(kind, row, rows, acts, p, 1, y, stride, ahead);
        } else {
            if (n > SYNP_256_TOGETHER) n = SYNP_256_TOGETHER;
            synp_256_some(kind, row, rows, acts, p, n, y, stride, ahead);
        }
    }
}

/* All rows, four at a time; this text also for AVX-512. */
#define SYNP_BLOCKS_TEXT(level, TARGET)                                                            \
    TARGET##_INLINE void synp_##level##_blocks(                                                    \
        const synp_##level##_kind *kind, const unsigned char *data, size_t row_bytes, size_t rows, \
        const synp_acts *acts, float *y, size_t stride)                                            \
    {                                                                                              \
        size_t at;                                                                                 \
        for (at = 0; at < rows; at += 4) {                                                         \
            const unsigned char *row[4];                                                           \
            const size_t n = rows - at < 4 ? rows - at : 4;                                        \
            SYNP_EACH_ROW(r)                                                                       \
            row[r] = data + (at + ((size_t)r < n ? (size_t)r : n - 1)) * row_bytes;                \
            synp_##level##_four(kind, row, n, acts, y + at, stride,                                \
                                synp_256_ahead_of(row[0], 4 * row_bytes, acts));                   \
        }                                                                                          \
    }

SYNP_BLOCKS_TEXT(256, SYNP_256)

/* ---- loading blocks of 32. Where the second block is missing the first is loaded again, with a
   scale and a minimum of zero. */

/* A half of each block of each row, `at` bytes into the blocks, as floats (block, row). */
SYNP_256_INLINE __m256 synp_256_halves(const unsigned char *const *row, size_t at, size_t next)
{
    __m128i h = _mm_cvtsi32_si128(synp_u16(row[0] + at));
    h = _mm_insert_epi16(h, (short)synp_u16(row[1] + at), 1);
    h = _mm_insert_epi16(h, (short)synp_u16(row[2] + at), 2);
    h = _mm_insert_epi16(h, (short)synp_u16(row[3] + at), 3);
    if (next) {
        at += next;
        h = _mm_insert_epi16(h, (short)synp_u16(row[0] + at), 4);
        h = _mm_insert_epi16(h, (short)synp_u16(row[1] + at), 5);
        h = _mm_insert_epi16(h, (short)synp_u16(row[2] + at), 6);
        h = _mm_insert_epi16(h, (short)synp_u16(row[3] + at), 7);
    }
    return _mm256_cvtph_ps(h);
}

SYNP_256_INLINE void synp_256_split(__m256i nibbles, __m256i *low, __m256i *high)
{
    const __m256i mask = _mm256_set1_epi8(15);
    *low = _mm256_and_si256(nibbles, mask);
    *high = _mm256_and_si256(_mm256_srli_epi16(nibbles, 4), mask);
}

/* 16 where a bit is set: bits 0-15 of each block (from 0) or 16-31 (from 2) to its lane of
   bytes. */
SYNP_256_INLINE __m256i synp_256_fifth(__m256i bits, int from)
{
    const __m256i byte = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0,
                                          0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
    const __m256i bit = _mm256_set1_epi64x((int64_t)0x8040201008040201u);
    __m256i spread = _mm256_shuffle_epi8(bits, _mm256_add_epi8(byte, _mm256_set1_epi8((char)from)));
    spread = _mm256_cmpeq_epi8(_mm256_and_si256(spread, bit), bit);
    return _mm256_and_si256(spread, _mm256_set1_epi8(16));
}

/* Exponents of MXFP4, bytes e, to their scales 2^(e - 128): see synp_codes_mxfp4. */
SYNP_256_INLINE __m256 synp_256_powers(__m128i bytes)
{
    __m256i e = _mm256_cvtepu8_epi32(bytes);
    __m256i normal = _mm256_slli_epi32(_mm256_sub_epi32(e, _mm256_set1_epi32(1)), 23);
    __m256i least = _mm256_sllv_epi32(_mm256_set1_epi32(0x200000), e);
    return _mm256_castsi256_ps(
        _mm256_blendv_epi8(normal, least, _mm256_cmpgt_epi32(_mm256_set1_epi32(2), e)));
}

/* The same of a byte of each block of each row, as synp_256_halves. */
SYNP_256_INLINE __m256 synp_256_exponents(const unsigned char *const *row, size_t at, size_t next)
{
    uint64_t first = 0, last = 0;
    SYNP_EACH_ROW(r)
    first |= (uint64_t)row[r][at] << 8 * r;
    SYNP_EACH_ROW(r)
    last |= (uint64_t)row[r][at + next] << 8 * r;
    return _mm256_and_ps(
        synp_256_powers(_mm_cvtsi64_si128((int64_t)(first | last << 32))),
        _mm256_castsi256_ps(_mm256_set_m128i(_mm_set1_epi32(next ? -1 : 0), _mm_set1_epi32(-1))));
}

/* What differs between Q4_0, Q4_1, Q5_0, Q5_1, IQ4_NL and MXFP4: block size, offsets of nibbles
   and fifth bits, what a nibble stands for; with a table, is the scale an exponent? */
typedef struct synp_256_nibble_kind {
    size_t bytes, nibbles, fifth;
    bool minimum;
    const int8_t *table;
    bool exponent;
} synp_256_nibble_kind;

SYNP_256_INLINE void synp_256_table(const int8_t *table, __m256i *low, __m256i *high)
{
    const __m256i t = _mm256_broadcastsi128_si256(synp_256_load16(table));
    *low = _mm256_shuffle_epi8(t, *low);
    *high = _mm256_shuffle_epi8(t, *high);
}

SYNP_256_INLINE void synp_256_row_nibbles(const synp_256_nibble_kind *kind, const unsigned char *p,
                                          size_t next, synp_256_tile *t, int r)
{
    synp_256_split(synp_256_two(p + kind->nibbles, p + next + kind->nibbles), &t->low[r],
                   &t->high[r]);
    if (kind->table) synp_256_table(kind->table, &t->low[r], &t->high[r]);
    if (kind->fifth) {
        __m128i first = _mm_cvtsi32_si128((int32_t)synp_u32(p + kind->fifth));
        __m128i last = _mm_cvtsi32_si128((int32_t)synp_u32(p + next + kind->fifth));
        __m256i bits = _mm256_inserti128_si256(_mm256_castsi128_si256(first), last, 1);
        t->low[r] = _mm256_or_si256(t->low[r], synp_256_fifth(bits, 0));
        t->high[r] = _mm256_or_si256(t->high[r], synp_256_fifth(bits, 2));
    }
}

SYNP_256_INLINE void synp_256_load_nibbles(const synp_256_nibble_kind *kind, const void *rows,
                                           size_t quad, int second, size_t blocks, synp_256_tile *t)
{
    const unsigned char *const *row = (const unsigned char *const *)rows;
    size_t at = (quad * 4 + 2 * (size_t)second) * kind->bytes;
    size_t next = blocks >= 2 + 2 * (size_t)second ? kind->bytes : 0;
    SYNP_EACH_ROW(r)
    synp_256_row_nibbles(kind, row[r] + at, next, t, r);
    t->scale[0] =
        kind->exponent ? synp_256_exponents(row, at, next) : synp_256_halves(row, at, next);
    if (kind->minimum) t->minimum[0] = synp_256_halves(row, at + 2, next);
}

#define SYNP_256_NIBBLES(name, bytes, nibbles, fifth, minimum, table, exponent)                    \
    SYNP_256_INLINE void synp_256_load_##name(const void *rows, size_t quad, int second,           \
                                              size_t blocks, synp_256_tile *t)                     \
    {                                                                                              \
        const synp_256_nibble_kind kind = {bytes, nibbles, fifth, minimum, table, exponent};       \
        synp_256_load_nibbles(&kind, rows, quad, second, blocks, t);                               \
    }

SYNP_256_NIBBLES(q4_0, 18, 2, 0, false, NULL, false)
SYNP_256_NIBBLES(q4_1, 20, 4, 0, true, NULL, false)
SYNP_256_NIBBLES(q5_0, 22, 6, 2, false, NULL, false)
SYNP_256_NIBBLES(q5_1, 24, 8, 4, true, NULL, false)
SYNP_256_NIBBLES(iq4_nl, 18, 2, 0, false, synp_table_iq4, false)
SYNP_256_NIBBLES(mxfp4, 17, 1, 0, false, synp_table_mxfp4, true)

SYNP_256_INLINE void synp_256_load_q8_0(const void *rows, size_t quad, int second, size_t blocks,
                                        synp_256_tile *t)
{
    const unsigned char *const *row = (const unsigned char *const *)rows;
    size_t at = (quad * 4 + 2 * (size_t)second) * 34,
           next = blocks >= 2 + 2 * (size_t)second ? 34 : 0;
    size_t low = at + 2, high = at + 18;
    SYNP_EACH_ROW(r)
    t->low[r] = synp_256_two(row[r] + low, row[r] + low + next);
    SYNP_EACH_ROW(r)
    t->high[r] = synp_256_two(row[r] + high, row[r] + high + next);
    t->scale[0] = synp_256_halves(row, at, next);
}

/* ---- loading quarters of super-blocks of 256 */

SYNP_256_INLINE void synp_256_turn(__m128i v[4])
{
    __m128i a = _mm_unpacklo_epi32(v[0], v[1]), b = _mm_unpacklo_epi32(v[2], v[3]);
    __m128i c = _mm_unpackhi_epi32(v[0], v[1]), d = _mm_unpackhi_epi32(v[2], v[3]);
    v[0] = _mm_unpacklo_epi64(a, b);
    v[1] = _mm_unpackhi_epi64(a, b);
    v[2] = _mm_unpacklo_epi64(c, d);
    v[3] = _mm_unpackhi_epi64(c, d);
}

/* Four bytes of each row, those of the pair as floats (block, row), times a factor for each row. */
SYNP_256_INLINE __m256 synp_256_scaled(__m128i bytes, int second, __m128 factor)
{
    const __m128i turn = _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    __m256 both = _mm256_insertf128_ps(_mm256_castps128_ps256(factor), factor, 1);
    bytes = _mm_shuffle_epi8(bytes, turn);
    if (second) bytes = _mm_srli_si128(bytes, 8);
    return _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes)), both);
}

/* The scales and minima of Q4_K and Q5_K: the 16 bytes in front; `half` of the super-block. */
SYNP_256_INLINE void synp_256_scales_k(const unsigned char *const *row, size_t at, size_t half,
                                       int second, synp_256_tile *t)
{
    const __m128i low4 = _mm_set1_epi8(15), low6 = _mm_set1_epi8(63), top2 = _mm_set1_epi8(48);
    const __m128i pack = _mm_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15);
    __m128i v[4], scale, minimum;
    __m256 d;
    SYNP_EACH_ROW(r)
    v[r] = synp_256_load16(row[r] + at);
    synp_256_turn(v);
    d = _mm256_cvtph_ps(_mm_shuffle_epi8(v[0], pack)); /* four d, four dmin */
    if (half) {
        scale =
            _mm_or_si128(_mm_and_si128(v[3], low4), _mm_and_si128(_mm_srli_epi16(v[1], 2), top2));
        minimum = _mm_or_si128(_mm_and_si128(_mm_srli_epi16(v[3], 4), low4),
                               _mm_and_si128(_mm_srli_epi16(v[2], 2), top2));
    } else {
        scale = _mm_and_si128(v[1], low6);
        minimum = _mm_and_si128(v[2], low6);
    }
    t->scale[0] = synp_256_scaled(scale, second, _mm256_castps256_ps128(d));
    t->minimum[0] = synp_256_scaled(minimum, second,
                                    _mm_xor_ps(_mm256_extractf128_ps(d, 1), _mm_set1_ps(-0.0f)));
}

/* 32 bytes of one block to its two lanes in low and high of the pair. */
SYNP_256_INLINE void synp_256_merge(__m256i first, __m256i last, synp_256_tile *t, int r)
{
    t->low[r] = _mm256_permute2x128_si256(first, last, 0x20);
    t->high[r] = _mm256_permute2x128_si256(first, last, 0x31);
}

SYNP_256_INLINE void synp_256_row_q4_k(const unsigned char *nibbles, synp_256_tile *t, int r)
{
    __m256i even, odd;
    synp_256_split(synp_256_load32(nibbles), &even, &odd);
    synp_256_merge(even, odd, t, r);
}

SYNP_256_INLINE void synp_256_load_q4_k(const void *rows, size_t quad, int second, size_t blocks,
                                        synp_256_tile *t)
{
    const unsigned char *const *row = (const unsigned char *const *)rows;
    size_t at = quad / 2 * 144, half = quad % 2,
           nibbles = at + 16 + 64 * half + 32 * (size_t)second;
    (void)blocks;
    SYNP_EACH_ROW(r)
    synp_256_row_q4_k(row[r] + nibbles, t, r);
    synp_256_scales_k(row, at, half, second, t);
}

/* Bit `bit` of each byte, as 16. */
SYNP_256_INLINE __m256i synp_256_bit(__m256i bytes, int bit)
{
    __m256i moved =
        _mm256_sll_epi16(_mm256_srl_epi16(bytes, _mm_cvtsi32_si128(bit)), _mm_cvtsi32_si128(4));
    return _mm256_and_si256(moved, _mm256_set1_epi8(16));
}

SYNP_256_INLINE void synp_256_row_q5_k(const unsigned char *p, size_t half, int second,
                                       synp_256_tile *t, int r)
{
    __m256i even, odd, fifth = synp_256_load32(p + 16);
    int bit = (int)(4 * half) + 2 * second;
    synp_256_split(synp_256_load32(p + 48 + 64 * half + 32 * (size_t)second), &even, &odd);
    even = _mm256_or_si256(even, synp_256_bit(fifth, bit));
    odd = _mm256_or_si256(odd, synp_256_bit(fifth, bit + 1));
    synp_256_merge(even, odd, t, r);
}

SYNP_256_INLINE void synp_256_load_q5_k(const void *rows, size_t quad, int second, size_t blocks,
                                        synp_256_tile *t)
{
    const unsigned char *const *row = (const unsigned char *const *)rows;
    size_t at = quad / 2 * 176, half = quad % 2;
    (void)blocks;
    SYNP_EACH_ROW(r)
    synp_256_row_q5_k(row[r] + at, half, second, t, r);
    synp_256_scales_k(row, at, half, second, t);
}

SYNP_256_INLINE void synp_256_row_q6_k(const unsigned char *p, size_t half, int second,
                                       synp_256_tile *t, int r)
{
    const __m256i low4 = _mm256_set1_epi8(15), top2 = _mm256_set1_epi8(48);
    __m256i first = synp_256_load32(p + 64 * half), last = synp_256_load32(p + 64 * half + 32);
    __m256i top = synp_256_load32(p + 128 + 32 * half), top_first, top_last;
    if (second) {
        first = _mm256_srli_epi16(first, 4);
        last = _mm256_srli_epi16(last, 4);
        top_first = top;
        top_last = _mm256_srli_epi16(top, 2);
    } else {
        top_first = _mm256_slli_epi16(top, 4);
        top_last = _mm256_slli_epi16(top, 2);
    }
    first = _mm256_or_si256(_mm256_and_si256(first, low4), _mm256_and_si256(top_first, top2));
    last = _mm256_or_si256(_mm256_and_si256(last, low4), _mm256_and_si256(top_last, top2));
    synp_256_merge(first, last, t, r);
}

/* A half of each row, twice: for the rows of both blocks. */
SYNP_256_INLINE __m256 synp_256_d(const unsigned char *const *row, size_t at)
{
    __m128 d = _mm256_castps256_ps128(synp_256_halves(row, at, 0));
    return _mm256_insertf128_ps(_mm256_castps128_ps256(d), d, 1);
}

/* Four bytes of each row. */
SYNP_256_INLINE __m128i synp_256_words(const unsigned char *const *row, size_t at)
{
    return _mm_setr_epi32((int32_t)synp_u32(row[0] + at), (int32_t)synp_u32(row[1] + at),
                          (int32_t)synp_u32(row[2] + at), (int32_t)synp_u32(row[3] + at));
}

/* Scales of groups of 16: four int8 of the pair in each row, even ones for first halves, odd ones
 * for second. */
SYNP_256_INLINE void synp_256_scales_16(__m128i bytes, __m256 d, __m256 scale[2])
{
    const __m128i even = _mm_setr_epi8(0, 4, 8, 12, 2, 6, 10, 14, 0, 0, 0, 0, 0, 0, 0, 0);
    const __m128i odd = _mm_setr_epi8(1, 5, 9, 13, 3, 7, 11, 15, 0, 0, 0, 0, 0, 0, 0, 0);
    scale[0] =
        _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_shuffle_epi8(bytes, even))), d);
    scale[1] =
        _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_shuffle_epi8(bytes, odd))), d);
}

SYNP_256_INLINE void synp_256_load_q6_k(const void *rows, size_t quad, int second, size_t blocks,
                                        synp_256_tile *t)
{
    const unsigned char *const *row = (const unsigned char *const *)rows;
    size_t at = quad / 2 * 210, half = quad % 2;
    (void)blocks;
    SYNP_EACH_ROW(r)
    synp_256_row_q6_k(row[r] + at, half, second, t, r);
    synp_256_scales_16(synp_256_words(row, at + 192 + 8 * half + 4 * (size_t)second),
                       synp_256_d(row, at + 208), t->scale);
}

/* The 2-bit fields of a pair of blocks: 32 bytes hold four blocks. */
SYNP_256_INLINE void synp_256_row_fields(const unsigned char *p, int second, synp_256_tile *t,
                                         int r)
{
    const __m256i low2 = _mm256_set1_epi8(3);
    __m256i v = _mm256_srl_epi16(synp_256_load32(p), _mm_cvtsi32_si128(4 * second));
    synp_256_merge(_mm256_and_si256(v, low2), _mm256_and_si256(_mm256_srli_epi16(v, 2), low2), t,
                   r);
}

SYNP_256_INLINE void synp_256_load_q2_k(const void *rows, size_t quad, int second, size_t blocks,
                                        synp_256_tile *t)
{
    const unsigned char *const *row = (const unsigned char *const *)rows;
    const __m128i low4 = _mm_set1_epi8(15);
    size_t at = quad / 2 * 84, half = quad % 2;
    __m128i scales = synp_256_words(row, at + 8 * half + 4 * (size_t)second);
    __m256 dmin = _mm256_xor_ps(synp_256_d(row, at + 82), _mm256_set1_ps(-0.0f));
    (void)blocks;
    SYNP_EACH_ROW(r)
    synp_256_row_fields(row[r] + at + 16 + 32 * half, second, t, r);
    synp_256_scales_16(_mm_and_si128(scales, low4), synp_256_d(row, at + 80), t->scale);
    synp_256_scales_16(_mm_and_si128(_mm_srli_epi16(scales, 4), low4), dmin, t->minimum);
}

/* Eight scales of 6 bits, plus 32: see synp_codes_q3_k. */
SYNP_256_INLINE uint64_t synp_256_scales_q3_k(const unsigned char *p, size_t half)
{
    uint64_t low = synp_u64(p) >> 4 * half & 0x0f0f0f0f0f0f0f0fu;
    uint32_t top = synp_u32(p + 8) >> 4 * half;
    uint64_t high = (top & 0x03030303u) | (uint64_t)(top >> 2 & 0x03030303u) << 32;
    return low | high << 4;
}

SYNP_256_INLINE void synp_256_row_q3_k(const unsigned char *p, size_t half, int second,
                                       synp_256_tile *t, int r)
{
    const __m256i one = _mm256_set1_epi8(1);
    __m256i top =
        _mm256_srl_epi16(synp_256_load32(p), _mm_cvtsi32_si128(4 * (int)half + 2 * second));
    __m256i first = _mm256_and_si256(top, one), low = t->low[r], high;
    __m256i last = _mm256_and_si256(_mm256_srli_epi16(top, 1), one);
    synp_256_row_fields(p + 32 + 32 * half, second, t, r);
    low = t->low[r];
    high = t->high[r];
    synp_256_merge(_mm256_slli_epi16(first, 2), _mm256_slli_epi16(last, 2), t, r);
    t->low[r] = _mm256_or_si256(t->low[r], low);
    t->high[r] = _mm256_or_si256(t->high[r], high);
}

SYNP_256_INLINE void synp_256_load_q3_k(const void *rows, size_t quad, int second, size_t blocks,
                                        synp_256_tile *t)
{
    const unsigned char *const *row = (const unsigned char *const *)rows;
    size_t at = quad / 2 * 110, half = quad % 2;
    uint32_t scale[4];
    (void)blocks;
    SYNP_EACH_ROW(r)
    synp_256_row_q3_k(row[r] + at, half, second, t, r);
    SYNP_EACH_ROW(r)
    scale[r] = (uint32_t)(synp_256_scales_q3_k(row[r] + at + 96, half) >> 32 * second);
    synp_256_scales_16(_mm_sub_epi8(synp_256_load16(scale), _mm_set1_epi8(32)),
                       synp_256_d(row, at + 108), t->scale);
}

SYNP_256_INLINE void synp_256_row_tq2_0(const unsigned char *p, int second, synp_256_tile *t, int r)
{
    const __m256i one = _mm256_set1_epi8(1);
    synp_256_row_fields(p, second, t, r);
    t->low[r] = _mm256_sub_epi8(t->low[r], one);
    t->high[r] = _mm256_sub_epi8(t->high[r], one);
}

SYNP_256_INLINE void synp_256_load_tq2_0(const void *rows, size_t quad, int second, size_t blocks,
                                         synp_256_tile *t)
{
    const unsigned char *const *row = (const unsigned char *const *)rows;
    size_t at = quad / 2 * 66;
    (void)blocks;
    SYNP_EACH_ROW(r)
    synp_256_row_tq2_0(row[r] + at + 32 * (quad % 2), second, t, r);
    t->scale[0] = synp_256_d(row, at + 64);
}

/* Four scales of 6 bits, plus 32, a byte each: see synp_codes_iq4_xs. */
SYNP_256_INLINE int32_t synp_256_scales_iq4_xs(const unsigned char *p, unsigned half)
{
    uint32_t low = synp_u16(p + 4 + 2 * half), top = (uint32_t)synp_u16(p + 2) >> 8 * half;
    low = (low & 15u) | (low & 0xf0u) << 4 | (low & 0xf00u) << 8 | (low & 0xf000u) << 12;
    top = (top & 3u) << 4 | (top & 12u) << 10 | (top & 48u) << 16 | (top & 192u) << 22;
    return (int32_t)(low | top);
}

SYNP_256_INLINE void synp_256_row_iq4_xs(const unsigned char *p, synp_256_tile *t, int r)
{
    synp_256_split(synp_256_load32(p), &t->low[r], &t->high[r]);
    synp_256_table(synp_table_iq4, &t->low[r], &t->high[r]);
}

SYNP_256_INLINE void synp_256_load_iq4_xs(const void *rows, size_t quad, int second, size_t blocks,
                                          synp_256_tile *t)
{
    const unsigned char *const *row = (const unsigned char *const *)rows;
    size_t at = quad / 2 * 136;
    unsigned half = (unsigned)(quad % 2);
    __m128i scales = _mm_setr_epi32(
        synp_256_scales_iq4_xs(row[0] + at, half), synp_256_scales_iq4_xs(row[1] + at, half),
        synp_256_scales_iq4_xs(row[2] + at, half), synp_256_scales_iq4_xs(row[3] + at, half));
    (void)blocks;
    SYNP_EACH_ROW(r)
    synp_256_row_iq4_xs(row[r] + at + 8 + 64 * half + 32 * second, t, r);
    t->scale[0] = synp_256_scaled(_mm_sub_epi8(scales, _mm_set1_epi8(32)), second,
                                  _mm256_castps256_ps128(synp_256_halves(row, at, 0)));
}

/* ---- loading decoded rows */

/* Codes of a tile's blocks from `block` on, and of each row's groups the scales and the minima.
   One text for this level and AVX-512. */
#define SYNP_DECODED_TEXT(level, TARGET, bits, together)                                           \
    TARGET##_INLINE void synp_##level##_decoded(const void *rows, size_t block, bool halves,       \
                                                bool minimum, synp_##level##_tile *t)              \
    {                                                                                              \
        const synp_codes *row = (const synp_codes *)rows;                                          \
        const size_t groups = halves ? 2 : 1;                                                      \
        float scale[2][4 * together], least[2][4 * together]; /* (half, block, row) */             \
        size_t g;                                                                                  \
        int r;                                                                                     \
        SYNP_UNROLL                                                                                \
        for (r = 0; r < 4; r++) {                                                                  \
            synp_##level##_row_codes(row[r].q + 32 * block, t, r);                                 \
            SYNP_UNROLL                                                                            \
            for (g = 0; g < together * groups; g++) {                                              \
                const size_t lane = 4 * (g / groups) + (size_t)r, at = groups * block + g;         \
                scale[g % groups][lane] = row[r].scale[at];                                        \
                if (minimum) least[g % groups][lane] = row[r].minimum[at];                         \
            }                                                                                      \
        }                                                                                          \
        SYNP_UNROLL                                                                                \
        for (g = 0; g < groups; g++) {                                                             \
            t->scale[g] = _mm##bits##_loadu_ps(scale[g]);                                          \
            if (minimum) t->minimum[g] = _mm##bits##_loadu_ps(least[g]);                           \
        }                                                                                          \
    }

SYNP_256_INLINE void synp_256_row_codes(const int8_t *q, synp_256_tile *t, int r)
{
    synp_256_merge(synp_256_load32(q), synp_256_load32(q + 32), t, r);
}

SYNP_DECODED_TEXT(256, SYNP_256, 256, 2)

#define SYNP_256_DECODED(name, halves, minimum)                                                    \
    SYNP_256_INLINE void synp_256_load_##name(const void *rows, size_t quad, int second,           \
                                              size_t blocks, synp_256_tile *t)                     \
    {                                                                                              \
        (void)blocks;                                                                              \
        synp_256_decoded(rows, 4 * quad + 2 * (size_t)second, halves, minimum, t);                 \
    }

SYNP_256_DECODED(32, false, false)
SYNP_256_DECODED(32m, false, true)
SYNP_256_DECODED(16, true, false)
SYNP_256_DECODED(16m, true, true)

/* ---- strips. A piece is two int16: bytes 0 and 2, or 1 and 3, of four neighbouring codes, so
   that widening needs no shuffle. One text for this level and AVX-512; what differs stands in
   front of it: the names of the operations, and the blocks that a tile of four rows holds. */

SYNP_256_INLINE __m256i synp_256_dot2(__m256i sum, __m256i a, __m256i b)
{
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
    __asm__("" : "+x"(sum)); /* keeps GCC 12 from copying all sums in each step */
    return sum;
}

/* The lanes of v, one a block, `step` numbers apart; `blocks` are there. */
SYNP_256_INLINE void synp_256_lanes(int32_t *to, size_t step, size_t blocks, __m256i v)
{
    _mm_storeu_si128((__m128i *)(void *)to, _mm256_castsi256_si128(v));
    if (blocks > 1)
        _mm_storeu_si128((__m128i *)(void *)(to + step), _mm256_extracti128_si256(v, 1));
}

SYNP_256_INLINE void synp_256_load_at(const synp_256_kind *kind, const void *row, size_t block,
                                      size_t blocks, synp_256_tile *t)
{
    kind->load(row, block / 4, (int)(block / 2 % 2), blocks - block / 4 * 4, t);
}

#define SYNP_STRIP_TEXT(level, TARGET, bits, blocks_together, positions_together)                  \
    enum {                                                                                         \
        SYNP_##level##_STRIP = bits / 16, /* rows: two vectors */                                  \
        SYNP_##level##_BLOCK = 16 * SYNP_##level##_STRIP,                                          \
        SYNP_##level##_SOME = positions_together                                                   \
    };                                                                                             \
                                                                                                   \
    /* Halves of the blocks of four rows: a 4 x 4 transpose in each lane, then two pieces from     \
       each four codes. */                                                                         \
    TARGET##_INLINE void synp_##level##_unpack_half(                                               \
        const synp_##level##_kind *kind, const __m##bits##i v[4], size_t blocks, int32_t *piece)   \
    {                                                                                              \
        const __m##bits##i zero = _mm##bits##_set1_epi8((char)(kind->zero ? 1 << kind->zero : 0)); \
        __m##bits##i a = _mm##bits##_unpacklo_epi32(v[0], v[1]), four[4];                          \
        __m##bits##i b = _mm##bits##_unpacklo_epi32(v[2], v[3]);                                   \
        __m##bits##i c = _mm##bits##_unpackhi_epi32(v[0], v[1]);                                   \
        __m##bits##i d = _mm##bits##_unpackhi_epi32(v[2], v[3]);                                   \
        int i;                                                                                     \
        four[0] = _mm##bits##_unpacklo_epi64(a, b);                                                \
        four[1] = _mm##bits##_unpackhi_epi64(a, b);                                                \
        four[2] = _mm##bits##_unpacklo_epi64(c, d);                                                \
        four[3] = _mm##bits##_unpackhi_epi64(c, d);                                                \
        SYNP_UNROLL                                                                                \
        for (i = 0; i < 4; i++, piece += 2 * SYNP_##level##_STRIP) {                               \
            __m##bits##i code = _mm##bits##_sub_epi8(four[i], zero);                               \
            __m##bits##i even = _mm##bits##_srai_epi16(_mm##bits##_slli_epi16(code, 8), 8);        \
            synp_##level##_lanes(piece, SYNP_##level##_BLOCK, blocks, even);                       \
            synp_##level##_lanes(piece + SYNP_##level##_STRIP, SYNP_##level##_BLOCK, blocks,       \
                                 _mm##bits##_srai_epi16(code, 8));                                 \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    TARGET##_INLINE void synp_##level##_unpack(const synp_##level##_kind *kind, const void *row,   \
                                               size_t blocks, const synp_strip *strip, size_t at)  \
    {                                                                                              \
        const size_t groups = kind->halves ? 2 : 1, step = groups * SYNP_##level##_STRIP;          \
        size_t b, g;                                                                               \
        for (b = 0; b < blocks; b += blocks_together) {                                            \
            int32_t *piece = strip->piece + b * SYNP_##level##_BLOCK + at;                         \
            synp_##level##_tile t;                                                                 \
            synp_##level##_load_at(kind, row, b, blocks, &t);                                      \
            synp_##level##_unpack_half(kind, t.low, blocks - b, piece);                            \
            synp_##level##_unpack_half(kind, t.high, blocks - b,                                   \
                                       piece + SYNP_##level##_BLOCK / 2);                          \
            for (g = 0; g < groups; g++) {                                                         \
                const size_t to = b * step + g * SYNP_##level##_STRIP + at;                        \
                synp_##level##_lanes((int32_t *)(void *)(strip->scale + to), step, blocks - b,     \
                                     _mm##bits##_castps_si##bits(t.scale[g]));                     \
                if (!kind->minimum) continue;                                                      \
                synp_##level##_lanes((int32_t *)(void *)(strip->minimum + to), step, blocks - b,   \
                                     _mm##bits##_castps_si##bits(t.minimum[g]));                   \
            }                                                                                      \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    /* Exact sums of the products of some pieces, (position, vector of rows). */                   \
    TARGET##_INLINE void synp_##level##_steps(const int32_t *piece, const int32_t(*x)[SYNP_TILE],  \
                                              int steps, __m##bits##i sum[SYNP_##level##_SOME][2]) \
    {                                                                                              \
        int k, p;                                                                                  \
        SYNP_UNROLL                                                                                \
        for (p = 0; p < SYNP_##level##_SOME; p++)                                                  \
            sum[p][0] = sum[p][1] = _mm##bits##_setzero_si##bits();                                \
        for (k = 0; k < steps; k++, piece += SYNP_##level##_STRIP) {                               \
            const __m##bits##i a =                                                                 \
                _mm##bits##_loadu_si##bits((const __m##bits##i *)(const void *)piece);             \
            const __m##bits##i b = _mm##bits##_loadu_si##bits(                                     \
                (const __m##bits##i *)(const void *)(piece + SYNP_##level##_STRIP / 2));           \
            SYNP_UNROLL                                                                            \
            for (p = 0; p < SYNP_##level##_SOME; p++) {                                            \
                const __m##bits##i two = _mm##bits##_set1_epi32(x[k][p]);                          \
                sum[p][0] = synp_##level##_dot2(sum[p][0], a, two);                                \
                sum[p][1] = synp_##level##_dot2(sum[p][1], b, two);                                \
            }                                                                                      \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    /* total += sum * (scale * d), then minimum * x_sum where there is one */                      \
    TARGET##_INLINE __m##bits synp_##level##_scale_one(__m##bits##i sum, __m##bits scale, float d, \
                                                       __m##bits total)                            \
    {                                                                                              \
        return _mm##bits##_fmadd_ps(_mm##bits##_cvtepi32_ps(sum),                                  \
                                    _mm##bits##_mul_ps(scale, _mm##bits##_set1_ps(d)), total);     \
    }                                                                                              \
                                                                                                   \
    TARGET##_INLINE void synp_##level##_scale(                                                     \
        __m##bits##i sum[SYNP_##level##_SOME][2], const float *scale, const float *d,              \
        const float *minimum, const float *x_sum, bool first, float *total)                        \
    {                                                                                              \
        const size_t next = SYNP_##level##_STRIP / 2;                                              \
        const __m##bits a = _mm##bits##_loadu_ps(scale);                                           \
        const __m##bits b = _mm##bits##_loadu_ps(scale + next);                                    \
        int p;                                                                                     \
        SYNP_UNROLL                                                                                \
        for (p = 0; p < SYNP_##level##_SOME; p++, total += SYNP_##level##_STRIP) {                 \
            __m##bits s = _mm##bits##_setzero_ps(), t = s;                                         \
            if (!first) s = _mm##bits##_loadu_ps(total);                                           \
            if (!first) t = _mm##bits##_loadu_ps(total + next);                                    \
            s = synp_##level##_scale_one(sum[p][0], a, d[p], s);                                   \
            t = synp_##level##_scale_one(sum[p][1], b, d[p], t);                                   \
            if (minimum) {                                                                         \
                const __m##bits x = _mm##bits##_set1_ps(x_sum[p]);                                 \
                s = _mm##bits##_fmadd_ps(_mm##bits##_loadu_ps(minimum), x, s);                     \
                t = _mm##bits##_fmadd_ps(_mm##bits##_loadu_ps(minimum + next), x, t);              \
            }                                                                                      \
            _mm##bits##_storeu_ps(total, s);                                                       \
            _mm##bits##_storeu_ps(total + next, t);                                                \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    /* total += minimum * x_sum */                                                                 \
    TARGET##_INLINE void synp_##level##_minima(const float *minimum, const float *x_sum,           \
                                               float *total)                                       \
    {                                                                                              \
        size_t p, i;                                                                               \
        for (p = 0; p < SYNP_##level##_SOME; p++, total += SYNP_##level##_STRIP) {                 \
            const __m##bits x = _mm##bits##_set1_ps(x_sum[p]);                                     \
            for (i = 0; i < SYNP_##level##_STRIP; i += bits / 32) {                                \
                __m##bits t = _mm##bits##_loadu_ps(total + i);                                     \
                t = _mm##bits##_fmadd_ps(_mm##bits##_loadu_ps(minimum + i), x, t);                 \
                _mm##bits##_storeu_ps(total + i, t);                                               \
            }                                                                                      \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    /* A block of the strip with some positions, from `p` on, of a tile. */                        \
    TARGET##_INLINE void synp_##level##_strip_block(                                               \
        bool halves, bool minimum, const synp_strip *strip, size_t block,                          \
        const synp_acts_tile *tile, int p, bool first, float *total)                               \
    {                                                                                              \
        const int32_t *piece = strip->piece + block * SYNP_##level##_BLOCK;                        \
        const size_t group = block * (halves ? 2 : 1) * SYNP_##level##_STRIP;                      \
        const float *scale = strip->scale + group, *least = strip->minimum + group;                \
        const float *d = tile->scale + p;                                                          \
        const int32_t(*x)[SYNP_TILE] = (const int32_t(*)[SYNP_TILE])(tile->piece[0] + p);          \
        __m##bits##i sum[SYNP_##level##_SOME][2];                                                  \
        if (!halves) {                                                                             \
            synp_##level##_steps(piece, x, 16, sum);                                               \
            synp_##level##_scale(sum, scale, d, minimum ? least : NULL, tile->all + p, first,      \
                                 total);                                                           \
            return;                                                                                \
        }                                                                                          \
        synp_##level##_steps(piece, x, 8, sum);                                                    \
        synp_##level##_scale(sum, scale, d, NULL, NULL, first, total);                             \
        synp_##level##_steps(piece + SYNP_##level##_BLOCK / 2, x + 8, 8, sum);                     \
        synp_##level##_scale(sum, scale + SYNP_##level##_STRIP, d, NULL, NULL, false, total);      \
        if (!minimum) return;                                                                      \
        synp_##level##_minima(least, tile->low + p, total);                                        \
        synp_##level##_minima(least + SYNP_##level##_STRIP, tile->high + p, total);                \
    }                                                                                              \
                                                                                                   \
    TARGET static void synp_##level##_strip(const syn_type *type, const synp_strip *strip,         \
                                            const synp_acts_tile *tile, bool first, float *total)  \
    {                                                                                              \
        size_t b;                                                                                  \
        int p;                                                                                     \
        for (p = 0; p < SYNP_TILE; p += SYNP_##level##_SOME) {                                     \
            for (b = 0; b < strip->blocks; b++) {                                                  \
                float *at = total + (b % 4 * SYNP_TILE + (size_t)p) * SYNP_##level##_STRIP;        \
                const bool new_sum = first && b < 4;                                               \
                if (type->group == 16) {                                                           \
                    synp_##level##_strip_block(true, type->minimum, strip, b, tile + b, p,         \
                                               new_sum, at);                                       \
                } else if (type->minimum) {                                                        \
                    synp_##level##_strip_block(false, true, strip, b, tile + b, p, new_sum, at);   \
                } else {                                                                           \
                    synp_##level##_strip_block(false, false, strip, b, tile + b, p, new_sum, at);  \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    TARGET static void synp_##level##_strip_sum(const float *total, size_t rows, size_t positions, \
                                                float *y, size_t stride)                           \
    {                                                                                              \
        const size_t step = SYNP_TILE * SYNP_##level##_STRIP;                                      \
        size_t p, r;                                                                               \
        for (p = 0; p < positions; p++, y += stride, total += SYNP_##level##_STRIP) {              \
            for (r = 0; r + bits / 32 <= rows; r += bits / 32) {                                   \
                const float *t = total + r;                                                        \
                __m##bits s =                                                                      \
                    _mm##bits##_add_ps(_mm##bits##_loadu_ps(t), _mm##bits##_loadu_ps(t + step));   \
                s = _mm##bits##_add_ps(s, _mm##bits##_add_ps(_mm##bits##_loadu_ps(t + 2 * step),   \
                                                             _mm##bits##_loadu_ps(t + 3 * step))); \
                _mm##bits##_storeu_ps(y + r, s);                                                   \
            }                                                                                      \
            synp_strip_sum(total, SYNP_##level##_STRIP, r, rows, y);                               \
        }                                                                                          \
    }

SYNP_STRIP_TEXT(256, SYNP_256, 256, 2, 4)

/* Sixteen activations as pieces to every SYNP_TILE-th place. */
SYNP_256_INLINE void synp_256_pack_half(const int8_t *q, const int8_t *r, int32_t *to)
{
    const __m256i pairs = _mm256_setr_epi8(0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15, 0,
                                           1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15);
    __m256i high = _mm256_slli_epi16(_mm256_cvtepi8_epi16(synp_256_load16(q)), 8);
    __m256i both = _mm256_add_epi16(high, _mm256_cvtepi8_epi16(synp_256_load16(r)));
    int32_t piece[8];
    int i;
    _mm256_storeu_si256((__m256i *)(void *)piece, _mm256_shuffle_epi8(both, pairs));
    for (i = 0; i < 8; i++) to[i * SYNP_TILE] = piece[i];
}

SYNP_256 static void synp_256_pack(const synp_acts_quad *quad, int j, synp_acts_tile *tile,
                                   int position)
{
    synp_256_pack_half(quad->q + 16 * j, quad->r + 16 * j, &tile->piece[0][position]);
    synp_256_pack_half(quad->q + 64 + 16 * j, quad->r + 64 + 16 * j, &tile->piece[8][position]);
}

/* ---- rows of numbers with few positions: widened in registers, each product as synp_256_dot
   would. A row at a time, as it lies in memory: Zen 4 reads 28 GB/s so, 13 to 20 with four rows at
   once. */

typedef __m256 synp_256_wide_fn(const unsigned char *p, size_t i); /* numbers i to i + 7 */

SYNP_256_INLINE __m256 synp_256_wide_f32(const unsigned char *p, size_t i)
{
    return _mm256_castsi256_ps(synp_256_load32(p + 4 * i));
}

SYNP_256_INLINE __m256 synp_256_wide_f16(const unsigned char *p, size_t i)
{
    return _mm256_cvtph_ps(synp_256_load16(p + 2 * i));
}

SYNP_256_INLINE __m256 synp_256_wide_bf16(const unsigned char *p, size_t i)
{
    return _mm256_castsi256_ps(
        _mm256_slli_epi32(_mm256_cvtepu16_epi32(synp_256_load16(p + 2 * i)), 16));
}

/* cols is a multiple of 16. */
SYNP_256_INLINE float synp_256_wide_dot(synp_256_wide_fn *wide, const unsigned char *row,
                                        const float *x, size_t cols)
{
    __m256 sum[2];
    size_t i;
    sum[0] = sum[1] = _mm256_setzero_ps();
    for (i = 0; i < cols; i += 16) {
        sum[0] = _mm256_fmadd_ps(wide(row, i), _mm256_loadu_ps(x + i), sum[0]);
        sum[1] = _mm256_fmadd_ps(wide(row, i + 8), _mm256_loadu_ps(x + i + 8), sum[1]);
    }
    return synp_256_sum(sum);
}

#define SYNP_256_WIDE(name)                                                                        \
    SYNP_256 static void synp_256_##name(const unsigned char *data, size_t row_bytes, size_t rows, \
                                         const synp_acts *acts, float *y, size_t stride)           \
    {                                                                                              \
        size_t r, p;                                                                               \
        for (r = 0; r < rows; r++)                                                                 \
            for (p = 0; p < acts->positions; p++)                                                  \
                y[p * stride + r] = synp_256_wide_dot(synp_256_wide_##name, data + r * row_bytes,  \
                                                      acts->x + p * acts->cols, acts->cols);       \
    }

SYNP_256_WIDE(f32)
SYNP_256_WIDE(f16)
SYNP_256_WIDE(bf16)

/* ---- the functions of the level */

#define SYNP_256_BLOCKS(id, name, zero, is_signed, halves, minimum)                                \
    SYNP_256 static void synp_256_##name(const unsigned char *data, size_t row_bytes, size_t rows, \
                                         const synp_acts *acts, float *y, size_t stride)           \
    {                                                                                              \
        const synp_256_kind kind = {synp_256_load_##name, zero, is_signed, halves, minimum};       \
        synp_256_blocks(&kind, data, row_bytes, rows, acts, y, stride);                            \
    }                                                                                              \
    SYNP_256 static void synp_256_unpack_##name(const unsigned char *const row[4], size_t blocks,  \
                                                const synp_strip *strip, size_t at)                \
    {                                                                                              \
        const synp_256_kind kind = {synp_256_load_##name, zero, is_signed, halves, minimum};       \
        synp_256_unpack(&kind, row, blocks, strip, at);                                            \
    }

/* Type, name, log2 of the zero point, signed codes, scales of halves, minimum. */
#define SYNP_256_TYPES(X)                                                                          \
    X(Q4_0, q4_0, 3, false, false, false)                                                          \
    X(Q4_1, q4_1, 0, false, false, true)                                                           \
    X(Q5_0, q5_0, 4, false, false, false)                                                          \
    X(Q5_1, q5_1, 0, false, false, true)                                                           \
    X(Q8_0, q8_0, 0, true, false, false)                                                           \
    X(Q4_K, q4_k, 0, false, false, true)                                                           \
    X(Q5_K, q5_k, 0, false, false, true)                                                           \
    X(Q6_K, q6_k, 5, false, true, false)                                                           \
    X(Q2_K, q2_k, 0, false, true, true)                                                            \
    X(Q3_K, q3_k, 2, false, true, false)                                                           \
    X(IQ4_NL, iq4_nl, 0, true, false, false)                                                       \
    X(IQ4_XS, iq4_xs, 0, true, false, false)                                                       \
    X(TQ2_0, tq2_0, 0, true, false, false)                                                         \
    X(MXFP4, mxfp4, 0, true, false, false)

SYNP_256_TYPES(SYNP_256_BLOCKS)

#define SYNP_FUSED_256(id, name, zero, is_signed, halves, minimum)                                 \
    {SYN_TYPE_##id, synp_256_##name, synp_256_unpack_##name},
static const synp_fused synp_256_fused[] = {
    {SYN_TYPE_F32, synp_256_f32, NULL},
    {SYN_TYPE_F16, synp_256_f16, NULL},
    {SYN_TYPE_BF16, synp_256_bf16, NULL},
    SYNP_256_TYPES(SYNP_FUSED_256){0, NULL, NULL},
};

/* Products and strips of decoded rows, which are loaded by group and minimum. One text for this
   level and AVX-512; the kinds are constants, so that every call is compiled for its own. */
#define SYNP_CODED(level, type, call, ...)                                                         \
    do {                                                                                           \
        const synp_##level##_kind g32 = SYNP_##level##_KIND(load_32, false, false);                \
        const synp_##level##_kind g32m = SYNP_##level##_KIND(load_32m, false, true);               \
        const synp_##level##_kind g16 = SYNP_##level##_KIND(load_16, true, false);                 \
        const synp_##level##_kind g16m = SYNP_##level##_KIND(load_16m, true, true);                \
        if ((type)->group == 32) {                                                                 \
            if ((type)->minimum) call(&g32m, __VA_ARGS__);                                         \
            else call(&g32, __VA_ARGS__);                                                          \
        } else {                                                                                   \
            if ((type)->minimum) call(&g16m, __VA_ARGS__);                                         \
            else call(&g16, __VA_ARGS__);                                                          \
        }                                                                                          \
    } while (0)

#define SYNP_CODED_TEXT(level, TARGET)                                                             \
    TARGET static void synp_##level##_codes(const syn_type *type, const synp_codes row[4],         \
                                            size_t rows, const synp_acts *acts, float *y,          \
                                            size_t stride)                                         \
    {                                                                                              \
        const synp_256_ahead none = {0, 0};                                                        \
        SYNP_CODED(level, type, synp_##level##_four, row, rows, acts, y, stride, none);            \
    }                                                                                              \
                                                                                                   \
    TARGET static void synp_##level##_unpack_codes(const syn_type *type, const synp_codes row[4],  \
                                                   size_t blocks, const synp_strip *strip,         \
                                                   size_t at)                                      \
    {                                                                                              \
        SYNP_CODED(level, type, synp_##level##_unpack, row, blocks, strip, at);                    \
    }

#define SYNP_256_KIND(load, halves, minimum)                                                       \
    {                                                                                              \
        synp_256_##load, 0, true, halves, minimum                                                  \
    }
SYNP_CODED_TEXT(256, SYNP_256)

static const synp_strips synp_256_strips = {
    SYNP_256_STRIP, 12, synp_256_unpack_codes, synp_256_strip, synp_256_strip_sum, synp_256_pack};

static const synp_kernels synp_256 = {
    "AVX2",          SYN_SIMD_AVX2,  &synp_256_strips,  synp_256_fused,    synp_256_codes,
    synp_256_floats, synp_256_widen, synp_256_quantise, synp_256_dot,      synp_256_axpy,
    synp_256_dots,   synp_256_mix,   synp_256_softmax,  synp_256_silu_mul, synp_256_gelu_mul,
};
#endif /* SYNP_X86 */

/* ------------------------------------------------ AVX-512 VNNI
   Four rows and 128 columns at a time. The codes of a row fill two vectors, one with the first
   halves of four blocks, one with the second halves, so that each lane of 16 bytes belongs to
   one block. VPDPBUSD multiplies unsigned by signed: codes are made unsigned by adding a zero
   point, whose product with the sum of the activations is where the accumulators start. A 4 x 4
   transposing sum then puts (block, row) into the 16 lanes, and one vector of floats holds all
   that is added. */

#ifdef SYNP_X86_512
#if defined(__GNUC__) && !defined(__clang__) /* GCC 12's own headers warn about themselves in C++  \
                                              */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#define SYNP_512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,f16c,fma")))
#define SYNP_512_INLINE static inline __attribute__((always_inline)) SYNP_512

enum {
    SYNP_512_TOGETHER = 32
}; /* positions that share one decoding; their sums are on the stack */

/* Four rows of a quad. scale and minimum have lanes (block, row); [1] is for second halves. */
typedef struct synp_512_tile {
    __m512i low[4], high[4];
    __m512 scale[2], minimum[2];
} synp_512_tile;

typedef void synp_512_load_fn(const void *rows, size_t quad, unsigned blocks, synp_512_tile *tile);

/* What the products of a type need to know. */
typedef struct synp_512_kind {
    synp_512_load_fn *load;
    int zero;    /* log2 of the zero point, 0: none */
    bool halves; /* scales for 16 weights */
    bool minimum;
} synp_512_kind;

/* ---- products */

SYNP_512_INLINE __m512i synp_512_sum4(__m512i a, __m512i b, __m512i c, __m512i d)
{
    __m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    __m512i cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
    return _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
}

/* Four numbers, each repeated over the lanes of its block. */
SYNP_512_INLINE __m512 synp_512_spread(__m128 four)
{
    const __m512i lane = _mm512_set_epi32(3, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0);
    return _mm512_permutexvar_ps(lane, _mm512_castps128_ps512(four));
}

/* -(sum << zero) in the first lane of each block, 0 in the others. */
SYNP_512_INLINE __m512i synp_512_start(const int32_t *sum, int zero)
{
    const __m512i lane = _mm512_set_epi32(3, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0);
    __m128i four = _mm_loadu_si128((const __m128i *)(const void *)sum);
    if (!zero) return _mm512_setzero_si512();
    four = _mm_sub_epi32(_mm_setzero_si128(), _mm_slli_epi32(four, zero));
    return _mm512_maskz_permutexvar_epi32(0x1111, lane, _mm512_castsi128_si512(four));
}

/* minimum * (sum of the codes * scale of the activations) */
SYNP_512_INLINE __m512 synp_512_minimum(const int32_t *sum, __m128 d, __m512 minimum, __m512 total)
{
    __m128i four = _mm_loadu_si128((const __m128i *)(const void *)sum);
    __m128 product = _mm_mul_ps(_mm_cvtepi32_ps(four), d);
    return _mm512_fmadd_ps(minimum, synp_512_spread(product), total);
}

/* 256 times the sums with the first digit (q) plus those with the second (r), in four lanes a
   block: of one half, or of both. */
SYNP_512_INLINE __m512i synp_512_fours(__m512i code, __m512i q, __m512i r, __m512i start)
{
    __m512i high = _mm512_dpbusd_epi32(_mm512_setzero_si512(), code, q);
    return _mm512_add_epi32(_mm512_slli_epi32(high, 8), _mm512_dpbusd_epi32(start, code, r));
}

SYNP_512_INLINE __m512i synp_512_both(const synp_512_tile *t, int row, const __m512i q[2],
                                      const __m512i r[2], __m512i start)
{
    __m512i high = _mm512_dpbusd_epi32(_mm512_setzero_si512(), t->low[row], q[0]);
    __m512i low = _mm512_dpbusd_epi32(start, t->low[row], r[0]);
    high = _mm512_dpbusd_epi32(high, t->high[row], q[1]);
    low = _mm512_dpbusd_epi32(low, t->high[row], r[1]);
    return _mm512_add_epi32(_mm512_slli_epi32(high, 8), low);
}

/* Sums of the products of four rows, (block, row), as floats. */
SYNP_512_INLINE __m512 synp_512_half(const __m512i code[4], __m512i q, __m512i r, __m512i start)
{
    return _mm512_cvtepi32_ps(
        synp_512_sum4(synp_512_fours(code[0], q, r, start), synp_512_fours(code[1], q, r, start),
                      synp_512_fours(code[2], q, r, start), synp_512_fours(code[3], q, r, start)));
}

SYNP_512_INLINE __m512 synp_512_whole(const synp_512_tile *t, const __m512i q[2],
                                      const __m512i r[2], __m512i start)
{
    __m512i sum[4];
    SYNP_EACH_ROW(k)
    sum[k] = synp_512_both(t, k, q, r, start);
    return _mm512_cvtepi32_ps(synp_512_sum4(sum[0], sum[1], sum[2], sum[3]));
}

/* Adds a quad's products of four rows with one position to total (block modulo 4, row). */
SYNP_512_INLINE __m512 synp_512_quad(const synp_512_kind *kind, const synp_512_tile *t,
                                     const synp_acts_quad *x, __m512 total)
{
    __m128 d4 = _mm_loadu_ps(x->scale);
    __m512 d = synp_512_spread(d4), sum;
    __m512i q[2], r[2];

    q[0] = _mm512_loadu_si512(x->q);
    q[1] = _mm512_loadu_si512(x->q + 64);
    r[0] = _mm512_loadu_si512(x->r);
    r[1] = _mm512_loadu_si512(x->r + 64);
    if (!kind->halves) {
        sum = synp_512_whole(t, q, r, synp_512_start(x->all, kind->zero));
        total = _mm512_fmadd_ps(sum, _mm512_mul_ps(t->scale[0], d), total);
        return kind->minimum ? synp_512_minimum(x->all, d4, t->minimum[0], total) : total;
    }
    sum = synp_512_half(t->low, q[0], r[0], synp_512_start(x->low, kind->zero));
    total = _mm512_fmadd_ps(sum, _mm512_mul_ps(t->scale[0], d), total);
    sum = synp_512_half(t->high, q[1], r[1], synp_512_start(x->high, kind->zero));
    total = _mm512_fmadd_ps(sum, _mm512_mul_ps(t->scale[1], d), total);
    if (!kind->minimum) return total;
    total = synp_512_minimum(x->low, d4, t->minimum[0], total);
    return synp_512_minimum(x->high, d4, t->minimum[1], total);
}

/* The four sums of each row become one, and the rows that exist are stored. */
SYNP_512_INLINE void synp_512_finish(__m512 total, size_t rows, float *y)
{
    __m128 a = _mm_add_ps(_mm512_castps512_ps128(total), _mm512_extractf32x4_ps(total, 1));
    __m128 b = _mm_add_ps(_mm512_extractf32x4_ps(total, 2), _mm512_extractf32x4_ps(total, 3));
    _mm_mask_storeu_ps(y, (__mmask8)((1u << rows) - 1), _mm_add_ps(a, b));
}

/* Up to four rows with all positions. */
SYNP_512_INLINE void synp_512_four(const synp_512_kind *kind, const void *row, size_t rows,
                                   const synp_acts *acts, float *y, size_t stride,
                                   synp_256_ahead ahead)
{
    size_t blocks = acts->cols / 32, across = acts->across, quad, p, i;

    for (p = 0; p < acts->positions; p += SYNP_512_TOGETHER) {
        size_t n = acts->positions - p;
        const synp_acts_quad *x = acts->quads + p * across;
        __m512 total[SYNP_512_TOGETHER];
        if (n > SYNP_512_TOGETHER) n = SYNP_512_TOGETHER;
        if (n == 1) {
            __m512 only = _mm512_setzero_ps();
            for (quad = 0; quad < across; quad++) {
                synp_512_tile tile;
                synp_256_fetch(&ahead);
                kind->load(row, quad, (unsigned)(blocks - 4 * quad), &tile);
                only = synp_512_quad(kind, &tile, x + quad, only);
            }
            synp_512_finish(only, rows, y + p * stride);
            continue;
        }
        for (i = 0; i < n; i++) total[i] = _mm512_setzero_ps();
        for (quad = 0; quad < across; quad++) {
            synp_512_tile tile;
            synp_256_fetch(&ahead);
            kind->load(row, quad, (unsigned)(blocks - 4 * quad), &tile);
            for (i = 0; i < n; i++) {
                total[i] = synp_512_quad(kind, &tile, x + i * across + quad, total[i]);
            }
        }
        for (i = 0; i < n; i++) synp_512_finish(total[i], rows, y + (p + i) * stride);
    }
}

SYNP_BLOCKS_TEXT(512, SYNP_512)

/* ---- loading blocks of 32: four blocks of a row are 72 to 136 bytes without a gap */

/* The first and the last 64 bytes of `blocks` (at most 4) blocks; what is not there is zero, so
   that scales of missing blocks are. */
SYNP_512_INLINE void synp_512_ends(const unsigned char *p, unsigned bytes, unsigned blocks,
                                   __m512i *first, __m512i *last)
{
    if (blocks >= 4) {
        *first = _mm512_loadu_si512(p);
        *last = _mm512_loadu_si512(p + 4 * bytes - 64);
    } else {
        unsigned there = bytes * blocks, skip = 4 * bytes - 64;
        uint64_t all = ~(uint64_t)0;
        *first = _mm512_maskz_loadu_epi8(there < 64 ? ~(all << there) : all, p);
        there = there > skip ? there - skip : 0;
        *last = there ? _mm512_maskz_loadu_epi8(~(all << there), p + skip) : _mm512_setzero_si512();
    }
}

/* Word w of a quad of blocks whose second vector starts at word `skip`, as an index for
   VPERMI2W. */
#define SYNP_512_WORD(w, skip) (int16_t)((w) < 32 ? (w) : (w) - (skip) + 32)
#define SYNP_512_RUN(w, skip)                                                                      \
    SYNP_512_WORD(w, skip), SYNP_512_WORD((w) + 1, skip), SYNP_512_WORD((w) + 2, skip),            \
        SYNP_512_WORD((w) + 3, skip), SYNP_512_WORD((w) + 4, skip), SYNP_512_WORD((w) + 5, skip),  \
        SYNP_512_WORD((w) + 6, skip), SYNP_512_WORD((w) + 7, skip)
/* Index of the nibbles of four blocks of `step` words that start at word `from` of each. */
#define SYNP_512_NIBBLES(step, from)                                                               \
    {                                                                                              \
        SYNP_512_RUN(from, 4 * (step)-32), SYNP_512_RUN((step) + (from), 4 * (step)-32),           \
            SYNP_512_RUN(2 * (step) + (from), 4 * (step)-32),                                      \
            SYNP_512_RUN(3 * (step) + (from), 4 * (step)-32)                                       \
    }
/* Index of word k of each of the four blocks. */
#define SYNP_512_FOUR(step, k)                                                                     \
    SYNP_512_WORD(k, 4 * (step)-32), SYNP_512_WORD((step) + (k), 4 * (step)-32),                   \
        SYNP_512_WORD(2 * (step) + (k), 4 * (step)-32),                                            \
        SYNP_512_WORD(3 * (step) + (k), 4 * (step)-32)

static const int16_t synp_512_q4_0_nibbles[32] = SYNP_512_NIBBLES(9, 1);
static const int16_t synp_512_q4_1_nibbles[32] = SYNP_512_NIBBLES(10, 2);
static const int16_t synp_512_q5_0_nibbles[32] = SYNP_512_NIBBLES(11, 3);
static const int16_t synp_512_q5_1_nibbles[32] = SYNP_512_NIBBLES(12, 4);
/* Words of the fields in front: d, m, low and high fifth bits, four blocks each. */
static const int16_t synp_512_q4_0_fields[32] = {SYNP_512_FOUR(9, 0)};
static const int16_t synp_512_q4_1_fields[32] = {SYNP_512_FOUR(10, 0), SYNP_512_FOUR(10, 1)};
static const int16_t synp_512_q5_0_fields[32] = {SYNP_512_FOUR(11, 0), SYNP_512_FOUR(11, 0),
                                                 SYNP_512_FOUR(11, 1), SYNP_512_FOUR(11, 2)};
static const int16_t synp_512_q5_1_fields[32] = {SYNP_512_FOUR(12, 0), SYNP_512_FOUR(12, 1),
                                                 SYNP_512_FOUR(12, 2), SYNP_512_FOUR(12, 3)};
/* d of Q8_0, its vectors start at bytes 0 and 68 */
static const int16_t synp_512_q8_0_fields[32] = {0, 17, 32, 49};

SYNP_512_INLINE __m512i synp_512_index(const int16_t *index)
{
    return _mm512_loadu_si512(index);
}

/* Four halves of each of four rows, `from` words into their vectors, to floats (block, row). */
SYNP_512_INLINE __m512 synp_512_halves(const __m128i field[4], int from)
{
    __m128i ab, cd, first, last;
    if (from == 0) {
        ab = _mm_unpacklo_epi16(field[0], field[1]);
        cd = _mm_unpacklo_epi16(field[2], field[3]);
    } else {
        ab = _mm_unpackhi_epi16(field[0], field[1]);
        cd = _mm_unpackhi_epi16(field[2], field[3]);
    }
    first = _mm_unpacklo_epi32(ab, cd);
    last = _mm_unpackhi_epi32(ab, cd);
    return _mm512_cvtph_ps(_mm256_inserti128_si256(_mm256_castsi128_si256(first), last, 1));
}

SYNP_512_INLINE void synp_512_split(__m512i nibbles, __m512i *low, __m512i *high)
{
    const __m512i mask = _mm512_set1_epi8(15);
    *low = _mm512_and_si512(nibbles, mask);
    *high = _mm512_and_si512(_mm512_srli_epi16(nibbles, 4), mask);
}

/* Nibbles to the codes of a table, plus 128. */
SYNP_512_INLINE void synp_512_table(const int8_t *table, __m512i *low, __m512i *high)
{
    const __m512i t =
        _mm512_broadcast_i32x4(_mm_xor_si128(synp_256_load16(table), _mm_set1_epi8(-128)));
    *low = _mm512_shuffle_epi8(t, *low);
    *high = _mm512_shuffle_epi8(t, *high);
}

/* What differs between Q4_0, Q4_1, Q5_0, Q5_1 and IQ4_NL. */
typedef struct synp_512_nibble_kind {
    unsigned bytes;
    const int16_t *nibbles, *fields;
    bool fifth, minimum, iq4;
} synp_512_nibble_kind;

/* Row r of a tile: codes, and the fields in front of the blocks: four d, m, low and high fifth
   bits. */
SYNP_512_INLINE void synp_512_row_nibbles(const synp_512_nibble_kind *kind, const unsigned char *p,
                                          unsigned blocks, synp_512_tile *t, int r,
                                          __m128i field[4])
{
    __m512i first, last, words;
    synp_512_ends(p, kind->bytes, blocks, &first, &last);
    words = _mm512_permutex2var_epi16(first, synp_512_index(kind->nibbles), last);
    synp_512_split(words, &t->low[r], &t->high[r]);
    words = _mm512_permutex2var_epi16(first, synp_512_index(kind->fields), last);
    field[r] = _mm512_castsi512_si128(words);
    if (kind->iq4) synp_512_table(synp_table_iq4, &t->low[r], &t->high[r]);
    if (kind->fifth) {
        const __m512i sixteen = _mm512_set1_epi8(16);
        __m128i bits = _mm512_extracti32x4_epi32(words, 1);
        __mmask64 low = (__mmask64)_mm_cvtsi128_si64(bits);
        __mmask64 high = (__mmask64)_mm_extract_epi64(bits, 1);
        t->low[r] = _mm512_mask_add_epi8(t->low[r], low, t->low[r], sixteen);
        t->high[r] = _mm512_mask_add_epi8(t->high[r], high, t->high[r], sixteen);
    }
}

SYNP_512_INLINE void synp_512_load_nibbles(const synp_512_nibble_kind *kind, const void *rows,
                                           size_t quad, unsigned blocks, synp_512_tile *t)
{
    const unsigned char *const *row = (const unsigned char *const *)rows;
    size_t at = quad * 4 * kind->bytes;
    __m128i field[4];
    if (blocks >= 4) { /* the masks of the last quad are kept out of the usual way */
        SYNP_EACH_ROW(r)
        synp_512_row_nibbles(kind, row[r] + at, 4, t, r, field);
    } else {
        SYNP_EACH_ROW(r)
        synp_512_row_nibbles(kind, row[r] + at, blocks, t, r, field);
    }
    t->scale[0] = synp_512_halves(field, 0);
    if (kind->minimum) t->minimum[0] = synp_512_halves(field, 4);
}

SYNP_512_INLINE void synp_512_load_q4_0(const void *rows, size_t quad, unsigned blocks,
                                        synp_512_tile *t)
{
    const synp_512_nibble_kind kind = {
        18, synp_512_q4_0_nibbles, synp_512_q4_0_fields, false, false, false};
    synp_512_load_nibbles(&kind, rows, quad, blocks, t);
}

SYNP_512_INLINE void synp_512_load_q4_1(const void *rows, size_t quad, unsigned blocks,
                                        synp_512_tile *t)
{
    const synp_512_nibble_kind kind = {
        20, synp_512_q4_1_nibbles, synp_512_q4_1_fields, false, true, false};
    synp_512_load_nibbles(&kind, rows, quad, blocks, t);
}

SYNP_512_INLINE void synp_512_load_q5_0(const void *rows, size_t quad, unsigned blocks,
                                        synp_512_tile *t)
{
    const synp_512_nibble_kind kind = {
        22, synp_512_q5_0_nibbles, synp_512_q5_0_fields, true, false, false};
    synp_512_load_nibbles(&kind, rows, quad, blocks, t);
}

SYNP_512_INLINE void synp_512_load_q5_1(const void *rows, size_t quad, unsigned blocks,
                                        synp_512_tile *t)
{
    const synp_512_nibble_kind kind = {
        24, synp_512_q5_1_nibbles, synp_512_q5_1_fields, true, true, false};
    synp_512_load_nibbles(&kind, rows, quad, blocks, t);
}

SYNP_512_INLINE void synp_512_load_iq4_nl(const void *rows, size_t quad, unsigned blocks,
                                          synp_512_tile *t)
{
    const synp_512_nibble_kind kind = {
        18, synp_512_q4_0_nibbles, synp_512_q4_0_fields, false, false, true};
    synp_512_load_nibbles(&kind, rows, quad, blocks, t);
}

/* Blocks of an odd number of bytes, each by itself: a missing one is the last again, whose
   exponent is 0 here. */
SYNP_512_INLINE uint32_t synp_512_row_mxfp4(const unsigned char *p, unsigned blocks,
                                            synp_512_tile *t, int r)
{
    const unsigned char *b = p + (blocks > 1 ? 17 : 0), *c = b + (blocks > 2 ? 17 : 0);
    const unsigned char *d = c + (blocks > 3 ? 17 : 0);
    __m512i v = _mm512_inserti64x4(_mm512_castsi256_si512(synp_256_two(p + 1, b + 1)),
                                   synp_256_two(c + 1, d + 1), 1);
    synp_512_split(v, &t->low[r], &t->high[r]);
    synp_512_table(synp_table_mxfp4, &t->low[r], &t->high[r]);
    return p[0] | (uint32_t)b[0] << 8 | (uint32_t)c[0] << 16 | (uint32_t)d[0] << 24;
}

SYNP_512_INLINE void synp_512_load_mxfp4(const void *rows, size_t quad, unsigned blocks,
                                         synp_512_tile *t)
{
    const unsigned char *const *row = (const unsigned char *const *)rows;
    const __m128i turn = _mm_set_epi8(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
    const __mmask16 there = (__mmask16)(blocks < 4 ? (1u << 4 * blocks) - 1 : 0xffffu);
    uint32_t exponent[4];
    __m128i e;
    SYNP_EACH_ROW(r)
    exponent[r] = synp_512_row_mxfp4(row[r] + quad * 68, blocks, t, r);
    e = _mm_shuffle_epi8(synp_256_load16(exponent), turn); /* to (block, row) */
    t->scale[0] =
        _mm512_maskz_mov_ps(there, _mm512_insertf32x8(_mm512_castps256_ps512(synp_256_powers(e)),
                                                      synp_256_powers(_mm_srli_si128(e, 8)), 1));
}

/* Two vectors in the order of the weights to first and second halves, unsigned. */
SYNP_512_INLINE void synp_512_order(__m512i a, __m512i b, __m512i *low, __m512i *high)
{
    const __m512i flip = _mm512_set1_epi8(-128);
    *low = _mm512_xor_si512(_mm512_shuffle_i64x2(a, b, 0x88), flip);
    *high = _mm512_xor_si512(_mm512_shuffle_i64x2(a, b, 0xdd), flip);
}

SYNP_512_INLINE __m128i synp_512_load16(const unsigned char *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

SYNP_512_INLINE __m256i synp_512_load32(const unsigned char *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

SYNP_512_INLINE __m512i synp_512_load64(const unsigned char *p, const unsigned char *q)
{
    return _mm512_inserti64x4(_mm512_castsi256_si512(synp_512_load32(p)), synp_512_load32(q), 1);
}

/* Blocks that are not there are loaded as the first, with a scale of zero. */
SYNP_512_INLINE void synp_512_row_q8_0(const unsigned char *p, unsigned blocks, synp_512_tile *t,
                                       int r, __m128i field[4])
{
    if (blocks >= 4) {
        __m512i first = _mm512_loadu_si512(p), last = _mm512_loadu_si512(p + 68);
        first = _mm512_permutex2var_epi16(first, synp_512_index(synp_512_q8_0_fields), last);
        field[r] = _mm512_castsi512_si128(first);
        synp_512_order(synp_512_load64(p + 2, p + 36), synp_512_load64(p + 70, p + 104), &t->low[r],
                       &t->high[r]);
    } else {
        const unsigned char *second = p + (blocks > 1 ? 34 : 0), *third = p + (blocks > 2 ? 68 : 0);
        field[r] = _mm_cvtsi32_si128(synp_u16(p));
        field[r] = _mm_insert_epi16(field[r], (short)(blocks > 1 ? synp_u16(second) : 0), 1);
        field[r] = _mm_insert_epi16(field[r], (short)(blocks > 2 ? synp_u16(third) : 0), 2);
        synp_512_order(synp_512_load64(p + 2, second + 2), synp_512_load64(third + 2, p + 2),
                       &t->low[r], &t->high[r]);
    }
}

SYNP_512_INLINE void synp_512_load_q8_0(const void *rows, size_t quad, unsigned blocks,
                                        synp_512_tile *t)
{
    const unsigned char *const *row = (const unsigned char *const *)rows;
    size_t at = quad * 136;
    __m128i field[4];
    if (blocks >= 4) {
        SYNP_EACH_ROW(r)
        synp_512_row_q8_0(row[r] + at, 4, t, r, field);
    } else {
        SYNP_EACH_ROW(r)
        synp_512_row_q8_0(row[r] + at, blocks, t, r, field);
    }
    t->scale[0] = synp_512_halves(field, 0);
}

/* ---- loading halves of super-blocks of 256 */

/* Four vectors of 4 words, transposed. */
SYNP_512_INLINE void synp_512_turn(__m128i v[4])
{
    __m128i a = _mm_unpacklo_epi32(v[0], v[1]), b = _mm_unpacklo_epi32(v[2], v[3]);
    __m128i c = _mm_unpackhi_epi32(v[0], v[1]), d = _mm_unpackhi_epi32(v[2], v[3]);
    v[0] = _mm_unpacklo_epi64(a, b);
    v[1] = _mm_unpackhi_epi64(a, b);
    v[2] = _mm_unpacklo_epi64(c, d);
    v[3] = _mm_unpackhi_epi64(c, d);
}

/* 16 int8 (row, block) times a factor for each row, as floats (block, row). */
SYNP_512_INLINE __m512 synp_512_scaled(__m128i bytes, __m128 factor)
{
    const __m128i turn = _mm_set_epi8(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
    __m512i wide = _mm512_cvtepi8_epi32(_mm_shuffle_epi8(bytes, turn));
    return _mm512_mul_ps(_mm512_cvtepi32_ps(wide), _mm512_broadcast_f32x4(factor));
}

/* The scales and minima of half a super-block of Q4_K and Q5_K: the 16 bytes in front. */
SYNP_512_INLINE void synp_512_scales_k(const unsigned char *const *row, size_t at, bool second,
                                       synp_512_tile *t)
{
    const __m128i low4 = _mm_set1_epi8(15), low6 = _mm_set1_epi8(63), top2 = _mm_set1_epi8(48);
    const __m128i pack = _mm_set_epi8(15, 14, 11, 10, 7, 6, 3, 2, 13, 12, 9, 8, 5, 4, 1, 0);
    __m128i v[4], scale, minimum;
    __m256 d;
    SYNP_EACH_ROW(r)
    v[r] = synp_512_load16(row[r] + at);
    synp_512_turn(v);
    d = _mm256_cvtph_ps(_mm_shuffle_epi8(v[0], pack)); /* four d, four dmin */
    if (second) {
        scale =
            _mm_or_si128(_mm_and_si128(v[3], low4), _mm_and_si128(_mm_srli_epi16(v[1], 2), top2));
        minimum = _mm_or_si128(_mm_and_si128(_mm_srli_epi16(v[3], 4), low4),
                               _mm_and_si128(_mm_srli_epi16(v[2], 2), top2));
    } else {
        scale = _mm_and_si128(v[1], low6);
        minimum = _mm_and_si128(v[2], low6);
    }
    t->scale[0] = synp_512_scaled(scale, _mm256_castps256_ps128(d));
    t->minimum[0] =
        synp_512_scaled(minimum, _mm_xor_ps(_mm256_extractf128_ps(d, 1), _mm_set1_ps(-0.0f)));
}

/* 64 bytes whose low nibbles are blocks 0 and 2, the high ones blocks 1 and 3. */
SYNP_512_INLINE void synp_512_nibbles_k(const unsigned char *p, __m512i *low, __m512i *high)
{
    const __m512i first = _mm512_set_epi64(13, 12, 5, 4, 9, 8, 1, 0);
    const __m512i second = _mm512_set_epi64(15, 14, 7, 6, 11, 10, 3, 2);
    __m512i even, odd;
    synp_512_split(_mm512_loadu_si512(p), &even, &odd);
    *low = _mm512_permutex2var_epi64(even, first, odd);
    *high = _mm512_permutex2var_epi64(even, second, odd);
}

SYNP_512_INLINE void synp_512_load_q4_k(const void *rows, size_t quad, unsigned blocks,
                                        synp_512_tile *t)
{
    const unsigned char *const *row = (const unsigned char *const *)rows;
    size_t at = quad / 2 * 144, half = quad % 2;
    const size_t nibbles = at + 16 + 64 * half;
    (void)blocks;
    SYNP_EACH_ROW(r)
    synp_512_nibbles_k(row[r] + nibbles, &t->low[r], &t->high[r]);
    synp_512_scales_k(row, at, half != 0, t);
}

/* 16 bytes in each lane, lane j turned left by `by` - 2j (step 2) or `by` - j bits, and masked. */
SYNP_512_INLINE __m512i synp_512_bits(const unsigned char *p, int by, int step, int mask)
{
    __m512i four = _mm512_broadcast_i32x4(synp_512_load16(p));
    int a = by & 63, b = (by - step) & 63, c = (by - 2 * step) & 63, d = (by - 3 * step) & 63;
    four = _mm512_rolv_epi64(four, _mm512_set_epi64(d, d, c, c, b, b, a, a));
    return _mm512_and_si512(four, _mm512_set1_epi8((char)mask));
}

SYNP_512_INLINE void synp_512_row_q5_k(const unsigned char *p, size_t half, synp_512_tile *t, int r)
{
    int by = 4 - 4 * (int)half;
    synp_512_nibbles_k(p + 48 + 64 * half, &t->low[r], &t->high[r]);
    t->low[r] = _mm512_or_si512(t->low[r], synp_512_bits(p + 16, by, 1, 16));
    t->high[r] = _mm512_or_si512(t->high[r], synp_512_bits(p + 32, by, 1, 16));
}

SYNP_512_INLINE void synp_512_load_q5_k(const void *rows, size_t quad, unsigned blocks,
                                        synp_512_tile *t)
{
    const unsigned char *const *row = (const unsigned char *const *)rows;
    size_t at = quad / 2 * 176, half = quad % 2;
    (void)blocks;
    SYNP_EACH_ROW(r)
    synp_512_row_q5_k(row[r] + at, half, t, r);
    synp_512_scales_k(row, at, half != 0, t);
}

/* d of four rows, one half each */
SYNP_512_INLINE __m128 synp_512_d4(const unsigned char *const *row, size_t at)
{
    __m128i d = _mm_cvtsi32_si128(synp_u16(row[0] + at));
    d = _mm_insert_epi16(d, (short)synp_u16(row[1] + at), 1);
    d = _mm_insert_epi16(d, (short)synp_u16(row[2] + at), 2);
    return _mm_cvtph_ps(_mm_insert_epi16(d, (short)synp_u16(row[3] + at), 3));
}

/* Eight int8 scales of each row, even ones for first halves, odd ones for second. */
SYNP_512_INLINE void synp_512_scales_16(__m128i ab, __m128i cd, __m128 d, __m512 out[2])
{
    const __m128i turn = _mm_set_epi8(15, 7, 13, 5, 11, 3, 9, 1, 14, 6, 12, 4, 10, 2, 8, 0);
    __m512 factor = _mm512_broadcast_f32x4(d);
    __m512i even, odd;
    ab = _mm_shuffle_epi8(ab, turn);
    cd = _mm_shuffle_epi8(cd, turn);
    even = _mm512_cvtepi8_epi32(_mm_unpacklo_epi16(ab, cd));
    odd = _mm512_cvtepi8_epi32(_mm_unpackhi_epi16(ab, cd));
    out[0] = _mm512_mul_ps(_mm512_cvtepi32_ps(even), factor);
    out[1] = _mm512_mul_ps(_mm512_cvtepi32_ps(odd), factor);
}

SYNP_512_INLINE __m128i synp_512_pair(const unsigned char *a, const unsigned char *b)
{
    return _mm_unpacklo_epi64(_mm_loadl_epi64((const __m128i *)(const void *)a),
                              _mm_loadl_epi64((const __m128i *)(const void *)b));
}

SYNP_512_INLINE void synp_512_row_q6_k(const unsigned char *p, size_t half, synp_512_tile *t, int r)
{
    const unsigned char *top = p + 128 + 32 * half;
    __m512i first, second;
    synp_512_split(_mm512_loadu_si512(p + 64 * half), &first, &second);
    t->low[r] =
        _mm512_or_si512(_mm512_shuffle_i64x2(first, second, 0x88), synp_512_bits(top, 4, 2, 48));
    t->high[r] = _mm512_or_si512(_mm512_shuffle_i64x2(first, second, 0xdd),
                                 synp_512_bits(top + 16, 4, 2, 48));
}

SYNP_512_INLINE void synp_512_load_q6_k(const void *rows, size_t quad, unsigned blocks,
                                        synp_512_tile *t)
{
    const unsigned char *const *row = (const unsigned char *const *)rows;
    size_t at = quad / 2 * 210, half = quad % 2, scales = at + 192 + 8 * half;
    (void)blocks;
    SYNP_EACH_ROW(r)
    synp_512_row_q6_k(row[r] + at, half, t, r);
    synp_512_scales_16(synp_512_pair(row[0] + scales, row[1] + scales),
                       synp_512_pair(row[2] + scales, row[3] + scales), synp_512_d4(row, at + 208),
                       t->scale);
}

/* 64 2-bit fields of each half: lane j of a vector is block j. */
SYNP_512_INLINE void synp_512_row_q2_k(const unsigned char *p, synp_512_tile *t, int r)
{
    t->low[r] = synp_512_bits(p, 0, 2, 3);
    t->high[r] = synp_512_bits(p + 16, 0, 2, 3);
}

SYNP_512_INLINE void synp_512_load_q2_k(const void *rows, size_t quad, unsigned blocks,
                                        synp_512_tile *t)
{
    const unsigned char *const *row = (const unsigned char *const *)rows;
    const __m128i low4 = _mm_set1_epi8(15);
    size_t at = quad / 2 * 84, half = quad % 2, codes = at + 16 + 32 * half, scales = at + 8 * half;
    __m128i ab = synp_512_pair(row[0] + scales, row[1] + scales);
    __m128i cd = synp_512_pair(row[2] + scales, row[3] + scales);
    __m128 dmin = _mm_xor_ps(synp_512_d4(row, at + 82), _mm_set1_ps(-0.0f));
    (void)blocks;
    SYNP_EACH_ROW(r)
    synp_512_row_q2_k(row[r] + codes, t, r);
    synp_512_scales_16(_mm_and_si128(ab, low4), _mm_and_si128(cd, low4), synp_512_d4(row, at + 80),
                       t->scale);
    synp_512_scales_16(_mm_and_si128(_mm_srli_epi16(ab, 4), low4),
                       _mm_and_si128(_mm_srli_epi16(cd, 4), low4), dmin, t->minimum);
}

/* Codes -1 to 2, plus 128. */
SYNP_512_INLINE void synp_512_row_tq2_0(const unsigned char *p, synp_512_tile *t, int r)
{
    synp_512_row_q2_k(p, t, r);
    t->low[r] = _mm512_add_epi8(t->low[r], _mm512_set1_epi8(127));
    t->high[r] = _mm512_add_epi8(t->high[r], _mm512_set1_epi8(127));
}

SYNP_512_INLINE void synp_512_load_tq2_0(const void *rows, size_t quad, unsigned blocks,
                                         synp_512_tile *t)
{
    const unsigned char *const *row = (const unsigned char *const *)rows;
    size_t at = quad / 2 * 66;
    (void)blocks;
    SYNP_EACH_ROW(r)
    synp_512_row_tq2_0(row[r] + at + 32 * (quad % 2), t, r);
    t->scale[0] = _mm512_broadcast_f32x4(synp_512_d4(row, at + 64));
}

SYNP_512_INLINE void synp_512_row_q3_k(const unsigned char *p, size_t half, synp_512_tile *t, int r)
{
    int by = 2 - 4 * (int)half;
    synp_512_row_q2_k(p + 32 + 32 * half, t, r);
    t->low[r] = _mm512_or_si512(t->low[r], synp_512_bits(p, by, 1, 4));
    t->high[r] = _mm512_or_si512(t->high[r], synp_512_bits(p + 16, by, 1, 4));
}

SYNP_512_INLINE void synp_512_load_q3_k(const void *rows, size_t quad, unsigned blocks,
                                        synp_512_tile *t)
{
    const unsigned char *const *row = (const unsigned char *const *)rows;
    const __m128i middle = _mm_set1_epi8(32);
    size_t at = quad / 2 * 110, half = quad % 2, scales = at + 96;
    __m128i ab = _mm_set_epi64x((int64_t)synp_256_scales_q3_k(row[1] + scales, half),
                                (int64_t)synp_256_scales_q3_k(row[0] + scales, half));
    __m128i cd = _mm_set_epi64x((int64_t)synp_256_scales_q3_k(row[3] + scales, half),
                                (int64_t)synp_256_scales_q3_k(row[2] + scales, half));
    (void)blocks;
    SYNP_EACH_ROW(r)
    synp_512_row_q3_k(row[r] + at, half, t, r);
    synp_512_scales_16(_mm_sub_epi8(ab, middle), _mm_sub_epi8(cd, middle),
                       synp_512_d4(row, at + 108), t->scale);
}

SYNP_512_INLINE void synp_512_row_iq4_xs(const unsigned char *p, synp_512_tile *t, int r)
{
    synp_512_split(_mm512_loadu_si512(p), &t->low[r], &t->high[r]);
    synp_512_table(synp_table_iq4, &t->low[r], &t->high[r]);
}

SYNP_512_INLINE void synp_512_load_iq4_xs(const void *rows, size_t quad, unsigned blocks,
                                          synp_512_tile *t)
{
    const unsigned char *const *row = (const unsigned char *const *)rows;
    size_t at = quad / 2 * 136, codes = at + 8 + 64 * (quad % 2);
    unsigned half = (unsigned)(quad % 2);
    __m128i scales = _mm_setr_epi32(
        synp_256_scales_iq4_xs(row[0] + at, half), synp_256_scales_iq4_xs(row[1] + at, half),
        synp_256_scales_iq4_xs(row[2] + at, half), synp_256_scales_iq4_xs(row[3] + at, half));
    (void)blocks;
    SYNP_EACH_ROW(r)
    synp_512_row_iq4_xs(row[r] + codes, t, r);
    t->scale[0] = synp_512_scaled(_mm_sub_epi8(scales, _mm_set1_epi8(32)), synp_512_d4(row, at));
}

/* ---- loading decoded rows */

SYNP_512_INLINE void synp_512_row_codes(const int8_t *q, synp_512_tile *t, int r)
{
    synp_512_order(_mm512_loadu_si512(q), _mm512_loadu_si512(q + 64), &t->low[r], &t->high[r]);
}

SYNP_DECODED_TEXT(512, SYNP_512, 512, 4)

#define SYNP_512_DECODED(name, halves, minimum)                                                    \
    SYNP_512_INLINE void synp_512_load_##name(const void *rows, size_t quad, unsigned blocks,      \
                                              synp_512_tile *t)                                    \
    {                                                                                              \
        (void)blocks;                                                                              \
        synp_512_decoded(rows, 4 * quad, halves, minimum, t);                                      \
    }

SYNP_512_DECODED(32, false, false)
SYNP_512_DECODED(32m, false, true)
SYNP_512_DECODED(16, true, false)
SYNP_512_DECODED(16m, true, true)

/* ---- strips, see there */

SYNP_512_INLINE __m512i synp_512_dot2(__m512i sum, __m512i a, __m512i b)
{
    __asm__("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b)); /* GCC 12 copies its intrinsic */
    return sum;
}

SYNP_512_INLINE void synp_512_lanes(int32_t *to, size_t step, size_t blocks, __m512i v)
{
    synp_256_lanes(to, step, blocks, _mm512_castsi512_si256(v));
    if (blocks > 2)
        synp_256_lanes(to + 2 * step, step, blocks - 2, _mm512_extracti64x4_epi64(v, 1));
}

SYNP_512_INLINE void synp_512_load_at(const synp_512_kind *kind, const void *row, size_t block,
                                      size_t blocks, synp_512_tile *t)
{
    kind->load(row, block / 4, (unsigned)(blocks - block), t);
}

SYNP_STRIP_TEXT(512, SYNP_512, 512, 4, 8)

/* ---- the functions of the level */

#define SYNP_512_BLOCKS(id, name, zero, halves, minimum)                                           \
    SYNP_512 static void synp_512_##name(const unsigned char *data, size_t row_bytes, size_t rows, \
                                         const synp_acts *acts, float *y, size_t stride)           \
    {                                                                                              \
        const synp_512_kind kind = {synp_512_load_##name, zero, halves, minimum};                  \
        synp_512_blocks(&kind, data, row_bytes, rows, acts, y, stride);                            \
    }                                                                                              \
    SYNP_512 static void synp_512_unpack_##name(const unsigned char *const row[4], size_t blocks,  \
                                                const synp_strip *strip, size_t at)                \
    {                                                                                              \
        const synp_512_kind kind = {synp_512_load_##name, zero, halves, minimum};                  \
        synp_512_unpack(&kind, row, blocks, strip, at);                                            \
    }

/* Type, name, log2 of the zero point, scales of halves, minimum. */
#define SYNP_512_TYPES(X)                                                                          \
    X(Q4_0, q4_0, 3, false, false)                                                                 \
    X(Q4_1, q4_1, 0, false, true)                                                                  \
    X(Q5_0, q5_0, 4, false, false)                                                                 \
    X(Q5_1, q5_1, 0, false, true)                                                                  \
    X(Q8_0, q8_0, 7, false, false)                                                                 \
    X(Q4_K, q4_k, 0, false, true)                                                                  \
    X(Q5_K, q5_k, 0, false, true)                                                                  \
    X(Q6_K, q6_k, 5, true, false)                                                                  \
    X(Q2_K, q2_k, 0, true, true)                                                                   \
    X(Q3_K, q3_k, 2, true, false)                                                                  \
    X(IQ4_NL, iq4_nl, 7, false, false)                                                             \
    X(IQ4_XS, iq4_xs, 7, false, false)                                                             \
    X(TQ2_0, tq2_0, 7, false, false)                                                               \
    X(MXFP4, mxfp4, 7, false, false)

SYNP_512_TYPES(SYNP_512_BLOCKS)

/* One position from memory: 10 GB/s with loads of 64 bytes, which use up the buffers of the
   first cache, 21 with those of AVX2. The sums are the same, bit for bit. */
static void synp_512_q8_0_any(const unsigned char *data, size_t row_bytes, size_t rows,
                              const synp_acts *acts, float *y, size_t stride)
{
    (acts->positions == 1 ? synp_256_q8_0 : synp_512_q8_0)(data, row_bytes, rows, acts, y, stride);
}

#define SYNP_FUSED_512(id, name, zero, halves, minimum)                                            \
    {SYN_TYPE_##id, synp_512_##name, synp_512_unpack_##name},
static const synp_fused synp_512_fused[] = {
    /* the first of a type is taken */
    {SYN_TYPE_F32, synp_256_f32, NULL},
    {SYN_TYPE_F16, synp_256_f16, NULL},
    {SYN_TYPE_BF16, synp_256_bf16, NULL},
    {SYN_TYPE_Q8_0, synp_512_q8_0_any, synp_512_unpack_q8_0},
    SYNP_512_TYPES(SYNP_FUSED_512){0, NULL, NULL},
};

#define SYNP_512_KIND(load, halves, minimum)                                                       \
    {                                                                                              \
        synp_512_##load, 7, halves, minimum                                                        \
    }
SYNP_CODED_TEXT(512, SYNP_512)

static const synp_strips synp_512_strips = {
    SYNP_512_STRIP, 16, synp_512_unpack_codes, synp_512_strip, synp_512_strip_sum, synp_256_pack};

/* ---- floats */

typedef __m512 synp_512_v;

SYNP_512_INLINE __mmask16 synp_512_first(size_t n)
{
    return (__mmask16)(n < 16 ? (1u << n) - 1 : 0xffffu);
}

SYNP_512_INLINE __m512 synp_512_load(const float *p, size_t left)
{
    return _mm512_maskz_loadu_ps(synp_512_first(left), p);
}

SYNP_512_INLINE void synp_512_store(float *p, size_t left, __m512 v)
{
    _mm512_mask_storeu_ps(p, synp_512_first(left), v);
}

#define synp_512_all _mm512_set1_ps
#define synp_512_add _mm512_add_ps
#define synp_512_sub _mm512_sub_ps
#define synp_512_mul _mm512_mul_ps
#define synp_512_div _mm512_div_ps
#define synp_512_larger _mm512_max_ps
#define synp_512_fma _mm512_fmadd_ps
#define synp_512_fnma _mm512_fnmadd_ps

SYNP_512_INLINE __m512 synp_512_less(__m512 a, __m512 b, __m512 yes, __m512 no)
{
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), no, yes);
}

SYNP_512_INLINE __m512 synp_512_power(__m512 v)
{
    const __m512i bias = _mm512_set1_epi32(0x4b400000 - 126);
    return _mm512_castsi512_ps(
        _mm512_slli_epi32(_mm512_sub_epi32(_mm512_castps_si512(v), bias), 23));
}

SYNP_512_INLINE float synp_512_sum(const __m512 part[1])
{
    __m256 half[2];
    half[0] = _mm512_castps512_ps256(part[0]);
    half[1] = _mm512_extractf32x8_ps(part[0], 1);
    return synp_256_sum(half);
}

SYNP_FLOATS_TEXT(512, SYNP_512, 16, 4)

/* ---- attention: sixteen keys at a time, the bits of synp_512_dots */

/* The sums of the lanes of sixteen vectors, added in the order of the definition. */
SYNP_512_INLINE __m512 synp_512_sum16(__m512 v[16])
{
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    __m512 four[4], u, w;
    int i;
    SYNP_UNROLL
    for (i = 0; i < 4; i++) { /* four sums of four vectors each */
        const __m512 *a = v + 4 * i;
        __m512 ab = _mm512_add_ps(_mm512_shuffle_f32x4(a[0], a[1], 0x44),
                                  _mm512_shuffle_f32x4(a[0], a[1], 0xee));
        __m512 cd = _mm512_add_ps(_mm512_shuffle_f32x4(a[2], a[3], 0x44),
                                  _mm512_shuffle_f32x4(a[2], a[3], 0xee));
        four[i] =
            _mm512_add_ps(_mm512_shuffle_f32x4(ab, cd, 0x88), _mm512_shuffle_f32x4(ab, cd, 0xdd));
    }
#define SYNP_HALVES(f, a, b) _mm512_castpd_ps(f(_mm512_castps_pd(a), _mm512_castps_pd(b)))
    u = _mm512_add_ps(SYNP_HALVES(_mm512_unpacklo_pd, four[0], four[1]),
                      SYNP_HALVES(_mm512_unpackhi_pd, four[0], four[1]));
    w = _mm512_add_ps(SYNP_HALVES(_mm512_unpacklo_pd, four[2], four[3]),
                      SYNP_HALVES(_mm512_unpackhi_pd, four[2], four[3]));
#undef SYNP_HALVES
    u = _mm512_add_ps(_mm512_shuffle_ps(u, w, 0x88), _mm512_shuffle_ps(u, w, 0xdd));
    return _mm512_permutexvar_ps(order, u);
}

SYNP_512 static void synp_512_dots_many(const float *q, const float *k, size_t stride, size_t count,
                                        size_t n, float *out)
{
    size_t i, at;
    int r;
    for (i = 0; i + 16 <= count; i += 16, k += 16 * stride) {
        __m512 sum[16];
        SYNP_UNROLL
        for (r = 0; r < 16; r++) sum[r] = _mm512_setzero_ps();
        for (at = 0; at < n; at += 16) {
            const __m512 x = synp_512_load(q + at, n - at);
            const float *key = k + at;
            SYNP_UNROLL
            for (r = 0; r < 16; r++, key += stride)
                sum[r] = _mm512_fmadd_ps(synp_512_load(key, n - at), x, sum[r]);
        }
        _mm512_storeu_ps(out + i, synp_512_sum16(sum));
    }
    synp_512_dots(q, k, stride, count - i, n, out + i);
}

static const synp_kernels synp_512 = {
    "AVX-512 VNNI",     SYN_SIMD_AVX512, &synp_512_strips,  synp_512_fused,    synp_512_codes,
    synp_512_floats,    synp_256_widen,  synp_256_quantise, synp_512_dot,      synp_512_axpy,
    synp_512_dots_many, synp_512_mix,    synp_512_softmax,  synp_512_silu_mul, synp_512_gelu_mul,
};
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
#endif /* SYNP_X86_512 */

/* ------------------------------------------------ AArch64: NEON, and NEON with the dot product
   A row at a time, 128 columns at a time: two vectors of codes a block, whose products with one
   position end as one vector of four blocks' sums. Both levels share all of this; they differ in
   the one function that multiplies 16 codes by 16 activations. */

#if (!defined(SYNERGY_SIMD) || SYNERGY_SIMD != 0) && defined(__aarch64__) && defined(__GNUC__) &&  \
    (!defined(__BYTE_ORDER__) || __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
#define SYNP_ARM
#endif

#ifdef SYNP_ARM
#ifdef __cplusplus
} /* extern "C" */
#endif
#include <arm_neon.h>
#ifdef __linux__
#include <sys/auxv.h>
#endif
#ifdef __cplusplus
extern "C" {
#endif

#define SYNP_NEON_INLINE static inline __attribute__((always_inline))
#define SYNP_NEON
#if defined(__ARM_FEATURE_DOTPROD)
#define SYNP_DOTPROD
#elif defined(__clang__)
#define SYNP_DOTPROD __attribute__((target("dotprod")))
#else
#define SYNP_DOTPROD __attribute__((target("arch=armv8.2-a+dotprod")))
#endif

/* ---- floats */

/* The floats that are left, at most four; zeros behind them. */
SYNP_NEON_INLINE float32x4_t synp_neon_load(const float *p, size_t left)
{
    float four[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    if (left >= 4) return vld1q_f32(p);
    if (left) memcpy(four, p, left * sizeof four[0]);
    return vld1q_f32(four);
}

SYNP_NEON_INLINE void synp_neon_store(float *p, size_t left, float32x4_t v)
{
    float four[4];
    if (left >= 4) {
        vst1q_f32(p, v);
        return;
    }
    vst1q_f32(four, v);
    memcpy(p, four, left * sizeof four[0]);
}

typedef float32x4_t synp_neon_v;

#define synp_neon_all vdupq_n_f32
#define synp_neon_add vaddq_f32
#define synp_neon_sub vsubq_f32
#define synp_neon_mul vmulq_f32
#define synp_neon_div vdivq_f32

SYNP_NEON_INLINE float32x4_t synp_neon_less(float32x4_t a, float32x4_t b, float32x4_t yes,
                                            float32x4_t no)
{
    return vbslq_f32(vcltq_f32(a, b), yes, no);
}

SYNP_NEON_INLINE float32x4_t synp_neon_larger(float32x4_t a, float32x4_t b)
{
    return synp_neon_less(b, a, a, b);
}

SYNP_NEON_INLINE float32x4_t synp_neon_fma(float32x4_t a, float32x4_t b, float32x4_t c)
{
    return vfmaq_f32(c, a, b);
}

SYNP_NEON_INLINE float32x4_t synp_neon_fnma(float32x4_t a, float32x4_t b, float32x4_t c)
{
    return vfmsq_f32(c, a, b);
}

SYNP_NEON_INLINE float32x4_t synp_neon_power(float32x4_t v)
{
    int32x4_t n = vsubq_s32(vreinterpretq_s32_f32(v), vdupq_n_s32(0x4b400000 - 126));
    return vreinterpretq_f32_s32(vshlq_n_s32(n, 23));
}

SYNP_NEON_INLINE float synp_neon_sum(const float32x4_t part[4])
{
    float32x4_t s = vaddq_f32(vaddq_f32(part[0], part[2]), vaddq_f32(part[1], part[3]));
    float32x2_t two = vadd_f32(vget_low_f32(s), vget_high_f32(s));
    return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}

SYNP_FLOATS_TEXT(neon, SYNP_NEON, 4, 1)

SYNP_NEON_INLINE uint16x4_t synp_neon_words(const unsigned char *p)
{
    return vreinterpret_u16_u8(vld1_u8(p));
}

static void synp_neon_widen(const syn_type *type, const unsigned char *data, float *out, size_t n)
{
    size_t i = 0;
    if (type->id == SYN_TYPE_F32) {
        memcpy(out, data, n * sizeof *out);
        return;
    }
    for (; type->id == SYN_TYPE_F16 && i + 4 <= n; i += 4) {
        vst1q_f32(out + i, vcvt_f32_f16(vreinterpret_f16_u16(synp_neon_words(data + 2 * i))));
    }
    for (; type->id == SYN_TYPE_BF16 && i + 4 <= n; i += 4) {
        vst1q_f32(out + i, vreinterpretq_f32_u32(vshll_n_u16(synp_neon_words(data + 2 * i), 16)));
    }
    type->floats(data + i * type->bytes, out + i, n - i);
}

/* Eight of synp_plain_digits; returns 256 q + r. */
SYNP_NEON_INLINE int16x8_t synp_neon_digits(const float *x, float inverse, int8x8_t *q, int8x8_t *r)
{
    int16x8_t whole =
        vcombine_s16(vmovn_s32(vcvtnq_s32_f32(vmulq_n_f32(vld1q_f32(x), inverse))),
                     vmovn_s32(vcvtnq_s32_f32(vmulq_n_f32(vld1q_f32(x + 4), inverse))));
    int16x8_t high = vshrq_n_s16(vaddq_s16(whole, vdupq_n_s16(128)), 8);
    int16x8_t low = vmaxq_s16(vsubq_s16(whole, vshlq_n_s16(high, 8)), vdupq_n_s16(-127));
    *q = vmovn_s16(high);
    *r = vmovn_s16(low);
    return vaddq_s16(vshlq_n_s16(high, 8), low);
}

/* synp_plain_digits. */
SYNP_NEON_INLINE int32_t synp_neon_round(const float *x, float inverse, int8_t *q, int8_t *r)
{
    int8x8_t q0, q1, r0, r1;
    int32x4_t sum = vpaddlq_s16(synp_neon_digits(x, inverse, &q0, &r0));
    sum = vaddq_s32(sum, vpaddlq_s16(synp_neon_digits(x + 8, inverse, &q1, &r1)));
    vst1q_s8(q, vcombine_s8(q0, q1));
    vst1q_s8(r, vcombine_s8(r0, r1));
    return vaddvq_s32(sum);
}

static void synp_neon_quantise(const float *x, size_t n, synp_acts_quad *quads)
{
    size_t block, i;
    if (n % 128) memset(quads + n / 128, 0, sizeof *quads);
    for (block = 0; block < n / 32; block++, x += 32) {
        synp_acts_quad *quad = quads + block / 4;
        size_t j = block % 4;
        float32x4_t big = vdupq_n_f32(0.0f);
        float most;
        for (i = 0; i < 32; i += 4) big = vmaxq_f32(big, vabsq_f32(vld1q_f32(x + i)));
        most = vmaxvq_f32(big); /* NaN when there is one */
        if (!(most > 1e-30f && most <= FLT_MAX)) {
            synp_plain_block(x, quad, (int)j);
            continue;
        }
        quad->scale[j] = most / 32512.0f;
        quad->low[j] = synp_neon_round(x, 32512.0f / most, quad->q + 16 * j, quad->r + 16 * j);
        quad->high[j] =
            synp_neon_round(x + 16, 32512.0f / most, quad->q + 64 + 16 * j, quad->r + 64 + 16 * j);
        quad->all[j] = quad->low[j] + quad->high[j];
    }
}

/* ---- products of codes */

enum { SYNP_NEON_TOGETHER = 32 }; /* positions that share one decoding */

/* One row of a quad; [1] of scale and minimum is for second halves. */
typedef struct synp_neon_tile {
    int8x16_t low[4], high[4];
    float32x4_t scale[2], minimum[2];
} synp_neon_tile;

typedef void synp_neon_load_fn(const void *row, size_t quad, size_t blocks, synp_neon_tile *tile);
typedef int32x4_t synp_neon_fours_fn(int32x4_t sum, int8x16_t code, int8x16_t x);

typedef struct synp_neon_kind {
    synp_neon_load_fn *load;
    bool halves, minimum; /* scales for 16 weights; groups have minima */
    synp_neon_fours_fn *fours;
} synp_neon_kind;

/* sum + the products of 16 codes and 16 activations in four lanes */
SYNP_NEON_INLINE int32x4_t synp_neon_fours(int32x4_t sum, int8x16_t code, int8x16_t x)
{
    int16x8_t two = vmull_s8(vget_low_s8(code), vget_low_s8(x));
    return vpadalq_s16(sum, vmlal_s8(two, vget_high_s8(code), vget_high_s8(x)));
}

SYNP_NEON_INLINE SYNP_DOTPROD int32x4_t synp_dotprod_fours(int32x4_t sum, int8x16_t code,
                                                           int8x16_t x)
{
    __asm__("sdot %0.4s, %1.16b, %2.16b" : "+w"(sum) : "w"(code), "w"(x));
    return sum;
}

/* The sums of four blocks' lanes. */
SYNP_NEON_INLINE float32x4_t synp_neon_sum4(int32x4_t a, int32x4_t b, int32x4_t c, int32x4_t d)
{
    return vcvtq_f32_s32(vpaddq_s32(vpaddq_s32(a, b), vpaddq_s32(c, d)));
}

/* 256 times the sums of a block's half with the first digit plus those with the second. */
SYNP_NEON_INLINE int32x4_t synp_neon_digit(synp_neon_fours_fn *fours, int8x16_t code,
                                           const int8_t *q, const int8_t *r)
{
    int32x4_t sum = fours(vdupq_n_s32(0), code, vld1q_s8(q));
    return fours(vshlq_n_s32(sum, 8), code, vld1q_s8(r));
}

SYNP_NEON_INLINE float32x4_t synp_neon_half(synp_neon_fours_fn *fours, const int8x16_t code[4],
                                            const int8_t *q, const int8_t *r)
{
    return synp_neon_sum4(synp_neon_digit(fours, code[0], q, r),
                          synp_neon_digit(fours, code[1], q + 16, r + 16),
                          synp_neon_digit(fours, code[2], q + 32, r + 32),
                          synp_neon_digit(fours, code[3], q + 48, r + 48));
}

SYNP_NEON_INLINE int32x4_t synp_neon_block(synp_neon_fours_fn *fours, const synp_neon_tile *t,
                                           int j, const synp_acts_quad *x)
{
    int32x4_t sum = fours(vdupq_n_s32(0), t->low[j], vld1q_s8(x->q + 16 * j));
    sum = vshlq_n_s32(fours(sum, t->high[j], vld1q_s8(x->q + 64 + 16 * j)), 8);
    sum = fours(sum, t->low[j], vld1q_s8(x->r + 16 * j));
    return fours(sum, t->high[j], vld1q_s8(x->r + 64 + 16 * j));
}

/* Adds a quad's products of one row with one position to total (block modulo 4). */
SYNP_NEON_INLINE float32x4_t synp_neon_quad(const synp_neon_kind *kind, const synp_neon_tile *t,
                                            const synp_acts_quad *x, float32x4_t total)
{
    float32x4_t d = vld1q_f32(x->scale), sum;
    if (!kind->halves) {
        sum = synp_neon_sum4(
            synp_neon_block(kind->fours, t, 0, x), synp_neon_block(kind->fours, t, 1, x),
            synp_neon_block(kind->fours, t, 2, x), synp_neon_block(kind->fours, t, 3, x));
        total = vfmaq_f32(total, sum, vmulq_f32(t->scale[0], d));
        if (!kind->minimum) return total;
        return vfmaq_f32(total, t->minimum[0], vmulq_f32(vcvtq_f32_s32(vld1q_s32(x->all)), d));
    }
    total = vfmaq_f32(total, synp_neon_half(kind->fours, t->low, x->q, x->r),
                      vmulq_f32(t->scale[0], d));
    total = vfmaq_f32(total, synp_neon_half(kind->fours, t->high, x->q + 64, x->r + 64),
                      vmulq_f32(t->scale[1], d));
    if (!kind->minimum) return total;
    total = vfmaq_f32(total, t->minimum[0], vmulq_f32(vcvtq_f32_s32(vld1q_s32(x->low)), d));
    return vfmaq_f32(total, t->minimum[1], vmulq_f32(vcvtq_f32_s32(vld1q_s32(x->high)), d));
}

/* One row with up to SYNP_NEON_TOGETHER positions. */
SYNP_NEON_INLINE void synp_neon_some(const synp_neon_kind *kind, const void *row,
                                     const synp_acts *acts, size_t from, size_t n, float *y,
                                     size_t stride)
{
    const synp_acts_quad *x = acts->quads + from * acts->across;
    float32x4_t total[SYNP_NEON_TOGETHER];
    size_t quad, i;
    for (i = 0; i < n; i++) total[i] = vdupq_n_f32(0.0f);
    for (quad = 0; quad < acts->across; quad++, x++) {
        synp_neon_tile tile;
        kind->load(row, quad, acts->cols / 32 - 4 * quad, &tile);
        for (i = 0; i < n; i++)
            total[i] = synp_neon_quad(kind, &tile, x + i * acts->across, total[i]);
    }
    for (i = 0; i < n; i++) {
        float32x4_t two = vpaddq_f32(total[i], total[i]);
        y[(from + i) * stride] = vgetq_lane_f32(two, 0) + vgetq_lane_f32(two, 1);
    }
}

SYNP_NEON_INLINE void synp_neon_row(const synp_neon_kind *kind, const void *row,
                                    const synp_acts *acts, float *y, size_t stride)
{
    size_t p, n;
    for (p = 0; p < acts->positions; p += n) {
        n = acts->positions - p;
        if (n == 1) {
            synp_neon_some(kind, row, acts, p, 1, y, stride);
        } else {
            if (n > SYNP_NEON_TOGETHER) n = SYNP_NEON_TOGETHER;
            synp_neon_some(kind, row, acts, p, n, y, stride);
        }
    }
}

/* ---- loading blocks of 32. Where a block is missing the first is loaded again, with a scale
   and a minimum of zero. */

/* Half floats, `bytes` apart. */
SYNP_NEON_INLINE float32x4_t synp_neon_halves(const unsigned char *p, size_t bytes, size_t blocks)
{
    uint16_t half[4];
    half[0] = synp_u16(p);
    half[1] = blocks > 1 ? synp_u16(p + bytes) : 0;
    half[2] = blocks > 2 ? synp_u16(p + 2 * bytes) : 0;
    half[3] = blocks > 3 ? synp_u16(p + 3 * bytes) : 0;
    return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(half)));
}

/* What differs between Q4_0, Q4_1, Q5_0 and Q5_1: block size, offsets, zero point. */
typedef struct synp_neon_nibble_kind {
    size_t bytes, nibbles, fifth;
    int zero;
    bool minimum;
} synp_neon_nibble_kind;

/* 16 where a bit is set: 16 bits, from byte 0 or 2 of four. */
SYNP_NEON_INLINE uint8x16_t synp_neon_fifth(const unsigned char *p)
{
    const uint8x8_t bit = vcreate_u8(0x8040201008040201u);
    uint8x16_t both = vcombine_u8(vtst_u8(vdup_n_u8(p[0]), bit), vtst_u8(vdup_n_u8(p[1]), bit));
    return vandq_u8(both, vdupq_n_u8(16));
}

SYNP_NEON_INLINE void synp_neon_nibbles(const synp_neon_nibble_kind *kind, const unsigned char *p,
                                        synp_neon_tile *t, int j)
{
    const int8x16_t zero = vdupq_n_s8((int8_t)kind->zero);
    uint8x16_t both = vld1q_u8(p + kind->nibbles);
    uint8x16_t low = vandq_u8(both, vdupq_n_u8(15)), high = vshrq_n_u8(both, 4);
    if (kind->fifth) {
        low = vorrq_u8(low, synp_neon_fifth(p + kind->fifth));
        high = vorrq_u8(high, synp_neon_fifth(p + kind->fifth + 2));
    }
    t->low[j] = vsubq_s8(vreinterpretq_s8_u8(low), zero);
    t->high[j] = vsubq_s8(vreinterpretq_s8_u8(high), zero);
}

SYNP_NEON_INLINE void synp_neon_load_nibbles(const synp_neon_nibble_kind *kind, const void *row,
                                             size_t quad, size_t blocks, synp_neon_tile *t)
{
    const unsigned char *p = (const unsigned char *)row + quad * 4 * kind->bytes;
    synp_neon_nibbles(kind, p, t, 0);
    synp_neon_nibbles(kind, p + (blocks > 1 ? kind->bytes : 0), t, 1);
    synp_neon_nibbles(kind, p + (blocks > 2 ? 2 * kind->bytes : 0), t, 2);
    synp_neon_nibbles(kind, p + (blocks > 3 ? 3 * kind->bytes : 0), t, 3);
    t->scale[0] = synp_neon_halves(p, kind->bytes, blocks);
    if (kind->minimum) t->minimum[0] = synp_neon_halves(p + 2, kind->bytes, blocks);
}

#define SYNP_NEON_NIBBLES(name, bytes, nibbles, fifth, zero, minimum)                              \
    SYNP_NEON_INLINE void synp_neon_load_##name(const void *row, size_t quad, size_t blocks,       \
                                                synp_neon_tile *t)                                 \
    {                                                                                              \
        const synp_neon_nibble_kind kind = {bytes, nibbles, fifth, zero, minimum};                 \
        synp_neon_load_nibbles(&kind, row, quad, blocks, t);                                       \
    }

SYNP_NEON_NIBBLES(q4_0, 18, 2, 0, 8, false)
SYNP_NEON_NIBBLES(q4_1, 20, 4, 0, 0, true)
SYNP_NEON_NIBBLES(q5_0, 22, 6, 2, 16, false)
SYNP_NEON_NIBBLES(q5_1, 24, 8, 4, 0, true)

SYNP_NEON_INLINE void synp_neon_pair(const void *p, synp_neon_tile *t, int j)
{
    t->low[j] = vld1q_s8((const int8_t *)p);
    t->high[j] = vld1q_s8((const int8_t *)p + 16);
}

SYNP_NEON_INLINE void synp_neon_load_q8_0(const void *row, size_t quad, size_t blocks,
                                          synp_neon_tile *t)
{
    const unsigned char *p = (const unsigned char *)row + quad * 136;
    synp_neon_pair(p + 2, t, 0);
    synp_neon_pair(p + 2 + (blocks > 1 ? 34 : 0), t, 1);
    synp_neon_pair(p + 2 + (blocks > 2 ? 68 : 0), t, 2);
    synp_neon_pair(p + 2 + (blocks > 3 ? 102 : 0), t, 3);
    t->scale[0] = synp_neon_halves(p, 34, blocks);
}

/* ---- loading halves of super-blocks of 256 */

/* Four bytes times a factor. */
SYNP_NEON_INLINE float32x4_t synp_neon_scaled(uint32_t bytes, float factor)
{
    uint16x4_t wide = vget_low_u16(vmovl_u8(vcreate_u8(bytes)));
    return vmulq_n_f32(vcvtq_f32_u32(vmovl_u16(wide)), factor);
}

/* The scales and minima of Q4_K and Q5_K: the 16 bytes in front. */
SYNP_NEON_INLINE void synp_neon_scales_k(const unsigned char *p, size_t half, synp_neon_tile *t)
{
    uint32_t a = synp_u32(p + 4), b = synp_u32(p + 8), c = synp_u32(p + 12), scale, minimum;
    if (half) {
        scale = (c & 0x0f0f0f0fu) | (a >> 2 & 0x30303030u);
        minimum = (c >> 4 & 0x0f0f0f0fu) | (b >> 2 & 0x30303030u);
    } else {
        scale = a & 0x3f3f3f3fu;
        minimum = b & 0x3f3f3f3fu;
    }
    t->scale[0] = synp_neon_scaled(scale, synp_half_at(p));
    t->minimum[0] = synp_neon_scaled(minimum, -synp_half_at(p + 2));
}

/* 16 bytes of nibbles: low ones to block j, high ones to block j + 1; `fifth` may add a bit. */
SYNP_NEON_INLINE void synp_neon_load_k(const unsigned char *p, const unsigned char *fifth,
                                       size_t half, synp_neon_tile *t)
{
    const uint8x16_t low4 = vdupq_n_u8(15), sixteen = vdupq_n_u8(16);
    int j;
    for (j = 0; j < 4; j += 2, p += 32) {
        uint8x16_t a = vld1q_u8(p), b = vld1q_u8(p + 16);
        uint8x16_t even = vandq_u8(a, low4), even_high = vandq_u8(b, low4);
        uint8x16_t odd = vshrq_n_u8(a, 4), odd_high = vshrq_n_u8(b, 4);
        if (fifth) {
            const int8x16_t first = vdupq_n_s8((int8_t)(4 - (4 * (int)half + j)));
            const int8x16_t second = vsubq_s8(first, vdupq_n_s8(1));
            uint8x16_t c = vld1q_u8(fifth), d = vld1q_u8(fifth + 16);
            even = vorrq_u8(even, vandq_u8(vshlq_u8(c, first), sixteen));
            even_high = vorrq_u8(even_high, vandq_u8(vshlq_u8(d, first), sixteen));
            odd = vorrq_u8(odd, vandq_u8(vshlq_u8(c, second), sixteen));
            odd_high = vorrq_u8(odd_high, vandq_u8(vshlq_u8(d, second), sixteen));
        }
        t->low[j] = vreinterpretq_s8_u8(even);
        t->high[j] = vreinterpretq_s8_u8(even_high);
        t->low[j + 1] = vreinterpretq_s8_u8(odd);
        t->high[j + 1] = vreinterpretq_s8_u8(odd_high);
    }
}

SYNP_NEON_INLINE void synp_neon_load_q4_k(const void *row, size_t quad, size_t blocks,
                                          synp_neon_tile *t)
{
    const unsigned char *p = (const unsigned char *)row + quad / 2 * 144;
    (void)blocks;
    synp_neon_load_k(p + 16 + 64 * (quad % 2), NULL, quad % 2, t);
    synp_neon_scales_k(p, quad % 2, t);
}

SYNP_NEON_INLINE void synp_neon_load_q5_k(const void *row, size_t quad, size_t blocks,
                                          synp_neon_tile *t)
{
    const unsigned char *p = (const unsigned char *)row + quad / 2 * 176;
    (void)blocks;
    synp_neon_load_k(p + 48 + 64 * (quad % 2), p + 16, quad % 2, t);
    synp_neon_scales_k(p, quad % 2, t);
}

/* Block j of half a super-block of Q6_K: its 16 low nibbles at p, its upper bits at top. */
SYNP_NEON_INLINE int8x16_t synp_neon_six(const unsigned char *p, const unsigned char *top, int j)
{
    uint8x16_t low = vld1q_u8(p), high = vld1q_u8(top);
    low = j < 2 ? vandq_u8(low, vdupq_n_u8(15)) : vshrq_n_u8(low, 4);
    high = vandq_u8(vshlq_u8(high, vdupq_n_s8((int8_t)(4 - 2 * j))), vdupq_n_u8(48));
    return vsubq_s8(vreinterpretq_s8_u8(vorrq_u8(low, high)), vdupq_n_s8(32));
}

SYNP_NEON_INLINE void synp_neon_load_q6_k(const void *row, size_t quad, size_t blocks,
                                          synp_neon_tile *t)
{
    const unsigned char *p = (const unsigned char *)row + quad / 2 * 210,
                        *low = p + 64 * (quad % 2);
    const unsigned char *top = p + 128 + 32 * (quad % 2);
    int16x8_t scale = vmovl_s8(vld1_s8((const int8_t *)(const void *)(p + 192 + 8 * (quad % 2))));
    int16x8_t even = vuzp1q_s16(scale, scale), odd = vuzp2q_s16(scale, scale);
    float d = synp_half_at(p + 208);
    int j;
    (void)blocks;
    for (j = 0; j < 4; j++) {
        t->low[j] = synp_neon_six(low + 32 * (j & 1), top, j);
        t->high[j] = synp_neon_six(low + 32 * (j & 1) + 16, top + 16, j);
    }
    t->scale[0] = vmulq_n_f32(vcvtq_f32_s32(vmovl_s16(vget_low_s16(even))), d);
    t->scale[1] = vmulq_n_f32(vcvtq_f32_s32(vmovl_s16(vget_low_s16(odd))), d);
}

/* ---- loading decoded rows */

SYNP_NEON_INLINE void synp_neon_load_32(const void *row, size_t quad, size_t blocks,
                                        synp_neon_tile *t)
{
    const synp_codes *codes = (const synp_codes *)row;
    const int8_t *q = codes->q + 128 * quad;
    (void)blocks;
    synp_neon_pair(q, t, 0);
    synp_neon_pair(q + 32, t, 1);
    synp_neon_pair(q + 64, t, 2);
    synp_neon_pair(q + 96, t, 3);
    t->scale[0] = vld1q_f32(codes->scale + 4 * quad);
}

SYNP_NEON_INLINE void synp_neon_load_32m(const void *row, size_t quad, size_t blocks,
                                         synp_neon_tile *t)
{
    synp_neon_load_32(row, quad, blocks, t);
    t->minimum[0] = vld1q_f32(((const synp_codes *)row)->minimum + 4 * quad);
}

SYNP_NEON_INLINE void synp_neon_load_16(const void *row, size_t quad, size_t blocks,
                                        synp_neon_tile *t)
{
    float32x4x2_t both = vld2q_f32(((const synp_codes *)row)->scale + 8 * quad);
    synp_neon_load_32(row, quad, blocks, t);
    t->scale[0] = both.val[0];
    t->scale[1] = both.val[1];
}

SYNP_NEON_INLINE void synp_neon_load_16m(const void *row, size_t quad, size_t blocks,
                                         synp_neon_tile *t)
{
    float32x4x2_t both = vld2q_f32(((const synp_codes *)row)->minimum + 8 * quad);
    synp_neon_load_16(row, quad, blocks, t);
    t->minimum[0] = both.val[0];
    t->minimum[1] = both.val[1];
}

/* ---- strips of 16 rows. With the dot product a piece is four codes of a row, and its eight steps
   a block are made twice, for either digit; without, a piece is two columns of int16, first one of
   all rows, then the other. Positions are lanes: no vector of activations is spread. */

enum { SYNP_NEON_STRIP = 16, SYNP_NEON_SOME = 4 }; /* rows; positions in registers */

/* Dwords of four rows' codes, transposed: out[c] has dword c of each row. */
SYNP_NEON_INLINE void synp_neon_turn(const int8x16_t v[4], int32x4_t out[4])
{
    const int32x4x2_t a = vzipq_s32(vreinterpretq_s32_s8(v[0]), vreinterpretq_s32_s8(v[2]));
    const int32x4x2_t b = vzipq_s32(vreinterpretq_s32_s8(v[1]), vreinterpretq_s32_s8(v[3]));
    const int32x4x2_t low = vzipq_s32(a.val[0], b.val[0]), high = vzipq_s32(a.val[1], b.val[1]);
    out[0] = low.val[0];
    out[1] = low.val[1];
    out[2] = high.val[0];
    out[3] = high.val[1];
}

/* Half h of a block of four rows to the strip; `piece` is the block's, at the first of the rows. */
typedef void synp_neon_put_fn(const int8x16_t v[4], int h, int32_t *piece);

SYNP_NEON_INLINE void synp_dotprod_put(const int8x16_t v[4], int h, int32_t *piece)
{
    int32x4_t four[4];
    int c;
    synp_neon_turn(v, four);
    for (c = 0; c < 4; c++) vst1q_s32(piece + (4 * h + c) * SYNP_NEON_STRIP, four[c]);
}

SYNP_NEON_INLINE void synp_neon_put(const int8x16_t v[4], int h, int32_t *piece)
{
    static const uint8_t columns[16] = {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15};
    const uint8x16_t index = vld1q_u8(columns);
    int32x4_t four[4];
    int c, i;
    synp_neon_turn(v, four);
    for (c = 0; c < 4; c++) {
        int8x16_t bytes = vqtbl1q_s8(vreinterpretq_s8_s32(four[c]), index); /* (column, row) */
        int16x8_t wide[2];
        wide[0] = vmovl_s8(vget_low_s8(bytes));
        wide[1] = vmovl_s8(vget_high_s8(bytes));
        for (i = 0; i < 2; i++) {
            /* a step is two columns of SYNP_NEON_STRIP int16 each: as many dwords as rows */
            int16_t *at = (int16_t *)(void *)(piece + (8 * h + 2 * c + i) * SYNP_NEON_STRIP);
            vst1_s16(at, vget_low_s16(wide[i]));
            vst1_s16(at + SYNP_NEON_STRIP, vget_high_s16(wide[i]));
        }
    }
}

/* Four rows, `at` and on, to a strip: `steps` a block, rows `gap` dwords apart in a step. */
SYNP_NEON_INLINE void synp_neon_unpack(const synp_neon_kind *kind, synp_neon_put_fn *put,
                                       size_t steps, const void *const row[4], size_t blocks,
                                       const synp_strip *strip, size_t first, size_t at)
{
    const size_t groups = kind->halves ? 2 : 1;
    size_t quad, j, r, g;
    for (quad = 0; 4 * quad < blocks; quad++) {
        synp_neon_tile t[4];
        for (r = 0; r < 4; r++) kind->load(row[r], quad, blocks - 4 * quad, &t[r]);
        for (j = 0; j < 4 && 4 * quad + j < blocks; j++) {
            const size_t block = 4 * quad + j, group = block * groups * SYNP_NEON_STRIP + at;
            int32_t *piece = strip->piece + block * steps * SYNP_NEON_STRIP + first;
            int8x16_t low[4], high[4];
            for (r = 0; r < 4; r++) {
                low[r] = t[r].low[j];
                high[r] = t[r].high[j];
            }
            put(low, 0, piece);
            put(high, 1, piece);
            for (g = 0; g < groups; g++) {
                for (r = 0; r < 4; r++) {
                    const float *scale = (const float *)&t[r].scale[g];
                    strip->scale[group + g * SYNP_NEON_STRIP + r] = scale[j];
                    if (!kind->minimum) continue;
                    scale = (const float *)&t[r].minimum[g];
                    strip->minimum[group + g * SYNP_NEON_STRIP + r] = scale[j];
                }
            }
        }
    }
}

/* Sixteen rows with four positions: sums of the products of a half block or a block. */
typedef void synp_neon_steps_fn(const int32_t *piece, const synp_acts_tile *tile, int p, int from,
                                int steps, int32x4_t sum[SYNP_NEON_SOME][4]);

#define SYNP_SDOT(p, lane)                                                                         \
    for (v = 0; v < 4; v++)                                                                        \
        __asm__("sdot %0.4s, %1.16b, %2.4b[" lane "]" : "+w"(sum[p][v]) : "w"(w[v]), "w"(x));

SYNP_NEON_INLINE SYNP_DOTPROD void synp_dotprod_digit(const int32_t *piece, const int32_t *digits,
                                                      int steps, int32x4_t sum[SYNP_NEON_SOME][4])
{
    int k, v;
    for (k = 0; k < steps; k++, piece += SYNP_NEON_STRIP, digits += SYNP_TILE) {
        const int32x4_t x = vld1q_s32(digits);
        int32x4_t w[4];
        SYNP_UNROLL
        for (v = 0; v < 4; v++) w[v] = vld1q_s32(piece + 4 * v);
        SYNP_UNROLL
        SYNP_SDOT(0, "0")
        SYNP_UNROLL
        SYNP_SDOT(1, "1")
        SYNP_UNROLL
        SYNP_SDOT(2, "2")
        SYNP_UNROLL
        SYNP_SDOT(3, "3")
    }
}

SYNP_NEON_INLINE SYNP_DOTPROD void synp_dotprod_steps(const int32_t *piece,
                                                      const synp_acts_tile *tile, int p, int from,
                                                      int steps, int32x4_t sum[SYNP_NEON_SOME][4])
{
    int i;
    SYNP_UNROLL
    for (i = 0; i < 16; i++) sum[i / 4][i % 4] = vdupq_n_s32(0);
    piece += from / 2 * SYNP_NEON_STRIP;
    synp_dotprod_digit(piece, &tile->piece[from / 2][p], steps / 2, sum);
    SYNP_UNROLL
    for (i = 0; i < 16; i++) sum[i / 4][i % 4] = vshlq_n_s32(sum[i / 4][i % 4], 8);
    synp_dotprod_digit(piece, &tile->piece[8 + from / 2][p], steps / 2, sum);
}

#define SYNP_SMLAL(p)                                                                              \
    sum[p][0] = vmlal_laneq_s16(sum[p][0], vget_low_s16(w[0]), x, 2 * (p));                        \
    sum[p][1] = vmlal_high_laneq_s16(sum[p][1], w[0], x, 2 * (p));                                 \
    sum[p][2] = vmlal_laneq_s16(sum[p][2], vget_low_s16(w[1]), x, 2 * (p));                        \
    sum[p][3] = vmlal_high_laneq_s16(sum[p][3], w[1], x, 2 * (p));                                 \
    sum[p][0] = vmlal_laneq_s16(sum[p][0], vget_low_s16(w[2]), x, 2 * (p) + 1);                    \
    sum[p][1] = vmlal_high_laneq_s16(sum[p][1], w[2], x, 2 * (p) + 1);                             \
    sum[p][2] = vmlal_laneq_s16(sum[p][2], vget_low_s16(w[3]), x, 2 * (p) + 1);                    \
    sum[p][3] = vmlal_high_laneq_s16(sum[p][3], w[3], x, 2 * (p) + 1);

SYNP_NEON_INLINE void synp_neon_steps(const int32_t *piece, const synp_acts_tile *tile, int p,
                                      int from, int steps, int32x4_t sum[SYNP_NEON_SOME][4])
{
    int k, i;
    SYNP_UNROLL
    for (i = 0; i < 16; i++) sum[i / 4][i % 4] = vdupq_n_s32(0);
    piece += from * SYNP_NEON_STRIP;
    for (k = 0; k < steps; k++, piece += SYNP_NEON_STRIP) {
        const int16_t *at = (const int16_t *)(const void *)piece;
        const int16x8_t x = vreinterpretq_s16_s32(vld1q_s32(&tile->piece[from + k][p]));
        int16x8_t w[4];
        SYNP_UNROLL
        for (i = 0; i < 4; i++) w[i] = vld1q_s16(at + 8 * i);
        SYNP_SMLAL(0)
        SYNP_SMLAL(1)
        SYNP_SMLAL(2)
        SYNP_SMLAL(3)
    }
}

/* total += sum * (scale * d), then minimum * x_sum where there is one */
SYNP_NEON_INLINE void synp_neon_strip_scale(int32x4_t sum[SYNP_NEON_SOME][4], const float *scale,
                                            const float *d, const float *minimum,
                                            const float *x_sum, bool first, float *total)
{
    int p, v;
    SYNP_UNROLL
    for (p = 0; p < SYNP_NEON_SOME; p++, total += SYNP_NEON_STRIP) {
        SYNP_UNROLL
        for (v = 0; v < 4; v++) {
            float32x4_t t = first ? vdupq_n_f32(0.0f) : vld1q_f32(total + 4 * v);
            t = vfmaq_f32(t, vcvtq_f32_s32(sum[p][v]), vmulq_n_f32(vld1q_f32(scale + 4 * v), d[p]));
            if (minimum) t = vfmaq_n_f32(t, vld1q_f32(minimum + 4 * v), x_sum[p]);
            vst1q_f32(total + 4 * v, t);
        }
    }
}

SYNP_NEON_INLINE void synp_neon_minima(const float *minimum, const float *x_sum, float *total)
{
    int p, v;
    for (p = 0; p < SYNP_NEON_SOME; p++, total += SYNP_NEON_STRIP) {
        for (v = 0; v < SYNP_NEON_STRIP; v += 4) {
            float32x4_t t = vld1q_f32(total + v);
            vst1q_f32(total + v, vfmaq_n_f32(t, vld1q_f32(minimum + v), x_sum[p]));
        }
    }
}

/* A block of the strip with some positions, from `p` on, of a tile. */
SYNP_NEON_INLINE void synp_neon_strip_block(synp_neon_steps_fn *sums, bool halves, bool minimum,
                                            const int32_t *piece, const float *scale,
                                            const float *least, const synp_acts_tile *tile, int p,
                                            bool first, float *total)
{
    const float *d = tile->scale + p;
    int32x4_t sum[SYNP_NEON_SOME][4];
    if (!halves) {
        sums(piece, tile, p, 0, 16, sum);
        synp_neon_strip_scale(sum, scale, d, minimum ? least : NULL, tile->all + p, first, total);
        return;
    }
    sums(piece, tile, p, 0, 8, sum);
    synp_neon_strip_scale(sum, scale, d, NULL, NULL, first, total);
    sums(piece, tile, p, 8, 8, sum);
    synp_neon_strip_scale(sum, scale + SYNP_NEON_STRIP, d, NULL, NULL, false, total);
    if (!minimum) return;
    synp_neon_minima(least, tile->low + p, total);
    synp_neon_minima(least + SYNP_NEON_STRIP, tile->high + p, total);
}

SYNP_NEON_INLINE void synp_neon_strip_all(synp_neon_steps_fn *sums, size_t steps,
                                          const syn_type *type, const synp_strip *strip,
                                          const synp_acts_tile *tile, bool first, float *total)
{
    const size_t groups = type->group == 16 ? 2 : 1;
    size_t b;
    int p;
    for (p = 0; p < SYNP_TILE; p += SYNP_NEON_SOME) {
        for (b = 0; b < strip->blocks; b++) {
            float *at = total + (b % 4 * SYNP_TILE + (size_t)p) * SYNP_NEON_STRIP;
            const int32_t *piece = strip->piece + b * steps * SYNP_NEON_STRIP;
            const float *scale = strip->scale + b * groups * SYNP_NEON_STRIP;
            const float *least = strip->minimum + b * groups * SYNP_NEON_STRIP;
            const bool new_sum = first && b < 4;
            if (groups == 2) {
                synp_neon_strip_block(sums, true, type->minimum, piece, scale, least, tile + b, p,
                                      new_sum, at);
            } else {
                synp_neon_strip_block(sums, false, type->minimum, piece, scale, least, tile + b, p,
                                      new_sum, at);
            }
        }
    }
}

static void synp_neon_strip_sum(const float *total, size_t rows, size_t positions, float *y,
                                size_t stride)
{
    const size_t step = SYNP_TILE * SYNP_NEON_STRIP;
    size_t p, r;
    for (p = 0; p < positions; p++, y += stride, total += SYNP_NEON_STRIP) {
        for (r = 0; r + 4 <= rows; r += 4) {
            const float *t = total + r;
            float32x4_t s = vaddq_f32(vld1q_f32(t), vld1q_f32(t + step));
            s = vaddq_f32(s, vaddq_f32(vld1q_f32(t + 2 * step), vld1q_f32(t + 3 * step)));
            vst1q_f32(y + r, s);
        }
        synp_strip_sum(total, SYNP_NEON_STRIP, r, rows, y);
    }
}

static void synp_neon_pack(const synp_acts_quad *quad, int j, synp_acts_tile *tile, int position)
{
    int i, k;
    for (i = 0; i < 4; i++) { /* eight columns each */
        const int at = 64 * (i / 2) + 16 * j + 8 * (i % 2);
        int16x8_t x = vaddw_s8(vshll_n_s8(vld1_s8(quad->q + at), 8), vld1_s8(quad->r + at));
        int32_t piece[4];
        vst1q_s32(piece, vreinterpretq_s32_s16(x));
        for (k = 0; k < 4; k++) tile->piece[4 * i + k][position] = piece[k];
    }
}

static void synp_dotprod_pack(const synp_acts_quad *quad, int j, synp_acts_tile *tile, int position)
{
    int k;
    for (k = 0; k < 8; k++) {
        const int at = 64 * (k / 4) + 16 * j + 4 * (k % 4);
        memcpy(&tile->piece[k][position], quad->q + at, 4);
        memcpy(&tile->piece[8 + k][position], quad->r + at, 4);
    }
}

/* ---- the functions of both levels */

/* Steps of a block of a strip, and where in a step's dwords row `at` begins. */
#define SYNP_STEPS_neon 16
#define SYNP_STEPS_dotprod 8
#define SYNP_PLACE_neon(at) ((at) / 2)
#define SYNP_PLACE_dotprod(at) (at)

#define SYNP_NEON_BLOCKS(level, target, id, name, halves, minimum)                                 \
    target static void synp_##level##_##name(const unsigned char *data, size_t row_bytes,          \
                                             size_t rows, const synp_acts *acts, float *y,         \
                                             size_t stride)                                        \
    {                                                                                              \
        const synp_neon_kind kind = {synp_neon_load_##name, halves, minimum,                       \
                                     synp_##level##_fours};                                        \
        size_t r;                                                                                  \
        for (r = 0; r < rows; r++)                                                                 \
            synp_neon_row(&kind, data + r * row_bytes, acts, y + r, stride);                       \
    }                                                                                              \
    target static void synp_##level##_unpack_##name(                                               \
        const unsigned char *const row[4], size_t blocks, const synp_strip *strip, size_t at)      \
    {                                                                                              \
        const synp_neon_kind kind = {synp_neon_load_##name, halves, minimum,                       \
                                     synp_##level##_fours};                                        \
        const void *four[4];                                                                       \
        size_t r;                                                                                  \
        for (r = 0; r < 4; r++) four[r] = row[r];                                                  \
        synp_neon_unpack(&kind, synp_##level##_put, SYNP_STEPS_##level, four, blocks, strip,       \
                         SYNP_PLACE_##level(at), at);                                              \
    }

#define SYNP_NEON_CODES(level, target, name, halves, minimum)                                      \
    target static void synp_##level##_##name(const synp_codes row[4], size_t rows,                 \
                                             const synp_acts *acts, float *y, size_t stride)       \
    {                                                                                              \
        const synp_neon_kind kind = {synp_neon_load_##name, halves, minimum,                       \
                                     synp_##level##_fours};                                        \
        size_t r;                                                                                  \
        for (r = 0; r < rows; r++) synp_neon_row(&kind, &row[r], acts, y + r, stride);             \
    }                                                                                              \
    target static void synp_##level##_unpack_##name(const synp_codes row[4], size_t blocks,        \
                                                    const synp_strip *strip, size_t at)            \
    {                                                                                              \
        const synp_neon_kind kind = {synp_neon_load_##name, halves, minimum,                       \
                                     synp_##level##_fours};                                        \
        const void *four[4];                                                                       \
        size_t r;                                                                                  \
        for (r = 0; r < 4; r++) four[r] = &row[r];                                                 \
        synp_neon_unpack(&kind, synp_##level##_put, SYNP_STEPS_##level, four, blocks, strip,       \
                         SYNP_PLACE_##level(at), at);                                              \
    }

/* Type, name, scales of halves, minimum. */
#define SYNP_NEON_TYPES(X, level, target)                                                          \
    X(level, target, Q4_0, q4_0, false, false)                                                     \
    X(level, target, Q4_1, q4_1, false, true)                                                      \
    X(level, target, Q5_0, q5_0, false, false)                                                     \
    X(level, target, Q5_1, q5_1, false, true)                                                      \
    X(level, target, Q8_0, q8_0, false, false)                                                     \
    X(level, target, Q4_K, q4_k, false, true)                                                      \
    X(level, target, Q5_K, q5_k, false, true)                                                      \
    X(level, target, Q6_K, q6_k, true, false)

#define SYNP_FUSED_NEON(level, target, id, name, halves, minimum)                                  \
    {SYN_TYPE_##id, synp_##level##_##name, synp_##level##_unpack_##name},

#define SYNP_NEON_LEVEL(level, target, text, number)                                               \
    SYNP_NEON_TYPES(SYNP_NEON_BLOCKS, level, target)                                               \
    static const synp_fused synp_##level##_fused[] = {                                             \
        SYNP_NEON_TYPES(SYNP_FUSED_NEON, level, target){0, NULL, NULL},                            \
    };                                                                                             \
    SYNP_NEON_CODES(level, target, 32, false, false)                                               \
    SYNP_NEON_CODES(level, target, 32m, false, true)                                               \
    SYNP_NEON_CODES(level, target, 16, true, false)                                                \
    SYNP_NEON_CODES(level, target, 16m, true, true)                                                \
    static void synp_##level##_codes(const syn_type *type, const synp_codes row[4], size_t rows,   \
                                     const synp_acts *acts, float *y, size_t stride)               \
    {                                                                                              \
        if (type->group == 32) {                                                                   \
            (type->minimum ? synp_##level##_32m : synp_##level##_32)(row, rows, acts, y, stride);  \
        } else {                                                                                   \
            (type->minimum ? synp_##level##_16m : synp_##level##_16)(row, rows, acts, y, stride);  \
        }                                                                                          \
    }                                                                                              \
    static void synp_##level##_unpack_codes(const syn_type *type, const synp_codes row[4],         \
                                            size_t blocks, const synp_strip *strip, size_t at)     \
    {                                                                                              \
        if (type->group == 32) {                                                                   \
            (type->minimum ? synp_##level##_unpack_32m : synp_##level##_unpack_32)(row, blocks,    \
                                                                                   strip, at);     \
        } else {                                                                                   \
            (type->minimum ? synp_##level##_unpack_16m : synp_##level##_unpack_16)(row, blocks,    \
                                                                                   strip, at);     \
        }                                                                                          \
    }                                                                                              \
    target static void synp_##level##_strip(const syn_type *type, const synp_strip *strip,         \
                                            const synp_acts_tile *tile, bool first, float *total)  \
    {                                                                                              \
        synp_neon_strip_all(synp_##level##_steps, SYNP_STEPS_##level, type, strip, tile, first,    \
                            total);                                                                \
    }                                                                                              \
    static const synp_strips synp_##level##_strips = {SYNP_NEON_STRIP,                             \
                                                      8,                                           \
                                                      synp_##level##_unpack_codes,                 \
                                                      synp_##level##_strip,                        \
                                                      synp_neon_strip_sum,                         \
                                                      synp_##level##_pack};                        \
    static const synp_kernels synp_##level = {                                                     \
        text,                                                                                      \
        number,                                                                                    \
        &synp_##level##_strips,                                                                    \
        synp_##level##_fused,                                                                      \
        synp_##level##_codes,                                                                      \
        synp_neon_floats,                                                                          \
        synp_neon_widen,                                                                           \
        synp_neon_quantise,                                                                        \
        synp_neon_dot,                                                                             \
        synp_neon_axpy,                                                                            \
        synp_neon_dots,                                                                            \
        synp_neon_mix,                                                                             \
        synp_neon_softmax,                                                                         \
        synp_neon_silu_mul,                                                                        \
        synp_neon_gelu_mul,                                                                        \
    };

SYNP_NEON_LEVEL(neon, SYNP_NEON, "NEON", SYN_SIMD_NEON)
SYNP_NEON_LEVEL(dotprod, SYNP_DOTPROD, "NEON dot product", SYN_SIMD_DOTPROD)

static bool synp_dotprod_here(void)
{
#if defined(__ARM_FEATURE_DOTPROD)
    return true;
#elif defined(__linux__)
    return (getauxval(AT_HWCAP) >> 20 & 1) != 0; /* HWCAP_ASIMDDP */
#else
    return false;
#endif
}
#endif /* SYNP_ARM */

/* ------------------------------------------------ choice of the level */

/* The functions of a level, NULL where this machine has it not. */
static const synp_kernels *synp_kernels_pick(syn_simd level)
{
    int best;
    for (best = SYN_SIMD_LEVELS - 1; best > SYN_SIMD_PLAIN; best--) {
        if (level != SYN_SIMD_AUTO && level != (syn_simd)best) continue;
#ifdef SYNP_X86
        if (best == SYN_SIMD_AVX2 && (synp_processor() & SYNP_HAS_AVX2)) return &synp_256;
#endif
#ifdef SYNP_X86_512
        if (best == SYN_SIMD_AVX512 && (synp_processor() & SYNP_HAS_VNNI)) return &synp_512;
#endif
#ifdef SYNP_ARM
        if (best == SYN_SIMD_NEON) return &synp_neon;
        if (best == SYN_SIMD_DOTPROD && synp_dotprod_here()) return &synp_dotprod;
#endif
    }
    return level == SYN_SIMD_AUTO || level == SYN_SIMD_PLAIN ? &synp_plain : NULL;
}

SYN_API const char *syn_simd_name(syn_simd level)
{
    const synp_kernels *kernels = synp_kernels_pick(level);
    return kernels ? kernels->name : NULL;
}

/* ------------------------------------------------ rows of a matrix */

static size_t synp_smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Floats of the sums of one tile of positions with one strip. */
static size_t synp_strip_total(const synp_strips *strips)
{
    return 4 * SYNP_TILE * strips->rows;
}

/* Bytes of scratch for synp_gemm_rows: four decoded rows, whatever the number of positions; for
   many, a strip and the sums of up to SYNP_STRIP_POSITIONS. */
static SYNP_UNUSED size_t synp_gemm_scratch_bytes(const synp_kernels *kernels, size_t cols,
                                                  size_t positions)
{
    const synp_strips *strips = kernels->strips;
    if (cols > SIZE_MAX / 64) return SIZE_MAX; /* no arena has them */
    size_t padded = (cols + 127) / 128 * 128, rows = 4 * sizeof(float) * padded, many;
    size_t across = synp_smaller(padded, SYNP_STRIP_COLS);
    if (!strips || positions < strips->least) return rows + 64;
    positions = synp_smaller(positions, SYNP_STRIP_POSITIONS);
    /* codes as int16; two groups a block, each with scale and minimum; decoded codes of four
       rows */
    many = strips->rows * (2 * across + across / 32 * 4 * sizeof(float)) + 4 * across * 3 / 2;
    many += (positions + SYNP_TILE - 1) / SYNP_TILE * synp_strip_total(strips) * sizeof(float);
    return (rows > many ? rows : many) + 64;
}

/* Decodes a row of codes to `at`: codes, scales, minima, each padded with zeros. */
static synp_codes synp_decode_row(const syn_type *type, const unsigned char *data, size_t cols,
                                  unsigned char *at)
{
    size_t padded = (cols + 127) / 128 * 128, groups = padded / type->group, i;
    int8_t *q = (int8_t *)at;
    float *scale = (float *)(void *)(at + padded), *minimum = scale + groups;
    synp_codes row;

    row.q = q;
    row.scale = scale;
    row.minimum = minimum;
    for (i = 0; i < cols; i += type->block, data += type->bytes) {
        type->codes(data, q + i, scale + i / type->group, minimum + i / type->group);
    }
    memset(q + cols, 0, padded - cols);
    for (i = cols / type->group; i < groups; i++) scale[i] = minimum[i] = 0.0f;
    return row;
}

/* Up to four rows through codes in the scratch. */
static void synp_gemm_codes(const synp_kernels *kernels, const syn_type *type,
                            const unsigned char *const row[4], size_t rows, const synp_acts *acts,
                            float *y, size_t stride, unsigned char *scratch)
{
    size_t padded = (acts->cols + 127) / 128 * 128, r;
    synp_codes decoded[4];
    for (r = 0; r < rows; r++) {
        decoded[r] = synp_decode_row(type, row[r], acts->cols, scratch + r * padded * 3 / 2);
    }
    for (; r < 4; r++) decoded[r] = decoded[rows - 1];
    kernels->codes(type, decoded, rows, acts, y, stride);
}

/* Up to four rows through floats in the scratch. */
static void synp_gemm_floats(const synp_kernels *kernels, const syn_type *type,
                             const unsigned char *const row[4], size_t rows, const synp_acts *acts,
                             float *y, size_t stride, unsigned char *scratch)
{
    float *out = (float *)(void *)scratch;
    const float *decoded[4];
    size_t r;
    for (r = 0; r < rows; r++, out += acts->cols) {
        decoded[r] = out;
        if (type->floats) {
            kernels->widen(type, row[r], out, acts->cols);
        } else {
            syn_type_to_float(type, row[r], out, acts->cols);
        }
    }
    for (; r < 4; r++) decoded[r] = decoded[rows - 1];
    kernels->floats(decoded, rows, acts, y, stride);
}

static const synp_fused *synp_fused_of(const synp_kernels *kernels, const syn_type *type)
{
    const synp_fused *fused = kernels->fused;
    while (fused->blocks && fused->id != type->id) fused++;
    return fused;
}

/* A product of many positions: up to strips->rows rows of one matrix. */
typedef struct synp_many {
    const synp_kernels *kernels;
    const syn_type *type;
    const synp_fused *fused;
    const unsigned char *data;
    size_t rows, row_bytes;
    const synp_acts *acts;
    synp_strip strip;
    unsigned char *decoded; /* codes of four rows */
    float *total;           /* (tile, block modulo 4, position, row) */
} synp_many;

/* Columns `from` .. of all rows to the strip. Missing rows repeat the last one. */
static void synp_many_unpack(const synp_many *many, size_t from)
{
    const syn_type *type = many->type;
    const size_t cols = 32 * many->strip.blocks, padded = (cols + 127) / 128 * 128;
    size_t at, r;
    for (at = 0; at < many->rows; at += 4) {
        const unsigned char *row[4];
        synp_codes codes[4];
        for (r = 0; r < 4; r++) {
            size_t which = at + r < many->rows ? at + r : many->rows - 1;
            row[r] = many->data + which * many->row_bytes + from / type->block * type->bytes;
            if (!many->fused->unpack)
                codes[r] = synp_decode_row(type, row[r], cols, many->decoded + r * padded * 3 / 2);
        }
        if (many->fused->unpack) {
            many->fused->unpack(row, many->strip.blocks, &many->strip, at);
        } else {
            many->kernels->strips->unpack(type, codes, many->strip.blocks, &many->strip, at);
        }
    }
}

/* One strip of rows with up to SYNP_STRIP_POSITIONS positions. */
static void synp_many_rows(synp_many *many, size_t first, size_t positions, float *y, size_t stride)
{
    const synp_acts *acts = many->acts;
    const synp_strips *strips = many->kernels->strips;
    const size_t blocks = acts->cols / 32, size = synp_strip_total(strips);
    const synp_acts_tile *tile = acts->tiles + first / SYNP_TILE * blocks;
    size_t from, p;
    for (from = 0; from < blocks; from += many->strip.blocks) {
        many->strip.blocks = synp_smaller(blocks - from, SYNP_STRIP_COLS / 32);
        synp_many_unpack(many, 32 * from);
        for (p = 0; p < positions; p += SYNP_TILE) {
            float *total = many->total + p / SYNP_TILE * size;
            if (blocks < 4) memset(total, 0, size * sizeof *total); /* sums that have no block */
            strips->multiply(many->type, &many->strip, tile + p / SYNP_TILE * blocks + from, !from,
                             total);
            if (from + many->strip.blocks < blocks) continue;
            strips->sum(total, many->rows, synp_smaller(positions - p, SYNP_TILE),
                        y + (first + p) * stride, stride);
        }
    }
}

static void synp_gemm_many(const synp_kernels *kernels, const syn_type *type,
                           const unsigned char *data, size_t rows, const synp_acts *acts, float *y,
                           size_t stride, unsigned char *scratch)
{
    const size_t all = kernels->strips->rows, padded = (acts->cols + 127) / 128 * 128;
    const size_t across = synp_smaller(padded, SYNP_STRIP_COLS);
    const size_t row_bytes = acts->cols / type->block * type->bytes;
    size_t at, p;
    synp_many many;
    many.kernels = kernels;
    many.type = type;
    many.fused = synp_fused_of(kernels, type);
    many.row_bytes = row_bytes;
    many.acts = acts;
    many.strip.piece = (int32_t *)(void *)scratch;
    many.strip.scale = (float *)(void *)(many.strip.piece + all * across / 2);
    many.strip.minimum = many.strip.scale + all * across / 16;
    many.total = many.strip.minimum + all * across / 16;
    for (p = 0; p < acts->positions; p += SYNP_STRIP_POSITIONS) {
        const size_t n = synp_smaller(acts->positions - p, SYNP_STRIP_POSITIONS);
        many.decoded = (unsigned char *)(many.total + (n + SYNP_TILE - 1) / SYNP_TILE *
                                                          synp_strip_total(kernels->strips));
        for (at = 0; at < rows; at += all) {
            many.data = data + at * row_bytes;
            many.rows = synp_smaller(rows - at, all);
            many.strip.blocks = 1;
            synp_many_rows(&many, p, n, y + at, stride);
        }
    }
}

/* y[p * stride + r] = row r times position p, for `rows` rows of `cols` weights that stand one
   after the other at `data` (any alignment). scratch: synp_gemm_scratch_bytes, each thread its
   own. */
static SYNP_UNUSED void synp_gemm_rows(const synp_kernels *kernels, const syn_type *type,
                                       const unsigned char *data, size_t rows, size_t cols,
                                       const synp_acts *acts, float *y, size_t stride,
                                       void *scratch)
{
    size_t row_bytes = cols / type->block * type->bytes, at, r;
    uintptr_t up = (uintptr_t)scratch + 63;
    unsigned char *room = (unsigned char *)(up - up % 64);
    bool fast = (acts->quads || acts->tiles) && type->codes;
    const synp_fused *fused = synp_fused_of(kernels, type);

    if (fast && acts->tiles) {
        synp_gemm_many(kernels, type, data, rows, acts, y, stride, room);
        return;
    }
    if (fused->blocks && (type->floats ? acts->positions < 4 && cols % 16 == 0 : fast)) {
        fused->blocks(data, row_bytes, rows, acts, y, stride);
        return;
    }
    for (at = 0; at < rows; at += 4) {
        const unsigned char *row[4];
        size_t n = rows - at < 4 ? rows - at : 4;
        for (r = 0; r < 4; r++) row[r] = data + (at + (r < n ? r : n - 1)) * row_bytes;
        if (!fast) {
            synp_gemm_floats(kernels, type, row, n, acts, y + at, stride, room);
        } else {
            synp_gemm_codes(kernels, type, row, n, acts, y + at, stride, room);
        }
    }
}

/* ------------------------------------------------------------------------------------
   >>tokenizer
   In the order of use: lists of strings and their index; characters; pre-tokenizers; special
   tokens; merging; opening; ids to text; chat formats.
   ------------------------------------------------------------------------------------ */

#define SYNP_NONE 0xFFFFFFFFu /* no index, no order, an empty slot */

/* ---- reading. A list of strings in the file is, for each, its length (u64) and its
   bytes. */

/* Reads a range of the source from front to back, where it lies or through a small
   buffer. */
typedef struct synp_reader {
    const syn_source *source;
    uint64_t at;     /* of the next byte */
    size_t from, to; /* unread part of the buffer */
    unsigned char buffer[256];
} synp_reader;

static synp_reader synp_reader_at(const syn_source *source, uint64_t at)
{
    synp_reader s;
    s.source = source;
    s.at = at;
    s.from = s.to = 0;
    return s;
}

/* Gives some of the next n bytes, at least one (n > 0), and goes past them: all n of
   them in a mapped file, through a callback what the buffer still holds. */
static syn_status synp_reader_next(synp_reader *s, uint64_t n, const unsigned char **bytes,
                                   size_t *got, syn_error *err)
{
    if (s->source->bytes) {
        *bytes = synp_source_at(s->source, s->at, n);
        if (!*bytes)
            return synp_fail(err, SYN_ERROR_READ, "the file ends inside the vocabulary at byte %u",
                             SYNP_U(s->at));
        *got = (size_t)n;
        s->at += n;
        return SYN_OK;
    }
    if (s->from == s->to) {
        uint64_t left = s->at < s->source->size ? s->source->size - s->at : 0;
        size_t want = left < sizeof s->buffer ? (size_t)left : sizeof s->buffer;
        syn_status status = synp_source_read(s->source, s->at, s->buffer, want ? want : 1, err);
        if (status) return status;
        s->from = 0;
        s->to = want;
    }
    *got = n < s->to - s->from ? (size_t)n : s->to - s->from;
    *bytes = s->buffer + s->from;
    s->from += *got;
    s->at += *got;
    return SYN_OK;
}

/* A little-endian number of `bytes` bytes, which may straddle two buffers. */
static syn_status synp_reader_number(synp_reader *s, int bytes, uint64_t *value, syn_error *err)
{
    int done = 0;
    *value = 0;
    while (done < bytes) {
        const unsigned char *p;
        size_t got, i;
        syn_status status = synp_reader_next(s, (uint64_t)(bytes - done), &p, &got, err);
        if (status) return status;
        for (i = 0; i < got; i++) *value |= (uint64_t)p[i] << 8 * done++;
    }
    return SYN_OK;
}

/* ---- the index over a list of strings: a hash table of half as many slots again as
   strings, open addressing. A slot holds eight bits of the hash over the number of the
   string, so that a foreign string is looked at in one case of 256 only. */

#define SYNP_HASH_SEED 0x811C9DC5u

/* Bytewise (FNV-1a), so that every prefix of a text has its hash on the way. */
static uint32_t synp_hash_byte(uint32_t hash, unsigned char byte)
{
    return (hash ^ byte) * 0x01000193u;
}

static uint32_t synp_hash_bytes(uint32_t hash, const unsigned char *p, size_t n)
{
    size_t i;
    for (i = 0; i < n; i++) hash = synp_hash_byte(hash, p[i]);
    return hash;
}

/* Spreads the last bytes over all bits. */
static uint32_t synp_hash_end(uint32_t hash)
{
    hash = (hash ^ hash >> 15) * 0x2C1B3C6Du;
    hash = (hash ^ hash >> 12) * 0x297A2D39u;
    return hash ^ hash >> 15;
}

/* Where a string's search begins: the high bits of the hash, scaled (the low eight are
   kept as the mark in the slot, so that the two are independent). */
static uint32_t synp_hash_slot(uint32_t hash, uint32_t slots)
{
    return (uint32_t)((uint64_t)hash * slots >> 32);
}

/* What is looked up: a text, or, as a merge is written, `left`, a space, `right`. */
typedef struct synp_key {
    const unsigned char *left, *right; /* right NULL: left alone */
    size_t left_bytes, right_bytes;
} synp_key;

static synp_key synp_key_of(const unsigned char *text, size_t n)
{
    synp_key key;
    key.left = text;
    key.left_bytes = n;
    key.right = NULL;
    key.right_bytes = 0;
    return key;
}

/* Length of the string that the key stands for. */
static size_t synp_key_bytes(const synp_key *key)
{
    return key->left_bytes + (key->right ? 1 + key->right_bytes : 0);
}

static uint32_t synp_key_hash(const synp_key *key)
{
    uint32_t hash = synp_hash_bytes(SYNP_HASH_SEED, key->left, key->left_bytes);
    if (key->right) {
        hash = synp_hash_byte(hash, ' ');
        hash = synp_hash_bytes(hash, key->right, key->right_bytes);
    }
    return synp_hash_end(hash);
}

/* Whether the key has these bytes at `offset`. */
static bool synp_key_part_is(const synp_key *key, size_t offset, const unsigned char *p, size_t n)
{
    size_t i;
    if (!key->right) return !memcmp(key->left + offset, p, n);
    for (i = 0; i < n; i++, offset++) {
        unsigned char c = offset < key->left_bytes    ? key->left[offset]
                          : offset == key->left_bytes ? (unsigned char)' '
                                                      : key->right[offset - key->left_bytes - 1];
        if (c != p[i]) return false;
    }
    return true;
}

/* Whether the string at `at` in the file is the key. */
static syn_status synp_key_is(const synp_key *key, const syn_source *source, uint64_t at,
                              bool *same, syn_error *err)
{
    const unsigned char *p = synp_source_at(source, at, 8);
    size_t bytes = synp_key_bytes(key), done = 0;
    uint64_t length;
    syn_status status = SYN_OK;
    *same = false;
    if (p) { /* mapped: the common case, in few steps */
        if (synp_u64(p) != bytes) return SYN_OK;
        p = synp_source_at(source, at + 8, bytes);
        *same = p && synp_key_part_is(key, 0, p, bytes);
        return SYN_OK;
    }
    {
        synp_reader s = synp_reader_at(source, at);
        status = synp_reader_number(&s, 8, &length, err);
        *same = !status && length == bytes;
        while (*same && !status && done < bytes) {
            size_t got;
            status = synp_reader_next(&s, bytes - done, &p, &got, err);
            if (status) break;
            *same = synp_key_part_is(key, done, p, got);
            done += got;
        }
    }
    return status;
}

/* Whether two strings of the file are equal, the one at a and the one at b: compared
   from their lengths on, in small steps. Needed once in a few hundred strings, when an
   index is filled. */
static syn_status synp_strings_equal(const syn_source *source, uint64_t a, uint64_t b, bool *same,
                                     syn_error *err)
{
    unsigned char x[32], y[32];
    uint64_t left = 8; /* first the two lengths */
    bool text = false;
    *same = true;
    for (;;) {
        size_t n = left < sizeof x ? (size_t)left : sizeof x;
        syn_status status = synp_source_read(source, a, x, n, err);
        if (!status) status = synp_source_read(source, b, y, n, err);
        if (status) return status;
        *same = !memcmp(x, y, n);
        if (!text) left += synp_u64(x);
        text = true;
        a += n;
        b += n;
        left -= n;
        if (!*same || !left) return SYN_OK;
    }
}

/* The number of the string that equals the key, or SYNP_NONE. */
static syn_status synp_index_find_hashed(const syn_string_index *index, const syn_source *source,
                                         const synp_key *key, uint32_t hash, uint32_t *found,
                                         syn_error *err)
{
    uint32_t at, mark = hash << 24, i;
    *found = SYNP_NONE;
    if (!index->slot || synp_key_bytes(key) > index->longest) return SYN_OK;
    at = synp_hash_slot(hash, index->slots);
    for (i = 0; i < index->slots && index->slot[at] != SYNP_NONE; i++) {
        uint32_t entry = index->slot[at];
        if ((entry & 0xFF000000u) == mark) {
            uint32_t number = entry & 0xFFFFFFu;
            bool same;
            syn_status status =
                synp_key_is(key, source, index->at + index->offset[number], &same, err);
            if (status) return status;
            if (same) {
                *found = number;
                return SYN_OK;
            }
        }
        if (++at == index->slots) at = 0;
    }
    return SYN_OK;
}

static syn_status synp_index_find(const syn_string_index *index, const syn_source *source,
                                  const synp_key *key, uint32_t *found, syn_error *err)
{
    *found = SYNP_NONE;
    if (synp_key_bytes(key) > index->longest) return SYN_OK;
    return synp_index_find_hashed(index, source, key, synp_key_hash(key), found, err);
}

/* Enters string `number`; of equal strings the first or the last stays. */
static syn_status synp_index_enter(syn_string_index *index, const syn_source *source,
                                   uint32_t number, uint32_t hash, bool first_stays, syn_error *err)
{
    uint32_t at = synp_hash_slot(hash, index->slots), mark = hash << 24;
    while (index->slot[at] != SYNP_NONE) {
        uint32_t entry = index->slot[at];
        if ((entry & 0xFF000000u) == mark) {
            bool same;
            syn_status status =
                synp_strings_equal(source, index->at + index->offset[number],
                                   index->at + index->offset[entry & 0xFFFFFFu], &same, err);
            if (status) return status;
            if (same && first_stays) return SYN_OK;
            if (same) break;
        }
        if (++at == index->slots) at = 0;
    }
    index->slot[at] = mark | number;
    return SYN_OK;
}

/* Walks the list once. When measuring, only the longest string is found out. */
static syn_status synp_index_fill(syn_string_index *index, const syn_source *source,
                                  bool first_stays, syn_error *err)
{
    synp_reader s = synp_reader_at(source, index->at);
    uint32_t i;
    for (i = 0; i < index->count; i++) {
        uint64_t length, left;
        uint32_t hash = SYNP_HASH_SEED;
        uint64_t at = s.at - index->at;
        syn_status status = synp_reader_number(&s, 8, &length, err);
        if (status) return status;
        if (length > 0xFFFFFFFFu) length = 0xFFFFFFFFu; /* cannot be: the list is shorter */
        if (length > index->longest) index->longest = (uint32_t)length;
        for (left = length; left;) {
            const unsigned char *p;
            size_t got;
            status = synp_reader_next(&s, left, &p, &got, err);
            if (status) return status;
            hash = synp_hash_bytes(hash, p, got);
            left -= got;
        }
        if (!index->slot) continue;
        index->offset[i] = (uint32_t)at;
        if (!length) continue; /* nothing in a text is this token */
        status = synp_index_enter(index, source, i, synp_hash_end(hash), first_stays, err);
        if (status) return status;
    }
    return SYN_OK;
}

/* Takes the memory for a list of strings and fills the index. Of equal strings the last
   token counts, but the first merge: the order of merges is their rank. Eight bits of a
   slot are the mark, hence fewer than 2^24 strings. */
static syn_status synp_index_open(syn_string_index *index, const syn_source *source,
                                  const syn_gguf_value *list, const char *key, bool first_stays,
                                  syn_arena *arena, syn_error *err)
{
    void *offset, *slot;
    syn_status status;
    if (list->count >= 0xFFFFFFu || list->bytes > 0xFFFFFFFFu)
        return synp_fail(err, SYN_ERROR_UNSUPPORTED, "%s: %u strings of %u bytes are too many", key,
                         SYNP_U(list->count), SYNP_U(list->bytes));
    index->at = list->offset;
    index->count = (uint32_t)list->count;
    index->slots = index->count + index->count / 2 + 1;
    index->longest = 0;
    status = synp_take(arena, index->count, sizeof *index->offset, key, &offset, err);
    if (!status) status = synp_take(arena, index->slots, sizeof *index->slot, key, &slot, err);
    if (status) return status;
    index->offset = (uint32_t *)offset;
    index->slot = (uint32_t *)slot;
    if (slot) memset(slot, 0xFF, index->slots * sizeof *index->slot);
    return synp_index_fill(index, source, first_stays, err);
}

/* ---- characters */

/* One code point from 1 .. 4 bytes. Only the form is checked (a lead byte, its
   continuation bytes), so overlong forms and surrogates pass; a byte that fits nowhere
   is U+FFFD. Returns the bytes. */
static unsigned synp_utf8_get(const unsigned char *p, size_t n, uint32_t *point)
{
    static const unsigned char more[32] = {/* bytes that follow, by the first 5 bits */
                                           0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                           9, 9, 9, 9, 9, 9, 9, 9, 1, 1, 1, 1, 2, 2, 3, 9};
    unsigned i, k = more[p[0] >> 3];
    *point = p[0];
    if (!k) return 1;
    if (k < n && k < 9) {
        *point = p[0] & (0x3Fu >> k);
        for (i = 1; i <= k && (p[i] & 0xC0) == 0x80; i++) *point = *point << 6 | (p[i] & 0x3Fu);
        if (i > k) return k + 1;
    }
    *point = 0xFFFD;
    return 1;
}

/* Writes a code point in 1 .. 4 bytes, also a surrogate or one beyond U+10FFFF. */
static unsigned synp_utf8_put(uint32_t point, unsigned char to[4])
{
    static const unsigned char lead[4] = {0, 0xC0, 0xE0, 0xF0};
    unsigned i, k = point < 0x80 ? 0 : point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    for (i = k; i; i--) {
        to[i] = (unsigned char)(0x80 | (point & 0x3F));
        point >>= 6;
    }
    to[0] = (unsigned char)(lead[k] | point);
    return k + 1;
}

/* The 25 code points of White_Space; U+001C - U+001F, U+200B and U+FEFF are not among
   them. */
static bool synp_is_space(uint32_t c)
{
    if (c < 0x85) return c == ' ' || (c >= 9 && c <= 13);
    return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
           c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

/* Unicode 15.1: letters, numbers and punctuation in 2058 bytes, entered through 448
   more, and the cased letters of deepseek-llm in 204. Made by
   tests/reference/unicode_tables.py: runs of code points of one class from U+0000 on,
   each the LEB128 number length * classes + class. */
static const unsigned char synp_class_runs[2058] = {
    132, 1,   15,  4,   27,  4,   19,  42,  11,  12,  11,  105, 15,  4,   7,   4,   105, 7,   4,
    7,   140, 1,   7,   20,  7,   8,   5,   7,   24,  10,  4,   5,   11,  4,   6,   5,   7,   14,
    7,   93,  4,   125, 4,   169, 14,  16,  49,  56,  21,  28,  5,   4,   5,   132, 4,   21,  4,
    9,   8,   17,  7,   5,   24,  5,   7,   13,  4,   5,   4,   81,  4,   205, 2,   4,   173, 4,
    32,  153, 5,   4,   153, 1,   8,   5,   27,  165, 1,   11,  204, 1,   7,   4,   7,   8,   7,
    8,   7,   36,  109, 16,  17,  11,  80,  11,  4,   11,  52,  7,   4,   15,  173, 1,   84,  42,
    19,  9,   4,   141, 3,   7,   5,   60,  9,   28,  9,   42,  13,  8,   5,   59,  8,   5,   4,
    121, 116, 229, 2,   44,  5,   56,  42,  133, 1,   36,  9,   4,   15,  5,   20,  89,  16,  5,
    36,  5,   12,  5,   28,  63,  4,   101, 20,  7,   4,   45,  20,  97,  4,   25,  68,  169, 1,
    232, 1,   217, 1,   12,  5,   72,  5,   28,  41,  8,   11,  42,  7,   65,  16,  33,  8,   9,
    8,   89,  4,   29,  4,   5,   12,  17,  12,  5,   64,  5,   52,  9,   4,   13,  16,  42,  9,
    8,   26,  8,   5,   7,   28,  25,  16,  9,   8,   89,  4,   29,  4,   9,   4,   9,   4,   9,
    124, 17,  4,   5,   28,  42,  8,   13,  4,   7,   56,  37,  4,   13,  4,   89,  4,   29,  4,
    9,   4,   21,  12,  5,   72,  5,   60,  9,   16,  42,  7,   32,  5,   44,  33,  8,   9,   8,
    89,  4,   29,  4,   9,   4,   21,  12,  5,   120, 9,   4,   13,  16,  42,  4,   5,   26,  44,
    5,   4,   25,  12,  13,  4,   17,  12,  9,   4,   5,   4,   9,   12,  9,   12,  13,  12,  49,
    88,  5,   84,  54,  72,  33,  4,   13,  4,   93,  4,   65,  12,  5,   104, 13,  8,   5,   8,
    9,   16,  42,  28,  7,   30,  4,   5,   12,  7,   33,  4,   13,  4,   93,  4,   41,  4,   21,
    12,  5,   124, 9,   4,   9,   16,  42,  4,   9,   68,  37,  4,   13,  4,   165, 1,   8,   5,
    64,  5,   20,  13,  4,   30,  13,  16,  78,  4,   25,  20,  73,  12,  97,  4,   37,  4,   5,
    8,   29,  124, 42,  16,  7,   48,  193, 1,   4,   9,   48,  29,  32,  7,   42,  11,  148, 1,
    9,   4,   5,   4,   21,  4,   97,  4,   5,   4,   41,  4,   9,   36,  5,   8,   21,  4,   5,
    36,  42,  8,   17,  128, 1,   5,   12,  63,  4,   7,   44,  82,  24,  19,  8,   33,  4,   145,
    1,   96,  7,   8,   21,  140, 2,   23,  16,  11,  148, 1,   173, 1,   80,  5,   42,  27,  25,
    16,  17,  12,  5,   12,  9,   28,  13,  16,  53,  48,  5,   4,   42,  24,  153, 1,   4,   5,
    20,  5,   8,   173, 1,   7,   181, 10,  4,   17,  8,   29,  4,   5,   4,   17,  8,   165, 1,
    4,   17,  8,   133, 1,   4,   17,  8,   29,  4,   5,   4,   17,  8,   61,  4,   229, 1,   4,
    17,  8,   141, 2,   20,  39,  82,  12,  65,  64,  217, 2,   8,   25,  8,   7,   177, 19,  4,
    7,   69,  4,   105, 11,  12,  173, 2,   15,  14,  33,  28,  73,  52,  77,  12,  11,  36,  73,
    56,  53,  4,   13,  60,  209, 1,   128, 1,   15,  5,   15,  4,   5,   12,  42,  24,  42,  24,
    47,  20,  42,  24,  229, 2,   28,  21,  8,   137, 1,   4,   5,   20,  153, 2,   40,  125, 148,
    1,   11,  42,  121, 8,   21,  44,  177, 1,   16,  105, 24,  46,  148, 1,   93,  28,  11,  213,
    1,   172, 1,   42,  24,  42,  24,  31,  5,   27,  220, 2,   189, 1,   68,  33,  12,  42,  31,
    112, 11,  16,  121, 52,  9,   42,  177, 1,   88,  19,  145, 1,   92,  23,  42,  12,  13,  42,
    145, 1,   11,  37,  28,  173, 1,   8,   13,  35,  44,  7,   84,  17,  4,   25,  4,   9,   12,
    5,   20,  129, 6,   128, 2,   217, 8,   8,   25,  8,   153, 1,   8,   25,  8,   33,  4,   5,
    4,   5,   4,   5,   4,   125, 8,   213, 1,   4,   29,  4,   5,   12,  13,  4,   29,  12,  17,
    8,   25,  16,  53,  20,  13,  4,   29,  76,  99,  32,  83,  4,   55,  4,   51,  68,  6,   5,
    8,   26,  12,  11,  5,   42,  12,  11,  4,   53,  148, 3,   5,   16,  5,   8,   41,  4,   5,
    12,  21,  24,  5,   4,   5,   4,   5,   4,   17,  4,   45,  8,   17,  20,  21,  16,  5,   4,
    206, 1,   9,   22,  248, 11,  19,  116, 11,  212, 9,   242, 1,   184, 2,   90,  160, 19,  59,
    122, 196, 1,   11,  124, 43,  204, 12,  91,  252, 1,   19,  128, 1,   11,  136, 16,  149, 7,
    24,  17,  12,  9,   20,  19,  6,   11,  153, 1,   4,   5,   20,  5,   8,   225, 1,   28,  5,
    7,   60,  93,  36,  29,  4,   29,  4,   29,  4,   29,  4,   29,  4,   29,  4,   29,  4,   29,
    132, 1,   191, 1,   5,   131, 1,   8,   51,  140, 13,  15,  4,   9,   6,   43,  8,   51,  4,
    38,  24,  7,   21,  8,   14,  9,   7,   12,  217, 2,   24,  13,  7,   233, 2,   7,   17,  20,
    173, 1,   4,   249, 2,   12,  18,  40,  129, 1,   192, 1,   65,  128, 1,   42,  120, 34,  4,
    62,  128, 1,   42,  156, 1,   62,  128, 10,  129, 206, 1,   128, 2,   181, 180, 5,   140, 2,
    185, 1,   11,  181, 8,   15,  65,  42,  9,   80,  189, 1,   16,  7,   40,  7,   125, 8,   153,
    2,   42,  8,   27,  124, 37,  8,   157, 3,   8,   129, 2,   20,  9,   4,   5,   4,   21,  96,
    65,  4,   13,  4,   17,  4,   93,  52,  26,  40,  209, 1,   19,  40,  201, 1,   104, 11,  42,
    96,  25,  15,  5,   7,   9,   4,   42,  113, 32,  11,  93,  96,  7,   117, 28,  189, 1,   56,
    55,  4,   5,   42,  16,  11,  21,  4,   41,  42,  21,  4,   165, 1,   92,  13,  4,   33,  16,
    42,  8,   19,  93,  12,  5,   12,  201, 1,   4,   5,   12,  9,   8,   21,  8,   5,   4,   5,
    96,  13,  11,  45,  20,  11,  13,  48,  25,  8,   25,  8,   25,  36,  29,  4,   29,  4,   173,
    1,   4,   57,  24,  205, 3,   32,  7,   16,  42,  24,  145, 221, 2,   48,  93,  16,  197, 1,
    144, 136, 2,   185, 11,  8,   169, 3,   152, 1,   29,  48,  21,  20,  5,   4,   41,  4,   53,
    4,   21,  4,   5,   4,   9,   4,   9,   4,   177, 3,   132, 1,   173, 11,  11,  64,  129, 2,
    8,   217, 1,   160, 1,   49,  80,  43,  88,  143, 1,   4,   59,  4,   7,   16,  7,   4,   11,
    16,  21,  4,   157, 4,   16,  15,  4,   27,  4,   19,  42,  11,  12,  11,  105, 15,  4,   7,
    4,   105, 7,   4,   7,   4,   31,  229, 2,   12,  25,  8,   25,  8,   25,  8,   13,  140, 1,
    49,  4,   105, 4,   77,  4,   9,   4,   61,  8,   57,  136, 1,   237, 3,   20,  15,  16,  182,
    1,   48,  230, 1,   68,  10,  208, 7,   117, 12,  197, 1,   64,  110, 16,  129, 1,   18,  36,
    81,  6,   33,  6,   20,  153, 1,   40,  121, 4,   7,   145, 1,   16,  33,  7,   22,  168, 1,
    249, 4,   8,   42,  24,  145, 1,   16,  145, 1,   16,  161, 1,   32,  209, 1,   44,  7,   45,
    4,   61,  4,   29,  4,   9,   4,   45,  4,   61,  4,   29,  4,   9,   140, 2,   221, 9,   36,
    89,  40,  33,  96,  25,  4,   169, 1,   4,   37,  148, 2,   25,  8,   5,   4,   177, 1,   4,
    9,   12,  5,   8,   93,  4,   7,   34,  93,  8,   30,  125, 32,  38,  192, 1,   77,  4,   9,
    20,  22,  89,  26,  12,  7,   105, 20,  7,   128, 2,   225, 1,   16,  10,  9,   66,  8,   186,
    1,   5,   60,  17,  4,   13,  4,   117, 40,  38,  28,  39,  28,  117, 10,  7,   117, 14,  128,
    1,   33,  4,   113, 24,  22,  31,  36,  217, 1,   12,  31,  89,  8,   34,  77,  20,  34,  73,
    28,  19,  48,  30,  192, 2,   165, 2,   220, 1,   205, 1,   52,  205, 1,   28,  26,  145, 1,
    48,  42,  152, 9,   126, 4,   169, 1,   12,  7,   8,   9,   184, 2,   117, 42,  5,   32,  89,
    44,  18,  23,  88,  73,  16,  19,  152, 1,   85,  30,  80,  93,  48,  213, 1,   60,  31,  16,
    122, 4,   9,   8,   5,   52,  181, 1,   44,  11,  4,   19,  56,  101, 28,  42,  36,  145, 1,
    60,  42,  19,  5,   8,   5,   32,  141, 1,   4,   11,  5,   48,  193, 1,   56,  17,  19,  16,
    7,   8,   42,  5,   7,   5,   15,  4,   82,  44,  73,  4,   101, 48,  27,  4,   9,   252, 1,
    29,  4,   5,   4,   17,  4,   61,  4,   41,  7,   24,  189, 1,   68,  42,  44,  33,  8,   9,
    8,   89,  4,   29,  4,   9,   4,   21,  12,  5,   72,  5,   48,  21,  248, 4,   213, 1,   72,
    17,  23,  42,  11,  4,   7,   4,   13,  120, 193, 1,   80,  9,   7,   5,   32,  42,  152, 5,
    189, 1,   72,  95,  17,  144, 1,   193, 1,   68,  15,  5,   44,  42,  24,  55,  76,  173, 1,
    52,  5,   7,   24,  42,  216, 1,   109, 84,  50,  15,  4,   29,  228, 5,   177, 1,   60,  7,
    144, 3,   129, 2,   78,  48,  33,  8,   5,   8,   33,  4,   9,   4,   97,  60,  5,   4,   5,
    8,   15,  36,  42,  152, 2,   33,  8,   157, 1,   64,  5,   7,   5,   112, 5,   40,  161, 1,
    28,  5,   16,  35,  36,  5,   44,  185, 1,   64,  15,  5,   23,  52,  165, 2,   28,  43,  216,
    7,   37,  4,   149, 1,   68,  5,   23,  40,  118, 12,  11,  121, 192, 3,   29,  4,   9,   4,
    153, 1,   84,  5,   36,  42,  24,  25,  4,   9,   4,   129, 1,   56,  5,   28,  42,  216, 9,
    77,  16,  11,  36,  5,   4,   53,  4,   137, 1,   60,  55,  42,  216, 2,   5,   60,  86,  168,
    1,   7,   233, 28,  152, 3,   190, 3,   4,   23,  44,  145, 6,   176, 82,  133, 3,   11,  52,
    193, 33,  68,  25,  228, 125, 157, 18,  228, 141, 2,   229, 17,  28,  125, 4,   42,  16,  11,
    189, 2,   4,   42,  24,  121, 28,  7,   40,  193, 1,   28,  23,  16,  17,  7,   44,  42,  4,
    30,  4,   85,  20,  77,  192, 21,  129, 2,   94,  19,  148, 3,   173, 2,   20,  5,   136, 2,
    53,  128, 2,   9,   7,   5,   112, 225, 191, 1,   32,  217, 38,  168, 1,   37,  156, 151, 2,
    17,  4,   29,  4,   9,   4,   141, 9,   60,  5,   116, 13,  8,   5,   56,  17,  32,  177, 12,
    144, 72,  173, 3,   20,  53,  12,  37,  28,  41,  20,  7,   128, 177, 1,   82,  48,  82,  176,
    3,   102, 156, 4,   213, 2,   4,   157, 2,   4,   9,   8,   5,   8,   9,   8,   17,  4,   49,
    4,   5,   4,   29,  4,   133, 2,   4,   17,  8,   33,  4,   29,  4,   113, 4,   17,  4,   21,
    4,   5,   12,  29,  4,   209, 10,  8,   101, 4,   101, 4,   125, 4,   101, 4,   125, 4,   101,
    4,   125, 4,   101, 4,   125, 4,   101, 4,   33,  8,   202, 1,   156, 20,  23,  208, 35,  125,
    24,  25,  148, 8,   249, 1,   200, 4,   181, 1,   40,  29,  8,   42,  16,  5,   132, 10,  121,
    72,  177, 1,   16,  42,  216, 14,  113, 16,  42,  152, 23,  29,  4,   17,  4,   9,   4,   61,
    4,   149, 6,   8,   38,  192, 1,   145, 2,   28,  5,   16,  42,  16,  11,  196, 24,  238, 1,
    4,   14,  4,   18,  176, 2,   182, 1,   4,   62,  136, 6,   17,  4,   109, 4,   9,   4,   5,
    8,   5,   4,   41,  4,   17,  4,   5,   4,   5,   24,  5,   16,  5,   4,   5,   4,   5,   4,
    13,  4,   9,   4,   5,   8,   5,   4,   5,   4,   5,   4,   5,   4,   5,   4,   9,   4,   5,
    8,   17,  4,   29,  4,   17,  4,   17,  4,   5,   4,   41,  4,   69,  20,  13,  4,   21,  4,
    69,  144, 18,  54,  140, 87,  42,  152, 32,  129, 183, 10,  128, 1,   233, 129, 1,   24,  249,
    6,   8,   137, 180, 1,   56,  197, 233, 1,   60,  185, 19,  136, 77,  249, 16,  136, 47,  173,
    154, 1,   20,  129, 131, 1};

static const uint32_t synp_class_skip[56][2] = {
    {0x0, 0},        {0xB9, 34},      {0x38D, 68},     {0x60E, 106},    {0x7CA, 141},
    {0x93E, 177},    {0x9F2, 209},    {0xA8F, 241},    {0xB3A, 273},    {0xBD0, 305},
    {0xC92, 337},    {0xD79, 370},    {0xE8B, 404},    {0xF6D, 438},    {0x10C7, 474},
    {0x12D8, 510},   {0x1732, 547},   {0x18AB, 583},   {0x1B45, 623},   {0x1CE9, 659},
    {0x1FBE, 696},   {0x208A, 728},   {0x2183, 762},   {0x2CFE, 805},   {0x2E30, 841},
    {0x318F, 879},   {0xA674, 926},   {0xA874, 962},   {0xA9E6, 996},   {0xAAEB, 1030},
    {0xFA70, 1070},  {0xFE1A, 1110},  {0xFF5D, 1144},  {0x10179, 1182}, {0x104B0, 1221},
    {0x10786, 1259}, {0x10916, 1295}, {0x10AC0, 1331}, {0x10D3A, 1370}, {0x11070, 1407},
    {0x111C9, 1443}, {0x112F0, 1477}, {0x114B0, 1512}, {0x1173F, 1550}, {0x119E1, 1588},
    {0x11C6D, 1625}, {0x11F12, 1661}, {0x16A6A, 1708}, {0x16F51, 1746}, {0x1BC6B, 1790},
    {0x1D4C4, 1828}, {0x1D74F, 1862}, {0x1E2EC, 1903}, {0x1ECB5, 1942}, {0x1EE50, 1977},
    {0x1EE9C, 2009}};

static const unsigned char synp_cased_runs[204] = {
    130, 1,   53,  12, 53,  116, 3,   20,  47,  2,   63,  2,   135, 3,   2,   9,   8,   161, 3,
    2,   55,  128, 3,  9,   4,   5,   6,   7,   2,   3,   12,  3,   2,   7,   2,   3,   2,   41,
    2,   167, 1,   2,  151, 2,   16,  205, 2,   2,   77,  146, 45,  77,  180, 11,  173, 1,   4,
    13,  164, 34,  87, 4,   7,   128, 1,   89,  126, 27,  2,   69,  202, 1,   173, 4,   4,   13,
    4,   77,  4,   13, 4,   17,  2,   3,   2,   3,   2,   3,   2,   63,  4,   107, 2,   15,  2,
    3,   6,   7,   2,  15,  6,   9,   4,   13,  8,   27,  10,  7,   2,   15,  138, 4,   3,   8,
    3,   4,   21,  2,  3,   6,   11,  12,  3,   2,   3,   2,   3,   2,   9,   2,   13,  8,   3,
    4,   9,   10,  11, 8,   3,   104, 5,   246, 41,  249, 1,   4,   207, 1,   12,  9,   6,   5,
    152, 229, 3,   93, 36,  57,  140, 2,   157, 1,   2,   47,  6,   9,   194, 15,  161, 1,   128,
    189, 2,   15,  24, 11,  146, 16,  53,  12,  53,  202, 18,  161, 1,   192, 1,   73,  8,   73,
    136, 30,  103, 26, 103, 218, 46,  129, 1,   192, 192, 6,   137, 1};

typedef enum synp_char_kind { /* the first four are the classes of the table */
                              SYNP_OTHER,
                              SYNP_LETTER,
                              SYNP_NUMBER,
                              SYNP_PUNCT,
                              SYNP_SPACE,
                              SYNP_END
} synp_char_kind;

/* A run of code points [from, to) of one value: the last one found, since neighbours in
   a text are mostly of one script. */
typedef struct synp_class_run {
    uint32_t from, to;
    unsigned value;
} synp_class_run;

/* Goes from the run at data[at], which begins at code point `from`, to the one with the
   point. */
static void synp_class_find(synp_class_run *run, const unsigned char *data, size_t size, size_t at,
                            uint32_t from, unsigned classes, uint32_t point)
{
    run->from = run->to = from;
    run->value = 0;
    while (at < size) {
        uint32_t n = 0, shift = 0;
        do {
            n |= (uint32_t)(data[at] & 127) << shift;
            shift += 7;
        } while (data[at++] & 128);
        run->from = run->to;
        run->to += n / classes;
        run->value = n % classes;
        if (point < run->to) return;
    }
    run->from = run->to;
    run->to = SYNP_NONE;
    run->value = 0;
}

/* The text being cut and the runs last used. */
typedef struct synp_scan {
    const unsigned char *text;
    synp_class_run category, cased;
} synp_scan;

/* ASCII by arithmetic, the rest from the run last used or, when that is not it, from
   the table: a binary search for where to enter, then at most 32 runs. */
static synp_char_kind synp_char_kind_of(synp_scan *s, uint32_t c)
{
    /* bit c of ASCII punctuation (P, not S: $ + < = > ^ ` | ~ are symbols) */
    static const uint32_t punct[4] = {0, 0x8C00F7EEu, 0xB8000001u, 0x28000000u};
    if (c < 128) {
        uint32_t letter = (c | 32) - 'a';
        if (letter < 26) return SYNP_LETTER;
        if (c - '0' < 10u) return SYNP_NUMBER;
        if (synp_is_space(c)) return SYNP_SPACE;
        return punct[c >> 5] >> (c & 31) & 1 ? SYNP_PUNCT : SYNP_OTHER;
    }
    if (synp_is_space(c)) return SYNP_SPACE;
    if (c < s->category.from || c >= s->category.to) {
        size_t low = 0, high = sizeof synp_class_skip / sizeof synp_class_skip[0];
        while (high - low > 1) {
            size_t mid = (low + high) / 2;
            if (synp_class_skip[mid][0] <= c) low = mid;
            else high = mid;
        }
        synp_class_find(&s->category, synp_class_runs, sizeof synp_class_runs,
                        synp_class_skip[low][1], synp_class_skip[low][0], 4, c);
    }
    return (synp_char_kind)s->category.value;
}

/* The same for the cased letters; few texts need it, so their table is read from its
   start. */
static bool synp_is_cased(synp_scan *s, uint32_t c)
{
    if (c < s->cased.from || c >= s->cased.to)
        synp_class_find(&s->cased, synp_cased_runs, sizeof synp_cased_runs, 0, 0, 2, c);
    return s->cased.value != 0;
}

typedef struct synp_char {
    uint32_t point; /* SYNP_NONE at the end of the piece */
    synp_char_kind kind;
    size_t next; /* offset of the character after it */
} synp_char;

/* The character at an offset of the text; kind SYNP_END at the end of the piece. */
static synp_char synp_look(synp_scan *s, size_t at, size_t end)
{
    synp_char c;
    c.point = SYNP_NONE;
    c.kind = SYNP_END;
    c.next = at;
    if (at < end) {
        c.next = at + synp_utf8_get(s->text + at, end - at, &c.point);
        c.kind = synp_char_kind_of(s, c.point);
    }
    return c;
}

/* ---- pre-tokenizers. What cuts a text into words is a list of rules, applied in
   order. A rule cuts each piece that the rules before it left into its matches and the
   gaps between them. The originals are regular expressions; nearly all of them are runs
   of characters of one set, and those that are not (GPT-2's, Llama 3's, and those of Tekken
   and GPT-4o) are written out below. Each takes time linear in the text. A new pre-tokenizer is a
   row of synp_pre_rows and, where it cuts in a way of its own, a row of synp_rules. */

typedef enum synp_rule_kind {
    SYNP_RULE_END,
    SYNP_RULE_RUN,
    SYNP_RULE_GPT2,
    SYNP_RULE_LLAMA3,
    SYNP_RULE_CASE
} synp_rule_kind;

typedef enum synp_set {
    SYNP_SET_NUMBER,
    SYNP_SET_LETTER,
    SYNP_SET_PUNCT,
    SYNP_SET_SPACE,
    SYNP_SET_NEWLINE,
    SYNP_SET_DIGIT,     /* 0-9 */
    SYNP_SET_SIGN,      /* punctuation and $ + < = > ^ ~ | */
    SYNP_SET_SIGN_TICK, /* these and ` */
    SYNP_SET_CASED,     /* synp_cased_runs */
    SYNP_SET_MARK,      /* deepseek-llm's signs, A-Z and a-z among them */
    SYNP_SET_ASIAN      /* U+0800 - U+9FA5, U+AC00 - U+D7FF */
} synp_set;

typedef struct synp_rule {
    unsigned char kind;
    unsigned char set;  /* RUN: of the characters in this set */
    unsigned char lead; /* RUN: with one white space before it, if there is one */
    unsigned char min,
        max; /* RUN: this many (max 0: any number); LLAMA3, CASE: max numbers in a word */
    unsigned char at_end; /* RUN: only at the end of the piece; CASE: contractions end a word */
} synp_rule;

enum { SYNP_RULES = 7 }; /* at most six, and SYNP_RULE_END (0) after the last */

typedef enum synp_cut {
    SYNP_CUT_DEFAULT,
    SYNP_CUT_GPT2,
    SYNP_CUT_SMOLLM,
    SYNP_CUT_LLAMA3,
    SYNP_CUT_QWEN2,
    SYNP_CUT_DEEPSEEK_LLM,
    SYNP_CUT_DEEPSEEK_CODER,
    SYNP_CUT_FALCON,
    SYNP_CUT_TEKKEN,
    SYNP_CUT_GPT4O,
    SYNP_CUTS
} synp_cut;

#define SYNP_RUN(set, lead, min, max, at_end)                                                      \
    {                                                                                              \
        SYNP_RULE_RUN, set, lead, min, max, at_end                                                 \
    }
#define SYNP_GPT2                                                                                  \
    {                                                                                              \
        SYNP_RULE_GPT2, 0, 0, 0, 0, 0                                                              \
    }
#define SYNP_LLAMA3(numbers)                                                                       \
    {                                                                                              \
        SYNP_RULE_LLAMA3, 0, 0, 0, numbers, 0                                                      \
    }
#define SYNP_CASE(numbers, contractions)                                                           \
    {                                                                                              \
        SYNP_RULE_CASE, 0, 0, 0, numbers, contractions                                             \
    }

static const synp_rule synp_rules[SYNP_CUTS][SYNP_RULES] = {
    /* default */
    {SYNP_RUN(SYNP_SET_SIGN, 0, 1, 0, 0), SYNP_GPT2, SYNP_RUN(SYNP_SET_NUMBER, 0, 1, 0, 0),
     SYNP_RUN(SYNP_SET_DIGIT, 0, 3, 3, 0)},
    {SYNP_GPT2},
    /* smollm: each number alone, so that no space goes with it */
    {SYNP_RUN(SYNP_SET_NUMBER, 0, 1, 1, 0), SYNP_GPT2},
    {SYNP_LLAMA3(3)},
    {SYNP_LLAMA3(1)}, /* qwen2 */
    /* deepseek-llm: ASCII letters are both cased letters and marks, so a word of others between
       them is cut twice */
    {SYNP_RUN(SYNP_SET_NEWLINE, 0, 1, 1, 0), SYNP_RUN(SYNP_SET_CASED, 1, 1, 0, 0),
     SYNP_RUN(SYNP_SET_MARK, 1, 1, 0, 0), SYNP_RUN(SYNP_SET_SPACE, 0, 1, 0, 1),
     SYNP_RUN(SYNP_SET_ASIAN, 0, 1, 0, 0), SYNP_RUN(SYNP_SET_NUMBER, 0, 1, 0, 0)},
    /* deepseek-coder */
    {SYNP_RUN(SYNP_SET_NEWLINE, 0, 1, 1, 0), SYNP_RUN(SYNP_SET_LETTER, 1, 1, 0, 0),
     SYNP_RUN(SYNP_SET_PUNCT, 1, 1, 0, 0), SYNP_RUN(SYNP_SET_ASIAN, 0, 1, 0, 0),
     SYNP_RUN(SYNP_SET_NUMBER, 0, 1, 1, 0)},
    /* falcon */
    {SYNP_RUN(SYNP_SET_SIGN_TICK, 0, 1, 0, 0), SYNP_GPT2, SYNP_RUN(SYNP_SET_DIGIT, 0, 3, 3, 0)},
    {SYNP_CASE(1, 0)}, /* tekken */
    {SYNP_CASE(3, 1)}, /* gpt-4o */
};

#undef SYNP_CASE
#undef SYNP_RUN
#undef SYNP_GPT2
#undef SYNP_LLAMA3

/* The values of tokenizer.ggml.pre. Row 0 is for a file that has none. */
typedef struct synp_pre_row {
    const char *name;
    unsigned char cut;
    bool clean; /* whole texts lose spaces before punctuation: syn_detokenize */
    bool add_bos, ignore_merges;
} synp_pre_row;

static const synp_pre_row synp_pre_rows[] = {
    {"default", SYNP_CUT_DEFAULT, true, false, false},
    {"gpt-2", SYNP_CUT_GPT2, true, false, false},
    {"phi-2", SYNP_CUT_GPT2, true, false, false},
    {"olmo", SYNP_CUT_GPT2, true, false, false},
    {"mellum", SYNP_CUT_GPT2, true, false, false},
    {"a.x-4.0", SYNP_CUT_GPT2, true, false, false},
    {"gigachat", SYNP_CUT_GPT2, true, false, false},
    {"mpt", SYNP_CUT_GPT2, true, false, false},
    {"smollm", SYNP_CUT_SMOLLM, false, false, false},
    {"starcoder", SYNP_CUT_SMOLLM, true, false, false},
    {"refact", SYNP_CUT_SMOLLM, true, false, false},
    {"command-r", SYNP_CUT_SMOLLM, false, false, false},
    {"llama-bpe", SYNP_CUT_LLAMA3, true, true, true},
    {"llama3", SYNP_CUT_LLAMA3, true, true, true},
    {"llama-v3", SYNP_CUT_LLAMA3, true, true, true},
    {"falcon3", SYNP_CUT_LLAMA3, true, true, true},
    {"pixtral", SYNP_CUT_LLAMA3, true, true, true},
    {"midm-2.0", SYNP_CUT_LLAMA3, true, true, true},
    {"dbrx", SYNP_CUT_LLAMA3, true, false, false},
    {"smaug-bpe", SYNP_CUT_LLAMA3, true, false, false},
    {"qwen2", SYNP_CUT_QWEN2, false, false, false},
    {"deepseek-r1-qwen", SYNP_CUT_QWEN2, false, false, false},
    {"kormo", SYNP_CUT_QWEN2, false, false, false},
    {"stablelm2", SYNP_CUT_QWEN2, true, false, false},
    {"deepseek-llm", SYNP_CUT_DEEPSEEK_LLM, false, false, false},
    {"deepseek-coder", SYNP_CUT_DEEPSEEK_CODER, false, false, false},
    {"falcon", SYNP_CUT_FALCON, true, false, false},
    {"tekken", SYNP_CUT_TEKKEN, false, true, true},
    {"gpt-4o", SYNP_CUT_GPT4O, false, false, false},
    {"llama4", SYNP_CUT_GPT4O, false, false, false},
    {"kanana2", SYNP_CUT_GPT4O, false, false, false},
    {"talkie", SYNP_CUT_GPT4O, false, false, false},
};

enum { SYNP_PRE_ROWS = (int)(sizeof synp_pre_rows / sizeof synp_pre_rows[0]) };

SYN_API const char *syn_tokenizer_pre_name(size_t i)
{
    return i < (size_t)SYNP_PRE_ROWS ? synp_pre_rows[i].name : NULL;
}

/* [\p{P}$+<=>^~|] */
static bool synp_is_sign(const synp_char *c)
{
    uint32_t p = c->point;
    return c->kind == SYNP_PUNCT || p == '$' || p == '+' || (p >= '<' && p <= '>') || p == '^' ||
           p == '~' || p == '|';
}

static bool synp_in_set(synp_scan *s, const synp_char *c, unsigned set)
{
    uint32_t p = c->point;
    if (c->kind == SYNP_END) return false;
    switch (set) {
    case SYNP_SET_NUMBER: return c->kind == SYNP_NUMBER;
    case SYNP_SET_LETTER: return c->kind == SYNP_LETTER;
    case SYNP_SET_PUNCT: return c->kind == SYNP_PUNCT;
    case SYNP_SET_SPACE: return c->kind == SYNP_SPACE;
    case SYNP_SET_NEWLINE: return p == '\r' || p == '\n';
    case SYNP_SET_DIGIT: return p >= '0' && p <= '9';
    case SYNP_SET_SIGN: return synp_is_sign(c);
    case SYNP_SET_SIGN_TICK: return p == '`' || synp_is_sign(c);
    case SYNP_SET_CASED: return synp_is_cased(s, p);
    case SYNP_SET_MARK:
        return (p >= 0x21 && p <= 0x2F) || (p >= 0x3A && p <= 0x7E) ||
               (p >= 0xFF01 && p <= 0xFF0F) || (p >= 0xFF1A && p <= 0xFF5E) ||
               (p >= 0x2018 && p <= 0x201F) || (p >= 0x3000 && p <= 0x3002);
    default: return (p >= 0x800 && p <= 0x9FA5) || (p >= 0xAC00 && p <= 0xD7FF);
    }
}

/* The first match of a RUN rule at or after `at`: returns its end, *from its start;
   both are `end` where there is none. A run that does not qualify holds no other match:
   it is passed whole. */
static size_t synp_match_run(synp_scan *s, const synp_rule *rule, size_t at, size_t end,
                             size_t *from)
{
    while (at < end) {
        synp_char c = synp_look(s, at, end);
        size_t start = at, n = 0;
        if (!synp_in_set(s, &c, rule->set)) {
            at = c.next;
            if (!rule->lead || c.kind != SYNP_SPACE) continue;
            c = synp_look(s, at, end);
            if (!synp_in_set(s, &c, rule->set)) continue;
        }
        do {
            at = c.next;
            n++;
            if (n == rule->max) break;
            c = synp_look(s, at, end);
        } while (synp_in_set(s, &c, rule->set));
        if (n >= rule->min && (!rule->at_end || at == end)) {
            *from = start;
            return at;
        }
    }
    *from = end;
    return end;
}

/* 's 't 'm 'd 're 've 'll at an apostrophe: their bytes, or 0. */
static size_t synp_contraction(const synp_scan *s, size_t at, size_t end, unsigned any_case)
{
    const unsigned char *p = s->text + at;
    unsigned fold = any_case ? 0x20 : 0, a, b;
    if (end - at < 2) return 0;
    a = p[1] | fold;
    if (a == 's' || a == 't' || a == 'm' || a == 'd') return 2;
    if (end - at < 3) return 0;
    b = p[2] | fold;
    return (a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l') ? 3 : 0;
}

/* Letters, numbers, or all else that is no white space: these do not share a word. */
static synp_char_kind synp_word_kind(synp_char_kind kind)
{
    return kind == SYNP_PUNCT ? SYNP_OTHER : kind;
}

/* The end of a run of the kind of c, at most `max` characters (0: any number). */
static size_t synp_same_kind(synp_scan *s, synp_char c, size_t end, unsigned max)
{
    synp_char_kind kind = synp_word_kind(c.kind);
    size_t at;
    unsigned n = 0;
    do {
        at = c.next;
        if (++n == max) break;
        c = synp_look(s, at, end);
    } while (synp_word_kind(c.kind) == kind);
    return at;
}

/* White space from `at` on: all of it at the end of the piece, else all but the last
   character, which is left to the next word, but at least one. With newlines: up to the
   last newline. */
static size_t synp_match_space(synp_scan *s, size_t at, size_t end, bool newlines)
{
    size_t last = at, newline = 0, next = at;
    synp_char c = synp_look(s, at, end);
    while (c.kind == SYNP_SPACE) {
        last = next;
        next = c.next;
        if (c.point == '\r' || c.point == '\n') newline = next;
        c = synp_look(s, next, end);
    }
    if (newlines && newline) return newline;
    return next == end || last == at ? next : last;
}

/* 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+ */
static size_t synp_match_gpt2(synp_scan *s, size_t at, size_t end)
{
    synp_char c = synp_look(s, at, end);
    size_t n = c.point == '\'' ? synp_contraction(s, at, end, 0) : 0;
    if (n) return at + n;
    if (c.point == ' ') {
        synp_char next = synp_look(s, c.next, end);
        if (next.kind != SYNP_SPACE && next.kind != SYNP_END) c = next;
    }
    return c.kind == SYNP_SPACE ? synp_match_space(s, at, end, false)
                                : synp_same_kind(s, c, end, 0);
}

/* What follows the words of letters: \p{N}{1,numbers}| ?[^\s\p{L}\p{N}]+[\r\n]*
   |\s*[\r\n]+|\s+(?!\S)|\s+ ; with `slash` signs take '/' behind newlines, too. */
static size_t synp_match_signs(synp_scan *s, size_t at, size_t end, unsigned numbers, bool slash)
{
    synp_char c = synp_look(s, at, end), next;
    if (c.kind == SYNP_NUMBER) return synp_same_kind(s, c, end, numbers);
    next = synp_look(s, c.next, end);
    if (c.point == ' ' && synp_word_kind(next.kind) == SYNP_OTHER) c = next;
    if (c.kind == SYNP_SPACE) return synp_match_space(s, at, end, true);
    at = synp_same_kind(s, c, end, 0);
    while (at < end &&
           (s->text[at] == '\r' || s->text[at] == '\n' || (slash && s->text[at] == '/')))
        at++;
    return at;
}

/* Where letters begin, of a word [^\r\n\p{L}\p{N}]?\p{L}... at `at`; kind is another where none
   do. */
static synp_char synp_word_letters(synp_scan *s, size_t at, size_t end, size_t *from)
{
    synp_char c = synp_look(s, at, end);
    *from = at;
    if (c.kind == SYNP_LETTER || c.kind == SYNP_NUMBER || c.point == '\r' || c.point == '\n')
        return c;
    *from = c.next;
    return synp_look(s, c.next, end);
}

/* (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|... */
static size_t synp_match_llama3(synp_scan *s, size_t at, size_t end, unsigned numbers)
{
    synp_char c = synp_look(s, at, end);
    size_t n = c.point == '\'' ? synp_contraction(s, at, end, 1) : 0, from;
    if (n) return at + n;
    c = synp_word_letters(s, at, end, &from);
    if (c.kind == SYNP_LETTER) return synp_same_kind(s, c, end, 0);
    return synp_match_signs(s, at, end, numbers, false);
}

/* U*L+|U+L* over a run of letters: U are all but a-z, L all but A-Z, so that letters that are not
   ASCII are both. The U go as far as they can; with no L behind them the last that is both must be
   it, and where there is none the second form has them all. */
static size_t synp_case_run(synp_scan *s, size_t at, size_t end)
{
    synp_char c = synp_look(s, at, end);
    size_t both = 0;
    for (; c.kind == SYNP_LETTER && !(c.point >= 'a' && c.point <= 'z');
         c = synp_look(s, at, end)) {
        at = c.next;
        if (c.point >= 128) both = at;
    }
    if (c.kind != SYNP_LETTER) return both ? both : at;
    for (; c.kind == SYNP_LETTER && !(c.point >= 'A' && c.point <= 'Z'); c = synp_look(s, at, end))
        at = c.next;
    return at;
}

/* [^\r\n\p{L}\p{N}]?(U*L+|U+L*), with (?i:'s|'t|'re|'ve|'m|'ll|'d)? behind it for GPT-4o, |... */
static size_t synp_match_case(synp_scan *s, size_t at, size_t end, unsigned numbers,
                              bool contractions)
{
    size_t from;
    if (synp_word_letters(s, at, end, &from).kind != SYNP_LETTER)
        return synp_match_signs(s, at, end, numbers, true);
    at = synp_case_run(s, from, end);
    if (contractions && at < end && s->text[at] == '\'') at += synp_contraction(s, at, end, 1);
    return at;
}

/* The first match of any rule at or after `at`; all but runs match everywhere. */
static size_t synp_rule_match(synp_scan *s, const synp_rule *rule, size_t at, size_t end,
                              size_t *from)
{
    *from = at;
    if (rule->kind == SYNP_RULE_GPT2) return synp_match_gpt2(s, at, end);
    if (rule->kind == SYNP_RULE_LLAMA3) return synp_match_llama3(s, at, end, rule->max);
    if (rule->kind == SYNP_RULE_CASE)
        return synp_match_case(s, at, end, rule->max, rule->at_end != 0);
    return synp_match_run(s, rule, at, end, from);
}

typedef struct synp_cut_level {
    size_t at, end;  /* what is left of the piece */
    size_t from, to; /* the next match in it, when found */
    bool found;
} synp_cut_level;

/* The rules at work: level k cuts the piece that level k - 1 gave it. */
typedef struct synp_cutter {
    synp_scan scan;
    const synp_rule *rules;
    int depth;
    synp_cut_level level[SYNP_RULES];
} synp_cutter;

static void synp_cutter_start(synp_cutter *cutter, const synp_rule *rules,
                              const unsigned char *text, size_t n)
{
    memset(cutter, 0, sizeof *cutter);
    cutter->scan.text = text;
    cutter->rules = rules;
    cutter->level[0].end = n;
}

/* The next word [*from, *to) of the text; false at its end. */
static bool synp_cutter_next(synp_cutter *cutter, size_t *from, size_t *to)
{
    for (;;) {
        synp_cut_level *level = &cutter->level[cutter->depth];
        if (level->at >= level->end) {
            if (!cutter->depth--) return false;
            continue;
        }
        if (!level->found)
            level->to = synp_rule_match(&cutter->scan, &cutter->rules[cutter->depth], level->at,
                                        level->end, &level->from);
        level->found = level->at < level->from; /* a gap first: the match is still to come */
        *from = level->at;
        *to = level->found ? level->from : level->to;
        level->at = *to;
        if (cutter->rules[cutter->depth + 1].kind == SYNP_RULE_END) return true;
        cutter->depth++;
        level++;
        level->at = *from;
        level->end = *to;
        level->found = false;
    }
}

/* ---- tokens and their types */

SYN_API int32_t syn_token_find(const syn_tokenizer *t, const char *text, size_t length)
{
    synp_key key = synp_key_of((const unsigned char *)text, length);
    uint32_t found;
    syn_status status = synp_index_find(&t->tokens, t->source, &key, &found, NULL);
    return status || found == SYNP_NONE ? -1 : (int32_t)found;
}

/* Tokens whose text tells what they are for, whatever their type says: some files have wrong types,
   and programs that run GGUF files go by the same texts. They are control tokens. */
static const struct synp_named_token {
    const char *text;
    bool ends; /* a generation ends with it */
} synp_named_tokens[] = {
    {"<|eot_id|>", true},
    {"<|im_end|>", true},
    {"<|end|>", true},
    {"<|return|>", true},
    {"<|call|>", true},
    {"<|flush|>", true},
    {"<|calls|>", true},
    {"<end_of_turn>", true},
    {"<|endoftext|>", true},
    {"</s>", true},
    {"<|eom_id|>", true},
    {"<EOT>", true},
    {"_<EOT>", true},
    {"[EOT]", true},
    {"[EOS]", true},
    {"<|end_of_text|>", true},
    {"<end_of_utterance>", true},
    {"<eos>", true},
    {"<turn|>", true},
    {"<|tool_response>", true},
    {"<\xEF\xBD\x9C"
     "end\xE2\x96\x81"
     "of\xE2\x96\x81sentence\xEF\xBD\x9C>",
     true},
    {"<|fim_pad|>", true},
    {"<fim-pad>", true},
    {"<fim_pad>", true},
    {"<PAD>", true},
    {"[PAD]", true},
    {"<|fim_repo|>", true},
    {"<|repo_name|>", true},
    {"<fim-repo>", true},
    {"<REPO>", true},
    {"<reponame>", true},
    {"<|file_sep|>", true},
    {"<|fim_prefix|>", false},
    {"<fim-prefix>", false},
    {"<fim_prefix>", false},
    {"<PRE>", false},
    {"\xE2\x96\x81<PRE>", false},
    {"<\xEF\xBD\x9C"
     "fim\xE2\x96\x81"
     "begin\xEF\xBD\x9C>",
     false},
    {"<|fim_suffix|>", false},
    {"<fim-suffix>", false},
    {"<fim_suffix>", false},
    {"<SUF>", false},
    {"\xE2\x96\x81<SUF>", false},
    {"<\xEF\xBD\x9C"
     "fim\xE2\x96\x81hole\xEF\xBD\x9C>",
     false},
    {"<|fim_middle|>", false},
    {"<fim-middle>", false},
    {"<fim_middle>", false},
    {"<MID>", false},
    {"\xE2\x96\x81<MID>", false},
    {"<\xEF\xBD\x9C"
     "fim\xE2\x96\x81"
     "end\xEF\xBD\x9C>",
     false},
};

/* Two lists in the tokenizer, of a few ids each, without duplicates. */
static bool synp_listed(const int32_t *list, uint32_t n, int32_t id)
{
    uint32_t i;
    for (i = 0; i < n; i++)
        if (list[i] == id) return true;
    return false;
}

static void synp_list(int32_t *list, uint32_t *n, uint32_t capacity, int32_t id)
{
    if (id >= 0 && *n < capacity && !synp_listed(list, *n, id)) list[(*n)++] = id;
}

/* A 32-bit value of a per-token array, `absent` when the file has no such array. */
static syn_status synp_token_u32(const syn_tokenizer *t, uint64_t at, uint32_t id, uint32_t absent,
                                 uint32_t *value, syn_error *err)
{
    unsigned char raw[4];
    const unsigned char *p = at ? synp_source_at(t->source, at + (uint64_t)id * 4, 4) : NULL;
    syn_status status = SYN_OK;
    *value = absent;
    if (!at) return SYN_OK;
    if (!p) {
        status = synp_source_read(t->source, at + (uint64_t)id * 4, raw, sizeof raw, err);
        if (status) return status;
        p = raw;
    }
    *value = synp_u32(p);
    return SYN_OK;
}

/* Types that are not known count as normal. */
static syn_status synp_token_type_get(const syn_tokenizer *t, uint32_t id, syn_token_type *type,
                                      syn_error *err)
{
    uint32_t value = SYN_TOKEN_NORMAL;
    syn_status status = SYN_OK;
    if (synp_listed(t->control, t->controls, (int32_t)id)) value = SYN_TOKEN_CONTROL;
    else status = synp_token_u32(t, t->types_at, id, SYN_TOKEN_NORMAL, &value, err);
    if (value < SYN_TOKEN_NORMAL || value > SYN_TOKEN_BYTE) value = SYN_TOKEN_NORMAL;
    *type = (syn_token_type)value;
    return status;
}

SYN_API syn_token_type syn_token_type_of(const syn_tokenizer *t, int32_t id)
{
    syn_token_type type = SYN_TOKEN_NORMAL;
    if (id >= 0 && id < t->size && synp_token_type_get(t, (uint32_t)id, &type, NULL))
        type = SYN_TOKEN_NORMAL;
    return type;
}

SYN_API bool syn_token_is_end(const syn_tokenizer *t, int32_t id)
{
    return synp_listed(t->end, t->ends, id);
}

/* Flags that a call does not use are allowed, unknown ones are not. */
static syn_status synp_token_flags_check(syn_token_flags flags, syn_error *err)
{
    const syn_token_flags all = 2 * (unsigned)SYN_CHAT_CLOSED - 1;
    if (!(flags & ~all)) return SYN_OK;
    return synp_fail(err, SYN_ERROR_ARGUMENT, "token flags %u, at most %u (all of them)",
                     SYNP_U(flags), SYNP_U(all));
}

/* ---- the state of one call of syn_tokenize. Measuring and tokenizing are one path:
   the first stops where a word's work memory has been taken. */

typedef struct synp_tokenizing {
    const syn_tokenizer *t;
    const unsigned char *text;
    size_t length;
    syn_token_flags flags;
    int32_t *ids; /* (capacity), or NULL to count */
    size_t capacity, count;
    syn_arena *arena;
    size_t start, peak; /* bytes of the arena in use before, and at most */
    syn_error *err;
    syn_status status; /* the first failure; look-ups after it find nothing */
    /* the word being merged: `n` bytes as the vocabulary writes them, see synp_word_merge */
    unsigned char *bytes;
    uint32_t n, pairs;
    uint64_t *heap;
    uint32_t *where, *span;
} synp_tokenizing;

/* Ids beyond the capacity are counted, so that the error can say how many there are. */
static void synp_emit(synp_tokenizing *w, int32_t id)
{
    if (w->ids && w->count < w->capacity) w->ids[w->count] = id;
    w->count++;
}

/* A look-up that keeps the first failure, so that callers need not check each one. */
static uint32_t synp_find(synp_tokenizing *w, const syn_string_index *index, const synp_key *key)
{
    uint32_t found = SYNP_NONE;
    if (!w->status) w->status = synp_index_find(index, w->t->source, key, &found, w->err);
    return w->status ? SYNP_NONE : found;
}

/* ---- special tokens. Longest first, over the whole text: a token found is a border
   for all shorter ones; of equal length the leftmost. So one that begins first can lose
   to a longer one that begins inside it. Nothing is remembered: what lies behind a
   border does not matter, and the next token from a border on is found by looking only
   as far as a longer one could reach back. */

/* Where special_reach has the two bytes; pairs that share an entry cost time only. */
static unsigned synp_pair_slot(unsigned a, unsigned b)
{
    return (a * 33 + b) & 1023;
}

/* The word of special_bits that has the bit (hash & 31) of this hash. */
static uint32_t *synp_special_word(const syn_tokenizer *t, uint32_t hash)
{
    return t->special_bits + synp_hash_slot(hash, t->tokens.count / 32 + 1);
}

/* The longest special token of more than `least` bytes at `at`, ending by `limit`: its
   bytes, 0 when there is none. Every prefix's hash comes on the way to the longest. */
static size_t synp_special_at(synp_tokenizing *w, size_t at, size_t limit, size_t least,
                              uint32_t *id)
{
    const syn_tokenizer *t = w->t;
    const unsigned char *p = w->text + at;
    size_t n, reach = limit - at, best = 0;
    uint32_t hash = SYNP_HASH_SEED;
    if (at + 1 < w->length) {
        size_t r = t->special_reach[synp_pair_slot(p[0], p[1])];
        if (r < reach) reach = r;
    }
    if (reach > SYN_SPECIAL_BYTES) reach = SYN_SPECIAL_BYTES;
    if (reach <= least) return 0;
    for (n = 1; n <= reach && !w->status; n++) {
        synp_key key = synp_key_of(p, n);
        uint32_t found, whole;
        syn_token_type type;
        hash = synp_hash_byte(hash, p[n - 1]);
        if (n <= least || !(t->special_lengths[n >> 5] >> (n & 31) & 1)) continue;
        whole = synp_hash_end(hash);
        if (!(*synp_special_word(t, whole) >> (whole & 31) & 1)) continue;
        w->status = synp_index_find_hashed(&t->tokens, t->source, &key, whole, &found, w->err);
        if (w->status || found == SYNP_NONE) continue;
        w->status = synp_token_type_get(t, found, &type, w->err);
        if (type != SYN_TOKEN_USER && !(w->flags & SYN_PARSE_SPECIAL)) continue;
        if (type < SYN_TOKEN_UNKNOWN || type > SYN_TOKEN_USER) continue;
        best = n;
        *id = found;
    }
    return w->status ? 0 : best;
}

/* The first special token that counts at or after `at`, a border: its bytes (0: none), *from. Of
   the tokens that touch the first one, the longest (leftmost of these) is certain: nothing longer
   overlaps it. It becomes the limit, and what is left of it is searched again, until the certain
   one is the first. Lengths fall from round to round. */
static size_t synp_special_next(synp_tokenizing *w, size_t at, size_t *from, uint32_t *id)
{
    size_t limit = w->length, length = 0;
    *from = limit;
    for (;;) {
        size_t first, best, n = 0, longest, end, i;
        uint32_t found, other;
        for (first = at; first < limit; first++) {
            n = synp_special_at(w, first, limit, 0, &found);
            if (n) break;
        }
        if (!n) return length;
        best = first;
        longest = n;
        end = first + n;
        for (i = first + 1; i < end; i++) {
            size_t m = synp_special_at(w, i, limit, longest, &other);
            if (!m) continue;
            best = i; /* longer, so it reaches further, too */
            longest = m;
            end = i + m;
            found = other;
        }
        *from = best;
        *id = found;
        length = longest;
        if (best == first) return length;
        at = first;
        limit = best;
    }
}

/* ---- merging. The word stands in `bytes` as the vocabulary writes it, cut into
   symbols, at first its characters. span[first byte of a symbol] = its last byte and
   the other way round, which is all that a list of neighbours needs. A pair of
   neighbours is known by the first byte of its left symbol. The heap holds order << 32
   | left for each pair that can merge, so that its top is the leftmost of the pairs to
   merge first; where[left] is its place there (SYNP_NONE: cannot merge). Every merge
   costs two look-ups and moves three pairs: n log n in all, for a word of any length. */

enum { SYNP_WORK_BYTES = 8 + 4 + 4 + 1 }; /* a byte of a word */

/* Puts a pair at a place and remembers where. */
static void synp_heap_put(synp_tokenizing *w, uint32_t at, uint64_t pair)
{
    w->heap[at] = pair;
    w->where[(uint32_t)pair] = at;
}

/* Moves `pair` from the free place `at` up or down to where it belongs. */
static void synp_heap_settle(synp_tokenizing *w, uint32_t at, uint64_t pair)
{
    while (at && pair < w->heap[(at - 1) / 2]) {
        synp_heap_put(w, at, w->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= w->pairs) break;
        if (child + 1 < w->pairs && w->heap[child + 1] < w->heap[child]) child++;
        if (pair <= w->heap[child]) break;
        synp_heap_put(w, at, w->heap[child]);
        at = child;
    }
    synp_heap_put(w, at, pair);
}

/* Takes a pair out; the last one fills its place. */
static void synp_heap_remove(synp_tokenizing *w, uint32_t left)
{
    uint32_t at = w->where[left];
    if (at == SYNP_NONE) return;
    w->where[left] = SYNP_NONE;
    if (at != --w->pairs) synp_heap_settle(w, at, w->heap[w->pairs]);
}

/* Highest score first, as an order that ascends: the bits of a float, sign taken into
   account. */
static uint32_t synp_score_order(uint32_t bits)
{
    if (bits == 0x80000000u) bits = 0; /* -0 is 0 */
    return bits & 0x80000000u ? bits : ~bits & 0x7FFFFFFFu;
}

/* Whether the pair of symbols [left, right) [right, end) can merge, and in which order: the rank of
   its merge, or the order of the score of the joined token. */
static bool synp_pair_order(synp_tokenizing *w, uint32_t left, uint32_t right, uint32_t end,
                            uint32_t *order)
{
    synp_key key = synp_key_of(w->bytes + left, end - left);
    uint32_t bits;
    if (w->t->kind == SYN_TOKENIZER_BPE) {
        key.left_bytes = right - left;
        key.right = w->bytes + right;
        key.right_bytes = end - right;
        *order = synp_find(w, &w->t->merges, &key);
        return *order != SYNP_NONE;
    }
    *order = synp_find(w, &w->t->tokens, &key);
    if (*order == SYNP_NONE) return false;
    w->status = synp_token_u32(w->t, w->t->scores_at, *order, 0, &bits, w->err);
    *order = synp_score_order(bits);
    return !w->status;
}

/* Enters, moves or removes the pair whose left symbol begins at `left`. */
static void synp_pair_update(synp_tokenizing *w, uint32_t left)
{
    uint32_t right = w->span[left] + 1, order;
    if (right >= w->n || !synp_pair_order(w, left, right, w->span[right] + 1, &order)) {
        synp_heap_remove(w, left);
        return;
    }
    synp_heap_settle(w, w->where[left] == SYNP_NONE ? w->pairs++ : w->where[left],
                     (uint64_t)order << 32 | left);
}

/* Bytes of the character at `at` by its lead byte alone, cut at the end of the word. */
static uint32_t synp_char_bytes(const synp_tokenizing *w, uint32_t at)
{
    unsigned lead = w->bytes[at];
    uint32_t n = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    return n < w->n - at ? n : w->n - at;
}

/* All merges of the word; `span` then holds its final symbols. */
static void synp_word_merge(synp_tokenizing *w)
{
    uint32_t i, n;
    w->pairs = 0;
    for (i = 0; i < w->n; i += n) {
        n = synp_char_bytes(w, i);
        w->span[i] = i + n - 1;
        w->span[i + n - 1] = i;
        w->where[i] = SYNP_NONE;
    }
    for (i = 0; i < w->n; i = w->span[i] + 1) synp_pair_update(w, i);
    while (w->pairs && !w->status) {
        uint32_t left = (uint32_t)w->heap[0], right = w->span[left] + 1, last = w->span[right];
        synp_heap_remove(w, right); /* the right symbol goes up in the left one */
        w->span[left] = last;
        w->span[last] = left;
        synp_pair_update(w, left);
        if (left) synp_pair_update(w, w->span[left - 1]);
    }
}

/* A symbol that is no token. BPE: each byte of it that is a token. SentencePiece: byte
   tokens, or the tokens of these bytes as text, or the unknown token. */
static void synp_emit_bytes(synp_tokenizing *w, uint32_t at, uint32_t end)
{
    static const char digit[] = "0123456789ABCDEF";
    for (; at < end; at++) {
        unsigned char name[6] = {'<', '0', 'x', 0, 0, '>'};
        synp_key key = synp_key_of(name, sizeof name), byte = synp_key_of(w->bytes + at, 1);
        uint32_t id = SYNP_NONE;
        name[3] = (unsigned char)digit[w->bytes[at] >> 4];
        name[4] = (unsigned char)digit[w->bytes[at] & 15];
        if (w->t->kind == SYN_TOKENIZER_SPM) id = synp_find(w, &w->t->tokens, &key);
        if (id == SYNP_NONE) id = synp_find(w, &w->t->tokens, &byte);
        if (id != SYNP_NONE) synp_emit(w, (int32_t)id);
        else if (w->t->kind == SYN_TOKENIZER_SPM && w->t->unk >= 0) synp_emit(w, w->t->unk);
    }
}

/* The tokens of the word. */
static void synp_word_emit(synp_tokenizing *w)
{
    uint32_t i;
    if (w->t->ignore_merges) {
        synp_key word = synp_key_of(w->bytes, w->n);
        uint32_t id = synp_find(w, &w->t->tokens, &word);
        if (id != SYNP_NONE) {
            synp_emit(w, (int32_t)id);
            return;
        }
    }
    synp_word_merge(w);
    for (i = 0; i < w->n && !w->status; i = w->span[i] + 1) {
        uint32_t end = w->span[i] + 1;
        synp_key symbol = synp_key_of(w->bytes + i, end - i);
        uint32_t id = synp_find(w, &w->t->tokens, &symbol);
        if (id != SYNP_NONE) synp_emit(w, (int32_t)id);
        else synp_emit_bytes(w, i, end);
    }
}

/* ---- words as the vocabulary writes them */

/* GPT-2's alphabet: printable bytes stand for themselves, the other 68, in order, are
   U+0100 on. */
static uint32_t synp_alphabet_of(unsigned byte)
{
    if (byte < 0x21) return 0x100 + byte;
    if (byte < 0x7F) return byte;
    if (byte < 0xA1) return 0x121 + (byte - 0x7F);
    return byte == 0xAD ? 0x143 : byte;
}

/* The byte that a character of the alphabet stands for; -1: not of the alphabet. */
static int synp_alphabet_byte(uint32_t point)
{
    int byte = point < 0x100   ? (int)point
               : point < 0x121 ? (int)point - 0x100
               : point < 0x143 ? (int)point - 0x121 + 0x7F
                               : 0xAD;
    return point <= 0x143 && synp_alphabet_of((unsigned)byte) == point ? byte : -1;
}

/* The word in the alphabet, re-encoded from its code points; returns its bytes. `to`
   NULL: only counts. */
static size_t synp_write_bpe(const unsigned char *text, size_t length, unsigned char *to)
{
    size_t i = 0, n = 0;
    while (i < length) {
        unsigned char utf8[4], out[4];
        uint32_t point;
        unsigned k, bytes;
        i += synp_utf8_get(text + i, length - i, &point);
        bytes = synp_utf8_put(point, utf8);
        for (k = 0; k < bytes; k++) {
            unsigned m = synp_utf8_put(synp_alphabet_of(utf8[k]), out);
            if (to) memcpy(to + n, out, m);
            n += m;
        }
    }
    return n;
}

/* The text with each space, and one more before it if asked for, as U+2581. */
static size_t synp_write_spm(const unsigned char *text, size_t length, bool space,
                             unsigned char *to)
{
    size_t i, n = 0;
    for (i = space ? (size_t)0 : 1; i <= length; i++) {
        unsigned char c = i ? text[i - 1] : ' ';
        if (c != ' ') {
            if (to) to[n] = c;
            n++;
        } else {
            if (to) memcpy(to + n, "\xE2\x96\x81", 3);
            n += 3;
        }
    }
    return n;
}

/* One word: takes work memory, merges, emits, gives the memory back. */
static void synp_word(synp_tokenizing *w, const unsigned char *text, size_t length, bool space)
{
    bool bpe = w->t->kind == SYN_TOKENIZER_BPE;
    void *work;
    size_t n = bpe ? synp_write_bpe(text, length, NULL) : synp_write_spm(text, length, space, NULL);
    w->status = synp_take(w->arena, n, SYNP_WORK_BYTES, "tokenizing a word", &work, w->err);
    if (w->status) return;
    if (w->arena->used > w->peak) w->peak = w->arena->used;
    w->arena->used = w->start;
    if (!work) return;
    w->n = (uint32_t)n;
    w->heap = (uint64_t *)work;
    w->where = (uint32_t *)(w->heap + n);
    w->span = w->where + n;
    w->bytes = (unsigned char *)(w->span + n);
    if (bpe) synp_write_bpe(text, length, w->bytes);
    else synp_write_spm(text, length, space, w->bytes);
    synp_word_emit(w);
}

/* A stretch of text without special tokens. */
static bool synp_is_ascii_space(unsigned char c)
{
    return c == ' ' || (c >= 9 && c <= 13);
}

static bool synp_strips_right(const syn_tokenizer *t, int32_t id)
{
    return t->strips_right && id != t->keeps_right[0] && id != t->keeps_right[1] &&
           id != t->keeps_right[2];
}

static void synp_fragment(synp_tokenizing *w, size_t from, size_t to, bool after_special)
{
    const unsigned char *text = w->text + from;
    synp_cutter cutter;
    size_t a, b;
    if (w->t->kind == SYN_TOKENIZER_SPM) {
        synp_word(w, text, to - from, w->t->add_space_prefix && after_special);
        return;
    }
    synp_cutter_start(&cutter, synp_rules[synp_pre_rows[w->t->pre].cut], text, to - from);
    while (!w->status && synp_cutter_next(&cutter, &a, &b)) synp_word(w, text + a, b - a, false);
}

SYN_API syn_status syn_tokenize(const syn_tokenizer *t, const char *text, size_t length,
                                syn_token_flags flags, int32_t *ids, size_t capacity, size_t *count,
                                syn_arena *work, syn_error *err)
{
    synp_tokenizing w;
    size_t at = 0;
    bool ends = !(flags & SYN_NO_BOS), measuring = synp_measuring(work);
    synp_succeed(err);
    *count = 0;
    if (synp_token_flags_check(flags, err)) return SYN_ERROR_ARGUMENT;
    if (!t->special_reach)
        return synp_fail(err, SYN_ERROR_ARGUMENT, "the tokenizer is only measured, not open");
    if (length > 0x1FFFFFFFu)
        return synp_fail(err, SYN_ERROR_ARGUMENT, "a text of %u bytes, at most %u can be tokenized",
                         SYNP_U(length), SYNP_U(0x1FFFFFFFu));
    memset(&w, 0, sizeof w);
    w.t = t;
    w.text = (const unsigned char *)text;
    w.length = length;
    w.flags = flags;
    w.ids = ids;
    w.capacity = capacity;
    w.arena = work;
    w.start = w.peak = work->used;
    w.err = err;
    if (ends && t->add_bos && t->bos >= 0) synp_emit(&w, t->bos);
    while (at < length && !w.status) {
        size_t from;
        uint32_t id = 0;
        size_t n = synp_special_next(&w, at, &from, &id);
        if (from > at) synp_fragment(&w, at, from, true);
        if (n) synp_emit(&w, (int32_t)id);
        at = from + n;
        while (n && at < length && synp_strips_right(t, (int32_t)id) &&
               synp_is_ascii_space(w.text[at]))
            at++;
    }
    if (ends && t->add_eos && t->eos >= 0) synp_emit(&w, t->eos);
    work->used = measuring ? w.peak : w.start;
    if (w.status || measuring) return w.status;
    *count = w.count;
    if (ids && w.count > capacity)
        return synp_fail(err, SYN_ERROR_MEMORY, "the text has %u tokens, there is room for %u",
                         SYNP_U(w.count), SYNP_U(capacity));
    return SYN_OK;
}

SYN_API size_t syn_tokenize_bytes(const syn_tokenizer *t, const char *text, size_t length,
                                  syn_token_flags flags)
{
    syn_arena arena = syn_arena_measure();
    size_t count;
    syn_tokenize(t, text, length, flags, NULL, 0, &count, &arena, NULL);
    return arena.used;
}

/* ---- opening */

/* Special ids: their keys, and what becomes of them. OTHER: only checked. */
typedef enum synp_id_use {
    SYNP_ID_BOS,
    SYNP_ID_EOS,
    SYNP_ID_UNK,
    SYNP_ID_ENDS,
    SYNP_ID_OTHER
} synp_id_use;

static const struct synp_id_key {
    const char *key;
    synp_id_use use;
} synp_id_keys[] = {
    {"tokenizer.ggml.bos_token_id", SYNP_ID_BOS},
    {"tokenizer.ggml.eos_token_id", SYNP_ID_EOS},
    {"tokenizer.ggml.unknown_token_id", SYNP_ID_UNK},
    {"tokenizer.ggml.eot_token_id", SYNP_ID_ENDS},
    {"tokenizer.ggml.eom_token_id", SYNP_ID_ENDS},
    {"tokenizer.ggml.fim_pad_token_id", SYNP_ID_ENDS},
    {"tokenizer.ggml.fim_rep_token_id", SYNP_ID_ENDS},
    {"tokenizer.ggml.fim_sep_token_id", SYNP_ID_ENDS},
    {"tokenizer.ggml.padding_token_id", SYNP_ID_OTHER},
    {"tokenizer.ggml.seperator_token_id", SYNP_ID_OTHER}, /* spelt so in the format */
    {"tokenizer.ggml.fim_pre_token_id", SYNP_ID_OTHER},
    {"tokenizer.ggml.fim_suf_token_id", SYNP_ID_OTHER},
    {"tokenizer.ggml.fim_mid_token_id", SYNP_ID_OTHER},
};

SYN_API const char *syn_tokenizer_outside(const syn_tokenizer *t, unsigned n)
{
    size_t i;
    for (i = 0; i < sizeof synp_id_keys / sizeof synp_id_keys[0]; i++)
        if (t->outside >> i & 1 && !n--) return synp_id_keys[i].key;
    return NULL;
}

/* Would a text or a generation be different without this id? */
static bool synp_id_needed(const syn_tokenizer *t, synp_id_use use)
{
    return use == SYNP_ID_EOS || (use == SYNP_ID_BOS && t->add_bos) ||
           (use == SYNP_ID_UNK && t->kind == SYN_TOKENIZER_SPM);
}

/* The id of a row; 2^32 - 1 stands for none, as does -1 here. A default is none in a vocabulary
   too small for it. */
static syn_status synp_tokenizer_id(syn_tokenizer *t, const syn_gguf *gguf, size_t row,
                                    int32_t absent, int32_t *id, syn_error *err)
{
    const char *key = synp_id_keys[row].key;
    uint32_t none = SYNP_NONE - 1, value = none; /* no file can mean this one */
    syn_status status = syn_gguf_u32(gguf, key, false, &value, err);
    if (status) return status;
    *id = value < (uint32_t)t->size ? (int32_t)value : -1;
    if (value == none) *id = absent < t->size ? absent : -1;
    if (value == none || *id >= 0 || value == SYNP_NONE) return SYN_OK;
    if (synp_id_needed(t, synp_id_keys[row].use))
        return synp_fail(err, SYN_ERROR_MODEL, "%s: id %u, the vocabulary has %u tokens", key,
                         SYNP_U(value), SYNP_U(t->size));
    t->outside |= (uint32_t)1 << row;
    return SYN_OK;
}

/* All of them, with the defaults that the kinds of tokenizer have for begin, end and
   unknown. */
static syn_status synp_tokenizer_ids(syn_tokenizer *t, const syn_gguf *gguf, syn_error *err)
{
    bool bpe = t->kind == SYN_TOKENIZER_BPE;
    size_t i;
    for (i = 0; i < sizeof synp_id_keys / sizeof synp_id_keys[0]; i++) {
        synp_id_use use = synp_id_keys[i].use;
        int32_t id, absent = use == SYNP_ID_BOS   ? (bpe ? 11 : 1)
                             : use == SYNP_ID_EOS ? (bpe ? 11 : 2)
                             : use == SYNP_ID_UNK ? (bpe ? -1 : 0)
                                                  : -1;
        syn_status status = synp_tokenizer_id(t, gguf, i, absent, &id, err);
        if (status) return status;
        if (use == SYNP_ID_BOS) t->bos = id;
        if (use == SYNP_ID_EOS) t->eos = id;
        if (use == SYNP_ID_UNK) t->unk = id;
        if (use == SYNP_ID_EOS || use == SYNP_ID_ENDS)
            synp_list(t->end, &t->ends, SYN_END_TOKENS, id);
    }
    return SYN_OK;
}

/* The kind of tokenizer, and for byte-level BPE the row of its pre-tokenizer. */
static syn_status synp_tokenizer_kind(syn_tokenizer *t, const syn_gguf *gguf, const char *pre,
                                      syn_error *err)
{
    char name[64];
    size_t length = 0;
    syn_status status =
        syn_gguf_text(gguf, "tokenizer.ggml.model", true, name, sizeof name, &length, err);
    if (status) return status;
    if (!strcmp(name, "llama")) t->kind = SYN_TOKENIZER_SPM;
    else if (!strcmp(name, "gpt2")) t->kind = SYN_TOKENIZER_BPE;
    else
        return synp_fail(err, SYN_ERROR_UNSUPPORTED,
                         "tokenizer.ggml.model: unknown tokenizer '%s', known are gpt2 and llama",
                         name);
    if (t->kind == SYN_TOKENIZER_SPM) return SYN_OK;
    name[0] = '\0';
    if (!pre) {
        status = syn_gguf_text(gguf, "tokenizer.ggml.pre", false, name, sizeof name, &length, err);
        if (status) return status;
        t->pre_missing = !name[0];
        pre = name[0] ? name : synp_pre_rows[0].name;
    }
    for (t->pre = 0; t->pre < SYNP_PRE_ROWS; t->pre++)
        if (!strcmp(pre, synp_pre_rows[t->pre].name)) return SYN_OK;
    t->pre = 0;
    return synp_fail(err, SYN_ERROR_UNSUPPORTED,
                     "tokenizer.ggml.pre: unknown pre-tokenizer '%s'; --pre NAME goes on with a "
                     "known one, such as llama-bpe, qwen2 or gpt-2",
                     pre);
}

/* What the kind or the pre-tokenizer says where a key is missing; then the keys. */
static syn_status synp_tokenizer_flags(syn_tokenizer *t, const syn_gguf *gguf, syn_error *err)
{
    bool spm = t->kind == SYN_TOKENIZER_SPM;
    const synp_pre_row *row = &synp_pre_rows[t->pre];
    syn_status status;
    t->add_bos = spm || row->add_bos;
    t->add_eos = false;
    t->add_space_prefix = spm;
    t->ignore_merges = !spm && row->ignore_merges;
    t->clean_spaces = !spm && row->clean;
    status = syn_gguf_bool(gguf, "tokenizer.ggml.add_bos_token", false, &t->add_bos, err);
    if (!status)
        status = syn_gguf_bool(gguf, "tokenizer.ggml.add_eos_token", false, &t->add_eos, err);
    if (!status)
        status = syn_gguf_bool(gguf, "tokenizer.ggml.add_space_prefix", false, &t->add_space_prefix,
                               err);
    return status;
}

/* An array key: of this type (or `other`), of `count` elements (0: at least one). */
static syn_status synp_tokenizer_array(const syn_gguf *gguf, const char *key, syn_gguf_type type,
                                       syn_gguf_type other, uint64_t count, syn_gguf_value *value,
                                       bool *present, syn_error *err)
{
    syn_status status = syn_gguf_find(gguf, key, value, present, err);
    if (status || !*present) return status;
    if (!value->array || (value->type != type && value->type != other))
        return synp_fail(err, SYN_ERROR_MODEL, "%s: must be an array of %s", key,
                         type == SYN_GGUF_STRING ? "strings"
                         : type == SYN_GGUF_F32  ? "32-bit floats"
                                                 : "32-bit integers");
    if (count ? value->count != count : !value->count)
        return synp_fail(err, SYN_ERROR_MODEL,
                         count ? "%s: %u elements for %u tokens" : "%s is empty", key,
                         SYNP_U(value->count), SYNP_U(count));
    return SYN_OK;
}

/* The arrays, all checked before memory is taken for the first index; scores and types
   stay in the file and are read there when wanted. */
static syn_status synp_tokenizer_lists(syn_tokenizer *t, const syn_gguf *gguf, syn_arena *arena,
                                       syn_error *err)
{
    static const char *const key[4] = {"tokenizer.ggml.tokens", "tokenizer.ggml.scores",
                                       "tokenizer.ggml.token_type", "tokenizer.ggml.merges"};
    syn_gguf_value tokens, value;
    bool present;
    syn_status status = synp_tokenizer_array(gguf, key[0], SYN_GGUF_STRING, SYN_GGUF_STRING, 0,
                                             &tokens, &present, err);
    if (status) return status;
    if (!present) return synp_fail(err, SYN_ERROR_MODEL, "%s is missing", key[0]);
    status = synp_tokenizer_array(gguf, key[1], SYN_GGUF_F32, SYN_GGUF_F32, tokens.count, &value,
                                  &present, err);
    if (status) return status;
    t->scores_at = present ? value.offset : 0;
    status = synp_tokenizer_array(gguf, key[2], SYN_GGUF_I32, SYN_GGUF_U32, tokens.count, &value,
                                  &present, err);
    if (status) return status;
    t->types_at = present ? value.offset : 0;
    status = synp_index_open(&t->tokens, gguf->source, &tokens, key[0], false, arena, err);
    if (status) return status;
    t->size = (int32_t)t->tokens.count;
    if (t->kind != SYN_TOKENIZER_BPE) return SYN_OK;
    status = syn_gguf_find(gguf, key[3], &value, &present, err);
    if (status) return status;
    if (!present || !value.array || value.type != SYN_GGUF_STRING)
        return synp_fail(err, SYN_ERROR_MODEL, "%s %s", key[3],
                         present ? "must be an array of strings" : "is missing");
    return synp_index_open(&t->merges, gguf->source, &value, key[3], true, arena, err);
}

/* Remembers length, first two bytes and hash of a special token. */
static syn_status synp_special_enter(syn_tokenizer *t, uint32_t id, syn_error *err)
{
    synp_reader s = synp_reader_at(t->source, t->tokens.at + t->tokens.offset[id]);
    uint64_t length, byte;
    uint32_t hash = SYNP_HASH_SEED;
    unsigned first[2] = {0, 0}, i;
    syn_status status = synp_reader_number(&s, 8, &length, err);
    if (status || !length) return status;
    if (length > SYN_SPECIAL_BYTES)
        return synp_fail(err, SYN_ERROR_UNSUPPORTED,
                         "tokenizer.ggml.tokens: special token %u has %u bytes, at most %u work",
                         SYNP_U(id), SYNP_U(length), SYNP_U(SYN_SPECIAL_BYTES));
    for (i = 0; i < (unsigned)length; i++) {
        status = synp_reader_number(&s, 1, &byte, err);
        if (status) return status;
        hash = synp_hash_byte(hash, (unsigned char)byte);
        if (i < 2) first[i] = (unsigned)byte;
    }
    hash = synp_hash_end(hash);
    *synp_special_word(t, hash) |= (uint32_t)1 << (hash & 31);
    t->special_lengths[length >> 5] |= (uint32_t)1 << (length & 31);
    for (i = 0; i < (length < 2 ? 256u : 1u); i++) { /* a single byte: whatever comes next */
        unsigned slot = synp_pair_slot(first[0], length < 2 ? i : first[1]);
        if (t->special_reach[slot] < length) t->special_reach[slot] = (uint16_t)length;
    }
    return SYN_OK;
}

/* llama.cpp tells Phi-3 by the model's name, in any case of letters. Needs the index. */
static syn_status synp_tokenizer_phi3(syn_tokenizer *t, const syn_gguf *gguf, syn_error *err)
{
    static const char *const keeps[3] = {"<unk>", "<s>", "<|endoftext|>"};
    char name[128];
    size_t length, i;
    syn_status status = syn_gguf_text(gguf, "general.name", false, name, sizeof name, &length, err);
    if (status) return status;
    for (i = 0; name[i]; i++)
        if (name[i] >= 'A' && name[i] <= 'Z') name[i] = (char)(name[i] + 32);
    for (i = 0; name[i]; i++)
        t->strips_right =
            t->strips_right || !strncmp(name + i, "phi-3", 5) || !strncmp(name + i, "phi3", 4);
    for (i = 0; i < 3; i++) t->keeps_right[i] = syn_token_find(t, keeps[i], strlen(keeps[i]));
    return SYN_OK;
}

/* Tokens known by their text, then all that are special by their type. Needs the index. */
static syn_status synp_tokenizer_specials(syn_tokenizer *t, syn_error *err)
{
    synp_reader types = synp_reader_at(t->source, t->types_at);
    uint32_t id;
    size_t i;
    for (i = 0; i < sizeof synp_named_tokens / sizeof synp_named_tokens[0]; i++) {
        const struct synp_named_token *named = &synp_named_tokens[i];
        int32_t found = syn_token_find(t, named->text, strlen(named->text));
        synp_list(t->control, &t->controls, SYN_CONTROL_TOKENS, found);
        if (named->ends) synp_list(t->end, &t->ends, SYN_END_TOKENS, found);
    }
    for (id = 0; t->types_at && id < t->tokens.count; id++) {
        uint64_t type;
        syn_status status = synp_reader_number(&types, 4, &type, err);
        if (!status && type >= SYN_TOKEN_UNKNOWN && type <= SYN_TOKEN_USER)
            status = synp_special_enter(t, id, err);
        if (status) return status;
    }
    for (i = 0; i < t->controls; i++) {
        syn_status status = synp_special_enter(t, (uint32_t)t->control[i], err);
        if (status) return status;
    }
    return SYN_OK;
}

/* ---- ids to text */

/* Text being written: n goes on counting where the room ends. */
typedef struct synp_text_out {
    char *to;
    size_t capacity, n;
} synp_text_out;

static void synp_text_put(synp_text_out *piece, unsigned byte)
{
    if (piece->n < piece->capacity) piece->to[piece->n] = (char)(unsigned char)byte;
    piece->n++;
}

/* A character of a BPE token is the byte that it stands for; what is not of the
   alphabet stays. *lead: the first byte of a two-byte character whose second is still
   to come (0: none). */
static void synp_text_bpe(synp_text_out *piece, unsigned byte, unsigned *lead)
{
    int plain = -1;
    if (*lead && (byte & 0xC0) == 0x80) {
        plain = synp_alphabet_byte((*lead & 0x1F) << 6 | (byte & 0x3F));
        if (plain < 0) synp_text_put(piece, *lead);
        *lead = 0;
    } else {
        if (*lead) synp_text_put(piece, *lead);
        *lead = (byte & 0xE0) == 0xC0 ? byte : 0;
        if (*lead) return;
        plain = byte < 0x80 ? synp_alphabet_byte(byte) : -1;
    }
    synp_text_put(piece, plain < 0 ? byte : (unsigned)plain);
}

/* U+2581 (E2 96 81) is a space. *seen: how many of its bytes have come. */
static void synp_text_spm(synp_text_out *piece, unsigned byte, unsigned *seen)
{
    static const unsigned char mark[3] = {0xE2, 0x96, 0x81};
    unsigned i;
    if (byte == mark[*seen]) {
        if (++*seen < 3) return;
        *seen = 0;
        byte = ' ';
    }
    for (i = 0; i < *seen; i++) synp_text_put(piece, mark[i]);
    *seen = byte == mark[0];
    if (!*seen) synp_text_put(piece, byte);
}

/* The value of a hexadecimal digit, -1 for anything else. */
static int synp_hex_digit(unsigned c)
{
    if (c >= '0' && c <= '9') return (int)c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? (int)c - 'a' + 10 : -1;
}

/* "<0x41>" of a byte token: the byte, or -1 where the text is not of this form. */
static int synp_byte_token(const unsigned char *text, size_t n)
{
    int high, low;
    if (n != 6 || memcmp(text, "<0x", 3) || text[5] != '>') return -1;
    high = synp_hex_digit(text[3]);
    low = synp_hex_digit(text[4]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Copies a token's text as its type asks for: normal tokens through the alphabet or
   with U+2581 as a space, all others as they are. */
static syn_status synp_text_token(synp_text_out *piece, const syn_tokenizer *t, uint32_t id,
                                  syn_token_type type, syn_error *err)
{
    synp_reader s = synp_reader_at(t->source, t->tokens.at + t->tokens.offset[id]);
    uint64_t left;
    unsigned state = 0, k;
    bool normal = type == SYN_TOKEN_NORMAL, bpe = t->kind == SYN_TOKENIZER_BPE;
    syn_status status = synp_reader_number(&s, 8, &left, err);
    while (!status && left) {
        const unsigned char *p;
        size_t got, i;
        status = synp_reader_next(&s, left, &p, &got, err);
        if (status) return status;
        left -= got;
        for (i = 0; i < got; i++) {
            if (normal && bpe) synp_text_bpe(piece, p[i], &state);
            else if (normal) synp_text_spm(piece, p[i], &state);
            else synp_text_put(piece, p[i]);
        }
    }
    if (bpe && state) synp_text_put(piece, state); /* a text that ends inside a character */
    for (k = 0; !bpe && k < state; k++) synp_text_put(piece, k ? 0x96u : 0xE2u);
    return status;
}

SYN_API syn_status syn_token_text(const syn_tokenizer *t, int32_t id, syn_token_flags flags,
                                  char *to, size_t capacity, size_t *length, syn_error *err)
{
    synp_text_out piece;
    char byte_name[7];
    syn_token_type type;
    syn_status status;
    synp_succeed(err);
    piece.to = byte_name;
    piece.capacity = sizeof byte_name;
    piece.n = 0;
    *length = 0;
    if (synp_token_flags_check(flags, err)) return SYN_ERROR_ARGUMENT;
    if (id < 0 || id >= t->size || !t->tokens.offset)
        return synp_fail(err, SYN_ERROR_ARGUMENT, "token id %d, the vocabulary has %u", SYNP_D(id),
                         SYNP_U(t->tokens.offset ? t->size : 0));
    status = synp_token_type_get(t, (uint32_t)id, &type, err);
    if (status) return status;
    if (type == SYN_TOKEN_UNUSED || (type == SYN_TOKEN_BYTE && t->kind == SYN_TOKENIZER_BPE) ||
        ((flags & SYN_HIDE_SPECIAL) && (type == SYN_TOKEN_CONTROL || type == SYN_TOKEN_UNKNOWN)))
        return SYN_OK;
    if (type == SYN_TOKEN_BYTE) {
        int byte;
        status = synp_text_token(&piece, t, (uint32_t)id, type, err);
        if (status) return status;
        byte = synp_byte_token((const unsigned char *)byte_name, piece.n);
        if (byte >= 0) {
            *length = 1;
            if (capacity) to[0] = (char)(unsigned char)byte;
        }
    }
    if (!*length) {
        piece.to = to;
        piece.capacity = capacity;
        piece.n = 0;
        status = synp_text_token(&piece, t, (uint32_t)id, type, err);
        *length = piece.n;
    }
    if (!status && *length > capacity)
        return synp_fail(err, SYN_ERROR_MEMORY, "token %d has %u bytes, there is room for %u",
                         SYNP_D(id), SYNP_U(*length), SYNP_U(capacity));
    return status;
}

/* How many of the last bytes are the beginning of a character whose end is missing: 0
   .. 3. */
static size_t synp_utf8_open(const unsigned char *p, size_t n)
{
    size_t back;
    for (back = 1; back <= 3 && back <= n; back++) {
        unsigned c = p[n - back];
        size_t bytes = c < 0xC2 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : c < 0xF5 ? 4 : 1;
        if ((c & 0xC0) != 0x80) return bytes > back ? back : 0;
    }
    return 0;
}

SYN_API syn_status syn_detokenizer_push(syn_detokenizer *d, const syn_tokenizer *t, int32_t id,
                                        syn_token_flags flags, char *to, size_t capacity,
                                        size_t *length, syn_error *err)
{
    size_t held = (size_t)d->count, n, open;
    syn_status status;
    synp_succeed(err);
    *length = 0;
    if (capacity < held)
        return synp_fail(err, SYN_ERROR_MEMORY, "room for %u bytes, %u are held", SYNP_U(capacity),
                         SYNP_U(held));
    status = syn_token_text(t, id, flags, to + held, capacity - held, &n, err);
    if (status) {
        *length = n + held;
        return status;
    }
    memcpy(to, d->held, held);
    n += held;
    open = synp_utf8_open((const unsigned char *)to, n);
    memcpy(d->held, to + n - open, open);
    d->count = (uint32_t)open;
    *length = n - open;
    return SYN_OK;
}

SYN_API size_t syn_detokenizer_flush(syn_detokenizer *d, char to[4])
{
    size_t n = (size_t)d->count;
    memcpy(to, d->held, n);
    d->count = 0;
    return n;
}

/* The three passes over a whole text that the tokenizers' authors call cleaning up, in
   place; returns the bytes left. Pass 0 drops a space before ? ! . , pass 1 both spaces
   around a lone apostrophe, pass 2 a space before 's 'm 're 've. */
static size_t synp_clean_spaces(char *text, size_t n, int pass)
{
    size_t i, kept = 0;
    bool space = false; /* the byte before was a space when this pass began */
    for (i = 0; i < n; i++) {
        char c = text[i], a = i + 1 < n ? text[i + 1] : '\0', b = i + 2 < n ? text[i + 2] : '\0';
        bool skip = false;
        if (space && pass == 0) space = c == '?' || c == '!' || c == '.' || c == ',';
        else if (space && pass == 1) skip = space = c == '\'' && a == ' ';
        else if (space)
            space = c == '\'' && (a == 's' || a == 'm' || ((a == 'r' || a == 'v') && b == 'e'));
        if (space) kept--;
        text[kept++] = c;
        space = c == ' ';
        if (skip) i++; /* the space after the apostrophe */
    }
    return kept;
}

SYN_API syn_status syn_detokenize(const syn_tokenizer *t, const int32_t *ids, size_t n,
                                  syn_token_flags flags, char *to, size_t capacity, size_t *length,
                                  syn_error *err)
{
    size_t i, bytes, used = 0;
    int pass;
    synp_succeed(err);
    *length = 0;
    for (i = 0; i < n; i++) {
        syn_error full;
        size_t left = to && used < capacity ? capacity - used : 0;
        syn_status status =
            syn_token_text(t, ids[i], flags, left ? to + used : NULL, left, &bytes, &full);
        if (status && status != SYN_ERROR_MEMORY) { /* full: counts on */
            if (err) *err = full;
            return status;
        }
        if (!i && t->add_space_prefix && left && bytes && bytes <= left && to[0] == ' ') {
            bytes--;
            memmove(to, to + 1, bytes);
        }
        used += bytes;
    }
    *length = used;
    if (!to) return SYN_OK;
    if (used > capacity)
        return synp_fail(err, SYN_ERROR_MEMORY, "the text has up to %u bytes, there is room for %u",
                         SYNP_U(used), SYNP_U(capacity));
    for (pass = 0; t->clean_spaces && pass < 3; pass++) used = synp_clean_spaces(to, used, pass);
    *length = used;
    return SYN_OK;
}

/* ---- chat formats */

#define SYNP_BAR "\xEF\xBD\x9C" /* U+FF5C */
#define SYNP_GAP "\xE2\x96\x81" /* U+2581 */
#define SYNP_DEEPSEEK_BOS "<" SYNP_BAR "begin" SYNP_GAP "of" SYNP_GAP "sentence" SYNP_BAR ">"
#define SYNP_DEEPSEEK_EOS "<" SYNP_BAR "end" SYNP_GAP "of" SYNP_GAP "sentence" SYNP_BAR ">"
#define SYNP_LLAMA3_ROLE(role) "<|start_header_id|>" role "<|end_header_id|>\n\n"
#define SYNP_CHATML_ROLE(role) "<|im_start|>" role "\n"

enum {
    SYNP_TRIM = 1,         /* user's and assistant's texts lose white space at both ends */
    SYNP_TRIM_SYSTEM = 2,  /* so do system texts */
    SYNP_SYSTEM_JOINS = 4, /* the system text stands in the first turn, before its text */
    SYNP_THINKS = 8,       /* former turns lose what they thought */
    SYNP_THINKS_NL = 16    /* and the newlines after it */
};

/* A format: texts before and after a message of each role (system, user, assistant). A
   new format is a row here, a value of syn_chat and a row of synp_chat_marks. */
typedef struct synp_chat_row {
    const char *name;
    const char *begin;  /* before all */
    const char *system; /* where the conversation has no system message; NULL: no turn */
    const char *open[3], *close[3];
    const char *reply; /* opens the assistant's turn */
    int flags;
} synp_chat_row;

#define SYNP_CHAT_CHATML(name, system, flags)                                                      \
    {                                                                                              \
        name, "", system,                                                                          \
            {SYNP_CHATML_ROLE("system"), SYNP_CHATML_ROLE("user"), SYNP_CHATML_ROLE("assistant")}, \
            {"<|im_end|>\n", "<|im_end|>\n", "<|im_end|>\n"}, SYNP_CHATML_ROLE("assistant"), flags \
    }
#define SYNP_CHAT_LLAMA3(name, system, date)                                                       \
    {                                                                                              \
        name, "<|begin_of_text|>", system,                                                         \
            {SYNP_LLAMA3_ROLE("system") date, SYNP_LLAMA3_ROLE("user"),                            \
             SYNP_LLAMA3_ROLE("assistant")},                                                       \
            {"<|eot_id|>", "<|eot_id|>", "<|eot_id|>"}, SYNP_LLAMA3_ROLE("assistant"),             \
            SYNP_TRIM | SYNP_TRIM_SYSTEM                                                           \
    }

static const synp_chat_row synp_chat_rows[SYN_CHATS] = {
    /* in the order of syn_chat */
    {"none", "", NULL, {"", "", ""}, {"", "", ""}, "", 0},
    SYNP_CHAT_CHATML("chatml", NULL, 0),
    SYNP_CHAT_CHATML("smollm",
                     "You are a helpful AI assistant named SmolLM, trained by Hugging Face", 0),
    SYNP_CHAT_CHATML("qwen2", "You are a helpful assistant.", 0),
    SYNP_CHAT_CHATML("qwen2.5",
                     "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.", 0),
    SYNP_CHAT_CHATML("qwen3", NULL, SYNP_THINKS | SYNP_THINKS_NL),
    {"gemma",
     "<bos>",
     NULL,
     {"", "<start_of_turn>user\n", "<start_of_turn>model\n"},
     {"\n\n", "<end_of_turn>\n", "<end_of_turn>\n"},
     "<start_of_turn>model\n",
     SYNP_TRIM | SYNP_SYSTEM_JOINS},
    SYNP_CHAT_LLAMA3("llama3", NULL, ""),
    SYNP_CHAT_LLAMA3("llama3.1", "",
                     "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n"),
    {"deepseek2",
     SYNP_DEEPSEEK_BOS,
     NULL,
     {"", "User: ", "Assistant: "},
     {"\n\n", "\n\n", SYNP_DEEPSEEK_EOS},
     "Assistant:",
     0},
    {"deepseek3",
     SYNP_DEEPSEEK_BOS,
     NULL,
     {"", "<" SYNP_BAR "User" SYNP_BAR ">", "<" SYNP_BAR "Assistant" SYNP_BAR ">"},
     {"", "", SYNP_DEEPSEEK_EOS},
     "<" SYNP_BAR "Assistant" SYNP_BAR ">",
     SYNP_THINKS},
};

/* How a template is recognised: the first row all of whose texts are in it. */
static const struct synp_chat_mark {
    syn_chat chat;
    const char *text[3];
} synp_chat_marks[] = {
    {SYN_CHAT_SMOLLM, {"<|im_start|>", "named SmolLM", NULL}},
    {SYN_CHAT_QWEN25, {"<|im_start|>", "You are Qwen, created by Alibaba Cloud", NULL}},
    {SYN_CHAT_QWEN3, {"<|im_start|>", "enable_thinking", NULL}},
    {SYN_CHAT_QWEN2, {"<|im_start|>", "You are a helpful assistant.<|im_end|>", NULL}},
    {SYN_CHAT_CHATML, {"<|im_start|>", NULL, NULL}},
    {SYN_CHAT_GEMMA, {"<start_of_turn>", NULL, NULL}},
    {SYN_CHAT_LLAMA31, {"<|start_header_id|>", "<|end_header_id|>", "Cutting Knowledge Date"}},
    {SYN_CHAT_LLAMA3, {"<|start_header_id|>", "<|end_header_id|>", NULL}},
    {SYN_CHAT_DEEPSEEK2, {"'Assistant: ' + message['content'] + eos_token", NULL, NULL}},
    {SYN_CHAT_DEEPSEEK3,
     {"<" SYNP_BAR "Assistant" SYNP_BAR ">", "<" SYNP_BAR "User" SYNP_BAR ">", SYNP_DEEPSEEK_EOS}},
};

/* Whether a text of the file contains this one. */
static syn_status synp_source_contains(const syn_source *source, uint64_t at, uint64_t length,
                                       const char *text, bool *found, syn_error *err)
{
    unsigned char window[256];
    size_t n = strlen(text), i;
    *found = false;
    while (length >= n && !*found) { /* windows that overlap by n - 1 bytes */
        size_t bytes = length < sizeof window ? (size_t)length : sizeof window;
        syn_status status = synp_source_read(source, at, window, bytes, err);
        if (status) return status;
        for (i = 0; i + n <= bytes && !*found; i++)
            *found = window[i] == (unsigned char)text[0] && !memcmp(window + i, text, n);
        at += bytes - (n - 1);
        length -= bytes - (n - 1);
    }
    return SYN_OK;
}

#define SYNP_CHAT_BIT(chat) ((uint32_t)1 << (chat))
#define SYNP_CHATS_CHATML                                                                          \
    (SYNP_CHAT_BIT(SYN_CHAT_CHATML) | SYNP_CHAT_BIT(SYN_CHAT_SMOLLM) |                             \
     SYNP_CHAT_BIT(SYN_CHAT_QWEN2) | SYNP_CHAT_BIT(SYN_CHAT_QWEN25) |                              \
     SYNP_CHAT_BIT(SYN_CHAT_QWEN3))
#define SYNP_CHATS_TOOLS (SYNP_CHAT_BIT(SYN_CHAT_QWEN25) | SYNP_CHAT_BIT(SYN_CHAT_QWEN3))
#define SYNP_CHATS_LLAMA (SYNP_CHAT_BIT(SYN_CHAT_LLAMA3) | SYNP_CHAT_BIT(SYN_CHAT_LLAMA31))
#define SYNP_CHATS_DEEPSEEK (SYNP_CHAT_BIT(SYN_CHAT_DEEPSEEK2) | SYNP_CHAT_BIT(SYN_CHAT_DEEPSEEK3))

/* Which formats write a mark of a template ("<|...|>", "</...>", "<...>"), or continue a sentence
   "You are ..." like it. A mark that no row names makes the template an unknown format. */
static const struct synp_chat_account {
    const char *text;
    uint32_t chats;
} synp_chat_accounts[] = {
    {"<|im_start|>", SYNP_CHATS_CHATML},
    {"<|im_end|>", SYNP_CHATS_CHATML},
    {"<|endoftext|>", SYNP_CHATS_CHATML},
    {"<tools>", SYNP_CHATS_TOOLS},
    {"</tools>", SYNP_CHATS_TOOLS},
    {"<tool_call>", SYNP_CHATS_TOOLS},
    {"</tool_call>", SYNP_CHATS_TOOLS},
    {"<tool_response>", SYNP_CHATS_TOOLS},
    {"</tool_response>", SYNP_CHATS_TOOLS},
    {"<function-name>", SYNP_CHATS_TOOLS},
    {"<args-json-object>", SYNP_CHATS_TOOLS},
    {"<think>", SYNP_CHAT_BIT(SYN_CHAT_QWEN3)},
    {"</think>", SYNP_CHAT_BIT(SYN_CHAT_QWEN3) | SYNP_CHAT_BIT(SYN_CHAT_DEEPSEEK3)},
    {"<bos>", SYNP_CHAT_BIT(SYN_CHAT_GEMMA)},
    {"<start_of_turn>", SYNP_CHAT_BIT(SYN_CHAT_GEMMA)},
    {"<end_of_turn>", SYNP_CHAT_BIT(SYN_CHAT_GEMMA)},
    {"<start_of_image>", SYNP_CHAT_BIT(SYN_CHAT_GEMMA)},
    {"<|begin_of_text|>", SYNP_CHATS_LLAMA},
    {"<|start_header_id|>", SYNP_CHATS_LLAMA},
    {"<|end_header_id|>", SYNP_CHATS_LLAMA},
    {"<|eot_id|>", SYNP_CHATS_LLAMA},
    {"<|eom_id|>", SYNP_CHAT_BIT(SYN_CHAT_LLAMA31)},
    {"<|python_tag|>", SYNP_CHAT_BIT(SYN_CHAT_LLAMA31)},
    {SYNP_DEEPSEEK_BOS, SYNP_CHATS_DEEPSEEK},
    {SYNP_DEEPSEEK_EOS, SYNP_CHATS_DEEPSEEK},
    {"<" SYNP_BAR "User" SYNP_BAR ">", SYNP_CHAT_BIT(SYN_CHAT_DEEPSEEK3)},
    {"<" SYNP_BAR "Assistant" SYNP_BAR ">", SYNP_CHAT_BIT(SYN_CHAT_DEEPSEEK3)},
    {"<" SYNP_BAR "tool" SYNP_GAP, SYNP_CHAT_BIT(SYN_CHAT_DEEPSEEK3)}, /* calls, outputs ... */
    {"You are a helpful AI assistant named SmolLM, trained by Hugging Face",
     SYNP_CHAT_BIT(SYN_CHAT_SMOLLM)},
    {"You are Qwen, created by Alibaba Cloud. You are a helpful assistant.",
     SYNP_CHAT_BIT(SYN_CHAT_QWEN25)},
    {"You are a helpful assistant.",
     SYNP_CHAT_BIT(SYN_CHAT_QWEN2) | SYNP_CHAT_BIT(SYN_CHAT_QWEN25)},
    {"You are provided with function signatures", SYNP_CHATS_TOOLS},
    {"You are an expert in composing functions", SYNP_CHAT_BIT(SYN_CHAT_LLAMA31)},
};

static bool synp_begins(const unsigned char *p, size_t n, const char *text)
{
    const size_t length = strlen(text);
    return length <= n && !memcmp(p, text, length);
}

/* Does a mark begin here: '<', then a letter, a bar or a slash, and '>' before any white space,
   quote or brace? */
static bool synp_chat_mark_at(const unsigned char *p, size_t n)
{
    size_t i;
    if (n < 3 || p[0] != '<' || p[1] == '=' || p[1] == ' ') return false;
    if (p[1] != '|' && p[1] != '/' && p[1] < 0x80 && !(p[1] >= 'a' && p[1] <= 'z')) return false;
    for (i = 1; i < n && i < 48; i++) {
        if (p[i] == '>') return true;
        if (p[i] <= ' ' || p[i] == '\'' || p[i] == '"' || p[i] == '{' || p[i] == '}' ||
            p[i] == '<' || p[i] == '+')
            return false;
    }
    return false;
}

/* The formats that write what begins at this place of a template; all of them where nothing
   begins. */
static uint32_t synp_chat_account_at(const unsigned char *p, size_t n)
{
    static const char *const thought[] = {"assistant\\n<think>", "assistant\n<think>"};
    static const char *const system[] = {"system\\n", "system\n"};
    size_t i;
    for (i = 0; i < 2; i++) {
        const size_t length = strlen(system[i]);
        if (synp_begins(p, n, thought[i])) return 0; /* the reply begins inside a thought */
        if (synp_begins(p, n, system[i]) && n > length &&
            !synp_begins(p + length, n - length, "You are") &&
            ((p[length] | 32) >= 'a' && (p[length] | 32) <= 'z'))
            return 0; /* a system text of its own */
    }
    if (!synp_chat_mark_at(p, n) && !synp_begins(p, n, "You are ")) return UINT32_MAX;
    for (i = 0; i < sizeof synp_chat_accounts / sizeof synp_chat_accounts[0]; i++)
        if (synp_begins(p, n, synp_chat_accounts[i].text)) return synp_chat_accounts[i].chats;
    return 0;
}

/* Bit i: format i writes every mark of the template. */
static syn_status synp_chat_accounted(const syn_source *source, uint64_t at, uint64_t length,
                                      uint32_t *chats, syn_error *err)
{
    enum { AHEAD = 96 };
    unsigned char window[512];
    *chats = UINT32_MAX;
    while (length) { /* windows that overlap by what is looked at ahead */
        const size_t bytes = length < sizeof window ? (size_t)length : sizeof window;
        const size_t done = bytes == length ? bytes : bytes - AHEAD;
        size_t i;
        syn_status status = synp_source_read(source, at, window, bytes, err);
        if (status) return status;
        for (i = 0; i < done; i++) *chats &= synp_chat_account_at(window + i, bytes - i);
        at += done;
        length -= done;
    }
    return SYN_OK;
}

/* The template is a program of its own and is not run, only looked at. */
static syn_status synp_chat_recognise(syn_tokenizer *t, const syn_gguf *gguf, syn_error *err)
{
    syn_gguf_value value;
    uint32_t accounted;
    bool present;
    size_t i, k;
    syn_status status = syn_gguf_find(gguf, "tokenizer.chat_template", &value, &present, err);
    if (status || !present || value.array || value.type != SYN_GGUF_STRING) return status;
    status = synp_chat_accounted(gguf->source, value.offset, value.bytes, &accounted, err);
    for (i = 0; i < sizeof synp_chat_marks / sizeof synp_chat_marks[0] && !status; i++) {
        bool all = true, bos;
        for (k = 0; k < 3 && all && synp_chat_marks[i].text[k]; k++) {
            status = synp_source_contains(gguf->source, value.offset, value.bytes,
                                          synp_chat_marks[i].text[k], &all, err);
            if (status) return status;
        }
        if (!all) continue;
        if (!(accounted & SYNP_CHAT_BIT(synp_chat_marks[i].chat))) return SYN_OK;
        t->chat = synp_chat_marks[i].chat;
        status =
            synp_source_contains(gguf->source, value.offset, value.bytes, "bos_token", &bos, err);
        t->chat_bos = bos && t->add_bos && t->bos >= 0 && !synp_chat_rows[t->chat].begin[0];
        break;
    }
    return status;
}

/* First the kind, the checks and the memory, then what needs the index. A measuring arena stops
   before the last. */
SYN_API syn_status syn_tokenizer_open(syn_tokenizer *t, const syn_gguf *gguf,
                                      const syn_tokenizer_desc *desc, syn_arena *arena,
                                      syn_error *err)
{
    void *reach, *bits = NULL;
    syn_status status;
    synp_succeed(err);
    memset(t, 0, sizeof *t);
    t->source = gguf->source;
    status = synp_tokenizer_kind(t, gguf, desc ? desc->pre : NULL, err);
    if (!status) status = synp_tokenizer_flags(t, gguf, err);
    if (!status) status = synp_tokenizer_lists(t, gguf, arena, err);
    if (!status) status = synp_tokenizer_ids(t, gguf, err);
    if (!status) status = synp_chat_recognise(t, gguf, err);
    if (!status)
        status = synp_take(arena, 1024, sizeof *t->special_reach, "special tokens", &reach, err);
    if (!status)
        status = synp_take(arena, t->tokens.count / 32 + 1, sizeof *t->special_bits,
                           "special tokens", &bits, err);
    if (status || !bits) return status;
    t->special_reach = (uint16_t *)reach;
    t->special_bits = (uint32_t *)bits;
    memset(reach, 0, 1024 * sizeof *t->special_reach);
    memset(bits, 0, (t->tokens.count / 32 + 1) * sizeof *t->special_bits);
    status = synp_tokenizer_phi3(t, gguf, err);
    return status ? status : synp_tokenizer_specials(t, err);
}

SYN_API const char *syn_chat_name(syn_chat chat)
{
    unsigned i = (unsigned)chat;
    return synp_chat_rows[i < SYN_CHATS ? i : 0].name;
}

SYN_API syn_chat syn_chat_guess(const syn_tokenizer *t)
{
    static const struct {
        const char *text;
        syn_chat chat;
    } token[] = {
        {"<|im_start|>", SYN_CHAT_CHATML},
        {"<start_of_turn>", SYN_CHAT_GEMMA},
        {"<|start_header_id|>", SYN_CHAT_LLAMA3},
        {"<" SYNP_BAR "Assistant" SYNP_BAR ">", SYN_CHAT_DEEPSEEK3},
    };
    size_t i;
    for (i = 0; i < sizeof token / sizeof token[0]; i++)
        if (syn_token_find(t, token[i].text, strlen(token[i].text)) >= 0) return token[i].chat;
    return SYN_CHAT_NONE;
}

/* Appends a text, as much of it as there is room for. */
static void synp_chat_put(synp_text_out *out, const char *text, size_t n)
{
    size_t room = out->n < out->capacity ? out->capacity - out->n : 0;
    if (n && room) memcpy(out->to + out->n, text, n < room ? n : room);
    out->n += n;
}

static void synp_chat_write(synp_text_out *out, const char *text)
{
    synp_chat_put(out, text, strlen(text));
}

/* Without white space at both ends, U+001C - U+001F counted as such, as the templates
   do. */
static syn_chat_message synp_chat_trim(syn_chat_message m)
{
    const unsigned char *p = (const unsigned char *)m.text;
    size_t i = 0, first = m.length, last = 0;
    while (i < m.length) {
        uint32_t c;
        size_t next = i + synp_utf8_get(p + i, m.length - i, &c);
        if (!synp_is_space(c) && !(c >= 0x1C && c <= 0x1F)) {
            if (first > i) first = i;
            last = next;
        }
        i = next;
    }
    m.text = m.length ? m.text + first : m.text;
    m.length = last > first ? last - first : 0;
    return m;
}

/* What stands behind the last "</think>" of a former turn. */
static syn_chat_message synp_chat_answer(syn_chat_message m, bool newlines)
{
    size_t i, from = 0;
    for (i = 0; i + 8 <= m.length; i++)
        if (!memcmp(m.text + i, "</think>", 8)) from = i + 8;
    while (from && newlines && from < m.length && m.text[from] == '\n') from++;
    if (!from) return m;
    m.text += from;
    m.length -= from;
    return m;
}

/* The message as it is written in the format. */
static syn_chat_message synp_chat_message(const synp_chat_row *row, syn_chat_message m)
{
    if (m.role == SYN_CHAT_ASSISTANT && (row->flags & SYNP_THINKS))
        m = synp_chat_answer(m, (row->flags & SYNP_THINKS_NL) != 0);
    if (row->flags & (m.role == SYN_CHAT_SYSTEM ? SYNP_TRIM_SYSTEM : SYNP_TRIM))
        m = synp_chat_trim(m);
    return m;
}

SYN_API syn_status syn_chat_render(syn_chat chat, const syn_chat_message *messages, size_t count,
                                   syn_token_flags flags, char *to, size_t capacity, size_t *length,
                                   syn_error *err)
{
    const synp_chat_row *row = &synp_chat_rows[(unsigned)chat < SYN_CHATS ? (unsigned)chat : 0];
    const syn_chat_message *joined = NULL; /* a system message that waits for the first turn */
    synp_text_out out;
    size_t i;
    synp_succeed(err);
    *length = 0;
    if ((unsigned)chat >= SYN_CHATS)
        return synp_fail(err, SYN_ERROR_ARGUMENT, "chat format %u of %u", SYNP_U((unsigned)chat),
                         SYNP_U(SYN_CHATS));
    if (synp_token_flags_check(flags, err)) return SYN_ERROR_ARGUMENT;
    out.to = to;
    out.capacity = to ? capacity : 0;
    out.n = 0;
    synp_chat_write(&out, row->begin);
    if (row->system && !(count && messages[0].role == SYN_CHAT_SYSTEM)) {
        synp_chat_write(&out, row->open[SYN_CHAT_SYSTEM]);
        synp_chat_write(&out, row->system);
        synp_chat_write(&out, row->close[SYN_CHAT_SYSTEM]);
    }
    for (i = 0; i < count; i++) {
        syn_chat_message m = synp_chat_message(row, messages[i]);
        unsigned role = (unsigned)m.role;
        if (role > SYN_CHAT_ASSISTANT)
            return synp_fail(err, SYN_ERROR_ARGUMENT, "message %u: role %u", SYNP_U(i),
                             SYNP_U(role));
        if (role == SYN_CHAT_SYSTEM && (row->flags & SYNP_SYSTEM_JOINS)) {
            joined = &messages[i];
            continue;
        }
        synp_chat_write(&out, row->open[role]);
        if (joined) {
            synp_chat_put(&out, joined->text, joined->length);
            synp_chat_write(&out, row->close[SYN_CHAT_SYSTEM]);
        }
        joined = NULL;
        synp_chat_put(&out, m.text, m.length);
        synp_chat_write(&out, row->close[role]);
    }
    if (!(flags & SYN_CHAT_CLOSED)) {
        synp_chat_write(&out, row->reply);
        if ((flags & SYN_CHAT_NO_THINK) && (row->flags & SYNP_THINKS))
            synp_chat_write(&out, "<think>\n\n</think>\n\n");
    }
    *length = out.n;
    if (to && out.n > capacity)
        return synp_fail(err, SYN_ERROR_MEMORY,
                         "the conversation has %u bytes, there is room for %u", SYNP_U(out.n),
                         SYNP_U(capacity));
    return SYN_OK;
}

#undef SYNP_BAR
#undef SYNP_GAP
#undef SYNP_DEEPSEEK_BOS
#undef SYNP_DEEPSEEK_EOS
#undef SYNP_LLAMA3_ROLE
#undef SYNP_CHATML_ROLE
#undef SYNP_CHAT_CHATML
#undef SYNP_CHAT_BIT
#undef SYNP_CHATS_CHATML
#undef SYNP_CHATS_TOOLS
#undef SYNP_CHATS_LLAMA
#undef SYNP_CHATS_DEEPSEEK
#undef SYNP_CHAT_LLAMA3

/* ------------------------------------------------------------------------------------
   >>model
   Three tables hold what is known about families: hyperparameters (key, where it goes, default),
   tensors (name, shape in terms of named dimensions), and families (which of these a family
   has and which variant of each step it takes). Opening reads the keys, derives the dimensions, and
   then walks the file's tensors once, putting each in its place: a place filled twice, left
   empty, or of another shape is an error that names the tensor.

   To add a family: one row in synp_families; a tensor or key that is not known yet is one row of
   its table; a new step (an activation, a norm) is one function and one enum value.
   ------------------------------------------------------------------------------------ */

typedef enum synp_norm_kind { SYNP_NORM_RMS, SYNP_NORM_LAYER } synp_norm_kind;
typedef enum synp_rope_kind {
    SYNP_ROPE_NONE,
    SYNP_ROPE_INTERLEAVED,
    SYNP_ROPE_HALF
} synp_rope_kind;
typedef enum synp_act_kind {
    SYNP_ACT_SILU,
    SYNP_ACT_GELU_TANH,
    SYNP_ACT_GELU_ERF,
    SYNP_ACT_SILU_CLAMPED
} synp_act_kind;

enum {
    SYNP_SCALED_EMBD = 1 << 0,   /* embeddings times sqrt(n_embd) */
    SYNP_LOCAL_BASE = 1 << 1,    /* local layers have a rope base of their own and no scaling */
    SYNP_LOCAL_PLAIN = 1 << 9,   /* local layers have the same rope base and no scaling */
    SYNP_SCALE_BY_EMBD = 1 << 2, /* the largest size scales scores by 1/sqrt(n_embd / n_head) */
    SYNP_MLA = 1 << 3,           /* multi-head latent attention */
    SYNP_WIDE_QK_NORM = 1 << 4,  /* Q and K are normed over all heads at once */
    SYNP_FUSED_GATE = 1 << 5,    /* the rows of ffn_up are gate, then up */
    SYNP_RENORMALISED = 1 << 6,  /* weights of chosen experts are divided by their sum */
    SYNP_PARALLEL = 1 << 7,      /* attention and feed-forward start from the same stream, but */
                                 /* use_parallel_residual may say otherwise */
    SYNP_LAYER_HEADS = 1 << 8, /* head counts may be arrays, one number a layer; 0: no attention */
    SYNP_NORM_MOVED = 1 << 10, /* the file's norm behind attention is the one before the ff part */
    SYNP_FOURTH_PLAIN = 1 << 11, /* every fourth layer has no rope */
    SYNP_LONGROPE = 1 << 12, /* rope factors for short and for long contexts, whatever the type */
    SYNP_OUTPUT_BIAS = 1 << 13,    /* the output matrix may have a bias */
    SYNP_FURTHER = 1 << 14,        /* the last blocks may guess further tokens: they are left out */
    SYNP_CHOSEN_SOFTMAX = 1 << 15, /* the softmax of the router is over the chosen experts */
    SYNP_GATED_SHARED = 1 << 16    /* the shared experts have a gate of their own */
};

struct syn_family {
    const char *name;
    uint64_t needed, optional; /* bits of syn_part; the feed-forward part follows from experts */
    synp_norm_kind norm;
    synp_rope_kind rope;
    synp_act_kind act;
    unsigned quirks;
    uint32_t window_period; /* default; 0: no local layers */
    uint32_t scale_by_embd_layers;
    uint64_t keys; /* bits of synp_hparam rows that must be there, beside the common */
    uint64_t uses; /* and of those that it reads beside the common ones */
};

#define SYNP_BIT(i) ((uint64_t)1 << (i))

#define SYNP_PARTS_QKV (SYNP_BIT(SYN_ATTN_Q) | SYNP_BIT(SYN_ATTN_K) | SYNP_BIT(SYN_ATTN_V))
#define SYNP_PARTS_QKV_BIAS                                                                        \
    (SYNP_BIT(SYN_ATTN_Q_BIAS) | SYNP_BIT(SYN_ATTN_K_BIAS) | SYNP_BIT(SYN_ATTN_V_BIAS))
#define SYNP_PARTS_FFN_BIAS                                                                        \
    (SYNP_BIT(SYN_FFN_GATE_BIAS) | SYNP_BIT(SYN_FFN_UP_BIAS) | SYNP_BIT(SYN_FFN_DOWN_BIAS))
#define SYNP_PARTS_EXPERTS_BIAS                                                                    \
    (SYNP_BIT(SYN_FFN_ROUTER_BIAS) | SYNP_BIT(SYN_FFN_GATE_EXPERTS_BIAS) |                         \
     SYNP_BIT(SYN_FFN_UP_EXPERTS_BIAS) | SYNP_BIT(SYN_FFN_DOWN_EXPERTS_BIAS))
#define SYNP_PARTS_BIAS                                                                            \
    (SYNP_PARTS_QKV_BIAS | SYNP_BIT(SYN_ATTN_QKV_BIAS) | SYNP_BIT(SYN_ATTN_OUTPUT_BIAS) |          \
     SYNP_PARTS_FFN_BIAS | SYNP_PARTS_EXPERTS_BIAS)
#define SYNP_PARTS_QK_NORM (SYNP_BIT(SYN_ATTN_Q_NORM) | SYNP_BIT(SYN_ATTN_K_NORM))
#define SYNP_PARTS_PRE_NORM (SYNP_BIT(SYN_ATTN_NORM) | SYNP_BIT(SYN_FFN_NORM))
#define SYNP_PARTS_POST_NORM (SYNP_BIT(SYN_ATTN_POST_NORM) | SYNP_BIT(SYN_FFN_POST_NORM))
/* Q, K and V may lie in one matrix where a family has three, and the other way round; their biases
   and that of the output projection are there or not. */
#define SYNP_PARTS_ATTENTION_MORE                                                                  \
    (SYNP_PARTS_QKV | SYNP_PARTS_QKV_BIAS | SYNP_BIT(SYN_ATTN_QKV) | SYNP_BIT(SYN_ATTN_QKV_BIAS) | \
     SYNP_BIT(SYN_ATTN_OUTPUT_BIAS))
#define SYNP_PARTS_LLAMA_ATTENTION                                                                 \
    (SYNP_BIT(SYN_ATTN_NORM) | SYNP_PARTS_ATTENTION_MORE | SYNP_BIT(SYN_ATTN_OUTPUT))
#define SYNP_PARTS_LLAMA                                                                           \
    (SYNP_PARTS_PRE_NORM | SYNP_PARTS_QKV | SYNP_BIT(SYN_ATTN_OUTPUT) | SYNP_PARTS_GATED)
#define SYNP_PARTS_GATED (SYNP_BIT(SYN_FFN_GATE) | SYNP_BIT(SYN_FFN_UP) | SYNP_BIT(SYN_FFN_DOWN))
#define SYNP_PARTS_GPT                                                                             \
    (SYNP_PARTS_PRE_NORM | SYNP_BIT(SYN_ATTN_NORM_BIAS) | SYNP_BIT(SYN_FFN_NORM_BIAS) |            \
     SYNP_BIT(SYN_ATTN_QKV) | SYNP_BIT(SYN_ATTN_QKV_BIAS) | SYNP_BIT(SYN_ATTN_OUTPUT) |            \
     SYNP_BIT(SYN_ATTN_OUTPUT_BIAS) | SYNP_BIT(SYN_FFN_UP) | SYNP_BIT(SYN_FFN_UP_BIAS) |           \
     SYNP_BIT(SYN_FFN_DOWN) | SYNP_BIT(SYN_FFN_DOWN_BIAS))
#define SYNP_PARTS_GPT_APART /* the same with Q, K and V in matrices of their own */               \
    ((SYNP_PARTS_GPT & ~(SYNP_BIT(SYN_ATTN_QKV) | SYNP_BIT(SYN_ATTN_QKV_BIAS))) | SYNP_PARTS_QKV | \
     SYNP_PARTS_QKV_BIAS)
#define SYNP_PARTS_EXPERTS                                                                         \
    (SYNP_BIT(SYN_FFN_ROUTER) | SYNP_BIT(SYN_FFN_GATE_EXPERTS) | SYNP_BIT(SYN_FFN_UP_EXPERTS) |    \
     SYNP_BIT(SYN_FFN_DOWN_EXPERTS))
#define SYNP_PARTS_SHARED                                                                          \
    (SYNP_BIT(SYN_FFN_GATE_SHARED) | SYNP_BIT(SYN_FFN_UP_SHARED) | SYNP_BIT(SYN_FFN_DOWN_SHARED))

/* Named dimensions: what the shapes of the tensor table are made of. */
typedef enum synp_dim {
    SYNP_ONE,
    SYNP_EMBD,
    SYNP_VOCAB,
    SYNP_CONTEXT,
    SYNP_ROPE_HALF_SIZE,
    SYNP_Q,
    SYNP_K,
    SYNP_V,
    SYNP_QKV,
    SYNP_Q_NORM,
    SYNP_K_NORM,
    SYNP_HEADS_OUT,
    SYNP_FF,
    SYNP_FF_UP,
    SYNP_EXPERTS,
    SYNP_EXPERT_FF,
    SYNP_SHARED_FF,
    SYNP_Q_LORA,
    SYNP_KV_LORA,
    SYNP_KV_A,
    SYNP_KV_B,
    SYNP_NOPE,
    SYNP_VALUE,
    SYNP_HEADS,
    SYNP_DIMS
} synp_dim;

typedef struct synp_shape {
    const char *name; /* behind "blk.<layer>." for a layer's */
    synp_dim cols, rows, count;
} synp_shape;

static const synp_shape synp_globals[SYN_GLOBALS] = {
    {"token_embd.weight", SYNP_EMBD, SYNP_VOCAB, SYNP_ONE},
    {"position_embd.weight", SYNP_EMBD, SYNP_CONTEXT, SYNP_ONE},
    {"rope_freqs.weight", SYNP_ROPE_HALF_SIZE, SYNP_ONE, SYNP_ONE},
    {"rope_factors_short.weight", SYNP_ROPE_HALF_SIZE, SYNP_ONE, SYNP_ONE},
    {"rope_factors_long.weight", SYNP_ROPE_HALF_SIZE, SYNP_ONE, SYNP_ONE},
    {"output_norm.weight", SYNP_EMBD, SYNP_ONE, SYNP_ONE},
    {"output_norm.bias", SYNP_EMBD, SYNP_ONE, SYNP_ONE},
    {"output.weight", SYNP_EMBD, SYNP_VOCAB, SYNP_ONE},
    {"output.bias", SYNP_VOCAB, SYNP_ONE, SYNP_ONE},
};

static const synp_shape synp_parts[SYN_PARTS] = {
    /* in the order of syn_part */
    {"attn_norm.weight", SYNP_EMBD, SYNP_ONE, SYNP_ONE},
    {"attn_norm.bias", SYNP_EMBD, SYNP_ONE, SYNP_ONE},
    {"attn_q.weight", SYNP_EMBD, SYNP_Q, SYNP_ONE},
    {"attn_k.weight", SYNP_EMBD, SYNP_K, SYNP_ONE},
    {"attn_v.weight", SYNP_EMBD, SYNP_V, SYNP_ONE},
    {"attn_qkv.weight", SYNP_EMBD, SYNP_QKV, SYNP_ONE},
    {"attn_q.bias", SYNP_Q, SYNP_ONE, SYNP_ONE},
    {"attn_k.bias", SYNP_K, SYNP_ONE, SYNP_ONE},
    {"attn_v.bias", SYNP_V, SYNP_ONE, SYNP_ONE},
    {"attn_qkv.bias", SYNP_QKV, SYNP_ONE, SYNP_ONE},
    {"attn_q_norm.weight", SYNP_Q_NORM, SYNP_ONE, SYNP_ONE},
    {"attn_k_norm.weight", SYNP_K_NORM, SYNP_ONE, SYNP_ONE},
    {"attn_output.weight", SYNP_HEADS_OUT, SYNP_EMBD, SYNP_ONE},
    {"attn_output.bias", SYNP_EMBD, SYNP_ONE, SYNP_ONE},
    {"post_attention_norm.weight", SYNP_EMBD, SYNP_ONE, SYNP_ONE},
    {"attn_q_a.weight", SYNP_EMBD, SYNP_Q_LORA, SYNP_ONE},
    {"attn_q_a_norm.weight", SYNP_Q_LORA, SYNP_ONE, SYNP_ONE},
    {"attn_q_b.weight", SYNP_Q_LORA, SYNP_Q, SYNP_ONE},
    {"attn_kv_a_mqa.weight", SYNP_EMBD, SYNP_KV_A, SYNP_ONE},
    {"attn_kv_a_norm.weight", SYNP_KV_LORA, SYNP_ONE, SYNP_ONE},
    {"attn_kv_b.weight", SYNP_KV_LORA, SYNP_KV_B, SYNP_ONE},
    {"attn_k_b.weight", SYNP_NOPE, SYNP_KV_LORA, SYNP_HEADS},
    {"attn_v_b.weight", SYNP_KV_LORA, SYNP_VALUE, SYNP_HEADS},
    {"ffn_norm.weight", SYNP_EMBD, SYNP_ONE, SYNP_ONE},
    {"ffn_norm.bias", SYNP_EMBD, SYNP_ONE, SYNP_ONE},
    {"ffn_gate.weight", SYNP_EMBD, SYNP_FF, SYNP_ONE},
    {"ffn_up.weight", SYNP_EMBD, SYNP_FF_UP, SYNP_ONE},
    {"ffn_down.weight", SYNP_FF, SYNP_EMBD, SYNP_ONE},
    {"ffn_up.bias", SYNP_FF_UP, SYNP_ONE, SYNP_ONE},
    {"ffn_down.bias", SYNP_EMBD, SYNP_ONE, SYNP_ONE},
    {"post_ffw_norm.weight", SYNP_EMBD, SYNP_ONE, SYNP_ONE},
    {"ffn_gate_inp.weight", SYNP_EMBD, SYNP_EXPERTS, SYNP_ONE},
    {"ffn_gate_exps.weight", SYNP_EMBD, SYNP_EXPERT_FF, SYNP_EXPERTS},
    {"ffn_up_exps.weight", SYNP_EMBD, SYNP_EXPERT_FF, SYNP_EXPERTS},
    {"ffn_down_exps.weight", SYNP_EXPERT_FF, SYNP_EMBD, SYNP_EXPERTS},
    {"ffn_gate_shexp.weight", SYNP_EMBD, SYNP_SHARED_FF, SYNP_ONE},
    {"ffn_up_shexp.weight", SYNP_EMBD, SYNP_SHARED_FF, SYNP_ONE},
    {"ffn_down_shexp.weight", SYNP_SHARED_FF, SYNP_EMBD, SYNP_ONE},
    {"ffn_gate.bias", SYNP_FF, SYNP_ONE, SYNP_ONE},
    {"attn_sinks.weight", SYNP_HEADS, SYNP_ONE, SYNP_ONE},
    {"ffn_gate_inp.bias", SYNP_EXPERTS, SYNP_ONE, SYNP_ONE},
    {"exp_probs_b.bias", SYNP_EXPERTS, SYNP_ONE, SYNP_ONE},
    {"ffn_gate_exps.bias", SYNP_EXPERT_FF, SYNP_EXPERTS, SYNP_ONE},
    {"ffn_up_exps.bias", SYNP_EXPERT_FF, SYNP_EXPERTS, SYNP_ONE},
    {"ffn_down_exps.bias", SYNP_EMBD, SYNP_EXPERTS, SYNP_ONE},
    {"ffn_gate_inp_shexp.weight", SYNP_EMBD, SYNP_ONE, SYNP_ONE},
};

/* Where a key's value goes, and which families read it. */
typedef enum synp_key_need {
    SYNP_KEY_NEEDED, /* every family must have it */
    SYNP_KEY_READ,   /* every family reads it */
    SYNP_KEY_OWN     /* families that name it in their row; in others it may only state a default */
} synp_key_need;

typedef struct synp_hparam {
    const char *key; /* behind "<architecture>." */
    size_t at;       /* offset in syn_model */
    char kind;       /* 'u' uint32_t, 'h' the same or one a layer, 'f' float, 'b' bool */
    synp_key_need need;
} synp_hparam;

enum synp_hparam_row { /* rows of synp_hparams that code or families refer to */
                       SYNP_KEY_LAYERS,
                       SYNP_KEY_EMBD,
                       SYNP_KEY_HEADS,
                       SYNP_KEY_KV_HEADS,
                       SYNP_KEY_KEY_SIZE,
                       SYNP_KEY_VALUE_SIZE,
                       SYNP_KEY_FF,
                       SYNP_KEY_CONTEXT,
                       SYNP_KEY_ROPE_SIZE,
                       SYNP_KEY_ROPE_BASE,
                       SYNP_KEY_RMS_EPS,
                       SYNP_KEY_EPS,
                       SYNP_KEY_SCALE_LINEAR,
                       SYNP_KEY_ROPE_FACTOR,
                       SYNP_KEY_WINDOW,
                       SYNP_KEY_LOCAL_BASE,
                       SYNP_KEY_EXPERTS,
                       SYNP_KEY_EXPERTS_USED,
                       SYNP_KEY_EXPERT_FF,
                       SYNP_KEY_KV_LORA,
                       SYNP_KEY_Q_LORA,
                       SYNP_KEY_KEY_MLA,
                       SYNP_KEY_VALUE_MLA,
                       SYNP_KEY_ATTN_CAP,
                       SYNP_KEY_FINAL_CAP,
                       SYNP_KEY_LOG_MULTIPLIER,
                       SYNP_KEY_PARALLEL,
                       SYNP_KEY_SHARED,
                       SYNP_KEY_SHARED_FF,
                       SYNP_KEY_EXPERT_SCALE,
                       SYNP_KEY_EXPERT_NORM,
                       SYNP_KEY_GATING,
                       SYNP_KEY_GROUPS,
                       SYNP_KEY_GROUPS_USED,
                       SYNP_KEY_DENSE,
                       SYNP_KEY_LOGIT_SCALE,
                       SYNP_KEY_RESIDUAL_SCALE,
                       SYNP_KEY_EMBD_SCALE,
                       SYNP_KEY_ATTN_SCALE,
                       SYNP_KEY_TEMPERATURE,
                       SYNP_KEY_TEMPERATURE_LENGTH,
                       SYNP_KEY_ROPE_ON,
                       SYNP_KEY_FURTHER
};

#define SYNP_HPARAM(key, field, kind, need)                                                        \
    {                                                                                              \
        key, offsetof(syn_model, field), kind, need                                                \
    }

static const synp_hparam synp_hparams[] = {
    SYNP_HPARAM("block_count", layers, 'u', SYNP_KEY_NEEDED),
    SYNP_HPARAM("embedding_length", embd, 'u', SYNP_KEY_NEEDED),
    SYNP_HPARAM("attention.head_count", heads, 'h', SYNP_KEY_NEEDED),
    SYNP_HPARAM("attention.head_count_kv", kv_heads, 'h', SYNP_KEY_READ),
    SYNP_HPARAM("attention.key_length", key_size, 'u', SYNP_KEY_READ),
    SYNP_HPARAM("attention.value_length", value_size, 'u', SYNP_KEY_READ),
    SYNP_HPARAM("feed_forward_length", ff, 'u', SYNP_KEY_NEEDED),
    SYNP_HPARAM("context_length", context, 'u', SYNP_KEY_NEEDED),
    SYNP_HPARAM("rope.dimension_count", rope_size, 'u', SYNP_KEY_READ),
    SYNP_HPARAM("rope.freq_base", rope_base, 'f', SYNP_KEY_READ),
    SYNP_HPARAM("attention.layer_norm_rms_epsilon", norm_eps, 'f', SYNP_KEY_OWN),
    SYNP_HPARAM("attention.layer_norm_epsilon", norm_eps, 'f', SYNP_KEY_OWN),
    SYNP_HPARAM("rope.scale_linear", rope_factor, 'f', SYNP_KEY_READ), /* the factor's old name */
    SYNP_HPARAM("rope.scaling.factor", rope_factor, 'f', SYNP_KEY_READ),
    SYNP_HPARAM("attention.sliding_window", window, 'u', SYNP_KEY_OWN),
    SYNP_HPARAM("rope.freq_base_swa", rope_base_local, 'f', SYNP_KEY_OWN),
    SYNP_HPARAM("expert_count", experts, 'u', SYNP_KEY_OWN),
    SYNP_HPARAM("expert_used_count", experts_used, 'u', SYNP_KEY_OWN),
    SYNP_HPARAM("expert_feed_forward_length", expert_ff, 'u', SYNP_KEY_OWN),
    SYNP_HPARAM("attention.kv_lora_rank", kv_lora, 'u', SYNP_KEY_OWN),
    SYNP_HPARAM("attention.q_lora_rank", q_lora, 'u', SYNP_KEY_OWN),
    SYNP_HPARAM("attention.key_length_mla", key_length_mla, 'u', SYNP_KEY_OWN),
    SYNP_HPARAM("attention.value_length_mla", value_length_mla, 'u', SYNP_KEY_OWN),
    SYNP_HPARAM("attn_logit_softcapping", attn_softcap, 'f', SYNP_KEY_OWN),
    SYNP_HPARAM("final_logit_softcapping", final_softcap, 'f', SYNP_KEY_OWN),
    SYNP_HPARAM("rope.scaling.yarn_log_multiplier", yarn_log_multiplier, 'f', SYNP_KEY_OWN),
    SYNP_HPARAM("use_parallel_residual", parallel_residual, 'b', SYNP_KEY_OWN),
    SYNP_HPARAM("expert_shared_count", experts_shared, 'u', SYNP_KEY_OWN),
    SYNP_HPARAM("expert_shared_feed_forward_length", shared_ff, 'u', SYNP_KEY_OWN),
    SYNP_HPARAM("expert_weights_scale", expert_scale, 'f', SYNP_KEY_OWN),
    SYNP_HPARAM("expert_weights_norm", experts_renormalised, 'b', SYNP_KEY_OWN),
    SYNP_HPARAM("expert_gating_func", expert_gating, 'u', SYNP_KEY_OWN),
    SYNP_HPARAM("expert_group_count", expert_groups, 'u', SYNP_KEY_OWN),
    SYNP_HPARAM("expert_group_used_count", expert_groups_used, 'u', SYNP_KEY_OWN),
    SYNP_HPARAM("leading_dense_block_count", dense_layers, 'u', SYNP_KEY_OWN),
    SYNP_HPARAM("logit_scale", logit_scale, 'f', SYNP_KEY_OWN),
    SYNP_HPARAM("residual_scale", residual_scale, 'f', SYNP_KEY_OWN),
    SYNP_HPARAM("embedding_scale", embd_scale, 'f', SYNP_KEY_OWN),
    SYNP_HPARAM("attention.scale", attn_scale, 'f', SYNP_KEY_OWN),
    SYNP_HPARAM("attention.temperature_scale", temperature_scale, 'f', SYNP_KEY_OWN),
    SYNP_HPARAM("attention.temperature_length", temperature_length, 'u', SYNP_KEY_OWN),
    SYNP_HPARAM("rope.scaling.finetuned", rope_on, 'b', SYNP_KEY_OWN), /* Granite's switch */
    SYNP_HPARAM("nextn_predict_layers", further_layers, 'u', SYNP_KEY_OWN),
    SYNP_HPARAM("rope.scaling.attn_factor", rope_attn_factor, 'f', SYNP_KEY_READ),
    SYNP_HPARAM("rope.scaling.original_context_length", rope_original_context, 'u', SYNP_KEY_READ),
    SYNP_HPARAM("rope.scaling.yarn_beta_fast", yarn_beta_fast, 'f', SYNP_KEY_READ),
    SYNP_HPARAM("rope.scaling.yarn_beta_slow", yarn_beta_slow, 'f', SYNP_KEY_READ),
};

enum { SYNP_HPARAMS = sizeof synp_hparams / sizeof synp_hparams[0] };

/* Keys that no family here reads and that would change what is computed: a file may only state with
   them what holds anyway, one of two numbers (for every element of an array). */
typedef struct synp_fixed_key {
    const char *key;
    double either, or_else;
} synp_fixed_key;

static const synp_fixed_key synp_fixed_keys[] = {
    {"attention.causal", 1, 1},
    {"attention.clamp_kqv", 0, 0},
    {"attention.max_alibi_bias", 0, 0},
    {"attention.output_scale", 0, 1},
    {"attention.value_scale", 0, 1},
    {"attention.shared_kv_layers", 0, 0},
    {"attention.recurrent_layers", 0, 0},
    {"attention.indexer.head_count", 0, 0},
    {"attention.relative_buckets_count", 0, 0},
    {"rope.dimension_sections", 0, 0},
    {"rope.scaling.alpha", 0, 0},
    {"rope.scaling.yarn_ext_factor", 1, -1},
    {"router_logit_softcapping", 0, 0},
    {"interleave_moe_layer_step", 0, 1},
    {"moe_every_n_layers", 0, 1},
    {"moe_latent_size", 0, 0},
    {"expert_group_scale", 0, 1},
    {"experts_per_group", 0, 0},
    {"expert_chunk_feed_forward_length", 0, 0},
    {"swiglu_clamp_exp", 0, 0},
    {"swiglu_clamp_shexp", 0, 0},
    {"n_deepstack_layers", 0, 0},
    {"deepstack_mapping", -1, -1},
    {"swin_norm", 0, 0},
    {"norm_before_residual", 0, 0},
    {"rescale_every_n_layers", 0, 0},
    {"full_attention_interval", 0, 1},
    {"token_shift_count", 0, 0},
    {"embedding_length_per_layer_input", 0, 0},
    {"ssm.state_size", 0, 0},
    {"ssm.inner_size", 0, 0},
    {"wkv.head_size", 0, 0},
    {"kda.head_dim", 0, 0},
    {"shortconv.l_cache", 0, 0},
};

/* Keys and tensors that say nothing about the next token. A tensor's name may end in '*'. */
typedef struct synp_harmless {
    const char *name, *why;
} synp_harmless;

static const synp_harmless synp_harmless_keys[] = {
    {"vocab_size", "the embedding has as many rows as there are tokens"},
    {"pooling_type", "how an embedding is made of a text, not how tokens are foretold"},
    {"classifier.output_labels", "names of classes, not of tokens"},
    {"decoder_start_token_id", "of models with an encoder"},
    {"tensor_data_layout", "how the weights lay before they were converted"},
    {"rope.scaling.finetuned", "how the model was trained, not how it runs"},
    {"dense_2_feat_in", "of an embedding head"},
    {"dense_2_feat_out", "of an embedding head"},
    {"dense_3_feat_in", "of an embedding head"},
    {"dense_3_feat_out", "of an embedding head"},
};

static const synp_harmless synp_harmless_tensors[] = {
    {"rope_freqs.weight", "the family rotates nothing"},
    {"rope_factors_short.weight", "the rope scaling of this file is not longrope"},
    {"rope_factors_long.weight", "the rope scaling of this file is not longrope"},
    {"dense_2.weight", "an embedding head behind the last layer"},
    {"dense_3.weight", "an embedding head behind the last layer"},
    {"cls*", "a classifier or reranking head behind the last layer"},
};

/* How the names of tensors of language models in GGUF begin. No known model has any other name. */
static const char *const synp_stems[] = {
    "blk",   "token_", "output", "position_", "rope_",       "per_layer_",  "altup_",
    "nextn", "enc",    "dec",    "conv",      "posnet",      "masked_embd", "fc",
    "d2t",   "mm",     "model",  "lm_head",   "transformer", "attn",        "ffn",
};

static const char *const synp_nobodys = "a name that no part of a language model has";
static const char *const synp_unknown_key = "not known here";

#define SYNP_KEYS_RMS SYNP_BIT(SYNP_KEY_RMS_EPS)
#define SYNP_KEYS_LAYER SYNP_BIT(SYNP_KEY_EPS)
#define SYNP_KEYS_WINDOW (SYNP_BIT(SYNP_KEY_WINDOW) | SYNP_BIT(SYNP_KEY_LOCAL_BASE))
#define SYNP_KEYS_EXPERTS                                                                          \
    (SYNP_BIT(SYNP_KEY_EXPERTS) | SYNP_BIT(SYNP_KEY_EXPERTS_USED) | SYNP_BIT(SYNP_KEY_EXPERT_FF))
#define SYNP_KEYS_ROUTED (SYNP_BIT(SYNP_KEY_EXPERTS) | SYNP_BIT(SYNP_KEY_EXPERTS_USED))
#define SYNP_KEYS_GRANITE                                                                          \
    (SYNP_KEYS_EXPERTS | SYNP_BIT(SYNP_KEY_SHARED_FF) | SYNP_BIT(SYNP_KEY_LOGIT_SCALE) |           \
     SYNP_BIT(SYNP_KEY_RESIDUAL_SCALE) | SYNP_BIT(SYNP_KEY_EMBD_SCALE) |                           \
     SYNP_BIT(SYNP_KEY_ATTN_SCALE) | SYNP_BIT(SYNP_KEY_ROPE_ON))
#define SYNP_KEYS_DEEPSEEK                                                                         \
    (SYNP_KEYS_EXPERTS | SYNP_BIT(SYNP_KEY_KV_LORA) | SYNP_BIT(SYNP_KEY_Q_LORA) |                  \
     SYNP_BIT(SYNP_KEY_KEY_MLA) | SYNP_BIT(SYNP_KEY_VALUE_MLA) |                                   \
     SYNP_BIT(SYNP_KEY_LOG_MULTIPLIER) | SYNP_BIT(SYNP_KEY_SHARED) |                               \
     SYNP_BIT(SYNP_KEY_EXPERT_SCALE) | SYNP_BIT(SYNP_KEY_EXPERT_NORM) |                            \
     SYNP_BIT(SYNP_KEY_GATING) | SYNP_BIT(SYNP_KEY_GROUPS) | SYNP_BIT(SYNP_KEY_GROUPS_USED) |      \
     SYNP_BIT(SYNP_KEY_DENSE) | SYNP_BIT(SYNP_KEY_TEMPERATURE) |                                   \
     SYNP_BIT(SYNP_KEY_TEMPERATURE_LENGTH))

/* A period that no layer number reaches: every layer is local, where the file names a window. */
enum { SYNP_ALL_LOCAL = 2 * SYN_MODEL_LAYERS };

/* How to add a family.

   A layer is the same for all: norm, Q K V, norms of Q and K, rope, attention, output projection,
   norm, sum; norm, feed-forward or experts, norm, sum. A step runs when its tensor is among the
   family's parts, so that most of a family is the list of its tensors:

   1. Name: general.architecture of its files. Look into one (`synergy info` lists what it cannot
      open, any GGUF viewer the tensors) and into the code that trained it.
   2. needed, optional: the tensors of a layer, as bits; a file without a needed one is refused by
      its name, an optional one is used where it is there. Sets that many share have a name
      (SYNP_PARTS_LLAMA: pre-norms, Q K V O, gated feed-forward). No SYN_ATTN_NORM means that the
      stream goes in as it is; SYN_ATTN_POST_NORM norms what comes out; SYN_ATTN_QKV and
      SYNP_FUSED_GATE are matrices with several in their rows. Experts need no bits: expert_count
      does.
   3. norm, rope (which two numbers of a head form a pair), act: one of the enums.
   4. quirks: what no tensor tells, such as a scaled embedding, Q and K normed over all heads, or
      head counts that are arrays.
   5. window_period: every how many layers attention is global, when a window is in the file;
      scale_by_embd_layers belongs to SYNP_SCALE_BY_EMBD, else 0.
   6. keys: hyperparameters without which its files make no sense; uses: those that it reads beside
      the ones that all families read. Any other key that would change a number refuses the file.

   A tensor or key that is not known yet is a row of synp_parts or synp_hparams; a shape of another
   make a synp_dim; a new activation, norm or quirk an enum value and the line where it acts
   (>>context: synp_activate, synp_norm_rows, synp_layer). Then check it: a class of a dozen lines
   in tests/reference/models_archs.py (names there and here), a row in models_specs.py,
   `make_models.py` writes the tiny model with what transformers makes of it, and its name goes into
   the list of tests/test_context.c. olmo2, phi3 and starcoder2 came about like that. */
static const syn_family synp_families[] = {
    {"llama", SYNP_PARTS_LLAMA, SYNP_PARTS_ATTENTION_MORE | SYNP_PARTS_FFN_BIAS, SYNP_NORM_RMS,
     SYNP_ROPE_INTERLEAVED, SYNP_ACT_SILU, SYNP_RENORMALISED, 0, 0, SYNP_KEYS_RMS,
     SYNP_KEYS_EXPERTS},
    {"mistral3", SYNP_PARTS_LLAMA, SYNP_PARTS_ATTENTION_MORE | SYNP_PARTS_FFN_BIAS, SYNP_NORM_RMS,
     SYNP_ROPE_INTERLEAVED, SYNP_ACT_SILU, SYNP_RENORMALISED, 0, 0, SYNP_KEYS_RMS,
     SYNP_KEYS_EXPERTS | SYNP_BIT(SYNP_KEY_TEMPERATURE) | SYNP_BIT(SYNP_KEY_LOG_MULTIPLIER)},
    {"deci", SYNP_PARTS_LLAMA, SYNP_PARTS_ATTENTION_MORE | SYNP_PARTS_FFN_BIAS, SYNP_NORM_RMS,
     SYNP_ROPE_INTERLEAVED, SYNP_ACT_SILU, SYNP_LAYER_HEADS, 0, 0, SYNP_KEYS_RMS, 0},
    {"smollm3", SYNP_PARTS_LLAMA, SYNP_PARTS_ATTENTION_MORE, SYNP_NORM_RMS, SYNP_ROPE_INTERLEAVED,
     SYNP_ACT_SILU, SYNP_FOURTH_PLAIN, 0, 0, SYNP_KEYS_RMS, 0},
    {"granite", SYNP_PARTS_LLAMA, SYNP_PARTS_ATTENTION_MORE | SYNP_PARTS_FFN_BIAS, SYNP_NORM_RMS,
     SYNP_ROPE_INTERLEAVED, SYNP_ACT_SILU, SYNP_RENORMALISED, 0, 0,
     SYNP_KEYS_RMS | SYNP_BIT(SYNP_KEY_LOGIT_SCALE), SYNP_KEYS_GRANITE},
    {"granitemoe", SYNP_PARTS_LLAMA, SYNP_PARTS_ATTENTION_MORE | SYNP_PARTS_FFN_BIAS, SYNP_NORM_RMS,
     SYNP_ROPE_INTERLEAVED, SYNP_ACT_SILU, SYNP_RENORMALISED, 0, 0,
     SYNP_KEYS_RMS | SYNP_BIT(SYNP_KEY_LOGIT_SCALE), SYNP_KEYS_GRANITE},
    {"qwen2", SYNP_PARTS_LLAMA | SYNP_PARTS_QKV_BIAS, SYNP_PARTS_ATTENTION_MORE, SYNP_NORM_RMS,
     SYNP_ROPE_HALF, SYNP_ACT_SILU, SYNP_OUTPUT_BIAS, 0, 0, SYNP_KEYS_RMS, 0},
    {"qwen2moe", SYNP_PARTS_LLAMA | SYNP_PARTS_QKV_BIAS, SYNP_PARTS_ATTENTION_MORE, SYNP_NORM_RMS,
     SYNP_ROPE_HALF, SYNP_ACT_SILU, SYNP_GATED_SHARED, 0, 0, SYNP_KEYS_RMS | SYNP_KEYS_ROUTED,
     SYNP_KEYS_EXPERTS | SYNP_BIT(SYNP_KEY_SHARED_FF)},
    {"qwen3", SYNP_PARTS_LLAMA | SYNP_PARTS_QK_NORM, SYNP_PARTS_ATTENTION_MORE, SYNP_NORM_RMS,
     SYNP_ROPE_HALF, SYNP_ACT_SILU, 0, 0, 0, SYNP_KEYS_RMS, 0},
    {"qwen3moe", SYNP_PARTS_LLAMA | SYNP_PARTS_QK_NORM, SYNP_PARTS_ATTENTION_MORE, SYNP_NORM_RMS,
     SYNP_ROPE_HALF, SYNP_ACT_SILU, SYNP_RENORMALISED, 0, 0, SYNP_KEYS_RMS | SYNP_KEYS_ROUTED,
     SYNP_KEYS_EXPERTS},
    {"gemma", SYNP_PARTS_LLAMA, SYNP_PARTS_ATTENTION_MORE, SYNP_NORM_RMS, SYNP_ROPE_HALF,
     SYNP_ACT_GELU_TANH, SYNP_SCALED_EMBD, 0, 0, SYNP_KEYS_RMS, 0},
    {"gemma2", SYNP_PARTS_LLAMA | SYNP_PARTS_POST_NORM, SYNP_PARTS_ATTENTION_MORE, SYNP_NORM_RMS,
     SYNP_ROPE_HALF, SYNP_ACT_GELU_TANH, SYNP_SCALED_EMBD | SYNP_SCALE_BY_EMBD, 2, 46,
     SYNP_KEYS_RMS | SYNP_BIT(SYNP_KEY_WINDOW),
     SYNP_KEYS_WINDOW | SYNP_BIT(SYNP_KEY_ATTN_CAP) | SYNP_BIT(SYNP_KEY_FINAL_CAP)},
    {"gemma3", SYNP_PARTS_LLAMA | SYNP_PARTS_QK_NORM | SYNP_PARTS_POST_NORM,
     SYNP_PARTS_ATTENTION_MORE, SYNP_NORM_RMS, SYNP_ROPE_HALF, SYNP_ACT_GELU_TANH,
     SYNP_SCALED_EMBD | SYNP_LOCAL_BASE | SYNP_SCALE_BY_EMBD, 6, 62,
     SYNP_KEYS_RMS | SYNP_BIT(SYNP_KEY_WINDOW), SYNP_KEYS_WINDOW | SYNP_BIT(SYNP_KEY_FINAL_CAP)},
    {"gptneox", SYNP_PARTS_GPT, 0, SYNP_NORM_LAYER, SYNP_ROPE_HALF, SYNP_ACT_GELU_ERF,
     SYNP_PARALLEL, 0, 0, SYNP_KEYS_LAYER, SYNP_BIT(SYNP_KEY_PARALLEL)},
    {"gpt2", SYNP_PARTS_GPT, 0, SYNP_NORM_LAYER, SYNP_ROPE_NONE, SYNP_ACT_GELU_TANH, 0, 0, 0,
     SYNP_KEYS_LAYER, 0},
    {"deepseek2", SYNP_PARTS_PRE_NORM | SYNP_BIT(SYN_ATTN_OUTPUT) | SYNP_PARTS_GATED,
     SYNP_BIT(SYN_FFN_CHOICE_BIAS), SYNP_NORM_RMS, SYNP_ROPE_INTERLEAVED, SYNP_ACT_SILU, SYNP_MLA,
     0, 0, SYNP_KEYS_RMS | SYNP_BIT(SYNP_KEY_KV_LORA), SYNP_KEYS_DEEPSEEK},
    {"olmo2", (SYNP_PARTS_LLAMA & ~SYNP_PARTS_PRE_NORM) | SYNP_PARTS_QK_NORM | SYNP_PARTS_POST_NORM,
     SYNP_PARTS_ATTENTION_MORE, SYNP_NORM_RMS, SYNP_ROPE_HALF, SYNP_ACT_SILU,
     SYNP_WIDE_QK_NORM | SYNP_LOCAL_PLAIN, 4, 0, SYNP_KEYS_RMS, SYNP_BIT(SYNP_KEY_WINDOW)},
    {"olmoe", SYNP_PARTS_LLAMA | SYNP_PARTS_QK_NORM, SYNP_PARTS_ATTENTION_MORE, SYNP_NORM_RMS,
     SYNP_ROPE_HALF, SYNP_ACT_SILU, SYNP_WIDE_QK_NORM, 0, 0, SYNP_KEYS_RMS | SYNP_KEYS_ROUTED,
     SYNP_KEYS_EXPERTS},
    {"phi3",
     SYNP_PARTS_PRE_NORM | SYNP_BIT(SYN_ATTN_QKV) | SYNP_BIT(SYN_ATTN_OUTPUT) |
         SYNP_BIT(SYN_FFN_UP) | SYNP_BIT(SYN_FFN_DOWN),
     SYNP_PARTS_ATTENTION_MORE, SYNP_NORM_RMS, SYNP_ROPE_HALF, SYNP_ACT_SILU,
     SYNP_FUSED_GATE | SYNP_LONGROPE, SYNP_ALL_LOCAL, 0, SYNP_KEYS_RMS, SYNP_BIT(SYNP_KEY_WINDOW)},
    {"starcoder2", SYNP_PARTS_GPT_APART, SYNP_PARTS_ATTENTION_MORE, SYNP_NORM_LAYER, SYNP_ROPE_HALF,
     SYNP_ACT_GELU_TANH, 0, 0, 0, SYNP_KEYS_LAYER, 0},
    {"glm4",
     SYNP_PARTS_PRE_NORM | SYNP_PARTS_POST_NORM | SYNP_PARTS_QKV | SYNP_BIT(SYN_ATTN_OUTPUT) |
         SYNP_BIT(SYN_FFN_UP) | SYNP_BIT(SYN_FFN_DOWN),
     SYNP_PARTS_ATTENTION_MORE, SYNP_NORM_RMS, SYNP_ROPE_INTERLEAVED, SYNP_ACT_SILU,
     SYNP_FUSED_GATE | SYNP_FURTHER, 0, 0, SYNP_KEYS_RMS, SYNP_BIT(SYNP_KEY_FURTHER)},
    {"gpt-oss",
     SYNP_PARTS_PRE_NORM | SYNP_PARTS_QKV | SYNP_PARTS_QKV_BIAS | SYNP_BIT(SYN_ATTN_OUTPUT) |
         SYNP_BIT(SYN_ATTN_OUTPUT_BIAS) | SYNP_BIT(SYN_ATTN_SINKS) | SYNP_PARTS_EXPERTS_BIAS,
     SYNP_PARTS_ATTENTION_MORE, SYNP_NORM_RMS, SYNP_ROPE_HALF, SYNP_ACT_SILU_CLAMPED,
     SYNP_NORM_MOVED | SYNP_CHOSEN_SOFTMAX, 2, 0,
     SYNP_KEYS_RMS | SYNP_KEYS_ROUTED | SYNP_BIT(SYNP_KEY_WINDOW),
     SYNP_KEYS_WINDOW | SYNP_KEYS_EXPERTS},
};

enum { SYNP_FAMILIES = sizeof synp_families / sizeof synp_families[0] };

SYN_API const char *syn_model_family(size_t i)
{
    return i < (size_t)SYNP_FAMILIES ? synp_families[i].name : NULL;
}

static bool synp_is(const syn_model *model, unsigned quirk)
{
    return (model->family->quirks & quirk) != 0;
}

static bool synp_hparam_present(const syn_model *model, enum synp_hparam_row key)
{
    return (model->keys_present & SYNP_BIT(key)) != 0;
}

SYN_API bool syn_model_is_local(const syn_model *model, uint32_t layer)
{
    return model->window && layer < model->layers && (model->local[layer / 32] >> layer % 32 & 1u);
}

/* Whether a layer rotates its queries and keys by position. */
static bool synp_layer_turns(const syn_model *model, uint32_t layer)
{
    if (model->family->rope == SYNP_ROPE_NONE || !model->rope_on) return false;
    return !synp_is(model, SYNP_FOURTH_PLAIN) || (layer + 1) % 4 != 0;
}

SYN_API bool syn_model_has_experts(const syn_model *model, uint32_t layer)
{
    return model->experts && layer >= model->dense_layers;
}

static int synp_bits_below(uint64_t bits, int i)
{
    int n = 0;
    for (bits &= SYNP_BIT(i) - 1; bits; bits &= bits - 1) n++;
    return n;
}

/* Only the parts that the family has take room: a layer is a row of popcount(parts) tensors. */
static syn_tensor *synp_part_place(const syn_model *model, uint32_t layer, syn_part part)
{
    size_t width = (size_t)synp_bits_below(model->parts, SYN_PARTS);
    return model->part + (size_t)layer * width + (size_t)synp_bits_below(model->parts, (int)part);
}

SYN_API const syn_tensor *syn_model_part(const syn_model *model, uint32_t layer, syn_part part)
{
    const syn_tensor *tensor;
    if (!model->part || layer >= model->layers || !(model->parts & SYNP_BIT(part))) return NULL;
    tensor = synp_part_place(model, layer, part);
    return tensor->type ? tensor : NULL;
}

/* ---- keys ---- */

static const char *synp_hparam_name(const syn_model *model, const char *suffix, char name[80])
{
    size_t n = strlen(model->architecture);
    memcpy(name, model->architecture, n);
    name[n] = '.';
    memcpy(name + n + 1, suffix, strlen(suffix) + 1);
    return name;
}

/* A LoRA adapter has its base model's architecture and no model in it. */
static syn_status synp_model_adapter(const syn_model *model, syn_error *err)
{
    char type[32];
    size_t length;
    syn_status status =
        syn_gguf_text(&model->gguf, "general.type", false, type, sizeof type, &length, err);
    if (status || (strcmp(type, "adapter") && strcmp(type, "mmproj"))) return status;
    return synp_fail(err, SYN_ERROR_UNSUPPORTED,
                     type[0] == 'a'
                         ? "a LoRA adapter, not a model: merge it into its base model first"
                         : "the eyes of a model (mmproj), not the model itself");
}

/* Letters to change, add or remove to turn one name into the other (Levenshtein). */
static unsigned synp_name_distance(const char *a, const char *b)
{
    unsigned row[32], i, j;
    const unsigned n = (unsigned)strlen(b);
    if (n > 31) return n;
    for (j = 0; j <= n; j++) row[j] = j;
    for (i = 0; a[i]; i++) {
        unsigned corner = row[0];
        row[0] = i + 1;
        for (j = 0; j < n; j++) {
            const unsigned change = corner + (a[i] != b[j] ? 1u : 0u);
            corner = row[j + 1];
            row[j + 1] = change < row[j] + 1 ? change : row[j] + 1;
            if (corner + 1 < row[j + 1]) row[j + 1] = corner + 1;
        }
    }
    return row[n];
}

static syn_status synp_family_unknown(const char *name, syn_error *err)
{
    char known[224];
    size_t piece[3], at = 0;
    int i, nearest = 0;
    synp_line line;
    line.text = known;
    line.used = 0;
    line.capacity = sizeof known;
    for (i = 0; i < (int)SYNP_FAMILIES; i++) {
        if (i) synp_line_text(&line, ", ", 2);
        synp_line_text(&line, synp_families[i].name, strlen(synp_families[i].name));
        if (synp_name_distance(name, synp_families[i].name) <
            synp_name_distance(name, synp_families[nearest].name))
            nearest = i;
    }
    for (i = 0; i < 3; i++) { /* a text of an error is cut after 80 letters: three of them */
        piece[i] = line.used - at < 80 ? line.used - at : 80;
        at += piece[i];
    }
    return synp_fail(err, SYN_ERROR_UNSUPPORTED,
                     "unknown architecture '%t' (the nearest is %s); known are %t%t%t", name,
                     strlen(name), synp_families[nearest].name, known, piece[0], known + piece[0],
                     piece[1], known + piece[0] + piece[1], piece[2]);
}

static syn_status synp_model_family(syn_model *model, syn_error *err)
{
    char name[32];
    size_t length;
    int i;
    syn_status status =
        syn_gguf_text(&model->gguf, "general.architecture", true, name, sizeof name, &length, err);
    if (status) return status;
    for (i = 0; i < (int)SYNP_FAMILIES; i++)
        if (strlen(synp_families[i].name) == length && !strcmp(synp_families[i].name, name)) {
            model->family = &synp_families[i];
            model->architecture = model->family->name;
            return SYN_OK;
        }
    return synp_family_unknown(name, err);
}

static syn_status synp_model_wrong(const syn_model *model, const char *suffix, uint64_t value,
                                   const char *expected, syn_error *err)
{
    char name[80];
    return synp_fail(err, SYN_ERROR_MODEL, "key %s is %u, expected %s",
                     synp_hparam_name(model, suffix, name), value, expected);
}

/* The count of one layer, at an offset of the file. */
static syn_status synp_layer_count(const syn_model *model, const char *key,
                                   const syn_gguf_value *value, uint32_t layer, uint32_t *count,
                                   syn_error *err)
{
    uint64_t bits;
    bool negative;
    syn_status status = synp_gguf_integer(
        &model->gguf, value->type, value->offset + layer * (uint64_t)synp_gguf_size[value->type],
        &bits, &negative, err);
    if (status) return status;
    if (negative || bits > INT32_MAX)
        return synp_fail(err, SYN_ERROR_MODEL, "key %s: the count of layer %u is out of range", key,
                         SYNP_U(layer));
    *count = (uint32_t)bits;
    return SYN_OK;
}

/* A count that is an array has one element a layer; *most becomes the largest. */
static syn_status synp_layer_counts(const syn_model *model, const char *key,
                                    const syn_gguf_value *value, uint32_t *count, uint32_t *most,
                                    syn_error *err)
{
    uint32_t layer;
    syn_status status = SYN_OK;
    if (!synp_is(model, SYNP_LAYER_HEADS))
        return synp_fail(
            err, SYN_ERROR_MODEL,
            "key %s is an array of %s, expected one value for all layers (architecture %s)", key,
            synp_gguf_name[value->type], model->architecture);
    if (!synp_gguf_is_integer(value->type))
        return synp_fail(err, SYN_ERROR_MODEL, "key %s is an array of %s, expected integers", key,
                         synp_gguf_name[value->type]);
    if (value->count != model->layers)
        return synp_fail(err, SYN_ERROR_MODEL, "key %s has %u elements, expected one a layer (%u)",
                         key, value->count, SYNP_U(model->layers));
    *most = 0;
    for (layer = 0; layer < model->layers && !status; layer++) {
        status = synp_layer_count(model, key, value, layer, &count[layer], err);
        if (count[layer] > *most) *most = count[layer];
    }
    return status;
}

/* One count for all layers, or one each. */
static syn_status synp_heads_read(syn_model *model, int row, const char *key, bool needed,
                                  const syn_gguf_value *value, syn_error *err)
{
    uint32_t *count = row == SYNP_KEY_HEADS ? model->layer_heads : model->layer_kv_heads;
    uint32_t *field = row == SYNP_KEY_HEADS ? &model->heads : &model->kv_heads;
    uint32_t layer;
    syn_status status;
    if (model->layers > SYN_MODEL_LAYERS)
        return synp_model_wrong(model, "block_count", model->layers, "at most 1024", err);
    if (synp_hparam_present(model, (enum synp_hparam_row)row) && value->array)
        return synp_layer_counts(model, key, value, count, field, err);
    status = syn_gguf_u32(&model->gguf, key, needed, field, err);
    for (layer = 0; layer < model->layers; layer++) count[layer] = *field;
    return status;
}

static bool synp_key_is_used(const syn_family *family, int row)
{
    return synp_hparams[row].need != SYNP_KEY_OWN || (family->keys | family->uses) & SYNP_BIT(row);
}

/* A key that this family does not read may only state what holds without it. */
static syn_status synp_hparam_idle(const syn_model *model, int row, const char *key, syn_error *err)
{
    const synp_hparam *hparam = &synp_hparams[row];
    const void *field = (const char *)model + hparam->at;
    syn_status status;
    bool same;
    if (row == SYNP_KEY_RMS_EPS || row == SYNP_KEY_EPS)
        return SYN_OK; /* of the other kind of norm */
    if (hparam->kind == 'f') {
        float value = 0;
        status = syn_gguf_f32(&model->gguf, key, false, &value, err);
        same = value == *(const float *)field || value == 0;
    } else if (hparam->kind == 'b') {
        bool value = false;
        status = syn_gguf_bool(&model->gguf, key, false, &value, err);
        same = value == *(const bool *)field || row == SYNP_KEY_ROPE_ON;
    } else {
        uint32_t value = 0;
        status = syn_gguf_u32(&model->gguf, key, false, &value, err);
        same = value == *(const uint32_t *)field || value == 0 ||
               (row == SYNP_KEY_WINDOW && value >= model->context);
    }
    if (status || same) return status;
    return synp_fail(
        err, SYN_ERROR_UNSUPPORTED,
        "key %s would change what is computed; the architecture %s does not know it here", key,
        model->architecture);
}

static syn_status synp_hparam_read(syn_model *model, int row, syn_error *err)
{
    const synp_hparam *hparam = &synp_hparams[row];
    char name[80];
    const char *key = synp_hparam_name(model, hparam->key, name);
    void *field = (char *)model + hparam->at;
    bool needed = hparam->need == SYNP_KEY_NEEDED || (model->family->keys & SYNP_BIT(row)) != 0;
    bool present;
    syn_gguf_value value;
    syn_status status = syn_gguf_find(&model->gguf, key, &value, &present, err);
    if (status) return status;
    if (present && !synp_key_is_used(model->family, row))
        return synp_hparam_idle(model, row, key, err);
    if (present) model->keys_present |= SYNP_BIT(row);
    if (hparam->kind == 'h') return synp_heads_read(model, row, key, needed, &value, err);
    if (hparam->kind == 'u') return syn_gguf_u32(&model->gguf, key, needed, (uint32_t *)field, err);
    if (hparam->kind == 'b') return syn_gguf_bool(&model->gguf, key, needed, (bool *)field, err);
    status = syn_gguf_f32(&model->gguf, key, needed, (float *)field, err);
    if (!status && present && !(fabs((double)*(float *)field) <= (double)FLT_MAX))
        return synp_fail(err, SYN_ERROR_MODEL, "key %s is not a finite number", key);
    return status;
}

enum { SYNP_GATING_SOFTMAX = 1, SYNP_GATING_SIGMOID, SYNP_GATING_CHOSEN, SYNP_EXPERT_GROUPS = 256 };

static void synp_model_defaults(syn_model *model)
{
    model->rope_base = 10000.0f;
    model->rope_factor = model->rope_attn_factor = model->expert_scale = 1.0f;
    model->yarn_beta_fast = 32.0f;
    model->yarn_beta_slow = 1.0f;
    model->rope_amplitude = model->rope_amplitude_local = 1.0f;
    model->embd_scale = model->residual_scale = 1.0f;
    model->expert_gating =
        synp_is(model, SYNP_CHOSEN_SOFTMAX) ? SYNP_GATING_CHOSEN : SYNP_GATING_SOFTMAX;
    model->rope_on = true;
    model->experts_renormalised = synp_is(model, SYNP_RENORMALISED);
    model->parallel_residual = synp_is(model, SYNP_PARALLEL);
}

/* Every layer has heads for keys and values, each read by as many queries, or no heads at all. */
static syn_status synp_model_check_heads(const syn_model *model, syn_error *err)
{
    char name[80];
    const char *key = synp_hparam_name(model, "attention.head_count_kv", name);
    uint32_t layer;
    for (layer = 0; layer < model->layers; layer++) {
        const uint32_t heads = model->layer_heads[layer], kv = model->layer_kv_heads[layer];
        if (heads && !kv)
            return synp_fail(
                err, SYN_ERROR_UNSUPPORTED,
                "key %s is 0 in layer %u, which has %u heads: linear attention is not known", key,
                SYNP_U(layer), SYNP_U(heads));
        if (!heads && kv)
            return synp_fail(err, SYN_ERROR_MODEL, "key %s is %u in layer %u, which has no heads",
                             key, SYNP_U(kv), SYNP_U(layer));
        if (kv && heads % kv)
            return synp_fail(err, SYN_ERROR_MODEL,
                             "key %s is %u, expected a divisor of the head count (layer %u)", key,
                             SYNP_U(kv), SYNP_U(layer));
    }
    return SYN_OK;
}

/* Counts that must not be zero, and heads that must divide. */
static syn_status synp_model_check_counts(const syn_model *model, syn_error *err)
{
    const uint32_t count[] = {model->layers,   model->embd,       model->heads, model->kv_heads,
                              model->key_size, model->value_size, model->ff};
    int i;
    for (i = 0; i < (int)(sizeof count / sizeof count[0]); i++)
        if (!count[i])
            return synp_model_wrong(model, synp_hparams[SYNP_KEY_LAYERS + i].key, 0, "1 or more",
                                    err);
    if (model->family->rope == SYNP_ROPE_NONE) return SYN_OK;
    if (!model->rope_size || model->rope_size % 2 || model->rope_size > model->key_size)
        return synp_model_wrong(model, "rope.dimension_count", model->rope_size,
                                "an even number up to the head size", err);
    return SYN_OK;
}

/* Numbers by which something is divided or multiplied. */
static syn_status synp_model_check_floats(const syn_model *model, syn_error *err)
{
    char name[80];
    const bool rms = model->family->norm == SYNP_NORM_RMS;
    const struct {
        const char *suffix;
        float value;
    } positive[] = {
        {rms ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon",
         model->norm_eps},
        {"rope.freq_base", model->rope_base},
        {"rope.freq_base_swa", model->rope_base_local},
        {"embedding_scale", model->embd_scale},
        {"residual_scale", model->residual_scale},
        {"rope.scaling.factor", model->rope_factor},
        {"rope.scaling.attn_factor", model->rope_attn_factor},
        {"rope.scaling.yarn_beta_fast", model->yarn_beta_fast},
        {"rope.scaling.yarn_beta_slow", model->yarn_beta_slow},
        {"expert_weights_scale", model->expert_scale},
    };
    int i;
    for (i = 0; i < (int)(sizeof positive / sizeof positive[0]); i++)
        if (!(positive[i].value > 0))
            return synp_fail(err, SYN_ERROR_MODEL, "key %s is %g, expected more than 0",
                             synp_hparam_name(model, positive[i].suffix, name),
                             (double)positive[i].value);
    {
        const struct {
            const char *suffix;
            float value;
        } not_below[] = {
            {"attn_logit_softcapping", model->attn_softcap},
            {"final_logit_softcapping", model->final_softcap},
            {"attention.scale", model->attn_scale},
            {"attention.temperature_scale", model->temperature_scale},
        };
        for (i = 0; i < (int)(sizeof not_below / sizeof not_below[0]); i++)
            if (not_below[i].value < 0)
                return synp_fail(err, SYN_ERROR_MODEL, "key %s is below 0",
                                 synp_hparam_name(model, not_below[i].suffix, name));
    }
    if (synp_hparam_present(model, SYNP_KEY_LOGIT_SCALE) && !(fabs((double)model->logit_scale) > 0))
        return synp_fail(err, SYN_ERROR_MODEL, "key %s is 0, logits are divided by it",
                         synp_hparam_name(model, "logit_scale", name));
    return SYN_OK;
}

static syn_status synp_model_check_experts(const syn_model *model, syn_error *err)
{
    if (!model->experts)
        return model->family->keys & SYNP_BIT(SYNP_KEY_EXPERTS)
                   ? synp_model_wrong(model, "expert_count", 0, "1 or more", err)
                   : SYN_OK;
    if (!model->experts_used || model->experts_used > model->experts)
        return synp_model_wrong(model, "expert_used_count", model->experts_used,
                                "from 1 to the expert count", err);
    if (!model->expert_ff)
        return synp_model_wrong(model, "expert_feed_forward_length", 0, "1 or more", err);
    if (model->expert_gating != SYNP_GATING_SOFTMAX &&
        model->expert_gating != SYNP_GATING_SIGMOID && !synp_is(model, SYNP_CHOSEN_SOFTMAX))
        return synp_model_wrong(model, "expert_gating_func", model->expert_gating,
                                "1 (softmax) or 2 (sigmoid)", err);
    if (model->expert_groups > SYNP_EXPERT_GROUPS)
        return synp_model_wrong(model, "expert_group_count", model->expert_groups, "at most 256",
                                err);
    if (model->expert_groups > 1 &&
        (model->experts % model->expert_groups || model->experts / model->expert_groups < 2))
        return synp_model_wrong(model, "expert_group_count", model->expert_groups,
                                "a divisor of the expert count, two experts a group", err);
    if (model->expert_groups > 1 &&
        (!model->expert_groups_used || model->expert_groups_used > model->expert_groups ||
         model->experts / model->expert_groups * model->expert_groups_used < model->experts_used))
        return synp_model_wrong(model, "expert_group_used_count", model->expert_groups_used,
                                "groups enough for the experts used, at most all", err);
    if (model->dense_layers > model->layers)
        return synp_model_wrong(model, "leading_dense_block_count", model->dense_layers,
                                "at most the number of layers", err);
    return SYN_OK;
}

/* Latent attention: the _mla keys hold the size of a head where the file is split (one kv head of
   the latent's size), key_length and value_length where it is not. */
static syn_status synp_model_latent(syn_model *model, syn_error *err)
{
    if (model->key_length_mla) {
        model->key_size = model->key_length_mla;
        model->value_size = model->value_length_mla;
    }
    if (!model->kv_lora)
        return synp_model_wrong(model, "attention.kv_lora_rank", 0, "1 or more", err);
    if (model->rope_size >= model->key_size)
        return synp_model_wrong(model, "rope.dimension_count", model->rope_size,
                                "less than a head's key length", err);
    model->cache_heads = 1;
    if (model->kv_lora > UINT32_MAX - model->rope_size)
        return synp_model_wrong(model, "attention.kv_lora_rank", model->kv_lora, "a smaller number",
                                err);
    model->cache_key = model->kv_lora + model->rope_size;
    model->cache_value = 0;
    return SYN_OK;
}

/* What a key means for this model: used, harmless, or fixed to the value that holds anyway. */
typedef enum synp_key_use {
    SYNP_USE_YES,
    SYNP_USE_HARMLESS,
    SYNP_USE_FIXED,
    SYNP_USE_SIZE,
    SYNP_USE_YARN,
    SYNP_USE_NEVER,
    SYNP_USE_UNKNOWN
} synp_key_use;

static const synp_harmless *synp_harmless_find(const synp_harmless *list, size_t n,
                                               const char *name)
{
    size_t i;
    for (i = 0; i < n; i++) {
        const size_t whole = strlen(list[i].name);
        if (!strcmp(list[i].name, name)) return &list[i];
        if (list[i].name[whole - 1] == '*' && !strncmp(list[i].name, name, whole - 1))
            return &list[i];
    }
    return NULL;
}

/* `row`: the row of the table that belongs to the use; for a size, the number that it must be. */
static synp_key_use synp_key_use_of(const syn_model *model, const char *suffix, uint32_t *row)
{
    const struct {
        const char *suffix;
        uint32_t value;
    } size[] = {
        {"attention.key_length_swa", model->key_size},
        {"attention.value_length_swa", model->value_size},
        {"rope.dimension_count_swa", model->rope_size},
        {"embedding_length_out", model->embd},
    };
    size_t i;
    for (i = 0; i < SYNP_HPARAMS; i++)
        if (!strcmp(suffix, synp_hparams[i].key) && synp_key_is_used(model->family, (int)i))
            return SYNP_USE_YES;
    if (!strcmp(suffix, "rope.scaling.type")) return SYNP_USE_YES;
    if (!strcmp(suffix, "attention.sliding_window_pattern"))
        return model->window ? SYNP_USE_YES : SYNP_USE_HARMLESS;
    if (!strcmp(suffix, "rope.scaling.yarn_attn_factor")) return SYNP_USE_YARN;
    if (!strcmp(suffix, "hidden_activation")) return SYNP_USE_NEVER;
    for (i = 0; i < sizeof synp_fixed_keys / sizeof synp_fixed_keys[0]; i++)
        if (!strcmp(suffix, synp_fixed_keys[i].key)) {
            *row = (uint32_t)i;
            return SYNP_USE_FIXED;
        }
    for (i = 0; i < sizeof size / sizeof size[0]; i++)
        if (!strcmp(suffix, size[i].suffix)) {
            *row = size[i].value;
            return SYNP_USE_SIZE;
        }
    return synp_harmless_find(synp_harmless_keys,
                              sizeof synp_harmless_keys / sizeof synp_harmless_keys[0], suffix)
               ? SYNP_USE_HARMLESS
               : SYNP_USE_UNKNOWN;
}

/* One element of a value as a number. */
static syn_status synp_gguf_number(const syn_gguf *gguf, const syn_gguf_value *value, uint64_t i,
                                   double *number, syn_error *err)
{
    const uint64_t at = value->offset + i * synp_gguf_size[value->type];
    unsigned char raw[8] = {0, 0, 0, 0, 0, 0, 0, 0};
    uint64_t bits;
    bool negative;
    syn_status status;
    if (value->type == SYN_GGUF_F32 || value->type == SYN_GGUF_F64) {
        status = synp_source_read(gguf->source, at, raw, synp_gguf_size[value->type], err);
        bits = synp_u64(raw);
        if (value->type == SYN_GGUF_F32) *number = (double)synp_f32(raw);
        else memcpy(number, &bits, sizeof *number);
        return status;
    }
    status = synp_gguf_integer(gguf, value->type == SYN_GGUF_BOOL ? SYN_GGUF_U8 : value->type, at,
                               &bits, &negative, err);
    *number = negative ? -(double)(0 - bits) : (double)bits;
    return status;
}

/* Are all numbers of a key one of these two? A text is neither. */
static syn_status synp_key_is_fixed(const syn_model *model, const char *key, double either,
                                    double or_else, bool *fixed, syn_error *err)
{
    syn_gguf_value value;
    bool present;
    uint64_t i;
    syn_status status = syn_gguf_find(&model->gguf, key, &value, &present, err);
    *fixed = status || (value.type != SYN_GGUF_STRING && value.type != SYN_GGUF_ARRAY &&
                        value.count <= SYN_MODEL_LAYERS);
    for (i = 0; !status && *fixed && i < value.count; i++) {
        double number;
        status = synp_gguf_number(&model->gguf, &value, i, &number, err);
        *fixed = fabs(number - either) <= 1e-6 || fabs(number - or_else) <= 1e-6;
    }
    return status;
}

/* The factor that YaRN puts on cos and sin: 1 + 0.1 m ln s. */
static double synp_yarn_mscale(double factor, double m)
{
    return factor <= 1 ? 1 : 1 + 0.1 * m * log(factor);
}

static syn_status synp_key_check(const syn_model *model, const char *key, syn_error *err)
{
    char name[80], text[32];
    size_t length = 0;
    uint32_t row = 0;
    bool fixed = true;
    syn_status status = SYN_OK;
    double amplitude;
    switch (synp_key_use_of(model, key + strlen(model->architecture) + 1, &row)) {
    case SYNP_USE_FIXED:
        status = synp_key_is_fixed(model, key, synp_fixed_keys[row].either,
                                   synp_fixed_keys[row].or_else, &fixed, err);
        break;
    case SYNP_USE_SIZE: status = synp_key_is_fixed(model, key, row, 0, &fixed, err); break;
    case SYNP_USE_YARN:
        status = syn_gguf_text(&model->gguf, synp_hparam_name(model, "rope.scaling.type", name),
                               false, text, sizeof text, &length, err);
        amplitude = synp_yarn_mscale((double)model->rope_factor, 1);
        if (!status && !strcmp(text, "yarn"))
            status = synp_key_is_fixed(model, key, amplitude, amplitude, &fixed, err);
        break;
    case SYNP_USE_NEVER: fixed = false; break;
    default: break;
    }
    if (status || fixed) return status;
    return synp_fail(
        err, SYN_ERROR_UNSUPPORTED,
        "key %s would change what is computed; the architecture %s does not know it here", key,
        model->architecture);
}

/* The suffix of a key of this architecture, in `name`; NULL for another key. */
static const char *synp_key_suffix(const syn_model *model, const char *name)
{
    const size_t n = strlen(model->architecture);
    return !strncmp(name, model->architecture, n) && name[n] == '.' ? name + n + 1 : NULL;
}

/* Every key under the architecture's name: used, harmless, unknown, or refused. */
static syn_status synp_model_other_keys(const syn_model *model, syn_error *err)
{
    uint64_t i, at = model->gguf.keys_at;
    for (i = 0; i < model->gguf.keys; i++) {
        syn_gguf_key key;
        char name[80];
        size_t n;
        syn_status status = syn_gguf_key_at(&model->gguf, at, &key, err);
        if (status) return status;
        at = key.next_at;
        n = key.name_bytes < sizeof name ? (size_t)key.name_bytes
                                         : 0; /* longer: none of those known */
        status = synp_source_read(model->gguf.source, key.name_at, name, n, err);
        name[n] = '\0';
        if (!status && strlen(name) == n && synp_key_suffix(model, name))
            status = synp_key_check(model, name, err);
        if (status) return status;
    }
    return SYN_OK;
}

SYN_API const char *syn_model_unused_key(const syn_model *model, const char *key)
{
    const char *suffix = synp_key_suffix(model, key), *outside;
    const synp_harmless *harmless;
    uint32_t row;
    for (row = 0; (outside = syn_tokenizer_outside(&model->tokenizer, row)) != NULL; row++)
        if (!strcmp(outside, key)) return "the id is outside the vocabulary, and nothing needs it";
    if (!suffix) return NULL;
    switch (synp_key_use_of(model, suffix, &row)) {
    case SYNP_USE_UNKNOWN: return synp_unknown_key;
    case SYNP_USE_HARMLESS: break;
    default: return NULL;
    }
    harmless = synp_harmless_find(synp_harmless_keys,
                                  sizeof synp_harmless_keys / sizeof synp_harmless_keys[0], suffix);
    return harmless ? harmless->why : "no layer has a window";
}

/* Which layers attend to a window only: every one whose number plus one is no multiple of a period,
   or one bool a layer. A period of 0 is no period: all are local. */
static syn_status synp_model_locals(syn_model *model, syn_error *err)
{
    char name[80];
    const char *key = synp_hparam_name(model, "attention.sliding_window_pattern", name);
    uint32_t layer, period = model->family->window_period;
    syn_gguf_value value;
    bool present;
    syn_status status = syn_gguf_find(&model->gguf, key, &value, &present, err);
    if (!status && present && !value.array)
        status = syn_gguf_u32(&model->gguf, key, true, &period, err);
    if (status || !model->window) return status;
    if (present && value.array &&
        (value.type != SYN_GGUF_BOOL && !synp_gguf_is_integer(value.type)))
        return synp_fail(err, SYN_ERROR_MODEL, "key %s is an array of %s, expected bools", key,
                         synp_gguf_name[value.type]);
    if (present && value.array && value.count != model->layers)
        return synp_fail(err, SYN_ERROR_MODEL, "key %s has %u elements, expected one a layer (%u)",
                         key, value.count, SYNP_U(model->layers));
    for (layer = 0; layer < model->layers; layer++) {
        bool local = !period || (layer + 1) % period != 0, negative;
        if (present && value.array) {
            uint64_t bits = 0;
            const syn_gguf_type type = value.type == SYN_GGUF_BOOL ? SYN_GGUF_U8 : value.type;
            status = synp_gguf_integer(&model->gguf, type,
                                       value.offset + layer * (uint64_t)synp_gguf_size[value.type],
                                       &bits, &negative, err);
            if (status) return status;
            local = bits != 0;
        }
        if (local) model->local[layer / 32] |= (uint32_t)1 << layer % 32;
    }
    return SYN_OK;
}

/* What follows from other keys where a key is not there. */
static syn_status synp_model_derive(syn_model *model, syn_error *err)
{
    const uint32_t heads =
        model->layer_heads[0] ? model->layer_heads[0] : model->heads; /* as llama.cpp */
    if (!synp_hparam_present(model, SYNP_KEY_KV_HEADS)) {
        model->kv_heads = model->heads;
        memcpy(model->layer_kv_heads, model->layer_heads, sizeof model->layer_heads);
    }
    if (!synp_hparam_present(model, SYNP_KEY_KEY_SIZE) && heads) {
        if (model->embd % heads)
            return synp_model_wrong(model, "attention.head_count", heads,
                                    "a divisor of the embedding length", err);
        model->key_size = model->embd / heads;
    }
    if (!synp_hparam_present(model, SYNP_KEY_VALUE_SIZE))
        model->value_size = heads ? model->embd / heads : 0;
    if (!synp_hparam_present(model, SYNP_KEY_ROPE_SIZE)) model->rope_size = model->key_size;
    if (!synp_hparam_present(model, SYNP_KEY_EXPERT_FF)) model->expert_ff = model->ff;
    if (!synp_hparam_present(model, SYNP_KEY_LOCAL_BASE))
        model->rope_base_local = synp_is(model, SYNP_LOCAL_BASE) ? 10000.0f : model->rope_base;
    if (synp_hparam_present(model, SYNP_KEY_SCALE_LINEAR) && model->rope_factor == 0)
        model->rope_factor = 1.0f;
    if (model->embd_scale == 0) model->embd_scale = 1.0f; /* 0 says no factor */
    if (model->residual_scale == 0) model->residual_scale = 1.0f;
    if (model->experts_shared && !model->shared_ff) {
        if (model->expert_ff > UINT32_MAX / model->experts_shared)
            return synp_model_wrong(model, "expert_shared_count", model->experts_shared,
                                    "a smaller number", err);
        model->shared_ff = model->expert_ff * model->experts_shared;
    }
    if (synp_is(model, SYNP_GATED_SHARED) && !model->shared_ff) model->shared_ff = model->ff;
    if (model->shared_ff && !model->experts_shared) model->experts_shared = 1;
    if (!synp_hparam_present(model, SYNP_KEY_TEMPERATURE_LENGTH) && model->temperature_scale > 0)
        model->temperature_length =
            model->rope_original_context ? model->rope_original_context : model->context;
    if (model->temperature_scale > 0 && !model->temperature_length)
        return synp_model_wrong(model, "attention.temperature_length", 0, "1 or more", err);
    if (model->further_layers >= model->layers && model->further_layers)
        return synp_model_wrong(model, "nextn_predict_layers", model->further_layers,
                                "less than block_count", err);
    model->layers -= model->further_layers;
    return SYN_OK;
}

static syn_status synp_model_read_keys(syn_model *model, syn_error *err)
{
    int i;
    syn_status status = SYN_OK;
    synp_model_defaults(model);
    for (i = 0; i < (int)SYNP_HPARAMS && !status; i++) status = synp_hparam_read(model, i, err);
    if (!status) status = synp_model_derive(model, err);
    if (status) return status;
    if (!model->window && model->family->keys & SYNP_BIT(SYNP_KEY_WINDOW))
        return synp_model_wrong(model, "attention.sliding_window", 0, "1 or more", err);
    model->cache_heads = model->kv_heads;
    model->cache_key = model->key_size;
    model->cache_value = model->value_size;
    if (synp_is(model, SYNP_MLA)) status = synp_model_latent(model, err);
    if (!status) status = synp_model_check_counts(model, err);
    if (!status) status = synp_model_check_heads(model, err);
    if (!status) status = synp_model_check_floats(model, err);
    if (!status) status = synp_model_check_experts(model, err);
    if (!status) status = synp_model_locals(model, err);
    if (!status) status = synp_model_other_keys(model, err);
    return status;
}

/* ---- dimensions and scales ---- */

static uint64_t synp_dim_of(const syn_model *model, synp_dim dim, uint64_t heads, uint64_t kv)
{
    const uint64_t key = model->key_size;
    const uint64_t q = heads * key, k = kv * key, v = kv * model->value_size;
    switch (dim) {
    case SYNP_ONE: return 1;
    case SYNP_EMBD: return model->embd;
    case SYNP_VOCAB: return model->vocab;
    case SYNP_CONTEXT: return model->context;
    case SYNP_ROPE_HALF_SIZE: return model->rope_size / 2;
    case SYNP_Q: return q;
    case SYNP_K: return k;
    case SYNP_V: return v;
    case SYNP_QKV: return q + k + v;
    case SYNP_Q_NORM: return synp_is(model, SYNP_WIDE_QK_NORM) ? q : key;
    case SYNP_K_NORM: return synp_is(model, SYNP_WIDE_QK_NORM) ? k : key;
    case SYNP_HEADS_OUT: return heads * model->value_size;
    case SYNP_FF: return model->ff;
    case SYNP_FF_UP: return synp_is(model, SYNP_FUSED_GATE) ? 2 * (uint64_t)model->ff : model->ff;
    case SYNP_EXPERTS: return model->experts;
    case SYNP_EXPERT_FF: return model->expert_ff;
    case SYNP_SHARED_FF: return model->shared_ff;
    case SYNP_Q_LORA: return model->q_lora;
    case SYNP_KV_LORA: return model->kv_lora;
    case SYNP_KV_A: return (uint64_t)model->kv_lora + model->rope_size;
    case SYNP_KV_B: return heads * (key - model->rope_size + model->value_size);
    case SYNP_NOPE: return key - model->rope_size;
    case SYNP_VALUE: return model->value_size;
    case SYNP_HEADS: return heads;
    case SYNP_DIMS: break;
    }
    return 0;
}

/* The largest of any layer, and that of one. */
static uint64_t synp_model_dim(const syn_model *model, synp_dim dim)
{
    return synp_dim_of(model, dim, model->heads, model->kv_heads);
}

static uint64_t synp_layer_dim(const syn_model *model, uint32_t layer, synp_dim dim)
{
    return synp_dim_of(model, dim, model->layer_heads[layer], model->layer_kv_heads[layer]);
}

static uint64_t synp_latent_parts(const syn_model *model)
{
    uint64_t parts = SYNP_BIT(SYN_ATTN_KV_A) | SYNP_BIT(SYN_ATTN_KV_A_NORM);
    parts |= model->q_lora
                 ? SYNP_BIT(SYN_ATTN_Q_A) | SYNP_BIT(SYN_ATTN_Q_A_NORM) | SYNP_BIT(SYN_ATTN_Q_B)
                 : SYNP_BIT(SYN_ATTN_Q);
    return parts | (model->key_length_mla ? SYNP_BIT(SYN_ATTN_K_B) | SYNP_BIT(SYN_ATTN_V_B)
                                          : SYNP_BIT(SYN_ATTN_KV_B));
}

/* The parts that layer `layer` must have. */
static uint64_t synp_model_needed(const syn_model *model, uint32_t layer)
{
    uint64_t parts = model->family->needed;
    if (synp_is(model, SYNP_MLA)) parts |= synp_latent_parts(model);
    if (!model->layer_heads[layer]) parts &= ~SYNP_PARTS_LLAMA_ATTENTION;
    if (!syn_model_has_experts(model, layer)) return parts & ~SYNP_PARTS_EXPERTS_BIAS;
    parts = (parts & ~SYNP_PARTS_GATED) | SYNP_PARTS_EXPERTS;
    if (synp_is(model, SYNP_GATED_SHARED)) parts |= SYNP_BIT(SYN_FFN_SHARED_ROUTER);
    return model->experts_shared ? parts | SYNP_PARTS_SHARED : parts;
}

/* And those that it may have. */
static uint64_t synp_model_allowed(const syn_model *model, uint32_t layer)
{
    uint64_t more = model->family->optional;
    if (!model->layer_heads[layer]) more &= ~SYNP_PARTS_LLAMA_ATTENTION;
    if (syn_model_has_experts(model, layer)) more &= ~SYNP_PARTS_FFN_BIAS;
    else more &= ~SYNP_BIT(SYN_FFN_CHOICE_BIAS);
    return synp_model_needed(model, layer) | more;
}

static void synp_model_scales(syn_model *model)
{
    double head = (double)model->key_size;
    if (synp_is(model, SYNP_SCALE_BY_EMBD) && model->layers == model->family->scale_by_embd_layers)
        head = (double)model->embd / model->heads;
    if (!(model->attn_scale > 0)) model->attn_scale = (float)(1.0 / sqrt(head));
    if (synp_is(model, SYNP_MLA) && model->rope_factor > 0) { /* YaRN's mscale, on q and on k */
        double mscale = 1 + (double)model->yarn_log_multiplier * log((double)model->rope_factor);
        model->attn_scale = (float)(mscale * mscale / sqrt(head));
    }
    if (synp_is(model, SYNP_SCALED_EMBD)) model->embd_scale = (float)sqrt((double)model->embd);
}

/* YaRN (Peng et al. 2023, arXiv 2309.00071): frequencies that turn often are kept, slow ones are
   interpolated by 1/factor, with a linear ramp between the dimensions that turn beta_fast and
   beta_slow times over the original context. */
static double synp_yarn_ramp(const syn_model *model, uint32_t i)
{
    const double pi = 3.14159265358979323846, n = model->rope_size;
    const double log_base = log((double)model->rope_base), context = model->rope_original_context;
    double low =
        floor(n * log(context / ((double)model->yarn_beta_fast * 2 * pi)) / (2 * log_base));
    double high =
        ceil(n * log(context / ((double)model->yarn_beta_slow * 2 * pi)) / (2 * log_base));
    double ramp;
    if (low < 0) low = 0;
    if (high > n - 1) high = n - 1;
    ramp = ((double)i - low) / (high - low > 0.001 ? high - low : 0.001);
    return ramp < 0 ? 0 : ramp > 1 ? 1 : ramp;
}

typedef enum synp_scaling {
    SYNP_SCALING_NONE,
    SYNP_SCALING_LINEAR,
    SYNP_SCALING_YARN,
    SYNP_SCALING_LONG
} synp_scaling;

/* Latent attention has YaRN's factors in its own way: anything else is not what was trained. */
static syn_status synp_scaling_check(const syn_model *model, synp_scaling scaling, syn_error *err)
{
    char name[80];
    if (scaling == SYNP_SCALING_YARN && !model->rope_original_context)
        return synp_model_wrong(model, "rope.scaling.original_context_length", 0, "1 or more", err);
    if (scaling == SYNP_SCALING_YARN && !(model->rope_base > 1))
        return synp_fail(err, SYN_ERROR_MODEL, "key %s is %g, expected more than 1 (YaRN)",
                         synp_hparam_name(model, "rope.freq_base", name), (double)model->rope_base);
    if (scaling == SYNP_SCALING_LONG && !model->rope_original_context)
        return synp_model_wrong(model, "rope.scaling.original_context_length", 0, "1 or more", err);
    if (!synp_is(model, SYNP_MLA)) return SYN_OK;
    if (model->rope_attn_factor != 1.0f)
        return synp_fail(err, SYN_ERROR_UNSUPPORTED,
                         "key %s is not 1: not known in latent attention",
                         synp_hparam_name(model, "rope.scaling.attn_factor", name));
    if (scaling == SYNP_SCALING_YARN && !synp_hparam_present(model, SYNP_KEY_LOG_MULTIPLIER))
        return synp_fail(err, SYN_ERROR_MODEL, "key %s is missing",
                         synp_hparam_name(model, "rope.scaling.yarn_log_multiplier", name));
    if ((scaling == SYNP_SCALING_LINEAR || scaling == SYNP_SCALING_NONE) &&
        model->rope_factor != 1.0f)
        return synp_fail(err, SYN_ERROR_UNSUPPORTED,
                         "key %s: only yarn is known in latent attention",
                         synp_hparam_name(model, "rope.scaling.type", name));
    return SYN_OK;
}

static syn_status synp_model_scaling(syn_model *model, synp_scaling *scaling, syn_error *err)
{
    char name[80], text[32];
    size_t length;
    const char *key = synp_hparam_name(model, "rope.scaling.type", name);
    syn_status status = syn_gguf_text(&model->gguf, key, false, text, sizeof text, &length, err);
    if (status) return status;
    *scaling = SYNP_SCALING_NONE;
    if (length && !strcmp(text, "none")) return synp_scaling_check(model, *scaling, err);
    if (!length || !strcmp(text, "linear")) *scaling = SYNP_SCALING_LINEAR; /* by 1 unless said */
    else if (!strcmp(text, "yarn")) *scaling = SYNP_SCALING_YARN;
    else if (!strcmp(text, "longrope")) *scaling = SYNP_SCALING_LONG;
    else
        return synp_fail(err, SYN_ERROR_UNSUPPORTED, "key %s: rope scaling '%t' is not known", key,
                         text, strlen(text));
    return synp_scaling_check(model, *scaling, err);
}

/* A file may have factors for short and long contexts: some families whatever the scaling's
   name. */
static bool synp_model_is_long(const syn_model *model)
{
    return synp_is(model, SYNP_LONGROPE) || model->long_scaling;
}

/* Factors on cos and sin. */
static void synp_model_amplitudes(syn_model *model, synp_scaling scaling)
{
    const double factor = (double)model->rope_factor, m = (double)model->yarn_log_multiplier;
    double amplitude = (double)model->rope_attn_factor;
    if (scaling == SYNP_SCALING_YARN && !synp_is(model, SYNP_MLA)) {
        amplitude *= synp_yarn_mscale(factor, 1);
        if (m > 0) amplitude /= synp_yarn_mscale(factor, m);
    }
    model->rope_amplitude = model->rope_amplitude_local = (float)amplitude;
    if (synp_is(model, SYNP_LOCAL_BASE)) model->rope_amplitude_local = model->rope_attn_factor;
    if (synp_is(model, SYNP_LOCAL_PLAIN)) model->rope_amplitude_local = 1.0f;
}

/* Do local layers have rope frequencies of their own? */
static bool synp_local_rope(const syn_model *model)
{
    return model->window && model->family->window_period &&
           (synp_is(model, SYNP_LOCAL_BASE | SYNP_LOCAL_PLAIN) ||
            model->rope_base_local != model->rope_base);
}

static double synp_rope_theta(const syn_model *model, synp_scaling scaling, float base, uint32_t i)
{
    const double theta = pow((double)base, -2.0 * i / model->rope_size);
    double ramp = 0;
    if (scaling == SYNP_SCALING_LINEAR) ramp = 1;
    if (scaling == SYNP_SCALING_YARN) ramp = synp_yarn_ramp(model, i);
    return theta * (1 - ramp) + theta / (double)model->rope_factor * ramp;
}

/* theta_i = base^(-2 i / n), scaled; divided by the file's factors once these are placed. */
static syn_status synp_model_rope(syn_model *model, syn_arena *arena, syn_error *err)
{
    const uint32_t half = model->rope_size / 2;
    const bool plain = synp_is(model, SYNP_LOCAL_BASE | SYNP_LOCAL_PLAIN);
    void *piece;
    synp_scaling scaling;
    uint32_t i;
    syn_status status = synp_model_scaling(model, &scaling, err);
    if (!status) status = synp_take(arena, half, sizeof(double), "rope frequencies", &piece, err);
    if (status) return status;
    model->long_scaling = scaling == SYNP_SCALING_LONG;
    model->rope_freq = (double *)piece;
    model->rope_freq_local = model->rope_freq;
    if (synp_local_rope(model)) {
        status = synp_take(arena, half, sizeof(double), "local rope frequencies", &piece, err);
        if (status) return status;
        model->rope_freq_local = (double *)piece;
    }
    if (synp_model_is_long(model)) {
        status = synp_take(arena, half, sizeof(double), "long rope frequencies", &piece, err);
        if (status) return status;
        model->rope_freq_long = (double *)piece;
    }
    synp_model_amplitudes(model, scaling);
    for (i = 0; i < half && model->rope_freq; i++) {
        model->rope_freq[i] = synp_rope_theta(model, scaling, model->rope_base, i);
        if (model->rope_freq_local != model->rope_freq)
            model->rope_freq_local[i] = synp_rope_theta(model, plain ? SYNP_SCALING_NONE : scaling,
                                                        model->rope_base_local, i);
        if (model->rope_freq_long) model->rope_freq_long[i] = model->rope_freq[i];
    }
    return SYN_OK;
}

/* Divides frequencies by the factors of one tensor. */
static syn_status synp_rope_divide(const syn_model *model, syn_global which, double *freq,
                                   syn_error *err)
{
    const syn_tensor *factors = &model->global[which];
    const char *name = synp_globals[which].name;
    uint32_t i;
    if (!factors->type || !freq) return SYN_OK;
    if (strcmp(factors->type->name, "F32"))
        return synp_fail(err, SYN_ERROR_MODEL, "tensor %s: type %s, expected F32", name,
                         factors->type->name);
    for (i = 0; i < model->rope_size / 2; i++) {
        unsigned char raw[4];
        syn_status status =
            synp_source_read(factors->source, factors->offset + 4 * (uint64_t)i, raw, 4, err);
        if (status) return status;
        if (!(synp_f32(raw) > 0) || !(synp_f32(raw) <= FLT_MAX))
            return synp_fail(err, SYN_ERROR_MODEL, "tensor %s: value %u is %g", name, SYNP_U(i),
                             (double)synp_f32(raw));
        freq[i] /= (double)synp_f32(raw);
    }
    return SYN_OK;
}

/* The file's own factors: for every context, or one for short and one for long ones. */
static syn_status synp_model_rope_factors(syn_model *model, syn_error *err)
{
    const uint64_t both = SYNP_BIT(SYN_ROPE_SHORT) | SYNP_BIT(SYN_ROPE_LONG);
    const uint64_t found = model->globals_found & both;
    syn_status status;
    if (found == both && !model->rope_original_context)
        return synp_model_wrong(model, "rope.scaling.original_context_length", 0, "1 or more", err);
    if (!found && model->long_scaling)
        return synp_fail(err, SYN_ERROR_MODEL, "tensor %s is missing (longrope)",
                         synp_globals[SYN_ROPE_SHORT].name);
    if (found && found != both)
        return synp_fail(
            err, SYN_ERROR_MODEL, "tensor %s is missing",
            synp_globals[found & SYNP_BIT(SYN_ROPE_SHORT) ? SYN_ROPE_LONG : SYN_ROPE_SHORT].name);
    status = synp_rope_divide(model, SYN_ROPE_FREQS, model->rope_freq, err);
    if (!status) status = synp_rope_divide(model, SYN_ROPE_SHORT, model->rope_freq, err);
    if (!status) status = synp_rope_divide(model, SYN_ROPE_LONG, model->rope_freq_long, err);
    if (!found) model->rope_freq_long = NULL;
    return status;
}

/* ---- tensors ---- */

/* "blk.12.attn_q.weight" -> layer 12, offset of "attn_q.weight"; false for any other name. */
static bool synp_layer_name(const char *name, uint32_t *layer, size_t *suffix)
{
    size_t i = 4;
    uint32_t n = 0;
    if (strncmp(name, "blk.", 4)) return false;
    while (name[i] >= '0' && name[i] <= '9' && n < 100000) n = n * 10 + (uint32_t)(name[i++] - '0');
    if (i == 4 || name[i] != '.' || (name[4] == '0' && i > 5)) return false;
    *layer = n;
    *suffix = i + 1;
    return true;
}

static int synp_shape_find(const synp_shape *table, int rows, const char *name)
{
    int i;
    for (i = 0; i < rows; i++)
        if (!strcmp(table[i].name, name)) return i;
    return -1;
}

static syn_status synp_tensor_check(const syn_model *model, uint32_t layer, const synp_shape *shape,
                                    const syn_gguf_tensor *found, const char *name, syn_error *err)
{
    const uint64_t cols = synp_layer_dim(model, layer, shape->cols);
    const uint64_t rows = synp_layer_dim(model, layer, shape->rows);
    const uint64_t count = synp_layer_dim(model, layer, shape->count);
    const syn_type *type = syn_type_find(found->type);
    if (!found->dims || found->ne[0] != cols || found->ne[1] != rows || found->ne[2] != count ||
        found->ne[3] != 1 || cols > UINT32_MAX || rows > UINT32_MAX || count > UINT32_MAX)
        return synp_fail(err, SYN_ERROR_MODEL,
                         "tensor %s: shape [%u, %u, %u, %u], expected [%u, %u, %u, 1]", name,
                         found->ne[0], found->ne[1], found->ne[2], found->ne[3], cols, rows, count);
    if (!syn_type_computes(type))
        return synp_fail(err, SYN_ERROR_MODEL, "tensor %s: type %s holds no weights", name,
                         type->name);
    return SYN_OK;
}

static syn_status synp_tensor_place(syn_model *model, syn_tensor *place, uint32_t layer,
                                    const synp_shape *shape, const syn_gguf *gguf,
                                    const syn_gguf_tensor *found, const char *name, syn_error *err)
{
    syn_status status = synp_tensor_check(model, layer, shape, found, name, err);
    uint64_t row_bytes;
    if (status) return status;
    row_bytes = found->bytes / (found->ne[1] * found->ne[2]); /* a checked shape has no zero */
    model->parameters += found->ne[0] * found->ne[1] * found->ne[2];
    model->weight_bytes += found->bytes;
    if (row_bytes > model->max_row_bytes) model->max_row_bytes = row_bytes;
    if (!place) return SYN_OK; /* measuring */
    if (place->type) return synp_fail(err, SYN_ERROR_MODEL, "tensor %s occurs twice", name);
    place->type = syn_type_find(found->type);
    place->source = gguf->source;
    place->data = synp_source_at(gguf->source, found->offset, found->bytes);
    place->offset = found->offset;
    place->cols = (uint32_t)found->ne[0];
    place->rows = (uint32_t)found->ne[1];
    place->count = (uint32_t)found->ne[2];
    return SYN_OK;
}

/* Tensors that a model of this family has once. */
static bool synp_global_allowed(const syn_model *model, int row)
{
    const bool turns = model->family->rope != SYNP_ROPE_NONE;
    switch (row) {
    case SYN_POSITION_EMBD: return !turns;
    case SYN_ROPE_FREQS: return turns;
    case SYN_ROPE_SHORT:
    case SYN_ROPE_LONG: return turns && synp_model_is_long(model);
    case SYN_OUTPUT_NORM_BIAS: return model->family->norm == SYNP_NORM_LAYER;
    case SYN_OUTPUT_BIAS: return synp_is(model, SYNP_OUTPUT_BIAS);
    default: return true;
    }
}

/* Where a tensor belongs: a row of synp_globals, or of synp_parts and a layer; -1: nowhere. */
typedef struct synp_place {
    int global, part;
    uint32_t layer;
} synp_place;

static synp_place synp_place_of(const syn_model *model, const char *name)
{
    synp_place place;
    size_t suffix;
    place.layer = 0;
    place.part = -1;
    place.global = synp_shape_find(synp_globals, SYN_GLOBALS, name);
    if (place.global >= 0 && !synp_global_allowed(model, place.global)) place.global = -1;
    if (place.global >= 0 || !synp_layer_name(name, &place.layer, &suffix) ||
        place.layer >= model->layers)
        return place;
    place.part = synp_shape_find(synp_parts, SYN_PARTS, name + suffix);
    if (synp_is(model, SYNP_NORM_MOVED) && place.part == SYN_ATTN_POST_NORM)
        place.part = SYN_FFN_NORM;
    else if (synp_is(model, SYNP_NORM_MOVED) && place.part == SYN_FFN_NORM) place.part = -1;
    if (place.part >= 0 && !(synp_model_allowed(model, place.layer) & SYNP_BIT(place.part)))
        place.part = -1;
    return place;
}

SYN_API const char *syn_model_unused_tensor(const syn_model *model, const char *name)
{
    const synp_place place = synp_place_of(model, name);
    const synp_harmless *harmless;
    uint32_t layer;
    size_t suffix, i;
    if (place.global >= 0 || place.part >= 0) return NULL;
    if (synp_layer_name(name, &layer, &suffix) && layer >= model->layers &&
        layer < model->layers + model->further_layers)
        return "of a block that guesses further tokens";
    harmless =
        synp_harmless_find(synp_harmless_tensors,
                           sizeof synp_harmless_tensors / sizeof synp_harmless_tensors[0], name);
    if (harmless) return harmless->why;
    for (i = 0; i < sizeof synp_stems / sizeof synp_stems[0]; i++)
        if (!strncmp(name, synp_stems[i], strlen(synp_stems[i]))) return NULL;
    return synp_nobodys;
}

/* Puts one tensor of a file where it belongs. One that belongs nowhere would be left out of the
   computation: unless it is known to be harmless, the file is refused. */
static syn_status synp_model_take_tensor(syn_model *model, const syn_gguf *gguf,
                                         const syn_gguf_tensor *found, syn_error *err)
{
    char name[64];
    const size_t whole = sizeof name - 1;
    size_t n = found->name_bytes < whole ? (size_t)found->name_bytes : whole;
    synp_place place;
    syn_status status = synp_source_read(gguf->source, found->name_at, name, n, err);
    if (status) return status;
    name[n] = '\0';
    place.global = place.part = -1;
    place.layer = 0;
    if (found->name_bytes <= whole && strlen(name) == n) place = synp_place_of(model, name);
    if (place.global < 0 && place.part < 0 && syn_model_unused_tensor(model, name)) {
        model->unused_tensors++;
        return SYN_OK;
    }
    if (place.global >= 0) {
        model->globals_found |= SYNP_BIT(place.global);
        return synp_tensor_place(model, &model->global[place.global], 0,
                                 &synp_globals[place.global], gguf, found, name, err);
    }
    if (place.part < 0)
        return synp_fail(err, SYN_ERROR_UNSUPPORTED,
                         "tensor %t would be left out of the computation; the architecture %s does "
                         "not know it here",
                         name, n, model->architecture);
    model->parts_found |= SYNP_BIT(place.part);
    return synp_tensor_place(
        model, model->part ? synp_part_place(model, place.layer, (syn_part)place.part) : NULL,
        place.layer, &synp_parts[place.part], gguf, found, name, err);
}

static syn_status synp_model_walk_tensors(syn_model *model, const syn_gguf *gguf, syn_error *err)
{
    uint64_t i, at = gguf->tensors_at;
    for (i = 0; i < gguf->tensors; i++) {
        syn_gguf_tensor found;
        syn_status status = syn_gguf_tensor_at(gguf, at, &found, err);
        if (!status) status = synp_model_take_tensor(model, gguf, &found, err);
        if (status) return status;
        at = found.next_at;
    }
    return SYN_OK;
}

static syn_status synp_tensor_missing(const char *prefix, uint32_t layer, const char *name,
                                      syn_error *err)
{
    if (!prefix) return synp_fail(err, SYN_ERROR_MODEL, "tensor %s is missing", name);
    return synp_fail(err, SYN_ERROR_MODEL, "tensor %s%u.%s is missing", prefix, SYNP_U(layer),
                     name);
}

/* Q, K and V are three matrices or one, whichever the file has; not both. */
static syn_status synp_layer_fused(const syn_model *model, uint32_t layer, uint64_t *needed,
                                   syn_error *err)
{
    static const syn_part pair[][2] = {{SYN_ATTN_Q_BIAS, SYN_ATTN_Q},
                                       {SYN_ATTN_K_BIAS, SYN_ATTN_K},
                                       {SYN_ATTN_V_BIAS, SYN_ATTN_V},
                                       {SYN_ATTN_QKV_BIAS, SYN_ATTN_QKV}};
    const bool fused = syn_model_part(model, layer, SYN_ATTN_QKV) != NULL;
    const bool apart = syn_model_part(model, layer, SYN_ATTN_Q) ||
                       syn_model_part(model, layer, SYN_ATTN_K) ||
                       syn_model_part(model, layer, SYN_ATTN_V);
    size_t i;
    if (fused && apart)
        return synp_fail(err, SYN_ERROR_MODEL,
                         "layer %u has attn_qkv.weight and attn_q, _k, _v beside it",
                         SYNP_U(layer));
    if (fused && *needed & SYNP_PARTS_QKV) {
        if (*needed & SYNP_PARTS_QKV_BIAS) *needed |= SYNP_BIT(SYN_ATTN_QKV_BIAS);
        *needed &= ~(SYNP_PARTS_QKV | SYNP_PARTS_QKV_BIAS);
    }
    if (apart && *needed & SYNP_BIT(SYN_ATTN_QKV))
        *needed = (*needed & ~SYNP_BIT(SYN_ATTN_QKV)) | SYNP_PARTS_QKV;
    for (i = 0; i < sizeof pair / sizeof pair[0]; i++)
        if (syn_model_part(model, layer, pair[i][0]) && !syn_model_part(model, layer, pair[i][1]) &&
            !(*needed & SYNP_BIT(pair[i][1])))
            return synp_fail(err, SYN_ERROR_MODEL, "tensor blk.%u.%s: there is no %s beside it",
                             SYNP_U(layer), synp_parts[pair[i][0]].name,
                             synp_parts[pair[i][1]].name);
    return SYN_OK;
}

/* The name of a part in a file of this family. */
static const char *synp_part_name(const syn_model *model, int part)
{
    if (synp_is(model, SYNP_NORM_MOVED) && part == SYN_FFN_NORM) part = SYN_ATTN_POST_NORM;
    return synp_parts[part].name;
}

static syn_status synp_model_complete(syn_model *model, syn_error *err)
{
    uint32_t layer;
    int i;
    if (!model->part) return SYN_OK; /* measuring */
    for (i = 0; i < SYN_GLOBALS; i++) {
        bool needed = i == SYN_TOKEN_EMBD || i == SYN_OUTPUT_NORM ||
                      (i == SYN_OUTPUT_NORM_BIAS && model->family->norm == SYNP_NORM_LAYER) ||
                      (i == SYN_POSITION_EMBD && model->family->rope == SYNP_ROPE_NONE);
        if (needed && !model->global[i].type)
            return synp_tensor_missing(NULL, 0, synp_globals[i].name, err);
    }
    for (layer = 0; layer < model->layers; layer++) {
        uint64_t needed = synp_model_needed(model, layer);
        syn_status status = synp_layer_fused(model, layer, &needed, err);
        if (status) return status;
        for (i = 0; i < SYN_PARTS; i++)
            if (needed & SYNP_BIT(i) && !syn_model_part(model, layer, (syn_part)i))
                return synp_tensor_missing("blk.", layer, synp_part_name(model, i), err);
    }
    if (!model->global[SYN_OUTPUT].type) model->global[SYN_OUTPUT] = model->global[SYN_TOKEN_EMBD];
    return SYN_OK;
}

/* ---- files ---- */

/* A file of a split model says how many there are and which one it is (from 0). */
static syn_status synp_split_check(const syn_gguf *gguf, size_t file, size_t files, syn_error *err)
{
    uint32_t count = 0, number = 0;
    syn_status status = syn_gguf_u32(gguf, "split.count", false, &count, err);
    if (!status) status = syn_gguf_u32(gguf, "split.no", false, &number, err);
    if (status) return status;
    if (!count) count = 1;
    if (count != files || number != file)
        return synp_fail(err, SYN_ERROR_MODEL,
                         "file %u of %u given says that it is number %u of a model of %u files",
                         SYNP_U(file + 1), SYNP_U(files), SYNP_U(number) + 1, SYNP_U(count));
    return SYN_OK;
}

static syn_status synp_model_vocabulary(syn_model *model, const syn_model_desc *desc,
                                        syn_arena *arena, syn_error *err)
{
    syn_tokenizer_desc vocabulary;
    syn_gguf_value tokens;
    bool present;
    syn_status status =
        syn_gguf_find(&model->gguf, "tokenizer.ggml.tokens", &tokens, &present, err);
    if (status) return status;
    model->vocab =
        present && tokens.array && tokens.count <= UINT32_MAX ? (uint32_t)tokens.count : 0;
    if (desc && desc->no_tokenizer) return SYN_OK;
    memset(&vocabulary, 0, sizeof vocabulary);
    if (desc) vocabulary.pre = desc->pre_tokenizer;
    return syn_tokenizer_open(&model->tokenizer, &model->gguf, &vocabulary, arena, err);
}

/* Without a token list the embedding itself says how many tokens there are. */
static syn_status synp_model_vocab_rows(syn_model *model, const syn_source *sources, size_t files,
                                        syn_error *err)
{
    size_t file;
    for (file = 0; file < files && !model->vocab; file++) {
        syn_gguf gguf;
        uint64_t i, at;
        syn_status status = syn_gguf_open(&gguf, &sources[file], err);
        if (status) return status;
        for (i = 0, at = gguf.tensors_at; i < gguf.tensors; i++) {
            syn_gguf_tensor found;
            bool embedding;
            status = syn_gguf_tensor_at(&gguf, at, &found, err);
            if (!status)
                status = synp_source_equals(gguf.source, found.name_at, found.name_bytes,
                                            synp_globals[SYN_TOKEN_EMBD].name, &embedding, err);
            if (status) return status;
            if (embedding && found.ne[1] <= INT32_MAX) model->vocab = (uint32_t)found.ne[1];
            at = found.next_at;
        }
    }
    if (!model->vocab) return synp_tensor_missing(NULL, 0, synp_globals[SYN_TOKEN_EMBD].name, err);
    return SYN_OK;
}

static syn_status synp_model_tensors(syn_model *model, const syn_source *sources, size_t files,
                                     syn_arena *arena, syn_error *err)
{
    void *piece;
    size_t width;
    size_t file;
    uint32_t layer;
    syn_status status;
    for (layer = 0; layer < model->layers; layer++)
        model->parts |= synp_model_allowed(model, layer);
    width = (size_t)synp_bits_below(model->parts, SYN_PARTS);
    status = synp_take(arena, (uint64_t)model->layers * width, sizeof(syn_tensor), "tensor views",
                       &piece, err);
    if (status) return status;
    model->part = (syn_tensor *)piece;
    if (piece) memset(piece, 0, model->layers * width * sizeof(syn_tensor));
    for (file = 0; file < files && !status; file++) {
        syn_gguf gguf;
        status = syn_gguf_open(&gguf, &sources[file], err);
        if (!sources[file].bytes) model->streamed = true;
        if (!status) status = synp_split_check(&gguf, file, files, err);
        if (!status) status = synp_model_walk_tensors(model, &gguf, err);
    }
    return status ? status : synp_model_complete(model, err);
}

/* A head's size decides how much the rope tables take; it has as many rows of weights, each of two
   bytes at least, so that a file cannot claim memory out of proportion to itself. */
static syn_status synp_model_check_size(const syn_model *model, const syn_source *sources,
                                        size_t files, syn_error *err)
{
    uint64_t bytes = 0;
    size_t file;
    for (file = 0; file < files; file++)
        bytes += sources[file].size < UINT64_MAX - bytes ? sources[file].size : UINT64_MAX - bytes;
    if (model->key_size <= bytes / 2) return SYN_OK;
    return synp_model_wrong(model,
                            synp_hparam_present(model, SYNP_KEY_KEY_SIZE) ? "attention.key_length"
                                                                          : "embedding_length",
                            model->key_size, "heads that the file has room for", err);
}

SYN_API syn_status syn_model_open(syn_model *model, const syn_source *sources, size_t files,
                                  const syn_model_desc *desc, syn_arena *arena, syn_error *err)
{
    const syn_arena before = *arena;
    syn_status status;
    synp_succeed(err);
    memset(model, 0, sizeof *model);
    if (files < 1 || files > SYN_MODEL_FILES)
        return synp_fail(err, SYN_ERROR_ARGUMENT, "a model of %u files", SYNP_U(files));
    status = syn_gguf_open(&model->gguf, &sources[0], err);
    if (!status) status = synp_model_adapter(model, err);
    if (!status) status = synp_model_family(model, err);
    if (!status) status = synp_model_read_keys(model, err);
    if (!status) status = synp_model_check_size(model, sources, files, err);
    if (!status) status = synp_model_vocabulary(model, desc, arena, err);
    if (!status) status = synp_model_vocab_rows(model, sources, files, err);
    if (!status) status = synp_model_rope(model, arena, err);
    if (!status) status = synp_model_tensors(model, sources, files, arena, err);
    if (!status) status = synp_model_rope_factors(model, err);
    if (!status) synp_model_scales(model);
    if (status) *arena = before;
    return status;
}

/* ------------------------------------------------------------------------------------
   >>probe
   A norm costs one dot product of a vector that was just computed: under a thousandth of a step.
   ------------------------------------------------------------------------------------ */

/* A row of the pass under way. */
typedef struct synp_row {
    uint32_t sequence, position;
    int32_t logits;       /* its row of the logits; -1: none */
    const syn_edit *edit; /* never NULL */
} synp_row;

/* What one layer keeps, of floats or halves. */
typedef struct synp_layer_cache {
    unsigned char *k, *v; /* (sequence, kv head, slot, size); latent attention: no v, k holds */
                          /* its latent and the shared rotated key */
    uint32_t slots;       /* position p lies in slot p % slots */
} synp_layer_cache;

/* A context's private part. */
typedef struct synp_context {
    const syn_model *model;
    syn_context_desc desc;
    syn_probe probe;               /* of this pass */
    syn_edit edit;                 /* of its rows that have none of their own */
    bool head_noise, expert_noise; /* some row of the pass has it */
    uint32_t *at;                  /* (sequence): its position */
    uint32_t *fed;                 /* (sequence): rows of the pass */
    synp_row *row;                 /* (row) */
    syn_row *given;                /* (row): what syn_context_step makes of ids */
    uint32_t *run; /* (row + 1): first rows of stretches of one sequence, and the end */
    uint32_t runs;
    float *logits;           /* (row, vocab) */
    float *norms;            /* (row, layer, head), NULL without */
    float *expert_norms;     /* (row, layer, expert), likewise */
    float *sinks;            /* (row, layer, head), likewise */
    synp_layer_cache *cache; /* (layer) */
    const struct synp_kernels *kernels;
    float *x;                        /* (row, embd): the stream */
    float *normed, *y;               /* (row, embd) */
    float *q, *k, *v, *heads;        /* (row, head, size): one region with gate and up */
    float *latent_q, *latent, *lora; /* of latent attention */
    float *gate, *up;                /* (row, width) */
    float *router, *gate_weight;     /* (row, expert), (row, chosen) */
    float *expert_scores;            /* (expert): what one position's choice goes by */
    uint32_t *choice;                /* (row, chosen) */
    uint32_t *taken;                 /* (row): those whose inputs one expert takes */
    float *gathered, *expert;        /* (row, embd): an expert's inputs and outputs */
    float *attend;                   /* (job, attend_floats): work space of attention */
    size_t attend_floats;
    float *sink_scores;       /* (head) of the layer under way, NULL without */
    float *turn, *turn_local; /* (row, rope_size): cos and sin of each pair */
    float *weight;            /* one vector of weights, decoded */
    float *bias;              /* the biases of one product, decoded */
    void *acts;               /* activations as the kernels take them */
    unsigned char *decode;    /* (job): the kernels' work space */
    size_t decode_bytes;      /* of one job */
    unsigned char *stream;    /* rows read from an unmapped file */
} synp_context;

/* Gives a vector of row p of this pass to the caller's probe, where there is one. */
static void synp_probe_take(const synp_context *ctx, syn_probe_kind kind, uint32_t layer,
                            uint32_t unit, uint32_t p, const float *vector, size_t length)
{
    syn_probed probed;
    if (!ctx->probe.take) return;
    probed.kind = kind;
    probed.layer = layer;
    probed.unit = unit;
    probed.row = p;
    probed.sequence = ctx->row[p].sequence;
    probed.position = ctx->row[p].position;
    probed.length = (uint32_t)length;
    probed.vector = vector;
    ctx->probe.take(ctx->probe.user, &probed);
}

static float synp_l2_norm(const synp_context *ctx, const float *vector, size_t n)
{
    return sqrtf(ctx->kernels->dot_f32(vector, vector, n));
}

/* Heads that this layer does not have have attended to nothing. */
static void synp_probe_absent(synp_context *ctx, uint32_t layer, uint32_t n)
{
    const syn_model *model = ctx->model;
    const uint32_t heads = model->layer_heads[layer];
    uint32_t p;
    for (p = 0; p < n && heads < model->heads; p++) {
        const size_t at = ((size_t)p * model->layers + layer) * model->heads + heads;
        if (ctx->norms) memset(ctx->norms + at, 0, (model->heads - heads) * sizeof(float));
        if (ctx->sinks) memset(ctx->sinks + at, 0, (model->heads - heads) * sizeof(float));
    }
}

/* Norms and vectors of all heads of a layer: softmax(QK')V, before the output projection. */
static void synp_probe_heads(synp_context *ctx, uint32_t layer, uint32_t n)
{
    const syn_model *model = ctx->model;
    const uint32_t heads = model->layer_heads[layer];
    uint32_t p, h;
    for (p = 0; p < n; p++)
        for (h = 0; h < heads; h++) {
            const float *head = ctx->heads + ((size_t)p * heads + h) * model->value_size;
            if (ctx->norms)
                ctx->norms[((size_t)p * model->layers + layer) * model->heads + h] =
                    synp_l2_norm(ctx, head, model->value_size);
            synp_probe_take(ctx, SYN_PROBE_HEAD, layer, h, p, head, model->value_size);
        }
}

static void synp_probe_residual(const synp_context *ctx, uint32_t layer, uint32_t n)
{
    const size_t embd = ctx->model->embd;
    uint32_t p;
    for (p = 0; p < n; p++)
        synp_probe_take(ctx, SYN_PROBE_RESIDUAL, layer, 0, p, ctx->x + p * embd, embd);
}

/* The norm of one expert's output at one position; times its gate weight where asked. */
static void synp_probe_expert(synp_context *ctx, uint32_t layer, uint32_t expert, uint32_t p,
                              float gate_weight, const float *out)
{
    const syn_model *model = ctx->model;
    float norm;
    if (!ctx->expert_norms) return;
    norm = synp_l2_norm(ctx, out, model->embd);
    if (ctx->desc.expert_norms == SYN_EXPERTS_WEIGHTED) norm *= fabsf(gate_weight);
    ctx->expert_norms[((size_t)p * model->layers + layer) * model->experts + expert] = norm;
}

/* ------------------------------------------------------------------------------------
   >>edit
   Edits act on what a unit adds to the stream, after it was recorded.
   ------------------------------------------------------------------------------------ */

static void synp_edit_head(float *out, float gain, const float *mean, size_t n)
{
    size_t i;
    for (i = 0; i < n; i++) out[i] *= gain;
    for (i = 0; mean && i < n; i++) out[i] += (1.0f - gain) * mean[i];
}

static void synp_edit_heads(synp_context *ctx, uint32_t layer, uint32_t n)
{
    const syn_model *model = ctx->model;
    const size_t size = model->value_size;
    const uint32_t heads = model->layer_heads[layer];
    uint32_t p, h;
    for (p = 0; p < n; p++) {
        const syn_edit *edit = ctx->row[p].edit;
        for (h = 0; edit->head_gain && h < heads; h++) {
            const size_t unit = (size_t)layer * model->heads + h;
            const float gain = edit->head_gain[unit];
            if (gain == 1.0f) continue;
            synp_edit_head(ctx->heads + ((size_t)p * heads + h) * size, gain,
                           edit->head_mean ? edit->head_mean + unit * size : NULL, size);
        }
    }
}

static float synp_gain(const float *gain, uint32_t per_layer, uint32_t layer, uint32_t unit)
{
    return gain ? gain[(size_t)layer * per_layer + unit] : 1.0f;
}

/* An ablated unit whose output is not recorded need not be calculated. */
static bool synp_head_is_idle(const synp_context *ctx, uint32_t p, uint32_t layer, uint32_t head)
{
    return synp_gain(ctx->row[p].edit->head_gain, ctx->model->heads, layer, head) == 0.0f &&
           !ctx->norms && !ctx->sinks && !ctx->probe.take;
}

static bool synp_expert_is_idle(const synp_context *ctx, uint32_t p, uint32_t layer,
                                uint32_t expert)
{
    const syn_edit *edit = ctx->row[p].edit;
    return synp_gain(edit->expert_gain, ctx->model->experts, layer, expert) == 0.0f &&
           !edit->expert_mean && !ctx->expert_norms && !ctx->probe.take;
}

/* Two columns from one hash, by Box and Muller (1958). */
SYN_API void syn_edit_noise(uint64_t seed, syn_noised matrix, uint32_t layer, uint32_t unit,
                            uint32_t row, uint32_t col, size_t n, float *z)
{
    uint64_t key = synp_rng_mix(seed + SYNP_RNG_STEP * ((uint64_t)matrix + 1));
    size_t i;
    key = synp_rng_mix(key ^ ((uint64_t)layer << 32 | unit));
    key = synp_rng_mix(key ^ row);
    for (i = 0; i < n; i += 2) {
        const uint64_t bits = synp_rng_mix(key + SYNP_RNG_STEP * (((uint64_t)col + i) / 2 + 1));
        const float u = ((float)(bits >> 40) + 0.5f) * 5.9604644775390625e-8f;
        const float turn = (float)(bits & 0xffffffu) * 3.7450702829238411e-7f; /* 2 pi / 2^24 */
        const float radius = sqrtf(-2.0f * logf(u));
        z[i] = radius * cosf(turn);
        if (i + 1 < n) z[i + 1] = radius * sinf(turn);
    }
}

/* ------------------------------------------------------------------------------------
   >>context
   One pass, from top to bottom: embedding; per layer norm, projections, rope, attention, head
   norms and edits, output projection, feed-forward; last norm, logits. Families differ by the
   tensors that are there and by the enums of their row.
   ------------------------------------------------------------------------------------ */

/* ---- memory ---- */

static uint32_t synp_max_u32(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}
static uint32_t synp_min_u32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* The longest row of a matrix, the longest vector that is decoded, and the most biases that are
   added at once. */
static size_t synp_max_cols(const syn_model *model, uint64_t parts)
{
    uint64_t cols = model->embd;
    int i;
    for (i = 0; i < SYN_PARTS; i++) {
        uint64_t n = synp_model_dim(model, synp_parts[i].cols);
        if (model->parts_found & parts & SYNP_BIT(i) && n > cols) cols = n;
    }
    return synp_size(cols);
}

static size_t synp_max_vector(const syn_model *model)
{
    const size_t cols = synp_max_cols(model, UINT64_MAX);
    const bool wide = (model->globals_found & SYNP_BIT(SYN_OUTPUT_BIAS)) && model->vocab > cols;
    return wide ? model->vocab : cols;
}

static uint64_t synp_max_bias(const syn_model *model)
{
    uint64_t most = 0, qkv = 0, gated = 0;
    int i;
    for (i = 0; i < SYN_PARTS; i++) {
        const uint64_t n = synp_model_dim(model, synp_parts[i].cols);
        if (!(model->parts_found & SYNP_PARTS_BIAS & SYNP_BIT(i))) continue;
        if (SYNP_PARTS_QKV_BIAS & SYNP_BIT(i)) qkv += n;
        if (i == SYN_FFN_GATE_BIAS || i == SYN_FFN_GATE_EXPERTS_BIAS) gated = 2 * n; /* with up's */
        if (n > most) most = n;
    }
    if (model->globals_found & SYNP_BIT(SYN_OUTPUT_BIAS) && model->vocab > most)
        most = model->vocab;
    if (gated > most) most = gated;
    return qkv > most ? qkv : most;
}

/* The widest inner vector of any feed-forward part. */
static uint64_t synp_max_ff(const syn_model *model)
{
    uint64_t width = model->experts && !model->dense_layers ? 0 : model->ff;
    if (model->experts && model->expert_ff > width) width = model->expert_ff;
    if (synp_model_dim(model, SYNP_SHARED_FF) > width)
        width = synp_model_dim(model, SYNP_SHARED_FF);
    return width;
}

/* Heads whose rows are cached in a layer; latent attention has one row for all. */
static uint32_t synp_cache_heads(const syn_model *model, uint32_t layer)
{
    return synp_is(model, SYNP_MLA) ? model->cache_heads : model->layer_kv_heads[layer];
}

/* Floats that one position leaves in the cache of a layer, over all its kv heads; at most. */
static uint64_t synp_cache_key_row(const syn_model *model)
{
    return (uint64_t)model->cache_heads * model->cache_key;
}

static uint64_t synp_cache_value_row(const syn_model *model)
{
    return (uint64_t)model->cache_heads * model->cache_value;
}

static int synp_context_jobs(const synp_context *ctx)
{
    return ctx->desc.parallel.run && ctx->desc.parallel.threads > 1 ? ctx->desc.parallel.threads
                                                                    : 1;
}

/* Rows that a local layer's window reaches back from, and those of a pass before it. */
static uint32_t synp_cache_slots(const synp_context *ctx, uint32_t layer)
{
    const uint64_t ring = (uint64_t)ctx->model->window + ctx->desc.batch - 1;
    if (!syn_model_is_local(ctx->model, layer) || ring > ctx->desc.tokens) return ctx->desc.tokens;
    return (uint32_t)ring;
}

/* Bytes of a number in the cache. */
static size_t synp_cache_bytes(const syn_context_desc *desc)
{
    return desc->cache == SYN_CACHE_F16 ? 2 : sizeof(float);
}

static syn_status synp_context_cache(synp_context *ctx, syn_arena *arena, syn_error *err)
{
    const syn_model *model = ctx->model;
    const size_t each = synp_cache_bytes(&ctx->desc);
    const synp_piece layers = {&ctx->cache, model->layers, sizeof *ctx->cache, "layer caches"};
    uint32_t layer;
    syn_status status = synp_take_all(arena, &layers, 1, err);
    for (layer = 0; layer < model->layers && !status; layer++) {
        const uint64_t heads = synp_cache_heads(model, layer);
        const uint32_t slots = synp_cache_slots(ctx, layer);
        const uint64_t rows = (uint64_t)ctx->desc.sequences * slots;
        synp_layer_cache cache;
        const synp_piece piece[] = {
            {&cache.k, synp_count(rows, heads * model->cache_key), each, "key cache"},
            {&cache.v, synp_count(rows, heads * model->cache_value), each, "value cache"},
        };
        cache.slots = slots;
        status = synp_take_all(arena, piece, sizeof piece / sizeof piece[0], err);
        if (!status && ctx->cache) ctx->cache[layer] = cache;
    }
    return status;
}

enum {
    SYNP_KEYS = 256, /* positions whose scores are held at once, from multiples of it on, */
    SYNP_SCORES = SYNP_KEYS + 16, /* and room for a sink's */
    SYNP_RUN = 16,                /* rows of one sequence that walk through its keys together */
    SYNP_ATTENTION_JOBS = 4,      /* a thread: rows differ in how far they look back */
    SYNP_THREADS_MAX = 65536      /* that a desc may name */
};

static int synp_attention_jobs(const synp_context *ctx)
{
    const int jobs = synp_context_jobs(ctx);
    return jobs > 1 ? jobs * SYNP_ATTENTION_JOBS : 1;
}

/* Of a job: the scores of a tile, a head's part of its output, the top and the sum of every row and
   head; and, of a cache of halves, the tile's keys and values as floats. */
static size_t synp_attend_floats(const synp_context *ctx)
{
    const syn_model *model = ctx->model;
    const uint64_t part = model->cache_value ? model->cache_value : model->kv_lora;
    const uint64_t tile = SYNP_KEYS * ((uint64_t)model->cache_key + model->cache_value);
    return synp_size(SYNP_SCORES + part + (uint64_t)SYNP_RUN * model->heads * 2 +
                     (ctx->desc.cache == SYN_CACHE_F16 ? tile : 0));
}

static syn_status synp_context_attention(synp_context *ctx, syn_arena *arena, syn_error *err)
{
    const syn_model *model = ctx->model;
    const size_t each = sizeof(float);
    const uint64_t batch = ctx->desc.batch, heads = model->heads;
    const uint64_t latent = synp_is(model, SYNP_MLA) ? batch : 0; /* rows */
    const uint64_t jobs = (uint64_t)synp_attention_jobs(ctx);
    const size_t scores = synp_attend_floats(ctx);
    const synp_piece piece[] = {
        {&ctx->q, synp_count(batch, heads * model->key_size), each, "queries"},
        {&ctx->k, synp_count(batch, synp_cache_key_row(model)), each, "keys"},
        {&ctx->v, synp_count(batch, synp_cache_value_row(model)), each, "values"},
        {&ctx->heads, synp_count(batch, heads * model->value_size), each, "head outputs"},
        {&ctx->attend, synp_count(jobs, scores), each, "attention scores"},
        {&ctx->latent_q, synp_count(latent, heads * model->cache_key), each, "latent queries"},
        {&ctx->latent, synp_count(latent, heads * model->kv_lora), each, "latent outputs"},
        {&ctx->lora, synp_count(latent, synp_max_u32(model->q_lora, model->key_size)), each,
         "low-rank queries"},
    };
    ctx->attend_floats = scores;
    return synp_take_all(arena, piece, sizeof piece / sizeof piece[0], err);
}

static syn_status synp_context_feed_forward(synp_context *ctx, syn_arena *arena, syn_error *err)
{
    const syn_model *model = ctx->model;
    const size_t each = sizeof(float);
    const uint64_t batch = ctx->desc.batch, width = synp_max_ff(model);
    const uint64_t rows = model->experts ? batch : 0;
    const synp_piece piece[] = {
        {&ctx->gate, synp_count(batch, width), each, "gate"},
        {&ctx->up, synp_count(batch, width), each, "up"},
        {&ctx->router, synp_count(rows, model->experts), each, "router"},
        {&ctx->expert_scores, model->experts, each, "expert scores"},
        {&ctx->gate_weight, synp_count(rows, model->experts_used), each, "expert weights"},
        {&ctx->choice, synp_count(rows, model->experts_used), sizeof *ctx->choice,
         "expert choices"},
        {&ctx->taken, rows, sizeof *ctx->taken, "an expert's rows"},
        {&ctx->gathered, synp_count(rows, model->embd), each, "an expert's input"},
        {&ctx->expert, synp_count(rows, model->embd), each, "an expert's output"},
    };
    return synp_take_all(arena, piece, sizeof piece / sizeof piece[0], err);
}

/* Attention and feed-forward are never under way together: their buffers share one region. */
static syn_status synp_context_work(synp_context *ctx, syn_arena *arena, syn_error *err)
{
    const size_t start = arena->used;
    size_t attention_end;
    syn_status status = synp_context_attention(ctx, arena, err);
    attention_end = arena->used;
    arena->used = start;
    if (!status) status = synp_context_feed_forward(ctx, arena, err);
    if (arena->used < attention_end) arena->used = attention_end;
    return status;
}

static syn_status synp_context_buffers(synp_context *ctx, syn_arena *arena, syn_error *err)
{
    const syn_model *model = ctx->model;
    const size_t each = sizeof(float), cols = synp_max_cols(model, ~SYNP_PARTS_BIAS);
    const uint64_t batch = ctx->desc.batch, stream = synp_count(batch, model->embd);
    const uint64_t turns = synp_count(batch, model->rope_size);
    const bool sinks = (model->parts & SYNP_BIT(SYN_ATTN_SINKS)) != 0;
    const size_t acts = synp_acts_bytes(cols, (size_t)batch, ctx->desc.arithmetic);
    const size_t decode = synp_gemm_scratch_bytes(ctx->kernels, cols, (size_t)batch);
    const size_t least = synp_size(model->max_row_bytes);
    const size_t streamed = ctx->desc.stream_bytes < least ? least : ctx->desc.stream_bytes;
    const synp_piece rows[] = {
        {&ctx->x, stream, each, "residual stream"},
        {&ctx->normed, stream, each, "normed input"},
        {&ctx->y, stream, each, "block output"},
    };
    const synp_piece rest[] = {
        {&ctx->turn, turns, each, "rope turns"},
        {&ctx->turn_local, synp_local_rope(model) ? turns : 0, each, "rope turns"},
        {&ctx->weight, synp_max_vector(model), each, "a weight vector"},
        {&ctx->sink_scores, sinks ? model->heads : 0, each, "sink scores"},
        {&ctx->bias, synp_max_bias(model), each, "biases"},
        {&ctx->acts, acts, 1, "activations"},
        {&ctx->decode, synp_count((uint64_t)synp_context_jobs(ctx), decode), 1,
         "kernel work space"},
        {&ctx->stream, model->streamed ? streamed : 0, 1, "stream buffer"},
    };
    syn_status status = synp_take_all(arena, rows, sizeof rows / sizeof rows[0], err);
    if (!status) status = synp_context_work(ctx, arena, err);
    if (!status) status = synp_take_all(arena, rest, sizeof rest / sizeof rest[0], err);
    if (!ctx->turn_local) ctx->turn_local = ctx->turn;
    ctx->decode_bytes = decode;
    ctx->desc.stream_bytes = streamed;
    return status;
}

/* Rows of logits that are held. */
static uint32_t synp_logit_rows(const synp_context *ctx)
{
    return ctx->desc.all_logits ? ctx->desc.batch
                                : synp_min_u32(ctx->desc.batch, ctx->desc.sequences);
}

static syn_status synp_context_outputs(synp_context *ctx, syn_arena *arena, syn_error *err)
{
    const syn_model *model = ctx->model;
    const syn_context_desc *desc = &ctx->desc;
    const uint64_t rows = (uint64_t)desc->batch * model->layers,
                   heads = synp_count(rows, model->heads);
    const synp_piece piece[] = {
        {&ctx->logits, synp_count(synp_logit_rows(ctx), model->vocab), sizeof(float), "logits"},
        {&ctx->norms, desc->norms ? heads : 0, sizeof(float), "head norms"},
        {&ctx->sinks, desc->sinks ? heads : 0, sizeof(float), "sinks"},
        {&ctx->expert_norms, desc->expert_norms ? synp_count(rows, model->experts) : 0,
         sizeof(float), "expert norms"},
    };
    return synp_take_all(arena, piece, sizeof piece / sizeof piece[0], err);
}

/* The state of the sequences and of the rows of a pass. */
static syn_status synp_context_rows(synp_context *ctx, syn_arena *arena, syn_error *err)
{
    const uint64_t batch = ctx->desc.batch, sequences = ctx->desc.sequences;
    const synp_piece piece[] = {
        {&ctx->at, sequences, sizeof *ctx->at, "positions"},
        {&ctx->fed, sequences, sizeof *ctx->fed, "fed rows"},
        {&ctx->row, batch, sizeof *ctx->row, "rows"},
        {&ctx->given, batch, sizeof *ctx->given, "rows"},
        {&ctx->run, batch + 1, sizeof *ctx->run, "runs of rows"},
    };
    const syn_status status = synp_take_all(arena, piece, sizeof piece / sizeof piece[0], err);
    if (!status && ctx->at) memset(ctx->at, 0, ctx->desc.sequences * sizeof *ctx->at);
    return status;
}

static syn_status synp_context_check(const synp_context *ctx, syn_error *err)
{
    const syn_context_desc *d = &ctx->desc;
    const syn_model *model = ctx->model;
    if ((unsigned)d->arithmetic > SYN_EXACT || (unsigned)d->expert_norms > SYN_EXPERTS_ALL ||
        (unsigned)d->cache > SYN_CACHE_F16)
        return synp_fail(err, SYN_ERROR_ARGUMENT,
                         "arithmetic %u, cache %u, expert norms %u: no such choice",
                         SYNP_U(d->arithmetic), SYNP_U(d->cache), SYNP_U(d->expert_norms));
    if (d->expert_norms && !model->experts)
        return synp_fail(err, SYN_ERROR_ARGUMENT, "a model of the architecture %s without experts",
                         model->architecture);
    if (d->parallel.threads > SYNP_THREADS_MAX)
        return synp_fail(err, SYN_ERROR_ARGUMENT, "%u threads, at most %u",
                         SYNP_U(d->parallel.threads), SYNP_U(SYNP_THREADS_MAX));
    if (d->tokens > INT32_MAX || d->batch > INT32_MAX || d->sequences > INT32_MAX)
        return synp_fail(err, SYN_ERROR_ARGUMENT,
                         "a context of %u sequences of %u tokens, %u a pass", SYNP_U(d->sequences),
                         SYNP_U(d->tokens), SYNP_U(d->batch));
    if (model->global[SYN_POSITION_EMBD].type && d->tokens > model->context)
        return synp_fail(err, SYN_ERROR_ARGUMENT,
                         "a context of %u tokens, the model has positions for %u",
                         SYNP_U(d->tokens), SYNP_U(model->context));
    if (!ctx->kernels)
        return synp_fail(err, SYN_ERROR_ARGUMENT, "instruction set %u is not there on this machine",
                         SYNP_U(d->simd));
    return SYN_OK;
}

static void synp_context_defaults(syn_context_desc *d)
{
    uint64_t most;
    if (!d->tokens) d->tokens = 512;
    if (!d->sequences) d->sequences = 1;
    if (!d->batch) d->batch = synp_max_u32(32, d->sequences);
    most = (uint64_t)d->tokens * d->sequences;
    if (d->batch > most) d->batch = (uint32_t)most;
}

SYN_API syn_status syn_context_open(syn_context *ctx, const syn_model *model,
                                    const syn_context_desc *desc, syn_arena *arena, syn_error *err)
{
    const syn_arena before = *arena;
    synp_context work;
    void *piece = NULL;
    syn_status status;
    synp_succeed(err);
    memset(ctx, 0, sizeof *ctx);
    memset(&work, 0, sizeof work);
    work.model = model;
    if (desc) work.desc = *desc;
    synp_context_defaults(&work.desc);
    work.kernels = synp_kernels_pick(work.desc.simd);
    status = synp_context_check(&work, err);
    if (!status) status = synp_take(arena, 1, sizeof work, "context", &piece, err);
    if (!status) status = synp_context_rows(&work, arena, err);
    if (!status) status = synp_context_cache(&work, arena, err);
    if (!status) status = synp_context_buffers(&work, arena, err);
    if (!status) status = synp_context_outputs(&work, arena, err);
    if (status) {
        *arena = before;
        return status;
    }
    ctx->model = model;
    ctx->desc = work.desc;
    ctx->work = (synp_context *)piece;
    if (piece) *ctx->work = work;
    return SYN_OK;
}

static syn_status synp_open(const syn_source *sources, size_t files,
                            const syn_model_desc *model_desc, const syn_context_desc *context_desc,
                            syn_arena *arena, syn_model *model, syn_context *ctx, syn_error *err)
{
    const syn_status status = syn_model_open(model, sources, files, model_desc, arena, err);
    return status ? status : syn_context_open(ctx, model, context_desc, arena, err);
}

SYN_API syn_status syn_open_measure(const syn_source *sources, size_t files,
                                    const syn_model_desc *model_desc,
                                    const syn_context_desc *context_desc, syn_model *model,
                                    syn_context *ctx, size_t *bytes, syn_error *err)
{
    syn_arena arena = syn_arena_measure();
    const syn_status status =
        synp_open(sources, files, model_desc, context_desc, &arena, model, ctx, err);
    *bytes = arena.used;
    return status;
}

SYN_API syn_status syn_open_block(const syn_source *sources, size_t files,
                                  const syn_model_desc *model_desc,
                                  const syn_context_desc *context_desc, void *block, size_t bytes,
                                  syn_model *model, syn_context *ctx, syn_error *err)
{
    syn_arena arena = syn_arena_on(block, bytes);
    return synp_open(sources, files, model_desc, context_desc, &arena, model, ctx, err);
}

/* ---- sequences ---- */

static bool synp_no_sequence(const syn_context *ctx, uint32_t sequence)
{
    return !ctx->work || sequence >= ctx->desc.sequences;
}

static syn_status synp_fail_sequence(const syn_context *ctx, uint32_t sequence, syn_error *err)
{
    return synp_fail(err, SYN_ERROR_ARGUMENT, "sequence %u, the context has %u", SYNP_U(sequence),
                     SYNP_U(ctx->desc.sequences));
}

SYN_API uint32_t syn_context_position(const syn_context *ctx, uint32_t sequence)
{
    return synp_no_sequence(ctx, sequence) ? 0 : ctx->work->at[sequence];
}

/* Are the positions that a row at `position` looks back on still in the ring? */
static bool synp_ring_holds(const synp_context *ctx, uint32_t layer, uint32_t at, uint32_t position)
{
    const uint32_t slots = ctx->cache[layer].slots;
    return at <= slots || (uint64_t)position + slots >= (uint64_t)at + ctx->model->window - 1;
}

SYN_API syn_status syn_context_rewind(syn_context *ctx, uint32_t sequence, uint32_t position,
                                      syn_error *err)
{
    const uint32_t at = syn_context_position(ctx, sequence);
    uint32_t layer;
    synp_succeed(err);
    if (synp_no_sequence(ctx, sequence)) return synp_fail_sequence(ctx, sequence, err);
    if (position > at)
        return synp_fail(err, SYN_ERROR_ARGUMENT, "rewind to position %u, only %u were fed",
                         SYNP_U(position), SYNP_U(at));
    for (layer = 0; position && layer < ctx->model->layers; layer++)
        if (!synp_ring_holds(ctx->work, layer, at, position))
            return synp_fail(err, SYN_ERROR_ARGUMENT,
                             "rewind to position %u: the window of %u before it is overwritten",
                             SYNP_U(position), SYNP_U(ctx->model->window));
    ctx->work->at[sequence] = position;
    return SYN_OK;
}

/* The slots that a sequence uses of a layer's cache, from one sequence to the other. */
static void synp_cache_copy(unsigned char *cache, uint64_t heads, uint32_t slots, uint32_t used,
                            size_t row_bytes, uint32_t from, uint32_t to)
{
    uint64_t h;
    for (h = 0; h < heads; h++)
        memcpy(cache + (size_t)((to * heads + h) * slots) * row_bytes,
               cache + (size_t)((from * heads + h) * slots) * row_bytes, used * row_bytes);
}

SYN_API syn_status syn_context_copy(syn_context *ctx, uint32_t from, uint32_t to, syn_error *err)
{
    const syn_model *model = ctx->model;
    const size_t each = synp_cache_bytes(&ctx->desc);
    uint32_t layer, at;
    synp_succeed(err);
    if (synp_no_sequence(ctx, from)) return synp_fail_sequence(ctx, from, err);
    if (synp_no_sequence(ctx, to)) return synp_fail_sequence(ctx, to, err);
    at = ctx->work->at[from];
    ctx->work->at[to] = at;
    for (layer = 0; from != to && layer < model->layers; layer++) {
        const synp_layer_cache *cache = &ctx->work->cache[layer];
        const uint64_t heads = synp_cache_heads(model, layer);
        const uint32_t used = synp_min_u32(at, cache->slots);
        synp_cache_copy(cache->k, heads, cache->slots, used, model->cache_key * each, from, to);
        if (model->cache_value)
            synp_cache_copy(cache->v, heads, cache->slots, used, model->cache_value * each, from,
                            to);
    }
    return SYN_OK;
}

/* ---- what a pass left ---- */

/* A row's number; false where the last pass had none such, or there was no pass. */
static bool synp_row_number(const syn_context *ctx, int row, uint32_t *p)
{
    *p = row == SYN_LAST_ROW ? ctx->rows - 1 : (uint32_t)row;
    return ctx->work && *p < ctx->rows;
}

static const float *synp_of_row(const syn_context *ctx, int row, const float *rows, size_t size)
{
    uint32_t p;
    return rows && synp_row_number(ctx, row, &p) ? rows + p * size : NULL;
}

SYN_API const float *syn_context_logits(const syn_context *ctx, int row)
{
    uint32_t p;
    if (!synp_row_number(ctx, row, &p) || ctx->work->row[p].logits < 0) return NULL;
    return ctx->work->logits + (size_t)ctx->work->row[p].logits * ctx->model->vocab;
}

SYN_API const float *syn_context_norms(const syn_context *ctx, int row)
{
    return synp_of_row(ctx, row, ctx->work ? ctx->work->norms : NULL,
                       (size_t)ctx->model->layers * ctx->model->heads);
}

SYN_API const float *syn_context_sinks(const syn_context *ctx, int row)
{
    return synp_of_row(ctx, row, ctx->work ? ctx->work->sinks : NULL,
                       (size_t)ctx->model->layers * ctx->model->heads);
}

SYN_API const float *syn_context_expert_norms(const syn_context *ctx, int row)
{
    return synp_of_row(ctx, row, ctx->work ? ctx->work->expert_norms : NULL,
                       (size_t)ctx->model->layers * ctx->model->experts);
}

SYN_API const float *syn_context_stream(const syn_context *ctx, int row)
{
    return synp_of_row(ctx, row, ctx->work ? ctx->work->x : NULL, ctx->model->embd);
}

/* ---- products with weights ---- */

/* A weight matrix (or some rows of one), where its product goes, and the bias to add. */
typedef struct synp_projection {
    const syn_tensor *weight;
    uint32_t matrix; /* of weight->count */
    uint32_t first, rows;
    const syn_tensor *bias; /* over all rows of the weight (of each matrix), or NULL */
    const float *added;     /* the bias of row `first` and on, decoded, or NULL */
    float *y;               /* (position, stride) */
    size_t stride;
} synp_projection;

enum { SYNP_PRODUCTS = 3, SYNP_ROWS_TOGETHER = 8, SYNP_PIECES_A_JOB = 8, SYNP_LOTS = 16 };

struct synp_projections;
typedef void synp_finish_fn(const struct synp_projections *products, uint32_t first, uint32_t last);

/* Products with one input, computed side by side. A job claims the pieces of its own lot one after
   the other, in the order of memory, then pieces of other lots until none is left, so that a job
   whose processor is taken by another program does not hold up the others. */
typedef struct synp_projections {
    synp_context *ctx;
    synp_projection item[SYNP_PRODUCTS];
    const unsigned char *bytes[SYNP_PRODUCTS]; /* of row `first` */
    int items, jobs;
    uint32_t piece, pieces; /* rows of a piece, pieces of all items */
    uint32_t lots;
    uint32_t next[SYNP_LOTS]; /* piece of a lot to claim; atomic */
    uint32_t n;               /* positions */
    synp_finish_fn *finish;   /* on a piece of all items, which then have as many rows; or NULL */
    const struct synp_ff *ff; /* for it: the part that they belong to, */
    const float *x;           /* and their input */
} synp_projections;

static synp_projection synp_projection_of(const syn_tensor *weight, const syn_tensor *bias,
                                          float *y, size_t stride)
{
    synp_projection product;
    product.weight = weight;
    product.matrix = 0;
    product.first = 0;
    product.rows = weight->rows;
    product.bias = bias;
    product.added = NULL;
    product.y = y;
    product.stride = stride;
    return product;
}

static void synp_add_bias(const synp_projection *item, uint32_t n, uint32_t first, uint32_t last)
{
    uint32_t p, r;
    if (!item->added) return;
    for (p = 0; p < n; p++)
        for (r = first; r < last; r++) item->y[p * item->stride + r] += item->added[r];
}

/* The first row of a job's part, of rows that jobs divide evenly. */
static uint32_t synp_job_start(uint32_t rows, int job, int jobs)
{
    uint64_t at = (uint64_t)rows * (uint64_t)job / (uint64_t)jobs;
    if (job == jobs) return rows;
    return (uint32_t)(at / SYNP_ROWS_TOGETHER * SYNP_ROWS_TOGETHER);
}

static uint32_t synp_piece_count(const synp_projections *products, int item)
{
    return (products->item[item].rows + products->piece - 1) / products->piece;
}

/* The first piece of a lot. */
static uint32_t synp_lot_start(const synp_projections *products, uint32_t lot)
{
    return (uint32_t)((uint64_t)products->pieces * lot / products->lots);
}

/* Takes a piece that no job has taken, of lot *lot or of those after it; false: none is left. */
static bool synp_claim(synp_projections *products, uint32_t *lot, uint32_t *piece)
{
    uint32_t tried;
    for (tried = 0; tried < products->lots; tried++, *lot = (*lot + 1) % products->lots) {
        uint32_t *next = &products->next[*lot];
#if defined(__GCC_HAVE_SYNC_COMPARE_AND_SWAP_4)
        *piece = __atomic_fetch_add(next, 1, __ATOMIC_RELAXED);
#else /* as many lots as jobs, and none helps another */
        if (tried) return false;
        *piece = (*next)++;
#endif
        *piece += synp_lot_start(products, *lot);
        if (*piece < synp_lot_start(products, *lot + 1)) return true;
    }
    return false;
}

/* A piece of one item: its rows first .. last - 1, with their bias. */
static void synp_projection_piece(const synp_projections *products, int which, uint32_t first,
                                  uint32_t last, void *scratch)
{
    const synp_context *ctx = products->ctx;
    const synp_projection *item = &products->item[which];
    const syn_type *type = item->weight->type;
    const size_t cols = item->weight->cols;
    synp_gemm_rows(ctx->kernels, type, products->bytes[which] + first * syn_type_bytes(type, cols),
                   last - first, cols, (const synp_acts *)ctx->acts, item->y + first, item->stride,
                   scratch);
    synp_add_bias(item, products->n, first, last);
}

static void synp_projections_job(void *arg, int job)
{
    synp_projections *products = (synp_projections *)arg;
    void *scratch = products->ctx->decode + (size_t)job * products->ctx->decode_bytes;
    uint32_t lot = (uint32_t)job % products->lots, piece;
    while (synp_claim(products, &lot, &piece)) {
        uint32_t first, last;
        int i = 0, end;
        while (piece >= synp_piece_count(products, i)) piece -= synp_piece_count(products, i++);
        first = piece * products->piece;
        last = synp_min_u32(first + products->piece, products->item[i].rows);
        end = products->finish ? products->items : i + 1;
        for (; i < end; i++) synp_projection_piece(products, i, first, last, scratch);
        if (products->finish) products->finish(products, first, last);
    }
}

/* Rows that a job claims at once: few enough that no job is idle at the end, and whole strips where
   there are many positions. */
static uint32_t synp_piece_rows(const synp_projections *products)
{
    const uint32_t few = SYNP_ROWS_TOGETHER, many = SYNP_STRIP_ROWS_MAX;
    const uint32_t unit = ((const synp_acts *)products->ctx->acts)->tiles ? many : few;
    uint32_t rows = 0, piece;
    int i;
    for (i = 0; i < products->items; i++) rows += products->item[i].rows;
    if (products->finish) rows = products->item[0].rows;
    if (products->jobs < 2) return rows + 1;
    piece = rows / ((uint32_t)products->jobs * SYNP_PIECES_A_JOB) + unit;
    return piece / unit * unit;
}

static void synp_run_jobs(const synp_context *ctx, int jobs, syn_job_fn *job, void *arg)
{
    int i;
    if (ctx->desc.parallel.run && jobs > 1) {
        ctx->desc.parallel.run(ctx->desc.parallel.user, jobs, job, arg);
        return;
    }
    for (i = 0; i < jobs; i++) job(arg, i);
}

static void synp_projections_run(synp_projections *products)
{
    int i;
    products->piece = synp_piece_rows(products);
    products->pieces = 0;
    for (i = 0; i < (products->finish ? 1 : products->items); i++)
        products->pieces += synp_piece_count(products, i); /* with finish, of all items at once */
    products->lots = synp_min_u32((uint32_t)products->jobs, SYNP_LOTS);
#if !defined(__GCC_HAVE_SYNC_COMPARE_AND_SWAP_4)
    products->jobs = (int)products->lots;
#endif
    memset(products->next, 0, sizeof products->next);
    synp_run_jobs(products->ctx, products->jobs, synp_projections_job, products);
}

/* ---- weight noise ---- */

/* What noise on the rows of a matrix adds to its product: y[p][r] += sd (z_r . x_p). */
typedef struct synp_noise {
    const synp_context *ctx;
    syn_noised matrix;
    uint32_t layer, unit, n;
    const uint32_t *taken; /* (n): rows of the pass; NULL: all, in order */
    const float *x;
    float *y;
    size_t cols, x_stride, y_stride;
} synp_noise;

enum { SYNP_NOISE_COLS = 256 }; /* drawn at once, on the stack */

static const syn_edit *synp_noise_edit(const synp_noise *noise, uint32_t i)
{
    return noise->ctx->row[noise->taken ? noise->taken[i] : i].edit;
}

/* Its standard deviation under an edit. */
static float synp_noise_sd(const synp_noise *noise, const syn_edit *edit)
{
    const syn_model *model = noise->ctx->model;
    const size_t layer = noise->layer;
    if (noise->matrix <= SYN_NOISED_OUTPUT)
        return edit->head_noise ? edit->head_noise[(layer * model->heads + noise->unit) * 2 +
                                                   (noise->matrix == SYN_NOISED_OUTPUT)]
                                : 0.0f;
    return edit->expert_noise ? edit->expert_noise[(layer * model->experts + noise->unit) * 3 +
                                                   (size_t)(noise->matrix - SYN_NOISED_GATE)]
                              : 0.0f;
}

/* Matrix rows first .. last, for inputs from .. to, which share an edit. */
static void synp_noise_run(const synp_noise *noise, const syn_edit *edit, uint32_t from,
                           uint32_t to, uint32_t first, uint32_t last)
{
    const synp_context *ctx = noise->ctx;
    const float sd = synp_noise_sd(noise, edit);
    float z[SYNP_NOISE_COLS];
    uint32_t r, p;
    size_t col, count;
    for (r = first; r < last && sd > 0; r++)
        for (col = 0; col < noise->cols; col += count) {
            count = noise->cols - col;
            if (count > SYNP_NOISE_COLS) count = SYNP_NOISE_COLS;
            syn_edit_noise(edit->noise_seed, noise->matrix, noise->layer, noise->unit, r,
                           (uint32_t)col, count, z);
            for (p = from; p < to; p++)
                noise->y[p * noise->y_stride + r] +=
                    sd * ctx->kernels->dot_f32(z, noise->x + p * noise->x_stride + col, count);
        }
}

static void synp_noise_rows(const synp_noise *noise, uint32_t first, uint32_t last)
{
    uint32_t from, to;
    for (from = 0; from < noise->n; from = to) {
        const syn_edit *edit = synp_noise_edit(noise, from);
        for (to = from + 1; to < noise->n && synp_noise_edit(noise, to) == edit;) to++;
        synp_noise_run(noise, edit, from, to, first, last);
    }
}

/* The same for every head of a layer: each has its own rows of y (queries) or its own columns of x
   (output projection). */
typedef struct synp_head_noise {
    synp_noise head0;
    size_t x_step, y_step; /* from head to head */
    uint32_t rows;         /* of a head */
    int jobs;
} synp_head_noise;

static void synp_head_noise_job(void *arg, int job)
{
    const synp_head_noise *noise = (const synp_head_noise *)arg;
    const syn_model *model = noise->head0.ctx->model;
    uint32_t h;
    for (h = 0; h < model->layer_heads[noise->head0.layer]; h++) {
        synp_noise one = noise->head0;
        one.unit = h;
        one.x += h * noise->x_step;
        one.y += h * noise->y_step;
        synp_noise_rows(&one, synp_job_start(noise->rows, job, noise->jobs),
                        synp_job_start(noise->rows, job + 1, noise->jobs));
    }
}

static synp_head_noise synp_head_noise_of(synp_context *ctx, uint32_t layer, uint32_t n)
{
    synp_head_noise noise;
    memset(&noise, 0, sizeof noise);
    noise.head0.ctx = ctx;
    noise.head0.layer = layer;
    noise.head0.n = n;
    noise.jobs = synp_context_jobs(ctx);
    return noise;
}

/* Noise on the queries acts on the product alone, before norm and rope. */
static void synp_noise_query(synp_context *ctx, uint32_t layer, uint32_t n, const float *x,
                             size_t cols)
{
    const syn_model *model = ctx->model;
    synp_head_noise noise = synp_head_noise_of(ctx, layer, n);
    if (!ctx->head_noise) return;
    noise.head0.matrix = SYN_NOISED_QUERY;
    noise.head0.x = x;
    noise.head0.cols = noise.head0.x_stride = cols;
    noise.head0.y = ctx->q;
    noise.head0.y_stride = (size_t)model->layer_heads[layer] * model->key_size;
    noise.y_step = noise.rows = model->key_size;
    synp_run_jobs(ctx, noise.jobs, synp_head_noise_job, &noise);
}

static void synp_noise_output(synp_context *ctx, uint32_t layer, uint32_t n)
{
    const syn_model *model = ctx->model;
    synp_head_noise noise = synp_head_noise_of(ctx, layer, n);
    if (!ctx->head_noise) return;
    noise.head0.matrix = SYN_NOISED_OUTPUT;
    noise.head0.x = ctx->heads;
    noise.x_step = noise.head0.cols = model->value_size;
    noise.head0.x_stride = (size_t)model->layer_heads[layer] * model->value_size;
    noise.head0.y = ctx->y;
    noise.head0.y_stride = noise.rows = model->embd;
    synp_run_jobs(ctx, noise.jobs, synp_head_noise_job, &noise);
}

/* Decodes a vector of weights (a norm's, a bias, an embedding) to ctx->weight. */
static syn_status synp_vector(synp_context *ctx, const syn_tensor *tensor, uint32_t row,
                              const float **vector, syn_error *err)
{
    const size_t bytes = (size_t)syn_type_bytes(tensor->type, tensor->cols);
    const unsigned char *at = tensor->data ? tensor->data + (size_t)row * bytes : ctx->stream;
    if (!tensor->data) {
        syn_status status = synp_source_read(tensor->source, tensor->offset + (uint64_t)row * bytes,
                                             ctx->stream, bytes, err);
        if (status) return status;
    }
    syn_type_to_float(tensor->type, at, ctx->weight, tensor->cols);
    *vector = ctx->weight;
    return SYN_OK;
}

/* The biases of all items, decoded side by side to ctx->bias before the jobs start. */
static syn_status synp_decode_biases(synp_projections *products, syn_error *err)
{
    synp_context *ctx = products->ctx;
    float *to = ctx->bias;
    int i;
    for (i = 0; i < products->items; i++) {
        synp_projection *item = &products->item[i];
        const float *vector;
        syn_status status;
        if (!item->bias) continue;
        status =
            synp_vector(ctx, item->bias, item->bias->rows > 1 ? item->matrix : 0, &vector, err);
        if (status) return status;
        memcpy(to, vector + item->first, item->rows * sizeof *to);
        item->added = to;
        to += item->rows;
    }
    return SYN_OK;
}

/* An unmapped weight: as many rows as the buffer holds are read, then multiplied. */
static syn_status synp_projections_stream(synp_projections *products, syn_error *err)
{
    synp_context *ctx = products->ctx;
    int i;
    for (i = 0; i < products->items; i++) {
        const synp_projection *item = &products->item[i];
        const size_t row_bytes = (size_t)syn_type_bytes(item->weight->type, item->weight->cols);
        const uint32_t at_once = (uint32_t)(ctx->desc.stream_bytes / row_bytes);
        uint64_t from = item->weight->offset +
                        ((uint64_t)item->matrix * item->weight->rows + item->first) * row_bytes;
        synp_projections part = *products;
        uint32_t row = 0;
        part.items = 1;
        part.finish = NULL;
        part.bytes[0] = ctx->stream;
        while (row < item->rows) {
            const uint32_t rows = synp_min_u32(at_once, item->rows - row);
            syn_status status =
                synp_source_read(item->weight->source, from, ctx->stream, rows * row_bytes, err);
            if (status) return status;
            part.item[0] = *item;
            part.item[0].rows = rows;
            part.item[0].y = item->y + row;
            if (item->added) part.item[0].added = item->added + row;
            synp_projections_run(&part);
            row += rows;
            from += (uint64_t)rows * row_bytes;
        }
    }
    return SYN_OK;
}

/* y = W x + b for each item, x being the activations set last. */
static syn_status synp_multiply(synp_projections *products, syn_error *err)
{
    synp_context *ctx = products->ctx;
    syn_status status = synp_decode_biases(products, err);
    bool mapped = true;
    int i;
    if (status) return status;
    products->jobs = synp_context_jobs(ctx);
    for (i = 0; i < products->items; i++) {
        const synp_projection *item = &products->item[i];
        const size_t row_bytes = (size_t)syn_type_bytes(item->weight->type, item->weight->cols);
        if (!item->weight->data) mapped = false;
        else
            products->bytes[i] =
                item->weight->data +
                ((size_t)item->matrix * item->weight->rows + item->first) * row_bytes;
    }
    if (mapped) {
        synp_projections_run(products);
        return SYN_OK;
    }
    status = synp_projections_stream(products, err);
    if (!status && products->finish) products->finish(products, 0, products->item[0].rows);
    return status;
}

static void synp_input_job(void *arg, int tile)
{
    const synp_context *ctx = (const synp_context *)arg;
    const synp_acts *acts = (const synp_acts *)ctx->acts;
    const size_t from = (size_t)tile * SYNP_TILE;
    const size_t to = from + SYNP_TILE < acts->positions ? from + SYNP_TILE : acts->positions;
    synp_acts_fill(ctx->kernels, acts, from, to);
}

/* Sets the input of the products that follow. */
static void synp_input(synp_context *ctx, const float *x, uint32_t n, uint32_t cols)
{
    synp_acts *acts = (synp_acts *)ctx->acts;
    synp_acts_open(ctx->kernels, acts, x, n, cols, ctx->desc.arithmetic);
    synp_run_jobs(ctx, (int)((n + SYNP_TILE - 1) / SYNP_TILE), synp_input_job, ctx);
}

static synp_projections synp_one_projection(synp_context *ctx, const syn_tensor *weight,
                                            const syn_tensor *bias, uint32_t n, float *y)
{
    synp_projections products;
    memset(&products, 0, sizeof products);
    products.ctx = ctx;
    products.n = n;
    products.items = 1;
    products.item[0] = synp_projection_of(weight, bias, y, weight->rows);
    return products;
}

static syn_status synp_one_product(synp_context *ctx, const syn_tensor *weight,
                                   const syn_tensor *bias, const float *x, uint32_t n, float *y,
                                   syn_error *err)
{
    synp_projections products = synp_one_projection(ctx, weight, bias, n, y);
    synp_input(ctx, x, n, weight->cols);
    return synp_multiply(&products, err);
}

static void synp_add_rows(float *x, const float *y, size_t n)
{
    size_t i;
    for (i = 0; i < n; i++) x[i] += y[i];
}

static void synp_scale_rows(float *x, size_t n, float by)
{
    size_t i;
    for (i = 0; i < n; i++) x[i] *= by;
}

/* ---- norms, rope ---- */

/* RMSNorm (Zhang and Sennrich 2019) or LayerNorm (Ba et al. 2016) of `rows` vectors of `size`. */
static void synp_norm_rows(const synp_context *ctx, const float *x, size_t rows, size_t size,
                           const float *weight, float *out)
{
    const bool layer_norm = ctx->model->family->norm == SYNP_NORM_LAYER;
    size_t row, i;
    for (row = 0; row < rows; row++, x += size, out += size) {
        double mean = 0, square = 0;
        float scale, shift;
        if (layer_norm) {
            for (i = 0; i < size; i++) mean += (double)x[i];
            mean /= (double)size;
            for (i = 0; i < size; i++) square += ((double)x[i] - mean) * ((double)x[i] - mean);
        } else {
            square = (double)ctx->kernels->dot_f32(x, x, size);
        }
        scale = (float)(1.0 / sqrt(square / (double)size + (double)ctx->model->norm_eps));
        shift = (float)mean;
        for (i = 0; i < size; i++) out[i] = (x[i] - shift) * scale * weight[i];
    }
}

static syn_status synp_norm(synp_context *ctx, const syn_tensor *weight, const syn_tensor *bias,
                            const float *x, size_t rows, float *out, syn_error *err)
{
    const float *vector;
    const size_t size = weight->cols;
    size_t row, i;
    syn_status status = synp_vector(ctx, weight, 0, &vector, err);
    if (status) return status;
    synp_norm_rows(ctx, x, rows, size, vector, out);
    if (!bias) return SYN_OK;
    status = synp_vector(ctx, bias, 0, &vector, err);
    for (row = 0; row < rows && !status; row++)
        for (i = 0; i < size; i++) out[row * size + i] += vector[i];
    return status;
}

/* cos and sin of every pair at each position of the pass, in double: position * frequency is
   large. */
static void synp_turns(const synp_context *ctx, const double *freq, uint32_t n, float amplitude,
                       float *turn)
{
    const uint32_t half = ctx->model->rope_size / 2;
    uint32_t p, i;
    for (p = 0; p < n; p++)
        for (i = 0; i < half; i++) {
            const double angle = (double)ctx->row[p].position * freq[i];
            turn[(size_t)p * 2 * half + 2 * i] = (float)cos(angle) * amplitude;
            turn[(size_t)p * 2 * half + 2 * i + 1] = (float)sin(angle) * amplitude;
        }
}

/* Rotates the pairs of one head (Su et al. 2021): (2i, 2i+1) interleaved, (i, i+n/2) half-split. */
static void synp_rope_head(synp_rope_kind kind, float *head, const float *turn, uint32_t size)
{
    const uint32_t half = size / 2;
    const uint32_t step = kind == SYNP_ROPE_HALF ? 1 : 2, apart = kind == SYNP_ROPE_HALF ? half : 1;
    uint32_t i;
    for (i = 0; i < half; i++) {
        float *a = head + i * step, *b = a + apart;
        const float c = turn[2 * i], s = turn[2 * i + 1], first = *a;
        *a = first * c - *b * s;
        *b = first * s + *b * c;
    }
}

/* The rotated dimensions of a head come first, or behind `skip` others (latent attention). */
static void synp_rope_rows(const synp_context *ctx, float *rows, uint32_t n, uint32_t heads,
                           uint32_t size, uint32_t skip, const float *turn)
{
    const synp_rope_kind kind = ctx->model->family->rope;
    uint32_t p, h;
    if (kind == SYNP_ROPE_NONE) return;
    for (p = 0; p < n; p++)
        for (h = 0; h < heads; h++)
            synp_rope_head(kind, rows + ((size_t)p * heads + h) * size + skip,
                           turn + (size_t)p * ctx->model->rope_size, ctx->model->rope_size);
}

/* ---- attention ---- */

/* Keys or values of a layer in the cache, (sequence, kv head, slot, size). The values of latent
   attention are the first kv_lora numbers of its keys. */
typedef struct synp_rows {
    const unsigned char *cache;
    uint32_t size; /* from one row to the next */
    uint32_t used; /* numbers of a row that count */
} synp_rows;

typedef struct synp_attention {
    synp_context *ctx;
    uint32_t layer, slots;
    uint32_t heads, kv_heads; /* of this layer; kv_heads: as they are cached */
    uint32_t items, split;    /* run x kv head x part of its heads; parts */
    int jobs;
    const float *q; /* (row, head, keys.used) */
    synp_rows keys, values;
    float *out; /* (row, head, values.used) */
} synp_attention;

/* The state of a softmax that runs over tiles: the largest score and the sum of exp(score -
   top). */
typedef struct synp_running {
    float top, sum;
} synp_running;

/* Some heads of one kv head, in the rows of one run. */
typedef struct synp_item {
    uint32_t first, last; /* rows */
    uint32_t head, heads, kv;
    float *score, *part;  /* (SYNP_SCORES), (values.used) */
    float *keys, *values; /* of a cache of halves: the tile's from position `from` on */
    uint32_t from;
    synp_running *running; /* (row of the run, head) */
} synp_item;

/* Slots of positions from .. to of a ring, which may come to its end in between. */
typedef struct synp_slots {
    uint32_t from, count, rest;
} synp_slots;

static synp_slots synp_slots_of(const synp_attention *a, uint32_t from, uint32_t to)
{
    synp_slots s;
    s.from = from % a->slots;
    s.count = synp_min_u32(to - from, a->slots - s.from);
    s.rest = to - from - s.count;
    return s;
}

/* The cached rows of a sequence's kv head. */
static const unsigned char *synp_cached(const synp_attention *a, const synp_rows *rows,
                                        uint32_t sequence, uint32_t kv)
{
    const size_t row = ((size_t)sequence * a->kv_heads + kv) * a->slots;
    return rows->cache + row * rows->size * synp_cache_bytes(&a->ctx->desc);
}

/* Halves of positions from .. to as floats, one after the other. */
static void synp_widen_rows(const synp_attention *a, const synp_rows *rows, uint32_t sequence,
                            uint32_t kv, uint32_t from, uint32_t to, float *out)
{
    const syn_type *half = syn_type_find(1);
    const synp_slots s = synp_slots_of(a, from, to);
    const unsigned char *cache = synp_cached(a, rows, sequence, kv);
    const size_t size = rows->size;
    a->ctx->kernels->widen(half, cache + s.from * size * 2, out, s.count * size);
    a->ctx->kernels->widen(half, cache, out + s.count * size, s.rest * size);
}

/* The keys and values of a tile that some row of an item looks back on. */
static void synp_widen_tile(const synp_attention *a, synp_item *item, uint32_t from, uint32_t to)
{
    const uint32_t sequence = a->ctx->row[item->first].sequence;
    if (a->ctx->desc.cache != SYN_CACHE_F16 || from >= to) return;
    item->from = from;
    synp_widen_rows(a, &a->keys, sequence, item->kv, from, to, item->keys);
    if (a->values.cache != a->keys.cache)
        synp_widen_rows(a, &a->values, sequence, item->kv, from, to, item->values);
}

/* Where positions from .. to of an item's tile lie: in the cache itself, or widened beside it. */
static synp_slots synp_tile_rows(const synp_attention *a, const synp_item *item, uint32_t from,
                                 uint32_t to, const float **k, const float **v)
{
    const uint32_t sequence = a->ctx->row[item->first].sequence;
    synp_slots s = synp_slots_of(a, from, to);
    *k = (const float *)(const void *)synp_cached(a, &a->keys, sequence, item->kv);
    *v = (const float *)(const void *)synp_cached(a, &a->values, sequence, item->kv);
    if (a->ctx->desc.cache != SYN_CACHE_F16) return s;
    *k = item->keys;
    *v = a->values.cache == a->keys.cache ? item->keys : item->values;
    s.from = from - item->from;
    s.count = to - from;
    s.rest = 0;
    return s;
}

static void synp_scale_scores(const syn_model *model, float *score, uint32_t n)
{
    const float cap = model->attn_softcap;
    uint32_t i;
    for (i = 0; i < n; i++) {
        score[i] *= model->attn_scale;
        if (cap > 0) score[i] = cap * tanhf(score[i] / cap);
    }
}

/* Softmax of a tile, and its top and sum: the largest weight is 1 / sum. A head's sink, where the
   model has them, is one more score in its first tile, whose weight goes to no value (gpt-oss; Xiao
   et al. 2023, arXiv 2309.17453). */
static synp_running synp_tile_softmax(const synp_context *ctx, float *score, uint32_t n)
{
    synp_running tile;
    uint32_t i, best = 0;
    for (i = 1; i < n; i++)
        if (score[i] > score[best]) best = i;
    tile.top = score[best];
    ctx->kernels->softmax(score, n);
    tile.sum = 1.0f / score[best];
    return tile;
}

/* out = out' + part, averages weighted by their parts of the sum. Returns the weight of `out`. */
static float synp_tile_merge(synp_running *running, synp_running tile, float *out,
                             const float *part, size_t n)
{
    const float top = running->top > tile.top ? running->top : tile.top;
    const float before = running->sum * synp_exp(running->top - top);
    const float added = tile.sum * synp_exp(tile.top - top);
    const float sum = before + added, keep = before / sum, take = added / sum;
    size_t i;
    for (i = 0; i < n; i++) out[i] = out[i] * keep + part[i] * take;
    running->top = top;
    running->sum = sum;
    return keep;
}

/* One query over positions from .. to of a tile; `begins`: nothing came before it. */
static void synp_attend_tile(const synp_attention *a, const synp_item *item, uint32_t p,
                             uint32_t head, uint32_t from, uint32_t to, bool begins)
{
    const synp_context *ctx = a->ctx;
    const syn_model *model = ctx->model;
    const uint32_t n = a->values.used;
    const float *q = a->q + ((size_t)p * a->heads + head) * a->keys.used;
    const float *k, *v;
    const synp_slots s = synp_tile_rows(a, item, from, to, &k, &v);
    float *out = a->out + ((size_t)p * a->heads + head) * n, *score = item->score;
    float *sink = ctx->sinks
                      ? ctx->sinks + ((size_t)p * model->layers + a->layer) * model->heads + head
                      : NULL;
    float *to_mix = begins ? out : item->part, keep;
    synp_running *running = &item->running[(p - item->first) * item->heads + head - item->head],
                 tile;
    ctx->kernels->dots(q, k + (size_t)s.from * a->keys.size, a->keys.size, s.count, a->keys.used,
                       score);
    ctx->kernels->dots(q, k, a->keys.size, s.rest, a->keys.used, score + s.count);
    synp_scale_scores(model, score, to - from);
    if (begins && ctx->sink_scores) score[to - from] = ctx->sink_scores[head];
    tile = synp_tile_softmax(ctx, score, to - from + (begins && ctx->sink_scores ? 1 : 0));
    memset(to_mix, 0, n * sizeof *to_mix);
    ctx->kernels->mix(score, v + (size_t)s.from * a->values.size, a->values.size, s.count, n,
                      to_mix);
    ctx->kernels->mix(score + s.count, v, a->values.size, s.rest, n, to_mix);
    if (begins) {
        *running = tile;
        if (sink) *sink = from ? 0.0f : score[0];
        return;
    }
    keep = synp_tile_merge(running, tile, out, item->part, n);
    if (sink) *sink *= keep;
}

/* The first position that a row attends to. */
static uint32_t synp_attend_first(const synp_attention *a, uint32_t p)
{
    const syn_model *model = a->ctx->model;
    const uint32_t position = a->ctx->row[p].position;
    return syn_model_is_local(model, a->layer) && position >= model->window
               ? position - model->window + 1
               : 0;
}

/* Tile after tile, so that a tile's keys and values stay in the cache for all rows and heads. */
static void synp_attend_run(const synp_attention *a, synp_item *item)
{
    const synp_context *ctx = a->ctx;
    const uint32_t end = ctx->row[item->last - 1].position + 1;
    uint32_t tile = synp_attend_first(a, item->first) / SYNP_KEYS * SYNP_KEYS, p, h;
    for (; tile < end; tile += SYNP_KEYS) {
        synp_widen_tile(a, item, synp_max_u32(synp_attend_first(a, item->first), tile),
                        synp_min_u32(end, tile + SYNP_KEYS));
        for (p = item->first; p < item->last; p++) {
            const uint32_t first = synp_attend_first(a, p), from = synp_max_u32(first, tile);
            const uint32_t to = synp_min_u32(ctx->row[p].position + 1, tile + SYNP_KEYS);
            for (h = item->head; from < to && h < item->head + item->heads; h++)
                if (!synp_head_is_idle(ctx, p, a->layer, h))
                    synp_attend_tile(a, item, p, h, from, to, from == first);
        }
    }
    for (p = item->first; p < item->last; p++)
        for (h = item->head; h < item->head + item->heads; h++)
            if (synp_head_is_idle(ctx, p, a->layer, h))
                memset(a->out + ((size_t)p * a->heads + h) * a->values.used, 0,
                       a->values.used * sizeof(float));
}

static void synp_attention_job(void *arg, int job)
{
    const synp_attention *a = (const synp_attention *)arg;
    const synp_context *ctx = a->ctx;
    const uint32_t group = a->heads / a->kv_heads;
    uint32_t i;
    synp_item item;
    item.score = ctx->attend + (size_t)job * ctx->attend_floats;
    item.part = item.score + SYNP_SCORES;
    item.running = (synp_running *)(void *)(item.part + a->values.used);
    item.keys = item.part + a->values.used + (size_t)SYNP_RUN * ctx->model->heads * 2;
    item.values = item.keys + (size_t)SYNP_KEYS * ctx->model->cache_key;
    item.from = 0;
    for (i = (uint32_t)job; i < a->items; i += (uint32_t)a->jobs) {
        const uint32_t part = i % a->split, run = i / a->split / a->kv_heads;
        item.kv = i / a->split % a->kv_heads;
        item.first = ctx->run[run];
        item.last = ctx->run[run + 1];
        item.head = item.kv * group + group * part / a->split;
        item.heads = item.kv * group + group * (part + 1) / a->split - item.head;
        synp_attend_run(a, &item);
    }
}

/* A float as a half, to the nearest, even among equals; beyond the largest half, that. */
static uint16_t synp_half_of(float value)
{
    uint32_t bits, sign, rest;
    float small;
    memcpy(&bits, &value, sizeof bits);
    sign = bits >> 16 & 0x8000u;
    bits &= 0x7fffffffu;
    if (bits > 0x7f800000u) return (uint16_t)(sign | 0x7e00u);
    if (bits >= 0x477ff000u) return (uint16_t)(sign | 0x7bffu);
    if (bits < 0x38800000u) { /* subnormal: a multiple of 2^-24, rounded by an addition */
        memcpy(&small, &bits, sizeof small);
        small += 0.5f;
        memcpy(&bits, &small, sizeof bits);
        return (uint16_t)(sign | (bits - 0x3f000000u));
    }
    rest = bits & 0x1fffu;
    bits = (bits - 0x38000000u) >> 13;
    return (uint16_t)(sign |
                      (bits + (rest > 0x1000u || (rest == 0x1000u && (bits & 1u)) ? 1u : 0u)));
}

static void synp_halves(const float *from, unsigned char *to, size_t n)
{
    size_t i;
    for (i = 0; i < n; i++) {
        const uint16_t half = synp_half_of(from[i]);
        to[2 * i] = (unsigned char)(half & 255u);
        to[2 * i + 1] = (unsigned char)(half >> 8);
    }
}

/* This pass's keys or values, (row, kv head, size), into their slots. */
static void synp_cache_rows(const synp_attention *a, unsigned char *cache, const float *pass,
                            uint32_t size, uint32_t n)
{
    const uint32_t heads = a->kv_heads, slots = a->slots;
    const size_t each = synp_cache_bytes(&a->ctx->desc);
    uint32_t p, h;
    for (p = 0; p < n; p++)
        for (h = 0; h < heads; h++) {
            const synp_row *row = &a->ctx->row[p];
            const size_t slot = ((size_t)row->sequence * heads + h) * slots + row->position % slots;
            const float *from = pass + ((size_t)p * heads + h) * size;
            if (each == sizeof(float)) memcpy(cache + slot * size * each, from, size * each);
            else synp_halves(from, cache + slot * size * each, size);
        }
}

/* Puts this pass's keys and values into their slots, where nothing that a row of it looks back on
   lies, then attends with the queries q. Heads of a kv head are split where there are few rows. */
static void synp_attend_all(synp_context *ctx, uint32_t layer, uint32_t n, const float *q,
                            float *out)
{
    const syn_model *model = ctx->model;
    const synp_layer_cache *cache = &ctx->cache[layer];
    const int most = synp_attention_jobs(ctx);
    synp_attention a;
    a.ctx = ctx;
    a.layer = layer;
    a.slots = cache->slots;
    a.heads = model->layer_heads[layer];
    a.kv_heads = synp_cache_heads(model, layer);
    a.q = q;
    a.out = out;
    a.keys.cache = cache->k;
    a.keys.size = a.keys.used = model->cache_key;
    a.values = a.keys;
    a.values.used = model->kv_lora;
    synp_cache_rows(&a, cache->k, ctx->k, model->cache_key, n);
    if (model->cache_value) {
        a.values.cache = cache->v;
        a.values.size = a.values.used = model->cache_value;
        synp_cache_rows(&a, cache->v, ctx->v, model->cache_value, n);
    }
    a.items = ctx->runs * a.kv_heads;
    a.split = (uint32_t)most / a.items + ((uint32_t)most % a.items != 0);
    a.split = synp_min_u32(a.split, a.heads / a.kv_heads);
    a.items *= a.split;
    a.jobs = a.items < (uint32_t)most ? (int)a.items : most;
    synp_run_jobs(ctx, a.jobs, synp_attention_job, &a);
}

/* Q, K and V of the pass: three matrices, or three ranges of rows of one. */
static syn_status synp_project_qkv(synp_context *ctx, uint32_t layer, uint32_t n, syn_error *err)
{
    const syn_model *model = ctx->model;
    const syn_tensor *fused = syn_model_part(model, layer, SYN_ATTN_QKV);
    float *const y[3] = {ctx->q, ctx->k, ctx->v};
    const synp_dim dim[3] = {SYNP_Q, SYNP_K, SYNP_V};
    synp_projections products;
    uint32_t row = 0;
    int i;
    memset(&products, 0, sizeof products);
    products.ctx = ctx;
    products.n = n;
    products.items = 3;
    for (i = 0; i < 3; i++) {
        const uint32_t rows = (uint32_t)synp_layer_dim(model, layer, dim[i]);
        const syn_tensor *weight = fused, *bias = syn_model_part(model, layer, SYN_ATTN_QKV_BIAS);
        if (!fused) {
            weight = syn_model_part(model, layer, (syn_part)(SYN_ATTN_Q + i));
            bias = syn_model_part(model, layer, (syn_part)(SYN_ATTN_Q_BIAS + i));
        }
        products.item[i] = synp_projection_of(weight, bias, y[i], rows);
        products.item[i].first = fused ? row : 0;
        products.item[i].rows = rows;
        row += rows;
    }
    synp_input(ctx, ctx->normed, n, model->embd);
    return synp_multiply(&products, err);
}

/* The weights whose first rows make the queries, head after head. */
static const syn_tensor *synp_query_weight(const syn_model *model, uint32_t layer)
{
    static const syn_part parts[] = {SYN_ATTN_Q, SYN_ATTN_QKV, SYN_ATTN_Q_B};
    const syn_tensor *weight = NULL;
    size_t i;
    for (i = 0; i < sizeof parts / sizeof *parts && !weight; i++)
        weight = syn_model_part(model, layer, parts[i]);
    return weight;
}

/* Normalises each head of Q or K (Gemma 3, Qwen 3), or all heads at once where the weight is
   wide. */
static syn_status synp_qk_norm(synp_context *ctx, const syn_tensor *weight, float *rows,
                               size_t size, uint32_t n, syn_error *err)
{
    if (!weight) return SYN_OK;
    return synp_norm(ctx, weight, NULL, rows, (size_t)n * size / weight->cols, rows, err);
}

/* Queries grow with the logarithm of their position (Mistral 3, Llama 4). */
static void synp_temper(const synp_context *ctx, float *q, uint32_t n, size_t size)
{
    const syn_model *model = ctx->model;
    uint32_t p;
    size_t i;
    for (p = 0; p < n && model->temperature_scale > 0; p++) {
        const uint32_t lengths = ctx->row[p].position / model->temperature_length;
        const float by = 1.0f + model->temperature_scale * (float)log(1.0 + lengths);
        for (i = 0; i < size; i++) q[p * size + i] *= by;
    }
}

/* The layer's sinks, decoded before the heads run side by side. */
static syn_status synp_sinks_read(synp_context *ctx, uint32_t layer, syn_error *err)
{
    const syn_tensor *sinks = syn_model_part(ctx->model, layer, SYN_ATTN_SINKS);
    const float *vector;
    syn_status status;
    if (!ctx->sink_scores || !sinks) return SYN_OK;
    status = synp_vector(ctx, sinks, 0, &vector, err);
    if (!status) memcpy(ctx->sink_scores, vector, sinks->cols * sizeof *vector);
    return status;
}

static syn_status synp_attention_heads(synp_context *ctx, uint32_t layer, uint32_t n,
                                       syn_error *err)
{
    const syn_model *model = ctx->model;
    const uint32_t heads = model->layer_heads[layer], kv_heads = model->layer_kv_heads[layer];
    const float *turn = syn_model_is_local(model, layer) ? ctx->turn_local : ctx->turn;
    syn_status status = synp_project_qkv(ctx, layer, n, err);
    if (!status) synp_noise_query(ctx, layer, n, ctx->normed, model->embd);
    if (!status)
        status = synp_qk_norm(ctx, syn_model_part(model, layer, SYN_ATTN_Q_NORM), ctx->q,
                              (size_t)heads * model->key_size, n, err);
    if (!status)
        status = synp_qk_norm(ctx, syn_model_part(model, layer, SYN_ATTN_K_NORM), ctx->k,
                              (size_t)kv_heads * model->key_size, n, err);
    if (!status) status = synp_sinks_read(ctx, layer, err);
    if (status) return status;
    if (synp_layer_turns(model, layer)) {
        synp_rope_rows(ctx, ctx->q, n, heads, model->key_size, 0, turn);
        synp_rope_rows(ctx, ctx->k, n, kv_heads, model->key_size, 0, turn);
    }
    synp_temper(ctx, ctx->q, n, (size_t)heads * model->key_size);
    synp_attend_all(ctx, layer, n, ctx->q, ctx->heads);
    return SYN_OK;
}

/* ---- latent attention (DeepSeek V2, arXiv 2405.04434, section 2.1) ---- */

/* Row ranges of one head in attn_kv_b, where keys and values are not split. */
static uint32_t synp_kv_b_row(const syn_model *model, uint32_t head)
{
    return head * (uint32_t)(synp_model_dim(model, SYNP_NOPE) + model->value_size);
}

/* Queries straight from the input, or through a low rank and its norm. */
static syn_status synp_latent_query(synp_context *ctx, uint32_t layer, uint32_t n, syn_error *err)
{
    const syn_model *model = ctx->model;
    const syn_tensor *direct = syn_model_part(model, layer, SYN_ATTN_Q);
    syn_status status;
    if (direct) {
        status = synp_one_product(ctx, direct, NULL, ctx->normed, n, ctx->q, err);
        if (!status) synp_noise_query(ctx, layer, n, ctx->normed, model->embd);
        return status;
    }
    status = synp_one_product(ctx, syn_model_part(model, layer, SYN_ATTN_Q_A), NULL, ctx->normed, n,
                              ctx->lora, err);
    if (!status)
        status = synp_norm(ctx, syn_model_part(model, layer, SYN_ATTN_Q_A_NORM), NULL, ctx->lora, n,
                           ctx->lora, err);
    if (!status)
        status = synp_one_product(ctx, syn_model_part(model, layer, SYN_ATTN_Q_B), NULL, ctx->lora,
                                  n, ctx->q, err);
    if (!status) synp_noise_query(ctx, layer, n, ctx->lora, model->q_lora);
    return status;
}

/* The row that is cached: the normed latent, then the rotated key that all heads share. */
static syn_status synp_latent_key(synp_context *ctx, uint32_t layer, uint32_t n, syn_error *err)
{
    const syn_model *model = ctx->model;
    const float *weight;
    uint32_t p;
    syn_status status = synp_one_product(ctx, syn_model_part(model, layer, SYN_ATTN_KV_A), NULL,
                                         ctx->normed, n, ctx->k, err);
    if (!status)
        status =
            synp_vector(ctx, syn_model_part(model, layer, SYN_ATTN_KV_A_NORM), 0, &weight, err);
    if (status) return status;
    for (p = 0; p < n; p++) {
        float *row = ctx->k + (size_t)p * model->cache_key;
        synp_norm_rows(ctx, row, 1, model->kv_lora, weight, row);
    }
    synp_rope_rows(ctx, ctx->k, n, 1, model->cache_key, model->kv_lora, ctx->turn);
    return SYN_OK;
}

/* One head's queries (position, nope) to ctx->lora, as one input. */
static void synp_latent_gather(synp_context *ctx, uint32_t head, uint32_t n, uint32_t nope)
{
    const syn_model *model = ctx->model;
    uint32_t p;
    for (p = 0; p < n; p++)
        memcpy(ctx->lora + (size_t)p * nope,
               ctx->q + ((size_t)p * model->heads + head) * model->key_size, nope * sizeof(float));
}

/* q' = K_h' q with K_h's rows in attn_kv_b: a sum of weight rows. */
static syn_status synp_latent_absorb_rows(synp_context *ctx, const syn_tensor *kv_b, uint32_t head,
                                          uint32_t n, uint32_t nope, syn_error *err)
{
    const syn_model *model = ctx->model;
    const size_t stride = (size_t)model->heads * model->cache_key;
    float *out = ctx->latent_q + (size_t)head * model->cache_key;
    uint32_t j, p;
    for (p = 0; p < n; p++) memset(out + p * stride, 0, model->kv_lora * sizeof(float));
    for (j = 0; j < nope; j++) {
        const float *row;
        syn_status status = synp_vector(ctx, kv_b, synp_kv_b_row(model, head) + j, &row, err);
        if (status) return status;
        for (p = 0; p < n; p++)
            ctx->kernels->axpy(out + p * stride, ctx->lora[(size_t)p * nope + j], row,
                               model->kv_lora);
    }
    return SYN_OK;
}

/* Keys are never formed: each head's query is taken to the latent space instead,
   q.(K_h c) = (K_h' q).c, and its rotated part is carried along. */
static syn_status synp_latent_absorb(synp_context *ctx, uint32_t layer, uint32_t n, syn_error *err)
{
    const syn_model *model = ctx->model;
    const syn_tensor *k_b = syn_model_part(model, layer, SYN_ATTN_K_B);
    const syn_tensor *kv_b = syn_model_part(model, layer, SYN_ATTN_KV_B);
    const uint32_t nope = (uint32_t)synp_model_dim(model, SYNP_NOPE);
    const size_t stride = (size_t)model->heads * model->cache_key;
    uint32_t h, p;
    for (h = 0; h < model->heads; h++) {
        syn_status status;
        synp_latent_gather(ctx, h, n, nope);
        if (k_b) {
            synp_projections products = synp_one_projection(
                ctx, k_b, NULL, n, ctx->latent_q + (size_t)h * model->cache_key);
            products.item[0].matrix = h;
            products.item[0].stride = stride;
            synp_input(ctx, ctx->lora, n, nope);
            status = synp_multiply(&products, err);
        } else {
            status = synp_latent_absorb_rows(ctx, kv_b, h, n, nope, err);
        }
        if (status) return status;
        for (p = 0; p < n; p++)
            memcpy(ctx->latent_q + p * stride + (size_t)h * model->cache_key + model->kv_lora,
                   ctx->q + ((size_t)p * model->heads + h) * model->key_size + nope,
                   model->rope_size * sizeof(float));
    }
    return SYN_OK;
}

/* Each head's output in the latent space through its value matrix: V_h c. */
static syn_status synp_latent_values(synp_context *ctx, uint32_t layer, uint32_t n, syn_error *err)
{
    const syn_model *model = ctx->model;
    const syn_tensor *v_b = syn_model_part(model, layer, SYN_ATTN_V_B);
    const syn_tensor *weight = v_b ? v_b : syn_model_part(model, layer, SYN_ATTN_KV_B);
    const uint32_t nope = (uint32_t)synp_model_dim(model, SYNP_NOPE);
    uint32_t h, p;
    for (h = 0; h < model->heads; h++) {
        synp_projections products =
            synp_one_projection(ctx, weight, NULL, n, ctx->heads + (size_t)h * model->value_size);
        syn_status status;
        products.item[0].matrix = v_b ? h : 0;
        products.item[0].first = v_b ? 0 : synp_kv_b_row(model, h) + nope;
        products.item[0].rows = model->value_size;
        products.item[0].stride = (size_t)model->heads * model->value_size;
        for (p = 0; p < n; p++)
            memcpy(ctx->latent_q + (size_t)p * model->kv_lora,
                   ctx->latent + ((size_t)p * model->heads + h) * model->kv_lora,
                   model->kv_lora * sizeof(float));
        synp_input(ctx, ctx->latent_q, n, model->kv_lora);
        status = synp_multiply(&products, err);
        if (status) return status;
    }
    return SYN_OK;
}

static syn_status synp_latent_heads(synp_context *ctx, uint32_t layer, uint32_t n, syn_error *err)
{
    const syn_model *model = ctx->model;
    syn_status status = synp_latent_query(ctx, layer, n, err);
    if (!status) status = synp_latent_key(ctx, layer, n, err);
    if (status) return status;
    synp_rope_rows(ctx, ctx->q, n, model->heads, model->key_size,
                   (uint32_t)synp_model_dim(model, SYNP_NOPE), ctx->turn);
    status = synp_latent_absorb(ctx, layer, n, err);
    if (status) return status;
    synp_temper(ctx, ctx->latent_q, n, (size_t)model->heads * model->cache_key);
    synp_attend_all(ctx, layer, n, ctx->latent_q, ctx->latent);
    return synp_latent_values(ctx, layer, n, err);
}

/* The heads' outputs are complete: they are recorded as they are, then edited. */
static void synp_heads_done(synp_context *ctx, uint32_t layer, uint32_t n)
{
    synp_probe_heads(ctx, layer, n);
    synp_probe_absent(ctx, layer, n);
    synp_edit_heads(ctx, layer, n);
}

/* ---- feed-forward ---- */

/* GELU in its exact form, x Phi(x) (Hendrycks and Gimpel 2016). */
static float synp_gelu_erf(float x)
{
    return 0.5f * x * (1.0f + erff(x * 0.70710678118654752f));
}

/* SwiGLU with limits (gpt-oss): g = min(gate, 7), u = up within 7, up = g sigmoid(1.702 g) (u +
   1). */
static void synp_silu_clamped(const float *gate, float *up, size_t n)
{
    const float limit = 7.0f, alpha = 1.702f;
    size_t i;
    for (i = 0; i < n; i++) {
        const float g = gate[i] < limit ? gate[i] : limit;
        const float u = up[i] > limit ? limit : up[i] < -limit ? -limit : up[i];
        up[i] = g / (1.0f + expf(-alpha * g)) * (u + 1.0f);
    }
}

/* up = act(gate) * up, or act(up) where there is no gate. */
static void synp_activate(const synp_context *ctx, const float *gate, float *up, size_t n)
{
    const synp_act_kind act = ctx->model->family->act;
    size_t i;
    if (gate && act == SYNP_ACT_SILU_CLAMPED) synp_silu_clamped(gate, up, n);
    else if (gate && act == SYNP_ACT_SILU) ctx->kernels->silu_mul(gate, up, n);
    else if (gate) ctx->kernels->gelu_mul(gate, up, n);
    else
        for (i = 0; i < n; i++)
            up[i] = act == SYNP_ACT_GELU_ERF ? synp_gelu_erf(up[i]) : synp_gelu(up[i]);
}

/* The matrices of one feed-forward part; those of an expert are matrix `expert` of each. */
typedef struct synp_ff {
    const syn_tensor *gate, *up, *down; /* gate NULL: none, or fused with up */
    const syn_tensor *gate_bias, *up_bias, *down_bias;
    uint32_t layer, expert, width;
    const uint32_t *taken; /* of an expert: the rows of the pass that are its inputs; else NULL */
    bool fused;            /* the rows of up are gate, then up */
} synp_ff;

/* Noise on rows first .. last of an expert's matrix, added to its product with x. */
static void synp_noise_expert(const synp_context *ctx, const synp_ff *ff, syn_noised matrix,
                              const float *x, size_t cols, uint32_t n, float *y, size_t y_stride,
                              uint32_t first, uint32_t last)
{
    synp_noise noise;
    if (!ff->taken || !ctx->expert_noise) return;
    noise.ctx = ctx;
    noise.taken = ff->taken;
    noise.matrix = matrix;
    noise.layer = ff->layer;
    noise.unit = ff->expert;
    noise.n = n;
    noise.x = x;
    noise.y = y;
    noise.cols = noise.x_stride = cols;
    noise.y_stride = y_stride;
    synp_noise_rows(&noise, first, last);
}

/* A job's own columns of gate and up, while they are in the cache: up = act(gate) * up, or
   act(up). */
static void synp_ff_finish(const synp_projections *products, uint32_t first, uint32_t last)
{
    const synp_context *ctx = products->ctx;
    const bool gated = products->items == 2;
    const size_t stride = products->item[0].stride;
    const size_t embd = ctx->model->embd;
    uint32_t p;
    synp_noise_expert(ctx, products->ff, SYN_NOISED_UP, products->x, embd, products->n, ctx->up,
                      stride, first, last);
    if (gated)
        synp_noise_expert(ctx, products->ff, SYN_NOISED_GATE, products->x, embd, products->n,
                          ctx->gate, stride, first, last);
    for (p = 0; p < products->n; p++)
        synp_activate(ctx, gated ? ctx->gate + p * stride + first : NULL,
                      ctx->up + p * stride + first, last - first);
}

/* y = down(act(gate x) * up x) (Shazeer 2020), or down(act(up x)). */
static syn_status synp_feed_forward(synp_context *ctx, const synp_ff *ff, const float *x,
                                    uint32_t n, float *y, syn_error *err)
{
    synp_projections products = synp_one_projection(ctx, ff->up, ff->up_bias, n, ctx->up);
    syn_status status;
    products.item[0].matrix = ff->expert;
    products.item[0].rows = ff->width;
    products.item[0].stride = ff->width;
    if (ff->gate || ff->fused) {
        products.item[1] = products.item[0];
        if (ff->fused) products.item[0].first = ff->width;
        else products.item[1].weight = ff->gate;
        products.item[1].bias = ff->fused ? ff->up_bias : ff->gate_bias;
        products.item[1].y = ctx->gate;
        products.items = 2;
    }
    products.finish = synp_ff_finish;
    products.ff = ff;
    products.x = x;
    synp_input(ctx, x, n, ff->up->cols);
    status = synp_multiply(&products, err);
    if (status) return status;
    products = synp_one_projection(ctx, ff->down, ff->down_bias, n, y);
    products.item[0].matrix = ff->expert;
    synp_input(ctx, ctx->up, n, ff->down->cols);
    status = synp_multiply(&products, err);
    if (!status)
        synp_noise_expert(ctx, ff, SYN_NOISED_DOWN, ctx->up, ff->down->cols, n, y, ff->down->rows,
                          0, ff->down->rows);
    return status;
}

static syn_status synp_ff_dense(synp_context *ctx, uint32_t layer, uint32_t n, syn_error *err)
{
    const syn_model *model = ctx->model;
    synp_ff ff;
    memset(&ff, 0, sizeof ff);
    ff.gate = syn_model_part(model, layer, SYN_FFN_GATE);
    ff.up = syn_model_part(model, layer, SYN_FFN_UP);
    ff.down = syn_model_part(model, layer, SYN_FFN_DOWN);
    ff.gate_bias = syn_model_part(model, layer, SYN_FFN_GATE_BIAS);
    ff.up_bias = syn_model_part(model, layer, SYN_FFN_UP_BIAS);
    ff.down_bias = syn_model_part(model, layer, SYN_FFN_DOWN_BIAS);
    ff.width = model->ff;
    ff.fused = synp_is(model, SYNP_FUSED_GATE);
    return synp_feed_forward(ctx, &ff, ctx->normed, n, ctx->y, err);
}

/* ---- experts (Shazeer et al. 2017; softmax over all, then the largest: Mixtral, DeepSeek) ---- */

/* Logits to the scores that weights are made from; a softmax over the chosen experts leaves them as
   they are until the choice. */
static void synp_route_gate(const synp_context *ctx, float *router)
{
    const syn_model *model = ctx->model;
    uint32_t e;
    if (model->expert_gating == SYNP_GATING_SOFTMAX) ctx->kernels->softmax(router, model->experts);
    if (model->expert_gating != SYNP_GATING_SIGMOID) return;
    for (e = 0; e < model->experts; e++) router[e] = 1.0f / (1.0f + expf(-router[e]));
}

/* The sum of a group's two best scores, by which DeepSeek V3 chooses groups. */
static float synp_group_score(const float *score, uint32_t n)
{
    float best = -INFINITY, second = -INFINITY;
    uint32_t i;
    for (i = 0; i < n; i++) {
        if (score[i] > best) second = best, best = score[i];
        else if (score[i] > second) second = score[i];
    }
    return best + second;
}

/* Is the group of an expert among the best expert_groups_used? The lower index among equals. */
static bool synp_group_chosen(const syn_model *model, const float *score, uint32_t group)
{
    const uint32_t size = model->experts / model->expert_groups;
    const float own = synp_group_score(score + (size_t)group * size, size);
    uint32_t g, better = 0;
    for (g = 0; g < model->expert_groups; g++) {
        const float other = synp_group_score(score + (size_t)g * size, size);
        better += g != group && (other > own || (other == own && g < group)) ? 1 : 0;
    }
    return better < model->expert_groups_used;
}

/* Experts outside the chosen groups cannot be chosen. All groups are compared before any is
   excluded. */
static void synp_route_groups(const syn_model *model, float *score)
{
    uint32_t size, g, i, chosen[SYNP_EXPERT_GROUPS / 32] = {0};
    if (model->expert_groups < 2) return;
    size = model->experts / model->expert_groups;
    for (g = 0; g < model->expert_groups; g++)
        if (synp_group_chosen(model, score, g)) chosen[g / 32] |= (uint32_t)1 << g % 32;
    for (g = 0; g < model->expert_groups; g++)
        for (i = 0; i < size && !(chosen[g / 32] >> g % 32 & 1u); i++)
            score[g * size + i] = -INFINITY;
}

/* Chooses the likeliest experts of one position, the lower index among equals: each choice is the
   next one in that order, so that nothing needs to be marked. router holds logits, then what
   weights are made of; `score` is what the choice goes by, the same but for a bias (DeepSeek V3)
   and groups. */
static void synp_route(const synp_context *ctx, float *router, const float *bias, float *score,
                       uint32_t *choice, float *gate_weight)
{
    const syn_model *model = ctx->model;
    float sum = 0;
    uint32_t k, e;
    synp_route_gate(ctx, router);
    for (e = 0; e < model->experts; e++) score[e] = bias ? router[e] + bias[e] : router[e];
    synp_route_groups(model, score);
    for (k = 0; k < model->experts_used; k++) {
        const uint32_t last = k ? choice[k - 1] : model->experts;
        uint32_t best = model->experts;
        for (e = 0; e < model->experts; e++) {
            if (last < model->experts &&
                !(score[e] < score[last] || (score[e] == score[last] && e > last)))
                continue;
            if (k && last == model->experts) break;
            if (best == model->experts || score[e] > score[best]) best = e;
        }
        if (best < model->experts && !(score[best] > -INFINITY)) best = model->experts;
        choice[k] = best; /* stays `experts`, that is none, when the scores are not numbers */
        gate_weight[k] = best < model->experts ? router[best] : 0.0f;
    }
    if (model->expert_gating == SYNP_GATING_CHOSEN)
        ctx->kernels->softmax(gate_weight, model->experts_used);
    for (k = 0; k < model->experts_used; k++) sum += gate_weight[k];
    for (k = 0; k < model->experts_used; k++)
        gate_weight[k] = (model->experts_renormalised ? gate_weight[k] / sum : gate_weight[k]) *
                         model->expert_scale;
}

static syn_status synp_route_all(synp_context *ctx, uint32_t layer, uint32_t n, syn_error *err)
{
    const syn_model *model = ctx->model;
    const syn_tensor *bias = syn_model_part(model, layer, SYN_FFN_CHOICE_BIAS);
    const float *vector = NULL;
    uint32_t p;
    syn_status status = synp_one_product(ctx, syn_model_part(model, layer, SYN_FFN_ROUTER),
                                         syn_model_part(model, layer, SYN_FFN_ROUTER_BIAS),
                                         ctx->normed, n, ctx->router, err);
    if (!status && bias) status = synp_vector(ctx, bias, 0, &vector, err);
    for (p = 0; p < n && !status; p++) {
        float *router = ctx->router + (size_t)p * model->experts;
        synp_probe_take(ctx, SYN_PROBE_ROUTER, layer, 0, p, router, model->experts);
        synp_route(ctx, router, vector, ctx->expert_scores,
                   ctx->choice + (size_t)p * model->experts_used,
                   ctx->gate_weight + (size_t)p * model->experts_used);
    }
    return status;
}

/* The weight of an expert at a position; *chosen says whether the router took it. */
static float synp_gate_weight_of(const synp_context *ctx, uint32_t p, uint32_t expert, bool *chosen)
{
    const uint32_t used = ctx->model->experts_used;
    uint32_t k;
    for (k = 0; k < used; k++)
        if (ctx->choice[(size_t)p * used + k] == expert) {
            *chosen = true;
            return ctx->gate_weight[(size_t)p * used + k];
        }
    *chosen = false;
    return 0.0f;
}

/* Records and edits one expert's output at one position, and adds it to the block's output. */
static void synp_expert_done(synp_context *ctx, uint32_t layer, uint32_t expert, uint32_t p,
                             const float *out)
{
    const size_t embd = ctx->model->embd;
    const uint32_t experts = ctx->model->experts;
    const syn_edit *edit = ctx->row[p].edit;
    const float gain = synp_gain(edit->expert_gain, experts, layer, expert);
    bool chosen;
    const float gate_weight = synp_gate_weight_of(ctx, p, expert, &chosen);
    synp_probe_expert(ctx, layer, expert, p, gate_weight, out);
    if (!chosen) return;
    synp_probe_take(ctx, SYN_PROBE_EXPERT, layer, expert, p, out, embd);
    ctx->kernels->axpy(ctx->y + p * embd, gate_weight * gain, out, embd);
    if (edit->expert_mean && !(gain == 1.0f))
        ctx->kernels->axpy(ctx->y + p * embd, gate_weight * (1.0f - gain),
                           edit->expert_mean + ((size_t)layer * experts + expert) * embd, embd);
}

/* One expert over all positions that chose it (or over all, where every norm is wanted). */
static syn_status synp_expert(synp_context *ctx, uint32_t layer, synp_ff *ff, uint32_t n,
                              syn_error *err)
{
    const size_t embd = ctx->model->embd;
    const bool all = ctx->expert_norms && ctx->desc.expert_norms == SYN_EXPERTS_ALL;
    uint32_t p, k, used = 0;
    bool chosen;
    syn_status status;
    for (p = 0; p < n; p++) {
        synp_gate_weight_of(ctx, p, ff->expert, &chosen);
        if ((!chosen && !all) || synp_expert_is_idle(ctx, p, layer, ff->expert)) continue;
        memcpy(ctx->gathered + embd * used, ctx->normed + embd * p, embd * sizeof(float));
        ctx->taken[used++] = p;
    }
    if (!used) return SYN_OK;
    status = synp_feed_forward(ctx, ff, ctx->gathered, used, ctx->expert, err);
    for (k = 0; k < used && !status; k++)
        synp_expert_done(ctx, layer, ff->expert, ctx->taken[k], ctx->expert + embd * k);
    return status;
}

/* The shared experts' output times the sigmoid of a gate of their own (Qwen 2 MoE). */
static syn_status synp_gate_shared(synp_context *ctx, uint32_t layer, uint32_t n, syn_error *err)
{
    const syn_tensor *gate = syn_model_part(ctx->model, layer, SYN_FFN_SHARED_ROUTER);
    const size_t embd = ctx->model->embd;
    const float *weight;
    uint32_t p;
    size_t i;
    syn_status status;
    if (!gate) return SYN_OK;
    status = synp_vector(ctx, gate, 0, &weight, err);
    for (p = 0; p < n && !status; p++) {
        const float logit = ctx->kernels->dot_f32(weight, ctx->normed + p * embd, embd);
        const float factor = 1.0f / (1.0f + expf(-logit));
        for (i = 0; i < embd; i++) ctx->expert[p * embd + i] *= factor;
    }
    return status;
}

static syn_status synp_ff_shared(synp_context *ctx, uint32_t layer, uint32_t n, syn_error *err)
{
    const syn_model *model = ctx->model;
    synp_ff ff;
    uint32_t p;
    syn_status status;
    memset(&ff, 0, sizeof ff);
    ff.gate = syn_model_part(model, layer, SYN_FFN_GATE_SHARED);
    ff.up = syn_model_part(model, layer, SYN_FFN_UP_SHARED);
    ff.down = syn_model_part(model, layer, SYN_FFN_DOWN_SHARED);
    ff.width = (uint32_t)synp_model_dim(model, SYNP_SHARED_FF);
    status = synp_feed_forward(ctx, &ff, ctx->normed, n, ctx->expert, err);
    if (!status) status = synp_gate_shared(ctx, layer, n, err);
    for (p = 0; p < n && !status; p++)
        synp_probe_take(ctx, SYN_PROBE_SHARED, layer, 0, p, ctx->expert + (size_t)p * model->embd,
                        model->embd);
    if (!status) synp_add_rows(ctx->y, ctx->expert, (size_t)n * model->embd);
    return status;
}

static syn_status synp_ff_experts(synp_context *ctx, uint32_t layer, uint32_t n, syn_error *err)
{
    const syn_model *model = ctx->model;
    synp_ff ff;
    syn_status status = synp_route_all(ctx, layer, n, err);
    memset(&ff, 0, sizeof ff);
    ff.gate = syn_model_part(model, layer, SYN_FFN_GATE_EXPERTS);
    ff.up = syn_model_part(model, layer, SYN_FFN_UP_EXPERTS);
    ff.down = syn_model_part(model, layer, SYN_FFN_DOWN_EXPERTS);
    ff.gate_bias = syn_model_part(model, layer, SYN_FFN_GATE_EXPERTS_BIAS);
    ff.up_bias = syn_model_part(model, layer, SYN_FFN_UP_EXPERTS_BIAS);
    ff.down_bias = syn_model_part(model, layer, SYN_FFN_DOWN_EXPERTS_BIAS);
    ff.width = model->expert_ff;
    ff.layer = layer;
    ff.taken = ctx->taken;
    memset(ctx->y, 0, (size_t)n * model->embd * sizeof(float));
    for (ff.expert = 0; ff.expert < model->experts && !status; ff.expert++)
        status = synp_expert(ctx, layer, &ff, n, err);
    if (!status && model->experts_shared) status = synp_ff_shared(ctx, layer, n, err);
    return status;
}

/* ---- layers ---- */

/* A block's output into the residual stream, normed first where the family does (Gemma). */
static syn_status synp_residual_add(synp_context *ctx, const syn_tensor *post_norm, uint32_t n,
                                    syn_error *err)
{
    syn_status status = SYN_OK;
    if (post_norm) status = synp_norm(ctx, post_norm, NULL, ctx->y, n, ctx->y, err);
    if (!status && ctx->model->residual_scale != 1.0f)
        synp_scale_rows(ctx->y, (size_t)n * ctx->model->embd, ctx->model->residual_scale);
    if (!status) synp_add_rows(ctx->x, ctx->y, (size_t)n * ctx->model->embd);
    return status;
}

/* The stream as a block takes it: normed, or as it is where the family norms outputs only. */
static syn_status synp_block_input(synp_context *ctx, uint32_t layer, syn_part norm, syn_part bias,
                                   uint32_t n, syn_error *err)
{
    const syn_tensor *weight = syn_model_part(ctx->model, layer, norm);
    if (!weight) {
        memcpy(ctx->normed, ctx->x, (size_t)n * ctx->model->embd * sizeof(float));
        return SYN_OK;
    }
    return synp_norm(ctx, weight, syn_model_part(ctx->model, layer, bias), ctx->x, n, ctx->normed,
                     err);
}

static syn_status synp_attention_block(synp_context *ctx, uint32_t layer, uint32_t n,
                                       syn_error *err)
{
    const syn_model *model = ctx->model;
    syn_status status;
    if (!model->layer_heads[layer]) { /* a layer without attention adds nothing */
        synp_probe_absent(ctx, layer, n);
        memset(ctx->y, 0, (size_t)n * model->embd * sizeof(float));
        return SYN_OK;
    }
    status = synp_block_input(ctx, layer, SYN_ATTN_NORM, SYN_ATTN_NORM_BIAS, n, err);
    if (!status)
        status = synp_is(model, SYNP_MLA) ? synp_latent_heads(ctx, layer, n, err)
                                          : synp_attention_heads(ctx, layer, n, err);
    if (status) return status;
    synp_heads_done(ctx, layer, n);
    status = synp_one_product(ctx, syn_model_part(model, layer, SYN_ATTN_OUTPUT),
                              syn_model_part(model, layer, SYN_ATTN_OUTPUT_BIAS), ctx->heads, n,
                              ctx->y, err);
    if (!status) synp_noise_output(ctx, layer, n);
    return status;
}

/* x += attention(norm(x)); x += ff(norm(x)). In a parallel layer both start from the same x. */
static syn_status synp_layer(synp_context *ctx, uint32_t layer, uint32_t n, syn_error *err)
{
    const syn_model *model = ctx->model;
    syn_status status;
    synp_probe_residual(ctx, layer, n);
    status = synp_attention_block(ctx, layer, n, err);
    if (!status && model->parallel_residual)
        status = synp_block_input(ctx, layer, SYN_FFN_NORM, SYN_FFN_NORM_BIAS, n, err);
    if (!status)
        status = synp_residual_add(ctx, syn_model_part(model, layer, SYN_ATTN_POST_NORM), n, err);
    if (!status && !model->parallel_residual)
        status = synp_block_input(ctx, layer, SYN_FFN_NORM, SYN_FFN_NORM_BIAS, n, err);
    if (!status)
        status = syn_model_has_experts(model, layer) ? synp_ff_experts(ctx, layer, n, err)
                                                     : synp_ff_dense(ctx, layer, n, err);
    if (!status)
        status = synp_residual_add(ctx, syn_model_part(model, layer, SYN_FFN_POST_NORM), n, err);
    return status;
}

static syn_status synp_embed(synp_context *ctx, const syn_row *rows, uint32_t n, syn_error *err)
{
    const syn_model *model = ctx->model;
    uint32_t p, i;
    for (p = 0; p < n; p++) {
        const float *row;
        float *x = ctx->x + (size_t)p * model->embd;
        syn_status status =
            synp_vector(ctx, &model->global[SYN_TOKEN_EMBD], (uint32_t)rows[p].id, &row, err);
        if (status) return status;
        for (i = 0; i < model->embd; i++) x[i] = row[i] * model->embd_scale;
        if (!model->global[SYN_POSITION_EMBD].type) continue;
        status =
            synp_vector(ctx, &model->global[SYN_POSITION_EMBD], ctx->row[p].position, &row, err);
        if (status) return status;
        synp_add_rows(x, row, model->embd);
    }
    return SYN_OK;
}

/* Which rows get logits: all, or the last of each sequence. Counts sequences' rows down again. */
static uint32_t synp_choose_logits(synp_context *ctx, uint32_t n)
{
    uint32_t p, count = 0;
    for (p = 0; p < n; p++) {
        synp_row *row = &ctx->row[p];
        row->logits = !--ctx->fed[row->sequence] || ctx->desc.all_logits ? (int32_t)count++ : -1;
    }
    return count;
}

/* Logits of the rows that have some: W_out norm(x), capped where the family does. */
static syn_status synp_output(synp_context *ctx, uint32_t n, uint32_t count, syn_error *err)
{
    const syn_model *model = ctx->model;
    const size_t embd = model->embd;
    const float cap = model->final_softcap;
    uint32_t p;
    size_t i;
    syn_status status;
    for (p = 0; p < n; p++)
        if (ctx->row[p].logits >= 0)
            memcpy(ctx->normed + (size_t)ctx->row[p].logits * embd, ctx->x + p * embd,
                   embd * sizeof(float));
    status = synp_norm(
        ctx, &model->global[SYN_OUTPUT_NORM],
        model->global[SYN_OUTPUT_NORM_BIAS].type ? &model->global[SYN_OUTPUT_NORM_BIAS] : NULL,
        ctx->normed, count, ctx->normed, err);
    if (!status)
        status = synp_one_product(
            ctx, &model->global[SYN_OUTPUT],
            model->global[SYN_OUTPUT_BIAS].type ? &model->global[SYN_OUTPUT_BIAS] : NULL,
            ctx->normed, count, ctx->logits, err);
    if (!status && fabs((double)model->logit_scale) > 0)
        synp_scale_rows(ctx->logits, (size_t)count * model->vocab, 1.0f / model->logit_scale);
    for (i = 0; cap > 0 && !status && i < (size_t)count * model->vocab; i++)
        ctx->logits[i] = cap * tanhf(ctx->logits[i] / cap);
    return status;
}

/* Sequence and position of each row; nothing is fed yet. Counts the rows of each sequence. */
static syn_status synp_place_rows(synp_context *ctx, const syn_row *rows, uint32_t n,
                                  syn_error *err)
{
    uint32_t p;
    memset(ctx->fed, 0, ctx->desc.sequences * sizeof *ctx->fed);
    for (p = 0; p < n; p++) {
        const uint32_t sequence = rows[p].sequence;
        if (sequence >= ctx->desc.sequences)
            return synp_fail(err, SYN_ERROR_ARGUMENT,
                             "row %u is of sequence %u, the context has %u", SYNP_U(p),
                             SYNP_U(sequence), SYNP_U(ctx->desc.sequences));
        ctx->row[p].sequence = sequence;
        ctx->row[p].position = ctx->at[sequence] + ctx->fed[sequence]++;
        ctx->row[p].logits = -1;
        if (ctx->row[p].position >= ctx->desc.tokens)
            return synp_fail(
                err, SYN_ERROR_CONTEXT, "%u tokens in sequence %u: the context holds %u",
                SYNP_U(ctx->row[p].position) + 1, SYNP_U(sequence), SYNP_U(ctx->desc.tokens));
    }
    return SYN_OK;
}

/* The edit of each row, what kinds of noise there are, and the runs of rows of one sequence. */
static void synp_arrange_rows(synp_context *ctx, const syn_row *rows, uint32_t n)
{
    uint32_t p, run = 0;
    ctx->head_noise = ctx->expert_noise = false;
    ctx->runs = 0;
    for (p = 0; p < n; p++) {
        const syn_edit *edit = rows[p].edit ? rows[p].edit : &ctx->edit;
        ctx->row[p].edit = edit;
        ctx->head_noise = ctx->head_noise || edit->head_noise;
        ctx->expert_noise = ctx->expert_noise || edit->expert_noise;
        if (!p || p - run == SYNP_RUN || ctx->row[p].sequence != ctx->row[run].sequence)
            ctx->run[ctx->runs++] = run = p;
    }
    ctx->run[ctx->runs] = n;
}

/* Rows that are placed go through the layers from `from` on. */
static syn_status synp_layers(synp_context *ctx, const syn_row *rows, uint32_t n, uint32_t from,
                              bool streams, syn_error *err)
{
    const syn_model *model = ctx->model;
    uint32_t layer, p;
    syn_status status = SYN_OK;
    for (p = 0; streams && p < n; p++)
        memcpy(ctx->x + (size_t)p * model->embd, rows[p].stream, model->embd * sizeof *ctx->x);
    if (!streams) status = synp_embed(ctx, rows, n, err);
    if (ctx->expert_norms)
        memset(ctx->expert_norms, 0, (size_t)n * model->layers * model->experts * sizeof(float));
    if (model->family->rope != SYNP_ROPE_NONE) {
        const bool extended =
            model->rope_freq_long && ctx->desc.tokens > model->rope_original_context;
        synp_turns(ctx, extended ? model->rope_freq_long : model->rope_freq, n,
                   model->rope_amplitude, ctx->turn);
        if (ctx->turn_local != ctx->turn)
            synp_turns(ctx, model->rope_freq_local, n, model->rope_amplitude_local,
                       ctx->turn_local);
    }
    for (layer = from; layer < model->layers && !status; layer++)
        status = synp_layer(ctx, layer, n, err);
    if (!status) synp_probe_residual(ctx, model->layers, n);
    return status;
}

/* One pass. `logits`: some are wanted. On failure no position has moved. */
static syn_status synp_pass(syn_context *context, const syn_row *rows, uint32_t n, uint32_t from,
                            bool streams, bool logits, syn_error *err)
{
    synp_context *ctx = context->work;
    uint32_t p, count;
    syn_status status = synp_place_rows(ctx, rows, n, err);
    if (status || !n) return status;
    ctx->probe = context->probe;
    ctx->edit = context->edit;
    context->rows = 0;
    synp_arrange_rows(ctx, rows, n);
    status = synp_layers(ctx, rows, n, from, streams, err);
    if (!status && logits && !context->no_logits) {
        count = synp_choose_logits(ctx, n);
        status = synp_output(ctx, n, count, err);
    }
    for (p = 0; p < n && !status; p++) ctx->at[ctx->row[p].sequence] = ctx->row[p].position + 1;
    if (!status) context->rows = n;
    return status;
}

static syn_status synp_check_rows(const syn_context *ctx, const syn_row *rows, size_t n,
                                  syn_error *err)
{
    size_t i;
    if (n > ctx->desc.batch)
        return synp_fail(err, SYN_ERROR_ARGUMENT, "%u rows, a pass takes %u", SYNP_U(n),
                         SYNP_U(ctx->desc.batch));
    for (i = 0; rows && i < n; i++)
        if (rows[i].id < 0 || (uint32_t)rows[i].id >= ctx->model->vocab)
            return synp_fail(err, SYN_ERROR_ARGUMENT, "token %u has the id %d, the vocabulary %u",
                             SYNP_U(i), SYNP_D(rows[i].id), SYNP_U(ctx->model->vocab));
    return SYN_OK;
}

SYN_API syn_status syn_context_step_rows(syn_context *ctx, const syn_row *rows, size_t n,
                                         syn_error *err)
{
    syn_status status;
    synp_succeed(err);
    status = synp_check_rows(ctx, rows, n, err);
    return status ? status : synp_pass(ctx, rows, (uint32_t)n, 0, false, true, err);
}

/* Checked ids of sequence 0, pass after pass; logits with the last. */
static syn_status synp_step_ids(syn_context *ctx, const int32_t *ids, size_t n, syn_error *err)
{
    syn_row *rows = ctx->work->given;
    size_t at = 0;
    uint32_t p, take;
    syn_status status = SYN_OK;
    memset(rows, 0, ctx->desc.batch * sizeof *rows);
    for (; at < n && !status; at += take) {
        take = (uint32_t)(n - at < ctx->desc.batch ? n - at : ctx->desc.batch);
        for (p = 0; p < take; p++) rows[p].id = ids[at + p];
        status = synp_pass(ctx, rows, take, 0, false, at + take == n || ctx->desc.all_logits, err);
    }
    return status;
}

SYN_API syn_status syn_context_step(syn_context *ctx, const int32_t *ids, size_t n, syn_error *err)
{
    const uint32_t at = syn_context_position(ctx, 0);
    size_t i;
    synp_succeed(err);
    for (i = 0; i < n; i++)
        if (ids[i] < 0 || (uint32_t)ids[i] >= ctx->model->vocab)
            return synp_fail(err, SYN_ERROR_ARGUMENT, "token %u has the id %d, the vocabulary %u",
                             SYNP_U(i), SYNP_D(ids[i]), SYNP_U(ctx->model->vocab));
    if (n > ctx->desc.tokens - at)
        return synp_fail(err, SYN_ERROR_CONTEXT, "%u tokens after %u: the context holds %u",
                         SYNP_U(n), SYNP_U(at), SYNP_U(ctx->desc.tokens));
    return synp_step_ids(ctx, ids, n, err);
}

/* Rows that belong to no sequence: their streams are behind the last layer already. */
static syn_status synp_output_only(syn_context *context, const syn_row *rows, uint32_t n,
                                   syn_error *err)
{
    synp_context *ctx = context->work;
    uint32_t p, count = 0;
    syn_status status;
    context->rows = 0;
    for (p = 0; p < n; p++) {
        memcpy(ctx->x + (size_t)p * ctx->model->embd, rows[p].stream,
               ctx->model->embd * sizeof *ctx->x);
        ctx->row[p].logits = ctx->desc.all_logits || p + 1 == n ? (int32_t)count++ : -1;
    }
    status = n ? synp_output(ctx, n, count, err) : SYN_OK;
    if (!status) context->rows = n;
    return status;
}

SYN_API syn_status syn_context_step_from(syn_context *ctx, uint32_t layer, const syn_row *rows,
                                         size_t n, syn_error *err)
{
    syn_status status;
    synp_succeed(err);
    if (layer > ctx->model->layers)
        return synp_fail(err, SYN_ERROR_ARGUMENT, "from layer %u of %u", SYNP_U(layer),
                         SYNP_U(ctx->model->layers));
    status = synp_check_rows(ctx, NULL, n, err);
    if (status) return status;
    if (layer == ctx->model->layers) return synp_output_only(ctx, rows, (uint32_t)n, err);
    return synp_pass(ctx, rows, (uint32_t)n, layer, true, true, err);
}

/* ---- how wide the weights of a unit are spread ---- */

typedef struct synp_spread {
    double count, sum, square;
} synp_spread;

static void synp_spread_add(synp_spread *s, const float *weight, size_t n)
{
    size_t i;
    for (i = 0; i < n; i++) {
        s->sum += (double)weight[i];
        s->square += (double)weight[i] * (double)weight[i];
    }
    s->count += (double)n;
}

static float synp_spread_sd(const synp_spread *s)
{
    const double mean = s->sum / s->count, variance = s->square / s->count - mean * mean;
    return variance > 0 ? (float)sqrt(variance) : 0.0f;
}

static syn_status synp_spread_rows(synp_context *ctx, const syn_tensor *tensor, uint32_t first,
                                   uint32_t rows, float *sd, syn_error *err)
{
    synp_spread spread = {0, 0, 0};
    const float *row;
    uint32_t r;
    for (r = 0; r < rows; r++) {
        syn_status status = synp_vector(ctx, tensor, first + r, &row, err);
        if (status) return status;
        synp_spread_add(&spread, row, tensor->cols);
    }
    *sd = synp_spread_sd(&spread);
    return SYN_OK;
}

enum { SYNP_SPREADS = 32 }; /* heads whose columns are measured in one walk over the rows */

static syn_status synp_spread_columns(synp_context *ctx, const syn_tensor *tensor, uint32_t head,
                                      uint32_t heads, float *sd, syn_error *err)
{
    synp_spread spread[SYNP_SPREADS];
    const uint32_t size = ctx->model->value_size;
    const float *row;
    uint32_t r, h;
    memset(spread, 0, sizeof spread);
    for (r = 0; r < tensor->rows; r++) {
        syn_status status = synp_vector(ctx, tensor, r, &row, err);
        if (status) return status;
        for (h = 0; h < heads; h++)
            synp_spread_add(&spread[h], row + (size_t)(head + h) * size, size);
    }
    for (h = 0; h < heads; h++) sd[2 * h] = synp_spread_sd(&spread[h]);
    return SYN_OK;
}

SYN_API syn_status syn_context_edit_head_sd(syn_context *context, uint32_t layer, float *sd,
                                            syn_error *err)
{
    synp_context *ctx = context->work;
    const syn_model *model = context->model;
    syn_status status = SYN_OK;
    uint32_t h, heads;
    synp_succeed(err);
    if (layer >= model->layers)
        return synp_fail(err, SYN_ERROR_ARGUMENT, "layer %u of %u", SYNP_U(layer),
                         SYNP_U(model->layers));
    heads = model->layer_heads[layer];
    memset(sd, 0, (size_t)model->heads * 2 * sizeof *sd);
    for (h = 0; h < heads && !status; h++)
        status = synp_spread_rows(ctx, synp_query_weight(model, layer), h * model->key_size,
                                  model->key_size, &sd[2 * h], err);
    for (h = 0; h < heads && !status; h += SYNP_SPREADS)
        status = synp_spread_columns(ctx, syn_model_part(model, layer, SYN_ATTN_OUTPUT), h,
                                     synp_min_u32(heads - h, SYNP_SPREADS), &sd[2 * h + 1], err);
    return status;
}

SYN_API syn_status syn_context_edit_expert_sd(syn_context *context, uint32_t layer, uint32_t expert,
                                              float sd[3], syn_error *err)
{
    static const syn_part parts[3] = {SYN_FFN_GATE_EXPERTS, SYN_FFN_UP_EXPERTS,
                                      SYN_FFN_DOWN_EXPERTS};
    synp_context *ctx = context->work;
    const syn_model *model = context->model;
    syn_status status = SYN_OK;
    int i;
    synp_succeed(err);
    if (layer >= model->layers || !syn_model_has_experts(model, layer) || expert >= model->experts)
        return synp_fail(err, SYN_ERROR_ARGUMENT, "no expert %u in layer %u", SYNP_U(expert),
                         SYNP_U(layer));
    for (i = 0; i < 3 && !status; i++) {
        const syn_tensor *tensor = syn_model_part(model, layer, parts[i]);
        status = synp_spread_rows(ctx, tensor, expert * tensor->rows, tensor->rows, &sd[i], err);
    }
    return status;
}

/* ------------------------------------------------------------------------------------
   >>sample
   Filters are thresholds on the logit, found by bisection over its 32 ordered bits: no sorting,
   no memory, at most 32 walks over the logits.
   ------------------------------------------------------------------------------------ */

/* Floats in the order of unsigned numbers: negative ones are flipped, positive get the top bit. */
static uint32_t synp_order(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

/* What a draw looks at: the logits that are neither banned nor NaN, nor below the floor. */
typedef struct synp_draw {
    const syn_sampler *sampler;
    const float *logits;
    size_t n;
    uint32_t floor; /* in synp_order */
    float top;
} synp_draw;

/* The lowest banned id from i on; n where there is none. */
static size_t synp_next_banned(const synp_draw *draw, size_t i)
{
    size_t next = draw->n;
    uint32_t k;
    for (k = 0; k < draw->sampler->banned_count; k++) {
        const int32_t id = draw->sampler->banned[k];
        if (id >= 0 && (size_t)id >= i && (size_t)id < next) next = (size_t)id;
    }
    return next;
}

/* The largest, the lowest id among equals; n where nothing may be chosen. */
static size_t synp_draw_top(const synp_draw *draw)
{
    const float *logits = draw->logits;
    size_t i, stop, best = draw->n;
    for (i = 0; i < draw->n; i = stop + 1)
        for (stop = synp_next_banned(draw, i); i < stop; i++)
            if (logits[i] == logits[i] && (best == draw->n || logits[i] > logits[best])) best = i;
    return best;
}

static double synp_draw_weight(const synp_draw *draw, size_t i)
{
    return exp((double)(draw->logits[i] - draw->top) / (double)draw->sampler->temperature);
}

/* The probability (times the sum of all; or, with count, the number) of logits at or above a
   threshold. */
static double synp_draw_above(const synp_draw *draw, uint32_t order, bool count)
{
    const float *logits = draw->logits;
    double sum = 0;
    size_t i, stop;
    if (order < draw->floor) order = draw->floor;
    for (i = 0; i < draw->n; i = stop + 1)
        for (stop = synp_next_banned(draw, i); i < stop; i++)
            if (logits[i] == logits[i] && synp_order(logits[i]) >= order)
                sum += count ? 1.0 : synp_draw_weight(draw, i);
    return sum;
}

/* The largest threshold at which what is above reaches `wanted`. */
static uint32_t synp_draw_threshold(const synp_draw *draw, double wanted, bool count)
{
    uint32_t order = 0, bit;
    for (bit = 0x80000000u; bit; bit >>= 1)
        if (synp_draw_above(draw, order | bit, count) >= wanted) order |= bit;
    return order;
}

static void synp_draw_raise(synp_draw *draw, uint32_t order)
{
    if (order > draw->floor) draw->floor = order;
}

/* The filters, one after the other, each on what those before it left. */
static void synp_draw_filter(synp_draw *draw)
{
    const syn_sampler *s = draw->sampler;
    if (s->top_k && s->top_k < draw->n)
        synp_draw_raise(draw, synp_draw_threshold(draw, (double)s->top_k, true));
    if (s->top_p > 0 && s->top_p < 1)
        synp_draw_raise(draw, synp_draw_threshold(
                                  draw, synp_draw_above(draw, 0, false) * (double)s->top_p, false));
    if (s->min_p > 0 && s->min_p <= 1)
        synp_draw_raise(draw, synp_order(draw->top + logf(s->min_p) * s->temperature));
}

/* Where a share of the summed probability falls. */
static size_t synp_draw_at(const synp_draw *draw, double point)
{
    const float *logits = draw->logits;
    size_t i, stop;
    for (i = 0; i < draw->n; i = stop + 1)
        for (stop = synp_next_banned(draw, i); i < stop; i++) {
            if (!(logits[i] == logits[i]) || synp_order(logits[i]) < draw->floor) continue;
            point -= synp_draw_weight(draw, i);
            if (point < 0) return i;
        }
    return draw->n;
}

SYN_API int32_t syn_sample(syn_sampler *sampler, const float *logits, size_t n)
{
    synp_draw draw;
    synp_rng random;
    size_t best, id;
    double sum;
    draw.sampler = sampler;
    draw.logits = logits;
    draw.n = n;
    draw.floor = 0;
    best = synp_draw_top(&draw);
    if (best == n) return 0;
    draw.top = logits[best];
    if (!(sampler->temperature > 0) || !(fabsf(draw.top) <= FLT_MAX)) return (int32_t)best;
    synp_draw_filter(&draw);
    sum = synp_draw_above(&draw, 0, false);
    random.state = sampler->seed;
    id = synp_draw_at(&draw, synp_rng_unit(&random) * sum);
    sampler->seed = random.state;
    return (int32_t)(id < n ? id : best);
}

#endif /* SYNERGY_NO_MODEL */

#ifndef SYNERGY_NO_PHIID

/* ------------------------------------------------------------------------------------
   >>covariance
   Sums of about 32 digits (double-double, see >>common).
   ------------------------------------------------------------------------------------ */

/* Variables are numbered past of channel 0, 1, ..., then future of channel 0, 1, ... What is stored
   of variable i (origin, mean, moments) is in units of 2^exponent[i]; means count from origin[i],
   the first value, since a mean near 1 could not follow values that differ in their last bit. */

enum { SYNP_NO_EXPONENT = INT32_MIN / 2 }; /* only zeros so far */

/* Where (i, j) stands in a packed lower triangle; (n, 0) is also the size of one with n rows. */
static size_t synp_packed(size_t i, size_t j)
{
    return i >= j ? i * (i + 1) / 2 + j : j * (j + 1) / 2 + i;
}

SYN_API void syn_cov_clear(syn_cov *cov)
{
    size_t i, vars = 2 * cov->channels;
    cov->pairs = 0;
    memset(cov->mean, 0, vars * 2 * sizeof(double));
    memset(cov->origin, 0, vars * sizeof(double));
    memset(cov->moment, 0, synp_packed(vars, 0) * 2 * sizeof(double));
    memset(cov->bad, 0, cov->channels);
    for (i = 0; i < vars; i++) {
        cov->low[i] = DBL_MAX;
        cov->high[i] = -DBL_MAX;
        cov->exponent[i] = SYNP_NO_EXPONENT;
    }
    syn_cov_break(cov);
}

SYN_API void syn_cov_break(syn_cov *cov)
{
    cov->waiting = 0;
    cov->oldest = 0;
}

SYN_API syn_status syn_cov_open(syn_cov *cov, size_t channels, size_t tau, syn_arena *arena,
                                syn_error *err)
{
    static const char what[] = "covariance";
    const size_t each = sizeof(double);
    uint64_t vars;
    synp_succeed(err);
    memset(cov, 0, sizeof *cov);
    if (!channels || channels > INT32_MAX / 2 || !tau || tau > SIZE_MAX / 16 / channels)
        return synp_fail(err, SYN_ERROR_ARGUMENT, "covariance of %u channels at lag %u",
                         SYNP_U(channels), SYNP_U(tau));
    vars = 2 * (uint64_t)channels;
    const synp_piece piece[] = {
        {&cov->lag, synp_count(tau, channels), each, what},
        {&cov->mean, vars * 2, each, what},
        {&cov->moment, synp_count(vars, vars + 1), each, what},
        {&cov->origin, vars, each, what},
        {&cov->change, vars * 2, each, what},
        {&cov->low, vars * 2, each, what},
        {&cov->exponent, vars, sizeof(int32_t), what},
        {&cov->bad, channels, 1, what},
    };
    if (synp_take_all(arena, piece, sizeof piece / sizeof piece[0], err)) return SYN_ERROR_MEMORY;
    cov->channels = channels;
    cov->tau = tau;
    cov->high = cov->low ? cov->low + vars : NULL; /* all NULL when measuring */
    if (cov->bad) syn_cov_clear(cov);
    return SYN_OK;
}

/* Variable i is stored in units of 2^exponent from now on. Exact, or an underflow of what is
   2^-900 of the largest value. */
static void synp_cov_rescale(syn_cov *cov, size_t i, int exponent)
{
    int old = cov->exponent[i];
    size_t j, vars = 2 * cov->channels;
    synp_dd by;
    cov->exponent[i] = exponent;
    if (old == SYNP_NO_EXPONENT || old == exponent) return; /* zeros are zeros in any unit */
    by = synp_dd_power(old - exponent);
    cov->origin[i] = synp_dd_scaled(cov->origin[i], by);
    for (j = 0; j < 2; j++) cov->mean[2 * i + j] = synp_dd_scaled(cov->mean[2 * i + j], by);
    for (j = 0; j < vars; j++) {
        double *m = cov->moment + 2 * synp_packed(i, j);
        m[0] = synp_dd_scaled(m[0], by);
        m[1] = synp_dd_scaled(m[1], by);
        if (i != j) continue; /* the diagonal holds the square of the unit */
        m[0] = synp_dd_scaled(m[0], by);
        m[1] = synp_dd_scaled(m[1], by);
    }
}

/* The sample v of variable i in its own units, from its origin. The units grow with the values in
   steps of at least 2^64, so that squares stay in range and rescaling stays rare. */
static synp_dd synp_cov_enter(syn_cov *cov, size_t i, double v)
{
    int e;
    if (v != 0) {
        frexp(v, &e);
        if (cov->exponent[i] == SYNP_NO_EXPONENT || e > cov->exponent[i] + 64)
            synp_cov_rescale(cov, i, e);
    }
    if (v < cov->low[i]) cov->low[i] = v;
    if (v > cov->high[i]) cov->high[i] = v;
    v = cov->exponent[i] == SYNP_NO_EXPONENT ? 0
                                             : synp_dd_scaled(v, synp_dd_power(-cov->exponent[i]));
    if (cov->pairs == 1) cov->origin[i] = v;
    return synp_dd_sum(v, -cov->origin[i]);
}

/* One pair of samples (past, future), each (channels). What is not finite counts as 0: the channel
   has been marked. */
static void synp_cov_pair(syn_cov *cov, const double *past, const double *future)
{
    size_t i, j, channels = cov->channels, vars = 2 * channels;
    double n = (double)++cov->pairs;
    synp_dd one_n = synp_dd_div(synp_dd_of(1, 0), synp_dd_of(n, 0));
    synp_dd fraction = synp_dd_mul(synp_dd_of(n - 1, 0), one_n);
    /* first all means, since M needs the distances from the old ones */
    for (i = 0; i < vars; i++) {
        double v = i < channels ? past[i] : future[i - channels];
        synp_dd d = synp_cov_enter(cov, i, synp_finite(v) ? v : 0), m = synp_dd_at(cov->mean, i);
        d = synp_dd_sub(d, m);
        synp_dd_put(cov->change, i, d);
        synp_dd_put(cov->mean, i, synp_dd_add(m, synp_dd_mul(d, one_n)));
    }
    for (i = 0; i < vars; i++) {
        synp_dd by = synp_dd_mul(synp_dd_at(cov->change, i), fraction);
        double *row = cov->moment + i * (i + 1); /* two doubles an entry */
        for (j = 0; j <= i; j++)
            synp_dd_put(
                row, j,
                synp_dd_add(synp_dd_at(row, j), synp_dd_mul(by, synp_dd_at(cov->change, j))));
    }
}

SYN_API void syn_cov_add(syn_cov *cov, const double *sample)
{
    size_t i;
    double *row;
    for (i = 0; i < cov->channels; i++)
        if (!synp_finite(sample[i])) cov->bad[i] = 1;
    row = cov->lag + (cov->oldest + cov->waiting) % cov->tau * cov->channels;
    if (cov->waiting == cov->tau) { /* full: the oldest row is the partner, then makes room */
        synp_cov_pair(cov, row, sample);
        cov->oldest = (cov->oldest + 1) % cov->tau;
    } else {
        cov->waiting++;
    }
    for (i = 0; i < cov->channels; i++) row[i] = synp_finite(sample[i]) ? sample[i] : 0;
}

/* Variable i of both in one unit and from one origin: gives the factor for what `from` stores,
   leaves the difference of the means in into->change. */
static synp_dd synp_cov_align(syn_cov *into, const syn_cov *from, size_t i)
{
    synp_dd by, d, m = synp_dd_at(from->mean, i);
    double origin;
    if (from->exponent[i] > into->exponent[i]) synp_cov_rescale(into, i, from->exponent[i]);
    if (from->exponent[i] == SYNP_NO_EXPONENT) by = synp_dd_of(1, 1);
    else by = synp_dd_power(from->exponent[i] - into->exponent[i]);
    origin = synp_dd_scaled(from->origin[i], by);
    if (!into->pairs) into->origin[i] = origin;
    d = synp_dd_of(synp_dd_scaled(m.h, by), synp_dd_scaled(m.l, by));
    d = synp_dd_add(synp_dd_sum(origin, -into->origin[i]),
                    synp_dd_sub(d, synp_dd_at(into->mean, i)));
    synp_dd_put(into->change, i, d);
    return by;
}

SYN_API syn_status syn_cov_merge(syn_cov *into, const syn_cov *from, syn_error *err)
{
    size_t i, j, vars = 2 * into->channels;
    double na = (double)into->pairs, nb = (double)from->pairs;
    synp_dd fraction, both;
    synp_succeed(err);
    if (into->channels != from->channels || into->tau != from->tau)
        return synp_fail(
            err, SYN_ERROR_ARGUMENT, "cannot merge %u channels at lag %u into %u at lag %u",
            SYNP_U(from->channels), SYNP_U(from->tau), SYNP_U(into->channels), SYNP_U(into->tau));
    for (i = 0; i < into->channels; i++) into->bad[i] |= from->bad[i];
    if (!from->pairs) return SYN_OK;
    /* every variable brings its distance of means first, for j <= i are needed together */
    fraction = synp_dd_div(synp_dd_of(nb, 0), synp_dd_of(na + nb, 0));
    both = synp_dd_mul(fraction, synp_dd_of(na, 0));
    for (i = 0; i < vars; i++) {
        synp_dd by = synp_cov_align(into, from, i), d = synp_dd_at(into->change, i), mine;
        double scale_i = synp_round(by.h * by.l);
        synp_dd_put(into->mean, i,
                    synp_dd_add(synp_dd_at(into->mean, i), synp_dd_mul(d, fraction)));
        mine = synp_dd_mul(d, both);
        for (j = 0; j <= i; j++) {
            size_t at = synp_packed(i, j);
            bool zeros = from->exponent[j] == SYNP_NO_EXPONENT;
            synp_dd m = synp_dd_at(from->moment, at);
            synp_dd p = synp_dd_power(zeros ? 0 : from->exponent[j] - into->exponent[j]);
            m.h = synp_dd_scaled(synp_round(m.h * scale_i), p);
            m.l = synp_dd_scaled(synp_round(m.l * scale_i), p);
            m = synp_dd_add(m, synp_dd_mul(mine, synp_dd_at(into->change, j)));
            synp_dd_put(into->moment, at, synp_dd_add(synp_dd_at(into->moment, at), m));
        }
        if (from->low[i] < into->low[i]) into->low[i] = from->low[i];
        if (from->high[i] > into->high[i]) into->high[i] = from->high[i];
    }
    into->pairs += from->pairs;
    return SYN_OK;
}

SYN_API double syn_cov_value(const syn_cov *cov, size_t i, size_t j)
{
    size_t channels = cov->channels;
    if (!cov->pairs || cov->bad[i % channels] || cov->bad[j % channels]) return (double)NAN;
    if (cov->exponent[i] == SYNP_NO_EXPONENT || cov->exponent[j] == SYNP_NO_EXPONENT) return 0;
    return synp_dd_scaled(cov->moment[2 * synp_packed(i, j)] / (double)cov->pairs,
                          synp_dd_power(cov->exponent[i] + cov->exponent[j]));
}

/* ---- the byte format ---- */

static const char synp_cov_magic[9] = "SYNCOV01";
enum { SYNP_COV_HEAD = 40, SYNP_COV_SUM = 8 };

/* Bytes, least significant first, whatever the machine's order; doubles as their IEEE bits. */
static uint64_t synp_little_get(const unsigned char *p, int bytes)
{
    uint64_t v = 0;
    while (bytes--) v = v << 8 | p[bytes];
    return v;
}

static unsigned char *synp_little_put(unsigned char *p, uint64_t v, int bytes)
{
    for (; bytes; bytes--, v >>= 8) *p++ = (unsigned char)(v & 255);
    return p;
}

static unsigned char *synp_doubles_put(unsigned char *p, const double *value, size_t count)
{
    for (; count; count--, value++) {
        uint64_t bits;
        memcpy(&bits, value, sizeof bits);
        p = synp_little_put(p, bits, 8);
    }
    return p;
}

static const unsigned char *synp_doubles_get(const unsigned char *p, double *value, size_t count)
{
    for (; count; count--, value++, p += 8) {
        uint64_t bits = synp_little_get(p, 8);
        memcpy(value, &bits, sizeof bits);
    }
    return p;
}

/* FNV-1a: notices a cut, a flipped bit or a text-mode copy; it is no protection against forgery. */
static uint64_t synp_checksum(const unsigned char *p, size_t bytes)
{
    uint64_t sum = 0xcbf29ce484222325u;
    for (; bytes; bytes--) sum = (sum ^ *p++) * 0x100000001b3u;
    return sum;
}

/* The doubles after the lag buffer: low, high, origin, mean (2 each), moment (2 each). */
static size_t synp_cov_doubles(size_t channels)
{
    size_t vars = 2 * channels;
    return vars * 5 + synp_packed(vars, 0) * 2;
}

/* No sum here can wrap: the accumulator itself takes more memory than its bytes. */
SYN_API size_t syn_cov_bytes(const syn_cov *cov)
{
    size_t channels = cov->channels;
    return SYNP_COV_HEAD + cov->waiting * channels * 8 + 2 * channels * 4 +
           synp_cov_doubles(channels) * 8 + channels + SYNP_COV_SUM;
}

SYN_API syn_status syn_cov_save(const syn_cov *cov, void *bytes, size_t capacity, syn_error *err)
{
    size_t i, channels = cov->channels, vars = 2 * channels, size = syn_cov_bytes(cov);
    unsigned char *start = (unsigned char *)bytes, *p = start + 8;
    synp_succeed(err);
    if (capacity < size)
        return synp_fail(err, SYN_ERROR_MEMORY, "a covariance needs %u bytes, there are %u",
                         SYNP_U(size), SYNP_U(capacity));
    memcpy(start, synp_cov_magic, 8);
    p = synp_little_put(p, channels, 8);
    p = synp_little_put(p, cov->tau, 8);
    p = synp_little_put(p, cov->pairs, 8);
    p = synp_little_put(p, cov->waiting, 8);
    for (i = 0; i < cov->waiting; i++)
        p = synp_doubles_put(p, cov->lag + (cov->oldest + i) % cov->tau * channels, channels);
    for (i = 0; i < vars; i++) p = synp_little_put(p, (uint32_t)cov->exponent[i], 4);
    p = synp_doubles_put(p, cov->low, vars);
    p = synp_doubles_put(p, cov->high, vars);
    p = synp_doubles_put(p, cov->origin, vars);
    p = synp_doubles_put(p, cov->mean, vars * 2);
    p = synp_doubles_put(p, cov->moment, synp_packed(vars, 0) * 2);
    memcpy(p, cov->bad, channels);
    synp_little_put(p + channels, synp_checksum(start, size - SYNP_COV_SUM), 8);
    return SYN_OK;
}

/* Channels, lag, pairs and waiting samples from the head, with the exact size checked against
   them. Sums in 64 bits; channels < 2^30 and the division keep them from wrapping. */
static syn_status synp_cov_head(const unsigned char *p, size_t size, uint64_t head[4],
                                syn_error *err)
{
    uint64_t need, vars, channels;
    int i;
    if (size < SYNP_COV_HEAD || memcmp(p, synp_cov_magic, 8) != 0)
        return synp_fail(err, SYN_ERROR_FORMAT, "not a saved covariance (no %s)", synp_cov_magic);
    for (i = 0; i < 4; i++) head[i] = synp_little_get(p + 8 + 8 * i, 8);
    channels = head[0];
    vars = 2 * channels;
    if (!channels || channels > INT32_MAX / 2 || !head[1] || head[1] > SIZE_MAX / 16 / channels ||
        head[3] > head[1] || head[3] > size / 8 / channels || (head[2] && head[2] >> 53))
        return synp_fail(err, SYN_ERROR_FORMAT,
                         "covariance of %u channels at lag %u, %u pairs, %u waiting", head[0],
                         head[1], head[2], head[3]);
    need = SYNP_COV_HEAD + head[3] * channels * 8 + vars * 4 + (vars * 5 + vars * (vars + 1)) * 8 +
           channels + SYNP_COV_SUM;
    if (need != size)
        return synp_fail(err, SYN_ERROR_FORMAT, "covariance of %u channels: %u bytes, expected %u",
                         channels, SYNP_U(size), need);
    return SYN_OK;
}

SYN_API syn_status syn_cov_shape(const void *bytes, size_t size, size_t *channels, size_t *tau,
                                 syn_error *err)
{
    uint64_t head[4];
    synp_succeed(err);
    syn_status status = synp_cov_head((const unsigned char *)bytes, size, head, err);
    if (status) return status;
    *channels = (size_t)head[0];
    *tau = (size_t)head[1];
    return SYN_OK;
}

/* Everything that loading would otherwise have to trust: checksum, finite numbers, exponents that
   some double has, marks that are 0 or 1. Numbers that contradict each other (no covariance) pass
   and are flagged NOT_PSD when they are used. */
static syn_status synp_cov_check(const unsigned char *p, size_t size, const uint64_t head[4],
                                 syn_error *err)
{
    size_t i, channels = (size_t)head[0], lag = (size_t)head[3] * channels;
    const unsigned char *q = p + SYNP_COV_HEAD;
    if (synp_checksum(p, size - SYNP_COV_SUM) != synp_little_get(p + size - SYNP_COV_SUM, 8))
        return synp_fail(err, SYN_ERROR_FORMAT, "covariance: checksum is wrong");
    for (i = 0; i < lag + synp_cov_doubles(channels); i++) {
        double v;
        if (i == lag) q += 2 * channels * 4;
        q = synp_doubles_get(q, &v, 1);
        if (!synp_finite(v))
            return synp_fail(err, SYN_ERROR_FORMAT, "covariance: number %u is not finite",
                             SYNP_U(i));
    }
    for (i = 0; i < channels; i++)
        if (q[i] > 1)
            return synp_fail(err, SYN_ERROR_FORMAT, "covariance: mark %u is %u", SYNP_U(i),
                             SYNP_U(q[i]));
    q = p + SYNP_COV_HEAD + lag * 8;
    for (i = 0; i < 2 * channels; i++) {
        int64_t e = (int32_t)(uint32_t)synp_little_get(q + 4 * i, 4);
        if (e != SYNP_NO_EXPONENT && (e < -1080 || e > 1025))
            return synp_fail(err, SYN_ERROR_FORMAT, "covariance: exponent %u is %d", SYNP_U(i),
                             SYNP_D(e));
    }
    return SYN_OK;
}

SYN_API syn_status syn_cov_load(syn_cov *cov, const void *bytes, size_t size, syn_error *err)
{
    const unsigned char *p = (const unsigned char *)bytes;
    size_t i, channels = cov->channels, vars = 2 * channels;
    uint64_t head[4];
    synp_succeed(err);
    syn_status status = synp_cov_head(p, size, head, err);
    if (status) return status;
    if (head[0] != channels || head[1] != cov->tau)
        return synp_fail(err, SYN_ERROR_ARGUMENT,
                         "covariance of %u channels at lag %u into one of %u at lag %u", head[0],
                         head[1], SYNP_U(channels), SYNP_U(cov->tau));
    status = synp_cov_check(p, size, head, err);
    if (status) return status;
    cov->pairs = head[2];
    cov->waiting = (size_t)head[3];
    cov->oldest = 0;
    p = synp_doubles_get(p + SYNP_COV_HEAD, cov->lag, cov->waiting * channels);
    for (i = 0; i < vars; i++, p += 4) cov->exponent[i] = (int32_t)(uint32_t)synp_little_get(p, 4);
    p = synp_doubles_get(p, cov->low, vars);
    p = synp_doubles_get(p, cov->high, vars);
    p = synp_doubles_get(p, cov->origin, vars);
    p = synp_doubles_get(p, cov->mean, vars * 2);
    p = synp_doubles_get(p, cov->moment, synp_packed(vars, 0) * 2);
    memcpy(cov->bad, p, channels);
    return SYN_OK;
}

/* ------------------------------------------------------------------------------------
   >>phiid
   From any input: co-moments of (x, y, a, b) in double-double -> six correlations -> nine ratios
   u = exp(-2 I) = 1 - R^2 -> atoms. All of an atom's mutual informations go into one product of
   ratios and one logarithm, so an atom carries one rounding and equal terms cancel exactly.

   With R the correlation matrix and lower-case pairs its entries (source: the determinants of
   I(A;B) = (ln |R_A| + ln |R_B| - ln |R_AB|) / 2, eliminated variable by variable):
       u(x_a) = 1 - xa^2   (u(x_b), u(y_a), u(y_b) alike)    vy = 1 - xy^2    vb = 1 - ab^2
       c1 = ya - xy xa    c2 = yb - xy xb    c3 = xb - xa ab    c4 = yb - ya ab
       u(xy_a) = u(x_a) - c1^2 / vy      u(xy_b) = u(x_b) - c2^2 / vy
       u(x_ab) = u(x_a) - c3^2 / vb      u(y_ab) = u(y_a) - c4^2 / vb
       m = ab - xa xb - c1 c2 / vy,  the covariance of a and b that x and y leave
       u(xy_ab) = (u(xy_a) u(xy_b) - m^2) / vb
   Error: about 2^-104 times the condition number of R, in the ratio.

   Closed forms of the MMI atoms, which the lattice inversion below amounts to:
       rtr = min(x_a, x_b, y_a, y_b)
       sts = xy_ab - max(xy_a, xy_b) - max(x_ab, y_ab) + max(x_a, y_a) + max(x_b, y_b)
             - max(min(x_a, x_b), min(y_a, y_b))
   rtr, rtx, rty, rts, xtr, ytr, str and sts are never negative; the others can be.
   ------------------------------------------------------------------------------------ */

SYN_API const char *syn_atom_name(syn_atom atom)
{
    static const char name[SYN_ATOMS][4] = {"rtr", "rtx", "rty", "rts", "xtr", "xtx", "xty", "xts",
                                            "ytr", "ytx", "yty", "yts", "str", "stx", "sty", "sts"};
    return (unsigned)atom < SYN_ATOMS ? name[atom] : "";
}

SYN_API const char *syn_mi_name(syn_mi mi)
{
    static const char name[SYN_MIS][6] = {"x_a",  "x_b",  "y_a",  "y_b",  "xy_a",
                                          "xy_b", "x_ab", "y_ab", "xy_ab"};
    return (unsigned)mi < SYN_MIS ? name[mi] : "";
}

SYN_API const char *syn_flags_text(syn_flags flags)
{
    static const struct {
        unsigned flag;
        const char *text;
    } name[] = {{SYN_FLAG_BAD_TAU, "BAD_TAU"},      {SYN_FLAG_TOO_SHORT, "TOO_SHORT"},
                {SYN_FLAG_NONFINITE, "NONFINITE"},  {SYN_FLAG_INFINITE, "INFINITE"},
                {SYN_FLAG_CONSTANT, "CONSTANT"},    {SYN_FLAG_SINGULAR, "SINGULAR"},
                {SYN_FLAG_NOT_PSD, "NOT_PSD"},      {SYN_FLAG_NOT_SYMMETRIC, "NOT_SYMMETRIC"},
                {SYN_FLAG_NO_SAMPLES, "NO_SAMPLES"}};
    size_t i;
    for (i = 0; i < sizeof name / sizeof name[0]; i++)
        if (flags & name[i].flag) return name[i].text;
    return "OK";
}

SYN_API const char *syn_redundancy_name(syn_redundancy redundancy)
{
    static const char *const name[SYN_REDUNDANCIES] = {"mmi", "ccs"};
    return (unsigned)redundancy < SYN_REDUNDANCIES ? name[redundancy] : "";
}

SYN_API const char *syn_estimator_name(syn_estimator estimator)
{
    static const char *const name[SYN_ESTIMATORS] = {"gaussian", "copula", "binary"};
    return (unsigned)estimator < SYN_ESTIMATORS ? name[estimator] : "";
}

SYN_API const char *syn_transform_name(syn_transform transform)
{
    static const char *const name[SYN_TRANSFORMS] = {"none", "log"};
    return (unsigned)transform < SYN_TRANSFORMS ? name[transform] : "";
}

/* ---- the lattice ---- */

/* Weight of node j in what lies at node i and not below it, on one side (r, x, y, s): Moebius
   inversion of r < x, y < s. An atom is the sum over nodes of the product of two weights. */
static const signed char synp_moebius[4][4] = {
    {1, 0, 0, 0}, {-1, 1, 0, 0}, {-1, 0, 1, 0}, {1, -1, -1, 1}};

static int synp_weight(int atom, int node)
{
    return synp_moebius[atom >> 2][node >> 2] * synp_moebius[atom & 3][node & 3];
}

/* The mutual informations among which a node takes its smallest, first of equals; -1 ends. */
static const signed char synp_sources[SYN_ATOMS][5] = {
    {SYN_MI_X_A, SYN_MI_X_B, SYN_MI_Y_A, SYN_MI_Y_B, -1},
    {SYN_MI_X_A, SYN_MI_Y_A, -1, 0, 0},
    {SYN_MI_X_B, SYN_MI_Y_B, -1, 0, 0},
    {SYN_MI_X_AB, SYN_MI_Y_AB, -1, 0, 0},
    {SYN_MI_X_A, SYN_MI_X_B, -1, 0, 0},
    {SYN_MI_X_A, -1, 0, 0, 0},
    {SYN_MI_X_B, -1, 0, 0, 0},
    {SYN_MI_X_AB, -1, 0, 0, 0},
    {SYN_MI_Y_A, SYN_MI_Y_B, -1, 0, 0},
    {SYN_MI_Y_A, -1, 0, 0, 0},
    {SYN_MI_Y_B, -1, 0, 0, 0},
    {SYN_MI_Y_AB, -1, 0, 0, 0},
    {SYN_MI_XY_A, SYN_MI_XY_B, -1, 0, 0},
    {SYN_MI_XY_A, -1, 0, 0, 0},
    {SYN_MI_XY_B, -1, 0, 0, 0},
    {SYN_MI_XY_AB, -1, 0, 0, 0}};

/* Atoms of a cumulative function, in double. inf - inf gives NaN, as it must: a difference of two
   infinite informations is not determined by them. Nodes below a node have smaller numbers. */
static void synp_atoms(const double f[SYN_ATOMS], double atom[SYN_ATOMS])
{
    int i, j;
    for (i = 0; i < SYN_ATOMS; i++) {
        double sum = 0;
        for (j = 0; j <= i; j++) {
            int w = synp_weight(i, j);
            if (w) sum += w * f[j];
        }
        atom[i] = sum == sum ? sum : (double)NAN; /* one NaN, not the processor's own */
    }
}

SYN_API void syn_phiid_mmi(const double mi[SYN_MIS], double atom[SYN_ATOMS])
{
    double f[SYN_ATOMS];
    int node, k;
    for (node = 0; node < SYN_ATOMS; node++) {
        const signed char *source = synp_sources[node];
        f[node] = mi[source[0]];
        for (k = 1; source[k] >= 0; k++)
            if (mi[source[k]] < f[node]) f[node] = mi[source[k]];
    }
    synp_atoms(f, atom);
}

/* ---- from co-moments to ratios ---- */

typedef struct synp_four {          /* four variables x y a b = 0 1 2 3 */
    synp_dd xy, ab, xa, xb, ya, yb; /* correlations; one dropped has those of its twin */
    synp_dd vy, vb;                 /* what x leaves of y, and a of b; 1 where dropped */
    synp_dd ky_a, ky_b, kb_x, kb_y; /* slopes c1 / vy, c2 / vy, c3 / vb, c4 / vb */
    synp_dd m, left;                /* m, and what x, y and a leave of b: vb u(xy_ab) / u(xy_a) */
    synp_dd u[SYN_MIS];             /* 0 where the information is infinite */
    synp_dd unit[4];                /* 1 / root of the variable's co-moment; 0 where constant */
    bool drop_b;                    /* b is a linear function of a */
    double kept;                    /* the least that a variable keeps, all others known */
    syn_flags flags;
} synp_four;

/* 64 eps: a residual shorter than this share of its variable is rounding noise. Squared, since
   1 - R^2 is the square of that share. Of a covariance in double, 1 - R^2 is itself no better known
   than eps. */
#define SYNP_LEAST_SAMPLES 2.0194839173657902e-28
#define SYNP_LEAST_ROUNDED (DBL_EPSILON / 4)
enum { SYNP_FEWEST = 5 }; /* samples: four centred variables have rank at most samples - 1 */
#define SYNP_INDEFINITE (-64 * DBL_EPSILON) /* 1 - R^2 below this: no rounding explains it */

/* What a correlation r leaves unexplained. */
static synp_dd synp_dd_one_minus_square(synp_dd r) /* 1 - r^2, no cancellation beyond that of r */
{
    synp_dd one = synp_dd_of(1, 0);
    return synp_dd_mul(synp_dd_sub(one, r), synp_dd_add(one, r));
}

/* p - q r */
static inline synp_dd synp_dd_minus_product(synp_dd p, synp_dd q, synp_dd r)
{
    return synp_dd_sub(p, synp_dd_mul(q, r));
}

/* The six correlations of co-moments c (upper triangle read). A constant variable (bit i of
   `constant`) becomes one that is independent of all others: it then adds nothing anywhere. */
static void synp_correlate(synp_four *q, synp_dd c[4][4], unsigned constant)
{
    synp_dd r[4][4];
    int i, j;
    for (i = 0; i < 4; i++) {
        bool gone = (constant >> i & 1) != 0;
        q->unit[i] = gone ? synp_dd_of(0, 0) : synp_dd_div(synp_dd_of(1, 0), synp_dd_root(c[i][i]));
    }
    for (i = 0; i < 4; i++)
        for (j = i + 1; j < 4; j++) { /* a series cannot fail this test, a given matrix can */
            r[i][j] = synp_dd_mul(synp_dd_mul(c[i][j], q->unit[i]), q->unit[j]);
            if (!(fabs(r[i][j].h) <= 1 - SYNP_INDEFINITE)) q->flags |= SYN_FLAG_NOT_PSD;
        }
    q->xy = r[0][1];
    q->xa = r[0][2];
    q->xb = r[0][3];
    q->ya = r[1][2];
    q->yb = r[1][3];
    q->ab = r[2][3];
}

/* Drops y where it depends on x, and b where it depends on a: the dropped one takes over the
   correlations of its twin (so that f of both is the same number) and leaves no residual. */
static void synp_drop_twins(synp_four *q, double least)
{
    q->vy = synp_dd_one_minus_square(q->xy);
    q->vb = synp_dd_one_minus_square(q->ab);
    q->drop_b = q->vb.h <= least;
    if (q->vy.h <= least) {
        bool opposite = q->xy.h < 0;
        q->flags |= SYN_FLAG_SINGULAR;
        q->vy = synp_dd_of(1, 0);
        q->xy = synp_dd_of(opposite ? -1 : 1, 0);
        q->ya = opposite ? synp_dd_negative(q->xa) : q->xa;
        q->yb = opposite ? synp_dd_negative(q->xb) : q->xb;
    }
    if (q->drop_b) {
        bool opposite = q->ab.h < 0;
        q->flags |= SYN_FLAG_SINGULAR;
        q->vb = synp_dd_of(1, 0);
        q->ab = synp_dd_of(opposite ? -1 : 1, 0);
        q->xb = opposite ? synp_dd_negative(q->xa) : q->xa;
        q->yb = opposite ? synp_dd_negative(q->ya) : q->ya;
    }
}

/* The formulas of the banner. */
static void synp_ratios(synp_four *q)
{
    synp_dd c1 = synp_dd_minus_product(q->ya, q->xy, q->xa);
    synp_dd c2 = synp_dd_minus_product(q->yb, q->xy, q->xb);
    synp_dd c3 = synp_dd_minus_product(q->xb, q->xa, q->ab);
    synp_dd c4 = synp_dd_minus_product(q->yb, q->ya, q->ab), *u = q->u;
    /* one past, one future variable */
    u[SYN_MI_X_A] = synp_dd_one_minus_square(q->xa);
    u[SYN_MI_X_B] = synp_dd_one_minus_square(q->xb);
    u[SYN_MI_Y_A] = synp_dd_one_minus_square(q->ya);
    u[SYN_MI_Y_B] = synp_dd_one_minus_square(q->yb);
    q->ky_a = synp_dd_div(c1, q->vy);
    q->ky_b = synp_dd_div(c2, q->vy);
    q->kb_x = synp_dd_div(c3, q->vb);
    q->kb_y = synp_dd_div(c4, q->vb);
    /* two on one side: what y explains of a beyond x, and so on */
    u[SYN_MI_XY_A] = synp_dd_minus_product(u[SYN_MI_X_A], c1, q->ky_a);
    u[SYN_MI_XY_B] = synp_dd_minus_product(u[SYN_MI_X_B], c2, q->ky_b);
    u[SYN_MI_X_AB] = synp_dd_minus_product(u[SYN_MI_X_A], c3, q->kb_x);
    u[SYN_MI_Y_AB] = synp_dd_minus_product(u[SYN_MI_Y_A], c4, q->kb_y);
    /* two on both: the determinant of the covariance of a, b given x, y */
    q->m = synp_dd_minus_product(synp_dd_minus_product(q->ab, q->xa, q->xb), c1, q->ky_b);
    if (q->drop_b) {
        q->m = q->left = synp_dd_of(0, 0);
        u[SYN_MI_XY_AB] = u[SYN_MI_XY_A];
        return;
    }
    q->left = synp_dd_minus_product(synp_dd_mul(u[SYN_MI_XY_A], u[SYN_MI_XY_B]), q->m, q->m);
    u[SYN_MI_XY_AB] = synp_dd_div(q->left, q->vb);
    if (u[SYN_MI_XY_A].h > 0) q->left = synp_dd_div(q->left, u[SYN_MI_XY_A]);
}

/* The smallest share of its variance that a variable of {x, y, a} keeps when the two others are
   known: the determinant of the three, v * u_both, over the largest of two of them (v, u1, u2). */
static double synp_kept_of_three(double v, double u_both, double u1, double u2)
{
    double largest = u1 > u2 ? u1 : u2;
    if (u1 <= 0 || u2 <= 0) return 0;
    if (largest < v) largest = v;
    return v * u_both / largest;
}

/* The same of all four, given the shares of the nine sets before it: 0 where three of them depend
   on each other already. */
static double synp_kept_of_four(const synp_four *q, const double kept[SYN_MIS], double least)
{
    double joint = q->vy.h * q->vb.h * q->u[SYN_MI_XY_AB].h, smallest = 1;
    int k;
    if (joint < SYNP_INDEFINITE) return joint; /* no covariance at all: the caller sees the sign */
    for (k = SYN_MI_XY_A; k <= SYN_MI_Y_AB; k++) {
        double triple = (k <= SYN_MI_XY_B ? q->vy.h : q->vb.h) * q->u[k].h;
        if (kept[k] <= least) return 0;
        if (joint / triple < smallest) smallest = joint / triple;
    }
    return smallest;
}

/* Marks as infinite (u = 0) each mutual information whose variables, dependent ones within a side
   dropped, depend on each other: 1 - R^2 of one given all others at or below `least`. */
static void synp_find_infinite(synp_four *q, double least)
{
    synp_dd *u = q->u;
    double vy = q->vy.h, vb = q->vb.h, kept[SYN_MIS];
    int k;
    for (k = SYN_MI_X_A; k <= SYN_MI_Y_B; k++) kept[k] = u[k].h;
    kept[SYN_MI_XY_A] =
        synp_kept_of_three(vy, u[SYN_MI_XY_A].h, kept[SYN_MI_X_A], kept[SYN_MI_Y_A]);
    kept[SYN_MI_XY_B] =
        synp_kept_of_three(vy, u[SYN_MI_XY_B].h, kept[SYN_MI_X_B], kept[SYN_MI_Y_B]);
    kept[SYN_MI_X_AB] =
        synp_kept_of_three(vb, u[SYN_MI_X_AB].h, kept[SYN_MI_X_A], kept[SYN_MI_X_B]);
    kept[SYN_MI_Y_AB] =
        synp_kept_of_three(vb, u[SYN_MI_Y_AB].h, kept[SYN_MI_Y_A], kept[SYN_MI_Y_B]);
    q->kept = kept[SYN_MI_XY_AB] = synp_kept_of_four(q, kept, least);
    for (k = 0; k < SYN_MIS; k++) {
        if (kept[k] < SYNP_INDEFINITE) q->flags |= SYN_FLAG_NOT_PSD;
        if (kept[k] > least) continue;
        u[k] = synp_dd_of(0, 0);
        q->flags |= SYN_FLAG_INFINITE;
    }
}

/* From correlations to ratios. */
static void synp_four_close(synp_four *q, double least)
{
    synp_drop_twins(q, least);
    if (q->flags & SYN_FLAGS_NO_NUMBERS) return;
    synp_ratios(q);
    synp_find_infinite(q, least);
}

/* ---- from ratios to nats ---- */

/* -ln(u) / 2 with a relative error of 1 ulp also where u is near 1. */
static double synp_nats(synp_dd u)
{
    if (u.h <= 0) return (double)INFINITY;
    if (u.h > 0.5 && u.h < 2) {
        synp_dd d = synp_dd_add(u, synp_dd_of(-1, 0));
        return 0 - 0.5 * (log1p(d.h) + d.l / u.h); /* 0 and not -0 for u = 1 */
    }
    return -0.5 * (log(u.h) + u.l / u.h);
}

/* The source that gives each node its smallest mutual information, the largest ratio. Compared with
   all 32 digits, so that rounding decides nothing that the data decide. */
static void synp_pick(const synp_dd u[SYN_MIS], int pick[SYN_ATOMS])
{
    int node, k;
    for (node = 0; node < SYN_ATOMS; node++) {
        const signed char *source = synp_sources[node];
        pick[node] = source[0];
        for (k = 1; source[k] >= 0; k++)
            if (synp_dd_less(u[pick[node]], u[source[k]])) pick[node] = source[k];
    }
}

/* One atom: the weights of its nodes added up for each mutual information, then one logarithm of
   the product of ratios to those powers. Atoms that are 0 because their terms cancel come out as 0,
   and small ones with all their digits. Powers lie in -4 ... 4, single ratios above 1e-28. */
static double synp_mmi_atom(const synp_dd u[SYN_MIS], const int pick[SYN_ATOMS], int atom)
{
    int power[SYN_MIS] = {0, 0, 0, 0, 0, 0, 0, 0, 0}, node, k, i;
    synp_dd over = synp_dd_of(1, 0), under = synp_dd_of(1, 0);
    for (node = 0; node <= atom; node++) power[pick[node]] += synp_weight(atom, node);
    for (k = 0; k < SYN_MIS; k++) {
        for (i = power[k]; i > 0; i--) over = synp_dd_mul(over, u[k]);
        for (i = power[k]; i < 0; i++) under = synp_dd_mul(under, u[k]);
    }
    return synp_nats(synp_dd_div(over, under));
}

/* All MMI outputs of a synp_four. Infinite informations go through the plain sums, in which inf -
   inf is NaN even where an atom's terms would cancel; what stays finite is computed as ever. */
static void synp_mmi(const synp_four *q, const double mi[SYN_MIS], double f[SYN_ATOMS],
                     double atom[SYN_ATOMS])
{
    int pick[SYN_ATOMS], i;
    synp_pick(q->u, pick);
    for (i = 0; i < SYN_ATOMS; i++) f[i] = mi[pick[i]];
    synp_atoms(f, atom);
    for (i = 0; i < SYN_ATOMS; i++)
        if (synp_finite(atom[i])) atom[i] = synp_mmi_atom(q->u, pick, i);
}

/* ---- how many digits are safe ----

   Near dependence the correlations' own error e, some 2^-104, grows by 1 / share. How far an atom
   can be off is measured, not estimated: each correlation is moved by e in turn, and the changes
   of the atom are added up. */

/* What the sums over n samples may do to a correlation. Measured against 300 bits, 20 to 20 000
   samples, offsets up to 1e8 deviations: below a third of it. */
static double synp_correlation_error(double n)
{
    return 4.930380657631324e-32 * (2 + sqrt(n) / 2);
}

/* Atoms below 1e-6 nats count as so large: nobody reads their third digit. */
static bool synp_third_digit(double atom, double off)
{
    double size = fabs(atom);
    return off <= 1e-3 * (size > 1e-6 ? size : 1e-6);
}

/* The MMI atoms of a synp_four, without other outputs. */
static void synp_four_atoms(const synp_four *q, double atom[SYN_ATOMS])
{
    double mi[SYN_MIS], f[SYN_ATOMS];
    int k;
    for (k = 0; k < SYN_MIS; k++) mi[k] = synp_nats(q->u[k]);
    synp_mmi(q, mi, f, atom);
}

/* off (SYN_ATOMS) = the bound described above, from the six correlations alone: `bare` is the
   synp_four before synp_four_close. */
static void synp_four_error(const synp_four *bare, double e, double least, double off[SYN_ATOMS])
{
    double base[SYN_ATOMS], moved[SYN_ATOMS];
    int which, k;
    for (k = 0; k < SYN_ATOMS; k++) off[k] = 0;
    for (which = 0; which <= 6; which++) {
        synp_four q = *bare;
        synp_dd *const r[6] = {&q.xy, &q.ab, &q.xa, &q.xb, &q.ya, &q.yb};
        if (which) {
            synp_dd *at = r[which - 1]; /* towards 0: never beyond 1 */
            *at = synp_dd_add(*at, synp_dd_of(at->h < 0 ? e : -e, 0));
        }
        synp_four_close(&q, least);
        synp_four_atoms(&q, which ? moved : base);
        for (k = 0; which && k < SYN_ATOMS; k++) off[k] += fabs(moved[k] - base[k]);
    }
}

/* Has every atom three digits? Far from dependence nothing is measured, unless `bound` is asked
   for. */
static bool synp_four_safe(const synp_four *q, const synp_four *bare, double e, double least,
                           double *bound)
{
    double off[SYN_ATOMS], atom[SYN_ATOMS];
    bool safe = true;
    int k;
    if (q->flags || (!bound && q->kept > 1e11 * e)) return true; /* 1e-3 of 1e-6, 1e2 to spare */
    synp_four_error(bare, e, least, off);
    synp_four_atoms(q, atom);
    for (k = 0; k < SYN_ATOMS; k++) {
        safe = safe && synp_third_digit(atom[k], off[k]);
        if (bound) bound[k] = off[k] + fabs(atom[k]) * DBL_EPSILON;
    }
    return safe;
}

/* Everything of a synp_four from co-moments (any common divisor, any units) whose correlations are
   known to e. What cannot be told from dependence to three digits is taken as dependent: a twin of
   its side where that alone explains most of it, else a function of the other side. */
static void synp_four_of(synp_four *q, synp_dd c[4][4], unsigned constant, double least, double e,
                         const syn_phiid_desc *desc)
{
    const bool asked = desc->bound && desc->redundancy == SYN_MMI;
    synp_four bare;
    double low, high;
    int k;
    memset(&bare, 0, sizeof bare);
    bare.flags = constant ? (syn_flags)SYN_FLAG_CONSTANT : 0;
    synp_correlate(&bare, c, constant);
    *q = bare;
    for (k = 0; desc->bound && k < SYN_ATOMS; k++) desc->bound[k] = (double)NAN;
    if (q->flags & SYN_FLAGS_NO_NUMBERS) return;
    synp_four_close(q, least);
    if (synp_four_safe(q, &bare, e, least, asked ? desc->bound : NULL)) return;
    for (k = 0; desc->bound && k < SYN_ATOMS; k++) desc->bound[k] = (double)NAN;
    low = q->vy.h < q->vb.h ? q->vy.h : q->vb.h;
    high = q->vy.h < q->vb.h ? q->vb.h : q->vy.h;
    least = high * high <= q->kept ? high : low * low <= q->kept ? low : q->kept;
    *q = bare;
    synp_four_close(q, least);
}

/* No numbers: everything that was asked for becomes NaN; only the flags that say why remain. */
static syn_flags synp_refuse(syn_flags flags, const syn_phiid_desc *desc, size_t samples,
                             double atom[SYN_ATOMS])
{
    size_t i;
    for (i = 0; i < SYN_ATOMS; i++) {
        atom[i] = (double)NAN;
        if (desc->cumulative) desc->cumulative[i] = (double)NAN;
        if (desc->bound) desc->bound[i] = (double)NAN;
        if (desc->mi && i < SYN_MIS) desc->mi[i] = (double)NAN;
    }
    for (i = 0; desc->local && i < SYN_ATOMS * samples; i++) desc->local[i] = (double)NAN;
    return flags & (syn_flags)SYN_FLAGS_NO_NUMBERS;
}

/* ---- series ---- */

typedef struct synp_samples { /* one of the two is set */
    const double *wide;
    const float *narrow;
    size_t stride;
} synp_samples;

typedef struct synp_window { /* one of the four variables: a window of a series */
    synp_samples series;     /* starts at the window's first sample */
    synp_dd power;           /* scales the largest magnitude to [1/2, 1) */
    synp_dd mean;            /* of the scaled samples */
    bool constant;
} synp_window;

static inline double synp_samples_at(const synp_samples *s, size_t t)
{
    return s->wide ? s->wide[t * s->stride] : (double)s->narrow[t * s->stride];
}

static bool synp_all_finite(const synp_samples *s, size_t n)
{
    size_t t;
    for (t = 0; t < n; t++)
        if (!synp_finite(synp_samples_at(s, t))) return false;
    return true;
}

/* The scaled, centred sample, to 32 digits of the window's largest magnitude: one centring does. */
static inline synp_dd synp_centred(const synp_window *w, size_t t)
{
    synp_dd d = synp_dd_sum(synp_dd_scaled(synp_samples_at(&w->series, t), w->power), -w->mean.h);
    return synp_dd_sum_ordered(d.h, synp_round(d.l - w->mean.l));
}

/* A running sum: the error is about 2^-105 of the largest partial sum for each term, and half the
   cost of synp_add, whose guard against cancellation a sum of squares does not need. */
static inline synp_dd synp_accumulate(synp_dd sum, synp_dd term)
{
    synp_dd s = synp_dd_sum(sum.h, term.h);
    return synp_dd_sum_ordered(s.h, synp_round(synp_round(sum.l + term.l) + s.l));
}

/* Scale, mean and constancy of the n samples from `start`. The past and the future window of one
   series are scaled and centred each by itself: a first sample of 1e300 is in one of them only. */
static void synp_window_open(synp_window *w, const synp_samples *series, size_t start, size_t n)
{
    double low, high, v;
    size_t t;
    int e;
    w->series = *series;
    if (series->wide) w->series.wide += start * series->stride;
    else w->series.narrow += start * series->stride;
    low = high = synp_samples_at(&w->series, 0);
    for (t = 1; t < n; t++) {
        v = synp_samples_at(&w->series, t);
        if (v < low) low = v;
        if (v > high) high = v;
    }
    w->constant = low == high; /* exactly; a mean of equal samples need not be equal to them */
    frexp(high > -low ? high : -low, &e);
    w->power = synp_dd_power(-e);
    w->mean = synp_dd_of(0, 0);
    for (t = 0; t < n; t++) {
        v = synp_dd_scaled(synp_samples_at(&w->series, t), w->power);
        w->mean = synp_accumulate(w->mean, synp_dd_of(v, 0));
    }
    w->mean = synp_dd_div(w->mean, synp_dd_of((double)n, 0));
}

/* c (upper triangle) = sums over samples of products of the centred variables. */
static void synp_comoments(const synp_window w[4], size_t n, synp_dd c[4][4])
{
    size_t t;
    int i, j;
    for (i = 0; i < 4; i++)
        for (j = i; j < 4; j++) c[i][j] = synp_dd_of(0, 0);
    for (t = 0; t < n; t++) {
        synp_dd z[4];
        for (i = 0; i < 4; i++) z[i] = synp_centred(&w[i], t);
        for (i = 0; i < 4; i++)
            for (j = i; j < 4; j++) c[i][j] = synp_accumulate(c[i][j], synp_dd_mul(z[i], z[j]));
    }
}

/* ---- local values ---- */

typedef struct synp_local { /* what the local mutual informations of every sample share */
    const synp_window *window;
    const synp_four *quad;
    const double *mi;
    synp_dd unit[4];           /* standardises: divisor n - 1 */
    synp_dd slope;             /* m / u(xy_a): of b on a, given x and y */
    double precision[SYN_MIS]; /* 1 / u, the residual's variance; the last 1 / left */
    double precision_b;        /* 1 / vb, 0 where b is dropped */
} synp_local;

/* 0 for a residual that does not exist, so that its square counts for nothing. */
static double synp_inverse(double v)
{
    return v > 0 ? 1 / v : 0;
}

static void synp_local_open(synp_local *l, const synp_window w[4], const synp_four *q,
                            const double mi[SYN_MIS], size_t n)
{
    synp_dd root = synp_dd_root(synp_dd_of((double)(n - 1), 0));
    int k;
    l->window = w;
    l->quad = q;
    l->mi = mi;
    for (k = 0; k < 4; k++) l->unit[k] = synp_dd_mul(q->unit[k], root);
    for (k = 0; k < SYN_MIS; k++) l->precision[k] = synp_inverse(q->u[k].h);
    l->precision[SYN_MI_XY_AB] = synp_inverse(q->left.h);
    l->slope = synp_dd_div(q->m, q->u[SYN_MI_XY_A]);
    l->precision_b = q->drop_b ? 0 : synp_inverse(q->vb.h);
}

/* I + (whole^2 - rest^2 / u) / 2: one link of the chain rule. `whole` is standardised, `rest` what
   the other side leaves of it, with variance u. */
static inline double synp_link(double mi, double whole, double rest, double precision)
{
    return mi + 0.5 * (whole * whole - rest * rest * precision);
}

/* The nine local mutual informations at sample t,
       i_t(A;B) = I + (q_A + q_B - q_AB) / 2,   q_Z = z' S_Z^-1 z,   S with divisor n - 1,
   from residuals in double-double (no inverse: q of a set is the sum of the squares of its
   standardised residuals, each variable given those before it). */
static void synp_local_mi(const synp_local *l, size_t t, double i[SYN_MIS])
{
    const synp_four *q = l->quad;
    const double *mi = l->mi, *p = l->precision;
    synp_dd x = synp_dd_mul(synp_centred(&l->window[0], t), l->unit[0]);
    synp_dd y = synp_dd_mul(synp_centred(&l->window[1], t), l->unit[1]);
    synp_dd a = synp_dd_mul(synp_centred(&l->window[2], t), l->unit[2]);
    synp_dd b = synp_dd_mul(synp_centred(&l->window[3], t), l->unit[3]);
    /* p_q: what q leaves of p; double-double, since near copies leave 1e-13 of each other */
    synp_dd y_x = synp_dd_minus_product(y, q->xy, x), b_a = synp_dd_minus_product(b, q->ab, a);
    synp_dd a_x = synp_dd_minus_product(a, q->xa, x), b_x = synp_dd_minus_product(b, q->xb, x);
    synp_dd a_xy = synp_dd_minus_product(a_x, q->ky_a, y_x);
    synp_dd b_xy = synp_dd_minus_product(b_x, q->ky_b, y_x);
    synp_dd a_y = synp_dd_minus_product(a, q->ya, y), b_y = synp_dd_minus_product(b, q->yb, y);
    synp_dd x_ab = synp_dd_minus_product(synp_dd_minus_product(x, q->xa, a), q->kb_x, b_a);
    synp_dd y_ab = synp_dd_minus_product(synp_dd_minus_product(y, q->ya, a), q->kb_y, b_a);
    synp_dd b_xya = synp_dd_minus_product(b_xy, l->slope, a_xy);
    i[SYN_MI_X_A] = synp_link(mi[SYN_MI_X_A], a.h, a_x.h, p[SYN_MI_X_A]);
    i[SYN_MI_X_B] = synp_link(mi[SYN_MI_X_B], b.h, b_x.h, p[SYN_MI_X_B]);
    i[SYN_MI_Y_A] = synp_link(mi[SYN_MI_Y_A], a.h, a_y.h, p[SYN_MI_Y_A]);
    i[SYN_MI_Y_B] = synp_link(mi[SYN_MI_Y_B], b.h, b_y.h, p[SYN_MI_Y_B]);
    i[SYN_MI_XY_A] = synp_link(mi[SYN_MI_XY_A], a.h, a_xy.h, p[SYN_MI_XY_A]);
    i[SYN_MI_XY_B] = synp_link(mi[SYN_MI_XY_B], b.h, b_xy.h, p[SYN_MI_XY_B]);
    i[SYN_MI_X_AB] = synp_link(mi[SYN_MI_X_AB], x.h, x_ab.h, p[SYN_MI_X_AB]);
    i[SYN_MI_Y_AB] = synp_link(mi[SYN_MI_Y_AB], y.h, y_ab.h, p[SYN_MI_Y_AB]);
    /* q_ab - q(ab given xy), as q_xy cancels: a, then b given a; a given xy, then b given xya */
    i[SYN_MI_XY_AB] = mi[SYN_MI_XY_AB] +
                      0.5 * (a.h * a.h - a_xy.h * a_xy.h * p[SYN_MI_XY_A] +
                             b_a.h * b_a.h * l->precision_b - b_xya.h * b_xya.h * p[SYN_MI_XY_AB]);
}

/* Zero is a sign of its own. */
static int synp_sign(double v)
{
    return (v > 0) - (v < 0);
}

/* The change in surprisal that two sources share: m1 + m2 - m12 where all four have one sign. */
static double synp_common(double m1, double m2, double m12)
{
    double c = m1 + m2 - m12;
    int s = synp_sign(c);
    return synp_sign(m1) == s && synp_sign(m2) == s && synp_sign(m12) == s ? c : 0;
}

/* f of every node at one sample, from the local mutual informations (Ince 2017; double redundancy
   as Mediano et al. 2021: the value that makes sts vanish, where the four single ones agree with
   its sign, else 0). */
static void synp_ccs_nodes(const double i[SYN_MIS], double f[SYN_ATOMS])
{
    double d;
    int node, s;
    for (node = 0; node < SYN_ATOMS; node++) f[node] = i[synp_sources[node][0]];
    f[SYN_RTX] = synp_common(f[SYN_XTX], f[SYN_YTX], f[SYN_STX]);
    f[SYN_RTY] = synp_common(f[SYN_XTY], f[SYN_YTY], f[SYN_STY]);
    f[SYN_RTS] = synp_common(f[SYN_XTS], f[SYN_YTS], f[SYN_STS]);
    f[SYN_XTR] = synp_common(f[SYN_XTX], f[SYN_XTY], f[SYN_XTS]);
    f[SYN_YTR] = synp_common(f[SYN_YTX], f[SYN_YTY], f[SYN_YTS]);
    f[SYN_STR] = synp_common(f[SYN_STX], f[SYN_STY], f[SYN_STS]);
    d = 0;
    for (node = 1; node < SYN_ATOMS; node++) d -= synp_weight(SYN_STS, node) * f[node];
    s = synp_sign(d);
    f[SYN_RTR] = synp_sign(f[SYN_XTX]) == s && synp_sign(f[SYN_XTY]) == s &&
                         synp_sign(f[SYN_YTX]) == s && synp_sign(f[SYN_YTY]) == s
                     ? d
                     : 0;
}

/* The pointwise atoms of sample t, into column t of (SYN_ATOMS, n). */
static void synp_local_put(double *local, size_t n, size_t t, const double f[SYN_ATOMS])
{
    double atom[SYN_ATOMS];
    size_t k;
    synp_atoms(f, atom);
    for (k = 0; k < SYN_ATOMS; k++) local[k * n + t] = atom[k];
}

/* CCS: means over samples for the seven nodes with r, the exact informations for the nine others
   (the mean of a local information is the information itself). */
static void synp_ccs(const synp_local *l, size_t n, double *local, double f[SYN_ATOMS],
                     double atom[SYN_ATOMS])
{
    synp_dd sum[SYN_ATOMS];
    double i[SYN_MIS];
    size_t t;
    int k, j;
    for (k = 0; k < SYN_ATOMS; k++) sum[k] = synp_dd_of(0, 0);
    for (t = 0; t < n; t++) {
        synp_local_mi(l, t, i);
        synp_ccs_nodes(i, f);
        for (k = 0; k < SYN_ATOMS; k++)
            if (synp_sources[k][1] >= 0) sum[k] = synp_accumulate(sum[k], synp_dd_of(f[k], 0));
        if (local) synp_local_put(local, n, t, f);
    }
    for (k = 0; k < SYN_ATOMS; k++) {
        if (synp_sources[k][1] >= 0) sum[k] = synp_dd_div(sum[k], synp_dd_of((double)n, 0));
        else sum[k] = synp_dd_of(l->mi[synp_sources[k][0]], 0);
        f[k] = sum[k].h;
    }
    for (k = 0; k < SYN_ATOMS; k++) {
        synp_dd v = synp_dd_of(0, 0);
        for (j = 0; j <= k; j++) {
            int w = synp_weight(k, j);
            if (w) v = synp_dd_add(v, w > 0 ? sum[j] : synp_dd_negative(sum[j]));
        }
        atom[k] = v.h;
    }
}

/* Pointwise MMI: the sources are chosen by the means. */
static void synp_mmi_local(const synp_local *l, size_t n, double *local)
{
    double i[SYN_MIS], f[SYN_ATOMS];
    int pick[SYN_ATOMS], k;
    size_t t;
    synp_pick(l->quad->u, pick);
    for (t = 0; t < n; t++) {
        synp_local_mi(l, t, i);
        for (k = 0; k < SYN_ATOMS; k++) f[k] = i[pick[k]];
        synp_local_put(local, n, t, f);
    }
}

/* ---- ranks and logarithms ---- */

/* Lets v[at] sink to its place in a heap of n with the largest value on top. */
static void synp_values_sink(double *v, size_t at, size_t n)
{
    double held = v[at];
    size_t child;
    while ((child = 2 * at + 1) < n) {
        if (child + 1 < n && v[child] < v[child + 1]) child++;
        if (!(held < v[child])) break;
        v[at] = v[child];
        at = child;
    }
    v[at] = held;
}

/* Sorts v (n), ascending: heapsort, whatever the values. */
static void synp_values_sort(double *v, size_t n)
{
    size_t k;
    for (k = n / 2; k-- > 0;) synp_values_sink(v, k, n);
    for (k = n; k-- > 1;) {
        double held = v[0];
        v[0] = v[k];
        v[k] = held;
        synp_values_sink(v, 0, k);
    }
}

/* How many of sorted v (n) are below x, or (`equal`) not above it. */
static size_t synp_values_below(const double *v, size_t n, double x, bool equal)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (v[middle] < x || (equal && v[middle] <= x)) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* Phi^-1(twice / (2 n + 2)), the normal score of rank twice / 2 of n. By symmetry the lower half
   only, exactly; a start good to 4.5e-4 (Abramowitz and Stegun 26.2.23), then two steps of Halley
   on erfc, each of which cubes the error. */
static double synp_normal_score(double twice, double n)
{
    double other = 2 * n + 2 - twice, p = (twice < other ? twice : other) / (2 * n + 2), t, x;
    int k;
    if (!(twice < other) && !(other < twice)) return 0;
    t = sqrt(-2 * log(p));
    x = (2.515517 + t * (0.802853 + t * 0.010328)) /
            (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) -
        t;
    for (k = 0; k < 2; k++) {
        double e = 0.5 * erfc(-x * 0.70710678118654752440) - p;
        double u = e * 2.50662827463100050242 * exp(0.5 * x * x);
        x -= u / (1 + 0.5 * x * u);
    }
    return twice < other ? x : -x;
}

SYN_API void syn_phiid_prepare(const double *from, size_t n, const syn_phiid_desc *desc, double *to,
                               double *work)
{
    bool finite = true;
    size_t t;
    for (t = 0; t < n; t++) {
        double v = from[t];
        if (desc->transform == SYN_TRANSFORM_LOG) v = v > 0 ? log(v) : (double)NAN;
        finite = finite && synp_finite(v);
        to[t] = v;
    }
    for (t = 0; !finite && t < n; t++) to[t] = (double)NAN;
    if (!finite || desc->estimator != SYN_COPULA) return;
    memcpy(work, to, n * sizeof *to);
    synp_values_sort(work, n);
    for (t = 0; t < n; t++) {
        double below = (double)synp_values_below(work, n, to[t], false);
        double upto = (double)synp_values_below(work, n, to[t], true);
        to[t] = synp_normal_score(below + upto + 1, (double)n);
    }
}

/* Does the descriptor ask for something that does not exist? */
static bool synp_desc_unknown(const syn_phiid_desc *desc)
{
    return (unsigned)desc->redundancy >= SYN_REDUNDANCIES ||
           (unsigned)desc->estimator >= SYN_ESTIMATORS ||
           (unsigned)desc->transform >= SYN_TRANSFORMS;
}

/* Must a series be copied before it is analysed? */
static bool synp_is_prepared(const syn_phiid_desc *desc)
{
    return desc->estimator == SYN_COPULA || desc->transform != SYN_TRANSFORM_NONE;
}

/* ---- two levels ----

   Of a state of (x, y, a, b) the local information of sets A, B is ln(n c_AB / (c_A c_B)), c the
   counts of what the state shows of each set. Informations are means of these, from
   T(S) = sum c_S ln c_S:   I(A;B) = (T(AB) + T() - T(A) - T(B)) / n.   MMI and CCS as ever. */

typedef struct synp_levels {
    uint64_t count[16][16]; /* of a set (mask of variables) and what a state shows of it */
    uint64_t n;
    const double *log_table; /* c ln c, or NULL */
} synp_levels;

/* The past and the future variables of each mutual information. */
static const unsigned char synp_level_sets[SYN_MIS][2] = {{1, 4}, {1, 8},  {2, 4},  {2, 8}, {3, 4},
                                                          {3, 8}, {1, 12}, {2, 12}, {3, 12}};

/* Counts of all sets, each from one with a variable more. */
static void synp_levels_of(synp_levels *l, const uint64_t count[16], const double *log_table)
{
    unsigned set, state, bit;
    l->log_table = log_table;
    for (state = 0; state < 16; state++) l->count[15][state] = count[state];
    for (set = 15; set-- > 0;) {
        for (bit = 1; set & bit;) bit *= 2;
        for (state = 0; state < 16; state++)
            if (!(state & ~set))
                l->count[set][state] =
                    l->count[set | bit][state] + l->count[set | bit][state | bit];
    }
    l->n = l->count[0][0];
}

static double synp_levels_log(const synp_levels *l, uint64_t count)
{
    if (l->log_table) return l->log_table[count];
    return count ? (double)count * log((double)count) : 0;
}

/* The nine informations, nats. */
static void synp_levels_mi(const synp_levels *l, double mi[SYN_MIS])
{
    double total[16];
    unsigned set, state;
    int k;
    for (set = 0; set < 16; set++) {
        total[set] = 0;
        for (state = 0; state < 16; state++)
            if (!(state & ~set)) total[set] += synp_levels_log(l, l->count[set][state]);
    }
    for (k = 0; k < SYN_MIS; k++) {
        unsigned past = synp_level_sets[k][0], future = synp_level_sets[k][1];
        double sum = (total[past | future] - total[past]) + (total[0] - total[future]);
        mi[k] = sum > 0 ? sum / (double)l->n : 0;
    }
}

/* The nine local informations of a state that occurs. Counts are whole numbers, so that a 0 is
   exact. */
static void synp_levels_local(const synp_levels *l, unsigned state, double i[SYN_MIS])
{
    int k;
    for (k = 0; k < SYN_MIS; k++) {
        unsigned past = synp_level_sets[k][0], future = synp_level_sets[k][1];
        double over = (double)l->n * (double)l->count[past | future][state & (past | future)];
        double under =
            (double)l->count[past][state & past] * (double)l->count[future][state & future];
        i[k] = over < under || over > under ? log(over / under) : 0;
    }
}

/* Atoms and f of every node from the nine informations and, for CCS, the states. */
static void synp_levels_atoms(const synp_levels *l, syn_redundancy redundancy,
                              const double mi[SYN_MIS], double f[SYN_ATOMS], double atom[SYN_ATOMS])
{
    unsigned state;
    int node, k;
    for (node = 0; node < SYN_ATOMS; node++) {
        const signed char *source = synp_sources[node];
        f[node] = redundancy == SYN_CCS && source[1] >= 0 ? 0 : mi[source[0]];
        for (k = 1; redundancy == SYN_MMI && source[k] >= 0; k++)
            if (mi[source[k]] < f[node]) f[node] = mi[source[k]];
    }
    for (state = 0; redundancy == SYN_CCS && state < 16; state++) {
        double i[SYN_MIS], here[SYN_ATOMS], fraction;
        if (!l->count[15][state]) continue;
        fraction = (double)l->count[15][state] / (double)l->n;
        synp_levels_local(l, state, i);
        synp_ccs_nodes(i, here);
        for (node = 0; node < SYN_ATOMS; node++)
            if (synp_sources[node][1] >= 0) f[node] += fraction * here[node];
    }
    synp_atoms(f, atom);
}

/* Pointwise atoms of one state; MMI sources are chosen by the means. */
static void synp_levels_point(const synp_levels *l, syn_redundancy redundancy,
                              const double mi[SYN_MIS], unsigned state, double f[SYN_ATOMS])
{
    double i[SYN_MIS];
    int node, k;
    synp_levels_local(l, state, i);
    if (redundancy == SYN_CCS) {
        synp_ccs_nodes(i, f);
        return;
    }
    for (node = 0; node < SYN_ATOMS; node++) {
        const signed char *source = synp_sources[node];
        int pick = source[0];
        for (k = 1; source[k] >= 0; k++)
            if (mi[source[k]] < mi[pick]) pick = source[k];
        f[node] = i[pick];
    }
}

/* From counts to everything that was asked for, but local values. */
static void synp_levels_answer(const synp_levels *l, const syn_phiid_desc *desc, double mi[SYN_MIS],
                               double atom[SYN_ATOMS])
{
    double f[SYN_ATOMS];
    int k;
    synp_levels_mi(l, mi);
    synp_levels_atoms(l, desc->redundancy, mi, f, atom);
    if (desc->mi) memcpy(desc->mi, mi, SYN_MIS * sizeof *mi);
    if (desc->cumulative) memcpy(desc->cumulative, f, sizeof f);
    for (k = 0; desc->bound && k < SYN_ATOMS; k++) desc->bound[k] = (double)NAN;
}

/* The sign of synp_centred: whole doubles decide, their mean's low part only between equals. */
static bool synp_window_above(const synp_window *w, size_t t)
{
    double v = synp_dd_scaled(synp_samples_at(&w->series, t), w->power);
    return v > w->mean.h || (!(v < w->mean.h) && w->mean.l < 0);
}

static unsigned synp_levels_state(const synp_window w[4], size_t t)
{
    unsigned state = 0, k;
    for (k = 0; k < 4; k++) state |= synp_window_above(&w[k], t) ? 1u << k : 0;
    return state;
}

/* A pair of series, window by window. */
static syn_flags synp_phiid_binary(const synp_window w[4], size_t n, unsigned constant,
                                   const syn_phiid_desc *desc, double atom[SYN_ATOMS])
{
    uint64_t count[16] = {0};
    double mi[SYN_MIS], f[SYN_ATOMS];
    synp_levels l;
    size_t t;
    for (t = 0; t < n; t++) count[synp_levels_state(w, t)]++;
    synp_levels_of(&l, count, NULL);
    synp_levels_answer(&l, desc, mi, atom);
    for (t = 0; desc->local && t < n; t++) {
        synp_levels_point(&l, desc->redundancy, mi, synp_levels_state(w, t), f);
        synp_local_put(desc->local, n, t, f);
    }
    return constant ? (syn_flags)SYN_FLAG_CONSTANT : 0;
}

/* ---- entries ---- */

/* From a synp_four to everything that was asked for. The n samples of windows w are needed for CCS
   and for local values only; NULL and 0 where there are none. */
static syn_flags synp_phiid_four(const synp_four *q, const synp_window *w, size_t n,
                                 const syn_phiid_desc *desc, double atom[SYN_ATOMS])
{
    double mi[SYN_MIS], f[SYN_ATOMS];
    size_t i;
    if (q->flags & SYN_FLAGS_NO_NUMBERS) return synp_refuse(q->flags, desc, n, atom);
    for (i = 0; i < SYN_MIS; i++) mi[i] = synp_nats(q->u[i]);
    if (desc->redundancy == SYN_MMI) synp_mmi(q, mi, f, atom);
    if (desc->redundancy == SYN_CCS && (q->flags & SYN_FLAG_INFINITE)) {
        for (i = 0; i < SYN_ATOMS; i++) { /* every sample has an infinite local value */
            f[i] = synp_sources[i][1] >= 0 ? (double)NAN : mi[synp_sources[i][0]];
            atom[i] = (double)NAN;
        }
    }
    if (q->flags & SYN_FLAG_INFINITE) {
        for (i = 0; desc->local && i < SYN_ATOMS * n; i++) desc->local[i] = (double)NAN;
    } else if (desc->redundancy == SYN_CCS || desc->local) {
        synp_local l;
        synp_local_open(&l, w, q, mi, n);
        if (desc->redundancy == SYN_CCS) synp_ccs(&l, n, desc->local, f, atom);
        else synp_mmi_local(&l, n, desc->local);
    }
    if (desc->mi) memcpy(desc->mi, mi, sizeof mi);
    if (desc->cumulative) memcpy(desc->cumulative, f, sizeof f);
    return q->flags;
}

/* Checks in the order of the flags, so that the gravest is the one that is told. */
static syn_flags synp_phiid_series(const synp_samples *x, const synp_samples *y, size_t n,
                                   const syn_phiid_desc *desc, double atom[SYN_ATOMS])
{
    size_t tau = desc->tau ? desc->tau : 1, samples = n - tau;
    synp_window w[4];
    synp_dd c[4][4];
    synp_four q;
    unsigned constant = 0, i;
    if (tau >= n) return synp_refuse(SYN_FLAG_BAD_TAU, desc, 0, atom);
    if (samples < SYNP_FEWEST) return synp_refuse(SYN_FLAG_TOO_SHORT, desc, samples, atom);
    if (!synp_all_finite(x, n) || !synp_all_finite(y, n))
        return synp_refuse(SYN_FLAG_NONFINITE, desc, samples, atom);
    for (i = 0; i < 4; i++) {
        synp_window_open(&w[i], i % 2 ? y : x, i < 2 ? 0 : tau, samples);
        if (w[i].constant) constant |= 1u << i;
    }
    if (desc->estimator == SYN_BINARY) return synp_phiid_binary(w, samples, constant, desc, atom);
    synp_comoments(w, samples, c);
    synp_four_of(&q, c, constant, SYNP_LEAST_SAMPLES, synp_correlation_error((double)samples),
                 desc);
    return synp_phiid_four(&q, w, samples, desc, atom);
}

/* The caller's descriptor with the defaults filled in. */
static void synp_desc_copy(syn_phiid_desc *to, const syn_phiid_desc *from)
{
    memset(to, 0, sizeof *to);
    if (from) *to = *from;
    if (!to->stride) to->stride = 1;
}

/* A series after transform and ranks, in `work` (n) with scratch (n) behind it. */
static void synp_samples_prepare(synp_samples *s, size_t n, const syn_phiid_desc *desc,
                                 double *work, double *scratch)
{
    size_t t;
    for (t = 0; t < n; t++) work[t] = synp_samples_at(s, t);
    syn_phiid_prepare(work, n, desc, work, scratch);
    s->wide = work;
    s->narrow = NULL;
    s->stride = 1;
}

/* Two series of either type. */
static syn_flags synp_phiid_two(synp_samples *x, synp_samples *y, size_t n, syn_phiid_desc *desc,
                                double atom[SYN_ATOMS])
{
    x->stride = y->stride = desc->stride;
    if (synp_desc_unknown(desc)) return synp_refuse(SYN_FLAG_NO_SAMPLES, desc, 0, atom);
    if (synp_is_prepared(desc)) {
        if (!desc->work) return synp_refuse(SYN_FLAG_NO_SAMPLES, desc, 0, atom);
        synp_samples_prepare(x, n, desc, desc->work, desc->work + 2 * n);
        synp_samples_prepare(y, n, desc, desc->work + n, desc->work + 2 * n);
    }
    return synp_phiid_series(x, y, n, desc, atom);
}

SYN_API syn_flags syn_phiid_pair(const double *x, const double *y, size_t n,
                                 const syn_phiid_desc *desc, double atom[SYN_ATOMS])
{
    syn_phiid_desc d;
    synp_samples sx, sy;
    synp_desc_copy(&d, desc);
    sx.wide = x;
    sy.wide = y;
    sx.narrow = sy.narrow = NULL;
    return synp_phiid_two(&sx, &sy, n, &d, atom);
}

SYN_API syn_flags syn_phiid_pair_float(const float *x, const float *y, size_t n,
                                       const syn_phiid_desc *desc, double atom[SYN_ATOMS])
{
    syn_phiid_desc d;
    synp_samples sx, sy;
    synp_desc_copy(&d, desc);
    sx.narrow = x;
    sy.narrow = y;
    sx.wide = sy.wide = NULL;
    return synp_phiid_two(&sx, &sy, n, &d, atom);
}

SYN_API syn_flags syn_phiid_counts(const uint64_t count[16], const syn_phiid_desc *desc,
                                   double atom[SYN_ATOMS])
{
    syn_phiid_desc d;
    synp_levels l;
    double mi[SYN_MIS];
    unsigned k, constant = 0;
    synp_desc_copy(&d, desc);
    synp_levels_of(&l, count, NULL);
    if (l.n < SYNP_FEWEST) return synp_refuse(SYN_FLAG_TOO_SHORT, &d, 0, atom);
    if (d.local || (unsigned)d.redundancy >= SYN_REDUNDANCIES)
        return synp_refuse(SYN_FLAG_NO_SAMPLES, &d, 0, atom);
    for (k = 0; k < 4; k++)
        if (!l.count[1u << k][0] || !l.count[1u << k][1u << k]) constant |= 1u << k;
    synp_levels_answer(&l, &d, mi, atom);
    return constant ? (syn_flags)SYN_FLAG_CONSTANT : 0;
}

/* Co-moments in units in which each variance is of the order of 1: entries times powers of two,
   exactly, since determinants and even squares of what a caller gives may be out of range. */
static void synp_normalise(synp_dd c[4][4], unsigned constant)
{
    int up[4], i, j;
    for (i = 0; i < 4; i++) {
        up[i] = 0;
        if (!(constant >> i & 1)) frexp(c[i][i].h, &up[i]);
        up[i] = -up[i] / 2;
    }
    for (i = 0; i < 4; i++) {
        for (j = i; j < 4; j++) {
            synp_dd by = synp_dd_power(up[i] + up[j]);
            c[i][j] = synp_dd_of(synp_dd_scaled(c[i][j].h, by), synp_dd_scaled(c[i][j].l, by));
        }
    }
}

/* Whether something is asked for that a covariance cannot give. */
static bool synp_needs_samples(const syn_phiid_desc *desc)
{
    return desc->redundancy == SYN_CCS || desc->local || desc->estimator == SYN_BINARY ||
           synp_is_prepared(desc) || synp_desc_unknown(desc);
}

SYN_API syn_flags syn_phiid_covariance(const double cov[16], const syn_phiid_desc *desc,
                                       double atom[SYN_ATOMS])
{
    syn_phiid_desc d;
    synp_dd c[4][4];
    synp_four q;
    unsigned constant = 0;
    int i, j;
    synp_desc_copy(&d, desc);
    q.flags = 0;
    for (i = 0; i < 16; i++)
        if (!synp_finite(cov[i])) return synp_refuse(SYN_FLAG_NONFINITE, &d, 0, atom);
    for (i = 0; i < 4; i++) {
        if (cov[5 * i] < 0) q.flags |= SYN_FLAG_NOT_PSD;
        if (cov[5 * i] == 0) constant |= 1u << i;
        for (j = 0; j < 4; j++) {
            if (cov[4 * i + j] != cov[4 * j + i]) q.flags |= SYN_FLAG_NOT_SYMMETRIC;
            if (cov[5 * i] == 0 && cov[4 * i + j] != 0) q.flags |= SYN_FLAG_NOT_PSD;
            c[i][j] = synp_dd_of(cov[4 * i + j], 0);
        }
    }
    if (q.flags & SYN_FLAG_NOT_SYMMETRIC) q.flags = SYN_FLAG_NOT_SYMMETRIC; /* the rest is moot */
    if (synp_needs_samples(&d)) q.flags |= SYN_FLAG_NO_SAMPLES;
    if (q.flags) return synp_refuse(q.flags, &d, 0, atom);
    synp_normalise(c, constant);
    synp_four_of(&q, c, constant, SYNP_LEAST_ROUNDED, synp_correlation_error(0), &d);
    return synp_phiid_four(&q, NULL, 0, &d, atom);
}

SYN_API syn_flags syn_cov_pair(const syn_cov *cov, size_t i, size_t j, const syn_phiid_desc *desc,
                               double atom[SYN_ATOMS])
{
    size_t at[4], k, l;
    syn_phiid_desc d;
    synp_dd c[4][4];
    synp_four q;
    unsigned constant = 0;
    synp_desc_copy(&d, desc);
    if (!cov->pairs) return synp_refuse(SYN_FLAG_BAD_TAU, &d, 0, atom);
    if (cov->pairs < SYNP_FEWEST) return synp_refuse(SYN_FLAG_TOO_SHORT, &d, 0, atom);
    if (cov->bad[i] || cov->bad[j]) return synp_refuse(SYN_FLAG_NONFINITE, &d, 0, atom);
    if (synp_needs_samples(&d)) return synp_refuse(SYN_FLAG_NO_SAMPLES, &d, 0, atom);
    at[0] = i;
    at[1] = j;
    at[2] = cov->channels + i;
    at[3] = cov->channels + j;
    for (k = 0; k < 4; k++) {
        if (!(cov->low[at[k]] < cov->high[at[k]])) constant |= 1u << k;
        for (l = k; l < 4; l++) c[k][l] = synp_dd_at(cov->moment, synp_packed(at[k], at[l]));
        if (!(c[k][k].h > 0)) constant |= 1u << k;
    }
    synp_normalise(c, constant);
    synp_four_of(&q, c, constant, SYNP_LEAST_SAMPLES, synp_correlation_error((double)cov->pairs),
                 &d);
    return synp_phiid_four(&q, NULL, 0, &d, atom);
}

/* ------------------------------------------------------------------------------------
   phiid, continued: all pairs.

   Per prompt every window (past, future) of every unit is scaled by a power of two, centred
   twice and divided to unit norm, once. A correlation is then a dot product of two rows. Units
   lie in panels of eight, sample by sample, so that the products of two panels are outer
   products of short vectors; a job is some consecutive panels against one panel, and each number
   has one writer.

   With u = exp(-2 I) = 1 - R^2 (a minimum of informations is a maximum of u), r_* correlations:
       Ua = 1 - xa^2   Ub = 1 - xb^2   Uc = 1 - ya^2   Ud = 1 - yb^2
       vy = 1 - xy^2   vb = 1 - ab^2
       c1 = ya - xy xa   c2 = yb - xy xb   c3 = xb - xa ab   c4 = yb - ya ab
       u(xy;a) = Ua - c1^2/vy           u(xy;b) = Ub - c2^2/vy
       u(x;ab) = Ua - c3^2/vb           u(y;ab) = Uc - c4^2/vb
       D = u(xy;a) u(xy;b) - (ab - xa xb - c1 c2 / vy)^2       u(xy;ab) = D / vb
       rtr = -1/2 ln max(Ua, Ub, Uc, Ud)
       sts = -1/2 ln [ u(xy;ab) min(Ua, Uc) min(Ub, Ud) / ( min(u(xy;a), u(xy;b))
                       min(u(x;ab), u(y;ab)) min(max(Ua, Ub), max(Uc, Ud)) ) ]
   (the closed form of MMI in section phiid with the logarithms taken together).

   Screen: the variance of each variable given the other three, D / u(xy;a), D / u(xy;b),
   vy D / (vb u(x;ab)), vy D / (vb u(y;ab)), is the reciprocal of a diagonal element of the
   inverse correlation matrix, so cond <= 16 / (the smallest of them). Pairs below 2^-7 take
   the pair-level route; above, the error is below 1.8 eps cond < 1e-12, and about 1e-15 on
   norms of heads.
   ------------------------------------------------------------------------------------ */

/* The smallest conditional variance at which a pair is left to the closed form. On norms of heads
   (two models, 120 000 pairs) none is below; of strongly autocorrelated sensors many may be, and
   each then costs about ten microseconds instead of 50 nanoseconds. */
#define SYNP_PAIRS_SCREEN (1.0 / 128)

/* Norm of the difference of two unit rows that counts as a copy. Rounding of the input leaves
   less than 4 eps, the nearest regular series known are at 1e9 eps (section phiid). */
#define SYNP_PAIRS_DEPENDENT (64 * DBL_EPSILON)

/* Sizes. A panel is eight units because that is one AVX-512 register, two AVX registers, four
   NEON ones; 128 samples of it, past and future, are 16 KiB, so that two panels stay in a
   first-level cache while their 64 pairs are multiplied. A job of eight panels is some 30
   microseconds: long beside the cost of handing it out, short beside the whole. */
enum {
    SYNP_PANEL = 8,        /* units in a panel */
    SYNP_PANELS_A_JOB = 8, /* panels in a job */
    SYNP_CHUNK = 128,      /* samples summed in one go; a long series is a sum of such sums */
    SYNP_PAIRS_FEW = 300   /* up to here the exact route for every pair takes milliseconds */
};

/* What is wrong with a unit by itself. Most degenerate pairs are decided by the states of their two
   units, without reading a sample. */
enum {
    SYNP_UNIT_NONFINITE = 1,
    SYNP_UNIT_CONSTANT = 2, /* both windows */
    SYNP_UNIT_PARTLY = 4,   /* one window constant */
    SYNP_UNIT_INFINITE = 8, /* its past determines its future */
    SYNP_UNIT_NEAR = 16     /* nearly so: its self-information has lost digits */
};

enum { /* marks in pairs->flag until counted; BAD_TAU and NOT_SYMMETRIC cannot occur there */
       SYNP_FLAG_CAREFUL = 1, /* took the pair-level route */
       SYNP_FLAG_MASKED =
           128 /* of a surrogate: not sound where it was observed, so not looked at */
};

/* ---- arithmetic on a few pairs at once -------------------------------------------------
   synp_v holds SYNP_LANES doubles: a GNU vector, or one plain double, which is the definition.
   A comparison gives a mask of all ones or zeros a lane, SYNP_PICK chooses by it. Four lanes on
   x86: without AVX the compiler makes two registers of them, with AVX-512 half a register is
   enough, since the arithmetic here is a third of the work beside the products. `aligned(8)`
   makes every access unaligned, `may_alias` lets it look at arrays of doubles. Vectors are
   handed on by pointer: passing them by value is another convention on another processor. */

#if defined(__GNUC__) && !(defined(SYNERGY_SIMD) && SYNERGY_SIMD == 0) &&                          \
    (defined(__x86_64__) || defined(__aarch64__))
#if defined(__aarch64__)
#define SYNP_LANES 2
#else
#define SYNP_LANES 4
#endif
typedef double synp_v __attribute__((vector_size(8 * SYNP_LANES), aligned(8), may_alias));
typedef uint64_t synp_vu __attribute__((vector_size(8 * SYNP_LANES), aligned(8), may_alias));
#define SYNP_LESS(a, b) ((synp_vu)((a) < (b)))
#define SYNP_PICK(mask, a, b) ((synp_v)(((mask) & (synp_vu)(a)) | (~(mask) & (synp_vu)(b))))
#define SYNP_TO_BITS(x) ((synp_vu)(x))
#define SYNP_FROM_BITS(u) ((synp_v)(u))
#define SYNP_LANE_FN static inline __attribute__((always_inline))
#else
#define SYNP_LANES 1
typedef double synp_v;
typedef uint64_t synp_vu;
#define SYNP_LESS(a, b) ((a) < (b) ? ~(uint64_t)0 : (uint64_t)0)
#define SYNP_PICK(mask, a, b) ((mask) ? (a) : (b))
#define SYNP_LANE_FN static

static uint64_t SYNP_TO_BITS(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double SYNP_FROM_BITS(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}
#endif
/* Arguments are evaluated twice: plain variables only. A NaN on the left loses, which the screen
   for bad pairs does not depend on. */
#define SYNP_MIN(a, b) SYNP_PICK(SYNP_LESS(a, b), a, b)
#define SYNP_MAX(a, b) SYNP_PICK(SYNP_LESS(a, b), b, a)

/* x = ln x for normal positive x. x = 2^k (1 + f) with 1 + f in [sqrt 1/2, sqrt 2), then
   ln(1 + f) = 2 artanh(s), s = f / (2 + f), as f - (f^2/2 - s (f^2/2 + R)), whose first term is
   exact; R = 2 s^2/3 + 2 s^4/5 + ... to s^18 (s^2 < 0.0295: the rest is below 1e-16 of the first
   term). Error below 1 ulp. */
SYNP_LANE_FN void synp_v_log(synp_v *x)
{
    const uint64_t root = UINT64_C(0x3fe6a09e667f3bcd), unit = UINT64_C(0x3ff0000000000000);
    synp_vu bits = SYNP_TO_BITS(*x) + (unit - root);
    synp_v k = SYNP_FROM_BITS((bits >> 52) | UINT64_C(0x4330000000000000)) - 4503599627371519.0;
    synp_v f = SYNP_FROM_BITS((bits & UINT64_C(0x000fffffffffffff)) + root) - 1.0;
    synp_v s = f / (f + 2.0), z = s * s, half = f * f * 0.5, r;
    r = z * (2.0 / 19) + 2.0 / 17;
    r = z * r + 2.0 / 15;
    r = z * r + 2.0 / 13;
    r = z * r + 2.0 / 11;
    r = z * r + 2.0 / 9;
    r = z * r + 2.0 / 7;
    r = z * r + 2.0 / 5;
    r = z * (z * r + 2.0 / 3);
    *x = k * 6.93147180369123816490e-01 -
         ((half - (s * (half + r) + k * 1.90821492927058770002e-10)) - f);
}

/* x = -1/2 ln(1 - x), 0 <= x < 1, with the rounding of 1 - x put back: exact to the last digits
   for small x, where the information is nearly x / 2. */
SYNP_LANE_FN void synp_v_information(synp_v *x)
{
    synp_v u = 1.0 - *x, lost = ((1.0 - u) - *x) / u, ln = u;
    synp_v_log(&ln);
    *x = (ln + lost) * -0.5;
}

/* The pairs of units x with eight units y, row after row, quantity by quantity, so that the
   arithmetic runs over pairs. */
typedef struct synp_closed {
    double sts[SYNP_PANEL * SYNP_PANEL], rtr[SYNP_PANEL * SYNP_PANEL]; /* nats */
    double total[SYNP_PANEL * SYNP_PANEL];                             /* I(xy;ab), nats */
    uint64_t bad[SYNP_PANEL * SYNP_PANEL]; /* not 0: take the pair-level route */
    double mi[SYN_MIS][SYNP_PANEL];        /* nats, where asked: of one row */
    double atom[SYN_ATOMS][SYNP_PANEL];    /* MMI, nats, where asked: of one row */
} synp_closed;

/* What the caller needs: two logarithms a pair, one more for the total, or (row by row) nine. */
typedef enum synp_want { SYNP_WANT_TEST, SYNP_WANT_SUMS, SYNP_WANT_MIS, SYNP_WANT_ATOMS } synp_want;

#define SYNP_MI(k) (*(synp_v *)(out->mi[k] + at))
#define SYNP_ATOM(k) (*(synp_v *)(out->atom[k] + at))

/* The 16 atoms of MMI from the nine MIs, the inversion of the lattice written out (section phiid);
   sts and rtr as they are, from one logarithm each. */
SYNP_LANE_FN void synp_v_atoms(synp_closed *out, int at)
{
    synp_v xa = SYNP_MI(SYN_MI_X_A), xb = SYNP_MI(SYN_MI_X_B), ya = SYNP_MI(SYN_MI_Y_A);
    synp_v yb = SYNP_MI(SYN_MI_Y_B), xya = SYNP_MI(SYN_MI_XY_A), xyb = SYNP_MI(SYN_MI_XY_B);
    synp_v xab = SYNP_MI(SYN_MI_X_AB), yab = SYNP_MI(SYN_MI_Y_AB);
    synp_v rr = *(const synp_v *)(out->rtr + at), ra = SYNP_MIN(xa, ya), rb = SYNP_MIN(xb, yb);
    synp_v rs = SYNP_MIN(xab, yab), xr = SYNP_MIN(xa, xb), yr = SYNP_MIN(ya, yb);
    synp_v sr = SYNP_MIN(xya, xyb), rts = rs - ra - rb + rr, str = sr - xr - yr + rr;
    SYNP_ATOM(SYN_RTR) = rr;
    SYNP_ATOM(SYN_RTX) = ra - rr;
    SYNP_ATOM(SYN_RTY) = rb - rr;
    SYNP_ATOM(SYN_RTS) = rts;
    SYNP_ATOM(SYN_XTR) = xr - rr;
    SYNP_ATOM(SYN_XTX) = xa - ra - xr + rr;
    SYNP_ATOM(SYN_XTY) = xb - rb - xr + rr;
    SYNP_ATOM(SYN_XTS) = xab - xa - xb + xr - rts;
    SYNP_ATOM(SYN_YTR) = yr - rr;
    SYNP_ATOM(SYN_YTX) = ya - ra - yr + rr;
    SYNP_ATOM(SYN_YTY) = yb - rb - yr + rr;
    SYNP_ATOM(SYN_YTS) = yab - ya - yb + yr - rts;
    SYNP_ATOM(SYN_STR) = str;
    SYNP_ATOM(SYN_STX) = xya - xa - ya + ra - str;
    SYNP_ATOM(SYN_STY) = xyb - xb - yb + rb - str;
    SYNP_ATOM(SYN_STS) = *(const synp_v *)(out->sts + at);
}

/* The closed form of the top of this section for SYNP_LANES pairs from lane `at` on of row `row`,
   up to the logarithms: rtr gets a square of a correlation, sts and total a ratio. tile: the
   correlations xy, ab, xb, ya, 64 apart; xa_x the unit x's own, yb_y (8) those of the units y.

   1 - r^2 is taken as (1 - r)(1 + r), which is exact where r is near 1. rtr goes through
   ln(1 - r^2) of the smallest r^2, so that a tiny redundancy keeps its digits; sts through one
   logarithm of a ratio of products, each factor of which the screen keeps above 2^-7 (no
   underflow). A pair with anything infinite or NaN in it fails the comparisons and is bad. */
SYNP_LANE_FN void synp_v_ratios(const double *tile, double xa_x, const double *yb_y, synp_want want,
                                synp_closed *out, int row, int at)
{
    const synp_v zero = {0};
    const int here = row * SYNP_PANEL + at;
    synp_v xy = *(const synp_v *)(tile + here), ab = *(const synp_v *)(tile + 64 + here);
    synp_v xb = *(const synp_v *)(tile + 128 + here), ya = *(const synp_v *)(tile + 192 + here);
    synp_v xa = zero + xa_x, yb = *(const synp_v *)(yb_y + at);
    synp_v ua = (1.0 - xa) * (1.0 + xa), ub = (1.0 - xb) * (1.0 + xb);
    synp_v uc = (1.0 - ya) * (1.0 + ya), ud = (1.0 - yb) * (1.0 + yb);
    synp_v vy = (1.0 - xy) * (1.0 + xy), vb = (1.0 - ab) * (1.0 + ab);
    synp_v iy = 1.0 / vy, ib = 1.0 / vb;
    synp_v c1 = ya - xy * xa, c2 = yb - xy * xb, c3 = xb - xa * ab, c4 = yb - ya * ab;
    synp_v xya = ua - c1 * c1 * iy, xyb = ub - c2 * c2 * iy;
    synp_v xab = ua - c3 * c3 * ib, yab = uc - c4 * c4 * ib;
    synp_v e = ab - xa * xb - c1 * c2 * iy, d = xya * xyb - e * e, xyab = d * ib;
    synp_v most = SYNP_MAX(xya, xyb), more = SYNP_MAX(xab, yab), least = SYNP_MIN(vy, vb);
    synp_v m1 = xa * xa, m2 = xb * xb, m3 = ya * ya, m4 = yb * yb, num, den, t;
    synp_vu good = SYNP_LESS(most * SYNP_PAIRS_SCREEN, d) &
                   SYNP_LESS(more * vb * SYNP_PAIRS_SCREEN, vy * d) &
                   SYNP_LESS(zero + SYNP_PAIRS_SCREEN, least);
    *(synp_vu *)(out->bad + here) = ~good;
    if (want > SYNP_WANT_SUMS) {
        SYNP_MI(SYN_MI_X_A) = m1;
        SYNP_MI(SYN_MI_X_B) = m2;
        SYNP_MI(SYN_MI_Y_A) = m3;
        SYNP_MI(SYN_MI_Y_B) = m4;
        SYNP_MI(SYN_MI_XY_A) = xya;
        SYNP_MI(SYN_MI_XY_B) = xyb;
        SYNP_MI(SYN_MI_X_AB) = xab;
        SYNP_MI(SYN_MI_Y_AB) = yab;
    }
    m1 = SYNP_MIN(m1, m2);
    m3 = SYNP_MIN(m3, m4);
    *(synp_v *)(out->rtr + here) = SYNP_MIN(m1, m3);
    num = SYNP_MIN(ua, uc);
    t = SYNP_MIN(ub, ud);
    num = num * t * xyab;
    den = SYNP_MIN(xya, xyb);
    t = SYNP_MIN(xab, yab);
    den = den * t;
    m1 = SYNP_MAX(ua, ub);
    m2 = SYNP_MAX(uc, ud);
    t = SYNP_MIN(m1, m2);
    t = num / (den * t);
    *(synp_v *)(out->sts + here) = SYNP_MIN(t, (zero + 1.0)); /* >= 0 nats; 1 only by rounding */
    *(synp_v *)(out->total + here) = xyab;
}

/* u (count) to -1/2 ln u; or (`square`) a squared correlation to its information. */
SYNP_LANE_FN void synp_v_nats(double *u, int count, bool square)
{
    int at;
    for (at = 0; at < count; at += SYNP_LANES) {
        synp_v v = *(const synp_v *)(u + at);
        if (square) {
            synp_v_information(&v);
        } else {
            synp_v_log(&v);
            v *= -0.5;
        }
        *(synp_v *)(u + at) = v;
    }
}

/* Rows of eight pairs to nats. First all ratios, then all logarithms: a pair's own steps wait for
   one another, and so short loops let the processor work on several pairs at a time, 1.9 times as
   many a second. */
SYNP_LANE_FN void synp_v_closed_form(const double *tile, const double *xa, const double *yb,
                                     int rows, synp_want want, synp_closed *out)
{
    int row, at;
    for (row = 0; row < rows; row++)
        for (at = 0; at < SYNP_PANEL; at += SYNP_LANES)
            synp_v_ratios(tile, xa[row], yb, want, out, row, at);
    synp_v_nats(out->rtr, rows * SYNP_PANEL, true);
    synp_v_nats(out->sts, rows * SYNP_PANEL, false);
    if (want != SYNP_WANT_TEST) synp_v_nats(out->total, rows * SYNP_PANEL, false);
    if (want <= SYNP_WANT_SUMS) return;
    synp_v_nats(out->mi[SYN_MI_X_A], 4 * SYNP_PANEL, true);
    synp_v_nats(out->mi[SYN_MI_XY_A], 4 * SYNP_PANEL, false);
    memcpy(out->mi[SYN_MI_XY_AB], out->total, sizeof out->mi[0]);
    for (at = 0; want == SYNP_WANT_ATOMS && at < SYNP_PANEL; at += SYNP_LANES)
        synp_v_atoms(out, at);
}

/* ---- common change in surprisal (CCS) of one pair, over its samples ------------------- */

enum { /* what the samples are needed for; the nine MIs have their means in closed form */
       SYNP_CCS_RX,
       SYNP_CCS_RY,
       SYNP_CCS_RS,
       SYNP_CCS_XR,
       SYNP_CCS_YR,
       SYNP_CCS_SR,
       SYNP_CCS_RTR,
       SYNP_CCS_SUMS
};

/* The local information of a sample about sets A, B is i = I(A;B) + (q_A + q_B - q_AB) / 2
   with the quadratic forms q_Z = z' S^-1 z of Gaussian surprisals. By the chain rule a form is
   a sum of squares of residuals, each over its standard deviation, so no matrix is inverted:
       i(u;v)  = I + k (v^2 - w^2)                 w: v given u
       i(xy;a) = I + k (a^2 - w^2)                 w: a given x and y
       i(x;ab) = I + k (x^2 - w^2)                 w: x given a and b
       i(xy;ab) = I + k (a^2 + b'^2 - w^2 - v^2)
                  b': b given a;  w: a given x and y;  v: b given x, y and a
   Rows have unit norm, hence k = (N - 1) / 2 (divisor N - 1 of the local definition). Below are
   the weights and the reciprocal deviations of the residuals. */
typedef struct synp_ccs_pair {
    double mi[SYN_MIS];
    double xa, xb, ya, yb; /* correlations */
    double sa, sb, sc, sd; /* 1 / sqrt(1 - r^2) of these four */
    double xy, sy, ab, st; /* past and future pair; 1 / sqrt(1 - r^2) */
    double ba, bb, bx, by; /* weight of the second variable's residual */
    double ra, rb, rx, ry; /* 1 / standard deviation of the residual given two */
    double cab, rba;       /* b given x, y and a */
    double k;
} synp_ccs_pair;

/* The rest of `p` from mi, the six correlations and the number of samples. */
static void synp_ccs_prepare(synp_ccs_pair *p, size_t n)
{
    double vy = (1 - p->xy) * (1 + p->xy), vb = (1 - p->ab) * (1 + p->ab);
    double ua = (1 - p->xa) * (1 + p->xa), ub = (1 - p->xb) * (1 + p->xb);
    double uc = (1 - p->ya) * (1 + p->ya), ud = (1 - p->yb) * (1 + p->yb), va, vz, e;
    p->sa = 1 / sqrt(ua);
    p->sb = 1 / sqrt(ub);
    p->sc = 1 / sqrt(uc);
    p->sd = 1 / sqrt(ud);
    p->sy = 1 / sqrt(vy);
    p->st = 1 / sqrt(vb);
    p->ba = (p->ya - p->xy * p->xa) * p->sy;
    p->bb = (p->yb - p->xy * p->xb) * p->sy;
    p->bx = (p->xb - p->xa * p->ab) * p->st;
    p->by = (p->yb - p->ya * p->ab) * p->st;
    va = ua - p->ba * p->ba;
    vz = ub - p->bb * p->bb;
    e = p->ab - p->xa * p->xb - p->ba * p->bb;
    p->ra = 1 / sqrt(va);
    p->rb = 1 / sqrt(vz);
    p->rx = 1 / sqrt(ua - p->bx * p->bx);
    p->ry = 1 / sqrt(uc - p->by * p->by);
    p->cab = e / va;
    p->rba = 1 / sqrt(vz - e * e / va);
    p->k = ((double)n - 1) / 2;
}

/* Redundancy of two sources with local informations m1, m2 and m12 together (Ince 2017): the
   common change c = m1 + m2 - m12 where all four have one sign, else 0. All positive: the
   smallest is above 0; all negative: the largest is below. Leaves the value in f, adds it to
   the sum. */
#define SYNP_CCS_COMMON(sum, m1, m2, m12)                                                          \
    do {                                                                                           \
        synp_v c_ = (m1) + (m2) - (m12);                                                           \
        synp_v lo_ = SYNP_MIN(m1, m2), hi_ = SYNP_MAX(m1, m2), l2_, h2_;                           \
        l2_ = SYNP_MIN(m12, c_);                                                                   \
        h2_ = SYNP_MAX(m12, c_);                                                                   \
        lo_ = SYNP_MIN(lo_, l2_);                                                                  \
        hi_ = SYNP_MAX(hi_, h2_);                                                                  \
        f = SYNP_PICK((SYNP_LESS(zero, lo_) | SYNP_LESS(hi_, zero)), c_, zero);                    \
        sum += f * w;                                                                              \
    } while (0)

/* Adds SYNP_LANES samples; a weight is 1, or 0 for padding. Every name is the local
   information it has in section phiid; d collects the double redundancy less the double
   synergy, which is one of the two: rtr = d where the four single informations and d have one
   sign, else 0. */
SYNP_LANE_FN void synp_v_ccs(const synp_ccs_pair *p, const double *px, const double *py,
                             const double *pa, const double *pb, const double *pw, synp_v *sum)
{
    const synp_v zero = {0}, w = *(const synp_v *)pw;
    synp_v x = *(const synp_v *)px, y = *(const synp_v *)py;
    synp_v a = *(const synp_v *)pa, b = *(const synp_v *)pb;
    synp_v a2 = a * a, b2 = b * b, x2 = x * x, y2 = y * y, t, f, d, lo, hi;
    synp_v yr = (y - x * p->xy) * p->sy, br = (b - a * p->ab) * p->st;
    synp_v xa, xb, ya, yb, xya, xyb, xab, yab, xyab, ra, rb;
    t = (a - x * p->xa) * p->sa;
    xa = (a2 - t * t) * p->k + p->mi[SYN_MI_X_A];
    t = (b - x * p->xb) * p->sb;
    xb = (b2 - t * t) * p->k + p->mi[SYN_MI_X_B];
    t = (a - y * p->ya) * p->sc;
    ya = (a2 - t * t) * p->k + p->mi[SYN_MI_Y_A];
    t = (b - y * p->yb) * p->sd;
    yb = (b2 - t * t) * p->k + p->mi[SYN_MI_Y_B];
    ra = a - x * p->xa - yr * p->ba;
    rb = b - x * p->xb - yr * p->bb;
    t = ra * p->ra;
    xya = (a2 - t * t) * p->k + p->mi[SYN_MI_XY_A];
    f = rb * p->rb;
    xyb = (b2 - f * f) * p->k + p->mi[SYN_MI_XY_B];
    f = (rb - ra * p->cab) * p->rba;
    xyab = (a2 + br * br - t * t - f * f) * p->k + p->mi[SYN_MI_XY_AB];
    t = (x - a * p->xa - br * p->bx) * p->rx;
    xab = (x2 - t * t) * p->k + p->mi[SYN_MI_X_AB];
    t = (y - a * p->ya - br * p->by) * p->ry;
    yab = (y2 - t * t) * p->k + p->mi[SYN_MI_Y_AB];

    d = xya + xyb + xab + yab - xyab - (xa + xb + ya + yb);
    SYNP_CCS_COMMON(sum[SYNP_CCS_RX], xa, ya, xya);
    d += f;
    SYNP_CCS_COMMON(sum[SYNP_CCS_RY], xb, yb, xyb);
    d += f;
    SYNP_CCS_COMMON(sum[SYNP_CCS_RS], xab, yab, xyab);
    d -= f;
    SYNP_CCS_COMMON(sum[SYNP_CCS_XR], xa, xb, xab);
    d += f;
    SYNP_CCS_COMMON(sum[SYNP_CCS_YR], ya, yb, yab);
    d += f;
    SYNP_CCS_COMMON(sum[SYNP_CCS_SR], xya, xyb, xyab);
    d -= f;
    lo = SYNP_MIN(xa, xb);
    hi = SYNP_MAX(xa, xb);
    t = SYNP_MIN(ya, yb);
    f = SYNP_MAX(ya, yb);
    lo = SYNP_MIN(lo, t);
    hi = SYNP_MAX(hi, f);
    lo = SYNP_MIN(lo, d);
    hi = SYNP_MAX(hi, d);
    f = SYNP_PICK((SYNP_LESS(zero, lo) | SYNP_LESS(hi, zero)), d, zero);
    sum[SYNP_CCS_RTR] += f * w;
}

/* Means over the n samples of one pair: x points at the past of unit x, its future `stride`
   further on, y likewise. Rows are padded to a multiple of four; lanes are added in order at
   the end, so the sum depends on the lane count but on nothing else. */
SYNP_LANE_FN void synp_v_ccs_rows(const synp_ccs_pair *p, const double *x, const double *y,
                                  size_t stride, size_t n, double *mean)
{
    const synp_v zero = {0};
    synp_v sum[SYNP_CCS_SUMS];
    double weight[SYNP_LANES];
    size_t s, whole = n - n % SYNP_LANES;
    int k, l;
    for (k = 0; k < SYNP_CCS_SUMS; k++) sum[k] = zero;
    for (l = 0; l < SYNP_LANES; l++) weight[l] = 1;
    for (s = 0; s < whole; s += SYNP_LANES)
        synp_v_ccs(p, x + s, y + s, x + stride + s, y + stride + s, weight, sum);
    if (s < n) {
        for (l = 0; l < SYNP_LANES; l++) weight[l] = s + (size_t)l < n ? 1 : 0;
        synp_v_ccs(p, x + s, y + s, x + stride + s, y + stride + s, weight, sum);
    }
    for (k = 0; k < SYNP_CCS_SUMS; k++) {
        double lane[SYNP_LANES], total = 0;
        *(synp_v *)lane = sum[k];
        for (l = 0; l < SYNP_LANES; l++) total += lane[l];
        mean[k] = total / (double)n;
    }
}

/* ---- eight units side by side ----------------------------------------------------------

   What synp_unit_open does, operation by operation, for the units of a panel in lanes: a
   surrogate's units are opened as often as its pairs are, and one by one that was a third of the
   time. */

typedef struct synp_spans { /* one window of eight units; as synp_span */
    double scale[2][SYNP_PANEL], first[SYNP_PANEL], second[SYNP_PANEL], norm[SYNP_PANEL];
    bool fails; /* some unit is not finite, or constant */
} synp_spans;

#define SYNP_AT(array) (*(synp_v *)((array) + l))
#define SYNP_GET(array) (*(const synp_v *)((array) + l))

/* Largest and smallest of each, hence finite or not, constant or not, and the scale. */
SYNP_LANE_FN void synp_spans_scale(synp_spans *w, const double *raw, size_t count)
{
    double low[SYNP_PANEL], high[SYNP_PANEL], odd[SYNP_PANEL];
    size_t s;
    int l, exponent;
    memcpy(low, raw, sizeof low);
    memcpy(high, raw, sizeof high);
    memset(odd, 0, sizeof odd);
    for (s = 0; s < count; s++, raw += SYNP_PANEL)
        for (l = 0; l < SYNP_PANEL; l += SYNP_LANES) {
            synp_v v = SYNP_GET(raw), a = SYNP_AT(low), b = SYNP_AT(high);
            SYNP_AT(odd) += v - v; /* 0, or NaN for good */
            SYNP_AT(low) = SYNP_MIN(v, a);
            SYNP_AT(high) = SYNP_MAX(v, b);
        }
    w->fails = false;
    for (l = 0; l < SYNP_PANEL; l++) {
        if (isnan(odd[l]) || !(low[l] < high[l])) {
            w->fails = true;
            low[l] = high[l] = 1;
        }
        (void)frexp(fabs(low[l]) > fabs(high[l]) ? low[l] : high[l], &exponent);
        w->scale[0][l] = ldexp(1, -(exponent / 2));
        w->scale[1][l] = ldexp(1, exponent / 2 - exponent);
    }
}

/* One sum of the window over all lanes, two vectors side by side since each addition waits for the
   one before: of the samples less `first` and `second`, or of their squares (compensated, as
   synp_span_open). */
SYNP_LANE_FN void synp_spans_sum(const synp_spans *w, const double *raw, size_t count, bool squares,
                                 double *to)
{
    const synp_v zero = {0};
    size_t s;
    int l, m;
    for (l = 0, m = SYNP_LANES; l < SYNP_PANEL; l += 2 * SYNP_LANES, m = l + SYNP_LANES) {
        const double *at = raw;
        synp_v up = SYNP_GET(w->scale[0]), more = SYNP_GET(w->scale[1]), sum = zero, lost = zero;
        synp_v first = SYNP_GET(w->first), second = SYNP_GET(w->second), v, next;
        synp_v up2 = *(const synp_v *)(w->scale[0] + m), more2 = *(const synp_v *)(w->scale[1] + m);
        synp_v first2 = *(const synp_v *)(w->first + m), second2 = *(const synp_v *)(w->second + m);
        synp_v sum2 = zero, lost2 = zero, v2, next2;
        for (s = 0; s < count; s++, at += SYNP_PANEL) {
            v = (SYNP_GET(at) * up * more - first) - second;
            v2 = (*(const synp_v *)(at + m) * up2 * more2 - first2) - second2;
            if (squares) {
                v = v * v - lost;
                v2 = v2 * v2 - lost2;
            }
            next = sum + v;
            next2 = sum2 + v2;
            if (squares) {
                lost = (next - sum) - v;
                lost2 = (next2 - sum2) - v2;
            }
            sum = next;
            sum2 = next2;
        }
        SYNP_AT(to) = sum;
        *(synp_v *)(to + m) = sum2;
    }
}

/* Both means and the norm of each. */
SYNP_LANE_FN void synp_spans_open(synp_spans *w, const double *raw, size_t count)
{
    double sum[SYNP_PANEL];
    size_t k;
    synp_spans_scale(w, raw, count);
    memset(w->first, 0, sizeof w->first);
    memset(w->second, 0, sizeof w->second);
    synp_spans_sum(w, raw, count, false, sum);
    for (k = 0; k < SYNP_PANEL; k++) w->first[k] = sum[k] / (double)count;
    synp_spans_sum(w, raw, count, false, sum);
    for (k = 0; k < SYNP_PANEL; k++) w->second[k] = sum[k] / (double)count;
    synp_spans_sum(w, raw, count, true, sum);
    for (k = 0; k < SYNP_PANEL; k++) w->norm[k] = sqrt(sum[k]);
}

/* The standardised windows into their panel. */
SYNP_LANE_FN void synp_spans_write(const synp_spans *w, const double *raw, size_t count, double *to)
{
    size_t s;
    int l;
    for (s = 0; s < count; s++, raw += SYNP_PANEL, to += 2 * SYNP_PANEL)
        for (l = 0; l < SYNP_PANEL; l += SYNP_LANES) {
            synp_v v = SYNP_GET(raw) * SYNP_GET(w->scale[0]) * SYNP_GET(w->scale[1]);
            SYNP_AT(to) = ((v - SYNP_GET(w->first)) - SYNP_GET(w->second)) / SYNP_GET(w->norm);
        }
}

/* Windows past and future of raw (sample, 8) into their panel, and their correlations; false where
   a unit is not an ordinary one. */
SYNP_LANE_FN bool synp_spans_panel(const double *raw, size_t samples, size_t window, double *to,
                                   double *r)
{
    synp_spans past, future;
    const double *later = raw + (samples - window) * SYNP_PANEL;
    const synp_v zero = {0};
    size_t s;
    int l;
    synp_spans_open(&past, raw, window);
    synp_spans_open(&future, later, window);
    if (past.fails || future.fails) return false;
    synp_spans_write(&past, raw, window, to);
    synp_spans_write(&future, later, window, to + SYNP_PANEL);
    for (l = 0; l < SYNP_PANEL; l += SYNP_LANES) SYNP_AT(r) = zero;
    for (s = 0; s < window; s++, to += 2 * SYNP_PANEL)
        for (l = 0; l < SYNP_PANEL; l += SYNP_LANES)
            SYNP_AT(r) += SYNP_GET(to) * SYNP_GET(to + SYNP_PANEL);
    return true;
}

/* ---- two levels of one pair, MMI, over its samples as bits ------------------------------

   What synp_levels_mi and synp_levels_atoms give of informations, rtr and sts, digit by digit:
   the c ln c of a set's states are added in the order of states, a state being as often as
   inclusion and exclusion say. */

/* What the two windows of a unit tell alone: how often each and both are above, and T(past),
   T(future) of section phiid. */
typedef struct synp_unit_level {
    uint64_t past, future, both;
    double past_total, future_total;
} synp_unit_level;

/* Of n samples p have one variable above, q another, pq both. */
typedef struct synp_face {
    uint64_t n, p, q, pq;
} synp_face;

/* Set bits: neighbours added up, two, four and eight wide; compilers know the instruction. */
SYNP_LANE_FN uint64_t synp_bits_set(uint64_t v)
{
    v -= v >> 1 & UINT64_C(0x5555555555555555);
    v = (v & UINT64_C(0x3333333333333333)) + (v >> 2 & UINT64_C(0x3333333333333333));
    v = (v + (v >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return v * UINT64_C(0x0101010101010101) >> 56;
}

SYNP_LANE_FN synp_face synp_face_without(synp_face all, synp_face some)
{
    all.n -= some.n;
    all.p -= some.p;
    all.q -= some.q;
    all.pq -= some.pq;
    return all;
}

/* sum + the c ln c of the four states. */
SYNP_LANE_FN double synp_face_add(double sum, const double *table, synp_face f)
{
    sum += table[f.n - f.p - f.q + f.pq];
    sum += table[f.p - f.pq];
    sum += table[f.q - f.pq];
    return sum + table[f.pq];
}

/* T of three variables: the third below, then above. */
SYNP_LANE_FN double synp_face_both(const double *table, synp_face all, synp_face above)
{
    return synp_face_add(synp_face_add(0, table, synp_face_without(all, above)), table, above);
}

SYNP_LANE_FN double synp_level_information(double both, double past, double none, double future)
{
    double sum = (both - past) + (none - future);
    return sum > 0 ? sum : 0;
}

/* value: sts, rtr, total. bits: past and future rows of a unit; self: its own information, nats. */
SYNP_LANE_FN void synp_v_levels(const uint64_t *const bits[2], size_t words, size_t window,
                                const synp_unit_level *x, const synp_unit_level *y,
                                const double self[2], const double *table, double value[3])
{
    const double n = (double)window, none = table[window];
    synp_face all = {0, 0, 0, 0}, a = {0, 0, 0, 0}, b = {0, 0, 0, 0}, ab = {0, 0, 0, 0}, xa, ya;
    double xy, future, xb, y_a, xya, xyb, xab, yab, xyab, rr, ra, rb, rs, xr, yr, sr;
    size_t k;
    for (k = 0; k < words; k++) {
        uint64_t px = bits[0][k], fx = bits[0][words + k], py = bits[1][k];
        uint64_t fy = bits[1][words + k], pasts = px & py, futures = fx & fy;
        all.pq += synp_bits_set(pasts);
        a.q += synp_bits_set(py & fx);
        a.pq += synp_bits_set(pasts & fx);
        b.p += synp_bits_set(px & fy);
        b.pq += synp_bits_set(pasts & fy);
        ab.n += synp_bits_set(futures);
        ab.p += synp_bits_set(px & futures);
        ab.q += synp_bits_set(py & futures);
        ab.pq += synp_bits_set(pasts & futures);
    }
    all.n = window;
    all.p = x->past;
    all.q = y->past;
    a.n = x->future;
    a.p = x->both;
    b.n = y->future;
    b.q = y->both;
    xa.n = window; /* x and a; y and a; with b above: what ab has of them */
    xa.p = x->past;
    xa.q = ya.q = a.n;
    xa.pq = a.p;
    ya.n = window;
    ya.p = y->past;
    ya.pq = a.q;
    xy = synp_face_add(0, table, all);
    {
        const synp_face xb_of = {window, x->past, b.n, b.p}, ab_of = {window, a.n, b.n, ab.n};
        const synp_face xa_b = {b.n, b.p, ab.n, ab.p}, ya_b = {b.n, b.q, ab.n, ab.q};
        const synp_face b_only = synp_face_without(b, ab);
        double whole;
        future = synp_face_add(0, table, ab_of);
        xb = synp_level_information(synp_face_add(0, table, xb_of), x->past_total, none,
                                    y->future_total);
        y_a = synp_level_information(synp_face_add(0, table, ya), y->past_total, none,
                                     x->future_total);
        xya = synp_level_information(synp_face_both(table, all, a), xy, none, x->future_total);
        xyb = synp_level_information(synp_face_both(table, all, b), xy, none, y->future_total);
        xab = synp_level_information(synp_face_both(table, xa, xa_b), x->past_total, none, future);
        yab = synp_level_information(synp_face_both(table, ya, ya_b), y->past_total, none, future);
        whole = synp_face_add(0, table, synp_face_without(synp_face_without(all, a), b_only));
        whole = synp_face_add(whole, table, synp_face_without(a, ab));
        whole = synp_face_add(synp_face_add(whole, table, b_only), table, ab);
        xyab = synp_level_information(whole, xy, none, future);
    }
    xb /= n;
    y_a /= n;
    xya /= n;
    xyb /= n;
    xab /= n;
    yab /= n;
    xyab /= n;
    ra = y_a < self[0] ? y_a : self[0];
    rb = self[1] < xb ? self[1] : xb;
    rs = yab < xab ? yab : xab;
    xr = xb < self[0] ? xb : self[0];
    yr = self[1] < y_a ? self[1] : y_a;
    sr = xyb < xya ? xyb : xya;
    rr = yr < xr ? yr : xr;
    value[0] = rr - ra - rb + rs - xr + self[0] + xb - xab - yr + y_a + self[1] - yab + sr - xya -
               xyb + xyab;
    value[1] = rr;
    value[2] = xyab;
}

/* ---- the kernels: plain C is the definition, the others are it with wider registers ---
   Products add up sample by sample in every form, one sum a pair, but a fused multiply-add rounds
   once where plain C rounds twice: forms agree to a few 1e-16, not bit for bit. One machine uses
   one form for everything, so its results do not vary. */

typedef struct synp_pairs_kernels {
    /* products of two panels, (sample, past|future, 8): tile (xy|ab|xb|ya, x, y) =, or (`more`)
       += */
    void (*dots)(const double *x, const double *y, size_t samples, bool more, double *tile);
    void (*close)(const double *tile, const double *xa, const double *yb, int rows, synp_want want,
                  synp_closed *out);
    void (*ccs)(const synp_ccs_pair *p, const double *x, const double *y, size_t stride, size_t n,
                double *mean);
    bool (*panel)(const double *raw, size_t samples, size_t window, double *to, double *r);
    void (*levels)(const uint64_t *const bits[2], size_t words, size_t window,
                   const synp_unit_level *x, const synp_unit_level *y, const double self[2],
                   const double *table, double value[3]);
    void (*information)(double *r); /* eight squared correlations to informations */
} synp_pairs_kernels;

/* Row by row of x, so that 32 sums can stay in registers. */
static void synp_dots_plain(const double *x, const double *y, size_t samples, bool more,
                            double *tile)
{
    int i, j;
    size_t s;
    for (i = 0; i < SYNP_PANEL; i++) {
        double sum[4][SYNP_PANEL];
        memset(sum, 0, sizeof sum);
        for (s = 0; s < samples; s++) {
            const double *yp = y + s * 16, *yf = yp + 8;
            double xp = x[s * 16 + (size_t)i], xf = x[s * 16 + 8 + (size_t)i];
            for (j = 0; j < SYNP_PANEL; j++) {
                sum[0][j] += xp * yp[j];
                sum[1][j] += xf * yf[j];
                sum[2][j] += xp * yf[j];
                sum[3][j] += xf * yp[j];
            }
        }
        for (j = 0; j < 4 * SYNP_PANEL; j++) {
            double *to = tile + j / 8 * 64 + i * 8 + j % 8;
            *to = (more ? *to : 0) + sum[j / 8][j % 8];
        }
    }
}

/* The lane functions above as functions of one instruction set: inlined into a function with a
   target attribute they are compiled for that target. */
#define SYNP_PAIRS_FORMS(suffix, attribute)                                                        \
    attribute static void synp_close_##suffix(const double *tile, const double *xa,                \
                                              const double *yb, int rows, synp_want want,          \
                                              synp_closed *out)                                    \
    {                                                                                              \
        synp_v_closed_form(tile, xa, yb, rows, want, out);                                         \
    }                                                                                              \
    attribute static void synp_ccs_##suffix(const synp_ccs_pair *p, const double *x,               \
                                            const double *y, size_t stride, size_t n,              \
                                            double *mean)                                          \
    {                                                                                              \
        synp_v_ccs_rows(p, x, y, stride, n, mean);                                                 \
    }                                                                                              \
    attribute static bool synp_panel_##suffix(const double *raw, size_t samples, size_t window,    \
                                              double *to, double *r)                               \
    {                                                                                              \
        return synp_spans_panel(raw, samples, window, to, r);                                      \
    }                                                                                              \
    attribute static void synp_levels_##suffix(                                                    \
        const uint64_t *const bits[2], size_t words, size_t window, const synp_unit_level *x,      \
        const synp_unit_level *y, const double self[2], const double *table, double value[3])      \
    {                                                                                              \
        synp_v_levels(bits, words, window, x, y, self, table, value);                              \
    }                                                                                              \
    attribute static void synp_information_##suffix(double *r)                                     \
    {                                                                                              \
        synp_v_nats(r, SYNP_PANEL, true);                                                          \
    }

SYNP_PAIRS_FORMS(plain, SYNP_UNUSED)

static const synp_pairs_kernels synp_pairs_plain = {synp_dots_plain,   synp_close_plain,
                                                    synp_ccs_plain,    synp_panel_plain,
                                                    synp_levels_plain, synp_information_plain};

#ifdef SYNP_X86
#define SYNP_AVX2 __attribute__((target("avx2,fma")))
#ifdef SYNP_X86_512
#define SYNP_AVX512 __attribute__((target("avx2,fma,avx512f,avx512vl,avx512dq")))
#endif

SYNP_PAIRS_FORMS(avx2, SYNP_AVX2)
#ifdef SYNP_X86_512
SYNP_PAIRS_FORMS(avx512, SYNP_AVX512)
#endif

/* two x, four y at a time: eight sums, two loads and four broadcasts for eight products */
SYNP_AVX2 static void synp_dots_avx2(const double *x, const double *y, size_t samples, bool more,
                                     double *tile)
{
    int i, j, k;
    size_t s;
    for (i = 0; i < SYNP_PANEL; i += 2) {
        for (j = 0; j < SYNP_PANEL; j += 4) {
            __m256d a0 = _mm256_setzero_pd(), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0;
            __m256d a6 = a0, a7 = a0, sum[8];
            const double *xs = x + i, *ys = y + j;
            for (s = 0; s < samples; s++, xs += 16, ys += 16) {
                __m256d yp = _mm256_loadu_pd(ys), yf = _mm256_loadu_pd(ys + 8), v;
                v = _mm256_broadcast_sd(xs);
                a0 = _mm256_fmadd_pd(v, yp, a0);
                a2 = _mm256_fmadd_pd(v, yf, a2);
                v = _mm256_broadcast_sd(xs + 8);
                a1 = _mm256_fmadd_pd(v, yf, a1);
                a3 = _mm256_fmadd_pd(v, yp, a3);
                v = _mm256_broadcast_sd(xs + 1);
                a4 = _mm256_fmadd_pd(v, yp, a4);
                a6 = _mm256_fmadd_pd(v, yf, a6);
                v = _mm256_broadcast_sd(xs + 9);
                a5 = _mm256_fmadd_pd(v, yf, a5);
                a7 = _mm256_fmadd_pd(v, yp, a7);
            }
            sum[0] = a0;
            sum[1] = a1;
            sum[2] = a2;
            sum[3] = a3;
            sum[4] = a4;
            sum[5] = a5;
            sum[6] = a6;
            sum[7] = a7;
            for (k = 0; k < 8; k++) {
                double *to = tile + k % 4 * 64 + (i + k / 4) * 8 + j;
                __m256d was = more ? _mm256_loadu_pd(to) : _mm256_setzero_pd();
                _mm256_storeu_pd(to, _mm256_add_pd(was, sum[k]));
            }
        }
    }
}

/* four x, eight y at a time: sixteen sums, two loads and eight broadcasts for sixteen products */
#define SYNP_DOTS_ROW(n)                                                                           \
    v = _mm512_set1_pd(xs[n]);                                                                     \
    p##n = _mm512_fmadd_pd(v, yp, p##n);                                                           \
    q##n = _mm512_fmadd_pd(v, yf, q##n);                                                           \
    v = _mm512_set1_pd(xs[8 + n]);                                                                 \
    f##n = _mm512_fmadd_pd(v, yf, f##n);                                                           \
    g##n = _mm512_fmadd_pd(v, yp, g##n)
#define SYNP_DOTS_ADD(at, sum)                                                                     \
    _mm512_storeu_pd(at, _mm512_add_pd(_mm512_maskz_loadu_pd(was, at), sum))
#define SYNP_DOTS_STORE(n)                                                                         \
    to = tile + (i + n) * 8;                                                                       \
    SYNP_DOTS_ADD(to, p##n);                                                                       \
    SYNP_DOTS_ADD(to + 64, f##n);                                                                  \
    SYNP_DOTS_ADD(to + 128, q##n);                                                                 \
    SYNP_DOTS_ADD(to + 192, g##n)

#ifdef SYNP_X86_512
SYNP_AVX512 static void synp_dots_avx512(const double *x, const double *y, size_t samples,
                                         bool more, double *tile)
{
    const __mmask8 was = more ? 0xff : 0;
    int i;
    size_t s;
    for (i = 0; i < SYNP_PANEL; i += 4) {
        __m512d p0 = _mm512_setzero_pd(), p1 = p0, p2 = p0, p3 = p0, q0 = p0, q1 = p0, q2 = p0,
                q3 = p0, f0 = p0, f1 = p0, f2 = p0, f3 = p0, g0 = p0, g1 = p0, g2 = p0, g3 = p0;
        const double *xs = x + i, *ys = y;
        double *to;
        for (s = 0; s < samples; s++, xs += 16, ys += 16) {
            __m512d yp = _mm512_loadu_pd(ys), yf = _mm512_loadu_pd(ys + 8), v;
            SYNP_DOTS_ROW(0);
            SYNP_DOTS_ROW(1);
            SYNP_DOTS_ROW(2);
            SYNP_DOTS_ROW(3);
        }
        SYNP_DOTS_STORE(0);
        SYNP_DOTS_STORE(1);
        SYNP_DOTS_STORE(2);
        SYNP_DOTS_STORE(3);
    }
}
#endif

static const synp_pairs_kernels synp_pairs_avx2 = {synp_dots_avx2,   synp_close_avx2,
                                                   synp_ccs_avx2,    synp_panel_avx2,
                                                   synp_levels_avx2, synp_information_avx2};
#ifdef SYNP_X86_512
static const synp_pairs_kernels synp_pairs_avx512 = {synp_dots_avx512,   synp_close_avx512,
                                                     synp_ccs_avx512,    synp_panel_avx512,
                                                     synp_levels_avx512, synp_information_avx512};
#endif
#endif

/* The best there is, not above `level` where that is not 0. */
static const synp_pairs_kernels *synp_pairs_pick(syn_simd level)
{
#ifdef SYNP_X86
    const unsigned has = synp_processor();
#ifdef SYNP_X86_512
    if ((has & SYNP_HAS_AVX512) && (level == SYN_SIMD_AUTO || level >= SYN_SIMD_AVX512))
        return &synp_pairs_avx512;
#endif
    if ((has & SYNP_HAS_AVX2) && level != SYN_SIMD_PLAIN) return &synp_pairs_avx2;
#else
    (void)level;
#endif
    return &synp_pairs_plain;
}

/* Asking the processor costs as much as ten tiles where it is a virtual machine's: once is
   enough. */
static const synp_pairs_kernels *synp_pairs_kernels_of(const syn_pairs *pairs)
{
    return (const synp_pairs_kernels *)pairs->kernels;
}

/* ---- opening ------------------------------------------------------------------------- */

/* The lag; 0 in the descriptor means 1. */
static size_t synp_pairs_tau(const syn_pairs *pairs)
{
    return pairs->desc.phiid.tau ? pairs->desc.phiid.tau : 1;
}

/* The distance from a past to its future in a series. */
static size_t synp_pairs_lag(const syn_pairs *pairs, const syn_series *series)
{
    return series->lag ? series->lag : synp_pairs_tau(pairs);
}

SYN_API size_t syn_pairs_index(size_t n, size_t i, size_t j)
{
    size_t k;
    if (i > j) {
        k = i;
        i = j;
        j = k;
    }
    return (i % 2 ? (2 * n - i - 1) * i / 2 : (2 * n - i - 1) * (i / 2)) + j - i - 1;
}

/* The descriptor's numbers, before anything is computed from them. */
static syn_status synp_pairs_check(const syn_pairs_desc *desc, syn_error *err)
{
    if (desc->units < 2 || desc->units > 1u << 20)
        return synp_fail(err, SYN_ERROR_ARGUMENT, "pairs: %u units, expected 2 to 1048576",
                         SYNP_U(desc->units));
    if (desc->phiid.tau > INT32_MAX)
        return synp_fail(err, SYN_ERROR_ARGUMENT, "pairs: tau %u, expected 1 to 2147483647",
                         SYNP_U(desc->phiid.tau));
    if (desc->samples < 6 || desc->samples > SIZE_MAX / 256)
        return synp_fail(err, SYN_ERROR_ARGUMENT, "pairs: %u samples, expected 6 or more",
                         SYNP_U(desc->samples));
    if (desc->prompts > UINT32_MAX)
        return synp_fail(err, SYN_ERROR_ARGUMENT, "pairs: %u prompts are too many",
                         SYNP_U(desc->prompts));
    if (synp_desc_unknown(&desc->phiid) || (unsigned)desc->flagged > SYN_FLAGGED_ZERO)
        return synp_fail(
            err, SYN_ERROR_ARGUMENT,
            "pairs: redundancy %d, estimator %d, transform %d, flagged %d: one of them "
            "is not known",
            SYNP_D(desc->phiid.redundancy), SYNP_D(desc->phiid.estimator),
            SYNP_D(desc->phiid.transform), SYNP_D(desc->flagged));
    if (desc->like && (desc->atoms || desc->cells))
        return synp_fail(err, SYN_ERROR_ARGUMENT, "pairs: surrogates give no atoms and no cells");
    if (desc->like && (!desc->like->desc.cells || desc->like->units != desc->units))
        return synp_fail(err, SYN_ERROR_ARGUMENT,
                         "pairs: surrogates need the same %u units, observed with `cells`",
                         SYNP_U(desc->units));
    return SYN_OK;
}

/* Pairs that are worked on at once: all, but for atoms those of one panel, and where sums of units
   are wanted at most some 3 MB of values. */
static uint64_t synp_pairs_room(const syn_pairs_desc *desc, uint64_t pairs)
{
    uint64_t least = SYNP_PANEL * ((uint64_t)desc->units - 1), most = UINT64_C(1) << 17;
    if (desc->lean && !desc->atoms) return pairs;
    if (desc->atoms || most < least) most = least;
    return most < pairs ? most : pairs;
}

/* Memory, doubles unless said: 2 sums + 5 bytes a pair, 3 values for each of up to 131072 pairs, 5
   sums a unit and prompt, 2 windows a unit (twice that for CCS). 1152 units, 60 prompts of 100: 21
   MB; with cells a bit a pair and prompt, 5 MB. */
SYN_API syn_status syn_pairs_open(syn_pairs *pairs, const syn_pairs_desc *desc, syn_arena *arena,
                                  syn_error *err)
{
    const size_t each = sizeof(double);
    uint64_t n, pair, prompts, panels, samples, rows, room, cells, values, lost, copied, levels;
    bool ccs, few, beside;
    synp_succeed(err);
    syn_status status = synp_pairs_check(desc, err);
    memset(pairs, 0, sizeof *pairs);
    if (status) return status;
    n = desc->units;
    pair = n * (n - 1) / 2;
    if (pair > SIZE_MAX / 64)
        return synp_fail(err, SYN_ERROR_MEMORY, "pairs: %u units have too many pairs", SYNP_U(n));
    levels = desc->phiid.estimator == SYN_BINARY ? (uint64_t)desc->samples : 0;
    copied = synp_is_prepared(&desc->phiid) ? (uint64_t)desc->samples : 0;
    few = levels || pair <= (desc->careful ? desc->careful : (size_t)SYNP_PAIRS_FEW);
    ccs = desc->phiid.redundancy == SYN_CCS && !few;
    beside = desc->lean && !few && !ccs;
    prompts = desc->prompts ? desc->prompts : 1;
    panels = (n + SYNP_PANEL - 1) / SYNP_PANEL;
    samples = few ? 0 : desc->samples - (desc->phiid.tau ? desc->phiid.tau : 1);
    if (samples > desc->samples) samples = 0;
    rows = ccs ? 2 * n : 0;
    room = synp_pairs_room(desc, pair);
    values = desc->lean ? 0 : room;
    cells = desc->cells ? pair / 8 + 2 : 0;
    lost = desc->like ? pair : 0;
    pairs->words = (size_t)((levels + 63) / 64);
    pairs->room = (size_t)room;
    pairs->cell_bytes = (size_t)cells;
    pairs->desc = *desc;
    pairs->kernels = synp_pairs_pick(desc->simd);
    pairs->desc.prompts = (size_t)prompts;
    pairs->units = desc->units;
    pairs->pairs = (size_t)pair;
    pairs->panels = (size_t)panels;
    pairs->all_careful = few;
    pairs->row_stride = ccs ? ((size_t)samples + 3) / 4 * 4 : 0;
    {
        const synp_piece piece[] = {
            {&pairs->synergy, pair, each, "pairs: synergy"},
            {&pairs->redundancy, pair, each, "pairs: redundancy"},
            {&pairs->left_out, pair, sizeof(uint32_t), "pairs: left out"},
            {&pairs->unit_synergy, prompts * n, each, "pairs: unit synergy"},
            {&pairs->unit_redundancy, prompts * n, each, "pairs: unit redundancy"},
            {&pairs->unit_sound, prompts * n, sizeof(uint32_t), "pairs: unit sound"},
            {&pairs->confound, SYN_CONFOUNDS * n, each, "pairs: confounds"},
            {&pairs->confound_count, SYN_CONFOUNDS * n, sizeof(uint32_t), "pairs: confound counts"},
            {&pairs->panel, synp_count(panels, samples), 2 * SYNP_PANEL * each, "pairs: windows"},
            {&pairs->raw, beside ? synp_count(panels, desc->samples) : 0, SYNP_PANEL * each,
             "pairs: series"},
            {&pairs->row, synp_count(rows, pairs->row_stride), each, "pairs: rows"},
            {&pairs->prepared[0], synp_count(n, copied), each, "pairs: prepared series"},
            {&pairs->prepared[1], desc->like ? synp_count(n, copied) : 0, each,
             "pairs: prepared series"},
            {&pairs->ranking, synp_count(panels, copied), each, "pairs: ranks"},
            {&pairs->bits, synp_count(2 * n, pairs->words), each, "pairs: levels"},
            {&pairs->level, levels ? n : 0, sizeof(synp_unit_level), "pairs: levels"},
            {&pairs->log_table, levels ? levels + 1 : 0, each, "pairs: logarithms"},
            {&pairs->self, panels * SYNP_PANEL, each, "pairs: self"},
            {&pairs->self_information, panels * SYNP_PANEL, each, "pairs: self information"},
            {&pairs->state, panels * SYNP_PANEL, 1, "pairs: states"},
            {&pairs->value[0], values, each, "pairs: values"},
            {&pairs->value[1], values, each, "pairs: values"},
            {&pairs->value[2], values, each, "pairs: values"},
            {&pairs->unit_total, n, each, "pairs: totals"},
            {&pairs->cell, synp_count(prompts, cells), 1, "pairs: cells"},
            {&pairs->unsound, desc->cells ? prompts : 0, sizeof(size_t), "pairs: cells"},
            {&pairs->lost[0], lost, each, "pairs: lost"},
            {&pairs->lost[1], lost, each, "pairs: lost"},
            {&pairs->atom, desc->atoms ? room : 0, SYN_ATOMS * each, "pairs: atoms"},
            {&pairs->flag, pair, 1, "pairs: flags"}};
        status = synp_pieces(arena, piece, sizeof piece / sizeof piece[0], err);
        for (n = 1; !status && pairs->log_table && n <= levels; n++)
            pairs->log_table[n] = (double)n * log((double)n);
        return status;
    }
}

/* ---- one unit: standardised windows, and what may explain its synergy ----------------- */

/* Both strides 0: (time, unit) without gaps. */
static syn_series synp_series_packed(const syn_series *series)
{
    syn_series s = *series;
    if (!s.time_stride && !s.unit_stride) {
        s.time_stride = s.units;
        s.unit_stride = 1;
    }
    return s;
}

/* The one place where samples are read. */
static double synp_pairs_at(const syn_series *series, size_t unit, size_t t)
{
    size_t at = t * series->time_stride + unit * series->unit_stride;
    return series->type == SYN_NUMBER_F32 ? (double)((const float *)series->data)[at]
                                          : ((const double *)series->data)[at];
}

/* A window of one unit: value at s is ((v scale[0] scale[1] - first) - second) / norm. The
   scale is a power of two, in two factors so that neither leaves the range of a double. */
typedef struct synp_span {
    size_t from, count;
    double scale[2], first, second, norm;
    bool constant;
} synp_span;

/* Sample s of the window, standardised. */
static double synp_span_at(const syn_series *series, size_t unit, const synp_span *w, size_t s)
{
    double v = synp_pairs_at(series, unit, w->from + s) * w->scale[0] * w->scale[1];
    return ((v - w->first) - w->second) / w->norm;
}

/* Opens a window of `count` samples from `from`. Scaled first, so that no square leaves the range
   (1e-310 and 1e307 are as good as 1); centred twice, because one centring leaves the rounding
   of the mean, eps mean / sd, which with a large offset is everything. Constant: max = min,
   exactly. */
static void synp_span_open(synp_span *w, const syn_series *series, size_t unit, size_t from,
                           size_t count)
{
    double low, high, sum = 0, lost = 0;
    int exponent;
    size_t s;
    w->from = from;
    w->count = count;
    w->first = w->second = 0;
    w->scale[0] = w->scale[1] = w->norm = 1;
    low = high = synp_pairs_at(series, unit, from);
    for (s = 1; s < count; s++) {
        double v = synp_pairs_at(series, unit, from + s);
        if (v < low) low = v;
        if (v > high) high = v;
    }
    w->constant = !(low < high);
    if (w->constant) return;
    (void)frexp(fabs(low) > fabs(high) ? low : high, &exponent);
    w->scale[0] = ldexp(1, -(exponent / 2));
    w->scale[1] = ldexp(1, exponent / 2 - exponent);
    for (s = 0; s < count; s++) sum += synp_span_at(series, unit, w, s);
    w->first = sum / (double)count;
    for (s = 0, sum = 0; s < count; s++) sum += synp_span_at(series, unit, w, s);
    w->second = sum / (double)count;
    for (s = 0, sum = 0; s < count; s++) { /* compensated: the norm enters every product */
        double v = synp_span_at(series, unit, w, s), term = v * v - lost, next = sum + term;
        lost = (next - sum) - term;
        sum = next;
    }
    w->norm = sqrt(sum);
}

/* A figure of this prompt into its mean over prompts. */
static void synp_confound_add(syn_pairs *pairs, syn_confound which, size_t unit, double value)
{
    pairs->confound[(size_t)which * pairs->units + unit] += value;
    pairs->confound_count[(size_t)which * pairs->units + unit]++;
}

/* The mean and the trend of the whole series; where it is given as pairs, of all pasts. */
static void synp_unit_confounds(syn_pairs *pairs, const syn_series *series, size_t unit)
{
    synp_span all;
    size_t n = series->lag ? pairs->window : series->samples, t;
    double trend = 0, square = 0, mean = synp_pairs_at(pairs->given, unit, 0);
    synp_span_open(&all, pairs->given, unit, 0, n);
    if (!all.constant) mean = (all.first + all.second) / all.scale[0] / all.scale[1];
    synp_confound_add(pairs, SYN_CONFOUND_MEAN, unit, mean);
    if (all.constant) return;
    if (pairs->given != series) synp_span_open(&all, series, unit, 0, n);
    for (t = 0; t < n; t++) {
        double time = (double)t - ((double)n - 1) / 2;
        trend += time * synp_span_at(series, unit, &all, t);
        square += time * time;
    }
    synp_confound_add(pairs, SYN_CONFOUND_TREND, unit, trend / sqrt(square));
}

/* The correlation of two windows of a unit. */
static double synp_span_correlation(const syn_series *series, size_t unit, const synp_span *a,
                                    const synp_span *b)
{
    double r = 0;
    size_t s;
    for (s = 0; s < a->count; s++)
        r += synp_span_at(series, unit, a, s) * synp_span_at(series, unit, b, s);
    return r;
}

/* At lag 1, which at tau 1 is known already. */
static void synp_unit_autocorrelation(syn_pairs *pairs, const syn_series *series, size_t unit)
{
    synp_span past, next;
    size_t n = series->samples;
    double r = pairs->self[unit];
    if (series->lag && synp_pairs_tau(pairs) != 1) return; /* the next sample is not told */
    if (!series->lag && pairs->window != n - 1) {
        synp_span_open(&past, series, unit, 0, n - 1);
        synp_span_open(&next, series, unit, 1, n - 1);
        if (past.constant || next.constant) return;
        r = synp_span_correlation(series, unit, &past, &next);
    }
    synp_confound_add(pairs, SYN_CONFOUND_AUTOCORRELATION, unit, r);
}

/* The whole series counts, also samples that no window uses. */
static bool synp_unit_finite(const syn_series *series, size_t unit)
{
    size_t t;
    for (t = 0; t < series->samples; t++)
        if (!isfinite(synp_pairs_at(series, unit, t))) return false;
    return true;
}

/* The norm of the difference (sign -1: of the sum) of two rows of samples. */
static double synp_panel_distance(const double *x, const double *y, size_t n, double sign)
{
    double sum = 0;
    size_t s;
    for (s = 0; s < n; s++) {
        double d = x[s * 2 * SYNP_PANEL] - sign * y[s * 2 * SYNP_PANEL];
        sum += d * d;
    }
    return sqrt(sum);
}

/* Where the window of a unit begins in the panels; its samples are 16 apart. */
static double *synp_pairs_lane(const syn_pairs *pairs, size_t unit, size_t future)
{
    return pairs->panel + unit / SYNP_PANEL * pairs->window * 2 * SYNP_PANEL + future * SYNP_PANEL +
           unit % SYNP_PANEL;
}

/* The standardised window into its panel, and into a row of its own for CCS. Zeros for a
   constant: its correlations come out 0 and are not used. */
static void synp_unit_write(syn_pairs *pairs, const synp_span *w, size_t unit, size_t future)
{
    double *to = synp_pairs_lane(pairs, unit, future);
    double *row = pairs->row ? pairs->row + (2 * unit + future) * pairs->row_stride : NULL;
    size_t s;
    for (s = 0; s < pairs->window; s++) {
        double v = w->constant ? 0 : synp_span_at(pairs->series, unit, w, s);
        to[s * 2 * SYNP_PANEL] = v;
        if (row) row[s] = v;
    }
}

/* The unit's own past against its own future. Near 1 their distance decides whether the past
   determines the future (then every pair with this unit has an infinite information). */
static void synp_unit_self(syn_pairs *pairs, const synp_span *past, const synp_span *future,
                           size_t unit)
{
    const syn_series *series = pairs->series;
    double r = synp_span_correlation(series, unit, past, future), off = 0;
    size_t s;
    pairs->self[unit] = r;
    if (!pairs->desc.lean) synp_unit_autocorrelation(pairs, series, unit);
    if ((1 - r) * (1 + r) > SYNP_PAIRS_SCREEN) return;
    pairs->state[unit] |= SYNP_UNIT_NEAR;
    for (s = 0; s < pairs->window; s++) {
        double d = synp_span_at(series, unit, future, s) -
                   (r < 0 ? -1 : 1) * synp_span_at(series, unit, past, s);
        off += d * d;
    }
    if (sqrt(off) <= SYNP_PAIRS_DEPENDENT) pairs->state[unit] |= SYNP_UNIT_INFINITE;
}

/* The unit's two windows as bits, and what its past tells of its future. */
static void synp_unit_levels(syn_pairs *pairs, size_t unit)
{
    const syn_series *series = pairs->series;
    uint64_t *bits = pairs->bits + 2 * unit * pairs->words, count[16] = {0};
    size_t n = pairs->window, t, past;
    synp_unit_level *level = &pairs->level[unit];
    synp_window w;
    synp_levels l;
    double mi[SYN_MIS];
    synp_samples s;
    s.wide = series->type == SYN_NUMBER_F64
                 ? (const double *)series->data + unit * series->unit_stride
                 : NULL;
    s.narrow = series->type == SYN_NUMBER_F32
                   ? (const float *)series->data + unit * series->unit_stride
                   : NULL;
    s.stride = series->time_stride;
    memset(bits, 0, 2 * pairs->words * sizeof *bits);
    for (past = 0; past < 2; past++) {
        synp_window_open(&w, &s, past ? series->samples - n : 0, n);
        for (t = 0; t < n; t++)
            bits[past * pairs->words + t / 64] |= (uint64_t)synp_window_above(&w, t) << t % 64;
    }
    memset(level, 0, sizeof *level);
    for (t = 0; t < pairs->words; t++) {
        level->past += synp_bits_set(bits[t]);
        level->future += synp_bits_set(bits[pairs->words + t]);
        level->both += synp_bits_set(bits[t] & bits[pairs->words + t]);
    }
    count[5] = level->both;
    count[1] = level->past - level->both;
    count[4] = level->future - level->both;
    count[0] = n - level->past - count[4];
    level->past_total = pairs->log_table[n - level->past] + pairs->log_table[level->past];
    level->future_total = pairs->log_table[n - level->future] + pairs->log_table[level->future];
    synp_levels_of(&l, count, pairs->log_table);
    synp_levels_mi(&l, mi);
    pairs->self_information[unit] = mi[SYN_MI_X_A];
}

/* Everything about a unit that its pairs need: O(samples), once a prompt instead of once a pair. */
static void synp_unit_open(syn_pairs *pairs, size_t unit)
{
    const syn_series *series = pairs->series;
    size_t n = pairs->window;
    synp_span past, future;
    pairs->state[unit] = 0;
    pairs->self[unit] = 0;
    past.constant = future.constant = true;
    if (!synp_unit_finite(series, unit)) {
        pairs->state[unit] = SYNP_UNIT_NONFINITE;
    } else {
        if (!pairs->desc.lean) synp_unit_confounds(pairs, series, unit);
        synp_span_open(&past, series, unit, 0, n);
        synp_span_open(&future, series, unit, series->samples - n, n);
        if (past.constant && future.constant) pairs->state[unit] = SYNP_UNIT_CONSTANT;
        else if (past.constant || future.constant) pairs->state[unit] = SYNP_UNIT_PARTLY;
        else if (!pairs->bits || !pairs->desc.lean) synp_unit_self(pairs, &past, &future, unit);
        if (pairs->bits) synp_unit_levels(pairs, unit);
    }
    if (!pairs->all_careful) {
        synp_unit_write(pairs, &past, unit, 0);
        synp_unit_write(pairs, &future, unit, 1);
    }
}

/* Rows of eight units to samples of eight. */
static void synp_panel_read(const syn_pairs *pairs, size_t first, double *raw)
{
    const syn_series *series = pairs->series;
    size_t t, k, n = series->samples;
    for (t = 0; t < n; t++)
        for (k = 0; k < SYNP_PANEL; k++) *raw++ = synp_pairs_at(series, first + k, t);
}

/* A whole panel of ordinary units; false where one of them is not, or nearly determines itself. */
static bool synp_panel_beside(syn_pairs *pairs, size_t first)
{
    double r[SYNP_PANEL], *to, *raw;
    size_t n = pairs->window, samples = pairs->series->samples, s, k;
    if (!pairs->raw || first + SYNP_PANEL > pairs->units) return false;
    to = synp_pairs_lane(pairs, first, 0);
    raw = pairs->raw + first * pairs->desc.samples;
    synp_panel_read(pairs, first, raw);
    for (s = n; s < samples - n; s++) /* samples that no window uses must be finite, too */
        for (k = 0; k < SYNP_PANEL; k++)
            if (!isfinite(raw[s * SYNP_PANEL + k])) return false;
    if (!synp_pairs_kernels_of(pairs)->panel(raw, samples, n, to, r)) return false;
    for (k = 0; k < SYNP_PANEL; k++)
        if (!((1 - r[k]) * (1 + r[k]) > SYNP_PAIRS_SCREEN)) return false;
    memcpy(pairs->self + first, r, sizeof r);
    memset(pairs->state + first, 0, SYNP_PANEL);
    return true;
}

/* Job: the eight units of a panel. */
static void synp_panel_open(void *arg, int index)
{
    syn_pairs *pairs = (syn_pairs *)arg;
    size_t first = (size_t)index * SYNP_PANEL, unit;
    bool beside = synp_panel_beside(pairs, first);
    for (unit = first; !beside && unit < first + SYNP_PANEL && unit < pairs->units; unit++)
        synp_unit_open(pairs, unit);
    if (!pairs->bits) {
        double *information = pairs->self_information + first;
        for (unit = 0; unit < SYNP_PANEL; unit++)
            information[unit] = pairs->self[first + unit] * pairs->self[first + unit];
        synp_pairs_kernels_of(pairs)->information(information);
    }
    for (unit = first; unit < first + SYNP_PANEL && unit < pairs->units; unit++)
        if (!(pairs->state[unit] & ~(SYNP_UNIT_NEAR | (pairs->bits ? SYNP_UNIT_INFINITE : 0)))) {
            double r = fabs(pairs->self[unit]);
            if (pairs->state[unit] &&
                !pairs->bits) /* (1 - r) (1 + r) keeps what 1 - r^2 would lose */
                pairs->self_information[unit] = -0.5 * log((1 - r) * (1 + r));
            if (pairs->desc.lean) continue;
            synp_confound_add(pairs, SYN_CONFOUND_SELF, unit, pairs->self_information[unit]);
        }
}

/* Runs jobs on the caller's threads, or one after the other. */
static void synp_pairs_each(const syn_pairs *pairs, int jobs, syn_job_fn *job)
{
    const syn_parallel *parallel = &pairs->desc.parallel;
    int index;
    void *arg = (void *)(uintptr_t)pairs;
    if (parallel->run && parallel->threads > 1) parallel->run(parallel->user, jobs, job, arg);
    else
        for (index = 0; index < jobs; index++) job(arg, index);
}

/* ---- transform and ranks of all units ---------------------------------------------------- */

/* Job: the units of a panel from `given` into their rows of what is being prepared. */
static void synp_panel_prepare(void *arg, int index)
{
    syn_pairs *pairs = (syn_pairs *)arg;
    const syn_series *given = pairs->given;
    size_t unit = (size_t)index * SYNP_PANEL, end = unit + SYNP_PANEL, n = given->samples, t;
    for (; unit < end && unit < pairs->units; unit++) {
        double *row = pairs->preparing + unit * n;
        for (t = 0; t < n; t++) row[t] = synp_pairs_at(given, unit, t);
        syn_phiid_prepare(row, n, &pairs->desc.phiid, row,
                          pairs->ranking + (size_t)index * pairs->desc.samples);
    }
}

/* `given` as the estimator takes it: itself, or a copy in `room`, described by `made`. */
static const syn_series *synp_pairs_prepare(syn_pairs *pairs, const syn_series *given,
                                            syn_series *made, double *room)
{
    pairs->given = given;
    if (!room) return given;
    pairs->preparing = room;
    synp_pairs_each(pairs, (int)pairs->panels, synp_panel_prepare);
    *made = *given;
    made->data = room;
    made->type = SYN_NUMBER_F64;
    made->time_stride = 1;
    made->unit_stride = given->samples;
    return made;
}

/* ---- one pair --------------------------------------------------------------------------- */

/* What a pair contributes to the sums. */
typedef struct synp_result {
    double sts, rtr, total;
    syn_flags flags;
} synp_result;

/* The pair-level function on the series where they lie, float or double. */
static syn_flags synp_pair_atoms(const syn_pairs *pairs, size_t i, size_t j, syn_phiid_desc *desc,
                                 double *atom)
{
    const syn_series *s = pairs->series;
    size_t x = i * s->unit_stride, y = j * s->unit_stride;
    desc->tau = synp_pairs_lag(pairs, s);
    desc->stride = s->time_stride;
    desc->cumulative = desc->local = desc->bound = NULL;
    desc->transform = SYN_TRANSFORM_NONE; /* done */
    if (desc->estimator == SYN_COPULA) desc->estimator = SYN_GAUSSIAN;
    return s->type == SYN_NUMBER_F32
               ? syn_phiid_pair_float((const float *)s->data + x, (const float *)s->data + y,
                                      s->samples, desc, atom)
               : syn_phiid_pair((const double *)s->data + x, (const double *)s->data + y,
                                s->samples, desc, atom);
}

/* The exact route: 16 atoms in double-double, about 10 microseconds for 100 samples. */
static void synp_pair_careful(const syn_pairs *pairs, size_t i, size_t j, synp_result *result,
                              double *atom)
{
    double mi[SYN_MIS];
    syn_phiid_desc desc = pairs->desc.phiid;
    desc.mi = mi;
    result->flags = synp_pair_atoms(pairs, i, j, &desc, atom);
    result->sts = atom[SYN_STS];
    result->rtr = atom[SYN_RTR];
    result->total = mi[SYN_MI_XY_AB];
    result->flags &= 0xffu & ~(unsigned)SYNP_FLAG_CAREFUL;
}

/* BINARY from the bits of two units: how often sets of variables are above together, from which
   inclusion and exclusion make the counts of states. */
static void synp_pair_binary(const syn_pairs *pairs, size_t i, size_t j, synp_result *result,
                             double *atom)
{
    const uint64_t *x = pairs->bits + 2 * i * pairs->words, *a = x + pairs->words;
    const uint64_t *y = pairs->bits + 2 * j * pairs->words, *b = y + pairs->words;
    uint64_t count[16];
    unsigned set, bit;
    double mi[SYN_MIS], f[SYN_ATOMS];
    synp_levels l;
    size_t k;
    memset(count, 0, sizeof count);
    count[0] = pairs->window;
    for (k = 0; k < pairs->words; k++)
        for (set = 1; set < 16; set++) {
            uint64_t all = ~UINT64_C(0);
            if (set & 1) all &= x[k];
            if (set & 2) all &= y[k];
            if (set & 4) all &= a[k];
            if (set & 8) all &= b[k];
            count[set] += synp_bits_set(all);
        }
    for (bit = 1; bit < 16; bit *= 2)
        for (set = 0; set < 16; set++)
            if (!(set & bit)) count[set] -= count[set | bit];
    synp_levels_of(&l, count, pairs->log_table);
    synp_levels_mi(&l, mi);
    synp_levels_atoms(&l, pairs->desc.phiid.redundancy, mi, f, atom);
    result->sts = atom[SYN_STS];
    result->rtr = atom[SYN_RTR];
    result->total = mi[SYN_MI_XY_AB];
    result->flags = 0;
}

static void synp_atoms_fill(double *atom, double value)
{
    int k;
    for (k = 0; k < SYN_ATOMS; k++) atom[k] = value;
}

/* Are two sound units copies of each other in one window, up to scale and offset? */
static bool synp_pair_copies(const syn_pairs *pairs, size_t i, size_t j, size_t future, double r)
{
    const double *x = synp_pairs_lane(pairs, i, future), *y = synp_pairs_lane(pairs, j, future);
    return fabs(r) > 1 - 1e-9 &&
           synp_panel_distance(x, y, pairs->window, r < 0 ? -1 : 1) <= SYNP_PAIRS_DEPENDENT;
}

/* The common degenerate pairs, at no cost: a unit that is constant or not finite, or a copy. True
   when that decides the pair. Without `wanted` atoms only the flag is set. The values follow the
   rule for dependent variables (section phiid). */
static bool synp_pair_degenerate(const syn_pairs *pairs, size_t i, size_t j, double xy, double ab,
                                 bool wanted, synp_result *result, double *atom)
{
    unsigned s = pairs->state[i], t = pairs->state[j], both = s | t;
    bool near = (both & (SYNP_UNIT_NEAR | SYNP_UNIT_INFINITE)) != 0;
    result->sts = result->rtr = result->total = 0;
    if (both & SYNP_UNIT_NONFINITE) {
        result->flags = SYN_FLAG_NONFINITE;
        synp_atoms_fill(atom, (double)NAN);
        return true;
    }
    synp_atoms_fill(atom, 0);
    if (both & SYNP_UNIT_PARTLY) return false;
    if (both & SYNP_UNIT_CONSTANT) {
        if (near && wanted) return false;
        result->flags = SYN_FLAG_CONSTANT;
        if (both & SYNP_UNIT_INFINITE) result->flags |= SYN_FLAG_INFINITE;
        atom[SYN_XTX] = s & SYNP_UNIT_CONSTANT ? 0 : pairs->self_information[i];
        atom[SYN_YTY] = t & SYNP_UNIT_CONSTANT ? 0 : pairs->self_information[j];
        return true;
    }
    if (both & SYNP_UNIT_INFINITE && !wanted) {
        result->flags = SYN_FLAG_INFINITE;
        return true;
    }
    if (near || !synp_pair_copies(pairs, i, j, 0, xy) || !synp_pair_copies(pairs, i, j, 1, ab))
        return false;
    result->flags = SYN_FLAG_SINGULAR;
    atom[SYN_RTR] = pairs->self_information[i];
    return true;
}

/* The 16 atoms of CCS from the nine MIs and the seven means over samples; all linear. */
static void synp_ccs_atoms(const double *mi, const double *f, double *atom)
{
    const double xa = mi[SYN_MI_X_A], xb = mi[SYN_MI_X_B];
    const double ya = mi[SYN_MI_Y_A], yb = mi[SYN_MI_Y_B];
    const double ra = f[SYNP_CCS_RX], rb = f[SYNP_CCS_RY], rs = f[SYNP_CCS_RS];
    const double xr = f[SYNP_CCS_XR], yr = f[SYNP_CCS_YR], sr = f[SYNP_CCS_SR];
    const double rr = f[SYNP_CCS_RTR];
    atom[SYN_RTR] = rr;
    atom[SYN_RTX] = ra - rr;
    atom[SYN_RTY] = rb - rr;
    atom[SYN_RTS] = rs - ra - rb + rr;
    atom[SYN_XTR] = xr - rr;
    atom[SYN_XTX] = xa - ra - xr + rr;
    atom[SYN_XTY] = xb - rb - xr + rr;
    atom[SYN_XTS] = mi[SYN_MI_X_AB] - xa - xb + xr - atom[SYN_RTS];
    atom[SYN_YTR] = yr - rr;
    atom[SYN_YTX] = ya - ra - yr + rr;
    atom[SYN_YTY] = yb - rb - yr + rr;
    atom[SYN_YTS] = mi[SYN_MI_Y_AB] - ya - yb + yr - atom[SYN_RTS];
    atom[SYN_STR] = sr - xr - yr + rr;
    atom[SYN_STX] = mi[SYN_MI_XY_A] - xa - ya + ra - atom[SYN_STR];
    atom[SYN_STY] = mi[SYN_MI_XY_B] - xb - yb + rb - atom[SYN_STR];
    atom[SYN_STS] = rr - (mi[SYN_MI_XY_A] + mi[SYN_MI_XY_B] + mi[SYN_MI_X_AB] + mi[SYN_MI_Y_AB] -
                          mi[SYN_MI_XY_AB] - xa - xb - ya - yb + ra + rb - rs + xr + yr - sr);
}

/* ---- tiles ------------------------------------------------------------------------------ */

/* 64 pairs: panel p against panel q >= p. On the stack of its job, about 5 KiB. */
typedef struct synp_tile {
    syn_pairs *pairs;
    const synp_pairs_kernels *kernel;
    size_t p, q; /* panels of x and of y */
    synp_want want;
    bool atoms;          /* to the caller */
    const uint8_t *cell; /* of a surrogate: which pairs count; NULL: all */
    double dot[4 * SYNP_PANEL * SYNP_PANEL];
    synp_closed rows;
} synp_tile;

/* Where the rows have a pair: all are there, or only the last. */
static size_t synp_tile_at(const synp_tile *tile, size_t i, size_t j)
{
    return (tile->want > SYNP_WANT_SUMS ? 0 : i % SYNP_PANEL * SYNP_PANEL) + j % SYNP_PANEL;
}

/* Correlations, or zeros where every pair takes the pair-level route. */
static void synp_tile_dots(synp_tile *tile)
{
    const syn_pairs *pairs = tile->pairs;
    size_t n = pairs->window, s, wide = 2 * SYNP_PANEL;
    if (pairs->all_careful) return;
    for (s = 0; s < n; s += SYNP_CHUNK)
        tile->kernel->dots(pairs->panel + (tile->p * n + s) * wide,
                           pairs->panel + (tile->q * n + s) * wide,
                           n - s < SYNP_CHUNK ? n - s : (size_t)SYNP_CHUNK, s > 0, tile->dot);
}

/* CCS of the pair in lane k of row i of the tile, from the MIs of the row. */
static void synp_tile_ccs(synp_tile *tile, size_t i, size_t j, int lane, synp_result *result,
                          double *atom)
{
    const syn_pairs *pairs = tile->pairs;
    const double *dot = tile->dot + i % SYNP_PANEL * SYNP_PANEL + lane;
    synp_ccs_pair p;
    double mean[SYNP_CCS_SUMS];
    int k;
    for (k = 0; k < SYN_MIS; k++) p.mi[k] = tile->rows.mi[k][lane];
    p.xy = dot[0];
    p.ab = dot[64];
    p.xb = dot[128];
    p.ya = dot[192];
    p.xa = pairs->self[i];
    p.yb = pairs->self[j];
    synp_ccs_prepare(&p, pairs->window);
    tile->kernel->ccs(&p, pairs->row + 2 * i * pairs->row_stride,
                      pairs->row + 2 * j * pairs->row_stride, pairs->row_stride, pairs->window,
                      mean);
    synp_ccs_atoms(p.mi, mean, atom);
    result->sts = atom[SYN_STS];
    result->rtr = atom[SYN_RTR];
}

/* BINARY of a pair without all its atoms. */
static void synp_tile_levels(const synp_tile *tile, size_t i, size_t j, synp_result *result)
{
    const syn_pairs *pairs = tile->pairs;
    const uint64_t *const bits[2] = {pairs->bits + 2 * i * pairs->words,
                                     pairs->bits + 2 * j * pairs->words};
    const double self[2] = {pairs->self_information[i], pairs->self_information[j]};
    double value[3];
    tile->kernel->levels(bits, pairs->words, pairs->window, &pairs->level[i], &pairs->level[j],
                         self, pairs->log_table, value);
    result->sts = value[0];
    result->rtr = value[1];
    result->total = value[2];
    result->flags = 0;
}

/* One pair: the fast result where it can be trusted, else the exact route. */
static void synp_tile_pair(synp_tile *tile, size_t i, size_t j, int lane, synp_result *result,
                           double *atom)
{
    const syn_pairs *pairs = tile->pairs;
    const double *dot = tile->dot + i % SYNP_PANEL * SYNP_PANEL + lane;
    size_t at = synp_tile_at(tile, i, j);
    int k;
    unsigned state = (unsigned)pairs->state[i] | pairs->state[j];
    if (pairs->bits && !(state & ~(unsigned)(SYNP_UNIT_NEAR | SYNP_UNIT_INFINITE))) {
        if (!tile->atoms && pairs->desc.phiid.redundancy == SYN_MMI)
            synp_tile_levels(tile, i, j, result);
        else synp_pair_binary(pairs, i, j, result, atom);
        return;
    }
    result->flags = 0;
    if (pairs->all_careful || pairs->state[i] & ~SYNP_UNIT_NEAR ||
        pairs->state[j] & ~SYNP_UNIT_NEAR || tile->rows.bad[at]) {
        if (!pairs->all_careful &&
            synp_pair_degenerate(pairs, i, j, dot[0], dot[64], tile->atoms, result, atom))
            return;
        synp_pair_careful(pairs, i, j, result, atom);
        result->flags |= SYNP_FLAG_CAREFUL;
        return;
    }
    result->sts = tile->rows.sts[at];
    result->rtr = tile->rows.rtr[at];
    result->total = tile->rows.total[at];
    if (pairs->desc.phiid.redundancy == SYN_CCS) {
        synp_tile_ccs(tile, i, j, lane, result, atom);
    } else if (tile->atoms) {
        for (k = 0; k < SYN_ATOMS; k++) atom[k] = tile->rows.atom[k][lane];
    }
}

/* One pair's values into the sums of the pair, and to where the sums of units are made. */
static void synp_tile_add(synp_tile *tile, size_t pair, const synp_result *result)
{
    syn_pairs *pairs = tile->pairs;
    bool sound = !(result->flags & ~(unsigned)SYNP_FLAG_CAREFUL);
    const double value[3] = {result->sts, result->rtr, result->total};
    int k;
    pairs->flag[pair] = (uint8_t)result->flags;
    if (sound) {
        pairs->synergy[pair] += value[0];
        pairs->redundancy[pair] += value[1];
    }
    for (k = 0; k < 3 && !pairs->desc.lean; k++)
        pairs->value[k][pair - pairs->first_pair] = sound ? value[k] : 0;
}

/* Is pair k sound where the surrogate's prompt was observed? */
static bool synp_cell_has(const uint8_t *cell, size_t pair)
{
    return !cell || (cell[pair / 8] >> pair % 8 & 1) != 0;
}

static bool synp_cell_has_eight(const uint8_t *cell, size_t pair)
{
    unsigned both;
    if (!cell) return true;
    both = cell[pair / 8] | (unsigned)cell[pair / 8 + 1] << 8;
    return (both >> pair % 8 & 255u) == 255u;
}

/* The common case of a row: eight sound pairs in closed form, added in the same order as one by
   one. */
static bool synp_tile_whole(synp_tile *tile, size_t i, size_t j)
{
    syn_pairs *pairs = tile->pairs;
    const synp_closed *e = &tile->rows;
    size_t pair = syn_pairs_index(pairs->units, i, j), at = pair - pairs->first_pair, k;
    const size_t row = synp_tile_at(tile, i, j);
    double *synergy = pairs->synergy + pair, *redundancy = pairs->redundancy + pair;
    uint64_t bad = 0;
    unsigned odd = pairs->state[i];
    int n, l;
    for (k = 0; k < SYNP_PANEL; k++) {
        bad |= e->bad[row + k];
        odd |= pairs->state[j + k];
    }
    if (bad || odd & ~(unsigned)SYNP_UNIT_NEAR || !synp_cell_has_eight(tile->cell, pair))
        return false;
    for (l = 0; l < SYNP_PANEL; l += SYNP_LANES) {
        SYNP_AT(synergy) += SYNP_GET(e->sts + row);
        SYNP_AT(redundancy) += SYNP_GET(e->rtr + row);
    }
    memset(pairs->flag + pair, 0, SYNP_PANEL);
    if (!pairs->desc.lean) {
        memcpy(pairs->value[0] + at, e->sts + row, SYNP_PANEL * sizeof(double));
        memcpy(pairs->value[1] + at, e->rtr + row, SYNP_PANEL * sizeof(double));
        memcpy(pairs->value[2] + at, e->total + row, SYNP_PANEL * sizeof(double));
    }
    if (tile->atoms) {
        double *atom = pairs->atom + at * SYN_ATOMS;
        for (k = 0; k < SYNP_PANEL; k++)
            for (n = 0; n < SYN_ATOMS; n++) *atom++ = e->atom[n][k];
    }
    return true;
}

/* Unit i of the tile with units j of it. */
static void synp_tile_row(synp_tile *tile, size_t i, size_t j, size_t end)
{
    syn_pairs *pairs = tile->pairs;
    double scratch[SYN_ATOMS];
    if (end - j == SYNP_PANEL && !pairs->all_careful && tile->want != SYNP_WANT_MIS &&
        synp_tile_whole(tile, i, j))
        return;
    for (; j < end; j++) {
        size_t pair = syn_pairs_index(pairs->units, i, j);
        synp_result result = {0, 0, 0, SYNP_FLAG_MASKED};
        double *atom = tile->atoms ? pairs->atom + (pair - pairs->first_pair) * SYN_ATOMS : scratch;
        if (synp_cell_has(tile->cell, pair))
            synp_tile_pair(tile, i, j, (int)(j % SYNP_PANEL), &result, atom);
        synp_tile_add(tile, pair, &result);
    }
}

/* Asks for the sums that this tile will be added to, which the products leave time to come. */
static void synp_tile_fetch(const synp_tile *tile, size_t end_i)
{
#if defined(__GNUC__)
    const syn_pairs *pairs = tile->pairs;
    size_t i = tile->p * SYNP_PANEL, j = tile->q * SYNP_PANEL;
    for (; tile->q > tile->p && i < end_i; i++) {
        size_t pair = syn_pairs_index(pairs->units, i, j);
        __builtin_prefetch(pairs->synergy + pair, 1);
        __builtin_prefetch(pairs->synergy + pair + SYNP_PANEL - 1, 1);
        __builtin_prefetch(pairs->redundancy + pair, 1);
        __builtin_prefetch(pairs->redundancy + pair + SYNP_PANEL - 1, 1);
        __builtin_prefetch(pairs->flag + pair, 1);
    }
#else
    (void)tile;
    (void)end_i;
#endif
}

/* Products, closed form and sums of one tile; on the diagonal the pairs above it. */
static void synp_tile_run(synp_tile *tile)
{
    syn_pairs *pairs = tile->pairs;
    size_t i, j, end_i = (tile->p + 1) * SYNP_PANEL, end_j = (tile->q + 1) * SYNP_PANEL;
    if (end_i > pairs->units) end_i = pairs->units;
    if (end_j > pairs->units) end_j = pairs->units;
    synp_tile_fetch(tile, end_i);
    synp_tile_dots(tile);
    for (i = tile->p * SYNP_PANEL; i < end_i; i++) {
        bool alone = tile->want > SYNP_WANT_SUMS;
        j = tile->q * SYNP_PANEL;
        if (!pairs->all_careful && (alone || i % SYNP_PANEL == 0))
            tile->kernel->close(tile->dot + i % SYNP_PANEL * SYNP_PANEL, pairs->self + i,
                                pairs->self + j, alone ? 1 : (int)(end_i - i), tile->want,
                                &tile->rows);
        synp_tile_row(tile, i, j > i ? j : i + 1, end_j);
    }
}

/* The cells of the prompt that is being added, where some of them do not count. */
static const uint8_t *synp_pairs_mask(const syn_pairs *pairs)
{
    const syn_pairs *like = pairs->desc.like;
    if (!like || !like->unsound[pairs->prompts]) return NULL;
    return like->cell + pairs->prompts * like->cell_bytes;
}

/* Panels in a job: eight, more where that would make too many jobs. */
static size_t synp_panels_a_job(const syn_pairs *pairs)
{
    size_t wide = pairs->panels / 64;
    return wide > SYNP_PANELS_A_JOB ? wide : (size_t)SYNP_PANELS_A_JOB;
}

/* Jobs that start at a panel. */
static size_t synp_panel_jobs(const syn_pairs *pairs, size_t panel)
{
    return (pairs->panels - panel + synp_panels_a_job(pairs) - 1) / synp_panels_a_job(pairs);
}

/* Job: one panel against consecutive panels from itself on. */
static void synp_panels_run(void *arg, int index)
{
    synp_tile tile;
    size_t left = (size_t)index, q, end;
    tile.pairs = (syn_pairs *)arg;
    tile.kernel = synp_pairs_kernels_of(tile.pairs);
    tile.atoms = tile.pairs->desc.atoms != NULL;
    tile.cell = synp_pairs_mask(tile.pairs);
    tile.want = tile.pairs->desc.phiid.redundancy == SYN_CCS ? SYNP_WANT_MIS
                : tile.atoms                                 ? SYNP_WANT_ATOMS
                : tile.pairs->desc.lean                      ? SYNP_WANT_TEST
                                                             : SYNP_WANT_SUMS;
    tile.p = tile.pairs->first_panel;
    while (left >= synp_panel_jobs(tile.pairs, tile.p))
        left -= synp_panel_jobs(tile.pairs, tile.p++);
    q = tile.p + left * synp_panels_a_job(tile.pairs);
    end = q + synp_panels_a_job(tile.pairs);
    if (end > tile.pairs->panels) end = tile.pairs->panels;
    for (; q < end; q++) {
        tile.q = q;
        synp_tile_run(&tile);
    }
}

/* ---- one prompt ---------------------------------------------------------------------- */

/* Index into `flagged`: 0 sound, k when 1 << (k - 1) is the gravest of the flags, which is the
   first of them in the order of the list in section phiid, INFINITE before CONSTANT and
   SINGULAR. */
static int synp_flag_kind(unsigned flags)
{
    static const uint8_t order[] = {1, 2, 4, 32, 8, 16, 64, 128};
    size_t k;
    int kind = 1;
    if (!flags) return 0;
    for (k = 0; k < sizeof order; k++)
        if (flags & order[k]) break;
    while (k < sizeof order && order[k] >> kind) kind++;
    return kind;
}

/* Does a pair with these flags and marks count? Flagged ones are left out, or (SYN_FLAGGED_ZERO)
   count with zeros; a surrogate's own are left out. */
static bool synp_pairs_counts(const syn_pairs *pairs, unsigned flags)
{
    flags &= ~(unsigned)SYNP_FLAG_CAREFUL;
    if (!flags) return true;
    if (pairs->desc.like && flags != SYNP_FLAG_MASKED) return false;
    return pairs->desc.flagged == SYN_FLAGGED_ZERO;
}

/* One flagged pair of the prompt: who it counts for, and its flags without private marks. */
static void synp_pairs_count_flagged(syn_pairs *pairs, size_t pair)
{
    unsigned flags = pairs->flag[pair];
    if (!synp_pairs_counts(pairs, flags)) pairs->left_out[pair]++;
    if (flags & SYNP_FLAG_CAREFUL) pairs->careful++;
    flags &= ~(unsigned)(SYNP_FLAG_CAREFUL | (pairs->desc.like ? SYNP_FLAG_MASKED : 0));
    pairs->flag[pair] = (uint8_t)flags;
    pairs->flagged[synp_flag_kind(flags)]++;
    if (flags && pairs->desc.like) pairs->missing++;
    if (flags && pairs->cell) {
        uint8_t *byte = pairs->cell + pairs->prompts * pairs->cell_bytes + pair / 8;
        *byte = (uint8_t)(*byte & ~(1u << pair % 8));
        pairs->unsound[pairs->prompts]++;
    }
}

/* Counts the flags of pairs [first, end). */
static void synp_pairs_count(syn_pairs *pairs, size_t first, size_t end)
{
    size_t pair;
    static const uint8_t none[64] = {0};
    for (pair = first; pair < end; pair++) {
        if (end - pair >= sizeof none && !memcmp(pairs->flag + pair, none, sizeof none)) {
            pairs->flagged[0] += sizeof none;
            pair += sizeof none - 1;
        } else if (pairs->flag[pair]) {
            synp_pairs_count_flagged(pairs, pair);
        } else {
            pairs->flagged[0]++;
        }
    }
}

/* Adds row i of the pairs that are worked on to its units [from, end) > i, or (`own`) to unit i. */
static void synp_units_row(syn_pairs *pairs, size_t i, size_t from, size_t end, bool own)
{
    size_t n = pairs->units, at = pairs->prompts * n, j;
    size_t pair = syn_pairs_index(n, i, i + 1) + from - i - 1, cell = pair - pairs->first_pair;
    const double *s = pairs->value[0] + cell, *r = pairs->value[1] + cell;
    const double *t = pairs->value[2] + cell;
    double *unit_s = pairs->unit_synergy + at, *unit_r = pairs->unit_redundancy + at;
    for (j = from; j < end; j++) {
        size_t unit = own ? i : j, k = j - from;
        unit_s[unit] += s[k];
        unit_r[unit] += r[k];
        pairs->unit_total[unit] += t[k];
        pairs->unit_sound[at + unit] += synp_pairs_counts(pairs, pairs->flag[pair + k]) ? 1 : 0;
    }
}

/* Job: the sums of the units of a panel over the pairs that are worked on, partner by partner in
   ascending order: whoever else is there, or how many threads, changes no digit of a sum. */
static void synp_units_job(void *arg, int index)
{
    syn_pairs *pairs = (syn_pairs *)arg;
    size_t from = ((size_t)index + pairs->first_panel) * SYNP_PANEL, end = from + SYNP_PANEL, i;
    size_t first = pairs->first_panel * SYNP_PANEL, last = pairs->end_panel * SYNP_PANEL;
    if (end > pairs->units) end = pairs->units;
    for (i = first; i < last && i < end; i++) {
        if (i >= from && i + 1 < pairs->units) synp_units_row(pairs, i, i + 1, pairs->units, true);
        if (i + 1 < end) synp_units_row(pairs, i, i < from ? from : i + 1, end, false);
    }
}

/* After all pairs of a prompt. */
static void synp_units_close(syn_pairs *pairs)
{
    size_t unit, n = pairs->units;
    for (unit = 0; unit < n; unit++) {
        uint32_t sound = pairs->unit_sound[pairs->prompts * n + unit];
        if (sound)
            synp_confound_add(pairs, SYN_CONFOUND_TOTAL, unit,
                              pairs->unit_total[unit] / (double)sound);
    }
    memset(pairs->unit_total, 0, n * sizeof *pairs->unit_total);
}

/* Whether a prompt can be added; nothing has changed when not. */
static syn_status synp_pairs_fits(const syn_pairs *pairs, const syn_series *series, syn_error *err)
{
    uint64_t tau = (uint64_t)synp_pairs_lag(pairs, series), apart = (uint64_t)synp_pairs_tau(pairs);
    if (series->units != pairs->units)
        return synp_fail(err, SYN_ERROR_ARGUMENT, "pairs: prompt %u has %u units, expected %u",
                         SYNP_U(pairs->prompts), SYNP_U(series->units), SYNP_U(pairs->units));
    if (series->samples > pairs->desc.samples)
        return synp_fail(err, SYN_ERROR_ARGUMENT, "pairs: prompt %u has %u samples, %u announced",
                         SYNP_U(pairs->prompts), SYNP_U(series->samples),
                         SYNP_U(pairs->desc.samples));
    if (pairs->prompts >= pairs->desc.prompts)
        return synp_fail(err, SYN_ERROR_ARGUMENT, "pairs: more than the %u prompts announced",
                         SYNP_U(pairs->desc.prompts));
    if (tau >= series->samples || tau > INT32_MAX)
        return synp_fail(err, SYN_ERROR_DATA, "pairs: tau %u does not fit %u samples", SYNP_U(tau),
                         SYNP_U(series->samples));
    if (series->samples - tau < 5)
        return synp_fail(err, SYN_ERROR_DATA, "pairs: %u samples at tau %u leave %u, need 5",
                         SYNP_U(series->samples), SYNP_U(tau), SYNP_U(series->samples - tau));
    if (series->lag && series->samples - tau + apart > pairs->desc.samples)
        return synp_fail(err, SYN_ERROR_ARGUMENT,
                         "pairs: prompt %u has %u pairs at tau %u, which need "
                         "%u samples, %u announced",
                         SYNP_U(pairs->prompts), SYNP_U(series->samples - tau), SYNP_U(apart),
                         SYNP_U(series->samples - tau + apart), SYNP_U(pairs->desc.samples));
    return SYN_OK;
}

/* The pair that follows the last one of row `row - 1`. */
static size_t synp_pairs_row(const syn_pairs *pairs, size_t row)
{
    return row < pairs->units - 1 ? syn_pairs_index(pairs->units, row, row + 1) : pairs->pairs;
}

/* Panels first .. end - 1 against all after them, the sums of units, and atoms to the caller. */
static syn_status synp_pairs_stripe(syn_pairs *pairs, size_t first, size_t end, syn_error *err)
{
    size_t panel, jobs = 0, pair_end = synp_pairs_row(pairs, end * SYNP_PANEL);
    pairs->first_panel = first;
    pairs->end_panel = end;
    pairs->first_pair = synp_pairs_row(pairs, first * SYNP_PANEL);
    for (panel = first; panel < end; panel++) jobs += synp_panel_jobs(pairs, panel);
    synp_pairs_each(pairs, (int)jobs, synp_panels_run);
    if (pair_end <= pairs->first_pair) return SYN_OK;
    if (!pairs->desc.lean) synp_pairs_each(pairs, (int)(pairs->panels - first), synp_units_job);
    synp_pairs_count(pairs, pairs->first_pair, pair_end);
    if (pairs->desc.atoms &&
        !pairs->desc.atoms(pairs->desc.user, pairs->first_pair, pair_end - pairs->first_pair,
                           pairs->atom, pairs->flag + pairs->first_pair))
        return synp_fail(err, SYN_ERROR_READ, "pairs: stopped by the receiver of atoms at pair %u",
                         SYNP_U(pairs->first_pair));
    return SYN_OK;
}

/* All stripes: as many panels each as there is room for, at least one. */
static syn_status synp_pairs_stripes(syn_pairs *pairs, syn_error *err)
{
    size_t first, end;
    syn_status status = SYN_OK;
    for (first = 0; first < pairs->panels && !status; first = end) {
        size_t from = synp_pairs_row(pairs, first * SYNP_PANEL);
        for (end = first + 1; end < pairs->panels; end++)
            if (synp_pairs_row(pairs, (end + 1) * SYNP_PANEL) - from > pairs->room) break;
        status = synp_pairs_stripe(pairs, first, end, err);
    }
    return status;
}

/* Before the first pair of a prompt: all count, until one is flagged. */
static void synp_pairs_begin(syn_pairs *pairs)
{
    if (!pairs->cell) return;
    memset(pairs->cell + pairs->prompts * pairs->cell_bytes, 0xff, pairs->cell_bytes);
    pairs->unsound[pairs->prompts] = 0;
}

/* One prompt, which fits. */
static syn_status synp_pairs_prompt(syn_pairs *pairs, const syn_series *series, syn_error *err)
{
    const syn_series packed = synp_series_packed(series);
    syn_series made;
    syn_status status;
    pairs->series = synp_pairs_prepare(pairs, &packed, &made, pairs->prepared[0]);
    pairs->window = series->samples - synp_pairs_lag(pairs, series);
    synp_pairs_begin(pairs);
    synp_pairs_each(pairs, (int)pairs->panels, synp_panel_open);
    status = synp_pairs_stripes(pairs, err);
    pairs->series = pairs->given = NULL;
    if (!status && !pairs->desc.lean) synp_units_close(pairs);
    return status;
}

SYN_API syn_status syn_pairs_add(syn_pairs *pairs, const syn_series *series, syn_error *err)
{
    synp_succeed(err);
    syn_status status = synp_pairs_fits(pairs, series, err);
    if (status) return status;
    if (pairs->desc.like)
        return synp_fail(err, SYN_ERROR_ARGUMENT,
                         "pairs: surrogates are added by syn_pairs_add_surrogate");
    status = synp_pairs_prompt(pairs, series, err);
    if (!status) pairs->prompts++;
    return status;
}

/* ---- one prompt of a surrogate ---------------------------------------------------------- */

/* Job: what the observed series have in pairs of a panel in which the surrogate has no value. */
static void synp_lost_job(void *arg, int index)
{
    syn_pairs *pairs = (syn_pairs *)arg;
    size_t i, j, n = pairs->units, from = (size_t)index * SYNP_PANEL, end = from + SYNP_PANEL;
    for (i = from; i < end && i + 1 < n; i++) {
        size_t pair = syn_pairs_index(n, i, i + 1);
        for (j = i + 1; j < n; j++, pair++) {
            synp_result result;
            double atom[SYN_ATOMS];
            if (!pairs->flag[pair]) continue;
            synp_pair_careful(pairs, i, j, &result, atom);
            pairs->lost[0][pair] += result.sts;
            pairs->lost[1][pair] += result.rtr;
        }
    }
}

static syn_status synp_surrogate_fits(const syn_pairs *pairs, const syn_series *surrogate,
                                      const syn_series *observed, syn_error *err)
{
    const syn_pairs *like = pairs->desc.like;
    if (!like) return synp_fail(err, SYN_ERROR_ARGUMENT, "pairs: surrogates of nothing (`like`)");
    if (pairs->prompts >= like->prompts)
        return synp_fail(err, SYN_ERROR_ARGUMENT,
                         "pairs: a surrogate of prompt %u, observed are %u", SYNP_U(pairs->prompts),
                         SYNP_U(like->prompts));
    if (observed->units != surrogate->units || observed->samples != surrogate->samples ||
        observed->lag != surrogate->lag)
        return synp_fail(err, SYN_ERROR_ARGUMENT,
                         "pairs: prompt %u and its surrogate differ in size",
                         SYNP_U(pairs->prompts));
    return SYN_OK;
}

SYN_API syn_status syn_pairs_add_surrogate(syn_pairs *pairs, const syn_series *surrogate,
                                           const syn_series *observed, syn_error *err)
{
    uint64_t before = pairs->missing;
    synp_succeed(err);
    syn_status status = synp_pairs_fits(pairs, surrogate, err);
    if (!status) status = synp_surrogate_fits(pairs, surrogate, observed, err);
    if (!status) status = synp_pairs_prompt(pairs, surrogate, err);
    if (status) return status;
    if (pairs->missing > before) {
        const syn_series packed = synp_series_packed(observed);
        syn_series made;
        pairs->series = synp_pairs_prepare(pairs, &packed, &made, pairs->prepared[1]);
        synp_pairs_each(pairs, (int)pairs->panels, synp_lost_job);
        pairs->series = pairs->given = NULL;
    }
    pairs->prompts++;
    return SYN_OK;
}

/* ---- one prompt from its covariance ----------------------------------------------------- */

static syn_status synp_pairs_fits_cov(const syn_pairs *pairs, const syn_cov *cov, syn_error *err)
{
    if (cov->channels != pairs->units)
        return synp_fail(err, SYN_ERROR_ARGUMENT, "pairs: %u channels, expected %u",
                         SYNP_U(cov->channels), SYNP_U(pairs->units));
    if (cov->tau != synp_pairs_tau(pairs))
        return synp_fail(err, SYN_ERROR_ARGUMENT, "pairs: a covariance at tau %u, expected %u",
                         SYNP_U(cov->tau), SYNP_U(synp_pairs_tau(pairs)));
    if (pairs->desc.phiid.redundancy == SYN_CCS)
        return synp_fail(err, SYN_ERROR_ARGUMENT, "pairs: CCS needs samples, not a covariance");
    if (pairs->bits || pairs->prepared[0])
        return synp_fail(err, SYN_ERROR_ARGUMENT,
                         "pairs: the estimator needs samples, not a covariance");
    if (pairs->prompts >= pairs->desc.prompts)
        return synp_fail(err, SYN_ERROR_ARGUMENT, "pairs: more than the %u prompts announced",
                         SYNP_U(pairs->desc.prompts));
    if (cov->pairs < 5)
        return synp_fail(err, SYN_ERROR_DATA, "pairs: a covariance of %u samples, need 5",
                         SYNP_U(cov->pairs));
    return SYN_OK;
}

/* One pair's values into the sums, as synp_tile_add; `total` (unit) is kept apart. */
static void synp_pairs_tally(syn_pairs *pairs, size_t i, size_t j, const double *atom, double total,
                             syn_flags flags, double *totals)
{
    size_t pair = syn_pairs_index(pairs->units, i, j), n = pairs->units, k;
    const size_t unit[2] = {i, j};
    pairs->flag[pair] = (uint8_t)flags;
    if (!synp_pairs_counts(pairs, flags)) return;
    for (k = 0; k < 2; k++) {
        size_t at = pairs->prompts * n + unit[k];
        pairs->unit_sound[at]++;
        if (flags) continue;
        pairs->unit_synergy[at] += atom[SYN_STS];
        pairs->unit_redundancy[at] += atom[SYN_RTR];
        totals[unit[k]] += total;
    }
    if (flags) return;
    pairs->synergy[pair] += atom[SYN_STS];
    pairs->redundancy[pair] += atom[SYN_RTR];
}

/* The self-information of each unit, once for each, from any of its sound pairs. */
static void synp_pairs_self_cov(syn_pairs *pairs, const syn_cov *cov, size_t unit, double self)
{
    double r = syn_cov_value(cov, unit, cov->channels + unit);
    r /= sqrt(syn_cov_value(cov, unit, unit));
    r /= sqrt(syn_cov_value(cov, cov->channels + unit, cov->channels + unit));
    pairs->state[unit] = 1;
    synp_confound_add(pairs, SYN_CONFOUND_SELF, unit, self);
    if (cov->tau == 1 && r >= -1 && r <= 1)
        synp_confound_add(pairs, SYN_CONFOUND_AUTOCORRELATION, unit, r);
}

SYN_API syn_status syn_pairs_add_cov(syn_pairs *pairs, const syn_cov *cov, syn_error *err)
{
    size_t i, j, n = pairs->units;
    double *totals = pairs->unit_total, mi[SYN_MIS], atom[SYN_ATOMS];
    syn_phiid_desc desc = pairs->desc.phiid;
    synp_succeed(err);
    syn_status status = synp_pairs_fits_cov(pairs, cov, err);
    if (status) return status;
    desc.mi = mi;
    desc.cumulative = desc.local = desc.bound = NULL;
    memset(pairs->state, 0, n * sizeof *pairs->state);
    synp_pairs_begin(pairs);
    for (i = 0; i + 1 < n; i++) {
        pairs->first_pair = syn_pairs_index(n, i, i + 1);
        for (j = i + 1; j < n; j++) {
            syn_flags flags = syn_cov_pair(cov, i, j, &desc, atom);
            synp_pairs_tally(pairs, i, j, atom, mi[SYN_MI_XY_AB], flags, totals);
            if (!flags && !pairs->state[i]) synp_pairs_self_cov(pairs, cov, i, mi[SYN_MI_X_A]);
            if (!flags && !pairs->state[j]) synp_pairs_self_cov(pairs, cov, j, mi[SYN_MI_Y_B]);
            if (pairs->atom) memcpy(pairs->atom + (j - i - 1) * SYN_ATOMS, atom, sizeof atom);
        }
        pairs->careful += n - 1 - i;
        synp_pairs_count(pairs, pairs->first_pair, pairs->first_pair + (n - 1 - i));
        if (pairs->desc.atoms && !pairs->desc.atoms(pairs->desc.user, pairs->first_pair, n - 1 - i,
                                                    pairs->atom, pairs->flag + pairs->first_pair))
            return synp_fail(err, SYN_ERROR_READ,
                             "pairs: stopped by the receiver of atoms at pair %u",
                             SYNP_U(pairs->first_pair));
    }
    synp_units_close(pairs);
    pairs->prompts++;
    return SYN_OK;
}

/* ---- results ------------------------------------------------------------------------- */

/* sum (pair) over the prompts that count, to a full matrix of means. */
static void synp_pairs_matrix(const syn_pairs *pairs, const double *sum, double *matrix)
{
    size_t i, j, n = pairs->units, pair = 0;
    for (i = 0; i < n; i++) {
        matrix[i * n + i] = 0;
        for (j = i + 1; j < n; j++, pair++) {
            size_t count = pairs->prompts - pairs->left_out[pair];
            double mean = count ? sum[pair] / (double)count : (double)NAN;
            matrix[i * n + j] = mean;
            matrix[j * n + i] = mean;
        }
    }
}

SYN_API void syn_pairs_matrices(const syn_pairs *pairs, double *synergy, double *redundancy)
{
    if (synergy) synp_pairs_matrix(pairs, pairs->synergy, synergy);
    if (redundancy) synp_pairs_matrix(pairs, pairs->redundancy, redundancy);
}

SYN_API void syn_pairs_confound(const syn_pairs *pairs, syn_confound which, double *value)
{
    size_t unit, at = (size_t)which * pairs->units;
    for (unit = 0; unit < pairs->units; unit++) {
        uint32_t count = pairs->confound_count[at + unit];
        value[unit] = count ? pairs->confound[at + unit] / (double)count : (double)NAN;
    }
}

SYN_API const char *syn_confound_name(syn_confound which)
{
    static const char *const name[] = {"mean_norm", "autocorrelation", "self_information",
                                       "total_information", "trend"};
    return (unsigned)which < SYN_CONFOUNDS ? name[which] : "";
}

/* ------------------------------------------------------------------------------------
   >>rank
   ------------------------------------------------------------------------------------ */

SYN_API const char *syn_score_name(syn_score score)
{
    static const char *const name[] = {"rank-difference", "difference", "balance",
                                       "synergy",         "redundancy", "excess"};
    return (unsigned)score < SYN_SCORES ? name[score] : "";
}

SYN_API bool syn_score_find(const char *name, syn_score *score)
{
    int k;
    for (k = 0; k < SYN_SCORES; k++)
        if (!strcmp(name, syn_score_name((syn_score)k))) {
            *score = (syn_score)k;
            return true;
        }
    return false;
}

/* ---- sorting and ranks ------------------------------------------------------------- */

/* Lets order[at] sink to its place in a heap of n with the largest value on top. */
static void synp_heap_sink(const double *value, size_t *order, size_t at, size_t n)
{
    size_t held = order[at], child;
    while ((child = 2 * at + 1) < n) {
        if (child + 1 < n && value[order[child]] < value[order[child + 1]]) child++;
        if (!(value[held] < value[order[child]])) break;
        order[at] = order[child];
        at = child;
    }
    order[at] = held;
}

/* Sorts order (n), which holds indices of numbers, by ascending value: heapsort, in place. */
static void synp_order_sort(const double *value, size_t *order, size_t n)
{
    size_t k;
    for (k = n / 2; k-- > 0;) synp_heap_sink(value, order, k, n);
    for (k = n; k-- > 1;) {
        size_t held = order[0];
        order[0] = order[k];
        order[k] = held;
        synp_heap_sink(value, order, 0, k);
    }
}

/* Indices of the numbers among value (n), ascending; how many there are. NaN is no number and has
   no place in an order. O(n log n) whatever the values, no memory but order (n). */
static size_t synp_order_of(const double *value, size_t n, size_t *order)
{
    size_t k, count = 0;
    for (k = 0; k < n; k++)
        if (!isnan(value[k])) order[count++] = k;
    synp_order_sort(value, order, count);
    return count;
}

/* Runs of equal values share the mean of their places: places from + 1 ... to have the mean
   (from + 1 + to) / 2, exact in doubles. */
SYN_API void syn_rank_average(const double *value, size_t n, double *rank, size_t *order)
{
    size_t k, from, to, count;
    for (k = 0; k < n; k++) rank[k] = (double)NAN;
    count = synp_order_of(value, n, order);
    for (from = 0; from < count; from = to) {
        for (to = from + 1; to < count && !(value[order[from]] < value[order[to]]);) to++;
        for (k = from; k < to; k++) rank[order[k]] = ((double)from + 1 + (double)to) / 2;
    }
}

/* The q-quantile of sorted values, linear between neighbours (h = (n - 1) q, type 7 of R). */
static double synp_quantile(const double *value, const size_t *order, size_t count, double q)
{
    double h = ((double)count - 1) * q;
    size_t k = (size_t)h;
    if (!count) return (double)NAN;
    if (k + 1 >= count) return value[order[count - 1]];
    return value[order[k]] + (h - (double)k) * (value[order[k + 1]] - value[order[k]]);
}

/* Pearson's correlation, centred; NaN when either is constant or n < 2. Of ranks every term is a
   multiple of 1/4, so the sums are exact. */
static double synp_pearson(const double *a, const double *b, size_t n)
{
    double ma = 0, mb = 0, aa = 0, bb = 0, ab = 0;
    size_t k;
    for (k = 0; k < n; k++) {
        ma += a[k];
        mb += b[k];
    }
    ma /= (double)n;
    mb /= (double)n;
    for (k = 0; k < n; k++) {
        aa += (a[k] - ma) * (a[k] - ma);
        bb += (b[k] - mb) * (b[k] - mb);
        ab += (a[k] - ma) * (b[k] - mb);
    }
    return n > 1 && aa > 0 && bb > 0 ? ab / (sqrt(aa) * sqrt(bb)) : (double)NAN;
}

/* Only places where both are numbers count, and are ranked anew among themselves. */
SYN_API double syn_rank_spearman(const double *a, const double *b, size_t n, double *work,
                                 size_t *order)
{
    double *x = work, *y = work + n, *rx = work + 2 * n, *ry = work + 3 * n;
    size_t k, count = 0;
    for (k = 0; k < n; k++)
        if (!isnan(a[k]) && !isnan(b[k])) {
            x[count] = a[k];
            y[count++] = b[k];
        }
    syn_rank_average(x, count, rx, order);
    syn_rank_average(y, count, ry, order);
    return synp_pearson(rx, ry, count);
}

/* ---- units ------------------------------------------------------------------------- */

SYN_API syn_status syn_rank_open(syn_rank *rank, size_t units, syn_arena *arena, syn_error *err)
{
    const size_t each = sizeof(double);
    synp_succeed(err);
    memset(rank, 0, sizeof *rank);
    rank->units = units;
    {
        const synp_piece piece[] = {{&rank->synergy, units, each, "rank: synergy"},
                                    {&rank->redundancy, units, each, "rank: redundancy"},
                                    {&rank->synergy_rank, units, each, "rank: synergy rank"},
                                    {&rank->redundancy_rank, units, each, "rank: redundancy rank"},
                                    {&rank->rank_difference, units, each, "rank: rank difference"},
                                    {&rank->difference, units, each, "rank: difference"},
                                    {&rank->difference_rank, units, each, "rank: difference rank"},
                                    {&rank->balance, units, each, "rank: balance"},
                                    {&rank->excess, units, each, "rank: excess"},
                                    {&rank->order, units, sizeof(size_t), "rank: order"}};
        size_t k;
        syn_status status = synp_pieces(arena, piece, sizeof piece / sizeof piece[0], err);
        for (k = 0; !status && rank->excess && k < units; k++) rank->excess[k] = (double)NAN;
        return status;
    }
}

/* synergy and redundancy may be the rank's own columns. balance has no value where both are 0;
   differences of ranks of units without a value are NaN by arithmetic. */
SYN_API void syn_rank_means(syn_rank *rank, const double *synergy, const double *redundancy)
{
    size_t k, n = rank->units;
    for (k = 0; k < n; k++) {
        double s = synergy[k], r = redundancy[k];
        rank->synergy[k] = s;
        rank->redundancy[k] = r;
        rank->difference[k] = s - r;
        rank->balance[k] = s + r < 0 || s + r > 0 ? s / (s + r) : (double)NAN;
    }
    syn_rank_average(rank->synergy, n, rank->synergy_rank, rank->order);
    syn_rank_average(rank->redundancy, n, rank->redundancy_rank, rank->order);
    syn_rank_average(rank->difference, n, rank->difference_rank, rank->order);
    for (k = 0; k < n; k++)
        rank->rank_difference[k] = rank->synergy_rank[k] - rank->redundancy_rank[k];
}

/* The mean of a unit's row of the matrix, its pairs without a sound prompt left out: first over
   prompts, then over pairs, as the matrices are written. (From the unit sums of prompts, as the
   bootstrap takes it, the result is the same where nothing is flagged.) */
static void synp_rank_row(const syn_pairs *pairs, size_t unit, double *synergy, double *redundancy)
{
    double s = 0, r = 0;
    size_t other, rows = 0;
    for (other = 0; other < pairs->units; other++) {
        size_t pair, count;
        if (other == unit) continue;
        pair = syn_pairs_index(pairs->units, unit, other);
        count = pairs->prompts - pairs->left_out[pair];
        if (!count) continue;
        s += pairs->synergy[pair] / (double)count;
        r += pairs->redundancy[pair] / (double)count;
        rows++;
    }
    *synergy = rows ? s / (double)rows : (double)NAN;
    *redundancy = rows ? r / (double)rows : (double)NAN;
}

SYN_API void syn_rank_pairs(syn_rank *rank, const syn_pairs *pairs)
{
    size_t unit;
    for (unit = 0; unit < rank->units; unit++)
        synp_rank_row(pairs, unit, &rank->synergy[unit], &rank->redundancy[unit]);
    syn_rank_means(rank, rank->synergy, rank->redundancy);
}

SYN_API const double *syn_rank_score(const syn_rank *rank, syn_score score)
{
    switch (score) {
    case SYN_SCORE_DIFFERENCE: return rank->difference_rank;
    case SYN_SCORE_BALANCE: return rank->balance;
    case SYN_SCORE_SYNERGY: return rank->synergy;
    case SYN_SCORE_REDUNDANCY: return rank->redundancy;
    case SYN_SCORE_EXCESS: return rank->excess;
    default: return rank->rank_difference;
    }
}

/* ---- layers ------------------------------------------------------------------------ */

/* The mean of a layer's units that have a score; `place` (unit), when given, says whose score
   stands where. */
static double synp_layer_mean(const double *score, const size_t *place, size_t first, size_t end)
{
    double sum = 0;
    size_t k, count = 0;
    for (k = first; k < end; k++) {
        double v = score[place ? place[k] : k];
        if (isnan(v)) continue;
        sum += v;
        count++;
    }
    return count ? sum / (double)count : (double)NAN;
}

/* mean (layer); every layer has the same number of units. */
static void synp_layer_means(const double *score, const size_t *place, size_t units, size_t layers,
                             double *mean)
{
    size_t layer, per = units / layers;
    for (layer = 0; layer < layers; layer++)
        mean[layer] = synp_layer_mean(score, place, layer * per, (layer + 1) * per);
}

/* (average rank - 1) / (layers - 1): 0 for the lowest layer, 1 for the highest, ties in between.
   Layers are few: ranks by counting need no scratch. */
static double synp_layer_percentile(const double *mean, size_t layers, size_t layer)
{
    size_t k, less = 0, same = 0, count = 0;
    for (k = 0; k < layers; k++) {
        if (isnan(mean[k])) continue;
        count++;
        if (mean[k] < mean[layer]) less++;
        else if (!(mean[k] > mean[layer])) same++;
    }
    if (isnan(mean[layer])) return (double)NAN;
    return count > 1 ? ((double)less + ((double)same - 1) / 2) / ((double)count - 1) : 0;
}

SYN_API void syn_rank_profile(const double *score, size_t units, size_t layers, double *mean,
                              double *minmax, double *percentile)
{
    double low = (double)INFINITY, high = -(double)INFINITY;
    size_t k;
    synp_layer_means(score, NULL, units, layers, mean);
    for (k = 0; k < layers; k++) {
        if (mean[k] < low) low = mean[k];
        if (mean[k] > high) high = mean[k];
    }
    for (k = 0; k < layers; k++) {
        if (minmax)
            minmax[k] = isnan(mean[k]) ? mean[k] : low < high ? (mean[k] - low) / (high - low) : 0;
        if (percentile) percentile[k] = synp_layer_percentile(mean, layers, k);
    }
}

/* The second coefficient of the parabola fitted to the layers that have a mean, over depth d =
   layer / (layers - 1). Gram and Schmidt on 1, d - m, (d - m)^2: with the third made orthogonal to
   the others, p = (d - m)^2 - (s3 / s2)(d - m) - s2 / n, the coefficient is sum p y / sum p^2. It
   measures the bend, whatever the level and the slope. */
static double synp_curvature(const double *mean, size_t layers)
{
    double n = 0, m = 0, s2 = 0, s3 = 0, top = 0, bottom = 0;
    size_t k;
    for (k = 0; k < layers; k++)
        if (!isnan(mean[k])) {
            n += 1;
            m += (double)k / ((double)layers - 1);
        }
    if (n < 3) return (double)NAN;
    m /= n;
    for (k = 0; k < layers; k++)
        if (!isnan(mean[k])) {
            double d = (double)k / ((double)layers - 1) - m;
            s2 += d * d;
            s3 += d * d * d;
        }
    for (k = 0; k < layers; k++)
        if (!isnan(mean[k])) {
            double d = (double)k / ((double)layers - 1) - m, p = d * d - s3 / s2 * d - s2 / n;
            top += p * mean[k];
            bottom += p * p;
        }
    return top / bottom;
}

/* The middle third are layers of depth 1/3 ... 2/3, both included. */
SYN_API syn_shape syn_rank_shape(const double *mean, size_t layers)
{
    syn_shape shape;
    double in = 0, out = 0, best = -(double)INFINITY;
    size_t k, ins = 0, outs = 0;
    shape.peak = shape.middle = shape.curvature = (double)NAN;
    if (layers < 3) return shape;
    for (k = 0; k < layers; k++) {
        bool middle = 3 * k >= layers - 1 && 3 * k <= 2 * (layers - 1);
        if (isnan(mean[k])) continue;
        if (mean[k] > best) {
            best = mean[k];
            shape.peak = (double)k / ((double)layers - 1);
        }
        *(middle ? &in : &out) += mean[k];
        ++*(middle ? &ins : &outs);
    }
    if (ins && outs) shape.middle = in / (double)ins - out / (double)outs;
    shape.curvature = synp_curvature(mean, layers);
    return shape;
}

/* ---- resampling: what the jobs share, and one workspace for each ------------------- */

/* Every resample k draws from stream k of the seed and writes row k of `value`: jobs take every
   jobs-th resample, and the outcome does not depend on how many there are. */
typedef struct synp_resample {
    const syn_pairs *pairs;
    const double *score; /* (unit), permutation only */
    syn_score which;
    size_t units, layers, resamples, prompts;
    uint64_t seed;
    int jobs;
    double *value; /* (resample, width) */
    size_t width;
    syn_rank *rank; /* (job, 2) */
    double *weight; /* (job, prompt) */
    double *mean;   /* (job, layer) */
    double *work;   /* (job, 4 unit) */
    size_t *order;  /* (job, unit or prompt) */
    size_t order_stride;
} synp_resample;

/* As many jobs as there are workspaces. */
static void synp_resample_each(const synp_resample *r, const syn_parallel *parallel,
                               syn_job_fn *job)
{
    void *arg = (void *)(uintptr_t)r;
    if (r->jobs > 1) parallel->run(parallel->user, r->jobs, job, arg);
    else job(arg, 0);
}

/* Counts and defaults; `otherwise` is the default number of resamples. */
static syn_status synp_resample_open(synp_resample *r, const syn_resample_desc *desc, size_t units,
                                     size_t otherwise, syn_error *err)
{
    memset(r, 0, sizeof *r);
    r->units = units;
    r->layers = desc->layers ? desc->layers : 1;
    r->resamples = desc->resamples ? desc->resamples : otherwise;
    r->seed = desc->seed;
    r->jobs = desc->parallel.run && desc->parallel.threads > 1 ? desc->parallel.threads : 1;
    if (!units || units % r->layers)
        return synp_fail(err, SYN_ERROR_ARGUMENT, "rank: %u layers do not divide %u units",
                         SYNP_U(r->layers), SYNP_U(units));
    if (desc->level < 0 || desc->level >= 1)
        return synp_fail(err, SYN_ERROR_ARGUMENT, "rank: level %g, expected 0 to 1", desc->level);
    return SYN_OK;
}

/* For what draws prompts: at least two (a measuring pass, whose pairs are empty, excepted). */
static syn_status synp_resample_prompts(synp_resample *r, const syn_pairs *pairs, syn_score score,
                                        const syn_arena *arena, syn_error *err)
{
    r->pairs = pairs;
    r->which = score;
    r->prompts = pairs->desc.prompts;
    if (score == SYN_SCORE_EXCESS || (unsigned)score >= SYN_SCORES)
        return synp_fail(err, SYN_ERROR_ARGUMENT, "rank: no resampling of the score '%s'",
                         syn_score_name(score));
    if (!synp_measuring(arena) && pairs->prompts < 2)
        return synp_fail(err, SYN_ERROR_ARGUMENT, "rank: %u prompts, resampling needs 2",
                         SYNP_U(pairs->prompts));
    return SYN_OK;
}

/* Rows of results, and for each job: two ranks (two halves), weights of prompts, work. */
static syn_status synp_resample_take(synp_resample *r, syn_arena *arena, syn_error *err)
{
    const uint64_t jobs = (uint64_t)r->jobs;
    size_t long_side = r->units > r->prompts ? r->units : r->prompts;
    uint64_t k;
    const synp_piece piece[] = {
        {&r->value, synp_count(r->resamples, r->width), sizeof(double), "rank: resamples"},
        {&r->rank, 2 * jobs, sizeof(syn_rank), "rank: workspaces"},
        {&r->weight, synp_count(jobs, r->prompts), sizeof(double), "rank: weights"},
        {&r->mean, synp_count(jobs, r->layers), sizeof(double), "rank: layers"},
        {&r->work, synp_count(4 * jobs, r->units), sizeof(double), "rank: work"},
        {&r->order, synp_count(jobs, long_side), sizeof(size_t), "rank: orders"}};
    syn_status status = synp_pieces(arena, piece, sizeof piece / sizeof piece[0], err);
    r->order_stride = long_side;
    for (k = 0; k < 2 * jobs && !status && r->pairs; k++) {
        syn_rank unused;
        status = syn_rank_open(r->rank ? &r->rank[k] : &unused, r->units, arena, err);
    }
    return status;
}

/* Scores from prompts with weights: the units' sums over pairs, divided by how many there are. A
   resample is a vector of weights (how often a prompt was drawn), so it costs O(prompts *
   units) and no pair is looked at again. */
static void synp_rank_weighted(syn_rank *rank, const syn_pairs *pairs, const double *weight)
{
    size_t unit, prompt, n = pairs->units;
    for (unit = 0; unit < n; unit++) {
        double s = 0, r = 0, count = 0;
        for (prompt = 0; prompt < pairs->prompts; prompt++) {
            size_t at = prompt * n + unit;
            s += weight[prompt] * pairs->unit_synergy[at];
            r += weight[prompt] * pairs->unit_redundancy[at];
            count += weight[prompt] * (double)pairs->unit_sound[at];
        }
        rank->synergy[unit] = count > 0 ? s / count : (double)NAN;
        rank->redundancy[unit] = count > 0 ? r / count : (double)NAN;
    }
    syn_rank_means(rank, rank->synergy, rank->redundancy);
}

/* ---- bootstrap over prompts -------------------------------------------------------- */

/* One row of results: (units, layers, peak, middle, curvature). */
static void synp_boot_one(const synp_resample *r, int job, const double *weight, double *value)
{
    syn_rank *rank = &r->rank[2 * job];
    const double *score;
    syn_shape shape;
    synp_rank_weighted(rank, r->pairs, weight);
    score = syn_rank_score(rank, r->which);
    memcpy(value, score, r->units * sizeof(double));
    synp_layer_means(score, NULL, r->units, r->layers, value + r->units);
    shape = syn_rank_shape(value + r->units, r->layers);
    value[r->width - 3] = shape.peak;
    value[r->width - 2] = shape.middle;
    value[r->width - 1] = shape.curvature;
}

/* Job: every jobs-th resample. */
static void synp_boot_job(void *arg, int job)
{
    const synp_resample *r = (const synp_resample *)arg;
    double *weight = r->weight + (size_t)job * r->prompts;
    size_t k, p, n = r->pairs->prompts;
    for (k = (size_t)job; k < r->resamples; k += (size_t)r->jobs) {
        synp_rng random = synp_rng_of(r->seed, k);
        for (p = 0; p < n; p++) weight[p] = 0;
        for (p = 0; p < n; p++) weight[synp_rng_below(&random, n)] += 1;
        synp_boot_one(r, job, weight, r->value + k * r->width);
    }
}

/* Quantiles of one column of r->value. */
static void synp_boot_column(const synp_resample *r, size_t column, double level, double *scratch,
                             size_t *order, double *low, double *high)
{
    size_t k, count;
    for (k = 0; k < r->resamples; k++) scratch[k] = r->value[k * r->width + column];
    count = synp_order_of(scratch, r->resamples, order);
    *low = synp_quantile(scratch, order, count, (1 - level) / 2);
    *high = synp_quantile(scratch, order, count, (1 + level) / 2);
}

/* Percentile intervals: the (1 - level) / 2 quantiles from both ends of each column. */
static void synp_boot_finish(const synp_resample *r, syn_bootstrap *boot, double level,
                             double *scratch, size_t *order)
{
    syn_interval *shape[3];
    double *weight = r->weight, *row = r->value;
    size_t k;
    for (k = 0; k < r->units; k++)
        synp_boot_column(r, k, level, scratch, order, &boot->low[k], &boot->high[k]);
    for (k = 0; k < r->layers; k++)
        synp_boot_column(r, r->units + k, level, scratch, order, &boot->layer_low[k],
                         &boot->layer_high[k]);
    shape[0] = &boot->peak;
    shape[1] = &boot->middle;
    shape[2] = &boot->curvature;
    for (k = 0; k < 3; k++)
        synp_boot_column(r, r->units + r->layers + k, level, scratch, order, &shape[k]->low,
                         &shape[k]->high);
    /* the value itself: every prompt once; into the first resample's row, which is not needed */
    for (k = 0; k < r->pairs->prompts; k++) weight[k] = 1;
    synp_boot_one(r, 0, weight, row);
    for (k = 0; k < 3; k++) shape[k]->value = row[r->units + r->layers + k];
}

SYN_API syn_status syn_rank_bootstrap(syn_bootstrap *boot, const syn_pairs *pairs, syn_score score,
                                      const syn_resample_desc *desc, syn_arena *arena,
                                      syn_error *err)
{
    synp_resample r;
    double *scratch = NULL;
    size_t *order = NULL;
    synp_succeed(err);
    syn_status status = synp_resample_open(&r, desc, pairs->units, 1000, err);
    memset(boot, 0, sizeof *boot);
    if (!status) status = synp_resample_prompts(&r, pairs, score, arena, err);
    if (status) return status;
    r.width = r.units + r.layers + 3;
    boot->units = r.units;
    boot->layers = r.layers;
    boot->resamples = r.resamples;
    {
        const synp_piece piece[] = {
            {&boot->low, r.units, sizeof(double), "bootstrap: units"},
            {&boot->high, r.units, sizeof(double), "bootstrap: units"},
            {&boot->layer_low, r.layers, sizeof(double), "bootstrap: layers"},
            {&boot->layer_high, r.layers, sizeof(double), "bootstrap: layers"},
            {&scratch, r.resamples, sizeof(double), "bootstrap: column"},
            {&order, r.resamples, sizeof(size_t), "bootstrap: order"}};
        status = synp_pieces(arena, piece, sizeof piece / sizeof piece[0], err);
    }
    if (!status) status = synp_resample_take(&r, arena, err);
    if (status || synp_measuring(arena)) return status;
    synp_resample_each(&r, &desc->parallel, synp_boot_job);
    synp_boot_finish(&r, boot, desc->level > 0 ? desc->level : 0.95, scratch, order);
    return SYN_OK;
}

/* ---- split halves ------------------------------------------------------------------ */

/* Job: random halves. With an odd number of prompts the second has one more. */
static void synp_half_job(void *arg, int job)
{
    const synp_resample *r = (const synp_resample *)arg;
    double *weight = r->weight + (size_t)job * r->prompts;
    double *work = r->work + 4 * (size_t)job * r->units;
    size_t *order = r->order + (size_t)job * r->order_stride, k, p, n = r->pairs->prompts;
    syn_rank *half = &r->rank[2 * job];
    for (k = (size_t)job; k < r->resamples; k += (size_t)r->jobs) {
        synp_rng random = synp_rng_of(r->seed, k);
        for (p = 0; p < n; p++) order[p] = p;
        synp_rng_shuffle(&random, order, n);
        for (p = 0; p < n; p++) weight[order[p]] = p < n / 2 ? 1 : 0;
        synp_rank_weighted(&half[0], r->pairs, weight);
        for (p = 0; p < n; p++) weight[p] = 1 - weight[p];
        synp_rank_weighted(&half[1], r->pairs, weight);
        r->value[k] = syn_rank_spearman(syn_rank_score(&half[0], r->which),
                                        syn_rank_score(&half[1], r->which), r->units, work, order);
    }
}

SYN_API syn_status syn_rank_reliability(const syn_pairs *pairs, syn_score score,
                                        const syn_resample_desc *desc, double *value,
                                        syn_arena *arena, syn_error *err)
{
    synp_resample r;
    double sum = 0;
    size_t k, count = 0;
    synp_succeed(err);
    syn_status status = synp_resample_open(&r, desc, pairs->units, 100, err);
    if (!status) status = synp_resample_prompts(&r, pairs, score, arena, err);
    if (status) return status;
    r.width = 1;
    status = synp_resample_take(&r, arena, err);
    *value = (double)NAN;
    if (status || synp_measuring(arena)) return status;
    synp_resample_each(&r, &desc->parallel, synp_half_job);
    for (k = 0; k < r.resamples; k++)
        if (!isnan(r.value[k])) {
            sum += r.value[k];
            count++;
        }
    if (count) *value = 2 * sum / ((double)count + sum); /* 2 r / (1 + r), r = sum / count */
    return SYN_OK;
}

/* ---- units shuffled over layers ---------------------------------------------------- */

/* Job: the same scores, dealt out to the units anew. */
static void synp_permute_job(void *arg, int job)
{
    const synp_resample *r = (const synp_resample *)arg;
    double *mean = r->mean + (size_t)job * r->layers;
    size_t *place = r->order + (size_t)job * r->order_stride, k, p;
    for (k = (size_t)job; k < r->resamples; k += (size_t)r->jobs) {
        synp_rng random = synp_rng_of(r->seed, k);
        syn_shape shape;
        for (p = 0; p < r->units; p++) place[p] = p;
        synp_rng_shuffle(&random, place, r->units);
        synp_layer_means(r->score, place, r->units, r->layers, mean);
        shape = syn_rank_shape(mean, r->layers);
        r->value[2 * k] = shape.middle;
        r->value[2 * k + 1] = shape.curvature;
    }
}

/* Two-sided, from the shuffles' own mean; the observed order counts as one of them, so p > 0. */
static double synp_permute_p(const synp_resample *r, size_t column, double observed)
{
    double mean = 0, far = 0;
    size_t k;
    for (k = 0; k < r->resamples; k++) mean += r->value[2 * k + column];
    mean /= (double)r->resamples;
    for (k = 0; k < r->resamples; k++)
        if (fabs(r->value[2 * k + column] - mean) >= fabs(observed - mean)) far += 1;
    return isnan(observed) || isnan(mean) ? (double)NAN : (1 + far) / ((double)r->resamples + 1);
}

SYN_API syn_status syn_rank_permutation(syn_permutation *test, const double *score, size_t units,
                                        const syn_resample_desc *desc, syn_arena *arena,
                                        syn_error *err)
{
    synp_resample r;
    syn_shape shape;
    synp_succeed(err);
    syn_status status = synp_resample_open(&r, desc, units, 1000, err);
    test->p_middle = test->p_curvature = (double)NAN;
    if (status) return status;
    r.score = score;
    r.width = 2;
    status = synp_resample_take(&r, arena, err);
    if (status || synp_measuring(arena)) return status;
    synp_resample_each(&r, &desc->parallel, synp_permute_job);
    synp_layer_means(score, NULL, units, r.layers, r.mean);
    shape = syn_rank_shape(r.mean, r.layers);
    test->p_middle = synp_permute_p(&r, 0, shape.middle);
    test->p_curvature = synp_permute_p(&r, 1, shape.curvature);
    return SYN_OK;
}

/* ---- rank, continued: surrogates -------------------------------------------------------- */

SYN_API const char *syn_surrogate_name(syn_surrogate kind)
{
    static const char *const name[] = {"shift", "phase", "shuffle", "iaaft"};
    return (unsigned)kind < SYN_SURROGATES ? name[kind] : "";
}

SYN_API void syn_surrogate_shift(const double *from, size_t n, size_t shift, double *to)
{
    size_t t;
    shift %= n;
    for (t = 0; t < n; t++) to[t] = from[t < shift ? t + n - shift : t - shift];
}

/* Adds harmonic k of from - mean, turned by `phase`, to `to`: F_k by its definition, from a table
   of cos and sin of 2 pi m / n. Harmonics and their conjugates are one real wave of twice the
   amplitude. */
static void synp_phase_harmonic(double *to, const double *from, size_t n, size_t k, double mean,
                                double phase, const double *table)
{
    double re = 0, im = 0, a, b, scale = 2 * k == n ? 1.0 / (double)n : 2.0 / (double)n;
    size_t t, m;
    for (t = 0, m = 0; t < n; t++, m = m + k < n ? m + k : m + k - n) {
        re += (from[t] - mean) * table[2 * m];
        im -= (from[t] - mean) * table[2 * m + 1];
    }
    a = scale * (re * cos(phase) - im * sin(phase));
    b = scale * (re * sin(phase) + im * cos(phase));
    for (t = 0, m = 0; t < n; t++, m = m + k < n ? m + k : m + k - n)
        to[t] += a * table[2 * m] - b * table[2 * m + 1];
}

/* cos and sin of 2 pi m / n into table (n, 2). */
static void synp_phase_table(double *table, size_t n)
{
    size_t m;
    for (m = 0; m < n; m++) {
        double angle = 6.283185307179586476925 * (double)m / (double)n;
        table[2 * m] = cos(angle);
        table[2 * m + 1] = sin(angle);
    }
}

/* The mean, then every harmonic turned and added; the one at half the sampling rate, which an
   even length has, is real and stays. */
static void synp_phase_turn(double *to, const double *from, size_t n, const double *phase,
                            const double *table)
{
    double mean = 0;
    size_t t, k;
    for (t = 0; t < n; t++) mean += from[t] / (double)n;
    for (t = 0; t < n; t++) to[t] = mean;
    for (k = 1; 2 * k < n; k++) synp_phase_harmonic(to, from, n, k, mean, phase[k - 1], table);
    if (n % 2 == 0) synp_phase_harmonic(to, from, n, n / 2, mean, 0, table);
}

SYN_API void syn_surrogate_phase(const double *from, size_t n, const double *phase, double *to,
                                 double *work)
{
    synp_phase_table(work, n);
    synp_phase_turn(to, from, n, phase, work);
}

/* One unit as contiguous doubles. */
static void synp_surrogate_read(double *to, const syn_series *from, size_t unit)
{
    size_t t;
    for (t = 0; t < from->samples; t++) to[t] = synp_pairs_at(from, unit, t);
}

/* One order for all units: the same stream, so the same exchanges, for every unit. */
static void synp_surrogate_shuffle(double *row, size_t n, synp_rng random)
{
    for (; n > 1; n--) {
        size_t k = synp_rng_below(&random, n);
        double held = row[n - 1];
        row[n - 1] = row[k];
        row[k] = held;
    }
}

/* A constant stays exactly constant, which a sum of waves would not. */
static bool synp_surrogate_fixed(const double *row, size_t n)
{
    size_t t;
    bool constant = true;
    for (t = 0; t < n; t++) {
        if (!isfinite(row[t])) return true;
        if (row[t] < row[0] || row[t] > row[0]) constant = false;
    }
    return constant;
}

/* work: the table (n, 2), the row as it was (n), phases (n / 2). */
static void synp_surrogate_turn(double *row, size_t n, synp_rng random, double *work)
{
    double *was = work + 2 * n, *phase = work + 3 * n;
    size_t k;
    if (synp_surrogate_fixed(row, n)) return;
    for (k = 0; 2 * (k + 1) < n; k++) /* 2 pi times a number in [0, 1) */
        phase[k] = 6.283185307179586476925 * synp_rng_unit(&random);
    memcpy(was, row, n * sizeof *row);
    synp_phase_turn(row, was, n, phase, work);
}

/* Adds harmonic k of row - mean with another amplitude to `wave`; returns the one it had. */
static double synp_iaaft_harmonic(double *wave, const double *row, size_t n, size_t k, double mean,
                                  double amplitude, const double *table)
{
    double re = 0, im = 0, size, scale = (2 * k == n ? 1.0 : 2.0) / (double)n;
    size_t t, m;
    for (t = 0, m = 0; t < n; t++, m = m + k < n ? m + k : m + k - n) {
        re += (row[t] - mean) * table[2 * m];
        im -= (row[t] - mean) * table[2 * m + 1];
    }
    size = sqrt(re * re + im * im);
    if (!wave || !(size > 0)) return size;
    re *= scale * amplitude / size;
    im *= scale * amplitude / size;
    for (t = 0, m = 0; t < n; t++, m = m + k < n ? m + k : m + k - n)
        wave[t] += re * table[2 * m] - im * table[2 * m + 1];
    return size;
}

/* row = the sorted values in the order of `wave`; whether anything moved. Equal waves keep their
   order, so that every value is used once. */
static bool synp_iaaft_rank(double *row, const double *sorted, const double *wave, size_t n,
                            double *copy)
{
    size_t t, k;
    bool moved = false;
    memcpy(copy, wave, n * sizeof *wave);
    synp_values_sort(copy, n);
    for (t = 0; t < n; t++) {
        size_t at = synp_values_below(copy, n, wave[t], false);
        if (synp_values_below(copy, n, wave[t], true) > at + 1)
            for (k = 0; k < t; k++) at += !(wave[k] < wave[t]) && !(wave[k] > wave[t]) ? 1 : 0;
        moved = moved || row[t] < sorted[at] || row[t] > sorted[at];
        row[t] = sorted[at];
    }
    return moved;
}

/* A random order, then in turn the spectrum of the original and its values, until no value moves.
   The values come last and are exact. work: table (n, 2), sorted, amplitudes, wave, copy. */
static void synp_surrogate_iaaft(double *row, size_t n, synp_rng random, double *work)
{
    double *sorted = work + 2 * n, *amplitude = work + 3 * n, *wave = work + 4 * n, mean = 0;
    size_t k, t, round;
    bool moved = true;
    if (synp_surrogate_fixed(row, n)) return;
    memcpy(sorted, row, n * sizeof *row);
    synp_values_sort(sorted, n);
    for (t = 0; t < n; t++) mean += row[t] / (double)n;
    for (k = 1; 2 * k <= n; k++) amplitude[k] = synp_iaaft_harmonic(NULL, row, n, k, mean, 0, work);
    synp_surrogate_shuffle(row, n, random);
    for (round = 0; moved && round < 200; round++) {
        memset(wave, 0, n * sizeof *wave);
        for (k = 1; 2 * k <= n; k++) synp_iaaft_harmonic(wave, row, n, k, mean, amplitude[k], work);
        moved = synp_iaaft_rank(row, sorted, wave, n, work + 5 * n);
    }
}

/* A hash of the samples' bits; -0 counts as 0. */
static uint64_t synp_surrogate_hash(const syn_series *from, size_t unit)
{
    synp_rng r;
    size_t t;
    r.state = from->samples;
    for (t = 0; t < from->samples; t++) {
        double v = synp_pairs_at(from, unit, t) + 0.0;
        uint64_t bits;
        memcpy(&bits, &v, sizeof bits);
        r.state = synp_rng_next(&r) ^ bits;
    }
    return synp_rng_next(&r);
}

SYN_API void syn_surrogate_keys(const syn_series *from, uint64_t *key)
{
    syn_series series = synp_series_packed(from);
    size_t unit, other;
    for (unit = 0; unit < series.units; unit++) key[unit] = synp_surrogate_hash(&series, unit);
    for (unit = series.units; unit-- > 0;) { /* from the last, whose predecessors are unchanged */
        uint64_t same = 0;
        for (other = 0; other < unit; other++) same += key[other] == key[unit] ? 1 : 0;
        if (same) key[unit] = synp_rng_of(key[unit], same).state;
    }
}

SYN_API void syn_surrogate_make(const syn_series *from, const syn_surrogate_desc *desc, double *to,
                                double *work)
{
    syn_series series = synp_series_packed(from);
    size_t unit, n = from->samples, least = n / 10 > 0 ? n / 10 : 1;
    uint64_t base = synp_rng_of(desc->seed, desc->surrogate).state;
    base = synp_rng_of(base, desc->prompt).state;
    if (desc->kind == SYN_SURROGATE_PHASE || desc->kind == SYN_SURROGATE_IAAFT)
        synp_phase_table(work, n);
    for (unit = 0; unit < series.units; unit++) {
        double *row = to + unit * n;
        synp_rng random = synp_rng_of(base, desc->key[unit]);
        synp_surrogate_read(row, &series, unit);
        if (desc->kind == SYN_SURROGATE_SHUFFLE) {
            synp_surrogate_shuffle(row, n, synp_rng_of(base, 0));
        } else if (desc->kind == SYN_SURROGATE_PHASE) {
            synp_surrogate_turn(row, n, random, work);
        } else if (desc->kind == SYN_SURROGATE_IAAFT) {
            synp_surrogate_iaaft(row, n, random, work);
        } else if (desc->kind == SYN_SURROGATE_SHIFT) {
            memcpy(work, row, n * sizeof *row);
            syn_surrogate_shift(work, n, least + synp_rng_below(&random, n - 2 * least + 1), row);
        } else {
            size_t t;
            for (t = 0; t < n; t++) row[t] = (double)NAN;
        }
    }
}

/* Sums and counts; what lasts one prompt is written anew by the next. */
SYN_API void syn_pairs_clear(syn_pairs *pairs)
{
    size_t n = pairs->units, prompts = pairs->desc.prompts, cells = (size_t)SYN_CONFOUNDS * n;
    memset(pairs->synergy, 0, pairs->pairs * sizeof *pairs->synergy);
    memset(pairs->redundancy, 0, pairs->pairs * sizeof *pairs->redundancy);
    memset(pairs->left_out, 0, pairs->pairs * sizeof *pairs->left_out);
    memset(pairs->unit_synergy, 0, prompts * n * sizeof *pairs->unit_synergy);
    memset(pairs->unit_redundancy, 0, prompts * n * sizeof *pairs->unit_redundancy);
    memset(pairs->unit_sound, 0, prompts * n * sizeof *pairs->unit_sound);
    memset(pairs->confound, 0, cells * sizeof *pairs->confound);
    memset(pairs->confound_count, 0, cells * sizeof *pairs->confound_count);
    memset(pairs->flagged, 0, sizeof pairs->flagged);
    if (pairs->desc.like) {
        memset(pairs->lost[0], 0, pairs->pairs * sizeof(double));
        memset(pairs->lost[1], 0, pairs->pairs * sizeof(double));
    }
    pairs->prompts = 0;
    pairs->careful = pairs->missing = 0;
}

/* ---- the excess --------------------------------------------------------------------------- */

/* A unit or a pair of observed and surrogate, over what both have. */
typedef struct synp_versus {
    double seen[2], made[2];
    size_t rows; /* 0: nothing in common */
    bool lost;   /* the observed side is not whole */
} synp_versus;

/* Observed means are taken once, from the pairs as they are now. */
SYN_API syn_status syn_excess_open(syn_excess *excess, const syn_pairs *observed, bool pairs,
                                   syn_arena *arena, syn_error *err)
{
    const size_t n = observed->units, each = sizeof(double), whole = sizeof(uint32_t);
    size_t unit;
    synp_succeed(err);
    memset(excess, 0, sizeof *excess);
    if (!observed->desc.cells)
        return synp_fail(err, SYN_ERROR_ARGUMENT, "excess: the observed pairs kept no cells");
    excess->observed = observed;
    excess->units = n;
    excess->pairs = pairs ? observed->pairs : 0;
    {
        const synp_piece piece[] = {
            {&excess->seen[0], n, each, "excess: observed"},
            {&excess->seen[1], n, each, "excess: observed"},
            {&excess->mean[0], n, each, "excess: means"},
            {&excess->mean[1], n, each, "excess: means"},
            {&excess->spread[0], n, each, "excess: spreads"},
            {&excess->spread[1], n, each, "excess: spreads"},
            {&excess->versus, n, sizeof(synp_versus), "excess: sums"},
            {&excess->count, n, whole, "excess: counts"},
            {&excess->above[0], n, whole, "excess: counts"},
            {&excess->above[1], n, whole, "excess: counts"},
            {&excess->pair_count, excess->pairs, whole, "excess: counts of pairs"},
            {&excess->pair_above[0], excess->pairs, whole, "excess: counts of pairs"},
            {&excess->pair_above[1], excess->pairs, whole, "excess: counts of pairs"}};
        syn_status status = synp_pieces(arena, piece, sizeof piece / sizeof piece[0], err);
        if (status || synp_measuring(arena)) return status;
    }
    for (unit = 0; unit < n; unit++)
        synp_rank_row(observed, unit, &excess->seen[0][unit], &excess->seen[1][unit]);
    return SYN_OK;
}

/* Is the surrogate at least as large? Sums from which something was taken are known to rounding
   only, which must not decide between equals. */
static bool synp_versus_above(const synp_versus *v, int which)
{
    double slack = v->lost ? 1e-12 * fabs(v->seen[which]) : 0;
    return v->made[which] >= v->seen[which] - slack;
}

/* Means over prompts of one pair. */
static void synp_versus_pair(synp_versus *v, const syn_pairs *made, size_t pair)
{
    const syn_pairs *seen = made->desc.like;
    size_t count = made->prompts - made->left_out[pair];
    v->rows = count;
    v->lost = made->left_out[pair] > seen->left_out[pair];
    if (!count) return;
    v->seen[0] = (seen->synergy[pair] - made->lost[0][pair]) / (double)count;
    v->seen[1] = (seen->redundancy[pair] - made->lost[1][pair]) / (double)count;
    v->made[0] = made->synergy[pair] / (double)count;
    v->made[1] = made->redundancy[pair] / (double)count;
}

/* A pair into the sums of one of its units, partner by partner, as synp_rank_row adds them. */
static void synp_versus_add(synp_versus *unit, const synp_versus *pair)
{
    int k;
    unit->lost = unit->lost || pair->lost;
    if (!pair->rows) return;
    unit->rows++;
    for (k = 0; k < 2; k++) {
        unit->seen[k] += pair->seen[k];
        unit->made[k] += pair->made[k];
    }
}

/* Running means and spreads (Welford 1962). */
static void synp_excess_value(syn_excess *excess, int which, size_t unit, const synp_versus *v)
{
    double seen = excess->seen[which][unit], off;
    double value = v->lost ? seen + (v->made[which] - v->seen[which]) : v->made[which];
    off = value - excess->mean[which][unit];
    excess->mean[which][unit] += off / (double)excess->count[unit];
    excess->spread[which][unit] += off * (value - excess->mean[which][unit]);
    if (synp_versus_above(v, which)) excess->above[which][unit]++;
}

SYN_API syn_status syn_excess_add(syn_excess *excess, const syn_pairs *surrogate, syn_error *err)
{
    size_t unit, other, pair = 0;
    synp_versus v;
    int k;
    synp_succeed(err);
    if (surrogate->desc.like != excess->observed || surrogate->prompts != excess->observed->prompts)
        return synp_fail(err, SYN_ERROR_ARGUMENT, "excess: not a whole surrogate of the observed");
    excess->surrogates++;
    memset(excess->versus, 0, excess->units * sizeof *excess->versus);
    for (unit = 0; unit < excess->units; unit++) {
        for (other = unit + 1; other < excess->units; other++, pair++) {
            synp_versus_pair(&v, surrogate, pair);
            synp_versus_add(&excess->versus[unit], &v);
            synp_versus_add(&excess->versus[other], &v);
            if (!v.rows || !excess->pairs) continue;
            excess->pair_count[pair]++;
            for (k = 0; k < 2; k++) excess->pair_above[k][pair] += synp_versus_above(&v, k) ? 1 : 0;
        }
    }
    for (unit = 0; unit < excess->units; unit++) {
        struct synp_versus *mean = &excess->versus[unit];
        if (!mean->rows) continue;
        excess->count[unit]++;
        for (k = 0; k < 2; k++) {
            mean->seen[k] /= (double)mean->rows;
            mean->made[k] /= (double)mean->rows;
            synp_excess_value(excess, k, unit, mean);
        }
    }
    return SYN_OK;
}

static double synp_excess_p(uint32_t above, uint32_t count)
{
    return count < SYN_EXCESS_LEAST ? (double)NAN : (1 + (double)above) / ((double)count + 1);
}

/* z needs two surrogates and a spread. */
SYN_API syn_excess_unit syn_excess_of(const syn_excess *excess, syn_measure which, size_t unit)
{
    syn_excess_unit u;
    u.surrogates = 0;
    u.observed = u.mean = u.sd = u.z = u.p = (double)NAN;
    if ((unsigned)which >= SYN_MEASURES || unit >= excess->units) return u;
    u.surrogates = excess->count[unit];
    u.observed = excess->seen[which][unit];
    if (!u.surrogates) return u;
    u.mean = excess->mean[which][unit];
    u.p = synp_excess_p(excess->above[which][unit], excess->count[unit]);
    if (u.surrogates < 2) return u;
    u.sd = sqrt(excess->spread[which][unit] / ((double)u.surrogates - 1));
    if (u.sd > 0) u.z = (u.observed - u.mean) / u.sd;
    return u;
}

SYN_API double syn_excess_pair_p(const syn_excess *excess, syn_measure which, size_t pair)
{
    if ((unsigned)which >= SYN_MEASURES || pair >= excess->pairs) return (double)NAN;
    return synp_excess_p(excess->pair_above[which][pair], excess->pair_count[pair]);
}

SYN_API void syn_excess_rank(const syn_excess *excess, syn_rank *rank)
{
    size_t unit;
    for (unit = 0; unit < rank->units; unit++)
        rank->excess[unit] =
            excess->count[unit] ? excess->seen[0][unit] - excess->mean[0][unit] : (double)NAN;
}

/* From the largest p down: q_(k) = min over j >= k of p_(j) m / j, so that q grows with p. */
SYN_API void syn_rank_fdr(const double *p, size_t n, double *q, size_t *order)
{
    size_t count = synp_order_of(p, n, order), k;
    double least = 1;
    for (k = count; k-- > 0;) {
        double value = p[order[k]] * (double)count / (double)(k + 1);
        if (value < least) least = value;
        q[order[k]] = least;
    }
    for (k = 0; k < n; k++)
        if (isnan(p[k])) q[k] = (double)NAN;
}

/* ------------------------------------------------------------------------------------
   >>graph
   ------------------------------------------------------------------------------------ */

/* The weight of an edge, 0 for none: every function below sees the matrix through this one.
   Halves are added, so that no sum overflows. A NaN fails the comparison. */
static double synp_graph_edge(const double *weight, size_t n, size_t i, size_t j)
{
    double w = weight[i * n + j] / 2 + weight[j * n + i] / 2;
    return i != j && w > 0 ? w : 0;
}

/* ---- shortest ways: Dijkstra from every node, one source a job ---------------------- */

/* An edge as its start sees it, and an open node as the heap sees it. */
typedef struct synp_hop {
    double length; /* of the edge; from the source */
    uint32_t node;
} synp_hop;

/* All sources of one network. The edges of a node are sorted by length: once the farthest node is
   known to be at most so far, only the first of them can still shorten anything, which on a dense
   graph is a small share (2000 nodes, all joined: 1 s instead of 12 s with rows of a matrix). */
typedef struct synp_paths {
    size_t n;
    const double *weight;
    bool binary;     /* every edge has the length 1 */
    synp_hop *hop;   /* (n, n - 1): of each node, the shortest first */
    uint32_t *hops;  /* (n): how many */
    double *d;       /* (job, n): distances; scratch for sorting */
    size_t *order;   /* (job, n): scratch for sorting */
    synp_hop *heap;  /* (job, n): open nodes that have been reached */
    uint32_t *place; /* (job, n): of a node in the heap, from 1; 0: not there */
    double *sum;     /* (source): sum of 1/d */
    double shortest; /* edge of all */
    int jobs;
} synp_paths;

/* The edges of one node, sorted. */
static void synp_paths_edges(const synp_paths *p, size_t node, double *length, size_t *order)
{
    synp_hop *hop = p->hop + node * (p->n - 1);
    size_t j, count;
    for (j = 0; j < p->n; j++) {
        double w = synp_graph_edge(p->weight, p->n, node, j);
        length[j] = w > 0 ? (p->binary ? 1 : 1 / w) : (double)NAN; /* no number: not sorted */
    }
    count = synp_order_of(length, p->n, order);
    for (j = 0; j < count; j++) {
        hop[j].length = length[order[j]];
        hop[j].node = (uint32_t)order[j];
    }
    p->hops[node] = (uint32_t)count;
}

/* Job: the edges of every jobs-th node. */
static void synp_paths_sort(void *arg, int job)
{
    const synp_paths *p = (const synp_paths *)arg;
    size_t node, n = p->n;
    for (node = (size_t)job; node < n; node += (size_t)p->jobs)
        synp_paths_edges(p, node, p->d + (size_t)job * n, p->order + (size_t)job * n);
}

/* A binary heap, the nearest node at its top; place tells where a node stands. */
typedef struct synp_heap {
    synp_hop *at;
    uint32_t *place, count;
} synp_heap;

/* Puts `hop` at place k from 0 or above it, where its parent is not farther. */
static void synp_heap_rise(synp_heap *h, uint32_t k, synp_hop hop)
{
    while (k > 0 && h->at[(k - 1) / 2].length > hop.length) {
        h->at[k] = h->at[(k - 1) / 2];
        h->place[h->at[k].node] = k + 1;
        k = (k - 1) / 2;
    }
    h->at[k] = hop;
    h->place[hop.node] = k + 1;
}

/* Takes the top off; the last one sinks from there to where no child is nearer. */
static synp_hop synp_heap_pop(synp_heap *h)
{
    synp_hop top = h->at[0], last = h->at[--h->count];
    uint32_t k = 0, child;
    h->place[top.node] = 0;
    if (!h->count) return top;
    while ((child = 2 * k + 1) < h->count) {
        if (child + 1 < h->count && h->at[child + 1].length < h->at[child].length) child++;
        if (!(h->at[child].length < last.length)) break;
        h->at[k] = h->at[child];
        h->place[h->at[k].node] = k + 1;
        k = child;
    }
    h->at[k] = last;
    h->place[last.node] = k + 1;
    return top;
}

/* The largest distance found so far; infinite while some node has not been reached. */
static double synp_paths_farthest(const double *d, size_t n)
{
    double far = 0;
    size_t j;
    for (j = 0; j < n; j++)
        if (d[j] > far) far = d[j];
    return far;
}

/* Distances from one source, d (n). Invariant: d of a node that has left the heap is final, d of an
   open one the shortest way over those. The nearest open node leaves next: any other way to it
   would have to leave them over one that is farther. An edge that leads to `far` or beyond shortens
   nothing, and once the nearest open node is so far that no edge is short enough, all is
   settled. */
static void synp_paths_source(const synp_paths *p, size_t source, double *d, synp_heap *heap)
{
    size_t j, steps = 0;
    double far = (double)INFINITY;
    synp_hop now;
    for (j = 0; j < p->n; j++) {
        d[j] = (double)INFINITY;
        heap->place[j] = 0;
    }
    d[source] = 0;
    heap->count = 0;
    now.length = 0;
    now.node = (uint32_t)source;
    for (;;) {
        const synp_hop *hop = p->hop + now.node * (p->n - 1);
        for (j = 0; j < p->hops[now.node]; j++) {
            synp_hop next = hop[j];
            next.length += now.length;
            if (next.length >= far) break;
            if (!(next.length < d[next.node])) continue;
            d[next.node] = next.length;
            synp_heap_rise(
                heap, heap->place[next.node] ? heap->place[next.node] - 1 : heap->count++, next);
        }
        if (!heap->count) return;
        now = synp_heap_pop(heap);
        if (steps++ % 16 == 0) far = synp_paths_farthest(d, p->n);
        if (now.length + p->shortest >= far) return;
    }
}

/* Job: every jobs-th source. */
static void synp_paths_job(void *arg, int job)
{
    const synp_paths *p = (const synp_paths *)arg;
    double *d = p->d + (size_t)job * p->n;
    size_t source, j;
    synp_heap heap;
    heap.at = p->heap + (size_t)job * p->n;
    heap.place = p->place + (size_t)job * p->n;
    for (source = (size_t)job; source < p->n; source += (size_t)p->jobs) {
        double sum = 0;
        synp_paths_source(p, source, d, &heap);
        for (j = 0; j < p->n; j++)
            if (j != source && d[j] < (double)INFINITY) sum += 1 / d[j];
        p->sum[source] = sum;
    }
}

/* The mean of 1/d over ordered pairs. Edges are those of `weight`; binary: each of length 1. */
static double synp_paths_efficiency(synp_paths *p, const double *weight, bool binary,
                                    const syn_parallel *parallel)
{
    size_t i, n = p->n;
    double total = 0;
    p->weight = weight;
    p->binary = binary;
    if (p->jobs > 1) parallel->run(parallel->user, p->jobs, synp_paths_sort, p);
    else synp_paths_sort(p, 0);
    p->shortest = (double)INFINITY;
    for (i = 0; i < n; i++)
        if (p->hops[i] && p->hop[i * (n - 1)].length < p->shortest)
            p->shortest = p->hop[i * (n - 1)].length;
    if (p->jobs > 1) parallel->run(parallel->user, p->jobs, synp_paths_job, p);
    else synp_paths_job(p, 0);
    for (i = 0; i < n; i++) total += p->sum[i];
    return total / ((double)n * ((double)n - 1));
}

/* ---- the strongest edges ----------------------------------------------------------- */

/* Moves the k-th largest of value (n), k from 0, to its place (Hoare's selection, the pivot the
   median of three; n is not from a file, and equal values split evenly). */
static double synp_select_largest(double *value, size_t n, size_t k)
{
    size_t low = 0, high = n - 1;
    while (low < high) {
        double a = value[low], b = value[low + (high - low) / 2], c = value[high], held;
        double pivot = a < b ? (b < c ? b : a < c ? c : a) : (a < c ? a : b < c ? c : b);
        size_t i = low, j = high;
        for (;;) {
            while (value[i] > pivot) i++;
            while (value[j] < pivot) j--;
            if (i >= j) break;
            held = value[i];
            value[i++] = value[j];
            value[j--] = held;
        }
        if (k <= j) high = j; /* [low, j] >= pivot >= [j + 1, high] */
        else low = j + 1;
    }
    return value[k];
}

/* The weights above the diagonal in row order; how many. */
static size_t synp_graph_edges(const double *weight, size_t n, double *value)
{
    size_t i, j, count = 0;
    for (i = 0; i < n; i++)
        for (j = i + 1; j < n; j++) {
            double w = synp_graph_edge(weight, n, i, j);
            if (w > 0) value[count++] = w;
        }
    return count;
}

/* The m-th largest weight is the bar: all above stay, and of those equal to it as many as are
   missing, in row order. value (n (n - 1) / 2) is scratch. */
static size_t synp_graph_keep(double *to, const double *weight, size_t n, double density,
                              double *value)
{
    size_t edges = synp_graph_edges(weight, n, value), i, j, keep, above = 0, equal;
    double least = 0, pairs = (double)n * ((double)n - 1) / 2;
    keep = (size_t)floor(density * pairs + 0.5);
    if (keep > edges) keep = edges;
    if (keep) least = synp_select_largest(value, edges, keep - 1);
    for (i = 0; i < edges; i++) above += value[i] > least;
    equal = keep - (keep ? above : 0);
    for (i = 0; i < n; i++) {
        for (j = i + 1; j < n; j++) {
            double w = synp_graph_edge(weight, n, i, j);
            bool stays = keep && (w > least || (w >= least && equal));
            if (stays && !(w > least)) equal--;
            to[i * n + j] = to[j * n + i] = stays ? w : 0;
        }
        to[i * n + i] = 0;
    }
    return keep;
}

SYN_API syn_status syn_graph_threshold(const double *weight, size_t nodes, double density,
                                       double *to, size_t *kept, syn_arena *arena, syn_error *err)
{
    double *value = NULL;
    const synp_piece piece = {&value, synp_count(nodes, nodes) / 2 + 1, sizeof(double),
                              "graph: edges"};
    synp_succeed(err);
    syn_status status = synp_pieces(arena, &piece, 1, err);
    if (!(density >= 0 && density <= 1))
        return synp_fail(err, SYN_ERROR_ARGUMENT, "graph: density %g, expected 0 to 1", density);
    if (status || synp_measuring(arena)) return status;
    *kept = synp_graph_keep(to, weight, nodes, density, value);
    return SYN_OK;
}

/* ---- modularity -------------------------------------------------------------------- */

/* Node strengths into k (n); returns 2m. */
static double synp_graph_strengths(const double *weight, size_t n, double *k)
{
    double total = 0;
    size_t i, j;
    for (i = 0; i < n; i++) {
        k[i] = 0;
        for (j = 0; j < n; j++) k[i] += synp_graph_edge(weight, n, i, j);
        total += k[i];
    }
    return total;
}

/* Q as it is defined, O(n^2), and not from Louvain's running sums: a partition's Q never
   depends on the way it was found. */
static double synp_graph_q(const double *weight, size_t n, const int32_t *part, double gamma,
                           const double *k, double total)
{
    double q = 0;
    size_t i, j;
    if (!(total > 0)) return 0;
    for (i = 0; i < n; i++) {
        double row = 0;
        for (j = 0; j < n; j++)
            if (part[i] == part[j])
                row += synp_graph_edge(weight, n, i, j) - gamma * (k[i] / total) * k[j];
        q += row / total;
    }
    return q;
}

SYN_API syn_status syn_graph_modularity(const double *weight, size_t nodes, const int32_t *part,
                                        double gamma, double *q, syn_arena *arena, syn_error *err)
{
    double *k = NULL, total;
    const synp_piece piece = {&k, nodes, sizeof(double), "graph: strengths"};
    synp_succeed(err);
    syn_status status = synp_pieces(arena, &piece, 1, err);
    *q = 0;
    if (status || synp_measuring(arena)) return status;
    total = synp_graph_strengths(weight, nodes, k);
    *q = synp_graph_q(weight, nodes, part, gamma > 0 ? gamma : 1, k, total);
    return SYN_OK;
}

/* The weight of a pair where it has that sign, as a number above 0; else 0. */
static double synp_signed_edge(const double *weight, size_t n, size_t i, size_t j, double sign)
{
    double w = sign * (weight[i * n + j] / 2 + weight[j * n + i] / 2);
    return i != j && w > 0 ? w : 0;
}

/* The sums over one sign of weights: v, and of what lies within parts above expectation. k (n). */
static double synp_graph_signed_sum(const double *weight, size_t n, const int32_t *part,
                                    double sign, double *k, double *v)
{
    double within = 0;
    size_t i, j;
    *v = 0;
    for (i = 0; i < n; i++) {
        k[i] = 0;
        for (j = 0; j < n; j++) {
            double w = synp_signed_edge(weight, n, i, j, sign);
            k[i] += w;
            if (part[i] == part[j]) within += w;
        }
        *v += k[i];
    }
    if (!(*v > 0)) return 0;
    for (i = 0; i < n; i++)
        for (j = 0; j < n; j++)
            if (part[i] == part[j]) within -= k[i] / *v * k[j];
    return within;
}

SYN_API syn_status syn_graph_modularity_signed(const double *weight, size_t nodes,
                                               const int32_t *part, double *q, syn_arena *arena,
                                               syn_error *err)
{
    double *k = NULL, plus, minus, v_plus, v_minus;
    const synp_piece piece = {&k, nodes, sizeof(double), "graph: strengths"};
    syn_status status;
    synp_succeed(err);
    status = synp_pieces(arena, &piece, 1, err);
    *q = 0;
    if (status || synp_measuring(arena)) return status;
    plus = synp_graph_signed_sum(weight, nodes, part, 1, k, &v_plus);
    minus = synp_graph_signed_sum(weight, nodes, part, -1, k, &v_minus);
    if (v_plus > 0) *q += plus / v_plus;
    if (v_minus > 0) *q -= minus / (v_plus + v_minus);
    return SYN_OK;
}

/* ---- figures of single nodes --------------------------------------------------------- */

SYN_API syn_status syn_graph_participation(const double *weight, size_t nodes, const int32_t *part,
                                           double *value, syn_arena *arena, syn_error *err)
{
    double *to_part = NULL; /* (node): of the one at hand, strength into the part of that node */
    size_t *first = NULL, i, j; /* (node): the first node of the same part stands for it */
    const synp_piece piece[] = {{&to_part, nodes, sizeof(double), "graph: strengths into parts"},
                                {&first, nodes, sizeof(size_t), "graph: parts"}};
    syn_status status;
    synp_succeed(err);
    status = synp_pieces(arena, piece, 2, err);
    if (status || synp_measuring(arena)) return status;
    for (i = 0; i < nodes; i++)
        for (first[i] = 0; part[first[i]] != part[i];) first[i]++;
    for (i = 0; i < nodes; i++) {
        double k = 0, squares = 0;
        for (j = 0; j < nodes; j++) to_part[j] = 0;
        for (j = 0; j < nodes; j++) {
            double w = synp_graph_edge(weight, nodes, i, j);
            to_part[first[j]] += w;
            k += w;
        }
        for (j = 0; k > 0 && j < nodes; j++) squares += to_part[j] / k * (to_part[j] / k);
        value[i] = k > 0 ? 1 - squares : 0;
    }
    return SYN_OK;
}

/* The networks of all neighbourhoods: edges are sorted once, for the whole, and each neighbourhood
   takes those between its own nodes in that order. */
typedef struct synp_local_nets {
    synp_paths whole; /* of cube roots of weights */
    synp_paths own;   /* of one neighbourhood, a block of each array a job */
    size_t *near;     /* (job, n): the nodes of a neighbourhood */
    uint32_t *number; /* (job, n): which of them a node is, from 1; 0: none */
    double *value;    /* (n): result */
} synp_local_nets;

/* p = the neighbourhood of `node`, of p->n nodes. */
static void synp_local_take(const synp_local_nets *l, synp_paths *p, size_t node, size_t *near,
                            uint32_t *number)
{
    const size_t n = l->whole.n;
    size_t i, j, k = 0;
    for (j = 0; j < n; j++) {
        bool neighbour = synp_graph_edge(l->whole.weight, n, node, j) > 0;
        number[j] = neighbour ? (uint32_t)k + 1 : 0;
        if (neighbour) near[k++] = j;
    }
    p->n = k;
    p->shortest = (double)INFINITY;
    for (i = 0; i < k; i++) {
        const synp_hop *from = l->whole.hop + near[i] * (n - 1);
        synp_hop *to = p->hop + i * (k - 1);
        uint32_t count = 0;
        for (j = 0; j < l->whole.hops[near[i]]; j++) {
            uint32_t place = number[from[j].node];
            if (!place) continue;
            to[count].length = from[j].length;
            to[count++].node = place - 1;
        }
        p->hops[i] = count;
        if (count && to->length < p->shortest) p->shortest = to->length;
    }
}

/* The mean over ordered pairs of neighbours. */
static double synp_local_mean(const synp_local_nets *l, synp_paths *p, size_t node,
                              const size_t *near)
{
    const double *root = l->whole.weight + node * l->whole.n;
    double sum = 0;
    size_t i, j, k = p->n;
    synp_heap heap;
    if (k < 2) return 0;
    heap.at = p->heap;
    heap.place = p->place;
    for (i = 0; i < k; i++) {
        synp_paths_source(p, i, p->d, &heap);
        for (j = 0; j < k; j++)
            if (j != i && p->d[j] < (double)INFINITY)
                sum += root[near[i]] * root[near[j]] / p->d[j];
    }
    return sum / ((double)k * ((double)k - 1));
}

/* Job: every jobs-th node. */
static void synp_local_job(void *arg, int job)
{
    const synp_local_nets *l = (const synp_local_nets *)arg;
    const size_t n = l->whole.n, at = (size_t)job * n;
    synp_paths p = l->own;
    size_t node;
    p.hop += at * n;
    p.hops += at;
    p.d += at;
    p.heap += at;
    p.place += at;
    for (node = (size_t)job; node < n; node += (size_t)l->own.jobs) {
        synp_local_take(l, &p, node, l->near + at, l->number + at);
        l->value[node] = synp_local_mean(l, &p, node, l->near + at);
    }
}

SYN_API syn_status syn_graph_local_efficiency(const double *weight, size_t nodes,
                                              const syn_parallel *parallel, double *value,
                                              syn_arena *arena, syn_error *err)
{
    synp_local_nets l;
    double *root = NULL;
    size_t i, j;
    const int jobs = parallel && parallel->run && parallel->threads > 1 ? parallel->threads : 1;
    const uint64_t n = nodes, all = synp_count(n, (uint64_t)jobs), square = synp_count(n, n);
    const size_t each = sizeof(double), hop = sizeof(synp_hop), whole = sizeof(uint32_t);
    const synp_piece piece[] = {{&root, square, each, "graph: roots"},
                                {&l.whole.hop, square, hop, "graph: edges"},
                                {&l.whole.hops, n, whole, "graph: counts of edges"},
                                {&l.whole.d, all, each, "graph: lengths"},
                                {&l.whole.order, all, sizeof(size_t), "graph: order"},
                                {&l.own.hop, synp_count(all, n), hop, "graph: neighbourhoods"},
                                {&l.own.hops, all, whole, "graph: counts of edges"},
                                {&l.own.d, all, each, "graph: distances"},
                                {&l.own.heap, all, hop, "graph: open nodes"},
                                {&l.own.place, all, whole, "graph: places"},
                                {&l.near, all, sizeof(size_t), "graph: neighbours"},
                                {&l.number, all, whole, "graph: numbers"}};
    syn_status status;
    synp_succeed(err);
    memset(&l, 0, sizeof l);
    if (n > UINT32_MAX) return synp_fail(err, SYN_ERROR_MEMORY, "graph: too many nodes");
    status = synp_pieces(arena, piece, sizeof piece / sizeof piece[0], err);
    if (status || synp_measuring(arena) || !nodes) return status;
    for (i = 0; i < nodes; i++)
        for (j = 0; j < nodes; j++)
            root[i * nodes + j] = cbrt(synp_graph_edge(weight, nodes, i, j));
    l.value = value;
    l.whole.weight = root;
    l.whole.n = nodes;
    l.whole.jobs = l.own.jobs = jobs;
    if (jobs > 1) parallel->run(parallel->user, jobs, synp_paths_sort, &l.whole);
    else synp_paths_sort(&l.whole, 0);
    if (jobs > 1) parallel->run(parallel->user, jobs, synp_local_job, &l);
    else synp_local_job(&l, 0);
    return SYN_OK;
}

/* ---- Louvain --------------------------------------------------------------------------
   A group is a set of nodes that moves as one: at first every node, then the communities of the
   level before. Moving group s into community c changes Q by (w(s,c) - gamma k_s K_c / 2m) / m
   up to a constant of s; each goes where that is largest, in random order, until nothing moves.

   w(s,c) by adding up a row costs O(groups) a look. On the first level, where that is the
   number of nodes and sweeps are many, it is kept instead: table (community, node), two rows
   of which change with a move. Its sums then are the weights between the groups of the second
   level. */

typedef struct synp_louvain {
    const double *weight; /* (n, n) cleaned: symmetric, no diagonal, nothing below 0 */
    const double *k;      /* (n) strengths */
    double total, gamma;  /* 2m */
    size_t n, groups, communities;
    double *table;      /* (n, n): see above; from the second level on (group, group) */
    int32_t *label;     /* (n): group of a node */
    int32_t *community; /* (n): of a group */
    size_t *turn;       /* (n): groups in the order of their turns */
    size_t *name;       /* (n): scratch for renumbering */
    double *strength;   /* (n): of a group */
    double *inside;     /* (n): of a community */
    double *toward;     /* (n): weight of the moving group to each community */
} synp_louvain;

/* Starts a level: every group a community of its own, strengths added up from nodes, a new
   order of turns. */
static void synp_louvain_level(synp_louvain *l, synp_rng *random)
{
    size_t i;
    for (i = 0; i < l->groups; i++) l->strength[i] = 0;
    for (i = 0; i < l->n; i++) l->strength[l->label[i]] += l->k[i];
    for (i = 0; i < l->groups; i++) {
        l->community[i] = (int32_t)i;
        l->inside[i] = l->strength[i];
        l->turn[i] = i;
    }
    l->communities = l->groups;
    synp_rng_shuffle(random, l->turn, l->groups);
}

/* The best community for group s; toward has `stride` elements from one community to the next.
   A gain that is only rounding does not count: such moves could go on for ever. */
static bool synp_louvain_choose(synp_louvain *l, size_t s, const double *toward, size_t stride)
{
    size_t was = (size_t)l->community[s], best = was, c;
    double pull = l->gamma * l->strength[s] / l->total, gain;
    l->inside[was] -= l->strength[s];
    gain = toward[was * stride] - pull * l->inside[was] + 1e-12 * l->strength[s];
    for (c = 0; c < l->communities; c++) {
        double g = toward[c * stride] - pull * l->inside[c];
        if (g > gain) {
            gain = g;
            best = c;
        }
    }
    l->inside[best] += l->strength[s];
    l->community[s] = (int32_t)best;
    return best != was;
}

/* One sweep with rows added up: matrix (group, n), of which `groups` columns count. */
static bool synp_louvain_sweep(synp_louvain *l, const double *matrix)
{
    size_t i, j;
    bool moved = false;
    for (i = 0; i < l->groups; i++) {
        size_t s = l->turn[i];
        const double *row = matrix + s * l->n;
        for (j = 0; j < l->communities; j++) l->toward[j] = 0;
        for (j = 0; j < s; j++) l->toward[l->community[j]] += row[j];
        for (j = s + 1; j < l->groups; j++) l->toward[l->community[j]] += row[j];
        if (synp_louvain_choose(l, s, l->toward, 1)) moved = true;
    }
    return moved;
}

/* One sweep of nodes with the table. */
static bool synp_louvain_sweep_table(synp_louvain *l)
{
    size_t i, j;
    bool moved = false;
    for (i = 0; i < l->n; i++) {
        size_t s = l->turn[i], was = (size_t)l->community[s];
        const double *row = l->weight + s * l->n;
        double *from, *to;
        if (!synp_louvain_choose(l, s, l->table + s, l->n)) continue;
        from = l->table + was * l->n;
        to = l->table + (size_t)l->community[s] * l->n;
        for (j = 0; j < l->n; j++) {
            from[j] -= row[j];
            to[j] += row[j];
        }
        moved = true;
    }
    return moved;
}

/* Numbers the communities that have members 0, 1, ... in the order of their first. */
static void synp_louvain_number(synp_louvain *l)
{
    size_t i, count = 0;
    for (i = 0; i < l->communities; i++) l->name[i] = SIZE_MAX;
    for (i = 0; i < l->groups; i++) {
        size_t c = (size_t)l->community[i];
        if (l->name[c] == SIZE_MAX) l->name[c] = count++;
        l->community[i] = (int32_t)l->name[c];
    }
    for (i = 0; i < count; i++) l->inside[i] = 0;
    for (i = 0; i < l->groups; i++) l->inside[l->community[i]] += l->strength[i];
    l->communities = count;
}

/* table (community, n) += rows of the groups of each community; `rows` may be the table itself,
   since a community's number is not above that of its first group. */
static void synp_louvain_gather(synp_louvain *l, const double *rows, size_t columns)
{
    size_t i, j, count = 0;
    for (i = 0; i < l->groups; i++) {
        size_t c = (size_t)l->community[i];
        double *to = l->table + c * l->n;
        const double *from = rows + i * l->n;
        if (c == count) {
            if (to != from) memcpy(to, from, columns * sizeof *to);
            count++;
        } else {
            for (j = 0; j < columns; j++) to[j] += from[j];
        }
    }
}

/* Adds up the columns of each community in the first `rows` rows of the table. */
static void synp_louvain_fold(synp_louvain *l, size_t rows)
{
    size_t i, j;
    for (i = 0; i < rows; i++) {
        double *row = l->table + i * l->n;
        for (j = 0; j < l->communities; j++) l->toward[j] = 0;
        for (j = 0; j < l->groups; j++) l->toward[l->community[j]] += row[j];
        memcpy(row, l->toward, l->communities * sizeof *row);
    }
}

/* The communities become the groups of the next level. */
static void synp_louvain_join(synp_louvain *l)
{
    size_t i;
    for (i = 0; i < l->n; i++) l->label[i] = l->community[l->label[i]];
    l->groups = l->communities;
}

/* One start: the first sweep adds up rows (every node is a community of its own, the table
   would be as large as the matrix), then the table; then levels until one joins nothing. */
static void synp_louvain_run(synp_louvain *l, synp_rng random)
{
    size_t i, before;
    l->groups = l->n;
    for (i = 0; i < l->n; i++) l->label[i] = (int32_t)i;
    synp_louvain_level(l, &random);
    synp_louvain_sweep(l, l->weight);
    synp_louvain_number(l);
    synp_louvain_gather(l, l->weight, l->n);
    while (synp_louvain_sweep_table(l)) continue;
    synp_louvain_number(l);
    synp_louvain_gather(l, l->weight, l->n);
    synp_louvain_fold(l, l->communities);
    synp_louvain_join(l);
    do {
        before = l->groups;
        synp_louvain_level(l, &random);
        while (synp_louvain_sweep(l, l->table)) continue;
        synp_louvain_number(l);
        synp_louvain_fold(l, l->groups);
        synp_louvain_gather(l, l->table, l->communities);
        synp_louvain_join(l);
    } while (l->groups < before);
}

/* All restarts, and the workspaces of the jobs that share them. */
typedef struct synp_communities {
    const double *weight, *k; /* cleaned weights, strengths */
    double total, gamma;
    size_t n, restarts;
    uint64_t seed;
    int jobs;
    bool whole;     /* Q is the sum of `weight` within parts, whatever its signs */
    double *table;  /* (job, n, n) */
    double *number; /* (job, 3, n) */
    size_t *index;  /* (job, 2, n) */
    int32_t *label; /* (job, 3, n): label, community, best so far */
    double *q;      /* (job): of the best */
    size_t *which;  /* (job): its restart */
} synp_communities;

/* What the search needs of a description, and its memory. */
static syn_status synp_communities_open(synp_communities *parts, const syn_graph_desc *desc,
                                        syn_arena *arena, syn_error *err)
{
    const uint64_t jobs =
        desc->parallel.run && desc->parallel.threads > 1 ? (uint64_t)desc->parallel.threads : 1;
    const size_t n = desc->nodes;
    parts->n = n;
    parts->restarts = desc->restarts ? desc->restarts : 50;
    parts->seed = desc->seed;
    parts->jobs = (int)jobs;
    {
        const synp_piece piece[] = {
            {&parts->number, synp_count(jobs * 3, n), sizeof(double), "graph: groups"},
            {&parts->table, synp_count(jobs, synp_count(n, n)), sizeof(double), "graph: groups"},
            {&parts->index, synp_count(jobs * 2, n), sizeof(size_t), "graph: groups"},
            {&parts->label, synp_count(jobs * 3, n), sizeof(int32_t), "graph: groups"},
            {&parts->q, jobs, sizeof(double), "graph: groups"},
            {&parts->which, jobs, sizeof(size_t), "graph: groups"}};
        return synp_pieces(arena, piece, sizeof piece / sizeof piece[0], err);
    }
}

static double synp_graph_within(const double *matrix, size_t n, const int32_t *part)
{
    double q = 0;
    size_t i, j;
    for (i = 0; i < n; i++)
        for (j = 0; j < n; j++)
            if (part[i] == part[j]) q += matrix[i * n + j];
    return q;
}

/* Job: every jobs-th restart; keeps the best, the first among equals. */
static void synp_communities_job(void *arg, int job)
{
    const synp_communities *c = (const synp_communities *)arg;
    size_t n = c->n, j = (size_t)job, restart;
    int32_t *best = c->label + (3 * j + 2) * n;
    synp_louvain l;
    l.weight = c->weight;
    l.k = c->k;
    l.total = c->total;
    l.gamma = c->gamma;
    l.n = n;
    l.table = c->table + j * n * n;
    l.label = c->label + 3 * j * n;
    l.community = c->label + (3 * j + 1) * n;
    l.turn = c->index + 2 * j * n;
    l.name = c->index + (2 * j + 1) * n;
    l.strength = c->number + 3 * j * n;
    l.inside = c->number + (3 * j + 1) * n;
    l.toward = c->number + (3 * j + 2) * n;
    c->which[j] = SIZE_MAX;
    for (restart = j; restart < c->restarts; restart += (size_t)c->jobs) {
        double q;
        synp_louvain_run(&l, synp_rng_of(c->seed, restart));
        q = c->whole ? synp_graph_within(c->weight, n, l.label)
                     : synp_graph_q(c->weight, n, l.label, c->gamma, c->k, c->total);
        if (c->which[j] != SIZE_MAX && q <= c->q[j]) continue;
        c->q[j] = q;
        c->which[j] = restart;
        memcpy(best, l.label, n * sizeof *best);
    }
}

/* The best of all jobs, the lowest restart among equals: the same for any number of jobs. */
static void synp_communities_find(synp_communities *c, syn_graph *graph,
                                  const syn_parallel *parallel)
{
    size_t j, best = 0, i;
    if (!(c->total > 0)) { /* no edges: every node is alone */
        for (i = 0; i < c->n; i++) graph->community[i] = (int32_t)i;
        graph->communities = c->n;
        return;
    }
    if (c->jobs > 1) parallel->run(parallel->user, c->jobs, synp_communities_job, c);
    else synp_communities_job(c, 0);
    for (j = 1; j < (size_t)c->jobs; j++) {
        if (c->which[j] == SIZE_MAX) continue;
        if (c->q[j] > c->q[best] || (c->q[j] >= c->q[best] && c->which[j] < c->which[best]))
            best = j;
    }
    graph->louvain_q = c->q[best];
    memcpy(graph->community, c->label + (3 * best + 2) * c->n, c->n * sizeof *graph->community);
    for (i = 0; i < c->n; i++)
        if ((size_t)graph->community[i] >= graph->communities)
            graph->communities = (size_t)graph->community[i] + 1;
}

/* ---- everything -------------------------------------------------------------------- */

/* The cleaned matrix, and what there is to count in it. */
static void synp_graph_weights(syn_graph *graph, const double *weight, double *clean)
{
    size_t i, j, n = graph->nodes;
    double sum = 0;
    for (i = 0; i < n; i++)
        for (j = 0; j < n; j++) {
            double w = synp_graph_edge(weight, n, i, j);
            clean[i * n + j] = w;
            if (j <= i || !(w > 0)) continue;
            graph->edges++;
            sum += w;
            if (w > graph->largest_weight) graph->largest_weight = w;
        }
    graph->mean_weight = sum / ((double)n * ((double)n - 1) / 2);
}

/* E is homogeneous, E(c W) = c E(W): the normalised forms are divisions. */
static void synp_graph_efficiencies(syn_graph *graph, const double *clean, double *top,
                                    double *value, synp_paths *paths, const syn_graph_desc *desc)
{
    double e = synp_paths_efficiency(paths, clean, false, &desc->parallel);
    graph->efficiency_weighted = e;
    graph->efficiency_weighted_normalised = graph->edges ? e / graph->largest_weight : 0;
    graph->efficiency_over_mean_weight = graph->edges ? e / graph->mean_weight : 0;
    graph->kept =
        synp_graph_keep(top, clean, graph->nodes, desc->density > 0 ? desc->density : 0.1, value);
    graph->efficiency_binary_top = synp_paths_efficiency(paths, top, true, &desc->parallel);
    graph->efficiency_weighted_top = synp_paths_efficiency(paths, top, false, &desc->parallel);
}

/* b (n, n) += what Q* sums within parts, of the weights of one sign, by their sum or that of both;
   k (n) scratch. Returns the sum. */
static double synp_signed_gain(double *b, const double *weight, size_t n, double sign, double more,
                               double *k)
{
    double v = 0, by;
    size_t i, j;
    for (i = 0; i < n; i++) {
        k[i] = 0;
        for (j = 0; j < n; j++) k[i] += synp_signed_edge(weight, n, i, j, sign);
        v += k[i];
    }
    by = v > 0 ? sign / (v + more) : 0;
    for (i = 0; i < n && v > 0; i++)
        for (j = 0; j < n; j++)
            b[i * n + j] += by * (synp_signed_edge(weight, n, i, j, sign) - k[i] / v * k[j]);
    return v;
}

SYN_API syn_status syn_graph_communities_signed(const double *weight, const syn_graph_desc *desc,
                                                int32_t *part, double *q, syn_arena *arena,
                                                syn_error *err)
{
    const size_t each = sizeof(double), n = desc->nodes, used = arena->used;
    double *b = NULL, *k = NULL, plus, minus, alone = 0;
    synp_communities parts;
    syn_graph found;
    size_t i, j;
    syn_status status;
    synp_succeed(err);
    memset(&parts, 0, sizeof parts);
    memset(&found, 0, sizeof found);
    *q = 0;
    if (n < 2 || n > 1u << 20)
        return synp_fail(err, SYN_ERROR_ARGUMENT, "graph: %u nodes", SYNP_U(n));
    {
        const synp_piece piece[] = {{&b, (uint64_t)n * n, each, "graph: signed weights"},
                                    {&k, n, each, "graph: strengths"}};
        status = synp_pieces(arena, piece, sizeof piece / sizeof piece[0], err);
    }
    if (!status) status = synp_communities_open(&parts, desc, arena, err);
    if (status) arena->used = used;
    if (status || synp_measuring(arena)) return status;
    plus = synp_signed_gain(b, weight, n, 1, 0, k);
    minus = synp_signed_gain(b, weight, n, -1, plus, k);
    for (i = 0; i < n; i++) { /* a node is with itself in every partition */
        alone += b[i * n + i];
        b[i * n + i] = 0;
    }
    for (i = 0; i < n; i++) /* moves that gain less than rounding are none (synp_louvain_choose) */
        for (j = 0, k[i] = 0; j < n; j++) k[i] += fabs(b[i * n + j]);
    parts.weight = b;
    parts.k = k;
    parts.total = plus + minus > 0 ? 1 : 0;
    parts.whole = true;
    found.community = part;
    synp_communities_find(&parts, &found, &desc->parallel);
    *q = found.louvain_q + alone;
    return SYN_OK;
}

SYN_API syn_status syn_graph_measure(syn_graph *graph, const double *weight,
                                     const syn_graph_desc *desc, syn_arena *arena, syn_error *err)
{
    const size_t each = sizeof(double);
    double *clean = NULL, *top = NULL, *value = NULL, *k = NULL;
    synp_paths paths;
    synp_communities parts;
    size_t n = desc->nodes, used = arena->used;
    syn_status status;
    synp_succeed(err);
    memset(graph, 0, sizeof *graph);
    memset(&paths, 0, sizeof paths);
    memset(&parts, 0, sizeof parts);
    if (n < 2 || n > 1u << 20 || !(desc->density >= 0 && desc->density <= 1) || !(desc->gamma >= 0))
        return synp_fail(err, SYN_ERROR_ARGUMENT, "graph: %u nodes, density %g, gamma %g",
                         SYNP_U(n), desc->density, desc->gamma);
    status = synp_communities_open(&parts, desc, arena, err);
    parts.gamma = desc->gamma > 0 ? desc->gamma : 1;
    graph->nodes = paths.n = n;
    paths.jobs = parts.jobs;
    if (!status) {
        const uint64_t jobs = (uint64_t)parts.jobs;
        const synp_piece piece[] = {
            {&graph->community, n, sizeof(int32_t), "graph: communities"},
            {&clean, (uint64_t)n * n, each, "graph: weights"},
            {&top, (uint64_t)n * n, each, "graph: strongest edges"},
            {&value, (uint64_t)n * n / 2 + 1, each, "graph: edges"},
            {&k, n, each, "graph: strengths"},
            {&paths.hop, (uint64_t)n * (n - 1), sizeof(synp_hop), "graph: edges"},
            {&paths.hops, n, sizeof(uint32_t), "graph: edges"},
            {&paths.d, jobs * n, each, "graph: distances"},
            {&paths.order, jobs * n, sizeof(size_t), "graph: distances"},
            {&paths.heap, jobs * n, sizeof(synp_hop), "graph: distances"},
            {&paths.place, jobs * n, sizeof(uint32_t), "graph: distances"},
            {&paths.sum, n, each, "graph: sums"}};
        status = synp_pieces(arena, piece, sizeof piece / sizeof piece[0], err);
    }
    if (status) arena->used = used;
    if (status || synp_measuring(arena)) return status;
    synp_graph_weights(graph, weight, clean);
    synp_graph_efficiencies(graph, clean, top, value, &paths, desc);
    parts.weight = clean;
    parts.k = k;
    parts.total = synp_graph_strengths(clean, n, k);
    synp_communities_find(&parts, graph, &desc->parallel);
    return SYN_OK;
}

/* ---- null networks ----------------------------------------------------------------- */

/* An edge by its ends. */
typedef struct synp_graph_link {
    uint32_t i, j;
} synp_graph_link;

/* a-b, c-d to a-d, c-b, the weights going with a and c; nothing where that would make a loop or a
   second edge. Degrees stay. */
static void synp_null_swap(double *to, size_t n, synp_graph_link *a, synp_graph_link *b,
                           bool turned)
{
    synp_graph_link p = *a, q = *b;
    double w, v;
    if (turned) { /* either end may be the first */
        q.i = b->j;
        q.j = b->i;
    }
    if (p.i == q.i || p.i == q.j || p.j == q.i || p.j == q.j) return;
    if (to[p.i * n + q.j] > 0 || to[q.i * n + p.j] > 0) return;
    w = to[p.i * n + p.j];
    v = to[q.i * n + q.j];
    to[p.i * n + p.j] = to[p.j * n + p.i] = to[q.i * n + q.j] = to[q.j * n + q.i] = 0;
    to[p.i * n + q.j] = to[q.j * n + p.i] = w;
    to[q.i * n + p.j] = to[p.j * n + q.i] = v;
    a->i = p.i;
    a->j = q.j;
    b->i = q.i;
    b->j = p.j;
}

SYN_API syn_status syn_graph_null(const double *weight, size_t nodes, syn_null kind, uint64_t seed,
                                  double *to, syn_arena *arena, syn_error *err)
{
    synp_graph_link *link = NULL;
    synp_rng random = synp_rng_of(seed, 0);
    size_t i, j, n = nodes, edges = 0, k;
    const synp_piece piece = {&link, synp_count(n, n) / 2 + 1, sizeof(synp_graph_link),
                              "graph: edges"};
    syn_status status;
    synp_succeed(err);
    if ((unsigned)kind > SYN_NULL_REWIRE)
        return synp_fail(err, SYN_ERROR_ARGUMENT, "graph: null network %d is not known",
                         SYNP_D(kind));
    status = synp_pieces(arena, &piece, 1, err);
    if (status || synp_measuring(arena)) return status;
    for (i = 0; i < n; i++)
        for (j = 0; j <= i; j++) {
            double w = synp_graph_edge(weight, n, i, j);
            to[i * n + j] = to[j * n + i] = w;
            if (!(w > 0)) continue;
            link[edges].i = (uint32_t)i;
            link[edges++].j = (uint32_t)j;
        }
    if (kind == SYN_NULL_REWIRE)
        for (k = 0; k < 10 * edges && edges > 1; k++)
            synp_null_swap(to, n, &link[synp_rng_below(&random, edges)],
                           &link[synp_rng_below(&random, edges)],
                           (synp_rng_next(&random) >> 63) != 0);
    else
        for (k = edges; k > 1; k--) {
            const synp_graph_link a = link[k - 1], b = link[synp_rng_below(&random, k)];
            double w = to[a.i * n + a.j], v = to[b.i * n + b.j];
            to[a.i * n + a.j] = to[a.j * n + a.i] = v;
            to[b.i * n + b.j] = to[b.j * n + b.i] = w;
        }
    return SYN_OK;
}

#endif /* SYNERGY_NO_PHIID */

#ifdef __cplusplus
} /* extern "C" */
#endif
#endif /* SYNERGY_IMPLEMENTATION */
