/* phiid_local.c - local (pointwise) atoms of chosen pairs: local.npy, float64 [pairs, prompts, 16,
   samples - tau]. The mean over samples is the atom; NaN where a prompt has no such sample or the
   pair no value. */
#include "phiid/phiid.h"

#include "engine/unit_list.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct unit_pair {
    size_t x, y;
} unit_pair;

/* The longest name of a column that stands there, with one of `stop` or the end behind it. */
static bool read_name(const recording *r, const char **at, const char *stop, size_t *unit)
{
    size_t longest = 0;
    for (size_t i = 0; r->name && i < r->units; i++) {
        const size_t n = strlen(r->name[i]);
        if (n <= longest || strncmp(*at, r->name[i], n) || !strchr(stop, (*at)[n])) continue;
        longest = n;
        *unit = i;
    }
    *at += longest;
    return longest > 0;
}

/* A unit as L12H3 or 12.3, or by its number among all. */
static bool find_unit(const recording *r, const char *name, size_t *unit)
{
    size_t layer, index;
    char *end;
    if (unit_name_read(name, &layer, &index)) {
        if (layer < r->first_layer || layer - r->first_layer >= r->layers || index >= r->per_layer)
            return false;
        *unit = (layer - r->first_layer) * r->per_layer + index;
        return true;
    }
    *unit = (size_t)strtoull(name, &end, 10);
    return *name >= '0' && *name <= '9' && !*end && *unit < r->units;
}

/* The unit named between *at and the next sign of `stop`, or whose own name stands there. */
static bool read_unit(const recording *r, const char **at, const char *stop, size_t *unit)
{
    if (read_name(r, at, stop, unit)) return true;
    const size_t n = strcspn(*at, stop);
    char *name = tool_alloc(n + 1, 1);
    memcpy(name, *at, n);
    *at += n;
    const bool good = find_unit(r, name, unit);
    free(name);
    return good;
}

static unit_pair *read_pairs(const phiid_work *w, size_t *count, problem *why)
{
    const char *at = w->options->local;
    unit_pair *list = NULL;
    *count = 0;
    for (;;) {
        unit_pair p;
        const char *from = at;
        bool good = read_unit(&w->from, &at, ":", &p.x) && *at++ == ':' &&
                    read_unit(&w->from, &at, ",", &p.y) && p.x != p.y;
        if (!good) {
            problem_set(why, "--local: '%.60s' is not two units A:B of the %zu", from,
                        w->from.units);
            free(list);
            return NULL;
        }
        list = tool_realloc(list, *count + 1, sizeof *list);
        list[(*count)++] = p;
        if (!*at++) return list;
    }
}

/* One pair of one prompt: (SYN_ATOMS, width), each value where its past lies in the file, NaN where
   there is none. */
static void local_of(const phiid_work *w, const syn_series *s, size_t prompt, unit_pair p,
                     double *local, double *out, size_t width)
{
    double atom[SYN_ATOMS];
    syn_phiid_desc desc;
    const size_t lag = s->lag ? s->lag : w->tau;
    size_t n = s->samples - lag, stride = s->time_stride ? s->time_stride : s->units;
    size_t step = s->time_stride ? s->unit_stride : 1;
    memset(&desc, 0, sizeof desc);
    desc.tau = lag;
    desc.redundancy = (syn_redundancy)w->options->redundancy;
    desc.estimator = (syn_estimator)w->options->estimator;
    desc.work = tool_alloc(3 * s->samples, sizeof(double));
    desc.stride = stride;
    desc.local = local;
    syn_flags flags;
    if (s->type == SYN_NUMBER_F64) {
        const double *v = s->data;
        flags = syn_phiid_pair(v + p.x * step, v + p.y * step, s->samples, &desc, atom);
    } else {
        const float *v = s->data;
        flags = syn_phiid_pair_float(v + p.x * step, v + p.y * step, s->samples, &desc, atom);
    }
    free(desc.work);
    if (flags & SYN_FLAGS_NO_NUMBERS) return;
    const size_t *at = w->from.at ? w->from.at + prompt * w->from.samples : NULL;
    for (size_t k = 0, t = 0; t < n; k++) {
        if (!recording_is_pair(&w->from, prompt, k, w->tau)) continue;
        for (size_t a = 0; a < SYN_ATOMS; a++) out[a * width + (at ? at[k] : k)] = local[a * n + t];
        t++;
    }
}

static bool write_pair(const phiid_work *w, unit_pair p, npy_out *file, problem *why)
{
    size_t width = w->from.span - w->tau, cells = SYN_ATOMS * width;
    void *buffer = tool_alloc(recording_buffer_bytes(&w->from), 1);
    double *made = tool_alloc(phiid_series_bytes(w), 1);
    double *local = tool_alloc(cells, sizeof *local), *out = tool_alloc(cells, sizeof *out);
    bool good = true;
    for (size_t k = 0; good && k < w->from.prompts; k++) {
        for (size_t c = 0; c < cells; c++) out[c] = (double)NAN;
        if (phiid_is_long_enough(w, k)) {
            syn_series s = phiid_series(w, k, buffer, made);
            local_of(w, &s, k, p, local, out, width);
        }
        good = npy_add(file, out, cells, why);
    }
    free(buffer);
    free(made);
    free(local);
    free(out);
    return good;
}

bool phiid_local(const phiid_work *w, problem *why)
{
    char path[TOOL_PATH_BYTES];
    npy_out file;
    size_t count;
    if (!w->options->local) return true;
    unit_pair *list = read_pairs(w, &count, why);
    if (!list) return false;
    uint64_t shape[4] = {count, w->from.prompts, SYN_ATOMS, w->from.span - w->tau};
    bool good = path_join(path, w->output, "local.npy", why) &&
                npy_begin(&file, path, NPY_F64, 4, shape, why);
    bool begun = good;
    for (size_t k = 0; good && k < count; k++) good = write_pair(w, list[k], &file, why);
    good = good && npy_end(&file, why);
    if (begun && !good) npy_abandon(&file);
    free(list);
    return good;
}
