#!/bin/bash
# linux.resources, property by property: what the kernel's file says afterwards, or an error that names the property.
# Nothing may be ignored: where this host lacks the controller or the file, or the version of cgroups has no such
# thing, create has to fail.
. "$(dirname "$0")/lib.sh"

# file_exists VERSION CONTROLLER FILE: in any cgroup of that hierarchy
file_exists() {
    local top=/sys/fs/cgroup/$2
    [ "$1" = 1 ] || top=$(cgroup2_mount)
    [ -n "$1" ] && find "$top/" -maxdepth 3 -name "$3" 2>/dev/null | grep -q .
}

# check PROPERTY JSON CONTROLLER V1-FILE V1-VALUE V2-FILE V2-VALUE: the property alone; "-" for a file: must be refused.
# The value is one that the file has, or a whole line of it.
check() {
    local property=linux.resources.$1 version file=$4 value=$5
    version=$(controller_version "$3")
    if [ "${version:-$CGROUP_VERSION}" = 2 ]; then file=$6 value=$7; fi
    bundle ".linux.resources += $2"
    command_is /bin/sleep 1000
    capture rt create -b "$B" "$ID"
    if [ "$RC" = 0 ]; then
        [ "$file" != - ] || { echo "$property was ignored"; return 1; }
        grep -qxF -- "$value" "$(cgroup_dir "$3" "$(pid_of)")/$file" || {
            echo "$property: $file is [$(cat "$(cgroup_dir "$3" "$(pid_of)")/$file")], not [$value]"
            return 1
        }
    else
        if [ "$KIND" = aril ]; then has "$ERR" "$property" && one_line "$ERR"; fi
        if [ "$file" != - ] && file_exists "$version" "$3" "$file" && [[ "$ERR" != *"kernel does not keep"* ]]; then echo "$property was refused: $ERR" && return 1; fi
        [ -z "$(cgroups_left)" ]
    fi
    rt delete --force "$ID"
    rm -rf --one-file-system "$B"
}

