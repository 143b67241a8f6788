# shellcheck shell=bash
# recipe.sh - sourced: writes from a bundle the recipe by which floor.c makes the same container.
#
#   floor_recipe BUNDLE ID [FILTER]    FILTER is a BPF program, which filter_of took from a container of this bundle
#
# It knows what the measured bundles use, no more. What this kernel does not have is left out here, so that the floor
# does not even ask for it.

CLONE_FLAGS=$((0x00020000 | 0x04000000 | 0x08000000 | 0x20000000 | 0x40000000)) # mount, uts, ipc, pid, network
CLONE_NEWCGROUP=$((0x02000000))
MS_RDONLY=1 MS_REMOUNT=32 MS_BIND=4096 MS_REC=16384 MS_PRIVATE=$((1 << 18))
NOT_CHANGED=$((2 | 4 | 8 | 1 << 21)) # nosuid, nodev, noexec, relatime

# line WORD...: one line of the recipe
line() {
    local IFS=$'\t'
    echo "$*"
}

floor_recipe() { # bundle id [filter]
    local config=$1/config.json
    [ -z "${3:-}" ] || line filter "$3"
    recipe_cgroups "$config" "$2"
    line clone $CLONE_FLAGS
    recipe_join "$2"
    line session
    line keyring "_ses.$2"
    ! jq -e '.linux.namespaces | any(.type == "cgroup")' "$config" >/dev/null || line unshare $CLONE_NEWCGROUP
    line loopback
    line mount "" / "" $((MS_REC | MS_PRIVATE))
    line mount "$(jq -r .root.path "$config")" "$(jq -r .root.path "$config")" "" $((MS_BIND | MS_REC))
    line chdir "$(jq -r .root.path "$config")"
    recipe_mounts "$config"
    recipe_devices
    recipe_masks "$config"
    line pivot
    ! jq -e .root.readonly "$config" >/dev/null || line mount "" / "" $((MS_BIND | MS_REMOUNT | MS_RDONLY | 1 << 21))
    line hostname "$(jq -r .hostname "$config")"
    recipe_process "$config"
    [ -z "${3:-}" ] || line seccomp
}

# HIERARCHIES: the directories where a container's cgroup is made
hierarchies() {
    if grep -q ' /sys/fs/cgroup cgroup2 ' /proc/mounts; then
        echo /sys/fs/cgroup
    else
        awk '$3 == "cgroup" { print $2 }' /proc/mounts
    fi
}

recipe_cgroups() { # config id
    local hierarchy file
    while read -r hierarchy; do
        line mkdir "$hierarchy/$2"
        case $hierarchy in
        */cpuset)
            for file in cpuset.cpus cpuset.mems; do line write "$hierarchy/$2/$file" "$(cat "$hierarchy/$file")"; done
            ;;
        */devices)
            line write "$hierarchy/$2/devices.deny" a
            line write "$hierarchy/$2/devices.allow" 'c *:* m' 'b *:* m' 'c 1:3 rwm' 'c 1:5 rwm' 'c 1:7 rwm' \
                'c 1:8 rwm' 'c 1:9 rwm' 'c 5:0 rwm' 'c 5:2 rwm' 'c 136:* rwm' 'c 10:200 rwm'
            ;;
        */pids)
            jq -r --arg f "$hierarchy/$2/pids.max" '.linux.resources.pids.limit | values | ["write", $f, .] | @tsv' "$1"
            ;;
        esac
    done < <(hierarchies)
}

# On version 1 by tasks: a thread that moves itself takes no lock, a process takes one that can wait for all processors.
recipe_join() { # id
    local hierarchy file=tasks
    [ -e "$(hierarchies | sed -n 1p)/tasks" ] || file=cgroup.procs
    while read -r hierarchy; do line write "$hierarchy/$1/$file" 0; done < <(hierarchies)
}

