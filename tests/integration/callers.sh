#!/bin/bash
# What the callers of a runtime pass to it and read from it, argument list by argument list (contract part 2).
. "$(dirname "$0")/lib.sh"

# 10: a root file system that is reached through a symbolic link
test_root_symlink() {
    not_for runc "refuses it"
    bundle
    mv "$B/rootfs" "$B/real"
    ln -s real "$B/rootfs"
    eq "$(shell 'echo hello')" hello
}

# 32 62: a capability that nobody knows is a warning in the log; the container runs
test_warning() {
    not_for crun "newer versions refuse it"
    bundle '.process.capabilities.bounding += ["CAP_NO_SUCH"]'
    command_is /bin/echo hello
    eq "$(rt --log "$B/log" --log-level warning run -b "$B" "$ID")" hello
    has "$(cat "$B/log")" CAP_NO_SUCH
}

# 50: the runtime's own file cannot be written through /proc from the container, nor replaced as an interpreter
test_own_executable() {
    local before
    bundle '.linux.namespaces |= map(select(.type != "pid")) | .process.capabilities |= map_values(. + ["CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE"])'
    before=$(sha256sum <"$RUNTIME")
    # the clone that runs has no path: its link reads as /
    shell 'for p in /proc/[0-9]*; do if readlink $p/exe | grep -q -E "^/$|aril|run|memfd"; then echo found; (echo x >$p/exe) && echo written; fi; done; true' >"$B/out" 2>&1
    has "$(cat "$B/out")" found
    hasnt "$(cat "$B/out")" written
    make_file bin/evil '#!/proc/self/exe'
    chmod 755 "$B/rootfs/bin/evil"
    edit '.linux.namespaces += [{type: "pid"}]'
    up
    capture rt exec "$ID" /bin/evil
    eq "$(sha256sum <"$RUNTIME")" "$before"
}

# 83 144: what is for other systems is ignored: process.commandLine, vm, windows, solaris, zos
test_other_systems() {
    bundle '.process.commandLine = "a b" | .vm = {kernel: {path: "/x"}} | .windows = {layerFolders: ["a"]} | .solaris = {} | .zos = {}'
    eq "$(shell 'echo hello')" hello
}

# 244: linux.memoryPolicy holds in init and in processes of exec
test_memory_policy() {
    not_for runc "1.1 does not know it"
    not_for crun "does not know it"
    [ -e /proc/self/numa_maps ] || skip "the kernel has no NUMA policies"
    bundle '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0"}'
    has "$(shell 'cat /proc/self/numa_maps')" " bind:0 "
    up
    has "$(rt exec "$ID" cat /proc/self/numa_maps)" " bind:0 "
}

feature() { jq -rc "$1" <<<"$FEATURES"; }

# 7: our annotations are reverse-domain names, and none is in the reserved space
test_annotation_names() {
    [ "$KIND" = aril ] || skip "looks into aril's own names"
    local names
    names=$(rt features | jq -r '.annotations | keys[]')
    hasnt "$names" org.opencontainers
    has "$names" dev.aril.
    eq "$(grep -v '^dev\.aril\.' <<<"$names" || true)" ""
}

