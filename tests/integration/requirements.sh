#!/bin/bash
# requirements.sh - the sandbox requirements about identity, descriptors, readiness and helper programs (tests/sandbox.md
# lists which test shows which requirement).
. "$(dirname "$0")/lib.sh"
[ "$KIND" = aril ] || bail_out "only aril has sandbox policies"

annotate() { # NAME VALUE
    edit '.annotations["dev.aril." + $name] = $value' --arg name "$1" --arg value "$2"
}

# C-2: an upper directory on a file system that cannot be one: the failing step is named, for root and for users
test_C_2_upper_root_that_cannot_be_one() {
    mkdir -p "$B"/{lower,layer,merged}
    mount -t tmpfs tmpfs "$B/layer" && mkdir "$B/layer/u" "$B/layer/w"
    mount -t overlay -o "lowerdir=$B/lower,upperdir=$B/layer/u,workdir=$B/layer/w" overlay "$B/merged"
    capture rt probe --json --upper-root "$B/merged"
    umount "$B/merged" "$B/layer"
    eq "$(jq -r .layers.overlay.state <<<"$OUT")" unsupported
    has "$(jq -r .layers.overlay.message <<<"$OUT")" "mount overlay"
    has "$(jq -r .layers.overlay_userns.message <<<"$OUT")" "mount overlay"
    hasnt "$(jq -c .workspace_modes <<<"$OUT")" overlay
    [ -z "$(ls -A "$B/merged" "$B/lower" | grep -v ':$')" ]
    mount -t ramfs ramfs "$B/merged" # no extended attributes: directories cannot become opaque
    capture rt probe --json --upper-root "$B/merged"
    umount "$B/merged"
    has "$(jq -r .layers.overlay.message <<<"$OUT")" "rmdir of a merged directory"
}

# U-2: groups that cannot be set end the start before the program; without a wish for groups it starts
test_U_2_groups() {
    bundle '.process.user.additionalGids = [70000]' && annotate profile strict
    edit '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 0, size: 65536}] |
        .linux.gidMappings = .linux.uidMappings'
    command_is /bin/sh -c 'echo started'
    capture rt run -b "$B" "$ID"
    ne "$RC" 0
    hasnt "$OUT" started
    edit 'del(.process.user.additionalGids)'
    command_is /bin/sh -c 'id -G; grep -E "^(Uid|Groups)" /proc/self/status'
    capture rt run -b "$B" "$ID"
    eq "$RC" 0
    has "$OUT" "Uid:	0	0	0	0"
}

# U-2: no step is left with an id of before: real, effective, saved and file system ids are the payload's
test_U_2_all_ids() {
    bundle '.process.user = {uid: 12345, gid: 23456, additionalGids: [7]}'
    annotate profile strict
    command_is /bin/grep -E '^(Uid|Gid|Groups):' /proc/self/status
    capture rt run -b "$B" "$ID"
    eq "$(tr -s '\t ' ' ' <<<"$OUT" | sed 's/ $//' | tr '\n' ';')" \
        "Uid: 12345 12345 12345 12345;Gid: 23456 23456 23456 23456;Groups: 7;"
}

# U-3: in a container with a user namespace no other one can be made, by no way
test_U_3_no_further_user_namespace() {
    bundle '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
        .linux.gidMappings = .linux.uidMappings'
    annotate profile strict
    chmod 755 "$B"
    command_is /bin/sh -c 'unshare -U true && echo unshared; cat /proc/self/uid_map'
    capture rt run -b "$B" "$ID"
    hasnt "$OUT" unshared
    has "$OUT" 100000
}

# U-4: HOME is the one of the container's passwd, else /
test_U_4_home() {
    bundle '.process.env |= map(select(startswith("HOME=") | not)) | .process.user = {uid: 1000, gid: 1000}'
    command_is /bin/sh -c 'echo $HOME'
    capture rt run -b "$B" "$ID"
    eq "$OUT" /home/user
    edit '.process.user.uid = 12345'
    capture rt run -b "$B" "$ID"
    eq "$OUT" /
}

