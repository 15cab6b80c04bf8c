/* PhiID of two series in ten lines: two coupled autoregressive series, all 16 atoms in nats.

   cc -std=c99 -I.. phiid_two_series.c -o phiid_two_series -lm
   Test: -> ^sts +0\.[0-9]+ */
#define SYNERGY_NO_MODEL
#define SYNERGY_IMPLEMENTATION
#include "synergy.h"

enum { N = 2000 };

/* Noise with mean 0 and variance 1, close to Gaussian: twelve uniform numbers added. */
static double noise(uint64_t *state)
{
    double sum = -6;
    int i;
    for (i = 0; i < 12; i++) {
        *state = *state * 6364136223846793005u + 1442695040888963407u;
        sum += (double)(*state >> 11) / 9007199254740992.0;
    }
    return sum;
}

int main(void)
{
    static double x[N], y[N];
    uint64_t state = 1;
    int t;
    for (t = 1; t < N; t++) { /* each series remembers itself a little and listens to the other */
        x[t] = 0.4 * x[t - 1] + 0.3 * y[t - 1] + noise(&state);
        y[t] = 0.4 * y[t - 1] + 0.3 * x[t - 1] + noise(&state);
    }
    {
        double atom[SYN_ATOMS];
        syn_flags flags = syn_phiid_pair(x, y, N, NULL, atom);
        int i;
        if (flags & SYN_FLAGS_NO_NUMBERS) {
            printf("no numbers: %s\n", syn_flags_text(flags));
            return 1;
        }
        for (i = 0; i < SYN_ATOMS; i++)
            printf("%-4s %9.6f nats\n", syn_atom_name((syn_atom)i), atom[i]);
        printf("synergy is %.1f times redundancy\n", atom[SYN_STS] / atom[SYN_RTR]);
    }
    return 0;
}
