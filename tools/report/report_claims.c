/* report_claims.c - the top of the report: what was looked at, the finding, and each claim of the
   paper with what this result says about it. */
#include "report/report.h"

#include <math.h>
#include <string.h>

/* ---- what was looked at ----------------------------------------------------------------- */

static void identity_item(page *p, bool *first, const char *words)
{
    if (!*words) return;
    if (!*first) page_put(p, " \xc2\xb7 ");
    page_text(p, words);
    *first = false;
}

void report_identity(page *p, const report *r)
{
    char s[160], size[32];
    bool first = true;
    const json *m = report_model(r);
    page_put(p, "<p class=\"identity\">");
    if (m) {
        identity_item(p, &first, json_text_of(m, "file", ""));
        identity_item(p, &first, json_text_of(m, "architecture", ""));
        double bytes = json_number_of(m, "bytes", (double)NAN);
        bytes_text(bytes, size, sizeof size);
        if (isfinite(bytes)) identity_item(p, &first, size);
        const char *hash = json_text_of(m, "sha256", "");
        snprintf(s, sizeof s, "SHA-256 %.12s\xe2\x80\xa6", hash);
        if (*hash) identity_item(p, &first, s);
    } else {
        identity_item(p, &first, json_text_of(r->phiid.root, "input.file", ""));
        snprintf(s, sizeof s, "SHA-256 %.12s\xe2\x80\xa6",
                 json_text_of(r->phiid.root, "input.sha256", "unknown"));
        identity_item(p, &first, s);
    }
    snprintf(s, sizeof s, "%zu layers of %zu %s", r->layers, r->per_layer, r->many);
    identity_item(p, &first, s);
    double prompts = report_number(r, "input.prompts_used"),
           samples = report_number(r, "input.samples");
    snprintf(s, sizeof s, "%.0f prompts of %.0f samples", prompts, samples);
    if (isfinite(prompts) && isfinite(samples)) identity_item(p, &first, s);
    page_put(p, "</p>\n");
}

static void fact(page *p, const char *term, double value, const char *after)
{
    if (!isfinite(value)) return;
    page_put(p, "<div><dt>");
    page_text(p, term);
    page_put(p, "</dt><dd>");
    page_number(p, value);
    if (*after) {
        page_put(p, " <small>");
        page_text(p, after);
        page_put(p, "</small>");
    }
    page_put(p, "</dd></div>\n");
}

static double flagged_count(const report *r)
{
    double sum = 0;
    const json *list = json_at(r->phiid.root, "pair_prompts.flagged");
    for (const json *c = list ? list->child : NULL; c; c = c->next) sum += c->number;
    return sum;
}

void report_facts(page *p, const report *r)
{
    double flagged = flagged_count(r), all = report_number(r, "pair_prompts.sound") + flagged;
    char of[64];
    page_put(p, "<dl class=\"facts\">\n");
    fact(p, "Mean synergy", report_number(r, "means_nats.synergy"), "nats");
    fact(p, "Mean redundancy", report_number(r, "means_nats.redundancy"), "nats");
    fact(p, "Synergy with redundancy",
         report_spearman(r, r->column[UNIT_SYNERGY], r->column[UNIT_REDUNDANCY]), "Spearman");
    fact(p, "Synergy with memory", report_memory(r), "Spearman");
    fact(p, "Rank difference with difference",
         report_spearman(r, r->column[UNIT_RANK_DIFFERENCE], r->column[UNIT_DIFFERENCE_RANK]),
         "Spearman");
    fact(p, "Reliability, rank difference", report_number(r, "scores.rank-difference.reliability"),
         "split half");
    fact(p, "Reliability, difference", report_number(r, "scores.difference.reliability"),
         "split half");
    snprintf(of, sizeof of, "of %.0f", all);
    fact(p, "Flagged pair-prompts", flagged, isfinite(all) ? of : "");
    page_put(p, "</dl>\n");
}

/* ---- answers ---------------------------------------------------------------------------- */

const char *report_answer_word(answer a)
{
    static const char *const word[] = {"yes", "no", "in part", "open", "not tested"};
    return word[a];
}

static double harm_difference(const json *test)
{
    return json_number_of(test, "auc_difference", json_number_of(test, "difference", (double)NAN));
}

static double prompts_of(const json *from)
{
    return json_number_of(json_get(from, "settings"), "prompts", (double)NAN);
}

/* Does the first of a test harm more? The field `harm` tells (1, -1, or 0 for what cannot be told
   apart); files of older versions have p over prompts and the difference only. */
