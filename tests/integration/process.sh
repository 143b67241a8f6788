#!/bin/bash
# What the program sees of itself: ids, capabilities, limits, environment, directory, host name, scheduling.
. "$(dirname "$0")/lib.sh"

# 57: user.uid and user.gid
test_user() {
    bundle '.process.user = {uid: 1234, gid: 4321}'
    probe
    eq "$(p .uid)" '[1234,1234,1234,1234]'
    eq "$(p .gid)" '[4321,4321,4321,4321]'
    eq "$(p .groups)" '[]'
}

# 59: additionalGids are exactly the supplementary groups
test_groups() {
    bundle '.process.user = {uid: 1000, gid: 1000, additionalGids: [5, 2000, 2147483647]}'
    probe
    eq "$(p '.groups | sort')" '[5,2000,2147483647]'
}

# 59: root without additionalGids has none, whatever the caller had
test_groups_of_caller() {
    bundle
    command_is /bin/probe
    REPORT=$(setpriv --groups 7,8 "$RUNTIME" --root "$STATE" run -b "$B" "$ID")
    eq "$(p .groups)" '[]'
}

# 57: ids beyond 32 bits, negative, as text or in parts are refused
test_user_invalid() {
    todo_for crun "4294967295 and text run as root"
    local value
    for value in 4294967295 4294967296 -1 '"1000"' 1.5 1e400 true; do
        rm -rf "$B"
        bundle
        # jq would change the number's spelling
        sed -i "s/\"uid\": 0/\"uid\": $value/" "$B/config.json"
        sed -i "s,/bin/probe,/bin/true," "$B/config.json"
        fails rt run -b "$B" "$ID"
        eq "$RC" 1
        one_line "$ERR"
    done
}

# 61: the five capability sets
test_capabilities() {
    bundle '.process.capabilities = {
        bounding: ["CAP_CHOWN", "CAP_KILL", "CAP_SETUID"], permitted: ["CAP_CHOWN", "CAP_KILL"],
        effective: ["CAP_CHOWN"], inheritable: ["CAP_KILL", "CAP_CHOWN"], ambient: ["CAP_KILL"]}'
    # ambient capabilities are raised in the effective set by execve, hence both there
    probe
    eq "$(p '.capabilities.bounding | sort')" '["CAP_CHOWN","CAP_KILL","CAP_SETUID"]'
    eq "$(p '.capabilities.ambient')" '["CAP_KILL"]'
    eq "$(p '.capabilities.inheritable | sort')" '["CAP_CHOWN","CAP_KILL"]'
}

# 61: a user without capabilities keeps none
test_capabilities_user() {
    bundle '.process.user = {uid: 1000, gid: 1000}'
    probe
    eq "$(p '.capabilities | [.effective, .permitted, .inheritable, .ambient]')" '[[],[],[],[]]'
    eq "$(p '.capabilities.bounding | length')" 3
}

# 61: ambient capabilities reach an ordinary user
test_capabilities_ambient() {
    bundle '.process.user = {uid: 1000, gid: 1000} | .process.capabilities |= (.inheritable = .bounding | .ambient = .bounding)'
    probe
    eq "$(p '.capabilities.effective | sort')" '["CAP_AUDIT_WRITE","CAP_KILL","CAP_NET_BIND_SERVICE"]'
    eq "$(p '.capabilities.ambient | length')" 3
}

# 61: root with empty sets has none
test_capabilities_none() {
    bundle '.process.capabilities = {}'
    probe
    eq "$(p '.capabilities | [.bounding, .effective, .permitted, .inheritable, .ambient]')" '[[],[],[],[],[]]'
}

# 63: no capabilities object: never the runtime's full set
test_capabilities_absent() {
    bundle 'del(.process.capabilities)'
    probe
    eq "$(p '.capabilities | [.bounding, .effective, .permitted, .inheritable, .ambient]')" '[[],[],[],[],[]]'
}

# 62: an unknown capability is a warning, not an error
test_capability_unknown() {
    bundle '.process.capabilities.bounding += ["CAP_NO_SUCH"]'
    probe 2>"$B/err"
    eq "$(p '.capabilities.bounding | length')" 3
}

# CVE-2022-29162: inheritable is empty unless asked for
test_capabilities_inheritable() {
    bundle
    probe
    eq "$(p .capabilities.inheritable)" '[]'
}

