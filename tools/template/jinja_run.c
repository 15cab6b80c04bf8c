/* jinja_run.c - reads a template's words and carries them out. A loop's body and a macro have a
   scope of their own; what is set in it is forgotten behind it, but for the attributes of a
   namespace. */
#include "template/jinja_own.h"

#include <stdlib.h>

/* ---- words ---- */

static const jword *peek(jinja *j)
{
    j->line = j->word[j->at].line;
    return &j->word[j->at];
}

static bool is_at(const jinja *j, size_t place, const char *word)
{
    const jword *w = &j->word[place];
    return (w->kind == W_SIGN || w->kind == W_NAME) && jinja_is(w->words, word);
}

static bool take(jinja *j, const char *word)
{
    const bool found = is_at(j, j->at, word);
    j->at += found;
    return found;
}

JINJA_NO_RETURN static void unexpected(jinja *j, const char *expected)
{
    const jword *w = peek(j);
    if (w->kind == W_END) jinja_fail(j, "it ends where %s is expected", expected);
    jinja_fail(j, "'%.*s' where %s is expected", w->words.n < 40 ? (int)w->words.n : 40,
               w->words.at, expected);
}

static void want(jinja *j, const char *word)
{
    if (!take(j, word)) unexpected(j, word);
}

static jstr want_kind(jinja *j, jword_kind kind, const char *what)
{
    if (peek(j)->kind != kind) unexpected(j, what);
    return j->word[j->at++].words;
}

static jstr want_name(jinja *j)
{
    return want_kind(j, W_NAME, "a name");
}

static void tag_end(jinja *j)
{
    want_kind(j, W_CLOSE, "the end of the tag");
}

/* Every expression and statement begins with it; the caller takes the depth back. */
static void enter(jinja *j)
{
    peek(j);
    jinja_step(j, 10);
    if (++j->depth > JINJA_DEPTH) jinja_fail(j, "nested deeper than %d", JINJA_DEPTH);
}

/* ---- names ---- */

static const jval *find(jinja *j, jstr name)
{
    for (size_t i = j->names.n; i > 0; i -= 2) {
        if (i == j->macro) i = j->outer; /* it sees nothing of who calls it */
        if (jinja_equal(j, j->names.at[i - 2], jinja_words(name))) return &j->names.at[i - 1];
    }
    return NULL;
}

static void assign(jinja *j, jstr name, jval v)
{
    if (j->dead) return;
    for (size_t i = j->scope; i < j->names.n; i += 2)
        if (jinja_equal(j, j->names.at[i], jinja_words(name))) {
            j->names.at[i + 1] = v;
            return;
        }
    jinja_push(j, &j->names, jinja_words(name));
    jinja_push(j, &j->names, v);
}

/* Returns the scope before, for the end. */
static size_t scope_begin(jinja *j)
{
    const size_t before = j->scope;
    if (!before) j->outer = j->names.n;
    j->scope = j->names.n;
    return before;
}

static void scope_end(jinja *j, size_t before)
{
    j->names.n = j->scope;
    j->scope = before;
}

/* a, or a, b, or (a, b): names that get a value, or its parts. */
static void targets(jinja *j, jargs *to)
{
    const bool round = take(j, "(");
    to->n = 0;
    do {
        if (to->n == JINJA_ARGS) jinja_fail(j, "more than %d names", JINJA_ARGS);
        to->key[to->n++] = want_name(j);
    } while (take(j, ","));
    if (round) want(j, ")");
}

static void assign_all(jinja *j, const jargs *to, jval v)
{
    if (j->dead) return;
    if (to->n == 1) {
        assign(j, to->key[0], v);
        return;
    }
    const jlist *l = jinja_items(j, v).as.list;
    if (l->n != to->n) jinja_fail(j, "%zu values for %zu names", l->n, to->n);
    for (size_t i = 0; i < l->n; i++) assign(j, to->key[i], l->at[i]);
}

/* ---- expressions ---- */

static jval expression(jinja *j);
static jval unary(jinja *j, bool with_filters);
static void body(jinja *j, const char *ends);

