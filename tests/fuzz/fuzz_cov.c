/* Any bytes as a saved accumulator, with their own checksum or a right one: what is refused leaves
   the accumulator as it was; what is taken is saved as the same bytes, merges with itself, and
   gives no number that is not finite without a flag.

   An input is: choices (1 byte), then the bytes. */
#define SYNERGY_IMPLEMENTATION
#define SYNERGY_NO_MODEL
#include "../../synergy.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool good)
{
    if (!good) abort();
}

static void all_pairs(const syn_cov *cov)
{
    double atom[SYN_ATOMS];
    size_t i, j;
    int k;
    for (i = 0; i < cov->channels; i++) {
        for (j = 0; j < cov->channels; j++) {
            if (syn_cov_pair(cov, i, j, NULL, atom)) continue;
            for (k = 0; k < SYN_ATOMS; k++) demand(atom[k] - atom[k] == 0);
        }
    }
}

static void use(syn_cov *cov, const unsigned char *bytes, size_t size, unsigned choices)
{
    unsigned char *again = (unsigned char *)malloc(size);
    double *sample = (double *)calloc(cov->channels, sizeof *sample);
    const uint64_t pairs = cov->pairs;
    demand(syn_cov_bytes(cov) == size && !syn_cov_save(cov, again, size, NULL));
    demand(!memcmp(again, bytes, size));
    all_pairs(cov);
    if (choices & 2) demand(!syn_cov_merge(cov, cov, NULL) && cov->pairs == 2 * pairs);
    if (choices & 4) {
        size_t t;
        for (t = 0; t < 9 && cov->waiting <= cov->tau; t++) {
            sample[t % cov->channels] += (double)t;
            syn_cov_add(cov, sample);
        }
    }
    if (choices & 8) syn_cov_break(cov);
    all_pairs(cov);
    free(again);
    free(sample);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char *copy;
    size_t channels, tau;
    syn_error err;
    if (size < 9 || size > 65536) return 0;
    copy = (unsigned char *)malloc(--size);
    memcpy(copy, data + 1, size);
    if (data[0] & 1) synp_little_put(copy + size - 8, synp_checksum(copy, size - 8), 8);
    if (syn_cov_shape(copy, size, &channels, &tau, &err) == SYN_OK) {
        syn_arena arena = syn_arena_measure();
        syn_cov cov;
        void *block;
        demand(syn_cov_open(&cov, channels, tau, &arena, &err) == SYN_OK);
        if (arena.used > 1u << 24) { /* the samples that wait need not be there yet */
            free(copy);
            return 0;
        }
        block = malloc(arena.used);
        arena = syn_arena_on(block, arena.used);
        demand(syn_cov_open(&cov, channels, tau, &arena, &err) == SYN_OK);
        if (syn_cov_load(&cov, copy, size, &err) == SYN_OK) use(&cov, copy, size, data[0]);
        else demand(err.text[0] && !cov.pairs && !cov.waiting);
        free(block);
    }
    free(copy);
    return 0;
}
