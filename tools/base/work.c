/* work.c - the log of finished pieces.

   A line of JSON (the settings, on one line), then records: key and size (64 bits each,
   little-endian), the bytes, a checksum over all of it (32 bits). Each is flushed when it is whole,
   and synced about once a second; what a power cut or a kill leaves behind the last good record is
   cut off. */
#include "base/work.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <unistd.h>

enum { HEAD = 16, TAIL = 4 };

static int logs_open; /* of works within works the outermost has the word */

/* ---- settings ------------------------------------------------------------------------- */

static void value_text(const json *v, text *to)
{
    if (v->kind == JSON_TEXT || v->kind == JSON_NUMBER) text_print(to, "%.60s", v->text);
    else text_add(to, v->kind == JSON_TRUE ? "yes" : v->kind == JSON_FALSE ? "no" : "none");
}

static const setting_word *word_of(const char *key, const setting_word *words)
{
    static const setting_word silent = {"", NULL};
    if (!strncmp(key, "identity", 8)) return &silent;
    while (words && words->key && strcmp(words->key, key)) words++;
    return words && words->key ? words : NULL;
}

static void say_key(const char *key, const setting_word *word, text *to)
{
    if (to->length) text_add(to, "; ");
    if (word) text_add(to, word->word);
    else
        for (; *key; key++) text_add_bytes(to, *key == '_' ? " " : key, 1);
}

static void say_values(const json *theirs, const json *ours, text *to)
{
    if (ours->kind == JSON_ARRAY || theirs->kind == JSON_ARRAY) {
        text_add(to, " others there");
        return;
    }
    text_add(to, " ");
    value_text(theirs, to);
    text_add(to, " there, ");
    value_text(ours, to);
    text_add(to, " here");
}

/* Two models are one when their bytes are: names and counts follow from these. */
static bool is_model(const json *v)
{
    return v->kind == JSON_OBJECT && !strcmp(v->key, "model") && *json_text_of(v, "sha256", "");
}

static void say_models(const json *theirs, const json *ours, text *to)
{
    const char *a = json_text_of(theirs, "file", "another model"),
               *b = json_text_of(ours, "file", "this one");
    if (to->length) text_add(to, "; ");
    if (strcmp(a, b)) text_print(to, "model %.80s there, %.80s here", a, b);
    else
        text_print(to, "model %.80s of sha256 %.12s... there, %.12s... here", a,
                   json_text_of(theirs, "sha256", ""), json_text_of(ours, "sha256", ""));
}

bool settings_differ(const json *ours, const json *theirs, const setting_word *words, text *to)
{
    const size_t before = to->length;
    for (const json *c = ours ? ours->child : NULL; c; c = c->next) {
        const json *other = json_get(theirs, c->key);
        if (!other) continue;
        if (is_model(c) && is_model(other)) {
            if (strcmp(json_text_of(c, "sha256", ""), json_text_of(other, "sha256", "")))
                say_models(other, c, to);
        } else if (c->kind == JSON_OBJECT && other->kind == JSON_OBJECT) {
            settings_differ(c, other, words, to);
        } else if (!json_equal(c, other)) {
            const setting_word *word = word_of(c->key, words);
            if (word && !word->word) continue;
            say_key(c->key, word, to);
            say_values(other, c, to);
        }
    }
    return to->length > before;
}

bool settings_same(json_out *ours, const json *theirs, const setting_word *words, const char *path,
                   problem *why)
{
    json_file parsed;
    text how = {NULL, 0, 0};
    bool good = json_parse(&parsed, ours->to.at, ours->to.length, "settings", why);
    text_free(&ours->to);
    if (!good) return false;
    const json *settings = json_get(parsed.root, "settings");
    const char *key = json_difference(settings, theirs);
    if (key) {
        /* a key that an older version did not write has no value to tell */
        if (!settings_differ(settings, theirs, words, &how)) text_print(&how, "another %s", key);
        good = problem_set(why, "%s: was made with other settings: %s (--force replaces it)", path,
                           how.at);
    }
    text_free(&how);
    json_free(&parsed);
    return good;
}

/* ---- may it be done here? ------------------------------------------------------------- */

static bool refuse(const work_desc *d, const json *theirs, const char *path, problem *why)
{
    json_file ours;
    problem ignored;
    text how = {NULL, 0, 0};
    if (json_parse(&ours, d->settings, strlen(d->settings), "settings", &ignored)) {
        if (!settings_differ(ours.root, theirs, d->words, &how))
            text_add(&how, "other texts, or another version");
        json_free(&ours);
    }
    problem_set(why, "%s: was made with other settings: %s (--force replaces it)", path,
                how.at ? how.at : "unknown");
    text_free(&how);
    return false;
}