/* [index], [from:to:step] */
static jval subscript(jinja *j, jval v)
{
    jval part[3] = {{.kind = J_MISSING}};
    int parts = 0;
    bool colon = true;
    if (is_at(j, j->at, "]")) unexpected(j, "an index");
    for (; parts < 3 && colon && !is_at(j, j->at, "]"); parts++) {
        if (!is_at(j, j->at, ":")) part[parts] = expression(j);
        colon = take(j, ":");
    }
    want(j, "]");
    if (j->dead) return v;
    return parts == 1 && !colon ? jinja_member(j, v, part[0]) : jinja_slice(j, v, part);
}

/* ( ... ): arguments of a call, by name where a name stands before; none without the bracket. */
static bool arguments(jinja *j, jargs *args)
{
    args->n = 0;
    if (!take(j, "(")) return false;
    while (!take(j, ")")) {
        if (args->n == JINJA_ARGS) jinja_fail(j, "more than %d arguments", JINJA_ARGS);
        const bool named = peek(j)->kind == W_NAME && is_at(j, j->at + 1, "=");
        args->key[args->n] = named ? want_name(j) : (jstr){"", 0};
        j->at += named;
        args->at[args->n++] = expression(j);
        if (!is_at(j, j->at, ")")) want(j, ",");
    }
    return true;
}

/* What a body writes, as a string. */
static jval captured(jinja *j, const char *end)
{
    const size_t from = j->out.length;
    const int dead = j->dead;
    body(j, end);
    j->dead = dead;
    return jinja_written(j, from);
}

/* ( ... ): a macro's parameters, with values from `args`, their defaults, or undefined. */
static void parameters(jinja *j, const jargs *args)
{
    size_t place = 0, used = 0;
    want(j, "(");
    for (; !take(j, ")"); place++) {
        const jstr name = want_name(j);
        jval v = {.kind = J_MISSING};
        for (size_t i = 0; i < args->n; i++)
            if (args->key[i].n ? jinja_equal(j, jinja_words(args->key[i]), jinja_words(name))
                               : i == place)
                v = args->at[i], used++;
        const bool given = v.kind != J_MISSING;
        jval otherwise = {.kind = J_UNDEFINED, .as.words = name};
        j->dead += given;
        if (take(j, "=")) otherwise = expression(j);
        j->dead -= given;
        assign(j, name, given ? v : otherwise);
        if (!is_at(j, j->at, ")")) want(j, ",");
    }
    tag_end(j);
    if (used < args->n) jinja_fail(j, "a macro of %zu parameters gets others", place);
}

static jval call_macro(jinja *j, jval macro, const jargs *args)
{
    const size_t back = j->at, caller = j->macro, before = scope_begin(j);
    j->macro = j->scope;
    j->at = (size_t)macro.as.whole;
    parameters(j, args);
    const jval v = captured(j, "endmacro");
    scope_end(j, before);
    j->macro = caller;
    j->at = back;
    return v;
}

/* A constant, a variable, or a call. */
static jval name(jinja *j)
{
    const jstr word = want_name(j);
    const int constant = jinja_among("False True false true None none", word);
    jargs args;
    if (constant >= 4) return (jval){.kind = J_NONE};
    if (constant >= 0) return jinja_bool(constant % 2);
    const jval *found = find(j, word);
    const jval v = found ? *found
                   : jinja_knows(CALL_FUNCTION, word)
                       ? (jval){.kind = J_MACRO}
                       : (jval){.kind = J_UNDEFINED, .as.words = word};
    if (!arguments(j, &args) || j->dead) return v;
    if (!found) return jinja_call(j, CALL_FUNCTION, word, v, &args);
    if (v.kind != J_MACRO || !v.as.whole) jinja_fail_at(j, word, "is called and is no macro");
    return call_macro(j, v, &args);
}

/* [ ... ], { ... } or ( ... ), which without a comma is what stands in it. */
static jval sequence(jinja *j, jkind kind, const char *close)
{
    const jval v = jinja_list(j, kind);
    bool comma = true, one = kind == J_TUPLE && !is_at(j, j->at, close);
    while (!take(j, close)) {
        if (!comma) unexpected(j, close);
        const jval item = expression(j);
        if (kind == J_DICT) {
            want(j, ":");
            jinja_put(j, v.as.list, item, expression(j));
        } else jinja_push(j, v.as.list, item);
        comma = take(j, ",");
        one &= !comma;
    }
    return one ? v.as.list->at[0] : v;
}

