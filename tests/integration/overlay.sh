#!/bin/bash
# overlay.sh - root file systems that aril puts together from layers (sandbox requirements O-3, O-6, O-7, O-18).
. "$(dirname "$0")/lib.sh"

# layers COUNT: directories $B/1 … $B/COUNT with a file "who" each and one of its own; the image is the lowest
layers() {
    local i
    bundle '.root.readonly = false'
    mkdir -p "$B/root"
    edit '.root.path = "root"'
    for i in $(seq "$1"); do
        mkdir -p "$B/$i"
        chmod 755 "$B/$i"
        echo "$i" >"$B/$i/who"
        echo "$i" >"$B/$i/only-$i"
    done
}

# lower PATH...: the annotation
lower() {
    edit '.annotations."dev.aril.rootfs.lower" = ($ARGS.positional | tojson)' --args -- "$@"
}

annotate() { # name value
    edit '.annotations["dev.aril.rootfs." + $n] = $v' --arg n "$1" --arg v "$2"
}

fingerprint() { # directory: everything of its files
    find "$1" -printf '%P %m %U %G %T@ %l %s\n' | sort
    find "$1" -type f -exec sha256sum {} + | sort
}

only_aril() {
    [ "$KIND" = aril ] || skip "$KIND has no overlay of its own"
}

# O-1: several layers in order, the first is the uppermost
test_overlay_order() {
    only_aril
    layers 3
    lower "$B/1" "$B/2" "$B/3" "$B/rootfs"
    eq "$(shell 'cat /who /only-1 /only-2 /only-3 | tr -d "\n"')" 1123
    lower "$B/3" "$B/1" "$B/rootfs"
    eq "$(shell 'cat /who; ls -d /only-2 2>&1')" "3
ls: /only-2: No such file or directory"
}

# O-3 O-6: writes go to a tmpfs that vanishes with the container; the layers stay as they were
test_overlay_writes_vanish() {
    only_aril
    layers 1
    lower "$B/1" rootfs
    fingerprint "$B/1" >"$B.before"
    fingerprint "$B/rootfs" >>"$B.before"
    eq "$(shell 'echo new >/who; rm /only-1; rm -r /etc; mkdir /etc; chmod 700 /home; ln -s x /y; cat /who; ls /etc; ls -d /only-1 2>/dev/null || true')" new
    fingerprint "$B/1" >"$B.after"
    fingerprint "$B/rootfs" >>"$B.after"
    cmp "$B.before" "$B.after"
    eq "$(shell 'cat /who; ls /y 2>/dev/null || true')" 1
}

# O-6: without a list of layers root.path is the layer
test_overlay_of_root_path() {
    only_aril
    layers 0
    edit '.root.path = "rootfs"'
    annotate size 1048576
    eq "$(shell 'echo hello >/greeting; cat /greeting')" hello
    [ ! -e "$B/rootfs/greeting" ]
}

# O-7: the size of the tmpfs is a limit of the kernel
test_overlay_size() {
    only_aril
    layers 1
    lower "$B/1" rootfs
    annotate size 4194304
    has "$(shell 'dd if=/dev/zero of=/fill bs=1M count=8 2>&1')" "No space left on device"
    eq "$(shell 'dd if=/dev/zero of=/fill bs=1M count=3 2>/dev/null; stat -c %s /fill')" 3145728
}

# O-1: the root of the container has the mode and owner of the uppermost layer
test_overlay_root_mode() {
    only_aril
    layers 1
    chmod 711 "$B/1"
    chown 33:34 "$B/1"
    lower "$B/1" rootfs
    eq "$(shell 'stat -c "%a %u %g" /')" "711 33 34"
}

# O-6: changes in a directory of the host outlive the container
test_overlay_persistent() {
    only_aril
    layers 1
    mkdir "$B/upper" "$B/work"
    chmod 755 "$B/upper"
    lower "$B/1" rootfs
    annotate upper "$B/upper"
    annotate work work
    eq "$(shell 'echo kept >/who; rm /only-1; cat /who')" kept
    eq "$(cat "$B/upper/who")" kept
    [ -c "$B/upper/only-1" ] # a whiteout
    eq "$(shell 'cat /who; ls /only-1 2>/dev/null || true')" kept
    eq "$(cat "$B/1/who")" 1
}