recipe_mounts() { # config
    local destination type source flags data
    while IFS=$'\t' read -r destination type source flags data; do
        # empty columns are written as -
        [ "$data" != - ] || data=
        case $destination in /dev/*) line mkdir ".$destination" ;; esac
        if [ "$type" = cgroup ]; then
            recipe_cgroup_mount ".$destination" "$flags"
        elif [ "$type" = bind ]; then
            line mount "$source" ".$destination" "" $MS_BIND
            [ "$flags" = 0 ] || line mount "" ".$destination" "" $((MS_BIND | MS_REMOUNT | flags | 1 << 21))
        else
            line mount "$source" ".$destination" "$type" "$flags" "$data"
        fi
    done < <(jq -r '
        {ro: 1, nosuid: 2, nodev: 4, noexec: 8, relatime: 2097152, strictatime: 16777216, bind: 0, rprivate: 0} as $flags
        | .mounts[] | (.options // []) as $options
        | [.destination, .type, .source, ([$options[] | $flags[.] // 0] | add // 0),
           ([$options[] | select($flags[.] == null)] | join(",") | if . == "" then "-" else . end)] | @tsv' "$1")
}

recipe_cgroup_mount() { # target flags
    local hierarchy name options
    if grep -q ' /sys/fs/cgroup cgroup2 ' /proc/mounts; then
        line mount cgroup "$1" cgroup2 "$2"
        return
    fi
    line mount cgroup "$1" tmpfs $((NOT_CHANGED & $2)) mode=0755
    while read -r hierarchy; do
        name=${hierarchy##*/} options=${hierarchy##*/}
        [ "$name" != systemd ] || options=none,name=systemd
        line mkdir "$1/$name"
        line mount cgroup "$1/$name" cgroup "$2" "$options"
    done < <(hierarchies)
    line mount "" "$1" "" $((MS_BIND | MS_REMOUNT | $2))
}

recipe_devices() {
    local node
    line umask 0
    for node in "null 1 3" "zero 1 5" "full 1 7" "tty 5 0" "random 1 8" "urandom 1 9"; do
        # shellcheck disable=SC2086 # three words
        line node dev/${node// /$'\t'}
    done
    line umask 022
    line link pts/ptmx dev/ptmx
    line link /proc/self/fd dev/fd
    line link /proc/self/fd/0 dev/stdin
    line link /proc/self/fd/1 dev/stdout
    line link /proc/self/fd/2 dev/stderr
    [ ! -e /proc/kcore ] || line link /proc/kcore dev/core
}

recipe_masks() { # config
    local path first=
    while read -r path; do
        [ -e "$path" ] || continue
        line mount ".$path" ".$path" "" $((MS_BIND | MS_REC))
        line mount "" ".$path" "" $((MS_BIND | MS_REMOUNT | MS_RDONLY | 1 << 21))
    done < <(jq -r '.linux.readonlyPaths[]' "$1")
    while read -r path; do
        if [ -d "$path" ] && [ -z "$first" ]; then
            first=.$path
            line mount tmpfs "$first" tmpfs $((MS_RDONLY | 2 | 4 | 8)) mode=555
        elif [ -d "$path" ]; then
            line mount "$first" ".$path" "" $MS_BIND
        elif [ -e "$path" ]; then
            line mount /dev/null ".$path" "" $MS_BIND
            line mount "" ".$path" "" $((MS_BIND | MS_REMOUNT | MS_RDONLY | 2 | 8 | 1 << 21))
        fi
    done < <(jq -r '.linux.maskedPaths[]' "$1")
}

recipe_process() { # config
    jq -r '.process.rlimits[] | select(.type == "RLIMIT_NOFILE") | ["rlimit", 7, .soft, .hard] | @tsv' "$1"
    jq -r --arg last "$(cat /proc/sys/kernel/cap_last_cap)" '
        ["CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
         "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
         "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
         "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP"] as $names
        | [.process.capabilities.bounding[] | sub("CAP_"; "") as $name | $names | index($name) | pow(2; .)]
        | ["capabilities", add, $last] | @tsv' "$1"
    ! jq -e .process.noNewPrivileges "$1" >/dev/null || line no_new_privileges
    jq -r '.process.env[] | ["env", .] | @tsv' "$1"
    jq -e '.process.env | any(startswith("HOME="))' "$1" >/dev/null || line env HOME=/
}
