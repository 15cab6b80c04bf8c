/* json.c - a strict writer with numbers that round-trip, and a small strict reader. */
#include "base/json.h"
#include "base/file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- writing -------------------------------------------------------------------------- */

void number_text(double value, char to[32])
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(to, 32, "%.*g", digits, value);
        if (strtod(to, NULL) == value) return;
    }
}

static bool inline_at(const json_out *j, int depth)
{
    return depth > 0 && depth < 32 && (j->inline_bits >> depth & 1u);
}

static void new_line(json_out *j)
{
    if (inline_at(j, j->depth)) {
        if (j->comma) text_add(&j->to, " ");
        return;
    }
    text_add(&j->to, "\n");
    for (int i = 0; i < j->depth; i++) text_add(&j->to, "  ");
}

static void add_quoted(text *t, const unsigned char *s, size_t n)
{
    text_add(t, "\"");
    for (size_t i = 0; i < n;) {
        size_t length = utf8_length(s + i, n - i);
        if (length == 0) text_add(t, "\xef\xbf\xbd");
        else if (s[i] == '"' || s[i] == '\\') text_print(t, "\\%c", s[i]);
        else if (s[i] == '\n') text_add(t, "\\n");
        else if (s[i] == '\t') text_add(t, "\\t");
        else if (s[i] == '\r') text_add(t, "\\r");
        else if (s[i] < 0x20 || s[i] == 0x7f) text_print(t, "\\u%04x", s[i]);
        else text_add_bytes(t, s + i, length);
        i += length ? length : 1;
    }
    text_add(t, "\"");
}

static void begin_value(json_out *j, const char *key)
{
    if (j->comma) text_add(&j->to, ",");
    if (j->depth > 0) new_line(j);
    if (key) {
        add_quoted(&j->to, (const unsigned char *)key, strlen(key));
        text_add(&j->to, ": ");
    }
    j->comma = true;
}

static void open_container(json_out *j, const char *key, const char *mark, bool on_one_line)
{
    bool in_line = on_one_line || inline_at(j, j->depth);
    begin_value(j, key);
    text_add(&j->to, mark);
    j->depth++;
    j->comma = false;
    if (j->depth < 32) {
        j->inline_bits &= ~(1u << j->depth);
        if (in_line) j->inline_bits |= 1u << j->depth;
    }
}

static void close_container(json_out *j, const char *mark)
{
    bool empty = !j->comma, in_line = inline_at(j, j->depth);
    j->depth--;
    if (!empty && !in_line) {
        text_add(&j->to, "\n");
        for (int i = 0; i < j->depth; i++) text_add(&j->to, "  ");
    }
    text_add(&j->to, mark);
    j->comma = true;
}

void json_object(json_out *j, const char *key)
{
    open_container(j, key, "{", false);
}
void json_array(json_out *j, const char *key)
{
    open_container(j, key, "[", false);
}
void json_array_inline(json_out *j, const char *key)
{
    open_container(j, key, "[", true);
}
void json_object_inline(json_out *j, const char *key)
{
    open_container(j, key, "{", true);
}
void json_object_end(json_out *j)
{
    close_container(j, "}");
}
void json_array_end(json_out *j)
{
    close_container(j, "]");
}

void json_text_bytes(json_out *j, const char *key, const void *value, size_t n)
{
    begin_value(j, key);
    add_quoted(&j->to, value, n);
}

void json_text(json_out *j, const char *key, const char *value)
{
    json_text_bytes(j, key, value, strlen(value));
}

void json_number(json_out *j, const char *key, double value)
{
    char s[32] = "null";
    if (isfinite(value)) number_text(value, s);
    begin_value(j, key);
    text_add(&j->to, s);
}

void json_int(json_out *j, const char *key, int64_t value)
{
    begin_value(j, key);
    text_print(&j->to, "%lld", (long long)value);
}

void json_bool(json_out *j, const char *key, bool value)
{
    begin_value(j, key);
    text_add(&j->to, value ? "true" : "false");
}

void json_null(json_out *j, const char *key)
{
    begin_value(j, key);
    text_add(&j->to, "null");
}

