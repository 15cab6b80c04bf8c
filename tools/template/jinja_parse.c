/* jinja_parse.c - a template's text to a tree. The lexer follows Jinja 2 in what a minus, a plus,
   trim_blocks and lstrip_blocks take away; the parser follows its order of operators. */
#include "template/jinja_own.h"

#include <stdlib.h>
#include <string.h>

/* ---- words ---- */

typedef enum token_kind {
    TOK_DATA,
    TOK_PRINT,
    TOK_PRINT_END,
    TOK_BLOCK,
    TOK_BLOCK_END,
    TOK_NAME,
    TOK_TEXT,
    TOK_INT,
    TOK_FLOAT,
    TOK_SIGN,
    TOK_END
} token_kind;

typedef struct token {
    token_kind kind;
    int line;
    jstr words; /* decoded, of a string */
} token;

typedef struct parser {
    jinja *j;
    const char *at, *end; /* of the source still to read */
    token *token;
    size_t tokens, room, next;
    int line, depth;
} parser;

static void token_add(parser *p, token_kind kind, const char *at, size_t n)
{
    if (p->tokens == p->room) {
        token *more = jinja_take(p->j, (2 * p->room + 64) * sizeof *more);
        if (p->tokens) memcpy(more, p->token, p->tokens * sizeof *more);
        p->token = more;
        p->room = 2 * p->room + 64;
    }
    p->token[p->tokens++] = (token){kind, p->line, {at, n}};
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}
static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}
static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static void move_to(parser *p, const char *to)
{
    for (; p->at < to; p->at++) p->line += *p->at == '\n';
}

/* Text up to a tag, less what the tag takes from its end. */
static void take_data(parser *p, const char *to, char sign, bool may_strip, bool line_start)
{
    const char *from = p->at, *end = to;
    if (sign == '-') {
        while (end > from && is_space(end[-1])) end--;
    } else if (sign != '+' && may_strip) {
        const char *line = end;
        while (line > from && line[-1] != '\n') line--;
        const char *s = line;
        while (s < end && is_space(*s)) s++;
        if (s == end && (line > from || line_start)) end = line;
    }
    if (end > from) token_add(p, TOK_DATA, from, (size_t)(end - from));
    move_to(p, to);
}

/* Behind the end of a tag: a minus takes all white space, a block's end the newline. */
static void after_tag(parser *p, bool minus, bool newline)
{
    const char *s = p->at;
    if (minus)
        while (s < p->end && is_space(*s)) s++;
    else if (newline && s < p->end && *s == '\n') s++;
    move_to(p, s);
}

static void take_comment(parser *p)
{
    const char *s = p->at;
    while (s + 1 < p->end && !(s[0] == '#' && s[1] == '}')) s++;
    if (s + 1 >= p->end) jinja_fail(p->j, "a comment without an end");
    const bool minus = s > p->at && s[-1] == '-', plus = s > p->at && s[-1] == '+';
    move_to(p, s + 2);
    after_tag(p, minus, !plus);
}

static void put_utf8(char **to, unsigned long c)
{
    char *o = *to;
    if (c < 0x80) *o++ = (char)c;
    else if (c < 0x800) *o++ = (char)(0xC0 | c >> 6), *o++ = (char)(0x80 | (c & 63));
    else if (c < 0x10000)
        *o++ = (char)(0xE0 | c >> 12), *o++ = (char)(0x80 | (c >> 6 & 63)),
        *o++ = (char)(0x80 | (c & 63));
    else
        *o++ = (char)(0xF0 | c >> 18), *o++ = (char)(0x80 | (c >> 12 & 63)),
        *o++ = (char)(0x80 | (c >> 6 & 63)), *o++ = (char)(0x80 | (c & 63));
    *to = o;
}

/* \xHH, \uHHHH and \UHHHHHHHH: digits hexadecimal digits at *s. */
static unsigned long hex_escape(parser *p, const char **s, int digits)
{
    unsigned long c = 0;
    for (int i = 0; i < digits; i++, (*s)++) {
        const char d = *s < p->end ? **s : ' ';
        const int v = is_digit(d)            ? d - '0'
                      : d >= 'a' && d <= 'f' ? d - 'a' + 10
                      : d >= 'A' && d <= 'F' ? d - 'A' + 10
                                             : -1;
        if (v < 0) jinja_fail(p->j, "an escape in a string with too few digits");
        c = c * 16 + (unsigned long)v;
    }
    if (c > 0x10FFFF) jinja_fail(p->j, "an escape beyond Unicode in a string");
    return c;
}

