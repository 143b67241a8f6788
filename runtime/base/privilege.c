/* Who we are on the host: see privilege.h. Two system calls, no file is read. */
#include "base/privilege.h"

#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INITIAL_USER_NAMESPACE_INODE 0xEFFFFFFDu /* PROC_USER_INIT_INO, kernel ABI */

bool privilege_initial_user_namespace(void)
{
    struct stat status;

    return stat("/proc/self/ns/user", &status) == 0 && status.st_ino == INITIAL_USER_NAMESPACE_INODE;
}

static bool has_sys_admin(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = { 0 };

    return syscall(SYS_capget, &header, sets) == 0 && sets[0].effective & 1u << CAP_SYS_ADMIN;
}

bool privilege_of_host(void)
{
    return geteuid() == 0 && has_sys_admin() && privilege_initial_user_namespace();
}