static answer harm_answer(const json *from, const json *test)
{
    double sure = json_number_of(test, "p_prompts", (double)NAN) < 0.05 ? harm_difference(test) : 0;
    double harm = json_number_of(test, "harm", sure);
    if (prompts_of(from) < SHAPE_LEAST_PROMPTS) return ANSWER_OPEN;
    return harm > 0 ? ANSWER_YES : harm < 0 ? ANSWER_NO : ANSWER_OPEN;
}

/* What stands after an answer that so few prompts leave open. */
static void few_prompts_words(page *p, const json *from, const char *before, const char *after)
{
    double n = prompts_of(from);
    if (!(n < SHAPE_LEAST_PROMPTS)) return;
    text_print(&p->html, "%s%.0f prompt%s cannot tell (at least %d are needed)%s", before, n,
               n == 1 ? "" : "s", (int)SHAPE_LEAST_PROMPTS, after);
}

/* ---- the finding ------------------------------------------------------------------------ */

/* By which order of removal most is lost; NULL without curves. Random orders do not compete. */
static const json *most_harm(const json *ablation)
{
    const json *list = json_get(ablation, "curves"), *best = NULL;
    for (const json *c = list ? list->child : NULL; c; c = c->next) {
        const char *order = json_text_of(c, "order", "");
        if (report_is_random(order)) continue;
        if (json_number_of(c, "auc", -1) > json_number_of(best, "auc", -1)) best = c;
    }
    return best;
}

/* The readings of "core" that a study followed: what each one's orders and groups are called. Files
   of older versions have one, without a title. */
typedef struct reading {
    const char *title, *order, *reverse, *matched, *core, *periphery;
} reading;
enum { MOST_READINGS = 4 };

static size_t readings_of(const json *from, reading to[MOST_READINGS])
{
    const json *list = json_get(from, "readings");
    size_t n = 0;
    for (const json *c = list ? list->child : NULL; c && n < MOST_READINGS; c = c->next)
        to[n++] = (reading){
            json_text_of(c, "reading", ""),        json_text_of(c, "order", "score"),
            json_text_of(c, "reverse", "reverse"), json_text_of(c, "matched", "matched"),
            json_text_of(c, "core", "core"),       json_text_of(c, "periphery", "periphery")};
    if (!n) to[n++] = (reading){"the score", "score", "reverse", "matched", "core", "periphery"};
    return n;
}

/* "Removing the heads of the highest score first changes the predictions more than ...", for one
   reading. */
static void causal_words(page *p, const report *r, const reading *by)
{
    const json *test = report_test(r->ablation.root, by->order, "random");
    if (!test) return;
    static const char *const than[] = {
        "changes the predictions more than removing", "changes the predictions less than removing",
        "does not change the predictions more, or less, beyond doubt, than removing"};
    answer a = harm_answer(r->ablation.root, test);
    double low = json_number_of(test, "low", (double)NAN),
           high = json_number_of(test, "high", (double)NAN);
    page_put(p, "<p>Removing the ");
    page_text(p, r->many);
    page_put(p, " that are highest by ");
    page_sentence(p, by->title);
    text_print(&p->html, " first %s as many random ones: ",
               than[a == ANSWER_YES  ? 0
                    : a == ANSWER_NO ? 1
                                     : 2]);
    page_number(p, report_auc(r->ablation.root, by->order, 0));
    page_put(p, " against ");
    page_number(p, report_auc(r->ablation.root, "random", 0));
    page_put(p, " nats along the curve, difference ");
    page_number(p, harm_difference(test));
    page_interval(p, low, high);
    few_prompts_words(p, r->ablation.root, "; ", "");
    page_put(p, ".</p>\n");
}

/* Each reading, whether they differ, and what does most harm. */
static void causal_finding(page *p, const report *r)
{
    reading by[MOST_READINGS];
    const size_t n = r->ablation.root ? readings_of(r->ablation.root, by) : 0;
    const char *headline[2] = {json_text_of(r->ablation.root, "headline", ""),
                               json_text_of(r->perturb.root, "headline", "")};
    for (size_t k = 0; k < n; k++) causal_words(p, r, &by[k]);
    for (int k = 0; k < 2; k++) {
        if (!*headline[k]) continue;
        page_put(p, "<p>");
        page_sentence(p, headline[k]);
        page_put(p, "</p>\n");
    }
    const char *worst = json_text_of(most_harm(r->ablation.root), "order", "score");
    if (!n || !strcmp(worst, "score")) return;
    text_print(&p->html, "<p>Most is lost %s, ", report_order_words(worst));
    page_number(p, report_auc(r->ablation.root, worst, 0));
    page_put(p, " nats.</p>\n");
}

