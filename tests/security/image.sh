#!/bin/bash
# image.sh - attacks that an image brings along: links, false devices and special files where the runtime looks.
. "$(dirname "$0")/lib.sh"

# image: a bundle with a root file system of its own that can be bent
image() {
    [ $# -gt 0 ] || set -- .
    bundle "$@"
    writable
}

# runs SCRIPT WANT: the attack leads nowhere, so nothing keeps the container from running. Of other runtimes only the
# damage counts: they may refuse as well.
runs() {
    capture shell "$1"
    echo "$ERR"
    if [ "$KIND" = aril ] || [ -n "$OUT" ]; then eq "$OUT" "$2"; fi
}

# refuses TEXT: the container must not run, and this is what the error says
refuses() {
    fails shell 'echo ran'
    eq "$OUT" ""
    [ "$KIND" != aril ] || has "$ERR" "$1"
}

replace() { # path target: a link in the image instead of what is there
    rm -rf "$B/rootfs/$1"
    ln -s "$2" "$B/rootfs/$1"
}

# CVE-2018-15664 CVE-2019-18837 CVE-2021-30465: a mount destination below a link stays in the root
test_destination_link() {
    image '.mounts += [{destination: "/data/made", type: "tmpfs", source: "tmpfs"}]'
    replace data /canary/directory
    runs 'echo ran' ran
    canary_lives
}

# CVE-2019-18837: relative links that climb
test_destination_relative_link() {
    image '.mounts += [{destination: "/data/made", type: "bind", source: "/etc/hostname", options: ["bind"]}]'
    replace data ../../../../../../../../../../canary/directory
    runs 'echo ran' ran
    canary_lives
}

# CVE-2019-16884 CVE-2019-19921 CVE-2023-27561: /proc as a link
test_proc_link() {
    image
    replace proc /tmp
    refuses "mounts[0] (/proc): destination: not an ordinary directory, or reached through a symbolic link"
    canary_lives
}

# CVE-2019-19921 CVE-2023-28642: /sys as a link
test_sys_link() {
    image
    replace sys /tmp
    refuses "(/sys): destination: not an ordinary directory, or reached through a symbolic link"
    canary_lives
}

# CVE-2019-16884: a volume over /proc with false attr files
test_proc_volume() {
    known crun
    image '.mounts += [{destination: "/proc", type: "bind", source: $b, options: ["bind"]}]' --arg b "$B/false"
    mkdir -p "$B/false/self/attr"
    : >"$B/false/self/attr/exec"
    refuses "not a procfs, only that can be mounted on /proc"
    eq "$(cat "$B/false/self/attr/exec")" ""
}

# CVE-2019-16884: a volume inside /proc
test_proc_inside_volume() {
    known runc crun
    image '.mounts += [{destination: "/proc/self/attr", type: "tmpfs", source: "tmpfs"}]'
    refuses "/attr' is inside /proc, where only a few files can be mounted over"
}

# A /dev/null of the image that is none is an error where devices are made, and of no account where /dev is a volume.
refuses_or_masks() { # script want
    if [ "$KIND" = aril ]; then refuses "device /dev/null: a file that is not this device exists there: file exists"; fi
    mv "$B/rootfs/dev" "$B/volume"
    mkdir "$B/rootfs/dev"
    edit '.mounts += [{destination: "/dev", type: "bind", source: ($b + "/volume"), options: ["bind"]}]' --arg b "$B"
    runs "$1" "$2"
}

# CVE-2025-31133: masks come from the host's /dev/null, whatever the image's is
test_mask_null_link() {
    image '.linux.maskedPaths += ["/secret"] | .mounts |= map(select(.destination | startswith("/dev") | not))'
    echo shadow >"$B/rootfs/secret"
    echo 'not null' >"$B/rootfs/visible"
    rm -rf "$B/rootfs/dev"
    mkdir "$B/rootfs/dev"
    ln -s /visible "$B/rootfs/dev/null"
    refuses_or_masks 'cat /secret; stat -c %t:%T /secret' 1:3
}

# CVE-2025-31133: and through a /dev of the image that is a link to something of the container
test_mask_null_proc() {
    image '.linux.maskedPaths += ["/proc/vmstat", "/proc/timer_list"] | .linux.readonlyPaths = []
        | .mounts |= map(select(.destination | startswith("/dev") | not))'
    rm -rf "$B/rootfs/dev"
    mkdir "$B/rootfs/dev"
    ln -s /proc/sys/kernel/core_pattern "$B/rootfs/dev/null"
    refuses_or_masks 'cat /proc/vmstat; stat -c %t:%T /proc/vmstat /proc/timer_list' "1:3
1:3"
}

# nothing was mounted over the file that the link names
console_refused() {
    cat "$B.out"
    hasnt "$(cat "$B.out")" "mounted"
    [ "$KIND" != aril ] || has "$(cat "$B.out")" "process.terminal: /dev/console: neither a file nor a device is there"
}

# CVE-2025-52565: /dev/console is a link
test_console_link() {
    image '.process.terminal = true | .mounts |= map(select(.destination != "/dev"))'
    rm -rf "$B/rootfs/dev"
    mkdir "$B/rootfs/dev"
    ln -s /proc/sys/kernel/hostname "$B/rootfs/dev/console"
    command_is /bin/sh -c 'grep -q " /proc/sys/kernel/hostname " /proc/self/mountinfo && echo mounted'
    name=$(hostname)
    script -qec "$RUNTIME --root $STATE run -b $B $ID" /dev/null >"$B.out" 2>&1 || true
    eq "$(hostname)" "$name"
    console_refused
    canary_lives
}

# CVE-2025-52565: /dev/console is a link to a file outside
test_console_link_outside() {
    known crun
    image '.process.terminal = true | .mounts |= map(select(.destination != "/dev"))'
    rm -rf "$B/rootfs/dev"
    mkdir "$B/rootfs/dev"
    ln -s /canary/directory/made "$B/rootfs/dev/console"
    command_is /bin/true
    script -qec "$RUNTIME --root $STATE run -b $B $ID" /dev/null >"$B.out" 2>&1 || true
    console_refused
    canary_lives
}

# CVE-2026-41579 CVE-2026-47766: /dev is a link: no node, link or console lands on the host
test_dev_link() {
    known runc crun
    image '.mounts |= map(select(.destination | startswith("/dev") | not))'
    replace dev /canary/directory
    runs 'echo ran' ran
    canary_lives
}

# CVE-2026-41579: a relative link that climbs
test_dev_relative_link() {
    known runc crun
    image '.mounts |= map(select(.destination | startswith("/dev") | not))'
    replace dev ../../../../../../../../../../../canary/directory
    : >/canary/directory/ptmx
    runs 'echo ran' ran
    eq "$(ls /canary/directory 2>&1)" ptmx
    rm -f /canary/directory/ptmx
    canary_lives
}

# CVE-2026-47766: a device of the config below a link
test_device_link() {
    image '.linux.devices = [{path: "/data/node", type: "c", major: 1, minor: 3}]'
    replace data /canary/directory
    mkdir -p /data # of the jail: a user namespace gets the node of the host
    mknod -m 666 /data/node c 1 3
    runs 'stat -c %t:%T /data/node' 1:3
    rm -r /data
    canary_lives
}

# CVE-2025-24965 CVE-2024-45310: cwd below a link is made inside the root
test_cwd_link() {
    image '.process.cwd = "/data/made/below"'
    replace data /canary/directory
    if [ "$KIND" = aril ]; then refuses "process.cwd: chdir /data/made/below: not a directory"; else shell true || true; fi
    canary_lives
}

# stays_inside COMMAND...: the payload is in the root and holds nothing else, or the working directory is refused
stays_inside() {
    capture "$@"
    hasnt "$OUT" "host"
    hasnt "$OUT" "outside"
    if [ "$KIND" != aril ]; then return 0; fi
    if [ "$RC" = 0 ]; then eq "$OUT" "done"; else matches "$ERR" "process.cwd: (chdir )?/[^ ]*(: | leads outside)"; fi
}

# CVE-2024-21626: a cwd through an open descriptor
test_cwd_descriptor() {
    local fd
    image
    for fd in 3 4 5 6 7 8 9 10 11 12 13 14; do
        edit '.process.cwd = $c' --arg c "/proc/self/fd/$fd"
        command_is /bin/attack fds
        stays_inside rt run -b "$B" "$ID"
        rt delete -f "$ID" >/dev/null 2>&1 || true
    done
}

# CVE-2024-21626: the image's own link as cwd
test_cwd_image_link() {
    local fd
    image '.process.cwd = "/work"'
    for fd in 3 4 5 6 7 8 9 10; do
        replace work "/proc/self/fd/$fd/"
        command_is /bin/attack fds
        stays_inside rt run -b "$B" "$ID"
        rt delete -f "$ID" >/dev/null 2>&1 || true
    done
}

# CVE-2024-21626: nothing that the caller has open reaches the payload
test_leaked_descriptors() {
    todo_for crun "hands on what its caller has open"
    image
    command_is /bin/attack fds
    OUT=$(rt run -b "$B" "$ID" 10</ 11</canary/secret 200</canary)
    eq "$OUT" "done"
    up
    eq "$(rt exec "$ID" /bin/attack fds 10</ 11</canary/secret 200</canary)" "done"
}

# CVE-2024-21626: exec with a cwd through a descriptor
test_exec_cwd_descriptor() {
    local fd
    image
    up
    for fd in 3 4 5 6 7 8 9 10 11 12; do
        stays_inside rt exec --cwd "/proc/self/fd/$fd" "$ID" /bin/attack fds
    done
}

# rule 11: /etc/passwd is a FIFO: nothing hangs
test_passwd_fifo() {
    known runc crun
    image 'del(.process.env[] | select(startswith("HOME=")))'
    rm "$B/rootfs/etc/passwd"
    mkfifo "$B/rootfs/etc/passwd"
    command_is /bin/true
    timeout -k 1 5 "$RUNTIME" --root "$STATE" run -b "$B" "$ID"
}

# rule 11: /etc/group is a FIFO
test_group_fifo() {
    known runc
    image
    rm "$B/rootfs/etc/group"
    mkfifo "$B/rootfs/etc/group"
    command_is /bin/true
    timeout -k 1 5 "$RUNTIME" --root "$STATE" run -b "$B" "$ID"
}

# rule 11: /etc/passwd is /dev/zero, a link to it, or without end
test_passwd_endless() {
    known crun runc
    image 'del(.process.env[] | select(startswith("HOME=")))'
    replace etc/passwd /dev/zero
    command_is /bin/true
    (ulimit -v 2000000; timeout -k 1 10 "$RUNTIME" --root "$STATE" run -b "$B" "$ID")
    rm "$B/rootfs/etc/passwd"
    truncate -s 100G "$B/rootfs/etc/passwd"
    (ulimit -v 2000000; timeout -k 1 10 "$RUNTIME" --root "$STATE" run -b "$B" "$ID")
}

# rule 11: the program is a FIFO
test_program_fifo() {
    image
    mkfifo "$B/rootfs/bin/fifo"
    command_is /bin/fifo
    RC=0
    timeout -k 1 5 "$RUNTIME" --root "$STATE" run -b "$B" "$ID" || RC=$?
    [ "$RC" != 0 ] && [ "$RC" != 124 ]
}

# CVE-2022-23648 CVE-2025-47290: the image's /etc/passwd is a link to the host's
test_passwd_link() {
    image 'del(.process.env[] | select(startswith("HOME="))) | .process.user.uid = 4321'
    echo 'x:x:4321:4321::/home/of-the-host:/bin/sh' >/canary/directory/passwd
    replace etc/passwd /canary/directory/passwd
    OUT=$(shell 'echo $HOME')
    rm /canary/directory/passwd
    eq "$OUT" /
}

# rule 7: a false /dev/null of the image takes over no stream
test_false_null() {
    known runc
    image '.mounts |= map(select(.destination | startswith("/dev") | not))'
    rm -rf "$B/rootfs/dev"
    mkdir "$B/rootfs/dev"
    : >"$B/rootfs/dev/null"
    RC=0
    shell 'echo to-null; stat -c %t:%T /dev/null >&2' >/dev/null 2>"$B.err" </dev/null || RC=$?
    if [ "$KIND" = aril ] && [ "$SECURITY_MODE" = root ]; then
        has "$(cat "$B.err")" "device /dev/null: a file that is not this device exists there: file exists"
    elif [ "$KIND" = aril ]; then
        eq "$(cat "$B.err")" 1:3 # a user namespace has the host's device mounted over it
    fi
    eq "$(cat "$B/rootfs/dev/null" 2>/dev/null)" ""
}

# rule 7: a FIFO with the number of /dev/null
test_false_null_node() {
    image '.mounts |= map(select(.destination | startswith("/dev") | not))'
    rm -rf "$B/rootfs/dev"
    mkdir "$B/rootfs/dev"
    mknod "$B/rootfs/dev/null" b 1 3
    if [ "$KIND" = aril ]; then
        refuses "device /dev/null: a file that is not this device exists there: file exists"
    else
        runs 'stat -c "%F" /dev/null' "character special file"
    fi
}

# CVE-2022-23648: tmpcopyup copies links as links and opens no FIFO
test_tmpcopyup_links() {
    image '.mounts += [{destination: "/data", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"]}]'
    not_for runc "copies links as runc does"
    mkdir "$B/rootfs/data"
    ln -s /canary/secret "$B/rootfs/data/link"
    mkfifo "$B/rootfs/data/fifo"
    OUT=$(shell 'cat /data/link; stat -c %F /data/link /data/fifo' 2>&1 </dev/null) || true
    hasnt "$OUT" "canary of the jail"
    [ "$KIND" != aril ] || eq "$OUT" "cat: can't open '/data/link': No such file or directory
symbolic link
fifo"
    canary_lives
}

# CVE-2021-30465 CVE-2024-45310 CVE-2023-27561: another container exchanges a directory of a shared volume
test_race_volume() {
    image '.mounts += [{destination: "/volume", type: "bind", source: ($b + "/volume"), options: ["bind"]},
        {destination: "/volume/a/made", type: "tmpfs", source: "tmpfs"},
        {destination: "/volume/a/file", type: "bind", source: "/etc/hostname", options: ["bind"]}]' --arg b "$B"
    mkdir -p "$B/volume/a"
    ln -s /canary/directory "$B/volume/b"
    command_is /bin/true
    "$TEST_BIN/attack" swap "$RACE_SECONDS" "$B/volume/a" "$B/volume/b" &
    repeat rt run -b "$B" "$ID"
    wait
    canary_lives
}

