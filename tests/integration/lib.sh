# shellcheck shell=bash
# lib.sh - sourced by every integration test: private namespaces, bundles, and the check that nothing is left.
#
#   RUNTIME=/usr/sbin/runc tests/integration/lifecycle.sh        any OCI runtime; default: the build's aril
#   ONLY=regex SKIP=regex KEEP=1 TEST_BIN=DIR                    choose tests, keep the directory, reuse helpers
#
# A file that sources this runs again in a private mount and pid namespace, so that even a broken runtime leaves
# nothing on the machine. After every test the library deletes the containers that the test left, then compares
# mounts, processes, cgroups and the state directory with what was there before.
#
# Set for the tests: W (scratch directory), STATE (--root), ID (id of this test's container), B (bundle made by
# `bundle`), KIND (aril, runc, crun), HERE (tests/integration), CGROUP_VERSION (1 or 2).

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SOURCE=$(cd "$HERE/../.." && pwd)
# shellcheck source=../tap.sh
. "$HERE/../tap.sh"

find_runtime() {
    local candidate
    for candidate in "${BUILD:-$SOURCE/build}/aril" "$SOURCE"/build*/aril "$SOURCE/aril"; do
        if [ -x "$candidate" ]; then echo "$candidate" && return; fi
    done
}

RUNTIME=${RUNTIME:-$(find_runtime)}
[ -n "$RUNTIME" ] || bail_out "no aril built: set RUNTIME=/path/to/a/runtime"
RUNTIME=$(readlink -f -- "$(command -v "$RUNTIME")") || bail_out "$RUNTIME is not executable"
[ "$(id -u)" = 0 ] || bail_out "these tests need root (the rootless ones drop it themselves)"

if [ -z "${ARIL_TEST_JAIL:-}" ]; then
    rm -rf "$TAP_DIR"
    ARIL_TEST_JAIL=1 RUNTIME=$RUNTIME exec unshare --mount --pid --fork --kill-child --mount-proc --propagation private \
        -- "$0" "$@"
fi

