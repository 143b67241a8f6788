#!/bin/bash
# containerd.sh - drives a runtime through containerd's stock runc v2 shim (options.BinaryName) with ctr.
#
#   RUNTIME=/usr/sbin/runc tests/clients/containerd.sh      any runtime; ONLY=regex, SKIP=regex, KEEP=1
#
# shellcheck disable=SC2016 # the quoted scripts are for the container's shell

NEEDS="containerd:containerd ctr:containerd"
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

tap_setup() {
    private_place
    make_image
    CTR_NAMESPACE=$PREFIX # it names the parent cgroup
    containerd_config
    containerd_start
    ctr_ image import "$W/image.tar" >"$W/import" 2>&1 || bail_out "import failed: $(tail -n 1 "$W/import")"
    echo "# $RUNTIME ($("$RUNTIME" --version | head -n 1)), $(containerd --version), cgroup v$CGROUP_VERSION"
}

# a failed test must not spoil the next ones
each_after() {
    local id
    [ -e "$TAP_DIR/keep" ] || for id in $(ctr_ container ls -q); do remove "$id"; done >/dev/null 2>&1
    rm -f "$TAP_DIR/keep"
    return 0
}

keep() { touch "$TAP_DIR/keep"; }
fresh() { echo "c-$BASHPID-$RANDOM"; }

with_flags() { # verb... -- : splits "flags -- command" into FLAGS and COMMAND
    FLAGS=() COMMAND=()
    while [ "$1" != -- ]; do FLAGS+=("$1"); shift; done
    shift
    COMMAND=("$@")
}

run() { # [flag...] -- command...
    with_flags "$@"
    ctr_ run --rm --runc-binary "$RUNTIME" "${FLAGS[@]}" "$IMAGE" "$(fresh)" "${COMMAND[@]}"
}

run_detached() { # [flag...] -- id command...
    with_flags "$@"
    ctr_ run -d --runc-binary "$RUNTIME" "${FLAGS[@]}" "$IMAGE" "${COMMAND[@]}"
}

enter() { # [flag...] -- id command...
    with_flags "$@"
    ctr_ task exec --exec-id "e$RANDOM$RANDOM" "${FLAGS[@]}" "${COMMAND[@]}"
}

remove() {
    ctr_ task rm -f "$1" >/dev/null 2>&1 || true
    ctr_ container rm "$1"
}

status() { ctr_ task ls | awk -v id="$1" '$1 == id { print $3 }'; }
pid_of() { ctr_ task ls | awk -v id="$1" '$1 == id { print $2 }'; }
has_status() { [ "$(status "$1")" = "$2" ]; }

watch_events() { # seconds
    timeout "$1" ctr --address "$W/c.sock" --namespace "$CTR_NAMESPACE" events >"$W/events" 2>&1 &
    WATCHER=$!
    sleep 0.5
}

see_events() { # waits for the watcher, sets SEEN to what it saw
    wait $WATCHER || true
    SEEN=$(tr -d '\000' <"$W/events")
}

# ---- one-shot runs ------------------------------------------------------------------------------------------

# run --rm: output, and nothing left
test_run() {
    eq "$(run -- echo hello)" hello
    eq "$(ctr_ container ls -q)" ""
}

# X1: exit codes and signals
test_exit_codes() {
    capture run -- sh -c 'exit 42'
    eq "$RC" 42
    capture run --with-ns pid:/proc/1/ns/pid -- sh -c 'kill -9 $$'
    eq "$RC" 137
}

# P6 E5: a program that is missing, one that may not run: the engine's user reads why
test_program_missing() {
    fails run -- /no/such
    has "$ERR" "o such file or directory"
    has "$ERR" /no/such
    fails run -- /etc/passwd
    matches "$ERR" 'ermission denied|not executable'
}

# stdin, stdout, stderr; 16 MiB of output
test_streams() {
    eq "$(echo typed | run -- head -n 1)" typed
    eq "$(run -- sh -c 'echo o; echo e >&2' 2>/dev/null)" o
    eq "$(run -- sh -c 'dd if=/dev/zero bs=64k count=256 2>/dev/null' | wc -c)" 16777216
}

# --env, --cwd, --annotation
test_environment() {
    eq "$(run --env A=b --cwd /data -- sh -c 'echo $A $(pwd)')" "b /data"
    run_detached --annotation x.y=z -- c-an sleep 100
    has "$(ctr_ container info c-an)" '"x.y": "z"'
}

