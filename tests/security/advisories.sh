#!/bin/bash
# advisories.sh - the advisories that image.sh, input.sh and exec.sh have no place for: one test each, by its name.
. "$(dirname "$0")/lib.sh"

only_aril() {
    [ "$KIND" = aril ] || skip "$KIND: $1"
}

# says TEXT COMMAND...: it must fail; aril's error has this text
says() {
    local text=$1
    shift
    fails "$@"
    eq "$OUT" ""
    [ "$KIND" != aril ] || has "$ERR" "$text"
}

# runc CVE-2021-43784: lengths that overflow 16 bits smuggle nothing into the message to init
test_message_overflow() {
    bundle
    # the attributes that would follow a length taken modulo 65536: no namespaces at all (clone flags of zero)
    path="/proc/self/ns/$(head -c $((65536 + 8)) /dev/zero | tr '\0' x)"
    edit '.linux.namespaces |= map(if .type == "network" then .path = $p else . end)' --arg p "$path"
    says ": file name too long" shell 'echo ran'
    bundle '.linux.namespaces |= map(select(.type != "user")) + [{type: "user"}]
        | .linux.uidMappings = [range(0; 5000) | {containerID: ., hostID: (. + 100000), size: 1}]
        | .linux.gidMappings = [{containerID: 0, hostID: 100000, size: 65536}]'
    says "linux.uidMappings: more than 340 entries" shell 'echo ran'
    bundle '.hostname = ("h" * 66000)'
    says "hostname" shell 'echo ran'
}

# runc CVE-2019-16884 CVE-2023-28642 CVE-2025-52881: a label goes to no file of the image's
test_label_redirect() {
    bundle '.process.apparmorProfile = "unconfined" | .mounts += [{destination: "/proc/self/attr", type: "bind",
        source: ($b + "/attr"), options: ["bind"]}]' --arg b "$B"
    mkdir -p "$B/attr/apparmor"
    : >"$B/attr/exec"
    : >"$B/attr/current"
    : >"$B/attr/apparmor/exec"
    says "is inside /proc, where only a few files can be mounted over" shell 'echo ran'
    eq "$(cat "$B/attr/exec" "$B/attr/current" "$B/attr/apparmor/exec")" ""
}

# runc CVE-2025-52881: nor does a sysctl, through a file that is mounted over it
test_sysctl_redirect() {
    known crun
    bundle '.linux.sysctl = {"net.ipv4.ip_forward": "1"}
        | .mounts += [{destination: "/proc/sys/net/ipv4/ip_forward", type: "bind", source: ($b + "/false"), options: ["bind"]}]' --arg b "$B"
    : >"$B/false"
    says "is inside /proc, where only a few files can be mounted over" shell 'echo ran'
    eq "$(cat "$B/false")" ""
}

# runc CVE-2025-52881: a link at the place of the file is the image's own, and it is refused by name
test_sysctl_link() {
    bundle '.linux.sysctl = {"net.ipv4.ip_forward": "1"} | .mounts |= map(select(.destination != "/proc"))'
    writable
    mkdir -p "$B/rootfs/proc/sys/net/ipv4"
    ln -s /canary/directory/made "$B/rootfs/proc/sys/net/ipv4/ip_forward"
    if [ "$KIND" = aril ]; then
        eq "$(shell 'echo ran')" ran # the sysctl of the container, through a procfs of aril's own
    else
        shell true || true
    fi
    [ ! -e "$B/rootfs/canary/directory/made" ]
    canary_lives
}

# runc CVE-2023-25809: without a cgroup namespace, a user namespace gets its cgroups read-only
test_cgroup_user_namespace() {
    not_in rootless "its config has no cgroup mount"
    bundle "$USER_NAMESPACE"' | .linux.namespaces |= map(select(.type != "cgroup"))'
    chmod 755 "$B"
    OUT=$(shell 'grep " - cgroup" /proc/self/mountinfo | cut -d" " -f6')
    ne "$OUT" ""
    hasnt "$OUT" rw
}