# O-6: a directory that a container writes to is refused to a second one, wherever its state is, until the first is gone
test_overlay_upper_in_use() {
    only_aril
    local i
    layers 1
    mkdir "$B/upper" "$B/work" "$W/other"
    lower "$B/1" rootfs
    annotate upper "$B/upper"
    annotate work "$B/work"
    before=$(find "$B/upper" "$B/work" | sort)
    up
    fails rt run -b "$B" "$ID-2"
    has "$ERR" "annotations.dev.aril.rootfs.upper ($B/upper): another container writes to it"
    one_line "$ERR"
    fails "$RUNTIME" --root "$W/other" run -b "$B" "$ID-2"
    has "$ERR" "another container writes to it"
    rmdir "$W/other"
    rt exec "$ID" /bin/sh -c 'echo kept >/who'
    rt delete -f "$ID"
    for i in 1 2 3 4 5; do eq "$(shell 'cat /who')" kept; done
    eq "$(find "$B/upper" "$B/work" | grep -v -e /upper/who -e /work/work -e /upper/dev -e /upper/proc -e /upper/sys | sort)" "$before"
}

# O-6: of ten containers that start at once on one directory, one wins
test_overlay_upper_race() {
    only_aril
    local i
    layers 1
    mkdir "$B/upper" "$B/work"
    lower "$B/1" rootfs
    annotate upper "$B/upper"
    annotate work "$B/work"
    command_is /bin/sleep 1000
    for i in 1 2 3 4 5 6 7 8 9 10; do
        (rt create -b "$B" "$ID-$i" </dev/null >"$B.$i" 2>&1 && echo "won $i" >>"$B.won") &
    done
    wait
    eq "$(wc -l <"$B.won")" 1
    eq "$(cat "$B".[0-9]* | grep -c 'another container writes to it')" 9
}

# O-18: paths with ':' ',' '\', a newline, blanks and quotes
test_overlay_hostile_paths() {
    only_aril
    local name=$'a:b,c\\d\ne "f\' lowerdir=x,upperdir=y'
    layers 1
    mkdir "$B/$name" "$B/up $name" "$B/work $name"
    chmod 755 "$B/up $name"
    echo strange >"$B/$name/who"
    lower "$B/$name" "$B/1" rootfs
    eq "$(shell 'cat /who /only-1')" "strange
1"
    annotate upper "$B/up $name"
    annotate work "$B/work $name"
    eq "$(shell 'echo x >/made; cat /who')" strange
    eq "$(cat "$B/up $name/made")" x
}

# O-18: more layers than fit in any option string
test_overlay_hundred_layers() {
    only_aril
    local i list=()
    layers 0
    for i in $(seq 100); do
        mkdir "$B/$i"
        echo "$i" >"$B/$i/f$i"
        list+=("$B/$i")
    done
    lower "${list[@]}" "$B/rootfs"
    eq "$(shell 'cat /f1 /f50 /f100 | tr "\n" " "')" "1 50 100 "
}

# O-18: a user namespace made by root, with layers whose ids are shifted by the kernel
test_overlay_idmapped_layers() {
    only_aril
    layers 1
    chown 1000:1000 "$B/1/only-1"
    lower "$B/1" rootfs
    annotate idmap true
    edit '.linux.namespaces += [{type: "user"}]
        | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
    if denied all mount_setattr; then
        fails shell true
        has "$ERR" "function not implemented (this needs the mount API of Linux 5.12"
        return
    fi
    fingerprint "$B/1" >"$B.before"
    eq "$(shell 'stat -c "%u:%g" /who /only-1 /bin; echo new >/who; touch /made; stat -c "%u:%g" /who /made')" "0:0
1000:1000
0:0
0:0
0:0"
    fingerprint "$B/1" >"$B.after"
    cmp "$B.before" "$B.after"
}

# O-18: shifted layers below an upper directory; nothing of it appears among the host's mounts
test_overlay_idmapped_persistent() {
    only_aril
    if denied all mount_setattr; then skip "idmapped mounts need the mount API of Linux 5.12"; fi
    layers 2
    mkdir "$B/up" "$B/work"
    chmod 755 "$B/up"
    chown 100000:100000 "$B/up"
    lower "$B/1" "$B/2" rootfs
    annotate idmap true
    annotate upper "$B/up"
    annotate work "$B/work"
    edit '.linux.namespaces += [{type: "user"}]
        | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
    command_is /bin/sh -c "cat /who; echo new >/who; stat -c %u /only-2 /bin; sleep 1000"
    rt run -d -b "$B" "$ID" </dev/null >"$B/out" 2>&1
    wait_for 5 grep -c '^0$' "$B/out"
    eq "$(tr '\n' ' ' <"$B/out")" "1 0 0 "
    eq "$(grep -c " $B" /proc/self/mountinfo)" 0
    fails rt run -b "$B" "$ID-2"
    has "$ERR" "upper ($B/up): another container writes to it"
    eq "$(cat "$B/up/who" "$B/1/who")" "new
1"
}

