#!/bin/bash
# docker.sh - drives a runtime through dockerd with --add-runtime: run, exec, update, stop, restart policies, events.
#
#   RUNTIME=/usr/sbin/runc tests/clients/docker.sh          any runtime; ONLY=regex, SKIP=regex, KEEP=1
#
# shellcheck disable=SC2016 # the quoted scripts are for the container's shell

NEEDS="dockerd:docker.io docker:docker.io containerd:containerd"
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib-docker.sh
. "$HERE/lib-docker.sh"

run() { docker_ run --rm --network none "$@"; }

tap_setup() {
    private_place
    make_rootfs
    docker_place
    echo "# $RUNTIME ($("$RUNTIME" --version | head -n 1)), $(docker --version), cgroup v$CGROUP_VERSION"
}

client_teardown() {
    docker_ ps -aq | xargs -r timeout 30 docker --host "unix://$W/docker.sock" rm -f
    dockerd_stop -TERM
}

each_after() {
    local ids
    [ -e "$TAP_DIR/keep" ] || { ids=$(docker_ ps -aq) && [ -z "$ids" ] || docker_ rm -f $ids; } >/dev/null 2>&1
    rm -f "$TAP_DIR/keep"
    return 0
}

keep() { touch "$TAP_DIR/keep"; }
inspect() { docker_ inspect --format "$2" "$1"; }
all_capabilities() { grep -q '^CapBnd:.*1ffffffffff' /proc/self/status; }
is() { [ "$(inspect "$1" "$2")" = "$3" ]; }
log_has() { docker_ logs "$1" 2>&1 | grep -qF -- "$2"; }

# ---- one-shot runs ------------------------------------------------------------------------------------------

# the runtime is the tested one, and dockerd asked it for its version
test_runtime() {
    has "$(docker_ info --format '{{json .Runtimes}}')" "$RUNTIME"
    docker_ create --name d-which bb true >/dev/null
    eq "$(inspect d-which '{{.HostConfig.Runtime}}')" tested
}

# run --rm: output, exit codes, nothing left
test_run() {
    eq "$(run bb echo hello)" hello
    capture run bb sh -c 'exit 42'
    eq "$RC" 42
    capture run --init bb sh -c 'kill -9 $$'
    eq "$RC" 137
    eq "$(docker_ ps -aq)" ""
}

# P6 E5: 127 for a program that is missing, 126 for one that may not run, and the runtime's words
test_program_missing() {
    capture run bb /no/such
    eq "$RC" 127
    has "$ERR" /no/such
    has "$ERR" "o such file or directory"
    capture run bb nosuchcommand
    eq "$RC" 127
    has "$ERR" nosuchcommand
    capture run bb /etc/passwd
    eq "$RC" 126
    has "$ERR" "ermission denied"
}

# streams, environment, working directory, hostname, user
test_process() {
    eq "$(echo typed | run -i bb cat)" typed
    eq "$(run bb sh -c 'echo o; echo e >&2' 2>/dev/null)" o
    eq "$(run bb sh -c 'dd if=/dev/zero bs=64k count=256 2>/dev/null' | wc -c)" 16777216
    eq "$(run -e A=b -w /data --hostname named bb sh -c 'echo $A $(pwd) $(hostname)')" "b /data named"
    eq "$(run -u user bb sh -c 'id -u; id -G')" $'1000\n1000 2000'
    eq "$(run --group-add 77 -u 5:6 bb sh -c 'id -u; id -G')" $'5\n6 77'
}