# --read-only and mounts: bind rw and ro, tmpfs
test_mounts() {
    mkdir -p "$W/v"
    echo in >"$W/v/a"
    eq "$(run --read-only -- sh -c 'touch /x 2>/dev/null && echo w || echo ro')" ro
    eq "$(run --mount "type=bind,src=$W/v,dst=/mnt,options=rbind:rw" -- sh -c 'cat /mnt/a; echo out >/mnt/b')" in
    eq "$(cat "$W/v/b")" out
    eq "$(run --mount "type=bind,src=$W/v,dst=/mnt,options=rbind:ro" -- sh -c 'touch /mnt/c 2>/dev/null && echo w || echo ro')" ro
    has "$(run --mount type=tmpfs,src=tmpfs,dst=/mnt,options=size=1m:noexec -- grep ' /mnt ' /proc/mounts)" size=1024k
}

# capabilities: the default set, added, dropped
test_capabilities() {
    local show="grep CapEff /proc/self/status | cut -f2"
    eq "$(run -- sh -c "$show")" 00000000a80425fb
    eq "$(run --cap-add CAP_NET_ADMIN -- sh -c "$show")" 00000000a80435fb
    eq "$(run --cap-drop CAP_NET_RAW --cap-drop CAP_MKNOD -- sh -c "$show")" 00000000a00405fb
}

# no_new_privs, seccomp and --privileged
test_confinement() {
    eq "$(run -- sh -c 'grep NoNewPrivs /proc/self/status | cut -f2')" 1
    eq "$(run --allow-new-privs -- sh -c 'grep NoNewPrivs /proc/self/status | cut -f2')" 0
    eq "$(run --seccomp -- sh -c 'grep Seccomp: /proc/self/status | cut -f2')" 2
    eq "$(run --privileged -- sh -c 'touch /proc/sys/kernel/msgmax && echo writable')" writable
    echo '{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64"],"syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":122}]}' >"$W/seccomp.json"
    has "$(run --seccomp --seccomp-profile "$W/seccomp.json" -- sh -c 'mkdir /tmp/x 2>&1; true')" "uota exceeded"
}

# limits: memory, cpu, and what happens beyond them
test_limits() {
    local pid
    run_detached --memory-limit 67108864 --cpus 0.5 -- c-limits sleep 100
    pid=$(pid_of c-limits)
    if [ "$CGROUP_VERSION" = 1 ]; then
        eq "$(cat "$(cgroup_of "$pid" memory)/memory.limit_in_bytes")" 67108864
        eq "$(cat "$(cgroup_of "$pid" cpu)/cpu.cfs_quota_us")" 50000
    else
        eq "$(cat "$(cgroup_of "$pid" memory)/memory.max")" 67108864
        eq "$(cat "$(cgroup_of "$pid" cpu)/cpu.max")" "50000 100000"
    fi
    capture run --memory-limit 16777216 -- tail /dev/zero
    eq "$RC" 137
}

# devices: one is given, others are denied
test_devices() {
    eq "$(run --device /dev/fuse -- sh -c ': 3<>/dev/fuse && echo opened')" opened
    has "$(run -- sh -c 'mknod /tmp/k c 10 229; (: 3<>/tmp/k) 2>&1; true')" "Operation not permitted"
}

# no stray file descriptors in run and exec
test_descriptors() {
    eq "$(run -- sh -c 'ls /proc/self/fd' | tr '\n' ' ')" "0 1 2 3 "
    run_detached -- c-fds sleep 100
    eq "$(enter -- c-fds ls /proc/self/fd | tr '\n' ' ')" "0 1 2 3 "
}

# namespaces: the host's network, those of another container, ids mapped
test_namespaces() {
    local pid
    eq "$(run --net-host -- readlink /proc/self/ns/net)" "$(readlink /proc/self/ns/net)"
    run_detached -- c-ns sleep 100
    pid=$(pid_of c-ns)
    eq "$(run --with-ns "network:/proc/$pid/ns/net" --with-ns "ipc:/proc/$pid/ns/ipc" -- sh -c 'readlink /proc/self/ns/net; readlink /proc/self/ns/ipc')" \
        "$(readlink "/proc/$pid/ns/net" "/proc/$pid/ns/ipc")"
}

# --uidmap with --remap-labels. ctr forgets --runc-binary then: the shim finds the runtime as runc on the PATH
test_user_namespace() {
    has "$(run --uidmap 0:200000:65536 --gidmap 0:200000:65536 --remap-labels --snapshotter overlayfs -- sh -c 'tr -s " " </proc/self/uid_map; stat -c %u /data/file')" "0 200000 65536"
}

