#!/bin/bash
# podman.sh - drives a runtime through podman as root: one-shot runs, the life cycle, terminals, volumes, confinement,
# limits, pods, user namespaces, services. podman-rootless.sh is for ordinary users.
#
#   RUNTIME=/usr/sbin/runc tests/clients/podman.sh          any runtime; ONLY=regex, SKIP=regex, KEEP=1
#
# No registry is needed: the image is a busybox tree that podman imports. Everything happens in private mount,
# network and pid namespaces and in one temporary directory, so that podman's own storage, networks and state on
# this machine are neither used nor touched.

NEEDS="podman:podman conmon:conmon /usr/bin/python3:python3"
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib-podman.sh
. "$HERE/lib-podman.sh"

tap_setup() {
    private_place
    make_rootfs
    podman_place
    echo "# $RUNTIME ($("$RUNTIME" --version | head -n 1)), $(podman --version), cgroup v$CGROUP_VERSION"
}

client_teardown() { podman_remove_all; }
each_after() { remove_unless_kept; }

# ---- one-shot runs --------------------------------------------------------------------------------------------

# run --rm: output, and nothing left
test_run_rm() {
    eq "$(run bb echo hello)" hello
    eq "$(pod ps -aq)" ""
}

# X1: exit codes and signals
test_exit_codes() {
    capture run bb sh -c 'exit 42'
    eq "$RC" 42
    # shellcheck disable=SC2016
    capture run --pid host bb sh -c 'kill -9 $$'
    eq "$RC" 137
}

# P6 P7 E4 E5: 127 for a program that is missing, 126 for one that may not run, and the runtime's words
test_program_missing() {
    capture run bb /no/such
    eq "$RC" 127
    has "$ERR" /no/such
    has "$ERR" "OCI runtime"
    capture run bb /etc/passwd
    eq "$RC" 126
}

# stdin, stdout, stderr
test_streams() {
    eq "$(echo typed | run -i bb cat)" typed
    eq "$(run bb sh -c 'echo o; echo e >&2' 2>/dev/null)" o
    eq "$(run bb sh -c 'dd if=/dev/zero bs=64k count=256 2>/dev/null' | wc -c)" 16777216
}

# --env, --workdir, --hostname, --entrypoint
test_environment() {
    eq "$(run -e A=b -w /data --hostname named bb sh -c 'echo $A $(pwd) $(hostname)')" "b /data named"
    eq "$(run --entrypoint '["/bin/echo","x"]' bb y)" "x y"
}

# --init
test_init() {
    local out
    out=$(run --init bb sh -c 'cat /proc/1/comm; echo $$')
    matches "$(head -n 1 <<<"$out")" 'catatonit|podman-init'
    ne "$(tail -n 1 <<<"$out")" 1
}

# --preserve-fds
test_preserve_fds() {
    echo through >"$W/fd"
    eq "$(run --preserve-fds 1 bb sh -c 'cat <&3' 3<"$W/fd")" through
}

# ---- files ------------------------------------------------------------------------------------------------------

# -v: read-write, read-only, a file, a directory that the image lacks
test_volumes() {
    mkdir -p "$W/v"
    echo in >"$W/v/a"
    eq "$(run -v "$W/v:/mnt" bb sh -c 'cat /mnt/a; echo out >/mnt/b')" in
    eq "$(cat "$W/v/b")" out
    eq "$(run -v "$W/v:/mnt:ro" bb sh -c 'touch /mnt/c 2>/dev/null && echo w || echo ro')" ro
    eq "$(run -v "$W/v/a:/data/file:ro" bb cat /data/file)" in
    eq "$(run -v "$W/v:/new/deep" bb cat /new/deep/a)" in
}

# -v: propagation and flags
test_volume_options() {
    mkdir -p "$W/v"
    has "$(run -v "$W/v:/mnt:rslave" bb grep ' /mnt ' /proc/self/mountinfo)" master:
    has "$(run -v "$W/v:/mnt:rshared" bb grep ' /mnt ' /proc/self/mountinfo)" shared:
    matches "$(run -v "$W/v:/mnt:nosuid,nodev,noexec" bb grep ' /mnt ' /proc/mounts)" 'nosuid,nodev,noexec'
}

