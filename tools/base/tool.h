/* tool.h - what the sub-commands of `synergy` share. C99 and POSIX, libc and libm only.

   How a command is written: a file cmd_NAME.c that defines `const command command_NAME` and is
   listed in main.c. It declares an array of `option`, calls args_parse, works with functions
   that return false and fill a `problem`, and ends with `return tool_fail(&why)` (one line on
   standard error, exit code 1) or 0. Usage errors are exit code 2 and come from args_parse or
   from `return tool_usage(...)`.

   Results go to standard output or to files; notes and progress to standard error. */
#ifndef SYNERGY_TOOL_H
#define SYNERGY_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#if defined(__GNUC__)
#define TOOL_FORMAT(a, b) __attribute__((format(printf, a, b)))
#else
#define TOOL_FORMAT(a, b)
#endif

enum { TOOL_PATH_BYTES = 4096 };

/* ---- problems, notes, memory (base.c) ------------------------------------------------ */

/* Why something failed: one line that names the file, the place and what to do. */
typedef struct problem { char text[1024]; } problem;

bool problem_set(problem *why, const char *format, ...) TOOL_FORMAT(2, 3); /* always false */
bool problem_errno(problem *why, const char *path, const char *doing);     /* + strerror */

/* Prints "synergy NAME: text" on standard error and returns the exit code 1. */
int  tool_fail(const problem *why);
int  tool_fail_text(const char *format, ...) TOOL_FORMAT(1, 2);
/* The same with exit code 2 and a pointer to --help. */
int  tool_usage(const char *format, ...) TOOL_FORMAT(1, 2);
/* A note on standard error (always printed; one line). */
void tool_note(const char *format, ...) TOOL_FORMAT(1, 2);
void        tool_name_set(const char *name);    /* the prefix of the above */
const char *tool_version(void);                 /* "0.1.0" */

/* Zeroed memory; ends the program with one line and exit code 1 when there is none. Sizes are
   multiplied with a check. */
void *tool_alloc(size_t count, size_t bytes_each);
void *tool_realloc(void *old, size_t count, size_t bytes_each);
char *tool_copy(const char *text);

/* SplitMix64 (Steele et al. 2014): 64 bits, and the state moves on. */
uint64_t random_bits(uint64_t *state);

/* Flushes standard output; a full disk or closed pipe is a failure. Returns the exit code. */
int tool_finish_output(void);

/* ---- growing text (base.c) ------------------------------------------------------------ */

typedef struct text { char *at; size_t length, room; } text; /* zero-initialise; NUL-terminated */

void text_add(text *t, const char *s);
void text_add_bytes(text *t, const void *s, size_t n);
void text_print(text *t, const char *format, ...) TOOL_FORMAT(2, 3);
void text_free(text *t);
/* Length of the valid UTF-8 sequence (RFC 3629) at s (n bytes left), 0 when it is not one. */
size_t utf8_length(const unsigned char *s, size_t n);

/* ---- arguments (args.c) --------------------------------------------------------------- */

typedef enum option_kind {
    OPTION_FLAG,   /* bool *: true when given                                  */
    OPTION_NOFLAG, /* bool *: false when given                                 */
    OPTION_TEXT,   /* const char **                                            */
    OPTION_INT,    /* int64_t *, within [min, max]                             */
    OPTION_NUMBER, /* double *, within [min, max], finite                      */
    OPTION_CHOICE, /* int *: index in `meta`, words separated by '|'           */
    OPTION_LIST    /* text_list *: may be given again and again                */
} option_kind;

typedef struct text_list { const char **at; size_t count; } text_list;

typedef struct option {
    const char *name;   /* long name without dashes, or NULL */
    char        letter; /* short name, or 0 */
    option_kind kind;
    const char *meta;   /* name of the value for --help, or the choices "mmi|ccs" */
    const char *help;   /* one phrase */
    void       *to;
    double      min, max; /* of numbers; both 0: no limits */
    bool       *given;  /* may be NULL; set when the option occurs */
} option;

