#!/bin/bash
# The runtime as an ordinary user: no privileges, no cgroup of its own, a state directory below XDG_RUNTIME_DIR.
. "$(dirname "$0")/lib.sh"

# the user exists in our mount namespace only
make_user() {
    mkdir -p "$W/home/run"
    own_accounts ariltest:500000:65536
    chown -R $TEST_USER:$TEST_USER "$W/home"
    chmod 700 "$W/home/run"
    # a runtime built in somebody's home is not in reach of others
    if ! as_user test -x "$RUNTIME"; then
        cp "$RUNTIME" "$W/runtime"
        chmod 755 "$W/runtime"
        RUNTIME=$W/runtime
    fi
    MOUNTS_BEFORE=$(cut -d' ' -f5- /proc/self/mountinfo)
}

eval "$(declare -f tap_setup | sed '1s/tap_setup/common_setup/')"
tap_setup() {
    common_setup
    chown $TEST_USER:$TEST_USER "$STATE"
    make_user
}

# the runtime as the user
ut() {
    as_user timeout -k 5 60 "$RUNTIME" --root "$STATE" "$@"
}

# the helpers of lib.sh, too, act as the user
rt() {
    ut "$@"
}

# user_bundle [JQ-FILTER...]: a bundle that the user owns, as `spec --rootless` would have it
user_bundle() {
    mkdir -p "$B"
    cp -a "$W/rootfs" "$B/rootfs"
    cp "$SOURCE/tests/data/config.json" "$B/config.json"
    edit '.linux.namespaces = [{type: "pid"}, {type: "ipc"}, {type: "uts"}, {type: "mount"}, {type: "cgroup"}, {type: "user"}] |
        .linux.uidMappings = [{containerID: 0, hostID: $id, size: 1}] | .linux.gidMappings = [{containerID: 0, hostID: $id, size: 1}] |
        del(.linux.resources) | .mounts |= map(select(.destination != "/sys" and .type != "cgroup")) |
        (.mounts[] | select(.type == "devpts")).options |= map(select(startswith("gid") | not)) |
        .mounts += [{destination: "/sys", type: "none", source: "/sys", options: ["rbind", "nosuid", "noexec", "nodev", "ro"]}]' \
        --argjson id $TEST_USER
    if [ $# -gt 0 ]; then edit "$@"; fi
    chown -R $TEST_USER:$TEST_USER "$B"
}

# P10 138: run as an ordinary user
test_run() {
    user_bundle
    REPORT=$(ut run -b "$B" "$ID")
    eq "$(p '[.uid[0], .gid[0], .pid]')" '[0,0,1]'
    eq "$(p '.uid_map | gsub(" +"; " ")')" " 0 $TEST_USER 1"
    eq "$(p .setgroups)" deny
    eq "$(p .hostname)" aril-test
    eq "$(p .root_readonly)" 1
}

# 139: a range of subordinate ids through newuidmap and newgidmap
test_subordinate_ids() {
    todo_for runc "1.1 takes no groups"
    command -v newuidmap >/dev/null || skip "needs newuidmap (uidmap)"
    user_bundle '.linux.uidMappings += [{containerID: 1, hostID: 500000, size: 65536}] | .linux.gidMappings += [{containerID: 1, hostID: 500000, size: 65536}] |
        .process.user = {uid: 1000, gid: 1000, additionalGids: [2000]}'
    REPORT=$(ut run -b "$B" "$ID")
    eq "$(p '[.uid[0], .gid[0], .groups]')" '[1000,1000,[2000]]'
    eq "$(p '.uid_map | gsub(" +"; " ")')" " 0 $TEST_USER 1"$'\n'" 1 500000 65536"
}

# 59: additionalGids without a map for them are refused
test_groups_refused() {
    todo_for runc "1.1 prints warnings too"
    todo_for crun "1.8 ignores them"
    user_bundle '.process.user.additionalGids = [7]'
    fails ut run -b "$B" "$ID"
    one_line "$ERR"
}

# 16 27 28 29 31: the life cycle
test_life() {
    user_bundle '.process.args = ["/bin/sleep", "1000"]'
    ut create -b "$B" "$ID" >"$B/out" 2>&1
    eq "$(ut state "$ID" | jq -r .status)" created
    ut start "$ID"
    eq "$(ut state "$ID" | jq -r .status)" running
    eq "$(ut exec "$ID" /bin/echo in)" in
    ut kill "$ID" KILL
    stopped
    ut delete "$ID"
    fails ut state "$ID"
    ut create -b "$B" "$ID" >"$B/out" 2>&1
    ut delete --force "$ID"
}

# 2.4 P1: the default root is below XDG_RUNTIME_DIR
test_default_root() {
    user_bundle '.process.args = ["/bin/true"]'
    as_user timeout 60 "$RUNTIME" run -b "$B" "$ID"
    [ -d "$W/home/run/$KIND" ]
    eq "$(find "$W/home/run" -name "$ID*")" ""
}

# 151: devices are there and work
test_devices() {
    user_bundle
    command_is /bin/sh -c 'for d in null zero full random urandom tty; do test -c /dev/$d || echo no $d; done; head -c 3 /dev/zero | wc -c; echo x >/dev/null && echo written'
    eq "$(ut run -b "$B" "$ID")" $'3\nwritten'
}

# P10: a new network namespace with a user namespace
test_network() {
    user_bundle '.linux.namespaces += [{type: "network"}] | .mounts |= map(if .destination == "/sys" then {destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", "ro"]} else . end)'
    command_is /bin/ls /sys/class/net
    eq "$(ut run -b "$B" "$ID")" lo
}

# 171: limits that cannot be set are an error, not ignored
test_limits_refused() {
    todo_for runc "1.1 prints warnings too"
    todo_for crun "1.8 ignores it"
    user_bundle '.linux.resources = {memory: {limit: 67108864}}'
    capture ut run -b "$B" "$ID"
    ne "$RC" 0
    one_line "$ERR"
}

# 66: an oom_score_adj that may be set, and none
test_oom_score() {
    user_bundle '.process.oomScoreAdj = 100'
    REPORT=$(ut run -b "$B" "$ID")
    eq "$(p .oom_score_adj)" 100
}

# O8 283: what spec --rootless writes runs
test_spec() {
    user_bundle
    rm "$B/config.json"
    (cd "$B" && ut spec --rootless)
    edit '.process.terminal = false | .process.args = ["/bin/echo", "from-spec"]'
    eq "$(ut run -b "$B" "$ID")" from-spec
}

# 108: read-only binds of mounts with locked flags
test_locked_flags() {
    todo_for runc "1.1 fails"
    mkdir -p "$B/host"
    mount -t tmpfs -o nosuid,nodev,noexec locked "$B/host"
    user_bundle '.mounts += [{destination: "/tmp", type: "none", source: $s, options: ["bind", "ro"]}]' --arg s "$B/host"
    REPORT=$(ut run -b "$B" "$ID") || true
    umount "$B/host"
    matches "$(p '[.mounts[] | select(.target == "/tmp")][0].options')" '^ro,nosuid,nodev,noexec'
}

# 57: a container's user without a map
test_user_unmapped() {
    todo_for runc "1.1 prints warnings too"
    user_bundle '.process.user = {uid: 5, gid: 5}'
    fails ut run -b "$B" "$ID"
    one_line "$ERR"
}

# 140: no user namespace in the config of a user who needs one
test_without_userns() {
    todo_for crun "1.8 makes one up"
    user_bundle '.linux.namespaces |= map(select(.type != "user")) | del(.linux.uidMappings) | del(.linux.gidMappings)'
    fails ut run -b "$B" "$ID"
    one_line "$ERR"
}

# other users' state cannot be read
test_root_of_another() {
    mkdir -m 700 "$W/roots-own"
    fails as_user "$RUNTIME" --root "$W/roots-own" state "$ID"
    matches "$ERR" "[Pp]ermission denied|does not exist"
    rmdir "$W/roots-own"
}

# 291: a terminal as an ordinary user
test_terminal() {
    user_bundle '.process.terminal = true'
    command_is /bin/sh -c 'tty; sleep 0.2'
    chown $TEST_USER:$TEST_USER "$B/config.json"
    has "$(timeout 30 script -qec "env -i PATH=$PATH XDG_RUNTIME_DIR=$W/home/run setpriv --reuid $TEST_USER --regid $TEST_USER --clear-groups $RUNTIME --root $STATE run -b $B $ID" /dev/null </dev/null)" /dev/pts/0
}

# P10: as root of a user namespace without one in the config, the way rootless podman calls it
test_inside_userns() {
    user_bundle '.linux.namespaces |= map(select(.type != "user")) | del(.linux.uidMappings) | del(.linux.gidMappings)'
    mkdir -p "$W/home/inner"
    chown $TEST_USER:$TEST_USER "$W/home/inner"
    REPORT=$(as_user unshare --user --map-root-user --mount --pid --fork --mount-proc timeout 60 "$RUNTIME" --root "$W/home/inner" run -b "$B" "$ID")
    eq "$(p '[.uid[0], .pid]')" '[0,1]'
    eq "$(p '.uid_map | gsub(" +"; " ")')" " 0 $TEST_USER 1"
    rm -rf "$W/home/inner"
}

# 139: without newuidmap one id works, several are an error that names what is missing
test_without_helpers() {
    todo_for runc "1.1 prints warnings too"
    todo_for crun "1.8 makes up maps of its own"
    local path=$W/no-helpers
    mkdir -p "$path"
    ln -sf "$(command -v env)" "$(command -v setpriv)" "$path"
    user_bundle '.process.args = ["/bin/true"]'
    PATH=$path as_user "$RUNTIME" --root "$STATE" run -b "$B" "$ID"
    edit '.linux.uidMappings += [{containerID: 1, hostID: 500000, size: 10}]'
    RC=0
    ERR=$(PATH=$path as_user "$RUNTIME" --root "$STATE" run -b "$B" "$ID" 2>&1) || RC=$?
    ne "$RC" 0
    one_line "$ERR"
    has "$ERR" newuidmap
    has "$ERR" "package uidmap"
}

# 139: ids that are not ours: the error has what newuidmap says, in one line
test_ids_of_others() {
    not_for runc "1.1 prints warnings too"
    not_for crun "1.8 reports less"
    command -v newuidmap >/dev/null || skip "needs newuidmap (uidmap)"
    user_bundle '.linux.uidMappings += [{containerID: 1, hostID: 700000, size: 10}]'
    fails ut run -b "$B" "$ID"
    one_line "$ERR"
    matches "$ERR" 'newuidmap refused the mapping.*not allowed.*/etc/subuid'
    user_bundle '.linux.gidMappings += [{containerID: 1, hostID: 700000, size: 10}]'
    fails ut run -b "$B" "$ID"
    one_line "$ERR"
    matches "$ERR" 'newgidmap refused the mapping.*not allowed.*/etc/subgid'
}

# 84: exec as an ordinary user: identity, environment, directory, a terminal; groups that cannot be had are refused
test_exec() {
    todo_for runc "1.1 prints warnings too"
    user_bundle '.process.args = ["/bin/sleep", "1000"]'
    ut create -b "$B" "$ID" >"$B/out" 2>&1
    ut start "$ID"
    eq "$(ut exec -e A=b --cwd /tmp "$ID" /bin/sh -c 'id -u; pwd; echo $A; grep CapEff /proc/self/status')" \
        $'0\n/tmp\nb\nCapEff:\t0000000020000420'
    has "$(timeout 30 script -qec "env -i PATH=$PATH XDG_RUNTIME_DIR=$W/home/run setpriv --reuid $TEST_USER --regid $TEST_USER --clear-groups $RUNTIME --root $STATE exec -t $ID tty" /dev/null </dev/null)" /dev/pts/0
    fails ut exec --additional-gids 7 "$ID" /bin/true
    one_line "$ERR"
    fails ut exec -u 7 "$ID" /bin/true
    one_line "$ERR"
}

# 216 224: seccomp as an ordinary user, with and without noNewPrivileges
test_seccomp() {
    local privileges
    for privileges in true false; do
        user_bundle '.process.noNewPrivileges = $no | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
            syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 123}]}' --argjson no $privileges
        command_is /bin/sh -c 'mkdir /tmp/a 2>&1; grep Seccomp: /proc/self/status'
        OUT=$(ut run -b "$B" "$ID")
        has "$OUT" "No medium found"
        has "$OUT" $'Seccomp:\t2'
        rm -rf "$B/rootfs"
    done
}

