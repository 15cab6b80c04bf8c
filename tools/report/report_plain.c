/* report_plain.c - for somebody who never heard of it: what was asked, what was found, how sure
   that is; the paper; and the words that the figures use. */
#include "report/report.h"

#include <math.h>
#include <string.h>

/* ---- what was asked --------------------------------------------------------------------- */

static const char paper_cited[] =
    "Urbina-Rodriguez, Fountas, Rosas, Wang, Luppi, Bou-Ammar, Shanahan and Mediano (2026), "
    "<cite>A Brain-like "
    "Synergistic Core in LLMs Drives Behaviour and Learning</cite>, "
    "<a href=\"https://arxiv.org/abs/2601.06851\">arXiv:2601.06851</a>";

static void asked(page *p, const report *r)
{
    const double prompts = report_number(r, "input.prompts_used");
    page_put(p, "<p><b>What was asked.</b> ");
    if (report_model(r)) {
        text_print(&p->html,
                   "A language model is a stack of layers, and each layer has several %s that work "
                   "side by side. While "
                   "this model read or wrote %.0f texts, the strength of the output of each of its "
                   "%zu %s was recorded, "
                   "word piece by word piece. ",
                   r->many, isfinite(prompts) ? prompts : 0, r->count, r->many);
    } else {
        text_print(&p->html, "%zu quantities (called units here) were recorded over time. ",
                   r->count);
    }
    text_print(&p->html,
               "Two %s can know the same about what comes next (<a "
               "href=\"#word-redundancy\">redundancy</a>), or something "
               "that shows only when both are seen together (<a "
               "href=\"#word-synergy\">synergy</a>). Where is there more of "
               "which? The paper that the method comes from found synergy in the middle layers of "
               "language models, as "
               "in the brain, and redundancy at both ends: ",
               r->many);
    page_put(p, paper_cited);
    page_put(p, ".</p>\n");
}

/* ---- what was found --------------------------------------------------------------------- */

static const char *found_of(answer a)
{
    static const char *const words[] = {
        "the middle layers stand out for synergy, as in the paper",
        "the middle layers do not stand out for synergy, unlike in the paper",
        "the middle layers are somewhat higher in synergy, without the clear arch of the paper",
        "it cannot be told whether the middle layers stand out for synergy", "this was not tested"};
    return words[a];
}

static void found(page *p, const report *r)
{
    page_put(p, "<p><b>What was found.</b> ");
    if (r->layers < 3) {
        page_put(p, "The recording has too few layers to ask where in the depth synergy lies; the "
                    "figures below compare the ");
        page_text(p, r->many);
        page_put(p, ".</p>\n");
        return;
    }
    const shape_evidence text_of = report_shape(r, "rank-difference"),
                         figures_of = report_shape(r, "difference");
    const answer a = report_shape_answer(&text_of), b = report_shape_answer(&figures_of);
    page_put(p, "The paper can be read in two ways. ");
    if (a == b) text_print(&p->html, "Under both, %s", found_of(a));
    else
        text_print(&p->html,
                   "By what its text says (<a href=\"#word-rank-difference\">rank difference</a>), "
                   "%s; by what its figures "
                   "seem to show (<a href=\"#word-difference\">difference</a>), %s",
                   found_of(a), found_of(b));
    page_put(p, ".</p>\n");
}

/* ---- how sure --------------------------------------------------------------------------- */

static const char *reliability_words(double v)
{
    return v >= 0.8   ? "nearly the same order"
           : v >= 0.6 ? "roughly the same order"
                      : "rather another order";
}

