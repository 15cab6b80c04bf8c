/* prune_zero.c - weights that become exactly zero in the tensor type they are stored in.

   A block of zero bytes is zero in every type: its scale is. Inside a block it depends on the type:
   a code that means 0 (grain 1), or a group's own scale and minimum (grain 16 or 32). The bit
   layouts are those of the >>types section of synergy.h, where each is described. */
#include "prune/prune_zero.h"

#include <string.h>

/* ---- one weight ------------------------------------------------------------------------- */

static void set_bits(unsigned char *p, int shift, int mask, int code)
{
    *p = (unsigned char)((*p & ~(mask << shift)) | code << shift);
}

/* Weight i of 32 in 16 bytes of two nibbles. */
static void set_nibble(unsigned char *p, size_t i, int code)
{
    set_bits(p + i % 16, i < 16 ? 0 : 4, 15, code);
}

/* Weight i of 256 in 64 bytes of four 2-bit fields. */
static void set_quarter(unsigned char *p, size_t i, int code)
{
    set_bits(p + 32 * (i / 128) + i % 32, 2 * (int)(i % 128 / 32), 3, code);
}

static void zero_q4_0(unsigned char *p, size_t i)
{
    set_nibble(p + 2, i, 8);
}

static void zero_q5_0(unsigned char *p, size_t i)
{
    set_nibble(p + 6, i, 0);
    set_bits(p + 2 + i / 8, (int)(i % 8), 1, 1); /* code 16 */
}

static void zero_q8_0(unsigned char *p, size_t i)
{
    p[2 + i] = 0;
}

static void zero_mxfp4(unsigned char *p, size_t i)
{
    set_nibble(p + 1, i, 0);
}

static void zero_q3_k(unsigned char *p, size_t i)
{
    set_quarter(p + 32, i, 0);
    set_bits(p + i % 32, (int)(i / 32), 1, 1); /* code 4 */
}

static void zero_q6_k(unsigned char *p, size_t i)
{
    const size_t half = i / 128, j = i % 128 / 32, l = i % 32;
    set_bits(p + 64 * half + (j & 1) * 32 + l, j < 2 ? 0 : 4, 15, 0);
    set_bits(p + 128 + 32 * half + l, 2 * (int)j, 3, 2); /* code 32 */
}

static void zero_q8_k(unsigned char *p, size_t i)
{
    unsigned char *raw = p + 260 + 2 * (i / 16); /* the sum of 16 codes, int16 */
    const unsigned value = p[4 + i] < 128 ? p[4 + i] : p[4 + i] + 0xff00u;
    const unsigned sum = ((unsigned)raw[0] | (unsigned)raw[1] << 8) - value;
    raw[0] = (unsigned char)(sum & 255);
    raw[1] = (unsigned char)(sum >> 8 & 255);
    p[4 + i] = 0;
}

/* A byte of five base-3 digits is their number times 256/243, rounded up; digit 1 is 0. */
static void set_trit(unsigned char *p, size_t which)
{
    unsigned power = 1, number = 0;
    for (size_t j = 0; j < 5; j++, power *= 3) {
        const unsigned digit = ((*p * power & 255u) * 3) >> 8;
        number = 3 * number + (j == which ? 1 : digit);
    }
    *p = (unsigned char)((number * 256 + 242) / 243);
}

static void zero_tq1_0(unsigned char *p, size_t i)
{
    if (i < 160) set_trit(p + i % 32, i / 32);
    else if (i < 240) set_trit(p + 32 + i % 16, (i - 160) / 16);
    else set_trit(p + 48 + i % 4, (i - 240) / 4);
}

static void zero_tq2_0(unsigned char *p, size_t i)
{
    set_quarter(p, i, 1);
}

/* ---- a group's scale and minimum, by its first weight ------------------------------------ */

static void zero_q2_k(unsigned char *p, size_t i)
{
    p[i / 16] = 0;
}

/* The 12 bytes of eight 6-bit scales and minima that begin at p + 4. */
static void zero_q45_k(unsigned char *p, size_t i)
{
    const size_t g = i / 32;
    unsigned char *s = p + 4 + g % 4;
    set_bits(s, g < 4 ? 0 : 6, g < 4 ? 63 : 3, 0);
    set_bits(s + 4, g < 4 ? 0 : 6, g < 4 ? 63 : 3, 0);
    if (g >= 4) s[8] = 0;
}

static void zero_iq4_xs(unsigned char *p, size_t i)
{
    const size_t g = i / 32;
    set_bits(p + 4 + g / 2, 4 * (int)(g & 1), 15, 0);
    set_bits(p + 2 + g / 4, 2 * (int)(g & 3), 3, 2); /* scale 32 - 32 */
}

/* ---- any type --------------------------------------------------------------------------- */

typedef struct zero_rule {
    const char *type;
    uint32_t grain; /* weights that one call makes zero */
    void (*zero)(unsigned char *block, size_t first);
} zero_rule;

static const zero_rule rules[] = {
    {"Q4_0", 1, zero_q4_0},      {"Q5_0", 1, zero_q5_0},   {"Q8_0", 1, zero_q8_0},
    {"MXFP4", 1, zero_mxfp4},    {"Q3_K", 1, zero_q3_k},   {"Q6_K", 1, zero_q6_k},
    {"Q8_K", 1, zero_q8_k},      {"TQ1_0", 1, zero_tq1_0}, {"TQ2_0", 1, zero_tq2_0},
    {"Q2_K", 16, zero_q2_k},     {"Q4_K", 32, zero_q45_k}, {"Q5_K", 32, zero_q45_k},
    {"IQ4_XS", 32, zero_iq4_xs},
};

static const zero_rule *rule_of(const syn_type *type)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (!strcmp(rules[i].type, type->name)) return &rules[i];
    return NULL;
}

uint32_t prune_zero_grain(const syn_type *type)
{
    const zero_rule *rule = rule_of(type);
    return rule ? rule->grain : type->block;
}

static void zero_in_block(const zero_rule *rule, unsigned char *block, size_t from, size_t to)
{
    for (size_t i = from; i < to; i += rule->grain) rule->zero(block, i);
}

bool prune_zero(const syn_type *type, unsigned char *row, uint64_t from, uint64_t to)
{
    const zero_rule *rule = rule_of(type);
    const uint32_t grain = prune_zero_grain(type), block = type->block;
    if (from % grain || to % grain) return false;
    while (from < to) {
        unsigned char *p = row + from / block * type->bytes;
        const uint64_t start = from - from % block;
        const uint64_t stop = to < start + block ? to : start + block;
        if (stop - from == block) memset(p, 0, type->bytes);
        else zero_in_block(rule, p, (size_t)(from - start), (size_t)(stop - start));
        from = stop;
    }
    return true;
}
