#!/bin/bash
# Root filesystem and mounts: the default set, options, masked and read-only paths, symlinks, devices.
. "$(dirname "$0")/lib.sh"

# mount_at TARGET: the last mount at that place
mount_at() {
    jq -c --arg t "$1" '[.mounts[] | select(.target == $t)] | last' <<<"$REPORT"
}

options_at() {
    mount_at "$1" | jq -r '.options + "," + .super'
}

# add_mount DESTINATION TYPE SOURCE [OPTION...]
add_mount() {
    local destination=$1 type=$2 source=$3
    shift 3
    jq --arg d "$destination" --arg t "$type" --arg s "$source" \
        '.mounts += [{destination: $d, type: $t, source: $s, options: $ARGS.positional}]' "$B/config.json" --args -- "$@" >"$B/config.new"
    mv "$B/config.new" "$B/config.json"
}

# 114 93: the default mounts with their options
test_default_mounts() {
    bundle
    probe
    eq "$(mount_at /proc | jq -r .type)" proc
    eq "$(mount_at /dev | jq -r .type)" tmpfs
    matches "$(options_at /dev)" 'nosuid.*mode=755'
    has "$(options_at /dev)" size=65536k
    matches "$(options_at /dev/pts)" 'nosuid,noexec.*gid=5,mode=620,ptmxmode=666'
    eq "$(mount_at /dev/mqueue | jq -r .type)" mqueue
    matches "$(options_at /dev/shm)" 'nosuid,nodev,noexec.*size=65536k'
    matches "$(options_at /sys)" '^ro,nosuid,nodev,noexec'
    # nothing of the host is in sight
    eq "$(p '[.mounts[].target | select(test("^/(bin|dev|proc|sys|$)") | not)]')" '[]'
}

# 85: mounts happen in the order of the list
test_order() {
    bundle '.root.readonly = false'
    add_mount /m tmpfs tmpfs mode=755
    add_mount /m/inner tmpfs tmpfs mode=700
    eq "$(shell 'stat -c %a /m /m/inner')" $'755\n700'
}

# 9 128: root.readonly
test_root_readonly() {
    bundle
    eq "$(shell 'probe open c /x; probe open c /dev/shm/x')" $'EROFS\nok'
    edit '.root.readonly = false'
    eq "$(shell 'probe open c /x')" ok
}

# 112: the rest of the host is gone: the old root is not reachable
test_pivoted() {
    bundle
    probe
    # the path is that on its file system: /tmp may be one, and our root may be a directory of one
    has "$(mount_at / | jq -r .root)" "/$ID/rootfs"
    eq "$(shell 'ls /.. | sort | head -n 3; ls -d /proc/1/root/tmp')" $'bin\ndev\netc\n/proc/1/root/tmp'
}

# 112: --no-pivot gives the same picture
test_no_pivot() {
    bundle
    command_is /bin/ls /
    eq "$(rt run --no-pivot -b "$B" "$ID" | head -n 1)" bin
}

# 89 90: bind mounts, read-write and read-only; type is ignored
test_bind() {
    bundle
    mkdir "$B/host"
    echo inside >"$B/host/f"
    add_mount /mnt none "$B/host" bind
    add_mount /mnt2 anything "$B/host" rbind ro
    eq "$(shell 'cat /mnt/f; probe open c /mnt/new; probe open w /mnt2/f')" $'inside\nok\nEROFS'
    [ -e "$B/host/new" ]
}

# 88: a bind of a file onto a file that the image lacks; missing directories are made
test_bind_file() {
    bundle
    echo one >"$B/file"
    add_mount /new/deep/file bind "$B/file" bind ro
    edit '.root.readonly = false'
    eq "$(shell 'cat /new/deep/file; probe open w /new/deep/file')" $'one\nEROFS'
}