# -v: a named volume takes over what the image has there
test_named_volume() {
    pod volume create named >/dev/null
    run -v named:/data bb sh -c 'echo kept >/data/new'
    eq "$(run -v named:/data bb cat /data/file /data/new)" $'of-the-image\nkept'
    pod volume rm named >/dev/null
}

# --tmpfs
test_tmpfs() {
    local out
    out=$(run --tmpfs /new:rw,size=1m,mode=1777,noexec bb sh -c 'grep " /new " /proc/mounts; stat -c %a /new')
    has "$out" size=1024k
    has "$out" noexec
    has "$out" 1777
}

# --read-only
test_read_only() {
    eq "$(run --read-only bb sh -c 'touch /x 2>/dev/null && echo w || echo ro; touch /tmp/x && echo tmp')" $'ro\ntmp'
}

# --rootfs
test_rootfs() {
    cp -a "$W/rootfs" "$W/rootfs-copy"
    eq "$(pod run --rm --network none --rootfs "$W/rootfs-copy" /bin/echo r)" r
}

# ---- identity and confinement -----------------------------------------------------------------------------------

# --user by name and by number, --group-add
test_user() {
    eq "$(run --user user bb sh -c 'id -u; id -g; id -G; echo $HOME')" $'1000\n1000\n1000 2000\n/home/user'
    eq "$(run --user 1234:4321 bb sh -c 'id -u; id -g')" $'1234\n4321'
    has " $(run --user 1000 --group-add 3333 bb id -G) " " 3333 "
}

# --cap-drop, --cap-add
test_capabilities() {
    eq "$(run --cap-drop all bb sh -c 'grep -E "Cap(Prm|Eff|Bnd|Inh|Amb)" /proc/self/status | cut -f2 | sort -u')" 0000000000000000
    eq "$(run bb sh -c 'grep CapEff /proc/self/status | cut -f2')" 00000000800405fb
    eq "$(run --cap-drop all --cap-add net_raw bb sh -c 'grep CapEff /proc/self/status | cut -f2')" 0000000000002000
}

# --security-opt seccomp=PROFILE, unconfined and the default
test_seccomp() {
    eq "$(run bb sh -c 'grep Seccomp: /proc/self/status | cut -f2')" 2
    eq "$(run --security-opt seccomp=unconfined bb sh -c 'grep Seccomp: /proc/self/status | cut -f2')" 0
    cat >"$W/profile.json" <<'P'
{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
 "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 122},
              {"names": ["sethostname"], "action": "SCMP_ACT_KILL_PROCESS"}]}
P
    local out
    out=$(run --cap-add sys_admin --security-opt "seccomp=$W/profile.json" bb sh -c 'mkdir /tmp/x 2>&1; hostname z; echo $?')
    has "$out" "uota exceeded"
    eq "$(tail -n 1 <<<"$out")" 159
}

# --security-opt no-new-privileges
test_no_new_privileges() {
    eq "$(run --security-opt no-new-privileges bb sh -c 'grep NoNewPrivs /proc/self/status | cut -f2')" 1
}

# masked and read-only paths, and --security-opt unmask
test_masked_paths() {
    eq "$(run bb sh -c 'wc -c </proc/timer_list; ls /sys/firmware | wc -l')" $'0\n0'
    has "$(run bb cat /proc/mounts)" "/proc/sys proc ro"
    hasnt "$(run --security-opt unmask=ALL bb cat /proc/mounts)" " /proc/timer_list "
}

# --privileged
test_privileged() {
    eq "$(run --privileged bb sh -c 'grep Seccomp: /proc/self/status | cut -f2; touch /proc/sys/net/ipv4/ip_forward && echo writable')" $'0\nwritable'
}

# A-2, C-1: a sandbox inside a container, with the grants that contrib/ENGINES.md lists, and what probe says without
test_nested_sandbox() {
    "$RUNTIME" probe --help >/dev/null 2>&1 || skip "this runtime has no sandbox-exec"
    local inside=(-v "$RUNTIME:/aril:ro" -v /lib:/lib:ro -v /lib64:/lib64:ro)
    local grants=(--cap-add SYS_ADMIN,NET_ADMIN,MKNOD --security-opt seccomp=unconfined --security-opt unmask=ALL)
    has "$(run "${inside[@]}" "${grants[@]}" bb /aril probe)" "sandboxes work here"
    eq "$(run "${inside[@]}" "${grants[@]}" bb /aril sandbox-exec -- sh -c 'touch /x 2>/dev/null || echo ro; id -u')" $'ro\n0'
    capture run "${inside[@]}" bb /aril probe
    eq "$RC" 1
    has "$OUT" "must grant CAP_SYS_ADMIN"
}

