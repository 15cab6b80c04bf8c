/* bench_accuracy.c - the error of our PhiID beside that of the Python package phyid, case by case.

       cc -O2 -o bench_accuracy bench_accuracy.c -lm && ./bench_accuracy [../tests/data/phiid]

   Reads cases.tsv (see tests/reference/phiid_tables.py) and the series it names. The reference has
   60 digits, rounded to double. An error is the largest over the 16 atoms, in nats. A line ends in
   `!` where ours is above the largest of phyid's, 1e-15 and one ulp of the largest atom (where
   phyid gives no number: of the tolerance 1e-14, or 1e-13 + 100 eps sqrt(cond) for CCS; CCS is
   judged only where no local value is nearer to a change of sign). Exit code 1 if there is such a
   line. Times: one thread. */
#define SYNERGY_IMPLEMENTATION
#define SYNERGY_NO_MODEL
#include "../synergy.h"

#include "../tests/npy.h"

#include <float.h>
#include <math.h>
#include <time.h>

enum { FIELDS = 9 + 9 + 16 * 4 };

/* Cuts a line at its tabs; gives how many fields there are. */
static int split(char *line, char *field[FIELDS])
{
    int n = 0;
    line[strcspn(line, "\r\n")] = 0;
    while (line && n < FIELDS) {
        field[n++] = line;
        line = strchr(line, '\t');
        if (line) *line++ = 0;
    }
    return n;
}

typedef struct result {
    double error, largest, micros;
    syn_flags flags;
} result;

static result measure(const npy *series, int tau, syn_redundancy redundancy, char **expected)
{
    size_t n = series->shape[1];
    double atom[SYN_ATOMS];
    int k, runs = 0;
    clock_t start = clock();
    result r;
    syn_phiid_desc desc;
    memset(&desc, 0, sizeof desc);
    memset(&r, 0, sizeof r);
    desc.tau = (size_t)tau;
    desc.redundancy = redundancy;
    do {
        r.flags = syn_phiid_pair(series->f8, series->f8 + n, n, &desc, atom);
        runs++;
    } while (clock() - start < CLOCKS_PER_SEC / 100);
    r.micros = (double)(clock() - start) * 1e6 / CLOCKS_PER_SEC / runs;
    for (k = 0; k < SYN_ATOMS; k++) {
        double want = strtod(expected[k], NULL), off = fabs(atom[k] - want);
        if (!(off <= r.error)) r.error = off;
        if (fabs(want) > r.largest) r.largest = fabs(want);
    }
    return r;
}

/* What the package, or failing that the tolerance of the reference data, allows. */
static double allowance(const char *peer, double largest, double failing)
{
    double ulp = nextafter(largest, DBL_MAX) - largest, allowed = ulp > 1e-15 ? ulp : 1e-15;
    double theirs = strcmp(peer, "-") ? strtod(peer, NULL) : failing;
    return theirs > allowed ? theirs : allowed;
}

static int print_case(const char *folder, char **f)
{
    double cond = strtod(f[5], NULL), margin = strtod(f[6], NULL), ccs_tolerance, allowed[2];
    char path[1024];
    npy series;
    result mmi, ccs;
    int bad;
    snprintf(path, sizeof path, "%s/%s", folder, f[2]);
    if (!npy_load(&series, path, NPY_F8)) return 1;
    mmi = measure(&series, atoi(f[4]), SYN_MMI, f + 50);
    ccs = measure(&series, atoi(f[4]), SYN_CCS, f + 66);
    npy_free(&series);
    ccs_tolerance = 1e-13 + 100 * DBL_EPSILON * sqrt(cond);
    allowed[0] = allowance(f[7], mmi.largest, 1e-14);
    allowed[1] = allowance(f[8], ccs.largest, ccs_tolerance);
    bad = mmi.flags || ccs.flags || !(mmi.error <= allowed[0]) ||
          (margin > ccs_tolerance && !(ccs.error <= allowed[1]));
    printf("%-22s %-16s %8.1e | %8.1e %9s %8.1e %7.1f | %8.1e %9s %8.1e %7.1f%s\n", f[0], f[1],
           cond, mmi.error, f[7], allowed[0], mmi.micros, ccs.error, f[8], allowed[1], ccs.micros,
           bad ? " !" : "");
    return bad;
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : "../tests/data/phiid";
    char path[1024], line[8192], *field[FIELDS];
    int bad = 0;
    FILE *table;
    snprintf(path, sizeof path, "%s/cases.tsv", folder);
    table = fopen(path, "r");
    if (!table) {
        fprintf(stderr, "cannot open %s\n", path);
        return 1;
    }
    printf("%-22s %-16s %8s | %8s %9s %8s %7s | %8s %9s %8s %7s\n", "case", "group", "cond", "MMI",
           "phyid", "allowed", "us", "CCS", "phyid", "allowed", "us");
    while (fgets(line, sizeof line, table))
        if (split(line, field) == FIELDS) bad |= print_case(folder, field);
    fclose(table);
    return bad;
}
