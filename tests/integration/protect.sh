#!/bin/bash
# protect.sh - guarded paths of containers: protected names, read-only and denied paths, patterns (M-1, M-3, M-4, M-5, L-4,
# P-4, P-5). The payload tries what an attacker would; afterwards the host's files must be what they were.

. "$(dirname "$0")/lib.sh"
[ "$KIND" = aril ] || bail_out "only aril has sandbox policies"

# volume [SCRIPT]: a bundle with the directory $V at /work, in which the script has run; the root file system is read-only
volume() {
    V=$B/volume
    bundle '.root.readonly = true'
    mkdir -p "$V" "$B/rootfs/work"
    (cd "$V" && sh -euc "${1:-:}")
    edit '.mounts += [{"destination": "/work", "type": "bind", "source": $v, "options": ["rbind", "rw"]}]' --arg v "$V"
}

annotate() { # NAME VALUE...
    while [ $# -gt 0 ]; do
        edit '.annotations["dev.aril." + $name] = $value' --arg name "$1" --arg value "$2"
        shift 2
    done
}

protected() { # [SCRIPT]
    volume "$@"
    annotate protect vcs
}

# content: all that is in the volume, with modes, contents and where links lead
content() {
    (cd "$V" && find . -printf '%p %m %l\n' | sort && find . -type f | sort | xargs -r md5sum)
}

# attacks SCRIPT: in the container, in /work; whatever it does, the volume must be the same afterwards
attacks() {
    local before
    before=$(content)
    capture shell "cd /work; $1"
    eq "$(content)" "$before"
}

# M-5: what is there cannot be changed, moved, replaced, linked or covered, neither by root nor in a user namespace of its own
test_M_5_existing() {
    protected 'mkdir -p .git/hooks .agents; echo config >.git/config; ln -s elsewhere .git/link'
    attacks 'echo x >.git/config; touch .git/hooks/new; chmod 777 .git; chown 1 .git/config; mv .git other; rm -rf .git .agents
        mkdir x && mv x .agents; rmdir x; ln .git/config hard; ln -sfn /tmp .git; true >.git/hooks/pre; mv .agents .git
        unshare -Ur sh -c "umount /work/.git; umount -l /work/.git; echo x >/work/.git/config"
        unshare -Urm sh -c "umount /work/.git; umount -l /work; mount -o remount,rw,bind /work/.git; echo x >/work/.git/config"
        cat .git/config; ls .git; true'
    eq "$OUT" "config
config
hooks
link"
    attacks 'mkdir .codex; touch .codex; ln -s real .codex; mv .git .codex; mkdir -p .codex/a; [ -d .codex ]'
    eq "$RC" 0
}

# M-5: names that are missing cannot be made, in whatever way, and nothing of ours stays when the container is gone
test_M_5_missing() {
    protected 'mkdir real; echo x >file'
    attacks 'for name in .git .codex .agents; do mkdir $name/x; touch $name/y; rmdir $name; mv $name $name.2; mv real $name; mv -T real $name
        ln -s real $name; ln -sfn real $name; rm -rf $name; cp file $name; done; true'
    up
    [ -d "$V/.git" ]
    rt delete --force "$ID"
    eq "$(ls -A "$V" | tr '\n' ' ')" "file real "
}

# M-5, P-5: the same for what exec starts
test_M_5_exec() {
    protected 'mkdir .git; echo c >.git/config'
    up
    capture rt exec --cap CAP_SYS_ADMIN "$ID" /bin/sh -c 'cd /work; echo x >.git/config; mkdir .codex/x; mv .git y; rmdir .agents; echo done'
    eq "$OUT" "done"
    rt delete --force "$ID"
    eq "$(cat "$V/.git/config")" c
    eq "$(ls -A "$V")" .git
}

# M-5: a link is covered itself, and what it leads to is read-only; on the host as in the container, existing or not
test_M_5_links() {
    protected "mkdir -p real deep/er; echo c >real/config; ln -s real .git; ln -s '$B/volume/deep/er' .codex; ln -s later/on .agents"
    attacks 'rm -f .git .codex .agents; mv .git x; ln -sfn /tmp .git; echo x >real/config; touch deep/er/x; mv real r; mv deep d
        mkdir -p later/on; mv deep/er deep/e; rm -rf later; ln -s /tmp later; mkdir .git; true'
    eq "$(ls -A "$V" | tr '\n' ' ')" ".agents .codex .git deep real "
}

# M-5: a link that leads out of the container's files is not followed there
test_M_5_link_out() {
    protected "ln -s '$W/outside' .git; ln -s ../../../../../../etc .codex"
    mkdir -p "$W/outside"
    attacks 'ls .git/; ls .codex/; rm .git; mkdir .codex/x; true'
    eq "$OUT" ""
    eq "$(ls -A "$W/outside")" ""
}

# gitdir TEXT [SCRIPT]: with a .git file of that text, what it names ("store" without a script) cannot be changed
gitdir() {
    protected "mkdir -p store/hooks other; echo c >store/config; printf '%s\n' '$1' >.git"
    attacks "echo 'gitdir: other' >.git; rm .git; mv .git x
        ${2-"echo x >store/config; touch store/hooks/x; mv store s; rm -rf store"}; true"
    rm -rf "$B"
}

# M-5: a .git file: the repository that it names is protected as well, by whatever path the host or the container knows it
test_M_5_gitdir() {
    gitdir "gitdir: store"
    gitdir "gitdir: ./other/../store"
    gitdir "gitdir: $B/volume/store"
    gitdir "gitdir: missing/store" "mkdir -p missing/store; touch missing"
    gitdir "gitdir: $B/volume/missing" "mkdir missing; mv other missing"
    gitdir "gitdir: /nowhere/at/all" true
    ln -s "$B/volume" "$W/way"
    gitdir "gitdir: $W/way/store"
    gitdir "gitdir: $W/way/new" "mkdir new"
    rm "$W/way"
}

# M-5: a worktree: its own directory and the repository that it shares; a submodule: its directory in the one above
test_M_5_worktree() {
    protected 'mkdir -p bare/worktrees/w bare/hooks w; echo c >bare/config; echo "gitdir: bare/worktrees/w" >.git; echo ../.. >bare/worktrees/w/commondir'
    attacks 'touch bare/hooks/x; echo x >bare/config; mv bare b; echo /tmp >bare/worktrees/w/commondir; true'
    rm -rf "$B"
    volume 'mkdir -p .git/modules/sub sub; echo c >.git/modules/sub/config; echo "gitdir: ../.git/modules/sub" >sub/.git'
    annotate protect vcs landlock '{"writable_roots": ["/work", "/work/sub"]}'
    attacks 'echo x >.git/modules/sub/config; echo x >sub/.git; rm sub/.git; mv sub s; true'
}

# M-5: what lies on the way to a protected path stays in its place, however deep it is
test_M_5_parents() {
    volume 'mkdir -p a/b/c other; echo c >a/b/c/file; echo f >plain'
    annotate protect '["a/b/c", "vcs", "plain/x"]'
    attacks 'mv a x; mv a/b x; mv a/b/c x; mkdir -p x/b/c; mv -T other a; rm plain; mv plain p; echo x >a/b/c/file; rm -rf a; rm -rf x; true'
    capture shell 'cd /work && touch a/new a/b/new && echo more >>plain && mkdir -p other/sub && rm a/new a/b/new'
    eq "$RC$ERR" 0
}

# M-5: a volume that lies in another one, and what is above it, stays in its place as well
test_M_5_nested_volumes() {
    protected 'mkdir -p x/y/sub; mkdir x/y/sub/.git; echo c >x/y/sub/.git/config'
    edit '.mounts += [{"destination": "/work/x/y/sub", "type": "bind", "source": ($v + "/x/y/sub"), "options": ["rbind", "rw"]}]' --arg v "$V"
    attacks 'mv x z; mv x/y x/z; mkdir -p x/y/sub/.git/a; echo e >x/y/sub/.git/config; mkdir x/y/sub/.codex/a; true'
    capture shell 'cd /work && touch new x/new x/y/new x/y/sub/new && rm new x/new x/y/new x/y/sub/new'
    eq "$RC$ERR" 0
}

# M-5: what the user has made meanwhile is never removed, and is an ordinary directory afterwards
test_M_5_user_keeps() {
    protected
    up
    echo mine >"$V/.git/mine"
    rmdir "$V/.agents" 2>/dev/null || rm -r "$V/.agents"
    mkdir "$V/.agents"
    rt delete --force "$ID"
    eq "$(cd "$V" && find . -printf '%p %m\n' | sort | tr '\n' ' ')" ". 755 ./.agents 755 ./.git 755 ./.git/mine 644 "
}

# M-5: containers and sandbox-exec that share a volume: the first to end takes nothing from the others, the last one cleans up
test_M_5_shared() {
    local second=$ID-b pid
    protected
    up
    rt create -b "$B" "$second" >"$B/out2" 2>&1 || { cat "$B/out2"; return 1; }
    rt start "$second"
    (cd "$V" && exec "$RUNTIME" sandbox-exec --rw . -- sh -c 'touch up; until [ -e go ]; do sleep 0.05; done; mkdir .git/x .codex/x; rmdir .git; mkdir .git; ls -A') >"$B/seen" 2>&1 &
    pid=$!
    wait_for 10 test -e "$V/up"
    rt delete --force "$ID"
    rt exec "$second" /bin/sh -c 'cd /work; mkdir .codex/x; rmdir .git; mkdir .git; true'
    [ -d "$V/.git" ]
    rt delete --force "$second"
    [ -d "$V/.git" ]
    touch "$V/go"
    wait $pid || true
    eq "$(grep -v : "$B/seen" | tr '\n' ' ')" ".agents .codex .git go up "
    eq "$(ls -A "$V" | tr '\n' ' ')" "go up "
}

# M-5: a runtime that is killed while it makes or removes placeholders leaves what `delete --force` removes: they are on record
test_M_5_killed() {
    local call when seen=0
    command -v strace >/dev/null || { skip "strace is missing"; return; }
    protected 'mkdir real'
    command_is /bin/sleep 1000
    for call in umask mkdirat; do
        for when in 1 2 3 4 5 6 7; do
            strace -o "$B/trace" -e trace=$call -e "inject=$call:signal=KILL:when=$when" \
                "$RUNTIME" --root "$STATE" create -b "$B" "$ID" >"$B/out" 2>&1 || seen=$((seen + $(find "$V" -maxdepth 1 -name '.[gca]*' | wc -l)))
            rt delete --force "$ID" >"$B/out" 2>&1 || { cat "$B/out"; return 1; }
            eq "$call $when: $(ls -A "$V")" "$call $when: real"
        done
    done
    [ $seen -ge 6 ] || { echo "no kill came in time: $seen placeholders were seen"; return 1; }
    for call in unlinkat flock; do
        for when in 1 2 3 4; do
            rt create -b "$B" "$ID" >"$B/out" 2>&1 || { cat "$B/out"; return 1; }
            strace -o "$B/trace" -e trace=$call -e "inject=$call:signal=KILL:when=$when" \
                "$RUNTIME" --root "$STATE" delete --force "$ID" >"$B/out" 2>&1 || true
            rt delete --force "$ID" >"$B/out" 2>&1 || { cat "$B/out"; return 1; }
            eq "$call $when: $(ls -A "$V")" "$call $when: real"
        done
    done
}

# M-5: `delete --force` removes placeholders also when the container's record is lost
test_M_5_lost_record() {
    protected
    created
    echo '{' >"$STATE/$ID/status.json"
    rt delete --force "$ID"
    eq "$(ls -A "$V")" ""
}

# P-4, M-5: what fails later takes the placeholders back; what changes between the look and the cover fails create
test_M_5_changed_meanwhile() {
    local script
    for script in 'echo "gitdir: other" >.git' 'rm .git; ln -s other .git' 'rm .codex; ln -s other .codex' 'rm .codex; mkdir .codex' \
        'rm -r .agents' 'rm -r .agents; ln -s other .agents'; do
        protected 'mkdir store other; echo "gitdir: store" >.git; ln -s store .codex'
        printf '#!/bin/sh\ncd %s && { %s; }\n' "$V" "$script" >"$B/hook"
        chmod 755 "$B/hook"
        edit '.hooks = {"createRuntime": [{"path": $hook}]}' --arg hook "$B/hook"
        fails rt create -b "$B" "$ID"
        has "$ERR" "dev.aril.protect (/work/."
        has "$ERR" "it is not what it was a moment ago"
        [ ! -d "$V/.agents" ] || [ -L "$V/.agents" ] || { echo "$script: a placeholder is left"; return 1; }
        rm -rf "$B"
    done
    protected
    command_is /nonexistent
    fails rt create -b "$B" "$ID"
    eq "$(ls -A "$V")" ""
}

# M-5: the root file system is protected like a volume when it can be written, and left alone when not
test_M_5_root() {
    bundle '.root.readonly = false'
    annotate protect vcs
    V=$B/rootfs
    capture shell 'mkdir /.git/x; rmdir /.git; touch /made; mkdir /.codex; true'
    [ -e "$B/rootfs/made" ]
    eq "$(ls -Ad "$B"/rootfs/.[a-z]* 2>/dev/null)" ""
    edit '.root.readonly = true'
    shell 'ls -Ad /.git 2>/dev/null; true'
    eq "$(ls -Ad "$B"/rootfs/.[a-z]* 2>/dev/null)" ""
}

# M-5: a tmpfs that is read-only stays so where a directory above it is kept in its place
test_M_5_read_only_tmpfs() {
    bundle '.root.readonly = false'
    mkdir -p "$B/rootfs/top/file"
    edit '.mounts += [{"destination": "/top/in", "type": "tmpfs", "source": "tmpfs", "options": ["ro"]}]'
    annotate readOnlySubpaths '["/top/file/x"]'
    capture shell 'touch /top/in/x; touch /top/y && echo y; mkdir -p /top/file/x/z; mv /top /t'
    eq "$OUT" y
    eq "$(find "$B/rootfs/top" | sort | tr '\n' ' ')" "$B/rootfs/top $B/rootfs/top/file $B/rootfs/top/in $B/rootfs/top/y "
}

# M-5: a volume with shifted ids, in which the runtime's own have no place
test_M_5_idmapped() {
    protected 'mkdir -p .git; echo c >.git/config'
    edit '.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}] |
        .linux.gidMappings = .linux.uidMappings | .mounts[-1].options += ["idmap"] |
        .mounts[-1].uidMappings = [{"containerID": 1000, "hostID": 100000, "size": 1}] | .mounts[-1].gidMappings = .mounts[-1].uidMappings'
    chown -R 1000:1000 "$V"
    chown 100000:100000 "$B/rootfs"
    chmod 755 "$B"
    command_is /bin/true
    capture rt run -b "$B" "$ID"
    [ "$RC" = 0 ] || { hasnt "$ERR" protect && skip "no idmapped mounts here: $ERR"; }
    attacks 'echo x >.git/config; mv .git x; mkdir .agents/x; rmdir .agents; mv .agents x; touch new && rm new && echo ok; true'
    eq "$OUT" ok
}

# M-5: in a user namespace, where the volume belongs to somebody else, and with ids of its own
test_M_5_user_namespace() {
    protected 'mkdir -p .git; echo c >.git/config; ln -s x .codex'
    chown -R 100000:100000 "$V" "$B/rootfs/work"
    edit '.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}] |
        .linux.gidMappings = .linux.uidMappings'
    chmod 755 "$B"
    attacks 'echo x >.git/config; mv .git x; rm .codex; mkdir .agents/x; rmdir .agents; mv .agents x; umount .git; touch new; rm new; true'
    hasnt "$ERR" "new"
}

# M-5: an ordinary user, who has no rights beyond the container's
test_M_5_rootless() {
    [ -n "${TEST_USER:-}" ] || TEST_USER=1234
    protected 'mkdir -p .git; echo c >.git/config'
    edit 'del(.linux.resources, .linux.cgroupsPath) | .linux.namespaces |= map(select(.type != "network")) | .linux.namespaces += [{"type": "user"}] |
        .mounts |= map(select(.type != "sysfs" and .type != "cgroup" and .type != "mqueue") | .options = (.options // []) - ["gid=5"])
        | .linux.uidMappings = [{"containerID": 0, "hostID": $id, "size": 1}] | .linux.gidMappings = .linux.uidMappings' --argjson id "$TEST_USER"
    command_is /bin/sh -c 'cd /work; echo x >.git/config; mkdir .codex/x; rmdir .codex; mv .git y; touch made; ls -A | tr "\n" " "'
    mkdir -p "$W/home/run"
    chown -R $TEST_USER "$W/home" "$B"
    capture as_user "${PLAIN:-$RUNTIME}" --root "$W/home/run/state" run -b "$B" "$ID"
    eq "$OUT" ".agents .codex .git made "
    eq "$(ls -A "$V" | tr '\n' ' ')" ".git made "
    eq "$(cat "$V/.git/config")" c
}

# M-5: a volume at two places, and a part of it at a third: all of them are protected
test_M_5_same_volume_twice() {
    protected 'mkdir -p .git part; echo c >.git/config'
    edit '.mounts += [{"destination": "/again", "type": "bind", "source": $v, "options": ["rbind", "rw"]},
        {"destination": "/part", "type": "bind", "source": ($v + "/part"), "options": ["rbind", "rw"]}]' --arg v "$V"
    mkdir "$B/rootfs/again" "$B/rootfs/part"
    attacks 'echo x >.git/config; echo x >/again/.git/config; mkdir /again/.codex/x /part/.git/x part/.git/x /again/part/.git/x
        rmdir /part/.git part/.git /again/part/.git /again/.codex; true'
}

# M-5, L-4: together with Landlock, whose rules allow all of the writable root
test_M_5_L_4_landlock() {
    volume 'mkdir .git; echo c >.git/config'
    annotate protect vcs landlock '{"writable_roots": ["/work"], "read_deny_paths": ["secret*"]}'
    echo s >"$V/secret1"
    attacks 'touch made && rm made && echo ok; echo x >.git/config; mkdir .codex/x; cat secret1; rm secret1; true'
    eq "$OUT" ok
}

# M-3, M-4: patterns and relative paths, below each writable mount; braces, hidden files, **
test_M_3_M_4_patterns() {
    volume 'mkdir -p src/gen keys .hidden; for f in src/a.c src/b.h src/c.o keys/k.pem keys/k.key .hidden/k.pem x1 xa; do echo $f >$f; done'
    annotate readOnlySubpaths '["src/*.{c,h}", "x[0-9]"]' readDenyPaths '["**/k.*", "/work/keys/nothing*"]'
    attacks 'for f in src/a.c src/b.h x1; do echo w >$f; rm -f $f; mv $f $f.2; done; mv src s; cat keys/*; rm keys/k.pem; true'
    eq "$OUT" ""
    capture shell 'cd /work; echo w >src/c.o; echo w >xa; cat .hidden/k.pem keys/k.key src/a.c'
    eq "$OUT" "src/a.c"
    eq "$(cat "$V/src/c.o" "$V/xa" | tr '\n' ' ')" "w w "
    capture rt --log-level warning run -b "$B" "$ID"
    has "$ERR" "/work/src/*.{c,h}: files that are created later will not be protected"
}

# M-3: the cap of a pattern, with its warning
test_M_3_cap() {
    volume "mkdir many few; touch few/1; seq -f many/file%05g ${LONG:+1000}1 | xargs touch"
    annotate readDenyPaths '["many/file0000[1-3]", "few/*"]'
    command_is /bin/true
    capture rt --log-level warning run -b "$B" "$ID"
    hasnt "$ERR" "more than"
    [ -n "${LONG:-}" ] || return 0 # ten thousand mounts take their time
    annotate readDenyPaths '["many/*"]'
    capture rt --log-level warning run -b "$B" "$ID"
    has "$ERR" "many/*: more than 10000 files match, only these are protected"
}

# M-3, M-4: links of a hostile image: a pattern finds nothing of the host through them, and covers nothing there
test_M_3_hostile_image() {
    volume 'ln -s / up; ln -s ../../../../../.. rel; ln -s /proc/self/fd fds; ln -s loop loop; ln -s /etc/passwd pw; ln -s secret s; echo t >secret'
    annotate readDenyPaths '["up/etc/passw*", "rel/etc/passw*", "fds/*", "*/loop*", "loop/x", "loop*", "pw*", "s"]'
    attacks 'cat s secret; cat pw; echo; cat /etc/passwd | head -n 1; true'
    eq "$OUT" ""
    grep -q ^root /etc/passwd
}

# M-4: a denied directory shows nothing and cannot be opened without privileges; a file is empty; missing ones cannot be made
test_M_4_denied() {
    volume 'mkdir -p dir/sub; echo s >dir/secret; echo f >file'
    annotate readDenyPaths '["dir", "/work/file", "later/on", "/etc/passwd", "/nowhere"]'
    attacks 'ls -A dir; cat file dir/secret; mkdir -p later/on; touch later dir/x; mv dir d; rm -rf dir file; wc -c </etc/passwd; true'
    eq "$OUT" 0
    edit '.process.user = {"uid": 1000, "gid": 1000} | .process.capabilities = {}'
    capture shell 'ls /work/dir; stat -c %a /work/dir'
    eq "$OUT" 0
    has "$ERR" "ermission denied"
}

# M-1: the most specific path wins: writable within denied, denied within read-only, read-only with all that is mounted in it
test_M_1_most_specific() {
    volume 'mkdir -p a/b ro/deep; echo s >a/s; echo o >ro/deep/f'
    mkdir -p "$B/inner" "$B/over"
    edit '.mounts += [{"destination": "/work/a/b", "type": "bind", "source": $i, "options": ["rbind", "rw"]},
        {"destination": "/work/ro/in", "type": "bind", "source": $o, "options": ["rbind", "rw"]}]' --arg i "$B/inner" --arg o "$B/over"
    mkdir "$V/ro/in"
    annotate readDenyPaths '["/work/a", "ro/deep"]' readOnlySubpaths '["/work/ro"]'
    attacks 'cat a/s ro/deep/f; ls a; touch a/x ro/x ro/deep/x; echo y >a/b/y; echo z >ro/in/z; mv a x; true'
    eq "$OUT" ""
    eq "$(cat "$B/inner/y" "$B/over/z" | tr '\n' ' ')" "y z "
}

# M-3, M-4: paths of the root file system, existing ones through links as the container sees them
test_M_3_M_4_root_paths() {
    bundle '.root.readonly = false'
    mkdir "$B/rootfs/data"
    echo d >"$B/rootfs/data/file"
    ln -s data "$B/rootfs/link"
    annotate readOnlySubpaths '["/link"]' readDenyPaths '["/etc/group"]'
    capture shell 'echo x >/data/file; rm /link; cat /etc/group /data/file'
    eq "$OUT" d
    [ -L "$B/rootfs/link" ]
}

# M-5, P-6: the operator's list holds for every container with a policy; `state` and `plan` say so
test_M_5_operator() {
    volume
    annotate umask 0022
    command_is /bin/sh -c 'cd /work; rmdir .git; mkdir .git mine/x; ls -A | tr "\n" " "'
    capture with_operator '{"protect": ["vcs", "mine"]}' "$RUNTIME" --root "$STATE" run -b "$B" "$ID"
    eq "$OUT" ".agents .codex .git mine "
    eq "$(ls -A "$V")" ""
    capture with_operator '{"protect": ["/mine"]}' "$RUNTIME" --root "$STATE" run -b "$B" "$ID"
    has "$ERR" "/etc/aril/sandbox.json: protect: '/mine' is neither vcs nor a relative path without patterns"
    annotate protect vcs
    rt plan -b "$B" | jq -e '.rootfs | map(select(.do == "guard")) | map([.path, .cover, .for]) |
        any(. == ["/work/.git", "read-only", "dev.aril.protect"])'
    up
    rt state "$ID" | jq -e '.annotations["dev.aril.layers"] | fromjson | .protect == "active"'
}

# P-4, M-5: what cannot be guarded fails create, by name, and leaves nothing
test_P_4_refused() {
    local before
    protected
    mount -t tmpfs -o ro tmpfs "$V"
    shell true # nobody can make anything there
    umount "$V"
    edit '.mounts += [{"destination": "/made", "type": "overlay", "source": "overlay",
        "options": ["lowerdir=" + $b + "/lower", "upperdir=" + $b + "/upper", "workdir=" + $b + "/over"]}]' --arg b "$B"
    mkdir "$B/lower" "$B/upper" "$B/over" "$B/rootfs/made"
    fails rt create -b "$B" "$ID"
    has "$ERR" "dev.aril.protect (/made/.git): is missing, and what keeps its place could not be removed later"
    eq "$(ls -A "$V" "$B/upper" | tr '\n' ' ')" "$B/upper:  $V: "
    edit 'del(.mounts[-1]) | .linux.namespaces |= map(select(.type != "mount"))'
    fails rt create -b "$B" "$ID"
    has "$ERR" "linux.namespaces: guarded paths need a new mount namespace"
}

# P-5, M-5: `mounts` cannot add what would have to be protected as well, nor take a cover away
test_P_5_mounts() {
    protected 'mkdir .git'
    mkdir -p "$B/more" "$B/rootfs/run/x"
    up
    echo '[{"destination": "/work/.git", "type": "bind", "source": "x"}]' >"$B/mounts.json"
    fails rt mounts remove "$ID" "$B/mounts.json"
    has "$ERR" "mounts[0] (/work/.git): paths of the container are guarded, this may be a part of it"
    echo '[{"destination": "/run/x", "type": "bind", "source": "'"$B/more"'", "options": ["bind"]}]' >"$B/mounts.json"
    fails rt mounts add "$ID" "$B/mounts.json"
    has "$ERR" "so what is added must be read-only"
    echo '[{"destination": "/run/x", "type": "bind", "source": "'"$B/more"'", "options": ["bind", "ro"]}]' >"$B/mounts.json"
    rt mounts add "$ID" "$B/mounts.json"
    rt mounts remove "$ID" "$B/mounts.json"
}

tap_main
