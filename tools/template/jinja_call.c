/* jinja_call.c - filters, tests, methods and functions: tables of name, parameters and what to
   do. */
#include "template/jinja_own.h"

#include <math.h>
#include <string.h>

void jinja_bind(jinja *j, const char *what, const char *parameters, const jargs *args,
                jval to[JINJA_ARGS])
{
    size_t place = 0;
    for (size_t i = 0; i < JINJA_ARGS; i++) to[i] = (jval){.kind = J_MISSING};
    for (size_t i = 0; i < args->n; i++) {
        const char *name = parameters;
        size_t at = 0;
        bool found = false;
        for (; *name && !found; name += strcspn(name, " "), name += *name == ' ', at++) {
            const jstr one = {name, strcspn(name, " ")};
            found = args->key[i].n
                        ? one.n == args->key[i].n && !memcmp(one.at, args->key[i].at, one.n)
                        : at == place;
        }
        if (!found && args->key[i].n)
            jinja_fail(j, "%s has no parameter '%.*s' here", what, (int)args->key[i].n,
                       args->key[i].at);
        if (!found) jinja_fail(j, "%s with %zu arguments is not known here", what, args->n);
        to[at - 1] = args->at[i];
        place += !args->key[i].n;
    }
}

/* ---- strings ---- */

static jval need_text(jinja *j, const char *what, jval v)
{
    if (v.kind != J_TEXT) jinja_fail(j, "%s of %s", what, jinja_kind_name(v));
    return v;
}

static int64_t need_int(jinja *j, const char *what, jval v, int64_t otherwise)
{
    if (v.kind == J_MISSING) return otherwise;
    if (v.kind == J_BOOL) return v.as.yes;
    if (v.kind != J_INT) jinja_fail(j, "%s: a number is %s", what, jinja_kind_name(v));
    return v.as.whole;
}

/* White space as Python has it. */
static bool is_white(const char *at, size_t n)
{
    static const char *const wide[] = {"\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80",
                                       "\xE2\x80\xA8", "\xE2\x80\xA9", "\xE2\x80\xAF",
                                       "\xE2\x81\x9F", "\xE3\x80\x80"};
    const unsigned char c = (unsigned char)at[0];
    if (n == 1) return (c >= 9 && c <= 13) || (c >= 28 && c <= 32);
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (strlen(wide[i]) == n && !memcmp(wide[i], at, n)) return true;
    return n == 3 && !memcmp(at, "\xE2\x80", 2) && (unsigned char)at[2] >= 0x80 &&
           (unsigned char)at[2] <= 0x8A;
}

static bool strip_takes(jval chars, const char *at, size_t n)
{
    if (chars.kind != J_TEXT) return is_white(at, n);
    for (size_t i = 0, k; i < chars.as.words.n; i += k) {
        k = jinja_char(chars.as.words.at + i, chars.as.words.n - i);
        if (k == n && !memcmp(chars.as.words.at + i, at, n)) return true;
    }
    return false;
}

static jval strip(jinja *j, jstr s, jval chars, bool left, bool right)
{
    if (chars.kind > J_NONE && chars.kind != J_TEXT)
        jinja_fail(j, "strip by %s", jinja_kind_name(chars));
    while (left && s.n) {
        const size_t n = jinja_char(s.at, s.n);
        if (!strip_takes(chars, s.at, n)) break;
        s.at += n;
        s.n -= n;
    }
    while (right && s.n) {
        size_t n = 1;
        while (n < 4 && n < s.n && ((unsigned char)s.at[s.n - n] & 0xC0) == 0x80) n++;
        if (!strip_takes(chars, s.at + s.n - n, n)) break;
        s.n -= n;
    }
    return jinja_words(s.at, s.n);
}

static const char *search(const char *at, size_t n, jstr what)
{
    for (size_t i = 0; i + what.n <= n; i++)
        if (!what.n || !memcmp(at + i, what.at, what.n)) return at + i;
    return NULL;
}

