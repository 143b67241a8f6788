/* See rootfs_jail.h. */
#include "rootfs_jail.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/sys.h"
#include "oci-specs/config.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

void jail_fail(struct jail *jail, const char *file, int line, const char *format, ...)
{
    char text[4096];
    va_list arguments;
    int length = snprintf(text, sizeof text, "%s:%d: ", file, line);

    va_start(arguments, format);
    vsnprintf(text + length, sizeof text - (size_t)length, format, arguments);
    va_end(arguments);
    (void)!write(jail->report, text, strlen(text) + 1);
    _exit(1);
}

static void make_directories(struct jail *jail)
{
    static const char *const names[] = { "", "/proc", "/dev", "/sys", "/etc", "/tmp" };

    check(jail, mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) == 0);
    check(jail, mount("tmpfs", jail->directory, "tmpfs", 0, "mode=755") == 0);
    for (size_t i = 0; i < array_length(names); i++) {
        auto_free char *path = memory_format("%s/rootfs%s", jail->directory, names[i]);

        check(jail, mkdir(path, 0755) == 0);
    }
}

static _Noreturn void child(struct jail *jail, void (*body)(struct jail *jail))
{
    jail->host_proc = open("/proc", O_PATH | O_CLOEXEC);
    make_directories(jail);
    body(jail);
    rootfs_plan_free(jail->plan);
    oci_config_free(jail->config);
    _exit(0);
}

void jail_run(unsigned long flags, void (*body)(struct jail *jail))
{
    struct sys_clone_args arguments = { .flags = flags | CLONE_NEWNS, .exit_signal = SIGCHLD };
    struct jail jail = { .directory = "/tmp/aril-rootfs-XXXXXX" };
    char message[4096] = "the child said nothing";
    int pipe_fds[2], status;
    pid_t pid;

    if (geteuid() != 0)
        cr_skip_test("needs root: mounts are made for real");
    cr_assert(mkdtemp(jail.directory));
    cr_assert_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
    jail.report = pipe_fds[1];
    pid = sys_clone3(&arguments);
    cr_assert(pid >= 0, "clone3: %s", strerror(errno));
    if (pid == 0)
        child(&jail, body);
    close(pipe_fds[1]);
    (void)!read(pipe_fds[0], message, sizeof message - 1);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    rmdir(jail.directory);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s (status %x)", message, (unsigned)status);
}

void jail_config(struct jail *jail, const char *json)
{
    auto_free char *copy = memory_string(json);

    for (char *c = copy; *c; c++)
        if (*c == '\'')
            *c = '"';
    jail->config = schema_parse(&oci_config_schema, "config.json", copy, strlen(copy), &jail->err);
    check(jail, jail->config);
}

bool jail_plan_ok(struct jail *jail)
{
    static char rootfs[128];
    struct rootfs_context context = { .bundle = jail->directory, .rootfs = rootfs };

    snprintf(rootfs, sizeof rootfs, "%s/rootfs", jail->directory);
    jail->plan = rootfs_plan_make(jail->config, &context, &jail->err);
    return jail->plan && rootfs_open_sources(jail->plan, &jail->err) == 0;
}

void jail_plan(struct jail *jail)
{
    check(jail, jail_plan_ok(jail));
}

int jail_try(struct jail *jail)
{
    if (!jail->plan && !jail_plan_ok(jail))
        return -1;
    if (rootfs_prepare(jail->plan, &jail->err) < 0 || rootfs_mount_all(jail->plan, &jail->err) < 0 ||
        rootfs_make_devices(jail->plan, &jail->err) < 0 || rootfs_pivot(jail->plan, &jail->err) < 0)
        return -1;
    return rootfs_finish(jail->plan, &jail->err);
}

void jail_apply(struct jail *jail)
{
    check(jail, jail_try(jail) == 0);
}

void jail_write(struct jail *jail, const char *path, const char *content)
{
    auto_free char *full = memory_format("%s/%s", jail->directory, path);
    auto_close int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    check(jail, fd >= 0);
    check(jail, file_write_all(fd, content, strlen(content)) == 0);
}

char *jail_read(struct jail *jail, const char *path)
{
    struct error err;
    char *text = NULL;

    (void)jail;
    return file_read_at(AT_FDCWD, path, 1 << 20, &text, NULL, &err) == 0 ? text : memory_string("");
}

