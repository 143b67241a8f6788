/*
 * Runs the program again from a read-only clone of its mount. On x86-64 a static aril does that before its
 * libc starts: what a libc does at its start, and the pages that it writes to, would be paid twice, and
 * asking the processor what it can do (cpuid) takes 0.3 ms in a virtual machine. So nothing here may use
 * libc, thread-local storage (the stack protector's canary is there), or data with pointers, which are not
 * relocated yet.
 */
#include "launch/seal.h"

#include "base/kernel_call.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#define MAX_ENVIRONMENT 1000 /* who has more is sealed later, by seal_self() */

#if __has_attribute(no_stack_protector)
#define BEFORE_LIBC __attribute__((no_stack_protector))
#else
#define BEFORE_LIBC
#endif

/* The length of `prefix` where the text begins with it, or 0. */
BEFORE_LIBC static size_t starts_with(const char *text, const char *prefix)
{
    size_t i = 0;

    while (prefix[i] && text[i] == prefix[i])
        i++;
    return prefix[i] ? 0 : i;
}

/* The environment with our mark. Volatile, or the compiler would make a call of memcpy() of it. */
BEFORE_LIBC static const char **mark(char *const *environment)
{
    static const char *volatile marked[MAX_ENVIRONMENT + 2];
    size_t count = 0;

    for (; environment[count]; count++) {
        if (count == MAX_ENVIRONMENT || starts_with(environment[count], SEAL_MARK "="))
            return NULL;
        marked[count] = environment[count];
    }
    marked[count] = SEAL_MARK "=1";
    marked[count + 1] = NULL;
    return (const char **)marked;
}

BEFORE_LIBC bool seal_on_read_only_mount(void)
{
    struct statfs filesystem;

    return kernel_call(SYS_statfs, SEAL_SELF, &filesystem) == 0 && (filesystem.f_flags & ST_RDONLY);
}

BEFORE_LIBC void seal_enter_clone(char *const *argv, char *const *environment)
{
    struct mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY };
    const char **marked = mark(environment);
    long fd;

    if (!marked || seal_on_read_only_mount())
        return;
    fd = kernel_call(SYS_open_tree, AT_FDCWD, SEAL_SELF, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (fd < 0)
        return;
    if (kernel_call(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attributes, sizeof attributes) == 0)
        kernel_call(SYS_execveat, fd, "", argv, marked, AT_EMPTY_PATH);
    kernel_call(SYS_close, fd);
}

#if defined __x86_64__
/* A name too many (it may be an option's value) costs a second start; what is missing here is sealed later.
 */
BEFORE_LIBC static bool names_sealed_command(const char *word)
{
    static const char names[][8] = { "create", "exec", "mounts", "run" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t length = starts_with(word, names[i]);

        if (length && !word[length])
            return true;
    }
    return false;
}

/* The stack as the kernel made it: the number of words, the words, NULL, the environment, NULL. */
void seal_before_libc(long *stack) __attribute__((visibility("hidden"), used));
BEFORE_LIBC void seal_before_libc(long *stack)
{
    char **argv = (char **)(stack + 1);

    for (long i = 1; i < stack[0]; i++)
        if (names_sealed_command(argv[i])) {
            seal_enter_clone(argv, argv + stack[0] + 1);
            return;
        }
}

/* The entry point of aril, where configure finds that it is static. libc expects the stack and rdx untouched.
 */
__asm__(".text\n"
        ".globl seal_start\n"
        ".hidden seal_start\n"
        "seal_start:\n"
        "    mov %rsp, %rdi\n"
        "    mov %rdx, %rbx\n"
        "    call seal_before_libc\n"
        "    mov %rbx, %rdx\n"
        "    jmp _start\n");
#endif