# M-5: `podman run --annotation dev.aril.protect=vcs -v DIR:/work`: what the names stand for is as it was, and nothing of ours is left
test_protect() {
    "$RUNTIME" probe --help >/dev/null 2>&1 || skip "this runtime has no sandbox policies"
    local dir=$W/protected
    mkdir -p "$dir/.git" && echo c >"$dir/.git/config" && ln -s .git "$dir/.codex"
    capture pod run --rm --annotation dev.aril.protect=vcs -v "$dir:/work" bb sh -c \
        'cd /work; echo x >.git/config; mv .git x; rm .codex; mkdir .agents/x; rmdir .agents; touch made; rmdir /.git; mkdir /.git/x; ls -A | tr "\n" " "'
    eq "$OUT" ".agents .codex .git made "
    eq "$(cat "$dir/.git/config" "$dir/.codex/config" | tr '\n' ' ')" "c c "
    eq "$(find "$dir" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | tr '\n' ' ')" ".codex .git made "
    pod run -d --annotation dev.aril.protect=vcs -v "$dir:/work" --name protect bb sleep 1000
    [ -d "$dir/.agents" ]
    capture pod exec protect sh -c 'echo x >/work/.git/config'
    ne "$RC" 0
    pod rm -f -t 0 protect
    [ ! -e "$dir/.agents" ]
    rm -rf "$dir"
}

# P-2, A-1: `podman --runtime aril-strict`, a link: every layer is there, for exec as well; no socket of an engine is
test_strict_by_name() {
    "$RUNTIME" probe --help >/dev/null 2>&1 || skip "this runtime has no sandbox policies"
    ln -s "$RUNTIME" "$W/aril-strict"
    local show='grep -E "^(NoNewPrivs|Seccomp):" /proc/self/status; touch /x /etc/x 2>/dev/null || echo ro; touch /tmp/x && echo tmp; env | grep -c TOKEN; unshare -n true 2>/dev/null || echo denied'
    pod --runtime "$W/aril-strict" run -d --cap-add SYS_ADMIN --name strict -e MY_TOKEN=1 bb sleep 1000
    capture pod --runtime "$W/aril-strict" exec strict sh -c "$show"
    eq "$(tr -d '\t' <<<"$OUT" | tr '\n' ' ')" "NoNewPrivs:1 Seccomp:2 ro tmp 0 denied "
    pod --runtime "$W/aril-strict" rm -f -t 0 strict
    capture pod --runtime "$W/aril-strict" run --rm -v /run:/host bb true
    ne "$RC" 0
    has "$ERR" "which the strict profile forbids"
}

# devices: the default ones, --device, and no others
test_devices() {
    eq "$(run bb sh -c 'for d in null zero full random urandom tty; do test -c /dev/$d || echo no $d; done; echo done')" "done"
    [ -c /dev/fuse ] || skip "no /dev/fuse to try the rest with"
    eq "$(run --device /dev/fuse bb sh -c 'test -c /dev/fuse && echo there')" there
}

# --sysctl, --ulimit, --oom-score-adj
test_knobs() {
    eq "$(run --sysctl net.ipv4.ip_forward=1 --sysctl kernel.msgmax=4096 bb cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax)" $'1\n4096'
    # naming one limit drops podman's defaults, and its own choice of processes may be too high to set
    eq "$(run --ulimit nofile=77:88 --ulimit "$(sed -n 's/.*"\(nproc=[0-9:]*\)".*/\1/p' "$W/containers.conf")" bb sh -c 'ulimit -Sn; ulimit -Hn')" $'77\n88'
    eq "$(run --oom-score-adj 500 bb cat /proc/self/oom_score_adj)" 500
}