typedef enum state { NOTHING, SAME, OTHER, FOREIGN } state;

static state of_finished(const work_desc *d, char path[TOOL_PATH_BYTES], json_file *f)
{
    problem ignored;
    memset(f, 0, sizeof *f);
    if (!d->finished || !path_join(path, d->directory, d->finished, &ignored) || !path_exists(path))
        return NOTHING;
    if (!json_read(f, path, &ignored)) return FOREIGN;
    const char *whole = json_text_of(f->root, "identity", "");
    return strcmp(json_text_of(f->root, "identity_of_part", whole), d->identity) ? OTHER : SAME;
}

/* The line of settings at the head of a log. NOTHING: it was cut off, so that no piece follows;
   FOREIGN: no log of ours, or one of an older version. */
static state read_head(FILE *log, text *line)
{
    int c = EOF;
    while (line->length < (1u << 20) && (c = getc(log)) != EOF && c != '\n') {
        const char byte = (char)c;
        text_add_bytes(line, &byte, 1);
    }
    if (line->length && line->at[0] != '{') return FOREIGN;
    return c == '\n' ? SAME : c == EOF ? NOTHING : FOREIGN;
}

static state of_log(const work_desc *d, FILE *log, json_file *f)
{
    text line = {NULL, 0, 0};
    problem ignored;
    memset(f, 0, sizeof *f);
    state s = read_head(log, &line);
    if (s == SAME && !json_parse(f, line.at, line.length, d->file, &ignored)) s = FOREIGN;
    if (s == SAME && strcmp(json_text_of(f->root, "identity", ""), d->identity)) s = OTHER;
    text_free(&line);
    return s;
}

static bool refuse_foreign(const char *path, problem *why)
{
    return problem_set(why, "%s: was not made by this version of the program (--force replaces it)",
                       path);
}

static bool check_log(const work_desc *d, problem *why)
{
    char path[TOOL_PATH_BYTES];
    json_file theirs;
    if (!path_join(path, d->directory, d->file, why)) return false;
    FILE *log = fopen(path, "rb");
    if (!log) return true;
    const state s = of_log(d, log, &theirs);
    fclose(log);
    const bool good = s == NOTHING || s == SAME ||
                      (s == OTHER ? refuse(d, theirs.root, path, why) : refuse_foreign(path, why));
    json_free(&theirs);
    return good;
}

bool work_check(const work_desc *d, problem *why)
{
    char path[TOOL_PATH_BYTES];
    json_file theirs;
    if (d->force) return true;
    const state s = of_finished(d, path, &theirs);
    const bool good = s == NOTHING || s == SAME ||
                      (s == OTHER ? refuse(d, theirs.root, path, why) : refuse_foreign(path, why));
    json_free(&theirs);
    return good && check_log(d, why);
}

/* ---- records -------------------------------------------------------------------------- */

static void put_bytes(unsigned char *to, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++) to[i] = (unsigned char)(value >> (8 * i));
}

static uint64_t get_bytes(const unsigned char *from, int bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++) value |= (uint64_t)from[i] << (8 * i);
    return value;
}

/* FNV-1a, 64 bits folded to 32 (Fowler, Noll, Vo 1991). */
static uint32_t checksum(const unsigned char *head, const void *bytes, size_t count)
{
    const unsigned char *b = bytes;
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < HEAD; i++) h = (h ^ head[i]) * UINT64_C(0x100000001b3);
    for (size_t i = 0; i < count; i++) h = (h ^ b[i]) * UINT64_C(0x100000001b3);
    return (uint32_t)(h ^ h >> 32);
}

static void remember(work *w, size_t key, uint64_t at)
{
    if (key >= w->keys) {
        const size_t room = key + key / 2 + 64;
        w->at = tool_realloc(w->at, room, sizeof *w->at);
        memset(w->at + w->keys, 0, (room - w->keys) * sizeof *w->at);
        w->keys = room;
    }
    const size_t from = w->desc.begun_from, other = from && key < from ? from + key : key - from;
    const bool known = w->at[key] != 0, paired = from && other < w->keys && w->at[other];
    w->at[key] = at;
    if (known) return;
    if (from && key >= from) w->begun += !paired;
    else w->done++;
    if (from && key < from && paired) w->begun--;
}

