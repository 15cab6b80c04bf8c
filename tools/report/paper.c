/* paper.c - figures of the paper as numbers, and which of its models a result is from.

   Source: "A Brain-like Synergistic Core in LLMs Drives Behaviour and Learning", arXiv 2601.06851,
   version 1, read from its vector figures. Fig. 2c: ranks of the layer means, exact (every point of
   the figure is k / (layers - 1)). Fig. 3a: the last checkpoint, scaled from 0 to 1, to two digits.
   Fig. 2b: colour levels from 0 to 255 of single heads, the higher the more synergistic. */
#include "report/paper.h"
#include "report/stage.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double qwen3_8b[] = {0,  2,  10, 11, 8,  12, 5,  16, 25, 14, 17, 20,
                                  22, 27, 18, 26, 21, 31, 34, 33, 35, 29, 30, 32,
                                  28, 24, 23, 19, 15, 13, 7,  4,  3,  6,  1,  9};

static const double gemma3_4b[] = {0,  1,  3,  7,  24, 22, 11, 17, 9,  32, 16, 25,
                                   26, 18, 27, 28, 31, 33, 30, 29, 23, 20, 21, 19,
                                   13, 10, 14, 2,  4,  8,  12, 5,  6,  15};

static const double llama31_8b[] = {0,  3,  10, 9,  14, 15, 12, 17, 18, 20, 22, 27, 29, 30, 28, 31,
                                    24, 25, 26, 23, 19, 16, 21, 11, 8,  4,  6,  13, 5,  2,  7,  1};

static const double deepseek_v2_lite[] = {0,  3,  11, 13, 25, 16, 18, 24, 17, 22, 20, 19, 21,
                                          23, 15, 14, 5,  6,  10, 12, 9,  4,  7,  8,  1,  2};

static const double pythia_1b[] = {0.0, 0.21, 0.11, 0.59, 0.45, 0.67, 0.83, 0.97,
                                   1.0, 0.87, 0.52, 0.4,  0.44, 0.2,  0.25, 0.15};

static const unsigned char gemma3_4b_heads[8 * 34] = {
    2,   54,  1,   12,  68,  170, 153, 7,   39,  224, 74,  195, 187, 183, 142, 211, 180, 244, 139,
    207, 190, 141, 184, 185, 123, 76,  131, 3,   101, 105, 50,  23,  143, 210, 13,  18,  31,  109,
    238, 238, 75,  40,  63,  221, 57,  146, 137, 82,  223, 237, 235, 217, 251, 254, 173, 192, 44,
    202, 93,  70,  147, 121, 77,  85,  133, 33,  138, 159, 26,  55,  53,  10,  205, 201, 134, 145,
    112, 161, 151, 158, 246, 153, 229, 132, 189, 247, 233, 164, 88,  174, 136, 99,  104, 170, 163,
    34,  49,  92,  127, 125, 29,  28,  36,  87,  46,  178, 197, 117, 130, 91,  83,  144, 119, 226,
    203, 255, 119, 60,  232, 252, 193, 84,  220, 98,  90,  135, 86,  148, 64,  4,   11,  96,  114,
    6,   65,  41,  68,  20,  17,  30,  239, 89,  67,  208, 157, 222, 216, 219, 230, 171, 199, 218,
    231, 243, 116, 249, 198, 111, 162, 100, 169, 51,  150, 52,  17,  110, 95,  42,  35,  106, 15,
    8,   22,  102, 160, 152, 62,  215, 25,  225, 179, 168, 166, 177, 213, 236, 204, 227, 242, 240,
    126, 102, 186, 9,   156, 94,  122, 51,  128, 113, 124, 71,  48,  129, 27,  0,   255, 149, 14,
    221, 66,  181, 115, 248, 140, 172, 234, 47,  182, 214, 250, 204, 241, 212, 188, 206, 176, 196,
    61,  32,  58,  108, 72,  24,  73,  103, 19,  187, 37,  0,   38,  16,  194, 45,  79,  165, 59,
    253, 56,  191, 78,  5,   175, 200, 167, 245, 228, 107, 120, 155, 209, 154, 136, 34,  97,  80,
    43,  21,  85,  118, 69,  81};

#define FIG_2C "Fig. 2c, ranks of the layer means"
#define FIG_2B "Fig. 2b, colours of single heads"
#define FIG_3A "Fig. 3a, layer means of the last checkpoint, scaled from 0 to 1"

