#!/bin/bash
# cri.sh - drives a runtime as Kubernetes' kubelet does: containerd's CRI plugin with a runtime handler.
#
#   RUNTIME=/usr/sbin/runc tests/clients/cri.sh             any runtime; ONLY=regex, SKIP=regex, KEEP=1
#
# shellcheck disable=SC2016 # the quoted scripts are for the container's shell

NEEDS="containerd:containerd ctr:containerd /usr/bin/python3:python3 /usr/lib/python3/dist-packages/grpc:python3-grpcio
    /usr/lib/python3/dist-packages/google/protobuf:python3-protobuf /usr/lib/cni/bridge:containernetworking-plugins"
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib-cri.sh
. "$HERE/lib-cri.sh"

tap_setup() {
    private_place
    make_image
    network
    CTR_NAMESPACE=k8s.io
    containerd_config "$(cri_settings)"
    containerd_start
    cri_images
    echo "# $RUNTIME ($("$RUNTIME" --version | head -n 1)), $(containerd --version), cgroup v$CGROUP_VERSION"
}

client_teardown() {
    local id
    for id in $(cri ListPodSandbox | jq -r '.items[]?.id'); do remove_pod "$id"; done
    containerd_stop
}

each_after() {
    local id
    [ -e "$TAP_DIR/keep" ] || for id in $(cri ListPodSandbox | jq -r '.items[]?.id'); do remove_pod "$id"; done >/dev/null 2>&1
    rm -f "$TAP_DIR/keep"
    return 0
}

keep() { touch "$TAP_DIR/keep"; }

# ---- a pod and its containers -------------------------------------------------------------------------------

# a pod sandbox with a runtime handler: ready, with an address, and through our runtime
test_pod() {
    keep
    start_pod web
    echo "$POD" >"$W/web.id"
    local status
    status=$(cri PodSandboxStatus '{"pod_sandbox_id": "'"$POD"'", "verbose": true}')
    eq "$(jq -r '.status.state // "SANDBOX_READY"' <<<"$status")" SANDBOX_READY
    eq "$(jq -r .status.runtime_handler <<<"$status")" tested
    matches "$(jq -r .status.network.ip <<<"$status")" '^10\.94\.0\.'
    has "$(jq -r .info.info <<<"$status")" "\"$RUNTIME\""
}

# an unknown runtime handler is refused
test_unknown_handler() {
    keep
    pod_config unknown
    fails cri RunPodSandbox '{"runtime_handler": "unknown", "config": '"$(cat "$W/unknown.pod")"'}'
    has "$ERR" unknown
}

# a container: created, running, log, the pod's hostname and network, its own pid namespace
test_container() {
    keep
    POD=$(cat "$W/web.id")
    start_container web app '.envs = [{key: "A", value: "b"}] | .working_dir = "/data"' sh -c 'echo $A $(pwd) $(hostname); echo e >&2; exec sleep 1000'
    echo "$CONTAINER" >"$W/app.id"
    container_is RUNNING
    wait_for 5 grep -q 'stdout F b /data web$' "$W/logs/web/app.log"
    wait_for 5 grep -q 'stderr F e$' "$W/logs/web/app.log"
    enter sh -c 'ip addr show eth0 | grep -c 10.94.0.; cat /proc/1/comm'
    eq "$OUT" $'1\nsleep'
}

# exec sync: output, error, exit code, a program that is missing, a time limit
test_exec() {
    keep
    CONTAINER=$(cat "$W/app.id")
    enter sh -c 'echo o; echo e >&2; exit 7'
    eq "$OUT $ERR $RC" "o e 7"
    fails cri ExecSync "$(jq -nc --arg id "$CONTAINER" '{container_id: $id, cmd: ["/no/such"], timeout: 20}')"
    has "$ERR" "o such file or directory"
    fails cri ExecSync "$(jq -nc --arg id "$CONTAINER" '{container_id: $id, cmd: ["sleep", "100"], timeout: 1}')"
    has "$ERR" DEADLINE
    enter echo still
    eq "$OUT" still
}

# stats of the container and of the pod
test_stats() {
    keep
    CONTAINER=$(cat "$W/app.id")
    local stats
    stats=$(cri ContainerStats '{"container_id": "'"$CONTAINER"'"}')
    [ "$(jq -r .stats.memory.working_set_bytes.value <<<"$stats")" -gt 0 ]
    [ "$(jq -r .stats.cpu.usage_core_nano_seconds.value <<<"$stats")" -gt 0 ]
    stats=$(cri PodSandboxStats '{"pod_sandbox_id": "'"$(cat "$W/web.id")"'"}')
    eq "$(jq -r '.stats.attributes.metadata.name' <<<"$stats")" web
}

