/* jinja_run.c - runs the tree of a template. A loop's body and a macro have a scope of their own;
   what is set in it is forgotten behind it, but for the attributes of a namespace. */
#include "template/jinja_own.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef enum flow { FLOW_ON, FLOW_BREAK, FLOW_CONTINUE } flow;

static jval eval(jinja *j, const jnode *n);
static flow run(jinja *j, const jnode *n);

static void enter(jinja *j, const jnode *n)
{
    j->line = n->line;
    if (++j->steps > JINJA_STEPS) jinja_fail(j, "runs for more than %d steps", JINJA_STEPS);
    if (++j->depth > 4 * JINJA_DEPTH) jinja_fail(j, "nested deeper than %d", 4 * JINJA_DEPTH);
}

static jval name_key(jstr name)
{
    return jinja_words(name.at, name.n);
}

static const jval *find(const jinja *j, jstr name)
{
    for (const jscope *s = j->scope; s; s = s->up) {
        const jval *found = jinja_get(&s->names, name_key(name));
        if (found) return found;
    }
    return NULL;
}

static void assign(jinja *j, jstr name, jval v)
{
    jinja_put(j, &j->scope->names, name_key(name), v);
}

static void scope_begin(jinja *j, jscope *s)
{
    memset(s, 0, sizeof *s);
    s->up = j->scope;
    j->scope = s;
}

/* ---- expressions ---- */

static int64_t index_of(jinja *j, jval v)
{
    if (v.kind != J_INT) jinja_fail(j, "an index is %s", jinja_kind_name(v));
    return v.as.whole;
}

static jval slice(jinja *j, const jnode *n)
{
    const jval v = eval(j, n->a), items = jinja_items(j, v);
    const int64_t count = (int64_t)items.as.list->n;
    const jval part[3] = {n->b ? eval(j, n->b) : jinja_none(), n->c ? eval(j, n->c) : jinja_none(),
                          n->d ? eval(j, n->d) : jinja_none()};
    const int64_t step = part[2].kind == J_NONE ? 1 : index_of(j, part[2]);
    int64_t at[2];
    if (v.kind != J_LIST && v.kind != J_TUPLE && v.kind != J_TEXT)
        jinja_fail(j, "a slice of %s", jinja_kind_name(v));
    if (!step) jinja_fail(j, "a slice with a step of 0");
    for (int i = 0; i < 2; i++) {
        const int64_t low = step < 0 ? -1 : 0, high = step < 0 ? count - 1 : count;
        int64_t k = part[i].kind == J_NONE ? ((step < 0) == (i == 0) ? count : -count - 1)
                                           : index_of(j, part[i]);
        if (k < 0) k += count;
        at[i] = k < low ? low : k > high ? high : k;
    }
    jval out = jinja_list(j, v.kind == J_TUPLE ? J_TUPLE : J_LIST);
    for (int64_t i = at[0]; step > 0 ? i < at[1] : i > at[1]; i += step) {
        jinja_push(j, out, items.as.list->at[i]);
        if (step > count || step < -count) break;
    }
    if (v.kind != J_TEXT) return out;
    return jinja_filter(j, jinja_str("join"), out, &(jargs){.n = 0});
}

