#!/bin/bash
# What commands cost, in counts that do not depend on how busy the machine is: system calls, page faults, peak
# memory, instructions, and the size of the binary. Each has a bound in the file `bounds`; a count above it fails.
#
#   tests/perf/counts.sh               prints "# measured …" for every count
#   TIGHTEN=1 tests/perf/counts.sh     writes `bounds` anew: what was measured, and the margin
#
# The bounds are those of the build that README describes (gcc -O2, static libc, libseccomp and yajl) on x86-64, and as narrow
# as the counts allow: three more system calls, five more pages, two more instructions in a hundred are too much (tests/mutants
# perf tries that). The line `of` says which kernel and compiler they were measured with; with others, some more is allowed.
# System calls and page faults are the least of some runs: now and then a signal or a reclaimed page adds one.
. "$(dirname "$0")/../integration/lib.sh"
. "$HERE/../bench/bundles.sh"
. "$HERE/../bench/trace.sh"
PERF=$HERE/../perf
MEASURED=$TAP_DIR/measured
: >"$MEASURED"

integration_setup=$(declare -f tap_setup)
eval "integration_$integration_setup"
tap_setup() {
    local tool
    [ "$KIND" = aril ] || bail_out "the bounds are aril's"
    for tool in strace valgrind readelf strip; do
        command -v $tool >/dev/null || bail_out "$tool is missing (contrib/test-all installs what the tests need)"
    done
    integration_tap_setup
    ${CC:-cc} -std=c17 -O2 -Wall -static -o "$TEST_BIN/measure" "$HERE/../bench/measure.c" || bail_out "cannot compile measure.c"
    to_memory
    bench_rootfs "$W/memory/root"
    bench_bundle "$W/default" "$W/memory/root"
    bench_bundle "$W/podman" "$W/memory/root" "$PODMAN"
    bench_bundle "$W/paused" "$W/memory/root" "$PAUSED"
    if readelf -Ws "$RUNTIME" | grep -qE '__asan_init|__gcov_init'; then
        NOT_COMPARABLE="this build has sanitizers or coverage"
    elif [ "$(uname -m)" != x86_64 ]; then
        NOT_COMPARABLE="the bounds are those of x86-64"
    elif readelf -p .comment "$RUNTIME" | grep -q clang; then
        NOT_COMPARABLE="the bounds are those of gcc"
    elif [ "$(wc -l </proc/self/cgroup)" -gt 10 ]; then
        NOT_COMPARABLE="more cgroup hierarchies than the nine of version 1 that the bounds allow for"
    fi
    MEASURED_WITH="$(uname -r), $(readelf -p .comment "$RUNTIME" | grep -om 1 'GCC: .*')"
    SLACK=0
    if [ "$MEASURED_WITH" != "$(sed -n 's/^of //p' "$PERF/bounds")" ]; then
        SLACK=8 # percent
        echo "# here: $MEASURED_WITH, the bounds: $(sed -n 's/^of //p' "$PERF/bounds"); $SLACK % more is allowed"
    fi
}

# How much of a file one fault maps depends on what of it the kernel has in memory: of these, all.
to_memory() {
    mkdir "$W/memory"
    mount -t tmpfs memory "$W/memory" || bail_out "cannot mount a tmpfs"
    MOUNTS_BEFORE=$(cut -d' ' -f5- /proc/self/mountinfo)
    cp "$RUNTIME" "$W/memory/aril"
    RUNTIME=$W/memory/aril
}

tap_teardown() {
    sed 's/^/# measured /' "$MEASURED"
    if [ -n "${TIGHTEN:-}" ] && [ $TAP_FAILED = 0 ]; then tighten; fi
    cd / || exit
    each_after >/dev/null 2>&1
    umount -l "$W/memory"
    rm -rf --one-file-system "$W"
}

# ---- bounds ---------------------------------------------------------------------------------------------------

# within KIND COMMAND COUNT: compares with the bound, and notes the count for the end
within() {
    local bound
    echo "$1 $2 $3" >>"$MEASURED"
    bound=$(awk -v kind="$1" -v command="$2" '$1 == kind && $2 == command { print $3 }' "$PERF/bounds")
    if [ -n "${TIGHTEN:-}" ]; then return; fi
    [ -n "$bound" ] || { echo "tests/perf/bounds has no bound for: $1 $2 (measured: $3)"; return 1; }
    [ "$3" -gt 0 ] || { echo "$1 of $2: nothing was counted"; return 1; }
    bound=$((bound * (100 + SLACK) / 100))
    [ "$3" -le "$bound" ] || { echo "$1 of $2: $3, and the bound in tests/perf/bounds is $bound"; return 1; }
    sed -i "\$s/\$/ of $bound/" "$MEASURED"
}