static void take_string(parser *p)
{
    const char quote = *p->at;
    const char *s = p->at + 1;
    while (s < p->end && *s != quote) s += *s == '\\' ? 2 : 1;
    if (s >= p->end) jinja_fail(p->j, "a string without an end");
    const char *end = s;
    char *to = jinja_take(p->j, (size_t)(end - p->at) + 4), *o = to;
    for (s = p->at + 1; s < end;) {
        static const char letters[] = "n\nt\tr\rb\bf\fv\va\a\\\\'\'\"\"";
        const char *known;
        if (*s != '\\') {
            *o++ = *s++;
            continue;
        }
        s++;
        known = s < end && *s ? strchr(letters, *s) : NULL; /* its end is no letter */
        if (known && (known - letters) % 2 == 0) *o++ = known[1], s++;
        else if (*s == '\n') s++;
        else if (*s == 'x' || *s == 'u' || *s == 'U') {
            const int digits = *s == 'x' ? 2 : *s == 'u' ? 4 : 8;
            s++;
            put_utf8(&o, hex_escape(p, &s, digits));
        } else if (is_digit(*s)) jinja_fail(p->j, "an octal escape in a string is not known here");
        else *o++ = '\\';
    }
    token_add(p, TOK_TEXT, to, (size_t)(o - to));
    move_to(p, end + 1);
}

static void take_number(parser *p)
{
    const char *s = p->at;
    bool real = false;
    while (s < p->end && (is_digit(*s) || *s == '_')) s++;
    if (s + 1 < p->end && *s == '.' && is_digit(s[1])) {
        real = true;
        for (s++; s < p->end && is_digit(*s); s++) {}
    }
    if (s < p->end && (*s == 'e' || *s == 'E')) {
        const char *e = s + 1;
        if (e < p->end && (*e == '+' || *e == '-')) e++;
        if (e < p->end && is_digit(*e)) {
            real = true;
            for (s = e; s < p->end && is_digit(*s); s++) {}
        }
    }
    if (s < p->end && is_letter(*s)) jinja_fail(p->j, "a number followed by a letter");
    token_add(p, real ? TOK_FLOAT : TOK_INT, p->at, (size_t)(s - p->at));
    p->at = s;
}

static void take_sign(parser *p, int *open)
{
    static const char *const two[] = {"==", "!=", "<=", ">=", "//", "**"};
    for (size_t i = 0; i < sizeof two / sizeof *two; i++)
        if (p->at + 1 < p->end && !memcmp(p->at, two[i], 2)) {
            token_add(p, TOK_SIGN, p->at, 2);
            p->at += 2;
            return;
        }
    if (!*p->at || !strchr("+-*/%~<>=.,:|()[]{}", *p->at)) jinja_fail(p->j, "a stray '%c'", *p->at);
    if (strchr("([{", *p->at)) ++*open;
    if (strchr(")]}", *p->at) && --*open < 0) jinja_fail(p->j, "'%c' closes nothing", *p->at);
    token_add(p, TOK_SIGN, p->at, 1);
    p->at++;
}

/* What stands between {{ and }} or {% and %}. */
static void take_tag(parser *p, bool block)
{
    const char close = block ? '%' : '}';
    int open = 0;
    for (;;) {
        p->j->line = p->line;
        while (p->at < p->end && is_space(*p->at)) move_to(p, p->at + 1);
        if (p->at >= p->end) jinja_fail(p->j, "a tag without an end");
        const char *s = p->at + (*p->at == '-' || (*p->at == '+' && block) ? 1 : 0);
        if (!open && s + 1 < p->end && s[0] == close && s[1] == '}') {
            const char sign = s > p->at ? *p->at : ' ';
            token_add(p, block ? TOK_BLOCK_END : TOK_PRINT_END, p->at, 0);
            move_to(p, s + 2);
            after_tag(p, sign == '-', block && sign != '+');
            return;
        }
        if (is_letter(*p->at)) {
            const char *from = p->at;
            while (p->at < p->end && (is_letter(*p->at) || is_digit(*p->at))) p->at++;
            token_add(p, TOK_NAME, from, (size_t)(p->at - from));
        } else if (is_digit(*p->at)) take_number(p);
        else if (*p->at == '\'' || *p->at == '"') take_string(p);
        else take_sign(p, &open);
    }
}