static jval arithmetic(jinja *j, jstr sign, jval a, jval b)
{
    const char s = sign.at[0];
    if (s == '~' || (s == '+' && a.kind == J_TEXT && b.kind == J_TEXT)) {
        const jstr x = jinja_to_str(j, a), y = jinja_to_str(j, b);
        char *to = jinja_take(j, x.n + y.n + 1);
        if (x.n) memcpy(to, x.at, x.n);
        if (y.n) memcpy(to + x.n, y.at, y.n);
        return jinja_words(to, x.n + y.n);
    }
    if (s == '+' && a.kind == b.kind && (a.kind == J_LIST || a.kind == J_TUPLE)) {
        jval out = jinja_list(j, a.kind);
        for (size_t i = 0; i < a.as.list->n; i++) jinja_push(j, out, a.as.list->at[i]);
        for (size_t i = 0; i < b.as.list->n; i++) jinja_push(j, out, b.as.list->at[i]);
        return out;
    }
    if (s == '*' && sign.n == 1 && a.kind == J_TEXT && b.kind == J_INT) {
        jval out = jinja_list(j, J_LIST);
        for (int64_t i = 0; i < b.as.whole && i <= 100000; i++) jinja_push(j, out, a);
        return jinja_filter(j, jinja_str("join"), out, &(jargs){.n = 0});
    }
    if (a.kind == J_UNDEFINED || b.kind == J_UNDEFINED) {
        const jstr name = a.kind == J_UNDEFINED ? a.as.words : b.as.words;
        jinja_fail(j, "'%.*s' is undefined", (int)name.n, name.at);
    }
    const bool whole = a.kind == J_INT && b.kind == J_INT;
    if ((a.kind != J_INT && a.kind != J_FLOAT) || (b.kind != J_INT && b.kind != J_FLOAT) ||
        sign.n > 2 || (sign.n == 2 && s == '*'))
        jinja_fail(j, "%s %.*s %s is not known here", jinja_kind_name(a), (int)sign.n, sign.at,
                   jinja_kind_name(b));
    if (whole && s != '/') {
        const int64_t x = a.as.whole, y = b.as.whole, most = INT64_C(1) << 31;
        if (x > most || x < -most || y > most || y < -most) jinja_fail(j, "numbers beyond 2^31");
        if (s == '%' && !y) jinja_fail(j, "a division by zero");
        return jinja_int(s == '+'                      ? x + y
                         : s == '-'                    ? x - y
                         : s == '*'                    ? x * y
                         : x % y && (x < 0) != (y < 0) ? x % y + y
                                                       : x % y);
    }
    const double x = a.kind == J_INT ? (double)a.as.whole : a.as.real;
    const double y = b.kind == J_INT ? (double)b.as.whole : b.as.real;
    if ((s == '/' || s == '%') && y == 0) jinja_fail(j, "a division by zero");
    jval v = {.kind = J_FLOAT};
    v.as.real = s == '+'      ? x + y
                : s == '-'    ? x - y
                : s == '*'    ? x * y
                : s == '%'    ? x - floor(x / y) * y
                : sign.n == 2 ? floor(x / y)
                              : x / y;
    return whole && sign.n == 2 ? jinja_int((int64_t)v.as.real) : v;
}

static bool compare(jinja *j, jstr sign, jval a, jval b)
{
    if (jinja_is(sign, "==")) return jinja_equal(a, b);
    if (jinja_is(sign, "!=")) return !jinja_equal(a, b);
    if (jinja_is(sign, "in") || jinja_is(sign, "not in")) {
        const jargs other = {.at = {b}, .n = 1};
        if (b.kind == J_NONE || b.kind == J_INT || b.kind == J_BOOL || b.kind == J_FLOAT)
            jinja_fail(j, "'in' of %s", jinja_kind_name(b));
        return jinja_test(j, jinja_str("in"), a, &other) == (sign.n == 2);
    }
    const int order = jinja_order(j, a, b);
    if (jinja_is(sign, "<")) return order < 0;
    if (jinja_is(sign, "<=")) return order <= 0;
    return jinja_is(sign, ">") ? order > 0 : order >= 0;
}

static void arguments(jinja *j, const jnode *n, jargs *args)
{
    args->n = n->n;
    for (size_t i = 0; i < n->n; i++) {
        args->at[i] = eval(j, n->list[i]);
        args->key[i] = n->key[i];
    }
}

/* What a body writes, as a string. */
static jval captured(jinja *j, const jnode *body)
{
    jout *out = tool_alloc(1, sizeof *out);
    out->up = j->out;
    j->out = out;
    run(j, body);
    j->out = out->up;
    const bool fits = out->to.length <= (size_t)JINJA_MEMORY - j->bytes;
    if (!fits) {
        out->up = j->out;
        j->out = out; /* freed at the end */
    }
    const jval v = jinja_copy_text(j, &out->to);
    text_free(&out->to);
    free(out);
    return v;
}