# 225: a notify listener of an ordinary user, for run and for exec
test_seccomp_notify() {
    compile_helper seccomp_agent
    user_bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: $path,
        syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_NOTIFY"}]}' --arg path "$B/agent"
    chmod 755 "$TEST_BIN"
    exec_as_user "$TEST_BIN/seccomp_agent" "$B/agent" 123 >"$B/agent.out" 2>&1 &
    wait_for 30 [ -S "$B/agent" ]
    command_is /bin/sh -c 'mkdir /tmp/a; exec sleep 1000'
    ut create -b "$B" "$ID" >"$B/out" 2>&1
    ut start "$ID"
    wait_for 30 log_has "No medium found"
    fails ut exec "$ID" /bin/mkdir /tmp/b
    has "$ERR" "No medium found"
    kill $!
    wait $! || true
    eq "$(grep -c '^state ' "$B/agent.out")" 2
}

# 246: hooks of an ordinary user run as that user
test_hooks() {
    user_bundle '.process.args = ["/bin/true"] | .hooks = {createRuntime: [{path: "/bin/sh", args: ["sh", "-c", $s]}],
        poststop: [{path: "/bin/sh", args: ["sh", "-c", $s]}]}' --arg s "id -u >>$B/hooks.out"
    ut run -b "$B" "$ID"
    eq "$(cat "$B/hooks.out")" "$TEST_USER"$'\n'"$TEST_USER"
}

