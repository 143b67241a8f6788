#!/bin/bash
# Hooks: all six kinds, their order, state, namespaces, environment, failures and timeouts.
. "$(dirname "$0")/lib.sh"

# a hook program of the host that writes what it sees to $B/hooks and passes
hook_program() {
    mkdir -p "$B/hooks"
    cat >"$B/hook" <<'H'
#!/bin/sh
# hook DIRECTORY NAME [STATUS]
cat >"$1/$2.state"
echo "$2" >>"$1/order"
readlink /proc/self/ns/mnt /proc/self/ns/net /proc/self/ns/pid >"$1/$2.ns"
env >"$1/$2.env"
pwd >"$1/$2.cwd"
ls -l /proc/self/fd | awk 'NR > 1 {print $9}' >"$1/$2.fds"
exit "${3:-0}"
H
    chmod 755 "$B/hook"
}

# add_hook KIND NAME [JQ-EXTRA]: adds the program to that kind of hooks
add_hook() {
    edit '.hooks[$kind] += [{path: $path, args: ["hook", $dir, $name]} + ('"${3:-{\}}"')]' \
        --arg kind "$1" --arg path "$B/hook" --arg dir "$B/hooks" --arg name "$2"
}

hook_state() { # name filter
    jq -r "$2" "$B/hooks/$1.state"
}

HOST_HOOKS="prestart createRuntime createContainer poststart poststop"

# 33 246: the kinds run in the order of the life cycle, within a kind in the order of the list
test_order() {
    todo_for runc "1.1 runs poststart hooks at create"
    bundle
    hook_program
    local kind
    for kind in poststop poststart createContainer createRuntime prestart; do
        add_hook $kind $kind-1
        add_hook $kind $kind-2
    done
    created
    eq "$(tr '\n' ' ' <"$B/hooks/order")" \
        "prestart-1 prestart-2 createRuntime-1 createRuntime-2 createContainer-1 createContainer-2 "
    rt start "$ID"
    wait_for 5 [ -e "$B/hooks/poststart-2.fds" ]
    rt kill "$ID" KILL
    stopped
    rt delete "$ID"
    eq "$(tail -n 4 "$B/hooks/order" | tr '\n' ' ')" "poststart-1 poststart-2 poststop-1 poststop-2 "
}

# 246 17 252: the state on stdin: id, bundle, annotations, status, the pid as the host sees it
test_state() {
    todo_for runc "1.1 runs poststart hooks at create"
    bundle '.annotations = {"org.example.a": "b"}'
    hook_program
    local kind
    for kind in $HOST_HOOKS; do add_hook "$kind" "$kind"; done
    created
    local pid
    pid=$(pid_of)
    rt start "$ID"
    rt kill "$ID" KILL
    stopped
    rt delete "$ID"
    for kind in $HOST_HOOKS; do
        eq "$(hook_state "$kind" '.id, .bundle, .annotations["org.example.a"]')" "$ID"$'\n'"$B"$'\nb'
        matches "$(hook_state "$kind" .ociVersion)" '^1\.'
    done
    eq "$(hook_state prestart .pid)" "$pid"
    eq "$(hook_state createRuntime .pid)" "$pid"
    eq "$(hook_state poststart .pid)" "$pid"
    matches "$(hook_state createRuntime .status)" '^(creating|created)$'
    eq "$(hook_state poststart .status)" running
    eq "$(hook_state poststop .status)" stopped
}

# 247 248 250 251: in which namespaces each kind runs
test_namespaces() {
    bundle
    hook_program
    local kind mount pid
    for kind in $HOST_HOOKS; do add_hook "$kind" "$kind"; done
    created
    mount=$(readlink "/proc/$(pid_of)/ns/mnt")
    pid=$(readlink "/proc/$(pid_of)/ns/net")
    rt start "$ID"
    rt kill "$ID" KILL
    stopped
    rt delete "$ID"
    for kind in prestart createRuntime poststart poststop; do
        eq "$(head -n 2 "$B/hooks/$kind.ns")" "$(readlink /proc/self/ns/mnt)"$'\n'"$(readlink /proc/self/ns/net)"
    done
    eq "$(head -n 2 "$B/hooks/createContainer.ns")" "$mount"$'\n'"$pid"
}

