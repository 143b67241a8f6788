#!/bin/bash
# errors.sh - what the users of podman, ctr, Docker and the CRI see when something is wrong: message and exit status.
#
#   RUNTIME=/usr/sbin/runc tests/clients/errors.sh          any runtime; ONLY=regex, SKIP=regex, KEEP=1
#   tests/clients/errors.sh --table [NAME=PATH...]          writes errors.md, the messages of aril, crun and runc
#
# Each test is a situation and asks every engine. The status and the words that an engine's user needs are checked, and
# that errors.md has exactly this message, if it was written with the same engine and runtime.
#
# shellcheck disable=SC2016 # the quoted scripts are for the container's shell

# the table is of the runtimes in turn, all with the view that the pickiest of them accepts
if [ "${1:-}" = --table ]; then
    HERE=$(cd "$(dirname "$0")" && pwd)
    shift
    [ $# -gt 0 ] || set -- "aril=${RUNTIME:-${BUILD:-$HERE/../../build}/aril}" crun=crun runc=runc
    rows=$(mktemp)
    for entry in "$@"; do
        RUNTIME=$(command -v "${entry#*=}") ERRORS_ROWS=$rows CGROUPS=v1 "$0" >&2
    done
    {
        sed '/^<!-- table/q' "$HERE/errors.md"
        echo "Written with $(sort -u "$rows.versions" | sed 's/.*/`&`/' | paste -sd ' ')."
        awk -F '\t' '
            !seen[$1]++ { order[++count] = $1 }
            { rows[$1, $2] = rows[$1, $2] "| " $2 " | " $3 " | " $4 " | " $5 " |\n" }
            END {
                for (i = 1; i <= count; i++) {
                    print "\n### " order[i] "\n\n| engine | runtime | status | message |\n|---|---|---:|---|"
                    split("podman ctr docker cri", engines, " ")
                    for (k = 1; k <= 4; k++) printf "%s", rows[order[i], engines[k]]
                }
            }' "$rows"
    } >"$HERE/errors.md.new"
    mv "$HERE/errors.md.new" "$HERE/errors.md"
    rm -f "$rows" "$rows.versions"
    exit
fi

NEEDS="podman:podman conmon:conmon dockerd:docker.io docker:docker.io containerd:containerd ctr:containerd
    /usr/lib/python3/dist-packages/grpc:python3-grpcio /usr/lib/python3/dist-packages/google/protobuf:python3-protobuf
    /usr/lib/cni/bridge:containernetworking-plugins"
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib-podman.sh
. "$HERE/lib-podman.sh"
# shellcheck source=lib-docker.sh
. "$HERE/lib-docker.sh"
# shellcheck source=lib-cri.sh
. "$HERE/lib-cri.sh"
TABLE=$HERE/errors.md

tap_setup() {
    private_place
    make_bad_files
    make_image
    network
    CTR_NAMESPACE=k8s.io
    containerd_config "$(cri_settings)"
    containerd_start
    cri_images
    CTR_NAMESPACE=$PREFIX # it names the parent cgroup
    ctr_ image import "$W/image.tar" >"$W/import" 2>&1 || bail_out "import failed: $(tail -n 1 "$W/import")"
    podman_place
    docker_place
    VERSION=$("$RUNTIME" --version | awk 'NR == 1 { print $NF }')
    if [ -n "${ERRORS_ROWS:-}" ]; then
        { echo "$KIND $VERSION"; for engine in podman ctr cri docker; do echo "$engine $(version_of $engine)"; done; } >>"$ERRORS_ROWS.versions"
    fi
    echo "# $RUNTIME ($VERSION), $(podman --version), $(containerd --version), $(dockerd --version), cgroup v$CGROUP_VERSION"
}

client_teardown() {
    local id
    podman_remove_all
    docker_ ps -aq | xargs -r timeout 30 docker --host "unix://$W/docker.sock" rm -f
    dockerd_stop -TERM
    for id in $(cri ListPodSandbox | jq -r '.items[]?.id'); do remove_pod "$id"; done
    containerd_stop
}

each_after() {
    local id ids
    pod rm --all --force --time 0
    ids=$(docker_ ps -aq) && [ -z "$ids" ] || docker_ rm -f $ids
    for id in $(cri ListPodSandbox | jq -r '.items[]?.id'); do remove_pod "$id"; done
    for id in $(ctr_ task ls -q); do ctr_ task rm -f "$id"; done
    for id in $(ctr_ container ls -q); do ctr_ container rm "$id"; done
    return 0
} >/dev/null 2>&1

# what is wrong with them is in their names; a full disk is a file system of one page
make_bad_files() {
    make_rootfs
    printf '#!/no/interpreter\n' >"$W/rootfs/data/no-interpreter"
    printf 'neither a program nor a script\n' >"$W/rootfs/data/no-program"
    chmod 755 "$W/rootfs/data/no-interpreter" "$W/rootfs/data/no-program"
    : >"$W/plain"
    mkdir "$W/full"
    mount -t tmpfs -o size=4k tmpfs "$W/full"
    head -c 4096 /dev/zero >"$W/full/file"
}

# ---- asking an engine ---------------------------------------------------------------------------------------

# ask ENGINE FLAGS... -- COMMAND...: runs a container in the engine's way; FLAGS of the CRI are two jq filters, of the
# pod and of the container. Sets RC and MESSAGE, without what changes from run to run.
ask() {
    local engine=$1 flags=()
    shift
    while [ "$1" != -- ]; do flags+=("$1"); shift; done
    shift
    capture "ask_$engine" "$@"
    MESSAGE=$(plain "$ERR")
}

ask_podman() { pod run --rm --network none "${flags[@]}" bb "$@"; }
ask_docker() { docker_ run --rm --network none "${flags[@]}" bb "$@"; }
ask_ctr() { ctr_ run --rm --runc-binary "$RUNTIME" "${flags[@]}" "$IMAGE" "errors-$RANDOM" "$@"; }
ask_cri() {
    rm -f "$W/logs/errors/app.log"
    start_pod errors "${flags[0]:-.}" || return
    start_container errors app "${flags[1]:-.}" "$@" >"$W/started" || return
}

plain() { # message
    tr -d '\r' <<<"$1" | tr -s '\n' ' ' | sed -E "s,$W,/W,g; s,$PREFIX,NAMESPACE,g; s,$RUNTIME,/usr/bin/${RUNTIME##*/},g
        s,time=\"[^\"]*\" *,,g; s,[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z? *(: )?,,g; s,\"[0-9a-f]{64}\",\"ID\",g; s,[0-9a-f]{64},ID,g; s,errors-[0-9]+,ID,g
        s,/(proc|fd)/[0-9]+,/\1/N,g; s,\bfd [0-9]+,fd N,g; s,storage/overlay/[^ ]*/merged,storage/merged,g
        s,(config.json:1:|usage: |runctop|runctmpdir)[0-9]+,\1N,g; s, *\$,,; s,\|,\\\\|,g"
}

# expect ENGINE STATUS WORD...: what the last answer must have. A message of the engine alone needs no check of the table.
expect() {
    local engine=$1 status=$2 word
    shift 2
    row "$engine"
    [ -z "${ERRORS_ROWS:-}" ] || return 0
    matches "$RC" "^($status)\$"
    for word; do matches "${MESSAGE,,}" "${word,,}"; done
}

version_of() { # engine
    case $1 in podman) podman --version ;; docker) dockerd --version ;; *) containerd --version ;; esac |
        grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1
}