# 171: without a cgroup: pause, update and events are errors that say so, in one line; ps shows init, kill --all and delete work
test_without_cgroup() {
    not_for runc "1.1 prints warnings too"
    not_for crun "1.8 makes the commands work where it can write"
    if [ $CGROUP_VERSION = 2 ]; then skip "concerns users without a cgroup of their own (v1)"; fi
    user_bundle
    command_is /bin/sleep 1000
    ut create -b "$B" "$ID" >"$B/out" 2>&1
    ut start "$ID"
    local command
    eq "$(ut ps --format json "$ID" | jq -c .)" "[$(pid_of)]"
    for command in pause "update --memory 100000000" "events --stats"; do
        # shellcheck disable=SC2086 # words
        fails ut $command "$ID"
        one_line "$ERR"
        matches "$ERR" cgroup
    done
    ut kill --all "$ID" KILL
    stopped
    ut delete "$ID"
}

# as_podman COMMAND...: as root of a user namespace with subordinate ids, which is how rootless podman calls a runtime
as_podman() {
    as_user unshare --user --map-auto --map-root-user --mount --propagation private timeout -k 5 60 "$@"
}

# P10: in the user namespace that podman has made: the default config with all its mounts, devices and rules
test_podman() {
    command -v newuidmap >/dev/null || skip "needs newuidmap (uidmap)"
    user_bundle
    cp "$SOURCE/tests/data/config.json" "$B/config.json"
    edit '.process.user = {uid: 1000, gid: 1000, additionalGids: [2000]} | .process.oomScoreAdj = 0'
    chmod 755 "$B"
    chmod -R a+rX "$B/rootfs"
    REPORT=$(as_podman "$RUNTIME" --root "$STATE" run -b "$B" "$ID")
    eq "$(p '[.uid[0], .gid[0], .groups, .pid]')" '[1000,1000,[2000],1]'
    for target in /proc /dev /dev/pts /dev/shm /dev/mqueue /sys /sys/fs/cgroup /dev/null; do
        ne "$(p '[.mounts[] | select(.target == $t)] | length' --arg t $target)" 0
    done
}