# E-5: hooks of config.json have exactly their env, nothing of the caller and nothing of the runtime
test_E_5_hooks() {
    bundle '.hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", "exec env >" + $out], env: ["ONLY=this"]}]' \
        --arg out "$B/env"
    annotate profile strict
    command_is /bin/true
    MY_TOKEN=secret rt run -b "$B" "$ID"
    eq "$(grep -vE '^(PWD|SHLVL|_)=' "$B/env")" ONLY=this
}

# E-5, A-8: helpers are found neither in the working directory nor where others can write, and get no environment
test_A_8_helper_programs() {
    local home=$W/home evil=$W/evil
    mkdir -p "$home/run" "$home/here" "$evil" "$W/bin"
    cp "$RUNTIME" "$W/bin/aril"
    for place in "$home/here" "$evil"; do
        printf '#!/bin/sh\n/bin/touch %s/ran\nexit 1\n' "$home" >"$place/newuidmap"
        chmod 755 "$place/newuidmap"
    done
    chmod 777 "$evil"
    bundle '.linux.namespaces = [{type: "pid"}, {type: "mount"}, {type: "user"}] | del(.linux.resources, .mounts, .hostname) |
        .linux.uidMappings = [{containerID: 0, hostID: $id, size: 1}, {containerID: 1, hostID: 500000, size: 9}] |
        .linux.gidMappings = .linux.uidMappings' --argjson id $TEST_USER
    chown -R $TEST_USER:$TEST_USER "$home" "$B"
    chmod 755 "$W" "$W/bin"
    capture as_user sh -c "cd '$home/here' && PATH=.:'$home/here:$evil' MY_TOKEN=x exec '$W/bin/aril' run -b '$B' '$ID'"
    ne "$RC" 0
    has "$ERR" "newuidmap"
    [ ! -e "$home/ran" ]
    # one of our own, which nobody else can write to, is used, and sees four variables at most
    mkdir "$home/mine"
    printf '#!/bin/sh\n/usr/bin/env >%s/ran\nexit 1\n' "$home" >"$home/mine/newuidmap"
    chmod 755 "$home/mine/newuidmap" && chown -R $TEST_USER "$home/mine"
    capture as_user sh -c "cd / && PATH='$evil:$home/mine:/usr/bin' MY_TOKEN=x TMPDIR=/tmp exec '$W/bin/aril' run -b '$B' '$ID'"
    ne "$RC" 0
    eq "$(cut -d= -f1 "$home/ran" | grep -vE '^(PWD|SHLVL|_)$' | sort | tr '\n' ' ')" "PATH TMPDIR "
    rm -rf "$home" "$evil" "$W/bin"
}

# A-3: what runs the sandbox need not be seen in it
test_A_3_helper_is_not_needed_inside() {
    local place=$W/tools
    mkdir -p "$place" && cp "$RUNTIME" "$place/aril"
    capture "$place/aril" sandbox-exec --deny "$place" -- sh -c "ls $place/aril 2>/dev/null; exit 6"
    eq "$RC $OUT" "6 "
    rm -rf "$place"
}

# A-1: only the last part of argv[0] selects a command, and an unknown name means the ordinary command line
test_A_1_names() {
    local place=$W/names name
    mkdir -p "$place"
    for name in aril-sandbox-exec runok-linux-sandbox other sandbox-exec-x; do ln -s "$RUNTIME" "$place/$name"; done
    for name in aril-sandbox-exec runok-linux-sandbox; do
        capture "$place/$name" -- sh -c 'exit 9'
        eq "$RC" 9
    done
    for name in other sandbox-exec-x; do
        capture "$place/$name" --version
        has "$OUT" "aril version"
    done
    (exec -a /sandbox-exec/x "$RUNTIME" --version) | grep -q "aril version"
    rm -rf "$place"
}