# 161 258-268 G13 D3 O4 S9 C4: the features document, member by member; nothing but JSON; without privileges
test_features() {
    not_for crun "incomplete" # part 3, row 68
    not_for runc "1.1 is older"
    FEATURES=$(rt features 2>&1)
    matches "$(feature '[.ociVersionMin, .ociVersionMax] | join(" ")')" '^[0-9]+\.[0-9]+\.[0-9]+ 1\.3\.[0-9]+'
    eq "$(feature '.hooks | length')" 6
    eq "$(feature '.mountOptions | contains(["rro", "idmap", "ridmap", "rnodev", "tmpcopyup", "rbind"])')" true
    eq "$(feature '.mountOptions | any(contains("size") or contains("mode"))')" false
    eq "$(feature '.linux.namespaces | sort')" '["cgroup","ipc","mount","network","pid","time","user","uts"]'
    eq "$(feature '.linux.capabilities | contains(["CAP_CHOWN", "CAP_CHECKPOINT_RESTORE"])')" true
    eq "$(feature '.linux.cgroup | keys')" '["rdma","systemd","systemdUser","v1","v2"]'
    eq "$(feature '[.linux.cgroup.v1, .linux.cgroup.v2, .linux.cgroup.rdma]')" '[true,true,true]'
    eq "$(feature '.linux.seccomp | [.enabled, (.actions | length), (.operators | length), (.archs | length), (.knownFlags | length)]')" '[true,9,7,23,4]'
    eq "$(feature '.linux.seccomp.supportedFlags - .linux.seccomp.knownFlags')" '[]'
    eq "$(feature '.linux.seccomp.supportedFlags | contains(["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG"])')" true
    eq "$(feature '[.linux.apparmor.enabled, .linux.selinux.enabled, .linux.mountExtensions.idmap.enabled, .linux.netDevices.enabled]')" '[true,true,true,true]'
    eq "$(feature '.linux.intelRdt')" '{"enabled":true,"schemata":true,"monitoring":true}'
    eq "$(feature '.linux.memoryPolicy | [(.modes | length), (.flags | length)]')" '[7,3]'
    eq "$(feature '.potentiallyUnsafeConfigAnnotations | contains(["run.oci."])')" true
    eq "$(feature '.annotations | keys | all(startswith("dev.aril."))')" true
    install -m 755 "$RUNTIME" "$W/runtime" # where anybody can reach it
    eq "$(setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all "$W/runtime" features 2>&1)" "$FEATURES"
}

# 271 P9 C6: annotations of images and engines are kept in the state and change nothing
test_annotations() {
    bundle '.annotations = {"org.opencontainers.image.stopSignal": "9", "io.podman.annotations.label": "disable", "bundle": "x",
        "org.opencontainers.image.os": "plan9", "run.oci.keep_original_groups": "1", "run.oci.mount_context_type": "rootcontext",
        "org.systemd.property.KillSignal": "15", "org.systemd.property.TimeoutStopUSec": "uint64 10000000",
        "org.systemd.property.After": "['"'crio.service'"']", "org.systemd.property.CollectMode": "'"'inactive-or-failed'"'"}'
    up
    eq "$(rt state "$ID" | jq -rc '.annotations["org.opencontainers.image.stopSignal"]')" 9
    eq "$(rt state "$ID" | jq -rc '.annotations | length')" 10
}

# 274 G1 G2: create and start as go-runc calls them, every flag
test_go_runc_create() {
    not_for crun "has no --detach for create"
    bundle
    command_is /bin/sleep 1000
    rt --debug --log "$B/log" --log-format json --rootless=false create --bundle "$B" --pid-file "$B/pid" --no-new-keyring --detach \
        --preserve-fds 0 "$ID" >"$B/out" 2>&1
    matches "$(cat "$B/pid"; echo .)" '^[0-9]+\.$'
    rt start "$ID"
    is_status running
}

# G3 G5: exec of a process file, kill with a number, delete
test_go_runc_exec() {
    bundle
    up
    jq '.process | .args = ["/bin/sh", "-c", "echo in; exit 5"]' "$B/config.json" >"$B/process.json"
    capture rt exec --process "$B/process.json" "$ID"
    eq "$RC $OUT" "5 in"
    rt exec --process "$B/process.json" --detach --pid-file "$B/exec-pid" "$ID" >"$B/exec.out" 2>&1
    matches "$(cat "$B/exec-pid")" '^[0-9]+$'
    rt kill --all "$ID" 9
    stopped
    rt delete "$ID"
}

# G4 275: run as go-runc calls it, with the status of the container
test_go_runc_run() {
    bundle
    command_is /bin/sh -c 'exit 7'
    capture rt run --bundle "$B" --pid-file "$B/pid" "$ID"
    eq "$RC" 7
}

# G9 281 C1: update --resources=- and --resources - read JSON on stdin
test_update_stdin() {
    local dir
    bundle
    up
    dir=$(cgroup_dir pids "$(pid_of)")
    rt update --resources=- "$ID" <<<'{"pids": {"limit": 77}}'
    eq "$(cat "$dir/pids.max")" 77
    rt update --resources - "$ID" <<<'{"pids": {"limit": 78}}'
    eq "$(cat "$dir/pids.max")" 78
    echo '{"pids": {"limit": 79}}' >"$B/resources"
    rt update --resources="$B/resources" "$ID"
    eq "$(cat "$dir/pids.max")" 79
}

