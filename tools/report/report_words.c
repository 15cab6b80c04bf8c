/* report_words.c - what the figures say, and the limits of the method, in sentences. */
#include "report/report.h"

#include <stdlib.h>
#include <string.h>

/* Where the top quarter lies: the plainest picture of a core. */
static void quarter_words(page *p, const report *r, unit_column column, const char *name)
{
    size_t n, third[3] = {0, 0, 0}, size[3] = {0, 0, 0};
    size_t *order = report_order(r, r->column[column], &n);
    size_t top = n / 4;
    for (size_t i = 0; i < n; i++) {
        size_t layer = order[i] / r->per_layer;
        size_t k = 3 * layer < r->layers - 1 ? 0 : 3 * layer > 2 * (r->layers - 1) ? 2 : 1;
        size[k]++;
        if (i < top) third[k]++;
    }
    free(order);
    if (r->layers < 6 || top < 4) return;
    char s[300];
    snprintf(s, sizeof s,
             "Of the %zu %s in the top quarter by %s, %zu lie in the first third of the layers, "
             "%zu in "
             "the middle third and %zu in the last (by chance: %.0f, %.0f and %.0f).",
             top, r->many, name, third[0], third[1], third[2],
             (double)top * (double)size[0] / (double)n, (double)top * (double)size[1] / (double)n,
             (double)top * (double)size[2] / (double)n);
    page_put(p, "<li>");
    page_text(p, s);
    page_put(p, "</li>\n");
}

void report_words(page *p, const report *r)
{
    page_put(p, "<h2 id=\"words\">What the figures say</h2>\n<ul class=\"two\">\n");
    page_list(p, r->phiid.root, "conclusions");
    quarter_words(p, r, UNIT_RANK_DIFFERENCE, "rank difference");
    quarter_words(p, r, UNIT_DIFFERENCE_RANK, "rank of the difference");
    page_list(p, r->phiid.root, "notes");
    page_put(p, "</ul>\n");
}

void report_method(page *p, const report *r)
{
    const json *root = r->phiid.root;
    const char *redundancy = json_text_of(root, "settings.redundancy", "mmi");
    page_put(p, "<h2 id=\"limits\">Method and its limits</h2>\n<p>");
    text_print(&p->html,
               "For each prompt and each pair of %s, integrated information decomposition "
               "(Mediano et al. 2021) splits what the pair\xe2\x80\x99s past tells about its "
               "future, %.0f "
               "sample%s later, into sixteen atoms, the series taken as jointly Gaussian and the "
               "redundancy "
               "as ",
               r->many, report_number(r, "settings.tau"),
               report_number(r, "settings.tau") == 1.0 ? "" : "s");
    page_put(p, strcmp(redundancy, "ccs") ? "the minimum mutual information (MMI)"
                                          : "the common change in surprisal (CCS)");
    page_put(p,
             ". <i>Synergy</i> is the atom sts: what only both together hold, now and later. "
             "<i>Redundancy</i> is rtr: what each holds alone, now and later. The figure of a unit "
             "is the "
             "mean over its pairs and prompts.</p>\n<ul>\n");
    if (strcmp(redundancy, "ccs"))
        page_put(p,
                 "<li>With MMI the synergy of two unrelated series is not zero: it is twice the "
                 "smaller of "
                 "their self-informations. A slow unit looks synergistic with everything. Only a "
                 "null that "
                 "keeps each unit\xe2\x80\x99s memory, such as circular shifts "
                 "(<code>--surrogates</code>), "
                 "tells coupling from memory.</li>\n");
    page_put(p,
             "<li>Short series are biased: at 100 samples independent white noise has about 0.0035 "
             "nats of "
             "synergy and 0.0006 of redundancy, and series with memory have more.</li>\n"
             "<li>Where mean synergy and mean redundancy of the units go together, their rank "
             "difference is "
             "a small difference of two large numbers; its reliability is stated above.</li>\n"
             "<li>Intervals are drawn over prompts: they say how the result would vary with other "
             "prompts of "
             "the same kind, not with another model or another way of measuring.</li>\n"
             "<li>A norm is one number of a unit\xe2\x80\x99s output. Units can share information "
             "that their "
             "norms do not show.</li>\n</ul>\n");
}
