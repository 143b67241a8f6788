/* The process part of `aril plan`. */
#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "oci-specs/config.h"

/* config.process as the plan resolves it: capability sets without what cannot be granted, environment without
 * duplicates. */
int plan_describe_process(const struct oci_config *config, struct buffer *out, struct error *err);
