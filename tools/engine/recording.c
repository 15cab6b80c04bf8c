/* recording.c - series of units from .npy or text, one prompt at a time. */
#include "engine/recording_table.h"

#include <stdlib.h>
#include <string.h>

/* ---- .npy ----------------------------------------------------------------------------- */

static bool shape_of(recording *r, problem *why)
{
    const npy *a = &r->array;
    char shape[200];
    npy_shape_text(a, shape, sizeof shape);
    if (a->dims < 2 || a->dims > 4)
        return problem_set(why,
                           "%s: has shape %s, not [prompts, samples, layers, units], "
                           "[prompts, samples, units] or [samples, units]",
                           r->path, shape);
    if (a->count == 0) return problem_set(why, "%s: has shape %s: it is empty", r->path, shape);
    int t = a->dims == 2 ? 0 : 1;
    r->prompts = a->dims == 2 ? 1 : (size_t)a->shape[0];
    r->samples = (size_t)a->shape[t];
    r->layers = a->dims == 4 ? (size_t)a->shape[2] : 1;
    r->per_layer = (size_t)a->shape[a->dims - 1];
    r->units = r->layers * r->per_layer;
    r->span = r->samples;
    r->doubles = a->type == NPY_F64 || !npy_is_float(a);
    snprintf(r->type, sizeof r->type, "%s", npy_type_text(a->type));
    return true;
}

/* DIR/lengths.npy beside DIR/norms.npy: how many samples of each prompt are there. */
static bool read_lengths(recording *r, const char *path, problem *why)
{
    npy a;
    char shape[200];
    if (!npy_open(&a, path, why)) return false;
    npy_shape_text(&a, shape, sizeof shape);
    bool good = !npy_is_float(&a) && a.dims == 1 && a.count == r->prompts;
    if (!good)
        problem_set(why, "%s: is %s %s, not a whole number for each of the %zu prompts", path,
                    npy_type_text(a.type), shape, r->prompts);
    for (size_t p = 0; good && p < r->prompts; p++) {
        int64_t n = npy_int(&a, p);
        good = n >= 0 && (uint64_t)n <= r->samples;
        if (good) r->length[p] = (size_t)n;
        else
            problem_set(why, "%s: prompt %zu: length %lld, but there are %zu samples", path, p,
                        (long long)n, r->samples);
    }
    r->has_lengths = good;
    npy_close(&a);
    return good;
}

static bool path_beside(const recording *r, const char *name, char *path, problem *why)
{
    char folder[TOOL_PATH_BYTES];
    snprintf(folder, sizeof folder, "%s", r->path);
    char *slash = strrchr(folder, '/');
    if (slash) slash[slash == folder ? 1 : 0] = '\0';
    else snprintf(folder, sizeof folder, ".");
    return path_join(path, folder, name, why);
}

static bool lengths_beside(recording *r, problem *why)
{
    char path[TOOL_PATH_BYTES];
    if (!path_beside(r, "lengths.npy", path, why)) return false;
    return !path_exists(path) || read_lengths(r, path, why);
}

/* Is it what capture writes, with whatever else it wrote beside it? */
static bool is_of_capture(const recording *r)
{
    return r->is_npy && r->array.dims == 4 && !strcmp(path_base(r->path), "norms.npy");
}

bool recording_sinks(const recording *r, npy *a, bool *found, problem *why)
{
    char path[TOOL_PATH_BYTES], shape[200];
    *found = false;
    if (!is_of_capture(r) || !path_beside(r, "sinks.npy", path, why) || !path_exists(path))
        return true;
    if (!npy_open(a, path, why)) return false;
    *found = npy_is_float(a) && a->dims == 3 && a->shape[0] == r->prompts &&
             a->count == r->prompts * r->units;
    if (*found) return true;
    npy_shape_text(a, shape, sizeof shape);
    problem_set(why, "%s: is %s %s, not a number for each of %zu prompts and %zu units", path,
                npy_type_text(a->type), shape, r->prompts, r->units);
    npy_close(a);
    return false;
}

/* run.json beside the recording says which model it is of, and how many layers before the first
   have no such units. */
