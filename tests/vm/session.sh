#!/bin/bash
# Both cgroup drivers as an ordinary user with a user manager, in a delegated cgroup (contract items 171, 206, 214).
# Started by tests/vm/run --host user; needs nothing of the integration library, which is root's.
. "$(dirname "$0")/../tap.sh"

# shellcheck disable=SC2034 # for tap.sh
KIND=aril
W=$(mktemp -d /tmp/aril-user.XXXXXX)
STATE=$W/state

tap_setup() {
    local applet
    mkdir -p "$STATE" "$W/rootfs/"{bin,dev,proc,sys,tmp}
    cp /bin/busybox "$W/rootfs/bin/busybox"
    for applet in $(busybox --list); do [ "$applet" = busybox ] || ln -s busybox "$W/rootfs/bin/$applet"; done
    export SYSTEMCTL_FORCE_BUS=1
    echo "# uid $(id -u), $(cat /proc/self/cgroup)"
}

tap_teardown() {
    rm -rf "$W"
}

each_before() {
    ID=u${W##*.}-$((++TEST_NUMBER))
    B=$W/$ID
}
TEST_NUMBER=0

each_after() {
    if [ -d "$STATE/$ID" ]; then rt delete --force "$ID"; fi
}

rt() {
    timeout -k 5 60 "$RUNTIME" --root "$STATE" "$@"
}

bundle() { # [jq filter [jq options]]
    local filter=${1:-.}
    if [ $# -gt 0 ]; then shift; fi
    mkdir -p "$B"
    (cd "$B" && rt spec --rootless)
    jq ".root.path = \"$W/rootfs\" | .process.terminal = false | .process.args = [\"/bin/sleep\", \"1000\"] | $filter" \
        "$@" "$B/config.json" >"$B/new"
    mv "$B/new" "$B/config.json"
}

up() {
    rt create -b "$B" "$ID" >"$B/out" 2>&1 || { cat "$B/out"; return 1; }
    rt start "$ID"
}

cgroup_of() {
    sed -n 's/^0:://p' "/proc/$(rt state "$ID" | jq .pid)/cgroup"
}

manager() {
    echo "/user.slice/user-$(id -u).slice/user@$(id -u).service"
}

show() {
    systemctl --user show --value -p "$2" "$1"
}

is_gone() {
    [ "$(show "$1" LoadState)" = not-found ]
}

# 205 206: the user's manager makes the scope, by default in user.slice
test_scope() {
    bundle
    up
    eq "$(cgroup_of)" "$(manager)/user.slice/aril-$ID.scope"
    eq "$(show "aril-$ID.scope" ActiveState)" active
    rt delete --force "$ID"
    wait_for 5 is_gone "aril-$ID.scope"
}

# 204: a slice of one's own
test_slice() {
    bundle ".linux.cgroupsPath = \"my-own.slice:x:$ID\""
    up
    eq "$(cgroup_of)" "$(manager)/my.slice/my-own.slice/x-$ID.scope"
}

# 206: found through XDG_RUNTIME_DIR alone
test_runtime_directory() {
    bundle
    unset DBUS_SESSION_BUS_ADDRESS
    up
    eq "$(cgroup_of)" "$(manager)/user.slice/aril-$ID.scope"
}

# 208 214: limits of the controllers that the user has
test_limits() {
    bundle '.linux.resources = {memory: {limit: 67108864}, pids: {limit: 44}}'
    up
    eq "$(show "aril-$ID.scope" MemoryMax)" 67108864
    eq "$(cat "/sys/fs/cgroup$(cgroup_of)/memory.max")" 67108864
    eq "$(cat "/sys/fs/cgroup$(cgroup_of)/pids.max")" 44
    rt update --pids-limit 33 "$ID"
    eq "$(cat "/sys/fs/cgroup$(cgroup_of)/pids.max")" 33
    eq "$(show "aril-$ID.scope" TasksMax)" 33
}

# 38: pause, resume, ps, events
test_commands() {
    bundle
    up
    rt pause "$ID"
    eq "$(rt state "$ID" | jq -r .status)" paused
    rt resume "$ID"
    eq "$(rt ps --format json "$ID" | jq length)" 1
    eq "$(rt events --stats "$ID" | jq .data.pids.current)" 1
    eq "$(rt exec "$ID" echo hello)" hello
}

# 206: without a session the error says what is missing
test_no_session() {
    bundle
    unset DBUS_SESSION_BUS_ADDRESS XDG_RUNTIME_DIR
    fails rt create -b "$B" "$ID"
    has "$ERR" XDG_RUNTIME_DIR
}

# 214: as root of a user namespace, the way rootless podman calls
test_user_namespace() {
    bundle '.linux.uidMappings = [{containerID: 0, hostID: 0, size: 1}] | .linux.gidMappings = .linux.uidMappings'
    cat >"$B/script" <<END
set -e
"$RUNTIME" --root "$STATE" create -b "$B" "$ID" >"$B/out" 2>&1 || { cat "$B/out"; exit 1; }
"$RUNTIME" --root "$STATE" delete --force "$ID"
END
    unshare --user --map-root-user --mount sh "$B/script"
}

# 214: without XDG_RUNTIME_DIR the user is found through the map of the user namespace
test_user_namespace_map() {
    bundle '.linux.uidMappings = [{containerID: 0, hostID: 0, size: 1}] | .linux.gidMappings = .linux.uidMappings'
    cat >"$B/script" <<END
set -e
unset XDG_RUNTIME_DIR
"$RUNTIME" --root "$STATE" create -b "$B" "$ID" >"$B/out" 2>&1 || { cat "$B/out"; exit 1; }
"$RUNTIME" --root "$STATE" delete --force "$ID"
END
    unshare --user --map-root-user --mount sh "$B/script"
}

# ---- the cgroupfs driver, in the cgroup that the session delegated to us --------------------------------------

own_cgroup() {
    sed -n 's/^0:://p' /proc/self/cgroup
}

# A cgroup with processes cannot hand controllers down: they go into one below, once.
delegated() {
    RUNTIME=$PLAIN
    DELEGATED=$(own_cgroup)
    DELEGATED=${DELEGATED%/tests}
    if [ "$(own_cgroup)" = "$DELEGATED" ]; then
        mkdir "/sys/fs/cgroup$DELEGATED/tests"
        local pid
        for pid in $(cat "/sys/fs/cgroup$DELEGATED/cgroup.procs"); do
            echo "$pid" >"/sys/fs/cgroup$DELEGATED/tests/cgroup.procs" 2>/dev/null || true
        done
    fi
}

# 162 171: a relative path is beside our own cgroup; limits hold; nothing stays
test_delegated_limits() {
    delegated
    bundle '.linux.cgroupsPath = $id | .linux.resources = {memory: {limit: 67108864}, pids: {limit: 44}}' --arg id "$ID"
    up
    eq "$(cgroup_of)" "$DELEGATED/$ID"
    eq "$(cat "/sys/fs/cgroup$DELEGATED/$ID/memory.max")" 67108864
    rt update --pids-limit 33 "$ID"
    eq "$(cat "/sys/fs/cgroup$DELEGATED/$ID/pids.max")" 33
    rt pause "$ID"
    eq "$(rt state "$ID" | jq -r .status)" paused
    rt resume "$ID"
    eq "$(rt events --stats "$ID" | jq -c '[.data.pids.current, .data.memory.usage.limit]')" '[1,67108864]'
    rt delete --force "$ID"
    [ ! -d "/sys/fs/cgroup$DELEGATED/$ID" ]
}

# 171: where no cgroup may be made, a container without limits runs in ours, and one with limits does not
test_not_delegated() {
    RUNTIME=$PLAIN
    bundle "del(.linux.resources) | .linux.cgroupsPath = \"/$ID\""
    up
    eq "$(cgroup_of)" "$(own_cgroup)"
    rt delete --force "$ID"
    rm -r "$B"
    bundle ".linux.resources = {pids: {limit: 44}} | .linux.cgroupsPath = \"/$ID\""
    fails rt create -b "$B" "$ID"
    has "$ERR" "$ID"
}

# 32: what ignores signals and forks is removed within two seconds
test_delegated_bomb() {
    local start
    delegated
    bundle '.linux.cgroupsPath = $id | .linux.resources = {pids: {limit: 200}}
        | .process.args = ["/bin/sh", "-c", "trap \"\" 1 2 3 15; for i in 1 2 3 4 5; do (while :; do sleep 1000 & done) 2>/dev/null & done; exec sleep 1000"]' --arg id "$ID"
    up
    wait_for 30 eval "[ \$(cat /sys/fs/cgroup$DELEGATED/$ID/pids.current) -ge 150 ]"
    start=$(date +%s%3N)
    rt delete --force "$ID"
    [ $(($(date +%s%3N) - start)) -lt 2000 ] || { echo "took $(($(date +%s%3N) - start)) ms"; return 1; }
    [ ! -d "/sys/fs/cgroup$DELEGATED/$ID" ]
}

tap_main