static jval call_macro(jinja *j, const jnode *macro, const jargs *args)
{
    jscope own, *before = j->scope, *top = j->scope;
    while (top->up) top = top->up;
    size_t place = 0;
    j->scope = top;
    scope_begin(j, &own);
    for (size_t i = 0; i < macro->n; i++)
        assign(j, macro->key[i],
               macro->list[i] ? eval(j, macro->list[i]) : jinja_undefined(macro->key[i]));
    for (size_t i = 0; i < args->n; i++) {
        size_t at = args->key[i].n ? 0 : place++;
        while (args->key[i].n && at < macro->n &&
               !jinja_equal(name_key(macro->key[at]), name_key(args->key[i])))
            at++;
        if (at >= macro->n)
            jinja_fail(j, "the macro '%.*s' has no such parameter", (int)macro->name.n,
                       macro->name.at);
        assign(j, macro->key[at], args->at[i]);
    }
    const jval v = captured(j, macro->b);
    j->scope = before;
    return v;
}

static jval call(jinja *j, const jnode *n)
{
    jargs args;
    arguments(j, n, &args);
    if (n->a->kind == JN_ATTR) {
        const jval of = eval(j, n->a->a);
        j->line = n->line;
        return jinja_method(j, of, n->a->name, &args);
    }
    if (n->a->kind != JN_NAME) jinja_fail(j, "only a name or a method can be called");
    const jval *known = find(j, n->a->name);
    if (known && known->kind == J_MACRO) return call_macro(j, known->as.macro, &args);
    if (known)
        jinja_fail(j, "'%.*s' is called and is %s", (int)n->a->name.n, n->a->name.at,
                   jinja_kind_name(*known));
    return jinja_function(j, n->a->name, &args);
}

