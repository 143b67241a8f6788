# shellcheck shell=bash
# For tests as an ordinary user with a user manager, in a delegated cgroup. Needs nothing of the integration library,
# which is root's. RUNTIME is aril with the systemd driver, PLAIN without.
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
