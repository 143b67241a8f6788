#!/bin/bash
# `sandbox-exec`: attacks on what is read-only, denied or protected, and paths as people write them.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-sandbox.sh"

# M-5: a directory above something protected cannot be moved away and made anew, with something else in it
test_ancestors_are_pinned() {
    aril_only
    check() {
        own 'mkdir -p a/b g/store; echo orig >a/b/conf; echo secret >a/b/key; echo orig >g/store/hook; echo gitdir: g/store >.git'
        capture "${SANDBOX[@]}" --rw . --ro a/b/conf --deny a/b/key -- sh -c \
            'mv a c; mv a/b a/d; mv g h; mkdir -p a/b g/store; for f in a/b/conf a/b/key g/store/hook; do echo evil >$f; done; echo fine >a/b/new'
        eq "$(cat a/b/conf a/b/key g/store/hook a/b/new | tr '\n' ' ')" "orig secret orig fine "
        [ ! -e c ]
    }
    each_user check
}

# M-1, M-5: pinning a directory does not open it: what is above a guarded path stays as read-only as it was
test_pins_open_nothing() {
    aril_only
    check() {
        own 'mkdir -p a/b a/c; echo s >a/b/s'
        capture "${SANDBOX[@]}" --rw . --ro a --deny a/b/s --rw a/c -- sh -c 'touch a/x a/b/x; touch a/c/y; cat a/b/s'
        eq "$OUT" ""
        eq "$(ls a a/b a/c | tr '\n' ' ')" "a: b c  a/b: s  a/c: y "
    }
    each_user check
}

# M-5: of two sandboxes at once the one that ends later keeps its protection, and nothing is left of either
test_concurrent_protection() {
    aril_only
    check() {
        own 'mkfifo end1 end2'
        "${SANDBOX[@]}" --rw . --deny later -- sh -c 'touch up1; cat end1' >/dev/null &
        local first=$!
        wait_for 20 test -e up1
        capture "${SANDBOX[@]}" --rw . --deny later -- sh -c 'touch up2; cat end2; mkdir .git/hooks; mkdir -p later/x; ls -A later' &
        local second=$!
        wait_for 20 test -e up2
        own 'echo >end1'
        wait $first
        [ -d .git ]
        own 'echo >end2'
        wait $second || true
        eq "$(ls -A | tr '\n' ' ')" "end1 end2 up1 up2 "
    }
    each_user check
}

# M-5: what a killed runtime left behind goes with the next one; what the user made and left empty does not
test_left_placeholder() {
    aril_only
    mkdir -p "$B/.agents" && cd "$B"
    "$RUNTIME" sandbox-exec --rw . -- sh -c 'touch up; sleep 60' &
    local pid=$!
    wait_for 20 test -e up
    kill -KILL $pid
    wait $pid || true
    [ -d .git ]
    capture rt sandbox-exec --rw . -- sh -c 'mkdir .git/x'
    ne "$RC" 0
    eq "$(ls -A | tr '\n' ' ')" ".agents up "
    cd /
}

# M-5: a path that leads into a writable directory over a link from outside is guarded there, also when it is missing
test_way_over_a_link() {
    aril_only
    check() {
        own 'mkdir real; ln -s real link; mkdir -p l/m real/n; ln -s ../real/n l/n; echo s >real/n/s'
        capture "${SANDBOX[@]}" --rw link --deny link/secret --deny l/n/s --ro l/../real/conf -- sh -c \
            'echo evil >link/secret; mkdir -p real/secret/x; echo evil >real/conf; mv real/n real/o; cat real/n/s'
        eq "$OUT" ""
        eq "$(ls -A real | tr '\n' ' ')" "n "
    }
    each_user check
}

# M-3, M-4, M-8: a path with the signs of a pattern in it is a path: below a directory named so, and for a file named so
test_names_like_patterns() {
    aril_only
    check() {
        own "mkdir '[x]' '{a,b}'; cd '[x]'; echo s >secret; echo p >a.pem; echo q >'b[1].key'; echo s >'../{a,b}/s'"
        cd '[x]'
        capture "${SANDBOX[@]}" --rw . --deny secret --deny '*.pem' --deny 'b[1].key' --deny "$P/{a,b}/s" -- sh -c \
            'cat secret a.pem b*.key "../{a,b}/s"'
        cd ..
        eq "$OUT" ""
    }
    each_user check
}

# M-3: patterns: ** is any number of directories, hidden ones and hidden files as well; braces; "." and ".." are never meant
test_patterns() {
    aril_only
    check() {
        own 'mkdir -p a/b/.c other; for f in x.pem a/x.pem a/b/.c/x.pem a/.hidden.pem a/b/k.key other/x.txt; do echo $f >$f; done; ln -s / a/root'
        capture "${SANDBOX[@]}" --rw . --deny '**/*.{pem,key}' -- sh -c 'cat x.pem a/x.pem a/b/.c/x.pem a/.hidden.pem a/b/k.key other/x.txt'
        eq "$OUT" other/x.txt
        capture "${SANDBOX[@]}" --rw . --ro 'a/*' -- sh -c 'echo y >a/x.pem; echo y >a/.hidden.pem; echo y >a/new; echo y >new; cat a/new'
        eq "$OUT" y
        eq "$(cat a/x.pem a/.hidden.pem new | tr '\n' ' ')" "a/x.pem a/.hidden.pem y "
    }
    each_user check
}

