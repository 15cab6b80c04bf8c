/* fuzz.h - for targets that read files by name: inputs become files in a folder of memory. */
#ifndef SYNERGY_FUZZ_H
#define SYNERGY_FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/tool.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool good)
{
    if (!good) abort();
}

/* FOLDER/name; the folder is this process's own. */
static const char *scratch(const char *name)
{
    static char path[256];
    static char folder[64];
    if (!folder[0]) {
        snprintf(folder, sizeof folder, "%s/synergy-fuzz-%ld",
                 path_is_directory("/dev/shm") ? "/dev/shm" : "/tmp", (long)getpid());
        problem why;
        demand(directory_make(folder, &why));
    }
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static const char *scratch_file(const char *name, const void *bytes, size_t count)
{
    const char *path = scratch(name);
    FILE *f = fopen(path, "wb");
    demand(f && fwrite(bytes, 1, count, f) == count && !fclose(f));
    return path;
}

/* A failure says why, in one line. */
static void demand_reason(bool good, const problem *why)
{
    if (good) return;
    demand(why->text[0] && !strchr(why->text, '\n'));
}

#endif
