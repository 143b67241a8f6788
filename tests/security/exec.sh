#!/bin/bash
# exec.sh - attacks of a running container on the runtime that enters it.
. "$(dirname "$0")/lib.sh"

attack_while_executing() { # attack
    writable
    up /bin/attack "$1" "$RACE_SECONDS"
    end=$((SECONDS + RACE_SECONDS - 1))
    while [ $SECONDS -lt $end ]; do
        ARIL_TEST_SECRET=abc timeout 5 "$RUNTIME" --root "$STATE" exec "$ID" /bin/true >/dev/null 2>&1 || true
    done
    wait_for 10 stopped
    sort "$B/out" | uniq -c
}

# CVE-2016-9962: a payload with CAP_SYS_PTRACE finds nothing of the host in the exec stage
test_exec_stage() {
    todo_for crun "falls for it"
    bundle
    with_caps CAP_SYS_PTRACE
    attack_while_executing exec-stage
    hasnt "$(cat "$B/out")" "host"
    hasnt "$(cat "$B/out")" "environment"
}

# CVE-2016-9962: the same without a capability
test_exec_stage_unprivileged() {
    bundle
    attack_while_executing exec-stage
    hasnt "$(cat "$B/out")" "host"
    hasnt "$(cat "$B/out")" "environment"
}

# CVE-2016-9962: the same in a user namespace, whose root has all capabilities
test_exec_stage_user_namespace() {
    not_in userns rootless "that is what every test does there"
    bundle "$USER_NAMESPACE"
    chmod 755 "$B"
    with_caps CAP_SYS_PTRACE CAP_SYS_ADMIN
    attack_while_executing exec-stage
    hasnt "$(cat "$B/out")" "host"
    hasnt "$(cat "$B/out")" "environment"
}

# CVE-2016-9962: a payload with CAP_SYS_PTRACE whose pid namespace another container is made in
test_create_in_pid_namespace() {
    todo_for crun "falls for it"
    local end pid first=$B
    # there what becomes the payload of the second container has to mount the first one's /proc from inside
    if [ "$KIND" = aril ] && ! "$TEST_BIN/attack" can-mount-procfs-of; then
        not_in root engine "only Linux 6.17's mount API makes a procfs of a pid namespace from outside of it"
    fi
    bundle
    with_caps CAP_SYS_PTRACE
    writable
    up /bin/attack exec-stage "$RACE_SECONDS"
    pid=$(pid_of)
    B=$B.second
    # a user namespace owns its pid namespace: who joins one joins both
    bundle '.linux.namespaces |= map(if .type == "pid" or .type == "user" then .path = $p + .type else . end)
        | if .linux.uidMappings then del(.linux.uidMappings, .linux.gidMappings) else . end' --arg p "/proc/$pid/ns/"
    command_is /bin/sh -c 'echo ran; cat /proc/1/comm'
    eq "$(rt run -b "$B" "$ID-2")" "ran
attack"
    command_is /bin/true
    end=$((SECONDS + RACE_SECONDS - 1))
    while [ $SECONDS -lt $end ]; do
        ARIL_TEST_SECRET=abc timeout 5 "$RUNTIME" --root "$STATE" run -b "$B" "$ID-2" >/dev/null 2>&1 || true
    done
    wait_for 10 stopped
    sort "$first/out" | uniq -c
    hasnt "$(cat "$first/out")" "host"
    hasnt "$(cat "$first/out")" "environment"
}

# CVE-2019-5736: the runtime's executable cannot be written through /proc/PID/exe
test_proc_exe() {
    bundle
    with_caps CAP_SYS_PTRACE CAP_DAC_OVERRIDE
    before=$(sha256sum "$EXECUTABLE")
    attack_while_executing proc-exe
    hasnt "$(cat "$B/out")" writable
    eq "$(sha256sum "$EXECUTABLE")" "$before"
}

# CVE-2019-5736: an image whose program is a link to /proc/self/exe runs nothing of the runtime that could be written
test_proc_self_exe() {
    bundle
    writable
    with_caps CAP_DAC_OVERRIDE
    before=$(sha256sum "$EXECUTABLE")
    ln -s /proc/self/exe "$B/rootfs/bin/own"
    command_is /bin/own --version
    rt run -b "$B" "$ID" >"$B.out" 2>&1 || true
    eq "$(sha256sum "$EXECUTABLE")" "$before"
}

# the runtime in a chroot: what is around it cannot be reached by setns() to the container's own mount namespace
test_setns_in_chroot() {
    not_in userns rootless "the kernel refuses user namespaces to whoever is in a chroot"
    not_in engine "the namespaces of the engine are entered on the way, and the chroot left with that"
    todo_for crun "leaves the host's root in the mount namespace"
    todo_for runc "leaves the host's root in the mount namespace"
    local jail=$B.jail
    bundle '.root.readonly = false'
    with_caps CAP_SYS_ADMIN CAP_SYS_CHROOT
    command_is /bin/attack setns
    eq "$(rt run -b "$B" "$ID")" safe
    mkdir "$jail"
    mount --rbind / "$jail"
    mount -t tmpfs tmpfs "$jail/canary"
    OUT=$(chroot "$jail" "$RUNTIME" --root "$STATE" run -b "$B" "$ID" 2>&1 </dev/null) || true
    umount -R -l "$jail"
    rmdir "$jail"
    eq "$OUT" safe
}

tap_main
