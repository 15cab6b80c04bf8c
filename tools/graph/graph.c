/* graph.c - topology of one matrix, or of the synergy and the redundancy network of a result
   folder, against null networks. The measures are the header's. */
#include "graph/graph.h"

#include "engine/model.h"
#include "engine/unit_list.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The defaults: nulls of a result folder (a single matrix has none unless asked), and starts of
   Louvain for each null network, which its own network is measured with, too. Local efficiency
   grows with the cube of the nodes (all joined, one core: 10 s at 600, about a minute at 1000):
   larger networks have none, and a note says so. */
enum {
    FOLDER_NULLS = 100,
    LARGE_NULLS = 20,
    LARGE_NODES = 500,
    NULL_RESTARTS = 5,
    LOCAL_NODES = 1000
};

double graph_disk_bytes(size_t units)
{
    return 30e3 + 12.0 * (double)units;
}

void graph_defaults(graph_options *o)
{
    memset(o, 0, sizeof *o);
    o->nulls = -1;
    o->restarts = 50;
    o->seed = 1;
    o->gamma = 1;
    o->keep = 1;
    o->densities = "0.05,0.1,0.2,0.3";
}

bool graph_densities(const char *words, double *density, size_t *count)
{
    *count = 0;
    for (;;) {
        char *end;
        double value = strtod(words, &end);
        if (end == words || !(value > 0 && value <= 1) || *count == GRAPH_DENSITIES) return false;
        density[(*count)++] = value;
        if (!*end) return true;
        if (*end != ',') return false;
        words = end + 1;
    }
}

/* ---- reading -------------------------------------------------------------------------- */

static bool read_partition(graph_work *w, problem *why)
{
    npy a;
    char shape[200];
    const char *path = w->options->partition;
    if (!npy_open(&a, path, why)) return false;
    npy_shape_text(&a, shape, sizeof shape);
    bool good = !npy_is_float(&a) && a.dims == 1 && a.count == w->nodes;
    if (!good)
        problem_set(why, "%s: is %s %s, not a whole number for each of the %zu nodes", path,
                    npy_type_text(a.type), shape, w->nodes);
    if (good) w->partition = tool_alloc(w->nodes, sizeof *w->partition);
    for (size_t i = 0; good && i < w->nodes; i++) {
        int64_t part = npy_int(&a, i);
        good = part >= INT32_MIN && part <= INT32_MAX;
        if (good) w->partition[i] = (int32_t)part;
        else problem_set(why, "%s: element %zu does not fit 32 bits", path, i);
    }
    npy_close(&a);
    snprintf(w->partition_name, sizeof w->partition_name, "%s", path_base(path));
    return good;
}

/* Are a folder's units experts? Of older folders, whose units.csv has no such names, its JSON files
   tell. */
static bool units_are_experts(const char *directory, bool *experts, problem *why)
{
    static const char *const file[2] = {"run.json", "phiid.json"}, *const key[2] = {
                                                                       "settings.units",
                                                                       "units_are"};
    *experts = false;
    for (int i = 0; i < 2 && !*experts; i++) {
        char path[TOOL_PATH_BYTES];
        json_file f;
        if (!path_join(path, directory, file[i], why) || !json_read_if_there(&f, path, why))
            return false;
        *experts = choice_is_experts(json_text_of(f.root, key[i], ""));
        json_free(&f);
    }
    return true;
}

/* units.csv tells the layers: the partition of a result folder unless one is given. */
static bool read_layers(graph_work *w, problem *why)
{
    char path[TOOL_PATH_BYTES];
    csv c;
    double layer = 0;
    if (!path_join(path, w->options->input, "units.csv", why)) return false;
    if (!path_exists(path)) return true;
    if (!csv_read(&c, path, why)) return false;
    int column = csv_column(&c, "layer");
    bool good = c.rows == w->nodes ||
                problem_set(why, "%s: has %zu units, synergy.npy has %zu", path, c.rows, w->nodes);
    if (good && column >= 0) {
        w->partition = tool_alloc(w->nodes, sizeof *w->partition);
        for (size_t i = 0; good && i < w->nodes; i++) {
            good = (csv_double(csv_cell(&c, i, column), &layer) && layer >= 0 &&
                    layer < (double)w->nodes) ||
                   problem_set(why, "%s: row %zu: layer '%.40s'", path, i + 1,
                               csv_cell(&c, i, column));
            if (good) w->partition[i] = (int32_t)layer;
        }
        w->first_layer = good ? (size_t)w->partition[0] : 0;
        w->layers =
            good && (size_t)layer >= w->first_layer ? (size_t)layer + 1 - w->first_layer : 0;
        if (w->layers && w->nodes % w->layers == 0) w->per_layer = w->nodes / w->layers;
        bool experts;
        good = good && units_are_experts(w->options->input, &experts, why);
        if (good) w->name = unit_names(&c, experts);
        snprintf(w->partition_name, sizeof w->partition_name, "layers");
    }
    csv_free(&c);
    return good;
}

