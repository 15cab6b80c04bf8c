/* Any bytes as a file of prompts: each prompt that comes of it is UTF-8, holds something, and is no
   longer than the file. */
#include "fuzz.h"

/* its reader is private to capture.c */
#include "record/capture.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    capture_job job;
    problem why = {""};
    memset(&job, 0, sizeof job);
    const bool good = read_prompt_file(&job, scratch_file("prompts.txt", data, size), &why);
    demand_reason(good, &why);
    size_t all = 0;
    for (size_t i = 0; i < job.prompts; i++) {
        const capture_prompt *p = &job.prompt[i];
        const size_t length = strlen(p->text), category = strlen(p->category);
        if (good) demand(length && utf8_part(p->text, length) == length);
        if (good) demand(!strpbrk(p->text, "\n") && utf8_part(p->category, category) == category);
        all += length + category;
    }
    demand(all <= size);
    demand(!good || job.prompts);
    for (size_t i = 0; i < job.prompts; i++) free_prompt(&job.prompt[i]);
    free(job.prompt);
    return 0;
}
