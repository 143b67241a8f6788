/*
 * linux.memoryPolicy (items 241-244): the NUMA policy that the payload inherits through execve. Runs in the
 * container's init and in exec'd processes. What the kernel has no policy for it says itself (EINVAL);
 * versions are not guessed.
 */
#include "process/process.h"

#include "base/memory.h"
#include "base/number_list.h"

#include <sys/syscall.h>
#include <unistd.h>

#define NODE_LIMIT 1024 /* MAX_NUMNODES of the largest configurations */

enum node_rule { NODES_FORBIDDEN, NODES_OPTIONAL, NODES_NEEDED };

/* linux/mempolicy.h of old kernel headers lacks the later ones. */
static const struct {
    const char *name;
    int mode;
    enum node_rule nodes;
} modes[] = {
    [OCI_MPOL_DEFAULT] = { "MPOL_DEFAULT", 0, NODES_FORBIDDEN },
    [OCI_MPOL_PREFERRED] = { "MPOL_PREFERRED", 1, NODES_OPTIONAL },
    [OCI_MPOL_BIND] = { "MPOL_BIND", 2, NODES_NEEDED },
    [OCI_MPOL_INTERLEAVE] = { "MPOL_INTERLEAVE", 3, NODES_NEEDED },
    [OCI_MPOL_LOCAL] = { "MPOL_LOCAL", 4, NODES_FORBIDDEN },
    [OCI_MPOL_PREFERRED_MANY] = { "MPOL_PREFERRED_MANY", 5, NODES_NEEDED },
    [OCI_MPOL_WEIGHTED_INTERLEAVE] = { "MPOL_WEIGHTED_INTERLEAVE", 6, NODES_NEEDED },
};

static const int flag_bits[] = {
    [OCI_MPOL_F_NUMA_BALANCING] = 1 << 13,
    [OCI_MPOL_F_RELATIVE_NODES] = 1 << 14,
    [OCI_MPOL_F_STATIC_NODES] = 1 << 15,
};

static int check_nodes(const struct oci_memory_policy *policy, int count, struct error *err)
{
    const enum node_rule rule = modes[policy->mode].nodes;

    if (rule == NODES_NEEDED && count == 0)
        return fail(err, EINVAL, "linux.memoryPolicy.nodes: %s needs at least one node",
                    modes[policy->mode].name);
    if (rule == NODES_FORBIDDEN && count > 0)
        return fail(err, EINVAL, "linux.memoryPolicy.nodes: %s takes no nodes", modes[policy->mode].name);
    return 0;
}

static int collect_flags(const struct oci_memory_policy *policy, int *flags, struct error *err)
{
    const int both = flag_bits[OCI_MPOL_F_STATIC_NODES] | flag_bits[OCI_MPOL_F_RELATIVE_NODES];

    *flags = 0;
    for (size_t i = 0; i < policy->flags_count; i++)
        *flags |= flag_bits[policy->flags[i]];
    if ((*flags & both) == both)
        return fail(
            err, EINVAL,
            "linux.memoryPolicy.flags: MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other");
    return 0;
}

int process_apply_memory_policy(const struct oci_config *config, struct error *err)
{
    const struct oci_memory_policy *policy = config->linux ? config->linux->memory_policy : NULL;
    unsigned long nodes[NODE_LIMIT / NUMBER_LIST_WORD_BITS] = { 0 };
    int count, flags;

    if (!policy)
        return 0;
    count = number_list_parse(policy->nodes ? policy->nodes : "", nodes, array_length(nodes), err);
    if (count < 0)
        return fail_in(err, "linux.memoryPolicy.nodes");
    if (check_nodes(policy, count, err) < 0 || collect_flags(policy, &flags, err) < 0)
        return -1;
    /* The kernel reads one bit less than it is told; no nodes are a null mask, or MPOL_DEFAULT is refused. */
    if (syscall(SYS_set_mempolicy, modes[policy->mode].mode | flags, count ? nodes : NULL,
                count ? NODE_LIMIT + 1UL : 0UL) < 0)
        return fail_errno(err, "linux.memoryPolicy: set_mempolicy %s", modes[policy->mode].name);
    return 0;
}