# runc CVE-2023-25809: nor can it be made writable where "rw" is asked for
test_cgroup_user_namespace_rw() {
    not_in rootless "its config has no cgroup mount"
    bundle "$USER_NAMESPACE"' | .linux.namespaces |= map(select(.type != "cgroup"))
        | .mounts |= map(if .type == "cgroup" then .options = ["rw"] else . end)'
    chmod 755 "$B"
    OUT=$(shell 'for f in $(find /sys/fs/cgroup -type f 2>/dev/null); do (echo 0 >$f) 2>/dev/null && echo "wrote $f"; done
        grep " - cgroup" /proc/self/mountinfo | while read -r _ _ _ _ d _; do mkdir $d/made 2>/dev/null && echo "made $d/made"; done; true')
    eq "$OUT" ""
}

# crun CVE-2025-24965: no file of a virtual machine's is written through a link of the image
test_krun_config() {
    bundle '.annotations["run.oci.handler"] = "krun"'
    writable
    ln -s /canary/directory/made "$B/rootfs/.krun_config.json"
    if [ "$KIND" = aril ]; then says "annotations.run.oci.handler" shell 'echo ran'; else shell true || true; fi
    canary_lives
}

# cri-o CVE-2022-0811: a value that carries more sysctls is one value
test_sysctl_value() {
    local before
    before=$(cat /proc/sys/kernel/core_pattern /proc/sys/kernel/shm_rmid_forced)
    bundle '.linux.sysctl = {"kernel.shm_rmid_forced": "1+kernel.core_pattern=|/canary/evil #"}'
    says "linux.sysctl" shell 'echo ran'
    eq "$(cat /proc/sys/kernel/core_pattern /proc/sys/kernel/shm_rmid_forced)" "$before"
}

# cri-o CVE-2022-0811: nor does an annotation set one
test_sysctl_annotation() {
    local before
    before=$(cat /proc/sys/kernel/core_pattern)
    bundle '.annotations = {"security.alpha.kubernetes.io/sysctls": "kernel.core_pattern=|/canary/evil",
        "security.alpha.kubernetes.io/unsafe-sysctls": "kernel.core_pattern=|/canary/evil",
        "io.kubernetes.cri-o.PinnsOptions": "kernel.core_pattern=x"}'
    eq "$(shell 'echo ran')" ran
    eq "$(cat /proc/sys/kernel/core_pattern)" "$before"
}

# NVIDIA CVE-2024-0132 CVE-2025-23266: the program of a createContainer hook is the host's, its directory not the image
test_hook_program() {
    bundle
    writable
    mkdir -p "/canary.hook" "$B/rootfs/canary.hook"
    printf '#!/bin/sh\npwd >%s.cwd\necho host >>%s.hook\n' "$B" "$B" >/canary.hook/run
    printf '#!/bin/sh\necho image >>%s.hook\n' "$B" >"$B/rootfs/canary.hook/run"
    chmod 755 /canary.hook/run "$B/rootfs/canary.hook/run"
    edit '.hooks.createContainer = [{path: "/canary.hook/run"}]'
    eq "$(shell 'echo ran')" ran
    rm -r /canary.hook
    eq "$(cat "$B.hook")" host
    ne "$(cat "$B.cwd")" "$B/rootfs"
}

# NVIDIA CVE-2024-0132: a hook that enters the root of the pid in its state can be led nowhere else by the image's links
test_hook_state() {
    bundle
    writable
    ln -s /canary/directory "$B/rootfs/link"
    cat >"$B/hook" <<'HOOK'
#!/bin/sh
pid=$(sed 's/.*"pid": *\([0-9]*\).*/\1/')
enter="--root=/proc/$pid/root"
[ "$(readlink /proc/self/ns/user)" = "$(readlink "/proc/$pid/ns/user")" ] || enter="--user --preserve-credentials $enter"
nsenter --target "$pid" $enter --wd=/ /bin/busybox sh -c 'echo x >/link/made' 2>/dev/null
exit 0
HOOK
    chmod 755 "$B/hook"
    edit '.hooks.poststart = [{path: $h}]' --arg h "$B/hook"
    mkdir -p "$B/rootfs/canary/directory"
    eq "$(shell 'until [ -e /canary/directory/made ]; do sleep 0.02; done; echo led inside')" "led inside"
    canary_lives
}