static bool read_folder(graph_work *w, problem *why)
{
    static const char *const name[2] = {"synergy", "redundancy"};
    char path[TOOL_PATH_BYTES], file[32];
    w->networks = 2;
    for (int k = 0; k < 2; k++) {
        snprintf(file, sizeof file, "%s.npy", name[k]);
        if (!path_join(path, w->options->input, file, why)) return false;
        if (!path_exists(path))
            return problem_set(why, "%s: holds no %s (synergy phiid writes it)", w->options->input,
                               file);
        if (!network_read(&w->net[k], path, name[k], w->options->symmetrise, why)) return false;
    }
    if (w->net[0].nodes != w->net[1].nodes)
        return problem_set(why, "%s: synergy.npy has %zu rows, redundancy.npy %zu",
                           w->options->input, w->net[0].nodes, w->net[1].nodes);
    return true;
}

static bool read_all(graph_work *w, problem *why)
{
    const graph_options *o = w->options;
    w->folder = path_is_directory(o->input);
    w->networks = 1;
    if (!(w->folder ? read_folder(w, why)
                    : network_read(&w->net[0], o->input, path_base(o->input), o->symmetrise, why)))
        return false;
    w->nodes = w->net[0].nodes;
    w->name = w->net[0].label;
    w->net[0].label = NULL;
    if (w->folder && !read_layers(w, why)) return false;
    if (!o->partition) return true;
    free(w->partition);
    w->partition = NULL;
    return read_partition(w, why);
}

/* ---- measuring ------------------------------------------------------------------------ */

static syn_graph_desc desc_of(const graph_work *w, size_t restarts)
{
    syn_graph_desc d;
    memset(&d, 0, sizeof d);
    d.nodes = w->nodes;
    d.gamma = w->options->gamma;
    d.restarts = restarts;
    d.seed = (uint64_t)w->options->seed;
    d.parallel = w->parallel;
    return d;
}

/* One block serves every call: the largest of what they measure. */
typedef struct scratch {
    void *block;
    size_t bytes;
} scratch;

static bool open_scratch(const graph_work *w, scratch *s, problem *why)
{
    syn_error err;
    syn_graph g;
    syn_graph_desc d = desc_of(w, 0);
    syn_arena arena = syn_arena_measure();
    size_t kept;
    double q;
    if (syn_graph_measure(&g, w->net[0].weight, &d, &arena, &err) != SYN_OK)
        return problem_engine(why, NULL, &err);
    s->bytes = arena.used;
    arena = syn_arena_measure();
    syn_graph_null(NULL, w->nodes, SYN_NULL_REWIRE, 0, NULL, &arena, &err);
    if (arena.used > s->bytes) s->bytes = arena.used;
    arena = syn_arena_measure();
    syn_graph_threshold(NULL, w->nodes, 0.1, NULL, &kept, &arena, &err);
    if (arena.used > s->bytes) s->bytes = arena.used;
    arena = syn_arena_measure();
    syn_graph_local_efficiency(NULL, w->nodes, &w->parallel, NULL, &arena, &err);
    if (arena.used > s->bytes) s->bytes = arena.used;
    arena = syn_arena_measure();
    syn_graph_communities_signed(NULL, &d, NULL, &q, &arena, &err);
    if (arena.used > s->bytes) s->bytes = arena.used;
    s->bytes += SYN_ALIGN;
    s->block = tool_alloc(s->bytes, 1);
    return true;
}

static bool measure(const graph_work *w, const scratch *s, const double *weight, size_t restarts,
                    double density, syn_graph *g, problem *why)
{
    syn_error err;
    syn_graph_desc d = desc_of(w, restarts);
    syn_arena arena = syn_arena_on(s->block, s->bytes);
    d.density = density;
    return syn_graph_measure(g, weight, &d, &arena, &err) == SYN_OK ||
           problem_engine(why, NULL, &err);
}

/* Where some weights repel, the parts that this makes. */
static bool measure_signed(const graph_work *w, network *n, const scratch *s, problem *why)
{
    syn_error err;
    const syn_graph_desc d = desc_of(w, (size_t)w->options->restarts);
    syn_arena arena = syn_arena_on(s->block, s->bytes);
    n->signed_part = tool_alloc(w->nodes, sizeof *n->signed_part);
    return syn_graph_communities_signed(n->weight, &d, n->signed_part, &n->signed_best, &arena,
                                        &err) == SYN_OK ||
           problem_engine(why, NULL, &err);
}