# flag FLAG VALUE CONTROLLER V1-FILE V1-VALUE V2-FILE V2-VALUE: update with this one flag writes the value (spaces are _) to
# the file, or, where there is no such file, is refused
flag() {
    local file=$4 value=$5 path
    [ "$(controller_version "$3")" = 1 ] || { file=$6 value=$7; }
    path=$(cgroup_dir "$3" "$(pid_of)")/$file
    if [ -f "$path" ]; then
        rt update "$1" "$2" "$ID"
        eq "$1: $(head -n 1 "$path")" "$1: ${value//_/ }"
    elif [ "$KIND" = aril ]; then
        fails rt update "$1" "$2" "$ID"
        one_line "$ERR"
        has "$ERR" linux.resources.
    fi
}

# 281: update: each flag of runc and crun writes its file
test_update_flags() {
    local row blkio=blkio.bfq.weight io=io.weight io_value=default_910 weight=59
    todo_for crun "1.8 knows no bfq on v1"
    bundle
    up
    if [ -e "$(cgroup_dir blkio "$(pid_of)")/blkio.weight" ]; then blkio=blkio.weight; fi
    if [ -e "$(cgroup_dir io "$(pid_of)")/io.bfq.weight" ]; then io=io.bfq.weight io_value=default_100; fi
    [ "$KIND" = aril ] || weight=20 # by the older formula
    while read -r -a row; do flag "${row[@]}"; done <<END
--memory             67108864  memory memory.limit_in_bytes       67108864  memory.max      67108864
--memory-reservation 33554432  memory memory.soft_limit_in_bytes  33554432  memory.low      33554432
--memory-swap        134217728 memory memory.memsw.limit_in_bytes 134217728 memory.swap.max 67108864
--pids-limit         77        pids   pids.max                    77        pids.max        77
--cpu-share          512       cpu    cpu.shares                  512       cpu.weight      $weight
--cpu-period         50000     cpu    cpu.cfs_period_us           50000     cpu.max         max_50000
--cpu-quota          20000     cpu    cpu.cfs_quota_us            20000     cpu.max         20000_50000
--cpu-rt-period      500000    cpu    cpu.rt_period_us            500000    -               -
--cpu-rt-runtime     1000      cpu    cpu.rt_runtime_us           1000      -               -
--cpuset-cpus        0         cpuset cpuset.cpus                 0         cpuset.cpus     0
--cpuset-mems        0         cpuset cpuset.mems                 0         cpuset.mems     0
--blkio-weight       100       blkio  $blkio            100       $io             $io_value
END
}

# 281: update: the newer flags of runc, and sizes with a point
test_update_newer_flags() {
    not_for runc "1.1 has no such flags"
    not_for crun "1.8 has no such flags"
    bundle '.linux.resources.cpu = {quota: 50000}'
    up
    flag --cpu-burst 1000 cpu cpu.cfs_burst_us 1000 cpu.max.burst 1000
    flag --cpu-idle 1 cpu cpu.idle 1 cpu.idle 1
    flag --cpu-idle 0 cpu cpu.idle 0 cpu.idle 0
    flag --memory 1.5g memory memory.limit_in_bytes 1610612736 memory.max 1610612736
}

# 281: update: one that fails changes nothing
test_update_fails() {
    todo_for runc "1.1 cannot put back what the config does not name"
    todo_for crun "1.8 stops half-way"
    local dir
    [ -n "$(controller_version memory)" ] || skip "no memory controller"
    bundle '.linux.resources.memory = {limit: 134217728}'
    up
    dir=$(cgroup_dir memory "$(pid_of)")
    fails rt update --memory 268435456 --pids-limit 9223372036854775807 "$ID"
    eq "$(cat "$dir"/memory.limit_in_bytes "$dir"/memory.max 2>/dev/null)" 134217728
}

# 281: update --kernel-memory is accepted, and said to be ignored
test_update_kernel_memory() {
    todo_for crun "1.8 writes a file that newer kernels forget"
    local level=()
    [ "$KIND" != aril ] || level=(--log-level warning)
    bundle
    up
    capture rt "${level[@]}" update --kernel-memory 50000000 --pids-limit 71 "$ID"
    eq "$RC" 0
    has "$ERR" ignored
    eq "$(cat "$(cgroup_dir pids "$(pid_of)")/pids.max")" 71
}

