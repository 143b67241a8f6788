#!/bin/bash
# `run`: exit codes, signals, stdin and stdout, --detach, --keep, --pid-file, --preserve-fds, LISTEN_FDS.
. "$(dirname "$0")/lib.sh"

# X1: run ends with the status of the program
test_exit_codes() {
    bundle
    local code
    for code in 0 1 2 42 126 255; do
        command_is /bin/probe exit $code
        capture rt run -b "$B" "$ID"
        eq "$RC" $code
        eq "$ERR" ""
    done
}

# X1: a program ended by signal N gives 128+N
test_exit_signal() {
    bundle '.linux.namespaces |= map(select(.type != "pid"))'
    local number
    for number in 9 15 6 34; do
        command_is /bin/probe kill $number
        capture rt run -b "$B" "$ID"
        eq "$RC" $((128 + number))
    done
}

# X1: also for pid 1 of a pid namespace, killed from outside
test_exit_killed_outside() {
    bundle
    command_is /bin/sleep 1000
    rt run -b "$B" "$ID" >/dev/null 2>&1 &
    wait_for 5 is_status running
    rt kill "$ID" KILL
    local rc=0
    wait $! || rc=$?
    eq $rc 137
}

# 30: run deletes the container at the end
test_run_deletes() {
    bundle
    command_is /bin/true
    rt run -b "$B" "$ID"
    fails rt state "$ID"
    eq "$(ls "$STATE")" ""
}

# D6 275: --keep leaves it, stopped
test_keep() {
    not_for crun "1.8 has no --keep"
    bundle
    command_is /bin/probe exit 3
    capture rt run --keep -b "$B" "$ID"
    eq "$RC" 3
    eq "$(status)" stopped
    rt delete "$ID"
}

# D6: a kept container can be executed in while it runs, and is still there after
test_keep_exec() {
    not_for crun "1.8 has no --keep"
    bundle
    command_is /bin/sh -c 'while [ ! -e /dev/shm/end ]; do sleep 0.05; done; exit 4'
    rt run --keep -b "$B" "$ID" >/dev/null 2>&1 &
    wait_for 5 is_status running
    rt exec "$ID" /bin/touch /dev/shm/end
    local rc=0
    wait $! || rc=$?
    eq $rc 4
    rt delete "$ID"
}

# 275: --detach returns when the program runs, and the program stays
test_detach() {
    bundle
    command_is /bin/sleep 1000
    rt run --detach --pid-file "$B/pid" -b "$B" "$ID" >"$B/out" 2>&1
    eq "$(status)" running
    eq "$(cat "$B/pid")" "$(pid_of)"
    eq "$(tr '\0' ' ' <"/proc/$(pid_of)/cmdline")" "/bin/sleep 1000 "
}

# M4 B2: the program of a detached container is a child of the nearest subreaper, not of a left process
test_detach_reparented() {
    bundle
    command_is /bin/sleep 1000
    rt run -d -b "$B" "$ID" >/dev/null 2>&1
    eq "$(awk '/^PPid/ {print $2}' "/proc/$(pid_of)/status")" 1
}

# run: stdin, stdout and stderr are the caller's
test_streams() {
    bundle
    command_is /bin/sh -c 'cat; echo to-stderr >&2'
    echo from-stdin | rt run -b "$B" "$ID" >"$B/out" 2>"$B/err"
    eq "$(cat "$B/out")" from-stdin
    eq "$(cat "$B/err")" to-stderr
}

# run: 16 MiB pass through, both ways
test_streams_big() {
    bundle
    command_is /bin/sh -c 'cat | md5sum; dd if=/dev/zero bs=64k count=256 2>/dev/null'
    head -c 16777216 /dev/zero | rt run -b "$B" "$ID" >"$B/out"
    eq "$(head -n 1 "$B/out")" "2c7ab85a893283e98c931e9511add182  -"
    eq "$(tail -n +2 "$B/out" | wc -c)" 16777216
}

