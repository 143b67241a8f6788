#!/bin/bash
# aril-init: exit codes, signals, orphans, options. INIT=/usr/bin/tini or /usr/bin/catatonit runs what they share.
# spec-guard: the jail helper, as documented.
. "$(dirname "$0")/lib.sh"

INIT=${INIT:-$(dirname "$RUNTIME")/aril-init}
GUARD=${GUARD:-$(dirname "$RUNTIME")/spec-guard}
NAME=$(basename "$INIT")

ours() { [ "$NAME" = aril-init ] || skip "$NAME: an option of aril-init"; }

# pid1 WORD...: the init as pid 1 of a pid namespace
pid1() { unshare --pid --fork --kill-child --mount-proc -- "$INIT" "$@"; }

# F-5: the program's exit code, as pid 1 and as a subreaper
test_exit_codes() {
    local code
    for code in 0 1 7 126 255; do
        capture pid1 -- sh -c "exit $code"
        eq "$RC" $code
        [ "$NAME" = catatonit ] || { capture "$INIT" -s -- sh -c "exit $code" && eq "$RC" $code; }
    done
}

# F-5: 128 + signal
test_exit_signal() {
    local number
    for number in 1 2 6 9 11 15 31; do
        capture pid1 -- sh -c "kill -$number \$\$"
        eq "$RC" $((128 + number))
    done
}

# F-5: what cannot be executed
test_exec_errors() {
    [ "$NAME" != catatonit ] || skip "catatonit has codes of its own"
    capture pid1 -- /nonexistent
    eq "$RC" 127
    has "$ERR" /nonexistent
    capture pid1 -- nonexistent-program
    eq "$RC" 127
    capture pid1 -- /etc/passwd
    eq "$RC" 126
}

# A script without an interpreter line runs, as with execvp(3)
test_script_without_interpreter() {
    mkdir -p "$B"
    echo 'echo ran "$@"' >"$B/script" && chmod 755 "$B/script"
    capture env PATH="$B:$PATH" "$INIT" -- script a 'b c'
    eq "$OUT" "ran a b c"
}

# F-6: every signal that can be caught reaches the program
test_forwards_every_signal() {
    local number
    for number in HUP INT QUIT USR1 USR2 ALRM TERM STKFLT CONT WINCH URG IO PWR VTALRM PROF XCPU; do
        capture pid1 -- bash -c "trap 'exit 42' $number; kill -$number 1; for i in {1..200}; do sleep 0.01; done"
        eq "$number $RC" "$number 42"
    done
}

# F-6: real-time signals keep their number and value
test_forwards_queued_value() {
    ours
    local program='import os,signal,sys
signal.pthread_sigmask(signal.SIG_BLOCK,[40])
os.system("kill -q 1234 -s 40 1 2>/dev/null || /bin/kill -q 1234 -40 1")
i=signal.sigtimedwait([40],5); sys.exit(3 if i and i.si_signo==40 else 4)'
    command -v python3 >/dev/null || skip "python3 is missing"
    capture pid1 -- python3 -c "$program"
    eq "$RC" 3
}

# F-10: a storm of signals loses no real-time signal and does not end the init
test_signal_storm() {
    capture pid1 -- bash -c 'n=0; trap "n=\$((n+1))" USR1; for i in {1..2000}; do kill -USR1 1; done; sleep 0.1; [ $n -gt 0 ] && exit 9'
    eq "$RC" 9
}

# F-10: orphans of a double fork are reaped; no zombie stays
test_reaps_orphans() {
    capture pid1 -- bash -c 'for i in {1..200}; do (true & exec true); done; sleep 0.3; grep -l "^State:.Z" /proc/[0-9]*/status 2>/dev/null | wc -l'
    eq "$OUT" 0
}

# F-10: the same when it is not pid 1
test_subreaper() {
    ours
    capture "$INIT" -- bash -c 'me=$PPID; (sh -c "exec sleep 0.2" & echo $! >'"$TAP_DIR"'/orphan); sleep 0.05; awk "{print \$4}" /proc/$(cat '"$TAP_DIR"'/orphan)/stat; echo $me'
    eq "$(sed -n 1p <<<"$OUT")" "$(sed -n 2p <<<"$OUT")"
}

# F-10: what the program leaves behind dies with it, also when nobody is pid 1
test_kills_stragglers() {
    ours
    capture "$INIT" -- bash -c 'setsid sleep 4711 & (setsid bash -c "sleep 4712 & sleep 4713" &) ; sleep 0.1; exit 5'
    eq "$RC" 5
    ! pgrep -x -f 'sleep 471[123]'
}

# F-10: -k gives stragglers a SIGTERM and time
test_grace() {
    ours
    capture pid1 -k 5 -- bash -c '(trap "echo bye; exit" TERM; while :; do sleep 0.02; done) & sleep 0.1; exit 6'
    eq "$RC" 6
    eq "$OUT" bye
    capture "$INIT" -k 1 -- bash -c '(trap "" TERM; sleep 4714) & sleep 0.1'
    eq "$RC" 0
    ! pgrep -x -f 'sleep 4714'
}

