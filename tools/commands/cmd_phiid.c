/* cmd_phiid.c - synergy phiid: norms or any recording in, pair matrices and unit scores out. */
#include "base/stop.h"
#include "engine/choices.h"
#include "phiid/stage.h"
#include "report/stage.h"

static bool print_json(const char *directory, problem *why)
{
    char path[TOOL_PATH_BYTES];
    file_view view;
    if (!path_join(path, directory, "phiid.json", why) || !file_map(&view, path, why)) return false;
    fwrite(view.bytes, 1, view.size, stdout);
    file_unmap(&view);
    return true;
}

static int run(const command *self, int argc, char **argv)
{
    phiid_options o;
    problem why;
    int code;
    bool as_json = false, surrogates = false, robust = false;
    phiid_defaults(&o);
    const option table[] = {
        {"output", 'o', OPTION_TEXT, "DIR", "where results go (default: an input folder)",
         &o.output, 0, 0, NULL},
        {"tau", 0, OPTION_INT, "N", "lag in samples (default 1)", &o.tau, 1, 1e6, &o.tau_given},
        {"redundancy", 0, OPTION_CHOICE, choice_words(CHOICE_REDUNDANCY),
         "redundancy function (default mmi)", &o.redundancy, 0, 0, NULL},
        {"estimator", 0, OPTION_CHOICE, choice_words(CHOICE_ESTIMATOR),
         "from covariances (default), those of normal scores by rank, or two levels", &o.estimator,
         0, 0, NULL},
        {"transform", 0, OPTION_CHOICE, choice_words(CHOICE_TRANSFORM),
         "of every sample before anything else", &o.transform, 0, 0, NULL},
        {"robustness", 0, OPTION_FLAG, NULL,
         "under the other estimators, too, and which conclusions hold under all", &robust, 0, 0,
         NULL},
        {"atoms", 0, OPTION_FLAG, NULL, "also write all 16 atoms of every pair and prompt",
         &o.atoms, 0, 0, NULL},
        {"score", 0, OPTION_CHOICE, choice_words(CHOICE_SCORE),
         "which score comes first (default rank-difference)", &o.score, 0, 0, NULL},
        {"flagged", 0, OPTION_CHOICE, choice_words(CHOICE_FLAGGED),
         "what a flagged pair counts (default exclude)", &o.flagged, 0, 0, NULL},
        {"min-length", 0, OPTION_INT, "N",
         "leave out shorter series (default 32 beside a lengths.npy, else none is left out)",
         &o.min_length, 1, 1e9, &o.min_length_given},
        {"columns", 0, OPTION_TEXT, "LIST|REGEX",
         "which columns are units: names, numbers from 0, ranges; or a pattern of names",
         &o.take.columns, 0, 0, NULL},
        {"skip", 0, OPTION_TEXT, "LIST|REGEX", "which columns are not (a clock, an index)",
         &o.take.skip, 0, 0, NULL},
        {"missing", 0, OPTION_CHOICE, choice_words(CHOICE_MISSING),
         "where a number is missing: refuse (default of tables), drop the samples, or the unit",
         &o.take.missing, 0, 0, &o.take.missing_given},
        {"resamples", 0, OPTION_INT, "N", "of the 95 % intervals (default 1000, 0: none)",
         &o.resamples, 0, 1e6, NULL},
        {"surrogates", 0, OPTION_INT, "N", "surrogate series for a null (default none)",
         &o.surrogates, 0, 1e6, &surrogates},
        {"null", 0, OPTION_CHOICE, choice_words(CHOICE_SURROGATE),
         "of which kind: circular shift (default), random phases, iaaft (all keep memory), shuffle "
         "(does not)",
         &o.null, 0, 0, NULL},
        {"bias-correct", 0, OPTION_FLAG, NULL,
         "subtract the mean of shuffled series, which is small-sample bias", &o.bias_correct, 0, 0,
         NULL},
        {"detrend", 0, OPTION_CHOICE, choice_words(CHOICE_DETREND),
         "take a trend over samples out, or the mean over prompts at each position", &o.detrend, 0,
         0, NULL},
        {"pool", 0, OPTION_FLAG, NULL,
         "one covariance of all prompts, means taken out in each, not the average of prompts",
         &o.pool, 0, 0, NULL},
        {"normalise", 0, OPTION_CHOICE, choice_words(CHOICE_NORMALISE),
         "also the quantile of each atom among random systems of the same total information",
         &o.normalise, 0, 0, NULL},
        {"pairs-csv", 0, OPTION_FLAG, NULL, "also write pairs.csv, a row a pair", &o.pairs_csv, 0,
         0, NULL},
        {"local", 0, OPTION_TEXT, "A:B,...",
         "write local.npy: pointwise atoms of these pairs of units", &o.local, 0, 0, NULL},
        {"save-cov", 0, OPTION_TEXT, "FILE",
         "write the pooled lagged covariance, which merges and can be analysed in place of norms",
         &o.save_cov, 0, 0, NULL},
        {"layers", 0, OPTION_INT, "L", "of a recording that does not say (default 1)", &o.layers, 1,
         1e6, NULL},
        OPTION_RESUME(&o.resume),
        OPTION_FRESH(&o.fresh),
        OPTION_SEED(&o.seed),
        OPTION_THREADS(&o.threads),
        OPTION_JSON(&as_json),
        OPTION_FORCE(&o.force),
    };
    if (!args_parse(self, table, OPTION_COUNT(table), argc, argv, &o.input, 1, 1, NULL, &code))
        return code;
    if (!path_exists(o.input))
        return tool_fail_text("%s: there is no such file or folder", o.input);
    if (!o.output && !path_is_directory(o.input))
        return tool_usage("-o DIR is missing: where should the results go?");
    if (o.score == SYN_SCORE_EXCESS && !surrogates) o.surrogates = 100;
    if (o.score == SYN_SCORE_EXCESS && !o.surrogates)
        return tool_usage("--score excess needs --surrogates");
    if (o.normalise && o.redundancy == SYN_CCS)
        return tool_usage("--normalise quantile needs --redundancy mmi");
    if (o.normalise && o.estimator == SYN_BINARY)
        return tool_usage("--normalise quantile knows Gaussian systems, not --estimator binary");
    if (o.save_cov && o.estimator == SYN_BINARY)
        return tool_usage("--save-cov is a covariance, which --estimator binary has none of");
    stop_keeps("nothing is kept yet");
    if (!phiid_run(&o, &why) || (robust && !phiid_robust_run(&o, &why))) return tool_fail(&why);
    const char *directory = o.output ? o.output : o.input;
    if (!(as_json ? print_json(directory, &why) : phiid_print(stdout, directory, &why)))
        return tool_fail(&why);
    if (robust && !report_robustness_tell(as_json ? stderr : stdout, directory, &why))
        return tool_fail(&why);
    return tool_finish_output();
}

const command command_phiid = {
    "phiid",
    "NORMS.npy|DIR -o DIR [OPTIONS]",
    "decompose the information of every pair of units; score units and layers",
    "Reads [prompts, samples, layers, units], [prompts, samples, units] or [samples, units] of\n"
    "floats or integers from .npy, or a text table with a header (a column a unit; comma,\n"
    "semicolon or tab; decimal comma where it does not divide; any line end), or the\n"
    "norms.npy of a folder. Writes synergy.npy, redundancy.npy, units.csv, profile.csv and\n"
    "phiid.json; with --atoms also atoms.npy and flags.npy; with --surrogates also synergy_q.npy "
    "and\n"
    "redundancy_q.npy. A covariance file that --save-cov or the library wrote can stand for "
    "norms;\n"
    "synergy merge joins such files of several recordings.",
    run,
    "synergy phiid recording --surrogates 100"};