static jval split(jinja *j, jval v, jval by, int64_t most)
{
    jval parts = jinja_list(j, J_LIST);
    const char *at = v.as.words.at, *end = at + v.as.words.n, *next;
    if (by.kind == J_MISSING || by.kind == J_NONE) {
        for (size_t n; at < end;) {
            const char *from = at;
            n = jinja_char(at, (size_t)(end - at));
            if (is_white(at, n)) {
                at += n;
                continue;
            }
            if (most >= 0 && (int64_t)parts.as.list->n == most) {
                jinja_push(j, parts, strip(j, (jstr){at, (size_t)(end - at)}, by, false, true));
                break;
            }
            while (at < end && !is_white(at, n = jinja_char(at, (size_t)(end - at)))) at += n;
            jinja_push(j, parts, jinja_words(from, (size_t)(at - from)));
        }
        return parts;
    }
    if (need_text(j, "split by", by).as.words.n == 0) jinja_fail(j, "split by an empty string");
    while ((most < 0 || (int64_t)parts.as.list->n < most) &&
           (next = search(at, (size_t)(end - at), by.as.words)) != NULL) {
        jinja_push(j, parts, jinja_words(at, (size_t)(next - at)));
        at = next + by.as.words.n;
    }
    jinja_push(j, parts, jinja_words(at, (size_t)(end - at)));
    return parts;
}

static jval replace(jinja *j, jstr s, jval from, jval to, int64_t most)
{
    const jstr a = need_text(j, "replace", from).as.words, b = need_text(j, "replace", to).as.words;
    if (!a.n) jinja_fail(j, "replace of an empty string is not known here");
    j->scratch.length = 0;
    for (const char *end = s.at + s.n, *next;; most--) {
        next = most ? search(s.at, (size_t)(end - s.at), a) : NULL;
        text_add_bytes(&j->scratch, s.at, next ? (size_t)(next - s.at) : (size_t)(end - s.at));
        if (j->scratch.length > JINJA_MEMORY)
            jinja_fail(j, "writes more than %d MiB", JINJA_MEMORY >> 20);
        if (!next) return jinja_copy_text(j, &j->scratch);
        text_add_bytes(&j->scratch, b.at, b.n);
        s.at = next + a.n;
    }
}

/* 'u' upper, 'l' lower, 'c' capitalize, 't' title; of ASCII only. */
static jval letters(jinja *j, const char *what, jstr s, char how)
{
    char *to = jinja_take(j, s.n + 1);
    bool first = true;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.at[i];
        const bool upper = c >= 'A' && c <= 'Z', lower = c >= 'a' && c <= 'z';
        if ((unsigned char)c >= 128)
            jinja_fail(j, "%s of letters beyond ASCII is not known here", what);
        if (how == 'u' || (how != 'l' && first)) c = lower ? (char)(c - 32) : c;
        else c = upper ? (char)(c + 32) : c;
        first = how == 't' ? !(upper || lower) : false;
        to[i] = c;
    }
    return jinja_words(to, s.n);
}

static bool begins(jinja *j, jstr s, jval with, bool at_end)
{
    const jval items = with.kind == J_TUPLE ? with : jinja_list(j, J_TUPLE);
    if (with.kind != J_TUPLE) jinja_push(j, items, with);
    for (size_t i = 0; i < items.as.list->n; i++) {
        const jstr w = need_text(j, "startswith or endswith", items.as.list->at[i]).as.words;
        if (w.n <= s.n && !memcmp(at_end ? s.at + s.n - w.n : s.at, w.at, w.n)) return true;
    }
    return false;
}

static jval join(jinja *j, jval items, jstr between, jval attribute)
{
    items = jinja_items(j, items);
    j->scratch.length = 0;
    for (size_t i = 0; i < items.as.list->n; i++) {
        jval one = items.as.list->at[i];
        if (attribute.kind != J_MISSING) one = jinja_attribute(j, one, attribute);
        if (i) text_add_bytes(&j->scratch, between.at, between.n);
        jinja_print(j, &j->scratch, one);
    }
    return jinja_copy_text(j, &j->scratch);
}

