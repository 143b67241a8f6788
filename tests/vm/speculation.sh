#!/bin/bash
# The speculation guard on a processor that offers a control: what it does is seen, not only that it does no harm (G-1 to
# G-3, P-6). Started by tests/vm/run --host speculation, whose emulated processor (AMD's family 17h) can keep stores from
# being bypassed, process by process; it has no control of indirect branches.
. "$(dirname "$0")/../integration/lib.sh"

GUARD=$(dirname "$(readlink -f "$PLAIN")")/spec-guard
OPEN="Speculation_Store_Bypass:thread vulnerable"
FORCED="Speculation_Store_Bypass:thread force mitigated"

annotate() { # NAME VALUE
    edit '.annotations["dev.aril." + $name] = $value' --arg name "$1" --arg value "$2"
}

# store_bypass [COMMAND...]: what the kernel says of a process that it starts
store_bypass() {
    "$@" grep Speculation_Store_Bypass /proc/self/status | tr -d '\t'
}

attack() { # COMMAND...: tests/integration/attack.c tries to have its speculation back
    compile_helper attack
    (cd "$TEST_BIN" && "$@" ./attack store_bypass)
}

# G-2: without the guard the control is there, and open: whatever follows here would be worth nothing otherwise
test_G_2_control() {
    eq "$(store_bypass)" "$OPEN"
    bundle
    eq "$(shell 'grep Speculation_Store_Bypass /proc/self/status | tr -d "\t"')" "$OPEN"
    eq "$(attack env)" "store_bypass: done"
}

# G-1, G-2: best effort: init and what exec starts have their stores kept from being bypassed, and cannot change it
test_G_1_G_2_container() {
    bundle && annotate speculation best-effort
    compile_helper attack && cp "$TEST_BIN/attack" "$B/rootfs/bin/attack"
    up
    eq "$(rt exec "$ID" /bin/grep -h Store_Bypass /proc/1/status /proc/self/status | tr -d '\t' | sort -u)" "$FORCED"
    eq "$(rt exec "$ID" /bin/attack store_bypass)" "store_bypass: EPERM"
    eq "$(store_bypass)" "$OPEN"
}

# G-2: SECCOMP_FILTER_FLAG_SPEC_ALLOW in config.json does not undo it
test_G_2_spec_allow() {
    bundle '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_SPEC_ALLOW"],
        "syscalls": [{"names": ["reboot"], "action": "SCMP_ACT_ERRNO"}]}'
    annotate profile strict
    eq "$(shell 'grep Speculation_Store_Bypass /proc/self/status | tr -d "\t"')" "$FORCED"
}

# P-6, C-3: `state` and `probe` say that one of the two controls is there
test_P_6_state_and_probe() {
    bundle && annotate speculation best-effort && up
    eq "$(rt state "$ID" | jq -r '.annotations["dev.aril.layers"] | fromjson | .spec')" degraded
    eq "$(rt probe --json | jq -r .layers.speculation.state)" degraded
    has "$(rt probe --json | jq -r .layers.speculation.message)" "one of the two controls"
}

# G-1, P-6: required fails create by name where one of the two is missing, and leaves nothing
test_G_1_required() {
    bundle && annotate speculation required
    fails rt create -b "$B" "$ID"
    has "$ERR" "speculation guard: is required, but degraded on this machine"
    eq "$(ls -A "$STATE")" ""
    capture rt sandbox-exec --speculation required -- true
    ne "$RC" 0
    has "$ERR" "speculation guard: "
}

# G-1: sandbox-exec, as root and as an ordinary user
test_G_1_sandbox_exec() {
    eq "$(store_bypass rt sandbox-exec --)" "$FORCED"
    eq "$(store_bypass rt sandbox-exec --speculation off --)" "$OPEN"
    eq "$(attack rt sandbox-exec --)" "store_bypass: EPERM"
}

# G-3: spec-guard forces it for what it executes, and what that executes; the status is the command's
test_G_3_spec_guard() {
    eq "$(store_bypass "$GUARD")" "$FORCED"
    eq "$(store_bypass "$GUARD" sh -c 'exec "$@"' sh)" "$FORCED"
    eq "$(attack "$GUARD")" "store_bypass: EPERM"
    capture "$GUARD" "$GUARD" sh -c 'exit 7' # forced already
    eq "$RC" 7
}

tap_main