# the device of the root file system, if that is one
root_device() {
    local device
    device=$(awk '$5 == "/" { print $3 }' /proc/self/mountinfo | tail -n 1)
    [ "${device%%:*}" != 0 ] || skip "the root is on no block device"
    MAJOR=${device%%:*} MINOR=${device##*:}
}

# 178 179: memory.limit and memory.reservation, without limit too
test_memory() {
    check memory.limit '{memory: {limit: 67108864}}' memory memory.limit_in_bytes 67108864 memory.max 67108864
    check memory.limit '{memory: {limit: -1}}' memory memory.limit_in_bytes 9223372036854771712 memory.max max
    check memory.reservation '{memory: {reservation: 33554432}}' memory memory.soft_limit_in_bytes 33554432 memory.low 33554432
    check memory.reservation '{memory: {reservation: -1}}' memory memory.soft_limit_in_bytes 9223372036854771712 memory.low 0
}

# 180: memory.swap is the sum; without a limit, and equal to it
test_swap() {
    check memory.swap '{memory: {limit: 67108864, swap: 100663296}}' memory memory.memsw.limit_in_bytes 100663296 memory.swap.max 33554432
    check memory.swap '{memory: {limit: 67108864, swap: 67108864}}' memory memory.memsw.limit_in_bytes 67108864 memory.swap.max 0
    check memory.swap '{memory: {limit: 67108864, swap: -1}}' memory memory.memsw.limit_in_bytes 9223372036854771712 memory.swap.max max
}

# 182 183 184 185: what only v1 has
test_memory_v1() {
    todo_for runc "1.1 ignores some on v2, and the kernel on v1"
    todo_for crun "1.8 does not see what the kernel ignores on v1"
    check memory.kernel '{memory: {kernel: 67108864}}' memory memory.kmem.limit_in_bytes 67108864 - -
    check memory.kernelTCP '{memory: {kernelTCP: 67108864}}' memory memory.kmem.tcp.limit_in_bytes 67108864 - -
    check memory.swappiness '{memory: {swappiness: 30}}' memory memory.swappiness 30 - -
    check memory.disableOOMKiller '{memory: {disableOOMKiller: true}}' memory memory.oom_control "oom_kill_disable 1" - -
    if [ "$(controller_version memory)" = 1 ]; then # newer kernels know no other
        check memory.useHierarchy '{memory: {useHierarchy: true}}' memory memory.use_hierarchy 1 - -
    else
        check memory.useHierarchy '{memory: {useHierarchy: false}}' memory - - - -
    fi
}

# 187: cpu.shares by the formula of 2025: log2, with 1024 at 100
test_shares() {
    todo_for runc "1.1 has the older, linear formula"
    todo_for crun "1.8 has the older, linear formula"
    check cpu.shares '{cpu: {shares: 1024}}' cpu cpu.shares 1024 cpu.weight 100
    check cpu.shares '{cpu: {shares: 2}}' cpu cpu.shares 2 cpu.weight 1
    check cpu.shares '{cpu: {shares: 262144}}' cpu cpu.shares 262144 cpu.weight 10000
    check cpu.shares '{cpu: {shares: 512}}' cpu cpu.shares 512 cpu.weight 59
}

# 188: cpu.quota and cpu.period, each alone too
test_quota() {
    todo_for crun "1.8 writes no -1, and leaves its cgroups"
    check cpu.quota '{cpu: {quota: 30000, period: 50000}}' cpu cpu.cfs_quota_us 30000 cpu.max "30000 50000"
    check cpu.quota '{cpu: {quota: 30000}}' cpu cpu.cfs_quota_us 30000 cpu.max "30000 100000"
    check cpu.quota '{cpu: {quota: -1}}' cpu cpu.cfs_quota_us -1 cpu.max "max 100000"
    check cpu.period '{cpu: {period: 50000}}' cpu cpu.cfs_period_us 50000 cpu.max "max 50000"
}

# 189 192: cpu.burst, cpu.idle
test_burst_idle() {
    todo_for runc "1.1 knows neither"
    todo_for crun "1.8 has no burst on v1"
    check cpu.burst '{cpu: {quota: 30000, burst: 10000}}' cpu cpu.cfs_burst_us 10000 cpu.max.burst 10000
    check cpu.idle '{cpu: {idle: 1}}' cpu cpu.idle 1 cpu.idle 1
}

# 190: cpu.realtimeRuntime and cpu.realtimePeriod
test_realtime() {
    todo_for runc "1.1 ignores them on v2"
    check cpu.realtimeRuntime '{cpu: {realtimeRuntime: 1000}}' cpu cpu.rt_runtime_us 1000 - -
    check cpu.realtimePeriod '{cpu: {realtimePeriod: 500000}}' cpu cpu.rt_period_us 500000 - -
}

# 190: the cgroups above belong to others and get no realtime budget: the error says that they need one
test_realtime_below() {
    cgroupfs_paths
    local file=/sys/fs/cgroup/cpu/cpu.rt_runtime_us
    [ -e $file ] || skip "this kernel has no $file"
    bundle '.linux.resources.cpu = {realtimeRuntime: 1000} | .linux.cgroupsPath = $p' --arg p "/$ID/inner"
    fails rt create -b "$B" "$ID"
    if [ "$KIND" = aril ]; then
        one_line "$ERR"
        has "$ERR" linux.resources.cpu.realtimeRuntime
        has "$ERR" "the cgroups above it must have as much time"
        eq "$(cgroups_left)" ""
    fi
    find /sys/fs/cgroup -depth -type d -path "*/$ID*" -exec rmdir {} + 2>/dev/null || true
}

# 191: cpu.cpus and cpu.mems
test_cpuset() {
    check cpu.cpus '{cpu: {cpus: "0"}}' cpuset cpuset.cpus 0 cpuset.cpus 0
    check cpu.mems '{cpu: {mems: "0"}}' cpuset cpuset.mems 0 cpuset.mems 0
}

# 193: blockIO.weight, leafWeight and weightDevice
test_weights() {
    todo_for runc "1.1 ignores or words them differently"
    todo_for crun "1.8 ignores or words them differently"
    local v1=blkio.weight v2=io.weight value="default 4950"
    root_device
    [ -z "$(find /sys/fs/cgroup -maxdepth 3 -name blkio.bfq.weight 2>/dev/null)" ] || v1=blkio.bfq.weight
    [ -z "$(find /sys/fs/cgroup -maxdepth 3 -name io.bfq.weight 2>/dev/null)" ] || { v2=io.bfq.weight value="default 500"; }
    if [ "$(controller_version blkio)$(controller_version io)" = 1 ]; then
        check blockIO.weight '{blockIO: {weight: 500}}' blkio $v1 500 - -
        check blockIO.leafWeight '{blockIO: {leafWeight: 500}}' blkio blkio.leaf_weight 500 - -
        check "blockIO.weightDevice[0].leafWeight" \
            "{blockIO: {weightDevice: [{major: $MAJOR, minor: $MINOR, leafWeight: 500}]}}" blkio blkio.leaf_weight_device "$MAJOR:$MINOR 500" - -
    else
        check blockIO.weight '{blockIO: {weight: 500}}' io - - $v2 "$value"
        check blockIO.leafWeight '{blockIO: {leafWeight: 500}}' io - - - -
        check "blockIO.weightDevice[0].leafWeight" \
            "{blockIO: {weightDevice: [{major: $MAJOR, minor: $MINOR, leafWeight: 500}]}}" io - - - -
    fi
}

# 193: the four throttles of blockIO, on v2 in one line
test_throttle() {
    local name unit
    root_device
    if [ "$(controller_version blkio)$(controller_version io)" = 1 ]; then
        for name in throttleReadBpsDevice:read_bps throttleWriteBpsDevice:write_bps throttleReadIOPSDevice:read_iops \
            throttleWriteIOPSDevice:write_iops; do
            unit=blkio.throttle.${name#*:}_device
            check "blockIO.${name%:*}[0]" "{blockIO: {${name%:*}: [{major: $MAJOR, minor: $MINOR, rate: 1048576}]}}" \
                blkio "$unit" "$MAJOR:$MINOR 1048576" - -
        done
        return
    fi
    check "blockIO.throttleReadBpsDevice[0]" "{blockIO: {throttleReadBpsDevice: [{major: $MAJOR, minor: $MINOR, rate: 1048576}],
        throttleWriteBpsDevice: [{major: $MAJOR, minor: $MINOR, rate: 2097152}],
        throttleReadIOPSDevice: [{major: $MAJOR, minor: $MINOR, rate: 100}],
        throttleWriteIOPSDevice: [{major: $MAJOR, minor: $MINOR, rate: 200}]}}" \
        io - - io.max "$MAJOR:$MINOR rbps=1048576 wbps=2097152 riops=100 wiops=200"
}

