/* filter: writes a seccomp program that refuses the named system calls with EPERM, as bwrap --seccomp takes
 * it. */
#include <errno.h>
#include <seccomp.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

    for (int i = 1; filter && i < argc; i++) {
        int number = seccomp_syscall_resolve_name(argv[i]);

        if (number != __NR_SCMP_ERROR && seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0) < 0)
            return 1;
    }
    return !filter || seccomp_export_bpf(filter, STDOUT_FILENO) < 0;
}
