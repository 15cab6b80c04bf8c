/* phiid_words.c - what may be concluded, in sentences made from the figures.

   Each sentence states its number; a threshold only chooses the words around it. */
#include "phiid/phiid.h"

#include "engine/shape.h"

#include <math.h>
#include <string.h>

/* Words for a strength; the limits are the usual ones and stand in the report. */
static const char *reliable_word(double r)
{
    return r >= 0.9   ? "high"
           : r >= 0.8 ? "good"
           : r >= 0.7 ? "fair"
           : r >= 0.5 ? "low"
                      : "very low";
}

/* Three digits, whole numbers from a thousand on. */
static const char *digits_of(double v, char to[24])
{
    snprintf(to, 24, fabs(v) >= 1000 ? "%.0f" : "%.3g", v);
    return to;
}

static void say(json_out *j, const text *t)
{
    if (t->length) json_text_bytes(j, NULL, t->at, t->length);
}

/* What each kind of surrogate keeps, and so what lies beyond it. */
static const char *const null_text[SYN_SURROGATES] = {
    "circular shifts, which keep each unit's memory and destroy coupling",
    "random phases, which keep each unit's spectrum and destroy coupling",
    "shuffles of time, which destroy memory and keep who goes with whom at a moment",
    ("series of the same values with nearly the same spectrum, which keep each unit's memory and "
     "distribution and destroy coupling")};
static const char *const null_short[SYN_SURROGATES] = {"shifted", "with random phases", "shuffled",
                                                       "in series of the same values and spectrum"};

/* ---- the profile ---------------------------------------------------------------------- */

static shape_evidence evidence_of(const phiid_work *w, int score)
{
    const score_figures *f = &w->score[score];
    const double none = (double)NAN;
    shape_evidence e = {{none, none, none}, {none, none, none}, none, none, none, (double)w->used};
    if (!f->mean) return e;
    e.middle = f->middle;
    e.curvature = f->curvature;
    e.p_middle = f->permutation.p_middle;
    e.p_curvature = f->permutation.p_curvature;
    e.parabola = shape_parabola_share(f->mean, w->from.layers);
    return e;
}

static shape_kind verdict_of(const phiid_work *w, int score)
{
    const shape_evidence e = evidence_of(w, score);
    return shape_of(&e);
}

static size_t peak_layer(const score_figures *f, size_t layers)
{
    return (size_t)(f->peak.value * (double)(layers - 1) + 0.5);
}

static const char *score_words(int score)
{
    static const char *const words[SYN_SCORES] = {"rank(synergy) - rank(redundancy)",
                                                  "rank(synergy - redundancy)",
                                                  "the balance",
                                                  "synergy",
                                                  "redundancy",
                                                  "the excess over the null"};
    return words[score];
}

static const char *unit_words(int score)
{
    if (score == SYN_SCORE_RANK_DIFFERENCE || score == SYN_SCORE_DIFFERENCE) return " ranks";
    return score == SYN_SCORE_BALANCE ? "" : " nats";
}

static void shape_words(const phiid_work *w, json_out *j, int score)
{
    text t = {NULL, 0, 0};
    char a[24], b[24];
    const score_figures *f = &w->score[score];
    size_t layers = w->from.layers;
    const shape_kind v = verdict_of(w, score);
    if (v == SHAPE_NONE) return;
    text_print(&t, "Profile of %s: the middle third of the layers lies %s%s %s the outer thirds",
               score_words(score), digits_of(fabs(f->middle.value), a), unit_words(score),
               f->middle.value >= 0 ? "above" : "below");
    if (isfinite(f->middle.low))
        text_print(&t, " (95 %% interval of the difference %s to %s)", digits_of(f->middle.low, a),
                   digits_of(f->middle.high, b));
    text_print(&t, ", its largest mean is at layer %zu of 0 to %zu", peak_layer(f, layers),
               layers - 1);
    double first = f->peak.low * (double)(layers - 1), last = f->peak.high * (double)(layers - 1);
    if (first < last) text_print(&t, " (95 %% interval %.0f to %.0f)", first, last);
    const double share = shape_parabola_share(f->mean, layers);
    if (isfinite(share))
        text_print(&t, ", and a parabola explains %.0f %% of the differences between layers",
                   100 * share);
    static const char *const ending[] = {"",
                                         ": an inverted U.",
                                         ": higher in the middle, but no clear U.",
                                         ": a hint of an inverted U, not beyond doubt.",
                                         ": no inverted U.",
                                         ": a U, the opposite of what the paper reports.",
                                         ": open, so few prompts cannot tell."};
    if (score == SYN_SCORE_EXCESS && v == SHAPE_U)
        text_add(&t, ": a U, beyond memory there is least synergy in the middle.");
    else text_add(&t, ending[v]);
    if (isfinite(f->permutation.p_middle))
        text_print(&t,
                   " Shuffling units over layers gives p = %.2g for the middle and %.2g for the "
                   "bend.",
                   f->permutation.p_middle, f->permutation.p_curvature);
    say(j, &t);
    text_free(&t);
}

