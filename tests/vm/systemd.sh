#!/bin/bash
# The systemd cgroup driver on a host with systemd (contract items 204-215). Started by tests/vm/run.
. "$(dirname "$0")/../integration/lib.sh"

PLAIN=${PLAIN:-/tmp/runtime/aril} # without --cgroup-manager

[ -d /run/systemd/system ] || bail_out "this needs a host with systemd: VM_TEST=... tests/vm/run systemd"

export SYSTEMCTL_FORCE_BUS=1 # its own socket refuses who is in another pid namespace

show() { # unit property
    systemctl show --value -p "$2" "$1"
}

scope() { # the unit of the container
    echo "${1:-aril-$ID.scope}"
}

# unit_cgroup [PID]: the path of the process in the hierarchy that systemd keeps its units in
unit_cgroup() {
    if [ $CGROUP_VERSION = 2 ]; then
        sed -n 's/^0:://p' "/proc/${1:-$(pid_of)}/cgroup"
    else
        sed -n 's/^[0-9]*:name=systemd://p' "/proc/${1:-$(pid_of)}/cgroup"
    fi
}

file() { # of the container's cgroup
    cat "/sys/fs/cgroup$(unit_cgroup)/$1"
}

# need_v2: where v1 has other files and properties
need_v2() {
    [ $CGROUP_VERSION = 2 ] || skip "test_v1_limits has the files of v1"
}

# record_gone: as if the status of the container had been lost
record_gone() {
    rm "$STATE/$ID/status.json"
}

has_failed() { # unit
    [ "$(show "$1" ActiveState)" = failed ]
}

is_gone() { # unit
    [ "$(show "$1" LoadState)" = not-found ]
}

# 205: without a path: aril-ID.scope in system.slice
test_default_path() {
    bundle
    up
    eq "$(unit_cgroup)" "/system.slice/aril-$ID.scope"
    eq "$(show "$(scope)" ActiveState)" active
}

# 204: slice:prefix:name, with slices within slices
test_path() {
    bundle ".linux.cgroupsPath = \"machine-a-b.slice:pre:$ID\""
    up
    eq "$(unit_cgroup)" \
        "/machine.slice/machine-a.slice/machine-a-b.slice/pre-$ID.scope"
    eq "$(show "pre-$ID.scope" Slice)" machine-a-b.slice
}

# 204 205: empty parts
test_path_parts() {
    bundle ".linux.cgroupsPath = \"::$ID\""
    up
    eq "$(unit_cgroup)" "/system.slice/$ID.scope"
}

# 204: what is no such path is an error that names the property, and leaves nothing
test_path_invalid() {
    local path
    bundle
    command_is /bin/true
    for path in /a/b a:b a:b:c:d 'no:a:b' 'a--b.slice:x:y' '-a.slice:x:y' 'a-.slice:x:y' 'x.slice:a/b:c' ':p:n.slice' \
        'x.slice:a:b c'; do
        edit ".linux.cgroupsPath = \"$path\""
        fails rt run -b "$B" "$ID"
        has "$ERR" linux.cgroupsPath
        one_line "$ERR"
    done
}

# 207: the unit's properties
test_properties() {
    local unit row io=IOAccounting
    [ $CGROUP_VERSION = 2 ] || io=BlockIOAccounting
    bundle
    up
    unit=$(scope)
    for row in Delegate=yes DefaultDependencies=no CPUAccounting=yes MemoryAccounting=yes TasksAccounting=yes \
        $io=yes Transient=yes Slice=system.slice "Description=aril container $ID"; do
        eq "${row%%=*}=$(show "$unit" "${row%%=*}")" "$row"
    done
}

# 208 210: limits as properties and in the files
test_limits() {
    need_v2
    bundle '.linux.resources += {memory: {limit: 67108864, reservation: 33554432, swap: 100663296},
        cpu: {shares: 2048, quota: 25000, period: 50000, cpus: "0"}, pids: {limit: 77}, blockIO: {weight: 500}}'
    up
    local unit row
    unit=$(scope)
    for row in MemoryMax=67108864 MemoryLow=33554432 MemorySwapMax=33554432 CPUQuotaPerSecUSec=500ms \
        CPUQuotaPeriodUSec=50ms TasksMax=77 AllowedCPUs=0; do
        eq "${row%%=*}=$(show "$unit" "${row%%=*}")" "$row"
    done
    eq "$(show "$unit" CPUWeight)" "$(file cpu.weight)"
    eq "$(file memory.max)" 67108864
    eq "$(file cpu.max)" "25000 50000"
    eq "$(file pids.max)" 77
    eq "$(file cpuset.cpus)" 0
}

