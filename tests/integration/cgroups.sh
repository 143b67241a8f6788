#!/bin/bash
# Cgroups: limits in the kernel's files, paths, pause and resume, ps, devices, clean-up.
. "$(dirname "$0")/lib.sh"

# value CONTROLLER V1-FILE V2-FILE: of the running container
value() {
    local file=$2
    [ "$(controller_version "$1")" = 1 ] || file=$3
    cat "$(cgroup_dir "$1" "$(pid_of)")/$file"
}

need_controller() {
    [ -n "$(controller_version "$1")" ] || skip "no $1 controller here"
}

has_swap() {
    [ "$(controller_version memory)" = 2 ] || [ -e /sys/fs/cgroup/memory/memory.memsw.limit_in_bytes ]
}

# where the cgroups of the pids controller begin
pids_top() {
    if [ "$(controller_version pids)" = 1 ]; then echo /sys/fs/cgroup/pids; else cgroup2_mount; fi
}

resources() { # JQ-VALUE
    bundle ".linux.resources += $1"
    up
}

# 178 180: memory limit
test_memory() {
    need_controller memory
    resources '{memory: {limit: 67108864}}'
    eq "$(value memory memory.limit_in_bytes memory.max)" 67108864
}

# 179: memory reservation
test_memory_reservation() {
    need_controller memory
    resources '{memory: {limit: 67108864, reservation: 33554432}}'
    eq "$(value memory memory.soft_limit_in_bytes memory.low)" 33554432
}

# 180: swap is memory plus swap
test_memory_swap() {
    need_controller memory
    has_swap || skip "no swap accounting"
    resources '{memory: {limit: 67108864, swap: 100663296}}'
    if [ "$(controller_version memory)" = 1 ]; then
        eq "$(value memory memory.memsw.limit_in_bytes -)" 100663296
    else
        eq "$(value memory - memory.swap.max)" 33554432
    fi
}

# 180: swap below limit, and swap without limit, are errors
test_memory_swap_invalid() {
    todo_for crun "1.8 leaves its cgroups"
    need_controller memory
    local value
    for value in '{limit: 67108864, swap: 33554432}' '{swap: 67108864}'; do
        rm -rf "$B"
        bundle ".linux.resources.memory = $value"
        if [ "$KIND" != aril ] && [ "$value" = '{swap: 67108864}' ]; then continue; fi
        command_is /bin/true
        fails rt run -b "$B" "$ID"
        one_line "$ERR"
    done
}

# 178: -1 is no limit
test_memory_unlimited() {
    need_controller memory
    resources '{memory: {limit: -1}}'
    matches "$(value memory memory.limit_in_bytes memory.max)" '^(9223372036854771712|max)$'
}

# 183 184: v1-only values work on v1 and are an error on v2
test_memory_v1_only() {
    need_controller memory
    bundle '.linux.resources.memory = {swappiness: 30, disableOOMKiller: true}'
    if [ "$(controller_version memory)" = 2 ]; then
        fails rt run -b "$B" "$ID"
        return
    fi
    up
    eq "$(value memory memory.swappiness -)" 30
    has "$(value memory memory.oom_control -)" "oom_kill_disable 1"
}

# E12: a program over the limit is killed, and only it
test_memory_oom() {
    need_controller memory
    bundle '.linux.resources.memory = {limit: 16777216, swap: 16777216}'
    has_swap || edit 'del(.linux.resources.memory.swap)'
    command_is /bin/sh -c 'probe eat 64; echo status $?'
    eq "$(rt run -b "$B" "$ID" 2>/dev/null)" "status 137"
}

# 187 188: cpu shares, quota and period
test_cpu() {
    need_controller cpu
    resources '{cpu: {shares: 512, quota: 50000, period: 200000}}'
    if [ $CGROUP_VERSION = 1 ]; then
        eq "$(value cpu cpu.shares -)" 512
        eq "$(value cpu cpu.cfs_quota_us -)" 50000
        eq "$(value cpu cpu.cfs_period_us -)" 200000
    else
        matches "$(value cpu - cpu.weight)" '^(20|59)$'
        eq "$(value cpu - cpu.max)" "50000 200000"
    fi
}

# 188: quota and period each alone
test_cpu_alone() {
    need_controller cpu
    resources '{cpu: {quota: 30000}}'
    eq "$(value cpu cpu.cfs_quota_us cpu.max | cut -d' ' -f1)" 30000
    rt delete --force "$ID"
    rm -rf "$B"
    resources '{cpu: {period: 50000}}'
    matches "$(value cpu cpu.cfs_period_us cpu.max)" '(^| )50000$'
}

