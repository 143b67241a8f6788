#!/bin/bash
# Namespaces: new, joined by path, inherited, wrong; id maps; time offsets.
. "$(dirname "$0")/lib.sh"

# config type -> name under /proc/PID/ns
ns_name() {
    case $1 in network) echo net ;; mount) echo mnt ;; *) echo "$1" ;; esac
}

ns_of() { # pid type
    readlink "/proc/$1/ns/$(ns_name "$2")"
}

here() { # type
    readlink "/proc/self/ns/$(ns_name "$1")"
}

with_userns() {
    edit '.linux.namespaces += [{type: "user"}] |
        .linux.uidMappings = [{containerID: 0, hostID: 200000, size: 65536}] |
        .linux.gidMappings = [{containerID: 0, hostID: 300000, size: 65536}]'
}

# 132: each namespace of the default config is new
test_new() {
    bundle
    probe
    local type
    for type in pid network ipc uts mount cgroup; do
        ne "$(p ".namespaces.$(ns_name $type)")" "$(here $type)"
    done
    for type in user time; do
        eq "$(p ".namespaces.$type")" "$(here $type)"
    done
    eq "$(p .pid)" 1
}

# 134: a namespace that is not listed is the runtime's
test_inherited() {
    bundle 'del(.hostname)'
    local type
    for type in network ipc uts cgroup pid; do
        probe '.linux.namespaces |= map(select(.type != $t))' --arg t $type
        eq "$(p ".namespaces.$(ns_name $type)")" "$(here $type)"
        edit '.linux.namespaces += [{type: $t}]' --arg t $type
        # sysfs and mqueue belong to namespaces: leave them out from here on
        edit '.mounts |= map(select(.type != "mqueue" and .type != "sysfs" and .type != "cgroup"))'
    done
}

# 132: join by path, for each type
test_join() {
    bundle 'del(.hostname) | .mounts |= map(select(.type != "mqueue"))'
    local type holder
    unshare --net --ipc --uts --cgroup -- sleep 1000 &
    holder=$!
    wait_for 5 eval "[ \"\$(readlink /proc/$holder/ns/net)\" != '$(here network)' ]"
    for type in network ipc uts cgroup; do
        probe '(.linux.namespaces[] | select(.type == $t)).path = $p' --arg t $type --arg p "/proc/$holder/ns/$(ns_name $type)"
        eq "$(p ".namespaces.$(ns_name $type)")" "$(ns_of $holder $type)"
        # joined by a name that is bound somewhere too
        edit '(.linux.namespaces[] | select(.type == $t)) |= del(.path)' --arg t $type
    done
    kill $holder
    wait $holder 2>/dev/null || true
}

# 137: join a pid namespace: the program is not pid 1, state has the pid of our own view
test_join_pid() {
    bundle
    unshare --pid --fork --kill-child -- sleep 1000 &
    local holder=$! child
    wait_for 5 pgrep -P $holder
    child=$(pgrep -P $holder)
    edit '(.linux.namespaces[] | select(.type == "pid")).path = $p' --arg p "/proc/$child/ns/pid"
    up
    eq "$(ns_of "$(pid_of)" pid)" "$(ns_of "$child" pid)"
    eq "$(tr '\0' ' ' <"/proc/$(pid_of)/cmdline")" "/bin/sleep 1000 "
    ne "$(rt exec "$ID" /bin/sh -c 'echo $$')" 1
    rt delete --force "$ID"
    kill -KILL "$child"
    wait $holder 2>/dev/null || true
}

# 137 28: a joined pid namespace is init's alone: hooks of the runtime stay in the runtime's
test_join_pid_hooks() {
    bundle
    unshare --pid --fork --kill-child -- sleep 1000 &
    local holder=$! child
    wait_for 5 pgrep -P $holder
    child=$(pgrep -P $holder)
    edit '(.linux.namespaces[] | select(.type == "pid")).path = $p' --arg p "/proc/$child/ns/pid"
    edit '.hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", "readlink /proc/self/ns/pid >$1", "sh", $f]}]' --arg f "$W/hook-pid"
    up
    eq "$(cat "$W/hook-pid")" "$(readlink /proc/self/ns/pid)"
    rt delete --force "$ID"
    kill -KILL "$child"
    wait $holder 2>/dev/null || true
}

# 132: join the network of another container, as pods do
test_join_container() {
    bundle
    up
    local first=$ID pid
    pid=$(pid_of)
    edit '(.linux.namespaces[] | select(.type == "network" or .type == "ipc" or .type == "uts")) |= (.path = "/proc/\($p)/ns/" + (if .type == "network" then "net" else .type end)) | del(.hostname)' --arg p "$pid"
    ID=$ID-2
    up
    eq "$(ns_of "$(pid_of)" network)" "$(ns_of "$pid" network)"
    rt delete --force "$ID"
    eq "$(status "$first")" running
    [ -e "/proc/$pid" ]
}

