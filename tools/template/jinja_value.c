/* jinja_value.c - values of a template: memory, what is written, truth, order, sums, parts. */
#include "template/jinja_own.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

void jinja_fail(jinja *j, const char *format, ...)
{
    char words[512];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    problem_set(j->why, "chat template, line %d: %s", j->line, words);
    longjmp(j->leave, 1);
}

void jinja_fail_at(jinja *j, jstr what, const char *is)
{
    jinja_fail(j, "'%.*s' %s", what.n < 200 ? (int)what.n : 200, what.at, is);
}

void jinja_step(jinja *j, size_t steps)
{
    j->steps += steps;
    if (j->steps > JINJA_STEPS) jinja_fail(j, "runs for more than %d steps", JINJA_STEPS);
}

void *jinja_take(jinja *j, size_t bytes)
{
    if (bytes > JINJA_MEMORY || j->bytes > (size_t)JINJA_MEMORY - bytes)
        jinja_fail(j, "needs more than %d MiB", JINJA_MEMORY >> 20);
    j->bytes += bytes;
    void **block = tool_alloc(1, bytes + sizeof *block * 2);
    block[0] = j->blocks;
    j->blocks = block;
    return block + 2;
}

bool jinja_is(jstr s, const char *words)
{
    return s.n == strlen(words) && !memcmp(s.at, words, s.n);
}

int jinja_among(const char *names, jstr s)
{
    for (int i = 0; *names; i++) {
        const size_t n = strcspn(names, " ");
        if (n == s.n && !memcmp(names, s.at, n)) return i;
        names += n + (names[n] == ' ');
    }
    return -1;
}

jval jinja_words(jstr s)
{
    return (jval){.kind = J_TEXT, .as.words = s};
}

jval jinja_text(const char *words)
{
    return jinja_words((jstr){words, strlen(words)});
}

jval jinja_int(int64_t n)
{
    return (jval){.kind = J_INT, .as.whole = n};
}

jval jinja_bool(bool yes)
{
    return (jval){.kind = J_BOOL, .as.whole = yes};
}

jval jinja_list(jinja *j, jkind kind)
{
    return (jval){.kind = kind, .as.list = jinja_take(j, sizeof(jlist))};
}

void jinja_push(jinja *j, jlist *l, jval item)
{
    if (l->n == l->room) {
        l->room = 2 * l->room + 4;
        jval *more = jinja_take(j, l->room * sizeof *more);
        if (l->n) memcpy(more, l->at, l->n * sizeof *more);
        l->at = more;
    }
    l->at[l->n++] = item;
}

jval *jinja_get(jinja *j, const jlist *dict, jval key)
{
    for (size_t i = 0; i < dict->n; i += 2)
        if (jinja_equal(j, dict->at[i], key)) return &dict->at[i + 1];
    return NULL;
}

void jinja_put(jinja *j, jlist *dict, jval key, jval value)
{
    jval *found = jinja_get(j, dict, key);
    if (found) *found = value;
    else {
        jinja_push(j, dict, key);
        jinja_push(j, dict, value);
    }
}

/* ---- written ---- */

void jinja_add(jinja *j, jstr s)
{
    text_add_bytes(&j->out, s.at, s.n);
    if (j->out.length > JINJA_MEMORY) jinja_fail(j, "writes more than %d MiB", JINJA_MEMORY >> 20);
}

jval jinja_written(jinja *j, size_t from)
{
    const size_t n = j->out.length - from;
    char *at = jinja_take(j, n + 1);
    if (n) memcpy(at, j->out.at + from, n);
    j->out.length = from;
    return jinja_words((jstr){at, n});
}

/* A string as JSON has it, or as repr() does: in single quotes unless it has some and no double
   ones. */
static void write_quoted(jinja *j, jstr s, bool dump)
{
    static const char known[] = "\n\r\t\b\f", letter[] = "nrtbf";
    const bool twice = dump || (memchr(s.at, '\'', s.n) && !memchr(s.at, '"', s.n));
    const char quote = twice ? '"' : '\'';
    text_print(&j->out, "%c", quote);
    for (size_t i = 0; i < s.n; i++) {
        const unsigned char c = (unsigned char)s.at[i];
        const char *k = memchr(known, c, dump ? 5 : 3);
        if (k) text_print(&j->out, "\\%c", letter[k - known]);
        else if (c == (unsigned char)quote || c == '\\') text_print(&j->out, "\\%c", c);
        else if (c < 32 || (c == 127 && !dump))
            text_print(&j->out, dump ? "\\u%04x" : "\\x%02x", c);
        else jinja_add(j, (jstr){s.at + i, 1});
    }
    text_print(&j->out, "%c", quote);
}

