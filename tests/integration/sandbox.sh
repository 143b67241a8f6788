#!/bin/bash
# `sandbox-exec`: a command on this machine's own files under a policy, as root and as an ordinary user.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-sandbox.sh"

# A-2: only the writable root is writable, submounts of the root are not
test_read_only_but_for() {
    aril_only
    check() {
        capture "${SANDBOX[@]}" --rw . -- sh -c 'echo x >in && for d in .. /usr /etc /var/tmp /sys/fs/cgroup; do touch $d/x-$$ 2>/dev/null && echo $d; done; pwd; id -u'
        eq "$ERR" ""
        eq "$OUT" "$P
$(if [ $USER_IS = root ]; then echo 0; else echo $TEST_USER; fi)"
        [ -f in ]
        capture "${SANDBOX[@]}" -- touch "$P/no"
        ne "$RC" 0
    }
    each_user check
}

# A-2: `make test` works
test_make_test() {
    aril_only
    command -v make >/dev/null || skip "make is missing"
    check() {
        own "printf 'test: out\n\t./out\nout: in.sh\n\tcp in.sh out\n\tchmod +x out\n' >Makefile; printf '#!/bin/sh\necho passed\n' >in.sh"
        capture "${SANDBOX[@]}" --rw . -- make -s test
        eq "$OUT" passed
        eq "$RC" 0
    }
    each_user check
}

# F-5: the command's status, 128 + signal, 127 and 126, and 1 for errors of the set-up
test_exit_status() {
    aril_only
    check() {
        capture "${SANDBOX[@]}" -- sh -c 'exit 42' && eq "$RC" 42
        capture "${SANDBOX[@]}" -- sh -c 'kill -9 $$' && eq "$RC" 137
        capture "${SANDBOX[@]}" -- nonexistent-program && eq "$RC" 127
        capture "${SANDBOX[@]}" -- /etc/passwd && eq "$RC" 126
        capture "${SANDBOX[@]}" -- '' && eq "$RC" 1
        has "$ERR" "the command is empty"
    }
    each_user check
}

# M-6: a writable root that does not exist is named
test_missing_root() {
    aril_only
    capture rt sandbox-exec --rw /nonexistent -- true
    eq "$RC" 1
    eq "$ERR" "aril: sandbox-exec: writable root: /nonexistent: no such file or directory"
}

# M-5: protected names: existing, missing, a file that names a repository, and a link, which cannot be swapped
test_protects_git() {
    aril_only
    check() {
        own 'mkdir -p .git real; echo config >.git/config; ln -s real .codex'
        capture "${SANDBOX[@]}" --rw . -- sh -c 'echo x >.git/config; mv .git y; rm -rf .codex; mv .codex z; touch real/x; mkdir -p .agents/x; rmdir .agents; echo >.agents'
        eq "$(cat .git/config)" config
        [ -L .codex ]
        [ ! -e real/x ]
        [ ! -e .agents ]
        [ ! -e y ]
        [ ! -e z ]
        own 'rm -rf .git; mkdir -p store; echo gitdir: store >.git'
        capture "${SANDBOX[@]}" --rw . -- sh -c 'echo x >.git; touch store/hook; true'
        eq "$(cat .git)" "gitdir: store"
        [ ! -e store/hook ]
        capture "${SANDBOX[@]}" --rw . --no-protect -- sh -c 'echo x >.git'
        eq "$(cat .git)" x
    }
    each_user check
}

# M-5: what the user made meanwhile is never removed
test_placeholder_kept_when_used() {
    aril_only
    mkdir -p "$B"
    cd "$B"
    rt sandbox-exec --rw . -- sleep 0.5 &
    local pid=$!
    wait_for 5 test -d .git
    touch .git/mine
    wait $pid
    [ -e .git/mine ]
    [ ! -e .codex ]
    cd /
}