# 247: createRuntime hooks see the mounts of the container through its mount namespace
test_create_runtime_sees_mounts() {
    bundle
    printf '#!/bin/sh\npid=$(jq .pid)\ngrep -c " %s/rootfs/dev/shm \\| /dev/shm " /proc/$pid/mounts >%s/seen\n' "$B" "$B" >"$B/hook"
    chmod 755 "$B/hook"
    edit '.hooks.createRuntime = [{path: $p}]' --arg p "$B/hook"
    created
    ne "$(cat "$B/seen")" 0
}

# 249: startContainer runs in the container, from the container's files, at start
test_start_container() {
    bundle
    cat >"$B/script" <<'H'
#!/bin/sh
cat >/dev/shm/state
readlink /proc/self/ns/mnt >/dev/shm/ns
H
    chmod 755 "$B/script"
    cp "$B/script" "$B/rootfs/hook-inside"
    edit '.hooks.startContainer = [{path: "/hook-inside"}]'
    created
    rt exec "$ID" /bin/sh -c '! test -e /dev/shm/state'
    rt start "$ID"
    eq "$(rt exec "$ID" /bin/cat /dev/shm/ns)" "$(readlink "/proc/$(pid_of)/ns/mnt")"
    local state
    state=$(rt exec "$ID" /bin/cat /dev/shm/state)
    eq "$(jq -r .id <<<"$state")" "$ID"
    [ "$KIND" = crun ] || eq "$(jq -r .pid <<<"$state")" 1
}

# 245: args are the argv, with argv[0]; path alone is enough
test_args() {
    bundle
    printf '#!/bin/bash\nprintf "%%s|" "$@" >"%s/args"\n' "$B" >"$B/hook"
    chmod 755 "$B/hook"
    edit '.hooks.createRuntime = [{path: $p, args: ["ignored", "a b", "", "c"]}]' --arg p "$B/hook"
    created
    eq "$(cat "$B/args")" "a b||c|"
}

# 245 rule 12: env is the hook's own
test_env() {
    bundle
    hook_program
    add_hook createRuntime given '{env: ["PATH=/usr/bin:/bin", "A=1"]}'
    created
    eq "$(grep -v -E '^(PWD|SHLVL|_|OLDPWD)=' "$B/hooks/given.env" | sort)" $'A=1\nPATH=/usr/bin:/bin'
}

# CVE-2025-23266: nothing of the container's environment reaches hooks of the host
test_env_not_of_container() {
    todo_for runc "1.1 passes it on"
    bundle '.process.env += ["LD_PRELOAD=/evil.so"]'
    hook_program
    local kind
    for kind in $HOST_HOOKS; do add_hook "$kind" "$kind"; done
    up /bin/true
    stopped
    rt delete "$ID"
    # not the whole environment in the report when it fails
    eq "$(cat "$B/hooks"/*.env | grep evil || true)" ""
}

# 257: hooks get no descriptors but the three
test_fds() {
    todo_for runc "1.1 passes the caller's on"
    bundle
    hook_program
    local kind
    exec 7</etc/passwd
    for kind in $HOST_HOOKS; do add_hook "$kind" "$kind"; done
    up /bin/true
    stopped
    rt delete "$ID"
    for kind in $HOST_HOOKS; do
        # ls itself has one more
        eq "$(head -n 4 "$B/hooks/$kind.fds" | tr '\n' ' ')" "0 1 2 3 "
        eq "$(wc -l <"$B/hooks/$kind.fds")" 4
    done
}

# 34: a hook that fails in create: error that names it, nothing left, poststop hooks run
test_create_hook_fails() {
    todo_for crun "1.8 ends with 255"
    local kind
    for kind in prestart createRuntime createContainer; do
        rm -rf "$B"
        bundle
        hook_program
        edit '.hooks[$k] = [{path: $p, args: ["hook", $d, "bad", "9"]}, {path: $p, args: ["hook", $d, "never"]}]' \
            --arg k $kind --arg p "$B/hook" --arg d "$B/hooks"
        command_is /bin/true
        fails rt create -b "$B" "$ID"
        eq "$RC" 1
        matches "$ERR" "hook|9"
        [ -e "$B/hooks/bad.state" ]
        [ ! -e "$B/hooks/never.state" ]
        wait_for 3 no_leftovers || { echo "$LEFT"; return 1; }
    done
}

