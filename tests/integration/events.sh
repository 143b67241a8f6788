#!/bin/bash
# Statistics, OOM events, and payloads that misbehave: bombs, a thousand processes, what ignores every signal.
. "$(dirname "$0")/lib.sh"

LIMIT=2 # seconds for delete --force

file() { # controller v1-file v2-file
    local name=$2
    [ "$(controller_version "$1")" = 1 ] || name=$3
    cat "$(cgroup_dir "$1" "$(pid_of)")/$name"
}

stats() { # jq filter
    rt events --stats "$ID" | jq -c "$1"
}

not_implemented() {
    not_for crun "has no events command"
}

milliseconds() {
    date +%s%3N
}

# removed_in_time: delete --force within the limit, and nothing is left
removed_in_time() {
    local start took
    start=$(milliseconds)
    rt delete --force "$ID"
    took=$(($(milliseconds) - start))
    [ $took -lt $((LIMIT * 1000)) ] || { echo "delete --force took $took ms"; return 1; }
    [ -z "$(find /sys/fs/cgroup -type d -name "*$ID*" 2>/dev/null)" ]
}

process_count() {
    rt ps --format json "$ID" | jq length
}

has_processes() { # directory-of-the-pids-controller at-least
    [ "$(cat "$1/pids.current")" -ge "$2" ]
}

# 282 O6 G6: --stats is one line of JSON with these members
test_stats_format() {
    not_implemented
    bundle '.linux.resources += {memory: {limit: 67108864}}'
    up
    eq "$(rt events --stats "$ID" | wc -l)" 1
    eq "$(stats '[.type, .id]')" "[\"stats\",\"$ID\"]"
    eq "$(stats '[.data.cpu.usage.total, .data.cpu.usage.user, .data.memory.usage.usage, .data.pids.current,
        .data.memory.raw.pgfault] | map(type)')" '["number","number","number","number","number"]'
    eq "$(stats '.data | [.cpu, .memory, .pids] | map(type)')" '["object","object","object"]'
}

# O6: every member that runc's stats have on version 1
test_stats_members() {
    not_implemented
    bundle
    up
    [ "$(controller_version cpuset)" = 1 ] || skip "cpuset on version 2, which has no files for most"
    eq "$(rt events --stats "$ID" | jq -c '[.data | paths | map(tostring) | join(".")] as $shown | $ARGS.positional - $shown' --args \
        cpu.throttling cpuset.{cpus,cpu_exclusive,mems,mem_hardwall,mem_exclusive,memory_migrate,memory_spread_page} \
        cpuset.{memory_spread_slab,memory_pressure,sched_load_balance,sched_relax_domain_level} \
        memory.usage.limit hugetlb intel_rdt network_interfaces pids.current)" '[]'
}

# shown PATH CONTROLLER V1-FILE V1-KEY V1-FACTOR V2-FILE V2-KEY V2-FACTOR: the number at the path is the one behind the key
# in the file, times the factor; "-": the file is the number. What the kernel has no file for, and a zero, may be left out.
shown() {
    local path=$1 name=$3 key=$4 factor=$5 number
    [ "$(controller_version "$2")" = 1 ] || { name=$6 key=$7 factor=$8; }
    [ "$key" != - ] || key=
    number=$(file "$2" "$name" "$name" 2>/dev/null | sed -n "s/^${key:+$key }\([0-9]*\)\$/\1/p")
    eq "$path: $(stats ".data.$path // 0")" "$path: $((${number:-0} * factor))"
}

# O7: what is printed is what the cgroup's files say
test_stats_values() {
    not_implemented
    bundle '.linux.resources += {memory: {limit: 67108864}, pids: {limit: 50}, cpu: {quota: 50000, period: 100000}}'
    up /bin/sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done; echo ready; exec sleep 1000'
    wait_for 30 log_has ready
    rt pause "$ID"
    wait_for 20 shown memory.usage.usage memory memory.usage_in_bytes - 1 memory.current - 1 # the kernel returns its reserve late
    local row
    while read -r -a row; do shown "${row[@]}"; done <<'END'
cpu.usage.total               cpuacct cpuacct.usage             -              1        cpu.stat        usage_usec     1000
cpu.usage.user                cpuacct cpuacct.stat              user           10000000 cpu.stat        user_usec      1000
cpu.usage.kernel              cpuacct cpuacct.stat              system         10000000 cpu.stat        system_usec    1000
cpu.throttling.periods        cpu     cpu.stat                  nr_periods     1        cpu.stat        nr_periods     1
cpu.throttling.throttledTime  cpu     cpu.stat                  throttled_time 1        cpu.stat        throttled_usec 1000
memory.usage.limit            memory  memory.limit_in_bytes     -              1        memory.max      -              1
memory.usage.max              memory  memory.max_usage_in_bytes -              1        memory.peak     -              1
memory.usage.failcnt          memory  memory.failcnt            -              1        memory.events   max            1
memory.raw.pgfault            memory  memory.stat               pgfault        1        memory.stat     pgfault        1
memory.raw.anon               memory  memory.stat               anon           1        memory.stat     anon           1
pids.current                  pids    pids.current              -              1        pids.current    -              1
pids.limit                    pids    pids.max                  -              1        pids.max        -              1
END
    eq "$(stats '[.data.memory.usage.limit, .data.pids.limit, .data.pids.current]')" '[67108864,50,1]'
}

