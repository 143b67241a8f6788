# shellcheck shell=bash
# workloads.sh - sourced by bench: what is measured. Each function prints a part of the plan for measure.c, or a
# line of JSON {kind, scenario, subject, value}.
#
# Needs W, RUNTIMES (NAME=PATH...), ID (of the containers), FLOOR (the floor's binary), ARIL_INIT (that of the first runtime).

name_of() { echo "${1%%=*}"; }
path_of() { echo "${1#*=}"; }
state_of() { echo "$W/state/${1%%=*}"; }
rt_of() { echo "$(path_of "$1") --root $(state_of "$1")"; } # entry: the command line so far

# make_bundles: everything that is run below
make_bundles() {
    local feature filter
    bench_rootfs "$W/root" "$W/bin/probe"
    cp "$BENCH/view" "$W/root/bin/view"
    mkdir -p "$W/root/tmp" && (cd "$W/root/tmp" && seq -f 'volume%g' 0 31 | xargs mkdir && seq 0 999 | xargs mkdir)
    bench_bundle "$W/default" "$W/root"
    bench_bundle "$W/paused" "$W/root" "$PAUSED"
    bench_bundle "$W/podman" "$W/root" "$PODMAN"
    bench_bundle "$W/podman-paused" "$W/root" "$PODMAN" "$PAUSED"
    bench_bundle "$W/mounts-100" "$W/root" "$(many_mounts 100)"
    bench_bundle "$W/mounts-1000" "$W/root" "$(many_mounts 1000)"
    bench_bundle "$W/rules-1000" "$W/root" "$(many_rules 1000)"
    while IFS=^ read -r feature _ _ filter; do
        filter=${filter/INIT/"$ARIL_INIT"}
        [ "$filter" != SECCOMP ] || filter=$SECCOMP
        bench_bundle "$W/feature-$feature" "$W/root" "$filter"
    done < <(features)
    mkdir "$W/feature-overlay/merged"
    cp -al "$W/root" "$W/feature-overlay/image"
}

# ---- plans: a case of each runtime, in turn ---------------------------------------------------------------------

for_each() { # COMMAND WORD...: the command with each runtime's entry as its last word
    local entry
    # shellcheck disable=SC2153 # bench sets it
    for entry in "${RUNTIMES[@]}"; do "$@" "$entry"; done
}

plan_run() { # scenario bundle
    for_each case_run "$1" "$2"
    printf 'case %s floor\ntimed %s %s /bin/true\n' "$1" "$FLOOR" "$2/recipe"
    if command -v bwrap >/dev/null; then case_bwrap "$1"; fi
}

case_run() { # scenario bundle entry
    printf 'case %s %s\ntimed %s run -b %s %s\n' "$1" "$(name_of "$3")" "$(rt_of "$3")" "$2" "$ID"
}