# G12 O9 D2 P12: --version: name and version on the first line, and the word version on no other
test_version() {
    OUT=$(rt --version)
    eq "$(grep -c version <<<"$OUT")" 1
    matches "$(head -n 1 <<<"$OUT")" "^$KIND version [0-9]+\.[0-9]+"
    matches "$OUT" $'\ncommit: '
    matches "$OUT" $'\nspec: 1\.[0-9]+\.[0-9]+'
}

# G14 M10: the runtime killed at any moment of create: delete --force cleans up and the id is free again
test_killed_create() {
    local i
    for i in 1 2 3 4 5 6; do
        [ -d "$B" ] || bundle
        command_is /bin/sleep 1000
        timeout -s KILL "0.00$i" "$RUNTIME" --root "$STATE" create -b "$B" "$ID" >"$B/out" 2>&1 || true
        rt delete --force "$ID"
    done
    up
}

# G17 O1: what go-runc reads of the state
test_state_members() {
    bundle
    up
    OUT=$(rt state "$ID")
    eq "$(jq -r '[.id, .status, .bundle] | join(" ")' <<<"$OUT")" "$ID running $B"
    matches "$(jq -r .created <<<"$OUT")" '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]+)?Z$'
    eq "$(jq -r '.pid > 1' <<<"$OUT")" true
}

# G7 280 O3: ps --format json is an array of pids; the table has a column PID; arguments go to ps
test_ps() {
    not_for crun "prints pids only"
    bundle
    up
    eq "$(rt ps --format json "$ID")" "[$(pid_of)]"
    command -v ps >/dev/null || skip "needs ps"
    matches "$(rt ps --format table "$ID" -o pid,comm | head -n 1)" '(^| )PID( |$)'
    has "$(rt ps "$ID" | tail -n +2)" sleep
}

# G8 280 O2: list in three formats
test_list() {
    bundle
    up
    eq "$(rt list --format=json | jq -r '.[0].id')" "$ID"
    eq "$(rt list -q)" "$ID"
    has "$(rt list | tail -n 1)" "$ID"
}

# S2 C2 E2: kill of a stopped container: both wordings, in small letters, exit 1
test_kill_stopped() {
    not_for crun "has other words"
    not_for runc "1.1 has other words"
    bundle
    up /bin/true
    stopped
    fails rt kill "$ID" 15
    eq "$RC" 1
    has "$ERR" "container not running"
    has "$ERR" "no such process"
    rt kill --all "$ID" 9
}

# S3: delete --force without --systemd-cgroup finds the cgroup of any driver in the record
test_delete_remembers() {
    bundle
    up
    rt delete --force "$ID"
    fails rt state "$ID"
    has "$ERR" "does not exist"
}

# S8 S1 P5 M5: a failed exec: status, one JSON object in the log, the same words first on stderr
test_exec_failure() {
    not_for crun "exits with 1"
    bundle
    up
    fails rt --log "$B/log" --log-format json exec "$ID" /no/such
    eq "$RC" 255
    eq "$(wc -l <"$B/log")" 1
    eq "$(jq -r .level "$B/log")" error
    has "$(jq -r .msg "$B/log")" "no such file or directory"
    one_line "$ERR"
    has "$ERR" "$(jq -r .msg "$B/log")"
    jq -r .time "$B/log" | date -f - >/dev/null
}

# S10: --no-pivot and --no-new-keyring
test_no_pivot() {
    bundle
    command_is /bin/echo hello
    eq "$(rt run --bundle "$B" --no-pivot --no-new-keyring "$ID")" hello
}

# M1 C5: conmon's order: --systemd-cgroup may come first, --root=R behind it
test_conmon_create() {
    bundle
    command_is /bin/sleep 1000
    timeout 60 "$RUNTIME" --cgroup-manager=cgroupfs --root="$STATE" --log-format=json --log "$B/log" create --bundle "$B" \
        --pid-file "$B/pid" --no-new-keyring "$ID" >"$B/out" 2>&1
    matches "$(cat "$B/pid")" '^[0-9]+$'
}