# 89: a relative source of a bind belongs to the bundle
test_bind_relative_source() {
    bundle
    mkdir "$B/beside"
    touch "$B/beside/here"
    add_mount /mnt bind beside rbind
    cd /
    eq "$(shell 'ls /mnt')" here
}

# 93 108: flags of a bind
test_bind_flags() {
    bundle
    mkdir "$B/host"
    add_mount /mnt bind "$B/host" bind nosuid nodev noexec noatime
    probe
    matches "$(options_at /mnt)" '^rw,nosuid,nodev,noexec,noatime'
}

# 93: bind is not recursive, rbind is
test_bind_recursive() {
    bundle
    mkdir -p "$B/host/inner"
    mount -t tmpfs inner "$B/host/inner"
    touch "$B/host/inner/below"
    add_mount /one bind "$B/host" bind
    add_mount /two bind "$B/host" rbind
    local out
    out=$(shell 'ls /one/inner; echo --; ls /two/inner') || true
    umount "$B/host/inner"
    eq "$out" $'--\nbelow'
}

# 97: rro makes the mounts below read-only too
test_recursive_readonly() {
    not_for crun "1.8 has no rro for this"
    bundle
    mkdir -p "$B/host/inner"
    mount -t tmpfs inner "$B/host/inner"
    add_mount /one bind "$B/host" rbind ro
    add_mount /two bind "$B/host" rbind rro
    local out
    if denied all mount_setattr; then
        fails shell true
        umount "$B/host/inner"
        has "$ERR" "mounts[8] (/two): set mount attributes: operation not supported (recursive ones need mount_setattr"
        return
    fi
    out=$(shell 'probe open c /one/inner/x; probe open c /two/inner/x') || true
    umount "$B/host/inner"
    eq "$out" $'ok\nEROFS'
}

# 110: propagation
test_propagation() {
    todo_for crun "1.8 loses the peer group"
    bundle
    mkdir "$B/host"
    mount -t tmpfs shared "$B/host"
    mount --make-shared "$B/host"
    add_mount /private bind "$B/host" bind private
    add_mount /slave bind "$B/host" bind rslave
    add_mount /shared bind "$B/host" bind rshared
    local peer
    peer=$(grep " $B/host " /proc/self/mountinfo | grep -o 'shared:[0-9]*')
    probe || true
    umount "$B/host"
    eq "$(mount_at /private | jq -r .propagation)" ""
    has "$(mount_at /slave | jq -r .propagation)" "master:${peer#shared:}"
    has "$(mount_at /shared | jq -r .propagation)" shared:
}

# 111: rootfsPropagation
test_rootfs_propagation() {
    todo_for runc "1.1 leaves it private here"
    todo_for crun "1.8 takes unknown words"
    bundle
    probe '.linux.rootfsPropagation = "private"'
    eq "$(mount_at / | jq -r .propagation)" ""
    probe '.linux.rootfsPropagation = "slave"'
    hasnt "$(mount_at / | jq -r .propagation)" shared:
    probe '.linux.rootfsPropagation = "shared"'
    has "$(mount_at / | jq -r .propagation)" shared:
    edit ".linux.rootfsPropagation = \"nosuch\""
    fails rt run -b "$B" "$ID"
}

# 111: mounts made in a container do not reach the host
test_no_leak_to_host() {
    bundle
    cap_sys_admin
    capture shell 'mount -t tmpfs t /tmp && echo mounted'
    hasnt "$(cat /proc/self/mountinfo)" "$B/rootfs/tmp"
}

cap_sys_admin() {
    edit '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN", "CAP_MKNOD", "CAP_DAC_OVERRIDE", "CAP_CHOWN"])'
}

# 92: data of tmpfs
test_tmpfs() {
    bundle
    add_mount /mnt tmpfs tmpfs size=1m mode=1777 noexec uid=1000 gid=2000 nr_inodes=100
    local out
    out=$(shell 'grep " /mnt " /proc/mounts; stat -c "%a %u %g" /mnt; dd if=/dev/zero of=/mnt/x bs=1k count=2000 2>&1') || true
    has "$out" size=1024k
    has "$out" noexec
    has "$out" "1777 1000 2000"
    has "$out" "No space"
}