/* ---- the ranking ---------------------------------------------------------------------- */

static void correlation_words(const phiid_work *w, json_out *j)
{
    text t = {NULL, 0, 0};
    const syn_rank *r = &w->rank;
    double rho = spearman_of(r->synergy, r->redundancy, w->from.units);
    if (!isfinite(rho)) return;
    text_print(&t,
               "Mean synergy and mean redundancy of the units have a Spearman correlation of "
               "%.2f",
               rho);
    if (rho >= 0.7)
        text_add(&t, ": units that share synergy also share redundancy, and the difference of two "
                     "such ranks is small beside its noise.");
    else if (rho >= 0.3) text_add(&t, ": they go together in part.");
    else text_add(&t, ": they are not the same thing under two names.");
    say(j, &t);
    text_free(&t);
}

static void memory_words(const phiid_work *w, json_out *j)
{
    text t = {NULL, 0, 0};
    double rho = spearman_of(w->rank.synergy, w->confound[SYN_CONFOUND_SELF], w->from.units);
    if (!isfinite(rho)) return;
    text_print(
        &t, "Mean synergy follows each unit's own memory (self-information) at Spearman %.2f", rho);
    if (rho >= 0.8)
        text_print(&t, ": the ranking by synergy is mostly a ranking of slow units%s.",
                   w->options->redundancy == SYN_MMI
                       ? ", as it must be with MMI, where unrelated series with memory have synergy"
                       : "");
    else if (rho >= 0.4) text_add(&t, ": memory explains part of the ranking.");
    else text_add(&t, ": memory does not explain the ranking.");
    say(j, &t);
    text_free(&t);
}

static void reliability_words(const phiid_work *w, json_out *j)
{
    text t = {NULL, 0, 0};
    double a = w->score[SYN_SCORE_RANK_DIFFERENCE].reliability;
    double b = w->score[SYN_SCORE_DIFFERENCE].reliability;
    if (!isfinite(a) || !isfinite(b)) return;
    text_print(&t,
               "Split-half reliability over prompts (Spearman-Brown): rank difference %.2f (%s), "
               "rank of the difference %.2f (%s).",
               a, reliable_word(a), b, reliable_word(b));
    say(j, &t);
    text_free(&t);
}

static void agreement_words(const phiid_work *w, json_out *j)
{
    text t = {NULL, 0, 0};
    const syn_rank *r = &w->rank;
    double rho = spearman_of(r->rank_difference, r->difference, w->from.units);
    if (!isfinite(rho)) return;
    text_print(&t,
               "The two readings of the paper, rank difference and rank of the difference, agree "
               "at Spearman %.2f over the units%s",
               rho,
               rho >= 0.8   ? "."
               : rho >= 0.4 ? ": they share a tendency, not an order."
                            : ": they name different units.");
    say(j, &t);
    text_free(&t);
}

/* ---- the null, the samples, the flags -------------------------------------------------- */

static size_t count_below(const double *p, size_t n, double limit)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) count += p[i] <= limit ? 1 : 0;
    return count;
}

static void null_words(const phiid_work *w, json_out *j)
{
    static const char *const what[2] = {"synergy", "redundancy"};
    size_t n = w->from.units;
    if (!w->null.surrogates || !isfinite(w->null.whole[0])) return;
    size_t tested = count_below(w->null.p[0], n, 1);
    for (int k = 0; k < 2; k++) {
        text t = {NULL, 0, 0};
        double seen = w->null.seen[k], null = w->null.whole[k];
        text_print(&t,
                   "Against %zu %s, mean %s is %.3g nats observed and %.3g %s: it lies %s the "
                   "null, ",
                   w->null.surrogates, null_text[w->options->null], what[k], seen, null,
                   null_short[w->options->null], seen >= null ? "above" : "below");
        if (tested)
            text_print(&t, "and %zu of %zu units exceed their own null at p <= 0.05.",
                       count_below(w->null.p[k], n, 0.05), tested);
        else
            text_print(&t, "and no unit has the %d surrogates that a test needs.",
                       SYN_EXCESS_LEAST);
        if (w->options->null == SYN_SURROGATE_IAAFT)
            text_add(&t,
                     " These series have slightly less memory than their originals (3 % less "
                     "synergy of unrelated "
                     "series at 100 samples), so that p is too small; circular shifts have not.");
        if (w->options->null == SYN_SURROGATE_SHUFFLE)
            text_add(&t, " This null tells memory and coupling in time from none; it cannot tell "
                         "coupling from memory.");
        say(j, &t);
        text_free(&t);
    }
}

