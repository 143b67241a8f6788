#!/bin/bash
# image_no_api.sh - the attacks of image.sh where the kernel has no mount API: the fallback keeps the same guarantees.
exec "$(dirname "$0")/../without-calls" all "$(dirname "$0")/image.sh"
