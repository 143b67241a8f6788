#!/bin/bash
# The systemd cgroup driver as an ordinary user with a user manager (contract items 206, 214). Started by
# tests/vm/run --user; needs nothing of the integration library, which is root's.
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

bundle() { # [jq filter]
    mkdir -p "$B"
    (cd "$B" && rt spec --rootless)
    jq ".root.path = \"$W/rootfs\" | .process.terminal = false | .process.args = [\"/bin/sleep\", \"1000\"] | ${1:-.}" \
        "$B/config.json" >"$B/new"
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

# podman with the systemd driver
test_podman() {
    command -v podman >/dev/null || skip "no podman"
    [ -f /opt/busybox.tar ] || skip "no image"
    local name=p$ID
    podman --runtime "${RUNTIME_PLAIN:-/tmp/runtime/aril}" --cgroup-manager systemd import -q /opt/busybox.tar busybox:test >/dev/null
    podman --runtime "${RUNTIME_PLAIN:-/tmp/runtime/aril}" --cgroup-manager systemd run --rm --name "$name" --network none \
        --memory 64m busybox:test cat /proc/self/cgroup
}

tap_main