# bubblewrap knows no cgroups, masks or profiles: what it can do of the same
case_bwrap() { # scenario
    local mounts=
    case $1 in
    run) ;;
    mounts-*) mounts=$(seq -f "--ro-bind $W/root.volumes /tmp/%g" 0 $((${1#mounts-} - 1)) | tr '\n' ' ') ;;
    *) return 0 ;;
    esac
    [ ${#mounts} -lt 10000 ] || return 0 # more words than measure takes
    echo "case $1 bwrap"
    echo "timed $(command -v bwrap) --unshare-pid --unshare-net --unshare-ipc --unshare-uts --unshare-cgroup --hostname bench" \
        "--ro-bind $W/root / --proc /proc --dev /dev --mqueue /dev/mqueue --ro-bind /sys /sys --tmpfs /sys/firmware" \
        "--cap-drop ALL --chdir / $mounts /bin/true"
}

case_cold() { # scenario bundle entry: no cache of compiled profiles, wherever below --root it is
    local cold
    cold=$(state_of "$3")-cold
    cat <<END
case $1 $(name_of "$3")
before $(command -v rm) -rf $cold
timed $(path_of "$3") --root $cold run -b $2 $ID
END
}

plan_commands() {
    for_each case_create create
    for_each case_start start
    for_each case_delete delete
    for_each case_beside exec "exec $ID /bin/true"
    for_each case_beside state "state $ID"
    for_each case_beside kill "kill $ID KILL"
    for_each case_version
}

case_create() { # scenario entry
    local rt
    rt=$(rt_of "$2")
    cat <<END
case $1 $(name_of "$2")
timed $rt create -b $W/paused $ID
after $rt delete --force $ID
END
}

case_start() { # scenario entry
    local rt
    rt=$(rt_of "$2")
    cat <<END
case $1 $(name_of "$2") settle
before $rt create -b $W/default $ID
timed $rt start $ID
after $rt delete $ID
END
}

case_delete() { # scenario entry
    local rt
    rt=$(rt_of "$2")
    cat <<END
case $1 $(name_of "$2") ended
before $rt create -b $W/default $ID
before $rt start $ID
timed $rt delete $ID
END
}

case_beside() { # scenario words entry: a command on a container that runs
    local rt
    rt=$(rt_of "$3")
    cat <<END
case $1 $(name_of "$3")
before $rt run --detach -b $W/paused $ID
timed $rt $2
after $rt delete --force $ID
END
}

case_version() { # entry
    printf 'case version %s\ntimed %s --version\n' "$(name_of "$1")" "$(path_of "$1")"
}

case_parallel() { # entry: 50 creates at once
    local rt
    rt=$(rt_of "$1")
    cat <<END
case parallel-50 $(name_of "$1") parallel=50
timed $rt create -b $W/paused $ID-%
after $rt delete --force $ID-%
END
}

# ---- many containers --------------------------------------------------------------------------------------------

# plan_list COUNT: with that many records of containers, which are made first
plan_list() {
    local entry
    for entry in "${RUNTIMES[@]}"; do
        (RUNTIME=$(path_of "$entry") STATE=$(state_of "$entry")-many; synthesise "$1" "$W/paused" "$ID")
        printf 'case list %s\ntimed %s --root %s-many list\n' "$(name_of "$entry")" "$(path_of "$entry")" "$(state_of "$entry")"
    done
}

# live COUNT ROUNDS: commands beside that many containers of the same runtime that are alive
live() {
    local entry name rt number start
    for entry in "${RUNTIMES[@]}"; do
        name=$(name_of "$entry") rt=$(rt_of "$entry") start=$EPOCHREALTIME
        for ((number = 0; number < $1; number++)); do
            $rt run --detach -b "$W/paused" "$ID-live-$number" >"$W/said" 2>&1 </dev/null ||
                { echo "bench: container $number of $name: $(tail -n 1 "$W/said")" >&2; return 1; }
        done
        fact live-ms "$name" "$(awk -v a="$start" -v b="$EPOCHREALTIME" -v n="$1" 'BEGIN { print (b - a) * 1000 / n }')"
        fact live-processes "$name" "$(cat /proc/[0-9]*/comm 2>/dev/null | grep -cx "$name" || true)"
        plan_live "$entry" | "$W/bin/measure" "$2"
        fact live-state-syscalls "$name" "$(RUNTIME=$(path_of "$entry") STATE=$(state_of "$entry") least traced state "$ID-live-1")"
        for ((number = 0; number < $1; number++)); do $rt delete --force "$ID-live-$number" >/dev/null; done
    done
}

plan_live() { # entry
    case_run live-run "$W/default" "$1"
    case_create live-create "$1"
    case_delete live-delete "$1"
    case_beside live-state "state $ID" "$1"
}

# the process that waits for a container in the foreground
monitors() {
    local entry pid name
    for entry in "${RUNTIMES[@]}"; do
        name=$(name_of "$entry")
        "$(path_of "$entry")" --root "$(state_of "$entry")" run -b "$W/paused" "$ID" >/dev/null 2>&1 </dev/null &
        pid=$!
        (RUNTIME=$(path_of "$entry") STATE=$(state_of "$entry"); await has_status "$ID" running)
        sleep 0.2
        fact monitor-rss "$name" "$(awk '$1 == "Rss:" { print $2 }' "/proc/$pid/smaps_rollup")"
        fact monitor-own "$name" "$(awk '$1 == "Anonymous:" { print $2 }' "/proc/$pid/smaps_rollup")"
        (RUNTIME=$(path_of "$entry") STATE=$(state_of "$entry"); forget "$ID") # or run, which waits for it, does
        wait $pid || true
    done
}

fact() { # kind subject value
    [ -n "$3" ] || { echo "bench: $1 of $2 could not be counted" >&2; return 1; }
    printf '{"fact":"%s","subject":"%s","value":%s}\n' "$1" "$2" "$3"
}

# ---- where the time goes --------------------------------------------------------------------------------------

# account ROUNDS: of `run`, by samples that perf takes. A high rate would measure perf.
account() {
    local entry name
    for entry in "${RUNTIMES[@]}" floor=; do
        name=$(name_of "$entry")
        if [ "$name" = floor ]; then
            printf 'case run floor\ntimed %s %s /bin/true\n' "$FLOOR" "$W/default/recipe"
        else
            case_run run "$W/default" "$entry"
        fi >"$W/plan"
        perf record -q -F 5000 -e cpu-clock -g -o "$W/perf.data" "$W/bin/measure" "$1" <"$W/plan" >/dev/null
        perf script -i "$W/perf.data" -F comm,ip,sym 2>/dev/null | "$BENCH/account" "$name"
    done
}

# ---- counts -----------------------------------------------------------------------------------------------------

system_calls() {
    local entry name
    for entry in "${RUNTIMES[@]}"; do
        (
            # shellcheck disable=SC2034 # for trace.sh
            RUNTIME=$(path_of "$entry") STATE=$(state_of "$entry") name=$(name_of "$entry")
            fact syscalls-run "$name" "$(least traced run -b "$W/default" "$ID")"
            fact syscalls-podman "$name" "$(least traced run -b "$W/podman" "$ID")"
            fact syscalls-create "$name" "$(least traced_create "$W/paused" "$ID")"
            fact syscalls-start "$name" "$(least traced_start "$W/default" "$ID")"
            fact syscalls-delete "$name" "$(least traced_delete "$W/default" "$ID")"
            fact syscalls-kill "$name" "$(least traced_kill "$W/paused" "$ID")"
            fact syscalls-exec "$name" "$(least traced_beside "$W/paused" "$ID" exec "$ID" /bin/true)"
            fact syscalls-state "$name" "$(least traced_beside "$W/paused" "$ID" state "$ID")"
            fact syscalls-version "$name" "$(least traced --version)"
        )
    done
    strace -f -c -o "$W/strace" "$FLOOR" "$W/default/recipe" /bin/true
    fact syscalls-run floor "$(total "$W/strace")"
    strace -f -c -o "$W/strace" "$FLOOR" "$W/podman/recipe" /bin/true
    fact syscalls-podman floor "$(total "$W/strace")"
}

sizes() {
    local entry
    for entry in "${RUNTIMES[@]}"; do
        strip -o "$W/stripped" "$(path_of "$entry")"
        fact bytes "$(name_of "$entry")" "$(stat -c %s "$W/stripped")"
    done
}

# ---- what each feature costs, of aril alone -----------------------------------------------------------------------

# name ^ global option ^ option of measure ^ jq filter; SECCOMP and INIT are replaced
features() {
    cat <<'END'
none^^^.
no-cgroup^--cgroup-manager=disabled^^.linux.resources = null
no-network^^^.linux.namespaces |= map(select(.type != "network"))
cgroup-limits^^^.linux.resources += {memory: {limit: 268435456}, pids: {limit: 100}, cpu: {shares: 512, quota: 50000, period: 100000}}
user-namespace^^^.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 0, size: 65536}] | .linux.gidMappings = .linux.uidMappings
seccomp^^^SECCOMP
landlock^^^.annotations["dev.aril.landlock"] = "{\"writable_roots\":[\"/tmp\"]}"
strict^--profile=strict^^.
overlay^^^.root.path = "merged" | .annotations["dev.aril.rootfs.lower"] = "[\"image\"]"
terminal^^tty^.process.terminal = true
init^^^.mounts += [{destination: "/dev/init", type: "bind", source: "INIT", options: ["bind", "ro"]}] | .process.args = ["/dev/init", "--"] + .process.args
hook^^^.hooks.createRuntime = [{path: "/bin/true"}]
sysctl^^^.linux.sysctl = {"net.ipv4.ip_unprivileged_port_start": "0"}
END
}

plan_features() { # entry
    local name option options
    while IFS=^ read -r name option options _; do
        printf 'case feature %s %s\ntimed %s %s run -b %s %s\n' "$name" "$options" "$(rt_of "$1")" "$option" "$W/feature-$name" "$ID"
    done < <(features)
}
