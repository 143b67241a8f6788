/* x86-64: the entry point of aril-init, and what the compiler takes for granted. Knows nothing of its work. */
#include "kernel.h"

#include <string.h>

#if defined __x86_64__
int main(int argc, char **argv, char **environment);
void start_main(long *stack) __attribute__((noreturn, used));



__asm__(".text\n"
        ".globl _start\n"
        "_start:\n"
        "    xor %ebp, %ebp\n"
        "    mov %rsp, %rdi\n"
        "    and $-16, %rsp\n"
        "    call start_main\n"
        ".globl kernel_signal_return\n"
        ".hidden kernel_signal_return\n"
        "kernel_signal_return:\n"
        "    mov $15, %eax\n" /* rt_sigreturn */
        "    syscall\n");

void start_main(long *stack)
{
    int argc = (int)stack[0];
    char **argv = (char **)(stack + 1);

    kernel_call(SYS_exit_group, main(argc, argv, argv + argc + 1));
    __builtin_unreachable();
}

void *memset(void *memory, int byte, size_t length)
{
    for (volatile char *place = memory; length > 0; length--)
        *place++ = (char)byte;
    return memory;
}

void *memcpy(void *restrict to, const void *restrict from, size_t length)
{
    const char *source = from;

    for (volatile char *place = to; length > 0; length--)
        *place++ = *source++;
    return to;
}
#endif