void report_finding(page *p, const report *r)
{
    const char *finding = json_text_of(r->phiid.root, "finding", "");
    double memory = report_memory(r);
    page_put(p, "<div class=\"finding\"><p>");
    page_sentence(p, finding);
    if (memory >= 0.8 && !strstr(finding, "memory")) {
        page_put(p, " But mean synergy follows each unit\xe2\x80\x99s own memory at Spearman ");
        page_number(p, memory);
        page_put(p, ": the ranking may be one of memory.");
    }
    page_put(p, "</p>\n");
    causal_finding(p, r);
    page_put(p, "</div>\n");
}

/* ---- claim by claim --------------------------------------------------------------------- */

static void claim_begin(page *p, const char *claim, answer a)
{
    report_claim_begin(p, claim, report_answer_word(a));
}

static void claim_end(page *p)
{
    report_claim_end(p);
}

/* "22.1 ranks (95 % interval 16.8 to 26.5), p = 0.001" */
static void claim_interval(page *p, const json *v, const char *unit, double chance)
{
    page_number(p, json_number_of(v, "value", (double)NAN));
    page_put(p, unit);
    page_interval(p, json_number_of(v, "low", (double)NAN), json_number_of(v, "high", (double)NAN));
    if (isfinite(chance)) text_print(&p->html, ", p = %.2g", chance);
}

answer report_shape_answer(const shape_evidence *e)
{
    switch (shape_of(e)) {
    case SHAPE_INVERTED: return ANSWER_YES;
    case SHAPE_MIDDLE: return ANSWER_PART;
    case SHAPE_U: return ANSWER_NO;
    case SHAPE_FLAT:
        return shape_surely_high(e, -1) || shape_surely_bent(e, -1) ? ANSWER_NO : ANSWER_OPEN;
    default: return ANSWER_OPEN;
    }
}

static void claim_profile(page *p, const report *r, const char *score, const char *claim)
{
    const shape_evidence e = report_shape(r, score);
    const json *s = json_get(json_get(r->phiid.root, "scores"), score);
    if (shape_of(&e) == SHAPE_NONE) return;
    claim_begin(p, claim, report_shape_answer(&e));
    if (shape_is_open(&e))
        text_print(&p->html, "%.0f prompt%s cannot tell (at least %d are needed); ", e.prompts,
                   e.prompts == 1.0 ? "" : "s", (int)SHAPE_LEAST_PROMPTS);
    page_put(p, "middle third minus outer thirds ");
    claim_interval(p, json_get(s, "middle_minus_outer"), " ranks", e.p_middle);
    page_put(p, "; curvature ");
    claim_interval(p, json_get(s, "curvature"), "", e.p_curvature);
    if (isfinite(e.parabola))
        text_print(&p->html,
                   "; the parabola explains %.0f\xc2\xa0%% of the differences between "
                   "layers%s",
                   100 * e.parabola, e.parabola >= 0.3 ? "" : ", too little for a clear U");
    else page_put(p, "; there is no parabola to these layers, and so no clear U");
    claim_end(p);
}

static void claim_memory(page *p, const report *r)
{
    double seen = report_number(r, "means_nats.synergy_beside_null");
    double null = report_number(r, "means_nats.synergy_null");
    double found = report_number(r, "pairs_beyond_null.synergy");
    double memory = report_memory(r);
    bool tested = isfinite(null);
    if (!tested && !isfinite(memory)) return;
    claim_begin(p, "Synergy is more than memory",
                !tested                    ? ANSWER_UNTESTED
                : seen > null && found > 0 ? ANSWER_YES
                                           : ANSWER_NO);
    if (tested) {
        page_number(p, seen);
        page_put(p, " nats observed, ");
        page_number(p, null);
        page_put(p, " in surrogates; ");
        page_number(p, found);
        page_put(p, " of ");
        page_number(p, report_number(r, "input.pairs"));
        page_put(p, " pairs lie beyond them; ");
    }
    page_put(p, "synergy follows each unit\xe2\x80\x99s memory at Spearman ");
    page_number(p, memory);
    claim_end(p);
}

