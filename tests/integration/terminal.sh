#!/bin/bash
# Terminals: process.terminal with a console socket and on a real terminal (by script).
. "$(dirname "$0")/lib.sh"

# on_terminal COMMAND...: runs it on a new terminal of 33 by 111; its output is in $B/typescript
on_terminal() {
    timeout 30 script -qec "stty rows 33 cols 111; $*" "$B/typescript" >/dev/null
}

# what the terminal showed, without carriage returns, the echoed ^@ and the lines of script itself
shown() {
    grep -v '^Script ' "$B/typescript" | tr -d '\r' | sed 's/\^@//g'
}

# console COMMAND...: creates and starts a container with a terminal on a console socket; its output is in $B/tty-out
console() {
    edit '.process.terminal = true'
    command_is "$@"
    mkfifo "$B/tty-in"
    "$TEST_BIN/recvtty" "$B/console" <>"$B/tty-in" >"$B/tty-out" 2>&1 &
    wait_for 5 [ -S "$B/console" ]
    rt create -b "$B" --console-socket "$B/console" "$ID" >"$B/out" 2>&1 || { cat "$B/out"; return 1; }
    rt start "$ID"
}

end_console() {
    rt delete --force "$ID"
    kill %% 2>/dev/null || true
    wait 2>/dev/null || true
}

# 289 G16: the console socket receives one descriptor, a terminal, with a name as payload
test_console_socket() {
    bundle
    console /bin/sh -c 'tty; echo done-here'
    wait_for 5 grep -q done-here "$B/tty-out"
    matches "$(head -n 1 "$B/tty-out")" '^payload=.+ fds=1 .* tty=1'
    has "$(cat "$B/tty-out")" /dev/pts/0
    end_console
}

# 52 291: the terminal is stdin, stdout and stderr, and controls the session; it belongs to the user
test_terminal_properties() {
    bundle '.process.user = {uid: 1000, gid: 1000}'
    console /bin/sh -c 'probe >/dev/shm/report; stat -L -c %u /dev/pts/0; echo done-here; sleep 1000'
    wait_for 5 grep -q done-here "$B/tty-out"
    REPORT=$(rt exec "$ID" /bin/cat /dev/shm/report)
    eq "$(p '.terminal | [.stdin, .stderr, .controlling]')" '[1,1,1]'
    eq "$(p .terminal.name)" /dev/pts/0
    ne "$(p .tty_nr)" 0
    matches "$(tr -d '\r' <"$B/tty-out")" $'\n1000\n'
    end_console
}

# 150 154: /dev/console is the terminal, as a character device
test_dev_console() {
    bundle
    console /bin/sh -c 'stat -L -c "%F" /dev/console; echo through-console >/dev/console; sleep 0.2'
    wait_for 5 grep -q through-console "$B/tty-out"
    has "$(cat "$B/tty-out")" "character special file"
    end_console
}

# 53 292: consoleSize
test_console_size() {
    bundle '.process.consoleSize = {height: 40, width: 120}'
    console /bin/sh -c 'stty size; echo done-here'
    wait_for 5 grep -q done-here "$B/tty-out"
    has "$(cat "$B/tty-out")" "40 120"
    end_console
}

# 53 292: consoleSize holds in the foreground too, whatever the caller's terminal has
test_console_size_foreground() {
    todo_for runc "the caller's size"
    bundle '.process.terminal = true | .process.consoleSize = {height: 40, width: 120}'
    command_is /bin/stty size
    has "$(timeout -k 5 60 script -qec "stty rows 20 cols 100; $RUNTIME --root $STATE run -b $B $ID" /dev/null <>"$TAP_DIR/never")" "40 120"
}

# 53: consoleSize without a terminal is ignored
test_console_size_ignored() {
    bundle '.process.consoleSize = {height: 40, width: 120}'
    eq "$(shell 'echo fine')" fine
}

# console: what the engine types arrives
test_console_input() {
    bundle
    console /bin/sh -c 'read line; echo "got <$line>"'
    echo typed >"$B/tty-in"
    wait_for 5 grep -q "got <typed>" "$B/tty-out"
    end_console
}

# E11 290: create with a terminal and no console socket is refused, and leaves nothing
test_needs_console_socket() {
    todo_for crun "has other words"
    bundle '.process.terminal = true'
    command_is /bin/true
    fails rt create -b "$B" "$ID"
    has "$ERR" "without setting console socket"
    one_line "$ERR"
    fails rt run --detach -b "$B" "$ID"
    has "$ERR" "without setting console socket"
}

# E11 290: a console socket without a terminal is refused
test_needs_terminal() {
    bundle
    command_is /bin/true
    fails rt create -b "$B" --console-socket "$B/console" "$ID"
    has "$ERR" "console socket"
}

# 289: a console socket that is not there
test_console_socket_missing() {
    bundle '.process.terminal = true'
    command_is /bin/true
    fails rt create -b "$B" --console-socket "$B/no-such" "$ID"
    eq "$RC" 1
    one_line "$ERR"
}