# 191: cpuset
test_cpuset() {
    need_controller cpuset
    bundle '.linux.resources.cpu = {cpus: "0", mems: "0"}'
    probe
    eq "$(p .scheduling.cpus)" '[0]'
}

# 191: a cpu that does not exist is an error that leaves nothing
test_cpuset_invalid() {
    todo_for crun "1.8 leaves its cgroups"
    todo_for runc "1.1 prints warnings too"
    need_controller cpuset
    bundle '.linux.resources.cpu = {cpus: "4096"}'
    fails rt run -b "$B" "$ID"
    one_line "$ERR"
}

# 196: pids limit
test_pids() {
    need_controller pids
    resources '{pids: {limit: 99}}'
    eq "$(value pids pids.max pids.max)" 99
}

# 196: the limit stops forks
test_pids_stop() {
    need_controller pids
    bundle '.linux.resources.pids = {limit: 6}'
    command_is /bin/sh -c 'for i in 1 2 3 4 5 6 7 8 9; do sleep 1 & done; wait'
    capture rt run -b "$B" "$ID"
    has "$OUT$ERR" fork
}

# 196: -1 is no limit, 0 is a limit
test_pids_special() {
    todo_for runc "1.1 ignores 0"
    todo_for crun "ignores 0"
    need_controller pids
    resources '{pids: {limit: -1}}'
    eq "$(value pids pids.max pids.max)" max
    rt delete --force "$ID"
    rm -rf "$B"
    # 0 means that the program cannot fork: with init counted the kernel's file may say 0 or 1
    bundle '.linux.resources.pids = {limit: 0}'
    command_is /bin/sh -c '(true) || exit 9; exit 8'
    capture rt run -b "$B" "$ID"
    ne "$RC" 8
}

# 162: an absolute cgroupsPath is relative to the mount root
test_path_absolute() {
    cgroupfs_paths
    bundle '.linux.cgroupsPath = $p' --arg p "/$ID/inner"
    up
    local dir
    dir=$(cgroup_dir pids "$(pid_of)")
    matches "$dir" "/$ID/inner\$"
    rt delete --force "$ID"
    [ ! -d "$dir" ]
    # parents that the runtime made may stay, as other runtimes leave them
    find /sys/fs/cgroup -depth -type d -name "$ID" -exec rmdir {} + 2>/dev/null || true
}

# 162: a relative cgroupsPath, and none at all
test_path_relative() {
    cgroupfs_paths
    bundle '.linux.cgroupsPath = $p' --arg p "$ID"
    up
    matches "$(cgroup_dir pids "$(pid_of)")" "$ID\$"
    rt delete --force "$ID"
    edit 'del(.linux.cgroupsPath)'
    up
    matches "$(cgroup_dir pids "$(pid_of)")" "$ID"
}

# 163: the same cgroupsPath is the same place, each time
test_path_same_place() {
    cgroupfs_paths
    local first
    bundle '.linux.cgroupsPath = $p' --arg p "/$ID-same/inner"
    up
    first=$(cat "/proc/$(pid_of)/cgroup")
    rt delete --force "$ID"
    up
    eq "$(cat "/proc/$(pid_of)/cgroup")" "$first"
    rt delete --force "$ID"
    find /sys/fs/cgroup -depth -type d -name "$ID-same" -exec rmdir {} + 2>/dev/null || true
}

# 164: a cgroup that cannot be made is an error that leaves nothing
test_path_impossible() {
    cgroupfs_paths
    todo_for crun "1.8 leaves its cgroups"
    todo_for runc "1.1 leaves its cgroups"
    bundle '.linux.cgroupsPath = $p' --arg p "/$ID/no"$'\n'name # which the kernel takes for no cgroup
    command_is /bin/true
    fails rt run -b "$B" "$ID"
    one_line "$ERR"
    [ "$KIND" != aril ] || has "$ERR" "make the cgroup"
    eq "$(cgroups_left)" ""
}

