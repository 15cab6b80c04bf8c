/* Any bytes as the run.json (or phiid.json) of a result folder: recordings, graphs, merging and
   the sections of the report that tell what stands in it take it, or say why not.

   An input is: 0 or 1 (which of the two files; 1 byte), then the file. */
#include "fuzz.h"

#include "engine/folder.h"
#include "engine/recording.h"
#include "record/stage.h"
#include "report/report.h"

enum { PROMPTS = 2, SAMPLES = 8, LAYERS = 2, UNITS = 2 };

static void prepare(void)
{
    static const uint64_t shape[4] = {PROMPTS, SAMPLES, LAYERS, UNITS}, ids[2] = {PROMPTS, SAMPLES};
    float norm[PROMPTS * SAMPLES * LAYERS * UNITS];
    int32_t token[PROMPTS * SAMPLES];
    text units = {NULL, 0, 0}, profile = {NULL, 0, 0};
    problem why;
    static const char *const columns[] = {
        "unit",       "layer",        "index",           "synergy",
        "redundancy", "synergy_rank", "redundancy_rank", "rank_difference"};
    for (size_t i = 0; i < sizeof norm / sizeof *norm; i++) norm[i] = (float)(i * i % 17);
    for (size_t i = 0; i < sizeof token / sizeof *token; i++) token[i] = (int32_t)i;
    demand(npy_write(scratch("norms.npy"), NPY_F32, 4, shape, norm, &why));
    demand(npy_write(scratch("tokens.npy"), NPY_I32, 2, ids, token, &why));
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) csv_text(&units, columns[i]);
    csv_end_row(&units);
    for (int u = 0; u < LAYERS * UNITS; u++) {
        text_print(&units, "L%dH%d", u / UNITS, u % UNITS);
        csv_int(&units, u / UNITS);
        csv_int(&units, u % UNITS);
        for (int k = 0; k < 5; k++) csv_number(&units, (double)((u * 7 + k) % 5));
        csv_end_row(&units);
    }
    text_add(&profile, "score,layer,mean\nrank-difference,0,1\nrank-difference,1,2\n");
    scratch_file("units.csv", units.at, units.length);
    scratch_file("profile.csv", profile.at, profile.length);
    text_free(&units);
    text_free(&profile);
}

static void tell(const char *folder)
{
    report r;
    problem why = {""};
    const bool good = report_load_scores(&r, folder, &why);
    demand_reason(good, &why);
    if (!good) return;
    page p;
    memset(&p, 0, sizeof p);
    p.good = true;
    p.why = &why;
    report_identity(&p, &r);
    report_facts(&p, &r);
    report_prompts(&p, &r);
    report_repeat(&p, &r);
    text_free(&p.html);
    text_free(&p.files);
    report_close(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    static char folder[256], merged[256];
    static const char whole[] = "{}";
    if (!size) return 0;
    if (!ready) prepare();
    ready = true;
    const bool run = !(data[0] & 1);
    scratch_file("run.json", run ? (const void *)(data + 1) : whole, run ? size - 1 : 2);
    scratch_file("phiid.json", run ? whole : (const void *)(data + 1), run ? 2 : size - 1);
    snprintf(folder, sizeof folder, "%s", scratch(""));
    folder[strlen(folder) - 1] = '\0';
    snprintf(merged, sizeof merged, "%s", scratch("merged"));
    problem why = {""};
    json_file f;
    recording r;
    if (folder_describe(&f, folder, &why)) {
        (void)folder_has_experts(f.root);
        json_free(&f);
    } else demand_reason(false, &why);
    memset(&why, 0, sizeof why);
    const bool good = recording_open(&r, folder, &why);
    demand_reason(good, &why);
    if (good) {
        demand(r.units == LAYERS * UNITS);
        recording_close(&r);
    }
    const char *from[1] = {folder};
    text_list list;
    memset(&list, 0, sizeof list);
    list.at = from;
    list.count = 1;
    memset(&why, 0, sizeof why);
    demand_reason(!run || merge_run(&list, merged, true, &why), &why);
    tell(folder);
    return 0;
}
