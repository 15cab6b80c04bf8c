/* A device with two sensors and no heap: samples come in one at a time, are never stored, and now
   and then the device says how much its sensors' futures hold together (synergy) and how much twice
   (redundancy). All state is the block `memory`, whose size the compiler knows; it would run a year
   and stay that size.

   cc -std=c99 -I.. sensor_stream.c -o sensor_stream -lm
   Test: -> ^after 8192 samples: synergy 0\.[0-9]+ .*redundancy 0\.[0-9]+ */
#define SYNERGY_NO_MODEL
#define SYNERGY_NO_STDIO
#define SYNERGY_IMPLEMENTATION
#include "synergy.h"

#ifdef SENSOR_OUTPUT /* a board's own way to write a line */
void SENSOR_OUTPUT(const char *text);
#else
#include <stdio.h>
#define SENSOR_OUTPUT(text) fputs(text, stdout)
#endif

enum { CHANNELS = 2, LAG = 1, SAMPLES = 8192, REPORT_EVERY = 2048 };

static unsigned char memory[1024];

/* Stands for the two sensors: a slow common drift seen by both, each with noise of its own. */
static void sensors_read(double sample[CHANNELS])
{
    static uint32_t state = 12345;
    static double drift;
    double uniform[3];
    int i;
    for (i = 0; i < 3; i++) {
        state = state * 1664525u + 1013904223u;
        uniform[i] = (double)(state >> 8) / 16777216.0 - 0.5;
    }
    drift = 0.9 * drift + uniform[0];
    sample[0] = 20.0 + drift + 0.5 * uniform[1];
    sample[1] = 50.0 - 2.0 * drift + uniform[2];
}

/* Appends text to a line; the C library of a small board may not print floating-point numbers. */
static char *put(char *to, const char *text)
{
    while (*text) *to++ = *text++;
    *to = 0;
    return to;
}

static char *put_decimal(char *to, double value, int decimals)
{
    char digit[24];
    uint32_t scaled;
    int n = 0, i;
    for (i = 0; i < decimals; i++) value *= 10;
    if (value < 0) to = put(to, "-");
    scaled = (uint32_t)((value < 0 ? -value : value) + 0.5);
    do {
        digit[n++] = (char)('0' + (int)(scaled % 10));
        scaled /= 10;
        if (n == decimals) digit[n++] = '.';
    } while (scaled || n <= decimals + (decimals > 0));
    while (n) *to++ = digit[--n];
    *to = 0;
    return to;
}

static void report(const syn_cov *cov, int samples)
{
    double atom[SYN_ATOMS];
    char line[160], *end = line;
    syn_flags flags = syn_cov_pair(cov, 0, 1, NULL, atom);
    end = put_decimal(put(end, "after "), samples, 0);
    if (flags) {
        end = put(put(end, " samples: not to be trusted: "), syn_flags_text(flags));
    } else {
        end = put_decimal(put(end, " samples: synergy "), atom[SYN_STS], 6);
        end = put_decimal(put(end, " nats, redundancy "), atom[SYN_RTR], 6);
        end = put(end, " nats");
    }
    put(end, "\n");
    SENSOR_OUTPUT(line);
}

int main(void)
{
    syn_arena arena = syn_arena_on(memory, sizeof memory);
    syn_cov cov;
    syn_error err = {SYN_OK, ""};
    int t;
    if (syn_cov_open(&cov, CHANNELS, LAG, &arena, &err) != SYN_OK) {
        SENSOR_OUTPUT(err.text);
        return 1;
    }
    for (t = 1; t <= SAMPLES; t++) {
        double sample[CHANNELS];
        sensors_read(sample);
        syn_cov_add(&cov, sample);
        if (t % REPORT_EVERY == 0) report(&cov, t);
    }
    return 0;
}