static bool is_function(jstr name)
{
    static const char *const names[] = {"range", "namespace", "dict", "raise_exception",
                                        "strftime_now"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (jinja_is(name, names[i])) return true;
    return false;
}

static jval eval_name(const jinja *j, const jnode *n)
{
    const jval *found = find(j, n->name);
    if (found) return *found;
    return is_function(n->name) ? (jval){.kind = J_MACRO} : jinja_undefined(n->name);
}

static jval eval_parts(jinja *j, const jnode *n)
{
    jval v = n->kind == JN_DICT ? jinja_dict(j, J_DICT)
                                : jinja_list(j, n->kind == JN_LIST ? J_LIST : J_TUPLE);
    for (size_t i = 0; i < n->n; i++) {
        const jval one = eval(j, n->list[i]);
        if (n->kind == JN_DICT) jinja_put(j, v.as.dict, one, eval(j, n->list[++i]));
        else jinja_push(j, v, one);
    }
    return v;
}

static jval eval_compare(jinja *j, const jnode *n)
{
    jval a = eval(j, n->a);
    for (size_t i = 0; i < n->n; i++) {
        const jval b = eval(j, n->list[i]);
        if (!compare(j, n->key[i], a, b)) return jinja_bool(false);
        a = b;
    }
    return jinja_bool(true);
}

static jval eval_sign(jinja *j, jval v, bool minus)
{
    if (v.kind == J_INT) return jinja_int(minus ? -v.as.whole : v.as.whole);
    if (v.kind != J_FLOAT) jinja_fail(j, "a sign before %s", jinja_kind_name(v));
    v.as.real = minus ? -v.as.real : v.as.real;
    return v;
}

static jval eval_any(jinja *j, const jnode *n)
{
    jargs args;
    jval v;
    switch (n->kind) {
    case JN_CONST: return n->value;
    case JN_NAME: return eval_name(j, n);
    case JN_LIST:
    case JN_TUPLE:
    case JN_DICT: return eval_parts(j, n);
    case JN_ATTR: return jinja_attribute(j, eval(j, n->a), name_key(n->name));
    case JN_ITEM: v = eval(j, n->a); return jinja_attribute(j, v, eval(j, n->b));
    case JN_SLICE: return slice(j, n);
    case JN_CALL: return call(j, n);
    case JN_FILTER:
        v = eval(j, n->a);
        arguments(j, n, &args);
        return jinja_filter(j, n->name, v, &args);
    case JN_TEST:
        v = eval(j, n->a);
        arguments(j, n, &args);
        return jinja_bool(jinja_test(j, n->name, v, &args) != n->negated);
    case JN_NOT: return jinja_bool(!jinja_true(eval(j, n->a)));
    case JN_NEG:
    case JN_PLUS: return eval_sign(j, eval(j, n->a), n->kind == JN_NEG);
    case JN_BINARY: v = eval(j, n->a); return arithmetic(j, n->name, v, eval(j, n->b));
    case JN_AND:
    case JN_OR:
        for (size_t i = 0; i < n->n; i++) {
            v = eval(j, n->list[i]);
            if (jinja_true(v) == (n->kind == JN_OR)) break;
        }
        return v;
    case JN_COMPARE: return eval_compare(j, n);
    case JN_CHOICE:
        if (jinja_true(eval(j, n->c))) return eval(j, n->a);
        return n->b ? eval(j, n->b) : jinja_undefined(jinja_str("the other choice"));
    default: jinja_fail(j, "no expression");
    }
}

static jval eval(jinja *j, const jnode *n)
{
    enter(j, n);
    const jval v = eval_any(j, n);
    j->depth--;
    return v;
}

/* ---- statements ---- */

static void unpack(jinja *j, const jnode *targets, jval v)
{
    if (targets->n == 1) {
        assign(j, targets->list[0]->name, v);
        return;
    }
    const jval items = jinja_items(j, v);
    if (items.as.list->n != targets->n)
        jinja_fail(j, "%zu values for %zu names", items.as.list->n, targets->n);
    for (size_t i = 0; i < targets->n; i++) assign(j, targets->list[i]->name, items.as.list->at[i]);
}

static jval loop_value(jinja *j, const jlist *items, size_t i)
{
    const int64_t at = (int64_t)i, n = (int64_t)items->n;
    const struct {
        const char *name;
        jval value;
    } part[] = {
        {"index0", jinja_int(at)},
        {"index", jinja_int(at + 1)},
        {"first", jinja_bool(i == 0)},
        {"last", jinja_bool(at == n - 1)},
        {"length", jinja_int(n)},
        {"revindex", jinja_int(n - at)},
        {"revindex0", jinja_int(n - at - 1)},
        {"previtem", i ? items->at[i - 1] : jinja_undefined(jinja_str("previtem"))},
        {"nextitem", at + 1 < n ? items->at[i + 1] : jinja_undefined(jinja_str("nextitem"))}};
    jval loop = jinja_dict(j, J_LOOP);
    for (size_t k = 0; k < sizeof part / sizeof *part; k++)
        jinja_put(j, loop.as.dict, jinja_text(part[k].name), part[k].value);
    return loop;
}

static flow run_for(jinja *j, const jnode *n)
{
    const jval all = jinja_items(j, eval(j, n->a));
    jval items = all;
    jscope own, *before = j->scope;
    if (n->c) { /* only those that pass count */
        items = jinja_list(j, J_LIST);
        for (size_t i = 0; i < all.as.list->n; i++) {
            scope_begin(j, &own);
            unpack(j, n, all.as.list->at[i]);
            if (jinja_true(eval(j, n->c))) jinja_push(j, items, all.as.list->at[i]);
            j->scope = before;
        }
    }
    for (size_t i = 0; i < items.as.list->n; i++) {
        scope_begin(j, &own);
        assign(j, jinja_str("loop"), loop_value(j, items.as.list, i));
        unpack(j, n, items.as.list->at[i]);
        const flow how = run(j, n->b);
        j->scope = before;
        if (how == FLOW_BREAK) break;
    }
    return !items.as.list->n && n->d ? run(j, n->d) : FLOW_ON;
}

static flow run_if(jinja *j, const jnode *n)
{
    for (size_t i = 0; i < n->n; i += 2)
        if (jinja_true(eval(j, n->list[i]))) return run(j, n->list[i + 1]);
    return n->b ? run(j, n->b) : FLOW_ON;
}

static void run_set(jinja *j, const jnode *n)
{
    const jval v = n->kind == JN_SETBLOCK ? captured(j, n->b) : eval(j, n->a);
    if (!n->c) {
        unpack(j, n, v);
        return;
    }
    const jval *space = find(j, n->c->name);
    if (!space || space->kind != J_SPACE)
        jinja_fail(j, "'%.*s' is no namespace", (int)n->c->name.n, n->c->name.at);
    jinja_put(j, space->as.dict, name_key(n->name), v);
}

static flow run_any(jinja *j, const jnode *n)
{
    jval v = {.kind = J_MACRO};
    flow how = FLOW_ON;
    switch (n->kind) {
    case JN_BODY:
        for (size_t i = 0; i < n->n && how == FLOW_ON; i++) how = run(j, n->list[i]);
        return how;
    case JN_DATA: text_add_bytes(&j->out->to, n->name.at, n->name.n); break;
    case JN_PRINT: jinja_print(j, &j->out->to, eval(j, n->a)); break;
    case JN_IF: return run_if(j, n);
    case JN_FOR: return run_for(j, n);
    case JN_SET:
    case JN_SETBLOCK: run_set(j, n); break;
    case JN_MACRO:
        v.as.macro = n;
        assign(j, n->name, v);
        break;
    case JN_BREAK: return FLOW_BREAK;
    case JN_CONTINUE: return FLOW_CONTINUE;
    default: jinja_fail(j, "no statement");
    }
    return FLOW_ON;
}

static flow run(jinja *j, const jnode *n)
{
    enter(j, n);
    if (j->out->to.length > JINJA_MEMORY)
        jinja_fail(j, "writes more than %d MiB", JINJA_MEMORY >> 20);
    const flow how = run_any(j, n);
    j->depth--;
    return how;
}

/* ---- a whole template ---- */

static void globals(jinja *j)
{
    const jinja_input *in = j->input;
    jval messages = jinja_list(j, J_LIST);
    for (size_t i = 0; i < in->messages; i++) {
        jval one = jinja_dict(j, J_DICT);
        jinja_put(j, one.as.dict, jinja_text("role"), jinja_text(in->message[i].role));
        jinja_put(j, one.as.dict, jinja_text("content"),
                  jinja_words(in->message[i].words, in->message[i].length));
        jinja_push(j, messages, one);
    }
    assign(j, jinja_str("messages"), messages);
    assign(j, jinja_str("add_generation_prompt"), jinja_bool(in->open));
    if (in->bos) assign(j, jinja_str("bos_token"), jinja_text(in->bos));
    if (in->eos) assign(j, jinja_str("eos_token"), jinja_text(in->eos));
}

bool jinja_render(const char *source, size_t length, const jinja_input *input, text *out,
                  problem *why)
{
    jinja *j = tool_alloc(1, sizeof *j);
    jscope top;
    jout *bottom = tool_alloc(1, sizeof *bottom);
    bool good = false;
    j->why = why;
    j->input = input;
    j->out = bottom;
    j->line = 1;
    if (!setjmp(j->leave)) {
        scope_begin(j, &top);
        globals(j);
        const jnode *tree = jinja_parse(j, source, length);
        run(j, tree);
        text_add_bytes(out, j->out->to.at ? j->out->to.at : "", j->out->to.length);
        good = true;
    }
    while (j->out) { /* after a failure those of macros under way, too */
        jout *up = j->out->up;
        text_free(&j->out->to);
        free(j->out);
        j->out = up;
    }
    while (j->blocks) {
        void *up = *(void **)j->blocks;
        free(j->blocks);
        j->blocks = up;
    }
    text_free(&j->scratch);
    free(j);
    return good;
}
