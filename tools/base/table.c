/* table.c - delimited text as people have it: the separator, the decimal sign, the line ends and
   the letters are found from the content; the words for a missing number are a list. */
#include "base/table.h"
#include "base/text.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- kinds of files that are no text ---------------------------------------------------- */

static const struct {
    const char *magic;
    size_t bytes;
    const char *text;
} other_kind[] = {
    {"\xff\xfe", 2, "is UTF-16 text: save it as UTF-8"},
    {"\xfe\xff", 2, "is UTF-16 text: save it as UTF-8"},
    {"GGUF", 4, "is a model, not its recording: synergy capture or analyze makes one of it"},
    {"PK\x03\x04", 4,
     "is a zip archive, such as .xlsx and .npz are: save one sheet as CSV, one array as .npy"},
    {"\x1f\x8b", 2, "is compressed: unpack it first"},
    {"BZh", 3, "is compressed: unpack it first"},
    {"\xfd"
     "7zXZ",
     5, "is compressed: unpack it first"},
    {"\x89HDF", 4, "is an HDF5 file: save the array as .npy"},
    {"PAR1", 4, "is a Parquet file: save it as CSV"},
    {"MATLAB 5.0", 10, "is a MATLAB file: save the matrix as .npy or CSV"},
    {"\xd0\xcf\x11\xe0", 4, "is an old Excel file: save the sheet as CSV"},
};

static bool is_text(const char *bytes, size_t size, const char *path, problem *why)
{
    size_t even = 0, odd = 0, seen = size < 4096 ? size : 4096;
    for (size_t k = 0; k < sizeof other_kind / sizeof other_kind[0]; k++)
        if (size >= other_kind[k].bytes && !memcmp(bytes, other_kind[k].magic, other_kind[k].bytes))
            return problem_set(why, "%s: %s", path, other_kind[k].text);
    if (!memchr(bytes, '\0', size)) return true;
    for (size_t i = 0; i < seen; i++) {
        even += bytes[i] == '\0' && i % 2 == 0 ? 1 : 0;
        odd += bytes[i] == '\0' && i % 2 ? 1 : 0;
    }
    if (even > seen / 4 || odd > seen / 4) /* every second byte of Latin letters and digits is 0 */
        return problem_set(why, "%s: is UTF-16 text: save it as UTF-8", path);
    return problem_set(why, "%s: holds zero bytes: not an npy file, and not a text table", path);
}

/* ---- letters ---------------------------------------------------------------------------- */

static bool is_utf8(const char *bytes, size_t size)
{
    for (size_t at = 0, n; at < size; at += n) {
        n = utf8_length((const unsigned char *)bytes + at, size - at);
        if (!n) return false;
    }
    return true;
}

static void add_letter(text *t, unsigned code)
{
    const char two[2] = {(char)(0xc0u | code >> 6), (char)(0x80u | (code & 63u))};
    const char three[3] = {(char)(0xe0u | code >> 12), (char)(0x80u | (code >> 6 & 63u)),
                           (char)(0x80u | (code & 63u))};
    if (code < 0x800) text_add_bytes(t, two, sizeof two);
    else text_add_bytes(t, three, sizeof three);
}

/* Latin-1 as Windows and the web mean it: code page 1252, whose 0x80 to 0x9f are letters and
   signs. */
static char *from_latin1(const char *bytes, size_t *size)
{
    static const unsigned short high[32] = {
        0x20ac, 0x81,   0x201a, 0x192,  0x201e, 0x2026, 0x2020, 0x2021, 0x2c6,  0x2030, 0x160,
        0x2039, 0x152,  0x8d,   0x17d,  0x8f,   0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
        0x2013, 0x2014, 0x2dc,  0x2122, 0x161,  0x203a, 0x153,  0x9d,   0x17e,  0x178};
    text t = {NULL, 0, 0};
    text_add(&t, "");
    for (size_t i = 0; i < *size; i++) {
        const unsigned char c = (unsigned char)bytes[i];
        if (c < 0x80) text_add_bytes(&t, &bytes[i], 1);
        else add_letter(&t, c < 0xa0 ? high[c - 0x80] : c);
    }
    *size = t.length;
    return t.at;
}