bool json_write(json_out *j, const char *path, problem *why)
{
    text_add(&j->to, "\n");
    bool good = file_write(path, j->to.at, j->to.length, why);
    text_free(&j->to);
    return good;
}

void json_print(json_out *j, FILE *to)
{
    text_add(&j->to, "\n");
    fwrite(j->to.at, 1, j->to.length, to);
    text_free(&j->to);
}

/* ---- reading -------------------------------------------------------------------------- */

enum { JSON_DEPTH = 64, BLOCK_NODES = 256 };

typedef struct block {
    struct block *next;
    size_t used;
    json node[BLOCK_NODES];
} block;

typedef struct reader {
    const char *begin, *at, *end, *name;
    char *texts; /* decoded texts, at most as long as the file + a NUL each */
    block *blocks;
    problem *why;
    bool bad;
} reader;

static bool bad(reader *r, const char *what)
{
    if (!r->bad)
        problem_set(r->why, "%s: not JSON at byte %llu: %s", r->name,
                    (unsigned long long)(r->at - r->begin), what);
    r->bad = true;
    return false;
}

static json *new_node(reader *r)
{
    if (!r->blocks || r->blocks->used == BLOCK_NODES) {
        block *b = tool_alloc(1, sizeof *b);
        b->next = r->blocks;
        r->blocks = b;
    }
    return &r->blocks->node[r->blocks->used++];
}

static void skip_space(reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r'))
        r->at++;
}

static bool is_next(reader *r, char c)
{
    skip_space(r);
    if (r->at >= r->end || *r->at != c) return false;
    r->at++;
    return true;
}

static bool hex4(reader *r, uint32_t *value)
{
    *value = 0;
    if (r->end - r->at < 4) return bad(r, "a \\u escape is cut");
    for (int i = 0; i < 4; i++) {
        char c = *r->at++;
        uint32_t digit;
        if (c >= '0' && c <= '9') digit = (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f') digit = (uint32_t)(c - 'a') + 10;
        else if (c >= 'A' && c <= 'F') digit = (uint32_t)(c - 'A') + 10;
        else return bad(r, "a \\u escape is not hexadecimal");
        *value = *value << 4 | digit;
    }
    return true;
}

/* A NUL would end our text early: it becomes U+FFFD, as does a lone surrogate. */
static bool read_escape(reader *r, char **to)
{
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    char c = r->at < r->end ? *r->at++ : '\0';
    const char *found = c ? strchr(from, c) : NULL;
    if (found) {
        *(*to)++ = into[found - from];
        return true;
    }
    uint32_t code, low;
    if (c != 'u') return bad(r, "an escape is not known");
    if (!hex4(r, &code)) return false;
    if (code >= 0xd800 && code < 0xdc00 && r->end - r->at >= 6 && r->at[0] == '\\' &&
        r->at[1] == 'u') {
        r->at += 2;
        if (!hex4(r, &low)) return false;
        bool pair = low >= 0xdc00 && low < 0xe000;
        code = pair ? 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00) : 0xfffd;
    } else if ((code >= 0xd800 && code < 0xe000) || code == 0) {
        code = 0xfffd;
    }
    *to = utf8_put(*to, code);
    return true;
}

static const char *read_text(reader *r)
{
    char *start = r->texts, *to = start;
    while (r->at < r->end && *r->at != '"') {
        unsigned char c = (unsigned char)*r->at++;
        if (c < 0x20) return bad(r, "a control character in a text"), NULL;
        if (c >= 0x80) {
            const size_t n =
                utf8_length((const unsigned char *)r->at - 1, (size_t)(r->end - r->at) + 1);
            if (!n) return bad(r, "a text that is not UTF-8"), NULL;
            memcpy(to, r->at - 1, n);
            to += n;
            r->at += n - 1;
        } else if (c != '\\') *to++ = (char)c;
        else if (!read_escape(r, &to)) return NULL;
    }
    if (r->at >= r->end) return bad(r, "a text is not closed"), NULL;
    r->at++;
    *to++ = '\0';
    r->texts = to;
    return start;
}

