/* jinja_value.c - values of a template: memory, truth, order, and how they are written. */
#include "template/jinja_own.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
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

jstr jinja_str(const char *words)
{
    return (jstr){words, strlen(words)};
}

bool jinja_is(jstr s, const char *words)
{
    return s.n == strlen(words) && !memcmp(s.at, words, s.n);
}

jval jinja_words(const char *at, size_t n)
{
    jval v = {.kind = J_TEXT};
    v.as.words = (jstr){at, n};
    return v;
}

jval jinja_text(const char *words)
{
    return jinja_words(words, strlen(words));
}

jval jinja_int(int64_t n)
{
    jval v = {.kind = J_INT};
    v.as.whole = n;
    return v;
}

jval jinja_bool(bool yes)
{
    jval v = {.kind = J_BOOL};
    v.as.yes = yes;
    return v;
}

jval jinja_none(void)
{
    return (jval){.kind = J_NONE};
}

jval jinja_undefined(jstr name)
{
    jval v = {.kind = J_UNDEFINED};
    v.as.words = name;
    return v;
}

jval jinja_list(jinja *j, jkind kind)
{
    jval v = {.kind = kind};
    v.as.list = jinja_take(j, sizeof *v.as.list);
    return v;
}

jval jinja_dict(jinja *j, jkind kind)
{
    jval v = {.kind = kind};
    v.as.dict = jinja_take(j, sizeof *v.as.dict);
    return v;
}

void jinja_push(jinja *j, jval list, jval item)
{
    jlist *l = list.as.list;
    if (l->n == l->room) {
        jval *more = jinja_take(j, (2 * l->room + 4) * sizeof *more);
        if (l->n) memcpy(more, l->at, l->n * sizeof *more);
        l->at = more;
        l->room = 2 * l->room + 4;
    }
    l->at[l->n++] = item;
}

void jinja_put(jinja *j, jdict *d, jval key, jval value)
{
    for (size_t i = 0; i < d->n; i++)
        if (jinja_equal(d->key[i], key)) {
            d->value[i] = value;
            return;
        }
    if (d->n == d->room) {
        const size_t room = 2 * d->room + 4;
        jval *more = jinja_take(j, 2 * room * sizeof *more);
        if (d->n) memcpy(more, d->key, d->n * sizeof *more);
        if (d->n) memcpy(more + room, d->value, d->n * sizeof *more);
        d->key = more;
        d->value = more + room;
        d->room = room;
    }
    d->key[d->n] = key;
    d->value[d->n++] = value;
}

const jval *jinja_get(const jdict *d, jval key)
{
    for (size_t i = 0; i < d->n; i++)
        if (jinja_equal(d->key[i], key)) return &d->value[i];
    return NULL;
}

jval jinja_copy_text(jinja *j, const text *t)
{
    char *at = jinja_take(j, t->length + 1);
    if (t->length) memcpy(at, t->at, t->length);
    return jinja_words(at, t->length);
}

const char *jinja_kind_name(jval v)
{
    static const char *const name[] = {
        "missing", "undefined", "none",      "a bool",      "an integer", "a float", "a string",
        "a list",  "a tuple",   "a mapping", "a namespace", "a loop",     "a macro"};
    return name[v.kind];
}

static bool is_number(jval v)
{
    return v.kind == J_BOOL || v.kind == J_INT || v.kind == J_FLOAT;
}

static double number_of(jval v)
{
    return v.kind == J_FLOAT ? v.as.real : v.kind == J_INT ? (double)v.as.whole : v.as.yes ? 1 : 0;
}

bool jinja_true(jval v)
{
    switch (v.kind) {
    case J_MISSING:
    case J_UNDEFINED:
    case J_NONE: return false;
    case J_BOOL: return v.as.yes;
    case J_INT: return v.as.whole != 0;
    case J_FLOAT: return !(v.as.real == 0);
    case J_TEXT: return v.as.words.n > 0;
    case J_LIST:
    case J_TUPLE: return v.as.list->n > 0;
    case J_DICT: return v.as.dict->n > 0;
    default: return true;
    }
}