# 106: tmpcopyup
test_tmpcopyup() {
    bundle
    add_mount /etc tmpfs tmpfs tmpcopyup
    eq "$(shell 'head -n 1 /etc/passwd; grep " /etc " /proc/mounts | cut -d" " -f3')" $'root:x:0:0:root:/root:/bin/sh\ntmpfs'
}

# 91: an unknown filesystem type
test_unknown_type() {
    todo_for crun "1.8 does not name it"
    bundle
    add_mount /mnt nosuchfs none
    fails rt run -b "$B" "$ID"
    has "$ERR" nosuchfs || has "$ERR" /mnt
    one_line "$ERR"
}

# 89: a bind source that does not exist is named
test_missing_source() {
    bundle
    add_mount /mnt bind /no/such/source bind
    fails rt run -b "$B" "$ID"
    has "$ERR" /no/such/source
}

# 89 E5: a file on a directory and a directory on a file are refused in words that say so
test_mismatched_bind() {
    bundle
    : >"$W/plain"
    add_mount /tmp bind "$W/plain" bind
    fails rt run -b "$B" "$ID"
    has "$ERR" "ot a directory"
    has "$ERR" /tmp
    bundle
    add_mount /etc/passwd bind "$W" bind
    fails rt run -b "$B" "$ID"
    has "$ERR" "ot a directory"
    one_line "$ERR"
}

# 87: destinations are resolved inside the root: absolute and relative symlinks, .. above it
test_symlink_destinations() {
    bundle '.root.readonly = false'
    mkdir -p "$B/rootfs/real"
    ln -s /real "$B/rootfs/absolute"
    ln -s ../../../../real "$B/rootfs/relative"
    ln -s /aril-test-created "$B/rootfs/dangling"
    add_mount /absolute tmpfs one mode=751
    add_mount /../../relative tmpfs two mode=752
    probe
    eq "$(p '[.mounts[] | select(.target == "/real")] | length')" 2
    add_mount /dangling/x tmpfs three mode=753
    capture rt run -b "$B" "$ID"
    [ ! -e /aril-test-created ]
}

# CVE-2019-16884 CVE-2019-19921: /proc or /sys that are symlinks in the image are refused
test_symlinked_proc() {
    todo_for crun "1.8 follows it inside the root"
    bundle
    mkdir "$B/rootfs/elsewhere"
    rmdir "$B/rootfs/proc"
    ln -s /elsewhere "$B/rootfs/proc"
    fails rt run -b "$B" "$ID"
    one_line "$ERR"
}

# CVE-2026-41579: /dev that is a symlink leads nowhere outside
test_symlinked_dev() {
    todo_for runc "1.1 makes its links outside"
    todo_for crun "1.8 makes its nodes outside"
    bundle '.root.readonly = false | .mounts |= map(select(.destination | startswith("/dev") | not))'
    mkdir "$B/outside"
    rmdir "$B/rootfs/dev"
    ln -s "$B/outside" "$B/rootfs/dev"
    capture shell 'echo ran'
    eq "$(ls "$B/outside")" ""
}

# 107: a source that only mount(2) takes, which leaves no descriptor: stdin stays what it is
test_long_source() {
    bundle '.process.args = ["/bin/cat"] | .mounts += [{destination: "/long", type: "tmpfs", source: ("x" * 300)}]'
    eq "$(echo from-stdin | rt run -b "$B" "$ID")" from-stdin
}

# 124: masked files read empty, masked directories are empty and read-only, missing paths are ignored
test_masked_paths() {
    bundle '.linux.maskedPaths = ["/etc/passwd", "/home", "/no/such", "/proc/timer_list", "/sys/firmware"]'
    eq "$(shell 'wc -c </etc/passwd; ls /home | wc -l; probe open c /home/x; wc -c </proc/timer_list; ls /sys/firmware | wc -l')" \
        $'0\n0\nEROFS\n0\n0'
}