# run: a closed stdin, stdout and stderr do not matter and are not replaced by something else
test_streams_closed() {
    todo_for crun "1.8 fails"
    bundle '.root.readonly = false'
    command_is /bin/sh -c 'ls -l /proc/self/fd >/fds 2>&1; echo finished >/end'
    rt run -b "$B" "$ID" <&- >&- 2>&-
    eq "$(cat "$B/rootfs/end")" finished
}

# run: signals are forwarded to the program
test_signals_forwarded() {
    bundle
    command_is /bin/sh -c 'for s in HUP INT USR1 USR2 QUIT WINCH CONT; do trap "echo got-$s-end" $s; done
        trap "echo got-TERM-end; exit 7" TERM; echo ready; while :; do sleep 0.02; done'
    "$RUNTIME" --root "$STATE" run -b "$B" "$ID" >"$B/out" 2>&1 &
    local runtime=$! signal rc=0
    wait_for 5 log_has ready
    for signal in HUP USR1 USR2 QUIT CONT TERM; do
        kill -$signal $runtime
        wait_for 5 log_has got-$signal-end
    done
    wait $runtime || rc=$?
    eq $rc 7
}

# run: SIGINT reaches the program once (background jobs of a shell ignore it, hence env)
test_sigint_forwarded() {
    bundle
    command_is /bin/sh -c 'trap "echo got-INT-end; exit 8" INT; echo ready; while :; do sleep 0.02; done'
    env --default-signal=INT "$RUNTIME" --root "$STATE" run -b "$B" "$ID" >"$B/out" 2>&1 &
    local runtime=$! rc=0
    wait_for 5 log_has ready
    kill -INT $runtime
    wait $runtime || rc=$?
    eq $rc 8
    eq "$(grep -c got-INT "$B/out")" 1
}

# 257: the program starts with no blocked and no ignored signals
test_signal_masks() {
    bundle
    probe
    eq "$(p .signals.blocked)" 0000000000000000
    eq "$(p .signals.ignored)" 0000000000000000
}

# 257: signals that the caller ignores or blocks do not stay so (a shell ignores INT and QUIT for background jobs)
test_signal_masks_of_caller() {
    todo_for runc "1.1 keeps blocked signals blocked"
    bundle
    command_is /bin/probe
    REPORT=$(env --ignore-signal=QUIT,USR1,PIPE --block-signal=USR2,TERM -- "$RUNTIME" --root "$STATE" run -b "$B" "$ID")
    eq "$(p .signals.blocked)" 0000000000000000
    eq "$(p .signals.ignored)" 0000000000000000
}

# 44 49: only stdin, stdout and stderr are open
test_no_stray_fds() {
    bundle
    exec 7</etc/passwd
    probe
    eq "$(p '[.fds[].fd]')" '[0,1,2]'
}

# 46: --preserve-fds passes as many as asked and no more
test_preserve_fds() {
    bundle
    echo three >"$B/three"
    echo four >"$B/four"
    exec 3<"$B/three" 4<"$B/four" 5</etc/passwd
    command_is /bin/sh -c 'cat <&3; cat <&4; probe fds'
    rt run --preserve-fds 2 -b "$B" "$ID" >"$B/out"
    eq "$(head -n 2 "$B/out")" $'three\nfour'
    hasnt "$(cat "$B/out")" /etc/passwd
}

# 47: LISTEN_FDS passes that many descriptors, with LISTEN_PID=1
test_listen_fds() {
    todo_for runc "1.1 wants LISTEN_PID to be its own pid"
    todo_for crun "1.8 sets no LISTEN_PID"
    bundle
    echo three >"$B/three"
    exec 3<"$B/three"
    command_is /bin/sh -c 'cat <&3; echo $LISTEN_FDS $LISTEN_PID'
    LISTEN_FDS=1 rt run -b "$B" "$ID" >"$B/out"
    eq "$(cat "$B/out")" $'three\n1 1'
}

