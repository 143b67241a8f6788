#!/bin/bash
# The runtime inside an unprivileged container: what the kernel allows there works, the rest is an error that names
# what the outer container needs. The outer container, too, is made by this runtime.
. "$(dirname "$0")/lib.sh"

# the capabilities that engines give by default
DEFAULT_CAPS='["CAP_CHOWN","CAP_DAC_OVERRIDE","CAP_FOWNER","CAP_FSETID","CAP_KILL","CAP_NET_BIND_SERVICE","CAP_SETFCAP",
    "CAP_SETGID","CAP_SETPCAP","CAP_SETUID","CAP_SYS_CHROOT"]'
UNMASKED='del(.linux.maskedPaths, .linux.readonlyPaths)'

copy_with_libraries() { # program root
    local library
    cp "$1" "$2/bin/"
    for library in $(ldd "$1" 2>/dev/null | grep -o '/[^ ]*'); do
        mkdir -p "$2$(dirname "$library")"
        cp -L "$library" "$2$library"
    done
}

# outer [JQ-FILTER]: a writable container with the runtime and a bundle at /inner, capabilities as engines give them
outer() {
    mkdir -p "$B"
    cp -a "$W/rootfs" "$B/rootfs"
    copy_with_libraries "$RUNTIME" "$B/rootfs"
    mkdir "$B/rootfs/inner"
    cp -a "$W/rootfs" "$B/rootfs/inner/rootfs"
    cp "$SOURCE/tests/data/config.json" "$B/config.json"
    edit '.root.readonly = false | .process.capabilities |= map_values($caps)' --argjson caps "$DEFAULT_CAPS"
    if [ $# -gt 0 ]; then edit "$@"; fi
}

# inner JQ-FILTER: its config.json, with a user namespace of one id
inner() {
    jq '.linux.namespaces += [{type: "user"}] | del(.linux.resources) |
        .linux.uidMappings = [{containerID: 0, hostID: 0, size: 1}] | .linux.gidMappings = .linux.uidMappings |
        (.mounts[] | select(.type == "devpts")).options |= map(select(startswith("gid") | not))' \
        "$SOURCE/tests/data/config.json" | jq "$1" >"$B/rootfs/inner/config.json"
}

# inside SCRIPT: runs it in the outer container, where $R is the runtime
inside() {
    command_is /bin/sh -c "R=\"$(basename "$RUNTIME") --root /tmp/state\"; cd /inner; $1"
    capture rt run -b "$B" "$ID"
}

run_inner() {
    # shellcheck disable=SC2016 # for the shell inside
    inside '$R run inner'
}

refused_with() { # part of the error
    run_inner
    ne "$RC" 0
    one_line "$ERR"
    has "$ERR" "$1"
}

# P10 140: root of an unprivileged container, its capabilities as engines give them: one id, and many
test_root() {
    not_for runc "1.1 needs a cgroup"
    not_for crun "1.8 needs a cgroup"
    outer "$UNMASKED"
    inner .
    run_inner
    REPORT=$OUT
    eq "$(p '[.uid[0], .gid[0], .pid]')" '[0,0,1]'
    inner '.linux.uidMappings[0].size = 3000 | .linux.gidMappings = .linux.uidMappings | .process.user = {uid: 1000, gid: 2000}'
    run_inner
    REPORT=$OUT
    eq "$(p '[.uid[0], .gid[0]]')" '[1000,2000]'
}

# P10: an ordinary user of an unprivileged container without a capability
test_user() {
    not_for runc "1.1 needs a cgroup"
    outer "$UNMASKED | .process.user = {uid: 1000, gid: 1000} | .process.capabilities = {}"
    inner '.linux.uidMappings[0].hostID = 1000 | .linux.gidMappings = .linux.uidMappings'
    chown -R 1000:1000 "$B/rootfs/inner"
    run_inner
    REPORT=$OUT
    eq "$(p '[.uid[0], .gid[0], .pid]')" '[0,0,1]'
}

# P10: in a container with a user namespace and all capabilities there, as rootless podman makes it: with and without another
test_in_userns() {
    not_for runc "1.1 needs a cgroup"
    not_for crun "1.8 needs a cgroup"
    outer "$UNMASKED"' | .linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 200000, size: 65536}] |
        .linux.gidMappings = .linux.uidMappings | .process.capabilities |= map_values(["CAP_SYS_ADMIN","CAP_SETUID","CAP_SETGID",
        "CAP_SETFCAP","CAP_SETPCAP","CAP_NET_ADMIN","CAP_SYS_CHROOT","CAP_CHOWN","CAP_MKNOD","CAP_DAC_OVERRIDE"])'
    chown -R 200000:200000 "$B/rootfs"
    inner .
    run_inner
    REPORT=$OUT
    eq "$(p '[.uid[0], .pid]')" '[0,1]'
    inner '.linux.namespaces |= map(select(.type != "user")) | del(.linux.uidMappings, .linux.gidMappings)'
    run_inner
    REPORT=$OUT
    eq "$(p '[.uid[0], .pid]')" '[0,1]'
    eq "$(p '.uid_map | gsub(" +"; " ")')" " 0 200000 65536"
}

# 14-31 84: the life cycle and exec inside an unprivileged container
test_life() {
    not_for runc "1.1 needs a cgroup"
    not_for crun "1.8 needs a cgroup"
    outer "$UNMASKED"
    inner '.process.args = ["/bin/sleep", "1000"]'
    # shellcheck disable=SC2016 # for the shell inside
    inside '$R create inner && $R start inner && $R exec inner sh -c "echo in; id -u" && $R state inner | grep -o running &&
        $R kill --all inner KILL && until $R state inner | grep stopped; do sleep 0.1; done; $R delete inner && $R list -q'
    eq "$OUT" $'in\n0\nrunning\n  "status": "stopped",'
}

# 116: a masked /proc: the error names what the outer container needs; without a pid namespace it works
test_masked_proc() {
    not_for runc "1.1 needs a cgroup"
    not_for crun "1.8 needs a cgroup"
    outer
    inner .
    refused_with "unmask=ALL"
    has "$ERR" "mounts[0] (/proc)"
    inner '.linux.namespaces |= map(select(.type != "pid"))'
    run_inner
    REPORT=$OUT
    eq "$(p '.uid[0]')" 0
}

# 139: without CAP_SETUID and CAP_SETFCAP the ids of others cannot be mapped, and the error says so
test_no_capabilities() {
    not_for runc "1.1 needs a cgroup"
    not_for crun "1.8 explains less"
    outer "$UNMASKED | .process.capabilities = {}"
    inner .
    refused_with CAP_SETFCAP
}

# 140: no user namespace in the config, and no CAP_SYS_ADMIN: the error says what to add
test_no_userns() {
    not_for runc "1.1 needs a cgroup"
    not_for crun "1.8 explains less"
    outer "$UNMASKED"
    inner '.linux.namespaces |= map(select(.type != "user")) | del(.linux.uidMappings, .linux.gidMappings)'
    refused_with "spec --rootless"
}

# 130: a seccomp filter of the outer container in the way of user namespaces or clone3 is named
test_seccomp_around() {
    local code
    not_for runc "1.1 has no clone3"
    not_for crun "1.8 has no clone3"
    for code in 1 38; do
        outer "$UNMASKED"' | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["clone3"], action: "SCMP_ACT_ERRNO",
            errnoRet: $code}]}' --argjson code $code
        inner .
        refused_with "seccomp profile"
        rm -rf "$B/rootfs"
    done
}

# 171: a limit that cannot be kept without a cgroup is refused by its name
test_limit() {
    not_for runc "1.1 explains less"
    not_for crun "1.8 explains less"
    outer "$UNMASKED"
    inner '.linux.resources = {pids: {limit: 100}}'
    refused_with linux.resources.pids.limit
}

tap_main