# A-2, C-1: sandboxes in a user namespace, whose root has one id only
test_A_2_in_a_user_namespace() {
    unshare -Ur true 2>/dev/null || skip "user namespaces are not allowed here"
    capture unshare -Ur "$RUNTIME" sandbox-exec -- sh -c 'id -u; touch /usr/x 2>/dev/null || echo refused'
    eq "$OUT" "0
refused"
    capture unshare -Ur "$RUNTIME" probe
    eq "$RC" 0
    has "$OUT" "sandboxes work here"
}

# A-2, C-1: sandboxes in a container: with the grants that contrib/ENGINES.md lists they work; without, probe says why not
test_A_2_in_a_container() {
    local grants='["CAP_SYS_ADMIN", "CAP_NET_ADMIN", "CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP", "CAP_CHOWN", "CAP_DAC_OVERRIDE",
        "CAP_FOWNER", "CAP_MKNOD", "CAP_SYS_CHROOT"]'
    bundle '.root = {path: "/", readonly: true} | .linux.maskedPaths = [] | .linux.readonlyPaths = [] |
        .mounts += [{destination: "/var/tmp", type: "tmpfs", source: "tmpfs"}] | .process.env = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"] |
        .process.capabilities |= map_values($grants)' --argjson grants "$grants"
    command_is "$RUNTIME" probe --upper-root /var/tmp
    capture rt run -b "$B" "$ID"
    has "$OUT" "sandboxes work here"
    eq "$RC" 0
    command_is "$RUNTIME" sandbox-exec --rw /var/tmp -- sh -c 'echo x >/var/tmp/x; cat /var/tmp/x /proc/1/comm; exit 3'
    capture rt run -b "$B" "$ID"
    eq "$RC $OUT" "3 x
aril"
    edit '.process.capabilities |= map_values([])'
    command_is "$RUNTIME" probe --upper-root /var/tmp
    capture rt run -b "$B" "$ID"
    eq "$RC" 1
    has "$OUT" "must grant CAP_SYS_ADMIN"
}

# C-1, A-2: root without capabilities, and no user namespaces: what is missing is said in words of who asked
test_C_1_says_what_is_missing() {
    local powerless=(setpriv --bounding-set=-all --inh-caps=-all)
    mkdir -p "$B" && cp "$RUNTIME" "$B/aril" && chmod 755 "$B" # where an ordinary user can execute it
    capture "${powerless[@]}" "$RUNTIME" probe --json
    eq "$RC" 1
    has "$(jq -r .layers.namespaces.message <<<"$OUT")" CAP_SYS_ADMIN
    has "$(jq -r .layers.userns.message <<<"$OUT")" CAP_SETFCAP
    has "$(jq -r .layers.identity.message <<<"$OUT")" CAP_SETUID
    capture "${powerless[@]}" "$RUNTIME" sandbox-exec -- true
    eq "$RC" 1
    has "$ERR" "an ordinary user nothing; aril probe says what works here"
    capture "${powerless[@]}" --reuid $TEST_USER --regid $TEST_USER --clear-groups "$B/aril" sandbox-exec --cwd / -- id -u
    eq "$OUT" $TEST_USER
    unshare -Ur true 2>/dev/null || skip "user namespaces are not allowed here"
    capture unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"' sh "$RUNTIME" probe --json
    has "$(jq -r .layers.userns.message <<<"$OUT")" user.max_user_namespaces
    capture rt sandbox-exec -- "$RUNTIME" probe --json
    has "$(jq -r .layers.userns.message <<<"$OUT")" "outer container or sandbox"
}

# S-6, S-7: the filter is there for init and every exec, as `state` says; no descriptor of it is left
test_S_6_filter_everywhere() {
    bundle && annotate profile strict && up
    eq "$(rt state "$ID" | jq -r '.annotations["dev.aril.layers"] | fromjson | .seccomp')" active
    eq "$(rt exec "$ID" /bin/grep -h '^Seccomp:' /proc/1/status /proc/self/status | tr -d '\t' | tr '\n' ' ')" \
        "Seccomp:2 Seccomp:2 "
    eq "$(rt exec "$ID" /bin/sh -c 'ls -l /proc/1/fd /proc/self/fd' | grep -cE 'bpf|seccomp|memfd')" 0
}

