/* jinja_call.c - filters, tests, methods and functions: a table of name, parameters and what to
   do. */
#include "template/jinja_own.h"

#include <math.h>
#include <string.h>
#include <time.h>

/* A call under way: what is filtered, tested or asked; values of the row's parameters, J_MISSING
   where none was given; the row's own letter; the arguments as they were written. */
typedef struct jcall {
    const char *what;
    jval v, a[JINJA_ARGS];
    int how;
    const jargs *given;
} jcall;

/* ---- strings ---- */

static jstr need_text(jinja *j, const jcall *c, jval v)
{
    if (v.kind != J_TEXT) jinja_fail(j, "%s of %s", c->what, jinja_kind_name(v));
    return v.as.words;
}

static int64_t need_int(jinja *j, const jcall *c, jval v, int64_t otherwise)
{
    if (v.kind == J_MISSING || v.kind == J_NONE) return otherwise;
    if (v.kind != J_INT && v.kind != J_BOOL)
        jinja_fail(j, "%s: a number is %s", c->what, jinja_kind_name(v));
    return v.as.whole;
}

static jstr behind(jstr s, size_t n)
{
    return (jstr){s.at + n, s.n - n};
}

/* White space as Python has it. */
static const char python_white[] =
    "\t\n\v\f\r\x1C\x1D\x1E\x1F \xC2\x85\u00A0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006"
    "\u2007\u2008\u2009\u200A\u2028\u2029\u202F\u205F\u3000";
static const jstr white = {python_white, sizeof python_white - 1};

/* Is the character that s begins with one of `chars`? */
static bool begins_with(jstr s, jstr chars)
{
    const size_t n = jinja_char(s);
    for (; chars.n; chars = behind(chars, jinja_char(chars)))
        if (jinja_char(chars) == n && !memcmp(chars.at, s.at, n)) return true;
    return false;
}

static jstr strip(jinja *j, jstr s, jstr chars, bool left, bool right)
{
    jinja_step(j, s.n / 16);
    while (left && s.n && begins_with(s, chars)) s = behind(s, jinja_char(s));
    while (right && s.n) {
        size_t n = 1;
        while (n < 4 && n < s.n && ((unsigned char)s.at[s.n - n] & 0xC0) == 0x80) n++;
        if (jinja_char(behind(s, s.n - n)) != n) n = 1;
        if (!begins_with(behind(s, s.n - n), chars)) break;
        s.n -= n;
    }
    return s;
}

static jval call_strip(jinja *j, const jcall *c)
{
    const jstr chars = c->a[0].kind <= J_NONE ? white : need_text(j, c, c->a[0]);
    return jinja_words(strip(j, jinja_str(j, c->v), chars, c->how != 'r', c->how != 'l'));
}

/* What stands before `what`, and behind it in *rest; all, and NULL there, if it is not in s. */
static jstr cut(jinja *j, jstr s, jstr what, jstr *rest)
{
    const char *found = jinja_search(j, s, what);
    *rest = found ? behind(s, (size_t)(found - s.at) + what.n) : (jstr){NULL, 0};
    return found ? (jstr){s.at, (size_t)(found - s.at)} : s;
}

/* split(): white space is one separator, however long, and none at the ends. */
static jval split_white(jinja *j, jstr s, int64_t most)
{
    const jval parts = jinja_list(j, J_LIST);
    while ((s = strip(j, s, white, true, false)).n) {
        size_t n = most-- ? 0 : s.n;
        while (n < s.n && !begins_with(behind(s, n), white)) n += jinja_char(behind(s, n));
        jinja_push(j, parts.as.list, jinja_words((jstr){s.at, n}));
        s = behind(s, n);
    }
    return parts;
}

