#!/bin/bash
# `exec`: every flag, the process document, terminals, users, states in which it is refused.
. "$(dirname "$0")/lib.sh"

# probe_exec FLAGS...: runs the probe in the container; the report goes to p
probe_exec() {
    REPORT=$(rt exec "$@" "$ID" /bin/probe)
}

# X1: exec ends with the status of the program, or 128+signal
test_exit_codes() {
    bundle
    up
    local code
    for code in 0 1 42 255; do
        capture rt exec "$ID" /bin/probe exit $code
        eq "$RC" $code
    done
    capture rt exec "$ID" /bin/probe kill 9
    eq "$RC" 137
    capture rt exec "$ID" /bin/probe kill 15
    eq "$RC" 143
}

# exec: words after the id belong to the program, options among them too
test_arguments() {
    bundle
    up
    eq "$(rt exec "$ID" /bin/echo -t --user --cwd x)" "-t --user --cwd x"
    eq "$(rt exec "$ID" probe | jq -c .args)" '["probe"]'
}

# exec: joins every namespace and the cgroup of the container
test_namespaces() {
    bundle
    up
    probe_exec
    local pid name
    pid=$(pid_of)
    for name in cgroup ipc mnt net pid uts user time; do
        eq "$(p .namespaces.$name)" "$(readlink "/proc/$pid/ns/$name")"
    done
    eq "$(p '.cgroup | split("\n") | sort')" \
        "$(rt exec "$ID" /bin/cat /proc/1/cgroup | jq -Rsc 'rtrimstr("\n") | split("\n") | sort')"
}

# 84: exec has the confinement of the container: capabilities, no_new_privs, seccomp, root, host name, umask
test_confinement() {
    bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["chroot"], action: "SCMP_ACT_ERRNO"}]}'
    up
    probe_exec
    eq "$(p .capabilities.bounding)" '["CAP_KILL","CAP_NET_BIND_SERVICE","CAP_AUDIT_WRITE"]'
    eq "$(p .capabilities.effective)" '["CAP_KILL","CAP_NET_BIND_SERVICE","CAP_AUDIT_WRITE"]'
    eq "$(p .capabilities.inheritable)" '[]'
    eq "$(p .capabilities.ambient)" '[]'
    eq "$(p .seccomp)" 2
    eq "$(p .hostname)" aril-test
    eq "$(p .root_readonly)" 1
    eq "$(p .umask)" 0022
    [ "$KIND" = crun ] || eq "$(p .rlimits.RLIMIT_NOFILE.soft)" 1024
}

# 84 65: noNewPrivileges of the container holds for exec
test_no_new_privileges_kept() {
    todo_for crun "ignores it"
    bundle
    up
    probe_exec
    eq "$(p .no_new_privileges)" 1
}

# 279: --no-new-privs
test_no_new_privs() {
    bundle '.process.noNewPrivileges = false'
    up
    probe_exec
    eq "$(p .no_new_privileges)" 0
    probe_exec --no-new-privs
    eq "$(p .no_new_privileges)" 1
}

# 279: --cwd, and the container's own when not given
test_cwd() {
    todo_for crun "1.8 starts in /"
    bundle '.process.cwd = "/home"'
    up
    probe_exec --cwd /tmp
    eq "$(p .cwd)" /tmp
    probe_exec
    eq "$(p .cwd)" /home
}

# 279: --env adds to the container's environment
test_env() {
    todo_for crun "1.8 drops the container's environment"
    bundle
    up
    probe_exec --env A=1 --env B= --env=C=x=y
    eq "$(p '[.env[] | select(startswith("HOME=") | not)] | sort')" '["A=1","B=","C=x=y","PATH=/bin","TERM=xterm"]'
}

# 279: --env replaces
test_env_replaces() {
    bundle
    up
    probe_exec -e TERM=dumb
    eq "$(p '[.env[] | select(startswith("TERM="))] | last')" TERM=dumb
}

# 279: --user UID and UID:GID
test_user() {
    bundle
    up
    probe_exec --user 1000:2000
    eq "$(p '[.uid[0], .gid[0]]')" '[1000,2000]'
    probe_exec -u 1000
    eq "$(p '[.uid[0], .gid[0]]')" '[1000,0]'
    eq "$(p '.capabilities | [.effective, .permitted, .ambient]')" '[[],[],[]]'
}

