#!/bin/bash
# The differential test: each config of the file `configs` is run by aril, crun and runc, and what the container sees
# is compared fact by fact. What aril does differently must be in the table of differences.md, with the reason; an
# entry that no longer occurs fails too.
#
#   ONLY='^differential: mount' tests/differential/differential.sh       some configs
#   SHOW=FILE …                                                           appends every difference to the file
. "$(dirname "$0")/../integration/lib.sh"

FOLDER=$SOURCE/tests/differential
PEERS="crun runc"
# the versions that differences.md speaks of
CRUN_VERSION='crun version 1.8.1' RUNC_VERSION='runc version 1.1.5'

# ---- set-up -------------------------------------------------------------------------------------------------------

# sets UNFIT to the reason why there is nothing to compare with
look_for_peers() {
    local version_of=("$CRUN_VERSION" "$RUNC_VERSION") peer version i=0
    UNFIT=
    for peer in $PEERS; do
        version=$("$peer" --version 2>/dev/null | head -n 1)
        [ -n "$version" ] || UNFIT="$peer is not installed"
        [[ "$version" == "${version_of[i]}"* ]] || UNFIT=${UNFIT:-"differences.md is about ${version_of[i]}, this is $version"}
        i=$((i + 1))
    done
    if [ "$KIND" != aril ]; then UNFIT="compares aril with others, not $KIND"; fi
    if [ $CGROUP_VERSION = 2 ]; then UNFIT="differences.md is about cgroup v1"; fi
}

make_small_rootfs() {
    local root=$W/rootfs
    mkdir -p "$root"/{bin,data/sub,dev,etc,home/user,proc,root,run,sys,tmp,var}
    chmod 1777 "$root/tmp"
    cp "$TEST_BIN/probe" "$root/bin/probe"
    printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home/user:/bin/sh\n' >"$root/etc/passwd"
    echo file >"$root/data/file"
    ln -s /data "$root/link"
    ln -s ../../../../../../../../tmp "$root/out"
}

# what bind mounts bring: a folder with a mount below it whose flags are set
make_source() {
    mkdir -p "$W/source"/{locked,dev,sub}
    echo source >"$W/source/file"
    mount -t tmpfs -o nosuid,nodev,noexec,mode=755 locked "$W/source/locked"
    echo locked >"$W/source/locked/file"
}

# crun changes the owner of the null device that it finds: let it find one of ours
own_null() {
    mkdir "$W/null"
    mount -t tmpfs -o mode=755 null "$W/null"
    mknod -m 666 "$W/null/null" c 1 3
    mount --bind "$W/null/null" /dev/null
}

# a process whose namespaces can be joined
make_namespaces() {
    unshare --net --ipc --uts --pid --fork --kill-child sh -c "echo up >$W/up; exec sleep 10000" </dev/null 2>/dev/null &
    wait_for 20 test -s "$W/up" || bail_out "unshare does not work here"
    HOLDER=$(cat /proc/$!/task/$!/children)
    HOLDER=${HOLDER% }
}

namespaces_of() { # pid
    local link
    for link in cgroup ipc mnt net pid time user uts; do
        printf '%s %s\n' $link "$(readlink "/proc/$1/ns/$link")"
    done | jq -Rn '[inputs | split(" ") | {key: .[0], value: .[1]}] | from_entries'
}

tap_setup() {
    look_for_peers
    command -v jq >/dev/null || bail_out "jq is missing"
    if [ -z "${TEST_BIN:-}" ]; then TEST_BIN=$W/helpers && mkdir "$TEST_BIN"; fi
    compile_helper probe
    mkdir -m 700 "$STATE" "$W/state.crun" "$W/state.runc"
    : >"$W/used"
    : >"$W/input"
    CONTAINER=$PREFIX-c
    [ -z "$UNFIT" ] || return 0
    renice -n 0 -p $$ >/dev/null # what the containers inherit
    hide_cgroup2
    make_small_rootfs
    make_source
    own_null
    make_namespaces
    NAMESPACES=$(jq -nc --argjson host "$(namespaces_of self)" --argjson joined "$(namespaces_of "$HOLDER")" '{$host, $joined}')
    make_configs
    listed >"$W/listed"
    echo "# $(basename "$0"): $RUNTIME, $(crun --version | head -n 1), $(runc --version | head -n 1), $(uname -r)"
    MOUNTS_BEFORE=$(cut -d' ' -f5- /proc/self/mountinfo)
}

