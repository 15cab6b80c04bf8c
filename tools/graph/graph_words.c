/* graph_words.c - the paper's claim about topology, tested: that the synergistic network is the
   more efficient, the redundant one the more modular. */
#include "graph/graph.h"

#include <math.h>
#include <string.h>

static void say(json_out *j, text *t)
{
    if (t->length) json_text_bytes(j, NULL, t->at, t->length);
    text_free(t);
}

static bool larger(double a, double b)
{
    return a > b;
}

/* Raw efficiency is mean weight times what the wiring adds: only what is left when the weights
   are put on one scale can be about topology. */
typedef enum claim { CLAIM_NO, CLAIM_RAW, CLAIM_PART, CLAIM_YES } claim;

static claim efficiency_claim(const graph_work *w)
{
    const syn_graph *s = &w->net[0].graph, *r = &w->net[1].graph;
    bool raw = larger(s->efficiency_weighted, r->efficiency_weighted);
    bool scaled = larger(s->efficiency_over_mean_weight, r->efficiency_over_mean_weight);
    bool top = larger(s->efficiency_binary_top, r->efficiency_binary_top);
    if (scaled && top) return raw ? CLAIM_YES : CLAIM_PART;
    return scaled || top ? CLAIM_PART : raw ? CLAIM_RAW : CLAIM_NO;
}

static double z_of(const graph_work *w, int net, int kind, int figure)
{
    return w->nulls ? w->net[net].null[kind][figure].z : (double)NAN;
}

static claim modularity_claim(const graph_work *w)
{
    double zs = z_of(w, 0, SYN_NULL_SHUFFLE, GRAPH_Q), zr = z_of(w, 1, SYN_NULL_SHUFFLE, GRAPH_Q);
    bool raw = larger(w->net[1].graph.louvain_q, w->net[0].graph.louvain_q);
    if (!isfinite(zs) || !isfinite(zr)) return raw ? CLAIM_PART : CLAIM_NO;
    if (raw && larger(zr, zs) && zr > 2) return CLAIM_YES;
    return raw ? CLAIM_RAW : zr > zs && zr > 2 ? CLAIM_PART : CLAIM_NO;
}

static void claims_json(const graph_work *w, json_out *j)
{
    static const char *const verdict[] = {"no", "raw only", "in part", "yes"};
    const syn_graph *s = &w->net[0].graph, *r = &w->net[1].graph;
    json_object(j, "claims");
    json_object(j, "synergy_more_efficient");
    json_text(j, "verdict", verdict[efficiency_claim(w)]);
    json_bool(j, "raw_weights", larger(s->efficiency_weighted, r->efficiency_weighted));
    json_bool(j, "over_mean_weight",
              larger(s->efficiency_over_mean_weight, r->efficiency_over_mean_weight));
    json_bool(j, "over_largest_weight",
              larger(s->efficiency_weighted_normalised, r->efficiency_weighted_normalised));
    json_bool(j, "strongest_tenth", larger(s->efficiency_binary_top, r->efficiency_binary_top));
    json_object_end(j);
    json_object(j, "redundancy_more_modular");
    json_text(j, "verdict", verdict[modularity_claim(w)]);
    json_bool(j, "louvain_q", larger(r->louvain_q, s->louvain_q));
    if (w->nulls)
        json_bool(
            j, "against_null",
            larger(z_of(w, 1, SYN_NULL_SHUFFLE, GRAPH_Q), z_of(w, 0, SYN_NULL_SHUFFLE, GRAPH_Q)));
    if (w->partition)
        json_bool(j, "partition_q", larger(w->net[1].partition_q, w->net[0].partition_q));
    json_object_end(j);
    json_object_end(j);
}