const paper_model paper_list[] = {
    {"gemma-3-4b-it", "Gemma 3 4B Instruct", "gemma34bit", "gemma3", false, 0, 34, 8, 3.88e9,
     FIG_2C, gemma3_4b, gemma3_4b_heads, FIG_2B},
    {"qwen3-8b-base", "Qwen 3 8B Base", "qwen38bbase", "qwen3", false, 0, 36, 32, 8.19e9, FIG_2C,
     qwen3_8b, NULL, NULL},
    {"llama-3.1-8b-instruct", "Llama 3.1 8B Instruct", "llama318binstruct", "llama", false, 0, 32,
     32, 8.03e9, FIG_2C, llama31_8b, NULL, NULL},
    {"deepseek-v2-lite-chat", "DeepSeek V2 Lite Chat", "deepseekv2litechat", "deepseek2", true, 1,
     26, 64, 15.71e9, FIG_2C, deepseek_v2_lite, NULL, NULL},
    {"pythia-1b", "Pythia 1B", "pythia1b", "gptneox", false, 0, 16, 8, 1.01e9, FIG_3A, pythia_1b,
     NULL, NULL},
};
const size_t paper_rows = sizeof paper_list / sizeof paper_list[0];

/* ---- names ------------------------------------------------------------------------------ */

/* Letters and digits only, in small letters: "Gemma 3 4b It" and "gemma-3-4b-it" are one name. */
static void plain_name(const char *name, char to[256])
{
    size_t n = 0;
    for (const char *s = name; *s && n < 255; s++)
        if (isalnum((unsigned char)*s)) to[n++] = (char)tolower((unsigned char)*s);
    to[n] = '\0';
}

/* The name, or as its title has it, or how the title alone of them begins ("gemma 3", "llama"). */
const paper_model *paper_find(const char *name)
{
    const paper_model *begun = NULL;
    char plain[256], title[256];
    plain_name(name, plain);
    for (size_t k = 0; k < paper_rows; k++) {
        const paper_model *m = &paper_list[k];
        plain_name(m->title, title);
        if (!strcmp(name, m->name) || !strcmp(plain, m->key) || !strcmp(plain, title)) return m;
        if (*plain && !strncmp(plain, title, strlen(plain))) begun = m;
    }
    return begun;
}

bool paper_name_check(const char *name, problem *why)
{
    text all = {NULL, 0, 0};
    if (!*name || paper_find(name)) return true;
    for (size_t k = 0; k < paper_rows; k++)
        text_print(&all, "%s%s", k ? ", " : "", paper_list[k].name);
    problem_set(why, "--paper: '%.100s' is none of the paper's models (%s)", name, all.at);
    text_free(&all);
    return false;
}

void compare_take_paper(compare_options *o)
{
    size_t kept = 0;
    for (size_t k = 0; k < o->count; k++) {
        const char *s = o->directory[k];
        /* a folder that is missing is no beginning of a name */
        const paper_model *m = o->paper && !*o->paper && !path_exists(s) ? paper_find(s) : NULL;
        if (m && (strchr(s, ' ') || !strcmp(s, m->name))) o->paper = s;
        else o->directory[kept++] = s;
    }
    o->count = kept;
}

static bool name_has(const json *model, const char *field, const char *key)
{
    char plain[256];
    plain_name(json_text_of(model, field, ""), plain);
    return strstr(plain, key) != NULL;
}

/* ---- kinship ---------------------------------------------------------------------------- */

/* What of a result decides. */
typedef struct kind_of_result {
    const json *model; /* or NULL: a recording */
    const char *architecture;
    bool experts;
    size_t layers, per_layer;
    double parameters; /* 0: not told */
} kind_of_result;

static kind_of_result kind_of(const report *r)
{
    kind_of_result k;
    k.model = report_model(r);
    k.architecture = json_text_of(k.model, "architecture", "");
    k.experts = !strcmp(r->one, "expert");
    k.layers = r->layers;
    k.per_layer = r->per_layer;
    k.parameters = json_number_of(k.model, "parameters", 0);
    return k;
}

static bool near_number(double a, double b)
{
    return a > 0 && fabs(a / b - 1) < 0.03;
}