static void sure(page *p, const report *r)
{
    const double prompts = report_number(r, "input.prompts_used"), memory = report_memory(r);
    const double reliable = report_number(r, "scores.difference.reliability");
    const double seen = report_number(r, "means_nats.synergy_beside_null"),
                 null = report_number(r, "means_nats.synergy_null");
    page_put(p, "<p><b>How sure that is.</b> ");
    if (prompts < SHAPE_LEAST_PROMPTS)
        text_print(&p->html, "With %.0f text%s nothing is beyond doubt: at least %d are needed. ",
                   prompts, prompts == 1.0 ? "" : "s", (int)SHAPE_LEAST_PROMPTS);
    if (isfinite(reliable))
        text_print(&p->html,
                   "Another set of as many such texts would give %s of the %s by the difference "
                   "(reliability %.2f of at most 1). ",
                   reliability_words(reliable), r->many, reliable);
    if (memory >= 0.8)
        text_print(&p->html,
                   "Be careful: who is high in synergy is mostly who changes slowly (<a "
                   "href=\"#word-memory\">memory</a>, "
                   "Spearman %.2f), and slowness alone looks like synergy to this measure. ",
                   memory);
    if (isfinite(seen) && isfinite(null) && seen > 0)
        text_print(&p->html,
                   "When the links between %s are cut and their memory is kept, %.0f\xc2\xa0%% of "
                   "the synergy remains. ",
                   r->many, 100 * null / seen);
    page_put(p, "One model, or one recording, says nothing of others; what speaks for and against "
                "each claim stands below.</p>\n");
}

void report_plain(page *p, const report *r)
{
    page_put(p, "<section id=\"plain\" class=\"plain\" aria-label=\"In plain words\">\n");
    asked(p, r);
    found(p, r);
    sure(p, r);
    page_put(p, "</section>\n");
}

/* ---- glossary --------------------------------------------------------------------------- */

const page_word report_word[] = {
    {"phiid",
     "PhiID",
     "integrated information decomposition: what two series together tell of their own future, "
     "split into sixteen "
     "parts (atoms), by who knows it now and who knows it later. Synergy and redundancy are two of "
     "them.",
     {"PhiID", NULL}},
    {"synergy",
     "Synergy (sts)",
     "what only both together hold, now and later: neither of the two alone tells it. Like a "
     "picture in "
     "depth, which needs both eyes.",
     {"synergy", NULL}},
    {"redundancy",
     "Redundancy (rtr)",
     "what each of the two holds alone, now and later: a copy, so that one could be lost.",
     {"redundancy", NULL}},
    {"rank-difference",
     "Rank difference",
     "place in the order by synergy minus place in the order by redundancy: the score that the "
     "paper's text defines. High: more synergistic than redundant.",
     {"rank difference", NULL}},
    {"difference",
     "Difference",
     "synergy minus redundancy, and its rank: the score from which the paper's figures seem to be "
     "made.",
     {"rank of the difference", NULL}},
    {"core",
     "Core",
     "the units with the highest score, wherever they lie; the paper's claim is that they lie in "
     "the middle layers, and "
     "that losing them harms more than losing others.",
     {"core", NULL}},
    {"memory",
     "Memory (self-information)",
     "how well a series' own past tells its own future. A slow series has much of it, and with the "
     "usual measure (MMI) two unrelated slow series already have synergy.",
     {"memory", "self-information", NULL}},
    {"excess",
     "Excess",
     "synergy less what surrogates have: series with the same memory, and no link between them.",
     {"surrogates", "excess", NULL}},
    {"nats", "Nat", "the unit of information here; one nat is 1.44 bits.", {"nats", NULL}},
    {"interval",
     "95 % interval",
     "where the value would lie in 95 of 100 repetitions with other prompts of the same kind.",
     {"95 % interval", "95\xc2\xa0% interval", NULL}},
    {"percentile",
     "Percentile of a layer",
     "its place among the layers in the order of their means: 0 % the lowest, 100 % the highest.",
     {"percentile of the layer", "percentile of each", NULL}},
    {"kl",
     "KL (Kullback-Leibler divergence)",
     "how far the changed model's probabilities of the next token are from those of the intact "
     "model; 0 where nothing has changed.",
     {"KL", NULL}},
    {"null-network",
     "Null network",
     "the same network with its weights, or its edges, dealt out anew: what a figure of the "
     "network would be without its order.",
     {"null networks", "null network", NULL}},
    {NULL, NULL, NULL, {NULL}},
};

void report_glossary(page *p, const report *r)
{
    (void)r;
    page_put(p, "<h2 id=\"glossary\">Words</h2>\n<dl class=\"glossary\">\n");
    for (size_t i = 0; report_word[i].id; i++) {
        text_print(&p->html, "<dt id=\"word-%s\"><dfn>", report_word[i].id);
        page_text(p, report_word[i].term);
        page_put(p, "</dfn></dt><dd>");
        page_text(p, report_word[i].words);
        page_put(p, "</dd>\n");
    }
    page_put(p, "</dl>\n");
}