static void split(parser *p)
{
    const char *start = p->at;
    while (p->at < p->end) {
        const char *s = p->at;
        p->j->line = p->line;
        while (s + 1 < p->end && !(s[0] == '{' && (s[1] == '{' || s[1] == '%' || s[1] == '#'))) s++;
        const bool line_start = p->at == start || p->at[-1] == '\n';
        if (s + 1 >= p->end) {
            take_data(p, p->end, '+', false, false);
            break;
        }
        const char sign = s + 2 < p->end && (s[2] == '-' || s[2] == '+') ? s[2] : ' ';
        const char kind = s[1];
        take_data(p, s, sign, kind != '{', line_start);
        move_to(p, s + 2);
        if (kind == '#') {
            take_comment(p);
            continue;
        }
        if (sign == '-' || (sign == '+' && kind == '%')) p->at++;
        token_add(p, kind == '%' ? TOK_BLOCK : TOK_PRINT, p->at, 0);
        take_tag(p, kind == '%');
    }
    token_add(p, TOK_END, p->at, 0);
}

/* ---- expressions ---- */

static token *peek(parser *p)
{
    p->j->line = p->token[p->next].line;
    return &p->token[p->next];
}

static bool at_sign(parser *p, const char *sign)
{
    const token *t = peek(p);
    return t->kind == TOK_SIGN && jinja_is(t->words, sign);
}

static bool at_name(parser *p, const char *name)
{
    const token *t = peek(p);
    return t->kind == TOK_NAME && jinja_is(t->words, name);
}

static bool take(parser *p, const char *sign)
{
    if (!at_sign(p, sign)) return false;
    p->next++;
    return true;
}

static bool take_name(parser *p, const char *name)
{
    if (!at_name(p, name)) return false;
    p->next++;
    return true;
}

JINJA_NO_RETURN static void unexpected(parser *p, const char *expected)
{
    const token *t = peek(p);
    if (t->kind == TOK_END) jinja_fail(p->j, "it ends where %s is expected", expected);
    if (t->kind == TOK_PRINT_END || t->kind == TOK_BLOCK_END)
        jinja_fail(p->j, "a tag ends where %s is expected", expected);
    jinja_fail(p->j, "'%.*s' where %s is expected", (int)(t->words.n < 40 ? t->words.n : 40),
               t->words.at, expected);
}

static void want(parser *p, const char *sign)
{
    if (!take(p, sign)) unexpected(p, sign);
}

static jstr want_name(parser *p)
{
    if (peek(p)->kind != TOK_NAME) unexpected(p, "a name");
    return p->token[p->next++].words;
}

static jnode *node(parser *p, jnode_kind kind, jnode *a, jnode *b)
{
    jnode *n = jinja_take(p->j, sizeof *n);
    n->kind = kind;
    n->line = p->j->line;
    n->a = a;
    n->b = b;
    return n;
}

static void node_add(parser *p, jnode *to, jnode *item, jstr key)
{
    if (to->n == to->room) {
        const size_t room = 2 * to->room + 4;
        jnode **list = jinja_take(p->j, room * sizeof *list);
        jstr *keys = jinja_take(p->j, room * sizeof *keys);
        if (to->n) memcpy(list, to->list, to->n * sizeof *list);
        if (to->n) memcpy(keys, to->key, to->n * sizeof *keys);
        to->list = list;
        to->key = keys;
        to->room = room;
    }
    to->list[to->n] = item;
    to->key[to->n++] = key;
}

static const jstr no_key = {NULL, 0};

static jnode *parse_expression(parser *p);
static jnode *parse_or(parser *p);
static jnode *parse_unary(parser *p, bool with_filters);

static void deeper(parser *p, int by)
{
    p->depth += by;
    if (p->depth > JINJA_DEPTH) jinja_fail(p->j, "nested deeper than %d", JINJA_DEPTH);
}

static jnode *constant(parser *p, jval value)
{
    jnode *n = node(p, JN_CONST, NULL, NULL);
    n->value = value;
    return n;
}