# 193: a throttle slows what reads past the page cache down
test_throttle_works() {
    local start took
    root_device
    [ -n "$(controller_version blkio)$(controller_version io)" ] || skip "no block I/O controller"
    mknod "$W/disk" b "$MAJOR" "$MINOR" && head -c 1 "$W/disk" >"$W/byte" || skip "the disk cannot be read here"
    bundle ".linux.resources.blockIO.throttleReadBpsDevice = [{major: $MAJOR, minor: $MINOR, rate: 1048576}] |
        .linux.devices = [{path: \"/dev/disk\", type: \"b\", major: $MAJOR, minor: $MINOR}] |
        .linux.resources.devices = [{allow: true, access: \"rwm\"}]"
    command_is /bin/dd if=/dev/disk of=/dev/null bs=65536 count=32 iflag=direct
    start=$(date +%s%3N)
    rt run -b "$B" "$ID" >"$B/out" 2>&1 || { cat "$B/out"; return 1; }
    took=$(($(date +%s%3N) - start))
    [ $took -gt 1000 ] || { echo "2 MiB at 1 MiB/s took $took ms"; return 1; }
}

# 194: hugepageLimits, reservations too
test_huge_pages() {
    todo_for crun "1.8 writes no reservations"
    [ -d /sys/kernel/mm/hugepages/hugepages-2048kB ] || skip "no pages of 2 MB"
    check "hugepageLimits[0]" '{hugepageLimits: [{pageSize: "2MB", limit: 4194304}]}' hugetlb \
        hugetlb.2MB.limit_in_bytes 4194304 hugetlb.2MB.max 4194304
    check "hugepageLimits[0]" '{hugepageLimits: [{pageSize: "2MB", limit: 4194304}]}' hugetlb \
        hugetlb.2MB.rsvd.limit_in_bytes 4194304 hugetlb.2MB.rsvd.max 4194304
    check "hugepageLimits[0]" '{hugepageLimits: [{pageSize: "4MB", limit: 4194304}]}' hugetlb - - - -
}

# 195: network.classID and network.priorities
test_network() {
    todo_for crun "1.8 leaves its cgroups"
    todo_for runc "1.1 ignores them on v2"
    check network.classID '{network: {classID: 1048577}}' net_cls net_cls.classid 1048577 - -
    check "network.priorities" '{network: {priorities: [{name: "lo", priority: 5}]}}' net_prio net_prio.ifpriomap "lo 5" - -
}

# 196: pids.limit
test_pids() {
    todo_for runc "1.1 ignores 0"
    todo_for crun "1.8 ignores 0"
    check pids.limit '{pids: {limit: 77}}' pids pids.max 77 pids.max 77
    check pids.limit '{pids: {limit: -1}}' pids pids.max max pids.max max
    check pids.limit '{pids: {limit: 0}}' pids pids.max 1 pids.max 1
}

# 197: rdma of a device that is not there is an error, whether there is a controller or not
test_rdma() {
    todo_for crun "1.8 ignores it"
    check rdma.mlx5_9 '{rdma: {mlx5_9: {hcaHandles: 3, hcaObjects: 10000}}}' rdma - - - -
}

# 198 199: unified files are written as they stand, known or not; a file that is not there is an error
test_unified() {
    todo_for runc "1.1 accepts or words it differently"
    todo_for crun "1.8 accepts or words it differently"
    check unified.memory.high '{unified: {"memory.high": "71680000"}}' memory - - memory.high 71680000
    check unified.pids.max '{unified: {"pids.max": "66"}}' pids - - pids.max 66
    check unified.memory.no_such_file '{unified: {"memory.no_such_file": "1"}}' memory - - - -
    check unified.misc.max '{unified: {"misc.max": "no_such_resource 1"}}' misc - - - -
    check unified.no_such.file '{unified: {"no_such.file": "1"}}' pids - - - -
    check unified.cgroup.procs '{unified: {"cgroup.procs": "1"}}' pids - - - -
}

# 281 O7: limits for a container that was made without, and statistics of what it uses
test_update_unlimited() {
    not_for crun "has no events command"
    [ -n "$(controller_version memory)" ] || skip "no memory controller"
    bundle 'del(.linux.resources)'
    up
    [ "$(rt events --stats "$ID" | jq '.data.memory.usage.usage')" -gt 0 ]
    rt update --memory 67108864 --pids-limit 33 "$ID"
    local file=memory.max
    [ "$(controller_version memory)" = 2 ] || file=memory.limit_in_bytes
    eq "$(cat "$(cgroup_dir memory "$(pid_of)")/$file")" 67108864
    eq "$(cat "$(cgroup_dir pids "$(pid_of)")/pids.max")" 33
}

# 186: checkBeforeUpdate: a limit below what is used is refused and changes nothing
test_check_before_update() {
    todo_for crun "1.8 lets the container be killed"
    todo_for runc "1.1 lets the container be killed"
    [ -n "$(controller_version memory)" ] || skip "no memory controller"
    bundle '.linux.resources.memory = {limit: 134217728} | .linux.resources.pids = {limit: 50} | .mounts += [{destination: "/big", type: "tmpfs", source: "tmpfs"}]'
    up /bin/sh -c 'head -c 33554432 /dev/zero >/big/file; echo full; sleep 1000'
    wait_for 20 log_has full
    echo '{"pids": {"limit": 40}, "memory": {"limit": 16777216, "checkBeforeUpdate": true}}' >"$B/resources"
    fails rt update -r "$B/resources" "$ID"
    one_line "$ERR"
    eq "$(status)" running
    local file=memory.max
    [ "$(controller_version memory)" = 2 ] || file=memory.limit_in_bytes
    eq "$(cat "$(cgroup_dir memory "$(pid_of)")/$file")" 134217728
    eq "$(cat "$(cgroup_dir pids "$(pid_of)")/pids.max")" 50
    if [ "$KIND" = aril ]; then has "$ERR" "linux.resources.memory.limit: 16777216 is less than the"; fi
}

tap_main
