/*
 * linux.sysctl (contract items 142, 143): only what belongs to a namespace that the container does not share
 * with the host. The check runs in the runtime before anything is made, the writing in init; both turn names
 * into paths the same way.
 */
#include "namespaces/namespaces.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/sys.h"
#include "oci-specs/config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * What a namespace owns, by the path below /proc/sys; a "/" at the end stands for everything in that
 * directory. Everything else is the host's (ipc_namespaces(7), network_namespaces(7), user_namespaces(7)).
 */
static const struct owner {
    const char *path;
    enum oci_namespace_type type;
} owners[] = {
    { "net/", OCI_NAMESPACE_NETWORK },          { "fs/mqueue/", OCI_NAMESPACE_IPC },
    { "kernel/msgmax", OCI_NAMESPACE_IPC },     { "kernel/msgmnb", OCI_NAMESPACE_IPC },
    { "kernel/msgmni", OCI_NAMESPACE_IPC },     { "kernel/sem", OCI_NAMESPACE_IPC },
    { "kernel/shmall", OCI_NAMESPACE_IPC },     { "kernel/shmmax", OCI_NAMESPACE_IPC },
    { "kernel/shmmni", OCI_NAMESPACE_IPC },     { "kernel/shm_rmid_forced", OCI_NAMESPACE_IPC },
    { "kernel/domainname", OCI_NAMESPACE_UTS }, { "user/", OCI_NAMESPACE_USER },
};

/*
 * sysctl(8): the first separator decides. With "." the two are exchanged (net.ipv4.conf.eth0/1.forwarding is
 * of the device eth0.1), with "/" the name is the path. Owned.
 */
static char *path_of(const char *name)
{
    char *path = memory_string(name);

    if (name[strcspn(name, "./")] != '.')
        return path;
    for (char *c = path; *c; c++)
        *c = *c == '.' ? '/' : *c == '/' ? '.' : *c;
    return path;
}

/* No component is empty, "." or "..", so that the prefixes in `owners` mean what they say. */
static bool is_plain(const char *path)
{
    for (;;) {
        size_t length = strcspn(path, "/");

        if (length == 0 || strncmp(path, "..", length) == 0) /* "." as well */
            return false;
        if (!path[length])
            return true;
        path += length + 1;
    }
}

static const struct owner *find_owner(const char *path)
{
    for (size_t i = 0; i < array_length(owners); i++) {
        size_t length = strlen(owners[i].path);

        if (owners[i].path[length - 1] == '/' ? strncmp(path, owners[i].path, length) == 0 && path[length]
                                              : strcmp(path, owners[i].path) == 0)
            return &owners[i];
    }
    return NULL;
}

/* A namespace to join can be the host's by another name. */
static bool is_our_own(const struct oci_namespace *namespace)
{
    static const char *const files[] = {
        [OCI_NAMESPACE_NETWORK] = "net",
        [OCI_NAMESPACE_IPC] = "ipc",
        [OCI_NAMESPACE_UTS] = "uts",
        [OCI_NAMESPACE_USER] = "user",
    };
    struct stat theirs, ours;
    char path[32];

    snprintf(path, sizeof path, "/proc/self/ns/%s", files[namespace->type]);
    return namespace->path && stat(namespace->path, &theirs) == 0 && stat(path, &ours) == 0 &&
           theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

static int check_one(const struct oci_config *config, const char *path, struct error *err)
{
    const struct oci_namespace *namespace;
    const struct owner *owner;
    const char *type;

    if (!is_plain(path))
        return fail(err, EINVAL, "not a sysctl name");
    if (strcmp(path, "kernel/hostname") == 0)
        return fail(err, EINVAL, "set by the property hostname");
    owner = find_owner(path);
    if (!owner)
        return fail(err, EINVAL, "belongs to no namespace, it would change the host");
    type = oci_namespace_type_name(owner->type);
    namespace = oci_config_namespace(config, owner->type);
    if (!namespace)
        return fail(err, EINVAL, "needs %s %s namespace in linux.namespaces", *type == 'i' ? "an" : "a",
                    type);
    if (is_our_own(namespace))
        return fail(err, EINVAL, "the %s namespace %s is the host's", type, namespace->path);
    return 0;
}

int sysctl_check(const struct oci_config *config, struct error *err)
{
    const struct string_map *sysctl = config->linux ? &config->linux->sysctl : &(struct string_map){ 0 };

    for (size_t i = 0; i < sysctl->count; i++) {
        auto_free char *path = path_of(sysctl->items[i].key);

        if (check_one(config, path, err) < 0)
            return fail_in(err, "linux.sysctl[\"%s\"]", sysctl->items[i].key);
    }
    return 0;
}

/* CVE-2025-52881: no link and no mount inside procfs may send the write to another file. */
static int write_one(int procfs, const char *path, const char *value, struct error *err)
{
    struct open_how how = { .flags = O_WRONLY | O_CLOEXEC,
                            .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
                                       RESOLVE_NO_XDEV };
    auto_free char *below_proc = memory_format("sys/%s", path);
    auto_close int fd = sys_openat2(procfs, below_proc, &how);
    size_t length = strlen(value);
    ssize_t written;

    if (fd < 0 && errno == ENOENT) /* engines take the usual words for a program that is missing */
        return fail(err, ENOENT, "the kernel has no /proc/%s", below_proc);
    if (fd < 0)
        return fail_errno(err, "open /proc/%s", below_proc);
    written = write(fd, value, length);
    if (written < 0)
        return fail_errno(err, "write '%s'", value);
    return (size_t)written == length ? 0 : fail(err, EIO, "write '%s': cut short", value);
}

int sysctl_apply(const struct oci_config *config, int procfs, struct error *err)
{
    const struct string_map *sysctl = config->linux ? &config->linux->sysctl : &(struct string_map){ 0 };

    for (size_t i = 0; i < sysctl->count; i++) {
        auto_free char *path = path_of(sysctl->items[i].key);

        if (write_one(procfs, path, sysctl->items[i].value, err) < 0)
            return fail_in(err, "linux.sysctl[\"%s\"]", sysctl->items[i].key);
    }
    return 0;
}
