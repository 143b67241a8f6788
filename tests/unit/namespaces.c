/* runtime/namespaces/plan.c: what is made, what is joined, and when a stage process is needed (items
 * 131-141). */
#include "namespaces/namespaces.h"

#include "base/memory.h"
#include "base/sys.h"

#include <criterion/criterion.h>
#include <string.h>

struct row {
    const char *what;
    struct oci_namespace namespaces[4];
    size_t count;
    uint64_t new_flags, join_flags;
    bool stage;
};

Test(namespaces, plan)
{
    static struct row rows[] = {
        { "nothing listed: everything inherited", { { .type = 0 } }, 0, 0, 0, false },
        { "new ones",
          { { .type = OCI_NAMESPACE_PID, .path = NULL }, { .type = OCI_NAMESPACE_MOUNT, .path = NULL } },
          2,
          CLONE_NEWPID | CLONE_NEWNS,
          0,
          false },
        { "join a network",
          { { .type = OCI_NAMESPACE_NETWORK, .path = "/proc/1/ns/net" } },
          1,
          0,
          CLONE_NEWNET,
          false },
        { "join a pid namespace",
          { { .type = OCI_NAMESPACE_PID, .path = "/x" } },
          1,
          0,
          CLONE_NEWPID,
          false },
        { "join a user namespace",
          { { .type = OCI_NAMESPACE_USER, .path = "/x" }, { .type = OCI_NAMESPACE_PID, .path = NULL } },
          2,
          CLONE_NEWPID,
          CLONE_NEWUSER,
          true },
        { "new user, joined pid",
          { { .type = OCI_NAMESPACE_USER, .path = NULL }, { .type = OCI_NAMESPACE_PID, .path = "/x" } },
          2,
          CLONE_NEWUSER,
          CLONE_NEWPID,
          true },
        { "new user, new time",
          { { .type = OCI_NAMESPACE_TIME, .path = NULL }, { .type = OCI_NAMESPACE_USER, .path = NULL } },
          2,
          CLONE_NEWUSER | CLONE_NEWTIME,
          0,
          true },
        { "new time alone", { { .type = OCI_NAMESPACE_TIME, .path = NULL } }, 1, CLONE_NEWTIME, 0, false },
    };

    for (size_t i = 0; i < array_length(rows); i++) {
        struct oci_linux linux = { .namespaces = rows[i].namespaces, .namespaces_count = rows[i].count };
        struct oci_config config = { .linux = &linux };
        struct namespace_plan plan;
        struct error err;

        cr_assert_eq(namespace_plan_make(&config, &plan, &err), 0, "%s", rows[i].what);
        cr_expect_eq(plan.new_flags, rows[i].new_flags, "%s", rows[i].what);
        cr_expect_eq(plan.join_flags, rows[i].join_flags, "%s", rows[i].what);
        cr_expect_eq(plan.needs_stage, rows[i].stage, "%s", rows[i].what);
        namespace_plan_free(&plan);
    }
}

Test(namespaces, a_joined_user_namespace_comes_first)
{
    struct oci_namespace listed[] = { { .type = OCI_NAMESPACE_MOUNT, .path = "/m" },
                                      { .type = OCI_NAMESPACE_USER, .path = "/u" } };
    struct oci_linux linux = { .namespaces = listed, .namespaces_count = 2 };
    struct oci_config config = { .linux = &linux };
    struct namespace_plan plan;
    struct error err;

    cr_assert_eq(namespace_plan_make(&config, &plan, &err), 0);
    cr_assert_eq(plan.joins[0].flag, CLONE_NEWUSER);
    namespace_plan_free(&plan);
}

Test(namespaces, id_maps_are_text_for_the_kernel)
{
    struct oci_namespace listed[] = { { .type = OCI_NAMESPACE_USER, .path = NULL } };
    struct oci_id_mapping ids[] = { { .container_id = 0, .host_id = 1000, .size = 1 },
                                    { .container_id = 1, .host_id = 100000, .size = 65536 } };
    struct oci_linux linux = { .namespaces = listed,
                               .namespaces_count = 1,
                               .uid_mappings = ids,
                               .uid_mappings_count = 2,
                               .gid_mappings = ids + 1,
                               .gid_mappings_count = 1 };
    struct oci_config config = { .linux = &linux };
    struct namespace_plan plan;
    struct error err;

    cr_assert_eq(namespace_plan_make(&config, &plan, &err), 0);
    cr_assert_str_eq(plan.uid_map, "0 1000 1\n1 100000 65536\n");
    cr_assert_str_eq(plan.gid_map, "1 100000 65536\n");
    cr_assert_not(plan.maps_root, "gid 0 is not mapped");
    namespace_plan_free(&plan);
}

Test(namespaces, paths_are_checked_before_use) /* item 133 */
{
    static const struct {
        const char *path, *error;
    } rows[] = {
        { "/proc/self/ns/net", "linux.namespaces: /proc/self/ns/net is a namespace of another type" },
        { "/dev/null", "linux.namespaces: /dev/null is not a namespace" },
        { "/nonexistent", "linux.namespaces: open /nonexistent: no such file or directory" },
    };

    for (size_t i = 0; i < array_length(rows); i++) {
        struct oci_namespace listed[] = { { OCI_NAMESPACE_PID, (char *)rows[i].path } };
        struct oci_linux linux = { .namespaces = listed, .namespaces_count = 1 };
        struct oci_config config = { .linux = &linux };
        struct namespace_plan plan;
        struct error err;

        cr_assert_eq(namespace_plan_make(&config, &plan, &err), 0);
        cr_expect_eq(namespaces_open(&plan, &err), -1);
        cr_expect_str_eq(err.text, rows[i].error);
        namespace_plan_free(&plan);
    }
}