# sd_listen_fds: LISTEN_PID and WATCHDOG_PID name the program; NOTIFY_SOCKET stays
test_systemd_variables() {
    ours
    capture pid1 -- env
    local program='[ "$LISTEN_PID" = $$ ] && [ "$WATCHDOG_PID" = $$ ] && [ "$NOTIFY_SOCKET" = /x ]'
    LISTEN_PID=1 WATCHDOG_PID=1 NOTIFY_SOCKET=/x capture pid1 -- sh -c "$program"
    eq "$RC" 0
}

# podman: -P is a pause container, which ends with 0 on SIGTERM and says READY=1
test_pause() {
    [ "$NAME" != tini ] || skip "tini cannot pause"
    "$INIT" -P &
    local pid=$!
    wait_for 5 eval "[ /proc/$pid/exe -ef '$INIT' ] && grep -q '^State:.S' /proc/$pid/status"
    kill -TERM $pid
    wait $pid
}

# sd_notify: a pause container is ready at once
test_pause_notifies() {
    ours
    command -v python3 >/dev/null || skip "python3 is missing"
    capture python3 -c "
import socket,subprocess,os
s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM); s.bind('\0aril-init-$$'); s.settimeout(5)
p=subprocess.Popen(['$INIT','-P'],env={'NOTIFY_SOCKET':'@aril-init-$$'})
print(s.recv(64).decode()); p.terminate(); print(p.wait())"
    eq "$OUT" "READY=1
0"
}

# tini: -g signals the group, -e makes codes a success
test_tini_options() {
    [ "$NAME" != catatonit ] || skip "catatonit has other options"
    capture pid1 -g -- bash -c 'bash -c "trap \"echo child\" TERM; sleep 0.5 & wait" & trap "wait; exit 8" TERM; sleep 0.1; kill -TERM 1; wait'
    has "$OUT" child
    capture pid1 -e 143 -e 7 -- sh -c 'exit 7'
    eq "$RC" 0
    capture pid1 -e 300 -- true
    eq "$RC" 1
}

# F-7: -T ends everything after a time, with 124; nothing inside can stop that
test_time_limit() {
    ours
    capture pid1 -T 0.2 -- sleep 60
    eq "$RC" 124
    has "$ERR" "Time limit exceeded"
    capture pid1 -T 60 -- sh -c 'kill -ALRM 1; kill -ALRM $$; sleep 5'
    eq "$RC" 142
    local start=$SECONDS
    capture pid1 -T 0.2 -- bash -c 'trap "" TERM; (trap "" TERM; while :; do :; done) & while :; do sleep 1; done'
    eq "$RC" 124
    [ $((SECONDS - start)) -lt 6 ]
    capture pid1 -T x -- true
    eq "$RC" 1
}

# K-1: static, without a libc of 700 kB
test_small() {
    ours
    cp "$INIT" "$TAP_DIR/init" && strip "$TAP_DIR/init"
    [ "$(stat -c %s "$TAP_DIR/init")" -lt 30000 ] || [ "$(uname -m)" != x86_64 ]
    ! readelf -l "$INIT" | grep -q INTERP
}

# One system call for each child that dies
test_few_system_calls() {
    ours
    command -v strace >/dev/null || skip "strace is missing"
    local work='for i in {1..100}; do (true & exec true); done; sleep 0.2'
    strace -qq -o "$TAP_DIR/trace" "$INIT" -- bash -c "$work"
    local calls
    calls=$(wc -l <"$TAP_DIR/trace")
    [ "$calls" -lt 320 ] || { echo "$calls lines"; return 1; }
}

# init_calls PROGRAM ORPHANS [OPTION]: how many system calls it makes itself while so many orphans end
init_calls() {
    strace -qq -o "$TAP_DIR/trace" "$1" ${3+"$3"} -- \
        bash -c "for ((i = 0; i < $2; i++)); do (sleep 0.\$((300 + i * 5)) &); done; sleep 1.5" >/dev/null 2>&1 || return 1
    grep -cE '^[a-z_0-9]+\(' "$TAP_DIR/trace"
}

