#!/bin/bash
# mounts_no_setattr.sh - mounts.sh where the kernel has no mount_setattr (before Linux 5.12).
exec "$(dirname "$0")/../without-calls" mount_setattr "$(dirname "$0")/mounts.sh"
