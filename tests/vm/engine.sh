#!/bin/bash
# podman with systemd as its cgroup manager, as root and as an ordinary user with a session. Started by tests/vm/run.
# No private namespaces: podman names processes to systemd by number. What is shown with aril is compared with crun.
. "$(dirname "$0")/../tap.sh"

# shellcheck disable=SC2034 # for tap.sh
KIND=aril
W=$(mktemp -d /tmp/aril-engine.XXXXXX)
IMAGE=localhost/busybox:test NUMBER=0
MANAGER=() # options of systemctl
if [ "$(id -u)" != 0 ]; then MANAGER=(--user); fi

pod() { # RUNTIME ARGUMENTS...
    local runtime=$1
    shift
    timeout 120 podman --runtime "$runtime" --cgroup-manager systemd --events-backend file "$@"
}

aril() { pod "$PLAIN" "$@"; }

tap_setup() {
    local applet
    command -v podman >/dev/null || bail_out "podman is missing in the machine"
    mkdir -p "$W/rootfs/"{bin,dev,etc,proc,run,sys,tmp}
    cp /bin/busybox "$W/rootfs/bin/busybox"
    for applet in $(busybox --list); do [ "$applet" = busybox ] || ln -s busybox "$W/rootfs/bin/$applet"; done
    tar -C "$W/rootfs" -cf "$W/image" .
    # the first one sets podman's storage up, and with it the user's namespace
    aril import -q "$W/image" $IMAGE >"$W/import" 2>&1 || { cat "$W/import"; bail_out "podman cannot import an image"; }
    echo "# uid $(id -u), $(podman --version), $(crun --version | head -n 1)"
}

tap_teardown() {
    aril rm -af >/dev/null 2>&1
    rm -rf "$W"
}

each_before() {
    NAME=engine-$((++NUMBER))
}

each_after() {
    aril rm -f -t 0 "$NAME" "$NAME-crun" >/dev/null
}

up() { # RUNTIME NAME OPTIONS...
    local runtime=$1 name=$2
    shift 2
    pod "$runtime" run -d --name "$name" --network none "$@" $IMAGE sleep 1000 >/dev/null
}

unit() { # the scope of the container
    echo "libpod-$(aril inspect --format '{{.Id}}' "$NAME").scope"
}

show() { # property
    systemctl ${MANAGER[@]+"${MANAGER[@]}"} show --value -p "$1" "$(unit)"
}

stats() { # name
    aril stats --no-stream --format json "$1" | jq -c ".[0]${2:-}"
}

# 204 208: limits are properties of the scope, and in the cgroup
test_limits() {
    up "$PLAIN" "$NAME" --memory 64m --pids-limit 55 --cpus 0.5
    eq "$(show MemoryMax)" 67108864
    eq "$(show TasksMax)" 55
    eq "$(show CPUQuotaPerSecUSec)" 500ms
    eq "$(aril exec "$NAME" cat /sys/fs/cgroup/memory.max)" 67108864
    eq "$(aril exec "$NAME" cat /sys/fs/cgroup/pids.max)" 55
}

# 213: update, pause, the end
test_life() {
    local unit
    up "$PLAIN" "$NAME" --memory 64m
    unit=$(unit)
    aril update --memory 96m "$NAME" >/dev/null
    eq "$(show MemoryMax)" 100663296
    aril pause "$NAME" >/dev/null
    eq "$(aril inspect --format '{{.State.Status}}' "$NAME")" paused
    aril unpause "$NAME" >/dev/null
    aril stop -t 0 "$NAME" >/dev/null
    aril start "$NAME" >/dev/null
    eq "$(aril exec "$NAME" echo hello)" hello
    aril rm -f -t 0 "$NAME" >/dev/null
    eq "$(systemctl ${MANAGER[@]+"${MANAGER[@]}"} show --value -p LoadState "$unit")" not-found
}

# O7: podman stats has the same members and limits, and about the same numbers, as with crun
test_stats() {
    local aril crun
    up "$PLAIN" "$NAME" --memory 64m --pids-limit 55
    up crun "$NAME-crun" --memory 64m --pids-limit 55
    aril=$(stats "$NAME") crun=$(stats "$NAME-crun")
    echo "$aril" "$crun"
    eq "$(jq -c keys <<<"$aril")" "$(jq -c keys <<<"$crun")"
    eq "$(jq -c '[.pids, .block_io, (.mem_usage | split(" / ")[1])]' <<<"$aril")" \
        "$(jq -c '[.pids, .block_io, (.mem_usage | split(" / ")[1])]' <<<"$crun")"
    # of 64 MiB two percent apart at the most
    jq -e -s 'map(.mem_percent | rtrimstr("%") | tonumber) | (.[0] - .[1]) | fabs <= 2' <<<"$aril$crun" >/dev/null
}

# O7: what podman stats shows is what the cgroup's files say
test_stats_files() {
    local pid directory
    up "$PLAIN" "$NAME" --memory 64m --pids-limit 55
    pid=$(aril inspect --format '{{.State.Pid}}' "$NAME")
    directory=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
    eq "$(stats "$NAME" .pids)" "\"$(cat "$directory/pids.current")\""
    has "$(stats "$NAME" .mem_usage)" "/ $(($(cat "$directory/memory.max") / 1000)).$(($(cat "$directory/memory.max") % 1000 / 10))" ||
        has "$(stats "$NAME" .mem_usage)" "/ 67.11MB"
}

# 204: a container in the slice of its pod
test_pod() {
    aril pod create --name "$NAME-pod" --infra=false >/dev/null
    aril run -d --name "$NAME" --network none --pod "$NAME-pod" $IMAGE sleep 1000 >/dev/null
    has "$(cat "/proc/$(aril inspect --format '{{.State.Pid}}' "$NAME")/cgroup")" "libpod_pod_"
    eq "$(show ActiveState)" active
    aril pod rm -f -t 0 "$NAME-pod" >/dev/null
}

tap_main
