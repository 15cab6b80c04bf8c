/* jinja_own.h - what the files of the interpreter share. A template becomes words (jinja_words.c),
   which jinja_run.c reads and carries out in one go: a first time with everything `dead`, which
   only checks that they stand where they may, then in earnest, dead wherever a condition says no.
   Values are in jinja_value.c, filters, tests, methods and functions in jinja_call.c. A failure
   anywhere leaves by longjmp to jinja_render, which frees everything at once. */
#ifndef SYNERGY_JINJA_OWN_H
#define SYNERGY_JINJA_OWN_H

#include "template/jinja.h"

#include <setjmp.h>

enum {
    JINJA_STEPS = 40000000,  /* values compared, bytes searched; ten an expression or statement */
    JINJA_DEPTH = 400,       /* of expressions and statements in one another; of lists in lists */
    JINJA_MEMORY = 64 << 20, /* bytes of values and words; of text */
    JINJA_ARGS = 8
};

typedef struct jstr {
    const char *at;
    size_t n;
} jstr;

/* J_MISSING: an argument that was not given, and what is dead. */
typedef enum jkind {
    J_MISSING,
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

typedef struct jval {
    jkind kind;
    union {
        int64_t whole; /* of J_BOOL 0 or 1; of J_MACRO where its parameters stand, of functions 0 */
        double real;
        jstr words; /* of J_UNDEFINED: its name */
        struct jlist *list;
    } as;
} jval;

/* The items; of J_DICT and J_SPACE keys and values in turn; of J_LOOP what it goes over, and where
   it is. */
typedef struct jlist {
    jval *at;
    size_t n, room, place;
} jlist;

typedef enum jword_kind {
    W_DATA,
    W_PRINT,
    W_BLOCK,
    W_CLOSE,
    W_NAME,
    W_VALUE,
    W_SIGN,
    W_END
} jword_kind;

typedef struct jword {
    jword_kind kind;
    int line;
    jstr words;
    jval value;  /* of W_VALUE, a string or number */
    size_t test; /* where the condition of an expression that begins here stands: x if it else y */
} jword;

typedef struct jinja {
    jmp_buf leave;
    problem *why;
    void *blocks; /* memory, freed at the end */
    size_t bytes, steps;
    int depth, line;
    const jinja_input *input;
    jword *word;
    size_t words, room, at;     /* at: the next to read */
    int dead;                   /* how many conditions forbid what is read */
    bool ended;                 /* it was a break, no continue, that made the rest of a loop dead */
    jlist names;                /* of all scopes, one behind the other */
    size_t outer, macro, scope; /* where the outermost ends, a macro's and the innermost begin */
    text out;
} jinja;

#if defined(__GNUC__)
#define JINJA_NO_RETURN __attribute__((noreturn))
#else
#define JINJA_NO_RETURN
#endif

/* jinja_value.c */
JINJA_NO_RETURN void jinja_fail(jinja *j, const char *format, ...) TOOL_FORMAT(2, 3);
JINJA_NO_RETURN void jinja_fail_at(jinja *j, jstr what, const char *is); /* 'what' is ... */
void jinja_step(jinja *j, size_t steps); /* counts what takes time */
void *jinja_take(jinja *j, size_t bytes);
bool jinja_is(jstr s, const char *words);
int jinja_among(const char *names, jstr s); /* its place in "the names", -1 */
jval jinja_words(jstr s);
jval jinja_text(const char *words);
jval jinja_int(int64_t n);
jval jinja_bool(bool yes);
jval jinja_list(jinja *j, jkind kind);
void jinja_push(jinja *j, jlist *l, jval item);
void jinja_put(jinja *j, jlist *dict, jval key, jval value);
jval *jinja_get(jinja *j, const jlist *dict, jval key);
void jinja_add(jinja *j, jstr s);          /* to what is written */
jval jinja_written(jinja *j, size_t from); /* that from there on, taken away */
/* str(v); with `dump` json.dumps(v, ensure_ascii=False, indent=indent), on one line below 0. */
void jinja_write(jinja *j, jval v, bool dump, int64_t indent, int depth);
jstr jinja_str(jinja *j, jval v);
const char *jinja_kind_name(jval v);
bool jinja_true(jval v);
bool jinja_equal(jinja *j, jval a, jval b);
bool jinja_compare(jinja *j, jstr sign, jval a, jval b);
jval jinja_arithmetic(jinja *j, jstr sign, jval a, jval b);
const char *jinja_search(jinja *j, jstr s, jstr what); /* its place in s, NULL */
size_t jinja_char(jstr s);                             /* bytes of the first character */
jval jinja_items(jinja *j, jval v);                    /* what a loop goes over, as a list */
jval jinja_member(jinja *j, jval v, jval name);
jval jinja_slice(jinja *j, jval v, const jval part[3]);

/* jinja_words.c */
void jinja_split(jinja *j, const char *source, size_t length);

/* jinja_call.c: what can be called; arguments by place and by name. */
enum { CALL_FILTER = 1, CALL_TEST = 2, CALL_METHOD = 4, CALL_FUNCTION = 8 };
typedef struct jargs {
    jval at[JINJA_ARGS];
    jstr key[JINJA_ARGS];
    size_t n;
} jargs;
bool jinja_knows(int kind, jstr name);
jval jinja_call(jinja *j, int kind, jstr name, jval v, const jargs *given);

#endif