static jval primary(jinja *j)
{
    const jword *w = peek(j);
    if (w->kind == W_NAME) return name(j);
    if (w->kind == W_VALUE) {
        jval v = w->value;
        for (j->at++; v.kind == J_TEXT && peek(j)->value.kind == J_TEXT; j->at++) /* side by side */
            v = jinja_arithmetic(j, (jstr){"~", 1}, v, peek(j)->value);
        return v;
    }
    if (take(j, "(")) return sequence(j, J_TUPLE, ")");
    if (take(j, "[")) return sequence(j, J_LIST, "]");
    if (take(j, "{")) return sequence(j, J_DICT, "}");
    unexpected(j, "an expression");
}

/* Behind a dot: an index, an attribute, or a method and its arguments. */
static jval dot(jinja *j, jval v)
{
    jargs args;
    const jword *w = peek(j);
    const bool number = w->value.kind == J_INT;
    const jstr word = number ? w->words : want_name(j);
    j->at += number;
    const bool calls = !number && arguments(j, &args);
    if (j->dead) return v;
    if (calls) return jinja_call(j, CALL_METHOD, word, v, &args);
    return jinja_member(j, v, number ? w->value : jinja_words(word));
}

/* Behind | or is. */
static jval filter_or_test(jinja *j, jval v, int kind)
{
    jargs args;
    const bool not = kind == CALL_TEST && take(j, "not");
    const jstr word = want_name(j);
    const jword *w = peek(j);
    if (!arguments(j, &args) && kind == CALL_TEST &&
        (w->kind == W_VALUE || is_at(j, j->at, "[") || is_at(j, j->at, "{") ||
         (w->kind == W_NAME && jinja_among("else or and if is in not", w->words) < 0))) {
        args.at[0] = unary(j, false);
        args.key[0] = (jstr){"", 0};
        args.n = 1;
    }
    if (j->dead) return v;
    v = jinja_call(j, kind, word, v, &args);
    return not ? jinja_bool(!jinja_true(v)) : v;
}

static jval signed_number(jinja *j, jval v, bool minus)
{
    if (v.kind == J_INT) return jinja_int(minus ? -v.as.whole : v.as.whole);
    if (v.kind == J_FLOAT) v.as.real = minus ? -v.as.real : v.as.real;
    else if (!j->dead) jinja_fail(j, "a sign before %s", jinja_kind_name(v));
    return v;
}

static jval unary(jinja *j, bool with_filters)
{
    enter(j);
    const bool minus = is_at(j, j->at, "-"), sign = take(j, "-") || take(j, "+");
    jval v = sign ? signed_number(j, unary(j, false), minus) : primary(j);
    for (;;) {
        if (take(j, ".")) v = dot(j, v);
        else if (take(j, "[")) v = subscript(j, v);
        else if (with_filters && take(j, "|")) v = filter_or_test(j, v, CALL_FILTER);
        else if (with_filters && take(j, "is")) v = filter_or_test(j, v, CALL_TEST);
        else break;
    }
    if (is_at(j, j->at, "(")) jinja_fail(j, "only a name or a method can be called");
    j->depth--;
    return v;
}

/* How strongly the operator that comes next binds; -1: there is none. */
enum { BINDS_OR, BINDS_AND, BINDS_NOT, BINDS_COMPARE };
static int next_binds(const jinja *j)
{
    static const char *const signs[] = {"or",  "and", "",        "== != <= >= < > in not",
                                        "+ -", "~",   "* / // %"};
    const jword *w = &j->word[j->at];
    int i = w->kind == W_SIGN || w->kind == W_NAME ? 6 : -1;
    while (i >= 0 && jinja_among(signs[i], w->words) < 0) i--;
    return i;
}

/* Operands and operators that bind at least as strongly; those of a kind bind to the left, and of a
   chain of comparisons (a < b < c) all have to hold. What decides nothing more is dead. */
static jval operation(jinja *j, int least)
{
    bool not = false, yes = true, chain = false;
    for (; least <= BINDS_NOT && take(j, "not"); yes = !yes) not = true;
    jval v = not ? jinja_bool(jinja_true(operation(j, BINDS_COMPARE)) == yes) : unary(j, true);
    jval last = v;
    for (int binds; (binds = next_binds(j)) >= least;) {
        const jstr sign = j->word[j->at++].words;
        if (binds == BINDS_COMPARE && sign.at[0] == 'n') want(j, "in");
        const bool decided = binds <= BINDS_AND ? jinja_true(v) == (binds == BINDS_OR)
                                                : binds == BINDS_COMPARE && chain && !jinja_true(v);
        j->dead += decided;
        const jval right = operation(j, binds + 1);
        j->dead -= decided;
        chain = binds == BINDS_COMPARE;
        if (decided || j->dead) continue;
        if (binds <= BINDS_AND) v = right;
        else if (chain) v = jinja_bool(jinja_compare(j, sign, last, right));
        else v = jinja_arithmetic(j, sign, v, right);
        last = chain ? right : v;
    }
    return v;
}

