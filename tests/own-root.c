/*
 * own-root: runs a program in a mount namespace whose root is the directory that is "/" here.
 *
 * The kernel refuses user namespaces to processes in a chroot, because a chroot is no boundary it could keep. Tests
 * that a chroot runs (a debootstrap tree, say) could not test half of what they should. So test-all leaves the chroot
 * the way it was entered, binds its directory in a new mount namespace and makes that the root with pivot_root.
 *
 *   own-root PROGRAM [ARGUMENT...]
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void check(int result, const char *what)
{
    if (result < 0) {
        fprintf(stderr, "own-root: %s: %s\n", what, strerror(errno));
        exit(1);
    }
}

/* A process whose working directory is outside its root can walk up to the root of the mount namespace. */
static void leave_chroot(int here)
{
    char aside[] = "/own-root.XXXXXX";
    struct stat inner, outer;
    if (!mkdtemp(aside))
        check(-1, aside);
    check(chroot(aside), "chroot aside");
    check(fchdir(here), "fchdir");
    rmdir(aside + 1);
    do {
        check(stat(".", &inner), "stat");
        check(chdir(".."), "chdir ..");
        check(stat(".", &outer), "stat ..");
    } while (inner.st_ino != outer.st_ino || inner.st_dev != outer.st_dev);
    check(chroot("."), "chroot out");
}

int main(int argc, char **argv)
{
    char path[PATH_MAX];
    if (argc < 2)
        return fputs("usage: own-root PROGRAM [ARGUMENT...]\n", stderr), 2;
    check(unshare(CLONE_NEWNS), "unshare");
    int here = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    check(here, "/");
    leave_chroot(here);
    check(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "make mounts private");
    check(fchdir(here), "fchdir");
    if (!getcwd(path, sizeof path))
        check(-1, "getcwd");
    check(mount(path, path, NULL, MS_BIND | MS_REC, NULL), path);
    check(chdir(path), path);
    check((int)syscall(SYS_pivot_root, ".", "."), "pivot_root");
    check(umount2(".", MNT_DETACH), "umount the outer root");
    check(chdir("/"), "/");
    execvp(argv[1], argv + 1);
    check(-1, argv[1]);
}