/* With few surrogates no pair can reach a small q: p cannot go below 1 / (surrogates + 1). */
static void pair_words(const phiid_work *w, json_out *j)
{
    text t = {NULL, 0, 0};
    double least = 1 / ((double)w->null.surrogates + 1);
    if (!w->null.surrogates) return;
    text_print(&t,
               "At a false discovery rate of 5 %%, %zu of %zu pairs have more synergy than the "
               "null and %zu more redundancy",
               w->null.found[0], w->pairs.pairs, w->null.found[1]);
    if (least * 20 > 1)
        text_print(&t, "; with %zu surrogates p cannot be below %.2g and none can be found",
                   w->null.surrogates, least);
    else if (w->null.found[0] == 0 || w->null.found[1] == 0)
        text_print(
            &t,
            "; with %zu surrogates p cannot be below %.2g, so that at least %.0f pairs would "
            "have to reach it",
            w->null.surrogates, least, ceil(least * 20 * (double)w->pairs.pairs));
    text_add(&t, ".");
    say(j, &t);
    text_free(&t);
}

static void bias_words(const phiid_work *w, json_out *j)
{
    text t = {NULL, 0, 0};
    if (!w->bias.shuffles) return;
    text_print(
        &t,
        "Small-sample bias is taken off: the mean over %zu shuffles of time, in which neither "
        "memory nor coupling in time is left, was %.3g nats of synergy and %.3g of "
        "redundancy; all scores, matrices and intervals are of what remains. Series with "
        "memory keep a bias that shuffles do not show.",
        w->bias.shuffles, w->bias.mean[0], w->bias.mean[1]);
    say(j, &t);
    text_free(&t);
}

static void quantile_words(const phiid_work *w, json_out *j)
{
    text t = {NULL, 0, 0};
    size_t n = w->from.units;
    if (!w->quantile.table) return;
    double synergy = mean_finite(w->quantile.unit[0], n),
           redundancy = mean_finite(w->quantile.unit[1], n);
    if (!isfinite(synergy) || !isfinite(redundancy)) return;
    text_print(&t,
               "Among random systems of the same total information, a pair's synergy stands at the "
               "quantile %.2f and its redundancy at %.2f on average",
               synergy, redundancy);
    double rho = spearman_of(w->quantile.unit[0], w->confound[SYN_CONFOUND_TOTAL], n);
    double raw = spearman_of(w->rank.synergy, w->confound[SYN_CONFOUND_TOTAL], n);
    if (isfinite(rho) && isfinite(raw))
        text_print(
            &t,
            "; so normalised, synergy follows the units' total information at Spearman %.2f, "
            "against %.2f before",
            rho, raw);
    text_add(&t, ".");
    say(j, &t);
    text_free(&t);
}

static void series_words(const phiid_work *w, json_out *j)
{
    static const char *const what[] = {
        "", "A straight line over samples was taken out of every series.",
        "A parabola over samples was taken out of every series.",
        "The mean over prompts at each position was taken out of every series: what all prompts "
        "share "
        "in time is not counted."};
    static const char *const by[SYN_ESTIMATORS] = {
        NULL,
        "Informations are those of normal scores: each series by its ranks, so that only the order "
        "of its "
        "samples counts, then Gaussian.",
        "Informations are those of two levels, each window above or below its mean: plug-in shares "
        "of the "
        "sixteen states, which short series overstate."};
    if (w->options->transform) json_text(j, NULL, "Every sample was replaced by its logarithm.");
    if (by[w->options->estimator]) json_text(j, NULL, by[w->options->estimator]);
    if (w->options->detrend) json_text(j, NULL, what[w->options->detrend]);
    if (w->from.is_cov || w->options->pool)
        json_text(j, NULL,
                  "All prompts are pooled into one covariance, the means of each prompt's "
                  "windows taken out; the paper averages the results of prompts.");
}