# CVE-2025-31133: a /dev/null of the image is not what masks a file
test_masked_with_fake_null() {
    todo_for runc "1.1 is vulnerable"
    bundle '.mounts |= map(select(.destination | startswith("/dev") | not)) | .linux.maskedPaths = ["/etc/passwd"]'
    echo fake >"$B/secret"
    cp "$B/secret" "$B/rootfs/dev/null"
    capture shell 'cat /etc/passwd'
    hasnt "$OUT" fake
}

# 125: read-only paths keep their content, refuse writing and keep their flags
test_readonly_paths() {
    todo_for crun "1.8 loses the flags"
    bundle '.root.readonly = false | .linux.readonlyPaths = ["/etc/passwd", "/home", "/no/such", "/proc/sys", "/dev/shm"]'
    eq "$(shell 'probe open w /etc/passwd; probe open c /home/x; probe open w /proc/sys/kernel/msgmax; probe open c /tmp/x; head -c 4 /etc/passwd; echo')" \
        $'EROFS\nEROFS\nEROFS\nok\nroot'
    probe
    matches "$(mount_at /dev/shm | jq -r .options)" '^ro,nosuid,nodev,noexec'
}

# 124: a mask over a file cannot be changed: root in the container owns the inode of the host's /dev/null
test_mask_is_read_only() {
    bundle '.linux.maskedPaths = ["/proc/keys"]'
    mknod -m 666 "$B/null" c 1 3
    mount --bind "$B/null" /dev/null # in our mount namespace: what the container does must not reach the machine
    shell 'chmod 600 /proc/keys; chown 5 /proc/keys; true' >"$B/out" 2>&1 || true
    umount /dev/null
    eq "$(stat -c '%a %u' "$B/null")" "666 0"
    has "$(cat "$B/out")" "Read-only file system"
}

# 118: with a user namespace, /dev/mqueue belongs to its root
test_mqueue_owner() {
    todo_for runc "1.1 leaves the group"
    bundle '.linux |= (.namespaces += [{type: "user"}] | .uidMappings = [{containerID: 0, hostID: 300000, size: 65536}] | .gidMappings = .uidMappings)'
    eq "$(shell 'stat -c "%u %g" /dev/mqueue')" "0 0"
}

# 124 125: relative masked and read-only paths are refused or meant from the root, never from the host
test_paths_relative() {
    bundle '.linux.maskedPaths = ["etc/passwd"]'
    capture shell 'cat /etc/passwd'
    [ "$RC" != 0 ] || eq "$OUT" ""
}

# 150 45: default devices, their numbers and modes, and the symlinks
test_devices() {
    bundle
    eq "$(shell 'cd /dev; stat -c "%n %F %t:%T %a" null zero full random urandom tty; for l in fd stdin stdout stderr ptmx; do readlink $l; done')" \
        "null character special file 1:3 666
zero character special file 1:5 666
full character special file 1:7 666
random character special file 1:8 666
urandom character special file 1:9 666
tty character special file 5:0 666
/proc/self/fd
/proc/self/fd/0
/proc/self/fd/1
/proc/self/fd/2
pts/ptmx"
}

# 145 148 153: devices of the config with mode and owner; umask does not apply
test_config_devices() {
    bundle '.linux.devices = [
        {path: "/dev/mine", type: "c", major: 1, minor: 3, fileMode: 384, uid: 1000, gid: 2000},
        {path: "/dev/deep/dir/zero", type: "c", major: 1, minor: 5},
        {path: "/dev/pipe", type: "p", fileMode: 438}]'
    umask 077
    eq "$(shell 'cd /dev; stat -c "%n %F %t:%T %a %u %g" mine deep/dir/zero pipe')" \
        "mine character special file 1:3 600 1000 2000