/* The longest part of measuring a network: from the log, else computed and into it. */
static bool local_efficiency(graph_work *w, network *n, syn_arena *arena, problem *why)
{
    const size_t key = (size_t)w->networks * 2 * w->nulls + (size_t)(n - w->net);
    const size_t bytes = w->nodes * sizeof *n->local;
    syn_error err;
    text had = {NULL, 0, 0};
    if (work_has(&w->log, key)) {
        const bool whole = work_read(&w->log, key, &had, why) && had.length == bytes;
        if (whole) memcpy(n->local, had.at, bytes);
        text_free(&had);
        return whole || problem_set(why, "%s: a network cannot be read back", w->log.path);
    }
    if (syn_graph_local_efficiency(n->weight, w->nodes, &w->parallel, n->local, arena, &err) !=
        SYN_OK)
        return problem_engine(why, NULL, &err);
    return work_add(&w->log, key, n->local, bytes, why);
}

/* What single nodes are, over the given parts or else the communities that were found. */
static bool measure_nodes(graph_work *w, network *n, const scratch *s, problem *why)
{
    syn_error err;
    const int32_t *part = w->partition ? w->partition : n->graph.community;
    syn_arena arena = syn_arena_on(s->block, s->bytes), again = arena, more = arena;
    n->participation = tool_alloc(w->nodes, sizeof(double));
    if (n->negative && !measure_signed(w, n, s, why)) return false;
    if (w->nodes <= LOCAL_NODES) n->local = tool_alloc(w->nodes, sizeof(double));
    else if (n == &w->net[0])
        tool_note("local efficiency is left out: it grows with the cube of the nodes, and of more "
                  "than %d it takes longer "
                  "than all else",
                  (int)LOCAL_NODES);
    if (syn_graph_modularity_signed(n->weight, w->nodes, part, &n->signed_q, &arena, &err) !=
            SYN_OK ||
        syn_graph_participation(n->weight, w->nodes, part, n->participation, &again, &err) !=
            SYN_OK)
        return problem_engine(why, NULL, &err);
    return !n->local || local_efficiency(w, n, &more, why);
}

/* The whole network once with all starts, then its other densities with one. */
static bool measure_network(graph_work *w, network *n, const scratch *s, problem *why)
{
    syn_error err;
    syn_graph g;
    if (!measure(w, s, n->weight, (size_t)w->options->restarts, 0, &n->graph, why)) return false;
    n->block = tool_alloc(w->nodes, sizeof(int32_t));
    memcpy(n->block, n->graph.community, w->nodes * sizeof(int32_t));
    n->graph.community = n->block;
    n->partition_q = (double)NAN;
    if (w->partition) {
        syn_arena arena = syn_arena_on(s->block, s->bytes);
        if (syn_graph_modularity(n->weight, w->nodes, w->partition, w->options->gamma,
                                 &n->partition_q, &arena, &err) != SYN_OK)
            return problem_engine(why, NULL, &err);
    }
    if (!measure_nodes(w, n, s, why)) return false;
    for (size_t k = 0; k < w->densities; k++) {
        if (!measure(w, s, n->weight, 1, w->density[k], &g, why)) return false;
        n->kept[k] = g.kept;
        n->binary[k] = g.efficiency_binary_top;
        n->weighted[k] = g.efficiency_weighted_top;
    }
    return true;
}

/* ---- null networks -------------------------------------------------------------------- */

static void figures_of(const syn_graph *g, double figure[GRAPH_FIGURES])
{
    figure[GRAPH_EFFICIENCY] = g->efficiency_weighted;
    figure[GRAPH_TOP_WEIGHTED] = g->efficiency_weighted_top;
    figure[GRAPH_TOP_BINARY] = g->efficiency_binary_top;
    figure[GRAPH_Q] = g->louvain_q;
}

/* Means and spreads as they come (Welford 1962); p counts nulls at least as large. */
static void add_null(null_figure *f, double value, size_t count)
{
    double off = value - f->mean;
    f->mean += off / (double)count;
    f->sd += off * (value - f->mean);
    f->p += value >= f->seen ? 1 : 0;
}

/* A spread that is rounding only tells that the null keeps the figure, as weight shuffling of a
   complete network keeps its binary efficiency: then there is no z. */
