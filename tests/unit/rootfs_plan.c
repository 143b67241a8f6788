/* runtime/rootfs: config.json → plan. Pure: no root, no mounts. The rows compare with the JSON of `aril
 * plan`. */
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/memory.h"
#include "oci-specs/config.h"
#include "rootfs/plan.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const struct rootfs_context context = { .bundle = "/bundle", .rootfs = "/bundle/rootfs" };

static struct oci_config *parse(const char *json)
{
    auto_free char *copy = memory_string(json);
    struct oci_config *config;
    struct error err = { 0 };

    for (char *c = copy; *c; c++)
        if (*c == '\'')
            *c = '"';
    config = schema_parse(&oci_config_schema, "config.json", copy, strlen(copy), &err);
    cr_assert(config, "%s\n%s", err.text, json);
    return config;
}

/* What the plan says of one mount, or the error. Owned. */
static char *plan_mount_text(const char *mount, const char *rest)
{
    auto_free char *json = memory_format("{'ociVersion':'1.3.0','root':{'path':'rootfs'},'mounts':[%s],"
                                         "'linux':{'namespaces':[{'type':'mount'}%s]}}",
                                         mount, rest);
    struct oci_config *config = parse(json);
    struct error err = { 0 };
    struct rootfs_plan *plan = rootfs_plan_make(config, &context, &err);
    auto_buffer struct buffer out = { 0 };
    char *line, *end;

    if (!plan) {
        oci_config_free(config);
        return memory_string(err.text);
    }
    rootfs_plan_describe(plan, &out);
    line = strchr(out.data, '\n') + 1;
    end = strchr(line, '\n');
    line = memory_string_n(line, (size_t)(end - line) - (end[-1] == ','));
    rootfs_plan_free(plan);
    oci_config_free(config);
    for (char *c = line; *c; c++)
        if (*c == '"')
            *c = '\'';
    return line;
}

/* ---- options ------------------------------------------------------------------------------------------ */

static void check_options(const char *kind, const char *options, const char *expected)
{
    auto_free char *mount = memory_format("{'destination':'/d',%s,'options':[%s]}", kind, options);
    auto_free char *text = plan_mount_text(mount, "");
    const char *start = strstr(text, "'source'");

    cr_expect_str_eq(start ? start : text, expected, "%s:\n  got  %s\n  want %s", options,
                     start ? start : text, expected);
}

