/*
 * Landlock. The plan and what an ABI makes of it are pure and run in the runtime; the ruleset is made in init
 * and in exec's child after pivot_root, when every path means what the payload will see. Constants are our
 * own: the kernel headers of the build machine may be older than the kernel that runs.
 */
#include "security/landlock.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/sys.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#ifndef SYS_landlock_create_ruleset /* the same on every architecture that has it */
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

#define CREATE_RULESET_VERSION 1U
#define RULE_PATH_BENEATH 1
#define RULE_NET_PORT 2

struct ruleset_attributes {
    uint64_t files;
    uint64_t ports;  /* ABI 4 */
    uint64_t scopes; /* ABI 6 */
};

struct path_rule {
    uint64_t access;
    int32_t fd;
} __attribute__((packed));

struct port_rule {
    uint64_t access;
    uint64_t port;
};

/* ---- the plan ------------------------------------------------------------------------------------------ */

/* What each ABI added. */
static const struct landlock_offer additions[] = {
    [1] = { .files = LANDLOCK_FS_REFER - 1 },
    [2] = { .files = LANDLOCK_FS_REFER },
    [3] = { .files = LANDLOCK_FS_TRUNCATE },
    [4] = { .ports = LANDLOCK_NET_BIND_TCP | LANDLOCK_NET_CONNECT_TCP },
    [5] = { .files = LANDLOCK_FS_IOCTL_DEV },
    [6] = { .scopes = LANDLOCK_SCOPE_ABSTRACT_UNIX | LANDLOCK_SCOPE_SIGNALS },
    [7] = { .flags = LANDLOCK_LOG_NEW_EXEC },
};
_Static_assert(array_length(additions) == LANDLOCK_ABI_NEWEST + 1, "a row for each ABI");

struct landlock_offer landlock_offer(int abi)
{
    struct landlock_offer offer = { 0 };

    for (int i = 1; i <= abi && i <= LANDLOCK_ABI_NEWEST; i++) {
        offer.files |= additions[i].files;
        offer.ports |= additions[i].ports;
        offer.scopes |= additions[i].scopes;
        offer.flags |= additions[i].flags;
    }
    return offer;
}

void landlock_plan_init(struct landlock_plan *plan, bool required)
{
    *plan = (struct landlock_plan){ .enabled = true, .required = required, .files = LANDLOCK_ALL };
}

void landlock_plan_allow(struct landlock_plan *plan, const char *path, uint64_t access, bool optional)
{
    struct landlock_path *row = array_grow(plan->paths, plan->path_count);

    *row = (struct landlock_path){ .path = memory_string(path), .access = access, .optional = optional };
}

void landlock_plan_allow_quietly(struct landlock_plan *plan, const char *path, uint64_t access)
{
    landlock_plan_allow(plan, path, access, true);
    plan->paths[plan->path_count - 1].quiet = true;
}

void landlock_plan_allow_port(struct landlock_plan *plan, uint16_t port, uint64_t access)
{
    struct landlock_port *row = array_grow(plan->port_rules, plan->port_count);

    *row = (struct landlock_port){ port, access };
}

void landlock_plan_free(struct landlock_plan *plan)
{
    for (size_t i = 0; i < plan->path_count; i++)
        free(plan->paths[i].path);
    free(plan->paths);
    free(plan->port_rules);
    *plan = (struct landlock_plan){ 0 };
}

/* The first ABI that offers all of what the plan handles. */
static int needed_abi(const struct landlock_plan *plan)
{
    int abi = 1;

    while (abi < LANDLOCK_ABI_NEWEST) {
        struct landlock_offer offer = landlock_offer(abi);

        if (!(plan->files & ~offer.files) && !(plan->ports & ~offer.ports) && !(plan->scopes & ~offer.scopes))
            break;
        abi++;
    }
    return abi;
}

int landlock_plan_check(const struct landlock_plan *plan, int abi, enum landlock_state *state,
                        struct error *err)
{
    const int needed = needed_abi(plan);

    *state = abi <= 0 ? LANDLOCK_UNSUPPORTED : abi < needed ? LANDLOCK_DEGRADED : LANDLOCK_ACTIVE;
    if (!plan->required || *state == LANDLOCK_ACTIVE)
        return 0;
    if (abi <= 0)
        return fail(err, ENOTSUP, "unavailable: landlock: is required, but this kernel has none");
    return fail(err, ENOTSUP, "unavailable: landlock: is required with ABI %d, but this kernel has %d", needed, abi);
}