deep/dir/zero character special file 1:5 666 0 0
pipe fifo 0:0 666 0 0"
}

# 146: a file that exists in place of a device is an error
test_device_conflict() {
    todo_for runc "ignores it"
    todo_for crun "ignores it"
    bundle '.linux.devices = [{path: "/etc/passwd", type: "c", major: 1, minor: 3}]'
    fails rt run -b "$B" "$ID"
    has "$ERR" /etc/passwd
}

# 149 167: a device can be opened when the cgroup rules allow it, and only so
test_device_access() {
    [ -c /dev/fuse ] || skip "no /dev/fuse to try it with"
    bundle
    eq "$(shell 'probe open r /dev/fuse; probe open r /dev/null')" $'ENOENT\nok'
    edit '.linux.devices = [{path: "/dev/fuse", type: "c", major: 10, minor: 229}]'
    eq "$(shell 'probe open r /dev/fuse')" EPERM
    edit '.linux.resources.devices += [{allow: true, type: "c", major: 10, minor: 229, access: "r"}]'
    eq "$(shell 'probe open r /dev/fuse; probe open w /dev/fuse')" $'ok\nEPERM'
}

# 152: a /dev that is bound from the host is left alone
test_dev_bound() {
    bundle '.mounts |= map(select(.destination | startswith("/dev") | not))'
    mkdir "$B/hostdev"
    mknod -m 666 "$B/hostdev/null" c 1 3
    add_mount /dev bind "$B/hostdev" bind
    eq "$(shell 'ls /dev')" null
    eq "$(ls "$B/hostdev")" null
}

# 117: the cgroup mount shows the container's own hierarchies, read-only
test_cgroup_mount() {
    bundle
    local out
    if [ $CGROUP_VERSION = 1 ]; then
        out=$(shell 'cat /sys/fs/cgroup/memory/cgroup.procs; probe open w /sys/fs/cgroup/memory/cgroup.procs') || true
    else
        out=$(shell 'cat /sys/fs/cgroup/cgroup.procs; probe open w /sys/fs/cgroup/cgroup.procs') || true
    fi
    has "$out" EROFS
    eq "$(head -n 1 <<<"$out")" 1
}

# 117 203: the v2 part of a hybrid system is not shown: systemd as the container's init would want it writable
test_cgroup_mount_hybrid() {
    grep -q ' /sys/fs/cgroup/unified cgroup2 ' /proc/mounts || skip "the cgroups of this machine are not hybrid"
    bundle
    eq "$(shell 'ls -d /sys/fs/cgroup/pids /sys/fs/cgroup/unified 2>/dev/null || true')" /sys/fs/cgroup/pids
    edit '.linux.namespaces |= map(select(.type != "cgroup"))'
    eq "$(shell 'ls -d /sys/fs/cgroup/pids /sys/fs/cgroup/unified 2>/dev/null || true')" /sys/fs/cgroup/pids
}

# 119: a mount that would hide parts of procfs is refused
test_forbidden_proc() {
    todo_for runc "1.1 checks binds only"
    todo_for crun "1.8 allows it"
    bundle
    add_mount /proc/sys tmpfs tmpfs
    fails rt run -b "$B" "$ID"
    one_line "$ERR"
}

# 121: a mount over the root itself is refused
test_forbidden_root() {
    todo_for runc "1.1 allows it"
    todo_for crun "1.8 allows it"
    bundle
    add_mount / tmpfs tmpfs
    fails rt run -b "$B" "$ID"
    one_line "$ERR"
}

# 86: a relative destination is taken from the root
test_relative_destination() {
    bundle '.root.readonly = false'
    add_mount relative/dir tmpfs tmpfs mode=711
    eq "$(shell 'stat -c %a /relative/dir')" 711
}