# M2: conmon's exec: the pid file is there when it returns
test_conmon_exec() {
    bundle
    up
    jq '.process | .args = ["/bin/sleep", "1000"]' "$B/config.json" >"$B/process.json"
    rt exec --pid-file "$B/exec-pid" --process "$B/process.json" --detach "$ID" >"$B/exec.out" 2>&1
    eq "$(tr '\0' ' ' <"/proc/$(cat "$B/exec-pid")/cmdline")" "/bin/sleep 1000 "
}

# P2 C1: the plain commands: start, kill --all, pause, resume, update, delete --force; kill -a, kill by name without SIG
test_plain_commands() {
    bundle
    created
    rt start "$ID"
    rt pause "$ID"
    is_status paused
    rt resume "$ID"
    is_status running
    rt kill -a "$ID" 0 || rt kill -a "$ID" 18
    rt kill "$ID" KILL
    stopped
    rt delete --force "$ID"
    rt delete --force "$ID"
}

# P8: --cgroup-manager=disabled: no cgroup is made
test_no_cgroup() {
    not_for runc "has no --cgroup-manager"
    bundle 'del(.linux.resources)'
    command_is /bin/sleep 1000
    rt --cgroup-manager=disabled create -b "$B" "$ID" >"$B/out" 2>&1
    rt start "$ID"
    eq "$(cgroups_left)" ""
    rt delete --force "$ID"
}

# P3 P4 M3 G10 G11 284: checkpoint and restore are not supported and say so; the probes that podman makes work
test_checkpoint() {
    not_for crun "has them"
    not_for runc "has them"
    rt checkpoint --help >/dev/null
    fails rt restore --lsm-mount-context
    has "$ERR" "flag needs an argument"
    bundle
    up
    fails rt checkpoint --image-path "$B/i" --work-path "$B/w" --leave-running --tcp-established --file-locks "$ID"
    has "$ERR" "not supported"
    is_status running
    fails rt restore --detach --pid-file "$B/p" -no-subreaper --bundle "$B" --image-path "$B/i" "$ID-2"
    has "$ERR" "not supported"
}

# C7 X1 X2: exec: the status of the program, 128 + signal, and 255 when the runtime fails
test_exec_status() {
    not_for crun "fails with 1"
    bundle
    up
    capture rt exec "$ID" /bin/sh -c 'exit 3'
    eq "$RC" 3
    capture rt exec "$ID" /bin/sh -c 'kill -9 $$'
    eq "$RC" 137
    capture rt exec "$ID" /no/such
    eq "$RC" 255
    capture rt exec "$ID-missing" true
    eq "$RC" 255
}

has_status() { # id status
    [ "$(status "$1")" = "$2" ]
}

# 278: delete --regex and kill --regex: all that match, no other
test_regex() {
    not_for runc "has no --regex"
    local i
    bundle
    command_is /bin/sleep 1000
    for i in a b c; do rt create -b "$B" "$ID-$i" >"$B/out" 2>&1; rt start "$ID-$i"; done
    rt kill --regex "^$ID-[ab]\$" KILL
    wait_for 5 has_status "$ID-a" stopped
    wait_for 5 has_status "$ID-b" stopped
    eq "$(status "$ID-c")" running
    rt delete --force --regex "^$ID-[bc]\$"
    eq "$(rt list -q)" "$ID-a"
    fails rt delete --regex "["
    rt delete --force "$ID-a"
}

# D5 E15: an error is one line without prefix and newline in the log, whatever is in the config
test_one_line() {
    bundle '.process.args = ["/no/such\nthing"]'
    fails rt --log "$B/log" --log-format json create -b "$B" "$ID"
    eq "$(wc -l <"$B/log")" 1
    one_line "$ERR"
}

# B1 B2: buildah: create, start, state until it ends, kill of what has ended, delete; init is our child's child
test_buildah() {
    bundle
    command_is /bin/sh -c 'sleep 0.2; exit 3'
    rt create --bundle "$B" --pid-file "$B/pid" "$ID" >"$B/out" 2>&1
    rt start "$ID"
    matches "$(status)" '^(running|stopped)$'
    stopped
    rt delete "$ID"
}

tap_main