/* ---- carrying it out ----------------------------------------------------------------------------------- */

int landlock_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);

    return abi < 0 ? 0 : (int)abi;
}

/* The kernel takes a struct with members that it does not know when they are zero. */
static int create_ruleset(const struct landlock_plan *plan, const struct landlock_offer *offer,
                          struct error *err)
{
    const struct ruleset_attributes attributes = { plan->files & offer->files, plan->ports & offer->ports,
                                                   plan->scopes & offer->scopes };
    long fd = syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);

    return fd < 0 ? fail_errno(err, "landlock: create ruleset") : (int)fd;
}

/*
 * No magic links: /proc/self/fd/N would be a way out of the root. On kernels without openat2() there is no
 * Landlock either.
 */
static int open_path(const char *path)
{
    const struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS };

    return sys_openat2(AT_FDCWD, path, &how);
}

/* The kernel answers EINVAL to rights that only directories have. */
static uint64_t access_of(int fd, uint64_t access)
{
    struct stat status;

    if (fstat(fd, &status) == 0 && !S_ISDIR(status.st_mode))
        access &= LANDLOCK_FS_EXECUTE | LANDLOCK_FS_READ_FILE | LANDLOCK_FS_WRITE_FILE |
                  LANDLOCK_FS_TRUNCATE | LANDLOCK_FS_IOCTL_DEV;
    return access;
}

static int add_path(int ruleset, const struct landlock_path *path, uint64_t handled,
                    enum landlock_state *state, struct error *err)
{
    auto_close int fd = open_path(path->path);
    struct path_rule rule;

    if (fd < 0) {
        if (!path->optional)
            return fail_errno(err, "landlock: %s", path->path);
        if (!path->quiet) {
            log_warning("landlock: %s: %s, so nothing is allowed there", path->path, errno_text(errno));
            *state = LANDLOCK_DEGRADED;
        }
        return 0;
    }
    rule = (struct path_rule){ .access = access_of(fd, path->access) & handled, .fd = fd };
    if (rule.access == 0) /* "grants nothing" is an error to the kernel */
        return 0;
    if (syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) < 0)
        return fail_errno(err, "landlock: rule for %s", path->path);
    return 0;
}

static int add_port(int ruleset, const struct landlock_port *port, uint64_t handled, struct error *err)
{
    const struct port_rule rule = { port->access & handled, port->port };

    if (rule.access && syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0) < 0)
        return fail_errno(err, "landlock: rule for port %u", port->port);
    return 0;
}

int landlock_make_ruleset(const struct landlock_plan *plan, int *ruleset, enum landlock_state *state,
                          struct error *err)
{
    enum landlock_state result = LANDLOCK_UNSUPPORTED;
    struct landlock_offer offer;
    auto_close int fd = -1;
    int abi;

    *ruleset = -1;
    if (state)
        *state = result;
    if (!plan->enabled)
        return 0;
    abi = landlock_abi();
    if (landlock_plan_check(plan, abi, &result, err) < 0)
        return -1;
    if (result == LANDLOCK_UNSUPPORTED)
        return 0;
    offer = landlock_offer(abi);
    fd = create_ruleset(plan, &offer, err);
    if (fd < 0)
        return -1;
    for (size_t i = 0; i < plan->path_count; i++)
        if (add_path(fd, &plan->paths[i], plan->files & offer.files, &result, err) < 0)
            return -1;
    for (size_t i = 0; i < plan->port_count; i++)
        if (add_port(fd, &plan->port_rules[i], plan->ports & offer.ports, err) < 0)
            return -1;
    *ruleset = take_fd(&fd);
    if (state)
        *state = result;
    return 0;
}

int landlock_enforce(int ruleset, struct error *err)
{
    const unsigned flags = LANDLOCK_LOG_NEW_EXEC;

    if (ruleset < 0)
        return 0;
    if (syscall(SYS_landlock_restrict_self, ruleset, flags) == 0)
        return 0;
    if (errno == EINVAL && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0) /* before ABI 7 */
        return 0;
    return fail_errno(err, "landlock: restrict");
}
