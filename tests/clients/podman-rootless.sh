#!/bin/bash
# podman-rootless.sh - drives a runtime through podman as an ordinary user with subordinate ids.
#
#   RUNTIME=/usr/sbin/runc tests/clients/podman-rootless.sh   any runtime; ONLY=regex, SKIP=regex, KEEP=1
#
# podman refuses limits, update, stats and pause to a user without cgroups of his own; tests/vm/engine.sh has them in a
# session of systemd.
#
# shellcheck disable=SC2016 # the quoted scripts are for the container's shell

NEEDS="podman:podman conmon:conmon setpriv:util-linux newuidmap:uidmap /usr/bin/python3:python3"
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib-podman.sh
. "$HERE/lib-podman.sh"
HOME_DIR=$W/home

tap_setup() {
    private_place
    make_rootfs
    podman_accounts
    make_home
    pod import -c 'CMD ["/bin/sh"]' -c 'ENV PATH=/bin' "$W/podman.tar" localhost/bb >"$W/import" 2>&1 ||
        bail_out "podman import failed: $(tail -n 1 "$W/import")"
    echo "# $RUNTIME ($("$RUNTIME" --version | head -n 1)), $(podman --version), uid $TEST_USER, cgroup v$CGROUP_VERSION"
}

client_teardown() {
    pod rm --all --force --time 0
    pod pod rm --all --force
}
each_after() { remove_unless_kept; }

as_user() { setpriv --reuid $TEST_USER --regid $TEST_USER --clear-groups "$@"; }

# the user's home, configuration and image
make_home() {
    mkdir -p "$HOME_DIR/run" "$HOME_DIR/networks"
    if ! as_user test -x "$RUNTIME"; then
        mkdir "$W/bin" && cp "$RUNTIME" "$W/bin/$NAME" && chmod -R 755 "$W/bin"
        RUNTIME=$W/bin/$NAME
    fi
    write_config "$HOME_DIR/containers.conf" "$HOME_DIR/networks"
    chmod 700 "$HOME_DIR/run"
    chown -R $TEST_USER:$TEST_USER "$HOME_DIR"
    chmod 666 /dev/fuse /dev/net/tun 2>/dev/null || true
    tar -C "$W/rootfs" -cf "$W/podman.tar" .
    chmod 644 "$W/podman.tar"
}

podman_command() {
    echo "env -i PATH=$PATH HOME=$HOME_DIR XDG_RUNTIME_DIR=$HOME_DIR/run CONTAINERS_CONF=$HOME_DIR/containers.conf" \
        "PODMAN_IGNORE_CGROUPSV1_WARNING=1 DISABLE_HC_SYSTEMD=true ${NOTIFY_SOCKET:+NOTIFY_SOCKET=$NOTIFY_SOCKET}" \
        "setpriv --reuid $TEST_USER --regid $TEST_USER --clear-groups podman --runtime $RUNTIME"
}

pod() {
    # shellcheck disable=SC2046 # words
    (cd / && timeout --foreground 120 $(podman_command) "$@")
}

user_directory() { # name: in the home
    mkdir -p "$HOME_DIR/$1"
    chown $TEST_USER:$TEST_USER "$HOME_DIR/$1"
}

# ---- one-shot runs ------------------------------------------------------------------------------------------

# run with subordinate ids
test_run() {
    eq "$(run bb sh -c 'id -u; tr -s " " </proc/self/uid_map')" $'0\n 0 '"$TEST_USER"$' 1\n 1 300000 65536'
    eq "$(pod ps -aq)" ""
}

# X1 P6: exit codes, a program that is missing, one that may not run
test_exit_codes() {
    capture run bb sh -c 'exit 42'
    eq "$RC" 42
    capture run bb /no/such
    eq "$RC" 127
    has "$ERR" /no/such
    capture run bb /etc/passwd
    eq "$RC" 126
}

# --init, --user, --hostname, --env, --workdir
test_process() {
    matches "$(run --init bb cat /proc/1/comm)" 'catatonit|podman-init'
    eq "$(run --user user -e A=b -w /data --hostname named bb sh -c 'echo $(id -u) $A $(pwd) $(hostname)')" "1000 b /data named"
}

# --read-only, --tmpfs, --shm-size
test_files() {
    eq "$(run --read-only bb sh -c 'touch /x 2>/dev/null && echo w || echo ro; touch /tmp/x && echo tmp')" $'ro\ntmp'
    has "$(run --tmpfs /new:size=1m,noexec bb grep ' /new ' /proc/mounts)" size=1024k
    has "$(run --shm-size 2m bb grep ' /dev/shm ' /proc/mounts)" size=2048k
}