enum { SHORT_SAMPLES = 32 }; /* what --min-length asks of captured norms */

/* Mean sts and rtr of independent white noise: 0.35 / T and 0.06 / T nats (100 samples: 0.0035
   and 0.0006), from simulations; with memory the bias is larger. */
static void sample_words(const phiid_work *w, json_out *j)
{
    text t = {NULL, 0, 0};
    size_t n = w->shortest;
    if (n > 1000 || w->options->estimator == SYN_BINARY) return;
    if (n < SHORT_SAMPLES)
        text_add(&t, "Series are very short, and no figure here is to be trusted by itself. ");
    text_print(&t,
               "Series are %zu samples long%s: even independent white noise then shows about %.2g "
               "nats of synergy and %.2g of redundancy, and series with memory show more.",
               n, n < w->from.samples ? " at the shortest" : "", 0.35 / (double)n,
               0.06 / (double)n);
    say(j, &t);
    text_free(&t);
}

static void flag_words(const phiid_work *w, json_out *j)
{
    text t = {NULL, 0, 0};
    uint64_t bad = 0, sound = w->pairs.flagged[0];
    for (int k = 1; k < SYN_FLAG_KINDS; k++) bad += w->pairs.flagged[k];
    if (!bad) {
        text_print(&t, "No pair was flagged: all %llu pair-prompts are sound.",
                   (unsigned long long)sound);
    } else {
        text_print(&t, "%llu of %llu pair-prompts are flagged and %s:", (unsigned long long)bad,
                   (unsigned long long)(bad + sound),
                   w->options->flagged == SYN_FLAGGED_ZERO ? "count as zero"
                                                           : "left out of the means");
        for (int k = 1; k < SYN_FLAG_KINDS; k++)
            if (w->pairs.flagged[k])
                text_print(&t, " %s %llu", syn_flags_text((syn_flags)1 << (k - 1)),
                           (unsigned long long)w->pairs.flagged[k]);
        text_add(&t, ".");
    }
    say(j, &t);
    text_free(&t);
}

/* ---- the finding in one sentence ------------------------------------------------------ */

static void finding_numbers(text *t, const score_figures *f)
{
    char a[24], b[24];
    text_print(t, " (middle third minus outer thirds %s ranks", digits_of(f->middle.value, a));
    if (isfinite(f->middle.low))
        text_print(t, ", 95 %% interval %s to %s", digits_of(f->middle.low, a),
                   digits_of(f->middle.high, b));
    text_add(t, ")");
}

/* What is left of the finding when memory is taken away. */
static void excess_words(const phiid_work *w, text *t)
{
    static const char *const says[] = {"",
                                       "is highest in the middle layers, too",
                                       "is higher in the middle layers, too",
                                       "leans towards the middle layers",
                                       "does not single out the middle layers",
                                       "is lowest in the middle layers",
                                       ""};
    if (!w->null.surrogates) return;
    text_print(t,
               w->options->null == SYN_SURROGATE_SHUFFLE
                   ? " Its excess over %s, %s."
                   : " But synergy is in part memory: its excess over %s, %s.",
               null_text[w->options->null], says[verdict_of(w, SYN_SCORE_EXCESS)]);
}

/* Where too few prompts were recorded for any test over them, the first word is that it is open. */
static void open_words(const phiid_work *w, text *t)
{
    static const int score[2] = {SYN_SCORE_DIFFERENCE, SYN_SCORE_RANK_DIFFERENCE};
    static const char *const name[2] = {"the rank of synergy - redundancy", "the rank difference"};
    text_print(t,
               "Whether the middle layers are the more synergistic ones is open: %zu prompt%s "
               "cannot tell (at "
               "least %d are needed).",
               w->used, w->used == 1 ? "" : "s", (int)SHAPE_LEAST_PROMPTS);
    for (int k = 0; k < 2; k++) {
        const score_figures *f = &w->score[score[k]];
        text_print(t, "%s in %s the middle third of the layers lies %s the outer thirds",
                   k ? ";" : " As it stands,", name[k], f->middle.value >= 0 ? "above" : "below");
        finding_numbers(t, f);
    }
    text_add(t, ".");
}