# 65: noNewPrivileges on and off
test_no_new_privileges() {
    bundle
    probe
    eq "$(p .no_new_privileges)" 1
    probe '.process.noNewPrivileges = false'
    eq "$(p .no_new_privileges)" 0
}

# 67 69: every resource limit, exactly
test_rlimits() {
    # what the machine lets us set: hard limits can only be lowered without CAP_SYS_RESOURCE
    bundle '.process.rlimits = [
        {type: "RLIMIT_AS", soft: 9000000000, hard: 10000000000}, {type: "RLIMIT_CORE", soft: 0, hard: 4096},
        {type: "RLIMIT_CPU", soft: 100, hard: 200}, {type: "RLIMIT_DATA", soft: 8000000000, hard: 8000000001},
        {type: "RLIMIT_FSIZE", soft: 1000000000, hard: 1000000001}, {type: "RLIMIT_LOCKS", soft: 10, hard: 11},
        {type: "RLIMIT_MEMLOCK", soft: 4096, hard: 8192}, {type: "RLIMIT_MSGQUEUE", soft: 1000, hard: 2000},
        {type: "RLIMIT_NICE", soft: 0, hard: 0}, {type: "RLIMIT_NOFILE", soft: 100, hard: 200},
        {type: "RLIMIT_NPROC", soft: 500, hard: 600}, {type: "RLIMIT_RSS", soft: 70000000, hard: 80000000},
        {type: "RLIMIT_RTPRIO", soft: 0, hard: 0}, {type: "RLIMIT_RTTIME", soft: 300, hard: 400},
        {type: "RLIMIT_SIGPENDING", soft: 50, hard: 60}, {type: "RLIMIT_STACK", soft: 8000000, hard: 9000000}]'
    probe
    eq "$(p '.rlimits | to_entries | map([.key, .value.soft, .value.hard]) | sort')" \
        "$(jq -c '.process.rlimits | map([.type, .soft, .hard]) | sort' "$B/config.json")"
}

# 70: limits are set before the user changes, who could not set them
test_rlimits_first() {
    command -v strace >/dev/null || skip "needs strace"
    bundle '.process.user = {uid: 1000, gid: 1000}'
    command_is /bin/true
    strace -f -qq -e trace=prlimit64,setrlimit,setuid,setresuid -o "$B/calls" \
        timeout -k 5 60 "$RUNTIME" --root "$STATE" run -b "$B" "$ID"
    grep -n 'RLIMIT_NOFILE, {rlim_cur=1024, rlim_max=1024}' "$B/calls" | tail -n 1 | cut -d: -f1 >"$B/limit"
    grep -nE 'set(res)?uid\(1000' "$B/calls" | head -n 1 | cut -d: -f1 >"$B/user"
    [ -s "$B/limit" ] && [ -s "$B/user" ] && [ "$(cat "$B/limit")" -lt "$(cat "$B/user")" ] || { cat "$B/calls"; return 1; }
}

# 69: a limit of 2^64-1 is no limit
test_rlimit_infinite() {
    bundle
    sed -i 's/"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024/"type":"RLIMIT_CPU","hard":18446744073709551615,"soft":18446744073709551615/' "$B/config.json"
    grep -q 18446744073709551615 "$B/config.json"
    sed -i 's,"/bin/probe","/bin/sh"\,"-c"\,"ulimit -t",' "$B/config.json"
    eq "$(rt run -b "$B" "$ID")" unlimited
}

# 68: the same limit twice is an error
test_rlimit_twice() {
    todo_for runc "takes it"
    todo_for crun "takes it"
    bundle '.process.rlimits += .process.rlimits'
    fails rt run -b "$B" "$ID"
    has "$ERR" rlimits
}

# 67: an unknown limit is an error
test_rlimit_unknown() {
    bundle '.process.rlimits[0].type = "RLIMIT_NONE"'
    fails rt run -b "$B" "$ID"
    matches "$ERR" "RLIMIT_NONE|rlimit"
}

# 58: umask, given and default
test_umask() {
    bundle
    probe '.process.user.umask = 63'
    eq "$(p .umask)" 0077
    probe 'del(.process.user.umask)'
    eq "$(p .umask)" 0022
}