# volumes: a folder of the user, a named one
test_volumes() {
    user_directory v
    run -v "$HOME_DIR/v:/mnt" bb touch /mnt/made
    eq "$(stat -c %u "$HOME_DIR/v/made")" $TEST_USER
    eq "$(run -v "$HOME_DIR/v:/mnt:ro" bb sh -c 'touch /mnt/c 2>/dev/null && echo w || echo ro')" ro
    pod volume create named >/dev/null
    run -v named:/data bb sh -c 'echo kept >/data/new'
    eq "$(run -v named:/data bb cat /data/file /data/new)" $'of-the-image\nkept'
    pod volume rm named >/dev/null
}

# secrets
test_secret() {
    printf hidden >"$W/secret"
    chmod 644 "$W/secret"
    pod secret create s "$W/secret" >/dev/null
    eq "$(run --secret s bb cat /run/secrets/s)" hidden
    pod secret rm s >/dev/null
}

# --cap-drop, seccomp, no-new-privileges, ulimits
test_confinement() {
    eq "$(run --cap-drop all bb sh -c 'grep CapEff /proc/self/status | cut -f2')" 0000000000000000
    eq "$(run bb sh -c 'grep Seccomp: /proc/self/status | cut -f2')" 2
    eq "$(run --security-opt seccomp=unconfined bb sh -c 'grep Seccomp: /proc/self/status | cut -f2')" 0
    eq "$(run --security-opt no-new-privileges bb sh -c 'grep NoNewPrivs /proc/self/status | cut -f2')" 1
    eq "$(run --ulimit nofile=77:88 --ulimit "$(sed -n 's/.*"\(nproc=[0-9:]*\)".*/\1/p' "$HOME_DIR/containers.conf")" bb sh -c 'ulimit -Sn; ulimit -Hn')" $'77\n88'
}

# --userns keep-id, nomap, auto
test_userns() {
    user_directory k
    eq "$(run --userns keep-id bb id -u)" $TEST_USER
    run --userns keep-id -v "$HOME_DIR/k:/mnt" bb touch /mnt/made
    eq "$(stat -c %u "$HOME_DIR/k/made")" $TEST_USER
    eq "$(run --userns nomap bb id -u)" 0
    matches "$(run --userns auto:size=2000 bb sh -c 'tr -s " " </proc/self/uid_map; stat -c %u /data/file; id -u')" $'^ 0 [0-9]+ 2000\n0\n0$'
}

# ---- the life of a container --------------------------------------------------------------------------------

# -d, exec, logs, kill, top, stop, start, rm
test_life() {
    pod run -d --name life --network none bb sh -c 'trap "echo got-usr1" USR1; trap "exit 3" TERM; echo up; while :; do sleep 0.1; done' >/dev/null
    wait_for 10 logs_have life up
    eq "$(pod exec -e Q=1 -w /data -u 1000:1000 life sh -c 'echo $Q $(pwd) $(id -u)')" "1 /data 1000"
    capture pod exec life sh -c 'exit 9'
    eq "$RC" 9
    capture pod exec life /no/such
    eq "$RC" 127
    eq "$(pod exec life sh -c 'grep -E "Cap(Eff|Bnd)|Seccomp:" /proc/self/status')" "$(pod exec life sh -c 'grep -E "Cap(Eff|Bnd)|Seccomp:" /proc/1/status')"
    pod kill --signal USR1 life >/dev/null
    wait_for 10 logs_have life got-usr1
    has "$(pod top life)" sleep
    pod stop --time 10 life >/dev/null
    eq "$(inspect life '{{.State.ExitCode}}')" 3
    pod start life >/dev/null
    eq "$(inspect life '{{.State.Status}}')" running
    pod rm --force --time 0 life >/dev/null
    eq "$(pod ps -aq)" ""
}

# healthcheck
test_healthcheck() {
    pod run -d --name healthy --network none --health-cmd 'test -e /tmp/ok' --health-interval disable --health-retries 1 bb sh -c 'touch /tmp/ok; sleep 100' >/dev/null
    wait_for 10 pod healthcheck run healthy
    eq "$(inspect healthy '{{.State.Health.Status}}')" healthy
}

# cp both ways, diff, commit
test_files_of_a_container() {
    pod run -d --name files --network none bb sh -c 'echo made >/data/made; sleep 100' >/dev/null
    wait_for 10 pod exec files test -s /data/made
    user_directory copies
    pod cp files:/data/made "$HOME_DIR/copies/made"
    eq "$(cat "$HOME_DIR/copies/made")" made
    pod cp "$HOME_DIR/copies/made" files:/data/given
    eq "$(pod exec files cat /data/given)" made
    has "$(pod diff files)" "A /data/given"
    pod commit -q files localhost/committed >/dev/null
    eq "$(run localhost/committed cat /data/given)" made
    pod rmi localhost/committed >/dev/null
}

