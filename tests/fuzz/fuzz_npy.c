/* Any bytes as an array of numpy's: opened, read in every way, and taken as a recording.

   An input is: choices (1 byte), then the file. */
#include "fuzz.h"

#include "engine/recording.h"

static void read_array(const npy *a)
{
    double number[16], whole[64];
    float single[16];
    const uint64_t n = a->count < 64 ? a->count : 64;
    char shape[64];
    npy_shape_text(a, shape, sizeof shape);
    npy_doubles(a, 0, n, whole);
    for (uint64_t at = 0; at < a->count; at += 1 + a->count / 7) {
        const uint64_t some = a->count - at < 16 ? a->count - at : 16;
        npy_doubles(a, at, some, number);
        npy_floats(a, at, some, single);
        for (uint64_t i = 0; i < some; i++) /* in pieces as in one */
            if (at + i < n) demand(!memcmp(&number[i], &whole[at + i], sizeof *number));
        if (!npy_is_float(a)) (void)npy_int(a, at);
    }
}

static void take_recording(const char *path, unsigned choices)
{
    static const char *const some[4] = {NULL, "0-2", "1,3,0", "[0-9]"};
    recording_choice choice = {some[choices & 3], some[choices >> 2 & 3], (int)(choices >> 4) % 3,
                               (choices & 128) != 0};
    recording r;
    problem why = {""};
    const bool good = recording_open_part(&r, path, &choice, &why);
    demand_reason(good, &why);
    if (!good) return;
    demand(r.units >= 2 && r.layers * r.per_layer == r.units);
    void *buffer = tool_alloc(recording_buffer_bytes(&r) + 1, 1);
    for (size_t p = 0; !r.is_cov && p < r.prompts && p < 50; p++) {
        const void *series = recording_prompt(&r, p, buffer);
        const size_t bytes = r.length[p] * r.units * (r.doubles ? 8 : 4);
        unsigned char sum = 0;
        for (size_t i = 0; i < bytes; i++) sum ^= ((const unsigned char *)series)[i];
        (void)*(volatile unsigned char *)&sum;
        (void)recording_pairs(&r, p, 1);
    }
    free(buffer);
    recording_close(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size) return 0;
    const char *path = scratch_file("a.npy", data + 1, size - 1);
    npy a;
    problem why = {""};
    const bool good = npy_open(&a, path, &why);
    demand_reason(good, &why);
    if (good) {
        read_array(&a);
        npy_close(&a);
    }
    take_recording(path, data[0]);
    return 0;
}
