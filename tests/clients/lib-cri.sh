# shellcheck shell=bash
# lib-cri.sh - sourced after lib.sh: containerd's CRI plugin with the tested runtime as a handler, and the calls that
# the kubelet makes.

CRI_CLIENT=$HERE/cri.py

cri_settings() {
    cat <<C
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "tested"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.tested]
      runtime_type = "io.containerd.runc.v2"
      pod_annotations = ["dev.aril.*", "test.*"]
      container_annotations = ["dev.aril.*", "test.*"]
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.tested.options]
        BinaryName = "$RUNTIME"
C
}

network() {
    echo '{"cniVersion":"0.4.0","name":"pods","plugins":[{"type":"bridge","bridge":"pods0","isGateway":true,"ipam":{"type":"host-local","dataDir":"'"$W"'/ipam","ranges":[[{"subnet":"10.94.0.0/24"}]]}}]}' \
        >/etc/cni/net.d/10-pods.conflist
}

cri() { # Method [json]: the answer, as JSON
    local service=RuntimeService
    case $1 in *Image*) service=ImageService ;; esac
    "$CRI_CLIENT" "$W/c.sock" "$W/cri.pb" "$service/$1" "${2:-"{}"}"
}

cri_images() { # what pods are made of; containerd runs
    make_image localhost/pause:1 "$W/pause.tar" '["/bin/sleep", "1000000"]'
    { ctr_ image import "$W/image.tar" && ctr_ image import "$W/pause.tar"; } >"$W/import" 2>&1 ||
        bail_out "import failed: $(tail -n 1 "$W/import")"
    # the plugin learns of images by events
    wait_for 10 image_known localhost/pause:1 || bail_out "the CRI does not see the image"
}

image_known() { cri ImageStatus '{"image": {"image": "'"$1"'"}}' | jq -e '.image.id' >/dev/null; }

# pod_config NAME [JQ]: the kubelet sends the same with every container of the pod
pod_config() {
    mkdir -p "$W/logs/$1"
    jq -nc --arg name "$1" --arg logs "$W/logs/$1" --arg parent "/$PREFIX" '{metadata: {$name, uid: ("uid-" + $name), namespace: "default", attempt: 0},
        hostname: $name, log_directory: $logs, linux: {cgroup_parent: $parent, security_context: {namespace_options: {}}}} | '"${2:-.}" >"$W/$1.pod"
}

start_pod() { # name [jq]: sets POD
    pod_config "$@"
    POD=$(cri RunPodSandbox '{"runtime_handler": "tested", "config": '"$(cat "$W/$1.pod")"'}' | jq -r .pod_sandbox_id)
    [ -n "$POD" ]
}

remove_pod() {
    cri StopPodSandbox '{"pod_sandbox_id": "'"$1"'"}'
    cri RemovePodSandbox '{"pod_sandbox_id": "'"$1"'"}'
}

create_container() { # pod-name container-name jq [argument...]: sets CONTAINER
    local pod=$1 name=$2 change=$3 config
    shift 3
    config=$(jq -nc --arg name "$name" --arg image "$IMAGE" '{metadata: {$name, attempt: 0}, image: {$image}, command: $ARGS.positional,
        log_path: ($name + ".log"), linux: {security_context: {namespace_options: {pid: 1}}}} | '"$change" --args -- "$@")
    CONTAINER=$(cri CreateContainer '{"pod_sandbox_id": "'"$POD"'", "config": '"$config"', "sandbox_config": '"$(cat "$W/$pod.pod")"'}' | jq -r .container_id)
    [ -n "$CONTAINER" ]
}

start_container() { # like create_container
    create_container "$@"
    cri StartContainer '{"container_id": "'"$CONTAINER"'"}'
}

# enter COMMAND...: exec sync; sets OUT, ERR and RC
enter() {
    local answer
    answer=$(cri ExecSync "$(jq -nc --arg id "$CONTAINER" '{container_id: $id, cmd: $ARGS.positional, timeout: 20}' --args -- "$@")")
    OUT=$(jq -r '.stdout // "" | @base64d' <<<"$answer")
    ERR=$(jq -r '.stderr // "" | @base64d' <<<"$answer")
    RC=$(jq -r '.exit_code // 0' <<<"$answer")
}

container_status() { # jq
    cri ContainerStatus '{"container_id": "'"$CONTAINER"'", "verbose": true}' | jq -r "$1"
}
container_is() { [ "$(container_status '.status.state // "CONTAINER_CREATED"')" = "CONTAINER_$1" ]; }
container_pid() { container_status .info.info | jq -r .pid; }