# --pid, --ipc, --uts, --network of the host and of another container
test_shared_namespaces() {
    eq "$(run --pid host bb readlink /proc/self/ns/pid)" "$(readlink /proc/self/ns/pid)"
    eq "$(run --ipc host --uts host bb sh -c 'readlink /proc/self/ns/ipc; readlink /proc/self/ns/uts')" \
        "$(readlink /proc/self/ns/ipc; readlink /proc/self/ns/uts)"
    pod run -d --name first --network none bb sleep 100 >/dev/null
    has "$(run --pid container:first bb ps)" "sleep 100"
    eq "$(pod run --rm --network container:first bb readlink /proc/self/ns/net)" "$(pod exec first readlink /proc/self/ns/net)"
}

# --hooks-dir: hooks see the state
test_hooks() {
    mkdir -p "$W/hooks"
    printf '#!/bin/sh\ncat >%s/hook.$1\n' "$W" >"$W/hook"
    chmod 755 "$W/hook"
    local stage
    for stage in prestart createRuntime poststart poststop; do
        printf '{"version":"1.0.0","hook":{"path":"%s","args":["hook","%s"]},"when":{"always":true},"stages":["%s"]}\n' \
            "$W/hook" $stage $stage >"$W/hooks/$stage.json"
    done
    # shellcheck disable=SC2046 # words
    $(podman_command) --hooks-dir "$W/hooks" run --rm --network none bb sleep 0.2
    for stage in prestart createRuntime poststart poststop; do
        jq -e '.id and .status and .bundle and .ociVersion' "$W/hook.$stage" >/dev/null
    done
}

# 35 36: a hook that fails in start: podman says which, and has nothing to clean up that is not there any more
test_failing_hook() {
    [ "$KIND" = aril ] || skip "older than the specification's words"
    mkdir -p "$W/bad-hooks"
    printf '{"version":"1.0.0","hook":{"path":"/bin/false"},"when":{"always":true},"stages":["poststart"]}\n' >"$W/bad-hooks/bad.json"
    # shellcheck disable=SC2046 # words
    capture $(podman_command) --hooks-dir "$W/bad-hooks" run --name failing --network none bb sleep 100
    ne "$RC" 0
    has "$ERR" "poststart hook[0] (/bin/false)"
    hasnt "$ERR" "does not exist"
    wait_for 10 eval '[ "$(inspect failing {{.State.Running}})" = false ]'
    hasnt "$("$RUNTIME" list -q)" "$(inspect failing {{.Id}})"
    capture pod rm -f failing
    eq "$RC $ERR" "0 "
}

# contrib/hooks.d: a line in the log for containers that ask for a profile, none for others
test_hooks_example() {
    mkdir -p "$W/hooks.d"
    printf '#!/bin/sh\necho "$*" >>%s\n' "$W/hooks.log" >"$W/logger"
    printf '#!/bin/sh\nLOGGER=%s exec %s "$@"\n' "$W/logger" "$SOURCE/contrib/hooks.d/container-log" >"$W/container-log"
    chmod 755 "$W/logger" "$W/container-log"
    sed "s,/usr/local/libexec/container-log,$W/container-log," "$SOURCE/contrib/hooks.d/container-log.json" >"$W/hooks.d/container-log.json"
    # shellcheck disable=SC2046 # words
    $(podman_command) --hooks-dir "$W/hooks.d" run --rm --network none --name plain bb true
    # shellcheck disable=SC2046 # words
    $(podman_command) --hooks-dir "$W/hooks.d" run --name noted --annotation dev.aril.profile=balanced --network none bb true
    wait_for 10 grep -q "^stopped $(inspect noted '{{.Id}}')$" "$W/hooks.log"
    eq "$(wc -l <"$W/hooks.log")" 1
}

# ---- limits ---------------------------------------------------------------------------------------------------------

in_cgroup() { # v1-controller v1-file v2-file
    if [ "$CGROUP_VERSION" = 1 ]; then echo "cat /sys/fs/cgroup/$1/$2"; else echo "cat /sys/fs/cgroup/$3"; fi
}

# --memory
test_memory() {
    eq "$(run --cgroupns private --memory 64m bb sh -c "$(in_cgroup memory memory.limit_in_bytes memory.max)")" 67108864
}

# --pids-limit: the value, and that it stops forks
test_pids_limit() {
    eq "$(run --cgroupns private --pids-limit 99 bb sh -c "$(in_cgroup pids pids.max pids.max)")" 99
    has "$(run --pids-limit 8 bb sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do sleep 1 & done; wait' 2>&1)" fork
}

