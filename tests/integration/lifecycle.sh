#!/bin/bash
# Create, start, state, kill, delete, list: the operations, their errors (E), exit codes (X) and outputs (O).
. "$(dirname "$0")/lib.sh"

# 14 X4 E1: state of a container that does not exist
test_state_missing() {
    todo_for crun "1.8 says 'No such file or directory'"
    fails rt state "$ID"
    eq "$RC" 1
    has "$ERR" "does not exist"
    one_line "$ERR"
    eq "$OUT" ""
}

# 15 16 17 18 19 27 33 G17: created, running, stopped, deleted; the state's fields
test_life() {
    bundle '.annotations = {"org.example.a": "b"}'
    created
    local state pid
    state=$(rt state "$ID")
    eq "$(jq -r '.id, .status, .bundle' <<<"$state")" "$ID"$'\ncreated\n'"$B"
    matches "$(jq -r .ociVersion <<<"$state")" '^1\.[0-9]+\.[0-9]+'
    eq "$(jq -r '.annotations["org.example.a"]' <<<"$state")" b
    matches "$(jq -r .created <<<"$state")" '^20[0-9-]+T[0-9:.]+(Z|[+-][0-9:]+)$'
    pid=$(jq .pid <<<"$state")
    [ -d "/proc/$pid" ]
    rt start "$ID"
    eq "$(status)" running
    eq "$(pid_of)" "$pid"
    rt kill "$ID" KILL
    stopped
    eq "$(pid_of)" 0
    rt delete "$ID"
    fails rt state "$ID"
}

# 22: the program is not run before start, and its environment is ready when it is
test_args_wait_for_start() {
    bundle
    command_is /bin/sh -c 'echo program ran'
    rt create -b "$B" "$ID" >"$B/out"
    sleep 0.2
    eq "$(cat "$B/out")" ""
    rt start "$ID"
    wait_for 5 log_has "program ran"
    stopped
}

# 12: changes of config.json after create do not reach the container
test_config_is_copied() {
    bundle
    command_is /bin/sh -c 'echo first'
    rt create -b "$B" "$ID" >"$B/out"
    command_is /bin/sh -c 'echo second'
    rm "$B/config.json"
    rt start "$ID"
    wait_for 5 log_has first
    stopped
    rt delete "$ID"
}

# G15 M6: the pid file holds the pid in digits only, and is there when create returns
test_pid_file() {
    bundle
    command_is /bin/sleep 1000
    rt create -b "$B" --pid-file "$B/pid" "$ID" >"$B/out" 2>&1
    matches "$(cat "$B/pid"; echo .)" '^[0-9]+\.$'
    eq "$(cat "$B/pid")" "$(pid_of)"
}

# O1: state is indented JSON on stdout and nothing else
test_state_format() {
    bundle
    created
    rt state "$ID" >"$B/state" 2>"$B/err"
    eq "$(cat "$B/err")" ""
    eq "$(head -c 20 "$B/state" | head -n 1)" "{"
    jq -e 'has("ociVersion") and has("id") and has("pid") and has("status") and has("bundle")' "$B/state" >/dev/null
    matches "$(sed -n 2p "$B/state")" '^ +"'
    [ "$KIND" = crun ] || eq "$(jq -r .rootfs "$B/state")" "$B/rootfs"
}

# 21 E3: an id that exists is refused, and the container it names is left alone
test_id_taken() {
    bundle
    created
    fails rt create -b "$B" "$ID"
    eq "$RC" 1
    has "$ERR" "already exists"
    eq "$(status)" created
}

# 21 E10: ids that would leave the state directory or break parsers are refused
test_id_invalid() {
    todo_for crun "1.8 accepts any id (fixed in 1.28)"
    bundle
    local id
    for id in "" . .. a/b /a ../x "a b" $'a\nb' 'a*' 'ä' "$(printf 'x%.0s' {1..300})"; do
        # this one is dangerous with crun 1.8, which deletes what the id names
        if [ "$KIND" = crun ] && [[ "$id" =~ ^[./] ]]; then continue; fi
        fails rt create -b "$B" "$id"
        eq "$RC" 1
        one_line "$ERR"
    done
    eq "$(ls "$STATE")" ""
}