bool jinja_equal(jval a, jval b)
{
    if (a.kind == J_INT && b.kind == J_INT) return a.as.whole == b.as.whole;
    if (is_number(a) && is_number(b)) return number_of(a) == number_of(b);
    if (a.kind != b.kind) return false;
    if (a.kind == J_TEXT)
        return a.as.words.n == b.as.words.n && !memcmp(a.as.words.at, b.as.words.at, a.as.words.n);
    if (a.kind == J_LIST || a.kind == J_TUPLE) {
        bool same = a.as.list->n == b.as.list->n;
        for (size_t i = 0; same && i < a.as.list->n; i++)
            same = jinja_equal(a.as.list->at[i], b.as.list->at[i]);
        return same;
    }
    if (a.kind == J_DICT) {
        bool same = a.as.dict->n == b.as.dict->n;
        for (size_t i = 0; same && i < a.as.dict->n; i++) {
            const jval *other = jinja_get(b.as.dict, a.as.dict->key[i]);
            same = other && jinja_equal(a.as.dict->value[i], *other);
        }
        return same;
    }
    return a.kind == J_NONE || a.kind == J_UNDEFINED || a.as.dict == b.as.dict;
}

int jinja_order(jinja *j, jval a, jval b)
{
    if (a.kind == J_INT && b.kind == J_INT)
        return (a.as.whole > b.as.whole) - (a.as.whole < b.as.whole);
    if (is_number(a) && is_number(b))
        return (number_of(a) > number_of(b)) - (number_of(a) < number_of(b));
    if (a.kind != J_TEXT || b.kind != J_TEXT)
        jinja_fail(j, "%s and %s have no order", jinja_kind_name(a), jinja_kind_name(b));
    const size_t n = a.as.words.n < b.as.words.n ? a.as.words.n : b.as.words.n;
    const int order = n ? memcmp(a.as.words.at, b.as.words.at, n) : 0;
    if (order) return order < 0 ? -1 : 1;
    return (a.as.words.n > b.as.words.n) - (a.as.words.n < b.as.words.n);
}

static void print_float(text *t, double v)
{
    char words[32];
    number_text(v, words);
    text_add(t, words);
    if (!strpbrk(words, ".en")) text_add(t, ".0");
}

/* repr() of a string: single quotes unless the text has some and no double ones. */
static void print_quoted(text *t, jstr s)
{
    const bool twice = memchr(s.at, '\'', s.n) && !memchr(s.at, '"', s.n);
    const char quote = twice ? '"' : '\'';
    text_add_bytes(t, &quote, 1);
    for (size_t i = 0; i < s.n; i++) {
        const unsigned char c = (unsigned char)s.at[i];
        if (c == '\n') text_add(t, "\\n");
        else if (c == '\r') text_add(t, "\\r");
        else if (c == '\t') text_add(t, "\\t");
        else if (c == (unsigned char)quote || c == '\\') text_print(t, "\\%c", c);
        else if (c < 32 || c == 127) text_print(t, "\\x%02x", c);
        else text_add_bytes(t, &c, 1);
    }
    text_add_bytes(t, &quote, 1);
}

static void print_inside(jinja *j, text *t, jval v, int depth)
{
    if (depth > JINJA_DEPTH) jinja_fail(j, "a value nested too deep");
    if (t->length > JINJA_MEMORY) jinja_fail(j, "writes more than %d MiB", JINJA_MEMORY >> 20);
    if (v.kind == J_TEXT) {
        print_quoted(t, v.as.words);
    } else if (v.kind == J_LIST || v.kind == J_TUPLE) {
        text_add(t, v.kind == J_LIST ? "[" : "(");
        for (size_t i = 0; i < v.as.list->n; i++) {
            if (i) text_add(t, ", ");
            print_inside(j, t, v.as.list->at[i], depth + 1);
        }
        text_add(t, v.kind == J_LIST ? "]" : v.as.list->n == 1 ? ",)" : ")");
    } else if (v.kind == J_DICT) {
        text_add(t, "{");
        for (size_t i = 0; i < v.as.dict->n; i++) {
            if (i) text_add(t, ", ");
            print_inside(j, t, v.as.dict->key[i], depth + 1);
            text_add(t, ": ");
            print_inside(j, t, v.as.dict->value[i], depth + 1);
        }
        text_add(t, "}");
    } else if (v.kind == J_UNDEFINED) {
        text_add(t, "Undefined");
    } else {
        jinja_print(j, t, v);
    }
}

