/*
 * The operator's file: what bounds every policy of this machine. Runs in the runtime. It is trusted only when
 * nobody but root can have written it; everything is checked through the open file, not by name.
 */
#include "policy/internal.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/privilege.h"
#include "oci-specs/schema.h"

#include <fcntl.h>
#include <sys/stat.h>

#define SIZE_LIMIT (1u << 20)
#define OVERFLOW_ID 65534 /* of files whose owner a user namespace does not know */

/*
 * The host's root has no id in a user namespace, and looks like everybody else who has none: a rootless
 * engine's containers are bounded by the same file. Who is in there could show us any /etc that he likes.
 */
static bool is_root(uid_t owner)
{
    return owner == 0 || (owner == OVERFLOW_ID && !privilege_initial_user_namespace());
}

static int check_trust(int fd, const char *path, struct error *err)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return fail_errno(err, "%s", path);
    if (!S_ISREG(status.st_mode))
        return fail(err, EINVAL, "%s: is not a regular file", path);
    if (!is_root(status.st_uid))
        return fail(err, EPERM, "%s: belongs to user %u, not to root", path, status.st_uid);
    if (status.st_mode & (S_IWGRP | S_IWOTH))
        return fail(err, EPERM, "%s: can be written by others than root (mode %04o)", path,
                    status.st_mode & 07777);
    return 0;
}

int policy_operator_read(const char *path, struct policy_operator **operator, struct error * err)
{
    auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
    auto_free char *text = NULL;
    size_t length;

    *operator= NULL;
    if (fd < 0)
        return errno == ENOENT ? 0 : fail_errno(err, "%s", path);
    if (check_trust(fd, path, err) < 0 || file_read_fd(fd, SIZE_LIMIT, path, &text, &length, err) < 0)
        return -1;
    *operator= schema_parse_strict(&policy_operator_schema, path, text, length, err);
    return *operator? 0 : - 1;
}