# S4: ids with every character that engines use
test_id_valid() {
    bundle
    command_is /bin/true
    rt create -b "$B" "$ID._+-aZ9"
    eq "$(status "$ID._+-aZ9")" created
    rt delete --force "$ID._+-aZ9"
}

# E10 X1: a missing argument is named, exit 1
test_missing_arguments() {
    todo_for crun "says so in its own words"
    local command
    for command in create start state kill delete pause resume; do
        fails rt $command
        eq "$RC" 1
        has "$ERR$OUT" "$command"
        has "$ERR$OUT" "argument"
    done
}

# 26 E6: start needs a created container
test_start_twice() {
    bundle
    up
    fails rt start "$ID"
    eq "$RC" 1
    one_line "$ERR"
    eq "$(status)" running
    rt kill "$ID" KILL
    stopped
    fails rt start "$ID"
    eq "$RC" 1
    [ "$KIND" = crun ] || has "$ERR" stopped
}

# E5: when a start that fails is over, so is init: engines ask for the state at once
test_start_fails_init_ended() {
    not_for runc "start does not wait for the program"
    not_for crun "start does not wait for the program"
    command -v strace >/dev/null || skip "no strace to slow init down"
    local pid
    bundle '.process.args = ["/no-program"]'
    echo "neither a program nor a script" >"$B/rootfs/no-program"
    chmod 755 "$B/rootfs/no-program"
    rt create -b "$B" --pid-file "$B/pid" "$ID" >/dev/null
    pid=$(cat "$B/pid")
    strace -qq -o "$B/strace" -e trace=exit_group -e inject=exit_group:delay_enter=1s -p "$pid" &
    wait_for 5 grep -q '^TracerPid:.[1-9]' "/proc/$pid/status"
    fails rt start "$ID"
    [ ! -e "/proc/$pid" ] || grep -q '^State:.[ZX]' "/proc/$pid/status"
    wait $!
    has "$ERR" "xec format error"
    eq "$(rt state "$ID" | jq -r .status)" stopped
}

# 26 E1: start of nothing
test_start_missing() {
    todo_for crun "1.8 says 'No such file or directory'"
    fails rt start "$ID"
    eq "$RC" 1
    has "$ERR" "does not exist"
}

# 28 X3 E2: kill of a stopped container says what containerd and CRI-O look for
test_kill_stopped() {
    todo_for runc "1.1 says only 'container not running'"
    todo_for crun "says 'No such process'"
    bundle
    up /bin/true
    stopped
    fails rt kill "$ID" TERM
    eq "$RC" 1
    has "$ERR" "container not running"
    has "$ERR" "no such process"
}

# X3: kill --all of a stopped container succeeds
test_kill_all_stopped() {
    bundle
    up /bin/true
    stopped
    rt kill --all "$ID" KILL
}

# 277: signals by number, by name with and without SIG, in small letters, default TERM
test_kill_signals() {
    todo_for crun "1.8 wants upper case"
    bundle
    up /bin/sh -c 'for s in HUP USR1 USR2 WINCH TERM; do trap "echo got-$s-end" $s; done; echo ready; while :; do sleep 0.05; done'
    wait_for 5 log_has ready
    rt kill "$ID" HUP
    wait_for 5 log_has got-HUP-end
    rt kill "$ID" SIGUSR1
    wait_for 5 log_has got-USR1-end
    rt kill "$ID" 12
    wait_for 5 log_has got-USR2-end
    rt kill "$ID" sigwinch
    wait_for 5 log_has got-WINCH-end
    rt kill "$ID"
    wait_for 5 log_has got-TERM-end
}

# 277: a signal that does not exist is refused and nothing is sent
test_kill_bad_signal() {
    todo_for crun "accepts numbers with letters behind"
    bundle
    up
    local signal
    for signal in NOSUCH 9x -1 99 999999999999; do
        fails rt kill "$ID" "$signal"
        eq "$RC" 1
    done
    eq "$(status)" running
}

