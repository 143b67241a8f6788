# shellcheck shell=bash
# lib.sh - sourced by the tests that run an engine's daemon: a private place, an image without a registry, and
# containerd on files of its own.
#
#   RUNTIME=/usr/sbin/runc tests/clients/containerd.sh      any runtime; ONLY=regex, SKIP=regex, KEEP=1
#
# A file that sources this runs again in private mount, network, pid and IPC namespaces with an own /run, so that
# engines of this machine are neither used nor touched, and whatever is left dies with the namespaces.
#
# Set for the tests: W (scratch directory, its name is in every cgroup that we make), RUNTIME, KIND (aril, runc,
# crun), CGROUP_VERSION, IMAGE (name of the image in $W/image.tar, an OCI archive; $W/rootfs is its content).
# A file says what it needs before it sources this: NEEDS="command-or-file:package …".

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SOURCE=$(cd "$HERE/../.." && pwd)
# shellcheck source=../tap.sh
. "$HERE/../tap.sh"

RUNTIME=${RUNTIME:-${BUILD:-$SOURCE/build}/aril}
RUNTIME=$(readlink -f -- "$(command -v "$RUNTIME")") || bail_out "set RUNTIME=/path/to/a/runtime"
[ "$(id -u)" = 0 ] || bail_out "needs root"
for need in ${NEEDS:-} jq:jq busybox:busybox-static ip:iproute2 unshare:util-linux script:bsdutils; do
    command -v "${need%%:*}" >/dev/null || [ -e "${need%%:*}" ] || {
        # an engine that is not installed is no failure of the runtime
        rm -rf "$TAP_DIR"
        echo "ok 1 - $(basename "$0" .sh) # SKIP ${need%%:*} is missing (Debian: apt-get install ${need#*:})"
        echo "1..1"
        exit 0
    }
done

if [ -z "${ARIL_TEST_JAIL:-}" ]; then
    rm -rf "$TAP_DIR"
    ARIL_TEST_JAIL=1 RUNTIME=$RUNTIME exec unshare --mount --net --pid --ipc --fork --kill-child --mount-proc \
        --propagation private -- "$0" "$@"
fi

KIND=$("$RUNTIME" --version 2>/dev/null | head -n 1 | cut -d' ' -f1)
W=$(mktemp -d "${TMPDIR:-/tmp}/aril-client.XXXXXX") || exit 1
chmod 755 "$W"
cd "$W" || exit 1
PREFIX=${W##*.}
IMAGE=localhost/bb:latest

# ---- the private place --------------------------------------------------------------------------------------

# The cgroup mounts again on a tmpfs of our own: stray directories beside them would pass for hierarchies. Older
# crun refuses a hybrid layout: it sees the v1 part only.
own_cgroup_mounts() {
    local mount type
    grep -q ' /sys/fs/cgroup cgroup2 ' /proc/mounts && return
    mkdir "$W/cgroup" && mount -t tmpfs -o mode=755 tmpfs "$W/cgroup" && mount --make-private "$W/cgroup"
    while read -r _ mount type _; do
        case $KIND:$type${CGROUPS:+:}${CGROUPS:-} in
        *:cgroup | *:cgroup:v1 | aril:cgroup2 | runc:cgroup2)
            mkdir -p "$W/cgroup/${mount##*/}" && mount --bind "$mount" "$W/cgroup/${mount##*/}" ;;
        esac
    done < <(grep ' /sys/fs/cgroup/' /proc/mounts)
    umount -R /sys/fs/cgroup && mount --rbind "$W/cgroup" /sys/fs/cgroup && umount -R "$W/cgroup"
    mount --make-rshared /sys/fs/cgroup
}

# Engines run as services on their own mounts: shared propagation, an own /run, no networks of the host.
private_place() {
    mount --make-rshared /
    ip link set lo up
    mount -t tmpfs -o mode=755 tmpfs /run
    mkdir -p /run/lock /etc/cni /opt/cni
    mount -t tmpfs -o mode=755 tmpfs /etc/cni
    mkdir /etc/cni/net.d
    own_cgroup_mounts
    if grep -q ' /sys/fs/cgroup cgroup2 ' /proc/mounts; then CGROUP_VERSION=2; else CGROUP_VERSION=1; fi
}

