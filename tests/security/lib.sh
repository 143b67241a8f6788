# shellcheck shell=bash
# lib.sh - sourced by the security tests: the words of tests/integration/lib.sh inside a jail, because attacks
# that succeed damage what they reach, and some runtimes fail destructively.
#
#   RUNTIME=/usr/sbin/runc tests/security/escapes.sh     any OCI runtime; default: the build's aril
#   QUICK=1                                              races run 2 seconds each instead of 20
#
# The jail: the whole file system is an overlay whose upper layer is a tmpfs, with private mount, pid and cgroup
# namespaces and, on version 1, cgroup mounts that show only a cgroup of the jail's own. A canary outside must be
# there, unchanged, at the end; inside, /canary is what attacks try to read or write.

SECURITY=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
RACE_SECONDS=$([ -n "${QUICK:-}" ] && echo 2 || echo 20)

security_cgroups() { # sets CONTROLLERS: the v1 hierarchies that are mounted, by directory name
    CONTROLLERS=$(awk '$3 == "cgroup" && $2 ~ "^/sys/fs/cgroup/" { sub(".*/", "", $2); print $2 }' /proc/mounts)
}

security_enter_cgroups() { # name
    local controller directory
    for controller in $CONTROLLERS; do
        directory=/sys/fs/cgroup/$controller/$1
        mkdir -p "$directory" || return
        if [ "$controller" = cpuset ]; then
            cat "/sys/fs/cgroup/cpuset/cpuset.cpus" >"$directory/cpuset.cpus"
            cat "/sys/fs/cgroup/cpuset/cpuset.mems" >"$directory/cpuset.mems"
        fi
        echo 0 >"$directory/cgroup.procs" || return
    done
}

security_leave_cgroups() { # name
    local controller
    for controller in $CONTROLLERS; do
        find "/sys/fs/cgroup/$controller/$1" -depth -type d -exec rmdir {} + 2>/dev/null
    done
}

# What the jail's own /tmp and the overlay (one file system only) hide of the project and the runtime: read-only
security_show() { # root path...
    local root=$1 path
    shift
    for path; do
        if [ -z "$path" ] || [ -e "$root$path" ]; then continue; fi
        mkdir -p "$root$path" && mount --bind "$path" "$root$path" && mount -o remount,bind,ro "$root$path" || return
    done
}

# The second stage, in new namespaces: $1 is an empty directory
security_make_root() {
    local root=$1/root controller
    mount -t tmpfs tmpfs "$1" && mkdir "$1/upper" "$1/work" "$root" &&
        mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" overlay "$root" &&
        mount -t proc proc "$root/proc" && mount -t sysfs sysfs "$root/sys" &&
        mount -t tmpfs -o mode=755 tmpfs "$root/dev" && mkdir "$root/dev/pts" "$root/dev/shm" &&
        mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$root/dev/pts" &&
        ln -s pts/ptmx "$root/dev/ptmx" && ln -s /proc/self/fd "$root/dev/fd" || return
    mknod -m 666 "$root/dev/null" c 1 3 && mknod -m 666 "$root/dev/zero" c 1 5 && mknod -m 666 "$root/dev/full" c 1 7 &&
        mknod -m 666 "$root/dev/random" c 1 8 && mknod -m 666 "$root/dev/urandom" c 1 9 && mknod -m 666 "$root/dev/tty" c 5 0 || return
    if [ -n "$CONTROLLERS" ]; then
        mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup" || return
        for controller in $CONTROLLERS; do
            mkdir "$root/sys/fs/cgroup/$controller"
            if [ "$controller" = systemd ]; then
                mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/$controller" || return
            else
                mount -t cgroup -o "$controller" cgroup "$root/sys/fs/cgroup/$controller" || return
            fi
        done
    else
        mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup" || return
    fi
    mount -t tmpfs tmpfs "$root/tmp" && mount -t tmpfs -o mode=755 tmpfs "$root/run" && chmod 1777 "$root/tmp" &&
        mkdir "$root/canary" && mkdir "$root/canary/directory" && echo "canary of the jail" >"$root/canary/secret" &&
        security_show "$root" "$(dirname "$(dirname "$SECURITY")")" \
            "${RUNTIME:+$(dirname "$(readlink -f -- "$(command -v "$RUNTIME")")")}" &&
        cd "$root" && pivot_root . . && umount -l . && cd /
}