/* Reads the record at the log's place; false when it is not whole. */
static bool read_record(FILE *log, uint64_t *key, text *to)
{
    unsigned char head[HEAD], tail[TAIL];
    if (fread(head, 1, HEAD, log) != HEAD) return false;
    *key = get_bytes(head, 8);
    const uint64_t size = get_bytes(head + 8, 8);
    if (*key > UINT32_MAX || size > SIZE_MAX / 4) return false;
    to->length = 0;
    for (uint64_t left = size;
         left;) { /* in pieces: a size that is wrong must not take all memory */
        char piece[16384];
        const size_t n = left < sizeof piece ? (size_t)left : sizeof piece;
        if (fread(piece, 1, n, log) != n) return false;
        text_add_bytes(to, piece, n);
        left -= n;
    }
    return fread(tail, 1, TAIL, log) == TAIL &&
           checksum(head, to->at, (size_t)size) == get_bytes(tail, TAIL);
}

/* Takes what is whole and cuts off the rest. */
static bool take_records(work *w, problem *why)
{
    text piece = {NULL, 0, 0};
    uint64_t key;
    w->end = (uint64_t)ftello(w->log);
    while (read_record(w->log, &key, &piece)) {
        remember(w, (size_t)key, w->end);
        w->end = (uint64_t)ftello(w->log);
    }
    text_free(&piece);
    if (!fseeko(w->log, (off_t)w->end, SEEK_SET) && !ftruncate(fileno(w->log), (off_t)w->end))
        return true;
    return problem_errno(why, w->path, "cannot go on in");
}

/* ---- a state -------------------------------------------------------------------------- */

static uint64_t slot_at(const work *w, int slot)
{
    return w->end + (uint64_t)slot * (HEAD + (uint64_t)w->desc.state_bytes + TAIL);
}

/* Finds the newest state that is whole: the one of which most is done. */
static bool take_states(work *w)
{
    text bytes = {NULL, 0, 0};
    uint64_t done;
    w->end = (uint64_t)ftello(w->log);
    w->slot = 0;
    w->done = 0;
    for (int slot = 0; slot < 2; slot++)
        if (!fseeko(w->log, (off_t)slot_at(w, slot), SEEK_SET) &&
            read_record(w->log, &done, &bytes) && bytes.length == w->desc.state_bytes &&
            done > w->done) {
            w->done = (size_t)done;
            w->slot = !slot;
        }
    text_free(&bytes);
    return true;
}

static bool take_all(work *w, problem *why)
{
    return w->desc.state_bytes ? take_states(w) : take_records(w, why);
}

/* ---- the log -------------------------------------------------------------------------- */

static void tell(const work *w)
{
    const work_desc *d = &w->desc;
    if (w->depth > 1) return;
    const char *where = d->in_passing ? w->path : d->directory;
    if (d->in_passing) stop_spares(w->path);
    if (d->in_passing && !w->done) stop_removes(w->path); /* nothing is worth a file */
    if (!w->log) stop_keeps(NULL);
    else if (w->begun && w->done)
        stop_keeps("%zu of %zu %s and %zu under way are kept in %s", w->done, d->total, d->pieces,
                   w->begun, where);
    else if (w->begun)
        stop_keeps("none of %zu %s was finished, %zu under way are kept in %s", d->total, d->pieces,
                   w->begun, where);
    else if (w->done)
        stop_keeps("%zu of %zu %s are kept in %s", w->done, d->total, d->pieces, where);
    else stop_keeps("none of %zu %s was finished", d->total, d->pieces);
}

/* Two processes in one log would spoil it. */
static bool lock(FILE *file, const char *path, problem *why)
{
    struct flock l;
    memset(&l, 0, sizeof l);
    l.l_type = F_WRLCK;
    l.l_whence = SEEK_SET;
    if (fcntl(fileno(file), F_SETLK, &l) == 0 || (errno != EACCES && errno != EAGAIN)) return true;
    return problem_set(why, "%s: another process is at work on it", path);
}

bool work_hold_folder(work_hold *h, const char *directory, const char *file, problem *why)
{
    if (!path_join(h->path, directory, file, why)) return false;
    h->file = fopen(h->path, "ab");
    if (!h->file) return problem_errno(why, h->path, "cannot write");
    if (lock(h->file, h->path, why)) {
        stop_removes(h->path);
        return true;
    }
    fclose(h->file);
    h->file = NULL;
    return false;
}

void work_let_go(work_hold *h)
{
    if (!h->file) return;
    remove(h->path);
    stop_spares(h->path);
    fclose(h->file);
    h->file = NULL;
}