/* split by a string, and replace: what stands between is a list, or is written with another. */
static jval call_split(jinja *j, const jcall *c)
{
    const bool split = c->how == 's';
    int64_t most = need_int(j, c, c->a[split ? 1 : 2], -1);
    jstr s = jinja_str(j, c->v), rest = s;
    if (split && c->a[0].kind <= J_NONE) return split_white(j, s, most);
    const jstr by = need_text(j, c, c->a[0]), with = split ? by : need_text(j, c, c->a[1]);
    const jval parts = jinja_list(j, J_LIST);
    const size_t from = j->out.length;
    if (!by.n) jinja_fail(j, "%s of an empty string is not known here", c->what);
    for (; s.at; s = rest) {
        rest = (jstr){NULL, 0};
        const jstr part = most-- ? cut(j, s, by, &rest) : s;
        if (split) jinja_push(j, parts.as.list, jinja_words(part));
        else jinja_add(j, part);
        if (!split && rest.at) jinja_add(j, with);
    }
    return split ? parts : jinja_written(j, from);
}

/* 'u' upper, 'l' lower, 'c' capitalize, 't' title as Python has it, 'T' as Jinja; ASCII only. */
static jval call_letters(jinja *j, const jcall *c)
{
    const jstr s = jinja_str(j, c->v);
    const size_t from = j->out.length;
    bool first = true;
    for (size_t i = 0; i < s.n; i++) {
        char l = s.at[i];
        const bool upper = l >= 'A' && l <= 'Z', lower = l >= 'a' && l <= 'z';
        if ((unsigned char)l >= 128)
            jinja_fail(j, "%s of letters beyond ASCII is not known here", c->what);
        const bool large = c->how == 'u' || (c->how != 'l' && first);
        first =
            c->how == 'T' ? l && strchr("-({[< \t\n\v\f\r", l) : c->how == 't' && !upper && !lower;
        if (large ? lower : upper) l ^= 32;
        jinja_add(j, (jstr){&l, 1});
    }
    return jinja_written(j, from);
}

static bool ends_match(jstr s, jstr with, bool at_end)
{
    return with.n <= s.n && !memcmp(at_end ? s.at + s.n - with.n : s.at, with.at, with.n);
}

/* startswith, endswith: with a string, or one of a tuple. */
static jval call_ends(jinja *j, const jcall *c)
{
    const jlist one = {.at = (jval *)&c->a[0], .n = 1};
    const jlist *l = c->a[0].kind == J_TUPLE ? c->a[0].as.list : &one;
    bool found = false;
    for (size_t i = 0; i < l->n && !found; i++)
        found = ends_match(c->v.as.words, need_text(j, c, l->at[i]), c->how == 'e');
    return jinja_bool(found);
}

static int64_t characters(jinja *j, jstr s)
{
    int64_t n = 0;
    jinja_step(j, s.n);
    for (; s.n; s = behind(s, jinja_char(s))) n++;
    return n;
}

/* find and count, of a string in a string */
static jval call_find(jinja *j, const jcall *c)
{
    const jstr what = need_text(j, c, c->a[0]);
    jstr rest;
    int64_t n = 0;
    if (!what.n) jinja_fail(j, "%s of an empty string is not known here", c->what);
    const jstr before = cut(j, c->v.as.words, what, &rest);
    if (c->how == 'f') return jinja_int(rest.at ? characters(j, before) : -1);
    for (; rest.at; n++) cut(j, rest, what, &rest);
    return jinja_int(n);
}

/* ---- tests ---- */

static jval call_test(jinja *j, const jcall *c)
{
    const jval v = c->v, other = c->a[0];
    const int64_t by = need_int(j, c, c->how == '%' ? other : (jval){.kind = J_MISSING}, 2);
    switch (c->how) {
    case 't':
    case 'f': return jinja_bool(v.kind == J_BOOL && v.as.whole == (c->how == 't'));
    case '=': return jinja_bool(jinja_equal(j, v, other));
    case '!': return jinja_bool(!jinja_equal(j, v, other));
    case 'i': return jinja_bool(jinja_compare(j, (jstr){"in", 2}, v, other));
    default: /* odd, even, divisibleby */
        if (!by) jinja_fail(j, "a division by zero");
        return jinja_bool((need_int(j, c, v, 0) % by != 0) == (c->how == 'o'));
    }
}

/* Kinds as bits. */
static jval call_kind(jinja *j, const jcall *c)
{
    (void)j;
    return jinja_bool((unsigned)c->how >> c->v.kind & 1);
}