static void new_line(jinja *j, int64_t indent, int depth)
{
    if (indent >= 0) text_print(&j->out, "\n%*s", (int)indent * depth, "");
}

static void write_list(jinja *j, jval v, bool dump, int64_t indent, int depth)
{
    const jlist *l = v.as.list;
    const char *ends = v.kind == J_DICT ? "{}" : v.kind == J_LIST || dump ? "[]" : "()";
    if (depth > JINJA_DEPTH) jinja_fail(j, "a value nested deeper than %d", JINJA_DEPTH);
    jinja_add(j, (jstr){ends, 1});
    for (size_t i = 0; i < l->n; i++) {
        if (i) text_add(&j->out, indent < 0 ? ", " : ",");
        new_line(j, indent, depth + 1);
        if (v.kind == J_DICT) {
            if (dump && l->at[i].kind != J_TEXT) jinja_fail(j, "tojson: a key that is no string");
            jinja_write(j, l->at[i++], dump, indent, depth + 1);
            text_add(&j->out, ": ");
        }
        jinja_write(j, l->at[i], dump, indent, depth + 1);
    }
    if (v.kind == J_TUPLE && l->n == 1 && !dump) text_add(&j->out, ",");
    if (l->n) new_line(j, indent, depth);
    jinja_add(j, (jstr){ends + 1, 1});
}

void jinja_write(jinja *j, jval v, bool dump, int64_t indent, int depth)
{
    static const char *const truths[2][2] = {{"False", "True"}, {"false", "true"}};
    char digits[32];
    switch (v.kind) {
    case J_NONE: text_add(&j->out, dump ? "null" : "None"); break;
    case J_BOOL: text_add(&j->out, truths[dump][v.as.whole]); break;
    case J_INT: text_print(&j->out, "%lld", (long long)v.as.whole); break;
    case J_FLOAT:
        number_text(v.as.real, digits);
        text_print(&j->out, strpbrk(digits, ".en") ? "%s" : "%s.0", digits);
        break;
    case J_TEXT:
        if (dump || depth) write_quoted(j, v.as.words, dump);
        else jinja_add(j, v.as.words);
        break;
    case J_LIST:
    case J_TUPLE:
    case J_DICT: write_list(j, v, dump, indent, depth); break;
    default:
        if (dump || v.kind > J_UNDEFINED) jinja_fail(j, "%s cannot be written", jinja_kind_name(v));
        if (depth) text_add(&j->out, "Undefined");
    }
}

jstr jinja_str(jinja *j, jval v)
{
    const size_t from = j->out.length;
    if (v.kind == J_TEXT) return v.as.words;
    jinja_write(j, v, false, -1, 0);
    return jinja_written(j, from).as.words;
}

const char *jinja_kind_name(jval v)
{
    static const char *const name[] = {
        "missing", "undefined", "none",      "a bool",      "an integer", "a float", "a string",
        "a list",  "a tuple",   "a mapping", "a namespace", "a loop",     "a macro"};
    return name[v.kind];
}

/* ---- truth, order, sums ---- */

static bool is_number(jval v)
{
    return v.kind >= J_BOOL && v.kind <= J_FLOAT;
}

static double number_of(jval v)
{
    return v.kind == J_FLOAT ? v.as.real : (double)v.as.whole;
}

bool jinja_true(jval v)
{
    if (is_number(v)) return !(number_of(v) == 0);
    if (v.kind == J_TEXT) return v.as.words.n > 0;
    if (v.kind >= J_LIST && v.kind <= J_DICT) return v.as.list->n > 0;
    return v.kind > J_NONE;
}

static bool equal_lists(jinja *j, jval a, jval b)
{
    const jlist *x = a.as.list, *y = b.as.list;
    bool same = x->n == y->n;
    if (++j->depth > JINJA_DEPTH) jinja_fail(j, "a value nested deeper than %d", JINJA_DEPTH);
    for (size_t i = 0; same && i < x->n; i++) {
        const jval *other = a.kind == J_DICT ? jinja_get(j, y, x->at[i++]) : &y->at[i];
        same = other && jinja_equal(j, x->at[i], *other);
    }
    j->depth--;
    return same;
}

bool jinja_equal(jinja *j, jval a, jval b)
{
    jinja_step(j, 1);
    if (is_number(a) && is_number(b))
        return a.kind != J_FLOAT && b.kind != J_FLOAT ? a.as.whole == b.as.whole
                                                      : number_of(a) == number_of(b);
    if (a.kind != b.kind) return false;
    if (a.kind >= J_LIST && a.kind <= J_DICT) return equal_lists(j, a, b);
    if (a.kind != J_TEXT)
        return a.kind <= J_NONE ||
               (a.kind == J_MACRO ? a.as.whole == b.as.whole : a.as.list == b.as.list);
    const jstr x = a.as.words, y = b.as.words;
    if (x.n == y.n) jinja_step(j, x.n / 16);
    return x.n == y.n && !memcmp(x.at, y.at, x.n);
}