Test(rootfs_options, new_filesystems) /* items 92-99, 107, 129 */
{
    static const struct {
        const char *options, *plan;
    } rows[] = {
        { "", "'source':'s'}" },
        { "'defaults'", "'source':'s'}" },
        { "'ro'", "'source':'s','set':['ro']}" },
        { "'ro','rw'", "'source':'s','clear':['ro']}" },
        { "'rw','ro'", "'source':'s','set':['ro']}" },
        { "'nosuid','nodev','noexec'", "'source':'s','set':['nosuid','nodev','noexec']}" },
        { "'suid','dev','exec'", "'source':'s','clear':['nosuid','nodev','noexec']}" },
        { "'nosymfollow','nodiratime'", "'source':'s','set':['nodiratime','nosymfollow']}" },
        { "'nosymfollow','symfollow','diratime'", "'source':'s','clear':['nodiratime','nosymfollow']}" },
        { "'noatime'", "'source':'s','set':['noatime']}" },
        { "'relatime'", "'source':'s','set':['relatime']}" },
        { "'noatime','strictatime'", "'source':'s','set':['strictatime']}" },
        { "'noatime','atime'", "'source':'s','set':['relatime']}" },
        { "'strictatime','atime'", "'source':'s','set':['strictatime']}" },
        { "'strictatime','nostrictatime'", "'source':'s','set':['relatime']}" },
        { "'norelatime'", "'source':'s'}" },
        { "'rro','rnosuid'", "'source':'s','setRecursive':['ro','nosuid']}" },
        { "'rrw','rdev','rexec','rsuid'", "'source':'s','clearRecursive':['ro','nosuid','nodev','noexec']}" },
        { "'rnodev','rnoexec','rnodiratime','rnosymfollow'",
          "'source':'s','setRecursive':['nodev','noexec','nodiratime','nosymfollow']}" },
        { "'rdiratime','rsymfollow'", "'source':'s','clearRecursive':['nodiratime','nosymfollow']}" },
        { "'rnoatime'", "'source':'s','setRecursive':['noatime']}" },
        { "'rstrictatime'", "'source':'s','setRecursive':['strictatime']}" },
        { "'rnoatime','rrelatime'", "'source':'s','setRecursive':['relatime']}" },
        { "'rnoatime','ratime'", "'source':'s','setRecursive':['relatime']}" },
        { "'rnostrictatime'", "'source':'s','setRecursive':['relatime']}" },
        { "'rnorelatime'", "'source':'s'}" },
        { "'sync','dirsync','mand','lazytime','silent','iversion'",
          "'source':'s','superblock':['sync','dirsync','mand','silent','iversion','lazytime']}" },
        { "'sync','async','mand','nomand','lazytime','nolazytime','silent','loud','iversion','noiversion'",
          "'source':'s'}" },
        { "'shared','rslave'", "'source':'s','propagation':['shared','rslave']}" },
        { "'private','rprivate','unbindable','runbindable','rshared','slave'",
          "'source':'s','propagation':['private','rprivate','unbindable','runbindable','rshared','slave']}" },
        { "'tmpcopyup','dest-nofollow'", "'source':'s','options':['tmpcopyup','dest-nofollow']}" },
        { "'mode=755','size=64k','newinstance'",
          "'source':'s','data':{'mode':'755','size':'64k','newinstance':true}}" },
        { "'a=b=c'", "'source':'s','data':{'a':'b=c'}}" },
        { "'size=1m,ro,uid=3'", "'source':'s','set':['ro'],'data':{'size':'1m','uid':'3'}}" },
        { "'context=\\'a:b,c\\',x'", "'source':'s','data':{'context':'a:b,c','x':true}}" },
        { "'z','Z'", "'source':'s'}" },
        { "''", "'source':'s'}" },
        { "'=x'", "mounts[0] (/d): options: '=x' has no name" },
    };

    for (size_t i = 0; i < array_length(rows); i++)
        check_options("'type':'fs','source':'s'", rows[i].options, rows[i].plan);
}

Test(rootfs_options, bind_mounts) /* items 90, 100, 109, 129 */
{
    static const struct {
        const char *options, *plan;
    } rows[] = {
        { "'bind'", "'source':'/s'}" },
        { "'rbind','rprivate'", "'source':'/s','options':['recursive'],'propagation':['rprivate']}" },
        { "'rbind','ro','nosuid'", "'source':'/s','set':['ro','nosuid'],'options':['recursive']}" },
        { "'bind','copy-symlink','src-nofollow'",
          "'source':'/s','options':['copy-symlink','src-nofollow']}" },
        { "'bind','z'", "'source':'/s'}" },
        { "'bind','size=3'", "mounts[0] (/d): options: 'size' is not an option of a bind mount" },
        { "'bind','sync'", "mounts[0] (/d): options: sync, dirsync, mand, lazytime and iversion belong to a "
                           "file system, not to a "
                           "bind mount" },
        { "'bind','silent'", "'source':'/s','superblock':['silent']}" },
        { "'bind','tmpcopyup'", "mounts[0] (/d): options: tmpcopyup needs a file system of its own" },
        { "'bind','idmap'",
          "mounts[0] (/d): options: idmap needs uidMappings and gidMappings, or a user namespace" }, /* item
                                                                                                        102 */
    };

    for (size_t i = 0; i < array_length(rows); i++)
        check_options("'type':'none','source':'/s'", rows[i].options, rows[i].plan);
}

