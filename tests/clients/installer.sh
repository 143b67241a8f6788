#!/bin/bash
# installer.sh - the Kubernetes installer of contrib/: its image is built from scratch without a network, run against a fake
# node, and pods are run by the containerd of that node with the handlers aril and aril-strict.
#
#   BUILD=build tests/clients/installer.sh                   ONLY=regex, SKIP=regex, KEEP=1
#
# The node is a folder with the programs of this machine, a /run of its own and an /etc/containerd/config.toml. The tests
# go on from one another.
#
# shellcheck disable=SC2016 # the quoted scripts are for the container's shell

NEEDS="buildah:buildah podman:podman conmon:conmon containerd:containerd ctr:containerd
    /usr/lib/python3/dist-packages/grpc:python3-grpcio /usr/lib/python3/dist-packages/google/protobuf:python3-protobuf
    /usr/lib/cni/bridge:containernetworking-plugins"
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib-podman.sh
. "$HERE/lib-podman.sh"
# shellcheck source=lib-cri.sh
. "$HERE/lib-cri.sh"
[ "$KIND" = aril ] || {
    echo "ok 1 - the installer of aril # SKIP it installs no $KIND"
    echo "1..1"
    rm -rf "$TAP_DIR" "$W"
    exit 0
}
INSTALLER=$SOURCE/contrib/kubernetes/installer
NODE=$W/node
CONFIG=$NODE/etc/containerd/config.toml

tap_setup() {
    private_place
    make_node
    make_image
    podman_place
    network
    CTR_NAMESPACE=k8s.io
    echo "# $RUNTIME ($("$RUNTIME" --version | head -n 1)), $(buildah --version), $(containerd --version), cgroup v$CGROUP_VERSION"
}

make_node() {
    local directory
    mkdir -p "$NODE"/{etc/containerd,opt,run,tmp}
    for directory in usr bin lib lib64; do
        if [ -L /$directory ]; then cp -P /$directory "$NODE/"; else mkdir "$NODE/$directory" && mount --bind /$directory "$NODE/$directory"; fi
    done
    # what the node has at these places is what containerd, which runs outside of the folder, finds there
    mount --bind /run "$NODE/run"
    mount --bind "$NODE/opt" /opt
    containerd_config "$(cri_settings | grep -v '^$')"
    sed -e "s,^state = .*,state = \"/run/containerd\"," "$W/containerd.toml" >"$CONFIG"
    cp "$CONFIG" "$W/config.before"
}

client_teardown() {
    local id
    for id in $(cri ListPodSandbox | jq -r '.items[]?.id'); do remove_pod "$id"; done
    containerd_stop
    podman_remove_all
}

image_run() { # [podman flag...] -- argument...: the installer's container
    local flags=()
    while [ "$1" != -- ]; do flags+=("$1"); shift; done
    shift
    rm -f "$NODE/restarted"
    pod run --rm --network none --privileged -v "$NODE:/host:rslave" --env 'RESTART=touch /host/restarted' "${flags[@]}" localhost/aril-installer "$@"
}

# build-image: an image from scratch, without a network
test_image() {
    BUILDAH="buildah --root $W/storage --runroot $W/runroot" "$INSTALLER/build-image" "$(dirname "$RUNTIME")"
    pod image exists localhost/aril-installer
    eq "$(pod image inspect --format '{{len .RootFS.Layers}}' localhost/aril-installer)" 1
}

# install: the program, two handlers, one restart
test_install() {
    has "$(image_run -- install)" installed
    [ -e "$NODE/restarted" ]
    cmp <("$NODE/opt/aril/bin/aril" --version) <("$RUNTIME" --version)
    eq "$(readlink "$NODE/opt/aril/bin/aril-strict")" aril
    local dump
    dump=$(containerd --config "$CONFIG" config dump)
    has "$dump" 'BinaryName = "/opt/aril/bin/aril"'
    has "$dump" 'BinaryName = "/opt/aril/bin/aril-strict"'
    has "$dump" "BinaryName = \"$RUNTIME\"" # what was there before
}

# install again: nothing changes, nothing is restarted
test_install_again() {
    cp "$CONFIG" "$W/config.first"
    has "$(image_run -- install)" installed
    [ ! -e "$NODE/restarted" ]
    cmp "$CONFIG" "$W/config.first"
}

# SYSTEMD_CGROUP: an option that changes
test_systemd_cgroup() {
    image_run --env SYSTEMD_CGROUP=true -- install
    eq "$(containerd --config "$CONFIG" config dump | grep -c 'SystemdCgroup = true')" 2
    image_run -- install
    cmp "$CONFIG" "$W/config.first"
}

pod_with() { # handler name [jq]
    pod_config "$2" "${3:-.}"
    POD=$(cri RunPodSandbox '{"runtime_handler": "'"$1"'", "config": '"$(cat "$W/$2.pod")"'}' | jq -r .pod_sandbox_id)
    [ -n "$POD" ]
}