# update: new limits, in place
test_update() {
    keep
    CONTAINER=$(cat "$W/app.id")
    local pid
    cri UpdateContainerResources '{"container_id": "'"$CONTAINER"'", "linux": {"cpu_period": 100000, "cpu_quota": 30000, "memory_limit_in_bytes": 33554432}}'
    pid=$(container_pid)
    if [ "$CGROUP_VERSION" = 1 ]; then
        eq "$(cat "$(cgroup_of "$pid" cpu)/cpu.cfs_quota_us")" 30000
        eq "$(cat "$(cgroup_of "$pid" memory)/memory.limit_in_bytes")" 33554432
    else
        eq "$(cat "$(cgroup_of "$pid" memory)/memory.max")" 33554432
    fi
}

# containerd restarts: pod and container live on
test_restart_of_containerd() {
    keep
    CONTAINER=$(cat "$W/app.id")
    local signal
    for signal in -TERM -KILL; do
        containerd_stop $signal
        containerd_start
        wait_for 10 container_is RUNNING
        enter echo again
        eq "$OUT" again
    done
}

# stop with a grace period, start a second attempt as the kubelet does, remove
test_restart() {
    POD=$(cat "$W/web.id") CONTAINER=$(cat "$W/app.id")
    cri StopContainer '{"container_id": "'"$CONTAINER"'", "timeout": 1}'
    container_is EXITED
    eq "$(container_status .status.exit_code)" 137
    start_container web app '.metadata.attempt = 1' sh -c 'exit 3'
    wait_for 5 container_is EXITED
    eq "$(container_status '.status.exit_code')" 3
    eq "$(container_status '.status.reason')" Error
    cri RemoveContainer '{"container_id": "'"$CONTAINER"'"}'
    eq "$(cri ListContainers '{"filter": {"pod_sandbox_id": "'"$POD"'"}}' | jq '.containers | length')" 1
}

# ---- security contexts --------------------------------------------------------------------------------------

# user, groups, capabilities, read-only root, no_new_privs, seccomp
test_security_context() {
    start_pod secure
    start_container secure app '.linux.security_context += {run_as_user: {value: 1000}, run_as_group: {value: 1000}, supplemental_groups: [77],
        readonly_rootfs: true, no_new_privs: true, seccomp: {profile_type: 0}, capabilities: {drop_capabilities: ["ALL"]}}' sleep 1000
    enter sh -c 'id -u; id -G; grep -E "CapPrm|NoNew|Seccomp:" /proc/self/status | cut -f2 | tr "\n" " "; touch /tmp/x 2>/dev/null && echo w || echo ro'
    eq "$OUT" $'1000\n1000 77 2000\n0000000000000000 1 2 ro' || eq "$OUT" $'1000\n1000 2000 77\n0000000000000000 1 2 ro' || eq "$OUT" $'1000\n1000 77\n0000000000000000 1 2 ro'
}

# limits, mounts with propagation, a device, an out-of-memory kill with its reason
test_resources() {
    local pid
    mkdir -p "$W/v"
    echo in >"$W/v/a"
    start_pod limited
    start_container limited app '.linux.resources = {cpu_period: 100000, cpu_quota: 50000, cpu_shares: 512, memory_limit_in_bytes: 67108864, oom_score_adj: 500} |
        .mounts = [{container_path: "/mnt", host_path: "'"$W/v"'", readonly: true, propagation: 1}] | .devices = [{container_path: "/dev/fuse", host_path: "/dev/fuse", permissions: "rw"}]' sleep 1000
    pid=$(container_pid)
    if [ "$CGROUP_VERSION" = 1 ]; then
        eq "$(cat "$(cgroup_of "$pid" memory)/memory.limit_in_bytes")" 67108864
        eq "$(cat "$(cgroup_of "$pid" cpu)/cpu.shares")" 512
    else
        eq "$(cat "$(cgroup_of "$pid" memory)/memory.max")" 67108864
    fi
    enter sh -c 'cat /mnt/a /proc/1/oom_score_adj; touch /mnt/x 2>/dev/null || echo ro; : 3<>/dev/fuse && echo opened'
    eq "$OUT" $'in\n500\nro\nopened'
    start_container limited hungry '.linux.resources = {memory_limit_in_bytes: 16777216}' tail /dev/zero
    wait_for 10 container_is EXITED
    eq "$(container_status .status.reason)" OOMKilled
    eq "$(container_status .status.exit_code)" 137
}