/* ---- lists and mappings ---- */

/* items, keys, values */
static jval call_pairs(jinja *j, const jcall *c)
{
    const jval out = jinja_list(j, J_LIST);
    if (c->v.kind == J_UNDEFINED) return out;
    if (c->v.kind != J_DICT) jinja_fail(j, "%s of %s", c->what, jinja_kind_name(c->v));
    for (size_t i = 0; i < c->v.as.list->n; i += 2) {
        const jval *key = &c->v.as.list->at[i], pair = jinja_list(j, J_TUPLE);
        jinja_push(j, pair.as.list, key[0]);
        jinja_push(j, pair.as.list, key[1]);
        jinja_push(j, out.as.list, c->how == 'i' ? pair : key[c->how == 'v']);
    }
    return out;
}

/* x | join(by, attribute), by.join(x) */
static jval call_join(jinja *j, const jcall *c)
{
    const bool method = c->how == 'm';
    const jstr by = jinja_str(j, method ? c->v : c->a[0]);
    const jlist *l = jinja_items(j, method ? c->a[0] : c->v).as.list;
    const size_t from = j->out.length;
    for (size_t i = 0; i < l->n; i++) {
        const bool whole = method || c->a[1].kind == J_MISSING;
        if (i) jinja_add(j, by);
        jinja_write(j, whole ? l->at[i] : jinja_member(j, l->at[i], c->a[1]), false, -1, 0);
    }
    return jinja_written(j, from);
}

/* list, and reverse */
static jval call_list(jinja *j, const jcall *c)
{
    const jlist *l = jinja_items(j, c->v).as.list;
    const jval out = jinja_list(j, J_LIST);
    const jval back[3] = {{.kind = J_NONE}, {.kind = J_NONE}, {.kind = J_INT, .as.whole = -1}};
    if (c->how == 'r' && c->v.kind == J_TEXT) return jinja_slice(j, c->v, back);
    for (size_t i = 0; i < l->n; i++)
        jinja_push(j, out.as.list, l->at[c->how == 'r' ? l->n - 1 - i : i]);
    return out;
}

/* sort, and dictsort by keys; strings without regard to case. */
static jval call_sort(jinja *j, const jcall *c)
{
    const bool pairs = c->how == 'd';
    const jcall part = {.what = c->what, .v = c->v, .how = pairs ? 'i' : 'l'};
    const jval out = pairs ? call_pairs(j, &part) : call_list(j, &part),
               keys = jinja_list(j, J_LIST);
    jval *item = out.as.list->at;
    for (size_t i = 0; i < out.as.list->n; i++) {
        jval one = item[i], key = pairs ? one.as.list->at[0] : one;
        if (c->a[2].kind == J_TEXT) key = jinja_member(j, key, c->a[2]);
        if (key.kind == J_TEXT && !jinja_true(c->a[1]))
            key = call_letters(j, &(jcall){.what = c->what, .v = key, .how = 'l'});
        jinja_push(j, keys.as.list, key);
        jval *k = keys.as.list->at;
        const char *sign = jinja_true(c->a[0]) ? "<" : ">";
        size_t at = i;
        for (; at > 0 && jinja_compare(j, (jstr){sign, 1}, k[at - 1], key); at--) {
            jinja_step(j, 1);
            k[at] = k[at - 1];
            item[at] = item[at - 1];
        }
        k[at] = key;
        item[at] = one;
    }
    return out;
}

/* map, select, reject and their attribute forms: the first arguments say what is looked at, those
   behind them go to the filter or test that they name. */