# 209: unified as properties where systemd has them, all as files
test_unified() {
    need_v2
    bundle '.linux.resources.unified = {"memory.max": "81920000", "memory.high": "71680000", "cpu.max": "max 20000",
        "cpu.weight": "42", "pids.max": "max", "memory.oom.group": "1"}'
    up
    local unit
    unit=$(scope)
    eq "$(show "$unit" MemoryMax)" "$(file memory.max)"
    eq "$(show "$unit" MemoryHigh)" "$(file memory.high)"
    eq "$(show "$unit" CPUWeight)" 42
    eq "$(show "$unit" TasksMax)" infinity
    eq "$(show "$unit" CPUQuotaPerSecUSec)" infinity
    eq "$(show "$unit" OOMPolicy)" kill
    eq "$(file memory.oom.group)" 1
    eq "$(file cpu.max)" "max 20000"
}

# 211 212: annotations with every kind of value
test_annotations() {
    bundle '.annotations = {"org.systemd.property.TimeoutStopSec": "uint64 7",
        "org.systemd.property.CollectMode": "\u0027inactive-or-failed\u0027",
        "org.systemd.property.Documentation": "[\"man:aril(8)\", \"man:runc(8)\"]",
        "org.systemd.property.TasksMax": "uint64 55",
        "org.systemd.property.MemoryAccounting": "true",
        "org.systemd.property.Description": "\"an annotated \\\"unit\\\"\"",
        "org.systemd.property.RuntimeMaxSec": "1234"}'
    up
    local unit
    unit=$(scope)
    eq "$(show "$unit" TimeoutStopUSec)" 7s
    eq "$(show "$unit" CollectMode)" inactive-or-failed
    eq "$(show "$unit" Documentation)" '"man:aril(8)" "man:runc(8)"'
    eq "$(show "$unit" TasksMax)" 55
    eq "$(show "$unit" Description)" 'an annotated "unit"'
    eq "$(show "$unit" RuntimeMaxUSec)" "20min 34s"
}

# 212: annotations that are wrong are errors that name them, and leave nothing
test_annotations_invalid() {
    local row
    bundle
    command_is /bin/true
    for row in 'TasksMax=uint64' 'TasksMax=' 'NoSuchProperty=true' 'TasksMax="text"' 'Ab=true' 'A1bc=true' 'TasksMax={}'; do
        edit '.annotations = {($k): $v}' --arg k "org.systemd.property.${row%%=*}" --arg v "${row#*=}"
        fails rt run -b "$B" "$ID"
        has "$ERR" "${row%%=*}"
        one_line "$ERR"
    done
}

# 206: a unit that failed and was left over by a crash is cleared away
test_left_over() {
    bundle '.annotations = {"org.systemd.property.RuntimeMaxSec": "1", "org.systemd.property.TimeoutStopSec": "1"}'
    up
    wait_for 15 has_failed "$(scope)"
    rm -r "${STATE:?}/$ID" # as after a crash of the host
    edit 'del(.annotations)'
    rt create -b "$B" "$ID" >"$B/out" 2>&1
    eq "$(show "$(scope)" ActiveState)" active
}

# 206: a unit that runs is not ours to take
test_taken() {
    bundle
    up
    mv "$STATE/$ID" "$W/saved"
    fails rt run -b "$B" "$ID"
    has "$ERR" "aril-$ID.scope"
    mv "$W/saved" "$STATE/$ID"
    eq "$(status)" running
    eq "$(show "$(scope)" ActiveState)" active
}

# 213: update changes the unit and the files
test_update() {
    need_v2
    bundle '.linux.resources.memory = {limit: 67108864}'
    up
    rt update --memory 134217728 --memory-swap 134217728 --pids-limit 33 --cpu-quota 30000 --cpu-period 100000 "$ID"
    eq "$(show "$(scope)" MemoryMax)" 134217728
    eq "$(show "$(scope)" TasksMax)" 33
    eq "$(show "$(scope)" CPUQuotaPerSecUSec)" 300ms
    eq "$(file memory.max)" 134217728
    eq "$(file pids.max)" 33
    eq "$(file cpu.max)" "30000 100000"
    rt update --cpu-quota 30000 --cpu-period 50000 "$ID"
    rt update --cpu-quota 20000 "$ID" # of the period that it has
    eq "$(show "$(scope)" CPUQuotaPerSecUSec)" 400ms
    eq "$(file cpu.max)" "20000 50000"
    rt update --cpu-period 100000 "$ID"
    eq "$(show "$(scope)" CPUQuotaPerSecUSec)" 200ms
    eq "$(show "$(scope)" CPUQuotaPeriodUSec)" 100ms
    eq "$(file cpu.max)" "20000 100000"
}