versions_agree() { # engine
    [ "$CGROUP_VERSION" = 1 ] && grep -qF "\`$1 $(version_of "$1")\`" "$TABLE" && grep -qF "\`$KIND $VERSION\`" "$TABLE"
}

row() { # engine: records the answer, or compares it with the table
    if [ -n "${ERRORS_ROWS:-}" ]; then # all of them, as they are
        printf '%s\t%s\t%s\t%s\t%s\n' "$SITUATION" "$1" "$KIND" "$RC" "${MESSAGE:-(nothing)}" >>"$ERRORS_ROWS"
        return
    fi
    versions_agree "$1" || { echo "# $1 or $KIND is not of the table's version: not compared"; return 0; }
    has "$(awk -v title="### $SITUATION" '$0 == title { on = 1; next } /^###/ { on = 0 } on' "$TABLE")" \
        "| $1 | $KIND | $RC | ${MESSAGE:-(nothing)} |"
}

# from_log ENGINE: the CRI's start succeeds where the runtime lets the payload fail by itself: what is in the log then
from_log() {
    if [ "$1" = cri ] && [ "$RC" = 0 ]; then
        wait_for 5 container_is EXITED
        RC=$(container_status .status.exit_code) MESSAGE="(in the log:) $(plain "$(cat "$W/logs/errors/app.log")")"
    fi
}