# T: a terminal in run and exec
test_terminal() {
    has "$(cd / && on_terminal "$(podman_command) run --rm -it --network none bb sh -c 'tty; $SHOW_SIZE'" </dev/null)" "33 111"
    pod run -d --name term --network none bb sleep 100 >/dev/null
    has "$(cd / && on_terminal "$(podman_command) exec -it term sh -c '$SHOW_SIZE'" </dev/null)" "33 111"
}

# pods, play kube
test_pod() {
    pod pod create --name rp --network none >/dev/null
    pod run -d --pod rp --name ra bb sleep 100 >/dev/null
    eq "$(pod exec ra echo in-pod)" in-pod
    pod pod rm --force --time 0 rp >/dev/null
    printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: kube}\nspec:\n  hostNetwork: true\n  containers:\n  - {name: app, image: "localhost/bb:latest", imagePullPolicy: Never, command: [sleep, "100"], env: [{name: A, value: b}]}\n' >"$W/pod.yaml"
    pod play kube "$W/pod.yaml" >/dev/null
    eq "$(pod exec kube-app sh -c 'echo $A')" b
    pod play kube --down "$W/pod.yaml" >/dev/null
    eq "$(pod ps -aq)" ""
}

# sdnotify: conmon says that the container runs; with `container` its own message goes through
test_sdnotify() {
    manager_listens
    pod run -d --name told --network none --sdnotify conmon bb sleep 100 >/dev/null
    wait_for 10 told "MAINPID=$(inspect told '{{.State.ConmonPid}}') READY=1"
    pod run -d --name tells --network none --sdnotify container -v /usr:/usr:ro -v /lib:/lib:ro -v /lib64:/lib64:ro bb /usr/bin/python3 -c "$SAYS_READY" >/dev/null
    wait_for 10 told "MAINPID=$(inspect tells '{{.State.ConmonPid}}')"
    wait_for 10 told READY=1
}

# --network slirp4netns: the engine's process joins the container's namespace
test_network() {
    command -v slirp4netns >/dev/null || skip "slirp4netns is missing (Debian: apt-get install slirp4netns)"
    [ -c /dev/net/tun ] || skip "no /dev/net/tun"
    has "$(pod run --rm --network slirp4netns bb ip addr show tap0)" 10.0.2.100
}

# A-2, C-1: a sandbox inside a rootless container, with the grants that contrib/ENGINES.md lists, and what probe says without
test_nested_sandbox() {
    "$RUNTIME" probe --help >/dev/null 2>&1 || skip "this runtime has no sandbox-exec"
    local inside=(-v "$RUNTIME:/aril:ro" -v /lib:/lib:ro -v /lib64:/lib64:ro)
    local grants=(--cap-add SYS_ADMIN,NET_ADMIN,MKNOD --security-opt seccomp=unconfined --security-opt unmask=ALL)
    capture run "${inside[@]}" "${grants[@]}" bb /aril probe
    has "$OUT" "sandboxes work here"
    capture run "${inside[@]}" "${grants[@]}" bb /aril sandbox-exec -- sh -c 'touch /x 2>/dev/null || echo ro; id -u'
    eq "$OUT" $'ro\n0'
    capture run "${inside[@]}" --user 65534 "${grants[@]:2}" bb /aril sandbox-exec -- sh -c 'touch /x 2>/dev/null || echo ro; id -u'
    eq "$OUT" $'ro\n65534'
    capture run "${inside[@]}" bb /aril probe
    eq "$RC" 1
    has "$OUT" "must grant CAP_SYS_ADMIN"
}

# P-2, P-5: the strict profile in a rootless container: every layer is there, for exec as well, and none can be loosened
test_strict_profile() {
    "$RUNTIME" probe --help >/dev/null 2>&1 || skip "this runtime has no sandbox policies"
    local show='grep -E "^(NoNewPrivs|Seccomp):" /proc/self/status; touch /x /etc/x 2>/dev/null || echo ro; touch /tmp/x && echo tmp; env | grep -c TOKEN; unshare -U true 2>/dev/null || echo denied'
    capture run --annotation dev.aril.profile=strict -e MY_TOKEN=1 bb sh -c "$show"
    eq "$(tr -d '\t' <<<"$OUT" | tr '\n' ' ')" "NoNewPrivs:1 Seccomp:2 ro tmp 0 denied "
    pod run -d --name strict --annotation dev.aril.profile=strict bb sleep 1000
    capture pod exec strict sh -c "$show"
    eq "$(tr -d '\t' <<<"$OUT" | tr '\n' ' ')" "NoNewPrivs:1 Seccomp:2 ro tmp 0 denied "
    capture pod exec --privileged strict grep CapBnd /proc/self/status
    eq "$OUT" "$(pod exec strict grep CapBnd /proc/1/status)"
    pod rm -f -t 0 strict
}

# nothing is left: containers, processes
test_zz_nothing_left() {
    eq "$(pod ps -aq)" ""
    eq "$(pgrep -x sleep | wc -l)" 0
}

tap_main
