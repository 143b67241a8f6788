# shellcheck shell=bash
# tap.sh - sourced by every test file; runs its tests and prints TAP (Test Anything Protocol).
#
# A test is a function whose name starts with test_. The first line of the comment above it is its name:
#
#     # E1 X4: state of a container that does not exist
#     test_state_missing() { … }
#
# Each test runs in a subshell under `set -eu`, in the order of the file, with its output kept for the failure
# report. ONLY=regex and SKIP=regex choose tests by name. A test file ends with `tap_main`.
#
#   skip REASON             stop this test here; it counts as skipped
#   todo_for KIND REASON    the runtime of that kind ($KIND) is known to deviate: its failure is reported as TODO
#   not_for KIND REASON     skip for the runtime of that kind
#
# A test that takes longer than TEST_LIMIT seconds (180) is killed and counts as failed.
#
# Hooks a file or library may define: tap_setup (once, before the plan), each_before, each_after (prints what is
# wrong and returns 1 to fail the test), tap_teardown (at exit).

TAP_FILE=$(readlink -f -- "$0")
TAP_DIR=$(mktemp -d "${TMPDIR:-/tmp}/aril-tap.XXXXXX") || exit 1
mkfifo "$TAP_DIR/never" || exit 1
TAP_COUNT=0 TAP_FAILED=0

skip() {
    echo "$*" >"$TAP_DIR/skip"
    exit 77
}

todo_for() {
    # shellcheck disable=SC2153 # KIND is set by the library that knows the runtime
    if [ "$KIND" = "$1" ]; then echo "$KIND: $2" >"$TAP_DIR/todo"; fi
}

not_for() {
    if [ "$KIND" = "$1" ]; then skip "$1: $2"; fi
}

# ---- assertions: silent when true, else say what was seen and return 1 -----------------------------------

eq() { # got want
    [ "$1" = "$2" ] || { printf 'got:  [%s]\nwant: [%s]\n' "$1" "$2"; return 1; }
}

ne() { # got unwanted
    [ "$1" != "$2" ] || { printf 'got [%s], which must differ\n' "$1"; return 1; }
}

has() { # text part
    [[ "$1" == *"$2"* ]] || { printf 'got:  [%s]\nwant something with: [%s]\n' "$1" "$2"; return 1; }
}

hasnt() { # text part
    [[ "$1" != *"$2"* ]] || { printf 'got:  [%s]\nwant nothing with: [%s]\n' "$1" "$2"; return 1; }
}

matches() { # text extended-regex
    [[ "$1" =~ $2 ]] || { printf 'got:  [%s]\nwant a match of: [%s]\n' "$1" "$2"; return 1; }
}

# one_line TEXT: errors travel through engines as one line without a prefix (E15)
one_line() {
    [ -n "$1" ] && [ "$(wc -l <<<"$1")" = 1 ] || { printf 'want one line, got: [%s]\n' "$1"; return 1; }
}