# 175: a cgroup below a threaded one takes no processes: the error says so, and nothing is left
test_path_threaded() {
    cgroupfs_paths
    todo_for crun "1.8 words it differently"
    todo_for runc "1.1 words it differently"
    [ $CGROUP_VERSION = 2 ] || skip "version 1 has no threaded cgroups"
    mkdir "/sys/fs/cgroup/$ID"
    echo threaded >"/sys/fs/cgroup/$ID/cgroup.type" || { rmdir "/sys/fs/cgroup/$ID" && skip "no cgroup can be threaded here"; }
    bundle '.linux.cgroupsPath = $p' --arg p "/$ID/inner"
    command_is /bin/true
    capture rt run -b "$B" "$ID"
    [ ! -e "/sys/fs/cgroup/$ID/inner" ]
    rmdir "/sys/fs/cgroup/$ID"
    ne "$RC" 0
    one_line "$ERR"
    has "$ERR" "is threaded"
}

# 164: a cgroupsPath with .. makes nothing outside
test_path_dots() {
    todo_for crun "1.8 makes directories outside"
    bundle '.linux.cgroupsPath = $p' --arg p "/../../../tmp/$ID-escaped"
    command_is /bin/true
    capture rt run -b "$B" "$ID"
    [ ! -e "/tmp/$ID-escaped" ]
    [ ! -e "/sys/fs/$ID-escaped" ]
}

# S6 203: the process is in the cgroup when create returns, in every hierarchy, named ones too
test_in_cgroup_at_create() {
    cgroupfs_paths
    bundle '.linux.cgroupsPath = $p' --arg p "/$ID"
    created
    local line
    while read -r line; do
        case $line in
        0::*) [ $CGROUP_VERSION = 1 ] || has "$line" "$ID" ;;
        *) [ $CGROUP_VERSION = 2 ] || has "$line" "$ID" ;;
        esac
    done <"/proc/$(pid_of)/cgroup"
}

# 30: delete removes its cgroups, and the ones the container made below
test_delete_nested() {
    local directory
    bundle
    up
    directory=$(cgroup_dir pids "$(pid_of)")
    mkdir -p "$directory/below/deeper"
    rt delete --force "$ID"
    [ ! -d "$directory" ]
}