# 34: after a failed create the poststop hooks run
test_poststop_after_failed_create() {
    todo_for runc "1.1 runs none"
    todo_for crun "1.8 runs none"
    local kind
    for kind in prestart createRuntime createContainer; do
        rm -rf "$B"
        bundle
        hook_program
        edit '.hooks[$kind] = [{path: "/bin/false"}]' --arg kind $kind
        add_hook poststop after
        command_is /bin/true
        fails rt create -b "$B" "$ID"
        is_over
        eq "$(hook_state after .id)" "$ID"
    done
}

# 35: a startContainer hook that fails: start fails, the program never runs, the container is removed, poststop hooks run
test_start_container_fails() {
    todo_for runc "1.1 leaves it stopped"
    todo_for crun "1.8 leaves it stopped"
    bundle '.hooks.startContainer = [{path: "/bin/false"}, {path: "/bin/touch", args: ["touch", "/dev/shm/second"]}]'
    hook_program
    add_hook poststop after
    command_is /bin/sh -c 'echo program ran'
    rt create -b "$B" "$ID" >"$B/out" 2>&1
    fails rt start "$ID"
    has "$ERR" /bin/false
    is_over
    hasnt "$(cat "$B/out")" "program ran"
}

# the life cycle ended: nothing is left, and each poststop hook has run once, when all was undone
is_over() {
    fails rt state "$ID"
    has "$ERR" "does not exist"
    no_leftovers || { echo "$LEFT"; return 1; }
    eq "$(hook_state after .status)" stopped
    eq "$(grep -c after "$B/hooks/order")" 1
    rt delete --force "$ID"
    eq "$(grep -c after "$B/hooks/order")" 1
}

# 36: a poststart hook that fails: start fails, the container is stopped and removed, poststop hooks run
test_poststart_fails() {
    todo_for runc "1.1 runs poststart hooks at create"
    todo_for crun "1.8 warns only"
    bundle '.hooks.poststart = [{path: "/bin/false"}]'
    hook_program
    add_hook poststart never
    add_hook poststop after
    created
    fails rt start "$ID"
    has "$ERR" "poststart hook[0] (/bin/false)"
    is_over
    [ ! -e "$B/hooks/never.state" ]
}

# 34 35 36: the same with run, in the foreground and detached
test_run_hook_fails() {
    todo_for runc "1.1 runs no poststop hooks"
    todo_for crun "1.8 runs no poststop hooks"
    local kind option
    for kind in createRuntime startContainer poststart; do
        for option in '' --detach; do
            rm -rf "$B"
            bundle
            hook_program
            edit '.hooks[$kind] = [{path: "/bin/false"}]' --arg kind $kind
            add_hook poststop after
            command_is /bin/sleep 1000
            # shellcheck disable=SC2086 # none or one
            fails rt run $option -b "$B" "$ID"
            has "$ERR" /bin/false
            is_over
        done
    done
}

# 37: a poststop hook that fails is a warning; the others run, delete succeeds
test_poststop_fails() {
    todo_for runc "1.1 stops at the first and returns its error"
    bundle
    hook_program
    edit '.hooks.poststop = [{path: "/bin/false"}]'
    add_hook poststop second
    up /bin/true
    stopped
    if [ "$KIND" = aril ]; then set -- --log "$B/log" --log-level warning; fi
    rt "$@" delete "$ID"
    [ -e "$B/hooks/second.state" ]
    [ "$KIND" != aril ] || matches "$(cat "$B/log")" 'warning.*poststop hook\[0\] \(/bin/false\)'
    fails rt state "$ID"
}

