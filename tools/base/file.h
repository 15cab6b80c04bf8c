/* file.h - files mapped to be read, files written beside their name and renamed, paths. */
#ifndef SYNERGY_FILE_H
#define SYNERGY_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/problem.h"

enum { TOOL_PATH_BYTES = 4096 };

/* A file mapped read-only (an empty file has bytes NULL, size 0). Directories, devices and
   missing files are named in the problem. */
typedef struct file_view {
    const unsigned char *bytes;
    size_t size;
} file_view;
bool file_map(file_view *view, const char *path, problem *why);
void file_unmap(file_view *view);

/* A file being written beside its name as NAME.part; file_commit flushes, syncs and renames.
   Whatever happens before that leaves the old file as it was. Writes through `stream`. */
typedef struct file_out {
    FILE *stream;
    char *buffer; /* the stream's */
    char path[TOOL_PATH_BYTES], part[TOOL_PATH_BYTES];
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
/* Are they one file or folder, whatever they are called (links, ".."), or would they be if they
   were made? */
bool path_same(const char *a, const char *b);
/* A single output file: refuses a directory, a device, a pipe, an existing file unless force, and a
   folder that cannot be written to, before hours of work. */
bool output_file_check(const char *path, bool force, problem *why);
/* Refuses an output that is an input, and one whose work file (NAME.part) would be. A NULL is
   passed over. */
bool output_not_input(const char *output, const char *input, problem *why);
/* The names in a folder but "." and "..", by their bytes; one that is not there has none. Zero
   before the first use. */
typedef struct folder_names {
    char **at;
    size_t count;
} folder_names;
bool folder_list(folder_names *to, const char *directory, problem *why);
void folder_list_free(folder_names *names);
/* Makes the folder, and tries whether a file can be written there. */
bool directory_writable(const char *path, problem *why);

#endif
