# What the tests of `sandbox-exec` share.

# in both tests' worlds the same: as root, then as a user who has no more than a directory
each_user() { # FUNCTION
    local bin=$W/bin
    mkdir -p "$bin" "$W/home/run"
    cp "$RUNTIME" "$(dirname "$RUNTIME")/aril-init" "$bin/"
    chmod -R a+rX "$bin" && chown -R $TEST_USER:$TEST_USER "$W/home"
    mkdir -p "$B" && chmod 755 "$B"
    SANDBOX=("$RUNTIME" --root "$STATE" sandbox-exec) USER_IS=root P=$B/root
    mkdir -p "$P" && cd "$P" && "$1"
    SANDBOX=(as_user "$bin/aril" sandbox-exec) USER_IS=user P=$B/user
    mkdir -p "$P" && chown $TEST_USER:$TEST_USER "$P" && cd "$P" && "$1"
    cd /
}

aril_only() { [ "$KIND" = aril ] || skip "$KIND has no sandbox-exec"; }

# as the owner of the directory
own() { if [ $USER_IS = user ]; then as_user sh -c "cd '$P' && $1"; else sh -c "$1"; fi; }
