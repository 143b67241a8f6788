#!/bin/bash
# Nothing is left behind: a hundred containers at once, and a runtime that is killed at any instant.
. "$(dirname "$0")/lib.sh"

TEST_LIMIT=600

# ROUNDS of the kill tests; the acceptance number is the default
ROUNDS=${ROUNDS:-200}

# pause MICROSECONDS without making a process
pause() {
    local seconds
    printf -v seconds '%d.%06d' $(($1 / 1000000)) $(($1 % 1000000))
    read -rt "$seconds" <>"$TAP_DIR/never" || true
}

one_life() { # id
    rt create -b "$B" "$1" && rt start "$1" && rt delete --force "$1"
}

# issue 2: 100 parallel create, start, delete leave no state, mount, cgroup or process
test_hundred_parallel() {
    bundle
    command_is /bin/sleep 1000
    local i
    for i in {1..100}; do
        one_life "$ID-$i" >"$B/log.$i" 2>&1 || echo "$i" >>"$B/failed" &
    done
    wait
    [ ! -e "$B/failed" ] || { tail -n 3 "$B/log.$(head -n 1 "$B/failed")"; return 1; }
    eq "$(find "$STATE" -mindepth 1 -name "*$PREFIX*")" ""
    eq "$(cgroups_left)" ""
}

# issue 2: 100 containers alive together, listed, then deleted in parallel
test_hundred_alive() {
    bundle
    command_is /bin/sleep 1000
    local i
    for i in {1..100}; do
        rt run --detach -b "$B" "$ID-$i" >/dev/null 2>&1
    done
    eq "$(rt list -q | grep -c "^$ID-")" 100
    for i in {1..100}; do rt delete --force "$ID-$i" & done
    wait
    eq "$(rt list -q | grep -c "^$ID-" || true)" 0
}

# kill_at_random COMMAND...: runs it ROUNDS times, kills it at a random instant of its life, then deletes
kill_at_random() {
    local i runtime start end longest=1000 at
    for i in 1 2 3; do
        start=${EPOCHREALTIME/./}
        "$RUNTIME" --root "$STATE" "$@" "$ID" >/dev/null 2>&1
        end=${EPOCHREALTIME/./}
        [ $((end - start)) -le $longest ] || longest=$((end - start))
        rt delete --force "$ID"
    done
    for ((i = 0; i < ROUNDS; i++)); do
        at=$(((RANDOM * 32768 + RANDOM) % longest))
        "$RUNTIME" --root "$STATE" "$@" "$ID" >/dev/null 2>&1 &
        runtime=$!
        pause "$at"
        kill -KILL $runtime 2>/dev/null || true
        wait $runtime 2>/dev/null || true
        rt delete --force "$ID" >"$B/delete-out" 2>&1 || { echo "round $i, killed after $at us: delete failed: $(cat "$B/delete-out")"; return 1; }
        wait_for 3 no_leftovers || { echo "round $i, killed after $at us of $longest: $LEFT"; return 1; }
        eq "$(find "$STATE" -mindepth 1 -name "*$PREFIX*")" ""
    done
}

# issue 2 9: kill -9 of create at random instants, then delete --force leaves nothing
test_kill_create() {
    todo_for runc "1.1 leaves cgroups"
    todo_for crun "1.8 leaves cgroups"
    bundle
    command_is /bin/sleep 1000
    kill_at_random create -b "$B"
}

# issue 2 9: the same for run --detach
test_kill_run() {
    todo_for runc "1.1 leaves cgroups"
    todo_for crun "1.8 leaves cgroups"
    bundle
    command_is /bin/sleep 1000
    ROUNDS=$((ROUNDS / 4))
    kill_at_random run --detach -b "$B"
}

# rule 9: with a user namespace and a hook, whose processes come in between
test_kill_create_userns() {
    todo_for runc "1.1 leaves cgroups"
    todo_for crun "1.8 leaves cgroups"
    bundle '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 200000, size: 65536}] |
        .linux.gidMappings = [{containerID: 0, hostID: 200000, size: 65536}] | .hooks.createRuntime = [{path: "/bin/true"}]'
    command_is /bin/sleep 1000
    ROUNDS=$((ROUNDS / 4))
    kill_at_random create -b "$B"
}