# O-18: a user namespace made by root, layers that are owned by its ids already
test_overlay_user_namespace() {
    only_aril
    layers 1
    chown -R 100000:100000 "$B/1"
    lower "$B/1" rootfs
    edit '.linux.namespaces += [{type: "user"}]
        | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
    eq "$(shell 'stat -c "%u:%g" /who; echo new >/who; rm /only-1; cat /who; ls /only-1 2>/dev/null || true')" "0:0
new"
    eq "$(cat "$B/1/who")" 1
}

# O-18: rootless, with userxattr
test_overlay_rootless() {
    only_aril
    layers 2
    lower "$B/1" "$B/2" rootfs
    edit '.linux.namespaces = [{type:"pid"},{type:"ipc"},{type:"uts"},{type:"mount"},{type:"user"}]
        | .linux.uidMappings = [{containerID: 0, hostID: $u, size: 1}] | .linux.gidMappings = .linux.uidMappings
        | del(.linux.resources) | .mounts |= map(select(.type | . == "proc" or . == "tmpfs"))' --argjson u $TEST_USER
    mkdir -p "$W/home/run"
    chown -R $TEST_USER:$TEST_USER "$B/1" "$B/2" "$W/home"
    command_is /bin/sh -c 'cat /who; echo new >/who; rm -r /only-2; mkdir /d; cat /who; ls /only-2 2>/dev/null || true'
    eq "$(as_user "${PLAIN:-$RUNTIME}" run -b "$B" "$ID")" "1
new"
    eq "$(cat "$B/1/who" "$B/2/only-2")" "1
2"
}

# O-1: root.readonly concerns the whole, and volumes are mounted into it
test_overlay_read_only_and_volumes() {
    only_aril
    layers 1
    mkdir "$B/volume"
    lower "$B/1" rootfs
    edit '.root.readonly = true | .mounts += [{destination: "/data/volume", type: "bind", source: $v, options: ["bind"]}]' --arg v "$B/volume"
    has "$(shell 'echo x >/data/volume/y; (echo z >/who) 2>&1 || true')" "Read-only file system"
    eq "$(cat "$B/volume/y")" x
    [ ! -e "$B/1/data" ]
}

# O-1: exec works in it, and sees the same files
test_overlay_exec() {
    only_aril
    layers 1
    lower "$B/1" rootfs
    up /bin/sh -c 'echo hello >/greeting; sleep 1000'
    wait_for 5 rt exec "$ID" /bin/cat /greeting
    eq "$(rt exec "$ID" /bin/cat /greeting)" hello
}

memory_of() { # container…: bytes that the kernel has on the account of their cgroups, its own structures included
    local id sum=0 file=memory.usage_in_bytes
    [ $CGROUP_VERSION = 1 ] || file=memory.current
    for id; do
        sum=$((sum + $(cat "$(cgroup_dir memory "$(pid_of "$id")")/$file")))
    done
    echo $sum
}

# issue 4: containers share their layers, nothing is copied, no mount is left
# (SHARED=1000 TEST_LIMIT=1800: a thousand of them, and what each takes)
test_overlay_shared() {
    only_aril
    local i count=${SHARED:-20} disk mounts
    layers 1
    lower "$B/1" rootfs
    command_is /bin/sleep 10000
    disk=$(du -sk "$B" | cut -f1)
    mounts=$(wc -l </proc/self/mountinfo)
    for i in $(seq "$count"); do rt run -d -b "$B" "$ID-$i" </dev/null >/dev/null 2>&1; done
    disk=$(($(du -sk "$B" | cut -f1) - disk))
    eq "$(wc -l </proc/self/mountinfo)" "$mounts" # theirs are in their namespaces
    eq "$(rt list -q | wc -l)" "$count"
    for i in $(seq 20); do rt exec "$ID-$i" /bin/sh -c "echo $i >/who"; done
    for i in $(seq 20); do eq "$(rt exec "$ID-$i" /bin/cat /who)" "$i"; done
    if [ -n "${SHARED:-}" ]; then
        echo "$count containers: $(($(memory_of $(seq -f "$ID-%.0f" "$count")) / count / 1024)) KiB of memory, $((disk * 1024 / count)) bytes of disk each" | tee "${SHARED_REPORT:-/dev/null}"
    fi
    for i in $(seq "$count"); do rt delete -f "$ID-$i"; done
    eq "$disk" 0
    eq "$(cat "$B/1/who")" 1
    eq "$(wc -l </proc/self/mountinfo)" "$mounts"
    eq "$(grep -c aril-upper /proc/self/mountinfo || true)" 0
    eq "$(rt list -q)" ""
    eq "$(cgroups_left)" ""
}