typedef struct command {
    const char *name;
    const char *usage;   /* "NORMS.npy|DIR -o DIR" */
    const char *summary; /* one phrase for the list of commands */
    const char *about;   /* further lines of --help, or NULL */
    int       (*run)(const struct command *self, int argc, char **argv);
} command;

/* Reads argv (argv[0] is the command's name). Operands may stand between options, "--" ends
   the options. `operands` is filled with up to `most`; fewer than `least` or more than `most` is
   a usage error. Returns false when the command should return *code at once: 0 after --help or
   --version, 2 after a usage error. */
bool args_parse(const command *self, const option *options, size_t count, int argc, char **argv,
                const char **operands, size_t least, size_t most, size_t *found, int *code);

/* The options that several commands have: put OPTION_THREADS(&o) etc. into the table. */
#define OPTION_THREADS(to) \
    {"threads", 't', OPTION_INT, "N", "threads (default: all cores)", (to), 1, 256, NULL}
#define OPTION_EXACT(to) \
    {"exact", 0, OPTION_FLAG, NULL, "exact arithmetic, not int8 activations", (to), 0, 0, NULL}
#define OPTION_SEED(to) \
    {"seed", 0, OPTION_INT, "N", "seed of everything random (default 1)", (to), 0, 9e15, NULL}
#define OPTION_CONTEXT(to) \
    {"context", 'c', OPTION_INT, "N", "context length in tokens", (to), 1, 1 << 24, NULL}
#define OPTION_JSON(to) {"json", 0, OPTION_FLAG, NULL, "print JSON", (to), 0, 0, NULL}
#define OPTION_OUT(to) {"output", 'o', OPTION_TEXT, "DIR", "where results go", (to), 0, 0, NULL}
#define OPTION_FORCE(to) \
    {"force", 0, OPTION_FLAG, NULL, "replace results of another model or settings", (to), 0, 0, NULL}
#define OPTION_COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* ---- files (file.c) ------------------------------------------------------------------- */

/* A file mapped read-only (an empty file has bytes NULL, size 0). Directories, devices and
   missing files are named in the problem. */
typedef struct file_view { const unsigned char *bytes; size_t size; } file_view;
bool file_map(file_view *view, const char *path, problem *why);
void file_unmap(file_view *view);

/* A file being written beside its name as NAME.part; file_commit flushes, syncs and renames.
   Whatever happens before that leaves the old file as it was. Writes through `stream`. */
typedef struct file_out {
    FILE *stream;
    char  path[TOOL_PATH_BYTES], part[TOOL_PATH_BYTES];
} file_out;
bool file_begin(file_out *out, const char *path, problem *why);
bool file_commit(file_out *out, problem *why);
void file_abandon(file_out *out); /* removes NAME.part; harmless after file_commit */
bool file_write(const char *path, const void *bytes, size_t count, problem *why);

bool path_is_directory(const char *path);
bool path_is_file(const char *path); /* a regular file, links followed */
bool path_exists(const char *path);
const char *path_base(const char *path); /* what follows the last '/' */
bool path_join(char *to, const char *directory, const char *name, problem *why);
bool directory_make(const char *path, problem *why); /* with its parents */
/* A single output file: refuses a directory, and an existing file unless force. */
bool output_file_check(const char *path, bool force, problem *why);

/* ---- numpy files (npy.c) -------------------------------------------------------------- */

enum { NPY_DIMS = 8 };
typedef enum npy_type {
    NPY_F16, NPY_F32, NPY_F64, NPY_I8, NPY_I16, NPY_I32, NPY_I64, NPY_U8, NPY_U16, NPY_U32,
    NPY_U64, NPY_BOOL, NPY_TYPES
} npy_type;

/* An array mapped from a file, versions 1 to 3, either byte order, C or Fortran order. */
typedef struct npy {
    npy_type  type;
    bool      fortran, big_endian;
    int       dims;              /* 0 for a scalar */
    uint64_t  shape[NPY_DIMS];   /* slowest dimension of C order first */
    uint64_t  count;             /* elements */
    size_t    element_bytes;
    const unsigned char *data;
    file_view view;
} npy;