static paper_kin kin_of(const kind_of_result *k, const paper_model *m)
{
    const bool units = k->experts == m->experts && k->layers == m->layers;
    if (!k->model || !units) return PAPER_NEAREST;
    if (name_has(k->model, "name", m->key) || name_has(k->model, "file", m->key)) return PAPER_SAME;
    return !strcmp(k->architecture, m->architecture) && k->per_layer == m->per_layer &&
                   near_number(k->parameters, m->parameters)
               ? PAPER_SHAPE
               : PAPER_NEAREST;
}

/* "gemma" of gemma3: architectures of one family begin with the same letters. */
static bool same_family(const char *a, const char *b)
{
    size_t n = 0;
    while (isalpha((unsigned char)a[n]) && a[n] == b[n]) n++;
    return n > 0 && !isalpha((unsigned char)a[n]) && !isalpha((unsigned char)b[n]);
}

/* Other units weigh more than another family, and that more than size: factors of two of the
   parameters, or where they are not told of the layers. */
static double distance(const kind_of_result *k, const paper_model *m)
{
    const double size = k->parameters > 0 ? log2(k->parameters / m->parameters)
                                          : log2((double)k->layers / (double)m->layers);
    return (k->experts != m->experts ? 1e4 : 0) +
           (same_family(k->architecture, m->architecture) ? 0 : 1e2) + fabs(size);
}

static const paper_model *nearest(const kind_of_result *k, paper_kin *kin)
{
    const paper_model *best = NULL;
    for (size_t i = 0; i < paper_rows; i++) {
        const paper_model *m = &paper_list[i];
        const paper_kin of = kin_of(k, m);
        if (best && (of > *kin || (of == *kin && distance(k, m) >= distance(k, best)))) continue;
        best = m;
        *kin = of;
    }
    return best;
}

/* ---- agreement -------------------------------------------------------------------------- */

curve paper_percentile(const paper_model *m)
{
    curve c = curve_new(m->layers);
    const double last = (double)(m->layers - 1);
    for (size_t l = 0; l < m->layers; l++) {
        size_t below = 0;
        for (size_t k = 0; k < m->layers; k++) below += m->profile[k] < m->profile[l] ? 1 : 0;
        c.x[l] = (double)l / last;
        c.y[l] = (double)below / last; /* no two are equal */
        c.low[l] = c.high[l] = (double)NAN;
    }
    return c;
}

static void rank_layers(const report *r, const paper_model *m, paper_score *s)
{
    curve paper = paper_percentile(m), own = curve_new(r->layers);
    report_profile(r, s->score, "mean", own.y);
    for (size_t l = 0; l < own.n; l++) own.x[l] = (double)l / (double)(own.n - 1);
    s->layers = curve_agreement(&own, &paper, &s->layers_ranked);
    curve_free(&own);
    curve_free(&paper);
}

static void rank_units(const report *r, const paper_model *m, paper_score *s)
{
    s->units = (syn_interval){(double)NAN, (double)NAN, (double)NAN};
    if (!m->units || r->layers != m->layers || r->per_layer != m->per_layer) return;
    double *own = report_column(r, report_score_column(s->score));
    double *paper = tool_alloc(r->count, sizeof *paper);
    for (size_t i = 0; own && i < r->count; i++) {
        paper[i] = (double)m->units[i % m->per_layer * m->layers + i / m->per_layer];
        s->units_ranked += isfinite(own[i]) ? 1 : 0;
    }
    if (own) s->units = chance_spearman(spearman_of(own, paper, r->count), s->units_ranked);
    free(paper);
    free(own);
}

paper_beside paper_compare(const report *r, const paper_model *asked, const char *score)
{
    const char *const name[PAPER_SCORES] = {"difference", "rank-difference", score};
    const kind_of_result k = kind_of(r);
    paper_beside b = {r, asked, PAPER_NEAREST, asked != NULL, {{NULL, {0, 0, 0}, {0, 0, 0}, 0, 0}},
                      0};
    if (asked) b.kin = kin_of(&k, asked);
    else b.model = nearest(&k, &b.kin);
    for (size_t i = 0; i < PAPER_SCORES && r->layers >= 3; i++) {
        paper_score *s = &b.at[b.count];
        bool known = !name[i];
        for (size_t j = 0; j < i && !known; j++) known = !strcmp(name[i], name[j]);
        if (known || !report_has_profile(r, name[i])) continue;
        s->score = name[i];
        rank_layers(r, b.model, s);
        rank_units(r, b.model, s);
        b.count++;
    }
    return b;
}