# CVE-2021-30465: a layer of the image that has links cannot lead mounts out of the overlay
test_overlay_links() {
    only_aril
    layers 1
    mkdir "$B/outside"
    ln -s "$B/outside" "$B/1/data"
    lower "$B/1" rootfs
    edit '.mounts += [{destination: "/data/x/y", type: "tmpfs", source: "tmpfs"}]'
    shell true || true
    eq "$(ls "$B/outside")" ""
}

# P-4: what cannot be is refused with the annotation's name, and leaves nothing behind
test_overlay_refused() {
    only_aril
    local name value want
    while IFS='|' read -r name value want; do
        layers 1
        lower "$B/1" rootfs
        annotate "$name" "$value"
        command_is /bin/true
        fails rt run -b "$B" "$ID"
        has "$ERR" "annotations.dev.aril.rootfs"
        has "$ERR" "$want"
        one_line "$ERR"
        [ ! -e "$STATE/$ID" ]
        rm -rf "$B"
    done <<'ROWS'
lower|"/tmp"|lower: a JSON list of directories is expected
lower|[]|lower: a JSON list of directories is expected
lower|["/tmp"], "x": 1|lower: a JSON list of directories is expected
lower|["/tmp",7]|lower[1]: a path is expected
lower|[""]|lower[0]: a path is expected
lower|["/tm\u0000p"]|NUL
lower|[|lower
lower|["/etc"]|lower[0]: /etc is neither in the bundle nor in allowedLayers of /etc/aril/sandbox.json
lower|["rootfs/../../.."]|is neither in the bundle nor in allowedLayers
lower|["/does/not/exist"]|lower[0]: /does/not/exist: no such file or directory
upper|rootfs|upper and work go together
upper|/var/lib|upper: /var/lib is neither in the bundle
upper||upper: a directory is expected
size|0|size: '0' is not a number of bytes above 0
size|1g|size: '1g' is not a number of bytes above 0
size|99999999999999999999|is not a number of bytes
idmap|yes|idmap: 'yes' is neither true nor false
idmap|true|idmap: there are no linux.uidMappings
layer|x|layer: not one of lower, upper, work, size, idmap
ROWS
    layers 1
    annotate upper "$B/1"
    annotate work "$B/1"
    command_is /bin/true
    fails rt run -b "$B" "$ID"
    has "$ERR" "work: must not be the same directory as upper"
}

# CVE-2026-53488: a link in the bundle does not lead around the bound; the operator's list widens it
test_overlay_bounds() {
    only_aril
    layers 0
    mkdir -p "$W/shared/image" "$W/shared-not"
    echo shared >"$W/shared/image/who"
    ln -s "$W/shared/image" "$B/link"
    lower link rootfs
    command_is /bin/cat /who
    fails rt run -b "$B" "$ID"
    has "$ERR" "lower[0]: $W/shared/image is neither in the bundle nor in allowedLayers"
    [ ! -e /etc/aril ] || skip "this machine has an /etc/aril"
    # an /etc of our own mount namespace, because the file has one place only
    cat >"$B.script" <<SCRIPT
mkdir "$W/etc-upper" "$W/etc-work"
mount -t tmpfs tmpfs "$W/etc-work" && mkdir "$W/etc-work/u" "$W/etc-work/w"
mount -t overlay -o "lowerdir=/etc,upperdir=$W/etc-work/u,workdir=$W/etc-work/w" overlay /etc || exit
mkdir /etc/aril
echo '{"allowedLayers": ["$W/shared"]}' >/etc/aril/sandbox.json
chmod \$1 /etc/aril/sandbox.json
"$RUNTIME" --root "$STATE" run -b "$B" "$ID"
SCRIPT
    eq "$(unshare -m --propagation private sh "$B.script" 644)" shared
    rm -rf "$W/etc-upper" "$W/etc-work"
    fails unshare -m --propagation private sh "$B.script" 666
    has "$ERR" "only root can write"
    rm -rf "$W/etc-upper" "$W/etc-work"
}

tap_main