static bool digits(reader *r)
{
    const char *from = r->at;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9') r->at++;
    return r->at > from;
}

static bool read_number(reader *r, json *node)
{
    const char *from = r->at;
    if (*r->at == '-') r->at++;
    const char *first = r->at;
    if (!digits(r)) return bad(r, "a value is missing or not known");
    if (*first == '0' && r->at - first > 1) return bad(r, "a number begins with 0");
    if (r->at < r->end && *r->at == '.') {
        r->at++;
        if (!digits(r)) return bad(r, "a number ends in its point");
    }
    if (r->at < r->end && (*r->at == 'e' || *r->at == 'E')) {
        r->at++;
        if (r->at < r->end && (*r->at == '+' || *r->at == '-')) r->at++;
        if (!digits(r)) return bad(r, "an exponent has no digits");
    }
    size_t n = (size_t)(r->at - from);
    memcpy(r->texts, from, n);
    r->texts[n] = '\0';
    node->kind = JSON_NUMBER;
    node->text = r->texts;
    node->number = strtod(r->texts, NULL);
    r->texts += n + 1;
    return true;
}

static bool read_word(reader *r, const char *word)
{
    size_t n = strlen(word);
    if ((size_t)(r->end - r->at) < n || memcmp(r->at, word, n)) return false;
    r->at += n;
    return true;
}

/* Everything but what lies inside a container. */
static bool read_start(reader *r, json *node)
{
    skip_space(r);
    if (is_next(r, '{')) node->kind = JSON_OBJECT;
    else if (is_next(r, '[')) node->kind = JSON_ARRAY;
    else if (is_next(r, '"')) {
        node->kind = JSON_TEXT;
        node->text = read_text(r);
    } else if (read_word(r, "null")) node->kind = JSON_NULL;
    else if (read_word(r, "true")) node->kind = JSON_TRUE;
    else if (read_word(r, "false")) node->kind = JSON_FALSE;
    else if (r->at < r->end) read_number(r, node);
    else bad(r, "ends early");
    return !r->bad;
}

typedef struct level {
    json *node;
    json **tail;
} level;

/* Reads the next member or the end of the innermost container; *depth follows. */
static bool read_member(reader *r, level *stack, int *depth)
{
    level *now = &stack[*depth];
    bool object = now->node->kind == JSON_OBJECT;
    if (is_next(r, object ? '}' : ']')) {
        --*depth;
        return true;
    }
    if (now->node->count && !is_next(r, ',')) return bad(r, "a comma is missing");
    json *node = new_node(r);
    if (object) {
        if (!is_next(r, '"')) return bad(r, "a key is missing");
        node->key = read_text(r);
        if (!r->bad && !is_next(r, ':')) bad(r, "a ':' is missing");
    }
    if (r->bad || !read_start(r, node)) return false;
    *now->tail = node;
    now->tail = &node->next;
    now->node->count++;
    if (node->kind < JSON_ARRAY) return true;
    if (*depth + 1 >= JSON_DEPTH) return bad(r, "nested too deep");
    ++*depth;
    stack[*depth].node = node;
    stack[*depth].tail = &node->child;
    return true;
}

bool json_parse(json_file *f, const char *bytes, size_t count, const char *name, problem *why)
{
    level stack[JSON_DEPTH];
    char *texts = tool_alloc(count + 2, 2);
    reader r = {bytes, bytes, bytes + count, name, texts, NULL, why, false};
    json *root = new_node(&r);
    int depth = -1;
    if (read_start(&r, root) && root->kind >= JSON_ARRAY) {
        depth = 0;
        stack[0].node = root;
        stack[0].tail = &root->child;
    }
    while (!r.bad && depth >= 0) read_member(&r, stack, &depth);
    skip_space(&r);
    if (!r.bad && r.at < r.end) bad(&r, "something follows the value");
    block *keep = tool_alloc(1, sizeof *keep); /* the texts are freed with the nodes */
    keep->next = r.blocks;
    keep->node[0].text = texts;
    f->root = root;
    f->blocks = keep;
    if (r.bad) json_free(f);
    return !r.bad;
}

