/* file.c - mapped input, output that is whole or not there, folders. */
#include "base/file.h"
#include "base/stop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- input ---------------------------------------------------------------------------- */

static bool map_descriptor(file_view *view, int fd, const char *path, problem *why)
{
    struct stat s;
    if (fstat(fd, &s) != 0) return problem_errno(why, path, "cannot look at it");
    if (S_ISDIR(s.st_mode)) return problem_set(why, "%s: is a directory, not a file", path);
    if (!S_ISREG(s.st_mode)) return problem_set(why, "%s: is not a regular file", path);
    if ((uint64_t)s.st_size > (uint64_t)SIZE_MAX)
        return problem_set(why, "%s: too large to map on this machine", path);
    view->size = (size_t)s.st_size;
    if (view->size == 0) return true;
    void *at = mmap(NULL, view->size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (at == MAP_FAILED) return problem_errno(why, path, "cannot map it");
    view->bytes = at;
    stop_reads(view->bytes, view->size, path);
    return true;
}

bool file_map(file_view *view, const char *path, problem *why)
{
    view->bytes = NULL;
    view->size = 0;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* a FIFO must not block us */
    if (fd < 0) return problem_errno(why, path, "cannot open it");
    bool good = map_descriptor(view, fd, path, why);
    close(fd);
    return good;
}

void file_unmap(file_view *view)
{
    if (view->bytes) stop_reads_no_more(view->bytes);
    if (view->bytes) munmap((void *)(uintptr_t)view->bytes, view->size);
    view->bytes = NULL;
    view->size = 0;
}

/* ---- output --------------------------------------------------------------------------- */

/* Models are written in small pieces: few calls of the system, each of many bytes. Without memory
   for it libc's own buffer does. */
static void give_buffer(file_out *out)
{
    enum { BYTES = 1 << 18 };
    out->buffer = malloc(BYTES);
    if (out->buffer) setvbuf(out->stream, out->buffer, _IOFBF, BYTES);
}

/* Closes the stream; its buffer was in use until then. */
static bool close_stream(file_out *out)
{
    const bool good = fclose(out->stream) == 0;
    out->stream = NULL;
    free(out->buffer);
    out->buffer = NULL;
    return good;
}

/* What is renamed takes the place of what stood there: it must have been a file. Without this root
   turns /dev/null into one; opening a pipe without a reader would wait for ever. */
static bool replaceable(const char *path, problem *why)
{
    struct stat s;
    if (stat(path, &s) != 0 || S_ISREG(s.st_mode)) return true;
    if (S_ISDIR(s.st_mode)) return problem_set(why, "%s: is a directory", path);
    return problem_set(why, "%s: is a device or a pipe, and a result is a file", path);
}

bool file_begin(file_out *out, const char *path, problem *why)
{
    out->stream = NULL;
    out->buffer = NULL;
    int n = snprintf(out->path, sizeof out->path, "%s", path);
    int m = snprintf(out->part, sizeof out->part, "%s.part", path);
    if (n < 0 || m < 0 || (size_t)m >= sizeof out->part)
        return problem_set(why, "%.200s...: the path is too long", path);
    if (!replaceable(path, why) || !replaceable(out->part, why)) return false;
    out->stream = fopen(out->part, "wb");
    if (!out->stream) return problem_errno(why, out->part, "cannot write");
    stop_removes(out->part);
    give_buffer(out);
    return true;
}

/* After a power cut the rename may be known while the bytes are not: sync the bytes first. */
bool file_commit(file_out *out, problem *why)
{
    bool good = fflush(out->stream) == 0 && !ferror(out->stream);
    /* some file systems and devices cannot sync; that is no failure to write */
    good = good && (fsync(fileno(out->stream)) == 0 || errno == EINVAL || errno == ENOSYS);
    if (!good) problem_errno(why, out->path, "cannot write");
    if (!close_stream(out) && good) good = problem_errno(why, out->path, "cannot write");
    if (good && rename(out->part, out->path) != 0)
        good = problem_errno(why, out->path, "cannot rename to it");
    if (!good) unlink(out->part);
    stop_spares(out->part);
    return good;
}

void file_abandon(file_out *out)
{
    if (!out->stream) return;
    close_stream(out);
    unlink(out->part);
    stop_spares(out->part);
}

bool file_write(const char *path, const void *bytes, size_t count, problem *why)
{
    file_out out;
    if (!file_begin(&out, path, why)) return false;
    if (count) fwrite(bytes, 1, count, out.stream); /* an error stays with the stream */
    return file_commit(&out, why);
}

/* ---- paths ---------------------------------------------------------------------------- */

/* True where there is something. What is not there is an answer; what cannot be looked at (no
   permission on a folder, a failing disk) must not pass for it, since a result would silently lack
   a part: it ends the program. */
static bool look(const char *path, bool follow, struct stat *s)
{
    if ((follow ? stat(path, s) : lstat(path, s)) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG || errno == ELOOP)
        return false;
    exit(tool_fail_text("%s: cannot look at it: %s", path, strerror(errno)));
}

bool path_is_directory(const char *path)
{
    struct stat s;
    return look(path, true, &s) && S_ISDIR(s.st_mode);
}

bool path_is_file(const char *path)
{
    struct stat s;
    return look(path, true, &s) && S_ISREG(s.st_mode);
}

bool path_exists(const char *path)
{
    struct stat s;
    return look(path, false, &s);
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

bool folder_list(folder_names *to, const char *directory, problem *why)
{
    DIR *d = opendir(directory);
    if (!d) return errno == ENOENT || problem_errno(why, directory, "cannot read");
    struct dirent *e;
    for (errno = 0; (e = readdir(d)) != NULL; errno = 0) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
        to->at = tool_realloc(to->at, to->count + 1, sizeof *to->at);
        to->at[to->count++] = tool_copy(e->d_name);
    }
    const bool good = !errno || problem_errno(why, directory, "cannot read");
    closedir(d);
    if (to->count) qsort(to->at, to->count, sizeof *to->at, by_bytes);
    return good;
}

void folder_list_free(folder_names *names)
{
    for (size_t i = 0; i < names->count; i++) free(names->at[i]);
    free(names->at);
    *names = (folder_names){NULL, 0};
}

const char *path_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool path_join(char *to, const char *directory, const char *name, problem *why)
{
    size_t n = strlen(directory);
    const char *between = n && directory[n - 1] == '/' ? "" : "/";
    int m = snprintf(to, TOOL_PATH_BYTES, "%s%s%s", directory, between, name);
    if (m < 0 || m >= TOOL_PATH_BYTES - 8)
        return problem_set(why, "%.200s...: the path is too long", directory);
    return true;
}

bool directory_make(const char *path, problem *why)
{
    char so_far[TOOL_PATH_BYTES];
    size_t n = strlen(path);
    if (n == 0) return problem_set(why, "the name of the output folder is empty");
    if (n >= sizeof so_far) return problem_set(why, "%.200s...: the path is too long", path);
    for (size_t i = 1; i <= n; i++) {
        if (path[i] != '/' && path[i] != '\0') continue;
        memcpy(so_far, path, i);
        so_far[i] = '\0';
        if (mkdir(so_far, 0777) == 0) continue;
        const int reason = errno; /* of mkdir, not of the looks that follow */
        if (path_is_directory(so_far)) continue;
        if (path_exists(so_far)) return problem_set(why, "%s: is a file, not a folder", so_far);
        errno = reason;
        return problem_errno(why, so_far, "cannot make the folder");
    }
    return true;
}

/* The permissions of a folder do not tell all: a file system may be read-only, or full. */
static bool try_to_write(const char *folder, problem *why)
{
    char path[TOOL_PATH_BYTES], name[48];
    snprintf(name, sizeof name, ".synergy-%ld.part", (long)getpid());
    if (!path_join(path, folder, name, why)) return false;
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) return problem_errno(why, folder, "cannot write there");
    close(fd);
    unlink(path);
    return true;
}