# 28: kill works on a created container
test_kill_created() {
    bundle
    created
    rt kill "$ID" KILL
    stopped
    rt delete "$ID"
}

# 173 S5 G5: kill --all reaches every process of a container without an own pid namespace
test_kill_all() {
    bundle '.linux.namespaces |= map(select(.type != "pid"))'
    up /bin/sh -c 'sleep 1000 & sleep 1000 & echo ready; wait'
    wait_for 5 log_has ready
    rt kill --all "$ID" 9
    stopped
    wait_for 5 eval '[ "$(pgrep -c -x sleep)" = 0 ]'
}

# 29 E7: delete of a running container needs --force
test_delete_running() {
    todo_for crun "says: not in created or stopped state"
    bundle
    up
    fails rt delete "$ID"
    eq "$RC" 1
    has "$ERR" "cannot delete container $ID that is not stopped"
    eq "$(status)" running
    rt delete --force "$ID"
}

# 29: delete of a created container kills it
test_delete_created() {
    bundle
    created
    local pid
    pid=$(pid_of)
    rt delete "$ID"
    wait_for 5 [ ! -d "/proc/$pid" ]
    fails rt state "$ID"
}

# X3: delete of nothing fails, delete --force of nothing does not
test_delete_missing() {
    todo_for crun "1.8 says 'No such file or directory'"
    fails rt delete "$ID"
    eq "$RC" 1
    has "$ERR" "does not exist"
    rt delete --force "$ID"
}

# 31: an id can be used again after delete
test_id_again() {
    bundle
    up /bin/true
    stopped
    rt delete "$ID"
    up /bin/true
    stopped
    rt delete "$ID"
}

# Priorities 1: options after the id, one dash, --option=value
test_option_forms() {
    todo_for crun "options must come first and have two dashes"
    bundle
    command_is /bin/sleep 1000
    rt create "$ID" -bundle="$B" --pid-file="$B/pid" >"$B/out" 2>&1
    [ -s "$B/pid" ]
    rt delete "$ID" --force
    rt create --bundle "$B" -pid-file "$B/pid" -- "$ID" >"$B/out" 2>&1
    rt delete -force "$ID"
}

# Priorities 1 P4: wording of usage errors, exit 1
test_usage_errors() {
    todo_for crun "has other words"
    fails rt create --pid-file
    eq "$RC" 1
    has "$ERR$OUT" "flag needs an argument"
    fails rt state --no-such-flag "$ID"
    eq "$RC" 1
    has "$ERR$OUT" "flag provided but not defined: -no-such-flag"
}

# 276: every command explains itself with --help, exit 0
test_help() {
    local command
    for command in create start state kill delete run exec list ps pause resume spec features; do
        has "$(rt $command --help 2>&1)" $command
    done
    has "$(rt --help 2>&1)" create
}

# D2 O9 P12: --version
test_version() {
    local text
    text=$("$RUNTIME" --version)
    matches "$(head -n 1 <<<"$text")" "^$KIND version [0-9]+\.[0-9]+"
    eq "$(grep -c version <<<"$text")" 1
    matches "$text" $'\ncommit: '
    matches "$text" $'\nspec: 1\.[0-9]+\.[0-9]+'
    eq "$("$RUNTIME" -v)" "$text"
}

# 1 E13: a bundle without config.json
test_bundle_without_config() {
    todo_for crun "names the file only"
    mkdir -p "$B"
    fails rt create -b "$B" "$ID"
    eq "$RC" 1
    has "$ERR" "config.json"
    has "$ERR" "not found"
    one_line "$ERR"
}

# 21 8: a bundle that does not exist, a root that does not exist
test_bundle_missing() {
    fails rt create -b "$B/nowhere" "$ID"
    eq "$RC" 1
    bundle '.root.path = "nowhere"'
    fails rt create -b "$B" "$ID"
    eq "$RC" 1
    one_line "$ERR"
}