# 43 rule 9: kill -9 of start: the container is created, running or stopped, and can be deleted
test_kill_start() {
    todo_for runc "1.1 leaves cgroups"
    bundle
    command_is /bin/sleep 1000
    local i runtime state
    for ((i = 0; i < ROUNDS / 10; i++)); do
        rt create -b "$B" "$ID" >/dev/null 2>&1
        "$RUNTIME" --root "$STATE" start "$ID" >/dev/null 2>&1 &
        runtime=$!
        pause $((RANDOM % 5000))
        kill -KILL $runtime 2>/dev/null || true
        wait $runtime 2>/dev/null || true
        state=$(status)
        matches "$state" '^(created|running|stopped)$'
        rt delete --force "$ID"
        wait_for 3 no_leftovers || { echo "$LEFT"; return 1; }
    done
}

# rule 9: kill -9 of delete --force: a second one finishes the work
test_kill_delete() {
    todo_for runc "1.1 leaves cgroups"
    todo_for crun "1.8 leaves cgroups"
    bundle
    command_is /bin/sleep 1000
    local i runtime
    for ((i = 0; i < ROUNDS / 4; i++)); do
        rt run --detach -b "$B" "$ID" >/dev/null 2>&1
        "$RUNTIME" --root "$STATE" delete --force "$ID" >/dev/null 2>&1 &
        runtime=$!
        pause $((RANDOM % 10000))
        kill -KILL $runtime 2>/dev/null || true
        wait $runtime 2>/dev/null || true
        rt delete --force "$ID"
        wait_for 3 no_leftovers || { echo "round $i: $LEFT"; return 1; }
    done
}

# The runtime's children ask for its death with prctl(): strace makes that late, and the runtime is killed before.
# killed_before_prctl HOW-MANY WHAT-IS-TRACED-AS-WELL: when that many children are about to ask; to succeed, all must end
killed_before_prctl() {
    local tracer delay
    command -v strace >/dev/null || skip "strace is missing"
    strace -o "$B/strace" true 2>/dev/null || skip "strace may not trace here"
    for delay in 1 4 16; do # until the kill came in time
        rm -f "$B/strace"
        strace -f -o "$B/strace" -e trace=prctl,sendmsg,clone3,mount -e "inject=prctl:delay_enter=${delay}000000:when=1" \
            "$RUNTIME" --root "$STATE" create -b "$B" "$ID" >/dev/null 2>&1 &
        tracer=$!
        wait_for $((delay * 2 + 5)) about_to_ask "$1" "$2"
        kill -KILL "$(head -n 1 "$B/strace" | cut -d' ' -f1)" || true
        wait_for 5 has_ended $tracer || { echo "its children live on:"; tail -n 3 "$B/strace"; return 1; }
        wait $tracer || true
        rt delete --force "$ID" 2>/dev/null
        ! killed_in_time || return 0
    done
    echo "the kill never came in time"
    return 1
}

about_to_ask() { # how-many what-else
    [ "$(grep -c 'PR_SET_PDEATHSIG, SIGKILL' "$B/strace")" -ge "$1" ] 2>/dev/null && grep -q "$2" "$B/strace"
}

# The runtime's death is before the end of the call that it was killed in.
killed_in_time() {
    local child
    child=$(grep 'PR_SET_PDEATHSIG, SIGKILL <unf' "$B/strace" | tail -n 1 | cut -d' ' -f1)
    grep -A 1000 -m 1 "killed by SIGKILL" "$B/strace" | grep -q "^$child .*prctl resumed"
}

has_ended() { [[ "$(cat "/proc/$1/stat" 2>/dev/null)" =~ ^$|\)\ Z ]]; }

# issue 2 9: the runtime is killed after it said GO, before init would be killed with it: init does nothing
test_kill_before_init_asks() {
    not_for runc "how aril works inside"
    not_for crun "how aril works inside"
    [ "${DRIVER:-cgroupfs}" = cgroupfs ] || skip "with systemd there is another child before GO, which is made late as well"
    bundle
    command_is /bin/sleep 1000
    killed_before_prctl 1 'sendmsg('
    fails grep 'mount(' "$B/strace"
}

