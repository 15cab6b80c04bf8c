/* alloc.c - a library put before libc's (LD_PRELOAD): the allocation number FAULT_AT fails, and
   with FAULT_ON=1 every one after it, too. When that happened, the file FAULT_MARK exists. SQLite
   tests its memory faults the same way.

       cc -shared -fPIC -o alloc.so alloc.c -ldl
       FAULT_AT=3 FAULT_MARK=hit LD_PRELOAD=./alloc.so PROGRAM ...   fails the third allocation */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *(*real_malloc)(size_t);
static void *(*real_calloc)(size_t, size_t);
static void *(*real_realloc)(void *, size_t);
static long at, count;
static bool on;

/* dlsym may allocate before the real functions are known */
static char early[4096];
static size_t early_used;

static void *early_take(size_t n)
{
    n = (n + 15) & ~(size_t)15;
    if (n > sizeof early - early_used) return NULL;
    early_used += n;
    return early + early_used - n; /* zeroed, as calloc wants it */
}

static void find(void)
{
    static bool finding;
    if (real_realloc || finding) return;
    finding = true;
    *(void **)&real_malloc = dlsym(RTLD_NEXT, "malloc");
    *(void **)&real_calloc = dlsym(RTLD_NEXT, "calloc");
    *(void **)&real_realloc = dlsym(RTLD_NEXT, "realloc");
    at = getenv("FAULT_AT") ? atol(getenv("FAULT_AT")) : 0;
    on = getenv("FAULT_ON") != NULL;
    finding = false;
}

static bool fails(void)
{
    const char *mark = getenv("FAULT_MARK");
    long n = __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
    if (!at || n < at || (n > at && !on)) return false;
    if (n == at && mark) {
        int fd = open(mark, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
        if (fd >= 0) close(fd);
    }
    errno = ENOMEM;
    return true;
}

void *malloc(size_t n)
{
    find();
    if (!real_malloc) return early_take(n);
    return fails() ? NULL : real_malloc(n);
}

void *calloc(size_t n, size_t each)
{
    find();
    if (!real_calloc) return early_take(n * each);
    return fails() ? NULL : real_calloc(n, each);
}

void *realloc(void *old, size_t n)
{
    find();
    if (!real_realloc || ((char *)old >= early && (char *)old < early + sizeof early)) {
        void *to = early_take(n);
        if (to && old) memcpy(to, old, n);
        return to;
    }
    return fails() ? NULL : real_realloc(old, n);
}
