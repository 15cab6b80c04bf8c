/* stage.h - what others may use of phiid/: a recording to atoms, scores and profiles in a result
   folder. */
#ifndef SYNERGY_PHIID_STAGE_H
#define SYNERGY_PHIID_STAGE_H

#include "engine/recording.h"

typedef struct phiid_options {
    const char *input;  /* a recording, or a folder with norms.npy */
    const char *output; /* folder; NULL: the input folder */
    int64_t tau, min_length, seed, resamples, surrogates, threads;
    int redundancy;        /* syn_redundancy */
    int estimator;         /* syn_estimator */
    int transform;         /* syn_transform */
    int score;             /* syn_score */
    int flagged;           /* syn_flagged */
    int null;              /* syn_surrogate */
    int detrend;           /* phiid_detrend */
    int normalise;         /* 1: quantiles among random systems */
    int64_t layers;        /* of a recording without them; 0: 1 */
    const char *local;     /* "A:B,C:D": pairs with local values, NULL: none */
    const char *save_cov;  /* file for the pooled lagged covariance, NULL: none */
    bool min_length_given; /* also holds for series without a lengths.npy */
    bool tau_given;        /* else that of a covariance file */
    recording_choice take; /* columns, and what a missing number does */
    bool pool, bias_correct, pairs_csv, atoms, force;
    bool resume, fresh; /* resume: the default, and said again */
} phiid_options;

enum { PHIID_DETREND_NONE, PHIID_DETREND_LINEAR, PHIID_DETREND_QUADRATIC, PHIID_DETREND_MEAN };

void phiid_defaults(phiid_options *o);
/* Samples that a series must have. */
long long phiid_least_samples(const phiid_options *o);
/* Bytes of the files of a run with the defaults. */
double phiid_disk_bytes(size_t units, size_t layers, bool surrogates);
/* Writes synergy.npy, redundancy.npy, units.csv, profile.csv, phiid.json, perhaps atoms.npy and
   flags.npy. */
bool phiid_run(const phiid_options *o, problem *why);

/* The same under every other estimator (engine/estimators.h), in folders within the output: scores
   and profiles, and a null of few surrogates. */
enum { PHIID_ROBUST_SURROGATES = 20 };
bool phiid_robust_run(const phiid_options *main, problem *why);

/* Prints what a result folder says: a few lines and the profile as bars. */
bool phiid_print(FILE *to, const char *directory, problem *why);

#endif