# denied and allowed devices of the running container, which may make nodes of any number
devices_hold() {
    fails rt exec "$ID" /bin/sh -c ': </dev/log-of-the-kernel'
    has "$ERR" "not permitted"
    rt exec "$ID" /bin/sh -c 'echo >/dev/null && : </dev/pts/ptmx && head -c 1 /dev/zero >/dev/null'
}

# 168 210: limits and device rules outlast a reload of systemd and a change of another property
test_reload() {
    bundle '.linux.resources += {pids: {limit: 44}, devices: [{allow: false, access: "rwm"}]} |
        .linux.devices += [{path: "/dev/log-of-the-kernel", type: "c", major: 1, minor: 11}]'
    up
    devices_hold
    systemctl daemon-reload
    devices_hold
    systemctl set-property --runtime "$(scope)" TasksMax=45
    devices_hold
    systemctl daemon-reload
    devices_hold
    eq "$(cat "$(cgroup_dir pids "$(pid_of)")/pids.max")" 45
}

# 169 213: an update with the container's device rules, as engines send the whole object, and then with others
test_update_devices() {
    bundle '.linux.resources += {devices: [{allow: false, access: "rwm"}]} |
        .linux.devices += [{path: "/dev/log-of-the-kernel", type: "c", major: 1, minor: 11}]'
    up
    echo '{"devices": [{"allow": false, "access": "rwm"}], "pids": {"limit": 40}}' | rt update -r - "$ID"
    eq "$(show "$(scope)" TasksMax)" 40
    devices_hold
    systemctl daemon-reload
    devices_hold
    [ $CGROUP_VERSION = 2 ] || return 0 # what systemd's properties on version 1 cannot say
    echo '{"devices": [{"allow": false, "access": "rwm"}, {"allow": false, "type": "c", "major": 1, "minor": 5}]}' |
        rt update -r - "$ID"
    fails rt exec "$ID" /bin/head -c 1 /dev/zero
    systemctl daemon-reload
    fails rt exec "$ID" /bin/head -c 1 /dev/zero
}

# 169: a device policy by annotation holds beside our rules; update does not take it away
test_device_policy() {
    bundle '.annotations = {"org.systemd.property.DevicePolicy": "\u0027strict\u0027",
        "org.systemd.property.DeviceAllow": "[(\u0027/dev/char/1:3\u0027, \u0027rwm\u0027)]"}
        | .linux.resources.devices = [{allow: true, access: "rwm"}]'
    if [ $CGROUP_VERSION = 1 ]; then # it has room for the rules of one only
        fails rt create -b "$B" "$ID"
        has "$ERR" "annotations.org.systemd.property.DevicePolicy"
        one_line "$ERR"
        return
    fi
    up
    fails rt exec "$ID" /bin/sh -c ': </dev/zero'
    has "$ERR" "not permitted"
    echo '{"devices": [{"allow": true, "access": "rwm"}, {"allow": false, "type": "b", "access": "rw"}]}' | rt update -r - "$ID"
    fails rt exec "$ID" /bin/sh -c ': </dev/zero'
    rt exec "$ID" /bin/sh -c ': >/dev/null'
}

# 208: on v1 what the properties cannot say is an error: the next reload would undo it
test_v1_devices_refused() {
    [ $CGROUP_VERSION = 1 ] || skip "cgroup v1"
    bundle '.linux.resources.devices = [{allow: true, access: "rwm"}, {allow: false, type: "c", major: 1, minor: 11, access: "rwm"}]'
    command_is /bin/true
    fails rt run -b "$B" "$ID"
    has "$ERR" "linux.resources.devices[1]"
    one_line "$ERR"
}

