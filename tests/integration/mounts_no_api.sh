#!/bin/bash
# mounts_no_api.sh - mounts.sh where the kernel has no mount API: mount(2) with the same guarantees (runtime/rootfs/stage.c).
exec "$(dirname "$0")/../without-calls" all "$(dirname "$0")/mounts.sh"