# M-5: what lies on the way to a guarded path stays in its place; what a link leads to cannot be made; nothing of ours stays
test_guarded_in_their_place() {
    aril_only
    check() {
        own 'mkdir -p a/b store; echo c >a/b/f; ln -s later/on .git; echo "gitdir: store/new" >.agents'
        capture "${SANDBOX[@]}" --rw . --ro a/b --ro store/x -- sh -c 'mv a z; mkdir -p a/b; mkdir -p later/on; mv store s; mkdir store/x; echo w >a/b/f; touch a/new ok'
        eq "$(find . -name '[!.]*' | sort | tr '\n' ' ')" "./a ./a/b ./a/b/f ./a/new ./ok ./store "
        eq "$(cat a/b/f)" c
        capture "${SANDBOX[@]}" --rw . --ro a --ro a/b/f -- sh -c 'touch a/b/no a/no; echo w >a/b/f'
        eq "$(ls a a/b | tr '\n' ' ')" "a: b new  a/b: f "
        capture "${SANDBOX[@]}" --overlay . --ro a/b -- touch a/no
        [ ! -e a/no ]
    }
    each_user check
}

# M-3, M-4, M-1: read-only and denied paths, globs, and the most specific rule wins
test_ro_and_deny() {
    aril_only
    check() {
        own 'mkdir -p secret/open lib; echo s >secret/s; echo t >token; echo a >a.key; echo l >lib/l'
        capture "${SANDBOX[@]}" --rw . --deny secret --deny token --deny '*.{key,pem}' --ro lib --rw secret/open -- \
            sh -c 'cat secret/s token a.key; ls secret; echo x >lib/l; echo x >a.key; rm -rf secret token; mv lib lib2; echo y >secret/open/y'
        hasnt "$OUT" s
        hasnt "$OUT" t
        eq "$OUT" ""
        eq "$(cat lib/l secret/s token a.key secret/open/y | tr '\n' ' ')" "l s t a y "
    }
    each_user check
}

# M-7: /tmp is private unless something below it is writable
test_private_tmp() {
    aril_only
    cd / # what the working directory is below is shown, too
    touch "/tmp/$ID"
    capture rt sandbox-exec -- sh -c "ls /tmp; touch /tmp/new"
    eq "$OUT" ""
    [ ! -e /tmp/new ]
    mkdir -p "$B" /tmp/"$ID.d"
    capture rt sandbox-exec --rw "/tmp/$ID.d" -- sh -c "ls /tmp/$ID; touch /tmp/$ID.d/ok /tmp/no"
    has "$OUT" "/tmp/$ID"
    [ -e "/tmp/$ID.d/ok" ]
    [ ! -e /tmp/no ]
    capture rt sandbox-exec --tmp --rw "/tmp/$ID.d" -- ls /tmp
    eq "$OUT" "$ID.d"
    rm -rf "/tmp/$ID" "/tmp/$ID.d"
}

# M-7, S-8: /run is private, too: something writable below it is there, but not what else the host has in /run
test_private_run() {
    aril_only
    mkdir -p "/run/$ID.d" && touch "/run/$ID.other"
    capture rt sandbox-exec --rw "/run/$ID.d" -- sh -c "ls /run; touch /run/$ID.d/ok"
    eq "$OUT" "$ID.d"
    [ -e "/run/$ID.d/ok" ]
    capture rt sandbox-exec --rw /run -- ls /run
    has "$OUT" "$ID.other"
    rm -r "/run/$ID.d" "/run/$ID.other"
}