# --cpus, --cpu-shares
test_cpu() {
    if [ "$CGROUP_VERSION" = 1 ]; then
        eq "$(run --cgroupns private --cpus 0.5 --cpu-shares 512 bb sh -c 'cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.shares')" $'50000\n512'
    else
        eq "$(run --cpus 0.5 bb cat /sys/fs/cgroup/cpu.max)" "50000 100000"
    fi
}

# an OOM kill is seen
test_oom() {
    capture pod run --name eater --network none --memory 16m --memory-swap 16m bb tail /dev/zero
    eq "$RC" 137
    rm -f oom
}

# ---- the life of one container, in order -------------------------------------------------------------------------------

# life: run -d, logs, ps
test_life_1_start() {
    keep
    pod run -d --name life --network none bb sh -c 'trap "echo got-usr1" USR1; trap "echo bye; exit 3" TERM; echo up; while :; do sleep 0.1; done' >/dev/null
    wait_for 10 logs_have life up
    eq "$(inspect life '{{.State.Status}}')" running
    has "$(pod ps --format '{{.Names}} {{.Status}}')" "life Up"
}

# life: exec: output, exit codes, stdin, --env --workdir --user, -d, a missing program
test_life_2_exec() {
    keep
    eq "$(pod exec life echo from-exec)" from-exec
    capture pod exec life sh -c 'exit 9'
    eq "$RC" 9
    eq "$(echo via | pod exec -i life cat)" via
    eq "$(pod exec -e Q=1 -w /data -u 1000:1000 life sh -c 'echo $Q $(pwd) $(id -u)')" "1 /data 1000"
    pod exec -d life touch /tmp/detached
    wait_for 10 pod exec life test -e /tmp/detached
    capture pod exec life /no/such
    eq "$RC" 127
}

# life: exec has the namespaces, cgroups and confinement of the container
test_life_3_exec_same() {
    keep
    eq "$(pod exec life sh -c 'for n in mnt pid uts ipc net cgroup; do [ "$(readlink /proc/self/ns/$n)" = "$(readlink /proc/1/ns/$n)" ] || echo differs: $n; done')" ""
    local keys='grep -E "Cap(Eff|Bnd)|Seccomp:|NoNewPrivs"'
    eq "$(pod exec life sh -c "$keys /proc/self/status")" "$(pod exec life sh -c "$keys /proc/1/status")"
    eq "$(pod exec life sh -c 'sort /proc/self/cgroup')" "$(pod exec life sh -c 'sort /proc/1/cgroup')"
}

# life: top, inspect, stats
test_life_4_top() {
    keep
    has "$(pod top life)" "sleep 0.1"
    has "$(pod top life pid args)" PID
    matches "$(pod stats --no-stream --format '{{.Name}} {{.PIDS}} {{.MemUsage}}' life)" '^life [1-9][0-9]* [0-9.]+[kM]B /'
    matches "$(inspect life '{{.State.Pid}}')" '^[1-9][0-9]+$'
    has "$(inspect life '{{.OCIRuntime}}')" "$NAME"
}

# life: pause, unpause
test_life_5_pause() {
    keep
    pod pause life >/dev/null
    eq "$(inspect life '{{.State.Status}}')" paused
    pod unpause life >/dev/null
    eq "$(inspect life '{{.State.Status}}')" running
}

# life: kill with a signal
test_life_6_kill() {
    keep
    pod kill --signal USR1 life >/dev/null
    wait_for 10 logs_have life got-usr1
}

# life: stop: last words and exit code; start again; rm
test_life_7_stop() {
    pod stop --time 10 life >/dev/null
    eq "$(inspect life '{{.State.Status}} {{.State.ExitCode}}')" "exited 3"
    logs_have life bye
    pod start life >/dev/null
    eq "$(inspect life '{{.State.Status}}')" running
    pod rm --force --time 0 life >/dev/null
    eq "$(pod ps -aq)" ""
}

# stop falls back to KILL
test_stop_kill() {
    pod run -d --name stubborn --network none bb sh -c 'trap : TERM; while :; do sleep 0.1; done' >/dev/null
    pod stop --time 1 stubborn >/dev/null 2>&1
    eq "$(inspect stubborn '{{.State.ExitCode}}')" 137
}