Test(rootfs_options, are_sorted_and_listed) /* item 259; the search by halves needs the order */
{
    const char *const *names = rootfs_known_mount_options();
    size_t count = 0;

    for (; names[count]; count++)
        cr_expect(count == 0 || strcmp(names[count - 1], names[count]) < 0, "%s", names[count]);
    cr_expect_eq(count, 66);
}

/* ---- mounts ------------------------------------------------------------------------------------------- */

Test(rootfs_plan, mounts)
{
    static const struct {
        const char *mount, *namespaces, *plan;
    } rows[] = {
        { "{'destination':'/proc','type':'proc','source':'proc'}", "",
          "{'do':'mount','path':'/proc','type':'proc','source':'proc'}" },
        { "{'destination':'a//b/./c/../d/','type':'tmpfs'}", "",
          "{'do':'mount','path':'/a/b/d','type':'tmpfs'}" }, /* item 86 */
        { "{'destination':'/../../etc','type':'tmpfs'}", "", "{'do':'mount','path':'/etc','type':'tmpfs'}" },
        { "{'destination':'/d','source':'rel/dir','options':['rbind']}", "",
          "{'do':'bind','path':'/d','source':'/bundle/rel/dir','options':['recursive']}" }, /* item 89 */
        { "{'destination':'/d','type':'bind','source':'/s'}", "",
          "{'do':'bind','path':'/d','source':'/s'}" }, /* item 90 */
        { "{'destination':'/d','type':'tmpfs','source':'/s','options':['bind']}", "",
          "{'do':'bind','path':'/d','source':'/s'}" },
        { "{'destination':'/sys/fs/cgroup','type':'cgroup','source':'cgroup','options':['ro']}", "",
          "{'do':'mount-cgroup','path':'/sys/fs/cgroup','type':'cgroup','source':'cgroup','set':['ro']}" },
        { "{'destination':'/','type':'none','source':'x','options':['remount','ro']}", "",
          "{'do':'remount','path':'/','type':'none','source':'x','set':['ro']}" },
        { "{'destination':'/d','source':'/"
          "s','options':['bind'],'uidMappings':[{'containerID':0,'hostID':1,'size':1}],"
          "'gidMappings':[{'containerID':0,'hostID':1,'size':1}]}",
          "", "{'do':'bind','path':'/d','source':'/s','options':['idmap']}" }, /* item 101 */
        { "{'destination':'/d','source':'/s','options':['bind','ridmap']}",
          ",{'type':'user','path':'/proc/1/ns/user'}",
          "{'do':'bind','path':'/d','source':'/s','options':['idmap','ridmap']}" },

        { "{'destination':'/x/..','type':'tmpfs'}", "",
          "mounts[0] (/x/..): destination: a mount on '/' would hide the root file system" }, /* item 121 */
        { "{'destination':'/proc','type':'tmpfs'}", "",
          "mounts[0] (/proc): type: 'tmpfs' cannot be mounted on /proc, only proc" }, /* CVE-2019-16884 */
        { "{'destination':'//proc/','type':'cgroup'}", "",
          "mounts[0] (//proc/): type: 'cgroup' cannot be mounted on /proc, only proc" },
        { "{'destination':'/d'}", "", "mounts[0] (/d): type: missing" },
        { "{'destination':'/d','options':['bind']}", "",
          "mounts[0] (/d): source: missing, a bind mount needs one" },
        { "{'destination':'/c','type':'cgroup'}", ",{'type':'user','path':'/proc/1/ns/user'}",
          "{'do':'mount-cgroup','path':'/c','type':'cgroup','setRecursive':['ro']}" }, /* CVE-2023-25809 */
        { "{'destination':'/c','type':'cgroup','options':['idmap']}",
          ",{'type':'user','path':'/proc/1/ns/user'}",
          "mounts[0] (/c): options: idmap is not possible on a cgroup mount" },
    };

    for (size_t i = 0; i < array_length(rows); i++) {
        auto_free char *text = plan_mount_text(rows[i].mount, rows[i].namespaces);

        cr_expect_str_eq(text, rows[i].plan, "%s:\n  got  %s\n  want %s", rows[i].mount, text, rows[i].plan);
    }
}

