/* jinja_own.h - what the files of the interpreter share: values, the tree of a template, and a
   state with limits. A failure anywhere leaves by longjmp to jinja_render, which frees everything
   at once. */
#ifndef SYNERGY_JINJA_OWN_H
#define SYNERGY_JINJA_OWN_H

#include "template/jinja.h"

#include <setjmp.h>

enum {
    JINJA_STEPS = 4000000,   /* nodes visited */
    JINJA_DEPTH = 200,       /* expressions in expressions, macros in macros */
    JINJA_MEMORY = 64 << 20, /* bytes of values and tree */
    JINJA_ARGS = 8
};

typedef struct jstr {
    const char *at;
    size_t n;
} jstr;

typedef enum jkind {
    J_MISSING, /* an argument that was not given */
    J_UNDEFINED,
    J_NONE,
    J_BOOL,
    J_INT,
    J_FLOAT,
    J_TEXT,
    J_LIST,
    J_TUPLE,
    J_DICT,
    J_SPACE,
    J_LOOP,
    J_MACRO
} jkind;

struct jnode;
struct jlist;
struct jdict;

typedef struct jval {
    jkind kind;
    union {
        bool yes;
        int64_t whole;
        double real;
        jstr words; /* of J_UNDEFINED: its name */
        struct jlist *list;
        struct jdict *dict;
        const struct jnode *macro;
    } as;
} jval;

typedef struct jlist {
    jval *at;
    size_t n, room;
} jlist;
typedef struct jdict {
    jval *key, *value;
    size_t n, room;
} jdict;

typedef enum jnode_kind {
    JN_CONST,
    JN_NAME,
    JN_LIST,
    JN_TUPLE,
    JN_DICT,
    JN_ATTR,
    JN_ITEM,
    JN_SLICE,
    JN_CALL,
    JN_FILTER,
    JN_TEST,
    JN_NOT,
    JN_NEG,
    JN_PLUS,
    JN_BINARY,
    JN_AND,
    JN_OR,
    JN_COMPARE,
    JN_CHOICE,
    JN_DATA,
    JN_PRINT,
    JN_IF,
    JN_FOR,
    JN_SET,
    JN_SETBLOCK,
    JN_MACRO,
    JN_BREAK,
    JN_CONTINUE,
    JN_BODY
} jnode_kind;

/* A node: a to d are its parts; list its items, arguments, targets or statements, key their
   names. */
typedef struct jnode {
    jnode_kind kind;
    int line;
    jstr name; /* of a name, attribute, filter, test, macro; an operator; data */
    jval value;
    struct jnode *a, *b, *c, *d;
    struct jnode **list;
    jstr *key;
    size_t n, room;
    bool negated;
} jnode;

typedef struct jscope {
    struct jscope *up;
    jdict names;
} jscope;

/* Where output goes: the prompt, or the text of a macro or set block under way. */
typedef struct jout {
    text to;
    struct jout *up;
} jout;

typedef struct jinja {
    jmp_buf leave;
    problem *why;
    void *blocks; /* memory, freed at the end */
    size_t bytes, steps;
    int depth, line;
    const jinja_input *input;
    jscope *scope;
    struct jout *out;
    text scratch; /* of a value being written */
} jinja;

#if defined(__GNUC__)
#define JINJA_NO_RETURN __attribute__((noreturn))
#else
#define JINJA_NO_RETURN
#endif

/* jinja_value.c */
JINJA_NO_RETURN void jinja_fail(jinja *j, const char *format, ...) TOOL_FORMAT(2, 3);
void *jinja_take(jinja *j, size_t bytes);
jstr jinja_str(const char *words);
bool jinja_is(jstr s, const char *words);
jval jinja_words(const char *at, size_t n);
jval jinja_text(const char *words);
jval jinja_int(int64_t n);
jval jinja_bool(bool yes);
jval jinja_none(void);
jval jinja_undefined(jstr name);
jval jinja_list(jinja *j, jkind kind);
jval jinja_dict(jinja *j, jkind kind);
void jinja_push(jinja *j, jval list, jval item);
void jinja_put(jinja *j, jdict *d, jval key, jval value);
const jval *jinja_get(const jdict *d, jval key);
jval jinja_copy_text(jinja *j, const text *t);
bool jinja_true(jval v);
bool jinja_equal(jval a, jval b);
int jinja_order(jinja *j, jval a, jval b); /* -1, 0, 1 */
const char *jinja_kind_name(jval v);
void jinja_print(jinja *j, text *t, jval v); /* str(v) */
jstr jinja_to_str(jinja *j, jval v);
void jinja_json(jinja *j, text *t, jval v, int64_t indent, bool sort, int depth);
jval jinja_items(jinja *j, jval v); /* what a loop goes over, as a list */
size_t jinja_length(jinja *j, jval v);
size_t jinja_char(const char *at, size_t n); /* bytes of the first character */

jval jinja_attribute(jinja *j, jval v, jval name);

/* jinja_parse.c */
jnode *jinja_parse(jinja *j, const char *source, size_t length);

/* jinja_call.c: `v` filtered, tested, or asked; arguments by place and by name. */
typedef struct jargs {
    jval at[JINJA_ARGS];
    jstr key[JINJA_ARGS];
    size_t n;
} jargs;
jval jinja_filter(jinja *j, jstr name, jval v, const jargs *args);
bool jinja_test(jinja *j, jstr name, jval v, const jargs *args);
jval jinja_method(jinja *j, jval v, jstr name, const jargs *args);
jval jinja_function(jinja *j, jstr name, const jargs *args);
/* Values of the parameters ("indent sort_keys"), J_MISSING where not given. */
void jinja_bind(jinja *j, const char *what, const char *parameters, const jargs *args,
                jval to[JINJA_ARGS]);

#endif