# 253: a hook that takes longer than its timeout is killed and counts as failed
test_timeout() {
    bundle '.hooks.createRuntime = [{path: "/bin/sleep", args: ["sleep", "998"], timeout: 1}]'
    command_is /bin/true
    local before=$SECONDS
    fails rt create -b "$B" "$ID"
    [ $((SECONDS - before)) -lt 20 ]
    eq "$(pgrep -c -f 'sleep 998')" 0
}

# 253: with the hook its children end as well
test_timeout_kills_children() {
    todo_for runc "1.1 kills the hook only"
    todo_for crun "1.8 kills the hook only"
    bundle '.hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", "sleep 997 & sleep 997"], timeout: 1}]'
    command_is /bin/true
    fails rt create -b "$B" "$ID"
    wait_for 3 eval '[ "$(pgrep -c -x sleep)" = 0 ]'
}

# 245: a timeout that is not positive, a path that is not absolute, a path that is missing
test_invalid() {
    todo_for runc "1.1 takes a timeout of 0"
    todo_for crun "1.8 takes a timeout of 0"
    local hook
    for hook in '{path: "/bin/true", timeout: 0}' '{path: "/bin/true", timeout: -1}' '{path: "true"}' '{path: "/no/such"}' '{}'; do
        rm -rf "$B"
        bundle ".hooks.createRuntime = [$hook]"
        command_is /bin/true
        fails rt create -b "$B" "$ID"
        eq "$RC" 1
        one_line "$ERR"
    done
}

# 246: a hook that does not read its stdin, and one that closes it at once
test_stdin_unread() {
    bundle '.annotations = ([range(2000) | {key: "a\(.)", value: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}] | from_entries) |
        .hooks.createRuntime = [{path: "/bin/true"}, {path: "/bin/sh", args: ["sh", "-c", "exec <&-; sleep 0.1"]}]'
    created
    eq "$(status)" created
}

# D4: a hook may call the runtime back
test_hook_calls_state() {
    todo_for runc "1.1 runs poststart hooks at create"
    bundle
    printf '#!/bin/sh\n%s --root %s state %s >%s/state-in-hook\n' "$RUNTIME" "$STATE" "$ID" "$B" >"$B/hook"
    chmod 755 "$B/hook"
    edit '.hooks.poststart = [{path: $p, timeout: 10}]' --arg p "$B/hook"
    up
    eq "$(jq -r .status "$B/state-in-hook")" running
}

# D4 33: networks are set up by createRuntime hooks: the namespaces are there, lo can be renamed by pid
test_hook_sets_up_network() {
    command -v ip >/dev/null || skip "needs ip (iproute2)"
    bundle
    printf '#!/bin/sh\npid=$(jq .pid)\nnsenter -t $pid -n ip link add dummy-test type dummy 2>/dev/null || nsenter -t $pid -n ip link add dummy-test type veth\n' >"$B/hook"
    chmod 755 "$B/hook"
    edit '.hooks.createRuntime = [{path: $p}]' --arg p "$B/hook"
    has "$(shell 'ls /sys/class/net')" dummy-test
}

# 159 160: a network device is inside before the hooks run, and is not moved out again
test_net_device() {
    command -v ip >/dev/null || skip "needs ip (iproute2)"
    [ "$KIND" = aril ] || skip "newer than Debian's crun and runc"
    bundle '.linux.netDevices = {d0: {name: "c0"}} | .hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c",
        ("nsenter -t $(sed \"s/.*\\\"pid\\\": *\\([0-9]*\\).*/\\1/\") -n ip -o link >" + $file)]}]' --arg file "$B/seen"
    command_is /bin/true
    # in a network namespace in place of the host's
    unshare --net sh -c 'ip link add d0 type veth peer name d1 && timeout 60 "$@" && ip -o link' sh \
        "$RUNTIME" --root "$STATE" run -b "$B" "$ID" >"$B/after"
    matches "$(cut -d' ' -f2 "$B/seen")" 'c0@'
    has "$(cut -d' ' -f2 "$B/after")" lo:
    hasnt "$(cut -d' ' -f2 "$B/after" | cut -d@ -f1)" d0
    hasnt "$(cut -d' ' -f2 "$B/after" | cut -d@ -f1)" c0
}

tap_main
