#!/bin/bash
# What a runtime writes and reads, held against the published schema of the specification (oci-specs/schema).
. "$(dirname "$0")/lib.sh"

SCHEMAS=$SOURCE/oci-specs/schema

# holds SCHEMA FILE...: the documents break no rule of the schema
holds() {
    local schema=$1
    shift
    /usr/bin/python3 -c 'import jsonschema' 2>/dev/null || skip "needs python3-jsonschema"
    capture "$HERE/schema.py" "$SCHEMAS/$schema-schema.json" "$@"
    eq "$RC $OUT$ERR" "0 "
}

# breaks SCHEMA FILTER FILE WHERE: edited with jq, it does, and the place is named. What cannot fail proves nothing.
breaks() {
    jq "$2" "$3" >"$W/broken.json"
    capture "$HERE/schema.py" "$SCHEMAS/$1-schema.json" "$W/broken.json"
    eq "$RC" 1
    has "$OUT" "$4: "
}

# 258-265 268: the features document and the published schema, which has no property that ours lacks
test_features() {
    not_for crun "1.8 has no features"
    rt features >"$W/features.json"
    holds features "$W/features.json"
    breaks features 'del(.ociVersionMax)' "$W/features.json" "(the document)"
    breaks features '.linux.namespaces[8] = "netwrk"' "$W/features.json" linux.namespaces.8
    breaks features '.linux.seccomp.knownFlags = "all"' "$W/features.json" linux.seccomp.knownFlags
    [ "$KIND" = aril ] || return 0
    capture "$HERE/schema.py" --unused "$SCHEMAS/features-schema.json" "$W/features.json"
    eq "$RC $OUT$ERR" "0 "
}

# 15 16 18 19 246: what state prints of a created, a running and a stopped container, and what each kind of hook reads
test_state() {
    local kind status
    bundle '.annotations = {"org.example.a": "b"}'
    for kind in prestart createRuntime createContainer poststart poststop; do
        edit '.hooks[$kind] = [{path: "/bin/sh", args: ["sh", "-c", "cat >\($file)"]}]' --arg kind $kind --arg file "$B/$kind.json"
    done
    created
    rt state "$ID" >"$B/created.json"
    rt start "$ID"
    rt state "$ID" >"$B/running.json"
    rt kill "$ID" KILL
    stopped
    rt state "$ID" >"$B/stopped.json"
    rt delete "$ID"
    holds state "$B/created.json" "$B/running.json" "$B/stopped.json"
    for status in created running stopped; do eq "$(jq -r .status "$B/$status.json")" $status; done
    breaks state '.pid = -1' "$B/running.json" pid
    breaks state '.status = "dead"' "$B/running.json" status
    breaks state 'del(.bundle)' "$B/running.json" "(the document)"
    [ "$KIND" = aril ] || return 0 # Debian's crun and runc run poststart hooks at other times, and write other states
    holds state "$B/prestart.json" "$B/createRuntime.json" "$B/createContainer.json" "$B/poststart.json" "$B/poststop.json"
}

# O8 283: the config that spec writes, for root and rootless
test_spec() {
    mkdir -p "$B/rootless"
    (cd "$B" && rt spec)
    (cd "$B/rootless" && rt spec --rootless)
    holds config "$B/config.json" "$B/rootless/config.json"
    breaks config '.process.cwd = 1' "$B/config.json" process.cwd
    breaks config '.linux.namespaces[0].type = "netwrk"' "$B/config.json" linux.namespaces.0
}

# 5 83: every property of the schema that concerns Linux is in tests/data/full.json, and with that in the mutation test
# (tests/unit/schema_mutation.c): aril reads the whole of config.json
test_full() {
    [ "$KIND" = aril ] || skip "about aril's own tables"
    holds config "$SOURCE/tests/data/full.json"
    capture "$HERE/schema.py" --unused "$SCHEMAS/config-schema.json" "$SOURCE/tests/data/full.json"
    eq "$OUT$ERR" process.commandLine # Windows
    breaks config '.linux.resources.memory.limit = "1"' "$SOURCE/tests/data/full.json" linux.resources.memory.limit
    jq 'del(.linux.memoryPolicy.nodes)' "$SOURCE/tests/data/full.json" >"$W/less.json"
    capture "$HERE/schema.py" --unused "$SCHEMAS/config-schema.json" "$W/less.json"
    has "$OUT" linux.memoryPolicy.nodes
}

tap_main
