/* Any doubles as two series, any 16 doubles as a covariance, any bytes as a saved accumulator.
   Nothing may crash, and no number may be NaN or infinite without a flag.

   clang -g -O1 -fsanitize=fuzzer,address,undefined -I.. fuzz/fuzz_phiid.c -o fuzz_phiid -lm
   ./fuzz_phiid -max_total_time=60 -max_len=1024

   An input is: what to do (1 byte), tau (1 byte), then doubles or the saved bytes. With bit 5 of
   the first byte the doubles are small integers instead, which are degenerate more often. */
#define SYNERGY_IMPLEMENTATION
#define SYNERGY_NO_MODEL
#include "synergy.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 128 };

static void demand(bool good)
{
    if (!good) abort();
}

static bool all_finite(const double *v, size_t n)
{
    size_t i;
    for (i = 0; i < n; i++)
        if (!(v[i] - v[i] == 0)) return false;
    return true;
}

static size_t numbers(const uint8_t *data, size_t size, bool small, double *v)
{
    size_t n = 0, each = small ? 1 : 8;
    for (; n < MOST && size >= each; n++, data += each, size -= each) {
        if (small) v[n] = (double)(data[0] % 7) - 3;
        else memcpy(&v[n], data, 8);
    }
    return n;
}

static void try_series(const double *v, size_t count, int tau, syn_redundancy redundancy)
{
    double atom[SYN_ATOMS], mi[SYN_MIS], local[SYN_ATOMS * MOST];
    size_t n = count / 2, k;
    syn_flags flags;
    syn_phiid_desc desc;
    memset(&desc, 0, sizeof desc);
    desc.tau = (size_t)tau;
    desc.redundancy = redundancy;
    desc.mi = mi;
    desc.local = local;
    flags = syn_phiid_pair(v, v + n, n, &desc, atom);
    if (flags & SYN_FLAGS_NO_NUMBERS) {
        for (k = 0; k < SYN_ATOMS; k++) demand(atom[k] != atom[k]);
    } else if (!(flags & SYN_FLAG_INFINITE)) {
        double sum = 0, largest = 1;
        demand(all_finite(atom, SYN_ATOMS) && all_finite(mi, SYN_MIS));
        for (k = 0; k < SYN_ATOMS; k++) {
            sum += atom[k];
            if (fabs(atom[k]) > largest) largest = fabs(atom[k]);
        }
        demand(fabs(sum - mi[SYN_MI_XY_AB]) <= 1e-13 * largest);
        if (redundancy == SYN_MMI) demand(atom[SYN_RTR] >= 0 && atom[SYN_STS] >= -1e-3);
    }
}

static void try_stream(const double *v, size_t count, size_t tau)
{
    static unsigned char block[8192];
    double atom[SYN_ATOMS];
    syn_arena arena = syn_arena_on(block, sizeof block);
    syn_cov cov;
    size_t t;
    if (syn_cov_open(&cov, 2, tau, &arena, NULL) != SYN_OK) return;
    for (t = 0; t + 1 < count; t += 2) syn_cov_add(&cov, v + t);
    if (!syn_cov_pair(&cov, 0, 1, NULL, atom)) demand(all_finite(atom, SYN_ATOMS));
}

static void try_saved(const uint8_t *data, size_t size)
{
    static unsigned char block[65536], copy[4096];
    double atom[SYN_ATOMS];
    size_t channels, tau;
    syn_arena arena = syn_arena_on(block, sizeof block);
    syn_cov cov;
    if (size < 8 || size > sizeof copy) return;
    memcpy(copy, data, size);
    synp_little_put(copy + size - 8, synp_checksum(copy, size - 8), 8); /* past that check */
    if (syn_cov_shape(copy, size, &channels, &tau, NULL) != SYN_OK) return;
    if (syn_cov_open(&cov, channels, tau, &arena, NULL) != SYN_OK) return;
    if (syn_cov_load(&cov, copy, size, NULL) != SYN_OK) return;
    if (!syn_cov_pair(&cov, 0, channels - 1, NULL, atom)) demand(all_finite(atom, SYN_ATOMS));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    double v[MOST], atom[SYN_ATOMS];
    size_t count;
    if (size < 2) return 0;
    count = numbers(data + 2, size - 2, (data[0] & 32) != 0, v);
    switch (data[0] & 3) {
    case 0: try_series(v, count, (int8_t)data[1], data[0] & 4 ? SYN_CCS : SYN_MMI); break;
    case 1: try_stream(v, count, data[1]); break;
    case 2:
        if (count >= 16 && !syn_phiid_covariance(v, NULL, atom))
            demand(all_finite(atom, SYN_ATOMS));
        break;
    default: try_saved(data + 2, size - 2);
    }
    return 0;
}