/* Below, at or above 0. */
static int order_of(jinja *j, jval a, jval b)
{
    if (a.kind == J_INT && b.kind == J_INT)
        return (a.as.whole > b.as.whole) - (a.as.whole < b.as.whole);
    if (is_number(a) && is_number(b))
        return (number_of(a) > number_of(b)) - (number_of(a) < number_of(b));
    if (a.kind != J_TEXT || b.kind != J_TEXT)
        jinja_fail(j, "%s and %s have no order", jinja_kind_name(a), jinja_kind_name(b));
    const jstr x = a.as.words, y = b.as.words;
    const int order = memcmp(x.at, y.at, x.n < y.n ? x.n : y.n);
    return order ? order : (x.n > y.n) - (x.n < y.n);
}

const char *jinja_search(jinja *j, jstr s, jstr what)
{
    jinja_step(j, s.n);
    for (size_t i = 0; i + what.n <= s.n; i++)
        if (!memcmp(s.at + i, what.at, what.n)) return s.at + i;
    return NULL;
}

static bool contains(jinja *j, jval items, jval v)
{
    if (items.kind == J_TEXT && v.kind == J_TEXT)
        return jinja_search(j, items.as.words, v.as.words) != NULL;
    if (items.kind == J_TEXT) jinja_fail(j, "%s in a string", jinja_kind_name(v));
    const jlist *l = jinja_items(j, items).as.list;
    for (size_t i = 0; i < l->n; i++)
        if (jinja_equal(j, l->at[i], v)) return true;
    return false;
}

bool jinja_compare(jinja *j, jstr sign, jval a, jval b)
{
    const char s = sign.at[0];
    if (s == '=' || s == '!') return jinja_equal(j, a, b) == (s == '=');
    if (s == 'i' || s == 'n') return contains(j, b, a) == (s == 'i');
    const int order = order_of(j, a, b);
    return s == '<' ? order < (sign.n == 2) : order > -(sign.n == 2);
}

static jval sum_of_lists(jinja *j, const jlist *a, const jlist *b, jkind kind)
{
    const jval out = jinja_list(j, kind);
    for (size_t i = 0; i < a->n; i++) jinja_push(j, out.as.list, a->at[i]);
    for (size_t i = 0; i < b->n; i++) jinja_push(j, out.as.list, b->at[i]);
    return out;
}

/* Of numbers; integers below 2^31, whose quotients round down rightly in double precision. */
static jval sum_of_numbers(jinja *j, jstr sign, double x, double y, bool whole)
{
    const char s = sign.at[0];
    if ((s == '/' || s == '%') && y == 0) jinja_fail(j, "a division by zero");
    const double down = floor(x / y);
    const double r = s == '+'      ? x + y
                     : s == '-'    ? x - y
                     : s == '*'    ? x * y
                     : s == '%'    ? x - down * y
                     : sign.n == 2 ? down
                                   : x / y;
    if (!whole || (s == '/' && sign.n == 1)) return (jval){.kind = J_FLOAT, .as.real = r};
    if (fabs(x) > 0x1p31 || fabs(y) > 0x1p31 || fabs(r) > 0x1p53)
        jinja_fail(j, "numbers beyond 2^31");
    return jinja_int((int64_t)r);
}

jval jinja_arithmetic(jinja *j, jstr sign, jval a, jval b)
{
    const char s = sign.at[0];
    const size_t from = j->out.length;
    const bool texts = a.kind == J_TEXT && b.kind == J_TEXT;
    if (s == '~' || (s == '+' && texts)) {
        jinja_write(j, a, false, -1, 0);
        jinja_write(j, b, false, -1, 0);
        return jinja_written(j, from);
    }
    if (s == '*' && a.kind == J_TEXT && b.kind == J_INT) {
        for (int64_t i = 0; i < b.as.whole; i++) jinja_step(j, 1), jinja_add(j, a.as.words);
        return jinja_written(j, from);
    }
    if (s == '+' && a.kind == b.kind && (a.kind == J_LIST || a.kind == J_TUPLE))
        return sum_of_lists(j, a.as.list, b.as.list, a.kind);
    if (a.kind == J_UNDEFINED) jinja_fail_at(j, a.as.words, "is undefined");
    if (b.kind == J_UNDEFINED) jinja_fail_at(j, b.as.words, "is undefined");
    if (!is_number(a) || !is_number(b) || a.kind == J_BOOL || b.kind == J_BOOL)
        jinja_fail(j, "%s %.*s %s is not known here", jinja_kind_name(a), (int)sign.n, sign.at,
                   jinja_kind_name(b));
    return sum_of_numbers(j, sign, number_of(a), number_of(b), a.kind == J_INT && b.kind == J_INT);
}

