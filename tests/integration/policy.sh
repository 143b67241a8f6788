#!/bin/bash
# policy.sh - profiles, annotations, environment, identity, network modes, time limits (sandbox requirements P, E, S,
# U, G, F). Attacks are real: each test would fail without the layer that it names.

. "$(dirname "$0")/lib.sh"
[ "$KIND" = aril ] || bail_out "only aril has sandbox policies"

annotate() { # NAME VALUE...
    while [ $# -gt 0 ]; do
        edit '.annotations["dev.aril." + $name] = $value' --arg name "$1" --arg value "$2"
        shift 2
    done
}

strict() {
    bundle '.root.readonly = false'
    annotate profile strict "$@"
}

refused() { # TEXT: create fails with it and leaves nothing
    local before
    before=$(find "$STATE" | sort)
    ! rt create -b "$B" "$ID" >"$B/out" 2>&1 && log_has "$1" && [ "$(find "$STATE" | sort)" = "$before" ] &&
        [ -z "$(cgroups_left)" ] || { cat "$B/out"; return 1; }
}

# P-1: unknown profile is named
test_P_1_unknown_profile_is_named() { bundle && annotate profile strickt && refused "'strickt'"; }

# P-1: unknown key is named
test_P_1_unknown_key_is_named() { bundle && annotate porfile strict && refused "dev.aril.porfile is unknown"; }

# P-1: unknown keys of a group of keys are named, too
test_P_1_unknown_keys_below_a_known_one() {
    local key
    for key in seccomp.x env.x workspace.x; do
        bundle && annotate "$key" x && refused "dev.aril.$key is unknown"
    done
    for key in rootfs.lowr rootfs. rootfs.upper.x; do
        bundle && annotate "$key" x && refused "dev.aril.$key: not one of"
    done
}

# P-1, C-4: what is known and belongs to a later release is refused by name, with nothing made
test_P_1_later_keys_are_refused() {
    local key
    for key in preset proc session idleTimeout overlays workspace.{path,source,mode,persist,maxSize}; do
        bundle && annotate "$key" x && refused "unavailable: dev.aril.$key: not supported yet"
    done
}

# P-4: bad policy leaves nothing
test_P_4_bad_policy_leaves_nothing() { bundle && annotate landlock '{"writable_roots":1}' && refused "writable_roots"; }

# P nothing asked no file is opened
test_P_nothing_asked_no_file_is_opened() {
    bundle && command_is /bin/true
    command -v strace >/dev/null || { skip "strace is missing"; return; }
    strace -f -o "$B/trace" -e trace=file "$RUNTIME" --root "$STATE" run -b "$B" "$ID"
    ! grep -q -e sandbox.json -e policy.json "$B/trace"
}

# P-2: strict status inside
test_P_2_strict_status_inside() {
    strict
    shell 'grep -E "^(NoNewPrivs|Seccomp):" /proc/self/status | tr -d "\t"' >"$B/out"
    grep -qx NoNewPrivs:1 "$B/out" && grep -qx Seccomp:2 "$B/out"
}

# P-2: strict has a private tmp
test_P_2_strict_has_a_private_tmp() {
    strict
    shell 'echo x >/tmp/file && grep " /tmp tmpfs .*nosuid,nodev" /proc/mounts' && [ ! -e "$B/rootfs/tmp/file" ]
}

# P-2: command line profile
test_P_2_command_line_profile() {
    bundle && command_is /bin/sh -c 'grep -q "NoNewPrivs.*1" /proc/self/status && ! mkdir /made'
    rt --profile strict run -b "$B" "$ID"
}

# P-2: name of the program
test_P_2_name_of_the_program() {
    bundle && ln -s "$RUNTIME" "$B/aril-strict"
    command_is /bin/sh -c 'grep -q "Seccomp:.*2" /proc/self/status && ! mkdir /made'
    "$B/aril-strict" --root "$STATE" run -b "$B" "$ID"
}

# P-2: profile in force cannot be weakened
test_P_2_profile_in_force_cannot_be_weakened() {
    bundle && annotate profile balanced
    ! rt --profile strict create -b "$B" "$ID" >"$B/out" 2>&1 && log_has "weaker than the profile in force"
}

# P-5: exec inherits everything
test_P_5_exec_inherits_everything() {
    strict && up 
    capture rt exec --cap CAP_SYS_ADMIN "$ID" /bin/sh -c 'cat /proc/self/status; mkdir /made; unshare -U true'
    matches "$OUT" 'NoNewPrivs:[[:space:]]1'
    matches "$OUT" 'Seccomp:[[:space:]]2'
    [ ! -e "$B/rootfs/made" ]
    has "$ERR" 'not permitted'
    local bounding
    bounding=$(sed -n 's/^CapBnd:[[:space:]]*//p' <<<"$OUT")
    eq $((0x$bounding & 0x200000)) 0
}

# P-5: exec gets no capability that the container does not have, whatever the policy is about
test_P_5_exec_has_no_more_capabilities() {
    bundle && annotate speculation best-effort && up
    eq "$(rt exec --cap CAP_SYS_ADMIN "$ID" /bin/grep CapBnd /proc/self/status)" "$(rt exec "$ID" /bin/grep CapBnd /proc/1/status)"
}

# P-5: exec file cannot loosen
test_P_5_exec_file_cannot_loosen() {
    strict && up 
    echo '{"cwd":"/","args":["/bin/grep","NoNewPrivs:.1","/proc/self/status"],"noNewPrivileges":false}' >"$B/process"
    rt exec --process "$B/process" "$ID"
}

# P-6: required or state says
test_P_6_required_or_state_says() {
    bundle && annotate speculation best-effort && up 
    rt state "$ID" | jq -e '.annotations["dev.aril.layers"] | fromjson | .spec as $s |
        .landlock == "disabled" and (["active", "degraded", "unsupported"] | index($s))'
}

# P-6, G-1, C-4: required speculation control
test_P_6_G_1_required_speculation_control() {
    bundle && annotate required spec && command_is /bin/cat /proc/self/status
    if rt run -b "$B" "$ID" >"$B/out" 2>&1; then
        ! grep -E 'Speculation.*(vulnerable|always enabled)' "$B/out"
    else
        log_has "speculation guard: is required"
    fi
}

# G-1 G-2: guard
test_G_1_G_2_guard() {
    bundle && annotate speculation best-effort && command_is /bin/cat /proc/self/status
    rt run -b "$B" "$ID" >"$B/out" 
    ! grep -E 'Speculation.*: *thread (vulnerable|mitigated)' "$B/out"
}

# E-1 E-3: environment is stripped
test_E_1_E_3_environment_is_stripped() {
    strict
    edit '.process.env += ["MY_API_KEY=1", "github_token=1", "ARIL_SECRET_PIPE=1", "NOTIFY_SOCKET=/x", "KUBECONFIG=1"]'
    shell env >"$B/out" && ! grep -iE 'api_key|token|aril|notify' "$B/out" && grep -q KUBECONFIG=1 "$B/out"
}

# E-1: allow keeps only what is listed
test_E_1_allow_keeps_only_what_is_listed() {
    bundle '.process.env += ["A=1", "B=2"]' && annotate env.mode allow env.keys '["PATH","b*"]'
    shell env >"$B/out" && grep -q ^B=2 "$B/out" && ! grep -q ^A= "$B/out"
}

# E-4: exec env has priority and does not last
test_E_4_exec_env_has_priority_and_does_not_last() {
    strict && up 
    [ "$(rt exec --env X_TOKEN=given "$ID" /bin/sh -c 'echo $X_TOKEN')" = given ] &&
        [ -z "$(rt exec "$ID" /bin/sh -c 'echo $X_TOKEN')" ]
}

# E-1, P-5: what a process file of exec has is stripped as well
test_E_1_exec_file_is_stripped() {
    strict && up
    echo '{"cwd":"/","args":["/bin/env"],"env":["PATH=/bin","MY_API_KEY=1","KUBECONFIG=1"]}' >"$B/process"
    capture rt exec --process "$B/process" "$ID"
    has "$OUT" KUBECONFIG=1
    hasnt "$OUT" MY_API_KEY
}

# U-1: numbers without entries
test_U_1_numbers_without_entries() {
    bundle && annotate uid 12345 gid 54321 umask 0077
    [ "$(shell 'id -u; id -g; umask' | tr '\n' ' ')" = "12345 54321 0077 " ]
}

# P-3, C-1: the operator's file bounds containers of a rootless engine, too: root of a user namespace sees it as nobody's
test_P_3_operator_in_a_user_namespace() {
    bundle && mkdir -p "$W/bin" && cp "$RUNTIME" "$W/bin/aril" && chmod 755 "$B" "$W/bin" "$W/bin/aril"
    capture with_operator '{"profile":"strict"}' setpriv --reuid "$TEST_USER" --regid "$TEST_USER" --clear-groups \
        unshare --user --map-root-user "$W/bin/aril" probe --json
    eq "$(jq -r .layers.policy.state <<<"$OUT")" active
    capture with_operator '{"profile":"lax"}' setpriv --reuid "$TEST_USER" --regid "$TEST_USER" --clear-groups \
        unshare --user --map-root-user "$W/bin/aril" probe --json
    eq "$(jq -r .layers.policy.state <<<"$OUT")" unsupported
    has "$(jq -r .layers.policy.message <<<"$OUT")" "'lax' is not one of "
}

# M-2: extra writable paths: within what the operator allows, links resolved, by component; without the file nothing
test_M_2_extra_writable() {
    bundle && annotate profile strict extraWritable "[\"$W/allowed/a\"]"
    mkdir -p "$W"/allowed/a "$W"/allowedx "$W"/secret
    ln -sfn "$W/secret" "$W/allowed/link"
    command_is /bin/sh -c "echo x >$W/allowed/a/made; echo y >/made"
    refused "extraWritable[0]: $W/allowed/a is not within the operator's allowedWritable"
    capture with_operator "{\"allowedWritable\": [\"$W/allowed\"]}" "$RUNTIME" --root "$STATE" run -b "$B" "$ID"
    eq "$(cat "$W/allowed/a/made")" x
    has "$ERR" "/made"
    [ ! -e "$B/rootfs/made" ]
    local path
    for path in "$W/allowed/link" "$W/allowedx" "$W/allowed/../secret" relative "$W/allowed/missing"; do
        annotate extraWritable "[\"$path\"]"
        capture with_operator "{\"allowedWritable\": [\"$W/allowed\"]}" "$RUNTIME" --root "$STATE" run -b "$B" "$ID"
        ne "$RC" 0
        has "$ERR" "extraWritable[0]: "
    done
    rm -rf "$W"/allowed "$W"/allowedx "$W"/secret
}

# F-10: dev.aril.init: a first process of ours that reaps what nobody waits for, also of exec, with the exit status right
test_F_10_init() {
    local init
    init=$(dirname "$RUNTIME")/aril-init
    [ -x "$init" ] || skip "aril-init is not beside the runtime"
    bundle && annotate init true && command_is /bin/sh -c '(sleep 0.1 & exec true); sleep 0.5; ps; exit 7'
    capture with_operator "{\"initPath\": \"$init\"}" "$RUNTIME" --root "$STATE" run -b "$B" "$ID"
    eq "$RC" 7
    has "$OUT" "/dev/.aril-init -- /bin/sh"
    hasnt "$OUT" "[sleep]"
    annotate init maybe && refused "'maybe' is not true or false"
    annotate init true && edit '.mounts |= map(select(.destination | startswith("/dev") | not))' &&
        capture with_operator "{\"initPath\": \"$init\"}" "$RUNTIME" --root "$STATE" run -b "$B" "$ID"
    has "$ERR" "needs a tmpfs at /dev"
}

# S-2: mount unshare setns are denied to root
test_S_2_mount_unshare_setns_are_denied_to_root() {
    strict && edit '.process.capabilities |= (map_values(["CAP_SYS_ADMIN"]))'
    capture shell 'mount -t tmpfs none /tmp || echo 1; unshare -m true || echo 2; unshare -n true || echo 3'
    eq "$OUT" $'1\n2\n3'
}

# attacks NAME: what tests/integration/attack.c tries; prints "NAME: ERRNO" or "NAME: done"
attack() {
    compile_helper attack && cp "$TEST_BIN/attack" "$B/rootfs/bin/attack" && command_is /bin/attack "$@"
    rt run -b "$B" "$ID" 2>&1
}

# S-2 S-4: real attacks under strict
test_S_2_S_4_real_attacks_under_strict() {
    strict && edit '.process.capabilities |= (map_values(["CAP_SYS_ADMIN"]))'
    [ "$(attack io_uring tiocsti vsock clone3 clone_newuser fsopen open_tree handle keyctl bpf perf | sort | tr '\n' ' ')" = \
        "bpf: EPERM clone3: ENOSYS clone_newuser: EPERM fsopen: EPERM handle: EPERM io_uring: EPERM keyctl: EPERM open_tree: EPERM perf: EPERM tiocsti: EPERM vsock: EPERM " ] ||
        { attack io_uring tiocsti vsock clone3 clone_newuser fsopen open_tree handle keyctl bpf perf; return 1; }
}

# S-4: int80 is closed
test_S_4_int80_is_closed() {
    strict
    [ "$(uname -m)" = x86_64 ] || { skip "int80 is x86"; return; }
    capture attack int80_socket
    eq "$RC" 159 # SIGSYS
    hasnt "$OUT" done
}

# S-4: x32 is closed
test_S_4_x32_is_closed() {
    strict
    [ "$(uname -m)" = x86_64 ] || { skip "x32 is x86"; return; }
    capture attack x32
    eq "$RC" 159 # SIGSYS
    hasnt "$OUT" done
}

# S-5: unix only
test_S_5_unix_only() {
    bundle && annotate network unix-only
    [ "$(attack inet inet6 netlink unix unix_pair io_uring | tr '\n' ' ')" = \
        "inet: EPERM inet6: EPERM netlink: EPERM unix: done unix_pair: done io_uring: EPERM " ]
}

# S-5: unix only int80 socket
test_S_5_unix_only_int80_socket() {
    bundle && annotate network unix-only
    [ "$(uname -m)" = x86_64 ] || { skip "int80 is x86"; return; }
    capture attack int80_socket
    eq "$RC" 159 # SIGSYS
    hasnt "$OUT" done
}

# S-5: restricted
test_S_5_restricted() {
    bundle && annotate network restricted
    [ "$(attack unix unix_pair connect | tr '\n' ' ')" = "unix: done unix_pair: done connect: EPERM " ]
}

# S-5: none is a network of its own
test_S_5_none_is_a_network_of_its_own() {
    bundle 'del(.linux.namespaces[] | select(.type == "network"))' && annotate network none
    [ "$(shell 'ls /sys/class/net 2>/dev/null; tail -n +3 /proc/net/dev | cut -d: -f1' | tr -d ' ' | sort -u)" = lo ]
}

# S-1: add and errno
test_S_1_add_and_errno() {
    bundle && annotate seccomp add seccomp.deny '["mkdir","mkdirat","no_such_call"]' seccomp.errno EACCES
    capture shell 'mkdir /tmp/x'
    has "$ERR" 'Permission denied'
}

# S-1: empty list needs permission
test_S_1_empty_list_needs_permission() {
    bundle && annotate seccomp replace seccomp.deny '[]' && refused "needs the operator's permission"
}

# S-8: runtime sockets are not bound
test_S_8_runtime_sockets_are_not_bound() {
    strict && edit '.mounts += [{"destination":"/s","type":"bind","source":"/run","options":["rbind"]}]'
    refused "mounts["
    local socket
    for socket in docker.sock containerd/containerd.sock crio/crio.sock podman/podman.sock buildkit/buildkitd.sock \
        dbus/system_bus_socket systemd/private; do
        edit '.mounts[-1].source = "/run/" + $socket' --arg socket $socket
        refused "mounts["
        hasnt "$(cat "$B/out")" "no such file"
    done
}

# S-9: capabilities exactly
test_S_9_capabilities_exactly() {
    strict && edit '.process.capabilities |= (map_values(["CAP_NET_RAW"]))'
    shell 'grep CapEff /proc/self/status' | grep -q 0000000000002000
}

# F-1: no descriptor leaks
test_F_1_no_descriptor_leaks() {
    strict && command_is /bin/ls /proc/self/fd
    exec 7</etc/passwd 8</
    [ "$(rt run -b "$B" "$ID" | tr '\n' ' ')" = "0 1 2 3 " ] # 3: ls reading the directory
    local result=$?
    exec 7<&- 8<&-
    return $result
}

# F-5: exit status under strict
test_F_5_exit_status_under_strict() {
    strict
    capture shell 'exit 7'
    eq "$RC" 7
    capture shell 'sh -c "kill -9 \$\$"; exit $?'
    eq "$RC" 137
}

# F-7: run timeout
test_F_7_run_timeout() {
    bundle && command_is /bin/sh -c 'trap "" TERM; (sleep 1000 &) ; sleep 1000'
    local start=$SECONDS
    capture rt run --timeout 0.5 -b "$B" "$ID"
    eq "$RC" 124
    [ $((SECONDS - start)) -lt 8 ]
}

# F-7: exec timeout kills what it forked
test_F_7_exec_timeout_kills_what_it_forked() {
    bundle && up 
    capture rt exec --timeout 0.5 "$ID" /bin/sh -c 'trap "" TERM; sleep 4711 & sleep 4712; sleep 4711'
    eq "$RC" 124
    wait_for 5 no_sleeper
    is_status running
}

# F-7: exec timeout: also what left the session, and nothing of the cgroup that found it stays
test_F_7_exec_timeout_kills_what_called_setsid() {
    bundle && up
    capture rt exec --timeout 0.5 "$ID" /bin/sh -c 'setsid sh -c "trap \"\" TERM; setsid sleep 4713 & sleep 4714" & sleep 4715'
    eq "$RC" 124
    wait_for 5 no_sleeper
    is_status running
    eq "$(find /sys/fs/cgroup -name 'exec-????????' -path "*$ID*" | wc -l)" 0
    capture rt exec --timeout 60 "$ID" /bin/sh -c 'setsid sleep 4716 >/dev/null 2>&1 & exit 4'
    eq "$RC" 4
    rt exec "$ID" /bin/ps | grep -q 'sleep 4716'
    eq "$(find /sys/fs/cgroup -name 'exec-????????' -path "*$ID*" | wc -l)" 0
}

# F-6: --die-with-client: when the runtime is killed, or who called it, all that was started ends, whatever session it is in
test_F_6_die_with_client() {
    local script='trap "" TERM HUP; setsid sh -c "setsid sleep 4717 & sleep 4718" & echo up; sleep 4719' pid
    bundle && up
    setsid "$RUNTIME" --root "$STATE" exec --die-with-client "$ID" /bin/sh -c "$script" >"$B/seen" &
    pid=$!
    wait_for 5 all_sleep
    hasnt "$(rt exec "$ID" /bin/ps)" die-with-client # nothing of the runtime in there
    kill -KILL -- -$pid                              # as timeout(1) and shells do it: all of the group
    wait_for 5 no_sleeper
    sh -c '"$@" & echo $! >'"$B/pid"'; wait' sh "$RUNTIME" --root "$STATE" exec --die-with-client "$ID" /bin/sh -c "$script" >"$B/seen" &
    pid=$!
    wait_for 5 all_sleep
    kill -KILL $pid
    wait_for 5 no_sleeper
    is_status running
    wait_for 5 no_branch
    capture rt exec --die-with-client "$ID" /bin/sh -c 'setsid sleep 4720 >/dev/null 2>&1 & exit 4'
    eq "$RC" 4
    rt exec "$ID" /bin/ps | grep -q 'sleep 4720'
    capture rt exec --die-with-client --detach "$ID" /bin/true
    has "$ERR" "--die-with-client: needs the foreground"
    no_branch
}

no_branch() {
    [ -z "$(find /sys/fs/cgroup -name 'exec-????????' -path "*$ID*")" ]
}

all_sleep() {
    [ "$(rt exec "$ID" /bin/ps | grep -cE '^ *[0-9]+ [a-z0-9]+ +sleep 471[789]$')" = 3 ]
}

no_sleeper() {
    local list
    list=$(rt exec "$ID" /bin/ps) && hasnt "$list" 'sleep 471'
}

# F-7: no timeout when it ends in time
test_F_7_no_timeout_when_it_ends_in_time() {
    bundle && command_is /bin/sh -c 'exit 3'
    capture rt run --timeout 30 -b "$B" "$ID"
    eq "$RC" 3
}

# F-7: bad values
test_F_7_bad_values() {
    bundle
    local value
    for value in x -1 1s 1e3 .; do
        fails rt run --timeout "$value" -b "$B" "$ID"
        has "$ERR" --timeout
    done
    ! rt run --detach --timeout 1 -b "$B" "$ID" 2>"$B/out" && log_has "--timeout: needs the foreground"
}

# C-3: features name the prefix
test_C_3_features_name_the_prefix() {
    rt features | jq -e '.potentiallyUnsafeConfigAnnotations | index("dev.aril.")'
}

tap_main
