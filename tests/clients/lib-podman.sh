# shellcheck shell=bash
# lib-podman.sh - sourced after lib.sh: podman with a store of its own and the tested runtime as its default.

NAME=$(basename "$RUNTIME")

write_config() { # file network-directory
    cat >"$1" <<C
[containers]
default_capabilities = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"]
default_sysctls = ["net.ipv4.ping_group_range=0 0"]
default_ulimits = $(own_limits)
init_path = "/usr/bin/catatonit"
log_driver = "k8s-file"
[network]
network_backend = "netavark"
network_config_dir = "$2"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "$NAME"
runtime_supports_json = ["crun", "runc", "$NAME"]
[engine.runtimes]
"$NAME" = ["$RUNTIME"]
C
}

podman_command() {
    echo "podman --root $W/storage --runroot $W/runroot --tmpdir $W/tmp --runtime $RUNTIME"
}

pod() {
    # shellcheck disable=SC2046 # words
    timeout --foreground 120 $(podman_command) "$@"
}

# the image localhost/bb in a store of our own
podman_place() {
    mkdir "$W/networks"
    write_config "$W/containers.conf" "$W/networks"
    export CONTAINERS_CONF=$W/containers.conf PODMAN_IGNORE_CGROUPSV1_WARNING=1 DISABLE_HC_SYSTEMD=true
    unset XDG_RUNTIME_DIR
    tar -C "$W/rootfs" -cf "$W/podman.tar" .
    chmod 644 "$W/podman.tar"
    pod import -c 'CMD ["/bin/sh"]' -c 'ENV PATH=/bin' "$W/podman.tar" localhost/bb >"$W/import" 2>&1 ||
        bail_out "podman import failed: $(tail -n 1 "$W/import")"
}

podman_remove_all() {
    pod rm --all --force --time 0
    pod pod rm --all --force
    umount -l "$W/storage/overlay"
    find /sys/fs/cgroup -depth -type d -path '*libpod_parent*' -exec rmdir {} +
} >/dev/null 2>&1