jval jinja_method(jinja *j, jval v, jstr name, const jargs *args)
{
    jval a[JINJA_ARGS];
    if (v.kind == J_UNDEFINED)
        jinja_fail(j, "'%.*s' is undefined", (int)v.as.words.n, v.as.words.at);
    if (v.kind == J_DICT) {
        const bool items = jinja_is(name, "items"), keys = jinja_is(name, "keys");
        if (jinja_is(name, "get")) {
            jinja_bind(j, "get", "key default", args, a);
            const jval *found = jinja_get(v.as.dict, a[0]);
            return found ? *found : a[1].kind == J_MISSING ? jinja_none() : a[1];
        }
        if (!items && !keys && !jinja_is(name, "values"))
            jinja_fail(j, "the method '%.*s' of a mapping is not known here", (int)name.n, name.at);
        jval list = jinja_list(j, J_LIST);
        for (size_t i = 0; i < v.as.dict->n; i++) {
            jval pair = items ? jinja_list(j, J_TUPLE) : v.as.dict->key[i];
            if (items) jinja_push(j, pair, v.as.dict->key[i]);
            if (items) jinja_push(j, pair, v.as.dict->value[i]);
            jinja_push(j, list, keys || items ? pair : v.as.dict->value[i]);
        }
        return list;
    }
    if (v.kind != J_TEXT)
        jinja_fail(j, "the method '%.*s' of %s is not known here", (int)name.n, name.at,
                   jinja_kind_name(v));
    const jstr s = v.as.words;
    jinja_bind(j, "a method of strings", "1 2 3", args, a);
    if (jinja_is(name, "strip")) return strip(j, s, a[0], true, true);
    if (jinja_is(name, "lstrip")) return strip(j, s, a[0], true, false);
    if (jinja_is(name, "rstrip")) return strip(j, s, a[0], false, true);
    if (jinja_is(name, "split")) return split(j, v, a[0], need_int(j, "split", a[1], -1));
    if (jinja_is(name, "startswith")) return jinja_bool(begins(j, s, a[0], false));
    if (jinja_is(name, "endswith")) return jinja_bool(begins(j, s, a[0], true));
    if (jinja_is(name, "replace"))
        return replace(j, s, a[0], a[1], need_int(j, "replace", a[2], -1));
    if (jinja_is(name, "upper")) return letters(j, "upper", s, 'u');
    if (jinja_is(name, "lower")) return letters(j, "lower", s, 'l');
    if (jinja_is(name, "capitalize")) return letters(j, "capitalize", s, 'c');
    if (jinja_is(name, "title")) return letters(j, "title", s, 't');
    if (jinja_is(name, "join")) return join(j, a[0], s, (jval){.kind = J_MISSING});
    if (jinja_is(name, "removeprefix") || jinja_is(name, "removesuffix")) {
        const bool suffix = jinja_is(name, "removesuffix");
        if (!begins(j, s, need_text(j, "a prefix or suffix", a[0]), suffix)) return v;
        return jinja_words(suffix ? s.at : s.at + a[0].as.words.n, s.n - a[0].as.words.n);
    }
    if (jinja_is(name, "find") || jinja_is(name, "count")) {
        const jstr what = need_text(j, "find or count", a[0]).as.words;
        const char *found = search(s.at, s.n, what), *end = s.at + s.n;
        int64_t n = 0;
        if (a[1].kind != J_MISSING || !what.n)
            jinja_fail(j, "find or count in a part is not known here");
        if (jinja_is(name, "find"))
            return jinja_int(
                found ? (int64_t)jinja_length(j, jinja_words(s.at, (size_t)(found - s.at))) : -1);
        for (; found; n++) found = search(found + what.n, (size_t)(end - found) - what.n, what);
        return jinja_int(n);
    }
    jinja_fail(j, "the method '%.*s' of a string is not known here", (int)name.n, name.at);
}