# create, init, start --attach
test_create_start() {
    pod create --name made --network none bb sh -c 'echo c; exit 5' >/dev/null
    pod init made >/dev/null
    eq "$(inspect made '{{.State.Status}}')" initialized
    capture pod start --attach made
    eq "$RC" 5
    eq "$OUT" c
}

# wait, and logs --follow
test_wait_logs() {
    pod run -d --name counter --network none bb sh -c 'for i in 1 2 3; do echo $i; sleep 0.2; done; exit 7' >/dev/null
    eq "$(pod logs --follow counter | tr -d '\n')" 123
    eq "$(pod wait counter)" 7
}

# update
test_update() {
    pod run -d --name up --network none --cgroupns private bb sleep 100 >/dev/null
    pod update --memory 48m up >/dev/null
    eq "$(pod exec up sh -c "$(in_cgroup memory memory.limit_in_bytes memory.max)")" 50331648
}

# six at once
test_six() {
    local i
    for i in 1 2 3 4 5 6; do pod run -d --name "six-$i" --network none bb sleep 100 >/dev/null & done
    wait
    eq "$(pod ps -q | wc -l)" 6
}

# healthcheck: healthy, then not
test_healthcheck() {
    pod run -d --name healthy --network none --health-cmd 'test -e /tmp/ok' --health-interval disable --health-retries 1 bb sh -c 'touch /tmp/ok; sleep 100' >/dev/null
    wait_for 10 pod healthcheck run healthy
    eq "$(inspect healthy '{{.State.Health.Status}}')" healthy
    pod exec healthy rm /tmp/ok
    fails pod healthcheck run healthy
    eq "$(inspect healthy '{{.State.Health.Status}}')" unhealthy
}

# secrets: a file in the container, not in the image
test_secret() {
    printf hidden | pod secret create s - >/dev/null
    eq "$(run --secret s bb cat /run/secrets/s)" hidden
    eq "$(run --secret s,type=env,target=S bb sh -c 'echo $S')" hidden
    pod secret rm s >/dev/null
}

# cp both ways, diff, commit
test_files_of_a_container() {
    pod run -d --name files --network none bb sh -c 'echo made >/data/made; sleep 100' >/dev/null
    wait_for 10 pod exec files test -s /data/made
    pod cp files:/data/made "$W/copied"
    eq "$(cat "$W/copied")" made
    echo given >"$W/given"
    pod cp "$W/given" files:/data/given
    eq "$(pod exec files cat /data/given)" given
    has "$(pod diff files)" "A /data/given"
    pod commit -q files localhost/committed >/dev/null
    eq "$(run localhost/committed cat /data/made /data/given)" $'made\ngiven'
    pod rmi localhost/committed >/dev/null
}

# checkpoint and restore, where CRIU works
test_checkpoint() {
    command -v criu >/dev/null || skip "criu is missing (Debian: apt-get install criu)"
    criu check >"$W/criu" 2>&1 || skip "criu does not work here: $(head -n 1 "$W/criu")"
    todo_for aril "has no checkpoint"
    pod run -d --name frozen --network none bb sh -c 'echo before >/tmp/seen; while :; do sleep 0.1; done' >/dev/null
    wait_for 10 pod exec frozen test -s /tmp/seen
    pod container checkpoint frozen >/dev/null
    eq "$(inspect frozen '{{.State.Status}}')" exited
    pod container restore frozen >/dev/null
    eq "$(pod exec frozen cat /tmp/seen)" before
}

# checkpoint, where the runtime cannot: refused with its words, and the container lives on
test_checkpoint_refused() {
    [ "$KIND" = aril ] || skip "is about the words of aril"
    pod run -d --name frozen --network none bb sleep 100 >/dev/null
    capture pod container checkpoint frozen
    eq "$RC" 125
    has "$ERR" "checkpoint is not supported"
    eq "$(pod exec frozen echo alive)" alive
}

# play kube: a pod from YAML, and down again
test_play_kube() {
    cat >"$W/pod.yaml" <<Y
apiVersion: v1
kind: Pod
metadata:
  name: kube
spec:
  hostNetwork: true
  containers:
    - name: app
      image: localhost/bb:latest
      imagePullPolicy: Never
      command: [sleep, "100"]
      env: [{name: A, value: b}]
Y
    pod play kube "$W/pod.yaml" >/dev/null
    eq "$(pod exec kube-app sh -c 'echo $A')" b
    pod play kube --down "$W/pod.yaml" >/dev/null
    eq "$(pod ps -aq)" ""
}

