#!/bin/bash
# soak.sh - many containers through containerd: COUNT of them, AT_ONCE at a time, while containerd is killed and
# restarted and runtime processes are killed at random. Nothing may be lost or left.
#
#   RUNTIME=/usr/sbin/runc COUNT=1000 AT_ONCE=50 tests/clients/soak.sh      the default is 100, 25 at a time
#
# shellcheck disable=SC2016 # the quoted scripts are for the container's shell

NEEDS="containerd:containerd ctr:containerd"
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
COUNT=${COUNT:-100} AT_ONCE=${AT_ONCE:-25}
TEST_LIMIT=${TEST_LIMIT:-800}

tap_setup() {
    private_place
    make_image
    CTR_NAMESPACE=$PREFIX
    containerd_config
    containerd_start
    # one unpacked image is enough: what is tested is the runtime, not the unpacking
    ctr_ image import "$W/image.tar" >"$W/import" 2>&1 || bail_out "import failed: $(tail -n 1 "$W/import")"
    MOUNTS=$(wc -l </proc/self/mountinfo)
    echo "# $RUNTIME ($("$RUNTIME" --version | head -n 1)), $(containerd --version), $COUNT containers, $AT_ONCE at once"
}

# again COMMAND...: engines restart in the middle; a client tries again until the deadline
again() {
    local try
    for try in $(seq 60); do
        "$@" && return
        sleep 0.2
    done
    echo "gave up after $try tries: $*"
    return 1
}

exists() { ctr_ container info "$1" >/dev/null 2>&1; }
has_task() { ctr_ task ls 2>/dev/null | grep -q "^$1 "; }
running() { ctr_ task ls 2>/dev/null | grep -q "^$1 .*RUNNING"; }
no_container() { ctr_ container ls -q >"$W/list.$1" 2>/dev/null && ! grep -qx "$1" "$W/list.$1"; }
no_task() { ctr_ task ls -q >"$W/list.$1" 2>/dev/null && ! grep -qx "$1" "$W/list.$1"; }

create() { # id: running, whatever was in the way
    running "$1" && return
    remove_task "$1"
    exists "$1" && ctr_ container rm "$1"
    ctr_ run -d --runc-binary "$RUNTIME" "$IMAGE" "$1" sh -c 'echo up >/tmp/up; while :; do sleep 1; done'
} >/dev/null 2>&1

is_up() { [ "$(ctr_ task exec --exec-id "e$RANDOM$RANDOM" "$1" cat /tmp/up 2>/dev/null)" = up ]; }
remove_task() { ctr_ task rm -f "$1" >/dev/null 2>&1; }

remove() {
    remove_task "$1"
    no_task "$1" || return
    no_container "$1" || ctr_ container rm "$1" >/dev/null 2>&1
    no_container "$1"
}

one() { # id: a whole life
    again create "$1" || return
    again is_up "$1" || return
    again remove "$1" || return
    rm -f "$W/list.$1"
    echo "$1" >>"$W/done"
}

in_parallel() ( # first last
    for k in $(seq "$1" "$2"); do
        while [ "$(jobs -rp | wc -l)" -ge "$AT_ONCE" ]; do wait -n || true; done
        one "s$k" &
    done
    wait
)

# in subshells whose only children are the clients: containerd is a child of the shell that restarted it
at_once() ( # command count
    # shellcheck disable=SC2086 # words
    for k in $(seq "$2"); do
        $1 "l$k" &
        [ $((k % 10)) != 0 ] || wait
    done
    wait
)

leftovers() {
    processes_with containerd-shim-runc-v2 | sed 's/^/shim /'
    processes_with "while :; do sleep 1" | sed 's/^/payload /'
    cgroups_left | grep "/$PREFIX/." | sed 's/^/cgroup /'
    ls -d "/run/containerd/runc/$CTR_NAMESPACE"/* 2>/dev/null | sed 's/^/state /'
    [ "$(wc -l </proc/self/mountinfo)" -le "$MOUNTS" ] || echo "mounts: $(wc -l </proc/self/mountinfo), not $MOUNTS"
}
nothing_left() { LEFT=$(leftovers) && [ -z "$LEFT" ]; }

clean() { # nothing is lost or left
    eq "$(ctr_ container ls -q)" ""
    eq "$(ctr_ task ls -q)" ""
    wait_for 20 nothing_left || { head -n 20 <<<"$LEFT"; return 1; }
}

# many containers, created, entered and removed
test_many() {
    : >"$W/done"
    in_parallel 1 "$COUNT"
    eq "$(wc -l <"$W/done")" "$COUNT"
    clean
}

# AT_ONCE containers live through two restarts of containerd, one of them by SIGKILL
test_engine_restart() {
    local signal
    at_once "again create" "$AT_ONCE"
    eq "$(ctr_ task ls | grep -c RUNNING)" "$AT_ONCE"
    for signal in -TERM -KILL; do
        containerd_stop $signal
        containerd_start
        eq "$(ctr_ task ls | grep -c RUNNING)" "$AT_ONCE"
    done
    eq "$(ctr_ task exec --exec-id again l1 cat /tmp/up)" up
    at_once "again remove" "$AT_ONCE"
    clean
}

# the engine is killed while containers come and go; clients try again, and all of them get their container
test_engine_killed_in_the_middle() {
    local k clients count=$((COUNT / 4))
    : >"$W/done"
    in_parallel 1 $count &
    clients=$!
    for k in 1 2; do
        sleep $((2 + COUNT / 250))
        containerd_stop -KILL
        containerd_start
    done
    wait $clients
    eq "$(wc -l <"$W/done")" $count
    clean
}

# kills one process of the runtime (its own program, not containers) every now and then, until the file appears
kill_runtimes() {
    local pid
    while [ ! -e "$W/enough" ]; do
        for pid in /proc/[0-9]*; do
            [ "$(readlink "$pid/exe" 2>/dev/null)" = "$RUNTIME" ] || continue
            [ $((RANDOM % 3)) = 0 ] && kill -KILL "${pid#/proc/}" 2>/dev/null && echo >>"$W/kills"
            break
        done
        sleep 0.05
    done
}

# the runtime is killed at random; whoever asks again gets there, and nothing stays
test_runtime_killed() {
    local killer count=$((COUNT / 2))
    : >"$W/done"
    : >"$W/kills"
    kill_runtimes &
    killer=$!
    in_parallel 1 $count
    : >"$W/enough"
    wait $killer
    echo "# $(wc -l <"$W/kills") runtime processes killed" | tee "$W/said"
    eq "$(wc -l <"$W/done")" $count
    [ -s "$W/kills" ]
    clean
}

tap_main