/* The settings on one line: as they are, without line ends and what stands before a key. */
static bool write_head(work *w, problem *why)
{
    text line = {NULL, 0, 0};
    text_print(&line, "{\"identity\": \"%s\", ", w->desc.identity);
    const char *s = strchr(w->desc.settings, '{');
    for (s = s ? s + 1 : "}"; *s; s++)
        if (*s != '\n') text_add_bytes(&line, s, 1);
    text_add(&line, "\n");
    const bool good = !fseeko(w->log, 0, SEEK_SET) && !ftruncate(fileno(w->log), 0) &&
                      fwrite(line.at, 1, line.length, w->log) == line.length && !fflush(w->log);
    w->end = line.length;
    text_free(&line);
    return good || problem_errno(why, w->path, "cannot write");
}

/* How many pieces a log holds that will be thrown away. */
static void say_discarded(work *w, state s)
{
    problem ignored;
    if (s == SAME && take_all(w, &ignored) && w->done)
        tool_note("--fresh: %zu finished %s of %zu in %s are discarded", w->done, w->desc.pieces,
                  w->desc.total, w->path);
    else if (s == OTHER || s == FOREIGN) tool_note("%s, of other settings, is discarded", w->path);
    free(w->at);
    w->at = NULL;
    w->keys = w->done = w->begun = 0;
    w->slot = 0;
}

static bool open_log(work *w, problem *why)
{
    json_file theirs;
    if (!path_join(w->path, w->desc.directory, w->desc.file, why)) return false;
    w->log = fopen(w->path, "r+b");
    if (!w->log) w->log = fopen(w->path, "w+b");
    if (!w->log && w->desc.in_passing) {
        tool_note("%s cannot be written: a stop would lose the work", w->path);
        return true;
    }
    if (!w->log) return problem_errno(why, w->path, "cannot write");
    if (!lock(w->log, w->path, why)) return false;
    const state s = of_log(&w->desc, w->log, &theirs);
    json_free(&theirs);
    if (s == SAME && !w->desc.fresh) {
        if (!take_all(w, why)) return false;
        if (w->begun)
            tool_note("going on: %zu of %zu %s and %zu under way are in %s", w->done, w->desc.total,
                      w->desc.pieces, w->begun, w->path);
        else if (w->done)
            tool_note("going on: %zu of %zu %s are in %s", w->done, w->desc.total, w->desc.pieces,
                      w->path);
        return true;
    }
    if (s != NOTHING) say_discarded(w, s);
    return write_head(w, why);
}

static bool is_finished(const work_desc *desc)
{
    char path[TOOL_PATH_BYTES];
    json_file theirs;
    problem ignored;
    const state s = of_finished(desc, path, &theirs);
    json_free(&theirs);
    return s == SAME && path_join(path, desc->directory, desc->result, &ignored) &&
           path_is_file(path);
}

bool work_is_complete(const work_desc *desc)
{
    char path[TOOL_PATH_BYTES];
    problem ignored;
    return !desc->fresh && path_join(path, desc->directory, desc->file, &ignored) &&
           !path_exists(path) && is_finished(desc);
}

bool work_open(work *w, const work_desc *desc, problem *why)
{
    memset(w, 0, sizeof *w);
    w->desc = *desc;
    w->saved = clock_seconds();
    if (!work_check(desc, why) || !directory_make(desc->directory, why)) return false;
    w->complete = work_is_complete(desc);
    if (w->complete) return true;
    if (desc->in_passing && logs_open) return true;
    if (desc->fresh && is_finished(desc))
        tool_note("--fresh: the finished run in %s is made anew", desc->directory);
    if (!open_log(w, why)) return false;
    w->depth = ++logs_open;
    tell(w);
    return true;
}

bool work_has(const work *w, size_t key)
{
    return key < w->keys && w->at[key];
}

static bool put_record(work *w, uint64_t at, uint64_t key, const void *bytes, size_t count,
                       problem *why)
{
    unsigned char head[HEAD], tail[TAIL];
    const double now = clock_seconds();
    put_bytes(head, key, 8);
    put_bytes(head + 8, count, 8);
    put_bytes(tail, checksum(head, bytes, count), TAIL);
    bool good = !fseeko(w->log, (off_t)at, SEEK_SET) && fwrite(head, 1, HEAD, w->log) == HEAD &&
                fwrite(bytes, 1, count, w->log) == count && fwrite(tail, 1, TAIL, w->log) == TAIL &&
                !fflush(w->log);
    if (good && now - w->synced >= 1) {
        good = fsync(fileno(w->log)) == 0 || errno == EINVAL || errno == ENOSYS;
        w->synced = now;
    }
    return good || problem_errno(why, w->path, "cannot write");
}

