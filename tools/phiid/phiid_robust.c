/* phiid_robust.c - the same analysis under the other estimators, each in a folder of its own. */
#include "phiid/phiid.h"

#include "engine/estimators.h"

bool phiid_robust_run(const phiid_options *main, problem *why)
{
    const char *directory = main->output ? main->output : main->input;
    bool good = true;
    for (size_t k = 0; good && k < ESTIMATOR_ROWS; k++) {
        const estimator_row *row = &estimator_list[k];
        char folder[TOOL_PATH_BYTES];
        phiid_options o = *main;
        if (estimator_is(row, main->estimator, main->transform)) continue;
        if (!estimator_folder(row, directory, folder, why)) return false;
        o.output = folder;
        o.estimator = (int)row->estimator;
        o.transform = (int)row->transform;
        if (o.surrogates > PHIID_ROBUST_SURROGATES) o.surrogates = PHIID_ROBUST_SURROGATES;
        o.atoms = o.pairs_csv = false;
        o.normalise = 0;
        o.local = o.save_cov = NULL;
        o.force = true; /* what lies there is of an older run of this one */
        good = directory_make(folder, why) && phiid_run(&o, why);
    }
    return good;
}