# issue 4: without openat2 nothing of an image is opened at all, and the error says what is missing
test_no_openat2() {
    not_for runc "resolves by itself"
    not_for crun "resolves by itself"
    if denied all mount_setattr; then skip "one filter is enough"; fi
    command -v "${CC:-cc}" >/dev/null || skip "there is no C compiler"
    ${CC:-cc} -std=c17 -static -o "$W/deny-calls" "$SOURCE/tests/deny-calls.c"
    bundle
    command_is /bin/true
    fails "$W/deny-calls" openat2 "$RUNTIME" --root "$STATE" run -b "$B" "$ID"
    has "$ERR" "mounts[0] (/proc): destination: function not implemented (aril needs openat2 of Linux 5.6"
    one_line "$ERR"
    [ ! -e "$STATE/$ID" ]
}

# 100 104: an idmapped bind
test_idmapped_bind() {
    not_for runc "1.1 has no idmapped mounts"
    not_for crun "1.8 has its own syntax"
    bundle
    mkdir "$B/host"
    touch "$B/host/f"
    chown 5000:6000 "$B/host/f"
    add_mount /mnt bind "$B/host" bind idmap
    edit '.mounts[-1] += {uidMappings: [{containerID: 5000, hostID: 77, size: 1}], gidMappings: [{containerID: 6000, hostID: 88, size: 1}]}'
    if denied all mount_setattr; then
        fails shell true
        has "$ERR" "mounts[7] (/mnt)"
        has "$ERR" "function not implemented (this needs the mount API of Linux 5.12"
        return
    fi
    eq "$(shell 'stat -c "%u %g" /mnt/f')" "77 88"
}

# rule 3: sockets, fifos and devices can be bound
test_bind_special() {
    bundle
    mkfifo "$B/fifo"
    add_mount /run/fifo bind "$B/fifo" bind
    add_mount /run/null bind /dev/null bind
    edit '.root.readonly = false'
    eq "$(shell 'stat -c %F /run/fifo /run/null')" $'fifo\ncharacter special file'
}

# 105 mounts: many of them
test_many_mounts() {
    bundle '.root.readonly = false'
    edit '.mounts += [range(100) | {destination: "/many/\(.)", type: "tmpfs", source: "t", options: ["size=4k"]}]'
    eq "$(shell 'grep -c " /many/" /proc/mounts')" 100
}

# 51 44: /dev/stdout can be opened again by an ordinary user
test_reopen_stdout() {
    bundle '.process.user = {uid: 1000, gid: 1000}'
    eq "$(shell 'echo again >/dev/stdout' | cat)" again
}

# mounts_file JSON: $B/mounts.json
mounts_file() {
    echo "$1" >"$B/mounts.json"
}

only_aril() {
    [ "$KIND" = aril ] || skip "$KIND: the command is experimental or missing"
}

# add_refused: without the mount API `mounts add` says what it needs, and changes nothing
add_refused() {
    fails rt mounts add "$ID" "$B/mounts.json"
    has "$ERR" "mounts: mounts[0]"
    has "$ERR" "needs the mount API of Linux 5."
    one_line "$ERR"
    eq "$(rt exec "$ID" grep -c -e ' /mnt ' -e ' /inside ' /proc/self/mountinfo || true)" 0
}