static jval call_each(jinja *j, const jcall *c)
{
    const jargs *g = c->given;
    const bool map = c->how == 'm', keeps = c->how == 's' || c->how == 'S';
    const bool by_key = map && g->n == 1 && jinja_is(g->key[0], "attribute");
    const size_t used = by_key || c->how == 'S' || c->how == 'R';
    const jval out = jinja_list(j, J_LIST);
    const jlist *l = jinja_true(c->v) ? jinja_items(j, c->v).as.list : out.as.list;
    jargs rest = {.n = 0};
    if (g->n < used + (map && !by_key)) jinja_fail(j, "%s without a name", c->what);
    for (size_t i = used + 1; i < g->n; i++) {
        rest.at[rest.n] = g->at[i];
        rest.key[rest.n++] = g->key[i];
    }
    for (size_t i = 0, n = l->n; i < n; i++) {
        jval seen = used ? jinja_member(j, l->at[i], g->at[0]) : l->at[i];
        if (g->n > used)
            seen = jinja_call(j, map ? CALL_FILTER : CALL_TEST, need_text(j, c, g->at[used]), seen,
                              &rest);
        if (map || jinja_true(seen) == keeps) jinja_push(j, out.as.list, map ? seen : l->at[i]);
    }
    return out;
}

/* ---- other filters ---- */

/* What one line says: default, get, first, last, length, string, safe. */
static jval call_plain(jinja *j, const jcall *c)
{
    const jval v = c->v, *found;
    const jlist *l;
    switch (c->how) {
    case 'd':
        if (v.kind != J_UNDEFINED && (!jinja_true(c->a[1]) || jinja_true(v))) return v;
        return c->a[0].kind == J_MISSING ? jinja_text("") : c->a[0];
    case 'g':
        found = jinja_get(j, v.as.list, c->a[0]);
        return found ? *found : c->a[1].kind == J_MISSING ? (jval){.kind = J_NONE} : c->a[1];
    case 'n':
        if (v.kind == J_TEXT) return jinja_int(characters(j, v.as.words));
        return jinja_int((int64_t)jinja_items(j, v).as.list->n);
    case 's': return jinja_words(jinja_str(j, v));
    case 'f':
    case 'l':
        l = jinja_items(j, v).as.list;
        if (l->n) return l->at[c->how == 'f' ? 0 : l->n - 1];
        return (jval){.kind = J_UNDEFINED, .as.words = jinja_text(c->what).as.words};
    default: return v;
    }
}

static jval call_json(jinja *j, const jcall *c)
{
    const int64_t indent = need_int(j, c, c->a[0], -1);
    const size_t from = j->out.length;
    if (indent > 100) jinja_fail(j, "tojson: an indent above 100 is not known here");
    jinja_write(j, c->v, true, indent, 0);
    for (size_t i = from; jinja_true(c->a[1]) && i < j->out.length; i++)
        if ((unsigned char)j->out.at[i] >= 128)
            jinja_fail(j, "tojson with ensure_ascii beyond ASCII is not known here");
    return jinja_written(j, from);
}

static jval call_indent(jinja *j, const jcall *c)
{
    const jstr s = jinja_str(j, c->v);
    const int64_t width = need_int(j, c, c->a[0], 4);
    const size_t from = j->out.length;
    bool line = jinja_true(c->a[1]);
    if (width < 0 || width > 100) jinja_fail(j, "indent by %lld", (long long)width);
    for (size_t i = 0; i < s.n; i++) { /* empty lines stay empty */
        if (line && s.at[i] != '\n') text_print(&j->out, "%*s", (int)width, "");
        line = s.at[i] == '\n';
        jinja_add(j, (jstr){s.at + i, 1});
    }
    return jinja_written(j, from);
}

/* int, float, abs */
static jval call_number(jinja *j, const jcall *c)
{
    const jval v = c->v;
    if (v.kind == J_FLOAT && c->how == 'f') return v;
    if (v.kind == J_FLOAT && c->how == 'i' && fabs(v.as.real) < 9e15)
        return jinja_int((int64_t)v.as.real);
    if (v.kind != J_INT && v.kind != J_BOOL)
        jinja_fail(j, "%s of %s is not known here", c->what, jinja_kind_name(v));
    if (c->how == 'f') return (jval){.kind = J_FLOAT, .as.real = (double)v.as.whole};
    return jinja_int(c->how == 'a' && v.as.whole < 0 ? -v.as.whole : v.as.whole);
}

/* ---- functions ---- */

