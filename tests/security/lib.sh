# shellcheck shell=bash
# lib.sh - sourced by the security tests: the words of tests/integration/lib.sh inside a jail, because attacks
# that succeed damage what they reach, and some runtimes fail destructively.
#
#   RUNTIME=/usr/sbin/runc tests/security/image.sh       any OCI runtime; default: the build's aril
#   QUICK=1                                              races run 2 seconds each instead of 20
#   SECURITY_MODE=rootless                               who runs the runtime (below); default: root
#   tests/without-calls all tests/security/image.sh      without the mount API
#
# The modes; tests/run-tests runs all of them, with the mount API and without:
#
#   root       the runtime is root, the container has no user namespace
#   userns     the runtime is root, each container has a user namespace of its own
#   rootless   an ordinary user runs it; the user namespace is the runtime's work, with subordinate ids
#   engine     it is root of a user namespace that an ordinary user's engine has made (podman without root)
#
# In each of them everything that the attacks aim at (canary, executable, state, image) belongs to those who would have
# to be stopped, or is writable for all: an attack fails because of the runtime, not for want of permission.
#
# The jail: the whole file system is an overlay whose upper layer is a tmpfs, with private mount, pid and cgroup
# namespaces and, on version 1, cgroup mounts that show only a cgroup of the jail's own. A canary outside must be
# there, unchanged, at the end; inside, /canary is what attacks try to read or write.

SECURITY=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
RACE_SECONDS=$([ -n "${QUICK:-}" ] && echo 2 || echo 20)
SECURITY_MODE=${SECURITY_MODE:-root}
case $SECURITY_MODE in
root | userns | rootless | engine) ;;
*) echo "Bail out! SECURITY_MODE=$SECURITY_MODE: not root, userns, rootless or engine"; exit 1 ;;
esac

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
for function in tap_setup each_before bundle; do eval "integration_$(declare -f $function)"; done
TEST_LIMIT=${TEST_LIMIT:-60}
PROGRAM=$RUNTIME    # what was built
EXECUTABLE=$RUNTIME # what runs: a copy, where RUNTIME is a script that becomes somebody first
MODE_CONFIG=        # what the mode changes in config.json
# gives the container a user namespace of its own, where it has none
USER_NAMESPACE='.linux.namespaces += [{type: "user"}]
    | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'

# what one attack did to the host must not count for the next one
each_before() {
    rm -rf /canary
    mkdir -p /canary/directory
    echo "canary of the jail" >/canary/secret
    chmod -R a+rwX /canary
    integration_each_before
}

tap_setup() {
    integration_tap_setup
    ${CC:-cc} -std=c17 -O1 -Wall -Wextra -static -o "$TEST_BIN/attack" "$SECURITY/attack.c" ||
        bail_out "cannot compile attack.c"
    cp "$TEST_BIN/attack" "$W/rootfs/bin/attack"
    echo "# mode: $SECURITY_MODE${DENIED_CALLS:+, without $DENIED_CALLS}"
    "mode_$SECURITY_MODE"
    MOUNTS_BEFORE=$(cut -d' ' -f5- /proc/self/mountinfo)
}

# ---- modes ------------------------------------------------------------------------------------------------------

mode_root() {
    :
}

# owned_by ID: everything in reach of the attacks is that user's, who is the container's root
owned_by() {
    EXECUTABLE=$W/$KIND
    cp "$RUNTIME" "$EXECUTABLE"
    chmod 777 "$EXECUTABLE" "$W"
    chown -hR "$1:$1" "$W/rootfs"
}

# runs_as COMMAND...: RUNTIME becomes a script that starts the executable that way
runs_as() {
    RUNTIME=$W/runtime
    printf '#!/bin/sh\nexport HOME=%q XDG_RUNTIME_DIR=%q\nexec %s %q "$@"\n' "$W/home" "$W/home/run" "$*" "$EXECUTABLE" >"$RUNTIME"
    chmod 755 "$RUNTIME"
}

mode_userns() {
    owned_by 100000
    MODE_CONFIG=$USER_NAMESPACE USER_NAMESPACE=.
}

# the user is the jail's
make_user() {
    local file
    command -v newuidmap >/dev/null || { echo "1..0 # SKIP needs newuidmap (Debian: uidmap)"; exit 0; }
    echo "ariltest:x:$TEST_USER:$TEST_USER::$W/home:/bin/sh" >>/etc/passwd
    echo "ariltest:x:$TEST_USER:" >>/etc/group
    for file in /etc/subuid /etc/subgid; do echo "ariltest:500000:65536" >$file; done
    mkdir -p "$W/home/run"
    chmod 700 "$W/home/run"
    chown -R $TEST_USER:$TEST_USER "$W/home" "$STATE"
    owned_by $TEST_USER
    chown $TEST_USER:$TEST_USER "$EXECUTABLE"
}

BECOME_USER="setpriv --reuid $TEST_USER --regid $TEST_USER --clear-groups --inh-caps=-all --"

mode_rootless() {
    make_user
    runs_as "$BECOME_USER"
    MODE_CONFIG='.linux.namespaces += [{type: "user"}] | del(.linux.resources) | .mounts |= map(select(.type != "cgroup"))
        | .linux.uidMappings = [{containerID: 0, hostID: 4242, size: 1}, {containerID: 1, hostID: 500000, size: 65536}]
        | .linux.gidMappings = .linux.uidMappings'
    USER_NAMESPACE=.
}

# The engine's user namespace and its mount namespace live as long as a process that does nothing.
mode_engine() {
    make_user
    mkfifo -m 666 "$W/never"
    $BECOME_USER unshare --user --map-auto --map-root-user --mount --propagation slave \
        sh -c 'echo >"$1"; read -r _ <>"$2"' sh "$W/home/made" "$W/never" </dev/null >/dev/null 2>&1 &
    ENGINE=$!
    USER_NAMESPACE='.linux.namespaces += [{type: "user"}]
        | .linux.uidMappings = [{containerID: 0, hostID: 1, size: 65535}] | .linux.gidMappings = .linux.uidMappings'
    wait_for 10 test -s "$W/home/made" || bail_out "no user namespace for the engine"
    # shellcheck disable=SC2016 # for the script
    runs_as "nsenter --target $ENGINE --user --mount --setuid 0 --setgid 0" '--wdns="$PWD" --'
}

# not_in MODE... REASON: skips the test in these modes
not_in() {
    local mode
    for mode in "${@:1:$#-1}"; do
        if [ "$mode" = "$SECURITY_MODE" ]; then skip "$mode: ${*: -1}"; fi
    done
}

bundle() {
    if [ "$SECURITY_MODE" != root ]; then umask 0; fi # what the test makes in the image
    integration_bundle
    if [ -n "$MODE_CONFIG" ]; then edit "$MODE_CONFIG"; fi
    if [ $# -gt 0 ]; then edit "$@"; fi
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