case ${SECURITY_STAGE:-} in
'')
    [ "$(id -u)" = 0 ] || { echo "1..0 # SKIP the attacks need root to build their jail"; exit 0; }
    security_cgroups
    SECURITY_DIR=$(mktemp -d "${TMPDIR:-/tmp}/aril-jail.XXXXXX") || exit 1
    echo "outside" >"$SECURITY_DIR.canary"
    (
        security_enter_cgroups "${SECURITY_DIR##*/}" || { echo "Bail out! no cgroups for the jail"; exit 1; }
        SECURITY_STAGE=inside SECURITY_DIR=$SECURITY_DIR CONTROLLERS=$CONTROLLERS exec unshare --mount --pid --cgroup \
            --fork --kill-child --mount-proc --propagation private -- "$(readlink -f "$0")" "$@"
    )
    status=$?
    security_leave_cgroups "${SECURITY_DIR##*/}"
    if [ "$(cat "$SECURITY_DIR.canary" 2>/dev/null)" != outside ]; then
        echo "Bail out! the canary outside of the jail is dead"
        status=1
    fi
    rm -f "$SECURITY_DIR.canary"
    rmdir "$SECURITY_DIR"
    exit $status
    ;;
inside)
    security_make_root "$SECURITY_DIR" || { echo "Bail out! the jail cannot be built"; exit 1; }
    unset TEST_BIN TMPDIR # outside of the jail
    ;;
esac

export SECURITY_STAGE=ready ARIL_TEST_JAIL=1
# shellcheck source=../integration/lib.sh
. "$SECURITY/../integration/lib.sh"
eval "integration_$(declare -f tap_setup)"
eval "integration_$(declare -f each_before)"
TEST_LIMIT=${TEST_LIMIT:-60}

# what one attack did to the host must not count for the next one
each_before() {
    rm -rf /canary
    mkdir -p /canary/directory
    echo "canary of the jail" >/canary/secret
    integration_each_before
}

tap_setup() {
    integration_tap_setup
    ${CC:-cc} -std=c17 -O1 -Wall -Wextra -static -o "$TEST_BIN/attack" "$SECURITY/attack.c" ||
        bail_out "cannot compile attack.c"
    cp "$TEST_BIN/attack" "$W/rootfs/bin/attack"
    MOUNTS_BEFORE=$(cut -d' ' -f5- /proc/self/mountinfo)
}

# ---- words for attacks ----------------------------------------------------------------------------------------

# the host, which is the jail's root here, is as it was
canary_lives() {
    eq "$(cat /canary/secret)" "canary of the jail"
    eq "$(ls -A /canary/directory)" ""
    eq "$(ls -A /canary)" "directory
secret"
}

# known KIND... : these runtimes fall for the attack; it counts as TODO for them
known() {
    local kind
    for kind; do todo_for "$kind" "falls for it"; done
}

# repeat COMMAND...: for the time of a race; the command's failure does not matter
repeat() {
    local end=$((SECONDS + RACE_SECONDS))
    REPEATED=0
    while [ $SECONDS -lt $end ]; do
        "$@" >>"$B.race" 2>&1 || true
        REPEATED=$((REPEATED + 1))
    done
    echo "tried $REPEATED times"
}

# with_caps NAME...: adds capabilities of the container
with_caps() {
    edit '.process.capabilities |= with_entries(.value += $ARGS.positional)' --args -- "$@"
}

writable() {
    edit '.root.readonly = false'
}