/* ---- tests ---- */

bool jinja_test(jinja *j, jstr name, jval v, const jargs *args)
{
    const jkind k = v.kind;
    jval a[JINJA_ARGS];
    jinja_bind(j, "a test", "other", args, a);
    if (jinja_is(name, "defined")) return k != J_UNDEFINED;
    if (jinja_is(name, "undefined")) return k == J_UNDEFINED;
    if (jinja_is(name, "none")) return k == J_NONE;
    if (jinja_is(name, "string")) return k == J_TEXT;
    if (jinja_is(name, "mapping")) return k == J_DICT;
    if (jinja_is(name, "number")) return k == J_INT || k == J_FLOAT || k == J_BOOL;
    if (jinja_is(name, "integer")) return k == J_INT;
    if (jinja_is(name, "float")) return k == J_FLOAT;
    if (jinja_is(name, "boolean")) return k == J_BOOL;
    if (jinja_is(name, "true")) return k == J_BOOL && v.as.yes;
    if (jinja_is(name, "false")) return k == J_BOOL && !v.as.yes;
    if (jinja_is(name, "iterable") || jinja_is(name, "sequence"))
        return k == J_LIST || k == J_TUPLE || k == J_TEXT || k == J_DICT || k == J_UNDEFINED;
    if (jinja_is(name, "callable")) return k == J_MACRO;
    if (jinja_is(name, "odd")) return need_int(j, "odd", v, 0) % 2 != 0;
    if (jinja_is(name, "even")) return need_int(j, "even", v, 0) % 2 == 0;
    if (a[0].kind == J_MISSING)
        jinja_fail(j, "the test '%.*s' is not known here", (int)name.n, name.at);
    if (jinja_is(name, "divisibleby")) {
        const int64_t by = need_int(j, "divisibleby", a[0], 0);
        if (!by) jinja_fail(j, "a division by zero");
        return need_int(j, "divisibleby", v, 0) % by == 0;
    }
    if (jinja_is(name, "equalto") || jinja_is(name, "eq") || jinja_is(name, "sameas"))
        return jinja_equal(v, a[0]);
    if (jinja_is(name, "ne")) return !jinja_equal(v, a[0]);
    if (jinja_is(name, "in")) {
        const jval items = jinja_items(j, a[0]);
        for (size_t i = 0; i < items.as.list->n && a[0].kind != J_TEXT; i++)
            if (jinja_equal(items.as.list->at[i], v)) return true;
        return a[0].kind == J_TEXT &&
               search(a[0].as.words.at, a[0].as.words.n, need_text(j, "in", v).as.words) != NULL;
    }
    jinja_fail(j, "the test '%.*s' is not known here", (int)name.n, name.at);
}

/* ---- filters ---- */

/* map, select, reject and their attribute forms: the first arguments say what is looked at. */
static jval filter_each(jinja *j, jstr name, jval v, const jargs *args)
{
    const bool map = jinja_is(name, "map"), not = name.at[0] == 'r';
    const bool attribute = name.n > 4 && jinja_is((jstr){name.at + name.n - 4, 4}, "attr");
    const jval out = jinja_list(j, J_LIST), items = jinja_true(v) ? jinja_items(j, v) : out;
    size_t used = attribute ? 1 : 0;
    jargs rest = {.n = 0};
    if (attribute && (!args->n || args->key[0].n))
        jinja_fail(j, "%.*s without a name", (int)name.n, name.at);
    const bool by_key = map && args->n == 1 && jinja_is(args->key[0], "attribute");
    const jval what = args->n > used ? args->at[used] : jinja_none();
    if (map && !by_key && what.kind != J_TEXT) jinja_fail(j, "map without a filter");
    for (size_t i = used + 1; i < args->n; i++) {
        rest.at[rest.n] = args->at[i];
        rest.key[rest.n++] = args->key[i];
    }
    for (size_t i = 0; i < items.as.list->n; i++) {
        const jval item = items.as.list->at[i];
        if (map) {
            jinja_push(j, out,
                       by_key ? jinja_attribute(j, item, what)
                              : jinja_filter(j, what.as.words, item, &rest));
            continue;
        }
        const jval seen = attribute ? jinja_attribute(j, item, args->at[0]) : item;
        const bool yes =
            args->n > used
                ? jinja_test(j, need_text(j, "the name of a test", what).as.words, seen, &rest)
                : jinja_true(seen);
        if (yes != not ) jinja_push(j, out, item);
    }
    return out;
}