# 49: the runtime's own environment does not reach the program
test_environment_is_own() {
    bundle
    SECRET_OF_THE_HOST=1 probe
    eq "$(p '[.env[] | select(startswith("HOME=") | not)] | sort')" '["PATH=/bin","TERM=xterm"]'
}

# 79 M8: the program leads its own session
test_own_session() {
    bundle
    probe
    eq "$(p '[.pid, .sid, .pgid]')" '[1,1,1]'
}

# 286: when the runtime fails, run says so on one line and exits 1
test_run_fails() {
    bundle '.process.args = ["/no/such"]'
    fails rt run -b "$B" "$ID"
    eq "$RC" 1
    fails rt run -b "$B/nowhere" "$ID"
    eq "$RC" 1
}

# E2 28: a foreground container can be killed by another caller
test_kill_foreground() {
    bundle
    command_is /bin/sh -c 'trap "exit 5" TERM; echo ready; while :; do sleep 0.02; done'
    rt run -b "$B" "$ID" >"$B/out" 2>&1 &
    wait_for 5 log_has ready
    rt kill "$ID" TERM
    local rc=0
    wait $! || rc=$?
    eq $rc 5
}

# 287: when the foreground runtime is killed, delete --force still cleans up
test_runtime_killed() {
    bundle
    command_is /bin/sleep 1000
    "$RUNTIME" --root "$STATE" run -b "$B" "$ID" >/dev/null 2>&1 &
    wait_for 5 is_status running
    kill -KILL $!
    wait $! || true
    rt delete --force "$ID"
}

# 51: pipes of stdio belong to the container's user
test_stdio_owner() {
    bundle '.process.user = {uid: 1000, gid: 1000}'
    probe
    eq "$(p '.fds[] | select(.fd == 1) | .uid')" 1000
}

# 51: the same for the ids of a user namespace, which cannot give itself the host's files
test_stdio_owner_userns() {
    bundle '.linux |= (.namespaces += [{type: "user"}] | .uidMappings = [{containerID: 0, hostID: 300000, size: 65536}] | .gidMappings = .uidMappings)'
    probe
    eq "$(p '.fds[] | select(.fd == 1) | .uid')" 0
    probe '.process.user = {uid: 1000, gid: 1000}'
    eq "$(p '.fds[] | select(.fd == 1) | .uid')" 1000
    up
    eq "$(rt exec "$ID" /bin/stat -L -c %u /dev/stdout | cat)" 1000
}

