/* nll_tool.c - what cli_perplexity.sh holds the program against; not a test by itself.

   nll_tool LOGITS.npy IDS.npy     mean of -log p(id at t + 1) under row t of stored logits (T, V),
                                   which are
                                   PyTorch's in float64; log-sum-exp in long double, over the whole
   vocabulary */
#include "npy.h"

int main(int argc, char **argv)
{
    npy logits, ids;
    long double total = 0;
    if (argc != 3) return puts("nll_tool: see its first lines"), 2;
    if (!npy_load(&logits, argv[1], NPY_F8) || !npy_load(&ids, argv[2], NPY_I4)) return 1;
    size_t n = ids.count, vocab = logits.shape[logits.dims - 1];
    if (n < 2 || logits.count < (n - 1) * vocab) return puts("more ids than logits"), 1;
    for (size_t t = 0; t + 1 < n; t++) {
        long double sum = 0;
        for (size_t v = 0; v < vocab; v++) sum += expl((long double)logits.f8[t * vocab + v]);
        total += logl(sum) - (long double)logits.f8[t * vocab + (size_t)ids.i4[t + 1]];
    }
    printf("%.12Lf\n", total / (long double)(n - 1));
    npy_free(&logits);
    npy_free(&ids);
    return 0;
}