# 21: the bundle is the current directory unless named
test_bundle_is_cwd() {
    bundle
    command_is /bin/true
    cd "$B"
    rt create "$ID" >out 2>&1
    eq "$(rt state "$ID" | jq -r .bundle)" "$B"
    rt start "$ID"
    stopped
    rt delete "$ID"
}

# 8: root.path absolute
test_root_absolute() {
    bundle '.root.path = $p' --arg p "$B/rootfs"
    eq "$(shell 'echo ok')" ok
}

# E4 P7 D1: a program that is missing is named in the words that engines look for, at create or start
test_program_missing() {
    bundle
    local program
    for program in nosuch /no/such; do
        command_is $program
        fails rt run -b "$B" "$ID"
        eq "$RC" 1
        matches "$ERR" "executable file.*not found in|no such file or directory|No such file or directory"
        one_line "$(tail -n 1 <<<"$ERR")"
        rt delete --force "$ID"
    done
}

# E5 P7 D1: a program that may not be run says permission denied
test_program_not_executable() {
    todo_for crun "1.8 says 'operation not permitted'"
    bundle
    command_is /etc/passwd
    fails rt run -b "$B" "$ID"
    eq "$RC" 1
    matches "$ERR" "[Pp]ermission denied"
    command_is /etc
    fails rt run -b "$B" "${ID}b"
    matches "$ERR" "[Pp]ermission denied|is a directory"
}

# 23 24 25: an error in create leaves nothing (the common check after each test looks)
test_create_fails_clean() {
    local filter
    for filter in '.process.cwd = "relative"' '.mounts += [{"destination":"/x","type":"nosuchfs","source":"x"}]' \
        '.linux.namespaces += [{"type":"network"}]' '.process.rlimits = [{"type":"RLIMIT_NONE","soft":1,"hard":1}]' \
        '.linux.seccomp = {"defaultAction":"SCMP_ACT_NONE"}' '.linux.sysctl = {"kernel.nosuch":"1"}'; do
        rm -rf "$B"
        bundle "$filter"
        if [ "$KIND" = crun ] && [[ "$filter" == *relative* || "$filter" == *network* ]]; then continue; fi
        if [ "$KIND" = runc ] && [[ "$filter" == *NONE* && "$filter" != *seccomp* ]]; then continue; fi
        fails rt create -b "$B" "$ID"
        eq "$RC" 1
        one_line "$ERR"
        no_leftovers || { echo "after $filter: $LEFT"; return 1; }
    done
}

# O2: list in its three forms
test_list() {
    todo_for crun "has another header and another empty list"
    bundle
    eq "$(rt list -q)" ""
    eq "$(rt list -f json)" null
    created
    eq "$(rt list -q)" "$ID"
    matches "$(rt list | head -n 1)" '^ID +PID +STATUS +BUNDLE +CREATED +OWNER'
    matches "$(rt list | tail -n 1)" "^$ID +[0-9]+ +created +$B +[^ ]+ +root"
    eq "$(rt list -f json | wc -l)" 1
    eq "$(rt list --format=json | jq -r '.[0] | .id, .status, .bundle, .owner')" "$ID"$'\ncreated\n'"$B"$'\nroot'
}

# O2: each container has its own owner, whoever that of the one before is
test_list_owners() {
    [ "$KIND" = aril ] || skip "edits the records of aril"
    local uid number=0
    bundle
    created
    for uid in 1 1 0 4000000000; do
        mkdir -m 700 "$STATE/$ID-$((++number))"
        jq -c ".ownerUid = $uid | .id = \"$ID-$number\"" "$STATE/$ID/status.json" >"$STATE/$ID-$number/status.json"
    done
    eq "$(rt list -f json | jq -r '.[] | .id + " " + .owner' | sort)" \
        "$(printf "$ID %s\n$ID-%s %s\n$ID-%s %s\n$ID-%s %s\n$ID-%s %s" root 1 daemon 2 daemon 3 root 4 '#4000000000')"
    rm -r "$STATE/$ID"-[1-4]
}

