/* Any bytes as a table: our own form of CSV, and a recording of columns in any of its forms. What
   was read, written again, must be read as the same.

   An input is: choices (1 byte), then the file. */
#include "fuzz.h"

#include "engine/recording.h"

static void write_and_read(const csv *c)
{
    text t = {NULL, 0, 0};
    for (size_t i = 0; i < c->columns; i++) csv_text(&t, c->head[i]);
    csv_end_row(&t);
    for (size_t row = 0; row < c->rows; row++) {
        for (size_t i = 0; i < c->columns; i++) csv_text(&t, csv_cell(c, row, (int)i));
        csv_end_row(&t);
    }
    csv again;
    problem why = {""};
    const csv_form form = {0, 1, ','};
    char *bytes = tool_alloc(t.length + 1, 1);
    memcpy(bytes, t.at, t.length);
    const bool good = csv_parse(&again, bytes, t.length, &form, "again", &why);
    demand_reason(good, &why);
    /* a lone empty cell is a line that says nothing */
    if (good && c->columns > 1) {
        demand(again.columns == c->columns && again.rows == c->rows);
        for (size_t row = 0; row < c->rows; row++)
            for (size_t i = 0; i < c->columns; i++)
                demand(!strcmp(csv_name(csv_cell(&again, row, (int)i)), csv_cell(c, row, (int)i)));
    }
    if (good) csv_free(&again);
    text_free(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const some[4] = {NULL, "0-2", "a,\"b,c\",1", "^[a-c]"};
    if (!size) return 0;
    const unsigned choices = data[0];
    const char *path = scratch_file("a.csv", data + 1, size - 1);
    problem why = {""};
    csv c;
    if (csv_read(&c, path, &why)) {
        for (size_t row = 0; row < c.rows; row++) {
            double value;
            for (size_t i = 0; i < c.columns; i++)
                (void)csv_double(csv_cell(&c, row, (int)i), &value);
        }
        write_and_read(&c);
        csv_free(&c);
    } else demand_reason(false, &why);
    recording_choice choice = {some[choices & 3], some[choices >> 2 & 3], (int)(choices >> 4) % 3,
                               (choices & 128) != 0};
    recording r;
    memset(&why, 0, sizeof why);
    if (!recording_open_part(&r, path, &choice, &why)) {
        demand_reason(false, &why);
        return 0;
    }
    demand(r.units >= 2);
    double *buffer = tool_alloc(recording_buffer_bytes(&r) + 8, 1);
    for (size_t p = 0; !r.is_cov && p < r.prompts && p < 50; p++) {
        demand(r.length[p] <= r.samples);
        (void)recording_prompt(&r, p, buffer);
        (void)recording_pairs(&r, p, 1);
    }
    free(buffer);
    recording_close(&r);
    return 0;
}