# manager FILE: a service manager's socket; prints every datagram, and how it was told of descriptors
manager() {
    command -v python3 >/dev/null || skip "needs python3 to receive datagrams"
    python3 - "$B/notify" >"$B/received" <<'P' &
import array, os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
s.settimeout(float(os.environ.get("MANAGER_TIMEOUT", "10")))
while True:
    try:
        data, control, _, _ = s.recvmsg(4096, 4096)
    except TimeoutError:
        break
    fds = array.array("i")
    for _, _, payload in control:
        fds.frombytes(payload[:len(payload) // 4 * 4])
    print(data.decode().replace("\n", " "), "fds:", len(fds), flush=True)
    for fd in fds:
        os.close(fd)
    if os.environ.get("LAST", "READY=1") in data.decode():
        break
P
    MANAGER=$!
    wait_for 5 [ -S "$B/notify" ]
}

# 48 M9: NOTIFY_SOCKET: READY=1 of the program arrives on the host, from the runtime in the foreground
test_notify_socket() {
    bundle
    command_is /bin/sh -c 'echo $NOTIFY_SOCKET; probe notify READY=1; sleep 0.5'
    manager
    eq "$(NOTIFY_SOCKET=$B/notify rt run -b "$B" "$ID")" /run/notify/notify.sock
    wait $MANAGER
    eq "$(cat "$B/received")" "READY=1 fds: 0"
}

# 48: start waits for READY=1, passes MAINPID with it and waits at a barrier
test_notify_start() {
    local pid
    bundle
    command_is /bin/sh -c 'sleep 0.3; probe notify "STATUS=hello
READY=1"; sleep 1000'
    LAST=BARRIER=1 manager
    NOTIFY_SOCKET=$B/notify rt create -b "$B" "$ID" >"$B/out" 2>&1
    pid=$(pid_of)
    NOTIFY_SOCKET=$B/notify rt start "$ID"
    wait $MANAGER
    eq "$(cat "$B/received")" "MAINPID=$pid READY=1 fds: 0
BARRIER=1 fds: 1"
    is_status running
}

# 48: run --detach waits for READY=1 like start; other messages stay inside
test_notify_detach() {
    bundle
    command_is /bin/sh -c 'probe notify EXTEND_TIMEOUT_USEC=9; probe notify MAINPID=1; sleep 0.2; probe notify READY=1; sleep 1000'
    LAST=BARRIER=1 manager
    NOTIFY_SOCKET=$B/notify rt run -d -b "$B" "$ID" >"$B/out" 2>&1
    wait $MANAGER
    eq "$(cat "$B/received")" "MAINPID=$(pid_of) READY=1 fds: 0
BARRIER=1 fds: 1"
}

# 48: a program that ends without READY=1 does not keep start waiting; nothing is sent
test_notify_never() {
    bundle
    command_is /bin/true
    MANAGER_TIMEOUT=2 manager
    NOTIFY_SOCKET=$B/notify rt create -b "$B" "$ID" >"$B/out" 2>&1
    NOTIFY_SOCKET=$B/notify timeout 10 "$RUNTIME" --root "$STATE" start "$ID"
    wait $MANAGER
    eq "$(cat "$B/received")" ""
}

# 48: in a user namespace, with a read-only root, for an ordinary user
test_notify_user_namespace() {
    bundle '.linux.namespaces += [{"type": "user"}] | .root.readonly = true | .process.user = {"uid": 1000, "gid": 1000}
        | .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}]
        | .linux.gidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}]'
    mkdir -p "$B/rootfs/run/notify" # not root's in there
    command_is /bin/sh -c 'probe notify READY=1; sleep 0.5'
    manager
    NOTIFY_SOCKET=$B/notify rt run -b "$B" "$ID"
    wait $MANAGER
    has "$(cat "$B/received")" READY=1
}

# 48: exec'd processes do not get NOTIFY_SOCKET
test_notify_not_in_exec() {
    bundle
    command_is /bin/sleep 1000
    manager
    NOTIFY_SOCKET=$B/notify rt create -b "$B" "$ID" >"$B/out" 2>&1
    rt start "$ID"
    hasnt "$(NOTIFY_SOCKET=$B/notify rt exec "$ID" env)" NOTIFY_SOCKET
    kill $MANAGER
}

# 47 M7: LISTEN_FDS with the LISTEN_PID of somebody else: passed on, LISTEN_PID is 1 inside, names too
test_listen_fds_of_conmon() {
    bundle
    command_is /bin/sh -c 'echo $LISTEN_FDS $LISTEN_PID $LISTEN_FDNAMES; cat <&3; cat <&4'
    eq "$(LISTEN_FDS=2 LISTEN_PID=99999 LISTEN_FDNAMES=a:b rt run -b "$B" "$ID" 3<<<three 4<<<four)" "2 1 a:b
three
four"
}

# 47: LISTEN_FDS that is no number, or names descriptors that are not open, is an error
test_listen_fds_bad() {
    bundle
    LISTEN_FDS=2x fails rt run -b "$B" "$ID"
    has "$ERR" "LISTEN_FDS=2x"
    LISTEN_FDS=40 fails rt run -b "$B" "$ID"
    has "$ERR" "bad file descriptor"
}

tap_main