/* ---- parts ---- */

size_t jinja_char(jstr s)
{
    const size_t n = utf8_length((const unsigned char *)s.at, s.n);
    return n ? n : 1;
}

jval jinja_items(jinja *j, jval v)
{
    if (v.kind == J_LIST || v.kind == J_TUPLE) return v;
    const jval items = jinja_list(j, J_LIST);
    if (v.kind == J_DICT)
        for (size_t i = 0; i < v.as.list->n; i += 2) jinja_push(j, items.as.list, v.as.list->at[i]);
    else if (v.kind == J_TEXT)
        for (jstr s = v.as.words; s.n;) {
            const size_t n = jinja_char(s);
            jinja_push(j, items.as.list, jinja_words((jstr){s.at, n}));
            s = (jstr){s.at + n, s.n - n};
        }
    else if (v.kind > J_UNDEFINED) jinja_fail(j, "%s is nothing to go through", jinja_kind_name(v));
    return items;
}

static jval loop_member(jinja *j, const jlist *l, jstr name)
{
    const jval none = {.kind = J_UNDEFINED, .as.words = name};
    const int64_t i = (int64_t)l->place, n = (int64_t)l->n;
    switch (
        jinja_among("index0 index first last length revindex revindex0 previtem nextitem", name)) {
    case 0: return jinja_int(i);
    case 1: return jinja_int(i + 1);
    case 2: return jinja_bool(i == 0);
    case 3: return jinja_bool(i + 1 == n);
    case 4: return jinja_int(n);
    case 5: return jinja_int(n - i);
    case 6: return jinja_int(n - i - 1);
    case 7: return i ? l->at[i - 1] : none;
    case 8: return i + 1 < n ? l->at[i + 1] : none;
    default: jinja_fail_at(j, name, "of a loop is not known here");
    }
}

/* v.name or v[name]; what is not there is undefined, but nothing is in what is undefined itself. */
jval jinja_member(jinja *j, jval v, jval name)
{
    const jval *found = NULL;
    if (v.kind == J_UNDEFINED) jinja_fail_at(j, v.as.words, "is undefined, and asked for a part");
    if (v.kind == J_LOOP && name.kind == J_TEXT) return loop_member(j, v.as.list, name.as.words);
    if (v.kind == J_DICT || v.kind == J_SPACE) found = jinja_get(j, v.as.list, name);
    if (name.kind == J_INT && v.kind >= J_TEXT && v.kind <= J_TUPLE) {
        const jlist *l = jinja_items(j, v).as.list;
        const int64_t n = (int64_t)l->n, i = name.as.whole < 0 ? name.as.whole + n : name.as.whole;
        if (i >= 0 && i < n) found = &l->at[i];
    }
    if (found) return *found;
    return (jval){.kind = J_UNDEFINED,
                  .as.words = name.kind == J_TEXT ? name.as.words : (jstr){"an element", 10}};
}

jval jinja_slice(jinja *j, jval v, const jval part[3])
{
    const jlist *l = jinja_items(j, v).as.list;
    const jval out = jinja_list(j, v.kind == J_TUPLE ? J_TUPLE : J_LIST);
    const size_t from = j->out.length;
    const int64_t n = (int64_t)l->n, step = part[2].kind == J_INT ? part[2].as.whole : 1;
    int64_t ends[2];
    if (v.kind < J_TEXT || v.kind > J_TUPLE) jinja_fail(j, "a slice of %s", jinja_kind_name(v));
    for (int i = 0; i < 3; i++)
        if (part[i].kind != J_INT && part[i].kind != J_NONE && part[i].kind != J_MISSING)
            jinja_fail(j, "an index is %s", jinja_kind_name(part[i]));
    if (!step) jinja_fail(j, "a slice with a step of 0");
    for (int i = 0; i < 2; i++) {
        const int64_t low = step < 0 ? -1 : 0, high = low + n;
        int64_t k = part[i].kind == J_INT ? part[i].as.whole : (step < 0) == (i == 0) ? n : -n - 1;
        if (k < 0) k += n;
        ends[i] = k < low ? low : k > high ? high : k;
    }
    for (int64_t i = ends[0]; step > 0 ? i < ends[1] : i > ends[1]; i += step) {
        if (v.kind == J_TEXT) jinja_add(j, l->at[i].as.words);
        else jinja_push(j, out.as.list, l->at[i]);
        if (step > n || step < -n) break;
    }
    return v.kind == J_TEXT ? jinja_written(j, from) : out;
}