bool npy_open(npy *a, const char *path, problem *why);
void npy_close(npy *a);
const char *npy_type_text(npy_type type);                /* "float32" */
void npy_shape_text(const npy *a, char *to, size_t room); /* "(60, 100, 30, 9)" */
bool npy_is_float(const npy *a);
/* Elements first .. first + n - 1, counted in C order whatever the file's order. */
void npy_doubles(const npy *a, uint64_t first, uint64_t n, double *to);
void npy_floats(const npy *a, uint64_t first, uint64_t n, float *to);
/* One element of an integer array (u64 above int64's range is cut). */
int64_t npy_int(const npy *a, uint64_t index);

/* Writes little-endian C order, version 1.0. `data` is in the machine's order. */
bool npy_write(const char *path, npy_type type, int dims, const uint64_t *shape, const void *data,
               problem *why);
/* The same in pieces: begin, add as often as needed, end (checks that the count is right). */
typedef struct npy_out { file_out file; npy_type type; uint64_t wanted, written; } npy_out;
bool npy_begin(npy_out *out, const char *path, npy_type type, int dims, const uint64_t *shape,
               problem *why);
bool npy_add(npy_out *out, const void *data, uint64_t elements, problem *why);
bool npy_end(npy_out *out, problem *why);
void npy_abandon(npy_out *out);

/* ---- JSON (json.c) -------------------------------------------------------------------- */

/* Writer. `key` is NULL inside arrays. Numbers have 17 significant digits where needed; a
   number that is not finite is written as null. Invalid UTF-8 becomes U+FFFD. */
typedef struct json_out {
    text to;
    int  depth;
    bool comma;
    unsigned inline_bits; /* bit d: the container at depth d stays on one line */
} json_out;
void json_object(json_out *j, const char *key);       /* one member a line */
void json_array(json_out *j, const char *key);
void json_array_inline(json_out *j, const char *key); /* all on one line */
void json_object_inline(json_out *j, const char *key);
void json_object_end(json_out *j);
void json_array_end(json_out *j);
void json_text(json_out *j, const char *key, const char *value);
void json_text_bytes(json_out *j, const char *key, const void *value, size_t n);
void json_number(json_out *j, const char *key, double value);
void json_int(json_out *j, const char *key, int64_t value);
void json_bool(json_out *j, const char *key, bool value);
void json_null(json_out *j, const char *key);
bool json_write(json_out *j, const char *path, problem *why); /* adds a newline, frees */
void json_print(json_out *j, FILE *to);                       /* adds a newline, frees */

/* The shortest of %.15g, %.16g, %.17g that reads back as the same double. */
void number_text(double value, char to[32]);

/* Reader: strict JSON (RFC 8259) to a tree. */
typedef enum json_kind {
    JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_TEXT, JSON_ARRAY, JSON_OBJECT
} json_kind;
typedef struct json {
    json_kind    kind;
    double       number;
    const char  *text;   /* UTF-8, NUL-terminated; of JSON_TEXT, and of numbers as written */
    const char  *key;    /* in an object, else NULL */
    size_t       count;  /* children */
    struct json *child, *next;
} json;
typedef struct json_file { json *root; void *blocks; } json_file;
bool json_parse(json_file *f, const char *bytes, size_t count, const char *name, problem *why);
bool json_read(json_file *f, const char *path, problem *why);
void json_free(json_file *f);
/* Lookups are tolerant: a NULL object, a missing key or another kind gives the default. */
const json *json_get(const json *object, const char *key);
const json *json_at(const json *object, const char *dotted_path); /* "model.name" */
const char *json_text_of(const json *object, const char *key, const char *otherwise);
double      json_number_of(const json *object, const char *key, double otherwise);
bool        json_bool_of(const json *object, const char *key, bool otherwise);
/* The first key of `ours` whose flat value differs in `theirs` or is not there; NULL: none. */
const char *json_difference(const json *ours, const json *theirs);
/* Writes a value that was read, as this writer writes it: numbers as they stood, arrays of numbers
   on one line. */
void json_copy(json_out *j, const char *key, const json *value);

