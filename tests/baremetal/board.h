/* board.h - a program's own text to the host, on a board and elsewhere, and a file in its flash. */
#ifndef SYNERGY_BOARD_H
#define SYNERGY_BOARD_H

#ifdef BOARD_OUTPUT
void board_puts(const char *text);
#else
#include <stdio.h>
static void board_puts(const char *text)
{
    fputs(text, stdout);
}
#endif

/* MODEL_FILE becomes part of the program, in the section MODEL_SECTION. */
#ifndef MODEL_SECTION
#define MODEL_SECTION ".rodata"
#endif
extern const unsigned char model_bytes[], model_end[];
__asm__(".section " MODEL_SECTION ", \"a\"\n"
        ".balign 32\n"
        ".global model_bytes\n"
        "model_bytes: .incbin \"" MODEL_FILE "\"\n"
        ".global model_end\n"
        "model_end: .byte 0\n"
        ".text\n");

static void put_number(const char *before, long value)
{
    char digit[24];
    int n = (int)sizeof digit - 1;
    unsigned long left = value < 0 ? 0ul - (unsigned long)value : (unsigned long)value;
    digit[n] = 0;
    do {
        digit[--n] = (char)('0' + (int)(left % 10));
        left /= 10;
    } while (left);
    if (value < 0) digit[--n] = '-';
    board_puts(before);
    board_puts(digit + n);
}

#endif