# podman and buildah ask for more files and processes than a machine without CAP_SYS_RESOURCE may set: the limits
# that we have, for containers.conf
own_limits() {
    local files processes most
    files=$(ulimit -Hn) processes=$(ulimit -Hu) most=$(cat /proc/sys/kernel/pid_max)
    [ "$files" != unlimited ] || files=1048576
    if [ "$processes" = unlimited ] || [ "$processes" -gt "$most" ]; then processes=$most; fi
    echo "[\"nofile=$files:$files\", \"nproc=$processes:$processes\"]"
}

# ---- the image ----------------------------------------------------------------------------------------------

make_rootfs() {
    local root=$W/rootfs applet
    mkdir -p "$root"/{bin,data,dev,etc,home/user,mnt,proc,root,run,sys,tmp,var/tmp}
    chmod 1777 "$root/tmp"
    cp "$(command -v busybox)" "$root/bin/busybox"
    for applet in $("$root/bin/busybox" --list); do
        [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
    done
    printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home/user:/bin/sh\n' >"$root/etc/passwd"
    printf 'root:x:0:\nuser:x:1000:\nextra:x:2000:user\n' >"$root/etc/group"
    chown 1000:1000 "$root/home/user"
    echo of-the-image >"$root/data/file"
}

blob() { # file: moves it among the blobs and prints its descriptor, without the media type
    local hash size
    hash=$(sha256sum "$1" | cut -d' ' -f1) size=$(stat -c %s "$1")
    mv "$1" "$W/oci/blobs/sha256/$hash"
    jq -nc --arg digest "sha256:$hash" --argjson size "$size" '{$digest, $size}'
}

make_image() { # [name file command-as-json]: from $W/rootfs, which is made if it is not there
    local name=${1:-$IMAGE} file=${2:-$W/image.tar} command=${3:-'["/bin/sh"]'}
    local layer config manifest type=application/vnd.oci.image
    [ -d "$W/rootfs" ] || make_rootfs
    rm -rf "$W/oci"
    mkdir -p "$W/oci/blobs/sha256"
    tar -C "$W/rootfs" -cf "$W/layer" .
    layer=$(blob "$W/layer")
    jq -nc --argjson layer "$layer" --argjson command "$command" '{architecture: "amd64", os: "linux", config: {Env: ["PATH=/bin"], Cmd: $command},
        rootfs: {type: "layers", diff_ids: [$layer.digest]}, history: [{created_by: "test"}]}' >"$W/config"
    config=$(blob "$W/config")
    jq -nc --arg type "$type" --argjson layer "$layer" --argjson config "$config" '{schemaVersion: 2,
        mediaType: ($type + ".manifest.v1+json"), config: ($config + {mediaType: ($type + ".config.v1+json")}),
        layers: [$layer + {mediaType: ($type + ".layer.v1.tar")}]}' >"$W/manifest"
    manifest=$(blob "$W/manifest")
    jq -nc --arg type "$type" --argjson manifest "$manifest" --arg name "$name" '{schemaVersion: 2, manifests: [$manifest +
        {mediaType: ($type + ".manifest.v1+json"), platform: {architecture: "amd64", os: "linux"},
         annotations: {"io.containerd.image.name": $name, "org.opencontainers.image.ref.name": "latest"}}]}' >"$W/oci/index.json"
    echo '{"imageLayoutVersion":"1.0.0"}' >"$W/oci/oci-layout"
    tar -C "$W/oci" -cf "$file" .
}

# ---- containerd ---------------------------------------------------------------------------------------------