comparable() {
    [ -z "${NOT_COMPARABLE:-}" ] || skip "$NOT_COMPARABLE"
}

# what a count may be more than it was, in per mille and a few: what it differs by from run to run, and for size what a small
# feature adds
margin_of() {
    case $1 in
    syscalls) echo 0 2 ;;
    syscalls-for-each) echo 0 0 ;;
    instructions) echo 15 0 ;;
    relocations | bytes) echo 25 0 ;;
    faults) echo 0 4 ;;
    anonymous) echo 120 0 ;;
    memory) echo 50 256 ;; # the kernel counts it in batches of 128 KiB for each processor
    esac
}

tighten() {
    local kind command count share more
    {
        sed '/^[^#]/d' "$PERF/bounds"
        echo "of $MEASURED_WITH"
        while read -r kind command count _; do
            read -r share more < <(margin_of "$kind")
            echo "$kind $command $(((count * (1000 + share) + 999) / 1000 + more))"
        done <"$MEASURED"
    } >"$W/bounds"
    cat "$W/bounds" >"$PERF/bounds"
}

# ---- counting -------------------------------------------------------------------------------------------------

# instructions COMMAND...: those of the process itself, outside the kernel; libc looks at each variable of the environment
instructions() {
    local log=$W/callgrind.log
    env -i PATH=/usr/bin:/bin valgrind --tool=callgrind --callgrind-out-file=/dev/null --log-file="$log" \
        "$RUNTIME" --root "$STATE" "$@" >/dev/null || { cat "$log" >&2; return 1; }
    awk '/Collected/ { print $NF }' "$log"
}

# ---- the tests ------------------------------------------------------------------------------------------------

# system calls of run, both processes together: default spec, podman's config, without a cgroup
test_syscalls_run() {
    comparable
    within syscalls run "$(least traced run -b "$W/default" "$ID")"
    within syscalls run-podman "$(least traced run -b "$W/podman" "$ID")"
    within syscalls run-without-cgroup "$(least traced --cgroup-manager=disabled run -b "$W/default" "$ID")"
}

# system calls of create, start and delete
test_syscalls_life() {
    comparable
    within syscalls create "$(least traced_create "$W/paused" "$ID")"
    within syscalls start "$(least traced_start "$W/default" "$ID")"
    within syscalls delete "$(least traced_delete "$W/default" "$ID")"
}

# system calls of the commands on a container that runs
test_syscalls_running() {
    comparable
    rt run --detach -b "$W/paused" "$ID" >/dev/null
    within syscalls exec "$(least traced exec "$ID" /bin/true)"
    within syscalls state "$(least traced state "$ID")"
    within syscalls list "$(least traced list)"
    rt delete --force "$ID"
    within syscalls kill "$(least traced_kill "$W/paused" "$ID")"
}

# system calls of the commands that need no container
test_syscalls_static() {
    comparable
    within syscalls version "$(least traced --version)"
    within syscalls features "$(least traced features)"
}

# page faults and peak memory of each command
test_memory() {
    comparable
    local rt="$RUNTIME --root $STATE"
    printf '#!/bin/sh\nuntil %s state %s | grep -q stopped; do :; done\n' "$rt" "$ID" >"$W/until-stopped"
    cat >"$W/until-asleep" <<'END'
#!/bin/sh
pid=$(cat "$1")
until [ "$(cat /proc/$pid/comm)" = sleep ] && grep -q '^State:.S' /proc/$pid/status; do :; done
END
    chmod +x "$W"/until-*
    "$TEST_BIN/measure" 40 >"$W/measured" 2>"$W/errors" <<END || { cat "$W/errors"; return 1; }
case version aril
timed $rt --version
case features aril
timed $rt features
case run aril
timed $rt run -b $W/default $ID
case run-podman aril
timed $rt run -b $W/podman $ID
case create aril
timed $rt create -b $W/paused $ID
after $rt delete --force $ID
case start aril settle
before $rt create -b $W/default $ID
timed $rt start $ID
after $rt delete $ID
case exec aril
before $rt run --detach --pid-file $W/pid -b $W/paused $ID
before $W/until-asleep $W/pid
timed $rt exec $ID /bin/true
after $rt delete --force $ID
case state aril
before $rt create -b $W/paused $ID
timed $rt state $ID
after $rt delete --force $ID
case list aril
before $rt create -b $W/paused $ID
timed $rt list
after $rt delete --force $ID
case kill aril settle
before $rt run --detach --pid-file $W/pid -b $W/paused $ID
before $W/until-asleep $W/pid
timed $rt kill $ID KILL
after $rt delete $ID
case delete aril
before $rt run --detach -b $W/default $ID
before $W/until-stopped
timed $rt delete $ID
END
    local command faults memory
    while read -r command faults memory; do
        within faults "$command" "$faults"
        within memory "$command" "$memory"
    done < <(jq -r '[.scenario, (.faults.min | floor), (.rss_kib.median | floor)] | join(" ")' "$W/measured")
}