# 133: a path that is a namespace of another type, or none at all, is refused
test_join_wrong() {
    bundle
    local path
    for path in /proc/self/ns/uts /etc/passwd /no/such /proc/self/ns /dev/null relative; do
        edit '(.linux.namespaces[] | select(.type == "network")).path = $p' --arg p $path
        if [ "$KIND" = crun ] && [ $path = /proc/self/ns ]; then continue; fi
        fails rt run -b "$B" "$ID"
        eq "$RC" 1
    done
}

# 135: the same type twice is refused
test_twice() {
    todo_for crun "1.8 takes it"
    bundle '.linux.namespaces += [{type: "ipc"}]'
    fails rt run -b "$B" "$ID"
    one_line "$ERR"
}

# 131: an unknown type is refused
test_unknown_type() {
    bundle '.linux.namespaces += [{type: "netwrk"}]'
    fails rt run -b "$B" "$ID"
    has "$ERR" netwrk
}

# 138: user namespace with maps
test_userns() {
    bundle '.root.readonly = false'
    with_userns
    chown -R 200000:300000 "$B/rootfs/tmp"
    probe
    eq "$(p '.uid_map | gsub(" +"; " ")')" " 0 200000 65536"
    eq "$(p '.gid_map | gsub(" +"; " ")')" " 0 300000 65536"
    eq "$(p '[.uid[0], .gid[0]]')" '[0,0]'
    ne "$(p .namespaces.user)" "$(here user)"
    eq "$(shell 'touch /tmp/made && stat -c "%u %g" /tmp/made')" "0 0"
    eq "$(stat -c '%u %g' "$B/rootfs/tmp/made")" "200000 300000"
}

# 138: several ranges, in the container's order
test_userns_ranges() {
    bundle
    with_userns
    probe '.linux.uidMappings = [{containerID: 0, hostID: 200000, size: 1}, {containerID: 1, hostID: 5000, size: 10}, {containerID: 1000, hostID: 300000, size: 1000}]'
    eq "$(p '.uid_map | gsub(" +"; " ") | split("\n")')" '[" 0 200000 1"," 1 5000 10"," 1000 300000 1000"]'
}

# 151: devices in a user namespace are usable
test_userns_devices() {
    bundle
    with_userns
    eq "$(shell 'for d in null zero full random urandom tty; do test -c /dev/$d || echo no $d; done; head -c 3 /dev/zero | wc -c; echo x >/dev/null; echo written')" $'3\nwritten'
}

# 57: an ordinary user of a user namespace, with groups
test_userns_user() {
    bundle '.process.user = {uid: 1000, gid: 1000, additionalGids: [2000]}'
    with_userns
    probe
    eq "$(p '[.uid[0], .gid[0], .groups]')" '[1000,1000,[2000]]'
}

# 138: exec into a user namespace
test_userns_exec() {
    bundle
    with_userns
    up
    REPORT=$(rt exec --user 7:8 "$ID" /bin/probe)
    eq "$(p '[.uid[0], .gid[0]]')" '[7,8]'
    eq "$(p .namespaces.user)" "$(ns_of "$(pid_of)" user)"
}

# 140: a user namespace without maps is an error for root
test_userns_unmapped() {
    todo_for crun "1.8 makes maps up"
    bundle '.linux.namespaces += [{type: "user"}]'
    fails rt run -b "$B" "$ID"
    one_line "$ERR"
}

# 138: maps that overlap or exceed what the kernel takes
test_userns_bad_maps() {
    bundle
    with_userns
    local maps
    for maps in '[{containerID: 0, hostID: 1, size: 0}]' '[{containerID: 0, hostID: 1, size: 10}, {containerID: 5, hostID: 100, size: 10}]' \
        '[{containerID: 4294967295, hostID: 0, size: 2}]'; do
        edit ".linux.uidMappings = $maps"
        fails rt run -b "$B" "$ID"
        eq "$RC" 1
    done
}

# 136: join a user namespace and a network namespace that it owns
test_userns_join() {
    todo_for runc "1.1 wants maps"
    bundle '.root.readonly = false | del(.hostname)'
    unshare --user --net --map-root-user -- sleep 1000 &
    local holder=$!

    wait_for 5 eval "[ \"\$(readlink /proc/$holder/ns/net)\" != '$(here network)' ] && grep -q . /proc/$holder/uid_map"
    edit '.linux.namespaces = [{type: "user", path: "/proc/\($h)/ns/user"}, {type: "network", path: "/proc/\($h)/ns/net"},
        {type: "mount"}, {type: "pid"}, {type: "ipc"}, {type: "uts"}] | .mounts |= map(select(.type != "cgroup")) |
        (.mounts[] | select(.type == "devpts")).options |= map(select(. != "gid=5"))' --arg h $holder
    capture rt run -b "$B" "$ID"
    REPORT=$OUT
    kill $holder
    wait $holder 2>/dev/null || true
    eq "$RC$ERR" 0
    eq "$(p '.uid_map | gsub(" +"; " ")')" " 0 0 1"
}