bool jinja_date_read(const char *words, jinja_date *date)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int used = 0, *y = &date->year, *m = &date->month, *d = &date->day;
    if (sscanf(words, "%4d-%2d-%2d%n", y, m, d, &used) != 3 || used != 10 || words[10])
        return false;
    const bool leap = (*y % 4 == 0 && *y % 100 != 0) || *y % 400 == 0;
    return *y > 0 && *m >= 1 && *m <= 12 && *d >= 1 && *d <= days[*m - 1] + (leap && *m == 2);
}

/* In English, as the program leaves the locale of time alone; at midnight. */
static jval call_date(jinja *j, const jcall *c)
{
    const jinja_date d = j->input->date;
    const int y = d.year - (d.month < 3); /* the day of the week by Sakamoto's rule */
    const struct tm when = {
        .tm_year = d.year - 1900,
        .tm_mon = d.month - 1,
        .tm_mday = d.day,
        .tm_wday = (y + y / 4 - y / 100 + y / 400 + "032503514624"[d.month - 1] - '0' + d.day) % 7};
    const size_t from = j->out.length;
    for (jstr s = need_text(j, c, c->a[0]); s.n; s = behind(s, 1)) {
        char form[3] = "%", said[32];
        if (*s.at != '%' || s.n == 1) {
            jinja_add(j, (jstr){s.at, 1});
            continue;
        }
        s = behind(s, 1);
        form[1] = *s.at;
        if (!*s.at || !strchr("aAbBdeHmMSyY%", *s.at))
            jinja_fail(j, "strftime_now: %%%c is not known here", *s.at);
        jinja_add(j, (jstr){said, strftime(said, sizeof said, form, &when)});
    }
    return jinja_written(j, from);
}

static jval call_range(jinja *j, const jcall *c)
{
    const bool one = c->a[1].kind == J_MISSING;
    const int64_t from = one ? 0 : need_int(j, c, c->a[0], 0),
                  to = need_int(j, c, c->a[one ? 0 : 1], 0), step = need_int(j, c, c->a[2], 1);
    const jval list = jinja_list(j, J_LIST);
    if (!step) jinja_fail(j, "range with a step of 0");
    for (int64_t i = from; step > 0 ? i < to : i > to; i += step) {
        if (list.as.list->n > 100000) jinja_fail(j, "a range of more than 100000");
        jinja_push(j, list.as.list, jinja_int(i));
    }
    return list;
}

/* namespace, dict: of names */
static jval call_names(jinja *j, const jcall *c)
{
    const jval out = jinja_list(j, c->how == 'd' ? J_DICT : J_SPACE);
    for (size_t i = 0; i < c->given->n; i++) {
        if (!c->given->key[i].n) jinja_fail(j, "%s of a value is not known here", c->what);
        jinja_put(j, out.as.list, jinja_words(c->given->key[i]), c->given->at[i]);
    }
    return out;
}

static jval call_raise(jinja *j, const jcall *c)
{
    const jstr said = jinja_str(j, c->a[0]);
    jinja_fail(j, "the template says: %.*s", (int)said.n, said.at);
}

/* ---- the table ---- */

enum {
    WORDS = 1 << J_TEXT,
    PAIRS = 1 << J_DICT,
    NUMBERS = 1 << J_BOOL | 1 << J_INT | 1 << J_FLOAT,
    MANY = WORDS | PAIRS | 1 << J_LIST | 1 << J_TUPLE | 1 << J_UNDEFINED
};

/* of: the kinds of value that have the method. least: how many arguments it needs; parameters NULL:
   what does it looks at the arguments as they were given. */