static jval filter_sort(jinja *j, jval v, jval reverse, jval attribute, bool pairs)
{
    const jval items =
        pairs ? jinja_method(j, v, jinja_str("items"), &(jargs){.n = 0}) : jinja_items(j, v);
    const jval out = jinja_list(j, J_LIST);
    for (size_t i = 0; i < items.as.list->n; i++) jinja_push(j, out, items.as.list->at[i]);
    for (size_t i = 1; i < out.as.list->n; i++)
        for (size_t at = i; at > 0; at--) {
            jval *b = &out.as.list->at[at], *a = b - 1, x = *a, y = *b;
            if (pairs) x = a->as.list->at[0], y = b->as.list->at[0];
            if (attribute.kind == J_TEXT)
                x = jinja_attribute(j, x, attribute), y = jinja_attribute(j, y, attribute);
            if (x.kind == J_TEXT && y.kind == J_TEXT) /* sorted without regard to case */
                x = letters(j, "sort", x.as.words, 'l'), y = letters(j, "sort", y.as.words, 'l');
            const int order = jinja_order(j, x, y);
            if (jinja_true(reverse) ? order >= 0 : order <= 0) break;
            const jval keep = *a;
            *a = *b;
            *b = keep;
        }
    return out;
}

static jval filter_indent(jinja *j, jval v, jval by, jval first)
{
    const jstr s = jinja_to_str(j, v);
    const int64_t width = need_int(j, "indent", by, 4);
    bool line = jinja_true(first);
    if (width < 0 || width > 1000) jinja_fail(j, "indent by %lld", (long long)width);
    j->scratch.length = 0;
    for (size_t i = 0; i < s.n; i++) { /* empty lines stay empty */
        for (int64_t k = 0; line && s.at[i] != '\n' && k < width; k++) text_add(&j->scratch, " ");
        line = s.at[i] == '\n';
        text_add_bytes(&j->scratch, s.at + i, 1);
    }
    return jinja_copy_text(j, &j->scratch);
}

static jval filter_number(jinja *j, jval v, bool whole)
{
    if (v.kind == J_INT || v.kind == J_BOOL) {
        const int64_t n = need_int(j, "int", v, 0);
        if (whole) return jinja_int(n);
        v.as.real = (double)n;
        v.kind = J_FLOAT;
        return v;
    }
    if (v.kind == J_FLOAT && whole && fabs(v.as.real) < 9e15) return jinja_int((int64_t)v.as.real);
    if (v.kind == J_FLOAT && !whole) return v;
    jinja_fail(j, "int or float of %s is not known here", jinja_kind_name(v));
}

static jval filter_reverse(jinja *j, jval v)
{
    const jval items = jinja_items(j, v), out = jinja_list(j, J_LIST);
    for (size_t i = items.as.list->n; i > 0; i--) jinja_push(j, out, items.as.list->at[i - 1]);
    return v.kind == J_TEXT ? join(j, out, jinja_str(""), (jval){.kind = J_MISSING}) : out;
}