# P-6, G-2: what `state` says of the guard is what /proc says inside, and what `probe` found
test_P_6_state_is_what_proc_says() {
    local state inside
    bundle && annotate profile strict && up
    state=$(rt state "$ID" | jq -r '.annotations["dev.aril.layers"] | fromjson | .spec')
    eq "$state" "$(rt probe --json | jq -r .layers.speculation.state)"
    inside=$(rt exec "$ID" /bin/grep -hE '^Specul' /proc/1/status | grep -cE 'force (mitigated|disabled)' || true)
    case $state in
    active) eq "$inside" 2 ;;
    degraded) eq "$inside" 1 ;;
    *) eq "$inside" 0 ;;
    esac
    eq "$(rt state "$ID" | jq -r '.annotations["dev.aril.layers"] | fromjson | .landlock')" \
        "$(rt probe --json | jq -r .layers.landlock.state)"
}

# F-2: many lives of a container leave a long-lived caller as it was (CYCLES=1000 for the full number)
test_F_2_cycles() {
    local before after
    bundle && annotate profile strict && command_is /bin/true
    cycle() { rt create -b "$B" "$ID" </dev/null >/dev/null 2>&1 && rt start "$ID" && stopped && rt delete "$ID"; }
    cycle
    before=$(ls /proc/$$/fd /run/aril "$STATE" 2>/dev/null | wc -l) || true
    for _ in $(seq "${CYCLES:-15}"); do cycle; done
    after=$(ls /proc/$$/fd /run/aril "$STATE" 2>/dev/null | wc -l) || true
    eq "$after" "$before"
}

# F-3: create does not succeed when init is gone before it is ready, and leaves nothing
test_F_3_init_dies_in_create() {
    # the hook ends when init is dead: then nobody takes the message that lets it go on
    bundle '.hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c",
        "pid=$(sed -n \"s/.*\\\"pid\\\":\\([0-9]*\\).*/\\1/p\"); kill -KILL $pid; until grep -q ^State:.Z /proc/$pid/status; do :; done"]}]'
    annotate profile strict
    fails rt create -b "$B" "$ID"
    has "$ERR" "killed"
    [ ! -e "$STATE/$ID" ]
}

# F-4: somebody who opens the gate and goes away does not start the program
test_F_4_end_of_file_at_the_gate() {
    command -v python3 >/dev/null || skip "python3 is missing"
    bundle && annotate profile strict
    command_is /bin/sh -c 'echo ran'
    created
    python3 - "$STATE/$ID/start.sock" <<'END'
import os, socket, sys
os.chdir(os.path.dirname(sys.argv[1]))
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect("start.sock")
s.close()
END
    wait_for 10 is_status stopped
    hasnt "$(cat "$B/out")" ran
    rt delete "$ID"
}

# F-9: the umask of config.json, and the one of the annotation
test_F_9_umask() {
    bundle '.process.user.umask = 18'
    command_is /bin/sh -c 'umask'
    capture rt run -b "$B" "$ID"
    eq "$OUT" 0022
    annotate umask 0077
    capture rt run -b "$B" "$ID"
    eq "$OUT" 0077
}

# F-11: a terminal for exec, whoever leads the session
test_F_11_exec_with_a_terminal() {
    bundle && annotate profile strict && up
    capture script -qec "setsid -w '$RUNTIME' --root '$STATE' exec -t '$ID' /bin/sh -c 'tty; echo ok'" /dev/null </dev/null
    has "$OUT" ok
    capture script -qec "exec '$RUNTIME' --root '$STATE' exec -t '$ID' /bin/sh -c 'tty; echo ok'" /dev/null </dev/null
    has "$OUT" /dev/
    has "$OUT" ok
}