/* ---- the rest ----------------------------------------------------------------------------------------- */

static char *plan_text(const char *json, bool rootless)
{
    struct rootfs_context here = context;
    struct oci_config *config = parse(json);
    struct rootfs_plan *plan;
    struct buffer out = { 0 };
    struct error err = { 0 };

    here.rootless = rootless;
    plan = rootfs_plan_make(config, &here, &err);
    if (plan)
        rootfs_plan_describe(plan, &out);
    else
        buffer_add_string(&out, err.text);
    rootfs_plan_free(plan);
    oci_config_free(config);
    for (char *c = out.data; *c; c++)
        if (*c == '"')
            *c = '\'';
    return buffer_take(&out);
}

#define LINUX(more) "{'ociVersion':'1.3.0','root':{'path':'rootfs'},'linux':{" more "}}"
#define MOUNT_NAMESPACE "'namespaces':[{'type':'mount'}]"

Test(rootfs_plan, contains)
{
    static const struct {
        const char *json;
        bool rootless;
        const char *part;
    } rows[] = {
        /* items 145-150 */
        { LINUX(MOUNT_NAMESPACE), false,
          "{'do':'make-device','path':'/dev/null','type':'c','number':'1:3','mode':'0666','uid':0,'gid':0}" },
        { LINUX(MOUNT_NAMESPACE), true, "{'do':'bind-device','path':'/dev/tty'" }, /* item 151 */
        { LINUX("'devices':[{'path':'/dev/"
                "x','type':'b','major':7,'minor':1,'fileMode':25008,'uid':3,'gid':4}]," MOUNT_NAMESPACE),
          false,
          "{'do':'make-device','path':'/dev/x','type':'b','number':'7:1','mode':'0660','uid':3,'gid':4}" },
        { LINUX("'devices':[{'path':'/opt/u','type':'u','major':7,'minor':1},{'path':'/"
                "p','type':'p'}]," MOUNT_NAMESPACE),
          true,
          "{'do':'bind-device','path':'/opt/u','type':'c','number':'7:1','mode':'0666','uid':0,'gid':0},\n"
          "{'do':'make-device','path':'/p','type':'p','mode':'0666','uid':0,'gid':0}" },
        { LINUX("'devices':[{'path':'/dev/../dev/"
                "null','type':'c','major':1,'minor':3,'fileMode':384}]," MOUNT_NAMESPACE),
          false,
          "[\n{'do':'make-device','path':'/dev/"
          "null','type':'c','number':'1:3','mode':'0600','uid':0,'gid':0},\n"
          "{'do':'make-device','path':'/dev/zero'" },
        { LINUX("'devices':[{'path':'/d','type':'c','major':7}]," MOUNT_NAMESPACE), false,
          "linux.devices[0].minor: " },
        { LINUX("'maskedPaths':['/a//b'],'readonlyPaths':['/c/']," MOUNT_NAMESPACE), false,
          "{'do':'pivot-root','path':'/bundle/rootfs'},\n{'do':'read-only','path':'/"
          "c'},\n{'do':'mask','path':'/a/b'}\n]" },
        { LINUX("'maskedPaths':['/a/..']," MOUNT_NAMESPACE), false,
          "linux.maskedPaths[0]: '/' is not possible" },
        { LINUX("'readonlyPaths':['/']," MOUNT_NAMESPACE), false,
          "linux.readonlyPaths[0]: '/' is not possible, use root.readonly" },
        { LINUX("'rootfsPropagation':'rshared'," MOUNT_NAMESPACE), false,
          "{'do':'pivot-root','path':'/bundle/rootfs','propagation':'rshared'}" },
        { LINUX("'namespaces':[]"), false, "{'do':'chroot','path':'/bundle/rootfs'}" },
        { LINUX("'maskedPaths':['/a'],'namespaces':[]"), false,
          "linux.maskedPaths: only possible in a new mount namespace (linux.namespaces)" },
        { LINUX("'rootfsPropagation':'slave','namespaces':[]"), false,
          "linux.rootfsPropagation: only possible in a new mount namespace" },
        { "{'ociVersion':'1.3.0','root':{'path':'r','readonly':true},'linux':{" MOUNT_NAMESPACE "}}", false,
          "{'do':'pivot-root','path':'/bundle/rootfs','readonly':true}" },
        { "{'ociVersion':'1.3.0','root':{'path':'r'},'annotations':{'run.oci.mount_context_type':'x'},"
          "'linux':{" MOUNT_NAMESPACE "}}",
          false,
          "annotations.run.oci.mount_context_type: 'x' is not one of context, fscontext, defcontext, "
          "rootcontext" },
        /* item 152: the host's /dev has all devices already */
        { "{'ociVersion':'1.3.0','root':{'path':'r'},'mounts':[{'destination':'/dev','source':'/"
          "dev','options':"
          "['rbind']}],'linux':{" MOUNT_NAMESPACE "}}",
          false,
          "[\n{'do':'bind','path':'/dev','source':'/dev','options':['recursive']},\n{'do':'pivot-root'" },
    };

    for (size_t i = 0; i < array_length(rows); i++) {
        auto_free char *text = plan_text(rows[i].json, rows[i].rootless);

        cr_expect(strstr(text, rows[i].part), "%s:\n  got  %s\n  want %s", rows[i].json, text, rows[i].part);
    }
}

