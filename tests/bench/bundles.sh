# shellcheck shell=bash
# bundles.sh - the bundles that the measurements run, sourced by tests/bench/bench and tests/perf/*.sh.
#
#   bench_rootfs DIR [PROGRAM...]    a root file system of busybox, and programs that go to its /bin
#   bench_bundle DIR ROOTFS [JQ-FILTER...]    a bundle: tests/data/config.json (what `spec` writes, without a terminal),
#                                    changed by each filter in turn; /bin/true unless a filter says otherwise
#
# The filters: $PAUSED (sleeps), $PODMAN (what podman makes of its defaults and 32 volumes), $SECCOMP (an engine's
# profile), and what many_mounts N and many_rules N print.
# shellcheck disable=SC2034 # they are for those who source this

BENCH=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

PAUSED='.process.args = ["/bin/sleep", "1000"]'

bench_rootfs() { # dir program...
    local dir=$1
    shift
    mkdir -p "$dir"/{bin,dev,etc,mnt,proc,run,sys,tmp} "$dir.volumes"
    cp "$(command -v busybox)" "$dir/bin/busybox"
    ln -s busybox "$dir/bin/true"
    ln -s busybox "$dir/bin/sleep"
    echo 'root:x:0:0:root:/:/bin/sh' >"$dir/etc/passwd"
    touch "$dir/etc/hosts" "$dir/etc/hostname" "$dir/etc/resolv.conf" "$dir/run/.containerenv" "$dir.volumes/file"
    [ $# = 0 ] || cp "$@" "$dir/bin/"
}

bench_bundle() { # dir rootfs filter...
    local dir=$1 rootfs=$2 filter='.process.args = ["/bin/true"] | .root.path = $rootfs' part
    shift 2
    for part in "$@"; do filter+=" | $part"; done
    mkdir -p "$dir"
    jq --arg rootfs "$rootfs" --arg volumes "$rootfs.volumes" --argjson names "$(bench_syscalls)" "$filter" \
        "$BENCH/../data/config.json" >"$dir/config.json"
}

bench_syscalls() {
    grep -v '^#' "$BENCH/syscalls" | tr -s ' \n' '\n' | jq -nR '[inputs | select(. != "")]'
}

# A profile as engines write it: a list of 400 names, some with conditions, clone by its flags, ENOSYS for clone3.
SECCOMP='.linux.seccomp = {
    defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 38,
    architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
    syscalls: [
        {names: $names, action: "SCMP_ACT_ALLOW"},
        {names: ["personality"], action: "SCMP_ACT_ALLOW", args: [{index: 0, value: 0, op: "SCMP_CMP_EQ"}]},
        {names: ["personality"], action: "SCMP_ACT_ALLOW", args: [{index: 0, value: 8, op: "SCMP_CMP_EQ"}]},
        {names: ["personality"], action: "SCMP_ACT_ALLOW", args: [{index: 0, value: 131072, op: "SCMP_CMP_EQ"}]},
        {names: ["clone"], action: "SCMP_ACT_ALLOW",
         args: [{index: 0, value: 2114060288, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ"}]},
        {names: ["arch_prctl", "modify_ldt"], action: "SCMP_ACT_ALLOW"},
        {names: ["bpf", "mount", "ptrace", "setns", "umount2", "unshare"], action: "SCMP_ACT_ERRNO", errnoRet: 1}]}'

# what podman writes for `podman run -v …:ro`, 32 times
PODMAN="$SECCOMP"' | .hostname = "fedcba987654"
    | .process.env = ["PATH=/bin", "TERM=xterm", "container=podman", "HOME=/root", "HOSTNAME=fedcba987654"]
    | (["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID",
        "SYS_CHROOT"] | map("CAP_" + .)) as $capabilities
    | .process.capabilities = {bounding: $capabilities, effective: $capabilities, permitted: $capabilities}
    | .root.readonly = false
    | .linux.resources.pids.limit = 2048
    | .linux.maskedPaths += ["/sys/fs/selinux", "/sys/dev/block"]
    | def bind($source; $target; $options):
        {destination: $target, type: "bind", source: "\($volumes)\($source)", options: (["bind", "rprivate"] + $options)};
    .mounts += [bind("/file"; "/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/run/.containerenv"; []),
        bind(""; range(32) | "/tmp/volume\(.)"; ["ro", "nosuid", "nodev"])]
    | .annotations = {"io.container.manager": "libpod", "org.opencontainers.image.stopSignal": "15"}'

# many_mounts N: binds of a directory. crun 1.8 has a descriptor open for each, and sets the limits first.
many_mounts() {
    echo '.mounts += [range('"$1"') | {destination: "/tmp/\(.)", type: "bind", source: $volumes, options: ["bind", "ro"]}]
        | .root.readonly = false | .process.rlimits[0] += {soft: 8192, hard: 8192}'
}

# many_rules N: a profile with N rules on arguments, which no merging makes small
many_rules() {
    echo '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_X86_64"],
        syscalls: [range('"$1"') | {names: [$names[. % 20 * 15]], action: "SCMP_ACT_ERRNO", errnoRet: 1,
            args: [{index: 5, value: (. * 65537 + 7), op: "SCMP_CMP_EQ"}]}]}'
}