# ---- one container --------------------------------------------------------------------------------------------------

# How a runtime is called: call_HOW PROGRAM-WITH-GLOBALS... runs the container $ID of $B, its output in $B/out.
in_sh() { # shell-script runtime...: what the script sets up for the runtime that it executes
    timeout -k 5 60 sh -c "$1"' exec "$@"' sh "${@:2}" run -b "$B" "$ID" >"$B/out"
}
call_-() { in_sh '' "$@"; }
call_groups() { timeout -k 5 60 setpriv --groups 5,77 "$@" run -b "$B" "$ID" >"$B/out"; }
call_umask() { in_sh 'umask 0077;' "$@"; }
call_oom() { in_sh 'echo 300 >/proc/self/oom_score_adj;' "$@"; }
call_fds() { in_sh 'exec 5<"$PWD" 6</dev/null;' "$@"; }
call_listen() { in_sh 'exec 3</dev/null; LISTEN_FDS=1 LISTEN_PID=$$; export LISTEN_FDS LISTEN_PID;' "$@"; }
call_signals() { timeout -k 5 60 env --ignore-signal=USR1 --block-signal=USR2 "$@" run -b "$B" "$ID" >"$B/out"; }
call_preserve() { timeout -k 5 60 "$@" run --preserve-fds 2 -b "$B" "$ID" >"$B/out" 3</dev/null 4</dev/zero 5</dev/null; }
call_keyring() { timeout -k 5 60 "$@" run --no-new-keyring -b "$B" "$ID" >"$B/out"; }
call_no-pivot() { timeout -k 5 60 "$@" run --no-pivot -b "$B" "$ID" >"$B/out"; }
call_pipes() { : | timeout -k 5 60 "$@" run -b "$B" "$ID" | cat >"$B/out"; }
call_terminal() {
    mkfifo "$B/in"
    exec 8<>"$B/in"
    {
        timeout -k 5 60 script -qec "stty rows 20 cols 100; $(printf '%q ' "$@" run -b "$B" "$ID")" /dev/null <&8
        echo script ended
    } >"$B/typescript" &
    wait_for 60 grep -qe '"calls".*}}' -e '^script ended' "$B/typescript" # then the program waits for a line
    echo >&8
    wait $!
    exec 8>&-
    tr -d '\r' <"$B/typescript" >"$B/out"
}

# report_of KIND HOW PROGRAM...: runs the container in a fresh bundle; $B.KIND is what it reported
report_of() {
    local kind=$1 how=$2 left
    shift 2
    rm -rf "$B"
    mkdir -p "$B/beside"
    cp -a "$W/rootfs" "$B/rootfs"
    cp "$W/configs/$TEST.json" "$B/config.json"
    chown 0:0 /dev/null # crun gives it away
    "call_$how" "$@" <"$W/input" 2>"$B/errors" || echo "status $?" >>"$B/errors"
    mv "$B/errors" "$B.$kind.errors"
    left=$(cgroups_left) || true # a cgroup of somebody else may vanish while find looks
    if grep -a '^{"fds"' "$B/out" >"$B.$kind"; then
        sed -i "1s|^{|{\"left\":\"${left//$'\n'/ }\",|" "$B.$kind"
    else
        echo '{"outcome": "refuses"}' >"$B.$kind"
    fi
    # what another runtime leaves must not be in the way of the next
    [ "$kind" = aril ] || [ -z "$left" ] || echo "$left" | xargs -r rmdir
}

# the configs, one a line: name, how and filter
config_lines() {
    awk '/^#/ || /^$/ { next } /^[^ ]/ { if (line != "") print line; line = $0; next } { sub(/^ +/, " "); line = line $0 }
        END { print line }' "$FOLDER/configs"
}