/* ( ... ): arguments of a call; `to` gets them, by name where a name stands before. */
static void parse_arguments(parser *p, jnode *to)
{
    want(p, "(");
    while (!take(p, ")")) {
        jstr key = no_key;
        if (at_sign(p, "*") || at_sign(p, "**"))
            jinja_fail(p->j, "arguments with * are not known here");
        if (peek(p)->kind == TOK_NAME && p->token[p->next + 1].kind == TOK_SIGN &&
            jinja_is(p->token[p->next + 1].words, "=")) {
            key = want_name(p);
            want(p, "=");
        }
        node_add(p, to, parse_expression(p), key);
        if (to->n > JINJA_ARGS) jinja_fail(p->j, "more than %d arguments", JINJA_ARGS);
        if (!at_sign(p, ")")) want(p, ",");
    }
}

static jnode *parse_subscript(parser *p, jnode *of)
{
    jnode *part[3] = {NULL, NULL, NULL};
    int i = 0;
    bool slice = false;
    for (; i < 3 && !at_sign(p, "]"); i++) {
        if (!at_sign(p, ":")) part[i] = parse_expression(p);
        if (!take(p, ":")) break;
        slice = true;
    }
    want(p, "]");
    if (!slice) {
        if (!part[0]) unexpected(p, "an index");
        return node(p, JN_ITEM, of, part[0]);
    }
    jnode *n = node(p, JN_SLICE, of, part[0]);
    n->c = part[1];
    n->d = part[2];
    return n;
}

static jnode *parse_list(parser *p, jnode_kind kind, const char *close)
{
    jnode *n = node(p, kind, NULL, NULL);
    while (!take(p, close)) {
        node_add(p, n, parse_expression(p), no_key);
        if (kind == JN_DICT) {
            want(p, ":");
            node_add(p, n, parse_expression(p), no_key);
        }
        if (!at_sign(p, close)) want(p, ",");
    }
    return n;
}

static jnode *parse_brackets(parser *p)
{
    if (take(p, ")")) return node(p, JN_TUPLE, NULL, NULL);
    jnode *first = parse_expression(p);
    if (take(p, ")")) return first;
    jnode *n = node(p, JN_TUPLE, NULL, NULL);
    node_add(p, n, first, no_key);
    while (!take(p, ")")) {
        want(p, ",");
        if (!at_sign(p, ")")) node_add(p, n, parse_expression(p), no_key);
    }
    return n;
}

static jval number(parser *p, const token *t)
{
    char digits[64];
    size_t n = 0;
    for (size_t i = 0; i < t->words.n && n < sizeof digits - 1; i++)
        if (t->words.at[i] != '_') digits[n++] = t->words.at[i];
    digits[n] = '\0';
    if (t->kind == TOK_INT) {
        if (n > 18) jinja_fail(p->j, "the number %s is too large", digits);
        return jinja_int(strtoll(digits, NULL, 10));
    }
    jval v = {.kind = J_FLOAT};
    v.as.real = strtod(digits, NULL);
    return v;
}

static jnode *parse_primary(parser *p)
{
    token *t = peek(p);
    if (t->kind == TOK_NAME) {
        static const struct {
            const char *name;
            int value;
        } constants[] = {{"true", 1},  {"True", 1},  {"false", 0},
                         {"False", 0}, {"none", -1}, {"None", -1}};
        p->next++;
        for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
            if (jinja_is(t->words, constants[i].name))
                return constant(p, constants[i].value < 0 ? jinja_none()
                                                          : jinja_bool(constants[i].value));
        jnode *n = node(p, JN_NAME, NULL, NULL);
        n->name = t->words;
        return n;
    }
    if (t->kind == TOK_TEXT) { /* strings side by side are one */
        size_t n = 0, first = p->next;
        for (; p->token[p->next].kind == TOK_TEXT; p->next++) n += p->token[p->next].words.n;
        if (p->next == first + 1) return constant(p, jinja_words(t->words.at, t->words.n));
        char *all = jinja_take(p->j, n + 1);
        n = 0;
        for (size_t i = first; i < p->next; n += p->token[i].words.n, i++)
            memcpy(all + n, p->token[i].words.at, p->token[i].words.n);
        return constant(p, jinja_words(all, n));
    }
    if (t->kind == TOK_INT || t->kind == TOK_FLOAT) {
        p->next++;
        return constant(p, number(p, t));
    }
    if (take(p, "(")) return parse_brackets(p);
    if (take(p, "[")) return parse_list(p, JN_LIST, "]");
    if (take(p, "{")) return parse_list(p, JN_DICT, "}");
    unexpected(p, "an expression");
}