jval jinja_filter(jinja *j, jstr name, jval v, const jargs *args)
{
    static const char *const each[] = {"map", "select", "reject", "selectattr", "rejectattr"};
    static const char *const parameters[][2] = {{"trim", "chars"},
                                                {"default", "value boolean"},
                                                {"d", "value boolean"},
                                                {"join", "d attribute"},
                                                {"tojson", "indent ensure_ascii sort_keys"},
                                                {"replace", "old new count"},
                                                {"round", "precision"},
                                                {"indent", "width first"},
                                                {"sort", "reverse case_sensitive attribute"}};
    const char *names = "";
    char what[64];
    jval a[JINJA_ARGS];
    for (size_t i = 0; i < sizeof each / sizeof *each; i++)
        if (jinja_is(name, each[i])) return filter_each(j, name, v, args);
    for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++)
        if (jinja_is(name, parameters[i][0])) names = parameters[i][1];
    snprintf(what, sizeof what, "the filter '%.*s'", name.n < 32 ? (int)name.n : 32, name.at);
    jinja_bind(j, what, names, args, a);
    if (jinja_is(name, "trim")) return strip(j, jinja_to_str(j, v), a[0], true, true);
    if (jinja_is(name, "length") || jinja_is(name, "count"))
        return jinja_int((int64_t)jinja_length(j, v));
    if (jinja_is(name, "upper")) return letters(j, "upper", jinja_to_str(j, v), 'u');
    if (jinja_is(name, "lower")) return letters(j, "lower", jinja_to_str(j, v), 'l');
    if (jinja_is(name, "capitalize")) return letters(j, "capitalize", jinja_to_str(j, v), 'c');
    if (jinja_is(name, "title")) return letters(j, "title", jinja_to_str(j, v), 't');
    if (jinja_is(name, "string")) {
        const jstr s = jinja_to_str(j, v);
        return jinja_words(s.at, s.n);
    }
    if (jinja_is(name, "safe")) return v;
    if (jinja_is(name, "tojson")) {
        j->scratch.length = 0;
        jinja_json(j, &j->scratch, v, a[0].kind == J_NONE ? -1 : need_int(j, "tojson", a[0], -1),
                   jinja_true(a[2]), 0);
        return jinja_copy_text(j, &j->scratch);
    }
    if (jinja_is(name, "default") || jinja_is(name, "d"))
        return v.kind == J_UNDEFINED || (jinja_true(a[1]) && !jinja_true(v))
                   ? a[0].kind == J_MISSING ? jinja_text("") : a[0]
                   : v;
    if (jinja_is(name, "join"))
        return join(j, v, a[0].kind == J_MISSING ? jinja_str("") : jinja_to_str(j, a[0]), a[1]);
    if (jinja_is(name, "first") || jinja_is(name, "last")) {
        const jval items = jinja_items(j, v);
        if (!items.as.list->n) return jinja_undefined(name);
        return items.as.list->at[jinja_is(name, "first") ? 0 : items.as.list->n - 1];
    }
    if (jinja_is(name, "list")) {
        jval items = jinja_items(j, v);
        items.kind = J_LIST;
        return items;
    }
    if (jinja_is(name, "items")) {
        if (v.kind == J_UNDEFINED) return jinja_list(j, J_LIST);
        return jinja_method(j, v, name, args);
    }
    if (jinja_is(name, "dictsort")) return filter_sort(j, v, a[0], (jval){.kind = J_MISSING}, true);
    if (jinja_is(name, "sort")) return filter_sort(j, v, a[0], a[2], false);
    if (jinja_is(name, "reverse")) return filter_reverse(j, v);
    if (jinja_is(name, "replace"))
        return replace(j, jinja_to_str(j, v), a[0], a[1], need_int(j, "replace", a[2], -1));
    if (jinja_is(name, "indent")) return filter_indent(j, v, a[0], a[1]);
    if (jinja_is(name, "int") || jinja_is(name, "float"))
        return filter_number(j, v, jinja_is(name, "int"));
    if (jinja_is(name, "abs") && v.kind == J_INT)
        return jinja_int(v.as.whole < 0 ? -v.as.whole : v.as.whole);
    jinja_fail(j, "the filter '%.*s' is not known here", (int)name.n, name.at);
}

