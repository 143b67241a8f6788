#!/bin/bash
# The conformance table: current, and without gaps.
KIND=aril
. "$(dirname "$0")/../tap.sh"

# tests/conformance.md is what tests/conformance writes, and every item has a test or an explanation
test_conformance() {
    "$TAP_DIR_OF_FILE/../conformance" --check
}

# tests/security/attacks.md has a row for every attack
test_attacks() {
    "$TAP_DIR_OF_FILE/../security/attacks" --check
}

# tests/sandbox.md is what tests/sandbox-table writes, and every sandbox requirement has a test
test_sandbox_table() {
    "$TAP_DIR_OF_FILE/../sandbox-table" --check
}

TAP_DIR_OF_FILE=$(cd "$(dirname "$0")" && pwd)
tap_main
