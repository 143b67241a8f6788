#!/bin/bash
# Both cgroup drivers as an ordinary user with a user manager, in a delegated cgroup (contract items 171, 206, 214).
# Started by tests/vm/run --host user.
. "$(dirname "$0")/lib-session.sh"

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

tap_main