# 30: a cgroup that was there before and has other processes is not removed
test_delete_keeps_others() {
    cgroupfs_paths
    local top other
    top=$(pids_top)
    mkdir -p "$top/$ID/other"
    sleep 1000 &
    other=$!
    echo $other >"$top/$ID/other/cgroup.procs"
    bundle '.linux.cgroupsPath = $p' --arg p "/$ID/mine"
    up
    rt delete --force "$ID"
    kill -0 $other
    [ -d "$top/$ID/other" ]
    kill $other
    wait $other 2>/dev/null || true
    rmdir "$top/$ID/other"
    # named: a walk over all cgroups trips over those of others that end meanwhile; two names may lead to one
    rmdir /sys/fs/cgroup/"$ID" /sys/fs/cgroup/*/"$ID" 2>/dev/null || true
}

# 174: the record is enough: later commands find the cgroup without the bundle
test_without_bundle() {
    local dir
    need_controller pids
    bundle
    up
    dir=$(cgroup_dir pids "$(pid_of)")
    mv "$B/config.json" "$B/config.gone"
    rt update --pids-limit 83 "$ID"
    eq "$(cat "$dir/pids.max")" 83
    eq "$(rt exec "$ID" /bin/cat /proc/self/cgroup)" "$(rt exec "$ID" /bin/cat /proc/1/cgroup)"
    eq "$(rt ps --format json "$ID" | jq length)" 1
    rt pause "$ID"
    rt resume "$ID"
    rt delete --force "$ID"
    [ ! -d "$dir" ]
}

# 38 E9: pause and resume
test_pause() {
    bundle
    up /bin/sh -c 'i=0; while :; do i=$((i + 1)); echo $i; sleep 0.02; done'
    wait_for 5 log_has 3
    rt pause "$ID"
    eq "$(status)" paused
    local lines
    lines=$(wc -l <"$B/out")
    sleep 0.2
    eq "$(wc -l <"$B/out")" "$lines"
    rt resume "$ID"
    eq "$(status)" running
    wait_for 5 eval "[ \$(wc -l <$B/out) -gt $lines ]"
}

# E9: resume of a container that is not paused, pause of one that is not running
test_pause_errors() {
    todo_for crun "resumes silently"
    bundle
    up
    fails rt resume "$ID"
    has "$ERR" "container not paused"
    rt kill "$ID" KILL
    stopped
    fails rt pause "$ID"
    has "$ERR" "container not running"
}

# 28 29: delete --force and kill work on a paused container
test_paused_delete() {
    bundle
    up
    rt pause "$ID"
    rt delete --force "$ID"
}

# 277: KILL reaches a paused container when it is resumed, at the latest
test_paused_kill() {
    bundle
    up
    rt pause "$ID"
    rt kill "$ID" KILL
    [ "$(status)" = stopped ] || rt resume "$ID" || true
    stopped
}

# O3: ps as JSON and as a table
test_ps() {
    bundle
    up /bin/sh -c 'sleep 1000 & sleep 1000 & echo ready; wait'
    wait_for 5 log_has ready
    eq "$(rt ps --format json "$ID" | jq length)" 3
    rt ps -f json "$ID" | jq -e --argjson p "$(pid_of)" 'index($p) != null' >/dev/null
    has "$(rt ps "$ID" | head -n 1)" PID
    eq "$(rt ps "$ID" | wc -l)" 4
}

# O3 G7: ps table with options of ps
test_ps_options() {
    todo_for crun "has no options"
    bundle
    up
    has "$(rt ps "$ID" -o pid,args)" "/bin/sleep 1000"
    has "$(rt ps --format table "$ID" aux)" PID
}

# O3: ps of a stopped container is an empty array
test_ps_stopped() {
    todo_for crun "1.8 crashes"
    bundle
    up /bin/true
    stopped
    capture rt ps --format json "$ID"
    matches "$OUT$ERR" '^\[\]$|null|not running|no such'
}

# E14 165: a cgroup that others are in is refused at create
test_not_empty() {
    cgroupfs_paths
    todo_for runc "1.1 warns only"
    todo_for crun "1.8 takes it"
    local top
    top=$(pids_top)
    mkdir "$top/$ID"
    sleep 1000 &
    echo $! >"$top/$ID/cgroup.procs"
    bundle '.linux.cgroupsPath = $p' --arg p "/$ID"
    command_is /bin/true
    capture rt run -b "$B" "$ID"
    echo "$ERR"
    kill $!
    wait $! 2>/dev/null || true
    sleep 0.1
    find /sys/fs/cgroup -depth -type d -name "$ID" -exec rmdir {} + 2>/dev/null || true
    ne "$RC" 0
    matches "$ERR" "cgroup is not empty"
}

# 167: allow and deny in order
test_device_rules() {
    bundle '.linux.resources.devices = [{allow: false, access: "rwm"}, {allow: true, type: "c", major: 10, minor: 229, access: "rw"}] |
        .linux.devices = [{path: "/dev/fuse", type: "c", major: 10, minor: 229}]'
    [ -c /dev/fuse ] || skip "no /dev/fuse"
    eq "$(shell 'probe open r /dev/fuse; probe open r /dev/zero')" $'ok\nok'
    edit '.linux.resources.devices += [{allow: false, type: "c", major: 10, minor: 229, access: "rwm"}]'
    eq "$(shell 'probe open r /dev/fuse' || true)" EPERM
}

zero_opens() {
    rt exec "$ID" /bin/head -c 1 /dev/zero >"$B/zero" 2>&1
}

# 169 170 281: an update with other device rules changes them, there and back
test_update_device_rules() {
    todo_for runc "changes no device rules"
    todo_for crun "1.8 adds rules to those that are there"
    bundle '.linux.resources.devices = [{allow: false, access: "rwm"}]'
    up
    zero_opens
    rt update -r - "$ID" <<<'{"devices": [{"allow": false, "access": "rwm"},
        {"allow": false, "type": "c", "major": 1, "minor": 5, "access": "r"}]}'
    fails zero_opens
    has "$(cat "$B/zero")" "not permitted"
    rt update -r - "$ID" <<<'{"devices": [{"allow": false, "access": "rwm"}]}'
    zero_opens
}

# 169 170 281: the container's own rules, as engines send them with everything else, leave a device that a hook has added
test_update_same_device_rules() {
    todo_for crun "1.8 writes all rules anew"
    local list
    bundle '.linux.resources.devices = [{allow: false, access: "rwm"}]'
    up
    list=$(cgroup_dir devices "$(pid_of)")/devices.list
    [ -e "$list" ] || skip "no devices controller of version 1"
    echo 'c 10:229 rw' >"${list%list}allow"
    jq .linux.resources "$B/config.json" >"$B/resources"
    rt update -r "$B/resources" "$ID"
    grep -qx 'c 10:229 rw' "$list"
}

tap_main
