#!/bin/bash
# buildah.sh - drives a runtime through buildah: RUN steps of a Containerfile, and `buildah run`.
#
#   RUNTIME=/usr/sbin/runc tests/clients/buildah.sh         any runtime; ONLY=regex, SKIP=regex, KEEP=1
#
# shellcheck disable=SC2016 # the quoted scripts are for the container's shell

NEEDS="buildah:buildah"
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

buildah_() {
    timeout --foreground 120 buildah --root "$W/storage" --runroot "$W/runroot" --storage-driver "$DRIVER" "$@"
}

write_config() {
    cat >"$W/containers.conf" <<C
[containers]
default_ulimits = $(own_limits)
[engine]
cgroup_manager = "cgroupfs"
C
    echo '{"default":[{"type":"insecureAcceptAnything"}]}' >"$W/policy.json"
}

tap_setup() {
    private_place
    make_rootfs
    write_config
    export CONTAINERS_CONF=$W/containers.conf BUILDAH_ISOLATION=oci DRIVER=overlay
    mkdir "$W/context"
    tar -C "$W/rootfs" -cf "$W/context/rootfs.tar" .
    printf 'FROM scratch\nADD rootfs.tar /\nENV PATH=/bin\nCMD ["/bin/sh"]\n' >"$W/context/base"
    buildah_ bud --signature-policy "$W/policy.json" -q -t base -f "$W/context/base" "$W/context" >"$W/base" 2>&1 ||
        bail_out "no base image: $(tail -n 1 "$W/base")"
    echo "# $RUNTIME ($("$RUNTIME" --version | head -n 1)), $(buildah --version), cgroup v$CGROUP_VERSION"
}

client_teardown() { buildah_ rm --all; }

build() { # tag [flag...]: the Containerfile comes on stdin
    local tag=$1
    shift
    cat >"$W/context/Containerfile"
    buildah_ bud --signature-policy "$W/policy.json" --runtime "$RUNTIME" --network none --layers=false -t "$tag" "$@" -f "$W/context/Containerfile" "$W/context"
}

from() { # image: sets WORKING
    WORKING=$(buildah_ from --signature-policy "$W/policy.json" --pull-never "$1")
}
run() { buildah_ run --runtime "$RUNTIME" --network none "$@"; }

# bud: RUN steps, environment, directory, user
test_build() {
    build one <<'F'
FROM base
ENV A=b
WORKDIR /data
RUN echo $A $(pwd) >/made
USER user
RUN id -u >/tmp/uid
F
    from one
    eq "$(run "$WORKING" cat /made /tmp/uid)" $'b /data\n1000'
}

# bud: a step that fails gives its status and says which
test_build_fails() {
    fails build bad <<'F'
FROM base
RUN exit 7
F
    has "$ERR" 7
    matches "$ERR" 'exit 7|RUN'
}

# bud: a program that is missing is named
test_build_missing() {
    fails build bad <<'F'
FROM base
RUN ["/no/such"]
F
    has "$ERR" /no/such
    has "$ERR" "o such file or directory"
}

# bud: secrets, bind and cache mounts of a step, tmpfs
test_build_mounts() {
    echo hidden >"$W/secret"
    build two --secret "id=s,src=$W/secret" <<'F'
FROM base
RUN --mount=type=secret,id=s cat /run/secrets/s >/got
RUN --mount=type=tmpfs,target=/mnt touch /mnt/x && grep -c ' /mnt ' /proc/mounts >/tmpfs
RUN --mount=type=bind,source=/base,target=/bound cat /bound | head -n 1 >/bind
F
    from two
    eq "$(run "$WORKING" cat /got /tmpfs /bind)" $'hidden\n1\nFROM scratch'
    eq "$(run "$WORKING" sh -c 'cat /run/secrets/s 2>/dev/null || echo gone')" gone
}

# bud: limits and capabilities of the build
test_build_limits() {
    build three --memory 64m --cap-drop CAP_CHOWN <<'F'
FROM base
RUN grep CapEff /proc/self/status | cut -f2 >/caps; chown 5 /data 2>/dev/null || echo no >/chown
F
    from three
    eq "$(run "$WORKING" cat /chown)" no
}

# run: output, status, stdin, volume, user, hostname
test_run() {
    from base
    eq "$(run "$WORKING" echo hello)" hello
    capture run "$WORKING" sh -c 'exit 42'
    eq "$RC" 42
    eq "$(echo typed | run "$WORKING" cat)" typed
    mkdir -p "$W/v"
    echo in >"$W/v/a"
    eq "$(run -v "$W/v:/mnt:ro" "$WORKING" cat /mnt/a)" in
    eq "$(run --user user "$WORKING" id -u)" 1000
    eq "$(run --hostname named "$WORKING" hostname)" named
}

# run: a program that is missing
test_run_missing() {
    from base
    fails run "$WORKING" /no/such
    has "$ERR" "o such file or directory"
}

# T: run on a terminal
test_terminal() {
    from base
    has "$(on_terminal "buildah --root $W/storage --runroot $W/runroot --storage-driver $DRIVER run --runtime $RUNTIME --network none -t $WORKING sh -c 'test -t 0 && echo isatty'" </dev/null)" isatty
}

# user namespace of the build
test_user_namespace() {
    build four --userns-uid-map 0:200000:65536 --userns-gid-map 0:200000:65536 <<'F'
FROM base
RUN tr -s ' ' </proc/self/uid_map >/map
F
    from four
    has "$(run "$WORKING" cat /map)" "0 200000 65536"
}

nothing_left() {
    LEFT=$(cgroups_left | grep "/$PREFIX/."; find /sys/fs/cgroup -depth -type d -name 'buildah-buildah*'; find /run -name 'buildah-buildah*') || true
    [ -z "$LEFT" ]
}

# nothing is left: cgroups, state
test_nothing_left() {
    wait_for 5 nothing_left || { echo "left: $LEFT"; return 1; }
}

tap_main
