/* phiid.h - the parts of the information stage, each over work.h: phiid.c calls them in order. */
#ifndef SYNERGY_PHIID_H
#define SYNERGY_PHIID_H

#include "phiid/work.h"

/* ---- series as they are analysed (phiid_series.c) --------------------------------------- */

/* What pairs are opened with. */
syn_pairs_desc phiid_pairs_desc(const phiid_work *w);
bool phiid_is_long_enough(const phiid_work *w, size_t prompt);
bool phiid_detrend_begin(phiid_work *w, problem *why);
/* Bytes of the two buffers that phiid_series needs. */
size_t phiid_series_bytes(const phiid_work *w);
/* Doubles in a row of w->all: a series, or where samples are left out of the recording the pairs
   that count, pasts and then futures (syn_series.lag). */
size_t phiid_row_samples(const phiid_work *w);
/* Prompt number `prompt` of the file, detrended where asked: in the file or in `made`. */
syn_series phiid_series(const phiid_work *w, size_t prompt, void *buffer, double *made);
/* Keeps every prompt that counts in w->all. */
void phiid_keep_all(phiid_work *w);
syn_series phiid_kept(const phiid_work *w, size_t used_prompt, size_t file_prompt,
                      const double *from);
/* All prompts as one: windows centred within their prompt, past after past, then future after
   future; at a lag of half its length it has the pooled covariance. Rows of `to` are units. */
size_t phiid_pooled_half(const phiid_work *w);
/* A surrogate of a prompt with samples left out, as pairs. A shift moves pairs, past and future
   together: each unit keeps its own pairs, and so its memory, whole, and no gap comes into it. A
   shuffle deals the samples out that are there. Phases turn (and iaaft orders) in the series whose
   gaps are filled by draws of a process with its memory; what was filled goes again. `make` makes
   one of a series. */
typedef void phiid_make_fn(const void *user, const syn_series *from, double *to, double *work);
void phiid_surrogate_with_gaps(const phiid_work *w, size_t prompt, syn_surrogate kind,
                               phiid_make_fn *make, const void *user, double *to);
syn_series phiid_pooled(const phiid_work *w, const double *all, double *to);
/* --save-cov. */
bool phiid_save_covariance(const phiid_work *w, problem *why);
bool phiid_load_covariance(const phiid_work *w, syn_cov *cov, void **block, problem *why);

/* ---- surrogates (phiid_null.c) ---------------------------------------------------------- */

/* How many there are in all; bytes of what is known of them on the way. */
size_t phiid_null_count(const phiid_work *w);
size_t phiid_null_state_bytes(const phiid_work *w);
/* Takes up what an earlier run left in the log. */
bool phiid_null_begin(phiid_work *w, problem *why);
bool phiid_surrogates(phiid_work *w, problem *why);
/* --bias-correct: takes the mean of shuffles from every sum of w->pairs. */
bool phiid_bias(phiid_work *w, problem *why);
void phiid_null_free(phiid_work *w);

/* ---- quantiles (phiid_quantile.c) ------------------------------------------------------- */

quantile_table *quantile_make(uint64_t seed);
void quantile_free(quantile_table *t);
/* Of one atom: the share of random systems of that total information that lie below. */
double quantile_of(const quantile_table *t, int atom, double total, double value);
enum { QUANTILE_SYSTEMS = 1000, QUANTILE_LEVELS = 48 };

/* ---- local values (phiid_local.c) ------------------------------------------------------- */

bool phiid_local(const phiid_work *w, problem *why);

/* ---- results (phiid_write.c) ------------------------------------------------------------ */

/* What decides the numbers, as a JSON object that is to be freed; sets w->identity. */
char *phiid_settings(phiid_work *w);
const struct setting_word *phiid_setting_words(void); /* as the command line calls them */
/* Makes the folder; refuses one that holds results of another recording or other settings. */
bool phiid_output_check(const phiid_work *w, problem *why);
bool phiid_write(const phiid_work *w, problem *why);

/* What may be concluded, in sentences, one array of texts into the JSON (phiid_words.c). */
void phiid_words(const phiid_work *w, json_out *j);

#endif
