/* jinja_words.c - a template's text to words, as Jinja 2 splits it: line ends, what a minus, a
   plus, trim_blocks and lstrip_blocks take away, strings, numbers, signs. */
#include "template/jinja_own.h"

#include <stdlib.h>
#include <string.h>

static const char digits[] = "0123456789",
                  letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789",
                  white[] = " \t\n\v\f\r";

/* The source, which ends in a NUL, and what is read next; its line is the jinja's. */
typedef struct reader {
    jinja *j;
    const char *start, *at, *end;
} reader;

static bool among(char c, const char *set)
{
    return c && strchr(set, c);
}

static void move_to(reader *r, const char *to)
{
    for (; r->at < to; r->at++) r->j->line += *r->at == '\n';
}

static jword *add(reader *r, jword_kind kind, const char *at, const char *end)
{
    jinja *j = r->j;
    if (j->words == j->room) {
        j->room = 2 * j->room + 64;
        jword *more = jinja_take(j, j->room * sizeof *more);
        if (j->words) memcpy(more, j->word, j->words * sizeof *more);
        j->word = more;
    }
    j->word[j->words] = (jword){.kind = kind, .line = j->line, .words = {at, (size_t)(end - at)}};
    return &j->word[j->words++];
}

/* The text up to a tag, less what the tag takes from its end: a minus all white space; a block or a
   comment, but with a plus, the space before it on a line of its own. */
static void take_data(reader *r, const char *to, char sign, bool strips)
{
    const char *end = to;
    while (end > r->at && among(end[-1], white) && (sign == '-' || end[-1] != '\n')) end--;
    const bool own_line = end == r->start || end[-1] == '\n';
    if (sign != '-' && (!strips || sign == '+' || !own_line)) end = to;
    if (end > r->at) add(r, W_DATA, r->at, end);
    move_to(r, to);
}

/* Behind a tag: a minus takes all white space, a block's or comment's end the newline. */
static void after_tag(reader *r, bool minus, bool newline)
{
    const char *s = r->at;
    if (minus) s += strspn(s, white);
    else if (newline && *s == '\n') s++;
    move_to(r, s);
}

static void take_comment(reader *r)
{
    const char *s = r->at;
    while (s < r->end && !(s[0] == '#' && s[1] == '}')) s++;
    if (s == r->end) jinja_fail(r->j, "a comment without an end");
    const char sign = s > r->at ? s[-1] : ' ';
    move_to(r, s + 2);
    after_tag(r, sign == '-', sign != '+');
}

/* What an escape at *s (behind the backslash) stands for, written to `to`. */
static char *take_escape(reader *r, const char **s, char *to)
{
    static const char names[] = "nrtbfva\\'\"", meant[] = "\n\r\t\b\f\v\a\\'\"";
    const char c = **s;
    const int wide = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    char hex[9] = "";
    if (among(c, digits)) jinja_fail(r->j, "an octal escape in a string is not known here");
    if (wide) {
        strncat(hex, *s + 1, (size_t)wide);
        if (strspn(hex, "0123456789abcdefABCDEF") < (size_t)wide)
            jinja_fail(r->j, "an escape in a string with too few digits");
        const unsigned long code = strtoul(hex, NULL, 16);
        if (code > 0x10FFFF) jinja_fail(r->j, "an escape beyond Unicode in a string");
        *s += 1 + wide;
        return utf8_put(to, (uint32_t)code);
    }
    if (among(c, names)) *to++ = meant[strchr(names, c) - names];
    else if (c != '\n') *to++ = '\\'; /* kept with what stands behind it */
    *s += among(c, names) || c == '\n';
    return to;
}

