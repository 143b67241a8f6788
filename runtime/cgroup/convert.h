/* What v1 values mean on v2 (contract items 180, 187, 193). Pure arithmetic. */
#pragma once

#include <stdint.h>

/* cpu.shares 2..262144 → cpu.weight 1..10000, 1024 → 100, as current crun and runc convert. */
uint64_t cgroup_cpu_weight(uint64_t shares);

/* blkio.weight 10..1000 → io.weight 1..10000. */
uint64_t cgroup_io_weight(uint64_t weight);