static bool run_beside(recording *r, problem *why)
{
    char path[TOOL_PATH_BYTES];
    if (!path_beside(r, "run.json", path, why)) return false;
    if (!json_read_if_there(&r->run, path, why))
        return !is_of_capture(r); /* another program's file of this name */
    const double first = json_number_of(r->run.root, "settings.first_layer", 0);
    if (is_of_capture(r) && first >= 0 && first <= 1e6) r->first_layer = (size_t)first;
    r->experts =
        is_of_capture(r) && choice_is_experts(json_text_of(r->run.root, "settings.units", ""));
    return true;
}

static bool open_npy(recording *r, const recording_choice *choice, problem *why)
{
    if (!npy_open(&r->array, r->path, why)) return false;
    r->is_npy = true;
    if (!shape_of(r, why)) return false;
    r->length = tool_alloc(r->prompts, sizeof *r->length);
    for (size_t p = 0; p < r->prompts; p++) r->length[p] = r->samples;
    return lengths_beside(r, why) && recording_choose_npy(r, choice, why);
}

/* ---- a lagged covariance -------------------------------------------------------------- */

/* Its head; the whole is checked when it is loaded. The number of samples is that of its pairs. */
static bool open_covariance(recording *r, problem *why)
{
    syn_error err;
    if (!file_map(&r->view, r->path, why)) return false;
    r->is_cov = true;
    if (syn_cov_shape(r->view.bytes, r->view.size, &r->units, &r->tau, &err) != SYN_OK)
        return problem_engine(why, r->path, &err);
    r->prompts = r->layers = 1;
    r->per_layer = r->units;
    r->doubles = true;
    for (int i = 0; i < 8; i++) r->samples |= (size_t)r->view.bytes[24 + i] << (8 * i);
    r->samples += r->tau;
    r->span = r->samples;
    r->length = tool_alloc(1, sizeof *r->length);
    r->length[0] = r->samples;
    snprintf(r->type, sizeof r->type, "covariance");
    return true;
}

bool recording_layers(recording *r, int64_t layers, problem *why)
{
    if (layers < 2 || (uint64_t)layers == r->layers) return true;
    if (r->layers != 1 || r->units % (size_t)layers)
        return problem_set(why, "%s: its %zu units in %zu layer%s do not make %lld layers", r->path,
                           r->units, r->layers, r->layers == 1 ? "" : "s", (long long)layers);
    r->layers = (size_t)layers;
    r->per_layer = r->units / r->layers;
    return true;
}

/* ---- all ----------------------------------------------------------------------------- */

static bool file_hash(const char *path, sha256 *s, problem *why)
{
    file_view view;
    if (!file_map(&view, path, why)) return false;
    if (view.size) sha256_add(s, view.bytes, view.size);
    file_unmap(&view);
    return true;
}

/* Lengths decide what is read, so they belong to the identity of a recording. */
static bool hash_of(recording *r, problem *why)
{
    sha256 s;
    sha256_begin(&s);
    if (!file_hash(r->path, &s, why)) return false;
    if (r->has_lengths)
        for (size_t p = 0; p < r->prompts; p++) {
            unsigned char b[8];
            for (int i = 0; i < 8; i++) b[i] = (unsigned char)((uint64_t)r->length[p] >> (8 * i));
            sha256_add(&s, b, sizeof b);
        }
    sha256_end(&s, r->hash);
    return true;
}

/* A recording of channels over time is longer than it is wide; norms of a model need not be. */
static void look_at_shape(recording *r)
{
    if (r->is_cov || (r->is_npy && r->array.dims == 4) || r->units <= r->samples) return;
    recording_note(
        r,
        "More units than samples: %zu units (columns) of %zu samples (rows). If it is the other "
        "way round, transpose it.",
        r->units, r->samples);
}

