#!/bin/bash
# AppArmor and SELinux: labels of processes, mounts and keyrings. Kernels have one of them at most, and this machine's
# perhaps none: `tests/vm/run --host v2 lsm` has AppArmor, `--host selinux` SELinux.
. "$(dirname "$0")/lib.sh"

USER_NAMESPACE='.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
    | .linux.gidMappings = [{containerID: 0, hostID: 100000, size: 65536}]'

# ---- AppArmor -----------------------------------------------------------------------------------------------------

# the profile aril-test of lsm.profile in the kernel. A machine without a compiler for profiles has it in $TEST_BIN.
apparmor() {
    local kernel=/sys/kernel/security/apparmor
    [ -e $kernel/.replace ] || skip "AppArmor is not enabled on this host"
    if command -v apparmor_parser >/dev/null; then
        apparmor_parser --replace --skip-cache "$HERE/lsm.profile"
    else
        [ -e "$TEST_BIN/lsm.apparmor" ] || skip "needs apparmor_parser"
        cat "$TEST_BIN/lsm.apparmor" >$kernel/.replace
    fi
}

attribute() { # name
    echo "cat /proc/self/attr/$1 && echo"
}

# 71: the profile holds for the program and what it runs, for exec and for hooks in the container; exec can have another
test_apparmor() {
    apparmor
    bundle '.process.apparmorProfile = "aril-test" | .hooks.startContainer = [{path: "/bin/sh", args: ["sh", "-c",
        "cat /proc/self/attr/current >/dev/shm/hook"]}]'
    make_file etc/shut secret
    up /bin/sh -c 'cat /proc/self/attr/current >/dev/shm/init; cat /etc/shut >/dev/shm/shut 2>&1; touch /dev/shm/done; sleep 1000'
    wait_for 10 rt exec "$ID" test -e /dev/shm/done
    eq "$(rt exec "$ID" cat /dev/shm/init)" "aril-test (enforce)"
    has "$(rt exec "$ID" cat /dev/shm/shut)" "ermission denied"
    eq "$(rt exec "$ID" cat /dev/shm/hook)" "aril-test (enforce)"
    eq "$(rt exec "$ID" cat /proc/self/attr/current)" "aril-test (enforce)"
    eq "$(rt exec --apparmor unconfined "$ID" cat /proc/self/attr/current)" unconfined
}

# 71: with a user namespace, for an ordinary user without new privileges and with a filter
test_apparmor_user_namespace() {
    apparmor
    bundle "$USER_NAMESPACE"' | .process.apparmorProfile = "aril-test" | .process.noNewPrivileges = true
        | .process.user = {uid: 1000, gid: 1000} | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
        syscalls: [{names: ["mkdir"], action: "SCMP_ACT_ERRNO"}]}'
    eq "$(shell 'cat /proc/self/attr/current')" "aril-test (enforce)"
}

# 71: a profile that is not loaded is an error that names it, and the program does not run
test_apparmor_missing() {
    apparmor
    bundle '.process.apparmorProfile = "aril-none-such"'
    command_is /bin/echo ran
    fails rt run -b "$B" "$ID"
    has "$ERR" "process.apparmorProfile: aril-none-such: the profile is not loaded"
    eq "$OUT" ""
}

# ---- SELinux ------------------------------------------------------------------------------------------------------

has_policy() {
    tr -d '\0' </proc/self/attr/current | grep -q '^host_u:'
}

# The policy lsm.cil, in a machine that is made for it: a host's own is left alone. Now, because it changes the options of
# all mounts.
if [ -e /sys/fs/selinux/load ] && [ -e "${TEST_BIN:-}/lsm.selinux" ] && ! has_policy; then
    cat "$TEST_BIN/lsm.selinux" >/sys/fs/selinux/load
fi

selinux() {
    [ -e /sys/fs/selinux/load ] || skip "SELinux is not enabled on this host"
    has_policy || skip "SELinux has another policy than lsm.cil"
}

LABEL=box_u:box_r:box_t:s0:c1,c2 FILE_LABEL=box_u:object_r:box_file_t:s0:c1,c2

# 72 126: the program, its keyring and its mounts have their labels, with a user namespace and without; exec has another
test_selinux() {
    selinux
    local edits
    for edits in . "$USER_NAMESPACE"; do
        rm -rf "$B"
        bundle "$edits"' | .process.selinuxLabel = $label | .linux.mountLabel = $file' --arg label $LABEL --arg file $FILE_LABEL
        up /bin/sh -c 'cat /proc/self/attr/current >/dev/shm/label; probe >/dev/shm/probe; touch /dev/shm/done; sleep 1000'
        wait_for 10 rt exec "$ID" test -e /dev/shm/done
        eq "$(rt exec "$ID" cat /dev/shm/label | tr -d '\0')" $LABEL
        REPORT=$(rt exec "$ID" cat /dev/shm/probe)
        eq "$(p .keyring_label)" $LABEL
        eq "$(rt exec "$ID" cat /proc/self/attr/current | tr -d '\0')" $LABEL
        eq "$(rt exec --process-label box_u:box_r:box_t:s0 "$ID" cat /proc/self/attr/current | tr -d '\0')" box_u:box_r:box_t:s0
        matches "$(rt exec "$ID" grep ' /dev/shm ' /proc/self/mountinfo)" "[ ,]context=\"?$FILE_LABEL\"?(,|$)"
        hasnt "$(rt exec "$ID" grep ' /proc ' /proc/self/mountinfo)" context=
        rt delete --force "$ID"
    done
}

# 72: a label that the policy does not have is an error that names it
test_selinux_missing() {
    selinux
    bundle '.process.selinuxLabel = "box_u:box_r:none_such_t:s0"'
    command_is /bin/echo ran
    fails rt run -b "$B" "$ID"
    has "$ERR" "process.selinuxLabel: box_u:box_r:none_such_t:s0"
    eq "$OUT" ""
}

tap_main