# 291: foreground run on a terminal: a terminal inside, of the size outside
test_foreground() {
    todo_for crun "1.8 leaves the size unset"
    bundle '.process.terminal = true'
    command_is /bin/sh -c 'tty; sleep 0.3; stty size; test -t 0 && test -t 1 && test -t 2 && echo all-three'
    on_terminal "$RUNTIME --root $STATE run -b $B $ID" </dev/null
    eq "$(shown | grep -v '^$')" $'/dev/pts/0\n33 111\nall-three'
}

# X1: exit codes pass through a terminal too
test_foreground_exit_code() {
    bundle '.process.terminal = true'
    command_is /bin/sh -c 'exit 6'
    on_terminal "$RUNTIME --root $STATE run -b $B $ID; echo status=\$?" </dev/null
    has "$(shown)" status=6
}

# foreground: typing reaches the program, and control characters are the inner terminal's
test_foreground_typing() {
    bundle '.process.terminal = true'
    command_is /bin/sh
    { sleep 1; printf 'echo A$((1+1))B\n'; sleep 0.5; printf 'exit 6\n'; sleep 0.5; } |
        on_terminal "$RUNTIME --root $STATE run -b $B $ID; echo status=\$?"
    has "$(shown)" A2B
    has "$(shown)" status=6
}

# foreground: ctrl-c interrupts the program and not the runtime
test_foreground_interrupt() {
    bundle '.process.terminal = true'
    command_is /bin/sh -c 'trap "echo interrupted; exit 4" INT; echo ready; sleep 20 & wait'
    { sleep 1; printf '\003'; sleep 1; } | on_terminal "$RUNTIME --root $STATE run -b $B $ID; echo status=\$?"
    has "$(shown)" interrupted
    has "$(shown)" status=4
}

# 292: a change of the window's size reaches the program
test_foreground_resize() {
    todo_for crun "1.8 leaves the size unset"
    command -v python3 >/dev/null || skip "needs python3 to change the size of the terminal"
    bundle '.process.terminal = true'
    command_is /bin/sh -c 'trap "sleep 0.2; stty size; exit 0" WINCH; echo ready; while :; do sleep 0.05; done'
    timeout 30 python3 - "$B/typescript" "$RUNTIME" --root "$STATE" run -b "$B" "$ID" <<'P'
import fcntl, os, pty, struct, sys, termios, time
pid, master = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
text = b""
while b"ready" not in text:
    text += os.read(master, 1000)
time.sleep(0.2)
fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 44, 133, 0, 0))
try:
    while True:
        more = os.read(master, 1000)
        if not more:
            break
        text += more
except OSError:
    pass
open(sys.argv[1], "wb").write(text)
P
    has "$(cat "$B/typescript")" "44 133"
}

# the caller's terminal is as before when run ends, also when the runtime fails
test_terminal_restored() {
    bundle '.process.terminal = true'
    command_is /bin/true
    on_terminal "stty -a >$B/before; $RUNTIME --root $STATE run -b $B $ID; stty -a >$B/after" </dev/null
    eq "$(cat "$B/after")" "$(cat "$B/before")"
    command_is /no/such
    on_terminal "stty -a >$B/before; $RUNTIME --root $STATE run -b $B $ID; stty -a >$B/after" </dev/null
    eq "$(cat "$B/after")" "$(cat "$B/before")"
}

# foreground: 1 MiB of output over a terminal arrives whole
test_foreground_output() {
    bundle '.process.terminal = true'
    command_is /bin/sh -c 'i=0; while [ $i -lt 20000 ]; do echo 0123456789012345678901234567890123456789012345678; i=$((i + 1)); done; echo the-end'
    on_terminal "$RUNTIME --root $STATE run -b $B $ID" </dev/null
    eq "$(shown | grep -c '^01234')" 20000
    has "$(shown | tail -n 3)" the-end
}

# run with a terminal when stdin is no terminal: works like runc and crun, or says why
test_foreground_without_terminal() {
    todo_for crun "1.8 prints several lines"
    bundle '.process.terminal = true'
    command_is /bin/sh -c 'test -t 1 && echo has-terminal'
    capture rt run -b "$B" "$ID"
    if [ "$RC" = 0 ]; then has "$OUT" has-terminal; else one_line "$ERR"; fi
}

# CVE-2025-52565: /dev/console of an image that is a symlink leads nowhere outside
test_console_symlink() {
    bundle '.mounts |= map(select(.destination != "/dev"))'
    echo untouched >"$B/victim"
    ln -s "$B/victim" "$B/rootfs/dev/console"
    mkdir -p "$B/rootfs/dev/pts" "$B/rootfs/dev/shm" "$B/rootfs/dev/mqueue"
    capture console /bin/sh -c 'echo overwritten >/dev/console'
    end_console
    eq "$(cat "$B/victim")" untouched
}

tap_main