# F-10: beside tini and catatonit: smaller, and one system call for each child (the figures: PRINT=1)
test_beside_others() {
    ours
    command -v strace >/dev/null || skip "strace is missing"
    local program few many size own_calls='' own_size='' compared=0
    for program in "$INIT" tini catatonit; do
        program=$(command -v "$program") || continue
        few=$(init_calls "$program" 0 -s) || few=$(init_calls "$program" 0)
        many=$(init_calls "$program" 100 -s) || many=$(init_calls "$program" 100)
        cp -L "$program" "$TAP_DIR/init" && strip "$TAP_DIR/init"
        size=$(stat -c %s "$TAP_DIR/init")
        [ -z "${PRINT:-}" ] || echo "${program##*/}: $size bytes, $((many - few)) system calls for 100 orphans" >&2
        if [ -z "$own_calls" ]; then
            own_calls=$((many - few)) own_size=$size
            [ "$own_calls" -le 105 ] || { echo "$own_calls for 100 orphans" >&2; return 1; }
            continue
        fi
        compared=$((compared + 1))
        # on a busy machine several children end at once, and cost the others less: 1 to 3 calls each
        [ "$own_calls" -le $((many - few + 5)) ] && [ "$own_size" -lt "$size" ] ||
            { echo "$program: $((many - few)) calls, $size bytes; ours: $own_calls, $own_size" >&2; return 1; }
    done
    [ $compared -gt 0 ] || skip "neither tini nor catatonit is here"
}

# ---- spec-guard (G-3) ------------------------------------------------------------------------------------------

# G-3: usage and exit codes
test_guard_usage() {
    capture "$GUARD"
    eq "$RC" 1
    eq "$ERR" "usage: spec-guard <command> [args...]"
    capture "$GUARD" nonexistent-program
    eq "$RC" 1
    eq "$ERR" "exec: No such file or directory"
    capture "$GUARD" sh -c 'exit 7'
    eq "$RC" 7
}

# G-3, F-1: inherited descriptors are closed; umask 0077
test_guard_descriptors() {
    exec 5</dev/null 6</dev/null 7</dev/null 8</dev/null 9</dev/null
    local direct guarded
    direct=$(ls /proc/self/fd | wc -l)
    guarded=$("$GUARD" ls /proc/self/fd | wc -l)
    [ "$direct" -ge 8 ] && [ "$guarded" -le 5 ] || { echo "$direct $guarded"; return 1; }
    eq "$("$GUARD" sh -c umask)" 0077
}

# G-3: without close_range, with descriptors above a limit that is full (EMFILE)
test_guard_emfile() {
    command -v python3 >/dev/null || skip "python3 is missing"
    ${CC:-cc} -std=c17 -D_GNU_SOURCE -DSPEC_GUARD_WITHOUT_CLOSE_RANGE -static -o "$TAP_DIR/guard" "$SOURCE/hooks/spec-guard.c"
    local program='import os,resource,sys
for i in range(256): os.set_inheritable(os.open("/dev/null",os.O_RDONLY),True)
resource.setrlimit(resource.RLIMIT_NOFILE,(32,32))
os.execv(sys.argv[1],[sys.argv[1],"sh","-c","ls /proc/$$/fd"])'
    capture python3 -c "$program" "$TAP_DIR/guard"
    eq "$(sort -n <<<"$OUT" | tr '\n' ' ')" "0 1 2 "
    capture python3 -c "$program" "$GUARD"
    eq "$(sort -n <<<"$OUT" | tr '\n' ' ')" "0 1 2 "
}

# G-3: --tool-call-pipes keeps two pipes of the right direction and closes the rest
test_guard_pipes() {
    mkfifo "$TAP_DIR/out" "$TAP_DIR/in"
    capture "$GUARD" --tool-call-pipes true
    eq "$RC" 1
    eq "$ERR" "invalid tool-call pipes"
    exec 8<>"$TAP_DIR/out" 9<>"$TAP_DIR/in"
    capture "$GUARD" --tool-call-pipes sh -c 'ls /proc/$$/fd' 3>"$TAP_DIR/out" 4<"$TAP_DIR/in" 5</dev/null
    eq "$(sort -n <<<"$OUT" | tr '\n' ' ')" "0 1 2 3 4 "
    capture "$GUARD" --tool-call-pipes true 3<"$TAP_DIR/in" 4<"$TAP_DIR/in"
    eq "$RC" 1
}

# G-2: both kinds of speculation are off where the processor can
test_guard_speculation() {
    local before after
    before=$(grep -i '^Spec' /proc/self/status)
    after=$("$GUARD" grep -i '^Spec' /proc/self/status)
    if grep -q 'Store_Bypass:.*thread' <<<"$before"; then has "$after" "thread force mitigated"; fi
    if grep -q 'Branch:.*conditional' <<<"$before"; then has "$after" "conditional force disabled"; fi
    if ! grep -qE 'thread|conditional' <<<"$before"; then eq "$after" "$before"; fi
}

# G-3, K-1: installed with mode 0555
test_helper_modes() {
    [ -f "$(dirname "$RUNTIME")/Makefile" ] || skip "not a build directory"
    make -s -C "$(dirname "$RUNTIME")" install-exec DESTDIR="$TAP_DIR/inst" >/dev/null 2>&1
    eq "$(find "$TAP_DIR/inst" -name spec-guard -printf '%m')" 555
    eq "$(find "$TAP_DIR/inst" -name aril-init -printf '%m')" 555
}

tap_main