// clang-format off
static const struct row {
    int kinds, of;
    const char *name;
    size_t least;
    const char *parameters;
    jval (*does)(jinja *j, const jcall *c);
    int how;
} rows[] = {
    {CALL_FILTER | CALL_METHOD, WORDS, "upper", 0, "", call_letters, 'u'},
    {CALL_FILTER | CALL_METHOD, WORDS, "lower", 0, "", call_letters, 'l'},
    {CALL_FILTER | CALL_METHOD, WORDS, "capitalize", 0, "", call_letters, 'c'},
    {CALL_FILTER, 0, "title", 0, "", call_letters, 'T'},
    {CALL_METHOD, WORDS, "title", 0, "", call_letters, 't'},
    {CALL_FILTER | CALL_METHOD, WORDS, "replace", 2, "old new count", call_split, 'r'},
    {CALL_METHOD, WORDS, "split", 0, "sep maxsplit", call_split, 's'},
    {CALL_FILTER, 0, "trim", 0, "chars", call_strip, 0},
    {CALL_METHOD, WORDS, "strip", 0, "chars", call_strip, 0},
    {CALL_METHOD, WORDS, "lstrip", 0, "chars", call_strip, 'l'},
    {CALL_METHOD, WORDS, "rstrip", 0, "chars", call_strip, 'r'},
    {CALL_METHOD, WORDS, "startswith", 1, "prefix", call_ends, 's'},
    {CALL_METHOD, WORDS, "endswith", 1, "suffix", call_ends, 'e'},
    {CALL_METHOD, WORDS, "find", 1, "sub", call_find, 'f'},
    {CALL_METHOD, WORDS, "count", 1, "sub", call_find, 'c'},
    {CALL_METHOD, WORDS, "join", 1, "iterable", call_join, 'm'},
    {CALL_METHOD, PAIRS, "get", 1, "key default", call_plain, 'g'},
    {CALL_FILTER | CALL_METHOD, PAIRS, "items", 0, "", call_pairs, 'i'},
    {CALL_METHOD, PAIRS, "keys", 0, "", call_pairs, 'k'},
    {CALL_METHOD, PAIRS, "values", 0, "", call_pairs, 'v'},
    {CALL_FILTER, 0, "join", 0, "d attribute", call_join, 0},
    {CALL_FILTER, 0, "length", 0, "", call_plain, 'n'},
    {CALL_FILTER, 0, "count", 0, "", call_plain, 'n'},
    {CALL_FILTER, 0, "first", 0, "", call_plain, 'f'},
    {CALL_FILTER, 0, "last", 0, "", call_plain, 'l'},
    {CALL_FILTER, 0, "string", 0, "", call_plain, 's'},
    {CALL_FILTER, 0, "safe", 0, "", call_plain, 0},
    {CALL_FILTER, 0, "default", 0, "default_value boolean", call_plain, 'd'},
    {CALL_FILTER, 0, "d", 0, "default_value boolean", call_plain, 'd'},
    {CALL_FILTER, 0, "list", 0, "", call_list, 'l'},
    {CALL_FILTER, 0, "reverse", 0, "", call_list, 'r'},
    {CALL_FILTER, 0, "sort", 0, "reverse case_sensitive attribute", call_sort, 's'},
    {CALL_FILTER, 0, "dictsort", 0, "", call_sort, 'd'},
    {CALL_FILTER, 0, "map", 0, NULL, call_each, 'm'},
    {CALL_FILTER, 0, "select", 0, NULL, call_each, 's'},
    {CALL_FILTER, 0, "reject", 0, NULL, call_each, 'r'},
    {CALL_FILTER, 0, "selectattr", 0, NULL, call_each, 'S'},
    {CALL_FILTER, 0, "rejectattr", 0, NULL, call_each, 'R'},
    {CALL_FILTER, 0, "tojson", 0, "indent ensure_ascii", call_json, 0},
    {CALL_FILTER, 0, "indent", 0, "width first", call_indent, 0},
    {CALL_FILTER, 0, "int", 0, "", call_number, 'i'},
    {CALL_FILTER, 0, "float", 0, "", call_number, 'f'},
    {CALL_FILTER, 0, "abs", 0, "", call_number, 'a'},
    {CALL_TEST, 0, "defined", 0, "", call_kind, ~(1 << J_UNDEFINED)},
    {CALL_TEST, 0, "undefined", 0, "", call_kind, 1 << J_UNDEFINED},
    {CALL_TEST, 0, "none", 0, "", call_kind, 1 << J_NONE},
    {CALL_TEST, 0, "string", 0, "", call_kind, WORDS},
    {CALL_TEST, 0, "mapping", 0, "", call_kind, PAIRS},
    {CALL_TEST, 0, "number", 0, "", call_kind, NUMBERS},
    {CALL_TEST, 0, "integer", 0, "", call_kind, 1 << J_INT},
    {CALL_TEST, 0, "float", 0, "", call_kind, 1 << J_FLOAT},
    {CALL_TEST, 0, "boolean", 0, "", call_kind, 1 << J_BOOL},
    {CALL_TEST, 0, "iterable", 0, "", call_kind, MANY},
    {CALL_TEST, 0, "sequence", 0, "", call_kind, MANY},
    {CALL_TEST, 0, "callable", 0, "", call_kind, 1 << J_MACRO},
    {CALL_TEST, 0, "true", 0, "", call_test, 't'},
    {CALL_TEST, 0, "false", 0, "", call_test, 'f'},
    {CALL_TEST, 0, "odd", 0, "", call_test, 'o'},
    {CALL_TEST, 0, "even", 0, "", call_test, 'e'},
    {CALL_TEST, 0, "divisibleby", 1, "num", call_test, '%'},
    {CALL_TEST, 0, "equalto", 1, "other", call_test, '='},
    {CALL_TEST, 0, "eq", 1, "other", call_test, '='},
    {CALL_TEST, 0, "sameas", 1, "other", call_test, '='},
    {CALL_TEST, 0, "ne", 1, "other", call_test, '!'},
    {CALL_TEST, 0, "in", 1, "seq", call_test, 'i'},
    {CALL_FUNCTION, 0, "range", 1, "start stop step", call_range, 0},
    {CALL_FUNCTION, 0, "namespace", 0, NULL, call_names, 's'},
    {CALL_FUNCTION, 0, "dict", 0, NULL, call_names, 'd'},
    {CALL_FUNCTION, 0, "raise_exception", 0, "message", call_raise, 0},
    {CALL_FUNCTION, 0, "strftime_now", 1, "format", call_date, 0},
};
// clang-format on