# wait_for SECONDS COMMAND...: tries until the command succeeds. The seconds are those of a machine with nothing else to
# do; a busy one gets six times as long.
wait_for() {
    local end=$((SECONDS + 6 * $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || { echo "timed out: $*"; return 1; }
        sleep 0.02
    done
}

# capture COMMAND...: runs it and sets OUT, ERR and RC. The streams are files, because a container keeps them open.
# shellcheck disable=SC2034 # OUT, ERR and RC are for the tests
capture() {
    RC=0
    "$@" >"$TAP_DIR/stdout" 2>"$TAP_DIR/stderr" || RC=$?
    OUT=$(tr -d '\0' <"$TAP_DIR/stdout")
    ERR=$(tr -d '\0' <"$TAP_DIR/stderr")
}

# fails COMMAND...: like capture, but the command must fail, and not by a signal or a timeout
fails() {
    capture "$@"
    [ "$RC" != 0 ] || { echo "should have failed: $*"; return 1; }
    [ "$RC" -lt 124 ] || [ "$RC" = 255 ] || { echo "status $RC from: $*: $ERR"; return 1; }
}

# ---- the run ----------------------------------------------------------------------------------------------

# function names and their test names, in order, tab separated
tap_list() {
    awk '
        /^# shellcheck/ { next }
        /^# / { if (name == "") name = substr($0, 3); next }
        /^test_[A-Za-z0-9_]*\(\)/ { f = $0; sub(/\(.*/, "", f); print f "\t" (name == "" ? f : name) }
        { name = "" }' "$1"
}

tap_run() { # function name
    local rc=0 start=$EPOCHREALTIME
    rm -f "$TAP_DIR/skip" "$TAP_DIR/todo"
    TAP_COUNT=$((TAP_COUNT + 1))
    tap_watchdog
    if declare -F each_before >/dev/null; then each_before; fi
    (
        echo "$BASHPID" >"$TAP_DIR/pid"
        set -eu
        shopt -s inherit_errexit
        "$1"
    ) >"$TAP_DIR/output" 2>&1 </dev/null
    rc=$?
    kill $TAP_WATCHDOG 2>/dev/null
    wait $TAP_WATCHDOG 2>/dev/null
    if declare -F each_after >/dev/null && ! each_after >>"$TAP_DIR/output" 2>&1; then
        [ $rc = 0 ] && rc=1
        rm -f "$TAP_DIR/skip"
    fi
    local ms=$(((${EPOCHREALTIME/./} - ${start/./}) / 1000))
    if [ $rc = 77 ] && [ -e "$TAP_DIR/skip" ]; then
        echo "ok $TAP_COUNT - $2 # SKIP $(cat "$TAP_DIR/skip")"
    elif [ $rc = 0 ]; then
        echo "ok $TAP_COUNT - $2$(tap_todo) # $ms ms"
    else
        echo "not ok $TAP_COUNT - $2$(tap_todo) # status $rc, $ms ms"
        [ -e "$TAP_DIR/todo" ] || TAP_FAILED=$((TAP_FAILED + 1))
        tail -n 25 "$TAP_DIR/output" | tr -d '\000' | cut -c1-600 | sed 's/^/#   /'
    fi
}

# ends a test that hangs; a read with a limit instead of sleep, which would be one more process to end
tap_watchdog() {
    (
        read -rt "${TEST_LIMIT:-180}" <>"$TAP_DIR/never"
        echo "the test took more than ${TEST_LIMIT:-180} seconds" >>"$TAP_DIR/output"
        kill -KILL "$(cat "$TAP_DIR/pid")"
    ) &
    TAP_WATCHDOG=$!
}

tap_todo() {
    if [ -e "$TAP_DIR/todo" ]; then echo " # TODO $(cat "$TAP_DIR/todo")"; fi
}

# A watchdog that is ended before it has left the traps of the shell that it was forked from runs them.
tap_cleanup() {
    [ "$BASHPID" = $$ ] || return
    if declare -F tap_teardown >/dev/null; then tap_teardown; fi
    rm -rf "$TAP_DIR"
}

tap_main() {
    local function name
    trap tap_cleanup EXIT
    trap 'exit 130' INT TERM
    if declare -F tap_setup >/dev/null; then tap_setup; fi
    while IFS=$'\t' read -r function name <&9; do
        if [ -n "${ONLY:-}" ] && ! [[ "$name" =~ $ONLY ]]; then continue; fi
        if [ -n "${SKIP:-}" ] && [[ "$name" =~ $SKIP ]]; then continue; fi
        tap_run "$function" "$name" 9<&-
    done 9< <(tap_list "$TAP_FILE")
    echo "1..$TAP_COUNT"
    [ $TAP_FAILED = 0 ]
}

bail_out() {
    echo "Bail out! $*"
    rm -rf "$TAP_DIR"
    exit 1
}
