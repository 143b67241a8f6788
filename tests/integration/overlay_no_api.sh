#!/bin/bash
# overlay_no_api.sh - overlay.sh where the kernel has no mount API (runtime/rootfs/stage.c).
exec "$(dirname "$0")/../without-calls" all "$(dirname "$0")/overlay.sh"