KIND=$("$RUNTIME" --version 2>/dev/null | head -n 1 | cut -d' ' -f1)
W=$(mktemp -d "${TMPDIR:-/tmp}/aril-test.XXXXXX") || exit 1
chmod 755 "$W"
PREFIX=${W##*.} STATE=$W/state TEST_NUMBER=0
# shellcheck source=../accounts.sh
. "$HERE/../accounts.sh"
if grep -q ' /sys/fs/cgroup cgroup2 ' /proc/mounts; then CGROUP_VERSION=2; else CGROUP_VERSION=1; fi

# Older crun refuses a hybrid layout: show it the v1 hierarchies alone, on a tmpfs of our mount namespace.
hide_cgroup2() {
    local mount type
    mkdir "$W/cgroup" && mount -t tmpfs -o mode=755 tmpfs "$W/cgroup" || return
    while read -r _ mount type _; do
        [ "$type" = cgroup ] || continue
        mkdir "$W/cgroup/${mount##*/}" && mount --bind "$mount" "$W/cgroup/${mount##*/}"
    done < <(grep ' /sys/fs/cgroup/' /proc/mounts)
    umount -R /sys/fs/cgroup && mount --rbind "$W/cgroup" /sys/fs/cgroup && umount -R "$W/cgroup"
}
if [ "$KIND" = crun ] && [ $CGROUP_VERSION = 1 ]; then hide_cgroup2; fi

# ---- set-up -----------------------------------------------------------------------------------------------

compile_helper() { # name
    [ -x "$TEST_BIN/$1" ] || ${CC:-cc} -std=c17 -O1 -Wall -Wextra -static -o "$TEST_BIN/$1" "$HERE/$1.c" ||
        bail_out "cannot compile $1.c (Debian: apt-get install gcc libc6-dev)"
}

make_rootfs() {
    local applet root=$W/rootfs
    mkdir -p "$root"/{bin,dev,etc,home/user,proc,root,run,sys,tmp,var}
    chmod 1777 "$root/tmp"
    cp "$(command -v busybox)" "$root/bin/busybox"
    for applet in $("$root/bin/busybox" --list); do
        [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
    done
    cp "$TEST_BIN/probe" "$root/bin/probe"
    printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home/user:/bin/sh\n' >"$root/etc/passwd"
    printf 'root:x:0:\nuser:x:1000:\nextra:x:2000:user\n' >"$root/etc/group"
    chown 1000:1000 "$root/home/user"
}

tap_setup() {
    local tool
    for tool in jq busybox setpriv unshare nsenter script; do
        command -v $tool >/dev/null || bail_out "$tool is missing (contrib/test-all installs what the tests need)"
    done
    if [ -z "${TEST_BIN:-}" ]; then TEST_BIN=$W/helpers && mkdir "$TEST_BIN"; fi
    compile_helper probe
    compile_helper recvtty
    make_rootfs
    mkdir -m 700 "$STATE"
    echo "# $(basename "$0"): $RUNTIME ($("$RUNTIME" --version | head -n 1)), cgroup v$CGROUP_VERSION, $(uname -r)"
    MOUNTS_BEFORE=$(cut -d' ' -f5- /proc/self/mountinfo)
}

tap_teardown() {
    cd / || exit
    each_after >/dev/null 2>&1
    if [ -n "${KEEP:-}" ]; then echo "# kept $W"; else rm -rf --one-file-system "$W"; fi
}

# ---- before and after each test -----------------------------------------------------------------------------

each_before() {
    TEST_NUMBER=$((TEST_NUMBER + 1))
    ID=$PREFIX-$TEST_NUMBER B=$W/$ID
    look_at_processes
    PROCESSES_BEFORE=" $PROCESSES"
}

# sets PROCESSES: the pids in our pid namespace without zombies. No subshell, which would be one more process.
look_at_processes() {
    local stat line
    PROCESSES=
    for stat in /proc/[0-9]*/stat; do
        { read -r line <"$stat"; } 2>/dev/null || continue
        [[ "$line" =~ ^[0-9]+\ \(.*\)\ [ZX]\  ]] || PROCESSES+="${line%% *} "
    done
}

# sets NEW_PROCESSES: those that were not there before the test
look_at_new_processes() {
    local pid
    look_at_processes
    NEW_PROCESSES=
    for pid in $PROCESSES; do
        [[ "$PROCESSES_BEFORE" == *" $pid "* ]] || [ "$pid" = "$BASHPID" ] || NEW_PROCESSES+="$pid "
    done
}

cgroups_left() {
    find /sys/fs/cgroup -depth -type d -name "*$PREFIX*" 2>/dev/null
}

# What was mounted or unmounted. A mount whose directory is gone is nobody's fault here: rmdir in another mount namespace
# detaches it in ours, too.
changed_mounts() {
    local sign target rest
    diff <(echo "$MOUNTS_BEFORE") <(cut -d' ' -f5- /proc/self/mountinfo) | while read -r sign target rest; do
        if [ "$sign" = ">" ] || { [ "$sign" = "<" ] && [ -e "$(printf %b "$target")" ]; }; then echo "$sign $target $rest"; fi
    done
}

leftovers() {
    local pid mounts state cgroup
    for pid in $NEW_PROCESSES; do
        echo "left process $pid: $(tr '\0' ' ' <"/proc/$pid/cmdline")"
    done 2>/dev/null
    mounts=$(changed_mounts)
    [ -z "$mounts" ] || echo "left mounts: $mounts"
    state=$(find "$STATE" -mindepth 1 -maxdepth 1 -name "*$PREFIX*")
    [ -z "$state" ] || echo "left state: $state"
    for cgroup in $(cgroups_left); do echo "left cgroup: $cgroup"; done
}

no_leftovers() {
    look_at_new_processes
    LEFT=$(leftovers)
    [ -z "$LEFT" ]
}

force_cleanup() {
    local pid cgroup mount
    look_at_new_processes
    for pid in $NEW_PROCESSES; do kill -KILL "$pid" 2>/dev/null; done
    for pid in $(cgroups_left | sed 's,$,/cgroup.procs,' | xargs -r cat 2>/dev/null); do kill -KILL "$pid" 2>/dev/null; done
    sleep 0.1
    awk '{print $5}' /proc/self/mountinfo | grep -F "$W/" | sort -r | while read -r mount; do umount -l "$mount"; done
    for cgroup in $(cgroups_left); do rmdir "$cgroup" 2>/dev/null; done
    find "$STATE" -mindepth 1 -delete
}

# every test starts clean: what a test leaves alive is deleted through the runtime, then nothing may remain
each_after() {
    local container failed=0
    for container in "$STATE/$PREFIX"*/; do
        [ -d "$container" ] || continue
        rt delete --force "$(basename "$container")" || failed=1
    done
    if ! wait_for 3 no_leftovers; then
        echo "$LEFT"
        failed=1
        force_cleanup >/dev/null 2>&1
    fi
    rm -rf --one-file-system "${B:?}" "${B:?}".*
    return $failed
}

# ---- words for tests ------------------------------------------------------------------------------------------

# rt COMMAND...: the runtime, on our state directory, with a time limit
rt() {
    timeout -k 5 60 "$RUNTIME" --root "$STATE" "$@"
}

# bundle [JQ-FILTER [JQ-ARGS]]: a bundle in $B from tests/data/config.json
bundle() {
    mkdir -p "$B"
    cp -al "$W/rootfs" "$B/rootfs"
    cp "$SOURCE/tests/data/config.json" "$B/config.json"
    if [ $# -gt 0 ]; then edit "$@"; fi
}

# edit JQ-FILTER [JQ-ARGS]: changes the bundle's config.json
edit() {
    local filter=$1
    shift
    jq "$filter" "$B/config.json" "$@" >"$B/config.new"
    mv "$B/config.new" "$B/config.json"
}

# command WORD...: what the container runs
command_is() {
    edit '.process.args = $ARGS.positional' --args -- "$@"
}

# shell SCRIPT: runs the script with sh in a container of this bundle
shell() {
    command_is /bin/sh -c "$1"
    rt run -b "$B" "$ID"
}

# probe [JQ-FILTER]: changes the config, runs /bin/probe and keeps its report for p
probe() {
    if [ $# -gt 0 ]; then edit "$@"; fi
    command_is /bin/probe
    REPORT=$(rt run -b "$B" "$ID")
}

# p JQ-FILTER: a fact from the report
p() {
    jq -rc "$1" <<<"$REPORT"
}

# make_file PATH [CONTENT]: a fresh file in the rootfs (whose files are links to the common ones)
make_file() {
    rm -f "$B/rootfs/$1"
    printf '%s' "${2:-}" >"$B/rootfs/$1"
}

# up [WORD...]: a started container in the background, by default sleeping
up() {
    [ $# -gt 0 ] || set -- /bin/sleep 1000
    command_is "$@"
    rt create -b "$B" "$ID" >"$B/out" 2>&1 || { cat "$B/out"; return 1; }
    rt start "$ID"
}

created() {
    command_is "${@:-/bin/sleep}" 1000
    rt create -b "$B" "$ID" >"$B/out" 2>&1 || { cat "$B/out"; return 1; }
}

status() { # [id]
    rt state "${1:-$ID}" | jq -r .status
}

pid_of() { # [id]
    rt state "${1:-$ID}" | jq -r .pid
}

is_status() { # status
    [ "$(status)" = "$1" ]
}

stopped() {
    wait_for 10 is_status stopped
}

log_has() { # text: the output of the container started by up or created
    grep -qF -- "$1" "$B/out"
}

# cgroupfs_paths: for tests with a path that only the cgroupfs driver takes. DRIVER is the driver of RUNTIME
cgroupfs_paths() {
    [ "${DRIVER:-cgroupfs}" = cgroupfs ] || skip "a cgroupsPath as the cgroupfs driver has it"
}

# controller_version CONTROLLER: 1, 2 or nothing; beside v1 hierarchies the v2 one may have what they lack
controller_version() {
    if [ $CGROUP_VERSION = 1 ] && awk -v c="$1" '$3 == "cgroup" && ("," $4 ",") ~ ("," c ",") { found = 1 } END { exit !found }' \
        /proc/mounts; then
        echo 1
    elif grep -qw -- "$1" "$(cgroup2_mount)/cgroup.controllers" 2>/dev/null; then
        echo 2
    fi
}

cgroup2_mount() {
    if [ $CGROUP_VERSION = 2 ]; then echo /sys/fs/cgroup; else echo /sys/fs/cgroup/unified; fi
}

# denied [all] [mount_setattr]: are these system calls taken away (tests/without-calls)?
denied() {
    [[ " $* " == *" ${DENIED_CALLS:-none} "* ]]
}

# the directory of a controller that belongs to a process
cgroup_dir() { # controller pid
    if [ "$(controller_version "$1")" = 1 ]; then
        echo "/sys/fs/cgroup/$1$(sed -n -E "s/^[0-9]+:([a-z_,]*,)?$1(,[a-z_,]*)?://p" "/proc/$2/cgroup")"
    else
        echo "$(cgroup2_mount)$(sed -n 's/^0:://p' "/proc/$2/cgroup")"
    fi
}

# with_operator JSON COMMAND...: the command sees this as the operator's file; nothing of it stays
with_operator() {
    mkdir -p "$B/etc-layer"
    printf '%s' "$1" >"$B/operator.json"
    chmod 644 "$B/operator.json"
    shift
    unshare -m --propagation private sh -c '
        mount -t tmpfs tmpfs "$1/etc-layer" && mkdir "$1/etc-layer/u" "$1/etc-layer/w" &&
        mount -t overlay -o "lowerdir=/etc,upperdir=$1/etc-layer/u,workdir=$1/etc-layer/w" overlay /etc &&
        mkdir -p /etc/aril && cp "$1/operator.json" /etc/aril/sandbox.json && shift && exec "$@"' sh "$B" "$@"
}

# as_user COMMAND...: as an ordinary user without privileges, with an own runtime directory. He has no session: where
# $RUNTIME has the systemd driver, ${PLAIN:-$RUNTIME} is without it
as_user() {
    (exec_as_user "$@")
}

# exec_as_user COMMAND...: the same in place of this shell; with & the pid is the command's
exec_as_user() {
    exec env -i PATH="$PATH" HOME="$W/home" XDG_RUNTIME_DIR="$W/home/run" \
        setpriv --reuid $TEST_USER --regid $TEST_USER --clear-groups --inh-caps=-all -- "$@"
}
