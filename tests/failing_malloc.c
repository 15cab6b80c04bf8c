/* failing_malloc.c - malloc and calloc for a program that was compiled with -Dmalloc=test_malloc
   -Dcalloc=test_calloc: call number $FAIL_AT (from 1) gives NULL, the others memory. Exit code 77
   where there are not so many calls. */
#undef malloc
#undef calloc
#include <stdlib.h>

void *test_malloc(size_t bytes);
void *test_calloc(size_t count, size_t bytes);

static long calls, fail_at = -1;

static void at_end(void)
{
    if (calls < fail_at) _Exit(77);
}

static int fails(void)
{
    if (fail_at < 0) {
        const char *text = getenv("FAIL_AT");
        fail_at = text ? atol(text) : 0;
        atexit(at_end);
    }
    return ++calls == fail_at;
}

void *test_malloc(size_t bytes)
{
    return fails() ? NULL : malloc(bytes);
}

void *test_calloc(size_t count, size_t bytes)
{
    return fails() ? NULL : calloc(count, bytes);
}