# volumes, tmpfs, a read-only root
test_mounts() {
    mkdir -p "$W/v"
    echo in >"$W/v/a"
    eq "$(run -v "$W/v:/mnt" bb sh -c 'cat /mnt/a; echo out >/mnt/b')" in
    eq "$(cat "$W/v/b")" out
    eq "$(run -v "$W/v:/mnt:ro" bb sh -c 'touch /mnt/c 2>/dev/null && echo w || echo ro')" ro
    eq "$(run -v named:/data bb cat /data/file)" of-the-image
    has "$(run --tmpfs /new:size=1m,noexec bb grep ' /new ' /proc/mounts)" size=1024k
    eq "$(run --read-only bb sh -c 'touch /x 2>/dev/null && echo w || echo ro')" ro
    has "$(run --shm-size 2m bb grep ' /dev/shm ' /proc/mounts)" size=2048k
}

# capabilities, no-new-privileges, seccomp, --privileged
test_confinement() {
    local show="grep CapEff /proc/self/status | cut -f2"
    eq "$(run bb sh -c "$show")" 00000000a80425fb
    eq "$(run --cap-drop ALL --cap-add CHOWN bb sh -c "$show")" 0000000000000001
    eq "$(run --security-opt no-new-privileges bb sh -c 'grep NoNewPrivs /proc/self/status | cut -f2')" 1
    eq "$(run bb sh -c 'grep Seccomp: /proc/self/status | cut -f2')" 2
    eq "$(run --security-opt seccomp=unconfined bb sh -c 'grep Seccomp: /proc/self/status | cut -f2')" 0
    # --privileged asks for every capability, also for those that a confined machine does not have
    if all_capabilities; then eq "$(run --privileged bb sh -c 'mount -t tmpfs x /mnt && echo mounted')" mounted; fi
    eq "$(run --cap-add SYS_ADMIN --security-opt seccomp=unconfined bb sh -c 'mount -t tmpfs x /mnt && echo mounted')" mounted
    has "$(run bb sh -c 'cat /proc/kcore 2>&1 | head -c 1; ls /proc/acpi /sys/firmware 2>&1; echo end')" end
}

# limits: memory, cpus, pids, ulimits; 137 and OOMKilled beyond the memory
test_limits() {
    local pid
    docker_ run -d --network none --name d-limits --memory 64m --cpus 0.5 --pids-limit 33 --ulimit nofile=100:200 bb sleep 100 >/dev/null
    pid=$(inspect d-limits '{{.State.Pid}}')
    if [ "$CGROUP_VERSION" = 1 ]; then
        eq "$(cat "$(cgroup_of "$pid" memory)/memory.limit_in_bytes")" 67108864
        eq "$(cat "$(cgroup_of "$pid" cpu)/cpu.cfs_quota_us")" 50000
    else
        eq "$(cat "$(cgroup_of "$pid" memory)/memory.max")" 67108864
    fi
    eq "$(cat "$(cgroup_of "$pid" pids)/pids.max")" 33
    eq "$(docker_ exec d-limits sh -c 'ulimit -n')" 100
    docker_ update --memory 32m --memory-swap 32m --cpus 0.25 d-limits >/dev/null
    if [ "$CGROUP_VERSION" = 1 ]; then
        eq "$(cat "$(cgroup_of "$pid" memory)/memory.limit_in_bytes")" 33554432
        eq "$(cat "$(cgroup_of "$pid" cpu)/cpu.cfs_quota_us")" 25000
    else
        eq "$(cat "$(cgroup_of "$pid" memory)/memory.max")" 33554432
    fi
    capture docker_ run --network none --name d-oom --memory 16m --memory-swap 16m bb tail /dev/zero
    eq "$RC" 137
    eq "$(inspect d-oom '{{.State.OOMKilled}}')" true
}

# devices and sysctls
test_devices() {
    eq "$(run --device /dev/fuse bb sh -c ': 3<>/dev/fuse && echo opened')" opened
    has "$(run bb sh -c 'mknod /tmp/k c 10 229; (: 3<>/tmp/k) 2>&1; true')" "Operation not permitted"
    eq "$(run --sysctl net.ipv4.ip_forward=1 bb cat /proc/sys/net/ipv4/ip_forward)" 1
}