# 208 210: limits on v1, as properties and in the files of their hierarchies
test_v1_limits() {
    [ $CGROUP_VERSION = 1 ] || skip "cgroup v1"
    bundle '.linux.resources += {cpu: {shares: 2048, quota: 25000, period: 50000}, pids: {limit: 77}, memory: {limit: 67108864}}'
    up
    local pid memory
    pid=$(pid_of)
    memory=$(cgroup_dir memory "$pid")/memory.limit_in_bytes
    [ "$(controller_version memory)" = 1 ] || memory=${memory%/*}/memory.max
    eq "$(cat "$memory")" 67108864
    eq "$(show "$(scope)" TasksMax)" 77
    eq "$(show "$(scope)" CPUQuotaPerSecUSec)" 500ms
    eq "$(cat "$(cgroup_dir cpu "$pid")/cpu.shares")" 2048
    eq "$(cat "$(cgroup_dir cpu "$pid")/cpu.cfs_quota_us")" 25000
    eq "$(cat "$(cgroup_dir pids "$pid")/pids.max")" 77
    eq "$(cgroup_dir freezer "$pid")" "/sys/fs/cgroup/freezer$(unit_cgroup)"
    rt update --pids-limit 66 --cpu-quota 30000 --cpu-period 100000 --memory 134217728 "$ID"
    systemctl daemon-reload
    eq "$(cat "$memory")" 134217728
    eq "$(cat "$(cgroup_dir pids "$pid")/pids.max")" 66
    eq "$(cat "$(cgroup_dir cpu "$pid")/cpu.cfs_quota_us")" 30000
    eq "$(show "$(scope)" TasksMax)" 66
}

# rule 9: the status is lost: delete --force finds the scope by its path, by default too, and stops it
test_lost_status() {
    local path
    for path in '' "system.slice:pre:$ID"; do
        rm -rf "$B"
        bundle
        [ -z "$path" ] || edit '.linux.cgroupsPath = $p' --arg p "$path"
        up
        record_gone
        "$PLAIN" --root "$STATE" delete --force "$ID"
        wait_for 5 is_gone "$(scope "${path:+pre-$ID.scope}")"
        [ ! -e "$STATE/$ID" ]
    done
}

# 213: delete stops the unit and makes systemd forget it
test_delete() {
    bundle
    up /bin/sh -c 'trap "" TERM INT HUP; while :; do sleep 1; done'
    rt delete --force "$ID"
    wait_for 5 is_gone "$(scope)"
}

# 213: of a container that ended, too
test_delete_ended() {
    bundle
    up /bin/false
    stopped
    rt delete "$ID"
    wait_for 5 is_gone "$(scope)"
}

# 213: the same id again at once
test_again() {
    local i
    bundle
    command_is /bin/true
    for i in 1 2 3 4 5; do rt run -b "$B" "$ID"; done
    wait_for 5 is_gone "$(scope)"
}

# 24 213: a create that fails leaves no unit
test_failed_create() {
    bundle
    command_is /no/such/program
    fails rt create -b "$B" "$ID"
    wait_for 5 is_gone "$(scope)"
}

# 215: later commands need no option
test_record() {
    local aril=("$PLAIN" --root "$STATE")
    bundle
    up
    eq "$("${aril[@]}" state "$ID" | jq -r .status)" running
    eq "$("${aril[@]}" exec "$ID" cat /proc/self/cgroup)" "$(rt exec "$ID" cat /proc/self/cgroup)"
    "${aril[@]}" pause "$ID"
    eq "$("${aril[@]}" state "$ID" | jq -r .status)" paused
    "${aril[@]}" resume "$ID"
    "${aril[@]}" update --pids-limit 21 "$ID"
    eq "$(show "$(scope)" TasksMax)" 21
    "${aril[@]}" kill --all "$ID" KILL
    stopped
    "${aril[@]}" delete "$ID"
    wait_for 5 is_gone "$(scope)"
}

# 204: exec is in the scope
test_exec() {
    bundle 'del(.linux.namespaces[] | select(.type == "cgroup"))'
    up
    has "$(rt exec "$ID" cat /proc/self/cgroup)" "/system.slice/aril-$ID.scope"
}

# 204: with a user namespace and with a joined pid namespace
test_user_namespace() {
    bundle '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
        | .linux.gidMappings = .linux.uidMappings'
    chown -h 100000:100000 "$B" "$B/rootfs"
    up
    eq "$(unit_cgroup)" "/system.slice/aril-$ID.scope"
}

# 205: containers at the same time
test_parallel() {
    local i pids=()
    bundle
    command_is /bin/true
    for i in 1 2 3 4 5 6 7 8; do
        rt run -b "$B" "$ID-$i" &
        pids+=($!)
    done
    for i in "${pids[@]}"; do wait "$i"; done
}

# features names the driver
test_features() {
    eq "$(rt features | jq -c '.linux.cgroup | [.systemd, .systemdUser]')" '[true,true]'
    has "$(rt features | jq -r '.potentiallyUnsafeConfigAnnotations[]')" org.systemd.property.
}

tap_main