# O2 G8: a broken entry does not break list
test_list_broken_entry() {
    bundle
    created
    mkdir "$STATE/$PREFIX-broken"
    eq "$(rt list -q 2>/dev/null | grep -c "^$ID\$")" 1
    rmdir "$STATE/$PREFIX-broken"
}

# X4: list with a missing --root fails; with the default root it is empty
test_list_missing_root() {
    todo_for runc "1.1 succeeds"
    todo_for crun "makes the root"
    fails "$RUNTIME" --root "$W/no-such-root" list
    eq "$RC" 1
    [ ! -e "$W/no-such-root" ]
}

# 42: the state root is made for its owner only
test_root_mode() {
    bundle
    command_is /bin/true
    timeout 60 "$RUNTIME" --root "$B/newroot" run -b "$B" "$ID"
    eq "$(stat -c %a "$B/newroot")" 700
}

# 20: the same id in two roots is two containers
test_two_roots() {
    cgroupfs_paths
    bundle
    # without an own cgroup path both would share one
    edit '.linux.cgroupsPath = $p' --arg p "/$ID-a"
    created
    edit '.linux.cgroupsPath = $p' --arg p "/$ID-b"
    timeout 60 "$RUNTIME" --root "$B/other" create -b "$B" "$ID" >/dev/null
    rt delete --force "$ID"
    eq "$("$RUNTIME" --root "$B/other" state "$ID" | jq -r .status)" created
    timeout 60 "$RUNTIME" --root "$B/other" delete --force "$ID"
}

# 41: a container whose init is gone is stopped
test_killed_behind_our_back() {
    bundle
    up
    kill -KILL "$(pid_of)"
    stopped
    rt delete "$ID"
}

# 40: state of a dead init, whose pid another process may have by now, is never running
test_pid_reuse() {
    bundle
    up
    local pid
    pid=$(pid_of)
    kill -KILL "$pid"
    stopped
    # take the same pid for a process of ours
    echo $((pid - 1)) >/proc/sys/kernel/ns_last_pid 2>/dev/null || skip "cannot choose a pid here"
    sleep 1000 &
    [ $! = "$pid" ] || skip "somebody else took the pid"
    eq "$(status)" stopped
    rt kill "$ID" KILL 2>/dev/null || true
    rt delete --force "$ID"
    kill -0 "$pid"
    kill "$pid"
}

# 43: twenty racing creates of one id: one wins
test_racing_creates() {
    todo_for runc "1.1 lets more than one win now and then"
    bundle
    command_is /bin/sleep 1000
    local i
    for i in {1..20}; do
        { rt create -b "$B" "$ID" >"$B/out.$i" 2>&1 && echo won >"$B/won.$i"; } &
    done
    wait
    eq "$(cat "$B"/won.* | wc -l)" 1
    eq "$(status)" created
}

# 43: racing starts of one container: one wins, the program runs once
test_racing_starts() {
    todo_for runc "1.1 lets more than one win now and then"
    todo_for crun "1.8 lets more than one win now and then"
    bundle
    command_is /bin/sh -c 'echo ran; exec sleep 1000'
    rt create -b "$B" "$ID" >"$B/out" 2>&1
    local i
    for i in {1..10}; do
        { rt start "$ID" >"$B/err.$i" 2>&1 && echo won >"$B/won.$i"; } &
    done
    wait
    eq "$(cat "$B"/won.* | wc -l)" 1
    wait_for 5 log_has ran
    eq "$(grep -c ran "$B/out")" 1
}

# 43 C3: state is steady while others create and delete
test_state_while_racing() {
    bundle
    up
    local i
    for i in {1..20}; do rt state "$ID" >/dev/null & done
    for i in {1..20}; do wait -n; done
    rt delete --force "$ID" &
    for i in {1..10}; do
        rt state "$ID" >"$B/state" 2>&1 || matches "$(cat "$B/state")" "does not exist|[Nn]o such file"
    done
    wait
}

