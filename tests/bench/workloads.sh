# shellcheck shell=bash
# workloads.sh - sourced by bench: what is measured. Each function prints a part of the plan for measure.c, or a
# line of JSON {kind, scenario, subject, value}.
#
# Needs W, RUNTIMES (NAME=PATH...), FLOOR (the floor's binary), ARIL_INIT (that of the first runtime).

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

# ---- each command, for every runtime ----------------------------------------------------------------------------

plan_run() { # scenario bundle [measure's options]
    local entry
    for entry in "${RUNTIMES[@]}"; do
        printf 'case %s %s %s\ntimed %s run -b %s bench\n' "$1" "$(name_of "$entry")" "${3:-}" "$(rt_of "$entry")" "$2"
    done
    [ -e "$2/recipe" ] && printf 'case %s floor %s\ntimed %s %s /bin/true\n' "$1" "${3:-}" "$FLOOR" "$2/recipe"
    if command -v bwrap >/dev/null; then plan_bwrap "$1" "${3:-}"; fi
}

# bubblewrap knows no cgroups, masks or profiles: what it can do of the same
plan_bwrap() { # scenario options
    local mounts=
    case $1 in
    run) ;;
    mounts-*) mounts=$(seq -f "--ro-bind $W/root.volumes /tmp/%g" 0 $((${1#mounts-} - 1)) | tr '\n' ' ') ;;
    *) return 0 ;;
    esac
    [ ${#mounts} -lt 10000 ] || return 0
    printf 'case %s bwrap %s\n' "$1" "$2"
    printf 'timed %s --unshare-pid --unshare-net --unshare-ipc --unshare-uts --unshare-cgroup --hostname bench --ro-bind %s / --proc /proc --dev /dev --mqueue /dev/mqueue --ro-bind /sys /sys --tmpfs /sys/firmware --cap-drop ALL --chdir / %s /bin/true\n' \
        "$(command -v bwrap)" "$W/root" "$mounts"
}

plan_cold() { # scenario bundle: no cache of compiled profiles, wherever below --root it is
    local entry
    for entry in "${RUNTIMES[@]}"; do
        printf 'case %s %s\nbefore %s -rf %s-cold\ntimed %s --root %s-cold run -b %s bench\n' "$1" "$(name_of "$entry")" \
            "$(command -v rm)" "$(state_of "$entry")" "$(path_of "$entry")" "$(state_of "$entry")" "$2"
    done
}

plan_commands() {
    local entry rt name
    for entry in "${RUNTIMES[@]}"; do
        rt=$(rt_of "$entry") name=$(name_of "$entry")
        printf 'case create %s\ntimed %s create -b %s bench\nafter %s delete --force bench\n' "$name" "$rt" "$W/paused" "$rt"
    done
    for entry in "${RUNTIMES[@]}"; do
        rt=$(rt_of "$entry") name=$(name_of "$entry")
        printf 'case start %s settle\nbefore %s create -b %s bench\ntimed %s start bench\nafter %s delete bench\n' \
            "$name" "$rt" "$W/default" "$rt" "$rt"
    done
    for entry in "${RUNTIMES[@]}"; do
        rt=$(rt_of "$entry") name=$(name_of "$entry")
        printf 'case delete %s ended\nbefore %s create -b %s bench\nbefore %s start bench\ntimed %s delete bench\n' \
            "$name" "$rt" "$W/default" "$rt" "$rt"
    done
    plan_beside exec exec bench /bin/true
    plan_beside state state bench
    plan_beside kill kill bench KILL
    for entry in "${RUNTIMES[@]}"; do
        printf 'case version %s\ntimed %s --version\n' "$(name_of "$entry")" "$(path_of "$entry")"
    done
}

plan_beside() { # scenario command...: on a container that runs
    local scenario=$1 entry rt
    shift
    for entry in "${RUNTIMES[@]}"; do
        rt=$(rt_of "$entry")
        printf 'case %s %s\nbefore %s run --detach -b %s bench\ntimed %s %s\nafter %s delete --force bench\n' \
            "$scenario" "$(name_of "$entry")" "$rt" "$W/paused" "$rt" "$*" "$rt"
    done
}

plan_parallel() { # 50 creates at once
    local entry rt
    for entry in "${RUNTIMES[@]}"; do
        rt=$(rt_of "$entry")
        printf 'case parallel-50 %s parallel=50\ntimed %s create -b %s bench-%%\nafter %s delete --force bench-%%\n' \
            "$(name_of "$entry")" "$rt" "$W/paused" "$rt"
    done
}

# ---- many containers --------------------------------------------------------------------------------------------

plan_list() { # count: with that many records of containers, which are made first
    local entry
    for entry in "${RUNTIMES[@]}"; do
        (RUNTIME=$(path_of "$entry") STATE=$(state_of "$entry")-many; synthesise "$1" "$W/paused" bench) || return
        printf 'case list %s\ntimed %s --root %s-many list\n' "$(name_of "$entry")" \
            "$(path_of "$entry")" "$(state_of "$entry")"
    done
}

# live COUNT: that many containers of the first runtime and of each other one in turn, alive
live() {
    local entry rt number start
    for entry in "${RUNTIMES[@]}"; do
        rt=$(rt_of "$entry")
        start=$EPOCHREALTIME
        for ((number = 0; number < $1; number++)); do
            $rt run --detach -b "$W/paused" "live-$number" >/dev/null 2>&1 </dev/null || break
        done
        fact live-made "$(name_of "$entry")" "$number"
        fact live-ms "$(name_of "$entry")" "$(awk -v a="$start" -v b="$EPOCHREALTIME" -v n="$number" 'BEGIN { print (b - a) * 1000 / n }')"
        fact live-processes "$(name_of "$entry")" "$(cat /proc/[0-9]*/comm 2>/dev/null | grep -cx "$(name_of "$entry")")"
        printf 'case live-state %s\ntimed %s state live-1\ncase live-list %s rounds=5\ntimed %s list\n' \
            "$(name_of "$entry")" "$rt" "$(name_of "$entry")" "$rt" | "$W/bin/measure" 20 2>/dev/null
        fact live-state-syscalls "$(name_of "$entry")" "$(RUNTIME=$(path_of "$entry") STATE=$(state_of "$entry") traced state live-1)"
        while [ $number -gt 0 ]; do
            number=$((number - 1))
            $rt delete --force "live-$number" >/dev/null 2>&1 || true
        done
    done
}

# the process that waits for a container in the foreground
monitors() {
    local entry pid name
    for entry in "${RUNTIMES[@]}"; do
        name=$(name_of "$entry")
        "$(path_of "$entry")" --root "$(state_of "$entry")" run -b "$W/paused" bench >/dev/null 2>&1 </dev/null &
        pid=$!
        (RUNTIME=$(path_of "$entry") STATE=$(state_of "$entry"); await has_status bench running)
        sleep 0.2
        fact monitor-rss "$name" "$(awk '$1 == "Rss:" { print $2 }' "/proc/$pid/smaps_rollup")"
        fact monitor-own "$name" "$(awk '$1 == "Anonymous:" { print $2 }' "/proc/$pid/smaps_rollup")"
        (RUNTIME=$(path_of "$entry") STATE=$(state_of "$entry"); forget bench) # or run, which waits for it, does
        wait $pid || true
    done
}

fact() { # kind subject value
    [ -z "$3" ] || printf '{"fact":"%s","subject":"%s","value":%s}\n' "$1" "$2" "$3"
}

# ---- where the time goes --------------------------------------------------------------------------------------

# account ROUNDS: of `run`, by samples that perf takes. A high rate would measure perf.
account() {
    local entry name
    command -v perf >/dev/null || { echo "bench: perf is missing (apt-get install linux-perf)" >&2; return 1; }
    for entry in "${RUNTIMES[@]}" floor=; do
        name=$(name_of "$entry")
        if [ "$name" = floor ]; then
            printf 'case run floor\ntimed %s %s /bin/true\n' "$FLOOR" "$W/default/recipe"
        else
            printf 'case run %s\ntimed %s run -b %s bench\n' "$name" "$(rt_of "$entry")" "$W/default"
        fi >"$W/plan"
        perf record -q -F 5000 -e cpu-clock -g -o "$W/perf.data" "$W/bin/measure" "$1" <"$W/plan" >/dev/null 2>&1 || return
        perf script -i "$W/perf.data" -F comm,ip,sym 2>/dev/null | "$BENCH/account" "$name" || return
    done
}

# ---- counts -----------------------------------------------------------------------------------------------------

system_calls() {
    local entry name
    for entry in "${RUNTIMES[@]}"; do
        (
            # shellcheck disable=SC2034 # for trace.sh
            RUNTIME=$(path_of "$entry") STATE=$(state_of "$entry") name=$(name_of "$entry")
            fact syscalls-run "$name" "$(traced run -b "$W/default" bench)"
            fact syscalls-podman "$name" "$(traced run -b "$W/podman" bench)"
            fact syscalls-create "$name" "$(traced_create "$W/paused" bench)"
            fact syscalls-start "$name" "$(traced_start "$W/default" bench)"
            fact syscalls-delete "$name" "$(traced_delete "$W/default" bench)"
            fact syscalls-kill "$name" "$(traced_kill "$W/paused" bench)"
            fact syscalls-exec "$name" "$(traced_beside "$W/paused" bench exec bench /bin/true)"
            fact syscalls-state "$name" "$(traced_beside "$W/paused" bench state bench)"
            fact syscalls-version "$name" "$(traced --version)"
        ) || return
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
        printf 'case feature %s %s\ntimed %s %s run -b %s bench\n' "$name" "$options" "$(rt_of "$1")" "$option" "$W/feature-$name"
    done < <(features)
}
