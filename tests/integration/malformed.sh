#!/bin/bash
# Configs that are broken: one line that names the place, exit 1, nothing created. Configs from the future: run.
. "$(dirname "$0")/lib.sh"

# refused [PART...]: create fails cleanly; aril's message has the parts
refused() {
    fails rt create -b "$B" "$ID"
    eq "$RC" 1
    one_line "$ERR"
    [ ${#ERR} -lt 4096 ] || { echo "message of ${#ERR} bytes"; return 1; }
    local part
    for part in "$@"; do
        [ "$KIND" != aril ] || has "$ERR" "$part"
    done
    eq "$(ls "$STATE")" ""
}

# refused_text TEXT PART...: config.json is this text
refused_text() {
    printf '%s' "$1" >"$B/config.json"
    shift
    refused "$@"
}

# 2: cut off at every 97th byte
test_truncated() {
    bundle
    cp "$B/config.json" "$B/whole"
    local size at
    size=$(stat -c %s "$B/whole")
    for ((at = 0; at < size - 1; at += 97)); do
        head -c "$at" "$B/whole" >"$B/config.json"
        refused
    done
}

# 2: not JSON at all, and JSON that is not an object
test_not_an_object() {
    todo_for runc "1.1 panics or takes some"
    bundle
    local text
    for text in '' ' ' 'hello' '[]' '"x"' '17' 'null' '{}' '{"a":1' '{"a":1}}' '{"a" 1}' '{,}' "{'a':1}" $'\xff\xfe{}'; do
        refused_text "$text"
    done
}

# issue 2: the message tells line and column
test_position() {
    bundle
    printf '{\n  "ociVersion": "1.0.2",\n  "root": { "path": "rootfs", }\n}\n' >"$B/config.json"
    [ "$KIND" = aril ] || skip "the message is aril's own matter"
    refused
    matches "$ERR" '3:[0-9]+'
}

# issue 2: 100 MB of one string, of spaces, of array elements
test_huge() {
    bundle
    todo_for runc "takes it"
    todo_for crun "1.8 takes it"
    { printf '{"ociVersion":"1.0.2","x":"'; head -c 100000000 /dev/zero | tr '\0' a; printf '"}'; } >"$B/config.json"
    refused
    { head -c 100000000 /dev/zero | tr '\0' ' '; cat "$SOURCE/tests/data/config.json"; } >"$B/config.json"
    refused
    { printf '{"ociVersion":"1.0.2","x":['; yes 1, | head -n 33000000 | tr -d '\n'; printf '1]}'; } >"$B/config.json"
    refused
}

# issue 2: 1,000,000 levels deep
test_deep() {
    todo_for crun "1.8 crashes"
    bundle
    { printf '{"ociVersion":"1.0.2","x":'; head -c 1000000 /dev/zero | tr '\0' '['; head -c 1000000 /dev/zero | tr '\0' ']'; printf '}'; } >"$B/config.json"
    refused
    { printf '{"ociVersion":"1.0.2","x":'; for ((i = 0; i < 100000; i++)); do printf '{"a":'; done; } >"$B/config.json"
    refused
}

# 5: wrong types: a sample through the command line (tests/unit/schema_mutation.c does every property)
test_wrong_types() {
    todo_for crun "1.8 takes many"
    local filter path
    while read -r path filter; do
        bundle_again "$filter"
        refused "$path"
    done <<'T'
process.user.uid .process.user.uid="0"
process.args[1] .process.args=["sh",7]
process.env[0] .process.env=[null]
process.rlimits[0].soft .process.rlimits[0].soft="1"
mounts[1].options .mounts[1].options="nosuid"
linux.sysctl .linux.sysctl=["a"]
linux.seccomp.syscalls[0].names .linux.seccomp={defaultAction:"SCMP_ACT_ALLOW",syscalls:[{names:"x",action:"SCMP_ACT_ALLOW"}]}
hooks.createRuntime[0].path .hooks.createRuntime=[{path:7}]
T
}

# 5: each value of a config with every property becomes null: a plan, or one line that names a place
test_null_everywhere() {
    [ "$KIND" = aril ] || skip "plan is a command of aril"
    local config
    mkdir -p "$B/rootfs"
    while read -r config; do
        echo "$config" >"$B/config.json"
        capture rt plan "$B"
        [ "$RC" = 0 ] || { eq "$RC" 1 && one_line "$ERR" && matches "$ERR" '(process|root|mounts|hooks|annotations|linux|ociVersion)'; } ||
            { echo "status $RC: $config"; return 1; }
    done < <(jq -c 'paths as $path | setpath($path; null)' "$SOURCE/tests/data/full.json")
}

bundle_again() {
    rm -rf "$B"
    bundle "$@"
}

# 5: values out of range or not in the list, as well
test_wrong_values() {
    todo_for crun "1.8 takes many"
    todo_for runc "1.1 takes some"
    local filter path
    while read -r path filter; do
        bundle_again "$filter"
        refused "$path"
    done <<'T'
process.oomScoreAdj .process.oomScoreAdj=1001
process.user.uid .process.user.uid=4294967296
process.user.uid .process.user.uid=1.5
linux.namespaces[0].type .linux.namespaces[0].type="netwrk"
linux.personality.domain .linux.personality={domain:"SOLARIS"}
linux.resources.blockIO.weight .linux.resources.blockIO={weight:5}
T
}

# 8 11 54 86 131 145: required properties that are missing
test_missing() {
    todo_for crun "1.8 takes some"
    todo_for runc "1.1 takes some"
    local filter path
    while read -r path filter; do
        bundle_again "$filter"
        refused "$path"
    done <<'T'
ociVersion del(.ociVersion)
root del(.root)
root.path del(.root.path)
process.cwd del(.process.cwd)
process.args del(.process.args)
mounts[0].destination del(.mounts[0].destination)
linux.namespaces[0].type del(.linux.namespaces[0].type)
linux.devices[0].path .linux.devices=[{type:"c",major:1,minor:1}]
linux.seccomp.defaultAction .linux.seccomp={syscalls:[]}
T
}

# rule 8: NUL in strings is refused, not cut
test_nul() {
    todo_for crun "1.8 cuts the string"
    todo_for runc "1.1 takes some"
    local where
    for where in '.process.args[0]' '.process.env[0]' '.process.cwd' '.hostname' '.root.path' '.mounts[0].destination' '.mounts[0].source'; do
        bundle_again "$where = \"/bin/true\\u0000/etc\""
        refused "${where#.}"
    done
}

# rule 8: invalid UTF-8 and lone surrogates
test_utf8() {
    todo_for runc "replaces them"
    todo_for crun "1.8 takes some"
    bundle
    sed -i 's/"aril-test"/"aril-\xff\xfe"/' "$B/config.json"
    refused
    bundle_again
    sed -i 's/"aril-test"/"aril-\\ud800"/' "$B/config.json"
    refused
}

# issue 2: a key that is there twice is refused, with its path
test_duplicate_keys() {
    todo_for runc "takes the last"
    todo_for crun "1.8 takes the first"
    bundle
    sed -i 's/"cwd": "\/"/"cwd": "\/", "cwd": "\/tmp"/' "$B/config.json"
    refused process.cwd
    bundle_again
    sed -i '0,/"ociVersion"/s//"hostname": "a", "ociVersion"/' "$B/config.json"
    refused hostname
}

# 4 6 20: unknown properties at every level are ignored, whatever they hold
test_unknown_properties() {
    bundle '.future = {deep: [1, {x: null}]} | .process.newThing = [] | .process.user.species = "cat" | .linux.resources.quantum = {qubits: 7} |
        .linux.newer = "1" | .root.type = 1 | .mounts[0].weight = 3 | .hooks.later = [] | .annotations = {"dev.unknown/x": "y"}'
    eq "$(shell 'echo ran')" ran
}

# 3: a newer minor version is no reason to fail
test_newer_minor_version() {
    todo_for crun "1.8 refuses"
    bundle '.ociVersion = "1.99.0-dev"'
    eq "$(shell 'echo ran')" ran
}

# 3: a version that is none
test_version_invalid() {
    todo_for runc "no check"
    todo_for crun "no check"
    local version
    for version in '""' '"x"' '"2.0.0"' '"1"' '"1.0"'; do
        bundle_again ".ociVersion = $version"
        refused ociVersion
    done
}

# rule 11: config.json that is a directory, a FIFO, a device, a symlink loop or missing
test_config_is_no_file() {
    not_for runc "waits for the FIFO"
    not_for crun "waits for the FIFO"
    bundle
    rm "$B/config.json"
    refused "config.json"
    mkdir "$B/config.json"
    refused "config.json"
    rmdir "$B/config.json"
    mkfifo "$B/config.json"
    refused "config.json"
    rm "$B/config.json"
    ln -s /dev/zero "$B/config.json"
    refused "config.json"
    ln -sf config.json "$B/config.json"
    refused "config.json"
}

# 13: no mounts, no linux, no namespaces: runs with what is there, or is refused in one line
test_sparse() {
    todo_for crun "1.8 without a mount namespace mounts on the host"
    local filter
    for filter in 'del(.mounts)' 'del(.linux)' '.linux.namespaces = []' 'del(.hostname)' 'del(.process.env)' 'del(.process.user)'; do
        bundle_again "$filter"
        command_is /bin/true
        capture rt run -b "$B" "$ID"
        [ "$RC" = 0 ] || one_line "$ERR"
        no_leftovers || { echo "after $filter: $LEFT"; return 1; }
    done
}

# values at the border of what programs hold: long strings, many entries
test_large_but_valid() {
    bundle '.process.args = ["/bin/probe", ("x" * 100000)] | .process.env += [range(2000) | "V\(.)=value"] |
        .annotations = ([range(2000) | {key: "org.example.\(.)", value: "v"}] | from_entries)'
    REPORT=$(rt run -b "$B" "$ID")
    eq "$(p '.args[1] | length')" 100000
    eq "$(p '[.env[] | select(startswith("V"))] | length')" 2000
}

tap_main