# CVE-2026-30892 rule 8: users that do not parse are refused, never root
test_user_invalid() {
    todo_for runc "takes 4294967296 and -1 as root"
    todo_for crun "takes several of these as root"
    bundle
    up
    local user
    for user in 4294967295 4294967296 -1 1x 1:x x "1:" :1 0x10 " 1" 1:4294967296 99999999999999999999; do
        fails rt exec --user "$user" "$ID" /bin/id -u
        matches "$RC" '^(1|255)$'
    done
}

# 279: --additional-gids
test_additional_gids() {
    not_for crun "has no such flag"
    bundle '.process.user.additionalGids = [33]'
    up
    probe_exec --additional-gids 44
    has "$(p .groups)" 44
    probe_exec -g 55
    has "$(p .groups)" 55
}

# 279: --cap adds capabilities, without making them inheritable (CVE-2022-29162)
test_cap() {
    bundle '.process.capabilities.bounding += ["CAP_SYS_TIME"]'
    up
    probe_exec --cap CAP_SYS_TIME
    has "$(p .capabilities.effective)" CAP_SYS_TIME
    eq "$(p .capabilities.inheritable)" '[]'
}

# G3 P11: --process takes args, env, cwd, user, capabilities, limits and all else from the document
test_process_document() {
    bundle
    up
    jq '.process | .args = ["/bin/probe", "x y"] | .env = ["PATH=/bin", "Q=1"] | .cwd = "/home/user" |
        .user = {uid: 1000, gid: 1001, additionalGids: [7], umask: 7} | .noNewPrivileges = false |
        .capabilities = {bounding: ["CAP_KILL"]} |
        .rlimits = [{type: "RLIMIT_NOFILE", soft: 99, hard: 100}]' "$B/config.json" >"$B/process.json"
    REPORT=$(rt exec --process "$B/process.json" "$ID")
    eq "$(p .args)" '["/bin/probe","x y"]'
    eq "$(p '[.uid[0], .gid[0], .groups]')" '[1000,1001,[7]]'
    eq "$(p .cwd)" /home/user
    has "$(p .env)" Q=1
    eq "$(p .no_new_privileges)" 0
    eq "$(p .capabilities.bounding)" '["CAP_KILL"]'
    eq "$(p .rlimits.RLIMIT_NOFILE.hard)" 100
}

# P11 66: umask and oomScoreAdj of the process document
test_process_document_more() {
    todo_for crun "ignores them"
    todo_for runc "1.1 ignores them"
    bundle
    up
    jq '.process | .args = ["/bin/probe"] | .user.umask = 7 | .oomScoreAdj = 456' "$B/config.json" >"$B/process.json"
    REPORT=$(rt exec --process "$B/process.json" "$ID")
    eq "$(p .umask)" 0007
    eq "$(p .oom_score_adj)" 456
}

# G3: a process document that is broken is refused with one line
test_process_document_broken() {
    todo_for crun "1.8 prints several lines"
    bundle
    up
    local text
    for text in '' '{' '[]' '{"args": "x", "cwd": "/"}' '{"args": [], "cwd": "/"}'; do
        echo "$text" >"$B/process.json"
        if [ "$KIND" = crun ] && [ "$text" = '{"args": [], "cwd": "/"}' ]; then continue; fi
        fails rt exec --process "$B/process.json" "$ID"
        one_line "$ERR"
    done
    fails rt exec --process "$B/no-such-file" "$ID"
    matches "$RC" '^(1|255)$'
}

# G3 G15 S7: --detach with --pid-file: returns at once, the pid is right, the parent is the subreaper
test_detach() {
    bundle
    up
    rt exec --detach --pid-file "$B/exec-pid" "$ID" /bin/sleep 999 >/dev/null 2>&1
    local pid
    pid=$(cat "$B/exec-pid")
    matches "$(cat "$B/exec-pid"; echo .)" '^[0-9]+\.$'
    eq "$(tr '\0' ' ' <"/proc/$pid/cmdline")" "/bin/sleep 999 "
    eq "$(awk '/^PPid/ {print $2}' "/proc/$pid/status")" 1
}