# the handlers: aril runs pods, aril-strict confines them, and annotations reach it
test_handlers() {
    cp "$CONFIG" "$W/containerd.toml"
    containerd_start
    cri_images
    pod_with aril plain
    start_container plain app . sleep 1000
    enter sh -c 'grep -E "NoNewPrivs|Seccomp:" /proc/self/status | cut -f2 | tr "\n" " "; touch /data/new && echo written'
    eq "$OUT" "0 0 written"
    pod_with aril-strict strict
    start_container strict app . sleep 1000
    enter sh -c 'grep -E "NoNewPrivs|Seccomp:" /proc/self/status | cut -f2 | tr "\n" " "; touch /data/new 2>&1; touch /tmp/new && echo written'
    has "$OUT" "1 2 touch: /data/new: Permission denied"
    has "$OUT" written
    pod_with aril noted '.annotations = {"dev.aril.profile": "balanced"}'
    start_container noted app '.annotations = {"dev.aril.profile": "balanced"}' sleep 1000
    enter sh -c 'grep Seccomp: /proc/self/status | cut -f2'
    eq "$OUT" 2
}

# an upgrade while containers run: another file takes the program's place, and what the engine asks for next goes through it
test_upgrade() {
    local before
    before=$(stat -c %i "$NODE/opt/aril/bin/aril")
    image_run -- install
    ne "$(stat -c %i "$NODE/opt/aril/bin/aril")" "$before"
    eq "$(ls -A "$NODE/opt/aril/bin")" $'aril\naril-strict'
    for CONTAINER in $(cri ListContainers | jq -r '.containers[].id'); do
        enter echo still
        eq "$OUT" still
    done
    [ -n "$CONTAINER" ]
}

# uninstall: not while containers run with it
test_uninstall_refuses() {
    fails image_run -- uninstall
    has "$ERR" "delete their pods first"
    cmp "$CONFIG" "$W/config.first"
    local id
    for id in $(cri ListPodSandbox | jq -r '.items[].id'); do remove_pod "$id"; done >/dev/null
    containerd_stop
}

# uninstall: as it was before
test_uninstall() {
    has "$(image_run -- uninstall)" uninstalled
    [ -e "$NODE/restarted" ]
    cmp "$CONFIG" "$W/config.before"
    [ ! -e "$NODE/opt/aril" ]
    has "$(image_run -- uninstall)" uninstalled
    [ ! -e "$NODE/restarted" ]
}

# --wait: stays until it is told to end, and says when it is ready
test_wait() {
    pod run -d --name waiting --network none --privileged -v "$NODE:/host:rslave" --env RESTART=true localhost/aril-installer install --wait >/dev/null
    wait_for 20 pod exec waiting test -e /tmp/done
    pod stop --time 10 waiting >/dev/null
    eq "$(pod inspect waiting --format '{{.State.ExitCode}}')" 0
    pod rm waiting >/dev/null
    image_run -- uninstall
    cmp "$CONFIG" "$W/config.before"
}

# a node without a configuration gets one, and loses it again
test_no_configuration() {
    rm "$CONFIG"
    image_run -- install
    has "$(containerd --config "$CONFIG" config dump)" 'BinaryName = "/opt/aril/bin/aril-strict"'
    image_run -- install
    image_run -- uninstall
    [ ! -e "$CONFIG" ]
}

# CRI-O: a file of its own
test_crio() {
    mkdir "$NODE/etc/crio"
    image_run -- install
    eq "$(grep -c '^runtime_path = "/opt/aril/bin/aril' "$NODE/etc/crio/crio.conf.d/10-aril.conf")" 2
    image_run -- uninstall
    [ ! -e "$NODE/etc/crio/crio.conf.d/10-aril.conf" ]
    rmdir "$NODE/etc/crio/crio.conf.d" "$NODE/etc/crio"
}

# refused without a change: a configuration of version 1, one without the CRI plugin, a runtime aril of somebody else
test_refusals() {
    local text
    for text in 'oom_score = 0' $'version = 2\ndisabled_plugins = ["cri"]' \
        $'version = 2\n[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.aril]\nruntime_type = "x"'; do
        echo "$text" >"$CONFIG"
        fails image_run -- install
        has "$ERR" /etc/containerd/config.toml
        eq "$(cat "$CONFIG")" "$text"
        [ ! -e "$NODE/restarted" ]
    done
}

# refused without a change: aril does not run on the node
test_too_old_node() {
    local node=$W/old
    mkdir -p "$node/etc/containerd" "$node/files"
    printf '#!/no/interpreter\n' >"$node/files/aril"
    cp "$W/config.before" "$node/etc/containerd/config.toml"
    fails pod run --rm --network none --privileged -v "$node:/host" --env FILES=/host/files localhost/aril-installer install
    has "$ERR" "does not run on this node"
    cmp "$node/etc/containerd/config.toml" "$W/config.before"
    [ -z "$(ls "$node/opt/aril/bin" -A)" ]
}