# containerd_config [CRI-SETTINGS]: without CRI settings that plugin stays off
containerd_config() {
    local off='"io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs"'
    off+=', "io.containerd.snapshotter.v1.devmapper", "io.containerd.tracing.processor.v1.otlp"'
    [ -n "${1:-}" ] || off+=', "io.containerd.grpc.v1.cri"'
    cat >"$W/containerd.toml" <<C
version = 2
root = "$W/root"
state = "$W/state"
oom_score = 0
disabled_plugins = [$off]
[grpc]
  address = "$W/c.sock"
[ttrpc]
  address = "$W/c.ttrpc"
[plugins."io.containerd.gc.v1.scheduler"]
  startup_delay = "10ms"
${1:-}
C
}

containerd_start() {
    containerd --config "$W/containerd.toml" >>"$W/containerd.log" 2>&1 </dev/null &
    echo $! >"$W/containerd.pid"
    disown # the shell says nothing when it is killed
    wait_for 20 ctr --address "$W/c.sock" version || bail_out "containerd did not start: $(tail -n 3 "$W/containerd.log")"
}

containerd_stop() { # [signal]
    local pid
    pid=$(cat "$W/containerd.pid")
    kill "${1:--TERM}" "$pid"
    wait_for 20 gone "$pid"
}

gone() { # pid: does not exist, or is a zombie that only its parent can remove
    [ ! -e "/proc/$1" ] || grep -q '^State:.[ZX]' "/proc/$1/status"
}

CTR_NAMESPACE=t
ctr_() {
    timeout --foreground 60 ctr --address "$W/c.sock" --namespace "$CTR_NAMESPACE" "$@"
}

on_terminal() { # command line
    timeout 60 script -qec "stty rows 33 cols 111; $*" /dev/null | tr -d '\000\r' | sed 's/\^@//g'
}

# For a shell in a container on that terminal: says its size as soon as the engine has passed it on. containerd's shim may
# drop what is written in a container's last moment.
# shellcheck disable=SC2034,SC2016 # used by the tests
SHOW_SIZE='n=0; until [ "$(stty size 2>&1)" = "33 111" ] || [ $n = 200 ]; do n=$((n + 1)); sleep 0.1; done; stty size; sleep 0.5'

# every cgroup that an engine made for us has our prefix in its path
cgroups_left() {
    find /sys/fs/cgroup -depth -mindepth 2 -type d -path "*$PREFIX*" 2>/dev/null
}

cgroup_of() { # pid controller: the directory of the process
    local path
    if [ "$CGROUP_VERSION" = 2 ]; then
        echo "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$1/cgroup")"
    else
        path=$(sed -n "s/^[0-9]*:\([^:]*,\)\{0,1\}$2\(,[^:]*\)\{0,1\}://p" "/proc/$1/cgroup")
        echo "/sys/fs/cgroup/$2$path"
    fi
}

processes_with() { # text: pids of our namespace whose command line has it, without us
    local pid
    for pid in /proc/[0-9]*; do
        if tr '\0' ' ' 2>/dev/null <"$pid/cmdline" | grep -qF -- "$1"; then echo "${pid#/proc/}"; fi
    done 2>/dev/null | grep -vxF -e "$$" -e "$BASHPID"
}

# last: kill what is ours (the pid namespace is ours alone), unmount, remove the cgroups
tap_teardown() {
    local pid mount
    cd / || exit
    if declare -F client_teardown >/dev/null; then client_teardown >/dev/null 2>&1; fi
    for pid in /proc/[0-9]*; do
        pid=${pid#/proc/}
        [ "$pid" = 1 ] || [ "$pid" = $$ ] || [ "$pid" = "$BASHPID" ] || kill -KILL "$pid" 2>/dev/null
    done
    sleep 0.3
    awk '{print $5}' /proc/self/mountinfo | grep -F "$W/" | sort -r | while read -r mount; do umount -l "$mount" 2>/dev/null; done
    cgroups_left | while read -r mount; do rmdir "$mount" 2>/dev/null; done
    if [ -n "${KEEP:-}" ]; then echo "# kept $W"; else rm -rf --one-file-system "$W"; fi
}