/* ---- the separator ---------------------------------------------------------------------- */

enum { LINES_LOOKED_AT = 200 };

/* "sep=;" as a first line, as Excel writes and reads it. */
static bool separator_line(const char *bytes, size_t size, csv_form *form)
{
    size_t at = form->from;
    if (at < size && bytes[at] == '"') at++;
    if (size - at < 5 || strncasecmp(bytes + at, "sep=", 4) || strchr("\r\n", bytes[at + 4]))
        return false;
    const char separator = bytes[at + 4];
    at += 5;
    if (at < size && bytes[at] == '"') at++;
    if (at < size && bytes[at] != '\r' && bytes[at] != '\n') return false;
    form->separator = separator;
    form->from = at + (at < size ? 1 : 0);
    if (at + 1 < size && bytes[at] == '\r' && bytes[at + 1] == '\n') form->from++;
    form->first_line = 2;
    return true;
}

/* How many separators the next line with anything in it has outside of quotes, SIZE_MAX where there
   is none; *at moves behind it. */
static size_t separators_in_line(const char *bytes, size_t size, size_t *at, char separator)
{
    size_t count = 0;
    bool quote = false, any = false, blank = true;
    for (; *at < size; ++*at) {
        const char c = bytes[*at];
        if (!quote && (c == '\n' || c == '\r')) {
            if (any) break;
            continue;
        }
        if (c == '"') quote = !quote;
        if (c != ' ' && c != '\t') any = true;
        if (quote) continue;
        if (separator == ' ') { /* words after the first */
            const bool now = c == ' ' || c == '\t';
            count += blank && !now && any ? 1 : 0;
            blank = now;
        } else if (c == separator) {
            count++;
            any = true;
        }
    }
    if (!any) return SIZE_MAX;
    return separator == ' ' && count ? count - 1 : count;
}

/* Of the first lines, how many have as many separators as the very first; *lines how many there
   are. */
static size_t lines_that_agree(const char *bytes, size_t size, size_t from, char separator,
                               size_t *lines)
{
    size_t at = from, agree = 0;
    const size_t wanted = separators_in_line(bytes, size, &at, separator);
    *lines = 0;
    for (; at < size && *lines < LINES_LOOKED_AT; ++*lines) {
        const size_t found = separators_in_line(bytes, size, &at, separator);
        if (found == SIZE_MAX) break;
        agree += found == wanted ? 1 : 0;
    }
    return wanted ? agree : 0;
}

/* The separator under which most lines have as many cells as the header; of equal ones the first of
   tab, semicolon, comma, bar, and blanks only where nothing else fits. */
static bool find_separator(const char *bytes, size_t size, csv_form *form, bool must,
                           const char *path, problem *why)
{
    static const char candidate[] = {'\t', ';', ',', '|', ' '};
    size_t best = 0, lines = 0;
    form->separator = ',';
    for (size_t k = 0; k < sizeof candidate; k++) {
        size_t agree = lines_that_agree(bytes, size, form->from, candidate[k], &lines);
        if (agree <= best || (candidate[k] == ' ' && best)) continue;
        best = agree;
        form->separator = candidate[k];
    }
    if (best * 2 >= lines && best) return true;
    return must ||
           problem_set(why,
                       "%s: not an npy file, and not a table: no comma, semicolon, tab or blank "
                       "divides its lines into as many cells as the first",
                       path);
}

/* ---- numbers ---------------------------------------------------------------------------- */

static bool is_missing(const char *cell, size_t n)
{
    static const char *const word[] = {"",    "-",    "--",      "na",    "n/a",     "#n/a",
                                       "#na", "<na>", "nan",     "-nan",  "null",    "none",
                                       "?",   ".",    "missing", "#num!", "#div/0!", "#value!"};
    for (size_t k = 0; k < sizeof word / sizeof word[0]; k++)
        if (strlen(word[k]) == n && !strncasecmp(cell, word[k], n)) return true;
    return false;
}