# namespaces of the host and of another container
test_namespaces() {
    eq "$(docker_ run --rm --network host bb readlink /proc/self/ns/net)" "$(readlink /proc/self/ns/net)"
    eq "$(run --pid host bb readlink /proc/self/ns/pid)" "$(readlink /proc/self/ns/pid)"
    docker_ run -d --network none --name d-ns bb sleep 100 >/dev/null
    eq "$(docker_ run --rm --network container:d-ns --pid container:d-ns bb sh -c 'cat /proc/1/comm; readlink /proc/self/ns/net')" \
        "sleep"$'\n'"$(readlink "/proc/$(inspect d-ns '{{.State.Pid}}')/ns/net")"
}

# a bridge network: the engine's prestart hook moves the interface in
test_bridge() {
    [ "${BRIDGE[0]}" = --bip ] || skip "no packet filtering in a network namespace here"
    local address
    docker_ run -d --name d-net bb sleep 100 >/dev/null
    address=$(inspect d-net '{{.NetworkSettings.IPAddress}}')
    has "$(docker_ exec d-net ip addr show eth0)" "$address"
    docker_ run --rm bb ping -c 1 -W 3 "$address"
}

# ---- the life of a container --------------------------------------------------------------------------------

# life: run -d with a log
test_life_start() {
    keep
    docker_ run -d --network none --name life bb sh -c \
        'trap "echo GOT-USR1" USR1; trap "echo bye; exit 3" TERM; echo up; while :; do sleep 0.1; done' >/dev/null
    wait_for 5 log_has life up
    eq "$(inspect life '{{.State.Status}}')" running
}

# life: exec: output, status, user, directory, environment, stdin, missing program
test_life_exec() {
    keep
    eq "$(docker_ exec life echo ex)" ex
    capture docker_ exec life sh -c 'exit 9'
    eq "$RC" 9
    eq "$(docker_ exec -u user -w /data -e A=b life sh -c 'echo $(id -u) $(pwd) $A')" "1000 /data b"
    eq "$(echo typed | docker_ exec -i life cat)" typed
    capture docker_ exec life /no/such
    matches "$RC" '^12[67]$'
    has "$OUT$ERR" "o such file"
    capture docker_ exec life /etc/passwd
    eq "$RC" 126
    docker_ exec -d life sh -c 'echo x >/tmp/made'
    wait_for 5 docker_ exec life test -s /tmp/made
    if all_capabilities; then eq "$(docker_ exec --privileged life sh -c 'mount -t tmpfs x /mnt && echo mounted')" mounted; fi
}

# life: top, stats, pause, a signal
test_life_control() {
    keep
    has "$(docker_ top life)" "trap"
    matches "$(docker_ stats --no-stream --format '{{.MemUsage}} {{.PIDs}}' life)" '^[1-9].* [1-9]'
    docker_ pause life >/dev/null
    eq "$(inspect life '{{.State.Status}}')" paused
    docker_ unpause life >/dev/null
    eq "$(inspect life '{{.State.Status}}')" running
    docker_ kill -s USR1 life >/dev/null
    wait_for 5 log_has life GOT-USR1
    docker_ cp life:/data/file "$W/copied"
    eq "$(cat "$W/copied")" of-the-image
}

# life: dockerd and its containerd are stopped and killed; the container lives on (live restore)
test_life_live_restore() {
    keep
    local pid signal
    pid=$(inspect life '{{.State.Pid}}')
    for signal in -TERM -KILL; do
        dockerd_stop $signal
        [ -d "/proc/$pid" ]
        dockerd_start "${BRIDGE[@]}"
        is life '{{.State.Pid}}' "$pid"
        eq "$(docker_ exec life echo again)" again
    done
}