/* x, or x if test else y: where the test stands is found the first time, when all is dead. */
static jval expression(jinja *j)
{
    const size_t start = j->at;
    size_t *const test = &j->word[start].test;
    jval v = {.kind = J_MISSING};
    enter(j);
    if (!*test) {
        v = operation(j, 0);
        if (take(j, "if")) *test = j->at;
    }
    if (*test) {
        j->at = *test;
        const bool yes = jinja_true(operation(j, 0)) && !j->dead;
        const size_t behind = j->at;
        j->at = start;
        if (yes) v = operation(j, 0);
        else v = (jval){.kind = J_UNDEFINED, .as.words = {"the other choice", 16}};
        j->at = behind;
        j->dead += yes;
        const jval other = take(j, "else") ? expression(j) : v;
        j->dead -= yes;
        v = yes ? v : other;
    }
    j->depth--;
    return v;
}

/* An expression, or several with commas between: a tuple. */
static jval tuple(jinja *j)
{
    const jval first = expression(j);
    if (!is_at(j, j->at, ",")) return first;
    const jval all = jinja_list(j, J_TUPLE);
    jinja_push(j, all.as.list, first);
    while (take(j, ",") && peek(j)->kind != W_CLOSE) jinja_push(j, all.as.list, expression(j));
    return all;
}

/* ---- statements ---- */

static void body_if(jinja *j, bool yes, const char *ends)
{
    tag_end(j);
    j->dead += !yes;
    body(j, ends);
    j->dead -= !yes;
}

static void statement_end(jinja *j, const char *name)
{
    want(j, name);
    tag_end(j);
}

static void run_if(jinja *j)
{
    bool done = false;
    do {
        j->dead += done;
        const bool yes = jinja_true(tuple(j)) && !done;
        j->dead -= done;
        body_if(j, yes, "elif else endif");
        done |= yes;
    } while (take(j, "elif"));
    if (take(j, "else")) body_if(j, !done, "endif");
    statement_end(j, "endif");
}

/* for ... in ... if ...: only the items that pass count. */
static jval passing(jinja *j, const jargs *names, const jlist *all)
{
    const size_t test = j->at, before = scope_begin(j);
    const jval items = jinja_list(j, J_LIST);
    for (size_t i = 0; i == 0 || i < all->n; i++) { /* read once at least */
        const bool none = !all->n;
        j->names.n = j->scope;
        j->at = test;
        if (!none) assign_all(j, names, all->at[i]);
        j->dead += none;
        if (jinja_true(expression(j)) && !j->dead) jinja_push(j, items.as.list, all->at[i]);
        j->dead -= none;
    }
    scope_end(j, before);
    return items;
}

static void run_for(jinja *j)
{
    const int dead = j->dead;
    jargs names;
    targets(j, &names);
    want(j, "in");
    jval items = operation(j, 0);
    items = j->dead ? jinja_list(j, J_LIST) : jinja_items(j, items);
    if (take(j, "if")) items = passing(j, &names, items.as.list);
    const jlist *l = items.as.list;
    const jval loop = jinja_list(j, J_LOOP);
    *loop.as.list = *l;
    const size_t start = j->at, before = scope_begin(j);
    bool ended = false;
    for (size_t i = 0; !ended && (i == 0 || i < l->n); i++) {
        j->names.n = j->scope;
        loop.as.list->place = i;
        assign(j, (jstr){"loop", 4}, loop);
        if (l->n) assign_all(j, &names, l->at[i]);
        j->at = start;
        body_if(j, l->n, "else endfor");
        ended = j->dead > dead && j->ended;
        j->dead = dead;
    }
    scope_end(j, before);
    if (take(j, "else")) body_if(j, !l->n, "endfor");
    statement_end(j, "endfor");
}