static bool folder_of(const char *path, char to[TOOL_PATH_BYTES])
{
    const size_t n = (size_t)(path_base(path) - path);
    if (n >= TOOL_PATH_BYTES) return false;
    memcpy(to, n ? path : ".", n ? n : 1);
    to[n ? n : 1] = '\0';
    return true;
}

bool output_file_check(const char *path, bool force, problem *why)
{
    if (!replaceable(path, why)) return false;
    if (!force && path_exists(path))
        return problem_set(why, "%s: exists already (--force replaces it)", path);
    char folder[TOOL_PATH_BYTES];
    if (!folder_of(path, folder)) return problem_set(why, "%.200s...: the path is too long", path);
    return try_to_write(folder, why);
}

bool directory_writable(const char *path, problem *why)
{
    return directory_make(path, why) && try_to_write(path, why);
}

static bool same_place(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

bool path_same(const char *a, const char *b)
{
    char x[TOOL_PATH_BYTES], y[TOOL_PATH_BYTES];
    struct stat s;
    if (stat(a, &s) == 0 || stat(b, &s) == 0) return same_place(a, b);
    return !strcmp(path_base(a), path_base(b)) && folder_of(a, x) && folder_of(b, y) &&
           same_place(x, y);
}

bool output_not_input(const char *output, const char *input, problem *why)
{
    char part[TOOL_PATH_BYTES];
    if (!output || !input) return true;
    const int n = snprintf(part, sizeof part, "%s.part", output);
    if (path_same(output, input) || !strcmp(output, input))
        return problem_set(why, "%s: is the input %s: a result must have another name", output,
                           input);
    if (n > 0 && (size_t)n < sizeof part && path_same(part, input))
        return problem_set(why, "%s: its work file %s is the input %s", output, part, input);
    return true;
}