# M-3, M-4: what remains open is said, without being asked: files to come, patterns and paths that match nothing
test_warnings() {
    aril_only
    mkdir -p "$B" && cd "$B" && touch a.key
    capture rt sandbox-exec --rw . --deny '*.key' -- true
    eq "$RC $ERR" "0 aril: *.key: files that are created later will not be protected"
    capture rt sandbox-exec --deny '*.key' -- true # nothing can be created
    eq "$RC $ERR" "0 "
    capture rt sandbox-exec --deny '*.none' --ro /nonexistent/x -- true
    eq "$RC $ERR" "0 aril: --ro /nonexistent/x: there is no such file, so nothing is protected
aril: --deny *.none: there is no such file, so nothing is protected"
    capture "$RUNTIME" --log-level error sandbox-exec --rw . --deny '*.key' --deny '*.none' -- true
    eq "$RC $ERR" "0 "
    capture rt sandbox-exec --policy '{"writable_roots":["'"$B"'"],"read_only_subpaths":["*.none"],"read_deny_paths":["/nonexistent/x"],"network_allowed":true}' -- true
    eq "$RC $ERR" "0 "
    cd /
}

# M-8: an empty path is a variable that was not set, and "~" is the home directory also where no shell saw it
test_empty_and_home() {
    aril_only
    local option
    for option in --rw --ro --deny --overlay; do
        capture rt sandbox-exec $option "" -- true
        eq "$RC $ERR" "1 aril: sandbox-exec: $option: the path is empty"
    done
    mkdir -p "$B/home/.ssh" "$B/w" && echo s >"$B/home/.ssh/id" && cd "$B/w"
    capture env HOME="$B/home" "$RUNTIME" sandbox-exec --rw=~/w --rw . --deny='~/.ssh' -- true
    has "$ERR" "writable root: "
    capture env HOME="$B/home" "$RUNTIME" sandbox-exec --rw . --deny='~/.ssh' -- cat "$B/home/.ssh/id"
    eq "$OUT" ""
    eq "$(ls -A "$B/w")" ""
    cd /
}

# M-1: the sandbox's own /dev cannot be exchanged for the host's, not even read-only: a device there can be written
test_own_dev() {
    aril_only
    local option
    for option in --rw --ro --deny --overlay; do
        capture rt sandbox-exec $option /dev -- true
        eq "$RC" 1
        has "$ERR" ": /dev: the sandbox has its own /proc and /dev, and a read-only /sys"
    done
}

# O-3: what is mounted below an overlay is there, and is not written to; what lies under it is not shown
test_overlay_submounts() {
    aril_only
    mkdir -p "$B/top/sub dir/inner" "$B/top/free" && echo below >"$B/top/sub dir/below" && cd "$B/top"
    mount -t tmpfs tmpfs "$B/top/sub dir" && mkdir "$B/top/sub dir/inner" && echo on >"$B/top/sub dir/on"
    mount -t tmpfs tmpfs "$B/top/sub dir/inner" && echo in >"$B/top/sub dir/inner/in"
    mount -t tmpfs tmpfs "$B/top/free"
    capture rt sandbox-exec --no-protect --overlay . --rw free -- sh -c 'find . | sort; echo >"sub dir/x"; echo >"sub dir/inner/x"; echo >x; echo >free/x'
    eq "$OUT" ".
./free
./sub dir
./sub dir/inner
./sub dir/inner/in
./sub dir/on"
    eq "$(find . -name x)" ./free/x
    chmod 755 "$B" "$B/top"
    SANDBOX=(as_user "$W/bin/aril" sandbox-exec)
    mkdir -p "$W/bin" && cp "$RUNTIME" "$W/bin/" && chmod -R a+rX "$W/bin"
    capture "${SANDBOX[@]}" --overlay . --ro free -- true
    eq "$RC" 1
    has "$ERR" "aril: sandbox-exec: overlay: $B/top: $B/top/"
    has "$ERR" " is mounted below it, and only root can overlay such a directory"
    cd /
    umount "$B/top/free" "$B/top/sub dir/inner" "$B/top/sub dir"
}

# O-3, M-5: an overlay has the owner and the mode of what it covers, nothing in it is protected, and a file has none
test_overlay_attributes() {
    aril_only
    check() {
        own 'mkdir -m 700 private; touch file'
        capture "${SANDBOX[@]}" --overlay private -- sh -c 'stat -c "%a %u" private; mkdir -p private/.git/hooks && ls -A private'
        eq "$OUT" "700 $([ $USER_IS = root ] && echo 0 || echo $TEST_USER)
.git"
        eq "$(ls -A private)" ""
        capture "${SANDBOX[@]}" --overlay file -- true
        eq "$RC $ERR" "1 aril: sandbox-exec: overlay: $P/file: is not a directory"
    }
    each_user check
    mkdir -p "$B/other" && chown "$TEST_USER" "$B/other" && chmod 1770 "$B/other"
    capture rt sandbox-exec --overlay "$B/other" -- stat -c '%a %u' "$B/other"
    eq "$OUT" "1770 $TEST_USER"
}

tap_main