static bool is_infinity(const char *s)
{
    if (*s == '+' || *s == '-') s++;
    return !strcasecmp(s, "inf") || !strcasecmp(s, "infinity");
}

/* [sign] digits [mark digits] [e [sign] digits], with a digit before or behind the mark. */
static bool is_decimal(const char *s)
{
    size_t digits = 0;
    if (*s == '+' || *s == '-') s++;
    for (; isdigit((unsigned char)*s); s++) digits++;
    if (*s == '.')
        for (s++; isdigit((unsigned char)*s); s++) digits++;
    if (!digits) return false;
    if (*s == 'e' || *s == 'E') {
        s++;
        if (*s == '+' || *s == '-') s++;
        if (!isdigit((unsigned char)*s)) return false;
        while (isdigit((unsigned char)*s)) s++;
    }
    return *s == '\0';
}

cell_kind cell_number(const char *cell, char mark, double *value)
{
    char plain[512];
    size_t n = strlen(cell), at = 0;
    *value = (double)NAN;
    while (n && isspace((unsigned char)*cell)) cell++, n--;
    while (n && isspace((unsigned char)cell[n - 1])) n--;
    if (is_missing(cell, n)) return CELL_MISSING;
    if (n >= sizeof plain) return CELL_WORDS;
    for (size_t i = 0; i < n; i++) {
        if (n - i >= 3 &&
            !memcmp(cell + i, "\xe2\x88\x92", 3)) { /* a minus sign that is no hyphen */
            plain[at++] = '-';
            i += 2;
        } else if (mark != '.' && (cell[i] == mark || cell[i] == '.')) {
            plain[at++] = cell[i] == mark ? '.' : '?';
        } else {
            plain[at++] = cell[i];
        }
    }
    plain[at] = '\0';
    if (!is_decimal(plain) && !is_infinity(plain)) return CELL_WORDS;
    *value = strtod(plain, NULL);
    return CELL_NUMBER;
}

/* Where columns are not divided by commas a comma may be the decimal sign: it is when a cell needs
   it and none has a point. Both in one file cannot be told from thousands, and are named. */
static bool find_mark(text_table *t, const char *path, problem *why)
{
    const csv *c = &t->cells;
    size_t comma = 0, point = 0; /* cell + 1 */
    double v;
    t->mark = '.';
    for (size_t k = 0; t->separator != ',' && k < c->rows * c->columns && !(comma && point); k++) {
        const char *cell = c->cell[k];
        if (!comma && strchr(cell, ',') && cell_number(cell, ',', &v) == CELL_NUMBER) comma = k + 1;
        if (!point && strchr(cell, '.') && cell_number(cell, '.', &v) == CELL_NUMBER) point = k + 1;
    }
    if (comma && point)
        return problem_set(
            why,
            "%s: line %zu: '%.40s' has a decimal comma, '%.40s' in line %zu a decimal "
            "point",
            path, c->line[(comma - 1) / c->columns], c->cell[comma - 1], c->cell[point - 1],
            c->line[(point - 1) / c->columns]);
    if (comma) t->mark = ',';
    return true;
}

/* ---- reading ---------------------------------------------------------------------------- */

static bool ends_as_table(const char *path)
{
    static const char *const ending[] = {".csv", ".tsv", ".tab"};
    const size_t n = strlen(path);
    for (size_t k = 0; k < sizeof ending / sizeof ending[0]; k++)
        if (n >= 4 && !strcasecmp(path + n - 4, ending[k])) return true;
    return false;
}

