/* Start-up of a Cortex-M without any C library start files: vectors, .data and .bss, floating-point
   unit on, text and exit code to the host by semihosting (the debugger's breakpoint 0xAB;
   qemu-system-arm answers it). There is no heap: the linker leaves none, and _sbrk always fails. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

extern uint32_t stack_top[], data_load[], data_start[], data_end[], bss_start[], bss_end[];
int main(void);
void reset(void);
void board_puts(const char *text);
void _exit(int code);
void *_sbrk(ptrdiff_t more);

static int semihosting(int operation, const void *argument)
{
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

/* Text to the host without stdio, whose buffers would come from a heap. SYS_WRITE0. */
void board_puts(const char *text)
{
    semihosting(0x04, text);
}

/* SYS_EXIT_EXTENDED, the one that carries a code. */
static void board_exit(int code)
{
    uint32_t argument[2];
    argument[0] = 0x20026u;
    argument[1] = (uint32_t)code;
    semihosting(0x20, argument);
    for (;;) {}
}

void _exit(int code)
{
    board_exit(code);
    for (;;) {}
}

void *_sbrk(ptrdiff_t more)
{
    (void)more;
    board_puts("something asked for heap memory\n");
    board_exit(98);
    return (void *)-1;
}

static void fault(void)
{
    board_puts("fault\n");
    board_exit(99);
}

void reset(void)
{
    uint32_t *from = data_load, *to;
    *(volatile uint32_t *)0xE000ED88u |= 0xFu
                                         << 20; /* CPACR: full access to the floating-point unit */
    __asm__ volatile("dsb\nisb");
    for (to = data_start; to < data_end;) *to++ = *from++;
    for (to = bss_start; to < bss_end;) *to++ = 0;
    board_exit(main());
}

typedef struct vector_table {
    uint32_t *stack;
    void (*handler[15])(void);
} vector_table;

__attribute__((section(".vectors"), used)) const vector_table vectors = {
    stack_top,
    {reset, fault, fault, fault, fault, fault, 0, 0, 0, 0, fault, fault, 0, fault, fault}};