static void efficiency_words(const graph_work *w, json_out *j)
{
    static const char *const says[] = {
        "The synergistic network is not the more efficient one",
        ("The synergistic network is the more efficient one only where its weights are larger to "
         "begin with"),
        "Whether the synergistic network is the more efficient one depends on how it is measured",
        "The synergistic network is the more efficient one"};
    const syn_graph *s = &w->net[0].graph, *r = &w->net[1].graph;
    text t = {NULL, 0, 0};
    text_print(
        &t,
        "%s: global efficiency is %.3g for synergy and %.3g for redundancy with raw weights "
        "(mean weights %.3g and %.3g nats), %.3g and %.3g over the mean weight, and %.3g and "
        "%.3g over the strongest tenth of the pairs without weights.",
        says[efficiency_claim(w)], s->efficiency_weighted, r->efficiency_weighted, s->mean_weight,
        r->mean_weight, s->efficiency_over_mean_weight, r->efficiency_over_mean_weight,
        s->efficiency_binary_top, r->efficiency_binary_top);
    say(j, &t);
}

static void modularity_words(const graph_work *w, json_out *j)
{
    static const char *const says[] = {
        "The redundant network is not the more modular one",
        "The redundant network has the larger modularity, but not against its null networks",
        "The redundant network is the more modular one by one measure only",
        "The redundant network is the more modular one"};
    text t = {NULL, 0, 0};
    const network *s = &w->net[0], *r = &w->net[1];
    text_print(&t,
               "%s: Louvain finds Q = %.3g in %zu parts for redundancy and %.3g in %zu for "
               "synergy",
               says[modularity_claim(w)], r->graph.louvain_q, r->graph.communities,
               s->graph.louvain_q, s->graph.communities);
    if (isfinite(s->partition_q) && isfinite(r->partition_q))
        text_print(&t, "; the given parts (%s) have %.3g and %.3g", w->partition_name,
                   r->partition_q, s->partition_q);
    text_add(&t, ".");
    say(j, &t);
}

/* "z = 3.1", or that it cannot be had. */
static void z_words(text *t, const null_figure *f)
{
    if (isfinite(f->z)) text_print(t, fabs(f->z) >= 100 ? "z = %.0f" : "z = %.2g", f->z);
    else text_add(t, "no spread");
}

static void null_words(const graph_work *w, json_out *j)
{
    static const char *const what[2] = {
        "networks with the same weights dealt out anew",
        "rewirings of the strongest tenth that keep every node's number of edges"};
    static const graph_figure efficiency[2] = {GRAPH_EFFICIENCY, GRAPH_TOP_BINARY};
    for (int kind = 0; w->nulls && kind < 2; kind++) {
        text t = {NULL, 0, 0};
        text_print(&t, "Against %zu %s,", w->nulls, what[kind]);
        for (int k = 0; k < 2; k++) {
            const null_figure *f = w->net[k].null[kind];
            text_print(&t, "%s the %s network has efficiency %.3g (null %.3g, ", k ? ";" : "",
                       k ? "redundant" : "synergistic", f[efficiency[kind]].seen,
                       f[efficiency[kind]].mean);
            z_words(&t, &f[efficiency[kind]]);
            text_print(&t, ") and modularity %.3g (null %.3g, ", f[GRAPH_Q].seen, f[GRAPH_Q].mean);
            z_words(&t, &f[GRAPH_Q]);
            text_add(&t, ")");
        }
        text_add(&t, ".");
        say(j, &t);
    }
}

/* Weights that are there and count as no edge. */
static void dropped_words(const graph_work *w, const network *n, json_out *j)
{
    text t = {NULL, 0, 0};
    if (!(n->negative + n->unknown)) return;
    text_print(
        &t,
        "%zu of %zu pairs of the %s network are no edges: %zu weights are negative, %zu unknown.",
        n->negative + n->unknown, w->nodes * (w->nodes - 1) / 2, n->name, n->negative, n->unknown);
    say(j, &t);
}

void graph_words(const graph_work *w, json_out *j)
{
    text t = {NULL, 0, 0};
    claims_json(w, j);
    json_array(j, "conclusions");
    if (!w->net[0].graph.edges || !w->net[1].graph.edges) {
        text_print(&t, "The %s network has no edges: nothing can be compared.",
                   w->net[0].graph.edges ? "redundant" : "synergistic");
        say(j, &t);
    } else {
        efficiency_words(w, j);
        modularity_words(w, j);
        null_words(w, j);
    }
    for (int k = 0; k < 2; k++) dropped_words(w, &w->net[k], j);
    json_array_end(j);
}