bool text_table_read(text_table *t, const char *path, problem *why)
{
    csv_form form = {0, 1, ','};
    size_t size;
    memset(t, 0, sizeof *t);
    char *bytes = csv_bytes(path, &size, why);
    if (!bytes) return false;
    bool good = size > 0 ? is_text(bytes, size, path, why) : problem_set(why, "%s: is empty", path);
    if (good && size >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3)) form.from = 3;
    if (good && !is_utf8(bytes, size)) {
        char *converted = from_latin1(bytes, &size);
        free(bytes);
        bytes = converted;
        t->latin1 = true;
        form.from = 0;
    }
    good = good && (separator_line(bytes, size, &form) ||
                    find_separator(bytes, size, &form, ends_as_table(path), path, why));
    if (!good) {
        free(bytes);
        return false;
    }
    t->separator = form.separator;
    good = csv_parse(&t->cells, bytes, size, &form, path, why) && find_mark(t, path, why);
    if (!good) text_table_free(t);
    return good;
}

void text_table_free(text_table *t)
{
    csv_free(&t->cells);
    memset(t, 0, sizeof *t);
}

/* ---- names ------------------------------------------------------------------------------ */

/* Without blanks around it and without control characters, which no XML may hold. */
static char *clean_name(const char *from)
{
    while (isspace((unsigned char)*from)) from++;
    char *to = tool_copy(from);
    size_t n = strlen(to);
    while (n && isspace((unsigned char)to[n - 1])) to[--n] = '\0';
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)to[i] < 32 || to[i] == 127) to[i] = ' ';
    return to;
}

/* The names so far, found by their hash: a table may have 100 000 columns, all of one name. */
typedef struct taken_names {
    char **name;
    size_t *slot, mask; /* a name's number + 1; 0: free */
    size_t *next;       /* of name i: the lowest number behind a dot that was not tried yet */
} taken_names;

static taken_names taken_begin(size_t columns)
{
    taken_names t = {NULL, NULL, 1, NULL};
    while (t.mask / 2 < columns) t.mask = 2 * t.mask + 1;
    t.name = tool_alloc(columns, sizeof *t.name);
    t.slot = tool_alloc(t.mask + 1, sizeof *t.slot);
    t.next = tool_alloc(columns, sizeof *t.next);
    memset(t.slot, 0, (t.mask + 1) * sizeof *t.slot);
    return t;
}

/* The slot of this name, or the free one where it belongs (FNV-1a). */
static size_t *taken_slot(const taken_names *t, const char *wanted)
{
    uint32_t hash = 2166136261u;
    for (const char *c = wanted; *c; c++) hash = (hash ^ (unsigned char)*c) * 16777619u;
    size_t at = hash & t->mask;
    while (t->slot[at] && strcmp(t->name[t->slot[at] - 1], wanted) != 0) at = (at + 1) & t->mask;
    return &t->slot[at];
}

static void add_name(taken_names *t, size_t i, char *name)
{
    t->name[i] = name;
    t->next[i] = 1;
    *taken_slot(t, name) = i + 1;
}

/* Names as keys: never empty, never twice. *twice is the first column that had to be changed, +
   1. */
char **text_table_names(const text_table *t, size_t *twice)
{
    const csv *c = &t->cells;
    taken_names taken = taken_begin(c->columns);
    *twice = 0;
    for (size_t i = 0; i < c->columns; i++) {
        /* "# a,b": as numpy writes a header */
        char *base = clean_name(c->head[i] + (i == 0 && *c->head[i] == '#' ? 1 : 0));
        text made = {NULL, 0, 0};
        if (*base) text_add(&made, base);
        else text_print(&made, "column%zu", i + 1);
        const size_t first = *taken_slot(&taken, made.at);
        if (first && !*twice) *twice = i + 1;
        while (first && *taken_slot(&taken, made.at)) {
            const size_t k = taken.next[first - 1]++;
            made.length = 0;
            if (*base) text_print(&made, "%s.%zu", base, k);
            else text_print(&made, "column%zu.%zu", i + 1, k);
        }
        free(base);
        add_name(&taken, i, made.at);
    }
    free(taken.slot);
    free(taken.next);
    return taken.name;
}
