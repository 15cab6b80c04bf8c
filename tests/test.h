/* test.h - the harness of every tests/test_*.c; C99 and C++17.

   TEST(name) { CHECK(...); }      a test passes when it checks something and nothing fails
   TEST_MAIN("section")            at the end of the file: runs all, prints `N passed, N failed, N
                                   skipped`

   CHECK(cond)  CHECK_STR(a, b)  CHECK_NEAR(a, b, tolerance)  CHECK_OK(status, err)
   CHECK_FAILS(status, SYN_ERROR_X, err)  report one line a failure and go on;
   REQUIRE(cond)  REQUIRE_OK(status, err) also leave the test (void functions only);
   SKIP("why")    leaves the test, which then counts as skipped, not as passed;
   SKIP_PART(n, "what")  goes on without n things: one more that was skipped, unless n is 0.
   The first argument of a test program, when given, selects tests whose name contains it.

   Tests run with the working directory tests/ and read nothing outside of the repository, unless
   SYN_FIXTURES names a folder. test_fixtures() and test_models() are NULL where the larger material
   is not at hand. */
#ifndef TEST_H_INCLUDED
#define TEST_H_INCLUDED

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__GNUC__) || defined(__clang__)
#define TEST_START_ __attribute__((constructor))
#else
#error "test.h registers its tests with a constructor: GCC or Clang"
#endif

enum { TEST_MAX = 512, TEST_LINES_SHOWN = 20 };

typedef struct test_state_ {
    const char *name[TEST_MAX];
    void (*run[TEST_MAX])(void);
    int count;
    const char *now;        /* name of the running test */
    unsigned long checks;   /* in the running test */
    unsigned long failures; /* in the running test */
    int skipped;            /* the running test was left */
    int parts;              /* of tests that ran: what they went without */
} test_state_;

static test_state_ test_;

static inline void test_add_(const char *name, void (*run)(void))
{
    if (test_.count < TEST_MAX) {
        test_.name[test_.count] = name;
        test_.run[test_.count++] = run;
    } else {
        printf("%s: more than %d tests in one file\n", name, (int)TEST_MAX);
        exit(1);
    }
}

