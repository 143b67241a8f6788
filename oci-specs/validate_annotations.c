/*
 * Annotations of other runtimes that ask for something which this one does not have and which changes what
 * the container is allowed or what runs in it (item 269). All the others are ignored, as the specification
 * orders; the manual lists those that are honoured. Pure.
 */
#include "oci-specs/validate.h"

#include "base/memory.h"
#include "oci-specs/edit.h"

int validate_annotations(const struct oci_config *config, struct error *err)
{
    static const struct {
        const char *name, *reason;
    } refused[] = {
        { "run.oci.handler", "no other handler than the container itself" },
        { "run.oci.seccomp.plugins", "no plugins, see linux.seccomp.listenerPath" },
        { "run.oci.seccomp.receiver", "use linux.seccomp.listenerPath" },
    };

    for (size_t i = 0; i < array_length(refused); i++)
        if (is_set(string_map_get(&config->annotations, refused[i].name)))
            return fail(err, ENOTSUP, "annotations.%s: not supported: %s", refused[i].name,
                        refused[i].reason);
    return 0;
}
