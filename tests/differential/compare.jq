# ---- facts -----------------------------------------------------------------------------------------------------

# facts: a report of tests/integration/probe.c as an object of facts: {"uid": "0,0,0,0", "mount /proc: options": "rw", …}.
# What differs from run to run and means nothing (inode numbers, ids of peer groups) is replaced by its meaning.
# $work, $bundle, $id: the scratch folder, the bundle and the container; $namespaces: {"host": {…}, "joined": {…}}, their links; $uptime.
# A runtime that refuses has no report, but {"outcome": "refuses"}.

def text: if type == "string" then . elif type == "array" then map(text) | join(",") else tojson end;

# the same for every run: the folder of the test, pipes and sockets without numbers
def place: gsub($bundle; "$B") | gsub($work; "$W") | gsub($id; "$ID") | sub("^(?<k>pipe|socket):.*"; "\(.k)");

def thousands: . / 1000 | round | if . == 0 then "0" else "\(.)000" end;

def namespace($kind; $link):
    if $link == "" then "none" elif $link == $namespaces.host[$kind] then "host"
    elif $link == $namespaces.joined[$kind] then "joined" else "own" end;

def flat($prefix): to_entries | map({key: "\($prefix)\(.key)", value: (.value | text)});

# shared:12 master:3 -> shared slave
def peers: gsub(":[0-9]+"; "") | gsub("master"; "slave") | gsub(" ?propagate_from"; "");

def mount_facts:
    group_by(.target)[] | to_entries[] | .key as $layer | .value |
    "mount \(.target | place)\(if $layer > 0 then "#\($layer + 1)" else "" end): " as $name |
    {key: "\($name)there", value: "yes"},
    {key: "\($name)type", value: .type},
    {key: "\($name)source", value: (.source | place)},
    {key: "\($name)root", value: (.root | place)},
    {key: "\($name)options", value: (.options | split(",") | sort | join(","))},
    {key: "\($name)propagation", value: (.propagation | peers)},
    {key: "\($name)super", value: (.super | split(",") | sort | join(",") | place)};

# one entry of several with the same name is what the program gets: the last is marked by its place in the list
def env_facts:
    (group_by(split("=")[0])[] | {key: "env \(.[0] | split("=")[0])", value: (map(sub("^[^=]*"; "")) | join(" ")) }),
    {key: "env order", value: (map(split("=")[0]) | join(" "))};

# what /proc tells changes, but for /proc/sys; a list of devices means the same in any order
def file_facts: to_entries[] | .key as $path | .value |
    if $path | test("^/proc/(?!sys/)") then del(.text)
    elif has("text") and ($path | endswith("devices.list")) then .text |= (split("\n") | sort | join("\n")) else . end | to_entries[] |
    {key: "file \($path): \(.key)", value: (.value | text | place)};

def facts: if .outcome then . else [
    (.fds[] | {key: "fd \(.fd)", value: "\(.target | place) flags \(.flags) mode \(.mode) uid \(.uid)"}),
    ({uid, gid, groups, dumpable, parent_death_signal, securebits, no_new_privileges, seccomp, seccomp_filters, cwd, umask, args,
      hostname, domainname, machine, personality, oom_score_adj, root_readonly, exe, uid_map, gid_map, setgroups, timens_offsets}
        | flat("")[]),
    {key: "pid", value: (if .pid == 1 then "1" else "other" end)},
    {key: "parent", value: (if .ppid == 0 then "none" else "some" end)},
    {key: "session leader", value: (.sid == .pid | text)},
    {key: "group leader", value: (.pgid == .pid | text)},
    {key: "controlling terminal", value: (.tty_nr != 0 | text)},
    (.capabilities | flat("capabilities ")[]),
    (.rlimits | to_entries[] | {key: .key, value: "\(.value.soft) \(.value.hard)"}),
    # not its size: the others set that when they get to it (tests/integration/terminal.sh looks at aril's)
    (.terminal | del(.rows, .columns) | flat("terminal ")[]),
    (.scheduling | flat("scheduling ")[]),
    (.signals | flat("signals ")[]),
    {key: "left behind", value: .left},
    {key: "keyring", value: (.keyring | place)},
    {key: "clock monotonic", value: (.monotonic - $uptime | thousands)},
    {key: "clock boottime", value: (.boottime - $uptime | thousands)},
    (.namespaces | to_entries[] | .key as $kind | {key: "namespace \($kind)", value: namespace($kind; .value)}),
    (.cgroup | split("\n")[] | split(":") | {key: "cgroup \(.[1])", value: (.[2] | place)}),
    (.mounts | mount_facts),
    (.env | env_facts),
    (.files | file_facts),
    (.calls | flat("call ")[])
] | from_entries | .outcome = "runs" end;

# ---- differences -------------------------------------------------------------------------------------------------

# From the three reports, of aril, crun and runc: a line for each fact in which aril differs from one of the others:
# field, aril's, crun's and runc's value, tab separated. "-" is a value that is not there, "=" one that is aril's, "~" one
# that cannot be compared: of a runtime that refused, or a part of a mount or file that is not there at all.

def is_presence: test("^mount .*: there$|^file .*: type$");
def missing_parts($a; $b): test("^(mount|file) .*: ") and (is_presence | not) and ($a == null or $b == null);

def shown: if . == null then "-" elif . == "" then "\"\"" else tojson[1:-1] end;

map(facts) | . as [$aril, $crun, $runc] |
[$crun, $runc] as $peers |
(map(keys_unsorted) | add | unique)[] as $field |
[$peers[] | . as $peer |
    if $field != "outcome" and ($aril.outcome != "runs" or $peer.outcome != "runs") then "~"
    elif ($field | missing_parts($aril[$field]; $peer[$field])) then "~"
    elif $peer[$field] == $aril[$field] then "="
    else ($peer[$field] | shown) end] as $values |
select($values | any(. != "=" and . != "~")) |
[$field, ($aril[$field] | shown), $values[]] | join("\t")
