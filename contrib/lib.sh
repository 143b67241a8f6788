# shellcheck shell=bash
# lib.sh - what the two set-up scripts share: progress, packages, the build.

# shellcheck disable=SC2034 # for the scripts
# packages (Debian names) with the program or file that shows that they are there
BUILD_PACKAGES="gcc:gcc make:make autoconf:autoconf automake:automake pkg-config:pkg-config libc6-dev:/usr/include/stdio.h
    linux-libc-dev:/usr/include/linux/openat2.h libyajl-dev:/usr/include/yajl/yajl_parse.h
    libseccomp-dev:/usr/include/seccomp.h libmount-dev:/usr/include/libmount/libmount.h libsystemd-dev:/usr/include/systemd/sd-bus.h"

step() { printf '\n==> %s\n' "$*"; }

fail() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# missing_packages LIST: the packages of the list that are not installed
missing_packages() {
    local entry
    for entry in $1; do
        command -v "${entry#*:}" >/dev/null 2>&1 || [ -e "${entry#*:}" ] || echo "${entry%%:*}"
    done
}

# install_packages LIST: installs what is missing, or says what is when not root or not on Debian
install_packages() {
    local missing
    missing=$(missing_packages "$1" | sort -u | tr '\n' ' ')
    if [ -z "$missing" ]; then
        echo "all packages are there"
        return
    fi
    command -v apt-get >/dev/null ||
        fail "these packages (Debian's names) are missing, and there is no apt-get to install them: $missing"
    [ "$(id -u)" = 0 ] || fail "these packages are missing, and only root can install them: apt-get install $missing"
    echo "installing: $missing"
    # the lists may be missing on a fresh machine, and stale on an old one
    # shellcheck disable=SC2086 # a list of words
    apt_get install -y --no-install-recommends $missing >/dev/null 2>&1 ||
        { apt_get update >/dev/null && apt_get install -y --no-install-recommends $missing >"$LOG"; } ||
        fail "apt-get could not install: $missing"
}

apt_get() {
    DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

# logged COMMAND...: shows the end of its output only if it fails
logged() {
    "$@" >"$LOG" 2>&1 </dev/null || {
        tail -n 40 "$LOG" >&2
        fail "failed: $*"
    }
}

# build DIRECTORY [CONFIGURE-OPTION...]: configures once, makes what has changed
build() {
    local directory=$1
    shift
    [ -x "$SOURCE/configure" ] && [ "$SOURCE/configure" -nt "$SOURCE/configure.ac" ] || logged "$SOURCE/autogen.sh"
    mkdir -p "$directory"
    cd "$directory" || exit 1
    [ -f Makefile ] && [ Makefile -nt "$SOURCE/configure" ] || logged "$SOURCE/configure" "$@"
    logged make -j"$(nproc)"
    cd "$SOURCE" || exit 1
}

LOG=$(mktemp "${TMPDIR:-/tmp}/aril-setup.XXXXXX") || exit 1
