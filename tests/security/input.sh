#!/bin/bash
# input.sh - attacks through what a caller hands over: ids, numbers, names, capabilities, paths, state.
. "$(dirname "$0")/lib.sh"

# refused JQ-FILTER...: a config that must not run
refused() {
    bundle "$@"
    fails rt run -b "$B" "$ID"
    rm -rf "$B"
}

# runc CVE-2016-3697, containerd CVE-2024-40635 CVE-2026-46680: a uid that is none never becomes root
test_uid_forms() {
    local uid
    todo_for crun "runs them as root"
    todo_for runc "takes them for -1 or root"
    for uid in 4294967295 4294967296 -1 1e400 '"1000"' 1.5 true '"root"' '[]'; do
        bundle '.process.user.uid = 4242'
        sed -i "s/4242/$uid/" "$B/config.json"
        command_is_raw /bin/sh -c 'id -u'
        fails rt run -b "$B" "$ID"
        eq "$OUT" ""
    done
}

# jq would round the numbers
command_is_raw() {
    sed -i 's#"/bin/probe"#"/bin/sh", "-c", "id -u"#' "$B/config.json"
}

# crun CVE-2026-30892, containerd CVE-2024-40635: exec --user in every form
test_exec_user_forms() {
    local user
    todo_for crun "takes them for 0"
    todo_for runc "takes them for 0"
    bundle
    up
    for user in -1 4294967295 4294967296 18446744073709551616 0x0 1: :1 1:2:3 root user 1e0 ' 1' '1 ' '' 1:-1 1:4294967296 +1; do
        fails rt exec --user "$user" "$ID" /bin/sh -c 'id -u'
        eq "$OUT" ""
    done
    eq "$(rt exec --user 1 "$ID" /bin/sh -c 'id -u')" 1
    eq "$(rt exec --user 7:8 "$ID" /bin/sh -c 'id -u; id -g')" "7
8"
}

# CVE-2022-2989 CVE-2022-36109: the groups are exactly those of the config
test_groups() {
    bundle '.process.user = {uid: 1000, gid: 1000, additionalGids: [7, 9]}'
    eq "$(shell 'grep ^Groups: /proc/self/status | tr -s "\t " " "')" "Groups: 7 9 "
    edit '.process.user = {uid: 1000, gid: 1000}'
    eq "$(shell 'grep ^Groups: /proc/self/status | tr -d "\t "')" "Groups:"
}

# CVE-2022-29162 CVE-2022-27650 CVE-2025-27612: no inheritable or ambient capability that nobody asked for
test_inheritable() {
    bundle
    command_is /bin/attack capabilities
    eq "$(rt run -b "$B" "$ID" | tr -d '\t')" "CapInh:0000000000000000
CapAmb:0000000000000000"
    up
    capture rt exec --cap CAP_NET_RAW "$ID" /bin/attack capabilities
    eq "$(tr -d '\t' <<<"$OUT")" "CapInh:0000000000000000
CapAmb:0000000000000000"
}

# runc: a config without capabilities gives none
test_no_capabilities() {
    todo_for runc "gives all of them"
    bundle 'del(.process.capabilities)'
    eq "$(shell 'grep CapEff /proc/self/status | tr -d "\t"')" CapEff:0000000000000000
}

# crun: exec takes over noNewPrivileges
test_exec_no_new_privileges() {
    todo_for crun "ignores it"
    bundle '.process.noNewPrivileges = true'
    up
    eq "$(rt exec "$ID" /bin/grep NoNewPrivs /proc/self/status | tr -d '\t')" NoNewPrivs:1
}

# crun 1.28, CVE-2021-41103: ids that are paths
test_ids() {
    local id
    todo_for crun "accepts some of them"
    bundle
    command_is /bin/true
    mkdir -p /canary/directory/keep
    for id in / . .. ../x a/b /canary /canary/directory ../../canary/directory '' $'a\nb' 'a b' "$(printf 'x%.0s' {1..300})"; do
        timeout 10 "$RUNTIME" --root "$STATE" run -b "$B" -- "$id" >/dev/null 2>&1 && echo "ran as [$id]" && return 1
        timeout 10 "$RUNTIME" --root "$STATE" delete -f -- "$id" >/dev/null 2>&1 || true
        [ -d /canary/directory/keep ]
        [ -d /etc ]
    done
    rmdir /canary/directory/keep
    canary_lives
}

# crun: cgroupsPath with ".." stays inside
test_cgroups_path() {
    known crun
    bundle '.linux.cgroupsPath = "/a-jail/../../../escaped"'
    shell true || true
    eq "$(find /sys/fs/cgroup -maxdepth 2 -name 'escaped*')" ""
    find /sys/fs/cgroup -maxdepth 2 -name a-jail -exec rmdir {} + 2>/dev/null || true
}

# crun: a relative cwd
test_relative_cwd() {
    todo_for crun "accepts it"
    refused '.process.cwd = "tmp"'
}

