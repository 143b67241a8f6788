#!/bin/bash
# landlock.sh - what Landlock lets the payload reach (sandbox requirements L-1 … L-6).

. "$(dirname "$0")/lib.sh"
[ "$KIND" = aril ] || bail_out "only aril has Landlock"

landlock() { # JSON
    bundle '.root.readonly = false'
    mkdir -p "$B/rootfs/one" "$B/rootfs/two"
    edit '.annotations["dev.aril.landlock"] = $value' --arg value "$1"
}

attack() {
    compile_helper attack
    cp "$TEST_BIN/attack" "$B/rootfs/bin/attack"
    command_is /bin/attack "$@"
    capture rt run -b "$B" "$ID"
    OUT=$(tr '\n' ' ' <<<"$OUT")
}

# L-1 L-3: writable roots can be written, the rest only read
test_writable_roots() {
    landlock '{"writable_roots":["/one"]}'
    attack write:/one/x write:/two/x write:/x read:/etc/passwd write:/dev/null mknod:/two/f mknod:/one/f
    eq "$OUT" "write:/one/x: done write:/two/x: EACCES write:/x: EACCES read:/etc/passwd: done write:/dev/null: done mknod:/two/f: EACCES mknod:/one/f: done "
}

# L-2: renaming from one writable root to another works, to a read-only place it does not (REFER is handled)
test_rename_across_roots() {
    landlock '{"writable_roots":["/one","/two"]}'
    attack rename:/one/a
    eq "$OUT" "rename:/one/a: done "
    edit '.annotations["dev.aril.landlock"] = "{\"writable_roots\":[\"/one\"]}"'
    attack rename:/one/b
    matches "$OUT" '^rename:/one/b: (EXDEV|EACCES) $'
}

# L-2: truncating is writing
test_truncate() {
    landlock '{"writable_roots":["/one"]}'
    make_file two/file content
    attack trunc:/two/file
    eq "$OUT" "trunc:/two/file: EACCES "
}

# L-1: read_roots leave nothing else readable
test_read_roots() {
    landlock '{"writable_roots":[],"read_roots":["/bin"]}'
    attack read:/bin/busybox read:/etc/passwd
    eq "$OUT" "read:/bin/busybox: done read:/etc/passwd: EACCES "
}

# L-1 L-2: TCP ports
test_tcp_ports() {
    landlock '{"tcp_connect":[443],"tcp_bind":[8080]}'
    attack tcp:443 tcp:80 bind:8080 bind:8081
    eq "$OUT" "tcp:443: ECONNREFUSED tcp:80: EACCES bind:8080: done bind:8081: EACCES "
}

# L-1 L-2: scopes: no signal and no abstract socket reaches what is outside of the own domain, which each exec has
test_scopes() {
    [ "$(rt probe --json | jq .landlock_abi)" -ge 6 ] || skip "this kernel has no scopes (Landlock ABI 6)"
    local scope want
    for scope in '' '"signal"' '"abstract_unix"' '"signal","abstract_unix"'; do
        landlock "{\"scope\":[$scope]}"
        compile_helper attack
        cp "$TEST_BIN/attack" "$B/rootfs/bin/attack"
        up /bin/attack listen:name
        wait_for 5 listens
        want="signal:1: done abstract:name: done "
        [[ "$scope" != *signal* ]] || want=${want/1: done/1: EPERM}
        [[ "$scope" != *abstract* ]] || want=${want/name: done/name: EPERM}
        eq "$(rt exec "$ID" /bin/attack signal:1 abstract:name | tr '\n' ' ')" "$want"
        rt delete --force "$ID"
        rm -rf --one-file-system "$B"
    done
}

listens() {
    rt exec "$ID" /bin/grep -q @name /proc/net/unix
}

# L-1: network_allowed=false denies every socket but AF_UNIX
test_network_denied() {
    landlock '{"network_allowed":false}'
    attack inet unix io_uring
    eq "$OUT" "inet: EPERM unix: done io_uring: EPERM "
}

# L-4: read-only and denied paths within a writable root
test_paths_within_a_root() {
    landlock '{"writable_roots":["/one"],"read_only_subpaths":["/one/ro"],"read_deny_paths":["/one/secret"]}'
    mkdir "$B/rootfs/one/ro" "$B/rootfs/one/secret"
    make_file one/secret/key x
    attack write:/one/x write:/one/ro/x read:/one/secret/key
    eq "$OUT" "write:/one/x: done write:/one/ro/x: EROFS read:/one/secret/key: EACCES "
}

# L-5: exec'd processes have the same rules, and cannot mount
test_exec() {
    landlock '{"writable_roots":["/one"]}'
    up
    capture rt exec "$ID" /bin/sh -c 'touch /one/x && touch /two/x'
    eq "$RC" 1
    [ -e "$B/rootfs/one/x" ]
    [ ! -e "$B/rootfs/two/x" ]
    capture rt exec "$ID" /bin/sh -c 'grep NoNewPrivs /proc/self/status'
    has "$OUT" 1
    fails rt exec --cap CAP_SYS_ADMIN "$ID" /bin/mount -t tmpfs none /one
}

# L-6 M-6: a writable root that does not exist fails create, by name
test_missing_root() {
    landlock '{"writable_roots":["/no-such"]}'
    command_is /bin/true
    fails rt create -b "$B" "$ID"
    has "$ERR" "landlock: /no-such: no such file or directory"
}

# L-6, P-6: an optional path that does not exist is skipped: state says degraded, and why, and the log says which one
test_missing_optional_path() {
    landlock '{"read_roots":["/bin","/etc","/dev","/proc","/no-such"]}'
    up
    rt state "$ID" | jq -e '.annotations["dev.aril.layers"] | fromjson
        | .landlock == "degraded" and .landlockMessage == "a path that may be used does not exist"'
    rt delete --force "$ID"
    edit '.annotations["dev.aril.landlock"] = "{\"read_roots\":[\"/bin\",\"/etc\",\"/dev\",\"/proc\"]}"'
    rt run -d -b "$B" "$ID"
    rt state "$ID" | jq -e '.annotations["dev.aril.layers"] | fromjson | .landlock == "active" and .landlockMessage == null'
    rt delete --force "$ID"
    edit '.annotations["dev.aril.landlock"] = "{\"read_roots\":[\"/bin\",\"/no-such\"]}"'
    command_is /bin/true
    capture rt --log-level warning run -b "$B" "$ID"
    eq "$RC $ERR" "0 aril: landlock: /no-such: no such file or directory, so nothing is allowed there"
}

# L-1: unknown fields are errors
test_unknown_field() {
    landlock '{"writable_root":["/one"]}'
    command_is /bin/true
    fails rt create -b "$B" "$ID"
    has "$ERR" "writable_root: is unknown"
}

# P-6: state says that it is active
test_state() {
    landlock '{"writable_roots":["/one"],"mode":"required"}'
    up
    rt state "$ID" | jq -e '.annotations["dev.aril.layers"] | fromjson | .landlock == "active"'
}

# L-3: terminals and /dev/shm work
test_devices() {
    landlock '{"writable_roots":[]}'
    attack write:/dev/null write:/dev/shm/x read:/dev/urandom read:/proc/self/status
    hasnt "$OUT" EACCES
}

tap_main
