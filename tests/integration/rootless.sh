#!/bin/bash
# The runtime as an ordinary user: no privileges, no cgroup of its own, a state directory below XDG_RUNTIME_DIR.
. "$(dirname "$0")/lib.sh"

# the user exists in our mount namespace only
make_user() {
    local file
    mkdir -p "$W/etc" "$W/home/run"
    cp /etc/passwd /etc/group "$W/etc/"
    echo "ariltest:x:$TEST_USER:$TEST_USER::$W/home:/bin/sh" >>"$W/etc/passwd"
    echo "ariltest:x:$TEST_USER:" >>"$W/etc/group"
    echo "ariltest:500000:65536" | tee "$W/etc/subuid" >"$W/etc/subgid"
    for file in passwd group subuid subgid; do
        chmod 644 "$W/etc/$file"
        [ -e "/etc/$file" ] || { echo "# /etc/$file is missing here: made empty" && : >"/etc/$file"; }
        mount --bind "$W/etc/$file" "/etc/$file"
    done
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

tap_main