# M-1: the whole root as a path: writable but for what is named, /proc, /dev and /sys; never denied or overlaid
test_root_as_a_path() {
    aril_only
    mkdir -p "$B/ro"
    capture rt sandbox-exec --rw / --ro "$B/ro" -- sh -c "touch $B/made; touch $B/ro/no; grep -q ' /sys [^ ]* ro,' /proc/mounts && echo sys"
    eq "$OUT" sys
    [ -e "$B/made" ]
    [ ! -e "$B/ro/no" ]
    [ ! -e /.codex ]
    capture rt sandbox-exec --rw / --ro / --rw "$B" -- sh -c "rm $B/made; touch /var/$ID; true"
    [ ! -e "$B/made" ]
    [ ! -e "/var/$ID" ]
    local option
    for option in --deny --overlay; do
        capture rt sandbox-exec $option / -- true
        eq "$RC" 1
        has "$ERR" ": /: not the whole root; name directories below it"
    done
}

# A-2: a working directory that is gone: the error says what to do
test_deleted_cwd() {
    aril_only
    mkdir -p "$B/gone" && cd "$B/gone" && rmdir "$B/gone"
    capture rt sandbox-exec -- true
    eq "$RC $ERR" "1 aril: sandbox-exec: the current directory: no such file or directory (it was deleted: choose another one with --cwd)"
    capture rt sandbox-exec --cwd / -- pwd
    eq "$OUT" /
    cd /
}

# O-3: an overlay shows changes inside and keeps the host as it was
test_overlay() {
    aril_only
    check() {
        own 'mkdir -p dir; echo old >file; echo old >dir/file'
        TMPDIR=$W capture "${SANDBOX[@]}" --overlay . -- sh -c 'echo new >file; rm -r dir; mkdir dir; ls dir; cat file'
        eq "$ERR" ""
        eq "$OUT" new
        eq "$(cat file dir/file | tr '\n' ' ')" "old old "
    }
    each_user check
    eq "$(find "$W" /tmp -maxdepth 1 -name 'aril-overlay.*' -newer "$W/bin" 2>/dev/null)" ""
}

# S-5: networks: none has a loopback device only, unix has no other sockets, not even by another ABI
test_networks() {
    aril_only
    command -v python3 >/dev/null || skip "python3 is missing"
    local try='import socket
def t(f):
    try: socket.socket(f, socket.SOCK_DGRAM).close(); return "ok"
    except OSError as e: return e.strerror
print(t(1), t(2), open("/proc/net/dev").read().count(":"))'
    check() {
        capture "${SANDBOX[@]}" -- python3 -c "$try" && eq "$OUT" "ok ok 1"
        capture "${SANDBOX[@]}" --net unix -- python3 -c "$try" && eq "$OUT" "ok Operation not permitted 1"
        capture "${SANDBOX[@]}" --net host -- readlink /proc/self/ns/net && eq "$OUT" "$(readlink /proc/self/ns/net)"
    }
    each_user check
    cat >"$TAP_DIR/int80.c" <<'END'
int main(void) { long r; __asm__ volatile("int $0x80" : "=a"(r) : "a"(359), "b"(2), "c"(1), "d"(0)); return r < 0; }
END
    [ "$(uname -m)" = x86_64 ] || return 0
    ${CC:-cc} -static -o "$W/int80" "$TAP_DIR/int80.c"
    capture rt sandbox-exec --net unix -- "$W/int80"
    ne "$RC" 0
}

# F-9, A-2: it is the caller's command: his umask holds, and what its output goes to stays whose it is
test_umask_and_output() {
    aril_only
    check() {
        own "touch out; chmod 666 out"
        (umask 027 && "${SANDBOX[@]}" --rw . -- sh -c 'umask; touch made' >>out)
        eq "$(cat out)" 0027
        eq "$(stat -c %a made)" 640
    }
    each_user check
    chown "$TEST_USER" "$B/root/out"
    "$RUNTIME" sandbox-exec -- true >>"$B/root/out" 2>>"$B/root/out"
    eq "$(stat -c %u "$B/root/out")" "$TEST_USER"
}