void jinja_print(jinja *j, text *t, jval v)
{
    if (t->length > JINJA_MEMORY) jinja_fail(j, "writes more than %d MiB", JINJA_MEMORY >> 20);
    switch (v.kind) {
    case J_MISSING:
    case J_UNDEFINED: break;
    case J_NONE: text_add(t, "None"); break;
    case J_BOOL: text_add(t, v.as.yes ? "True" : "False"); break;
    case J_INT: text_print(t, "%lld", (long long)v.as.whole); break;
    case J_FLOAT: print_float(t, v.as.real); break;
    case J_TEXT: text_add_bytes(t, v.as.words.at, v.as.words.n); break;
    case J_LIST:
    case J_TUPLE:
    case J_DICT: print_inside(j, t, v, 0); break;
    default: jinja_fail(j, "%s cannot be written", jinja_kind_name(v));
    }
}

jstr jinja_to_str(jinja *j, jval v)
{
    if (v.kind == J_TEXT) return v.as.words;
    j->scratch.length = 0;
    jinja_print(j, &j->scratch, v);
    return jinja_copy_text(j, &j->scratch).as.words;
}

static void json_quoted(text *t, jstr s)
{
    text_add(t, "\"");
    for (size_t i = 0; i < s.n; i++) {
        const unsigned char c = (unsigned char)s.at[i];
        if (c == '"' || c == '\\') text_print(t, "\\%c", c);
        else if (c == '\n') text_add(t, "\\n");
        else if (c == '\r') text_add(t, "\\r");
        else if (c == '\t') text_add(t, "\\t");
        else if (c == '\b') text_add(t, "\\b");
        else if (c == '\f') text_add(t, "\\f");
        else if (c < 32) text_print(t, "\\u%04x", c);
        else text_add_bytes(t, &c, 1);
    }
    text_add(t, "\"");
}

static void json_line(text *t, int64_t indent, int depth)
{
    if (indent < 0) return;
    text_add(t, "\n");
    for (int64_t i = 0; i < indent * depth; i++) text_add(t, " ");
}