# crun: NUL in an argument does not cut it
test_nul() {
    todo_for crun "cuts it"
    refused '.process.args = ["/bin/sh", "-c", "echo cut\u0000; exit 1"]'
    refused '.process.env = ["A=b\u0000c"]'
    refused '.mounts += [{destination: "/da\u0000ta", type: "tmpfs", source: "tmpfs"}]'
}

# any ociVersion
test_oci_version() {
    todo_for crun "accepts any"
    todo_for runc "accepts any"
    refused '.ociVersion = "9.0.0"'
    refused '.ociVersion = "nonsense"'
}

# crun: kill ID 9x
test_kill_signal() {
    local signal
    todo_for crun "kills with 9x"
    todo_for runc "takes an empty name and numbers that are no signal"
    bundle
    up
    for signal in 9x 0x9 -9 65 1000 '' SIGNOTHING '9 '; do
        fails rt kill "$ID" "$signal"
    done
    is_status running
}

# cri-o CVE-2022-0811: sysctls that lead elsewhere or are the host's
test_sysctl() {
    local name
    todo_for crun "lets some through"
    for name in kernel.core_pattern kernel/core_pattern 'net.ipv4.ip_forward/../../../kernel/core_pattern' \
        net/../kernel/core_pattern kernel.shm_rmid_forced/../core_pattern vm.swappiness ../sysrq-trigger fs.mqueue/../../kernel/core_pattern; do
        refused '.linux.sysctl = {($n): "0"}' --arg n "$name"
    done
    bundle '.linux.sysctl = {"net.ipv4.ip_forward": "1\nkernel.core_pattern=x"}'
    before=$(cat /proc/sys/kernel/core_pattern)
    shell true || true
    eq "$(cat /proc/sys/kernel/core_pattern)" "$before"
}

# all of them: a rule that denies mknod is not taken back by the runtime's own defaults
test_mknod_denied() {
    todo_for crun "allows mknod of everything"
    todo_for runc "allows mknod of everything"
    bundle '.root.readonly = false | .linux.resources.devices += [{allow: false, access: "m"}]'
    with_caps CAP_MKNOD
    command_is /bin/attack mknod /node 8 0
    eq "$(rt run -b "$B" "$ID")" "mknod: Operation not permitted"
}

# deny-all by --profile strict: no device node can be made, whatever the rules and capabilities
test_mknod_strict() {
    [ "$KIND" = aril ] || skip "$KIND has no profiles"
    bundle '.root.readonly = false | .linux.resources.devices = [{allow: true, access: "rwm"}]'
    with_caps CAP_MKNOD
    command_is /bin/attack mknod /node 8 0
    matches "$(rt --profile strict run -b "$B" "$ID")" "^mknod: (Permission denied|Operation not permitted)$"
}

# deny-all: a node that was made cannot be opened
test_device_denied() {
    bundle '.root.readonly = false'
    with_caps CAP_MKNOD
    command_is /bin/attack mknod /node 1 1
    hasnt "$(rt run -b "$B" "$ID")" opened
}

# CVE-2025-23266 (NVIDIA): a hook has nothing of the image's or the payload's environment
test_hook_environment() {
    local point
    bundle '.process.env += ["LD_PRELOAD=/evil.so", "BASH_ENV=/evil"]'
    printf '#!/bin/sh\nenv >>%s.hook-env\n' "$B" >"$B/hook"
    chmod 755 "$B/hook"
    for point in prestart createRuntime createContainer poststart poststop; do
        edit '.hooks[$p] = [{path: $h, env: ["ONLY=this"]}]' --arg p "$point" --arg h "$B/hook"
    done
    ARIL_TEST_SECRET=abc shell true
    [ -s "$B.hook-env" ]
    hasnt "$(cat "$B.hook-env")" evil
    hasnt "$(cat "$B.hook-env")" ARIL_TEST_SECRET
    eq "$(sed 's/=.*//' "$B.hook-env" | sort -u | grep -v '^PWD$\|^_$\|^SHLVL$\|^OLDPWD$')" ONLY
}

# CVE-2017-5226 CVE-2019-10063: a payload with a terminal is in a session of its own
test_session() {
    bundle
    command_is /bin/attack tiocsti
    OUT=$(script -qec "$RUNTIME --root $STATE run -b $B $ID" /dev/null </dev/null)
    eq "$(tr -d '\r\n' <<<"$OUT")" safe
}

# CVE-2021-41103 CVE-2024-25621: the state directory is nobody else's, whatever the umask
test_state_private() {
    todo_for runc "exec.fifo is writable by others"
    bundle
    rm -rf "$STATE"
    command_is /bin/sleep 1000
    (umask 0; rt create -b "$B" "$ID" >/dev/null 2>&1 </dev/null)
    eq "$(stat -c %a "$STATE" | grep -c '[1-7][0-7]$\|[1-7]$' || true)" 0
    eq "$(find "$STATE" -mindepth 1 -perm /022 ! -type l | head)" ""
}