static void finish_null(null_figure *f, size_t count)
{
    f->sd = count > 1 ? sqrt(f->sd / (double)(count - 1)) : (double)NAN;
    f->z = f->sd > 1e-12 * fabs(f->mean) ? (f->seen - f->mean) / f->sd : (double)NAN;
    f->p = (1 + f->p) / ((double)count + 1);
}

/* The figures of null network number k from 1 on: from the log, else measured and into it. */
static bool one_null(graph_work *w, const network *n, syn_null kind, size_t k, const double *base,
                     double *to, const scratch *s, double figure[GRAPH_FIGURES], problem *why)
{
    const size_t which = (size_t)(n - w->net) * 2 + (size_t)kind, key = which * w->nulls + k - 1;
    enum { BYTES = GRAPH_FIGURES * sizeof *figure };
    syn_error err;
    syn_graph g;
    text had = {NULL, 0, 0};
    if (work_has(&w->log, key)) {
        const bool whole = work_read(&w->log, key, &had, why) && had.length == BYTES;
        if (whole) memcpy(figure, had.at, BYTES);
        text_free(&had);
        return whole ||
               problem_set(why, "%s: null network %zu cannot be read back", w->log.path, k);
    }
    syn_arena arena = syn_arena_on(s->block, s->bytes);
    if (syn_graph_null(base, w->nodes, kind, (uint64_t)w->options->seed * UINT64_C(1000003) + k, to,
                       &arena, &err) != SYN_OK)
        return problem_engine(why, NULL, &err);
    if (!measure(w, s, to, w->null_restarts, 0, &g, why)) return false;
    figures_of(&g, figure);
    return work_add(&w->log, key, figure, BYTES, why);
}

/* Weights are shuffled over all edges. Rewiring needs a network with gaps: of the strongest tenth,
   whose whole is then the "top", too. */
static bool null_of(graph_work *w, network *n, syn_null kind, const scratch *s, progress *bar,
                    double *done, problem *why)
{
    syn_error err;
    syn_graph g;
    double figure[GRAPH_FIGURES];
    size_t kept;
    double *base = tool_alloc(w->nodes * w->nodes, sizeof *base);
    double *to = tool_alloc(w->nodes * w->nodes, sizeof *to);
    syn_arena arena = syn_arena_on(s->block, s->bytes);
    memcpy(base, n->weight, w->nodes * w->nodes * sizeof *base);
    bool good =
        kind != SYN_NULL_REWIRE ||
        syn_graph_threshold(n->weight, w->nodes, 0.1, base, &kept, &arena, &err) == SYN_OK ||
        problem_engine(why, NULL, &err);
    good = good && measure(w, s, base, w->null_restarts, 0, &g, why);
    if (good) figures_of(&g, figure);
    for (int f = 0; good && f < GRAPH_FIGURES; f++) n->null[kind][f].seen = figure[f];
    for (size_t k = 1; good && k <= w->nulls; k++) {
        good = one_null(w, n, kind, k, base, to, s, figure, why);
        for (int f = 0; good && f < GRAPH_FIGURES; f++) add_null(&n->null[kind][f], figure[f], k);
        progress_step(bar, ++*done);
    }
    for (int f = 0; f < GRAPH_FIGURES; f++) finish_null(&n->null[kind][f], w->nulls);
    free(base);
    free(to);
    return good;
}

/* What measuring a network takes, in null networks: all starts of Louvain and other densities;
   local efficiency, 10 s at 600 nodes where a null network takes 0.4. */
static double network_work(const graph_work *w)
{
    return 4 + (double)w->densities + (double)w->options->restarts / (double)w->null_restarts +
           (w->nodes <= LOCAL_NODES ? 25 : 0);
}

/* What the log has of it. */
static double work_done(const graph_work *w)
{
    const size_t nulls = (size_t)w->networks * 2 * w->nulls;
    double locals = 0;
    for (int k = 0; k < w->networks; k++) locals += work_has(&w->log, nulls + (size_t)k);
    return (double)w->log.done - locals + 25 * locals;
}

/* One network, measured as the null ones are, tells what each takes. Without null networks the
   whole is as long as telling how long it takes. */