# ---- terminals ------------------------------------------------------------------------------------------------------------

# run -it: a terminal of the right size, /dev/console
test_terminal_run() {
    local out
    out=$(on_terminal "$(podman_command) run --rm -it --network none bb sh -c 'tty; $SHOW_SIZE; test -c /dev/console && echo console'" </dev/null)
    has "$out" /dev/pts/0
    has "$out" "33 111"
    has "$out" console
}

# run -it: typing, exit code
test_terminal_typing() {
    local out
    out=$({ sleep 2; printf 'echo A$((1+1))B\n'; sleep 0.5; printf 'exit 6\n'; sleep 1; } |
        on_terminal "$(podman_command) run --rm -it --network none bb sh; echo rc=\$?")
    has "$out" A2B
    has "$out" rc=6
}

# exec -it
test_terminal_exec() {
    pod run -d --name term --network none bb sleep 100 >/dev/null
    has "$(on_terminal "$(podman_command) exec -it term sh -c '$SHOW_SIZE'" </dev/null)" "33 111"
}

# ---- services -----------------------------------------------------------------------------------------------------------------

# sdnotify: conmon says that the container runs; with `container` its own message goes through; `ignore` is silent
test_sdnotify() {
    local conmon
    manager_listens
    pod run -d --name told --network none --sdnotify conmon bb sleep 100 >/dev/null
    wait_for 10 told "MAINPID=$(inspect told '{{.State.ConmonPid}}') READY=1"
    : >"$W/notified"
    pod run -d --name quiet --network none --sdnotify ignore bb sh -c 'echo "[$NOTIFY_SOCKET]"; sleep 100' >/dev/null
    wait_for 10 logs_have quiet '[]'
    eq "$(cat "$W/notified")" ""
    pod run -d --name tells --network none --sdnotify container -v /usr:/usr:ro -v /lib:/lib:ro -v /lib64:/lib64:ro \
        bb sh -c 'while [ ! -e /tmp/go ]; do sleep 0.1; done; exec /usr/bin/python3 -c "$0"' "$SAYS_READY" >/dev/null
    conmon=$(inspect tells '{{.State.ConmonPid}}')
    wait_for 10 told "MAINPID=$conmon"
    hasnt "$(cat "$W/notified")" READY
    pod exec tells touch /tmp/go
    wait_for 10 told READY=1
}

# --systemd: systemd as the first process: its services run in cgroups below the container's, and stop ends them in order
test_systemd() {
    [ -x /lib/systemd/systemd ] || skip "systemd is missing (Debian: apt-get install systemd)"
    [ "$CGROUP_VERSION" = 2 ] || [ -d /sys/fs/cgroup/systemd ] || skip "no hierarchy for systemd here"
    make_systemd_rootfs
    pod run -d --name machine --network none --systemd always -v /usr:/usr:ro --rootfs "$W/machine" /lib/systemd/systemd >/dev/null
    wait_for 20 test -s "$W/machine/var/ran" || { pod logs machine; return 1; }
    matches "$(cat "$W/machine/var/ran")" ':/(libpod_parent/libpod-[0-9a-f]*/)?system.slice/job.service'
    wait_for 20 eq_ running pod exec machine systemctl is-system-running
    eq "$(inspect machine '{{.Config.StopSignal}}')" 37 # SIGRTMIN+3
    pod stop --time 30 machine >/dev/null
    eq "$(inspect machine '{{.State.Status}} {{.State.ExitCode}}')" "exited 0"
    eq "$(cat "$W/machine/var/stopped")" yes
}

eq_() { # want command...
    [ "$("${@:2}" 2>/dev/null)" = "$1" ]
}

