#!/bin/bash
# soak.sh - many containers through containerd, podman and Docker: COUNT of them, AT_ONCE at a time, while the engine is killed
# and restarted and the runtime is killed at random. Nothing may be lost or left.
#
#   RUNTIME=/usr/sbin/runc tests/clients/soak.sh             any runtime; ONLY=regex, SKIP=regex, KEEP=1
#   COUNT=1000 AT_ONCE=50 tests/clients/soak.sh              the long run; the default is 24, 8 at a time
#
# containerd that is killed in the middle of a create can lose the id: its folder stays, without the file that says which
# runtime it is for, and every further create of that id fails ("failed to start shim: mkdir: file exists"), with runc as well.
# Clients that try again take another id, as the kubelet does. Where only the runtime is killed they take the same.
#
# shellcheck disable=SC2016 # the quoted scripts are for the container's shell

NEEDS="containerd:containerd ctr:containerd dockerd:docker.io docker:docker.io podman:podman conmon:conmon"
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib-docker.sh
. "$HERE/lib-docker.sh"
# shellcheck source=lib-podman.sh
. "$HERE/lib-podman.sh"
COUNT=${COUNT:-24} AT_ONCE=${AT_ONCE:-8}
TEST_LIMIT=${TEST_LIMIT:-$((240 + COUNT * 4))}

tap_setup() {
    private_place
    make_image
    make_unlucky_runtime
    CTR_NAMESPACE=$PREFIX
    containerd_config
    containerd_start
    # one unpacked image is enough: what is tested is the runtime, not the unpacking
    ctr_ image import "$W/image.tar" >"$W/import" 2>&1 || bail_out "import failed: $(tail -n 1 "$W/import")"
    ctr_ run --rm --runc-binary "$RUNTIME" "$IMAGE" first true || bail_out "no container can be run"
    MOUNTS=$(wc -l </proc/self/mountinfo)
    echo "# $RUNTIME ($("$RUNTIME" --version | head -n 1)), $(containerd --version), $COUNT containers, $AT_ONCE at once"
}

# A runtime that is killed at a random instant of its first 10 or 30 milliseconds, one time in three; each kill that hit is
# a line in a file. It befalls the commands that make and end containers, but not the last resort, `delete --force`: a shim
# gives up when that fails, whatever the runtime.
make_unlucky_runtime() {
    UNLUCKY=$W/unlucky
    mkfifo "$W/never"
    cat >"$UNLUCKY" <<S
#!/bin/bash
case " \$* " in
*" --force "*) exec "$RUNTIME" "\$@" ;;
*" create "* | *" start "* | *" exec "* | *" delete "* | *" kill "*) [ \$((RANDOM % 3)) = 0 ] || exec "$RUNTIME" "\$@" ;;
*) exec "$RUNTIME" "\$@" ;;
esac
"$RUNTIME" "\$@" <&0 & # a job in the background has no input otherwise
pid=\$!
read -rt "0.0\$((RANDOM % 2 ? RANDOM % 3 : 0))\$((RANDOM % 10))" <>"$W/never"
kill -KILL \$pid 2>/dev/null
wait \$pid 2>/dev/null
status=\$?
[ \$status != 137 ] || echo "\$*" >>"$W/kills"
exit \$status
S
    chmod 755 "$UNLUCKY"
}

client_teardown() {
    containerd_stop
    if [ -e "$W/dockerd.pid" ]; then dockerd_stop -TERM; fi
}

# again COMMAND... ID: engines restart in the middle; a client tries again until the deadline. The more there are at once,
# the longer a try takes, and of those with an unlucky runtime every second one fails.
again() {
    local end=$((SECONDS + 60 + 15 * AT_ONCE))
    until "$@"; do
        [ $SECONDS -lt $end ] || { gave_up "$@"; return 1; }
        sleep 0.2
    done
}

gave_up() { # command... id
    local id=${*: -1}
    echo "gave up: $*: $(tail -qn 1 "$W/said.$id"*) $(ctr_ task ls | grep "^$id")"
    grep "$id" "$W/containerd.log" | tail -n 5
}

exists() { ctr_ container info "$1" >/dev/null 2>&1; }
running() { ctr_ task ls 2>/dev/null | grep -q "^$1 .*RUNNING"; }
no_container() { ctr_ container ls -q >"$W/list.$1" 2>/dev/null && ! grep -qx "$1" "$W/list.$1"; }
no_task() { ctr_ task ls -q >"$W/list.$1" 2>/dev/null && ! grep -qx "$1" "$W/list.$1"; }

create() { # id: running, whatever was in the way
    running "$1" && return
    remove_task "$1"
    # ctr makes the snapshot before the container: a containerd that is killed in between leaves it alone
    if exists "$1"; then ctr_ container rm "$1"; else ctr_ snapshot rm "$1"; fi
    ctr_ run -d --runc-binary "$SHIM_RUNS" "$IMAGE" "$1" sh -c 'echo up >/tmp/up; while :; do sleep 1; done'
} >>"$W/said.$1" 2>&1

# create_fresh NAME: the next try has an id of its own, unless the last one succeeded after all. Sets ID
create_fresh() {
    if [ -n "$ID" ] && running "$ID"; then return; fi
    TRIES=$((TRIES + 1))
    ID=$1.$TRIES
    create "$ID"
}

is_up() { [ "$(ctr_ task exec --exec-id "e$RANDOM$RANDOM" "$1" cat /tmp/up 2>/dev/null)" = up ]; }
remove_task() { ctr_ task rm -f "$1" >/dev/null 2>&1; }