/* The dict's places in the order of its keys. */
static size_t *json_order(jinja *j, const jdict *d, bool sort)
{
    size_t *order = jinja_take(j, (d->n + 1) * sizeof *order);
    for (size_t i = 0; i < d->n; i++) {
        size_t at = i;
        for (; sort && at > 0 && jinja_order(j, d->key[order[at - 1]], d->key[i]) > 0; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    return order;
}

/* As json.dumps(v, ensure_ascii=False, indent=..., sort_keys=...) writes it. */
void jinja_json(jinja *j, text *t, jval v, int64_t indent, bool sort, int depth)
{
    const bool list = v.kind == J_LIST || v.kind == J_TUPLE, dict = v.kind == J_DICT;
    const size_t n = list ? v.as.list->n : dict ? v.as.dict->n : 0;
    if (depth > JINJA_DEPTH) jinja_fail(j, "a value nested too deep");
    if (t->length > JINJA_MEMORY) jinja_fail(j, "writes more than %d MiB", JINJA_MEMORY >> 20);
    if (v.kind == J_TEXT) json_quoted(t, v.as.words);
    else if (v.kind == J_NONE) text_add(t, "null");
    else if (v.kind == J_BOOL) text_add(t, v.as.yes ? "true" : "false");
    else if (v.kind == J_INT || v.kind == J_FLOAT) jinja_print(j, t, v);
    else if (!list && !dict) jinja_fail(j, "tojson of %s", jinja_kind_name(v));
    else {
        const size_t *order = dict ? json_order(j, v.as.dict, sort) : NULL;
        text_add(t, list ? "[" : "{");
        for (size_t i = 0; i < n; i++) {
            if (i) text_add(t, indent < 0 ? ", " : ",");
            json_line(t, indent, depth + 1);
            if (dict) {
                if (v.as.dict->key[order[i]].kind != J_TEXT)
                    jinja_fail(j, "tojson: a key that is no string");
                json_quoted(t, v.as.dict->key[order[i]].as.words);
                text_add(t, ": ");
            }
            jinja_json(j, t, list ? v.as.list->at[i] : v.as.dict->value[order[i]], indent, sort,
                       depth + 1);
        }
        if (n) json_line(t, indent, depth);
        text_add(t, list ? "]" : "}");
    }
}

/* Bytes of the first character of UTF-8, 1 where it is none. */
size_t jinja_char(const char *at, size_t n)
{
    const unsigned char c = (unsigned char)at[0];
    const size_t bytes = c < 0xC0 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    return bytes <= n ? bytes : n;
}

jval jinja_items(jinja *j, jval v)
{
    if (v.kind == J_LIST || v.kind == J_TUPLE) return v;
    jval items = jinja_list(j, J_LIST);
    if (v.kind == J_DICT)
        for (size_t i = 0; i < v.as.dict->n; i++) jinja_push(j, items, v.as.dict->key[i]);
    else if (v.kind == J_TEXT)
        for (size_t at = 0, n; at < v.as.words.n; at += n) {
            n = jinja_char(v.as.words.at + at, v.as.words.n - at);
            jinja_push(j, items, jinja_words(v.as.words.at + at, n));
        }
    else if (v.kind != J_UNDEFINED)
        jinja_fail(j, "%s is nothing to go through", jinja_kind_name(v));
    return items;
}

size_t jinja_length(jinja *j, jval v)
{
    if (v.kind == J_DICT) return v.as.dict->n;
    if (v.kind == J_LIST || v.kind == J_TUPLE) return v.as.list->n;
    if (v.kind == J_UNDEFINED) return 0;
    if (v.kind != J_TEXT) jinja_fail(j, "%s has no length", jinja_kind_name(v));
    size_t count = 0;
    for (size_t at = 0; at < v.as.words.n; count++)
        at += jinja_char(v.as.words.at + at, v.as.words.n - at);
    return count;
}

/* v.name or v[name]; what is not there is undefined, but nothing is in what is undefined itself. */
jval jinja_attribute(jinja *j, jval v, jval name)
{
    const jstr words = name.kind == J_TEXT ? name.as.words : jinja_str("an element");
    if (v.kind == J_UNDEFINED)
        jinja_fail(j, "'%.*s' is undefined (asked for its '%.*s')", (int)v.as.words.n,
                   v.as.words.at, (int)words.n, words.at);
    if (v.kind == J_DICT || v.kind == J_SPACE || v.kind == J_LOOP) {
        const jval *found = jinja_get(v.as.dict, name);
        if (!found && v.kind == J_LOOP)
            jinja_fail(j, "loop.%.*s is not known here", (int)words.n, words.at);
        return found ? *found : jinja_undefined(words);
    }
    if (name.kind == J_INT && (v.kind == J_LIST || v.kind == J_TUPLE || v.kind == J_TEXT)) {
        const jval items = jinja_items(j, v);
        const int64_t n = (int64_t)items.as.list->n,
                      i = name.as.whole < 0 ? name.as.whole + n : name.as.whole;
        return i >= 0 && i < n ? items.as.list->at[i] : jinja_undefined(words);
    }
    return jinja_undefined(words);
}
