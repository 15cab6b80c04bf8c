/* A language model in a microcontroller's flash: opened where it lies, 24 greedy tokens, the norms
   of its heads, and their PhiID. No heap, no stdio. The same file built for a host must print the
   same lines, with SYNERGY_MODEL_FLOAT too.

   MODEL_FILE is the GGUF file that becomes part of the program. With SYNERGY_NO_PHIID the program
   only runs the model; with BOARD_TICKS it tells what the last token took, in ticks of SysTick: 40
   instructions each where qemu counts these as time (-icount shift=0) and the clock has 25 MHz. */
#define SYNERGY_NO_STDIO
#define SYNERGY_SIMD 0
#define SYNERGY_IMPLEMENTATION
#include "../../synergy.h"

#include "board.h"

enum { TOKENS = 24, HEADS = 2 };

static unsigned char memory[160 * 1024];

static int fail(const syn_error *err)
{
    board_puts(err->text);
    board_puts("\n");
    return 1;
}

#ifdef BOARD_TICKS
static volatile uint32_t *const systick = (volatile uint32_t *)0xE000E010u; /* counts down */
static void ticks_begin(void)
{
    systick[1] = 0xffffffu;
    systick[2] = 0;
    systick[0] = 5;
}
static void ticks_show(void)
{
    put_number("\nthousand instructions of the last token ", (long)((0xffffffu - systick[2]) / 25));
    board_puts("\n");
}
#else
static void ticks_begin(void) {}
static void ticks_show(void) {}
#endif

/* PhiID of the two heads. */
static int show_atoms(float series[HEADS][TOKENS])
{
#ifndef SYNERGY_NO_PHIID
    static double atom[SYN_ATOMS];
    if (syn_phiid_pair_float(series[0], series[1], TOKENS, NULL, atom) & SYN_FLAGS_NO_NUMBERS)
        return 1;
    put_number("sts and rtr, hundredths of a nat ", (long)(atom[SYN_STS] * 100 + 0.5));
    put_number(" ", (long)(atom[SYN_RTR] * 100 + 0.5));
    board_puts("\n");
#else
    (void)series;
#endif
    return 0;
}

int main(void)
{
    static syn_model model;
    static syn_context context;
    static float series[HEADS][TOKENS];
    syn_source flash = syn_source_memory(model_bytes, (size_t)(model_end - model_bytes));
    syn_arena arena = syn_arena_on(memory, sizeof memory);
    syn_context_desc desc;
    syn_error err;
    int32_t id = 1;
    int t;
    memset(&desc, 0, sizeof desc);
    desc.tokens = TOKENS;
    desc.batch = 1;
    desc.arithmetic = SYN_EXACT;
    desc.norms = true;
    if (syn_model_open(&model, &flash, 1, NULL, &arena, &err) != SYN_OK) return fail(&err);
    if (syn_context_open(&context, &model, &desc, &arena, &err) != SYN_OK) return fail(&err);
    put_number("memory ", (long)(arena.used / 1024));
    board_puts(" KiB\ntokens");
    for (t = 0; t < TOKENS; t++) {
        const float *logits;
        uint32_t i, best = 0;
        ticks_begin();
        if (syn_context_step(&context, &id, 1, &err) != SYN_OK) return fail(&err);
        if (t == TOKENS - 1) ticks_show();
        logits = syn_context_logits(&context, SYN_LAST_ROW);
        for (i = 1; i < model.vocab; i++) {
            if (logits[i] > logits[best]) best = i;
        }
        id = (int32_t)best;
        for (i = 0; i < HEADS; i++) series[i][t] = syn_context_norms(&context, SYN_LAST_ROW)[i];
        put_number(" ", (long)id);
    }
    put_number("\nlast norms, thousandths ", (long)(series[0][TOKENS - 1] * 1000 + 0.5f));
    put_number(" ", (long)(series[1][TOKENS - 1] * 1000 + 0.5f));
    board_puts("\n");
    return show_atoms(series);
}