# S-8, L-2: with the host's network the abstract sockets of its programs are out of reach, those of the sandbox are not
test_abstract_sockets() {
    aril_only
    command -v python3 >/dev/null || skip "python3 is missing"
    [ "$("$RUNTIME" probe --json | jq .landlock_abi)" -ge 6 ] || skip "this kernel has no scopes (Landlock ABI 6)"
    local try='import socket, sys
own = socket.socket(socket.AF_UNIX); own.bind("\0own-%s" % sys.argv[1]); own.listen()
for name in sys.argv[1], "own-" + sys.argv[1]:
    try: socket.socket(socket.AF_UNIX).connect("\0" + name); print("ok")
    except OSError as e: print(e.strerror)'
    mkdir -p "$B"
    python3 -c 'import socket, sys, time
s = socket.socket(socket.AF_UNIX); s.bind("\0" + sys.argv[1]); s.listen(); open(sys.argv[2], "w"); time.sleep(60)' "$ID" "$B/listens" &
    local pid=$!
    wait_for 20 test -e "$B/listens"
    check() {
        capture "${SANDBOX[@]}" --net host -- python3 -c "$try" "$ID"
        eq "$OUT" "Operation not permitted
ok"
        capture "${SANDBOX[@]}" --net host --landlock off -- python3 -c "$try" "$ID"
        eq "$OUT" "ok
ok"
    }
    each_user check
    kill $pid
    wait $pid || true
}