/* ---- functions ---- */

static int days_of(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (leap && month == 2);
}

bool jinja_date_read(const char *words, jinja_date *date)
{
    int used = 0;
    return sscanf(words, "%4d-%2d-%2d%n", &date->year, &date->month, &date->day, &used) == 3 &&
           used == 10 && words[10] == '\0' && date->year > 0 && date->month >= 1 &&
           date->month <= 12 && date->day >= 1 && date->day <= days_of(date->year, date->month);
}

static jval date_text(jinja *j, jstr format)
{
    static const char *const month[] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};
    static const char *const week[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                       "Thursday", "Friday", "Saturday"};
    const jinja_date d = j->input->date;
    const int y = d.month < 3 ? d.year - 1 : d.year,
              day = /* Sakamoto's rule */
              (y + y / 4 - y / 100 + y / 400 + "032503514624"[d.month - 1] - '0' + d.day) % 7;
    text *t = &j->scratch;
    t->length = 0;
    for (size_t i = 0; i < format.n; i++) {
        if (format.at[i] != '%' || i + 1 == format.n) {
            text_add_bytes(t, format.at + i, 1);
            continue;
        }
        switch (format.at[++i]) {
        case 'd': text_print(t, "%02d", d.day); break;
        case 'e': text_print(t, "%2d", d.day); break;
        case 'm': text_print(t, "%02d", d.month); break;
        case 'Y': text_print(t, "%04d", d.year); break;
        case 'y': text_print(t, "%02d", d.year % 100); break;
        case 'B': text_add(t, month[d.month - 1]); break;
        case 'b': text_add_bytes(t, month[d.month - 1], 3); break;
        case 'A': text_add(t, week[day]); break;
        case 'a': text_add_bytes(t, week[day], 3); break;
        case 'H':
        case 'M':
        case 'S': text_add(t, "00"); break;
        case '%': text_add(t, "%"); break;
        default: jinja_fail(j, "strftime_now: %%%c is not known here", format.at[i]);
        }
    }
    return jinja_copy_text(j, t);
}

jval jinja_function(jinja *j, jstr name, const jargs *args)
{
    jval a[JINJA_ARGS];
    if (jinja_is(name, "namespace") || jinja_is(name, "dict")) {
        jval space = jinja_dict(j, jinja_is(name, "dict") ? J_DICT : J_SPACE);
        for (size_t i = 0; i < args->n; i++) {
            if (!args->key[i].n) jinja_fail(j, "namespace or dict of a value is not known here");
            jinja_put(j, space.as.dict, jinja_words(args->key[i].at, args->key[i].n), args->at[i]);
        }
        return space;
    }
    jinja_bind(j, "a function", "1 2 3", args, a);
    if (jinja_is(name, "raise_exception"))
        jinja_fail(j, "the template says: %.*s", (int)jinja_to_str(j, a[0]).n,
                   jinja_to_str(j, a[0]).at);
    if (jinja_is(name, "strftime_now"))
        return date_text(j, need_text(j, "strftime_now", a[0]).as.words);
    if (jinja_is(name, "range")) {
        const bool one = a[1].kind == J_MISSING;
        const int64_t from = one ? 0 : need_int(j, "range", a[0], 0),
                      step = need_int(j, "range", a[2], 1);
        const int64_t to = need_int(j, "range", one ? a[0] : a[1], 0);
        const jval list = jinja_list(j, J_LIST);
        if (!step) jinja_fail(j, "range with a step of 0");
        for (int64_t i = from; step > 0 ? i < to : i > to; i += step) {
            if (list.as.list->n > 100000) jinja_fail(j, "a range of more than 100000");
            jinja_push(j, list, jinja_int(i));
        }
        return list;
    }
    jinja_fail(j, "'%.*s' is called and is no function here", (int)name.n, name.at);
}
