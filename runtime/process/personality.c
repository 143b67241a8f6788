/* linux.personality (item 82): the execution domain, which execve keeps. Runs in the container's init and in
 * exec'd processes. */
#include "process/process.h"

#include <sys/personality.h>

int process_apply_personality(const struct oci_config *config, struct error *err)
{
    const struct oci_personality *wanted = config->linux ? config->linux->personality : NULL;

    if (!wanted)
        return 0;
    if (wanted->flags.count > 0) /* the specification: "currently no flag values are supported" */
        return fail(err, EINVAL, "linux.personality.flags[0]: '%s' is not supported", wanted->flags.items[0]);
    if (personality(wanted->domain == OCI_PERSONALITY_LINUX32 ? PER_LINUX32 : PER_LINUX) < 0)
        return fail_errno(err, "linux.personality.domain: personality");
    return 0;
}