static const struct row *find_row(int kind, jstr name, jkind of)
{
    for (const struct row *r = rows; r < rows + sizeof rows / sizeof *rows; r++)
        if (r->kinds & kind && jinja_is(name, r->name) && (kind != CALL_METHOD || r->of >> of & 1))
            return r;
    return NULL;
}

bool jinja_knows(int kind, jstr name)
{
    return find_row(kind, name, J_MISSING) != NULL;
}

/* Arguments to the row's parameters, by place or by name. */
static void bind(jinja *j, const struct row *r, jcall *c)
{
    const jargs *g = c->given;
    int place = 0, many = *r->parameters != '\0';
    for (const char *s = r->parameters; *s; s++) many += *s == ' ';
    for (size_t i = 0; i < g->n; i++) {
        const jstr key = g->key[i];
        const int to = key.n ? jinja_among(r->parameters, key) : place++;
        if (to < 0) jinja_fail_at(j, key, "is no parameter here");
        if (to < many) c->a[to] = g->at[i];
    }
    bool fits = place <= many;
    for (size_t i = 0; i < r->least; i++) fits &= c->a[i].kind != J_MISSING;
    if (!fits) jinja_fail(j, "%s with %zu arguments is not known here", r->name, g->n);
}

jval jinja_call(jinja *j, int kind, jstr name, jval v, const jargs *given)
{
    const struct row *r = find_row(kind, name, v.kind);
    const char *what = kind == CALL_TEST ? "test" : kind == CALL_FILTER ? "filter" : "function";
    const int n = name.n < 200 ? (int)name.n : 200;
    if (kind == CALL_METHOD && v.kind == J_UNDEFINED) jinja_fail_at(j, v.as.words, "is undefined");
    if (!r && kind == CALL_METHOD)
        jinja_fail(j, "the method '%.*s' of %s is not known here", n, name.at, jinja_kind_name(v));
    if (!r) jinja_fail(j, "the %s '%.*s' is not known here", what, n, name.at);
    jcall c = {.what = r->name, .v = v, .how = r->how, .given = given};
    if (r->parameters) bind(j, r, &c);
    return r->does(j, &c);
}