situation() { SITUATION=$*; }

# ---- the program --------------------------------------------------------------------------------------------

# P6: a command that is not on the PATH
test_wrong_command() {
    todo_for crun "docker does not see in its words that the command is missing: status 125"
    local engine
    situation a command that is not on the PATH
    for engine in podman docker ctr cri; do
        ask $engine -- nosuchcommand
        expect $engine "$(missing_status $engine)" nosuchcommand 'PATH|no such file'
    done
}

missing_status() {
    case $1 in podman | docker) echo 127 ;; *) echo 1 ;; esac
}
denied_status() {
    case $1 in podman | docker) echo 126 ;; *) echo 1 ;; esac
}

# P6: a program that is missing
test_missing_program() {
    todo_for crun "docker does not see in its words that the program is missing: status 125"
    local engine
    situation a program that is missing
    for engine in podman docker ctr cri; do
        ask $engine -- /no/such
        expect $engine "$(missing_status $engine)" /no/such 'no such file or directory'
    done
}

# P6: a file that may not be executed
test_permission_denied() {
    todo_for crun "does not name the file"
    local engine
    situation a file that may not be executed
    for engine in podman docker ctr cri; do
        ask $engine -- /etc/passwd
        expect $engine "$(denied_status $engine)" /etc/passwd 'permission denied'
    done
}

# a script whose interpreter is missing
# runc and crun have started the container by then: its log has the message, and `create` and `start` succeed
test_missing_interpreter() {
    local engine
    situation a script whose interpreter is missing
    for engine in podman docker ctr cri; do
        ask $engine -- /data/no-interpreter
        from_log $engine
        expect $engine '[0-9]+' /data/no-interpreter 'no such file or directory'
    done
}

# a file that is no program
test_no_program() {
    local engine
    situation a file that is no program
    for engine in podman docker ctr cri; do
        ask $engine -- /data/no-program
        from_log $engine
        expect $engine '[0-9]+' /data/no-program 'exec format error'
    done
}

# a working directory that is a file
test_working_directory() {
    situation a working directory that is a file
    ask podman --workdir /etc/passwd -- true
    expect podman '12[5-7]' /etc/passwd 'not a directory'
    ask docker --workdir /etc/passwd -- true
    expect docker '12[5-7]' /etc/passwd 'not a directory'
    ask ctr --cwd /etc/passwd -- true
    expect ctr 1 /etc/passwd 'not a directory'
    ask cri . '.working_dir = "/etc/passwd"' -- true
    expect cri 1 /etc/passwd 'not a directory'
}