static bool announce(const graph_work *w, const scratch *s, problem *why)
{
    syn_graph g;
    char what[160];
    if (!w->nulls) return true;
    const double start = clock_seconds();
    if (!measure(w, s, w->net[0].weight, w->null_restarts, 0, &g, why)) return false;
    const double one = clock_seconds() - start, all = (double)(w->networks * 2) * (double)w->nulls;
    const double left = all + w->networks * network_work(w) - work_done(w);
    snprintf(what, sizeof what, "%d network%s of %zu nodes, %zu null networks of each of 2 kinds",
             w->networks, w->networks > 1 ? "s" : "", w->nodes, w->nulls);
    const double matrix = 8.0 * (double)w->nodes * (double)w->nodes;
    const work_plan p = {what,
                         w->output,
                         matrix * (w->networks + 2) + (double)s->bytes,
                         (w->output ? graph_disk_bytes(w->nodes) : 0) + 52 * all + 2000,
                         0.4 * one * left,
                         1.5 * one * left + 0.1,
                         .unless = 1};
    return plan_announce(&p, why);
}

static bool measure_all(graph_work *w, problem *why)
{
    scratch s = {NULL, 0};
    progress bar;
    double done = 0;
    if (!open_scratch(w, &s, why)) return false;
    bool good = announce(w, &s, why);
    progress_begin(&bar, "networks", w->networks * (network_work(w) + 2 * (double)w->nulls));
    progress_skip(&bar, work_done(w));
    for (int k = 0; good && k < w->networks; k++) {
        good = measure_network(w, &w->net[k], &s, why);
        progress_step(&bar, done += network_work(w));
        for (int kind = 0; good && w->nulls && kind < 2; kind++)
            good = null_of(w, &w->net[k], (syn_null)kind, &s, &bar, &done, why);
    }
    progress_end(&bar);
    free(s.block);
    return good;
}

/* ---- the whole command ---------------------------------------------------------------- */

static void free_work(graph_work *w)
{
    for (int k = 0; k < 2; k++) network_free(&w->net[k]);
    unit_names_free(w->name, w->nodes);
    free(w->partition);
}

static void settle(graph_work *w)
{
    const graph_options *o = w->options;
    w->output = o->output ? o->output : w->folder ? o->input : NULL;
    w->nulls = o->nulls >= 0            ? (size_t)o->nulls
               : !w->folder             ? 0
               : w->nodes > LARGE_NODES ? LARGE_NULLS
                                        : FOLDER_NULLS;
    w->null_restarts = o->restarts < NULL_RESTARTS ? (size_t)o->restarts : NULL_RESTARTS;
    graph_densities(o->densities, w->density, &w->densities);
}

/* graph.part beside graph.json; of a matrix that goes nowhere in the current folder. */
static work_desc work_of(const graph_work *w, const char *settings, char name[64])
{
    const graph_options *o = w->options;
    work_desc d = {.directory = w->output,
                   .file = "graph.part",
                   .settings = settings,
                   .identity = w->identity,
                   .words = graph_setting_words,
                   .pieces = "networks",
                   .total = (size_t)w->networks * (2 * w->nulls + (w->nodes <= LOCAL_NODES)),
                   .fresh = o->fresh,
                   .force = o->force};
    if (!w->output) work_in_passing(&d, "graph", name);
    return d;
}

/* Is the same there already, whole? Then j is what graph.json says. */
static bool is_there(const graph_work *w, const work_desc *started, json_out *j, problem *why)
{
    char path[TOOL_PATH_BYTES];
    work_desc d = *started;
    d.finished = d.result = "graph.json";
    if (!w->output || w->options->graphml || w->options->csv || !work_is_complete(&d)) return false;
    if (!path_join(path, w->output, "graph.json", why) || !read_file(path, &j->to, why))
        return false;
    while (j->to.length && j->to.at[j->to.length - 1] == '\n') j->to.at[--j->to.length] = '\0';
    tool_note("%s is complete (--fresh makes it anew)", path);
    return true;
}

static bool measure_and_write(graph_work *w, const work_desc *d, json_out *j, problem *why)
{
    engine_pool pool;
    bool good =
        (!w->output || graph_output_check(w, why)) && (!w->nulls || work_open(&w->log, d, why));
    if (good) {
        engine_pool_start(&pool, w->options->threads);
        w->parallel = pool.parallel;
        good = measure_all(w, why);
        engine_pool_stop(&pool);
    }
    if (good) graph_json(w, j);
    good = good && (!w->output || graph_write(w, why));
    if (w->nulls) work_close(&w->log, good);
    return good;
}

bool graph_run(const graph_options *o, json_out *j, problem *why)
{
    graph_work w;
    char name[64];
    memset(&w, 0, sizeof w);
    w.options = o;
    bool good = read_all(&w, why);
    if (good) {
        settle(&w);
        char *settings = graph_settings(&w);
        const work_desc d = work_of(&w, settings, name);
        good = is_there(&w, &d, j, why) || measure_and_write(&w, &d, j, why);
        free(settings);
    }
    free_work(&w);
    return good;
}