/* Scores that other prompts of the same kind would not give again. */
static void doubt_words(const phiid_work *w, text *t)
{
    static const int score[2] = {SYN_SCORE_RANK_DIFFERENCE, SYN_SCORE_DIFFERENCE};
    static const char *const name[2] = {"the rank difference", "the rank of synergy - redundancy"};
    size_t told = 0;
    for (int k = 0; k < 2; k++) {
        const double r = w->score[score[k]].reliability;
        if (!(r < 0.5)) continue;
        text_print(t,
                   told++ ? " and %.2f for %s"
                          : " The scores of single units are not reliable: split-half over "
                            "prompts is %.2f for %s",
                   r, name[k]);
    }
    if (told) text_add(t, ", and below .5 other prompts would rank other units first.");
}

static void finding_words(const phiid_work *w, json_out *j)
{
    static const char *const says[] = {
        "",
        "is highest in the middle layers, an inverted U as the paper reports",
        "is higher in the middle layers, without the clear inverted U that the paper reports",
        "leans towards the middle layers, not beyond doubt",
        "does not single out the middle layers",
        "is lowest in the middle layers, the opposite of what the paper reports",
        "is open"};
    text t = {NULL, 0, 0};
    const shape_kind a = verdict_of(w, SYN_SCORE_RANK_DIFFERENCE),
                     b = verdict_of(w, SYN_SCORE_DIFFERENCE);
    if (a == SHAPE_NONE || b == SHAPE_NONE) {
        text_add(&t, "There are too few layers for a profile over depth; the scores of the units "
                     "stand below.");
    } else if (a == SHAPE_OPEN) { /* both are, of the same prompts */
        open_words(w, &t);
    } else {
        text_print(&t, "Over the depth of the network the rank of synergy - redundancy %s",
                   says[b]);
        finding_numbers(&t, &w->score[SYN_SCORE_DIFFERENCE]);
        text_print(&t, "; the rank difference that the paper's text defines %s",
                   a == b ? "does the same" : says[a]);
        finding_numbers(&t, &w->score[SYN_SCORE_RANK_DIFFERENCE]);
        text_add(&t, ".");
        excess_words(w, &t);
    }
    doubt_words(w, &t);
    json_text_bytes(j, "finding", t.at, t.length);
    text_free(&t);
}

/* Experts are 0 where they are not chosen, a counter or a spike train mostly; what that does to
   Gaussian figures must be said. */
enum { FEW_PERCENT = 10 };
static void silence_words(const phiid_work *w, json_out *j)
{
    text t = {NULL, 0, 0};
    size_t n = w->from.units, never = 0, few = 0, some = 0;
    const bool experts = w->from.experts;
    for (size_t i = 0; i < n; i++) {
        never += w->active[i] <= 0 ? 1 : 0;
        few += w->active[i] > 0 && 100 * w->active[i] < FEW_PERCENT ? 1 : 0;
        some += w->active[i] < 1 ? 1 : 0;
    }
    if (never) {
        text_print(&t, "%zu of %zu units %s 0 at every sample%s: no score and no rank.", never, n,
                   never == 1 ? "is" : "are",
                   experts ? " (experts that the router never chose)" : "");
        say(j, &t);
        text_free(&t);
    }
    if (few) {
        text_print(
            &t,
            "%zu of %zu units %s 0 at more than %d %% of the samples: a Gaussian "
            "estimate then sees when a unit is %s, hardly how much it gives, and "
            "rests on few events.%s",
            few, n, few == 1 ? "is" : "are", 100 - FEW_PERCENT, experts ? "chosen" : "not 0",
            experts ? " synergy capture --all-experts records every expert at every token instead."
                    : "");
        say(j, &t);
    } else if (experts && some > never) {
        text_print(&t,
                   "%zu of %zu units are 0 at some samples (experts that were not chosen "
                   "there): their figures mix when a unit is chosen with how much it gives.",
                   some - never, n);
        say(j, &t);
    }
    text_free(&t);
}

void phiid_words(const phiid_work *w, json_out *j)
{
    finding_words(w, j);
    json_array(j, "conclusions");
    shape_words(w, j, SYN_SCORE_RANK_DIFFERENCE);
    shape_words(w, j, SYN_SCORE_DIFFERENCE);
    if (w->null.surrogates) shape_words(w, j, SYN_SCORE_EXCESS);
    agreement_words(w, j);
    reliability_words(w, j);
    correlation_words(w, j);
    memory_words(w, j);
    null_words(w, j);
    pair_words(w, j);
    quantile_words(w, j);
    series_words(w, j);
    bias_words(w, j);
    sample_words(w, j);
    flag_words(w, j);
    silence_words(w, j);
    json_array_end(j);
}
