# shellcheck shell=bash
# trace.sh - sourced: counts the system calls of each command of a runtime, and makes many records of containers.
#
# Needs RUNTIME, STATE (its --root) and W (a scratch directory). Every function prints a number.

# command_of WORD...: the runtime, on its state directory; its words come only if it fails
command_of() {
    "$RUNTIME" --root "$STATE" "$@" >"$W/words" 2>&1 </dev/null || { cat "$W/words" >&2; return 1; }
}

# await COMMAND...: a minute at most
await() {
    local end=$((SECONDS + 60))
    until "$@"; do
        [ $SECONDS -lt $end ] || { echo "timed out: $*" >&2; return 1; }
        sleep 0.01
    done
}

# forget ID: deletes a container. That it is gone already, as crun's now and then is under load, is no failure here.
forget() {
    command_of delete --force "$1" 2>/dev/null || [ ! -e "$STATE/$1" ]
}

has_status() { # id status
    "$RUNTIME" --root "$STATE" state "$1" 2>/dev/null | grep -qE "\"status\": ?\"$2\""
}

childless() { # pid
    [ -z "$(cat "/proc/$1/task/$1/children")" ]
}

# total FILE: the number of calls in a report of strace -c
total() {
    awk '$NF == "total" { print $4; found = 1 } END { exit !found }' "$1"
}

# least COMMAND...: the least number that the command prints in three runs; now and then a signal adds a call
least() {
    local counts
    counts=$(for _ in 1 2 3; do "$@"; done)
    sort -n <<<"$counts" | sed -n 1p
}

# traced WORD...: the system calls of the command and of all that it starts, until the last ends
traced() {
    strace -f -c -o "$W/strace" "$RUNTIME" --root "$STATE" "$@" >/dev/null </dev/null
    total "$W/strace"
}

# traced_create BUNDLE ID: the init that create makes stays, and strace with it. We end it when create, the child of
# strace, is gone.
traced_create() {
    local tracer
    strace -f -c -o "$W/strace" "$RUNTIME" --root "$STATE" create -b "$1" "$2" >/dev/null </dev/null &
    tracer=$!
    await has_status "$2" created
    await childless $tracer
    forget "$2"
    wait $tracer || true
    total "$W/strace"
}

traced_start() { # bundle id
    command_of create -b "$1" "$2"
    traced start "$2"
    await has_status "$2" stopped
    forget "$2"
}

traced_delete() { # bundle id
    command_of create -b "$1" "$2"
    command_of start "$2"
    await has_status "$2" stopped
    traced delete "$2"
}

traced_kill() { # bundle (whose program stays) id
    command_of run --detach -b "$1" "$2"
    traced kill "$2" KILL
    await has_status "$2" stopped
    forget "$2"
}

# traced_beside BUNDLE ID WORD...: of a command on a container that runs
traced_beside() {
    local bundle=$1 id=$2
    shift 2
    command_of run --detach -b "$bundle" "$id"
    traced "$@"
    forget "$id"
}

# synthesise COUNT BUNDLE ID: that many records of stopped containers, many-0 and so on, which differ from that of a real
# one in nothing but the id. Prints nothing.
synthesise() {
    local number file content
    command_of create -b "$2" "$3"
    command_of kill "$3" KILL
    await has_status "$3" stopped
    (cd "$STATE" && seq -f 'many-%.0f' 0 $(($1 - 1)) | xargs mkdir -m 700)
    for file in "$STATE/$3"/*; do
        [ -f "$file" ] || continue
        content=$(<"$file")
        for ((number = 0; number < $1; number++)); do
            printf '%s\n' "${content//"$3"/many-$number}" >"$STATE/many-$number/${file##*/}"
        done
    done
    command_of delete "$3"
}