# 55: the environment is exactly the config's
test_environment() {
    bundle '.process.env = ["PATH=/bin", "HOME=/x", "EMPTY=", "EQUALS=a=b", "UTF=ä\"\\", "LINES=a\nb"]'
    probe
    eq "$(p '.env | sort')" "$(jq -c '.process.env | sort' "$B/config.json")"
}

# 55: HOME comes from the container's passwd when it is not set
test_home() {
    bundle
    probe
    eq "$(p '.env | map(select(startswith("HOME=")))')" '["HOME=/root"]'
    probe '.process.user = {uid: 1000, gid: 1000}'
    eq "$(p '.env | map(select(startswith("HOME=")))')" '["HOME=/home/user"]'
    probe '.process.user = {uid: 77, gid: 77}'
    [ "$KIND" = crun ] || eq "$(p '.env | map(select(startswith("HOME=")))')" '["HOME=/"]'
}

# rule 11: a passwd that is a FIFO, a device, a directory or huge does not hang or hurt
test_home_hostile_passwd() {
    not_for runc "hangs on a FIFO"
    not_for crun "hangs on a FIFO"
    bundle
    rm "$B/rootfs/etc/passwd"
    mkfifo "$B/rootfs/etc/passwd"
    probe
    eq "$(p .uid[0])" 0
    rm "$B/rootfs/etc/passwd"
    mkdir "$B/rootfs/etc/passwd"
    probe
    rmdir "$B/rootfs/etc/passwd"
    truncate -s 4G "$B/rootfs/etc/passwd"
    probe
    rm "$B/rootfs/etc/passwd"
    ln -s /dev/zero "$B/rootfs/etc/passwd"
    probe
    eq "$(p .uid[0])" 0
}

# 54: cwd, made when it is missing
test_cwd() {
    bundle '.process.cwd = "/home/user"'
    probe
    eq "$(p .cwd)" /home/user
    probe '.process.cwd = "/dev/shm/new/deep"'
    eq "$(p .cwd)" /dev/shm/new/deep
}

# 54: cwd must be absolute and a directory
test_cwd_invalid() {
    todo_for crun "1.8 takes a relative cwd"
    bundle '.process.cwd = "tmp"'
    fails rt run -b "$B" "$ID"
    matches "$ERR" "[Cc]wd"
    edit '.process.cwd = "/etc/passwd"'
    fails rt run -b "$B" "$ID"
    matches "$ERR" "[Nn]ot a directory|cwd|chdir|file exists"
}

# 54: cwd is entered before the user changes, as other runtimes do: an image's 0700 directory works for its user
test_cwd_of_other_user() {
    bundle '.process.user = {uid: 1000, gid: 1000} | .process.cwd = "/root" | .process.capabilities = {}'
    chmod 700 "$B/rootfs/root"
    command_is /bin/echo entered
    eq "$(rt run -b "$B" "$ID")" entered
}

# CVE-2024-21626: a cwd through a leaked descriptor is refused
test_cwd_of_descriptor() {
    bundle
    local number
    exec 7</
    for number in 3 5 7 8 9; do
        command_is /bin/sh -c 'ls; pwd'
        edit '.process.cwd = $d' --arg d "/proc/self/fd/$number"
        capture rt run -b "$B" "$ID"
        [ "$RC" != 0 ] || hasnt "$OUT" "sys/kernel"
        hasnt "$OUT" "$(hostname)-host-root"
    done
}

# 56: args[0] is found in the PATH of the container's environment
test_path() {
    bundle '.process.env = ["PATH=/nowhere:/home:/bin"] | .process.args = ["probe", "a b", "", "ü"]'
    REPORT=$(rt run -b "$B" "$ID")
    eq "$(p .args)" '["probe","a b","","ü"]'
}

# 56: args must not be empty
test_args_empty() {
    bundle '.process.args = []'
    fails rt run -b "$B" "$ID"
    [ "$KIND" = crun ] || has "$ERR" args
}

# 56: a script with an interpreter, and one whose interpreter is missing
test_script() {
    bundle '.root.readonly = false'
    make_file s1 $'#!/bin/sh\necho script "$@"\n'
    make_file s2 $'#!/no/such/interpreter\n'
    chmod 755 "$B/rootfs/s1" "$B/rootfs/s2"
    command_is /s1 x
    eq "$(rt run -b "$B" "$ID")" "script x"
    command_is /s2
    fails rt run -b "$B" "$ID"
    matches "$ERR" "[Nn]o such file"
}

