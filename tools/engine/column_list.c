/* column_list.c - which columns of a table a list or a pattern names. */
#include "engine/column_list.h"
#include "engine/unit_list.h"

#include <ctype.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

static bool find_name(const char *word, size_t n, char *const *name, size_t columns, size_t *found)
{
    for (size_t i = 0; name && i < columns; i++)
        if (strlen(name[i]) == n && !memcmp(name[i], word, n)) {
            *found = i;
            return true;
        }
    return false;
}

/* N or N-M, numbers from 0. */
static bool read_range(const char *word, size_t n, size_t columns, size_t *first, size_t *last)
{
    char digits[48], *end;
    if (!n || n >= sizeof digits || !isdigit((unsigned char)*word)) return false;
    memcpy(digits, word, n);
    digits[n] = '\0';
    const unsigned long long a = strtoull(digits, &end, 10);
    unsigned long long b = a;
    if (*end == '-' && isdigit((unsigned char)end[1])) b = strtoull(end + 1, &end, 10);
    *first = (size_t)a;
    *last = (size_t)b;
    return *end == '\0' && a <= b && b < columns;
}

/* One part of the list, without blanks around it and without its quotes. */
static const char *next_part(const char **at, size_t *n)
{
    while (**at == ' ') ++*at;
    const char *from = *at;
    if (*from == '"' && strchr(from + 1, '"')) {
        const char *close = strchr(from + 1, '"');
        *at = close + 1 + strcspn(close + 1, ",");
        *n = (size_t)(close - from) - 1;
        return from + 1;
    }
    *n = strcspn(from, ",");
    *at += *n;
    while (*n && from[*n - 1] == ' ') --*n;
    return from;
}

/* Is it a list, whose every part is there? */
static bool choose_list(const char *words, char *const *name, size_t columns, bool *chosen)
{
    size_t first, last, n;
    memset(chosen, 0, columns * sizeof *chosen);
    if (find_name(words, strlen(words), name, columns, &first)) { /* a name with commas */
        chosen[first] = true;
        return true;
    }
    for (const char *at = words;; at++) {
        const char *part = next_part(&at, &n);
        if (find_name(part, n, name, columns, &first)) last = first;
        else if (!read_range(part, n, columns, &first, &last)) return false;
        for (size_t i = first; i <= last; i++) chosen[i] = true;
        if (!*at) return true;
    }
}

static bool nothing_fits(const char *flag, const char *words, char *const *name, size_t columns,
                         problem *why)
{
    text t = {NULL, 0, 0};
    for (size_t i = 0; i < columns && i < 8; i++) text_print(&t, "%s%.40s", i ? ", " : "", name[i]);
    problem_set(
        why,
        "%s: '%.80s' is neither a list of columns nor a pattern that one contains (%zu columns: "
        "%.400s%s)",
        flag, words, columns, t.at, columns > 8 ? ", ..." : "");
    text_free(&t);
    return false;
}

bool columns_choose(const char *flag, const char *words, char *const *name, size_t columns,
                    bool *chosen, problem *why)
{
    regex_t pattern;
    problem ignored;
    size_t found = 0;
    char reason[200];
    if (choose_list(words, name, columns, chosen)) return true;
    if (!name && unit_list_parse(words, false, 0, 1, columns, chosen, &ignored)) return true;
    if (!name)
        return problem_set(why,
                           "%s: '%.80s' is not a list of columns 0 to %zu, and they have no names",
                           flag, words, columns - 1);
    memset(chosen, 0, columns * sizeof *chosen);
    const int fault = regcomp(&pattern, words, REG_EXTENDED | REG_NOSUB);
    if (fault) {
        regerror(fault, &pattern, reason, sizeof reason);
        return problem_set(why, "%s: '%.80s' is neither a list of columns nor a pattern: %s", flag,
                           words, reason);
    }
    for (size_t i = 0; i < columns; i++) {
        chosen[i] = regexec(&pattern, name[i], 0, NULL, 0) == 0;
        found += chosen[i] ? 1 : 0;
    }
    regfree(&pattern);
    return found > 0 || nothing_fits(flag, words, name, columns, why);
}