# host namespaces, and one pid namespace for the whole pod
test_namespaces() {
    start_pod host 'del(.hostname) | .linux.security_context.namespace_options = {network: 2, pid: 2, ipc: 2}'
    start_container host app '.linux.security_context.namespace_options = {network: 2, pid: 2, ipc: 2}' sleep 1000
    enter sh -c 'readlink /proc/self/ns/net; readlink /proc/self/ns/pid; readlink /proc/self/ns/ipc'
    eq "$OUT" "$(readlink /proc/self/ns/net; readlink /proc/self/ns/pid; readlink /proc/self/ns/ipc)"
    start_pod shared '.linux.security_context.namespace_options = {pid: 0}'
    start_container shared app '.linux.security_context.namespace_options = {pid: 0}' sleep 1000
    enter sh -c 'echo $(ps | wc -l) $(cat /proc/1/comm)'
    matches "$OUT" '^[3-9] (sh|sleep)$'
}

# annotations of the pod reach the runtime's config
test_annotations() {
    start_pod noted '.annotations = {"test.one": "1", "other": "2"}'
    start_container noted app '.annotations = {"test.two": "2"}' sleep 1000
    container_status .info.info | jq -r .runtimeSpec.annotations >"$W/annotations"
    eq "$(jq -r '."test.one" + ."test.two" + (.other // "")' "$W/annotations")" 12
    has "$(cat "/run/containerd/io.containerd.runtime.v2.task/k8s.io/$CONTAINER/config.json" "$W/state/io.containerd.runtime.v2.task/k8s.io/$CONTAINER/config.json" 2>/dev/null)" '"test.one":"1"'
}

# a user namespace for the pod, where this containerd can do it
test_user_namespace() {
    local mappings='{mode: 0, uids: [{host_id: 200000, container_id: 0, length: 65536}], gids: [{host_id: 200000, container_id: 0, length: 65536}]}'
    dpkg --compare-versions "$(containerd --version | sed 's/.* \([0-9][0-9.]*\)[~ ].*/\1/')" ge 1.7 || skip "containerd before 1.7 has no user namespaces for pods"
    start_pod mapped ".linux.security_context.namespace_options.userns_options = $mappings"
    start_container mapped app ".linux.security_context.namespace_options.userns_options = $mappings" sleep 1000
    enter sh -c 'tr -s " " </proc/self/uid_map; stat -c %u /data/file'
    eq "$OUT" $' 0 200000 65536\n0'
}

# a program that is missing: the kubelet gets the reason, and the container ends as exited
test_program_missing() {
    start_pod wrong
    create_container wrong app . /no/such
    fails cri StartContainer '{"container_id": "'"$CONTAINER"'"}'
    has "$ERR" "/no/such"
    has "$ERR" "o such file or directory"
    wait_for 5 container_is EXITED
}

# a host path that is missing or no directory
test_bad_mount() {
    start_pod wrong
    : >"$W/plain"
    create_container wrong app '.mounts = [{container_path: "/data", host_path: "'"$W/plain"'"}]' sleep 1000
    fails cri StartContainer '{"container_id": "'"$CONTAINER"'"}'
    has "$ERR" "ot a directory"
}

# five pods with two containers each, at the same time
test_parallel() {
    local k pids=()
    for k in 1 2 3 4 5; do
        (
            start_pod "p$k"
            start_container "p$k" a . sleep 1000
            start_container "p$k" b . sleep 1000
        ) &
        pids+=($!)
    done
    for k in "${pids[@]}"; do wait "$k"; done
    eq "$(cri ListContainers '{"filter": {"state": {"state": "CONTAINER_RUNNING"}}}' | jq '.containers | length')" 10
}

nothing_left() {
    LEFT=$(processes_with containerd-shim-runc-v2; cgroups_left | grep "/$PREFIX/."; ls /run/containerd/runc/k8s.io 2>/dev/null; ls /var/run/netns 2>/dev/null) || true
    [ -z "$LEFT" ]
}

# nothing is left: pods, shims, cgroups, state, network namespaces
test_nothing_left() {
    eq "$(cri ListPodSandbox | jq -r '.items | length')" 0
    wait_for 10 nothing_left || { echo "left: $LEFT"; return 1; }
}

tap_main