remove() {
    remove_task "$1"
    no_task "$1" || return
    no_container "$1" || ctr_ container rm "$1" >/dev/null 2>&1
    no_container "$1"
}

one() { # name: a whole life
    ID=$1 TRIES=0
    if [ -n "${IDS_ARE_LOST:-}" ]; then
        ID=
        again create_fresh "$1" || return
    else
        again create "$1" || return
    fi
    again is_up "$ID" || return
    again remove "$ID" || return
    rm -f "$W/list.$ID" "$W/said.$ID"
    echo "$ID" >>"$W/done"
}

# What a killed containerd has lost: it cleans up after the shims that it finds dead when it starts.
sweep() {
    local id pid
    containerd_stop
    containerd_start
    for id in $(ctr_ container ls -q); do again remove "$id"; done
    for pid in $(processes_with containerd-shim-runc-v2); do kill -KILL "$pid"; done
    containerd_stop
    containerd_start
}

in_parallel() ( # count [command]: of a whole life each
    for k in $(seq "$1"); do
        while [ "$(jobs -rp | wc -l)" -ge "$AT_ONCE" ]; do wait -n || true; done
        ${2:-one} "s$k" &
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
    wait_for 60 nothing_left || { head -n 20 <<<"$LEFT"; return 1; }
}

done_are() { eq "$(wc -l <"$W/done")" "$1"; }
live() { ctr_ task ls | grep -c RUNNING || true; }
at_least() { [ "$(wc -l <"$2")" -ge "$1" ]; } # lines file

# many containers, created, entered and removed
test_many() {
    SHIM_RUNS=$RUNTIME
    : >"$W/done"
    in_parallel "$COUNT"
    done_are "$COUNT"
    clean
}

# AT_ONCE containers live through two restarts of containerd, one of them by SIGKILL
test_engine_restart() {
    local signal
    SHIM_RUNS=$RUNTIME
    at_once "again create" "$AT_ONCE"
    eq "$(live)" "$AT_ONCE"
    for signal in -TERM -KILL; do
        containerd_stop $signal
        containerd_start
        eq "$(live)" "$AT_ONCE"
    done
    eq "$(ctr_ task exec --exec-id again l1 cat /tmp/up)" up
    at_once "again remove" "$AT_ONCE"
    clean
}

# the engine is killed while containers come and go; clients try again, and all of them get their container
test_engine_killed_in_the_middle() {
    local clients count=$((COUNT / 2)) k
    SHIM_RUNS=$RUNTIME IDS_ARE_LOST=1
    : >"$W/done"
    in_parallel $count &
    clients=$!
    for k in 1 2; do # after a quarter and after half of them
        wait_for "$TEST_LIMIT" at_least $((count * k / 4)) "$W/done"
        containerd_stop -KILL
        containerd_start
    done
    wait $clients
    echo "tries that needed another id: $(grep -vc '\.1$' "$W/done")"
    done_are $count
    sweep
    clean
}

# the runtime is killed at random; whoever asks again gets there, and nothing stays
test_runtime_killed() {
    local count=0
    SHIM_RUNS=$UNLUCKY
    : >"$W/done"
    : >"$W/kills"
    until at_least 3 "$W/kills"; do # of few containers a fast runtime may get all through
        count=$((count + COUNT / 2))
        in_parallel $((COUNT / 2))
        done_are $count
    done
    echo "killed:$(grep -oE ' (create|start|exec|delete|kill) ' "$W/kills" | sort | uniq -c | tr -s ' \n' ' ')"
    clean
}

# many containers through podman, each of which runs, says something, ends with a status and is removed
test_podman_many() {
    podman_place
    : >"$W/done"
    in_parallel "$COUNT" podman_one
    done_are "$COUNT"
    eq "$(pod ps --all --quiet)" ""
    wait_for 60 no_conmon
    find /sys/fs/cgroup -depth -type d -path "*/$PREFIX/conmon" -exec rmdir {} + # podman's own
    clean
}

podman_one() { # name
    local said status=0
    # shellcheck disable=SC2046 # words
    said=$(timeout 900 $(podman_command) run --rm --network none --cgroup-parent "/$PREFIX" --name "$1" localhost/bb sh -c "echo it is $1; exit 7" 2>&1) || status=$?
    if [ "$status $said" = "7 it is $1" ]; then echo "$1" >>"$W/done"; else echo "$1: status $status: $said"; fi
}

no_conmon() { [ -z "$(processes_with "$W/storage")" ]; }

# Docker: containers live through dockerd's end and its death (live restore)
test_docker_live_restore() {
    local k signal
    docker_place
    for ((k = 0; k < AT_ONCE; k++)); do docker_ run -d --network none --name "d$k" bb sh -c 'while :; do sleep 1; done'; done >/dev/null
    docker_pids "$W/before"
    eq "$(wc -l <"$W/before")" "$AT_ONCE"
    for signal in -TERM -KILL; do
        dockerd_stop $signal
        dockerd_start "${BRIDGE[@]}"
        wait_for 30 same_pids
    done
    eq "$(docker_ exec d0 echo again)" again
    docker_ ps -q | xargs timeout 120 docker --host "unix://$W/docker.sock" rm -f >/dev/null
    eq "$(docker_ ps -aq)" ""
    wait_for 60 nothing_left || { head -n 20 <<<"$LEFT"; return 1; }
}

docker_pids() { # file
    docker_ ps -q | sort | xargs -r -n 1 timeout 60 docker --host "unix://$W/docker.sock" inspect --format '{{.State.Running}} {{.State.Pid}}' >"$1"
}
same_pids() { docker_pids "$W/now" && cmp -s "$W/before" "$W/now"; }

tap_main