# O7: no limits
test_stats_unlimited() {
    not_implemented
    not_for runc "prints what v1 says"
    bundle '.linux.resources.pids = {limit: -1}'
    up
    eq "$(stats .data.pids.limit)" 0
    [ $CGROUP_VERSION = 1 ] || eq "$(rt events --stats "$ID" | grep -o '"limit":18446744073709551615' | head -n 1)" \
        '"limit":18446744073709551615'
}

has_lines() { # file at-least
    [ "$(wc -l <"$1")" -ge "$2" ]
}

# 282 G6: a stream at an interval, which ends with the container
test_stats_stream() {
    not_implemented
    not_for runc "streams on"
    bundle
    up /bin/sh -c 'until [ -e /tmp/end ]; do sleep 0.1; done'
    local events
    rt events --interval=300ms "$ID" >"$B/events" &
    events=$!
    wait_for 10 has_lines "$B/events" 2
    touch "$B/rootfs/tmp/end"
    wait $events
    eq "$(jq -r .type "$B/events" | sort -u)" stats
}

# O6: intervals as Go writes them, and some that are none
test_stats_intervals() {
    not_implemented
    bundle
    up
    local interval
    for interval in 500us .1s 100000µs 0m0.1s; do
        eq "$interval $(rt events --interval="$interval" "$ID" | head -n 1 | jq -r .type)" "$interval stats"
    done
    for interval in 0s -1s x 5 5x 5s5; do
        fails rt events --interval="$interval" "$ID"
        one_line "$ERR"
    done
}

# G6: a container that does not run
test_stats_stopped() {
    not_implemented
    bundle
    up /bin/true
    stopped
    fails rt events --stats "$ID"
    has "$ERR" "not running"
}

oom_kills() { # at-least
    [ "$(file memory memory.oom_control memory.events | sed -n 's/^oom_kill //p')" -ge "$1" ]
}

# O6: an OOM kill is an event
test_oom_event() {
    not_implemented
    [ -n "$(controller_version memory)" ] || skip "no memory controller"
    bundle '.linux.resources.memory = {limit: 16777216, swap: 16777216}'
    up /bin/sh -c 'until [ -e /tmp/go ]; do sleep 0.1; done; tail /dev/zero; exec sleep 1000'
    local events
    "$RUNTIME" --root "$STATE" events --interval=300ms "$ID" >"$B/events" &
    events=$!
    wait_for 10 grep -q '"type":"stats"' "$B/events" # it watches
    touch "$B/rootfs/tmp/go"
    wait_for 20 grep -qxF "{\"type\":\"oom\",\"id\":\"$ID\"}" "$B/events"
    oom_kills "$(grep -c '"type":"oom"' "$B/events")"
    kill $events
    wait $events || true
}

# 38: pause and resume of 1,000 processes
test_pause_a_thousand() {
    bundle '.linux.resources.pids = {limit: -1} | .process.rlimits = []'
    up /bin/sh -c 'i=0; while [ $i -lt 1000 ]; do sleep 1000 & i=$((i + 1)); done; echo ready; wait'
    wait_for 150 log_has ready
    rt pause "$ID"
    eq "$(status)" paused
    eq "$(process_count)" 1001
    rt resume "$ID"
    eq "$(status)" running
    rt pause "$ID"
    removed_in_time
}

# 32: a fork bomb is contained and removed
test_fork_bomb() {
    bundle '.linux.resources.pids = {limit: 200}'
    # the shell gives up when it cannot fork: init must not be one that forks
    up /bin/sh -c 'trap "" 1 2 3 15; for i in 1 2 3 4 5 6 7 8 9; do (while :; do sleep 1000 & done) 2>/dev/null & done
        exec sleep 1000'
    wait_for 60 has_processes "$(cgroup_dir pids "$(pid_of)")" 190
    eq "$(status)" running
    removed_in_time
}

# 32: processes that fork while they are killed
test_fork_race() {
    bundle '.linux.resources.pids = {limit: 300}'
    up /bin/sh -c 'for i in 1 2 3 4 5 6 7 8; do (while :; do (:) & done) 2>/dev/null & done; wait'
    wait_for 30 has_processes "$(cgroup_dir pids "$(pid_of)")" 9
    removed_in_time
}

# 32: a memory bomb
test_memory_bomb() {
    [ -n "$(controller_version memory)" ] || skip "no memory controller"
    bundle '.linux.resources += {memory: {limit: 33554432, swap: 33554432}, pids: {limit: 50}}'
    up /bin/sh -c 'while :; do tail /dev/zero & tail /dev/zero; done'
    wait_for 20 oom_kills 2
    eq "$(status)" running
    removed_in_time
}

# 32: a process that ignores every signal, in a pid namespace and without
test_ignores_signals() {
    local namespaces
    for namespaces in . 'map(select(.type != "pid"))'; do
        rm -rf "$B"
        bundle ".linux.namespaces |= $namespaces"
        up /bin/sh -c 'trap "" 1 2 3 4 5 6 7 8 10 11 12 13 14 15 16 20 21 22; echo ready; while :; do sleep 1; done'
        wait_for 10 log_has ready
        rt kill "$ID" TERM
        eq "$(status)" running
        removed_in_time
    done
}

# 186 281: update under load
test_update_under_load() {
    bundle '.linux.resources += {memory: {limit: 134217728}, pids: {limit: 100}}'
    up /bin/sh -c 'while :; do (:) & (:); done 2>/dev/null'
    local i
    for i in 1 2 3 4 5; do rt update --pids-limit $((50 + i)) --memory $((67108864 + i * 4096)) "$ID"; done
    eq "$(file pids pids.max pids.max)" 55
    eq "$(status)" running
    removed_in_time
}

tap_main
