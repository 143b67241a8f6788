#!/bin/bash
# linux.seccomp as the payload sees it: actions, the -ENOSYS answer, notify listeners and their agent, annotations.
. "$(dirname "$0")/lib.sh"

eval "$(declare -f tap_setup | sed '1s/tap_setup/common_setup/')"
tap_setup() {
    common_setup
    compile_helper seccomp_agent
}

# agent continue|ERRNO [hold]: an agent at $B/agent
agent() {
    "$TEST_BIN/seccomp_agent" "$B/agent" "$@" >"$B/agent.out" 2>&1 &
    AGENT=$!
    wait_for 5 [ -S "$B/agent" ]
}

states_are() {
    [ "$(grep -c '^state ' "$B/agent.out")" -ge "$1" ]
}

# agent_ends N: the agent has received and printed N states, and is gone. An exec --detach returns before it prints.
agent_ends() {
    wait_for 5 states_are "$1"
    kill "$AGENT" 2>/dev/null
    wait "$AGENT" 2>/dev/null || true
}

# notify NAME...: the profile allows everything and asks the agent about these
notify() {
    edit '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: $path, listenerMetadata: "some metadata",
        syscalls: [{names: $ARGS.positional, action: "SCMP_ACT_NOTIFY"}]}' --arg path "$B/agent" --args -- "$@"
}

# said JQ-FILTER [N]: a fact from the Nth state that the agent received
said() {
    grep '^state ' "$B/agent.out" | sed -n "${2:-1}p" | sed 's/^state fds=[0-9]* closed=[a-z]* //' | jq -rc "$1"
}

# 216 218: errnoRet of a rule, EPERM without
test_errno() {
    bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO"},
        {names: ["rmdir", "unlinkat"], action: "SCMP_ACT_ERRNO", errnoRet: 123}]}'
    OUT=$(shell 'mkdir /tmp/a; rmdir /tmp' 2>&1) || true
    has "$OUT" "Operation not permitted"
    has "$OUT" "No medium found"
}

# 216: SCMP_ACT_KILL_PROCESS ends the process with SIGSYS
test_kill() {
    bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_KILL_PROCESS"}]}'
    capture shell 'mkdir /tmp/a; echo $?'
    eq "$OUT" 159
}

# 223: a call newer than the profile is ENOSYS, not EPERM
test_enosys() {
    bundle
    local names
    names=$(jq -c . <<<'["execve","brk","arch_prctl","exit","exit_group","write","read","set_tid_address","prlimit64","mprotect","readlink","readlinkat","getrandom","fstat","newfstatat","rseq","set_robust_list","uname","futex","sched_getaffinity","mmap","munmap","open","openat","close","getuid","getgid","geteuid","getegid","stat","ioctl","fcntl","getpid","getppid","rt_sigaction","rt_sigprocmask","getcwd","lseek","poll","writev","prctl","access","exit"]')
    edit '.linux.seccomp = {defaultAction: "SCMP_ACT_ERRNO", syscalls: [{names: $names, action: "SCMP_ACT_ALLOW"}]}' --argjson names "$names"
    command_is /bin/echo hello
    eq "$(rt run -b "$B" "$ID")" hello
}

# 225 226: the agent gets one containerProcessState with one descriptor, then the connection is closed
test_notify_state() {
    bundle '.annotations = {"org.example.key": "value"}'
    notify mkdir mkdirat
    agent 123
    capture shell 'mkdir /tmp/a'
    has "$ERR" "No medium found"
    ne "$RC" 0
    agent_ends 1
    has "$(cat "$B/agent.out")" "state fds=1 closed=yes"
    eq "$(said .ociVersion)" "$(rt features | jq -r .ociVersionMax)"
    eq "$(said .fds)" '["seccompFd"]'
    eq "$(said .metadata)" "some metadata"
    eq "$(said '[.state.id, .state.status, .state.bundle]')" "[\"$ID\",\"creating\",\"$B\"]"
    eq "$(said '.state.annotations["org.example.key"]')" value
    eq "$(said '.pid > 1')" true
    eq "$(said '.pid == .state.pid')" true
    eq "$(grep -c '^call ' "$B/agent.out")" 1
}

# 225: create and start: the agent is told at start, with the host's pid of init; several calls, some by execve
test_notify_start() {
    local pid
    bundle
    notify execve mkdir mkdirat getcwd
    agent continue
    command_is /bin/sh -c 'mkdir /tmp/made; cd /tmp; pwd; sleep 1000'
    rt create -b "$B" "$ID" >"$B/out" 2>&1
    pid=$(pid_of)
    rt start "$ID"
    wait_for 10 log_has /tmp
    agent_ends 1
    eq "$(said .pid)" "$pid"
    [ "$(grep -c '^call ' "$B/agent.out")" -ge 2 ]
}

