#!/bin/bash
# readme.sh - the lines of README.md for each engine, executed as they are there.
#
#   RUNTIME=build/aril tests/clients/readme.sh               ONLY=regex, SKIP=regex, KEEP=1
#
# A block of README.md whose first line is `# ENGINE: …` runs with `set -e` in the project's folder, in a machine of its own:
# /usr/bin and /etc are overlays, the engines' stores are empty, and /usr/bin/aril is the tested runtime. What this place
# cannot have is replaced: pulling an image (it is there), systemctl (it starts the daemon) and kubectl (it reads the files).

NEEDS="podman:podman conmon:conmon buildah:buildah containerd:containerd ctr:containerd dockerd:docker.io docker:docker.io"
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib-podman.sh
. "$HERE/lib-podman.sh"
[ "$KIND" = aril ] || {
    echo "ok 1 - README.md # SKIP it is about aril, not $KIND"
    echo "1..1"
    rm -rf "$TAP_DIR" "$W"
    exit 0
}
IMAGE=docker.io/library/busybox:latest

tap_setup() {
    private_place
    make_image
    cgroups_of_default >"$W/default.before"
    own_machine
    make_systemctl
    make_image_known
    echo "# $RUNTIME ($("$RUNTIME" --version | head -n 1)), $(podman --version), $(containerd --version), $(dockerd --version)"
}

own_machine() {
    local directory
    mkdir "$W/layers" "$W/commands"
    mount -t tmpfs tmpfs "$W/layers"
    for directory in etc usr/bin; do
        mkdir -p "$W/layers/$directory"/{upper,work}
        mount -t overlay -o "lowerdir=/$directory,upperdir=$W/layers/$directory/upper,workdir=$W/layers/$directory/work" overlay "/$directory"
    done
    for directory in containerd docker containers; do
        mkdir -p "/var/lib/$directory" "$W/var/$directory"
        mount --bind "$W/var/$directory" "/var/lib/$directory"
    done
    cp "$RUNTIME" /usr/bin/aril
    ln -sf aril /usr/bin/aril-strict
    PATH=$W/commands:$PATH
    mkdir -p "$W/networks" /etc/containerd /etc/docker /etc/containers
    write_config "$W/containers.conf" "$W/networks"
    sed -e 's/^log_driver/netns = "none"\n&/' -e '/^runtime/d' -e "/^\[engine.runtimes\]/,\$d" "$W/containers.conf" >/etc/containers/containers.conf
    echo '{"default":[{"type":"insecureAcceptAnything"}]}' >/etc/containers/policy.json
    rm -f /etc/docker/daemon.json
    containerd_config "# with the CRI"
    sed -e '/^root/d; /^state/d; /address/d; /^\[grpc\]/d; /^\[ttrpc\]/d' "$W/containerd.toml" >/etc/containerd/config.toml
}

# a daemon with its own configuration; the flags are for a machine without its usual rights and networks
make_systemctl() {
    cat >"$W/commands/systemctl" <<S
#!/bin/bash
[ "\$1" = restart ] || exit 1
if [ -e "$W/\$2.pid" ]; then
    kill "\$(cat "$W/\$2.pid")"
    while grep -q '^State:.[^ZX]' "/proc/\$(cat "$W/\$2.pid")/status" 2>/dev/null; do sleep 0.1; done
fi
case \$2 in
containerd) exec containerd ;;
docker) exec dockerd --oom-score-adjust 0 --bridge none --iptables=false --ip6tables=false --cgroup-parent "/$PREFIX" ;;
*) exit 1 ;;
esac >>"$W/\$2.log" 2>&1 </dev/null &
echo \$! >"$W/\$2.pid"
for try in \$(seq 300); do
    case \$2 in containerd) ctr version ;; docker) docker version ;; esac >/dev/null 2>&1 && exit
    sleep 0.1
done
tail -n 3 "$W/\$2.log"
exit 1
S
    printf '#!/usr/bin/python3\nimport sys\nassert sys.argv[1:3] == ["apply", "-f"]\nassert "kind: RuntimeClass" in open(sys.argv[3]).read()\n' >"$W/commands/kubectl"
    chmod 755 "$W/commands"/*
}

make_image_known() {
    mkdir "$W/client"
    echo '{}' >"$W/client/config.json"
    export DOCKER_CONFIG=$W/client PODMAN_IGNORE_CGROUPSV1_WARNING=1
    tar -C "$W/rootfs" -cf "$W/rootfs.tar" .
    podman import -c 'CMD ["/bin/sh"]' -c 'ENV PATH=/bin' "$W/rootfs.tar" "$IMAGE" >"$W/import" 2>&1 || bail_out "podman import: $(tail -n 1 "$W/import")"
    systemctl restart containerd || bail_out "no containerd"
    ctr image import "$W/image.tar" >"$W/import" 2>&1 || bail_out "ctr image import: $(tail -n 1 "$W/import")"
    systemctl restart docker || bail_out "no dockerd"
    docker import --change 'ENV PATH=/bin' "$W/rootfs.tar" busybox:latest >"$W/import" 2>&1 || bail_out "docker import: $(tail -n 1 "$W/import")"
}

client_teardown() {
    local name
    for name in containerd docker; do kill "$(cat "$W/$name.pid")"; done
    comm -13 "$W/default.before" <(cgroups_of_default) | xargs -r rmdir
}

# ctr's own namespace `default` names the parent cgroup of its containers
cgroups_of_default() { find /sys/fs/cgroup -mindepth 2 -maxdepth 2 -name default | sort; }

# pasted ENGINE: runs its block, which has at most five lines besides its title
pasted() {
    awk -v title="# $1:" '/^```/ { on = 0 } index($0, title) == 1 { on = 1 } on' "$SOURCE/README.md" >"$W/block"
    [ -s "$W/block" ] || { echo "README.md has no block for $1"; return 1; }
    [ "$(wc -l <"$W/block")" -le 6 ] || { echo "more than five lines"; return 1; }
    sed -i -e '/^ctr image pull/d' "$W/block"
    (cd "$SOURCE" && PATH=$W/commands:$PATH bash -euo pipefail "$W/block")
}

# podman
test_podman() { eq "$(pasted podman)" $'hello\nhello'; }

# buildah
test_buildah() {
    pasted buildah
    eq "$(podman run --rm --network none --runtime /usr/bin/aril localhost/made cat /made)" built
}

# containerd
test_containerd() { eq "$(pasted containerd)" hello; }

# Kubernetes
test_kubernetes() {
    pasted Kubernetes
    has "$(containerd config dump)" 'BinaryName = "/usr/bin/aril-strict"'
}

# Docker
test_docker() { eq "$(pasted Docker)" hello; }

tap_main