# S2 35 36: a hook that fails in start is in ctr's message, and the task that is gone by then can be deleted
test_failing_hook() {
    [ "$KIND" = aril ] || skip "older than the specification's words"
    local kind id
    for kind in startContainer poststart; do
        id=$(fresh)
        "$RUNTIME" spec -b "$W" && mv "$W/config.json" "$W/default.json"
        jq --arg root "$W/rootfs" --arg kind $kind '.root.path = $root | .process.terminal = false | .process.args = ["sleep", "100"]
            | .hooks[$kind] = [{path: "/bin/false"}]' "$W/default.json" >"$W/hook.json"
        fails ctr_ run --runc-binary "$RUNTIME" --config "$W/hook.json" "$id"
        has "$ERR" "$kind hook[0] (/bin/false)"
        hasnt "$ERR" "does not exist"
        eq "$(status "$id")" ""
        ctr_ container rm "$id"
    done
}

# --rootfs, --config, --rootfs-propagation, --runc-root
test_other_ways() {
    eq "$(ctr_ run --rm --runc-binary "$RUNTIME" --rootfs "$W/rootfs" "$(fresh)" /bin/echo r)" r
    ctr_ oci spec | jq --arg root "$W/rootfs" --arg cgroup "/$PREFIX/config" '.root.path = $root | .linux.cgroupsPath = $cgroup |
        .process.args = ["/bin/echo", "configured"] | .process.terminal = false' >"$W/spec.json"
    eq "$(ctr_ run --rm --runc-binary "$RUNTIME" --config "$W/spec.json" "$(fresh)")" configured
    run --rootfs-propagation slave -- true
    run_detached --runc-root "$W/elsewhere" -- c-root sleep 100
    [ -e "$W/elsewhere/$CTR_NAMESPACE/c-root" ]
    remove c-root
    [ ! -e "$W/elsewhere/$CTR_NAMESPACE/c-root" ]
}

# --log-uri, --pid-file, --null-io
test_io_files() {
    run_detached --log-uri "file://$W/log" --pid-file "$W/pid" -- c-log sh -c 'echo logged; echo err >&2; sleep 100'
    wait_for 5 grep -q logged "$W/log"
    wait_for 5 grep -q err "$W/log"
    eq "$(cat "$W/pid")" "$(pid_of c-log)"
    run_detached --null-io -- c-null sh -c 'echo x; sleep 100'
    has_status c-null RUNNING
}

# ---- the life of a task -------------------------------------------------------------------------------------

# life: run -d
test_life_start() {
    keep
    run_detached --log-uri "file://$W/life.log" -- life sh -c \
        'trap "echo GOT-USR1" USR1; trap "echo bye; exit 3" TERM; echo up; while :; do sleep 0.1; done'
    wait_for 5 grep -q up "$W/life.log"
    has_status life RUNNING
}

# life: exec: output, exit code, options, stdin, detached, eight at once
test_life_exec() {
    keep
    eq "$(enter -- life echo ex)" ex
    capture enter -- life sh -c 'exit 9'
    eq "$RC" 9
    eq "$(enter --cwd /data --user 1000:1000 -- life sh -c 'echo $(pwd) $(id -u)')" "/data 1000"
    eq "$(echo typed | enter -- life cat)" typed
    enter -d -- life sh -c 'echo x >/tmp/made'
    wait_for 5 enter -- life test -s /tmp/made
    local k pids=()
    for k in 1 2 3 4 5 6 7 8; do enter -- life echo "$k" >>"$W/many" & pids+=($!); done
    wait "${pids[@]}"
    eq "$(sort "$W/many" | tr -d '\n')" 12345678
}

# life: an exec of nothing fails with a reason, and the container lives
test_life_exec_missing() {
    keep
    fails enter -- life /no/such
    has "$ERR" "o such file"
    eq "$(enter -- life echo still)" still
}

# life: ps and metrics
test_life_statistics() {
    keep
    local metrics
    [ "$(ctr_ task ps life | wc -l)" -ge 2 ]
    metrics=$(ctr_ task metrics --format json life)
    if [ "$CGROUP_VERSION" = 1 ]; then
        [ "$(jq -r .memory.usage.usage <<<"$metrics")" -gt 0 ]
        [ "$(jq -r .pids.current <<<"$metrics")" -gt 0 ]
        [ "$(jq -r .cpu.usage.total <<<"$metrics")" -gt 0 ]
    else
        [ -n "$(jq -r .cpu <<<"$metrics")" ]
    fi
}

# life: pause and resume
test_life_pause() {
    keep
    ctr_ task pause life
    has_status life PAUSED
    ctr_ task resume life
    has_status life RUNNING
    eq "$(enter -- life echo alive)" alive
}

# life: a signal
test_life_signal() {
    keep
    ctr_ task kill -s SIGUSR1 life
    wait_for 5 grep -q GOT-USR1 "$W/life.log"
}

# life: containerd is stopped, then killed; the task lives on
test_life_restart_of_containerd() {
    keep
    local signal
    for signal in -TERM -KILL; do
        containerd_stop $signal
        [ -n "$(processes_with containerd-shim-runc-v2)" ]
        containerd_start
        has_status life RUNNING
        eq "$(enter -- life echo again)" again
    done
}