# the engine does not restart with aril: its configuration is put back, and it is restarted with that
test_restart_fails() {
    cp "$W/config.before" "$CONFIG"
    printf '#!/bin/sh\necho x >>/host/restarts\n! grep -qs aril /host/etc/containerd/config.toml /host/etc/crio/crio.conf.d/10-aril.conf\n' >"$NODE/tmp/restart"
    chmod 755 "$NODE/tmp/restart"
    fails image_run --env RESTART=/host/tmp/restart -- install
    has "$ERR" "could not restart containerd"
    cmp "$CONFIG" "$W/config.before"
    eq "$(wc -l <"$NODE/restarts")" 2
    rm "$CONFIG" # none before, none after
    fails image_run --env RESTART=/host/tmp/restart -- install
    [ ! -e "$CONFIG" ]
    mv "$NODE/etc/containerd" "$NODE/etc/containerd.off"
    mkdir "$NODE/etc/crio"
    fails image_run --env RESTART=/host/tmp/restart -- install
    has "$ERR" "could not restart crio"
    eq "$(ls -A "$NODE/etc/crio/crio.conf.d")" ""
    rm -r "$NODE/etc/crio"
    mv "$NODE/etc/containerd.off" "$NODE/etc/containerd"
    cp "$W/config.before" "$CONFIG"
}

# a block without its last line, and a version in a table that is not the file's
test_damaged_configuration() {
    { cat "$W/config.before"; echo '# BEGIN aril (written by install-aril, do not edit)'; echo '# mine'; } >"$CONFIG"
    cp "$CONFIG" "$W/damaged"
    fails image_run -- install
    has "$ERR" "without the other"
    fails image_run -- uninstall
    cmp "$CONFIG" "$W/damaged"
    { cat "$W/config.before"; printf '[plugins."io.containerd.internal.v1.tracing"]\n  version = 9\n'; } >"$CONFIG"
    cp "$CONFIG" "$W/damaged"
    image_run -- install
    image_run -- uninstall
    cmp "$CONFIG" "$W/damaged"
    cp "$W/config.before" "$CONFIG"
}

# a containerd in /usr/local/bin, where releases are unpacked: it is asked, too
test_containerd_of_a_release() {
    local node=$W/release
    mkdir -p "$node"/{bin,files,etc/containerd,usr/local/bin}
    cp "$(command -v busybox)" "$node/bin/sh"
    printf '#!/bin/sh\necho "this containerd refuses"\nexit 1\n' >"$node/usr/local/bin/containerd"
    printf '#!/bin/sh\necho aril\n' >"$node/files/aril"
    chmod 755 "$node/usr/local/bin/containerd" "$node/files/aril"
    cp "$SOURCE"/contrib/containerd/config-v*.toml "$node/files/"
    cp "$W/config.before" "$node/etc/containerd/config.toml"
    fails pod run --rm --network none --privileged -v "$node:/host" --env FILES=/host/files --env RESTART=true localhost/aril-installer install
    has "$ERR" "does not accept its configuration"
    cmp "$node/etc/containerd/config.toml" "$W/config.before"
}

# the objects: YAML, the handlers of the configuration files, the image and the arguments that exist
test_objects() {
    /usr/bin/python3 -c 'import tomllib, yaml' 2>/dev/null || skip "python3 has no tomllib or no yaml (Debian: apt-get install python3-yaml)"
    /usr/bin/python3 - "$SOURCE/contrib" <<'P'
import sys, tomllib, yaml
contrib = sys.argv[1]
classes = [c["handler"] for c in yaml.safe_load_all(open(f"{contrib}/kubernetes/runtimeclass.yaml"))]
assert classes == ["aril", "aril-strict"], classes
for version, plugin in ((2, "io.containerd.grpc.v1.cri"), (3, "io.containerd.cri.v1.runtime")):
    config = tomllib.load(open(f"{contrib}/containerd/config-v{version}.toml", "rb"))
    assert config["version"] == version
    assert sorted(config["plugins"][plugin]["containerd"]["runtimes"]) == classes
crio = tomllib.load(open(f"{contrib}/crio/10-aril.conf", "rb"))
assert sorted(crio["crio"]["runtime"]["runtimes"]) == classes
# CRI-O refuses a handler that allows an annotation which CRI-O does not know
assert all("allowed_annotations" not in handler for handler in crio["crio"]["runtime"]["runtimes"].values())
for name, verb in (("installer", "install"), ("uninstaller", "uninstall")):
    pod = yaml.safe_load(open(f"{contrib}/kubernetes/{name}.yaml"))["spec"]["template"]["spec"]
    assert pod["containers"][0]["args"] == [verb, "--wait"]
    assert not pod["automountServiceAccountToken"]
    assert pod["hostPID"] and pod["containers"][0]["securityContext"]["privileged"]
P
}

# nothing is left: containers, shims
test_nothing_left() {
    eq "$(pod ps -aq)" ""
    eq "$(processes_with containerd-shim-runc-v2)" ""
}

tap_main