static jnode *parse_dot(parser *p, jnode *of)
{
    token *t = peek(p);
    p->next++;
    if (t->kind == TOK_INT) return node(p, JN_ITEM, of, constant(p, number(p, t)));
    if (t->kind != TOK_NAME) {
        p->next--;
        unexpected(p, "a name");
    }
    jnode *n = node(p, JN_ATTR, of, NULL);
    n->name = t->words;
    return n;
}

static jnode *parse_test(parser *p, jnode *of)
{
    jnode *n = node(p, JN_TEST, of, NULL);
    n->negated = take_name(p, "not");
    n->name = want_name(p);
    const token *t = peek(p);
    if (at_sign(p, "(")) parse_arguments(p, n);
    else if (t->kind == TOK_TEXT || t->kind == TOK_INT || t->kind == TOK_FLOAT || at_sign(p, "[") ||
             at_sign(p, "{") ||
             (t->kind == TOK_NAME && !at_name(p, "else") && !at_name(p, "or") &&
              !at_name(p, "and") && !at_name(p, "if") && !at_name(p, "is")))
        node_add(p, n, parse_unary(p, false), no_key);
    return n;
}

static jnode *parse_behind(parser *p, jnode *n, bool with_filters)
{
    for (int links = 0;; links++) {
        if (links > JINJA_DEPTH) jinja_fail(p->j, "a chain of more than %d", JINJA_DEPTH);
        if (take(p, ".")) n = parse_dot(p, n);
        else if (take(p, "[")) n = parse_subscript(p, n);
        else if (at_sign(p, "(")) {
            n = node(p, JN_CALL, n, NULL);
            parse_arguments(p, n);
        } else if (with_filters && take(p, "|")) {
            n = node(p, JN_FILTER, n, NULL);
            n->name = want_name(p);
            if (at_sign(p, "(")) parse_arguments(p, n);
        } else if (with_filters && take_name(p, "is")) n = parse_test(p, n);
        else return n;
    }
}

static jnode *parse_unary(parser *p, bool with_filters)
{
    jnode *n;
    deeper(p, 1);
    if (take(p, "-")) n = node(p, JN_NEG, parse_unary(p, false), NULL);
    else if (take(p, "+")) n = node(p, JN_PLUS, parse_unary(p, false), NULL);
    else n = parse_primary(p);
    n = parse_behind(p, n, with_filters);
    deeper(p, -1);
    return n;
}

/* Operators from weak to strong; all of a level bind to the left. */
static jnode *parse_binary(parser *p, int level)
{
    static const char *const signs[4][5] = {{"+", "-"}, {"~"}, {"*", "/", "//", "%"}, {"**"}};
    if (level == 4) return parse_unary(p, true);
    jnode *n = parse_binary(p, level + 1);
    for (int links = 0;; links++) {
        int i = 0;
        while (signs[level][i] && !at_sign(p, signs[level][i])) i++;
        if (!signs[level][i]) return n;
        if (links > JINJA_DEPTH) jinja_fail(p->j, "a chain of more than %d", JINJA_DEPTH);
        const jstr sign = p->token[p->next++].words;
        n = node(p, JN_BINARY, n, parse_binary(p, level + 1));
        n->name = sign;
    }
}

static jnode *parse_compare(parser *p)
{
    static const char *const signs[] = {"==", "!=", "<=", ">=", "<", ">"};
    jnode *first = parse_binary(p, 0), *n = NULL;
    for (;;) {
        jstr sign = no_key;
        for (size_t i = 0; i < sizeof signs / sizeof *signs && !sign.n; i++)
            if (take(p, signs[i])) sign = jinja_str(signs[i]);
        if (!sign.n && take_name(p, "in")) sign = jinja_str("in");
        if (!sign.n && at_name(p, "not") && p->token[p->next + 1].kind == TOK_NAME &&
            jinja_is(p->token[p->next + 1].words, "in")) {
            p->next += 2;
            sign = jinja_str("not in");
        }
        if (!sign.n) return n ? n : first;
        if (!n) n = node(p, JN_COMPARE, first, NULL);
        node_add(p, n, parse_binary(p, 0), sign);
    }
}

