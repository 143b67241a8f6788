# shellcheck shell=bash
# accounts.sh - sourced: an ordinary user for tests, in our mount namespace only. Needs W, a scratch directory.

TEST_USER=4242

# own_accounts SUBORDINATE-IDS: the host's accounts and the user ariltest, with home $W/home; the ids as in /etc/subuid
own_accounts() {
    local file
    mkdir -p "$W/etc"
    cp /etc/passwd /etc/group "$W/etc/"
    echo "ariltest:x:$TEST_USER:$TEST_USER::$W/home:/bin/sh" >>"$W/etc/passwd"
    echo "ariltest:x:$TEST_USER:" >>"$W/etc/group"
    echo "$1" | tee "$W/etc/subuid" >"$W/etc/subgid"
    for file in passwd group subuid subgid; do
        chmod 644 "$W/etc/$file"
        [ -e "/etc/$file" ] || { echo "# /etc/$file is missing here: made empty" && : >"/etc/$file"; }
        mount --bind "$W/etc/$file" "/etc/$file"
    done
}
