#!/bin/bash
# Payloads that misbehave, statistics and updates under load, as an ordinary user and with each of the cgroup drivers: what
# tests/integration/events.sh shows as root. Started by tests/vm/run --host user.
. "$(dirname "$0")/lib-session.sh"

LIMIT=2000 # milliseconds for delete --force

# with_each_driver FUNCTION: with a scope of the user's manager, then with a cgroup in the one delegated to us
with_each_driver() {
    IN='{}' "$1"
    rm -rf "$B"
    delegated
    # shellcheck disable=SC2034 # for limited
    IN='{cgroupsPath: $id}' "$1"
}

limited() { # resources, as jq has them; sets D to the container's cgroup
    local resources=$1
    shift
    bundle ".linux += $IN | .linux.resources = $resources | .process.rlimits = [] | .process.args = [\"/bin/sh\", \"-c\", \$script]" \
        --arg id "$ID" --arg script "$1"
    up
    D=/sys/fs/cgroup$(cgroup_of)
    has "$D" "$ID"
}

number() { # file [key]
    sed -n "s/^${2:+$2 }\([0-9]*\)\$/\1/p" "$D/$1"
}

at_least() { # number file [key]
    [ "$(number "${@:2}")" -ge "$1" ]
}

is() {
    eq "$(rt state "$ID" | jq -r .status)" "$1"
}

removed_in_time() {
    local start took
    start=$(date +%s%3N)
    rt delete --force "$ID"
    took=$(($(date +%s%3N) - start))
    [ $took -lt $LIMIT ] || { echo "delete --force took $took ms"; return 1; }
    [ ! -d "$D" ]
}

fork_bomb() {
    limited '{pids: {limit: 200}}' 'trap "" 1 2 3 15
        for i in 1 2 3 4 5; do (while :; do sleep 1000 & done) 2>/dev/null & done; exec sleep 1000'
    wait_for 30 at_least 190 pids.current
    is running
    removed_in_time
}

# 32: a fork bomb is contained and removed
test_fork_bomb() { with_each_driver fork_bomb; }

memory_bomb() {
    limited '{memory: {limit: 33554432, swap: 33554432}, pids: {limit: 50}}' \
        'while :; do tail /dev/zero & tail /dev/zero; done'
    wait_for 20 at_least 2 memory.events oom_kill
    is running
    removed_in_time
}

# 32: a memory bomb
test_memory_bomb() { with_each_driver memory_bomb; }

ignores_signals() {
    limited '{pids: {limit: 50}}' 'trap "" 1 2 3 4 5 6 7 8 10 11 12 13 14 15 16 20 21 22; while :; do sleep 1; done'
    wait_for 10 at_least 2 pids.current
    rt kill "$ID" TERM
    is running
    removed_in_time
}

# 32: a process that ignores every signal
test_ignores_signals() { with_each_driver ignores_signals; }

oom_event() {
    local events
    limited '{memory: {limit: 16777216, swap: 16777216}}' 'until [ -e /tmp/go ]; do sleep 0.1; done; rm /tmp/go
        tail /dev/zero; exec sleep 1000'
    "$RUNTIME" --root "$STATE" events --interval=300ms "$ID" >"$B/events" &
    events=$!
    wait_for 10 grep -q '"type":"stats"' "$B/events" # it watches
    touch "$W/rootfs/tmp/go"
    wait_for 20 grep -qxF "{\"type\":\"oom\",\"id\":\"$ID\"}" "$B/events"
    at_least "$(grep -c '"type":"oom"' "$B/events")" memory.events oom_kill
    kill $events
    wait $events || true
    rt delete --force "$ID"
}

# O6: an OOM kill is an event
test_oom_event() { with_each_driver oom_event; }

pause_a_thousand() {
    limited '{pids: {limit: -1}}' 'i=0; while [ $i -lt 1000 ]; do sleep 1000 & i=$((i + 1)); done; wait'
    wait_for 60 at_least 1001 pids.current
    rt pause "$ID"
    is paused
    eq "$(number cgroup.events frozen)" 1
    eq "$(rt ps --format json "$ID" | jq length)" 1001
    rt resume "$ID"
    is running
    eq "$(number cgroup.events frozen)" 0
    rt pause "$ID"
    removed_in_time
}

# 38: pause and resume of 1,000 processes
test_pause_a_thousand() { with_each_driver pause_a_thousand; }

update_under_load() {
    local i
    limited '{memory: {limit: 134217728}, pids: {limit: 100}}' 'while :; do (:) & (:); done 2>/dev/null'
    for i in 1 2 3 4 5; do rt update --pids-limit $((50 + i)) --memory $((67108864 + i * 4096)) "$ID"; done
    eq "$(number pids.max)" 55
    eq "$(number memory.max)" 67129344
    is running
    echo '{"memory": {"limit": 4096, "checkBeforeUpdate": true}}' >"$B/resources"
    fails rt update -r "$B/resources" "$ID"
    eq "$(number memory.max)" 67129344
    removed_in_time
}

# 186 281: update under load
test_update_under_load() { with_each_driver update_under_load; }

shown() { # path file key factor
    local value
    value=$(number "$2" "${3#-}")
    eq "$1: $(rt events --stats "$ID" | jq ".data.$1 // 0")" "$1: $((${value:-0} * $4))"
}

stats() {
    local row
    limited '{memory: {limit: 67108864}, pids: {limit: 50}, cpu: {quota: 50000, period: 100000}}' \
        'i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done; sleep 1000 & exec sleep 1000'
    wait_for 30 at_least 2 pids.current
    rt pause "$ID"
    wait_for 20 shown memory.usage.usage memory.current - 1 # the kernel returns its reserve late
    while read -r -a row; do shown "${row[@]}"; done <<'END'
cpu.usage.total              cpu.stat      usage_usec     1000
cpu.usage.user               cpu.stat      user_usec      1000
cpu.usage.kernel             cpu.stat      system_usec    1000
cpu.throttling.periods       cpu.stat      nr_periods     1
cpu.throttling.throttledTime cpu.stat      throttled_usec 1000
memory.usage.limit           memory.max    -              1
memory.usage.max             memory.peak   -              1
memory.usage.failcnt         memory.events max            1
memory.raw.pgfault           memory.stat   pgfault        1
memory.raw.anon              memory.stat   anon           1
pids.current                 pids.current  -              1
pids.limit                   pids.max      -              1
END
    eq "$(rt events --stats "$ID" | jq -c '[.data.memory.usage.limit, .data.pids.limit, .data.pids.current]')" '[67108864,50,2]'
    rt delete --force "$ID"
}

# O7: what is printed is what the cgroup's files say
test_stats() { with_each_driver stats; }

tap_main