# O5 S1 P6: --log --log-format json: one object with level, msg and an RFC 3339 time; the same text on stderr
test_log_json() {
    todo_for crun "1.8 says 'No such file or directory'"
    fails rt --log "$B.log" --log-format json start "$ID"
    eq "$(wc -l <"$B.log")" 1
    eq "$(jq -r .level "$B.log")" error
    has "$(jq -r .msg "$B.log")" "does not exist"
    matches "$(jq -r .time "$B.log")" '^20[0-9-]+T[0-9:.]+(Z|[+-][0-9:]+)$'
    has "$ERR" "does not exist"
    rm "$B.log"
}

# O5: --log in text form
test_log_text() {
    todo_for crun "1.8 says 'No such file or directory'"
    fails rt --log="$B.log" start "$ID"
    has "$(cat "$B.log")" "does not exist"
    rm "$B.log"
}

# P6: a successful command writes nothing to the log or to stderr
test_log_silent() {
    bundle
    command_is /bin/true
    rt --log "$B.log" --log-format json run -b "$B" "$ID" 2>"$B.err"
    eq "$(cat "$B.log" 2>/dev/null)" ""
    eq "$(cat "$B.err")" ""
    rm -f "$B.log"
}

# C5: global options after the command
test_global_after_command() {
    todo_for crun "global options come first"
    todo_for runc "1.1: global options come first"
    fails timeout 60 "$RUNTIME" state --root "$STATE" "$ID"
    has "$ERR" "does not exist"
}

# 273: flags that callers pass and that need no effect
test_accepted_flags() {
    todo_for crun "1.8 loses its state file here"
    bundle
    command_is /bin/true
    rt --debug --log "$B.log" --rootless=false create -b "$B" --no-new-keyring "$ID" >/dev/null
    rt start "$ID"
    stopped
    rt delete "$ID"
    rm -f "$B.log"
}

# 267 258 C4: features is pure JSON on stdout
test_features() {
    not_for crun "1.8 has no features"
    rt features >"$W/features" 2>"$W/features.err"
    eq "$(cat "$W/features.err")" ""
    jq -e '.ociVersionMin and .ociVersionMax' "$W/features" >/dev/null
    [ "$KIND" != aril ] || jq -e '(.mountOptions | index("rro")) and .linux.mountExtensions.idmap.enabled' "$W/features" >/dev/null
    jq -e '.hooks | index("createRuntime")' "$W/features" >/dev/null
    jq -e '.linux.namespaces | index("network")' "$W/features" >/dev/null
    jq -e '.linux.seccomp.enabled and .linux.cgroup.v1' "$W/features" >/dev/null
}

# O8 283: spec writes a config that runs
test_spec() {
    mkdir -p "$B"
    cp -al "$W/rootfs" "$B/rootfs"
    (cd "$B" && rt spec)
    eq "$(jq -r '.process.terminal, .process.args[0], .root.readonly' "$B/config.json")" $'true\nsh\ntrue'
    edit '.process.terminal = false'
    eq "$(shell 'echo ran')" ran
    fails rt spec -b "$B"
    eq "$RC" 1
    matches "$ERR" 'config.json.* exists'
}

# O8: spec -b and the parts of the default config
test_spec_bundle() {
    not_for crun "has its own defaults"
    mkdir -p "$B"
    rt spec --bundle "$B"
    eq "$(jq -c '[.mounts[].destination]' "$B/config.json")" \
        '["/proc","/dev","/dev/pts","/dev/shm","/dev/mqueue","/sys","/sys/fs/cgroup"]'
    eq "$(jq -c '.process.capabilities.bounding | sort' "$B/config.json")" \
        '["CAP_AUDIT_WRITE","CAP_KILL","CAP_NET_BIND_SERVICE"]'
    eq "$(jq -c '.process.rlimits[0]' "$B/config.json" | jq -c '[.type, .soft, .hard]')" '["RLIMIT_NOFILE",1024,1024]'
    for type in pid network ipc uts mount; do
        jq -e --arg t $type '.linux.namespaces | map(.type) | index($t)' "$B/config.json" >/dev/null
    done
    matches "$(sed -n 2p "$B/config.json")" $'^\t"'
}