# steps_of TRACE PROGRAM: what the process that became the program did before, each step when it was done last
steps_of() {
    local pid
    pid=$(grep -F "execve(\"$2\"" "$1" | tail -n 1 | cut -d' ' -f1)
    awk -v pid="$pid" -v program="execve(\"$2\"" '
        BEGIN {
            count = split("setsid\\( pivot_root\\( mount_setattr\\( prlimit64\\(0,_RLIMIT_[A-Z]*,_{ PR_CAPBSET_DROP PR_SET_NO_NEW_PRIVS " \
                          "setgroups\\( setresgid\\( setresuid\\( capset\\( umask\\( PR_SET_SPECULATION_CTRL recvmsg\\( " \
                          "landlock_restrict_self\\( seccomp\\(", patterns, " ")
        }
        $1 != pid { next }
        index($0, program) { exit }
        {
            for (i = 1; i <= count; i++) {
                pattern = patterns[i]
                gsub(/_R/, " R", pattern); gsub(/_{/, " {", pattern)
                if ($0 ~ pattern) last[i] = NR
            }
        }
        END {
            for (i = 1; i <= count; i++) {
                gsub(/\\.*/, "", patterns[i])
                if (last[i]) print last[i], patterns[i]
            }
        }' "$1" | sort -n | cut -d' ' -f2 | tr '\n' ' '
}

confined() { # a strict container of another user with a limit
    bundle '.process.user = {uid: 12345, gid: 23456, additionalGids: [7], umask: 63} |
        .process.rlimits = [{type: "RLIMIT_CORE", soft: 0, hard: 0}]'
    annotate profile strict
    annotate speculation best-effort
}

# 2.15, L-5, G-1, S-6: the order in which init confines itself: seccomp last, Landlock behind the gate, ids after the bounding set
test_order_of_init() {
    command -v strace >/dev/null || skip "strace is missing"
    confined
    command_is /bin/echo started
    capture strace -f -o "$B/trace" "$RUNTIME" --root "$STATE" run -b "$B" "$ID"
    eq "$OUT" started
    eq "$(steps_of "$B/trace" /bin/echo)" "setsid pivot_root mount_setattr prlimit64 PR_CAPBSET_DROP PR_SET_NO_NEW_PRIVS setgroups setresgid setresuid\
 capset umask PR_SET_SPECULATION_CTRL recvmsg landlock_restrict_self seccomp "
}

# 2.15, L-5, P-5: the same order for what exec starts
test_order_of_exec() {
    command -v strace >/dev/null || skip "strace is missing"
    confined
    up
    capture strace -f -o "$B/trace" "$RUNTIME" --root "$STATE" exec "$ID" /bin/echo started
    eq "$OUT" started
    eq "$(steps_of "$B/trace" /bin/echo | sed 's/recvmsg //; s/mount_setattr //')" "setsid prlimit64 PR_CAPBSET_DROP PR_SET_NO_NEW_PRIVS setgroups setresgid setresuid\
 capset umask PR_SET_SPECULATION_CTRL landlock_restrict_self seccomp "
}

# 2.15, F-3, U-2: a step that fails ends the start before the program, with the error, and nothing is left
test_no_step_fails_unseen() {
    command -v strace >/dev/null || skip "strace is missing"
    confined
    command_is /bin/echo started
    local call
    for call in pivot_root prlimit64 setgroups setresgid setresuid capset landlock_restrict_self seccomp; do
        capture strace -f -o "$B/trace" -e trace=$call -e inject=$call:error=EPERM "$RUNTIME" --root "$STATE" run -b "$B" "$ID"
        grep -q INJECTED "$B/trace" || { echo "$call was not called"; return 1; }
        [ "$RC" != 0 ] && [ "$OUT" = "" ] && one_line "$ERR" || { echo "$call: status $RC, [$OUT] [$ERR]"; return 1; }
        eq "$(ls "$STATE")" ""
    done
}

tap_main