# life: SIGTERM ends it with its own status, reported by an event; then it starts again and is killed
test_life_stop() {
    watch_events 3
    ctr_ task kill -s SIGTERM life
    wait_for 5 has_status life STOPPED
    ctr_ task rm life || [ $? = 3 ]
    grep -q bye "$W/life.log"
    see_events
    matches "$SEEN" '/tasks/exit .*"exit_status":3[,}]'
    ctr_ task start -d --null-io life
    has_status life RUNNING
    watch_events 3
    ctr_ task kill -s SIGKILL life
    wait_for 5 has_status life STOPPED
    see_events
    matches "$SEEN" '/tasks/exit .*"exit_status":137[,}]'
}

# kill --all, task rm -f
test_kill_all() {
    run_detached -- c-all sh -c 'sleep 100 & sleep 100 & wait'
    ctr_ task kill -a -s SIGKILL c-all
    wait_for 5 has_status c-all STOPPED
    remove c-all
    run_detached -- c-force sleep 100
    ctr_ task rm -f c-force || true
    eq "$(ctr_ task ls -q)" ""
}

no_task() { ! ctr_ task ls -q | grep -qx "$1"; }

# the shim is killed: containerd cleans up through the runtime
test_shim_killed() {
    local pid shim
    run_detached -- c-shim sleep 100
    pid=$(pid_of c-shim)
    shim=$(sed -n 's/^PPid:\t//p' "/proc/$pid/status")
    has "$(tr '\0' ' ' <"/proc/$shim/cmdline")" containerd-shim-runc-v2
    kill -KILL "$shim"
    wait_for 10 gone "$pid"
    wait_for 10 no_task c-shim
    wait_for 5 test ! -e "/run/containerd/runc/$CTR_NAMESPACE/c-shim"
}

# events: create, start, exit, delete, oom
test_events() {
    local kind
    watch_events 4
    run -- true
    run --memory-limit 16777216 -- sh -c 'sleep 0.5; tail /dev/zero; sleep 0.5' || true
    see_events
    for kind in create start exit delete oom; do has "$SEEN" "/tasks/$kind"; done
}

# six at once
test_parallel() {
    local k pids=()
    for k in 1 2 3 4 5 6; do run_detached -- "c-p$k" sleep 100 & pids+=($!); done
    wait "${pids[@]}"
    eq "$(ctr_ task ls -q | wc -l)" 6
    pids=()
    for k in 1 2 3 4 5 6; do remove "c-p$k" & pids+=($!); done
    wait "${pids[@]}"
    eq "$(ctr_ container ls -q)" ""
}

# T: a terminal in run and exec, with the size of ours
test_terminal() {
    local ctr="ctr --address $W/c.sock --namespace $CTR_NAMESPACE"
    has "$(on_terminal "$ctr run --rm -t --runc-binary $RUNTIME $IMAGE $(fresh) sh -c 'test -t 0 && test -c /dev/console && echo isatty; $SHOW_SIZE'" </dev/null)" $'isatty\n33 111'
    run_detached -- c-tty sleep 100
    has "$(on_terminal "$ctr task exec -t --exec-id x c-tty sh -c 'test -t 0 && echo isatty; $SHOW_SIZE'" </dev/null)" $'isatty\n33 111'
}

# --cni: a network from a plugin
test_cni() {
    [ -x /usr/lib/cni/bridge ] || skip "no CNI plugins (Debian: containernetworking-plugins)"
    mount -t tmpfs tmpfs /opt/cni
    mkdir /opt/cni/bin
    mount --bind /usr/lib/cni /opt/cni/bin
    echo '{"cniVersion":"0.4.0","name":"t","plugins":[{"type":"bridge","bridge":"t0","isGateway":true,"ipam":{"type":"host-local","dataDir":"'"$W"'/ipam","ranges":[[{"subnet":"10.91.0.0/24"}]]}}]}' >/etc/cni/net.d/10-t.conflist
    has "$(run --cni -- ip addr show eth0)" 10.91.0.
}

nothing_left() {
    LEFT=$(processes_with containerd-shim-runc-v2; cgroups_left | grep "/$PREFIX/."; ls "/run/containerd/runc/$CTR_NAMESPACE" 2>/dev/null) || true
    [ -z "$LEFT" ]
}

# nothing is left: tasks, shims, cgroups, state
test_nothing_left() {
    eq "$(ctr_ container ls -q)" ""
    wait_for 5 nothing_left || { echo "left: $LEFT"; return 1; }
}

mkdir "$W/path"
ln -s "$RUNTIME" "$W/path/runc"
PATH=$W/path:$PATH
tap_main
