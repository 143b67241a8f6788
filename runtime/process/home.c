/*
 * HOME for payloads whose config has none (item 55). Runs in the container's init or in an exec'd process,
 * which may still be privileged while /etc/passwd belongs to the image: nothing in it may block us, make us
 * read without end or open a device (rule 11). Whatever is wrong with the file, HOME is "/".
 */
#include "process/process.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/number.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define PASSWD_LIMIT (1u << 20)

static int check_regular(int fd, struct error *err)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return fail_errno(err, "stat /etc/passwd");
    if (!S_ISREG(status.st_mode))
        return fail(err, EINVAL, "/etc/passwd: not a regular file");
    return 0;
}

/* Looks before it opens: opening some devices is enough to set them off. Opens without blocking in case it
 * was swapped. */
static int open_passwd(int root_fd, struct error *err)
{
    auto_close int place = file_open_in_root(root_fd, "/etc/passwd", O_PATH, 0);
    int fd;

    if (place < 0)
        return fail_errno(err, "open /etc/passwd");
    if (check_regular(place, err) < 0)
        return -1;
    fd = file_open_in_root(root_fd, "/etc/passwd", O_RDONLY | O_NONBLOCK, 0);
    return fd < 0 ? fail_errno(err, "open /etc/passwd") : fd;
}

/* The next field of a line, cut off at its colon; NULL when there is none. */
static char *next_field(char **line)
{
    return *line ? strsep(line, ":") : NULL;
}

/* name:password:uid:gid:comment:home:shell. The home directory when the line is about `uid`, else NULL. */
static const char *home_in_line(char *line, uid_t uid)
{
    uint64_t number;
    char *text, *home;

    next_field(&line);
    next_field(&line);
    text = next_field(&line);
    if (!text || !number_parse_unsigned(text, UINT32_MAX, &number) || number != uid)
        return NULL;
    next_field(&line);
    next_field(&line);
    home = next_field(&line);
    return home && home[0] == '/' ? home : NULL;
}

static const char *find_home(char *content, uid_t uid)
{
    char *line;

    while ((line = strsep(&content, "\n"))) {
        const char *home = home_in_line(line, uid);

        if (home)
            return home;
    }
    return NULL;
}

int process_set_home(struct process_plan *plan, int root_fd, struct error *err)
{
    auto_free char *content = NULL;
    auto_close int fd = -1;
    struct error problem = { 0 };
    const char *home = NULL;

    (void)err;
    if (process_plan_get_env(plan, "HOME"))
        return 0;
    fd = open_passwd(root_fd, &problem);
    if (fd < 0 || file_read_regular_fd(fd, PASSWD_LIMIT, "/etc/passwd", &content, NULL, &problem) < 0)
        log_debug("HOME is /: %s", problem.text);
    else
        home = find_home(content, plan->uid);
    process_plan_set_env(plan, "HOME", home ? home : "/", true);
    return 0;
}