# makes $W/configs/NAME.json, all with one jq
make_configs() {
    local name how filter config
    mkdir "$W/configs"
    while read -r name how filter; do
        printf '("%s", ($base | %s)),\n' "$name" "$filter"
    done < <(config_lines) >"$W/filters"
    # shellcheck disable=SC2016 # jq's variables
    {
        echo '(.process.args = ["/bin/probe", "look", $ARGS.positional[]] | .linux.cgroupsPath = "/" + $id) as $base |'
        sed '$s/,$//' "$W/filters"
    } >"$W/program"
    # shellcheck disable=SC2046 # a list of paths
    jq -c --arg source "$W/source" --arg pid "$HOLDER" --arg id "$CONTAINER" -f "$W/program" "$SOURCE/tests/data/config.json" \
        --args $(sed 's/#.*//' "$FOLDER/paths") >"$W/all" || bail_out "a filter of $FOLDER/configs is wrong"
    while read -r name && read -r config; do
        name=${name#\"}
        echo "$config" >"$W/configs/${name%\"}.json"
    done <"$W/all"
}

# ---- the table ------------------------------------------------------------------------------------------------------

# The table's rows: config, field, aril's, crun's and runc's value, tab separated. `*` stands for anything.
listed() {
    awk -F ' *[|] *' -v OFS='\t' '/^\| / && $2 != "config" { print $2, $3, $4, $5, $6 }' "$FOLDER/differences.md" | tr -d '`'
}

# explain NAME: of the differences on stdin, prints those that no row of the table explains, and notes the rows that do
explain() {
    awk -F '\t' -v OFS='\t' -v name="$1" -v listed="$W/listed" -v used="$W/used" '
        function like(text, pattern) {
            if (text == "~" || pattern == "*" || pattern == text) return 1
            if (pattern !~ /\*/) return 0
            gsub(/[][\\.^$()+?{}|]/, "\\\\&", pattern)
            gsub(/\*/, ".*", pattern)
            return text ~ "^" pattern "$"
        }
        BEGIN {
            while ((getline <listed) > 0) {
                row[++rows] = $0
                config[rows] = $1; field[rows] = $2; aril[rows] = $3; crun[rows] = $4; runc[rows] = $5
            }
        }
        {
            for (i = 1; i <= rows; i++)
                if (like($1, field[i]) && like(name, config[i]) && like($2, aril[i]) && like($3, crun[i]) && like($4, runc[i])) {
                    print row[i] >>used
                    next
                }
            print "| " name " | " $1 " | " $2 " | " $3 " | " $4 " |"
        }'
}

# compare HOW: the body of a test, whose name is in TEST
compare() {
    local uptime unexplained
    [ -z "$UNFIT" ] || skip "$UNFIT"
    ID=$CONTAINER
    read -r uptime _ </proc/uptime
    report_of aril "$1" "$RUNTIME" --root "$STATE"
    report_of crun "$1" crun --root "$W/state.crun"
    report_of runc "$1" runc --root "$W/state.runc"
    jq -rs --arg work "$W" --arg bundle "$B" --arg id "$ID" --argjson namespaces "$NAMESPACES" --argjson uptime "$uptime" \
        -f "$FOLDER/compare.jq" "$B.aril" "$B.crun" "$B.runc" >"$B.differences"
    if [ -n "${SHOW:-}" ]; then sed "s/^/$TEST\t/" "$B.differences" >>"$SHOW"; fi
    unexplained=$(explain "$TEST" <"$B.differences")
    [ -z "$unexplained" ] || { printf 'not in differences.md:\n%s\n' "$unexplained"; tail -n 3 "$B".*.errors; return 1; }
}

# every row of the table still occurs
test_table_is_current() {
    [ -z "$UNFIT" ] || skip "$UNFIT"
    [ -z "${ONLY:-}${SKIP:-}" ] || skip "needs all configs"
    local stale
    stale=$(comm -23 <(sort -u "$W/listed") <(sort -u "$W/used"))
    [ -z "$stale" ] || { echo "in differences.md, but no such difference was seen:"; echo "$stale"; return 1; }
}

# a test function for each config
define_tests() {
    local name how
    while read -r name how _; do
        eval "test_$name() { TEST=$name; compare $how; }"
    done < <(config_lines)
}

# where tap.sh learns what tests there are
tap_list() {
    config_lines | awk '{ print "test_" $1 "\tdifferential: " $1 }'
    printf 'test_table_is_current\tdifferential: every row of differences.md still occurs\n'
}

tap_teardown() {
    cd / || exit
    each_after >/dev/null 2>&1
    [ -z "${HOLDER:-}" ] || kill -KILL "$HOLDER"
    if mountpoint -q "$W/null"; then umount /dev/null "$W/null" "$W/source/locked"; fi
    if [ -n "${KEEP:-}" ]; then echo "# kept $W"; else rm -rf --one-file-system "$W"; fi
}

define_tests
tap_main