# P10: the same in the pid namespace of another container (podman run --pid container:ID), also without the mount API
test_podman_join_pid() {
    command -v newuidmap >/dev/null || skip "needs newuidmap (uidmap)"
    command -v "${CC:-cc}" >/dev/null || skip "there is no C compiler"
    user_bundle
    cp "$SOURCE/tests/data/config.json" "$B/config.json"
    edit '.process.args = ["/bin/sleep", "1000"] | .process.oomScoreAdj = 0'
    chmod 755 "$B"
    chmod -R a+rX "$B/rootfs"
    ${CC:-cc} -std=c17 -static -o "$W/deny-calls" "$SOURCE/tests/deny-calls.c"
    mkdir "$B/second"
    jq --arg r "$B/rootfs" '.process.args = ["/bin/cat", "/proc/1/comm"] | .root.path = $r
        | .linux.namespaces |= map(if .type == "pid" then .path = "@" else . end)' "$B/config.json" >"$B/second/template"
    chmod 777 "$B/second"
    # shellcheck disable=SC2016 # for the shell in the namespace
    as_podman /bin/sh -c '"$1" --root "$2" create -b "$3" "$4" >"$3/out" 2>&1 && "$1" --root "$2" start "$4" &&
        sed "s,@,/proc/$("$1" --root "$2" state "$4" | jq .pid)/ns/pid," "$3/second/template" >"$3/second/config.json" &&
        "$1" --root "$2" run -b "$3/second" "$4-2" >"$3/second/out" && "$5" all "$1" --root "$2" run -b "$3/second" "$4-2" >>"$3/second/out"
        result=$?
        "$1" --root "$2" delete --force "$4" && exit $result' sh "$RUNTIME" "$STATE" "$B" "$ID" "$W/deny-calls"
    eq "$(cat "$B/second/out")" "sleep
sleep"
}

# P10: the same with a further user namespace (podman run --userns=auto), and exec in it
test_podman_userns() {
    command -v newuidmap >/dev/null || skip "needs newuidmap (uidmap)"
    user_bundle
    cp "$SOURCE/tests/data/config.json" "$B/config.json"
    edit '.process.args = ["/bin/sleep", "1000"] | .linux.namespaces += [{type: "user"}] |
        .linux.uidMappings = [{containerID: 0, hostID: 1000, size: 5000}] | .linux.gidMappings = .linux.uidMappings'
    chmod 755 "$B"
    chmod -R a+rX "$B/rootfs"
    as_podman /bin/sh -c '"$1" --root "$2" create -b "$3" "$4" >"$3/out" 2>&1 && "$1" --root "$2" start "$4" &&
        "$1" --root "$2" exec -u 1000:1000 "$4" /bin/sh -c "id -u; cat /proc/self/uid_map" >"$3/exec"; result=$?
        "$1" --root "$2" delete --force "$4" && exit $result' sh "$RUNTIME" "$STATE" "$B" "$ID"
    eq "$(tr -s ' \n' ' ' <"$B/exec")" "1000 0 1000 5000 "
}

tap_main
