#!/bin/bash
# manage.sh - attacks of a running container on the commands that look after it: exec, kill, delete, --timeout.
. "$(dirname "$0")/lib.sh"

# a command of the host's that a payload must not keep from ending
ends() { # seconds command...
    local rc=0 limit=$1
    shift
    timeout -s KILL "$limit" "$@" || rc=$?
    [ $rc != 137 ] || { echo "did not end: $*"; return 1; }
}

# exec: init has entered a mount namespace of a user namespace that it made: nobody's root runs what is mounted there
test_exec_foreign_mounts() {
    not_in userns rootless "exec enters the user namespace as well, whose root is nobody but the payload's own user"
    known runc
    bundle '.process.user = {uid: 1000, gid: 1000} | .process.args = ["/bin/attack", "own-mounts"]'
    writable
    up_as_it_is
    wait_for 10 log_has entered
    capture rt exec --user 0 "$ID" /bin/id -u
    hasnt "$OUT" hostile
    [ "$KIND" != aril ] || has "$ERR" "mount namespace"
}

# up without another command
up_as_it_is() {
    rt create -b "$B" "$ID" >"$B/out" 2>&1 || { cat "$B/out"; return 1; }
    rt start "$ID"
}

# exec: init has changed its root directory: exec runs in the container's
test_exec_changed_root() {
    bundle
    writable
    with_caps CAP_SYS_CHROOT
    mkdir -p "$B/rootfs/false/bin"
    cp "$B/rootfs/bin/busybox" "$B/rootfs/false/bin/sleep"
    echo false >"$B/rootfs/false/which"
    echo true >"$B/rootfs/which"
    up /bin/busybox chroot /false /bin/sleep 1000
    wait_for 10 eval '[ -e "/proc/$(pid_of)/root/which" ] && [ "$(cat "/proc/$(pid_of)/root/which")" = false ]'
    eq "$(rt exec "$ID" /bin/cat /which)" true
}

# --timeout: a payload that floods the notify socket is ended all the same
test_notify_flood() {
    [ "$KIND" = aril ] || skip "it has no --timeout"
    bundle '.process.args = ["/bin/attack", "flood", "/run/notify/notify.sock"]'
    python3 -c 'import socket,sys,signal; s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM); s.bind(sys.argv[1]); signal.pause()' "$B/notify" &
    wait_for 10 test -S "$B/notify"
    chmod 777 "$B/notify"
    NOTIFY_SOCKET=$B/notify ends 20 "$RUNTIME" --root "$STATE" run --timeout 2 -b "$B" "$ID" || { kill $!; return 1; }
    kill $!
}

# tmpcopyup of a giant file takes no more than the mount may have, and ends
test_copy_up_giant() {
    not_for runc "another version's"
    bundle '.mounts += [{destination: "/data", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup", "size=4m"]}]'
    mkdir "$B/rootfs/data"
    truncate -s 1T "$B/rootfs/data/giant"
    capture ends 30 "$RUNTIME" --root "$STATE" run -b "$B" "$ID"
    hasnt "$OUT" "did not end"
    if [ "$KIND" = aril ]; then has "$ERR" "tmpcopyup: giant: no space left on device"; fi
}

# remove_deep DIRECTORY: what no path reaches, when a runtime has left it
remove_deep() {
    (cd -P "$1" && while cd -P x* 2>/dev/null; do :; done
        while cd -P .. && rmdir x* 2>/dev/null; do :; done) 2>/dev/null
    rmdir "$1"/* "$1" 2>/dev/null || true
}

# delete: cgroups below the container's own, deeper than any path can be long
test_deep_cgroups() {
    local cgroup
    not_in rootless engine "a user's container has no cgroup of its own here"
    todo_for runc "cannot remove them"
    bundle '.mounts |= map(if .type == "cgroup" then .options -= ["ro"] else . end)'
    up /bin/sh -c 'cd /sys/fs/cgroup/pids 2>/dev/null || cd /sys/fs/cgroup
        name=$(head -c 200 /dev/zero | tr "\0" x)
        for i in $(seq 40); do mkdir $name 2>/dev/null && cd $name || break; done
        mkdir "-rf" "a b" "\$(reboot)"; echo 0 >"a b/cgroup.procs"; echo made; exec sleep 1000'
    wait_for 20 log_has made
    ends 60 "$RUNTIME" --root "$STATE" delete --force "$ID" || true
    LEFT=$(cgroups_left)
    for cgroup in $LEFT; do remove_deep "$cgroup"; done
    eq "$LEFT" ""
}

tap_main
