#!/bin/bash
# `sandbox-exec` from the prompt of a shell with job control: keys, windows, the background.
. "$(dirname "$0")/lib.sh"
[ "$KIND" = aril ] || bail_out "only aril has sandbox-exec"
command -v python3 >/dev/null || bail_out "python3 is missing (contrib/test-all installs what the tests need)"

# What a person does at a terminal, driven by what is seen there: TEXT=KEYS..., where KEYS are typed once TEXT has been seen.
# "=" is the first sign that separates; rows,columns is a new size of the window. Prints all that was seen.
cat >"$W/type.py" <<'END'
import fcntl, os, pty, re, select, signal, struct, sys, termios, time
pid, master = pty.fork()
if pid == 0:
    signal.signal(signal.SIGINT, signal.SIG_DFL) # who runs tests in the background ignores it
    os.execvp("bash", ["bash", "--norc", "-m", "-c", sys.argv[1]])
seen, start, steps = b"", 0, [argument.split("=", 1) for argument in sys.argv[2:]]
end = time.time() + 40
while time.time() < end:
    if steps and steps[0][0].encode() in seen[start:]:
        text, keys = steps.pop(0)
        start = seen.index(text.encode(), start) + len(text)
        if re.fullmatch(r"\d+,\d+", keys):
            fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", *map(int, keys.split(",")), 0, 0))
        else:
            os.write(master, keys.encode().decode("unicode_escape").encode("latin1"))
    if not select.select([master], [], [], 0.05)[0]:
        continue
    try:
        data = os.read(master, 65536)
    except OSError:
        break
    if not data:
        break
    seen += data
sys.stdout.write(seen.decode("latin1").replace("\r", ""))
if time.time() >= end:
    sys.exit("still running; not seen: %s" % steps)
END

# A command that keys can stop, continue and end. It says when it is there, and never forks: signals get lost in the vfork() of
# some shells.
make_job() {
    mkdir -p "$B"
    printf '#!/bin/bash\ntrap "echo continued" CONT\necho ready\nwhile :; do read -rt 0.05; done\n' >"$B/job"
    chmod +x "$B/job"
}

at_terminal() { # SCRIPT TEXT=KEYS...
    capture python3 "$W/type.py" "$@"
    eq "$RC $ERR" "0 " || { printf 'terminal:\n%s\n' "$OUT"; return 1; }
}

# F-6: ^C ends the whole command line, as without a sandbox: also what waits for a child that it started
test_interrupt() {
    make_job && printf 'test:\n\t@./job; echo after\n' >"$B/Makefile"
    at_terminal "cd $B; $RUNTIME sandbox-exec -- sh -c './job; echo after'; echo status=\$?" 'ready=\x03'
    has "$OUT" status=130
    hasnt "$OUT" after
    command -v make >/dev/null || skip "make is missing"
    at_terminal "cd $B; $RUNTIME sandbox-exec --rw . -- make -s test; echo status=\$?" 'ready=\x03'
    matches "$OUT" 'status=(2|130)'
    hasnt "$OUT" after
}

# F-6: ^Z stops the command with the runtime, and fg continues both
test_stop_and_continue() {
    make_job
    at_terminal "cd $B; $RUNTIME sandbox-exec -- ./job
        echo stopped=\$?
        until ps -eo stat,args | grep -q '^T[^ ]* */bin/bash ./job'; do sleep 0.02; done
        echo all of it; fg; echo status=\$?" 'ready=\x1a' 'continued=\x03'
    has "$OUT" stopped=148
    has "$OUT" "all of it"
    has "$OUT" status=130
    eq "$(grep -c '^continued' <<<"$OUT")" 1
}

# F-6: the size of the caller's window reaches the command, on the caller's terminal and on one of its own
test_window() {
    local tty
    for tty in '' --tty; do
        at_terminal "$RUNTIME sandbox-exec $tty -- bash -c 'trap \"stty size; exit 5\" WINCH; echo ready; while :; do read -rt 0.05; done'; echo status=\$?" \
            'ready=33,77'
        has "$OUT" "33 77"
        has "$OUT" status=5
    done
}

# F-6: a terminal of its own: ^Z does not stop a command that nobody could continue, and ^C ends it
test_own_terminal_keys() {
    make_job
    at_terminal "cd $B; $RUNTIME sandbox-exec --tty -- sh -c './job; echo after'; echo status=\$?" 'ready=\x1a\x03'
    has "$OUT" status=130
    hasnt "$OUT" after
}

# A-2: a terminal of its own: a shell in there has job control, and the caller's terminal is as it was afterwards
test_own_terminal_shell() {
    make_job
    at_terminal "cd $B; stty -a >before; $RUNTIME sandbox-exec --tty -e PS1='PROMPT> ' -- bash --norc -i; echo status=\$?; stty -a | cmp - before && echo same modes" \
        'PROMPT> =./job\n' 'ready=\x1a' 'Stopped=fg\n' 'continued=\x03' 'PROMPT> =exit 9\n'
    hasnt "$OUT" "no job control"
    has "$OUT" status=9
    has "$OUT" "same modes"
}

tap_main