# rule 9: the same for a hook
test_kill_before_hook_asks() {
    not_for runc "how aril works inside"
    not_for crun "how aril works inside"
    bundle '.hooks.createRuntime = [{path: "/bin/sleep", args: ["sleep", "1000"]}]'
    command_is /bin/sleep 1000
    killed_before_prctl 2 'PR_SET_PDEATHSIG'
}

new_process_runs() { # command line
    local pid
    look_at_new_processes
    for pid in $NEW_PROCESSES; do [ "$(tr '\0' ' ' <"/proc/$pid/cmdline")" != "$1 " ] || return 0; done 2>/dev/null
    return 1
}
no_new_processes() { look_at_new_processes && [ -z "$NEW_PROCESSES" ]; }

# killed_in_hook: init is in a hook of its own when the runtime is killed, and goes with it
killed_in_hook() {
    local runtime
    edit '.hooks.createContainer = [{path: "/bin/sleep", args: ["sleep", "54321"]}]'
    "$RUNTIME" --root "$STATE" create -b "$B" "$ID" >/dev/null 2>&1 &
    runtime=$!
    wait_for 10 new_process_runs "sleep 54321"
    kill -KILL $runtime
    wait $runtime 2>/dev/null || true
    wait_for 3 no_new_processes || { echo "left: $NEW_PROCESSES"; return 1; }
    rt delete --force "$ID"
    wait_for 3 no_leftovers || { echo "$LEFT"; return 1; }
}

# rule 9: before the gate init ends with the runtime
test_kill_ends_init() {
    not_for runc "its init lives on"
    todo_for crun "1.8 leaves cgroups"
    bundle
    killed_in_hook
}

# rule 9: also where init has changed its user, which makes the kernel forget that
test_kill_ends_init_userns() {
    not_for runc "its init lives on"
    todo_for crun "1.8 leaves cgroups"
    bundle '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 200000, size: 65536}] |
        .linux.gidMappings = [{containerID: 0, hostID: 200000, size: 65536}]'
    killed_in_hook
}

# rule 9: delete --force works from a state record that is empty, cut, garbage or gone
test_corrupt_state() {
    cgroupfs_paths
    todo_for runc "1.1 cannot delete it"
    todo_for crun "1.8 cannot delete it"
    local damage file
    for damage in 'truncate -s 0' 'truncate -s 20' 'dd if=/dev/urandom bs=100 count=1 conv=notrunc status=none of=' 'rm -f'; do
        rm -rf "$B"
        bundle '.linux.cgroupsPath = $p' --arg p "/$ID"
        up
        for file in "$STATE/$ID"/*; do
            [ -f "$file" ] || continue
            if [[ "$damage" == *= ]]; then $damage"$file"; else eval "$damage \"\$file\""; fi
        done
        rt delete --force "$ID"
        wait_for 5 no_leftovers || { echo "after $damage: $LEFT"; return 1; }
    done
}

# 24: no space for the state: create fails cleanly
test_state_disk_full() {
    bundle
    command_is /bin/true
    mkdir "$B/full"
    mount -t tmpfs -o size=4k,nr_inodes=3 full "$B/full"
    capture timeout 60 "$RUNTIME" --root "$B/full/state" create -b "$B" "$ID"
    umount -l "$B/full"
    [ "$RC" = 0 ] || one_line "$ERR"
    [ "$RC" != 0 ]
}

# 24: descriptors run out: create fails in one line and leaves nothing, or works
test_few_descriptors() {
    todo_for crun "1.8 leaves its cgroups"
    not_for runc "the Go runtime needs many"
    bundle '.process.rlimits = []'
    command_is /bin/true
    local limit
    for limit in 4 6 8 10 12 16 20 32; do
        capture bash -c 'ulimit -n $1; shift; exec "$@"' - "$limit" "$RUNTIME" --root "$STATE" run -b "$B" "$ID"
        # below some number even the libraries cannot be opened
        [ "$RC" = 0 ] || [ "$RC" = 127 ] || one_line "$ERR"
        rt delete --force "$ID"
        wait_for 3 no_leftovers || { echo "with $limit descriptors: $LEFT"; return 1; }
    done
}

tap_main