char *jail_mountinfo(struct jail *jail, const char *path)
{
    auto_free char *text = NULL;
    char *state = NULL, *found = NULL;

    check(jail, file_read_at(jail->host_proc, "self/mountinfo", 1 << 20, &text, NULL, &jail->err) == 0);

    for (char *line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
        char place[512] = "";

        if (sscanf(line, "%*s %*s %*s %*s %511s", place) == 1 && strcmp(place, path) == 0)
            found = line;
    }
    return memory_string(found ? found : "");
}

/* mounts and the rest of the linux object, after its namespaces */
void jail_linux(struct jail *jail, const char *mounts, const char *more)
{
    auto_free char *json =
        memory_format("{'ociVersion':'1.3.0','root':{'path':'rootfs'},'mounts':[%s],'linux':{"
                      "'namespaces':[{'type':'mount'},{'type':'pid'},{'type':'network'}]%s}}",
                      mounts, more);

    jail_config(jail, json);
}

char *jail_host_path(const struct jail *jail, const char *path)
{
    return memory_format("%s/%s", jail->directory, path);
}

void jail_symlink(struct jail *jail, const char *target, const char *path)
{
    auto_free char *full = jail_host_path(jail, path);

    check(jail, symlink(target, full) == 0);
}

void jail_mkdir(struct jail *jail, const char *path)
{
    auto_free char *full = jail_host_path(jail, path);

    check(jail, mkdir(full, 0755) == 0);
}

void check_mount(struct jail *jail, const char *path, const char *options, const char *type)
{
    auto_free char *line = jail_mountinfo(jail, path);

    check_contains(jail, line, options);
    check_contains(jail, line, type);
}

void check_no_mount(struct jail *jail, const char *path)
{
    auto_free char *line = jail_mountinfo(jail, path);

    check_equal(jail, line, "");
}

void check_error(struct jail *jail, const char *part)
{
    check(jail, jail_try(jail) < 0);
    check_contains(jail, jail->err.text, part);
}

size_t jail_count_mounts(struct jail *jail)
{
    auto_free char *text = NULL;
    size_t count = 0;

    check(jail, file_read_at(jail->host_proc, "self/mountinfo", 1 << 20, &text, NULL, &jail->err) == 0);
    for (const char *c = text; *c; c++)
        count += *c == '\n';
    return count;
}

/* Applies the config in a new mount namespace, runs `body` there, and returns to the host. */
void jail_container(struct jail *jail, unsigned long flags, void (*body)(struct jail *jail))
{
    struct sys_clone_args arguments = { .flags = CLONE_NEWNS | flags, .exit_signal = SIGCHLD };
    int status;
    pid_t pid;

    jail_plan(jail);
    pid = sys_clone3(&arguments);
    check(jail, pid >= 0);
    if (pid == 0) {
        jail_apply(jail);
        if (body)
            body(jail);
        _exit(0);
    }
    check(jail, waitpid(pid, &status, 0) == pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        _exit(1); /* it has reported why */
}

void jail_share_everything(struct jail *jail)
{
    auto_free char *rootfs = jail_host_path(jail, "rootfs");
    auto_free char *sub = jail_host_path(jail, "rootfs/sub");
    auto_free char *volume = jail_host_path(jail, "volume");

    check(jail, mkdir(volume, 0755) == 0 && mount("tmpfs", volume, "tmpfs", 0, NULL) == 0);
    check(jail, mount(rootfs, rootfs, NULL, MS_BIND, NULL) == 0);
    check(jail, mkdir(sub, 0755) == 0 && mount("tmpfs", sub, "tmpfs", 0, NULL) == 0);
    check(jail, mount(NULL, "/", NULL, MS_SHARED | MS_REC, NULL) == 0);
}

mode_t mode_of(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0 ? status.st_mode : 0;
}

void check_link(struct jail *jail, const char *path, const char *target)
{
    char text[128] = "";

    check(jail, readlink(path, text, sizeof text - 1) > 0);
    check_equal(jail, text, target);
}

void check_file(struct jail *jail, const char *path, const char *content)
{
    auto_free char *text = jail_read(jail, path);

    check_equal(jail, text, content);
}

void check_device(struct jail *jail, const char *path, mode_t mode, unsigned major_number,
                  unsigned minor_number)
{
    struct stat status;

    check(jail, lstat(path, &status) == 0);
    if (status.st_mode != mode || status.st_rdev != makedev(major_number, minor_number))
        jail_fail(jail, __FILE__, __LINE__, "%s: mode %o, %u:%u", path, (unsigned)status.st_mode,
                  major(status.st_rdev), minor(status.st_rdev));
}