/* A log that is a help only does not end the work. */
static bool do_without(work *w, const problem *why)
{
    if (!w->desc.in_passing) return false;
    tool_note("%s: a stop would lose the work", why->text);
    fclose(w->log);
    remove(w->path);
    w->log = NULL;
    tell(w);
    return true;
}

bool work_add(work *w, size_t key, const void *bytes, size_t count, problem *why)
{
    if (!w->log) return true;
    if (!put_record(w, w->end, key, bytes, count, why)) return do_without(w, why);
    remember(w, key, w->end);
    w->end += HEAD + count + TAIL;
    tell(w);
    return true;
}

/* Every two seconds, and so that saving takes a fiftieth of the time at most. */
bool work_due(const work *w)
{
    const double since = clock_seconds() - w->saved;
    return w->log && since >= 2 && since >= 50 * w->spent;
}

bool work_save(work *w, size_t done, const void *bytes, problem *why)
{
    const double start = clock_seconds();
    if (!put_record(w, slot_at(w, w->slot), done, bytes, w->desc.state_bytes, why))
        return do_without(w, why);
    w->slot = !w->slot;
    w->done = done;
    w->saved = clock_seconds();
    w->spent = w->saved - start;
    tell(w);
    return true;
}

bool work_state(work *w, text *to)
{
    uint64_t done;
    return w->log && w->done && !fseeko(w->log, (off_t)slot_at(w, !w->slot), SEEK_SET) &&
           read_record(w->log, &done, to) && done == w->done;
}

void work_in_passing(work_desc *desc, const char *program, char name[64])
{
    snprintf(name, 64, "synergy-%.20s-%.12s.part", program, desc->identity);
    desc->directory = ".";
    desc->file = name;
    desc->in_passing = true;
}

bool work_read(work *w, size_t key, text *to, problem *why)
{
    uint64_t there;
    if (work_has(w, key) && !fseeko(w->log, (off_t)w->at[key], SEEK_SET) &&
        read_record(w->log, &there, to) && there == key)
        return true;
    return problem_set(why, "%s: piece %zu cannot be read back", w->path, key);
}

void work_close(work *w, bool finished)
{
    if (w->desc.in_passing && w->depth) stop_spares(w->path);
    if (w->log && (finished || (w->desc.in_passing && !w->done)))
        remove(w->path); /* while it is still locked */
    if (w->log) fclose(w->log);
    free(w->at);
    if (w->depth) logs_open--;
    if (finished && !logs_open && !w->desc.in_passing)
        stop_keeps("what is finished is kept in %s", w->desc.directory);
    else if (finished && !logs_open) stop_keeps(NULL);
    memset(w, 0, sizeof *w);
}

/* ---- before the start ----------------------------------------------------------------- */

static bool disk_has_room(const work_plan *p, problem *why)
{
    struct statvfs s;
    char free_room[32], needed[32];
    if (!p->directory || !(p->disk > 0) || statvfs(p->directory, &s) != 0) return true;
    const double room = (double)s.f_bavail * (double)s.f_frsize;
    if (room >= p->disk) return true;
    bytes_text(room, free_room, sizeof free_room);
    bytes_text(p->disk, needed, sizeof needed);
    return problem_set(why, "%s: the disk has %s left, and up to %s would be written", p->directory,
                       free_room, needed);
}

bool plan_announce(const work_plan *p, problem *why)
{
    char memory[32], disk[32], least[32], most[32];
    if (!disk_has_room(p, why)) return false;
    if (logs_open > 1 || progress_hushed()) return true; /* the outer work has told of it */
    if (p->most > 0 && p->most < p->unless) return true;
    bytes_text(p->memory, memory, sizeof memory);
    bytes_text(p->disk, disk, sizeof disk);
    duration_text(p->least, least, sizeof least);
    duration_text(p->most, most, sizeof most);
    text line = {NULL, 0, 0};
    text_print(&line, "%s", p->what);
    if (p->memory > 0) text_print(&line, "; memory %.0f bytes (%s)", p->memory, memory);
    if (p->disk > 0) text_print(&line, "; up to %s on disk", disk);
    if (p->most > 0)
        text_print(&line, "; about %s%s%s", least, strcmp(least, most) ? " to " : "",
                   strcmp(least, most) ? most : "");
    tool_note("%s", line.at);
    text_free(&line);
    return true;
}