static void run_set(jinja *j)
{
    jargs names;
    jval v;
    targets(j, &names);
    const bool member = names.n == 1 && take(j, ".");
    const jstr word = member ? want_name(j) : names.key[0];
    if (take(j, "=")) {
        v = tuple(j);
        tag_end(j);
    } else {
        tag_end(j);
        v = captured(j, "endset");
        statement_end(j, "endset");
    }
    if (!member) {
        assign_all(j, &names, v);
        return;
    }
    const jval *space = j->dead ? NULL : find(j, names.key[0]);
    if (space && space->kind == J_SPACE) jinja_put(j, space->as.list, jinja_words(word), v);
    else if (!j->dead) jinja_fail_at(j, names.key[0], "is no namespace");
}

static void run_macro(jinja *j)
{
    const jstr word = want_name(j);
    if (j->scope && !j->dead) jinja_fail(j, "a macro in a loop or macro is not known here");
    assign(j, word, (jval){.kind = J_MACRO, .as.whole = (int64_t)j->at});
    j->dead++;
    parameters(j, &(jargs){.n = 0});
    body(j, "endmacro");
    j->dead--;
    want(j, "endmacro");
    if (peek(j)->kind == W_NAME) j->at++;
    tag_end(j);
}

static void statement(jinja *j)
{
    const jstr word = want_name(j);
    switch (jinja_among("if for set macro break continue generation", word)) {
    case 0: run_if(j); break;
    case 1: run_for(j); break;
    case 2: run_set(j); break;
    case 3: run_macro(j); break;
    case 4:
    case 5: /* what is left of the loop's body is dead */
        tag_end(j);
        if (!j->dead) j->ended = word.at[0] == 'b', j->dead++;
        break;
    case 6: /* marks what a training loss counts, writes nothing */
        body_if(j, true, "endgeneration");
        statement_end(j, "endgeneration");
        break;
    default: jinja_fail_at(j, word, "is a statement that is not known here");
    }
}

/* Statements up to one of the names in `ends`, which is left to be read; "": to the end. */
static void body(jinja *j, const char *ends)
{
    for (;; j->depth--) {
        enter(j);
        const jword *w = &j->word[j->at++];
        if (w->kind == W_DATA) {
            if (!j->dead) jinja_add(j, w->words);
        } else if (w->kind == W_PRINT) {
            const jval v = tuple(j);
            if (!j->dead) jinja_write(j, v, false, -1, 0);
            tag_end(j);
        } else if (w->kind == W_BLOCK && jinja_among(ends, peek(j)->words) < 0) statement(j);
        else if (w->kind == W_END && *ends) jinja_fail(j, "it ends where %s is expected", ends);
        else break;
    }
    j->depth--;
}

/* ---- a whole template ---- */

static void render(jinja *j, const char *source, size_t length)
{
    const jinja_input *in = j->input;
    const jval messages = jinja_list(j, J_LIST);
    for (size_t i = 0; i < in->messages; i++) {
        const jinja_message *m = &in->message[i];
        const jval one = jinja_list(j, J_DICT);
        jinja_put(j, one.as.list, jinja_text("role"), jinja_text(m->role));
        jinja_put(j, one.as.list, jinja_text("content"), jinja_words((jstr){m->words, m->length}));
        jinja_push(j, messages.as.list, one);
    }
    assign(j, (jstr){"messages", 8}, messages);
    assign(j, (jstr){"add_generation_prompt", 21}, jinja_bool(in->open));
    if (in->bos) assign(j, (jstr){"bos_token", 9}, jinja_text(in->bos));
    if (in->eos) assign(j, (jstr){"eos_token", 9}, jinja_text(in->eos));
    j->line = 1;
    jinja_split(j, source, length);
    for (int pass = 1; pass >= 0; pass--) { /* read, then carried out */
        j->dead = pass;
        j->at = 0;
        body(j, "");
    }
}

bool jinja_render(const char *source, size_t length, const jinja_input *input, text *out,
                  problem *why)
{
    jinja *j = tool_alloc(1, sizeof *j);
    bool good = false;
    j->why = why;
    j->input = input;
    if (!setjmp(j->leave)) {
        render(j, source, length);
        text_add_bytes(out, j->out.at ? j->out.at : "", j->out.length);
        good = true;
    }
    while (j->blocks) {
        void *up = *(void **)j->blocks;
        free(j->blocks);
        j->blocks = up;
    }
    text_free(&j->out);
    free(j);
    return good;
}
