/* png.c - a palette picture as PNG (stored blocks, no compression) in base64, for data URIs.
   Format: PNG specification (W3C 2003), zlib RFC 1950, deflate RFC 1951. */
#include "draw/draw.h"

#include <stdlib.h>
#include <string.h>

static uint32_t crc_of(const unsigned char *b, size_t n)
{
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < n; i++) {
        crc ^= b[i];
        for (int k = 0; k < 8; k++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static void big32(text *t, uint32_t v)
{
    const unsigned char b[4] = {(unsigned char)(v >> 24), (unsigned char)(v >> 16),
                                (unsigned char)(v >> 8), (unsigned char)v};
    text_add_bytes(t, b, 4);
}

static void chunk(text *t, const char *kind, const void *data, size_t n)
{
    big32(t, (uint32_t)n);
    size_t from = t->length;
    text_add_bytes(t, kind, 4);
    text_add_bytes(t, data, n);
    big32(t, crc_of((const unsigned char *)t->at + from, n + 4));
}

/* zlib around stored blocks of at most 65535 bytes. */
static void stored(text *t, const unsigned char *b, size_t n)
{
    uint32_t low = 1, high = 0;
    for (size_t i = 0; i < n; i++) {
        low = (low + b[i]) % 65521;
        high = (high + low) % 65521;
    }
    text_add_bytes(t, "\x78\x01", 2);
    do {
        size_t take = n < 65535 ? n : 65535;
        const unsigned char head[5] = {take == n, (unsigned char)(take & 255),
                                       (unsigned char)(take >> 8), (unsigned char)(~take & 255),
                                       (unsigned char)(~take >> 8 & 255)};
        text_add_bytes(t, head, 5);
        text_add_bytes(t, b, take);
        b += take;
        n -= take;
    } while (n);
    big32(t, high << 16 | low);
}

void base64_text(text *to, const void *bytes, size_t n)
{
    const unsigned char *b = bytes;
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)b[i] << 16;
        if (i + 1 < n) v |= (uint32_t)b[i + 1] << 8;
        if (i + 2 < n) v |= b[i + 2];
        const char four[4] = {digit[v >> 18], digit[v >> 12 & 63],
                              i + 1 < n ? digit[v >> 6 & 63] : '=',
                              i + 2 < n ? digit[v & 63] : '='};
        text_add_bytes(to, four, 4);
    }
}

void png_base64(text *to, const unsigned char *index, size_t width, size_t height,
                const colour palette[255])
{
    text png = {NULL, 0, 0}, head = {NULL, 0, 0}, body = {NULL, 0, 0}, rows = {NULL, 0, 0};
    unsigned char table[3 * 256] = {0}, see_through[256];
    for (int i = 0; i < 255; i++) {
        table[3 * i] = palette[i].r;
        table[3 * i + 1] = palette[i].g;
        table[3 * i + 2] = palette[i].b;
    }
    memset(see_through, 255, sizeof see_through);
    see_through[255] = 0;
    text_add_bytes(&png, "\x89PNG\r\n\x1a\n", 8);
    big32(&head, (uint32_t)width);
    big32(&head, (uint32_t)height);
    text_add_bytes(&head, "\x08\x03\0\0\0", 5); /* 8 bits, palette */
    chunk(&png, "IHDR", head.at, head.length);
    chunk(&png, "PLTE", table, sizeof table);
    chunk(&png, "tRNS", see_through, sizeof see_through);
    for (size_t y = 0; y < height; y++) {
        text_add_bytes(&rows, "", 1); /* no filter */
        text_add_bytes(&rows, index + y * width, width);
    }
    stored(&body, (const unsigned char *)rows.at, rows.length);
    chunk(&png, "IDAT", body.at, body.length);
    chunk(&png, "IEND", "", 0);
    base64_text(to, png.at, png.length);
    text_free(&png);
    text_free(&head);
    text_free(&body);
    text_free(&rows);
}