static void claim_harm(page *p, const json *from, const char *a, const char *b, const char *claim)
{
    const json *test = report_test(from, a, b);
    if (!test) return;
    claim_begin(p, claim, harm_answer(from, test));
    few_prompts_words(p, from, "", "; ");
    page_put(p, "mean KL along the curve differs by ");
    page_number(p, harm_difference(test));
    page_put(p, " nats");
    page_interval(p, json_number_of(test, "low", (double)NAN),
                  json_number_of(test, "high", (double)NAN));
    static const char *const key[2] = {"p_prompts", "p_orders"}, *const over[2] = {"prompts",
                                                                                   "orders"};
    for (int k = 0; k < 2; k++) {
        double chance = json_number_of(test, key[k], (double)NAN);
        if (isfinite(chance)) text_print(&p->html, ", p = %.2g over %s", chance, over[k]);
    }
    claim_end(p);
}

static void claim_untested(page *p, const char *claim, const char *how)
{
    claim_begin(p, claim, ANSWER_UNTESTED);
    text_print(&p->html, "<code>%s</code> does it", how);
    claim_end(p);
}

/* graph.json has the verdicts: yes, no, in part, and raw only. */
static void claim_topology(page *p, const report *r, const char *key, const char *claim)
{
    const char *verdict =
        json_text_of(json_get(json_get(r->graph.root, "claims"), key), "verdict", "");
    if (!*verdict) return;
    bool yes = !strcmp(verdict, "yes"), no = !strcmp(verdict, "no");
    claim_begin(p, claim, yes ? ANSWER_YES : no ? ANSWER_NO : ANSWER_PART);
    if (!strcmp(verdict, "raw only")) page_put(p, "with raw weights only; ");
    page_put(p, "see <a href=\"#topology\">topology</a>");
    claim_end(p);
}

/* "Removing the core (the rank difference) harms more than ...": the reading is named where there
   are two. */
static void claim_of_reading(page *p, const json *from, const char *a, const char *b,
                             const char *claim, const char *core, const reading *by,
                             size_t readings)
{
    char words[300];
    const char *at = core && readings > 1 ? strstr(claim, core) : NULL;
    if (at) {
        at += strlen(core);
        snprintf(words, sizeof words, "%.*s (%s)%s", (int)(at - claim), claim, by->title, at);
    } else {
        snprintf(words, sizeof words, "%s", claim);
    }
    claim_harm(p, from, a, b, words);
}

static void claims_of_removal(page *p, const json *ablation)
{
    reading by[MOST_READINGS];
    const size_t n = readings_of(ablation, by);
    for (size_t k = 0; k < n; k++) {
        const reading *r = &by[k];
        claim_of_reading(p, ablation, r->order, "random",
                         "Removing the core harms more than removing at random", "the core", r, n);
        claim_harm(p, ablation, r->order, r->matched,
                   "\xe2\x80\xa6 than at random from the same layers");
        claim_harm(p, ablation, r->order, r->reverse,
                   "\xe2\x80\xa6 than removing the lowest scores first");
        claim_harm(p, ablation, r->order, "norm", "\xe2\x80\xa6 than removing the largest norms");
    }
}

static void claims_of_noise(page *p, const json *perturb)
{
    reading by[MOST_READINGS];
    const size_t n = readings_of(perturb, by);
    for (size_t k = 0; k < n; k++) {
        claim_of_reading(p, perturb, by[k].core, "random",
                         "Noise in the core harms more than in random places", "the core", &by[k],
                         n);
        claim_harm(p, perturb, by[k].core, by[k].periphery, "\xe2\x80\xa6 than in the periphery");
    }
}

void report_claims(page *p, const report *r)
{
    const json *ablation = r->ablation.root, *perturb = r->perturb.root;
    page_put(p, "<h2 id=\"claims\">Claim by claim</h2>\n<dl class=\"claims\">\n");
    claim_profile(p, r, "rank-difference",
                  "Inverted U of the rank difference, as the paper\xe2\x80\x99s text defines it");
    claim_profile(p, r, "difference",
                  "Inverted U of the rank of the difference, as its figures seem to show");
    claim_memory(p, r);
    claim_topology(p, r, "synergy_more_efficient",
                   "The synergistic network is the more efficient one");
    claim_topology(p, r, "redundancy_more_modular",
                   "The redundant network is the more modular one");
    if (ablation) {
        claims_of_removal(p, ablation);
    } else if (report_model(r)) {
        claim_untested(p, "Removing the core harms more than removing at random",
                       "synergy ablate MODEL DIR");
    }
    if (perturb) {
        claims_of_noise(p, perturb);
    } else if (report_model(r)) {
        claim_untested(p, "Noise in the core harms more than in random places",
                       "synergy perturb MODEL DIR");
    }
    if (report_model(r) || r->emergence.root) report_emergence_claims(p, r);
    if (report_model(r)) report_tuning_claims(p, r);
    page_put(p, "</dl>\n");
}