static void take_string(reader *r)
{
    const char *s = r->at + 1;
    while (s < r->end && *s != *r->at) s += *s == '\\' ? 2 : 1;
    if (s >= r->end) jinja_fail(r->j, "a string without an end");
    const char *end = s;
    char *to = jinja_take(r->j, (size_t)(end - r->at)), *out = to;
    for (s = r->at + 1; s < end;) {
        if (*s == '\\') s++, out = take_escape(r, &s, out);
        else *out++ = *s++;
    }
    add(r, W_VALUE, r->at, end)->value = jinja_words((jstr){to, (size_t)(out - to)});
    move_to(r, end + 1);
}

static void take_number(reader *r)
{
    const char *s = r->at + strspn(r->at, digits), *whole = s;
    if (*s == '.' && among(s[1], digits)) s += 1 + strspn(s + 1, digits);
    if (among(*s, "eE")) {
        const char *e = s + 1 + among(s[1], "+-");
        if (among(*e, digits)) s = e + strspn(e, digits);
    }
    if (among(*s, letters)) jinja_fail(r->j, "a number followed by a letter");
    if (s == whole && s - r->at > 18) jinja_fail(r->j, "a number of more than 18 digits");
    add(r, W_VALUE, r->at, s)->value =
        s == whole ? jinja_int(strtoll(r->at, NULL, 10))
                   : (jval){.kind = J_FLOAT, .as.real = strtod(r->at, NULL)};
    r->at = s;
}

static void take_sign(reader *r, int *open)
{
    static const char two[] = "== != <= >= // **";
    const char *s = r->at;
    if (!among(*s, "+-*/%~<>=!.,:|()[]{}")) jinja_fail(r->j, "a stray '%c'", *s);
    *open += among(*s, "([{") - among(*s, ")]}");
    r->at += jinja_among(two, (jstr){s, 2}) >= 0 ? 2 : 1;
    add(r, W_SIGN, s, r->at);
}

/* What stands between {{ and }} or {% and %}. */
static void take_tag(reader *r, bool block)
{
    const char *const close = block ? "%}" : "}}";
    for (int open = 0;;) {
        move_to(r, r->at + strspn(r->at, white));
        if (r->at >= r->end) jinja_fail(r->j, "a tag without an end");
        const char *s = r->at + among(*r->at, block ? "-+" : "-");
        if (open <= 0 && !strncmp(s, close, 2)) {
            const char sign = *r->at;
            add(r, W_CLOSE, s, s + 2);
            move_to(r, s + 2);
            after_tag(r, sign == '-', block && sign != '+');
            return;
        }
        if (among(*r->at, "'\"")) take_string(r);
        else if (among(*r->at, digits)) take_number(r);
        else if (among(*r->at, letters)) {
            s = r->at;
            r->at += strspn(s, letters);
            add(r, W_NAME, s, r->at);
        } else take_sign(r, &open);
    }
}

/* Line ends become newlines and the last one goes, as Jinja reads a file. */
void jinja_split(jinja *j, const char *source, size_t length)
{
    char *clean = jinja_take(j, length + 1), *end = clean;
    for (size_t i = 0; i < length; i++)
        if (source[i] != '\r' || i + 1 == length || source[i + 1] != '\n')
            *end++ = source[i] == '\r' ? '\n' : source[i];
    if (end > clean && end[-1] == '\n') *--end = '\0';
    reader r = {j, clean, clean, end};
    while (r.at < end) {
        const char *s = r.at;
        while (s < end && !(*s == '{' && among(s[1], "{%#"))) s++;
        const char kind = s < end ? s[1] : ' ', sign = s < end && among(s[2], "-+") ? s[2] : ' ';
        take_data(&r, s, s < end ? sign : '+', kind != '{');
        if (s == end) break;
        move_to(&r, s + 2);
        if (kind == '#') {
            take_comment(&r);
            continue;
        }
        add(&r, kind == '%' ? W_BLOCK : W_PRINT, s, r.at);
        r.at += sign == '-' || (sign == '+' && kind == '%');
        take_tag(&r, kind == '%');
    }
    add(&r, W_END, r.at, r.at);
}