# life: stop gives the program's own status; start again; restart; kill
test_life_stop() {
    docker_ stop -t 5 life >/dev/null
    eq "$(inspect life '{{.State.ExitCode}}')" 3
    log_has life bye
    docker_ start life >/dev/null
    wait_for 5 is life '{{.State.Status}}' running
    docker_ restart -t 5 life >/dev/null
    eq "$(docker_ exec life echo up)" up
    docker_ kill life >/dev/null
    eq "$(inspect life '{{.State.ExitCode}}')" 137
    docker_ run -d --network none --name d-deaf bb sh -c 'trap "" TERM; while :; do sleep 0.1; done' >/dev/null
    docker_ stop -t 1 d-deaf >/dev/null
    eq "$(inspect d-deaf '{{.State.ExitCode}}')" 137
}

# restart policies: on-failure counts, always comes back
test_restart_policies() {
    docker_ run -d --network none --name d-fails --restart on-failure:2 bb sh -c 'exit 1' >/dev/null
    wait_for 20 is d-fails '{{.State.Status}} {{.RestartCount}}' "exited 2"
    docker_ run -d --network none --name d-always --restart always bb sh -c 'sleep 100' >/dev/null
    kill -KILL "$(inspect d-always '{{.State.Pid}}')"
    wait_for 20 is d-always '{{.State.Status}} {{.RestartCount}}' "running 1"
}

# events, wait and --rm of a detached container
test_events() {
    local seen kind
    timeout 4 docker --host "unix://$W/docker.sock" events --format '{{.Action}}' >"$W/events" 2>&1 &
    seen=$!
    sleep 0.5
    docker_ run -d --network none --name d-ev --memory 16m --memory-swap 16m bb sh -c 'sleep 0.5; tail /dev/zero' >/dev/null
    eq "$(docker_ wait d-ev)" 137
    docker_ rm d-ev >/dev/null
    wait $seen || true
    for kind in create start oom die destroy; do grep -qx $kind "$W/events"; done
}

# a health check runs through exec
test_health() {
    docker_ run -d --network none --name d-health --health-cmd 'test -e /data/file' --health-interval 1s bb sleep 100 >/dev/null
    wait_for 15 is d-health '{{.State.Health.Status}}' healthy
}

# T: a terminal in run and exec, with the size of ours
test_terminal() {
    local docker="docker --host unix://$W/docker.sock"
    has "$(on_terminal "$docker run --rm -t --network none bb sh -c 'test -t 0 && echo isatty; $SHOW_SIZE'" </dev/null)" $'isatty\n33 111'
    docker_ run -d --network none --name d-tty bb sleep 100 >/dev/null
    has "$(on_terminal "$docker exec -t d-tty sh -c 'test -t 0 && echo isatty; $SHOW_SIZE'" </dev/null)" $'isatty\n33 111'
}

# docker build: RUN steps go through the default runtime
test_build() {
    mkdir -p "$W/build"
    printf 'FROM bb\nRUN echo built >/built && id -u >/uid\nUSER user\nRUN id -u >/tmp/uid\nCMD ["cat","/built","/uid","/tmp/uid"]\n' >"$W/build/Dockerfile"
    DOCKER_BUILDKIT=0 docker_ build --network none -q -t built "$W/build" >/dev/null
    eq "$(run built)" $'built\n0\n1000'
}

# six at once
test_parallel() {
    local k pids=()
    for k in 1 2 3 4 5 6; do docker_ run -d --network none --name "d-p$k" bb sleep 100 >/dev/null & pids+=($!); done
    wait "${pids[@]}"
    eq "$(docker_ ps -q | wc -l)" 6
}

nothing_left() {
    LEFT=$(processes_with containerd-shim-runc-v2; cgroups_left | grep "/$PREFIX/."; find "$W/exec" -path '*/runtime-*/moby/*' -mindepth 1 -maxdepth 4 -name '????????????*') || true
    [ -z "$LEFT" ]
}

# nothing is left: containers, shims, cgroups, state of the runtime
test_nothing_left() {
    eq "$(docker_ ps -aq)" ""
    wait_for 5 nothing_left || { echo "left: $LEFT"; return 1; }
}

tap_main