# M-7, F-5: a command that the private /tmp hides is named as that
test_hidden_command() {
    aril_only
    mkdir -p "$B/bin" && cp /bin/true "$B/bin/program" && cd /
    [[ $B = /tmp/* ]] || skip "the tests are not below /tmp"
    capture rt sandbox-exec -- "$B/bin/program"
    eq "$RC" 127
    has "$ERR" "$B/bin/program is not in the sandbox, which has its own /tmp: show it with --ro"
    capture rt sandbox-exec --ro "$B/bin" -- "$B/bin/program"
    eq "$RC $ERR" "0 "
}

# S-2, U-2: no capabilities, no new privileges, a filter; mount and new namespaces are refused
test_privileges() {
    aril_only
    check() {
        capture "${SANDBOX[@]}" -- grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status
        eq "$(tr -d '\t' <<<"$OUT" | tr '\n' ' ')" "CapEff:0000000000000000 CapBnd:0000000000000000 NoNewPrivs:1 Seccomp:2 "
        capture "${SANDBOX[@]}" -- unshare -Ur true && ne "$RC" 0
        capture "${SANDBOX[@]}" --rw . -- sh -c 'mount -o remount,rw / ; touch /usr/x' && ne "$RC" 0
    }
    each_user check
}

# L-3: Landlock is there beside the mounts: nothing else forbids a new file in the sandbox's own /dev
test_landlock() {
    aril_only
    [ "$("$RUNTIME" probe --json | jq .landlock_abi)" -gt 0 ] || skip "this kernel has no Landlock"
    check() {
        capture "${SANDBOX[@]}" -- sh -c 'echo >/dev/x; echo >/dev/null && echo x >/dev/shm/x && echo x >/tmp/x && echo fine'
        eq "$OUT" fine
        has "$ERR" "ermission denied"
        capture "${SANDBOX[@]}" --landlock off -- sh -c 'echo >/dev/x && echo fine'
        eq "$OUT" fine
        capture "${SANDBOX[@]}" --landlock required --rw . -- sh -c 'mkdir d && mv d e && rmdir e && ln -s x l && rm l && echo fine'
        eq "$OUT" fine
    }
    each_user check
}

# G-1, G-2: the guard: what the processor offers is forced, inside as anywhere; required says when it offers nothing
test_speculation() {
    aril_only
    local before after
    before=$(grep '^Speculation_Store_Bypass:' /proc/self/status | cut -f2)
    capture rt sandbox-exec -- grep '^Speculation_Store_Bypass:' /proc/self/status
    after=$(cut -f2 <<<"$OUT")
    case $before in
    "thread vulnerable" | "thread mitigated") eq "$after" "thread force mitigated" ;;
    *) eq "$after" "$before" ;;
    esac
    capture rt sandbox-exec --speculation required -- true
    if [ "$("$RUNTIME" probe --json | jq -r .layers.speculation.state)" = active ]; then
        eq "$RC" 0
    else
        eq "$RC" 1
        has "$ERR" "speculation"
    fi
}

# F-1, E-3: process 1 is a copy of the runtime, so nothing of it can be read, not even by the same user
test_first_process_is_closed() {
    aril_only
    check() {
        MY_TOKEN=hidden capture "${SANDBOX[@]}" -- sh -c '
            for f in environ maps exe root cwd fd/0 mem; do (cat </proc/1/$f) >/dev/null 2>&1 && echo $f; done
            ls /proc/1/fd 2>/dev/null; tr "\\0" "\\n" </proc/1/environ 2>/dev/null; cat /proc/1/comm'
        eq "$OUT" aril
    }
    each_user check
}

# F-10: process 1 reaps orphans, and ends with the command
test_reaps() {
    aril_only
    check() {
        capture "${SANDBOX[@]}" -- sh -c '(sleep 0.05 & exec true); (sleep 4723 &); i=0
            while ls -l /proc/[0-9]*/exe >/dev/null 2>&1; grep -l "^State:.Z" /proc/[0-9]*/status 2>/dev/null; [ $i -lt 20 ]; do
                i=$((i + 1)); sleep 0.02; done | sort -u | wc -l; exit 5'
        eq "$RC" 5
        ! pgrep -x -f 'sleep 4723'
    }
    each_user check
}

# F-6: a storm of signals: none is lost that matters, and the exit status stays the command's
test_signal_storm() {
    aril_only
    mkdir -p "$B"
    "$RUNTIME" sandbox-exec --rw "$B" -- sh -c "n=0; trap 'n=\$((n + 1))' USR1; trap 'echo \$n >$B/count; exit 3' TERM
        touch $B/ready; while :; do sleep 0.05; done" &
    local pid=$! rc=0
    wait_for 10 test -e "$B/ready"
    for _ in $(seq 200); do kill -USR1 $pid; done
    kill -TERM $pid
    wait $pid || rc=$?
    eq $rc 3
    [ "$(cat "$B/count")" -ge 1 ]
}

# A-2: --tty: a terminal of its own, of which the command has the foreground
test_tty() {
    aril_only
    command -v script >/dev/null || skip "script is missing"
    check() {
        local as=()
        [ $USER_IS = root ] || as=(as_user) SANDBOX=("${SANDBOX[@]:1}")
        capture "${as[@]}" script -qec "${SANDBOX[*]} --tty -- sh -c 'tty; ps -o stat= -p \$\$; stty size'" /dev/null </dev/null
        has "$OUT" /dev/pts/0
        has "$OUT" "+"
        capture "${as[@]}" "${SANDBOX[@]}" -- sh -c 'tty || true; (: </dev/tty) 2>&1'
        has "$OUT" "not a tty"
    }
    each_user check
}

# E-1, E-3, E-4: secrets and what is ours stay outside; --env sets and passes
test_environment() {
    aril_only
    capture env MY_API_KEY=1 github_token=1 AWS_REGION=1 K8S_X=1 KUBECONFIG=1 MYTOKEN=1 ARIL_X=1 NOTIFY_SOCKET=/x \
        "$RUNTIME" --root "$STATE" sandbox-exec -e A=1 -e AWS_REGION -- env
    local name
    for name in MY_API_KEY github_token K8S_X ARIL_X NOTIFY_SOCKET; do hasnt "$OUT" "$name="; done
    for name in A AWS_REGION KUBECONFIG MYTOKEN; do has "$OUT" "$name=1"; done
    capture env MY_API_KEY=1 "$RUNTIME" --root "$STATE" sandbox-exec --keep-env -- env
    has "$OUT" MY_API_KEY=1
}

# F-7: --timeout ends everything with 124, also what ignores SIGTERM and forks
test_timeout() {
    aril_only
    check() {
        capture "${SANDBOX[@]}" --timeout 0.3 -- sh -c 'trap "" TERM; sleep 4721 & while :; do sleep 1; done'
        eq "$RC" 124
        has "$ERR" "Time limit exceeded"
        ! pgrep -x -f 'sleep 4721'
    }
    each_user check
    capture rt sandbox-exec --timeout 1s -- true
    eq "$RC" 1
}

# F-6: the sandbox dies with the runtime
test_dies_with_parent() {
    aril_only
    "$RUNTIME" --root "$STATE" sandbox-exec -- sleep 4722 &
    local pid=$!
    wait_for 5 pgrep -x -f 'sleep 4722'
    kill -KILL $pid
    wait_for 5 bash -c '! pgrep -x -f "sleep 4722"'
}

# F-6: signals are forwarded
test_forwards_signals() {
    aril_only
    mkdir -p "$B"
    "$RUNTIME" --root "$STATE" sandbox-exec --rw "$B" -- sh -c "trap 'exit 9' TERM; touch $B/ready; while :; do sleep 0.05; done" &
    local pid=$! rc=0
    wait_for 5 test -e "$B/ready"
    kill -TERM $pid
    wait $pid || rc=$?
    eq $rc 9
}

# A-1, A-2, M-9: runok's name, arguments and policy; several policies: the strictest
test_runok() {
    aril_only
    mkdir -p "$B/w/ro" "$B/w2" && cp "$RUNTIME" "$(dirname "$RUNTIME")/aril-init" "$B/"
    mv "$B/aril" "$B/runok-linux-sandbox"
    local policy='{"writable_roots":["'$B/w'"],"read_only_subpaths":["ro"],"read_deny_paths":["/etc/shadow"],"network_allowed":false}'
    capture "$B/runok-linux-sandbox" --policy "$policy" --cwd "$B/w" -- sh -c 'touch x ro/x; wc -c </etc/shadow; exit 7'
    eq "$RC" 7
    eq "$OUT" 0
    [ -e "$B/w/x" ]
    [ ! -e "$B/w/ro/x" ]
    echo "$policy" >"$B/policy"
    capture rt sandbox-exec --policy "@$B/policy" --policy '{"writable_roots":["'"$B/w2"'"],"read_only_subpaths":[],"network_allowed":true}' -- true
    eq "$ERR" "aril: sandbox-exec: --policy: conflicting sandbox policies: no common writable roots"
    capture rt sandbox-exec --policy '{"writable_roots":[]}' -- true
    eq "$RC" 1
    has "$ERR" "read_only_subpaths"
    capture rt sandbox-exec --net host --policy fd:9 -- true 9<"$B/policy"
    has "$ERR" "the policy does not allow the network"
}

# M-9: what several policies mean together, as a document that is one itself
test_policy_merge() {
    aril_only
    local a='{"writable_roots":["/a","/b"],"read_only_subpaths":[".git"],"network_allowed":true,"unknown":1}'
    local b='{"writable_roots":["/b"],"read_only_subpaths":["x"],"read_deny_paths":["/s"],"network_allowed":false}'
    capture rt sandbox-policy merge "$a" "$b"
    eq "$RC" 0
    eq "$(jq -c . <<<"$OUT")" \
        '{"writable_roots":["/b"],"read_only_subpaths":[".git","x"],"read_deny_paths":["/s"],"network_allowed":false}'
    capture rt sandbox-policy merge "$OUT" "$a"
    eq "$(jq -c .writable_roots <<<"$OUT")" '["/b"]'
    capture rt sandbox-policy merge
    eq "$RC $ERR" "1 aril: sandbox-policy: no policies to merge"
    capture rt sandbox-policy merge "$a" "${b/\/b/\/c}"
    eq "$RC $ERR" "1 aril: sandbox-policy: conflicting sandbox policies: no common writable roots"
}

# M-8: paths and arguments are bytes
test_bytes() {
    aril_only
    mkdir -p "$B/"$'d\xff x'
    capture rt sandbox-exec --rw "$B/"$'d\xff x' -- sh -c 'touch "$1/a  b"' sh "$B/"$'d\xff x'
    eq "$RC" 0
    [ -e "$B/"$'d\xff x'"/a  b" ]
}

# F-1: no descriptor of the caller or the runtime reaches the command
test_descriptors() {
    aril_only
    capture rt sandbox-exec -- sh -c 'ls /proc/$$/fd' 7</etc/passwd
    eq "$(sort -n <<<"$OUT" | tr '\n' ' ')" "0 1 2 "
}

# C-1, C-3: probe makes every layer and says so in JSON, as root and as a user
test_probe() {
    aril_only
    local state
    capture rt probe --json
    eq "$RC" 0
    eq "$(jq -r '.available' <<<"$OUT")" true
    for layer in namespaces proc tmpfs overlay identity seccomp sandbox; do
        state=$(jq -r ".layers.$layer.state" <<<"$OUT")
        eq "$layer $state" "$layer active"
    done
    eq "$(jq -r '[.version, .share_net_overridable, .diff_supported, .commit_supported, .persist.available, .landlock_abi, .spec_ctrl, .userns] | map(type) | join(" ")' <<<"$OUT")" \
        "string boolean boolean boolean boolean number boolean boolean"
    eq "$(jq -c '[.profiles, .allowed_writable, (.seccomp_profile_sha256 | test("^[0-9a-f]{64}$"))]' <<<"$OUT")" \
        '[["balanced","strict"],[],true]'
    check() {
        capture "${SANDBOX[@]:0:${#SANDBOX[@]}-1}" probe
        has "$OUT" "sandboxes work here"
    }
    each_user check
}

# C-1: what fails is named, and nothing is left
test_probe_unavailable() {
    aril_only
    capture env PATH=/nonexistent "$RUNTIME" --root "$STATE" probe --json
    eq "$RC" 1
    eq "$(jq -r .available <<<"$OUT")" false
    has "$(jq -r .message <<<"$OUT")" "sandbox: "
    mkdir -p "$B" && mount --bind "$B" "$B" && mount -o remount,bind,ro "$B"
    capture rt probe --json --upper-root "$B"
    umount "$B"
    eq "$RC" 1
    has "$(jq -r .layers.overlay.message <<<"$OUT")" "read-only file system"
    eq "$(find /tmp "$B" -maxdepth 1 -name 'aril-probe.*' -newer "$W" 2>/dev/null)" ""
}

# C-1: a sandbox inside a sandbox: probe says what is missing
test_probe_nested() {
    aril_only
    capture rt sandbox-exec --rw /tmp -- "$RUNTIME" probe --json
    eq "$RC" 1
    eq "$(jq -r .layers.namespaces.state <<<"$OUT")" unsupported
    has "$(jq -r .message <<<"$OUT")" "namespaces: "
}

# C-4: without the mount API the error says that it is needed
test_without_mount_api() {
    aril_only
    command -v "${CC:-cc}" >/dev/null || skip "there is no C compiler"
    ${CC:-cc} -std=c17 -static -o "$W/deny-calls" "$SOURCE/tests/deny-calls.c"
    fails "$W/deny-calls" all "$RUNTIME" --root "$STATE" sandbox-exec -- true
    has "$ERR" "function not implemented (this needs the mount API of Linux 5."
    one_line "$ERR"
    fails "$W/deny-calls" mount_setattr "$RUNTIME" --root "$STATE" sandbox-exec -- true
    has "$ERR" "need mount_setattr of Linux 5.12"
    one_line "$ERR"
}

tap_main