/* ---- CSV (csv.c) ---------------------------------------------------------------------- */

/* A comma stands before every cell of a row but the first. */
void csv_text(text *t, const char *cell);   /* quoted where needed */
void csv_number(text *t, double value);     /* round-trips; not finite: an empty cell */
void csv_int(text *t, int64_t value);
void csv_empty(text *t);
void csv_end_row(text *t);

typedef struct csv {
    size_t       columns, rows; /* rows without the header */
    const char **head;          /* [columns] */
    const char **cell;          /* [rows][columns] */
    size_t      *line;          /* [rows]: where it begins in the file, from 1 */
    size_t       head_line;
    size_t       empty_lines, empty_line; /* between rows: how many, and the first of them */
    char        *bytes;
} csv;
bool csv_read(csv *c, const char *path, problem *why);
/* The same of bytes that become the table's (one more than `size`, from csv_bytes or malloc). */
typedef struct csv_form {
    size_t from, first_line; /* where the header begins */
    char   separator;        /* ' ': any run of blanks */
} csv_form;
bool  csv_parse(csv *c, char *bytes, size_t size, const csv_form *form, const char *path,
                problem *why);
char *csv_bytes(const char *path, size_t *size, problem *why); /* a copy with room for one more */
void csv_free(csv *c);
int  csv_column(const csv *c, const char *name); /* -1: none */
const char *csv_cell(const csv *c, size_t row, int column); /* "" when column is -1 */
/* An empty cell is NaN; false when a cell is not a number. */
bool csv_double(const char *cell, double *value);

/* ---- tables of numbers (table.c) ------------------------------------------------------- */

/* Delimited text by content: comma, semicolon, tab, bar or blanks (or as a line "sep=;" says), any
   line end, quotes, a BOM; UTF-8, else Latin-1 (code page 1252), which is made UTF-8. What is no
   text (UTF-16, archives) is named. */
typedef struct text_table {
    csv  cells;
    char separator, mark; /* mark: the decimal sign, ',' only where it does not separate */
    bool latin1;
} text_table;
bool text_table_read(text_table *t, const char *path, problem *why);
void text_table_free(text_table *t);
/* (columns): clean, none empty, none twice; *twice: the first that was changed for that, + 1. */
char **text_table_names(const text_table *t, size_t *twice);
/* What a cell is; a missing number ("", NA, n/a, nan, null, - ...) has the value NaN. */
typedef enum cell_kind { CELL_NUMBER, CELL_MISSING, CELL_WORDS } cell_kind;
cell_kind cell_number(const char *cell, char mark, double *value);

/* ---- SHA-256 (sha256.c) --------------------------------------------------------------- */

typedef struct sha256 { uint32_t h[8]; uint64_t bytes; unsigned char block[64]; } sha256;
void sha256_begin(sha256 *s);
void sha256_add(sha256 *s, const void *bytes, size_t count);
void sha256_end(sha256 *s, char hex[65]);
void sha256_of(const void *bytes, size_t count, char hex[65]);

/* ---- terminal, clock, machine (term.c) ------------------------------------------------ */

double clock_seconds(void);       /* monotonic */
int    cores_count(void);
bool   term_colours(FILE *stream);  /* a terminal, and NO_COLOR is not set */
bool   term_utf8(void);             /* the locale's character set */
int    term_columns(FILE *stream);  /* 80 when unknown */
void   duration_text(double seconds, char *to, size_t room); /* "3 min 20 s" */
void   bytes_text(double bytes, char *to, size_t room);      /* "12.3 MB" */

/* One line on standard error that is drawn again and again, only when it is a terminal. */
typedef struct progress {
    const char *label;
    double      total, first, last, started;
    bool        shown;
} progress;
void progress_begin(progress *p, const char *label, double total);
/* Work already done by an earlier run does not count for the estimate. */
void progress_skip(progress *p, double done);
void progress_step(progress *p, double done);
void progress_end(progress *p); /* clears the line */

/* A profile over layers as a small bar chart; NaN is a gap. `marks` may be NULL. */
void term_profile(FILE *to, const char *title, const double *value, size_t layers);

#endif