# join_userns: the config joins a user namespace like that of with_userns. Sets HOLDER
join_userns() {
    unshare --user -- sleep 1000 &
    HOLDER=$!
    wait_for 5 eval "[ \"\$(readlink /proc/$HOLDER/ns/user)\" != '$(here user)' ]"
    echo "0 200000 65536" >"/proc/$HOLDER/uid_map"
    echo "0 300000 65536" >"/proc/$HOLDER/gid_map"
    edit '(.linux.namespaces[] | select(.type == "user")).path = "/proc/\($h)/ns/user"' --arg h $HOLDER
}

end_holder() {
    kill $HOLDER
    wait $HOLDER 2>/dev/null || true
}

# 122 136: bind sources that the root of the user namespace, new or joined as in a pod, cannot reach
test_userns_hidden_source() {
    bundle
    with_userns
    mkdir -m 700 "$B/hidden"
    echo reached >"$B/hidden/file"
    edit '.mounts += [{destination: "/tmp/file", type: "bind", source: $f, options: ["bind"]}]' --arg f "$B/hidden/file"
    eq "$(shell 'cat /tmp/file')" reached
    join_userns
    capture shell 'cat /tmp/file; id -u'
    end_holder
    eq "$OUT$ERR" $'reached\n0'
}

# 136: a root file system that the root of the user namespace, new or joined, cannot reach
test_userns_hidden_root() {
    todo_for runc "1.1 opens sources of mounts only"
    todo_for crun "1.8 opens sources of mounts only"
    bundle
    with_userns
    mkdir -m 700 "$B/hidden"
    mv "$B/rootfs" "$B/hidden/"
    edit '.root.path = "hidden/rootfs"'
    eq "$(shell 'id -u')" 0
    join_userns
    capture shell 'id -u'
    end_holder
    eq "$OUT$ERR" 0
}

# 141: a time namespace with offsets, for the program and for exec
test_time() {
    not_for runc "1.1 has no time namespaces"
    not_for crun "1.8 has no time namespaces"
    [ -e /proc/self/ns/time ] || skip "no time namespaces"
    bundle '.linux.namespaces += [{type: "time"}] |
        .linux.timeOffsets = {monotonic: {secs: 100000, nanosecs: 5}, boottime: {secs: 200000, nanosecs: 6}}'
    up /bin/sh -c 'probe >/dev/shm/init; sleep 1000'
    local uptime
    uptime=$(cut -d. -f1 /proc/uptime)
    wait_for 5 rt exec "$ID" /bin/test -s /dev/shm/init
    REPORT=$(rt exec "$ID" /bin/cat /dev/shm/init)
    [ "$(p .boottime)" -ge $((uptime + 199990)) ]
    REPORT=$(rt exec "$ID" /bin/probe)
    [ "$(p .boottime)" -ge $((uptime + 200000)) ]
    [ "$(p .monotonic)" -ge 100000 ]
    eq "$(p '.timens_offsets | gsub(" +"; " ")')" $'monotonic 100000 5\nboottime 200000 6'
}

# 141: offsets without a time namespace are an error
test_time_without_namespace() {
    not_for runc "1.1 has no time namespaces"
    not_for crun "1.8 has no time namespaces"
    bundle '.linux.timeOffsets = {monotonic: {secs: 1, nanosecs: 0}}'
    fails rt run -b "$B" "$ID"
    has "$ERR" timeOffsets
}

# issue 2.4: loopback is up in a new network namespace
test_loopback() {
    bundle
    eq "$(shell 'ip link show lo 2>/dev/null | grep -c "LOOPBACK,UP"; ping -c 1 -w 2 127.0.0.1 >/dev/null 2>&1; cat /sys/class/net/lo/flags; ls /sys/class/net')" $'1\n0x9\nlo'
}

# no mount namespace: the root is entered by chroot, and the host's mounts stay as they are
test_no_mount_namespace() {
    todo_for runc "1.1 refuses mounts, and needs none"
    todo_for crun "1.8 refuses"
    bundle '.linux.namespaces |= map(select(.type != "mount")) | .mounts = [] | del(.linux.maskedPaths) | del(.linux.readonlyPaths) | .root.readonly = false'
    command_is /bin/ls /
    capture rt run -b "$B" "$ID"
    if [ "$RC" = 0 ]; then has "$OUT" "bin"; hasnt "$OUT" lib64; else one_line "$ERR"; fi
}

tap_main