# 66: oomScoreAdj is set when given, untouched when not
test_oom_score() {
    bundle '.process.oomScoreAdj = 321'
    probe
    eq "$(p .oom_score_adj)" 321
    probe 'del(.process.oomScoreAdj)'
    eq "$(p .oom_score_adj)" "$(cat /proc/self/oom_score_adj)"
}

# 80 81: hostname and domainname
test_hostname() {
    bundle '.hostname = "other-name"'
    probe
    eq "$(p .hostname)" other-name
    not_for runc "1.1 has no domainname"
    not_for crun "1.8 has no domainname"
    probe '.domainname = "example.org"'
    eq "$(p .domainname)" example.org
}

# 80: a hostname without an own uts namespace is an error and the host keeps its name
test_hostname_of_host() {
    local before
    before=$(hostname)
    bundle '.linux.namespaces |= map(select(.type != "uts"))'
    fails rt run -b "$B" "$ID"
    has "$ERR" hostname
    eq "$(hostname)" "$before"
}

# 142: sysctl in the container's namespaces
test_sysctl() {
    bundle '.linux.sysctl = {"net.ipv4.ip_forward": "1", "kernel.msgmax": "4096", "fs.mqueue.queues_max": "17"}'
    eq "$(shell 'cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax /proc/sys/fs/mqueue/queues_max')" $'1\n4096\n17'
}

# 142 143: sysctls that would change the host are refused
test_sysctl_of_host() {
    local before filter
    before=$(cat /proc/sys/kernel/panic /proc/sys/net/ipv4/ip_forward)
    for filter in '.linux.sysctl = {"kernel.panic": "7"}' '.linux.sysctl = {"vm.swappiness": "7"}' \
        '.linux.sysctl = {"net.ipv4.ip_forward": "1"} | .linux.namespaces |= map(select(.type != "network"))' \
        '.linux.sysctl = {"kernel.msgmax": "9"} | .linux.namespaces |= map(select(.type != "ipc"))' \
        '.linux.sysctl = {"kernel.hostname": "x"}' '.linux.sysctl = {"net.ipv4.../../../kernel/panic": "7"}'; do
        rm -rf "$B"
        bundle "$filter"
        command_is /bin/true
        if [ "$KIND" = crun ] && [[ "$filter" == *hostname* ]]; then continue; fi
        fails rt run -b "$B" "$ID"
        eq "$RC" 1
    done
    eq "$(cat /proc/sys/kernel/panic /proc/sys/net/ipv4/ip_forward)" "$before"
}

# 82: personality
test_personality() {
    not_for runc "1.1 fails without its seccomp build"
    bundle '.linux.personality = {domain: "LINUX32"}'
    probe
    matches "$(p .personality)" '0x.*8$'
    matches "$(p .machine)" '^i[3-6]86$'
    edit '.linux.personality.domain = "LINUX"'
    command -v setarch >/dev/null || skip "needs setarch"
    REPORT=$(setarch i686 "$RUNTIME" --root "$STATE" run -b "$B" "$ID")
    eq "$(p .machine)" "$(uname -m)"
}

# 73 74 75: scheduler and ioPriority
test_scheduling() {
    not_for runc "1.1 has no scheduler"
    not_for crun "1.8 has no ioPriority"
    bundle '.process.scheduler = {policy: "SCHED_BATCH", nice: 5} | .process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 6}'
    probe
    eq "$(p '.scheduling | [.policy, .nice, .io_class, .io_priority]')" '[3,5,2,6]'
}

# 78: an own session keyring, and none with --no-new-keyring
test_keyring() {
    bundle
    command_is /bin/probe
    local outside
    outside=$("$TEST_BIN/probe" | jq .keyring_id)
    REPORT=$(rt run -b "$B" "$ID")
    has "$(p .keyring)" "$ID"
    ne "$(p .keyring_id)" "$outside"
    REPORT=$(rt run --no-new-keyring -b "$B" "$ID")
    eq "$(p .keyring_id)" "$outside"
}

