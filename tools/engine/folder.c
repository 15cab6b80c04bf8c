/* folder.c - reads the description of the model in a result folder. */
#include "engine/folder.h"

#include <string.h>

bool folder_describe(json_file *f, const char *directory, problem *why)
{
    static const char *const name[2] = {"run.json", "phiid.json"};
    char path[TOOL_PATH_BYTES];
    if (!path_is_directory(directory))
        return problem_set(why, "%s: is not a folder with results", directory);
    for (int i = 0; i < 2; i++) {
        if (!path_join(path, directory, name[i], why)) return false;
        if (!path_exists(path)) continue;
        if (!json_read(f, path, why)) return false;
        if (json_at(f->root, "model.sha256")) return true;
        json_free(f);
    }
    return problem_set(why, "%s: neither run.json nor phiid.json says which model was measured",
                       directory);
}

bool folder_check_model(const json *description, const loaded_model *m, const char *directory,
                        problem *why)
{
    char hash[65];
    const char *theirs = json_text_of(description, "model.sha256", "");
    model_hash(m, hash);
    if (strcmp(hash, theirs) == 0) return true;
    return problem_set(why, "%s: was measured on %s (sha256 %s), not on %s (sha256 %s)", directory,
                       json_text_of(description, "model.file", "another model"), theirs,
                       path_base(m->path), hash);
}

bool folder_has_experts(const json *description)
{
    const char *kind =
        json_text_of(description, "settings.units", json_text_of(description, "units_are", ""));
    return choice_is_experts(kind);
}

void folder_column(const char *score, char to[64])
{
    snprintf(to, 64, "%s", strcmp(score, "norm") ? score : "mean_norm");
    for (char *s = to; *s; s++)
        if (*s == '-') *s = '_';
}