# 226: exec has a listener of its own, status running and the pid of the new process
test_notify_exec() {
    bundle
    notify mkdir mkdirat
    agent 123
    up
    capture rt exec "$ID" mkdir /tmp/b
    has "$ERR" "No medium found"
    rt exec --detach --pid-file "$B/pid" "$ID" sleep 1000 >"$B/exec.out" 2>&1
    agent_ends 3
    eq "$(grep -c '^state ' "$B/agent.out")" 3
    eq "$(said .state.status 2)" running
    eq "$(said .state.pid 2)" "$(pid_of)"
    eq "$(said '.pid != .state.pid' 2)" true
    eq "$(said .pid 3)" "$(cat "$B/pid")"
}

# 229: the calls that the runtime itself would need after loading the filter are notified, too
test_notify_everything() {
    bundle
    notify close sendmsg sendto recvmsg exit_group fcntl openat dup dup2 dup3 getpid prctl rt_sigprocmask clock_nanosleep nanosleep
    agent continue
    capture shell 'echo hello'
    eq "$OUT" hello
    eq "$RC" 0
    agent_ends 1
    eq "$(grep -c '^state ' "$B/agent.out")" 1
}

# 224 225: with noNewPrivileges and as an ordinary user of a user namespace
test_notify_user_namespace() {
    bundle '.linux.namespaces += [{"type": "user"}] | .process.noNewPrivileges = true | .process.user = {"uid": 1000, "gid": 1000}
        | .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}]
        | .linux.gidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}]'
    notify mkdir mkdirat
    agent 123
    up
    capture rt exec "$ID" mkdir /tmp/b
    has "$ERR" "No medium found"
    agent_ends 2
    eq "$(grep -c '^state ' "$B/agent.out")" 2
}

# 225: nobody at listenerPath: start fails, the program does not run
test_notify_no_agent() {
    bundle
    notify mkdir
    fails shell 'echo ran'
    hasnt "$OUT" ran
    has "$ERR" "linux.seccomp.listenerPath"
    one_line "$ERR"
}

# 227: listenerPath without SCMP_ACT_NOTIFY is ignored
test_notify_unused_path() {
    bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: "/nobody/is/here"}'
    eq "$(shell 'echo hello')" hello
}

# 227 228: listenerMetadata without listenerPath, SCMP_ACT_NOTIFY without listenerPath, as default and for write
test_notify_refused() {
    local rule
    bundle
    for rule in '{defaultAction: "SCMP_ACT_ALLOW", listenerMetadata: "x"}' \
        '{defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir"], action: "SCMP_ACT_NOTIFY"}]}' \
        '{defaultAction: "SCMP_ACT_NOTIFY", listenerPath: "/x"}' \
        '{defaultAction: "SCMP_ACT_ALLOW", listenerPath: "/x", syscalls: [{names: ["write"], action: "SCMP_ACT_NOTIFY"}]}'; do
        edit ".linux.seccomp = $rule"
        fails rt create -b "$B" "$ID"
        has "$ERR" linux.seccomp
    done
}

# 222: an unknown name is ignored; with run.oci.seccomp_fail_unknown_syscall=1 it is an error
test_unknown_syscall() {
    bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["no_such_call"], action: "SCMP_ACT_ERRNO"}]}'
    eq "$(shell 'echo hello')" hello
    edit '.annotations["run.oci.seccomp_fail_unknown_syscall"] = "1"'
    fails shell 'echo hello'
    has "$ERR" 'linux.seccomp.syscalls[0].names[0]'
    has "$ERR" no_such_call
    edit '.annotations["run.oci.seccomp_fail_unknown_syscall"] = "0"'
    eq "$(shell 'echo hello')" hello
}

# 231: run.oci.seccomp_bpf_data: a raw program in base64 instead of linux.seccomp
test_raw_program() {
    # if the call is mkdir: ERRNO 123, else ALLOW; little-endian struct sock_filter
    [ "$(uname -m)" = x86_64 ] || skip "the program is written for x86_64"
    local program
    program=$(printf '\x20\0\0\0\0\0\0\0\x15\0\0\x01\x53\0\0\0\x06\0\0\0\x7b\0\x05\0\x06\0\0\0\0\0\xff\x7f' | base64 -w0)
    bundle '.annotations["run.oci.seccomp_bpf_data"] = $p' --arg p "$program"
    OUT=$(shell "mkdir /tmp/a; echo status" 2>&1) || true
    has "$OUT" "No medium found"
    edit '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW"}'
    up
    OUT=$(rt exec "$ID" mkdir /tmp/b 2>&1) || true
    has "$OUT" "No medium found"
}

# 231: a raw program that is not one is refused with its name
test_raw_program_bad() {
    local data
    bundle
    for data in '' '!!!!' 'AAAA' 'AAAAAAAAAAA' "$(head -c 40000 /dev/zero | base64 -w0)"; do
        edit '.annotations["run.oci.seccomp_bpf_data"] = $p' --arg p "$data"
        fails rt create -b "$B" "$ID"
        has "$ERR" run.oci.seccomp_bpf_data
    done
}

# 269: what crun's annotations would load into it is refused, not ignored
test_refused_annotations() {
    local name
    for name in run.oci.handler run.oci.seccomp.plugins; do
        rm -rf "$B"
        bundle '.annotations[$n] = "x"' --arg n "$name"
        fails rt create -b "$B" "$ID"
        has "$ERR" "annotations.$name"
    done
}

tap_main