# exec: a program that is missing
test_exec_missing() {
    situation exec of a program that is missing
    pod run -d --name live --network none bb sleep 1000 >/dev/null
    ask_exec podman pod exec live /no/such
    expect podman 127 /no/such 'no such file or directory'
    docker_ run -d --name live --network none bb sleep 1000 >/dev/null
    ask_exec docker docker_ exec live /no/such
    expect docker '12[67]' /no/such 'no such file or directory'
    ctr_ run -d --runc-binary "$RUNTIME" "$IMAGE" live sleep 1000
    ask_exec ctr ctr_ task exec --exec-id e live /no/such
    expect ctr 1 /no/such 'no such file or directory'
    start_pod errors
    start_container errors app . sleep 1000
    ask_exec cri cri ExecSync "$(jq -nc --arg id "$CONTAINER" '{container_id: $id, cmd: ["/no/such"], timeout: 20}')"
    expect cri 1 /no/such 'no such file or directory'
}

ask_exec() { # engine command...
    shift
    capture "$@"
    MESSAGE=$(plain "$ERR$OUT")
}

# ---- mounts -------------------------------------------------------------------------------------------------

# a mount source that does not exist
test_mount_source() {
    situation a mount source that does not exist
    ask podman -v /no/source:/mnt -- true
    expect podman '12[5-7]' /no/source 'no such file or directory'
    ask docker --mount type=bind,src=/no/source,dst=/mnt -- true
    expect docker '12[5-7]' /no/source 'not exist'
    ask ctr --mount type=bind,src=/no/source,dst=/mnt,options=rbind:ro -- true
    expect ctr 1 /no/source 'no such file or directory'
}

# a file mounted on a directory
test_mount_target() {
    todo_for crun "names the destination without its slash"
    situation a file mounted on a directory
    ask podman -v "$W/plain:/data" -- true
    expect podman '12[5-7]' /data 'not a directory'
    ask docker -v "$W/plain:/data" -- true
    expect docker '12[5-7]' /data 'not a directory'
    ask ctr --mount "type=bind,src=$W/plain,dst=/data,options=rbind:ro" -- true
    expect ctr 1 /data 'not a directory'
    ask cri . '.mounts = [{container_path: "/data", host_path: "'"$W/plain"'"}]' -- true
    expect cri 1 /data 'not a directory'
}

# a mount option that the file system refuses
test_mount_option() {
    todo_for crun "names the destination without its slash"
    situation a mount option that the file system does not know
    ask podman --mount type=tmpfs,dst=/mnt,tmpfs-mode=99999999 -- true
    expect podman '12[5-7]' /mnt 'invalid argument|bad value|mode'
    ask ctr --mount type=tmpfs,src=tmpfs,dst=/mnt,options=nonsense=1 -- true
    expect ctr 1 /mnt 'nonsense|invalid argument'
}

# ---- resources ----------------------------------------------------------------------------------------------

# a program that eats more memory than it may
test_oom() {
    situation a program that eats more memory than it may
    ask podman --memory 16m --memory-swap 16m -- tail /dev/zero
    expect podman 137
    ask docker --memory 16m --memory-swap 16m -- tail /dev/zero
    expect docker 137
    ask ctr --memory-limit 16777216 -- tail /dev/zero
    expect ctr 137
    ask cri . '.linux.resources = {memory_limit_in_bytes: 16777216}' -- tail /dev/zero
    wait_for 20 container_is EXITED
    RC=$(container_status .status.exit_code) MESSAGE=$(container_status .status.reason)
    expect cri 137 OOMKilled
}

# less memory than the container needs to begin
test_too_little_memory() {
    situation less memory than a container needs to begin
    ask podman --memory 8k -- true
    expect podman '12[5-7]' memory
    ask ctr --memory-limit 8192 -- true
    expect ctr 1 memory
    ask cri . '.linux.resources = {memory_limit_in_bytes: 8192}' -- true
    expect cri 1 memory
}