# CVE-2023-27561 CVE-2025-52881: another container exchanges /proc below a shared root
test_race_proc() {
    image '.linux.sysctl = {"net.ipv4.ip_forward": "1"}'
    mkdir -p "$B/rootfs/false/sys/net/ipv4"
    : >"$B/rootfs/false/sys/net/ipv4/ip_forward"
    ln -s /false "$B/rootfs/proc-link"
    command_is /bin/sh -c 'cat /proc/sys/net/ipv4/ip_forward'
    before=$(cat /proc/sys/net/ipv4/ip_forward)
    "$TEST_BIN/attack" swap "$RACE_SECONDS" "$B/rootfs/proc" "$B/rootfs/proc-link" &
    repeat rt run -b "$B" "$ID"
    wait
    eq "$(cat /proc/sys/net/ipv4/ip_forward)" "$before"
    eq "$(cat "$B/rootfs/false/sys/net/ipv4/ip_forward")" ""
    canary_lives
}

# CVE-2025-31133 CVE-2025-52881 GHSA-3q8j-pf29-vwv8: masks while the image's /dev/null and the target are exchanged
test_race_mask() {
    known runc
    image '.linux.maskedPaths = ["/data/secret"] | .mounts |= map(select(.destination | startswith("/dev") | not))'
    mkdir "$B/rootfs/data" "$B/rootfs/other"
    echo shadow >"$B/rootfs/data/secret"
    echo shadow >"$B/rootfs/other/secret"
    rm -rf "$B/rootfs/dev"
    mkdir "$B/rootfs/dev"
    mknod "$B/rootfs/dev/null" c 1 3
    ln -s /proc/vmstat "$B/rootfs/dev/false"
    command_is /bin/sh -c 'grep " /data/secret " /proc/self/mountinfo; grep -v " /data/secret\| /other/secret" /proc/self/mountinfo | grep secret'
    "$TEST_BIN/attack" swap "$RACE_SECONDS" "$B/rootfs/dev/null" "$B/rootfs/dev/false" &
    repeat rt run -b "$B" "$ID"
    wait
    hasnt "$(cat "$B.race")" "vmstat"
    canary_lives
}

# CVE-2026-41579 CVE-2024-45310: /dev is exchanged with a link to the host while devices are made
test_race_dev() {
    known runc crun
    image '.mounts |= map(select(.destination | startswith("/dev") | not))'
    ln -s /canary/directory "$B/rootfs/dev-link"
    command_is /bin/true
    "$TEST_BIN/attack" swap "$RACE_SECONDS" "$B/rootfs/dev" "$B/rootfs/dev-link" &
    repeat rt run -b "$B" "$ID"
    wait
    canary_lives
}

# CVE-2024-42472: a file of a volume is exchanged with a link while cwd is made
test_race_cwd() {
    image '.process.cwd = "/data/a/made/below"'
    mkdir -p "$B/rootfs/data/a"
    ln -s /canary/directory "$B/rootfs/data/b"
    command_is /bin/true
    "$TEST_BIN/attack" swap "$RACE_SECONDS" "$B/rootfs/data/a" "$B/rootfs/data/b" &
    repeat rt run -b "$B" "$ID"
    wait
    canary_lives
}

tap_main