# exec: stdin, stdout and stderr
test_streams() {
    bundle
    up
    echo from-stdin | rt exec "$ID" /bin/sh -c 'cat; echo to-stderr >&2' >"$B/o" 2>"$B/e"
    eq "$(cat "$B/o")" from-stdin
    eq "$(cat "$B/e")" to-stderr
}

# exec: signals are forwarded
test_signals_forwarded() {
    bundle
    up
    "$RUNTIME" --root "$STATE" exec "$ID" /bin/sh -c 'trap "echo got-USR1-end" USR1; trap "exit 6" TERM; echo ready; while :; do sleep 0.02; done' >"$B/out" 2>&1 &
    local rc=0
    wait_for 5 log_has ready
    kill -USR1 $!
    wait_for 5 log_has got-USR1-end
    kill -TERM $!
    wait $! || rc=$?
    eq $rc 6
}

# 49 46: no stray descriptors, --preserve-fds
test_fds() {
    bundle
    up
    exec 7</etc/passwd
    probe_exec
    eq "$(p '[.fds[].fd]')" '[0,1,2]'
    echo three >"$B/three"
    exec 3<"$B/three"
    eq "$(rt exec --preserve-fds 1 "$ID" /bin/sh -c 'cat <&3')" three
}

# 44: the caller's environment does not reach the program
test_environment_is_own() {
    bundle
    up
    SECRET_OF_THE_HOST=1 probe_exec
    hasnt "$(p .env)" SECRET
}

# 279 291: --tty gives a terminal of the container, and runs on a real one
test_tty() {
    bundle
    up
    timeout 20 script -qec "$RUNTIME --root $STATE exec --tty $ID /bin/sh -c 'tty; probe >/dev/shm/report; sleep 0.2'" "$B/typescript" </dev/null >/dev/null
    has "$(cat "$B/typescript")" /dev/pts/
    REPORT=$(rt exec "$ID" /bin/cat /dev/shm/report)
    eq "$(p '.terminal | [.stdin, .controlling]')" '[1,1]'
    ne "$(p .tty_nr)" 0
}

# 289: --tty --console-socket --detach hands the terminal to the socket
test_console_socket() {
    bundle
    up
    "$TEST_BIN/recvtty" "$B/console" </dev/null >"$B/tty-out" &
    wait_for 5 [ -S "$B/console" ]
    rt exec --tty --detach --console-socket "$B/console" --pid-file "$B/p" "$ID" /bin/sh -c 'tty; test -t 0 && echo it-is'
    wait_for 5 grep -q it-is "$B/tty-out"
    matches "$(head -n 1 "$B/tty-out")" 'payload=.+ fds=1 '
    kill $! 2>/dev/null || true
}

# E11 290: --detach --tty without a console socket is refused
test_tty_needs_console_socket() {
    todo_for crun "1.8 takes it"
    bundle
    up
    fails rt exec --tty --detach "$ID" /bin/true
    has "$ERR" "console socket"
}

# X2: own failures of exec end with 255 (runc's callers expect it)
test_failure_status() {
    todo_for crun "ends with 1"
    bundle
    up
    fails rt exec "$ID" /no/such
    eq "$RC" 255
    fails rt exec "$ID"
    eq "$RC" 255
    fails rt exec "$ID-not-there" /bin/true
    eq "$RC" 255
}

# E4 E5: program missing or not executable
test_program_missing() {
    bundle
    up
    fails rt exec "$ID" nosuch
    has "$ERR" "executable file"
    has "$ERR" "not found in \$PATH"
    fails rt exec "$ID" /no/such
    matches "$ERR" "[Nn]o such file or directory"
    fails rt exec "$ID" /etc/passwd
    matches "$ERR" "[Pp]ermission denied|ot permitted"
}

# E1: exec into nothing
test_missing() {
    todo_for crun "1.8 says 'No such file or directory'"
    fails rt exec "$ID" /bin/true
    has "$ERR" "does not exist"
}

# E8: exec into a stopped container
test_stopped() {
    todo_for crun "has other words"
    bundle
    up /bin/true
    stopped
    fails rt exec "$ID" /bin/true
    has "$ERR" "cannot exec in a stopped container"
}

# 84: exec into a created container works, as engines with sandboxes rely on
test_created() {
    bundle
    created
    eq "$(rt exec "$ID" /bin/echo early)" early
}

