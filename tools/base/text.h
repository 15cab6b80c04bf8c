/* text.h - text that grows. */
#ifndef SYNERGY_TEXT_H
#define SYNERGY_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "base/problem.h"

typedef struct text {
    char *at;
    size_t length, room;
} text; /* zero-initialise; NUL-terminated */

void text_add(text *t, const char *s);
void text_add_bytes(text *t, const void *s, size_t n);
void text_print(text *t, const char *format, ...) TOOL_FORMAT(2, 3);
void text_free(text *t);
/* Length of the valid UTF-8 sequence (RFC 3629) at s (n bytes left), 0 when it is not one. */
size_t utf8_length(const unsigned char *s, size_t n);
char *utf8_put(char *to, uint32_t c); /* its one to four bytes; behind them */

#endif
