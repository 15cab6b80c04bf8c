/* alloc.c - a library put before libc's (LD_PRELOAD): the allocation number FAULT_AT fails, and
   with FAULT_ON=1 every one after it, too. When that happened, the file FAULT_MARK exists. SQLite
   tests its memory faults the same way. FAULT_COUNT=FILE: how many there were, at the end.
   FAULT_SHORT=N: the Nth pread of more than a byte gives half of what was asked for; 0: each does.

       cc -shared -fPIC -o alloc.so alloc.c -ldl
       FAULT_AT=3 FAULT_MARK=hit LD_PRELOAD=./alloc.so PROGRAM ...   fails the third allocation */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
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

static void leave_mark(void)
{
    const char *mark = getenv("FAULT_MARK");
    int fd = mark ? open(mark, O_CREAT | O_WRONLY | O_CLOEXEC, 0666) : -1;
    if (fd >= 0) close(fd);
}

static bool fails(void)
{
    long n = __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
    if (!at || n < at || (n > at && !on)) return false;
    if (n == at) leave_mark();
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

__attribute__((destructor)) static void tell_count(void)
{
    const char *name = getenv("FAULT_COUNT");
    char words[32];
    int n = snprintf(words, sizeof words, "%ld\n", count);
    int fd = name ? open(name, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0666) : -1;
    if (fd < 0) return;
    if (write(fd, words, (size_t)n) != n) leave_mark();
    close(fd);
}

/* ---- short reads ------------------------------------------------------------------------ */

static size_t shorter(size_t n)
{
    static long reads;
    const char *which = getenv("FAULT_SHORT");
    if (!which || n < 2) return n;
    long wanted = atol(which), now = __atomic_add_fetch(&reads, 1, __ATOMIC_SEQ_CST);
    if (wanted && now != wanted) return n;
    leave_mark();
    return n / 2;
}

/* programs call the one or the other, by the size of off_t that they were built for */
ssize_t pread(int fd, void *to, size_t n, off_t offset)
{
    static ssize_t (*real)(int, void *, size_t, off_t);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "pread");
    return real(fd, to, shorter(n), offset);
}

ssize_t pread64(int fd, void *to, size_t n, off64_t offset)
{
    static ssize_t (*real)(int, void *, size_t, off64_t);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "pread64");
    return real(fd, to, shorter(n), offset);
}