# E8: exec into a paused container needs --ignore-paused
test_paused() {
    todo_for crun "has other words"
    bundle
    up
    rt pause "$ID"
    fails rt exec "$ID" /bin/true
    rt resume "$ID"
    has "$ERR" "cannot exec in a paused container (use --ignore-paused to override)"
}

# 84 78: the session keyring of the container
test_keyring() {
    todo_for crun "1.8 makes no keyring for exec"
    bundle
    up
    probe_exec
    has "$(p .keyring)" "$ID"
}

# 76 77: execCPUAffinity.initial stays where there is no final, and holds before the move into the container's cpuset
test_initial_cpu_affinity() {
    [ "$(nproc)" -ge 2 ] || skip "one cpu"
    not_for runc "1.1 has no execCPUAffinity"
    not_for crun "1.8 has no execCPUAffinity"
    bundle '.process.execCPUAffinity = {initial: "1"}'
    up
    probe_exec
    eq "$(p .scheduling.cpus)" '[1]'
    rt delete --force "$ID"
    # in the cpuset it would be an error
    edit '.process.execCPUAffinity = {initial: "0"} | .linux.resources.cpu.cpus = "1"'
    up
    probe_exec
    eq "$(p .scheduling.cpus)" '[1]'
}

# 76: execCPUAffinity holds for exec only
test_cpu_affinity() {
    [ "$(nproc)" -ge 2 ] || skip "one cpu"
    not_for runc "1.1 has no execCPUAffinity"
    not_for crun "1.8 has no execCPUAffinity"
    bundle '.process.execCPUAffinity = {initial: "0", final: "1"}'
    up /bin/sh -c 'probe >/dev/shm/init; sleep 1000'
    probe_exec
    eq "$(p .scheduling.cpus)" '[1]'
    REPORT=$(rt exec "$ID" /bin/cat /dev/shm/init)
    eq "$(p '.scheduling.cpus | length')" "$(nproc)"
}

# exec after exec: fifty in a row and ten at once leave only the container
test_many() {
    bundle
    up
    local i
    for i in {1..50}; do rt exec "$ID" /bin/true; done
    for i in {1..10}; do rt exec "$ID" /bin/echo "$i" >>"$B/many" & done
    wait
    eq "$(wc -l <"$B/many")" 10
    eq "$(rt ps -f json "$ID" | jq length)" 1
}

# rule 7: a fake /dev/null in the image does not take over a stream
test_fake_dev_null() {
    bundle '.root.readonly = false'
    up
    capture rt exec "$ID" /bin/sh -c 'rm /dev/null; mkfifo /dev/null; echo ok'
    capture timeout 10 "$RUNTIME" --root "$STATE" exec "$ID" /bin/echo ok2 </dev/null
    eq "$OUT" ok2
}

# 84: exec stays in the container where the runtime was in a chroot (the mount namespace then has another root)
test_runtime_in_chroot() {
    todo_for runc "the program runs at the root of the mount namespace, the host's"
    todo_for crun "the program runs at the root of the mount namespace, the host's"
    bundle
    command_is /bin/sleep 1000
    mkdir "$B/jail"
    mount --rbind / "$B/jail"
    chroot "$B/jail" "$RUNTIME" --root "$STATE" create -b "$B" "$ID" </dev/null >"$B/out" 2>&1
    chroot "$B/jail" "$RUNTIME" --root "$STATE" start "$ID"
    local seen
    seen=$(chroot "$B/jail" "$RUNTIME" --root "$STATE" exec "$ID" /bin/cat /proc/1/comm </dev/null) || true
    chroot "$B/jail" "$RUNTIME" --root "$STATE" delete --force "$ID"
    umount -R -l "$B/jail"
    eq "$seen" sleep
}

# 84: exec in a created container with a user namespace, whose init may not be traced
test_created_user_namespace() {
    bundle '.linux.namespaces += [{"type": "user"}, {"type": "time"}]
        | .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}]
        | .linux.gidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}]'
    [ "$KIND" = aril ] || edit '.linux.namespaces |= map(select(.type != "time"))'
    created
    capture rt exec "$ID" /bin/sh -c 'id -u; cat /proc/self/uid_map'
    eq "$RC" 0
    has "$OUT" 100000
    rt start "$ID"
    eq "$(rt exec "$ID" id -u)" 0
}

tap_main