static bool open_by_content(recording *r, const recording_choice *choice, problem *why)
{
    char head[6] = "";
    FILE *f = fopen(r->path, "rb");
    const size_t got = f ? fread(head, 1, sizeof head, f) : 0, length = strlen(r->path);
    if (f) fclose(f);
    if (got == sizeof head && !memcmp(head, "SYNCOV", 6)) {
        if (!choice->columns && !choice->skip && !choice->missing_given)
            return open_covariance(r, why);
        return problem_set(
            why, "%s: is a covariance: --columns, --skip and --missing need the samples", r->path);
    }
    const bool array = (got && !memcmp(head, "\x93NUMPY", got)) || path_is_directory(r->path) ||
                       (length > 4 && !strcmp(r->path + length - 4, ".npy"));
    return array ? open_npy(r, choice, why) : recording_open_table(r, choice, why);
}

bool recording_open(recording *r, const char *path, problem *why)
{
    const recording_choice all = {NULL, NULL, MISSING_REFUSE, false};
    return recording_open_part(r, path, &all, why);
}

bool recording_open_part(recording *r, const char *path, const recording_choice *choice,
                         problem *why)
{
    memset(r, 0, sizeof *r);
    bool good = true;
    if (path_is_directory(path)) {
        good = path_join(r->path, path, "norms.npy", why);
        if (good && !path_exists(r->path))
            good = problem_set(why, "%s: holds no norms.npy (synergy capture writes it)", path);
    } else {
        good = strlen(path) < sizeof r->path || problem_set(why, "%.200s...: too long", path);
        if (good) snprintf(r->path, sizeof r->path, "%s", path);
    }
    good = good && open_by_content(r, choice, why) && run_beside(r, why);
    if (good) look_at_shape(r);
    if (good && r->units < 2)
        good = problem_set(why, "%s: holds one unit, and pairs need two", r->path);
    good = good && hash_of(r, why);
    if (!good) recording_close(r);
    return good;
}

void recording_close(recording *r)
{
    if (r->is_npy) npy_close(&r->array);
    if (r->is_cov) file_unmap(&r->view);
    if (r->name)
        for (size_t i = 0; i < r->units; i++) free(r->name[i]);
    free(r->name);
    free(r->table);
    free(r->at);
    free(r->length);
    for (size_t i = 0; i < r->notes.count; i++) free((void *)(uintptr_t)r->notes.at[i]);
    free(r->notes.at);
    json_free(&r->run);
    memset(r, 0, sizeof *r);
}

static bool can_stay_in_place(const recording *r)
{
    const uint16_t one = 1;
    unsigned char low_first;
    memcpy(&low_first, &one, 1);
    const npy *a = &r->array;
    bool native = (low_first == 1) != a->big_endian;
    bool order = !a->fortran || a->dims < 2;
    bool same = a->type == NPY_F32 || a->type == NPY_F64;
    return native && order && same && (uintptr_t)a->data % a->element_bytes == 0;
}

size_t recording_buffer_bytes(const recording *r)
{
    if (!r->is_npy || r->table || can_stay_in_place(r)) return 0;
    return r->samples * r->units * (r->doubles ? sizeof(double) : sizeof(float));
}

const void *recording_prompt(const recording *r, size_t prompt, void *buffer)
{
    uint64_t n = (uint64_t)r->samples * r->units;
    if (r->table) return r->table + prompt * n;
    if (!r->is_npy) return NULL;
    if (can_stay_in_place(r)) return r->array.data + prompt * n * r->array.element_bytes;
    if (r->doubles) npy_doubles(&r->array, prompt * n, n, buffer);
    else npy_floats(&r->array, prompt * n, n, buffer);
    return buffer;
}

bool recording_is_pair(const recording *r, size_t prompt, size_t k, size_t tau)
{
    const size_t *at = r->at ? r->at + prompt * r->samples : NULL;
    return k + tau < r->length[prompt] && (!at || at[k + tau] - at[k] == tau);
}

size_t recording_pairs(const recording *r, size_t prompt, size_t tau)
{
    size_t count = 0;
    if (!r->at) return r->length[prompt] > tau ? r->length[prompt] - tau : 0;
    for (size_t k = 0; k < r->length[prompt]; k++)
        count += recording_is_pair(r, prompt, k, tau) ? 1 : 0;
    return count;
}