# O8: spec --rootless has a user namespace with the caller's ids and no network namespace
test_spec_rootless() {
    not_for crun "1.8 keeps the network namespace"
    mkdir -p "$B"
    (cd "$B" && rt spec --rootless)
    eq "$(jq -c '[.linux.namespaces[].type] | [index("user") != null, index("network") != null]' "$B/config.json")" '[true,false]'
    eq "$(jq '.linux.uidMappings[0].size, .linux.uidMappings[0].containerID' "$B/config.json")" $'1\n0'
    eq "$(jq '.linux.resources.memory' "$B/config.json")" null
}

# pidfd_receiver: takes one descriptor at $B/pidfd, prints the pid that it is for and signals it with 0
pidfd_receiver() {
    command -v python3 >/dev/null || skip "needs python3 to receive a descriptor"
    python3 - "$B/pidfd" >"$B/pidfd.out" <<'P' &
import re, signal, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen()
s.settimeout(10)
c, _ = s.accept()
_, fds, _, _ = socket.recv_fds(c, 4096, 8)
text = open("/proc/self/fdinfo/%d" % fds[0]).read()
signal.pidfd_send_signal(fds[0], 0)
print(len(fds), re.search(r"^Pid:\s+(\d+)", text, re.M)[1])
P
    RECEIVER=$!
    wait_for 5 [ -S "$B/pidfd" ]
}

# 293 G1: create --pidfd-socket sends a pidfd of init
test_pidfd_socket() {
    bundle
    not_for crun "has no --pidfd-socket"
    pidfd_receiver
    command_is /bin/sleep 1000
    rt create -b "$B" --pidfd-socket "$B/pidfd" "$ID" >"$B/out" 2>&1
    wait $RECEIVER
    eq "$(cat "$B/pidfd.out")" "1 $(pid_of)"
}

# 293 G3: exec --pidfd-socket sends a pidfd of the new process
test_pidfd_socket_exec() {
    bundle
    not_for crun "has no --pidfd-socket"
    up
    pidfd_receiver
    rt exec --detach --pidfd-socket "$B/pidfd" --pid-file "$B/pid" "$ID" sleep 1000 >"$B/exec.out" 2>&1
    wait $RECEIVER
    eq "$(cat "$B/pidfd.out")" "1 $(cat "$B/pid")"
}

# 293: the annotation run.oci.pidfd_receiver does the same
test_pidfd_receiver() {
    bundle '.annotations["run.oci.pidfd_receiver"] = $p' --arg p "$B/pidfd"
    not_for runc "does not know the annotation"
    pidfd_receiver
    command_is /bin/sleep 1000
    rt create -b "$B" "$ID" >"$B/out" 2>&1
    wait $RECEIVER
    eq "$(cat "$B/pidfd.out")" "1 $(pid_of)"
}

# 293: nobody at the pidfd socket: create fails and leaves nothing
test_pidfd_nobody() {
    bundle
    not_for crun "has no --pidfd-socket"
    fails rt create -b "$B" --pidfd-socket "$B/nobody" "$ID"
    has "$ERR" "--pidfd-socket"
    fails rt state "$ID"
}

# 232: linux.intelRdt where resctrl is not mounted is an error that names it, and nothing is left
test_intel_rdt_missing() {
    [ ! -e /sys/fs/resctrl/schemata ] || skip "resctrl is mounted here"
    bundle '.linux.intelRdt = {closID: "/"}'
    fails rt create -b "$B" "$ID"
    has "$ERR" "${ARIL_WORDS:-linux.intelRdt}"
    fails rt state "$ID"
}

# 240: update --l3-cache-schema of a container without linux.intelRdt is refused
test_intel_rdt_update() {
    not_for runc "ignores it"
    bundle
    up
    fails rt update --l3-cache-schema L3:0=f "$ID"
    fails rt update --mem-bw-schema L3:0=f "$ID"
}

tap_main