# a system with this machine's programs and one service
make_systemd_rootfs() {
    local root=$W/machine directory
    mkdir -p "$root"/{dev,etc/systemd/system,proc,root,run,sys,tmp,usr,var}
    for directory in bin lib lib64 sbin; do
        [ -L /$directory ] || skip "/$directory is not below /usr here"
        cp -P /$directory "$root/"
    done
    printf 'root:x:0:0:root:/root:/bin/sh\n' >"$root/etc/passwd"
    printf 'root:x:0:\n' >"$root/etc/group"
    : >"$root/etc/machine-id"
    cat >"$root/etc/systemd/system/job.service" <<U
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'cat /proc/self/cgroup >/var/ran'
ExecStop=/bin/sh -c 'echo yes >/var/stopped'
U
    cat >"$root/etc/systemd/system/default.target" <<U
[Unit]
Wants=job.service
After=job.service
U
}

# ---- pods and user namespaces -------------------------------------------------------------------------------------------------

# pods: shared namespaces, pause, stop, start, rm
test_pod() {
    pod pod create --name p --network none --share ipc,net,uts,pid >/dev/null
    pod run -d --pod p --name pa bb sleep 100 >/dev/null
    pod run -d --pod p --name pb bb sleep 200 >/dev/null
    eq "$(pod exec pa readlink /proc/self/ns/net)" "$(pod exec pb readlink /proc/self/ns/net)"
    has "$(pod exec pb ps)" "sleep 100"
    has "$(pod pod ps --format '{{.Name}} {{.Status}} {{.NumberOfContainers}}')" "p Running 3"
    pod pod pause p >/dev/null
    pod pod unpause p >/dev/null
    pod pod stop --time 1 p >/dev/null
    pod pod start p >/dev/null
    pod pod rm --force --time 0 p >/dev/null
    eq "$(pod ps -aq)" ""
}

# --uidmap, --gidmap
test_userns() {
    local out
    out=$(run --uidmap 0:200000:1000 --gidmap 0:200000:1000 bb sh -c 'tr -s " " </proc/self/uid_map; id -u; touch /tmp/x && echo w')
    eq "$out" $' 0 200000 1000\n0\nw'
}

# -v with idmap: files of the host keep their owners in the container's user namespace
test_volume_idmap() {
    todo_for runc "1.1 ignores the option"
    mkdir -p "$W/mapped"
    echo in >"$W/mapped/file"
    eq "$(run --uidmap 0:200000:1000 --gidmap 0:200000:1000 -v "$W/mapped:/mnt:idmap" bb sh -c 'stat -c %u /mnt/file; touch /mnt/new')" 0
    eq "$(stat -c %u "$W/mapped/new")" 0
}

# --userns auto: ids of their own for each container, and the files of the image are root's there
test_userns_auto() {
    local first second
    podman_accounts
    pod run -d --name auto --network none --userns auto bb sleep 100 >/dev/null
    first=$(pod exec auto sh -c 'tr -s " " </proc/1/uid_map')
    second=$(run --userns auto:size=2000 bb sh -c 'tr -s " " </proc/self/uid_map; stat -c %u /data/file; id -u')
    matches "$first" '^ 0 4[0-9]+ [0-9]+$'
    matches "$second" $'^ 0 4[0-9]+ 2000\n0\n0$'
    ne "$(cut -d' ' -f3 <<<"$first")" "$(head -n 1 <<<"$second" | cut -d' ' -f3)"
}

# --userns of another container, and exec there
test_userns_joined() {
    pod run -d --name mapped --network none --uidmap 0:200000:1000 --gidmap 0:200000:1000 bb sleep 100 >/dev/null
    eq "$(run --userns container:mapped bb readlink /proc/self/ns/user)" "$(pod exec mapped readlink /proc/self/ns/user)"
    eq "$(pod exec mapped sh -c 'id -u; tr -s " " </proc/self/uid_map')" $'0\n 0 200000 1000'
}

no_cgroups() {
    LEFT=$(find /sys/fs/cgroup -type d -name 'libpod-*' 2>/dev/null | grep -F -f "$W/ids") || true
    [ -z "$LEFT" ]
}

# nothing is left: containers, their cgroups (other podmans have theirs below the same parent), processes
test_zz_nothing_left() {
    run bb true
    eq "$(pod ps -aq)" ""
    pod events --stream=false --filter type=container --filter event=create --format '{{.ID}}' >"$W/ids"
    [ -s "$W/ids" ]
    wait_for 5 no_cgroups || { echo "left: $LEFT"; return 1; }
    eq "$(pgrep -x sleep | wc -l)" 0
}

tap_main