bool json_read(json_file *f, const char *path, problem *why)
{
    file_view view;
    f->root = NULL;
    f->blocks = NULL;
    if (!file_map(&view, path, why)) return false;
    bool good = json_parse(f, view.bytes ? (const char *)view.bytes : "", view.size, path, why);
    file_unmap(&view);
    return good;
}

bool json_read_if_there(json_file *f, const char *path, problem *why)
{
    f->root = NULL;
    f->blocks = NULL;
    return !path_exists(path) || json_read(f, path, why);
}

void json_free(json_file *f)
{
    block *b = f->blocks;
    if (b) free((void *)(uintptr_t)b->node[0].text);
    while (b) {
        block *next = b->next;
        free(b);
        b = next;
    }
    f->blocks = NULL;
    f->root = NULL;
}

/* ---- lookups -------------------------------------------------------------------------- */

static const json *member(const json *object, const char *key, size_t n)
{
    if (!object || object->kind != JSON_OBJECT) return NULL;
    for (const json *c = object->child; c; c = c->next)
        if (strncmp(c->key, key, n) == 0 && c->key[n] == '\0') return c;
    return NULL;
}

const json *json_get(const json *object, const char *key)
{
    return member(object, key, strlen(key));
}

const json *json_at(const json *object, const char *path)
{
    while (object && *path) {
        size_t n = strcspn(path, ".");
        object = member(object, path, n);
        path += n + (path[n] == '.');
    }
    return object;
}

const char *json_text_of(const json *object, const char *key, const char *otherwise)
{
    const json *v = json_at(object, key);
    return v && v->kind == JSON_TEXT ? v->text : otherwise;
}

double json_number_of(const json *object, const char *key, double otherwise)
{
    const json *v = json_at(object, key);
    return v && v->kind == JSON_NUMBER ? v->number : otherwise;
}

bool json_bool_of(const json *object, const char *key, bool otherwise)
{
    const json *v = json_at(object, key);
    return v && (v->kind == JSON_TRUE || v->kind == JSON_FALSE) ? v->kind == JSON_TRUE : otherwise;
}

bool json_equal(const json *a, const json *b)
{
    if (a->kind != b->kind) return false;
    if (a->kind == JSON_ARRAY) {
        const json *x = a->child, *y = b->child;
        for (; x && y && json_equal(x, y); x = x->next) y = y->next;
        return !x && !y;
    }
    if (a->kind == JSON_NUMBER) return !(a->number < b->number) && !(a->number > b->number);
    return a->kind != JSON_TEXT || !strcmp(a->text, b->text);
}

const char *json_difference(const json *ours, const json *theirs)
{
    if (!ours || ours->kind != JSON_OBJECT) return NULL; /* elements of an array have no keys */
    for (const json *c = ours->child; c; c = c->next) {
        const json *there = json_get(theirs, c->key);
        if (!there || !json_equal(c, there)) return c->key;
    }
    return NULL;
}

static bool all_numbers(const json *array)
{
    for (const json *c = array->child; c; c = c->next)
        if (c->kind != JSON_NUMBER) return false;
    return array->child != NULL;
}

/* One level of nesting a call: our own files have few. */
void json_copy(json_out *j, const char *key, const json *value)
{
    const bool object = value->kind == JSON_OBJECT;
    if (object || value->kind == JSON_ARRAY) {
        if (object) json_object(j, key);
        else if (all_numbers(value)) json_array_inline(j, key);
        else json_array(j, key);
        for (const json *c = value->child; c; c = c->next) json_copy(j, object ? c->key : NULL, c);
        if (object) json_object_end(j);
        else json_array_end(j);
    } else if (value->kind == JSON_TEXT) {
        json_text(j, key, value->text);
    } else if (value->kind == JSON_NUMBER) {
        begin_value(j, key);
        text_add(&j->to, value->text);
    } else if (value->kind == JSON_NULL) {
        json_null(j, key);
    } else {
        json_bool(j, key, value->kind == JSON_TRUE);
    }
}