#define TEST(name_)                                                                                \
    static void test_run_##name_(void);                                                            \
    static TEST_START_ void test_add_##name_(void);                                                \
    static void test_add_##name_(void)                                                             \
    {                                                                                              \
        test_add_(#name_, test_run_##name_);                                                       \
    }                                                                                              \
    static void test_run_##name_(void)

/* Counts one check; true when the caller should print why it failed. */
static inline int test_count_(int good, const char *file, int line)
{
    test_.checks++;
    if (good) return 0;
    if (++test_.failures > TEST_LINES_SHOWN) return 0;
    printf("%s:%d: %s: ", file, line, test_.now ? test_.now : "?");
    return 1;
}

static inline int test_check_(int good, const char *what, const char *file, int line)
{
    if (test_count_(good, file, line)) printf("%s\n", what);
    return good;
}

static inline int test_near_(double a, double b, double tolerance, const char *what,
                             const char *file, int line)
{
    double off = fabs(a - b);
    int good = off <= tolerance || (isinf(a) && isinf(b) && (a > 0) == (b > 0));
    if (test_count_(good, file, line)) {
        printf("%s: %.17g against %.17g, off by %.3g, allowed %.3g\n", what, a, b, off, tolerance);
    }
    return good;
}

static inline int test_str_(const char *a, const char *b, const char *what, const char *file,
                            int line)
{
    int good = a && b && strcmp(a, b) == 0;
    if (test_count_(good, file, line)) {
        printf("%s: \"%s\" against \"%s\"\n", what, a ? a : "(null)", b ? b : "(null)");
    }
    return good;
}

/* `text` is the error's line; it is shown, must not be empty where a failure is expected, and must
   be where none is. */
static inline int test_status_(int status, int expected, const char *text, const char *what,
                               const char *file, int line)
{
    int good = status == expected && (!text || (text[0] != 0) == (expected != 0));
    if (test_count_(good, file, line)) {
        printf("%s: status %d, expected %d: %s\n", what, status, expected, text ? text : "");
    }
    return good;
}

#define CHECK(cond) ((void)test_check_((cond) ? 1 : 0, #cond, __FILE__, __LINE__))
#define CHECK_NEAR(a, b, tolerance)                                                                \
    ((void)test_near_((double)(a), (double)(b), (double)(tolerance), #a ", " #b, __FILE__,         \
                      __LINE__))
#define CHECK_STR(a, b) ((void)test_str_((a), (b), #a ", " #b, __FILE__, __LINE__))
/* err is a syn_error, not a pointer */
#define CHECK_OK(status, err)                                                                      \
    ((void)test_status_((int)(status), 0, (err).text, #status, __FILE__, __LINE__))
#define CHECK_FAILS(status, expected, err)                                                         \
    ((void)test_status_((int)(status), (int)(expected), (err).text, #status, __FILE__, __LINE__))
#define REQUIRE(cond)                                                                              \
    do {                                                                                           \
        if (!test_check_((cond) ? 1 : 0, #cond, __FILE__, __LINE__)) return;                       \
    } while (0)
#define REQUIRE_OK(status, err)                                                                    \
    do {                                                                                           \
        if (!test_status_((int)(status), 0, (err).text, #status, __FILE__, __LINE__)) return;      \
    } while (0)
#define SKIP(why)                                                                                  \
    do {                                                                                           \
        test_.skipped = 1;                                                                         \
        printf("%s: skipped: %s\n", test_.now ? test_.now : "?", why);                             \
        return;                                                                                    \
    } while (0)

static inline void test_skip_part_(int n, const char *what)
{
    if (!n) return;
    test_.parts++;
    printf("%s: skipped: %d %s\n", test_.now ? test_.now : "?", n, what);
}
#define SKIP_PART(n, what) test_skip_part_((n), what)

/* ------------------------------------------------------------------ where the data is */

enum { TEST_PATH_BYTES = 1024 };
typedef char test_path_buffer[TEST_PATH_BYTES];

/* folder/name into buf (TEST_PATH_BYTES); NULL where it does not fit */
static inline const char *test_join(char *buf, const char *folder, const char *name)
{
    size_t a = strlen(folder), b = strlen(name);
    if (a + b + 2 > TEST_PATH_BYTES) return NULL;
    memcpy(buf, folder, a);
    buf[a] = '/';
    memcpy(buf + a + 1, name, b + 1);
    return buf;
}

/* tests/data/name, e.g. test_path(buf, "types/Q4_0.raw.npy") */
static inline const char *test_path(char *buf, const char *name)
{
    return test_join(buf, "data", name);
}

static inline int test_exists(const char *path)
{
    FILE *f = path ? fopen(path, "rb") : NULL;
    if (f) fclose(f);
    return f != NULL;
}

/* The folder of large fixtures that SYN_FIXTURES names (.ci/run does), or NULL. */
static inline const char *test_fixtures(void)
{
    const char *folder = getenv("SYN_FIXTURES");
    test_path_buffer path;
    return folder && test_exists(test_join(path, folder, "phiid/README.md")) ? folder : NULL;
}

#define TEST_SMOLLM2 "SmolLM2-135M-Instruct.Q4_1.gguf"
#define TEST_GEMMA3 "gemma-3-270m-Q4_K_M.gguf"

/* The folder of real models (tools/fetch_model.sh), or NULL: $SYN_MODELS, else ../tools/models. */
static inline const char *test_models(void)
{
    const char *folder = getenv("SYN_MODELS");
    test_path_buffer a, b;
    if (!folder) folder = "../tools/models";
    return test_exists(test_join(a, folder, TEST_SMOLLM2)) ||
                   test_exists(test_join(b, folder, TEST_GEMMA3))
               ? folder
               : NULL;
}

/* The path of one of them into buf; NULL where it is not at hand. */
static inline const char *test_model_file(char *buf, const char *name)
{
    return test_models() && test_exists(test_join(buf, test_models(), name)) ? buf : NULL;
}

/* Set where the processor is emulated: a test may do less of the same. */
static inline int test_slow_machine(void)
{
    return getenv("SYN_SLOW_MACHINE") != NULL;
}

/* ------------------------------------------------------------------ running */

static inline int test_main_(const char *section, int argc, char **argv)
{
    int passed = 0, failed = 0, skipped = 0;
    setvbuf(stdout, NULL, _IOLBF, 4096);
    for (int i = 0; i < test_.count; i++) {
        if (argc > 1 && !strstr(test_.name[i], argv[1])) continue;
        test_.now = test_.name[i];
        test_.checks = test_.failures = 0;
        test_.skipped = 0;
        test_.run[i]();
        if (test_.failures > TEST_LINES_SHOWN) {
            printf("%s: %lu more failed checks\n", test_.now, test_.failures - TEST_LINES_SHOWN);
        }
        if (!test_.checks && !test_.skipped) printf("%s: checked nothing\n", test_.now);
        if (test_.failures || (!test_.checks && !test_.skipped)) failed++;
        else if (test_.skipped) skipped++;
        else passed++;
    }
    printf("%s: %d passed, %d failed, %d skipped\n", section, passed, failed,
           skipped + test_.parts);
    return failed ? 1 : 0;
}

#define TEST_MAIN(section)                                                                         \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        return test_main_(section, argc, argv);                                                    \
    }

#endif