static jnode *parse_not(parser *p)
{
    if (!take_name(p, "not")) return parse_compare(p);
    deeper(p, 1);
    jnode *n = node(p, JN_NOT, parse_not(p), NULL);
    deeper(p, -1);
    return n;
}

static jnode *parse_and(parser *p)
{
    jnode *n = node(p, JN_AND, NULL, NULL);
    do node_add(p, n, parse_not(p), no_key);
    while (take_name(p, "and"));
    return n->n == 1 ? n->list[0] : n;
}

static jnode *parse_or(parser *p)
{
    jnode *n = node(p, JN_OR, NULL, NULL);
    do node_add(p, n, parse_and(p), no_key);
    while (take_name(p, "or"));
    return n->n == 1 ? n->list[0] : n;
}

static jnode *parse_expression(parser *p)
{
    deeper(p, 1);
    jnode *n = parse_or(p);
    for (int links = 0; take_name(p, "if"); links++) {
        if (links > JINJA_DEPTH) jinja_fail(p->j, "a chain of more than %d", JINJA_DEPTH);
        n = node(p, JN_CHOICE, n, NULL);
        n->c = parse_or(p);
        if (take_name(p, "else")) n->b = parse_expression(p);
    }
    deeper(p, -1);
    return n;
}

/* An expression, or several with commas between: a tuple. */
static jnode *parse_tuple(parser *p)
{
    jnode *first = parse_expression(p);
    if (!at_sign(p, ",")) return first;
    jnode *n = node(p, JN_TUPLE, NULL, NULL);
    node_add(p, n, first, no_key);
    while (take(p, ",") && peek(p)->kind != TOK_BLOCK_END && peek(p)->kind != TOK_PRINT_END)
        node_add(p, n, parse_expression(p), no_key);
    return n;
}

/* ---- statements ---- */

static jnode *parse_body(parser *p, const char *const *ends);

static void block_end(parser *p)
{
    if (peek(p)->kind != TOK_BLOCK_END) unexpected(p, "the end of the tag");
    p->next++;
}

/* {% name %} that must come next. */
static void want_end(parser *p, const char *name)
{
    if (!take_name(p, name)) unexpected(p, name);
    block_end(p);
}

static jnode *parse_if(parser *p)
{
    static const char *const ends[] = {"elif", "else", "endif", NULL};
    jnode *n = node(p, JN_IF, NULL, NULL);
    deeper(p, 1);
    do {
        node_add(p, n, parse_tuple(p), no_key);
        block_end(p);
        node_add(p, n, parse_body(p, ends), no_key);
    } while (take_name(p, "elif"));
    if (take_name(p, "else")) {
        block_end(p);
        n->b = parse_body(p, ends + 2);
    }
    want_end(p, "endif");
    deeper(p, -1);
    return n;
}

static void parse_targets(parser *p, jnode *to)
{
    const bool round = take(p, "(");
    do {
        jnode *name = node(p, JN_NAME, NULL, NULL);
        name->name = want_name(p);
        node_add(p, to, name, no_key);
    } while (take(p, ","));
    if (round) want(p, ")");
}

static jnode *parse_for(parser *p)
{
    static const char *const ends[] = {"else", "endfor", NULL};
    jnode *n = node(p, JN_FOR, NULL, NULL);
    deeper(p, 1);
    parse_targets(p, n);
    if (!take_name(p, "in")) unexpected(p, "in");
    n->a = parse_or(p);
    if (take_name(p, "if")) n->c = parse_expression(p);
    if (at_name(p, "recursive")) jinja_fail(p->j, "recursive loops are not known here");
    block_end(p);
    n->b = parse_body(p, ends);
    if (take_name(p, "else")) {
        block_end(p);
        n->d = parse_body(p, ends + 1);
    }
    want_end(p, "endfor");
    deeper(p, -1);
    return n;
}

