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

# ---- for the tests ------------------------------------------------------------------------------------------

run() { pod run --rm --network none "$@"; }

inspect() { # container go-template
    pod inspect "$1" --format "$2"
}

logs_have() { # container text
    pod logs "$1" 2>&1 | grep -qF -- "$2"
}

# keep the containers of this test for the next one
keep() { touch "$TAP_DIR/keep"; }

# a failed test must not spoil the next ones
remove_unless_kept() {
    [ -e "$TAP_DIR/keep" ] || { pod rm --all --force --time 0 && pod pod rm --all --force; } >/dev/null 2>&1
    rm -f "$TAP_DIR/keep"
    return 0
}

# shellcheck source=../accounts.sh
. "$HERE/../accounts.sh"

# ids to give away for ariltest, and for --userns auto of root
podman_accounts() {
    [ -d "$W/etc" ] || own_accounts $'ariltest:300000:65536\ncontainers:400000:1000000'
}

# what systemd does for a service of type notify: a line for each datagram. Sets NOTIFY_SOCKET
manager_listens() {
    export NOTIFY_SOCKET=$W/notify
    : >"$W/notified"
    /usr/bin/python3 -c '
import os, socket, sys
end = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
end.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o777)
while True:
    text = end.recv(4096).decode().replace("\n", " ")
    open(sys.argv[2], "a").write(text + "\n")
' "$NOTIFY_SOCKET" "$W/notified" &
    wait_for 10 test -S "$NOTIFY_SOCKET"
}
# for a container that has this machine's /usr
SAYS_READY='import os, socket, time
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
time.sleep(100)'
told() { grep -qx "$1" "$W/notified"; }