# 216 218: seccomp: errno, errnoRet, kill, argument comparison; the mode is 2
test_seccomp() {
    bundle '.process.capabilities.bounding += ["CAP_SYS_ADMIN"] | .process.capabilities.permitted += ["CAP_SYS_ADMIN"]
        | .process.capabilities.effective += ["CAP_SYS_ADMIN"] | .linux.seccomp = {
        defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
        syscalls: [
            {names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 122},
            {names: ["chmod", "fchmod", "fchmodat", "no_such_syscall"], action: "SCMP_ACT_ERRNO"},
            {names: ["sethostname"], action: "SCMP_ACT_KILL_PROCESS"}]}'
    [ "$(uname -m)" = x86_64 ] || edit 'del(.linux.seccomp.architectures)'
    capture shell 'mkdir /tmp/x; chmod 700 /dev/shm; hostname zz; echo status $?; grep Seccomp: /proc/self/status'
    has "$ERR" "uota exceeded"
    has "$ERR" "not permitted"
    has "$OUT" "status 159"
    matches "$OUT" 'Seccomp:.*2'
}

# 224: seccomp with a strict allow-list still starts the program, with and without noNewPrivileges
test_seccomp_allow_list() {
    bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 38, syscalls: [{action: "SCMP_ACT_ALLOW", names:
        ["execve", "write", "exit_group", "arch_prctl", "brk", "set_tid_address", "set_robust_list", "rseq", "prlimit64",
         "readlink", "getrandom", "mprotect", "uname", "ioctl", "getuid", "prctl", "rt_sigaction", "setuid", "setgid",
         "readlinkat", "newfstatat", "fstat", "futex", "close", "close_range", "mmap", "munmap", "openat", "read"]}]}'
    todo_for runc "needs more system calls itself"
    todo_for crun "1.8 needs more system calls itself"
    command_is /bin/echo strict
    eq "$(rt run -b "$B" "$ID")" strict
    edit '.process.noNewPrivileges = false'
    eq "$(rt run -b "$B" "$ID")" strict
}

# 216 217 221: bad seccomp blocks are errors
test_seccomp_invalid() {
    local filter
    for filter in '.linux.seccomp = {defaultAction: "SCMP_ACT_NONE"}' \
        '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", flags: ["SECCOMP_FILTER_FLAG_NONE"]}' \
        '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_NONE"]}'; do
        rm -rf "$B"
        bundle "$filter"
        fails rt run -b "$B" "$ID"
        one_line "$ERR"
    done
}

# rule 5 49: the program may be traced by others of its user only after exec, and sees no runtime names in its environment
test_clean_proc() {
    bundle
    probe
    eq "$(p .dumpable)" 1
    eq "$(p .parent_death_signal)" 0
    eq "$(p .exe)" /bin/probe
    hasnt "$(p .env)" _OCI
    hasnt "$(p .env)" _LIBCONTAINER
}

# 77: the program has all CPUs of its cpuset, whatever the caller was limited to; without a cgroup the limit stays
test_affinity_reset() {
    todo_for runc "1.1 keeps the caller's"
    todo_for crun "1.8 keeps the caller's"
    local before after
    [ "$(nproc)" -gt 1 ] || skip "one cpu"
    bundle
    command_is /bin/grep Cpus_allowed_list /proc/self/status
    before=$(rt run -b "$B" "$ID")
    ne "$before" ""
    after=$(taskset -c "$(taskset -pc $$ | grep -o '[0-9]*$')" "$RUNTIME" --root "$STATE" run -b "$B" "$ID")
    eq "$after" "$before"
    [ "$KIND" = aril ] || return 0
    edit 'del(.linux.resources)'
    after=$(taskset -c "$(taskset -pc $$ | grep -o '[0-9]*$')" "$RUNTIME" --cgroup-manager disabled --root "$STATE" run -b "$B" "$ID")
    ne "$after" "$before"
}

# 73 75: what the kernel refuses is named, with what it takes
test_scheduler_refused() {
    todo_for runc "1.1 has no scheduler"
    not_for crun "1.8 explains less"
    bundle '.process.scheduler = {policy: "SCHED_ISO"}'
    fails rt run -b "$B" "$ID"
    has "$ERR" "process.scheduler: sched_setattr SCHED_ISO"
    has "$ERR" "this kernel"
}

tap_main