static jnode *parse_set(parser *p)
{
    static const char *const ends[] = {"endset", NULL};
    jnode *n = node(p, JN_SET, NULL, NULL);
    parse_targets(p, n);
    if (n->n == 1 && take(p, ".")) { /* of a namespace */
        n->c = n->list[0];
        n->name = want_name(p);
    }
    if (take(p, "=")) {
        n->a = parse_tuple(p);
        block_end(p);
        return n;
    }
    if (at_sign(p, "|") || n->n > 1) jinja_fail(p->j, "a set block with filters is not known here");
    block_end(p);
    deeper(p, 1);
    n->kind = JN_SETBLOCK;
    n->b = parse_body(p, ends);
    want_end(p, "endset");
    deeper(p, -1);
    return n;
}

static jnode *parse_macro(parser *p)
{
    static const char *const ends[] = {"endmacro", NULL};
    jnode *n = node(p, JN_MACRO, NULL, NULL);
    deeper(p, 1);
    n->name = want_name(p);
    want(p, "(");
    while (!take(p, ")")) {
        const jstr name = want_name(p);
        node_add(p, n, take(p, "=") ? parse_expression(p) : NULL, name);
        if (!at_sign(p, ")")) want(p, ",");
    }
    if (n->n > JINJA_ARGS) jinja_fail(p->j, "a macro with more than %d parameters", JINJA_ARGS);
    block_end(p);
    n->b = parse_body(p, ends);
    if (!take_name(p, "endmacro")) unexpected(p, "endmacro");
    if (peek(p)->kind == TOK_NAME) p->next++;
    block_end(p);
    deeper(p, -1);
    return n;
}

static jnode *parse_statement(parser *p)
{
    static const char *const generation[] = {"endgeneration", NULL};
    const jstr name = want_name(p);
    if (jinja_is(name, "if")) return parse_if(p);
    if (jinja_is(name, "for")) return parse_for(p);
    if (jinja_is(name, "set")) return parse_set(p);
    if (jinja_is(name, "macro")) return parse_macro(p);
    if (jinja_is(name, "break") || jinja_is(name, "continue")) {
        block_end(p);
        return node(p, jinja_is(name, "break") ? JN_BREAK : JN_CONTINUE, NULL, NULL);
    }
    if (jinja_is(name, "generation")) { /* marks what a training loss counts, writes nothing */
        block_end(p);
        jnode *n = parse_body(p, generation);
        want_end(p, "endgeneration");
        return n;
    }
    jinja_fail(p->j, "the statement '%.*s' is not known here", (int)(name.n < 40 ? name.n : 40),
               name.at);
}

/* Statements up to one of the names in `ends` (which stays to be read), or to the end of the
   text. */
static jnode *parse_body(parser *p, const char *const *ends)
{
    jnode *body = node(p, JN_BODY, NULL, NULL);
    deeper(p, 1);
    for (;;) {
        token *t = peek(p);
        p->next++;
        if (t->kind == TOK_END) {
            p->next--;
            if (ends) unexpected(p, ends[0]);
            break;
        }
        if (t->kind == TOK_DATA) {
            jnode *n = node(p, JN_DATA, NULL, NULL);
            n->name = t->words;
            node_add(p, body, n, no_key);
        } else if (t->kind == TOK_PRINT) {
            node_add(p, body, node(p, JN_PRINT, parse_tuple(p), NULL), no_key);
            if (peek(p)->kind != TOK_PRINT_END) unexpected(p, "the end of the tag");
            p->next++;
        } else {
            bool ended = false;
            for (size_t i = 0; ends && ends[i] && !ended; i++) ended = at_name(p, ends[i]);
            if (ended) break;
            node_add(p, body, parse_statement(p), no_key);
        }
    }
    deeper(p, -1);
    return body;
}

/* Line ends become newlines and the last one goes, as Jinja reads a file. */
jnode *jinja_parse(jinja *j, const char *source, size_t length)
{
    char *clean = jinja_take(j, length + 1);
    size_t n = 0;
    for (size_t i = 0; i < length; i++) {
        if (source[i] == '\r' && i + 1 < length && source[i + 1] == '\n') continue;
        clean[n++] = source[i] == '\r' ? '\n' : source[i];
    }
    if (n && clean[n - 1] == '\n') n--;
    parser p = {.j = j, .at = clean, .end = clean + n, .line = 1};
    split(&p);
    return parse_body(&p, NULL);
}