Test(rootfs_plan, default_config)
{
    static const char expected[] =
        "[\n"
        "{'do':'mount','path':'/proc','type':'proc','source':'proc'},\n"
        "{'do':'mount','path':'/dev','type':'tmpfs','source':'tmpfs','set':['nosuid','strictatime'],'data':{"
        "'mode':'755','size':'65536k'}},\n"
        "{'do':'mount','path':'/dev/pts','type':'devpts','source':'devpts','set':['nosuid','noexec'],'data':{"
        "'newinstance':true,'ptmxmode':'0666','mode':'0620','gid':'5'}},\n"
        "{'do':'mount','path':'/dev/"
        "shm','type':'tmpfs','source':'shm','set':['nosuid','nodev','noexec'],'data':{"
        "'mode':'1777','size':'65536k'}},\n"
        "{'do':'mount','path':'/dev/"
        "mqueue','type':'mqueue','source':'mqueue','set':['nosuid','nodev','noexec']},\n"
        "{'do':'mount','path':'/"
        "sys','type':'sysfs','source':'sysfs','set':['ro','nosuid','nodev','noexec']},\n"
        "{'do':'mount-cgroup','path':'/sys/fs/"
        "cgroup','type':'cgroup','source':'cgroup','set':['ro','nosuid','nodev',"
        "'noexec','relatime']},\n"
        "{'do':'make-device','path':'/dev/null','type':'c','number':'1:3','mode':'0666','uid':0,'gid':0},\n";
    struct oci_config *config = oci_config_default(false);
    struct error err = { 0 };
    struct rootfs_plan *plan = rootfs_plan_make(config, &context, &err);
    auto_buffer struct buffer out = { 0 };

    cr_assert(plan, "%s", err.text);
    rootfs_plan_describe(plan, &out);
    for (char *c = out.data; *c; c++)
        if (*c == '"')
            *c = '\'';
    cr_expect(strncmp(out.data, expected, sizeof expected - 1) == 0, "%s", out.data);
    rootfs_plan_free(plan);
    oci_config_free(config);
}

