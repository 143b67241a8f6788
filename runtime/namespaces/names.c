/* hostname and domainname, set by the container's init process. */
#include "namespaces/namespaces.h"

#include "oci-specs/config.h"

#include <string.h>
#include <unistd.h>

static bool is_set(const char *name)
{
    return name && *name; /* engines write "" for "none" */
}

int namespaces_set_names(const struct oci_config *config, struct error *err)
{
    const char *hostname = config->hostname, *domainname = config->domainname;

    if (!is_set(hostname) && !is_set(domainname))
        return 0;
    if (!oci_config_namespace(config, OCI_NAMESPACE_UTS)) /* it would be the host's name */
        return fail(err, EINVAL, "%s: needs a uts namespace in linux.namespaces",
                    is_set(hostname) ? "hostname" : "domainname");
    if (is_set(hostname) && sethostname(hostname, strlen(hostname)) < 0)
        return fail_errno(err, "hostname: set %s", hostname);
    if (is_set(domainname) && setdomainname(domainname, strlen(domainname)) < 0)
        return fail_errno(err, "domainname: set %s", domainname);
    return 0;
}