# 285: mounts add gives a running container a bind mount and a tmpfs, with their options; remove takes them away
test_mounts_add_remove() {
    only_aril
    bundle ".root.readonly = false"
    mkdir -p "$B/extra" "$B/rootfs/mnt"
    echo content >"$B/extra/file"
    up
    mounts_file "[{\"destination\": \"/mnt\", \"source\": \"$B/extra\", \"options\": [\"rbind\", \"ro\"]},
        {\"destination\": \"/tmp/t\", \"type\": \"tmpfs\", \"source\": \"tmpfs\", \"options\": [\"size=64k\", \"nosuid\"]}]"
    if denied all mount_setattr; then add_refused; return; fi
    rt mounts add "$ID" "$B/mounts.json"
    eq "$(rt exec "$ID" cat /mnt/file)" content
    fails rt exec "$ID" touch /mnt/new
    has "$(rt exec "$ID" grep /tmp/t /proc/self/mountinfo)" nosuid
    eq "$(grep -c "$ID/rootfs/mnt" /proc/self/mountinfo)" 0
    rt mounts remove "$ID" "$B/mounts.json"
    eq "$(rt exec "$ID" sh -c 'grep -c -e /mnt -e /tmp/t /proc/self/mountinfo || true')" 0
    fails rt mounts remove "$ID" "$B/mounts.json"
    has "$ERR" "mounts[1] (/tmp/t)"
    has "$ERR" "is not a mount"
}

# 285: in a user namespace, as {"mounts": [...]}, on stdin
test_mounts_user_namespace() {
    only_aril
    bundle '.linux.namespaces += [{"type": "user"}]
        | .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}]
        | .linux.gidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}]'
    mkdir -p "$B/extra" "$B/rootfs/mnt"
    echo content >"$B/extra/file"
    chmod 700 "$B"
    if denied all; then # the user namespace's root cannot reach the root file system by name
        fails up
        has "$(cat "$B/out")" "rootfs: permission denied (the user namespace cannot reach it"
        return
    fi
    up
    if denied mount_setattr; then
        mounts_file "[{\"destination\": \"/mnt\", \"source\": \"$B/extra\", \"options\": [\"bind\"]}]"
        add_refused
        return
    fi
    echo "{\"mounts\": [{\"destination\": \"/mnt\", \"source\": \"extra\", \"type\": \"bind\", \"options\": [\"bind\"]}]}" |
        rt mounts add "$ID" -
    eq "$(rt exec "$ID" cat /mnt/file)" content
}

# 285: before start, in a user namespace
test_mounts_created() {
    only_aril
    bundle '.root.readonly = false | .linux.namespaces += [{"type": "user"}]
        | .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}]
        | .linux.gidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}]'
    mkdir -p "$B/rootfs/mnt"
    created
    mounts_file '[{"destination": "/mnt", "type": "tmpfs", "source": "tmpfs"}]'
    if denied all; then add_refused; return; fi
    rt mounts add "$ID" "$B/mounts.json"
    rt start "$ID"
    has "$(rt exec "$ID" cat /proc/self/mountinfo)" " /mnt "
}

# 285 87: destinations are resolved inside the container's root
test_mounts_add_symlink() {
    only_aril
    bundle
    mkdir -p "$B/rootfs/inside"
    ln -sfn ../../../../../../inside "$B/rootfs/link"
    up
    mounts_file '[{"destination": "/link", "type": "tmpfs", "source": "tmpfs"}]'
    if denied all; then add_refused; return; fi
    rt mounts add "$ID" "$B/mounts.json"
    has "$(rt exec "$ID" cat /proc/self/mountinfo)" " /inside "
}

# 285: what cannot be done is refused and named
test_mounts_add_refused() {
    only_aril
    bundle
    up
    mounts_file '[{"destination": "/mnt", "source": "/no/such", "options": ["bind"]}]'
    fails rt mounts add "$ID" "$B/mounts.json"
    denied all || has "$ERR" "mounts[0] (/mnt): source /no/such: no such file or directory"
    mounts_file '[{"destination": "/mnt", "type": "cgroup", "source": "cgroup"}]'
    fails rt mounts add "$ID" "$B/mounts.json"
    has "$ERR" "mounts[0] (/mnt)"
    mounts_file '[{"source": "/x"}]'
    fails rt mounts add "$ID" "$B/mounts.json"
    has "$ERR" "mounts[0].destination"
    fails rt mounts change "$ID" "$B/mounts.json"
    fails rt mounts add "$ID-missing" "$B/mounts.json"
    rt kill "$ID" KILL
    stopped
    mounts_file '[]'
    fails rt mounts add "$ID" "$B/mounts.json"
    has "$ERR" "not running"
}

tap_main