/* The mounts of `podman run -v vv:/data`, paths shortened. */
Test(rootfs_plan, podman_config)
{
    static const char mounts[] =
        "{'destination':'/proc','type':'proc','source':'proc','options':['nosuid','noexec','nodev']},"
        "{'destination':'/"
        "dev','type':'tmpfs','source':'tmpfs','options':['nosuid','noexec','strictatime','mode=755',"
        "'size=65536k']},"
        "{'destination':'/sys','type':'sysfs','source':'sysfs','options':['nosuid','noexec','nodev','ro']},"
        "{'destination':'/data','type':'bind','source':'/v/"
        "_data','options':['rw','rprivate','nosuid','nodev','rbind']},"
        "{'destination':'/dev/"
        "pts','type':'devpts','source':'devpts','options':['nosuid','noexec','newinstance',"
        "'ptmxmode=0666','mode=0620','gid=5']},"
        "{'destination':'/etc/hosts','type':'bind','source':'/c/hosts','options':['bind','rprivate']},"
        "{'destination':'/dev/shm','type':'bind','source':'/c/"
        "shm','options':['bind','rprivate','nosuid','noexec',"
        "'nodev']},"
        "{'destination':'/sys/fs/"
        "cgroup','type':'cgroup','source':'cgroup','options':['rprivate','nosuid','noexec',"
        "'nodev','relatime','ro']}";
    static const char expected[] =
        "[\n"
        "{'do':'mount','path':'/proc','type':'proc','source':'proc','set':['nosuid','nodev','noexec']},\n"
        "{'do':'mount','path':'/dev','type':'tmpfs','source':'tmpfs','set':['nosuid','noexec','strictatime'],"
        "'data':{'mode':'755','size':'65536k'}},\n"
        "{'do':'mount','path':'/"
        "sys','type':'sysfs','source':'sysfs','set':['ro','nosuid','nodev','noexec']},\n"
        "{'do':'bind','path':'/data','source':'/v/_data','set':['nosuid','nodev'],'clear':['ro'],'options':["
        "'recursive'],'propagation':['rprivate']},\n"
        "{'do':'mount','path':'/dev/pts','type':'devpts','source':'devpts','set':['nosuid','noexec'],'data':{"
        "'newinstance':true,'ptmxmode':'0666','mode':'0620','gid':'5'}},\n"
        "{'do':'bind','path':'/etc/hosts','source':'/c/hosts','propagation':['rprivate']},\n"
        "{'do':'bind','path':'/dev/shm','source':'/c/shm','set':['nosuid','nodev','noexec'],'propagation':["
        "'rprivate']},\n"
        "{'do':'mount-cgroup','path':'/sys/fs/"
        "cgroup','type':'cgroup','source':'cgroup','set':['ro','nosuid','nodev',"
        "'noexec','relatime'],'propagation':['rprivate']},\n"
        "{'do':'make-device','path':'/dev/null'";
    auto_free char *json =
        memory_format("{'ociVersion':'1.0.2-dev','root':{'path':'/m'},'mounts':[%s],'linux':{"
                      "'namespaces':[{'type':'pid'},{'type':'mount'}]}}",
                      mounts);
    auto_free char *text = plan_text(json, false);

    cr_expect(strncmp(text, expected, sizeof expected - 1) == 0, "%s", text);
}

Test(rootfs_plan, paths)
{
    static const struct {
        const char *path, *normal;
    } rows[] = {
        { "/", "/" },           { "", "/" },         { ".", "/" },        { "..", "/" },
        { "/..", "/" },         { "a", "/a" },       { "/a/", "/a" },     { "//a//b", "/a/b" },
        { "/a/./b", "/a/b" },   { "/a/../b", "/b" }, { "/a/b/..", "/a" }, { "/a/..b", "/a/..b" },
        { "/.../x", "/.../x" }, { "/a/../..", "/" },
    };

    for (size_t i = 0; i < array_length(rows); i++) {
        auto_free char *normal = path_normalise(rows[i].path);

        cr_expect_str_eq(normal, rows[i].normal, "%s: %s", rows[i].path, normal);
    }
}