# new_processes PID...: those that there are besides these, whatever they call themselves, in the order of sort. No pipeline:
# the processes of that would count.
new_processes() {
    local entry
    for entry in /proc/[0-9]*; do
        [[ " $* $BASHPID " == *" ${entry#/proc/} "* ]] || echo "${entry#/proc/}"
    done
}

# memory_of PID KEY: KiB
memory_of() {
    awk -v key="$2:" '$1 == key { print $2 }' "/proc/$1/smaps_rollup"
}

# a detached container has no process but its own: no memory is aril's. One in the foreground has one more, with little memory
test_monitor() {
    comparable
    local before monitor
    before=$(new_processes)
    rt run --detach -b "$W/paused" "$ID" >/dev/null
    # shellcheck disable=SC2086 # pids
    eq "$(new_processes $before)" "$(rt state "$ID" | jq .pid)"
    rt delete --force "$ID"
    "$RUNTIME" --root "$STATE" run -b "$W/paused" "$ID" >/dev/null &
    monitor=$!
    wait_for 60 is_status running
    # shellcheck disable=SC2086
    eq "$(new_processes $before)" "$(printf '%s\n' $monitor "$(rt state "$ID" | jq .pid)" | sort)"
    wait_for 10 asleep $monitor
    within anonymous monitor "$(memory_of $monitor Anonymous)"
    rt delete --force "$ID"
    wait $monitor || true
}

asleep() { # pid
    grep -q '^State:[[:space:]]*S' "/proc/$1/status"
}

# instructions of the commands that valgrind can follow; plan is what create does before it touches anything
test_instructions() {
    comparable
    rt create -b "$W/paused" "$ID" >/dev/null
    within instructions version "$(instructions --version)"
    within instructions features "$(instructions features)"
    within instructions state "$(instructions state "$ID")"
    within instructions list "$(instructions list)"
    within instructions plan "$(instructions plan "$W/default")"
    within instructions plan-podman "$(instructions plan "$W/podman")"
}

# size of the stripped binary, its relocations; no library is loaded
test_binary() {
    comparable
    strip -o "$W/stripped" "$RUNTIME"
    within bytes aril "$(stat -c %s "$W/stripped")"
    within relocations aril "$(readelf -rW "$RUNTIME" | awk '/ R_X86_64_/ { n++ } / offsets$/ { n += $1 } END { print n }')"
    eq "$(readelf -dW "$RUNTIME" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')" ""
}

# run, create, start, exec, state, kill and delete cost the same beside 1,000 records and 20 live containers; list grows by the same for each
test_scale() {
    comparable
    local command number listed commands="run create start exec state kill delete"
    declare -A alone
    for command in $commands; do alone[$command]=$(of_one "$command"); done
    listed=$(traced list)
    synthesise 1000 "$W/paused" "$ID"
    eq "$(rt list -q | wc -l)" 1000
    within syscalls-for-each list $((($(traced list) - listed) / 1000))
    for number in {1..20}; do rt run --detach -b "$W/paused" "$ID-$number" >/dev/null; done
    for command in $commands; do
        few_more "$command" "$(of_one "$command")" "${alone[$command]}"
    done
    for number in {1..20}; do rt delete --force "$ID-$number"; done
    rm -rf "$STATE"/many-*
}

# A thousand others would add as many; one or two is what a signal or a wait adds on a busy machine.
few_more() { # command count alone
    [ "$2" -gt 0 ] && [ "$2" -le $(($3 + 2)) ] || { echo "$1: $2 beside others, $3 alone"; return 1; }
}

of_one() { # command
    case $1 in
    run) least traced run -b "$W/default" "$ID" ;;
    create) least traced_create "$W/paused" "$ID" ;;
    exec) least traced_beside "$W/paused" "$ID" exec "$ID" /bin/true ;;
    state) least traced_beside "$W/paused" "$ID" state "$ID" ;;
    kill) least traced_kill "$W/paused" "$ID" ;;
    *) least "traced_$1" "$W/default" "$ID" ;;
    esac
}

tap_main
