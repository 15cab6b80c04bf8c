/* sha256.h - SHA-256 (FIPS 180-4). */
#ifndef SYNERGY_SHA256_H
#define SYNERGY_SHA256_H

#include <stddef.h>
#include <stdint.h>

typedef struct sha256 {
    uint32_t h[8];
    uint64_t bytes;
    unsigned char block[64];
} sha256;
void sha256_begin(sha256 *s);
void sha256_add(sha256 *s, const void *bytes, size_t count);
void sha256_end(sha256 *s, char hex[65]);
void sha256_of(const void *bytes, size_t count, char hex[65]);

#endif