# the disk of the runtime's state is full
test_full_state() {
    todo_for runc "prints a format error instead of the reason"
    situation the disk of the runtime\'s state is full
    capture pod --runtime-flag "root=$W/full" run --rm --network none bb true
    MESSAGE=$(plain "$ERR")
    expect podman '12[5-7]' 'no space left on device'
    ask ctr --runc-root "$W/full" -- true
    expect ctr 1 'no space left on device'
    mkdir -p /run/containerd/runc/k8s.io
    mount --bind "$W/full" /run/containerd/runc/k8s.io
    pod_config errors
    capture cri RunPodSandbox '{"runtime_handler": "tested", "config": '"$(cat "$W/errors.pod")"'}'
    umount /run/containerd/runc/k8s.io
    MESSAGE=$(plain "$ERR")
    expect cri 1 'no space left on device'
}

# the disk of the root filesystem is full
test_full_root() {
    situation the disk of the root filesystem is full, and a mount needs a directory there
    mkdir "$W/small"
    mount -t tmpfs -o size=8m,nr_inodes=1000 tmpfs "$W/small"
    cp -a "$W/rootfs/." "$W/small/"
    pod run --rm --network none --rootfs "$W/small" true # makes the files of podman itself
    (cd "$W/small/tmp" && seq 1000 | xargs touch 2>/dev/null) || true
    capture pod run --rm --network none -v "$W/full:/new/deep" --rootfs "$W/small" true
    MESSAGE=$(plain "$ERR")
    expect podman '12[5-7]' 'no space left on device' /new
    capture ctr_ run --rm --runc-binary "$RUNTIME" --mount "type=bind,src=$W/full,dst=/new/deep,options=rbind:ro" --rootfs "$W/small" "errors-$RANDOM" true
    MESSAGE=$(plain "$ERR")
    umount "$W/small"
    expect ctr 1 'no space left on device' /new
}

# ---- security -----------------------------------------------------------------------------------------------

# a seccomp profile with an unknown action
test_seccomp_action() {
    local profile='{"defaultAction": "SCMP_ACT_NONSENSE"}'
    situation a seccomp profile with an unknown action
    ask_with_profile "$profile" nonsense
}

# a seccomp profile that is not JSON
test_seccomp_syntax() {
    situation a seccomp profile that is not JSON
    ask_with_profile '{"defaultAction": ' 'unexpected end of json|decoding seccomp profile failed|premature EOF'
}

# a seccomp profile with an operator that does not exist
test_seccomp_operator() {
    todo_for crun "prints the name of a function"
    situation a seccomp profile with an operator that does not exist
    ask_with_profile '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_NONSENSE"}]}]}' nonsense
}

ask_with_profile() { # profile word
    echo "$1" >"$W/profile.json"
    ask podman --security-opt "seccomp=$W/profile.json" -- true
    expect podman '12[5-7]' "$2"
    ask docker --security-opt "seccomp=$W/profile.json" -- true
    expect docker '12[5-7]' "$2"
    ask ctr --seccomp --seccomp-profile "$W/profile.json" -- true
    expect ctr 1 "$2"
    ask cri . '.linux.security_context.seccomp = {profile_type: 2, localhost_ref: "'"$W/profile.json"'"}' -- true
    expect cri 1 "$2"
}

# a sysctl that does not exist
test_sysctl() {
    situation a sysctl that does not exist
    ask podman --sysctl net.no.such=1 -- true
    expect podman '12[5-7]' 'net[./]no[./]such'
    ask docker --sysctl net.no.such=1 -- true
    expect docker '12[5-7]' 'net[./]no[./]such'
    ask cri '.linux.sysctls = {"net.no.such": "1"}' . -- true
    expect cri 1 'net[./]no[./]such'
}

no_shims() {
    SHIMS=$(processes_with containerd-shim-runc-v2) || true
    [ -z "$SHIMS" ]
}

# nothing is left: containers, shims, cgroups outside of our own
test_zz_nothing_left() {
    eq "$(pod ps -aq)$(docker_ ps -aq)" ""
    wait_for 10 no_shims || { ps -o args= -p "$(paste -sd, <<<"$SHIMS")"; return 1; }
    eq "$(find /sys/fs/cgroup -mindepth 2 -maxdepth 2 -name k8s.io -newer "$W/containerd.toml")" ""
}

tap_main