# bubblewrap CVE-2016-3135 CVE-2016-8659 CVE-2020-5291: no program of ours is setuid or has file capabilities
test_no_setuid() {
    only_aril "not ours"
    local program
    for program in "$PROGRAM" "${PROGRAM%/*}/aril-init" "${PROGRAM%/*}/spec-guard"; do
        eq "$(find "$program" -perm /6000)" ""
        if command -v getcap >/dev/null; then eq "$(getcap "$program")" ""; fi
    done
}

shared_names() { # what a run touches in directories that everybody can write to
    strace -f -o "$B.trace" -e trace=file "$RUNTIME" --root "$STATE" run -b "$B" "$ID"
    [ -s "$B.trace" ]
    grep -o '"/\(tmp\|var/tmp\|dev/shm\)/[^"]*"' "$B.trace" | tr -d '"' | sort -u | while read -r name; do
        # not where this test, the runtime and the project happen to be
        case $W/ in "$name"/*) continue ;; esac
        case $name in "$W"* | "$TAP_DIR"* | "${RUNTIME%/*}"* | "$SOURCE"*) continue ;; esac
        echo "$name"
    done
}

# bubblewrap CVE-2019-12439: nothing is made or looked for at a shared, predictable place
test_no_shared_directory() {
    command -v strace >/dev/null || skip "strace is not installed"
    bundle
    command_is /bin/true
    shared_names >"$B.one" || true
    shared_names >"$B.two" || true
    eq "$(comm -12 "$B.one" "$B.two")" ""
}

# flatpak CVE-2024-42472: the source of a bind that becomes a link is not followed where that is asked for
test_source_link() {
    only_aril "src-nofollow is crun's, of another version"
    bundle '.mounts += [{destination: "/data", type: "bind", source: ($b + "/shared/file"), options: ["bind", "src-nofollow"]}]' --arg b "$B"
    mkdir "$B/shared"
    ln -s /canary/secret "$B/shared/file"
    writable
    : >"$B/rootfs/data"
    capture shell 'cat /data'
    hasnt "$OUT" canary
}

# flatpak CVE-2024-42472: the same while it is exchanged
test_race_source() {
    only_aril "src-nofollow is crun's, of another version"
    bundle '.mounts += [{destination: "/data", type: "bind", source: ($b + "/shared/file"), options: ["bind", "src-nofollow"]}]' --arg b "$B"
    mkdir "$B/shared"
    echo own >"$B/shared/file"
    ln -s /canary/secret "$B/shared/link"
    command_is /bin/cat /data
    "$TEST_BIN/attack" swap "$RACE_SECONDS" "$B/shared/file" "$B/shared/link" &
    repeat rt run -b "$B" "$ID"
    wait
    has "$(cat "$B.race")" own
    hasnt "$(cat "$B.race")" canary
}

# agent sandboxes CVE-2026-39861, Ona 2026-04: a link, or a way around by /proc, leads out of no workspace
test_sandbox_workspace() {
    only_aril "has no sandbox-exec"
    bundle # its directory is the workspace
    ln -s /canary/directory "$B/link"
    cd "$B"
    if denied all; then # it cannot be made there, so nothing may run
        fails "$RUNTIME" sandbox-exec --rw "$B" sh -c 'echo ran'
        eq "$OUT" ""
        has "$ERR" "mount API"
        return
    fi
    capture "$RUNTIME" sandbox-exec --rw "$B" sh -c 'echo own >inside
        for path in link/made /proc/self/root/canary/directory/made /proc/1/root/canary/directory/made \
            /proc/self/cwd/link/made ../../../../../../canary/directory/made /proc/thread-self/root/canary/directory/made; do
            (echo x >$path) 2>/dev/null && echo "wrote $path"
        done; true'
    echo "$ERR"
    eq "$RC" 0
    eq "$OUT" ""
    eq "$(cat "$B/inside")" own
    canary_lives
}

tap_main
