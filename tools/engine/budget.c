/* budget.c - memory that is free, and what fits into a share of it. */
#include "engine/budget.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FEW_ROWS = 64, MANY_ROWS = 256, MOST_SEQUENCES = 256 };

/* MemAvailable of /proc/meminfo; where there is none, all memory. */
static double free_bytes(void)
{
    char line[128];
    double kib = 0;
    FILE *f = fopen("/proc/meminfo", "r");
    while (f && kib <= 0 && fgets(line, sizeof line, f))
        if (sscanf(line, "MemAvailable: %lf kB", &kib) != 1) kib = 0;
    if (f) fclose(f);
    if (kib > 0) return kib * 1024;
#ifdef _SC_PHYS_PAGES
    return (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
#else
    return 4.0 * (1 << 30);
#endif
}

bool size_of(const char *flag, const char *words, double *bytes, problem *why)
{
    static const char units[] = "KMG";
    char *end;
    *bytes = strtod(words, &end);
    const char *unit = *end ? strchr(units, *end) : NULL;
    for (const char *u = units; unit && u <= unit; u++) *bytes *= 1024;
    if (unit) end++;
    if (end != words && !*end && *bytes >= 1 && *bytes < 1e18) return true;
    return problem_set(why, "--%s: '%.40s' is no size: a number, then K, M or G", flag, words);
}

bool budget_of(const char *words, double *bytes, problem *why)
{
    if (words) return size_of("memory", words, bytes, why);
    *bytes = free_bytes() / 4;
    return true;
}

/* A row for each sequence, and room for prompts: the more of them a pass takes, the sooner all
   texts are under way together, and the fewer passes there are in all. */
static void lay_out(syn_context_desc *desc, size_t sequences)
{
    size_t rows = 4 * sequences;
    if (rows > MANY_ROWS) rows = MANY_ROWS;
    if (rows < FEW_ROWS) rows = FEW_ROWS;
    if (rows < sequences + FEW_ROWS / 2) rows = sequences + FEW_ROWS / 2;
    desc->sequences = (uint32_t)sequences;
    desc->batch = (uint32_t)rows;
}

bool budget_sequences(const loaded_model *m, syn_context_desc *desc, size_t most, double each,
                      double bytes, problem *why)
{
    size_t low = 1, high = most < MOST_SEQUENCES ? most : MOST_SEQUENCES, context;
    while (low < high) { /* low fits, or is 1; above high nothing does */
        const size_t middle = high - (high - low) / 2;
        lay_out(desc, middle);
        if (!model_context_bytes(m, desc, &context, why)) return false;
        if ((double)context + (double)middle * each <= bytes) low = middle;
        else high = middle - 1;
    }
    lay_out(desc, low);
    return model_context_bytes(m, desc, &context, why);
}

void budget_note(const char *what, size_t sequences, double bytes)
{
    char memory[32];
    bytes_text(bytes, memory, sizeof memory);
    if (sequences > 1)
        tool_note("%zu %s side by side, %s of memory (--memory)", sequences, what, memory);
}
