/* flat.c - PhiID of synergy.h as a shared library with plain arrays: no struct crosses the border,
   so that ctypes, R's .C and others need no layouts. `make -C tools lib` builds it;
   examples/python/synergy.py is a user.

   Functions return 0 or, with one line in `error` (of FLAT_ERROR_BYTES bytes), 1. */
#define SYNERGY_NO_MODEL
#define SYNERGY_THREADS
#define SYNERGY_STATIC
#define SYNERGY_IMPLEMENTATION
#include "synergy.h"

#include <stdlib.h>
#include <string.h>

#if defined(_WIN32)
#define FLAT_API __declspec(dllexport)
#else
#define FLAT_API __attribute__((visibility("default")))
#endif

enum {
    FLAT_ERROR_BYTES = sizeof((syn_error *)0)->text,
    FLAT_ATOMS = SYN_ATOMS,
    FLAT_MIS = SYN_MIS
};

/* What a caller compares before anything else: version and the sizes of its buffers. */
FLAT_API int synergy_flat_version(int *atoms, int *informations, int *error_bytes);
FLAT_API const char *synergy_flat_flags_text(unsigned flags);
FLAT_API int synergy_flat_phiid(const double *x, const double *y, size_t samples,
                                const int settings[4], double *atom, double *mi, double *bound,
                                double *local, unsigned *flags, char *error);
FLAT_API int synergy_flat_pairs(const double *series, const size_t *lengths, const size_t shape[3],
                                const int settings[4], int threads, double *synergy,
                                double *redundancy, double *atom, unsigned char *flag, char *error);

int synergy_flat_version(int *atoms, int *informations, int *error_bytes)
{
    *atoms = FLAT_ATOMS;
    *informations = FLAT_MIS;
    *error_bytes = FLAT_ERROR_BYTES;
    return SYNERGY_VERSION;
}

const char *synergy_flat_flags_text(unsigned flags)
{
    return syn_flags_text(flags);
}

static int fail(char *error, const char *text)
{
    const size_t n = strlen(text) < FLAT_ERROR_BYTES ? strlen(text) : FLAT_ERROR_BYTES - 1;
    memcpy(error, text, n);
    error[n] = '\0';
    return 1;
}

/* settings: tau, redundancy, estimator, transform, numbers as in the header. */
static int describe(syn_phiid_desc *desc, const int settings[4], char *error)
{
    memset(desc, 0, sizeof *desc);
    if (settings[0] < 1) return fail(error, "tau is below 1");
    if (settings[1] < 0 || settings[1] > SYN_CCS) return fail(error, "no such redundancy");
    if (settings[2] < 0 || settings[2] >= SYN_ESTIMATORS) return fail(error, "no such estimator");
    if (settings[3] < 0 || settings[3] >= SYN_TRANSFORMS) return fail(error, "no such transform");
    desc->tau = (size_t)settings[0];
    desc->redundancy = (syn_redundancy)settings[1];
    desc->estimator = (syn_estimator)settings[2];
    desc->transform = (syn_transform)settings[3];
    return 0;
}

/* x, y (samples); atom (FLAT_ATOMS); mi (FLAT_MIS), bound (FLAT_ATOMS) and local (FLAT_ATOMS,
   samples - tau) or NULL. */
int synergy_flat_phiid(const double *x, const double *y, size_t samples, const int settings[4],
                       double *atom, double *mi, double *bound, double *local, unsigned *flags,
                       char *error)
{
    syn_phiid_desc desc;
    if (describe(&desc, settings, error)) return 1;
    if (samples > (size_t)-1 / (3 * sizeof(double))) return fail(error, "too many samples");
    if (desc.estimator == SYN_COPULA || desc.transform != SYN_TRANSFORM_NONE) {
        desc.work = (double *)malloc(3 * (samples ? samples : 1) * sizeof(double));
        if (!desc.work) return fail(error, "no memory");
    }
    desc.mi = mi;
    desc.bound = bound;
    desc.local = local;
    *flags = syn_phiid_pair(x, y, samples, &desc, atom);
    free(desc.work);
    return 0;
}

typedef struct flat_atoms {
    double *atom;
    unsigned char *flag;
} flat_atoms; /* of the prompt that is added */

static bool take_atoms(void *user, size_t first, size_t pairs, const double *atom,
                       const uint8_t *flag)
{
    const flat_atoms *to = (const flat_atoms *)user;
    if (to->atom) memcpy(to->atom + first * SYN_ATOMS, atom, pairs * SYN_ATOMS * sizeof *atom);
    if (to->flag) memcpy(to->flag + first, flag, pairs);
    return true;
}

static int add_prompts(syn_pairs *pairs, const double *series, const size_t *lengths,
                       const size_t shape[3], flat_atoms *to, char *error)
{
    const size_t all = shape[2] * (shape[2] - 1) / 2;
    syn_error err;
    for (size_t p = 0; p < shape[0]; p++) {
        syn_series s;
        memset(&s, 0, sizeof s);
        s.data = series + p * shape[1] * shape[2];
        s.type = SYN_NUMBER_F64;
        s.units = shape[2];
        s.samples = lengths ? lengths[p] : shape[1];
        if (s.samples > shape[1]) return fail(error, "a length is above the number of samples");
        if (syn_pairs_add(pairs, &s, &err)) return fail(error, err.text);
        if (to->atom) to->atom += all * SYN_ATOMS;
        if (to->flag) to->flag += all;
    }
    return 0;
}

/* series (prompt, sample, unit) of shape; lengths (prompt) or NULL; synergy, redundancy (unit,
   unit): means over prompts; atom (prompt, pair, FLAT_ATOMS) and flag (prompt, pair), or NULL
   both. */
int synergy_flat_pairs(const double *series, const size_t *lengths, const size_t shape[3],
                       const int settings[4], int threads, double *synergy, double *redundancy,
                       double *atom, unsigned char *flag, char *error)
{
    syn_pairs_desc desc;
    syn_pairs pairs;
    syn_error err;
    syn_pool pool;
    flat_atoms to = {atom, flag};
    memset(&desc, 0, sizeof desc);
    if (describe(&desc.phiid, settings, error)) return 1;
    desc.prompts = shape[0];
    desc.samples = shape[1];
    desc.units = shape[2];
    if (atom || flag) {
        desc.atoms = take_atoms;
        desc.user = &to;
    }
    if (threads > 1) {
        if (syn_pool_start(&pool, threads, &err)) return fail(error, err.text);
        desc.parallel = syn_pool_parallel(&pool);
    }
    syn_arena arena = syn_arena_measure();
    int code = syn_pairs_open(&pairs, &desc, &arena, &err) ? fail(error, err.text) : 0;
    void *memory = NULL;
    if (!code && !(memory = malloc(arena.used))) code = fail(error, "no memory");
    if (!code) {
        arena = syn_arena_on(memory, arena.used);
        code = syn_pairs_open(&pairs, &desc, &arena, &err) ? fail(error, err.text) : 0;
    }
    if (!code) code = add_prompts(&pairs, series, lengths, shape, &to, error);
    if (!code) syn_pairs_matrices(&pairs, synergy, redundancy);
    free(memory);
    if (threads > 1) syn_pool_stop(&pool);
    return code;
}