# CVE-2020-15257: no abstract socket
test_abstract_socket() {
    bundle
    before=$(grep -c '@' /proc/net/unix || true)
    up
    eq "$(grep -c '@' /proc/net/unix || true)" "$before"
}

# CVE-2022-0492 CVE-2023-25809: cgroups are read-only, release_agent cannot be written
test_cgroup_writable() {
    bundle
    OUT=$(shell 'for f in $(find /sys/fs/cgroup -name release_agent -o -name cgroup.procs -o -name devices.allow 2>/dev/null); do (echo x >$f) 2>/dev/null && echo "wrote $f"; done; true')
    eq "$OUT" ""
}

# rule 9: a truncated state file
test_truncated_state() {
    todo_for crun "cannot delete it any more"
    todo_for runc "cannot delete it any more"
    bundle
    up
    pid=$(pid_of)
    find "$STATE/$ID" -type f -exec truncate -s 20 {} +
    rt delete --force "$ID"
    [ ! -e "$STATE/$ID" ]
    wait_for 5 eval "! kill -0 $pid"
}

# rule 9: kill -9 in the middle of create leaves nothing that delete --force does not find
test_killed_create() {
    local delay
    todo_for crun "leaves cgroups"
    todo_for runc "leaves cgroups"
    bundle
    command_is /bin/sleep 1000
    for delay in 0.001 0.003 0.005 0.007 0.009 0.011 0.013 0.015 0.018 0.02 0.025 0.03; do
        timeout -s KILL $delay "$RUNTIME" --root "$STATE" create -b "$B" "$ID" >/dev/null 2>&1 </dev/null || true
        rt delete --force "$ID" >/dev/null 2>&1 || true
        [ ! -e "$STATE/$ID" ]
        eq "$(find /sys/fs/cgroup -name "$ID" | head -n 3)" ""
    done
}

# a_full_socket PATH: one that listens, and lets everybody wait who connects
a_full_socket() {
    python3 - "$1" <<'END' &
import os, signal, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1] + ".new")
os.chmod(sys.argv[1] + ".new", 0o666)
listener.listen(0)
first = socket.socket(socket.AF_UNIX)
first.connect(sys.argv[1] + ".new")
os.rename(sys.argv[1] + ".new", sys.argv[1])
signal.pause()
END
    wait_for 10 test -S "$1"
}

is_waiting() { # pid
    grep -q unix_ "/proc/$1/wchan"
}

# rule 9: kill -9 when init is ready and not on record: delete --force finds it even without a cgroup
test_killed_before_record() {
    local server pid
    not_for crun "it has no --pidfd-socket"
    not_for runc "its --pidfd-socket is another version's"
    command -v python3 >/dev/null || skip "python3 is missing"
    bundle
    command_is /bin/sleep 1000
    a_full_socket "$B/socket"
    server=$!
    "$RUNTIME" --root "$STATE" create --pidfd-socket "$B/socket" -b "$B" "$ID" >"$B/out" 2>&1 </dev/null &
    pid=$!
    wait_for 10 is_waiting $pid
    kill -KILL $pid $server
    wait $pid $server || true
    look_at_new_processes
    ne "$NEW_PROCESSES" "" # init, behind its gate
    rt delete --force "$ID"
    wait_for 5 no_leftovers
}

# rule 10: of racing creates one wins
test_racing_creates() {
    local i wins
    todo_for runc "lets two win"
    bundle
    command_is /bin/sleep 1000
    for i in $(seq 20); do
        (rt create -b "$B" "$ID" >/dev/null 2>&1 </dev/null && echo won >>"$B.won" || true) &
    done
    wait
    wins=$(wc -l <"$B.won")
    eq "$wins" 1
}

# containerd CVE-2026-53488: annotations grant nothing
test_annotations() {
    bundle '.annotations = {"run.oci.hooks.stdout": "/canary/directory/x", "run.oci.hooks.stderr": "/canary/directory/y",
        "run.oci.pidfd_receiver": "/canary/directory/z", "module.wasm.image/variant": "compat", "run.oci.handler": "krun",
        "io.kubernetes.cri.untrusted-workload": "true"}'
    shell true || true
    canary_lives
}

# moby 2022-23471, rule 8: endless input ends with an error
test_deep_config() {
    bundle
    { printf '{"ociVersion":"1.0.2","x":'; head -c 3000000 /dev/zero | tr '\0' '['; } >"$B/config.json"
    fails rt run -b "$B" "$ID"
    truncate -s 10G "$B/config.json"
    (ulimit -v 1500000; fails rt run -b "$B" "$ID")
    rm "$B/config.json"
    mkfifo "$B/config.json"
    todo_for runc "waits for ever"
    todo_for crun "waits for ever"
    RC=0
    timeout -k 1 5 "$RUNTIME" --root "$STATE" run -b "$B" "$ID" || RC=$?
    [ "$RC" != 124 ] && [ "$RC" != 0 ]
}

tap_main
